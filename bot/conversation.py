"""Answers updates: the only handler of the application.

Updates of one person in one chat are answered in order, those of different people concurrently. An update is answered
and marked as answered in one transaction; messages, cancellations and the like follow after the commit.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from telegram import Update
from telegram.error import TelegramError
from telegram.ext import BaseUpdateProcessor, ContextTypes, ExtBot

from bot.api.membership import memberships
from bot.delivery.delivery import Delivery
from bot.delivery.sender import Sender
from bot.delivery.worker import Workers
from bot.dialogue.events import Event, read_event
from bot.dialogue.turn import Context, Outcome, Turn, in_own_language
from bot.dialogue.understanding import Understand, understood
from bot.errors import StoreError
from bot.operations.logs import record
from bot.routes import addressed, answer, has_words, words_to_understand
from bot.store import Database, inbox, members, people

log = logging.getLogger(__name__)

_STORE_PAUSE = 1.0  # s, chosen by hand: somebody is waiting for the answer, and a retry is cheap
_SPEAKING = ("command", "press", "text", "other")
"""Kinds of events that a person caused by writing or pressing a button."""


class OneAtATime(BaseUpdateProcessor):
    """Processes updates of one person in one chat in order, all others concurrently."""

    def __init__(self, at_once: int) -> None:
        super().__init__(at_once)
        self._last: dict[tuple[int, int], asyncio.Task[Any]] = {}

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        if not isinstance(update, Update) or update.effective_chat is None:
            await coroutine
            return
        user = update.effective_user
        key = (update.effective_chat.id, user.id if user else 0)
        before = self._last.get(key)
        mine = asyncio.current_task()
        assert mine is not None
        self._last[key] = mine
        try:
            if before is not None and not before.done():
                await asyncio.wait([before])
            await coroutine
        finally:
            if self._last.get(key) is mine:
                del self._last[key]

    async def initialize(self) -> None:
        """Do nothing: required by the base class."""

    async def shutdown(self) -> None:
        """Do nothing: required by the base class."""


@dataclass(frozen=True)
class Conversation:
    """Everything that answering an update needs."""

    bot: "ExtBot[Any]"
    database: Database
    context: Context
    understand: Understand
    sender: Sender
    workers: Workers
    delivery: Delivery
    stopping: Callable[[], bool]
    answered: Callable[[Update], None]
    erase: Callable[[], None]

    async def handle(self, update: Update, context: "ContextTypes.DEFAULT_TYPE | None" = None) -> None:
        """Answer one update. If the store fails, try again: the update stays in the inbox until it is answered."""
        try:
            await self._until_answered(update)
        finally:
            self.answered(update)

    async def _until_answered(self, update: Update) -> None:
        while not self.stopping():
            try:
                outcome, event = await self._answer(update)
            except StoreError as error:
                log.error("%s", error)
                await asyncio.sleep(_STORE_PAUSE)
                continue
            except Exception:  # a bug in an answer ends neither the bot nor the others' answers
                log.exception("update %d cannot be answered", update.update_id)
                outcome, event = await self._apologise(update)
            self._follow_up(outcome, event)
            return

    async def _answer(self, update: Update) -> tuple[Outcome, Event | None]:
        event = read_event(update, self.bot.id, self.bot.username)
        words, ask = await self._wanted(event) if event is not None else ("", ())
        meant = await understood(self.understand, words) if words.strip() else None
        where = await memberships(self.bot, ask, event.place.user_id) if event is not None and ask else {}

        def transact(connection: sqlite3.Connection) -> Outcome:
            if event is None or inbox.answered(connection, update.update_id):
                inbox.finish(connection, update.update_id)
                return Outcome()
            turn = Turn(connection, event, self.context, meant)
            for chat, member in where.items():
                members.remember(connection, chat, event.place.user_id, member, turn.now)
            answer(turn)
            inbox.finish(connection, update.update_id)
            return turn.outcome

        return await self.database.write("answered", transact), event

    async def _wanted(self, event: Event) -> tuple[str, tuple[int, ...]]:
        """What has to be looked up before the transaction begins, since that may take a while.

        (text to translate, chats of `bot.members_of` for which getChatMember has to be asked about this person).
        """
        settings, user, clock = self.context.settings, event.place.user_id, self.context.clock
        listed = not user or user in (*settings.users, *settings.admins)
        chats = () if listed else settings.members_of
        if event.kind not in _SPEAKING or not (chats or has_words(event)):
            return "", ()

        def look(connection: sqlite3.Connection) -> tuple[str, tuple[int, ...]]:
            if not addressed(connection, event):
                return "", ()
            theirs = in_own_language(connection, event)
            words = words_to_understand(theirs, people.dialogue(connection, event.place), self.context)
            return words, members.to_ask(connection, chats, user, clock.wall()) if chats else ()

        return await self.database.read(look)

    async def _apologise(self, update: Update) -> tuple[Outcome, Event | None]:
        """After a bug: tell the person, clear their dialogue, and mark the update as answered."""
        try:
            event = read_event(update, self.bot.id, self.bot.username)
        except Exception:  # noqa: BLE001 - it was logged; an update that cannot even be read must not come back
            event = None

        def transact(connection: sqlite3.Connection) -> Outcome:
            inbox.finish(connection, update.update_id)
            if event is None:
                return Outcome()
            turn = Turn(connection, event, self.context)
            people.clear(connection, event.place)
            turn.say(turn._("😕 Something went wrong on my side. Please start over: /create"))
            turn.outcome.log = "error"
            return turn.outcome

        return await self.database.write("apologised", transact), event

    def _follow_up(self, outcome: Outcome, event: Event | None) -> None:
        if event is None:
            return
        self.sender.add(outcome.outgoing)
        if outcome.canceled:
            self.workers.cancel(outcome.canceled)
            for job_id in outcome.canceled:
                self.delivery.tell(job_id)
        for job_id in outcome.told:
            self.delivery.tell(job_id)
        if outcome.queue_changed or outcome.canceled:
            self.workers.wake()
        if event.query_id:
            task = asyncio.create_task(self._toast(event, outcome))
            _running.add(task)
            task.add_done_callback(_running.discard)
        if outcome.erase:
            self.erase()
        if outcome.warning:
            log.warning("%s", outcome.warning)
        if outcome.log or event.kind != "text":
            record(event.place.user_id, event.kind, outcome.log or "answered")

    async def _toast(self, event: Event, outcome: Outcome) -> None:
        try:
            await self.bot.answer_callback_query(event.query_id, outcome.toast or None, show_alert=outcome.alert)
        except TelegramError as error:
            log.info("a callback query was not answered: %s", error)


_running: set[asyncio.Task[None]] = set()
