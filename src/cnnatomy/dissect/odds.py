"""How much single words tell of a class: naive Bayes, by counting."""

from __future__ import annotations

import numpy as np

from cnnatomy.data.prepared import PADDING, UNKNOWN, Samples


def word_scores(train: Samples) -> np.ndarray:
    """Naive Bayes: the logarithm of each word's share in each class, (classes, vocabulary), from counts plus one.

    0 for padding and the unknown word, which say nothing.
    """
    facts = train.facts
    size = len(facts.vocabulary or ())
    counts = np.array(
        [
            np.bincount(np.asarray(train.inputs[train.labels == label]).ravel(), minlength=size)
            for label in range(len(facts.classes))
        ]
    )
    silent = [PADDING, UNKNOWN]
    counts = counts + 1.0
    scores = np.log(counts / np.delete(counts, silent, axis=1).sum(axis=1, keepdims=True))
    scores[:, silent] = 0
    return scores


def word_odds(scores: np.ndarray) -> np.ndarray:
    """By how much each word speaks for each class against the mean of the others, (classes, vocabulary), log-odds.

    scores: of `word_scores`. 0 for what says nothing.
    """
    others = [np.logaddexp.reduce(np.delete(scores, label, axis=0), axis=0) for label in range(len(scores))]
    return scores - np.stack(others) + np.log(max(1, len(scores) - 1))
