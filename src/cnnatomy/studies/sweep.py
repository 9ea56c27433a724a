"""A sweep's exhibit: what every point of a grid came to, and which is best by the validation data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnnatomy.drawing.plotting import SERIES, Drawing, draw
from cnnatomy.exhibit import Block, Figure, Number, Prose, Showing, Table, say
from cnnatomy.studies.figures import MARKERS, PANEL, beside, drawn
from cnnatomy.studies.findings import numbers_of, variants_table
from cnnatomy.studies.summaries import summary

if TYPE_CHECKING:
    import pandas as pd

CHOSEN_BY, REPORTED = "validation_accuracy", "test_accuracy"


def swept(study: Mapping[str, Any], measured: pd.DataFrame) -> Showing:
    """The exhibit of a study that goes over a grid.

    study: its content, in which `grid` holds the value of each level by factor. measured: as `findings` takes it. The
    best point is chosen by the mean validation accuracy over seeds, or by the test accuracy where the run has no
    validation samples, which the exhibit then says.
    """
    factors = list(study["factors"])
    means = summary(measured, factors, "seed")
    chosen_by = CHOSEN_BY if CHOSEN_BY in set(means["metric"]) else REPORTED
    judged = means[(means["metric"] == chosen_by) & (means["subject"] == "")]
    best = judged.sort_values("mean", ascending=False, kind="stable").iloc[0]
    of_best = means[(means[factors] == best[factors]).all(axis=1) & (means["subject"] == "")]
    (tested,) = numbers_of(of_best[of_best["metric"] == REPORTED], [])
    point = ", ".join(f"{factor.replace('_', ' ')} {_value(study, factor, best[factor])}" for factor in factors)
    numbers = [
        replace(tested, metric="best_test_accuracy"),
        Number("points", len(judged)),
        Number("trainings", len(measured[["run", "seed"]].drop_duplicates())),
        *numbers_of(means, factors),
    ]
    by = "validation" if chosen_by == CHOSEN_BY else "test"
    best_said = say(f"study.sweep.best.{by}", point=point, accuracy=tested.value)
    blocks: list[Block] = [Prose(best_said, title=say("study.sweep.best.title"))]
    blocks.append(_figure(study, judged, chosen_by))
    blocks += [drawn(f"figure-{place}", one, measured, study["factors"]) for place, one in enumerate(study["figures"])]
    table = variants_table(means, factors)
    for factor in factors:
        column = factor.replace("_", " ")
        table[column] = [_value(study, factor, level) for level in table[column]]
    blocks.append(Table("points", table, title=say("study.sweep.points")))
    caption = say(f"study.sweep.caption.{by}", points=len(judged))
    return Showing(numbers, blocks, caption, list(study["sources"]), study["title"])


def _figure(study: Mapping[str, Any], judged: pd.DataFrame, metric: str) -> Figure:
    """The accuracy along the first factor of the grid, a line for each level of the second, a panel for the rest."""
    along, *others = sorted(study["factors"], key=lambda factor: factor not in study["grid"])
    lines, panels = (others + ["", ""])[0], others[1:]
    values = list(study["grid"].get(along, {}).values()) or list(study["factors"][along])
    names = {level: place for place, level in enumerate(study["factors"][along])}
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    at = dict(zip(study["factors"][along], values if numeric else range(len(values)), strict=True))
    data = judged.assign(at=judged[along].map(at), panel=[" ".join(row) for row in judged[panels].to_numpy()])

    def paint(canvas: Drawing) -> None:
        wanted = list(dict.fromkeys(data["panel"]))
        for axes, panel in zip(canvas.subplots(len(wanted), 1, squeeze=False, sharex=True)[:, 0], wanted, strict=True):
            some = data[data["panel"] == panel]
            levels = list(study["factors"][lines]) if lines else [""]
            for place, level in enumerate(levels):
                line = (some[some[lines] == level] if lines else some).sort_values("at")
                label = f"{lines.replace('_', ' ')} {_value(study, lines, level)}" if lines else None
                mark = {"color": SERIES[place % len(SERIES)], "marker": MARKERS[place % len(MARKERS)]}
                axes.errorbar(line["at"], 100 * line["mean"], yerr=beside(line, 100), capsize=3, label=label, **mark)
            if numeric and min(values) > 0 and max(values) > 20 * min(values):
                axes.set_xscale("log")
            if not numeric:
                axes.set_xticks(range(len(values)), [str(value) for value in values])
            axes.set(xlabel=along.replace("_", " "), ylabel=f"{metric.replace('_', ' ')}, %", title=panel)
            if lines:
                axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))

    points = [
        say(
            "study.sweep.grid.point",
            levels=" ".join(str(row[factor]) for factor in study["factors"]),
            accuracy=row["mean"],
        )
        for row in judged.sort_values(along, key=lambda column: column.map(names)).head(12).to_dict("records")
    ]
    what = metric.replace("_", " ").capitalize()
    return Figure(
        "grid",
        draw(paint, height=(PANEL + 60) * data["panel"].nunique()),
        alt=say("study.sweep.grid.alt", what=what, points=points),
        data=judged[[*study["factors"], "mean", "low", "high", "n"]],
        title=say("study.sweep.grid.title", what=what),
    )


def _value(study: Mapping[str, Any], factor: str, level: str) -> str:
    """A level as the study's YAML has it: 0.001, not 0_001."""
    return str(study["grid"].get(factor, {}).get(level, level))
