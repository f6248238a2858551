"""Watermarks: found where most pictures have one at the same place, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.training.dataset.test_name import RULE
from training.dataset.checks import check
from training.dataset.marks import marked
from training.dataset.pictures import read_data_set

FONT = Path("fonts/russo-one/RussoOne-Regular.ttf")
OURS = sorted(Path("training/demo/training_images").glob("*.png"))[:10]


def stamped(path: Path, words: str, opacity: float = 1.0) -> Image.Image:
    """A picture with words in the lower right corner."""
    with Image.open(path) as image:
        whole = image.convert("RGBA").resize((512, 512), Image.Resampling.LANCZOS)
    layer = Image.new("RGBA", whole.size, (0, 0, 0, 0))
    font = ImageFont.truetype(FONT, 18)
    ImageDraw.Draw(layer).text((502, 502), words, font=font, fill=(40, 40, 40, round(255 * opacity)), anchor="rb")
    return Image.alpha_composite(whole, layer).convert("RGB")


@pytest.mark.parametrize("opacity", [1.0, 0.4])
def test_words_in_the_same_corner_are_a_mark_where_they_are(opacity: float) -> None:
    pictures = [stamped(path, "@aidbox" if number < 7 else "", opacity) for number, path in enumerate(OURS)]
    assert marked([np.asarray(picture) for picture in pictures]) == [True] * 7 + [False] * 3


def test_a_clean_set_has_no_mark() -> None:
    clean = [np.asarray(stamped(path, "")) for path in OURS]
    assert not any(marked(clean))
    framed = [np.pad(each[8:-8, 8:-8], ((8, 8), (8, 8), (0, 0)), constant_values=20) for each in clean]
    assert not any(marked(framed)), "a frame is no mark"
    assert not any(marked([np.asarray(stamped(path, "@aidbox")) for path in OURS[:5]])), "too few to tell"


def test_the_check_names_the_pictures(tmp_path: Path) -> None:
    for path in OURS:
        stamped(path, "@aidbox").save(tmp_path / path.name)
    said = {found.name for found in check(read_data_set(tmp_path, RULE)) if "a mark near the edge" in found.text}
    assert said == {path.name for path in OURS}
