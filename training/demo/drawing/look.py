"""What varies between two pictures of the same character with the same thing: colours, pose, scale, tint."""

import random
from dataclasses import dataclass

from training.demo.drawing.costume import Character
from training.demo.drawing.faces import MOODS
from training.demo.drawing.pen import Color

BACKGROUNDS: tuple[tuple[str, Color], ...] = (
    ("cream", (251, 246, 232)),
    ("white", (252, 252, 252)),
    ("mint", (226, 244, 234)),
    ("sky blue", (224, 240, 252)),
    ("pink", (253, 232, 236)),
    ("lavender", (238, 234, 250)),
)


@dataclass(frozen=True)
class Look:
    """What varies between two pictures of the same character with the same thing."""

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

    @staticmethod
    def sample(rng: random.Random, who: Character) -> "Look":
        """A look at random; the usual outfit and the cream background are the commonest."""
        return Look(
            outfit=rng.choices(range(len(who.outfits)), [6, 2, 2])[0],
            background=rng.choices(range(len(BACKGROUNDS)), [5, 2, 2, 2, 1, 1])[0],
            mood=rng.choices(MOODS, [5, 3, 2])[0],
            scale=rng.uniform(0.95, 1.03),
            shift=(rng.uniform(-3, 3), rng.uniform(-2, 2)),
            lean=rng.uniform(-2.5, 2.5),
            thing_angle=rng.uniform(-9, 9),
            thing_scale=rng.uniform(0.93, 1.03),
            lift=rng.random(),
            tint=(rng.randint(-3, 3), rng.randint(-3, 3), rng.randint(-3, 3)),
        )
