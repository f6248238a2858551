"""Checkpoints: everything that the next step depends on, in one safetensors file that is whole or absent.

Raw and averaged LoRA, the optimizer's state, the random state, the step (which is the sampler's and the schedule's
position) and, as JSON in the header, the job, the data and the base that they belong to. Written aside, synced, then
renamed; the last two are kept, so that a damaged disk page costs one interval.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from inference.files import written_aside
from training.errors import ResumeRefused, TrainingFailed
from training.local.lora_layers import LoraLayers

KEEP = 2
"""By hand: one to go on from and the one before it. Each holds 16 bytes a LoRA value (`outline`)."""


@dataclass
class State:
    """What is saved besides tensors. `belongs_to` is what must not change between a run and its continuation."""

    step: int
    belongs_to: dict[str, Any]
    average_loss: float | None = None
    scores: list[dict[str, float]] = field(default_factory=list)
    open_loss: float = 0.0
    open_steps: int = 0


def save_checkpoint(folder: Path, state: State, lora: LoraLayers, optimizer: torch.optim.Optimizer) -> Path:
    """Write `step-N.safetensors` and delete all but the last two. Raises TrainingFailed; nothing half-written stays."""
    tensors = {f"raw.{n}": t for n, t in lora.values(averaged=False).items()}
    tensors |= {f"average.{n}": t for n, t in lora.values(averaged=True).items()}
    optimizer_tensors, optimizer_rest = _flat(optimizer)
    tensors |= {f"optimizer.{n}": t for n, t in optimizer_tensors.items()}
    tensors["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    header = {"state": json.dumps(state.__dict__), "optimizer": json.dumps(optimizer_rest)}
    path = folder / f"step-{state.step:06d}.safetensors"
    save_aside(tensors, path, header)
    for old in sorted(folder.glob("step-*.safetensors"))[:-KEEP]:
        old.unlink()
    return path


def save_aside(tensors: dict[str, Tensor], path: Path, header: dict[str, str]) -> None:
    """A safetensors file, whole or absent, and on the disk when this returns. Raises TrainingFailed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as aside:
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, aside, header)
            with aside.open("rb+") as file:
                _sort_header(file)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TrainingFailed(f"cannot save {path}: {reason}; the last whole checkpoint stays") from error


def _sort_header(file: BinaryIO) -> None:
    """Metadata sorted by name: the library writes it in a random order, and equal LoRAs should be equal files."""
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) <= length:
        file.seek(8)
        file.write(text.ljust(length))
        file.flush()


def newest(folder: Path) -> Path | None:
    """The last whole checkpoint; damaged ones are passed over."""
    for path in sorted(folder.glob("step-*.safetensors"), reverse=True):
        try:
            read_state(path)
        except ResumeRefused:
            continue
        return path
    return None


def read_state(path: Path) -> State:
    """The JSON part of a checkpoint. Raises ResumeRefused where it is damaged."""
    try:
        with safe_open(path, "pt") as file:
            return State(**json.loads(file.metadata()["state"]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ResumeRefused(f"the checkpoint {path} is damaged: delete it to go on from the one before") from error


def load_checkpoint(path: Path, lora: LoraLayers, optimizer: torch.optim.Optimizer) -> State:
    """Put a checkpoint's values into LoRA, optimizer and random state."""
    state = read_state(path)
    with safe_open(path, "pt") as file:
        names = file.keys()

        def part(front: str) -> dict[str, Tensor]:
            return {n.removeprefix(front): file.get_tensor(n) for n in names if n.startswith(front)}

        lora.load(part("raw."), part("average."))
        _unflat(optimizer, part("optimizer."), json.loads(file.metadata()["optimizer"]))
        torch.set_rng_state(file.get_tensor("random.cpu"))
        if torch.cuda.is_available() and "random.cuda" in names:
            torch.cuda.set_rng_state(file.get_tensor("random.cuda"))
    return state


def _flat(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimizer's state as named tensors and, for all that is no tensor, JSON."""
    whole = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    rest: dict[str, Any] = {}

    def put(path: str, value: Any) -> None:
        if isinstance(value, Tensor):
            tensors[path] = value.detach().cpu().clone()
        elif isinstance(value, dict):  # bitsandbytes keeps its quantized moments one level down
            for name, each in value.items():
                put(f"{path}.{name}", each)
        else:
            rest[path] = value

    for index, values in whole["state"].items():
        put(str(index), values)
    return tensors, {"rest": rest, "groups": whole["param_groups"]}


def _unflat(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], saved: dict[str, Any]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for name, value in [*tensors.items(), *saved["rest"].items()]:
        index, *path, last = name.split(".")
        values = state.setdefault(int(index), {})
        for key in path:
            values = values.setdefault(key, {})
        values[last] = value
    groups = [{k: tuple(v) if k == "betas" else v for k, v in group.items()} for group in saved["groups"]]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
