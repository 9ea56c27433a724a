"""Rules without a network: what a few lines reach on the test split, to read a network's accuracy against."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnatomy.data.prepared import PADDING, UNKNOWN, Samples
from cnnatomy.data.speakers import origins
from cnnatomy.exhibit import Number
from cnnatomy.inspection.choosing import evenly
from cnnatomy.statistics.intervals import clustered, share

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

CHUNK = 2**23  # values read at a time: 32 MB as float32
ROWS = 1024  # of test samples times a chunk of training samples: of MNIST 44 MB of products
#: Multiply-adds of the nearest neighbour up to which every training sample is asked: of MNIST 4.3e11, 9 s.
PRODUCTS = 5e11
ROUNDS = 100  # of logistic regression's optimiser


@dataclass(frozen=True)
class Rule:
    """What a rule reached: the accuracy on the test split, and how many training samples it was given."""

    accuracy: Number
    training_samples: int


def rules(train: Samples, test: Samples, model: np.ndarray) -> list[Rule]:
    """All rules for data of this kind, the best first; labelled samples only.

    model: of `means`, of texts of `words.odds.word_scores`. The nearest neighbour is by Euclidean distance, of texts by
    the cosine between their words' tf-idf (Salton & Buckley 1988), which logistic regression sees too. Where a rule
    would take too long it is given fewer training samples, evenly spread.
    """
    simplest = "naive_bayes_accuracy" if train.facts.kind == "texts" else "nearest_mean_accuracy"
    found = [(simplest, _by_model(test, model), _known(train))]
    if train.facts.kind == "texts":
        found += _of_words(train, test)
    else:
        found += [
            ("nearest_neighbour_accuracy", *nearest_neighbour(train, test)),
            ("logistic_regression_accuracy", *_regression(train, test)),
        ]
    made = [Rule(_accuracy(metric, test, guesses), len(rows)) for metric, guesses, rows in found]
    return sorted(made, key=lambda rule: -rule.accuracy.value)


def means(train: Samples) -> np.ndarray:
    """The mean sample of each class, (classes, *shape); zero for a class without samples."""
    classes = len(train.facts.classes)
    sums, counts = np.zeros((classes, int(np.prod(train.facts.shape)))), np.zeros(classes)
    for rows in _chunks(train, _known(train)):
        hot = np.eye(classes, dtype=np.float32)[train.labels[rows]]
        sums += hot.T @ flattened(train, rows)
        counts += hot.sum(axis=0)
    return (sums / np.maximum(counts, 1)[:, None]).reshape(classes, *train.facts.shape)


def nearest_neighbour(train: Samples, test: Samples) -> tuple[np.ndarray, np.ndarray]:
    """The label of each labelled test sample's nearest training sample, and the places of those that were asked."""
    values = int(np.prod(train.facts.shape))
    known, asked = _known(train), _known(test)
    known = known[evenly(len(known), max(1, int(PRODUCTS / (len(asked) * values))))]
    nearest, guesses = np.full(len(test), -np.inf, np.float32), np.full(len(test), -1)
    for some in _chunks(train, known):
        flat = flattened(train, some)
        half = (flat**2).sum(axis=1) / 2
        for start in range(0, len(asked), ROWS):
            rows = asked[start : start + ROWS]
            scores = flattened(test, rows) @ flat.T - half  # the greater, the nearer: |x|²/2 − |x − y|²/2
            best = scores.argmax(axis=1)
            score = scores[np.arange(len(rows)), best]
            nearer = score > nearest[rows]
            nearest[rows[nearer]], guesses[rows[nearer]] = score[nearer], train.labels[some[best[nearer]]]
    return guesses[asked], known


def _by_model(test: Samples, model: np.ndarray) -> np.ndarray:
    """What the nearest mean (images, sounds) or naive Bayes (texts) says of each labelled test sample."""
    guesses = []
    for rows in _chunks(test, _known(test)):
        if test.facts.kind == "texts":
            tokens = np.asarray(test.inputs[rows])
            guesses.append(np.stack([row[tokens].sum(axis=1) for row in model], axis=1).argmax(axis=1))
        else:
            flat = model.reshape(len(model), -1).astype(np.float32)
            guesses.append((2 * flattened(test, rows) @ flat.T - (flat**2).sum(axis=1)).argmax(axis=1))
    return np.concatenate(guesses)


def _regression(train: Samples, test: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression on all values, of at most a chunk of training samples."""
    known = _known(train)
    rows = known[evenly(len(known), max(len(train.facts.classes), CHUNK // int(np.prod(train.facts.shape))))]
    x = flattened(train, rows)
    mean, spread = float(x.mean()), float(x.std()) or 1.0
    asked = ((flattened(test, some) - mean) / spread for some in _chunks(test, _known(test)))
    return _logistic((x - mean) / spread, train.labels[rows], asked), rows


def _of_words(train: Samples, test: Samples) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    from sklearn.feature_extraction.text import TfidfTransformer

    known = _known(train)
    weights = TfidfTransformer().fit(_counts(train, known))
    x, asked = weights.transform(_counts(train, known)), weights.transform(_counts(test, _known(test)))
    blocks = [asked[start : start + ROWS // 4] for start in range(0, asked.shape[0], ROWS // 4)]
    nearest = np.concatenate([(block @ x.T).toarray().argmax(axis=1) for block in blocks])
    labels = train.labels[known]
    yield "nearest_neighbour_accuracy", labels[nearest], known
    yield "logistic_regression_accuracy", _logistic(x, labels, [asked]), known


def _logistic(x: np.ndarray | csr_matrix, labels: np.ndarray, asked: Iterable[Any]) -> np.ndarray:
    """Labels of what is asked, a part of the samples at a time; scikit-learn's own penalty stays."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(labels)) == 1:
        return np.concatenate([np.full(part.shape[0], labels[0]) for part in asked])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # on, the accuracy hardly changes
        model = LogisticRegression(max_iter=ROUNDS).fit(x, labels)
    return np.concatenate([model.predict(part) for part in asked])


def _counts(split: Samples, rows: np.ndarray) -> csr_matrix:
    """How often each word is in each sentence, (sentences, vocabulary), without padding and unknown words."""
    from scipy.sparse import csr_matrix

    tokens = np.asarray(split.inputs[rows])
    says = (tokens != PADDING) & (tokens != UNKNOWN)
    shape = (len(rows), len(split.facts.vocabulary or ()))
    return csr_matrix((np.ones(says.sum(), np.float32), (np.nonzero(says)[0], tokens[says])), shape)


def _accuracy(metric: str, test: Samples, guesses: np.ndarray) -> Number:
    """With an interval over the speakers, or groups, where there are such: their samples are not independent."""
    rows = _known(test)
    right = guesses == test.labels[rows]
    number = share(metric, int(right.sum()), len(rows))
    who = origins(test.table)
    if who is None:
        return number
    each = who.to_numpy()[rows]
    of = [right[each == speaker] for speaker in np.unique(each)]
    low, high = clustered(np.array([hits.sum() for hits in of]), np.array([len(hits) for hits in of]))
    return Number(metric, number.value, low, high, unit="fraction", n=len(rows))


def _known(split: Samples) -> np.ndarray:
    return np.flatnonzero(split.labels >= 0)


def _chunks(split: Samples, rows: np.ndarray) -> Iterator[np.ndarray]:
    n = max(1, CHUNK // int(np.prod(split.facts.shape)))
    for start in range(0, len(rows), n):
        yield rows[start : start + n]


def flattened(split: Samples, rows: np.ndarray) -> np.ndarray:
    """The samples at these places, float32 (rows, values)."""
    return split.inputs[rows].reshape(len(rows), -1).astype(np.float32)
