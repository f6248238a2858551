"""A real browser for tests of pages: headless Chromium, where the machine has one."""

import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

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
