"""Checks of the settings of dissections and lessons against the dataclass that each has in its `settings.py`."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from cnnatomy.config import modules, names, types
from cnnatomy.config.errors import ConfigurationError, nearest
from cnnatomy.settings import Length, Limits, OneOf, Within

_ROOMS = {"dissect": "cnnatomy.dissect", "lesson": "cnnatomy.lessons"}
_ELSEWHERE = {("dissect", "evaluation"): "cnnatomy.evaluation"}

#: What settings were called once, with the name that they have.
RENAMED = {"dissect.filter_ablation.budget": "work"}


@cache
def kinds(group: str, name: str) -> dict[str, Any] | None:
    """The keys of a dissection or a lesson of ours, each with its type; None where it has no class of settings.

    The module is loaded without the package that it lies in, which imports torch.
    """
    module = f"{_ELSEWHERE.get((group, name), f'{_ROOMS[group]}.{name}')}.settings"
    if module not in sys.modules:
        file = modules.file_of(module)
        spec = None if file is None else spec_from_file_location(module, file)
        if spec is None or spec.loader is None:
            return None
        sys.modules[module] = loaded = module_from_spec(spec)
        spec.loader.exec_module(loaded)
    return get_type_hints(sys.modules[module].Settings, include_extras=True)


def check(given: Mapping[str, Any], wanted: Mapping[str, Any], written: Mapping[str, Any], path: str) -> None:
    """Check the keys and values of a method or a lesson. Raises ConfigurationError with the key's path.

    wanted: its keys, each with its type. written: what its YAML file has, for examples.
    """
    for key, value in given.items():
        if key not in wanted:
            raise ConfigurationError(f"{path}.{key}: {no_such(f'{path}.{key}', wanted)}")
        if isinstance(value, dict) and get_origin(wanted[key]) is dict:
            types.check(value, written.get(key), f"{path}.{key}")
            check(value, dict.fromkeys(value, get_args(wanted[key])[1]), value, f"{path}.{key}")
        elif not _fits(value, wanted[key]):
            raise ConfigurationError(f"{path}.{key}: {_fault(value, wanted[key], written.get(key))}")
    for key in wanted:
        if key not in given:
            raise ConfigurationError(f"{path}.{key}: is missing; write it")


def annotated(node: ast.expr | None) -> Any:
    """The type that an annotation in a source writes, as far as YAML has it; Any for all else."""
    match node:
        case ast.Name(id=("int" | "float" | "bool" | "str") as name):
            return {"int": int, "float": float, "bool": bool, "str": str}[name]
        case ast.Constant(value=None):
            return NoneType
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            either = (annotated(left), annotated(right))
            return Any if Any in either else Union[either]  # noqa: UP007 - of types that are values here
        case ast.Subscript(value=ast.Name(id=("Sequence" | "list")), slice=inner):
            return list.__class_getitem__(annotated(inner))
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=entries)):
            inside = {annotated(entry) for entry in entries}
            whole = list.__class_getitem__(inside.pop()) if len(inside) == 1 else Any
            return Any if whole is Any else Annotated[whole, Length(len(entries), len(entries))]
    return Any


def fault(value: Any, kind: Any) -> str:
    """What is wrong with a value whose type is right already; empty where nothing is."""
    return "" if _fits(value, kind) else _fault(value, kind, None)


def no_such(path: str, known: Mapping[str, Any]) -> str:
    """What to say of a key that there isn't: what it is called now, or the nearest that there is."""
    if path in RENAMED:
        return f"is called {RENAMED[path]!r} now; write that"
    return f"no such key. {nearest(path.rpartition('.')[2], known)}"


def _fits(value: Any, kind: Any) -> bool:
    base, limits = _apart(kind)
    if members := _members(base):
        return any(_fits(value, member) for member in members)
    if not _is(value, base):
        return False
    if isinstance(value, list):
        most = len(value) if not isinstance(limits, Length) or limits.most is None else limits.most
        enough = not isinstance(limits, Length) or limits.least <= len(value)
        if isinstance(limits, Length) and limits.differ and any(value.count(entry) > 1 for entry in value):
            return False
        inside = get_args(base)  # none where anything may stand
        return enough and len(value) <= most and all(_fits(entry, inside[0]) for entry in value if inside)
    if isinstance(limits, OneOf):
        return value in limits.names
    return not isinstance(limits, Within) or (
        (limits.least is None or value >= limits.least)
        and (limits.above is None or value > limits.above)
        and (limits.most is None or value <= limits.most)
        and (limits.below is None or value < limits.below)
    )


def _is(value: Any, base: Any) -> bool:
    wanted = get_origin(base) or base
    return wanted in (Any, type(value)) or (wanted is float and type(value) is int)


def _fault(value: Any, kind: Any, like: Any) -> str:
    """What is wrong with a value that is."""
    base, limits = _apart(kind)
    if isinstance(limits, OneOf) and isinstance(value, str):
        return f"{value!r} is none of them. {nearest(value, limits.names)}"
    right = [one for one in _members(base) if _is(value, _apart(one)[0])]
    if len(right) == 1 and isinstance(_apart(right[0])[1], Within):
        return _fault(value, right[0], None)
    if _is(value, base) and isinstance(limits, Within):
        if value <= 0 and (limits.least == 1 or limits.above == 0):
            return f"must be greater than zero, not {value}"
        if value < 0 and limits.least == 0:
            return f"must not be negative, not {value}"
    if type(base) is type and not _is(value, base) and like is not None:
        return f"wants {spoken(base)} like {_shown(like)}, not {_shown(value)}"
    numbers = isinstance(value, list) and any(type(entry) is int for entry in value)
    quotes = "; put a name that is a number in quotes" if numbers and "texts" in spoken(kind) else ""
    return f"wants {spoken(kind)}, not {_shown(value)}{quotes}"


def _shown(value: Any) -> str:
    return names.shown(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def spoken(kind: Any) -> str:
    """What a type takes, in words."""
    base, limits = _apart(kind)
    if members := _members(base):
        *others, last = map(spoken, members)
        return f"{', '.join(others)} or {last}"
    if get_origin(base) is list:
        once = ", each once" if isinstance(limits, Length) and limits.differ else ""
        return f"a list of {_many(limits)}{_several(get_args(base)[0])}{once}"
    if get_origin(base) is dict:
        return f"keys, each with {spoken(get_args(base)[1])}"
    if isinstance(limits, OneOf):
        return " or ".join(filter(None, (", ".join(limits.names[:-1]), limits.names[-1])))
    return f"{_SPOKEN[base]}{_ranged(limits)}"


_SPOKEN: dict[Any, str] = {
    int: "a whole number", float: "a number", bool: "true or false", str: "a text", NoneType: "null", Any: "a value",
}  # fmt: skip


def _several(kind: Any) -> str:
    base, limits = _apart(kind)
    if members := _members(base):
        return " or ".join(map(_several, members))
    if get_origin(base) is list:
        return f"lists of {_many(limits)}{_several(get_args(base)[0])}"
    return f"{_SPOKEN[base].removeprefix('a ')}s{_ranged(limits)}"


def _ranged(limits: Limits | None) -> str:
    if not isinstance(limits, Within):
        return ""
    if limits.least is not None and limits.most is not None:
        return f" from {limits.least:g} to {limits.most:g}"
    said = (("≥", limits.least), (">", limits.above), ("≤", limits.most), ("<", limits.below))
    return " and".join(f" {sign} {limit:g}" for sign, limit in said if limit is not None)


def _many(limits: Limits | None) -> str:
    if not isinstance(limits, Length) or (limits.least == 0 and limits.most is None):
        return ""
    return f"{limits.least} " if limits.least == limits.most else f"{limits.least} or more "


def _apart(kind: Any) -> tuple[Any, Limits | None]:
    """A type, and the limits that its values are within."""
    if get_origin(kind) is Annotated:
        base, limits = get_args(kind)
        return base, limits
    return kind, None


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else ()
