"""The naming page: a web server on this machine alone, for as long as the command runs.

It answers on 127.0.0.1 and to its own address only (another site's page could make the browser ask it under a name of
its own), and changes a file only for requests with a header that no other site's page may send.
"""

import asyncio
import contextlib
import logging
import signal
import webbrowser
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from configs.pages import render_page
from inference import InvalidRequest
from training.dataset.folder import shown
from training.dataset.naming import LONGEST, Naming, suggestions
from training.errors import TrainingFailed

log = logging.getLogger(__name__)
TEMPLATES = Path(__file__).with_name("templates")
_HEADER = "X-Badges"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(naming: Naming) -> web.Application:
    """The page, its pictures, and the two things that it changes."""

    async def page(_request: web.Request) -> web.Response:
        cards = await asyncio.to_thread(naming.read)
        text = render_page(
            TEMPLATES, "name.html", title="What does the character hold?", where=shown(naming.folder), cards=cards,
            longest=LONGEST, guesses=naming.guesses,
        )  # fmt: skip
        return web.Response(text=text, content_type="text/html")

    async def picture(request: web.Request) -> web.Response:
        return web.Response(body=naming.thumbnail(request.query["name"]), content_type="image/webp")

    async def words(request: web.Request) -> web.Response:
        return web.json_response(await asyncio.to_thread(suggestions, request.query["start"]))

    async def guess(request: web.Request) -> web.Response:
        return web.json_response({"object": await asyncio.to_thread(naming.guess, request.query["name"])})

    async def put_object(request: web.Request) -> web.Response:
        told = await request.json()
        return web.json_response(await asyncio.to_thread(naming.put_object, str(told["name"]), str(told["object"])))

    async def leave_out(request: web.Request) -> web.Response:
        told = await request.json()
        name = await asyncio.to_thread(naming.leave_out, str(told["name"]), told["out"] is True)
        return web.json_response({"name": name})

    app = web.Application(middlewares=[_guarded], client_max_size=64 * 1024)
    app.router.add_get("/", page)
    app.router.add_get("/picture", picture)
    app.router.add_get("/words", words)
    app.router.add_get("/guess", guess)
    app.router.add_post("/object", put_object)
    app.router.add_post("/leave-out", leave_out)
    return app


@web.middleware
async def _guarded(request: web.Request, handler: Answer) -> web.StreamResponse:
    if request.url.host not in ("127.0.0.1", "localhost"):
        return _refused("this page is served to 127.0.0.1 only", 403)
    if request.method == "POST" and _HEADER not in request.headers:
        return _refused("this did not come from the page", 403)
    try:
        return await handler(request)
    except (KeyError, TypeError):
        return _refused("no such picture: load the page again", 404)
    except (InvalidRequest, TrainingFailed) as error:
        return _refused(str(error), 422)
    except ValueError:
        return _refused("not JSON", 400)


def _refused(why: str, status: int) -> web.Response:
    return web.json_response({"error": why}, status=status)


async def serve(naming: Naming, port: int, told: Callable[[str], Any], *, browser: bool) -> None:
    """Serve until SIGINT or SIGTERM; `told` is given the address. Raises TrainingFailed where the port is taken."""
    runner = web.AppRunner(build_app(naming), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        try:
            await site.start()
        except OSError as error:
            raise TrainingFailed(f"cannot serve on port {port}: {error.strerror}; name another --port") from error
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):  # before the address is told: whoever reads it may stop us at once
            loop.add_signal_handler(name, stop.set)
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        told(address)
        if browser:
            with contextlib.suppress(webbrowser.Error):
                await asyncio.to_thread(webbrowser.open, address)
        await stop.wait()
    finally:
        await runner.cleanup()
