"""Blocks that a reader may touch: what is in them is changed on the page, and the page works the result out anew.

Each holds what was measured, too, so that a page without scripts shows it, and so that `touching` can tell whether the
rule by which the page goes on gives the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cnnatomy.exhibit.describing import Files, add, finite, heading, png_of
from cnnatomy.exhibit.naming import file_name, in_bytes
from cnnatomy.exhibit.words import Text, described

ROUNDED = 1e-12  # from a whole number: 9 · (1 / 9)


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
class HiddenUnit:
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
    units: Sequence[HiddenUnit]
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


@dataclass(frozen=True)
class Mask:
    """A kernel of whole pictures: weights / over, (rows, columns); what it makes, (rows, columns), drawn as uint8.

    lowest, highest: of what it makes, before it was drawn.
    """

    label: Text
    weights: np.ndarray
    over: float
    pixels: np.ndarray
    lowest: float
    highest: float


@dataclass
class Filtering:
    """A picture in grey under kernels, and under any that a reader types.

    pixels: uint8 (rows, columns). Only whole windows are taken. What leaves 0 to 255 is drawn from its lowest value to
    its highest: − lowest, / range, × 255.
    """

    name: str
    pixels: np.ndarray
    masks: Sequence[Mask]
    title: Text = ""
    caption: Text = ""

    def describe(self, files: Files) -> dict[str, Any]:
        name = file_name(self.name)
        add(files, f"{name}.png", png_of(self.pixels, f"filtering {self.name!r}"))
        return {
            "type": "filtering",
            "name": name,
            "file": f"{name}.png",
            "masks": [self._mask(index, mask, files) for index, mask in enumerate(self.masks)],
        } | heading(self.title, self.caption)

    def _mask(self, index: int, mask: Mask, files: Files) -> dict[str, Any]:
        file = f"{file_name(self.name)}-{index}.png"
        add(files, file, png_of(mask.pixels, f"mask {index} of filtering {self.name!r}"))
        return {
            "label": described(mask.label),
            "weights": _numbers(mask.weights),
            "over": _short(mask.over),
            "file": file,
            "lowest": finite(mask.lowest, "what a mask makes"),
            "highest": finite(mask.highest, "what a mask makes"),
        }


def _numbers(values: np.ndarray) -> Any:
    """As lists, whole numbers as such."""
    whole = np.asarray(values).tolist()
    return _short(whole)


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(one) for one in value]
    return round(value) if abs(value - round(value)) < ROUNDED else value
