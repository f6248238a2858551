"""Starting and running: command line, webhooks, one bot a folder, the demo FLUX, and a token that never shows."""

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.api.client import webhook_secret
from tests.bot.running import ROOT, RunningBot
from tests.fakes.telegram_api import TOKEN, TelegramServer
from tests.fakes.telegram_http import post_json

READY = "бейдж готов"


def test_without_a_token_one_line_says_what_to_do(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "TELEGRAM_BOT_TOKEN"}
    env |= {"BADGE_DATA_DIR": str(tmp_path), "TELEGRAM_BOT_TOKEN": ""}
    done = subprocess.run([sys.executable, "-m", "bot"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: TELEGRAM_BOT_TOKEN is not set")
    assert done.stderr.count("\n") == 1


def test_help_loads_no_telegram_and_no_torch() -> None:
    code = "import sys, bot.__main__ as m\ntry: m.main(['--help'])\nexcept SystemExit: pass\n"
    code += "assert not {'torch', 'telegram'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_a_wrong_token_ends_the_start(server: TelegramServer, folder: Path) -> None:
    bot = RunningBot(server, folder, token="1:wrong").start()
    assert bot.process is not None
    assert bot.process.wait(20) != 0
    assert "does not know this TELEGRAM_BOT_TOKEN" in bot.said()
    assert "1:wrong" not in bot.said()


@pytest.mark.parametrize("token", ["4242", "bot4242:AAE", '"4242:AAE"', "4242:AAE AAF", "токен:AAE"])
def test_what_is_no_token_is_told_before_telegram_is_asked(server: TelegramServer, folder: Path, token: str) -> None:
    bot = RunningBot(server, folder, module="bot", token=token, generator__kind="demo").start()
    assert bot.process is not None
    assert bot.process.wait(20) == 2
    assert "TELEGRAM_BOT_TOKEN is not a token of @BotFather" in bot.said()
    assert "AAE" not in bot.said()
    assert server.calls == []


def test_a_stop_while_telegram_cannot_be_reached_leaves_nothing_open(server: TelegramServer, folder: Path) -> None:
    server.faults.down = True
    bot = RunningBot(server, folder).start()
    server.wait(lambda: "Telegram cannot be reached" in bot.said(), what="the outage to be noticed")
    assert bot.stop() == 0
    assert "stopped" in bot.said()
    assert "Unclosed" not in bot.said()


def test_one_bot_a_folder(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder) as bot:
        anna = server.person(1)
        anna.say("/help")
        anna.waits_for("Я делаю")
        second = RunningBot(server, folder).start()
        assert second.process is not None
        assert second.process.wait(20) != 0
        assert "another bot is using" in bot.said()


def test_a_whole_badge_by_webhook_and_only_with_the_secret(server: TelegramServer, folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/hook"
    with RunningBot(server, folder, bot__webhook_url=url, bot__webhook_port=str(port)):
        anna = server.person(1)
        anna.say("/create")
        anna.waits_for("Что держит")
        forged = json.dumps({"update_id": 1, "message": server.person(66).message(text="/create")}).encode()
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": "guess"}
        assert asyncio.run(post_json(url, forged, headers)) == 403
        server.faults.again = True
        anna.say("telescope")
        anna.waits_for("Какой текст")
        anna.say("HOOK")
        anna.waits_for(READY)
        assert server.secret == webhook_secret(TOKEN)
        assert len(anna.sees()) == 3
        assert not server.of(66)


def test_a_server_of_ones_own_on_this_machine(server: TelegramServer, folder: Path) -> None:
    """`local_mode` would let paths be sent instead of files; only the bot may read its files, so it sends bytes."""
    with RunningBot(server, folder, bot__local_mode="true", bot__messages_per_second="1000"):
        anna = server.person(1)
        for number in (1, 2):
            anna.say(f"/badge cup | {number}")
            badge = anna.waits_for(READY, number=number)
        for number in (1, 2):
            for label, kind in (("Файлом", "document"), ("Стикером", "sticker")):
                anna.press(badge, label)
                server.wait(lambda k=kind, n=number: sum(bool(getattr(m, k)) for m in anna.sees()) == n, what=kind)
        anna.say("/history")
        server.wait(lambda: len(anna.badges()) == 4, what="both badges again")
        sent = {"editMessageMedia": [], "sendDocument": [], "sendSticker": [], "sendMediaGroup": []}
        for call in server.calls:
            sent.get(call.method, []).append(call.uploaded > 0)
            assert "file://" not in str(call.fields)
        again = [True, False]
        assert sent == {"editMessageMedia": [True, True], "sendDocument": again, "sendSticker": again,
                        "sendMediaGroup": [False]}  # fmt: skip


def test_the_token_is_in_no_log_and_the_state_is_private(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__log_level="DEBUG", bot__messages_per_second="1000") as bot:
        anna = server.person(1)
        anna.say("/badge what breaks | A")
        anna.waits_for("😕")
        server.faults.down = True
        anna.say("/help")
        server.wait(lambda: "no updates from Telegram" in bot.said(), what="the outage to be noticed")
        server.faults.down = False
        anna.waits_for("Я делаю")
        assert bot.stop() == 0
        files = [file for file in folder.rglob("*") if file.is_file()]
        assert any(file.name == "bot.log" for file in files)
        for file in files:
            assert TOKEN.encode() not in file.read_bytes(), file
            assert TOKEN.split(":")[1].encode() not in file.read_bytes(), file
            if file != bot.log:
                assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
        lines = (folder / "data/logs/bot.log").read_text().splitlines()
        failed = next(line for line in lines if "[drawing]" in line)
        assert failed.startswith("[20")
        assert "] [1] [drawing] [error: job 1 failed: broke]" in failed


def test_python_m_bot_draws_with_the_demo_flux(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, module="bot", local__steps="1", local__threads="1", generator__kind="demo"):
        anna = server.person(1)
        anna.say("/start")
        anna.waits_for("Что держит персонаж?", seconds=60)
        anna.say("катана")
        anna.waits_for("Какой текст")
        anna.say("UX SCOUT")
        badge = anna.waits_for(READY, seconds=120)
        assert badge.photo
