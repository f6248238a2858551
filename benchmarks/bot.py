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
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Msg, Person, TelegramServer
from tests.fakes.telegram_people import chat_of

UNLIMITED = {
    "bot__messages_per_second": "1000", "bot__queue_limit": "100000", "bot__waiting_per_person": "1000",
    "bot__badges_per_hour": "0", "bot__badges_per_day": "0", "bot__share_portraits": "false",
    "bot__log_level": "WARNING",
}  # fmt: skip
READY = "бейдж готов"
GROUP, REVIEW, GALLERY, OWNER = -50, -70, -80, 700
COMMUNITY = {
    "bot__admins": f"[{OWNER}]", "bot__sticker_owner": str(OWNER), "bot__review_chat": str(REVIEW),
    "bot__gallery_chat": str(GALLERY), "bot__tag_members": "true", "bot__choices": "2",
}  # fmt: skip
"""All that a community may switch on."""


@dataclass
class Crowd:
    """People who answer as soon as they are asked; how long each answer of the bot took, in seconds."""

    server: TelegramServer
    answers: list[float] = field(default_factory=list)
    badges: dict[int, float] = field(default_factory=dict)
    said_at: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server.listeners.append(self._on_message)

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
        if READY in message.text:
            self.badges[user] = now
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


def warmed_up(server: TelegramServer) -> None:
    """One person's badge, so that nothing measured is the start."""
    person = server.person(999_999)
    person.say("/badge telescope | A")
    person.waits_for(READY, seconds=120)


def crowd(people: int, rate: float) -> list[str]:
    """`people` come at `rate` a second and go through the whole dialogue."""
    with tempfile.TemporaryDirectory() as folder, TelegramServer() as server:  # noqa: SIM117 - the bot needs both
        with RunningBot(server, Path(folder), **UNLIMITED) as bot:
            warmed_up(server)
            assert bot.process is not None
            process = psutil.Process(bot.process.pid)
            everybody, calls, cpu = Crowd(server), len(server.calls), sum(process.cpu_times()[:2])
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
                f"{people} people, {rate:.0f} a second, drawing at once, badges of 256 px",
                f"  answers to messages: {len(answers)}, median {1000 * statistics.median(answers):.0f} ms,"
                f" p99 {1000 * answers[int(0.99 * len(answers))]:.0f} ms",
                f"  badges {len(everybody.badges)}, stuck {people - len(everybody.badges)}, done after {took:.1f} s",
                f"  calls a badge {(len(server.calls) - calls) / made:.2f}, CPU a badge {1000 * cpu / made:.0f} ms",
            ]


def calls_a_badge(people: int, seconds: float) -> list[str]:
    """Calls of the Bot API a badge when drawing takes `seconds`."""
    with tempfile.TemporaryDirectory() as folder, TelegramServer() as server:  # noqa: SIM117 - the bot needs both
        with RunningBot(server, Path(folder), "--seconds", str(seconds), "--steps", "30", **UNLIMITED):
            warmed_up(server)
            everybody, counts = Crowd(server), list[int]()
            for number in range(people):
                before = len(server.calls)
                everybody.come(number + 1)
                wait_until(lambda n=number: len(everybody.badges) > n, 60)
                counts.append(len(server.calls) - before)
            return [f"drawing takes {seconds:.0f} s: calls a badge {statistics.mean(counts):.1f} (most {max(counts)})"]


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
            for number in range(100):
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
    for part in (lambda: crowd(options.people, options.rate), lambda: calls_a_badge(5, 3.0), fairness):
        print("\n".join(part()), flush=True)


if __name__ == "__main__":
    main()
