"""The bot's messages on the fake of Telegram: sent, edited, refused where Telegram refuses them."""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram_http import Call, Refused
from tests.fakes.telegram_people import BOT_ID, BOT_NAME, Json, Msg, chat_of


@dataclass
class Faults:
    """What goes wrong. Functions are asked for each call as (method, fields)."""

    down: bool = False
    retry_after: Callable[[str, dict[str, str]], int] = lambda method, fields: 0
    drop_answer: Callable[[str, dict[str, str]], bool] = lambda method, fields: False
    refuse: Callable[[str, dict[str, str]], str] = lambda method, fields: ""
    blocked: set[int] = field(default_factory=set)
    moved: dict[int, int] = field(default_factory=dict)
    """Groups that became supergroups: old number to new."""
    texts_stay_texts: bool = False
    again: bool = False
    """Give every update twice."""
    unauthorized: bool = False
    """Answer getUpdates with 401."""
    extra: Json = field(default_factory=dict)
    """More fields of every message in an answer."""


class Messages:
    """All chats' messages and files, and what goes wrong with them."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.messages: dict[int, dict[int, Msg]] = {}
        self.files: dict[str, bytes] = {}
        self.listeners: list[Callable[[Msg, str], None]] = []
        self._message_ids = itertools.count(1)
        self._file_ids = itertools.count(1)

    def next_message_id(self) -> int:
        """A number for the next message, whoever writes it."""
        return next(self._message_ids)

    def _send(self, method: str, call: Call) -> Any:
        fields = call.fields
        chat_id = int(fields["chat_id"])
        if method == "sendMediaGroup":
            media = json.loads(fields["media"])
            return [
                self._new(chat_id, fields, photo=self._file(call, m["media"]), text=m.get("caption", "")) for m in media
            ]
        if method == "sendMessage":
            return self._new(chat_id, fields, text=self._text(fields["text"], 4096))
        kind = method.removeprefix("send").lower()
        source = fields.get(kind, f"attach://{kind}")
        return self._new(chat_id, fields, **{kind: self._file(call, source), "text": fields.get("caption", "")})

    def _new(self, chat_id: int, fields: dict[str, str], **content: str) -> Json:
        reply = json.loads(fields.get("reply_parameters", "{}")).get("message_id", 0)
        thread = int(fields.get("message_thread_id", "0"))
        message = Msg(self.next_message_id(), chat_id, time.monotonic(), reply_to=reply, thread=thread, **content)
        message.markup = self._markup(fields)
        message.versions.append(message.text)
        message.photos = int(bool(message.photo))
        self.messages.setdefault(chat_id, {})[message.id] = message
        return self._tell(message, "new")

    def _edit(self, method: str, call: Call) -> Json:
        fields = call.fields
        message = self.messages.get(int(fields["chat_id"]), {}).get(int(fields["message_id"]))
        if message is None:
            raise Refused(400, "Bad Request: message to edit not found")
        markup = self._markup(fields)
        if method == "editMessageText":
            if message.photo:
                raise Refused(400, "Bad Request: there is no text in the message to edit")
            text = self._text(fields["text"], 4096)
            if (text, markup) == (message.text, message.markup):
                raise Refused(400, "Bad Request: message is not modified: specified new message content is the same")
            message.text = text
        elif method == "editMessageMedia":
            if self.faults.texts_stay_texts and not message.photo:
                raise Refused(400, "Bad Request: there is no media in the message to edit")
            media = json.loads(fields["media"])
            message.photo, message.text = self._file(call, media["media"]), self._text(media.get("caption", ""), 1024)
            message.photos += 1
        elif method == "editMessageCaption":
            if not message.photo:
                raise Refused(400, "Bad Request: there is no caption in the message to edit")
            caption = self._text(fields.get("caption", ""), 1024)
            if (caption, markup) == (message.text, message.markup):
                raise Refused(400, "Bad Request: message is not modified: specified new message content is the same")
            message.text = caption
        else:
            raise Refused(404, "Not Found: method not found")
        message.markup = markup
        message.versions.append(message.text)
        return self._tell(message, "edit")

    def _tell(self, message: Msg, how: str) -> Json:
        for listener in self.listeners:
            listener(message, how)
        answer: Json = {"message_id": message.id, "date": int(time.time()), "chat": chat_of(message.chat_id)}
        answer["from"] = {"id": BOT_ID, "is_bot": True, "first_name": "Badge", "username": BOT_NAME}
        if message.photo:
            sizes = {"width": 1024, "height": 1024}
            answer |= {
                "caption": message.text,
                "photo": [{"file_id": message.photo, "file_unique_id": message.photo, **sizes}],
            }
        elif message.document:
            answer["document"] = {"file_id": message.document, "file_unique_id": message.document}
        elif message.sticker:
            answer["sticker"] = {
                "file_id": message.sticker, "file_unique_id": message.sticker, "type": "regular",
                "width": 512, "height": 512, "is_animated": False, "is_video": False,
            }  # fmt: skip
        else:
            answer["text"] = message.text
        return answer | self.faults.extra

    def _file(self, call: Call, source: str) -> str:
        """The file id of what is uploaded, or of what the server knows."""
        if not source.startswith("attach://"):
            if source not in self.files:
                raise Refused(400, "Bad Request: wrong file identifier/HTTP URL specified")
            return source
        data = call.files[source.removeprefix("attach://")]
        if len(data) > 10 * 2**20:
            raise Refused(413, "Request Entity Too Large")
        file_id = f"file-{next(self._file_ids)}"
        self.files[file_id] = data
        return file_id

    @staticmethod
    def _text(text: str, limit: int) -> str:
        if not text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > limit:
            raise Refused(400, "Bad Request: message is too long")
        return text

    @staticmethod
    def _markup(fields: dict[str, str]) -> Json:
        markup: Json = json.loads(fields.get("reply_markup", "{}"))
        for row in markup.get("inline_keyboard", []):
            for button in row:
                if not 0 < len(button["callback_data"].encode()) <= 64:
                    raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
        return markup
