"""The command line as a person uses it, drawn by the demo FLUX: a step or two, real files, real exit codes."""

import json

import pytest
from PIL import Image

from inference.output.recipe import CHUNK, read_recipe
from tests.inference.parts import DEMO, SCOUT, Shell


def test_one_badge(shell: Shell) -> None:
    result = shell(*SCOUT, *DEMO, "--seed", "7", "--out", "new/folder/badge.png", "--json")
    assert (result.code, shell.files()) == (0, ["new/folder/badge.png"])
    badge = result.badges[0]
    assert badge["file"] == "new/folder/badge.png"
    assert (badge["object"], badge["text"], badge["seed"]) == ("telescope", "UX SCOUT", 7)
    assert (badge["generator"], badge["profile"], badge["cost_usd"]) == ("local", "demo", 0.0)
    assert set(badge) >= {"lora", "seconds"}
    with Image.open(shell.folder / "new/folder/badge.png") as image:
        assert (image.size, image.mode) == ((256, 256), "RGB")


@pytest.mark.parametrize(
    ("name", "kind", "side"), [("a.jpg", "JPEG", 256), ("a.webp", "WEBP", 256), ("a.sticker.webp", "WEBP", 512)]
)
def test_the_ending_of_the_name_chooses_the_format(shell: Shell, name: str, kind: str, side: int) -> None:
    assert shell(*SCOUT, *DEMO, "--seed", "7", "--out", name).code == 0
    with Image.open(shell.folder / name) as image:
        assert (image.format, max(image.size)) == (kind, side)


def test_a_pdf_for_print(shell: Shell) -> None:
    assert shell(*SCOUT, *DEMO, "--seed", "7", "--out", "a.pdf").code == 0
    data = (shell.folder / "a.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert b"/MediaBox [ 0 0 983.04 983.04 ]" in data  # 4096 pixels at 300 DPI


def test_a_print_carries_how_it_was_made(shell: Shell) -> None:
    assert shell(*SCOUT, *DEMO, "--seed", "7", "--out", "a.print.png").code == 0
    assert shell(*SCOUT, *DEMO, "--seed", "7", "--out", "a.png").code == 0
    with Image.open(shell.folder / "a.print.png") as image:
        assert (image.size, round(image.info["dpi"][0])) == ((4096, 4096), 300)
    assert shell("--like", "a.print.png", "--out", "again.png").code == 0
    assert (shell.folder / "again.png").read_bytes() == (shell.folder / "a.png").read_bytes()


def test_people_are_told_path_who_drew_seed_and_seconds(shell: Shell) -> None:
    result = shell(*SCOUT, *DEMO, "--seed", "7")
    assert result.out == ""
    line = result.err.strip().splitlines()[-1]
    assert line.startswith("badge.png: drawn by demo")
    assert "seed 7" in line
    assert line.endswith(" s")


def test_a_seed_left_out_is_told_and_makes_the_same_badge_again(shell: Shell) -> None:
    first = shell(*SCOUT, *DEMO, "--out", "a.png", "--json").badges[0]
    shell(*SCOUT, *DEMO, "--out", "b.png", "--seed", str(first["seed"]))
    assert (shell.folder / "a.png").read_bytes() == (shell.folder / "b.png").read_bytes()


def test_numbered_files_keep_their_ending(shell: Shell) -> None:
    result = shell(*SCOUT, *DEMO, "--count", "2", "--out", "set/v1.0.Sticker.WebP", "--json")
    assert [badge["file"] for badge in result.badges] == ["set/v1.0-1.Sticker.WebP", "set/v1.0-2.Sticker.WebP"]
    with Image.open(shell.folder / "set/v1.0-2.Sticker.WebP") as image:
        assert max(image.size) == 512
        assert image.getpixel((0, 0))[3] == 0, "cut out along the figure"


def test_like_makes_a_badge_again_byte_for_byte(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell(*SCOUT, *DEMO, "--seed", "3", "--style", "ribbon", "--out", "first.png")
    monkeypatch.setenv("BADGE_LOCAL__STEPS", "1")
    monkeypatch.setenv("BADGE_BANNER__SIZE", "512")
    monkeypatch.setenv("BADGE_PROMPT__STYLE", "oil painting")
    assert shell("--like", "first.png", "--out", "again.png").code == 0
    assert (shell.folder / "first.png").read_bytes() == (shell.folder / "again.png").read_bytes()
    assert shell("--like", "first.png", "--text", "OTHER", "--out", "other.png").code == 0
    assert read_recipe(shell.folder / "other.png").text == "OTHER"
    assert read_recipe(shell.folder / "other.png").prompt == read_recipe(shell.folder / "first.png").prompt


def test_like_takes_no_other_lora_than_the_one_that_is_named(shell: Shell) -> None:
    shell(*SCOUT, *DEMO, "--seed", "3", "--out", "with.png")
    shell(*SCOUT, *DEMO, "--seed", "3", "--lora", "none", "--out", "without.png")
    (shell.folder / "README.md").write_text("no LoRA")
    for lora in ("README.md", "none"):
        told = shell("--like", "with.png", "--lora", lora, "--out", "again.png")
        assert (told.code, f"which {lora} is not: name that file with --lora" in told.err) == (2, True)
    told = shell("--like", "without.png", "--lora", "README.md", "--out", "again.png")
    assert (told.code, "made without a LoRA: leave --lora README.md out" in told.err) == (2, True)
    assert not (shell.folder / "again.png").exists()


def test_the_png_says_how_it_was_made(shell: Shell) -> None:
    shell(*SCOUT, *DEMO, "--seed", "3")
    with Image.open(shell.folder / "badge.png") as image:
        assert image.info["Description"].startswith("aidbox_samurai_style, samurai warrior badge, character holding")
        recipe = json.loads(image.info[CHUNK])
    assert (recipe["object"], recipe["text"], recipe["seed"], recipe["steps"]) == ("telescope", "UX SCOUT", 3, 2)
    assert recipe["profile"] == "demo"
    assert set(recipe["versions"]) >= {"torch", "diffusers", "transformers"}
    assert {"guidance", "lora", "lora_sha256", "revision"} <= set(recipe)


def test_without_card_and_replicate_the_demo_draws_and_says_so(shell: Shell, caplog: pytest.LogCaptureFixture) -> None:
    assert shell(*SCOUT, "--seed", "7").code == 0
    assert "the demo FLUX draws" in caplog.text
