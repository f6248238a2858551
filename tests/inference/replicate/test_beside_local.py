"""Replicate and the local generator together: what is trained there draws here, and a full card hands over to there."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from configs import default_settings
from inference.local.generator import LocalGenerator
from inference.types import PortraitRequest
from inference.wrappers.fallback import FallbackGenerator
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_client import REQUEST, generator_for, quick
from tests.fakes.replicate_jobs import Plan
from tests.inference.local.parts import broken, settings, tiny
from tests.inference.lora.lora_files import diffusers_peft, write
from training.job import make_job
from training.replicate.trainer import ReplicateTrainer


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        yield server


def test_a_card_that_runs_out_of_memory_during_the_day_costs_one_badge_there(
    fake: FakeReplicate, tiny_flux: Path, tmp_path: Path
) -> None:
    with LocalGenerator(tiny(tiny_flux), settings(), data_dir=tmp_path) as earlier:
        broken(earlier, [torch.OutOfMemoryError("no room")])
        earlier.generate(REQUEST)  # from here on the smallest way to draw is remembered
    local = LocalGenerator(tiny(tiny_flux), settings(), data_dir=tmp_path)
    errors: list[BaseException] = []
    broken(local, errors)
    with FallbackGenerator(local, generator_for(fake, tmp_path)) as generator:
        assert generator.generate(REQUEST).model.generator == "local"
        errors.append(torch.OutOfMemoryError("no room"))
        portrait = generator.generate(PortraitRequest("samurai with a lamp", 8))
        assert (portrait.model.generator, portrait.cost_usd > 0) == ("replicate", True)
        assert generator.generate(PortraitRequest("samurai with a cup", 9)).model.generator == "local"
    assert fake.state.paid() == 1


def test_the_lora_that_was_trained_there_draws_here(fake: FakeReplicate, tiny_flux: Path, tmp_path: Path) -> None:
    theirs = write(tmp_path / "theirs.safetensors", diffusers_peft()[0]).read_bytes()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("output/flux_train_replicate/lora.safetensors")
        info.size = len(theirs)
        archive.addfile(info, io.BytesIO(theirs))
    fake.state.contents["trained.tar"] = out.getvalue()
    fake.state.plan = Plan(("succeeded",), outputs=("trained.tar",))
    job = make_job(
        default_settings().training,
        default_settings().prompt,
        data=tmp_path,
        out=tmp_path / "out",
        profile="flux-dev",
        destination="owner/samurai-badge-lora",
        data_url="https://example.org/data.zip",
    )
    lora = ReplicateTrainer(quick(), fake.state.token, fake.url, tmp_path).train(job)
    drawn = {}
    for name in ("none", str(tmp_path / "theirs.safetensors"), str(lora.path)):
        with LocalGenerator(tiny(tiny_flux), settings(lora=name)) as generator:
            drawn[name] = generator.generate(REQUEST).image.tobytes()
    assert drawn[str(lora.path)] == drawn[str(tmp_path / "theirs.safetensors")]
    assert drawn[str(lora.path)] != drawn["none"]
