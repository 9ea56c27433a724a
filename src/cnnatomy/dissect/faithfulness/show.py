"""Curves and tables of how far maps can be believed. What is said of them: `locale/<language>/faithfulness.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.faithfulness.measure import Comparison, Faithfulness, numbers
from cnnatomy.dissect.faithfulness.settings import Settings
from cnnatomy.dissect.saliency.cams import CAMS
from cnnatomy.dissect.saliency.curves import TESTS
from cnnatomy.dissect.saliency.maps import ENOUGH
from cnnatomy.dissect.saliency.showing import precision, similarities, tested, titled
from cnnatomy.dissect.saliency.trust import LIMIT, Verdict
from cnnatomy.drawing import saying
from cnnatomy.drawing.plotting import MUTED, SERIES, Drawing, draw
from cnnatomy.exhibit import Block, Figure, Say, Showing, Table, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import figure, headed

SOURCES = ["@petsiuk2018", "@bach2015", "@adebayo2018"]
FEW = 200  # samples: fewer are said to be few


def show(found: Faithfulness, samples: Samples, settings: Settings) -> Showing:
    """A table of all maps, the curves of each test, and how alike maps stay as layers are shuffled."""
    comparison = found.comparison
    n, wanted = comparison.n, settings.samples
    why = "all" if n < wanted and n == len(samples) else "time"
    caption = [
        say("faithfulness.caption"),
        *(outcome(comparison, test) for test in TESTS),
        say("faithfulness.how", control=titled(comparison.control)),
        say("faithfulness.ranked") if samples.facts.kind != "texts" else None,
        say(f"faithfulness.few.{why}", n=n) if n < min(wanted, FEW) else None,
        None if found.left_out is None else say("faithfulness.left_out", because=found.left_out),
        *precision(found.means),
        *tested(comparison.verdicts),
    ]
    blocks: list[Block] = [_table(comparison, samples.facts), *(_curves(found, test) for test in TESTS)]
    return Showing(numbers(found), [*blocks, _cascade(comparison.verdicts)], caption, SOURCES)


def outcome(comparison: Comparison, test: str) -> Say:
    """What one test came to: the best method ahead of both controls, or that there is none."""
    best, control = comparison.best(test), comparison.called(comparison.better(test))
    about: dict[str, Any] = {"test": say(f"faithfulness.{test}.title"), "control": titled(control)}
    if comparison.n < ENOUGH:
        return say("faithfulness.outcome.few", **about)
    if (best, test) not in comparison.ahead or comparison.verdicts[best].fails:
        return say("faithfulness.outcome.none", **about)
    about |= {"best": titled(best), "gain": float(comparison.gain(best, test).mean())}
    others = sum((name, test) in comparison.ahead for name in comparison.verdicts) - 1
    if others > 1:
        return say("faithfulness.outcome.several", others=others, **about)
    return say("faithfulness.outcome.two" if others else "faithfulness.outcome.one", **about)


def _table(comparison: Comparison, facts: Facts) -> Table:
    rows = []
    for name, found in comparison.areas.items():
        verdict = comparison.verdicts.get(name)
        ahead = [test for test in TESTS if (name, test) in comparison.ahead]
        rows.append(
            {
                "method": saying.in_charts(titled(comparison.called(name))),
                "deletion (low is good)": significant(float(found["deletion"].mean())),
                "insertion (high is good)": significant(float(found["insertion"].mean())),
                "flipping (low is good)": significant(float(found["flipping"].mean())),
                "better than both controls at": "" if verdict is None else ", ".join(ahead) or "nothing",
                "similarity when shuffled": "" if verdict is None else significant(float(verdict.worst.mean()), 2),
                "randomisation test": "" if verdict is None else "✗ fails" if verdict.fails else "passes",
            }
        )
    grouped = None if comparison.groups is None else say("faithfulness.methods.groups", alike=saying.alike(facts))
    over = grouped or say("faithfulness.methods.samples")
    return Table("methods", pd.DataFrame(rows), *headed("faithfulness.methods", n=comparison.n, over=over))


def _panels(verdicts: Mapping[str, Verdict]) -> list[list[str]]:
    return [[name for name in verdicts if name not in CAMS], [name for name in verdicts if name in CAMS]]


def _legend(name: str, verdict: Verdict) -> str:
    title = saying.in_charts(titled(name))
    return f"✗ {title}" if verdict.fails else title


def _curves(found: Faithfulness, test: str) -> Figure:
    comparison, per_cent = found.comparison, 100 * found.shares
    verdicts, n = comparison.verdicts, comparison.n
    means = {name: curves[test].mean(axis=0) for name, curves in found.curves.items()}
    panels = _panels(verdicts)

    def paint(drawing: Drawing) -> None:
        for axes, names in zip(drawing.subplots(1, len(panels), sharey=True), panels, strict=True):
            axes.plot(per_cent, means["random"], color=MUTED, label="random map")
            data = saying.in_charts(titled(comparison.control))
            axes.plot(per_cent, means["data"], ":", color=MUTED, linewidth=2, label=data)
            for colour, name in zip(SERIES, names, strict=False):
                bands = [band for column in found.curves[name][test].T if (band := comparison.interval(column))]
                if bands:
                    axes.fill_between(per_cent, *zip(*bands, strict=True), color=colour, alpha=0.15, linewidth=0)
                style = "--" if verdicts[name].fails else "-"
                axes.plot(per_cent, means[name], style, color=colour, label=_legend(name, verdicts[name]))
            axes.set(xlabel="places changed, %", ylim=(0, None))
            axes.legend()
        drawing.axes[0].set_ylabel("probability of the class")

    table = pd.DataFrame({"share": found.shares.round(4)} | {name: row.round(5) for name, row in means.items()})
    half = len(found.shares) // 2
    best = min(verdicts, key=lambda name: float(means[name].mean()) * (-1 if test == "insertion" else 1))
    return Figure(
        test,
        draw(paint, 760, 300),
        alt=say(
            "faithfulness.curves.alt",
            share=float(found.shares[half]),
            random=float(means["random"][half]),
            control=titled(comparison.control),
            data=float(means["data"][half]),
            best=titled(best),
            found=float(means[best][half]),
        ),
        data=table,
        title=say(f"faithfulness.{test}.title"),
        caption=[
            say(
                f"faithfulness.{test}.caption",
                n=n,
                band=say("faithfulness.curves.band" if n >= ENOUGH else "faithfulness.curves.no_band"),
            ),
            say("faithfulness.curves.dashed"),
        ],
    )


def _cascade(verdicts: Mapping[str, Verdict]) -> Figure:
    panels = _panels(verdicts)
    shuffled = next(iter(verdicts.values())).shuffled

    def paint(drawing: Drawing) -> None:
        for axes, names in zip(drawing.subplots(1, len(panels), sharey=True), panels, strict=True):
            axes.axhline(LIMIT, color=MUTED, linestyle=":", linewidth=1.5)
            for colour, name in zip(SERIES, names, strict=False):
                verdict = verdicts[name]
                axes.plot(
                    range(1 + len(shuffled)),
                    [1, *verdict.similarity.mean(axis=1)],
                    "o--" if verdict.fails else "o-",
                    color=colour,
                    label=_legend(name, verdict),
                )
            axes.set_xticks(range(1 + len(shuffled)), ["0", *map(str, shuffled)])
            axes.set(xlabel="layers shuffled, from the last down", ylim=(None, 1.6))  # room for the legend
            axes.set_yticks([-0.5, 0, 0.5, 1])
            axes.legend(loc="upper right")
        drawing.axes[0].set_ylabel("rank correlation")

    table = pd.DataFrame({"layers shuffled": shuffled})
    for name, verdict in verdicts.items():
        table[name] = verdict.similarity.mean(axis=1).round(4)
    caption, each = say("faithfulness.randomisation.caption", limit=LIMIT), similarities(verdicts)
    return figure("randomisation", "faithfulness.randomisation", draw(paint, 760, 300), table, caption, each=each)
