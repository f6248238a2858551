"""Groups, topics, albums and floods: whom the bot answers, where, and how often."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Faults, Person, TelegramServer

Somebody = Callable[..., Person]
READY = "бейдж готов"
PHOTO = [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]


@pytest.fixture(autouse=True)
def _healthy_again(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "shared" in request.fixturenames:
        request.getfixturevalue("shared").server.faults = Faults()


def badge_in(person: Person) -> Any:
    person.say("/badge cup | A")
    return person.waits_for(READY)


def settled(person: Person, server: TelegramServer) -> int:
    """How many messages there are once everything before has been answered."""
    person.say("/nonsense")
    person.waits_for("Такой команды я не знаю")
    return len([m for m in person.sees() if "Такой команды" not in m.text])


def test_a_question_after_a_press_names_the_person(shared: RunningBot, somebody: Somebody) -> None:
    """Telegram opens the reply field for whom a message mentions or replies to; a badge is the bot's own."""
    anna = somebody(chat_id=-8001)
    badge = badge_in(anna)
    anna.press(badge, "Другой текст")
    question = anna.waits_for("Какой текст")
    assert question.text.startswith("Person, ")
    call = next(c for c in reversed(shared.server.calls) if "Какой текст" in c.fields.get("text", ""))
    (mention,) = json.loads(call.fields["entities"])
    assert (mention["type"], mention["offset"], mention["length"]) == ("text_mention", 0, len("Person"))
    assert mention["user"]["id"] == anna.user_id
    assert question.markup["force_reply"]
    anna.answers(question, "NEW")
    anna.waits_for(READY, number=2)


def test_chatter_under_a_badge_is_not_answered(shared: RunningBot, somebody: Somebody) -> None:
    anna, bob = somebody(chat_id=-8002), somebody(chat_id=-8002)
    badge = badge_in(anna)
    for person in (anna, bob):
        person.answers(badge, "nice!")
        person.send(sticker={"file_id": "s", "file_unique_id": "s", "type": "regular", "width": 1, "height": 1,
                             "is_animated": False, "is_video": False})  # fmt: skip
    anna.say("/create")
    question = anna.waits_for("Что держит")
    anna.answers(badge, "thanks")
    assert settled(anna, shared.server) == 2
    anna.answers(question, "telescope")
    anna.waits_for("Какой текст")


def test_an_album_gets_one_answer_and_its_caption_is_read(shared: RunningBot, somebody: Somebody) -> None:
    anna, bob = somebody(), somebody()
    anna.say("/create")
    anna.waits_for("Что держит")
    for number in range(10):
        anna.send(photo=PHOTO, media_group_id=f"13{anna.user_id}", **({"caption": "telescope"} if not number else {}))
    anna.waits_for("Какой текст")
    for _ in range(10):
        bob.send(photo=PHOTO, media_group_id=f"13{bob.user_id}")
    bob.waits_for("Чтобы сделать бейдж")
    assert settled(anna, shared.server) == 2
    assert settled(bob, shared.server) == 1
    bob.send(photo=PHOTO, caption="/badge cup | CAPTION",
             caption_entities=[{"type": "bot_command", "offset": 0, "length": 6}])  # fmt: skip
    bob.waits_for(READY)


def test_ten_pasted_lines_get_one_answer(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody()
    for number in range(10):
        anna.say(f"line {number}")
    anna.waits_for("Чтобы сделать бейдж")
    assert settled(anna, shared.server) == 1


def test_an_edited_command_is_answered(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody()
    entities = [{"type": "bot_command", "offset": 0, "length": 6}]
    shared.server.deliver("edited_message", anna.message(text="/badge cup | A", entities=entities, edit_date=2))
    anna.waits_for("Правки в сообщениях")


@pytest.mark.parametrize("as_channel", [False, True], ids=["anonymous admin", "channel"])
def test_somebody_without_a_name_is_told_why_once(shared: RunningBot, somebody: Somebody, as_channel: bool) -> None:
    chat = -8003 - as_channel
    place = somebody(chat_id=chat)
    for _ in range(3):
        message = place.message(text="/create@samurai_badge_bot",
                                entities=[{"type": "bot_command", "offset": 0, "length": 25}])  # fmt: skip
        message["from"] = {"id": 136817688 if as_channel else 1087968824, "is_bot": True, "first_name": "Group"}
        kind = {"type": "channel", "id": -77, "title": "C"} if as_channel else {**message["chat"]}
        shared.server.deliver("message", {**message, "sender_chat": kind})
    place.waits_for("I cannot see who is writing here")
    assert settled(place, shared.server) == 1


def test_a_button_under_a_message_that_telegram_no_longer_shows(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody(chat_id=-8006, thread=9)
    badge = badge_in(anna)
    user = {"id": anna.user_id, "is_bot": False, "first_name": "A", "language_code": "ru"}
    lost = {"chat": {"id": -8006, "type": "supergroup", "title": "G"}, "message_id": badge.id, "date": 0}
    data = next(value for label, value in badge.buttons().items() if "Ещё раз" in label)
    query = {"id": "q-lost", "from": user, "chat_instance": "1", "message": lost, "data": data}
    shared.server.deliver("callback_query", query)
    again = anna.waits_for(READY, number=2)
    assert again.thread == 9


def test_a_group_that_moved_stays_allowed_and_its_id_is_in_the_log(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__chats="[-555]", bot__users="[99]") as bot:
        before, after, other = (server.person(1, "ru", chat) for chat in (-555, -100555, -777))
        before.say("/create")
        before.waits_for("Что держит")
        server.deliver("message", before.message(migrate_to_chat_id=-100555))
        after.say("/create")
        after.waits_for("Что держит")
        server.wait(lambda: "the group -555 is now the supergroup -100555" in bot.said(), what="the new id in the log")
        other.say("/create")
        server.wait(lambda: "refused: not allowed in chat -777" in bot.said(), what="the refused id in the log")


def test_an_admin_cannot_lock_admins_out(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__admins="[7, 8]"):
        boss = server.person(7)
        for number in (7, 8):
            boss.say(f"/ban {number}")
            boss.waits_for(f"{number} — админ")
        boss.say("/stats")
        boss.waits_for("Ждут")


def test_at_the_limit_nothing_is_asked_in_vain_and_answers_are_kept(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__badges_per_hour="1", bot__messages_per_second="1000"):
        anna = server.person(1)
        anna.say("/create")
        anna.waits_for("Что держит")
        anna.say("telescope")
        anna.waits_for("Какой текст")
        badge = badge_in(server.person(1, "ru", -5))
        anna.say("SCOUT")
        anna.waits_for("больше нельзя")
        with sqlite3.connect(folder / "data/bot.sqlite3") as connection:
            kept = connection.execute("SELECT question, object FROM dialogues").fetchall()
        connection.close()
        assert kept == [("text", "telescope")]
        anna.say("/create")
        anna.waits_for("больше нельзя", number=2)
        there = server.person(1, "ru", -5)
        there.press(badge, "Стиль")
        there.press(there.waits_for("Какой баннер?"), "табличка")  # the portrait is there: this costs nothing
        there.waits_for(READY, number=2)


def test_a_flood_of_one_person_keeps_nobody_waiting_and_leaves_little(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder) as bot:
        eve, anna = server.person(666), server.person(1)
        for number in range(600):
            eve.say("/help" if number % 2 else f"/badge thing{number}")
        asked = time.monotonic()
        anna.say("/help")
        anna.waits_for("Я делаю")
        server.wait(
            lambda: "unanswered messages: further ones are dropped" in bot.said(), what="the flood to be noticed"
        )
        assert bot.stop() == 0
        with sqlite3.connect(folder / "data/bot.sqlite3") as connection:
            assert connection.execute("SELECT COUNT(*) FROM outbox").fetchone()[0] <= 41
            assert connection.execute("SELECT COUNT(*) FROM inbox WHERE payload IS NOT NULL").fetchone()[0] <= 50
        connection.close()
        assert asked
