"""What makes a step fast on a card: compiled blocks, Hopper's attention kernel; and eager again for what is no step."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

# Tests compile on a CPU, with the backend that only traces.
COMPILED_DEVICES = {"cuda"}
COMPILE_OPTIONS: dict[str, Any] = {}
# The only width of heads with which cuDNN's backward was seen to work: full-size models on an H100. With heads of 64 it
# ended in an illegal memory access there (torch 2.11, cuDNN 9.19), which no later call in the process survives, so that
# it cannot be tried first.
_CUDNN_HEAD = 128


def speed_up(transformer: Any, device: torch.device, *, compiled: bool) -> None:
    """Call once the LoRA is in and the transformer is on its device."""
    if device.type == "cuda":
        cudnn = torch.cuda.get_device_capability(device) >= (9, 0) and head_width(transformer) == _CUDNN_HEAD
        # torch's own choice of a kernel would take cuDNN's, too.
        torch.backends.cuda.enable_cudnn_sdp(cudnn)
        # 1.7 to 2.3 times as fast as the default kernel, forward and backward (transformers#48163).
        transformer.set_attention_backend("_native_cudnn" if cudnn else "native")
    if device.type in COMPILED_DEVICES and compiled:
        transformer.compile_repeated_blocks(**COMPILE_OPTIONS)


def head_width(transformer: Any) -> int:
    """Values of one attention head."""
    width: int = transformer.config.attention_head_dim
    return width


def uncompile(transformer: Any) -> bool:
    """Let compiled blocks run uncompiled from now on; whether there were any."""
    compiled = [module for module in transformer.modules() if module._compiled_call_impl is not None]
    for module in compiled:
        module._compiled_call_impl = None
    return bool(compiled)


@contextmanager
def eager(transformer: Any) -> Iterator[None]:
    """Within, compiled blocks run uncompiled.

    Scores and samples have shapes and modes of their own; compiled, they would use up torch's limit of 8 versions of
    a block, after which the steps themselves would run uncompiled.
    """
    if not any(module._compiled_call_impl is not None for module in transformer.modules()):
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield
