"""Boxes as a drawing: a row for each step away from the input, side by side what doesn't wait for another."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from xml.sax.saxutils import escape

from cnnatomy.data.prepared import Facts
from cnnatomy.dissect.structure.boxes import Box
from cnnatomy.dissect.structure.steps import Step, times
from cnnatomy.drawing import saying
from cnnatomy.drawing.plotting import MUTED, SERIES
from cnnatomy.exhibit import Text, say

WIDTH = 720
GAP = 18  # between rows of boxes, for the lines
LINE = 15
GLYPH = 42  # the side of the picture of a map that is as large as the input


def drawing(boxes: Sequence[Box], facts: Facts) -> str:
    """The boxes as an SVG text: a row for each step away from the input, side by side what doesn't wait for another."""
    nodes = [Box("input", []), *(replace(box, after={place + 1 for place in box.after} or {0}) for box in boxes)]
    ranks: list[int] = []
    for node in nodes:
        ranks.append(1 + max((ranks[place] for place in node.after), default=-1))
    rows = [[place for place in range(len(nodes)) if ranks[place] == rank] for rank in range(max(ranks) + 1)]
    passing = any(ranks[place] - ranks[before] > 1 for place, node in enumerate(nodes) for before in node.after)
    room = WIDTH - 2 - (90 if passing else 0)
    most = max(sum(box.parameters for box in boxes), 1), max(sum(box.multiply_adds for box in boxes), 1)
    at: dict[int, tuple[float, float, float, float]] = {}
    parts: list[str] = []
    top = 2.0
    for row in rows:
        width = min(460.0, (room - 12 * (len(row) - 1)) / len(row))
        texts = [_lines(nodes[place], facts, width - GLYPH - 22) for place in row]
        height = max(GLYPH + 12, max(LINE * len(lines) + 16 for lines in texts))
        left = 1 + (room - width * len(row) - 12 * (len(row) - 1)) / 2
        for place, lines in zip(row, texts, strict=True):
            at[place] = (left, top, width, height)
            parts.append(_box(nodes[place], lines, at[place], facts, most))
            left += width + 12
        top += height + GAP
    lines = [
        _line(at[before], at[place], ranks[place] - ranks[before], room)
        for place, node in enumerate(nodes)
        for before in sorted(node.after)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top - GAP + 2:.0f}" width="{WIDTH}" '
        f'height="{top - GAP + 2:.0f}" fill="currentColor" font-family="var(--chart-font, system-ui, sans-serif)" '
        f'font-size="12">{"".join(lines)}{"".join(parts)}</svg>'
    )


def _lines(node: Box, facts: Facts, width: float) -> list[str]:
    """The text of a box, the first line its name."""
    letters = max(12, int(width / 6.6))
    if not node.steps:
        return ["input", *textwrap.wrap(times(facts.shape), letters)]
    about = [times(node.shape)]
    if seen := sees(node.output, facts):
        about.append(f"sees {saying.in_charts(seen)}")
    if node.parameters:
        about.append(f"{node.parameters:,} parameters")
    packed = [about[0]]
    for part in about[1:]:
        if len(packed[-1]) + len(part) + 3 <= letters:
            packed[-1] += f" · {part}"
        else:
            packed.append(part)
    return [node.name, *textwrap.wrap(saying.in_charts(node.does), letters), *packed]


def _box(
    node: Box, lines: Sequence[str], at: tuple[float, float, float, float], facts: Facts, most: tuple[int, int]
) -> str:
    left, top, width, height = at
    parts = [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="5" fill="none" '
        f'stroke="var(--chart-muted, {MUTED})"/>',
        _glyph(node.shape if node.steps else facts.shape, left + 8, top + height / 2, facts),
    ]
    first = top + height / 2 - LINE * len(lines) / 2 + 11
    for place, text in enumerate(lines):
        weight = ' font-weight="bold"' if place == 0 else ""
        parts.append(f'<text x="{left + GLYPH + 18:.1f}" y="{first + LINE * place:.1f}"{weight}>{escape(text)}</text>')
    for place, (value, whole_) in enumerate(zip((node.parameters, node.multiply_adds), most, strict=True)):
        if value:
            parts.append(
                f'<rect x="{left + 1:.1f}" y="{top + height - 6 + 3 * place:.1f}" height="2.4" '
                f'width="{max(1.0, (width - 2) * value / whole_):.1f}" '
                f'fill="var(--series-{place + 1}, {SERIES[place]})"/>'
            )
    return "".join(parts)


def _glyph(shape: Sequence[int], left: float, middle: float, facts: Facts) -> str:
    """The size of a map beside that of the input: rows down, columns across, channels one behind the other."""
    lengths = (1, *facts.shape) if facts.kind == "texts" else facts.shape
    across, down = max(lengths[-1], 1), max(lengths[-2] if len(lengths) > 2 else 1, 1)
    largest = max(across, down)
    sides = [shape[-1] if len(shape) > 1 else 1, shape[-2] if len(shape) > 2 else 1]
    if facts.kind == "texts" and len(shape) == 1:
        sides = [shape[0], 1] if list(shape) == list(facts.shape) else [1, 1]
    width, height = (min(GLYPH - 8.0, max(3.0, (GLYPH - 8) * side / largest)) for side in sides)
    behind = 0 if len(shape) == 1 or shape[0] == 1 else min(3, int(math.log2(shape[0]) / 2) + 1)
    x, y = left + (GLYPH - 8 - width) / 2, middle - height / 2
    return "".join(
        f'<rect x="{x + 2.5 * place:.1f}" y="{y - 2.5 * place:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="var(--series-5, {SERIES[4]})" fill-opacity="{0.25 if place else 0.6}" '
        f'stroke="var(--series-1, {SERIES[0]})" stroke-width="0.8"/>'
        for place in range(behind, -1, -1)
    )


def _line(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float], rows: int, room: float
) -> str:
    """From the foot of a box to the head of a later one; around those between, where there are any."""
    x, y = one[0] + one[2] / 2, one[1] + one[3]
    to_x, to_y = other[0] + other[2] / 2, other[1]
    if rows > 1:
        x, y = one[0] + one[2], one[1] + one[3] / 2
        to_x, to_y = other[0] + other[2], other[1] + other[3] / 2
        side = min(WIDTH - 4, room + 14 + 10 * rows)
        path = f"M{x:.1f} {y:.1f}C{side:.1f} {y:.1f} {side:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
    elif abs(x - to_x) < 1:
        path = f"M{x:.1f} {y:.1f}V{to_y:.1f}"
    else:
        half = (y + to_y) / 2
        path = f"M{x:.1f} {y:.1f}C{x:.1f} {half:.1f} {to_x:.1f} {half:.1f} {to_x:.1f} {to_y:.1f}"
    return f'<path d="{path}" fill="none" stroke="var(--chart-muted, {MUTED})" stroke-width="1.5"/>'


def sees(step: Step, facts: Facts) -> Text:
    """What a unit of a step sees, in words; nothing where that can't be followed."""
    if step.field is None:
        return ""
    lengths = facts.shape if facts.kind == "texts" else facts.shape[1:]
    size = saying.window(facts, [min(pair) for pair in zip(step.field.size, lengths, strict=True)])
    if all(seen >= length for seen, length in zip(step.field.size, lengths, strict=True)):
        return say("structure.sees.all") if set(step.field.units) == {1} else say("structure.sees.all_of", size=size)
    return size
