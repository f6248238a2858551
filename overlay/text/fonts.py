"""The fonts of the banner: which files there are, what each can draw, and the order in which they are asked.

Files lie in fonts/ beside the package, each with its licence (fonts/README.md). A font is opened on first use
and kept; opening costs well under a millisecond, since files are mapped, not read.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

import uharfbuzz as hb

from configs.foreign import read_regular
from overlay.errors import InvalidFont, printable

FOLDER = Path(__file__).resolve().parents[2] / "fonts"
MAX_FONT_BYTES = 64 * 2**20
"""By hand: the largest font here has 5 MB. A file is read whole."""
_FONT_MAGIC = (b"\x00\x01\x00\x00", b"OTTO", b"true")
"""TrueType and OpenType (OpenType 1.9, "Table Directory"); WOFF and collections are packed."""
Ink = tuple[float, float, float, float]
"""(left, top, right, bottom), y down from the baseline."""


@dataclass(frozen=True, eq=False)
class FontFile:
    """One font: a short name, its file under fonts/, and how it is fitted to the others."""

    name: str
    file: str
    scale: float = 1.0
    """Size factor that brings its letters to the height of the others."""
    rise: float = 0.0
    """Ems that its glyphs are lifted above the baseline."""
    language: str = "en"
    """BCP 47 tag given to the shaper, so that the result does not depend on the machine's locale."""
    colour: bool = False
    """Painted in its own colours (emoji)."""
    _ink: dict[int, Ink] = field(default_factory=dict, repr=False)

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
        return float(self.scale / self.face.upem)

    def ink(self, glyph: int) -> Ink:
        """The glyph's ink box in ems; four zeros when it has none."""
        found = self._ink.get(glyph)
        if found is None:
            extents = self.font.get_glyph_extents(glyph)
            if extents is None or extents.width == 0 or extents.height == 0:
                found = (0.0, 0.0, 0.0, 0.0)
            else:
                unit = self.unit
                left, top = extents.x_bearing * unit, -extents.y_bearing * unit
                found = (left, top, left + extents.width * unit, top - extents.height * unit)
            self._ink[glyph] = found
        return found


@lru_cache(maxsize=16)
def own_font(file: str) -> FontFile:
    """A font file of the user's as one of ours, its capitals brought to the height of the others.

    Raises InvalidFont.
    """
    path = Path(file)
    try:
        data = read_regular(path, MAX_FONT_BYTES, follow=True)
    except OSError as error:
        raise InvalidFont(f"the font {printable(file, 200)} cannot be read: {error.strerror}") from error
    face = hb.Face(hb.Blob(data))
    if data[:4] not in _FONT_MAGIC or not face.glyph_count or not face.unicodes:
        raise InvalidFont(f"{printable(file, 200)} is not a usable font: give a .ttf or .otf file")
    font = FontFile(path.stem, str(path.resolve()))
    capital = font.font.get_nominal_glyph(ord("H"))
    height = -font.ink(capital)[1] if capital else 0.0
    # 0.7 ems is how tall the capitals of the other fonts are.
    return replace(font, scale=min(1.5, max(0.6, 0.7 / height)), _ink={}) if height > 0 else font


def _noto(name: str, scale: float = 1.0) -> FontFile:
    return FontFile(f"noto-{name.lower()}", f"noto/NotoSans{name}.ttf", scale)


DISPLAY = (
    FontFile("russo-one", "russo-one/RussoOne-Regular.ttf"),
    FontFile("rubik", "rubik/Rubik-Black.ttf"),
    FontFile("dela-gothic-one", "dela-gothic-one/DelaGothicOne_400Regular.ttf", 0.96, language="ja"),
    FontFile("noto", "noto/NotoSans-Black.ttf", 0.98),
)
"""Fonts with a character of their own, asked first; in this order."""

WORLD = (
    FontFile("noto-cjk-kr", "noto-cjk/NotoSansCJKkr-Black-subset.otf", 0.95, language="ko"),
    FontFile("noto-cjk-sc", "noto-cjk/NotoSansCJKsc-Black-subset.otf", 0.95, language="zh-Hans"),
    *(
        _noto(name)
        for name in (
            "Arabic-Black", "Armenian-Black", "Bengali-Bold", "Cherokee-Black", "Ethiopic-Black", "Georgian-Black",
            "Gujarati-Bold", "Gurmukhi-Bold", "Javanese-Bold", "Kannada-Bold", "Khmer-Bold", "Lao-Black",
            "Malayalam-Bold", "Myanmar-Bold", "Oriya-Bold", "Sinhala-Bold", "Tamil-Bold", "Telugu-Bold", "Thaana-Black",
            "Thai-Black", "Symbols-Black", "Symbols2-Regular",
        )
    ),
)  # fmt: skip

EMOJI = FontFile("emoji", "noto-color-emoji/NotoColorEmoji-COLRv1.ttf", 0.83, rise=0.065, colour=True)

FONTS = (*DISPLAY, *WORLD)
"""Every font for letters, in the order in which they are asked."""
