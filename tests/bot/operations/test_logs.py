"""The log file: it rotates, only its owner may read it, and no token is in it, not even where it cannot be written."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.operations.logs import masker
from tests.bot.running import ROOT, RunningBot
from tests.fakes.telegram_api import TOKEN, TelegramServer

_FULL = """
import logging, pathlib, resource, sys
from bot.operations.logs import start_logging
from configs.settings import load_settings
start_logging(load_settings().bot, pathlib.Path(sys.argv[1]), ("4242:secret",))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
logging.getLogger("bot").warning("no room for %s", "4242:secret")
logging.getLogger("bot").warning("no room for %s", "4242:secret", "one too many")
"""


def size(file: Path) -> int:
    """Bytes, 0 where there is none just now."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def test_the_log_rotates_stays_private_and_holds_no_token(server: TelegramServer, folder: Path) -> None:
    log = folder / "data/logs/bot.log"
    with RunningBot(server, folder, bot__log_megabytes="1", bot__log_files="2", bot__log_level="DEBUG"):
        anna = server.person(1)
        server.faults.refuse = lambda method, fields: f"odd path /bot{TOKEN}/" if method == "sendMessage" else ""
        anna.say("/help")
        server.wait(lambda: log.exists() and "given up" in log.read_text(), what="an error with the token in it")
        assert "path /bot***/" in log.read_text()
        server.faults.refuse = lambda method, fields: ""
        for number in range(1, 5):
            with log.open("a") as file:
                file.write(f"round {number}\n" + 1024 * ("x" * 1023 + "\n"))
            anna.say("/help")
            server.wait(lambda: 0 < size(log) < 2**19, what="a file that begins anew")
        files = {file.name: file for file in log.parent.iterdir()}
        assert sorted(files) == ["bot.log", "bot.log.1", "bot.log.2"]
        assert "round 4" in files["bot.log.1"].read_text()
        assert "round 3" in files["bot.log.2"].read_text()
        for file in files.values():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
            assert TOKEN.lower() not in file.read_text().lower(), file


@pytest.mark.parametrize(
    "said",
    ["4242:aSecret", "4242:ASECRET", "4242%3AaSecret", "4242%253AaSecret", "%34%32%34%32%3a%61%53ecret"],
    ids=["plain", "upper", "percent", "twice", "whole"],
)
def test_a_token_is_masked_in_every_case_and_encoding(said: str) -> None:
    assert masker(("", "4242:aSecret"))(f"http://x/bot{said}/getMe") == "http://x/bot***/getMe"


def test_no_line_obeys_a_stranger(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder) as bot:
        anna = server.person(1)
        for text in ("/x]0;\u202e[1][admin][forged]", "/ba\x1b[31md", "/help"):
            anna.send(text=text, entities=[{"type": "bot_command", "offset": 0, "length": len(text)}])
        anna.waits_for("Я делаю")
        server.wait(lambda: "[1] [command] [an unknown command]" in bot.said(), what="a line about it")
        assert "forged" not in bot.said()
        assert "Person" not in bot.said()
        assert all(char.isprintable() or char == "\n" for char in bot.said())


def test_a_log_that_cannot_be_written_shows_no_token(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "[warning: no room for ***]" in done.stderr
    assert "could not be logged: OSError: [Errno 27]" in done.stderr
    assert "could not be logged: TypeError" in done.stderr
    assert "4242" not in done.stderr
    assert "Traceback" not in done.stderr


_FORGED = """
import logging, pathlib, sys
from bot.operations.logs import record, start_logging
from configs.settings import load_settings
start_logging(load_settings().bot, pathlib.Path(sys.argv[1]), ())
record(7, "/x]0;\\x07..[1][admin][forged]",
    "done\\x1b[2J\\r\\n[2026-01-01 00:00:00] [1] [admin] [forged]\\u202e\\x9b1m\\u2028")
try:
    raise ValueError("first\\n[2026-01-01 00:00:00] [1] [admin] [forged]\\x1b[2J")
except ValueError:
    logging.getLogger("bot").exception("failed")
"""


def test_what_people_write_forges_no_line_and_commands_no_terminal(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _FORGED, str(tmp_path)], cwd=ROOT, capture_output=True, check=True)
    for text in (done.stderr.decode(), (tmp_path / "logs/bot.log").read_text(encoding="utf-8")):
        assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e", "\u2028"} & set(text)
        lines = [line for line in text.splitlines() if line.startswith("[")]
        assert len(lines) == 2
        assert [line.count("[") for line in lines] == [4, 4]
        assert " [7] [/x)0;\\x07..(1)(admin)(forged)] [done\\x1b(2J (2026-01-01" in lines[0]
