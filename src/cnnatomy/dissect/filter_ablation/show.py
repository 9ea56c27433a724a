"""Which filters are needed: curves and tables. What is said of them: `locale/<language>/filter_ablation.yaml`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.filter_ablation.measure import KINDS, Ablation, Loss, numbers
from cnnatomy.dissect.filter_ablation.pruning import Pruning
from cnnatomy.dissect.filter_ablation.settings import Settings
from cnnatomy.drawing import saying
from cnnatomy.drawing.plotting import MUTED, SERIES, Drawing, draw
from cnnatomy.drawing.showing import signed
from cnnatomy.exhibit import Block, Figure, Grid, Item, Matrix, Showing, Table, Text, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import figure, headed
from cnnatomy.inspection.choosing import evenly

SOURCES = ["@morcos2018", "@molchanov2017", "@agresti2005"]
CLASSES = 30  # more of them make no table by class
DAMAGING = 20  # filters in the table by class
PANELS = 4  # layers drawn
PICTURES = 12  # layers whose correlations are drawn
LARGEST = 64  # filters of a layer in such a picture
COLOURS = {"good": SERIES[0], "idle": MUTED, "harmful": SERIES[1], "undecided": SERIES[3], "dead": SERIES[2]}
ORDERS = {"least damaging first": SERIES[0], "at random": MUTED}


def show(found: Ablation, samples: Samples, settings: Settings) -> Showing:
    """Accuracy against the filters kept and without each, by class; how alike the maps are; a table of all filters.

    settings: `idle`, the share of the errors by which accuracy may move without an idle filter.
    """
    blocks: list[Block] = [] if found.pruning is None else [_kept(found.pruning)]
    blocks.append(_lost(found.parts))
    if len(samples.facts.classes) <= CLASSES:
        blocks.append(_by_class(found.parts, samples.facts))
    blocks += [_correlations(found.parts), _table(found.parts)]
    return Showing(numbers(found), blocks, _caption(found, samples.facts, settings), SOURCES)


def _caption(found: Ablation, facts: Facts, settings: Settings) -> Text:
    n, removed = len(found.right), len(found.kinds)
    test = say("filter_ablation.test.of_samples")
    if found.groups is not None:
        test = say("filter_ablation.test.of_groups", n=len(np.unique(found.groups)), alike=saying.alike(facts))
    ranked = None if found.pruning is None else "training" if found.pruning.ranking.trained else "test"
    return [
        say(
            "filter_ablation.kinds",
            n=n,
            test=test,
            errors=found.errors,
            limit=found.limit * n,
            idle=100 * settings.idle,
        ),
        say("filter_ablation.together"),
        None if ranked is None else say(f"filter_ablation.order.{ranked}"),
        say("filter_ablation.few_errors", errors=found.errors) if found.too_few_errors else None,
        say("filter_ablation.thinned_out", total=found.total, removed=removed) if removed < found.total else None,
    ]


def _kept(found: Pruning) -> Figure:
    rows = [_rows("least damaging first", found.kept, found.accuracy, *found.interval.T)]
    if len(found.random):
        rows.append(
            _rows("at random", found.random_kept, *(of(found.random, axis=0) for of in (np.mean, np.min, np.max)))
        )
    data = pd.concat(rows)

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for name, colour in ORDERS.items():
            one = data[data["order"] == name]
            kept, low, high = one["filters kept"], 100 * one["low"], 100 * one["high"]
            axes.fill_between(kept, low, high, color=colour, alpha=0.25, linewidth=0)
            axes.plot(kept, 100 * one["accuracy"], "o-", color=colour, label=name)
        if found.enough is not None:
            axes.axvline(found.enough, color=MUTED, linewidth=1, linestyle="--")
        axes.set(xlabel="filters kept", ylabel="test accuracy, %", xlim=(found.total, 0), ylim=(0, 102))
        axes.legend()

    ranking, often = found.ranking, "again" if found.again else "once"
    source = say(f"filter_ablation.kept.source.{'training' if ranking.trained else 'test'}", n=len(ranking.places))
    known = {"enough": found.enough, "total": found.total, "searched": found.searched}
    unknown = found.enough is None
    enough = "unknown" if unknown else "all" if found.enough == found.total else often
    return Figure(
        "kept",
        draw(paint, 640, 300),
        alt=say(f"filter_ablation.kept.alt.{'unknown' if unknown else 'known'}", **known),
        data=data,
        title=say("filter_ablation.kept.title"),
        caption=[
            say(f"filter_ablation.kept.order.{often}", source=source, n=found.n),
            say(f"filter_ablation.kept.enough.{enough}", **known),
        ],
    )


def _rows(order: str, kept: np.ndarray, *values: np.ndarray) -> pd.DataFrame:
    columns = dict(zip(("accuracy", "low", "high"), values, strict=True))
    return pd.DataFrame({"order": order, "filters kept": kept.astype(float)} | columns).round(5)


def _lost(parts: Sequence[Loss]) -> Figure:
    data = pd.concat([_by_loss(one) for one in parts])
    names = [one.part.name for one in parts][:PANELS]

    def paint(drawing: Drawing) -> None:
        panels = drawing.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            layer = data[data["layer"] == name]
            axes.axhline(0, color=MUTED, linewidth=1)
            for kind, colour in COLOURS.items():
                some = layer[layer["kind"] == kind]
                # One path with gaps: a path for every filter would make a large file.
                gap = np.full(len(some), np.nan)
                x = np.stack([some["rank"], some["rank"], gap], axis=1).ravel()
                y = np.stack([some["ci_low"], some["ci_high"], gap], axis=1).ravel()
                axes.plot(x, y, color=colour, linewidth=1)
                axes.plot(some["rank"], some["points lost"], "o", color=colour, markersize=3, label=kind)
            axes.set(title=name, xlabel="filters, by loss", xticks=[])
        panels[0].set_ylabel("accuracy lost, points")
        panels[-1].legend()

    drawn = "all" if len(parts) <= PANELS else "first"
    caption = say(f"filter_ablation.lost.caption.{drawn}", first=PANELS, layers=len(parts))
    counts = {kind: int((data["kind"] == kind).sum()) for kind in KINDS}
    return figure("lost", "filter_ablation.lost", draw(paint, 720, 300), data, caption, **counts)


def _by_loss(one: Loss) -> pd.DataFrame:
    """The filters of a layer, the most damaging first."""
    order = np.argsort(-one.accuracy[:, 0], kind="stable")
    table = pd.DataFrame({"layer": one.part.name, "filter": one.part.channels[order], "rank": np.arange(len(order))})
    table[["points lost", "ci_low", "ci_high"]] = (100 * one.accuracy[order]).round(3)
    return table.assign(kind=[one.kinds[place] for place in order])


def _by_class(parts: Sequence[Loss], facts: Facts) -> Matrix:
    lost = np.concatenate([one.accuracy[:, 0] for one in parts])
    chosen = np.argsort(-lost, kind="stable")[:DAMAGING]
    names = [f"{one.part.name}/{channel}" for one in parts for channel in one.part.channels]
    return Matrix(
        "by-class",
        rows=[names[place] for place in chosen],
        columns=list(facts.classes),
        values=np.round(100 * np.concatenate([one.by_class for one in parts])[chosen], 1) + 0.0,
        row_title=say("filter_ablation.by_class.rows"),
        column_title=say("filter_ablation.by_class.columns"),
        title=say("filter_ablation.by_class.title"),
        caption=say("filter_ablation.by_class.caption", n=len(chosen)),
    )


def _correlations(parts: Sequence[Loss]) -> Grid:
    items = []
    for one in parts[:PICTURES]:
        name, total, effective = one.part.name, one.part.total, one.maps.effective
        order = one.maps.alike_together()
        place = order[evenly(len(order), LARGEST)]
        items.append(
            Item(
                f"correlation/{name}",
                signed(one.maps.correlation[np.ix_(place, place)], 1.0),
                label=say("filter_ablation.correlations.label", layer=name, filters=total, worth=effective),
                values={"filters": total, "effective": significant(effective, 3)},
            )
        )
    return Grid("correlations", items, None, *headed("filter_ablation.correlations"))


def _table(parts: Sequence[Loss]) -> Table:
    rows = []
    for one in parts:
        for place, channel in enumerate(one.part.channels):
            other, alike = one.maps.partner(int(channel)) if one.part.total > 1 else (0, 0.0)
            lost, low, high = (round(100 * float(each), 3) for each in one.accuracy[place])
            rows.append(
                {
                    "filter": f"{one.part.name}/{channel}",
                    "kind": one.kinds[place],
                    "points lost": lost,
                    "from": low,
                    "to": high,
                    "loss added": significant(float(one.loss[place, 0]), 3),
                    "at least": significant(float(one.loss[place, 1]), 3),
                    "fires": round(float(one.maps.fires[channel]), 3),
                    "most like": f"{one.part.name}/{other}" if alike else "",
                    "correlation": round(alike, 2),
                }
            )
    data = pd.DataFrame(rows).sort_values("points lost", ascending=False, kind="stable")
    return Table("filters", data, *headed("filter_ablation.filters"))
