"""A Bot API server on loopback, with people who talk to the bot and faults that can be switched on.

It keeps Telegram's rules that matter to a bot: update ids and offsets, one message id after the other, texts that may
become photos by an edit (never the reverse), "message is not modified", lengths in UTF-16 units, callback data of
at most 64 bytes, file ids, 403 after a block, 429 with `retry_after`, webhooks that are called until they say 200.

    with TelegramServer() as server:
        anna = server.person(1, "ru")
        anna.say("/start")
        anna.waits_for("Что держит персонаж?")
"""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram_http import HANG_UP, Call, Refused, post_json, serve
from tests.fakes.telegram_packs import Packs
from tests.fakes.telegram_people import BOT_ID, BOT_NAME, Json, Msg, Person, chat_of

TOKEN = "4242:AAFakeTokenForTestsOnlyNotARealOne0"
__all__ = ["TOKEN", "Faults", "Msg", "Person", "TelegramServer"]


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


@dataclass
class Seen:
    """A call that arrived."""

    method: str
    fields: dict[str, str]
    at: float
    uploaded: int

    @property
    def chat_id(self) -> int:
        return int(self.fields.get("chat_id", "0"))


class TelegramServer:
    """The server, its chats and its people. Runs in a thread of its own; all methods are for other threads."""

    def __init__(self, port: int = 0) -> None:
        self.faults = Faults()
        self.calls: list[Seen] = []
        self.messages: dict[int, dict[int, Msg]] = {}
        self.toasts: list[tuple[str, str]] = []
        self.files: dict[str, bytes] = {}
        self.members: dict[int, set[int]] = {}
        """Chat to whoever is in it; other chats are not known."""
        self.taggers: set[int] = set()
        """Chats in which the bot is an admin who may manage tags."""
        self.changed = threading.Condition()
        self.packs = Packs()
        self.listeners: list[Callable[[Msg, str], None]] = []
        self.webhook = ""
        self.secret = ""
        self._port = port
        self._updates: list[Json] = []
        self._update_ids = itertools.count(1000)
        self._message_ids = itertools.count(1)
        self._file_ids = itertools.count(1)
        self._new_update: asyncio.Event | None = None
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._pusher: asyncio.Task[None] | None = None

    def __enter__(self) -> "TelegramServer":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    @property
    def base_url(self) -> str:
        """For BADGE_BOT__BASE_URL."""
        return f"http://127.0.0.1:{self._port}/bot"

    @property
    def base_file_url(self) -> str:
        """For BADGE_BOT__BASE_FILE_URL."""
        return f"http://127.0.0.1:{self._port}/file/bot"

    def person(self, user_id: int, language: str = "ru", chat_id: int = 0, thread: int = 0) -> "Person":
        """Somebody in their private chat, or in the group `chat_id` (negative)."""
        return Person(self, user_id, language, chat_id or user_id, thread)

    def deliver(self, kind: str, content: Json) -> None:
        """Give the bot an update."""

        def add() -> None:
            update = {"update_id": next(self._update_ids), kind: content}
            self._updates += [update, update] if self.faults.again else [update]
            if self._new_update is not None:
                self._new_update.set()

        self._loop.call_soon_threadsafe(add)

    def next_message_id(self) -> int:
        """A number for the next message, whoever writes it."""
        return next(self._message_ids)

    def of(self, chat_id: int) -> list[Msg]:
        """The bot's messages in a chat, oldest first."""
        with self.changed:
            return [self.messages[chat_id][n] for n in sorted(self.messages.get(chat_id, {}))]

    def wait(self, condition: Callable[[], Any], seconds: float = 60.0, what: str = "something") -> Any:
        """Wait until `condition()` is true; its value. Fails loudly after `seconds`."""
        end = time.monotonic() + seconds
        with self.changed:
            while not (value := condition()):
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"waited {seconds} s for {what}; messages: {self.messages}")
                self.changed.wait(min(left, 0.2))
            return value

    def count(self, *methods: str) -> int:
        """How many calls of these methods arrived."""
        return sum(call.method in methods for call in list(self.calls))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._new_update = asyncio.Event()
        server = self._loop.run_until_complete(serve(self._handle, self._port))
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.close()

    async def _handle(self, call: Call) -> tuple[int, bytes]:
        if self.faults.down:
            return HANG_UP, b""
        token, _, method = call.path.removeprefix("/bot").partition("/")
        if token != TOKEN:
            return 404, b'{"ok":false,"error_code":404,"description":"Not Found"}'
        if method != "getUpdates":
            size = sum(map(len, call.files.values()))
            self.calls.append(Seen(method, call.fields, time.monotonic(), size))
        try:
            result = await self._method(method, call)
        except Refused as error:
            body: Json = {"ok": False, "error_code": error.code, "description": error.words}
            if error.parameters:
                body["parameters"] = error.parameters
            return error.code, json.dumps(body).encode()
        if method != "getUpdates" and self.faults.drop_answer(method, call.fields):
            return HANG_UP, b""
        return 200, json.dumps({"ok": True, "result": result}).encode()

    async def _method(self, method: str, call: Call) -> Any:
        fields = call.fields
        if method == "getUpdates":
            if self.faults.unauthorized:
                raise Refused(401, "Unauthorized")
            return await self._get_updates(int(fields.get("offset", "0")), float(fields.get("timeout", "0")))
        if method == "getMe":
            me = {"id": BOT_ID, "is_bot": True, "first_name": "Badge", "username": BOT_NAME}
            return me | {
                "can_join_groups": True,
                "can_read_all_group_messages": False,
                "supports_inline_queries": False,
            }
        if method in ("setMyCommands", "getWebhookInfo", "logOut"):
            return True
        if method in ("setWebhook", "deleteWebhook"):
            return self._set_webhook(fields)
        wait = self.faults.retry_after(method, fields)
        if wait:
            raise Refused(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        words = self.faults.refuse(method, fields)
        if words:
            raise Refused(400, f"Bad Request: {words}")
        if method in ("getStickerSet", "createNewStickerSet", "addStickerToSet", "deleteStickerFromSet"):
            with self.changed:
                answer = self.packs.answer(method, fields, lambda source: self._file(call, source))
                self.changed.notify_all()
            return answer
        if method == "getChat":
            if int(fields["chat_id"]) in self.faults.blocked:
                raise Refused(400, "Bad Request: chat not found")
            return chat_of(int(fields["chat_id"])) | {"accent_color_id": 0, "max_reaction_count": 11, "title": "Guild"}
        if method == "getChatMember":
            return self._member(int(fields["chat_id"]), int(fields["user_id"]))
        if method == "answerCallbackQuery":
            with self.changed:
                self.toasts.append((fields["callback_query_id"], fields.get("text", "")))
                self.changed.notify_all()
            return True
        if int(fields["chat_id"]) in self.faults.moved:
            new = self.faults.moved[int(fields["chat_id"])]
            raise Refused(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=new)
        if int(fields["chat_id"]) in self.faults.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if method == "setChatMemberTag":
            if len(fields.get("tag", "")) > 16:
                raise Refused(400, "Bad Request: TAG_INVALID")
            return True
        if method == "deleteMessage":
            with self.changed:
                if self.messages.get(int(fields["chat_id"]), {}).pop(int(fields["message_id"]), None) is None:
                    raise Refused(400, "Bad Request: message to delete not found")
                self.changed.notify_all()
            return True
        with self.changed:
            answer = self._edit(method, call) if method.startswith("edit") else self._send(method, call)
            self.changed.notify_all()
        return answer

    def _member(self, chat_id: int, user_id: int) -> Json:
        if chat_id not in self.members:
            raise Refused(400, "Bad Request: chat not found")
        user = {"id": user_id, "is_bot": user_id == BOT_ID, "first_name": "Person"}
        if user_id == BOT_ID and chat_id in self.taggers:
            rights = "can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats"
            rights += " can_restrict_members can_promote_members can_change_info can_invite_users can_post_stories"
            rights += " can_edit_stories can_delete_stories can_manage_tags"
            return {"status": "administrator", "user": user} | dict.fromkeys(rights.split(), True)
        return {"status": "member" if user_id in self.members[chat_id] else "left", "user": user}

    def leaves(self, user_id: int, chat_id: int) -> None:
        """Somebody leaves a chat in which the bot is an admin, so that it hears of it."""
        before = self._member(chat_id, user_id)
        self.members[chat_id].discard(user_id)
        change = {"chat": chat_of(chat_id), "from": before["user"], "date": int(time.time()), "old_chat_member": before}
        self.deliver("chat_member", change | {"new_chat_member": self._member(chat_id, user_id)})

    def _set_webhook(self, fields: dict[str, str]) -> bool:
        self.webhook, self.secret = fields.get("url", ""), fields.get("secret_token", "")
        if self.webhook and self._pusher is None:
            self._pusher = asyncio.get_running_loop().create_task(self._push())
        return True

    async def _get_updates(self, offset: int, timeout: float) -> list[Json]:
        assert self._new_update is not None
        self._updates = [u for u in self._updates if u["update_id"] >= offset]
        if not self._updates and timeout:
            self._new_update.clear()
            try:
                await asyncio.wait_for(self._new_update.wait(), timeout)
            except TimeoutError:
                return []
        return self._updates[:100]

    async def _push(self) -> None:
        assert self._new_update is not None
        while self.webhook:
            while self._updates:
                headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": self.secret}
                try:
                    status = await post_json(self.webhook, json.dumps(self._updates[0]).encode(), headers)
                except OSError:
                    status = 0
                if status == 200:
                    self._updates.pop(0)
                else:
                    await asyncio.sleep(0.1)
            self._new_update.clear()
            await self._new_update.wait()

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
