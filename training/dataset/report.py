"""The data set's report: a table for the terminal, and `report.html` with thumbnails and the same remarks."""

import base64
import io
from html import escape

from PIL import Image

from training.dataset.checks import Finding, mean_background
from training.dataset.looks import background
from training.dataset.pictures import DataSet, Picture
from training.page import page

_MARKS = {"error": "x", "warning": "!", "note": "."}


def summary(data: DataSet, found: list[Finding]) -> str:
    """One line: how many pictures, objects, errors and warnings."""
    usable = [picture for picture in data.pictures if not picture.problem]
    things = len({picture.thing for picture in usable})
    counts = {level: sum(f.level == level for f in found) for level in _MARKS}
    verdict = "cannot be trained on" if counts["error"] else "ready"
    return (
        f"{data.folder}: {len(usable)} pictures, {things} objects, background {mean_background(data):.2f}; "
        f"{counts['error']} errors, {counts['warning']} warnings: {verdict}"
    )


def terminal_table(data: DataSet, found: list[Finding]) -> str:
    """A line a picture with its size, background, object and caption, its remarks below; the whole set's first."""
    width = max(12, *(len(picture.path.name) for picture in data.pictures))
    lines = [f"{'picture':<{width}}  {'size':>9}  {'ground':>6}  {'object':<18} caption"]
    for picture in data.pictures:
        size = f"{picture.width}x{picture.height}" if not picture.problem else "broken"
        ground = f"{background(picture.thumbnail):.2f}" if picture.thumbnail is not None else ""
        caption = picture.caption or f"({data.caption(picture)})"
        lines.append(
            f"{picture.path.name:<{width}}  {size:>9}  {ground:>6}  {picture.thing[:18]:<18} {_cut(caption, 60)}"
        )
        lines += [f"  {_MARKS[f.level]} {f.level}: {f.text}" for f in found if _belongs(f, picture)]
    lines += [f"{_MARKS[f.level]} {f.level}: {f.text}" for f in found if not f.name]
    mendable = sum(f.mendable for f in found)
    if mendable:
        lines.append(
            f"repair mends {mendable} of these: python -m training.dataset repair {data.folder} --out NEW_FOLDER"
        )
    return "\n".join([*lines, summary(data, found)])


def html_report(data: DataSet, found: list[Finding]) -> str:
    """The whole report as one page; thumbnails stand in it, so it can be sent to somebody."""
    whole = [f'<li class="{f.level}">{escape(f.text)}</li>' for f in found if not f.name]
    cards = "\n".join(_card(data, picture, found) for picture in data.pictures)
    body = (f"<ul>{''.join(whole)}</ul>\n" if whole else "") + f'<div class="grid">\n{cards}\n</div>'
    return page("Training pictures", summary(data, found), body)


def _card(data: DataSet, picture: Picture, found: list[Finding]) -> str:
    remarks = "".join(f'<li class="{f.level}">{escape(f.text)}</li>' for f in found if _belongs(f, picture))
    image = f'<img src="{_data_url(picture)}" alt="{escape(picture.thing)}">' if picture.thumbnail is not None else ""
    size = f"{picture.width}x{picture.height}" if not picture.problem else "broken"
    return (
        f"<figure>{image}<figcaption><strong>{escape(picture.path.name)}</strong>{size}<br>"
        f'<span class="note" dir="auto">{escape(data.caption(picture))}</span>'
        f"{f'<ul>{remarks}</ul>' if remarks else ''}</figcaption></figure>"
    )


def _data_url(picture: Picture) -> str:
    out = io.BytesIO()
    assert picture.thumbnail is not None
    Image.fromarray(picture.thumbnail).save(out, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _belongs(finding: Finding, picture: Picture) -> bool:
    return finding.name in (picture.path.name, picture.path.with_suffix(".txt").name)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
