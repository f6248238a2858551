"""The house keeps its rooms: sizes of folders and modules, no circle, model libraries where a model runs.

Which room may import which is import-linter's to check (`make check`, pyproject.toml).
"""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("configs", "overlay", "inference", "training", "bot")
MOST_MODULES, MOST_LINES = 16, 300

HEAVY = {"torch", "diffusers", "transformers", "peft", "accelerate"}
RUNS_MODELS = (
    "inference/local/*",
    "inference/lora/merge.py",
    "inference/lora/parts.py",
    "inference/lora/weights.py",
    "inference/models/*",
    "inference/translation/marian.py",
    "inference/wrappers/filtering.py",
    "inference/upscale/*",
    "training/local/*",
    "training/local/*/*",
    "training/dataset/captioner.py",
    "training/embedding.py",
    "training/evaluation/scorers.py",
    "training/demo/*",
    "training/demo/model/*",
    "training/demo/model/upscaler_training/fitting.py",
)
LOADS_AT_ONCE = (
    "inference/local/modulation.py",
    "inference/models/family.py",
    "inference/models/flux1.py",
    "inference/models/flux2.py",
    "inference/upscale/network.py",
    "inference/upscale/network.py",
    "training/local/*",
    "training/local/*/*",
    "training/demo/*",
    "training/demo/model/*",
    "training/demo/model/upscaler_training/fitting.py",
)
"""Files that may import a model library at their top: they are themselves imported only where a model runs."""

COMMAND_LINES = {
    "inference.render": (),
    "inference.sheet": (),
    "inference.fetch": (),
    "training.run": (),
    "training.evaluate": (),
    "training.dataset.__main__": (),
    "bot.__main__": (),
    "bot.app": ("bot.__main__",),
}
"""Each command line, and who may import it."""


@cache
def modules() -> dict[str, Path]:
    files = chain.from_iterable((ROOT / package).rglob("*.py") for package in PACKAGES)
    named = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files}
    return {name.removesuffix(".__init__"): file for name, file in named.items()}


def statements(body: list[ast.stmt], *, at_once: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports in `body` that run; with `at_once` only those that run when the module is imported."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from statements(node.orelse, at_once=at_once)
        elif not (at_once and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            for part in ("body", "orelse", "handlers", "finalbody", "cases"):
                yield from statements(getattr(node, part, []), at_once=at_once)


@cache
def imports(name: str, *, at_once: bool) -> frozenset[str]:
    """What `name` imports: modules of ours by their full names, others by their first."""
    found: set[str] = set()
    for node in statements(ast.parse(modules()[name].read_text("utf-8")).body, at_once=at_once):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        else:
            assert node.level == 0, f"{name}: imports are absolute"
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {part if part in modules() else str(node.module) for part in parts}
    return frozenset(each if each in modules() else each.split(".")[0] for each in found)


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(modules()[name].relative_to(ROOT).match(pattern) for pattern in patterns)


def class_names() -> Counter[str]:
    """In how many modules each public class name is defined."""
    trees = (ast.parse(file.read_text("utf-8")) for file in modules().values())
    defined = ({node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)} for tree in trees)
    return Counter(name for names in defined for name in names if not name.startswith("_"))


def folders() -> list[Path]:
    roots = [ROOT / name for name in (*PACKAGES, "benchmarks", "tests")]
    found = chain(roots, *(root.rglob("*/") for root in roots))
    return [folder for folder in found if folder.name != "__pycache__"]


def test_no_folder_holds_more_modules_than_one_takes_in() -> None:
    counts = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders()}
    assert {name: count for name, count in counts.items() if count > MOST_MODULES} == {}


def test_no_module_is_longer_than_one_reads() -> None:
    files = chain.from_iterable(folder.glob("*.py") for folder in folders())
    lines = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in files}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {name: {each for each in imports(name, at_once=True) if each in modules()} for name in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_class_name_has_two_meanings() -> None:
    assert {name for name, count in class_names().items() if count > 1} == set()


def test_model_libraries_are_imported_only_where_a_model_runs() -> None:
    assert [name for name in modules() if HEAVY & imports(name, at_once=False) and not matches(name, RUNS_MODELS)] == []


def test_model_libraries_are_imported_inside_functions() -> None:
    assert [
        name for name in modules() if HEAVY & imports(name, at_once=True) and not matches(name, LOADS_AT_ONCE)
    ] == []


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_nobody_imports_a_command_line(command: str) -> None:
    assert command in modules()
    assert {name for name in modules() if command in imports(name, at_once=False)} <= set(COMMAND_LINES[command])


def test_telegram_and_the_bot_stay_in_the_bot() -> None:
    outside = [name for name in modules() if name.split(".")[0] != "bot"]
    taken = {name: imports(name, at_once=False) for name in outside}
    assert [name for name in outside if any(each.split(".")[0] in ("telegram", "bot") for each in taken[name])] == []
