"""A folder of six pictures with captions, which a test may change."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def folder(six_pictures: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(six_pictures, tmp_path / "set"))
