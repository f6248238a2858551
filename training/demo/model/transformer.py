"""The demo's FLUX transformer: flow matching on cached latents and cached text.

Trains a `FluxTransformer2DModel` of 2 double and 3 single blocks from scratch (rectified flow, logit-normal times,
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

from training.demo.model.loop import Plan, device, train
from training.demo.model.muon import optimizers_for
from training.demo.model.vendor import Flux

log = logging.getLogger(__name__)
WIDTH, GRID = 256, 8  # 64 image tokens of 4 x 16 numbers
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


@dataclass(frozen=True)
class Cache:
    """All that the loop needs, on one device: scaled latents N x 64 x 64, and text C x L x W and C x W.

    Caption i * variants + k belongs to picture i; the last caption is the empty one.
    """

    latents: Tensor
    tokens: Tensor
    pooled: Tensor
    variants: int

    def to(self, where: torch.device) -> "Cache":
        """The same on another device."""
        return Cache(self.latents.to(where), self.tokens.to(where), self.pooled.to(where), self.variants)


def pack(latents: Tensor) -> Tensor:
    """N x 16 x 16 x 16 latents to N x 64 x 64 tokens, in FluxPipeline's order."""
    n, c, h, w = latents.shape
    return latents.view(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(n, h * w // 4, c * 4)


def build(width: int = WIDTH, text_width: int = 128) -> Flux:
    """An untrained transformer of the demo's shape; its last layer starts at zero."""
    torch.manual_seed(6)
    model: Flux = FluxTransformer2DModel(
        patch_size=1,
        in_channels=64,
        num_layers=2,
        num_single_layers=3,
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
    with torch.autocast(noisy.device.type, torch.bfloat16):
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
def sample(model: Flux, tokens: Tensor, pooled: Tensor, steps: int = 12, seed: int = 0) -> Tensor:
    """Scaled latents N x 16 x 16 x 16 drawn with Euler's method; for looking at while training."""
    where = next(model.parameters()).device
    count = len(tokens)
    now = torch.randn(count, GRID * GRID, 64, generator=torch.Generator().manual_seed(seed)).to(where)
    sigmas = torch.linspace(1, 0, steps + 1)
    guidance = torch.full((count,), 3.5, device=where)
    for here, there in zip(sigmas[:-1].tolist(), sigmas[1:].tolist(), strict=True):
        sigma = torch.full((count,), here, device=where)
        now = now + (there - here) * velocity(model, now, sigma, guidance, tokens.to(where), pooled.to(where))
    return unpack(now)


Batch = tuple[Tensor, Tensor, Tensor, Tensor]


def sample_batch(cache: Cache, batch: int, generator: torch.Generator, dropped: float) -> Batch:
    """Latents, sigmas, text tokens and pooled text of a random batch; `dropped` is the share of empty captions."""
    index = torch.randint(len(cache.latents), (batch,), generator=generator)
    caption = index * cache.variants + torch.randint(cache.variants, (batch,), generator=generator)
    caption[torch.rand(batch, generator=generator) < dropped] = len(cache.tokens) - 1
    # Spread over the batch: one draw in each of `batch` equal slices, which lowers the gradient's noise.
    even = (torch.arange(batch) + torch.rand(batch, generator=generator)) / batch
    normal = torch.special.ndtri(even.clamp(1e-4, 1 - 1e-4))
    sigma = torch.sigmoid(normal + 0.3)
    where = cache.latents.device
    index, caption, sigma = index.to(where), caption.to(where), sigma.to(where)
    return cache.latents[index].float(), sigma, cache.tokens[caption].float(), cache.pooled[caption].float()


def fit(
    work: Path,
    cache: Cache,
    plan: Plan,
    on_save: Callable[[Flux, int], None] | None = None,
    batch: int = BATCH,
    stop_at: int | None = None,
    model: Flux | None = None,
) -> Flux:
    """Trains; returns the averaged weights."""
    where = device()
    model = (model or build()).to(where)
    cache = cache.to(where)

    def loss_of(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        clean, sigma, tokens, pooled = sample_batch(cache, batch, generator, 0.08)
        noise = torch.randn(clean.shape, generator=generator).to(where)
        guidance = torch.empty(batch).uniform_(*GUIDANCE, generator=generator).to(where)
        at = sigma[:, None, None]
        predicted = velocity(model, torch.lerp(clean, noise, at), sigma, guidance, tokens, pooled)
        return {"flow": (predicted - (noise - clean)).square().mean()}

    return _run(work / "flow.pt", model, loss_of, plan, on_save, stop_at)


def speed_up(model: Flux) -> None:
    """Compiles the blocks (2.3x faster steps on a CPU, after a minute of compiling); needs a C++ compiler."""
    model.compile_repeated_blocks(fullgraph=True, dynamic=False)


def _run(
    path: Path,
    model: Flux,
    loss_of: Callable[[int, torch.Generator], dict[str, Tensor]],
    plan: Plan,
    on_save: Callable[[Flux, int], None] | None,
    stop_at: int | None,
) -> Flux:
    optimizers = optimizers_for(model, LR, weight_decay=0.02, plain=_PLAIN, plain_lr=PLAIN_LR)
    if COMPILE:
        speed_up(model)
    saved = None if on_save is None else (lambda average, step: on_save(average, step))
    average = train(path, model, optimizers, loss_of, plan, on_save=saved, stop_at=stop_at)
    assert isinstance(average, FluxTransformer2DModel)
    return average
