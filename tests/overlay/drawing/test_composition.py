"""The figure stands on the banner: moved, made smaller where there is no room, never cut at the shin or by the ring."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from benchmarks.commands.composition import HIDDEN, cut_by_ring, hidden_by_banner
from overlay import STYLES
from overlay.banner import plan_banner
from overlay.drawing.composition import placed
from tests.overlay import portraits
from training.demo.drawing.illustrator import draw

FLAT = [style.name for style in STYLES.values() if style.ring is None]
ROUND = [style.name for style in STYLES.values() if style.ring is not None]


def figure(top: int, bottom: int, left: int = 380, right: int = 640) -> Image.Image:
    """A box with a dark outline on a ground that grows a little darker downwards."""
    rows = np.linspace(245, 232, 1024)[:, None, None] * np.ones((1, 1024, 1)) * np.array([1.0, 0.98, 0.95])
    image = Image.fromarray(rows.astype(np.uint8))
    ImageDraw.Draw(image).rectangle((left, top, right, bottom), fill=(200, 40, 60), outline=(30, 16, 8), width=10)
    return image


@pytest.mark.parametrize("style", FLAT)
def test_the_feet_of_drawings_show(style: str) -> None:
    for seed in range(5):
        image = draw(6100 + seed, size=1024, supersample=1).image
        assert hidden_by_banner(image, "UX SCOUT", style, moved=True) <= HIDDEN
        assert hidden_by_banner(image, "UX SCOUT", style, moved=False) > HIDDEN  # else this shows nothing


@pytest.mark.parametrize("style", ROUND)
def test_the_ring_cuts_nothing(style: str) -> None:
    for seed in range(5):
        image = draw(6100 + seed, size=1024, supersample=1).image
        assert cut_by_ring(image, "UX SCOUT", style, moved=True) <= HIDDEN


def composed(image: Image.Image) -> Image.Image:
    return plan_banner(image, "UX SCOUT", STYLES["ribbon"]).portrait


def box_of(image: Image.Image) -> tuple[int, int, int, int]:
    """Where the figure's outline is."""
    found = image.convert("L").point([255] * 70 + [0] * 186).getbbox()
    assert found is not None
    return found


def test_a_figure_with_room_above_is_moved_and_stays_as_large() -> None:
    image = figure(300, 900)
    left, top, right, bottom = box_of(composed(image))
    edge = plan_banner(image, "UX SCOUT", STYLES["ribbon"]).body.box.top
    assert (right - left, bottom - top) == (261, 601)
    assert left == 380
    assert abs(bottom - edge) < 40  # the box has room for tails and shadow
    assert hidden_by_banner(image, "UX SCOUT", "ribbon", moved=True) == 0


def test_a_figure_without_room_is_made_smaller() -> None:
    left, top, right, bottom = box_of(composed(figure(90, 960)))
    assert 0.72 < (bottom - top) / 871 < 1
    assert top >= 15
    assert abs((left + right) / 2 - 510) < 12


@pytest.mark.parametrize(
    "image",
    [
        figure(300, 700),  # stands above the banner already
        figure(300, 1030),  # cut by the picture's own edge
        figure(-20, 960),
        figure(20, 980, 2, 1000),  # no room at all
        portraits.busy(),
    ],
    ids=["above", "bust", "from the top", "too large", "busy"],
)
def test_what_is_well_or_unknown_stays(image: Image.Image) -> None:
    assert composed(image).tobytes() == image.tobytes()


def test_the_ground_goes_on_without_a_seam() -> None:
    """Below a moved figure the ground's colour continues: neighbouring rows differ as little as they did."""
    pixels = np.asarray(composed(figure(300, 900))).astype(int)
    assert np.abs(np.diff(pixels[:, :300], axis=0)).max() <= 2


def test_a_picture_may_lie_anywhere_in_its_frame() -> None:
    picture = figure(300, 900).resize((100, 80))
    for left, top in ((0, 0), (10, 20), (-30, -20), (40, -10), (-50, 60)):
        shown = placed(picture, (90, 70), left, top)
        assert shown.size == (90, 70)
        x, y = max(0, left) + 5, max(0, top) + 5
        assert shown.getpixel((x, y)) == picture.getpixel((x - left, y - top))
