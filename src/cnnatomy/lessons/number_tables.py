"""Small tables of numbers as drawings: an image, a kernel, a feature map, cell by cell."""

from __future__ import annotations

from collections.abc import Collection
from xml.sax.saxutils import escape

import numpy as np

CELL = 30  # px, its height, and its width where no number is longer than three characters
DIGIT = 8  # px
HEAD = 26  # px, for the title above a table
Place = tuple[int, int]


class NumberTables:
    """A drawing on which tables of numbers stand side by side, from left to right, or one below the other."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._top = self._right = self._bottom = self._width = 0

    def table(
        self,
        values: np.ndarray,
        title: str,
        marked: Collection[Place] = (),
        hidden: Collection[Place] = (),
        shaded: bool = False,
    ) -> NumberTables:
        """Add numbers (rows, columns); `marked` cells get a frame, `hidden` ones are empty, `shaded`: those above 0."""
        rows, columns = values.shape
        seen = [place for place in np.ndindex(rows, columns) if place not in hidden]
        texts = {place: number(float(values[place])) for place in seen}
        wide = max(CELL, 6 + DIGIT * max(map(len, texts.values()), default=0))
        left, top = self._right + (24 if self._right else 1), self._top + HEAD
        self._parts.append(f'<text x="{left}" y="{top - 10}">{escape(title)}</text>')
        for row, column in seen:
            if shaded and values[row, column] > 0:
                self._parts.append(
                    f'<rect x="{left + column * wide}" y="{top + row * CELL}" width="{wide}" height="{CELL}" '
                    'fill="var(--series-1, #4477aa)" fill-opacity="0.25"/>'
                )
        lines = [f"M{left} {top + row * CELL}h{columns * wide}" for row in range(rows + 1)]
        lines += [f"M{left + column * wide} {top}v{rows * CELL}" for column in range(columns + 1)]
        self._parts.append(f'<path d="{"".join(lines)}" fill="none" stroke="var(--chart-muted, #87888a)"/>')
        drawn = "".join(
            f'<text x="{left + column * wide + wide // 2}" y="{top + row * CELL + CELL // 2 + 5}">{text}</text>'
            for (row, column), text in texts.items()
        )
        self._parts.append(f'<g text-anchor="middle">{drawn}</g>')
        if marked:
            down, across = zip(*marked, strict=True)
            self._parts.append(
                f'<rect x="{left + min(across) * wide}" y="{top + min(down) * CELL}" '
                f'width="{(max(across) - min(across) + 1) * wide}" height="{(max(down) - min(down) + 1) * CELL}" '
                'fill="none" stroke="var(--series-2, #ee6677)" stroke-width="3"/>'
            )
        self._right = max(left + columns * wide, left + 7 * len(title))
        self._bottom = max(self._bottom, top + rows * CELL)
        self._width = max(self._width, self._right)
        return self

    def sign(self, text: str) -> NumberTables:
        """Add a sign between two tables, such as ×."""
        self._right += 34
        middle = self._top + HEAD + CELL * 3 // 2 + 6
        self._parts.append(f'<text x="{self._right - 10}" y="{middle}" font-size="18">{escape(text)}</text>')
        return self

    def below(self) -> NumberTables:
        """Start anew below all that stands already."""
        self._top, self._right = self._bottom + 8, 0
        return self

    def svg(self) -> str:
        """The drawing."""
        width, height = self._width + 2, self._bottom + 2
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'fill="currentColor" font-size="13" font-family="var(--chart-font, system-ui, sans-serif)">'
            f"{''.join(self._parts)}</svg>"
        )


def number(value: float) -> str:
    """A number to two decimals at most, with a true minus sign."""
    rounded = round(value, 2)
    return "0" if rounded == 0 else f"{rounded:.2f}".rstrip("0").rstrip(".").replace("-", "−")


def factor(value: float) -> str:
    """A number as it stands behind a sign: (−1)."""
    return f"({number(value)})" if value < 0 else number(value)
