"""Sticker sets ("packs"): a badge is added to the set of its chat, which is created with its first sticker.

The sets belong to `bot.sticker_owner`, since a bot cannot own any; when one is full, the next is created. Limits below:
core.telegram.org/bots/api#createnewstickerset and #inputsticker.
"""

import asyncio
import re
from typing import Any

from telegram import InputSticker, Sticker
from telegram.error import BadRequest, Forbidden
from telegram.ext import ExtBot

from bot.delivery.pictures import Pictures
from bot.store import Database, jobs, stickers
from bot.store.jobs import Job
from bot.store.stickers import PRIVATE, Pack
from bot.texts import Texts
from bot.words import things_made
from configs.sections.bot import BotSettings

_FULL = 120  # stickers in a set
_TITLE = 64  # characters
_KEYWORDS, _KEYWORD_CHARACTERS = 20, 64  # keywords of a sticker, and their total length
_EMOJI = "🏅"
_PACKS_TRIED = 8
"""Sets tried for one sticker, chosen by hand: names may be taken by sets that another database of this bot created."""


class PackRefused(Exception):
    """The sticker cannot be added; trying again would not help."""


class Packs:
    """Adds one badge at a time, so that the new sticker in a set is known to be that badge's."""

    def __init__(self, bot: "ExtBot[Any]", database: Database, pictures: Pictures, settings: BotSettings) -> None:
        self._bot = bot
        self._database = database
        self._pictures = pictures
        self._settings = settings
        self._lock = asyncio.Lock()

    async def add(self, job_id: int, _: Texts) -> str:
        """Add a badge to its chat's set unless it is in one; returns the set's name. `_` is for the title of a new set.

        Safe to repeat after a crash. Raises PackRefused, and TelegramError if it may work later.
        """
        async with self._lock:
            job = await self._database.read(lambda c: jobs.get(c, job_id))
            if job is None:
                raise PackRefused(f"job {job_id} does not exist any more")
            try:
                return await self._begun(job) or await self._put(job, _)
            except (BadRequest, Forbidden) as error:
                raise PackRefused(f"{error} (bot.sticker_owner {self._settings.sticker_owner})") from error

    async def _begun(self, job: Job) -> str:
        """The set to which an earlier attempt has added this badge; "" if none has."""
        sticker = await self._database.read(lambda c: stickers.get(c, job.id))
        if sticker is None or sticker.unique_id:
            return sticker.pack if sticker else ""
        others = sticker.before | await self._database.read(lambda c: stickers.known(c, sticker.pack))
        new = [each for each in await self._stickers(sticker.pack) or () if each.file_unique_id not in others]
        return await self._done(job, sticker.pack, new[-1]) if new else ""

    async def _put(self, job: Job, _: Texts) -> str:
        sticker = await self._sticker(job)
        chat = min(job.chat_id, PRIVATE)
        pack = await self._database.read(lambda c: stickers.pack_of(c, chat))
        for again in range(_PACKS_TRIED):
            if again or not pack.number:
                pack = self._next(chat, pack)
            if await self._added(job, chat, pack, sticker, _):
                return pack.name
        raise PackRefused(f"{_PACKS_TRIED} sets up to {pack.name} are full or belong to others")

    async def _added(self, job: Job, chat: int, pack: Pack, sticker: InputSticker, _: Texts) -> bool:
        """Add to this set; False if it is full or its name is taken."""
        present = await self._stickers(pack.name)
        before = [each.file_unique_id for each in present or ()]
        if len(before) >= _FULL:
            return False
        await self._database.write("pack", lambda c: stickers.begin(c, chat, pack, job.id, before))
        owner = self._settings.sticker_owner
        try:
            if present is None:
                title = await self._title(chat, pack, _)
                await self._bot.create_new_sticker_set(owner, pack.name, title, [sticker])
            else:
                await self._bot.add_sticker_to_set(owner, pack.name, sticker)
        except BadRequest as error:
            if any(words in str(error).lower() for words in ("occupied", "stickers_too_much")):
                return False
            raise
        new = [each for each in await self._stickers(pack.name) or () if each.file_unique_id not in before]
        if not new:
            raise PackRefused(f"Telegram accepted the sticker, but {pack.name} has no new one")
        await self._done(job, pack.name, new[-1])
        return True

    async def _done(self, job: Job, pack: str, sticker: Sticker) -> str:
        await self._database.write("packed", lambda c: stickers.end(c, job.id, sticker.file_id, sticker.file_unique_id))
        return pack

    async def _stickers(self, name: str) -> tuple[Sticker, ...] | None:
        """The stickers in a set; None if there is no such set."""
        try:
            return (await self._bot.get_sticker_set(name)).stickers
        except BadRequest as error:
            if "stickerset_invalid" in str(error).lower().replace(" ", "_"):
                return None
            raise

    async def _sticker(self, job: Job) -> InputSticker:
        data = await asyncio.to_thread(self._pictures.sticker, job.picture) if job.picture else None
        source = data or job.sticker_id
        if not source:
            raise PackRefused(f"the picture of job {job.id} is no longer available")
        return InputSticker(source, [_EMOJI], "static", keywords=keywords(job))

    async def _title(self, chat: int, pack: Pack, _: Texts) -> str:
        """The title of a new set: the group's title, or what the bot makes."""
        name = (await self._bot.get_chat(chat)).title if chat else ""
        words = name or things_made(_, self._settings.welcome)
        end = f" {pack.number}" if pack.number > 1 else ""
        return f"{words[:1].upper()}{words[1:]}"[: _TITLE - len(end)] + end

    def _next(self, chat: int, pack: Pack) -> Pack:
        number = pack.number + 1
        return Pack(number, f"badges{abs(chat)}n{number}_by_{self._bot.username}")


def keywords(job: Job) -> list[str]:
    """The keywords of a sticker: the words of the object, in both languages, and of the banner text."""
    found: list[str] = []
    for word in re.findall(r"\w+", f"{job.object} {job.english} {job.text}".lower()):
        fits = sum(map(len, found)) + len(word) <= _KEYWORD_CHARACTERS
        if word not in found and fits and len(found) < _KEYWORDS:
            found.append(word)
    return found
