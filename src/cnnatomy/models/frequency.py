"""S2, a network for spectrograms whose filters span the window's whole time and move along frequency only."""

from __future__ import annotations

from collections.abc import Sequence

from cnnatomy.models.spectrogram import ALL, Spectrogram


class Frequency(Spectrogram):
    """Logits (n, classes) of spectrograms (n, 1, bands, frames).

    A filter of the first layer is `heights[0]` bands high and as wide as the window, so that its map has one
    column: the same pattern may sit higher or lower, by voice. The second layer's filters move along that column.

    Raises ValueError if the layers leave no band.
    """

    def __init__(
        self, shape: tuple[int, int, int], classes: int, filters: Sequence[int], heights: Sequence[int], dropout: float
    ) -> None:
        kernels = [(height, ALL) for height in heights]
        super().__init__(shape, classes, filters, kernels, [(2, 1)] * len(kernels), dropout)
