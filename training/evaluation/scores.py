"""From portraits to numbers: was the style learned, is the object right, is anything copied, do others stay."""

from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from training.dataset.looks import difference
from training.embedding import Features
from training.evaluation.scorers import Scorer
from training.evaluation.trial import WITHOUT, Trial
from training.torn import TORN, torn_share
from training.verdict import PLAIN_STYLE, REMEDIES, learned, object_is_right, unaffected

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
    torn: float | None = None
    """Share of portraits that are torn where the base's is whole; None where the training pictures have no outlines."""
    torn_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moved:
    """A stranger drawn with and without the LoRA: `by` how far it moved, where 1 is what lies between two different
    strangers of the base, and whether it tore."""

    file: str
    before: str
    by: float
    torn: bool


@dataclass(frozen=True)
class Scores:
    """All of `scores.json`. `style_of_training` is the training pictures' likeness among themselves.

    `moved` are the strangers, most changed first, `strangers_with_look` the share of them that show the trained
    character.
    """

    lora: str
    profile: str
    scorer: str
    style_of_training: float
    scales: tuple[ScaleScore, ...]
    moved: tuple[Moved, ...]
    strangers_with_look: float | None

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)

    def verdict(self) -> list[str]:
        """What a person wants to know, in sentences; each is false where its pictures say so."""
        before, after = self.scales[0], self.scales[-1]
        gap = self.style_of_training - before.style
        share = (after.style - before.style) / gap if gap > 1e-6 else 1.0
        known = after.look is not None and before.look is not None
        lines = [
            f"The style was {learned(share, after.look if known else None)}: likeness to the training pictures"
            f" {before.style:.3f} without, {after.style:.3f} with the LoRA ({self.style_of_training:.3f} among"
            " themselves)."
        ]
        if known:
            lines.append(
                f"The trained character shows in {after.look:.0%} of the portraits, in {before.look:.0%} without."
            )
        if after.torn is not None:
            torn = f"{after.torn:.0%}" if after.torn else "None"
            lines.append(f"{torn} of the portraits {'are' if after.torn else 'is'} torn where the base's is whole.")
        if after.object_right is not None:
            enough = "The object is right" if object_is_right(after.object_right) else "Too seldom is the object right"
            unseen = after.object_right_unseen
            more = f", {unseen:.0%} of those not trained on" if unseen is not None else ""
            lines.append(f"{enough}: in {after.object_right:.0%} of the portraits{more}.")
        if after.near_copies:
            count = len(after.near_copies)
            copies = f"{count} portraits are" if count > 1 else "1 portrait is"
            lines.append(f"{copies} nearly a training picture: train fewer steps.")
        if self.moved:
            lines.append(self._others())
        return lines

    @property
    def others_unaffected(self) -> bool:
        """Whether every stranger stays as it was: the one that changed most, or tore, decides."""
        return all(unaffected(each.by) and not each.torn for each in self.moved)

    def _others(self) -> str:
        worst = self.moved[0]
        how = f"the most changed moved {worst.by:.3f} of what lies between two of them"
        if self.others_unaffected:
            return f"Others, without the trigger, stay as they were: {how}."
        count = sum(not unaffected(each.by) or each.torn for each in self.moved)
        return f"Others change too, {count} of {len(self.moved)}: {how}. What helps: {REMEDIES}."


def score(
    drawn: list[Trial],
    training: list[Image.Image],
    scorer: Scorer,
    lora: str,
    profile: str,
    candidates: list[str],
) -> Scores:
    """Judge all portraits against the training pictures, which are at least two."""
    reference = scorer.features(training)
    apart = float(np.median([min(_gap(a, b) for b in training if b is not a) for a in training]))
    own = [each for each in drawn if not each.case.stranger]
    scales = sorted({each.case.scale for each in own})
    outlined_style = (_share([_is_torn(picture) for picture in training]) or 0.0) <= PLAIN_STYLE
    # Steam has no outline either: what the base draws so is not the LoRA's doing.
    base_torn = {_who(each): _is_torn(each.portrait) for each in own if each.case.scale == WITHOUT}
    rows = []
    for scale in scales:
        group = [each for each in own if each.case.scale == scale]
        rows.append(_scale(scale, group, training, reference, apart, scorer, candidates, outlined_style, base_torn))
    moved, look = _strangers(drawn, scorer, scales[-1], outlined_style)
    return Scores(lora, profile, scorer.name, _among(reference), tuple(rows), moved, look)


def _scale(
    scale: float, group: list[Trial], training: list[Image.Image], reference: Features, apart: float, scorer: Scorer,
    candidates: list[str], outlined: bool, base_torn: dict[tuple[str, str, int], bool],
) -> ScaleScore:  # fmt: skip
    images = [each.portrait for each in group]
    features = scorer.features(images)
    torn = [outlined and _is_torn(each.portrait) and not base_torn.get(_who(each), False) for each in group]
    right = scorer.holds(images, [each.case.thing for each in group], candidates)
    if right is not None:  # what is torn holds nothing whole
        right = [ok and not hurt for ok, hurt in zip(right, torn, strict=True)]
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
        torn=_share(torn) if outlined else None,
        torn_files=tuple(each.case.file for each, hurt in zip(group, torn, strict=True) if hurt),
    )


def _strangers(
    drawn: list[Trial], scorer: Scorer, scale: float, outlined: bool
) -> tuple[tuple[Moved, ...], float | None]:
    """Each stranger with how far the LoRA moved it, furthest first; and the share that shows the trained character."""
    with_lora = {_who(each): each for each in drawn if each.case.stranger and each.case.scale == scale}
    without = {_who(each): each for each in drawn if each.case.stranger and each.case.scale == WITHOUT}
    both = sorted(with_lora.keys() & without.keys())
    if not both or scale == WITHOUT:
        return (), None
    after, before = [with_lora[key].portrait for key in both], [without[key].portrait for key in both]
    features = scorer.features(before)
    different = [
        1 - float(features[a] @ features[b]) for a in range(len(both)) for b in range(a) if both[a][0] != both[b][0]
    ]
    apart = float(np.mean(different)) if different else 1.0
    likeness = (scorer.features(after) * features).sum(axis=1)
    moved = [
        Moved(
            with_lora[key].case.file,
            without[key].case.file,
            float(1 - like) / max(apart, 1e-6),
            outlined and _is_torn(new) and not _is_torn(old),
        )
        for key, like, new, old in zip(both, likeness, after, before, strict=True)
    ]
    worst = sorted(moved, key=lambda each: (each.torn, each.by), reverse=True)
    return tuple(worst), _share(scorer.has_look(after))


def _is_torn(image: Image.Image) -> bool:
    return torn_share(image) > TORN


def _who(each: Trial) -> tuple[str, str, int]:
    return each.case.stranger, each.case.thing, each.case.seed


def _diversity(group: list[Trial], features: Features) -> float | None:
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
