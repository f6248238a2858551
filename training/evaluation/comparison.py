"""The page above several trials: what each LoRA comes to, and the same portraits of all of them side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from training.evaluation.page import percent
from training.evaluation.scores import Scores
from training.evaluation.trial import WITHOUT, Case, Trial
from training.page import page


@dataclass(frozen=True)
class Tried:
    """One LoRA's trial, which lies in the folder `name` beside the page."""

    name: str
    scores: Scores
    drawn: list[Trial]


def comparison_page(tried: Sequence[Tried]) -> str:
    """The whole page. All trials have the same objects, strangers, seeds and scales."""
    return page(
        "comparison.html",
        title="LoRAs side by side",
        lead=f"{', '.join(each.name for each in tried)}: the same objects and seeds, at each scale that was asked for.",
        tried=[{"name": each.name, "scores": each.scores, "verdict": each.scores.verdict()} for each in tried],
        numbers=_numbers(tried),
        style=_grid(tried, lambda case: not case.stranger),
        strangers=_grid(tried, lambda case: bool(case.stranger)),
    )


def _scales(tried: Sequence[Tried]) -> list[float]:
    return [row.scale for row in tried[0].scores.scales if row.scale != WITHOUT]


def _numbers(tried: Sequence[Tried]) -> list[dict[str, object]]:
    """A row a measure, a cell a LoRA, at the highest scale; `best` marks the better ones where they differ."""
    rows: list[dict[str, object]] = []

    def add(title: str, values: list[float | None], shown: Callable[[float | None], str], better: int) -> None:
        known = [value for value in values if value is not None]
        if not known:
            return
        top = max(known, key=lambda value: better * value)
        differ = len(set(known)) > 1
        rows.append(
            {"title": title, "cells": [{"text": shown(value), "best": differ and value == top} for value in values]}
        )

    def plain(value: float | None) -> str:
        return "" if value is None else f"{value:.3f}"

    last = [each.scores.scales[-1] for each in tried]
    add("likeness to the training pictures", [row.style for row in last], plain, 1)
    add("shows the character", [row.look for row in last], percent, 1)
    add("right object", [row.object_right for row in last], percent, 1)
    add("of those not trained on", [row.object_right_unseen for row in last], percent, 1)
    add("torn", [row.torn for row in last], percent, -1)
    add("how different two seeds are", [row.diversity for row in last], plain, 1)
    add("how far the most changed stranger moved", [_worst(each.scores) for each in tried], plain, -1)
    return rows


def _worst(scores: Scores) -> float | None:
    return max((each.by for each in scores.moved), default=None)


def _grid(tried: Sequence[Tried], wanted: Callable[[Case], bool]) -> dict[str, object]:
    """A row an object and seed, a column a LoRA and scale; cells are None where that LoRA was not asked for it."""
    columns = ["without", *(f"{each.name}, {scale:g}" for scale in _scales(tried) for each in tried)]
    files = [{each.case: f"{trial.name}/{each.case.file}" for each in trial.drawn} for trial in tried]
    rows: list[dict[str, object]] = []
    for case in (case for case in files[0] if case.scale == WITHOUT and wanted(case)):
        shown: list[str | None] = [files[0][case]]
        for scale in _scales(tried):
            shown += [known.get(replace(case, scale=scale)) for known in files]
        title = case.stranger.replace("{object}", case.thing) if case.stranger else case.thing
        note = f"seed {case.seed}"
        cells = [
            {"file": file, "alt": f"{title}, {note}, {column}"} if file else None
            for file, column in zip(shown, columns, strict=True)
        ]
        rows.append({"title": title, "note": note, "cells": cells})
    return {"columns": columns, "rows": rows}
