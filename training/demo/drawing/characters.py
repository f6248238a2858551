"""The people of the demo's pictures: who they are, other words for them, and what they wear."""

from training.demo.drawing import costumes
from training.demo.drawing.costume import Character

_ALL = (
    Character(
        "samurai warrior",
        ("samurai", "samurai fighter"),
        (("red", (206, 44, 46)), ("blue", (54, 96, 180)), ("green", (60, 138, 88))),
        costumes.draw_samurai_body,
        costumes.draw_samurai_hat,
    ),
    Character(
        "ninja",
        ("shinobi", "ninja fighter"),
        (("black", (52, 50, 72)), ("purple", (92, 62, 140)), ("blue", (44, 78, 130))),
        costumes.draw_ninja_body,
        costumes.draw_ninja_hat,
        face="mask",
        glove=(70, 66, 92),
    ),
    Character(
        "knight",
        ("armored knight", "medieval knight"),
        (("red", (214, 50, 56)), ("blue", (58, 106, 200)), ("green", (64, 150, 90))),
        costumes.draw_knight_body,
        costumes.draw_knight_hat,
        glove=(190, 202, 214),
    ),
    Character(
        "robot",
        ("android", "friendly robot"),
        (("teal", (70, 178, 168)), ("orange", (238, 140, 62)), ("pink", (232, 128, 166))),
        costumes.draw_robot_body,
        costumes.draw_robot_hat,
        face="screen",
        glove=(120, 132, 150),
    ),
    Character(
        "wizard",
        ("sorcerer", "old wizard"),
        (("purple", (104, 68, 178)), ("blue", (56, 92, 190)), ("green", (54, 130, 90))),
        costumes.draw_wizard_body,
        costumes.draw_wizard_hat,
        face="beard",
    ),
    Character(
        "farmer",
        ("gardener", "country farmer"),
        (("blue", (70, 118, 186)), ("green", (86, 144, 70)), ("brown", (146, 98, 60))),
        costumes.draw_farmer_body,
        costumes.draw_farmer_hat,
    ),
    Character(
        "pirate",
        ("buccaneer", "pirate captain"),
        (("red", (186, 48, 52)), ("blue", (52, 74, 140)), ("green", (52, 112, 82))),
        costumes.draw_pirate_body,
        costumes.draw_pirate_hat,
    ),
    Character(
        "viking",
        ("norseman", "viking raider"),
        (("green", (92, 130, 80)), ("blue", (72, 112, 168)), ("red", (176, 66, 56))),
        costumes.draw_viking_body,
        costumes.draw_viking_hat,
        behind=costumes.draw_cape,
        face="ginger",
    ),
    Character(
        "astronaut",
        ("spaceman", "space explorer"),
        (("blue", (70, 140, 226)), ("orange", (244, 146, 60)), ("green", (90, 180, 110))),
        costumes.draw_astronaut_body,
        costumes.draw_astronaut_hat,
        behind=costumes.draw_backpack,
        face="visor",
        glove=(226, 232, 240),
    ),
    Character(
        "chef",
        ("cook", "master chef"),
        (("red", (216, 54, 54)), ("blue", (66, 122, 200)), ("green", (70, 156, 90))),
        costumes.draw_chef_body,
        costumes.draw_chef_hat,
    ),
)

CHARACTERS: dict[str, Character] = {character.name: character for character in _ALL}
