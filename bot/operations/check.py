"""`python -m bot --check`: try everything that serving needs, without serving, and tell how to fix what fails."""

import asyncio
import contextlib
import shutil
import sqlite3
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
from PIL import Image
from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from bot.api.client import bot_token
from bot.api.http import AioRequest
from bot.errors import BotError, StartError
from bot.operations.backup import DATABASE
from bot.operations.check_community import community
from bot.operations.check_drawing import drawing
from bot.operations.check_line import BAD, GOOD, WARNING, Check
from bot.operations.logs import masker
from bot.store import Database
from bot.store.database import locked
from bot.store.schema import VERSION, version_of
from configs.printable import printable_lines
from configs.proxies import ProxyError, proxy_for
from configs.settings import Settings
from inference.hub import hub_root
from inference.replicate.transport import ProxiedTransport
from overlay import BannerError, draw_banner

_ROOM = 2 * 2**30  # bytes of free disk below which --check warns, chosen by hand
_REPLICATE_LATER = "see status.replicate.com, try again later"
_SAMPLES = ("UX SCOUT", "РАЗВЕДЧИК", "שלום", "侍", "🚀")


def check(settings: Settings) -> list[Check]:
    """Run all checks, in the order in which serving would need them."""
    before: tuple[Callable[[Settings], Check], ...] = (_proxies, _telegram, _folder, _database, _disk)
    found = [test(settings) for test in before] + drawing(settings)
    return [*found, _fonts(settings), _replicate(settings), *community(settings)]


def table(findings: list[Check]) -> str:
    """The findings as aligned lines, with the advice below each that needs some."""
    width = max(len(finding.what) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.what:{width}}  {finding.state:7}  {finding.found}")
        if finding.advice:
            lines.append(f"{'':{width}}  {'':7}  -> {finding.advice}")
    return printable_lines("\n".join(lines))


def _proxies(settings: Settings) -> Check:
    """The proxy that is used for each server, without its password."""
    servers = {"Telegram": settings.bot.base_url, "Replicate": _replicate_root(settings), "Hugging Face": hub_root()}
    found = []
    for name, url in servers.items():
        try:
            proxy = urlsplit(proxy_for(url))
        except ProxyError as error:
            return Check("proxies", BAD, str(error))
        if proxy.hostname:
            found.append(f"{name} through {proxy.hostname}:{proxy.port or 80}")
    return Check("proxies", GOOD, ", ".join(found) or "none")


def _telegram(settings: Settings) -> Check:
    try:
        token = bot_token(settings)
    except StartError as error:
        fault, _, advice = str(error).partition(": ")
        return Check("token", BAD, fault, advice)

    async def ask() -> str:
        request = AioRequest(1, read=10, upload=10, wait=10)  # the client that serves, through the same proxy
        async with Bot(token, settings.bot.base_url, request=request, get_updates_request=request) as bot:
            return bot.username

    try:
        return Check("token", GOOD, f"this is @{asyncio.run(ask())}")
    except InvalidToken:
        return Check("token", BAD, "Telegram does not know this token", "copy it again from @BotFather")
    except TelegramError as error:
        said = masker((token,))(str(error))
        return Check("token", BAD, f"Telegram cannot be reached: {said}", "check the network and bot.base_url")


def _folder(settings: Settings) -> Check:
    folder = settings.data_dir.resolve()
    try:
        with locked(settings.data_dir):
            return Check("state folder", GOOD, f"{folder}")
    except StartError:
        return Check("state folder", WARNING, f"a bot is serving from {folder}", "stop it before starting another")
    except OSError as error:
        return Check("state folder", BAD, f"{folder}: {error.strerror}", "set BADGE_DATA_DIR to a folder of your own")


def _database(settings: Settings) -> Check:
    """An existing database is opened read-only: an older bot may be using it, and a migration would break that."""
    path = settings.data_dir / DATABASE
    try:
        if not path.exists():
            Database(path).open().close()
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as opened:
            version = version_of(opened)
            jobs = int(opened.execute("SELECT COUNT(*) FROM jobs").fetchone()[0])
    except (BotError, OSError, sqlite3.Error) as error:
        said = f"cannot use the database {path}: {error}" if isinstance(error, sqlite3.Error) else str(error)
        return Check("database", BAD, said, "free disk space, check the permissions, or restore a backup (--restore)")
    found = f"{path.name}, {jobs} badges so far"
    if version > VERSION:
        return Check("database", BAD, f"{found}, of a later version", "update the program, or restore a backup")
    if version < VERSION:
        found += f"; the next start migrates it from version {version} to {VERSION} and keeps a copy"
    return Check("database", GOOD, found)


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.data_dir).free
    found = f"{free / 2**30:.1f} GB free"
    return Check("disk", GOOD, found) if free > _ROOM else Check("disk", WARNING, found, "free disk space for pictures")


def _fonts(settings: Settings) -> Check:
    try:
        for text in _SAMPLES:
            draw_banner(Image.new("RGB", (256, 256)), text, settings.banner.style)
    except BannerError as error:
        return Check("fonts", BAD, str(error), "install the package again, with its fonts")
    return Check("fonts", GOOD, f"banner {settings.banner.style} in Latin, Cyrillic, Hebrew, Chinese and emoji")


def _replicate_root(settings: Settings) -> str:
    return settings.secrets.replicate_base_url or "https://api.replicate.com"


def _replicate(settings: Settings) -> Check:
    token = settings.secrets.replicate_api_token.get_secret_value()
    if not token:
        return Check("Replicate", GOOD, "not configured")
    root = _replicate_root(settings)
    model = settings.replicate.model
    try:
        header = {"Authorization": f"Bearer {token}"}
        with httpx.Client(headers=header, timeout=15, transport=ProxiedTransport()) as client:
            account = client.get(f"{root}/v1/account")
            path = model if model.startswith("deployments/") else f"models/{model.partition(':')[0]}"
            found = client.get(f"{root}/v1/{path}") if model and account.is_success else account
        name = account.json().get("username", "?") if account.is_success else ""
    except ProxyError as error:
        return Check("Replicate", BAD, str(error))
    except httpx.HTTPError as error:
        return Check("Replicate", BAD, f"cannot be reached: {type(error).__name__}", "check the network")
    except ValueError:
        return Check("Replicate", BAD, "the response is not JSON", _REPLICATE_LATER)
    if account.status_code == 401:
        return Check("Replicate", BAD, "the token is refused", "make a new one at replicate.com/account/api-tokens")
    if not account.is_success:
        return Check("Replicate", BAD, f"responded {account.status_code}", _REPLICATE_LATER)
    if not model:
        return Check("Replicate", WARNING, f"account {name}, no model is set", "set replicate.model")
    if found.status_code == 404:
        return Check(
            "Replicate",
            BAD,
            f"account {name}, no model {model}",
            "set replicate.model to a model that this account can see",
        )
    if not found.is_success:
        return Check("Replicate", BAD, f"responded {found.status_code} for {model}", _REPLICATE_LATER)
    return Check("Replicate", GOOD, f"account {name}, model {model}")


def main(settings: Settings) -> int:
    """Print the table; returns 0 if nothing failed."""
    findings = check(settings)
    sys.stdout.write(table(findings) + "\n")
    return int(any(finding.state == BAD for finding in findings))
