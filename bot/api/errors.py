"""What a failed call means: try again, wait for the person, or give up. Telegram says it in words, read here alone."""

from enum import Enum

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.api.http import NotSent


class Verdict(Enum):
    """What to do about a failed call."""

    NOTHING = "nothing to do: it is already so"
    AGAIN = "not sent: try again"
    UNKNOWN = "perhaps sent, perhaps not"
    GONE = "the message to edit is gone or cannot be edited"
    NO_MEDIA = "this server does not turn texts into photos"
    CHAT_GONE = "nobody is there: blocked, deleted, removed"
    FILE = "the file id is not valid any more"
    REFUSED = "refused for good"


_WORDS = (
    ("message is not modified", Verdict.NOTHING),
    ("there is no media in the message", Verdict.NO_MEDIA),
    ("message to edit not found", Verdict.GONE),
    ("message can't be edited", Verdict.GONE),
    ("message_id_invalid", Verdict.GONE),
    ("message identifier is not specified", Verdict.GONE),
    ("chat not found", Verdict.CHAT_GONE),
    ("user is deactivated", Verdict.CHAT_GONE),
    ("have no rights to send", Verdict.CHAT_GONE),
    ("not enough rights to send", Verdict.CHAT_GONE),
    ("chat_write_forbidden", Verdict.CHAT_GONE),
    ("topic_closed", Verdict.CHAT_GONE),
    ("thread not found", Verdict.CHAT_GONE),
    ("wrong file identifier", Verdict.FILE),
    ("wrong remote file", Verdict.FILE),
    ("file reference", Verdict.FILE),
    ("invalid file", Verdict.FILE),
)


def verdict(error: TelegramError) -> Verdict:
    """What `error` means for the call that raised it."""
    if isinstance(error, ChatMigrated):
        return Verdict.REFUSED  # the group has a new id, which comes as an update
    if isinstance(error, Forbidden):
        return Verdict.CHAT_GONE
    if isinstance(error, RetryAfter):
        return Verdict.AGAIN
    if isinstance(error, BadRequest):
        said = str(error).lower()
        return next((meaning for words, meaning in _WORDS if words in said), Verdict.REFUSED)
    if isinstance(error, InvalidToken):
        return Verdict.AGAIN  # a wrong token ends the start; later, a 404 is a server that is being set up
    if isinstance(error, NetworkError):
        return Verdict.AGAIN if isinstance(error, NotSent) else Verdict.UNKNOWN
    return Verdict.AGAIN
