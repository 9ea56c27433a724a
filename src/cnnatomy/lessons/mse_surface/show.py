"""Paths over the error surface, some at a time. What is said of them: `locale/<language>/mse_surface.yaml`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnnatomy.drawing.plotting import SERIES, Axes, Drawing, draw
from cnnatomy.exhibit import Block, Descent, Figure, HiddenUnit, Say, Showing, Table, say
from cnnatomy.exhibit.worded import figure
from cnnatomy.lessons.mse_surface.measure import SPAN, THERE, Descents, numbers
from cnnatomy.lessons.mse_surface.surface import FRAME, RAVINE, surface
from cnnatomy.lessons.mse_surface.xor import CASES, PLANE, TRUE, Plane

#: Which paths are drawn together.
TOGETHER = {
    "step-sizes": ("small", "right", "large"),
    "momentum": ("small", "momentum"),
    "ways": ("right", "momentum", "adam", "conjugate", "newton"),
    "batches": ("right", "batches"),
}
SIZES = [n * 10.0**power for power in (-2, -1, 0, 1) for n in (1, 1.5, 2, 3, 5, 7) if n * 10.0**power <= 30]
WORSE = 1.05  # times the error: less is none in two digits
SOURCES = ["@minsky1969", "@nocedal2006, chapters 4 and 5"]


def show(found: Descents) -> Showing:
    """The surface to walk on, some paths at a time, where each ends, and what one unit cannot learn."""
    blocks: list[Block] = [
        _descent(found),
        *(_surface(found, name, ways) for name, ways in TOGETHER.items()),
        Table("paths", _table(found), say("mse_surface.paths")),
        _xor(found),
    ]
    ravine = say("mse_surface.ravine", times=found.ravine) if found.ravine >= RAVINE else None
    return Showing(numbers(found), blocks, [say("mse_surface.caption", there=THERE), ravine, *_told(found)], SOURCES)


def _descent(found: Descents) -> Descent:
    """The surface, and the path of the middle step until the reader chooses another."""
    right = found.paths["right"]
    sizes = sorted(
        {round(size, 6) for size in SIZES} | {float(found.paths[way].size or 0) for way in TOGETHER["step-sizes"]}
    )
    weight, bias = found.network.other.tolist()
    a, b = right.weights[-1]
    return Descent(
        "walk",
        surface(found, []),
        alt=say("mse_surface.alt", ends=[say("mse_surface.end", path=_name("right", found), a=a, b=b)]),
        frame=FRAME,
        span=(-SPAN, SPAN),
        units=[HiddenUnit(1, "a", "b"), HiddenUnit(-1, weight, bias)],
        x=found.network.x.numpy(),
        y=found.network.y.numpy(),
        start=right.weights[0].tolist(),
        sizes=sizes,
        size=float(right.size or 0),
        path=right.weights,
        there=THERE,
        title=say("mse_surface.walk.title"),
        caption=say("mse_surface.walk.caption", size=right.size, there=THERE),
    )


def _name(way: str, found: Descents) -> Say:
    return say(f"mse_surface.path.{way}", size=found.paths[way].size)


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
        sentences.append(say("mse_surface.momentum.alone", at=pushed.arrives))
    else:
        outcome = "sooner" if pushed.arrives < small.arrives else "no_sooner"
        sentences.append(say(f"mse_surface.momentum.{outcome}", at=pushed.arrives, without=small.arrives))
    if pushed.errors[-1] >= WORSE * small.errors[-1] > 0:
        sentences.append(say("mse_surface.momentum.worse", times=pushed.errors[-1] / small.errors[-1]))
    return [*sentences, None if newton.arrives is None else say("mse_surface.newton", at=newton.arrives)]


def _surface(found: Descents, name: str, ways: tuple[str, ...]) -> Figure:
    paths = [found.paths[way] for way in ways]
    ends = [
        say("mse_surface.end", path=_name(way, found), a=a, b=b)
        for way, (a, b) in ((way, path.weights[-1]) for way, path in zip(ways, paths, strict=True))
    ]
    data = pd.concat(
        pd.DataFrame({"path": path.name, "step": range(len(path.weights)), "a": a, "b": b, "mse": path.errors})
        for path, (a, b) in ((path, path.weights.T) for path in paths)
    )
    return Figure(
        name,
        surface(found, paths),
        alt=say("mse_surface.alt", ends=ends),
        data=data,
        title=say(f"mse_surface.together.{name}"),
    )


def _xor(found: Descents) -> Figure:
    """The plane of both inputs, what a line makes of it, and what two units do."""

    def paint(drawing: Drawing) -> None:
        for axes, (many, plane) in zip(drawing.subplots(1, 2), found.planes.items(), strict=True):
            _plane(axes, plane)
            axes.set_title(many.replace("_", " "), pad=8)
        drawing.set_layout_engine("constrained", rect=(0, 0, 1, 0.96))  # other scripts' signs are taller

    one, two = (found.planes[many] for many in ("one_unit", "two_units"))
    lines = [(many, *line) for many, plane in found.planes.items() for line in plane.lines.tolist()]
    table = pd.DataFrame(lines, columns=["network", "input 1", "input 2", "bias"])
    caption = [
        say("mse_surface.xor.line", right=one.right),
        say("mse_surface.xor.one", starts=one.starts, share=one.solved),
        say("mse_surface.xor.two", right=two.right, share=two.solved),
    ]
    svg = draw(paint, width=600, height=310)
    return figure("xor", "mse_surface.xor", svg, table, caption, one=one.right, two=two.right)


def _plane(axes: Axes, plane: Plane) -> None:
    """Shaded where the network says true; a line where a hidden unit is zero; the four cases."""
    colour = np.where(plane.answers[..., None], [0xEE, 0x77, 0x33, 0x66], [0, 0x77, 0xBB, 0x33]).astype(np.uint8)
    ends = (PLANE[0], PLANE[-1])
    axes.imshow(colour, extent=(*ends, *ends), origin="lower", interpolation="none")
    for w, v, c in plane.lines:
        across = np.array(ends)
        line = (across, -(w * across + c) / v) if abs(v) > abs(w) else (-(v * across + c) / w, across)
        axes.plot(*line, color=SERIES[2], linewidth=2)
    for marker, of, label in (("o", True, "true"), ("s", False, "false")):
        cases = CASES[of == TRUE].numpy()
        axes.plot(*cases.T, marker, color="#222222", markersize=11, markerfacecolor="#ffffff" if not of else "#ee7733")
        for x, y in cases:
            axes.annotate(label, (x, y), xytext=(9, 7), textcoords="offset points")
    axes.set(xlabel="input 1", ylabel="input 2", xlim=ends, ylim=ends, xticks=[0, 1], yticks=[0, 1])
    axes.grid(False)


def _table(found: Descents) -> pd.DataFrame:
    rows = [
        (path.name, len(path.errors) - 1, path.errors[-1], path.away, path.arrives) for path in found.paths.values()
    ]
    table = pd.DataFrame(rows, columns=["path", "steps", "final MSE", "distance to the minimum", "below 1 % from"])
    return table.astype({"below 1 % from": "Int64"})
