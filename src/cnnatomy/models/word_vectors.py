"""Word vectors from the company that words keep, learnt from the training sentences alone and without their labels."""

from __future__ import annotations

import numpy as np

WINDOW = 5  # words to either side that count as company; nearer ones count more


def cooccurrence_vectors(tokens: np.ndarray, vocabulary: int, dimensions: int, seed: int) -> np.ndarray:
    """One vector a word, float32 (vocabulary, dimensions), of mean 0 and standard deviation 1 over all numbers.

    tokens: int (sentences, words), 0 for padding. The matrix of positive pointwise mutual information of words at most
    five apart (weighted by 1/distance, contexts smoothed by the power 0.75) is cut down to its largest singular
    directions, each scaled by the root of its value. A word without company gets zeros, and where there are fewer words
    than dimensions, all have zeros at the end.

    Levy, Goldberg & Dagan (2015), Improving distributional similarity with lessons learned from word embeddings,
    TACL 3.
    """
    from scipy.sparse import coo_matrix
    from sklearn.utils.extmath import randomized_svd

    pairs = [(tokens[:, :-k].ravel(), tokens[:, k:].ravel(), 1 / k) for k in range(1, min(WINDOW + 1, tokens.shape[1]))]
    if not pairs:  # sentences of one word
        return np.zeros((vocabulary, dimensions), np.float32)
    left, right = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    weight = np.concatenate([np.full(len(pair[0]), pair[2]) for pair in pairs])
    both = (left != 0) & (right != 0)
    counts = coo_matrix((weight[both], (left[both], right[both])), shape=(vocabulary, vocabulary)).tocsr()
    counts = (counts + counts.T).tocoo()
    words = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1e-9)
    contexts = words**0.75
    information = np.log(counts.data * contexts.sum() / (words[counts.row] * contexts[counts.col]))
    kept = information > 0
    matrix = coo_matrix((information[kept], (counts.row[kept], counts.col[kept])), shape=counts.shape).tocsr()
    if not matrix.nnz:
        return np.zeros((vocabulary, dimensions), np.float32)
    directions, values, _ = randomized_svd(matrix, min(dimensions, vocabulary), random_state=seed)
    vectors = np.pad(directions * np.sqrt(values), ((0, 0), (0, max(0, dimensions - vocabulary))))
    return (vectors / vectors.std()).astype(np.float32)
