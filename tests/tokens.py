"""No token leaves its place: what the whole suite wrote is searched for the tokens that it used."""

from collections.abc import Iterable
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
        data = path.read_bytes()
        if any(token in data for token in wanted):
            found.append(str(path.relative_to(folder)))
    return sorted(found)
