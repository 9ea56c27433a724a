"""A filter's weights as pixels."""

from __future__ import annotations

import numpy as np

from cnnatomy.data.prepared import Facts
from cnnatomy.drawing import curves
from cnnatomy.drawing.showing import colour, grey, of_colours, shown_channels, signed, upright

LINE = 128  # the grey between weights on one channel and on the next: no weight is drawn so
TALL = 8  # pixels of the picture of a filter on words, at least
CURVES = (150, 64)  # pixels of the picture of a filter on signals


def drawn(kernel: np.ndarray, facts: Facts, symmetric: bool = True, least: float = 0.0) -> np.ndarray:
    """One filter's weights as pixels. kernel: (channels, *kernel). The scale reaches to `least` even if no weight does.

    One channel is drawn by sign, three of an image as red, green and blue, any other number side by side with a line
    between. A kernel that moves along words is drawn with a row a word and a column an entry of the embedding,
    one that moves along a signal as a curve a channel.
    """
    scale = max(float(np.abs(kernel).max()), least)
    if facts.kind == "texts":
        # Several pixels a word: 3 × 100 weights would be too flat a strip to look at.
        flat = by_words(kernel)
        flat = flat.repeat(max(4, -(-TALL // len(flat))), axis=0)
    elif facts.kind == "signals":
        low = -scale if symmetric else float(kernel.min())
        high = scale if symmetric else float(kernel.max())
        ends = curves.Ends((0.0, curves.moment(facts, kernel.shape[-1] - 1)), ("", facts.axes[0].unit))
        return curves.plot(kernel.reshape(-1, kernel.shape[-1]), (low, high), ends, size=CURVES, dots=True)
    elif kernel.ndim == 2:
        flat = upright(facts, kernel)
    elif len(kernel) == 3 and of_colours(facts) and symmetric:
        return colour(kernel[shown_channels(facts)], scale)
    elif symmetric:
        strips = [signed(upright(facts, channel), scale) for channel in kernel]
        line = np.full((kernel.shape[1], 1, 3), LINE, np.uint8)
        return np.concatenate([part for strip in strips for part in (line, strip)][1:], axis=1)
    else:
        channels = [upright(facts, channel) for channel in kernel]
        gap = np.zeros((kernel.shape[1], 1))
        flat = np.concatenate([part for channel in channels for part in (gap, channel)][1:], axis=1)
    if symmetric:
        return signed(flat, scale)
    low = float(flat.min())
    return grey(flat, low=low, high=max(float(flat.max()), low + least))


def by_words(kernel: np.ndarray) -> np.ndarray:
    """A kernel on word vectors, (words, entries), from a convolution in one dimension or in two."""
    return kernel.T if kernel.ndim == 2 else kernel.transpose(1, 0, 2).reshape(kernel.shape[1], -1)
