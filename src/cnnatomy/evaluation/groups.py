"""Test samples that come in groups, such as clips of a speaker or recordings of a patient: what they say of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnatomy.data.speakers import speakers as speakers_of
from cnnatomy.exhibit import Number
from cnnatomy.statistics.intervals import clustered, share

if TYPE_CHECKING:
    import pandas as pd

    from cnnatomy.data.prepared import Samples

OVER_SPEAKERS = "test_accuracy_over_speakers"
OVER_GROUPS = "test_accuracy_over_groups"


def by_voice(test: pd.DataFrame, samples: Samples) -> pd.DataFrame | None:
    """Clips and hits of each voice, the worst first; None for data that don't name voices.

    test: the predictions of the split, with the columns label and prediction.
    """
    if "voice" not in samples.table:
        return None
    by = samples.table[[column for column in ("voice", "sex", "accent") if column in samples.table]]
    return _worst_first(_counted(by, test, "clips"), "clips")


def by_speaker(test: pd.DataFrame, samples: Samples) -> pd.DataFrame | None:
    """Clips and hits of each speaker, who may have several voices; None for data that don't name voices."""
    who = speakers_of(samples.table)
    return None if who is None else _counted(who.to_frame("speaker"), test, "clips", sort=True)


def by_group(test: pd.DataFrame, samples: Samples) -> pd.DataFrame | None:
    """Samples and hits of each group, the worst first; None for data without groups."""
    if "group" not in samples.table:
        return None
    by = samples.table["group"].astype(str).to_frame("group")
    return _worst_first(_counted(by, test, "samples", sort=True), "samples")


def of_speakers(speakers: pd.DataFrame | None, voices: pd.DataFrame | None) -> list[Number]:
    """The accuracy over speakers where there are several, then that of each speaker and of each voice."""
    if speakers is None or voices is None:
        return []
    apart = len(speakers) < len(voices)
    return [
        *_over(OVER_SPEAKERS, speakers, "clips"),
        *(_each("speaker", speakers, "clips") if apart else []),
        *_each("voice", voices, "clips"),
    ]


def of_groups(groups: pd.DataFrame | None) -> list[Number]:
    """The accuracy with an interval over groups where there are several, then that of each group."""
    return [] if groups is None else _over(OVER_GROUPS, groups, "samples") + _each("group", groups, "samples")


def _counted(by: pd.DataFrame, test: pd.DataFrame, n: str, sort: bool = False) -> pd.DataFrame:
    """Labelled samples, in the column `n`, and those read rightly of each group by all columns of `by`."""
    known = (test["label"] >= 0).to_numpy()
    right = (test["label"] == test["prediction"]).to_numpy()[known]
    each = by[known].assign(right=right.astype(int))
    each.insert(by.shape[1], n, 1)
    return each.groupby(list(by.columns), sort=sort).sum().reset_index()


def _worst_first(found: pd.DataFrame, n: str) -> pd.DataFrame:
    rated = found.assign(accuracy=found["right"] / found[n])
    return rated.sort_values("accuracy", kind="stable", ignore_index=True)


def _over(metric: str, groups: pd.DataFrame, n: str) -> list[Number]:
    if len(groups) < 2:
        return []
    hits, sizes = groups["right"].to_numpy(), groups[n].to_numpy()
    low, high = clustered(hits, sizes)
    return [Number(metric, float(hits.sum() / sizes.sum()), low, high, unit="fraction", n=len(groups))]


def _each(kind: str, groups: pd.DataFrame, n: str) -> list[Number]:
    each = zip(groups[kind], groups["right"], groups[n], strict=True)
    return [share("accuracy", int(hits), int(size), subject=f"{kind}={name}") for name, hits, size in each]
