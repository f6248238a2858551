"""For operators: --check, the pages for monitoring, backup and restore."""

import io
import json
import re
import socket
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from bot.errors import StartError
from bot.operations import check
from bot.operations.backup import BackupError, backup, restore
from bot.store import Database, people
from bot.store.database import locked
from configs.settings import load_settings
from tests.bot.running import ROOT, RunningBot
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.telegram_api import TelegramServer

READY = "бейдж готов"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(port: int, page: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def command(bot: RunningBot, *options: str) -> "subprocess.CompletedProcess[str]":
    """`python -m bot` with these options, in the bot's environment, to its end."""
    line = [sys.executable, "-m", "bot", *options]
    return subprocess.run(line, cwd=ROOT, env=bot.environment(), capture_output=True, text=True, check=False)


def test_the_pages_for_monitoring(server: TelegramServer, folder: Path) -> None:
    port = free_port()
    with RunningBot(server, folder, bot__ops_port=str(port)):
        anna = server.person(1)
        anna.say("/badge cup | A")
        anna.waits_for(READY)
        anna.say("/badge nobody draws | A")
        anna.waits_for("😕")
        server.wait(lambda: 'outcome="failed"' in get(port, "metrics")[1], what="both badges to be counted")
        assert get(port, "healthz") == (200, "ok\n")
        assert get(port, "readyz") == (200, "ready\n")
        metrics = get(port, "metrics")[1]
        assert 'badge_badges_total{generator="plain",outcome="delivered"} 1' in metrics
        assert 'badge_stage_seconds_count{stage="banner"} 1' in metrics
        assert "badge_queue_waiting 0" in metrics
        named = set(re.findall(r"badge_[a-z_]+", (ROOT / "bot/grafana.json").read_text()))
        assert len(named) > 8
        assert {name for name in named if name not in metrics} == {"badge_vram_bytes"}
        assert json.loads((ROOT / "bot/grafana.json").read_text())["panels"]


def test_check_says_what_is_missing(server: TelegramServer, folder: Path) -> None:
    bot = RunningBot(server, folder, generator__kind="demo")
    good = command(bot, "--check")
    assert good.returncode == 0, good.stdout
    assert "this is @samurai_badge_bot" in good.stdout
    assert "FAILED" not in good.stdout
    bad = RunningBot(server, folder, token="1:wrong", local__lora="nowhere.safetensors", generator__kind="demo")
    said = command(bad, "--check")
    assert said.returncode == 1
    assert re.search(r"token +FAILED +Telegram does not know this token\n +-> copy it again", said.stdout)
    assert re.search(r"LoRA +FAILED .*nowhere", said.stdout)
    assert "1:wrong" not in said.stdout + said.stderr


@pytest.mark.parametrize(
    ("token", "model", "fault", "row"),
    [
        ("", "owner/samurai", "", r"ok +account acme, model owner/samurai\n?$"),
        ("", "deployments/acme/badges", "", r"ok +account acme, model deployments/acme/badges\n?$"),
        ("", "", "", r"warning +account acme, no model is set\n +-> set replicate.model"),
        ("", "owner/other", "", r"FAILED +account acme, no model owner/other\n +-> set replicate.model to a model"),
        ("r8_wrong", "owner/samurai", "", r"FAILED +the token is refused\n +-> make a new one at replicate.com"),
        ("", "owner/samurai", "500", r"FAILED +responded 500\n +-> see status.replicate.com"),
        ("", "owner/samurai", "html", r"FAILED +the response is not JSON\n +-> see status"),
        ("", "owner/samurai", "drop-before", r"FAILED +cannot be reached: \w+\n +-> check the network"),
    ],
    ids=["good", "deployment", "no model", "unknown model", "wrong token", "down", "no API", "unreachable"],
)  # fmt: skip
def test_check_about_replicate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str, model: str, fault: str, row: str
) -> None:
    with FakeReplicate() as fake:
        right = fake.state.token
        for name, value in {"API_TOKEN": token or right, "BASE_URL": fake.url}.items():
            monkeypatch.setenv(f"REPLICATE_{name}", value)
        for name, value in {"DATA_DIR": str(tmp_path), "GENERATOR__KIND": "auto", "REPLICATE__MODEL": model}.items():
            monkeypatch.setenv(f"BADGE_{name}", value)
        fake.state.fail("account", *([fault] if fault else []))
        findings = {finding.what: finding for finding in check.check(load_settings())}
        said = check.table(list(findings.values()))
        assert re.search(rf"(?m)^Replicate +{row}", said), said
        assert right not in said
        assert "r8_wrong" not in said
        assert (findings["weights"].found == "not needed with Replicate") == bool(model)
        assert (findings["LoRA"].found == "not needed with Replicate") == bool(model)


def test_backup_while_serving_and_restore(server: TelegramServer, folder: Path) -> None:
    archive = folder / "backup.tar.gz"
    with RunningBot(server, folder) as bot:
        anna = server.person(1)
        anna.say("/badge cup | A")
        badge = anna.waits_for(READY)
        server.wait(lambda: "delivered" in bot.said(), what="the delivery to be stored")
        saved = command(bot, "--backup", str(archive))
        assert saved.returncode == 0, saved.stderr
        refused = command(bot, "--restore", str(archive))
        assert "another bot is using" in refused.stderr
        assert refused.returncode == 2
        bot.stop()
        (folder / "data/bot.sqlite3").write_bytes(b"ruined")
        missing = command(bot, "--restore", "nowhere.tar.gz")
        assert (missing.returncode, missing.stderr) == (2, "error: --restore nowhere.tar.gz: there is no such file\n")
        assert command(bot, "--restore", str(archive)).returncode == 0
        bot.start()
        anna.press(badge, "Файлом")
        server.wait(lambda: [m for m in anna.sees() if m.document], what="the picture from the backup")
        assert archive.stat().st_mode & 0o077 == 0


def test_what_is_no_backup_changes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    database = Database(data / "bot.sqlite3").open()
    database.submit("fact", lambda c: people.set_fact(c, "mine", "yes")).result()
    database.close()
    archive = tmp_path / "bad.tar.gz"
    with pytest.raises(BackupError, match="cannot read"):
        restore(data, archive)
    archive.write_bytes(b"no archive")
    with pytest.raises(BackupError, match="cannot read"):
        restore(data, archive)
    for name in ("../outside", "/etc/outside", "notes.txt"):
        with tarfile.open(archive, "w:gz") as tar:
            member = tarfile.TarInfo(name)
            member.size = 2
            tar.addfile(member, io.BytesIO(b"hi"))
        with pytest.raises(BackupError):
            restore(data, archive)
    assert not (tmp_path / "outside").exists()
    assert Database(data / "bot.sqlite3").open().submit("", lambda c: people.fact(c, "mine")).result() == "yes"
    with pytest.raises(BackupError, match="no state"):
        backup(tmp_path / "empty", archive)


def test_two_cannot_hold_one_folder(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(StartError, match="another bot"), locked(tmp_path):
        pass
