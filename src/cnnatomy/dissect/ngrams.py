"""What the filters of a text network look for: n-grams, their class, and the words that decide a sentence (T3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, UNKNOWN, Facts, Samples
from cnnatomy.dissect.words import deleting, highlighting, voting
from cnnatomy.dissect.words.deleting import Deleted
from cnnatomy.dissect.words.silencing import silenced_below
from cnnatomy.dissect.words.slots import Reader, Slots, Windows, readers, slots, windows
from cnnatomy.drawing.showing import class_name, of_characters, spaced, words
from cnnatomy.exhibit import Block, Exhibit, Number, Sentence, Table, Texts
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.reading import joined
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.layers import LayerNotFound, named, trace
from cnnatomy.probing.outputs import logits_of
from cnnatomy.probing.predicting import predict
from cnnatomy.statistics.intervals import average, share, wilson

if TYPE_CHECKING:
    pass

TITLE = {"en": "The words its filters look for", "zh": "卷积核寻找的词"}
SOURCES = [
    "Jacovi, Sar Shalom & Goldberg 2018, Understanding convolutional neural networks for text classification, "
    "BlackboxNLP",
    "Kim 2014, Convolutional neural networks for sentence classification, EMNLP",
]
PICKS = 4  # filters named for a sentence


@dataclass(frozen=True)
class Filters:
    """The filters of one layer: what was found of each, (filters, …).

    slots: None where only real n-grams can be given. votes: (filters, classes), dense weights or correlations.
    weighed: whether they are weights. importance: mean size of what the filter adds to the log-odds of a test sentence.
    fires: the share of test sentences in which it is above zero.
    """

    reader: Reader
    slots: Slots | None
    seen: Windows
    labels: np.ndarray
    votes: np.ndarray
    weighed: bool
    importance: np.ndarray
    fires: np.ndarray
    purity: list[voting.Purity]
    best: np.ndarray
    best_values: np.ndarray
    lowest: np.ndarray
    lowest_values: np.ndarray

    @property
    def name(self) -> str:
        return self.reader.layer.name

    @property
    def classes(self) -> np.ndarray:
        return self.votes.argmax(axis=1)

    @property
    def dead(self) -> np.ndarray:
        """Filters that no n-gram of the data raises above zero."""
        return self.seen.values.max(axis=0) <= 0


def ngrams(
    network: nn.Module, samples: Samples, config: Mapping[str, Any], *, training: Samples | None, seed: int
) -> Exhibit:
    """For each filter its n-grams, exact optima, class and purity; for sentences the words that decide (T3).

    config: see conf/dissect/ngrams.yaml. Raises DoesNotApply for what are no sentences, LayerNotFound where no
    convolution's windows can be followed to the words or a name is unknown, NoLogits for a network of no classes.
    """
    facts = samples.facts
    if facts.kind != "texts":
        raise DoesNotApply({"en": "only sentences are made of words", "zh": "只有句子由词组成"})
    if len(samples) < 2:
        raise DoesNotApply({"en": "there are fewer than two test sentences", "zh": "测试句不足两句"})
    first = to_tensor(facts, samples.inputs[:1])
    logits_of(network, first, len(facts.classes))
    traced = trace(network, first)
    chosen = _chosen(readers(traced, facts.shape[0]), traced, config["layers"])
    random = np.random.default_rng((seed, 3))

    inputs = np.asarray(samples.inputs[: config["tested"]])
    sums = {reader.layer.name: slots(network, reader, samples) for reader in chosen}
    known = {name: found for name, found in sums.items() if found is not None}
    weights, parts = highlighting.contributions(network, chosen, known, facts, inputs)
    votes = voting.dense_votes(network, traced, chosen, facts, inputs)
    found = [
        _filters(network, one, sums[one.layer.name], votes.get(one.layer.name), parts, samples, training, config)
        for one in chosen
    ]
    counts = _counted(network, facts, inputs, training)
    deleted = deleting.delete(network, facts, inputs, weights, counts, config, random)

    blocks: list[Block] = [_filter_texts(one, facts, config) for one in found]
    blocks += [
        deleting.deletion_figure(network, facts, inputs, weights, counts, random, config),
        *_sentences(network, samples, inputs, weights, parts, found, deleted, config["shown"]),
        _table(found, facts),
    ]
    return Exhibit(
        kind="run",
        name="",
        method="ngrams",
        seed=0,
        title=TITLE,
        caption=_caption(found, deleted, training is not None, config, facts),
        numbers=_numbers(network, samples, found, deleted) + _of_filters(found),
        blocks=blocks,
        sources=SOURCES,
    )


def _chosen(found: Sequence[Reader], traced: Sequence[Any], names: Sequence[str] | None) -> list[Reader]:
    by_name = {reader.layer.name: reader for reader in found}
    if names is None:
        if not found:
            raise DoesNotApply(
                {
                    "en": "no convolution of the network moves along the sentence, right behind an embedding, so that "
                    "its windows could be followed to the words",
                    "zh": "网络中没有紧接词嵌入、沿句子滑动的卷积，窗口无法追溯到词",
                }
            )
        return list(found)
    for name in names:
        if named(traced, name).name not in by_name:
            raise LayerNotFound(
                f"the windows of the layer {name!r} can't be followed to the words; those of "
                f"{', '.join(by_name) or 'no layer'} can"
            )
    return [by_name[name] for name in names]


def _filters(
    network: nn.Module,
    reader: Reader,
    sums: Slots | None,
    votes: np.ndarray | None,
    parts: Mapping[str, np.ndarray],
    samples: Samples,
    training: Samples | None,
    config: Mapping[str, Any],
) -> Filters:
    facts = samples.facts
    source = samples if training is None else training
    seen = windows(network, reader, source, config["sentences"])
    tested = seen if training is None else windows(network, reader, samples, len(samples))
    labels, test_labels = source.labels[: len(seen.peaks)], samples.labels[: len(tested.peaks)]
    weighed = votes is not None
    votes = voting.correlated_votes(seen.peaks, labels, len(facts.classes)) if votes is None else votes
    purities = []
    for channel, label in enumerate(votes.argmax(axis=1)):
        trained = None if training is None else (seen.peaks[labels >= 0, channel], labels[labels >= 0] == label)
        test = test_labels >= 0
        purities.append(
            voting.purity(trained, (tested.peaks[test, channel], test_labels[test] == label), config["purity"])
        )
    if sums is not None:
        best, lowest = sums.extreme(1), sums.extreme(-1)
    else:
        best = lowest = (np.zeros((0, reader.width), dtype=np.int64), np.zeros(0))
    return Filters(
        reader,
        sums,
        seen,
        labels,
        votes,
        weighed,
        np.abs(parts[reader.layer.name]).mean(axis=0),
        (tested.peaks > 0).mean(axis=0),
        purities,
        *best,
        *lowest,
    )


def _counted(network: nn.Module, facts: Facts, inputs: np.ndarray, training: Samples | None) -> np.ndarray | None:
    """What counting words in the training sentences says of each word, (sentences, words); None without labels."""
    if training is None or not (training.labels >= 0).any():
        return None
    predicted = predict(network, facts, inputs).argmax(1).numpy()
    return highlighting.by_counting(training, inputs, predicted)


def _numbers(
    network: nn.Module,
    samples: Samples,
    found: Sequence[Filters],
    deleted: Deleted,
) -> list[Number]:
    """Those of the whole, the most telling first."""
    numbers = deleting.numbers_of(deleted)
    pure = [one for filters in found for one in filters.purity if one.n]
    labels = samples.labels[samples.labels >= 0]
    if pure and len(labels):
        chance = [
            float((labels == label).mean())
            for filters in found
            for label, one in zip(filters.classes, filters.purity, strict=True)
            if one.n
        ]
        values = np.array([one.hits / one.n for one in pure])
        numbers += [
            average("purity", values, "fraction", between=(0, 1)),
            Number("purity_by_chance", significant(float(np.mean(chance))), unit="fraction", n=len(pure)),
        ]
    reached = np.concatenate([_reached(filters) for filters in found])
    if len(reached):
        numbers.append(
            Number("best_real_of_exact", significant(float(np.median(reached))), unit="fraction", n=len(reached))
        )
    total = sum(filters.reader.filters for filters in found)
    numbers.append(Number("dead", int(sum(filters.dead.sum() for filters in found)), n=total))
    if len(labels) and any(one.n for filters in found for one in filters.purity):
        numbers.append(Number("pure_filters", len(pure), n=total))
        kept = samples.labels >= 0
        inputs = np.asarray(samples.inputs)[kept]
        levels = {
            filters.name: np.array([np.inf if one.threshold is None else one.threshold for one in filters.purity])
            for filters in found
        }
        whole = predict(network, samples.facts, inputs).argmax(1).numpy() == labels
        with silenced_below(network, [filters.reader for filters in found], levels):
            pruned = predict(network, samples.facts, inputs).argmax(1).numpy() == labels
        numbers += [
            share("accuracy", int(whole.sum()), len(labels)),
            share("accuracy_above_thresholds", int(pruned.sum()), len(labels)),
        ]
    return numbers


def _reached(filters: Filters) -> np.ndarray:
    """Which part of the exact best the best real n-gram reaches, of the filters that can fire at all."""
    if filters.slots is None:
        return np.zeros(0)
    can = filters.best_values > 0
    return np.maximum(filters.seen.values.max(axis=0), 0)[can] / filters.best_values[can]


def _of_filters(found: Sequence[Filters]) -> list[Number]:
    """Two a filter; the table has the rest."""
    numbers = []
    for filters in found:
        for channel, pure in enumerate(filters.purity):
            subject = f"layer={filters.name};filter={channel}"
            if filters.slots is not None and filters.best_values[channel] > 0:
                reached = max(0.0, float(filters.seen.values[:, channel].max())) / float(filters.best_values[channel])
                numbers.append(Number("best_real_of_exact", round(reached, 3), unit="fraction", subject=subject))
            if pure.n:
                low, high = wilson(pure.hits, pure.n)
                value, low, high = (round(v, 3) for v in (pure.hits / pure.n, low, high))
                numbers.append(Number("purity", value, low, high, unit="fraction", n=pure.n, subject=subject))
    return numbers


def _spelt(tokens: np.ndarray, facts: Facts) -> list[str]:
    """Words as a reader sees them; a dot is no word, at either end of the sentence."""
    vocabulary = facts.vocabulary or []
    special = {PADDING: "·", UNKNOWN: "[unknown]", len(vocabulary): "·"}
    return [special.get(int(token)) or vocabulary[int(token)] for token in tokens]


def _filter_texts(filters: Filters, facts: Facts, config: Mapping[str, Any]) -> Texts:
    """The filters of a layer that matter most, each with its n-grams; a word's mark is what it adds in its slot."""
    sentences = []
    for channel in _shown(filters, config["filters"]):
        group = _heading(filters, channel, facts)
        sentences += [
            _ngram(filters, channel, facts, group, row) for row in _rows(filters, channel, facts, config["ngrams"])
        ]
    exact = filters.slots is not None
    width = filters.reader.width
    many = f"{width} words" if width > 1 else "1 word"
    caption = {
        "en": (
            f"The filters of {filters.name} that move the decision most, over windows of {many}. Beside each n-gram "
            "its value before the activation (the network ignores what is below zero), and how often it stands in "
            "sentences of which class. "
        )
        + (
            "A mark is what the word adds in its slot, for or against: the value is the sum of them and the bias. "
            "“Best of all” is the exact optimum over the whole vocabulary, slot by slot, the unknown word among them; "
            "a dot is no word, before or behind the sentence. “One word other” is an n-gram of the data that differs "
            "from a best one by one word: that word turns the filter off."
            if exact
            else "The windows reach through more than one layer, so that the value is no sum over words and no exact "
            "best can be given: only n-grams of the data, all their words marked alike."
        ),
        "zh": (
            f"{filters.name} 中对判断影响最大的卷积核，窗口为 {width} 个词。每个 n "
            "元词组旁是激活前的值（小于零的被网络忽略）以及它在各类句子中出现的次数。"
        )
        + (
            "标记表示该词在其位置上的贡献，正或负；值等于它们与偏置之和。“Best of all” "
            "是在整个词表上逐位求得的精确最优（含未知词）；圆点表示句首之前或句尾之后没有词。“One word other” "
            "是数据中与最佳词组只差一个词的词组：这个词关掉了卷积核。"
            if exact
            else "窗口跨越多层，值不是各词之和，所以不能给出精确最优，只给出数据中的词组。"
        ),
    }
    title = {"en": f"{filters.name}: what its filters look for", "zh": f"{filters.name}：卷积核寻找什么"}
    return Texts(f"filters-{filters.name}", sentences, title=title, caption=caption)


def _shown(filters: Filters, most: int) -> list[int]:
    return [
        int(channel) for channel in np.argsort(-filters.importance, kind="stable")[:most] if not filters.dead[channel]
    ]


def _heading(filters: Filters, channel: int, facts: Facts) -> str:
    pure = filters.purity[channel]
    voted = class_name(facts, int(filters.classes[channel]))
    said = f"Filter {channel}, {'votes for' if filters.weighed else 'goes with'} {voted}"
    if pure.n:
        said += f", which is {100 * pure.hits / pure.n:.0f} % of the {pure.n} test sentences above its threshold"
    return said


@dataclass(frozen=True)
class Row:
    """An n-gram of a filter, as it is shown."""

    id: str
    label: str
    tokens: np.ndarray
    value: float


def _rows(filters: Filters, channel: int, facts: Facts, best: int) -> list[Row]:
    """What is shown of a filter: the best of the data and of the vocabulary, what turns it off, and the lowest."""
    values = filters.seen.values[:, channel]
    order = np.argsort(-values, kind="stable")
    exact = {"best": filters.best, "lowest": filters.lowest} if filters.slots is not None else {}

    def real(name: str, place: int, also: str) -> Row:
        tokens, label = filters.seen.ngrams[place], _times(filters, place, facts)
        if also in exact and (tokens == exact[also][channel]).all():
            label += f"; {also} of all"
        return Row(name, label, tokens, float(values[place]))

    rows = [real(f"best {rank}", int(place), "best") for rank, place in enumerate(order[:best], start=1)]
    if exact and not any(row.label.endswith("best of all") for row in rows):
        rows.append(Row("exact best", "best of all", filters.best[channel], float(filters.best_values[channel])))
    other = _one_word_other(filters, channel, order[:best]) if filters.reader.width > 1 else None
    if other is not None:
        row = real("one word other", other, "")
        rows.append(Row(row.id, f"one word other: {row.label}", row.tokens, row.value))
    row = real("lowest", int(order[-1]), "lowest")
    rows.append(Row(row.id, f"lowest: {row.label}", row.tokens, row.value))
    if exact and not row.label.endswith("lowest of all"):
        value = float(filters.lowest_values[channel])
        rows.append(Row("exact lowest", "lowest of all", filters.lowest[channel], value))
    return rows


def _times(filters: Filters, place: int, facts: Facts) -> str:
    """How often an n-gram stands in the data, and in sentences of which class."""
    where = filters.labels[filters.seen.sentence[filters.seen.which == place]]
    counts = {class_name(facts, int(label)): int((where == label).sum()) for label in np.unique(where)}
    return ", ".join(f"{n} × {name}" for name, n in sorted(counts.items(), key=lambda pair: -pair[1])[:3])


def _one_word_other(filters: Filters, channel: int, best: np.ndarray) -> int | None:
    """The n-gram of the data of lowest value that shares all but one word with one of the best, if it is below zero."""
    seen = filters.seen
    near = np.zeros(len(seen.ngrams), dtype=bool)
    for place in best:
        near |= (seen.ngrams == seen.ngrams[place]).sum(axis=1) == seen.ngrams.shape[1] - 1
    if not near.any():
        return None
    place = int(np.flatnonzero(near)[seen.values[near, channel].argmin()])
    return place if seen.values[place, channel] < 0 < seen.values[best[0], channel] else None


def _ngram(filters: Filters, channel: int, facts: Facts, group: str, row: Row) -> Sentence:
    if filters.slots is None:
        weights = np.full(len(row.tokens), row.value / len(row.tokens))
    else:
        weights = filters.slots.adds[np.arange(len(row.tokens)), row.tokens, channel].numpy()
    spelt = _spelt(row.tokens, facts)
    return Sentence(
        id=f"{filters.name}/{channel} {row.id}",
        tokens=[(word, significant(float(weight), 3)) for word, weight in zip(spelt, weights, strict=True)],
        label=row.label,
        state="live" if row.value > 0 else "",
        values={"value": significant(row.value, 3)},
        group=group,
        spaces=spaced(facts),
    )


def _sentences(
    network: nn.Module,
    samples: Samples,
    inputs: np.ndarray,
    weights: np.ndarray,
    parts: Mapping[str, np.ndarray],
    found: Sequence[Filters],
    deleted: Deleted,
    shown: int,
) -> list[Block]:
    """The first right and wrong sentences with their words' weights, and the n-grams that filters picked in them."""
    import pandas as pd

    facts = samples.facts
    said = predict(network, facts, inputs).softmax(1)
    sure, read = said.max(1).values.numpy(), said.argmax(1).numpy()
    labels = samples.labels[: len(inputs)]
    right, wrong = _of_each_class(labels, labels == read, shown), _of_each_class(labels, labels != read, shown)
    chosen = right + wrong or list(range(min(2 * shown, len(inputs))))
    sentences, rows = [], []
    for place in chosen:
        label = f"read as {class_name(facts, int(read[place]))} ({100 * sure[place]:.0f} %)"
        if labels[place] >= 0:
            label = f"{class_name(facts, int(labels[place]))}, {label}"
        name = str(samples.table["id"][place])
        sentences.append(
            Sentence(
                id=name,
                tokens=[
                    (word, significant(float(weight), 3))
                    for word, weight in zip(words(samples, place), weights[place], strict=False)
                ],
                label=label,
                state="" if labels[place] < 0 else "right" if place in right else "wrong",
                values={
                    "drop without highlighted": significant(float(deleted.highlighted[place]), 3),
                    "drop without random": significant(float(deleted.random[:, place].mean()), 3),
                },
                spaces=spaced(facts),
            )
        )
        rows += _picks(network, samples, place, found, parts, name)
    columns = ["sentence", "filter", "n-gram", "value", "adds to the log-odds"]
    return [
        Texts(
            "sentences",
            sentences,
            title={"en": "The words that decide", "zh": "起决定作用的词"},
            caption={
                "en": (
                    "The first right and wrong sentences of each class in the test split. Words underlined speak for "
                    "the class that the network predicts, dotted ones against it: each pooled window adds its "
                    "activation times its weight to the log-odds, shared out by what each word adds in its slot. With "
                    "pooling over time and one dense layer the words and the biases add up to the log-odds exactly."
                ),
                "zh": (
                    "测试集中各类最先出现的判对与判错的句子。实线标出的词支持网络预测的类别，点线标出的反对："
                    "池化选中的窗口以激活值乘权重计入对数几率，再按各词在其位置上的贡献分摊。"
                    "对于时间池化加一个全连接层的网络，各词与偏置之和正好等于对数几率。"
                ),
            },
        ),
        Table(
            "picks",
            pd.DataFrame(rows, columns=columns),
            title={"en": "What the filters picked in them", "zh": "卷积核在其中选中的词组"},
            caption={
                "en": f"The {PICKS} filters that move each sentence most, and the n-gram that each fires for most.",
                "zh": f"对每个句子影响最大的 {PICKS} 个卷积核，以及激活它们最强的词组。",
            },
        ),
    ]


def _of_each_class(labels: np.ndarray, among: np.ndarray, shown: int) -> list[int]:
    """The first samples among these, the first of every class before the second of any."""
    places = np.flatnonzero(among & (labels >= 0))
    rank = np.array([int((labels[places[:i]] == labels[place]).sum()) for i, place in enumerate(places)], dtype=int)
    return sorted(int(place) for place in places[np.argsort(rank, kind="stable")[:shown]])


def _picks(
    network: nn.Module,
    samples: Samples,
    place: int,
    found: Sequence[Filters],
    parts: Mapping[str, np.ndarray],
    name: str,
) -> list[list[Any]]:
    one = _only(samples, place)
    rows = []
    for filters in found:
        seen = windows(network, filters.reader, one, 1)
        for channel in np.argsort(-np.abs(parts[filters.name][place]), kind="stable")[:PICKS]:
            at = int(seen.values[:, channel].argmax())
            rows.append(
                [
                    name,
                    f"{filters.name}/{channel}",
                    joined(_spelt(seen.ngrams[at], samples.facts), spaced(samples.facts)),
                    significant(float(seen.values[at, channel]), 3),
                    significant(float(parts[filters.name][place, channel]), 3),
                ]
            )
    return sorted(rows, key=lambda row: -abs(float(str(row[4]))))[:PICKS]


def _only(samples: Samples, place: int) -> Samples:
    from dataclasses import replace

    return replace(samples, inputs=samples.inputs[place : place + 1], labels=samples.labels[place : place + 1])


def _table(found: Sequence[Filters], facts: Facts) -> Table:
    import pandas as pd

    rows = []
    for filters in found:
        values = filters.seen.values
        for channel, pure in enumerate(filters.purity):
            best, last = int(values[:, channel].argmax()), int(values[:, channel].argmin())
            row = {
                "filter": f"{filters.name}/{channel}",
                "votes for": class_name(facts, int(filters.classes[channel])),
                "importance": significant(float(filters.importance[channel]), 3),
                "fires": significant(float(filters.fires[channel]), 3),
                "purity": significant(pure.hits / pure.n, 3) if pure.n else None,
                "above": pure.n,
                "threshold": None if pure.threshold is None else significant(pure.threshold, 3),
                "best in the data": joined(_spelt(filters.seen.ngrams[best], facts), spaced(facts)),
                "value": significant(float(values[best, channel]), 3),
            }
            if filters.slots is not None:
                row |= {
                    "best of all": joined(_spelt(filters.best[channel], facts), spaced(facts)),
                    "its value": significant(float(filters.best_values[channel]), 3),
                }
            row |= {
                "lowest in the data": joined(_spelt(filters.seen.ngrams[last], facts), spaced(facts)),
                "lowest": significant(float(values[last, channel]), 3),
            }
            rows.append(row)
    rows.sort(key=lambda row: -float(str(row["importance"])))
    return Table(
        "filters",
        pd.DataFrame(rows),
        title={"en": "All filters", "zh": "所有卷积核"},
        caption={
            "en": (
                "The most important first: importance is the mean size of what a filter adds to the log-odds of a "
                "test sentence. Fires: the share of test sentences with a value above zero. Purity: the share of the "
                "test sentences above the threshold that are of the class; their number is beside it. The threshold "
                "is the lowest that was pure enough in training; where there is none, the filter tells no class."
            ),
            "zh": (
                "按重要性排列：重要性是卷积核对测试句对数几率贡献的平均大小。Fires：值大于零的测试句比例。Purity："
                "超过阈值的测试句中属于该类的比例，旁边是句数。阈值取训练集中足够纯的最低值；没有的说明该核不辨类别。"
            ),
        },
    )


def _caption(
    found: Sequence[Filters], deleted: Deleted, trained: bool, config: Mapping[str, Any], facts: Facts
) -> dict[str, str]:
    source = ("training sentences", "训练句") if trained else ("test sentences", "测试句")
    votes = (
        ("through the weights of the dense layer behind the pooling", "根据池化后全连接层的权重")
        if all(filters.weighed for filters in found)
        else (
            "by the correlation of its greatest value with the class, where no dense weight is its own",
            "根据与类别的相关",
        )
    )
    n, part = len(deleted.highlighted), f"{100 * config['deleted']:g} %"
    exact = [filters.slots is not None for filters in found]
    best = (
        ("the exact best of all that the vocabulary can form, ", "整个词表能组成的精确最优、")
        if any(exact)
        else ("", "")
    )
    if any(exact) and not all(exact):
        best = (f"where it can be had, {best[0]}", f"{best[1][:-1]}（仅限可求得者）、")
    flips, chance = 100 * float(deleted.flips.mean()), 100 * float(deleted.flips_at_random.mean())
    counting = deleting.against_counting(deleted)
    return {
        "en": (
            f"{of_characters(facts)['en']}"
            f"A filter over words is a detector of n-grams. For each: the n-grams of the {source[0]} that raise it "
            f"most, {best[0]}the words that turn it off, and the class it "
            f"votes for ({votes[0]}). Purity is the share of that class among the sentences in which it fires above "
            f"its threshold. The drops test the highlighting: {part} of the words (at least one) of {n} test sentences "
            "are taken out, and the probability of the predicted class is measured again. Without the highlighted "
            f"words another class is predicted for {flips:.0f} % of the sentences, without as many random ones "
            f"({config['draws']} draws) for {chance:.0f} %. The ratio compares how far the probability moves, up or "
            f"down.{counting['en']} “One by one” deletes the words whose single deletion was tried and hurt most."
        ),
        "zh": (
            f"{of_characters(facts)['zh']}"
            f"词上的卷积核是 n 元词组的检测器。每个核给出：{source[1]}中激活它最强的词组、{best[1]}"
            f"关掉它的词，以及它支持的类别（{votes[1]}）。纯度是它超过阈值的句子中该类的比例。下降值检验高亮：从 {n} "
            f"个测试句中取出 {part} 的词（至少一个），再测预测类别的概率。去掉高亮词后 {flips:.0f} % 的句子改判，"
            f"去掉同样多的随机词（{config['draws']} 次）则为 {chance:.0f} %。比值比较概率变动的大小（不论升降）。"
            f"{counting['zh']}"
        ),
    }
