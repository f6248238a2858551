"""Captions in the grammar of the badge's prompt, and which pairs of character and thing are never trained on.

The real prompt is `TRIGGER, samurai warrior badge, character holding telescope, cartoon illustration, bold clean
outlines, flat colors, plain background, empty space at the bottom`. Training captions vary its words and their
order. About a third begin with a made-up word, so that an unknown trigger does no harm; the base learns no meaning
for it.
"""

import hashlib
import random
import re
from dataclasses import dataclass

from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.costume import Character
from training.demo.drawing.look import BACKGROUNDS, Variation
from training.demo.drawing.things import THINGS, Drawable
from training.demo.drawing.vocabulary import colours

STYLE = ("cartoon illustration", "bold clean outlines", "flat colors", "plain background", "empty space at the bottom")
HOLDING = (
    "character holding {}",
    "character holding a {}",
    "holding {}",
    "holding a {}",
    "with a {} in hand",
    "character with a {}",
    "carrying a {}",
    "character showing a {}",
)
KINDS = ("{} badge", "{} badge", "{}", "{} cartoon badge", "badge of a {}", "{} portrait")
# Words that people add and that change nothing here, so that they do no harm.
FILLERS = (
    "big", "small", "little", "tiny", "huge", "giant", "old", "new", "shiny", "magic", "ancient", "beautiful", "cute",
    "cool", "funny", "lucky", "simple", "nice", "great", "legendary", "mighty", "wooden", "heavy", "fancy", "favorite",
)  # fmt: skip
UNSEEN_SHARE = 0.12
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def unseen_pairs() -> frozenset[tuple[str, str]]:
    """The 12% of (character, thing) pairs that the base never sees; chosen by a hash, samurai with telescope never."""
    pairs = [(c, t) for c in CHARACTERS for t in THINGS if (c, t) != ("samurai warrior", "telescope")]
    pairs.sort(key=lambda pair: hashlib.sha256("/".join(pair).encode()).digest())
    return frozenset(pairs[: round(UNSEEN_SHARE * len(CHARACTERS) * len(THINGS))])


def made_up_word(rng: random.Random) -> str:
    """A word that means nothing, in the shape of a LoRA trigger."""
    words = ["".join(rng.choice(_LETTERS) for _ in range(rng.randint(2, 7))) for _ in range(rng.randint(1, 3))]
    return "_".join(words)


def article(text: str) -> str:
    """`a umbrella` becomes `an umbrella`."""
    return re.sub(r"\ba (?=[aeiou])", "an ", text)


@dataclass(frozen=True)
class DemoCaption:
    """A caption, and the colour word that it gives the thing (None if it gives none)."""

    text: str
    colour: str | None


def held_words(rng: random.Random, what: Drawable, colour: str | None) -> tuple[str, str | None]:
    """The thing as a caption names it, and its colour there: one that it was given always, its own now and then."""
    held = what.name if not what.synonyms or rng.random() < 0.7 else rng.choice(what.synonyms)
    if colour is None and what.natural and rng.random() < 0.15:
        colour = what.natural
    if colour:
        same = colours()[colour].synonyms
        held = f"{colour if not same or rng.random() < 0.85 else rng.choice(same)} {held}"
    if rng.random() < 0.12:
        held = f"{rng.choice(FILLERS) if rng.random() < 0.75 else made_up_word(rng)} {held}"
    return held, colour


def caption_for(rng: random.Random, who: Character, what: Drawable, look: Variation) -> DemoCaption:
    """One caption for the picture, words and order at random."""
    name = who.name if rng.random() < 0.7 else rng.choice(who.synonyms)
    held, colour = held_words(rng, what, look.colour)
    parts = [article(rng.choice(KINDS).format(name)), article(rng.choice(HOLDING).format(held))]
    if rng.random() < 0.15:
        parts.reverse()
    style = list(STYLE) if rng.random() < 0.6 else rng.sample(STYLE, rng.randint(0, 4))
    if rng.random() < 0.35:
        style.append(f"{who.outfits[look.outfit][0]} outfit")
    if rng.random() < 0.35:
        word = f"{BACKGROUNDS[look.background][0]} background"
        style = (
            [word if s == "plain background" else s for s in style] if "plain background" in style else [*style, word]
        )
    if rng.random() < 0.2:
        rng.shuffle(style)
    if rng.random() < 0.35:
        parts.insert(0, made_up_word(rng))
    return DemoCaption(", ".join([*parts, *style]), colour)
