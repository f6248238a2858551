"""Removes the picture files after /forget: at once, and again at each start, until they are gone."""

import asyncio
import logging

from bot.clock import Clock
from bot.delivery.pictures import Pictures
from bot.errors import StoreError
from bot.store import Database, privacy

log = logging.getLogger(__name__)


class Eraser:
    """Runs after each /forget, and once an hour from `Bot._tidy`."""

    def __init__(self, database: Database, pictures: Pictures, clock: Clock) -> None:
        self._database, self._pictures, self._clock = database, pictures, clock
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Start `run` as a task."""
        task = asyncio.create_task(self.run(), name="erasure")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Remove the files of all listed jobs."""
        try:
            for job_id in await self._database.read(privacy.to_erase):
                await asyncio.to_thread(self._pictures.erase, job_id)
            await self._database.write("erased", lambda c: privacy.erased(c, self._clock.wall()))
        except (StoreError, OSError) as error:
            log.error("pictures could not be removed after /forget, trying again later: %s", error)
