"""Which maps can be believed: deletion, insertion, flipping against a random map, and the randomisation test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Facts, Samples
from cnnatomy.dissect.attributing import attributions, cams
from cnnatomy.dissect.attributing.cams import cam_layers
from cnnatomy.dissect.attributing.curves import TESTS, area, curve, ranks
from cnnatomy.dissect.attributing.trust import LIMIT, Verdict, randomised, said
from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.drawing.showing import plain, significant
from cnnatomy.exhibit import Block, Exhibit, Figure, Number, Table, Text
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.probing.choosing import evenly
from cnnatomy.probing.outputs import logits_of
from cnnatomy.probing.work import LARGE, affordable, effort
from cnnatomy.statistics.intervals import mean_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

TITLE = {"en": "Which maps can be believed", "zh": "哪些图可信"}
TITLES = {name: title["en"] for name, title in attributions.TITLES.items()} | cams.TITLES
SOURCES = [
    "Petsiuk et al. 2018, RISE: randomized input sampling for explanation of black-box models, BMVC",
    "Bach et al. 2015, On pixel-wise explanations for non-linear classifier decisions, PLOS ONE",
    "Adebayo et al. 2018, Sanity checks for saliency maps, NeurIPS",
]
SAID = {"deletion": ("deletion", "删除"), "insertion": ("insertion", "插入"), "flipping": ("flipping", "翻转")}
WORK = 1.5e11  # multiply-adds for all curves together
ENOUGH = 10  # samples for an interval


def faithfulness(network: nn.Module, samples: Samples, config: Mapping[str, Any], *, seed: int) -> Exhibit:
    """Measure every map of `attribution` and `class_activation` against the network, and against a random map.

    config: `samples`, `steps`; see conf/dissect/faithfulness.yaml. Raises DoesNotApply for fewer than two samples,
    NoLogits before any long work.
    """
    facts = samples.facts
    if len(samples) < 2:
        raise DoesNotApply({"en": "there are fewer than two test samples to measure on", "zh": "测试样本少于两个"})
    x = to_tensor(facts, samples.inputs[:1])
    logits_of(network, x, len(facts.classes))
    places_of_input = tuple(facts.shape) if facts.kind == "texts" else tuple(facts.shape[1:])
    table = attributions.methods(network, samples, None)
    table |= cams.methods(cam_layers(network, x, None), places_of_input)

    each = effort(network, x)
    n, steps = _affordable(samples, each, len(table) + 1, config["samples"], config["steps"])
    chosen = evenly(len(samples), n)
    x = to_tensor(facts, samples.inputs[chosen])
    target = logits_of(network, x).argmax(1)
    valid = np.asarray(samples.inputs[chosen]) != PADDING if facts.kind == "texts" else _all(len(chosen), facts)
    random = np.random.default_rng(seed)
    chance = random.random((len(chosen), *places_of_input))
    maps: dict[str, Tensor] = {name: method(network, x, target) for name, method in table.items()}
    shares = np.linspace(0, 1, steps + 1)
    curves: dict[str, dict[str, np.ndarray]] = {}
    ends: dict[str, np.ndarray] = {}
    for name, found in (maps | {"random": torch.from_numpy(chance)}).items():
        order = ranks(_importance(name, facts, found), valid, chance)
        curves[name] = {test: curve(network, samples, chosen, target, order, shares, test, ends) for test in TESTS}
    verdicts = randomised(network, samples, table, seed, cuts=5 if each < LARGE else 3)

    areas = {name: {test: area(found[test], shares) for test in TESTS} for name, found in curves.items()}
    blocks: list[Block] = [_table(areas, verdicts)]
    blocks += [_curves(test, curves, shares, verdicts, len(chosen)) for test in TESTS]
    blocks.append(_cascade(verdicts))
    return Exhibit(
        kind="run",
        name="",
        method="faithfulness",
        seed=0,
        title=TITLE,
        caption=_caption(facts, areas, verdicts, config["samples"], len(samples)),
        numbers=_numbers(areas, verdicts),
        blocks=blocks,
        sources=SOURCES,
    )


def _affordable(samples: Samples, each: float, methods: int, wanted: int, steps: int) -> tuple[int, int]:
    """How many samples and steps there is time for: fewer steps first, then fewer samples."""
    n = min(wanted, len(samples))
    curves = WORK / (each * methods * len(TESTS))  # points of curves
    steps = affordable(curves, n, min(8, steps), steps)
    return affordable(curves, steps, min(8, n), n), steps


def _all(n: int, facts: Facts) -> np.ndarray:
    return np.ones((n, *facts.shape[1:]), dtype=bool)


def _importance(name: str, facts: Facts, maps: Tensor) -> Tensor:
    """What a place is ranked by: of what says only how sensitive the output is, the size without the sign."""
    sensitive = name in ("gradients", "guided_backpropagation") and facts.kind != "texts"
    return maps.abs() if sensitive else maps


def _gain(areas: Mapping[str, Mapping[str, np.ndarray]], name: str, test: str) -> np.ndarray:
    """By how much a method is better than the random map on each sample: above 0, it is."""
    difference = areas[name][test] - areas["random"][test]
    return difference if test == "insertion" else -difference


def _mean(metric: str, values: np.ndarray, subject: str = "", unit: str = "") -> Number:
    low, high = mean_interval(values) if len(values) >= ENOUGH else (None, None)
    return Number(metric, float(values.mean()), low, high, unit, len(values), subject)


def _best(areas: Mapping[str, Mapping[str, np.ndarray]], verdicts: Mapping[str, Verdict], test: str) -> str:
    """The method that passes and gains most; of all where none passes."""
    passing = [name for name, verdict in verdicts.items() if not verdict.fails] or list(verdicts)
    return max(passing, key=lambda name: float(_gain(areas, name, test).mean()))


def _numbers(areas: Mapping[str, Mapping[str, np.ndarray]], verdicts: Mapping[str, Verdict]) -> list[Number]:
    numbers = [Number("methods_that_fail", sum(verdict.fails for verdict in verdicts.values()), n=len(verdicts))]
    for test in TESTS:
        numbers.append(_mean(f"best_{test}_gain", _gain(areas, _best(areas, verdicts, test), test)))
    for name, found in areas.items():
        subject = f"method={name}"
        for test in TESTS:
            numbers.append(_mean(f"{test}_area", found[test], subject, "fraction"))
            if name != "random":
                gain = _gain(areas, name, test)
                numbers.append(_mean(f"{test}_gain", gain, subject))
        if name in verdicts:
            numbers.append(verdicts[name].number(name))
            numbers.append(Number("fails", int(verdicts[name].fails), subject=subject))
            for depth, row in zip(verdicts[name].shuffled, verdicts[name].similarity, strict=True):
                numbers.append(_mean("similarity", row, f"{subject};shuffled={depth}"))
    return numbers


def _table(areas: Mapping[str, Mapping[str, np.ndarray]], verdicts: Mapping[str, Verdict]) -> Table:
    import pandas as pd

    rows = []
    for name, found in areas.items():
        verdict = verdicts.get(name)
        rows.append(
            {
                "method": TITLES.get(name, "random map"),
                "deletion (low is good)": significant(float(found["deletion"].mean())),
                "insertion (high is good)": significant(float(found["insertion"].mean())),
                "flipping (low is good)": significant(float(found["flipping"].mean())),
                "similarity when shuffled": "" if verdict is None else significant(float(verdict.worst.mean()), 2),
                "randomisation test": "" if verdict is None else "✗ fails" if verdict.fails else "passes",
            }
        )
    n = len(areas["random"]["deletion"])
    return Table(
        "methods",
        pd.DataFrame(rows),
        title={"en": "All methods", "zh": "所有方法"},
        caption={
            "en": (
                f"Mean probability of the class over the whole curve, on {n} samples. A method can order places well "
                "and still fail the randomisation test: then it finds where there is something, not what the network "
                "makes of it."
            ),
            "zh": (
                f"整条曲线上该类的平均概率（{n} 个样本）。排序好而随机化检验不通过的方法，"
                "找到的是哪里有东西，而不是网络如何看待它。"
            ),
        },
    )


def _panels(verdicts: Mapping[str, Verdict]) -> list[list[str]]:
    return [[name for name in verdicts if name not in cams.TITLES], [name for name in verdicts if name in cams.TITLES]]


def _label(name: str, verdicts: Mapping[str, Verdict]) -> str:
    return f"✗ {TITLES[name]}" if verdicts[name].fails else TITLES[name]


def _curves(
    test: str,
    curves: Mapping[str, Mapping[str, np.ndarray]],
    shares: np.ndarray,
    verdicts: Mapping[str, Verdict],
    n: int,
) -> Figure:
    import pandas as pd

    means = {name: found[test].mean(axis=0) for name, found in curves.items()}
    panels = _panels(verdicts)

    def paint(drawing: Drawing) -> None:
        for axes, names in zip(drawing.subplots(1, len(panels), sharey=True), panels, strict=True):
            axes.plot(100 * shares, means["random"], color=MUTED, label="random map")
            for colour, name in zip(SERIES, names, strict=False):
                if n >= ENOUGH:
                    bands = [mean_interval(column) for column in curves[name][test].T]
                    axes.fill_between(100 * shares, *zip(*bands, strict=True), color=colour, alpha=0.15, linewidth=0)
                style = "--" if verdicts[name].fails else "-"
                axes.plot(100 * shares, means[name], style, color=colour, label=_label(name, verdicts))
            axes.set(xlabel="places changed, %", ylim=(0, None))
            axes.legend()
        drawing.axes[0].set_ylabel("probability of the class")

    table = pd.DataFrame({"share": shares.round(4)} | {name: row.round(5) for name, row in means.items()})
    half = len(shares) // 2
    best = min(verdicts, key=lambda name: float(means[name].mean()) * (-1 if test == "insertion" else 1))
    what = {
        "deletion": (
            "The most important places are blanked (words are cut out). A good map falls fast",
            "下降越快越好",
        ),
        "insertion": ("Only the most important places are given. A good map rises fast", "上升越快越好"),
        "flipping": (
            "The most important places are turned into their opposite: white for black, loud for quiet, the unknown "
            "word for a word. A good map falls fast",
            "下降越快越好",
        ),
    }[test]
    band = "; bands are 95 % intervals of the mean" if n >= ENOUGH else "; too few samples for an interval"
    return Figure(
        test,
        draw(paint, 760, 300),
        alt={
            "en": (
                f"Curves of probability. With {100 * shares[half]:.0f} % of the places changed: random map "
                f"{means['random'][half]:.2f}, {TITLES[best]} {means[best][half]:.2f}."
            )
        },
        data=table,
        title={"en": SAID[test][0].capitalize(), "zh": SAID[test][1]},
        caption={
            "en": f"{what[0]}. Mean over {n} samples{band}. Dashed and ✗: the method fails the randomisation test.",
            "zh": f"{what[1]}（{n} 个样本的平均）。虚线和 ✗：未通过随机化检验。",
        },
    )


def _cascade(verdicts: Mapping[str, Verdict]) -> Figure:
    import pandas as pd

    panels = _panels(verdicts)
    shuffled = next(iter(verdicts.values())).shuffled

    def paint(drawing: Drawing) -> None:
        for axes, names in zip(drawing.subplots(1, len(panels), sharey=True), panels, strict=True):
            axes.axhline(LIMIT, color=MUTED, linestyle=":", linewidth=1.5)
            for colour, name in zip(SERIES, names, strict=False):
                style = "o--" if verdicts[name].fails else "o-"
                axes.plot(
                    range(1 + len(shuffled)),
                    [1, *verdicts[name].similarity.mean(axis=1)],
                    style,
                    color=colour,
                    label=_label(name, verdicts),
                )
            axes.set_xticks(range(1 + len(shuffled)), ["0", *map(str, shuffled)])
            axes.set(xlabel="layers shuffled, from the last down", ylim=(None, 1.6))  # room for the legend
            axes.set_yticks([-0.5, 0, 0.5, 1])
            axes.legend(loc="upper right")
        drawing.axes[0].set_ylabel("rank correlation")

    table = pd.DataFrame({"layers shuffled": shuffled})
    for name, verdict in verdicts.items():
        table[name] = verdict.similarity.mean(axis=1).round(4)
    each = ", ".join(f"{TITLES[name]} {float(v.worst.mean()):.2f}" for name, v in verdicts.items())
    return Figure(
        "randomisation",
        draw(paint, 760, 300),
        alt={"en": f"Rank correlation of maps before and after shuffling, where they change least: {each}."},
        data=table,
        title={"en": "The randomisation test", "zh": "随机化检验"},
        caption={
            "en": (
                "How alike a method's maps are to those of the trained network when the numbers of its last layers are "
                "shuffled, one after the other. With the last one shuffled the network no longer tells the classes "
                "apart; with all, nothing is left of what it learned. A method that is above the dotted line "
                f"({LIMIT}) at either of these fails. The line is halfway between maps in the same order (1) and maps "
                "that have nothing in common (0)."
            ),
            "zh": (
                "逐层打乱参数后，图与原图的秩相关。打乱最后一层：网络已分不清类别；全部打乱：所学全无。"
                f"两者之一高于虚线（{LIMIT}）即不通过。"
            ),
        },
    )


def _caption(
    facts: Facts,
    areas: Mapping[str, Mapping[str, np.ndarray]],
    verdicts: Mapping[str, Verdict],
    wanted: int,
    total: int,
) -> Text:
    test = said(verdicts, TITLES)
    assert not isinstance(test, str)
    n = len(areas["random"]["deletion"])
    best = {name: _best(areas, verdicts, name) for name in TESTS}
    gains = "; ".join(
        f"{name}, {TITLES[found]} by {plain(float(_gain(areas, found, name).mean()))}" for name, found in best.items()
    )
    reason = "all that there are" if n < wanted and n == total else "as many as there is time for"
    few = f" Measured on {n} samples only, {reason}." if n < min(wanted, 200) else ""
    ranked = (
        " Gradients and guided backpropagation are ranked by size, the others from most for to most against."
        if facts.kind != "texts"
        else ""
    )
    return {
        "en": (
            "A map claims which places matter. Here the claim is tested: places are changed in the order of the map, "
            "and the probability of the class that is read is measured again. The random map is what no knowledge "
            "gives. Against it, the best of those that pass the randomisation test gain in mean probability: "
            f"{gains}.{ranked}{few} {test['en']}"
        ),
        "zh": (
            "一张图声称哪些地方重要。这里检验它：按图的次序改变各处，再测所读类别的概率；随机图是毫无所知时的水平。"
            f"通过随机化检验的方法中，相对随机图平均概率改善最大的：{gains}。{test['zh']}"
        ),
    }
