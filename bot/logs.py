"""The log: `[timestamp] [user_id] [action] [result]` to stderr and to a rotating file, and never a token in it.

`record(user_id, action, result)` writes one such line. Lines of libraries have `-` for the person and the logger's
name for the action. Whatever contains the token is masked; libraries (httpx writes
whole addresses at INFO) are heard from WARNING on.
"""

import logging
import os
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

from configs.sections.bot import BotSettings

_journal = logging.getLogger("bot.journal")
_OURS = ("bot", "configs", "inference", "overlay", "__main__")


def record(user_id: int, action: str, result: str, level: int = logging.INFO) -> None:
    """Write one line about a person."""
    _journal.log(level, "%s", result, extra={"person": user_id, "action": action})


class BracketFormatter(logging.Formatter):
    """Formats as `[2026-01-31 12:00:00] [123] [badge] [delivered]`; a traceback follows on lines of its own."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        person = getattr(record, "person", "-")
        action = getattr(record, "action", record.name)
        result = " ".join(record.getMessage().split())
        if record.levelno >= logging.WARNING:
            result = f"{record.levelname.lower()}: {result}"
        line = f"[{at}] [{person}] [{action}] [{result}]"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


def start_logging(settings: BotSettings, data_dir: Path, secrets: tuple[str, ...]) -> None:
    """Send the log to stderr and, where `log_file` is set, to a rotating file that only its owner may read."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if settings.log_file:
        file = data_dir / settings.log_file
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        size = settings.log_megabytes * 2**20
        handlers.append(RotatingFileHandler(file, maxBytes=size, backupCount=settings.log_files, encoding="utf-8"))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    for handler in handlers:
        handler.setFormatter(BracketFormatter(secrets))
        root.addHandler(handler)
    for library in ("TRANSFORMERS", "DIFFUSERS"):  # these two have handlers of their own
        os.environ.setdefault(f"{library}_VERBOSITY", "error")
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(settings.log_level)
    logging.captureWarnings(True)
