"""The log: `[timestamp] [user_id] [action] [result]` to stderr and to a rotating file, without any token.

`record(user_id, action, result)` writes one such line: people by user id, never by name or what they wrote. Lines of
libraries have `-` for the user and the logger's name for the action. Tokens are masked in any letter case or
percent-encoding, control characters are written as U+XXXX, and libraries log from WARNING on (httpx logs URLs, which
contain the token, at INFO).
"""

import contextlib
import logging
import os
import re
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from configs.printable import printable, printable_lines
from configs.sections.bot import BotSettings

_journal = logging.getLogger("bot.journal")
_OURS = ("bot", "configs", "inference", "overlay", "__main__")


def record(user_id: int, action: str, result: str, level: int = logging.INFO) -> None:
    """Write one line about a person."""
    _journal.log(level, "%s", result, extra={"person": user_id, "action": action})


def masker(secrets: Sequence[str]) -> Callable[[str], str]:
    """A function that replaces `secrets` by ***.

    In any letter case (python-telegram-bot lowercases what servers return) and with any characters percent-encoded.
    """
    found = "|".join(
        "".join(f"(?:{re.escape(char)}|{_percent(char)})" for char in secret) for secret in secrets if secret
    )
    pattern = re.compile(found or r"(?!)", re.IGNORECASE)
    return lambda text: pattern.sub("***", text)


def _percent(char: str) -> str:
    return "".join(f"%(?:25)*{byte:02X}" for byte in char.encode())


class BracketFormatter(logging.Formatter):
    """Formats as `[2026-01-31 12:00:00] [123] [badge] [delivered]`; a traceback follows on the next lines."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._mask = masker(secrets)

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        person = getattr(record, "person", "-")
        action = _field(str(getattr(record, "action", record.name)))
        result = _field(record.getMessage())
        if record.levelno >= logging.WARNING:
            result = f"{record.levelname.lower()}: {result}"
        line = f"[{at}] [{person}] [{action}] [{result}]"
        if record.exc_info:
            # Indented, so that no line of an error message in it looks like a line of the log.
            trace = printable_lines(self.formatException(record.exc_info))
            line += "\n" + textwrap.indent(trace, "  ")
        return self._mask(line)


def _field(text: str) -> str:
    """`text` as one field: one line without control characters and without square brackets."""
    line = printable(" ".join(text.split())).translate(_BRACKETS)
    return _ERRNO.sub(r"[Errno \1]", line)  # as Python writes it, and as people search for it


_BRACKETS = str.maketrans("[]", "()")
_ERRNO = re.compile(r"\(Errno (\d{1,4})\)")


class _OneLineTrouble(logging.Handler):
    """Reports a line that cannot be written (disk full) in one line on stderr; Python's own report may show secrets."""

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        with contextlib.suppress(OSError):
            sys.stderr.write(
                f"a line for {record.name} could not be logged: {type(error).__name__}: {printable(str(error))}\n"
            )


class _Stderr(_OneLineTrouble, logging.StreamHandler[TextIO]):
    """Logs to standard error."""


class _PrivateFile(_OneLineTrouble, RotatingFileHandler):
    """A rotating log whose files only the owner may read, whatever the umask."""

    def _open(self) -> TextIOWrapper:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=private)


def start_logging(settings: BotSettings, data_dir: Path, secrets: tuple[str, ...]) -> None:
    """Log to stderr and, if `log_file` is set, to a rotating file that only its owner may read."""
    handlers: list[logging.Handler] = [_Stderr(sys.stderr)]
    if settings.log_file:
        file = data_dir / settings.log_file
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        size = settings.log_megabytes * 2**20
        handlers.append(_PrivateFile(file, maxBytes=size, backupCount=settings.log_files, encoding="utf-8"))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    for handler in handlers:
        handler.setFormatter(BracketFormatter(secrets))
        root.addHandler(handler)
    for library in ("TRANSFORMERS", "DIFFUSERS", "HF_HUB"):  # these have handlers of their own
        os.environ.setdefault(f"{library}_VERBOSITY", "error")
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(settings.log_level)
    logging.captureWarnings(True)
