"""What the tests of the dialogue share: a badge asked for in one line, and what is said with a badge."""

from collections.abc import Callable

from tests.fakes.telegram_api import Person

Somebody = Callable[..., Person]
READY = "🎊 Твой бейдж готов!\n/create для ещё одного"


def make_badge(person: Person, thing: str = "telescope", text: str = "UX SCOUT", number: int = 1):  # type: ignore[no-untyped-def]
    """Ask for a badge in one line and wait for it."""
    person.say(f"/badge {thing} | {text}")
    return person.waits_for("бейдж готов" if person.language == "ru" else "badge is ready", number=number)
