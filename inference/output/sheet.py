"""The contact sheet of a batch: one HTML page beside the images, without server, script or outside resource."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from inference.output.batch import Entry

_STYLE = Path(__file__).with_suffix(".css")


def contact_sheet(entries: "Sequence[Entry]") -> str:
    """A complete HTML page that shows every entry's image with its object, text, seed and who drew it."""
    count = f"{len(entries)} badge{'' if len(entries) == 1 else 's'}"
    drawn_by = sorted({entry.profile if entry.generator == "local" else entry.generator for entry in entries})
    by = f" drawn by {escape(', '.join(drawn_by))}" if drawn_by else ""
    cards = "\n".join(_card(entry) for entry in entries)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{count}</title>\n<style>{_STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
        f"<header><h1>Samurai badges</h1><p>{count}{by}</p></header>\n<main>\n{cards}\n</main>\n</body>\n</html>\n"
    )


def _card(entry: "Entry") -> str:
    thing, text, url = escape(entry.object), escape(entry.text), quote(entry.file)
    cost = f" · ${entry.cost_usd:.3f}" if entry.cost_usd else ""
    lora = f" · {escape(entry.lora)}" if entry.lora else ""
    return (
        f'<figure><a href="{url}"><img src="{url}" alt="A samurai with {thing}, banner: {text}" loading="lazy"></a>'
        f'<figcaption><strong dir="auto">{text}</strong><span dir="auto">{thing}</span>'
        f"<small>seed {entry.seed} · {entry.steps} steps · {entry.seconds:.1f} s{cost}{lora}</small>"
        "</figcaption></figure>"
    )
