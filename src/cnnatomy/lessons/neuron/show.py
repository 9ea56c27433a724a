"""A neuron, the sigmoid, and δ on its way back. What is said of them: `locale/<language>/neuron.yaml`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cnnatomy.drawing.sketch import GREY, INK, PHONE, Sketch
from cnnatomy.exhibit import Block, Figure, Frame, Prose, Say, Showing, Steps, Table, say
from cnnatomy.exhibit.worded import figure
from cnnatomy.lessons.neuron.measure import Backpropagation, Layer, numbers, sigmoid
from cnnatomy.lessons.number_tables import factor, number

SOURCES = ["@rumelhart1986"]
ROW = 20  # pixels from one neuron to the next
TERMS = 4  # of a sum that are written out; the others are dots


def show(found: Backpropagation) -> Showing:
    """One neuron, the sigmoid, all steps forward and back, and every neuron's numbers."""
    first = found.layers[0]
    told = {"z": float(first.sums[0]), "a": float(first.activations[0]), "inputs": len(first.given)}
    neuron = figure("neuron", "neuron.one", _neuron(first), **told)
    steep = say("neuron.sigmoid.caption", slope=told["a"] * (1 - told["a"]), **told)
    curve = figure("sigmoid", "neuron.sigmoid", _sigmoid(first), None, steep, **told)
    sizes = [len(first.given), *(len(one.sums) for one in found.layers)]
    walk = Steps("walk", _frames(found), title=say("neuron.walk.title", sizes="-".join(map(str, sizes))))
    table = Table("neurons", _table(found), title=say("neuron.neurons"))
    blocks: list[Block] = [neuron, curve, Prose(say("neuron.layer")), walk, table]
    return Showing(numbers(found), blocks, [say("neuron.caption"), *_told(found)], SOURCES)


def _told(found: Backpropagation) -> list[Say]:
    sizes = [float(np.abs(one.deltas).mean()) for one in found.layers]
    shrinks = all(before < after for before, after in zip(sizes, sizes[1:], strict=False))
    step = {"before": found.before, "after": found.after, "rate": found.rate}
    return [
        say("neuron.autograd.same" if found.difference < 1e-12 else "neuron.autograd.apart", away=found.difference),
        say("neuron.step.less" if found.after < found.before else "neuron.step.more", **step),
        say("neuron.shrinks" if shrinks else "neuron.stays", last=sizes[-1], first=sizes[0]),
    ]


def _neuron(layer: Layer) -> str:
    """The first neuron: each input times its weight, their sum, its sigmoid."""
    n = len(layer.given)
    sketch = Sketch(PHONE, 30 + ROW * (n + 1) + 12)
    middle = 30 + ROW * (n + 1) / 2
    for x, words in ((0, "input"), (64, "weight"), (128, "product")):
        sketch.text(x, 14, words, size=12, bold=True)
    rows = [*zip(layer.given, layer.weights[0], strict=True), (1.0, layer.biases[0])]
    for place, (value, weight) in enumerate(rows):
        y = 30 + ROW * place + 14
        sketch.text(34, y, "bias" if place == n else number(value), "end").text(44, y, "×" if place < n else "")
        sketch.text(104, y, number(weight), "end").text(172, y, number(value * weight), "end")
        sketch.line([(178, y - 4), (210, middle)], GREY, 1)
    sketch.dot(224, middle, 15, INK).text(224, middle + 6, "Σ", "middle", 16)
    sketch.arrow((240, middle), (266, middle), INK).dot(281, middle, 15, INK).text(281, middle + 5, "σ", "middle", 16)
    sketch.text(224, middle + 34, f"{layer.sums[0]:.2f}".replace("-", "−"), "middle", bold=True)
    sketch.text(281, middle + 34, f"{layer.activations[0]:.2f}", "middle", bold=True)
    return sketch.svg()


def _sigmoid(layer: Layer) -> str:
    """The curve from −6 to 6, with the neuron's sum and its slope there."""
    wide, tall, left, top = 272, 130, 28, 10
    sketch = Sketch(PHONE, top + tall + 24)

    def at(z: float, a: float) -> tuple[float, float]:
        return round(left + wide * (z + 6) / 12, 1), round(top + tall * (1 - a), 1)

    sketch.line([at(-6, 0), at(6, 0)]).line([at(0, 0), at(0, 1)]).line([at(-6, 1), at(6, 1)], width=0.5)
    zs = np.linspace(-6, 6, 61)
    sketch.line([at(z, a) for z, a in zip(zs, sigmoid(zs), strict=True)], 0, 2.5)
    z, a = float(layer.sums[0]), float(layer.activations[0])
    slope = a * (1 - a)
    sketch.line([at(z - 1.5, a - 1.5 * slope), at(z + 1.5, a + 1.5 * slope)], 1, 2)
    sketch.line([at(z, 0), at(z, a), at(-6, a)], 1, 0.8).dot(*at(z, a), 4, 1, 1)
    for value in (-6, -3, 0, 3, 6):
        sketch.text(at(value, 0)[0], top + tall + 18, str(value).replace("-", "−"), "middle", 12)
    for value in (0, 1):
        sketch.text(left - 8, at(0, value)[1] + 4, value, "end", 12)
    return sketch.svg()


def _frames(found: Backpropagation) -> list[Frame]:
    """Forward through each layer, δ from the last layer to the first, and one weight's step."""
    frames, last = [], len(found.layers)
    for place, layer in enumerate(found.layers):
        terms = _terms(layer.weights[0], layer.given)
        formula = f"σ({terms} + {factor(layer.biases[0])}) = σ({number(layer.sums[0])}) = {layer.activations[0]:.3f}"
        told = say("neuron.forward.text", layer=place + 1, formula=formula)
        frames.append(_frame(f"forward-{place + 1}", say("neuron.forward.title", layer=place + 1), told, found, place))
    for place in reversed(range(last)):
        layer, a = found.layers[place], found.layers[place].activations[0]
        if place == last - 1:
            handed = f"({a:.3f} − {found.target[0]:g})"
        else:
            behind = found.layers[place + 1]
            handed = f"({_terms(behind.weights[:, 0], behind.deltas)})"
        formula = f"{handed} · {a:.3f} · (1 − {a:.3f}) = {_small(layer.deltas[0]).strip('()')}"
        told = say(f"neuron.back.{'output' if place == last - 1 else 'hidden'}", layer=place + 1, formula=formula)
        title = say("neuron.back.title", layer=place + 1)
        frames.append(_frame(f"back-{place + 1}", title, told, found, place, back=True))
    one = found.layers[-1]
    slope, weight = float(one.slopes[0, 0]), float(one.weights[0, 0])
    formula = f"{number(weight)} − {found.rate:g} · {_small(slope)} = {weight - found.rate * slope:.3f}".replace(
        "-", "−"
    )
    slopes = f"{one.given[0]:.3f} · {_small(one.deltas[0])} = {_small(slope).strip('()')}"
    step = say("neuron.step.text", slope=slopes, formula=formula, before=found.before, after=found.after)
    drawn = _network(found, last - 1, back=True, stepping=True)
    alt = say("neuron.network.back", layer=last)
    return [*frames, Frame(say("neuron.step.title"), step, [Figure("step", drawn, alt)])]


def _terms(weights: np.ndarray, values: np.ndarray) -> str:
    """A sum of products as one would write it, the first few and dots."""
    terms = [f"{factor(w)}·{factor(v) if abs(v) >= 0.01 else _small(v)}" for w, v in zip(weights, values, strict=True)]
    return " + ".join(terms[:TERMS]) + (" + …" if len(terms) > TERMS else "")


def _small(value: float) -> str:
    """A number to three digits that may be small, in brackets below zero."""
    text = f"{abs(value):.3g}" if abs(value) >= 1e-4 or value == 0 else f"{abs(value):.1e}"
    return f"(−{text})" if value < 0 else text


def _frame(name: str, title: Say, text: Say, found: Backpropagation, place: int, back: bool = False) -> Frame:
    drawn = _network(found, place, back)
    alt = say(f"neuron.network.{'back' if back else 'forward'}", layer=place + 1)
    return Frame(title, text, [Figure(name, drawn, alt)])


def _network(found: Backpropagation, place: int, back: bool, stepping: bool = False) -> str:
    """The neurons in columns, filled by what is known of them; lines where something is handed on just now.

    stepping: of lines only that of the weight that takes a step.
    """
    columns = [found.layers[0].given, *(one.activations for one in found.layers)]
    most = max(map(len, columns))
    sketch = Sketch(PHONE, ROW * most + 34)
    across = [20 + (PHONE - 40) * column / (len(columns) - 1) for column in range(len(columns))]
    ups = [[26 + ROW * (most - len(column)) / 2 + ROW * (at + 0.5) for at in range(len(column))] for column in columns]
    sketch.text(0, 14, "δ, handed back ←" if back else "forward →", size=12, bold=True)
    later = place + 1 < len(found.layers)
    if stepping:
        sketch.line([(across[place] + 7, ups[place][0]), (across[place + 1] - 7, ups[place + 1][0])], 2, 2)
    elif later or not back:
        start, end = (place + 1, place + 2) if back else (place, place + 1)
        _lines(sketch, (across[start], ups[start]), (across[end], ups[end]), back)
    for column, values in enumerate(columns):
        for at, value in enumerate(values):
            x, y = across[column], ups[column][at]
            if back and column > place:
                deltas = found.layers[column - 1].deltas
                share = abs(float(deltas[at])) / float(np.abs(deltas).max())
                sketch.dot(round(x, 1), y, 7, 0 if deltas[at] > 0 else 1, round(share, 2))
            else:
                known = back or column <= place + 1
                sketch.dot(round(x, 1), y, 7, INK if known else GREY, round(float(value), 2) if known else 0.0)
    return sketch.svg()


def _lines(
    sketch: Sketch, left: tuple[float, Sequence[float]], right: tuple[float, Sequence[float]], back: bool
) -> None:
    """All lines between two columns, thin; those of the first neuron, whose numbers are written out, thick."""
    (x, ups), (to_x, to_ups) = left, right
    pairs = [((x + 7, up), (to_x - 7, to)) for up in ups for to in to_ups]
    sketch.lines(pairs, GREY, 0.4)
    first = [((x + 7, ups[0]), (to_x - 7, to)) for to in to_ups] if back else []
    first = first or [((x + 7, up), (to_x - 7, to_ups[0])) for up in ups]
    sketch.lines(first, 2, 1.5)


def _table(found: Backpropagation) -> pd.DataFrame:
    rows = [
        (number_, at + 1, float(layer.sums[at]), float(layer.activations[at]), float(layer.deltas[at]), float(theirs))
        for number_, (layer, (_, biases)) in enumerate(zip(found.layers, found.autograd, strict=True), 1)
        for at, theirs in enumerate(biases)
    ]
    return pd.DataFrame(rows, columns=["layer", "neuron", "weighted sum", "activation", "delta", "delta by autograd"])
