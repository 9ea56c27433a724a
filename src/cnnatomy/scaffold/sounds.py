"""Recordings in a folder: sample rates, lengths, and a window that suits them."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np

from cnnatomy.data import framing, recordings
from cnnatomy.data.errors import DataError
from cnnatomy.scaffold import copies
from cnnatomy.scaffold.folders import classed, looked_at
from cnnatomy.scaffold.proposal import Proposal, Told, ranged

METHODS = ["samples", "evaluation", "structure", "kernels", "feature_maps", "filter_maximisation", "top_patches",
           "filter_ablation", "class_activation", "attribution"]  # fmt: skip
HIGHEST = 16000  # Hz; speech and most of what is heard lies below half of it
STEP = 0.016  # seconds from frame to frame, as in conf/data/own_sounds.yaml
SLOW = 4000  # Hz: of fewer values a second, a window for the template's bands is longer than 32 ms
BANDS = (40, 24, 16, 8)
FRAMES = (20, 125)  # of a window: a third of a second to two seconds


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
    commonest = rates.most_common(1)[0][0]
    why = "as most have" if commonest <= HIGHEST else f"most have {commonest:,}: what lies above 8 kHz is rarely needed"
    if commonest < SLOW:
        _slow(proposal, commonest, float(np.median(lengths)))
        return proposal
    frames = int(np.clip(round(float(np.median(lengths)) / STEP), *FRAMES))
    near = (
        "about the median clip" if FRAMES[0] < frames < FRAMES[1] else f"the median clip is {np.median(lengths):.2f} s"
    )
    proposal.set("spectrogram", {"sample_rate": min(commonest, HIGHEST), "frames": frames}, "")
    proposal.proposed[-1] = (
        f"spectrogram.sample_rate: {min(commonest, HIGHEST)} Hz, {why}; "
        f"frames: {frames}, a window of {frames * STEP:.2f} s, {near}"
    )
    return proposal


def _slow(proposal: Proposal, rate: int, seconds: float) -> None:
    """A window for recordings of few values a second, as of the earth: long enough that no band is empty."""
    lowest = 60 if rate > 1000 else 0
    samples = round(seconds * rate)
    fitting = ((bands, size) for bands in BANDS for size in range(round(0.032 * rate) or 2, max(3, samples // 4)))
    bands, window = next(
        (both for both in fitting if framing.filled(rate, both[1], both[0], lowest, rate / 2)),
        (1, max(2, samples // 4)),
    )
    step = max(1, window // 2)
    frames = int(np.clip(1 + (samples - window) // step, 4, FRAMES[1]))
    given = {"sample_rate": rate, "bands": bands, "frames": frames, "window": window, "step": step, "lowest_hz": lowest}
    proposal.set("spectrogram", given, f"so few values a second want windows of {window / rate:.2g} s")
