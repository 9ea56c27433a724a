"""Recordings in a folder: sample rates, lengths, and a window that suits them."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cnnatomy.data import framing, recordings
from cnnatomy.data.errors import DataError
from cnnatomy.data.layout import Filed
from cnnatomy.scaffold import copies
from cnnatomy.scaffold.folders import classed, looked_at
from cnnatomy.scaffold.proposal import Proposal, Told, ranged

METHODS = ["samples", "evaluation", "structure", "kernels", "feature_maps", "filter_maximisation", "top_patches",
           "filter_ablation", "class_activation", "attribution"]  # fmt: skip
LEAST = 16000  # Hz; speech and most of what is heard lies below half of it
LADDER = (LEAST, 24000, 32000, 48000, 96000, 192000)  # Hz, of which the lowest is taken that keeps what is there
WITHIN = 0.9  # of what is in a recording: what lies above may be lost
LOWEST = 1000  # Hz: wind and hum below, which may be louder than all else, say nothing of the heights
HEARD, SECONDS = 40, 4.0  # recordings of which, and how much of each, the heights are looked at, about
STEP = 0.016  # seconds from frame to frame, as in conf/data/own_sounds.yaml
SLOW = 4000  # Hz: of fewer values a second, a window for the template's bands is longer than 32 ms
BANDS = (40, 24, 16, 8)
FRAMES = (20, 125)  # of a window: a third of a second to two seconds
SHORT = 0.15  # seconds: of shorter clips frames of 32 ms show little, and nothing of those that are shorter yet


def propose(path: Path, told: Told) -> Proposal:
    """Settings for a folder of recordings. Raises DataError for what can't be settled, or read at all."""
    import soundfile

    proposal = Proposal("sounds", path, "lecture", METHODS)
    files, filed = classed(proposal, recordings.suffixes(), told)
    proposal.found += copies.of_files(path, files, filed)
    names = looked_at(files)
    rates: Counter[int] = Counter()
    channels: Counter[int] = Counter()
    lengths: list[float] = []
    broken: list[str] = []
    for name in names:
        try:
            info = soundfile.info(io.BytesIO(files[name]))
        except soundfile.SoundFileError as error:
            broken.append(f"{name}: {error}")
            continue
        rates[info.samplerate] += 1
        channels[info.channels] += 1
        lengths.append(info.duration)
    if broken:
        proposal.found.append(f"{len(broken)} can't be opened, such as {broken[0]}")
    if not lengths:
        raise DataError(f"{path}: none of its recordings can be read. {broken[0]}")
    of = f"{len(names):,} looked at" if len(names) < len(files) else "all"
    proposal.found.append(
        f"{ranged(rates, ' Hz')}, {ranged(channels)} channel{'s' * (max(channels) > 1)}, {min(lengths):.2f} to "
        f"{max(lengths):.2f} s long, the median {np.median(lengths):.2f} s ({of})"
    )
    rate, why = _rate(proposal, rates, _reach(files, filed, names))
    seconds = float(np.median(lengths))
    if rate < SLOW or seconds < SHORT:
        _fine(proposal, rate, seconds, why)
        return proposal
    frames = int(np.clip(round(seconds / STEP), *FRAMES))
    near = "about the median clip" if FRAMES[0] < frames < FRAMES[1] else f"the median clip is {seconds:.2f} s"
    proposal.set("spectrogram", {"sample_rate": rate, "frames": frames}, "")
    proposal.proposed[-1] = (
        f"spectrogram.sample_rate: {rate} Hz, {why}; frames: {frames}, a window of {frames * STEP:.2f} s, {near}"
    )
    return proposal


def _rate(proposal: Proposal, rates: Counter[int], reach: float) -> tuple[int, str]:
    """The sample rate in Hz that keeps what is in the recordings, up to `reach` Hz, and why that one.

    Raises DataError for rates that are no sounds'.
    """
    commonest = rates.most_common(1)[0][0]
    if not framing.RATES[0] <= commonest <= framing.RATES[1]:
        raise DataError(
            f"{proposal.path}: most of its recordings have {commonest:,} values a second, and sounds have "
            f"{framing.RATES[0]:,} to {framing.RATES[1]:,}. Take them as they are, as signals: --kind signals"
        )
    rate = min(commonest, next((step for step in LADDER if step >= 2 * reach), commonest))
    if rate > 2 * min(rates):
        proposal.found.append(
            f"recordings of {min(rates)} Hz have nothing above {min(rates) / 2000:g} kHz, and others have: if they are "
            "of certain classes, a network can tell those by that alone"
        )
    if commonest <= LEAST:
        return rate, "as most have"
    most = f"{100 * WITHIN:.0f} % of what is in them lies below {reach / 1000:.2g} kHz, of any class"
    return rate, f"as most have; {most}" if rate == commonest else f"most have {commonest:,}; {most}"


def _reach(files: Mapping[str, bytes], filed: Sequence[Filed], names: Sequence[str]) -> float:
    """Below how many Hz most of what is in the recordings lies, of the class that reaches highest; some are read."""
    label = {file.name: file.label for file in filed}
    by_class: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        if name in label:
            by_class[label[name]].append(name)
    each = max(3, HEARD // max(1, len(by_class)))
    found = [
        [hertz for name in its[:: -(-len(its) // each)] if (hertz := _height(files[name])) is not None]
        for its in by_class.values()
    ]
    return max((float(np.median(of_class)) for of_class in found if of_class), default=0.0)


def _height(content: bytes) -> float | None:
    """Below how many Hz most of a recording's middle lies, by each frequency's loudest moment.

    None of what can't be read, and of silence.
    """
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate, wanted = file.samplerate, int(SECONDS * file.samplerate)
            file.seek(max(0, (file.frames - wanted) // 2))
            sound = file.read(wanted, dtype="float32", always_2d=True).mean(axis=1)
    except (soundfile.SoundFileError, RuntimeError, ValueError, MemoryError):
        return None
    window = max(2, min(len(sound), round(framing.WINDOW * rate)))
    if len(sound) < window or not np.isfinite(sound).all():
        return None
    frames = sound[: len(sound) // window * window].reshape(-1, window)
    loudest = (np.abs(np.fft.rfft(frames * np.hanning(window), axis=1)) ** 2).max(axis=0)
    hertz = np.fft.rfftfreq(window, 1 / rate)
    shares = loudest[hertz > LOWEST].cumsum()
    if not len(shares) or shares[-1] <= 0:
        return None
    return float(hertz[hertz > LOWEST][np.searchsorted(shares, WITHIN * shares[-1])])


def _fine(proposal: Proposal, rate: int, seconds: float, why: str) -> None:
    """A window for recordings of few values a second, as of the earth, or for short ones: so that no band is empty."""
    lowest = 60 if rate > 1000 else 0
    samples = round(seconds * rate)
    start = min(round(framing.WINDOW * rate), samples // FRAMES[0])
    fitting = ((bands, size) for bands in BANDS for size in range(max(2, start), max(3, samples // 4)))
    bands, window = next(
        (both for both in fitting if framing.filled(rate, both[1], both[0], lowest, rate / 2)),
        (1, max(2, samples // 4)),
    )
    step = max(1, window // 2)
    frames = int(np.clip(1 + (samples - window) // step, 4, FRAMES[1]))
    given = {"sample_rate": rate, "bands": bands, "frames": frames, "window": window, "step": step, "lowest_hz": lowest}
    so = "so few values a second want" if rate < SLOW else f"{why}; clips of {seconds:.2g} s want"
    proposal.set("spectrogram", given, f"{so} windows of {window / rate:.2g} s")
