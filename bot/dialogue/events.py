"""From Telegram's update to the one typed `Event` that the dialogue understands; None where it is not for us.

Every field of an update may be missing or come from a hostile client: nothing here raises.
"""

from dataclasses import dataclass, replace

from telegram import CallbackQuery, Message, MessageEntity, Update
from telegram.constants import ChatType

from bot.store.people import Place


@dataclass(frozen=True)
class Event:
    """What happened. `kind`: text, command, press (of a button), other (photo, voice, sticker ...), edited, left.

    `text` is the message's text, a command's arguments, or a button's data. `addressed` says whether the person
    speaks to the bot: always in private; in groups by command, mention or reply to one of the bot's messages.
    """

    kind: str
    update_id: int
    place: Place
    language: str
    private: bool
    message_id: int = 0
    text: str = ""
    command: str = ""
    addressed: bool = True
    query_id: str = ""
    moved_to: int = 0


def read_event(update: Update, bot_id: int, bot_name: str) -> Event | None:
    """The event in an update, for the bot with this id and username (without @)."""
    if update.callback_query is not None:
        return _press(update.update_id, update.callback_query)
    if update.my_chat_member is not None:
        return _membership(update)
    message = update.message or update.edited_message
    if message is None:
        return None
    if message.migrate_to_chat_id:
        place = Place(message.chat.id, 0, 0)
        return Event("moved", update.update_id, place, "", False, moved_to=message.migrate_to_chat_id)
    if message.from_user is None or message.from_user.is_bot:
        return None
    private = message.chat.type == ChatType.PRIVATE
    place = Place(message.chat.id, _thread(message), message.from_user.id)
    base = Event("other", update.update_id, place, message.from_user.language_code or "", private, message.message_id)
    if update.edited_message is not None:
        return replace(base, kind="edited", addressed=private)
    if message.text is None:
        if not _has_content(message):
            return None
        return replace(base, addressed=private or _answers(message, bot_id))
    command, arguments, meant = _command(message, bot_name)
    if command:
        return replace(base, kind="command", command=command, text=arguments) if meant else None
    text, mentioned = _without_mention(message.text, bot_name)
    return replace(base, kind="text", text=text, addressed=private or mentioned or _answers(message, bot_id))


def _press(update_id: int, query: CallbackQuery) -> Event | None:
    message = query.message
    if message is None:
        return None
    thread = _thread(message) if isinstance(message, Message) else 0
    place = Place(message.chat.id, thread, query.from_user.id)
    return Event(
        "press", update_id, place, query.from_user.language_code or "", message.chat.type == ChatType.PRIVATE,
        message.message_id, text=query.data or "", query_id=query.id,
    )  # fmt: skip


def _membership(update: Update) -> Event | None:
    """The bot was blocked, or removed from a group."""
    change = update.my_chat_member
    if change is None or change.new_chat_member.status not in ("kicked", "left"):
        return None
    place = Place(change.chat.id, 0, change.from_user.id)
    return Event("left", update.update_id, place, "", change.chat.type == ChatType.PRIVATE)


def _thread(message: Message) -> int:
    return message.message_thread_id or 0 if message.is_topic_message else 0


def _answers(message: Message, bot_id: int) -> bool:
    before = message.reply_to_message
    return before is not None and before.from_user is not None and before.from_user.id == bot_id


def _command(message: Message, bot_name: str) -> tuple[str, str, bool]:
    """(command without slash, what follows, whether it is meant for this bot), or ("", "", False)."""
    first = message.entities[0] if message.entities else None
    if first is None or first.type != MessageEntity.BOT_COMMAND or first.offset != 0 or message.text is None:
        return "", "", False
    word, _, rest = message.text.partition(" ")
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
