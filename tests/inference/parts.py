"""The command line `inference.render` as the tests run it: in a folder of its own, with the demo FLUX."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from inference import render

DEMO = ("--generator", "demo")
SCOUT = ("--object", "telescope", "--text", "UX SCOUT")


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def badges(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Shell:
    """Runs the command in a folder of its own; few steps, so that a badge takes a moment."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *argv: str) -> Result:
        self._capsys.readouterr()
        try:
            code = render.main(argv)
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = self._capsys.readouterr()
        return Result(code, said.out, said.err)

    def files(self) -> list[str]:
        """What was written, other than thumbnails and what BADGE_DATA_DIR keeps for later runs."""
        found = [path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file()]
        return sorted(str(path) for path in found if path.parts[0] != "data" and "thumbs" not in path.parts[-2:][0])


def pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.tobytes()
