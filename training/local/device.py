"""What this machine can do: the device, its memory, and which quantization it needs."""

import os
from typing import Any

import torch

from training.errors import InvalidJob, TrainerUnavailable
from training.local.memory_plan import MemoryPlan


def choose_device(wanted: str) -> torch.device:
    """`auto` takes CUDA where it is. Raises InvalidJob for a device that is not here."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise InvalidJob(f"training.device = {wanted!r}: choose auto, cpu, cuda or cuda:1") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InvalidJob(f"training.device = {wanted!r}, but there is no CUDA card here: choose auto or cpu")
    return device


def memory_of(device: torch.device) -> tuple[int, str]:
    """(bytes that training may use, the device's name)."""
    if device.type == "cuda":
        free, _total = torch.cuda.mem_get_info(device)
        return free, torch.cuda.get_device_name(device)
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return pages, "this machine"


def quantization(plan: MemoryPlan) -> Any:
    """diffusers' configuration for the plan's base, or None. Raises TrainerUnavailable without bitsandbytes."""
    if plan.base not in ("int8", "nf4"):
        return None
    try:
        import bitsandbytes  # noqa: F401
    except ImportError as error:
        raise TrainerUnavailable(
            f"an {plan.base} base needs bitsandbytes: pip install bitsandbytes, or take a smaller base"
        ) from error
    from diffusers import BitsAndBytesConfig

    if plan.base == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
