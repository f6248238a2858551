"""The contact sheet: whole in a real browser, whatever the texts are, with nothing from elsewhere."""

import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from inference import render
from inference.output.manifest import Entry, FailedRow
from inference.output.rows import Row, read_rows
from inference.output.sheet import command_of, contact_sheet, write_sheet
from tests.chromium import measure, needs_chromium, run_script


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


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "</style><b>", "a' b\" c & d"]


class Tags(HTMLParser):
    """Counts elements, and handlers of events."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.handlers = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.handlers += sum(name.startswith("on") for name, _ in attrs)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_people_type_becomes_markup(text: str) -> None:
    plain = Tags(contact_sheet([entry(1), FailedRow(line=2, text="A", failed="B")], "A"))
    found = Tags(
        contact_sheet(
            [
                entry(1, text=text, object=text, file=f"{text}.png", lora=text),
                FailedRow(line=2, text=text, failed=text),
            ],
            text,
        )
    )
    assert found.names == plain.names
    assert found.handlers == 0


def test_a_command_draws_the_very_badge_again() -> None:
    words = shlex.split(command_of(entry(7, text='it\'s "A"', object="a $HOME lamp", file="x/y.png")))
    assert words[:3] == ["python", "-m", "inference.render"]
    args = render.build_parser().parse_args(words[3:])
    assert (args.object, args.text, args.seed, args.style) == ("a $HOME lamp", 'it\'s "A"', 7, "ribbon")
    assert (args.generator, str(args.out)) == ("demo", "y.png")
    own = shlex.split(command_of(entry(7, lora="aidbox")))
    assert "--seed" in own
    other = shlex.split(command_of(entry(7, lora="brand", file="b.png")))
    assert other[3:] == ["--like", "b.png", "--out", "again-b.png"]


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


def sheet_of(folder: Path, rows: list[Entry | FailedRow]) -> Path:
    for row in rows:
        if isinstance(row, Entry):
            Image.new("RGB", (256, 256), (row.seed % 256, 90, 120)).save(folder / row.file)
    write_sheet(folder / "index.html", rows, "Team: lamp")
    return folder / "index.html"


@pytest.mark.slow
@needs_chromium
def test_a_person_filters_looks_copies_and_saves_a_choice(tmp_path: Path) -> None:
    rows: list[Entry | FailedRow] = [
        entry(1, text="Anna", file="anna.png"),
        entry(2, text="Żółć", object="key", file="two words #.png"),
        entry(3, text="Bob", file="bob.png"),
        FailedRow(line=4, object="lamp", text="too long", failed="at most 40 fit"),
    ]
    page = sheet_of(tmp_path, rows)
    found = run_script(
        page,
        tmp_path / "profile",
        """
        const shown = () => [...document.querySelectorAll("figure:not([hidden]) strong")].map(e => e.textContent);
        const click = selector => document.querySelector(selector).click();
        const type = words => { find.value = words; find.dispatchEvent(new Event("input")); };
        const result = {title: document.title, first: shown()[0], sources: [...document.images].map(i => i.src)};
        type("ŻÓŁĆ"); result.byText = shown();
        type("lamp 40"); result.nothing = [shown().length, none.hidden];
        type("key"); result.byObject = shown(); type("");
        click("[data-kind=failed]"); result.failed = shown();
        result.reason = document.querySelector(".failed .bad").textContent; click("[data-kind=all]");
        result.disabled = save.disabled;
        const boxes = document.querySelectorAll(".acts input"); boxes[0].click(); boxes[1].click();
        click("[data-kind=chosen]"); result.chosen = shown(); click("[data-kind=all]");
        const Real = Blob;
        window.Blob = function (parts, options) { result.saved = parts.join(""); return new Real(parts, options); };
        const real = HTMLAnchorElement.prototype.click;  // headless Chromium would wait for a place to download to
        HTMLAnchorElement.prototype.click = function () {
          this.download ? result.name = this.download : real.call(this);
        };
        save.click(); result.enabled = !save.disabled;
        const link = document.querySelector("figure:not(.failed) a"); link.click(); await wait(200);
        result.large = [large.open, large.querySelector("img").src === link.href];
        large.click(); result.closed = !large.open;
        document.querySelector(".copy").click(); await wait(1000); result.told = told.textContent;
        return result;
        """,
    )
    assert found["title"] == "Team: lamp"
    assert found["first"] == "too long"
    assert [str(source).rpartition("/thumbs/")[2] for source in found["sources"]] == [
        "anna.webp", "two%20words%20%23.webp", "bob.webp"
    ]  # fmt: skip
    assert (found["byText"], found["byObject"]) == (["Żółć"], ["Żółć"])
    assert found["nothing"] == [0, False]
    assert (found["failed"], found["reason"]) == (["too long"], "at most 40 fit")
    assert (found["disabled"], found["enabled"]) == (True, True)
    assert found["chosen"] == ["Anna", "Żółć"]
    assert found["name"] == "chosen.jsonl"
    assert (found["large"], found["closed"]) == ([True, True], True)
    assert "python -m inference.render --object telescope --text Anna --seed 1" in str(found["told"])
    (tmp_path / "chosen.jsonl").write_text(str(found["saved"]), encoding="utf-8")
    chosen = read_rows(tmp_path / "chosen.jsonl")
    assert [row for row in chosen if not isinstance(row, Row)] == []
    assert [(row.request.text, row.request.seed) for row in chosen if isinstance(row, Row)] == [
        ("Anna", 1),
        ("Żółć", 2),
    ]


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize(("width", "columns"), [(390, 2), (1280, 5)])
def test_a_thousand_badges_cost_what_is_on_the_screen(tmp_path: Path, width: int, columns: int) -> None:
    page = sheet_of(tmp_path, [entry(1, file="same.png")])
    rows = [entry(n, file="same.png") for n in range(1000)]
    page.write_text(contact_sheet(rows, "Many", {"same.png": "thumbs/same.webp"}), encoding="utf-8")
    found = run_script(
        page,
        tmp_path / "profile",
        """
        const cards = [...document.querySelectorAll(".sheet figure")];
        await wait(500);
        const top = cards[0].getBoundingClientRect().top;
        return {
          columns: cards.filter(card => card.getBoundingClientRect().top === top).length,
          skipped: cards.filter(card => getComputedStyle(card).contentVisibility === "auto").length,
          lazy: [...document.images].filter(i => i.loading === "lazy").length,
          sideways: document.documentElement.scrollWidth > innerWidth,
        };
        """,
        width,
    )
    assert found["columns"] == columns
    assert found["skipped"] == 1000
    assert found["lazy"] == 1000
    assert not found["sideways"]


def test_thumbnails_are_small_and_made_anew_where_the_badge_is_newer(tmp_path: Path) -> None:
    noise = Image.effect_noise((1024, 1024), 200).convert("RGB")
    noise.save(tmp_path / "a.png")
    write_sheet(tmp_path / "index.html", [entry(1, file="a.png")], "A")
    small = tmp_path / "thumbs/a.webp"
    first = small.read_bytes()
    assert len(first) <= 60_000
    with Image.open(small) as image:
        assert image.format == "WEBP"
    Image.new("RGB", (512, 512), "red").save(tmp_path / "a.png")
    write_sheet(tmp_path / "index.html", [entry(1, file="a.png")], "A")
    assert small.read_bytes() != first
