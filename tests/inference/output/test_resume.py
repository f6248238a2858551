"""What is finished is found by what a row asks for: rows may move, be added, renamed and doubled; nothing is lost."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from inference.errors import InvalidRequest
from inference.files import alone_in
from inference.output.manifest import Entry, read_manifest
from inference.output.recipe import Recipe, encode_png
from inference.output.resume import assign
from inference.output.rows import Row
from inference.types import BadgeRequest


@dataclass(frozen=True)
class Asked:
    row: Row
    key: str


def row(name: str, key: str, *, named: bool = False) -> Asked:
    return Asked(Row(2, name, BadgeRequest("lamp", "HI"), named), key)


def draw(folder: Path, file: str, key: str) -> Entry:
    recipe = Recipe(
        object="lamp", text="HI", style="ribbon", size=64, prompt="a lamp", seed=1, steps=1, guidance=1.0,
        generator="local", profile="demo", key=key,
    )  # fmt: skip
    (folder / file).write_bytes(encode_png(Image.new("RGB", (64, 64)), recipe))
    return Entry(**{**recipe.model_dump(), "file": file, "seconds": 0.0, "cost_usd": 0.0})


def known(folder: Path, **files: str) -> dict[str, Entry]:
    return {f"{name}.png": draw(folder, f"{name}.png", key) for name, key in files.items()}


def outcome(works: list[Asked], entries: dict[str, Entry], folder: Path) -> list[tuple[str, bool]]:
    """For each row the file that it has or will have, and whether it is finished."""
    return [
        (entry.file if entry else f"{work.row.name}.png", entry is not None)
        for work, entry in assign(works, entries, folder)
    ]


def test_a_row_on_top_draws_that_row_alone(tmp_path: Path) -> None:
    entries = known(tmp_path, **{"0001-lamp": "L", "0002-key": "K"})
    works = [row("0001-fish", "F"), row("0002-lamp", "L"), row("0003-key", "K")]
    assert outcome(works, entries, tmp_path) == [
        ("0001-fish.png", False),
        ("0001-lamp.png", True),
        ("0002-key.png", True),
    ]


def test_another_order_draws_nothing(tmp_path: Path) -> None:
    entries = known(tmp_path, **{"0001-lamp": "L", "0002-lamp": "M", "0003-lamp": "N"})
    works = [row("0001-lamp", "N"), row("0002-lamp", "L"), row("0003-lamp", "M")]
    assert [done for _, done in outcome(works, entries, tmp_path)] == [True, True, True]
    assert len({file for file, _ in outcome(works, entries, tmp_path)}) == 3


def test_a_new_row_never_takes_the_file_of_another(tmp_path: Path) -> None:
    entries = known(tmp_path, **{"0001-lamp": "L"})
    works = [row("0001-lamp", "NEW"), row("0002-lamp", "L")]
    assert outcome(works, entries, tmp_path) == [("0001-lamp-2.png", False), ("0001-lamp.png", True)]
    (tmp_path / "0001-lamp-2.png").write_bytes(b"somebody's")
    assert outcome(works, entries, tmp_path)[0] == ("0001-lamp-3.png", False)
    assert outcome([row("0001-lamp", "OTHER")], entries, tmp_path) == [("0001-lamp-3.png", False)]


def test_rows_that_ask_the_same_get_one_badge_each(tmp_path: Path) -> None:
    entries = known(tmp_path, **{"0001-lamp": "L"})
    works = [row("0001-lamp", "L"), row("0002-lamp", "L")]
    assert outcome(works, entries, tmp_path) == [("0001-lamp.png", True), ("0002-lamp.png", False)]
    entries |= known(tmp_path, **{"0002-lamp": "L"})
    assert [done for _, done in outcome(works, entries, tmp_path)] == [True, True]


def test_a_new_name_renames_what_is_finished(tmp_path: Path) -> None:
    entries = known(tmp_path, scout="L")
    assert outcome([row("ranger", "L", named=True)], entries, tmp_path) == [("ranger.png", True)]
    assert [path.name for path in tmp_path.glob("*.png")] == ["ranger.png"]
    assert read_manifest(tmp_path).entries["ranger.png"].key == "L"


def test_names_that_change_places_lose_nothing(tmp_path: Path) -> None:
    entries = known(tmp_path, one="A", two="B")
    found = outcome([row("two", "A", named=True), row("one", "B", named=True)], entries, tmp_path)
    assert {file for file, _ in found} == {"one.png", "two.png"}
    assert all(done for _, done in found)


def test_a_named_row_that_changed_is_drawn_over_its_file(tmp_path: Path) -> None:
    entries = known(tmp_path, scout="L")
    assert outcome([row("scout", "NEW", named=True)], entries, tmp_path) == [("scout.png", False)]


def test_a_badge_whose_line_was_lost_is_adopted_wherever_it_lies(tmp_path: Path) -> None:
    draw(tmp_path, "0007-lamp.png", "L")
    assert outcome([row("0001-lamp", "L")], {}, tmp_path) == [("0007-lamp.png", True)]
    assert list(read_manifest(tmp_path).entries) == ["0007-lamp.png"]


def test_a_link_among_the_files_is_no_finished_badge(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    entries = {"0001-lamp.png": draw(other, "0001-lamp.png", "L")}
    (tmp_path / "0001-lamp.png").symlink_to(other / "0001-lamp.png")
    assert outcome([row("0001-lamp", "L")], entries, tmp_path) == [("0001-lamp-2.png", False)]


def test_a_line_without_its_file_counts_for_nothing(tmp_path: Path) -> None:
    entries = known(tmp_path, **{"0001-lamp": "L"})
    (tmp_path / "0001-lamp.png").unlink()
    assert outcome([row("0001-lamp", "L")], entries, tmp_path) == [("0001-lamp.png", False)]


def test_two_batches_never_share_a_folder(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from inference.files import alone_in\n"
        "with alone_in(Path(sys.argv[1])): print('held', flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout
    assert other.stdout.readline() == "held\n"
    with pytest.raises(InvalidRequest, match="another batch is being drawn into"), alone_in(tmp_path):
        pass
    other.communicate("\n")
    with alone_in(tmp_path):
        assert list(tmp_path.iterdir()) == []
