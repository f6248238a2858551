"""A person's first minutes with the bot: greeting, words without a command, doubtful words, languages, history."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from configs.settings import load_settings
from inference.translation.plausible import is_link, looks_like_words
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Person, TelegramServer

Somebody = Callable[..., Person]
READY = "бейдж готов"


def test_start_greets_once_with_an_example_that_is_uploaded_once(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder) as bot:
        anna, boris = server.person(1), server.person(2, "en")
        anna.say("/start")
        question = anna.waits_for("Что держит персонаж?")
        greeting = anna.waits_for("👋")
        assert greeting.photo
        assert greeting.id < question.id
        assert (question.photo, "катана" in question.buttons()) == ("", True)
        bot.stop()
        bot.start()
        boris.say("/start")
        boris.waits_for("What is the character holding?")
        assert boris.waits_for("👋 I make samurai badges").photo == greeting.photo
        anna.say("/start")
        anna.waits_for("Что держит персонаж?", number=2)
        assert len(anna.badges()) == 1
    assert len([call for call in server.calls if call.method == "sendPhoto" and call.uploaded]) == 1


def test_a_file_id_that_telegram_no_longer_knows_is_uploaded_again(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder):
        for number in (1, 2):
            person = server.person(number)
            person.say("/start")
            assert person.waits_for("👋").photo
            server.files.clear()


def test_the_owners_words_and_pictures(server: TelegramServer, folder: Path, tmp_path: Path) -> None:
    Image.new("RGB", (300, 300), "orange").save(tmp_path / "fox.png")
    config = tmp_path / "fox.toml"
    config.write_text('[bot.welcome]\nexamples = ["fox.png"]\n')
    welcome = load_settings(config).bot.welcome
    assert welcome.examples == (str(tmp_path / "fox.png"),)
    own = {"name": "fox badges", "name_ru": "лисьи бейджи", "sentence_ru": "Тяв!", "examples": welcome.examples}
    with RunningBot(server, folder, bot__welcome=json.dumps(own)):
        anna, bob = server.person(1), server.person(2, "en")
        anna.say("/start")
        assert server.files[anna.waits_for("Тяв!").photo] == (tmp_path / "fox.png").read_bytes()
        bob.say("/start")
        assert "I make fox badges" in bob.waits_for("👋").text
        anna.say("/help")
        anna.waits_for("Я делаю лисьи бейджи")


def test_no_greeting_in_groups(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody(chat_id=-300)
    anna.say("/start")
    anna.waits_for("Что держит")
    assert len(anna.sees()) == 1


def test_a_plain_word_in_private_is_an_object(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("телескоп")
    anna.waits_for("телескоп → telescope")
    anna.say("UX SCOUT")
    anna.waits_for(READY)


@pytest.mark.parametrize(
    "said", ["спасибо тебе большое за такой чудесный бейдж", "щфжъыв", "👍🏻", "https://example.org/x"]
)
def test_other_words_without_a_question_get_a_hint(somebody: Somebody, said: str) -> None:
    anna = somebody()
    anna.say(said)
    if said == "👍🏻":
        anna.waits_for("?")
    else:
        anna.waits_for("Чтобы сделать бейдж")


def test_english_is_echoed_where_there_is_something_to_see(somebody: Somebody) -> None:
    anna = somebody("en")
    anna.say("/create")
    anna.waits_for("holding")
    anna.say("telescope")
    assert anna.waits_for("What text").text == "What text goes on the banner?"
    anna.say("/create")
    anna.waits_for("holding", number=2)
    anna.say("a very  old red lamp")
    echo = anna.waits_for("What text", number=2)
    assert echo.text == "«a very old red lamp»\nWhat text goes on the banner?"
    anna.press(echo, "Not that")
    anna.waits_for("holding", number=3)


@pytest.mark.parametrize("said", ["asdfgh", "https://example.org/cat.png", "telescope\nand a sword\nUX SCOUT"])
def test_what_looks_like_no_thing_is_asked_again_and_drawn_anyway(somebody: Somebody, said: str) -> None:
    anna = somebody("en")
    anna.say("/create")
    anna.waits_for("holding")
    anna.say(said)
    doubt = anna.waits_for("does not look like a thing to hold")
    anna.press(doubt, "anyway")
    anna.waits_for("What text")
    anna.say("UX SCOUT")
    anna.waits_for("badge is ready")
    assert "closed" in anna.toast(anna.press(doubt, "anyway"))


def test_a_doubtful_object_may_be_replaced_and_its_text_is_kept(somebody: Somebody) -> None:
    anna = somebody("en")
    anna.say("/badge qwrtpsd | UX SCOUT")
    anna.waits_for("does not look like a thing to hold")
    anna.say("lamp")
    anna.waits_for("badge is ready")


def test_badge_asks_for_what_is_missing(somebody: Somebody) -> None:
    anna = somebody("en")
    anna.say("/badge | UX SCOUT")
    anna.waits_for("holding")
    anna.say("lamp")
    anna.waits_for("badge is ready")
    anna.say("/badge lamp ML NINJA")
    question = anna.waits_for("What text")
    anna.press(question, "ML NINJA")
    anna.waits_for("badge is ready", number=2)
    anna.say("/history")
    assert "lamp | UX SCOUT\n2. lamp | ML NINJA" in anna.waits_for("Your last badges").text
    anna.say("/badge flag of NASA")
    anna.waits_for("«flag of NASA»")


def test_language_is_chosen_and_kept(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody("de")
    anna.say("/language")
    choice = anna.waits_for("Which language")
    assert anna.toast(anna.press(choice, "Русский")) == "Теперь отвечаю по-русски."
    anna.say("/create")
    suggestion = anna.waits_for("Что держит")
    anna.press(suggestion, "катана")
    anna.say("UX")
    anna.waits_for(READY)
    assert anna.toast(anna.press(choice, "Telegram")) == "I answer in English now."
    anna.say("/create")
    anna.waits_for("What is the character holding?")
    assert "too old" in anna.toast(anna.press(choice, "", data="language:0:xx"))


def test_history_has_captions_and_buttons(somebody: Somebody) -> None:
    anna = somebody()
    for number, words in enumerate(("lamp | ONE", "cup | TWO"), start=1):
        anna.say(f"/badge {words}")
        anna.waits_for(READY, number=number)
        if number == 1:
            anna.say("/history")
            assert "Ещё раз" in str(anna.waits_for("lamp | ONE").buttons())
    anna.say("/history")
    listed = anna.waits_for("Твои последние бейджи")
    assert listed.text.endswith("1. lamp | ONE\n2. cup | TWO")
    assert [m.text for m in anna.badges()][-2:] == ["1. lamp | ONE", "2. cup | TWO"]
    anna.press(listed, "2")
    shown = anna.waits_for("cup | TWO", number=3)
    anna.press(shown, "Файлом")
    anna.server.wait(lambda: [m for m in anna.sees() if m.document], what="the file")


def test_a_badge_after_a_long_wait_rings_once(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__ring_after="0.5") as bot:
        anna = server.person(1)
        anna.say("/badge slowly turning globe | A")
        ring = anna.waits_for("твой бейдж выше")
        assert ring.reply_to == anna.badges()[0].id
        bot.stop()
        bot.start("--die-at", "delivered:after")
        anna.say("/badge slowly turning globe | B")
        assert bot.process is not None
        assert bot.process.wait(60) == -9
        bot.start()
        anna.waits_for("твой бейдж выше", number=2)
        bot.stop()
        assert len([m for m in anna.sees() if "выше" in m.text]) == 2


def test_a_quick_badge_does_not_ring(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/badge cup | A")
    anna.waits_for(READY)
    anna.say("/cancel")
    anna.waits_for("Отменять нечего")
    assert not [m for m in anna.sees() if "выше" in m.text]


def test_letters_at_random() -> None:
    for word in ("asdfgh", "qwerty", "qwrtpsd", "zxcvbn", "sdfsdf", "hjkl", "aksjdhf poiuy"):
        assert not looks_like_words(word), word
    for words in (
        "kubernetes",
        "tamagotchi",
        "MacBook",
        "UX",
        "HTTPS",
        "rubik cube",
        "zeppelin",
        "jazz",
        "xylophone",
        "侍",
    ):
        assert looks_like_words(words), words
    assert is_link("see www.example.org")
    assert is_link("example.com/x")
    assert not is_link("a cat. or two")
