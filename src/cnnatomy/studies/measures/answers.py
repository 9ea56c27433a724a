"""Shares of test samples, with the answer to each sample, so that another sample of them can be thought of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cnnatomy.data.prepared import Samples
from cnnatomy.data.speakers import speakers
from cnnatomy.exhibit import Number
from cnnatomy.statistics.intervals import share

#: Columns of `samples.csv` whose samples are alike, so that these were sampled, and what they are of.
GROUPS = {"voice": "speaker", "game": "game"}
SAMPLE = "sample"


@dataclass(frozen=True)
class Answered(Number):
    """A number that is the share of test samples that were read right.

    over: what its units are: what one of GROUPS is of, or SAMPLE. samples: a digest of the samples' ids and labels, so
    that two networks can be told to have been asked the same. right: by unit, or under "" where samples are the units,
    a 1 for each sample that was read right and a 0 for each other, in order.
    """

    over: str = SAMPLE
    samples: str = ""
    right: Mapping[str, str] = field(default_factory=dict)

    def means(self) -> dict[str, float]:
        """The share of each unit; samples are named by their place."""
        if self.over == SAMPLE:
            return {str(place): float(hit) for place, hit in enumerate(self.right[""])}
        return {unit: hits.count("1") / len(hits) for unit, hits in self.right.items()}


def answered(
    metric: str, samples: Samples, hits: np.ndarray, within: np.ndarray | None = None, at: str = ""
) -> Answered:
    """The share of hits, bool (samples,), among the samples `within`, bool (samples,), or all; `at` is its subject."""
    within = np.ones(len(samples), dtype=bool) if within is None else within
    table, hits = samples.table[within], hits[within]
    column = next((column for column in GROUPS if column in table), None)
    who = speakers(table) if column == "voice" else table[column].astype(str) if column else None
    of = np.full(len(table), "") if who is None else who.to_numpy()
    digits = np.where(hits, "1", "0")
    asked = "\n".join(f"{name},{label}" for name, label in zip(table["id"], table["label"], strict=True))
    return Answered(
        **vars(share(metric, int(hits.sum()), len(hits), at)),
        over=GROUPS[column] if column else SAMPLE,
        samples=hashlib.sha256(asked.encode()).hexdigest()[:16],
        right={str(unit): "".join(digits[of == unit]) for unit in dict.fromkeys(of)},
    )
