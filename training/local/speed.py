"""What makes a step fast on a card: compiled blocks, Hopper's attention kernel; and eager again for what is no step."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

log = logging.getLogger(__name__)

# Tests compile on a CPU, with the backend that only traces.
COMPILED_DEVICES = {"cuda"}
COMPILE_OPTIONS: dict[str, Any] = {}
# cuDNN's kernel takes heads of these widths for forward and backward on Hopper (cuDNN 9, fused flash attention).
_CUDNN_HEADS = (64, 128)


def speed_up(transformer: Any, device: torch.device, *, compiled: bool) -> None:
    """Call once the LoRA is in and the transformer is on its device."""
    if cudnn_attention_works(transformer.config.attention_head_dim, device):
        # 1.7 to 2.3 times as fast as the default kernel, forward and backward (transformers#48163).
        transformer.set_attention_backend("_native_cudnn")
    if device.type in COMPILED_DEVICES and compiled:
        transformer.compile_repeated_blocks(**COMPILE_OPTIONS)


def cudnn_attention_works(head: int, device: torch.device) -> bool:
    """Whether cuDNN's attention is there, forward and backward, for heads of this width; it pays from Hopper on."""
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < (9, 0) or head not in _CUDNN_HEADS:
        return False
    q = torch.randn(1, 1, 128, head, device=device, dtype=torch.bfloat16, requires_grad=True)
    try:
        with torch.enable_grad(), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.CUDNN_ATTENTION):
            torch.nn.functional.scaled_dot_product_attention(q, q, q).sum().backward()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        log.warning("cuDNN's attention does not work here, the default one is used: %s", str(error).splitlines()[0])
        return False
    return True


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
