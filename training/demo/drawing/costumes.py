"""The costumes: bodies and headgear of the ten characters, drawn around the neck (see `costume`)."""

from training.demo.drawing.costume import BLACK, BROWN, GOLD, RED, STEEL, WHITE, shade, torso
from training.demo.drawing.pen import Color, Pen, arc


def draw_samurai_body(p: Pen, color: Color) -> None:
    torso(p, color)
    p.poly([(-18, 0), (0, 24), (18, 0)], WHITE)
    for x in (-33, 33):
        p.rect(x - 15, 2, x + 15, 12, shade(color, 0.75), 4)
        p.rect(x - 14, 11, x + 14, 21, color, 4)
    for y in (32, 67):
        p.line([(-27, y), (27, y)], shade(color, 0.62), 3.5)


def draw_samurai_hat(p: Pen, color: Color) -> None:
    p.poly([(-39, -46), (-54, -20), (-40, -24)], BLACK)
    p.poly([(39, -46), (54, -20), (40, -24)], BLACK)
    p.poly([*arc(0, -46, 42, 38, 180, 360, 30)], (68, 64, 82))
    p.poly([(-48, -50), (48, -50), (44, -39), (-44, -39)], color)
    p.poly([(-7, -56), (-12, -70), (-44, -104), (-36, -72), (-20, -52)], GOLD)
    p.poly([(7, -56), (12, -70), (44, -104), (36, -72), (20, -52)], GOLD)
    p.ellipse(0, -60, 11, 11, RED)


def draw_ninja_body(p: Pen, color: Color) -> None:
    torso(p, color, RED)
    p.line([(-20, 4), (22, 44)], shade(color, 1.9), 4)
    p.line([(20, 4), (-22, 44)], shade(color, 1.9), 4)


def draw_ninja_hat(p: Pen, color: Color) -> None:
    p.poly([(-36, -52), (-64, -66), (-58, -50)], RED)
    p.poly([(-36, -52), (-66, -46), (-54, -36)], RED)
    p.poly([*arc(0, -38, 41, 40, 160, 380, 36), (38, -40), (30, -46), (-30, -46), (-38, -40)], color)
    p.poly([*arc(0, -36, 40, 38, 170, 10, 30), (32, -26), (-32, -26)], color)
    p.poly([(-41, -58), (41, -58), (42, -48), (-42, -48)], RED)


def draw_knight_body(p: Pen, color: Color) -> None:
    torso(p, STEEL, BROWN)
    p.poly([(-20, 0), (20, 0), (24, 46), (-24, 46)], color)
    p.poly(
        [
            (-4, 6),
            (4, 6),
            (4, 18),
            (14, 18),
            (14, 26),
            (4, 26),
            (4, 42),
            (-4, 42),
            (-4, 26),
            (-14, 26),
            (-14, 18),
            (-4, 18),
        ],
        WHITE,
        False,
    )
    for x in (-31, 31):
        p.ellipse(x, 8, 13, 11, shade(STEEL, 1.12))


def draw_knight_hat(p: Pen, color: Color) -> None:
    p.blob([(-2, -78), (-12, -98), (-36, -104), (-52, -92), (-34, -88), (-20, -76)], color)
    p.poly([(-41, -30), *arc(0, -44, 42, 36, 180, 360, 30), (41, -30), (32, -46), (-32, -46)], (152, 168, 188))
    p.poly([(-6, -80), (6, -80), (5, -46), (-5, -46)], (206, 216, 226))
    p.poly([(-44, -53), (44, -53), (42, -43), (-42, -43)], (206, 216, 226))


def draw_robot_body(p: Pen, color: Color) -> None:
    for x in (-17, 17):
        p.rect(x - 14, 70, x + 14, 87, (92, 104, 120), 3)
    p.rect(-35, 0, 35, 78, color, 8)
    p.rect(-22, 14, 22, 48, (228, 236, 240), 4)
    for x, c in ((-11, RED), (1, GOLD), (13, (80, 190, 90))):
        p.ellipse(x, 24, 4.5, 4.5, c, width=2)
    p.line([(-13, 38), (13, 38)], (110, 120, 140), 4)
    p.line([(-26, 64), (26, 64)], shade(color, 0.6), 4)


def draw_robot_hat(p: Pen, color: Color) -> None:
    p.line([(0, -76), (0, -94)], width=5)
    p.ellipse(0, -97, 8, 8, RED)
    for x in (-44, 44):
        p.rect(x - 6, -48, x + 6, -24, (92, 104, 120), 3)


def draw_wizard_body(p: Pen, color: Color) -> None:
    p.blob([(-22, -2), (22, -2), (34, 34), (44, 78), (38, 86), (-38, 86), (-44, 78), (-34, 34)], color)
    p.poly([(-36, 46), (36, 46), (38, 56), (-38, 56)], GOLD)
    for x, y in ((-22, 70), (4, 72), (26, 68)):
        p.ellipse(x, y, 3.6, 3.6, (255, 226, 90), outline=False)


def draw_wizard_hat(p: Pen, color: Color) -> None:
    p.poly([(-36, -50), (-20, -84), (2, -106), (26, -112), (16, -92), (24, -72), (36, -50)], color)
    p.poly([*arc(0, -50, 58, 10, 0, 360, 36)], shade(color, 0.8))
    p.poly([(-34, -58), (34, -58), (30, -68), (-28, -68)], GOLD)


def draw_farmer_body(p: Pen, color: Color) -> None:
    torso(p, (236, 218, 170), BROWN)
    p.poly([(-24, 24), (24, 24), (34, 48), (35, 68), (26, 78), (-26, 78), (-35, 68), (-34, 48)], color)
    for x in (-18, 18):
        p.limb([(x, 0), (x, 30)], color, 11)
        p.ellipse(x, 29, 3, 3, GOLD, width=2)


def draw_farmer_hat(p: Pen, color: Color) -> None:
    p.poly([*arc(0, -56, 62, 13, 0, 360, 36)], (240, 206, 104))
    p.blob([(-32, -58), (-28, -84), (0, -94), (28, -84), (32, -58), (0, -53)], (240, 206, 104))
    p.poly([(-33, -66), (33, -66), (34, -57), (0, -53), (-34, -57)], RED)


def draw_pirate_body(p: Pen, color: Color) -> None:
    torso(p, WHITE, BLACK)
    for y in (12, 26, 40, 66):
        p.line([(-24, y), (24, y)], (90, 140, 200), 5)
    p.poly([(-22, -1), (-34, 30), (-35, 74), (-16, 78), (-8, 2)], color)
    p.poly([(22, -1), (34, 30), (35, 74), (16, 78), (8, 2)], color)


def draw_pirate_hat(p: Pen, color: Color) -> None:
    p.poly(
        [
            (-60, -46),
            (-44, -72),
            (-18, -80),
            (0, -96),
            (18, -80),
            (44, -72),
            (60, -46),
            (36, -54),
            (0, -57),
            (-36, -54),
        ],
        BLACK,
    )
    p.ellipse(0, -72, 9, 9, WHITE, outline=False)
    p.line([(-14, -62), (14, -80)], WHITE, 3.5)
    p.line([(14, -62), (-14, -80)], WHITE, 3.5)
    p.line([(-38, -50), (30, -50)], width=4)
    p.ellipse(15, -36, 10, 9, BLACK)


def draw_viking_body(p: Pen, color: Color) -> None:
    torso(p, color, BROWN)
    p.blob([(-36, 0), (0, -6), (36, 0), (34, 18), (18, 26), (0, 20), (-18, 26), (-34, 18)], (160, 112, 70))
    p.ellipse(0, 51, 7, 7, GOLD)


def draw_viking_hat(p: Pen, color: Color) -> None:
    p.poly([(-38, -58), (-56, -60), (-66, -92), (-50, -78), (-34, -70)], (252, 244, 220))
    p.poly([(38, -58), (56, -60), (66, -92), (50, -78), (34, -70)], (252, 244, 220))
    p.poly([*arc(0, -46, 42, 38, 180, 360, 30)], (190, 152, 84))
    p.poly([(-44, -54), (44, -54), (43, -43), (-43, -43)], (112, 92, 80))
    p.poly([(-6, -82), (6, -82), (5, -54), (-5, -54)], (112, 92, 80))


def draw_astronaut_body(p: Pen, color: Color) -> None:
    for x in (-17, 17):
        p.rect(x - 15, 68, x + 15, 87, (200, 208, 218), 6)
    p.blob([(-24, -2), (24, -2), (37, 30), (37, 64), (28, 76), (-28, 76), (-37, 64), (-37, 30)], (240, 244, 248))
    p.rect(-18, 16, 18, 42, color, 4)
    p.ellipse(-8, 29, 4.5, 4.5, RED, width=2)
    p.ellipse(8, 29, 4.5, 4.5, (255, 226, 90), width=2)
    p.line([(-33, 58), (33, 58)], color, 6)


def draw_astronaut_hat(p: Pen, color: Color) -> None:
    p.ellipse(0, -38, 47, 45, None, width=13)
    p.ellipse(0, -38, 47, 45, None, width=13)
    p.poly([*arc(0, -38, 47, 45, 0, 360, 50)], None, width=13)
    pen = p.part(0, 0)
    pen.ink = (240, 244, 248)
    pen.ellipse(0, -38, 47, 45, None, width=6.5)
    p.rect(-53, -48, -42, -26, color, 4)
    p.rect(42, -48, 53, -26, color, 4)
    p.line(arc(0, -38, 34, 32, 205, 245, 8), WHITE, 5)


def draw_chef_body(p: Pen, color: Color) -> None:
    torso(p, (246, 246, 242), color)
    p.poly([(-22, -2), (22, -2), (0, 16)], color)
    for x in (-10, 10):
        for y in (24, 37):
            p.ellipse(x, y, 3, 3, BLACK, outline=False)


def draw_chef_hat(p: Pen, color: Color) -> None:
    p.blob(
        [(-28, -66), (-46, -82), (-34, -102), (-12, -100), (0, -110), (14, -100), (34, -102), (46, -82), (28, -66)],
        WHITE,
    )
    p.rect(-31, -74, 31, -52, WHITE, 3)
    p.line([(-24, -58), (24, -58)], color, 4)


def draw_cape(p: Pen, color: Color) -> None:
    p.poly([(-24, 0), (24, 0), (42, 80), (-46, 80)], shade(color, 0.8))


def draw_backpack(p: Pen, color: Color) -> None:
    p.rect(-44, 2, 44, 60, (150, 160, 176), 8)
