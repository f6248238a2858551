"""Light imports: no package loads a model library, and `--help` and usage errors load next to nothing."""

import ast
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "diffusers", "transformers", "peft", "accelerate"}
PACKAGES = ["configs", "overlay", "inference", "training", "bot"]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
COMMANDS = sorted(entry.partition(":")[0].removesuffix(".__main__") for entry in SCRIPTS.values())
MEASURING = [
    "benchmarks.banner.gallery",
    "benchmarks.composition",
    "benchmarks.memory.drawing",
    "benchmarks.pipeline",
    "benchmarks.upscale",
    "training.demo.model.upscaler_training",
]
"""Scripts outside the wheel that keep to the same."""
FACES = ["configs", "overlay", "inference", "inference.local", "inference.ray", "inference.replicate", "training"]
LIGHT = {"regex"}  # which of a text's characters the banner's styles are for

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
@pytest.mark.parametrize("command", [*COMMANDS, *MEASURING])
def test_help_and_usage_errors_load_what_the_parser_needs_alone(command: str, option: str) -> None:
    """Python, the standard library and modules of ours: no settings, no pictures, no numbers, no model."""
    code = f"""
import runpy, sys
before = set(sys.modules)
sys.argv = ["{command}", "{option}"]
try:
    runpy.run_module("{command}", run_name="__main__")
except SystemExit as stop:
    assert stop.code == (0 if "{option}" == "--help" else 2), stop.code
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(loaded - sys.stdlib_module_names - set({[*PACKAGES, "benchmarks"]})))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.splitlines()[-1].split()) <= LIGHT


def for_type_checkers(package: str) -> dict[str, str]:
    """The names that the face of `package` imports for type checkers, and the module of each."""
    file = import_module(package).__file__
    assert file
    (guarded,) = (node for node in ast.parse(Path(file).read_text("utf-8")).body if isinstance(node, ast.If))
    imports = [node for node in guarded.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


@pytest.mark.parametrize("package", FACES)
def test_a_face_hands_on_at_run_time_what_type_checkers_see(package: str) -> None:
    face, seen = import_module(package), for_type_checkers(package)
    assert {name: getattr(face, name) for name in seen} == {
        name: getattr(import_module(module), name) for name, module in seen.items()
    }
    assert sorted(face.__all__) == sorted(seen)
    assert set(seen) <= set(dir(face))
    assert set(seen).isdisjoint(module.name for module in iter_modules(face.__path__))
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        _ = face.nothing


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
