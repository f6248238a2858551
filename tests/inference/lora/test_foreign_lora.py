"""LoRA files of the field: what each kind must give, exactly, or the one line that refuses it."""

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
from inference.lora.names import guess_model
from inference.lora.source import find_lora
from inference.lora.weights import read_lora, touches_encoders
from tests.inference.lora.lora_files import RANK, WIDTH, Tensors, diffusers_peft, pair, rand, write

LAYER = "transformer_blocks.0.attn.to_q"
FLUX1: dict[str, dict[str, tuple[int, int]]] = {
    "transformer": {
        **{layer: tuple(delta.shape) for layer, delta in diffusers_peft()[1].items()},  # type: ignore[dict-item]
        **{f"transformer_blocks.0.attn.to_{head}": (WIDTH, WIDTH) for head in "kv"},
        "norm_out.linear": (2 * WIDTH, WIDTH),
    },
    "text_encoder": {"encoder.layers.0.self_attn.q_proj": (WIDTH, WIDTH)},
    "text_encoder_2": {"encoder.block.0.layer.0.SelfAttention.q": (WIDTH, WIDTH)},
}
FLUX2: dict[str, dict[str, tuple[int, int]]] = {
    "transformer": {
        "single_transformer_blocks.0.attn.to_qkv_mlp_proj": (9 * WIDTH, WIDTH),
        "transformer_blocks.0.attn.to_q": (WIDTH, WIDTH),
        "transformer_blocks.0.attn.to_k": (WIDTH, WIDTH),
        "transformer_blocks.0.attn.to_v": (WIDTH, WIDTH),
        "norm_out.linear": (2 * WIDTH, WIDTH),
    }
}


def changes(path: Path, family: str = "flux1") -> dict[str, torch.Tensor]:
    lora = read_lora(find_lora(str(path)), FLUX1 if family == "flux1" else FLUX2, family)
    return {
        (part.component + ":" if part.component != "transformer" else "") + part.layer: part.change()
        for part in lora.parts
    }


def one(name: str = f"transformer.{LAYER}", **more: torch.Tensor) -> Tensors:
    down, up = pair(1, WIDTH)
    return {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up} | {f"{name}.{k}": v for k, v in more.items()}


def delta() -> torch.Tensor:
    down, up = pair(1, WIDTH)
    return up @ down


def refused(path: Path, said: str, family: str = "flux1") -> None:
    with pytest.raises(LoraError, match=said) as caught:
        changes(path, family)
    assert "\n" not in str(caught.value)


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


@pytest.mark.parametrize("family", ["flux1", "flux2"])
@pytest.mark.parametrize("prefix", ["", "diffusion_model.", "lora_unet_"])
def test_the_last_modulation_is_swapped_as_diffusers_converts_base_weights(
    family: str, prefix: str, tmp_path: Path
) -> None:
    from diffusers.loaders.single_file_utils import convert_flux2_transformer_checkpoint_to_diffusers, swap_scale_shift

    name = "final_layer.adaLN_modulation.1"
    down, up = pair(1, 2 * WIDTH)
    spelled = prefix + (name.replace(".", "_") if prefix == "lora_unet_" else name)
    halves = ("lora_down", "lora_up") if prefix == "lora_unet_" else ("lora_A", "lora_B")
    path = write(
        tmp_path / "x.safetensors", {f"{spelled}.{halves[0]}.weight": down, f"{spelled}.{halves[1]}.weight": up}
    )
    base = rand(9, 2 * WIDTH, WIDTH)

    def convert(weight: torch.Tensor) -> torch.Tensor:
        if family == "flux1":
            return swap_scale_shift(weight, dim=0)
        return convert_flux2_transformer_checkpoint_to_diffusers({f"{name}.weight": weight})["norm_out.linear.weight"]

    assert torch.allclose(
        changes(path, family)["norm_out.linear"], convert(base + up @ down) - convert(base), atol=1e-5
    )


DIALECTS = {
    "trailing underscore": "lora_unet_transformer_blocks_0_attn_to_q_",
    "compiled": f"transformer._orig_mod.{LAYER}",
    "compiled inside": "transformer.transformer_blocks.0._orig_mod.attn.to_q",
    "compiled PEFT": f"base_model.model._orig_mod.{LAYER}",
    "FSDP": "transformer._fsdp_wrapped_module.transformer_blocks.0._fsdp_wrapped_module.attn.to_q",
    "DDP": f"module.{LAYER}",
    "LyCORIS": "lycoris_transformer_blocks_0_attn_to_q",
    "kohya dotted": f"lora_unet.{LAYER}",
    "kohya over diffusers": "lora_transformer_transformer_blocks_0_attn_to_q",
}


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects_that_differ_in_wrapping_alone(name: str, tmp_path: Path) -> None:
    assert torch.equal(changes(write(tmp_path / "x.safetensors", one(DIALECTS[name])))[LAYER], delta())


@pytest.mark.parametrize(
    "name",
    ["lora_te1.text_model.encoder.layers.0.self_attn.q_proj", "lora_te1_text_model_encoder_layers_0_self_attn_q_proj",
     "text_encoder._orig_mod.text_model.encoder.layers.0.self_attn.q_proj",
     "lycoris_te1_text_model_encoder_layers_0_self_attn_q_proj", "text_encoder.encoder.layers.0.self_attn.q_proj_"],
)  # fmt: skip
def test_dialects_of_the_encoder(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", one(name))
    assert touches_encoders(find_lora(str(path)).header())
    assert torch.equal(changes(path)["text_encoder:encoder.layers.0.self_attn.q_proj"], delta())


@pytest.mark.parametrize("first", ["whole", "product"])
@pytest.mark.parametrize("second", ["whole", "product"])
@pytest.mark.parametrize("alpha", [None, 2.0])
@pytest.mark.parametrize("where", ["one layer", "three layers"])
def test_lokr_is_merged_exactly(first: str, second: str, alpha: float | None, where: str, tmp_path: Path) -> None:
    rows = 1 if where == "one layer" else 3
    name = f"diffusion_model.{LAYER}" if rows == 1 else "diffusion_model.double_blocks.0.img_attn.qkv"
    a1, b1, a2, b2 = rand(1, 4 * rows, 2), rand(2, 2, 8), rand(3, 8, RANK), rand(4, RANK, 4)
    tensors = {f"{name}.lokr_w1": a1 @ b1} if first == "whole" else {f"{name}.lokr_w1_a": a1, f"{name}.lokr_w1_b": b1}
    tensors |= {f"{name}.lokr_w2": a2 @ b2} if second == "whole" else {f"{name}.lokr_w2_a": a2, f"{name}.lokr_w2_b": b2}
    scale = 1.0
    if alpha is not None:
        tensors[f"{name}.alpha"] = torch.tensor(alpha)
        scale = alpha / RANK if second == "product" else alpha / 2 if first == "product" else 1.0
    expected = torch.kron(a1 @ b1, a2 @ b2) * scale
    heads = "q" if rows == 1 else "qkv"
    for family in ("flux1", "flux2"):
        found = changes(write(tmp_path / "x.safetensors", tensors), family)
        for head, change in zip(heads, expected.chunk(rows), strict=True):
            assert torch.allclose(found[f"transformer_blocks.0.attn.to_{head}"], change, atol=1e-5)


def test_lokr_rows_that_fall_within_a_factor(tmp_path: Path) -> None:
    """Three layers from a first factor of one row: each layer's rows lie inside the second factor."""
    name = "lora_unet_double_blocks_0_img_attn_qkv"
    w1, w2 = rand(1, 2, 8), rand(2, 48, 4)
    found = changes(write(tmp_path / "x.safetensors", {f"{name}.lokr_w1": w1, f"{name}.lokr_w2": w2}))
    for head, change in zip("qkv", torch.kron(w1, w2).chunk(3), strict=True):
        assert torch.equal(found[f"transformer_blocks.0.attn.to_{head}"], change)


def test_lokr_that_does_not_fit_or_holds_nan(tmp_path: Path) -> None:
    name = f"diffusion_model.{LAYER}"
    tensors = {f"{name}.lokr_w1": rand(1, 4, 4), f"{name}.lokr_w2": rand(2, 7, 8)}
    refused(write(tmp_path / "x.safetensors", tensors), "made for another model: .* is 28x32")
    tensors = {f"{name}.lokr_w1": rand(1, 4, 4), f"{name}.lokr_w2": torch.full((8, 8), float("nan"))}
    refused(write(tmp_path / "y.safetensors", tensors), "NaN or infinity in w2")
    tensors = {f"{name}.lokr_w1": rand(1, 4, 4), f"{name}.lokr_w2": rand(2, 8, 8), f"{name}.dora_scale": rand(3, WIDTH)}
    refused(write(tmp_path / "z.safetensors", tensors), "DoRA")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<!DOCTYPE html><html><body>Not found", "web page"), (b'{"error": "Not Found"}' + b" " * 9, "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "Git LFS pointer"),
        (b"PK\x03\x04" + bytes(80), "ZIP archive"), (b"GGUF" + bytes(80), "GGUF"), (b"", "it is empty"),
        (b"\x80\x04\x95" + bytes(60), "pickle"), (b"PK\x03\x04" + b"archive/data.pkl" + bytes(60), "pickle"),
    ],
)  # fmt: skip
def test_what_is_no_safetensors_is_named(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(data)
    refused(tmp_path / "x.safetensors", f"not a safetensors file: .*{said}")


def test_one_part_of_two_is_no_whole(tmp_path: Path) -> None:
    write(tmp_path / "lora-00001-of-00002.safetensors", one())
    refused(tmp_path / "lora-00001-of-00002.safetensors", "part 1 of 2")
    refused(tmp_path, "part 1 of 2")
    (tmp_path / "lora-00001-of-00002.safetensors").rename(tmp_path / "lora-00001-of-00001.safetensors")
    assert LAYER in changes(tmp_path)


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    real = write(tmp_path / "real.safetensors", one())
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "x.safetensors").symlink_to(real)
    refused(folder, "is a link, which is not followed")
    assert LAYER in changes(folder / "x.safetensors")  # named by the user himself


def test_devices_and_pipes_are_refused_without_waiting(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", "not a regular file")
    refused(tmp_path, "named pipe")
    refused(Path("/dev/zero"), "not a regular file")


def test_a_member_of_gigabytes_is_looked_at_by_its_header_alone(tmp_path: Path) -> None:
    """Three gigabytes of zeros in three megabytes: the first eight bytes say that it is nothing."""
    info = tarfile.TarInfo("lora.safetensors")
    info.size = 3 * 2**30
    path = tmp_path / "x.tar"
    with path.open("wb") as file:
        file.write(info.tobuf())
        file.truncate(info.size + 2048)
    refused(path, "not a safetensors file")


@pytest.mark.parametrize(
    ("names", "model"),
    [
        (["transformer.transformer_blocks.3.ff.gate.lora_A.weight"], "Krea 2"),
        (["diffusion_model.blocks.3.attn.wq.lora_A.weight"], "Krea 2"),
        (["lora_unet_blocks_6_attn_wv.lora_down.weight"], "Krea 2"),
        (["transformer.text_fusion.0.to_q.lora_A.weight"], "Krea 2"),
        (["diffusion_model.content_mode_blocks.0.q_proj.lora_A.weight"], "FLUX.3"),
        (["transformer.single_transformer_blocks.0.ff.linear_in.lora_A.weight"], "FLUX.3"),
        (["transformer.single_transformer_blocks.0.attn.to_qkv_mlp_proj.lora_A.weight"], "FLUX.2"),
        (["transformer.transformer_blocks.0.ff.linear_in.lora_A.weight"], "FLUX.2"),
        (["lora_unet_single_blocks_0_modulation_lin.lora_down.weight"], "FLUX.1"),
        (["lora_unet_down_blocks_0_attn.lora_down.weight"], "SDXL or SD 1.5"),
    ],
)
def test_families_are_told_by_their_tensors(names: list[str], model: str, tmp_path: Path) -> None:
    assert guess_model(names) == model
    refused(write(tmp_path / "x.safetensors", {names[0]: rand(1, 4, 4)}), f"does not fit this model.*made for {model}")


@pytest.mark.parametrize("said", ["krea-2-turbo", "krea", "flux-3", "flux.1-krea-dev", "klein", "flux-1-dev/lora", ""])
def test_words_of_a_header_refuse_no_file_that_fits(said: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", one(), {"modelspec.architecture": said})
    assert LAYER in changes(path, "flux1")
    if "flux-1" not in said and "flux.1" not in said:
        assert LAYER in changes(path, "flux2")


def test_nothing_in_a_file_commands_the_terminal(tmp_path: Path) -> None:
    path = write(tmp_path / "a\x1b[2J.safetensors", one("x\x1b]0;y\x07\u202e"))
    with pytest.raises(LoraError) as caught:
        changes(path)
    from configs.printable import is_control

    message = str(caught.value).replace(str(path), "")  # the path is the user's own words, shown by the command line
    assert not any(is_control(char) for char in message)
