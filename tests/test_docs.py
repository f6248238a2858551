"""The documentation says what is true: links lead somewhere, options, settings and messages exist, tables compute."""

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from configs import Settings, load_settings
from configs.settings import DEFAULTS
from inference.local.plan import plan
from inference.local.tiers import TIERS
from inference.models.hardware import GB, Card
from inference.models.profiles import load_profile, profile_names
from overlay import style_names
from tests.pages import ROOT, Page, page, pages
from training.demo.drawing.vocabulary import shipped
from training.local.memory_plan import FLUX1, FLUX2_KLEIN_4B, make_plan

PACKAGES = ("configs", "overlay", "inference", "training", "bot")
COMMANDS = (
    "inference.render",
    "inference.sheet",
    "inference.fetch",
    "training.run",
    "training.evaluate",
    "training.dataset",
    "bot",
)
ALL = [
    *pages(),
    *(
        Page(ROOT / name)
        for name in ("CONTRIBUTING.md", "fonts/README.md", "overlay/README.md", "benchmarks/README.md")
    ),
]
TRANSLATED = [each for each in pages() if each.name.startswith("docs/") and each.name.endswith(".ru.md")]
CARDS = ((8, (8, 6)), (12, (8, 6)), (16, (8, 9)), (24, (8, 9)), (32, (12, 0)), (48, (8, 9)), (80, (9, 0)))
SECTIONS = {
    name: set(field.annotation.model_fields)
    for name, field in Settings.model_fields.items()
    if hasattr(field.annotation, "model_fields") and name != "secrets"
}


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_every_relative_link_leads_somewhere(each: Page) -> None:
    broken = []
    for link in each.links:
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        path = (each.path.parent / target).resolve() if target else each.path
        if not path.exists() or (anchor and anchor not in Page(path).anchors):
            broken.append(link)
    assert not broken


def test_both_readmes_run_the_same_commands() -> None:
    english, russian = page("README.md"), page("README.ru.md")
    assert [each.words for each in english.commands] == [each.words for each in russian.commands]
    assert _leads_to(english) <= _leads_to(russian)


@pytest.mark.parametrize("russian", TRANSLATED, ids=lambda each: each.name)
def test_a_russian_page_says_what_the_english_one_says(russian: Page) -> None:
    english = page(russian.name.replace(".ru.md", ".md"))
    assert [(each.variables, each.words) for each in english.commands] == [
        (each.variables, each.words) for each in russian.commands
    ]
    # What is in Cyrillic is for its readers: an example's words, a comment.
    for mine, theirs in zip(english.shown, russian.shown, strict=True):
        assert mine == theirs or re.search("[а-яё]", theirs)
    assert english.code - russian.code == set(), (
        "settings, options, commands and files that only English readers are told"
    )
    assert _leads_to(english) - _leads_to(russian) == set()
    assert _figures(english) == _figures(russian)
    for mark in (r"^#+ ", r"^\|", r"^(?:- |\d\. )", "<img"):
        assert len(re.findall(mark, english.prose, re.MULTILINE)) == len(re.findall(mark, russian.prose, re.MULTILINE))
    assert (english.path.name in russian.links, russian.path.name in english.links) == (True, True)


def test_buttons_on_the_russian_page_are_those_of_the_russian_bot() -> None:
    catalogue = (ROOT / "bot/locale/ru.po").read_text(encoding="utf-8")
    labels = [re.sub(r"^\W+", "", each) for each in re.findall(r'^msgstr(?:\[\d\])? "(.+)"$', catalogue, re.MULTILINE)]
    quoted = re.findall("«([^»]+)»", page("docs/bot.ru.md").prose)
    assert len(quoted) > 6
    assert [each for each in quoted if re.sub(r"\d+", "{n}", " ".join(each.split())) not in labels] == []


def _figures(each: Page) -> list[list[str]]:
    """The numbers in each row of the page's tables."""
    rows = re.findall(r"^\|.+", each.prose, re.MULTILINE)
    return [sorted(re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d)", ".", row))) for row in rows]


def _leads_to(each: Page) -> set[str]:
    """The files and addresses that a page links to, in whatever language; without the other language's page."""
    plain = {link.partition("#")[0].replace(".ru.md", ".md") for link in each.links}
    return plain - {"", each.path.name.replace(".ru.md", ".md")}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_mentioned(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f"{command}.__main__" if command in ("bot", "training.dataset") else command)
    with pytest.raises(SystemExit):
        module.main(["--help"])
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    text = "\n".join(each.text for each in pages())
    assert options
    assert {option for option in options if not re.search(rf"{option}(?![\w-])", text)} == set()


def test_the_things_that_the_demo_knows_are_all_named() -> None:
    text = page("docs/models.md").text.partition("## What the demo knows")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| [a-z]+ \| (.+) \|$", text, re.MULTILINE)[1:]
    listed = [name for row in rows for name in row.split(", ")]
    assert sorted(listed) == sorted(shipped())
    assert f"drawings of {len(shipped())} things" in text
    russian = page("docs/models.ru.md").text
    assert [row for row in rows if f" | {row} |\n" not in russian] == []
    assert f"рисунках {len(shipped())} предметов" in " ".join(russian.split())


def test_every_setting_that_is_named_exists() -> None:
    unknown = []
    for each in pages():
        for section, key in re.findall(r"`([a-z_]+)\.([a-z_]+)\b(?= ?[`=])", each.prose):
            is_module = (ROOT / section / f"{key}.py").exists() or (ROOT / section / key).is_dir()
            if section in SECTIONS and key not in SECTIONS[section] and not is_module:
                unknown.append(f"{each.name}: {section}.{key}")
        for section, key in re.findall(r"BADGE_([A-Z]+)__([A-Z_]+)", each.text):
            if key not in map(str.upper, SECTIONS[section.lower()]):
                unknown.append(f"{each.name}: {section}.{key}")
    assert not unknown


def test_every_settings_file_that_is_shown_is_accepted(tmp_path: Path) -> None:
    shown = [(each.name, block) for each in pages() for block in each.blocks("toml")]
    assert len(shown) > 5
    for name, block in shown:
        file = tmp_path / "shown.toml"
        file.write_text(block, encoding="utf-8")
        assert load_settings(file), name


def test_every_profile_and_its_licence_is_described() -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)`.*?\| (.+?) \|", page("docs/models.md").text, re.MULTILINE))
    assert set(profile_names()) <= set(rows)
    for name in profile_names():
        assert rows[name] in (load_profile(name).licence, "the same"), name


def test_every_banner_style_is_described() -> None:
    rows = re.findall(r"^\| `([\w-]+)`", page("docs/drawing.md").text, re.MULTILINE)
    comment = re.search(r"\[banner\]\n# (.+)\nstyle = ", DEFAULTS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == style_names()
    assert comment
    assert set(style_names()) <= set(re.findall(r"[\w-]+", comment[1]))


def test_the_table_of_cards_is_what_the_plan_computes() -> None:
    for gib, capability in CARDS:
        # A card reports a little less than its name says.
        card = Card("card", "cuda", int(gib * 0.97 * 2**30), capability)
        cells = [f"{gib} GB"]
        for name in ("flux-dev", "flux2-klein-4b"):
            for tier in TIERS[:2]:
                made = plan(load_profile(name), card, tier)
                cells.append(f"{made.need / GB:.1f}" + (" streamed" if made.placement == "streamed" else ""))
        assert "| " + " | ".join(cells) + " |" in page("docs/models.md").text


def test_the_table_of_training_memory_is_what_the_plan_computes() -> None:
    for name, model in (("FLUX.1", FLUX1), ("FLUX.2 klein 4B", FLUX2_KLEIN_4B)):
        for side in (512, 768, 1024):
            ways = [("bf16", True), ("bf16", False), ("checkpointing", True), ("int8", True), ("nf4", True)]
            peaks = [
                make_plan(model, 0, resolutions=(side,), batch=1, rank=16, wanted=kind, compiled=compiled).peak
                for kind, compiled in ways
            ]
            row = " | ".join(f"{peak / GB:.1f}" for peak in peaks)
            for name_of_page in ("docs/training.md", "docs/training.ru.md"):
                assert f"| {name} | {side} | {row} |" in page(name_of_page).text


def test_python_that_is_shown_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = [block for each in pages() for block in each.blocks("python")]
    assert blocks
    for block in blocks:
        exec(compile(block, "docs", "exec"), {})
    assert "plan: flux-dev" in capsys.readouterr().out


def test_prices_in_the_documentation_are_those_of_the_settings() -> None:
    settings = load_settings().replicate
    text = page("docs/costs.md").text
    assert f"${settings.usd_per_second:g}" in text
    assert f"${settings.usd_per_image:g}" in text
    assert f"{settings.rates_date}" in text
    assert f"20 minutes are ${1200 * settings.training_usd_per_second:.2f}" in text


def test_every_message_in_troubleshooting_is_the_programs_own() -> None:
    said = sorted(set(sentences()))
    foreign = [quote for quote in quotes() if not any(_matches(quote, each) for each in said)]
    assert not foreign


@pytest.mark.parametrize("error", ["StartError", "BackendUnavailable", "TrainerUnavailable"])
def test_every_message_for_operators_is_in_troubleshooting(error: str) -> None:
    known = quotes()
    raised = [text for kind, text in raised_messages() if kind == error]
    assert raised
    assert [text for text in raised if not any(_matches(quote, text) for quote in known)] == []


def quotes() -> list[str]:
    """The messages in the first columns of troubleshooting.md."""
    rows = re.findall(r"^\| `(.+?)` \|", page("docs/troubleshooting.md").text, re.MULTILINE)
    assert len(rows) > 80
    return rows


def _matches(quote: str, text: str) -> bool:
    return re.search(".*?".join(re.escape(part) for part in quote.split("…")), text) is not None


@cache
def sources() -> tuple[ast.Module, ...]:
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    return tuple(ast.parse(file.read_text(encoding="utf-8")) for file in files)


def sentences() -> Iterator[str]:
    """Every string of the source, with `…` for what is put in."""
    for tree in sources():
        for node in ast.walk(tree):
            if text := _text(node):
                yield text


def raised_messages() -> Iterator[tuple[str, str]]:
    """(exception, message) of every `raise` whose message is written there, as far as it says something of its own."""
    for tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                text = _text(node.exc.args[0])
                if isinstance(node.exc.func, ast.Name) and len(re.findall(r"[a-z]{2,}", text)) > 2:
                    yield node.exc.func.id, text


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%(\.\d)?[srdf]", "…", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(each) if isinstance(each, ast.Constant) else "…" for each in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (_text(node.left) or "…") + (_text(node.right) or "…")
    return ""
