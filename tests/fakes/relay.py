"""A relay on loopback that hands bytes on to a server, is a simple HTTP proxy, and can be closed and opened again.

As a proxy it only knows the one server behind it, whatever name it is asked for; `CONNECT` is refused with `refusal`.
"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Relay:
    """Listens on a port of its own; `asked` is all that clients sent."""

    def __init__(self, target: str, refusal: int = 502) -> None:
        host, _, port = target.removeprefix("http://").partition("/")[0].partition(":")
        self.target, self.refusal = (host, int(port)), refusal
        self.asked = bytearray()
        self.port = 0
        self._listener: socket.socket | None = None
        self._live: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> Self:
        """Listen, again on the same port as before."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def close(self) -> None:
        """Listen no more and end every connection."""
        listener, self._listener = self._listener, None
        if listener is not None:
            _end(listener)  # which wakes the thread that waits in accept(); closing alone does not
            listener.close()
        for each in list(self._live):
            _end(each)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self.target) as server:
            ends = {client, server}
            self._live |= ends
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            try:
                self._forward(client, server)
            finally:
                _end(server)
                back.join()
                self._live -= ends

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        while data := client.recv(2**16):
            self.asked += data
            if data.startswith(b"CONNECT "):
                client.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % self.refusal)
                return
            server.sendall(data)


def _pump(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(2**16):
            to.sendall(data)
    _end(to)


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
