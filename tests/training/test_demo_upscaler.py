"""The upscaler's training at tiny scale: pairs from the demo itself, exact resuming, weights that load."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.models.profiles import load_profile
from inference.upscale.network import load
from training.demo.model.upscaler_training import fitting
from training.demo.model.upscaler_training.fitting import GAIN, PLAN, fit, pairs, save


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("upscaler")


def test_pairs_show_the_same_and_are_made_once(work: Path) -> None:
    small, large = pairs(work, [Path(load_profile("demo").source)], count=2)
    assert (small.shape, large.shape) == ((2, 256, 256, 3), (2, 1024, 1024, 3))
    for made, drawn in zip(small, large, strict=True):
        reduced = drawn.reshape(256, 4, 256, 4, 3).mean(axis=(1, 3))
        assert np.abs(made - reduced).mean() < 12  # the demo's own faults, in the same places
    again = pairs(work, [work / "there is no pipeline here"], count=2)
    assert (again[0] == small).all()


def test_it_learns_and_resumes_exactly(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "BATCH", 2)
    small, large = np.load(work / "upscaler_small.npy"), np.load(work / "upscaler_large.npy", mmap_mode="r")
    plan = replace(PLAN, steps=4, save_every=2, log_every=1)
    (work / "whole").mkdir()
    (work / "parts").mkdir()
    whole = fit(work / "whole", small, large, plan, None)
    fit(work / "parts", small, large, plan, None, stop_at=2)
    parts = fit(work / "parts", small, large, plan, None)
    for ours, theirs in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert whole.tail.weight.abs().max() > 0  # it began as bicubic interpolation, with zeros here

    save(whole, work / "u.safetensors")
    kept = load(work / "u.safetensors")
    assert torch.allclose(kept.tail.weight, whole.tail.weight * GAIN, atol=1e-3)
    assert torch.allclose(kept.head.weight, whole.head.weight, atol=1e-3)
