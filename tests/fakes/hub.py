"""A Hugging Face Hub on loopback: one model with files, what was asked for, and downloads that break off.

Source of the paths and headers: huggingface_hub's `HfApi.model_info` and `get_hf_file_metadata`.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

COMMIT = "c" * 40


@dataclass
class FakeHub:
    """`files` by name. `claimed` sizes override the true ones in the listing; `gated` answers 403; `token` is that of
    the account acme; `breaks` counts downloads that end after half of the file."""

    repo: str
    files: dict[str, bytes]
    claimed: dict[str, int] = field(default_factory=dict)
    gated: bool = False
    token: str = ""
    breaks: int = 0
    url: str = ""
    sent: dict[str, int] = field(default_factory=dict)
    """Bytes of each file that were sent."""


@contextmanager
def hub(fake: FakeHub) -> Iterator[FakeHub]:
    """Serve `fake` until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, format: str, *args: object) -> None:
            """Keep tests quiet."""

        def _answer(self, *, body: bool) -> None:
            path = urlsplit(self.path).path
            if path == "/api/whoami-v2":
                known = self.headers.get("Authorization") == f"Bearer {fake.token}"
                self._send(200 if known else 401, b'{"name": "acme", "type": "user"}', {}, body)
            elif fake.gated:
                self._send(403, b"{}", {"X-Error-Code": "GatedRepo"}, body)
            elif path.startswith("/api/models/"):
                listed = [
                    {"rfilename": name, "size": fake.claimed.get(name, len(data)), "blobId": "b"}
                    for name, data in fake.files.items()
                ]
                told: object = {"id": fake.repo, "sha": COMMIT, "siblings": listed, "modelId": fake.repo}
                if "/tree/" in path:
                    told = [{"type": "file", "path": e["rfilename"], "size": e["size"], "oid": "b"} for e in listed]
                self._send(200, json.dumps(told).encode(), {"Content-Type": "application/json"}, body)
            else:
                name = path.partition(f"/resolve/{COMMIT}/")[2] or path.partition("/resolve/main/")[2]
                self._file(name, body)

        def _file(self, name: str, body: bool) -> None:
            if name not in fake.files:
                self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, body)
                return
            data = fake.files[name]
            headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": COMMIT}
            start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            rest = data[start:]
            if body and fake.breaks and len(rest) > 1000:
                fake.breaks -= 1
                self._send(206 if start else 200, rest, headers, body, cut=len(rest) // 2)
                self.close_connection = True
                return
            self._send(206 if start else 200, rest, headers, body)
            if body:
                fake.sent[name] = fake.sent.get(name, 0) + len(rest)

        def _send(self, status: int, data: bytes, headers: dict[str, str], body: bool, cut: int = 0) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                self.wfile.write(data[:cut] if cut else data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
