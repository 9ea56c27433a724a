"""Blocks that a reader may touch: what is in them is changed on the page, and the page works the result out anew.

Each holds what was measured, too, so that a page without scripts shows it, and so that `touching` can tell whether the
rule by which the page goes on gives the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cnnatomy.exhibit.describing import Files, add, heading
from cnnatomy.exhibit.naming import file_name, in_bytes
from cnnatomy.exhibit.words import Text, described


@dataclass(frozen=True)
class Kernel:
    """A filter of a convolver: its weights (channels, rows, columns), and the map that it makes, (rows, columns)."""

    label: Text
    weights: np.ndarray
    map: np.ndarray


@dataclass
class Convolver:
    """An image under filters, window by window: pixels and weights can be changed, stride and padding too.

    image: (channels, rows, columns), of pixels from 0 to `most`. channels: their names, where there are several.
    """

    name: str
    image: np.ndarray
    kernels: Sequence[Kernel]
    channels: Sequence[Text] = ()
    stride: int = 1
    padding: int = 0
    most: int = 1
    title: Text = ""
    caption: Text = ""

    def describe(self, files: Files) -> dict[str, Any]:
        return {
            "type": "convolver",
            "name": file_name(self.name),
            "image": _numbers(self.image),
            "channels": [described(one) for one in self.channels],
            "kernels": [
                {"label": described(one.label), "weights": _numbers(one.weights), "map": _numbers(one.map)}
                for one in self.kernels
            ],
            "stride": self.stride,
            "padding": self.padding,
            "most": self.most,
        } | heading(self.title, self.caption)


@dataclass(frozen=True)
class Unit:
    """out · tanh(weight · x + bias); what is free has its name, `a` or `b`, instead of a number."""

    out: float
    weight: float | str
    bias: float | str


@dataclass
class Descent:
    """Gradient descent on the mean squared error of a network of one input, two of whose numbers, a and b, are free.

    svg: the surface, drawn; frame: left, top, width and height of its axes in it, which go from `span`[0] to [1] both,
    a to the right and b upwards. units: the network is their sum. x, y: samples and targets, (n,). start: a and b.
    sizes: of a step, to choose from; size: the one that the path was walked with, (steps + 1, 2), without momentum.
    there: the share of the error at the start below which a path has arrived.
    """

    name: str
    svg: str
    alt: Text
    frame: tuple[float, float, float, float]
    span: tuple[float, float]
    units: Sequence[Unit]
    x: np.ndarray
    y: np.ndarray
    start: Sequence[float]
    sizes: Sequence[float]
    size: float
    path: np.ndarray
    there: float
    title: Text = ""
    caption: Text = ""

    def describe(self, files: Files) -> dict[str, Any]:
        name = file_name(self.name)
        add(files, f"{name}.svg", in_bytes(self.svg))
        return {
            "type": "descent",
            "name": name,
            "file": f"{name}.svg",
            "alt": described(self.alt),
            "frame": list(self.frame),
            "span": list(self.span),
            "units": [asdict(one) for one in self.units],
            "x": np.asarray(self.x).tolist(),
            "y": np.asarray(self.y).tolist(),
            "start": list(self.start),
            "sizes": list(self.sizes),
            "size": self.size,
            "path": np.asarray(self.path).tolist(),
            "there": self.there,
        } | heading(self.title, self.caption)


def _numbers(values: np.ndarray) -> Any:
    """As lists, whole numbers as such."""
    whole = np.asarray(values).tolist()
    return _short(whole)


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(one) for one in value]
    return int(value) if float(value).is_integer() else value
