"""Recordings of several channels as windows of one length along time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cnnatomy.data import prepared
from cnnatomy.data.errors import DataError
from cnnatomy.data.origin import Origin
from cnnatomy.data.prepared import SPLITS, Axis, Channel, Normalise

GAPS = 0.1  # of a channel's values that may be missing; more would be invention

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """One recording: values (channels, steps), NaN where one is missing; `where` is its place in the user's files.

    about: the same keys for all recordings of a dataset.
    """

    values: np.ndarray
    label: int
    id: str
    split: str
    where: str
    about: dict[str, Any] = field(default_factory=dict)


def filled(values: np.ndarray, where: str) -> tuple[np.ndarray, int]:
    """The recording without gaps, float32 (channels, steps), and how many values were missing.

    Between two values a gap is a straight line; before the first and after the last the nearest value holds. Raises
    DataError for a channel of which more than a tenth is missing, and for infinite values.
    """
    values = np.array(values, dtype=np.float64)
    if np.isinf(values).any():
        channel, step = np.argwhere(np.isinf(values))[0].tolist()
        raise DataError(f"{where}: value {step + 1} of channel {channel + 1} is infinite. Mend it, or leave it empty.")
    missing = np.isnan(values)
    for channel in np.flatnonzero(missing.any(axis=1)).tolist():
        gone = missing[channel]
        if gone.mean() > GAPS:
            raise DataError(
                f"{where}: of channel {channel + 1} {gone.sum():,} of {gone.size:,} values are missing, more than "
                f"{100 * GAPS:.0f} %. Fill them in, or take the recording out."
            )
        steps = np.arange(gone.size)
        values[channel, gone] = np.interp(steps[gone], steps[~gone], values[channel, ~gone])
    return values.astype(np.float32), int(missing.sum())


def windows(values: np.ndarray, length: int, step: int | None) -> Iterator[np.ndarray]:
    """The windows of a recording, (channels, length) each: the middle one, or one every `step` from its beginning on.

    A shorter recording is one window: its last value is held to the end.
    """
    steps = values.shape[1]
    if steps < length:
        yield np.pad(values, ((0, 0), (0, length - steps)), mode="edge")
    elif step is None:
        first = (steps - length) // 2
        yield values[:, first : first + length]
    else:
        for first in range(0, steps - length + 1, step):
            yield values[:, first : first + length]


@dataclass(frozen=True)
class Form:
    """How recordings become windows, and what their values are.

    length: of a window, in steps; None: the median of the recordings'. step: from one window of a recording to the
    next; None: its middle one only. rate: steps a second, in Hz; None: time is counted in steps. unit, channels: of
    the values, and the channels' names.
    """

    length: int | None
    step: int | None
    rate: float | None
    unit: str
    channels: Sequence[str]


def write(folder: Path, recordings: Sequence[Recording], classes: Sequence[str], origin: Origin, form: Form) -> None:
    """Write a prepared dataset of signals, in the order of the recordings within each split.

    Each channel is normalised by its mean and standard deviation in the training split; both are in the facts, and so
    is how many recordings were cut or lengthened and how many values were missing. Raises DataError.
    """
    import pandas as pd

    long = [recording.values.shape[1] for recording in recordings]
    length, step, rate = _length(folder.name, long, form.length), form.step, form.rate
    inputs, rows, missing = _windowed(recordings, length, step)
    counts = {
        "cut": sum(steps > length for steps in long) if step is None else 0,
        "lengthened": sum(steps < length for steps in long),
        "missing_values": missing,
    }
    _say(folder.name, counts, length)
    training = inputs[: sum(row["split"] == "train" for row in rows)]
    reach = training if len(training) else inputs
    facts = origin.facts(
        folder,
        "signals",
        classes,
        shape=inputs.shape[1:],
        axes=[Axis("time", "s" if rate else "steps", [place / (rate or 1) for place in range(length)])],
        normalise=_normalise(reach),
        channels=[
            Channel(name, form.unit, float(values.min()), float(values.max()))
            for name, values in zip(form.channels, reach.swapaxes(0, 1), strict=True)
        ],
        counts=counts,
    )
    prepared.write(folder, facts, inputs, pd.DataFrame(rows))


def _length(name: str, long: Sequence[int], length: int | None) -> int:
    """The length of a window: the given one, or the median of the recordings'."""
    if not long:
        raise DataError(f"Dataset {name!r}: it is empty, there is no recording.")
    length = int(np.median(long)) if length is None else length
    if length < 2:
        raise DataError(
            f"Dataset {name!r}: windows of {length} value(s) are no signals. Set data.prepare.length to 2 or more."
        )
    return length


def _windowed(
    recordings: Sequence[Recording], length: int, step: int | None
) -> tuple[np.ndarray, list[dict[str, Any]], int]:
    """All windows in the order of the splits, (n, channels, length), a row about each, and how many values missed."""
    found: list[np.ndarray] = []
    rows: list[dict[str, Any]] = []
    missing = 0
    for recording in sorted(recordings, key=lambda recording: SPLITS.index(recording.split)):
        values, gaps = filled(recording.values, recording.where)
        missing += gaps
        several = step is not None and values.shape[1] >= length + step
        for place, window in enumerate(windows(values, length, step)):
            name = f"{recording.id}#{place}" if several else recording.id
            rows.append({"split": recording.split, "label": recording.label, "id": name, **recording.about})
            found.append(window)
    return np.stack(found), rows, missing


def _say(name: str, counts: Mapping[str, int], length: int) -> None:
    """What was done to recordings, in the log."""
    if counts["cut"]:
        log.warning(
            "%s: recordings longer than %d values, of which the middle is kept: %d", name, length, counts["cut"]
        )
    if held := counts["lengthened"]:
        log.warning("%s: recordings shorter than %d values, whose last one is held: %d", name, length, held)
    if missing := counts["missing_values"]:
        log.warning("%s: missing values, put on a straight line between their neighbours: %d", name, missing)


def _normalise(inputs: np.ndarray) -> Normalise:
    """Mean and standard deviation of each channel; one that never changes is left as it is."""
    means = inputs.mean(axis=(0, 2), dtype=np.float64)
    return Normalise(means.tolist(), [std or 1.0 for std in inputs.std(axis=(0, 2), dtype=np.float64).tolist()])
