"""The dialogue with a model that draws only the things of its vocabulary."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Person, TelegramServer

_people = itertools.count(7000)


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBot]:
    """One bot for all tests here, with the demo's vocabulary and one suggestion that it does not have."""
    folder: Path = tmp_path_factory.mktemp("bot")
    env = {"bot__messages_per_second": "1000", "bot__waiting_per_person": "10"}
    env |= {"bot__suggestions": '["telescope", "lightsaber", "cup"]', "bot__suggestions_ru": '["меч", "бензопила"]'}
    with TelegramServer() as server, RunningBot(server, folder, "--profile", "demo", **env) as bot:
        yield bot


def person(bot: RunningBot, language: str = "ru", chat_id: int = 0) -> Person:
    return bot.server.person(next(_people), language, chat_id)


def test_suggestions_are_things_that_it_can_draw(bot: RunningBot) -> None:
    bob = person(bot, "en")
    bob.say("/create")
    offered = list(bob.waits_for("What is").buttons())
    assert offered[:2] == ["telescope", "cup"]
    assert len(offered) == 3
    assert "lightsaber" not in offered
    anna = person(bot)
    anna.say("/create")
    offered = list(anna.waits_for("Что держит").buttons())
    assert (offered[0], len(offered)) == ("меч", 2)
    assert "бензопила" not in offered


def test_the_nearest_things_are_offered_as_buttons(bot: RunningBot) -> None:
    anna = person(bot)
    anna.say("/create")
    anna.waits_for("Что держит")
    anna.say("зонтег")
    again = anna.waits_for("не умею")
    assert "зонт" in again.text
    assert "зонт" in again.buttons()
    anna.press(again, "зонт")
    assert anna.waits_for("Какой текст").text == "Какой текст на баннере?"
    anna.say("ТЕСТЕР")
    anna.waits_for("бейдж готов")
    anna.press(again, "зонт")  # its question was answered
    assert len(anna.badges()) == 1


def test_nothing_near_asks_with_examples(bot: RunningBot) -> None:
    bob = person(bot, "en")
    bob.say("/create")
    bob.waits_for("What is")
    bob.say("asdfgh")
    again = bob.waits_for("I cannot draw that")
    assert "telescope" in again.text
    bob.press(again, "cup")
    bob.waits_for("What text")


def test_what_is_known_in_part_is_told_and_can_be_changed(bot: RunningBot) -> None:
    anna = person(bot)
    anna.say("/create")
    anna.waits_for("Что держит")
    anna.say("большая красная кружка с ручкой в виде кота")
    told = anna.waits_for("Какой текст")
    assert told.text == "Смогу нарисовать только часть: красная кружка\nКакой текст на баннере?"
    anna.press(told, "Не то")
    anna.waits_for("Что держит", number=2)
    anna.say("красный зонт")
    assert anna.waits_for("Какой текст", number=2).text == "Какой текст на баннере?"


def test_a_badge_in_one_line_tells_it_too(bot: RunningBot) -> None:
    bob = person(bot, "en")
    bob.say("/badge a very big cup of coffee with cream | BARISTA")
    assert bob.waits_for("only draw part").text == "I can only draw part of that: coffee cup"
    bob.waits_for("badge is ready")
    bob.say("/badge lightsaber | JEDI")
    bob.waits_for("I cannot draw that")
    assert len(bob.badges()) == 1


def test_in_a_group_the_names_stand_in_the_text(bot: RunningBot) -> None:
    bob = person(bot, "en", -100700)
    bob.say("/badge umbrela | RAIN")
    assert "umbrella" in bob.waits_for("The closest things I can draw").text
