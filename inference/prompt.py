"""From what a person typed to the prompt: trigger word, base prompt with the object, style words.

The object is cleaned here (one line, NFC, no control characters) and checked; nothing else in the program
builds prompts.
"""

import unicodedata

from configs.printable import printable
from configs.sections.render import PromptSettings
from inference.errors import InvalidRequest

MAX_OBJECT = 80
_JOINERS = "\u200c\u200d"
"""They join letters of Persian and Indic words, and the parts of emoji."""


def clean_object(text: str) -> str:
    """`text` in NFC with single spaces. Raises InvalidRequest where it is empty, too long or not plain text.

    Length is counted in code points after NFC: at most 80.
    """
    if any(unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") and c not in "\t\n\r" for c in text):
        raise InvalidRequest(
            f"the object {printable(text)[:100]!r} contains control characters: write what the samurai holds in words"
        )
    # Marks that turn the reading direction or show nothing would reach prompts, logs and pages.
    shown = "".join(c for c in text if unicodedata.category(c) != "Cf" or c in _JOINERS)
    cleaned = " ".join(unicodedata.normalize("NFC", shown).split())
    visible = "".join(c for c in cleaned if unicodedata.category(c) not in ("Cf", "Zs"))
    if not visible:
        raise InvalidRequest("the object is empty: say what the samurai holds, for example: telescope")
    if len(cleaned) > MAX_OBJECT:
        raise InvalidRequest(f"the object is {len(cleaned)} characters long: at most {MAX_OBJECT}, so say it shorter")
    return cleaned


def build_prompt(thing: str, settings: PromptSettings) -> str:
    """The prompt for a samurai holding `thing`, which has been through `clean_object`.

    >>> build_prompt("telescope", PromptSettings(trigger="t_style", base="badge, holding {object}", style="cartoon"))
    't_style, badge, holding telescope, cartoon'
    """
    base = settings.base.replace("{object}", thing)
    return ", ".join(part for part in (settings.trigger, base, settings.style) if part)
