"""Accuracy by length: each sentence in one range, and right where the network is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.studies.measures.sentences import by_length
from tests.unit.small_data import small


class LikesShort(nn.Module):
    """Says "positive" of sentences of at most five words."""

    def forward(self, tokens: Tensor) -> Tensor:
        short = ((tokens != 0).sum(1) <= 5).double()
        return torch.stack([1 - short, short], dim=1)


def test_accuracy_by_length_counts_each_sentence_once(tmp_path: Path):
    data = small(tmp_path, "texts")
    test = data.split("test")
    lengths = np.array([len(text.split()) for text in test.table["text"]])
    numbers = {number.subject: number for number in by_length(LikesShort(), data, seed=0, edges=[4, 6, 9, 60])}
    assert list(numbers) == ["words=1-4", "words=5-6", "words=7-9"], "a range without sentences has no number"
    assert sum(number.n for number in numbers.values()) == len(test)
    for subject, low, high in [("words=1-4", 1, 4), ("words=5-6", 5, 6), ("words=7-9", 7, 9)]:
        within = (lengths >= low) & (lengths <= high)
        expected = (test.labels[within] == (lengths[within] <= 5)).mean()
        assert numbers[subject].value == expected and numbers[subject].n == within.sum()
        assert numbers[subject].unit == "fraction" and numbers[subject].metric == "test_accuracy"


def test_longer_sentences_than_the_last_edge_are_left_out(tmp_path: Path):
    data = small(tmp_path, "texts")
    lengths = [len(text.split()) for text in data.split("test").table["text"]]
    (number,) = by_length(LikesShort(), data, seed=0, edges=[4])
    assert number.n == sum(length <= 4 for length in lengths) < len(lengths)
