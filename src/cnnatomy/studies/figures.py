"""Charts of a study: differences with their intervals, and measures by level, along a number, against each other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnatomy.drawing.plotting import MUTED, SERIES, Axes, Drawing, draw
from cnnatomy.exhibit import Figure, Say, say
from cnnatomy.studies.comparing import Compared
from cnnatomy.studies.errors import StudyError
from cnnatomy.studies.measures.answers import SAMPLE
from cnnatomy.studies.summaries import summary
from cnnatomy.studies.wording import counted

if TYPE_CHECKING:
    import pandas as pd

MARKERS = "osD^vPX*<>"
PANEL = 240  # pixels of height
NAMED = 100  # units, up to which a table has each by its name
#: By the kind of a figure, the key of the factor whose levels it tells apart.
FACTOR = {"bars": "bars", "curve": "lines", "scatter": "points"}


def comparisons_figure(compared: Sequence[Compared]) -> Figure:
    """Mean differences with their 95 % intervals and the single ones as dots, one panel a unit of measure."""
    by_unit: dict[tuple[str, str], list[Compared]] = {}
    for one in compared:
        by_unit.setdefault((one.unit, "" if one.unit else one.said["metric"]), []).append(one)

    def paint(figure: Drawing) -> None:
        heights = [len(some) for some in by_unit.values()]
        panels = figure.subplots(len(by_unit), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
        for axes, ((unit, metric), some) in zip(panels, by_unit.items(), strict=True):
            scale = some[0].scale
            for place, one in enumerate(some):
                colour = SERIES[0] if one.said["decides"] else MUTED
                seen, tested = one.seen, one.tested
                dots = seen.units["difference"] * scale
                axes.plot(dots, [place + 0.22] * len(dots), "o", color=colour, markersize=3, alpha=0.6)
                axes.plot([seen.low * scale, seen.high * scale], [place, place], color=colour, linewidth=2.5)
                axes.plot([seen.value * scale], [place], "D", color=colour, markersize=7)
                if tested is not None:
                    ends = [tested.low * scale, tested.high * scale]
                    axes.plot(ends, [place - 0.2] * 2, color=colour, linewidth=1, marker="|", markersize=5)
                margin = one.said["margin"] * scale
                axes.plot([margin, margin], [place - 0.4, place + 0.4], color=SERIES[1], linewidth=1.5)
            axes.axvline(0, color=MUTED, linewidth=1)
            names = [one.name if metric else f"{one.name}\n{one.said['metric'].replace('_', ' ')}" for one in some]
            axes.set_yticks(range(len(some)), names)
            axes.set_ylim(len(some) - 0.4, -0.6)
            axes.set_xlabel(
                "difference, points" if unit == "fraction" else f"difference, {unit or metric.replace('_', ' ')}"
            )

    return Figure(
        "differences",
        draw(paint, height=60 + 52 * len(compared) + 40 * len(by_unit)),
        alt=say("study.differences.alt", each=[_told(one) for one in compared]),
        data=units_table(compared),
        title=say("study.differences.title"),
        caption=say("study.differences.caption"),
    )


def _told(one: Compared) -> Say:
    """A comparison's difference for those who can't see it."""
    intervals = [
        say("study.differences.interval", low=seen.low, high=seen.high, units=counted(seen.n, seen.over))
        for seen in one.estimates
    ]
    return say("study.differences.one", name=one.name, value=one.seen.value, intervals=intervals)


def units_table(compared: Sequence[Compared]) -> pd.DataFrame:
    """What every interval is made of: of each comparison a row a seed, fold, speaker and so on.

    Of test samples and what else there are many of, such as games, equal differences share a row; `n` says how many.
    """
    import pandas as pd

    tables = []
    for one in compared:
        for seen in one.estimates:
            units = seen.units
            if seen.over == SAMPLE or seen.n > NAMED:
                units = units.assign(unit="", of="", than="").round(6)
            units = units.groupby(["unit", "of", "than", "difference"], sort=False).size().reset_index(name="n")
            about = {"comparison": one.what, "where": one.where, "metric": one.said["metric"], "over": seen.over}
            tables.append(units.assign(**about)[[*about, *units.columns]])
    return pd.concat(tables, ignore_index=True)


def drawn(name: str, figure: Mapping[str, Any], measured: pd.DataFrame, factors: Mapping[str, Any]) -> Figure:
    """A figure as the study's YAML asks for it. measured: as `findings` takes it.

    What is drawn is the mean over the factors that the figure does not name. Raises StudyError where nothing was
    measured that it could draw.
    """
    return {"bars": _bars, "curve": _curve, "scatter": _scatter}[figure["kind"]](name, figure, measured, factors)


def _bars(name: str, figure: Mapping[str, Any], measured: pd.DataFrame, factors: Mapping[str, Any]) -> Figure:
    data = _averaged(_measure(measured, figure["metric"]), figure)
    levels = [level for level in factors[figure["bars"]] if level in set(data[figure["bars"]])]

    def paint(axes: Axes, rows: pd.DataFrame) -> None:
        rows = rows.set_index(figure["bars"]).reindex(levels)
        places, scale = range(len(levels)), _scale(data)
        axes.errorbar(rows["mean"] * scale, places, xerr=beside(rows, scale), fmt="D", color=SERIES[0], capsize=3)
        axes.set_yticks(list(places), levels)
        axes.set_ylim(len(levels) - 0.5, -0.5)
        axes.set_xlabel(_label(figure["metric"], data))

    height = max(PANEL, 70 + 24 * len(levels))
    return _panels(name, figure, data, paint, _label(figure["metric"], data), height)


def _curve(name: str, figure: Mapping[str, Any], measured: pd.DataFrame, factors: Mapping[str, Any]) -> Figure:
    along = figure["along"]
    rows = measured[measured["metric"] == figure["metric"]]
    places = rows["subject"].str.extract(rf"(?:^|;){re.escape(along)}=([^;]+)")[0]
    rows = rows.assign(at=places)[places.notna()]
    if rows.empty:
        raise StudyError(
            f"figures: no {figure['metric']} was measured along {along!r}, with a subject like {along}=2; "
            "name another metric, or along what it was measured"
        )
    numeric = rows["at"].str.fullmatch(r"[+-]?\d+(\.\d+)?").all()
    data = _averaged(rows.assign(subject=rows["at"]), figure).rename(columns={"subject": "at"})
    data["at"] = data["at"].astype(float) if numeric else data["at"]

    def paint(axes: Axes, some: pd.DataFrame) -> None:
        scale = _scale(data)
        for place, level in enumerate(factors[figure["lines"]]):
            line = some[some[figure["lines"]] == level]
            line = line.sort_values("at") if numeric else line
            style = {"color": SERIES[place % len(SERIES)], "marker": MARKERS[place % len(MARKERS)], "label": level}
            axes.plot(line["at"], line["mean"] * scale, **style)
            if numeric:
                axes.fill_between(
                    line["at"], line["low"] * scale, line["high"] * scale, color=style["color"], alpha=0.15, linewidth=0
                )
        axes.set_xlabel(along.replace("_", " "))
        axes.set_ylabel(_label(figure["metric"], data))
        axes.legend()

    return _panels(name, figure, data, paint, f"{_label(figure['metric'], data)} along {along}", 300)


def _scatter(name: str, figure: Mapping[str, Any], measured: pd.DataFrame, factors: Mapping[str, Any]) -> Figure:
    one, other = (_averaged(_measure(measured, figure[axis]), figure) for axis in ("x", "y"))
    keys = [figure["points"], *([figure["panels"]] if "panels" in figure else [])]
    data = one[[*keys, "mean"]].rename(columns={"mean": "x"}).merge(other, on=keys)

    def paint(axes: Axes, some: pd.DataFrame) -> None:
        scale = _scale(data)
        for place, level in enumerate(factors[figure["points"]]):
            point = some[some[figure["points"]] == level]
            axes.errorbar(
                point["x"],
                point["mean"] * scale,
                yerr=beside(point, scale),
                fmt=MARKERS[place % len(MARKERS)],
                color=SERIES[place % len(SERIES)],
                label=level,
                capsize=3,
            )
        if data["x"].min() > 0 and data["x"].max() > 20 * data["x"].min():
            axes.set_xscale("log")
        axes.set_xlabel(figure["x"].replace("_", " "))
        axes.set_ylabel(_label(figure["y"], data))
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))

    what = f"{_label(figure['y'], data)} against {figure['x'].replace('_', ' ')}"
    return _panels(name, figure, data, paint, what, 320)


def _panels(name: str, figure: Mapping[str, Any], data: pd.DataFrame, paint: Any, what: str, height: int) -> Figure:
    """A chart for each level of the factor `panels`, or one, below each other, on equal axes."""
    by = figure[FACTOR[figure["kind"]]]
    panels = list(dict.fromkeys(data[figure["panels"]])) if "panels" in figure else [None]

    def whole(canvas: Drawing) -> None:
        places = canvas.subplots(len(panels), 1, squeeze=False, sharex=True, sharey=True)[:, 0]
        for axes, panel in zip(places, panels, strict=True):
            paint(axes, data if panel is None else data[data[figure["panels"]] == panel])
            axes.label_outer()
            if panel is not None:
                axes.set_title(str(panel))

    shown = data.assign(mean=data["mean"] * _scale(data)).head(12)
    marks = [
        ", ".join(f"{key} {_written(value)}" if isinstance(value, float) else f"{value}" for key, value in row.items())
        for row in shown.drop(columns=["unit", "low", "high", "n", "subject"], errors="ignore").to_dict("records")
    ]
    return Figure(
        name,
        draw(whole, height=height * len(panels)),
        alt=say("study.figure.alt", what=what, by=by, marks=marks),
        data=data,
        title=say("study.figure.title", what=f"{what[0].upper()}{what[1:]}", by=by),
    )


def _measure(measured: pd.DataFrame, metric: str) -> pd.DataFrame:
    rows = measured[(measured["metric"] == metric) & (measured["subject"] == "")]
    if rows.empty:
        raise StudyError(f"figures: no {metric!r} was measured; there are: {', '.join(measured['metric'].unique())}")
    return rows


def _averaged(rows: pd.DataFrame, figure: Mapping[str, Any]) -> pd.DataFrame:
    """One row a mark of the figure; its interval is over seeds, or over the factor that the figure names."""
    levels = [figure[FACTOR[figure["kind"]]], *([figure["panels"]] if "panels" in figure else [])]
    return summary(rows, levels, figure.get("over", "seed")).drop(columns=["metric", "sd"])


def _written(value: float) -> str:
    """A number as it is read aloud: 97.95, −6, 137,660."""
    return (f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}").replace("-", "−")


def _label(metric: str, data: pd.DataFrame) -> str:
    return metric.replace("_", " ") + (", %" if _scale(data) == 100 else "")


def _scale(data: pd.DataFrame) -> int:
    """Shares are drawn in per cent."""
    return 100 if (data["unit"] == "fraction").all() else 1


def beside(rows: pd.DataFrame, scale: int) -> list[pd.Series]:
    """How far intervals go below and above their means, as matplotlib takes them."""
    return [(rows["mean"] - rows["low"]) * scale, (rows["high"] - rows["mean"]) * scale]
