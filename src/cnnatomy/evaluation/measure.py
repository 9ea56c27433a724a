"""How good a network is on samples it has not seen: for which classes, speakers and groups, and what it gets wrong.

Guo et al. 2017, On calibration of modern neural networks (how far its confidence can be trusted).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cnnatomy.evaluation import learning
from cnnatomy.evaluation.groups import by_group, by_speaker, by_voice, of_groups, of_speakers
from cnnatomy.evaluation.metrics import confusion, metrics, reliability
from cnnatomy.evaluation.predictions import probabilities_of
from cnnatomy.statistics.numbers import Numbers

if TYPE_CHECKING:
    import pandas as pd

    from cnnatomy.data.prepared import Samples

MORE = 0.3  # of the samples right in another order, more than in this one: it is told
BY_CHANCE = 1.5  # three standard deviations of the share that a coin gets right, times the root of their number
BEST = 5  # classes named of a sample without label

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """What the predictions of a labelled split say.

    predictions: of all splits, as `predict` gives them. history: one row an epoch; None where nothing was trained.
    labels, answers: of each sample, (samples,); probabilities: (samples, classes). counts: how often which class was
    read as which, see `confusion`. misread: places of the misread samples, those first whose true class was given the
    least probability. reliability: see the function of that name.
    voices, speakers, groups: their samples and hits; None for data that don't name them.
    """

    predictions: pd.DataFrame
    history: pd.DataFrame | None
    classes: list[str]
    labels: np.ndarray
    answers: np.ndarray
    probabilities: np.ndarray
    counts: np.ndarray
    misread: np.ndarray
    reliability: pd.DataFrame
    voices: pd.DataFrame | None
    speakers: pd.DataFrame | None
    groups: pd.DataFrame | None


@dataclass(frozen=True)
class Unlabelled:
    """What a network says of samples of which nobody said what they are.

    probabilities: (samples, classes). best: the most probable classes, (samples, up to five), the first first.
    """

    ids: list[str]
    classes: list[str]
    probabilities: np.ndarray
    best: np.ndarray


def measure(predictions: pd.DataFrame, history: pd.DataFrame | None, samples: Samples) -> Evaluation | Unlabelled:
    """Of the predictions for the test split; without labels there is nothing to be right about.

    predictions: as `predict` gives them, of the test split and of any others, whose accuracy is then named too.
    history: one row an epoch (epoch, train_loss, train_accuracy, validation_loss, validation_accuracy); None where
        nothing was trained.
    samples: the test split. Raises ValueError for predictions of others.
    """
    facts = samples.facts
    test = predictions[predictions["split"] == samples.split].reset_index(drop=True)
    if list(test["id"]) != list(samples.table["id"]):
        raise ValueError(
            f"the predictions are not those of the {samples.split} split of {facts.name!r}; evaluate again"
        )
    probabilities = probabilities_of(test, len(facts.classes))
    if not (samples.labels >= 0).any():
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :BEST]
        return Unlabelled(list(test["id"]), facts.classes, probabilities, best)
    labels, answers = test["label"].to_numpy(), test["prediction"].to_numpy()
    known, wrong = labels >= 0, np.flatnonzero((labels >= 0) & (labels != answers))
    if order := in_other_order(confusion(labels, answers, len(facts.classes)), facts.classes):
        log.warning("%s", order)
    return Evaluation(
        predictions=predictions,
        history=history,
        classes=facts.classes,
        labels=labels,
        answers=answers,
        probabilities=probabilities,
        counts=confusion(labels, answers, len(facts.classes)),
        misread=wrong[np.argsort(probabilities[wrong, labels[wrong]], kind="stable")],
        reliability=reliability(probabilities[known].max(axis=1), (labels == answers)[known]),
        voices=by_voice(test, samples),
        speakers=by_speaker(test, samples),
        groups=by_group(test, samples),
    )


def in_other_order(counts: np.ndarray, classes: list[str]) -> str:
    """What to say where most answers were right if the network's classes stood in another order; "" where not.

    counts: see `confusion`.
    """
    right = counts.trace() / counts.sum()
    if right + MORE > 1:  # as a rule; the solver takes longer to load than all else here
        return ""
    from scipy.optimize import linear_sum_assignment

    of_class, at = linear_sum_assignment(counts, maximize=True)
    other = counts[of_class, at].sum() / counts.sum()
    if other < right + MORE or other < 0.5 + BY_CHANCE / np.sqrt(counts.sum()):
        return ""
    order = ", ".join(classes[of_class[place]] for place in np.argsort(at))
    return (
        f"{right:.0%} of the test samples are predicted rightly, and {other:.0%} would be if the network's classes "
        f"stood in another order. If its weights were trained with that, as folders of numbers are in the alphabet's: "
        f"data.prepare.classes: [{order}]"
    )


def numbers(found: Evaluation | Unlabelled) -> Numbers:
    """Of the whole, then of classes, speakers, voices and groups; without labels the best classes of each sample."""
    rows = Numbers()
    if isinstance(found, Evaluation):
        rows += metrics(found.predictions, found.classes)
        rows += of_speakers(found.speakers, found.voices) + of_groups(found.groups)
        rows += [] if found.history is None else learning.numbers_of(found.history)
        return rows
    for sample, best, probabilities in zip(found.ids, found.best, found.probabilities, strict=True):
        for rank, index in enumerate(best, 1):
            with rows.about(f"sample={sample};rank={rank};class={found.classes[index]}"):
                rows.add("probability", float(probabilities[index]), unit="fraction")
    return rows
