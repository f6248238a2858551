"""The pictures themselves: every style against a kept picture, with a tolerance for another machine's rounding.

After a wanted change: `python -m tests.overlay.test_golden` draws them anew; look at them before you commit them.
"""

from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from overlay import STYLES, draw_banner
from tests.overlay import portraits

FOLDER = Path(__file__).parent / "golden"
TEXTS = {
    "ribbon": "UX SCOUT",
    "arc": "TEAM LEAD",
    "plate": "ГЛАВНЫЙ АРХИТЕКТОР",
    "round": "Қазақ 🥷",
    "flat": "DESIGN SYSTEMS TEAM",
    "pin": "QA",
}


def drawn(style: str) -> Image.Image:
    """The badge on a grey page, 224 pixels wide."""
    badge = draw_banner(portraits.dark(224), TEXTS[style], style).convert("RGBA")
    page = Image.new("RGBA", badge.size, (120, 150, 180, 255))
    page.alpha_composite(badge)
    return page.convert("RGB")


@pytest.mark.parametrize("style", STYLES)
def test_the_picture_is_the_kept_one(style: str) -> None:
    kept = Image.open(FOLDER / f"{style}.png").convert("RGB")
    difference = ImageChops.difference(drawn(style), kept)
    assert max(ImageStat.Stat(difference).mean) < 0.5
    assert sum(difference.convert("L").histogram()[40:]) < 60


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in STYLES:
        drawn(name).save(FOLDER / f"{name}.png", optimize=True)
