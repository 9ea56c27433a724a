"""Paths over the error surface, some at a time. What is said of them: `locale/<language>/mse_surface.yaml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.exhibit import Figure, Prose, Say, Showing, Table, say
from cnnatomy.lessons.mse_surface.measure import AXIS, SPAN, THERE, Descents, numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

#: Which paths are drawn together.
TOGETHER = {
    "step-sizes": ("small", "right", "large"),
    "momentum": ("small", "momentum"),
    "ways": ("right", "momentum", "adam", "conjugate", "newton"),
    "batches": ("right", "batches"),
}
LINES = np.arange(12, 0, -1)  # contour lines, each at half the error of the next
SOURCES = ["@minsky1969", "@nocedal2006, chapters 4 and 5"]


def show(found: Descents) -> Showing:
    """The surface with some paths at a time, where each ends, and what one unit cannot learn."""
    xor = say("mse_surface.xor.text", starts=found.xor_starts, **found.xor)
    return Showing(
        numbers(found),
        [
            *(_surface(found, name, ways) for name, ways in TOGETHER.items()),
            Table("paths", _table(found), say("mse_surface.paths")),
            Prose(xor, say("mse_surface.xor.title")),
        ],
        [say("mse_surface.caption", there=THERE), *_told(found)],
        SOURCES,
    )


def _told(found: Descents) -> list[Say | None]:
    """What became of the paths."""
    small, pushed, newton = (found.paths[way] for way in ("small", "momentum", "newton"))
    sentences: list[Say | None] = []
    for path in (found.paths[way] for way in TOGETHER["step-sizes"]):
        outcome = ("never" if path.arrives is None else "arrives") + ("_outside" if path.leaves else "")
        sentences.append(say(f"mse_surface.step.{outcome}", size=path.size, at=path.arrives, steps=found.steps))
    if pushed.arrives is None:
        sentences.append(say("mse_surface.momentum.never"))
    elif small.arrives is None:
        sentences.append(say("mse_surface.momentum.alone"))
    else:
        outcome = "sooner" if pushed.arrives < small.arrives else "no_sooner"
        sentences.append(say(f"mse_surface.momentum.{outcome}", at=pushed.arrives, without=small.arrives))
    if pushed.errors[-1] > small.errors[-1] > 0:
        sentences.append(say("mse_surface.momentum.worse", times=pushed.errors[-1] / small.errors[-1]))
    return [*sentences, None if newton.arrives is None else say("mse_surface.newton", at=newton.arrives)]


def _surface(found: Descents, name: str, ways: tuple[str, ...]) -> Figure:
    paths = [found.paths[way] for way in ways]

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        levels = found.heights.max() / 2.0**LINES
        axes.contour(AXIS, AXIS, found.heights, levels=levels, colors=MUTED, linewidths=0.7)
        for path, colour in zip(paths, SERIES, strict=False):
            axes.plot(*path.weights.T, color=colour, label=path.name, marker=".", markersize=3, linewidth=1.2)
        axes.plot(*found.minima.T, "x", linestyle="", color=MUTED, markersize=10, markeredgewidth=2)
        axes.set(xlabel="weight a", ylabel="weight b", xlim=(-SPAN, SPAN), ylim=(-SPAN, SPAN))
        axes.grid(False)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))

    ends = [
        say("mse_surface.end", path=say(f"mse_surface.path.{way}", size=path.size), a=a, b=b)
        for way, path, (a, b) in ((way, path, path.weights[-1]) for way, path in zip(ways, paths, strict=True))
    ]
    data = pd.concat(
        pd.DataFrame({"path": path.name, "step": range(len(path.weights)), "a": a, "b": b})
        for path, (a, b) in ((path, path.weights.T) for path in paths)
    )
    return Figure(
        name,
        draw(paint, width=640, height=400),
        alt=say("mse_surface.alt", ends=ends),
        data=data,
        title=say(f"mse_surface.together.{name}"),
    )


def _table(found: Descents) -> pd.DataFrame:
    rows = [
        (path.name, len(path.errors) - 1, path.errors[-1], path.away, path.arrives) for path in found.paths.values()
    ]
    table = pd.DataFrame(rows, columns=["path", "steps", "final MSE", "distance to a minimum", "below 1 % from"])
    return table.astype({"below 1 % from": "Int64"})
