"""Words as vectors: where every network for sentences begins."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from cnnatomy.models.word_vectors import cooccurrence_vectors

PADDING = 0  # the token that stands for no word
SPREAD = 0.17  # standard deviation of the numbers of a word vector that starts from company


class Embedded(nn.Module):
    """A network whose layer `embedding` gives each word of the vocabulary a vector of `dimensions` numbers.

    start: "random", as Kim (2014) draws them in his CNN-rand, or "company", from the company that words keep in the
    training sentences. The vector of padding is and stays 0. Raises ValueError for any other start.
    """

    def __init__(self, vocabulary: int, dimensions: int, start: str) -> None:
        super().__init__()
        if start not in ("random", "company"):
            raise ValueError(f"model.start is {start!r}; word vectors start from 'random' or from 'company'")
        self.start = start
        self.embedding = nn.Embedding(vocabulary, dimensions, padding_idx=PADDING)
        nn.init.uniform_(self.embedding.weight, -0.25, 0.25)  # Kim's
        with torch.no_grad():
            self.embedding.weight[PADDING] = 0

    def prime(self, inputs: np.ndarray, seed: int) -> None:
        """Start the word vectors, if asked to, from the company words keep in the training sentences (n, words)."""
        if self.start == "company":
            vectors = cooccurrence_vectors(inputs, self.embedding.num_embeddings, self.embedding.embedding_dim, seed)
            with torch.no_grad():
                self.embedding.weight.copy_(SPREAD * torch.from_numpy(vectors))
                self.embedding.weight[PADDING] = 0
