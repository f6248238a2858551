"""Values set in TOML files as people write them: everything else stays, byte for byte, or nothing is changed."""

import tomllib

import pytest

from configs.edit import CannotEdit, with_values

LORA = ("local", "lora")
PATH = "/srv/loras/a.safetensors"
LINE = f'lora = "{PATH}"'
MULTILINE = '[bot]\ntext = """\n[local]\nlora = "x"\n"""\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"[local]\n{LINE}\n"),
        ("# ours\n", f"# ours\n\n[local]\n{LINE}\n"),
        ("[bot]\nchoices = 2", f"[bot]\nchoices = 2\n\n[local]\n{LINE}\n"),
        ('[local]\nlora = "none"  # for now\nsteps = 4\n', f"[local]\n{LINE}  # for now\nsteps = 4\n"),
        ("[local]\n  lora='old # not a comment'#x\n", f'[local]\n  lora="{PATH}"#x\n'),
        ('[local]\r\nlora = "none"\r\n', f"[local]\r\n{LINE}\r\n"),
        ("[ local ]  # the card\nsteps = 4\n", f"[ local ]  # the card\n{LINE}\nsteps = 4\n"),
        ("[local]", f"[local]\n{LINE}\n"),
        ("[local]\r\nsteps = 4\r\n[bot]\r\n", f"[local]\r\n{LINE}\r\nsteps = 4\r\n[bot]\r\n"),
        ('local.lora = "none" # top\n[bot]\n', f'local.lora = "{PATH}" # top\n[bot]\n'),
        ("# ours\nlocal.steps = 4\n[bot]\n", f'# ours\nlocal.lora = "{PATH}"\nlocal.steps = 4\n[bot]\n'),
        ('[presets.fox]\nlora = "fox"\n', f'[presets.fox]\nlora = "fox"\n\n[local]\n{LINE}\n'),
        ('[presets.fox]\nlora = "fox"\n[local]\nlora = ""\n', f'[presets.fox]\nlora = "fox"\n[local]\n{LINE}\n'),
        ('["local"]\n"lora" = "a"\n', f'["local"]\n"lora" = "{PATH}"\n'),
        (MULTILINE, f"{MULTILINE}\n[local]\n{LINE}\n"),
    ],
)  # fmt: skip
def test_one_line_changes_and_nothing_else(before: str, after: str) -> None:
    assert with_values(before, {LORA: PATH}) == after
    assert with_values(after, {LORA: PATH}) == after, "again changes nothing"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('local = { steps = 4, lora = "a" }\n', "write lora = .* under \\[local\\]"),
        ('[local]\nlora = """a\nb"""\n', "write lora"),
        ("local = 3\n", "write lora"),
        ("[local\n", "not valid TOML"),
        ("\ufeff[local]\n", "not valid TOML"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(text: str, said: str) -> None:
    with pytest.raises(CannotEdit, match=said):
        with_values(text, {LORA: PATH})


@pytest.mark.parametrize("value", ["a b", "C:\\x\\y", 'quo"te', "новый/стиль", "tab\tdel\x7fnul\x00", "a\u2028b"])
def test_any_string_comes_back(value: str) -> None:
    text = with_values("[bot]\nchoices = 2 # two\n", {LORA: value, ("prompt", "trigger"): value})
    assert tomllib.loads(text) == {"bot": {"choices": 2}, "local": {"lora": value}, "prompt": {"trigger": value}}
    assert text.startswith("[bot]\nchoices = 2 # two\n")
