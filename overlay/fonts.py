"""The fonts of the banner: which files there are, what each can draw, and the order in which they are asked.

Files lie in fonts/ beside the package, each with its licence (fonts/README.md). A font is opened on first use
and kept; opening costs well under a millisecond since files are mapped, not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import uharfbuzz as hb

FOLDER = Path(__file__).resolve().parent.parent / "fonts"


@dataclass(frozen=True)
class FontFile:
    """One font: a short name, its file under fonts/, and how it is fitted to the others."""

    name: str
    file: str
    scale: float = 1.0
    """Size factor that brings its letters to the height of the others."""
    colour: bool = False
    """Painted in its own colours (emoji)."""

    @cached_property
    def face(self) -> hb.Face:
        """The opened face; FileNotFoundError where the package is incomplete."""
        path = FOLDER / self.file
        if not path.is_file():
            raise FileNotFoundError(f"the font {self.file} is missing from {FOLDER}: the installation is incomplete")
        return hb.Face(hb.Blob.from_file_path(str(path)))

    @cached_property
    def font(self) -> hb.Font:
        """The font at one unit per design unit."""
        return hb.Font(self.face)

    @cached_property
    def characters(self) -> frozenset[int]:
        """Code points that the font maps to a glyph."""
        return frozenset(self.face.unicodes)

    @cached_property
    def unit(self) -> float:
        """Ems per design unit, the scale factor included."""
        return self.scale / self.face.upem

    @lru_cache(maxsize=4096)  # noqa: B019 - fonts live as long as the process
    def ink(self, glyph: int) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) of the glyph's ink in ems, y down from the baseline; zeros when it has none."""
        extents = self.font.get_glyph_extents(glyph)
        if extents is None or extents.width == 0 or extents.height == 0:
            return 0.0, 0.0, 0.0, 0.0
        unit = self.unit
        left, top = extents.x_bearing * unit, -extents.y_bearing * unit
        return left, top, left + extents.width * unit, top - extents.height * unit


FONTS = (FontFile("russo-one", "russo-one/RussoOne-Regular.ttf"),)
