"""A fake of Replicate's HTTP API on loopback, written from its OpenAPI description, with faults to switch on.

    with FakeReplicate() as fake:
        fake.state.fail("create", "drop-after")
        ... a client with base_url=fake.url and token=fake.state.token ...
        assert fake.state.paid() == 1

Outputs are served under /delivery/JOB/KIND without asking for a token; KIND says what comes (see `Answers._deliver`).
"""

import base64
import email.parser
import email.policy
import hashlib
import hmac
import json
import re
import threading
import time
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

from tests.fakes.replicate_answers import MEBI, Answers, Drop, Server
from tests.fakes.replicate_jobs import Held, Model, State, schema


class FakeReplicate:
    """The server; `state` is what tests set and read, `foreign` a second one that stands for another host."""

    def __init__(self) -> None:
        self.state = State()
        self._server = Server(("127.0.0.1", 0), _Handler)
        self._server.state = self.state
        self._server.url = self.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def ring(
        self, held: Held, to: str, *, event: str = "", key: str = "", stamp: int = 0, body: dict[str, Any] | None = None
    ) -> int:
        """Send a webhook about `held`, signed with `key` (the right one where left out); the answer's status."""
        raw = json.dumps(body or held.described(self.url)).encode()
        event, when = event or f"evt-{time.time_ns()}", str(stamp or int(time.time()))
        secret = base64.b64decode((key or self.state.signing_key).removeprefix("whsec_"))
        digest = hmac.new(secret, f"{event}.{when}.".encode() + raw, hashlib.sha256).digest()
        headers = {
            "webhook-id": event,
            "webhook-timestamp": when,
            "webhook-signature": "v1,bm90aGluZw== v1," + base64.b64encode(digest).decode(),
        }
        try:
            with urlopen(Request(to, raw, headers), timeout=30) as answer:
                return int(answer.status)
        except HTTPError as error:
            with error:
                return error.code

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(Answers):
    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) if self.command == "POST" else b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        parts = urlsplit(self.path)
        with self._state.lock:
            self._state.served.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        try:
            if parts.path.startswith("/delivery/"):
                self._deliver(parts.path)
            elif self.headers.get("Authorization") != f"Bearer {self._state.token}":
                self._problem(401, "Unauthenticated")
            else:
                self._route(parts.path.removeprefix("/v1"), parse_qs(parts.query), body)
        except (Drop, BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    # -- routes

    def _route(self, path: str, query: dict[str, list[str]], body: bytes) -> None:
        name, work = self._work(path, query, body)
        kind, seconds = self._state.next_fault(name)
        if kind == "drop-before":
            raise Drop
        if kind == "slow-before":
            time.sleep(seconds)
        if kind.startswith("429"):
            headers = {} if kind == "429-bare" else {"Retry-After": f"{seconds:g}"}
            self._problem(429, "Request was throttled.", headers, {"retry_after": seconds} if headers else {})
            return
        status, _, words = kind.partition(" ")
        if status.isdigit() and status not in ("500", "502"):
            said = {"402": "Insufficient credit", "401": f"bad token {self._state.token}"}.get(status, "refused")
            self._problem(int(status), words or said)
            return
        if kind == "500":
            self._problem(500, "Internal server error")
            return
        status, answer = work()
        if kind == "drop-after":
            raise Drop
        if kind == "slow-after":
            time.sleep(seconds)
        if kind == "502":
            self._send(502, b"<html>Bad gateway</html>", "text/html")
        elif kind == "drip":
            self._drip(json.dumps(answer).encode())
        elif kind == "html":
            self._send(200, b"<!doctype html><title>maintenance</title>", "text/html")
        else:
            self._send(status, json.dumps(answer).encode())

    def _work(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[str, Any]:
        """The name of the route, for faults, and what does its work: () -> (status, JSON)."""
        get, data = self.command == "GET", json.loads(body) if body[:1] == b"{" else {}
        if match := re.fullmatch(r"/(predictions|trainings)", path):
            kind = match[1]
            return ("list", lambda: self._list(kind, query)) if get else ("create", lambda: self._predict(data, path))
        if re.fullmatch(r"/(models|deployments)/[^/]+/[^/]+/predictions", path):
            return "create", lambda: self._predict(data, path)
        if match := re.fullmatch(r"/(?:predictions|trainings)/(\w+)", path):
            return "get", lambda: self._look(match[1])
        if match := re.fullmatch(r"/(?:predictions|trainings)/(\w+)/cancel", path):
            return "cancel", lambda: self._cancel(match[1])
        if match := re.fullmatch(r"/models/([^/]+/[^/]+)/versions/(\w+)/trainings", path):
            return "create", lambda: self._train(data, match[1], match[2])
        if match := re.fullmatch(r"/models/([^/]+/[^/]+)(?:/versions/(\w+))?", path):
            return "model", lambda: self._model(match[1], match[2])
        if match := re.fullmatch(r"/deployments/([^/]+/[^/]+)", path):
            return "model", lambda: self._deployment(match[1])
        if path == "/models":
            return "model", lambda: self._make_model(data)
        if path == "/account":
            return "account", lambda: (200, {"type": "user", "username": "acme"})
        if path == "/webhooks/default/secret":
            return "secret", lambda: (200, {"key": self._state.signing_key})
        if path == "/files":
            return ("files", self._files) if get else ("upload", lambda: self._upload(body))
        if match := re.fullmatch(r"/files/(\w+)", path):
            return "files", lambda: self._file(match[1])
        return "unknown", lambda: (404, {"detail": "The requested resource could not be found."})

    def _predict(self, data: dict[str, Any], path: str) -> tuple[int, dict[str, Any]]:
        name = "/".join(path.split("/")[2:4])
        version = data.get("version", "")
        if path == "/predictions":
            found = [model for model in self._state.models.values() if version in model.versions]
            if not found:
                return 422, {
                    "title": "Invalid version or not permitted",
                    "detail": "The specified version does not exist",
                }
            model, known = found[0], found[0].versions[version]
        elif path.startswith("/deployments"):
            origin, version = self._state.deployments[name]
            model, known = self._state.models[origin], self._state.models[origin].versions[version]
        else:
            model = self._state.models[name]
            version, known = "hidden", model.versions["hidden"]
        wrong = [{"field": f"input.{key}", "description": "unknown"} for key in data["input"] if key not in known]
        if data["input"].get("num_inference_steps", 1) > 50:
            wrong.append({"field": "input.num_inference_steps", "description": "Must be less than or equal to 50"})
        if wrong:
            return 422, {"title": "Input validation failed", "detail": "- input", "invalid_fields": wrong}
        held = self._state.start("predictions", data, model.name, version)
        time.sleep(held.plan.seconds)
        if self.headers.get("Prefer") and held.plan.seconds:
            held.looks = len(held.plan.states) - 1
        return 201, held.described(self.server.url)

    def _train(self, data: dict[str, Any], name: str, version: str) -> tuple[int, dict[str, Any]]:
        known = self._state.models[name].versions[version]
        wrong = [{"field": f"input.{key}", "description": "unknown"} for key in data["input"] if key not in known]
        if wrong:
            return 422, {"title": "Input validation failed", "detail": "- input", "invalid_fields": wrong}
        if data["destination"] not in self._state.models:
            return 404, {"detail": "The destination does not exist"}
        return 201, self._state.start("trainings", data, name, version).described(self.server.url)

    def _list(self, kind: str, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        after = query.get("created_after")
        since = datetime.fromisoformat(after[0]).timestamp() if after else 0.0
        jobs = [job for job in self._state.jobs.values() if job.kind == kind and job.created >= since]
        jobs.sort(key=lambda job: -job.created)
        start = int(query.get("cursor", ["0"])[0])
        more = start + self._state.page < len(jobs)
        following = f"https://evil.example/v1/{kind}?cursor={start + self._state.page}" if more else None
        shown = [job.described(self.server.url) for job in jobs[start : start + self._state.page]]
        return 200, {"next": following, "previous": None, "results": shown}

    def _look(self, number: str) -> tuple[int, dict[str, Any]]:
        held = self._state.jobs.get(number)
        if held is None:
            return 404, {"detail": "not found"}
        held.looks += 1
        return 200, held.described(self.server.url)

    def _cancel(self, number: str) -> tuple[int, dict[str, Any]]:
        held = self._state.jobs[number]
        held.canceled = held.canceled or held.status in ("starting", "processing")
        return 200, held.described(self.server.url)

    def _model(self, name: str, version: str | None) -> tuple[int, dict[str, Any]]:
        model = self._state.models.get(name)
        if model is None or (version and version not in model.versions):
            return 404, {"detail": "The requested resource could not be found."}
        chosen = version or next(reversed(model.versions), None)
        described = {"id": chosen, "openapi_schema": schema(model.versions[chosen])} if chosen else None
        if version:
            return 200, described or {}
        owner, _, short = name.partition("/")
        return 200, {"owner": owner, "name": short, "is_official": model.official, "latest_version": described}

    def _make_model(self, data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        name = f"{data['owner']}/{data['name']}"
        if name in self._state.models:
            return 409, {"detail": "A model with that name and owner already exists"}
        self._state.models[name] = Model(name, {}, visibility=data["visibility"])
        return 201, {"owner": data["owner"], "name": data["name"], "latest_version": None}

    def _deployment(self, name: str) -> tuple[int, dict[str, Any]]:
        if name not in self._state.deployments:
            return 404, {"detail": "not found"}
        model, version = self._state.deployments[name]
        return 200, {"name": name, "current_release": {"number": 1, "model": model, "version": version}}

    def _upload(self, body: bytes) -> tuple[int, dict[str, Any]]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        fields = {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in form.iter_parts()  # type: ignore[attr-defined]
        }
        content = fields["content"]
        if len(content) > 100 * MEBI:
            return 413, {"detail": "Files must be less than 100MB in size"}
        number = f"file{next(self._state.numbers):04d}"
        self._state.contents[number] = content
        self._state.files[number] = {
            "id": number,
            "size": len(content),
            "checksums": {"sha256": hashlib.sha256(content).hexdigest()},
            "metadata": json.loads(fields.get("metadata") or b"{}"),
            "expires_at": "2999-01-01T00:00:00Z",
            "urls": {"get": f"{self.server.url}/v1/files/{number}"},
        }
        return 201, self._state.files[number]

    def _files(self) -> tuple[int, dict[str, Any]]:
        return 200, {"next": None, "results": list(self._state.files.values())[::-1]}

    def _file(self, number: str) -> tuple[int, dict[str, Any]]:
        found = self._state.files.get(number)
        return (200, found) if found else (404, {"detail": "not found"})
