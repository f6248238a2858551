"""The part of `python -m bot --check` about what a community asks of its bot; a line for each setting that is used."""

import asyncio
from io import BytesIO
from pathlib import Path

from PIL import Image
from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError

from bot.api.http import AioRequest
from bot.community.blocked_words import read_lists
from bot.community.examples import example_for
from bot.operations.finding import BAD, GOOD, WARNING, Finding
from configs.settings import Settings
from inference.choice import kind_here
from inference.errors import RenderError
from inference.models.profiles import load_profile


def community(settings: Settings) -> list[Finding]:
    """The findings, none about what is not switched on."""
    findings = [_welcome(settings), _blocked_words(settings), _licence(settings)]
    if settings.bot.ask_admins:
        findings.append(_ask_admins(settings))
    if settings.bot.members_of:
        findings.append(_members(settings))
    return findings


def _ask_admins(settings: Settings) -> Finding:
    if not settings.bot.admins:
        return Finding("ask_admins", BAD, "there is nobody to ask", "put ids of people into bot.admins")
    return Finding("ask_admins", GOOD, f"requests go to {len(settings.bot.admins)} admins")


def _members(settings: Settings) -> Finding:
    """Whether the bot is in the chats whose members may use it, and hears at once who leaves them."""
    token = settings.secrets.telegram_bot_token.get_secret_value()
    if not token:
        return Finding("members_of", BAD, "TELEGRAM_BOT_TOKEN is not set", "get a token from @BotFather")

    async def ask() -> list[tuple[int, str]]:
        request = AioRequest(1, read=10.0, upload=10.0, wait=10.0)
        async with Bot(token, settings.bot.base_url, request=request) as bot:
            return [(chat, await _standing(bot, chat)) for chat in settings.bot.members_of]

    try:
        standings = asyncio.run(ask())
    except (InvalidToken, NetworkError):
        return Finding("members_of", BAD, "Telegram cannot be asked", "see the line about the token")
    outside = [str(chat) for chat, status in standings if status not in ("administrator", "creator", "member")]
    if outside:
        return Finding("members_of", BAD, f"the bot is not in {', '.join(outside)}", "add it to those chats")
    deaf = [str(chat) for chat, status in standings if status == "member"]
    if deaf:
        advice = "make the bot an admin there, so that it hears at once who leaves"
        return Finding("members_of", WARNING, f"no admin in {', '.join(deaf)}", advice)
    return Finding("members_of", GOOD, f"{len(standings)} chats")


async def _standing(bot: Bot, chat: int) -> str:
    """What the bot is in a chat; "" where the chat is not known to it."""
    try:
        return str((await bot.get_chat_member(chat, bot.id)).status)
    except (BadRequest, Forbidden):
        return ""


def _welcome(settings: Settings) -> Finding:
    examples = settings.bot.welcome.examples
    for number, name in enumerate(examples or ("",)):
        example = example_for(settings.bot.welcome, number)
        if example is None:
            return Finding("welcome", BAD, f"{name} cannot be read", "see to the files in bot.welcome.examples")
        try:
            with Image.open(BytesIO(example.photo), formats=("JPEG", "PNG")) as image:
                image.load()
        except (OSError, Image.DecompressionBombError):
            return Finding(
                "welcome", BAD, f"{Path(name).name} is no JPEG or PNG", "put other files into bot.welcome.examples"
            )
    return Finding("welcome", GOOD, f"{len(examples)} examples of your own" if examples else "the example that ships")


def _blocked_words(settings: Settings) -> Finding:
    try:
        words = read_lists(settings.bot.blocked_words)
    except (OSError, UnicodeDecodeError) as error:
        return Finding("blocked words", BAD, f"a list cannot be read: {error}", "see to the files in bot.blocked_words")
    return Finding("blocked words", GOOD, f"{len(words)} in {', '.join(settings.bot.blocked_words) or 'no list'}")


def _licence(settings: Settings) -> Finding:
    """The licence of the model that would draw here, and what it asks of whoever shows its pictures to others."""
    kind = kind_here(settings)
    if kind == "replicate":
        return Finding("licence", GOOD, "Replicate's terms and those of the model there hold")
    try:
        profile = load_profile("demo" if kind == "demo" else settings.generator.profile)
    except RenderError as error:
        return Finding("licence", BAD, str(error), "see configs/profiles for the names")
    if "Non-Commercial" not in profile.licence:
        return Finding("licence", GOOD, f"{profile.licence}: no filter is asked for")
    asked = "no commercial use without a licence, and a filter or a review of what is shown"
    if settings.bot.blocked_words:
        return Finding("licence", GOOD, f"{profile.licence} asks for {asked}: words are filtered (bot.blocked_words)")
    return Finding("licence", WARNING, f"{profile.licence} asks for {asked}", "switch bot.blocked_words on")
