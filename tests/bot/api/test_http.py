"""The HTTP client: what a failed call means, proxies of the environment, and no token in any message."""

import asyncio
import socket
import subprocess
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from telegram import Bot
from telegram.error import NetworkError, TelegramError, TimedOut

from bot.api.errors import Verdict, verdict
from bot.api.http import AioRequest, NotSent
from configs.proxies import proxy_for
from tests.bot.running import ROOT, RunningBot
from tests.fakes.relay import Relay
from tests.fakes.telegram_api import TOKEN, TelegramServer

READY = "бейдж готов"
Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def failure(peer: Peer | None, url: str = "", calls: int = 1) -> TelegramError:
    """How the last of so many calls at once fails, with `peer` (nobody where None) on the other side."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert peer is not None
        await peer(reader, writer)
        writer.close()

    async def call() -> TelegramError:
        server = await asyncio.start_server(hear, "127.0.0.1") if peer else None
        port = server.sockets[0].getsockname()[1] if server else free_port()
        request = AioRequest(1, read=0.4, upload=0.4, wait=0.2)
        await request.initialize()
        address = url or f"http://127.0.0.1:{port}/bot{TOKEN}/sendPhoto"
        try:
            answers = await asyncio.gather(*(request.post(address) for _ in range(calls)), return_exceptions=True)
        finally:
            await request.shutdown()
            if server:
                server.close()
        error = answers[-1]
        assert isinstance(error, TelegramError), answers
        return error

    return asyncio.run(call())


def shows_no_token(error: TelegramError) -> bool:
    """Whether neither the error nor what led to it names the token."""
    return TOKEN not in "".join(traceback.format_exception(error))


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(-1)


async def cut_short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


async def no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await writer.drain()


def test_nobody_listens_so_nothing_was_sent() -> None:
    error = failure(None)
    assert shows_no_token(error)
    assert type(error) is NotSent
    assert verdict(error) is Verdict.AGAIN


def test_all_connections_are_busy_so_nothing_was_sent() -> None:
    error = failure(say_nothing, calls=2)
    assert shows_no_token(error)
    assert type(error) is NotSent
    assert verdict(error) is Verdict.AGAIN


@pytest.mark.parametrize("url", ["nonsense/bot", "http:///bot", "http://[/bot"])
def test_an_address_that_is_none(url: str) -> None:
    error = failure(None, f"{url}{TOKEN}/getMe")
    assert shows_no_token(error)


def test_an_upload_of_several_megabytes(server: TelegramServer) -> None:
    async def upload() -> None:
        requests = [AioRequest(1, read=10, upload=10, wait=10) for _ in range(2)]
        async with Bot(TOKEN, server.base_url, request=requests[0], get_updates_request=requests[1]) as bot:
            await bot.send_document(1, bytes(4 * 2**20))

    asyncio.run(upload())
    assert server.calls[-1].uploaded == 4 * 2**20


def test_no_answer_in_time() -> None:
    error = failure(say_nothing)
    assert shows_no_token(error)
    assert type(error) is TimedOut
    assert verdict(error) is Verdict.UNKNOWN


@pytest.mark.parametrize("peer", [hang_up, cut_short, no_http])
def test_a_connection_that_ends_early_tells_nothing(peer: Peer) -> None:
    error = failure(peer)
    assert shows_no_token(error)
    assert type(error) is NetworkError
    assert verdict(error) is Verdict.UNKNOWN


def test_closed_connections_send_nothing() -> None:
    request = AioRequest(1, read=1, upload=1, wait=1)
    with pytest.raises(NotSent):
        asyncio.run(request.post("http://127.0.0.1:1/"))


@pytest.mark.parametrize("listens", [True, False], ids=["refuses", "is down"])
def test_a_proxy_that_does_not_help(monkeypatch: pytest.MonkeyPatch, listens: bool) -> None:
    with Relay("http://127.0.0.1:9", refusal=407) as relay:
        monkeypatch.setenv("HTTPS_PROXY", relay.url)
        if not listens:
            relay.close()
        with socket.create_server(("127.0.0.1", 0)) as idle:
            relay.target = idle.getsockname()
            error = failure(None, f"https://telegram.invalid/bot{TOKEN}/sendPhoto")
    assert type(error) is NotSent
    assert shows_no_token(error)
    assert relay.asked.startswith(b"CONNECT telegram.invalid:443 ") == listens
    assert TOKEN.encode() not in relay.asked


def test_calls_go_through_the_proxy_of_the_environment(
    server: TelegramServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Relay(server.base_url) as relay:
        monkeypatch.setenv("HTTP_PROXY", relay.url)
        with RunningBot(server, folder, bot__base_url="http://telegram.invalid/bot") as bot:
            anna = server.person(1)
            anna.say("/badge cup | A")
            anna.waits_for(READY)
            server.wait(lambda: "job 1 delivered" in bot.said(), what="the answer to be heard")
            relay.close()
            server.wait(lambda: "no updates from Telegram" in bot.said(), what="the proxy to be missed")
            assert TOKEN not in bot.said()
    for method in (b"getMe", b"getUpdates", b"sendMessage", b"editMessageMedia"):
        assert b"POST http://telegram.invalid/bot" + TOKEN.encode() + b"/" + method + b" " in relay.asked


def test_all_proxy_counts_for_check_and_for_serving(
    server: TelegramServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Relay(server.base_url) as relay:
        monkeypatch.setenv("ALL_PROXY", relay.url)
        bot = RunningBot(server, folder, bot__base_url="http://telegram.invalid/bot")
        line = [sys.executable, "-m", "bot", "--check"]
        checked = subprocess.run(line, cwd=ROOT, env=bot.environment(), capture_output=True, text=True, check=False)
        assert "this is @samurai_badge_bot" in checked.stdout
        with bot:
            anna = server.person(1)
            anna.say("/help")
            anna.waits_for("Я делаю")


def test_a_socks_proxy_is_said_in_one_line(
    server: TelegramServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:1080")
    bot = RunningBot(server, folder).start()
    assert bot.process is not None
    assert bot.process.wait(30) != 0
    assert "HTTP_PROXY names a socks5 proxy, which is not supported" in bot.said()


def test_hosts_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    monkeypatch.setenv("no_proxy", "internal.example,127.0.0.1")
    assert proxy_for("https://api.telegram.org/bot") == "http://proxy.example:3128"
    assert proxy_for("https://api.internal.example/") == proxy_for("http://x.example/") == ""
    monkeypatch.setenv("ALL_PROXY", "http://other.example:1")
    assert proxy_for("http://x.example/") == "http://other.example:1"


def test_a_file_that_was_not_sent_is_sent_again_without_a_question(server: TelegramServer, folder: Path) -> None:
    """Calls go through a relay that goes away, updates come by webhook; a lost answer beside it is asked about."""
    port = free_port()
    hook = f"http://127.0.0.1:{port}/hook"
    with Relay(server.base_url) as relay:
        env = {"bot__webhook_url": hook, "bot__webhook_port": str(port), "bot__base_url": f"{relay.url}/bot"}
        with RunningBot(server, folder, **env) as bot:
            anna = server.person(1)
            anna.say("/badge cup | A")
            badge = anna.waits_for(READY)
            server.wait(lambda: "job 1 delivered" in bot.said(), what="the answer to be heard")
            relay.close()
            anna.press(badge, "Файлом")
            server.wait(lambda: "[send] [warning: trying again: no connection" in bot.said(), what="a failed call")
            assert server.count("sendDocument") == 0
            relay.open()
            server.wait(lambda: [m for m in anna.sees() if m.document], what="the file")
            lost: list[str] = []
            server.faults.drop_answer = lambda method, _: method == "sendSticker" and not lost.append(method)
            anna.press(badge, "Стикером")
            anna.waits_for("Меня прервали")
            assert server.count("sendDocument") == server.count("sendSticker") == 1
