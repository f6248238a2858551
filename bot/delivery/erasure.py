"""Removes the files of badges whose person was forgotten: at once, and again after a start, until they are gone."""

import asyncio
import logging

from bot.clock import Clock
from bot.delivery.pictures import Pictures
from bot.errors import StoreError
from bot.store import Database, privacy

log = logging.getLogger(__name__)


class Eraser:
    """One pass after each /forget, and one an hour by whoever tidies."""

    def __init__(self, database: Database, pictures: Pictures, clock: Clock) -> None:
        self._database, self._pictures, self._clock = database, pictures, clock
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Run a pass beside everything else."""
        task = asyncio.create_task(self.run(), name="erasure")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Remove what is listed."""
        try:
            for job_id in await self._database.read(privacy.to_erase):
                await asyncio.to_thread(self._pictures.erase, job_id)
            await self._database.write("erased", lambda c: privacy.erased(c, self._clock.wall()))
        except (StoreError, OSError) as error:
            log.error("pictures of somebody who was forgotten are still there, and are tried again: %s", error)
