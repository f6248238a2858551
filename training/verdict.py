"""What "learned", "object right" and "others unaffected" mean, for the training's judge and for `training.evaluate`.

Measured on the demo, portraits of 6 objects with 2 seeds and 9 strangers with 2 seeds, without its LoRA and with it at
scale 0.3, 1.0 and 2.0; scores by the demo's classifier and by `pixels`. Seen by eye and by the classifier, the style is
absent at 0.3 (the character in 0%), there at 1.0 (in 100%), and at 2.0 portraits and strangers dissolve.
"""

LEARNED = 0.8
"""Share of the way from the base's likeness to the training pictures' own. At scale 0.3: 0.14 by the classifier, 0.53
by pixels; at 1.0: 1.15 and 1.5."""

PARTLY = 0.1
"""Less of that way than this is nothing; 0.3 of the demo's LoRA, which is a little, came to 0.14."""

SHOWN = 0.5
"""Share of the portraits with the trained character, where the scorer knows it: 0% at scale 0.3, 100% at 1.0."""

OBJECT_RIGHT = 0.7
"""Share of whole portraits with the right object. With the demo's LoRA 11 of 12 at scale 1.0 (12 of 15 in
training/demo/README.md); at 2.0 none of 12, since all are torn."""

CHANGED = 0.05
"""How far a stranger moved, where 1 is what lies between two different strangers of the base. The furthest of 18 moved
0.017 by the classifier and 0.035 by pixels at scale 1.0, 0.22 and 0.082 at 2.0."""

PLAIN_STYLE = 0.25
"""More torn training pictures than this: the style has no outlines so torn places cannot be found. Demo: 1 of 20."""

HARMS = 0.03
"""Drift of the velocity of the stranger that moves furthest, relative to the base's own. The demo's LoRA: 0.0017 at
scale 0.3, 0.0141 at 1.0, 0.0236 at 1.3, 0.0389 at 1.6, 0.0746 at 2.0; by eye others stay at 1.0 and dissolve at 2.0."""

REMEDIES = "fewer steps, a lower scale (local.lora_scale), or more prior preservation (training.preserve)"


def learned(share: float, shown: float | None) -> str:
    """How much of the style is there, in a word, from the share of the way and that of portraits with the character."""
    if share >= LEARNED and (shown is None or shown >= SHOWN):
        return "learned"
    return "partly learned" if share >= PARTLY or (shown is not None and shown >= SHOWN) else "not learned"


def object_is_right(share: float) -> bool:
    """Whether enough whole portraits hold what was asked for."""
    return share >= OBJECT_RIGHT


def unaffected(worst: float, limit: float = CHANGED) -> bool:
    """Whether others stay as they were: the one that changed most decides."""
    return worst <= limit
