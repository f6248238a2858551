"""The process ends, as by kill -9, at every commit point in turn: no badge is lost, none is sent twice.

One state folder lives through all of it: at each start a person more begins to talk and the bot dies at the next
point, whoever brings it there; the last start finishes everybody's badge.
"""

from pathlib import Path

from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Person, TelegramServer

READY = "бейдж готов"
SETTINGS = {"bot__messages_per_second": "1000", "bot__badges_per_hour": "0", "bot__badges_per_day": "0"}


def talk(person: Person) -> None:
    """A whole dialogue, each answer as soon as its question is there, however often the bot dies meanwhile."""
    person.say("/create")
    person.waits_for("Что держит", seconds=180)
    person.say("telescope")
    person.waits_for("Какой текст", seconds=180)
    person.say("UX SCOUT")
    person.waits_for(READY, seconds=180)


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


class Talker:
    """A person who answers each question as soon as it is there, however often the bot dies meanwhile."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.answers = {"Что держит": "telescope", "Какой текст": "UX SCOUT"}
        person.say("/create")

    def go_on(self) -> None:
        """Answer if there is something to answer."""
        seen = " ".join(message.text for message in self.person.sees())
        for question in [question for question in self.answers if question in seen]:
            self.person.say(self.answers.pop(question))


def test_dying_at_every_commit_point_loses_and_doubles_nothing(server: TelegramServer, folder: Path) -> None:
    folder.mkdir()
    skipped = ("recovered", "tidied", "intent")
    points = [point for point in commit_points(server, folder) if not point.startswith(skipped)]
    known = {"received:before", "answered:after", "sent:before", "claimed:after", "drawn:after", "delivered:before"}
    assert known <= set(points)
    bot = RunningBot(server, folder / "crashed", **SETTINGS)
    people: list[Talker] = []

    def all_go_on() -> None:
        for talker in people:
            talker.go_on()

    for number, point in enumerate(points, start=1):
        people.append(Talker(server.person(number)))
        bot.start("--die-at", point)
        process = bot.process
        assert process is not None
        server.wait(lambda p=process: all_go_on() or p.poll() is not None, 180, f"the bot to die at {point}")
        assert process.returncode == -9, bot.said()
    with bot:
        everybody = [talker.person for talker in people]
        server.wait(lambda: all_go_on() or all(person.badges() for person in everybody), 180, "everybody's badge")
        bot.stop()
    assert [len(person.badges()) for person in everybody] == [1] * len(points)


def test_dying_between_intent_and_file_asks_the_person(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **SETTINGS) as bot:
        anna = server.person(1)
        talk(anna)
        bot.stop()
        bot.start("--die-at", "intent:after")
        anna.press(anna.badges()[0], "Файлом")
        assert bot.process is not None
        assert bot.process.wait(60) == -9
        bot.start()
        anna.waits_for("Меня прервали")
        anna.press(anna.badges()[0], "Файлом")
        server.wait(lambda: [m for m in anna.sees() if m.document], what="the file")
        assert len([m for m in anna.sees() if m.document]) == 1


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
