"""Does a map depend on what the network has learned? The randomisation test of Adebayo et al. (2018).

The numbers of each layer are shuffled, from the last layer down to the first, and the maps are made again. A map that
stays as it was shows the picture and not the network. Shuffling keeps how large a layer's numbers are, so that the
shuffled network is alive; its normalisations are measured anew.

The verdict looks at the two ends: with the last layer shuffled nothing in the network tells the classes apart, and
with all layers shuffled nothing is left of what was learned. A method fails if at either end its maps keep a rank
correlation above `LIMIT` with those of the trained network, on average over samples and shufflings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Samples
from cnnatomy.dissect.saliency.attributions import Maps
from cnnatomy.dissect.saliency.maps import counting, rank_correlations
from cnnatomy.exhibit import Number, say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.calls import module_of
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.layers import evaluating, trace
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.inspection.work import LARGE, effort
from cnnatomy.models.copying import copied
from cnnatomy.statistics.intervals import crossed

SAMPLES = 4  # of the test split, evenly spread
# Halfway between maps that have nothing in common and maps in the same order. On the four networks of the report the
# gradient, integrated gradients, occlusion and Grad-CAM stay below 0.4, guided backpropagation above 0.55.
LIMIT = 0.5
# Maps differ more between shufflings than between samples: three of two dozen samples left the mean unknown by 0.7.
SHUFFLES = 6  # of the whole network, one for a large one
FEW = 3  # shufflings, or samples: fewer say next to nothing of others
WORDS = 5  # a sentence needs so many for a rank correlation to say anything


@dataclass(frozen=True)
class Verdict:
    """How alike a method's maps are before and after layers are shuffled.

    shuffled: how many layers, from the last down, at each step; the first step is the last layer, the last step all.
    repeats: rank correlation of the maps, (shufflings, steps, samples).
    """

    shuffled: list[int]
    repeats: np.ndarray

    @property
    def similarity(self) -> np.ndarray:
        """The mean over shufflings, (steps, samples)."""
        return self.repeats.mean(axis=0)

    @property
    def _end(self) -> int:
        """The end at which the maps changed least, as a step."""
        means = self.similarity.mean(axis=1)
        return 0 if means[0] >= means[-1] else -1

    @property
    def worst(self) -> np.ndarray:
        """The similarities, (samples,), at the end at which the maps changed least."""
        return self.similarity[self._end]

    @property
    def fails(self) -> bool:
        return float(self.worst.mean()) > LIMIT

    def number(self, method: str) -> Number:
        """The similarity that the verdict goes by; its interval is over shufflings and samples, of three each at least.

        What one shuffling did to the network it did for all samples, so that many samples don't make up for few
        shufflings: n says how many there were of these.
        """
        return self._at(self._end, "similarity_when_shuffled", f"method={method}")

    def depths(self, method: str) -> list[Number]:
        """The similarity at each step, with the same interval."""
        return [
            self._at(step, "similarity", f"method={method};shuffled={depth}")
            for step, depth in enumerate(self.shuffled)
        ]

    def _at(self, step: int, metric: str, subject: str) -> Number:
        found = self.repeats[:, step]
        number = Number(metric, float(found.mean()), n=len(found), subject=subject)
        if min(found.shape) < FEW:
            return number
        low, high = crossed(found)
        return replace(number, ci_low=max(-1.0, low), ci_high=min(1.0, high))


def randomised(
    network: nn.Module, samples: Samples, methods: Mapping[str, Maps], seed: int, cuts: int = 2
) -> dict[str, Verdict]:
    """The randomisation test of each method, always on the same samples and the same shuffled networks.

    `cuts` is at how many depths the maps are compared; the two ends, by which the verdict goes, are always among them.
    The class whose map is made is the one that the network reads before it is shuffled.
    """
    if next(network.parameters(), None) is None:
        raise DoesNotApply(say("saliency.no_weights"))
    places = looked_at(samples)
    x = to_tensor(samples.facts, samples.inputs[places])
    target = logits_of(network, x).argmax(1)
    valid = counting(samples, places)
    before = {name: maps(network, x, target) for name, maps in methods.items()}
    order = parametrised(network, x[:1])
    steps = [int(cut) for cut in np.unique(np.rint(np.linspace(1, len(order), min(cuts, len(order)))))]
    shuffles = SHUFFLES if effort(network, x[:1]) < LARGE else 1
    found = {name: np.zeros((shuffles, len(steps), len(x))) for name in methods}
    for repeat in range(shuffles):
        shuffled, done = copied(network), 0
        generator = torch.Generator().manual_seed(seed * SHUFFLES + repeat)
        for row, step in enumerate(steps):
            shuffle(shuffled, order[done:step], generator)
            remeasure(shuffled, order[:step], x)
            done = step
            for name, maps in methods.items():
                found[name][repeat, row] = rank_correlations(before[name], maps(shuffled, x, target), valid)
    return {name: Verdict(steps, rows) for name, rows in found.items()}


def parametrised(network: nn.Module, x: Tensor) -> list[str]:
    """Names of the modules that have parameters of their own, the last of the forward pass first."""
    modules = dict(network.named_modules())
    weighted = [name for name, module in modules.items() if next(module.parameters(recurse=False), None) is not None]
    first: dict[str, None] = {}
    for call in trace(network, x):
        name = module_of(call.name)
        # Parts that are not called themselves, as what an attention projects with, go with what they are a part of.
        first |= dict.fromkeys(one for one in weighted if one == name or one.startswith(f"{name}."))
    own = [""] if "" in weighted else []
    return list(first)[::-1] + own or weighted[::-1]


def shuffle(network: nn.Module, names: Sequence[str], generator: torch.Generator) -> None:
    """Shuffle the numbers of each parameter of these modules; a word vector of padding stays where it is."""
    modules = dict(network.named_modules())
    with torch.no_grad():
        for name in names:
            module = modules[name]
            for parameter in module.parameters(recurse=False):
                kept = module.padding_idx if isinstance(module, nn.Embedding) else None
                rows = [row for row in range(len(parameter)) if row != kept] if kept is not None else slice(None)
                values = parameter[rows]
                order = torch.randperm(values.numel(), generator=generator)
                parameter[rows] = values.flatten()[order].reshape(values.shape)


def remeasure(network: nn.Module, names: Sequence[str], x: Tensor) -> None:
    """Give the batch normalisations among these modules the means and variances that they now meet on `x`."""
    modules = dict(network.named_modules())
    norms = [m for m in (modules[name] for name in names) if isinstance(m, _BatchNorm) and m.track_running_stats]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    with evaluating(network), torch.no_grad():
        for norm in norms:
            norm.train()
            norm.momentum = 1.0
        network(x)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def looked_at(samples: Samples) -> np.ndarray:
    """Places of the samples that the test is made on: evenly spread, of texts only sentences long enough."""
    pool = np.arange(len(samples))
    if samples.facts.kind == "texts":
        long = np.flatnonzero((np.asarray(samples.inputs) != PADDING).sum(axis=1) >= WORDS)
        pool = long if len(long) else pool
    return pool[evenly(len(pool), min(len(pool), SAMPLES))]
