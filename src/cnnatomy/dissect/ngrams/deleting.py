"""Words taken out of sentences: what becomes of the prediction without those that a network is said to go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import nn

from cnnatomy.data.prepared import PADDING, Facts
from cnnatomy.dissect.ngrams.settings import Settings
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.predicting import probabilities
from cnnatomy.statistics.intervals import mean_interval, ratio
from cnnatomy.statistics.numbers import Numbers

PARTS = (0.05, 0.1, 0.2, 0.3, 0.5)  # of a sentence's words deleted, in the curve
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

    @property
    def ratio(self) -> tuple[float, float, float] | None:
        """How many times as far highlighted words move the prediction, with the interval over sentences.

        In sizes: half of the random deletions make the class more probable, so that the mean of their drops is near 0
        and a ratio to it says nothing. None where random deletion changes nothing that could be compared with.
        """
        ours, chance = np.abs(self.highlighted), np.abs(self.random).mean(axis=0)
        ends = ratio(ours, chance) if len(chance) > 1 and chance.mean() > 0 else None
        return None if ends is None else (float(ours.mean() / chance.mean()), *ends)

    @property
    def than_counting(self) -> Literal["more", "less", "same"] | None:
        """Whether the network's words matter more to it than those that need no look into it; None without these."""
        if self.counted is None:
            return None
        low, high = mean_interval(self.highlighted - self.counted)
        return "same" if low <= 0 <= high else "more" if low > 0 else "less"


class Reading:
    """Test sentences that words are taken out of, int (n, words), and what the network says of them whole.

    before: the probability of each class, (n, classes). predicted: the most probable, (n,).
    """

    def __init__(self, network: nn.Module, facts: Facts, inputs: np.ndarray) -> None:
        self.network, self.facts, self.inputs = network, facts, inputs
        self.before = probabilities(network, facts, inputs)
        self.predicted = self.before.argmax(axis=1)

    def without(self, weights: np.ndarray, part: float) -> tuple[np.ndarray, np.ndarray]:
        """What becomes of the predicted class without the words of the highest weights, (n, words).

        How much less probable it is, (n,), and whether another class is predicted, bool (n,).
        """
        after = probabilities(self.network, self.facts, without_strongest(self.inputs, weights, part))
        rows = np.arange(len(self.inputs))
        return self.before[rows, self.predicted] - after[rows, self.predicted], after.argmax(axis=1) != self.predicted

    def without_random(self, part: float, draws: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The same for as many words drawn at random from the same sentence, of each draw: (draws, n) twice."""
        found = [self.without(random.random(self.inputs.shape), part) for _ in range(draws)]
        return np.stack([drop for drop, _ in found]), np.stack([flipped for _, flipped in found])

    def without_each(self) -> np.ndarray:
        """How much less probable the predicted class is without each single word, (n, words): tried one by one."""
        inputs, columns = self.inputs, np.arange(self.inputs.shape[1])[None]
        rows, at = np.nonzero(columns < lengths(inputs)[:, None])
        padded = np.pad(inputs, ((0, 0), (0, 1)), constant_values=PADDING)
        alone = padded[rows[:, None], columns + (columns >= at[:, None])]
        after = probabilities(self.network, self.facts, alone)
        said = self.predicted[rows]
        found = np.zeros(inputs.shape)
        found[rows, at] = self.before[rows, said] - after[np.arange(len(rows)), said]
        return found


@dataclass(frozen=True)
class Words:
    """What is taken out of sentences, and how often: the same for one part of the words and for several.

    weights: of each word by the network, (sentences, words); counts: by naive Bayes, of the same shape or None.
    settings: `deleted`, the part, and `draws`. random: draws words.
    """

    reading: Reading
    weights: np.ndarray
    counts: np.ndarray | None
    settings: Settings
    random: np.random.Generator

    def deleted(self) -> Deleted:
        """Delete part of the words of each sentence: by their weights, at random, by counting, and one by one."""
        reading, part = self.reading, self.settings.deleted
        most = max(2, ONE_BY_ONE // max(1, int(lengths(reading.inputs).mean())))
        tried = Reading(reading.network, reading.facts, reading.inputs[:most])
        return Deleted(
            *reading.without(self.weights, part),
            *reading.without_random(part, self.settings.draws, self.random),
            None if self.counts is None else reading.without(self.counts, part)[0],
            tried.without(tried.without_each(), part)[0],
        )

    def by_part(self) -> dict[float, dict[str, np.ndarray]]:
        """How much less probable the predicted class becomes, (sentences,), by the part deleted and by which words.

        Those that are `highlighted`, `random` ones, the mean over a few draws, those of `least` weight either way, and
        those `counted`, unless counts are None.
        """
        reading, draws, found = self.reading, max(2, self.settings.draws // 4), {}
        for part in PARTS:
            found[part] = {
                "highlighted": reading.without(self.weights, part)[0],
                "random": reading.without_random(part, draws, self.random)[0].mean(axis=0),
                "least": reading.without(-np.abs(self.weights), part)[0],
            }
            if self.counts is not None:
                found[part]["counted"] = reading.without(self.counts, part)[0]
        return found


def numbers_of(deleted: Deleted) -> Numbers:
    """The ratio first, where it can be had; drops and flips, over sentences."""
    rows = Numbers()
    if deleted.ratio is not None:
        value, low, high = map(significant, deleted.ratio)
        rows.add("deletion_ratio", value, (low, high), n=len(deleted.highlighted))
    rows.mean("drop_highlighted", deleted.highlighted, "fraction")
    rows.mean("drop_random", deleted.random.mean(axis=0), "fraction")
    rows.share("flips_highlighted", int(deleted.flips.sum()), len(deleted.flips))
    rows.mean("flips_random", deleted.flips_at_random.mean(axis=0), "fraction", between=(0, 1))
    if deleted.counted is not None:
        rows.mean("drop_counted", deleted.counted, "fraction")
        rows.mean("drop_highlighted_over_counted", deleted.highlighted - deleted.counted, "fraction")
    rows.mean("drop_one_by_one", deleted.one_by_one, "fraction")
    return rows


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
