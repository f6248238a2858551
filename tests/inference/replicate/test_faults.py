"""Replicate at its worst: whatever goes wrong, at most one paid job, a picture or a typed error, in bounded time.

Each test breaks the fake of the API in one way and counts what was started there.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.errors import BackendUnavailable, RenderFailed
from inference.types import PortraitRequest
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_client import QUICK, REQUEST, generator_for
from tests.fakes.replicate_jobs import Plan

MEBI = 2**20


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        yield server


def draws(fake: FakeReplicate, tmp_path: Path, **changes: object) -> bool:
    with generator_for(fake, tmp_path, **changes) as generator:
        return generator.generate(REQUEST).image.size == (64, 64)


@pytest.mark.parametrize(
    "faults",
    [
        ("429", "429"),
        ("429-bare", "429-bare"),
        ("500", "500", "500"),
        ("502",),
        ("drop-before", "drop-before"),
        ("drop-after",),
        ("html",),
        ("500", "drop-before", "429", "drop-after"),
    ],
)
def test_a_create_that_fails_or_whose_answer_is_lost_pays_once(
    fake: FakeReplicate, tmp_path: Path, faults: tuple[str, ...]
) -> None:
    fake.state.fail("create", *faults, seconds=0.01)
    assert draws(fake, tmp_path)
    assert fake.state.paid() == 1


def test_a_lost_job_is_found_beyond_the_first_page_without_following_its_address(
    fake: FakeReplicate, tmp_path: Path
) -> None:
    fake.state.page = 2
    fake.state.fail("create", "drop-after")
    with generator_for(fake, tmp_path) as generator:
        generator.prepare()
        for number in range(5):  # others draw with the same account, a little later
            other = fake.state.start("predictions", {"input": {"prompt": f"{number}"}}, "owner/samurai", "v1")
            other.created += 60
        assert generator.generate(REQUEST).image.size == (64, 64)
    assert fake.state.paid() == 5 + 1


def test_a_create_without_an_answer_in_time_is_found_and_never_repeated(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.fail("create", "slow-after", seconds=0.6)
    assert draws(fake, tmp_path, read_timeout_s=0.2)
    assert fake.state.paid() == 1


def test_a_job_that_appears_too_late_is_taken_up_by_the_next_call(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.fail("create", "slow-before", seconds=0.8)
    with generator_for(fake, tmp_path, read_timeout_s=0.2, retry_max_s=0.01) as generator:
        with pytest.raises(BackendUnavailable, match="nothing is paid twice"):
            generator.generate(REQUEST)
        while not fake.state.paid():
            time.sleep(0.02)
        assert generator.generate(REQUEST).seed == 7
    assert fake.state.paid() == 1


def test_where_the_list_cannot_be_read_no_second_job_is_made(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.fail("create", "drop-after")
    fake.state.fail("list", *["500"] * 6)
    with generator_for(fake, tmp_path) as generator:
        with pytest.raises(BackendUnavailable, match="whether the job was started is not known"):
            generator.generate(REQUEST)
        assert generator.generate(REQUEST).seed == 7
    assert fake.state.paid() == 1


def test_two_badges_with_the_same_words_do_not_take_each_others_job(fake: FakeReplicate, tmp_path: Path) -> None:
    with generator_for(fake, tmp_path) as generator:
        generator.generate(REQUEST)
        fake.state.fail("create", "drop-before")
        generator.generate(REQUEST)
    assert fake.state.paid() == 2, "the first badge's job is no lost answer of the second"


def test_retry_after_is_honoured_up_to_the_cap(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.fail("create", "429", seconds=3600)
    started = time.monotonic()
    assert draws(fake, tmp_path, retry_max_s=0.1)
    assert time.monotonic() - started >= 0.1
    assert fake.state.calls("POST", "/predictions") == 2


def test_endless_throttling_ends_typed_and_unpaid(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.fail("create", *["429"] * 50)
    with (
        generator_for(fake, tmp_path, attempts=4) as generator,
        pytest.raises(BackendUnavailable, match="rejects further requests"),
    ):
        generator.generate(REQUEST)
    assert fake.state.calls("POST", "/predictions") == 4
    assert fake.state.paid() == 0


@pytest.mark.parametrize("fault", ["500", "502", "429", "drop-before", "drop-after", "html", "slow-before"])
def test_a_broken_look_at_the_job_changes_nothing(fake: FakeReplicate, tmp_path: Path, fault: str) -> None:
    fake.state.fail("get", fault, fault, seconds=0.3)
    assert draws(fake, tmp_path, read_timeout_s=0.2)
    assert fake.state.paid() == 1


def test_a_job_out_of_sight_for_longer_than_all_tries_goes_on(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.fail("get", *["502"] * 9)
    assert draws(fake, tmp_path, attempts=3)
    assert fake.state.paid() == 1


def test_no_server_at_all_is_typed(tmp_path: Path) -> None:
    with FakeReplicate() as fake:
        pass
    with (
        generator_for(fake, tmp_path, attempts=2) as generator,
        pytest.raises(BackendUnavailable, match="no connection"),
    ):
        generator.generate(REQUEST)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("truncated", "damaged or no PNG"),
        ("html", "damaged or no PNG"),
        ("huge", "more than the 2097152 allowed"),
        ("endless", "longer than the 2097152 bytes"),
        ("wide", "5000 x 5000 pixels"),
        ("gone", "no longer available: status 404"),
        ("redirect-away", "evil.example, which is not allowed"),
        ("redirect-round", "more than 3 times"),
        ("https://evil.example/x.png", "evil.example, which is not allowed"),
        ("http://replicate.delivery/x.png", "http://replicate.delivery, which is not allowed"),
        ("https://replicate.delivery.evil.example/x.png", "not allowed"),
        ("https://replicate.delivery@evil.example/x.png", "evil.example, which is not allowed"),
        ("file:///etc/passwd", "not allowed"),
        ("https://[broken/x.png", "URL is invalid"),
    ],
)
def test_a_bad_output_is_refused(fake: FakeReplicate, tmp_path: Path, output: str, words: str) -> None:
    fake.state.plan = Plan(outputs=(output,))
    with generator_for(fake, tmp_path) as generator, pytest.raises(RenderFailed, match=words):
        generator.generate(REQUEST)
    assert fake.state.paid() == 1


@pytest.mark.parametrize("output", ["png", "webp", "jpg", "redirect-here"])
def test_good_outputs_come_without_the_token_being_sent(fake: FakeReplicate, tmp_path: Path, output: str) -> None:
    fake.state.plan = Plan(outputs=(output,))
    assert draws(fake, tmp_path)
    delivered = [headers for _, path, headers in fake.state.served if path.startswith("/delivery/")]
    assert delivered
    assert not any(fake.state.token in str(headers) for headers in delivered)


def test_this_machine_is_no_download_host_unless_the_api_is_on_it(fake: FakeReplicate, tmp_path: Path) -> None:
    from inference.replicate.download import Downloader
    from inference.replicate.errors import BadOutput
    from tests.fakes.replicate_client import quick

    ends = time.monotonic() + 5
    strict, open_here = (
        Downloader(quick(), "https://api.replicate.com"),
        Downloader(quick(download_hosts=["127.0.0.1"])),
    )
    with pytest.raises(BadOutput, match=r"http://127.0.0.1, which is not allowed"):
        strict.image(f"{fake.url}/delivery/j/png", ends)
    assert open_here.image(f"{fake.url}/delivery/j/png", ends).size == (64, 64)
    strict.close()
    open_here.close()


def test_a_download_that_breaks_is_tried_again(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.fail("download", "drop-before", "500", "drop-before")
    assert draws(fake, tmp_path)


def test_a_paid_picture_that_could_not_be_fetched_is_fetched_by_the_next_call(
    fake: FakeReplicate, tmp_path: Path
) -> None:
    fake.state.fail("download", *["500"] * 3)
    with generator_for(fake, tmp_path, attempts=3) as generator:
        with pytest.raises(BackendUnavailable, match="cannot be fetched"):
            generator.generate(REQUEST)
        portrait = generator.generate(REQUEST)
    assert fake.state.paid() == 1
    assert portrait.cost_usd == pytest.approx(10 * 0.001525)


def test_a_picture_that_stops_half_way_is_no_picture(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(outputs=("cut",))
    with generator_for(fake, tmp_path, attempts=2) as generator, pytest.raises(BackendUnavailable, match="be fetched"):
        generator.generate(REQUEST)


def test_a_cancel_that_fails_leaves_the_job_to_the_next_call(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(("starting",))
    fake.state.fail("cancel", *["500"] * 6)
    with generator_for(fake, tmp_path, deadline_s=0.1) as generator:
        with pytest.raises(BackendUnavailable, match="deadline"):
            generator.generate(REQUEST)
        (job,) = fake.state.jobs.values()
        job.plan = Plan(("succeeded",))
        assert generator.generate(REQUEST).image.size == (64, 64)
    assert fake.state.paid() == 1


def test_a_killed_process_loses_no_job(fake: FakeReplicate, tmp_path: Path) -> None:
    """SIGKILL while the job runs; the next process goes on with that very job."""
    fake.state.plan = Plan(("processing 1/28",))
    script = (
        "import json, sys, pathlib; from configs.sections.replicate import ReplicateSettings;"
        "from inference.replicate.generator import ReplicateGenerator; from inference.types import PortraitRequest;"
        "s = ReplicateSettings.model_validate_json(sys.argv[1]);"
        "g = ReplicateGenerator(s, sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4]));"
        f"g.generate(PortraitRequest({REQUEST.prompt!r}, {REQUEST.seed}))"
    )
    from tests.fakes.replicate_client import quick

    settings = quick(**QUICK).model_dump_json()
    command = [sys.executable, "-c", script, settings, fake.state.token, fake.url, str(tmp_path)]
    child = subprocess.Popen(command)
    while not fake.state.calls("GET", "/predictions/job"):
        assert child.poll() is None
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    (job,) = fake.state.jobs.values()
    job.plan = Plan(("succeeded",))
    assert draws(fake, tmp_path)
    assert fake.state.paid() == 1


def test_memory_stays_bounded_under_an_endless_answer(fake: FakeReplicate, tmp_path: Path) -> None:
    import tracemalloc

    fake.state.plan = Plan(outputs=("endless",))
    with generator_for(fake, tmp_path, max_image_mb=1) as generator:
        tracemalloc.start()
        with pytest.raises(RenderFailed):
            generator.generate(REQUEST)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 24 * MEBI


def test_words_in_error_answers_never_carry_a_token(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(("failed",), error=f"could not log in with hf_abcdefghijk and {fake.state.token}")
    with generator_for(fake, tmp_path) as generator, pytest.raises(RenderFailed) as caught:
        generator.generate(PortraitRequest("p", 1))
    said = str(caught.value)
    assert "***" in said
    assert "hf_abc" not in said
    assert fake.state.token not in said
    assert "Traceback" not in json.dumps(said)


def test_an_answer_that_drips_is_given_up_at_its_own_deadline(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.fail("get", *["drip"] * 3)
    assert draws(fake, tmp_path, read_timeout_s=0.3)
    assert fake.state.paid() == 1


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_goes_wrong_here_does_not_hide_a_lost_job(fake: FakeReplicate, tmp_path: Path, hours: int) -> None:
    """The server's clock is `hours` ahead of ours; jobs are compared by the server's."""
    fake.state.ahead_s = hours * 3600.0
    fake.state.fail("create", "drop-after")
    assert draws(fake, tmp_path)
    assert fake.state.paid() == 1
