"""The fonts that ship: licensed, listed, small, and unmodified where the licence demands it."""

import hashlib
import re

import pytest

from overlay.text.fonts import DISPLAY, EMOJI, FOLDER, FONTS

FILES = sorted([*FOLDER.glob("*/*.ttf"), *FOLDER.glob("*/*.otf")])


def test_together_they_stay_small() -> None:
    assert sum(path.stat().st_size for path in FILES) <= 16_000_000


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_each_has_its_licence_and_its_row(path) -> None:  # type: ignore[no-untyped-def]
    licence = (path.parent / "LICENSE").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "Copyright" in licence
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    family = re.split(r"[-.]", path.name.removeprefix("NotoSans"))[0]
    assert path.parent.name in readme
    assert path.name in readme or family in readme


def test_every_file_is_used_and_every_font_is_there() -> None:
    assert {FOLDER / font.file for font in (*FONTS, EMOJI)} == set(FILES)


def test_a_font_with_a_reserved_name_is_as_published() -> None:
    data = (FOLDER / "russo-one/RussoOne-Regular.ttf").read_bytes()
    assert "Reserved Font Name" in (FOLDER / "russo-one/LICENSE").read_text(encoding="utf-8")
    # pragma: allowlist nextline secret
    assert hashlib.sha256(data).hexdigest() == "bc0abcc660bd8b7ad3000ecb2898a27c58a29a50f7ec81652fa12e75148d09df"


@pytest.mark.parametrize("font", [*DISPLAY, EMOJI], ids=lambda f: f.name)
def test_no_modified_font_bears_a_reserved_name(font) -> None:  # type: ignore[no-untyped-def]
    name = font.face.get_name(1) or ""
    assert "Source" not in name
    assert ("Russo" in name) == (font.name == "russo-one")
