"""The command line with Ray as a person uses it: a batch whose actor is killed, a LoRA sent along, what is missing."""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from configs import ConfigError, load_settings
from inference import render
from tests.inference.ray.parts import kill_one_drawing, needs_ray

_ENVIRONMENT = {
    "BADGE_LOCAL__STEPS": "24",
    "BADGE_LOCAL__THREADS": "1",
    "BADGE_BANNER__SIZE": "256",
    "BADGE_RAY__ACTORS": "2",
    "BADGE_GENERATOR__PORTRAIT_CACHE_MB": "0",
}
_LORA = Path(__file__).resolve().parents[3] / "inference" / "demo_lora" / "aidbox.safetensors"
_ROWS = [f"telescope,SCOUT {number},{number}" for number in range(6)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in _ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RAY_TMPDIR", tempfile.gettempdir())  # Ray's sockets want a short path
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where a node keeps LoRAs
    shutil.copy(_LORA, tmp_path / "style.safetensors")
    (tmp_path / "badges.csv").write_text("\n".join(["object,text,seed", *_ROWS]) + "\n")
    return tmp_path


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "inference.render", *options, "--json"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def batch(out: str, *options: str) -> tuple[str, ...]:
    return ("--batch", "badges.csv", "--out", out, "--lora", "style.safetensors", *options)


@needs_ray
def test_a_batch_whose_actor_is_killed_gives_the_files_of_one_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with start(folder, *batch("many", "--generator", "ray", "--profile", "demo")) as process:
        hunt = threading.Thread(target=kill_one_drawing, args=(process.pid,))
        hunt.start()
        out, err = process.communicate()
        hunt.join()
    assert process.returncode == 0, err
    assert sorted(json.loads(line)["seed"] for line in out.splitlines()) == list(range(6)), "nothing else is on stdout"
    assert not [line for line in err.splitlines() if "ray" in line or "Traceback" in line], err

    assert [path.name for path in folder.glob("samurai-badges-*/loras/*/*")] == ["style.safetensors"], "one copy"

    monkeypatch.chdir(folder)
    assert render.main(batch("one", "--generator", "demo")) == 0, capsys.readouterr().err
    drawn = sorted(path.name for path in (folder / "many").glob("*.png"))
    assert len(drawn) == 6
    for name in drawn:
        assert (folder / "many" / name).read_bytes() == (folder / "one" / name).read_bytes(), name
    assert manifest(folder / "many") == manifest(folder / "one")

    written = {name: (folder / "many" / name).stat().st_mtime_ns for name in drawn}
    assert render.main(batch("many", "--generator", "demo")) == 0, capsys.readouterr().err
    found = {path.name: path.stat().st_mtime_ns for path in (folder / "many").glob("*.png")}
    assert found == written, "one process finds it finished"


def manifest(out: Path) -> list[dict[str, object]]:
    """Its entries in order, without what the clock says."""
    entries = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]


def test_without_the_package_one_line_says_how_to_get_it(folder: Path) -> None:
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from inference import render\n"
        "sys.exit(render.main(['--object', 'cup', '--text', 'HI', '--generator', 'ray', '--profile', 'demo']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        'error: Ray is not installed: pip install --constraint constraints.txt ".[ray]"'
    ]


def test_the_address_is_read_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().ray.address == ""
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert load_settings().ray.address == "head:6379"
    monkeypatch.setenv("BADGE_RAY__ADDRESS", "other:6379")
    assert load_settings().ray.address == "other:6379"
    monkeypatch.setenv("BADGE_RAY__ADDRESS", "ray://head:10001")
    with pytest.raises(ConfigError, match="must be HOST:PORT or auto"):
        load_settings()


@needs_ray
def test_a_card_is_not_chosen_by_number(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BADGE_LOCAL__DEVICE", "cuda:1")
    with start(folder, "--object", "cup", "--text", "HI", "--generator", "ray", "--profile", "demo") as process:
        _, err = process.communicate()
    assert process.returncode == 2
    assert err.splitlines() == [
        "error: [local] device = 'cuda:1': with Ray choose auto, cpu or cuda; Ray assigns the cards"
    ]
