"""A tiny FLUX as a profile."""

from pathlib import Path

import pytest

from inference.models.profiles import Profile
from tests.inference.local.parts import tiny


@pytest.fixture
def profile(tiny_flux: Path) -> Profile:
    return tiny(tiny_flux)
