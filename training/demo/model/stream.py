"""Drawings for training, made by worker processes for as long as the trainer runs.

A chunk is arrays of `CHUNK` drawings with their captions as token ids. The workers import neither torch nor
transformers, so that they start at once; worker `rank` of `count` draws seeds rank, rank + count, and so on.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.demo.drawing.aidbox import draw_aidbox
from training.demo.drawing.captions import caption_for, unseen_pairs
from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.illustrator import draw
from training.demo.drawing.look import BACKGROUNDS
from training.demo.drawing.things import THINGS
from training.demo.drawing.vocabulary import colours

Pair = tuple[str, str]
CHUNK = 32
VARIANTS = 3  # captions a drawing
T5_LENGTH, CLIP_LENGTH = 48, 77
GRID = 8  # image tokens a side
AIDBOX_SHARE = 0.05  # of the aidbox samurai, whom only the classifier may see
NAMES, OBJECTS, COLOURS = tuple(CHARACTERS), tuple(THINGS), tuple(colours())
OUTFITS = tuple(sorted({word for c in CHARACTERS.values() for word, _ in c.outfits}))
GROUNDS = tuple(word for word, _ in BACKGROUNDS)
LABELS = (len(NAMES), len(OBJECTS), len(COLOURS) + 1, len(OUTFITS) + 1, len(GROUNDS) + 1)


@dataclass(frozen=True)
class Chunk:
    """Drawings: pictures N x 256 x 256 x 3 uint8; the thing's box N x 4 int16; and per caption (V of them) its token
    ids N x V x length int16 and labels N x V x 5 int16 (character, thing, and colour, outfit and background as the
    caption names them, 0 for none). `aidbox`: pictures of the aidbox samurai and their things."""

    pictures: NDArray[np.uint8]
    boxes: NDArray[np.int16]
    t5: NDArray[np.int16]
    clip: NDArray[np.int16]
    labels: NDArray[np.int16]
    aidbox: NDArray[np.uint8]
    aidbox_things: NDArray[np.int16]


class Words:
    """Both tokenizers, without transformers."""

    def __init__(self, folder: Path) -> None:
        self._t5 = Tokenizer.from_file(str(folder / "t5" / "tokenizer.json"))
        self._clip = Tokenizer.from_file(str(folder / "clip" / "tokenizer.json"))
        for tokenizer, length, pad in ((self._t5, T5_LENGTH, "<pad>"), (self._clip, CLIP_LENGTH, "<|endoftext|>")):
            tokenizer.enable_truncation(length)
            tokenizer.enable_padding(length=length, pad_token=pad, pad_id=tokenizer.token_to_id(pad))

    def ids(self, texts: list[str]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """N x 48 and N x 77, padded."""
        t5, clip = (
            np.array([e.ids for e in tokenizer.encode_batch(texts)], np.int16) for tokenizer in (self._t5, self._clip)
        )
        return t5, clip


def trained_pairs() -> list[Pair]:
    """All (character, thing) pairs that the base may see."""
    unseen = unseen_pairs()
    return [(c, t) for c in CHARACTERS for t in THINGS if (c, t) not in unseen]


def chunk_of(seeds: range, pairs: list[Pair], words: Words, calm: bool = False) -> Chunk:
    """The drawings of these seeds, in calm looks if asked."""
    pictures, boxes, labels, texts, aidbox, things = [], [], [], [], [], []
    for seed in seeds:
        rng = random.Random(seed * 2654435761 + 7)
        if rng.random() < AIDBOX_SHARE:
            thing = rng.choice(OBJECTS)
            aidbox.append(np.asarray(draw_aidbox(seed, thing, 256, 2).image))
            things.append(OBJECTS.index(thing))
        character, thing = rng.choice(pairs)
        drawing = draw(1_000_000 + seed, character, thing, calm=calm)
        who, what, look = CHARACTERS[character], THINGS[thing], drawing.look
        pictures.append(np.asarray(drawing.image))
        boxes.append([round(v) for v in drawing.object])
        outfit, ground = who.outfits[look.outfit][0], GROUNDS[look.background]
        for _ in range(VARIANTS):
            caption = caption_for(rng, who, what, look)
            texts.append(caption.text)
            labels.append([
                NAMES.index(character),
                OBJECTS.index(thing),
                COLOURS.index(caption.colour) + 1 if caption.colour else 0,
                OUTFITS.index(outfit) + 1 if f"{outfit} outfit" in caption.text else 0,
                look.background + 1 if f"{ground} background" in caption.text else 0,
            ])  # fmt: skip
    t5, clip = words.ids(texts)
    n = len(pictures)
    return Chunk(
        np.stack(pictures),
        np.clip(np.array(boxes, np.int16), 0, 256),
        t5.reshape(n, VARIANTS, -1),
        clip.reshape(n, VARIANTS, -1),
        np.array(labels, np.int16).reshape(n, VARIANTS, 5),
        np.stack(aidbox) if aidbox else np.zeros((0, 256, 256, 3), np.uint8),
        np.array(things, np.int16),
    )


def chunks(count: int, workers: int, tokenizers: Path, calm_pairs: list[Pair] | None = None) -> Iterator[Chunk]:
    """About `count` drawings as they are made; ends the workers when the caller stops asking.

    Of all trained pairs; or of `calm_pairs`, in calm looks.
    """
    context = get_context("spawn")
    queue: Any = context.Queue(maxsize=4 * workers)
    share = -(-count // (CHUNK * workers))
    processes = [
        context.Process(target=_work, args=(queue, rank, workers, share, tokenizers, calm_pairs), daemon=True)
        for rank in range(workers)
    ]
    for process in processes:
        process.start()
    try:
        left = share * workers
        while left:
            try:
                yield Chunk(**queue.get(timeout=2))
                left -= 1
            except Empty:
                if not any(process.is_alive() for process in processes):
                    raise RuntimeError("all drawing processes ended early: see what they wrote above") from None
    finally:
        for process in processes:
            process.terminate()


def _work(queue: Any, rank: int, workers: int, share: int, tokenizers: Path, calm_pairs: list[Pair] | None) -> None:
    os.nice(5)  # the trainer, which feeds the GPU, goes first
    words, pairs = Words(tokenizers), calm_pairs or trained_pairs()
    for i in range(share):
        start = (i * workers + rank) * CHUNK
        queue.put(vars(chunk_of(range(start, start + CHUNK), pairs, words, bool(calm_pairs))))
    queue.close()
    queue.join_thread()
