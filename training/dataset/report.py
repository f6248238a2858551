"""The data set's report: a table for the terminal, and `report.html` with thumbnails and the same remarks."""

from training.dataset.checks import Finding, counted, mean_background
from training.dataset.folder import shown
from training.dataset.looks import background
from training.dataset.pictures import DataSet, Picture
from training.page import data_url, page

_MARKS = {"error": "x", "warning": "!", "note": "."}


def summary(data: DataSet, found: list[Finding]) -> str:
    """One line: how many pictures, objects, errors and warnings."""
    usable = [picture for picture in data.pictures if not picture.problem]
    things = len({picture.thing for picture in usable})
    counts = {level: sum(f.level == level for f in found) for level in _MARKS}
    verdict = "cannot be trained on" if counts["error"] else "ready"
    return (
        f"{shown(data.folder)}: {counted(len(usable), 'picture')}, {counted(things, 'object')}, "
        f"background {mean_background(data):.2f}; "
        f"{counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}: {verdict}"
    )


def terminal_table(data: DataSet, found: list[Finding], columns: int) -> str:
    """A line a picture with its size, background, object and caption, its remarks below; the whole set's first.

    The table's own lines are at most `columns` characters long, where those are 64 or more.
    """
    thing_width = min(max(6, *(len(picture.thing) for picture in data.pictures)), 18, columns // 5)
    free = columns - thing_width - len("  1024x1024  ground    ")
    name_width = min(max(12, *(len(picture.name) for picture in data.pictures)), max(12, free - 20))
    caption_width = max(8, min(60, free - name_width))
    lines = [f"{'picture':<{name_width}}  {'size':>9}  {'ground':>6}  {'object':<{thing_width}}  caption"]
    for picture in data.pictures:
        size = f"{picture.width}x{picture.height}" if not picture.problem else "broken"
        ground = f"{background(picture.thumbnail):.2f}" if picture.thumbnail is not None else ""
        caption = picture.caption or f"({data.caption(picture)})"
        lines.append(
            f"{_cut(picture.name, name_width):<{name_width}}  {size:>9}  {ground:>6}  "
            f"{_cut(picture.thing, thing_width):<{thing_width}}  {_cut(caption, caption_width)}"
        )
        lines += [f"  {_MARKS[f.level]} {f.level}: {f.text}" for f in found if _belongs(f, picture)]
    lines += [f"{_MARKS[f.level]} {f.level}: {f.line()}" for f in found if _of_the_set(data, f)]
    mendable = sum(f.mendable for f in found)
    if mendable:
        lines.append(
            f"repair mends {mendable} of these: python -m training.dataset repair {shown(data.folder)} --out NEW_FOLDER"
        )
    return "\n".join([*lines, summary(data, found)])


def html_report(data: DataSet, found: list[Finding]) -> str:
    """The whole report as one page; thumbnails stand in it, so it can be sent to somebody."""
    whole = [f for f in found if _of_the_set(data, f)]
    cards = [_card(data, picture, found) for picture in data.pictures]
    return page("report.html", title="Training pictures", lead=summary(data, found), whole=whole, cards=cards)


def _card(data: DataSet, picture: Picture, found: list[Finding]) -> dict[str, object]:
    return {
        "image": data_url(picture.thumbnail) if picture.thumbnail is not None else "",
        "thing": picture.thing,
        "name": picture.name,
        "size": f"{picture.width}x{picture.height}" if not picture.problem else "broken",
        "caption": data.caption(picture),
        "remarks": [f for f in found if _belongs(f, picture)],
    }


def _belongs(finding: Finding, picture: Picture) -> bool:
    return bool(finding.name) and finding.name in (picture.name, picture.caption_name)


def _of_the_set(data: DataSet, finding: Finding) -> bool:
    return not any(_belongs(finding, picture) for picture in data.pictures)


def _cut(text: str, most: int) -> str:
    """Both ends tell something: the trigger and the object, or a name and its number."""
    if len(text) <= most:
        return text
    tail = (most - 3) // 2
    return f"{text[: most - 3 - tail]}...{text[len(text) - tail :]}"
