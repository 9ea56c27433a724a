"""The first sentences of each class, how long they are, and the words that tell the classes apart."""

from __future__ import annotations

import numpy as np

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.odds import word_odds
from cnnatomy.dissect.samples import choosing
from cnnatomy.dissect.samples.measure import Given
from cnnatomy.dissect.samples.settings import Settings
from cnnatomy.drawing import saying
from cnnatomy.drawing.plotting import SERIES, Drawing, draw
from cnnatomy.drawing.showing import show
from cnnatomy.exhibit import Block, Figure, Table, say
from cnnatomy.exhibit.worded import figure, headed

TELLING = 15  # words of each class in the table of those that tell most


def blocks(found: Given, split: Samples, settings: Settings) -> list[Block]:
    """Sentences of a split as the network reads them, and their lengths."""
    chosen, title = choosing.first_of_each(split, settings.sentences)
    first = show("first", split, chosen, (title, say("samples.first.texts", split=saying.split(split.split))))
    return [first, _lengths(found.lengths[split.split], split)]


def _lengths(lengths: np.ndarray, split: Samples) -> Figure:
    import pandas as pd

    facts, places = split.facts, split.facts.shape[0]
    of_class = [lengths[split.labels == label] for label in range(len(facts.classes))]
    counts = np.array([np.bincount(its, minlength=places + 1) for its in of_class])

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for place, (name, row) in enumerate(zip(facts.classes, counts, strict=True)):
            axes.plot(100 * row / max(1, row.sum()), color=SERIES[place % len(SERIES)], label=name)
        axes.set(xlabel="words in the sentence", ylabel="sentences of the class, %", ylim=(0, None))
        if len(facts.classes) <= len(SERIES):
            axes.legend()

    table = pd.DataFrame(counts.T, columns=facts.classes)
    table.insert(0, "words", np.arange(len(table)))
    median = float(np.median(lengths))
    caption = say("samples.lengths.caption", median=median, places=places)
    return figure("lengths", "samples.lengths", draw(paint, 560, 240), table, caption, median=median)


def telling_words(scores: np.ndarray, facts: Facts) -> Table:
    """The words that speak most for each class against the other classes."""
    import pandas as pd

    vocabulary = np.array(facts.vocabulary)
    columns = {}
    for name, lead in zip(facts.classes, word_odds(scores), strict=True):
        best = np.argsort(-lead, kind="stable")[:TELLING]
        columns[name] = [f"{vocabulary[token]} (×{np.exp(lead[token]):.0f})" for token in best]
    table = pd.DataFrame(columns)
    return Table("telling-words", table, *headed("samples.telling"))
