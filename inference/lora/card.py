"""What a LoRA file says of itself: trigger, base, family, rank, alpha, recipe, data set, steps.

The card stands in the safetensors header under `badge.*`, with `modelspec.*` beside it for other programs
(https://github.com/Stability-AI/ModelSpec). No torch: `stamp` gives a file a new header and leaves its tensors' bytes
alone.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from inference.errors import RenderFailed
from inference.files import written_aside
from inference.lora.file import LoraError, read_header

_PREFIX = "badge."
_ARCHITECTURE = {"flux1": "flux-1-dev/lora", "flux2": "flux-2/lora", "z-image": "z-image/lora"}


class LoraCard(BaseModel):
    """The facts in a LoRA's header. `recipe` is `TrainingJob.recipe()` or the hosted trainer's inputs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    trigger: str
    base_model: str
    base_revision: str = ""
    family: str
    rank: int
    alpha: float
    steps: int
    data_sha256: str = ""
    trainer: str = "local"
    recipe: dict[str, Any] = {}

    def metadata(self) -> dict[str, str]:
        """The card as safetensors metadata: text to text."""
        values = self.model_dump(mode="json")
        words = {_PREFIX + k: v if isinstance(v, str) else json.dumps(v, sort_keys=True) for k, v in values.items()}
        return words | {
            "modelspec.sai_model_spec": "1.0.0",
            "modelspec.architecture": _ARCHITECTURE.get(self.family, self.family),
            "modelspec.title": self.trigger,
            "modelspec.trigger_phrase": self.trigger,
        }


def card_from(metadata: dict[str, str]) -> LoraCard | None:
    """The card in a header's metadata, None where there is none or it is damaged."""
    raw: dict[str, Any] = {}
    for name, text in metadata.items():
        if not name.startswith(_PREFIX):
            continue
        key = name.removeprefix(_PREFIX)
        annotation = LoraCard.model_fields[key].annotation if key in LoraCard.model_fields else str
        try:
            raw[key] = text if annotation is str else json.loads(text)
        except json.JSONDecodeError:
            return None
    try:
        return LoraCard.model_validate(raw) if raw else None
    except ValidationError:
        return None


def read_card(path: Path) -> LoraCard | None:
    """The card of the LoRA at `path`. Raises LoraError where that is no safetensors file."""
    return card_from(read_header(path).metadata)


def stamp(source: Path, target: Path, card: LoraCard) -> None:
    """Write `source`'s tensors to `target`, whole or not at all, with `card` added to the header's metadata.

    Raises LoraError where `source` is no safetensors file, RenderFailed where `target` cannot be written.
    """
    old = read_header(source)
    with source.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = old.metadata | card.metadata()
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        try:
            with written_aside(target) as aside, aside.open("wb") as out:
                out.write(len(text).to_bytes(8, "little") + text)
                shutil.copyfileobj(file, out)
        except OSError as error:
            raise RenderFailed(f"cannot write {target}: {error.strerror}") from error


__all__ = ["LoraCard", "LoraError", "card_from", "read_card", "stamp"]
