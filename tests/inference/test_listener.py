"""Listeners that anybody may knock at: what a stranger can take is bounded before it is known who knocks."""

import socket
import threading
from collections.abc import Iterator

import pytest
from tornado.httputil import HTTPHeaders

from inference.listener import Bounds, ThreadedListener, posts

HEADER = "X-Secret"


def received(connection: socket.socket) -> bytes:
    """What answers, nothing where the connection is reset."""
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def send_without_end(connection: socket.socket) -> None:
    for _ in range(10_000):
        connection.sendall(b"400\r\n" + bytes(1024) + b"\r\n")


class Hall:
    """A listener that lets in who knows the secret, and what it was told."""

    def __init__(self, bounds: Bounds) -> None:
        self.heard: list[bytes] = []
        application = posts(r"/hook", lambda headers: 0 if headers.get(HEADER) == "s" else 403, self._answer)
        self.listener = ThreadedListener("127.0.0.1", 0, application, bounds)

    async def _answer(self, headers: HTTPHeaders, body: bytes) -> int:
        self.heard.append(body)
        return 200

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.listener.port), timeout=5)

    def ask(self, head: str, body: bytes = b"") -> bytes:
        """Everything that answers one request, up to the end of the connection or of the answer."""
        with self.connect() as connection:
            connection.sendall(f"POST /hook HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode() + body)
            return received(connection)


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall(Bounds(body=1000, connections=4, seconds=0.5))
    yield hall
    hall.listener.close()


def test_who_knows_the_secret_is_heard(hall: Hall) -> None:
    assert hall.ask(f"{HEADER}: s\r\nContent-Length: 5", b"hello").startswith(b"HTTP/1.1 200")
    assert hall.heard == [b"hello"]


def test_a_stranger_is_refused_before_the_body(hall: Hall) -> None:
    assert hall.ask("Content-Length: 900").startswith(b"HTTP/1.1 403")
    assert hall.ask(f"{HEADER}: guess\r\nContent-Length: 5", b"hello").startswith(b"HTTP/1.1 403")
    assert hall.heard == []


@pytest.mark.parametrize(
    "head",
    ["Content-Length: 1001", "Content-Length: 99999999999", "Content-Length: \u00b2", "Content-Length: -1",
     "Content-Length: 5, 7", "X: " + "x" * 20_000, "no header at all"],
)  # fmt: skip
def test_what_is_too_large_or_no_length_is_hung_up_on(hall: Hall, head: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert b"200" not in hall.ask(f"{HEADER}: s\r\n{head}", b"hello")[:15]
    assert hall.heard == []
    assert capfd.readouterr().err == ""


def test_an_endless_body_is_cut_off(hall: Hall) -> None:
    with hall.connect() as connection:
        head = f"POST /hook HTTP/1.1\r\nHost: x\r\n{HEADER}: s\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_without_end(connection)
    assert hall.heard == []


def test_half_requests_end_by_themselves_and_hold_no_threads(hall: Hall) -> None:
    before = threading.active_count()
    halves = [hall.connect() for _ in range(4)]
    for half in halves:
        half.sendall(f"POST /hook HTTP/1.1\r\n{HEADER}: s\r\nContent-Length: 900\r\n\r\nhalf".encode())
    more = [hall.connect() for _ in range(20)]
    for each in more:
        assert received(each) == b""  # so many are not served at once
        each.close()
    assert threading.active_count() == before
    for half in halves:
        half.settimeout(10)
        assert b" 200 " not in received(half)  # its seconds are over
        half.close()
    assert hall.ask(f"{HEADER}: s\r\nContent-Length: 2", b"ok").startswith(b"HTTP/1.1 200")
