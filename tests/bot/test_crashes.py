"""The process ends, as by kill -9, at every commit point in turn: no badge is lost, none is sent twice.

One state folder lives through all of it: the bot is started anew for each point, dies there in the middle of a
person's dialogue, and the next start must finish that badge before the next point is tried.
"""

from pathlib import Path

from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Person, TelegramServer

READY = "бейдж готов"
SETTINGS = {"bot__messages_per_second": "1000", "bot__badges_per_hour": "0", "bot__badges_per_day": "0"}


def talk(person: Person) -> None:
    """A whole dialogue, each answer as soon as its question is there, however often the bot dies meanwhile."""
    person.say("/create")
    person.waits_for("Что держит", seconds=60)
    person.say("telescope")
    person.waits_for("Какой текст", seconds=60)
    person.say("UX SCOUT")
    person.waits_for(READY, seconds=60)


def commit_points(server: TelegramServer, folder: Path) -> list[str]:
    """The commit points that a dialogue passes, in order, each once."""
    trace = folder / "trace.txt"
    with RunningBot(server, folder / "traced", "--trace", str(trace), **SETTINGS) as bot:
        folder.mkdir(exist_ok=True)
        anna = server.person(1000)
        talk(anna)
        anna.press(anna.badges()[0], "Файлом")
        server.wait(lambda: [m for m in anna.sees() if m.document], what="the file")
        bot.stop()
    return list(dict.fromkeys(trace.read_text().split("\n")[:-1]))


def test_dying_at_every_commit_point_loses_and_doubles_nothing(server: TelegramServer, folder: Path) -> None:
    folder.mkdir()
    points = [p for p in commit_points(server, folder) if not p.startswith(("recovered", "tidied", "intent"))]
    assert {
        "received:before",
        "answered:after",
        "sent:before",
        "claimed:after",
        "drawn:after",
        "delivered:before",
    } <= set(points)
    bot = RunningBot(server, folder / "crashed", **SETTINGS)
    for number, point in enumerate(points, start=1):
        anna = server.person(number)
        bot.start("--die-at", point)
        assert bot.process is not None
        anna.say("/create")
        died = None
        try:
            died = _talk_until_death(bot, anna, point)
        finally:
            bot.kill()
        assert died == -9, f"{point} was never reached"
        bot.start()
        _finish(anna)
        assert len(anna.badges()) == 1, point
        assert all(m.photo or not m.text.startswith("⏳") for m in anna.sees()[-1:]), point
        bot.kill()
    assert [len(server.person(n).badges()) for n in range(1, len(points) + 1)] == [1] * len(points)


def _talk_until_death(bot: RunningBot, person: Person, point: str) -> int | None:
    """Go on with the dialogue until the process is dead; its exit code."""
    assert bot.process is not None
    said = 0
    server = person.server

    def step() -> bool:
        nonlocal said
        seen = " ".join(m.text for m in person.sees())
        if said == 0 and "Что держит" in seen:
            person.say("telescope")
            said = 1
        elif said == 1 and "Какой текст" in seen:
            person.say("UX SCOUT")
            said = 2
        assert bot.process is not None
        return bot.process.poll() is not None

    server.wait(step, 60, f"the bot to die at {point}")
    person_said[person.user_id] = said
    return bot.process.returncode


person_said: dict[int, int] = {}


def _finish(person: Person) -> None:
    """After the restart: answer what is still asked, and wait for the badge."""
    said = person_said[person.user_id]
    if said == 0:
        person.waits_for("Что держит", seconds=60)
        person.say("telescope")
    if said <= 1:
        person.waits_for("Какой текст", seconds=60)
        person.say("UX SCOUT")
    person.waits_for(READY, seconds=60)


def test_a_file_whose_fate_is_unknown_is_not_sent_twice(server: TelegramServer, folder: Path) -> None:
    bot = RunningBot(server, folder, **SETTINGS)
    with bot:
        anna = server.person(1)
        talk(anna)
        bot.stop()
        server.faults.drop_answer = lambda method, fields: method == "sendDocument"
        bot.start()
        anna.press(anna.badges()[0], "Файлом")
        anna.waits_for("Меня прервали")
        assert len([m for m in anna.sees() if m.document]) == 1
