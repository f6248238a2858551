"""The generator that draws with Replicate: one prediction per portrait (its steps: `work.py`)."""

import dataclasses
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from configs.sections.replicate import ReplicateSettings
from inference.errors import (
    BackendUnavailable,
    BlankPicture,
    InvalidRequest,
    InvalidSettings,
    OperatorNeeded,
    RenderFailed,
)
from inference.generator import Generator, pixels_key
from inference.replicate.client import refusal
from inference.replicate.errors import (
    ApiError,
    ApiForbidden,
    ApiNoCredit,
    ApiNotFound,
    ApiRefused,
    ApiUnauthorized,
    ApiUnreachable,
    BadOutput,
    LostAnswer,
    OverLimit,
)
from inference.replicate.target import Target, find_target, forget_target, inputs_for, scale_of
from inference.replicate.work import PredictionRun, Resources, Steps
from inference.types import LoraInfo, ModelInfo, Portrait, PortraitRequest, StepCallback

log = logging.getLogger(__name__)

_PARALLEL = 4  # predictions at once, chosen by hand: more would mainly wait for `replicate.requests_per_minute`
_WORDS = frozenset({"prompt"})
"""The inputs that come from the request; all others come from the settings."""


class ReplicateGenerator(Generator):
    """Draws with the model named in the settings. Connects at the first drawing, or in `prepare`."""

    def __init__(self, settings: ReplicateSettings, token: str, base_url: str, data_dir: Path) -> None:
        """`base_url` "" is Replicate itself. Raises InvalidRequest if model or token are missing."""
        if not settings.model:
            raise InvalidRequest("replicate.model is not set: name your fine-tune, BADGE_REPLICATE__MODEL=owner/name")
        if not token:
            raise InvalidRequest(
                "there is no Replicate token: make one at replicate.com/account/api-tokens and set REPLICATE_API_TOKEN"
            )
        self._settings = settings
        self._token, self._base_url, self._data_dir = token, base_url, data_dir
        self._lock = threading.Lock()
        self._resources: Resources | None = None
        self._target: Target | None = None

    @property
    def parallel(self) -> int:
        return _PARALLEL

    @property
    def model(self) -> ModelInfo:
        """The model that draws. Looks up the newest version if none is cached; raises as `generate`."""
        with _translated():
            return self._model_info(self._target or self._find_target(), self._settings.lora_scale)

    def model_for(self, request: PortraitRequest) -> ModelInfo:
        with _translated():
            return self._model_info(self._target or self._find_target(), scale_of(self._settings, request))

    def prepare(self, prompts: Sequence[str] = ()) -> None:
        with _translated():
            self._find_target()

    def key(self, request: PortraitRequest) -> str:
        """From the request, the version and every input that is sent."""
        with _translated():
            target = self._target or self._find_target()
            model = self._model_info(target, scale_of(self._settings, request))
            return pixels_key(request, model, sorted(inputs_for(target, self._settings, request).items()))

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        portraits = self.draw(request, on_step)
        return dataclasses.replace(portraits[0], cost_usd=sum(each.cost_usd for each in portraits))

    def draw(self, request: PortraitRequest, on_step: StepCallback | None = None) -> list[Portrait]:
        """All portraits of one prediction (`num_outputs` without those dropped as NSFW); at least one.

        They share the seed; the costs add up to the prediction's. Raises as `generate` does.
        """
        with _translated():
            target = self._find_target()
            try:
                return self._drawn(target, request, on_step)
            except (ApiNotFound, ApiRefused) as error:
                fresh = None if _names_inputs(error) else self._ask_anew()
                if fresh is None or fresh == target:
                    raise
                log.warning("%s: continuing with version %s", error, fresh.version[:12])
                return self._drawn(fresh, request, on_step)

    def close(self) -> None:
        with self._lock:
            resources, self._resources = self._resources, None
        if resources:
            resources.close()

    def _drawn(self, target: Target, request: PortraitRequest, on_step: StepCallback | None) -> list[Portrait]:
        started = time.perf_counter()
        deadline = time.monotonic() + self._settings.deadline_s
        inputs = inputs_for(target, self._settings, request)
        run = PredictionRun(self._ready(), self._settings, target, inputs, deadline)
        job, images, cost = run.do(Steps(on_step, int(inputs.get("num_inference_steps", 0)) or target.steps))
        seed = job.used_seed if job.used_seed is not None else request.seed
        if seed != request.seed:
            log.warning("%s drew with seed %d instead of %d", target.name, seed, request.seed)
        done = job.progress or (0, 0)
        about: dict[str, Any] = {
            "prompt": request.prompt,
            "seed": seed,
            "steps": int(inputs.get("num_inference_steps", 0)) or target.steps or done[1],
            "guidance": float(inputs.get("guidance_scale", inputs.get("guidance", target.guidance))),
            "model": self._model_info(target, scale_of(self._settings, request)),
            "seconds": time.perf_counter() - started,
        }
        portraits, blank = [], BlankPicture("")
        for image in images:
            try:
                portraits.append(Portrait(image, **about))
            except BlankPicture as error:
                blank = error
        if not portraits:
            raise blank
        return [dataclasses.replace(each, cost_usd=cost / len(portraits)) for each in portraits]

    def _model_info(self, target: Target, scale: float) -> ModelInfo:
        return ModelInfo(
            generator="replicate",
            profile=target.name,
            revision=target.version,
            lora=LoraInfo(target.name, "", scale) if "lora_scale" in target.inputs else None,
            tier="fast" if self._settings.go_fast and "go_fast" in target.inputs else "exact",
            device="replicate",
            versions=(("replicate", version("replicate")),),
        )

    def _find_target(self) -> Target:
        resources = self._ready()
        self._target = find_target(self._settings, resources.api, resources.ledger)
        return self._target

    def _ask_anew(self) -> Target:
        forget_target(self._settings, self._ready().ledger)
        return self._find_target()

    def _ready(self) -> "Resources":
        with self._lock:
            if self._resources is None:
                self._resources = Resources(self._settings, self._token, self._base_url, self._data_dir)
            return self._resources


def _names_inputs(error: ApiError) -> bool:
    return isinstance(error, ApiRefused) and bool(error.fields)


@contextmanager
def _translated() -> Iterator[None]:
    """Translate the client's errors to those of `inference`."""
    try:
        yield
    except ApiRefused as error:
        if error.fields and all(name in _WORDS for name, _ in error.fields):
            raise InvalidRequest(f"Replicate refuses the words ({refusal(error)}): change them") from error
        if error.fields:
            raise InvalidSettings(
                f"Replicate refuses the input ({refusal(error)}): see [replicate] in the settings"
            ) from error
        raise OperatorNeeded(str(error)) from error
    except (ApiUnauthorized, ApiForbidden, ApiNoCredit, ApiNotFound, OverLimit) as error:
        raise OperatorNeeded(str(error)) from error
    except BadOutput as error:
        raise RenderFailed(f"Replicate drew, but {error}") from error
    except LostAnswer as error:
        raise BackendUnavailable(f"{error}; ask for the same badge again, and nothing is paid twice") from error
    except ApiUnreachable as error:
        raise BackendUnavailable(f"{error}: try again in a while") from error
    except ApiError as error:
        raise BackendUnavailable(str(error)) from error
    except (sqlite3.Error, OSError) as error:
        raise RenderFailed(f"cannot write the ledger of Replicate jobs in data_dir: {error}") from error
