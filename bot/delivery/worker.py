"""The workers: claim the next job under a lease, make the badge in a thread, save the picture, start its delivery.

`generator.parallel` jobs are drawn at once, and as many more get their banner meanwhile. A cancellation, a lost lease
and a stop of the bot end a drawing between two denoising steps; after a stop the job keeps its place in the queue.
"""

import asyncio
import contextlib
import logging
import secrets
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from bot.clock import Clock
from bot.community.review import hold
from bot.delivery.admins import tell_admins
from bot.delivery.drawing import Drawer
from bot.delivery.pictures import Pictures
from bot.delivery.status import Progress, StatusBoard
from bot.errors import StoreError
from bot.operations.logs import record
from bot.store import Database, choices, jobs, people, queue
from bot.store.jobs import Drawn, Job
from bot.store.outbox import Outgoing
from configs.sections.bot import BotSettings
from inference.badge import Look
from inference.errors import (
    BackendUnavailable,
    BlankPicture,
    Canceled,
    InvalidRequest,
    InvalidSettings,
    OperatorNeeded,
    PictureRefused,
    RenderError,
)
from inference.generator import Generator

log = logging.getLogger(__name__)

_IDLE_LOOK = 2.0  # s, chosen by hand: an idle worker is woken by new jobs; it polls only to find expired leases
_MOST_OVERTAKEN = 4
"""Jobs of the loaded preset that may be drawn before one of another preset whose turn it is, chosen by hand. Switching
between two LoRAs of the demo took up to 0.1 s more per portrait of 0.6 s; it was not measured on a GPU."""
_FOR_ADMINS = frozenset({"operator", "blank"})
"""Reasons of failures that the admins are told about."""


class Workers:
    """The drawing threads and the tasks that feed them."""

    def __init__(
        self,
        database: Database,
        generator: Generator,
        pictures: Pictures,
        board: StatusBoard,
        clock: Clock,
        settings: BotSettings,
        looks: Mapping[str, Look],
        ended: Callable[[int], None],
        send: Callable[[Sequence[Outgoing]], None],
    ) -> None:
        self._database = database
        self._board = board
        self._clock = clock
        self._settings = settings
        self._drawer = Drawer(generator, pictures, looks)
        self._several, self._overtaken = len(looks) > 1, 0
        self._preset: str | None = None
        self._ended = ended
        self._send = send
        self._owner = secrets.token_hex(8)
        self._wake = asyncio.Event()
        self._stops: dict[int, threading.Event] = {}
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        # Twice as many jobs as drawings: one is drawn while the one before it gets its banner and is stored.
        self._many = 2 * generator.parallel
        self._free = asyncio.Semaphore(generator.parallel)
        self._threads = ThreadPoolExecutor(self._many, thread_name_prefix="draw")

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._serve(), name=f"worker {n}") for n in range(self._many)]

    def wake(self) -> None:
        """Look for a job now."""
        self._board.queue_moved = True
        self._wake.set()

    def cancel(self, job_ids: list[int]) -> None:
        """Stop drawing these jobs, between two steps; the database has them as canceled already."""
        for job_id in job_ids:
            if job_id in self._stops:
                self._stops[job_id].set()

    async def stop(self, seconds: float) -> bool:
        """Stop within `seconds`; jobs being drawn are requeued. True if every drawing has stopped."""
        self._stopping = True
        self._wake.set()
        for stop in self._stops.values():
            stop.set()
        late: set[asyncio.Task[None]] = set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
        return not late

    async def _serve(self) -> None:
        while not self._stopping:
            turn = await _Turn.of(self._free)
            try:
                await self._next_job(turn)
            except StoreError as error:
                log.error("%s", error)
                await asyncio.sleep(_IDLE_LOOK)
            except Exception:  # a worker that ended would never draw again
                log.exception("a worker failed; its job is drawn again when the lease has expired")
                await asyncio.sleep(_IDLE_LOOK)
            finally:
                turn.end()

    async def _next_job(self, turn: "_Turn") -> None:
        if self._stopping:
            return
        job = await self._database.write("claimed", self._claim)
        if job is None:
            await self._idle()
            return
        self._board.queue_moved = True
        await self._make(job, turn)

    async def _idle(self) -> None:
        self._wake.clear()
        with contextlib.suppress(TimeoutError):  # the timeout also finds expired leases
            await asyncio.wait_for(self._wake.wait(), _IDLE_LOOK)

    def _claim(self, connection: sqlite3.Connection) -> Job | None:
        if people.fact(connection, "paused"):
            return None
        now = self._clock.steady()
        until = now + self._settings.lease_seconds
        if not self._several:
            return queue.claim(connection, self._owner, until, now)
        first = queue.first_in_turn(connection)
        loaded = self._preset if self._overtaken < _MOST_OVERTAKEN else None
        job = queue.claim(connection, self._owner, until, now, loaded)
        if job is not None:
            self._preset, self._overtaken = job.preset, self._overtaken + 1 if job.id != first else 0
        return job

    async def _make(self, job: Job, turn: "_Turn") -> None:
        if job.attempts > self._settings.attempts:
            await self._fail(job, "attempts", f"started {job.attempts - 1} times and never finished")
            return
        stop = self._stops[job.id] = threading.Event()
        progress = self._board.progress[job.id] = Progress(job)
        if self._stopping:
            stop.set()
        loop = asyncio.get_running_loop()
        drawing = loop.run_in_executor(self._threads, self._draw, job, progress, stop, turn, loop)
        try:
            while not drawing.done():
                await asyncio.wait({drawing}, timeout=self._settings.lease_seconds / 3)
                if not drawing.done() and not await self._renewed(job):
                    stop.set()
            await self._finish(job, drawing)
        finally:
            self._stops.pop(job.id, None)
            self._board.progress.pop(job.id, None)

    async def _renewed(self, job: Job) -> bool:
        until = self._clock.steady() + self._settings.lease_seconds
        return await self._database.write("renewed", lambda c: jobs.renew(c, job, until))

    async def _finish(self, job: Job, drawing: "asyncio.Future[Drawn]") -> None:
        try:
            result = drawing.result()
        except Canceled:
            if self._stopping:
                await self._database.write("put back", lambda c: jobs.put_back(c, job))
            self._ended(job.id)
        except (InvalidSettings, OperatorNeeded) as error:
            await self._fail(job, "operator", str(error))
        except InvalidRequest as error:
            await self._fail(job, "words", str(error))
        except BackendUnavailable as error:
            await self._fail(job, "unavailable", str(error))
        except BlankPicture as error:
            await self._fail(job, "blank", str(error))
        except PictureRefused as error:
            await self._fail(job, "picture", str(error))
        except (RenderError, OSError) as error:
            await self._fail(job, "broken", str(error))
        except Exception as error:
            log.exception("job %d: unexpected error", job.id)
            await self._fail(job, "broken", f"{type(error).__name__}: {error}")
        else:
            posts: list[Outgoing] = []

            def drawn(connection: sqlite3.Connection) -> bool:
                now = self._clock.wall()
                done = jobs.drawn(connection, job, result, now)
                if done:
                    choices.divide(connection, job, result.parts, now)
                posts[:] = hold(connection, job.id, self._settings, now)
                return done

            await self._patiently("drawn", drawn)
            self._send(posts)
            self._ended(job.id)

    async def _fail(self, job: Job, reason: str, detail: str) -> None:
        told: list[Outgoing] = []

        def fail(connection: sqlite3.Connection) -> bool:
            now = self._clock.wall()
            if reason in _FOR_ADMINS:
                told[:] = tell_admins(connection, self._settings.admins, reason, detail, now)
            return jobs.failed(connection, job, reason, now)

        record(job.user_id, "drawing", f"job {job.id} failed: {detail}", logging.ERROR)
        await self._patiently("failed", fail)
        self._send(told)
        self._ended(job.id)

    async def _patiently(self, name: str, work: Callable[[sqlite3.Connection], bool]) -> None:
        """Write a result, retrying while the database cannot be written (disk full), as long as the bot runs."""
        while True:
            try:
                await self._database.write(name, work)
                return
            except StoreError as error:
                if self._stopping:
                    raise
                log.error("%s", error)
                await asyncio.sleep(_IDLE_LOOK)

    def _draw(
        self, job: Job, progress: Progress, stop: threading.Event, turn: "_Turn", loop: asyncio.AbstractEventLoop
    ) -> Drawn:
        """Make and save the badge, in a drawing thread."""

        def on_step(done: int, steps: int) -> None:
            if stop.is_set():
                raise Canceled(f"job {job.id} was stopped")
            if steps:
                progress.step(done, steps)

        def on_portrait() -> None:
            progress.stage = 2
            loop.call_soon_threadsafe(turn.end)
            loop.call_soon_threadsafe(self._board.show_now, job.id)

        on_step(0, 0)
        return self._drawer.draw(job, on_step, on_portrait)


class _Turn:
    """A slot of the generator; released when the portrait is drawn, or the job has ended."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free = free
        self._ended = False

    @classmethod
    async def of(cls, free: asyncio.Semaphore) -> "_Turn":
        """Wait for a free slot."""
        await free.acquire()
        return cls(free)

    def end(self) -> None:
        """Release the slot, once."""
        if not self._ended:
            self._ended = True
            self._free.release()
