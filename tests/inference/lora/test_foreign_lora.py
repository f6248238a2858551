"""LoRA files of the field: headers, alphas, ranks and configurations; the exact change, or the line that refuses it."""

import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from inference.lora.file import LoraError
from tests.inference.lora.foreign import LAYER, changes, delta, one, refused
from tests.inference.lora.lora_files import RANK, WIDTH, pair, write


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e38, 3e6])
def test_alpha_that_is_no_number_or_beyond_all(value: float, tmp_path: Path) -> None:
    refused(write(tmp_path / "x.safetensors", one(alpha=torch.tensor(value))), "is broken: .*alpha")


def test_halves_whose_product_is_beyond_all_numbers(tmp_path: Path) -> None:
    tensors = {name: tensor * 1e25 for name, tensor in one().items()}
    refused(write(tmp_path / "x.safetensors", tensors), "is broken: its change")


def test_alpha_of_many_numbers_and_halves_of_whole_numbers(tmp_path: Path) -> None:
    refused(write(tmp_path / "x.safetensors", one(alpha=torch.ones(4))), "alpha of .* is not one number")
    assert torch.equal(changes(write(tmp_path / "y.safetensors", one(alpha=torch.full((1,), 8.0))))[LAYER], delta() * 2)
    whole = {name: tensor.mul(9).long() for name, tensor in one().items()}
    refused(write(tmp_path / "z.safetensors", whole), "numbers of type I64")


def test_rank_0_is_no_change(tmp_path: Path) -> None:
    nothing = {
        "transformer.transformer_blocks.1.ff.net.0.proj.lora_A.weight": torch.zeros(0, WIDTH),
        "transformer.transformer_blocks.1.ff.net.0.proj.lora_B.weight": torch.zeros(4 * WIDTH, 0),
        "transformer.transformer_blocks.1.ff.net.0.proj.alpha": torch.tensor(4.0),
    }
    assert list(changes(write(tmp_path / "x.safetensors", one() | nothing))) == [LAYER]
    refused(write(tmp_path / "y.safetensors", nothing), "changes nothing")


def raw(path: Path, header: Any, payload: int = 64) -> Path:
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(payload))
    return path


F32 = {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]}


@pytest.mark.parametrize(
    "header",
    [
        {"__metadata__": 5, "a": F32}, {"__metadata__": ["x"], "a": F32}, {"__metadata__": {"a": 1}, "a": F32},
        {"a": F32 | {"shape": [1e999, 4]}}, {"a": F32 | {"shape": [-4, 4]}}, {"a": F32 | {"shape": "44"}},
        {"a": F32 | {"shape": [4.0, 4]}}, {"a": F32 | {"shape": [2**40] * 9}}, {"a": F32 | {"data_offsets": [64]}},
        {"a": F32 | {"data_offsets": [60, 0]}}, {"a": F32 | {"data_offsets": ["0", "64"]}},
        {"a": F32 | {"dtype": "F99"}},
        {"a": F32 | {"dtype": None}}, {"a": F32 | {"data_offsets": [0, 32]}}, {"a": F32 | {"data_offsets": [0, 2**70]}},
        {"a": 5}, {"a": []}, [], 5, "null", '{"a": ' + "9" * 5_000 + "}",
        '{"a": {"dtype": "F32", "shape": [' + "9" * 5_000 + "]}}",
        "[" * 50_000, '{"a": NaN}', '{"a": 1, "a": 2}', {}, {"__metadata__": {}},
    ],
)  # fmt: skip
def test_a_header_of_any_kind_is_read_or_refused(header: Any, tmp_path: Path) -> None:
    refused(raw(tmp_path / "x.safetensors", header), "x.safetensors")


def test_an_empty_metadata_is_no_fault(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", one())
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = None
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    assert torch.equal(changes(path)[LAYER], delta())


CLIP = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj"


def test_alpha_counts_for_the_component_that_it_is_said_of(tmp_path: Path) -> None:
    config = {
        "transformer.r": RANK,
        "transformer.lora_alpha": RANK,
        "text_encoder.r": RANK,
        "text_encoder.lora_alpha": 8,
    }
    path = write(tmp_path / "x.safetensors", one() | one(CLIP), {"lora_adapter_metadata": json.dumps(config)})
    found = changes(path)
    assert torch.equal(found[LAYER], delta())
    assert torch.allclose(found["text_encoder:encoder.layers.0.self_attn.q_proj"], delta() * 2)


@pytest.mark.parametrize("carrier", ["folder", "tar", "tar.gz", "zip", "deep.tar"])
def test_alpha_of_a_peft_configuration_counts_in_every_carrier(carrier: str, tmp_path: Path) -> None:
    files = {
        "adapter_model.safetensors": save(one()),
        "adapter_config.json": json.dumps({"r": RANK, "lora_alpha": 2 * RANK, "peft_type": "LORA"}).encode(),
        "._adapter_model.safetensors": b"x",
        "__MACOSX/adapter_model.safetensors": b"x",
    }
    deep = "output/" if carrier == "deep.tar" else ""
    path = tmp_path / f"lora.{carrier}"
    if carrier == "folder":
        path.mkdir()
        for name, data in files.items():
            (path / name).parent.mkdir(exist_ok=True)
            (path / name).write_bytes(data)
    elif carrier == "zip":
        with zipfile.ZipFile(path, "w") as zipped:
            for name, data in files.items():
                zipped.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz" if carrier.endswith("gz") else "w") as tar:
            for name, data in files.items():
                info = tarfile.TarInfo(deep + name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    assert torch.allclose(changes(path)[LAYER], delta() * 2)


@pytest.mark.parametrize(
    "config",
    [
        {"r": 0}, {"r": "x"}, {"r": [4]}, {"lora_alpha": "NaN"}, {"lora_alpha": float("inf")}, {"rank_pattern": 5},
        {"rank_pattern": {"(": 4}}, {"alpha_pattern": {"(a+)+$|((x+x+)+y|(.*)*z)*": 4}}, {"alpha_pattern": {"x": "y"}},
        {"use_dora": True}, {"peft_type": "LOHA"}, [], 5, "x",
    ],
)  # fmt: skip
def test_a_configuration_of_any_kind_is_read_or_refused(config: Any, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    path = write(tmp_path / "adapter_model.safetensors", one())
    try:
        assert torch.isfinite(changes(path)[LAYER]).all()
    except LoraError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either is right


def test_a_pattern_that_never_ends_is_stopped(tmp_path: Path) -> None:
    config = {"transformer.alpha_pattern": {r"(([a-z_.0-9]+)+)+!": 4}, "transformer.lora_alpha": 4}
    layer = f"transformer.{LAYER}"
    path = write(tmp_path / "x.safetensors", one(layer), {"lora_adapter_metadata": json.dumps(config)})
    try:
        changes(path)
    except LoraError as error:
        assert "cannot be used" in str(error)  # noqa: PT017 - a faster engine may answer


def test_two_adapters_in_one_file(tmp_path: Path) -> None:
    name = f"transformer.{LAYER}"
    tensors = {
        f"{name}.lora_{half}.{which}.weight": tensor
        for which in ("one", "two")
        for half, tensor in zip("AB", pair(1, WIDTH), strict=True)
    }
    refused(write(tmp_path / "x.safetensors", tensors), "two adapters")


@pytest.mark.parametrize(
    ("args", "accepted"),
    [
        ('{"img_attn_dim":"8","single_dim":"2"}', True), ('{"in_dims": "[4,4,4,4,4]"}', True),
        ('{"conv_dim": "4"}', True),
        ('{"dynamic": "true"}', True), ("{}", False), ('{"dropout": "0.1"}', False),
    ],
)  # fmt: skip
def test_a_header_that_explains_its_ranks(args: str, accepted: bool, tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", one(), {"ss_network_dim": "16", "ss_network_args": args})
    if accepted:
        assert torch.equal(changes(path)[LAYER], delta())
    else:
        refused(path, "metadata says rank 16")


@pytest.mark.parametrize("stated", ["²", "Dynamic", "", "9" * 5_000, "None"])
def test_an_odd_stated_rank_is_no_number(stated: str, tmp_path: Path) -> None:
    assert LAYER in changes(write(tmp_path / "x.safetensors", one(), {"ss_network_dim": stated}))
