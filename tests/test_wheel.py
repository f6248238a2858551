"""The package as others install it: what is in the wheel, and a badge drawn with it far from any checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_MEBI = 2**20


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without the network, and from a copy, since a build leaves folders beside the sources.

    Tests and benchmarks stay out of the copy: they hold made-up tokens, which conftest looks for in what tests write.
    """
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "benchmarks/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        target,
        ".",
    ]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel alone in a new environment, whose libraries are those of this interpreter; its bin folder.

    This interpreter's own copy of the package is not among them: an editable install is a hook, and hooks of a folder
    that a .pth file adds are not run.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin"


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_every_font_comes_with_its_licence(wheel: Path) -> None:
    inside = names(wheel)
    fonts = {Path(name).parent.name for name in inside if name.endswith((".ttf", ".otf"))}
    assert len(fonts) >= 6
    for font in fonts:
        assert any(name.endswith(f".dist-info/licenses/fonts/{font}/LICENSE") for name in inside), font


def test_the_wheel_holds_what_runs_and_not_what_drew_the_demo(wheel: Path) -> None:
    inside = names(wheel)
    assert wheel.stat().st_size <= 40 * _MEBI
    for needed in (
        "bot/locale/ru.po",
        "configs/badge.toml",
        "training/demo/classifier.safetensors",
        "inference/py.typed",
    ):
        assert needed in inside
    kept_out = (
        "tests/",
        "benchmarks/",
    )
    assert [name for name in inside if name.startswith(kept_out)] == []
    demo = {name.removeprefix("training/demo/") for name in inside if name.startswith("training/demo/")}
    assert demo == {"README.md", "__init__.py", "classifier.py", "classifier.safetensors", "measures.py"}
    pictures = [name for name in inside if name.endswith((".webp", ".png", ".jpg"))]
    assert pictures == ["bot/community/example.jpg"], "the one that the bot greets with"


def test_a_badge_is_drawn_far_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    """State goes to the user's data folder, which is named once, or to an existing ./data."""
    place = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "BADGE_LOCAL__STEPS": "1"}
    place |= {name: os.environ[name] for name in ("OMP_NUM_THREADS",) if name in os.environ}
    command = [
        installed / "badge-render",
        "--generator",
        "demo",
        "--object",
        "cup",
        "--text",
        "HI",
        "--out",
        "badge.png",
    ]
    said = []
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=place, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said.append("state is kept in" in done.stderr)
    assert said == [True, False]
    assert (tmp_path / "badge.png").stat().st_size > 1000
    assert not (tmp_path / "data").exists()

    (tmp_path / "data").mkdir()
    probe = "from configs import load_settings; print(load_settings().data_dir)"
    done = subprocess.run(
        [installed / "python", "-c", probe], cwd=tmp_path, env=place, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "data"


@pytest.mark.parametrize(
    "script", ["badge-render", "badge-fetch", "badge-train", "badge-dataset", "badge-evaluate", "badge-bot"]
)
def test_every_console_script_starts(installed: Path, tmp_path: Path, script: str) -> None:
    done = subprocess.run([installed / script, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")
