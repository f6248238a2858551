"""The prompt: the brief's words by default, all three parts settings, bad objects refused."""

import pytest

from configs import default_settings
from inference import InvalidRequest
from inference.prompt import build_prompt, clean_object


def test_the_default_prompt_is_the_briefs() -> None:
    prompt = build_prompt("telescope", default_settings().prompt)
    assert prompt.startswith(
        "aidbox_samurai_style, samurai warrior badge, character holding telescope, cartoon illustration, "
    )


def test_empty_parts_leave_no_stray_commas() -> None:
    settings = default_settings().prompt.model_copy(update={"trigger": "", "style": ""})
    assert build_prompt("lamp", settings) == "samurai warrior badge, character holding lamp"


def test_objects_are_cleaned() -> None:
    assert clean_object("  a\ttea \n cup ") == "a tea cup"
    assert clean_object("cafe\u0301") == "café"
    assert clean_object("a\u202e lamp\u2066\u200e\ufeff\u00ad") == "a lamp"
    assert clean_object("\U0001f469\u200d\U0001f680") == "\U0001f469\u200d\U0001f680"
    assert clean_object("نمی\u200cدانم") == "نمی\u200cدانم"


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ("", "empty"),
        (" \u200b\u00a0 ", "empty"),
        ("x" * 81, "81 characters long: at most 80"),
        ("bell\x07", "control characters"),
        ("lone \ud800", "control characters"),
    ],
)
def test_bad_objects_say_what_is_wrong(thing: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        clean_object(thing)


def test_eighty_characters_fit() -> None:
    assert clean_object("x" * 80) == "x" * 80
