"""The demo's autoencoder: 256x256 pictures to 16 x 16 x 16 latents and back (16x smaller each way).

Trained on crops with L1 at three scales, L1 of the edges and of the hues, and a small KL. Few GroupNorm groups,
since as many groups as channels lose colour. Some crops get their colour channels permuted and are mirrored, so
that it codes more than it was shown. `refine` goes on with the decoder alone: latents stay as they are, so it may
run beside the transformer's training, and LoRAs stay valid.
"""

import logging
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from training.demo.model.loop import Plan, device, train
from training.demo.model.muon import optimizers_for
from training.demo.model.vendor import Vae

log = logging.getLogger(__name__)
CROP, BATCH = 128, 8


def build(channels: tuple[int, ...] = (12, 24, 48, 96, 96)) -> Vae:
    """An untrained autoencoder of the demo's shape."""
    torch.manual_seed(3)
    model: Vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 5,
        up_block_types=("UpDecoderBlock2D",) * 5,
        block_out_channels=channels,
        layers_per_block=1,
        latent_channels=16,
        norm_num_groups=4,
        sample_size=256,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    with (
        torch.no_grad()
    ):  # start with little noise: at a deviation of 1 it would drown the picture for hundreds of steps
        model.encoder.conv_out.bias[16:] = -5.0
        model.encoder.conv_out.weight[16:] *= 0.1
    return model


def crops(pictures: NDArray[np.uint8], generator: torch.Generator, batch: int = BATCH, crop: int = CROP) -> Tensor:
    """`batch` random crops in -1..1, some mirrored or with permuted colours."""
    out = []
    for index in torch.randint(len(pictures), (batch,), generator=generator).tolist():
        y, x = (int(v) for v in torch.randint(0, (256 - crop) // 2 + 1, (2,), generator=generator) * 2)
        piece = torch.from_numpy(np.array(pictures[index, y : y + crop, x : x + crop]))
        flip, permute = torch.rand(2, generator=generator).tolist()
        if flip < 0.2:
            piece = piece.flip(1)
        if permute < 0.15:
            piece = piece[..., torch.randperm(3, generator=generator)]
        out.append(piece)
    return torch.stack(out).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def edges(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences of neighbouring pixels, down and across."""
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def picture_loss(ours: Tensor, real: Tensor) -> dict[str, Tensor]:
    """L1 at full, half and quarter size, and of edges."""
    loss = {
        "l1": F.l1_loss(ours, real),
        "edge": sum(F.l1_loss(a, b) for a, b in zip(edges(ours), edges(real), strict=True)),
    }
    # Hue comes last of all if colours count only through L1: differences of the channels get a weight of their own.
    loss["chroma"] = 2 * F.l1_loss(ours[:, :2] - ours[:, 1:], real[:, :2] - real[:, 1:])
    for k in (2, 4):
        loss[f"l1/{k}"] = 0.5 * F.l1_loss(F.avg_pool2d(ours, k), F.avg_pool2d(real, k))
    return loss  # type: ignore[return-value]


def fit(work: Path, pictures: NDArray[np.uint8], plan: Plan, stop_at: int | None = None) -> Vae:
    """Trains encoder and decoder together; returns the averaged weights."""
    where = device()
    model = build().to(where)
    optimizers = optimizers_for(model, 6e-3, plain=("conv_in", "conv_out"))

    def loss_of(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        real = crops(pictures, generator).to(where)
        with torch.autocast(where.type, torch.bfloat16):
            mean, logvar = model.encoder(real).float().chunk(2, dim=1)
            logvar = logvar.clamp(-12, 4)
            noise = torch.randn(mean.shape, generator=generator).to(where)
            ours = model.decoder(mean + noise * (0.5 * logvar).exp()).float()
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
        return {**picture_loss(ours, real), "kl": 1e-3 * kl}

    average = train(work / "vae.pt", model, optimizers, loss_of, plan, stop_at=stop_at)
    assert isinstance(average, AutoencoderKL)
    return average


def refine(work: Path, start: Vae, pictures: NDArray[np.uint8], plan: Plan) -> Vae:
    """Goes on with the decoder alone."""
    where = device()
    model = start.to(where).requires_grad_(False)
    model.decoder.requires_grad_(True)
    optimizers = optimizers_for(model, 3e-3, plain=("conv_in", "conv_out"))

    def loss_of(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        real = crops(pictures, generator).to(where)
        with torch.autocast(where.type, torch.bfloat16):
            with torch.no_grad():
                mean = model.encoder(real)[:, :16].float()
            # A little noise stands for the transformer's small errors.
            noise = torch.randn(mean.shape, generator=generator).to(where)
            ours = model.decoder(mean + 0.05 * noise).float()
        return picture_loss(ours, real)

    average = train(work / "decoder.pt", model, optimizers, loss_of, plan)
    assert isinstance(average, AutoencoderKL)
    return average


@torch.no_grad()
def encode(model: Vae, pictures: NDArray[np.uint8], batch: int = 4) -> Tensor:
    """Latent means, N x 16 x 16 x 16 in bf16, not yet shifted or scaled."""
    out = []
    for i in range(0, len(pictures), batch):
        real = torch.from_numpy(np.array(pictures[i : i + batch])).permute(0, 3, 1, 2).float().div(127.5).sub(1)
        with torch.autocast(device().type, torch.bfloat16):
            out.append(model.encoder(real.to(device()))[:, :16].to("cpu", torch.bfloat16))
    return torch.cat(out)


@torch.no_grad()
def sheet(model: Vae, pictures: NDArray[np.uint8], path: Path, count: int = 8) -> None:
    """A picture of originals above their reconstructions."""
    real = torch.from_numpy(np.array(pictures[:count])).permute(0, 3, 1, 2).float().div(127.5).sub(1)
    ours = model.decoder(model.encoder(real.to(device()))[:, :16]).cpu()
    _save(torch.cat([torch.cat(list(real), 2), torch.cat(list(ours), 2)], 1), path)


@torch.no_grad()
def save_row(model: Vae, latents: Tensor, path: Path) -> None:
    """A row of pictures from unscaled latents."""
    _save(torch.cat(list(model.decoder(latents).float().cpu()), 2), path)


def _save(pixels: Tensor, path: Path) -> None:
    Image.fromarray(pixels.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(1, 2, 0).numpy()).save(path)
