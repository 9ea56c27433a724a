"""T1 without any filter: a sentence is the mean of its word vectors, whatever their order."""

from __future__ import annotations

from torch import Tensor, nn

from cnnatomy.models.embedded import PADDING, Embedded


class MeanOfWords(Embedded):
    """Logits (n, classes) of tokens int64 (n, words), sentences of any length, padded with 0.

    One dense layer decides from the mean of the word vectors.

    Iyyer, Manjunatha, Boyd-Graber & Daumé (2015), Deep unordered composition rivals syntactic methods for text
    classification, ACL; this is their network without hidden layers. Raises ValueError for another start.
    """

    def __init__(self, vocabulary: int, classes: int, dimensions: int, dropout: float, start: str = "random") -> None:
        super().__init__(vocabulary, dimensions, start)
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(dimensions, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        words = (tokens != PADDING).sum(1, keepdim=True).clamp_min(1)
        return self.dense(self.dropout(self.embedding(tokens).sum(1) / words))
