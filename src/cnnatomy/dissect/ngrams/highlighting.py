"""Words that speak for or against what a network predicts, and those that counting them would name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Facts, Samples
from cnnatomy.dissect.ngrams.slots import Reader, Slots, ngrams
from cnnatomy.dissect.odds import word_odds, word_scores
from cnnatomy.inspection.hooks import in_graph
from cnnatomy.inspection.layers import batch_size, evaluating


def contributions(
    network: nn.Module, readers: Sequence[Reader], slots: Mapping[str, Slots], facts: Facts, inputs: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """What each word adds to the log-odds of the predicted class, float32 (n, words), and each filter, by layer.

    A filter's part, (n, filters), is its activation times the weight that it has on this sentence: the gradient. With
    pooling over time and one dense layer that is just the dense layer's weight, on the one window that pooling picks.
    It goes to the words of the window by what each adds in its slot; where `slots` has no such sum, to all alike.
    """
    words = []
    filters: dict[str, list[Tensor]] = {reader.layer.name: [] for reader in readers}
    size = batch_size(facts.shape)
    for start in range(0, len(inputs), size):
        batch = np.asarray(inputs[start : start + size])
        held = _gradients(network, readers, facts, batch)
        weights = torch.zeros(batch.shape[0], batch.shape[1] + 1)  # the last column gathers what falls outside
        for reader in readers:
            scores, activations, by_score, by_activation = held[reader.layer.name]
            filters[reader.layer.name].append((by_activation * activations).sum(1))
            seen = ngrams(batch, reader, facts)
            found = slots.get(reader.layer.name)
            at = torch.from_numpy(np.where((reader.places >= 0) & (reader.places < batch.shape[1]), reader.places, -1))
            alike = (by_activation * activations).sum(2) / reader.width
            for slot in range(reader.width):
                part = (
                    alike if found is None else (by_score * found.adds[slot, torch.from_numpy(seen[..., slot])]).sum(2)
                )
                weights.index_add_(1, at[:, slot] % weights.shape[1], part)
        words.append(np.where(batch == PADDING, 0, weights[:, :-1].numpy()))
    return np.concatenate(words), {name: torch.cat(parts).numpy() for name, parts in filters.items()}


def _gradients(
    network: nn.Module, readers: Sequence[Reader], facts: Facts, batch: np.ndarray
) -> dict[str, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Scores and activations, and the gradients of the log-odds of the predicted class by each, (n, units, filters)."""
    names = list({layer.name for reader in readers for layer in (reader.score, reader.after)})
    with in_graph(network, names) as held, evaluating(network), torch.enable_grad():
        logits = network(to_tensor(facts, batch))
        predicted = logits.argmax(1, keepdim=True)
        others = logits.scatter(1, predicted, -torch.inf).logsumexp(1)
        odds = (logits.gather(1, predicted)[:, 0] - others).sum()
        gradients = dict(zip(names, torch.autograd.grad(odds, [held[name] for name in names]), strict=True))

    def laid(tensor: Tensor) -> Tensor:
        return tensor.detach().flatten(2).transpose(1, 2)

    return {
        reader.layer.name: (
            laid(held[reader.score.name]),
            laid(held[reader.after.name]),
            laid(gradients[reader.score.name]),
            laid(gradients[reader.after.name]),
        )
        for reader in readers
    }


def by_counting(training: Samples, inputs: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """What each word says for a class by how often it stands in training sentences of each class, (n, words).

    The log-odds of naive Bayes with one count added to each word: no look into any network. predicted: the class of
    each sentence that the words are weighed for. The unknown word says nothing.
    """
    odds = word_odds(word_scores(training))
    return odds[predicted[:, None], inputs]
