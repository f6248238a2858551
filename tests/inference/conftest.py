"""A shell for the command line."""

from pathlib import Path

import pytest

from tests.inference.parts import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BADGE_LOCAL__STEPS", "2")
    monkeypatch.setenv("BADGE_BANNER__SIZE", "256")
    monkeypatch.setenv("BADGE_LOCAL__THREADS", "1")
    return Shell(tmp_path, capsys)
