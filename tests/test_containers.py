"""The files for other people's machines: linted, valid by the published schema, and their commands really executed.

No container engine runs here. The image's own install path is executed as far as it can be without one: every RUN
line, in a clean folder, on this distribution.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = ROOT / "Dockerfile.cuda"
_MAX_CONTEXT = 150_000_000


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, continuation lines joined."""

    name: str
    value: str


def instructions() -> list[Instruction]:
    lines = [line for line in DOCKERFILE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [Instruction(*line.split(" ", 1)) for line in joined.splitlines()]


def values(name: str) -> list[str]:
    return [each.value for each in instructions() if each.name == name]


def tool(name: str) -> str:
    """A tool of the test extra, beside the interpreter that runs this."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        pytest.skip(f"{name} is not installed: make test installs it")
    return str(path)


def test_hadolint_has_no_complaint() -> None:
    done = subprocess.run([tool("hadolint"), str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_compose_is_valid_by_the_published_schema(tmp_path: Path) -> None:
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(ROOT / "compose.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((ROOT / "compose.yaml").read_text().replace("restart:", "restarts:"))
    assert subprocess.run([*command, str(wrong)], capture_output=True, check=False).returncode == 1


def test_compose_keeps_state_restarts_and_holds_no_secret() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    for service in compose["services"].values():
        assert service["restart"] == ("no" if "profiles" in service else "unless-stopped")
        assert service["read_only"] is True
        assert {mount.split(":")[1] for mount in service["volumes"]} - {"/tmp/ray"} == {"/data", "/weights"}
        for name, value in service["environment"].items():
            assert not name.endswith("TOKEN") or value.startswith("${"), name
        assert {mount.split(":")[0] for mount in service["volumes"]} <= set(compose["volumes"])


def test_no_ray_node_of_compose_is_given_a_token_but_rays_own() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    nodes = {name for name, service in services.items() if "ray" in str(service.get("command", ""))}
    assert nodes == {"node", "cards"}
    for name in nodes:
        assert not [key for key in services[name]["environment"] if "TOKEN" in key and key != "RAY_AUTH_TOKEN"]
        assert "env_file" not in services[name]
        assert not any(mount.startswith("state:") for mount in services[name]["volumes"])
    assert services["bot"]["network_mode"] == services["bot"]["ipc"] == "service:node"


def test_the_image_runs_as_nobody_special_and_says_whether_it_is_well() -> None:
    order = [each.name for each in instructions()]
    assert values("USER") == ["10001:10001"]
    assert "RUN" not in order[order.index("USER") :], "nothing is installed as the user, nothing runs as root after"
    assert len(values("HEALTHCHECK")) == 1
    assert values("VOLUME") == ['["/data", "/weights"]']


def test_every_pip_install_is_held_to_hashes_or_to_the_constraints_or_takes_nothing_from_an_index() -> None:
    installs = re.findall(r"pip\" install (.*?)(?= && |$)", "\n".join(values("RUN")), re.MULTILINE)
    hashed, alone, torch, project = map(str.strip, installs)
    assert {"--require-hashes", "--no-deps", "--only-binary :all:"} <= set(re.findall(r"--\S+(?: :all:)?", hashed))
    assert all("--constraint constraints.txt" in each and each.endswith(" torch") for each in (alone, torch))
    assert project.split() == ["--no-cache-dir", "--no-deps", "--no-build-isolation", "."]


def test_the_build_context_is_small_and_closed() -> None:
    """Only what is allowed by name goes to the builder, all that is copied is allowed, and no base model is in it."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = {source for copy in values("COPY") for source in copy.split()[:-1]}
    assert copied == allowed
    files = [
        path for name in allowed for path in ((ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name])
    ]
    files = [path for path in files if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < _MAX_CONTEXT
    weights = [path.relative_to(ROOT) for path in files if path.suffix in (".safetensors", ".ckpt", ".pt", ".bin")]
    assert all(path.parts[1] in ("demo", "demo_lora", "upscale") for path in weights), weights


def test_the_unit_file_is_well_formed(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = (ROOT / "deploy" / "samurai-badges.service").read_text()
    assert "\nUser=badges\n" in unit
    assert "\nRestart=always\n" in unit
    here = tmp_path / "samurai-badges.service"
    here.write_text(unit.replace("/opt/badges/bin/python", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", str(here)], capture_output=True, text=True, check=False)
    assert here.name not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


def test_torch_comes_from_the_index_that_is_given_in_the_pinned_version(tmp_path: Path) -> None:
    """The RUN line itself, with an index on this disk that has a build of the pinned torch, and of a newer one."""
    pinned = re.search(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned
    given, usual, root = tmp_path / "given", tmp_path / "usual", tmp_path / "root"
    for version in (f"{pinned[1]}+older.cuda", "99.0+older.cuda"):
        put_wheel(given, "torch", version)
    put_wheel(usual, "torch", pinned[1])
    subprocess.run([sys.executable, "-m", "venv", root / "opt" / "badges"], check=True)
    (line,) = [run for run in values("RUN") if run.endswith(" torch")]
    environment = {"PATH": os.environ["PATH"], "ROOT": str(root), "PIP_CONFIG_FILE": os.devnull}
    environment |= {"PIP_INDEX_URL": usual.as_uri(), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for index, expected in (("", pinned[1]), (given.as_uri(), f"{pinned[1]}+older.cuda")):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line.replace(" install ", " install --force-reinstall ")],
            cwd=ROOT, env=environment | {"TORCH_INDEX": index}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert f"Successfully installed torch-{expected}\n" in done.stdout


def put_wheel(index: Path, name: str, version: str) -> None:
    """Add an empty package to a package index, which is a folder of pages with links."""
    folder = index / name
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        info = f"{name}-{version}.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    links = [f'<a href="{quote(path.name)}">{path.name}</a>' for path in folder.glob("*.whl")]
    (folder / "index.html").write_text("<!doctype html>" + "".join(links))


@pytest.mark.slow
def test_every_run_line_of_the_install_path_works_on_this_distribution(tmp_path: Path) -> None:
    """With ROOT set to a clean folder; apt-get only simulates, so that nothing of this machine changes."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("needs root and apt-get, as in the image")
    root, work, tools = tmp_path / "root", tmp_path / "work", tmp_path / "tools"
    for folder in (root, work, tools):
        folder.mkdir()
    apt = shutil.which("apt-get")
    (tools / "apt-get").write_text(f'#!/bin/sh\ntest "$1" = update && exit 0\nexec {apt} --simulate "$@"\n')
    (tools / "apt-get").chmod(0o755)
    environment = {**os.environ, "ROOT": str(root), "TORCH_INDEX": "", "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin"}
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"):
        environment.pop(name, None)
    ran = 0
    for each in instructions():
        if each.name == "COPY":
            *sources, target = each.value.split()
            for source in sources:
                copy(ROOT / source, work / target / source if target == "./" else work / target)
        elif each.name == "RUN":
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", each.value],
                cwd=work, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{each.value}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            ran += 1
    assert ran == len(values("RUN")) == 5
    assert (root / "data").stat().st_uid == 10001
    shutil.rmtree(work)

    # What was installed works without the repository: the bot's help, and a badge by the demo FLUX.
    python = root / "opt" / "badges" / "bin" / "python"
    plain = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "BADGE_DATA_DIR": str(root / "data"),
        "BADGE_LOCAL__STEPS": "2",
    }
    for command in (
        ["-m", "bot", "--help"],
        ["-m", "inference.render", "--generator", "demo", "--object", "cup", "--text", "HI", "--out", "badge.png"],
    ):
        done = subprocess.run([python, *command], cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "badge.png").stat().st_size > 1000


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    else:
        shutil.copy(source, target)
