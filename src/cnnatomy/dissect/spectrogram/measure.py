"""How far the pattern of a word moves up from voice to voice, in bands of the spectrogram.

Sakoe & Chiba 1978, Dynamic programming algorithm optimization for spoken word recognition, IEEE Transactions on
Acoustics, Speech and Signal Processing 26.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.errors import DataError
from cnnatomy.data.prepared import Samples
from cnnatomy.data.sounds import Spectrogram, Unusable
from cnnatomy.dissect.spectrogram.clips import Chosen, Clip, choose
from cnnatomy.dissect.spectrogram.settings import Settings
from cnnatomy.drawing.showing import Sound
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection import voices
from cnnatomy.inspection.layers import LayerNotFound, stages, trace
from cnnatomy.statistics.intervals import crossed
from cnnatomy.statistics.numbers import Numbers

REFERENCE = 500.0  # Hz, where a shift in bands is also given in Hz

Similar = Callable[[Clip, Clip], np.ndarray]
"""How well a clip fits another that is moved up by each lag; see `voices.similarity`."""


@dataclass(frozen=True)
class Compared:
    """Clips of the same words, compared by pairs.

    between: of two groups, by their names, the shift in bands of every clip of the one against every clip of the other,
    (clips, clips). within: of one group by its name, of each of its pairs, (pairs,), the first clip named against the
    second. similarity: by lag, (pairs, lags), by "between" and "within". above: by how many bands each clip lies above
    those of the other groups on average, or above all others where there is one group.
    windows: what the network gets of the two that are heard, (1, bands, frames) each. spectra: their mean loudness, dB,
    (2, bands), aligned in time. shift: of the first against the second, in bands.
    field: bands and frames that a filter of the first convolution sees; None where that can't be followed.
    """

    chosen: Chosen
    maker: Spectrogram
    between: Mapping[tuple[str, str], np.ndarray]
    within: Mapping[str, np.ndarray]
    similarity: Mapping[str, np.ndarray]
    above: Mapping[Clip, float]
    windows: list[np.ndarray]
    spectra: np.ndarray
    shift: float
    field: tuple[int, int] | None

    def hertz(self, bands: float) -> float:
        """How many Hz so many bands are above the reference."""
        centres = np.array(self.maker.axes()[0].values)
        place = float(np.interp(REFERENCE, centres, np.arange(len(centres))))
        low, high = (np.interp(at, np.arange(len(centres)), centres) for at in (place, place + bands))
        return float(high - low)


def measure(
    network: nn.Module, samples: Samples, settings: Settings, *, sound: Sound, prepare: Mapping[str, Any]
) -> Compared:
    """Compare the voices of the files in the settings, or of a word in the test.

    settings: `files`, `said`, `most`; see conf/dissect/spectrogram.yaml. sound: gives a file's bytes by name. prepare:
    how sounds became pictures. Raises DoesNotApply for other data and where nothing can be heard, DataError for a file
    that is not there though others are.
    """
    if samples.facts.kind != "sounds":
        raise DoesNotApply(say("spectrogram.no_sounds"))
    if "spectrogram" not in prepare:
        raise DoesNotApply(say("spectrogram.no_settings"))
    maker = Spectrogram.of(prepare["spectrogram"])
    chosen = choose(samples, settings, maker, sound)
    groups = chosen.groups
    similar: Similar = cache(lambda one, other: voices.similarity(one.mel, other.mel))
    between = {
        (one, other): np.array([[similar(a, b) for b in groups[other]] for a in groups[one]])
        for one, other in combinations(groups, 2)
    }
    within = {
        group: np.array([similar(a, b) for a, b in combinations(clips, 2)])
        for group, clips in groups.items()
        if len(clips) > 1
    }
    lags = 2 * voices.FURTHEST + 1
    similarity = {"between": [found.reshape(-1, lags) for found in between.values()], "within": [*within.values()]}
    first, second = chosen.two
    return Compared(
        chosen=chosen,
        maker=maker,
        between={pair: np.apply_along_axis(voices.peak, -1, found) for pair, found in between.items()},
        within={group: np.apply_along_axis(voices.peak, -1, found) for group, found in within.items()},
        similarity={name: np.concatenate(found) for name, found in similarity.items() if found},
        above=_above(groups, similar),
        windows=[_window(clip, maker) for clip in chosen.two],
        spectra=_spectra(first, second),
        shift=voices.peak(similar(first, second)),
        field=_first_field(network, samples),
    )


def _above(groups: Mapping[str, list[Clip]], similar: Similar) -> dict[Clip, float]:
    above = {}
    for group, clips in groups.items():
        others = [other for name, its in groups.items() if name != group for other in its]
        for clip in clips:
            against = others or [other for other in clips if other is not clip]
            above[clip] = float(np.mean([voices.peak(similar(clip, other)) for other in against]))
    return above


def _spectra(one: Clip, other: Clip) -> np.ndarray:
    pairs = voices.alignment(one.mel, other.mel)
    return np.stack([one.mel[:, pairs[:, 0]].mean(axis=1), other.mel[:, pairs[:, 1]].mean(axis=1)])


def _window(clip: Clip, maker: Spectrogram) -> np.ndarray:
    try:
        return maker.picture(clip.sound)
    except Unusable as reason:
        raise DataError(f"the clip of {clip.name} can't be used: it is {reason}; name another") from reason


def _first_field(network: nn.Module, samples: Samples) -> tuple[int, int] | None:
    try:
        first = stages(trace(network, to_tensor(samples.facts, samples.inputs[:1])))[0][0]
    except LayerNotFound:
        return None
    if first.field is None or len(first.field.size) != 2:
        return None
    bands, frames = first.field.size
    return min(bands, samples.facts.shape[1]), min(frames, samples.facts.shape[2])


def numbers(found: Compared) -> Numbers:
    """The shift between groups and within them, pitch and formants of each group, and the shift of every pair."""
    rows = Numbers()
    for (one, other), shifts in found.between.items():
        with rows.about("" if len(found.between) == 1 else f"group={one};against={other}"):
            _shift(rows, found, shifts)
    if found.within:
        same = np.abs(np.concatenate(list(found.within.values())))
        rows.add("shift_within_a_group", significant(float(same.mean())), unit="bands", n=len(same))
    for group, clips in found.chosen.groups.items():
        with rows.about(f"group={group}"):
            _voices(rows, clips)
    for (one, other), shifts in found.between.items():
        for clip, of_clip in zip(found.chosen.groups[one], shifts, strict=True):
            for against, shift in zip(found.chosen.groups[other], of_clip, strict=True):
                with rows.about(f"group={one};against={other};voice={clip.name};other={against.name}"):
                    rows.add("shift", round(float(shift), 3), unit="bands")
    return rows


def _shift(rows: Numbers, found: Compared, shifts: np.ndarray) -> None:
    mean, n = float(shifts.mean()), shifts.size
    low, high = crossed(shifts) if n > 1 else (None, None)
    bands = hertz = None
    if low is not None and high is not None:
        bands = significant(low), significant(high)
        hertz = significant(found.hertz(low)), significant(found.hertz(high))
    rows.add("shift", significant(mean), bands, "bands", n)
    rows.add("pairs_moved_up", significant(float((shifts > 0).mean())), unit="fraction", n=n)
    rows.add("shift_at_500_hz", significant(found.hertz(mean)), hertz, "Hz", n)


def _voices(rows: Numbers, clips: list[Clip]) -> None:
    """Medians over the clips in which something is voiced."""
    pitches = [clip.pitch for clip in clips if clip.pitch is not None]
    if pitches:
        rows.add("pitch", significant(float(np.median(pitches))), unit="Hz", n=len(pitches))
    formants = [clip.formants for clip in clips if clip.formants is not None]
    for place, hertz in enumerate(np.median(formants, axis=0) if formants else (), start=1):
        rows.add(f"formant_{place}", significant(float(hertz)), unit="Hz", n=len(formants))
