"""A banner style as data: colours, ratios and radii, in units of u = the picture's side / 1024.

A style names its body (a ribbon, or a plaque), how it bends, where it sits and how its letters look; it has
no code. The drawing parts (ribbon, plaque and medallion in overlay/drawing/) read it.
A further style is one small file in overlay/styles/ that builds a `BannerStyle` called `STYLE`.
"""

from dataclasses import dataclass, field

Stops = tuple[tuple[float, str], ...]
"""Gradient stops: (position 0..1, "#RRGGBB"), ascending."""

GOLD: Stops = (
    (0.0, "#FFF6C8"), (0.10, "#FFE27A"), (0.46, "#FFC62E"), (0.54, "#F2A913"), (0.88, "#D98A0A"), (1.0, "#B76A05"),
)  # fmt: skip
INK = "#2B1200"


@dataclass(frozen=True)
class Shadow:
    """The soft shadow under the whole banner: blur and offset in u, opacity 0..1."""

    blur: float = 12.0
    drop: float = 9.0
    opacity: float = 0.45
    colour: str = "#1A0900"

    @property
    def reach(self) -> float:
        """How far the shadow leaves the banner's outline at most, in u."""
        return 1.5 * self.blur + self.drop


@dataclass(frozen=True)
class Logo:
    """A picture on the banner: a PNG file, left of the text on the plate, or on the ring's top."""

    file: str
    place: str = "plate"
    size: float = 0.62
    """Its longer side on the plate, of the plate's height."""
    gap: float = 26.0
    """Between it and the text, in u."""


@dataclass(frozen=True)
class RibbonBody:
    """A plate with two swallow tails that tuck under it. All lengths in u."""

    face: Stops = GOLD
    tail: Stops = ((0.0, "#E0950F"), (0.5, "#C87C08"), (1.0, "#A45E05"))
    fold: str = "#6B3A02"
    curl: str = "#7A4300"
    """The shade at either end of the plate, where it curls over to the tails."""
    outline: str = INK
    outline_width: float = 6.0
    light: str = "#FFF6C8"
    dark: str = "#9A5A04"
    corner: float = 3.0
    tail_extend: float = 84.0
    """How far the tails reach beyond the plate; 0 is a plate without tails."""
    tail_tuck: float = 46.0
    tail_drop: float = 26.0
    """How far the tails hang below the plate; negative: they rise above it."""
    notch: float = 34.0
    relief: float = 1.0
    """How strongly keylines and shades model it, 0..1; 0 is flat."""


@dataclass(frozen=True)
class PlaqueBody:
    """A bevelled metal frame with cut corners around an enamel field, riveted at both ends. Lengths in u."""

    metal: Stops = (
        (0.0, "#7A4703"), (0.25, "#B0710B"), (0.45, "#E0A021"), (0.62, "#FFCB46"), (0.85, "#FFE892"), (1.0, "#FFFBE4"),
    )  # fmt: skip
    """The rim's colour from a facet turned away from the light to one that faces it."""
    field: Stops = ((0.0, "#6E0F0E"), (0.16, "#931814"), (0.55, "#AE2019"), (0.86, "#8E1512"), (1.0, "#6A0D0C"))
    outline: str = INK
    outline_width: float = 6.0
    rim_width: float = 22.0
    cut: float = 34.0
    rivet: float = 6.5
    shade: str = "#2A0302"
    overhang: float = 26.0
    """How far the frame reaches beyond the text plate to either side."""


@dataclass(frozen=True)
class Lettering:
    """How letters are painted; ratios are of the type size."""

    face: Stops = ((0.0, "#FFFFFF"), (0.45, "#FFFCF0"), (1.0, "#FFE9A8"))
    stroke: str = INK
    stroke_width: float = 0.055
    extrude: float = 0.05
    """How far the stroke is drawn down, as if the letters were thick."""


@dataclass(frozen=True)
class Ring:
    """A round frame about the portrait, cut out of the picture. Lengths in u."""

    centre_y: float = 462.0
    radius: float = 430.0
    """Outer radius of the metal."""
    width: float = 34.0
    gold: Stops = (
        (0.0, "#A9690A"), (0.3, "#D98A0A"), (0.55, "#FFC62E"), (0.8, "#FFE27A"), (1.0, "#FFF9D8"),
    )  # fmt: skip
    """The metal from its darkest to its brightest reflection."""
    outline: str = INK
    outline_width: float = 6.0
    border: float = 14.0
    """White line around the whole sticker, ribbon included."""
    border_colour: str = "#FFFFFF"


@dataclass(frozen=True)
class BannerStyle:
    """Everything that tells one banner from another."""

    name: str
    summary: str
    body: RibbonBody | PlaqueBody = field(default_factory=RibbonBody)
    lettering: Lettering = field(default_factory=Lettering)
    shadow: Shadow = field(default_factory=Shadow)
    ring: Ring | None = None
    font: str = ""
    """A font file of one's own that is asked before all others."""
    logo: Logo | None = None
    caption: str = "{text}"
    """What the banner says, with the person's text in place of {text}."""
    sag: float = 0.0
    """How far the middle of the plate hangs below its ends, in u; 0 is straight."""
    straight_above: int = 40
    """A text of more graphemes gets a straight plate even in a bent style."""
    height: float = 148.0
    two_line_height: float = 168.0
    centre_y: float = 865.0
    """Middle of the plate below the picture's top, in u of its height, where no better place is found."""
    padding: float = 36.0
    """Free room left and right of the text inside the plate."""
    inset: float = 14.0
    """Free room above and below the text inside the plate."""
    least_width: float = 330.0
    side_room: float = 106.0
    """Least distance of the plate from either side of the picture (a ribbon's tails hang in it)."""
    width_step: float = 16.0
    """Plate widths are rounded up to this, so that drawn plates can be kept and used again."""
    largest_type: float = 112.0
    smallest_type: float = 34.0
    comfortable_type: float = 56.0
    """Below this a line is broken in two where that helps."""
    readable_type: float = 44.0
    """Only below this is a word broken, which looks worse than small letters."""

    @property
    def plate_room(self) -> float:
        """The widest plate."""
        return 1024.0 - 2 * self.side_room

    @property
    def text_room(self) -> float:
        """The widest text, stroke included."""
        return self.plate_room - 2 * self.padding - self.logo_room

    @property
    def logo_room(self) -> float:
        """What a logo on the plate takes of its width, in u."""
        if self.logo is None or self.logo.place != "plate":
            return 0.0
        return self.logo.size * self.height + self.logo.gap

    def said(self, text: str) -> str:
        """What the banner says where the person typed `text`."""
        return self.caption.replace("{text}", text)
