"""Profiles, their licences, and a base model in the Hub's cache, which needs no network."""

import logging
import re
import shutil
from pathlib import Path

import pytest

from inference.errors import BackendUnavailable, InvalidRequest
from inference.local.generator import LocalGenerator
from inference.models.base_weights import revision_of, say_licence
from inference.models.profiles import load_profile, profile_names
from tests.inference.local.parts import TELESCOPE, pixels, settings, tiny

# pragma: allowlist nextline secret
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_which_there_are() -> None:
    assert set(profile_names()) >= {
        "demo", "flux-dev", "flux-schnell", "flux-krea", "flux2-klein-4b", "flux2-klein-base-4b",
    }  # fmt: skip


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_names_a_pipeline_of_its_family_and_a_base_to_train(name: str) -> None:
    import diffusers

    profile = load_profile(name)
    pipeline = getattr(diffusers, profile.pipeline)
    families = {"FluxPipeline": "flux1", "Flux2KleinPipeline": "flux2", "ZImagePipeline": "z-image"}
    assert profile.family == families[pipeline.__name__]
    if not profile.folder:
        assert load_profile(profile.training_base).family == profile.family
    assert profile.non_commercial == ("Non-Commercial" in profile.licence)


def test_the_briefs_figure_is_the_default() -> None:
    dev = load_profile("flux-dev")
    assert (dev.steps, dev.width, dev.height) == (30, 1024, 1024)
    assert load_profile("flux2-klein-4b").training_base == "flux2-klein-base-4b"


@pytest.mark.parametrize("name", profile_names())
def test_a_licence_is_told_once_and_only_where_it_restricts(name: str, caplog: pytest.LogCaptureFixture) -> None:
    say_licence.cache_clear()
    profile = load_profile(name)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            say_licence(profile)
    assert len(caplog.records) == int(profile.non_commercial)
    if profile.non_commercial:
        assert "--profile flux2-klein-4b" in caplog.text


@pytest.fixture
def hub_cache(tiny_flux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny FLUX as `someone/tiny-flux` in a cache laid out as huggingface_hub does it."""
    repository = tmp_path / "hub" / "models--someone--tiny-flux"
    shutil.copytree(tiny_flux, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("diffusers.pipelines.pipeline_utils.HF_HUB_CACHE", str(tmp_path / "hub"), raising=False)
    return repository


def test_a_model_on_this_disk_loads_without_network(hub_cache: Path, tiny_flux: Path) -> None:
    on_hub = tiny(tiny_flux).model_copy(update={"folder": "", "repo": "someone/tiny-flux"})
    with LocalGenerator(on_hub, settings()) as generator:
        assert generator.model.revision == COMMIT
        drawn = pixels(generator, TELESCOPE)
    with LocalGenerator(tiny(tiny_flux), settings()) as generator:
        assert pixels(generator, TELESCOPE) == drawn


def test_half_a_download_is_no_model(hub_cache: Path, tiny_flux: Path) -> None:
    shutil.rmtree(hub_cache / "snapshots" / COMMIT / "transformer")
    on_hub = tiny(tiny_flux).model_copy(update={"folder": "", "repo": "someone/tiny-flux"})
    with pytest.raises(BackendUnavailable):
        LocalGenerator(on_hub, settings()).prepare()


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(InvalidRequest, match=r"unknown profile 'flux-shnell': did you mean flux-schnell"):
        load_profile("flux-shnell")


def test_base_models_are_pinned_to_a_commit_where_it_is_known() -> None:
    pins = {name: load_profile(name).revision for name in profile_names() if load_profile(name).repo}
    assert all(re.fullmatch("[0-9a-f]{40}", pin) for pin in pins.values() if pin)
    assert {name for name, pin in pins.items() if not pin} == {
        "flux-krea", "flux2-klein-9b", "flux2-klein-base-9b"
    }  # fmt: skip


def test_weights_in_a_folder_are_told_apart_by_what_they_are_not_by_the_pin(tiny_flux: Path) -> None:
    pinned = tiny(tiny_flux).model_copy(update={"revision": COMMIT})
    assert revision_of(pinned) == revision_of(tiny(tiny_flux)) != COMMIT
