"""The ledger: quotas and budgets that survive restarts and are shared by all processes of a machine."""

import contextlib
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inference.errors import BackendUnavailable
from inference.replicate.errors import OverLimit
from inference.replicate.ledger import Ledger, Limits
from inference.types import PortraitRequest
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_client import REQUEST, generator_for
from tests.fakes.replicate_jobs import Plan

NOON = datetime(2026, 3, 30, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0
NO_LIMITS = Limits(0, 0, 0, 0)


Opened = Callable[..., Ledger]


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Iterator[Opened]:
    """Opens the ledger anew at each call, as another process would, with the limits given."""
    ledgers = []

    def open_it(limits: Limits = NO_LIMITS, time: Callable[[], float] = clock) -> Ledger:
        ledgers.append(Ledger(tmp_path / "deep" / "replicate.sqlite", limits, time))
        return ledgers[-1]

    yield open_it
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        yield server


def test_a_full_minute_says_how_long_to_wait_also_after_a_restart(opened: Opened, clock: Clock) -> None:
    limits = Limits(3, 0, 0, 0)
    for second in range(3):
        clock.now = NOON + second
        assert isinstance(opened(limits).reserve("badge", "m", 0.1), int)
    clock.now = NOON + 10
    assert opened(limits).reserve("badge", "m", 0.1) == pytest.approx(50.0)
    clock.now = NOON + 60.01
    assert isinstance(opened(limits).reserve("badge", "m", 0.1), int)


def test_a_full_month_names_the_day_it_ends(opened: Opened, clock: Clock) -> None:
    ledger = opened(Limits(0, 2, 0, 0))
    ledger.reserve("badge", "m", 0)
    ledger.close_line(int(ledger.reserve("badge", "m", 0)), "never")
    ledger.reserve("badge", "m", 0)
    with pytest.raises(OverLimit, match=r"all 2 .* until 2026-04-01: raise replicate.requests_per_month"):
        ledger.reserve("badge", "m", 0)
    assert isinstance(ledger.reserve("training", "m", 0), int), "trainings are no badges"
    clock.now = datetime(2026, 4, 1, tzinfo=UTC).timestamp()
    assert isinstance(ledger.reserve("badge", "m", 0), int)


def test_budgets_count_estimates_until_the_cost_is_known(opened: Opened, clock: Clock) -> None:
    ledger = opened(Limits(0, 0, 1.0, 1.5))
    first = int(ledger.reserve("badge", "m", 0.6))
    with pytest.raises(OverLimit, match=r"\$1.00 a day .*\$0.60 spent, \$0.60 more.* until 2026-03-31"):
        ledger.reserve("badge", "m", 0.6)
    ledger.settle(first, 0.3)
    ledger.settle(int(ledger.reserve("training", "m", 0.6)), 0.7)
    assert ledger.spent() == pytest.approx((1.0, 1.0))
    clock.now += DAY
    with pytest.raises(OverLimit, match=r"\$1.50 a month .* until 2026-04-01"):
        ledger.reserve("badge", "m", 0.6)
    assert ledger.spent() == pytest.approx((0.0, 1.0))


def test_the_files_are_for_their_owner_alone(opened: Opened, tmp_path: Path) -> None:
    opened().note("a", "b")
    files = list((tmp_path / "deep").iterdir())
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_processes_and_threads_share_one_quota(tmp_path: Path) -> None:
    """Three processes with four threads each ask for 60 places where there are 25."""
    script = (
        "import sys, threading, pathlib; from inference.replicate.ledger import Ledger, Limits;"
        "from inference.replicate.errors import OverLimit\n"
        "got = []\n"
        "def ask():\n"
        "    for _ in range(5):\n"
        "        try: got.append(Ledger(pathlib.Path(sys.argv[1]), Limits(0, 25, 0, 0)).reserve('badge', 'm', 0))\n"
        "        except OverLimit: pass\n"
        "threads = [threading.Thread(target=ask) for _ in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print(len(got))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "l.sqlite")]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sum(int(child.communicate()[0]) for child in children) == 25


def test_a_second_ledger_takes_no_lock_from_the_first(tmp_path: Path) -> None:
    """Another process that comes and goes must not take the file for unused, and what is written then is kept."""
    path = tmp_path / "l.sqlite"
    first = Ledger(path, Limits(0, 3, 0, 0))
    first.reserve("badge", "m", 0)
    second = Ledger(path, Limits(0, 3, 0, 0))
    script = (
        "import sys, pathlib; from inference.replicate.ledger import Ledger, Limits\n"
        "ledger = Ledger(pathlib.Path(sys.argv[1]), Limits(0, 3, 0, 0))\n"
        "ledger.reserve('badge', 'm', 0)\n"
        "ledger.close()"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    second.reserve("badge", "m", 0)
    with contextlib.closing(sqlite3.connect(path)) as fresh:
        assert fresh.execute("select count(*) from jobs").fetchone() == (3,)
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert "all 3 Replicate requests of this month are used up" in done.stderr
    first.close()
    second.close()


def test_only_work_that_nobody_is_at_is_taken_over(opened: Opened, clock: Clock) -> None:
    ledger = opened()
    line = int(ledger.reserve("badge", "mark", 0.1))
    ledger.running(line, "job1")
    assert ledger.adopt("badge", "mark", 3600) is None, "this very process is at it"
    ledger.let_go(line)
    assert ledger.adopt("badge", "other", 3600) is None
    found = ledger.adopt("badge", "mark", 3600)
    assert found is not None
    assert (found.line, found.job, found.settled) == (line, "job1", False)
    assert ledger.adopt("badge", "mark", 3600) is None, "taken already"
    ledger.let_go(line)
    clock.now += 3601
    assert ledger.adopt("badge", "mark", 3600) is None, "outputs are gone after an hour"


def test_a_generator_over_its_budget_asks_for_nothing(fake: FakeReplicate, tmp_path: Path) -> None:
    with generator_for(fake, tmp_path, budget_day_usd=0.02, estimate_badge_usd=0.01) as generator:
        generator.generate(REQUEST)
        with pytest.raises(BackendUnavailable, match=r"budget of \$0.02 a day is used up .* until 20\d\d-"):
            generator.generate(PortraitRequest("another", 1))
    assert fake.state.paid() == 1


def test_a_generator_waits_for_a_full_minute_or_says_that_it_cannot(fake: FakeReplicate, tmp_path: Path) -> None:
    with generator_for(fake, tmp_path, requests_per_minute=1, deadline_s=0.5) as generator:
        generator.generate(REQUEST)
        with pytest.raises(BackendUnavailable, match=r"raise replicate\.requests_per_minute"):
            generator.generate(PortraitRequest("another", 1))
    assert fake.state.paid() == 1


def test_what_was_never_begun_costs_nothing_and_what_ran_costs_what_it_ran(
    fake: FakeReplicate, tmp_path: Path, opened: Opened
) -> None:
    ledger = opened(time=time.time)
    with generator_for(fake, tmp_path / "deep") as generator:
        fake.state.plan = Plan(("starting", "aborted"))
        with pytest.raises(BackendUnavailable):
            generator.generate(REQUEST)
        assert ledger.spent() == (0.0, 0.0)
        fake.state.fail("create", "402")
        with pytest.raises(BackendUnavailable):
            generator.generate(REQUEST)
        assert ledger.spent() == (0.0, 0.0)
        fake.state.plan = Plan(("processing", "failed"), error="no", predict_s=4.0)
        with pytest.raises(Exception, match="no"):
            generator.generate(REQUEST)
    assert ledger.spent()[0] == pytest.approx(4 * 0.001525)


def test_badges_at_once_each_get_their_own_job(fake: FakeReplicate, tmp_path: Path) -> None:
    seeds = []
    with generator_for(fake, tmp_path) as generator:
        threads = [
            threading.Thread(target=lambda n=n: seeds.append(generator.generate(PortraitRequest("p", n)).seed))
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(seeds) == [0, 1, 2, 3]
    assert fake.state.paid() == 4
