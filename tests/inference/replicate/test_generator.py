"""Drawing through Replicate where all goes well, or wrong in a way that has a name."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.errors import BackendUnavailable, Canceled, InvalidRequest, RenderError, RenderFailed
from inference.types import PortraitRequest
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_client import REQUEST, generator_for
from tests.fakes.replicate_jobs import Model, Plan


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        yield server


def only_input(fake: FakeReplicate) -> dict[str, object]:
    (job,) = fake.state.jobs.values()
    return dict(job.body["input"])


def test_a_fine_tune_draws_with_its_newest_version_which_is_remembered(fake: FakeReplicate, tmp_path: Path) -> None:
    with generator_for(fake, tmp_path) as generator:
        portrait = generator.generate(REQUEST)
        generator.generate(PortraitRequest("another", 8))
    assert portrait.image.getpixel((32, 32)) == (200, 160, 60)
    assert (portrait.model.generator, portrait.model.profile, portrait.model.revision) == (
        "replicate",
        "owner/samurai",
        "v1",
    )
    assert portrait.cost_usd == pytest.approx(10 * 0.001525)
    assert (portrait.steps, portrait.guidance, portrait.seed) == (28, 3.0, 7)
    assert fake.state.calls("GET", "/models/") == 1
    with generator_for(fake, tmp_path) as again:
        assert again.model.revision == "v1"
    assert fake.state.calls("GET", "/models/") == 1, "remembered across restarts"


def test_a_newer_version_is_taken_when_the_memory_is_old(fake: FakeReplicate, tmp_path: Path) -> None:
    with generator_for(fake, tmp_path, newest_version_s=0) as generator:
        generator.generate(REQUEST)
        fake.state.models["owner/samurai"].versions["v2"] = ["prompt", "seed"]
        assert generator.generate(REQUEST).model.revision == "v2"


def test_a_remembered_version_that_is_gone_is_looked_up_anew(fake: FakeReplicate, tmp_path: Path) -> None:
    with generator_for(fake, tmp_path) as generator:
        generator.generate(REQUEST)
        fake.state.models["owner/samurai"].versions = {"v2": ["prompt", "seed"]}
        assert generator.generate(REQUEST).model.revision == "v2"
    assert fake.state.paid() == 2


def test_a_pinned_version_an_official_model_and_a_deployment(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.models["owner/samurai"].versions["v2"] = ["prompt", "seed"]
    with generator_for(fake, tmp_path, model="owner/samurai:v1") as generator:
        assert generator.generate(REQUEST).model.revision == "v1"
    with generator_for(fake, tmp_path, model="black-forest-labs/flux-dev", guidance=3.5) as generator:
        portrait = generator.generate(REQUEST)
        assert portrait.model.revision == ""
        assert portrait.guidance == 3.5
        assert portrait.cost_usd == 0.025, "official models are priced by the picture"
    assert fake.state.calls("POST", "/models/black-forest-labs/flux-dev/predictions") == 1
    with generator_for(fake, tmp_path, model="deployments/acme/badges") as generator:
        assert generator.generate(REQUEST).model.revision == "v1"
    assert fake.state.calls("POST", "/deployments/acme/badges/predictions") == 1


def test_a_model_without_a_version_says_that_it_must_be_trained(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.models["owner/new"] = Model("owner/new", {})
    with (
        generator_for(fake, tmp_path, model="owner/new") as generator,
        pytest.raises(BackendUnavailable, match=r"owner/new has no version yet: train it"),
    ):
        generator.generate(REQUEST)


def test_every_setting_reaches_the_input_that_the_version_knows(fake: FakeReplicate, tmp_path: Path) -> None:
    chosen = {"base_model": "dev", "steps": 20, "guidance": 2.5, "lora_scale": 0.9, "width": 512, "height": 768}
    more = {"megapixels": "1", "num_outputs": 2, "output_format": "webp", "output_quality": 90, "go_fast": True}
    extra = {"disable_safety_checker": True, "extra_inputs": {"extra_lora": "a/b", "extra_lora_scale": 0.5}}
    fake.state.plan = Plan(outputs=("webp", "webp"))
    with generator_for(fake, tmp_path, **chosen, **more, **extra) as generator:
        portraits = generator.draw(REQUEST)
    assert len(portraits) == 2
    assert portraits[0].model.tier == "fast"
    assert sum(each.cost_usd for each in portraits) == pytest.approx(10 * 0.001525)
    assert only_input(fake) == {
        "prompt": REQUEST.prompt,
        "seed": 7,
        "model": "dev",
        "aspect_ratio": "custom",
        "width": 512,
        "height": 768,
        "num_outputs": 2,
        "num_inference_steps": 20,
        "guidance_scale": 2.5,
        "output_format": "webp",
        "output_quality": 90,
        "megapixels": "1",
        "go_fast": True,
        "lora_scale": 0.9,
        "disable_safety_checker": True,
        "extra_lora": "a/b",
        "extra_lora_scale": 0.5,
    }


def test_what_a_version_does_not_know_is_not_sent(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.models["owner/samurai"].versions = {"v1": ["prompt", "seed", "steps"]}
    with generator_for(fake, tmp_path, steps=9, extra_inputs={"wings": 2}) as generator:
        generator.generate(REQUEST)
    assert only_input(fake) == {"prompt": REQUEST.prompt, "seed": 7, "steps": 9}


def test_the_request_wins_over_the_settings(fake: FakeReplicate, tmp_path: Path) -> None:
    with generator_for(fake, tmp_path, steps=9) as generator:
        portrait = generator.generate(PortraitRequest("p", 3, steps=12, guidance=1.5))
    sent = only_input(fake)
    assert (sent["num_inference_steps"], sent["guidance_scale"], sent["seed"]) == (12, 1.5, 3)
    assert (portrait.steps, portrait.guidance) == (12, 1.5)


def test_a_seed_that_the_model_did_not_take_is_told(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(logs="Using seed: 4711\n")
    with generator_for(fake, tmp_path) as generator:
        assert generator.generate(PortraitRequest("p", 0)).seed == 4711


def test_spares_replace_pictures_dropped_as_nsfw(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(outputs=("png",), logs="NSFW content detected in image 0\n")
    with generator_for(fake, tmp_path, num_outputs=3) as generator:
        assert len(generator.draw(REQUEST)) == 1


@pytest.mark.parametrize(
    "plan",
    [
        Plan(("processing", "failed"), error="NSFW content detected. Try running it again, or try a different prompt."),
        Plan(("processing", "failed"), error="All generated images contained NSFW content. Try again."),
        Plan(("failed",), error="The input or output was flagged as sensitive. Please try again. (E005)"),
        Plan(outputs=(), logs="NSFW content detected in image 0\n"),
    ],
)
def test_nsfw_asks_the_person_for_other_words(fake: FakeReplicate, tmp_path: Path, plan: Plan) -> None:
    fake.state.plan = plan
    with generator_for(fake, tmp_path) as generator, pytest.raises(InvalidRequest, match="try other words"):
        generator.generate(REQUEST)


@pytest.mark.parametrize(
    ("plan", "kind", "words"),
    [
        (Plan(("processing", "failed"), error="CUDA out of memory (E1001)"), BackendUnavailable, "E1001"),
        (Plan(("processing", "failed"), error="KeyError: 'x'"), RenderFailed, "KeyError"),
        (Plan(("processing", "failed")), RenderFailed, "no reason given"),
        (Plan(("starting", "canceled")), BackendUnavailable, "canceled at Replicate"),
        (Plan(("starting", "aborted")), BackendUnavailable, "before it started"),
        (Plan(outputs=()), RenderFailed, "without a picture"),
    ],
)
def test_a_job_that_ends_badly_is_a_typed_error(
    fake: FakeReplicate, tmp_path: Path, plan: Plan, kind: type[RenderError], words: str
) -> None:
    fake.state.plan = plan
    with generator_for(fake, tmp_path) as generator, pytest.raises(kind, match=words):
        generator.generate(REQUEST)
    assert fake.state.paid() == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [("401", "set REPLICATE_API_TOKEN"), ("402", "out of credit.*billing"), ("403", "set REPLICATE_API_TOKEN")],
)
def test_operator_errors_say_what_to_do_and_hide_the_token(
    fake: FakeReplicate, tmp_path: Path, status: str, words: str
) -> None:
    fake.state.fail("create", status)
    with generator_for(fake, tmp_path) as generator, pytest.raises(BackendUnavailable, match=words) as caught:
        generator.generate(REQUEST)
    assert fake.state.token not in str(caught.value)
    assert fake.state.paid() == 0


def test_a_refused_input_is_named(fake: FakeReplicate, tmp_path: Path) -> None:
    with (
        generator_for(fake, tmp_path, steps=80) as generator,
        pytest.raises(InvalidRequest, match="num_inference_steps"),
    ):
        generator.generate(REQUEST)
    assert fake.state.calls("POST", "/predictions") == 1, "asking again would not help"


def test_progress_in_the_logs_reaches_the_step_callback(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(("starting", "processing 12/28", "processing 3/28", "processing 27/28", "succeeded"))
    seen: list[tuple[int, int]] = []
    with generator_for(fake, tmp_path) as generator:
        generator.generate(REQUEST, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 28), (12, 28), (12, 28), (27, 28), (28, 28)]


def test_a_cancel_in_the_callback_reaches_replicate(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(("starting", "processing 1/28"))

    def stop(done: int, total: int) -> None:
        if done:
            raise Canceled("enough")

    with generator_for(fake, tmp_path) as generator, pytest.raises(Canceled):
        generator.generate(REQUEST, stop)
    (job,) = fake.state.jobs.values()
    assert job.canceled


def test_a_job_stuck_in_starting_is_canceled_at_the_deadline(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(("starting",))
    with (
        generator_for(fake, tmp_path, deadline_s=0.2) as generator,
        pytest.raises(BackendUnavailable, match="still starting at the deadline"),
    ):
        generator.generate(REQUEST)
    (job,) = fake.state.jobs.values()
    assert job.canceled
    create = next(headers for method, path, headers in fake.state.served if method == "POST" and path.endswith("tions"))
    assert create["cancel-after"] == "5s", "Replicate cancels by itself where we cannot any more"


def test_prefer_wait_is_asked_for(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(seconds=0.01)
    with generator_for(fake, tmp_path, wait_s=7) as generator:
        generator.generate(REQUEST)
    create = next(headers for method, path, headers in fake.state.served if method == "POST")
    assert create["prefer"] == "wait=7"
    assert fake.state.calls("GET", "/predictions/") == 0, "the answer was complete"


def test_missing_model_or_token_is_said_before_anything_is_opened(fake: FakeReplicate, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"replicate\.model is not set"):
        generator_for(fake, tmp_path, model="")
    fake.state.token = ""
    with pytest.raises(InvalidRequest, match="no Replicate token"):
        generator_for(fake, tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_log_at_any_level_holds_the_token(
    fake: FakeReplicate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.state.fail("get", "500", "429")
    with generator_for(fake, tmp_path) as generator:
        generator.generate(REQUEST)
        fake.state.fail("create", "401")
        with pytest.raises(BackendUnavailable):
            generator.generate(PortraitRequest("other", 1))
    assert len(caplog.records) > 3
    assert fake.state.token not in caplog.text


def test_a_portraits_key_tells_versions_and_inputs_apart(fake: FakeReplicate, tmp_path: Path) -> None:
    keys = set()
    for changes in ({}, {"lora_scale": 0.5}, {"aspect_ratio": "2:3"}, {"model": "deployments/acme/badges"}):
        with generator_for(fake, tmp_path, **changes) as generator:
            keys.add(generator.key(REQUEST))
            keys.add(generator.key(PortraitRequest(REQUEST.prompt, 8)))
    assert len(keys) == 8
