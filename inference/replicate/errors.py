"""The errors of the Replicate client, and the masking of secrets in their messages.

    ApiError
    |- ApiUnreachable      no usable response: connection, timeout, 5xx, HTML instead of JSON
    |  |- LostAnswer       the response to creating a job was lost; the next call looks for the job
    |- ApiThrottled        429, also after waiting
    |- ApiUnauthorized     401: the token
    |- ApiForbidden        403: the account or its rights
    |- ApiNoCredit         402
    |- ApiNotFound         404
    |- ApiConflict         409
    |- ApiRefused          400, 413, 422 and the like; `fields` names the inputs
    |- ApiTimedOut         the job did not end within our own deadline
    |- OverLimit           our own quota or budget; nothing was sent
    |- BadOutput           the output of a job is not allowed, too large, or no image
    |  `- OutputLost        it is missing at present, or damaged

`inference.replicate.generator` turns these into `RenderError`, the hosted trainer into `TrainingError`.
"""

import re

_SECRETS = re.compile(r"(r8_|hf_|whsec_)[A-Za-z0-9+/=_-]{4,}|Bearer\s+\S+")


class ApiError(Exception):
    """Base of all errors of the Replicate client. The message is one line, without secrets."""


class ApiUnreachable(ApiError):
    """No usable response. `sent`: the request may have been executed; `timed_out`: it may still be executed."""

    def __init__(self, message: str, *, sent: bool, timed_out: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.timed_out = timed_out


class LostAnswer(ApiUnreachable):
    """The response to creating a job was lost: it may be running."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=True)


class ApiThrottled(ApiError):
    """429. `retry_after` in seconds, None if the response has none."""

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ApiUnauthorized(ApiError):
    """401."""


class ApiForbidden(ApiError):
    """403: the token is known, but its account is suspended or may not do this."""


class ApiNoCredit(ApiError):
    """402."""


class ApiNotFound(ApiError):
    """404."""


class ApiConflict(ApiError):
    """409."""


class ApiRefused(ApiError):
    """400, 413, 422 and the like. `fields` are (input name, reason) pairs."""

    def __init__(self, message: str, fields: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.fields = fields


class ApiTimedOut(ApiError):
    """Our own deadline passed; the job was canceled."""


class OverLimit(ApiError):
    """Our own quota or budget is used up."""


class BadOutput(ApiError):
    """A download was refused: wrong host, too large, not an image, not one LoRA."""


class OutputLost(BadOutput):
    """The output is missing at present, or damaged; a retry may get it."""


def mask(text: str, *secrets: str) -> str:
    """`text` in one line with `secrets` and anything that looks like a token replaced by `***`.

    >>> mask("bad token r8_abcdef123")
    'bad token ***'
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return " ".join(_SECRETS.sub("***", text).split())
