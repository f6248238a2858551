"""The grid of a LoRA's trial: verdict, numbers, an object a row, a scale a column, strangers below."""

from inference.lora.card import LoraCard
from training.dataset.pictures import Picture
from training.evaluation.scores import Scores
from training.evaluation.trial import WITHOUT, Drawn
from training.page import data_url, page

_HEAD = ("", "style", "the character", "right object", "of those not trained on", "diversity", "near copies")


def evaluation_page(scores: Scores, drawn: list[Drawn], samples: list[Picture], card: LoraCard | None) -> str:
    """The whole page; images lie beside it, the training pictures' thumbnails stand in it."""
    made = f"{card.trigger} · {card.steps} steps · rank {card.rank} · base {card.base_model}" if card else ""
    drift = ""
    if scores.drift is not None:
        drift = f"Drift of others: {scores.drift:.3f}, in pixels {scores.drift_pixels:.3f}."
    return page(
        "evaluation.html",
        title="LoRA test",
        lead=f"{scores.lora} on {scores.profile}, judged by {scores.scorer}. {made}",
        verdict=scores.verdict(),
        head=_HEAD,
        numbers=_numbers(scores),
        drift=drift,
        samples=[
            {"image": data_url(picture.thumbnail), "thing": picture.thing}
            for picture in samples
            if picture.thumbnail is not None
        ],
        style=_grid([each for each in drawn if not each.case.stranger]),
        strangers=_grid([each for each in drawn if each.case.stranger]),
    )


def _numbers(scores: Scores) -> list[list[str]]:
    rows = [
        [
            "without LoRA" if row.scale == WITHOUT else f"scale {row.scale:g}",
            f"{row.style:.3f}",
            _percent(row.look),
            _percent(row.object_right),
            _percent(row.object_right_unseen),
            "" if row.diversity is None else f"{row.diversity:.3f}",
            str(len(row.near_copies)),
        ]
        for row in scores.scales
    ]
    rows.append(["training pictures", f"{scores.style_of_training:.3f}", "", "", "", "", ""])
    return rows


def _grid(drawn: list[Drawn]) -> dict[str, object]:
    """A row an object, a column a scale and seed."""
    columns = list(dict.fromkeys((each.case.scale, each.case.seed) for each in sorted(drawn, key=_column)))
    rows: dict[tuple[str, str], dict[tuple[float, int], Drawn]] = {}
    for each in drawn:
        rows.setdefault((each.case.stranger, each.case.thing), {})[each.case.scale, each.case.seed] = each
    lines = []
    for (stranger, thing), cells in rows.items():
        seen = next(iter(cells.values())).case.seen
        note = "" if stranger else "trained on" if seen else "not trained on"
        cases = [cells[column].case if column in cells else None for column in columns]
        title = stranger.replace("{object}", thing) if stranger else thing
        lines.append({"title": title, "note": note, "cells": cases})
    heads = [f"{'without' if scale == WITHOUT else f'scale {scale:g}'}, seed {seed}" for scale, seed in columns]
    return {"columns": heads, "rows": lines}


def _column(each: Drawn) -> tuple[float, int]:
    return each.case.scale, each.case.seed


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
