"""One filter sliding along two sentences, a short and a long one, to one number each: what is needed to draw it.

Kim 2014, Convolutional neural networks for sentence classification, EMNLP, figure 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Samples
from cnnatomy.dissect.ngrams.slots import AGREES, Reader, given
from cnnatomy.inspection.layers import Layer, capture


@dataclass(frozen=True)
class Slide:
    """A filter along one sentence.

    place: of the sentence in the split. words: how many it has. vectors: what the convolution reads, (places,
    dimensions), the padding before and behind the sentence included; first: the place of its first word there.
    values: of the filter, by hand, after its activation, one a window that holds a word; starts: the window's first
    place, in words, below 0 before the sentence. by_network: the same from the network. vector: what pooling leaves of
    all filters of each width, (widths, filters).
    """

    place: int
    words: int
    vectors: np.ndarray
    first: int
    values: np.ndarray
    starts: np.ndarray
    by_network: np.ndarray
    vector: list[np.ndarray]

    @property
    def best(self) -> int:
        """The window that pooling keeps."""
        return int(self.values.argmax())


@dataclass(frozen=True)
class Slides:
    """layer, channel: the filter. width: in words. row: its layer's row of the vector. each: the shorter one first."""

    layer: str
    channel: int
    width: int
    row: int
    each: list[Slide]

    @property
    def difference(self) -> float:
        """How far a value by hand is from the network's, at most."""
        return max(float(np.abs(one.values - one.by_network).max()) for one in self.each)


def slide(
    network: nn.Module, layers: Sequence[Layer], readers: Sequence[Reader], samples: Samples, places: Sequence[int]
) -> Slides | None:
    """The filter of the widest layer that fires for both the shortest and the longest of these sentences.

    None where there are no two sentences of different length, where the convolution reads no row of word vectors, where
    something lies between it and its activation, where no layer is the maximum of its map over time, or none fires.
    """
    lengths = {place: int((samples.inputs[place] != PADDING).sum()) for place in places}
    ends = sorted({place for place in lengths if lengths[place]}, key=lambda place: lengths[place])
    if len(ends) < 2 or lengths[ends[0]] == lengths[ends[-1]]:
        return None
    pair = [ends[0], ends[-1]]
    fitting = [one for one in readers if _plain(one)]
    x = to_tensor(samples.facts, samples.inputs[np.array(pair)])
    pooled = [_pooled(network, layers, one, x) for one in fitting]
    if not fitting or any(one is None for one in pooled):
        return None
    vectors = [one for one in pooled if one is not None]
    row = max(range(len(fitting)), key=lambda at: fitting[at].width)
    reader, channel = fitting[row], int(vectors[row].min(axis=0).argmax())
    if vectors[row][:, channel].min() <= 0:
        return None
    each = []
    for at, place in enumerate(pair):
        one = _along(network, reader, channel, x[at : at + 1], lengths[place])
        if one is None:
            return None
        each.append(Slide(place, lengths[place], *one, [vector[at] for vector in vectors]))
    return Slides(reader.layer.name, channel, reader.width, row, each)


def _plain(reader: Reader) -> bool:
    """Whether it is a convolution over vectors with an activation right behind it."""
    module = reader.layer.module
    plain = isinstance(module, nn.Conv1d) and module.groups == 1 and module.dilation == module.stride == (1,)
    return plain and reader.score is reader.layer and isinstance(reader.after.module, nn.ReLU)


def _pooled(network: nn.Module, layers: Sequence[Layer], reader: Reader, x: Tensor) -> np.ndarray | None:
    """What a layer leaves of the maps that is their maximum over the windows with a word, (sentences, filters)."""
    alike = [one.name for one in layers if int(np.prod(one.shape)) == reader.filters and one.shape[0] == reader.filters]
    held = capture(network, x, [reader.after.name, *alike])
    words = (x != PADDING).numpy()
    inside = (reader.places >= 0) & (reader.places < words.shape[1])
    heard = (inside & words[:, np.clip(reader.places, 0, words.shape[1] - 1)]).any(axis=2)  # (sentences, windows)
    most = np.where(heard[:, None], held[reader.after.name].numpy(), 0).max(axis=2)
    for name in alike:
        if np.abs(held[name].flatten(1).numpy() - most).max() <= AGREES * max(1.0, float(np.abs(most).max())):
            return most
    return None


def _along(
    network: nn.Module, reader: Reader, channel: int, x: Tensor, words: int
) -> tuple[np.ndarray, int, np.ndarray, np.ndarray, np.ndarray] | None:
    """Vectors, the first word's place, values by hand, where windows start, and the network's values."""
    module = reader.layer.module
    read = given(network, reader.layer.name, x)  # (1, dimensions, places)
    first = -int(reader.places[0, 0])
    if read.dim() != 3 or read.shape[2] < first + words or len(reader.places) + reader.width - 1 != read.shape[2]:
        return None  # it pads by itself
    assert isinstance(module, nn.Conv1d)  # `_plain` has said so
    vectors = read[0].T.numpy()
    starts = reader.places[:, 0]
    kept = np.flatnonzero((starts + reader.width > 0) & (starts < words))
    kernel = module.weight[channel].detach().numpy()
    bias = 0.0 if module.bias is None else float(module.bias[channel].detach())
    by_hand = [max(0.0, float((vectors[at : at + reader.width] * kernel.T).sum()) + bias) for at in kept]
    with torch.no_grad():
        theirs = capture(network, x, [reader.after.name])[reader.after.name][0, channel].numpy()
    last = min(len(vectors), first + words + reader.width - 1)
    begin = max(0, first - reader.width + 1)
    return vectors[begin:last], first - begin, np.array(by_hand), starts[kept], theirs[kept]
