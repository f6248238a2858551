"""Tools, arms and instruments to hold."""

from training.demo.drawing.pen import Pen, arc, star
from training.demo.drawing.things.thing import thing

STEEL, WHITE, WOOD, DARK_WOOD = (196, 208, 220), (250, 250, 246), (178, 112, 58), (122, 70, 38)
GOLD, RED, BLUE, BLACK = (246, 190, 50), (220, 52, 52), (52, 112, 208), (58, 54, 66)


@thing("telescope", grip=(-12, 16), size=1.2)
def _telescope(p: Pen) -> None:
    q = p.part(-6, 4, -33)
    q.rect(-52, -8, -24, 8, GOLD, 3)
    q.rect(-26, -12, 8, 12, DARK_WOOD, 3)
    q.poly([(6, -15), (44, -20), (44, 20), (6, 15)], (214, 150, 40))
    q.rect(42, -23, 53, 23, GOLD, 4)
    q.ellipse(53, 0, 5, 18, (150, 220, 250))
    q.rect(-4, -15, 8, 15, GOLD, 3)


@thing("sword", grip=(-31, 31), size=1.2)
def _sword(p: Pen) -> None:
    q = p.part(0, 0, 45)
    q.poly([(-6, 26), (-7, -44), (0, -62), (7, -50), (7, 26)], (222, 232, 242))
    q.line([(0, 22), (0, -46)], (160, 176, 196), 2.5)
    q.rect(-19, 24, 19, 32, GOLD, 3)
    q.rect(-6, 32, 6, 60, RED, 3)


@thing("spear", grip=(-6, 20), size=1.2)
def _spear(p: Pen) -> None:
    q = p.part(0, 0, 14)
    q.limb([(0, -20), (0, 58)], WOOD, 9)
    q.poly([(0, -60), (13, -34), (6, -20), (-6, -20), (-13, -34)], STEEL)
    q.line([(0, -52), (0, -26)], (140, 150, 168), 2.5)
    q.poly([(-9, -21), (9, -21), (12, -8), (4, -12), (0, -5), (-4, -12), (-12, -8)], RED)


@thing("axe", grip=(-16, 32), size=1.15)
def _axe(p: Pen) -> None:
    q = p.part(0, 0, 22)
    q.limb([(-4, -48), (-4, 54)], WOOD, 11)
    q.poly([(0, -40), (20, -46), *arc(8, -24, 38, 32, -60, 60, 14), (20, -4), (0, -12)], (150, 164, 186))
    q.line(arc(8, -24, 30, 26, -50, 50, 12), WHITE, 3)


@thing("bow", grip=(20, 0), size=1.08)
def _bow(p: Pen) -> None:
    p.line([(-18, -52), (-18, 52)], (110, 100, 100), 2.4)
    p.limb(arc(-24, 0, 46, 54, -82, 82, 30), (150, 82, 40), 10)
    p.line([(-42, 0), (40, 0)], (90, 70, 60), 4)
    p.poly([(52, 0), (36, -9), (36, 9)], STEEL)
    p.poly([(-30, 0), (-44, -10), (-54, -10), (-44, 0), (-54, 10), (-44, 10)], (90, 180, 90))


@thing("hammer", grip=(0, 34), size=1.1)
def _hammer(p: Pen) -> None:
    p.limb([(0, -20), (0, 54)], (214, 142, 70), 13)
    p.rect(-36, -48, 36, -14, (128, 138, 156), 5)
    p.rect(-42, -52, -24, -10, (98, 106, 124), 5)
    p.rect(26, -52, 42, -10, (98, 106, 124), 5)


@thing("wrench", grip=(-14, 26), size=1.12)
def _wrench(p: Pen) -> None:
    q = p.part(0, 0, 30)
    q.rect(-9, -22, 9, 34, (110, 178, 214), 2)
    q.poly([(-11, -58), (-11, -40), (11, -40), (11, -58), *arc(0, -36, 26, 26, -64, 244, 26)], (110, 178, 214))
    q.ellipse(0, 42, 17, 17, (110, 178, 214))
    q.ellipse(0, 42, 7, 7, WHITE)


@thing("torch", grip=(0, 34), size=1.12)
def _torch(p: Pen) -> None:
    p.poly([(-9, 0), (9, 0), (6, 56), (-6, 56)], DARK_WOOD)
    p.blob([(0, -58), (16, -34), (26, -22), (20, 2), (0, 8), (-20, 2), (-26, -20), (-12, -30)], (248, 120, 30))
    p.blob([(2, -32), (12, -16), (8, 0), (0, 3), (-9, 0), (-11, -12)], (255, 222, 70), outline=False)
    p.rect(-15, 2, 15, 15, BLACK, 3)


@thing("shield", grip=(-28, 10))
def _shield(p: Pen) -> None:
    p.poly([(-44, -48), (0, -56), (44, -48), (44, 0), (34, 30), (0, 56), (-34, 30), (-44, 0)], BLUE)
    p.poly(
        [
            (-9, -40),
            (9, -40),
            (9, -14),
            (32, -14),
            (32, 4),
            (9, 4),
            (9, 36),
            (-9, 36),
            (-9, 4),
            (-32, 4),
            (-32, -14),
            (-9, -14),
        ],
        WHITE,
        width=2.6,
    )


@thing("key", grip=(-22, 24), size=1.12)
def _key(p: Pen) -> None:
    q = p.part(0, 0, 40)
    q.rect(-6, -14, 6, 56, GOLD, 2)
    q.rect(4, 26, 22, 36, GOLD, 1)
    q.rect(4, 43, 26, 54, GOLD, 1)
    q.ellipse(0, -32, 25, 25, GOLD)
    q.ellipse(0, -32, 11, 11, (160, 90, 30))


@thing("brush", grip=(-16, 18), size=1.2)
def _brush(p: Pen) -> None:
    q = p.part(0, 0, 38)
    q.limb([(0, -6), (0, 58)], (238, 150, 40), 11)
    q.rect(-11, -22, 11, 0, STEEL, 2)
    q.poly(
        [*arc(0, -30, 15, 26, -170, -90, 8), (3, -62), *arc(0, -30, 15, 26, -60, -10, 6), (11, -20), (-11, -20)],
        (222, 40, 120),
    )


@thing("anchor", grip=(0, -16), size=1.1)
def _anchor(p: Pen) -> None:
    c = (66, 92, 132)
    p.ellipse(0, -44, 12, 12, None, width=12)
    p.ellipse(0, -44, 12, 12, None, width=5)
    p.limb(arc(0, 8, 42, 42, 10, 170, 30), c, 14)
    p.rect(-7, -34, 7, 50, c, 2)
    p.rect(-26, -26, 26, -14, c, 3)
    p.poly([(-54, 22), (-44, -8), (-28, 16)], c)
    p.poly([(54, 22), (44, -8), (28, 16)], c)


@thing("compass", grip=(-34, 26))
def _compass(p: Pen) -> None:
    p.rect(-9, -58, 9, -42, GOLD, 4)
    p.ellipse(0, 4, 48, 48, GOLD)
    p.ellipse(0, 4, 36, 36, WHITE)
    p.poly([(22, -20), (9, 11), (-9, -3)], RED, width=2.6)
    p.poly([(-22, 28), (9, 11), (-9, -3)], BLUE, width=2.6)


@thing("guitar", grip=(-20, 26), size=1.2)
def _guitar(p: Pen) -> None:
    q = p.part(0, 0, 38)
    q.rect(-6, -56, 6, 10, DARK_WOOD, 1)
    q.rect(-10, -66, 10, -46, BLACK, 3)
    q.blob(
        [(0, -10), (18, -6), (17, 10), (26, 30), (16, 52), (0, 56), (-16, 52), (-26, 30), (-17, 10), (-18, -6)],
        (232, 128, 44),
    )
    q.ellipse(0, 18, 9, 9, (90, 46, 26))
    q.line([(-11, 40), (11, 40)], width=5)
    q.line([(0, -46), (0, 38)], WHITE, 1.8)


@thing("drum", grip=(-36, 22), size=1.1)
def _drum(p: Pen) -> None:
    p.poly([(-44, -18), *arc(0, 34, 44, 16, 180, 0, 24), (44, -18)], RED)
    for i in range(4):
        x = -44 + i * 22
        p.line([(x, -8), (x + 11, 42), (x + 22, -8)], (255, 216, 80), 3)
    p.ellipse(0, -20, 44, 17, (252, 244, 226))
    p.limb([(-26, -56), (8, -22)], WOOD, 8)
    p.limb([(36, -58), (8, -26)], WOOD, 8)


@thing("server", grip=(-36, 30))
def _server(p: Pen) -> None:
    for y in (-36, 0, 36):
        p.rect(-42, y - 17, 42, y + 17, (92, 112, 160), 6)
        p.line([(-8, y), (28, y)], (188, 202, 232), 5)
        p.ellipse(-26, y, 6, 6, (112, 226, 130), width=2)


@thing("shuriken", grip=(-26, 26), size=1.1)
def _shuriken(p: Pen) -> None:
    p.poly(star(0, 0, 54, 19, 4), (150, 162, 180))
    p.poly(star(0, 0, 34, 12, 4), (196, 206, 220), outline=False)
    p.ellipse(0, 0, 9, 9, (72, 76, 92))
