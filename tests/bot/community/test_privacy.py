"""/privacy and /forget: what is deleted, what stays, and that a crash does not keep anything."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bot.store import Database, jobs, privacy
from bot.store.jobs import Job
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
        assert "не для тебя" in boris.toast(boris.press(question, "", data="forget:1"))
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
    assert "tuning fork" not in kept
    assert "BORIS ONE" in kept


def test_forgotten_words_are_not_left_in_pages_that_the_database_let_go(tmp_path: Path) -> None:
    database = Database(tmp_path / "bot.sqlite3").open()
    job = Job(0, 1, 1, 0, 0, "en", "tuning fork", "tuning fork", "", "arc", 1, "dialogue")

    def make(connection: sqlite3.Connection) -> None:
        for number in range(300):
            jobs.add(connection, replace(job, text=f"ANNA {number} " + "x" * 30), 1.0)
        connection.execute("UPDATE jobs SET state = 'delivered', told = 1")

    database.submit("made", make).result()
    database.submit("forgotten", lambda c: privacy.forget(c, 1, 1e9)).result()
    database.close()
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"ANNA" not in left


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
