"""Plans that a card would have, carried out on the CPU at tiny size: streamed, quantized, cached, compiled."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.local.assembly import Assembled, assemble
from inference.local.plan import Plan, plan
from inference.lora.merge import LoraSlot, NotKept, shapes_of
from inference.lora.parts import LoraPart, LowRankPart
from inference.lora.source import find_lora
from inference.lora.weights import read_lora
from inference.models.hardware import Card
from inference.models.profiles import load_profile
from tests.inference.lora.lora_files import diffusers_peft, kohya, write
from tests.tiny_flux import make_tiny_flux

PLAIN = plan(load_profile("demo"), Card("cpu", "cpu", 0))


@pytest.fixture(scope="module")
def wide_flux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wide enough that eight bits a value are a fair approximation."""
    heads = {"num_attention_heads": 4, "attention_head_dim": 32, "axes_dims_rope": (8, 12, 12)}
    return make_tiny_flux(tmp_path_factory.mktemp("wide"), **heads)


def load(folder: Path) -> Any:
    from diffusers import FluxPipeline

    pipe = FluxPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def assembled(folder: Path, made: Plan, parts: tuple[LoraPart, ...] = ()) -> Assembled:
    pipe = load(folder)
    slot = LoraSlot(pipe.transformer)
    slot.put(parts, 1.0)
    return assemble(pipe, made, slot, lambda _what: None, None)


def draw(pipe: Any, prompt: str = "samurai", steps: int = 3) -> torch.Tensor:
    seed = torch.Generator().manual_seed(5)
    return pipe(
        prompt, width=32, height=32, num_inference_steps=steps, generator=seed, max_sequence_length=16,
        output_type="latent",
    ).images  # fmt: skip


def difference(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).norm() / b.norm())


def parts_of(folder: Path, path: Path) -> tuple[LoraPart, ...]:
    shapes = shapes_of({"transformer": load(folder).transformer})
    return read_lora(find_lora(str(path)), shapes, "flux1").parts


def test_streamed_with_an_evicted_table_draws_the_same(tiny_flux: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "style.safetensors", kohya(2.0)[0])
    parts = parts_of(tiny_flux, path)
    expected = draw(assembled(tiny_flux, PLAIN, parts).pipe)
    streamed = assembled(tiny_flux, replace(PLAIN, placement="streamed", modulation="table-evicted"), parts)
    assert difference(draw(streamed.pipe), expected) <= 1e-5
    assert difference(draw(streamed.pipe, "a sword"), expected) > 1e-3
    assert difference(draw(streamed.pipe), expected) <= 1e-5


def test_a_step_cache_draws_much_the_same_with_fewer_blocks(tiny_flux: Path) -> None:
    expected = draw(assembled(tiny_flux, PLAIN).pipe, steps=12)
    cached = assembled(tiny_flux, replace(PLAIN, step_cache=True, modulation="table")).pipe
    assert difference(draw(cached, steps=12), expected) < 0.5
    first = draw(cached, steps=12)
    draw(cached, "a sword", steps=12)
    assert torch.equal(draw(cached, steps=12), first), "what was drawn before must not be left in the cache"


@pytest.mark.parametrize("kind", ["int8", "fp8"])
@pytest.mark.filterwarnings("ignore")
def test_quantized_close_to_plain_and_takes_loras(kind: str, wide_flux: Path) -> None:
    pytest.importorskip("torchao", reason="torchao comes with pip install .[gpu]")
    made = replace(PLAIN, weights=kind, modulation="table")  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(1)

    def part(layer: str) -> LoraPart:
        down, up = (torch.randn(size, generator=generator) * 0.1 for size in ((4, 128), (128, 4)))
        return LowRankPart("transformer", layer, down, up, 1.0)

    one, two = part("transformer_blocks.0.attn.to_q"), part("single_transformer_blocks.1.attn.to_k")
    plain = draw(assembled(wide_flux, PLAIN, (one,)).pipe)
    try:
        quantized = assembled(wide_flux, made, (one,))
        drawn = draw(quantized.pipe)
    except (NotImplementedError, RuntimeError, AssertionError) as error:
        pytest.skip(f"{kind} products are not there on this CPU: {str(error).splitlines()[0][:80]}")
    assert 0 < difference(drawn, plain) < 0.1
    quantized.slot.put([], 1.0)
    assert not torch.equal(draw(quantized.pipe), drawn)
    quantized.slot.put([one], 1.0)
    assert torch.equal(draw(quantized.pipe), drawn)
    with pytest.raises(NotKept):
        quantized.slot.put([two], 1.0)
    assert torch.equal(draw(quantized.pipe), drawn)


def test_quantizing_without_torchao_says_what_to_install(tiny_flux: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from inference.errors import BackendUnavailable

    monkeypatch.setitem(sys.modules, "torchao.quantization", None)
    with pytest.raises(BackendUnavailable, match=r"pip install \.\[gpu\]"):
        assembled(tiny_flux, replace(PLAIN, weights="fp8"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_compiled_draws_the_same_and_swaps_without_compiling_again(tiny_flux: Path, tmp_path: Path) -> None:
    import shutil

    if shutil.which("g++") is None:
        pytest.skip("compiling for a CPU needs g++")
    path = write(tmp_path / "style.safetensors", diffusers_peft()[0])
    parts = parts_of(tiny_flux, path)
    expected = draw(assembled(tiny_flux, PLAIN).pipe)
    styled = draw(assembled(tiny_flux, PLAIN, parts).pipe)
    made = assembled(tiny_flux, replace(PLAIN, compiled=True, modulation="table-evicted"), parts)
    assert made.table is not None
    assert difference(draw(made.pipe), styled) <= 1e-4
    frames = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    for lora, wanted in (((), expected), (parts, styled)):
        made.slot.put(lora, 1.0)
        made.table.forget()
        assert difference(draw(made.pipe), wanted) <= 1e-4
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == frames > 0


@pytest.mark.gpu
def test_exact_on_a_card_is_the_bare_pipeline(tiny_flux: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA card")
    expected = draw(assembled(tiny_flux, PLAIN).pipe)
    for modulation in ("live", "table", "table-evicted"):
        on_card = replace(PLAIN, device="cuda", modulation=modulation)
        assert difference(draw(assembled(tiny_flux, on_card).pipe).cpu(), expected) <= 1e-3
    streamed = replace(PLAIN, device="cuda", modulation="table-evicted", placement="streamed")
    assert difference(draw(assembled(tiny_flux, streamed).pipe).cpu(), expected) <= 1e-3
