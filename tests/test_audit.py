"""The check for known vulnerabilities: pip-audit itself, asking a vulnerability service on loopback."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.pages import ROOT

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pip_audit") is None, reason="pip-audit is not installed: make check installs it"
)
HOLE = "PYSEC-2022-9"


class Service(ThreadingHTTPServer):
    """Speaks OSV's protocol. `holes` are the packages it knows a vulnerability of; `status` is what it answers with."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.holes: set[str] = {"pillow 9.0.0"}
        self.status = 200
        self.asked: list[str] = []

    @property
    def options(self) -> list[str]:
        return ["-s", "osv", "--osv-url", f"http://127.0.0.1:{self.server_port}/v1/query"]


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = query["package"]["name"]
        asked = f"{name} {query['version']}"
        self.server.asked.append(asked)
        affected = [{"package": {"name": name, "ecosystem": "PyPI"}, "ranges": []}]
        known = {"vulns": [{"id": HOLE, "summary": "a hole", "affected": affected}]}
        body = json.dumps(known if asked in self.server.holes else {}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def audit(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / ".ci" / "audit.py"), *arguments]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_every_pinned_version_is_asked_about_and_a_hole_fails_the_check(service: Service) -> None:
    assert audit("--offline-ok", *service.options).returncode == 0
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    assert len(service.asked) == len(pins) + 1
    tqdm = next(asked for asked in service.asked if asked.startswith("tqdm "))
    service.holes.add(tqdm)
    done = audit("--offline-ok", *service.options)
    assert done.returncode == 1
    assert "Found 1 known vulnerability in 1 package" in done.stderr
    assert HOLE in done.stdout


@pytest.mark.parametrize("fault", ["closed", "knows nothing", "busy"])
def test_a_service_that_cannot_be_asked_is_said_aloud_and_passes_only_when_allowed(
    fault: str, service: Service
) -> None:
    options = service.options
    if fault == "closed":
        options[-1] = "http://127.0.0.1:9/v1/query"
    elif fault == "busy":
        service.status = 503
    else:
        service.holes.clear()
    allowed, strict = audit("--offline-ok", *options), audit(*options)
    assert (allowed.returncode, strict.returncode) == (0, 1)
    assert allowed.stderr.startswith("WARNING: NOTHING WAS AUDITED, ")
    assert strict.stderr.startswith("error: NOTHING WAS AUDITED, ")
    assert allowed.stderr.count("\n") == strict.stderr.count("\n") == 1
    assert len(service.asked) <= 2, "nothing more is asked of a service that knows nothing"


def test_any_other_failure_of_pip_audit_fails_the_check(service: Service) -> None:
    done = audit("--offline-ok", "--no-such-option", *service.options)
    assert done.returncode != 0
    assert "unrecognized arguments" in done.stderr
