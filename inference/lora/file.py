"""Reading LoRA files without torch: which format it really is, what its header says, and its SHA-256.

A `.safetensors` file is an 8-byte little-endian header length, that much JSON, then raw tensors
(https://github.com/huggingface/safetensors#format). Anything else, a renamed pickle above all, is refused here,
before any library opens it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from inference.errors import InvalidRequest

_MAX_HEADER = 100_000_000


class LoraError(InvalidRequest):
    """The LoRA cannot be used; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class LoraHeader:
    """What a LoRA file says of itself: `metadata` as written, tensor names to (dtype, shape)."""

    metadata: dict[str, str]
    tensors: dict[str, tuple[str, tuple[int, ...]]]


def read_header(path: Path) -> LoraHeader:
    """The header of a safetensors file. Raises LoraError where the file is missing, unreadable or something else."""
    try:
        with path.open("rb") as file:
            return parse_header(file, path.stat().st_size, str(path))
    except FileNotFoundError as error:
        raise LoraError(f"no such LoRA file: {path}") from error
    except IsADirectoryError as error:
        raise LoraError(f"the LoRA {path} is a folder: name the .safetensors file in it") from error
    except OSError as error:
        raise LoraError(f"cannot read the LoRA file {path}: {error.strerror}") from error


def parse_header(file: BinaryIO, size: int, name: str) -> LoraHeader:
    """The header of the safetensors content of `size` bytes that `file` gives. Raises LoraError, calling it `name`."""
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > min(_MAX_HEADER, size - 8):
        raise LoraError(f"not a safetensors file: {name} ({_what_it_is(start)})")
    try:
        header = json.loads(file.read(length))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise LoraError(f"not a safetensors file: {name} (its header is not JSON)") from error
    return _parse(header, name, size - 8 - length)


def _parse(header: object, path: str, payload: int) -> LoraHeader:
    damaged = LoraError(f"the LoRA file {path} is damaged: its header does not describe its content; copy it again")
    if not isinstance(header, dict):
        raise damaged
    metadata = header.pop("__metadata__", {})
    tensors = {}
    try:
        for name, entry in header.items():
            if entry["data_offsets"][1] > payload:
                raise LoraError(f"the LoRA file {path} is cut off: {name} lies past its end; copy it again")
            tensors[name] = (str(entry["dtype"]), tuple(int(n) for n in entry["shape"]))
    except (TypeError, KeyError, IndexError, ValueError) as error:
        raise damaged from error
    if not tensors:
        raise LoraError(f"the LoRA file {path} holds no tensors")
    return LoraHeader({str(k): str(v) for k, v in dict(metadata).items()}, tensors)


def _what_it_is(start: bytes) -> str:
    if start[:1] == b"\x80" or start[:2] == b"PK":
        return "it looks like a pickle, which can run code and is never opened; convert it to safetensors"
    return "convert it to safetensors" if start else "it is empty"
