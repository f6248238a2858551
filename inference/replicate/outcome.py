"""The cost of a finished Replicate job, and the error that its failure means."""

import re

from configs.sections.replicate import ReplicateSettings
from inference.errors import BackendUnavailable, InvalidRequest, RenderError, RenderFailed
from inference.replicate.errors import mask
from inference.replicate.jobs import ReplicateJob
from inference.replicate.target import Target

_REFUSED = ("NSFW", "FLAGGED AS SENSITIVE", "E005")
# Replicate's own codes (replicate.com/docs/reference/error-codes): memory, start timeouts, health checks, uploads.
_THEIR_FAULT = ("interrupted", "out of memory", "timed out", "timeout", "please retry", "health check")
_CODE = re.compile(r"\bE\d{4,5}\b|\bcode: PA\b")
_THEIRS = frozenset({
    "E1000", "E1001", "E1200", "E4875", "E6716", "E8367", "E8765", "E9243", "E9825", "code: PA",
})  # fmt: skip
_RETRY = ("code: PA", "please retry", "interrupted")


def cost_of(job: ReplicateJob, target: Target, settings: ReplicateSettings) -> float:
    """Cost in dollars: per image for official models, else by computing time; 0 if the job never started."""
    if target.official:
        return settings.usd_per_image * len(job.outputs)
    if job.predict_s is not None:
        return settings.usd_per_second * job.predict_s
    return settings.estimate_badge_usd if job.status == "succeeded" else 0.0


def failure_of(job: ReplicateJob) -> RenderError | None:
    """The error to raise for a finished job; None if it has images."""
    said = mask(job.error)[:300]
    if job.status == "aborted":
        return BackendUnavailable(f"Replicate aborted job {job.id} before it started{f' ({said})' if said else ''}")
    if job.status == "canceled":
        return BackendUnavailable(f"job {job.id} was canceled at Replicate: ask again")
    if _refused(job.error) or (not job.outputs and _refused(job.logs)):
        return InvalidRequest("Replicate's safety checker refuses the picture: try other words")
    if job.status == "failed":
        if _theirs(job.error):
            return BackendUnavailable(f"Replicate failed to run job {job.id}: {said}")
        return RenderFailed(f"Replicate's model failed in job {job.id}: {said or 'no reason given'}")
    if not job.outputs:
        return RenderFailed(f"Replicate's job {job.id} ended without a picture")
    return None


def asks_to_retry(job: ReplicateJob) -> bool:
    """Whether Replicate itself interrupted the job and asks to retry."""
    return job.status in ("failed", "aborted") and any(sign.lower() in job.error.lower() for sign in _RETRY)


def _theirs(words: str) -> bool:
    said = words.lower()
    return any(sign in said for sign in _THEIR_FAULT) or bool(_THEIRS.intersection(_CODE.findall(words)))


def _refused(words: str) -> bool:
    """Whether a text is from a safety checker: that of fine-tunes, or of official models (E005)."""
    return any(sign in words.upper() for sign in _REFUSED)
