"""What this machine draws on: the card's name, memory, and what its generation of silicon can do.

Compute capabilities after NVIDIA's table (https://developer.nvidia.com/cuda-gpus): Ampere 8.0 and 8.6, Ada 8.9,
Hopper 9.0, Blackwell 10.0 and 12.0. Matrix units for fp8 exist from Ada on, for int8 from Turing on, bf16 from
Ampere on.
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

GB = 10**9
_CUDA_TRACES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd", "/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Card:
    """A place to draw. `memory` in bytes; `capability` (0, 0) for everything that is no CUDA card."""

    name: str
    device: str
    memory: int
    capability: tuple[int, int] = (0, 0)

    @property
    def is_cuda(self) -> bool:
        """Whether it is a CUDA (or ROCm) card."""
        return self.device.startswith("cuda")

    @property
    def has_fp8(self) -> bool:
        """Whether fp8 products run faster than bf16 ones."""
        return self.capability >= (8, 9)

    @property
    def has_int8(self) -> bool:
        """Whether int8 products run faster than bf16 ones."""
        return self.capability >= (7, 5)

    @property
    def has_bf16(self) -> bool:
        """Whether bf16 products are native."""
        return self.capability >= (8, 0)


def find_card(device: str) -> Card:
    """The card behind `device`: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`. `auto` takes the first CUDA card, else the CPU.

    Imports torch only where there may be a card. Raises ValueError where the device is not there.
    """
    _spin_less()
    if device == "auto":
        device = "cuda" if cuda_available() else "cpu"
    if device == "cpu":
        return Card(device, device, 0)
    import torch

    if device != "mps" and not re.fullmatch(r"cuda(:\d+)?", device):
        raise ValueError("unknown device: choose auto, cpu, cuda, cuda:1 or mps")
    if device.startswith("cuda"):
        if not torch.cuda.is_available() or (torch.device(device).index or 0) >= torch.cuda.device_count():
            raise ValueError(f"there is no device {device} here: choose auto or cpu")
        about = torch.cuda.get_device_properties(device)
        return Card(about.name, device, about.total_memory, (about.major, about.minor))
    if device == "mps" and not torch.backends.mps.is_available():
        raise ValueError("there is no device mps here: choose auto or cpu")
    return Card(device, device, 0)


def cuda_available() -> bool:
    """Whether a CUDA card can be used. torch is asked (and imported) only where the system shows a driver."""
    if not any(Path(trace).exists() for trace in _CUDA_TRACES):
        return False
    import torch

    return torch.cuda.is_available()


def _spin_less() -> None:
    """Let threads that wait for each other sleep sooner; no effect once torch is imported, or where it is set already.

    By default they spin for milliseconds. Alone on a machine that is a little faster (0.25 s a demo portrait, 0.28
    with this); beside other busy processes every spin is time taken from the thread that is waited for (29 s, and 2.6
    with this). See GOMP_SPINCOUNT in libgomp's manual.
    """
    if "torch" not in sys.modules:
        os.environ.setdefault("GOMP_SPINCOUNT", "20000")


def usable_cores() -> int:
    """CPU cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
