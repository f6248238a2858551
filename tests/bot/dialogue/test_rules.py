"""Who may do what: limits per person and queue, the allow-list, and the admins' commands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bot.running import RunningBot
from tests.fakes.telegram_api import TelegramServer

READY = "бейдж готов"
FAST = {"bot__messages_per_second": "1000"}


def test_hour_limit_and_waiting_limit(server: TelegramServer, folder: Path) -> None:
    env = {"bot__badges_per_hour": "2", "bot__waiting_per_person": "1", "bot__admins": "[7]", **FAST}
    with RunningBot(server, folder, **env):
        anna, boss = server.person(1), server.person(7)
        for number in (1, 2):
            anna.say(f"/badge cup | {number}")
            anna.waits_for(READY, number=number)
        anna.say("/badge cup | 3")
        assert anna.waits_for("больше нельзя").text.startswith("За последний час у тебя уже 2 бейджа, больше нельзя.")
        boss.say("/pause")
        boss.waits_for("Пауза")
        boss.say("/badge cup | 1")
        boss.waits_for("на паузе")
        boss.say("/badge cup | 2")
        boss.waits_for("У тебя в очереди уже 1 бейдж.")
        assert len(anna.badges()) == 2


@pytest.fixture
def travel(folder: Path) -> Callable[[float], None]:
    """Set the bot's wall clock forward, by seconds."""
    folder.mkdir()
    return lambda seconds: (folder / "offset").write_text(str(seconds)) and None


def test_a_days_limit_holds_for_people_and_not_for_admins(
    server: TelegramServer, folder: Path, travel: Callable[[float], None]
) -> None:
    env = {"bot__badges_per_hour": "0", "bot__badges_per_day": "2", "bot__admins": "[7]", **FAST}
    with RunningBot(server, folder, "--wall-offset", str(folder / "offset"), **env):
        anna, boss = server.person(1), server.person(7)
        for number in (1, 2):
            anna.say(f"/badge cup | {number}")
            anna.waits_for(READY, number=number)
        for number in (1, 2, 3):
            boss.say(f"/badge cup | {number}")
            boss.waits_for(READY, number=number)
        travel(20 * 3600)
        anna.say("/badge cup | 3")
        refusal = "За последние сутки у тебя уже 2 бейджа, больше нельзя. Приходи через 4 ч."
        assert anna.waits_for("больше нельзя").text == refusal
        assert len(anna.badges()) == 2
        travel(24 * 3600 + 60)
        anna.say("/badge cup | 4")
        anna.waits_for(READY, number=3)


def test_a_chats_limit_is_the_chats_own(server: TelegramServer, folder: Path, travel: Callable[[float], None]) -> None:
    env = {"bot__badges_per_chat_hour": "2", "bot__admins": "[7]", **FAST}
    with RunningBot(server, folder, "--wall-offset", str(folder / "offset"), **env):
        anna, bob, boss = (server.person(user, "ru", -100) for user in (1, 2, 7))
        for number, person in enumerate((anna, bob), start=1):
            person.say(f"/badge cup | {number}")
            person.waits_for(READY, number=number)
        travel(50 * 60)
        refused = bob.say("/badge cup | 3")
        said = bob.waits_for("больше нельзя")
        assert said.text.startswith("В этом чате за последний час уже 2 бейджа, больше нельзя. Попробуй через 10 мин")
        assert said.reply_to == refused
        for number, place in enumerate((server.person(2), server.person(2, "ru", -200), boss)):
            place.say(f"/badge cup | {number}")
            place.waits_for(READY, number=3 if place is boss else 1)
        travel(3600 + 60)
        anna.say("/badge cup | 4")
        anna.waits_for(READY, number=4)


def test_a_full_queue_is_said_honestly_and_admins_rule(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__queue_limit="2", bot__admins="[7]", **FAST):
        boss = server.person(7)
        boss.say("/pause")
        boss.waits_for("Пауза")
        people = [server.person(number) for number in (1, 2, 3)]
        for person in people:
            person.say("/badge cup | A")
            person.waits_for("⏳" if person.user_id < 3 else "В очереди уже 2 бейджа, это примерно")
        boss.say("/stats")
        assert "Ждут: 2, рисуются: 0" in boss.waits_for("Ждут").text
        boss.say("/ban 2")
        boss.waits_for("Заблокирован: 2")
        people[1].say("/create")
        people[1].waits_for("для тебя закрыт")
        people[0].say("/resume")
        people[0].waits_for("Такой команды я не знаю")
        assert not people[0].badges()
        paused = people[0].waits_for("на паузе")
        assert "Перед тобой" not in paused.text
        boss.say("/resume")
        people[0].waits_for(READY)
        boss.say("/unban 2")
        boss.waits_for("Разблокирован")
        people[1].say("/badge cup | B")
        people[1].waits_for(READY)
        assert len(people[1].badges()) == 1
        server.wait(lambda: boss.say("/stats") and "отправлены 2" in boss.sees()[-1].text, what="both to be counted")
        assert "отменены 1" in boss.sees()[-1].text
        boss.say("/help")
        assert "Для админов: /stats /pause" in boss.waits_for("Я делаю").text
        people[0].say("/help")
        assert "Для админов" not in people[0].waits_for("Я делаю").text


@pytest.mark.parametrize("thing", ["no credit", "sixty steps"])
def test_what_only_the_operator_can_mend_is_said_so_and_told_to_admins_once(
    server: TelegramServer, folder: Path, thing: str
) -> None:
    with RunningBot(server, folder, bot__admins="[7]", **FAST):
        anna, boss = server.person(1), server.person(7)
        boss.say("/help")
        boss.waits_for("Я делаю")
        for number in (1, 2):
            anna.say(f"/badge {thing} {number} | A")
            failed = anna.waits_for("неполадка на моей стороне", number=number)
            assert list(failed.buttons()) == ["🔁 Попробовать ещё раз"]
        told = boss.waits_for("Не могу рисовать, пока это не исправлено: ")
        assert "credit" in told.text or "num_inference_steps" in told.text
        anna.say("/help")
        anna.waits_for("Я делаю")
        assert len(boss.sees()) == 2


def test_the_allow_list(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__users="[1]", bot__chats="[-5]", **FAST):
        friend, stranger, guest = server.person(1), server.person(2), server.person(2, "ru", -5)
        friend.say("/create")
        friend.waits_for("Что держит")
        stranger.say("/create")
        stranger.waits_for("для тебя закрыт")
        guest.say("/create")
        guest.waits_for("Что держит")
