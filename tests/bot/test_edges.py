"""Inputs that break bots: odd texts, answers that are no text, edited messages, forged and repeated presses."""

from collections.abc import Callable

import pytest

from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Msg, Person

Somebody = Callable[..., Person]


def ask_for_text(person: Person) -> Msg:
    """Up to the second question."""
    person.say("/create")
    person.waits_for("Что держит")
    person.say("telescope")
    return person.waits_for("Какой текст")


@pytest.mark.parametrize(
    "text",
    ["👩‍🚀🚀", "שלום עולם", "مرحبا", "two\nlines", "👨‍👩‍👧‍👦" * 8, "<b>&amp;*_`[x](y)", "x" * 40],
    ids=["emoji", "hebrew", "arabic", "newline", "families", "markup", "longest"],
)
def test_texts_of_all_kinds_become_badges(somebody: Somebody, text: str) -> None:
    anna = somebody()
    ask_for_text(anna)
    anna.say(text)
    anna.waits_for("бейдж готов")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x" * 4096, "слишком длинно для баннера: не больше 40"), ("я" * 41, "слишком длинно"),
        ("\u200b\u200b", "не нарисовать"), ("   ", "не нарисовать"),
        ("SCOUT \U00012000", "нарисовать не могу: \U00012000"),
    ],
    ids=["4096", "41", "zero width", "blank", "cuneiform"],
)  # fmt: skip
def test_texts_that_cannot_be_drawn_are_asked_again(somebody: Somebody, text: str, said: str) -> None:
    anna = somebody()
    ask_for_text(anna)
    anna.say(text)
    anna.waits_for(said)
    anna.say("OK")
    anna.waits_for("бейдж готов")


@pytest.mark.parametrize(
    "thing", ["x" * 4096, "\u200b", "123\x00", "🤺" * 300], ids=["4096", "zero width", "control", "300 emoji"]
)
def test_objects_that_cannot_be_used_are_asked_again(somebody: Somebody, thing: str) -> None:
    anna = somebody()
    anna.say("/create")
    anna.waits_for("Что держит")
    anna.say(thing)
    anna.waits_for("Не понял")
    anna.say("telescope")
    anna.waits_for("Какой текст")


def test_a_command_as_an_answer(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/create")
    anna.waits_for("Что держит")
    anna.say("/катана")
    anna.waits_for("Похоже на команду")
    anna.say("/help")
    anna.waits_for("Я делаю бейджи")
    anna.say("катана")
    anna.waits_for("Какой текст")


@pytest.mark.parametrize(
    "content",
    [
        {"photo": [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]},
        {"sticker": {"file_id": "s", "file_unique_id": "s", "type": "regular", "width": 1, "height": 1,
                     "is_animated": False, "is_video": False}},
        {"voice": {"file_id": "v", "file_unique_id": "v", "duration": 1}},
        {"dice": {"emoji": "🎲", "value": 3}},
    ],
    ids=["photo", "sticker", "voice", "dice"],
)  # fmt: skip
def test_answers_that_are_no_text(somebody: Somebody, content: dict[str, object]) -> None:
    anna = somebody()
    anna.say("/create")
    anna.waits_for("Что держит")
    anna.send(**content)
    anna.waits_for("словами: что держит")
    anna.say("telescope")
    anna.waits_for("Какой текст на баннере?")
    anna.send(**content)
    anna.waits_for("словами: какой текст")


def test_edited_and_forwarded_messages(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/create")
    anna.waits_for("Что держит")
    shared.server.deliver("edited_message", anna.message(text="telescope", edit_date=2))
    anna.waits_for("Правки в сообщениях")
    origin = {"type": "hidden_user", "sender_user_name": "X", "date": 1}
    anna.say("telescope", forward_origin=origin)
    anna.waits_for("Какой текст")


def test_updates_of_no_kind_that_we_know(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody()
    shared.server.deliver(
        "channel_post", {"message_id": 5, "date": 1, "chat": {"id": -5, "type": "channel", "title": "c"}}
    )
    anna.send(new_chat_title="new")
    shared.server.deliver("message", {"message_id": 6, "date": 1, "chat": {"id": -6, "type": "group", "title": "g"}})
    ask_for_text(anna)
    assert len(anna.sees()) == 2


def test_two_dialogues_at_once_in_two_chats(somebody: Somebody, shared: RunningBot) -> None:
    anna = somebody()
    there = shared.server.person(anna.user_id, "ru", -200)
    ask_for_text(anna)
    there.say("/create")
    there.answers(there.waits_for("Что держит"), "laptop")
    question = there.waits_for("Какой текст")
    anna.say("PRIVATE")
    there.answers(question, "GROUP")
    anna.waits_for("бейдж готов")
    there.waits_for("бейдж готов")
    assert len(anna.badges()) == len(there.badges()) == 1


def test_double_presses_make_one_badge(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/badge slowly growing tree | A")
    badge = anna.waits_for("бейдж готов")
    notes = [anna.press(badge, "Ещё раз") for _ in range(3)]
    assert sorted(anna.toast(note) for note in notes) == ["Делаю!", "Уже делаю.", "Уже делаю."]
    anna.waits_for("бейдж готов", number=2)
    assert len(anna.sees()) == 2


@pytest.mark.parametrize(
    "data",
    ["again:999999", "again:-1", "again:1;DROP TABLE jobs", "style:{id}:../../etc", "x" * 64, "again", "hold:77",
     "cancel:{id}", "meant:1", "text:{id}:zzz"],
)  # fmt: skip
def test_forged_callback_data_does_nothing(somebody: Somebody, data: str) -> None:
    anna, eve = somebody(), somebody()
    anna.say("/badge cup | A")
    badge = anna.waits_for("бейдж готов")
    number = next(iter(badge.buttons().values())).split(":")[1]
    assert eve.toast(eve.press(badge, "", data.format(id=number)))
    assert not eve.sees()


def test_one_cannot_use_anothers_badge(somebody: Somebody) -> None:
    anna, eve = somebody(chat_id=-300), somebody(chat_id=-300)
    anna.say("/badge cup | A")
    badge = anna.waits_for("бейдж готов")
    for label in badge.buttons():
        assert "чужой" in eve.toast(eve.press(badge, label))
    assert len(anna.sees()) == 1


def test_the_same_update_twice_is_answered_once(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody()
    shared.server.faults.again = True
    ask_for_text(anna)
    anna.say("TWICE")
    anna.waits_for("бейдж готов")
    shared.server.faults.again = False
    anna.say("/help")
    anna.waits_for("Я делаю")
    assert len(anna.sees()) == 4
