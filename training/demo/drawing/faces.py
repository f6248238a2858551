"""Heads, faces and arms that all characters share."""

from training.demo.drawing.costume import BLACK, SKIN, WHITE, Character
from training.demo.drawing.pen import Color, Pen, Point, arc

MOODS = ("smile", "grin", "calm")


def draw_head(p: Pen, who: Character, mood: str, skin: Color = SKIN) -> None:
    """The head with its face; the hat comes later."""
    if who.face == "screen":
        p.rect(-40, -76, 40, -2, (178, 190, 202), 12)
        p.rect(-31, -60, 31, -16, (36, 52, 72), 8)
        for x in (-14, 14):
            p.ellipse(x, -42, 7, 8, (110, 240, 240), outline=False)
        p.line(arc(0, -32, 11, 8, 20, 160, 10), (110, 240, 240), 4)
        return
    p.ellipse(0, -36, 40, 38, skin)
    eye_y = -36 if who.face == "mask" else -31
    for x in (-15, 15):
        p.ellipse(x, eye_y, 5, 6.5, BLACK, outline=False)
        p.ellipse(x - 1.5, eye_y - 2.5, 1.9, 1.9, WHITE, outline=False)
    if who.face == "mask":
        return
    for x in (-25, 25):
        p.ellipse(x, -19, 6, 4.2, (250, 170, 150), outline=False)
    if who.face in ("beard", "ginger"):
        beard = WHITE if who.face == "beard" else (226, 122, 50)
        p.blob([(-38, -24), (-20, -20), (0, -24), (20, -20), (38, -24), (32, 4), (0, 26), (-32, 4)], beard)
        p.line(arc(0, -13, 8, 5, 20, 160, 8), width=3.4)
    elif mood == "grin":
        p.poly(arc(0, -18, 11, 10, 0, 180, 14), (190, 50, 60), width=2.6)
    elif mood == "calm":
        p.line([(-7, -13), (7, -13)], width=3.6)
    else:
        p.line(arc(0, -20, 11, 8, 15, 165, 10), width=3.6)


def draw_arm(p: Pen, shoulder: Point, hand: Point, sleeve: Color, glove: Color) -> None:
    """An arm from shoulder to hand with a round hand at its end."""
    elbow = ((shoulder[0] + hand[0]) / 2, (shoulder[1] + hand[1]) / 2 + 7)
    p.limb([shoulder, elbow, hand], sleeve, 18)
    p.ellipse(hand[0], hand[1], 10.5, 10.5, glove)


def draw_rest_arm(p: Pen, lift: float, sleeve: Color, glove: Color) -> None:
    """The free arm, hanging down; `lift` 0 to 1 moves it outwards."""
    hand = (-46 - 6 * lift, 52 - 14 * lift)
    p.limb([(-26, 12), (-42, 32), hand], sleeve, 17)
    p.ellipse(hand[0], hand[1], 9.5, 9.5, glove)
