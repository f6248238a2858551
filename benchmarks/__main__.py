"""`make bench`: every measurement that needs no card, one after the other, each printing its table.

    python -m benchmarks             all of them
    python -m benchmarks banner bot  these
    python -m benchmarks --list      what there is

Each runs in a process of its own, so that none is measured in another's memory. What needs a CUDA card
(`benchmarks.gpu`, `benchmarks.gpu_training`) or many minutes (`benchmarks.demo_quality`, `benchmarks.chaos`,
`benchmarks.lettering`) is started by its own name.
"""

import importlib.util
import os
import platform
import subprocess
import sys

MEASUREMENTS = {
    "engine": "one portrait and a batch beside the bare pipeline, start-up, memory",
    "first": "the first picture of a fresh process, beside the bare pipeline",
    "pipeline": "how long a card waits between two badges of a batch",
    "banner": "milliseconds a banner, seconds a print, beside Pillow alone",
    "training": "a training step beside a plain loop",
    "replicate": "what our side adds to a call, against a fake on loopback",
    "translation": "everyday nouns in Russian that are understood",
    "bot": "1,000 people at once: answers, calls and CPU a badge, fairness",
    "scale": "/metrics, /stats and the portrait cache after a thousand and a million badges",
    "upscale": "how wide the outlines of enlarged portraits and prints are, beside Lanczos",
    "composition": "whether banner or ring cut figures, on drawings and demo portraits",
    "ray": "one and two actors beside one process, and the price of handing a portrait over",
}


def main(argv: list[str]) -> int:
    """Run the named measurements, or all; returns 1 where one failed."""
    if argv in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    if argv == ["--list"]:
        print("\n".join(f"{name:12} {what}" for name, what in MEASUREMENTS.items()))
        return 0
    unknown = [name for name in argv if name not in MEASUREMENTS]
    if unknown:
        print(f"error: unknown measurement {unknown[0]!r}. Known: {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 2
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    failed = []
    for name in argv or MEASUREMENTS:
        print(f"## {name}\n", flush=True)
        if name == "ray" and importlib.util.find_spec("ray") is None:
            print('Not measured: Ray is not installed (pip install -c constraints.txt -e ".[ray]").\n')
        elif subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
        print(flush=True)
    if failed:
        print(f"error: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
