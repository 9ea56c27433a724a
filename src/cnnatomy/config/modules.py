"""Modules by their names, found and read without importing them: an import of torch costs seconds."""

from __future__ import annotations

import ast
import sys
from functools import cache
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec
from pathlib import Path


@cache
def spec_of(module: str) -> ModuleSpec | None:
    """What Python's finders, those of editable installs too, say of a module; None where there is none."""
    path: list[str] | None = None
    spec = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = _found(name, path)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or [])
    return spec


def _found(name: str, path: list[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        if finder in (BuiltinImporter, FrozenImporter) or not hasattr(finder, "find_spec"):
            continue
        try:
            spec = finder.find_spec(name, path)
        except Exception:  # of a finder of someone's, and of names that are none
            continue
        if spec is not None:
            return spec
    # A folder in a folder, without __init__.py: Python's finder wants the outer one imported.
    folders = [str(Path(place) / name.rpartition(".")[2]) for place in path or []]
    if folders := [folder for folder in folders if Path(folder).is_dir()]:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = folders
        return spec
    return None


@cache
def file_of(module: str) -> Path | None:
    """The source file of a module, or None for what has none (a built-in, an extension, no such module)."""
    spec = spec_of(module)
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
    return syntax_tree(file.read_bytes(), file)


def syntax_tree(content: bytes, file: Path) -> ast.Module:
    """The syntax tree of a source file's content, as `tree_of`, but not kept."""
    try:
        return ast.parse(content, filename=str(file))
    except ValueError as error:  # a null byte
        raise SyntaxError(f"{error}", (str(file), 1, None, None)) from error
