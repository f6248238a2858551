"""From portraits to numbers: was the style learned, is the object right, is anything copied, do others stay."""

from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from training.dataset.looks import difference
from training.evaluation.scorers import Features, Scorer
from training.evaluation.trial import WITHOUT, Drawn

NEAR_COPY = 0.5
"""A portrait nearer to a training picture than this share of what lies between two training pictures is a near copy."""


@dataclass(frozen=True)
class ScaleScore:
    """One LoRA scale, 0 for without. Shares 0..1; None where the scorer cannot tell.

    `style` is the mean likeness to the training pictures, `diversity` one minus the mean likeness of two seeds of one
    object, `near_copies` names portraits that nearly are a training picture.
    """

    scale: float
    portraits: int
    style: float
    look: float | None
    object_right: float | None
    object_right_unseen: float | None
    diversity: float | None
    near_copies: tuple[str, ...]


@dataclass(frozen=True)
class Scores:
    """All of `scores.json`. `style_of_training` is the training pictures' likeness among themselves.

    `drift` is one minus the mean likeness of a stranger drawn with and without the LoRA, `drift_pixels` their mean
    absolute difference, `strangers_with_look` the share of strangers that show the trained character.
    """

    lora: str
    profile: str
    scorer: str
    style_of_training: float
    scales: tuple[ScaleScore, ...]
    drift: float | None
    drift_pixels: float | None
    strangers_with_look: float | None

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)

    def verdict(self) -> list[str]:
        """What a person wants to know, in sentences."""
        before, after = self.scales[0], self.scales[-1]
        gap = self.style_of_training - before.style
        share = (after.style - before.style) / gap if gap > 1e-6 else 1.0
        learned = "learned" if share > 0.5 else "hardly learned" if share > 0.15 else "not learned"
        lines = [
            f"The style was {learned}: likeness to the training pictures {before.style:.3f} without, {after.style:.3f} "
            f"with the LoRA ({self.style_of_training:.3f} among themselves)."
        ]
        if after.look is not None and before.look is not None:
            lines.append(
                f"The trained character shows in {after.look:.0%} of the portraits, in {before.look:.0%} without."
            )
        if after.object_right is not None:
            unseen = (
                f", {after.object_right_unseen:.0%} of those not trained on"
                if after.object_right_unseen is not None
                else ""
            )
            lines.append(f"The right object is in {after.object_right:.0%} of the portraits{unseen}.")
        if after.near_copies:
            lines.append(f"{len(after.near_copies)} portraits are nearly a training picture: train fewer steps.")
        if self.drift is not None:
            stay = "stay as they were" if self.drift < 0.1 else "change too"
            lines.append(f"Others, without the trigger, {stay} (drift {self.drift:.3f}).")
        return lines


def score(
    drawn: list[Drawn], training: list[Image.Image], scorer: Scorer, lora: str, profile: str, candidates: list[str]
) -> Scores:
    """Judge all portraits against the training pictures, which are at least two."""
    reference = scorer.features(training)
    apart = float(np.median([min(_gap(a, b) for b in training if b is not a) for a in training]))
    own = [each for each in drawn if not each.case.stranger]
    scales = sorted({each.case.scale for each in own})
    rows = []
    for scale in scales:
        group = [each for each in own if each.case.scale == scale]
        rows.append(_scale(scale, group, training, reference, apart, scorer, candidates))
    drift, pixels, look = _strangers(drawn, scorer, scales[-1])
    return Scores(lora, profile, scorer.name, _among(reference), tuple(rows), drift, pixels, look)


def _scale(
    scale: float, group: list[Drawn], training: list[Image.Image], reference: Features, apart: float, scorer: Scorer,
    candidates: list[str],
) -> ScaleScore:  # fmt: skip
    images = [each.portrait for each in group]
    features = scorer.features(images)
    right = scorer.holds(images, [each.case.thing for each in group], candidates)
    look = scorer.has_look(images)
    unseen = [ok for ok, each in zip(right, group, strict=True) if not each.case.seen] if right is not None else []
    copies = tuple(
        each.case.file
        for each in group
        if scale != WITHOUT and min(_gap(each.portrait, picture) for picture in training) < NEAR_COPY * apart
    )
    return ScaleScore(
        scale=scale,
        portraits=len(group),
        style=float((features @ reference.T).mean()),
        look=_share(look),
        object_right=_share(right),
        object_right_unseen=_share(unseen or None),
        diversity=_diversity(group, features),
        near_copies=copies,
    )


def _strangers(drawn: list[Drawn], scorer: Scorer, scale: float) -> tuple[float | None, float | None, float | None]:
    with_lora = {_who(each): each.portrait for each in drawn if each.case.stranger and each.case.scale == scale}
    without = {_who(each): each.portrait for each in drawn if each.case.stranger and each.case.scale == WITHOUT}
    both = sorted(with_lora.keys() & without.keys())
    if not both or scale == WITHOUT:
        return None, None, None
    after, before = [with_lora[key] for key in both], [without[key] for key in both]
    likeness = (scorer.features(after) * scorer.features(before)).sum(axis=1)
    pixels = float(np.mean([_gap(a, b) for a, b in zip(after, before, strict=True)]))
    return float(1 - likeness.mean()), pixels, _share(scorer.has_look(after))


def _who(each: Drawn) -> tuple[str, str, int]:
    return each.case.stranger, each.case.thing, each.case.seed


def _diversity(group: list[Drawn], features: Features) -> float | None:
    alike = []
    for thing in {each.case.thing for each in group}:
        rows = features[[n for n, each in enumerate(group) if each.case.thing == thing]]
        if len(rows) > 1:
            alike.append(_among(rows))
    return 1 - float(np.mean(alike)) if alike else None


def _among(features: Features) -> float:
    """Mean likeness of two different rows."""
    count = len(features)
    whole = features @ features.T
    return float((whole.sum() - np.trace(whole)) / (count * (count - 1)))


def _gap(one: Image.Image, other: Image.Image) -> float:
    return difference(np.asarray(one), np.asarray(other))


def _share(answers: list[bool] | None) -> float | None:
    return sum(answers) / len(answers) if answers else None
