"""Signals and other values along time as small pictures of curves, one colour a channel, with what the axes reach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnatomy.data.prepared import Facts
from cnnatomy.drawing.plotting import MUTED, SERIES

if TYPE_CHECKING:
    from PIL import ImageDraw

SIZE = (240, 96)  # pixels: width, height
SMALL = (96, 44)  # of a picture beside many others, which has no numbers at its axes
LANES = 3  # channels up to which curves share one frame; more stand below each other
LANE = 14  # pixels of height for each of these, at least
PAPER = (247, 247, 247)  # the colour of zero in `showing.signed`, so that nothing behind a curve looks like nothing
OUTSIDE = (203, 153, 224)  # padding around a sample, as in `patches`
STRIP = 10  # pixels of height of a map below the curves
PALE = 0.35  # of its colours, behind the curves
FINE = 3  # pixels drawn for one that is shown, so that lines are smooth
COLOURS = 48  # of a picture: smooth enough, and a third of the bytes
LETTERS = 9  # pixels of height of the numbers at the axes


class Ends(NamedTuple):
    """What the numbers at the axes say: the times of the first and the last step; units of the values and of time."""

    times: tuple[float, float]
    units: tuple[str, str]


class Ground(NamedTuple):
    """Colours of the steps, uint8 (steps, 3): behind the curves, and in a strip below them, which is pale behind."""

    behind: np.ndarray | None = None
    strip: np.ndarray | None = None


def plot(
    values: np.ndarray,
    limits: tuple[float, float] | Sequence[tuple[float, float]],
    ends: Ends | None = None,
    ground: Ground | None = None,
    size: tuple[int, int] = SIZE,
    dots: bool = False,
) -> np.ndarray:
    """Curves as pixels, uint8 (height, width, 3); values: (channels, steps), NaN where there is none.

    limits: of all channels, below and above, or of each where they stand below each other; then there are no numbers
    at that axis. ends: None: no numbers at the axes. dots: a dot at each value.
    """
    from PIL import Image, ImageDraw

    behind, map_ = ground or Ground()
    channels, steps = values.shape
    lanes = channels if channels > LANES else 1
    width, height = size[0], max(size[1], LANE * lanes)
    left, bottom = (38, height - 12) if ends is not None else (2, height - 2)
    right, top = width - 3, 3
    reached = [_apart(low, high) for low, high in np.broadcast_to(np.reshape(limits, (-1, 2)), (lanes, 2)).tolist()]
    image = Image.new("RGB", (width * FINE, height * FINE), PAPER)
    draw = ImageDraw.Draw(image)
    strip = STRIP if map_ is not None else 0
    frame = _Frame(left, top, right, bottom - strip, steps, reached)
    if map_ is not None:
        frame.ground(draw, map_, bottom - STRIP, bottom)
        frame.ground(draw, PALE * map_ + (1 - PALE) * np.array(PAPER), top, frame.bottom)
    if behind is not None:
        frame.ground(draw, behind, top, frame.bottom)
    frame.axes(draw)
    for channel in range(channels):
        lane, colour = (channel if lanes > 1 else 0), SERIES[channel % len(SERIES)]
        points = [
            (frame.across(step), frame.up(float(value), lane))
            for step, value in enumerate(values[channel])
            if value == value
        ]
        draw.line(points, fill=colour, width=4, joint="curve")
        for x, y in points if dots else ():
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=colour)
    if ends is not None:
        frame.numbers(draw, ends, height)
    small = image.reduce(FINE)
    palette = small.quantize(
        COLOURS if map_ is None else 2 * COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    return np.asarray(palette.convert("RGB"))


@dataclass(frozen=True)
class _Frame:
    """Where curves stand in a picture, in pixels of the one that is shown; ends: of the values of each lane."""

    left: int
    top: int
    right: int
    bottom: int
    steps: int
    ends: Sequence[tuple[float, float]]

    def across(self, step: float) -> float:
        return FINE * (self.left + (self.right - self.left) * (step + 0.5) / self.steps)

    def up(self, value: float, lane: int) -> float:
        tall, (low, high) = (self.bottom - self.top) / len(self.ends), self.ends[lane]
        return FINE * (self.top + tall * lane + tall * (high - min(max(value, low), high)) / (high - low))

    def ground(self, draw: ImageDraw.ImageDraw, colours: np.ndarray, highest: float, lowest: float) -> None:
        """A colour behind each step, (steps, 3)."""
        for step, colour in enumerate(np.rint(colours).astype(int).tolist()):
            box = (self.across(step - 0.5), FINE * highest, self.across(step + 0.5), FINE * lowest)
            draw.rectangle(box, fill=tuple(colour))

    def axes(self, draw: ImageDraw.ImageDraw) -> None:
        left, top, right, bottom = (FINE * side for side in (self.left, self.top, self.right, self.bottom))
        for lane, (low, high) in enumerate(self.ends):
            if low < 0 < high:
                draw.line((left, self.up(0, lane), right, self.up(0, lane)), fill="#c4c5c7", width=2)
        draw.line((left, top, left, bottom, right, bottom), fill=MUTED, width=2)

    def numbers(self, draw: ImageDraw.ImageDraw, ends: Ends, height: int) -> None:
        """The numbers at the ends of the axes; upward only where all lanes have the same."""
        from PIL import ImageFont

        times, units = ends
        font, ink = ImageFont.load_default(size=LETTERS * FINE), "#5a5b5d"
        low, high = self.ends[0]
        for value, y, anchor in ((high, self.top, "rt"), (low, self.bottom, "rb")) if len(set(self.ends)) == 1 else ():
            text = short(value) + (f" {units[0]}" if units[0] and value == high else "")
            draw.text((FINE * (self.left - 2), FINE * y), text, fill=ink, font=font, anchor=anchor)
        draw.text((FINE * self.left, FINE * (height - 1)), short(times[0]), fill=ink, font=font, anchor="lb")
        last = f"{short(times[1])} {units[1]}"
        draw.text((FINE * self.right, FINE * (height - 1)), last, fill=ink, font=font, anchor="rb")


def signal(
    facts: Facts,
    values: np.ndarray,
    window: tuple[int, int] | None = None,
    map_: np.ndarray | None = None,
    size: tuple[int, int] = SIZE,
) -> np.ndarray:
    """A signal (channels, steps) in its own units as pixels, or the part of it in `window`, padding in lilac.

    map_: see `Ground.strip`.
    All pictures of a dataset have the range of its training samples upward, unless a value lies beyond it; where the
    channels stand below each other, each its own, for they may measure anything. Those of the usual size have numbers
    at the axes.
    """
    steps = values.shape[1]
    first, beyond = window or (0, steps)
    part = cut(values, (first, beyond))
    behind = None
    if first < 0 or beyond > steps:
        places = np.arange(first, beyond)
        behind = np.where(((places < 0) | (places >= steps))[:, None], OUTSIDE, PAPER).astype(np.uint8)
    limits = reaches(facts, part) if has_lanes(facts) else reach(facts, part)
    ends = Ends((moment(facts, first), moment(facts, beyond - 1)), (unit_of(facts), facts.axes[0].unit))
    return plot(part, limits, ends if size[0] >= SIZE[0] else None, Ground(behind, map_), size)


def cut(values: np.ndarray, window: tuple[int, int]) -> np.ndarray:
    """The part of a signal (channels, steps) in a window; NaN beyond its ends."""
    first, beyond = window
    part = np.full((len(values), beyond - first), np.nan)
    here = slice(max(0, first), min(values.shape[1], beyond))
    if here.stop > here.start:
        part[:, here.start - first : here.stop - first] = values[:, here]
    return part


def reach(facts: Facts, values: np.ndarray | None = None) -> tuple[float, float]:
    """The lowest and the highest value of all channels in training, or of these values where they lie beyond."""
    channels = facts.channels or []
    ends = [end for channel in channels for end in (channel.low, channel.high)]
    if values is not None and np.isfinite(values).any():
        ends += [float(np.nanmin(values)), float(np.nanmax(values))]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def reaches(facts: Facts, values: np.ndarray) -> list[tuple[float, float]]:
    """For each channel its lowest and its highest value in training, or of these values where they lie beyond."""
    found = []
    for channel, its in zip(facts.channels or [], values, strict=True):
        there = its[np.isfinite(its)]
        found.append((min([channel.low, *map(float, there)]), max([channel.high, *map(float, there)])))
    return found


def has_lanes(facts: Facts) -> bool:
    """Whether the channels stand below each other, each with a range of its own."""
    return len(facts.channels or []) > LANES


def _apart(low: float, high: float) -> tuple[float, float]:
    """The ends of an axis; where they are one value, it stands in the middle."""
    return (low, high) if high > low else (low - 1, low + 1)


def unit_of(facts: Facts) -> str:
    """The unit of the channels, which is one for all."""
    return facts.channels[0].unit if facts.channels else ""


def moment(facts: Facts, place: float) -> float:
    """The time at a step, also before the first and after the last one."""
    times = facts.axes[0].values
    step = times[1] - times[0] if len(times) > 1 else 1.0
    return times[0] + step * place


def short(value: float) -> str:
    """A number to three digits. (The font has no true minus sign.)"""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(digits, 4)}f}" if abs(value) < 1e5 else f"{value:.2g}"
    return text.rstrip("0").rstrip(".") if "." in text else text
