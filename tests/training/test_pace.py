"""How long a training still takes, on a clock that is fed: from the last minute, and after ten measured steps only."""

import io
import sys
import time

import pytest

from training.commands.run import _Bar
from training.pace import Pace
from training.trainer import Status


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_is_told_from_what_was_measured() -> None:
    clock = Clock()
    pace = Pace(100, {"checkpoints": 50, "samples": 0}, behind=False, clock=clock)
    clock.now += 500  # what lies before the first step
    pace.settle()
    told = {}
    for step in range(1, 101):
        clock.now += 3
        pace.step()
        if step % 10 == 0:
            assert pace.settle() == 3
        if step % 50 == 0:
            with pace.pause("checkpoints"):
                clock.now += 40
        assert (pace.left(step) is None) == (step < 10)
        if news := pace.news(step):
            told[step] = news
    # 90 steps of 3 seconds; later 50 of them and one checkpoint.
    assert told == {
        10: "step 10 of 100: 3.00 s a step, about 4 minutes left without checkpoints",
        50: "step 50 of 100: 3.00 s a step, about 3 minutes left",
    }


def test_nothing_is_said_before_ten_steps_however_long_they_take() -> None:
    clock = Clock()
    slow = Pace(1000, {"checkpoints": 5, "samples": 250}, behind=False, clock=clock)
    for step in range(1, 10):
        clock.now += 360
        slow.step()
        if step == 5:
            with slow.pause("checkpoints"):
                clock.now += 1000
        assert slow.news(step) == ""
        assert slow.left(step) is None
    clock.now += 360
    slow.step()
    # 990 steps of 6 minutes and 198 checkpoints.
    assert slow.news(10) == "step 10 of 1000: 360.0 s a step, about 154.0 hours left without samples"


def test_on_a_card_the_first_reading_is_its_warm_up() -> None:
    clock = Clock()
    card = Pace(1000, {"checkpoints": 2000, "samples": 0}, behind=True, clock=clock)
    for step in range(1, 21):
        assert card.news(step - 1) == ""
        clock.now += 30 if step <= 10 else 1
        card.step()
        if step % 10 == 0:
            card.settle()
    assert card.news(20) == "step 20 of 1000: 1.00 s a step, about 16 minutes left without checkpoints"
    assert card.news(21) == ""


def run(pace: Pace, clock: Clock, start: int, steps: int, seconds: float) -> None:
    """Steps of `seconds` each; a checkpoint of eight steps' time every 50, a reading every 10."""
    for step in range(start + 1, start + steps + 1):
        clock.now += seconds
        pace.step()
        if step % 10 == 0:
            pace.settle()
        if step % 50 == 0:
            with pace.pause("checkpoints"):
                clock.now += 8 * seconds


@pytest.mark.parametrize("behind", [False, True])
def test_under_load_that_comes_and_goes_the_last_minute_counts(behind: bool) -> None:
    """The mean of the sitting would be off by more than a quarter after each change."""
    clock = Clock()
    pace = Pace(1000, {"checkpoints": 50, "samples": 0}, behind=behind, clock=clock)
    done = 0
    for steps, seconds in ((400, 1.0), (80, 3.0), (220, 0.5)):
        run(pace, clock, done, steps, seconds)
        done += steps
        rest = (1000 - done) * seconds + (20 - done // 50) * 8 * seconds
        assert pace.left(done) == pytest.approx(rest, rel=0.05)


def test_slow_steps_of_several_sizes_are_averaged_over_ten() -> None:
    clock = Clock()
    pace = Pace(100, {"checkpoints": 200, "samples": 0}, behind=False, clock=clock)
    for step in range(1, 21):
        clock.now += 20 if step % 2 else 60
        pace.step()
    assert pace.left(20) == 80 * 40


class Terminal(io.StringIO):
    """What a terminal was sent."""

    def isatty(self) -> bool:
        return True


def test_the_bar_says_what_the_trainer_measured_and_guesses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with _Bar(1000) as bar:
        for step in range(1, 31):
            time.sleep(0.02)  # else tqdm would not draw anew; nothing is asserted on it
            bar(Status("training", step, 1000, seconds_left=700.0 - step if step > 20 else None))
    drawn = [line for line in terminal.getvalue().split("\r") if "training" in line]
    before, after = (
        [line for line in drawn if (int(line.split()[1].partition("/")[0]) > 20) == late] for late in (False, True)
    )
    assert before
    assert not any("left" in line or "?" in line for line in before)
    assert "about 11 minutes left" in after[-1]
