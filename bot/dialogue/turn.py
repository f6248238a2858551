"""One update being answered: the transaction's connection, the event, and what has been decided so far.

Handlers are plain functions of a `Turn`. What they decide (messages, jobs, cancellations) is stored in the transaction
that marks the update as answered, and carried out by sender and workers after the commit.
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
"""Unsent messages for one person in one chat, chosen by hand: at Telegram's pace of one a second in a private chat (see
`api.limiter`) the last one arrives 40 s late, and more would only come later."""
_AGAIN_AFTER = 5.0
"""Seconds until the same hint may be sent again, chosen by hand: ten lines pasted at once need one hint."""


@dataclass(frozen=True)
class Understood:
    """The object that a person typed, translated: `english` goes into the prompt; "" if it was not understood.

    `near` are similar words, `alternatives` other meanings. For a model with a vocabulary: `partly` if it can draw only
    part of the object, `undrawable` if none of it, and `russian` is the vocabulary's Russian word.
    """

    object: str
    english: str
    near: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    partly: bool = False
    russian: str = ""
    undrawable: bool = False
    doubtful: bool = False
    """Whether the text does not look like an object: a link, several lines, random letters."""
    plain: bool = False
    """Whether the text is the usual name of one object, so that it need not be repeated."""

    def drawn(self, language: str) -> str:
        """What is drawn, in Russian if known for `ru`, else in English; "" if it equals what the person typed."""
        said = self.russian if self.russian and language == "ru" else self.english
        return "" if said.casefold() == self.object.casefold() else said

    def echo(self, language: str) -> str:
        """What was understood, to be shown to the person; "" if that would only repeat a plain word."""
        drawn = self.drawn(language)
        if drawn:
            return f"{self.object} → {drawn}"
        return "" if self.plain or self.russian else f"«{self.object}»"


@dataclass(frozen=True)
class Context:
    """What all turns share: settings, clock, styles, presets, and checks that need no database."""

    settings: BotSettings
    clock: Clock
    styles: tuple[str, ...]
    banners: Mapping[str, str]
    """The banner style of each preset; of "", that of the main settings."""
    presets: Mapping[str, PresetSettings]
    check: Callable[[str, str, str], str]
    """(object, text, style) to the cleaned text; raises InvalidRequest if one of them cannot be used."""
    new_seed: Callable[[], int]
    parallel: int
    keeps_portraits: bool = True
    """Whether portraits are cached, so that another banner on one needs no drawing."""
    blocked: Callable[[str], bool] = lambda text: False


@dataclass
class Outcome:
    """What to do after the commit."""

    outgoing: list[Outgoing] = field(default_factory=list)
    canceled: list[int] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    """Jobs whose result may be delivered now."""
    toast: str = ""
    alert: bool = False
    queue_changed: bool = False
    log: str = ""
    erase: bool = False
    """Whether to remove the files of a person who used /forget."""
    warning: str = ""
    """Logged as a warning, for the operator."""


@dataclass
class Turn:
    """One event with everything a handler needs; `_` are the texts in the person's language.

    For a press, `number` and `word` are the callback data after the verb (`style:17:plate`), and `job` is job 17 if the
    route is `of_badge`.
    """

    connection: sqlite3.Connection
    event: Event
    context: Context
    understood: Understood | None = None
    number: int | None = None
    word: str = ""
    job: Job | None = None
    preset: str | None = None
    """The preset of this dialogue or badge, "" for the main settings; None while it is not chosen."""
    outcome: Outcome = field(default_factory=Outcome)
    telegram_language: str = field(init=False)
    _: Texts = field(init=False)

    def __post_init__(self) -> None:
        self.telegram_language = self.event.language
        self.event = in_own_language(self.connection, self.event)
        self._ = texts_for(self.event.language)

    @property
    def place(self) -> Place:
        """The chat, topic and person of this dialogue; for an inaccessible message the topic comes from the job."""
        if not self.event.reachable and self.job is not None:
            return replace(self.event.place, thread_id=self.job.thread_id)
        return self.event.place

    @property
    def admin(self) -> bool:
        return self.place.user_id in self.context.settings.admins

    @property
    def badge(self) -> Job:
        """The job whose button was pressed; only in handlers of routes `of_badge`."""
        if self.job is None:
            raise ValueError(f"{self.event.text!r} is not a button under a badge")
        return self.job

    @property
    def now(self) -> float:
        return self.context.clock.wall()

    def say(self, text: str, *, buttons: tuple[tuple[Button, ...], ...] = (), placeholder: str = "") -> None:
        """Send a text to the chat. With a `placeholder` it is a question, in groups with ForceReply."""
        force = placeholder if placeholder and not self.event.private else ""
        # A selective ForceReply is shown to the author of the replied message; after a press it has to mention them.
        mention = (self.place.user_id, self.event.name) if force and self.event.kind == "press" else None
        question = bool(placeholder)
        self.send(
            Message("text", text, buttons=() if force else buttons, force_reply=force, mention=mention, asks=question)
        )

    def hint(self, text: str, **options: Any) -> None:
        """Explain how to use the bot; the same text not again within seconds, however many messages arrive."""
        if people.hinted(self.connection, self.place, text, self.now, _AGAIN_AFTER):
            self.outcome.log = self.outcome.log or "hinted before"
            return
        self.say(text, **options)

    def send(self, message: Message, job_id: int = 0) -> None:
        """Put a message into the outbox: in groups as a reply to the person, in the same topic.

        Dropped if equal messages wait already, or very many; messages of a job are always added.
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
        """Answer the callback query with a short notification, or with an `alert` that has to be closed."""
        self.outcome.toast, self.outcome.alert = text, alert

    def too_old(self) -> None:
        """The alert for a button that is no longer valid."""
        self.toast(self._("This button is too old. Start over: /create"), alert=True)

    def ask(self, dialogue: Dialogue) -> None:
        """Open a question here, with the preset of this turn."""
        people.ask(self.connection, self.place, replace(dialogue, preset=self.preset or ""), self.now)

    def dialogue(self) -> Dialogue | None:
        return people.dialogue(self.connection, self.place)


def in_own_language(connection: sqlite3.Connection, event: Event) -> Event:
    """`event` with the language that the person chose by /language, if any."""
    chosen = people.chosen_language(connection, event.place.user_id)
    return replace(event, language=chosen) if chosen else event
