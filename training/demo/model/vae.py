"""The demo's autoencoder: 256x256 pictures to 16 x 16 x 16 latents and back (16x smaller each way).

Trained on crops with L1 at three scales, L1 of the edges and of the hues, and a small KL. Few GroupNorm groups,
since as many groups as channels lose colour. Some crops get their colour channels permuted or are mirrored, so
that it codes more than it was shown. `refine` goes on with the decoder alone: latents stay as they are, so it may
run beside the transformer's training, and LoRAs stay valid.
"""

import logging
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor

from training.demo.model import Vae
from training.demo.model.loop import Schedule, low_precision, train
from training.demo.model.muon import optimizers_for
from training.demo.model.store import Store

log = logging.getLogger(__name__)
CROP, BATCH, CHANNELS = 128, 8, 16


def build(channels: tuple[int, ...] = (16, 32, 64, 96, 96)) -> Vae:
    """An untrained autoencoder of the demo's shape."""
    torch.manual_seed(3)
    model: Vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 5,
        up_block_types=("UpDecoderBlock2D",) * 5,
        block_out_channels=channels,
        layers_per_block=1,
        latent_channels=CHANNELS,
        norm_num_groups=4,
        sample_size=256,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    with (
        torch.no_grad()
    ):  # start with little noise: at a deviation of 1 it would drown the picture for hundreds of steps
        model.encoder.conv_out.bias[CHANNELS:] = -5.0
        model.encoder.conv_out.weight[CHANNELS:] *= 0.1
    return model


def crops(store: Store, generator: torch.Generator, batch: int = BATCH, crop: int = CROP) -> Tensor:
    """`batch` crops in -1..1, half of them around the thing, some mirrored or with permuted colours."""
    where = store.device
    index = torch.randint(store.count, (batch,), generator=generator, device=where)
    free = torch.randint(0, 257 - crop, (batch, 2), generator=generator, device=where)
    boxes = store.boxes[index].long()
    around = (boxes[:, :2] + boxes[:, 2:]) // 2 - crop // 2 + free // 4 - (256 - crop) // 8
    choice = torch.rand(batch, 3, generator=generator, device=where)
    start = torch.where(choice[:, :1] < 0.5, around, free).clamp(0, 256 - crop)
    line = torch.arange(crop, device=where)
    across = torch.where(choice[:, 1:2] < 0.2, start[:, :1] + line.flip(0), start[:, :1] + line)
    pieces = store.pictures[index[:, None, None], (start[:, 1:] + line)[:, :, None], across[:, None, :]]
    few = batch // 8
    pieces[:few] = pieces[:few][..., torch.randperm(3, generator=generator, device=where)]
    return pieces.permute(0, 3, 1, 2).float().div(127.5).sub(1)


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


def fit(path: Path, store: Store, plan: Schedule, batch: int = BATCH, model: Vae | None = None) -> Vae:
    """Trains encoder and decoder together; returns the averaged weights."""
    where = store.device
    model = _placed(model or build(), where)
    optimizers = optimizers_for(model, 6e-3, plain=("conv_in", "conv_out"))

    def loss_of(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        real = crops(store, generator, batch)
        with low_precision(where):
            mean, logvar = model.encoder(real).float().chunk(2, dim=1)
            logvar = logvar.clamp(-12, 4)
            noise = torch.randn(mean.shape, generator=generator, device=where)
            ours = model.decoder(mean + noise * (0.5 * logvar).exp()).float()
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
        return {**picture_loss(ours, real), "kl": 1e-3 * kl}

    return train(path, model, optimizers, loss_of, plan)


def refine(path: Path, start: Vae, store: Store, plan: Schedule, batch: int = BATCH) -> Vae:
    """Goes on with the decoder alone."""
    where = store.device
    model = _placed(start, where).requires_grad_(False)
    model.decoder.requires_grad_(True)
    optimizers = optimizers_for(model, 3e-3, plain=("conv_in", "conv_out"))

    def loss_of(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        real = crops(store, generator, batch)
        with low_precision(where):
            with torch.no_grad():
                mean = model.encoder(real)[:, :CHANNELS].float()
            # A little noise stands for the transformer's small errors.
            noise = torch.randn(mean.shape, generator=generator, device=where)
            ours = model.decoder(mean + 0.05 * noise).float()
        return picture_loss(ours, real)

    return train(path, model, optimizers, loss_of, plan)


@torch.no_grad()
def encode(model: Vae, pictures: Tensor, batch: int = 64) -> Tensor:
    """Latent means of N x 256 x 256 x 3 pictures, N x 16 x 16 x 16 in bf16, not yet shifted or scaled."""
    out = []
    for some in torch.split(pictures, batch):
        with low_precision(pictures.device):
            out.append(model.encoder(_floats(some))[:, :CHANNELS].to(torch.bfloat16))
    return torch.cat(out)


@torch.no_grad()
def sheet(model: Vae, pictures: Tensor, path: Path) -> None:
    """A picture of originals above their reconstructions."""
    real = _floats(pictures)
    ours = model.decoder(model.encoder(real)[:, :CHANNELS])
    _save(torch.cat([torch.cat(list(real), 2), torch.cat(list(ours), 2)], 1), path)


@torch.no_grad()
def decode(model: Vae, latents: Tensor, batch: int = 32) -> Tensor:
    """Pictures N x 3 x 256 x 256 in -1..1 from unscaled latents."""
    return torch.cat([model.decoder(some).float() for some in torch.split(latents, batch)])


def save_grid(pictures: Tensor, path: Path, columns: int = 8) -> None:
    """A grid of pictures; what does not fill a row is left out."""
    rows = [torch.cat(list(row), 2) for row in torch.split(pictures, columns) if len(row) == columns]
    _save(torch.cat(rows, 1), path)


def _placed(model: Vae, where: torch.device) -> Vae:
    return model.to(where, memory_format=torch.channels_last) if where.type == "cuda" else model.to(where)


def _floats(pictures: Tensor) -> Tensor:
    return pictures.permute(0, 3, 1, 2).float().div(127.5).sub(1)


def _save(pixels: Tensor, path: Path) -> None:
    array = pixels.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    Image.fromarray(array).save(path)
