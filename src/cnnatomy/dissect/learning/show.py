"""The walk through training, and curves of what settles when. What is said: `locale/<language>/learning.yaml`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.feature_visualisation.showing import drawn as as_samples
from cnnatomy.dissect.learning.class_images import ClassImages, TooMuch
from cnnatomy.dissect.learning.measure import Learning, numbers, since
from cnnatomy.dissect.learning.settings import Settings
from cnnatomy.drawing.kernels import drawn
from cnnatomy.drawing.plotting import MUTED, SERIES, Axes, Drawing, draw
from cnnatomy.drawing.showing import amount, class_name, upright
from cnnatomy.exhibit import Block, Figure, Frame, Grid, Item, Say, Showing, Steps, Table, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import figure, headed
from cnnatomy.inspection.patches import sheet
from cnnatomy.statistics.intervals import mean_interval

ACROSS = 8  # pictures a row of a sheet
ROOM = 4000  # pixels of the kernels on a sheet, about
STRIP = 3  # pixels of a map that has one row or column
ALIKE = 0.9  # likeness to the end from which on a layer is called settled in sentences
SOURCES = ["@kornblith2019", "@raghu2017"]


def show(found: Learning, samples: Samples, settings: Settings) -> Showing:
    """A look at the network after 0, 4, 8, 16 … steps; accuracy by class and likeness of layers to what they end as."""
    classes = samples.facts.classes
    told = [say("learning.walk.caption"), _made(found.class_images)]
    walk = Steps("walk", _frames(found, samples.facts), say("learning.walk.title"), told)
    blocks: list[Block] = [walk, _accuracy(found, samples.facts), _layers(found), _settled(found)]
    caption = [_soon(found), _order(found), say("learning.caption")]
    return Showing(numbers(found, classes), blocks, caption, SOURCES)


def _made(found: ClassImages | TooMuch | None) -> Say | None:
    """How class images were made, or why there are none."""
    if isinstance(found, TooMuch):
        needed, most = (significant(work / 1e9, 3) for work in (found.needed, found.most))
        return say("learning.too_much", needed=needed, most=most)
    return None if found is None else say("learning.walk.made")


def _frames(found: Learning, facts: Facts) -> list[Frame]:
    shares = found.by_class
    frames = []
    for look, step in enumerate(found.steps):
        known = {
            "step": int(step),
            "epochs": float(found.epochs[look]),
            "accuracy": 100 * float(found.confusion[look].trace()) / found.tested,
            "worst": class_name(facts, int(np.nanargmin(shares[look]))),
            "share": 100 * float(np.nanmin(shares[look])),
        }
        items = [
            Item(f"confusion/{step}", amount(_shares(found.confusion[look]), 1.0), say("learning.walk.confusion")),
            Item(f"maps/{step}", _maps(found, look, facts), say("learning.walk.maps", layer=found.last)),
        ]
        if facts.kind != "texts":
            items.insert(0, Item(f"kernels/{step}", _kernels(found, look, facts), _named_kernels(found, facts)))
        if isinstance(found.class_images, ClassImages):
            items.insert(1, _class_images(found.class_images, look, f"classes/{step}", facts))
        title = say("learning.walk.start" if step == 0 else "learning.walk.after", **known)
        frames.append(Frame(title, say("learning.walk.look", **known), [Grid(f"look-{step}", items)]))
    return frames


def _class_images(found: ClassImages, look: int, name: str, facts: Facts) -> Item:
    """One image for each class, in their order."""
    n, named = len(found.classes), int(found.named[look].sum())
    pictures = [as_samples(image, facts, found.box) for image in found.images[look]]
    columns = 1 if facts.kind == "signals" else min(ACROSS, -(-n // 2))
    return Item(name, sheet(pictures, columns), _raised(found, named, facts), values={"named at the end": named})


def _raised(found: ClassImages, named: int, facts: Facts) -> Say:
    """What the images are of, and how many of them the network at the end names rightly."""
    n = len(found.classes)
    if n > 1:
        return say("learning.walk.classes", n=n, named=named)
    one = class_name(facts, int(found.classes[0]))
    return say("learning.raised.named" if named else "learning.raised.other", name=one)


def _named_kernels(found: Learning, facts: Facts) -> Say:
    shown, n = _shown_kernels(found, facts), found.kernels.shape[1]
    if n == 1:
        return say("learning.walk.kernel", layer=found.first)
    return say("learning.walk.kernels" if shown == n else "learning.walk.some", layer=found.first, n=n, shown=shown)


def _shares(confusion: np.ndarray) -> np.ndarray:
    return confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)


def _kernels(found: Learning, look: int, facts: Facts) -> np.ndarray:
    """The first kernels on one sheet, each with its own scale."""
    return sheet([drawn(kernel, facts) for kernel in found.kernels[look][: _shown_kernels(found, facts)]], ACROSS)


def _shown_kernels(found: Learning, facts: Facts) -> int:
    """As many as a sheet has room for, and a row of them at least: large ones are noise, which nothing packs."""
    height, width = drawn(found.kernels[0][0], facts).shape[:2]
    return min(found.kernels.shape[1], max(ACROSS, ROOM // (height * width * ACROSS) * ACROSS))


def _maps(found: Learning, look: int, facts: Facts) -> np.ndarray:
    """The sample's maps on one sheet, each on the scale of what it ends as; maps of one row below one another."""
    tops = [float(np.abs(values).max()) or None for values in found.maps[-1]]
    maps = found.maps[look] if found.maps.ndim == 4 else found.maps[look][:, None]
    pictures = [amount(upright(facts, values), top) for values, top in zip(maps, tops, strict=True)]
    if pictures[0].shape[0] == 1:  # along one axis: as lines below one another
        return sheet([one.repeat(STRIP, axis=0) for one in pictures], 1)
    if pictures[0].shape[1] == 1:
        return sheet([one.repeat(STRIP, axis=1) for one in pictures], ACROSS)
    return sheet(pictures, ACROSS // 2)


def _accuracy(found: Learning, facts: Facts) -> Figure:
    """F1 of each class and the mean of all; the first and the last class to be learned are named."""
    shares, whole = 100 * found.by_class, 100 * np.nanmean(found.by_class, axis=1)
    there = np.flatnonzero(~np.isnan(shares[-1]))
    learned = there[shares[-1][there] > 0]  # nine tenths of nothing are reached at once
    order = learned[np.argsort(found.class_learned[learned], kind="stable")]
    named = {int(order[0]): SERIES[2], int(order[-1]): SERIES[1]} if len(order) > 1 else {}

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        axes.plot(shares[:, [place for place in there if place not in named]], color=MUTED, linewidth=0.8)
        for place, colour in named.items():
            axes.plot(shares[:, place], color=colour, linewidth=1.4, label=class_name(facts, place))
        axes.plot(whole, color=SERIES[0], linewidth=2.2, marker="o", label="mean of the classes")
        axes.set(ylabel="F1, %", ylim=(0, 101))
        _along_steps(axes, found)
        axes.legend()

    table = pd.DataFrame(shares[:, there].round(3), columns=[facts.classes[place] for place in there])
    table.insert(0, "mean", whole.round(3), allow_duplicates=True)  # a class may be called so
    table.insert(0, "step", found.steps, allow_duplicates=True)
    never = len(there) - len(order)
    caption = [
        *_in_turn(found, order, facts, never),
        say("learning.accuracy.never", n=never) if never else None,
        say("learning.accuracy.learned", share=100 * found.learned),
    ]
    ends = {"start": float(whole[0]), "end": float(whole[-1])}
    return figure("accuracy", "learning.accuracy", draw(paint, 560, 280), table, caption, **ends)


def _in_turn(found: Learning, order: np.ndarray, facts: Facts, never: int) -> list[Say]:
    """Which classes are learned first and which last, of those in `order`; `never` so many others."""
    if not len(order):
        return []
    when = found.class_learned[order]
    if when[0] == when[-1] and not never:
        return [say("learning.accuracy.together", step=int(found.steps[when[0]]))]

    def told(which: str, place: int) -> Say:
        n = int((when == when[place]).sum())
        known = {"name": class_name(facts, int(order[place])), "step": int(found.steps[when[place]])}
        return (
            say(f"learning.accuracy.{which}.several", n=n, **known)
            if n > 1
            else say(f"learning.accuracy.{which}.one", **known)
        )

    return [told("first", 0), told("last", -1)] if when[0] < when[-1] else [told("first", 0)]


def _layers(found: Learning) -> Figure:
    """Of each layer how like its maps are to those at the end, the mean of all networks and its interval."""

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for place, course in enumerate(found.layers):
            colour = SERIES[place % len(SERIES)]
            ends = np.array([mean_interval(values) for values in course.likeness.T]).clip(-1, 1)
            axes.fill_between(range(len(ends)), *ends.T, color=colour, alpha=0.15, linewidth=0)
            axes.plot(course.likeness.mean(axis=0), color=colour, marker="o", label=course.layer)
        axes.set(ylabel="likeness to the end", ylim=(min(0, *(one.likeness.min() for one in found.layers)), 1.02))
        _along_steps(axes, found)
        axes.legend()

    table = pd.DataFrame({one.layer: one.likeness.mean(axis=0).round(4) for one in found.layers})
    table.insert(0, "step", found.steps, allow_duplicates=True)
    networks = len(found.accuracy)
    over = say("learning.layers.several", networks=networks) if networks > 1 else say("learning.layers.one")
    caption = [say("learning.layers.caption"), over]
    return figure("layers", "learning.layers", draw(paint, 560, 280), table, caption)


def _along_steps(axes: Axes, found: Learning) -> None:
    axes.set_xticks(range(len(found.steps)), [f"{step}" for step in found.steps])
    axes.set_xlabel("steps")


def _settled(found: Learning) -> Table:
    """How many filters of each layer are what they end as, after each number of steps."""
    rows = [
        {"layer": course.layer, "step": step, "settled_filters": int((settled <= look).sum()), "filters": len(settled)}
        for course in found.layers
        if (settled := found.filter_settled(course)) is not None
        for look, step in enumerate(found.steps)
    ]
    return Table("settled", pd.DataFrame(rows), *headed("learning.settled", share=100 * found.settled), folded=True)


def _soon(found: Learning) -> Say:
    """When nine tenths of the last accuracy were reached."""
    shares = found.confusion.trace(axis1=1, axis2=2) / found.tested
    look = int(since((shares >= found.learned * shares[-1])[:, None])[0])
    steps, end = int(found.steps[-1]), significant(100 * float(shares[-1]), 3)
    if look == len(shares) - 1:
        return say(
            "learning.late", n=found.tested, steps=steps, end=end, before=significant(100 * float(shares[-2]), 3)
        )
    share = significant(100 * float(shares[look]), 3)
    return say("learning.soon", n=found.tested, step=int(found.steps[look]), steps=steps, share=share, end=end)


def _order(found: Learning) -> Say | None:
    """Whether layers near the input settle before those behind them."""
    if len(found.layers) < 2:
        return None
    when = [int(since((one.likeness.mean(axis=0) >= ALIKE)[:, None])[0]) for one in found.layers]
    known = {
        "first": found.layers[0].layer,
        "soon": int(found.steps[when[0]]),
        "last": found.layers[-1].layer,
        "late": int(found.steps[when[-1]]),
        "alike": ALIKE,
    }
    if when == sorted(when) and when[0] < when[-1]:
        return say("learning.order.upward", **known)
    if when == sorted(when, reverse=True) and when[0] > when[-1]:
        return say("learning.order.downward", **known)
    if len(set(when)) > 1:
        return say("learning.order.mixed", **known)
    return say("learning.order.together" if when[0] else "learning.order.from_start", **known)
