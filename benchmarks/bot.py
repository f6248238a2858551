"""How the bot holds up: 1,000 people at once, calls and CPU a badge, and one person with 100 jobs beside nine with one.

    python -m benchmarks.bot [--people 1000] [--rate 50]

The real bot runs as a process of its own against a Bot API server on loopback, with a generator that draws a plain
picture at once; banners, JPEGs, the store and HTTP are the real ones. The server and the people live in this
process, on the same cores. The 30 messages a second that Telegram allows are lifted, since here the bot is measured.
An answer's time runs from the moment the server has the person's message to the moment it has the bot's answer.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Msg, Person, Seen, TelegramServer
from tests.fakes.telegram_people import chat_of

UNLIMITED = {
    "bot__messages_per_second": "1000", "bot__queue_limit": "100000", "bot__waiting_per_person": "1000",
    "bot__badges_per_hour": "0", "bot__badges_per_day": "0", "bot__share_portraits": "false",
    "bot__log_level": "WARNING",
}  # fmt: skip
READY = "бейдж готов"
GROUP, REVIEW, GALLERY, OWNER = -50, -70, -80, 700
_PLACES = {REVIEW: " in the review", GALLERY: " in the gallery"}
FIRST = 999_999
"""Whose badge is not measured."""
COMMUNITY = {
    "bot__admins": f"[{OWNER}]", "bot__sticker_owner": str(OWNER), "bot__review_chat": str(REVIEW),
    "bot__gallery_chat": str(GALLERY), "bot__tag_members": "true", "bot__choices": "2",
    "bot__members_of": f"[{GROUP}]", "bot__ask_admins": "true",
}  # fmt: skip
"""All that a community may switch on."""
CHARACTERS = {
    "presets": '{"samurai": {"title_ru": "Самурай"}, "fox": {"base": "fox badge, holding {object}", "banner": "arc"}}'
}


def let_in(server: TelegramServer) -> None:
    """Make everybody a member of the group whose members may use the bot."""
    server.members[GROUP] = {FIRST, *range(1, 100_000)}


@dataclass
class Crowd:
    """People who answer as soon as they are asked, and an admin who approves; how long each answer took, in seconds."""

    server: TelegramServer
    done: str = READY
    answers: list[float] = field(default_factory=list)
    badges: dict[int, float] = field(default_factory=dict)
    said_at: dict[int, float] = field(default_factory=dict)
    approved: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        let_in(self.server)
        self.server.listeners.append(self._on_message)

    def warm_up(self) -> None:
        """One person's badge, so that nothing measured is the start."""
        self.come(FIRST)
        wait_until(lambda: bool(self.badges), 120)
        self.badges.clear()
        self.answers.clear()

    def come(self, user_id: int) -> None:
        """One more person begins."""
        self._say(user_id, "/create")

    def _say(self, user_id: int, text: str) -> None:
        self.said_at[user_id] = time.monotonic()
        Person(self.server, user_id, "ru", user_id, 0).say(text)

    def _on_message(self, message: Msg, how: str) -> None:
        user, now = message.chat_id, time.monotonic()
        if how == "new" and user in self.said_at:
            self.answers.append(now - self.said_at.pop(user))
        if self.done in message.text:
            self.badges[user] = now
        elif user == REVIEW:
            approve = next((data for data in message.buttons().values() if data.startswith("approve:")), "")
            if approve and message.photo and message.id not in self.approved:
                self.approved.add(message.id)
                Person(self.server, OWNER, "ru", REVIEW, 0).press(message, "", data=approve)
        elif how == "new" and "Какой персонаж" in message.text:
            self.said_at[user] = time.monotonic()
            Person(self.server, user, "ru", user, 0).press(message, "fox" if user % 2 else "Самурай")
        elif how == "new" and "Что держит" in message.text:
            self._say(user, "telescope")
        elif how == "new" and "Какой текст" in message.text:
            self._say(user, "UX SCOUT")


def reply_to(person: Person) -> dict[str, object]:
    """A message of `person` in the group, as the one that somebody replies to."""
    user = {"id": person.user_id, "is_bot": False, "first_name": "Person"}
    return {"message_id": 1, "date": 1, "chat": chat_of(GROUP), "from": user, "text": "done"}


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    """Poll `done()` for so many seconds at most."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.1)


def crowd(people: int, rate: float, what: str = "", done: str = READY, **settings: str) -> list[str]:
    """`people` come at `rate` a second and go through the whole dialogue, until each badge's message says `done`."""
    with tempfile.TemporaryDirectory() as folder, TelegramServer() as server:  # noqa: SIM117 - the bot needs both
        with RunningBot(server, Path(folder), **UNLIMITED, **settings) as bot:
            everybody = Crowd(server, done)
            everybody.warm_up()
            assert bot.process is not None
            process = psutil.Process(bot.process.pid)
            calls, cpu = len(server.calls), sum(process.cpu_times()[:2])
            started = time.monotonic()
            for number in range(people):
                everybody.come(number + 1)
                time.sleep(max(0.0, started + (number + 1) / rate - time.monotonic()))
            wait_until(lambda: len(everybody.badges) >= people, 600)
            took = time.monotonic() - started
            cpu = sum(process.cpu_times()[:2]) - cpu
            answers = sorted(everybody.answers)
            made = max(1, len(everybody.badges))
            return [
                f"{people} people, {rate:.0f} a second, drawing at once, badges of 256 px{what}",
                f"  answers to messages: {len(answers)}, median {1000 * statistics.median(answers):.0f} ms,"
                f" p99 {1000 * answers[int(0.99 * len(answers))]:.0f} ms",
                f"  badges {len(everybody.badges)}, stuck {people - len(everybody.badges)}, done after {took:.1f} s",
                f"  calls a badge {(len(server.calls) - calls) / made:.2f}, CPU a badge {1000 * cpu / made:.0f} ms",
            ]


def community(people: int, rate: float) -> list[str]:
    """The same with all of a community on, until the badge waits for its review.

    Then it waits for Telegram: a group takes 20 messages a minute, which the bot keeps to.
    """
    return crowd(people, rate, ", everything of a community on", "Бейдж нарисован", **COMMUNITY, **CHARACTERS)


def calls_a_badge(people: int, seconds: float, what: str = "", **settings: str) -> list[str]:
    """Calls of the Bot API a badge when drawing takes `seconds`; those of the last person one by one."""
    with tempfile.TemporaryDirectory() as folder, TelegramServer() as server:  # noqa: SIM117 - the bot needs both
        with RunningBot(server, Path(folder), "--seconds", str(seconds), "--steps", "30", **UNLIMITED, **settings):
            everybody, counts, calls = Crowd(server), list[int](), list[Seen]()
            everybody.warm_up()
            for number in range(people):
                before = len(server.calls)
                everybody.come(number + 1)
                wait_until(lambda n=number: len(everybody.badges) > n, 60)
                time.sleep(1.0)  # what the gallery is shown comes after the badge
                calls = server.calls[before:]
                counts.append(len(calls))
            one_by_one = Counter(f"{call.method}{_PLACES.get(call.chat_id, '')}" for call in calls)
            return [
                f"drawing takes {seconds:.0f} s{what}: calls a badge {statistics.mean(counts):.1f}, most {max(counts)}",
                "  " + ", ".join(f"{count} {call}" for call, count in one_by_one.items()),
            ]


def fairness() -> list[str]:
    """One person with 100 jobs, then nine with one each: when the nine are served."""
    with tempfile.TemporaryDirectory() as folder, TelegramServer() as server:  # noqa: SIM117 - the bot needs both
        with RunningBot(server, Path(folder), bot__admins="[1]", **UNLIMITED):
            served: list[int] = []
            server.listeners.append(
                lambda m, how: served.append(m.chat_id) if READY in m.text and how == "edit" else None
            )
            hog, nine = server.person(1), [server.person(number) for number in range(2, 11)]
            hog.say("/pause")
            hog.waits_for("Пауза")
            for number in range(100):  # of somebody who writes faster than is answered, messages are dropped
                server.wait(lambda n=number: server.count("sendMessage") > n - 30, 300, "the answers to the hog")
                hog.say(f"/badge cup | {number}")
            server.wait(lambda: server.count("sendMessage") >= 101, 300, "the hog's jobs")
            for person in nine:
                person.say("/badge cup | ONE")
            server.wait(lambda: server.count("sendMessage") >= 110, 300, "everybody's jobs")
            hog.say("/resume")
            wait_until(lambda: len(served) >= 109, 300)
            last = max((served.index(n) + 1 for n in range(2, 11) if n in served), default=0)
            return [
                f"100 jobs of one person, then one each of nine: those are within the first {last} of {len(served)}"
            ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50.0, help="people who begin a second")
    options = parser.parse_args()
    print(f"cores for this process {len(os.sched_getaffinity(0))}, load before {os.getloadavg()[0]:.1f}")
    people, rate = options.people, options.rate
    on = {**COMMUNITY, **CHARACTERS}
    parts = (
        lambda: crowd(people, rate), lambda: community(people, rate), lambda: calls_a_badge(5, 3.0),
        lambda: calls_a_badge(5, 3.0, ", all of a community on", **on),
        lambda: calls_a_badge(5, 3.0, ", without review", **on | {"bot__review_chat": "0"}),
        lambda: calls_a_badge(5, 3.0, ", without review, one character", **COMMUNITY | {"bot__review_chat": "0"}),
        fairness,
    )  # fmt: skip
    for part in parts:
        print("\n".join(part()), flush=True)


if __name__ == "__main__":
    main()
