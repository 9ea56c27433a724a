"""What stands along the sides of a picture of samples, or of windows on them: pixels, hertz, milliseconds, words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cnnatomy.data.prepared import Facts
from cnnatomy.exhibit import Axis, say
from cnnatomy.exhibit.rounding import significant

TICKS = 6  # numbers along a side, about
ROOM = 0.5  # of the distance between two numbers, which the end must have to get one
OCTAVES = 125 * 2 ** np.arange(9)  # Hz, of which those that are there stand at a frequency axis


def along(facts: Facts, rows: int, columns: int) -> tuple[Axis, Axis] | None:
    """The axes of a picture of so many input places, x and y; None for signals, whose pictures have axes of their own.

    Of a sound, rows that are not all of its bands may lie anywhere: they are counted.
    """
    if facts.kind == "images":
        return counted("column", columns), counted("row", rows)
    if facts.kind == "texts":
        return counted("entry", columns), counted("word", rows)
    if facts.kind == "signals" or len(facts.axes) != 2:
        return None
    frequency, time = facts.axes
    timed = len(time.values) > 1
    across = _times(time.values[1] - time.values[0], columns) if timed else counted("frame", columns)
    if rows != len(frequency.values):
        return across, counted("band", rows, upward=True)
    return across, hertz(frequency.values)


def of_first(sides: tuple[Axis, Axis] | None, tiles: tuple[int, int], size: Sequence[int]) -> tuple[Axis, Axis] | None:
    """The axes of a sheet of pictures that have these sides: along its first picture, from which those of all are read.

    tiles: pictures above each other and side by side, with a line of one pixel between. size: of the sheet, px.
    """
    if sides is None:
        return None
    parts = [((length + 1) / count - 1) / length for count, length in zip(tiles[::-1], size[1::-1], strict=True)]
    x, y = (
        replace(side, ticks=[(at * part, text) for at, text in side.ticks])
        for side, part in zip(sides, parts, strict=True)
    )
    return x, y


def counted(name: str, length: int, upward: bool = False) -> Axis:
    """A side of so many pixels, words or bands."""
    ticks = [(at / length, f"{at:.0f}") for at in _round(length)]
    return Axis(say(f"data.axis.{name}"), [(1 - at, text) for at, text in ticks] if upward else ticks)


def hertz(bands: list[float]) -> Axis:
    """A side that runs upward over all bands, whose centres are these, Hz."""
    low, high = bands[0], bands[-1]
    known = [octave for octave in OCTAVES if low <= octave <= high]
    middle = np.interp(known, bands, np.arange(len(bands)))
    return Axis(
        say("data.axis.frequency"),
        [(1 - (at + 0.5) / len(bands), f"{octave:.0f}") for at, octave in zip(middle, known, strict=True)],
    )


def span(facts: Facts, rows: tuple[int, int]) -> dict[str, float]:
    """Which frequencies a window on a sound is of, Hz: the centres of its lowest and of its highest band.

    rows: its first, and the first behind it.
    """
    bands, (first, beyond) = facts.axes[0].values, rows
    ends = (max(0, min(first, len(bands) - 1)), max(0, min(beyond, len(bands)) - 1))
    return {f"{end} Hz": significant(bands[at], 3) for end, at in zip(("from", "to"), ends, strict=True)}


def _times(step: float, frames: int) -> Axis:
    """A side of so many frames, each `step` seconds after the one before."""
    length = 1000 * step * frames
    return Axis(say("data.axis.time"), [(at / length, f"{at:.0f}") for at in _round(length)])


def _round(length: float) -> list[float]:
    """Round numbers from 0 to a length, about `TICKS` of them."""
    power = 10 ** np.floor(np.log10(length / TICKS))
    step = next(float(one * power) for one in (1, 2, 5, 10) if one * power >= length / TICKS)
    step = max(1.0, step)
    found = [float(at) for at in np.arange(0, length + step / 1000, step)]
    return [*found, length] if length - found[-1] > ROOM * step else found
