"""The contact sheet: whole in a real browser, whatever the texts are, with nothing from elsewhere."""

from pathlib import Path

import pytest
from PIL import Image

from inference.output.batch import Entry
from inference.output.sheet import contact_sheet
from tests.chromium import measure, needs_chromium


def entry(number: int, **changes: object) -> Entry:
    values: dict[str, object] = {
        "file": f"{number}.png",
        "object": "telescope",
        "text": "UX SCOUT",
        "style": "ribbon",
        "seed": number,
        "generator": "local",
        "profile": "demo",
        "lora": None,
        "steps": 16,
        "seconds": 1.5,
        "cost_usd": 0.0,
    }
    return Entry.model_validate({**values, **changes})


def test_texts_are_escaped() -> None:
    page = contact_sheet([entry(1, text="<script>alert(1)</script>", object='a "quoted" & <b>bold</b> lamp')])
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert 'a "quoted"' not in page


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_shows_every_badge(tmp_path: Path, width: int) -> None:
    entries = [
        entry(1),
        entry(2, file="имя с пробелом #2?.png", text="كبير المهندسين", object="ц" * 80),
        entry(3, text="W" * 40, cost_usd=0.015, generator="replicate", profile="owner/model"),
    ]
    for each in entries:
        Image.new("RGB", (64, 64), "gold").save(tmp_path / each.file)
    (tmp_path / "index.html").write_text(contact_sheet(entries), encoding="utf-8")
    found = measure(tmp_path / "index.html", tmp_path / "profile", width)
    assert (found["images"], found["shown"]) == (3, 3)
    assert found["foreign"] == []
    assert not found["sideways"]
    assert "UX SCOUT" in str(found["text"])
    assert "$0.015" in str(found["text"])
