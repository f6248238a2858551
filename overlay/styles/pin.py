"""The enamel pin: a round badge cast in silver, filled with flat enamel, a teal ribbon across it."""

from overlay.style import BannerStyle, Lettering, RibbonBody, Ring, Shadow

_METAL = "#7C8794"
_LINE = "#27303A"

STYLE = BannerStyle(
    name="pin",
    summary="an enamel pin: silver ring, teal enamel ribbon, transparent outside",
    body=RibbonBody(
        face=((0.0, "#128A86"), (0.12, "#0E7773"), (0.9, "#0B6562"), (1.0, "#084E4C")),
        tail=((0.0, "#0A5A57"), (1.0, "#063F3D")),
        fold="#042B2A",
        curl="#042B2A",
        outline="#C4CCD4",
        outline_width=8.0,
        light="#D8DEE4",
        dark="#063F3D",
        corner=10.0,
        tail_drop=-26.0,
        tail_extend=70.0,
        relief=0.45,
    ),
    lettering=Lettering(face=((0.0, "#FFFFFF"), (1.0, "#E6EBF0")), stroke="#04201F", stroke_width=0.045, extrude=0.02),
    ring=Ring(
        width=40.0,
        gold=((0.0, "#6A7581"), (0.3, "#97A2AD"), (0.55, "#C4CCD4"), (0.8, "#E4E9ED"), (1.0, "#FFFFFF")),
        outline=_LINE,
        outline_width=5.0,
        border=9.0,
        border_colour=_METAL,
    ),
    sag=62.0,
    straight_above=18,
    shadow=Shadow(blur=12.0, drop=8.0, opacity=0.4, colour="#0A0F14"),
    centre_y=846.0,
    side_room=112.0,
)
