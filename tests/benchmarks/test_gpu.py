"""`benchmarks.gpu` at tiny scale on the CPU: the same program as on a card, so that it works the day there is one."""

import json
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu.__main__ import jobs, main
from benchmarks.gpu.flops import limit
from benchmarks.gpu.schedule import Schedule
from benchmarks.gpu.table import tables
from benchmarks.gpu.worker import Job

TINY = Job("klein", "draw", "flux2-klein-4b", ("exact",), 1, steps=2, images=1, device="cpu", tiny=True, compiled=False)


def run(tmp_path: Path, *wanted: Job, lanes: int = 2, seconds: float = 300) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    deadline = time.time() + seconds
    Schedule(list(wanted), said.append, tmp_path / "log", memory=100, lanes=lanes, deadline=deadline).run()
    return said


def rows(said: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(each["job"], each["way"]): each for each in said if each["event"] == "row"}


def test_two_models_are_measured_and_what_is_timed_is_alone(tmp_path: Path) -> None:
    one = replace(TINY, name="one", ways=("bounds", "exact"))
    two = replace(TINY, name="two", kind="train", profile="flux-dev", ways=("bf16",))
    said = run(tmp_path, one, two)
    found = rows(said)
    assert not [row["problem"] for row in found.values() if row.get("problem")]
    assert found["one", "bounds"]["rates"]["bf16"] > 0
    assert found["one", "exact"]["seconds"] > 0
    assert found["one", "exact"]["note"] == ""
    assert found["two", "bf16"]["mixed"]
    assert {way for job, way in found if job == "two"} == {"bf16 512", "bf16 768", "bf16 1024", "bf16"}


def test_what_goes_wrong_is_the_row_of_its_way_and_the_next_way_is_measured(tmp_path: Path) -> None:
    found = rows(run(tmp_path, replace(TINY, ways=("no such tier@1", "bounds"))))
    assert found["klein", "no such tier@1"]["problem"]
    assert found["klein", "bounds"]["rates"]


def test_a_process_that_dies_costs_one_way(tmp_path: Path) -> None:
    """As after an error that makes a card unusable: a new process goes on behind the way that killed it."""
    import os

    said: list[dict[str, Any]] = []
    deadline = time.time() + 300
    schedule: Schedule

    def kill_once(event: dict[str, Any]) -> None:
        if event["event"] == "begin" and event["way"] == "exact" and not any(e["event"] == "row" for e in said):
            os.killpg(schedule._processes["klein"][1].pid, signal.SIGKILL)
        said.append(event)

    wanted = [replace(TINY, ways=("exact", "bounds"))]
    schedule = Schedule(wanted, kill_once, tmp_path / "log", memory=9, lanes=1, deadline=deadline)
    schedule.run()
    found = rows(said)
    assert "the process ended with -9" in found["klein", "exact"]["problem"]
    assert found["klein", "bounds"]["rates"]


def test_at_the_deadline_all_is_over_and_said(tmp_path: Path) -> None:
    found = rows(run(tmp_path, TINY, replace(TINY, name="later"), lanes=1, seconds=0.5))
    assert {row["problem"] for row in found.values()} == {"no time left"}
    assert {job for job, _ in found} == {"klein", "later"}


def test_a_model_waits_until_the_card_has_room() -> None:
    wide, small = replace(TINY, name="wide", memory=60), replace(TINY, name="small", memory=10)
    schedule = Schedule([wide, small], print, Path("/dev/null"), memory=80, lanes=2, deadline=0)
    schedule._processes["now"] = (replace(TINY, name="now", memory=45), None)  # type: ignore[assignment]
    assert schedule._next() == small


def test_the_tables() -> None:
    wanted = {job.name: job for job in jobs("cuda", tiny=False, cache="", out="")}
    found = [
        {"job": "flux-dev", "way": "bounds", "rates": {"bf16": 790.0, "fp8": 1400.0}},
        {"job": "flux-dev", "way": "exact", "seconds": 3.0, "setup": 40.0, "steps": 28, "plan": "plan: x", "note": "",
         "allocated": 26 * 10**9},
        {"job": "flux-dev", "way": "diffusers", "seconds": 6.0, "setup": 9.0, "steps": 28, "plan": "", "note": ""},
        {"job": "flux-dev-more", "way": "exact", "seconds": 3.0, "setup": 20.0, "steps": 28, "plan": "", "note": ""},
        {"job": "flux-dev-caps", "way": "fast@12", "problem": "OutOfMemoryError: no room"},
        {"job": "flux-dev-training", "way": "bf16 512", "seconds": 0.3, "setup": 9.0, "predicted": 40 * 10**9,
         "note": "4 graphs"},
    ]  # fmt: skip
    text = tables(wanted, found, {"card": "A card", "versions": {"torch": "2.13"}})
    assert "A card; matrix products: bf16 790 TFLOP/s, fp8 1400 TFLOP/s; torch 2.13" in text
    assert "| flux-dev, 28 | exact | 3.000 | 2.00x | 88% | 26.0 | 40.0 |" in text
    assert "| flux-dev, 28 | exact, warm-started | 3.000 |" in text
    assert "| 12 | flux-dev, fast | OutOfMemoryError: no room |" in text
    assert "| flux-dev | bf16 512 | 0.300 | 5.0 |  | 40.0 | 9.0 | 4 graphs |" in text


def test_the_limit_is_the_published_one() -> None:
    dev = Job("flux-dev", "draw", "flux-dev", ())
    assert limit(dev, 28, {"bf16": 790.0}, fp8=False) == pytest.approx(2.64, abs=0.02)


def test_the_first_four_minutes_fill_the_table() -> None:
    wanted = jobs("cuda", tiny=False, cache="x", out="")
    assert [job.name for job in wanted][:4] == ["flux-dev", "demo", "klein-training", "flux-dev-training"]
    assert wanted[0].ways == ("bounds", "exact", "diffusers", "fast", "diffusers compiled")
    assert [job.name.partition("-caps")[1] for job in wanted][-2:] == ["-caps", "-caps"]


def test_rows_are_on_disk_when_they_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--tiny", "--device", "cpu", "--out", str(tmp_path), "--only", "flux-dev-checkpointing"]) == 0
    said = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert any(each["event"] == "row" and each["way"] == "checkpointing 1024" and each["seconds"] > 0 for each in said)
    table = (tmp_path / "table.md").read_text()
    assert "| flux-dev | checkpointing 1024 | 0." in table
    assert capsys.readouterr().out.strip() == table.strip()


def test_bad_usage_and_no_card_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    assert main(["--only", "flux-den"]) == 2
    assert "error: unknown job 'flux-den'. Known: flux-dev, demo," in capsys.readouterr().err
    if not torch.cuda.is_available():
        assert main([]) == 2
        assert "no CUDA card here" in capsys.readouterr().err


@pytest.mark.slow
def test_the_whole_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Slow: trains the demo FLUX three times; minutes on a CPU."""
    assert main(["--tiny", "--device", "cpu", "--out", str(tmp_path), "--budget-seconds", "1500"]) == 0
    said = capsys.readouterr().out
    assert "resumed against unbroken: largest difference 0.00e+00" in said
    for line in ("| flux-dev, 2 | turbo |", "| flux-schnell, 2 | fast |", "| render |", "| flux-dev | bf16 mixed |"):
        assert line in said
    assert "no time left" not in said
