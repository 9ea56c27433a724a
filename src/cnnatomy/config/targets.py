"""Checks of a `_target_` and its keys against the signature that its source shows, without importing it."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from cnnatomy.config import definitions, folders, modules, settings
from cnnatomy.config.definitions import Absent, Found, Module
from cnnatomy.config.errors import ConfigurationError, nearest

#: What may be called unasked: it computes. The rest of torch loads programs too, and the rest of ours runs them.
_CALLED = (
    "torch.nn", "torch.optim", "torchvision.models", "torchvision.ops", "torchvision.transforms", "cnnatomy.data",
    "cnnatomy.dissect", "cnnatomy.evaluation", "cnnatomy.lessons", "cnnatomy.models", "cnnatomy.studies",
)  # fmt: skip

_LOOKED_THROUGH = ("torch", "torchvision", "cnnatomy")  # of whose names it is asked where they are from


def names_in(node: Any) -> Iterator[str]:
    """Every `_target_` in a configuration node, however deep."""
    for _, target in _within(node, ""):
        yield target


def _within(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every `_target_` in a configuration node, however deep, with the key where it stands."""
    if isinstance(node, Mapping):
        if isinstance(node.get("_target_"), str):
            yield f"{path}._target_".lstrip("."), node["_target_"]
        for key, value in node.items():
            yield from _within(value, f"{path}.{key}".lstrip("."))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _within(value, f"{path}.{place}")


def check_allowed(config: Mapping[str, Any]) -> None:
    """Refuse a `_target_` that is neither of torch's networks, torchvision's, the project's nor the user's own modules.

    A configuration of someone else's may name any function of any library, such as `os.system`. What it names beyond is
    called only where the top-level key `allow` has it, or what it lies in. Raises ConfigurationError.
    """
    allowed = config.get("allow") or []
    if not isinstance(allowed, list) or not all(isinstance(one, str) and one for one in allowed):
        raise ConfigurationError(f"allow: wants a list of modules, such as allow: [timm], not {allowed!r}")
    for path, target in _within({key: config[key] for key in config if key not in ("hydra", "allow")}, ""):
        meant = _defined_in(target)
        if meant is None:
            continue  # there is no such module, which is said where the target is looked for
        if not any(_is_of(meant, one) or _is_of(target, one) for one in allowed) and not _is_own(target, meant):
            first = target.partition(".")[0]
            elsewhere = first in _LOOKED_THROUGH or _through(target) is not None
            more = f", which is {meant}," if elsewhere and meant != target else ""
            line = (meant.rpartition(".")[0] or meant) if elsewhere else first
            raise ConfigurationError(
                f"{path}: {target}{more} is of neither torch.nn, torchvision.models, cnnatomy nor a module of yours, "
                f"and is not called unasked. If you mean it, and trust it: allow: [{line}] in the run's YAML file, at "
                "its top level"
            )


def _is_own(target: str, meant: str) -> bool:
    if all(any(_is_of(name, one) for one in _CALLED) for name in (target, meant)):
        return True
    return not any(_is_of(name, "cnnatomy") for name in (target, meant)) and any(
        modules.is_ours(one) for one in _modules_of(meant)
    )


def _modules_of(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]


def _is_of(name: str, within: str) -> bool:
    return name == within or name.startswith(f"{within}.")


def _defined_in(target: str) -> str | None:
    """Where a target leads to: its own name, or the one under which another module defines it.

    What a module of the user's own imports is his own; a module that is reached through another is itself. None where
    there is no such module.
    """
    try:
        found = definitions.resolve(target)
    except (SyntaxError, OSError):
        return target
    if found is None:
        return None
    if isinstance(found, Module):
        return found.name
    if isinstance(found, Found) and found.module:
        through = _through(target)
        if through is not None:
            looked_through = through != target and through.partition(".")[0] in _LOOKED_THROUGH
            return _defined_in(through) if looked_through else through
        if not (modules.is_ours(target.partition(".")[0]) or modules.spec_of(target.partition(".")[0]) is None):
            return f"{found.module}.{target.rpartition('.')[2]}"
        if _is_of(target, "cnnatomy"):
            return f"{found.module}.{target.rpartition('.')[2]}"
    return target


def _through(target: str) -> str | None:
    """The name of what is reached through a module that another has imported, as in `nets.os.system`."""
    parts = target.split(".")
    for end in range(2, len(parts)):
        head = ".".join(parts[:end])
        found = definitions.resolve(head)
        if isinstance(found, Module) and found.name != head:
            return ".".join([found.name, *parts[end:]])
        # What is no class and of another's module may be a module: which, its source does not settle.
        if isinstance(found, Found) and found.node is None and not modules.is_ours(found.module):
            return ".".join([found.module, *parts[end - 1 :]])
    return None


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
    called = definitions.constructor(found)
    if called is None or not modules.is_ours(found.module):
        return
    takes, needs, takes_any = _arguments(*called)
    for key in node:
        if key.startswith("_") or key in takes or takes_any:
            continue
        inside = [f"{path}.{outer}.{key}" for outer in node if isinstance(node[outer], Mapping) and key in node[outer]]
        hint = (
            f"Did you mean {inside[0]!r}?"
            if inside
            else nearest(key, takes if path == "model" else set(takes) - set(given_later))
        )
        raise ConfigurationError(f"{path}.{key}: {target} takes no such argument. {hint}")
    missing = needs - set(node) - set(given_later) - found.keywords - set(takes[: found.positional])
    if missing:
        raise ConfigurationError(f"{path}: {target} also needs {', '.join(sorted(missing))}")


def kinds(target: str) -> dict[str, Any]:
    """What the arguments of a function or class of ours take, as far as its annotations say it in words of YAML."""
    found = definitions.resolve(target)
    called = definitions.constructor(found) if isinstance(found, Found) and modules.is_ours(found.module) else None
    every = [] if called is None else [*called[0].args.args, *called[0].args.kwonlyargs]
    return {one.arg: settings.annotated(one.annotation) for one in every}


def of_several_types(node: Mapping[str, Any], path: str) -> set[str]:
    """The keys of a node that its `_target_` takes in several forms, such as a side or height and width.

    Of these the value in a YAML file does not say what else may stand there. Raises ConfigurationError, see
    `definition`.
    """
    found = definition(str(node["_target_"]), path) if "_target_" in node else None
    called = None if found is None else definitions.constructor(found)
    if called is None:
        return set()
    spec = called[0].args
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    nothing = [one for one, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if _is_none(default)]
    return {one.arg for one in every if isinstance(one.annotation, ast.BinOp)} | {one.arg for one in nothing}


def _is_none(default: ast.expr | None) -> bool:
    return isinstance(default, ast.Constant) and default.value is None


def definition(target: str, path: str) -> Found | None:
    """Where a target is defined, by the sources; None where they don't settle it.

    Raises ConfigurationError where there is no such module, or for certain nothing of that name in it.
    """
    where = f"{path}._target_: "
    if "." not in target.strip(".") or not re.fullmatch(r"\w+(\.\w+)+", target) or target.endswith(".py"):
        raise ConfigurationError(f"{where}{target!r} is no module and a name in it; write it as in nets.Net")
    try:
        found = definitions.resolve(target)
    except SyntaxError as error:
        raise ConfigurationError(f"{where}{error.filename}, line {error.lineno}: {error.msg}") from error
    except OSError as error:
        raise ConfigurationError(f"{where}{error.filename} can't be read: {error.strerror}") from error
    if found is None:
        first = target.partition(".")[0]
        near = nearest(first, names) if (names := _own_modules()) else ""
        raise ConfigurationError(
            f"{where}no module of the name {target!r} is on Python's path. {near}".rstrip()
            + (" " if near else " ")
            + f"The folder that holds {first}.py belongs on it: export PYTHONPATH=<folder>; a library is installed "
            f"first: {sys.executable} -m pip install {first}"
        )
    if isinstance(found, Module):
        names = definitions.names_in(found.name)
        hint = f" {nearest(target.rpartition('.')[2], names)}" if names else ""
        raise ConfigurationError(f"{where}{found.name} is a module; name the class or the function in it.{hint}")
    if isinstance(found, Absent) or not found.sure:
        if not modules.is_ours(definitions.module_of(target)):
            found = _looked_up(target)
        if isinstance(found, Absent):
            hint = nearest(found.name, found.names) if found.names else "It defines nothing."
            raise ConfigurationError(f"{where}{found.within} has no {found.name!r}. {hint}")
    return found if found is not None and found.node is not None else None


def _looked_up(target: str) -> Absent | None:
    """What is not in a library. It is imported, which may take seconds, only to be sure of that."""
    name = definitions.module_of(target)
    try:
        here: Any = import_module(name)
        for part in target[len(name) + 1 :].split("."):
            if not hasattr(here, part):
                return Absent(name, part, tuple(one for one in dir(here) if not one.startswith("_")))
            here, name = getattr(here, part), f"{name}.{part}"
    except Exception:  # of whatever the library does when it is imported; the step will say it
        pass
    return None


def _own_modules() -> set[str]:
    """Names of the modules in the user's folders: those of PYTHONPATH, and the one beside his configuration."""
    own = folders.users()
    places = [Path(place) for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    names = set()
    for place in [*places, *([own.parent] if own else [])]:
        names |= {file.stem for file in place.glob("*.py")} | {file.parent.name for file in place.glob("*/__init__.py")}
    return {name for name in names if name.isidentifier()}


def _arguments(function: ast.FunctionDef, given: int) -> tuple[list[str], set[str], bool]:
    """Arguments taken, in order, arguments needed, and whether any keyword goes; without the first `given`."""
    spec = function.args
    positional = [a.arg for a in spec.posonlyargs + spec.args]
    optional = set(positional[len(positional) - len(spec.defaults) :] if spec.defaults else [])
    keyword = [a.arg for a in spec.kwonlyargs]
    optional |= {a for a, default in zip(keyword, spec.kw_defaults, strict=True) if default is not None}
    takes = [*positional[given:], *keyword]
    return takes, set(takes) - optional, spec.kwarg is not None
