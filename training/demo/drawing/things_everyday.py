"""Household things to hold."""

from training.demo.drawing.pen import Pen, arc
from training.demo.drawing.thing import thing

PAPER, WHITE, GOLD, RED, BLACK = (250, 236, 200), (250, 250, 246), (246, 190, 50), (220, 52, 52), (58, 54, 66)
STEEL = (176, 188, 204)


@thing("scroll", "paper scroll", grip=(-32, 18))
def _scroll(p: Pen) -> None:
    p.rect(-30, -44, 30, 44, PAPER)
    for y in (-20, -6, 8, 22):
        p.line([(-18, y), (18, y)], (132, 104, 84), 3.6)
    p.rect(-42, -54, 42, -36, (226, 184, 120), 8)
    p.rect(-42, 36, 42, 54, (226, 184, 120), 8)


@thing("lamp", "desk lamp", "table lamp", grip=(0, 22), size=1.08)
def _lamp(p: Pen) -> None:
    p.rect(-5, 0, 5, 46, GOLD)
    p.poly([(-30, 54), (30, 54), (20, 42), (-20, 42)], (200, 138, 34))
    p.poly([(-22, -54), (22, -54), (46, 4), (-46, 4)], (255, 226, 96))
    p.poly([(-6, -54), (6, -54), (12, 4), (-12, 4)], (255, 246, 190), outline=False)
    p.poly([(-22, -54), (22, -54), (46, 4), (-46, 4)], None)


@thing("laptop", "notebook computer", grip=(-40, 36))
def _laptop(p: Pen) -> None:
    p.rect(-42, -44, 42, 26, (92, 100, 118), 5)
    p.rect(-33, -35, 33, 17, (96, 202, 246), 0)
    p.poly([(-16, -18), (-26, -9), (-16, 0), (-16, -4), (-20, -9), (-16, -14)], WHITE, outline=False)
    p.line([(6, -22), (-4, 6)], WHITE, 4)
    p.line([(14, -18), (24, -9), (14, 0)], WHITE, 4)
    p.poly([(-42, 26), (42, 26), (54, 44), (-54, 44)], STEEL)
    p.line([(-34, 33), (34, 33)], (120, 130, 148), 4)


@thing("book", "open book", grip=(-38, 34))
def _book(p: Pen) -> None:
    p.poly([(-52, -32), (0, -22), (52, -32), (52, 34), (0, 46), (-52, 34)], (200, 40, 52))
    p.poly([(0, -26), *[(x, y - 4) for x, y in [(-24, -36), (-46, -34)]], (-46, 26), (-22, 25), (0, 36)], WHITE)
    p.poly([(0, -26), *[(x, y - 4) for x, y in [(24, -36), (46, -34)]], (46, 26), (22, 25), (0, 36)], WHITE)
    for y in (-22, -8, 6):
        p.line([(-37, y), (-11, y + 5)], (120, 120, 140), 3)
        p.line([(37, y), (11, y + 5)], (120, 120, 140), 3)


@thing("cup", "mug", "coffee cup", grip=(-34, 16))
def _cup(p: Pen) -> None:
    p.ellipse(34, 8, 18, 20, None, width=13)
    p.ellipse(34, 8, 18, 20, None, width=6)
    p.limb(arc(30, 8, 20, 20, -80, 80, 16), (64, 196, 180), 11)
    p.poly([(-36, -22), (36, -22), (30, 46), (-30, 46)], (64, 196, 180))
    p.ellipse(0, -22, 36, 10, (112, 64, 40))
    for x in (-14, 10):
        p.curve([(x, -36), (x + 6, -42), (x, -48), (x + 6, -56)], (150, 150, 160), 4)


@thing("magnifying glass", "magnifier", "loupe", grip=(-30, 34), size=1.12)
def _magnifying_glass(p: Pen) -> None:
    q = p.part(0, 0, 40)
    q.limb([(0, 16), (0, 60)], (130, 70, 150), 15)
    q.ellipse(0, -22, 36, 36, (90, 60, 110))
    q.ellipse(0, -22, 27, 27, (196, 238, 252))
    q.line(arc(0, -22, 18, 18, 200, 270, 10), WHITE, 5)


@thing("camera", "photo camera", grip=(-44, 22))
def _camera(p: Pen) -> None:
    p.rect(-22, -42, 14, -20, BLACK, 4)
    p.rect(-52, -28, 52, 40, BLACK, 8)
    p.rect(-52, -14, 52, 26, (236, 98, 72), 0)
    p.ellipse(0, 6, 29, 29, (216, 222, 230))
    p.ellipse(0, 6, 18, 18, (40, 70, 120))
    p.ellipse(-6, 0, 5, 5, WHITE, outline=False)
    p.rect(28, -38, 44, -28, (255, 222, 90), 2)


@thing("umbrella", "parasol", grip=(0, 32), size=1.12)
def _umbrella(p: Pen) -> None:
    p.limb([(0, -10), (0, 46), *arc(10, 46, 10, 10, 180, 20, 12)], (110, 70, 50), 8)
    p.poly(
        [
            *arc(0, 4, 54, 56, 180, 360, 32),
            *arc(36, 4, 18, 9, 0, -180, 10),
            *arc(0, 4, 18, 9, 0, -180, 10),
            *arc(-36, 4, 18, 9, 0, -180, 10),
        ],
        (150, 90, 214),
    )
    p.poly([(0, -52), *arc(0, 4, 18, 9, 0, -180, 10)], (250, 212, 90), width=2.8)
    p.line([(0, -60), (0, -52)], width=5)


@thing("fan", "folding fan", grip=(0, 42), size=1.12)
def _fan(p: Pen) -> None:
    p.poly([(0, 48), *arc(0, 40, 60, 78, 208, 332, 30)], (246, 122, 160))
    p.poly([(0, 48), *arc(0, 40, 30, 38, 208, 332, 20)], (255, 206, 216), width=2.4)
    for a in (232, 256, 284, 308):
        x, y = arc(0, 40, 58, 76, a, a + 1, 2)[0]
        p.line([(0, 44), (x, y)], (150, 40, 80), 2.6)


@thing("flag", "red flag", grip=(-36, 34), size=1.12)
def _flag(p: Pen) -> None:
    p.limb([(-36, -54), (-36, 56)], (150, 96, 54), 9)
    p.blob(
        [(-32, -50), (-10, -54), (14, -46), (50, -50), (48, -24), (50, 0), (16, 4), (-10, -4), (-32, 0)], (226, 40, 48)
    )
    p.ellipse(8, -24, 13, 13, WHITE, outline=False)
    p.ellipse(-36, -56, 6, 6, GOLD)


@thing("clock", "alarm clock", grip=(-40, 26))
def _clock(p: Pen) -> None:
    p.limb([(-26, 44), (-34, 54)], BLACK, 9)
    p.limb([(26, 44), (34, 54)], BLACK, 9)
    p.ellipse(-28, -36, 16, 14, (240, 200, 70))
    p.ellipse(28, -36, 16, 14, (240, 200, 70))
    p.ellipse(0, 8, 44, 44, (56, 160, 96))
    p.ellipse(0, 8, 33, 33, WHITE)
    p.line([(0, -14), (0, 8), (16, 16)], width=5)


@thing("bell", "golden bell", grip=(0, -44))
def _bell(p: Pen) -> None:
    p.ellipse(0, 40, 13, 13, (170, 100, 30))
    p.blob(
        [(0, -40), (22, -30), (30, -2), (38, 22), (48, 36), (0, 38), (-48, 36), (-38, 22), (-30, -2), (-22, -30)],
        (250, 196, 40),
    )
    p.line([(-38, 22), (38, 22)], (190, 120, 20), 5)
    p.line(arc(-4, 0, 18, 26, 190, 240, 8), (255, 240, 170), 5)
    p.rect(-8, -56, 8, -38, (190, 120, 20), 4)


@thing("envelope", "letter", grip=(-42, 22))
def _envelope(p: Pen) -> None:
    p.rect(-52, -34, 52, 36, (252, 250, 238), 2)
    p.line([(-50, 34), (-12, -2)], width=3)
    p.line([(50, 34), (12, -2)], width=3)
    p.poly([(-52, -34), (52, -34), (0, 12)], (236, 228, 204))
    p.ellipse(0, 8, 13, 13, RED)


@thing("balloon", "red balloon", grip=(-2, 48))
def _balloon(p: Pen) -> None:
    p.curve([(0, 22), (6, 30), (-5, 40), (0, 56)], BLACK, 3)
    p.poly([(0, 14), (9, 28), (-9, 28)], (214, 30, 70))
    p.blob([(0, -58), (28, -46), (36, -18), (22, 10), (0, 20), (-22, 10), (-36, -18), (-28, -46)], (240, 50, 90))
    p.line(arc(-2, -20, 22, 26, 195, 250, 8), (255, 190, 200), 6)


@thing("gift", "present", grip=(-38, 26))
def _gift(p: Pen) -> None:
    p.rect(-38, -14, 38, 50, (66, 148, 226), 2)
    p.rect(-10, -14, 10, 50, (255, 222, 70))
    p.rect(-46, -26, 46, -6, (66, 148, 226), 2)
    p.rect(-10, -26, 10, -6, (255, 222, 70))
    p.blob([(0, -28), (-14, -54), (-34, -50), (-30, -30)], (255, 222, 70))
    p.blob([(0, -28), (14, -54), (34, -50), (30, -30)], (255, 222, 70))
