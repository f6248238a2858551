"""Reports of training: nothing that a file or a person is called becomes markup, in any of them."""

from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest

from training.page import page

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "</style><b>"]


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def values(word: str) -> dict[str, dict[str, Any]]:
    remark = SimpleNamespace(level="error", text=word, line=lambda: word)
    card = {"image": "", "thing": word, "name": word, "size": "1x1", "caption": word, "remarks": [remark]}
    cell = {"file": f"images/{word}.png", "alt": word}
    table = {"columns": [word], "rows": [{"title": word, "note": word, "cells": [cell, None]}]}
    scores = SimpleNamespace(lora=word, profile=word, scorer=word)
    samples = {"lead": word, "things": [word], "rows": [{"title": word, "folder": "step-1", "step": 1}], "losses": True}
    return {
        "report.html": {"lead": word, "whole": [remark], "cards": [card]},
        "samples.html": samples,
        "evaluation.html": {
            "lead": word, "verdict": [word], "head": [word], "numbers": [[word, word]],
            "worst": [{"file": f"images/{word}.png", "before": f"images/{word}.png", "words": word}],
            "samples": [{"image": "data:,", "thing": word}], "style": table, "strangers": table,
        },
        "comparison.html": {
            "lead": word, "tried": [{"name": word, "scores": scores, "verdict": [word]}], "style": table,
            "strangers": table, "numbers": [{"title": word, "cells": [{"text": word, "best": True}]}],
        },
    }  # fmt: skip


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("template", ["report.html", "samples.html", "evaluation.html", "comparison.html"])
def test_no_name_becomes_markup(template: str, word: str) -> None:
    plain = Tags(page(template, title="lamp", **values("lamp")[template]))
    found = Tags(page(template, title=word, **values(word)[template]))
    assert found.names == plain.names
    assert found.handlers == []
    assert "49" not in page(template, title=word, **values(word)[template]).partition("</style>")[2]
