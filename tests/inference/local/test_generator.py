"""The local generator on a tiny FLUX of real classes: same pixels, encoders, cancelling, stages, several at once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.errors import BackendUnavailable, Canceled
from inference.local.generator import LocalGenerator
from inference.models.profiles import Profile, load_profile
from inference.types import PortraitRequest
from tests.inference.local.parts import SWORD, TELESCOPE, pixels, settings, tiny
from tests.inference.lora.lora_files import diffusers_peft, write


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
