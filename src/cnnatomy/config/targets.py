"""Checks of a `_target_` and its keys against the signature that its source shows, without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

from cnnatomy.config import modules
from cnnatomy.config.errors import ConfigurationError, nearest


def names_in(node: Any) -> Iterator[str]:
    """Every `_target_` in a configuration node, however deep."""
    if isinstance(node, dict):
        if isinstance(node.get("_target_"), str):
            yield node["_target_"]
        for value in node.values():
            yield from names_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from names_in(value)


def check(node: dict[str, Any], path: str, given_later: Iterable[str] = ()) -> None:
    """Check that a node's `_target_` exists and takes the node's keys.

    `given_later` are arguments that the program hands over itself (the data's shape, a folder). What is not first-party
    Python source (a class of torchvision, say) is only checked for existence. Raises ConfigurationError.
    """
    target = node.get("_target_")
    if target is None:
        raise ConfigurationError(
            f"{path}._target_: missing; name a class or a function, such as cnnatomy.models.lecture.Lecture"
        )
    found = definition(str(target), path)
    if found is None:
        return
    arguments = _arguments(found)
    if arguments is None:
        return
    takes, needs, takes_any = arguments
    for key in node:
        if key.startswith("_") or key in takes or takes_any:
            continue
        raise ConfigurationError(f"{path}.{key}: {target} takes no such argument. {nearest(key, takes)}")
    missing = needs - set(node) - set(given_later)
    if missing:
        raise ConfigurationError(f"{path}: {target} also needs {', '.join(sorted(missing))}")


def definition(target: str, path: str) -> ast.ClassDef | ast.FunctionDef | None:
    """Where a target is defined, by its source; None where it is not first-party Python source.

    Raises ConfigurationError where there is no such module, or nothing of that name in it.
    """
    module, rest = modules.split_target(target)
    if not module or not rest:
        raise ConfigurationError(f"{path}._target_: no module of the name {target!r} is on Python's path")
    if not modules.is_ours(module):
        if not _offers(module, rest):
            raise ConfigurationError(f"{path}._target_: {module} has no {rest!r}. {nearest(rest, _names(module))}")
        return None
    file = modules.file_of(module)
    assert file is not None
    found = _definition(modules.tree_of(file), rest)
    if found is None:
        defined = [n.name for n in modules.tree_of(file).body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
        raise ConfigurationError(f"{path}._target_: {module} has no {rest!r}. {nearest(rest, defined)}")
    return found


def _offers(module: str, rest: str) -> bool:
    """Whether a library's module has such a thing. It is imported, which may take seconds, only to be sure that not."""
    if rest.partition(".")[0] in _names(module):
        return True
    try:
        return hasattr(import_module(module), rest.partition(".")[0])
    except Exception:  # of whatever the library does when it is imported; the step will say it
        return True


@cache
def _names(module: str) -> frozenset[str]:
    """What a module's source defines or imports at its top level, star imports followed; never more than there is."""
    file = modules.file_of(module)
    if file is None:
        return frozenset()
    names: set[str] = set()
    for node in modules.tree_of(file).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            package = module if file.name == "__init__.py" else module.rpartition(".")[0]
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:
                found = _names(source) if alias.name == "*" and source != module else {alias.asname or alias.name}
                names |= {name for name in found if not (alias.name == "*" and name.startswith("_"))}
    return frozenset(names)


def _definition(tree: ast.Module, name: str) -> ast.ClassDef | ast.FunctionDef | None:
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node
    return None


def _arguments(node: ast.ClassDef | ast.FunctionDef) -> tuple[set[str], set[str], bool] | None:
    """Arguments taken, arguments needed, and whether any keyword goes; None where the source does not show it."""
    function: ast.FunctionDef | None
    if isinstance(node, ast.ClassDef):
        function = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
        if function is None:
            return None  # inherited, or a dataclass
    else:
        function = node
    spec = function.args
    positional = [a.arg for a in spec.posonlyargs + spec.args if a.arg != "self"]
    with_default = positional[len(positional) - len(spec.defaults) :] if spec.defaults else []
    keyword = [a.arg for a in spec.kwonlyargs]
    optional = {a for a, default in zip(keyword, spec.kw_defaults, strict=True) if default is not None} | set(
        with_default
    )
    takes = set(positional) | set(keyword)
    return takes, takes - optional, spec.kwarg is not None
