"""Sounds as log-mel spectrograms of a fixed window, with their axes in Hz and seconds."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cnnatomy.data import framing, mel, prepared, recordings
from cnnatomy.data.archive import Raw
from cnnatomy.data.errors import DataError
from cnnatomy.data.files import explained, nameless_file
from cnnatomy.data.left_out import left_out
from cnnatomy.data.origin import Origin
from cnnatomy.data.prepared import SPLITS, Axis, Normalise

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SILENCE_DB = -40  # below the loudest sample of the clip: what is quieter at its ends is cut off
FAINT = 1e-4  # of full scale: a recording that never gets louder holds nothing (16 bits end at 3e-5)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Spectrogram:
    """How a sound becomes a picture: power in mel bands, in dB below the clip's loudest point.

    sample_rate: Hz. bands: mel bands between lowest_hz and highest_hz. frames: width of the network's window.
    window, step: of one frame and between frames, in samples. range_db: what is more than this below the loudest
        point is set to it.
    """

    sample_rate: int
    bands: int
    frames: int
    window: int
    step: int
    lowest_hz: float
    highest_hz: float
    range_db: float

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Spectrogram:
        """The one of a configuration, where what is null follows from the sample rate. Raises DataError."""
        return cls(**framing.settled(settings))

    @property
    def samples(self) -> int:
        """Length of the network's window in samples."""
        return self.window + (self.frames - 1) * self.step

    def picture(self, sound: np.ndarray) -> np.ndarray:
        """What a network sees of a sound: float16 (1, bands, frames).

        Silence at its ends is cut off; then it is padded or cropped on both sides to the window.
        Raises Unusable if nothing can be heard or if it is shorter than one frame.
        """
        sound = self.audible(sound)
        first = max(0, (len(sound) - self.samples) // 2)
        sound = sound[first : first + self.samples]
        before = (self.samples - len(sound)) // 2
        sound = np.pad(sound, (before, self.samples - len(sound) - before))
        return self.log_mel(sound)[None].astype(np.float16)

    def audible(self, sound: np.ndarray) -> np.ndarray:
        """A sound without the silence at its ends. Raises Unusable if what is left is shorter than one frame."""
        loudest = np.abs(sound).max(initial=0)
        if loudest < FAINT:
            raise Unusable("silent", "silent")
        heard = np.flatnonzero(np.abs(sound) > loudest * 10 ** (SILENCE_DB / 20))
        sound = sound[heard[0] : heard[-1] + 1]
        if len(sound) < self.window:
            raise Unusable("too_short", f"too short: {1000 * len(sound) / self.sample_rate:.0f} ms")
        return sound

    def log_mel(self, sound: np.ndarray) -> np.ndarray:
        """The spectrogram of a sound of any length from one frame on: (bands, frames), from -range_db to 0."""
        frames = np.lib.stride_tricks.sliding_window_view(sound.astype(np.float32), self.window)[:: self.step]
        spectrum = np.fft.rfft(frames * self._hann, axis=1)
        power = self._filters @ (spectrum.real**2 + spectrum.imag**2).T
        loudest = max(power.max(), 1e-20)  # of silence, all is the floor
        return 10 * np.log10(np.maximum(power / loudest, 10 ** (-self.range_db / 10)))

    def axes(self, frames: int | None = None) -> list[Axis]:
        """The centres of the bands in Hz, and of the frames in seconds from the start of the window."""
        centres = mel.edges(self.bands, self.lowest_hz, self.highest_hz)[1:-1]
        times = (self.window / 2 + np.arange(frames or self.frames) * self.step) / self.sample_rate
        return [
            Axis("frequency", "Hz", [round(float(hz), 1) for hz in centres]),
            Axis("time", "s", [round(float(s), 5) for s in times]),
        ]

    @cached_property
    def _hann(self) -> np.ndarray:
        return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window) / self.window)).astype(np.float32)

    @cached_property
    def _filters(self) -> np.ndarray:
        filters = mel.filters(self.sample_rate, self.window, self.bands, self.lowest_hz, self.highest_hz)
        if not filters.any(axis=1).all():
            raise DataError(
                f"{self.bands} mel bands from {self.lowest_hz} to {self.highest_hz} Hz are too narrow for a window of "
                f"{self.window} samples: some would always be empty. Take fewer bands or a longer window."
            )
        return filters


class Unusable(Exception):
    """A sound from which nothing can be learnt. `why`: a reason of `left_out.REASONS`."""

    def __init__(self, why: str, said: str) -> None:
        super().__init__(said)
        self.why = why


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording: its place in the dataset, its file in the raw zip, and what else is known about it.

    about: the same keys for all clips of a dataset.
    """

    split: str
    label: int
    id: str
    file: str
    about: dict[str, Any]


def write(
    folder: Path,
    clips: Sequence[Clip],
    classes: Sequence[str],
    origin: Origin,
    spectrogram: Spectrogram,
    *,
    resample: bool = False,
) -> None:
    """Write a prepared dataset of sounds, one clip after the other: of all but the one in hand only the list is held.

    Silent and too short clips are left out, named in the log and in the facts; those that are longer than the window
    are counted there, and where the window doesn't fit the clips, how many frames would. resample: recordings of
    another sample rate.
    Raises DamagedData for a recording that can't be read; DataError for one of another sample rate, unless they are
    to be resampled, and where no clip of a class is left to train on, or none of a split.
    """
    import pandas as pd

    pictures = nameless_file(folder)
    heard = _Heard([], [], [], defaultdict(list))
    for clip in sorted(clips, key=lambda clip: SPLITS.index(clip.split)):
        if (picture := _seen(clip, origin.raw, spectrogram, resample, heard)) is not None:
            with explained(folder):
                pictures.write(picture.tobytes())
    if heard.unusable:
        named = ", ".join(heard.unusable[:20])
        log.warning("%s: clips left out: %d (%s)", folder.name, len(heard.unusable), named)
    _refuse_loss(folder.name, clips, heard, classes)
    counts = fit(spectrogram, heard.lengths)
    say_fit(folder.name, spectrogram, counts)
    shape = (1, spectrogram.bands, spectrogram.frames)
    with explained(folder):
        inputs = np.memmap(pictures, np.float16, "r", shape=(len(heard.clips), *shape))
    training = inputs[: sum(clip.split == "train" for clip in heard.clips)]
    facts = origin.facts(
        folder,
        "sounds",
        classes,
        shape=shape,
        axes=spectrogram.axes(),
        normalise=loudness(training) if len(training) else None,
        sample_rate=spectrogram.sample_rate,
        left_out=left_out(heard.reasons),
        counts=counts,
    )
    table = {key: [getattr(clip, key) for clip in heard.clips] for key in ("split", "label", "id")}
    table |= {key: [clip.about[key] for clip in heard.clips] for key in heard.clips[0].about}
    prepared.write(folder, facts, inputs, pd.DataFrame(table | {"file": [clip.file for clip in heard.clips]}))


@dataclass(frozen=True)
class _Heard:
    """The clips that can be used, with their lengths in samples; the others in words, and their files by the reason."""

    clips: list[Clip]
    lengths: list[int]
    unusable: list[str]
    reasons: defaultdict[str, list[str]]


def _seen(clip: Clip, raw: Raw, spectrogram: Spectrogram, resample: bool, heard: _Heard) -> np.ndarray | None:
    """The picture of a clip, None where nothing can be learnt from it; `heard` takes a note of it either way."""
    recording = recordings.read(raw.read(clip.file), f"{raw.path}: {clip.file}")
    sound = recording.sound
    if resample:
        sound = resampled(sound, recording.sample_rate, spectrogram.sample_rate)
    elif recording.sample_rate != spectrogram.sample_rate:
        raise DataError(
            f"{raw.path}: {clip.file} has {recording.sample_rate} samples a second, not {spectrogram.sample_rate}. "
            f"Resample the recordings, or set {framing.KEY}.sample_rate."
        )
    try:
        picture = spectrogram.picture(sound)
        heard.lengths.append(len(spectrogram.audible(sound)))
    except Unusable as reason:
        heard.unusable.append(f"{clip.file} ({reason})")
        heard.reasons[reason.why].append(clip.file)
        return None
    heard.clips.append(clip)
    return picture


def _refuse_loss(name: str, clips: Sequence[Clip], heard: _Heard, classes: Sequence[str]) -> None:
    """Raise DataError where what was left out was all of the clips, of a class's to train on or of a split's."""
    some = ", ".join(heard.unusable[:5])
    if not heard.clips:
        raise DataError(
            f"Dataset {name!r}: it is empty, nothing can be heard in any of {len(heard.unusable)} clips: {some}. "
            "Listen to one, and use other recordings."
        )
    learnt = {clip.label for clip in heard.clips if clip.split == "train"}
    lost = {clip.label for clip in clips if clip.split == "train"} - learnt
    if lost:
        raise DataError(
            f"Dataset {name!r}: no clip of {classes[min(lost)]!r} is left to train on. Left out were {some}. Put "
            "longer or louder ones in their place."
        )
    for split in SPLITS:
        if split in {clip.split for clip in clips} - {clip.split for clip in heard.clips}:
            raise DataError(
                f"Dataset {name!r}: no clip of the {split} split is left. Left out were {some}. Put longer or louder "
                "ones in their place."
            )


def fit(spectrogram: Spectrogram, lengths: Sequence[int]) -> dict[str, int]:
    """How the window fits clips of these lengths, in samples without the silence at their ends.

    cut: clips that are longer. sound_ms, window_ms and fitting_frames, with which nine of ten clips fit whole, are
    there only where half of the clips fill less than half of the window, or half are more than twice as long.
    """
    counts = {"cut": int(sum(length > spectrogram.samples for length in lengths))}
    median = float(np.median(lengths))
    if not spectrogram.samples / 2 <= median <= spectrogram.samples * 2:
        most = float(np.quantile(lengths, 0.9))
        frames = max(1, 1 + math.ceil((most - spectrogram.window) / spectrogram.step))
        if frames != spectrogram.frames:
            for key, size in (("sound_ms", median), ("window_ms", spectrogram.samples)):
                counts[key] = round(1000 * size / spectrogram.sample_rate)
            counts["fitting_frames"] = frames
    return counts


def say_fit(name: str, spectrogram: Spectrogram, counts: Mapping[str, int]) -> None:
    """Tell the log what `fit` found."""
    window = spectrogram.samples / spectrogram.sample_rate
    if counts["cut"]:
        log.warning(
            "%s: clips longer than the window of %.2f s, of which the middle is kept: %d", name, window, counts["cut"]
        )
    if "fitting_frames" in counts:
        log.warning(
            "%s: half of the clips hold no more than %.2f s of sound, and the window of %d frames is %.2f s; with "
            "%s.frames=%d nine of ten fit whole",
            name,
            counts["sound_ms"] / 1000,
            spectrogram.frames,
            window,
            framing.KEY,
            counts["fitting_frames"],
        )


def loudness(pictures: np.ndarray) -> Normalise:
    """Mean and standard deviation of float16 (n, …), in dB; exact, from the counts of the 65,536 values there are."""
    counts = np.zeros(1 << 16, np.int64)
    for start in range(0, len(pictures), 100):  # np.bincount makes 8 bytes of every value
        counts += np.bincount(pictures[start : start + 100].view(np.uint16).ravel(), minlength=len(counts))
    there = np.flatnonzero(counts)
    values, counts = there.astype(np.uint16).view(np.float16).astype(np.float64), counts[there]
    mean = math.fsum(counts * values) / counts.sum()
    return Normalise(float(mean), math.sqrt(math.fsum(counts * (values - mean) ** 2) / counts.sum()))


def resampled(sound: np.ndarray, sample_rate: int, wanted: int) -> np.ndarray:
    """A sound (samples,) at another sample rate, in Hz; what is above half of the lower rate is lost."""
    if sample_rate == wanted:
        return sound
    from scipy.signal import resample_poly

    common = math.gcd(sample_rate, wanted)
    return resample_poly(sound, wanted // common, sample_rate // common).astype(np.float32)
