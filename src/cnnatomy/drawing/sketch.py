"""Drawings put together by hand from lines, dots, boxes and words, in the page's colours."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

import numpy as np

from cnnatomy.drawing.plotting import MUTED, SERIES

LEVELS = 8  # of a colour, from faint to full, in pictures
PHONE = 312  # pixels that a phone shows whole
INK = -1
GREY = -2
Point = tuple[float, float]
Colour = int
"""A place in `plotting.SERIES`, or INK, the page's own, or GREY, which is only there for comparison."""


class Sketch:
    """A drawing of so many pixels; x goes to the right, y down. One of PHONE pixels need not be moved on a phone."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def text(
        self, x: float, y: float, words: object, anchor: str = "start", size: int = 13, bold: bool = False
    ) -> Sketch:
        """Words on the line y; anchor: whether x is their start, middle or end."""
        weight = ' font-weight="bold"' if bold else ""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}"{weight}>{escape(str(words))}</text>'
        )
        return self

    def line(self, points: Sequence[Point], colour: Colour = GREY, width: float = 1.5) -> Sketch:
        """Straight from each point to the next."""
        path = "L".join(f"{x:g} {y:g}" for x, y in points)
        self._parts.append(f'<path d="M{path}" fill="none" stroke="{shade(colour)}" stroke-width="{width:g}"/>')
        return self

    def lines(self, pairs: Sequence[tuple[Point, Point]], colour: Colour = GREY, width: float = 1.0) -> Sketch:
        """Many lines alike, each from a point to another, as one path."""
        path = "".join(f"M{x:.4g} {y:.4g}L{to_x:.4g} {to_y:.4g}" for (x, y), (to_x, to_y) in pairs)
        self._parts.append(f'<path d="{path}" fill="none" stroke="{shade(colour)}" stroke-width="{width:g}"/>')
        return self

    def arrow(self, start: Point, end: Point, colour: Colour = GREY) -> Sketch:
        """A line with a head at its end."""
        along = np.subtract(end, start) / max(float(np.hypot(*np.subtract(end, start))), 1e-9)
        aside = np.array([-along[1], along[0]])
        foot = np.array(end) - 7 * along
        self.line([start, (float(foot[0]), float(foot[1]))], colour)
        head = [end, tuple(foot + 4 * aside), tuple(foot - 4 * aside)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in head)
        self._parts.append(f'<path d="M{path}Z" fill="{shade(colour)}"/>')
        return self

    def dot(self, x: float, y: float, radius: float, colour: Colour = GREY, filled: float = 0.0) -> Sketch:
        """A circle; filled: how opaque it is within."""
        self._parts.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" stroke="{shade(colour)}" fill="{shade(colour)}" '
            f'fill-opacity="{filled:g}"/>'
        )
        return self

    def box(
        self,
        corner: tuple[float, float],
        size: tuple[float, float],
        colour: Colour = GREY,
        filled: float = 0.0,
        width: float = 1.0,
    ) -> Sketch:
        """A rectangle from its upper left corner; size: width and height; width: of its rim, none where 0."""
        (x, y), (across, down) = corner, size
        rim = f'stroke="{shade(colour)}" stroke-width="{width:g}"' if width else 'stroke="none"'
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{across:g}" height="{down:g}" {rim} fill="{shade(colour)}" '
            f'fill-opacity="{filled:g}"/>'
        )
        return self

    def picture(
        self, x: float, y: float, values: np.ndarray, side: float, colour: Colour = INK, tall: float | None = None
    ) -> Sketch:
        """Pixels (rows, columns) in a thin frame: 0 is nothing, 1 the full colour.

        Each is a square of this side, or, where `tall` is given, as wide as this side and so high.
        """
        down = side if tall is None else tall
        levels = np.rint(LEVELS * np.clip(values, 0, 1)).astype(int)
        for level in range(1, LEVELS + 1):
            rows = "".join(
                f"M{x + first * side:.5g} {y + (row + 0.5) * down:.5g}h{(last - first) * side:.5g}"
                for row, line in enumerate(levels == level)
                for first, last in _runs(line)
            )
            if rows:
                self._parts.append(
                    f'<path d="{rows}" fill="none" stroke="{shade(colour)}" stroke-width="{down:g}" '
                    f'stroke-opacity="{level / LEVELS:g}"/>'
                )
        return self.box((x, y), (values.shape[1] * side, values.shape[0] * down))

    def svg(self) -> str:
        """The drawing."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{self.width:g}" height="{self.height:g}" fill="currentColor" '
            f'font-family="var(--chart-font, system-ui, sans-serif)">{"".join(self._parts)}</svg>'
        )


def _runs(line: np.ndarray) -> list[tuple[int, int]]:
    """Where a row is true without a gap, each from its first place to behind its last."""
    steps = np.diff(np.concatenate([[0], line.astype(int), [0]]))
    return [*zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True)]


def shade(colour: Colour) -> str:
    """A colour as a drawing names it."""
    if colour == INK:
        return "currentColor"
    if colour == GREY:
        return f"var(--chart-muted, {MUTED})"
    return f"var(--series-{colour + 1}, {SERIES[colour]})"
