"""The flat style: a calm pill in one dark colour with white letters, for product teams."""

from overlay.style import BannerStyle, Lettering, RibbonBody, Shadow

_PLATE = "#22304A"

STYLE = BannerStyle(
    name="flat",
    summary="a calm flat pill, white on slate blue",
    body=RibbonBody(
        face=((0.0, _PLATE), (1.0, _PLATE)),
        tail=((0.0, _PLATE), (1.0, _PLATE)),
        fold=_PLATE,
        outline=_PLATE,
        outline_width=0.0,
        corner=60.0,
        tail_extend=0.0,
        tail_drop=0.0,
        notch=0.0,
        relief=0.0,
    ),
    lettering=Lettering(face=((0.0, "#FFFFFF"), (1.0, "#FFFFFF")), stroke=_PLATE, stroke_width=0.045, extrude=0.0),
    shadow=Shadow(blur=14.0, drop=6.0, opacity=0.28, colour="#0B1220"),
    padding=44.0,
    least_width=260.0,
    side_room=72.0,
    height=132.0,
    two_line_height=184.0,
)
