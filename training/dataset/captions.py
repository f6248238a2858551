"""Captions: read from the file beside a picture, or made from its name; always trigger first, never style words.

A style LoRA learns what all pictures share and no caption names. So a caption says trigger and content; words such as
"cartoon" would take the style away from the trigger.
"""

import re
import unicodedata
from dataclasses import dataclass

from configs.decoding import Undecodable, decode
from configs.printable import without_controls
from training.dataset.words import object_in_name

__all__ = ["Caption", "CaptionRule", "clip_tokens", "object_in_caption", "object_in_name", "read_caption"]

CLIP_TOKENS = 77
"""What CLIP's text encoder reads, its begin and end included."""
_GENERAL_STYLE = (
    "cartoon", "illustration", "anime", "watercolor", "watercolour", "pixel art", "vector art", "flat colors",
    "flat colours", "bold outlines", "clean outlines", "line art", "digital art", "3d render", "manga",
    "in the style of",
)  # fmt: skip
_PLACEHOLDER = re.compile(r"\[trigger\]|\{trigger\}|\bTOK\b")
_HOLDING = re.compile(r"\s*\b(?:holding|holds|with|carrying)\s+(?:an?\s+)?\{object\}")


@dataclass(frozen=True)
class CaptionRule:
    """How captions are made and judged: the trigger, the base prompt with `{object}`, the prompt's own style words."""

    trigger: str
    base: str
    style: str = ""

    def made_for(self, thing: str) -> str:
        """The caption of a picture of `thing` that has none; "" where nothing says what it is: then none is named."""
        base = self.base if thing else _HOLDING.sub("", self.base)
        return f"{self.trigger}, {' '.join(base.replace('{object}', thing).split())}"

    def complete(self, caption: str) -> str:
        """`caption` with the trigger in it: in place of `[trigger]`, `{trigger}` or `TOK`, else in front."""
        caption = _PLACEHOLDER.sub(lambda _found: self.trigger, " ".join(caption.split()))
        return caption if self.trigger in caption else f"{self.trigger}, {caption}"

    def style_words(self, caption: str) -> list[str]:
        """The words of `caption` that name the style and should not be there."""
        rest = caption.replace(self.trigger, " ").lower()
        own = [part.strip().lower() for part in self.style.split(",") if part.strip()]
        own = [part for part in own if "background" not in part and "bottom" not in part]
        return [word for word in dict.fromkeys([*own, *_GENERAL_STYLE]) if re.search(rf"\b{re.escape(word)}\b", rest)]

    def trigger_out_of_reach(self, caption: str) -> bool:
        """Whether the trigger ends beyond the tokens that CLIP reads. Tokens are estimated (see `clip_tokens`)."""
        place = caption.find(self.trigger)
        return place >= 0 and clip_tokens(caption[: place + len(self.trigger)]) > CLIP_TOKENS - 2


@dataclass(frozen=True)
class Caption:
    """What a caption file says: `text` None where nothing can be read, with `problem`.

    `encoding` is "" for UTF-8; `cleaned` whether control characters were taken out; `lost` whether letters were lost
    before it came here (U+FFFD).
    """

    text: str | None
    problem: str = ""
    encoding: str = ""
    cleaned: bool = False
    lost: bool = False


def read_caption(data: bytes, encoding: str = "", near: str = "") -> Caption:
    """The caption in a file's bytes; `encoding` and `near` as in `configs.decoding.decode`."""
    try:
        decoded = decode(data, encoding=encoding, near=near)
    except Undecodable as error:
        return Caption(None, str(error))
    clean = without_controls(decoded.text)
    text = " ".join(clean.split())
    written_in = "" if decoded.encoding == "utf-8" else decoded.encoding
    if not any(unicodedata.category(char)[0] in "LNSM" for char in text):
        return Caption(None, "is empty", written_in)
    return Caption(text, "", written_in, clean != decoded.text, "\ufffd" in text)


def clip_tokens(text: str) -> int:
    """About how many CLIP tokens `text` takes, start and end left out.

    CLIP splits at spaces, digits and punctuation, then into byte pairs; an English word is mostly one, a long or
    made-up one about a token for each 6 letters, and letters beyond ASCII about one each.
    """
    count = 0
    for piece in re.findall(r"[^\W\d_]+|\d|[^\w\s]+|_+", text):
        beyond = sum(not c.isascii() for c in piece)
        count += beyond + -(-(len(piece) - beyond) // 6)
    return count


def object_in_caption(caption: str) -> str:
    """What the caption says is held, "" where it does not say."""
    found = re.search(
        r"\b(?:holding|holds|with|carrying|carries|showing|shows)\s+(?:an?\s+|the\s+)?([^,.;]+)", caption, re.IGNORECASE
    )
    return re.sub(r"\s+in (?:hand|his hands?|the hands?)$", "", found[1].strip().lower()) if found else ""
