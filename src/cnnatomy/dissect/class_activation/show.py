"""Class activation maps cell by cell, or on words. What is said of them: `locale/<language>/class_activation.yaml`.

Maps have the resolution of the layer that they are made of, and are neither smoothed nor stretched, over the picture as
by themselves; a map that is zero everywhere is drawn as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.class_activation.measure import Activations, Map, Seen, numbers
from cnnatomy.dissect.class_activation.settings import Settings
from cnnatomy.dissect.saliency.showing import (
    cells_picture,
    marked,
    on_signal,
    sample_item,
    tested,
    titled,
    weighed,
)
from cnnatomy.drawing import axes, overlays, saying
from cnnatomy.drawing.showing import picture, spaced, upright
from cnnatomy.exhibit import Grid, Item, Say, Scale, Sentence, Showing, Texts, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.layers import Layer

SOURCES = ["@zhou2016", "@selvaraju2017", "@chattopadhay2018", "@jiang2021", "@adebayo2018"]


def show(found: Activations, samples: Samples, settings: Settings) -> Showing:
    """Each sample beside its maps, or each sentence with its words marked; on wrong predictions for both classes."""
    block = _sentences(found, samples) if found.words else _pictures(found, samples)
    return Showing(numbers(found), [block], [say("class_activation.caption"), *tested(found.verdicts)], SOURCES)


def _pictures(found: Activations, samples: Samples) -> Grid:
    facts, layers, curved = samples.facts, found.layers, samples.facts.kind == "signals"
    items: list[Item] = []
    for seen in found.seen:
        sample = sample_item(samples, seen.answer, seen.answer.said(samples))
        items.append(sample if curved else replace(sample, more=[sample.pixels]))
        items += [
            _item(found, samples, seen, method, one, place)
            for method, maps in seen.maps.items()
            for place in range(len(layers))
            for one in maps
        ]
    size = " + ".join(" × ".join(map(str, layer.shape[1:])) for layer in layers)
    return Grid(
        "maps",
        items,
        columns=2 + len(found.verdicts) if len(layers) == 1 else None,
        title=say("class_activation.cells.title", layers=[layer.name for layer in layers], size=size),
        caption=[
            *_resolution(facts, layers),
            say(f"class_activation.cells.scale.{'signal' if curved else 'amount'}"),
            say("class_activation.cells.unsmoothed"),
        ],
        variants=() if curved else (say("class_activation.cells.over"), say("class_activation.cells.alone")),
        axes=axes.along(facts, *facts.shape[1:]) if len(facts.shape) == 3 else None,
        scale=None if curved else Scale("amount", say("data.scale.counts")),
    )


def _item(found: Activations, samples: Samples, seen: Seen, method: str, one: Map, place: int) -> Item:
    """A map of the layer at this place: by itself, or behind the signal that it is about."""
    facts, layer, cells = samples.facts, found.layers[place], one.cells[place]
    several, about = len(found.layers) > 1, {"method": titled(method), "of_class": one.of_class}
    of_layer = say("class_activation.map.of_layer", layer=layer.name, **about)
    label = of_layer if several else say("class_activation.map.of_class", **about)
    largest = significant(float(cells.max()))
    item = Item(
        id=f"{method} of {seen.id} for {one.of_class}{f' {layer.name}' if several else ''}",
        pixels=_laid_over(samples, seen, one.on_input[place]),
        label=marked(label, found.verdicts[method]),
        values={"largest": largest} | _peak(facts, layer, cells),
        group=seen.answer.said(samples),
    )
    if facts.kind == "signals":
        return item
    return replace(item, more=[cells_picture(facts, cells)], ends=(0.0, max(0.0, largest)))


def _laid_over(samples: Samples, seen: Seen, on_input: np.ndarray) -> np.ndarray:
    """A map over its sample, or behind the curves of a signal."""
    facts = samples.facts
    if facts.kind == "signals":
        return on_signal(samples, seen.answer, on_input)
    return overlays.over(picture(facts, samples.inputs[seen.answer.place]), upright(facts, on_input))


def _peak(facts: Facts, layer: Layer, values: np.ndarray) -> dict[str, float]:
    """Of a sound: which frequencies the strongest cell sees, in Hz; of a signal: what time it sees."""
    if facts.kind not in ("sounds", "signals") or layer.field is None or values.max() <= 0 or not facts.axes:
        return {}
    at = [int(place) for place in np.unravel_index(int(values.argmax()), values.shape)]
    at = at[-1:] if facts.kind == "signals" else at  # what a map has besides time is no part of the input
    first, beyond = layer.field.of_unit([*at, *[0] * (len(layer.field.size) - len(at))])[0]
    bands = facts.axes[0].values
    if facts.kind == "signals":
        unit, last = facts.axes[0].unit, len(bands) - 1
        ends = (max(0, min(first, last)), max(0, min(beyond - 1, last)))
        return {f"{end} {unit}": significant(bands[at], 3) for end, at in zip(("from", "to"), ends, strict=True)}
    return axes.span(facts, (first, beyond))


def _sentences(found: Activations, samples: Samples) -> Texts:
    """Each sentence with its words marked: each method over all layers, and Grad-CAM of each layer by itself."""
    sentences = [
        sentence
        for seen in found.seen
        for method, maps in seen.maps.items()
        for nth, one in enumerate(maps)
        for sentence in _of_map(found, samples, seen, method, one, method == "grad_cam" and nth == 0)
    ]
    return Texts(
        "maps",
        sentences,
        title=say("class_activation.words.title"),
        caption=[*_resolution(samples.facts, found.layers), say("class_activation.words.caption")],
    )


def _of_map(found: Activations, samples: Samples, seen: Seen, method: str, one: Map, by_layer: bool) -> list[Sentence]:
    """A sentence as a map marks it, and if asked for as each of several layers does."""
    whole = say("class_activation.map.of_class", method=titled(method), of_class=one.of_class)
    shown: list[tuple[Say, str, np.ndarray]] = [(whole, "", one.whole)]
    if by_layer and len(found.layers) > 1:
        for layer, weights in zip(found.layers, one.on_input, strict=True):
            label = say(
                "class_activation.words.of_layer", method=titled(method), of_class=one.of_class, layer=layer.name
            )
            shown.append((label, f", {layer.name}", weights))
    return [
        Sentence(
            id=f"{saying.in_charts(titled(method))} for {one.of_class} of {seen.id}{of_layer}",
            tokens=weighed(samples, seen.answer, weights),
            label=marked(label, found.verdicts[method]),
            state=seen.answer.state,
            values={"largest": significant(float(weights.max(initial=0)))},
            group=seen.answer.said(samples),
            spaces=spaced(samples.facts),
        )
        for label, of_layer, weights in shown
    ]


def _resolution(facts: Facts, layers: Sequence[Layer]) -> list[Say]:
    """What one cell of the maps stands for, and what the maps can't say."""
    said = []
    for layer in layers:
        known = {"layer": layer.name, "size": " × ".join(map(str, layer.shape[1:]))}
        field = layer.field
        if field is None:
            said.append(say("class_activation.cells.unknown", **known))
            continue
        window = saying.seen(facts, field.size)
        if facts.kind == "images" and all(s >= n for s, n in zip(field.size, facts.shape[1:], strict=True)):
            window = say("class_activation.cells.everything")
        whole = [
            say(f"class_activation.axis.{axis.name}")
            for axis, units in zip(facts.axes, field.units, strict=False)
            if units == 1
        ]
        if facts.kind == "texts":
            said.append(say("class_activation.words.windows", window=window, **known))
        elif whole:
            axes = say("class_activation.axis.both", one=whole[0], other=whole[1]) if len(whole) > 1 else whole[0]
            said.append(say("class_activation.cells.blind", window=window, axes=axes, **known))
        else:
            stride = saying.window(facts, field.stride)
            said.append(say("class_activation.cells.each", stride=stride, window=window, **known))
    return said
