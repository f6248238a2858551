"""Many names on one portrait: what PNG costs with each of zlib's ways, and badges a second on one core and on all.

    python -m benchmarks.names [--names 200]

Seconds are wall time; CPU seconds say more on a busy machine. The portraits are a drawing, and the same with noise as a
generated picture has.
"""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.banner import noisy_portrait
from overlay import draw_banner
from training.demo.drawing.illustrator import draw

WAYS: dict[str, dict[str, int]] = {
    "level 1": {"compress_level": 1},
    "level 4": {"compress_level": 4},
    "level 6": {"compress_level": 6},
    "level 9": {"compress_level": 9},
    "run lengths (ours)": {"compress_level": 6, "compress_type": 3},
}
ROUNDS = 3


def encoders() -> None:
    """Bytes and CPU milliseconds of a badge of 1024 pixels as PNG."""
    print("| picture | zlib | ms CPU | KB |\n|---|---|---:|---:|")
    for what, portrait in (("drawing", draw(7, size=1024, supersample=2).image), ("noise", noisy_portrait())):
        badge = draw_banner(portrait, "UX SCOUT")
        for way, options in WAYS.items():
            started = time.process_time()
            for _ in range(ROUNDS):
                out = io.BytesIO()
                badge.save(out, "PNG", **options)
            print(
                f"| {what} | {way} | {(time.process_time() - started) / ROUNDS * 1000:.0f} | {out.tell() / 1000:.0f} |"
            )


def names(count: int, cores: int, folder: Path) -> tuple[float, float]:
    """(seconds, CPU seconds) from the portrait on, for `count` names on so many cores; the demo at two steps."""
    listed = folder / "names.txt"
    listed.write_text("".join(f"Person {number}\n" for number in range(count)))
    out = folder / f"on-{cores}"
    command = [
        "taskset", "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:cores])), sys.executable, "-m",
        "inference.render", "--generator", "demo", "--object", "lamp", "--seed", "1", "--names", str(listed),
        "--out", str(out), "--json",
    ]  # fmt: skip
    environment = {**os.environ, "BADGE_LOCAL__STEPS": "2", "BADGE_DATA_DIR": str(folder / "data")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    started = 0.0
    for line in process.stdout:
        json.loads(line)
        started = started or time.perf_counter()
    seconds = time.perf_counter() - started
    process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Measures many names on one portrait.")
    parser.add_argument("--names", type=int, default=200, metavar="N")
    count = parser.parse_args().names
    encoders()
    print("\n| names | cores | s | badges a second | CPU s a badge, start and portrait included |")
    print("|---:|---:|---:|---:|---:|")
    available = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        for cores in dict.fromkeys((1, available)):
            seconds, cpu = names(count, cores, Path(folder))
            print(f"| {count} | {cores} | {seconds:.1f} | {count / seconds:.1f} | {cpu / count:.3f} |")


if __name__ == "__main__":
    main()
