"""Who may do what: limits per person and queue, the allow-list, and the admins' commands."""

from pathlib import Path

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
        assert "за последний час: 2" in anna.waits_for("больше пока нельзя").text
        boss.say("/pause")
        boss.waits_for("Пауза")
        boss.say("/badge cup | 1")
        boss.waits_for("на паузе")
        boss.say("/badge cup | 2")
        boss.waits_for("уже ждёт в очереди: 1")
        assert len(anna.badges()) == 2


def test_a_full_queue_is_said_honestly_and_admins_rule(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__queue_limit="2", bot__admins="[7]", **FAST):
        boss = server.person(7)
        boss.say("/pause")
        boss.waits_for("Пауза")
        people = [server.person(number) for number in (1, 2, 3)]
        for person in people:
            person.say("/badge cup | A")
            person.waits_for("⏳" if person.user_id < 3 else "В очереди уже 2, это примерно")
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


def test_the_allow_list(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__users="[1]", bot__chats="[-5]", **FAST):
        friend, stranger, guest = server.person(1), server.person(2), server.person(2, "ru", -5)
        friend.say("/create")
        friend.waits_for("Что держит")
        stranger.say("/create")
        stranger.waits_for("для тебя закрыт")
        guest.say("/create")
        guest.waits_for("Что держит")
