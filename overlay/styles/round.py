"""The round badge: the portrait in a golden ring with the ribbon across it, cut out along a white border."""

from overlay.style import BannerStyle, RibbonBody, Ring, Shadow

STYLE = BannerStyle(
    name="round",
    summary="a round die-cut badge with a golden ring, transparent outside; also the sticker",
    body=RibbonBody(tail_drop=-28.0, tail_extend=78.0),
    ring=Ring(),
    sag=62.0,
    straight_above=18,
    shadow=Shadow(blur=10.0, drop=7.0, opacity=0.4),
    centre_y=846.0,
    two_line_height=188.0,
    side_room=116.0,
)
