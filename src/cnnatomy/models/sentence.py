"""T1 and T2, Kim's network for sentences: filters as wide as the word vector that move along the sentence only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.models.word_vectors import cooccurrence_vectors

PADDING = 0  # the token that stands for no word
SPREAD = 0.17  # standard deviation of the numbers of a word vector that starts from company


class Sentence(nn.Module):
    """Logits (n, classes) of tokens int64 (n, words), sentences of any length, padded with 0 at the end.

    Each word becomes a vector of `dimensions` numbers; `filters` filters of each of the `widths` look at that many
    words at a time. The greatest value of each filter, wherever in the sentence it is, makes a vector of fixed
    length (filters × widths), from which one dense layer decides. How much padding follows changes nothing.

    Kim (2014), Convolutional neural networks for sentence classification, EMNLP; this is his CNN-rand.
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
    ) -> None:
        super().__init__()
        if start not in ("random", "company"):
            raise ValueError(f"model.start is {start!r}; word vectors start from 'random' or from 'company'")
        self.start = start
        self.widths = tuple(widths)
        self.embedding = nn.Embedding(vocabulary, dimensions, padding_idx=PADDING)
        nn.init.uniform_(self.embedding.weight, -0.25, 0.25)  # Kim's
        with torch.no_grad():
            self.embedding.weight[PADDING] = 0
        # A word at either end is seen by as many windows as one in the middle, and a single word by some.
        self.pad = nn.ConstantPad1d(max(widths) - 1, 0.0)
        for width in self.widths:
            self.add_module(f"conv{width}", nn.Conv1d(dimensions, filters, width))
            self.add_module(f"relu{width}", nn.ReLU())
            self.add_module(f"pool{width}", nn.AdaptiveMaxPool1d(1))
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(filters * len(self.widths), classes)

    def prime(self, inputs: np.ndarray, seed: int) -> None:
        """Start the word vectors, if asked to, from the company words keep in the training sentences (n, words)."""
        if self.start == "company":
            vectors = cooccurrence_vectors(inputs, self.embedding.num_embeddings, self.embedding.embedding_dim, seed)
            with torch.no_grad():
                self.embedding.weight.copy_(SPREAD * torch.from_numpy(vectors))
                self.embedding.weight[PADDING] = 0

    def forward(self, tokens: Tensor) -> Tensor:
        vectors = self.pad(self.embedding(tokens).transpose(1, 2))
        words = self.pad((tokens != PADDING).to(vectors.dtype)).unsqueeze(1)
        strongest = []
        for width in self.widths:
            maps = self.get_submodule(f"relu{width}")(self.get_submodule(f"conv{width}")(vectors))
            # A window without any word says nothing. Activations are at least 0, so that 0 takes it out of the maximum.
            heard = nn.functional.max_pool1d(words, width, stride=1)
            strongest.append(self.get_submodule(f"pool{width}")(maps * heard))
        return self.dense(self.dropout(self.flatten(torch.cat(strongest, dim=1))))
