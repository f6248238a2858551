"""Tells the admins, in private, about errors that only they can fix."""

import sqlite3
from collections.abc import Sequence

from bot.store import outbox, people
from bot.store.outbox import Message, Outgoing
from bot.texts import Texts, texts_for

_NOT_AGAIN_FOR = 3600.0
"""Seconds, chosen by hand: every job in a full queue fails for the same reason, and one message an hour is enough."""
_LONGEST = 600  # characters of the error, chosen by hand; far below Telegram's 4096


def tell_admins(
    connection: sqlite3.Connection, admins: Sequence[int], reason: str, detail: str, now: float
) -> list[Outgoing]:
    """Put a message to each admin into the outbox, at most once an hour per `reason`; returns the messages."""
    key = f"told admins: {reason}"
    before = float(people.fact(connection, key, "0"))
    if abs(now - before) < _NOT_AGAIN_FOR:
        return []
    people.set_fact(connection, key, str(now))
    messages = []
    for admin in admins:
        text = _sentence(texts_for(people.language(connection, admin)), " ".join(detail.split())[:_LONGEST])
        messages.append(outbox.put(connection, admin, admin, Message("text", text), now))
    return messages


def _sentence(_: Texts, detail: str) -> str:
    return _("⚠️ I cannot draw until this is fixed: {detail}", detail=detail)
