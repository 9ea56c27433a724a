"""The clips to compare: those that the settings name, or one word by several voices of the test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cnnatomy.data import recordings
from cnnatomy.data.errors import DataError
from cnnatomy.data.prepared import Samples
from cnnatomy.data.sounds import Spectrogram, Unusable, resampled
from cnnatomy.dissect.spectrogram.settings import Settings
from cnnatomy.drawing.showing import Sound
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection import voices
from cnnatomy.inspection.choosing import evenly

WINDOWS = 4  # of the network's, of a clip's middle at most


@dataclass(frozen=True, eq=False)
class Clip:
    """One voice's clip: wav bytes, the sound without the silence at its ends, its spectrogram and what was measured.

    sound: (samples,) at `rate` a second. mel: dB, (bands, frames). pitch, formants: Hz; None where nothing is voiced.
    """

    name: str
    group: str
    wav: bytes
    rate: int
    sound: np.ndarray
    mel: np.ndarray
    pitch: float | None
    formants: list[float] | None


@dataclass(frozen=True)
class Chosen:
    """Groups of clips by name, what is said in them (None: nothing that has a name), and whether settings name them."""

    groups: Mapping[str, list[Clip]]
    words: str | None
    asked: bool

    @property
    def two(self) -> tuple[Clip, Clip]:
        """Those that are seen large and heard: the first of the first two groups, or of the only one."""
        groups = list(self.groups.values())
        return (groups[0][0], groups[1][0]) if len(groups) > 1 else (groups[0][0], groups[0][1])


def choose(samples: Samples, settings: Settings, maker: Spectrogram, sound: Sound) -> Chosen:
    """Two clips at least.

    settings: `files`, `said`, `most`. Raises DoesNotApply where no two can be heard, DataError for a file that is not
    there though others are, and for a single one.
    """
    named = {group: {name: _bytes(sound, name) for name in files} for group, files in settings.files.items()}
    missing = [name for files in named.values() for name, wav in files.items() if wav is None]
    heard = {
        group: [clip(group, name, wav, maker) for name, wav in files.items() if wav] for group, files in named.items()
    }
    heard = {group: clips for group, clips in heard.items() if clips}
    if not heard:
        return _same_word(samples, settings.most, maker, sound)
    if missing:
        raise DataError(
            f"dissect.spectrogram.files names {', '.join(map(repr, missing[:5]))}, which the raw archive of "
            f"{samples.facts.name!r} doesn't have, though it has others; name files that are there"
        )
    if sum(map(len, heard.values())) < 2:
        raise DataError("dissect.spectrogram.files names one clip; name two at least, so that they can be compared")
    return Chosen(heard, str(settings.said), asked=True)


def _same_word(samples: Samples, most: int, maker: Spectrogram, sound: Sound) -> Chosen:
    table = samples.table
    if "file" not in table:
        raise DoesNotApply(say("spectrogram.no_files"))
    voice = next(column for column in ("voice", "speaker", "id") if column in table)  # every table has ids
    word = next((int(label) for label in samples.labels if label >= 0), -1)
    rows = table[samples.labels == word].drop_duplicates(voice)
    grouped = "sex" in table and rows["sex"].nunique() > 1
    groups: dict[str, list[Clip]] = {}
    for group in sorted(rows["sex"].unique()) if grouped else ["voices"]:
        mine = rows[rows["sex"] == group] if grouped else rows
        # Evenly spread: the first ones may all be one accent.
        mine = mine.iloc[evenly(len(mine), most)]
        heard = [(str(who), _bytes(sound, str(name))) for name, who in zip(mine["file"], mine[voice], strict=True)]
        if found := [clip(group, who, wav, maker) for who, wav in heard if wav is not None]:
            groups[group] = found
    if sum(map(len, groups.values())) < 2:
        raise DoesNotApply(say("spectrogram.no_two_voices"))
    return Chosen(groups, samples.facts.classes[word] if word >= 0 else None, asked=False)


def _bytes(sound: Sound, name: str) -> bytes | None:
    try:
        return sound(name)
    except DataError:
        return None


def clip(group: str, name: str, wav: bytes, maker: Spectrogram) -> Clip:
    """A clip as `prepare` hears it: at the sample rate of the spectrograms, without the silence at its ends.

    Of one many times longer than the window the middle: aligning minutes would take minutes.
    """
    recording = recordings.read(wav, name)
    rate = maker.sample_rate
    try:
        cut = maker.audible(resampled(recording.sound, recording.sample_rate, rate))
        beyond = max(0, len(cut) - WINDOWS * maker.samples) // 2
        cut = cut[beyond : len(cut) - beyond]
    except Unusable as reason:
        raise DataError(f"{name} can't be used, it is {reason}; name another file") from reason
    short = name.rpartition("/")[2].removesuffix(".wav").rpartition("+")[2]
    label = short if name.endswith(".wav") else name
    return Clip(label, group, wav, rate, cut, maker.log_mel(cut), voices.pitch(cut, rate), voices.formants(cut, rate))
