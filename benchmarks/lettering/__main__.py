"""How much text `training.dataset check` finds, and where it sees what is not there: `python -m benchmarks.lettering`.

Text is drawn on fresh drawings of the demo, by kind, size of the font and contrast; clean are drawings without any,
the demo's own pictures, and textures. Seeds are others than those that the thresholds in `training/dataset/marks`
were chosen on. `--each N` pictures a cell (20), `--clean N` drawings without text (1000), `--textures N` a kind (100).
"""

import argparse
import random
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

from PIL import Image

from benchmarks.lettering import stamps, textures
from overlay import draw_banner
from training.dataset.marks import text_in
from training.demo.drawing.illustrator import draw
from training.demo.drawing.things import THINGS

# Of the picture's height, and of full contrast; by hand: of print at 2% some is missed, at 3% little.
SHARES, CONTRASTS = (0.02, 0.03, 0.04, 0.06), (1.0, 0.5, 0.25)
STYLES = ("ribbon", "plate", "arc")
BANNERS = ("UX SCOUT", "CHAMPION", "BUG HUNTER", "НАСТАВНИК", "ЛУЧШИЙ АВТОР")
_FIRST = 300_000  # the first seed: others than those on which the thresholds were chosen
_LETTERED = {"calendar", "newspaper", "hundred", "ticket", "credit card", "money", "map", "phone", "book", "books"}
"""Things that may bear words or figures of their own: not drawn under text, and counted apart where clean."""
Job = tuple[str, str, float, float, int]


def picture_of(job: Job) -> Image.Image:
    """The picture of a job: what, kind, size, contrast, seed."""
    what, kind, share, contrast, seed = job
    rng = random.Random(seed)
    if what == "texture":
        return textures.texture(kind, seed)
    if what == "busy":
        ground = textures.texture(rng.choice(("leaves", "hair", "noise", "windows", "grass", "bricks")), seed)
        return stamps.stamped(ground, kind, share, contrast, seed)
    things = sorted(set(THINGS) & _LETTERED if kind == "lettered" else set(THINGS) - _LETTERED)
    drawing = draw(seed, thing=rng.choice(things), size=512, supersample=2).image
    if what == "banner":
        return draw_banner(drawing, rng.choice(BANNERS), style=kind).convert("RGB")
    return stamps.stamped(drawing, kind, share, contrast, seed) if what == "text" else drawing


def found(job: Job) -> tuple[str, float]:
    """What is said of a job's picture, and in how many seconds."""
    picture = picture_of(job)
    start = time.process_time()
    return text_in(picture), time.process_time() - start


def _jobs(each: int, clean: int, of_texture: int) -> list[Job]:
    kinds = [kind for kind in stamps.KINDS if stamps.can_stamp(kind)]
    jobs = [("text", *cell, _FIRST + i) for cell in product(kinds, SHARES, CONTRASTS) for i in range(each)]
    jobs += [("busy", *cell, 1.0, _FIRST + i) for cell in product(kinds, SHARES) for i in range(each)]
    jobs += [("banner", style, 0.0, 1.0, _FIRST + i) for style in STYLES for i in range(each)]
    jobs += [("clean", "", 0.0, 0.0, 2 * _FIRST + i) for i in range(clean)]
    jobs += [("clean", "lettered", 0.0, 0.0, 2 * _FIRST + i) for i in range(clean // 5)]
    return jobs + [("texture", kind, 0.0, 0.0, _FIRST + i) for kind in textures.KINDS for i in range(of_texture)]


def _share(hits: Iterable[bool]) -> str:
    every = list(hits)
    return f"{sum(every) / max(1, len(every)):6.0%}"


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lettering", description=__doc__)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--clean", type=int, default=1000)
    parser.add_argument("--textures", type=int, default=100)
    args = parser.parse_args()
    jobs = _jobs(args.each, args.clean, args.textures)
    with ProcessPoolExecutor() as pool:
        results = dict(zip(jobs, pool.map(found, jobs, chunksize=16), strict=True))

    def hits(what: str, kind: str, share: float, contrast: float) -> list[bool]:
        return [bool(text) for job, (text, _) in results.items() if job[:4] == (what, kind, share, contrast)]

    kinds = [kind for kind in stamps.KINDS if stamps.can_stamp(kind)]
    for what, contrast in (*(("text", each) for each in CONTRASTS), ("busy", 1.0)):
        ground = "on drawings" if what == "text" else "on textures"
        print(f"{ground}, contrast {contrast:.0%}".ljust(30), *(f"{share:6.0%}" for share in SHARES))
        for kind in kinds:
            print(kind.ljust(30), *(_share(hits(what, kind, share, contrast)) for share in SHARES))
    edge = [each for each in kinds if each not in ("word", "signature")]
    large = [hit for kind, share in product(edge, SHARES[1:]) for hit in hits("text", kind, share, 1.0)]
    print(f"print along the edges, from 3%, full contrast: {_share(large)} of {len(large)}\n")
    for style in STYLES:
        print("banner".ljust(10), style.ljust(19), _share(hits("banner", style, 0.0, 1.0)))
    print("\nwithout text: seen some, of")
    ours = [path for name in ("training_images", "heldout_images")
            for path in sorted(Path("training/demo", name).glob("*.png"))]  # fmt: skip
    print("the demo's own pictures".ljust(30), sum(bool(text_in(Image.open(path))) for path in ours), len(ours))
    for what, kind in (("clean", ""), ("clean", "lettered"), *(("texture", each) for each in textures.KINDS)):
        wrong = hits(what, kind, 0.0, 0.0)
        name = {"": "drawings", "lettered": "drawings of lettered things"}.get(kind, kind)
        print(name.ljust(30), sum(wrong), len(wrong))
        told = [f"{job[4]} {text}" for job, (text, _) in results.items() if job[:2] == (what, kind) and text]
        print("".join(f"    {each}\n" for each in told[:5]), end="")
    seconds = sorted(second for _, second in results.values())
    print(f"\nCPU seconds a picture: mean {sum(seconds) / len(seconds):.3f}, longest {seconds[-1]:.3f}")


if __name__ == "__main__":
    main()
