"""requirements.hashed.txt, what makes it and the line that installs from it: pip itself, an index on loopback."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import requires
from pathlib import Path
from threading import Thread

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.pages import ROOT
from tests.test_containers import put_wheel, values

SCRIPT = ROOT / ".ci" / "lock-hashes"
HASHED = ROOT / "requirements.hashed.txt"
LEFT_OUT = ("torch", "triton")


def hashes(path: Path) -> dict[str, list[str]]:
    """The hashes under each `name==version`."""
    text = re.sub(r" \\\n +", " ", path.read_text())
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {row[0]: row[1:] for row in rows}


def pinned() -> dict[str, str]:
    rows = [line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    return {canonicalize_name(name): f"{canonicalize_name(name)}=={version}" for name, version in rows}


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler] | partial[SimpleHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_hashed_versions_are_those_of_the_constraints() -> None:
    found = hashes(HASHED)
    assert set(found) <= set(pinned().values())
    for row in found.values():
        assert row
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in row)


def test_every_package_that_the_image_needs_is_among_them() -> None:
    """Each dependency of the project and of each package in the file is in the file too, on this Python."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in ("gpu", "ray", "xlsx"):
        asked += project["project"]["optional-dependencies"][extra]
    names = {row.split("==")[0] for row in hashes(HASHED)}
    for name in names | {"torch"}:
        asked += requires(name) or []
    linux = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "extra": ""}
    needed = [Requirement(text) for text in asked]
    wanted = {canonicalize_name(each.name) for each in needed if not each.marker or each.marker.evaluate(linux)}
    missing = {name for name in wanted - names if name not in LEFT_OUT and not name.startswith(("nvidia-", "cuda-"))}
    assert not missing
    assert not names & set(LEFT_OUT)


class Index(BaseHTTPRequestHandler):
    """A package index that has the same files of every package in its pinned version, each with a hash of its name."""

    versions = pinned()
    tags = (
        "cp312-cp312-manylinux_2_28_x86_64",
        "cp310-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64",
        "py3-none-any",
    )
    others = (
        "cp310-cp310-manylinux_2_28_x86_64", "cp314-cp314t-manylinux_2_28_x86_64", "cp312-cp312-musllinux_1_2_x86_64",
        "cp312-cp312-win_amd64", "cp312-cp312-macosx_11_0_arm64", "cp315-abi3-manylinux_2_28_x86_64", "py2-none-any",
    )  # fmt: skip
    lacking: str = ""

    def do_GET(self) -> None:
        name = self.path.strip("/").split("/")[-1]
        version = self.versions[name].split("==")[1] if name != self.lacking else "0.0.1"
        stem = name.replace("-", "_")
        files = [f"{stem}-{version}-{tag}.whl" for tag in (*self.tags, *self.others)]
        files += [f"{stem}-0.0.2-py3-none-any.whl", f"{stem}-{version}.tar.gz"]
        body = json.dumps(
            {"files": [{"filename": file, "hashes": {"sha256": digest(file)}} for file in files]}
        ).encode()
        assert self.headers["Accept"] == "application/vnd.pypi.simple.v1+json"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing: the test's output is the script's."""


class Lacking(Index):
    lacking = "tqdm"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def lock(index: str, out: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(SCRIPT), "--out", str(out)]
    environment = {**os.environ, "PIP_INDEX_URL": index, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_only_wheels_of_the_pinned_version_that_an_image_can_take_are_written(tmp_path: Path) -> None:
    out = tmp_path / "hashed.txt"
    with serving(Index) as index:
        done = lock(index, out)
    assert done.returncode == 0, done.stderr
    assert hashes(out).keys() == hashes(HASHED).keys()
    for row, found in hashes(out).items():
        stem = row.replace("==", "\0").replace("-", "_").replace("\0", "-")
        assert found == sorted(f"--hash=sha256:{digest(f'{stem}-{tag}.whl')}" for tag in Index.tags)


def test_a_package_without_a_wheel_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "hashed.txt"
    out.write_text("before")
    with serving(Lacking) as index:
        done = lock(index, out)
    assert done.returncode == 1
    assert f"error: {index} has no wheel of {pinned()['tqdm'].replace('==', ' ')} for the image" in done.stderr
    assert out.read_text() == "before"


def test_a_forged_wheel_of_the_right_version_is_refused(tmp_path: Path) -> None:
    """The RUN line itself, from an index that has another file under the pinned name and version."""
    root, packages, work = tmp_path / "root", tmp_path / "packages", tmp_path / "work"
    work.mkdir()
    row = pinned()["tqdm"]
    put_wheel(packages, *row.split("=="))
    (wheel,) = packages.glob("tqdm/*.whl")
    true = f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    subprocess.run([sys.executable, "-m", "venv", root / "opt" / "badges"], check=True)
    (line,) = [run for run in values("RUN") if "requirements.hashed.txt" in run]
    environment = {
        "PATH": os.environ["PATH"],
        "ROOT": str(root),
        "PIP_CONFIG_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }
    with serving(partial(SimpleHTTPRequestHandler, directory=str(packages))) as index:
        environment["PIP_INDEX_URL"] = index
        for expected, code in ((hashes(HASHED)[row], 1), ([true], 0)):
            (work / "requirements.hashed.txt").write_text(" ".join([row, *expected]))
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", line],
                cwd=work, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == code, done.stdout + done.stderr
            assert ("DO NOT MATCH THE HASHES" in done.stderr) == (code == 1)
            assert bool(list(root.glob("opt/badges/lib/python3*/site-packages/tqdm-*"))) == (code == 0)
