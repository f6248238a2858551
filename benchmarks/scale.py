"""What /metrics, /stats and the portrait cache cost after a thousand badges, and after a million.

    python -m benchmarks.scale [--most N]

Each row of the first table is a database with so many finished badges, spread over a year, all made by one statement;
/metrics and /stats are then read 50 times in turn by the functions that the bot calls. Each row of the second is a
folder with so many small files in the place of portraits, and 50 portraits that are put into it after the first put,
which looks at all of them once a process.
"""

import argparse
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from bot.store import queue
from bot.store.schema import migrate
from inference.types import ModelInfo, Portrait
from inference.wrappers.cache import PortraitCache

_TIMES = 50  # by hand: the median is printed; more take longer and vary less
_NOW = 1_800_000_000.0  # any time will do, if it is always the same: badges lie in the year before it
_YEAR = 365 * 86_400
_FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
INSERT INTO jobs(user_id, chat_id, thread_id, reply_to, language, object, english, text, style, seed, origin, state,
    told, generator, draw_seconds, banner_seconds, send_seconds, cost_usd, created)
SELECT i % 5000, i % 5000, 0, 0, 'ru', 'cup', 'cup', 'A', 'ribbon', 7, 'dialogue', 'drawn', 1, 'local', 2, 0.1, 0.2, 0,
    ?2 - (?1 - i) * ?3 / ?1 FROM n
"""


def milliseconds(work: Callable[[], object]) -> float:
    """The median of 50 runs."""
    spent = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        work()
        spent.append(1000 * (time.perf_counter() - started))
    return statistics.median(spent)


def store(folder: Path, rows: int) -> tuple[float, float]:
    """Milliseconds of /stats and of /metrics with so many badges."""
    connection = sqlite3.connect(folder / f"{rows}.sqlite3", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous=OFF")
    migrate(connection)
    connection.execute("BEGIN")
    connection.execute(_FILL, (rows, _NOW, _YEAR))
    connection.execute("UPDATE jobs SET state = 'delivered'")
    connection.execute("COMMIT")
    stats = milliseconds(lambda: queue.totals(connection, _NOW))
    metrics = milliseconds(lambda: (queue.totals(connection, _NOW), queue.tally(connection)))
    assert queue.tally(connection).delivered == rows
    connection.close()
    return stats, metrics


def portraits(folder: Path, files: int) -> tuple[float, float]:
    """Milliseconds of the first put into a folder of so many files, and of the later ones."""
    folder = folder / str(files)
    folder.mkdir()
    for number in range(files):
        os.close(os.open(folder / f"{number:064}.png", os.O_CREAT | os.O_WRONLY))
    cache = PortraitCache(folder, 10**12)
    image = Image.effect_noise((64, 64), 50).convert("RGB")
    portrait = Portrait(image, "a samurai", 7, 4, 1.0, ModelInfo("plain", "demo"))
    started = time.perf_counter()
    cache.put("first", portrait)
    first = 1000 * (time.perf_counter() - started)
    later = milliseconds(lambda: cache.put("later", portrait))
    return first, later


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="What figures and cache cost after very many badges.")
    parser.add_argument("--most", type=int, default=10**6, help="badges and files at most (default 1000000)")
    sizes = [10**power for power in range(3, 10) if 10**power <= parser.parse_args().most]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print("| badges ever | /stats, ms | /metrics, ms |\n|---:|---:|---:|")
        for size in sizes:
            stats, metrics = store(folder, size)
            print(f"| {size:,} | {stats:.2f} | {metrics:.2f} |", flush=True)
        print("\n| files in the portrait cache | first put, ms | later puts, ms |\n|---:|---:|---:|")
        for size in sizes:
            first, later = portraits(folder, size)
            print(f"| {size:,} | {first:.1f} | {later:.2f} |", flush=True)


if __name__ == "__main__":
    main()
