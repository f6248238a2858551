"""People who talk to a bot, and the bot's messages as they see them."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes.telegram_api import TelegramServer

BOT_ID, BOT_NAME = 4242, "samurai_badge_bot"
Json = dict[str, Any]


@dataclass
class Msg:
    """A message of the bot, as the person sees it now. `versions` are all texts that it has had."""

    id: int
    chat_id: int
    at: float
    text: str = ""
    photo: str = ""
    document: str = ""
    sticker: str = ""
    markup: Json = field(default_factory=dict)
    reply_to: int = 0
    thread: int = 0
    versions: list[str] = field(default_factory=list)
    photos: int = 0

    def buttons(self) -> dict[str, str]:
        """Label to callback data."""
        return {b["text"]: b["callback_data"] for row in self.markup.get("inline_keyboard", []) for b in row}


def chat_of(chat_id: int) -> Json:
    """A chat as the API shows it."""
    if chat_id > 0:
        return {"id": chat_id, "type": "private", "first_name": "Somebody"}
    return {"id": chat_id, "type": "supergroup", "title": "Group", "is_forum": True}


class Person:
    """Somebody who talks to the bot in one chat."""

    def __init__(self, server: "TelegramServer", user_id: int, language: str, chat_id: int, thread: int) -> None:
        self.server, self.user_id, self.language, self.chat_id, self.thread = server, user_id, language, chat_id, thread

    def message(self, **content: Any) -> Json:
        """A message of this person with this content."""
        user = {"id": self.user_id, "is_bot": False, "first_name": "Person", "language_code": self.language}
        message: Json = {"message_id": self.server.next_message_id(), "date": int(time.time()), "from": user}
        message |= {"chat": chat_of(self.chat_id), **content}
        if self.thread:
            message |= {"message_thread_id": self.thread, "is_topic_message": True}
        return message

    def say(self, text: str, **content: Any) -> int:
        """Write a text or a command; the message's number."""
        word = text.split(maxsplit=1)[0] if text.strip() else ""
        if word.startswith("/") and word[1:].replace("@", "").replace("_", "").isascii() and len(word) > 1:
            content.setdefault("entities", [{"type": "bot_command", "offset": 0, "length": len(word)}])
        message = self.message(text=text, **content)
        self.server.deliver("message", message)
        return int(message["message_id"])

    def send(self, **content: Any) -> None:
        """Send something that is no text, such as `voice={...}`."""
        self.server.deliver("message", self.message(**content))

    def answers(self, message: Msg, text: str) -> None:
        """Write a text as a reply to one of the bot's messages, as groups in privacy mode need it."""
        bot = {"id": BOT_ID, "is_bot": True, "first_name": "Badge", "username": BOT_NAME}
        before = {"message_id": message.id, "date": 1, "chat": chat_of(self.chat_id), "from": bot, "text": message.text}
        self.say(text, reply_to_message=before)

    def press(self, message: Msg, label: str, data: str = "") -> str:
        """Press a button by its label (or send forged `data`); the query's number."""
        user = {"id": self.user_id, "is_bot": False, "first_name": "Person", "language_code": self.language}
        query = {"id": f"q{self.server.next_message_id()}", "from": user, "chat_instance": "1"}
        shown: Json = {
            "message_id": message.id,
            "date": 1,
            "chat": chat_of(self.chat_id),
            "text": message.text or "photo",
        }
        if self.thread:
            shown |= {"message_thread_id": self.thread, "is_topic_message": True}
        pressed = data or next(value for text, value in message.buttons().items() if label in text)
        self.server.deliver("callback_query", {**query, "message": shown, "data": pressed})
        return str(query["id"])

    def sees(self) -> list[Msg]:
        """What the bot has written in this chat, oldest first."""
        return self.server.of(self.chat_id)

    def waits_for(self, words: str, *, number: int = 1, seconds: float = 60.0) -> Msg:
        """The `number`-th message that holds `words`, once there are that many."""

        def found() -> Msg | None:
            hits = [m for m in self.sees() if words in m.text]
            return hits[number - 1] if len(hits) >= number else None

        return self.server.wait(found, seconds, f"{words!r} (number {number}) in chat {self.chat_id}")

    def toast(self, query: str) -> str:
        """The note that a pressed button got."""
        self.server.wait(lambda: any(q == query for q, _ in self.server.toasts), 10, f"a note on {query}")
        return next(text for q, text in self.server.toasts if q == query)

    def badges(self) -> list[Msg]:
        """The messages in this chat that are badges."""
        return [m for m in self.sees() if m.photo]
