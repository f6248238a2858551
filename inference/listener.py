"""A small HTTP server that anybody may knock at: everything is bounded before it is known who does.

A connection has a number of seconds for its headers and as many for its body, a body has a greatest length, and so many
connections are open at once; more are hung up on. So the most that strangers can take is `connections` x `body` bytes.
Tornado reads the requests; a header that it does not understand ends the connection, without a word in the log.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass

import tornado.web
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream

MAX_HEADERS = 16 * 1024

Allowed = Callable[[HTTPHeaders], int]
"""Told of a request's headers: 0, or the status that refuses it before its body is read."""
Answer = Callable[[HTTPHeaders, bytes], Awaitable[int]]
"""Told of a whole request; the status that answers it."""


@dataclass(frozen=True)
class Bounds:
    """`body` in bytes; `seconds` for the headers, and again for the body."""

    body: int
    connections: int = 32
    seconds: float = 10.0


class BoundedServer(HTTPServer):
    """Tornado's server with a bound on open connections. Make it with `bounded`, start it with `listen`."""

    most = 32

    def handle_stream(self, stream: IOStream, address: tuple[str, int]) -> None:
        """Serve a new connection, or hang up where too many are open."""
        if len(self._connections) >= self.most:
            stream.close()
        else:
            super().handle_stream(stream, address)


def bounded(application: tornado.web.Application, bounds: Bounds) -> HTTPServer:
    """A server of `application` within `bounds`; needs a running loop."""
    logging.getLogger("tornado.general").setLevel(logging.ERROR)  # says of every stranger what was wrong with them
    server = BoundedServer(
        application,
        max_header_size=MAX_HEADERS,
        max_body_size=bounds.body,
        max_buffer_size=bounds.body + MAX_HEADERS,
        chunk_size=16 * 1024,
        idle_connection_timeout=bounds.seconds,
        body_timeout=bounds.seconds,
    )
    server.most = bounds.connections
    return server


def listen(server: HTTPServer, host: str, port: int) -> int:
    """Listen at an address, port 0 for any free one; the port. Raises OSError where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.create_server((host, port), family=family, backlog=128)
    opened.setblocking(False)
    server.add_sockets([opened])
    return int(opened.getsockname()[1])


def posts(path: str, allowed: Allowed, answer: Answer) -> tornado.web.Application:
    """An application that takes POST requests at `path` (a regular expression)."""
    return tornado.web.Application([(path, _Post, {"allowed": allowed, "answer": answer})], log_function=_say_nothing)


def _say_nothing(handler: tornado.web.RequestHandler) -> None:
    """Log no request: whoever is asked logs what matters."""


@tornado.web.stream_request_body
class _Post(tornado.web.RequestHandler):
    def initialize(self, allowed: Allowed, answer: Answer) -> None:
        self._allowed, self._answer = allowed, answer
        self._body = bytearray()

    def prepare(self) -> None:
        status = 405 if self.request.method != "POST" else self._allowed(self.request.headers)
        if status:
            self.set_status(status)
            self.set_header("Connection", "close")
            self.finish()

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk

    async def post(self) -> None:
        self.set_status(await self._answer(self.request.headers, bytes(self._body)))
        self.finish()

    def write_error(self, status_code: int, **kwargs: object) -> None:
        self.finish()


class ThreadedListener:
    """A server of posts in a thread of its own, for programs without a loop."""

    def __init__(self, host: str, port: int, application: tornado.web.Application, bounds: Bounds) -> None:
        """Listens at once; port 0 is any free one. Raises OSError where the address is taken."""
        self._started: Future[int] = Future()
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(host, port, application, bounds)), daemon=True, name="webhooks"
        )
        self._thread.start()
        self.port = self._started.result()

    async def _serve(self, host: str, port: int, application: tornado.web.Application, bounds: Bounds) -> None:
        server = bounded(application, bounds)
        try:
            port = listen(server, host, port)
        except OSError as error:
            self._started.set_exception(error)
            return
        self._loop = asyncio.get_running_loop()
        self._started.set_result(port)
        await self._stop.wait()
        server.stop()
        await server.close_all_connections()

    def close(self) -> None:
        """Stop listening. Repeatable."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
