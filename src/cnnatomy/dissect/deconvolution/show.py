"""Patches above their reconstructions. What is said of them: `locale/<language>/deconvolution.yaml`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.deconvolution.measure import Answer, Filter, Reconstructions, mean_of_known, numbers
from cnnatomy.dissect.deconvolution.settings import Settings
from cnnatomy.dissect.patching.showing import LARGEST, chosen, drawn_as, fraction, hung, in_room, sides, titled
from cnnatomy.drawing import curves, saying
from cnnatomy.drawing.showing import class_name, colour, of_colours, shown_channels, signed, upright
from cnnatomy.exhibit import Block, Item, Say, Showing, Unit, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.patches import Drawn, Source, crop, sheet, shrunk, weight_of

SOURCES = ["@zeiler2014, section 2.1", "@nie2018"]


def show(found: Reconstructions, samples: Samples, settings: Settings) -> Showing:
    """A picture a filter that fires: its patches side by side, best first, and below each what it answered to.

    settings: `layers`, `kilobytes`; see conf/dissect/deconvolution.yaml.
    """
    facts, drawn = samples.facts, Drawn(samples)
    firing = [
        (source, [one for one in found.filters if one.source is source and one.answers]) for source in found.looked_at
    ]
    blocks: list[Block] = []
    for source, filters, items in in_room(firing, lambda one: _item(one, drawn), facts, settings.kilobytes):
        if items:
            said = titled(facts, source, len(items)), _reading(facts, source, filters)
            along = sides(facts, source, items, (2, len(filters[0].answers)))
            blocks += hung(f"deconvolution-{source.name}", items, said, along)
    caption = [
        say("deconvolution.caption"),
        chosen(found.looked_at, len(found.filters), found.total, settings.layers is not None),
        say("deconvolution.trust", shuffles=found.shuffles),
        say("deconvolution.unpooled") if found.same_for_every_patch else None,
    ]
    return Showing(numbers(found), blocks, caption, SOURCES)


def _item(one: Filter, drawn: Drawn) -> tuple[Item, float]:
    """A filter's patches and reconstructions as one picture, and about how many bytes it takes."""
    samples, best = drawn.samples, one.answers[0]
    patches = [drawn.patch(answer.patch) for answer in one.answers]
    if samples.facts.kind == "signals":
        back = [_curve(answer) for answer in one.answers]
    else:
        back = [
            crop(samples.facts, _pixels(answer, one.source, samples.facts), answer.patch.window)
            for answer in one.answers
        ]
        patches, back = ([shrunk(picture, LARGEST) for picture in row] for row in (patches, back))
    pixels = sheet([*patches, *back], len(patches))
    values = {
        "activation": best.patch.value,
        "like the patch": best.patch_likeness,
        "with shuffled weights": mean_of_known(best.shuffled_likeness),
        "with another filter": best.other_likeness,
    }
    named = [class_name(samples.facts, int(samples.labels[answer.patch.sample])) for answer in one.answers]
    item = Item(
        id=f"{one.source.name}/{one.channel}",
        pixels=pixels,
        label=f"{one.channel}" if "none" in named else f"{one.channel}: {', '.join(named)}",
        values={key: significant(value, 3) for key, value in values.items() if not np.isnan(value)},
        unit=Unit(one.source.name, one.channel),
    )
    return item, weight_of(pixels)


def _pixels(answer: Answer, source: Source, facts: Facts) -> np.ndarray:
    """A reconstruction of a whole sample as pixels, on a scale of its own that is symmetric about zero."""
    whole = answer.whole
    if not of_colours(facts):
        # Of several channels that are no colours, the sum: where the filter answered, whatever the channel.
        return signed(upright(facts, whole.sum(axis=0)))
    # Where it will be drawn smaller, the scale is that of the means that will be seen.
    side = fraction(facts, source)
    rows, columns = (length // side for length in whole.shape[1:])
    blocks = whole[:, : rows * side, : columns * side].reshape(len(whole), rows, side, columns, side)
    return colour(whole[shown_channels(facts)], float(np.abs(blocks.mean(axis=(2, 4), dtype=float)).max()))


def _curve(answer: Answer) -> np.ndarray:
    """The reconstruction of a part of a signal as curves, on a scale of its own that is symmetric about zero."""
    part = curves.cut(answer.whole, answer.patch.window[0])
    scale = float(np.nanmax(np.abs(part)))
    return curves.plot(part, (-scale, scale), size=curves.SMALL)


def _reading(facts: Facts, source: Source, filters: Sequence[Filter]) -> list[Say | None]:
    """How to read the colours or curves, and how the patches are drawn."""
    if facts.kind == "signals":
        return [say("deconvolution.reading.curves"), saying.small_signals(facts)]
    coloured = of_colours(facts)
    summed = facts.kind == "images" and facts.shape[0] > 1 and not coloured
    return [
        say(f"deconvolution.reading.{'colours' if coloured else 'signs'}"),
        say("deconvolution.reading.sum") if summed else None,
        say("deconvolution.reading.scale"),
        *drawn_as(facts, source, [answer.patch for one in filters for answer in one.answers]),
    ]
