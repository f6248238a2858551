"""A real browser for tests of pages: headless Chromium, where the machine has one."""

import asyncio
import contextlib
import html
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

_FOUND = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

needs_chromium = pytest.mark.skipif(_FOUND is None, reason="no Chromium on this machine: apt-get install chromium")

_FLAGS = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--hide-scrollbars",
    "--virtual-time-budget=5000",
]


def _run(page: Path, profile: Path, *flags: str) -> str:
    assert _FOUND
    sandbox = ["--no-sandbox"] if sys.platform == "linux" else []
    command = [_FOUND, *_FLAGS, *sandbox, f"--user-data-dir={profile}", *flags, page.resolve().as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def dom_of(page: Path, profile: Path) -> str:
    """The page's HTML after its scripts and images have loaded. `profile` is an empty folder for the browser."""
    return _run(page, profile, "--dump-dom")


def screenshot(page: Path, profile: Path, to: Path, width: int = 1280, height: int = 900) -> Path:
    """A PNG of what a person sees at that window size."""
    _run(page, profile, f"--screenshot={to}", f"--window-size={width},{height}")
    return to


def measure(page: Path, profile: Path, width: int = 1280) -> dict[str, object]:
    """What the browser finds on a page that has loaded: images shown, resources from elsewhere, sideways scrolling."""
    probe = page.with_name(f"probe-of-{page.name}")
    script = """<script>addEventListener("load", () => {
      document.querySelectorAll("img").forEach(i => i.loading = "eager");
      Promise.allSettled([...document.images].map(i => i.decode())).then(all => {
        const found = {
          images: document.images.length,
          shown: all.filter(r => r.status === "fulfilled").length,
          foreign: performance.getEntriesByType("resource").map(r => r.name).filter(n => !n.startsWith("file:")),
          sideways: document.documentElement.scrollWidth > innerWidth,
          text: document.body.innerText,
        };
        document.documentElement.innerHTML = "<pre id=found></pre>";
        document.getElementById("found").textContent = JSON.stringify(found);
      });
    });</script>"""
    probe.write_text(page.read_text(encoding="utf-8") + script, encoding="utf-8")
    try:
        dom = _run(probe, profile, "--dump-dom", f"--window-size={width},900")
    finally:
        probe.unlink()
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    assert found, dom[:2000]
    result: dict[str, object] = json.loads(html.unescape(found[1]))
    return result


def run_script(page: Path, profile: Path, script: str, width: int = 1280) -> dict[str, object]:
    """What `script`, the body of an async function that returns an object, gives on a page that has loaded.

    It acts as a person does: `click`, `type`, the browser's own events. `wait(ms)` lets the page's own work finish.
    """
    probe = page.with_name(f"probe-of-{page.name}")
    code = """<script>addEventListener("load", async () => {
      const wait = ms => new Promise(done => setTimeout(done, ms));
      let found;
      try { found = await (async () => { %s })(); } catch (error) { found = {error: String(error)}; }
      document.documentElement.innerHTML = "<pre id=found></pre>";
      document.getElementById("found").textContent = JSON.stringify(found);
    });</script>"""
    probe.write_text(page.read_text(encoding="utf-8") + code % script, encoding="utf-8")
    try:
        dom = _run(probe, profile, "--dump-dom", f"--window-size={width},900")
    finally:
        probe.unlink()
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    assert found, dom[:2000]
    result: dict[str, object] = json.loads(html.unescape(found[1]))
    assert "error" not in result, result
    return result


class Tab:
    """A page that is served, driven by the browser's own keyboard over its DevTools protocol.

    Source: https://chromedevtools.github.io/devtools-protocol/ (domains Page, Runtime, Input).
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._ids = socket, itertools.count(1)

    async def call(self, method: str, **values: object) -> dict[str, Any]:
        """One command of the protocol; its result."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": values})
        async for message in self._socket:
            told = json.loads(message.data)
            if told.get("id") == number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
        raise AssertionError("the browser has gone")

    async def value(self, script: str) -> Any:
        """What an expression comes to on the page; promises are waited for."""
        told = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, script: str, tries: int = 200) -> None:
        """Return when an expression is true."""
        for _ in range(tries):
            if await self.value(script):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"never true: {script}")

    async def write(self, text: str) -> None:
        """Type `text` into what has the focus."""
        await self.call("Input.insertText", text=text)

    async def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key, `code` its virtual key code."""
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **common)


@contextlib.asynccontextmanager
async def tab(url: str, profile: Path, width: int = 1280) -> AsyncIterator[Tab]:
    """`url` opened in a headless browser of its own. `profile` is an empty folder."""
    assert _FOUND
    sandbox = ["--no-sandbox"] if sys.platform == "linux" else []
    flags = [flag for flag in _FLAGS if not flag.startswith("--virtual-time")]
    command = [_FOUND, *flags, *sandbox, f"--user-data-dir={profile}", f"--window-size={width},900"]
    process = await asyncio.create_subprocess_exec(
        *command, "--remote-debugging-port=0", url, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        ports = profile / "DevToolsActivePort"
        while not (ports.is_file() and len(ports.read_text().splitlines()) == 2):
            assert process.returncode is None, "the browser ended at its start"
            await asyncio.sleep(0.05)
        async with aiohttp.ClientSession() as session:
            root = f"http://127.0.0.1:{ports.read_text().splitlines()[0]}"
            address = ""
            while not address:
                async with session.get(f"{root}/json") as response:
                    pages = [each for each in await response.json() if each["type"] == "page"]
                address = next((each["webSocketDebuggerUrl"] for each in pages if each["url"].startswith(url)), "")
            async with session.ws_connect(address, max_msg_size=2**26) as socket:
                opened = Tab(socket)
                # The empty page that every tab begins with is complete too: only the page of `url` counts.
                await opened.until(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")
                yield opened
    finally:
        process.kill()
        await process.wait()
