"""Which maps can be believed: deletion, insertion, flipping, and the randomisation test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Facts, Samples
from cnnatomy.data.speakers import alike, alike_said
from cnnatomy.dissect.attributing import attributions, cams
from cnnatomy.dissect.attributing.cams import cam_layers
from cnnatomy.dissect.attributing.controls import Control, of_the_data
from cnnatomy.dissect.attributing.curves import TESTS, area, curve, ranks
from cnnatomy.dissect.attributing.path import Mean
from cnnatomy.dissect.attributing.showing import in_charts, precision, tested, titled
from cnnatomy.dissect.attributing.trust import LIMIT, Verdict, randomised
from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.drawing.showing import plain
from cnnatomy.exhibit import Block, Exhibit, Figure, Number, Table, Text, say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.languages import language
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.words import described
from cnnatomy.probing.choosing import evenly
from cnnatomy.probing.outputs import logits_of
from cnnatomy.probing.work import affordable, effort
from cnnatomy.statistics.intervals import grouped_mean
from cnnatomy.statistics.paired import discoveries, no_more_than_zero

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

TITLE = {"en": "Which maps can be believed", "zh": "哪些图可信"}
TITLES = {name: in_charts(titled(name)) for name in (*attributions.NAMES, *cams.TITLES)}
TITLES_ZH = {name: language("zh").words(described(titled(name))) for name in TITLES}
SOURCES = [
    "Petsiuk et al. 2018, RISE: randomized input sampling for explanation of black-box models, BMVC",
    "Bach et al. 2015, On pixel-wise explanations for non-linear classifier decisions, PLOS ONE",
    "Adebayo et al. 2018, Sanity checks for saliency maps, NeurIPS",
]
SAID = {"deletion": ("deletion", "删除"), "insertion": ("insertion", "插入"), "flipping": ("flipping", "翻转")}
CONTROLS = ("random", "data")  # maps that know nothing of the network
WORK = 1.5e11  # multiply-adds for all curves together
ENOUGH = 10  # samples for an interval
FALSE = 0.05  # of the methods said to be better than the controls, the share that may be so by chance


def faithfulness(
    network: nn.Module, samples: Samples, config: Mapping[str, Any], *, seed: int, training: Samples | None = None
) -> Exhibit:
    """Measure every map of `attribution` and `class_activation` against maps that know nothing of the network.

    These are a random map and one of the data alone (`controls`); a method's gain is that over the better of the two.
    training: where words are counted for the latter.

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
    left_out: DoesNotApply | None = None
    try:
        table |= cams.methods(cam_layers(network, x, None), places_of_input, facts.kind == "texts")
    except DoesNotApply as because:
        left_out = because

    each = effort(network, x)
    n, steps = _affordable(samples, each, len(table) + len(CONTROLS), config["samples"], config["steps"])
    chosen = evenly(len(samples), n)
    x = to_tensor(facts, samples.inputs[chosen])
    target = logits_of(network, x).argmax(1)
    valid = np.asarray(samples.inputs[chosen]) != PADDING if facts.kind == "texts" else _all(len(chosen), facts)
    random = np.random.default_rng(seed)
    chance = random.random((len(chosen), *places_of_input))
    maps, means = attributions.attributed(table, network, x, target, attributions.baseline_of(samples))
    control = of_the_data(samples, training, chosen)
    shares = np.linspace(0, 1, steps + 1)
    curves: dict[str, dict[str, np.ndarray]] = {}
    ends: dict[str, np.ndarray] = {}
    for name, found in (maps | {"random": torch.from_numpy(chance), "data": control.maps}).items():
        order = ranks(_importance(name, facts, found), valid, chance)
        curves[name] = {test: curve(network, samples, chosen, target, order, shares, test, ends) for test in TESTS}
    verdicts = randomised(network, samples, table, seed, cuts=3)

    areas = {name: {test: area(found[test], shares) for test in TESTS} for name, found in curves.items()}
    measured = Measured(areas, verdicts, control, alike(samples.table.iloc[chosen], target.numpy()))
    blocks: list[Block] = [_table(measured, facts.kind)]
    blocks += [_curves(test, curves, shares, measured) for test in TESTS]
    blocks.append(_cascade(verdicts))
    return Exhibit(
        kind="run",
        name="",
        method="faithfulness",
        seed=0,
        title=TITLE,
        caption=_caption(facts, measured, means, config["samples"], len(samples), left_out),
        numbers=_numbers(measured, means),
        blocks=blocks,
        sources=SOURCES,
    )


@dataclass(frozen=True)
class Measured:
    """Each map's mean probability over the curves of each test, (samples,), and how it compares with the controls.

    groups: of samples that go together, int (samples,), see `alike`; None where all are independent.
    """

    areas: Mapping[str, Mapping[str, np.ndarray]]
    verdicts: Mapping[str, Verdict]
    control: Control
    groups: np.ndarray | None = None

    @property
    def n(self) -> int:
        return len(self.areas["random"]["deletion"])

    def better(self, test: str) -> str:
        """The control that a gain in this test is over: the better of the two."""
        sign = 1 if test == "insertion" else -1
        return max(CONTROLS, key=lambda name: sign * float(self.areas[name][test].mean()))

    def gain(self, name: str, test: str) -> np.ndarray:
        """By how much a map is better than that control on each sample: above 0, it is."""
        difference = self.areas[name][test] - self.areas[self.better(test)][test]
        return difference if test == "insertion" else -difference

    def best(self, test: str) -> str:
        """The method that passes and gains most, one that is ahead before one that isn't; of all where none passes."""
        passing = [name for name, verdict in self.verdicts.items() if not verdict.fails] or list(self.verdicts)
        passing = [name for name in passing if (name, test) in self.ahead] or passing
        return max(passing, key=lambda name: float(self.gain(name, test).mean()))

    @cached_property
    def ahead(self) -> set[tuple[str, str]]:
        """The (method, test) that are better than both controls by more than chance makes, all tests taken together."""
        if self.n < ENOUGH:
            return set()
        asked = list(product(self.verdicts, TESTS))
        chances = np.array([no_more_than_zero(self.gain(*one), self.groups) for one in asked])
        return {one for one, found in zip(asked, discoveries(chances, FALSE), strict=True) if found}

    def number(self, metric: str, values: np.ndarray, subject: str = "", unit: str = "") -> Number:
        """The mean over samples; its interval over groups of them where they come in such."""
        low, high = grouped_mean(values, self.groups) if len(values) >= ENOUGH else (None, None)
        return Number(metric, float(values.mean()), low, high, unit, len(values), subject)

    def title(self, name: str, language: str = "en") -> str:
        """What a map or a control is called in a sentence."""
        if name == "random":
            return {"en": "the random map", "zh": "随机图"}[language]
        if name == "data":
            return {"en": self.control.en, "zh": self.control.zh}[language]
        return TITLES[name] if language == "en" else TITLES_ZH[name]


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


def _numbers(measured: Measured, means: Sequence[Mean]) -> list[Number]:
    verdicts = measured.verdicts
    numbers = [Number("methods_that_fail", sum(verdict.fails for verdict in verdicts.values()), n=len(verdicts))]
    for test in TESTS:
        numbers.append(measured.number(f"best_{test}_gain", measured.gain(measured.best(test), test)))
        ahead = sum((name, test) in measured.ahead for name in verdicts)
        numbers.append(Number(f"better_at_{test}", ahead, n=len(verdicts)))
    for name, found in measured.areas.items():
        subject = f"method={_subject(measured, name)}"
        for test in TESTS:
            numbers.append(measured.number(f"{test}_area", found[test], subject, "fraction"))
            if name not in CONTROLS:
                over = _subject(measured, measured.better(test))
                numbers.append(measured.number(f"{test}_gain", measured.gain(name, test), f"{subject};over={over}"))
        if name in verdicts:
            numbers.append(verdicts[name].number(name))
            numbers.append(Number("fails", int(verdicts[name].fails), subject=subject))
            numbers += verdicts[name].depths(name)
    if means:
        error = significant(max(mean.error for mean in means), 2)
        numbers.append(Number("path_error", error, unit="fraction", n=len(means)))
    return numbers


def _subject(measured: Measured, name: str) -> str:
    return measured.control.en.replace(" ", "_") if name == "data" else name


def _table(measured: Measured, kind: str) -> Table:
    import pandas as pd

    rows = []
    for name, found in measured.areas.items():
        verdict = measured.verdicts.get(name)
        ahead = [SAID[test][0] for test in TESTS if (name, test) in measured.ahead]
        rows.append(
            {
                "method": measured.title(name),
                "deletion (low is good)": significant(float(found["deletion"].mean())),
                "insertion (high is good)": significant(float(found["insertion"].mean())),
                "flipping (low is good)": significant(float(found["flipping"].mean())),
                "better than both controls at": "" if verdict is None else ", ".join(ahead) or "nothing",
                "similarity when shuffled": "" if verdict is None else significant(float(verdict.worst.mean()), 2),
                "randomisation test": "" if verdict is None else "✗ fails" if verdict.fails else "passes",
            }
        )
    grouped = (f"groups of samples, {alike_said(kind)[0]}", f"各组样本（{alike_said(kind)[1]}为一组）")
    over = ("samples", "样本") if measured.groups is None else grouped
    return Table(
        "methods",
        pd.DataFrame(rows),
        title={"en": "All methods, and two maps without the network", "zh": "所有方法，以及两种不看网络的图"},
        caption={
            "en": (
                f"Mean probability of the class over the whole curve, on {measured.n} samples. A method can order "
                "places well and still fail the randomisation test: then it finds where there is something, not what "
                f"the network makes of it. Better: by a paired t test over {over[0]}, with at most one in twenty of "
                "those named by chance."
            ),
            "zh": (
                f"整条曲线上该类的平均概率（{measured.n} 个样本）。排序好而随机化检验不通过的方法，"
                f"找到的是哪里有东西，而不是网络如何看待它。“优于两者”由{over[1]}上的配对 t 检验判定，误报率 5 %。"
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
    measured: Measured,
) -> Figure:
    import pandas as pd

    verdicts, n = measured.verdicts, measured.n
    means = {name: found[test].mean(axis=0) for name, found in curves.items()}
    panels = _panels(verdicts)

    def paint(drawing: Drawing) -> None:
        for axes, names in zip(drawing.subplots(1, len(panels), sharey=True), panels, strict=True):
            axes.plot(100 * shares, means["random"], color=MUTED, label="random map")
            axes.plot(100 * shares, means["data"], ":", color=MUTED, linewidth=2, label=measured.control.en)
            for colour, name in zip(SERIES, names, strict=False):
                if n >= ENOUGH:
                    bands = [grouped_mean(column, measured.groups) for column in curves[name][test].T]
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
            "word for a word, a signal upside down about its mean. A good map falls fast",
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
                f"{means['random'][half]:.2f}, {measured.control.en} {means['data'][half]:.2f}, {TITLES[best]} "
                f"{means[best][half]:.2f}."
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
    measured: Measured,
    means: Sequence[Mean],
    wanted: int,
    total: int,
    left_out: DoesNotApply | None,
) -> Text:
    n = measured.n
    outcomes = [outcome(measured, name) for name in TESTS]
    reason = "all that there are" if n < wanted and n == total else "as many as there is time for"
    few = f" Measured on {n} samples only, {reason}." if n < min(wanted, 200) else ""
    ranked = (
        " Gradients and guided backpropagation are ranked by size, the others from most for to most against."
        if facts.kind != "texts"
        else ""
    )
    control = measured.control
    whole = {
        "en": (
            "A map claims which places matter. Here the claim is tested: places are changed in the order of the map, "
            "and the probability of the class that is read is measured again. Two maps know nothing of the network: a "
            f"random one, and {control.en} alone. A map that doesn't beat both says where there is something, and no "
            f"more. {' '.join(one['en'] for one in outcomes)}{ranked}{few}"
        ),
        "zh": (
            "一张图声称哪些地方重要。这里检验它：按图的次序改变各处，再测所读类别的概率。有两种图对网络一无所知："
            f"随机图，和只看{control.zh}的图。胜不过这两者的图，只说明哪里有东西。"
            f"{''.join(one['zh'] for one in outcomes)}"
        ),
    }
    left = None if left_out is None else say("faithfulness.left_out", because=left_out.because)
    return [whole, left, *precision(means), *tested(measured.verdicts)]


def outcome(measured: Measured, test: str) -> dict[str, str]:
    """What one test came to, in a sentence: the best method ahead of both controls, or that there is none."""
    best, control = measured.best(test), measured.better(test)
    gain = plain(float(measured.gain(best, test).mean()))
    en, zh = SAID[test]
    named, named_zh = measured.title(control), measured.title(control, "zh")
    if measured.n < ENOUGH:
        return {
            "en": f"{en.capitalize()}: too few samples to say whether a method beats {named}.",
            "zh": f"{zh}：样本太少，无法判断是否有方法胜过{named_zh}。",
        }
    if (best, test) in measured.ahead:
        others = sum((name, test) in measured.ahead for name in measured.verdicts) - 1
        more = f", and {others} more beat it" if others > 1 else ", and one more beats it" if others else ""
        more_zh = f"，另有 {others} 种方法也胜过它" if others else ""
        return {
            "en": f"{en.capitalize()}: {measured.title(best)} beats {named} by {gain}{more}.",
            "zh": f"{zh}：{measured.title(best, 'zh')}胜过{named_zh} {gain}{more_zh}。",
        }
    return {
        "en": f"{en.capitalize()}: no method that passes beats {named} by more than chance.",
        "zh": f"{zh}：通过检验的方法中，没有一种显著胜过{named_zh}。",
    }
