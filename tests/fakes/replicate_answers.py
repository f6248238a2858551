"""How the fake of Replicate answers: JSON and problems, and outputs of every kind, good and bad."""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.replicate_jobs import State, picture

MEBI = 2**20


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    state: State
    url: str

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news; anything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Drop(Exception):
    """Close the connection without an answer."""


class Answers(BaseHTTPRequestHandler):
    """What answers, without the routes."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 20
    wbufsize = 65536
    disable_nagle_algorithm = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(time.time() + self._state.ahead_s)

    def log_message(self, format: str, *values: object) -> None:
        pass

    @property
    def _state(self) -> State:
        return self.server.state

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    # -- outputs

    def _deliver(self, path: str) -> None:
        kind, _ = self._state.next_fault("download")
        if kind == "drop-before":
            raise Drop
        if kind.isdigit():
            self._problem(int(kind), "no")
            return
        name = path.rsplit("/", 1)[1]
        good = picture()
        if name in self._state.contents:
            self._send(200, self._state.contents[name], "application/x-tar")
        elif name in ("png", "webp", "jpg"):
            self._send(200, picture(kind={"png": "PNG", "webp": "WEBP", "jpg": "JPEG"}[name]), f"image/{name}")
        elif name == "black":
            self._send(200, picture((0, 0, 0)), "image/png")
        elif name == "truncated":
            self._send(200, good[: len(good) // 2], "image/png")
        elif name == "cut":
            self._send(200, good[: len(good) // 2], "image/png", {"Content-Length": str(len(good))})
        elif name == "wide":
            self._send(200, picture(side=5000), "image/png")
        elif name == "endless":
            self._endless()
        elif name == "huge":
            self._send(200, good, "image/png", {"Content-Length": str(10_000 * MEBI)})
        elif name == "html":
            self._send(200, b"<html>not a picture</html>", "text/html")
        elif name == "gone":
            self._problem(404, "gone")
        elif name.startswith("redirect-"):
            target = {"redirect-here": "png", "redirect-round": "redirect-round"}.get(
                name, "https://evil.example/x.png"
            )
            self._send(302, b"", "text/plain", {"Location": target})
        else:
            self._problem(404, "unknown")

    def _drip(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for number in range(len(body)):
            self.wfile.write(body[number : number + 1])
            self.wfile.flush()
            time.sleep(0.02)

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        block = b"%x\r\n" % MEBI + bytes(MEBI) + b"\r\n"
        while True:
            self.wfile.write(block)

    # -- answers

    def _problem(
        self, status: int, detail: str, headers: dict[str, str] | None = None, more: dict[str, Any] | None = None
    ) -> None:
        body = json.dumps({"detail": detail, "status": status, **(more or {})}).encode()
        self._send(status, body, "application/problem+json", headers)

    def _send(
        self, status: int, body: bytes, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if headers and "Content-Length" in headers:
            raise Drop
