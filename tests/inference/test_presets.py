"""Characters of one's own: what a preset changes of a badge, what stays, and what its PNG says."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from configs import ConfigError, load_settings
from inference import render
from inference.badge import with_preset
from inference.models.profiles import load_profile
from inference.output.recipe import read_recipe

FOX = """
[presets.fox]
trigger = "my_fox"
base = "fox holding {object}"
lora = "fox.safetensors"
lora_scale = 0.5
banner = "flat"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in (("LOCAL__STEPS", "1"), ("LOCAL__THREADS", "1"), ("BANNER__SIZE", "256")):
        monkeypatch.setenv(f"BADGE_{name}", value)
    (tmp_path / "own").mkdir()
    lora = load_profile("demo").default_lora
    assert lora is not None
    shutil.copy(lora, tmp_path / "own/fox.safetensors")
    file = tmp_path / "own/fox.toml"
    file.write_text(FOX)
    return file


def test_a_preset_changes_what_it_names_and_nothing_else(config: Path) -> None:
    plain = load_settings(config)
    fox = with_preset(plain, "fox")
    assert (fox.prompt.trigger, fox.prompt.base, fox.prompt.style) == (
        "my_fox", "fox holding {object}", plain.prompt.style
    )  # fmt: skip
    assert (fox.local.lora, fox.local.lora_scale) == (str(config.with_name("fox.safetensors")), 0.5)
    assert (fox.replicate.lora_scale, fox.banner.style, fox.banner.size) == (0.5, "flat", 256)
    assert fox.local.steps == plain.local.steps


def test_the_png_says_what_the_preset_was_and_makes_it_again(config: Path) -> None:
    what = ("--object", "telescope", "--text", "UX SCOUT", "--generator", "demo", "--config", str(config))
    assert render.main((*what, "--preset", "fox", "--seed", "7", "--out", "fox.png")) == 0
    recipe = read_recipe(Path("fox.png"))
    assert recipe.prompt.startswith("my_fox, fox holding telescope, cartoon")
    assert (recipe.style, recipe.lora, recipe.lora_scale) == ("flat", "fox", 0.5)
    again = ("--like", "fox.png", "--config", str(config), "--out", "again.png")
    assert render.main((*again, "--preset", "fox")) == 0
    assert Path("again.png").read_bytes() == Path("fox.png").read_bytes()
    assert render.main((*what, "--preset", "fox", "--lora", "none", "--style", "arc", "--out", "own.png")) == 0
    own = read_recipe(Path("own.png"))
    assert (own.lora, own.style) == (None, "arc"), "the command line overrides the preset"


def test_a_batch_is_drawn_under_a_preset(config: Path) -> None:
    Path("rows.csv").write_text("object,text,name\ntelescope,UX SCOUT,a\n")
    batch = ("--batch", "rows.csv", "--out", "out", "--generator", "demo", "--config", str(config), "--preset", "fox")
    assert render.main(batch) == 0
    assert read_recipe(Path("out/a.png")).prompt.startswith("my_fox, fox holding telescope")


def test_rows_of_a_batch_may_have_presets_of_their_own(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "telescope,A,1,,a,fox\nsword,B,2,,b,\nsword,C,3,,c,fox\nsword,D,4,,d,fix\n"
    Path("rows.csv").write_text(f"object,text,seed,style,name,preset\n{rows}")
    batch = ("--batch", "rows.csv", "--out", "out", "--generator", "demo", "--config", str(config))
    assert render.main(batch) == 1
    said = capsys.readouterr().err
    assert "line 5: unknown preset 'fix': did you mean fox?" in said
    assert said.index("out/c.png") < said.index("out/b.png"), "badges of one preset are drawn together"
    recipes = [read_recipe(Path(f"out/{name}.png")) for name in "abc"]
    assert [(each.style, each.lora, each.lora_scale) for each in recipes] == [
        ("flat", "fox", 0.5), ("ribbon", "aidbox", 1.0), ("flat", "fox", 0.5),
    ]  # fmt: skip
    one = ("--object", "sword", "--text", "C", "--seed", "3", "--preset", "fox", "--generator", "demo")
    assert render.main((*one, "--config", str(config), "--out", "c.png")) == 0
    with Image.open("c.png") as alone, Image.open("out/c.png") as row:
        assert alone.tobytes() == row.tobytes()
    # Another preset is other work: that row alone is drawn again.
    Path("rows.csv").write_text("object,text,seed,style,name,preset\ntelescope,A,1,,a,\nsword,C,3,,c,fox\n")
    before = Path("out/c.png").stat().st_mtime_ns
    assert render.main(batch) == 0
    assert read_recipe(Path("out/a.png")).lora == "aidbox"
    assert Path("out/c.png").stat().st_mtime_ns == before


def test_a_wrong_preset_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    what = ("--object", "telescope", "--text", "A", "--config", str(config))
    assert render.main((*what, "--preset", "fix")) == 2
    assert "unknown preset 'fix': did you mean fox?" in capsys.readouterr().err
    assert render.main((*what[:4], "--preset", "fox")) == 2
    assert "there are no presets" in capsys.readouterr().err
    config.write_text('[presets.fox]\nbase = "fox"\n')
    with pytest.raises(ConfigError, match=r"line 2: presets\.fox\.base = 'fox': must contain \{object\} exactly once"):
        load_settings(config)
    config.write_text('[presets.fox]\nbse = "fox {object}"\n')
    with pytest.raises(ConfigError, match="unknown key 'bse': did you mean base"):
        load_settings(config)
