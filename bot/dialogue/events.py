"""Converts Telegram's updates to `Event`, the only type that the dialogue handles.

Every field of an update may be missing or come from a hostile client: nothing here raises.
"""

from dataclasses import dataclass, replace

from telegram import CallbackQuery, ChatMemberUpdated, Message, MessageEntity, Update
from telegram.constants import ChatType

from bot.api.membership import counts
from bot.store.people import Place


@dataclass(frozen=True)
class Event:
    """What happened. `kind`: text, command, press (a callback query), other (photo, voice, sticker ...), edited (a
    message), left (the bot was blocked or removed), moved (a group became a supergroup), membership (somebody joined or
    left a chat), nameless (a command sent on behalf of a group or channel).

    `text` is the message's text or caption, a command's arguments, or callback data. In private chats everything is for
    the bot; in groups only commands, texts that mention it (`mentioned`), and replies to its message `reply_to` if that
    asked this person something (see `routes.addressed`).
    """

    kind: str
    update_id: int
    place: Place
    language: str
    private: bool
    message_id: int = 0
    text: str = ""
    command: str = ""
    name: str = ""
    reply_to: int = 0
    mentioned: bool = False
    album: str = ""
    query_id: str = ""
    reachable: bool = True
    """Of a press: whether the button's message is accessible to the bot; if not, its topic is not known."""
    moved_to: int = 0
    username: str = ""
    replied_user: int = 0
    """User id of the author of the message that this one replies to; 0 if there is none or it is a bot."""
    replied_name: str = ""
    member: bool = False
    """Of a membership: whether the person is in the chat now."""


def read_event(update: Update, bot_id: int, bot_name: str) -> Event | None:
    """The event in an update for the bot with this id and username (without @); None if it needs no answer."""
    if update.callback_query is not None:
        return _press(update.update_id, update.callback_query)
    if update.my_chat_member is not None:
        return _membership(update)
    if update.chat_member is not None:
        return _came_or_left(update.update_id, update.chat_member)
    message = update.message or update.edited_message
    if message is None:
        return None
    if message.migrate_to_chat_id:
        place = Place(message.chat.id, 0, 0)
        return Event("moved", update.update_id, place, "", False, moved_to=message.migrate_to_chat_id)
    if message.from_user is None or message.from_user.is_bot:
        return _nameless(update, message, bot_name)
    user = message.from_user
    event = Event(
        "other", update.update_id, Place(message.chat.id, _thread(message), user.id), user.language_code or "",
        message.chat.type == ChatType.PRIVATE, message.message_id, name=user.first_name or "",
        reply_to=_reply_to(message, bot_id), album=message.media_group_id or "", username=user.username or "",
        replied_user=_replied(message)[0], replied_name=_replied(message)[1],
    )  # fmt: skip
    words = message.text if message.text is not None else message.caption
    if words is None:
        if not _has_content(message):
            return None
        return replace(event, kind="edited") if update.edited_message is not None else event
    command, arguments, meant = _command(message, words, bot_name)
    if command and not meant:
        return None
    text, mentioned = _without_mention(words, bot_name)
    if update.edited_message is not None:
        return replace(event, kind="edited", command=command, mentioned=mentioned)
    if command:
        return replace(event, kind="command", command=command, text=arguments)
    return replace(event, kind="text", text=text, mentioned=mentioned)


def _press(update_id: int, query: CallbackQuery) -> Event | None:
    message = query.message
    if message is None:
        return None
    thread = _thread(message) if isinstance(message, Message) else 0
    user = query.from_user
    return Event(
        "press", update_id, Place(message.chat.id, thread, user.id), user.language_code or "",
        message.chat.type == ChatType.PRIVATE, message.message_id, text=query.data or "", name=user.first_name or "",
        query_id=query.id, username=user.username or "",
        reachable=isinstance(message, Message) and message.date.timestamp() > 0,
    )  # fmt: skip


def _membership(update: Update) -> Event | None:
    """The bot was blocked, or removed from a group."""
    change = update.my_chat_member
    if change is None or change.new_chat_member.status not in ("kicked", "left"):
        return None
    place = Place(change.chat.id, 0, change.from_user.id)
    return Event("left", update.update_id, place, "", change.chat.type == ChatType.PRIVATE)


def _nameless(update: Update, message: Message, bot_name: str) -> Event | None:
    """A command of an anonymous admin or a channel: there is no person to whom the badge could belong."""
    command, _, meant = _command(message, message.text or "", bot_name)
    if message.sender_chat is None or not command or not meant or update.message is None:
        return None
    if message.is_automatic_forward:  # a channel's post that Telegram copied into its group
        return None
    place = Place(message.chat.id, _thread(message), 0)
    return Event("nameless", update.update_id, place, "", False, message.message_id, command=command)


def _came_or_left(update_id: int, change: ChatMemberUpdated) -> Event:
    """Somebody other than the bot joined or left a chat; Telegram tells only bots that are admins there."""
    place = Place(change.chat.id, 0, change.new_chat_member.user.id)
    return Event("membership", update_id, place, "", False, member=counts(change.new_chat_member))


def _replied(message: Message) -> tuple[int, str]:
    """User id and name of the author of the message that this one replies to."""
    before = message.reply_to_message
    author = before.from_user if before is not None else None
    return (0, "") if author is None or author.is_bot else (author.id, author.first_name or "")


def _thread(message: Message) -> int:
    return message.message_thread_id or 0 if message.is_topic_message else 0


def _reply_to(message: Message, bot_id: int) -> int:
    """The id of the bot's message that this one replies to, 0 where there is none."""
    before = message.reply_to_message
    if before is None or before.from_user is None or before.from_user.id != bot_id:
        return 0
    return before.message_id


def _command(message: Message, text: str, bot_name: str) -> tuple[str, str, bool]:
    """(command without slash, arguments, whether it is for this bot), or ("", "", False)."""
    entities = message.entities or message.caption_entities
    first = entities[0] if entities else None
    if first is None or first.type != MessageEntity.BOT_COMMAND or first.offset != 0:
        return "", "", False
    word, _, rest = text.partition(" ")
    word, newline, more = word.partition("\n")
    name, _, target = word[1:].partition("@")
    meant = not target or target.lower() == bot_name.lower()
    return name.lower(), (more + " " + rest if newline else rest).strip(), meant


def _without_mention(text: str, bot_name: str) -> tuple[str, bool]:
    """The text without a leading or trailing @name of the bot, and whether there was one."""
    handle = f"@{bot_name}".lower()
    stripped = text.strip()
    if stripped.lower().startswith(handle):
        return stripped[len(handle) :].lstrip(" ,:"), True
    if stripped.lower().endswith(handle):
        return stripped[: -len(handle)].rstrip(), True
    return text, False


def _has_content(message: Message) -> bool:
    """Whether a person sent something, as opposed to a service message (joined, pinned, title changed)."""
    return message.effective_attachment is not None or message.dice is not None or message.story is not None
