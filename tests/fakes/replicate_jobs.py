"""What the fake of Replicate knows: models, jobs and how they will go, files, what was served. No HTTP in here."""

import io
import itertools
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from PIL import Image

FINE_TUNE_INPUTS = [
    *("prompt", "model", "aspect_ratio", "width", "height", "num_outputs", "num_inference_steps", "guidance_scale"),
    *("seed", "output_format", "output_quality", "megapixels", "go_fast", "lora_scale", "disable_safety_checker"),
    *("extra_lora", "extra_lora_scale"),
]
TRAINER_INPUTS = [
    *("input_images", "trigger_word", "steps", "learning_rate", "lora_rank", "batch_size", "autocaption"),
    *("autocaption_prefix", "autocaption_suffix", "resolution", "caption_dropout_rate", "optimizer", "wandb_run"),
    *("hf_repo_id", "hf_token"),
]
FAST_TRAINER_INPUTS = ["input_images", "trigger_word", "lora_type", "training_steps"]
OFFICIAL_INPUTS = ["prompt", "guidance", "seed", "aspect_ratio", "output_format"]
_DEFAULTS: dict[str, Any] = {"num_inference_steps": 28, "guidance_scale": 3}


def schema(inputs: list[str]) -> dict[str, Any]:
    """The OpenAPI schema of a version that knows `inputs`, as far as anybody reads it."""
    known = {name: {"default": _DEFAULTS[name]} if name in _DEFAULTS else {} for name in inputs}
    return {"components": {"schemas": {"Input": {"properties": known}, "TrainingInput": {"properties": known}}}}


def picture(color: tuple[int, int, int] = (200, 160, 60), kind: str = "PNG", side: int = 64) -> bytes:
    """An encoded square: `color` with a white corner, or all of it where it is black, as a safety checker hides one."""
    out = io.BytesIO()
    image = Image.new("RGB", (side, side), color)
    if any(color):
        image.paste("white", (0, 0, side // 8, side // 8))
    image.save(out, kind)
    return out.getvalue()


@dataclass
class Model:
    """A model: its version ids (newest last) with the inputs that each knows."""

    name: str
    versions: dict[str, list[str]]
    official: bool = False
    visibility: str = "public"


@dataclass
class Plan:
    """How jobs go. Each look at a job takes it to the next of `states`; the last one stays.

    A `state` is a status, with "12/28" after a blank for what the logs then say: "processing 12/28".
    """

    states: tuple[str, ...] = ("starting", "processing 14/28", "succeeded")
    error: str | None = None
    predict_s: float = 10.0
    outputs: tuple[str, ...] | None = None
    shape: Any = None
    """The output in another shape than a list of addresses; "URL" in it stands for one."""
    logs: str = ""
    seconds: float = 0.0


@dataclass
class Held:
    """A job as the fake holds it."""

    id: str
    kind: str
    body: dict[str, Any]
    plan: Plan
    created: float
    looks: int = 0
    canceled: bool = False
    model: str = ""
    version: str = ""

    @property
    def status(self) -> str:
        if self.canceled:
            return "canceled"
        return self.plan.states[min(self.looks, len(self.plan.states) - 1)].split()[0]

    def described(self, base: str) -> dict[str, Any]:
        """The JSON that the API gives of this job."""
        ended = self.status in ("succeeded", "failed", "canceled", "aborted")
        seen = [each.split()[1] for each in self.plan.states[: self.looks + 1] if " " in each]
        logs = self.plan.logs + "".join(f" 50%|#####     | {each} [00:01<00:01]\n" for each in seen)
        began = any(each.startswith("processing") for each in self.plan.states[: self.looks + 1])
        answer: dict[str, Any] = {
            "id": self.id,
            "model": self.model,
            "version": self.version,
            "input": self.body["input"],
            "status": self.status,
            "logs": logs,
            "output": self._output(base) if self.status == "succeeded" else None,
            "error": self.plan.error if self.status == "failed" else None,
            "created_at": datetime.fromtimestamp(self.created, UTC).isoformat().replace("+00:00", "Z"),
            "urls": {"get": f"https://evil.example/{self.id}", "cancel": "https://evil.example/cancel"},
            "data_removed": False,
        }
        if ended and (began or self.status == "succeeded"):
            answer["metrics"] = {"predict_time": self.plan.predict_s}
        return answer

    def _output(self, base: str) -> Any:
        names = self.plan.outputs if self.plan.outputs is not None else ("png",)
        urls = [name if "://" in name else f"{base}/delivery/{self.id}/{name}" for name in names]
        if self.kind == "trainings":
            return {"version": f"{self.body['destination']}:trained", "weights": urls[0]}
        return urls if self.plan.shape is None else _filled(self.plan.shape, urls[0])


def _filled(shape: Any, url: str) -> Any:
    if isinstance(shape, list):
        return [_filled(each, url) for each in shape]
    if isinstance(shape, dict):
        return {key: _filled(each, url) for key, each in shape.items()}
    return url if shape == "URL" else shape


@dataclass
class State:
    """Everything that tests set and read. `served` are (method, path, headers) of all requests."""

    token: str = "r8_secretsecretsecret1234567890abcdef"
    # pragma: allowlist nextline secret
    signing_key: str = "whsec_c2lnbmluZyBrZXkgb2YgdGhlIGZha2U="
    plan: Plan = field(default_factory=Plan)
    models: dict[str, Model] = field(default_factory=dict)
    deployments: dict[str, tuple[str, str]] = field(default_factory=dict)
    jobs: dict[str, Held] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    served: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    faults: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    page: int = 100
    ahead_s: float = 0.0
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        for model in (
            Model("owner/samurai", {"v1": FINE_TUNE_INPUTS}),
            Model("black-forest-labs/flux-dev", {"hidden": OFFICIAL_INPUTS}, official=True),
            Model("ostris/flux-dev-lora-trainer", {"t1": TRAINER_INPUTS}),
            Model("replicate/fast-flux-trainer", {"f1": FAST_TRAINER_INPUTS}),
        ):
            self.models[model.name] = model
        self.deployments["acme/badges"] = ("owner/samurai", "v1")

    def fail(self, route: str, *kinds: str, seconds: float = 0.0) -> None:
        """The next requests to `route` (create, list, get, cancel, model, files, upload, download) go wrong, in turn.

        Kinds: a status ("500"), "429-bare", "drop-before" and "drop-after" the work, "slow-before" and "slow-after" it
        for `seconds`, "html" after it, "drip" for an answer a byte at a time.
        """
        with self.lock:
            self.faults.setdefault(route, []).extend((kind, seconds) for kind in kinds)

    def next_fault(self, route: str) -> tuple[str, float]:
        with self.lock:
            waiting = self.faults.get(route)
            return waiting.pop(0) if waiting else ("", 0.0)

    def start(self, kind: str, body: dict[str, Any], model: str, version: str) -> Held:
        """Start a job: from here on it is paid for."""
        with self.lock:
            number = f"job{next(self.numbers):04d}"
            held = Held(number, kind, body, self.plan, time.time() + self.ahead_s, model=model, version=version)
            self.jobs[number] = held
            return held

    def paid(self, kind: str = "predictions") -> int:
        """How many jobs were started."""
        return sum(job.kind == kind for job in self.jobs.values())

    def calls(self, method: str, part: str) -> int:
        """How many requests with this method had `part` in their path."""
        return sum(m == method and part in path for m, path, _ in self.served)
