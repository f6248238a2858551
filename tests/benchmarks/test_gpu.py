"""`benchmarks.gpu` at tiny scale on the CPU: the same code as on a card, so that it works the day there is one."""

from dataclasses import replace

import pytest

from benchmarks.gpu import limit, main, rows, run, table
from benchmarks.gpu_row import Measured, Row, bounds, measure

TINY = Row("flux-dev", "exact", 2, images=1, device="cpu", tiny=True, compiled=False)


@pytest.mark.parametrize("profile", ["flux-dev", "flux-schnell", "flux2-klein-4b"])
@pytest.mark.parametrize("way", ["plain", "exact", "turbo"])
def test_every_way_of_every_model_draws(profile: str, way: str) -> None:
    found = measure(replace(TINY, profile=profile, way=way))
    assert found.problem == ""
    assert 0 < found.seconds < found.first


def test_bounds_are_rates() -> None:
    assert bounds(TINY)["bf16"] > 0


@pytest.mark.slow
def test_a_row_in_a_process_of_its_own() -> None:
    found = run(replace(TINY, way="bounds"), 300)
    assert found.problem == ""
    assert found.rates["bf16"] > 0


def test_no_time_left_is_said() -> None:
    assert run(TINY, 0).problem == "no time left"


def test_what_goes_wrong_is_a_problem_of_its_row() -> None:
    assert "unknown profile 'flux-den'" in run(replace(TINY, profile="flux-den"), 300).problem


def test_the_table() -> None:
    dev = Row("flux-dev", "plain", 28)
    found = [
        Measured(replace(dev, way="bounds"), card="A card", rates={"bf16": 790.0, "fp8": 1400.0}),
        Measured(dev, 6.0, 30.0, 40 * 10**9, "diffusers", "A card"),
        Measured(replace(dev, way="exact"), 3.0, 60.0, 30 * 10**9, "plan: flux-dev exact: place", "A card"),
        Measured(replace(dev, way="exact"), 3.0, 20.0, 30 * 10**9, "plan: flux-dev exact: place", "A card"),
        Measured(replace(dev, way="fast", cap=8), problem="OutOfMemoryError: no room"),
    ]
    text = table(found)
    assert "A card; matrix products: bf16 790.0 TFLOP/s, fp8 1400.0 TFLOP/s" in text
    assert "| flux-dev, 28 | exact | 3.00 | 2.00x | 88% | 30.0 | 60.0 |" in text
    assert "| flux-dev, 28 | exact, warm-started | 3.00 |" in text
    assert "| 8 | flux-dev, fast | OutOfMemoryError: no room |" in text


def test_the_limit_is_the_published_one() -> None:
    assert limit(Row("flux-dev", "exact", 28), {"bf16": 790.0}, fp8=False) == pytest.approx(2.64, abs=0.02)


def test_on_a_card_all_that_was_asked_for_is_measured() -> None:
    wanted = rows("cuda", tiny=False, cache="x")
    assert {(row.profile, row.way) for row in wanted if not row.cap and row.way != "bounds"} >= {
        ("flux-dev", "plain"),
        ("flux-dev", "exact"),
        ("flux-dev", "fast"),
        ("flux-dev", "turbo"),
        ("flux2-klein-4b", "exact"),
        ("flux-schnell", "exact"),
    }
    assert {row.cap for row in wanted} == {0, 8, 12, 16, 24, 40}


def test_without_a_card_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a card here")
    assert main([]) == 2
    assert "no CUDA card here" in capsys.readouterr().err


@pytest.mark.slow
def test_the_whole_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--tiny", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "| flux-dev, 2 | plain |" in said
    assert "| flux-schnell, 2 | fast |" in said
