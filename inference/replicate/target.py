"""Finds the model that draws, its version, and which of our settings are inputs of it.

`owner/name` of a fine-tune means its newest version, which is looked up and cached; an official model has no versions
to pin, a deployment has a current release. An input is sent only if the schema of that version has it.
"""

import hashlib
import json
import logging
import time
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from configs.sections.replicate import ReplicateSettings, Scalar
from inference.replicate.client import ReplicateApi
from inference.replicate.errors import ApiNotFound, ApiUnreachable
from inference.replicate.ledger import Ledger
from inference.types import PortraitRequest

log = logging.getLogger(__name__)

_LOOK_S = 60.0  # s for looking up the version with all retries, chosen by hand: somebody is waiting for the badge


class Target(BaseModel):
    """What draws: `path` is where predictions are created, `version` is "" if the model has none.

    `inputs` are the names in the version's schema, empty if it has no schema; `steps` and `guidance` are its defaults,
    0 if it has none.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    path: str
    version: str
    official: bool
    inputs: tuple[str, ...]
    steps: int = 0
    guidance: float = 0.0

    def body(self, inputs: dict[str, Scalar]) -> dict[str, Any]:
        """The body that creates a prediction with `inputs`."""
        return {"version": self.version, "input": inputs} if self.path == "/predictions" else {"input": inputs}


def remembered_target(settings: ReplicateSettings, ledger: Ledger) -> Target | None:
    """The target if any process looked it up within `newest_version_s`, else None."""
    age = float("inf") if ":" in settings.model else settings.newest_version_s
    return _read(ledger.noted(_key(settings.model), age))


def find_target(settings: ReplicateSettings, api: ReplicateApi, ledger: Ledger) -> Target:
    """The target: cached, or looked up. If Replicate is unreachable, an expired entry is used.

    Raises ApiError, ApiNotFound if there is no such model or it has no version yet.
    """
    known = remembered_target(settings, ledger)
    if known:
        return known
    try:
        found = _look_up(settings.model, api, time.monotonic() + _LOOK_S)
    except ApiUnreachable as error:
        older = _read(ledger.noted(_key(settings.model)))
        if older is None:
            raise
        log.warning("%s: continuing with version %s of %s", error, older.version[:12], older.name)
        return older
    ledger.note(_key(settings.model), found.model_dump_json())
    return found


def forget_target(settings: ReplicateSettings, ledger: Ledger) -> None:
    """Delete the cached target, so that it is looked up next time."""
    ledger.forget(_key(settings.model))


def scale_of(settings: ReplicateSettings, request: PortraitRequest) -> float:
    """The scale of the model's own LoRA; a request cannot name another LoRA with Replicate."""
    return settings.lora_scale if request.lora is None else request.lora.scale


def inputs_for(target: Target, settings: ReplicateSettings, request: PortraitRequest) -> dict[str, Scalar]:
    """The inputs to send: prompt, seed, and the settings that are set and are in the target's schema."""
    steps = request.steps or settings.steps
    guidance = request.guidance if request.guidance is not None else settings.guidance
    sized = bool(settings.width and settings.height)
    wanted: dict[str, Scalar | None] = {
        "prompt": request.prompt,
        "seed": request.seed,
        "model": settings.base_model or None,
        "num_inference_steps": steps or None,
        "steps": steps or None,
        "guidance_scale": guidance if guidance >= 0 else None,
        "guidance": guidance if guidance >= 0 else None,
        "lora_scale": scale_of(settings, request),
        "aspect_ratio": "custom" if sized else settings.aspect_ratio or None,
        "width": settings.width if sized else None,
        "height": settings.height if sized else None,
        "megapixels": settings.megapixels or None,
        "num_outputs": settings.num_outputs,
        "output_format": settings.output_format,
        "output_quality": settings.output_quality if settings.output_quality >= 0 else None,
        "go_fast": settings.go_fast,
        "disable_safety_checker": settings.disable_safety_checker,
        **settings.extra_inputs,
    }
    for name in settings.extra_inputs:
        if target.inputs and name not in target.inputs:
            log.warning("replicate.extra_inputs: %s has no input %r, so it is not sent", target.name, name)
    known = target.inputs or ("prompt", "seed")
    return {name: value for name, value in wanted.items() if value is not None and name in known}


def mark_of(target: Target, inputs: dict[str, Scalar]) -> str:
    """A hash of target and inputs, by which an earlier job for the same work is found."""
    text = json.dumps([target.path, target.version, inputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _look_up(model: str, api: ReplicateApi, deadline: float) -> Target:
    if model.startswith("deployments/"):
        name = model.removeprefix("deployments/")
        release = api.deployment(name, deadline).get("current_release")
        release = release if isinstance(release, dict) else {}
        version = str(release.get("version") or "")
        described = (
            api.version(str(release.get("model")), version, deadline) if version and release.get("model") else {}
        )
        return _target(name, f"/deployments/{name}/predictions", version, described)
    name, _, version = model.partition(":")
    if version:
        return _target(name, "/predictions", version, api.version(name, version, deadline))
    described = api.model(name, deadline)
    latest = described.get("latest_version")
    latest = latest if isinstance(latest, dict) else {}
    if described.get("is_official"):
        return _target(name, f"/models/{name}/predictions", "", latest, official=True)
    if not latest.get("id"):
        raise ApiNotFound(f"the Replicate model {name} has no version yet: train it first (python -m training.run)")
    return _target(name, "/predictions", str(latest["id"]), latest)


def _target(name: str, path: str, version: str, described: dict[str, Any], *, official: bool = False) -> Target:
    """A target from a version's description, whose OpenAPI schema has the inputs and their defaults."""
    node: Any = described.get("openapi_schema")
    for key in ("components", "schemas", "Input", "properties"):
        node = node.get(key) if isinstance(node, dict) else None
    inputs = node if isinstance(node, dict) else {}
    return Target(
        name=name,
        path=path,
        version=version,
        official=official,
        inputs=tuple(sorted(inputs)),
        steps=int(_default(inputs, "num_inference_steps", "steps")),
        guidance=_default(inputs, "guidance_scale", "guidance"),
    )


def _default(inputs: dict[str, Any], *names: str) -> float:
    for name in names:
        value = inputs[name].get("default") if isinstance(inputs.get(name), dict) else None
        if isinstance(value, int | float):
            return float(value)
    return 0.0


def _key(model: str) -> str:
    return f"target {model}"


def _read(text: str | None) -> Target | None:
    try:
        return Target.model_validate_json(text) if text else None
    except ValidationError:
        return None
