"""The demo's FLUX transformer: flow matching on cached latents and frozen text encoders.

Trains a `FluxTransformer2DModel` of 2 double and 4 single blocks from scratch (rectified flow, logit-normal times,
Esser et al. 2024), Muon for the blocks' matrices, with 8% of the captions dropped. The guidance input sees random
values, so that it changes little whatever it is told.
"""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor
from transformers import CLIPTextModel, T5EncoderModel

from training.demo.model import Flux
from training.demo.model.latents import Latents
from training.demo.model.loop import Schedule, low_precision, train
from training.demo.model.muon import optimizers_for
from training.demo.model.store import Store
from training.demo.model.stream import VARIANTS
from training.demo.model.text import states

log = logging.getLogger(__name__)
WIDTH, GRID = 256, 8  # 64 image tokens of 4 x 16 numbers
DOUBLE, SINGLE = 2, 4
LR, PLAIN_LR, BATCH = 4e-3, 2e-3, 48
# These take AdamW: what sees single numbers or one vector a picture, and what writes the result.
_PLAIN = (
    "x_embedder",
    "context_embedder",
    "time_text_embed",
    "norm_out",
    "proj_out",
    "norm.linear",
    "norm1.linear",
    "norm1_context.linear",
)
COMPILE = shutil.which("g++") is not None
GUIDANCE = (1.0, 5.0)
SHIFT = 1.5  # of the schedule's times towards noise, when drawing
DROPPED = 0.08  # the share of empty captions


def build(width: int = WIDTH, text_width: int = 128) -> Flux:
    """An untrained transformer of the demo's shape; its last layer starts at zero."""
    torch.manual_seed(6)
    model: Flux = FluxTransformer2DModel(
        patch_size=1,
        in_channels=64,
        num_layers=DOUBLE,
        num_single_layers=SINGLE,
        attention_head_dim=64,
        num_attention_heads=width // 64,
        joint_attention_dim=text_width,
        pooled_projection_dim=text_width,
        guidance_embeds=True,
        axes_dims_rope=(16, 24, 24),
    )
    for name, weight in model.named_parameters():
        if name.startswith(("proj_out", "norm_out")) or (".norm" in name and "linear" in name):
            torch.nn.init.zeros_(weight)  # the last layer and the modulation start at zero, as in DiT
    return model


def image_ids() -> Tensor:
    """Row and column of each image token, as FluxPipeline gives them."""
    ids = torch.zeros(GRID, GRID, 3)
    ids[..., 1] += torch.arange(GRID)[:, None]
    ids[..., 2] += torch.arange(GRID)[None, :]
    return ids.view(-1, 3)


def velocity(model: Flux, noisy: Tensor, sigma: Tensor, guidance: Tensor, tokens: Tensor, pooled: Tensor) -> Tensor:
    """What the model predicts: noise minus latents."""
    with low_precision(noisy.device):
        out: Tensor = model(
            hidden_states=noisy,
            timestep=sigma,
            guidance=guidance,
            encoder_hidden_states=tokens,
            pooled_projections=pooled,
            txt_ids=torch.zeros(tokens.shape[1], 3, device=noisy.device),
            img_ids=image_ids().to(noisy.device),
            return_dict=False,
        )[0]
    return out.float()


def unpack(tokens: Tensor) -> Tensor:
    """The inverse of `pack`."""
    n, _, c = tokens.shape
    return tokens.view(n, GRID, GRID, c // 4, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(n, c // 4, 2 * GRID, 2 * GRID)


@torch.no_grad()
def sample(model: Flux, tokens: Tensor, pooled: Tensor, steps: int = 16, seed: int = 0) -> Tensor:
    """Scaled latents N x 16 x 16 x 16 drawn with Euler's method; for looking at while training."""
    where = next(model.parameters()).device
    count = len(tokens)
    now = torch.randn(count, GRID * GRID, 64, generator=torch.Generator().manual_seed(seed)).to(where)
    sigmas = torch.linspace(1, 1 / steps, steps)
    sigmas = torch.cat([SHIFT * sigmas / (1 + (SHIFT - 1) * sigmas), torch.zeros(1)])  # as the shipped scheduler's
    guidance = torch.full((count,), 3.5, device=where)
    for here, there in zip(sigmas[:-1].tolist(), sigmas[1:].tolist(), strict=True):
        sigma = torch.full((count,), here, device=where)
        now = now + (there - here) * velocity(model, now, sigma, guidance, tokens.to(where), pooled.to(where))
    return unpack(now)


@dataclass(frozen=True)
class BatchSource:
    """What the loop reads: latents as they are encoded, and text from the frozen encoders."""

    store: Store
    latents: Latents
    encoders: tuple[CLIPTextModel, T5EncoderModel]
    empty: tuple[Tensor, Tensor]  # token ids of the empty caption, 1 x length each

    def text(self, t5_ids: Tensor, clip_ids: Tensor) -> tuple[Tensor, Tensor]:
        """T5's hidden states and CLIP's pooled one."""
        return states(self.encoders, t5_ids, clip_ids)


def spread_sigmas(batch: int, generator: torch.Generator) -> Tensor:
    """Logit-normal times, one in each of `batch` equal slices, which lowers the gradient's noise."""
    where = generator.device
    even = (torch.arange(batch, device=where) + torch.rand(batch, generator=generator, device=where)) / batch
    return torch.sigmoid(torch.special.ndtri(even.clamp(1e-4, 1 - 1e-4)) + 0.3)


def fit(
    path: Path,
    source: BatchSource,
    plan: Callable[[], Schedule],
    on_save: Callable[[Flux, int], None] | None = None,
    batch: int = BATCH,
    model: Flux | None = None,
    compiled: bool = COMPILE,
    rate: float = 1.0,
    inside_weight: float = 2.0,
) -> Flux:
    """Trains; returns the averaged weights. Blocks are compiled if asked and if the compiler works here.

    The plan is asked for after that, since compiling takes from a given time.
    """
    store = source.store
    where = store.device
    model = (model or build()).to(where)
    optimizers = optimizers_for(model, rate * LR, weight_decay=0.02, plain=_PLAIN, plain_lr=rate * PLAIN_LR)

    def loss_of(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        index = torch.randint(source.latents.ready(), (batch,), generator=generator, device=where)
        variant = torch.randint(VARIANTS, (batch,), generator=generator, device=where)
        t5_ids, clip_ids, _ = store.captions(index, variant)
        dropped = (torch.rand(batch, generator=generator, device=where) < DROPPED)[:, None]
        tokens, pooled = source.text(
            torch.where(dropped, source.empty[0], t5_ids), torch.where(dropped, source.empty[1], clip_ids)
        )
        clean = source.latents.scaled(index)
        sigma = spread_sigmas(batch, generator)
        noise = torch.randn(clean.shape, generator=generator, device=where)
        guidance = torch.empty(batch, device=where).uniform_(*GUIDANCE, generator=generator)
        predicted = velocity(model, torch.lerp(clean, noise, sigma[:, None, None]), sigma, guidance, tokens, pooled)
        # The thing is a sixth of the picture and nearly all of what a caption asks for: its tokens count more.
        weight = 1 + (inside_weight - 1) * store.inside(index)
        error = (predicted - (noise - clean)).square().mean(2)
        return {"flow": (error * weight).sum() / weight.sum()}

    if compiled:
        compiled = speed_up(model, lambda: loss_of(0, torch.Generator(where).manual_seed(0)))
    log.info("blocks are %s", "compiled" if compiled else "not compiled")
    return train(path, model, optimizers, loss_of, plan(), on_save=on_save)


def speed_up(model: Flux, trial: Callable[[], dict[str, Tensor]]) -> bool:
    """Compiles the blocks (2.3x faster steps on a CPU); takes it back where the compiler fails."""
    model.compile_repeated_blocks(fullgraph=True, dynamic=False)
    try:
        trial()["flow"].backward()  # type: ignore[no-untyped-call]
    except Exception:  # compilers raise anything; eager blocks train as well
        log.exception("the blocks could not be compiled")
        for module in model.modules():
            module._compiled_call_impl = None
        return False
    finally:
        model.zero_grad(set_to_none=True)
    return True
