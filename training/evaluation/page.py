"""The grid of a LoRA's trial: verdict, numbers, an object a row, a scale a column, strangers below."""

import base64
import io
from html import escape
from urllib.parse import quote

from PIL import Image

from inference.lora.card import LoraCard
from training.dataset.pictures import Picture
from training.evaluation.scores import Scores
from training.evaluation.trial import WITHOUT, Drawn
from training.page import page, table


def evaluation_page(scores: Scores, drawn: list[Drawn], samples: list[Picture], card: LoraCard | None) -> str:
    """The whole page; images lie beside it, the training pictures' thumbnails stand in it."""
    told = "".join(f"<li>{escape(line)}</li>" for line in scores.verdict())
    made = (
        f"{escape(card.trigger)} · {card.steps} steps · rank {card.rank} · base {escape(card.base_model)}"
        if card
        else ""
    )
    parts = [
        f"<ul>{told}</ul>",
        _numbers(scores),
        "<h2>What it was trained on</h2>",
        f'<div class="grid small">{"".join(_sample(picture) for picture in samples)}</div>',
        "<h2>The style</h2>",
        _grid([each for each in drawn if not each.case.stranger]),
        "<h2>Others, without the trigger</h2>",
        _grid([each for each in drawn if each.case.stranger]),
    ]
    lead = f"{scores.lora} on {scores.profile}, judged by {scores.scorer}. {made}"
    return page("LoRA test", lead, "\n".join(parts))


def _numbers(scores: Scores) -> str:
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
    head = ["", "style", "the character", "right object", "of those not trained on", "diversity", "near copies"]
    drift = (
        ""
        if scores.drift is None
        else f"<p>Drift of others: {scores.drift:.3f}, in pixels {scores.drift_pixels:.3f}.</p>"
    )
    return table(head, rows) + drift


def _grid(drawn: list[Drawn]) -> str:
    columns = list(dict.fromkeys((each.case.scale, each.case.seed) for each in sorted(drawn, key=_column)))
    rows: dict[tuple[str, str], dict[tuple[float, int], Drawn]] = {}
    for each in drawn:
        rows.setdefault((each.case.stranger, each.case.thing), {})[each.case.scale, each.case.seed] = each
    head = ["", *(f"{'without' if scale == WITHOUT else f'scale {scale:g}'}, seed {seed}" for scale, seed in columns)]
    lines = []
    for (stranger, thing), cells in rows.items():
        first = next(iter(cells.values())).case
        what = escape(stranger.replace("{object}", thing)) if stranger else escape(thing)
        note = "" if stranger else f"<small>{'trained on' if first.seen else 'not trained on'}</small>"
        lines.append([what + note, *(_image(cells.get(column)) for column in columns)])
    return table(head, lines, "pictures")


def _column(each: Drawn) -> tuple[float, int]:
    return each.case.scale, each.case.seed


def _image(each: Drawn | None) -> str:
    if each is None:
        return ""
    url = quote(each.case.file)
    alt = escape(f"{each.case.thing}, seed {each.case.seed}, scale {each.case.scale:g}")
    return f'<a href="{url}"><img src="{url}" alt="{alt}"></a>'


def _sample(picture: Picture) -> str:
    assert picture.thumbnail is not None
    out = io.BytesIO()
    Image.fromarray(picture.thumbnail).save(out, "JPEG", quality=85)
    data = base64.b64encode(out.getvalue()).decode()
    return f'<figure><img src="data:image/jpeg;base64,{data}" alt="{escape(picture.thing)}"></figure>'


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
