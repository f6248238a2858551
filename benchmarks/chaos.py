"""kill -9 at random moments while a community uses all of the bot: what is lost, what comes twice, and in which order.

    python -m benchmarks.chaos [--people 60] [--kills 200] [--seed 1]

Every person asks for badges one after the other, each with its own text, until the kills are over; of every third one
they ask for more like it and choose, every second one they put into the sticker pack. All of it is reviewed first and
shown in a gallery, and an admin gives awards. The bot is killed after a random while, one time in five while it still
starts, and started again at once. In the end everybody waits for what they asked for. Lost: what was asked for and
never came. Twice: two pictures, posts or stickers for one request. Out of order: a person's badges in another order
than asked for.
"""

import argparse
import os
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bot import COMMUNITY, GALLERY, GROUP, OWNER, READY, REVIEW, UNLIMITED, let_in, reply_to, wait_until
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Msg, Person, TelegramServer

_PRESS_AGAIN = 3.0
"""Seconds after which an impatient person presses a button once more."""


@dataclass
class Talker:
    """One person: asks, waits for the badge, asks again; presses the buttons under some of them."""

    person: Person
    asked: int = 0
    badges: list[int] = field(default_factory=list)
    stop: bool = False
    requests: dict[int, int] = field(default_factory=dict)
    more: set[int] = field(default_factory=set)
    """Badges of which more are asked for, by message id."""
    packed: set[int] = field(default_factory=set)

    def ask(self) -> None:
        """Ask for the next badge; its number is the message that the status message answers to."""
        self.asked += 1
        number = self.person.say(f"/badge telescope | {self.person.user_id} {self.asked}")
        self.requests[number] = self.asked

    def on_message(self, message: Msg) -> None:
        """A message of the bot was sent or edited."""
        number = self.requests.get(message.reply_to, 0)
        if not (number and message.photo and READY in message.text and message.photos == 1):
            return
        self.badges.append(number)
        if number % 3 == 1:
            self.more.add(message.id)
            self.person.press(message, "похожих")
        if number % 2 == 0:
            self.packed.add(message.id)
            self.person.press(message, "В набор")
        if number == self.asked and not self.stop:
            self.ask()

    def sheets(self) -> list[Msg]:
        """The pictures to choose from, and what they have become."""
        return [m for m in self.person.sees() if m.photo and m.reply_to in self.more]


class Community:
    """Everybody who talks to the bot, and what they have a right to."""

    def __init__(self, server: TelegramServer, people: int) -> None:
        self.server = server
        self.talkers = {number: Talker(server.person(number)) for number in range(1, people + 1)}
        self.boss = server.person(OWNER, chat_id=GROUP)
        self.reviewer, self.gallery = server.person(OWNER, chat_id=REVIEW), server.person(OWNER, chat_id=GALLERY)
        self.awards = 0
        self._pressed: dict[tuple[int, int], float] = {}
        server.listeners.append(self._on_message)

    def _on_message(self, message: Msg, how: str) -> None:
        if message.chat_id in self.talkers:
            self.talkers[message.chat_id].on_message(message)

    def award(self) -> None:
        """An admin gives somebody an award."""
        self.awards += 1
        to = self.talkers[1 + self.awards % len(self.talkers)].person
        self.boss.say(f"/award sword | AWARD {self.awards}", reply_to_message=reply_to(to))

    def press(self) -> None:
        """Approve what waits for a review and choose from what is offered, again where nothing came of it."""
        for message in self.reviewer.badges():
            self._press(self.reviewer, message, "approve:")
        for talker in self.talkers.values():
            for sheet in talker.sheets():
                self._press(talker.person, sheet, "choose:")

    def _press(self, person: Person, message: Msg, verb: str) -> None:
        """Press the first button with that verb, if there is one and it was not pressed just now."""
        data = next((data for data in message.buttons().values() if data.startswith(verb)), "")
        key, now = (message.chat_id, message.id), time.monotonic()
        if data and now > self._pressed.get(key, 0.0) + _PRESS_AGAIN:
            self._pressed[key] = now
            person.press(message, "", data=data)

    def served(self) -> bool:
        """Whether everybody has all that they asked for; presses what is to be pressed."""
        self.press()
        missing = self.lost()
        return not sum(missing.values())

    def lost(self) -> Counter[str]:
        """What has not come."""
        talkers = self.talkers.values()
        shown = Counter(m.text.partition("\n")[0] for m in self.gallery.badges())
        chosen = sum(READY in sheet.text for t in talkers for sheet in t.sheets())
        asked = sum(t.asked for t in talkers)
        return Counter(
            badges=sum(len(set(range(1, t.asked + 1)) - set(t.badges)) for t in talkers),
            choices=max(0, sum(len(t.more) for t in talkers) - chosen),
            awards=max(0, self.awards - len(self.boss.badges())),
            stickers=max(0, sum(len(t.packed) for t in talkers) - self._stickers()),
            posts=max(0, asked + chosen + self.awards - shown.total()),
        )

    def twice(self) -> Counter[str]:
        """What has come more than once."""
        talkers = self.talkers.values()
        shown = Counter(m.text.partition("\n")[0] for m in self.gallery.badges())
        wanted = Counter(f"telescope | {t.person.user_id} {n}" for t in talkers for n in range(1, t.asked + 1))
        for talker in talkers:
            for sheet in talker.sheets():
                number = next(talker.requests[m.reply_to] for m in talker.person.sees() if m.id == sheet.reply_to)
                wanted[f"telescope | {talker.person.user_id} {number}"] += 1
        wanted += Counter(f"sword | AWARD {n + 1}" for n in range(self.awards))
        return Counter(
            badges=sum(len(t.badges) - len(set(t.badges)) for t in talkers),
            choices=sum(len(t.sheets()) - len({sheet.reply_to for sheet in t.sheets()}) for t in talkers),
            awards=len(self.boss.badges()) - len({m.text for m in self.boss.badges()}),
            stickers=max(0, self._stickers() - sum(len(t.packed) for t in talkers)),
            posts=(shown - wanted).total(),
        )

    def _stickers(self) -> int:
        return sum(map(len, self.server.packs.sets.values()))

    def orphans(self) -> int:
        """Texts that were sent twice, of which one became the picture."""
        chats = [talker.person for talker in self.talkers.values()] + [self.boss, self.reviewer, self.gallery]
        texts = [m for person in chats for m in person.sees() if not m.photo]
        return sum(m.text.startswith("⏳") or m.chat_id in (REVIEW, GALLERY) for m in texts)


def run(people: int, kills: int, seed: int) -> list[str]:
    """Kill `kills` times; the findings as lines."""
    chance = random.Random(seed)
    settings = UNLIMITED | COMMUNITY | {"bot__waiting_per_person": "1000"}
    with tempfile.TemporaryDirectory() as folder, TelegramServer() as server:
        let_in(server)
        bot = RunningBot(server, Path(folder), "--seconds", "0.05", "--parallel", "2", **settings).start()
        community = Community(server, people)
        for talker in community.talkers.values():
            talker.ask()
        started = time.monotonic()
        for kill in range(kills):
            if chance.random() < 0.8:  # else it may die while it starts
                hello = server.count("getMe")
                wait_until(lambda before=hello: server.count("getMe") > before, 30)
            if kill % 4 == 0:
                community.award()
            end = time.monotonic() + chance.uniform(0.0, 3.0)
            while time.monotonic() < end:
                community.press()
                time.sleep(0.05)
            bot.kill()
            bot.start()
        for talker in community.talkers.values():
            talker.stop = True
        wait_until(community.served, 900)
        time.sleep(2)
        bot.stop()
        asked = sum(talker.asked for talker in community.talkers.values())
        lost, twice = community.lost(), community.twice()
        disorder = sum(t.badges != sorted(t.badges) for t in community.talkers.values())
        chosen = sum(len(t.more) for t in community.talkers.values())
        return [
            f"{kills} kills in {time.monotonic() - started:.0f} s, {people} people: {asked} badges, {chosen} choices,"
            f" {community.awards} awards and {sum(len(t.packed) for t in community.talkers.values())} stickers asked"
            " for, all of it reviewed and shown in the gallery",
            f"  lost {lost.total()}, twice {twice.total()}, people with badges out of order {disorder}",
            *([f"  lost: {dict(+lost)}, twice: {dict(+twice)}"] if lost.total() or twice.total() else []),
            f"  texts sent twice because the answer died with the process: {community.orphans()}",
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
