"""A graph of torch's operators as the steps of a program that the page runs on one sample.

Shapes and axes are those of one sample, without the batch. What each operation does: `report/templates/live_engine.js`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx

from cnnatomy.dissect.live.tracing import PASSED, Graph, InTheWay, Shape, arguments, operation, shape_of, where

INPUT = "input"

#: What is worked out number by number, without any setting.
PLAIN = frozenset(
    {
        *("relu", "relu6", "selu", "silu", "mish", "hardswish", "hardsigmoid", "sigmoid", "tanh", "exp", "log", "sqrt"),
        *("rsqrt", "abs", "neg", "square", "softsign", "reciprocal"),
    }
)
RESHAPED = frozenset(
    {"flatten", "unflatten", "view", "reshape", "_unsafe_view", "squeeze", "unsqueeze", "squeeze_copy"}
)
#: Layers that are no picture of anything by themselves, by their operation.
UNSEEN = frozenset({"reshape", "permute", "pad", "slice", "take", "constant", "compare", "fill"})


@dataclass(frozen=True)
class Step:
    """One operation: what it is called, what it is made of (names of steps), its shape, settings, names of weights."""

    op: str
    name: str
    made_of: tuple[str, ...]
    shape: Shape
    given: dict[str, Any] = field(default_factory=dict)
    weights: tuple[str, ...] = ()


@dataclass
class Program:
    """Steps in their order, the last of which gives the logits, and the weights by name.

    shown: the names of the steps whose numbers are worth a look.
    """

    steps: list[Step] = field(default_factory=list)
    weights: dict[str, Tensor] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)


@dataclass
class Translation:
    """A program in the making. `op`, `made_of`, `given` of the node at hand are what a translating function says."""

    graph: Graph
    program: Program = field(default_factory=Program)
    steps: dict[fx.Node, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=lambda: {INPUT})

    def __post_init__(self) -> None:
        self.taken |= set(self.graph.names.values())  # a function is not called as a layer

    def weight(self, node: Any, name: str = "") -> str:
        """The name under which a constant is kept. Raises InTheWay for what is none, or no tensor."""
        value = self.graph.constants.get(node)
        if not isinstance(value, Tensor):
            raise InTheWay(operation(node) if isinstance(node, fx.Node) else "…")
        return self.keep(self.graph.origins.get(node, name or node.name), value)

    def keep(self, name: str, value: Tensor) -> str:
        self.program.weights[name] = value.detach().float()
        return name

    def source(self, node: fx.Node, rank: int) -> str:
        """The step that gives a node's numbers; that of a constant is made here. rank: of the operation's output."""
        if node not in self.graph.constants:
            shape = shape_of(node)
            if len(shape) != rank:
                raise InTheWay(f"broadcasting {shape}")
            return self.steps[node]
        value = self.graph.constants[node]
        if not isinstance(value, Tensor):
            raise InTheWay(operation(node))
        if value.dim() == rank + 1:  # with a place for the batch
            if len(value) > 1 and not bool((value == value[:1]).all()):
                raise InTheWay(f"broadcasting {tuple(value.shape)}")
            value = value[0]
        name = self.name(node.name)
        kept = self.keep(self.graph.origins.get(node, f"{name}.values"), value)
        self.program.steps.append(Step("constant", name, (), tuple(value.shape), {}, (kept,)))
        return name

    def name(self, wanted: str) -> str:
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    def add(
        self, node: fx.Node, op: str, made_of: Sequence[str], given: dict[str, Any], weights: Sequence[str] = ()
    ) -> None:
        layer = self.graph.names.get(node)
        name = layer if layer and layer != INPUT else self.name(node.name)
        self.steps[node] = name
        self.program.steps.append(Step(op, name, tuple(made_of), shape_of(node), given, tuple(weights)))
        if layer and op not in UNSEEN:
            self.program.shown.append(name)


Translate = Callable[[Translation, fx.Node, dict[str, Any]], None]


def program_of(graph: Graph) -> Program:
    """The graph's program. Raises InTheWay for an operation that the page has not."""
    made = Translation(graph)
    made.steps[graph.input] = INPUT
    for node in graph.nodes[1:]:
        try:
            _translate(made, node)
        except InTheWay as missing:
            raise InTheWay(f"{missing}{where(node)}") from missing
    answer = made.steps[graph.answer]
    if not made.program.steps or made.program.steps[-1].name != answer:  # an alias of the input, or passed on
        last = next((step for step in made.program.steps if step.name == answer), None)
        if last is None:
            raise InTheWay(operation(graph.answer))
        made.program.steps.remove(last)
        made.program.steps.append(last)
    return made.program


def _translate(made: Translation, node: fx.Node) -> None:
    if node.target is operator.getitem:
        whole, place = node.args
        assert isinstance(whole, fx.Node)
        if operation(whole) in SPLITS:
            _split(made, node, whole, int(place))  # type: ignore[arg-type]
        elif place == 0:
            made.steps[node] = made.steps[whole]
        else:
            raise InTheWay(f"{operation(whole)}: its output {place}")
        return
    kind = operation(node)
    if kind in SPLITS:
        return  # its parts are
    if kind in PASSED:
        source = node.all_input_nodes[0]
        if kind in ("to", "_to_copy", "type_as") and _rounds(source, node):
            raise InTheWay(kind)
        made.steps[node] = made.steps[source]
    elif kind in PLAIN:
        made.add(node, kind, [_own(made, arguments(node))], {})
    elif kind in RESHAPED:
        made.add(node, "reshape", [_own(made, arguments(node))], {})
    elif kind in TRANSLATED:
        TRANSLATED[kind](made, node, arguments(node))
    else:
        raise InTheWay(kind)


def _rounds(source: fx.Node, node: fx.Node) -> bool:
    """Whether a change of type changes numbers."""
    before, after = source.meta["val"].dtype, node.meta["val"].dtype
    return bool(before.is_floating_point and not after.is_floating_point)


def _own(made: Translation, a: dict[str, Any]) -> str:
    """The step of what an operation is applied to."""
    node = a["self"] if "self" in a else a["input"]
    if node not in made.steps:
        raise InTheWay(operation(node))
    return made.steps[node]


def _rank(node: fx.Node) -> int:
    return len(shape_of(node))


def _axis(node: fx.Node, axis: int) -> int:
    """An axis without the batch. Raises InTheWay for that of the batch."""
    rank = _rank(node) + 1
    axis = axis % rank
    if axis == 0:
        raise InTheWay(f"{operation(node)}, over samples")
    return axis - 1


def _pair(value: Any, rank: int) -> list[int]:
    found = list(value) if isinstance(value, list | tuple) else [value]
    return [int(each) for each in (found * rank if len(found) == 1 else found)]


def _convolution(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    weight = made.graph.constants.get(a["weight"])
    if a.get("transposed") or weight is None or weight.dim() > 4:
        raise InTheWay("conv_transpose" if a.get("transposed") else operation(node))
    rank, dilation = weight.dim() - 2, _pair(a["dilation"], weight.dim() - 2)
    if isinstance(a["padding"], str):  # of "same", what is too many goes behind, where the shape says it
        reach = [d * (size - 1) for d, size in zip(dilation, weight.shape[2:], strict=True)]
        padding = [each // 2 if a["padding"] == "same" else 0 for each in reach]
    else:
        padding = _pair(a["padding"], rank)
    given = {"stride": _pair(a["stride"], rank), "padding": padding, "dilation": dilation, "groups": int(a["groups"])}
    weights = [made.weight(a["weight"])] + ([made.weight(a["bias"])] if a["bias"] is not None else [])
    made.add(node, "convolution", [_own(made, a)], given, weights)


def _linear(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    weights = [made.weight(a["weight"])] + ([made.weight(a["bias"])] if a["bias"] is not None else [])
    made.add(node, "linear", [_own(made, a)], {}, weights)


def _product(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    """A matrix behind the numbers."""
    behind = a["other"] if "other" in a else a["mat2"]
    given = made.graph.constants.get(behind)
    if not isinstance(given, Tensor) or given.dim() != 2:
        raise InTheWay(operation(node))
    bias = [made.weight(a["self"])] if "mat1" in a else []
    before = a["mat1"] if "mat1" in a else a["self"]
    if before not in made.steps or a.get("beta", 1) != 1 or a.get("alpha", 1) != 1:
        raise InTheWay(operation(node))
    made.add(node, "linear", [made.steps[before]], {}, [made.keep(f"{node.name}.weight", given.t()), *bias])


def _embedding(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    if a["indices"] not in made.steps:
        raise InTheWay(operation(node))
    made.add(node, "embedding", [made.steps[a["indices"]]], {}, [made.weight(a["weight"])])


def _batch_norm(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    """As a factor and a shift a channel."""
    if a.get("training"):
        raise InTheWay(operation(node))
    constants = made.graph.constants
    mean, variance = (constants[a[key]].double() for key in ("running_mean", "running_var"))
    factor = (variance + a["eps"]).rsqrt() * (1 if a["weight"] is None else constants[a["weight"]].double())
    shift = (0 if a["bias"] is None else constants[a["bias"]].double()) - mean * factor
    name = made.graph.names.get(node, node.name)
    weights = [made.keep(f"{name}.factor", factor), made.keep(f"{name}.shift", shift)]
    made.add(node, "batch_norm", [_own(made, a)], {}, weights)


def _layer_norm(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    over = len(a["normalized_shape"])
    if over > _rank(a["input"]):
        raise InTheWay(operation(node))
    _normalised(made, node, a, "layer_norm", {"over": over})


def _group_norm(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    _normalised(made, node, a, "group_norm", {"groups": int(a["num_groups"] if "num_groups" in a else a["group"])})


def _normalised(made: Translation, node: fx.Node, a: dict[str, Any], op: str, given: dict[str, Any]) -> None:
    if (a["weight"] is None) != (a["bias"] is None):
        ones = torch.ones_like(made.graph.constants[a["bias"] if a["weight"] is None else a["weight"]])
        name = f"{made.graph.names.get(node, node.name)}.{'weight' if a['weight'] is None else 'bias'}"
        weights = [
            made.keep(name, ones) if a["weight"] is None else made.weight(a["weight"]),
            made.keep(name, 0 * ones) if a["bias"] is None else made.weight(a["bias"]),
        ]
    else:
        weights = [] if a["weight"] is None else [made.weight(a["weight"]), made.weight(a["bias"])]
    made.add(node, op, [_own(made, a)], given | {"eps": float(a["eps"])}, weights)


def _pool(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    kind = operation(node)
    rank = 1 if "1d" in kind else 2
    size = _pair(a["kernel_size"], rank)
    given: dict[str, Any] = {"size": size, "stride": _pair(a["stride"], rank) if a["stride"] else size}
    given["padding"] = _pair(a["padding"], rank)
    if kind.startswith("max"):
        made.add(node, "max_pool", [_own(made, a)], given | {"dilation": _pair(a["dilation"], rank)})
    else:
        given |= {"counts_padding": bool(a["count_include_pad"]), "over": a.get("divisor_override")}
        made.add(node, "average_pool", [_own(made, a)], {key: one for key, one in given.items() if one is not None})


def _adaptive(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    kind = "max" if "max" in operation(node) else "average"
    made.add(node, f"adaptive_{kind}_pool", [_own(made, a)], {"axes": 1 if "1d" in operation(node) else 2})


def _reduced(kind: str) -> Translate:
    def translate(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
        given = a.get("dim")
        if given is None or given == []:
            raise InTheWay(f"{operation(node)}, over samples")
        axes = [given] if isinstance(given, int) else given
        rank = _rank(a["self"]) + 1
        if 0 in (axes := [axis % rank for axis in axes]):
            raise InTheWay(f"{operation(node)}, over samples")
        made.add(node, "reduce", [_own(made, a)], {"by": kind, "axes": sorted(axis - 1 for axis in axes)})

    return translate


def _softmax(op: str) -> Translate:
    def translate(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
        made.add(node, op, [_own(made, a)], {"axis": _axis(node, a["dim"])})

    return translate


def _permuted(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    rank = _rank(node) + 1
    if "dims" in a:
        order = [axis % rank for axis in a["dims"]]
    else:
        order = list(range(rank))
        one, other = a["dim0"] % rank, a["dim1"] % rank
        order[one], order[other] = other, one
    if order[0] != 0:
        raise InTheWay(f"{operation(node)}, over samples")
    made.add(node, "permute", [_own(made, a)], {"order": [axis - 1 for axis in order[1:]]})


def _joined(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    axis, rank = _axis(node, a["dim"]), _rank(node)
    made.add(node, "cat", [made.source(each, rank) for each in a["tensors"]], {"axis": axis})


def _padded(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    rank = _rank(node)
    if a.get("mode", "constant") != "constant" or len(a["pad"]) > 2 * rank:
        raise InTheWay(f"pad, {a.get('mode')}")
    before = [0] * rank
    for place, amount in enumerate(a["pad"][::2]):  # the last axis first
        before[rank - 1 - place] = int(amount)
    made.add(node, "pad", [_own(made, a)], {"before": before, "value": float(a.get("value") or 0)})


def _sliced(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    axis = a["dim"] % (_rank(a["self"]) + 1)
    size = shape_of(a["self"])[axis - 1]
    if axis == 0:
        if a.get("start") in (None, 0) and (a.get("end") is None or a["end"] >= 2) and a.get("step") == 1:
            made.steps[node] = made.steps[a["self"]]  # x[:, …]
            return
        raise InTheWay(f"{operation(node)}, over samples")
    if "index" in a:  # one place, whose axis goes; the shape says so
        given = {"start": int(a["index"]) % size, "step": 1, "size": 1}
    else:
        start = int(a["start"] or 0)
        start = max(0, start + size if start < 0 else min(start, size))
        given = {"start": start, "step": int(a["step"]), "size": shape_of(node)[axis - 1]}
    made.add(node, "slice", [_own(made, a)], {"axis": axis - 1, **given})


SPLITS = frozenset({"split", "split_with_sizes", "chunk", "unbind"})


def _split(made: Translation, node: fx.Node, whole: fx.Node, place: int) -> None:
    a = arguments(whole)
    axis = a["dim"] % (_rank(a["self"]) + 1)
    if axis == 0:
        raise InTheWay(f"{operation(whole)}, over samples")
    parts = [value.shape for value in whole.meta["val"]]
    one = operation(whole) == "unbind"
    start = place if one else sum(part[axis] for part in parts[:place])
    size = 1 if one else parts[place][axis]
    made.add(node, "slice", [_own(made, a)], {"axis": axis - 1, "start": start, "step": 1, "size": size})


def _taken(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    """Some places along one axis, as channels in another order."""
    which = [(axis, each) for axis, each in enumerate(a["indices"]) if each is not None]
    if len(which) != 1 or which[0][0] == 0 or which[0][1] not in made.graph.constants:
        raise InTheWay(operation(node))
    axis, places = which[0][0], made.graph.constants[which[0][1]]
    if places.dim() != 1 or places.dtype == torch.bool:
        raise InTheWay(operation(node))
    size = shape_of(a["self"])[axis - 1]
    at = [int(place) % size for place in places]
    made.add(node, "take", [_own(made, a)], {"axis": axis - 1, "places": at})


def _two(op: str, turned: bool = False) -> Translate:
    """Of two, or of one and a number."""

    def translate(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
        one, other = (a["other"], a["self"]) if turned else (a["self"], a["other"])
        if a.get("rounding_mode") is not None:
            raise InTheWay(operation(node))
        given: dict[str, Any] = {}
        if (alpha := a.get("alpha", 1)) != 1:
            if turned or op not in ("add", "subtract"):
                raise InTheWay(operation(node))
            given["times"] = float(alpha)
        made_of = []
        for each, key in ((one, "before"), (other, "behind")):
            constant = made.graph.constants.get(each) if isinstance(each, fx.Node) else each
            if isinstance(constant, Tensor) and constant.dim() == 0:
                constant = float(constant)
            if isinstance(constant, int | float):
                given[key] = float(constant)
            else:
                made_of.append(made.source(each, _rank(node)))
        made.add(node, op, made_of, given)

    return translate


def _compared(how: str) -> Translate:
    def translate(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
        _two("compare")(made, node, a)
        made.program.steps[-1].given["how"] = how

    return translate


def _filled(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    value = a["value"]
    value = made.graph.constants.get(value) if isinstance(value, fx.Node) else value
    if value is None or float(value) in (float("inf"), float("-inf")):
        raise InTheWay(operation(node))
    rank = _rank(node)
    made.add(node, "fill", [made.source(a["self"], rank), made.source(a["mask"], rank)], {"value": float(value)})


def _clamped(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    ends = {"least": a.get("min", a.get("min_val")), "most": a.get("max", a.get("max_val"))}
    if any(isinstance(end, fx.Node) for end in ends.values()):
        raise InTheWay(operation(node))
    made.add(node, "clamp", [_own(made, a)], {key: float(end) for key, end in ends.items() if end is not None})


def _set(op: str, **keys: str) -> Translate:
    """An operation number by number with settings. keys: what the page calls each, and what torch does."""

    def translate(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
        given = {ours: a[theirs] for ours, theirs in keys.items()}
        if any(isinstance(each, fx.Node) for each in given.values()):
            raise InTheWay(operation(node))
        made.add(node, op, [_own(made, a)], {ours: float(value) for ours, value in given.items()})

    return translate


def _gelu(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    made.add(node, "gelu" if a["approximate"] == "none" else "gelu_tanh", [_own(made, a)], {})


def _prelu(made: Translation, node: fx.Node, a: dict[str, Any]) -> None:
    made.add(node, "prelu", [_own(made, a)], {}, [made.weight(a["weight"])])


#: The operators of torch that the page has, beyond those that need no more than their name.
TRANSLATED: dict[str, Translate] = {
    **dict.fromkeys(("conv1d", "conv2d", "convolution"), _convolution),
    "linear": _linear,
    **dict.fromkeys(("matmul", "mm", "addmm"), _product),
    "embedding": _embedding,
    **dict.fromkeys(("batch_norm", "_native_batch_norm_legit_no_training"), _batch_norm),
    **dict.fromkeys(("layer_norm", "native_layer_norm"), _layer_norm),
    **dict.fromkeys(("group_norm", "native_group_norm"), _group_norm),
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool2d_with_indices", "max_pool1d_with_indices"), _pool),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d"), _pool),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_avg_pool2d", "_adaptive_avg_pool2d"), _adaptive),
    **dict.fromkeys(("adaptive_max_pool1d", "adaptive_max_pool2d"), _adaptive),
    "mean": _reduced("mean"),
    "sum": _reduced("sum"),
    **dict.fromkeys(("amax", "max"), _reduced("max")),
    **dict.fromkeys(("amin", "min"), _reduced("min")),
    **dict.fromkeys(("softmax", "_softmax"), _softmax("softmax")),
    **dict.fromkeys(("log_softmax", "_log_softmax"), _softmax("log_softmax")),
    **dict.fromkeys(("permute", "transpose", "swapaxes"), _permuted),
    **dict.fromkeys(("cat", "concat"), _joined),
    **dict.fromkeys(("pad", "constant_pad_nd"), _padded),
    **dict.fromkeys(("slice", "select"), _sliced),
    "index": _taken,
    "add": _two("add"),
    "sub": _two("subtract"),
    "rsub": _two("subtract", turned=True),
    "mul": _two("multiply"),
    "div": _two("divide"),
    "maximum": _two("maximum"),
    "minimum": _two("minimum"),
    **{how: _compared(how) for how in ("ne", "eq", "gt", "ge", "lt", "le")},
    "masked_fill": _filled,
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max", "hardtanh"), _clamped),
    "leaky_relu": _set("leaky_relu", slope="negative_slope"),
    "elu": _set("elu", alpha="alpha", times="scale", inside="input_scale"),
    "celu": _set("celu", alpha="alpha"),
    "softplus": _set("softplus", beta="beta", threshold="threshold"),
    "pow": _set("power", exponent="exponent"),
    "gelu": _gelu,
    "prelu": _prelu,
}
