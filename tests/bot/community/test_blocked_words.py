"""Words that the owner refuses: in objects and texts, in every form, and nowhere else."""

from pathlib import Path

import pytest

from bot.community.blocked_words import blocked_by
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import TelegramServer

SHIPPED = {"en": "", "ru": ""}


@pytest.mark.parametrize("words", ["swastikas", "со свастикой", "NAZI FLAG", "голая статуя", "a Dildo!"])
def test_forms_of_listed_words_are_found(words: str) -> None:
    assert blocked_by(SHIPPED)(words)


@pytest.mark.parametrize("words", ["grape", "скульптура", "scunthorpe", "телескоп", "UX SCOUT", "", "🚀"])
def test_other_words_pass(words: str) -> None:
    assert not blocked_by(SHIPPED)(words)
    assert not blocked_by({})("swastika")


def test_the_bot_refuses_before_drawing_and_logs_no_word(server: TelegramServer, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("# ours\nананас\npineapple\n", encoding="utf-8")
    lists = '{"en": "' + str(tmp_path / "own.txt") + '"}'
    with RunningBot(server, folder, bot__blocked_words=lists) as bot:
        anna = server.person(1)
        anna.say("/create")
        anna.waits_for("Что держит")
        anna.say("с ананасом")
        anna.waits_for("Такое я рисовать не буду")
        anna.say("telescope")
        anna.waits_for("Какой текст")
        anna.say("PINEAPPLES")
        anna.waits_for("Такое я рисовать не буду", number=2)
        anna.say("UX SCOUT")
        anna.waits_for("бейдж готов")
        assert len(anna.badges()) == 1
        assert "refused: blocked words" in bot.said()
        assert "PINEAPPLES" not in bot.said()
