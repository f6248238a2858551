"""Pictures unlike the rest by a model's features, where one is on the disk."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from tests.tiny_flux import make_tiny_clip
from training.dataset.__main__ import main
from training.dataset.looks import outlying
from training.embedding import embedding_on_disk


def test_six_others_among_twelve_are_told_apart_by_features() -> None:
    rng = np.random.default_rng(0)
    one, another = np.eye(32, dtype=np.float32)[:2]
    rows = np.stack([one] * 12 + [0.6 * one + 0.8 * another] * 6) + 0.05 * rng.normal(size=(18, 32)).astype(np.float32)
    features = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert outlying(features) == [False] * 12 + [True] * 6
    assert not any(outlying(features[:12]))
    assert outlying(features[:5]) == [False] * 5


def test_among_copies_a_hair_is_no_other_look() -> None:
    """More than half the distances are equal, so the deviation is 0: what differs by a hair is not marked for that."""
    one, another = np.eye(32, dtype=np.float32)[:2]

    def at(distance: float) -> NDArray[np.float32]:
        angle = 2 * np.arcsin(distance / 2)
        return np.asarray(np.cos(angle) * one + np.sin(angle) * another, dtype=np.float32)

    assert outlying(np.stack([one] * 9 + [at(0.02)])) == [False] * 10
    assert outlying(np.stack([one] * 9 + [at(0.02), at(0.1)])) == [False] * 10 + [True]


def test_check_asks_the_model_that_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A CLIP of random weights, and pictures of the same colours of which one has them elsewhere."""
    torch.manual_seed(0)
    clip, folder = make_tiny_clip(tmp_path / "clip"), tmp_path / "set"
    folder.mkdir()
    for number in range(8):
        bar = 400 + number
        picture = Image.new("RGB", (1024, 1024), (200, 30, 40))
        picture.paste((255, 255, 255), (100, 100, 924, bar) if number < 7 else (100, 100, bar, 924))
        picture.save(folder / f"samurai_with_{number}.png")
    monkeypatch.setenv("BADGE_TRAINING__SCORER", "pixels")
    main(["check", str(folder), "--out", str(tmp_path / "report.html")])
    assert "unlike the others" not in capsys.readouterr().out, "their colours tell them apart, so the model need not"
    monkeypatch.setenv("BADGE_TRAINING__SCORER", str(clip))
    main(["check", str(folder), "--out", str(tmp_path / "report.html")])
    lines = capsys.readouterr().out.splitlines()
    marked = [number for number, line in enumerate(lines) if "unlike the others to the image model" in line]
    of_the_last = next(number for number, line in enumerate(lines) if line.startswith("samurai_with_7"))
    assert len(marked) == 1
    assert marked[0] > of_the_last


def test_without_a_model_nothing_is_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert embedding_on_disk("auto") is None
    assert embedding_on_disk("pixels") is None
    assert embedding_on_disk("clip") is None
    (tmp_path / "config.json").write_text('{"model_type": "nothing-known"}')
    (tmp_path / "model.safetensors").write_bytes(b"half a download")
    assert embedding_on_disk(str(tmp_path)) is None
    assert "cannot be used" in caplog.text
