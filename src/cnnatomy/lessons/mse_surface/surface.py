"""The error surface from above: filled between lines of equal error, with the scale beside it, and paths over it."""

from __future__ import annotations

import numpy as np

from cnnatomy.drawing.plotting import Axes, Drawing, draw
from cnnatomy.lessons.mse_surface.measure import AXIS, SPAN, THERE, Descents, Path

BANDS = 16  # of colour; the error at the upper end of each is √2 times that at the lower
SIDE, HEIGHT = 340, 410  # px, of the surface and of the drawing
LEFT, TOP = 60, 14
WIDE, NARROW = 660, 500  # px, with names of paths at the right and without
FRAME = (LEFT, TOP, SIDE, SIDE)
RAVINE = 5  # times as much must the error bend across a valley as along it
NAMED = 2.1  # from the lowest point, where the ravine's name stands
COLOURS = ("#0077bb", "#ee7733", "#cc3311", "#aa3377", "#7755dd")  # they stand out from the surface in both themes
DOTS = 40  # of the first steps, marked one by one


def levels(found: Descents) -> np.ndarray:
    """The errors between the bands of colour, (BANDS + 1,), from the lowest that is drawn as one to the highest."""
    return found.heights.max() / np.sqrt(2) ** np.arange(BANDS, -1, -1)


def surface(found: Descents, paths: list[Path]) -> str:
    """The drawing, with paths and their names at its right, or with neither."""
    width = WIDE if paths else NARROW

    def paint(drawing: Drawing) -> None:
        drawing.set_layout_engine("none")
        axes = drawing.add_axes(_box(LEFT, TOP, SIDE, SIDE, width))
        _fill(axes, found)
        _scale(drawing.add_axes(_box(LEFT + SIDE + 16, TOP, 16, SIDE, width)), found)
        for path, colour in zip(paths, COLOURS, strict=False):
            axes.plot(*path.weights.T, color="#ffffff", linewidth=3.2)
            axes.plot(*path.weights.T, color=colour, linewidth=1.5, label=path.name)
            axes.plot(*path.weights[:DOTS].T, ".", color=colour, markersize=5)
        axes.set(xlabel="weight a of unit 1", ylabel="bias b of unit 1", xlim=(-SPAN, SPAN), ylim=(-SPAN, SPAN))
        if paths:
            axes.legend(loc="upper left", bbox_to_anchor=(1.27, 1.02), handlelength=1.2)

    return draw(paint, width=width, height=HEIGHT)


def _box(left: float, top: float, width: float, height: float, whole: float) -> tuple[float, float, float, float]:
    """Pixels as matplotlib takes them: shares of the drawing, from below."""
    return left / whole, 1 - (top + height) / HEIGHT, width / whole, height / HEIGHT


def _fill(axes: Axes, found: Descents) -> None:
    """Bands of colour, a dashed line around what has arrived, the start, the lowest point, the ravine's name."""
    bands = np.clip(np.searchsorted(levels(found), found.heights) - 1, 0, BANDS - 1)
    half = (AXIS[1] - AXIS[0]) / 2
    ends = (-SPAN - half, SPAN + half)
    axes.imshow(_coloured(bands), extent=(*ends, *ends), origin="lower", interpolation="none", aspect="auto")
    arrived = [THERE * found.paths["small"].errors[0]]
    axes.contour(AXIS, AXIS, found.heights, levels=arrived, colors="#222222", linewidths=1, linestyles="--")
    axes.plot(*found.paths["small"].weights[0], "o", color="#222222", markersize=7, markerfacecolor="#ffffff")
    axes.plot(*found.minimum, "x", color="#222222", markersize=9, markeredgewidth=2)
    if found.ravine >= RAVINE:
        a, b = found.minimum + NAMED * found.along
        axes.text(a, b + 0.6, "ravine", color="#222222", ha="center", fontsize=12)
    axes.grid(False)


def _scale(axes: Axes, found: Descents) -> None:
    """The colours with the errors between them, lowest below."""
    axes.imshow(_coloured(np.arange(BANDS)[:, None]), origin="lower", interpolation="none", aspect="auto")
    every = np.arange(0, BANDS + 1, 2)
    axes.set(xticks=[], yticks=every - 0.5, yticklabels=[f"{value:.2g}" for value in levels(found)[every]])
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_ylabel("mean squared error")
    axes.grid(False)


def _coloured(bands: np.ndarray) -> np.ndarray:
    """From pale, where the error is low, to dark."""
    from matplotlib import colormaps

    return np.round(255 * colormaps["YlGnBu"](0.06 + 0.8 * bands / (BANDS - 1))[..., :3]).astype(np.uint8)
