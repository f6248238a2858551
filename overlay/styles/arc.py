"""The arc: the ribbon hung like a smile, its tails rising behind it. Best for short texts."""

from overlay.style import BannerStyle, RibbonBody

STYLE = BannerStyle(
    name="arc",
    summary="a ribbon bent into a smile, for short texts",
    body=RibbonBody(tail_drop=-30.0, tail_extend=78.0),
    sag=54.0,
    centre_y=884.0,
)
