"""The rules of `docs/architecture.md`: who may import whom, and who may pay for which library."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cnnatomy.config import code
from tests.conftest import LONGEST_FIRST, PROJECT

SOURCE = Path(__file__).resolve().parents[2] / "src" / "cnnatomy"
CHINESE = re.compile("[\u3400-\u9fff]")

#: A room and the rooms of ours that it may import.
MAY_IMPORT = {
    "config": {"data", "settings"},
    "settings": set(),
    "data": set(),
    "watching": set(),
    "models": {"watching"},
    "exhibit": set(),
    "statistics": {"exhibit"},
    "drawing": {"data", "exhibit"},
    "report": {"exhibit", "statistics"},
    "compare": {"report"},
    "training": {"data", "models"},
    "inspection": {"data", "exhibit", "drawing", "watching"},
    "evaluation": {"data", "models", "exhibit", "statistics", "drawing", "inspection", "settings"},
    "dissect": {"data", "models", "exhibit", "statistics", "drawing", "inspection", "settings"},
    "lessons": {"data", "models", "exhibit", "statistics", "drawing", "inspection", "settings"},
    "studies": {"data", "models", "exhibit", "statistics", "drawing", "inspection", "evaluation"},
    "launch": {"config", "locks", "places", "shadows"},
    "shadows": set(),
    "locks": set(),
    "places": set(),
    "warm": set(),
    "scaffold": {"config", "data"},
    "cli": {"config", "scaffold", "compare", "places", "shadows"},
    "__main__": {"cli"},
    "notebook": {"config", "data", "models", "exhibit", "report", "evaluation", "dissect"},
    "progress": {"steps"},
    "steps": {
        "config",
        "data",
        "models",
        "exhibit",
        "report",
        "training",
        "evaluation",
        "dissect",
        "inspection",
        "lessons",
        "studies",
        "warm",
        "locks",
    },
}


def imports() -> list[tuple[str, str, bool]]:
    """(file's room, imported module, whether at the top level) of every import in the package."""
    found = []
    for file in SOURCE.rglob("*.py"):
        room = file.relative_to(SOURCE).parts[0].removesuffix(".py")
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            top = node in tree.body
            if isinstance(node, ast.Import):
                found += [(room, alias.name, top) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}: relative import"
                found += [(room, f"{node.module}.{alias.name}", top) for alias in node.names]
    return found


def test_rooms_import_only_the_rooms_they_may():
    broken = {
        f"{room} imports {module}"
        for room, module, _ in imports()
        if module.startswith("cnnatomy.")
        and room != "__init__"
        and module.split(".")[1] != room
        and module.split(".")[1] not in MAY_IMPORT[room]
    }
    assert not broken


def test_only_training_imports_lightning():
    libraries = ("pytorch_lightning", "lightning", "lightning_fabric")
    rooms = {room for room, module, _ in imports() if module.split(".")[0] in libraries}
    assert rooms == {"training"}


def test_steps_import_nothing_heavy_at_the_top():
    helpers = {
        "datasets",
        "networks",
        "publish",
        "missing",
        "training",
        "trial",
        "measures",
        "measured",
    }  # imported late, by the steps that need them
    heavy = {
        f"{file.name} imports {module}"
        for file in (SOURCE / "steps").glob("*.py")
        if file.stem not in helpers
        for node in ast.parse(file.read_text()).body
        for module in _named(node)
        if module.split(".")[0] not in sys.stdlib_module_names
        and not module.startswith(("cnnatomy.steps", "cnnatomy.config", "cnnatomy.warm"))
    }
    assert not heavy


def _named(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("cnnatomy.config.plan", ("torch", "numpy", "pandas", "matplotlib")),
        ("cnnatomy.steps.dissect", ("yaml", "hydra", "omegaconf", "cnnatomy.steps.job")),  # each job pays for it
        ("cnnatomy.steps.job", ("torch", "numpy", "pandas", "matplotlib")),
        ("cnnatomy.report", ("torch", "matplotlib", "pytorch_lightning", "torchvision")),
        ("cnnatomy.exhibit", ("torch", "matplotlib", "pytorch_lightning")),
        ("cnnatomy.data.prepared", ("torch", "pandas", "torchvision")),
        ("cnnatomy.dissect.kernels", ("pytorch_lightning", "torchvision")),
        ("cnnatomy.evaluation", ("pytorch_lightning", "torchvision")),
        ("cnnatomy.models", ("pytorch_lightning", "torchvision")),
    ],
)
def test_a_light_module_stays_light(module, unwanted):
    program = f"import sys, {module}; print([name for name in {unwanted!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_tests_that_are_begun_first_are_there():
    assert all((PROJECT / name).exists() for name in LONGEST_FIRST)


def parts(name: str) -> list[Path]:
    """The modules of methods and lessons that measure, or that show."""
    return [file for room in ("dissect", "lessons") for file in sorted((SOURCE / room).glob(f"*/{name}.py"))]


def named_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {module for node in ast.walk(tree) if isinstance(node, ast.stmt) for module in _named(node)}


@pytest.mark.parametrize("file", parts("measure"), ids=lambda file: file.parent.name)
def test_what_measures_draws_nothing(file):
    unwanted = ("pandas", "matplotlib", "cnnatomy.drawing.plotting", "cnnatomy.drawing.pictures", "cnnatomy.report")
    assert not {module for module in named_in(file) if module.startswith(unwanted)}


def test_what_is_measured_is_not_measured_again_for_a_change_of_what_shows():
    roots = [("samples", "cnnatomy.dissect.samples"), ("evaluate", "cnnatomy.evaluation")]
    for step, room in (("dissect", "dissect"), ("lesson", "lessons")):
        roots += [(step, f"cnnatomy.{room}.{file.parent.name}") for file in (SOURCE / room).glob("*/show.py")]
    for step, root in roots:
        read = code.closure([f"cnnatomy.steps.{step}", root], shown=False)
        assert f"{root}.measure" in read
        assert not {name for name in read if name.endswith(".show")}


@pytest.mark.parametrize("file", [*parts("show"), SOURCE / "evaluation" / "show.py"], ids=lambda file: file.parent.name)
def test_what_shows_runs_no_network(file):
    assert not {module for module in named_in(file) if module.split(".")[0] in ("torch", "torchvision")}
    tree = ast.parse(file.read_text(encoding="utf-8"))
    given = {
        one.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for one in [*node.args.args, *node.args.kwonlyargs]
    }
    assert not given & {"network", "networks", "others"}


def test_what_readers_are_told_stands_in_the_locale():
    """Chinese in code is what data may be called by, consist of or say."""
    told = set()
    for file in sorted(set(SOURCE.rglob("*.py")) - set((SOURCE / "data").glob("*.py"))):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        written = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        told |= {
            file.relative_to(SOURCE).as_posix()
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in written
            if CHINESE.search(node.value)
        }
    assert not told
