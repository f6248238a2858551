"""The part of `python -m bot --check` about the features for communities; a line for each setting in use."""

import asyncio
from io import BytesIO
from pathlib import Path

from PIL import Image
from telegram import Bot, ChatMember, ChatMemberAdministrator, ChatMemberOwner, ChatMemberRestricted
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError

from bot.api.http import AioRequest
from bot.community.blocked_words import read_lists
from bot.community.examples import example_for
from bot.operations.check_line import BAD, GOOD, WARNING, Check
from configs.settings import Settings
from inference.choice import kind_here
from inference.errors import RenderError
from inference.hub import model_folder, require_model
from inference.models.profiles import load_profile


def community(settings: Settings) -> list[Check]:
    """The findings, none for features that are off."""
    findings = [_welcome(settings), _blocked_words(settings), _licence(settings), _picture_filter(settings)]
    if settings.bot.ask_admins:
        findings.append(_ask_admins(settings))
    return findings + _chats(settings)


def _ask_admins(settings: Settings) -> Check:
    if not settings.bot.admins:
        return Check("ask_admins", BAD, "there is nobody to ask", "put user IDs into bot.admins")
    return Check("ask_admins", GOOD, f"requests go to {len(settings.bot.admins)} admins")


def _chats(settings: Settings) -> list[Check]:
    """Whether the bot is in the chats that the settings name, with the rights that it needs there."""
    bot = settings.bot
    single = {"review_chat": bot.review_chat, "gallery_chat": bot.gallery_chat, "sticker_owner": bot.sticker_owner}
    named: dict[str, tuple[int, ...]] = {name: (chat,) for name, chat in single.items() if chat}
    named |= {"members_of": bot.members_of} if bot.members_of else {}
    named |= {"tag_members": bot.chats} if bot.tag_members else {}
    if not named:
        return []
    token = settings.secrets.telegram_bot_token.get_secret_value()
    if not token:
        return [Check(name, BAD, "TELEGRAM_BOT_TOKEN is not set", "get a token from @BotFather") for name in named]

    async def ask() -> dict[int, ChatMember | None]:
        request = AioRequest(1, read=10.0, upload=10.0, wait=10.0)
        async with Bot(token, bot.base_url, request=request) as client:
            return {chat: await _standing(client, chat) for chats in named.values() for chat in chats}

    try:
        standings = asyncio.run(ask())
    except (InvalidToken, NetworkError):
        return [Check(name, BAD, "Telegram cannot be asked", "see the line about the token") for name in named]
    judges = {"members_of": _members_of, "tag_members": _tagging, "sticker_owner": _owning}
    return [
        judges[name](chats, standings) if name in judges else _posting(name, chats[0], standings[chats[0]])
        for name, chats in named.items()
    ]


def _owning(chats: tuple[int, ...], standings: dict[int, ChatMember | None]) -> Check:
    """Telegram creates sticker sets only for users who have started the bot."""
    if not _inside(standings[chats[0]]):
        return Check(
            "sticker_owner",
            BAD,
            f"{chats[0]} has not started the bot",
            "they have to press Start in a private chat with it once",
        )
    return Check("sticker_owner", GOOD, f"packs belong to {chats[0]}")


def _tagging(chats: tuple[int, ...], standings: dict[int, ChatMember | None]) -> Check:
    """Only an admin with the right `can_manage_tags` may set members' tags."""
    if not chats:
        return Check(
            "tag_members",
            WARNING,
            "bot.chats names no group",
            "set bot.chats, or check that the bot may manage tags in its groups",
        )
    cannot = [str(chat) for chat in chats if not getattr(standings[chat], "can_manage_tags", False)]
    if cannot:
        advice = "make the bot an admin there who may manage tags"
        return Check("tag_members", WARNING, f"the bot may not tag members in {', '.join(cannot)}", advice)
    return Check("tag_members", GOOD, f"{len(chats)} chats")


def _members_of(chats: tuple[int, ...], standings: dict[int, ChatMember | None]) -> Check:
    """The bot has to be in these chats; as an admin it is told at once who leaves."""
    outside = [str(chat) for chat in chats if not _inside(standings[chat])]
    if outside:
        return Check("members_of", BAD, f"the bot is not in {', '.join(outside)}", "add it to those chats")
    unaware = [
        str(chat) for chat in chats if not isinstance(standings[chat], ChatMemberAdministrator | ChatMemberOwner)
    ]
    if unaware:
        advice = "make the bot an admin there, so that it is told at once who leaves"
        return Check("members_of", WARNING, f"the bot is not an admin in {', '.join(unaware)}", advice)
    return Check("members_of", GOOD, f"{len(chats)} chats")


def _posting(name: str, chat: int, standing: ChatMember | None) -> Check:
    """A chat in which the bot posts badges."""
    if not _inside(standing):
        return Check(name, BAD, f"the bot is not in {chat}", "add it to that chat")
    restricted = isinstance(standing, ChatMemberRestricted) and not standing.can_send_photos
    silent = isinstance(standing, ChatMemberAdministrator) and standing.can_post_messages is False
    if restricted or silent:
        return Check(name, BAD, f"the bot may not post pictures in {chat}", "give it that right there")
    return Check(name, GOOD, f"the bot may post in {chat}")


def _inside(standing: ChatMember | None) -> bool:
    return standing is not None and standing.status not in (ChatMember.LEFT, ChatMember.BANNED)


async def _standing(bot: Bot, chat: int) -> ChatMember | None:
    """The bot's membership in a chat; None if it does not know the chat."""
    try:
        if chat > 0:  # a person, whom the bot knows only if they have started it
            await bot.get_chat(chat)
            return ChatMember(bot.bot, ChatMember.MEMBER)
        return await bot.get_chat_member(chat, bot.id)
    except (BadRequest, Forbidden):
        return None


def _welcome(settings: Settings) -> Check:
    examples = settings.bot.welcome.examples
    for number, name in enumerate(examples or ("",)):
        example = example_for(settings.bot.welcome, number)
        if example is None:
            return Check("welcome", BAD, f"{name} cannot be read", "check the files in bot.welcome.examples")
        try:
            with Image.open(BytesIO(example.photo), formats=("JPEG", "PNG")) as image:
                image.load()
        except (OSError, Image.DecompressionBombError):
            return Check(
                "welcome", BAD, f"{Path(name).name} is not a JPEG or PNG", "put other files into bot.welcome.examples"
            )
    return Check("welcome", GOOD, f"{len(examples)} examples of your own" if examples else "the shipped example")


def _blocked_words(settings: Settings) -> Check:
    try:
        words = read_lists(settings.bot.blocked_words)
    except (OSError, UnicodeDecodeError) as error:
        return Check("blocked words", BAD, f"a list cannot be read: {error}", "check the files in bot.blocked_words")
    return Check("blocked words", GOOD, f"{len(words)} in {', '.join(settings.bot.blocked_words) or 'no list'}")


def _picture_filter(settings: Settings) -> Check:
    source = settings.bot.picture_filter
    if not source:
        return Check("picture filter", GOOD, "off (bot.picture_filter)")
    if model_folder(source) is not None:
        return Check("picture filter", GOOD, f"{source} is on this disk")
    try:
        require_model(source, settings.secrets.hf_token.get_secret_value())
    except OSError as error:
        return Check("picture filter", BAD, f"{source} is not available: {error}", "check bot.picture_filter")
    return Check("picture filter", WARNING, f"{source} is not on this disk", "the first badge waits for its download")


def _licence(settings: Settings) -> Check:
    """The licence of the model that draws here, and what it requires when pictures are shown to others."""
    kind = kind_here(settings)
    if kind == "replicate":
        return Check("licence", GOOD, "the terms of Replicate and of the model there apply")
    try:
        profile = load_profile("demo" if kind == "demo" else settings.generator.profile)
    except RenderError as error:
        return Check("licence", BAD, str(error), "see configs/profiles for the names")
    if "Non-Commercial" not in profile.licence:
        return Check("licence", GOOD, f"{profile.licence}: no filter is required")
    asked = "no commercial use without a licence, and a filter or a review of what is shown"
    bot = settings.bot
    done = [name for name in ("review_chat", "picture_filter", "blocked_words") if getattr(bot, name)]
    if done:
        return Check("licence", GOOD, f"{profile.licence} requires {asked}: bot.{', bot.'.join(done)} is on")
    advice = "switch bot.blocked_words, bot.picture_filter or bot.review_chat on"
    return Check("licence", WARNING, f"{profile.licence} requires {asked}", advice)
