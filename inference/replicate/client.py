"""The API client that generator and trainer share: typed, with deadlines, and never paying twice.

Reads are retried with exponential backoff and jitter, honouring `Retry-After` up to a maximum. Creating a job is not
simply retried: if the response is lost, the job is first looked for in the list by its inputs, and if the server may
still be creating it, no other is created (`LostAnswer`).
"""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from configs.sections.replicate import ReplicateSettings
from inference.replicate.errors import (
    ApiConflict,
    ApiError,
    ApiRefused,
    ApiUnreachable,
    LostAnswer,
    mask,
)
from inference.replicate.jobs import ReplicateJob, job_from
from inference.replicate.retry import pause, retried
from inference.replicate.transport import ReplicateHttp, Timeouts

log = logging.getLogger(__name__)

_PAGES = 5  # of 100 jobs each, chosen by hand: a job whose response was lost is among the newest
_CLOCK_MARGIN_S = 5.0  # chosen by hand: the `Date` header has whole seconds, and is older by the time of the response
_MIN_CANCEL_AFTER_S = 5  # the minimum of `Cancel-After` in Replicate's OpenAPI description

Claim = Callable[[str], bool]
"""Called with a job's id; False if it belongs to another badge of this machine."""


class ReplicateApi:
    """Predictions, trainings, models and files. Safe to share between threads."""

    def __init__(self, token: str, base_url: str, settings: ReplicateSettings) -> None:
        """`base_url` "" is Replicate itself."""
        self._settings = settings
        self._token = token
        self._http = ReplicateHttp(token, base_url, Timeouts(settings.connect_timeout_s, settings.read_timeout_s))

    def close(self) -> None:
        """Close the connections. Repeatable."""
        self._http.close()

    def mask(self, text: str) -> str:
        """`text` in one line, with the token and anything that looks like one masked."""
        return mask(text, self._token)

    # -- jobs: `kind` is "predictions" or "trainings"

    def job(self, kind: str, job_id: str, deadline: float) -> ReplicateJob:
        """The current state of a job; retried until the monotonic time `deadline`. Raises ApiError."""
        return job_from(self._ask("GET", f"/{kind}/{quote(job_id, safe='')}", deadline=deadline))

    def cancel(self, kind: str, job_id: str) -> ReplicateJob | None:
        """Cancel a job; returns its state, or None if Replicate did not confirm it (which is logged)."""
        deadline = time.monotonic() + self._settings.read_timeout_s
        try:
            return job_from(self._ask("POST", f"/{kind}/{quote(job_id, safe='')}/cancel", deadline=deadline))
        except ApiError as error:
            log.warning("could not cancel %s %s at Replicate: %s", kind, job_id, error)
            return None

    def create(
        self,
        kind: str,
        path: str,
        body: Mapping[str, Any],
        *,
        marker: Mapping[str, Any],
        claim: Claim,
        deadline: float,
        wait_s: int = 0,
        cancel_after_s: float = 0,
    ) -> ReplicateJob:
        """Create exactly one job with `POST path`, even if responses are lost.

        `marker` are inputs that identify the job in the list; `claim` is called before a found job is used.
        `wait_s` keeps the request open for the result, `cancel_after_s` lets Replicate cancel the job by itself.
        Raises LostAnswer if a job may be running, another ApiError if none is.
        """
        headers = {}
        if wait_s:
            headers["Prefer"] = f"wait={wait_s}"
        if cancel_after_s:
            headers["Cancel-After"] = f"{max(_MIN_CANCEL_AFTER_S, round(cancel_after_s))}s"
        since = time.time() + self._http.server_ahead - _CLOCK_MARGIN_S
        read = wait_s + self._settings.read_timeout_s
        return retried(
            lambda: job_from(self._http.send("POST", path, json=dict(body), headers=headers, read_s=read)),
            self._settings,
            deadline,
            lost=lambda error: self._look_again(kind, marker, since, claim, error),
        )

    def find(self, kind: str, marker: Mapping[str, Any], since: float, claim: Claim) -> ReplicateJob | None:
        """The newest job created after `since` (server clock) with the inputs `marker` and accepted by `claim`."""
        deadline = time.monotonic() + self._settings.read_timeout_s
        path, params = f"/{kind}", {}
        if kind == "predictions":
            params = {"created_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))}
        for _page in range(_PAGES):
            page = self._ask("GET", path, deadline=deadline, params=params)
            results = page.get("results")
            jobs = [job_from(each) for each in (results if isinstance(results, list) else [])]
            for job in jobs:
                if job.created >= since and marker.items() <= job.input.items() and claim(job.id):
                    return job
            if not jobs or min(job.created for job in jobs) < since or not page.get("next"):
                return None
            # only the query of `next` is used: the token must not be sent to another host
            params = dict(parse_qsl(urlsplit(str(page["next"])).query))
        return None

    def since(self, asked_at: float) -> float:
        """Our time `asked_at` by the server's clock, minus a safety margin."""
        return asked_at + self._http.server_ahead - _CLOCK_MARGIN_S

    def _look_again(
        self, kind: str, marker: Mapping[str, Any], since: float, claim: Claim, lost: ApiUnreachable
    ) -> ReplicateJob | None:
        """Look for a job whose response was lost, repeatedly if it may appear late."""
        looks = self._settings.attempts if lost.timed_out else 2
        for look in range(looks):
            time.sleep(pause(self._settings, look))
            try:
                job = self.find(kind, marker, since, claim)
            except ApiError as error:
                raise LostAnswer(f"{lost}; whether the job was started is not known: {error}") from lost
            if job:
                log.info("the response was lost, but job %s was created: continuing with it", job.id)
                return job
        if lost.timed_out:
            raise LostAnswer(f"{lost}; whether the job was started is not known") from lost
        return None

    # -- models and files

    def model(self, name: str, deadline: float) -> dict[str, Any]:
        """The model `owner/name` as Replicate describes it. Raises ApiNotFound and others."""
        return self._ask("GET", f"/models/{name}", deadline=deadline)

    def version(self, name: str, version: str, deadline: float) -> dict[str, Any]:
        """One version of the model `owner/name`."""
        return self._ask("GET", f"/models/{name}/versions/{version}", deadline=deadline)

    def deployment(self, name: str, deadline: float) -> dict[str, Any]:
        """The deployment `owner/name` with its current release."""
        return self._ask("GET", f"/deployments/{name}", deadline=deadline)

    def require_model(self, name: str, hardware: str, deadline: float) -> bool:
        """Create the private model `owner/name` if it does not exist; True if it was created."""
        owner, _, short = name.partition("/")
        body = {"owner": owner, "name": short, "visibility": "private", "hardware": hardware}
        try:
            self._ask("POST", "/models", deadline=deadline, json=body)
        except ApiConflict:
            return False
        return True

    def webhook_secret(self, deadline: float) -> str:
        """The signing secret of webhooks; never log it."""
        return str(self._ask("GET", "/webhooks/default/secret", deadline=deadline).get("key", ""))

    def file(self, file_id: str, deadline: float) -> dict[str, Any]:
        """An uploaded file. Raises ApiNotFound if it has expired."""
        return self._ask("GET", f"/files/{quote(file_id, safe='')}", deadline=deadline)

    def files(self, deadline: float) -> list[dict[str, Any]]:
        """The newest uploaded files."""
        results = self._ask("GET", "/files", deadline=deadline).get("results")
        return [each for each in results if isinstance(each, dict)] if isinstance(results, list) else []

    def upload(self, path: Path, content: Any, metadata: str, whole_s: float) -> dict[str, Any]:
        """Send one file as a multipart form, once; `content` is an open binary file, `metadata` JSON text."""
        form = {"filename": path.name, "type": "application/zip", "metadata": metadata}
        files = {"content": (path.name, content, "application/zip")}
        return self._http.send("POST", "/files", files=files, data=form, whole_s=whole_s)

    def _ask(self, method: str, path: str, *, deadline: float, **content: Any) -> dict[str, Any]:
        """Send an idempotent request, retried until a response, a refusal, or the monotonic time `deadline`."""

        def request() -> dict[str, Any]:
            whole = max(0.1, deadline - time.monotonic())
            read = min(self._settings.read_timeout_s, whole)
            return self._http.send(method, path, read_s=read, whole_s=whole, **content)

        return retried(request, self._settings, deadline)


def refusal(error: ApiRefused) -> str:
    """The refused inputs of a request with their reasons, or the error message."""
    named = "; ".join(f"{name}: {words}" for name, words in error.fields if name)
    return named or str(error)
