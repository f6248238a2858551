"""What the Replicate wrapper raises, and how a secret is kept out of it.

    ApiError
    |- ApiUnreachable      no usable answer: connection, time-out, 5xx, HTML instead of JSON
    |  |- LostAnswer       a job was asked for, and whether it runs is not known; it is looked for next time
    |- ApiThrottled        429, also after waiting
    |- ApiUnauthorized     401: the token
    |- ApiForbidden        403: the account or its rights
    |- ApiNoCredit         402
    |- ApiNotFound         404
    |- ApiConflict         409
    |- ApiRefused          400, 413, 422 and the like; `fields` names the inputs
    |- ApiTimedOut         the job did not end within our own deadline
    |- OverLimit           our own quota or budget; nothing was asked
    |- BadOutput           what should be downloaded is not what it should be
    |  `- OutputLost        it is not there at present, or arrives damaged

`inference.replicate.generator` turns these into `RenderError`, the hosted trainer into `TrainingError`.
"""

import re

_SECRETS = re.compile(r"(r8_|hf_|whsec_)[A-Za-z0-9+/=_-]{4,}|Bearer\s+\S+")


class ApiError(Exception):
    """Base of all errors of the Replicate wrapper. The message is one line, without secrets."""


class ApiUnreachable(ApiError):
    """No usable answer. `sent`: the request may have been carried out; `timed_out`: it may still be."""

    def __init__(self, message: str, *, sent: bool, timed_out: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.timed_out = timed_out


class LostAnswer(ApiUnreachable):
    """A job was asked for and may be running."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=True)


class ApiThrottled(ApiError):
    """429. `retry_after` in seconds, None where the answer does not say."""

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
    """The request is wrong. `fields` are (input name, what is wrong) pairs."""

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
    """The output is not there at present, or arrives damaged; another try may get it."""


def mask(text: str, *secrets: str) -> str:
    """`text` in one line with `secrets` and whatever looks like a token replaced by `***`.

    >>> mask("bad token r8_abcdef123")
    'bad token ***'
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return " ".join(_SECRETS.sub("***", text).split())
