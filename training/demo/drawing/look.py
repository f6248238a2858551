"""What varies between two pictures of the same character with the same thing: colours, pose, scale, tint."""

import random
from dataclasses import dataclass, replace

from training.demo.drawing.costume import Character
from training.demo.drawing.faces import MOODS
from training.demo.drawing.pen import Color
from training.demo.drawing.things.thing import Drawable
from training.demo.drawing.vocabulary import colours

BACKGROUNDS: tuple[tuple[str, Color], ...] = (
    ("cream", (251, 246, 232)),
    ("white", (252, 252, 252)),
    ("mint", (226, 244, 234)),
    ("sky blue", (224, 240, 252)),
    ("pink", (253, 232, 236)),
    ("lavender", (238, 234, 250)),
)
COLOURED = 0.38  # the share of things that get another colour
HEIGHTS = (84.0, 110.0, 127.0)  # the middle of the thing: raised, at the chest, low; all above the banner


@dataclass(frozen=True)
class Variation:
    """What varies between two pictures of the same character with the same thing.

    `mirrored`: the thing is at the picture's left; `height`: index of `HEIGHTS`; `colour`: a colour word that the thing
    is given, or None for its own.
    """

    outfit: int
    background: int
    mood: str
    scale: float
    shift: tuple[float, float]
    lean: float
    thing_angle: float
    thing_scale: float
    lift: float
    tint: tuple[int, int, int]
    mirrored: bool = False
    height: int = 1
    colour: str | None = None

    @staticmethod
    def sample(rng: random.Random, who: Character, what: Drawable, calm: bool = False) -> "Variation":
        """A variation at random; the usual outfit and the cream background are the commonest.

        A calm one has the usual pose and hardly any jitter: what a small model is refined on.
        """
        colour = rng.choice(list(colours())) if what.fill.can_change and rng.random() < COLOURED else None
        look = Variation(
            outfit=rng.choices(range(len(who.outfits)), [6, 2, 2])[0],
            background=rng.choices(range(len(BACKGROUNDS)), [5, 2, 2, 2, 1, 1])[0],
            mood=rng.choices(MOODS, [5, 3, 2])[0],
            scale=rng.uniform(0.99, 1.04),
            shift=(rng.uniform(-2, 2), rng.uniform(-1.5, 1.5)),
            lean=rng.uniform(-2.5, 2.5),
            thing_angle=rng.uniform(-9, 9),
            thing_scale=rng.uniform(0.93, 1.03),
            lift=rng.random(),
            tint=(rng.randint(-3, 3), rng.randint(-3, 3), rng.randint(-3, 3)),
            mirrored=rng.random() < 0.3,
            height=rng.choices(range(len(HEIGHTS)), [3, 5, 2])[0],
            colour=colour,
        )
        if not calm:
            return look
        return replace(
            look,
            mirrored=False,
            height=1,
            thing_angle=rng.uniform(-2, 2),
            thing_scale=rng.uniform(0.985, 1.005),
            lean=rng.uniform(-1, 1),
            shift=(rng.uniform(-1, 1), rng.uniform(-1, 1)),
            scale=rng.uniform(1.005, 1.025),
        )
