"""/privacy and /forget: what is deleted, what stays, and that a crash does not keep anything."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Person, TelegramServer

READY = "бейдж готов"
SETTINGS = {"bot__badges_per_hour": "2", "bot__messages_per_second": "1000", "bot__edit_seconds": "0.2"}


def everything(folder: Path) -> str:
    """All that the store holds, as one text."""
    with sqlite3.connect(folder / "data/bot.sqlite3") as connection:
        return "\n".join(connection.iterdump())


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in (folder / "data/badges").iterdir())


def test_privacy_tells_what_is_kept(somebody: Callable[..., Person]) -> None:
    anna = somebody("en")
    anna.say("/privacy")
    assert "pictures for 30 days" in anna.waits_for("/forget").text


def test_forget_deletes_words_and_pictures_and_keeps_the_limit(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **SETTINGS) as bot:
        anna, boris = server.person(1), server.person(2)
        anna.say("/badge tuning fork | ANNA ONE")
        anna.waits_for(READY)
        boris.say("/badge anvil | BORIS ONE")
        boris.waits_for(READY)
        anna.say("/create")
        anna.waits_for("Что держит")
        anna.say("/forget")
        question = anna.waits_for("Удалить")
        assert "чуж" in boris.toast(boris.press(question, "", data="forget:1"))
        anna.press(question, "Удалить всё")
        anna.waits_for("Всё о тебе удалено")
        server.wait(lambda: len(files(folder)) == 2, what="the files to be removed")
        anna.say("/history")
        anna.waits_for("пока нет")
        assert "устарела" in anna.toast(anna.press(anna.badges()[0], "Ещё раз"))
        anna.say("/badge cup | TWO")
        anna.waits_for(READY, number=2)
        anna.say("/badge cup | THREE")
        anna.waits_for("больше нельзя")
        bot.stop()
    kept = everything(folder)
    assert "ANNA ONE" not in kept
    for file in (folder / "data").glob("bot.sqlite3*"):  # nor in pages that the database let go
        assert b"ANNA ONE" not in file.read_bytes(), file.name
    assert "tuning fork" not in kept
    assert "BORIS ONE" in kept


def test_dying_right_after_forgetting_keeps_no_picture(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **SETTINGS) as bot:
        anna = server.person(1)
        anna.say("/badge cup | ONE")
        anna.waits_for(READY)
        anna.say("/forget")
        question = anna.waits_for("Удалить")
        bot.stop()
        bot.start("--die-at", "answered:after")
        anna.press(question, "Удалить всё")
        assert bot.process is not None
        assert bot.process.wait(60) == -9
        assert "ONE" not in everything(folder)
        bot.start()
        anna.waits_for("Всё о тебе удалено")
        server.wait(lambda: files(folder) == [], what="the files to be removed")


def test_what_is_being_drawn_is_canceled(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **SETTINGS):
        anna = server.person(1)
        anna.say("/badge slowly turning globe | ONE")
        anna.waits_for("/40")
        anna.say("/forget")
        anna.press(anna.waits_for("Удалить"), "Удалить всё")
        anna.waits_for("Отменено")
        anna.waits_for("Всё о тебе удалено")
        assert not anna.badges()


def test_a_banned_person_may_be_forgotten_and_stays_banned(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__admins="[7]", **SETTINGS) as bot:
        anna, boss = server.person(1), server.person(7)
        anna.say("/badge cup | ONE")
        anna.waits_for(READY)
        boss.say("/ban 1")
        boss.waits_for("Заблокирован")
        anna.say("/forget")
        anna.press(anna.waits_for("Удалить"), "Удалить всё")
        anna.waits_for("Всё о тебе удалено")
        anna.say("/create")
        boss.say("/unban 2")
        boss.waits_for("2")
        bot.stop()
        assert not [m for m in anna.sees() if "Что держит" in m.text]
