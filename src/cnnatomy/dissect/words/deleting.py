"""Words taken out of sentences: what becomes of the prediction without those that a network is said to go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from cnnatomy.data.prepared import PADDING, Facts
from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.exhibit import Figure, Number
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.predicting import probabilities
from cnnatomy.statistics.intervals import average, mean_interval, ratio, share

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

PARTS = (0.05, 0.1, 0.2, 0.3, 0.5)  # of a sentence's words deleted, in the figure
SAME = 6  # decimals to which words that weigh the same agree
ONE_BY_ONE = 20_000  # sentences with one word less that are tried at most


@dataclass(frozen=True)
class Deleted:
    """What becomes of the predicted class of each test sentence by what is deleted.

    highlighted, counted, one_by_one: how much less probable it is, (sentences,); counted: without the words that
    naive Bayes would name, None without labelled training sentences. random: the same of each draw, (draws, sentences).
    flips, flips_at_random: whether another class is predicted, of the same shapes as `highlighted` and `random`.
    """

    highlighted: np.ndarray
    flips: np.ndarray
    random: np.ndarray
    flips_at_random: np.ndarray
    counted: np.ndarray | None
    one_by_one: np.ndarray


def delete(
    network: nn.Module,
    facts: Facts,
    inputs: np.ndarray,
    weights: np.ndarray,
    counts: np.ndarray | None,
    config: Mapping[str, Any],
    random: np.random.Generator,
) -> Deleted:
    """Delete part of the words of each sentence: by their weights, at random, by counting, and one by one.

    inputs, weights, counts: (sentences, words); counts may be None. config: `deleted`, the part, and `draws`.
    """
    part = config["deleted"]
    tried = inputs[: max(2, ONE_BY_ONE // max(1, int(lengths(inputs).mean())))]
    alone = each_word_drops(network, facts, tried)
    return Deleted(
        *changes(network, facts, inputs, weights, part),
        *random_changes(network, facts, inputs, part, config["draws"], random),
        None if counts is None else changes(network, facts, inputs, counts, part)[0],
        changes(network, facts, tried, alone, part)[0],
    )


def deletion_figure(
    network: nn.Module,
    facts: Facts,
    inputs: np.ndarray,
    weights: np.ndarray,
    counts: np.ndarray | None,
    random: np.random.Generator,
    config: Mapping[str, Any],
) -> Figure:
    """How much less probable the predicted class becomes, by how many words are deleted and which."""
    import pandas as pd

    rows, draws = [], max(2, config["draws"] // 4)
    for part in PARTS:
        found = {
            "highlighted": changes(network, facts, inputs, weights, part)[0],
            "random": random_changes(network, facts, inputs, part, draws, random)[0].mean(axis=0),
            "least": changes(network, facts, inputs, -np.abs(weights), part)[0],
        }
        if counts is not None:
            found["counted"] = changes(network, facts, inputs, counts, part)[0]
        for name, values in found.items():
            low, high = mean_interval(values)
            rows.append([part, name, *(round(v, 5) for v in (float(values.mean()), low, high)), len(values)])
    data = pd.DataFrame(rows, columns=["part deleted", "words", "drop", "ci_low", "ci_high", "n"])
    shown = {
        "highlighted": ("highlighted words", SERIES[1]),
        "random": ("random words", SERIES[0]),
        "least": ("words of least weight", MUTED),
    }
    if counts is not None:
        shown["counted"] = ("words by counting", SERIES[2])

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for name, (label, colour) in shown.items():
            one = data[data["words"] == name]
            x = 100 * one["part deleted"]
            axes.fill_between(x, 100 * one["ci_low"], 100 * one["ci_high"], color=colour, alpha=0.25, linewidth=0)
            axes.plot(x, 100 * one["drop"], "o-", color=colour, label=label)
        axes.set(
            xlabel="words deleted, % of the sentence", ylabel="drop, points", ylim=(min(0, *axes.get_ylim()), None)
        )
        axes.legend()

    counted = counts is not None
    last = {
        name: float(data[(data["words"] == name) & (data["part deleted"] == 0.2)]["drop"].iloc[0]) for name in shown
    }
    return Figure(
        "deletion",
        draw(paint, 640, 300),
        alt={
            "en": (
                f"With a fifth of the words deleted the predicted class loses {100 * last['highlighted']:.1f} points "
                f"of probability for highlighted words, {100 * last['random']:.1f} for random ones."
            )
        },
        data=data,
        title={"en": "Deleting words", "zh": "删去词"},
        caption={
            "en": (
                f"How much less probable the predicted class becomes over {len(inputs)} test sentences when words are "
                "taken out and those behind them move up: those that speak most for the prediction, as many drawn at "
                "random from the same sentence, and those that weigh least either way"
                + (", and those that counting words in the training sentences names (naive Bayes)" if counted else "")
                + ". Bands: 95 % intervals."
            ),
            "zh": (
                f"在 {len(inputs)} 个测试句中取出一些词（后面的词前移）后，预测类别的概率下降多少：最支持预测的词、"
                "同句中随机的同样多的词、影响最小的词"
                + ("，以及只数训练句词频（朴素贝叶斯）选出的词" if counted else "")
                + "。色带为 95 % 区间。"
            ),
        },
    )


def numbers_of(deleted: Deleted) -> list[Number]:
    """The ratio first, where it can be had; drops and flips, over sentences."""
    found = _ratio(deleted)
    numbers = [] if found is None else [found]
    numbers += [
        average("drop_highlighted", deleted.highlighted, "fraction"),
        average("drop_random", deleted.random.mean(axis=0), "fraction"),
        share("flips_highlighted", int(deleted.flips.sum()), len(deleted.flips)),
        average("flips_random", deleted.flips_at_random.mean(axis=0), "fraction", between=(0, 1)),
    ]
    if deleted.counted is not None:
        numbers += [
            average("drop_counted", deleted.counted, "fraction"),
            average("drop_highlighted_over_counted", deleted.highlighted - deleted.counted, "fraction"),
        ]
    numbers.append(average("drop_one_by_one", deleted.one_by_one, "fraction"))
    return numbers


def _ratio(deleted: Deleted) -> Number | None:
    """How many times as far highlighted words move the prediction, with the interval over sentences.

    In sizes: half of the random deletions make the class more probable, so that the mean of their drops is near 0 and
    a ratio to it says nothing.
    """
    ours, chance = np.abs(deleted.highlighted), np.abs(deleted.random).mean(axis=0)
    ends = ratio(ours, chance) if len(chance) > 1 and chance.mean() > 0 else None
    if ends is None:
        return None  # random deletion changes nothing that could be compared with
    value = significant(float(ours.mean() / chance.mean()))
    return Number("deletion_ratio", value, significant(ends[0]), significant(ends[1]), n=len(chance))


def against_counting(deleted: Deleted) -> dict[str, str]:
    """Whether the network's words matter more to it than those that need no look into it, in a sentence."""
    if deleted.counted is None:
        return {"en": "", "zh": ""}
    ours, theirs = (100 * float(drop.mean()) for drop in (deleted.highlighted, deleted.counted))
    low, high = mean_interval(deleted.highlighted - deleted.counted)
    if low <= 0 <= high:
        than = ("no more, beyond chance, than", "差别不超过偶然")
    else:
        than = ("more than", "前者更多") if low > 0 else ("less than", "前者更少")
    return {
        "en": (
            f" The highlighted words cost {ours:.1f} points of probability, {than[0]} those that counting words in the "
            f"training sentences would name, {theirs:.1f} (naive Bayes, which knows no network)."
        ),
        "zh": (
            f"去掉高亮词，概率下降 {ours:.1f} 个百分点；去掉只数训练句词频选出的词（朴素贝叶斯，不看网络），"
            f"下降 {theirs:.1f}：{than[1]}。"
        ),
    }


def lengths(inputs: np.ndarray) -> np.ndarray:
    """How many words each sentence has, up to its last one."""
    filled = inputs != PADDING
    return np.where(filled.any(axis=1), inputs.shape[1] - np.argmax(filled[:, ::-1], axis=1), 0)


def count(length: int, part: float) -> int:
    """How many words of a sentence of this length are deleted: this part of them, at least 1."""
    return min(length, max(1, round(part * length)))


def without_strongest(inputs: np.ndarray, weights: np.ndarray, part: float) -> np.ndarray:
    """The sentences without the words of the highest weights: taken out, and the words behind them moved up.

    inputs, weights: (n, words). part: of each sentence's words, at least one. Of words that weigh the same the first
    goes first: counts of different words often come to the same odds but for their last bits, and which of
    those is the greater is a matter of the processor.
    """
    left = np.full_like(inputs, PADDING)
    rounded = np.round(weights, SAME)
    for row, (tokens, weight, length) in enumerate(zip(inputs, rounded, lengths(inputs), strict=True)):
        gone = np.argsort(-weight[:length], kind="stable")[: count(int(length), part)]
        kept = np.delete(tokens[:length], gone)
        left[row, : len(kept)] = kept
    return left


def changes(
    network: nn.Module, facts: Facts, inputs: np.ndarray, weights: np.ndarray, part: float
) -> tuple[np.ndarray, np.ndarray]:
    """What becomes of the predicted class without the words of the highest weights.

    How much less probable it is, (n,), and whether another class is predicted, bool (n,).
    """
    before = probabilities(network, facts, inputs)
    after = probabilities(network, facts, without_strongest(inputs, weights, part))
    rows, predicted = np.arange(len(inputs)), before.argmax(axis=1)
    return before[rows, predicted] - after[rows, predicted], after.argmax(axis=1) != predicted


def random_changes(
    network: nn.Module, facts: Facts, inputs: np.ndarray, part: float, draws: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The same for as many words drawn at random from the same sentence, of each draw: (draws, n) twice."""
    found = [changes(network, facts, inputs, random.random(inputs.shape), part) for _ in range(draws)]
    return np.stack([drop for drop, _ in found]), np.stack([flipped for _, flipped in found])


def each_word_drops(network: nn.Module, facts: Facts, inputs: np.ndarray) -> np.ndarray:
    """How much less probable the predicted class is without each single word, (n, words): words tried one by one."""
    before = probabilities(network, facts, inputs)
    rows, at = np.nonzero(np.arange(inputs.shape[1]) < lengths(inputs)[:, None])
    alone = np.zeros((len(rows), inputs.shape[1]), dtype=inputs.dtype)
    order = np.arange(inputs.shape[1])[None] + (np.arange(inputs.shape[1])[None] >= at[:, None])
    padded = np.pad(inputs, ((0, 0), (0, 1)), constant_values=PADDING)
    alone = padded[rows[:, None], order]
    after = probabilities(network, facts, alone)
    predicted = before.argmax(axis=1)[rows]
    found = np.zeros(inputs.shape)
    found[rows, at] = before[rows, predicted] - after[np.arange(len(rows)), predicted]
    return found
