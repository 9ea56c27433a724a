"""A network as the Python code that builds it, written from its layers, and run: same weights, same answers."""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree

from cnnatomy.inspection.layers import evaluating

SIDES = {"kernel_size", "stride", "padding", "dilation", "output_padding", "output_size"}  # (3, 3) is written as 3
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
PLAIN = frozenset(vars(nn.Module()))


@dataclass(frozen=True)
class Listing:
    """code: what builds the network, or what torch prints of it. runs: whether the code was run and builds the same.

    difference: how far its outputs are from the network's, at most, with the network's weights; 0 where it doesn't run.
    """

    code: str
    runs: bool
    difference: float = 0.0


class _Unlisted(Exception):
    """Something that can't be written as code."""


def listing(network: nn.Module, x: Tensor) -> Listing:
    """The network's code; x: samples as it takes them, on which it is compared."""
    try:
        code = _Writer(Counter(map(type, network.modules()))).whole(network)
        difference, shape = _tried(code, network, x)
    except Exception:  # a network may be anything, and its own code may fail in any way when it is run elsewhere
        return Listing(repr(network), False)
    kind = "" if x.dtype == torch.float32 else f", dtype={x.dtype}"
    usage = f"x = torch.zeros({_sizes(x)}{kind})\nassert network(x).shape == {tuple(shape)}\n"
    return Listing(f"{code}\n{usage}", True, difference)


def run(code: str, on: str = "cpu") -> nn.Module:
    """The network that such code builds; on `meta` it has shapes and no weights."""
    names: dict[str, Any] = {"__name__": "listing"}
    with torch.random.fork_rng(devices=[]), torch.device(on):
        exec(compile(code, "<listing>", "exec"), names)
    built = names["network"]
    assert isinstance(built, nn.Module)
    return built


def _tried(code: str, network: nn.Module, x: Tensor) -> tuple[float, torch.Size]:
    built = run(code, "meta")
    built.load_state_dict(network.state_dict(), assign=True)
    if sum(map(torch.numel, built.parameters())) != sum(map(torch.numel, network.parameters())):
        raise _Unlisted("parameters are shared")
    with evaluating(network), evaluating(built), torch.no_grad():
        theirs, ours = (_pytree.tree_leaves(one.forward(x)) for one in (network, built))
    tensors = [(one, other) for one, other in zip(theirs, ours, strict=True) if isinstance(one, Tensor)]
    if len(tensors) != 1 or not isinstance(tensors[0][1], Tensor):
        raise _Unlisted("it answers with more than one tensor")
    (one, other) = tensors[0]
    difference = float((one - other).abs().max())
    if not difference <= 1e-5 * max(1.0, float(one.abs().max())):
        raise _Unlisted("the code computes something else")
    return difference, one.shape


@dataclass
class _Writer:
    """Code, put together: imports and constants by name, then classes, then the network.

    counts: how many modules of the network are of a class.
    """

    counts: Counter[type]
    imports: set[str] = field(default_factory=lambda: {"import torch", "from torch import nn"})
    constants: dict[str, str] = field(default_factory=dict)
    classes: dict[str, tuple[type, str]] = field(default_factory=dict)
    helpers: dict[str, str] = field(default_factory=dict)
    reads: dict[type, set[str]] = field(default_factory=dict)

    def whole(self, network: nn.Module) -> str:
        made = self.expression(network)
        parts = ["\n".join(sorted(self.imports, key=lambda line: (line.startswith("from"), line)))]
        if self.constants:
            parts.append("\n".join(f"{name} = {value}" for name, value in self.constants.items()))
        code = "\n\n\n".join(["\n\n".join(parts), *self.helpers.values(), *(text for _, text in self.classes.values())])
        return f"{code}\n\n\nnetwork = {made}\n" if self.classes or self.helpers else f"{code}\n\nnetwork = {made}\n"

    def expression(self, module: nn.Module) -> str:
        """What builds a module."""
        kind = type(module)
        if isinstance(module, CONTAINERS) and _inherits(kind):
            return self._container(module)
        if kind.__module__.startswith("torch.nn.modules"):
            if module._modules:
                raise _Unlisted(f"{kind.__name__} has parts")
            return _leaf(module)
        if kind.__mro__[1] is not nn.Module and any(
            issubclass(kind, getattr(nn, one)) for one in dir(nn) if _layer_class(one)
        ):
            raise _Unlisted(f"{kind.__name__} is a layer of torch's, changed")
        return self._own(module)

    def _container(self, module: nn.Module) -> str:
        numbered = list(module._modules) == [str(place) for place in range(len(module._modules))]
        parts = [(name, self.expression(_there(part))) for name, part in module._modules.items()]
        if isinstance(module, nn.Sequential) and numbered:
            return _call("nn.Sequential", [part for _, part in parts])
        if isinstance(module, nn.ModuleList):
            return _call("nn.ModuleList", [_call("", [part for _, part in parts], "[]")])
        if isinstance(module, nn.ModuleDict) or not all(name.isidentifier() for name, _ in parts):
            inner = _call("", [f"{name!r}: {part}" for name, part in parts], "{}")
        else:
            inner = _call("dict", [f"{name}={part}" for name, part in parts])
        if isinstance(module, nn.ModuleDict):
            return _call("nn.ModuleDict", [inner])
        self.imports.add("from collections import OrderedDict")
        return _call("nn.Sequential", [inner.replace("dict(", "OrderedDict(", 1)])

    def _own(self, module: nn.Module) -> str:
        """A class of the network's own: its methods as they were written, its parts handed to it."""
        kind = type(module)
        name = kind.__name__
        known = self.classes.get(name)
        if known is not None and known[0] is not kind:
            raise _Unlisted(f"two classes are called {name}")
        methods = {} if known else _methods(kind)
        self.classes.setdefault(name, (kind, ""))  # parts may be of the same class
        for function, text in methods.values():
            self._globals(text, inspect.getmodule(function))
        parts = [(one, self.expression(_there(part))) for one, part in module._modules.items() if part is not None]
        parts += [(one, _parameter(value)) for one, value in module._parameters.items() if value is not None]
        if any(value is not None for value in module._buffers.values()):
            raise _Unlisted(f"{name} has buffers")
        read = self.reads.setdefault(kind, set().union(*(_of_self(text) for _, text in methods.values())))
        parts = [(one, _literal(getattr(module, one))) for one in sorted(read) if _is_plain(module, one)] + parts
        once = self.counts[kind] == 1
        if known is None:
            del self.classes[name]  # behind those that it is made of
            self.classes[name] = (kind, _class(name, parts if once else None, [text for _, text in methods.values()]))
        return f"{name}()" if once else _call(name, [f"{one}={part}" for one, part in parts])

    def _globals(self, text: str, scope: ModuleType | None) -> None:
        """Imports and constants for the names that a function of this module uses."""
        for name in sorted(_names(text)):
            if scope is None or not hasattr(scope, name) or hasattr(builtins, name):
                continue
            value = getattr(scope, name)
            own = _package(value) == scope.__name__.partition(".")[0]
            if value is nn or value is torch:
                continue
            if isinstance(value, ModuleType):
                self.imports.add(f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}"))
            elif _is_literal(value):
                self.constants[name] = repr(value)
            elif value is Tensor:
                self.imports.add("from torch import Tensor")
            elif own and isinstance(value, FunctionType):
                if name not in self.helpers:
                    self.helpers[name] = ""  # it may call itself
                    self.helpers[name] = textwrap.dedent(inspect.getsource(value)).rstrip()
                    self._globals(self.helpers[name], inspect.getmodule(value))
            elif not own and hasattr(inspect.getmodule(value), name):
                self.imports.add(f"from {value.__module__} import {name}")
            else:
                raise _Unlisted(f"{name} is not known elsewhere")


def _class(name: str, parts: list[tuple[str, str]] | None, methods: list[str]) -> str:
    """A class with its parts written in it, or, of several modules with parts of their own, given to it."""
    if parts is None:
        start = "def __init__(self, **parts):\n    super().__init__()\n"
        start += "    for name, part in parts.items():\n        setattr(self, name, part)"
    else:
        start = "def __init__(self):\n    super().__init__()"
        start += "".join(textwrap.indent(f"\nself.{one} = {part}", "    ") for one, part in parts)
    body = textwrap.indent("\n\n".join([start, *methods]), "    ")
    return f"class {name}(nn.Module):\n{body}"


def _inherits(kind: type) -> bool:
    """Whether a container computes as torch's does, and adds no method that this would need."""
    base = next(one for one in CONTAINERS if issubclass(kind, one))
    return inspect.getattr_static(kind, "forward") is inspect.getattr_static(base, "forward")


def _layer_class(name: str) -> bool:
    value = getattr(nn, name)
    return isinstance(value, type) and issubclass(value, nn.Module) and value is not nn.Module


def _there(part: nn.Module | None) -> nn.Module:
    if part is None:
        raise _Unlisted("a part is missing")
    return part


def _package(value: Any) -> str:
    return str(getattr(value, "__module__", "")).partition(".")[0]


def _methods(kind: type) -> dict[str, tuple[FunctionType, str]]:
    """`forward` and what it calls of its own class, with their source, by name."""
    found: dict[str, tuple[FunctionType, str]] = {}
    wanted = ["forward"]
    while wanted:
        name = wanted.pop()
        owner = next((one for one in kind.__mro__ if name in vars(one)), None)
        if owner is None or owner.__module__.startswith("torch.") or name in found:
            continue
        value = vars(owner)[name]
        function: Callable[..., Any] | None = value.fget if isinstance(value, property) else value
        function = getattr(function, "__func__", function)
        if not isinstance(function, FunctionType):
            continue
        text = textwrap.dedent(inspect.getsource(function)).rstrip()
        if "super()" in text or function.__closure__:
            raise _Unlisted(f"{name} needs more than its own class")
        found[name] = function, text
        wanted += sorted(_of_self(text))
    if "forward" not in found:
        raise _Unlisted(f"{kind.__name__} has no forward of its own")
    return found


def _nodes(text: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(text))


def _of_self(text: str) -> set[str]:
    """What a method reads of its object."""
    return {
        node.attr
        for node in _nodes(text)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }


def _names(text: str) -> set[str]:
    return {node.id for node in _nodes(text) if isinstance(node, ast.Name)}


def _is_plain(module: nn.Module, name: str) -> bool:
    """Whether it is a value, no part, no method."""
    if name in module._modules or name in module._parameters or name in PLAIN:
        return False
    return not (hasattr(type(module), name) and not _is_literal(getattr(type(module), name))) and hasattr(module, name)


def _is_literal(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False


def _literal(value: Any) -> str:
    if not _is_literal(value):
        raise _Unlisted(f"{value!r} is no plain value")
    return repr(value)


def _parameter(value: nn.Parameter) -> str:
    return f"nn.Parameter(torch.zeros({_sizes(value) or '()'}))"


def _sizes(value: Tensor) -> str:
    return ", ".join(map(str, value.shape))


def _leaf(module: nn.Module) -> str:
    """A layer of torch's, from how it prints itself: what is as usual left out."""
    name = type(module).__name__
    call = ast.parse(repr(module), mode="eval").body
    if not isinstance(call, ast.Call) or getattr(nn, name, None) is not type(module):
        raise _Unlisted(f"{name} prints itself otherwise")
    known = list(inspect.signature(type(module).__init__).parameters.values())[1:]
    given = {known[place].name: _value(part) for place, part in enumerate(call.args)}
    given |= {str(keyword.arg): _value(keyword.value) for keyword in call.keywords}
    square = name.endswith(("1d", "2d", "3d"))
    texts: list[str] = []
    in_order = True
    for place, parameter in enumerate(known):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            in_order = False
            continue
        if parameter.name not in given:
            in_order = False
            continue
        value = given.pop(parameter.name)
        if square and parameter.name in SIDES and isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]
        usual = parameter.default is not parameter.empty and (
            value == parameter.default or ("Pool" in name and parameter.name == "stride" and f"{value}" == texts[0])
        )
        if usual:
            in_order = False
            continue
        needed = parameter.default is parameter.empty or place == 0
        texts.append(repr(value) if in_order and needed else f"{parameter.name}={value!r}")
    if any(name not in ("inplace",) for name in given) and not any(one.kind == one.VAR_POSITIONAL for one in known):
        raise _Unlisted(f"{name} prints what it doesn't take")
    if any(one.kind == one.VAR_POSITIONAL for one in known):  # a recurrent layer takes what its kind takes
        texts = [repr(_value(part)) for part in call.args]
        texts += [f"{keyword.arg}={_value(keyword.value)!r}" for keyword in call.keywords]
    return f"nn.{name}({', '.join(texts)})"


def _value(node: ast.expr) -> Any:
    """What stands for an argument; a bare word is a string."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def _call(name: str, parts: list[str], brackets: str = "()") -> str:
    """On one line where that is short."""
    whole = f"{name}{brackets[0]}{', '.join(parts)}{brackets[1]}"
    if len(whole) <= 80 and "\n" not in whole and len(parts) < 4:
        return whole
    inner = textwrap.indent(",\n".join(parts), "    ")
    return f"{name}{brackets[0]}\n{inner},\n{brackets[1]}"
