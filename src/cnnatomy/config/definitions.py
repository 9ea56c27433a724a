"""What a dotted name means, by the sources: where the class or function is defined, without importing anything.

As Python would, a name is followed through packages that re-export it, star imports, other names for it, partials and
classes. Where a source does not settle it (a module's `__getattr__`, an extension, what a call made), it is `Found`
without a node: that there is no such thing is said only where that is sure.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from cnnatomy.config import modules

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Found:
    """A thing that there is, or may be.

    module: where it is defined, as far as that is known. node: its source; None where that does not show. keywords,
    positional: the arguments that a partial has given already, or that Python does, as the class to a class method.
    sure: whether it is there for certain.
    """

    module: str
    node: Definition | None = None
    keywords: frozenset[str] = frozenset()
    positional: int = 0
    sure: bool = True


@dataclass(frozen=True)
class Module:
    """The name is a module's."""

    name: str


@dataclass(frozen=True)
class Absent:
    """There is no such thing in `within`, a module or a class of it; there are `names`."""

    within: str
    name: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Taken:
    """What `from source import name` gives."""

    source: str
    name: str


@dataclass
class _Bindings:
    """What names a module's source gives a meaning to, and the modules of which it takes all names."""

    names: dict[str, list[ast.AST | _Taken]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    open: bool = False  # whether there may be names that the source does not show


@cache
def resolve(target: str) -> Found | Module | Absent | None:
    """What a dotted name means; None where its first part is no module that can be found.

    Raises SyntaxError where a source on the way does not parse.
    """
    first, *rest = target.split(".")
    if first in sys.builtin_module_names:
        return Found(first)
    if modules.spec_of(first) is None:
        return None
    return _walked(Module(first), rest)


def module_of(target: str) -> str:
    """The longest beginning of a dotted name that is a module, as Python goes through it; empty where none is."""
    parts = target.split(".")
    for end in range(len(parts), 0, -1):
        name = ".".join(parts[:end])
        if modules.spec_of(name) is not None:
            return name
    return ""


def _walked(start: Found | Module, parts: Sequence[str]) -> Found | Module | Absent:
    found: Found | Module | Absent = start
    for place, part in enumerate(parts):
        if isinstance(found, Module):
            found = _in_module(found.name, part, ())
        elif isinstance(found, Found):
            found = _in_class(found, part)
        if isinstance(found, Absent) or (isinstance(found, Found) and found.node is None):
            return replace(found, positional=0) if isinstance(found, Found) and place + 1 < len(parts) else found
    return found


def _in_module(module: str, name: str, seen: tuple[tuple[str, str], ...]) -> Found | Module | Absent:
    """What a name means in a module."""
    if (module, name) in seen:  # a package that takes a module of its own from itself
        is_module = modules.spec_of(f"{module}.{name}") is not None
        return Module(f"{module}.{name}") if is_module else Found(module, sure=False)
    seen = (*seen, (module, name))
    bindings = _bindings(module)
    if bindings is None:
        is_module = modules.spec_of(f"{module}.{name}") is not None
        return Module(f"{module}.{name}") if is_module else Found(module, sure=not _is_namespace(module))
    bound = bindings.names.get(name, [])
    if len(bound) > 1:  # which of them holds is for Python to see; any of them is there
        kinds = [_meant(module, name, node, seen) for node in bound]
        return kinds[0] if all(kind == kinds[0] for kind in kinds) else Found(module)
    if bound:
        return _meant(module, name, bound[0], seen)
    unsure = False
    if not name.startswith("_"):
        for star in bindings.stars:
            found = _in_module(star, name, seen)
            if isinstance(found, Found) and not found.sure:
                unsure = True
            elif not isinstance(found, Absent):
                return found
    if modules.spec_of(f"{module}.{name}") is not None:
        return Module(f"{module}.{name}")
    if unsure or bindings.open:
        return Found(module, sure=False)
    return Absent(module, name, tuple(sorted(names_in(module))))


def names_in(module: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """The public names that a module's source shows."""
    bindings = _bindings(module)
    if bindings is None or module in seen:
        return set()
    names = {name for name in bindings.names if not name.startswith("_")}
    for star in bindings.stars:
        names |= names_in(star, seen | {module})
    return names


def _meant(
    module: str, name: str, node: ast.AST | _Taken, seen: tuple[tuple[str, str], ...]
) -> Found | Module | Absent:
    """What a binding in a module's source gives a name the meaning of."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return Found(module, node)
    if isinstance(node, _Taken):
        if modules.spec_of(node.source) is None:
            return Found(node.source)
        found = _in_module(node.source, node.name, seen)
        return found if not isinstance(found, Absent) else Found(node.source, sure=False)
    if isinstance(node, ast.alias):  # import a.b as c, or import a.b, which is a
        return Module(node.name if node.asname else node.name.partition(".")[0])
    if isinstance(node, ast.Call):
        made = _partial(module, node, seen)
        return made if made is not None else Found(module)
    parts = _dotted(node)
    if parts and parts[0] != name:
        found = _in_module(module, parts[0], seen)
        if not isinstance(found, Absent):
            found = _walked(found, parts[1:])
        return found if not isinstance(found, Absent) else Found(module)
    return Found(module)


def _partial(module: str, call: ast.Call, seen: tuple[tuple[str, str], ...]) -> Found | None:
    """The function that a `functools.partial` is of, with what it is given."""
    parts = _dotted(call.func)
    if not parts or parts[-1] != "partial" or not call.args:
        return None
    inner = _meant(module, "", call.args[0], seen)
    if not isinstance(inner, Found) or any(isinstance(one, ast.Starred) for one in call.args):
        return Found(module)
    if any(keyword.arg is None for keyword in call.keywords):
        return Found(module)
    given = frozenset(keyword.arg for keyword in call.keywords if keyword.arg)
    return replace(inner, keywords=inner.keywords | given, positional=inner.positional + len(call.args) - 1)


def _in_class(found: Found, name: str) -> Found | Absent:
    """What a name means in a class: a class in it, or one of its methods."""
    node = found.node
    if not isinstance(node, ast.ClassDef):
        return Found(found.module)
    inside = [n for n in node.body if isinstance(n, Definition) and n.name == name]
    if len(inside) == 1:
        one = inside[0]
        kinds = {parts[-1] for mark in one.decorator_list if (parts := _dotted(mark))}
        return Found(found.module, one, positional=int("classmethod" in kinds and not isinstance(one, ast.ClassDef)))
    plain = not node.keywords and not node.decorator_list and all(_dotted(base) == ["object"] for base in node.bases)
    assigned = {target.id for n in node.body for target in _targets(n)}
    if inside or not plain or name in assigned:
        return Found(found.module)
    names = {n.name for n in node.body if isinstance(n, Definition)} | assigned
    within = f"{found.module}.{node.name}"
    return Absent(within, name, tuple(sorted(one for one in names if not one.startswith("_"))))


def constructor(found: Found) -> tuple[ast.FunctionDef, int] | None:
    """The function whose arguments a call takes, and how many of them Python gives; None where that is not sure."""
    node, classes = found.node, 0
    while isinstance(node, ast.ClassDef):
        own = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name in ("__init__", "__new__")]
        if node.decorator_list or node.keywords or len(own) > 1 or (own and own[0].name == "__new__"):
            return None  # a dataclass, perhaps, or what is called decides by itself
        if own:
            return own[0], found.positional + 1
        # Inherited, of one base that can be read.
        base = _walked_in(found.module, node.bases[0]) if len(node.bases) == 1 else None
        if not isinstance(base, Found) or not isinstance(base.node, ast.ClassDef) or classes > 20:
            return None
        found, node, classes = replace(base, positional=found.positional), base.node, classes + 1
    if not isinstance(node, ast.FunctionDef):
        return None
    marks = [parts[-1] if (parts := _dotted(mark)) else "" for mark in node.decorator_list]
    return (node, found.positional) if set(marks) <= {"classmethod", "staticmethod"} else None


def _walked_in(module: str, node: ast.AST) -> Found | Module | Absent | None:
    parts = _dotted(node)
    if not parts:
        return None
    found = _in_module(module, parts[0], ())
    return found if isinstance(found, Absent) else _walked(found, parts[1:])


def _dotted(node: ast.AST) -> list[str]:
    """The parts of `a.b.c`; none of any other expression."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute) and (parts := _dotted(node.value)):
        return [*parts, node.attr]
    return []


def _is_namespace(module: str) -> bool:
    spec = modules.spec_of(module)
    return spec is not None and spec.origin is None and spec.submodule_search_locations is not None


@cache
def _bindings(module: str) -> _Bindings | None:
    """The names in a module's source; None where it has none, or none that parses though it is a library's."""
    file = modules.file_of(module)
    if file is None:
        return None
    try:
        tree = modules.tree_of(file)
    except (SyntaxError, OSError):
        if modules.is_ours(module):
            raise
        return None
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found = _Bindings()
    for node in _statements(tree.body):
        for name, bound in _bound(node, package):
            if isinstance(bound, _Taken) and name == "*":
                found.stars.append(bound.source)
            else:
                found.names.setdefault(name, []).append(bound)
    found.open = "__getattr__" in found.names or any(
        isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _MAKE_NAMES
        for node in tree.body
        for call in ast.walk(node)
    )
    return found


_MAKE_NAMES = ("globals", "vars", "locals", "exec", "setattr")


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module that give names, those under an `if`, `try`, `with` or loop too."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if not isinstance(node, Definition):
                yield from _statements(getattr(node, part, []))
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body)


def _bound(node: ast.stmt, package: str) -> Iterator[tuple[str, ast.AST | _Taken]]:
    if isinstance(node, Definition):
        yield node.name, node
    elif isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0], alias
    elif isinstance(node, ast.ImportFrom):
        parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        for alias in node.names:
            source = ".".join([*parents, *([node.module] if node.module else [])])
            yield alias.asname or alias.name, _Taken(source, alias.name)
    else:
        value = getattr(node, "value", None)
        for target in _targets(node):
            plain = isinstance(node, ast.AnnAssign | ast.Assign) and isinstance(value, ast.AST)
            whole = plain and not any(isinstance(one, ast.Tuple | ast.List) for one in getattr(node, "targets", []))
            yield target.id, value if whole and isinstance(value, ast.AST) else target


def _targets(node: ast.stmt) -> list[ast.Name]:
    """The plain names that a statement assigns to."""
    if not isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.With):
        return []
    return [one for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
