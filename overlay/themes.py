"""Styles of the user's own: a built-in style in other colours, with another font, a logo, a caption.

`use_themes` is called once, where the settings are read; from then on their names are styles like any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from PIL import ImageColor

from configs.names import unknown_name
from configs.sections.themes import ThemeSettings
from overlay.drawing.logo import open_logo
from overlay.drawing.paint import rgb
from overlay.errors import InvalidTheme, printable
from overlay.style import BannerStyle, Lettering, Logo, PlaqueBody, RibbonBody, Ring, Stops
from overlay.styles import AUTO, STYLES, set_own_styles
from overlay.text.clean import clean_text
from overlay.text.fonts import own_font

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3 (level AA), for text."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,23}")
"""Fits beside a job's number into the 64 bytes of a Telegram button."""


def use_themes(themes: Mapping[str, ThemeSettings]) -> list[str]:
    """Make the themes the styles of this process, in place of earlier ones; returns warnings, a line each.

    Raises InvalidTheme where one cannot be drawn; then nothing has changed.
    """
    styles: dict[str, BannerStyle] = {}
    warnings: list[str] = []
    for name, theme in themes.items():
        try:
            styles[name] = make_theme(name, theme)
        except InvalidTheme as error:
            raise InvalidTheme(f"themes.{name}: {error}") from error
        if warning := contrast_warning(styles[name], theme):
            warnings.append(f"themes.{name}: {warning}")
    set_own_styles(styles)
    return warnings


def make_theme(name: str, theme: ThemeSettings) -> BannerStyle:
    """The style that `theme` makes of its base. Raises InvalidTheme."""
    if not _NAME.fullmatch(name) or name in (*STYLES, AUTO):
        taken = " (a built-in style has it)" if name in (*STYLES, AUTO) else ""
        raise InvalidTheme(f"the name {printable(name)} cannot be used{taken}: write up to 24 of a-z, 0-9, - and _")
    if theme.base not in STYLES:
        raise InvalidTheme(unknown_name("base style", theme.base, list(STYLES)))
    base = STYLES[theme.base]
    colours = {key: _colour(key, value) for key, value in theme.colors.model_dump().items() if value}
    if theme.font:
        own_font(theme.font)
    logo = None
    if theme.logo:
        if theme.logo_place == "ring" and base.ring is None:
            round_ones = ", ".join(style.name for style in STYLES.values() if style.ring)
            raise InvalidTheme(f"logo_place is ring, but {base.name} has none: take the base {round_ones}")
        open_logo(theme.logo)
        logo = Logo(theme.logo, theme.logo_place)
    if not clean_text(theme.caption.replace("{text}", "A")):
        raise InvalidTheme("the caption is empty")
    return replace(
        base,
        name=name,
        summary=f"{base.summary}, in your colours",
        body=_body(base.body, colours),
        lettering=_lettering(base, colours),
        ring=_ring(base.ring, colours) if base.ring else None,
        font=theme.font,
        logo=logo,
        caption=theme.caption,
    )


def contrast_warning(style: BannerStyle, theme: ThemeSettings) -> str:
    """One line where the theme's letters are hard to tell from its plate, "" where they are not."""
    if not (theme.colors.plate or theme.colors.text or theme.colors.stroke):
        return ""
    text, stroke = style.lettering.face[-1][1], style.lettering.stroke
    plate = _middle(style.body.field if isinstance(style.body, PlaqueBody) else style.body.face)
    on_plate, on_stroke = contrast(text, plate), contrast(text, stroke)
    if on_plate >= LEAST_CONTRAST:
        return ""
    low = f"text {text} on plate {plate} has a contrast of {on_plate:.1f}:1, below {LEAST_CONTRAST}:1"
    if style.lettering.stroke_width and on_stroke >= LEAST_CONTRAST:
        return f"{low}; only its stroke ({on_stroke:.1f}:1) keeps it legible"
    return f"{low}, and its stroke does not help ({on_stroke:.1f}:1): choose other colours"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours "#RRGGBB", 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _colour(key: str, value: str) -> str:
    try:
        found = ImageColor.getrgb(value.strip())
    except ValueError as error:
        raise InvalidTheme(
            f"colors.{key} = {printable(value)} is not a colour: write #RRGGBB or a name such as navy"
        ) from error
    if len(found) != 3:
        raise InvalidTheme(f"colors.{key} = {printable(value)} is transparent: write #RRGGBB")
    return "#{:02X}{:02X}{:02X}".format(*found)


def _mix(one: str, other: str, share: float) -> str:
    """`share` of `other` in `one`."""
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(rgb(one), rgb(other), strict=True))


def _shade(colour: str, by: float) -> str:
    """Lighter by a positive share, darker by a negative one."""
    return _mix(colour, "#FFFFFF" if by > 0 else "#000000", abs(by))


def _stops(colour: str, *steps: tuple[float, float]) -> Stops:
    return tuple((position, _shade(colour, by)) for position, by in steps)


def _middle(stops: Stops) -> str:
    return min(stops, key=lambda stop: abs(stop[0] - 0.5))[1]


def _body(body: RibbonBody | PlaqueBody, colours: Mapping[str, str]) -> RibbonBody | PlaqueBody:
    """The shades are those that the golden styles have of their gold."""
    plate, edge = colours.get("plate"), colours.get("edge")
    if isinstance(body, PlaqueBody):
        if plate:
            field = _stops(plate, (0.0, -0.38), (0.16, -0.14), (0.55, 0.0), (0.86, -0.18), (1.0, -0.4))
            body = replace(body, field=field, shade=_shade(plate, -0.8))
        if edge:
            metal = _stops(edge, (0.0, -0.5), (0.25, -0.26), (0.45, -0.06), (0.62, 0.18), (0.85, 0.5), (1.0, 0.85))
            body = replace(body, metal=metal, outline=_shade(edge, -0.8))
        return body
    if plate and body.relief:
        face = _stops(plate, (0.0, 0.72), (0.1, 0.45), (0.46, 0.0), (0.54, -0.1), (0.88, -0.2), (1.0, -0.34))
        body = replace(body, face=face, light=_shade(plate, 0.75), dark=_shade(plate, -0.42), curl=_shade(plate, -0.5))
    elif plate:
        body = replace(body, face=((0.0, plate), (1.0, plate)))
    if plate:
        tail = _stops(plate, (0.0, -0.16), (0.5, -0.28), (1.0, -0.42))
        body = replace(body, tail=tail, fold=_shade(plate, -0.6), outline=_shade(plate, -0.75))
    # A plate without a line gets one where a colour for it is given.
    return replace(body, outline=edge, outline_width=body.outline_width or 4.0) if edge else body


def _lettering(base: BannerStyle, colours: Mapping[str, str]) -> Lettering:
    look, plate, text = base.lettering, colours.get("plate"), colours.get("text")
    if text:
        face = ((0.0, _shade(text, 0.25)), (0.5, text), (1.0, text))
        look = replace(look, face=face if look.extrude else ((0.0, text), (1.0, text)))
    if plate:
        # Around dark letters a dark stroke would only fill them: the plate's own colour leaves them alone.
        dark = _luminance(look.face[-1][1]) < _luminance(plate)
        flat = not look.extrude
        look = replace(look, stroke=plate if dark or flat else _shade(plate, -0.75))
    return replace(look, stroke=colours["stroke"]) if "stroke" in colours else look


def _ring(ring: Ring, colours: Mapping[str, str]) -> Ring:
    if "ring" in colours:
        gold = _stops(colours["ring"], (0.0, -0.34), (0.3, -0.16), (0.55, 0.0), (0.8, 0.35), (1.0, 0.8))
        ring = replace(ring, gold=gold, outline=_shade(colours["ring"], -0.78))
    return replace(ring, outline=colours["edge"]) if "edge" in colours else ring
