"""The banner: `draw_banner` puts a text on a portrait in one of the styles. Image in, image out, nothing else.

What does not depend on the portrait or the letters (ribbon, plaque, ring) is drawn once for each size of plate
and kept, up to a fixed number of bytes; a banner over a kept ribbon takes milliseconds.
"""

from dataclasses import dataclass, replace

from PIL import Image

from overlay.cache import LayerCache
from overlay.drawing.composition import composed
from overlay.drawing.geometry import Arc, Bend, Flat
from overlay.drawing.lettering import paint_text
from overlay.drawing.logo import paint_logo
from overlay.drawing.medallion import border_layer, mount, ring_layer
from overlay.drawing.paint import Layer
from overlay.drawing.placement import find_height, find_subject
from overlay.drawing.plaque import plaque_layer, plaque_outline
from overlay.drawing.raster import Box
from overlay.drawing.ribbon import ribbon_layer, ribbon_shape
from overlay.errors import InvalidImage, TextTooLong
from overlay.images import MIN_SIDE, as_portrait
from overlay.style import BannerStyle, PlaqueBody, RibbonBody, Ring, Shadow
from overlay.styles import DEFAULT_STYLE, choose_style
from overlay.text.clean import clean_text, graphemes
from overlay.text.layout import TextLayout, lay_out

PRINT_SIDE = 4096  # 35 cm at 300 DPI
MAX_PRINT_SIDE = 4472
"""Its square is the most pixels that a portrait may have."""

_KEPT = LayerCache(most_bytes=96 * 2**20, largest=12 * 2**20)
"""By hand. A layer as large as a badge of 1024 pixels has 4 MiB, so all of a badge's are kept; as a print, 64."""


def draw_banner(image: Image.Image, text: str, style: str = DEFAULT_STYLE) -> Image.Image:
    """A new picture: the portrait with a banner that says `text`. The portrait itself is left as it was.

    `style` is one of `style_names()`; "auto" takes arc for a short text and ribbon otherwise. The result is RGB and
    as large as the portrait; in the style round it is square RGBA, transparent outside the badge. Raises
    InvalidText, InvalidImage or UnknownStyle (all BannerError), with a message for the person who asked.
    """
    said, chosen = _chosen(text, style)
    return _draw(as_portrait(image), said, chosen)


def check_text(text: str, style: str = DEFAULT_STYLE) -> str:
    """The cleaned text, where `draw_banner` can draw it in that style; known without any portrait.

    Raises InvalidText or UnknownStyle.
    """
    said, chosen = _chosen(text, style)
    lay_out(said, chosen)
    return clean_text(text)


def draw_print(image: Image.Image, text: str, style: str = DEFAULT_STYLE, side: int = PRINT_SIDE) -> Image.Image:
    """As `draw_banner`, with the portrait enlarged to `side` pixels and the banner drawn at that size, not enlarged.

    The longer side gets `side` pixels (64 to 4472). Raises what `draw_banner` raises.
    """
    if not MIN_SIDE <= side <= MAX_PRINT_SIDE:
        raise InvalidImage(f"a print of {side} pixels cannot be made: give {MIN_SIDE} to {MAX_PRINT_SIDE}")
    said, chosen = _chosen(text, style)
    portrait = as_portrait(image)
    if chosen.ring is not None:
        return _draw(portrait, said, chosen, side)
    scale = side / max(portrait.size)
    size = max(MIN_SIDE, round(portrait.width * scale)), max(MIN_SIDE, round(portrait.height * scale))
    return _draw(portrait.resize(size, Image.Resampling.BICUBIC), said, chosen)


def _chosen(text: str, style: str) -> tuple[str, BannerStyle]:
    """What the banner says, cleaned, and the style itself."""
    said = clean_text(text)
    chosen = choose_style(style, said)
    if chosen.caption == "{text}":
        return said, chosen
    try:
        return clean_text(chosen.said(said)), chosen
    except TextTooLong as error:
        raise TextTooLong(f"{error}, since the style {chosen.name} adds its caption") from error


def forget_layers() -> None:
    """Empty the store of drawn plates and rings, as after a start; for measurements."""
    _KEPT.clear()


@dataclass(frozen=True)
class BannerPlan:
    """Where everything of one banner goes in its picture; u is pixels per layout unit."""

    style: BannerStyle
    layout: TextLayout
    u: float
    at: tuple[int, int]
    """The middle of the plate, in pixels."""
    portrait: Image.Image
    """The portrait, its figure moved above the plate where that is needed."""
    body: Layer
    """Ribbon or plaque, in the picture's pixels."""
    bend: Bend


def plan_banner(portrait: Image.Image, text: str, style: BannerStyle, side: int | None = None) -> BannerPlan:
    """Lay out a cleaned text, draw (or take from the cache) its plate, and find the plate's place.

    `portrait` is RGB from `as_portrait`; `side` is the side of the finished round badge, the portrait's shorter
    side where it is left out. Raises InvalidText.
    """
    layout = lay_out(text, style)
    width, height = (side, side) if side and style.ring else portrait.size
    if style.ring is not None:
        width = height = min(width, height)
    u = min(width, height) / 1024
    sag = _sag(layout, style)
    body = _body(style, layout, sag, None if style.ring else style.shadow, u)
    usual = round(style.centre_y / 1024 * height)
    if style.ring is None:
        portrait = composed(portrait, body.moved(width // 2, usual))
    at = width // 2, usual if style.ring else find_height(portrait, body, usual)
    return BannerPlan(style, layout, u, at, portrait, body.moved(*at), _bend(layout, sag, at, u))


def _draw(portrait: Image.Image, text: str, style: BannerStyle, side: int | None = None) -> Image.Image:
    """The portrait with its banner, at the portrait's own size; or the round badge, `side` pixels square."""
    plan = plan_banner(portrait, text, style, side)
    result = plan.portrait.copy() if style.ring is None else _mounted(portrait, plan, style.ring)
    plan.body.onto(result)
    paint_text(result, plan.layout, style.lettering, plan.bend, plan.u)
    if style.logo is not None:
        paint_logo(result, plan.layout, style, plan.bend, plan.u)
    return result


def _mounted(portrait: Image.Image, plan: BannerPlan, ring: Ring) -> Image.Image:
    """The portrait in its ring on the white border, RGBA, still without the banner."""
    side = round(1024 * plan.u)
    box = Box(0, 0, side, side)
    layout, style = plan.layout, plan.style
    sag = _sag(layout, style)

    def border() -> Layer:
        size = layout.plate_width * plan.u, layout.plate_height * plan.u
        body = _body_for(style.body, sag)
        if isinstance(body, PlaqueBody):
            outline = [plaque_outline(body, plan.bend, size, plan.u)]
        else:
            outline = ribbon_shape(body, plan.bend, size, plan.u).silhouette
        return border_layer(ring, box, outline, body.outline_width * plan.u, style.shadow, plan.u)

    key = ("border", style, layout.plate_width, layout.plate_height, sag, side)
    result = _KEPT.get(key, border).image.copy()
    mount(result, portrait, find_subject(portrait), ring, plan.u, plan.body)
    _KEPT.get(("ring", ring, side), lambda: ring_layer(ring, box, plan.u)).onto(result)
    return result


def _sag(layout: TextLayout, style: BannerStyle) -> float:
    """How far the plate's middle hangs, in u: nothing for a text too long to read on an arc."""
    count = sum(len(graphemes(line)) for line in layout.lines)
    return style.sag if count <= style.straight_above and len(layout.lines) == 1 else 0.0


def _bend(layout: TextLayout, sag: float, at: tuple[float, float], u: float) -> Bend:
    """Straight, or an arc over the plate's width that hangs by `sag` in its middle."""
    if not sag:
        return Flat(*at)
    half = layout.plate_width / 2
    return Arc(*at, max(520.0, (half * half + sag * sag) / (2 * sag)) * u)


def _body(style: BannerStyle, layout: TextLayout, sag: float, shadow: Shadow | None, u: float) -> Layer:
    """The plate about (0, 0), kept for the next banner of its size."""
    size = layout.plate_width * u, layout.plate_height * u
    body = _body_for(style.body, sag)

    def draw() -> Layer:
        bend = _bend(layout, sag, (0.0, 0.0), u)
        if isinstance(body, PlaqueBody):
            return plaque_layer(body, shadow, bend, size, u)
        return ribbon_layer(body, shadow, bend, size, u)

    return _KEPT.get((body, shadow, size, sag, u), draw)


def _body_for(body: RibbonBody | PlaqueBody, sag: float) -> RibbonBody | PlaqueBody:
    """The body itself; a ribbon made for an arc but laid straight lets its tails hang instead of rising."""
    if isinstance(body, RibbonBody) and not sag and body.tail_drop < 0:
        return replace(body, tail_drop=-body.tail_drop)
    return body
