"""What was paid at Replicate is fetched until it is had or gone for good, whatever shape the output has."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inference.errors import BackendUnavailable, InvalidRequest, InvalidSettings, OperatorNeeded, RenderFailed
from tests.fakes.relay import Relay
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_client import REQUEST, generator_for
from tests.fakes.replicate_jobs import Plan, picture

PNG = base64.b64encode(picture()).decode()


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        yield server


@pytest.mark.parametrize("faults", [("404",), ("403", "404"), ("404",) * 3], ids=["one", "two", "a whole call"])
def test_a_picture_that_is_not_there_at_first_is_not_paid_twice(
    fake: FakeReplicate, tmp_path: Path, faults: tuple[str, ...]
) -> None:
    fake.state.fail("download", *faults)
    with generator_for(fake, tmp_path) as generator:
        if len(faults) == 3:
            with pytest.raises(
                RenderFailed, match="it is already paid for: ask for the same badge again within an hour to fetch it"
            ):
                generator.generate(REQUEST)
        assert generator.generate(REQUEST).image.size == (64, 64)
    assert fake.state.paid() == 1


def test_a_damaged_picture_is_fetched_again_by_the_next_call(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(outputs=("truncated",))
    with generator_for(fake, tmp_path) as generator:
        with pytest.raises(RenderFailed, match="damaged"):
            generator.generate(REQUEST)
        (job,) = fake.state.jobs.values()
        job.plan = Plan(("succeeded",), outputs=("png",))
        assert generator.generate(REQUEST).image.size == (64, 64)
    assert fake.state.paid() == 1


@pytest.mark.parametrize(
    "shape",
    [
        f"data:image/png;base64,{PNG}",
        PNG,
        {"image": "URL"},
        {"images": ["URL"], "seed": 7, "nsfw": [False]},
        {"output": {"files": [{"url": "URL", "content_type": "image/png"}]}},
        [{"url": "URL"}],
        [["URL"]],
        {"whatever": "URL", "seed": "7"},
        {"images": [f"data:image/png;base64,{PNG}"]},
    ],
    ids=["data", "base64", "object", "list in it", "deep", "objects", "lists", "unknown name", "data in it"],
)
def test_outputs_of_all_shapes_are_read(fake: FakeReplicate, tmp_path: Path, shape: Any) -> None:
    fake.state.plan = Plan(shape=shape)
    with generator_for(fake, tmp_path) as generator:
        assert generator.generate(REQUEST).image.size == (64, 64)
    assert fake.state.paid() == 1


@pytest.mark.parametrize("shape", ["data:image/png;base64,%%%", "data:,", {"seed": 7}, "no address at all"])
def test_an_output_without_a_picture_is_paid_once(fake: FakeReplicate, tmp_path: Path, shape: Any) -> None:
    fake.state.plan = Plan(shape=shape)
    with generator_for(fake, tmp_path) as generator:
        for _ in range(3):
            with pytest.raises(RenderFailed):
                generator.generate(REQUEST)
    assert fake.state.paid() == 1


def test_an_interrupted_job_is_tried_again_once(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(("processing", "failed"), error="Prediction interrupted; please retry (code: PA)")
    with generator_for(fake, tmp_path) as generator, pytest.raises(BackendUnavailable, match="code: PA"):
        generator.generate(REQUEST)
    assert fake.state.paid() == 2


@pytest.mark.parametrize("code", ["E8765", "E9243", "E9825", "E6716", "E1001"])
def test_replicates_own_codes_are_its_own_fault(fake: FakeReplicate, tmp_path: Path, code: str) -> None:
    fake.state.plan = Plan(("processing", "failed"), error=f"Director: unexpected error ({code}) xyz")
    with generator_for(fake, tmp_path) as generator, pytest.raises(BackendUnavailable, match=code):
        generator.generate(REQUEST)


@pytest.mark.parametrize(
    ("fault", "changes", "words"),
    [
        ("402", {}, "out of credit"),
        ("401", {}, "refuses the token"),
        ("403", {}, r"forbids this to the account .*replicate\.com/account"),
        ("", {"steps": 60}, r"num_inference_steps: Must be less.*see \[replicate\] in the settings"),
        ("", {"requests_per_month": 1}, "this month are used up"),
        ("", {"budget_day_usd": 0.0001}, "budget"),
        ("", {"model": "owner/unknown"}, "does not know"),
    ],
)
def test_what_only_the_operator_can_mend_is_told_apart(
    fake: FakeReplicate, tmp_path: Path, fault: str, changes: dict[str, Any], words: str
) -> None:
    if fault:
        fake.state.fail("create", *[fault] * 3)
    with generator_for(fake, tmp_path, **changes) as generator:
        if "requests_per_month" in changes:
            generator.generate(REQUEST)
        with pytest.raises((OperatorNeeded, InvalidSettings)) as raised:
            generator.generate(type(REQUEST)(REQUEST.prompt, 8))
    assert re.search(words, str(raised.value))


def test_a_suspended_account_needs_no_new_token(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.fail("create", "403 Your account has been suspended")
    with generator_for(fake, tmp_path) as generator, pytest.raises(OperatorNeeded, match="suspended") as raised:
        generator.generate(REQUEST)
    assert "REPLICATE_API_TOKEN" not in str(raised.value)


def test_refused_words_are_the_persons(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(("processing", "failed"), error="NSFW content detected. Try running it again")
    with generator_for(fake, tmp_path) as generator, pytest.raises(InvalidRequest, match="other words"):
        generator.generate(REQUEST)


def test_all_proxy_and_a_socks_proxy(fake: FakeReplicate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Relay(fake.url) as relay:
        monkeypatch.setenv("ALL_PROXY", relay.url)
        with generator_for(fake, tmp_path) as generator:
            assert generator.generate(REQUEST).image.size == (64, 64)
        assert b"/v1/predictions" in relay.asked
        assert b"/delivery/" in relay.asked
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:9")
    with (
        generator_for(fake, tmp_path) as generator,
        pytest.raises(OperatorNeeded, match="ALL_PROXY names a socks5h proxy"),
    ):
        generator.generate(type(REQUEST)(REQUEST.prompt, 9))
