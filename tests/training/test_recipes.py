"""A recipe belongs to the base that is trained; the user's file, environment and options override it."""

from pathlib import Path
from typing import Any

import pytest

from configs import default_settings, load_settings
from configs.settings import Settings
from training.commands.run import job_from
from training.errors import InvalidJob
from training.job import TrainingJob, make_job
from training.local.base import open_base
from training.local.sampler import Sampler
from training.run import build_parser


def job(profile: str, settings: Settings | None = None, **given: Any) -> TrainingJob:
    settings = settings or default_settings()
    return make_job(settings.training, settings.prompt, data=Path("none"), out=Path("none"), profile=profile, **given)


def recipe(job: TrainingJob) -> tuple[int, float, str]:
    return job.steps, job.learning_rate, job.timesteps


@pytest.mark.parametrize("profile", ["flux-dev", "flux-krea", "demo", "no such profile"])
def test_flux1_is_trained_by_the_settings(profile: str) -> None:
    assert recipe(job(profile)) == (1000, 4e-4, "sigmoid")


@pytest.mark.parametrize("profile", ["flux2-klein-4b", "flux2-klein-base-4b", "flux2-klein-9b", "flux2-klein-base-9b"])
def test_klein_is_trained_by_its_own_published_recipe(profile: str) -> None:
    assert recipe(job(profile)) == (3000, 1e-4, "shift")


def test_what_the_user_sets_overrides_a_recipe_even_where_it_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("[training]\nlearning_rate = 4e-4\n", encoding="utf-8")
    monkeypatch.setenv("BADGE_TRAINING__TIMESTEPS", "uniform")
    settings = load_settings(config)
    assert recipe(job("flux2-klein-4b", settings)) == (3000, 4e-4, "uniform")
    assert recipe(job("flux2-klein-4b", settings, steps=7, learning_rate=1e-3)) == (7, 1e-3, "uniform")


def test_a_hosted_training_has_a_base_of_its_own() -> None:
    def asked(*arguments: str) -> TrainingJob:
        line = ["--profile", "flux2-klein-4b", *arguments]
        return job_from(build_parser().parse_args(line), default_settings())

    assert recipe(asked("--backend", "local")) == (3000, 1e-4, "shift")
    assert recipe(asked("--backend", "replicate")) == (1000, 4e-4, "sigmoid")


def test_shifted_levels_move_towards_noise_with_the_pictures_size() -> None:
    lengths = {(0, 0): 256, (0, 1): 4096}
    sampler = Sampler((2,), 1, 0, timesteps="shift", lengths=lengths)
    plain = Sampler((2,), 1, 0)
    found: dict[int, list[tuple[float, float]]] = {0: [], 1: []}
    for step in range(200):
        item, before = sampler.step(step)[0], plain.step(step)[0]
        found[item.size].append((before.sigma, item.sigma))
    for size, factor in ((0, 1.6487), (1, 3.1582)):  # e**0.5 and e**1.15: diffusers' calculate_shift
        for before, after in found[size]:
            assert after == pytest.approx(factor * before / (1 + (factor - 1) * before), abs=1e-4)


def test_z_image_is_refused_with_ways_out() -> None:
    from inference.models.profiles import base_profile

    with pytest.raises(InvalidJob, match=r"ZImagePipeline, which cannot be trained here: choose --profile flux2-klein"):
        open_base(base_profile("z-image-turbo"))
