"""Classifies failed Bot API calls by scope and duration. Telegram's error descriptions are parsed only here.

    scope    CALL      this call only: another one about the same message may work
             MESSAGE   every call about this message
             TOPIC     every call about this topic of a forum
             CHAT      every call of this kind in this chat
             SERVICE   every call: Telegram, the network or the token
    lasts    ONCE      an immediate retry may work
             A_WHILE   a later retry may work
             FOR_GOOD  a retry would fail again

After a failure nothing beyond its scope is given up, and what lasts for good is not retried.
"""

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


class Scope(Enum):
    """Which other calls a failure affects."""

    CALL = "call"
    MESSAGE = "message"
    TOPIC = "topic"
    CHAT = "chat"
    SERVICE = "service"


class Lasts(Enum):
    """Whether and when a retry may work."""

    ONCE = "once"
    A_WHILE = "for a while"
    FOR_GOOD = "for good"


class Verdict(Enum):
    """The class of a failed call: (description, scope, duration)."""

    NOTHING = ("it is already so", Scope.MESSAGE, Lasts.FOR_GOOD)
    AGAIN = ("not sent: try again", Scope.SERVICE, Lasts.A_WHILE)
    UNKNOWN = ("perhaps sent, perhaps not", Scope.SERVICE, Lasts.A_WHILE)
    BUSY = ("this chat has to wait", Scope.CHAT, Lasts.A_WHILE)
    PICTURE = ("the picture was not accepted this time", Scope.CALL, Lasts.ONCE)
    NO_PICTURE = ("Telegram does not accept such a picture", Scope.CALL, Lasts.FOR_GOOD)
    FILE = ("the file id is not valid", Scope.CALL, Lasts.FOR_GOOD)
    GONE = ("the message to edit is gone or cannot be edited", Scope.MESSAGE, Lasts.FOR_GOOD)
    NO_MEDIA = ("this server cannot edit a text into a photo", Scope.MESSAGE, Lasts.FOR_GOOD)
    REFUSED = ("refused for an unknown reason", Scope.MESSAGE, Lasts.FOR_GOOD)
    TOPIC_GONE = ("the topic is closed or deleted", Scope.TOPIC, Lasts.FOR_GOOD)
    NOT_HERE = ("this kind of message is not allowed in this chat", Scope.CHAT, Lasts.A_WHILE)
    CHAT_GONE = ("the chat is unreachable: blocked, deleted, removed or restricted", Scope.CHAT, Lasts.FOR_GOOD)
    MOVED = ("the group has a new id", Scope.CHAT, Lasts.FOR_GOOD)

    def __init__(self, words: str, scope: Scope, lasts: Lasts) -> None:
        self.words, self.scope, self.lasts = words, scope, lasts

    @property
    def again(self) -> bool:
        """Whether the same call may work later."""
        return self in (Verdict.AGAIN, Verdict.UNKNOWN, Verdict.BUSY, Verdict.PICTURE)


_MEDIA = ("photo", "video", "document", "sticker", "audio", "voice", "animation", "media", "gif", "docs", "poll")
_FIRST = (
    # Checked first: the same words occur in errors of chats that allow no messages at all (in `_WORDS`).
    *((f"not enough rights to send {kind}", Verdict.NOT_HERE) for kind in _MEDIA),
    *((f"have no rights to send {kind}", Verdict.NOT_HERE) for kind in _MEDIA),
    *((f"chat_send_{kind}", Verdict.NOT_HERE) for kind in ("photos", "media", "docs", "stickers", "gifs", "videos")),
)
_WORDS = (
    ("message is not modified", Verdict.NOTHING),
    ("there is no media in the message", Verdict.NO_MEDIA),
    ("message to edit not found", Verdict.GONE),
    ("message to delete not found", Verdict.GONE),
    ("message can't be edited", Verdict.GONE),
    ("message can't be deleted", Verdict.GONE),
    ("message_id_invalid", Verdict.GONE),
    ("message identifier is not specified", Verdict.GONE),
    ("message_edit_time_expired", Verdict.GONE),
    ("there is no text in the message", Verdict.GONE),
    ("thread not found", Verdict.TOPIC_GONE),
    ("topic_closed", Verdict.TOPIC_GONE),
    ("topic_deleted", Verdict.TOPIC_GONE),
    ("topic_id_invalid", Verdict.TOPIC_GONE),
    ("topic closed", Verdict.TOPIC_GONE),
    ("chat not found", Verdict.CHAT_GONE),
    ("user not found", Verdict.CHAT_GONE),
    ("peer_id_invalid", Verdict.CHAT_GONE),
    ("user is deactivated", Verdict.CHAT_GONE),
    ("user_is_blocked", Verdict.CHAT_GONE),
    ("have no rights to send", Verdict.CHAT_GONE),
    ("not enough rights to send", Verdict.CHAT_GONE),
    ("need administrator rights", Verdict.CHAT_GONE),
    ("chat_write_forbidden", Verdict.CHAT_GONE),
    ("chat_restricted", Verdict.CHAT_GONE),
    ("chat_send_plain_forbidden", Verdict.CHAT_GONE),
    ("group chat was deactivated", Verdict.CHAT_GONE),
    ("image_process_failed", Verdict.PICTURE),
    ("photo_save_file_invalid", Verdict.PICTURE),
    ("photo_invalid_dimensions", Verdict.NO_PICTURE),
    ("photo_ext_invalid", Verdict.NO_PICTURE),
    ("file is too big", Verdict.NO_PICTURE),
    ("wrong file identifier", Verdict.FILE),
    ("wrong remote file", Verdict.FILE),
    ("wrong file_id", Verdict.FILE),
    ("file reference", Verdict.FILE),
    ("file_reference", Verdict.FILE),
    ("invalid file", Verdict.FILE),
    ("type of file mismatch", Verdict.FILE),
    ("can't use file of type", Verdict.FILE),
)


def verdict(error: TelegramError) -> Verdict:
    """The class of `error`."""
    if isinstance(error, ChatMigrated):
        return Verdict.MOVED
    if isinstance(error, RetryAfter):
        return Verdict.BUSY
    if isinstance(error, BadRequest | Forbidden):
        said = str(error).lower()
        unknown = Verdict.CHAT_GONE if isinstance(error, Forbidden) else Verdict.REFUSED
        return next((meaning for words, meaning in (*_FIRST, *_WORDS) if words in said), unknown)
    if isinstance(error, InvalidToken):
        return Verdict.AGAIN  # checked at the start; later, a 401 or 404 is a fault of the server
    if isinstance(error, NetworkError):
        if "too large" in str(error).lower():  # python-telegram-bot raises NetworkError for a 413
            return Verdict.NO_PICTURE
        return Verdict.AGAIN if isinstance(error, NotSent) else Verdict.UNKNOWN
    return Verdict.AGAIN
