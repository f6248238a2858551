"""Captions: read from the `.txt` beside a picture, or made from its name; always trigger first, never style words.

A style LoRA learns what all pictures share and no caption names. So a caption says trigger and content; words such as
"cartoon" would take the style away from the trigger.
"""

import re
from dataclasses import dataclass
from pathlib import Path

CLIP_TOKENS = 77
_GENERAL_STYLE = (
    "cartoon", "illustration", "anime", "watercolor", "watercolour", "pixel art", "vector art", "flat colors",
    "flat colours", "bold outlines", "clean outlines", "line art", "digital art", "3d render", "manga",
    "in the style of",
)  # fmt: skip
_PLACEHOLDER = re.compile(r"\[trigger\]|\{trigger\}|\bTOK\b")


@dataclass(frozen=True)
class CaptionRule:
    """How captions are made and judged: the trigger, the base prompt with `{object}`, the prompt's own style words."""

    trigger: str
    base: str
    style: str = ""

    def made_for(self, thing: str) -> str:
        """The caption of a picture of `thing` that has none."""
        return f"{self.trigger}, {self.base.replace('{object}', thing)}"

    def complete(self, caption: str) -> str:
        """`caption` with the trigger in it: in place of `[trigger]`, `{trigger}` or `TOK`, else in front."""
        caption = _PLACEHOLDER.sub(self.trigger, " ".join(caption.split()))
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


def object_in_name(stem: str) -> str:
    """What the file name says is held: `samurai_with_magnifying_glass-2` gives `magnifying glass`."""
    words = re.sub(r"[\W_]+", " ", stem).strip()
    found = re.search(r"\b(?:with|holding|holds)\s+(?:an?\s+)?(.+)$", words, re.IGNORECASE)
    thing = found[1] if found else words
    return re.sub(r"\s+\d+$", "", thing).strip().lower()


def object_in_caption(caption: str) -> str:
    """What the caption says is held, "" where it does not say."""
    found = re.search(
        r"\b(?:holding|holds|with|carrying|carries|showing|shows)\s+(?:an?\s+|the\s+)?([^,.;]+)", caption, re.IGNORECASE
    )
    return re.sub(r"\s+in (?:hand|his hands?|the hands?)$", "", found[1].strip().lower()) if found else ""


def read_caption(path: Path) -> tuple[str | None, str]:
    """(caption, problem): None where there is no file, and the problem where it is not UTF-8 or empty."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    try:
        text = data.decode("utf-8-sig").replace("\x00", "")
    except UnicodeDecodeError as error:
        return None, f"is not UTF-8 (byte {error.start})"
    return (" ".join(text.split()), "") if text.strip() else (None, "is empty")


def decode_anyhow(data: bytes) -> str:
    """A caption of unknown encoding as text, for repair: UTF-8, UTF-16 with a mark, else a Windows code page."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        high = [b for b in data if b >= 0x80]
        # Cyrillic letters stand together and are most of the text; Western accents are rare within it.
        return data.decode("cp1251" if len(high) * 4 > len(data) else "cp1252", "replace")
