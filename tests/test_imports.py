"""Light imports: no package, `--help` or usage error loads torch or another model library."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "diffusers", "transformers", "peft", "accelerate"}
PACKAGES = ["configs", "overlay", "inference", "training", "bot"]
COMMANDS = [
    "inference.render",
    "inference.sheet",
    "inference.fetch",
    "training.run",
    "training.dataset",
    "training.evaluate",
    "bot",
]

_PROBE = """
import sys
{action}
print(sorted({heavy} & set(sys.modules)))
"""


def loaded_after(action: str) -> str:
    code = _PROBE.format(action=action, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_no_model_library(package: str) -> None:
    assert loaded_after(f"import {package}") == "[]"


@pytest.mark.parametrize("option", ["--help", "--no-such-option"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_and_usage_errors_load_no_model_library(command: str, option: str) -> None:
    action = f"""
import runpy
sys.argv = ["{command}", "{option}"]
try:
    runpy.run_module("{command}", run_name="__main__")
except SystemExit as stop:
    assert stop.code == (0 if "{option}" == "--help" else 2), stop.code
"""
    assert loaded_after(action) == "[]"


@pytest.mark.parametrize("wrong", [["--data", "nowhere"], ["--profile", "tyny"], ["--steps", "0"]])
def test_a_training_that_cannot_be_is_refused_before_any_model_library_is_loaded(wrong: list[str]) -> None:
    given = ["--data", "training/demo/training_images", "--profile", "demo", *wrong]
    assert loaded_after(f"from training.run import main; assert main({given!r}) == 2") == "[]"


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("inference.local", "LocalGenerator"),
        ("inference.replicate", "ReplicateGenerator"),
        ("inference.ray", "RayGenerator"),
        ("inference", "make_badge"),
        ("overlay", "draw_banner"),
    ],
)
def test_what_is_imported_by_its_rooms_name_stays_there_and_loads_no_model_library(package: str, name: str) -> None:
    assert loaded_after(f"from {package} import {name}; assert {name}.__name__ == {name!r}") == "[]"
