"""Ray's errors in our words.

RayTaskError              what the actor's own code raised: a RenderError passes, anything else is RenderFailed
ActorDiedError            ActorGone: no restart is left for it, or it cannot start at all
ActorUnavailableError     RenderFailed: its process died once too often at this very drawing
any other RayError        BackendUnavailable
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from inference.errors import BackendUnavailable, RenderError, RenderFailed

if TYPE_CHECKING:
    from ray.exceptions import ActorDiedError


class ActorGone(Exception):
    """An actor that does not come back; the message says why. Another actor may serve."""


class ActorAway(RenderFailed):
    """An actor that cannot be reached at present, or whose process died at each try; Ray brings it back."""


@contextmanager
def translated() -> Iterator[None]:
    """Raises what the table above says in place of Ray's errors."""
    from ray.exceptions import ActorDiedError, ActorUnavailableError, RayError, RayTaskError

    try:
        yield
    except RayTaskError as error:
        cause = error.cause
        if isinstance(cause, RenderError):
            raise cause from error
        raise RenderFailed(f"an actor failed: {type(cause).__name__}: {_line(cause)}") from error
    except ActorDiedError as error:
        raise ActorGone(_reason(error)) from error
    except ActorUnavailableError as error:
        raise ActorAway("the drawing process died on every attempt: see its log on the node") from error
    except RayError as error:
        raise BackendUnavailable(f"Ray: {_line(error)}") from error


def _reason(error: "ActorDiedError") -> str:
    """The line that tells: of an actor that could not start its exception, else what Ray says of its process."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if error.actor_init_failed:
        return f"it cannot start: {lines[-1]}"
    why = next((line for line in lines if line.startswith("The actor is dead because")), lines[0])
    return why.split(". ")[0].rstrip(".") + ", and no restart is left"


def _line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
