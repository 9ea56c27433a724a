"""Maps that know the data and not the network: what a map of the network has to beat before it says anything of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, UNKNOWN, Samples
from cnnatomy.dissect.saliency.attributions import baseline_of


@dataclass(frozen=True)
class Control:
    """A map made without the network; maps: (n, *places), the larger the earlier; name: what it is of."""

    maps: Tensor
    name: str


def of_the_data(samples: Samples, training: Samples | None, places: np.ndarray) -> Control:
    """Where there is most: light in an image, loudness in a sound, the rarest words of a sentence.

    Of a signal, where it is farthest from its channels' means.

    The light is counted from the baseline that deletion puts in its place. Words are counted in the training samples,
    or in `samples` where there are none; the unknown word counts as the rarest.
    """
    facts = samples.facts
    inputs = np.asarray(samples.inputs[places])
    if facts.kind == "texts":
        source = samples if training is None else training
        counts = np.bincount(np.asarray(source.inputs).ravel(), minlength=int(inputs.max()) + 1)
        counts[[PADDING, UNKNOWN]] = 0
        return Control(torch.from_numpy(-np.log(counts[inputs] + 1.0)), "rarity_of_words")
    there = to_tensor(facts, inputs) - baseline_of(samples).x
    if facts.kind == "signals":
        return Control(there.abs().sum(1).double(), "distance_from_the_mean")
    return Control(there.sum(1).double(), "brightness" if facts.kind == "images" else "loudness")
