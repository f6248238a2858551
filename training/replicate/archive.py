"""Out of a hosted trainer's archive, the one LoRA in it; nothing else is unpacked, nothing that could run code kept."""

import shutil
from pathlib import Path, PurePosixPath

from configs.archives import ArchiveError, members, opened_member
from configs.printable import printable
from inference.lora.file import LoraError, LoraHeader, read_header
from inference.lora.source import find_lora
from training.errors import TrainingFailed

_PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".bin")


def take_lora(archive: Path, target: Path) -> LoraHeader:
    """Copy the one `.safetensors` of the tar `archive` to `target`; its header.

    Raises LoraError where the archive is damaged, points outside itself, holds links, pickles, or not exactly one
    LoRA, TrainingFailed where `target` cannot be written. `target` is then not left behind.
    """
    found = find_lora(str(archive))
    _refuse_pickles(archive)
    try:
        with opened_member(archive, found.member) as file, target.open("wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
        return read_header(target)
    except ArchiveError as error:
        target.unlink(missing_ok=True)
        raise LoraError(f"the archive {archive} {error}; download it again") from error
    except OSError as error:
        target.unlink(missing_ok=True)
        raise TrainingFailed(f"cannot write {target}: {error.strerror or error}") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def rank_of(header: LoraHeader) -> int:
    """The rank by the tensors themselves: the first dimension of a "down" or "A" matrix, 0 where there is none."""
    for name, (_, shape) in sorted(header.tensors.items()):
        if (".lora_A." in name or "lora_down" in name or name.endswith(".lora.down.weight")) and len(shape) == 2:
            return shape[0]
    return 0


def _refuse_pickles(archive: Path) -> None:
    for member in members(archive):
        if PurePosixPath(member.name).suffix.lower() in _PICKLES:
            name = printable(member.name)
            raise LoraError(f"the trainer's archive holds a pickle ({name}), which can run code: it is not unpacked")
