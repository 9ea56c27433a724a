"""The first layer's weights as pictures. What is said of them: `locale/<language>/kernels.yaml`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.kernels.measure import IDLE, Kernels, Spectrum, numbers, of_filters
from cnnatomy.dissect.kernels.settings import Settings
from cnnatomy.drawing import saying
from cnnatomy.drawing.axes import along
from cnnatomy.drawing.kernels import by_words, drawn
from cnnatomy.drawing.plotting import MUTED, SERIES, Drawing, draw
from cnnatomy.drawing.showing import amount, of_colours
from cnnatomy.exhibit import Axis, Block, Figure, Grid, Item, Scale, Showing, Text, Unit, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import figure

SOURCES = ["@krizhevsky2012, figure 3"]
SOURCES_OF_TEXTS = ["@kim2014"]


def show(found: Sequence[Kernels], samples: Samples, settings: Settings) -> Showing:
    """A grid of filters a layer; of signals the frequencies that they answer to; where in the window the weights are.

    settings: `columns` (filters a row; null lets the page choose), `symmetric` (zero is in the middle of the scale;
    otherwise the scale goes from the smallest weight to the largest, in grey).
    """
    facts = samples.facts
    blocks: list[Block] = []
    for one in found:
        blocks.append(_grid(one, facts, settings))
        if one.spectrum is not None:
            blocks.append(_answers(one, one.spectrum))
    if facts.kind != "images" and (panels := _panels(found, facts)):
        blocks.insert(0 if facts.kind == "texts" else len(blocks), _profile(panels))
    # Of words it is looked at which count, not how they go on.
    ordered = facts.kind == "texts" or any(one.neighbours and one.verdict == "above" for one in found)
    seek = say(f"kernels.seek.{'here' if ordered else 'elsewhere'}", look=say(f"kernels.look.{facts.kind}"))
    sources = SOURCES + (SOURCES_OF_TEXTS if facts.kind == "texts" else [])
    points = facts.kind != "texts" and not any(one.neighbours for one in found)
    caption = say("kernels.caption_of_points") if points else say("kernels.caption", seek=seek)
    return Showing(numbers(found), blocks, caption, sources)


def _grid(one: Kernels, facts: Facts, settings: Settings) -> Grid:
    least = IDLE * float(np.abs(one.weights).max())  # so that a filter without weight is not stretched into a pattern
    columns = of_filters(one)
    beside = {"norm": "norm", "smallest_weight": "smallest", "largest_weight": "largest", "likeness": "likeness"}
    beside |= {"smoothness": "smoothness"} if one.neighbours else {}
    coloured = one.weights.shape[1] == 3 and of_colours(facts) and settings.symmetric
    by_sign = not coloured and facts.kind != "signals"
    items = []
    for index, kernel in enumerate(one.weights):
        values = {name: float(columns[metric][index]) for metric, name in beside.items()} | _by_word(kernel, facts)
        items.append(
            Item(
                id=f"{one.layer}/{index}",
                pixels=drawn(kernel, facts, settings.symmetric, least),
                label=str(index),
                state="dead" if one.idle[index] else "",
                values={key: significant(value) for key, value in values.items()},
                ends=_ends(kernel, settings.symmetric, least) if by_sign else None,
                unit=Unit(one.layer, index),
            )
        )
    wide = items[0].pixels.shape[1] > 64  # so wide that a row of them would not fit
    size = saying.window(facts, one.weights.shape[2:])
    return Grid(
        f"kernels-{one.layer}",
        items,
        columns=None if wide else settings.columns,
        title=say("kernels.filters.title", layer=one.layer, n=len(items), size=size),
        caption=_reading(one, facts, settings.symmetric),
        axes=_axes(one, facts),
        scale=Scale("signed" if settings.symmetric else "grey", say("data.scale.weight")) if by_sign else None,
    )


def _ends(kernel: np.ndarray, symmetric: bool, least: float) -> tuple[float, float]:
    """The weights that the ends of a filter's colours stand for."""
    low, most = float(kernel.min()), max(float(np.abs(kernel).max()), least)
    ends = (-most, most) if symmetric else (low, max(float(kernel.max()), low + least))
    return significant(ends[0]), significant(ends[1])


def _axes(one: Kernels, facts: Facts) -> tuple[Axis, Axis] | None:
    """Of kernels that are drawn as one picture, not channel beside channel."""
    if facts.kind == "texts":
        words, entries = by_words(one.weights[0]).shape
        return along(facts, words, entries)
    one_picture = one.weights.shape[1] in (1, 3) and one.weights.ndim == 4
    return along(facts, *one.weights.shape[2:]) if one_picture else None


def _reading(one: Kernels, facts: Facts, symmetric: bool) -> Text:
    """How to read the colours and the axes, and whether there is more to see than in noise."""
    coloured = one.weights.shape[1] == 3 and of_colours(facts)
    names = [channel.name for channel in facts.channels or ()] if facts.kind == "images" else []
    apart = len(names) == one.weights.shape[1] > 1 and not (symmetric and coloured)
    scale = "grey" if not symmetric else "colour" if coloured else "sign"
    heights = _hertz(facts, one.weights.shape)
    idle, n = int(one.idle.sum()), max(1, one.working)
    low, high = one.untrained_smoothness
    least, most = one.untrained_likeness
    return [
        say("kernels.filters.scale.curves", curves=saying.channels(facts))
        if facts.kind == "signals"
        else say(f"kernels.filters.scale.{scale}"),
        say("kernels.filters.channels", names=names) if apart else None,
        say(f"kernels.filters.axes.{facts.kind}") if facts.kind in ("sounds", "texts") else None,
        say("kernels.filters.height", lowest=heights[0], highest=heights[1]) if heights else None,
        say("kernels.filters.idle", idle=idle, n=len(one.weights)) if idle else None,
        say(
            "kernels.filters.smoothness",
            mean=one.mean_smoothness,
            low=low,
            high=high,
            verdict=say(f"kernels.filters.verdict.{one.verdict}"),
            outside=int(one.outside.sum()),
            n=n,
            chance=0.05 * n,
        )
        if one.neighbours
        else None,
        say(
            "kernels.filters.likeness",
            mean=one.mean_likeness,
            low=least,
            high=most,
            components=one.components,
            untrained=one.untrained_components,
        ),
    ]


def _by_word(kernel: np.ndarray, facts: Facts) -> dict[str, float]:
    norms = np.linalg.norm(by_words(kernel), axis=1) if facts.kind == "texts" else ()
    return {f"norm of word {place}": float(norm) for place, norm in enumerate(norms, 1)}


def _hertz(facts: Facts, shape: Sequence[int]) -> tuple[float, float] | None:
    """How much of the frequency axis a kernel spans where it sits lowest and where highest: mel bands widen upward."""
    axis = next((axis for axis in facts.axes if axis.name == "frequency"), None)
    if axis is None or len(shape) != 4 or not 1 < shape[2] <= len(axis.values):
        return None
    return axis.values[shape[2] - 1] - axis.values[0], axis.values[-1] - axis.values[-shape[2]]


def _panels(found: Sequence[Kernels], facts: Facts) -> list[pd.DataFrame]:
    """Each place's share of a filter's squared weights: a table for every axis of a kernel that has several places."""
    panels = []
    for one in found:
        squares = one.weights**2
        total = squares.sum(axis=tuple(range(1, squares.ndim)), keepdims=True)
        squares = squares / np.maximum(total, np.finfo(float).tiny)
        named = {"texts": ["word"], "sounds": ["frequency", "time"], "signals": ["time"]}[facts.kind]
        names = named[-(squares.ndim - 2) :]
        for axis, name in enumerate(names, start=squares.ndim - 1 if facts.kind == "signals" else 2):
            length = squares.shape[axis]
            if length == 1:
                continue
            share = 100 * squares.sum(axis=tuple(other for other in range(1, squares.ndim) if other != axis))
            places, unit = _places(facts, name, length)
            low, high = np.quantile(share, (0.1, 0.9), axis=0)
            panel = {"layer": one.layer, "axis": name, "unit": unit, "place": places, "mean": share.mean(axis=0)}
            panels.append(pd.DataFrame(panel | {"tenth": low, "ninetieth": high, "even": 100 / length}))
    return panels


def _places(facts: Facts, name: str, length: int) -> tuple[np.ndarray, str]:
    """What stands along an axis of the window: seconds, bands counted from below, words counted from 1."""
    for axis in facts.axes:
        if axis.name == name == "time" and len(axis.values) > 1:
            return np.arange(length) * (axis.values[1] - axis.values[0]), axis.unit
    return np.arange(1, length + 1), "bands" if name == "frequency" else ""


def _profile(panels: Sequence[pd.DataFrame]) -> Figure:
    """Where in the window the weights are."""

    def paint(drawing: Drawing) -> None:
        for axes, panel in zip(drawing.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            axes.fill_between(
                panel["place"], panel["tenth"], panel["ninetieth"], color=SERIES[0], alpha=0.2, linewidth=0
            )
            axes.plot(panel["place"], panel["mean"], color=SERIES[0], marker="o" if len(panel) <= 12 else None)
            axes.axhline(panel["even"][0], color=MUTED, linestyle="--", linewidth=1)
            unit = f", {panel['unit'][0]}" if panel["unit"][0] else ""
            axes.set(title=panel["layer"][0], xlabel=f"{panel['axis'][0]} in the window{unit}", ylim=(0, None))
            if axes.get_subplotspec().is_first_col():
                axes.set_ylabel("squared weights, %")
            if len(panel) <= 12 and panel["axis"][0] != "time":
                axes.set_xticks(panel["place"])

    return figure("profile", "kernels.profile", draw(paint, 40 + 260 * len(panels), 240), pd.concat(panels))


def _answers(one: Kernels, spectrum: Spectrum) -> Figure:
    """To which frequencies the filters on a signal answer, each by itself."""
    at, found = spectrum.frequencies, spectrum.gains
    shares = found / np.maximum(found.max(axis=1, keepdims=True), np.finfo(float).tiny)
    shares[one.idle] = 0
    unit = "Hz" if spectrum.timed else "swings a step"

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        axes.grid(False)
        axes.imshow(
            amount(shares, 1.0), aspect="auto", interpolation="none", extent=(0, at[-1], len(shares) - 0.5, -0.5)
        )
        axes.set(xlabel=f"frequency, {unit}", ylabel="filter")

    table = pd.DataFrame(found.T.round(5), columns=[f"filter {index}" for index in range(len(found))])
    table.insert(0, f"frequency, {unit}", at)
    still = int((spectrum.peak[~one.idle] == 0).sum())
    return Figure(
        f"frequencies-{one.layer}",
        draw(paint, 560, 260),
        alt=say("kernels.frequencies.alt", n=len(found), layer=one.layer),
        data=table,
        title=say("kernels.frequencies.title", layer=one.layer),
        caption=say("kernels.frequencies.caption", still=still, n=one.working),
    )
