"""`python -m bot --award FILE`: store many awards at once; the bot may be serving meanwhile.

Each line is an award: `user` (user ID or @username), `chat` (chat ID), `object`, `text`, optionally `why` and `preset`.
The file is checked as a whole and stored in one transaction. Reading it again adds only new lines.
"""

import contextlib
import hashlib
import json
import secrets
import sqlite3
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bot.community.awards import MOST_WHY, Given, give, preset_of_award
from bot.community.blocked_words import blocked_by
from bot.errors import StartError
from bot.store import Database, awards, members, people
from configs.console import BAD_INPUT, DONE
from configs.printable import printable
from configs.settings import Settings
from inference.badge import ReadyRequest, look_of, ready
from inference.choice import kind_here, profile_here
from inference.errors import InvalidRequest
from inference.output.tables import read_table
from inference.types import MAX_SEED, BadgeRequest, ModelInfo

COLUMNS = ("user", "chat", "object", "text", "why", "preset")
_SHOWN = 20  # problems that are printed, chosen by hand: they fit on one screen


@dataclass(frozen=True)
class _Line:
    """A checked line of the file; `key` identifies it, also among equal lines."""

    number: int
    user: str
    chat_id: int
    request: ReadyRequest
    why: str
    preset: str
    key: str


def main(settings: Settings, file: Path) -> int:
    """Store the awards in `file`; returns the exit code. Raises StartError if there is no database, InvalidRequest."""
    database = Database(settings.data_dir / "bot.sqlite3")
    if not database.path.exists():
        raise StartError(f"there is no state in {settings.data_dir}: start the bot once, or set BADGE_DATA_DIR")
    lines, problems = _read(settings, file)
    with contextlib.closing(database.open()):
        given = database.submit("awarded", lambda c: _store(c, settings, lines, problems)).result()
    if problems:
        shown = [f"error: {printable(str(file))}: {problem}" for problem in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            shown.append(f"error: and {len(problems) - _SHOWN} more lines")
        sys.stderr.write("\n".join([*shown, "nothing was stored: correct these lines and run this again"]) + "\n")
        return BAD_INPUT
    before = len(lines) - given
    was = f", {before} {'were' if before != 1 else 'was'} given before" if before else ""
    sys.stdout.write(f"{given} award{'s' * (given != 1)} stored{was}. The bot draws and posts them as it serves.\n")
    return DONE


def _read(settings: Settings, file: Path) -> tuple[list[_Line], list[str]]:
    """(valid lines, messages about the others)."""
    model = ModelInfo(kind_here(settings), profile_here(settings))
    try:
        blocked = blocked_by(settings.bot.blocked_words)
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"bot.blocked_words: a list cannot be read: {error}") from error
    lines: list[_Line] = []
    problems: list[str] = []
    equal: Counter[str] = Counter()
    for number, cells in read_table(file, columns=COLUMNS, required=COLUMNS[:4]):
        try:
            if isinstance(cells, str):
                raise InvalidRequest(cells)
            said = {name: " ".join(str(cells.get(name) or "").split()) for name in COLUMNS}
            banner = look_of(settings, said["preset"]).banner
            request = ready(BadgeRequest(said["object"], said["text"]), model, banner, settings.translation)
            if any(map(blocked, (request.object, request.english, request.text, said["why"]))):
                raise InvalidRequest("a word in it is in bot.blocked_words")
            if len(said["why"]) > MOST_WHY:
                raise InvalidRequest(f"why: at most {MOST_WHY} characters, not {len(said['why'])}")
            # An empty preset is left out, so that files from before there were presets keep their keys.
            words = json.dumps([said[name] for name in COLUMNS if name != "preset" or said[name]])
            equal[words] += 1
            key = hashlib.sha256(f"{words} {equal[words]}".encode()).hexdigest()[:32]
            lines.append(_Line(number, said["user"], _chat(said["chat"]), request, said["why"], said["preset"], key))
        except InvalidRequest as error:
            problems.append(f"line {number}: {error}")
    if not lines and not problems:
        raise InvalidRequest(
            f"{printable(str(file))} contains no awards: write one a line under the header {','.join(COLUMNS)}"
        )
    return lines, problems


def _chat(said: str) -> int:
    digits = said.removeprefix("-")
    if not (said.startswith("-") and digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise InvalidRequest(f"chat: the ID of a group such as -1001234567890, not {printable(said)!r}")
    return int(said)


def _store(connection: sqlite3.Connection, settings: Settings, lines: list[_Line], problems: list[str]) -> int:
    """Store the new awards, none if a line is wrong; returns their number. Appends to `problems`."""
    found = {line.number: _user(connection, line) for line in lines}
    problems += [f"line {number}: {who}" for number, who in found.items() if isinstance(who, str)]
    if problems:
        return 0
    now, given = time.time(), 0
    admins = settings.bot.admins
    language = people.language(connection, admins[0]) if admins else ""
    for line in lines:
        if not awards.given(connection, line.key):
            give(
                connection, _given(connection, settings, line, int(found[line.number]), language), 0, "", now, line.key
            )
            given += 1
    return given


def _given(connection: sqlite3.Connection, settings: Settings, line: _Line, user_id: int, language: str) -> Given:
    known = members.known(connection, user_id)
    name = (known.name or f"@{known.username}") if known and (known.name or known.username) else line.user
    request = line.request
    theirs = people.language(connection, user_id) or language
    preset = line.preset or preset_of_award(connection, line.chat_id, settings.presets)
    return Given(
        user_id, name, line.chat_id, request.object, request.english, request.text,
        look_of(settings, preset).banner.style, secrets.randbelow(MAX_SEED + 1), line.why, language=theirs,
        preset=preset,
    )  # fmt: skip


def _user(connection: sqlite3.Connection, line: _Line) -> int | str:
    """The user id of a line, or a message what is wrong with it."""
    said = line.user
    if said.isascii() and said.isdigit() and len(said) <= 18:
        user_id = int(said)
    elif said.startswith("@") and len(said) > 1:
        user_id = members.by_username(connection, said[1:])
        if not user_id:
            return f"user: {printable(said)} has never written to the bot: use the person's user ID"
    else:
        return f"user: a user ID or @username, not {printable(said)!r}"
    return "user: that person is banned (/unban)" if people.is_banned(connection, user_id) else user_id
