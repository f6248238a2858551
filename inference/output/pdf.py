"""A sheet for the printer: many pictures on pages of paper in true millimetres, as PDF (ReportLab)."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.errors import InvalidRequest

if TYPE_CHECKING:
    from PIL import Image

DPI = 300
PAPERS = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
"""Width and height in millimetres."""
BUTTONS = (25, 32, 38, 44, 58, 75)
"""Millimetres that button makers press."""
MARGIN = 8.0
"""Millimetres at the paper's edges that office printers leave white: 4 to 6, and something to spare."""
_MARK, _OFF, _GAP = 3.0, 1.0, 1.0
"""Length of a crop mark, its distance from the bleed, and the least room between two pictures, in millimetres."""
_HAIRLINE = 0.25
"""Points: what a printer calls a hairline."""


@dataclass(frozen=True)
class Sheet:
    """How a sheet is laid out; lengths in millimetres. `size` is what remains after cutting."""

    paper: str
    size: float
    bleed: float
    marks: bool
    round_: bool

    @property
    def side(self) -> float:
        """A picture's side, bleed included."""
        return self.size + 2 * self.bleed

    @property
    def grid(self) -> tuple[int, int]:
        """(columns, rows) of a page. Raises InvalidRequest where not even one fits."""
        width, height = PAPERS[self.paper]
        across, down = (math.floor((room - 2 * MARGIN + self._slack) / self._pitch + 1e-9) for room in (width, height))
        if across < 1 or down < 1:
            room = min(width, height) - 2 * MARGIN + self._slack - (self._pitch - self.size)
            raise InvalidRequest(
                f"--size {self.size:g}mm with a bleed of {self.bleed:g} mm is too large for {self.paper}: "
                f"at most {math.floor(room)} mm"
            )
        return across, down

    @property
    def _pitch(self) -> float:
        """From one picture to the next."""
        return self.side + (_MARK + 2 * _OFF if self.marks else _GAP)  # neighbours share the room for their marks

    @property
    def _slack(self) -> float:
        """What the outermost pictures need less of a pitch: marks may stand in the margin, where they can be lost."""
        return self._pitch - self.side

    def places(self) -> list[tuple[float, float]]:
        """Lower left corners of a page's pictures, bleed included, from the page's lower left corner; top row first."""
        across, down = self.grid
        width, height = PAPERS[self.paper]
        edge = (self._pitch - self.side) / 2
        left, bottom = (width - across * self._pitch) / 2 + edge, (height - down * self._pitch) / 2 + edge
        return [
            (left + column * self._pitch, bottom + row * self._pitch)
            for row in reversed(range(down))
            for column in range(across)
        ]


def pixels(length: float) -> int:
    """So many pixels are a length in millimetres at `DPI`."""
    return max(1, round(length / 25.4 * DPI))


def sheet_pdf(pictures: Sequence[bytes], sheet: Sheet, copies: int = 1, title: str = "Badges") -> tuple[bytes, int]:
    """(the PDF, its pages): each picture, from `to_sheet_jpeg`, `copies` times. The same input, the same bytes."""
    # 0.3 s that `--help` does without.
    from reportlab.lib.units import mm
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    places = sheet.places()
    width, height = PAPERS[sheet.paper]
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(width * mm, height * mm), invariant=1, pageCompression=0)
    canvas.setTitle(title)
    canvas.setCreator("samurai-badges")
    # A file that says it is printed at true size: viewers then do not offer to fit it to the page.
    canvas.setViewerPreference("PrintScaling", "None")
    readers = [ImageReader(io.BytesIO(picture)) for picture in pictures]
    queue = [reader for reader in readers for _ in range(copies)]
    for number, reader in enumerate(queue):
        place = number % len(places)
        if number and place == 0:
            canvas.showPage()
        x, y = (value * mm for value in places[place])
        side, trim = sheet.side * mm, sheet.size * mm
        canvas.saveState()
        if sheet.round_:
            path = canvas.beginPath()
            path.circle(x + side / 2, y + side / 2, side / 2)
            canvas.clipPath(path, stroke=0)
        canvas.drawImage(reader, x, y, side, side)
        canvas.restoreState()
        if sheet.marks:
            canvas.setLineWidth(_HAIRLINE)
            for line in _marks(x, y, side, trim, sheet.round_, mm):
                canvas.line(*line)
            if sheet.round_:
                canvas.circle(x + side / 2, y + side / 2, side / 2)
    canvas.save()
    return out.getvalue(), math.ceil(len(queue) / len(places))


def _marks(
    x: float, y: float, side: float, trim: float, round_: bool, mm: float
) -> list[tuple[float, float, float, float]]:
    """Crop marks outside the bleed: at the corners of a square's trim line, at the four ends of a circle's axes."""
    bleed, near, far = (side - trim) / 2, _OFF * mm, (_OFF + _MARK) * mm
    ends = (side / 2,) if round_ else (bleed, bleed + trim)
    lines = []
    for end in ends:
        for a, b in ((-near, -far), (side + near, side + far)):
            lines.append((x + end, y + a, x + end, y + b))
            lines.append((x + a, y + end, x + b, y + end))
    return lines


def to_sheet_jpeg(picture: "Image.Image") -> bytes:
    """A picture with its bleed as a sheet holds it. Without chroma subsampling: a banner's edges are in its colours."""
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=95, subsampling=0, dpi=(DPI, DPI))
    return out.getvalue()
