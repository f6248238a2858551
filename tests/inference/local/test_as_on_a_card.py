"""What a card would meet, carried out on the CPU: tiles, fp16, nf4, caches, threads, a missing compiler, encoders."""

import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.errors import Canceled
from inference.local.assembly import assemble
from inference.local.encoders import place_encoder
from inference.local.generator import LocalGenerator
from inference.local.plan import smaller
from inference.lora.merge import LoraSlot
from inference.lora.parts import LowRankPart
from inference.models.base_weights import WeightFiles
from inference.models.choice import family_of
from inference.types import PortraitRequest
from tests.inference.local.parts import SWORD, TELESCOPE, broken, settings, tiny
from tests.inference.local.test_assembly import PLAIN, assembled, difference, draw, load, wide_flux

__all__ = ["wide_flux"]


def test_a_tile_is_a_quarter_of_a_picture_with_the_published_vaes() -> None:
    """By default a tile of theirs is the whole picture: the decoder ran once, and nothing was saved."""
    from diffusers import AutoencoderKL, AutoencoderKLFlux2

    from inference.local.assembly import _prepare_vae

    four = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2}
    kinds = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    more = {"use_quant_conv": False, "use_post_quant_conv": False, "sample_size": 1024}
    with torch.device("meta"):
        for vae, channels in (
            (AutoencoderKL(**four, **kinds, latent_channels=16, **more), 16),
            (AutoencoderKLFlux2(), 32),
        ):
            _prepare_vae(vae, replace(PLAIN, tiled_vae=True))
            seen = []

            def decode(z: torch.Tensor, seen: list[tuple[int, ...]] = seen) -> torch.Tensor:
                seen.append(tuple(z.shape[2:]))
                return torch.empty(1, 3, z.shape[2] * 8, z.shape[3] * 8)

            vae.decoder.forward = decode
            vae.decode(torch.empty(1, channels, 128, 128))
            assert len(seen) == 9
            assert max(seen) == (64, 64)


@pytest.mark.parametrize("base", ["tiny_flux", "tiny_flux2", "tiny_z_image"])
@pytest.mark.parametrize("tiled", [False, True])
def test_fp16_decodes_in_fp32(base: str, tiled: bool, request: pytest.FixtureRequest) -> None:
    from diffusers import DiffusionPipeline

    half = replace(PLAIN, dtype="float16", tiled_vae=tiled)
    pipe = DiffusionPipeline.from_pretrained(request.getfixturevalue(base))
    made = assemble(pipe.to(torch.float16), half, LoraSlot(pipe.transformer), lambda _what: None, None).pipe
    assert (made.vae.dtype, made.transformer.dtype) == (torch.float32, torch.float16)
    if tiled:  # smaller than any picture
        made.vae.tile_latent_min_size = 2
    seen = []
    made.vae.decoder.register_forward_hook(lambda _module, _args, out: seen.append(out.dtype))
    made(prompt="samurai", width=64, height=64, num_inference_steps=1, max_sequence_length=64)
    assert set(seen) == {torch.float32}
    assert len(seen) > 1 if tiled else len(seen) == 1


@pytest.mark.filterwarnings("ignore")
def test_nf4_is_close_to_plain_takes_loras_before_and_after(wide_flux: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="bitsandbytes comes with pip install .[gpu]")
    generator = torch.Generator().manual_seed(1)

    def part(layer: str) -> LowRankPart:
        down, up = (torch.randn(size, generator=generator) * 0.1 for size in ((4, 128), (128, 4)))
        return LowRankPart("transformer", layer, down, up, 1.0)

    one, two = part("transformer_blocks.0.attn.to_q"), part("single_transformer_blocks.1.attn.to_k")
    small = replace(PLAIN, weights="nf4", modulation="table")

    def nf4(parts: tuple[LowRankPart, ...]) -> Any:
        pipe = load(wide_flux)
        clean = WeightFiles(wide_flux / "transformer", torch.float32)
        slot = LoraSlot(pipe.transformer, clean=clean)
        slot.want(parts, 1.0)
        return assemble(pipe, small, slot, lambda _what: None, None)

    plain = draw(assembled(wide_flux, PLAIN, (one,)).pipe)
    made, bare = nf4((one,)), nf4(())
    drawn, without = draw(made.pipe), draw(bare.pipe)
    assert 0 < difference(drawn, plain) < 0.5
    assert difference(drawn, without) > 0
    held = made.pipe.transformer.transformer_blocks[0].attn.to_q.weight
    assert held.numel() * held.element_size() == 128 * 128 // 2
    # Another LoRA: the clean weights are read again from the file, although they are nowhere in memory.
    made.slot.put((two,), 1.0)
    assert torch.equal(draw(made.pipe), draw(nf4((two,)).pipe))
    made.slot.put((), 1.0)
    assert torch.equal(draw(made.pipe), without)
    made.slot.put((one,), 1.0)
    assert torch.equal(draw(made.pipe), drawn)


def test_changing_loras_keeps_no_second_copy_of_the_weights(tiny_flux: Path) -> None:
    pipe = load(tiny_flux)
    slot = LoraSlot(pipe.transformer, clean=WeightFiles(tiny_flux / "transformer", torch.float32))
    name = "transformer_blocks.0.attn.to_q"
    before = pipe.transformer.transformer_blocks[0].attn.to_q.weight.detach().clone()
    slot.put([LowRankPart("transformer", name, torch.ones(1, 32), torch.ones(32, 1), 1.0)], 1.0)
    assert not torch.equal(pipe.transformer.transformer_blocks[0].attn.to_q.weight, before)
    slot.put([], 1.0)
    assert torch.equal(pipe.transformer.transformer_blocks[0].attn.to_q.weight, before)
    assert not slot._copies


def test_a_canceled_drawing_leaves_nothing_in_the_step_cache(tiny_flux: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = replace(PLAIN, step_cache=True, modulation="table")
    monkeypatch.setattr("inference.local.held.plan", lambda *_args, **_more: cached)
    request = replace(TELESCOPE, steps=12)
    with LocalGenerator(tiny(tiny_flux), settings(threads=64)) as fresh:
        expected = fresh.generate(request).image.tobytes()

    def stop(done: int, _total: int) -> None:
        if done == 5:
            raise Canceled("enough")

    with LocalGenerator(tiny(tiny_flux), settings(threads=64)) as generator:
        with pytest.raises(Canceled):
            generator.generate(replace(SWORD, steps=12), stop)
        assert generator.generate(request).image.tobytes() == expected


def test_memory_runs_out_again_and_again_down_to_the_smallest_way(
    tiny_flux: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ways = [replace(PLAIN, way=n, tiled_vae=n > 1) for n in range(5)]
    monkeypatch.setattr("inference.local.held.smaller", lambda current, *_more: ways[current.way + 1])
    with LocalGenerator(tiny(tiny_flux), settings()) as generator:
        generator._held._plan = ways[0]
        with monkeypatch.context() as patch:
            load_before = generator._held._ready

            def ready() -> Any:
                if generator.plan.way < 4:
                    raise torch.AcceleratorError("CUDA error: out of memory")
                return load_before()

            patch.setattr(generator._held, "_ready", ready)
            portrait = generator.generate(TELESCOPE)
    assert portrait.model.tier == "exact+tiles"
    assert caplog.text.count("not enough memory on") == 4
    assert smaller(PLAIN, tiny(tiny_flux), generator._held.card).way == 1


def test_loading_warming_drawing_and_changing_happen_in_one_thread(tiny_flux: Path) -> None:
    seen = set()
    with LocalGenerator(
        tiny(tiny_flux), settings(threads=64), on_stage=lambda *_: seen.add(threading.get_ident())
    ) as one:
        assert one.parallel == 1
        one.warm()
        workers = [threading.Thread(target=one.generate, args=(PortraitRequest("a", n), note(seen))) for n in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        one.generate(TELESCOPE, note(seen))
        one.switch_lora("none")
    assert len(seen) == 1


def note(seen: set[int]) -> Any:
    return lambda *_step: seen.add(threading.get_ident())


def test_ctrl_c_ends_the_drawing_and_leaves_the_model_usable(tiny_flux: Path) -> None:
    code = f"""
        import os, signal
        from dataclasses import replace
        from pathlib import Path
        from tests.inference.local.parts import LocalGenerator, TELESCOPE, settings, tiny
        with LocalGenerator(tiny(Path({str(tiny_flux)!r})), settings(threads=64)) as generator:
            steps = []
            def on_step(done, total):
                steps.append(done)
                if done == 2:
                    os.kill(os.getpid(), signal.SIGINT)
            try:
                generator.generate(replace(TELESCOPE, steps=150), on_step)
            except KeyboardInterrupt:
                print("interrupted after", "few" if len(steps) < 150 else "all", "steps")
            print(generator.generate(TELESCOPE).image.size)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines() == ["interrupted after few steps", "(64, 64)"], done.stderr


@pytest.mark.filterwarnings("ignore")
def test_without_a_compiler_drawing_goes_on_with_one_warning(tiny_flux: Path) -> None:
    """A process of its own: what torch knows of compilers it finds out once."""
    code = f"""
        import logging, os, tempfile
        os.environ["PATH"] = "/nowhere"
        os.environ.pop("CXX", None)
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = tempfile.mkdtemp()
        logging.basicConfig(level=logging.WARNING, format="%(message)s")
        from dataclasses import replace
        from pathlib import Path
        from tests.inference.local.parts import LocalGenerator, TELESCOPE, SWORD, settings, tiny
        import inference.local.held as held
        before = held.plan
        held.plan = lambda *args, **more: replace(before(*args, **more), compiled=True, compiled_vae=True)
        with LocalGenerator(tiny(Path({str(tiny_flux)!r})), settings(threads=64)) as generator:
            print(len(generator.generate(TELESCOPE).image.tobytes()))
            generator.generate(SWORD)
            print(generator.plan.compiled)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["12288", "False"], done.stderr
    assert done.stderr.count("torch cannot compile here") == 1
    assert "python3-dev" in done.stderr


@pytest.mark.parametrize("way", ["streamed", "mapped"])
def test_encoders_that_pass_through_give_the_same(way: str, tiny_flux: Path, tiny_flux2: Path) -> None:
    from diffusers import Flux2KleinPipeline, FluxPipeline

    made = replace(PLAIN, encoders=way)  # type: ignore[arg-type]
    for folder, kind, family in ((tiny_flux, FluxPipeline, "flux1"), (tiny_flux2, Flux2KleinPipeline, "flux2")):
        profile = tiny(folder, family=family)
        pipe = kind.from_pretrained(folder, transformer=None, vae=None)
        expected = family_of(profile).encode(pipe, "samurai", 64, "cpu")
        for name in ("text_encoder", "text_encoder_2"):
            if getattr(pipe, name, None) is not None:
                place_encoder(getattr(pipe, name), made)
        again = family_of(profile).encode(pipe, "samurai", 64, "cpu")
        assert torch.equal(again.embeds, expected.embeds)


def test_qwen_without_the_layers_that_nobody_reads(tmp_path: Path) -> None:
    from diffusers import Flux2KleinPipeline
    from transformers import Qwen3Config, Qwen3ForCausalLM

    from tests.tiny_flux import make_tiny_flux2, qwen_tokenizer

    folder = make_tiny_flux2(tmp_path)
    pipe = Flux2KleinPipeline.from_pretrained(folder, transformer=None, vae=None)
    words = qwen_tokenizer()
    config = Qwen3Config(
        vocab_size=len(words), hidden_size=32, intermediate_size=32, num_hidden_layers=36, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=512,
    )  # fmt: skip
    torch.manual_seed(0)
    pipe.text_encoder = Qwen3ForCausalLM(config).eval()
    with torch.no_grad():
        pipe.text_encoder.model.norm.weight.mul_(3)
    family = family_of(tiny(folder, family="flux2"))
    expected = family.encode(pipe, "samurai", 64, "cpu")
    family.trim(pipe)
    assert len(pipe.text_encoder.model.layers) == 27
    assert torch.equal(family.encode(pipe, "samurai", 64, "cpu").embeds, expected.embeds)


def test_a_broken_first_call_is_no_want_of_memory(tiny_flux: Path) -> None:
    with LocalGenerator(tiny(tiny_flux), settings()) as generator:
        broken(generator, [ValueError("a strange value")])
        with pytest.raises(ValueError, match="a strange value"):
            generator.generate(TELESCOPE)


def test_an_attention_that_is_not_there_is_not_chosen(tiny_flux: Path, caplog: pytest.LogCaptureFixture) -> None:
    expected = draw(assembled(tiny_flux, PLAIN).pipe)
    assert torch.equal(draw(assembled(tiny_flux, replace(PLAIN, attention="_native_cudnn")).pipe), expected)
    assert "cuDNN's attention does not work here" in caplog.text
