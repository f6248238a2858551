"""Webhooks only wake: whatever they say, twice, late, forged or out of order, the API's own answer decides."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from inference.replicate.webhook import WebhookServer
from inference.types import Portrait
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_client import REQUEST, generator_for
from tests.fakes.replicate_jobs import Held, Plan


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        yield server


@pytest.fixture
def held(fake: FakeReplicate) -> Held:
    return fake.state.start("predictions", {"input": {}}, "owner/samurai", "v1")


@pytest.fixture
def bell(fake: FakeReplicate) -> Iterator[WebhookServer]:
    webhooks = WebhookServer("127.0.0.1:0", fake.state.signing_key)
    yield webhooks
    webhooks.close()


def address(bell: WebhookServer) -> str:
    return f"http://127.0.0.1:{bell.port}/hook"


def test_a_signed_event_rings_once_and_again_under_the_same_id_does_not(
    fake: FakeReplicate, held: Held, bell: WebhookServer
) -> None:
    assert fake.ring(held, address(bell), event="evt-1") == 200
    assert bell.wait(held.id, 2.0), "an event that comes before anybody waits counts"
    assert fake.ring(held, address(bell), event="evt-1") == 200
    assert not bell.wait(held.id, 0.05)
    assert fake.ring(held, address(bell), event="evt-2") == 200
    assert bell.wait(held.id, 2.0)


def test_forged_stale_and_future_events_are_refused(fake: FakeReplicate, held: Held, bell: WebhookServer) -> None:
    now = int(time.time())
    assert fake.ring(held, address(bell), key="whsec_Zm9yZ2Vk") == 401
    assert fake.ring(held, address(bell), stamp=now - 301) == 401
    assert fake.ring(held, address(bell), stamp=now + 301) == 401
    assert not bell.wait(held.id, 0.05)
    assert fake.ring(held, address(bell), stamp=now - 290) == 200


def test_an_event_about_another_job_wakes_nobody(fake: FakeReplicate, held: Held, bell: WebhookServer) -> None:
    assert not bell.wait("job9999", 0.01)
    assert fake.ring(held, address(bell)) == 200
    assert not bell.wait("job9999", 0.05)


def test_an_event_that_is_no_job_is_refused(fake: FakeReplicate, held: Held, bell: WebhookServer) -> None:
    assert fake.ring(held, address(bell), body={"hello": 1}) == 400


def draw_with_webhook(fake: FakeReplicate, data_dir: Path, portraits: list[Portrait], poll_s: float) -> Thread:
    """Draw in a thread with webhooks at a free port; the address is where the fake then rings."""

    def draw() -> None:
        with generator_for(
            fake,
            data_dir,
            webhook_url="https://badges.example/hook",
            webhook_listen=f"127.0.0.1:{free_port()}",
            webhook_poll_s=poll_s,
        ) as generator:
            portraits.append(generator.generate(REQUEST))

    thread = Thread(target=draw)
    thread.start()
    return thread


PORT: list[int] = []


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        PORT.append(int(probe.getsockname()[1]))
    return PORT[-1]


def the_job(fake: FakeReplicate) -> Held:
    while not fake.state.jobs:
        time.sleep(0.01)
    (job,) = fake.state.jobs.values()
    return job


def test_an_event_ends_the_wait_long_before_the_next_poll(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(("starting", "succeeded"))
    portraits: list[Portrait] = []
    thread = draw_with_webhook(fake, tmp_path, portraits, poll_s=60)
    job = the_job(fake)
    assert fake.ring(job, f"http://127.0.0.1:{PORT[-1]}/hook") == 200
    thread.join(9)
    assert portraits
    assert job.body["webhook"] == "https://badges.example/hook"
    assert "completed" in job.body["webhook_events_filter"]


def test_a_lying_event_changes_nothing_and_polling_is_the_net(fake: FakeReplicate, tmp_path: Path) -> None:
    """ "canceled", then "starting" again, both signed: the API says that it runs, and then that it is done."""
    fake.state.plan = Plan(("starting", "processing 3/28", "processing 9/28"))
    portraits: list[Portrait] = []
    thread = draw_with_webhook(fake, tmp_path, portraits, poll_s=0.1)
    job = the_job(fake)
    there = f"http://127.0.0.1:{PORT[-1]}/hook"
    for status in ("canceled", "starting"):
        assert fake.ring(job, there, body={**job.described(fake.url), "status": status}) == 200
    assert not portraits
    job.plan = Plan(("succeeded",))
    thread.join(9)
    assert portraits


def test_a_taken_port_leaves_polling(fake: FakeReplicate, tmp_path: Path, bell: WebhookServer) -> None:
    with generator_for(
        fake, tmp_path, webhook_url="https://badges.example/hook", webhook_listen=f"127.0.0.1:{bell.port}"
    ) as generator:
        assert generator.generate(REQUEST).image.size == (64, 64)
    (job,) = fake.state.jobs.values()
    assert "webhook" not in job.body
