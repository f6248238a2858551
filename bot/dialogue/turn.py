"""One update being answered: the transaction's connection, who speaks, and what is decided so far.

Handlers are plain functions of a `Turn`; what they decide (messages, jobs, cancellations) is stored in the same
transaction in which the update is marked as answered, and done by others after the commit.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.clock import Clock
from bot.dialogue.events import Event
from bot.store import outbox, people
from bot.store.outbox import Button, Letter, Message
from bot.store.people import Dialogue, Place
from bot.texts import Texts, texts_for
from configs.sections.bot import BotSettings


@dataclass(frozen=True)
class Understood:
    """What was made of an object that a person typed: `english` goes into the prompt; "" is not understood.

    `near` are words that may have been meant, `alternatives` other readings of what was understood.
    """

    object: str
    english: str
    near: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()

    @property
    def translated(self) -> bool:
        """Whether the person should be shown what was understood."""
        return bool(self.english) and self.english.casefold() != self.object.casefold()


@dataclass(frozen=True)
class House:
    """What all turns share: settings, clock, the styles on offer, and checks that need no store."""

    settings: BotSettings
    clock: Clock
    styles: tuple[str, ...]
    default_style: str
    check: Callable[[str, str, str], str]
    """(object, text, style) to the cleaned text; raises InvalidRequest where one of them cannot be used."""
    new_seed: Callable[[], int]
    parallel: int


@dataclass
class Outcome:
    """What is to be done after the commit."""

    letters: list[Letter] = field(default_factory=list)
    canceled: list[int] = field(default_factory=list)
    toast: str = ""
    alert: bool = False
    queue_changed: bool = False
    log: str = ""
    left: bool = False


@dataclass
class Turn:
    """One event with everything a handler needs; `_` are the texts in the person's language."""

    connection: sqlite3.Connection
    event: Event
    house: House
    understood: Understood | None = None
    outcome: Outcome = field(default_factory=Outcome)
    _: Texts = field(init=False)

    def __post_init__(self) -> None:
        self._ = texts_for(self.event.language)

    @property
    def place(self) -> Place:
        """Where this dialogue goes on."""
        return self.event.place

    @property
    def now(self) -> float:
        """The wall clock."""
        return self.house.clock.wall()

    def say(self, text: str, *, buttons: tuple[tuple[Button, ...], ...] = (), answer: str = "") -> None:
        """Send a text to the chat; `answer` is the placeholder where, in a group, the person should answer to it."""
        force = answer if answer and not self.event.private else ""
        self.send(Message("text", text, buttons=() if force else buttons, force_reply=force))

    def send(self, message: Message, job_id: int = 0) -> None:
        """Put a message into the outbox: in groups as a reply to the person, in the same thread."""
        reply_to = message.reply_to or (0 if self.event.private else self.event.message_id)
        placed = replace(message, thread_id=self.place.thread_id, reply_to=reply_to)
        self.outcome.letters.append(
            outbox.put(self.connection, self.place.chat_id, self.place.user_id, placed, self.now, job_id)
        )

    def toast(self, text: str, alert: bool = False) -> None:
        """Answer a pressed button with a short note; with `alert` in a window that has to be closed."""
        self.outcome.toast, self.outcome.alert = text, alert

    def ask(self, dialogue: Dialogue) -> None:
        """Open a question here."""
        people.ask(self.connection, self.place, dialogue, self.now)

    def dialogue(self) -> Dialogue | None:
        """The question that is open here."""
        return people.dialogue(self.connection, self.place)
