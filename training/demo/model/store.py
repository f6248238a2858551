"""The drawings that training reads: arrays on one device that a thread fills while training goes on.

On a GPU they lie in its memory. `count` rows are there; rows below it never change. With a path the finished arrays
are kept on disk, so that a resumed run on a CPU reads the same rows.
"""

import logging
import threading
import time
from pathlib import Path

import torch
from torch import Tensor

from training.demo.model import stream
from training.demo.model.stream import CLIP_LENGTH, T5_LENGTH, VARIANTS, Chunk

log = logging.getLogger(__name__)
_ARRAYS = ("pictures", "boxes", "t5", "clip", "labels", "aidbox", "aidbox_things")


class Store:
    """Room for `capacity` drawings on `device`."""

    def __init__(self, capacity: int, device: torch.device) -> None:
        few = max(64, capacity // 16)
        self.device = device
        self.count = self.aidbox_count = 0
        self.pictures = torch.zeros(capacity, 256, 256, 3, dtype=torch.uint8, device=device)
        self.boxes = torch.zeros(capacity, 4, dtype=torch.int16, device=device)
        self.t5 = torch.zeros(capacity, VARIANTS, T5_LENGTH, dtype=torch.int16, device=device)
        self.clip = torch.zeros(capacity, VARIANTS, CLIP_LENGTH, dtype=torch.int16, device=device)
        self.labels = torch.zeros(capacity, VARIANTS, 5, dtype=torch.int16, device=device)
        self.aidbox = torch.zeros(few, 256, 256, 3, dtype=torch.uint8, device=device)
        self.aidbox_things = torch.zeros(few, dtype=torch.int16, device=device)
        self._error: BaseException | None = None
        self._stop = False
        self._thread: threading.Thread | None = None

    @property
    def capacity(self) -> int:
        """How many drawings there is room for."""
        return len(self.pictures)

    def add(self, chunk: Chunk) -> None:
        """Puts a chunk at the end, as far as there is room."""
        n = min(len(chunk.pictures), self.capacity - self.count)
        for name in ("pictures", "boxes", "t5", "clip", "labels"):
            rows = torch.from_numpy(getattr(chunk, name)[:n])
            getattr(self, name)[self.count : self.count + n] = rows.to(self.device)
        m = min(len(chunk.aidbox), len(self.aidbox) - self.aidbox_count)
        self.aidbox[self.aidbox_count : self.aidbox_count + m] = torch.from_numpy(chunk.aidbox[:m]).to(self.device)
        things = torch.from_numpy(chunk.aidbox_things[:m]).to(self.device)
        self.aidbox_things[self.aidbox_count : self.aidbox_count + m] = things
        if self.device.type == "cuda":
            torch.cuda.current_stream().synchronize()
        self.count += n
        self.aidbox_count += m

    def fill(self, workers: int, tokenizers: Path, calm_pairs: list[stream.Pair] | None = None) -> None:
        """Starts a thread that adds drawings until the room is full or `close` is called."""

        def run() -> None:
            try:
                for chunk in stream.chunks(self.capacity, workers, tokenizers, calm_pairs):
                    self.add(chunk)
                    if self._stop or self.count >= self.capacity:
                        break
            except BaseException as error:  # noqa: BLE001 - it is raised in the trainer's thread by wait()
                self._error = error

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def wait(self, count: int) -> None:
        """Returns when `count` drawings are there."""
        while self.count < min(count, self.capacity):
            if self._error:
                raise RuntimeError(f"drawing stopped at {self.count} pictures: {self._error}") from self._error
            time.sleep(0.05)

    def close(self) -> None:
        """Ends drawing."""
        self._stop = True
        if self._thread:
            self._thread.join(timeout=20)

    def save(self, path: Path) -> None:
        """Keeps the rows that are there."""
        from training.demo.model.loop import save_atomic

        kept = {name: getattr(self, name)[: self._rows(name)].cpu() for name in _ARRAYS}
        save_atomic(kept, path)

    @staticmethod
    def load(path: Path, device: torch.device) -> "Store":
        """The rows that were kept."""
        kept = torch.load(path, map_location=device, weights_only=True)
        store = Store(1, device)
        for name, rows in kept.items():
            setattr(store, name, rows)
        store.count, store.aidbox_count = len(store.pictures), len(store.aidbox)
        return store

    def _rows(self, name: str) -> int:
        return self.aidbox_count if name.startswith("aidbox") else self.count

    def captions(self, index: Tensor, variant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Token ids for T5 and CLIP, and labels, of some captions."""
        return self.t5[index, variant].long(), self.clip[index, variant].long(), self.labels[index, variant].long()

    def inside(self, index: Tensor) -> Tensor:
        """Which of the 64 image tokens touch the thing: B x 64, 0 or 1."""
        boxes = self.boxes[index].float() / (256 / stream.GRID)
        cell = torch.arange(stream.GRID, device=self.device)
        across = (cell + 1 > boxes[:, 0:1]) & (cell < boxes[:, 2:3])
        down = (cell + 1 > boxes[:, 1:2]) & (cell < boxes[:, 3:4])
        return (down[:, :, None] & across[:, None, :]).flatten(1).float()
