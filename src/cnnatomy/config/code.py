"""Code as a dependency: a digest of all first-party modules that a step can reach, comments and docstrings left out.

Snakemake notices an edited script by its time stamp and an edited import not at all. Here the syntax trees of a module
and of what it imports, however deep, are hashed, so that a change of a dissection redraws its exhibits and a change of
a comment redraws nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from cnnatomy.config import modules, sources

#: What decides which values a step gets and in which process it runs. The values show in the slice; so this code is in
#: no digest.
PLUMBING = ("cnnatomy.config", "cnnatomy.settings", "cnnatomy.steps.job", "cnnatomy.steps.step", "cnnatomy.warm")


def digest(roots: Iterable[str], folders: Iterable[Path] = (), *, shown: bool = True) -> str:
    """SHA-256 over the import closure of `roots` (module names) and all else that lies in `folders` (templates).

    shown: as of `closure`.
    """
    total = hashlib.sha256()
    for module in sorted(closure(roots, shown=shown)):
        total.update(f"{module}\0{_read(module)[1]}\n".encode())
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix not in (".py", ".pyc"):
                total.update(f"{file.name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def closure(roots: Iterable[str], *, shown: bool = True) -> set[str]:
    """The names of all first-party modules that `roots` import, directly or not, at the top or inside a function.

    shown: with the modules `show` that a root or a package names beside what measures, and what only they import.
    """
    seen: set[str] = set()
    roots = [module for module in roots if modules.is_ours(module)]
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        named = {name for name in _read(module)[0] if name not in seen and not _is_plumbing(name)}
        if not shown and (module in roots or _is_package(module)):
            named = {name for name in named if name.rpartition(".")[2] != "show"}
        waiting += named
    _SOURCES.keep()
    return seen


def _is_plumbing(module: str) -> bool:
    return any(module == name or module.startswith(name + ".") for name in PLUMBING)


def _is_package(module: str) -> bool:
    file = modules.file_of(module)
    return file is not None and file.name == "__init__.py"


@cache
def _read(module: str) -> tuple[frozenset[str], str]:
    """First-party modules that a module's source names in an import, and a digest of what it does."""
    file = modules.file_of(module)
    assert file is not None
    names, digest = _SOURCES.of(file)
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    named = {_absolute(name, package) for name in names}
    with_parents = {
        ".".join(parts[: k + 1]) for name in named for parts in [name.split(".")] for k in range(len(parts))
    }
    return frozenset(name for name in with_parents if modules.is_ours(name)), digest


def _absolute(name: str, package: str) -> str:
    """A name in an import as seen from a package: one dot is the package itself, each further one its parent."""
    inner = name.lstrip(".")
    if not (dots := len(name) - len(inner)):
        return name
    parents = package.split(".")
    return ".".join(parents[: len(parents) - dots + 1] + ([inner] if inner else []))


_SOURCES = sources.Sources(sources.place())
