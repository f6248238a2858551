"""Enlarging by the shipped network: sharper than Lanczos on drawings, left to Lanczos on photographs, seamless."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.commands.upscale import edge_widths
from configs.settings import default_settings
from inference import load_profile
from inference.badge import finish_badge
from inference.output.encode import encoder_for
from inference.output.recipe import recipe_of
from inference.types import BadgeRequest, ModelInfo, Portrait
from inference.upscale import enlarge as enlarging
from inference.upscale.enlarge import apply, enlarge, shipped_version, upscaler_version
from inference.upscale.network import REACH, Upscaler
from inference.upscale.photographic import is_photographic
from training.demo.drawing.illustrator import draw


@pytest.fixture(scope="module")
def soft() -> Image.Image:
    """A drawing of 256 pixels, about as soft as the demo's autoencoder leaves it."""
    return draw(11, size=256, supersample=2).image.filter(ImageFilter.GaussianBlur(0.6))


def texture(side: int = 256) -> Image.Image:
    """Grain over large shapes, as a photograph has it."""
    rng = np.random.default_rng(5)
    cells = Image.fromarray(rng.integers(40, 220, (16, 16, 3), np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    grain = rng.normal(0, 6, (side, side, 3))
    return Image.fromarray(np.clip(np.asarray(cells) + grain, 0, 255).astype(np.uint8))


def test_outlines_become_at_least_twice_as_crisp(soft: Image.Image) -> None:
    smooth = soft.resize((1024, 1024), Image.Resampling.LANCZOS)
    sharp = enlarge(soft, 1024)

    assert sharp.size == (1024, 1024)
    assert np.median(edge_widths(sharp)) < np.median(edge_widths(smooth)) / 2
    # It is the same picture: reduced again, what was given.
    back = np.asarray(sharp.reduce(4)).astype(int) - np.asarray(soft)
    assert np.abs(back).mean() < 6


def test_tiles_leave_no_trace(soft: Image.Image) -> None:
    """The picture in one piece and in tiles is the same, at the seams too."""
    given = soft.crop((10, 20, 200, 180))
    torch.manual_seed(0)
    network = Upscaler().eval()
    torch.nn.init.normal_(network.tail.weight, std=0.05)
    whole = np.asarray(given).astype(np.float32) / 255
    padded = np.pad(whole, ((REACH + 4,) * 2, (REACH + 4,) * 2, (0, 0)), mode="edge")
    with torch.inference_mode():
        out = network(torch.from_numpy(padded).permute(2, 0, 1)[None])[0, :, 64:-64, 64:-64]
    expected = out.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy().astype(int)

    tiled = np.asarray(apply(given, network)).astype(int)

    assert tiled.shape == expected.shape
    assert np.abs(tiled - expected).max() <= 1


def test_the_same_picture_gives_the_same_bytes(soft: Image.Image) -> None:
    first = enlarge(soft, 512).tobytes()
    enlarging._pictures.clear()
    assert enlarge(soft, 512).tobytes() == first


def test_a_photograph_is_left_to_lanczos() -> None:
    photograph = texture()
    assert is_photographic(photograph)
    assert enlarge(photograph, 512).tobytes() == photograph.resize((512, 512), Image.Resampling.LANCZOS).tobytes()
    assert upscaler_version(photograph, 512) == {}


def test_drawings_and_cartoons_are_not_photographs(soft: Image.Image) -> None:
    assert not is_photographic(soft)
    cartoon = Image.new("RGB", (300, 200), "#e0f0ff")
    pen = ImageDraw.Draw(cartoon)
    pen.ellipse((40, 30, 220, 180), fill="#d04040", outline="black", width=6)
    pen.rectangle((150, 90, 280, 190), fill="#40a060", outline="black", width=6)
    assert not is_photographic(cartoon)
    assert is_photographic(texture().filter(ImageFilter.GaussianBlur(3)))  # soft all over


def test_sizes_that_hardly_change_are_lanczos(soft: Image.Image) -> None:
    assert enlarge(soft, 256).tobytes() == soft.tobytes()
    assert enlarge(soft, 300).tobytes() == soft.resize((300, 300), Image.Resampling.LANCZOS).tobytes()
    assert enlarge(soft.crop((0, 0, 256, 128)), 640).size == (640, 320)


def portrait_of(image: Image.Image) -> Portrait:
    """A portrait with a frame, so that it is not moved to stand on the banner."""
    image = image.copy()
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=(30, 20, 30), width=3)
    return Portrait(image, "a prompt", 1, 2, 3.5, ModelInfo("local", "demo"))


def test_a_badge_and_its_recipe_name_the_upscaler(soft: Image.Image) -> None:
    banner = default_settings().banner.model_copy(update={"size": 512})
    badge = finish_badge(BadgeRequest("cup", "HI", 1, "ribbon"), portrait_of(soft), banner, 0.0)
    above = badge.image.crop((0, 0, 512, 200))
    assert above.tobytes() == enlarge(badge.portrait.image, 512).crop((0, 0, 512, 200)).tobytes()
    assert recipe_of(badge).versions["upscaler"] == shipped_version()

    same_size = finish_badge(BadgeRequest("cup", "HI", 1, "ribbon"), portrait_of(enlarge(soft, 512)), banner, 0.0)
    assert "upscaler" not in recipe_of(same_size).versions


def test_prints_are_sharp(soft: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A print's portrait is the network's, banner drawn on it at that size (a small print here: seconds matter)."""
    monkeypatch.setattr("inference.output.encode.PRINT_SIDE", 1024)
    banner = default_settings().banner.model_copy(update={"size": 256})
    badge = finish_badge(BadgeRequest("cup", "HI", 1, "ribbon"), portrait_of(soft), banner, 0.0)
    data = encoder_for(tmp_path / "a.print.png")(badge, recipe_of(badge))
    printed = Image.open(io.BytesIO(data)).convert("RGB")
    assert printed.size == (1024, 1024)
    assert (
        printed.crop((0, 0, 1024, 500)).tobytes()
        == enlarge(badge.portrait.image, 1024).crop((0, 0, 1024, 500)).tobytes()
    )


def test_the_weights_are_small() -> None:
    assert enlarging.WEIGHTS.stat().st_size < 300_000
    assert load_profile("demo").width * 4 == 1024
