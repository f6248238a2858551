"""The plate: a bevelled golden frame about red enamel, golden letters."""

from overlay.style import BannerStyle, Lettering, PlaqueBody

STYLE = BannerStyle(
    name="plate",
    summary="a golden frame about red enamel",
    body=PlaqueBody(),
    lettering=Lettering(
        face=((0.0, "#FFFBE0"), (0.35, "#FFE482"), (0.7, "#FFCE3C"), (1.0, "#FFB91C")), stroke="#240500", extrude=0.04
    ),
    padding=30.0,
    inset=22.0,
    side_room=84.0,
    height=152.0,
    two_line_height=180.0,
    least_width=300.0,
)
