"""One update being answered: the transaction's connection, who speaks, and what is decided so far.

Handlers are plain functions of a `Turn`; what they decide (messages, jobs, cancellations) is stored in the same
transaction in which the update is marked as answered, and done by others after the commit.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.clock import Clock
from bot.dialogue.events import Event
from bot.store import outbox, people
from bot.store.jobs import Job
from bot.store.outbox import Button, Message, Outgoing
from bot.store.people import Dialogue, Place
from bot.texts import Texts, texts_for
from configs.sections.bot import BotSettings
from configs.sections.presets import PresetSettings

_MOST_UNSENT = 40
"""Messages that may wait for one person in one chat. A private chat takes about one a second (see `api.limiter`), so
more of them would arrive long after their question."""
_AGAIN_AFTER = 5.0
"""Seconds after which the same hint may be given again: to ten lines that were pasted at once, one hint is enough."""


@dataclass(frozen=True)
class Understood:
    """What was made of an object that a person typed: `english` goes into the prompt; "" is not understood.

    `near` are words that may have been meant, `alternatives` other readings of what was understood. A model with a
    vocabulary draws `partly` what was asked, has its things in `russian` too, or knows nothing of it: `undrawable`.
    """

    object: str
    english: str
    near: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    partly: bool = False
    russian: str = ""
    undrawable: bool = False
    doubtful: bool = False
    """Whether the words look like nothing that can be held: a link, several lines, letters at random."""
    plain: bool = False
    """Whether the words are one thing by its usual name, so that there is nothing to repeat."""

    def drawn(self, language: str) -> str:
        """What is drawn, in the words of a language as far as there are any; "" where the person's own say the same."""
        said = self.russian if self.russian and language == "ru" else self.english
        return "" if said.casefold() == self.object.casefold() else said

    def echo(self, language: str) -> str:
        """What was understood, to be repeated to the person; "" where that would only repeat a plain word."""
        drawn = self.drawn(language)
        if drawn:
            return f"{self.object} → {drawn}"
        return "" if self.plain or self.russian else f"«{self.object}»"


@dataclass(frozen=True)
class Context:
    """What all turns share: settings, clock, the styles on offer, and checks that need no store."""

    settings: BotSettings
    clock: Clock
    styles: tuple[str, ...]
    banners: Mapping[str, str]
    """The banner style of each preset, and of "", the settings' own character."""
    presets: Mapping[str, PresetSettings]
    check: Callable[[str, str, str], str]
    """(object, text, style) to the cleaned text; raises InvalidRequest where one of them cannot be used."""
    new_seed: Callable[[], int]
    parallel: int
    keeps_portraits: bool = True
    """Whether a portrait that was drawn before is found again, so that another banner on it costs next to nothing."""
    blocked: Callable[[str], bool] = lambda text: False


@dataclass
class Outcome:
    """What is to be done after the commit."""

    outgoing: list[Outgoing] = field(default_factory=list)
    canceled: list[int] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    """Jobs about which the last word may be said now."""
    toast: str = ""
    alert: bool = False
    queue_changed: bool = False
    log: str = ""
    erase: bool = False
    """Files of somebody who was forgotten are to be removed."""
    warning: str = ""
    """For the log, and at a higher level: what whoever runs the bot should see to."""


@dataclass
class Turn:
    """One event with everything a handler needs; `_` are the texts in the person's language.

    Of a press, `number` and `word` are what its data says after the verb (`style:17:plate`), and `job` is the badge 17
    where the route is one of a badge.
    """

    connection: sqlite3.Connection
    event: Event
    context: Context
    understood: Understood | None = None
    number: int | None = None
    word: str = ""
    job: Job | None = None
    preset: str | None = None
    """The character of this dialogue or badge, "" for the settings' own; None while that is open."""
    outcome: Outcome = field(default_factory=Outcome)
    telegram_language: str = field(init=False)
    _: Texts = field(init=False)

    def __post_init__(self) -> None:
        self.telegram_language = self.event.language
        self.event = in_own_language(self.connection, self.event)
        self._ = texts_for(self.event.language)

    @property
    def place(self) -> Place:
        """Where this dialogue goes on. Under a message that Telegram no longer shows, the badge knows its topic."""
        if not self.event.reachable and self.job is not None:
            return replace(self.event.place, thread_id=self.job.thread_id)
        return self.event.place

    @property
    def admin(self) -> bool:
        """Whether an admin speaks."""
        return self.place.user_id in self.context.settings.admins

    @property
    def badge(self) -> Job:
        """The badge whose button was pressed; only in handlers of such buttons."""
        if self.job is None:
            raise ValueError(f"{self.event.text!r} is no button of a badge")
        return self.job

    @property
    def now(self) -> float:
        """The wall clock."""
        return self.context.clock.wall()

    def say(self, text: str, *, buttons: tuple[tuple[Button, ...], ...] = (), placeholder: str = "") -> None:
        """Send a text to the chat; with a `placeholder` it is a question, whose answer a group's member is to reply."""
        force = placeholder if placeholder and not self.event.private else ""
        # The reply field is shown to whom the message replies to; a press is no message of theirs, so it names them.
        mention = (self.place.user_id, self.event.name) if force and self.event.kind == "press" else None
        question = bool(placeholder)
        self.send(
            Message("text", text, buttons=() if force else buttons, force_reply=force, mention=mention, asks=question)
        )

    def hint(self, text: str, **options: Any) -> None:
        """Say how things work; not again within seconds, however many messages come at once."""
        if people.hinted(self.connection, self.place, text, self.now, _AGAIN_AFTER):
            self.outcome.log = self.outcome.log or "hinted before"
            return
        self.say(text, **options)

    def send(self, message: Message, job_id: int = 0) -> None:
        """Put a message into the outbox: in groups as a reply to the person, in the same thread.

        Of equal ones few are kept waiting, and where very many wait only what a badge needs is added.
        """
        reply_to = message.reply_to or (0 if self.event.private else self.event.message_id)
        placed = replace(message, thread_id=self.place.thread_id, reply_to=reply_to)
        if not job_id and outbox.enough(self.connection, self.place.chat_id, self.place.user_id, placed, _MOST_UNSENT):
            self.outcome.log = "dropped: too many messages at once"
            return
        self.outcome.outgoing.append(
            outbox.put(self.connection, self.place.chat_id, self.place.user_id, placed, self.now, job_id)
        )

    def toast(self, text: str, alert: bool = False) -> None:
        """Answer a pressed button with a short note; with `alert` in a window that has to be closed."""
        self.outcome.toast, self.outcome.alert = text, alert

    def too_old(self) -> None:
        """The note for a button that means nothing any more."""
        self.toast(self._("This button is too old. Start over: /create"), alert=True)

    def ask(self, dialogue: Dialogue) -> None:
        """Open a question here, about the character of this turn."""
        people.ask(self.connection, self.place, replace(dialogue, preset=self.preset or ""), self.now)

    def dialogue(self) -> Dialogue | None:
        """The question that is open here."""
        return people.dialogue(self.connection, self.place)


def in_own_language(connection: sqlite3.Connection, event: Event) -> Event:
    """`event` with the language that its person chose, where they did."""
    chosen = people.chosen_language(connection, event.place.user_id)
    return replace(event, language=chosen) if chosen else event
