"""Sounds as log-mel spectrograms of a fixed window, with their axes in Hz and seconds."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cnnatomy.data import mel, prepared
from cnnatomy.data.archive import Raw
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.files import explained, nameless_file
from cnnatomy.data.left_out import LeftOut
from cnnatomy.data.prepared import SPLITS, Axis, Facts, Normalise

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
            raise Unusable("silent")
        heard = np.flatnonzero(np.abs(sound) > loudest * 10 ** (SILENCE_DB / 20))
        sound = sound[heard[0] : heard[-1] + 1]
        if len(sound) < self.window:
            raise Unusable(f"too short: {1000 * len(sound) / self.sample_rate:.0f} ms")
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
    """A sound from which nothing can be learnt."""


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
    raw: Raw,
    spectrogram: Spectrogram,
    *,
    digest: str,
    resample: bool = False,
    left_out: Sequence[LeftOut] = (),
) -> None:
    """Write a prepared dataset of sounds, one clip after the other: of all but the one in hand only the list is held.

    Silent and too short clips are left out, named in the log and counted in the facts, as are those that are longer
    than the window. resample: recordings of another sample rate.
    Raises DamagedData for a recording that can't be read; DataError for one of another sample rate, unless they are
    to be resampled, and where no clip of a class is left to train on.
    """
    import pandas as pd

    shape = (1, spectrogram.bands, spectrogram.frames)
    heard: list[Clip] = []
    unusable: list[str] = []
    pictures, cut = nameless_file(folder), 0
    for clip in sorted(clips, key=lambda clip: SPLITS.index(clip.split)):
        sound, sample_rate = read(raw.read(clip.file), f"{raw.path}: {clip.file}")
        if resample:
            sound = resampled(sound, sample_rate, spectrogram.sample_rate)
        elif sample_rate != spectrogram.sample_rate:
            raise DataError(
                f"{raw.path}: {clip.file} has {sample_rate} samples a second, not {spectrogram.sample_rate}. "
                "Resample the recordings, or set prepare.sample_rate."
            )
        try:
            picture = spectrogram.picture(sound)
            cut += len(spectrogram.audible(sound)) > spectrogram.samples
        except Unusable as reason:
            unusable.append(f"{clip.file} ({reason})")
            continue
        with explained(folder):
            pictures.write(picture.tobytes())
        heard.append(clip)
    if unusable:
        log.warning("%s: left out %d clips: %s", folder.name, len(unusable), ", ".join(unusable[:20]))
    if cut:
        length = spectrogram.samples / spectrogram.sample_rate
        log.warning("%s: of %d clips longer than the window of %.2f s the middle is kept", folder.name, cut, length)
    if not heard:
        raise DataError(
            f"Dataset {folder.name!r}: it is empty, nothing can be heard in any of {len(unusable)} clips: "
            f"{', '.join(unusable[:5])}."
        )
    learnt = {clip.label for clip in heard if clip.split == "train"}
    lost = {clip.label for clip in clips if clip.split == "train"} - learnt
    if lost:
        raise DataError(
            f"Dataset {folder.name!r}: no clip of {classes[min(lost)]!r} is left to train on. Left out were "
            f"{', '.join(unusable[:5])}. Put longer or louder ones in their place."
        )
    with explained(folder):
        inputs = np.memmap(pictures, np.float16, "r", shape=(len(heard), *shape))
    training = inputs[: sum(clip.split == "train" for clip in heard)]
    facts = Facts(
        name=folder.name,
        kind="sounds",
        classes=list(classes),
        shape=shape,
        axes=spectrogram.axes(),
        normalise=loudness(training) if len(training) else None,
        licence=raw.manifest["licence"],
        citation=raw.manifest["citation"],
        raw=raw.path.stem,
        digest=digest,
        sample_rate=spectrogram.sample_rate,
        left_out=list(left_out),
        counts={"left_out": len(unusable), "cut": cut},
    )
    table = {
        "split": [clip.split for clip in heard],
        "label": [clip.label for clip in heard],
        "id": [clip.id for clip in heard],
        **{key: [clip.about[key] for clip in heard] for key in heard[0].about},
        "file": [clip.file for clip in heard],
    }
    prepared.write(folder, facts, inputs, pd.DataFrame(table))


def loudness(pictures: np.ndarray) -> Normalise:
    """Mean and standard deviation of float16 (n, …), in dB; exact, from the counts of the 65,536 values there are."""
    counts = np.zeros(1 << 16, np.int64)
    for start in range(0, len(pictures), 100):  # np.bincount makes 8 bytes of every value
        counts += np.bincount(pictures[start : start + 100].view(np.uint16).ravel(), minlength=len(counts))
    there = np.flatnonzero(counts)
    values, counts = there.astype(np.uint16).view(np.float16).astype(np.float64), counts[there]
    mean = math.fsum(counts * values) / counts.sum()
    return Normalise(float(mean), math.sqrt(math.fsum(counts * (values - mean) ** 2) / counts.sum()))


def read(recording: bytes, name: str) -> tuple[np.ndarray, int]:
    """A recording (wav, flac, ogg) as float32 (samples,) between -1 and 1, and its sample rate in Hz.

    Channels are averaged. Raises DamagedData.
    """
    import soundfile

    try:
        sound, sample_rate = soundfile.read(io.BytesIO(recording), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        raise DamagedData(
            f"{name} can't be read as a sound: {error}. Take it out, or put a good copy in its place."
        ) from error
    if not np.isfinite(sound).all():
        raise DamagedData(f"{name} holds samples that are no numbers. Take it out, or put a good copy in its place.")
    return sound.mean(axis=1), sample_rate


def resampled(sound: np.ndarray, sample_rate: int, wanted: int) -> np.ndarray:
    """A sound (samples,) at another sample rate, in Hz; what is above half of the lower rate is lost."""
    if sample_rate == wanted:
        return sound
    from scipy.signal import resample_poly

    common = math.gcd(sample_rate, wanted)
    return resample_poly(sound, wanted // common, sample_rate // common).astype(np.float32)


def playable(recording: bytes, name: str) -> bytes:
    """A recording (wav, flac, ogg) as what a page plays: a wav of one channel, itself where it is one already.

    Raises DamagedData.
    """
    import soundfile

    sound, sample_rate = read(recording, name)
    about = soundfile.info(io.BytesIO(recording))
    if (about.format, about.channels) == ("WAV", 1) and about.subtype.startswith("PCM"):
        return recording
    file = io.BytesIO()
    soundfile.write(file, sound, sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()
