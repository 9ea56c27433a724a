"""How a sound becomes the picture that a network takes, found again from the axes of its data."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnatomy.data.framing import from_hz, to_hz
from cnnatomy.data.prepared import Facts


def listening(facts: Facts, floor: float) -> dict[str, Any] | None:
    """What the page needs to make such a picture of a reader's own sound; None where the axes don't say it.

    Gives sample rate (Hz), window and step (samples), where the lowest mel band begins and the highest ends (Hz), and
    the range (dB). floor: the lowest value of the data, dB.
    """
    frequency, time = (np.array(axis.values, dtype=np.float64) for axis in facts.axes)
    if facts.sample_rate is None or len(frequency) < 2 or len(time) < 2 or floor >= 0:
        return None
    samples, mels = time * facts.sample_rate, np.array([from_hz(hz) for hz in frequency])
    step = round(float(samples[-1] - samples[0]) / (len(time) - 1))
    window = round(2 * float(np.mean(samples - step * np.arange(len(time)))))
    apart = float(mels[-1] - mels[0]) / (len(mels) - 1)  # bands are evenly spaced in mel
    if step < 1 or window < 2 or apart <= 0 or np.abs(np.diff(mels) - apart).max() > apart / 10:
        return None
    lowest, highest = to_hz(float(mels[0]) - apart), to_hz(float(mels[-1]) + apart)
    found = {"rate": facts.sample_rate, "window": window, "step": step}
    return found | {"lowest": round(max(0.0, lowest), 1), "highest": round(highest, 1), "range": -floor}
