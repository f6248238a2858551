"""The status of a badge under way: both stages, few calls, and edits that keep their distance."""

from pathlib import Path

import pytest

from tests.bot.dialogue.parts import READY, Somebody, make_badge
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import TelegramServer


def test_a_quick_drawing_shows_both_stages_in_three_calls(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, "--seconds", "1.5", "--steps", "15", "--parallel", "2"):
        for person in (server.person(1), server.person(1, chat_id=-1)):
            person.say("/badge cup | A")
            badge = person.waits_for("бейдж готов")
            assert badge.versions == ["⏳ Генерирую... (1/2)", "⏳ Добавляю текст... (2/2)", READY]
            calls = [call.method for call in server.calls if call.chat_id == person.chat_id]
            assert calls == ["sendMessage", "editMessageText", "editMessageMedia"]


def test_those_whose_turn_comes_soon_are_told_of_no_place_and_no_beginning(
    server: TelegramServer, folder: Path
) -> None:
    quick = {"bot__edit_seconds": "4", "bot__messages_per_second": "1000", "bot__share_portraits": "false"}
    with RunningBot(server, folder, "--seconds", "0.5", **quick):
        make_badge(server.person(1))  # from which it is known how long a badge takes
        people = [server.person(number) for number in range(2, 14)]
        for person in people:
            person.say("/badge telescope | UX SCOUT")
        for person in people:
            versions = person.waits_for("бейдж готов").versions
            assert sum("(1/2)" in text for text in versions) == 1, versions


@pytest.mark.parametrize(("chat_id", "seconds"), [(0, 0.2), (-400, 0.6)], ids=["private", "group"])
def test_edits_keep_their_distance(shared: RunningBot, somebody: Somebody, chat_id: int, seconds: float) -> None:
    anna = somebody(chat_id=chat_id)
    anna.say("/badge slowly turning globe | A")
    anna.waits_for("бейдж готов")
    calls = [c for c in shared.server.calls if c.chat_id == anna.chat_id]
    edits = [c.at for c in calls if c.method in ("sendMessage", "editMessageText")]
    assert len(edits) >= 3
    assert (edits[-1] - edits[0]) / (len(edits) - 1) > 0.9 * seconds
