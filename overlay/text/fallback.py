"""Chooses a font for each grapheme: one for the whole line, else one a script, else one a grapheme.

Mixing weights inside a word is what makes fallback ugly, so the larger unit is always tried first. Nothing is
ever assigned to a font that lacks one of its characters, or that has a letter and its marks but would set the mark
elsewhere (overlay/text/anchors.py).
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from overlay.errors import InvalidText, NotDrawable, name_characters, printable
from overlay.text.anchors import places
from overlay.text.fonts import DISPLAY, EMOJI, FONTS, FontFile
from overlay.text.scripts import is_emoji, is_picture, scripts_of

_IGNORED = frozenset((0x200C, 0x200D, 0xFE0E, 0xFE0F, 0x20))


def choose_fonts(clusters: Sequence[str], own: FontFile | None = None) -> list[FontFile]:
    """The font of each grapheme of a line; a space has the font of what stands before it. `own` is asked first.

    Raises InvalidText naming the characters that no font here can draw.
    """
    chosen: list[FontFile | None] = [EMOJI if _is_colour(g) else None for g in clusters]
    first = (own,) if own else ()
    fonts = (*first, *FONTS)
    letters = [g for g, font in zip(clusters, chosen, strict=True) if font is None and not g.isspace()]
    whole = _first_covering(frozenset(letters), (*first, *DISPLAY)) if letters else None
    by_script: dict[str, FontFile | None] = {}
    if whole is None:
        groups: dict[str, set[str]] = {}
        for grapheme, script in zip(clusters, _cluster_scripts(clusters), strict=True):
            groups.setdefault(script, set()).add(grapheme)
        drawn = set(letters)
        by_script = {
            name: _first_covering(frozenset(group & drawn), fonts) for name, group in groups.items() if group & drawn
        }
    missing: list[str] = []
    loose: list[str] = []
    scripts = _cluster_scripts(clusters)
    for i, grapheme in enumerate(clusters):
        if chosen[i] is None and not grapheme.isspace():
            font = whole or by_script.get(scripts[i]) or _first_covering(frozenset((grapheme,)), fonts)
            if font is None and is_picture(grapheme) and _covers(EMOJI, grapheme):
                font = EMOJI
            if font is None and any(_has_all(font, grapheme) for font in FONTS):
                loose.append(grapheme)
            elif font is None:
                missing.extend(_undrawable(grapheme))
            chosen[i] = font
    if missing:
        raise NotDrawable("no font here can draw", missing)
    if loose:
        marks = [c for c in unicodedata.normalize("NFD", loose[0]) if unicodedata.category(c)[0] == "M"]
        raise InvalidText(f"no font here can set {name_characters(marks)} on {printable(loose[0][0])}: leave it out")
    start = next((font for font in chosen if font is not None and not font.colour), FONTS[0])
    result: list[FontFile] = []
    for font in chosen:  # white space
        before = next((f for f in reversed(result) if not f.colour), start)
        result.append(font or (before if 0x20 in before.characters else FONTS[0]))
    return result


def _is_colour(grapheme: str) -> bool:
    """An emoji that the emoji font has; one it lacks may still be drawn as a letter."""
    return is_emoji(grapheme) and _covers(EMOJI, grapheme)


def _cluster_scripts(clusters: Sequence[str]) -> list[str]:
    return scripts_of([g[0] for g in clusters])


@lru_cache(maxsize=2048)
def _first_covering(clusters: frozenset[str], fonts: tuple[FontFile, ...] = FONTS) -> FontFile | None:
    return next((font for font in fonts if all(_covers(font, g) for g in clusters)), None)


def _covers(font: FontFile, grapheme: str) -> bool:
    """True if the font has every visible character of the grapheme, and sets its marks where they belong."""
    return _has_all(font, grapheme) and places(font, grapheme)


def _has_all(font: FontFile, grapheme: str) -> bool:
    """True if the font has every visible character of the grapheme, composed or decomposed."""
    return _has(font, grapheme) or _has(font, unicodedata.normalize("NFD", grapheme))


def _has(font: FontFile, characters: Iterable[str]) -> bool:
    return all(ord(c) in font.characters or ord(c) in _IGNORED for c in characters)


def _undrawable(grapheme: str) -> list[str]:
    """The characters that no font has; all of them where each is in some font, but never in the same."""
    lacking = [c for c in grapheme if not any(_has(font, c) for font in (*FONTS, EMOJI))]
    return lacking or list(grapheme)
