"""Endings of files: each has its encoder, and none is taken for another."""

from pathlib import Path

import pytest

from inference.output.encode import encoder_for
from inference.output.endings import ENDINGS, ending_of


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_that_help_names_has_an_encoder(ending: str) -> None:
    file = Path(f"badge{ending.upper()}")
    assert ending_of(file) == ending
    assert callable(encoder_for(file))
