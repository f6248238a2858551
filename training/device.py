"""What this machine can do: the device, its memory, and how fast it multiplies, measured in a moment."""

import os
import time
from typing import Any

import torch

from training.errors import InvalidJob, TrainerUnavailable
from training.memory_plan import MemoryPlan

REACHED = 0.6
"""Share of a bare product's speed that a training step reaches; corrected after 20 steps by what it really is."""


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


def measured_tflops(device: torch.device) -> float:
    """10^12 operations a second that training can expect: a bare matrix product, times `REACHED`."""
    cuda = device.type == "cuda"
    side, kind = (8192, torch.bfloat16) if cuda else (768, torch.float32)
    a = torch.ones(side, side, dtype=kind, device=device)
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        a @ a
        if cuda:
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - started)
    return REACHED * 2 * side**3 / best / 1e12


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
