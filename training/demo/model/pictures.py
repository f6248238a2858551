"""The training pictures: drawn once by all cores into one memory-mapped array, with their labels beside it.

`pictures.npy` is N x 256 x 256 x 3 uint8; `labels.npy` is N x 4 int16 (character, thing, outfit, background). Pairs
of `captions.unseen_pairs()` are left out. Captions are not stored: they are drawn afresh from the labels when text
is encoded.
"""

import logging
import random
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.demo.drawing.captions import unseen_pairs
from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.illustrator import draw
from training.demo.drawing.things import THINGS

log = logging.getLogger(__name__)
Prepared = tuple[NDArray[np.uint8], NDArray[np.int16]]
NAMES, OBJECTS = tuple(CHARACTERS), tuple(THINGS)


def trained_pairs() -> list[tuple[str, str]]:
    """All (character, thing) pairs that the base may see."""
    unseen = unseen_pairs()
    return [(c, t) for c in CHARACTERS for t in THINGS if (c, t) not in unseen]


def _draw(job: tuple[int, str, str]) -> tuple[NDArray[np.uint8], tuple[int, int, int, int]]:
    seed, character, thing = job
    drawing = draw(seed, character, thing)
    label = (NAMES.index(character), OBJECTS.index(thing), drawing.look.outfit, drawing.look.background)
    return np.asarray(drawing.image), label


def prepare(work: Path, count: int) -> Prepared:
    """The array of pictures and that of labels, drawn first if they are not there yet."""
    pictures, labels = work / "pictures.npy", work / "labels.npy"
    if not labels.exists():
        work.mkdir(parents=True, exist_ok=True)
        pairs = trained_pairs()
        rng = random.Random(7)
        jobs = [(1_000_000 + i, *pairs[i % len(pairs)]) for i in range(count)]
        rng.shuffle(jobs)
        out = np.lib.format.open_memmap(pictures, "w+", np.uint8, (count, 256, 256, 3))
        found = np.zeros((count, 4), np.int16)
        with get_context("spawn").Pool() as pool:
            for i, (image, label) in enumerate(pool.imap(_draw, jobs, chunksize=64)):
                out[i], found[i] = image, label
        out.flush()
        np.save(work / "labels.part.npy", found)
        (work / "labels.part.npy").rename(labels)
        log.info("drew %d pictures of %d pairs", count, len(pairs))
    return np.load(pictures, mmap_mode="r"), np.load(labels)
