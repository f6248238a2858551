"""What this machine draws on: the card's name, memory, and what its generation of silicon can do.

Compute capabilities after NVIDIA's table (https://developer.nvidia.com/cuda-gpus): Ampere 8.0 and 8.6, Ada 8.9,
Hopper 9.0, Blackwell 10.0 and 12.0. Matrix units for fp8 exist from Ada on, for int8 from Turing on, bf16 from
Ampere on.
"""

import logging
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

from configs.printable import first_line

log = logging.getLogger(__name__)

GB = 10**9
_CGROUP = Path("/sys/fs/cgroup")
_KNOWS_PINNED = (2, 13)
_PINNED = "pinned_max_round_threshold_mb:1"  # above this size nothing is rounded
_DRIVER = Path("/proc/driver/nvidia/version")
_CUDA_TRACES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd", "/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Card:
    """A place to draw. `memory` in bytes; `capability` (0, 0) for everything that is no CUDA card.

    `free` of it was free when we looked, and `ram` of main memory; None is "not known", which is no limit. `cuda` is
    the version that torch was built for.
    """

    name: str
    device: str
    memory: int
    capability: tuple[int, int] = (0, 0)
    free: int | None = None
    ram: int | None = None
    cuda: str = ""

    @property
    def is_cuda(self) -> bool:
        """Whether it is a CUDA (or ROCm) card."""
        return self.device.startswith("cuda")

    @property
    def has_fp8(self) -> bool:
        """Whether fp8 products run faster than bf16 ones, and run at all.

        cuBLAS of CUDA 12.9 refuses row-wise scaled products of a FLUX's shapes
        (https://github.com/pytorch/ao/issues/4582).
        """
        return self.capability >= (8, 9) and not self.cuda.startswith("12.9")

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

    Imports torch only where there may be a card. Raises ValueError where the device is not there, or is a card that
    the installed torch has no code for.
    """
    _spin_less()
    _pin_exactly()
    if device == "auto":
        device = "cuda" if cuda_available() else "cpu"
    if device == "cpu":
        return Card(device, device, 0, ram=available_ram())
    import torch

    if device != "mps" and not re.fullmatch(r"cuda(:\d+)?", device):
        raise ValueError("unknown device: choose auto, cpu, cuda, cuda:1 or mps")
    if device.startswith("cuda"):
        if not torch.cuda.is_available() or (torch.device(device).index or 0) >= torch.cuda.device_count():
            raise ValueError(f"there is no device {device} here: choose auto or cpu")
        about = torch.cuda.get_device_properties(device)
        card = Card(about.name, device, about.total_memory, (about.major, about.minor), cuda=torch.version.cuda or "")
        if not _serves(card.capability, torch.cuda.get_arch_list()):
            raise ValueError(not_served(card))
        free, _total = torch.cuda.mem_get_info(device)
        return replace(card, free=free, ram=available_ram())
    if device == "mps" and not torch.backends.mps.is_available():
        raise ValueError("there is no device mps here: choose auto or cpu")
    return Card(device, device, 0, ram=available_ram())


def cuda_available() -> bool:
    """Whether a CUDA card can be used. torch is asked (and imported) only where the system shows a driver.

    A card that the installed torch has no code for is none, which is warned of once by name.
    """
    if not any(Path(trace).exists() for trace in _CUDA_TRACES):
        return False
    _pin_exactly()
    import torch

    if not torch.cuda.is_available():
        return False
    about = torch.cuda.get_device_properties(0)
    card = Card(about.name, "cuda", about.total_memory, (about.major, about.minor), cuda=torch.version.cuda or "")
    if _serves(card.capability, torch.cuda.get_arch_list()):
        return True
    _warn_once(not_served(card))
    return False


def driver_version() -> str:
    """NVIDIA's driver as the kernel names it, such as "570.86.15"; "" where it names none."""
    try:
        found = re.search(r"\d+\.\d+(\.\d+)?", _DRIVER.read_text(encoding="ascii", errors="replace"))
    except OSError:
        return ""
    return found[0] if found else ""


def why_no_card() -> str:
    """Why torch sees no card though the system shows a driver; "" where there is neither."""
    if not any(Path(trace).exists() for trace in _CUDA_TRACES):
        return ""
    import torch

    if torch.version.cuda is None and torch.version.hip is None:
        return "the installed torch is a build for the CPU alone"
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return first_line(error)
    return "" if torch.cuda.device_count() else "it finds no device"


def not_served(card: Card) -> str:
    """What is wrong with a card that torch has no code for, and the ways out."""
    major, minor = card.capability
    return (
        f"the installed torch (CUDA {card.cuda}) has no code for {card.name} (compute capability {major}.{minor}): "
        "install a torch build that serves it, see https://pytorch.org/get-started/previous-versions, or choose "
        "--generator replicate or demo"
    )


def _serves(capability: tuple[int, int], architectures: Iterable[str]) -> bool:
    """Whether code for `architectures` (`sm_90`, `compute_120`, ...) runs on a card of `capability`.

    Binary code runs on cards of the same major version and the same or a later minor one; code for compute_NN is
    translated for any later card; sm_90a and the like run on that very card only (CUDA C++ Programming Guide, "Binary
    compatibility"). ROCm's names (gfx90a) are left to its own check.
    """
    known = [found for name in architectures if (found := re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", name))]
    if not known:
        return True
    for kind, major, minor, special in (each.groups() for each in known):
        made_for = (int(major), int(minor))
        if made_for == capability:
            return True
        if special:
            continue
        if kind == "compute" and made_for <= capability:
            return True
        if made_for[0] == capability[0] and made_for <= capability:
            return True
    return False


@cache
def _warn_once(message: str) -> None:
    log.warning("%s", message)


def available_ram() -> int | None:
    """Main memory in bytes that this process may still take, within its container's limit; None where unknown."""
    found = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        kilobytes = {key: int(value.split()[0]) for key, _, value in (line.partition(":") for line in lines)}
        found.append(kilobytes["MemAvailable"] * 1024)
    except (OSError, KeyError, ValueError, IndexError):
        pass
    try:  # cgroup v2, as Docker and systemd set it; the page cache in `current` is given back when needed
        limit = int((_CGROUP / "memory.max").read_text(encoding="ascii"))
        current = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        stat = dict(line.split() for line in (_CGROUP / "memory.stat").read_text(encoding="ascii").splitlines())
        found.append(limit - current + int(stat["inactive_file"]) + int(stat["active_file"]))
    except (OSError, KeyError, ValueError):
        pass  # no limit ("max"), or no cgroup
    return min(found, default=None)


def _pin_exactly() -> None:
    """Let torch pin blocks of main memory in their true size; no effect once CUDA has started.

    By default each block is rounded up to a power of two, which makes 29 GB out of FLUX.1's 17 GB of blocks. A torch
    that does not know the key refuses to start CUDA (seen with 2.11), so it is given to those only that do.
    """
    if tuple(map(int, version("torch").split("+")[0].split(".")[:2])) < _KNOWS_PINNED:
        return
    for name in ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"):
        if name in os.environ:
            break
    else:
        name = "PYTORCH_ALLOC_CONF"
    said = os.environ.get(name, "")
    if "pinned_max_round_threshold_mb" not in said:
        os.environ[name] = f"{said},{_PINNED}" if said else _PINNED


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
