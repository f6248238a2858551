"""Telling apart what is wrong with a card: out of memory, broken for good, or an ordinary failure.

After an illegal memory access or a failed assertion on the card, every later call into CUDA fails in the same
process (CUDA C++ Programming Guide, error handling: such errors are sticky). A server that goes on then answers every
request with an error for ever; ending the process lets whoever started it start it anew.
"""

import logging
import os
import sys
from typing import NoReturn

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


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a card, or main memory, was too small for what was asked."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "DefaultCPUAllocator: can't allocate memory" in str(error)
    )


def is_broken_for_good(error: BaseException) -> bool:
    """Whether the card's context is lost for this process."""
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in said for sign in _STICKY)


def end_process(device: str, error: BaseException) -> NoReturn:
    """Say what happened and end the process at once: nothing in it can use the card again."""
    line = str(error).splitlines()[0]
    log.critical("the card %s is unusable in this process (%s): ending it; start it again", device, line)
    if not log.hasHandlers():
        sys.stderr.write(f"error: the card {device} is unusable in this process ({line}); start it again\n")
    logging.shutdown()
    sys.stderr.flush()
    sys.stdout.flush()
    # Not sys.exit: in a worker thread that would end the thread alone.
    os._exit(EXIT_CODE)
