"""The mel scale of Slaney's Auditory Toolbox (1998): pitch as the ear has it, even below 1,000 Hz, by ratios above."""

from __future__ import annotations

import math

import numpy as np

HZ_PER_MEL = 200 / 3
KNEE_HZ = 1000.0  # where the even part ends
KNEE = KNEE_HZ / HZ_PER_MEL
RATIO = math.log(6.4) / 27  # 27 steps from 1,000 to 6,400 Hz


def from_hz(hz: float) -> float:
    """A frequency in mel."""
    return hz / HZ_PER_MEL if hz < KNEE_HZ else KNEE + math.log(hz / KNEE_HZ) / RATIO


def edges(bands: int, lowest_hz: float, highest_hz: float) -> np.ndarray:
    """Where bands begin and end, in Hz (bands + 2,): band i rises from edge i, peaks at i + 1 and ends at i + 2."""
    mels = np.linspace(from_hz(lowest_hz), from_hz(highest_hz), bands + 2)
    return np.where(mels < KNEE, mels * HZ_PER_MEL, KNEE_HZ * np.exp(RATIO * (mels - KNEE)))


def filters(sample_rate: int, window: int, bands: int, lowest_hz: float, highest_hz: float) -> np.ndarray:
    """Triangles of equal area that sum a power spectrum up to bands: float32 (bands, window // 2 + 1).

    sample_rate: Hz. window: samples of one frame. A band that is narrower than the spectrum is fine may be all zeros.
    """
    hz = edges(bands, lowest_hz, highest_hz)
    distance = hz[:, None] - np.fft.rfftfreq(window, 1 / sample_rate)
    rising, falling = -distance[:-2] / np.diff(hz)[:-1, None], distance[2:] / np.diff(hz)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return (triangles * (2 / (hz[2:] - hz[:-2]))[:, None]).astype(np.float32)
