"""The numbers of an evaluation, each with its 95 % interval where one can be given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnnatomy.evaluation.predictions import probabilities_of
from cnnatomy.exhibit import Number
from cnnatomy.statistics.intervals import of_variance, share, wilson
from cnnatomy.statistics.paired import lost

if TYPE_CHECKING:
    import pandas as pd

BINS = 15  # of confidence, as in Guo et al. 2017
DRAWS = 1000  # of resampling; the length of an interval then varies by about a fiftieth


def confusion(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """How often class i (row) was read as class j (column), (classes, classes); unlabelled samples don't count."""
    known = labels >= 0
    cells = labels[known] * classes + predictions[known]
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def metrics(predictions: pd.DataFrame, classes: Sequence[str]) -> list[Number]:
    """Accuracy of every split, and for the test split what lies behind it.

    `predictions` as `predict` gives them, of one split or of several below each other; without labels there are no
    numbers. For the test split: errors, precision, recall and F1 of each class (subject `class=<name>`) and their
    means, the accuracy of always naming the commonest class and how far the network is above it,
    and the calibration error.

    What is undefined is left out: the precision of a class that was never predicted, the recall of one without samples.
    """
    numbers: list[Number] = []
    labelled = predictions[predictions["label"] >= 0]
    # The test split first: it is what the others are read against.
    for split, part in sorted(labelled.groupby("split"), key=lambda one: one[0] != "test"):
        numbers.append(share(f"{split}_accuracy", int((part["label"] == part["prediction"]).sum()), len(part)))
    test = labelled[labelled["split"] == "test"]
    if len(test) == 0:
        return numbers
    counts = confusion(test["label"].to_numpy(), test["prediction"].to_numpy(), len(classes))
    numbers.append(share("majority_accuracy", int(counts.sum(axis=1).max()), len(test)))
    numbers.append(_above_majority(test))
    numbers.append(Number("errors", int(counts.sum() - np.trace(counts)), n=len(test)))
    numbers += _means(counts)
    for index, name in enumerate(classes):
        numbers += _of_class(counts, index, f"class={name}")
    probabilities = probabilities_of(test, len(classes))
    return numbers + _calibration(probabilities.max(axis=1), (test["label"] == test["prediction"]).to_numpy())


def _above_majority(test: pd.DataFrame) -> Number:
    """How much more often it is right than who always names the commonest class, on the same samples."""
    labels = test["label"].to_numpy()
    majority = labels == np.bincount(labels).argmax()
    value, low, high = lost((labels == test["prediction"]).to_numpy(), majority)
    return Number("above_majority", value, low, high, unit="fraction", n=len(test))


def _of_class(counts: np.ndarray, index: int, subject: str) -> list[Number]:
    hits, actual, predicted = int(counts[index, index]), int(counts[index].sum()), int(counts[:, index].sum())
    numbers = []
    if predicted:
        numbers.append(share("precision", hits, predicted, subject))
    if actual:
        numbers.append(share("recall", hits, actual, subject))
    if union := actual + predicted - hits:
        # F1 grows with the share of hits in everything that is or was called this class: 2s / (1 + s).
        low, high = (2 * end / (1 + end) for end in wilson(hits, union))
        numbers.append(
            Number("f1", 2 * hits / (actual + predicted), low, high, unit="fraction", n=union, subject=subject)
        )
    return numbers


def _means(counts: np.ndarray) -> list[Number]:
    """Precision, recall and F1, each the plain mean over classes.

    Their variance is that of resampled test splits; their interval is Wilson's of as much variance, since quantiles of
    resampled splits miss the truth where there are few errors or none.
    """
    n = int(counts.sum())
    drawn = np.random.default_rng(0).multinomial(n, counts.ravel() / n, size=DRAWS).reshape(DRAWS, *counts.shape)
    resampled = _scores(drawn)
    numbers = []
    for column, metric in enumerate(("macro_precision", "macro_recall", "macro_f1")):
        value = float(_scores(counts[None])[0, column])
        low, high = of_variance(value, float(resampled[:, column].var()), n)
        numbers.append(Number(metric, value, low, high, unit="fraction", n=n))
    return numbers


def _scores(counts: np.ndarray) -> np.ndarray:
    """Mean precision, recall and F1 of confusion matrices (k, classes, classes): (k, 3).

    The mean goes over classes that occur, as label or as prediction; what is undefined for such a class counts as 0.
    """
    hits = np.diagonal(counts, axis1=1, axis2=2)
    actual, predicted = counts.sum(axis=2), counts.sum(axis=1)
    occurs = (actual + predicted) > 0
    each = np.stack(
        [
            hits / np.maximum(predicted, 1),
            hits / np.maximum(actual, 1),
            2 * hits / np.maximum(actual + predicted, 1),
        ],
        axis=1,
    )
    return (each * occurs[:, None]).sum(axis=2) / occurs.sum(axis=1)[:, None]


def _calibration(confidence: np.ndarray, right: np.ndarray) -> list[Number]:
    """How far confidence and accuracy lie apart, and how far they would by chance in a network that is calibrated."""
    random = np.random.default_rng(0)
    by_chance = [calibration_error(confidence, random.random(len(confidence)) < confidence) for _ in range(DRAWS)]
    low, high = np.quantile(by_chance, (0.025, 0.975))
    n = len(confidence)
    return [
        Number("calibration_error", calibration_error(confidence, right), unit="fraction", n=n),
        Number("calibration_error_by_chance", float(np.mean(by_chance)), float(low), float(high), unit="fraction", n=n),
    ]


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """The expected calibration error (Guo et al. 2017): mean distance of confidence and accuracy over bins, by size."""
    which = bins_of(confidence)
    gaps = np.bincount(which, weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def bins_of(confidence: np.ndarray) -> np.ndarray:
    """Which of the `BINS` equal parts of 0 to 1 each confidence lies in."""
    return np.minimum((confidence * BINS).astype(int), BINS - 1)


def reliability(confidence: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """Bins of confidence with samples in them: mean confidence, accuracy with its interval, n."""
    import pandas as pd

    which = bins_of(confidence)
    rows = []
    for index in np.unique(which):
        inside = which == index
        hits, n = int(right[inside].sum()), int(inside.sum())
        low, high = wilson(hits, n)
        rows.append((float(confidence[inside].mean()), hits / n, low, high, n))
    return pd.DataFrame(rows, columns=["confidence", "accuracy", "ci_low", "ci_high", "n"])
