"""The command line and the fallback over Replicate, as a person meets them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from configs import ConfigError, default_settings, load_settings
from configs.settings import Settings
from inference.badge import in_english, make_badge
from inference.choice import open_generator
from inference.errors import BackendUnavailable, InvalidRequest
from inference.generator import Generator
from inference.output.recipe import encode_png, read_recipe, recipe_of
from inference.types import BadgeRequest, ModelInfo, Portrait, PortraitRequest, StepCallback
from inference.wrappers.fallback import FallbackGenerator
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_client import QUICK, REQUEST, generator_for
from tests.fakes.replicate_jobs import Plan

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "inference.render", "--object", "telescope", "--text", "UX SCOUT", "--seed", "7"]


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        yield server


def render(
    fake: FakeReplicate, tmp_path: Path, *options: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command line as a process of its own, with nothing but the environment to tell it of the fake."""
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "REPLICATE_API_TOKEN": fake.state.token,
        "REPLICATE_BASE_URL": fake.url,
        "BADGE_DATA_DIR": str(tmp_path / "data"),
        "BADGE_REPLICATE__MODEL": "owner/samurai",
        "BADGE_REPLICATE__POLL_MIN_S": "0.01",
        "BADGE_REPLICATE__RETRY_MIN_S": "0.01",
        **environment,
    }
    command = [*COMMAND, "--generator", "replicate", "--out", str(tmp_path / "badge.png"), *options]
    return subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=180)


def test_the_command_line_draws_through_replicate_and_tells_the_cost(fake: FakeReplicate, tmp_path: Path) -> None:
    done = render(fake, tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["generator"], told["profile"], told["seed"]) == ("replicate", "owner/samurai", 7)
    assert told["cost_usd"] == pytest.approx(10 * 0.001525)
    recipe = read_recipe(tmp_path / "badge.png")
    assert (recipe.generator, recipe.revision) == ("replicate", "v1")
    again = render(fake, tmp_path, "--seed", "8", BADGE_REPLICATE__DOWNLOAD_HOSTS="replicate.delivery, localhost")
    assert again.returncode == 0
    assert "$0.015" in again.stderr


def test_with_every_log_switched_on_no_token_is_printed(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.fail("create", "drop-after")
    done = render(fake, tmp_path, "--debug")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert fake.state.token not in done.stderr + done.stdout
    assert fake.state.paid() == 1


@pytest.mark.parametrize(
    ("fault", "code", "line"), [("402", 1, "error: the Replicate account is out of credit"), ("401", 1, "error: Repl")]
)
def test_operator_errors_are_one_line(fake: FakeReplicate, tmp_path: Path, fault: str, code: int, line: str) -> None:
    fake.state.fail("create", fault)
    done = render(fake, tmp_path)
    assert (done.returncode, done.stderr.startswith(line), done.stderr.count("\n")) == (code, True, 1)
    assert fake.state.token not in done.stderr


def test_nsfw_is_bad_input(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.plan = Plan(("failed",), error="NSFW content detected.")
    done = render(fake, tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "error: Replicate's safety checker refuses the picture: try other words\n",
    )


def test_a_token_is_never_sent_over_plain_http_to_another_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLICATE_BASE_URL", "http://api.replicate.com")
    with pytest.raises(ConfigError, match=r"REPLICATE_BASE_URL: .* must be an https address"):
        load_settings()
    monkeypatch.setenv("REPLICATE_BASE_URL", "https://proxy.example/v1/")
    assert load_settings().secrets.replicate_base_url == "https://proxy.example"


@pytest.mark.parametrize("model", ["samurai", "a/b/c", "owner/name:", "../x", "deployments/x", "o/n:v/../x"])
def test_a_model_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BADGE_REPLICATE__MODEL", model)
    with pytest.raises(ConfigError, match="must be owner/name"):
        load_settings()


class OutOfMemory(Generator):
    """A card that never has memory left."""

    model = ModelInfo("local", "flux-dev")

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        raise BackendUnavailable("not enough memory on cuda to draw with FLUX.1 dev")


def test_out_of_memory_goes_to_replicate_once_and_counts_against_the_budget(
    fake: FakeReplicate, tmp_path: Path
) -> None:
    limits = {"budget_day_usd": 0.04, "estimate_badge_usd": 0.03}
    with FallbackGenerator(OutOfMemory(), generator_for(fake, tmp_path, **limits)) as generator:
        badge = make_badge(BadgeRequest("telescope", "UX SCOUT", 7), generator)
        assert badge.portrait.cost_usd > 0
        (tmp_path / "badge.png").write_bytes(encode_png(badge.image, recipe_of(badge)))
        written = read_recipe(tmp_path / "badge.png")
        assert (written.generator, written.profile) == ("replicate", "owner/samurai")
        with pytest.raises(BackendUnavailable, match=r"budget of \$0.04 a day is used up"):
            generator.generate(PortraitRequest("another", 1))
    assert fake.state.paid() == 1


def test_words_that_only_the_first_generator_reads_go_to_the_second_in_english(
    fake: FakeReplicate, tmp_path: Path
) -> None:
    klein = OutOfMemory()
    klein.model = ModelInfo("local", "flux2-klein-4b")
    glossary = default_settings().translation.model_copy(update={"marian": ""})
    second = generator_for(fake, tmp_path)
    with FallbackGenerator(klein, second, reword=lambda request: in_english(request, glossary)) as generator:
        badge = make_badge(BadgeRequest("с красным зонтом", "UX SCOUT", 7), generator)
        assert "holding red umbrella" in badge.portrait.prompt
        with pytest.raises(BackendUnavailable, match=r"not enough memory .* '雨傘' was not understood .* in English"):
            make_badge(BadgeRequest("雨傘", "UX SCOUT", 8), generator)
    assert fake.state.paid() == 1, "noise is not paid for"


def test_a_fallback_that_fails_too_tells_both_reasons(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.fail("create", "402")
    with (
        FallbackGenerator(OutOfMemory(), generator_for(fake, tmp_path)) as generator,
        pytest.raises(BackendUnavailable, match=r"not enough memory .* out of credit"),
    ):
        generator.generate(REQUEST)
    assert fake.state.calls("POST", "/predictions") == 1


def settings_for(fake: FakeReplicate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **variables: str) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLICATE_API_TOKEN", fake.state.token)
    monkeypatch.setenv("REPLICATE_BASE_URL", fake.url)
    monkeypatch.setenv("BADGE_DATA_DIR", str(tmp_path / "data"))
    for name, value in {"MODEL": "owner/samurai", "POLL_MIN_S": "0.01", **variables}.items():
        monkeypatch.setenv(f"BADGE_REPLICATE__{name}", value)
    return load_settings()


def test_one_line_of_configuration_chooses_replicate(
    fake: FakeReplicate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("inference.choice.cuda_available", lambda: False)
    settings = settings_for(fake, monkeypatch, tmp_path)
    with open_generator(settings) as generator:
        assert generator.generate(REQUEST).model.profile == "owner/samurai"
    empty = settings.secrets.model_copy(update={"replicate_api_token": SecretStr("")})
    kind = settings.generator.model_copy(update={"kind": "replicate"})
    with pytest.raises(InvalidRequest, match="no Replicate token"):
        open_generator(settings.model_copy(update={"secrets": empty, "generator": kind}))


def test_the_quick_settings_of_the_tests_are_settings() -> None:
    assert set(QUICK) <= set(load_settings().replicate.model_fields_set)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BADGE_REPLICATE__EXTRA_INPUTS", "wings"),
        ("BADGE_TRAINING__RESOLUTIONS", "512,768"),
        ("BADGE_REPLICATE__TRAINER_INPUTS", "{"),
    ],
)
def test_a_table_or_list_in_the_environment_that_is_no_json_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=rf"{name} = .*: write JSON"):
        load_settings()
