"""One box over another, what both cover, and the curve of that: the drawing by which a convolution is explained."""

from __future__ import annotations

import numpy as np

UNIT = 84  # px, a box is wide, and high
MARGIN = 34  # px
BLUE, RED = "var(--series-1, #4477aa)", "var(--series-2, #ee6677)"


def boxes(shifts: np.ndarray, overlaps: np.ndarray, place: int) -> str:
    """The drawing at one place of the sliding box.

    shifts: of its middle from the resting one's, in widths; overlaps: the shares of a box that both cover then. The
    curve is drawn as far as the place.
    """
    least, most = float(shifts[0]) - 0.5, float(shifts[-1]) + 0.5
    width, height = round(2 * MARGIN + (most - least) * UNIT), 2 * MARGIN + UNIT

    def x(at: float) -> float:
        return round(MARGIN + (at - least) * UNIT, 1)

    def y(at: float) -> float:
        return round(MARGIN + (1 - at) * UNIT, 1)

    def box(left: float, right: float, look: str) -> str:
        return f'<rect x="{x(left)}" y="{y(1)}" width="{round((right - left) * UNIT, 1)}" height="{UNIT}" {look}/>'

    shift, share = float(shifts[place]), float(overlaps[place])
    parts = [f'<path d="M{x(least)} {y(0)}H{x(most)}" fill="none" stroke="var(--chart-muted, #87888a)"/>']
    if share > 0:
        shared = max(-0.5, shift - 0.5), min(0.5, shift + 0.5)
        parts.append(box(*shared, f'fill="{RED}" fill-opacity="0.3" stroke="none"'))
    parts.append(box(-0.5, 0.5, f'fill="none" stroke="{BLUE}" stroke-width="2.5"'))
    parts.append(box(shift - 0.5, shift + 0.5, f'fill="none" stroke="{RED}" stroke-width="2.5"'))
    curve = " ".join(f"{x(float(a))},{y(float(b))}" for a, b in zip(shifts[: place + 1], overlaps, strict=False))
    parts.append(f'<polyline points="{curve}" fill="none" stroke="currentColor" stroke-width="2.5"/>')
    parts.append(f'<circle cx="{x(shift)}" cy="{y(share)}" r="5" fill="currentColor"/>')
    for at in (-1, 0, 1):
        parts.append(f'<text x="{x(at)}" y="{y(0) + 18}" text-anchor="middle">{at}</text>'.replace("-1<", "−1<"))
    parts.append(f'<text x="{x(most)}" y="{y(0) + 18}" text-anchor="end">shift</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'fill="currentColor" font-size="13" font-family="var(--chart-font, system-ui, sans-serif)">'
        f"{''.join(parts)}</svg>"
    )
