"""T1 and T2, Kim's network for sentences: filters as wide as the word vector that move along the sentence only."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cnnatomy.models.embedded import PADDING, Embedded

POOLS = {"max": nn.AdaptiveMaxPool1d, "mean": nn.AdaptiveAvgPool1d}
#: What the layer that pools the maps of filters of a width is called, before the width.
NAMES = {"max": "pool", "mean": "mean"}


class Sentence(Embedded):
    """Logits (n, classes) of tokens int64 (n, words), sentences of any length, padded with 0 at the end.

    Each word becomes a vector of `dimensions` numbers; `filters` filters of each of the `widths` look at that many
    words at a time. The greatest value of each filter, wherever in the sentence it is, makes a vector of fixed
    length (filters × widths), from which one dense layer decides. How much padding follows changes nothing.

    pooling: over time, "max" as said, "mean" over the windows that hold a word, or both, side by side. With none the
    dense layer sees every window in its place, and sentences must be padded to the length of `shape`, the samples'.

    Kim (2014), Convolutional neural networks for sentence classification, EMNLP; this is his CNN-rand.
    Raises ValueError for another start or pooling.
    """

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        dimensions: int,
        widths: Sequence[int],
        filters: int,
        dropout: float,
        start: str = "random",
        pooling: Sequence[str] = ("max",),
        shape: tuple[int] | None = None,
    ) -> None:
        super().__init__(vocabulary, dimensions, start)
        if unknown := set(pooling) - set(POOLS):
            raise ValueError(f"model.pooling: {unknown.pop()!r} is neither 'max' nor 'mean'")
        if not pooling and shape is None:
            raise ValueError("model.pooling is empty: then the length of sentences, `shape`, must be given")
        self.widths = tuple(widths)
        self.pooling = tuple(pooling)
        # A word at either end is seen by as many windows as one in the middle, and a single word by some.
        self.pad = nn.ConstantPad1d(max(widths) - 1, 0.0)
        for width in self.widths:
            self.add_module(f"conv{width}", nn.Conv1d(dimensions, filters, width))
            self.add_module(f"relu{width}", nn.ReLU())
            for kind in self.pooling:
                self.add_module(f"{NAMES[kind]}{width}", POOLS[kind](1))
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        seen = len(self.pooling) * len(self.widths)
        if shape is not None and not pooling:
            seen = sum(shape[0] + 2 * (max(widths) - 1) - width + 1 for width in self.widths)
        self.dense = nn.Linear(filters * seen, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        vectors = self.pad(self.embedding(tokens).transpose(1, 2))
        words = self.pad((tokens != PADDING).to(vectors.dtype)).unsqueeze(1)
        found = []
        for width in self.widths:
            maps = self.get_submodule(f"relu{width}")(self.get_submodule(f"conv{width}")(vectors))
            # A window without any word says nothing. Activations are at least 0, so that 0 takes it out of the maximum.
            heard = nn.functional.max_pool1d(words, width, stride=1)
            found += self._pooled(maps * heard, heard, width)
        return self.dense(self.dropout(self.flatten(torch.cat(found, dim=1))))

    def _pooled(self, maps: Tensor, heard: Tensor, width: int) -> list[Tensor]:
        if not self.pooling:
            return [self.flatten(maps)]
        pooled = []
        for kind in self.pooling:
            values = self.get_submodule(f"{NAMES[kind]}{width}")(maps)
            # Of the mean, what the windows without any word took.
            pooled.append(values / heard.mean(2, keepdim=True).clamp_min(1e-6) if kind == "mean" else values)
        return pooled
