"""What a banner costs on one core at 1024 pixels, beside plainer and heavier ways to draw one, in the same run.

    python -m benchmarks.banner [--rounds 60] [--prints]
    python -m benchmarks.banner --names 200

Wall time is what a person waits; CPU time is what the drawing itself took and says more on a busy machine. The
portrait is a drawing with fine noise, since plain pictures would flatter the encoders. `--prints` adds prints of 4096
pixels, each drawn once with nothing cached. `--names` measures instead what PNG costs with each of zlib's ways, and how
many names a second get their badge on one portrait (`inference.render --names`), on one core and on all.
"""

import argparse
import io
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

from overlay import STYLES, draw_banner, draw_print, to_jpeg, to_webp
from overlay.banner import forget_layers
from overlay.text.fonts import FOLDER
from overlay.text.layout import lay_out
from overlay.text.shaping import shape_line
from training.demo.drawing.illustrator import draw

TEXTS = ("UX SCOUT", "ГЛАВНЫЙ АРХИТЕКТОР", "Старший инженер по надёжности ИИ-систем", "TEAM LEAD")
FONT = FOLDER / "russo-one/RussoOne-Regular.ttf"
# Of the ribbon's own palette (overlay/style.py), so that only the way of drawing differs.
GOLD, DARK_GOLD, INK, CREAM = (255, 198, 46), (164, 94, 5), (43, 18, 0), (255, 246, 200)

WAYS: dict[str, dict[str, int]] = {
    "level 1": {"compress_level": 1},
    "level 4": {"compress_level": 4},
    "level 6": {"compress_level": 6},
    "level 9": {"compress_level": 9},
    "run lengths (ours)": {"compress_level": 6, "compress_type": 3},
}
PNG_ROUNDS = 3  # by hand: their mean is printed; more take longer and vary less


def noisy_portrait(side: int = 1024) -> Image.Image:
    """A figure on a plain ground with a little noise everywhere, as a generated picture has."""
    image = Image.new("RGB", (side, side), (245, 233, 207))
    pen = ImageDraw.Draw(image)
    pen.ellipse((side * 0.32, side * 0.2, side * 0.64, side * 0.55), fill=(250, 212, 170), outline=INK, width=9)
    pen.rounded_rectangle((side * 0.3, side * 0.55, side * 0.66, side * 0.97), 60, fill=(40, 60, 130))
    noise = Image.frombytes("RGB", (side, side), random.Random(1).randbytes(side * side * 3)).point(lambda v: v // 24)
    return ImageChops.add(image, noise)


def flat_pillow(portrait: Image.Image, text: str) -> Image.Image:
    """The plainest banner: a gold rectangle with stroked text, Pillow alone."""
    image = portrait.copy()
    pen = ImageDraw.Draw(image)
    pen.rectangle((106, 791, 918, 939), fill=GOLD, outline=INK, width=6)
    font = ImageFont.truetype(FONT, min(112, round(112 * 8 / len(text))))
    pen.text((512, 865), text, CREAM, font, "mm", stroke_width=5, stroke_fill=INK)
    return image


def supersampled_pillow(portrait: Image.Image, text: str, factor: int) -> Image.Image:
    """A ribbon of Pillow polygons drawn `factor` times larger and shrunk, with a vertical gradient."""
    k = factor
    big = Image.new("RGBA", (1024 * k, 220 * k))
    pen = ImageDraw.Draw(big)
    for side in (-1, 1):
        outer, inner = 512 + side * 490, 512 + side * 360
        tail = [(inner, 60), (outer, 60), (outer - side * 34, 134), (outer, 208), (inner, 208)]
        pen.polygon([(x * k, y * k) for x, y in tail], fill=DARK_GOLD, outline=INK, width=6 * k)
    gradient = Image.linear_gradient("L").resize((812 * k, 148 * k))
    face = Image.merge("RGB", [gradient.point([low + (high - low) * (255 - v) // 255 for v in range(256)])
                               for low, high in zip(DARK_GOLD, CREAM, strict=True)])  # fmt: skip
    big.paste(face, (106 * k, 30 * k))
    pen.rectangle((106 * k, 30 * k, 918 * k, 178 * k), outline=INK, width=6 * k)
    font = ImageFont.truetype(FONT, k * min(112, round(112 * 8 / len(text))))
    pen.text((512 * k, 104 * k), text, CREAM, font, "mm", stroke_width=5 * k, stroke_fill=INK)
    image = portrait.copy()
    small = big.resize((1024, 220), Image.Resampling.LANCZOS)
    image.paste(small, (0, 761), small)
    return image


def measured(work: Callable[[str], object], rounds: int, before: Callable[[], None] | None = None) -> str:
    """ "median | p95 | CPU median | CPU p95" in milliseconds over the texts in turn, after one round unmeasured."""
    wall, cpu = [], []
    for k in range(-len(TEXTS), rounds):
        if before:
            before()
        started, spent = time.perf_counter(), time.process_time()
        work(TEXTS[k % len(TEXTS)])
        if k >= 0:
            wall.append(1000 * (time.perf_counter() - started))
            cpu.append(1000 * (time.process_time() - spent))
    cells = (f"{statistics.median(times):.1f} | {statistics.quantiles(times, n=20)[-1]:.1f}" for times in (wall, cpu))
    return " | ".join(cells)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description="What a banner costs, as tables.")
    parser.add_argument("--rounds", type=int, default=60, metavar="N", help="banners a row (60)")
    parser.add_argument("--prints", action="store_true", help="prints of 4096 pixels as well")
    parser.add_argument("--names", type=int, default=0, metavar="N", help="only PNG, and N names on one portrait")
    args = parser.parse_args()
    if args.names:
        encoders()
        names_table(args.names)
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    portrait = noisy_portrait()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"One core{load}; 1024 x 1024; {args.rounds} banners a row over {len(TEXTS)} texts; milliseconds.\n")
    print("| way | median | p95 | CPU median | CPU p95 |\n|---|---|---|---|---|")
    rows: list[tuple[str, Callable[[str], object], Callable[[], None] | None]] = [
        (f"{name}, plate kept", partial(_draw, portrait, name), _forget_texts)
        for name in ("ribbon", "arc", "plate", "round")
    ]
    rows += [
        ("ribbon, nothing kept", partial(_draw, portrait, "ribbon"), _forget_all),
        ("ribbon and JPEG", lambda text: to_jpeg(draw_banner(portrait, text)), _forget_texts),
        ("ribbon and WebP", lambda text: to_webp(draw_banner(portrait, text)), _forget_texts),
        ("Pillow alone: flat rectangle", partial(flat_pillow, portrait), None),
        ("Pillow alone: ribbon at 2x", lambda text: supersampled_pillow(portrait, text, 2), None),
        ("Pillow alone: ribbon at 4x", lambda text: supersampled_pillow(portrait, text, 4), None),
    ]
    for name, work, before in rows:
        print(f"| {name} | {measured(work, args.rounds, before)} |", flush=True)
    if args.prints:
        print("\n| print of 4096 pixels, nothing kept | s | CPU s |\n|---|---|---|")
        for name in STYLES:
            _forget_all()
            started, spent = time.perf_counter(), time.process_time()
            draw_print(portrait, TEXTS[1], name)
            print(f"| {name} | {time.perf_counter() - started:.2f} | {time.process_time() - spent:.2f} |", flush=True)


def encoders() -> None:
    """Bytes and CPU milliseconds of a badge of 1024 pixels as PNG."""
    print("| picture | zlib | ms CPU | KB |\n|---|---|---:|---:|")
    for what, portrait in (("drawing", draw(7, size=1024, supersample=2).image), ("noise", noisy_portrait())):
        badge = draw_banner(portrait, "UX SCOUT")
        for way, options in WAYS.items():
            started = time.process_time()
            for _ in range(PNG_ROUNDS):
                out = io.BytesIO()
                badge.save(out, "PNG", **options)
            spent = (time.process_time() - started) / PNG_ROUNDS * 1000
            print(f"| {what} | {way} | {spent:.0f} | {out.tell() / 1000:.0f} |")


def seconds_of_names(count: int, cores: int, folder: Path) -> tuple[float, float]:
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


def names_table(count: int) -> None:
    """Badges a second on one core and on all."""
    print("\n| names | cores | s | badges a second | CPU s a badge, start and portrait included |")
    print("|---:|---:|---:|---:|---:|")
    available = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        for cores in dict.fromkeys((1, available)):
            seconds, cpu = seconds_of_names(count, cores, Path(folder))
            print(f"| {count} | {cores} | {seconds:.1f} | {count / seconds:.1f} | {cpu / count:.3f} |")


def _forget_texts() -> None:
    """Make the next text a new one: nothing shaped or laid out before helps it."""
    lay_out.cache_clear()
    shape_line.cache_clear()


def _forget_all() -> None:
    _forget_texts()
    forget_layers()


def _draw(portrait: Image.Image, style: str, text: str) -> Image.Image:
    return draw_banner(portrait, text, style)


if __name__ == "__main__":
    main()
