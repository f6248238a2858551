"""`--warm`, `--tier` and the portrait cache, by the command line with the demo FLUX."""

from pathlib import Path

import pytest

from inference import render
from inference.output.recipe import read_recipe

SCOUT = ("--generator", "demo", "--object", "telescope", "--seed", "7")


@pytest.fixture(autouse=True)
def _small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BADGE_LOCAL__STEPS", "2")
    monkeypatch.setenv("BADGE_LOCAL__THREADS", "1")
    monkeypatch.setenv("BADGE_BANNER__SIZE", "256")


def test_warm_draws_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(["--warm", "--generator", "demo"]) == 0
    assert "demo is warm: exact on cpu" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize("more", [("--out", "a.png"), ("--object", "a"), ("--count", "2")])
def test_warm_takes_nothing_to_draw(more: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(["--warm", *more]) == 2
    assert "error: --warm draws nothing" in capsys.readouterr().err


def test_an_unknown_tier(capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main([*SCOUT, "--text", "A", "--tier", "turbp"]) == 2
    assert "did you mean turbo?" in capsys.readouterr().err


def test_the_badge_records_the_tier_in_force() -> None:
    assert render.main([*SCOUT, "--text", "A", "--tier", "fast", "--out", "a.png"]) == 0
    assert read_recipe(Path("a.png")).tier == "exact"


def test_another_text_on_the_same_portrait_draws_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from diffusers import FluxPipeline

    assert render.main([*SCOUT, "--text", "ONE", "--out", "one.png"]) == 0
    assert len(list(Path("data/portraits").iterdir())) == 1
    calls = []
    draw = FluxPipeline.__call__
    monkeypatch.setattr(FluxPipeline, "__call__", lambda *a, **k: calls.append(1) or draw(*a, **k))
    assert render.main([*SCOUT, "--text", "TWO", "--out", "two.png"]) == 0
    assert calls == []
    monkeypatch.setenv("BADGE_GENERATOR__PORTRAIT_CACHE_MB", "0")
    assert render.main([*SCOUT, "--text", "TWO", "--out", "again.png"]) == 0
    assert calls == [1]
    assert Path("two.png").read_bytes() == Path("again.png").read_bytes()
