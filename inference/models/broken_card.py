"""What is wrong with a card: out of memory, broken for good, or an ordinary failure.

After an illegal memory access or a failed assertion on the card, every later call into CUDA fails in the same
process (CUDA C++ Programming Guide, error handling: such errors are sticky). A server that goes on then answers every
request with an error; exiting lets the supervisor restart the process.
"""

import errno
import logging
import os
import sys
from typing import NoReturn

from configs.printable import first_line

log = logging.getLogger(__name__)

_STICKY = (
    "illegal memory access",
    "illegal instruction",
    "device-side assert",
    "misaligned address",
    "unspecified launch failure",
    "uncorrectable ecc",
    "invalid program counter",
    "the launch timed out",
    "hardware stack error",
    "cuda error: unknown error",
    "gpu is lost",
    "fallen off the bus",
)
EXIT_CODE = 1
# Not only torch's allocator says it: libraries that allocate by themselves fail in words of their own.
_COMPILERS = ("torch._dynamo", "torch._inductor", "torch._functorch", "triton")
_NO_COMPILER = ("c compiler", "c++ compiler", "python.h", "gcc", "cc1plus", "ptxas")
_NO_MEMORY = (
    "out of memory",  # CUDA, HIP and MPS, the driver (AcceleratorError), and pinned memory
    "alloc_failed",  # CUBLAS_STATUS_ALLOC_FAILED, CUDNN_STATUS_ALLOC_FAILED
    "cublas_status_not_initialized",  # no room for cuBLAS' handle (https://github.com/pytorch/pytorch/issues/29795)
    "unable to find an engine",  # cuDNN: no convolution whose workspace fits
    "cudaerrormemoryallocation",
    "can't allocate memory",  # main memory: DefaultCPUAllocator
    "not enough memory: you tried to allocate",
    "unable to mmap",
    "cannot allocate memory",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a card, or main memory, was too small for what was asked."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in said for sign in _NO_MEMORY)


def is_compiler_failure(error: BaseException) -> bool:
    """Whether torch's compiler, or the C compiler that it calls, failed: the same works without compiling."""
    at: BaseException | None = error
    while at is not None:
        if type(at).__module__.startswith(_COMPILERS) or any(sign in str(at).lower() for sign in _NO_COMPILER):
            return True
        at = at.__cause__ or at.__context__
    return False


def is_broken_for_good(error: BaseException) -> bool:
    """Whether the card's context is lost for this process."""
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in said for sign in _STICKY)


def end_process(device: str, error: BaseException) -> NoReturn:
    """Say what happened and end the process at once: nothing in it can use the card again."""
    line = first_line(error)
    log.critical("the card %s is unusable in this process (%s): ending it; start it again", device, line)
    if not log.hasHandlers():
        sys.stderr.write(f"error: the card {device} is unusable in this process ({line}); start it again\n")
    logging.shutdown()
    sys.stderr.flush()
    sys.stdout.flush()
    # Not sys.exit: in a worker thread that would end the thread alone.
    os._exit(EXIT_CODE)
