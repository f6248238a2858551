"""The local generator on a tiny FLUX of real classes: same pixels, encoders, LoRAs, memory, cancelling, bad input."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from configs import default_settings
from configs.sections.render import LocalSettings
from inference.errors import BackendUnavailable, Canceled, InvalidRequest, RenderFailed
from inference.local.generator import LocalGenerator
from inference.lora.file import LoraError
from inference.models.profiles import Profile, load_profile
from inference.types import PortraitRequest
from tests.inference.lora.lora_files import diffusers_peft, kohya, rand, write

TELESCOPE = PortraitRequest("samurai holding telescope", 7)
SWORD = PortraitRequest("samurai holding sword", 7)


def tiny(folder: Path, **values: Any) -> Profile:
    small = {"folder": str(folder), "lora": "", "width": 64, "height": 64, "steps": 2, "max_sequence_length": 16}
    return load_profile("demo").model_copy(update=small | values)


def settings(**values: Any) -> LocalSettings:
    return default_settings().local.model_copy(update={"device": "cpu"} | values)


@pytest.fixture
def profile(tiny_flux: Path) -> Profile:
    return tiny(tiny_flux)


def pixels(generator: LocalGenerator, request: PortraitRequest) -> bytes:
    return generator.generate(request).image.tobytes()


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one for each prompt that goes through the large text encoder of either family."""
    from transformers import Qwen3ForCausalLM, T5EncoderModel

    calls: list[str] = []
    for kind in (T5EncoderModel, Qwen3ForCausalLM):
        forward = kind.forward
        monkeypatch.setattr(
            kind, "forward", lambda *a, _forward=forward, **k: calls.append(type(a[0]).__name__) or _forward(*a, **k)
        )
    return calls


def test_the_pixels_of_the_bare_pipeline(profile: Profile, tiny_flux: Path) -> None:
    from diffusers import FluxPipeline

    bare = FluxPipeline.from_pretrained(tiny_flux)
    bare.set_progress_bar_config(disable=True)
    expected = bare(
        TELESCOPE.prompt, width=64, height=64, num_inference_steps=2, guidance_scale=profile.guidance,
        generator=torch.Generator().manual_seed(7), max_sequence_length=16,
    ).images[0]  # fmt: skip
    with LocalGenerator(profile, settings()) as generator:
        assert pixels(generator, TELESCOPE) == expected.tobytes()


def test_the_same_alone_after_others_and_from_a_remembered_prompt(
    profile: Profile, tmp_path: Path, encoded: list[str]
) -> None:
    with LocalGenerator(profile, settings(), data_dir=tmp_path) as first:
        alone = pixels(first, TELESCOPE)
        other = pixels(first, SWORD)
        assert pixels(first, TELESCOPE) == alone != other
        assert len(encoded) == 2
    with LocalGenerator(profile, settings(), data_dir=tmp_path) as second:
        assert pixels(second, SWORD) == other
        assert pixels(second, TELESCOPE) == alone
        assert len(encoded) == 2


def test_a_remembered_prompt_that_is_damaged_is_encoded_again(
    profile: Profile, tmp_path: Path, encoded: list[str]
) -> None:
    with LocalGenerator(profile, settings(), data_dir=tmp_path) as generator:
        alone = pixels(generator, TELESCOPE)
    (file,) = (tmp_path / "prompts").iterdir()
    file.write_bytes(b"half a file")
    with LocalGenerator(profile, settings(), data_dir=tmp_path) as generator:
        assert pixels(generator, TELESCOPE) == alone
        assert len(encoded) == 2


def test_klein_draws_too(tiny_flux2: Path, tmp_path: Path, encoded: list[str]) -> None:
    klein = tiny(tiny_flux2, pipeline="Flux2KleinPipeline", family="flux2", max_sequence_length=64)
    with LocalGenerator(klein, settings(), data_dir=tmp_path) as generator:
        alone = pixels(generator, TELESCOPE)
        assert pixels(generator, SWORD) != alone
    before = len(encoded)
    assert before >= 2
    with LocalGenerator(klein, settings(), data_dir=tmp_path) as generator:
        assert pixels(generator, TELESCOPE) == alone
        assert len(encoded) == before


def test_styles_are_swapped_without_drift_or_reload(profile: Profile, tmp_path: Path) -> None:
    one = str(write(tmp_path / "one.safetensors", diffusers_peft()[0]))
    two = str(write(tmp_path / "two.safetensors", kohya(2.0)[0]))
    fresh = {}
    for name in ("none", one, two):
        with LocalGenerator(profile, settings(lora=name)) as generator:
            fresh[name] = pixels(generator, TELESCOPE)
    assert len(set(fresh.values())) == 3
    stages: list[str] = []
    with LocalGenerator(
        profile, settings(lora=one), on_stage=lambda stage, _done, _all: stages.append(stage)
    ) as generator:
        for name in (one, two, one, "none", two, "none", one):
            generator.switch_lora(name)
            assert pixels(generator, TELESCOPE) == fresh[name]
        assert stages.count("placing on cpu") == 1
        assert generator.model.lora is not None
        assert generator.model.lora.name == "one"
        generator.switch_lora(one, 0.5)
        assert pixels(generator, TELESCOPE) not in fresh.values()


def test_weights_that_are_gone_from_disk_cost_a_reload_and_say_so(profile: Profile, tmp_path: Path) -> None:
    import shutil

    folder = shutil.copytree(profile.folder, tmp_path / "weights")
    one = str(write(tmp_path / "one.safetensors", diffusers_peft()[0]))
    stages: list[str] = []
    with LocalGenerator(
        tiny(folder), settings(lora=one), on_stage=lambda stage, _done, _all: stages.append(stage)
    ) as generator:
        styled = pixels(generator, TELESCOPE)
        for file in (folder / "transformer").iterdir():
            file.rename(file.with_suffix(".away"))
        generator.switch_lora("none")
        with pytest.raises(BackendUnavailable, match="cannot be used"):
            pixels(generator, TELESCOPE)
        for file in (folder / "transformer").iterdir():
            file.rename(file.with_suffix(".json" if file.stem == "config" else ".safetensors"))
        assert pixels(generator, TELESCOPE) != styled
        assert stages.count("placing on cpu") == 2


def test_a_lora_that_does_not_fit_leaves_the_one_before(profile: Profile, tmp_path: Path) -> None:
    one = str(write(tmp_path / "one.safetensors", diffusers_peft()[0]))
    bad = str(write(tmp_path / "bad.safetensors", {"unet.down_blocks.0.lora_A.weight": torch.ones(4, 32)}))
    with LocalGenerator(profile, settings(lora=one)) as generator:
        before = pixels(generator, TELESCOPE)
        with pytest.raises(LoraError, match="SDXL"):
            generator.switch_lora(bad)
        assert pixels(generator, TELESCOPE) == before
        assert generator.model.lora is not None
        assert generator.model.lora.name == "one"


def test_a_lora_on_the_text_encoder_has_prompts_of_its_own(profile: Profile, tmp_path: Path) -> None:
    name = "lora_te1_text_model_encoder_layers_0_mlp_fc1"
    tensors = diffusers_peft()[0] | {
        f"{name}.lora_down.weight": rand(1, 2, 32) * 5,
        f"{name}.lora_up.weight": rand(2, 64, 2) * 5,
    }
    both = str(write(tmp_path / "both.safetensors", tensors))
    drawing = str(write(tmp_path / "drawing.safetensors", diffusers_peft()[0]))
    seen = set()
    for lora in (both, drawing, both):
        with LocalGenerator(profile, settings(lora=lora), data_dir=tmp_path) as generator:
            seen.add(pixels(generator, TELESCOPE))
    assert len(seen) == 2
    assert len(list((tmp_path / "prompts").iterdir())) == 2


def test_progress_and_cancelling_between_steps(profile: Profile) -> None:
    steps = []

    def until_second(done: int, total: int) -> None:
        steps.append((done, total))
        if done == 2:
            raise Canceled("enough")

    with LocalGenerator(profile, settings()) as generator:
        expected = pixels(generator, TELESCOPE)
        with pytest.raises(Canceled, match="enough"):
            generator.generate(replace(TELESCOPE, steps=5), until_second)
        assert steps == [(1, 5), (2, 5)]
        with pytest.raises(RuntimeError, match="CUDA out of memory, says the callback"):
            generator.generate(TELESCOPE, _raise(RuntimeError("CUDA out of memory, says the callback")))
        assert pixels(generator, TELESCOPE) == expected


def test_loading_is_told_stage_by_stage(profile: Profile, tmp_path: Path) -> None:
    told = []
    lora = str(write(tmp_path / "style.safetensors", diffusers_peft()[0]))
    with LocalGenerator(profile, settings(lora=lora), on_stage=lambda *stage: told.append(stage)) as generator:
        generator.warm()
    assert [what for what, _, _ in told] == [
        "importing torch",
        "importing diffusers",
        "finding the demo FLUX",
        "loading the demo FLUX",
        "LoRA style",
        "placing on cpu",
        "ready",
        "loading the text encoders of the demo FLUX",
        "ready",
    ]
    assert [(done, total) for _, done, total in told] == [*((done, 6) for done in range(7)), (0, 1), (1, 1)]


def test_loading_that_fails_is_no_longer_told_as_going_on(tmp_path: Path, tiny_flux: Path) -> None:
    import shutil

    told = []
    folder = shutil.copytree(tiny_flux, tmp_path / "weights")
    (folder / "transformer" / "config.json").unlink()
    with LocalGenerator(tiny(folder), settings(), on_stage=lambda *stage: told.append(stage)) as generator:
        with pytest.raises(BackendUnavailable, match="cannot be used"):
            generator.prepare()
        assert told[-1] == ("loading the demo FLUX", 5, 5)


def test_compiling_is_told_until_the_first_step_of_the_first_drawing(profile: Profile) -> None:
    """What torch compiles it compiles in that step; the plan is a card's, so here it is only said to be compiled."""
    told: list[object] = []
    with LocalGenerator(profile, settings(), on_stage=lambda *stage: told.append(stage)) as generator:
        generator.prepare(["samurai"])
        assert generator._held.loaded is not None
        generator._held.loaded.uncompiled = True
        told.clear()
        for _ in range(2):
            generator.generate(replace(TELESCOPE, prompt="samurai", steps=2), lambda *step: told.append(step))
    assert told == [("compiling, in the first step", 0, 1), ("ready", 1, 1), (1, 2), (2, 2), (1, 2), (2, 2)]


def _raise(error: BaseException) -> Callable[..., Any]:
    def raising(*_args: object) -> Any:
        raise error

    return raising


def broken(generator: LocalGenerator, errors: list[BaseException]) -> None:
    """Let the loaded transformer raise these errors, one a call, and work afterwards."""

    def before(*_args: object) -> None:
        if errors:
            raise errors.pop(0)

    generator.prepare()
    assert generator._held.loaded is not None
    generator._held.loaded.pipe.transformer.register_forward_pre_hook(before)


def test_too_little_memory_takes_the_next_smaller_way_and_remembers(
    profile: Profile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with LocalGenerator(profile, settings(), data_dir=tmp_path) as generator:
        broken(generator, [torch.OutOfMemoryError("no room")])
        portrait = generator.generate(TELESCOPE)
        assert portrait.model.tier == "exact+tiles"
        assert "not enough memory" in caplog.text
        assert generator.plan.tiled_vae
        caplog.clear()
        generator.generate(SWORD)
        assert "memory" not in caplog.text
    assert list(json.loads((tmp_path / "plans.json").read_text()).values()) == [1]
    with LocalGenerator(profile, settings(), data_dir=tmp_path) as generator:
        assert generator.plan.tiled_vae
        broken(generator, [torch.OutOfMemoryError("no room")])
        with pytest.raises(BackendUnavailable, match=r"not enough memory on cpu .* --generator replicate"):
            generator.generate(TELESCOPE)


def test_main_memory_counts_as_memory(profile: Profile) -> None:
    with LocalGenerator(profile, settings()) as generator:
        broken(generator, [RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")])
        assert generator.generate(TELESCOPE).model.tier == "exact+tiles"


def test_any_other_failure_is_told_and_passes(profile: Profile) -> None:
    with LocalGenerator(profile, settings()) as generator:
        broken(generator, [RuntimeError("a strange thing\nwith details")])
        with pytest.raises(RenderFailed, match=r"failed while drawing: a strange thing$"):
            generator.generate(TELESCOPE)
        assert generator.generate(TELESCOPE).model.tier == "exact"


def test_a_card_that_is_broken_for_good_ends_the_process(tiny_flux: Path) -> None:
    code = f"""
        import threading, torch
        from pathlib import Path
        from inference.types import PortraitRequest
        from tests.inference.local.test_generator import LocalGenerator, broken, settings, tiny
        generator = LocalGenerator(tiny(Path({str(tiny_flux)!r})), settings())
        broken(generator, [torch.AcceleratorError("CUDA error: an illegal memory access was encountered")])
        worker = threading.Thread(target=generator.generate, args=(PortraitRequest("a", 1),))
        worker.start()
        worker.join()
        print("still serving")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "still serving" not in done.stdout
    assert "the card cpu is unusable in this process" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("device", "problem"), [("cuda:7", "no device cuda:7"), ("nonsense", "nonsense")])
def test_a_device_that_is_not_there(profile: Profile, device: str, problem: str) -> None:
    if device.startswith("cuda") and torch.cuda.device_count() > 7:
        pytest.skip("there are more than seven cards here")
    with pytest.raises(InvalidRequest, match=problem):
        LocalGenerator(profile, settings(device=device)).generate(TELESCOPE)


def test_weights_that_are_not_there(profile: Profile, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"holds no .safetensors file"):
        LocalGenerator(tiny(tmp_path), settings()).prepare()


def test_a_gated_model_without_network_says_the_way_in(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BackendUnavailable, match="HF_TOKEN, or choose --profile flux2-klein-4b"):
        LocalGenerator(load_profile("flux-dev"), settings()).prepare()
    assert caplog.text.count("Non-Commercial") <= 1  # once a process


def test_a_tier_that_needs_a_card_is_said_to_draw_exactly(profile: Profile, caplog: pytest.LogCaptureFixture) -> None:
    with LocalGenerator(profile, settings(tier="turbo")) as generator:
        assert generator.model.tier == "exact"
    assert "turbo" in caplog.text


def test_several_at_once_draw_what_each_draws_alone(profile: Profile, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    lora = str(write(tmp_path / "style.safetensors", diffusers_peft()[0]))
    requests = [PortraitRequest(f"samurai {'abcd'[n % 4]}", n) for n in range(12)]
    with LocalGenerator(profile, settings(threads=1)) as generator:
        alone = [pixels(generator, request) for request in requests]
        generator.switch_lora(lora)
        styled = [pixels(generator, request) for request in requests]
    assert len(set(alone + styled)) == 24
    with LocalGenerator(profile, settings(threads=1)) as generator, ThreadPoolExecutor(3) as pool:
        assert generator.parallel >= 1
        assert list(pool.map(lambda request: pixels(generator, request), requests)) == alone
        # Another LoRA waits for those under way: every portrait is wholly of the one or of the other.
        under_way = [pool.submit(generator.generate, request) for request in requests]
        generator.switch_lora(lora)
        for n, future in enumerate(under_way):
            portrait = future.result()
            assert portrait.image.tobytes() == (styled if portrait.model.lora else alone)[n]
        assert list(pool.map(lambda request: pixels(generator, request), requests)) == styled


def test_how_many_at_once(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.local.held.usable_cores", lambda: 8)
    full_size = load_profile("flux2-klein-4b")
    assert LocalGenerator(profile, settings()).parallel == 2
    assert LocalGenerator(profile, settings(threads=1)).parallel == 8
    assert LocalGenerator(profile, settings(threads=3)).parallel == 2
    assert LocalGenerator(profile, settings(threads=16)).parallel == 1
    assert LocalGenerator(full_size, settings()).parallel == 1
    monkeypatch.setattr("inference.local.held.usable_cores", lambda: 1)
    assert LocalGenerator(profile, settings()).parallel == 1
