"""No token leaves its place: what the whole suite wrote is searched for the tokens that it used."""

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.fakes.replicate_jobs import State
from tests.fakes.telegram_api import TOKEN

USED = (TOKEN, State().token)
_HOLD_THEM = (".env",)
"""Files where a token belongs."""


def files_with_a_token(folder: Path, tokens: Iterable[str] = USED) -> list[str]:
    """Files under `folder`, of whatever kind, that hold one of `tokens`; logs, stores, manifests, pages, backups."""
    wanted = [token.encode() for token in tokens]
    found = []
    for path in folder.rglob("*"):
        if path.name in _HOLD_THEM or path.is_symlink() or not path.is_file():
            continue
        if any(token in data for data in _written(path) for token in wanted):
            found.append(str(path.relative_to(folder)))
    return sorted(found)


def _written(path: Path) -> Iterator[bytes]:
    """What was written to a file, without its holes: a test makes an archive of 3 GB that is nothing else."""
    with path.open("rb") as file:
        end, size = 0, path.stat().st_size
        while end < size:
            try:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:  # only a hole is left
                    return
                raise
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            yield os.pread(file.fileno(), end - start, start)
