"""What a restart must know of a hosted training: which one runs for an output folder, and how to find it again."""

import hashlib
import re
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from configs.sections.replicate import ReplicateSettings, Scalar, safe_address
from inference.models.profiles import load_profile
from inference.replicate.client import ReplicateApi
from inference.replicate.errors import ApiNotFound
from inference.replicate.ledger import Ledger
from training.errors import InvalidJob
from training.job import TrainingJob

BASE = "black-forest-labs/FLUX.1-dev"
_SECRET_INPUTS = ("hf_token", "wandb_api_key")


class Started(BaseModel):
    """A training that was asked for; `job` "" while its id is not known, `marker` the inputs that tell it apart."""

    model_config = ConfigDict(frozen=True)

    state: Literal["asked", "running"]
    line: int
    job: str = ""
    asked: float
    destination: str
    trainer: str
    version: str
    inputs: dict[str, Scalar]
    marker: dict[str, Scalar]
    data_sha256: str

    def told_inputs(self) -> dict[str, Scalar]:
        """The inputs as a LoRA's header may carry them: without secrets, addresses and our own mark."""
        hidden = (*_SECRET_INPUTS, "input_images", "wandb_run")
        return {name: value for name, value in self.inputs.items() if name not in hidden}


def load_started(ledger: Ledger, out: Path) -> Started | None:
    """The training that was started for the folder `out` and has not been finished."""
    text = ledger.noted(_key(out))
    try:
        return Started.model_validate_json(text) if text else None
    except ValidationError:
        return None


def save_started(ledger: Ledger, out: Path, started: Started) -> None:
    """Remember it, before and after it is asked for."""
    hidden = started.model_copy(update={"inputs": started.told_inputs()})
    ledger.note(_key(out), hidden.model_dump_json())


def drop_started(ledger: Ledger, out: Path, ended: str = "") -> None:
    """Nothing runs for `out` any longer. `ended` says how a training that was paid for did."""
    if ended:
        ledger.note(_ended_key(out), ended)
    ledger.forget(_key(out))


def how_it_ended(ledger: Ledger, out: Path) -> str:
    """How the last paid training for `out` ended, in words; "" where there was none."""
    return ledger.noted(_ended_key(out)) or ""


def forget_end(ledger: Ledger, out: Path) -> None:
    """Another training for `out` begins."""
    ledger.forget(_ended_key(out))


def _ended_key(out: Path) -> str:
    return f"ended {mark_of(out)}"


def checked_destination(job: TrainingJob, settings: ReplicateSettings) -> str:
    """`owner/name` of the model to make. Raises InvalidJob where it is missing or wrong, or the base does not fit."""
    name = job.destination or settings.destination
    if not name:
        raise InvalidJob("--destination is missing: name the model that Replicate keeps, OWNER/samurai-badge-lora")
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[a-z0-9][a-z0-9._-]*", name):
        raise InvalidJob(f"--destination {name!r}: write OWNER/NAME, the name in lower case letters, digits, - . _")
    if load_profile(job.profile).repo != BASE:
        raise InvalidJob(f"Replicate's trainer trains FLUX.1 dev only, not {job.profile}: --profile flux-dev")
    if job.data_url:
        try:
            safe_address(job.data_url, "--data-url")
        except ValueError as error:
            raise InvalidJob(str(error)) from error
    return name


def inputs_for(
    job: TrainingJob, settings: ReplicateSettings, known: tuple[str, ...], address: str
) -> tuple[dict[str, Scalar], dict[str, Scalar]]:
    """(inputs, marker): what to send of the job, as far as the trainer's version knows it, and what marks it as ours.

    Captions lie in the archive, so the trainer need not write any; where we have not seen the archive, it may.
    The mark goes into `wandb_run`, which does nothing without a key, or else is the archive's own address.
    """
    wanted: dict[str, Scalar] = {
        "input_images": address,
        "trigger_word": job.trigger,
        "steps": job.steps,
        "training_steps": job.steps,
        "learning_rate": job.learning_rate,
        "lora_rank": job.rank,
        "batch_size": job.batch,
        "resolution": ",".join(str(size) for size in job.resolutions),
        "caption_dropout_rate": job.caption_dropout,
        "autocaption": bool(job.data_url),
        "lora_type": "style",
        "wandb_run": f"badges-{uuid4().hex[:16]}",
        **settings.trainer_inputs,
    }
    known = known or ("input_images", "trigger_word", "steps", "learning_rate", "lora_rank")
    unknown = [name for name in settings.trainer_inputs if name not in known]
    if unknown:
        raise InvalidJob(f"replicate.trainer_inputs: {settings.trainer} has no input {unknown[0]!r}")
    inputs = {name: value for name, value in wanted.items() if name in known}
    marks = ("wandb_run",) if "wandb_run" in inputs else ("input_images", "trigger_word")
    return inputs, {name: inputs[name] for name in marks}


def find_trainer(api: ReplicateApi, name: str, pinned: str, deadline: float) -> tuple[str, tuple[str, ...]]:
    """(version, names of its inputs) of a trainer; its newest version where none is pinned. Raises ApiError."""
    described: Any = api.version(name, pinned, deadline) if pinned else api.model(name, deadline).get("latest_version")
    version = described.get("id") if isinstance(described, dict) else None
    if not version:
        raise ApiNotFound(f"the trainer {name} has no version: see replicate.trainer")
    for part in ("TrainingInput", "Input"):
        node = described.get("openapi_schema")
        for key in ("components", "schemas", part, "properties"):
            node = node.get(key) if isinstance(node, dict) else None
        if isinstance(node, dict) and "input_images" in node:
            return str(version), tuple(node)
    return str(version), ()


def mark_of(out: Path) -> str:
    """The name under which the ledger knows the training for the folder `out`."""
    return hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:32]


def _key(out: Path) -> str:
    return f"training {mark_of(out)}"
