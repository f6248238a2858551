"""Assembles the bot: `run(settings)` serves until SIGTERM or SIGINT; nothing is lost when it stops or crashes.

    Telegram -> InboxQueue (stored) -> Conversation (one transaction an update) -> Sender, Workers
    Workers -> Delivery (the status message becomes the badge)

Only one bot may use a state folder: the process holds a lock on it as long as it lives, so after a crash the next one
can resume all unfinished work at once.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from telegram import Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder, TypeHandler
from tornado.httpserver import HTTPServer

from bot.api.client import bot_token, polling_failed, telegram_client, webhook_secret
from bot.api.inbox_queue import InboxQueue
from bot.api.limiter import PoliteLimiter
from bot.api.webhook import webhook
from bot.clock import Clock
from bot.community.review import Reminder
from bot.conversation import Conversation, OneAtATime
from bot.delivery.calls import Calls
from bot.delivery.delivery import Delivery
from bot.delivery.erasure import Eraser
from bot.delivery.pictures import Pictures
from bot.delivery.sender import Links, Sender
from bot.delivery.status import StatusBoard
from bot.delivery.telling import Surroundings
from bot.delivery.worker import Workers
from bot.dialogue.understanding import understander
from bot.errors import StartError
from bot.operations.health import Ops
from bot.parts import Parts, filtered
from bot.routes import menu
from bot.store import Database, inbox, jobs, outbox, people
from bot.store.database import Checkpoint, locked, no_checkpoint
from bot.texts import LANGUAGES, texts_for
from configs.proxies import ProxyError, proxy_for
from configs.settings import Settings
from inference.choice import open_generator
from inference.generator import Generator
from inference.wrappers.sharing import SharingGenerator

log = logging.getLogger(__name__)

UPDATES_AT_ONCE = 256  # python-telegram-bot's own value for `concurrent_updates(True)`
STOP_SECONDS = 2.5
"""For updates and for drawings, half of it for sending and for delivery: with 1 s to close 8.5 of 10 s (`_leave`)."""
_WEBHOOK_CALLS = 40  # Telegram's default for `max_connections`; the listener accepts more
_TIDY_EVERY = 3600.0  # s, chosen by hand: what it removes is days old
_SILENCE = 90.0  # s, chosen by hand: `getUpdates` returns every 10 s, so /readyz fails after several lost polls
_SWITCH = 0.001  # s between switches of Python threads (default 0.005), chosen by hand: drawing delays answers less


def run(
    settings: Settings,
    open_generator: Callable[[Settings], Generator] = open_generator,
    *,
    clock: Clock | None = None,
    checkpoint: Checkpoint = no_checkpoint,
    tell_database: Callable[[Database], None] = lambda database: None,
) -> None:
    """Serve until told to stop.

    `checkpoint` is called around every commit (see `Database`), `tell_database` with the opened store. Raises
    StartError, StoreError if the state folder cannot be used, and what `open_generator` raises.
    """
    token = bot_token(settings)
    try:
        proxy_for(settings.bot.base_url)
    except ProxyError as error:
        raise StartError(str(error)) from error
    sys.setswitchinterval(_SWITCH)
    os.environ.setdefault("PTB_TIMEDELTA", "true")  # else python-telegram-bot warns at each RetryAfter
    with locked(settings.data_dir), open_generator(settings) as generator:
        database = Database(settings.data_dir / "bot.sqlite3", checkpoint).open()
        tell_database(database)
        try:
            calm = asyncio.run(Bot(Parts.of(settings), token, generator, database, clock or Clock()).serve())
        finally:
            database.close()
        if not calm:
            # A drawing is canceled between two steps. One that makes none (a GPU or a server that hangs) would keep
            # the process alive; its job is stored as waiting, so nothing is lost by exiting here.
            log.warning("a drawing does not stop: exiting without it, its badge is drawn after the next start")
            logging.shutdown()
            os._exit(0)


class Bot:
    """The parts of one running bot, and the order in which they start and stop."""

    def __init__(self, settings: Parts, token: str, generator: Generator, database: Database, clock: Clock) -> None:
        self._token = token
        self._database = database
        self._clock = clock
        self.generator = SharingGenerator(filtered(generator, settings.bot, settings.hub_token))
        self._settings = settings = settings.with_drawable_suggestions(generator.model)
        self._limiter = PoliteLimiter(settings.bot.messages_per_second)
        self._queue = InboxQueue(database, clock)
        self._bot = telegram_client(settings.bot, token, self._limiter, self._queue)
        self._pictures = Pictures(settings.data_dir / "badges").open()
        self._board = StatusBoard(self._bot, self._limiter, database, settings.bot, self.generator.parallel)
        surroundings = Surroundings(lambda: self._workers.wake(), self._bot.silent, settings.bot)
        self._delivery = Delivery(self._bot, self._limiter, database, self._pictures, self._board, clock, surroundings)
        links = Links(self._status_sent, self._delivery.status_sent, self._abandoned, self._bot.silent)
        self._sender = Sender(Calls(self._bot, database, self._pictures, settings.bot), database, clock, links)
        self._delivery.sender = self._sender
        self._workers = Workers(
            database, self.generator, self._pictures, self._board, clock, settings.bot, settings.looks,
            self._delivery.tell, self._sender.add,
        )  # fmt: skip
        self._reminder = Reminder(database, clock, settings.bot, self._sender.add)
        self._eraser = Eraser(database, self._pictures, clock)
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []
        self._servers: list[HTTPServer] = []

    async def serve(self) -> bool:
        """Run until SIGTERM or SIGINT. True if all drawings have stopped."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        application = self._application()
        try:
            await self._enter(application)
            if not self._stop.is_set():
                await self._serve(application)
        finally:
            calm = await self._leave(application)
        return calm

    def _application(self) -> "Application[Any, Any, Any, Any, Any, Any]":
        understand = understander(self._settings.translation, self.generator.model)
        conversation = Conversation(
            self._bot, self._database, self._settings.context(self._clock, self.generator.parallel), understand,
            self._sender, self._workers, self._delivery, self._stop.is_set, self._queue.answered, self._eraser.begin,
        )  # fmt: skip
        builder = ApplicationBuilder().bot(self._bot).update_queue(self._queue).job_queue(None)
        application = builder.concurrent_updates(OneAtATime(UPDATES_AT_ONCE)).build()
        application.add_handler(TypeHandler(Update, conversation.handle))
        return application

    async def _enter(self, application: "Application[Any, Any, Any, Any, Any, Any]") -> None:
        """Log in, retrying as long as Telegram is unreachable. Raises StartError for a wrong token."""
        await self._until_done(application.initialize, "Telegram cannot be reached")

    async def _until_done(self, call: Callable[[], Awaitable[None]], trouble: str) -> None:
        """Retry a call that the start needs, with growing pauses. Raises StartError for a wrong token."""
        pause = 0.5
        while not self._stop.is_set():
            try:
                await call()
                return
            except InvalidToken:  # whose own message shows the token
                raise StartError(
                    "Telegram does not know this TELEGRAM_BOT_TOKEN: copy it again from @BotFather"
                ) from None
            except TelegramError as error:
                log.warning("%s: %s", trouble, error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), pause)
                pause = min(10.0, pause * 2)

    async def _serve(self, application: "Application[Any, Any, Any, Any, Any, Any]") -> None:
        await self._recover()
        await application.start()
        restored = await self._queue.restore(self._bot)
        self._workers.start()
        self._tasks = [
            asyncio.create_task(self._board.run(), name="status"),
            asyncio.create_task(self._introduce(), name="introduce"),
            asyncio.create_task(self._tidy(), name="tidy"),
            asyncio.create_task(self._reminder.run(), name="reminder"),
        ]
        for task in self._tasks:
            task.add_done_callback(_report)
        self._open_pages()
        await self._listen(application)
        log.info(
            "@%s is serving with %s (%d updates left from the last run)",
            self._bot.username,
            self.generator.model.generator,
            restored,
        )
        await self._stop.wait()

    async def _recover(self) -> None:
        """Resume what an earlier run left: waiting jobs in order, unsent messages, finished but undelivered jobs."""
        again = await self._database.write("recovered", jobs.recover)
        outgoing = await self._database.read(outbox.pending)
        self._sender.add(outgoing)
        for job in await self._database.read(jobs.untold):
            if job.state == "waiting":
                if job.status_id:
                    self._board.restore(job)
            else:
                self._delivery.tell(job.id)
        if again:
            log.info("%d interrupted drawings start again", len(again))

    async def _listen(self, application: "Application[Any, Any, Any, Any, Any, Any]") -> None:
        updater, bot = application.updater, self._settings.bot
        assert updater is not None
        kinds = ["message", "edited_message", "callback_query", "my_chat_member", "chat_member"]
        if not bot.webhook_url:
            await updater.start_polling(
                timeout=10, bootstrap_retries=-1, allowed_updates=kinds, error_callback=polling_failed
            )
            return
        secret = webhook_secret(self._token)
        try:
            self._servers.append(webhook(bot, secret, self._bot, self._queue))
        except OSError as error:
            raise StartError(f"bot.webhook_port {bot.webhook_port} cannot be used: {error.strerror}") from error

        async def register() -> None:
            await self._bot.set_webhook(
                bot.webhook_url, secret_token=secret, allowed_updates=kinds, max_connections=_WEBHOOK_CALLS
            )

        await self._until_done(register, "Telegram does not accept the webhook")

    def _open_pages(self) -> None:
        """Serve health and metrics if `bot.ops_port` is set. With a webhook, no updates does not mean a fault."""
        bot = self._settings.bot
        if bot.ops_port:
            silence = float("inf") if bot.webhook_url else _SILENCE
            ops = Ops(self._database, self._settings.data_dir, lambda: self._bot.heard, silence)
            self._servers.append(ops.listen(bot.ops_listen, bot.ops_port))

    async def _leave(self, application: "Application[Any, Any, Any, Any, Any, Any]") -> bool:
        """Stop within 10 s: accept nothing new, finish calls, requeue drawings. True if all drawings have stopped."""
        self._stop.set()
        for server in self._servers:
            server.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                if application.updater is not None and application.updater.running:
                    await application.updater.stop()
                if application.running:
                    await application.stop()
        calm = await self._workers.stop(STOP_SECONDS)
        await self._sender.stop(STOP_SECONDS / 2)
        await self._delivery.stop(STOP_SECONDS / 2)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await application.shutdown()
                await self._bot.shutdown()  # the application skips this if it was never initialized
        log.info("stopped")
        return calm

    def _status_sent(self, job_id: int, chat_id: int, message_id: int, text: str) -> None:
        self._board.sent(job_id, chat_id, message_id, text)
        self._delivery.status_sent(job_id)

    def _abandoned(self, job_ids: list[int]) -> None:
        self._workers.cancel(job_ids)

    async def _introduce(self) -> None:
        """Set the command menu of Telegram's apps; if that fails, the bot works without it."""
        try:
            for language in LANGUAGES:
                _ = texts_for(language)
                await self._bot.set_my_commands(menu(_), language_code="" if language == "en" else language)
        except TelegramError as error:
            log.warning("the command menu was not set: %s", error)

    async def _tidy(self) -> None:
        while True:
            removed = await asyncio.to_thread(self._pictures.tidy, self._settings.bot.keep_days)
            if removed:
                log.info("%d old picture files removed", removed)
            await self._eraser.run()
            await self._database.write("tidied", self._forget)
            await asyncio.sleep(_TIDY_EVERY)

    def _forget(self, connection: sqlite3.Connection) -> None:
        inbox.forget_old(connection, self._clock.wall())
        people.forget_old_questions(connection)


def _report(task: "asyncio.Task[Any]") -> None:
    """Log the error that ended a task which should run as long as the bot."""
    if not task.cancelled() and task.exception() is not None:
        log.error("%s ended", task.get_name(), exc_info=task.exception())
