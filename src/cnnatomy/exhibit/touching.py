"""What must hold of blocks to touch: the page's own rule gives what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

NEAR = 1e-9  # of what was measured; the page and torch add in different orders
WALKED = 1e-6  # of a place on a path, where roundings add up

Layers = Sequence[Sequence[Sequence[float]]]


def problems(path: str, block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a block, and where."""
    if block["type"] == "convolver":
        yield from _convolver_problems(path, block)
    elif block["type"] == "descent":
        yield from _descent_problems(path, block)
    elif block["type"] == "filtering":
        for index, mask in enumerate(block["masks"]):
            if len({len(row) for row in mask["weights"]}) > 1:
                yield f"{path}.masks[{index}].weights", "rows of several lengths; give as many weights in every row"


def convolved(image: Layers, weights: Layers, stride: int, padding: int) -> list[list[float]]:
    """The map of a filter (channels, rows, columns) over an image (channels, rows, columns); zeros around it."""
    rows, columns = len(image[0]), len(image[0][0])
    height, width = len(weights[0]), len(weights[0][0])

    def at(channel: int, row: int, column: int) -> float:
        return image[channel][row][column] if 0 <= row < rows and 0 <= column < columns else 0

    def total(top: int, left: int) -> float:
        places = product(range(len(image)), range(height), range(width))
        return sum(at(c, top + i, left + j) * weights[c][i][j] for c, i, j in places)

    tops = range(-padding, rows + padding - height + 1, stride)
    return [[total(top, left) for left in range(-padding, columns + padding - width + 1, stride)] for top in tops]


def descended(block: dict[str, Any], size: float, momentum: float, steps: int) -> list[list[float]]:
    """a and b before each step of a descent block's network and after the last, in double precision.

    The direction of a step is the slope and what `momentum` leaves of the last direction, as torch's SGD has it.
    """
    place, speed, path = list(block["start"]), [0.0, 0.0], [list(block["start"])]
    for _ in range(steps):
        for which, slope in enumerate(_slope(block, place)):
            speed[which] = momentum * speed[which] + slope
            place[which] -= size * speed[which]
        path.append(list(place))
    return path


def _slope(block: dict[str, Any], place: Sequence[float]) -> list[float]:
    """By how much the mean squared error rises with a, and with b."""
    free = {"a": 0, "b": 1}
    slope, values = [0.0, 0.0], [[_value(unit[key], place) for key in ("weight", "bias")] for unit in block["units"]]
    for x, y in zip(block["x"], block["y"], strict=True):
        made = [math.tanh(weight * x + bias) for weight, bias in values]
        miss = sum(unit["out"] * one for unit, one in zip(block["units"], made, strict=True)) - y
        for unit, one in zip(block["units"], made, strict=True):
            for key, along in (("weight", x), ("bias", 1)):
                if unit[key] in free:
                    slope[free[unit[key]]] += 2 * miss * unit["out"] * (1 - one * one) * along / len(block["x"])
    return slope


def _value(number: float | str, place: Sequence[float]) -> float:
    return place["ab".index(number)] if isinstance(number, str) else number


def _descent_problems(path: str, block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if len(block["x"]) != len(block["y"]):
        yield f"{path}.y", f"{len(block['y'])} targets for {len(block['x'])} samples; give one for each"
        return
    if {unit[key] for unit in block["units"] for key in ("weight", "bias")} & {"a", "b"} != {"a", "b"}:
        yield f"{path}.units", "a or b stands nowhere; let both be free"
        return
    if block["size"] not in block["sizes"]:
        yield f"{path}.size", f"{block['size']} is none of the sizes; add it to them"
    walked = descended(block, block["size"], 0, len(block["path"]) - 1)
    for step, (one, other) in enumerate(zip(walked, block["path"], strict=True)):
        if any(abs(a - b) > WALKED * max(1, abs(a)) for a, b in zip(one, other, strict=True)):
            yield f"{path}.path[{step}]", f"{other}, but descent comes to {one}; give the path that was walked"
            return


def _convolver_problems(path: str, block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    image = block["image"]
    if not _even(image):
        yield f"{path}.image", "its channels are not of one size; give as many numbers in every row"
        return
    if block["channels"] and len(block["channels"]) != len(image):
        yield f"{path}.channels", f"{len(block['channels'])} names for {len(image)} channels; give each its name"
    size = [len(block["kernels"][0]["weights"]), *_shape(block["kernels"][0]["weights"])]
    for index, kernel in enumerate(block["kernels"]):
        here, weights = f"{path}.kernels[{index}]", kernel["weights"]
        if not _even(weights) or [len(weights), *_shape(weights)] != size or len(weights) != len(image):
            yield f"{here}.weights", f"not {len(image)} channels of one size; all filters of a convolver are alike"
            continue
        made = convolved(image, weights, block["stride"], block["padding"])
        if not made or not made[0]:
            yield f"{here}.weights", "larger than the padded image; make one of them fit"
        elif not _alike(made, kernel["map"]):
            yield f"{here}.map", f"the filter makes {made} of the image; give what it makes"


def _shape(layers: Layers) -> tuple[int, int]:
    return len(layers[0]), len(layers[0][0])


def _even(layers: Layers) -> bool:
    """Whether all layers have as many rows, and all rows as many numbers."""
    return len({len(layer) for layer in layers}) == 1 and len({len(row) for layer in layers for row in layer}) == 1


def _alike(one: Sequence[Any], other: Any) -> bool:
    """Whether nested lists of numbers are of one shape and equal but for rounding."""
    if isinstance(one, int | float):
        return isinstance(other, int | float) and abs(one - other) <= NEAR * max(1, abs(one))
    return isinstance(other, list) and len(one) == len(other) and all(map(_alike, one, other))
