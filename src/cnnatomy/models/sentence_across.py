"""T1, the other way: filters lower than the word vector that move along the sentence and across the vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cnnatomy.models.embedded import PADDING, Embedded


class SentenceAcross(Embedded):
    """Logits (n, classes) of tokens int64 (n, words), sentences of any length, padded with 0 at the end.

    Like `Sentence`, but a filter sees only `height` of the word vector's numbers at a time and also moves across them,
    `step` numbers a step, as over an image: its map has a second axis. The greatest value is taken over time and,
    unless `rows`, over that axis too; with `rows` the dense layer sees each place across the vector by itself.

    Raises ValueError for another start, and for filters higher than the word vector.
    """

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        dimensions: int,
        widths: Sequence[int],
        filters: int,
        dropout: float,
        height: int,
        step: int,
        rows: bool,
        start: str = "random",
    ) -> None:
        super().__init__(vocabulary, dimensions, start)
        if height > dimensions:
            raise ValueError(f"model.height is {height}, but word vectors have {dimensions} numbers")
        self.widths = tuple(widths)
        self.height, self.step = height, step
        self.pad = nn.ConstantPad1d(max(widths) - 1, 0.0)
        for width in self.widths:
            # The numbers that a filter sees at a time are its channels: the same sums as of a kernel (height, width) on
            # one channel, many times faster on a processor.
            self.add_module(f"conv{width}", nn.Conv2d(height, filters, (1, width)))
            self.add_module(f"relu{width}", nn.ReLU())
            self.add_module(f"pool{width}", nn.AdaptiveMaxPool2d((None, 1) if rows else 1))
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        places = (dimensions - height) // step + 1 if rows else 1
        self.dense = nn.Linear(filters * len(self.widths) * places, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        vectors = self.pad(self.embedding(tokens).transpose(1, 2))
        parts = vectors.unfold(1, self.height, self.step).permute(0, 3, 1, 2)  # (n, height, places, words)
        words = self.pad((tokens != PADDING).to(vectors.dtype)).unsqueeze(1)
        strongest = []
        for width in self.widths:
            maps = self.get_submodule(f"relu{width}")(self.get_submodule(f"conv{width}")(parts))
            heard = nn.functional.max_pool1d(words, width, stride=1).unsqueeze(2)  # as in Sentence
            strongest.append(self.get_submodule(f"pool{width}")(maps * heard))
        return self.dense(self.dropout(self.flatten(torch.cat(strongest, dim=1))))
