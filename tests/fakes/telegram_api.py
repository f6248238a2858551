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
from dataclasses import dataclass
from typing import Any

from tests.fakes.telegram_http import HANG_UP, Call, Refused, post_json, serve
from tests.fakes.telegram_messages import Faults, Messages
from tests.fakes.telegram_packs import Packs
from tests.fakes.telegram_people import BOT_ID, BOT_NAME, Json, Msg, Person, chat_of

TOKEN = "4242:AAFakeTokenForTestsOnlyNotARealOne0"
__all__ = ["TOKEN", "Faults", "Msg", "Person", "TelegramServer"]


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


class TelegramServer(Messages):
    """The server, its chats and its people. Runs in a thread of its own; all methods are for other threads."""

    def __init__(self, port: int = 0) -> None:
        super().__init__()
        self.calls: list[Seen] = []
        self.toasts: list[tuple[str, str]] = []
        self.members: dict[int, set[int]] = {}
        """Chat to whoever is in it; other chats are not known."""
        self.taggers: set[int] = set()
        """Chats in which the bot is an admin who may manage tags."""
        self.changed = threading.Condition()
        self.packs = Packs()
        self.webhook = ""
        self.secret = ""
        self._port = port
        self._updates: list[Json] = []
        self._update_ids = itertools.count(1000)
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
