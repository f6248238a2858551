"""Letters can be read: contrast against what surrounds them in every style, and by a machine at 160 pixels."""

import os
import shutil
import subprocess
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from overlay import STYLES, draw_banner
from overlay.banner import plan_banner
from overlay.drawing.lettering import text_masks
from tests.overlay import portraits

LEAST_CONTRAST = 7.0
"""WCAG 2.2, level AAA."""
STRINGS = [
    "UX SCOUT", "TEAM LEAD", "PRODUCT OWNER", "DATA ENGINEER", "SECURITY CHAMPION",
    "РАЗРАБОТЧИК", "ГЛАВНЫЙ АРХИТЕКТОР", "ДИЗАЙНЕР", "ТЕСТИРОВЩИК", "АНАЛИТИК ДАННЫХ",
]  # fmt: skip
RECALL = 0.95


def luminance(image: Image.Image) -> np.ndarray:
    """Relative luminance of each pixel (WCAG 2.2), shape (height, width)."""
    srgb = np.asarray(image.convert("RGB"), dtype=np.float64) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def contrast(portrait: Image.Image, text: str, style: str) -> float:
    """Of the darkest part of the letters (5th percentile) to the brightest part of what touches them (95th)."""
    chosen = STYLES[style]
    plan = plan_banner(portrait, text, chosen)
    masks = text_masks(plan.layout, chosen.lettering, plan.bend, plan.u)
    assert masks is not None
    box, faces, _ = masks
    drawn = luminance(draw_banner(portrait, text, style).crop(box.as_tuple()))
    inside = np.asarray(faces) == 255
    # Most of the stroke around the letters, without the blended pixels at their very edge.
    reach = max(1, round(0.7 * chosen.lettering.stroke_width * plan.layout.size * plan.u))
    near = np.asarray(faces.filter(ImageFilter.MaxFilter(2 * reach + 1))) == 255
    edge = np.asarray(faces.filter(ImageFilter.MaxFilter(3))) > 0
    around = near & ~edge
    assert inside.sum() > 500
    assert around.sum() > 200
    return float((np.percentile(drawn[inside], 5) + 0.05) / (np.percentile(drawn[around], 95) + 0.05))


@pytest.mark.parametrize("ground", [portraits.light, portraits.dark, portraits.busy], ids=["light", "dark", "busy"])
@pytest.mark.parametrize("style", STYLES)
def test_contrast(style: str, ground) -> None:  # type: ignore[no-untyped-def]
    for text in ("UX SCOUT", "Старший инженер по надёжности ИИ-систем"):
        assert contrast(ground(1408), text, style) >= LEAST_CONTRAST


def read(text: str, side: int, tmp_path: Path) -> str:
    """What tesseract reads in the line of text of a ribbon badge shrunk to `side` pixels.

    It gets the blue channel, in which gold is dark and the letters are bright, turned round to dark on light.
    """
    portrait = portraits.light()
    plan = plan_banner(portrait, text, STYLES["ribbon"])
    badge = draw_banner(portrait, text).resize((side, side), Image.Resampling.LANCZOS)
    left, top, right, bottom = plan.layout.ink
    box = (plan.at[0] + left - 14, plan.at[1] + top - 14, plan.at[0] + right + 14, plan.at[1] + bottom + 14)
    line = ImageOps.invert(badge.crop(tuple(round(v * side / 1024) for v in box)).getchannel("B"))
    line = ImageOps.autocontrast(line.resize((line.width * 6, line.height * 6), Image.Resampling.BICUBIC))
    path = tmp_path / "line.png"
    ImageOps.expand(line, 20, fill=line.getpixel((1, 1))).save(path)
    command = ["tesseract", str(path), "-", "-l", "eng+rus", "--psm", "7"]
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def recall(text: str, seen: str) -> float:
    """The share of the text's letters found in order in what was read."""
    wanted = text.replace(" ", "").casefold()
    found = seen.replace(" ", "").replace("\n", "").casefold()
    blocks = SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(wanted)


@pytest.mark.slow
def test_a_machine_reads_the_ribbon_at_160_pixels(tmp_path: Path) -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed (apt-get install tesseract-ocr tesseract-ocr-rus)")
    languages = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=True).stdout
    if "rus" not in languages.split():
        pytest.skip("tesseract has no Russian (apt-get install tesseract-ocr-rus)")
    results = {text: recall(text, read(text, 160, tmp_path)) for text in STRINGS}
    mean = sum(results.values()) / len(results)
    assert mean >= RECALL, results
