"""N-grams that filters over words fire for, the class that each speaks for, and whether its words decide a sentence.

Jacovi, Sar Shalom & Goldberg 2018, Understanding convolutional neural networks for text classification, BlackboxNLP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.ngrams import deleting, highlighting, voting
from cnnatomy.dissect.ngrams.deleting import Deleted, Reading, Words
from cnnatomy.dissect.ngrams.settings import Settings
from cnnatomy.dissect.ngrams.silencing import silenced_below
from cnnatomy.dissect.ngrams.sliding import Slides, slide
from cnnatomy.dissect.ngrams.slots import Reader, Slots, Windows, readers, slots, windows
from cnnatomy.exhibit import Unit, say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.layers import Layer, LayerNotFound, named, trace
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.inspection.predicting import logits
from cnnatomy.statistics.intervals import wilson
from cnnatomy.statistics.numbers import Numbers

PICKS = 4  # filters named for a sentence
DELETIONS = 3  # the stream of random numbers that words are drawn from


@dataclass(frozen=True)
class Extreme:
    """Of all n-grams that the vocabulary can form: tokens (filters, slots) and values (filters,)."""

    tokens: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Exact:
    """What is known where a filter's value is a sum over the words of its window.

    adds: what each word adds in each slot, (slots, vocabulary + 1, filters); the last is for no word. best, lowest: the
    exact optima.
    """

    adds: np.ndarray
    best: Extreme
    lowest: Extreme

    @classmethod
    def of(cls, slots: Slots) -> Exact:
        return cls(slots.adds.numpy(), Extreme(*slots.extreme(1)), Extreme(*slots.extreme(-1)))


@dataclass(frozen=True)
class Filters:
    """The filters of one layer: what was found of each, (filters, …).

    width: of their windows, in words. exact: None where only real n-grams can be given. seen: the n-grams of the
    sentences looked at, which have these labels. votes: (filters, classes), dense weights or correlations; weighed:
    whether they are weights. importance: mean size of what the filter adds to the log-odds of a test sentence. fires:
    the share of test sentences in which it is above zero.
    """

    name: str
    width: int
    exact: Exact | None
    seen: Windows
    labels: np.ndarray
    votes: np.ndarray
    weighed: bool
    importance: np.ndarray
    fires: np.ndarray
    purity: list[voting.Purity]

    @property
    def classes(self) -> np.ndarray:
        """The class that each votes for."""
        return self.votes.argmax(axis=1)

    @property
    def dead(self) -> np.ndarray:
        """Filters that no n-gram of the data raises above zero."""
        return self.seen.values.max(axis=0) <= 0

    @property
    def reached(self) -> dict[int, float]:
        """Which part of the exact best the best real n-gram reaches, of the filters that can fire at all."""
        if self.exact is None:
            return {}
        best, real = self.exact.best.values, np.maximum(self.seen.values.max(axis=0), 0)
        return {int(channel): float(real[channel] / best[channel]) for channel in np.flatnonzero(best > 0)}

    def counted(self, place: int) -> list[tuple[int, int]]:
        """In how many sentences of which class an n-gram of the data stands, (class, sentences), the most first."""
        where = self.labels[self.seen.sentence[self.seen.which == place]]
        counts = [(int(label), int((where == label).sum())) for label in np.unique(where)]
        return sorted(counts, key=lambda pair: -pair[1])

    def one_word_other(self, channel: int, best: np.ndarray) -> int | None:
        """The n-gram of the data of lowest value that shares all but one word with one of the best, if below zero."""
        seen = self.seen
        near = np.zeros(len(seen.ngrams), dtype=bool)
        for place in best:
            near |= (seen.ngrams == seen.ngrams[place]).sum(axis=1) == seen.ngrams.shape[1] - 1
        if self.width == 1 or not near.any():
            return None
        place = int(np.flatnonzero(near)[seen.values[near, channel].argmin()])
        return place if seen.values[place, channel] < 0 < seen.values[best[0], channel] else None


@dataclass(frozen=True)
class Pick:
    """What a filter fires for most in a sentence: tokens (slots,), its value, and what it adds to the log-odds."""

    layer: str
    channel: int
    tokens: np.ndarray
    value: float
    adds: float


@dataclass(frozen=True)
class Decided:
    """A test sentence, by its place in the split.

    predicted, sure: the class and its probability. weights: what its words add to the log-odds, (words,).
    """

    place: int
    label: int
    predicted: int
    sure: float
    weights: np.ndarray
    picks: list[Pick]


@dataclass(frozen=True)
class Ngrams:
    """trained: whether the n-grams are those of training sentences. filters: by layer. deleted, by_part: what becomes
    of the prediction without words. sentences: the first right and wrong ones.
    right, right_above: whether each labelled test sentence is read rightly, and whether without what filters say below
    their thresholds, bool (sentences,). by_chance: how many of these are of the class of each filter that has a purity.
    slides: a filter along the shortest and the longest of `sentences`; None where that can't be drawn.
    """

    trained: bool
    filters: list[Filters]
    deleted: Deleted
    by_part: dict[float, dict[str, np.ndarray]]
    sentences: list[Decided]
    slides: Slides | None
    right: np.ndarray
    right_above: np.ndarray
    by_chance: list[float]


def measure(network: nn.Module, samples: Samples, settings: Settings, *, training: Samples | None, seed: int) -> Ngrams:
    """For each filter its n-grams, exact optima, class and purity; for sentences the words that decide.

    settings: see conf/dissect/ngrams.yaml. Raises DoesNotApply for what are no sentences, LayerNotFound where no
    convolution's windows can be followed to the words or a name is unknown, NoLogits for a network of no classes.
    """
    facts = samples.facts
    if facts.kind != "texts":
        raise DoesNotApply(say("ngrams.no_texts"))
    if len(samples) < 2:
        raise DoesNotApply(say("ngrams.too_few"))
    first = to_tensor(facts, samples.inputs[:1])
    logits_of(network, first, len(facts.classes))
    layers = trace(network, first)
    chosen = _chosen(readers(layers, facts.shape[0]), layers, settings.layers)

    inputs = np.asarray(samples.inputs[: settings.tested])
    sums = {reader.layer.name: slots(network, reader, samples) for reader in chosen}
    known = {name: found for name, found in sums.items() if found is not None}
    weights, adds = highlighting.contributions(network, chosen, known, facts, inputs)
    votes = voting.dense_votes(network, layers, chosen, facts, inputs)
    by_layer = ByLayer(known, votes, adds)
    found = [_filters(network, one, samples, training, by_layer, settings) for one in chosen]

    reading = Reading(network, facts, inputs)
    labelled = training is not None and (training.labels >= 0).any()
    counts = (
        highlighting.by_counting(training, inputs, reading.predicted) if training is not None and labelled else None
    )
    words = Words(reading, weights, counts, settings, np.random.default_rng((seed, DELETIONS)))
    shown = _first(reading, samples, settings.shown)
    return Ngrams(
        training is not None,
        found,
        words.deleted(),
        words.by_part(),
        [_decided(reading, samples, place, weights, adds, chosen) for place in shown],
        slide(network, layers, chosen, samples, shown),
        *_pruned(network, samples, chosen, found),
    )


def _chosen(found: Sequence[Reader], layers: Sequence[Layer], names: Sequence[str] | None) -> list[Reader]:
    by_name = {reader.layer.name: reader for reader in found}
    if names is None:
        if not found:
            raise DoesNotApply(say("ngrams.no_windows"))
        return list(found)
    for name in names:
        if named(layers, name).name not in by_name:
            raise LayerNotFound(
                f"the windows of the layer {name!r} can't be followed to the words; those of "
                f"{', '.join(by_name) or 'no layer'} can"
            )
    return [by_name[name] for name in names]


@dataclass(frozen=True)
class ByLayer:
    """What is known of the filters of each layer.

    slots: what words add in their slots; votes: weights in the dense layer, (filters, classes); neither of every layer.
    adds: what filters add to the log-odds of test sentences, (sentences, filters).
    """

    slots: Mapping[str, Slots]
    votes: Mapping[str, np.ndarray]
    adds: Mapping[str, np.ndarray]


def _filters(
    network: nn.Module,
    reader: Reader,
    samples: Samples,
    training: Samples | None,
    known: ByLayer,
    settings: Settings,
) -> Filters:
    name = reader.layer.name
    source = samples if training is None else training
    seen = windows(network, reader, source, settings.sentences)
    tested = seen if training is None else windows(network, reader, samples, len(samples))
    labels, test_labels = source.labels[: len(seen.peaks)], samples.labels[: len(tested.peaks)]
    votes, sums = known.votes.get(name), known.slots.get(name)
    weighed = votes is not None
    votes = voting.correlated_votes(seen.peaks, labels, len(samples.facts.classes)) if votes is None else votes
    purities = []
    for channel, label in enumerate(votes.argmax(axis=1)):
        trained = None if training is None else (seen.peaks[labels >= 0, channel], labels[labels >= 0] == label)
        test = test_labels >= 0
        peaks = (tested.peaks[test, channel], test_labels[test] == label)
        purities.append(voting.purity(trained, peaks, settings.purity))
    return Filters(
        name=name,
        width=reader.width,
        exact=None if sums is None else Exact.of(sums),
        seen=seen,
        labels=labels,
        votes=votes,
        weighed=weighed,
        importance=np.abs(known.adds[name]).mean(axis=0),
        fires=(tested.peaks > 0).mean(axis=0),
        purity=purities,
    )


def _first(reading: Reading, samples: Samples, shown: int) -> list[int]:
    """The first so many right and the first so many wrong sentences; without labels the first at all."""
    labels = samples.labels[: len(reading.inputs)]
    right = labels == reading.predicted
    found = [place for among in (right, ~right) for place in _of_each_class(labels, among, shown)]
    return found or list(range(min(2 * shown, len(reading.inputs))))


def _of_each_class(labels: np.ndarray, among: np.ndarray, shown: int) -> list[int]:
    """The first samples among these, the first of every class before the second of any."""
    places = np.flatnonzero(among & (labels >= 0))
    rank = np.array([int((labels[places[:i]] == labels[place]).sum()) for i, place in enumerate(places)], dtype=int)
    return sorted(int(place) for place in places[np.argsort(rank, kind="stable")[:shown]])


def _decided(
    reading: Reading,
    samples: Samples,
    place: int,
    weights: np.ndarray,
    adds: Mapping[str, np.ndarray],
    chosen: Sequence[Reader],
) -> Decided:
    one = slice(place, place + 1)
    only = replace(samples, inputs=samples.inputs[one], labels=samples.labels[one])
    picks: list[Pick] = []
    for reader in chosen:
        seen, part = windows(reading.network, reader, only, 1), adds[reader.layer.name][place]
        for channel in np.argsort(-np.abs(part), kind="stable")[:PICKS]:
            at = int(seen.values[:, channel].argmax())
            value, added = float(seen.values[at, channel]), float(part[channel])
            picks.append(Pick(reader.layer.name, int(channel), seen.ngrams[at], value, added))
    return Decided(
        place=place,
        label=int(samples.labels[place]),
        predicted=int(reading.predicted[place]),
        sure=float(reading.before[place].max()),
        weights=weights[place],
        picks=sorted(picks, key=lambda pick: -abs(significant(pick.adds, 3)))[:PICKS],
    )


def _pruned(
    network: nn.Module, samples: Samples, chosen: Sequence[Reader], found: Sequence[Filters]
) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Whether labelled sentences are read rightly, without what is said below thresholds, and how often by chance."""
    kept = samples.labels >= 0
    labels, none = samples.labels[kept], np.zeros(0, dtype=bool)
    voted = [label for one in found for label, pure in zip(one.classes, one.purity, strict=True) if pure.n]
    if not voted:
        return none, none, []
    inputs = np.asarray(samples.inputs)[kept]
    levels = {
        filters.name: np.array([np.inf if one.threshold is None else one.threshold for one in filters.purity])
        for filters in found
    }
    right = logits(network, samples.facts, inputs).argmax(1).numpy() == labels
    with silenced_below(network, chosen, levels):
        above = logits(network, samples.facts, inputs).argmax(1).numpy() == labels
    return right, above, [float((labels == label).mean()) for label in voted]


def numbers(found: Ngrams) -> Numbers:
    """Those of the whole, the most telling first; then two a filter, the table has the rest."""
    rows = deleting.numbers_of(found.deleted)
    pure = [one for filters in found.filters for one in filters.purity if one.n]
    if pure:
        rows.mean("purity", np.array([one.hits / one.n for one in pure]), "fraction", between=(0, 1))
        rows.add("purity_by_chance", significant(float(np.mean(found.by_chance))), unit="fraction", n=len(pure))
    reached = [part for filters in found.filters for part in filters.reached.values()]
    if reached:
        rows.add("best_real_of_exact", significant(float(np.median(reached))), unit="fraction", n=len(reached))
    total = sum(len(filters.purity) for filters in found.filters)
    rows.add("dead", int(sum(filters.dead.sum() for filters in found.filters)), n=total)
    if pure:
        rows.add("pure_filters", len(pure), n=total)
        rows.share("accuracy", int(found.right.sum()), len(found.right))
        rows.share("accuracy_above_thresholds", int(found.right_above.sum()), len(found.right_above))
    if found.slides is not None:
        rows.add("map_difference_by_hand", found.slides.difference, n=sum(len(one.values) for one in found.slides.each))
    for filters in found.filters:
        parts = filters.reached
        for channel, one in enumerate(filters.purity):
            with rows.about(f"layer={filters.name};filter={channel}", Unit(filters.name, channel)):
                if channel in parts:
                    rows.add("best_real_of_exact", round(parts[channel], 3), unit="fraction")
                if one.n:
                    value, low, high = (round(v, 3) for v in (one.hits / one.n, *wilson(one.hits, one.n)))
                    rows.add("purity", value, (low, high), unit="fraction", n=one.n)
    return rows
