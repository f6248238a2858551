"""A picture that is none is never handed on, kept or paid for silently: a typed error names the likely cause."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from inference.errors import BlankPicture
from inference.local import LocalGenerator
from inference.types import ModelInfo, Portrait
from inference.wrappers.cache import CachedGenerator, PortraitCache
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_client import REQUEST, generator_for
from tests.fakes.replicate_jobs import Plan
from tests.inference.local.parts import TELESCOPE, settings, tiny
from tests.inference.wrappers.test_cache import Counting, portrait


@pytest.mark.parametrize("colour", ["black", "white", "#112233"])
def test_one_colour_is_no_portrait(colour: str) -> None:
    with pytest.raises(BlankPicture, match="low precision"):
        Portrait(Image.new("RGB", (64, 64), colour), "samurai", 1, 2, 3.5, ModelInfo("local", "demo"))


def test_one_colour_as_jpeg_gives_it_back_is_no_portrait() -> None:
    almost = Image.new("RGB", (64, 64), (8, 8, 8))
    almost.putpixel((5, 5), (9, 7, 8))
    with pytest.raises(BlankPicture, match="#080708"):
        Portrait(almost, "samurai", 1, 2, 3.5, ModelInfo("replicate", "me/samurai"))


@pytest.mark.parametrize(("part", "what"), [("transformer", "denoising"), ("vae", "decoding")])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_no_portrait(part: str, what: str, value: float, tiny_flux: Path) -> None:
    with LocalGenerator(tiny(tiny_flux), settings()) as generator:
        generator.prepare()
        assert generator._held.loaded is not None
        model = getattr(generator._held.loaded.pipe, part)
        weight = model.proj_out.weight if part == "transformer" else model.decoder.conv_in.weight
        with torch.no_grad():
            weight.fill_(value)
        with pytest.raises(BlankPicture, match=rf"{what} .* \(NaN\): most likely .* low precision"):
            generator.generate(TELESCOPE)


def test_a_hosted_black_picture_is_told_and_a_spare_takes_its_place(tmp_path: Path) -> None:
    with FakeReplicate() as fake:
        fake.state.plan = Plan(outputs=("black",))
        with generator_for(fake, tmp_path) as generator, pytest.raises(BlankPicture, match="safety checker"):
            generator.generate(REQUEST)
        fake.state.plan = Plan(outputs=("black", "png"))
        with generator_for(fake, tmp_path, num_outputs=2) as generator:
            assert len(generator.draw(replace(REQUEST, seed=8))) == 1


def test_a_blank_picture_kept_by_an_earlier_version_is_drawn_again(tmp_path: Path) -> None:
    cache, inner = PortraitCache(tmp_path, 10**9), Counting()
    key = inner.key(TELESCOPE)
    good = portrait()
    object.__setattr__(good, "image", Image.new("RGB", (64, 64)))
    cache.put(key, good)
    CachedGenerator(inner, cache).generate(TELESCOPE)
    assert inner.drawn == [TELESCOPE]
