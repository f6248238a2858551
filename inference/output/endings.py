"""The endings that a badge's file may have, and its name without; `inference/output/encode.py` writes each."""

from pathlib import Path

ENDINGS = (".print.png", ".png", ".jpg", ".jpeg", ".sticker.webp", ".webp", ".pdf")
"""Every ending that a file may have; one that ends in another stands before it."""


def numbered(file: Path, number: int) -> Path:
    """`file` with the number before its ending: `scout-2.sticker.webp`, which is still a sticker."""
    stem = stem_of(file)
    return file.with_name(f"{stem}-{number}{file.name[len(stem) :]}")


def stem_of(file: Path) -> str:
    """The name of `file` without its ending."""
    return file.name[: len(file.name) - len(ending_of(file))]


def ending_of(file: Path) -> str:
    """The ending in lower case, as `ENDINGS` has it; "" where it is none of those, or there is no name before it."""
    name = file.name.lower()
    return next((ending for ending in ENDINGS if name.endswith(ending) and name != ending), "")
