"""Monitoring: `/healthz`, `/readyz` and Prometheus `/metrics` on a port of this machine.

`/healthz` responds while the event loop runs. `/readyz` responds 200 while the database can be read, `getUpdates` has
succeeded lately and there is free disk space, else 503 with the problems. Metrics are computed from the database, so
they survive restarts. The text format is Prometheus's 0.0.4 ("Exposition formats", prometheus.io).
"""

import asyncio
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tornado.web
from tornado.httpserver import HTTPServer

from bot.errors import StoreError
from bot.store import Database, people, queue
from bot.store.queue import Tally
from inference.listener import Bounds, bounded, listen

_STORE_SECONDS = 2.0  # s for a read, chosen by hand: reads take milliseconds, and a monitor gives up after some seconds
_LEAST_FREE = 200 * 2**20  # bytes, chosen by hand: warns before the database cannot be written


@dataclass(frozen=True)
class Ops:
    """The pages. `heard` returns the monotonic time of the last successful `getUpdates`."""

    database: Database
    data_dir: Path
    heard: Callable[[], float]
    silence_seconds: float

    def listen(self, address: str, port: int) -> HTTPServer:
        """Start the server; needs a running event loop. Raises OSError if the port is in use."""
        pages = [(rf"/{name}", _Page, {"ops": self, "name": name}) for name in ("healthz", "readyz", "metrics")]
        server = bounded(tornado.web.Application(pages, log_function=lambda handler: None), Bounds(body=0))
        listen(server, address, port)
        return server

    async def page(self, name: str) -> tuple[int, str]:
        """(status, text) of a page."""
        if name == "healthz":
            return 200, "ok\n"
        if name == "readyz":
            problems = await self.problems()
            return (503, "\n".join(problems) + "\n") if problems else (200, "ready\n")
        return 200, await self.metrics()

    async def problems(self) -> list[str]:
        """Why the bot cannot work now; empty if it can."""
        found = []
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                await self.database.read(queue.waiting)
        except (StoreError, TimeoutError) as error:
            found.append(f"store: {error or 'no response'}")
        silent = time.monotonic() - self.heard()
        if silent > self.silence_seconds:
            found.append(f"telegram: no response for {silent:.0f} s")
        free = shutil.disk_usage(self.data_dir).free
        if free < _LEAST_FREE:
            found.append(f"disk: {free // 2**20} MB free in {self.data_dir}")
        return found

    async def metrics(self) -> str:
        """The metrics as Prometheus text."""
        now = time.time()

        def look(connection: sqlite3.Connection) -> tuple[queue.Totals, Tally, bool]:
            return queue.totals(connection, now), queue.tally(connection), bool(people.fact(connection, "paused"))

        totals, tally, paused = await self.database.read(look)
        lines: list[str] = []

        def figure(name: str, kind: str, help_: str, *values: tuple[str, float]) -> None:
            lines.extend([f"# HELP badge_{name} {help_}", f"# TYPE badge_{name} {kind}"])
            lines.extend(f"badge_{name}{labels} {value:g}" for labels, value in values)

        figure("queue_waiting", "gauge", "Waiting badges.", ("", totals.waiting))
        figure("queue_drawing", "gauge", "Badges being drawn.", ("", totals.drawing))
        figure("queue_oldest_seconds", "gauge", "Age of the oldest waiting badge.", ("", totals.oldest_seconds))
        figure("paused", "gauge", "1 while an admin has paused drawing.", ("", float(paused)))
        figure("people", "gauge", "People who ever asked for a badge.", ("", totals.people))
        figure(
            "badges_total", "counter", "Badges by generator and outcome.",
            *((f'{{generator="{who or "none"}",outcome="{state}"}}', n) for who, state, n in tally.outcomes),
        )  # fmt: skip
        stages = zip(("portrait", "banner", "sending"), tally.seconds, strict=True)
        lines += [
            "# HELP badge_stage_seconds Seconds by stage of delivered badges.",
            "# TYPE badge_stage_seconds summary",
        ]
        for stage, seconds in stages:
            lines.append(f'badge_stage_seconds_sum{{stage="{stage}"}} {seconds:g}')
            lines.append(f'badge_stage_seconds_count{{stage="{stage}"}} {tally.delivered}')
        figure("cost_usd_total", "counter", "Total cost of drawing.", ("", totals.cost_usd))
        vram = _vram()
        if vram is not None:
            figure("vram_bytes", "gauge", "GPU memory reserved by torch.", ("", vram))
        return "\n".join(lines) + "\n"


def _vram() -> float | None:
    """GPU memory reserved by torch, in bytes; None if torch is not loaded or there is no GPU."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return float(torch.cuda.memory_reserved())


class _Page(tornado.web.RequestHandler):
    def initialize(self, ops: Ops, name: str) -> None:
        self._ops, self._name = ops, name

    async def get(self) -> None:
        status, text = await self._ops.page(self._name)
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(text)
