"""The page of a LoRA's trial: verdict, the worst examples large, all portraits, and the numbers below."""

from inference.lora.card import LoraCard
from training.dataset.pictures import Picture
from training.evaluation.scores import Moved, Scores
from training.evaluation.trial import WITHOUT, Trial
from training.page import data_url, page
from training.verdict import unaffected

_HEAD = ("", "style", "the character", "right object", "of those not trained on", "torn", "diversity", "near copies")
_WORST = 3  # of a kind, by hand: enough to see what goes wrong


def evaluation_page(scores: Scores, drawn: list[Trial], samples: list[Picture], card: LoraCard | None) -> str:
    """The whole page; images lie beside it, the training pictures' thumbnails stand in it."""
    made = f"{card.trigger} · {card.steps} steps · rank {card.rank} · base {card.base_model}" if card else ""
    return page(
        "evaluation.html",
        title="LoRA test",
        lead=f"{scores.lora} on {scores.profile}, judged by {scores.scorer}. {made}",
        verdict=scores.verdict(),
        head=_HEAD,
        numbers=_numbers(scores),
        worst=_worst(scores, drawn),
        samples=[
            {"image": data_url(picture.thumbnail), "thing": picture.thing}
            for picture in samples
            if picture.thumbnail is not None
        ],
        style=_grid([each for each in drawn if not each.case.stranger]),
        strangers=_grid([each for each in drawn if each.case.stranger]),
    )


def _worst(scores: Scores, drawn: list[Trial]) -> list[dict[str, object]]:
    """What went wrong, or came nearest to it, each beside the same without the LoRA: at most `_WORST` of a kind."""
    found: list[dict[str, object]] = [
        {
            "file": each.file,
            "before": each.before,
            "words": f"{'torn, and ' if each.torn else ''}moved {each.by:.3f}: "
            + ("changed, though nobody asked for the style" if _hurt(each) else "the most changed of the others"),
        }
        for each in scores.moved[:_WORST]
        if _hurt(each) or each is scores.moved[0]
    ]
    before = {
        (each.case.thing, each.case.seed): each.case.file
        for each in drawn
        if each.case.scale == WITHOUT and not each.case.stranger
    }
    asked = {each.case.file: (each.case.thing, each.case.seed) for each in drawn}
    last = scores.scales[-1]
    for kind, files in (("torn", last.torn_files), ("nearly a training picture", last.near_copies)):
        found += [{"file": file, "before": before[asked[file]], "words": kind} for file in files[:_WORST]]
    return found


def _hurt(each: Moved) -> bool:
    return each.torn or not unaffected(each.by)


def _numbers(scores: Scores) -> list[list[str]]:
    rows = [
        [
            "without LoRA" if row.scale == WITHOUT else f"scale {row.scale:g}",
            f"{row.style:.3f}",
            percent(row.look),
            percent(row.object_right),
            percent(row.object_right_unseen),
            percent(row.torn),
            "" if row.diversity is None else f"{row.diversity:.3f}",
            str(len(row.near_copies)),
        ]
        for row in scores.scales
    ]
    rows.append(["training pictures", f"{scores.style_of_training:.3f}", "", "", "", "", "", ""])
    return rows


def _grid(drawn: list[Trial]) -> dict[str, object]:
    """A row an object, a column a scale and seed."""
    columns = list(dict.fromkeys((each.case.scale, each.case.seed) for each in sorted(drawn, key=_column)))
    rows: dict[tuple[str, str], dict[tuple[float, int], Trial]] = {}
    for each in drawn:
        rows.setdefault((each.case.stranger, each.case.thing), {})[each.case.scale, each.case.seed] = each
    lines = []
    for (stranger, thing), cells in rows.items():
        seen = next(iter(cells.values())).case.seen
        note = "" if stranger else "trained on" if seen else "not trained on"
        title = stranger.replace("{object}", thing) if stranger else thing
        lines.append({"title": title, "note": note, "cells": [_cell(cells.get(column)) for column in columns]})
    heads = [f"{'without' if scale == WITHOUT else f'scale {scale:g}'}, seed {seed}" for scale, seed in columns]
    return {"columns": heads, "rows": lines}


def _cell(each: Trial | None) -> dict[str, str] | None:
    if each is None:
        return None
    case = each.case
    return {"file": case.file, "alt": f"{case.thing}, seed {case.seed}, scale {case.scale:g}"}


def _column(each: Trial) -> tuple[float, int]:
    return each.case.scale, each.case.seed


def percent(share: float | None) -> str:
    """A share as people read it, nothing where it is not known."""
    return "" if share is None else f"{share:.0%}"
