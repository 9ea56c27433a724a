"""Modules by their names, found and read without importing them: an import of torch costs seconds."""

from __future__ import annotations

import ast
import sys
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path


@cache
def file_of(module: str) -> Path | None:
    """The source file of a module, or None for what has none (a built-in, an extension, no such module)."""
    path: list[str] | None = None
    spec = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or [])
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


@cache
def is_ours(module: str) -> bool:
    """Whether a module is the project's or the user's own: Python source that is not of an installed package."""
    file = file_of(module)
    if file is None:
        return False
    if module.partition(".")[0] == "cnnatomy":
        return True
    return not any(part in ("site-packages", "dist-packages") for part in file.parts) and not file.is_relative_to(
        Path(sys.base_prefix) / "lib"
    )


@cache
def tree_of(file: Path) -> ast.Module:
    """The syntax tree of a source file. Raises SyntaxError, with the file's name, where it does not parse."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def split_target(target: str) -> tuple[str, str]:
    """Cut `package.module.Name` into the longest module that exists and the rest."""
    module, rest = target, ""
    while module and file_of(module) is None:
        module, _, last = module.rpartition(".")
        rest = f"{last}.{rest}" if rest else last
    return module, rest
