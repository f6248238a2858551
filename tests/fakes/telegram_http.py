"""Just enough HTTP/1.1 for a fake server on loopback: keep-alive, forms, JSON, multipart, and rude endings."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from urllib.parse import parse_qsl, urlsplit

HANG_UP = -1
"""As a status: close the connection without an answer."""


@dataclass
class Call:
    """One request: path, fields, and uploaded files by field name."""

    path: str
    fields: dict[str, str]
    files: dict[str, bytes] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[tuple[int, bytes]]]


async def serve(handler: Handler, port: int = 0) -> asyncio.Server:
    """Listen on loopback; `handler` answers (status, body)."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                target, headers = _read_head(await reader.readuntil(b"\r\n\r\n"))
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                fields, files = _read_body(headers.get("content-type", ""), body)
                query = urlsplit(target)
                status, answer = await handler(Call(query.path, {**dict(parse_qsl(query.query)), **fields}, files))
                if status == HANG_UP:
                    break
                head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
                writer.write(head.encode() + answer)
                await writer.drain()
        writer.close()

    return await asyncio.start_server(connection, "127.0.0.1", port, limit=2**20)


async def post_json(url: str, body: bytes, headers: dict[str, str]) -> int:
    """POST to a server on loopback; the status of its answer. Raises OSError where nobody listens."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        lines = [f"POST {parts.path or '/'} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()] + ["Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        line = await reader.readline()
        return int(line.split()[1]) if line else 0
    finally:
        writer.close()


def _read_head(head: bytes) -> tuple[str, dict[str, str]]:
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(":", 1) for line in rest if ":" in line)
    return first.split(" ")[1], {name.lower(): value.strip() for name, value in headers.items()}


def _read_body(kind: str, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    if kind.startswith("application/json"):
        return {k: v if isinstance(v, str) else json.dumps(v) for k, v in json.loads(body or b"{}").items()}, {}
    if not kind.startswith("multipart/form-data"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True)), {}
    message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for part in message.get_payload():
        name = str(part.get_param("name", header="content-disposition"))
        data = part.get_payload(decode=True)
        if part.get_filename() is None:
            fields[name] = data.decode()
        else:
            files[name] = data
    return fields, files


class Refused(Exception):
    """An error answer of the API."""

    def __init__(self, code: int, words: str, **parameters: int) -> None:
        super().__init__(words)
        self.code, self.words, self.parameters = code, words, parameters
