"""What the tests of foreign folders share: the rule of captions, and what a check says."""

from pathlib import Path

from tests.training.pictures import TRIGGER
from training.dataset.captions import CaptionRule
from training.dataset.checks import check
from training.dataset.pictures import read_data_set

RULE = CaptionRule(TRIGGER, "samurai warrior badge, character holding {object}", "cartoon illustration, flat colors")


def lines(folder: Path) -> list[str]:
    return [f"{finding.level}: {finding.line()}" for finding in check(read_data_set(folder, RULE))]


def said(found: list[str], *parts: str) -> None:
    """One line holds all `parts`."""
    assert any(all(part in line for part in parts) for line in found), found
