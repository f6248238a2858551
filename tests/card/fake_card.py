"""A card that is not there: FakeTensorMode with device "cuda", and a count of the bytes that live on it.

Nothing is computed and nothing allocated, but shapes, dtypes, devices and lifetimes are those of a real run: what is
on the wrong device or of the wrong dtype raises as on a card, and `Bytes.peak` is the peak of what an allocator would
hand out in blocks of 512 bytes. Left out: CUDA's context, workspaces of cuBLAS and cuDNN, fragmentation.

Import this before torch, in a process of its own (`python -m tests.card.simulate`): torch asks for an accelerator once.
"""

import contextlib
import ctypes
import hashlib
import importlib.util
import subprocess
import sys
import sysconfig
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

_SOURCE = Path(__file__).with_name("cuda_guard.cpp")


class NoCompiler(RuntimeError):
    """The pretended device needs g++ once."""


def build_guard() -> Path:
    """The library that makes a build of torch without CUDA accept fake tensors there; built once, about a minute."""
    spec = importlib.util.find_spec("torch")
    assert spec is not None
    assert spec.origin is not None
    torch_folder = Path(spec.origin).parent
    number = (torch_folder / "version.py").read_text() + _SOURCE.read_text() + sysconfig.get_platform()
    name = f"cuda_guard-{hashlib.sha256(number.encode()).hexdigest()[:12]}.so"
    library = Path(tempfile.gettempdir()) / f"samurai-badges-{Path.home().owner()}" / name
    if library.exists():
        return library
    library.parent.mkdir(parents=True, exist_ok=True)
    include = torch_folder / "include"
    part = library.with_suffix(".part")
    command = ["g++", "-std=c++20", "-shared", "-fPIC", f"-I{include}", f"-I{include}/torch/csrc/api/include"]
    command += [str(_SOURCE), "-o", str(part), f"-L{torch_folder / 'lib'}", "-lc10", "-ltorch_cpu"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise NoCompiler("g++ is not installed") from error
    except subprocess.CalledProcessError as error:
        raise NoCompiler(f"g++ cannot build the pretended device: {error.stderr.strip()[-300:]}") from error
    part.replace(library)
    return library


def prepare() -> None:
    """Load the pretended device. Before torch is imported."""
    if "torch" in sys.modules:
        raise RuntimeError("torch is imported already: a pretended card needs a process of its own")
    spec = importlib.util.find_spec("torch")
    assert spec is not None
    assert spec.origin is not None
    guard = build_guard()
    for name in ("libc10.so", "libtorch_cpu.so"):
        ctypes.CDLL(str(Path(spec.origin).parent / "lib" / name), ctypes.RTLD_GLOBAL)
    ctypes.CDLL(str(guard), ctypes.RTLD_GLOBAL)


class Bytes:
    """What lives on each kind of device now and lived there at most, and how often the host waited for the card."""

    def __init__(self) -> None:
        self.live: dict[int, Any] = {}
        self.now: dict[str, int] = {}
        self.peak: dict[str, int] = {}
        self.waits = 0

    @property
    def card(self) -> int:
        """Bytes on the card at the peak since `reset`."""
        return self.peak.get("cuda", 0)

    def reset(self) -> None:
        """Begin a new peak."""
        self.peak = dict(self.now)

    def see(self, tensor: Any) -> None:
        """Count a tensor's storage from now to its end; a wrapper's parts in its place."""
        from torch.utils._python_dispatch import is_traceable_wrapper_subclass

        if is_traceable_wrapper_subclass(tensor):
            for name in tensor.__tensor_flatten__()[0]:
                self.see(getattr(tensor, name))
            return
        storage = tensor.untyped_storage()
        key, kind = storage._cdata, tensor.device.type
        if key in self.live:
            return
        size = -(-storage.nbytes() // 512) * 512

        def gone(_: Any) -> None:
            if self.live.pop(key, None) is not None:
                self.now[kind] -= size

        self.live[key] = weakref.ref(storage, gone)
        self.now[kind] = self.now.get(kind, 0) + size
        self.peak[kind] = max(self.peak.get(kind, 0), self.now[kind])


def _import_all() -> None:
    """Lazy imports look for real cards: they come before the pretence."""
    import diffusers
    import diffusers.hooks.first_block_cache
    import diffusers.hooks.group_offloading
    import torch._dynamo
    import torch._inductor.config  # noqa: F401

    for name in (
        "FluxTransformer2DModel", "Flux2Transformer2DModel", "AutoencoderKL", "AutoencoderKLFlux2", "FluxPipeline",
        "Flux2KleinPipeline", "FlowMatchEulerDiscreteScheduler",
    ):  # fmt: skip
        getattr(diffusers, name)
    with contextlib.suppress(ImportError):
        import torchao.quantization  # noqa: F401


def _attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    """The kernel that a card would choose: flash where it can, else memory-efficient; each keeps what it keeps."""
    import torch

    if torch.is_autocast_enabled("cuda"):  # in autocast's list of what runs in 16 bits
        query, key, value = (x.to(torch.get_autocast_dtype("cuda")) for x in (query, key, value))
    if attn_mask is None and query.shape[-1] <= 256 and query.dtype != torch.float32:
        flash = torch.ops.aten._scaled_dot_product_flash_attention
        return flash(query, key, value, dropout_p, is_causal, scale=scale)[0]
    keep = torch.is_grad_enabled() and any(x.requires_grad for x in (query, key, value))
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype).masked_fill_(attn_mask.logical_not(), float("-inf"))
    if enable_gqa:
        many = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(many, 1), value.repeat_interleave(many, 1)
    if attn_mask is not None:
        attn_mask = attn_mask.expand(*query.shape[:3], key.shape[2])
    efficient = torch.ops.aten._scaled_dot_product_efficient_attention
    return efficient(query, key, value, attn_mask, keep, dropout_p, is_causal, scale=scale)[0]


def _numbers(tensor: Any, **_: Any) -> Any:
    """Some values of the tensor's shape: it has none."""
    import numpy as np

    return np.random.default_rng(0).random(tuple(tensor.shape), dtype=np.float32)


def _apply(module: Any, fn: Any, recurse: bool = True) -> Any:
    """`nn.Module._apply` with new parameters: fake ones cannot be swapped in place."""
    import torch

    for child in module.children() if recurse else ():
        _apply(child, fn)
    for key, parameter in module._parameters.items():
        if parameter is not None:
            new = fn(parameter)
            if new is not parameter:
                module._parameters[key] = torch.nn.Parameter(new.detach(), requires_grad=parameter.requires_grad)
    for key, buffer in module._buffers.items():
        if buffer is not None:
            module._buffers[key] = fn(buffer)
    return module


@contextlib.contextmanager
def fake_card(capability: tuple[int, int] = (9, 0), memory: int = 80 * 2**30) -> Iterator[Bytes]:
    """Within, torch believes in one CUDA card and all tensors are fake. Needs `prepare` first."""
    _import_all()
    import torch
    from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_map_only

    count = Bytes()

    class Counting(TorchDispatchMode):
        supports_higher_order_operators = True

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.ops.aten._local_scalar_dense.default and isinstance(args[0], FakeTensor):
                count.waits += args[0].device.type == "cuda"
                return 0.5 if args[0].dtype.is_floating_point else 1
            out = func(*args, **(kwargs or {}))
            tree_map_only(torch.Tensor, count.see, out)
            return out

    about = SimpleNamespace(
        name="a pretended card", total_memory=memory, major=capability[0], minor=capability[1],
        multi_processor_count=132, gcnArchName="",
    )  # fmt: skip
    answers: dict[str, Any] = {
        "is_available": lambda: True, "current_device": lambda: 0, "device_count": lambda: 1,
        "get_device_properties": lambda *_: about, "get_device_capability": lambda *_: capability,
        "mem_get_info": lambda *_: (memory - count.now.get("cuda", 0), memory),
        "get_device_name": lambda *_: about.name, "get_arch_list": lambda: [f"sm_{capability[0]}{capability[1]}"],
        "_lazy_init": lambda: None, "synchronize": lambda *_: None, "empty_cache": lambda: None,
        "get_rng_state": lambda *_: torch.zeros(16, dtype=torch.uint8), "manual_seed_all": lambda *_: None,
        "is_bf16_supported": lambda *a, **k: True, "set_device": lambda *_: None, "is_initialized": lambda: True,
        "reset_peak_memory_stats": lambda *_: count.reset(), "max_memory_allocated": lambda *_: count.card,
        "max_memory_reserved": lambda *_: count.card, "memory_allocated": lambda *_: count.now.get("cuda", 0),
        "set_per_process_memory_fraction": lambda *_: None,
    }  # fmt: skip
    with contextlib.ExitStack() as stack:
        for name, value in answers.items():
            stack.enter_context(patch.object(torch.cuda, name, value))
        stack.enter_context(patch.object(torch.version, "cuda", "13.0"))
        stack.enter_context(patch.object(torch.nn.functional, "scaled_dot_product_attention", _attention))
        stack.enter_context(patch.object(torch.Tensor, "pin_memory", lambda self, *_: self))
        stack.enter_context(patch.object(torch.Tensor, "numpy", _numbers))
        stack.enter_context(patch.object(torch.nn.Module, "_apply", _apply))
        # Constants are not really carried to the card.
        stack.enter_context(patch.object(FakeTensorMode, "avoid_device_init", True))
        stack.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
        stack.enter_context(Counting())
        yield count
