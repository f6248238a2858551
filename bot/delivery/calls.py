"""Sends one message of the outbox as one Bot API call, with the pictures that it needs."""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Any

from telegram import ForceReply, InlineKeyboardMarkup, InputMediaPhoto, MessageEntity, ReplyParameters, User
from telegram import Message as Sent
from telegram.ext import ExtBot

from bot.api.limiter import UPLOAD
from bot.community.examples import example_for
from bot.delivery.packs import PackRefused, Packs
from bot.delivery.pictures import Pictures
from bot.keyboards import keyboard
from bot.operations.logs import record
from bot.store import Database, jobs, people
from bot.store.jobs import Job
from bot.store.outbox import Message, Outgoing
from bot.texts import Texts, texts_for
from configs.sections.bot import BotSettings

MEDIA = ("photo", "document", "sticker", "album", "welcome")


_CAPTION = 1000
"""Characters of a caption, below Telegram's 1024 UTF-16 units, since an emoji counts as two."""


@dataclass(frozen=True)
class FileId:
    """A file id of a badge's picture; `kind` is photo, document or sticker."""

    job_id: int
    kind: str
    file_id: str


@dataclass(frozen=True)
class Done:
    """The result of a call: the message's id (0 if none was sent), file ids, and a fact to store."""

    message_id: int = 0
    files: tuple[FileId, ...] = ()
    fact: tuple[str, str] | None = None
    says: str = ""
    """A message for the person about the result, "" for none."""


class Calls:
    """Makes the calls, with a message's file ids or, if it has none, the stored pictures of its badges."""

    def __init__(self, bot: "ExtBot[Any]", database: Database, pictures: Pictures, settings: BotSettings) -> None:
        self._bot = bot
        self._database = database
        self._pictures = pictures
        self._packs = Packs(bot, database, pictures, settings)
        self._welcome = settings.welcome

    async def make(self, outgoing: Outgoing) -> Done:
        """Send one message. Raises TelegramError."""
        message = outgoing.message
        if message.kind in ("text", "status"):
            return _done(await self._text(outgoing.chat_id, message))
        if message.kind == "post":
            return _done(await self._text(outgoing.chat_id, replace(message, buttons=())))
        if message.kind == "illustrate":
            return await self._illustrate(outgoing)
        if message.kind == "relabel":
            await self._bot.edit_message_caption(
                outgoing.chat_id, message.target, caption=message.text, reply_markup=keyboard(message.buttons)
            )
            return Done()
        if message.kind == "tag":
            await self._bot.set_chat_member_tag(outgoing.chat_id, message.target, message.text)
            return Done()
        if message.kind == "pack":
            return await self._pack(outgoing)
        if message.kind == "unpack":
            await self._bot.delete_sticker_from_set(message.text)
            return Done()
        if message.kind == "delete":
            await self._bot.delete_message(outgoing.chat_id, message.target)
            return Done()
        if message.kind in ("photo", "album"):
            return await self._photos(outgoing)
        if message.kind == "welcome":
            return await self._greeting(outgoing)
        return await self._copy(outgoing)

    async def unstored(self, message: Message) -> tuple[str, ...]:
        """The message's file ids with "" for each picture that is on disk; () if all of them are, or none is."""
        kept: list[str] = []
        for job_id, file_id in zip(message.jobs, message.files, strict=False):
            job = await self._job(job_id)
            photo = await asyncio.to_thread(self._pictures.photo, job.picture, job.picture_size) if job else None
            kept.append("" if photo else file_id)
        return tuple(kept) if any(kept) and not all(kept) else ()

    async def language(self, user_id: int) -> Texts:
        """The texts in a person's language."""
        return texts_for(await self._database.read(lambda c: people.language(c, user_id)))

    async def _text(self, chat_id: int, message: Message) -> Sent:
        text, entities = _mentioning(message)
        return await self._bot.send_message(
            chat_id, text, entities=entities, reply_markup=_markup(message), **_where(message)
        )

    async def _photos(self, outgoing: Outgoing) -> Done:
        """Send badges again, several as one album."""
        message = outgoing.message
        found = await self._found(message)
        if not found:
            return await self._gone(outgoing)
        caption = message.text
        wanted = max(len(message.jobs), len(message.files))
        if len(found) < wanted:
            _ = await self.language(outgoing.user_id)
            caption += "\n" + _.many(
                "{n} picture is no longer available.", "{n} pictures are no longer available.", wanted - len(found)
            )
        where = _where(message)
        if len(found) == 1:
            sent = [
                await self._bot.send_photo(
                    outgoing.chat_id, found[0][1], caption=self._words(message, found[0][0], caption) or None,
                    reply_markup=keyboard(message.buttons), **where,
                )
            ]  # fmt: skip
        else:
            media = [
                InputMediaPhoto(photo, caption=self._words(message, job_id, caption if n == 0 else "") or None)
                for n, (job_id, photo) in enumerate(found)
            ]
            sent = list(await self._bot.send_media_group(outgoing.chat_id, media, **where))
        files = [
            FileId(job_id, "photo", each.photo[-1].file_id)
            for (job_id, photo), each in zip(found, sent, strict=False)
            if job_id and each.photo and isinstance(photo, bytes)
        ]
        return Done(sent[0].message_id, tuple(files))

    async def _illustrate(self, outgoing: Outgoing) -> Done:
        """Edit the text message `target` into the badge; if the picture is missing, the text stays."""
        message = outgoing.message
        found = await self._found(message)
        if not found:
            return Done()
        media = InputMediaPhoto(found[0][1], caption=message.text[:_CAPTION], filename="badge.jpg")
        sent = await self._bot.edit_message_media(
            media, chat_id=outgoing.chat_id, message_id=message.target, reply_markup=keyboard(message.buttons),
            rate_limit_args=UPLOAD,
        )  # fmt: skip
        job_id, photo = found[0]
        if not isinstance(sent, Sent) or not sent.photo or not isinstance(photo, bytes):
            return Done()
        return Done(files=(FileId(job_id, "photo", sent.photo[-1].file_id),))

    @staticmethod
    def _words(message: Message, job_id: int, caption: str) -> str:
        """The caption of a photo: its own, then that of the whole album."""
        own = dict(zip(message.jobs, message.captions, strict=False)).get(job_id, "")
        return "\n".join(words for words in (own, caption.strip()) if words)[:_CAPTION]

    async def _greeting(self, outgoing: Outgoing) -> Done:
        """Send the example badge with the greeting; uploaded once, then sent by the stored file id."""
        message = outgoing.message
        example = example_for(self._welcome, outgoing.user_id)
        if example is None:
            return _done(await self._text(outgoing.chat_id, message))
        photo = message.files[0] if message.files else example.photo
        sent = await self._bot.send_photo(outgoing.chat_id, photo, caption=message.text, **_where(message))
        return Done(sent.message_id, fact=(example.fact, sent.photo[-1].file_id) if sent.photo else None)

    async def _found(self, message: Message) -> list[tuple[int, str | bytes]]:
        """(job id, file id or JPEG) of every photo of a message that is available."""
        if message.files and all(message.files):
            numbers = message.jobs or (0,) * len(message.files)
            return list(zip(numbers, message.files, strict=False))
        files = message.files or ("",) * len(message.jobs)
        found: list[tuple[int, str | bytes]] = []
        for job_id, file_id in zip(message.jobs, files, strict=False):
            job = await self._job(job_id)
            photo = await asyncio.to_thread(self._pictures.photo, job.picture, job.picture_size) if job else None
            if photo is not None or file_id:
                found.append((job_id, photo or file_id))
        return found

    async def _copy(self, outgoing: Outgoing) -> Done:
        """Send the badge as a document or sticker."""
        message = outgoing.message
        data: str | bytes | None = message.files[0] if message.files else None
        job = await self._job(outgoing.job_id) if data is None else None
        if job is not None and job.picture:
            make = self._pictures.document if message.kind == "document" else self._pictures.sticker
            data = await asyncio.to_thread(make, job.picture)
        if data is None:
            return await self._gone(outgoing)
        where = _where(message)
        if message.kind == "document":
            sent = await self._bot.send_document(
                outgoing.chat_id, data, filename="badge.png", disable_content_type_detection=True, **where
            )
            file_id = sent.document.file_id if sent.document else ""
        else:
            sent = await self._bot.send_sticker(outgoing.chat_id, data, **where)
            file_id = sent.sticker.file_id if sent.sticker else ""
        known = (FileId(outgoing.job_id, message.kind, file_id),) if file_id and outgoing.job_id else ()
        return Done(sent.message_id, known)

    async def _pack(self, outgoing: Outgoing) -> Done:
        """Add the badge to its chat's sticker set; the person gets the link, or a message that it failed."""
        _ = await self.language(outgoing.user_id)
        try:
            name = await self._packs.add(outgoing.job_id, _)
        except PackRefused as error:
            record(outgoing.user_id, "send", f"the sticker was not added to a set: {error}", logging.WARNING)
            return Done(says=_("The sticker could not be added to the pack. The reason is in the bot's log."))
        return Done(says=_("📌 It is in the pack: {link}", link=f"https://t.me/addstickers/{name}"))

    async def _gone(self, outgoing: Outgoing) -> Done:
        _ = await self.language(outgoing.user_id)
        gone = _("The picture is no longer available. Make it again: /create")
        return _done(await self._bot.send_message(outgoing.chat_id, gone, **_where(outgoing.message)))

    async def _job(self, job_id: int) -> Job | None:
        return await self._database.read(lambda c: jobs.get(c, job_id))


def _done(sent: Sent) -> Done:
    return Done(sent.message_id)


def _where(message: Message) -> dict[str, Any]:
    reply = ReplyParameters(message.reply_to, allow_sending_without_reply=True) if message.reply_to else None
    return {"message_thread_id": message.thread_id or None, "reply_parameters": reply}


def _markup(message: Message) -> InlineKeyboardMarkup | ForceReply | None:
    if message.force_reply:
        return ForceReply(selective=True, input_field_placeholder=message.force_reply[:64])
    return keyboard(message.buttons)


def _mentioning(message: Message) -> tuple[str, list[MessageEntity]]:
    """The text and its entities: with a `mention` it begins with the name, linked to the user."""
    if message.mention is None:
        return message.text, []
    user_id, name = message.mention
    name = name or "…"
    length = len(name.encode("utf-16-le")) // 2  # Telegram counts in UTF-16 units
    person = User(user_id, name, is_bot=False)
    return f"{name}, {message.text}", [MessageEntity(MessageEntity.TEXT_MENTION, 0, length, user=person)]
