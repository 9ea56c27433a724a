"""Random cases of each operation of the page's engine, and what torch makes of them.

A case is inputs, settings as a program has them, weights, and torch's output; all of one sample, without the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Case:
    inputs: list[Tensor]
    given: dict[str, Any]
    weights: list[Tensor]
    expected: Tensor


Random = np.random.Generator
Make = Callable[[Random], Case]


def normal(random: Random, *shape: int, spread: float = 2.0) -> Tensor:
    return torch.from_numpy(random.normal(0, spread, shape).astype(np.float32))


def whole(random: Random, most: int, least: int = 1) -> int:
    return int(random.integers(least, most + 1))


def shape(random: Random, least: int = 1, most: int = 4) -> list[int]:
    return [whole(random, 6) for _ in range(whole(random, most, least))]


def number_by_number(make: Callable[[Random, Tensor], tuple[dict[str, Any], Tensor]], positive: bool = False) -> Make:
    def case(random: Random) -> Case:
        x = normal(random, *shape(random), spread=float(random.choice([0.3, 2, 8])))
        x = x.abs() + 0.01 if positive else x
        given, expected = make(random, x)
        return Case([x], given, [], expected)

    return case


def convolution(random: Random) -> Case:
    axes, groups = whole(random, 2), whole(random, 3)
    channels, filters = groups * whole(random, 3), groups * whole(random, 3)
    kernel = [whole(random, 4) for _ in range(axes)]
    stride, dilation = ([whole(random, 3) for _ in range(axes)] for _ in range(2))
    padding = [whole(random, 3, 0) for _ in range(axes)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    sides = [max(1, r - 2 * p) + whole(random, 9, 0) for r, p in zip(reach, padding, strict=True)]
    x, weight = normal(random, channels, *sides), normal(random, filters, channels // groups, *kernel)
    bias = normal(random, filters) if random.random() < 0.7 else None
    made = (F.conv1d if axes == 1 else F.conv2d)(x[None], weight, bias, stride, padding, dilation, groups)[0]
    given = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return Case([x], given, [weight] if bias is None else [weight, bias], made)


def linear(random: Random) -> Case:
    *before, inputs = shape(random, 1, 3)
    x, weight = normal(random, *before, inputs), normal(random, whole(random, 8), inputs)
    bias = normal(random, len(weight)) if random.random() < 0.7 else None
    return Case([x], {}, [weight] if bias is None else [weight, bias], F.linear(x, weight, bias))


def embedding(random: Random) -> Case:
    weight = normal(random, whole(random, 9), whole(random, 5))
    words = torch.from_numpy(random.integers(0, len(weight), shape(random, 1, 2)))
    return Case([words], {}, [weight], F.embedding(words, weight))


def batch_norm(random: Random) -> Case:
    x = normal(random, *shape(random, 1, 3))
    mean, weight, bias = (normal(random, len(x)) for _ in range(3))
    variance = (normal(random, len(x)).square() + 0.1).detach()
    factor, mean = weight / (variance + 1e-5).sqrt(), mean.detach()
    made = F.batch_norm(x[None], mean, variance, weight, bias, False, 0.1, 1e-5)[0]
    return Case([x], {}, [factor, bias - mean * factor], made)


def layer_norm(random: Random) -> Case:
    x = normal(random, *shape(random, 1, 4))
    over = whole(random, x.dim())
    sizes, affine = list(x.shape[-over:]), random.random() < 0.6
    weights = [normal(random, *sizes), normal(random, *sizes)] if affine else []
    made = F.layer_norm(x, sizes, *(weights or [None, None]), eps=1e-3)
    return Case([x], {"over": over, "eps": 1e-3}, weights, made)


def group_norm(random: Random) -> Case:
    groups = whole(random, 3)
    x = normal(random, groups * whole(random, 3), *shape(random, 1, 2), 2)
    weights = [normal(random, len(x)), normal(random, len(x))] if random.random() < 0.6 else []
    made = F.group_norm(x[None], groups, *(weights or [None, None]), eps=1e-3)[0]
    return Case([x], {"groups": groups, "eps": 1e-3}, weights, made)


def _windows(random: Random) -> tuple[Tensor, dict[str, Any], bool]:
    axes = whole(random, 2)
    size = [whole(random, 4) for _ in range(axes)]
    stride, padding = [whole(random, 4) for _ in range(axes)], [whole(random, k // 2, 0) for k in size]
    sides = [k + whole(random, 8, 0) for k in size]
    ceiled = bool(random.random() < 0.5)
    return normal(random, whole(random, 3), *sides), {"size": size, "stride": stride, "padding": padding}, ceiled


def max_pool(random: Random) -> Case:
    x, given, ceiled = _windows(random)
    given["dilation"] = [1 if size < 2 else whole(random, 2) for size in given["size"]]
    reach = [d * (k - 1) + 1 for d, k in zip(given["dilation"], given["size"], strict=True)]
    x = normal(random, len(x), *(side + more for side, more in zip(x.shape[1:], reach, strict=True)))
    pool = F.max_pool1d if x.dim() == 2 else F.max_pool2d
    made = pool(x[None], given["size"], given["stride"], given["padding"], given["dilation"], ceil_mode=ceiled)[0]
    return Case([x], given, [], made)


def average_pool(random: Random) -> Case:
    x, given, ceiled = _windows(random)
    counted = bool(random.random() < 0.5)
    pool = F.avg_pool1d if x.dim() == 2 else F.avg_pool2d
    more = {"divisor_override": whole(random, 5)} if x.dim() == 3 and random.random() < 0.3 else {}
    made = pool(x[None], given["size"], given["stride"], given["padding"], ceiled, counted, **more)[0]
    over = {"over": more["divisor_override"]} if more else {}
    return Case([x], given | {"counts_padding": counted} | over, [], made)


def adaptive(kind: str) -> Make:
    def case(random: Random) -> Case:
        axes = whole(random, 2)
        x, size = normal(random, whole(random, 3), *(whole(random, 9) for _ in range(axes))), []
        size = [whole(random, 6) for _ in range(axes)]
        return Case([x], {"axes": axes}, [], getattr(F, f"adaptive_{kind}_pool{axes}d")(x[None], size)[0])

    return case


def reduce(random: Random) -> Case:
    x = normal(random, *shape(random, 1, 4))
    axes = sorted(int(axis) for axis in random.choice(x.dim(), whole(random, x.dim()), replace=False))
    by = str(random.choice(["mean", "sum", "max", "min"]))
    made = getattr(torch, {"max": "amax", "min": "amin"}.get(by, by))(x, dim=axes, keepdim=bool(random.random() < 0.5))
    return Case([x], {"by": by, "axes": axes}, [], made)


def soft(name: str) -> Make:
    def case(random: Random) -> Case:
        x = normal(random, *shape(random, 1, 4), spread=float(random.choice([1, 30])))
        axis = whole(random, x.dim() - 1, 0)
        return Case([x], {"axis": axis}, [], getattr(torch, name)(x, dim=axis))

    return case


def permute(random: Random) -> Case:
    x = normal(random, *shape(random, 1, 4))
    order = [int(axis) for axis in random.permutation(x.dim())]
    return Case([x], {"order": order}, [], x.permute(order).contiguous())


def cat(random: Random) -> Case:
    sizes = shape(random, 1, 4)
    axis = whole(random, len(sizes) - 1, 0)
    parts = []
    for _ in range(whole(random, 4)):
        parts.append(normal(random, *(whole(random, 5) if at == axis else size for at, size in enumerate(sizes))))
    return Case(parts, {"axis": axis}, [], torch.cat(parts, dim=axis))


def pad(random: Random) -> Case:
    x = normal(random, *(3 + size for size in shape(random, 1, 3)))
    pads = [(whole(random, 3, -1), whole(random, 3, -1)) for _ in range(x.dim())]
    value = float(np.float32(random.normal()))
    made = F.pad(x, [one for ends in reversed(pads) for one in ends], value=value)
    return Case([x], {"before": [before for before, _ in pads], "value": value}, [], made)


def sliced(random: Random) -> Case:
    x = normal(random, *shape(random, 1, 4))
    axis = whole(random, x.dim() - 1, 0)
    start, step = whole(random, x.shape[axis] - 1, 0), whole(random, 3)
    made = x[(slice(None),) * axis + (slice(start, None, step),)].contiguous()
    return Case([x], {"axis": axis, "start": start, "step": step, "size": made.shape[axis]}, [], made)


def take(random: Random) -> Case:
    x = normal(random, *shape(random, 1, 4))
    axis = whole(random, x.dim() - 1, 0)
    places = [whole(random, x.shape[axis] - 1, 0) for _ in range(whole(random, 5))]
    return Case([x], {"axis": axis, "places": places}, [], x.index_select(axis, torch.tensor(places)))


def two(torchs: Callable[[Any, Any], Tensor], more: Callable[[Random], dict[str, Any]] = lambda random: {}) -> Make:
    """Of two tensors, one perhaps stretched over the other, or of one and a number on either side."""

    def case(random: Random) -> Case:
        sizes, given = shape(random, 1, 4), more(random)
        x = normal(random, *sizes)
        how = random.random()
        if how < 0.4:
            number = float(np.float32(random.normal(0, 2)))
            side, parts = ("behind", (x, number)) if how < 0.2 else ("before", (number, x))
            return Case([x], given | {side: number}, [], _called(torchs, given, *map(torch.as_tensor, parts)))
        stretched = [1 if random.random() < 0.3 else size for size in sizes][whole(random, len(sizes) - 1, 0) :]
        y = normal(random, *(sizes if how < 0.7 else stretched))
        one, other = (x, y) if random.random() < 0.5 else (y, x)
        return Case([one, other], given, [], _called(torchs, given, one, other).expand(sizes).contiguous())

    return case


def _called(torchs: Callable[..., Tensor], given: dict[str, Any], one: Tensor, other: Tensor) -> Tensor:
    return torchs(one.float(), other.float(), **given).float()


def compare(random: Random) -> Case:
    how = str(random.choice(["ne", "eq", "gt", "ge", "lt", "le"]))
    made = two(lambda one, other: getattr(torch, how)(one.round(), other.round()))(random)
    given = {key: float(np.round(number)) for key, number in made.given.items()}
    return Case([part.round() for part in made.inputs], given | {"how": how}, [], made.expected)


def fill(random: Random) -> Case:
    x = normal(random, *shape(random, 1, 4))
    mask = (normal(random, *(1 if random.random() < 0.3 else size for size in x.shape)) > 0).float()
    value = float(np.float32(random.normal()))
    return Case([x, mask], {"value": value}, [], x.masked_fill(mask.bool(), value))


def prelu(random: Random) -> Case:
    x = normal(random, *shape(random, 1, 3))
    weight = normal(random, 1 if random.random() < 0.5 else len(x))
    return Case([x], {}, [weight], F.prelu(x[None], weight)[0])


def _clamped(random: Random, x: Tensor) -> tuple[dict[str, Any], Tensor]:
    ends = sorted(float(np.float32(end)) for end in random.normal(0, 2, 2))
    given = dict(zip(("least", "most"), ends, strict=True))
    if random.random() < 0.5:
        given.pop(str(random.choice(["least", "most"])))
    return given, x.clamp(given.get("least"), given.get("most"))


def _slope(random: Random, x: Tensor) -> tuple[dict[str, Any], Tensor]:
    slope = float(np.float32(random.random()))
    return {"slope": slope}, F.leaky_relu(x, slope)


def _elu(random: Random, x: Tensor) -> tuple[dict[str, Any], Tensor]:
    alpha = float(np.float32(random.random() + 0.1))
    return {"alpha": alpha, "times": 1.0, "inside": 1.0}, F.elu(x, alpha)


def _celu(random: Random, x: Tensor) -> tuple[dict[str, Any], Tensor]:
    alpha = float(np.float32(random.random() + 0.1))
    return {"alpha": alpha}, F.celu(x, alpha)


def _softplus(random: Random, x: Tensor) -> tuple[dict[str, Any], Tensor]:
    beta, threshold = float(np.float32(random.random() * 3 + 0.1)), float(whole(random, 20))
    return {"beta": beta, "threshold": threshold}, F.softplus(x, beta, threshold)


def _power(random: Random, x: Tensor) -> tuple[dict[str, Any], Tensor]:
    exponent = float(random.choice([-1, 0.5, 1.5, 2, 3]))
    return {"exponent": exponent}, x.pow(exponent)


def plain(function: Callable[[Tensor], Tensor], positive: bool = False) -> Make:
    return number_by_number(lambda random, x: ({}, function(x)), positive)


def _times(random: Random) -> dict[str, Any]:
    return {"times": float(np.float32(random.normal()))} if random.random() < 0.3 else {}


CASES: dict[str, Make] = {
    "convolution": convolution,
    "linear": linear,
    "embedding": embedding,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
    "max_pool": max_pool,
    "average_pool": average_pool,
    "adaptive_max_pool": adaptive("max"),
    "adaptive_average_pool": adaptive("avg"),
    "reduce": reduce,
    "softmax": soft("softmax"),
    "log_softmax": soft("log_softmax"),
    "permute": permute,
    "cat": cat,
    "pad": pad,
    "slice": sliced,
    "take": take,
    "add": two(lambda one, other, times=1.0: one + times * other, _times),
    "subtract": two(lambda one, other, times=1.0: one - times * other, _times),
    "multiply": two(torch.mul),
    "divide": two(torch.div),
    "maximum": two(torch.maximum),
    "minimum": two(torch.minimum),
    "compare": compare,
    "fill": fill,
    "prelu": prelu,
    "clamp": number_by_number(_clamped),
    "leaky_relu": number_by_number(_slope),
    "elu": number_by_number(_elu),
    "celu": number_by_number(_celu),
    "softplus": number_by_number(_softplus),
    "power": number_by_number(_power, positive=True),
    "gelu": plain(F.gelu),
    "gelu_tanh": plain(lambda x: F.gelu(x, approximate="tanh")),
    **{name: plain(getattr(F, name)) for name in ("relu", "relu6", "selu", "silu", "mish", "hardswish", "hardsigmoid")},
    **{name: plain(getattr(torch, name)) for name in ("sigmoid", "tanh", "exp", "abs", "neg", "square")},
    **{name: plain(getattr(torch, name), positive=True) for name in ("log", "sqrt", "rsqrt", "reciprocal")},
    "softsign": plain(F.softsign),
}
