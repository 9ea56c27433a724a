"""The words that filters look for, and those that decide. What is said: `locale/<language>/ngrams.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cnnatomy.data.prepared import PADDING, UNKNOWN, Facts, Samples
from cnnatomy.dissect.ngrams.deleting import Deleted
from cnnatomy.dissect.ngrams.measure import PICKS, Decided, Filters, Ngrams, numbers
from cnnatomy.dissect.ngrams.sentence_drawing import DRAWN, drawing
from cnnatomy.dissect.ngrams.settings import Settings
from cnnatomy.dissect.ngrams.sliding import Slides
from cnnatomy.drawing import saying
from cnnatomy.drawing.plotting import MUTED, SERIES, Drawing, draw
from cnnatomy.drawing.showing import class_name, spaced, words
from cnnatomy.exhibit import Block, Figure, Say, Sentence, Showing, Table, Text, Texts, Unit, say
from cnnatomy.exhibit.reading import joined
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import figure, headed
from cnnatomy.statistics.intervals import mean_interval
from cnnatomy.statistics.numbers import Numbers

SOURCES = ["@jacovi2018", "@kim2014"]
DELETED = {
    "highlighted": ("highlighted words", SERIES[1]),
    "random": ("random words", SERIES[0]),
    "least": ("words of least weight", MUTED),
    "counted": ("words by counting", SERIES[2]),
}


def show(found: Ngrams, samples: Samples, settings: Settings) -> Showing:
    """Filters with their n-grams, words deleted, sentences with the words that decide, a table of all filters.

    settings: `filters` and `ngrams`, how many are shown of a layer and of a filter; `deleted` and `draws`.
    """
    facts, rows = samples.facts, numbers(found)
    blocks: list[Block] = [] if found.slides is None else list(_slides(found.slides, samples))
    blocks += [_filter_texts(one, facts, settings) for one in found.filters]
    blocks += [
        _deletion(found.by_part),
        _sentences(found, samples),
        _picks(found.sentences, samples),
        _table(found.filters, facts),
    ]
    return Showing(rows, blocks, _caption(found, rows, facts, settings), SOURCES)


def _slides(found: Slides, samples: Samples) -> Iterator[Figure]:
    """The filter along the shorter sentence, and along the longer one."""
    facts, size = samples.facts, sum(len(row) for row in found.each[0].vector)
    for name, one in zip(("short", "long"), found.each, strict=True):
        spelt = list(words(samples, one.place))
        starts = [int(start) for start in one.starts]
        window = range(starts[one.best], starts[one.best] + found.width)
        held = [spelt[at] if 0 <= at < len(spelt) else "·" for at in window]
        told = {"layer": found.layer, "channel": found.channel, "width": found.width, "words": one.words}
        told |= {"held": joined(held, spaced(facts)), "value": float(one.values.max()), "size": size}
        dimensions = one.vectors.shape[1]
        yield Figure(
            f"slide-{name}",
            drawing(found, one, spelt),
            alt=say("ngrams.slide.alt", **told),
            data=pd.DataFrame({"first word": [start + 1 for start in starts], "value": one.values}),
            title=say(f"ngrams.slide.title.{name}", n=one.words),
            caption=[
                say(f"ngrams.slide.caption.{name}", **told),
                say("ngrams.slide.vectors", drawn=DRAWN, dimensions=dimensions)
                if name == "short" and dimensions > DRAWN
                else None,
            ],
        )


def _caption(found: Ngrams, rows: Numbers, facts: Facts, settings: Settings) -> Text:
    exact = [one.exact is not None for one in found.filters]
    weighed = all(one.weighed for one in found.filters)
    return [
        saying.of_characters(facts),
        say(
            f"ngrams.detector.{'all' if all(exact) else 'some' if any(exact) else 'none'}_exact",
            source=say(f"ngrams.source.{'training' if found.trained else 'test'}"),
            votes=say(f"ngrams.votes.{'weights' if weighed else 'correlation'}"),
        ),
        say(
            "ngrams.drops",
            part=100 * settings.deleted,
            n=len(found.deleted.highlighted),
            flips=rows.value("flips_highlighted"),
            draws=settings.draws,
            chance=rows.value("flips_random"),
        ),
        say("ngrams.ratio") if rows.says("deletion_ratio") else None,
        against_counting(found.deleted),
        say("ngrams.one_by_one"),
    ]


def against_counting(deleted: Deleted) -> Say | None:
    """Whether the network's words matter more to it than those that counting would name; nothing without these."""
    if deleted.counted is None:
        return None
    ours, theirs = (100 * float(drop.mean()) for drop in (deleted.highlighted, deleted.counted))
    return say(f"ngrams.counting.{deleted.than_counting}", ours=ours, theirs=theirs)


def _spelt(tokens: np.ndarray, facts: Facts) -> list[str]:
    """Words as a reader sees them; a dot is no word, at either end of the sentence."""
    vocabulary = facts.vocabulary or []
    special = {PADDING: "·", UNKNOWN: "[unknown]", len(vocabulary): "·"}
    return [special.get(int(token)) or vocabulary[int(token)] for token in tokens]


def _written(tokens: np.ndarray, facts: Facts) -> str:
    return joined(_spelt(tokens, facts), spaced(facts))


def _filter_texts(filters: Filters, facts: Facts, settings: Settings) -> Texts:
    """The filters of a layer that matter most, each with its n-grams; a word's mark is what it adds in its slot."""
    dead = filters.dead
    shown = [int(one) for one in np.argsort(-filters.importance, kind="stable")[: settings.filters] if not dead[one]]
    sentences = []
    for channel in shown:
        group = _heading(filters, channel, facts)
        sentences += [
            _ngram(filters, channel, facts, group, row) for row in _rows(filters, channel, facts, settings.ngrams)
        ]
    return Texts(
        f"filters-{filters.name}",
        sentences,
        title=say("ngrams.shown.title", layer=filters.name),
        caption=[
            say("ngrams.shown.caption", layer=filters.name, width=filters.width),
            say(f"ngrams.shown.{'real' if filters.exact is None else 'exact'}"),
        ],
    )


def _heading(filters: Filters, channel: int, facts: Facts) -> Say:
    pure = filters.purity[channel]
    known = "pure" if pure.n else "plain"
    return say(
        f"ngrams.heading.{'votes' if filters.weighed else 'goes'}.{known}",
        channel=channel,
        voted=class_name(facts, int(filters.classes[channel])),
        purity=pure.hits / max(1, pure.n),
        n=pure.n,
    )


@dataclass(frozen=True)
class Row:
    """An n-gram of a filter, as it is shown."""

    id: str
    label: Text
    tokens: np.ndarray
    value: float


def _rows(filters: Filters, channel: int, facts: Facts, best: int) -> list[Row]:
    """What is shown of a filter: the best of the data and of the vocabulary, what turns it off, and the lowest."""
    values, exact = filters.seen.values[:, channel], filters.exact
    order = np.argsort(-values, kind="stable")

    def real(name: str, place: int, kind: str, among: np.ndarray | None = None) -> tuple[Row, bool]:
        """Also whether it is the one of all that the vocabulary can form."""
        tokens = filters.seen.ngrams[place]
        is_it = among is not None and bool((tokens == among).all())
        times = [say("ngrams.times", n=n, label=class_name(facts, label)) for label, n in filters.counted(place)[:3]]
        label = say(f"ngrams.row.{kind}{'_of_all' if is_it else ''}", times=times)
        return Row(name, label, tokens, float(values[place])), is_it

    def of_all(kind: str) -> Row:
        assert exact is not None
        one = exact.best if kind == "best" else exact.lowest
        return Row(f"exact {kind}", say(f"ngrams.row.exact_{kind}"), one.tokens[channel], float(one.values[channel]))

    highest, deepest = (None, None) if exact is None else (exact.best.tokens[channel], exact.lowest.tokens[channel])
    found = [real(f"best {rank}", int(place), "best", highest) for rank, place in enumerate(order[:best], start=1)]
    rows = [row for row, _ in found]
    if exact is not None and not any(is_it for _, is_it in found):
        rows.append(of_all("best"))
    if (other := filters.one_word_other(channel, order[:best])) is not None:
        rows.append(real("one word different", other, "other")[0])
    row, is_it = real("lowest", int(order[-1]), "lowest", deepest)
    rows.append(row)
    if exact is not None and not is_it:
        rows.append(of_all("lowest"))
    return rows


def _ngram(filters: Filters, channel: int, facts: Facts, group: Text, row: Row) -> Sentence:
    if filters.exact is None:
        weights = np.full(len(row.tokens), row.value / len(row.tokens))
    else:
        weights = filters.exact.adds[np.arange(len(row.tokens)), row.tokens, channel]
    spelt = _spelt(row.tokens, facts)
    return Sentence(
        id=f"{filters.name}/{channel} {row.id}",
        tokens=[(word, significant(float(weight), 3)) for word, weight in zip(spelt, weights, strict=True)],
        label=row.label,
        state="live" if row.value > 0 else "",
        values={"value": significant(row.value, 3)},
        group=group,
        spaces=spaced(facts),
        unit=Unit(filters.name, channel),
    )


def _deletion(by_part: Mapping[float, Mapping[str, np.ndarray]]) -> Figure:
    """How much less probable the predicted class becomes, by how many words are deleted and which."""
    rows = []
    for part, drops in by_part.items():
        for name, values in drops.items():
            low, high = mean_interval(values)
            rows.append([part, name, *(round(v, 5) for v in (float(values.mean()), low, high)), len(values)])
    data = pd.DataFrame(rows, columns=["part deleted", "words", "drop", "ci_low", "ci_high", "n"])
    shown = {name: drawn for name, drawn in DELETED.items() if (data["words"] == name).any()}

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

    fifth = data[data["part deleted"] == 0.2].set_index("words")["drop"]
    drops = {name: 100 * fifth[name] for name in ("highlighted", "random")}
    caption = say(f"ngrams.deletion.caption.{'counted' if 'counted' in shown else 'uncounted'}", n=int(data["n"][0]))
    return figure("deletion", "ngrams.deletion", draw(paint, 640, 300), data, caption, **drops)


def _sentences(found: Ngrams, samples: Samples) -> Texts:
    """The first right and wrong sentences with their words' weights."""
    facts, sentences = samples.facts, []
    for one in found.sentences:
        read = {"read": class_name(facts, one.predicted), "share": one.sure}
        label = say("data.read.as", **read)
        if one.label >= 0:
            label = say("data.read.of", label=class_name(facts, one.label), **read)
        tokens = zip(words(samples, one.place), one.weights, strict=False)
        sentences.append(
            Sentence(
                id=str(samples.table["id"][one.place]),
                tokens=[(word, significant(float(weight), 3)) for word, weight in tokens],
                label=label,
                state="" if one.label < 0 else "right" if one.label == one.predicted else "wrong",
                values={
                    "drop without highlighted": significant(float(found.deleted.highlighted[one.place]), 3),
                    "drop without random": significant(float(found.deleted.random[:, one.place].mean()), 3),
                },
                spaces=spaced(facts),
            )
        )
    return Texts("sentences", sentences, *headed("ngrams.sentences"))


def _picks(sentences: Sequence[Decided], samples: Samples) -> Table:
    """The n-grams that filters picked in the sentences shown."""
    rows = [
        [
            str(samples.table["id"][one.place]),
            f"{pick.layer}/{pick.channel}",
            _written(pick.tokens, samples.facts),
            significant(pick.value, 3),
            significant(pick.adds, 3),
        ]
        for one in sentences
        for pick in one.picks
    ]
    data = pd.DataFrame(rows, columns=["sentence", "filter", "n-gram", "value", "adds to the log-odds"])
    return Table("picks", data, *headed("ngrams.picks", n=PICKS))


def _table(found: Sequence[Filters], facts: Facts) -> Table:
    rows: list[dict[str, Any]] = []
    for filters in found:
        values, exact = filters.seen.values, filters.exact
        best, last = values.argmax(axis=0), values.argmin(axis=0)
        for channel, pure in enumerate(filters.purity):
            row = {
                "filter": f"{filters.name}/{channel}",
                "votes for": class_name(facts, int(filters.classes[channel])),
                "importance": significant(float(filters.importance[channel]), 3),
                "fires": significant(float(filters.fires[channel]), 3),
                "purity": significant(pure.hits / pure.n, 3) if pure.n else None,
                "above": pure.n,
                "threshold": None if pure.threshold is None else significant(pure.threshold, 3),
                "best in the data": _written(filters.seen.ngrams[best[channel]], facts),
                "value": significant(float(values[best[channel], channel]), 3),
            }
            if exact is not None:
                row |= {
                    "best of all": _written(exact.best.tokens[channel], facts),
                    "its value": significant(float(exact.best.values[channel]), 3),
                }
            row |= {
                "lowest in the data": _written(filters.seen.ngrams[last[channel]], facts),
                "lowest": significant(float(values[last[channel], channel]), 3),
            }
            rows.append(row)
    rows.sort(key=lambda row: -row["importance"])
    return Table("filters", pd.DataFrame(rows), *headed("ngrams.filters"))
