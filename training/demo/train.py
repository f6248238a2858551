"""Trains the demo FLUX from nothing: `python -m training.demo.train --stage all`.

Stages: pictures, vae, text, latents, captions, decoder, flow, export, classifier, images; `all` runs them in this
order. Each keeps a checkpoint in the work folder and goes on from it after any interruption; a finished stage is
skipped. Losses go to `<stage>.csv`, sample sheets to `vae.png` and `flow.png` beside them. A GPU is used when there
is one.
"""

import argparse
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer, T5EncoderModel, T5Tokenizer

from training.demo.drawing import aidbox
from training.demo.drawing.captions import caption_for
from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.look import Look
from training.demo.drawing.things import THINGS
from training.demo.model import classifier_training, pictures, text, transformer, vae
from training.demo.model.export import export, scale_of
from training.demo.model.loop import Plan, device, save_atomic
from training.demo.model.vendor import Flux, Vae

log = logging.getLogger("training.demo")
STAGES = ("pictures", "vae", "text", "latents", "captions", "decoder", "flow", "export", "classifier", "images")
COUNT, VARIANTS = 9000, 3
PLANS = {
    "vae": Plan(2200, warmup=20, decay_from=0.72, ema=0.995),
    "text": Plan(420, warmup=30, decay_from=0.5),
    "decoder": Plan(2000, warmup=20, decay_from=0.5, ema=0.995),
    "flow": Plan(5600, warmup=100, decay_from=0.845, ema=0.998),
}
TextTower = tuple[CLIPTokenizer, T5Tokenizer, CLIPTextModel, T5EncoderModel]


@dataclass(frozen=True)
class Run:
    """Where one training lives and where its pipeline goes."""

    work: Path
    folder: Path
    plans: dict[str, Plan]

    def pictures(self) -> "pictures.Prepared":
        return pictures.prepare(self.work, COUNT)

    def vae(self) -> Vae:
        drawn = self.pictures()[0]
        model = vae.fit(self.work, drawn, self.plans["vae"])
        if not (self.work / "vae.png").exists():
            vae.sheet(model.eval(), drawn, self.work / "vae.png")
        return model

    def text(self) -> TextTower:
        return text.fit(self.work, self.plans["text"])

    def latents(self) -> Tensor:
        """All latents, encoded once; N x 16 x 16 x 16 in bf16."""
        path = self.work / "latents.pt"
        if not path.exists():
            save_atomic(vae.encode(self.vae(), self.pictures()[0]), path)
        found: Tensor = torch.load(path, weights_only=True)
        return found

    def captions(self) -> tuple[Tensor, Tensor]:
        """Text of every picture's captions, encoded once; the last is the empty caption."""
        path = self.work / "captions.pt"
        if not path.exists():
            rng = random.Random(11)
            captions = []
            for character, thing, outfit, background in self.pictures()[1].tolist():
                who, what = CHARACTERS[pictures.NAMES[character]], THINGS[pictures.OBJECTS[thing]]
                look = replace(Look.sample(rng, who), outfit=outfit, background=background)
                captions += [caption_for(rng, who, what, look) for _ in range(VARIANTS)]
            save_atomic(text.encode([*captions, ""], *self.text()), path)
        tokens, pooled = torch.load(path, weights_only=True)
        return tokens, pooled

    def cache(self) -> transformer.Cache:
        """Latents and captions, ready for the transformer."""
        latents = self.latents()
        shift, scale = scale_of(latents)
        tokens, pooled = self.captions()
        scaled = ((latents.float() - shift) * scale).bfloat16()
        return transformer.Cache(transformer.pack(scaled), tokens, pooled, VARIANTS)

    def flow(self) -> Flux:
        cache = self.cache()
        return transformer.fit(self.work, cache, self.plans["flow"], on_save=self._sampler(cache))

    def _sampler(self, cache: transformer.Cache) -> Callable[[Flux, int], None]:
        """Draws the first captions with the averaged weights, each time they are saved, into flow.png."""
        autoencoder = self.decoder().eval()
        shift, scale = scale_of(self.latents())
        rows = [i * VARIANTS for i in range(8)]

        def draw(model: Flux, step: int) -> None:
            latents = transformer.sample(model, cache.tokens[rows].float(), cache.pooled[rows].float())
            vae.save_row(autoencoder, latents / scale + shift, self.work / "flow.png")

        return draw

    def decoder(self) -> Vae:
        return vae.refine(self.work, self.vae(), self.pictures()[0], self.plans["decoder"])

    def export(self) -> None:
        export(self.folder, self.flow(), self.decoder(), scale_of(self.latents()), *self.text())

    def classifier(self) -> None:
        classifier_training.fit(self.work)

    def images(self) -> None:
        aidbox.write_both()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.demo.train", description=__doc__)
    parser.add_argument("--stage", choices=(*STAGES, "all"), default="all")
    parser.add_argument(
        "--work", type=Path, default=Path("data/demo"), help="checkpoints, logs and caches (default data/demo)"
    )
    parser.add_argument("--out", type=Path, default=Path("inference/demo"), help="the pipeline's folder")
    parser.add_argument("--steps", type=int, help="steps of this stage, instead of the documented number")
    parser.add_argument("--threads", type=int, help="CPU threads")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if args.threads:
        torch.set_num_threads(args.threads)
    plans = dict(PLANS)
    if args.steps and args.stage in plans:
        plans[args.stage] = replace(plans[args.stage], steps=args.steps)
    run = Run(args.work, args.out, plans)
    log.info("training on %s", device())
    for stage in STAGES if args.stage == "all" else (args.stage,):
        log.info("stage %s", stage)
        getattr(run, stage)()


if __name__ == "__main__":
    main()
