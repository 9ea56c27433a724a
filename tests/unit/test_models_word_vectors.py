"""Word vectors from the company that words keep, and the network that starts from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnatomy.models.sentence import Sentence
from cnnatomy.models.word_vectors import cooccurrence_vectors

PAD, UNSEEN, GOOD, FINE, BAD, POOR = 0, 1, 2, 3, 4, 5
VOCABULARY = 14


def sentences() -> np.ndarray:
    """good and fine stand among words 6 to 9, bad and poor among 10 to 13; never with each other."""
    random = np.random.default_rng(0)
    rows = []
    for word, company in ((GOOD, range(6, 10)), (FINE, range(6, 10)), (BAD, range(10, 14)), (POOR, range(10, 14))):
        for _ in range(30):
            rows.append([*random.permutation(company)[:2], word, *random.permutation(company)[:2], PAD, PAD])
    return np.array(rows, dtype=np.int32)


def test_words_of_the_same_company_get_like_vectors():
    vectors = cooccurrence_vectors(sentences(), VOCABULARY, 4, seed=0)
    assert vectors.shape == (VOCABULARY, 4) and vectors.dtype == np.float32
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    like = unit @ unit.T
    assert min(like[GOOD, FINE], like[BAD, POOR]) > 0.9
    assert max(abs(like[a, b]) for a in (GOOD, FINE) for b in (BAD, POOR)) < 0.1


def test_padding_and_words_never_seen_get_no_vector():
    vectors = cooccurrence_vectors(sentences(), VOCABULARY, 4, seed=0)
    assert np.abs(vectors[[PAD, UNSEEN]]).max() < 1e-6
    assert vectors.std() == pytest.approx(1, abs=1e-5)


def test_how_much_padding_follows_does_not_count():
    more = np.pad(sentences(), ((0, 0), (0, 20)))
    a, b = (cooccurrence_vectors(tokens, VOCABULARY, 4, seed=0) for tokens in (sentences(), more))
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_the_network_starts_from_them_only_if_asked_to():
    def network(start: str) -> Sentence:
        torch.manual_seed(0)
        return Sentence(VOCABULARY, 2, dimensions=4, widths=(1, 2), filters=3, dropout=0.0, start=start)

    random = network("random")
    before = random.embedding.weight.detach().clone()
    random.prime(sentences(), seed=0)
    assert torch.equal(random.embedding.weight, before)
    primed, again = network("company"), network("company")
    primed.prime(sentences(), seed=0)
    again.prime(sentences(), seed=0)
    assert torch.equal(primed.embedding.weight, again.embedding.weight)
    assert not torch.equal(primed.embedding.weight, before)
    assert not primed.embedding.weight[PAD].any()
    assert primed.embedding.weight.requires_grad
    with pytest.raises(ValueError, match="'random' or from 'company'"):
        network("pretrained")


def test_fewer_words_than_dimensions_leave_the_last_ones_zero():
    vectors = cooccurrence_vectors(sentences(), VOCABULARY, 20, seed=0)
    assert vectors.shape == (VOCABULARY, 20) and not vectors[:, VOCABULARY:].any()
    np.testing.assert_allclose(vectors.std(), 1, atol=1e-5)


@pytest.mark.parametrize("tokens", [np.array([[2], [3]]), np.array([[2, 0], [3, 0]])])
def test_words_that_keep_no_company_get_no_vector(tokens):
    assert not cooccurrence_vectors(tokens, 5, 4, seed=0).any()
