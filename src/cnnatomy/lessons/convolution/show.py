"""The walk of a filter as pictures, one a window. What is said of them: `locale/<language>/convolution.yaml`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnnatomy.exhibit import Block, Figure, Frame, Prose, Say, Showing, Steps, Table, say
from cnnatomy.lessons.convolution.measure import STRIDES, Convolution, Walk, numbers
from cnnatomy.lessons.number_tables import NumberTables, factor, number

SOURCES = ["@dumoulin2016"]


def show(found: Convolution) -> Showing:
    """Frame by frame over the signal and over the image, all maps, and every window beside torch."""
    first, second = (Steps(f"stride-{n}", _over(found.at(n)[0]), say(f"convolution.stride.{n}")) for n in STRIDES)
    blocks: list[Block] = [
        Steps("overlap", _along(found.line), say("convolution.line")),
        first,
        second,
        _channels(found),
        Table("windows", _windows(found), say("convolution.windows")),
        Prose(say("convolution.turned")),
    ]
    return Showing(numbers(found), blocks, say("convolution.caption"), SOURCES)


def _along(walk: Walk) -> list[Frame]:
    k, n = len(walk.kernel), len(walk.over)
    frames = []
    for _, (i,), window in walk.windows():
        under = {(0, i + j) for j in range(k)}
        laid = np.zeros((1, n))
        laid[0, i : i + k] = walk.kernel
        ahead = {(0, later) for later in range(i + 1, len(walk.sums))}
        sheet = NumberTables().table(walk.over[None], "signal", marked=under).below()
        sheet.table(laid, "weights", marked=under, hidden={(0, j) for j in range(n)} - under).below()
        sheet.table(walk.sums[None], "sums", marked={(0, i)}, hidden=ahead)
        frames.append(_frame(f"overlap-{i + 1}", say("convolution.place", n=i + 1), worked(window, walk.kernel), sheet))
    return frames


def _over(walk: Walk) -> list[Frame]:
    height, width = walk.kernel.shape
    frames: list[Frame] = []
    for place, (top, left), window in walk.windows():
        under = {(top + i, left + j) for i in range(height) for j in range(width)}
        ahead = {later for later in np.ndindex(*walk.sums.shape) if later > place}
        sheet = NumberTables().table(walk.over, "image", marked=under, shaded=True).sign("×")
        sheet.table(walk.kernel, "filter").sign("=").table(window * walk.kernel, "products").sign("→")
        sheet.table(walk.sums, "feature map", marked={(place[0], place[1])}, hidden=ahead)
        where = say("convolution.window", top=top + 1, bottom=top + height, left=left + 1, right=left + width)
        frames.append(_frame(f"stride-{walk.stride}-{len(frames) + 1}", where, worked(window, walk.kernel), sheet))
    return frames


def _frame(name: str, where: Say, sum_: str, sheet: NumberTables) -> Frame:
    return Frame(where, sum_, [Figure(name, sheet.svg(), say("convolution.alt", where=where, sum=sum_))])


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
    return Figure(
        "channels",
        sheet.svg(),
        alt=say("convolution.channels.alt", n=len(filters)),
        title=say("convolution.channels.title"),
        caption=say("convolution.channels.caption", rows=rows, columns=columns, first=first, second=second),
    )


def _windows(found: Convolution) -> pd.DataFrame:
    """Each window of the signal and of the image under each filter: the sum as one would write it, and torch's."""
    rows = []
    for walk in (found.line, *found.walks):
        over = f"filter {walk.filter}, stride {walk.stride}" if walk.filter else "signal"
        for place, first, window in walk.windows():
            ends = [f"{at + 1}–{at + n}" for at, n in zip(first, walk.kernel.shape, strict=True)]
            where = f"rows {ends[0]}, columns {ends[1]}" if len(ends) == 2 else ends[0]
            sums = float(walk.sums[place]), float(walk.torch[place])
            rows.append((over, where, worked(window, walk.kernel), *sums))
    return pd.DataFrame(rows, columns=["over", "window", "products", "sum", "torch"])
