"""A tiny FLUX as a profile, and pictures, for everything in this room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import inference.models.profiles
from tests.tiny_flux import make_tiny_flux, make_tiny_flux2
from tests.training.pictures import fill_folder

_PROFILE = """title = "a tiny FLUX"
folder = "{folder}"
pipeline = "{pipeline}"
family = "{family}"
steps = 2
guidance = 3.5
width = 64
height = 64
max_sequence_length = 32
licence = "none"
"""


@pytest.fixture(scope="session")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the profiles `tiny` (FLUX.1) and `tiny2` (FLUX.2 klein)."""
    root = tmp_path_factory.mktemp("bases")
    folder = root / "profiles"
    folder.mkdir()
    made = {
        "tiny": (make_tiny_flux, "FluxPipeline", "flux1"),
        "tiny2": (make_tiny_flux2, "Flux2KleinPipeline", "flux2"),
    }
    for name, (make, pipeline, family) in made.items():
        base = make(root / name)
        (folder / f"{name}.toml").write_text(_PROFILE.format(folder=base, pipeline=pipeline, family=family))
    (folder / "gone.toml").write_text(_PROFILE.format(folder=root / "gone", pipeline="FluxPipeline", family="flux1"))
    return folder


@pytest.fixture
def tiny(profiles: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same profiles, in force in this process."""
    monkeypatch.setattr(inference.models.profiles, "FOLDER", profiles)
    inference.models.profiles.load_profile.cache_clear()
    yield profiles
    inference.models.profiles.load_profile.cache_clear()


@pytest.fixture(scope="session")
def six_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures with captions."""
    return fill_folder(tmp_path_factory.mktemp("data") / "pictures")
