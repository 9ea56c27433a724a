"""Maps as pictures, as strips and as marked words. What is said of them: `locale/<language>/feature_maps.yaml`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.feature_maps.measure import FeatureMaps, Maps, OfLayer, numbers
from cnnatomy.dissect.feature_maps.settings import Settings
from cnnatomy.drawing import curves, saying
from cnnatomy.drawing.plotting import Drawing, draw
from cnnatomy.drawing.showing import Shown, Sound, amount, signed, spaced, upright, words
from cnnatomy.drawing.showing import show as shown
from cnnatomy.exhibit import Block, Figure, Grid, Item, Say, Scale, Sentence, Showing, Texts, Unit, say
from cnnatomy.exhibit.axes import Colours
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.fields import Field

FAINT = 0.05  # a map weaker than this share of its layer's strongest is drawn as if it reached it: noise stays dark
LARGEST = 64  # rows or columns of a map as it is drawn: 64 maps of 112 × 112 would be 0.6 MB
WIDE = 8  # pixels of a map of one row or column
CURVES = (150, 56)  # pixels of a map of a signal
MARKED = 8  # filters of a layer whose words are marked in a sentence
TICKS = 7  # places with a number at an axis
SOURCES = ["@zeiler2014", "@yosinski2015"]


def show(found: FeatureMaps, samples: Samples, settings: Settings, *, sound: Sound | None = None) -> Showing:
    """The samples, and of each layer a picture a map; of the first sample strips, and the words that raise filters.

    settings: `columns`, maps a row. sound: gives a clip's wav bytes by the name of its file.
    """
    facts = samples.facts
    chosen = [Shown(one.place, one.said(samples), one.state) for one in found.answers]
    blocks: list[Block] = [shown("sample", samples, chosen, (say("feature_maps.sample.title"), ""), sound)]
    place = found.answers[0].place
    for one in found.layers:
        if one.layer.field is not None and facts.kind != "images":
            if (figure := _strips(one, one.layer.field, samples, place)) is not None:
                blocks.append(figure)
            if facts.kind == "texts":
                blocks.append(_marked(one, one.layer.field, samples, place))
        blocks.append(_grid(one, facts, settings.columns))
    caption = [say(f"feature_maps.look.{facts.kind}"), say("feature_maps.caption")]
    return Showing(numbers(found), blocks, caption, SOURCES)


def _grid(one: OfLayer, facts: Facts, columns: int | None) -> Grid:
    """The maps of a layer, of several samples in groups."""
    several = len(one.maps) > 1
    items = [item for maps in one.maps for item in _items(one, maps, facts, several)]
    known = {"layer": one.name, "n": one.layer.shape[0], "size": " × ".join(map(str, one.layer.shape[1:]))}
    field = one.layer.field
    return Grid(
        f"maps-{one.name}",
        items,
        columns=None if items[0].pixels.shape[1] > 64 else columns,
        title=say("feature_maps.maps.title", **known)
        if field is None
        else say("feature_maps.maps.title_seeing", window=saying.seen(facts, field.size), **known),
        caption=_reading(one, facts, sum(item.state == "" for item in items)),
        scale=None if facts.kind == "signals" else Scale(_colours(one), say("data.scale.activation")),
    )


def _colours(one: OfLayer) -> Colours:
    return "signed" if any((maps.values < 0).any() for maps in one.maps) else "amount"


def _items(one: OfLayer, maps: Maps, facts: Facts, several: bool) -> list[Item]:
    items = []
    both, scales = bool((maps.values < 0).any()), _scales(maps.values)
    for channel, pixels in enumerate(pixels_of(maps.values, facts, one.layer.field)):
        state = one.state(maps, channel)
        values = {"mean": maps.mean[channel], "largest": maps.peak[channel], "zeros": maps.zeros[channel]}
        if one.enough:
            values |= {"fires for": one.fires[channel] / one.compared, "rank": maps.rank[channel]}
        items.append(
            Item(
                id=f"{one.name}/{channel}{f' of {maps.sample}' if several else ''}",
                pixels=pixels,
                label=str(channel) if state else say("feature_maps.maps.silent", channel=channel),
                state=state,
                values={key: significant(float(value)) for key, value in values.items()},
                group=maps.sample if several else "",
                ends=None
                if facts.kind == "signals"
                else (significant(-scales[channel]) if both else 0.0, significant(scales[channel])),
                unit=Unit(one.name, channel),
            )
        )
    return items


def _scales(maps: np.ndarray) -> list[float]:
    """The value at which the colours of each map end."""
    strongest = float(np.abs(maps).max())
    return [max(float(np.abs(values).max()), FAINT * strongest) for values in maps]


def _reading(one: OfLayer, facts: Facts, silent: int) -> list[Say | None]:
    """Whose output the maps are, how many are at zero, and what the numbers beside them say."""
    step = -(-max(one.layer.shape[1:]) // LARGEST) if facts.kind == "images" else 1
    after = say("feature_maps.maps.after", layer=one.name, after=one.layer.name)
    return [
        say("feature_maps.maps.output", layer=one.name) if one.layer.name == one.name else after,
        say("feature_maps.maps.dead", n=one.compared, dead=one.dead, silent=silent)
        if one.enough
        else say("feature_maps.maps.too_few", silent=silent),
        say("feature_maps.maps.beside") if one.enough else None,
        say("feature_maps.maps.smaller", step=step) if step > 1 else None,
    ]


def pixels_of(maps: np.ndarray, facts: Facts, field: Field | None = None) -> list[np.ndarray]:
    """The maps of a layer as pixels, each on a scale of its own that begins at zero; of a signal as curves over time.

    Black is zero and nothing is below it; where the layer has numbers below zero (no ReLU behind it), zero is near
    white, red above and blue below. Maps fainter than `FAINT` of the strongest are drawn on the scale of that.
    """
    both = bool((maps < 0).any())
    pictures = []
    for values, scale in zip(maps, _scales(maps), strict=True):
        if facts.kind == "signals" and max(values.shape) == values.size:
            limits, ends = (-scale if both else 0.0, scale), _ends(facts, field, values.size)
            pictures.append(curves.plot(values.reshape(1, -1), limits, ends, size=CURVES))
            continue
        # A map along one axis: words run to the right, frequencies upward.
        flat = upright(
            facts, values if values.ndim == 2 else values[:, None] if facts.kind == "sounds" else values[None]
        )
        if 1 in flat.shape:  # a strip one pixel wide could not be seen
            flat = flat.repeat(WIDE, axis=flat.shape.index(1))
        if values.ndim == 2 and facts.kind == "images":
            flat = thinned(flat)
        pictures.append(signed(flat, scale) if both else amount(flat, scale))
    return pictures


def thinned(values: np.ndarray) -> np.ndarray:
    """A map of at most `LARGEST` rows and columns: of each block of its places the value farthest from zero."""
    step = -(-max(values.shape) // LARGEST)
    if step == 1:
        return values
    rows, columns = (np.arange(0, side, step) for side in values.shape)
    high = np.maximum.reduceat(np.maximum.reduceat(values, rows, axis=0), columns, axis=1)
    low = np.minimum.reduceat(np.minimum.reduceat(values, rows, axis=0), columns, axis=1)
    return np.where(high >= -low, high, low)


def _ends(facts: Facts, field: Field | None, units: int) -> curves.Ends | None:
    """The middle of what the first and the last unit of a map see of a signal."""
    if field is None or field.units != (units,):
        return None
    firsts = (field.start[0], field.start[0] + field.stride[0] * (units - 1))
    middle = [curves.moment(facts, first + (field.size[0] - 1) / 2) for first in firsts]
    return curves.Ends((middle[0], middle[1]), ("", facts.axes[0].unit))


def _strips(one: OfLayer, field: Field, samples: Samples, place: int) -> Figure | None:
    """All maps of a layer side by side, where each is but a strip along one axis; None where it isn't."""
    facts, maps = samples.facts, one.maps[0]
    along = _along(facts, field, maps.values)
    if along is None:
        return None
    axis, flat = facts.axes[along], maps.values.reshape(len(maps.values), -1)
    # Of a sentence only some of the units are there, which `units` names; of a sound all are.
    at = np.flatnonzero(maps.units) if maps.values.ndim == 2 else np.arange(flat.shape[1])
    first = field.start[along] + field.stride[along] * at
    values = np.interp(first + (field.size[along] - 1) / 2, np.arange(len(axis.values)), axis.values)
    spelt = words(samples, place) if facts.kind == "texts" else []
    firsts = [spelt[word] if 0 <= word < len(spelt) else "·" for word in first] if spelt else []

    name = f"{axis.name}, {axis.unit}"
    table = pd.DataFrame(flat.T, columns=[f"filter {channel}" for channel in range(len(flat))])
    table.insert(0, "first word" if firsts else name, firsts or values)
    of_axis = say(f"feature_maps.axis.{axis.name}")
    timeless = axis.name == "frequency" and field.units[-1] == 1
    return Figure(
        f"strips-{one.name}",
        _painted(flat, values, firsts, name),
        alt=say("feature_maps.strips.alt", n=len(flat), layer=one.name, axis=of_axis),
        data=table.round(5),
        title=say("feature_maps.strips.title", layer=one.name, axis=of_axis),
        caption=[
            say(f"feature_maps.strips.along.{axis.name}"),
            say("feature_maps.strips.first_word") if firsts else None,
            say("feature_maps.strips.timeless") if timeless else None,
            say(f"feature_maps.strips.scale.{'signs' if (flat < 0).any() else 'amounts'}"),
        ],
    )


def _along(facts: Facts, field: Field, maps: np.ndarray) -> int | None:
    """The axis of a sample along which maps run that are but strips; None where they aren't."""
    if not facts.axes or (maps.ndim == 3 and 1 not in maps.shape[1:]):
        return None
    if maps.ndim == 3:
        return 0 if maps.shape[2] == 1 or facts.kind == "signals" else 1
    return field.units.index(maps.shape[1]) if maps.shape[1] in field.units else 0


def _painted(flat: np.ndarray, values: np.ndarray, firsts: Sequence[str], name: str) -> str:
    """A row a filter, a column a place; of frequencies, which run upward, a column a filter."""
    paint_of = signed if (flat < 0).any() else amount
    ticks = evenly(len(values), TICKS)

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        axes.grid(False)
        if name.startswith("frequency"):
            axes.imshow(paint_of(flat.T), origin="lower", aspect="auto", interpolation="none")
            axes.set_yticks(ticks, [f"{values[tick]:.0f}" for tick in ticks])
            axes.set(xlabel="filter", ylabel=name)
            return
        axes.imshow(paint_of(flat), aspect="auto", interpolation="none")
        axes.set(ylabel="filter")
        if firsts:
            axes.set_xticks(np.arange(len(firsts)), firsts, rotation=60, ha="right", rotation_mode="anchor")
        else:
            axes.set_xticks(ticks, [f"{values[tick]:.2g}" for tick in ticks])
            axes.set_xlabel(name)

    return draw(paint, 640, 300)


def _marked(one: OfLayer, field: Field, samples: Samples, place: int) -> Texts:
    """The sentence once for each of the filters to which it is most unusual, with the words that they see."""
    spelt, maps = words(samples, place), one.maps[0]
    sentences = []
    order = np.lexsort((-maps.peak, -maps.rank))
    for channel in order[maps.peak[order] > 0][:MARKED]:
        weights = np.zeros(len(spelt))
        for unit, value in zip(np.flatnonzero(maps.units), maps.values[channel], strict=True):
            ((first, beyond),) = field.of_unit([int(unit)])
            part = slice(max(0, first), max(0, beyond))
            weights[part] = np.maximum(weights[part], value)
        values = {"largest": maps.peak[channel], "rank": maps.rank[channel]}
        sentences.append(
            Sentence(
                id=f"{one.name}/{channel} marked",
                tokens=[(word, significant(float(weight))) for word, weight in zip(spelt, weights, strict=True)],
                label=say("feature_maps.marked.filter", channel=channel),
                state="live",
                values={key: significant(float(value)) for key, value in values.items()},
                spaces=spaced(samples.facts),
                unit=Unit(one.name, int(channel)),
            )
        )
    title = say("feature_maps.marked.title", layer=one.name)
    return Texts(f"marked-{one.name}", sentences, title, say("feature_maps.marked.caption", n=len(sentences)))
