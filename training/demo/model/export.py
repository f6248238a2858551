"""Writes the demo model as a FluxPipeline folder, all or nothing: written aside, then put in place by renaming.

Weights go to fp16 safetensors. The folder is what `FluxPipeline.from_pretrained` reads, like any other FLUX.
"""

import copy
import logging
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline
from transformers import CLIPTextModel, CLIPTokenizer, T5EncoderModel, T5Tokenizer

from training.demo.model import Flux, Scheduler, Vae
from training.demo.model.transformer import SHIFT

log = logging.getLogger(__name__)


def scheduler() -> Scheduler:
    """Plain flow matching with the usual shift; the picture is small, so no resolution-dependent one."""
    return FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=SHIFT, use_dynamic_shifting=False)


def export(
    folder: Path,
    transformer: Flux,
    vae: Vae,
    shift_scale: tuple[float, float],
    clip_tokenizer: CLIPTokenizer,
    t5_tokenizer: T5Tokenizer,
    clip: CLIPTextModel,
    t5: T5EncoderModel,
) -> None:
    """Replaces `folder` with the pipeline of these parts, which are left as they are."""
    parts: dict[str, Any] = {
        name: copy.deepcopy(part).to("cpu", torch.float16).eval()
        for name, part in {"transformer": transformer, "vae": vae, "text_encoder": clip, "text_encoder_2": t5}.items()
    }
    parts["vae"].register_to_config(shift_factor=shift_scale[0], scaling_factor=shift_scale[1])
    pipeline: Any = FluxPipeline(scheduler=scheduler(), tokenizer=clip_tokenizer, tokenizer_2=t5_tokenizer, **parts)
    aside = folder.with_name(folder.name + ".part")
    old = folder.with_name(folder.name + ".old")
    for leftover in (aside, old):
        shutil.rmtree(leftover, ignore_errors=True)
    pipeline.save_pretrained(aside, safe_serialization=True)
    if folder.exists():
        folder.rename(old)
    aside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    log.info("exported %s, %.1f MB", folder, size / 1e6)
