"""Filters over words: which words each of their windows holds, and what every word adds in every slot of a window.

A convolution that reads word vectors is a sum over its slots: the value of an n-gram is the bias plus what each of its
words adds in its slot (Jacovi, Sar Shalom & Goldberg 2018, Understanding convolutional neural networks for text
classification, BlackboxNLP). Here that sum is not assumed of a network but measured, and checked on its own sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Facts, Samples
from cnnatomy.inspection.calls import module_of, number_of
from cnnatomy.inspection.hooks import hooked
from cnnatomy.inspection.layers import CONVOLUTIONS, Layer, activated, batch_size, capture, evaluating, stages
from cnnatomy.inspection.predicting import in_batches

AGREES = 1e-4  # of the largest value: how far the sum over slots may lie from what the network computes
ROOM = 2**26  # numbers held at once: 256 MB


@dataclass(frozen=True)
class Reader:
    """A convolution over words.

    layer: the convolution. score: the layer that gives its values before the activation; a normalisation that follows
    is part of them. after: the layer that gives its maps.
    width: slots of a window, in words. places: (units, width), the word that each slot of each unit's window sees;
    below 0 or from the sentence's length on it is nothing.
    """

    layer: Layer
    score: Layer
    after: Layer
    places: np.ndarray

    @property
    def width(self) -> int:
        return self.places.shape[1]

    @property
    def filters(self) -> int:
        return self.layer.shape[0]


@dataclass(frozen=True)
class Slots:
    """What each word adds to each filter in each slot.

    adds: float32 (slots, vocabulary + 1, filters); the last row is for what lies outside of the input. bias: of each
    filter.
    before, behind: how many slots of a window can lie before the sentence's first word; whether they can lie behind
    the input's last place.
    """

    adds: Tensor
    bias: Tensor
    before: int
    behind: bool

    def values(self, ngrams: np.ndarray) -> Tensor:
        """The values of n-grams (n, slots), (n, filters)."""
        return self.bias + sum(self.adds[slot, torch.from_numpy(ngrams[:, slot])] for slot in range(ngrams.shape[1]))

    def extreme(self, sign: int) -> tuple[np.ndarray, np.ndarray]:
        """The n-grams of highest (`sign` 1) or lowest (−1) value of all that a window can hold, and their values.

        Exact: slot by slot, the best of all words, the unknown one among them. At the sentence's ends a window may
        also hold less than its width; every such case is tried. Gives tokens (filters, slots) and (filters,).
        """
        slots, outside, filters = self.adds.shape[0], self.adds.shape[1] - 1, self.adds.shape[2]
        words = torch.arange(outside) != PADDING
        best, at = (sign * self.adds[:, :outside][:, words]).max(1)  # (slots, filters)
        at = torch.arange(outside)[words][at]
        total = torch.full((filters,), -torch.inf)
        chosen = torch.zeros((slots, filters), dtype=torch.long)
        for before, behind in product(range(min(self.before, slots - 1) + 1), range(slots)):
            if before + behind >= slots:
                continue
            for beyond in range(behind + 1) if self.behind else (0,):  # of those behind, beyond the input's end
                fill = [outside] * before + [-1] * (slots - before - behind)
                fill += [PADDING] * (behind - beyond) + [outside] * beyond
                tokens = torch.stack([at[s] if t < 0 else torch.full((filters,), t) for s, t in enumerate(fill)])
                value = sum(
                    (best[s] if t < 0 else sign * self.adds[s, t] for s, t in enumerate(fill)), sign * self.bias
                )
                chosen = torch.where(value > total, tokens, chosen)
                total = torch.maximum(value, total)
        return chosen.T.numpy(), (sign * total).numpy()


def readers(layers: Sequence[Layer], length: int) -> list[Reader]:
    """The convolutions of a text network whose windows can be followed to the words, in forward order.

    layers: as `trace` gives them, of a sentence of `length` words.
    """
    found = []
    for layer in (layer for stage in stages(layers) for layer in stage):
        field = layer.field
        units = int(np.prod(layer.shape[1:]))
        if field is None or len(field.size) != 1 or field.units[0] != units or field.size[0] > length:
            continue
        kernel, dilation = _along(layer.module, "kernel_size"), _along(layer.module, "dilation")
        reads_words = field.size[0] == (kernel - 1) * dilation + 1
        slots = np.arange(kernel) * dilation if reads_words else np.arange(field.size[0])
        places = field.start[0] + field.stride[0] * np.arange(units)[:, None] + slots
        found.append(Reader(layer, _normalised(layers, layer), activated(layers, layer), places))
    return found


def _along(module: nn.Module, key: str) -> int:
    value = getattr(module, key)
    return value[0] if isinstance(value, tuple) else value


def _normalised(layers: Sequence[Layer], layer: Layer) -> Layer:
    """The batch normalisation that reads the convolution's output, or the convolution itself."""
    norms = (nn.BatchNorm1d, nn.BatchNorm2d)
    return next((one for one in layers if isinstance(one.module, norms) and one.reads == layer.writes), layer)


def slots(network: nn.Module, reader: Reader, samples: Samples) -> Slots | None:
    """What each word adds in each slot, measured; None where the filter's value is no such sum.

    Every word of the vocabulary is sent through the network, and what the convolution reads in its place is kept.
    Then sentences of the split are sent: the sums must agree with the values that the network computes.
    """
    facts = samples.facts
    module = reader.layer.module
    if not isinstance(module, CONVOLUTIONS) or reader.width != _along(module, "kernel_size"):
        return None
    vectors = _vectors(network, reader, facts)
    if vectors is None:
        return None
    convolve: Callable[..., Tensor] = nn.functional.conv1d if vectors.dim() == 2 else nn.functional.conv2d
    scale, shift = _affine(reader)
    with torch.no_grad():
        adds = []
        for slot in range(reader.width):
            parts = []
            for part in vectors.split(max(1, ROOM // 8 // (reader.width * vectors[0].numel()))):
                window = part.new_zeros(len(part), part.shape[1], reader.width, *part.shape[2:])
                window[:, :, slot] = part
                parts.append(convolve(window, module.weight, groups=module.groups).reshape(len(part), -1))
            adds.append(scale * torch.cat(parts))
        bias = torch.zeros(reader.filters) if module.bias is None else module.bias
        found = Slots(
            torch.stack(adds),
            scale * bias + shift,
            before=max(0, -int(reader.places.min())),
            behind=bool(reader.places.max() >= facts.shape[0]),
        )
    few = np.asarray(samples.inputs[: batch_size(facts.shape)])
    values = _values(network, reader, to_tensor(facts, few))
    summed = found.values(ngrams(few, reader, facts).reshape(-1, reader.width)).reshape(values.shape)
    wrong = float((values - summed).abs().max())
    return found if wrong <= AGREES * max(1.0, float(values.abs().max())) else None


def _vectors(network: nn.Module, reader: Reader, facts: Facts) -> Tensor | None:
    """What the convolution reads for each word, and last for a place outside of the input: (vocabulary + 1, …).

    (…) is (channels,), or (channels, dimensions) for a convolution over sentences as pictures. None where its input
    is no row of words.
    """
    length, size = facts.shape[0], len(facts.vocabulary or ())
    tokens = np.arange(-(-size // length) * length)
    tokens[size:] = PADDING
    read = given(network, reader.layer.name, to_tensor(facts, tokens.reshape(-1, length).astype(np.int32)))
    # (rows, channels, places) or (rows, channels, places, dimensions), the places from the network's own padding on
    pad = reader.layer.module.padding
    padding = 0 if isinstance(pad, str) else _along(reader.layer.module, "padding")
    if pad == "same":
        padding = -int(reader.places[0, 0])
    first = -int(reader.places[0, 0]) - padding  # the place of the first word
    if first < 0 or read.dim() not in (3, 4) or read.shape[2] < first + length:
        return None
    words = read[:, :, first : first + length].transpose(1, 2).flatten(0, 1)[:size]
    outside = read[:1, :, 0] if first > 0 else torch.zeros_like(words[:1])
    return torch.cat([words, outside])


def given(network: nn.Module, name: str, x: Tensor) -> Tensor:
    """The input of the layer of this name."""
    held: list[Tensor] = []
    handle = network.get_submodule(module_of(name)).register_forward_pre_hook(
        lambda module, inputs: held.append(inputs[0].detach().clone())
    )
    with hooked([handle]), evaluating(network), torch.no_grad():
        network(x)
    return held[number_of(name) - 1]


def _affine(reader: Reader) -> tuple[Tensor, Tensor]:
    """What the batch normalisation behind the convolution multiplies with and adds, a filter each."""
    norm: Any = reader.score.module
    if reader.score is reader.layer or norm.running_mean is None:
        return torch.ones(reader.filters), torch.zeros(reader.filters)
    scale = (norm.running_var + norm.eps).rsqrt() * (1 if norm.weight is None else norm.weight.detach())
    return scale, (0 if norm.bias is None else norm.bias.detach()) - norm.running_mean * scale


def _values(network: nn.Module, reader: Reader, x: Tensor) -> Tensor:
    """The filters' values before the activation, (n, units, filters)."""
    held = capture(network, x, [reader.score.name])[reader.score.name]
    return held.flatten(2).transpose(1, 2)


def ngrams(inputs: np.ndarray, reader: Reader, facts: Facts) -> np.ndarray:
    """The tokens that each window sees, int64 (n, units, slots); outside of the input stands the vocabulary's size."""
    outside = len(facts.vocabulary or ())
    length = inputs.shape[1]
    inside = (reader.places >= 0) & (reader.places < length)
    return np.where(inside, inputs[:, np.clip(reader.places, 0, length - 1)], outside).astype(np.int64)


@dataclass(frozen=True)
class Windows:
    """The distinct n-grams of some sentences.

    ngrams: (distinct, slots). values: float32 (distinct, filters), before the activation. which: (windows,) the
    n-gram of each window. sentence: (windows,) the sentence that each is of. peaks: (sentences, filters), the
    greatest value in each sentence.
    """

    ngrams: np.ndarray
    values: np.ndarray
    which: np.ndarray
    sentence: np.ndarray
    peaks: np.ndarray


def windows(network: nn.Module, reader: Reader, samples: Samples, limit: int) -> Windows:
    """Every window that holds at least one word of the first `limit` sentences, and of fewer where room is short."""
    facts = samples.facts
    limit = min(limit, len(samples), max(100, ROOM // (len(reader.places) * reader.filters)))
    outside = len(facts.vocabulary or ())
    grams, values, sentence = [], [], []
    peaks = np.zeros((limit, reader.filters), dtype=np.float32)
    for batch, x in in_batches(samples, np.arange(limit)):
        seen = ngrams(samples.inputs[batch], reader, facts)
        found = _values(network, reader, x).numpy()
        holds = ((seen != PADDING) & (seen != outside)).any(axis=2)
        peaks[batch] = np.where(holds[..., None], found, -np.inf).max(axis=1)
        grams.append(seen[holds])
        values.append(found[holds])
        sentence.append(batch[np.nonzero(holds)[0]])
    whole = np.concatenate(grams)
    first, which = _distinct(whole, outside + 1)
    return Windows(
        whole[first],
        np.concatenate(values)[first],
        which,
        np.concatenate(sentence),
        np.where(np.isfinite(peaks), peaks, 0),  # a sentence without any word
    )


def _distinct(rows: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each distinct row of whole numbers below `size` comes first, and which one each row is."""
    key = rows[:, 0]
    for column in rows.T[1:]:
        _, key = np.unique(key, return_inverse=True)  # small again, so that the product never overflows
        key = key * size + column
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    return first, which
