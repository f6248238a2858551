"""The stages of the demo's training, in order, in a given time or in the documented number of steps."""

import logging
import shutil
import tarfile
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer, T5EncoderModel, T5Tokenizer

from training.demo import classifier
from training.demo.model import Flux, Vae, classifier_training, judge, text, transformer, vae
from training.demo.model.export import export
from training.demo.model.latents import Latents
from training.demo.model.loop import Schedule
from training.demo.model.store import Store
from training.demo.model.stream import Words

log = logging.getLogger("training.demo")
# Steps are for a CPU. In a given time: seconds of each stage; the flow gets what is left, less what the end takes.
PLANS = {
    "text": Schedule(900, warmup=30, decay_from=0.5, log_every=50),
    "vae": Schedule(3000, warmup=20, decay_from=0.5, ema=0.995),
    "decoder": Schedule(2000, warmup=20, decay_from=0.3, ema=0.995),
    "classifier": Schedule(3000, warmup=30, decay_from=0.3, ema=0.99, log_every=50),
    "flow": Schedule(12000, warmup=100, decay_from=0.5, ema=0.998, log_every=50),
}
SECONDS = {"text": 24.0, "vae": 75.0, "decoder": 25.0, "classifier": 26.0}
GPU_BATCH = {"text": 512, "vae": 48, "decoder": 64, "classifier": 256, "flow": 512}
CPU_BATCH = {"text": 96, "vae": 8, "decoder": 8, "classifier": 64, "flow": 48}
END_SECONDS = 34.0  # export, samples of all things, packing
ENOUGH = 3000  # drawings that a timed run starts with
PART = 15 * 1024 * 1024
# The sheet of samples: every one of the rows below with every character in turn.
SHEET = (
    "telescope", "red umbrella", "green apple", "blue cup", "cat", "sushi", "dragon", "laptop", "coffee", "phone",
    "yellow car", "pink guitar", "key", "fish", "heart", "lightning", "purple balloon", "skull", "bug", "server",
    "owl", "beer", "cake", "keyboard", "microphone", "pen", "palette", "gear", "chart", "magnet", "test tube", "sword",
    "orange hammer", "robot head", "camera", "trophy", "black cat", "white car", "brown teddy bear", "turquoise rocket",
)  # fmt: skip


@dataclass
class Run:
    """One training: where it lives, where its pipeline goes, and when it has to end (a time.monotonic() moment)."""

    work: Path
    folder: Path
    weights: Path | None
    device: torch.device
    pictures: int
    workers: int
    ends: float | None
    scale: float
    pack: Path | None
    compiled: bool
    _packed: float = 0.0

    def __post_init__(self) -> None:
        self._packed = time.monotonic()  # a run of less than two minutes packs once, at its end

    def all(self) -> None:
        """Every stage; whatever happens, what was trained by then is exported."""
        self.work.mkdir(parents=True, exist_ok=True)
        try:
            self.stage("draw")
            for name in ("text", "vae", "decoder", "classifier", "flow"):
                self.stage(name)
        finally:
            self.store.close()
            self.stage("export")

    def stage(self, name: str) -> None:
        """One stage, with what it needs before it."""
        began = time.monotonic()
        log.info("stage %s, %d drawings", name, self.store.count if name not in ("tokenizers", "draw") else 0)
        result = {
            "tokenizers": lambda: self.tokenizers,
            "draw": lambda: self.store,
            "text": lambda: self.encoders,
            "vae": lambda: self.first_vae,
            "decoder": lambda: self.vae,
            "classifier": lambda: self.net,
            "flow": lambda: self.flow,
            "export": self.export,
        }[name]()
        del result
        log.info("stage %s took %.1f s", name, time.monotonic() - began)

    def plan(self, name: str) -> Schedule:
        """The plan of a stage: documented steps, or seconds."""
        plan = replace(PLANS[name], steps=max(2, round(PLANS[name].steps * self.scale)))
        if self.ends is None:
            return replace(plan, save_seconds=600)
        left = self.ends - time.monotonic()
        seconds = left - END_SECONDS if name == "flow" else min(SECONDS[name] * self.time_scale, left)
        return replace(plan, steps=10**7, seconds=max(1.0, seconds), save_every=50, save_seconds=45, ema=0.998)

    def batch(self, name: str) -> int:
        """Pictures or captions a step."""
        return max(2, round((GPU_BATCH if self.device.type == "cuda" else CPU_BATCH)[name] * min(1.0, self.scale)))

    @cached_property
    def time_scale(self) -> float:
        """How much of the documented seconds a shorter or longer run gives each stage."""
        assert self.ends is not None
        return min(1.5, (self.ends - time.monotonic()) / 430)

    @cached_property
    def tokenizers(self) -> tuple[CLIPTokenizer, T5Tokenizer]:
        return text.tokenizers_of(self.work)

    @cached_property
    def store(self) -> Store:
        """The drawings: all of them before a run of steps; enough to start with in a timed run."""
        _ = self.tokenizers
        kept = self.work / "drawings.pt"
        if kept.exists():
            return Store.load(kept, self.device)
        store = Store(self.pictures, self.device)
        store.fill(self.workers, self.work / "tokenizers")
        if self.ends is None:
            store.wait(store.capacity)
            store.save(kept)
        else:
            store.wait(max(64, round(ENOUGH * min(1.0, self.scale))))
        return store

    @cached_property
    def encoders(self) -> tuple[CLIPTextModel, T5EncoderModel]:
        """The text encoders, trained."""
        clip, t5 = (e.to(self.device) for e in text.build_encoders(*self.tokenizers))
        text.fit(self.work / "text.pt", self.store, (clip, t5), self.plan("text"), self.batch("text"))
        return clip, t5

    @cached_property
    def first_vae(self) -> Vae:
        """The autoencoder before its decoder goes on alone."""
        return vae.fit(self.work / "vae.pt", self.store, self.plan("vae"), self.batch("vae"))

    @cached_property
    def vae(self) -> Vae:
        model = vae.refine(
            self.work / "decoder.pt", self.first_vae, self.store, self.plan("decoder"), self.batch("decoder")
        ).eval()
        vae.sheet(model, self.store.pictures[:10], self.work / "vae.png")
        return model

    @cached_property
    def latents(self) -> Latents:
        """Latents of the drawings; shift and scale are kept."""
        kept = self.work / "scale.pt"
        scale = tuple(torch.load(kept, weights_only=True)) if kept.exists() else None
        latents = Latents(self.store, self.vae, scale)
        latents.save(kept)
        return latents

    @cached_property
    def net(self) -> Any:
        path = self.work / "classifier.pt"
        net = classifier_training.fit(path, self.store, self.plan("classifier"), self.batch("classifier"))
        classifier_training.save(net, self.weights or classifier.WEIGHTS)
        return net

    @cached_property
    def flow(self) -> Flux:
        """The transformer's averaged weights."""
        clip, t5 = self.encoders
        words = Words(self.work / "tokenizers").ids([""])
        empty = [torch.from_numpy(ids).long().to(self.device) for ids in words]
        source = transformer.BatchSource(self.store, self.latents, (clip, t5), (empty[0], empty[1]))
        return transformer.fit(
            self.work / "flow.pt",
            source,
            lambda: self.plan("flow"),
            self._saved,
            self.batch("flow"),
            compiled=self.compiled,
        )

    def _saved(self, model: Flux, step: int) -> None:
        """A sheet of samples at each checkpoint of a long run; a timed run packs what it has, in case it is cut off."""
        if self.ends is None:
            self.sheet(model)
        elif self.pack and time.monotonic() - self._packed > 90:
            self._packed = time.monotonic()
            self._export(model)

    def draw(self, prompts: list[str], model: Flux | None = None) -> Tensor:
        """Portraits of prompts, N x 3 x 256 x 256 in -1..1."""
        words = Words(self.work / "tokenizers").ids(prompts)
        t5_ids, clip_ids = (torch.from_numpy(ids).long().to(self.device) for ids in words)
        tokens, pooled = text.states(self.encoders, t5_ids, clip_ids)
        latents = transformer.sample(model or self.flow, tokens, pooled)
        return vae.decode(self.vae, latents / self.latents.scale + self.latents.shift)

    def sheet(self, model: Flux) -> None:
        """Draws `SHEET` into flow.png."""
        prompts = [judge.PROMPT.format("samurai warrior", thing) for thing in SHEET]
        vae.save_grid(self.draw(prompts, model), self.work / "flow.png")

    def export(self) -> None:
        """Writes the pipeline and, if asked, packs it with logs and sheets."""
        model = self.flow
        self._export(model)
        self.sheet(model)
        if self.device.type == "cuda":  # half an hour on a CPU: there it is for the benchmark, on demand
            judge.judge(self.draw, classifier.load(self.weights or classifier.WEIGHTS), self.work)
        if self.pack:
            self._pack()

    def _export(self, model: Flux) -> None:
        scale = (self.latents.shift, self.latents.scale)
        export(self.folder, model, self.vae, scale, *self.tokenizers, *self.encoders)
        if self.pack:
            self._pack()

    def _pack(self) -> None:
        """The pipeline, the classifier, the logs and the sheets, as far as they are there."""
        if self.pack:
            pack(self.pack, [self.folder, self.weights or classifier.WEIGHTS, *sorted(self.work.glob("*.csv"))])
            for sheet in ("vae.png", "flow.png", "things.jpg"):
                if (self.work / sheet).exists():
                    shutil.copy(self.work / sheet, self.pack / sheet)


def faster_in_bf16() -> bool:
    """Whether this processor is: one step of each is timed, since some take 17 times as long (see `loop`)."""
    model, pictures = vae.build(), torch.zeros(2, 3, 64, 64)
    seconds = {}
    for precise in (True, False):
        for _ in range(2):  # the first one warms up
            began = time.monotonic()
            with torch.autocast("cpu", torch.bfloat16, enabled=not precise):
                model(pictures).sample.float().sum().backward()
            seconds[precise] = time.monotonic() - began
    return seconds[False] < seconds[True]


def pack(folder: Path, paths: list[Path]) -> None:
    """A tar file of `paths`, in parts that a courier with a limit takes: join them with cat."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "demo.tar"
    with tarfile.open(whole, "w") as tar:
        for path in paths:
            tar.add(path, path.name)
    with whole.open("rb") as file:
        number = 0
        while data := file.read(PART):
            (folder / f"demo.tar.{number:03d}").write_bytes(data)
            number += 1
    whole.unlink()
