"""What Telegram really does to bots, each kind rebuilt small: how far a failure reaches, and how long it lasts."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, TelegramError

from bot.api.errors import Lasts, Scope, Verdict, verdict
from inference.output.recipe import read_recipe
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Faults, Person, TelegramServer

Somebody = Callable[..., Person]
READY = "бейдж готов"
POLL = {"id": "1", "question": "?", "options": [], "total_voter_count": 0, "is_closed": False, "is_anonymous": True,
        "type": "regular", "allows_multiple_answers": False}  # fmt: skip


@pytest.fixture(autouse=True)
def _healthy_again(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "shared" in request.fixturenames:
        request.getfixturevalue("shared").server.faults = Faults()


def refusing(chat_id: int, **words: str) -> Callable[[str, dict[str, str]], str]:
    """Refuse these methods in one chat, with Telegram's words."""
    return lambda method, fields: words.get(method, "") if fields.get("chat_id") == str(chat_id) else ""


def job(bot: RunningBot, user_id: int) -> dict[str, Any]:
    """The newest job of a person as the store has it."""
    with sqlite3.connect(bot.folder / "data/bot.sqlite3") as connection:
        connection.row_factory = sqlite3.Row
        row = connection.execute("SELECT * FROM jobs WHERE user_id = ? ORDER BY id DESC", (user_id,)).fetchone()
    connection.close()
    return dict(row) if row is not None else {"told": 0, "state": ""}


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (BadRequest("Not enough rights to send photos to the chat"), Verdict.NOT_HERE),
        (BadRequest("CHAT_SEND_STICKERS_FORBIDDEN"), Verdict.NOT_HERE),
        (Forbidden("Forbidden: not enough rights to send documents to the chat"), Verdict.NOT_HERE),
        (BadRequest("Not enough rights to send text messages to the chat"), Verdict.CHAT_GONE),
        (BadRequest("Have no rights to send a message"), Verdict.CHAT_GONE),
        (Forbidden("Forbidden: bot was kicked from the supergroup chat"), Verdict.CHAT_GONE),
        (BadRequest("Message thread not found"), Verdict.TOPIC_GONE),
        (BadRequest("TOPIC_CLOSED"), Verdict.TOPIC_GONE),
        (BadRequest("IMAGE_PROCESS_FAILED"), Verdict.PICTURE),
        (NetworkError("Request Entity Too Large"), Verdict.NO_PICTURE),
        (NetworkError("Internal Server Error"), Verdict.UNKNOWN),
        (InvalidToken("Unauthorized"), Verdict.AGAIN),
        (BadRequest("SOMETHING_NEW"), Verdict.REFUSED),
    ],
)
def test_what_telegrams_words_mean(error: TelegramError, meaning: Verdict) -> None:
    assert verdict(error) is meaning


def test_every_failure_has_a_scope_and_a_lifetime() -> None:
    assert (Verdict.TOPIC_GONE.scope, Verdict.TOPIC_GONE.lasts) == (Scope.TOPIC, Lasts.FOR_GOOD)
    assert (Verdict.NOT_HERE.scope, Verdict.BUSY.lasts) == (Scope.CHAT, Lasts.A_WHILE)
    assert not any(each.again for each in Verdict if each.lasts is Lasts.FOR_GOOD)


def test_nobody_waits_for_a_chat_that_has_to_wait(shared: RunningBot, somebody: Somebody) -> None:
    server, chat = shared.server, -7001
    crowd = [somebody(chat_id=chat) for _ in range(9)]
    server.faults.retry_after = lambda method, fields: (
        8000 if method == "editMessageMedia" and fields.get("chat_id") == str(chat) else 0
    )
    for person in crowd:
        person.say("/badge cup | A")
    server.wait(
        lambda: sum(c.method == "editMessageMedia" and c.chat_id == chat for c in list(server.calls)) >= 1, what="a 429"
    )
    server.wait(lambda: all(job(shared, p.user_id)["state"] == "drawn" for p in crowd), what="all to be drawn")
    anna = somebody()
    anna.say("/badge cup | A")
    anna.waits_for(READY)


def test_an_update_that_cannot_be_read_is_stepped_over(shared: RunningBot, somebody: Somebody) -> None:
    anna, eve = somebody(), somebody()
    eve.send(poll=POLL)  # python-telegram-bot 22.8 wants `allows_revoting`, which older servers leave out
    anna.say("/help")
    anna.waits_for("Я делаю")
    eve.say("/help")
    eve.waits_for("Я делаю")
    shared.server.wait(lambda: "cannot be read and is skipped" in shared.said(), what="a line in the log")
    assert len([line for line in shared.said().splitlines() if "cannot be read" in line]) == 1
    assert "Traceback" not in shared.said()


def test_a_reply_to_what_cannot_be_read(shared: RunningBot, somebody: Somebody) -> None:
    """Telegram repeats the message that ours replies to; whatever that holds, ours was sent."""
    anna = somebody(chat_id=-7002)
    shared.server.faults.extra = {"reply_to_message": {"message_id": 1, "date": 1, "chat": {"id": 1}, "poll": POLL}}
    anna.say("/badge cup | A")
    anna.waits_for(READY)
    assert len(anna.sees()) == 1


def test_a_stored_update_that_cannot_be_read(server: TelegramServer, folder: Path) -> None:
    bot = RunningBot(server, folder)
    with bot:
        anna = server.person(1)
        anna.say("/help")
        anna.waits_for("Я делаю")
        bot.kill()
        with sqlite3.connect(folder / "data/bot.sqlite3") as connection:
            payload = json.dumps({"update_id": 7, "message": anna.message(poll=POLL)})
            connection.execute("INSERT INTO inbox VALUES (7, ?, 0)", (payload,))
        connection.close()
        bot.start()
        anna.say("/cancel")
        anna.waits_for("Отменять нечего")
        assert bot.stop() == 0
        with sqlite3.connect(folder / "data/bot.sqlite3") as connection:
            assert connection.execute("SELECT payload FROM inbox WHERE update_id = 7").fetchone() == (None,)
        connection.close()


def test_a_token_that_is_refused_for_a_while(shared: RunningBot, somebody: Somebody) -> None:
    server, anna = shared.server, somebody()
    server.faults.unauthorized = True
    anna.say("/help")  # wakes the poll that is under way, so that the next one is refused
    server.wait(lambda: "refuses the token at present" in shared.said(), what="the refusal in the log")
    server.faults.unauthorized = False
    anna.say("/badge cup | A")
    anna.waits_for(READY)


def test_a_topic_that_is_gone_ends_that_topic_alone(shared: RunningBot, somebody: Somebody) -> None:
    server, chat = shared.server, -7003
    in_nine = [somebody(chat_id=chat, thread=9) for _ in range(2)]
    for person in in_nine:
        person.say("/badge slowly passing cloud | A")
        person.waits_for("⏳")
    in_seven = somebody(chat_id=chat, thread=7)
    server.faults.refuse = lambda method, fields: (
        "message thread not found" if fields.get("message_thread_id") == "7" else ""
    )
    in_seven.say("/help")
    helped = server.wait(lambda: [m for m in in_seven.sees() if "Я делаю" in m.text], what="an answer, as a reply")
    assert helped[0].reply_to
    for number, person in enumerate(in_nine, start=1):
        person.waits_for(READY, number=number)
        server.wait(lambda p=person: job(shared, p.user_id)["state"] == "delivered", what="the store to know")


def test_a_closed_topic_ends_its_jobs(shared: RunningBot, somebody: Somebody) -> None:
    server, chat = shared.server, -7004
    anna, bob = somebody(chat_id=chat, thread=9), somebody(chat_id=chat, thread=5)
    bob.say("/badge slowly passing cloud | A")
    bob.waits_for("⏳")
    nine = {anna.say("/badge cup | A")}
    server.faults.refuse = lambda method, fields: (
        "TOPIC_CLOSED"
        if fields.get("message_thread_id") == "9"
        or json.loads(fields.get("reply_parameters", "{}")).get("message_id") in nine
        else ""
    )
    nine.add(anna.say("/badge slowly passing cloud | B"))
    server.wait(lambda: job(shared, anna.user_id)["state"] == "canceled", what="the topic's jobs to end")
    bob.waits_for(READY)


@pytest.mark.parametrize(
    "words", ["not enough rights to send photos to the chat", "CHAT_SEND_PHOTOS_FORBIDDEN"], ids=["old", "new"]
)
def test_a_chat_without_photos_offers_the_file(shared: RunningBot, somebody: Somebody, words: str) -> None:
    server = shared.server
    anna = somebody(chat_id=-7005)
    server.faults.refuse = refusing(anna.chat_id, editMessageMedia=words)
    anna.say("/badge cup | A")
    told = server.wait(
        lambda: [m for m in anna.sees() if "нельзя отправлять фото" in m.text and m.id > 0][-1:], what="a word"
    )[0]
    assert list(told.buttons()) == ["📄 Файлом", "🏷 Стикером"]
    before = len([m for m in anna.sees() if m.document])
    anna.press(told, "Файлом")
    server.wait(lambda: len([m for m in anna.sees() if m.document]) > before, what="the file")
    server.faults.refuse = refusing(anna.chat_id, sendSticker="not enough rights to send stickers to the chat")
    anna.press(told, "Стикером")
    anna.waits_for("такие сообщения запрещены")
    del server.messages[anna.chat_id]


def test_a_status_message_that_is_refused_ends_its_job(shared: RunningBot, somebody: Somebody) -> None:
    server, anna = shared.server, somebody()
    server.faults.refuse = refusing(anna.chat_id, sendMessage="SOMETHING_NEW_INVALID")
    anna.say("/badge cup | A")
    server.wait(lambda: job(shared, anna.user_id)["told"] == 1, what="the job to end")
    assert job(shared, anna.user_id)["state"] == "failed"
    assert sum(c.chat_id == anna.chat_id for c in server.calls) == 2
    server.faults.refuse = Faults().refuse
    anna.say("/badge cup | B")
    anna.waits_for(READY)


def test_a_message_that_can_never_be_edited(shared: RunningBot, somebody: Somebody) -> None:
    server, anna, bob = shared.server, somebody(), somebody()
    refused = "message can't be edited"
    edits = {"editMessageMedia": refused, "editMessageText": refused}
    server.faults.refuse = refusing(anna.chat_id, **edits)
    anna.say("/badge cup | A")
    badge = anna.waits_for(READY)
    assert badge.photo
    assert len(anna.sees()) <= 3
    server.faults.refuse = refusing(bob.chat_id, **edits)
    bob.say("/badge what breaks | A")
    bob.waits_for("Что-то сломалось")
    server.wait(lambda: job(shared, bob.user_id)["told"], what="the last word")
    assert len(bob.sees()) <= 3


def test_a_picture_that_is_not_processed_once(shared: RunningBot, somebody: Somebody) -> None:
    server, anna, bob = shared.server, somebody(), somebody()
    left = iter(["IMAGE_PROCESS_FAILED"])

    def refuse(method: str, fields: dict[str, str]) -> str:
        return next(left, "") if method == "editMessageMedia" and fields["chat_id"] == str(anna.chat_id) else ""

    server.faults.refuse = refuse
    anna.say("/badge cup | A")
    anna.waits_for(READY)
    server.faults.refuse = refusing(bob.chat_id, editMessageMedia="IMAGE_PROCESS_FAILED")
    bob.say("/badge cup | A")
    told = bob.waits_for("Забери его файлом")
    assert sum(c.method == "editMessageMedia" and c.chat_id == bob.chat_id for c in server.calls) == 4
    bob.press(told, "Файлом")
    server.wait(lambda: [m for m in bob.sees() if m.document], what="the file")


def test_one_old_file_id_does_not_spoil_an_album(shared: RunningBot, somebody: Somebody) -> None:
    server, anna = shared.server, somebody()
    for number in (1, 2, 3):
        anna.say(f"/badge cup | N{number}")
        anna.waits_for(READY, number=number)
    first = anna.badges()[0].photo
    content = server.files.pop(first)
    (shared.folder / "data/badges" / f"{job(shared, anna.user_id)['picture']}.jpg").unlink()
    anna.say("/history")
    server.wait(lambda: len(anna.badges()) == 6, what="three badges again")
    again = anna.badges()[3:]
    assert server.files[again[0].photo] == content
    assert again[2].photo == anna.badges()[2].photo  # whose picture is gone from the disk, and whose id holds


def test_a_round_badge_has_no_dark_corners_and_a_recipe(shared: RunningBot, somebody: Somebody) -> None:
    server, anna = shared.server, somebody()
    anna.say("/badge cup | ROUND")
    badge = anna.waits_for(READY)
    anna.press(badge, "Стиль")
    offered = anna.waits_for("Какой баннер?")
    anna.press(offered, "круг")
    anna.waits_for(READY, number=2)
    server.wait(lambda: offered.id not in server.messages[anna.chat_id], what="the choice to go away")
    picture = Image.open(BytesIO(server.files[anna.badges()[1].photo]))
    assert min(picture.getpixel((1, 1))) > 240  # type: ignore[type-var, arg-type]
    made = read_recipe(shared.folder / "data/badges" / f"{job(shared, anna.user_id)['picture']}.png")
    assert (made.object, made.text, made.style) == ("cup", "ROUND", "round")
