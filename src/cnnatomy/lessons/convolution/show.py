"""Boxes that overlap, and an image under filters. What is said of them: `locale/<language>/convolution.yaml`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnnatomy.exhibit import Block, Convolver, Figure, Frame, Kernel, Prose, Say, Showing, Steps, Table, say
from cnnatomy.exhibit.worded import figure, headed
from cnnatomy.lessons.convolution.boxes import boxes
from cnnatomy.lessons.convolution.measure import STRIDES, Convolution, Walk, numbers
from cnnatomy.lessons.number_tables import NumberTables, factor, number

SOURCES = ["@dumoulin2016"]


def show(found: Convolution) -> Showing:
    """One box over another, the image under its filters, all maps, and every window beside torch."""
    blocks: list[Block] = [
        Steps("overlap", _along(found), *headed("convolution.line")),
        _over(found),
        _channels(found),
        Table("windows", _windows(found), say("convolution.windows"), folded=True),
        Prose(say("convolution.turned")),
    ]
    return Showing(numbers(found), blocks, say("convolution.caption"), SOURCES)


def _along(found: Convolution) -> list[Frame]:
    """A frame for each place of the sliding box: both boxes, what they share, and the curve of that as far as it is."""
    frames = []
    for place, shift in enumerate(found.shifts):
        share = say("convolution.line.share", shift=shift, share=found.overlaps[place])
        figure = Figure(f"overlap-{place + 1}", boxes(found.shifts, found.overlaps, place), share)
        frames.append(Frame(say("convolution.line.shift", shift=shift), share, [figure]))
    return frames


def _over(found: Convolution) -> Convolver:
    """The image under each filter, to be stepped through and changed; where a filter finds what it looks for."""
    walks = found.at(1)
    kernels = [Kernel(say("convolution.filter", n=walk.filter), walk.kernel[None], walk.sums) for walk in walks]
    return Convolver(
        "image",
        walks[0].over[None],
        kernels,
        most=max(1, int(walks[0].over.max())),
        title=say("convolution.image.title"),
        caption=[say("convolution.image.caption"), *map(_where, walks)],
    )


def _where(walk: Walk) -> Say:
    """Where on the map the filter gives the most, and whether what it looks for is there."""
    largest, possible = float(walk.sums.max()), float(walk.kernel.clip(0).sum() * walk.over.max())
    places = [f"({row + 1}, {column + 1})" for row, column in np.argwhere(walk.sums == largest)]
    outcome = "there" if largest == possible else "like"
    values = {"n": walk.filter, "value": number(largest), "places": places, "most": number(possible)}
    return say(f"convolution.image.{outcome}", **values)


def worked(window: np.ndarray, weights: np.ndarray) -> str:
    """The sum as one would write it: 1·1 + 0·(−1) + … = 3."""
    terms = [f"{number(x)}·{factor(w)}" for x, w in zip(window.ravel(), weights.ravel(), strict=True)]
    return f"{' + '.join(terms)} = {number(float((window * weights).sum()))}"


def _channels(found: Convolution) -> Figure:
    sheet = NumberTables()
    filters = found.at(1)
    for walk in filters:
        sheet.table(walk.kernel, f"filter {walk.filter}").sign("→")
        sheet.table(walk.sums, f"channel {walk.filter}", shaded=True)
    first, second = (
        say("convolution.channels.size", rows=rows, columns=columns, stride=stride)
        for stride, (rows, columns) in ((stride, found.at(stride)[0].sums.shape) for stride in STRIDES)
    )
    rows, columns = filters[0].over.shape
    caption = say("convolution.channels.caption", rows=rows, columns=columns, first=first, second=second)
    return figure("channels", "convolution.channels", sheet.svg(), None, caption, n=len(filters))


def _windows(found: Convolution) -> pd.DataFrame:
    """Each place of the box, and each window under each filter: the sum as one would write it, and torch's."""
    rows = []
    for walk in (found.line, *found.walks):
        over = f"filter {walk.filter}, stride {walk.stride}" if walk.filter else "box"
        for place, first, window in walk.windows():
            ends = [f"{at + 1}–{at + n}" for at, n in zip(first, walk.kernel.shape, strict=True)]
            where = f"rows {ends[0]}, columns {ends[1]}" if len(ends) == 2 else ends[0]
            sums = float(walk.sums[place]), float(walk.torch[place])
            rows.append((over, where, worked(window, walk.kernel), *sums))
    return pd.DataFrame(rows, columns=["what", "window", "products", "sum", "torch"])
