"""To which frequencies the filters of a convolution along time answer."""

from __future__ import annotations

import numpy as np

FREQUENCIES = 65  # from zero to half of the rate


def gains(weights: np.ndarray, dilation: int = 1) -> np.ndarray:
    """How strongly each filter answers to steady swings, (filters, `FREQUENCIES`), from none to one every two steps.

    weights: (filters, channels, steps), `dilation` steps of time apart. The size of the filter's Fourier transform;
    over all channels the root of the sum of squares, as of channels that swing independently.
    """
    turns = np.linspace(0, 0.5, FREQUENCIES) * dilation * np.arange(weights.shape[2])[:, None]
    spectrum = weights @ np.exp(-2j * np.pi * turns)
    return np.sqrt((np.abs(spectrum) ** 2).sum(axis=1))


def frequencies(step: float) -> np.ndarray:
    """The frequencies of `gains` where steps are so far apart, in s: in Hz. Of steps by themselves: swings a step."""
    return np.linspace(0, 0.5 / step, FREQUENCIES)
