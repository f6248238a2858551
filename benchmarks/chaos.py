"""kill -9 at random moments while people talk: what is lost, what comes twice, and in which order.

    python -m benchmarks.chaos [--people 60] [--kills 200] [--seed 1]

Every person asks for badges one after the other, each with its own text, until the kills are over. The bot is killed
after a random while, one time in five while it still starts, and started again at once. In the end everybody waits
for what they asked for. Lost: a badge asked for that never came. Twice: two photos for one request. Out of order: a
person's badges in another order than asked for.
"""

import argparse
import os
import random
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bot import READY, UNLIMITED, wait_until
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Msg, Person, TelegramServer


@dataclass
class Talker:
    """One person: asks, waits for the badge, asks again."""

    person: Person
    asked: int = 0
    badges: list[int] = field(default_factory=list)
    stop: bool = False
    requests: dict[int, int] = field(default_factory=dict)

    def ask(self) -> None:
        """Ask for the next badge; its number is the message that the status message answers to."""
        self.asked += 1
        number = self.person.say(f"/badge telescope | {self.asked}")
        self.requests[number] = self.asked

    def on_message(self, message: Msg) -> None:
        """A message of the bot was sent or edited."""
        if message.photo and READY in message.text and message.photos == 1:
            number = self.requests.get(message.reply_to, 0)
            self.badges.append(number)
            if number == self.asked and not self.stop:
                self.ask()


def run(people: int, kills: int, seed: int) -> list[str]:
    """Kill `kills` times; the findings as lines."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, TelegramServer() as server:
        bot = RunningBot(server, Path(folder), "--seconds", "0.05", "--parallel", "2", **UNLIMITED).start()
        talkers = {number: Talker(server.person(number)) for number in range(1, people + 1)}
        server.listeners.append(lambda message, how: talkers[message.chat_id].on_message(message))
        for talker in talkers.values():
            talker.ask()
        started = time.monotonic()
        for _ in range(kills):
            if chance.random() < 0.8:  # else it may die while it starts
                hello = server.count("getMe")
                wait_until(lambda before=hello: server.count("getMe") > before, 30)
            time.sleep(chance.uniform(0.0, 3.0))
            bot.kill()
            bot.start()
        for talker in talkers.values():
            talker.stop = True
        wait_until(lambda: all(t.badges and set(t.badges) >= set(range(1, t.asked + 1)) for t in talkers.values()), 600)
        time.sleep(2)
        bot.stop()
        asked = sum(talker.asked for talker in talkers.values())
        lost = sum(len(set(range(1, t.asked + 1)) - set(t.badges)) for t in talkers.values())
        twice = sum(len(t.badges) - len(set(t.badges)) for t in talkers.values())
        disorder = sum(t.badges != sorted(t.badges) for t in talkers.values())
        left = sum(m.text.startswith("⏳") for talker in talkers.values() for m in talker.person.sees())
        return [
            f"{kills} kills in {time.monotonic() - started:.0f} s, {people} people, {asked} badges asked for",
            f"  lost {lost}, twice {twice}, people with badges out of order {disorder}",
            f"  status messages sent twice because the answer died with the process: {left}",
        ]


def main() -> None:
    """Kill, count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"cores for this process {len(os.sched_getaffinity(0))}, load before {os.getloadavg()[0]:.1f}")
    print("\n".join(run(options.people, options.kills, options.seed)))


if __name__ == "__main__":
    main()
