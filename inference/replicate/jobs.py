"""A prediction or training as a frozen value; unknown fields and values in a response do not break it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from inference.replicate.errors import ApiUnreachable

TERMINAL = frozenset({"succeeded", "failed", "canceled", "aborted"})
_BAR = re.compile(r"\|\s*(\d{1,6})/(\d{1,6})\b")
_COUNT = re.compile(r"(?<![\d/.])(\d{1,6})/(\d{1,6})(?![\d/])")
_DEEPEST = 4  # levels of nesting in which files are looked for, chosen by hand: bounds a hostile response
_SEED = re.compile(r"Using seed: (\d+)")


@dataclass(frozen=True)
class ReplicateJob:
    """A prediction or training. `predict_s` is the billed time, None while it is not known."""

    id: str
    status: str
    input: dict[str, Any] = field(default_factory=dict)
    output: Any = None
    error: str = ""
    logs: str = ""
    predict_s: float | None = None
    created: float = 0.0
    model: str = ""
    version: str = ""
    removed: bool = False
    """Replicate has deleted inputs and outputs."""

    @property
    def done(self) -> bool:
        """Whether the job has ended in any way."""
        return self.status in TERMINAL

    @property
    def outputs(self) -> tuple[str, ...]:
        """The URLs of the output files.

        Models return one, a list, or an object that contains them; a file is a URL, a `data:` URI, Base64, or an object
        that contains one of these.
        """
        return tuple(_files(self.output))

    @property
    def progress(self) -> tuple[int, int] | None:
        """(done, total) from the last progress bar or "12/28" in the logs."""
        tail = self.logs[-8000:]
        for pattern in (_BAR, _COUNT):
            for match in reversed(list(pattern.finditer(tail))):
                done, total = int(match[1]), int(match[2])
                if 0 <= done <= total and total > 1:
                    return done, total
        return None

    @property
    def used_seed(self) -> int | None:
        """The seed in the logs; not ours if that was 0, since cog-flux takes 0 as "no seed"."""
        match = _SEED.search(self.logs)
        return int(match[1]) if match else None


_FILE_KEYS = ("images", "image", "output", "outputs", "urls", "url", "uri", "files", "file", "data", "result")
_BASE64_PICTURES = ("iVBORw0KGgo", "/9j/", "UklGR")  # how PNG, JPEG and WebP begin


def _files(value: object, depth: int = 0) -> Iterator[str]:
    """Every file in an output, in order; of an object those under the first key of `_FILE_KEYS`, else all."""
    if isinstance(value, str):
        if re.match(r"[a-z][a-z0-9+.-]*://|data:", value, re.IGNORECASE) or value.startswith(_BASE64_PICTURES):
            yield value
    elif depth >= _DEEPEST:
        return
    elif isinstance(value, list):
        for each in value:
            yield from _files(each, depth + 1)
    elif isinstance(value, dict):
        for key in _FILE_KEYS:
            if found := tuple(_files(value.get(key), depth + 1)):
                yield from found
                return
        for each in value.values():
            yield from _files(each, depth + 1)


def job_from(answer: dict[str, Any]) -> ReplicateJob:
    """The job in a response. Raises ApiUnreachable if it contains none."""
    job_id, status = answer.get("id"), answer.get("status")
    if not isinstance(job_id, str) or not job_id or not isinstance(status, str):
        raise ApiUnreachable("Replicate's response contains no job", sent=True)
    metrics = answer.get("metrics")
    given = answer.get("input")
    return ReplicateJob(
        id=job_id,
        status=status,
        input=given if isinstance(given, dict) else {},
        output=answer.get("output"),
        error=_text(answer.get("error")),
        logs=_text(answer.get("logs")),
        predict_s=_number(metrics.get("predict_time")) if isinstance(metrics, dict) else None,
        created=_time(answer.get("created_at")),
        model=_text(answer.get("model")),
        version=_text(answer.get("version")),
        removed=answer.get("data_removed") is True,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value >= 0 else None


def _time(value: object) -> float:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        return 0.0
