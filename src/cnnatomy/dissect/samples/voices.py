"""How new the test's voices are: as far from those in training as people are from each other, or copies of them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cnnatomy.data.prepared import Samples
from cnnatomy.data.speakers import speakers
from cnnatomy.dissect.samples.rules import flattened

#: Below it a training voice is as near as another take of the same voice, give or take what takes differ by. Of people
#: each left out in turn (FSDD's six, 50 takes) the ratio is 1.29 to 1.71.
APART = 1.2


@dataclass(frozen=True)
class Newness:
    """How far a test speaker's clips lie from the nearest of the same word, RMS in dB over the spectrogram, on average.

    The more clips there are, the nearer is the nearest: a speaker with few takes seems less new than one with many.
    own: from another clip of the speaker's own. other: from one of a training speaker's.
    """

    speaker: str
    own: float
    other: float
    clips: int

    @property
    def ratio(self) -> float:
        """1 where a training voice is as near as another take is."""
        return self.other / self.own if self.own else np.inf


def newness(splits: Mapping[str, Samples]) -> list[Newness]:
    """Of each test speaker who says a word more than once, the least new first.

    Nothing where no column names the voices, where training knows a test speaker, or where there are no such splits.
    """
    train, test = splits.get("train"), splits.get("test")
    if train is None or test is None:
        return []
    learned, heard = speakers(train.table), speakers(test.table)
    if learned is None or heard is None:
        return []
    known, asked = learned.to_numpy(), heard.to_numpy()
    if np.isin(asked, known).any():
        return []
    own, other = np.full(len(test), np.nan), np.full(len(test), np.nan)
    for label in np.unique(test.labels[test.labels >= 0]):
        rows, training = np.flatnonzero(test.labels == label), np.flatnonzero(train.labels == label)
        if not len(training):
            continue
        x, y = flattened(test, rows), flattened(train, training)
        other[rows] = _distances(x, y).min(axis=1)
        among = _distances(x, x)
        among[asked[rows][:, None] != asked[rows]] = np.inf
        np.fill_diagonal(among, np.inf)
        own[rows] = among.min(axis=1)
    taken_twice = np.isfinite(own) & np.isfinite(other)
    found = []
    for speaker in dict.fromkeys(asked[taken_twice]):
        of = taken_twice & (asked == speaker)
        if own[of].any():  # takes that don't differ are no measure
            found.append(Newness(str(speaker), float(own[of].mean()), float(other[of].mean()), int(of.sum())))
    return sorted(found, key=lambda one: one.ratio)


def _distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """RMS differences of all pairs, (len(x), len(y))."""
    squares = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * x @ y.T
    return np.sqrt(np.maximum(squares, 0) / x.shape[1])
