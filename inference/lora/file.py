"""Reading LoRA files without torch: which format it really is, what its header says, and its SHA-256.

A `.safetensors` file is an 8-byte little-endian header length, that much JSON, then raw tensors
(https://github.com/huggingface/safetensors#format). Anything else, a renamed pickle above all, is refused here,
before any library opens it. The header is untrusted: it goes through one typed model before any value is used.
"""

import json
import math
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from configs.foreign import what_it_is
from configs.printable import printable
from inference.errors import InvalidRequest

_MAX_HEADER = 100_000_000
_PIECE = 2**20
_BITS = {
    "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16,
    "U16": 16, "I8": 8, "U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6,
    "F6_E3M2": 6,
}  # fmt: skip
"""safetensors' types and their sizes."""
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.safetensors$")

_Count = Annotated[int, Field(ge=0, le=2**48)]


class LoraError(InvalidRequest):
    """The LoRA cannot be used; the message names the file and what is wrong with it."""


class _Tensor(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    dtype: Annotated[str, Field(max_length=20)]
    shape: Annotated[list[_Count], Field(max_length=8)]
    data_offsets: Annotated[list[_Count], Field(min_length=2, max_length=2)]


_TENSORS = TypeAdapter(dict[str, _Tensor])
_METADATA = TypeAdapter(dict[str, str] | None, config=ConfigDict(strict=True))


@dataclass(frozen=True)
class LoraHeader:
    """What a LoRA file says of itself: `metadata` as written, tensor names to (dtype, shape)."""

    metadata: dict[str, str]
    tensors: dict[str, tuple[str, tuple[int, ...]]]


def read_header(path: Path) -> LoraHeader:
    """The header of a safetensors file. Raises LoraError where the file is missing, unreadable or something else."""
    name = printable(str(path))
    part = _PART.search(path.name)
    if part and int(part[2]) > 1:
        raise LoraError(
            f"the LoRA {name} is part {int(part[1])} of {int(part[2])} of a file: join the parts into one and name that"
        )
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise LoraError(f"the LoRA {name} is not a regular file: name a .safetensors file")
            return parse_header(file, os.fstat(file.fileno()).st_size, name)
    except FileNotFoundError as error:
        raise LoraError(f"no such LoRA file: {name}") from error
    except IsADirectoryError as error:
        raise LoraError(f"the LoRA {name} is a folder: name the .safetensors file in it") from error
    except (OSError, ValueError) as error:
        raise LoraError(f"cannot read the LoRA file {name}: {getattr(error, 'strerror', None) or error}") from error


def parse_header(file: IO[bytes], size: int, name: str) -> LoraHeader:
    """The header of the safetensors content of `size` bytes that `file` gives. Raises LoraError, calling it `name`.

    No more is read than the header.
    """
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > min(_MAX_HEADER, size - 8) or length < 2:
        raise LoraError(f"not a safetensors file: {name} ({_what_it_is(start + _exactly(file, 504))})")
    try:
        header = json.loads(_exactly(file, length), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError, JSONDecodeError, a number of 5,000 digits
        raise LoraError(f"not a safetensors file: {name} (its header is not JSON)") from error
    return _parse(header, name, size - 8 - length)


def _exactly(file: IO[bytes], size: int) -> bytes:
    """`size` bytes, or as many as there are; in pieces, since a header may claim a hundred megabytes of an archive."""
    pieces = []
    while size > 0 and (piece := file.read(min(size, _PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found


def _parse(header: object, path: str, payload: int) -> LoraHeader:
    damaged = f"the LoRA file {path} is damaged: its header does not describe its content"
    if not isinstance(header, dict):
        raise LoraError(f"{damaged}; copy it again")
    try:
        metadata = _METADATA.validate_python(header.pop("__metadata__", None)) or {}
        tensors = _TENSORS.validate_python(header)
    except ValidationError as error:
        first = error.errors()[0]
        where = printable(".".join(str(part) for part in first["loc"]))[:100]
        raise LoraError(f"{damaged} ({where or '__metadata__'}: {first['msg'].lower()}); copy it again") from error
    for name, tensor in tensors.items():
        begin, end = tensor.data_offsets
        if end > payload:
            raise LoraError(f"the LoRA file {path} is cut off: {printable(name)} lies past its end; copy it again")
        bits = _BITS.get(tensor.dtype)
        if bits is None or (end - begin) * 8 != math.prod(tensor.shape) * bits:
            raise LoraError(f"{damaged} ({printable(name)[:100]}); copy it again")
    if not tensors:
        raise LoraError(f"the LoRA file {path} holds no tensors")
    return LoraHeader(metadata, {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()})


def _what_it_is(start: bytes) -> str:
    """What the first bytes look like, and the way out."""
    if start[:1] == b"\x80" or (start[:2] == b"PK" and b"/data.pkl" in start):
        return "it looks like a pickle, which can run code and is never opened; convert it to safetensors"
    what = what_it_is(start)
    if what == "it is a ZIP archive":
        return (
            "it is a ZIP archive: unpack it; where it is a pickle, which can run code and is never opened, convert it"
        )
    if what.startswith("it is packed"):
        return f"{what}: unpack it, or end its name in .tar.gz where it is an archive"
    return what or "convert it to safetensors"
