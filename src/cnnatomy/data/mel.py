"""The mel scale of Slaney's Auditory Toolbox (1998): pitch as the ear has it, even below 1,000 Hz, by ratios above."""

from __future__ import annotations

import numpy as np

from cnnatomy.data.framing import HZ_PER_MEL, KNEE, KNEE_HZ, RATIO, from_hz


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
