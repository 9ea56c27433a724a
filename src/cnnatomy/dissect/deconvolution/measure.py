"""Each top patch reconstructed from the activation of its filter alone, and how far that shows the filter.

All other activations of the layer are set to zero; what is left goes back through transposed filters, unpools at the
places where the maxima were, and is rectified wherever the network rectifies. The activation scales it.
Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, ECCV, section 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.deconvolution.settings import Settings
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.convolving import frozen
from cnnatomy.inspection.layers import activations, batch_size, trace
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.inspection.patches import Patch, Source, inside, sources, strongest
from cnnatomy.inspection.rectifiers import passing_back, refuse_functional
from cnnatomy.inspection.work import LARGE, effort
from cnnatomy.models.copying import copied
from cnnatomy.statistics.numbers import Numbers

SAMPLED = 8  # filters of a convolution of a network with many: each takes several backward passes
SHUFFLES, FEW_SHUFFLES = 24, 3  # networks with shuffled weights that are compared with; few of a large one
BATCH = 32  # patches reconstructed at once, at most
SAME = 0.999  # correlation above which two reconstructions are one
# Operators that bend, in torch's graph: the way back through them is not defined as it is through ReLU.
BENT = {
    *("Celu", "Elu", "Gelu", "Glu", "Hardshrink", "Hardsigmoid", "Hardswish", "LeakyRelu", "LogSigmoid", "Mish"),
    *("PreluKernel", "RreluWithNoise", "Sigmoid", "Silu", "Softmax", "Softplus", "Softshrink", "Tanh"),
}


@dataclass(frozen=True)
class Answer:
    """A patch, its reconstruction, and what is measured of it.

    whole: the reconstruction, (*shape of a sample). inside: share of its squares inside of the patch's window; None of
    one that is zero. patch_likeness, other_likeness, shuffled_likeness: its correlation inside the window with the
    patch, with what another filter makes of the same patch, and with what the same filter makes of it in each network
    with shuffled weights, (shuffles,); NaN where one of the two is constant.
    """

    patch: Patch
    whole: np.ndarray
    inside: float | None
    patch_likeness: float
    other_likeness: float
    shuffled_likeness: np.ndarray


@dataclass(frozen=True)
class Filter:
    """One filter with what it made of its patches, best first; none where it never fires.

    own: correlations between the reconstructions of different patches.
    """

    source: Source
    channel: int
    answers: list[Answer]
    own: list[float]


@dataclass(frozen=True)
class Reconstructions:
    """What filters of the convolutions that are looked at answered to, of `total` filters in all.

    shuffles: how many networks with shuffled weights were compared with.
    """

    looked_at: list[Source]
    filters: list[Filter]
    total: int
    shuffles: int

    @property
    def same_for_every_patch(self) -> bool:
        """Whether each filter gives one picture for all its patches."""
        return min((likeness for one in self.filters for likeness in one.own), default=0.0) > SAME


def measure(network: nn.Module, samples: Samples, settings: Settings, *, seed: int) -> Reconstructions:
    """The reconstructions of each filter's strongest patches, and what else gives the same.

    settings: `layers`, `patches`; see conf/dissect/deconvolution.yaml. seed: shuffles the weights of the networks that
    are compared with. Raises FunctionalReLU for a network that applies ReLU by a function, DoesNotApply for texts and
    other activations, LayerNotFound for an unknown layer or no convolution.
    """
    facts = samples.facts
    if facts.kind == "texts":
        raise DoesNotApply(say("deconvolution.no_sentences"))
    x = to_tensor(facts, samples.inputs[:1])
    logits_of(network, x)
    refuse_functional(network, x)
    looked_at, total = sources(facts, trace(network, x), settings.layers, SAMPLED)
    _refuse_bent(network, x, looked_at)
    found = strongest(network, samples, looked_at, settings.patches)
    shuffles = SHUFFLES if effort(network, x) < LARGE else FEW_SHUFFLES
    shuffled = [with_shuffled_weights(network, seed * SHUFFLES + turn) for turn in range(shuffles)]
    random = np.random.default_rng(seed)
    filters: list[Filter] = []
    for source in looked_at:
        filters += _filters(network, shuffled, samples, source, found[source.name].patches, random)
    return Reconstructions(looked_at, filters, total, shuffles)


def _refuse_bent(network: nn.Module, x: Tensor, looked_at: Sequence[Source]) -> None:
    """Raise DoesNotApply where an activation other than ReLU lies before the last layer."""
    with passing_back(network, rectified), torch.enable_grad():
        outputs = activations(network, x.clone().requires_grad_(), [source.output.name for source in looked_at])
    ahead, met = [output.grad_fn for output in outputs], set()
    while ahead:
        node = ahead.pop()
        if node is None or node in met:
            continue
        met.add(node)
        name = re.sub(r"Backward\d+$", "", node.name())  # of an operator in place the number may be another
        if name in BENT:
            raise DoesNotApply(say("deconvolution.bent", activation=name.removesuffix("Kernel")))
        ahead += [following for following, _ in node.next_functions]


def _filters(
    network: nn.Module,
    shuffled: Sequence[nn.Module],
    samples: Samples,
    source: Source,
    rows: Sequence[Sequence[Patch]],
    random: np.random.Generator,
) -> list[Filter]:
    """The filters of a convolution that are looked at. rows: of each its patches."""
    pairs = [(channel, patch) for channel, row in zip(source.filters, rows, strict=True) for patch in row]
    pairs = [(channel, patch) for channel, patch in pairs if patch.value > 0]
    channels, patches = np.array([channel for channel, _ in pairs], dtype=int), [patch for _, patch in pairs]
    back = reconstructions(network, samples, source, channels, patches)
    count = source.layer.shape[0]
    # Another filter of the layer, whichever, on the same patch; and the same filter with its weights shuffled.
    others = (channels + random.integers(1, max(2, count), len(channels))) % count
    other = reconstructions(network, samples, source, others, patches, scaled=False)
    untrained = np.zeros((len(shuffled), len(patches)))
    for turn, one in enumerate(shuffled):
        without = reconstructions(one, samples, source, channels, patches, scaled=False)
        untrained[turn] = [
            _likeness(samples.facts, patch, *pair) for patch, *pair in zip(patches, back, without, strict=True)
        ]
    filters = []
    for channel in source.filters:
        mine = np.flatnonzero(channels == channel)
        answers = [_answer(samples, patches[at], back[at], other[at], untrained[:, at]) for at in mine]
        filters.append(Filter(source, channel, answers, _own_likeness(samples.facts, answers)))
    return filters


def reconstructions(
    network: nn.Module,
    samples: Samples,
    source: Source,
    channels: Sequence[int] | np.ndarray,
    patches: Sequence[Patch],
    scaled: bool = True,
) -> np.ndarray:
    """One reconstruction for each filter and patch, float32 (patches, *shape of a sample).

    Scaled by the filter's activation there, so that one that is not above zero gives zero; or else as if it were 1.
    """
    back = np.zeros((len(patches), *samples.facts.shape), dtype=np.float32)
    size = min(BATCH, batch_size(samples.facts.shape))
    for start in range(0, len(patches), size):
        part = patches[start : start + size]
        x = to_tensor(samples.facts, samples.inputs[[patch.sample for patch in part]]).requires_grad_()
        with frozen(network), passing_back(network, rectified), torch.enable_grad():
            (maps,) = activations(network, x, [source.output.name])
            places = np.array([patch.unit for patch in part]).T
            chosen = maps[(np.arange(len(part)), np.asarray(channels[start : start + size]), *places)]
            # The way back is linear: begun with the activation instead of 1, all of it is scaled by the activation.
            begun = chosen.detach().clamp(min=0) if scaled else torch.ones_like(chosen)
            (gradient,) = torch.autograd.grad(chosen, x, begun)
        back[start : start + size] = gradient.numpy()
    return back


def rectified(gradient: Tensor, on: Tensor) -> Tensor:
    """The way back through a ReLU as ZFNet has it: what is negative stops, whichever way the units were."""
    return gradient.clamp(min=0)


def with_shuffled_weights(network: nn.Module, seed: int) -> nn.Module:
    """A copy of the network, the weights of each convolution and dense layer in another order: their spread is kept."""
    shuffled = copied(network)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in shuffled.modules():
            weight = getattr(module, "weight", None)
            if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear) and isinstance(weight, Tensor):
                order = torch.randperm(weight.numel(), generator=generator)
                weight.copy_(weight.flatten()[order].reshape(weight.shape))
    return shuffled


def _answer(samples: Samples, patch: Patch, whole: np.ndarray, other: np.ndarray, shuffled: np.ndarray) -> Answer:
    window = inside(samples.facts, patch.window)
    seen = to_tensor(samples.facts, samples.inputs[patch.sample : patch.sample + 1])[0].numpy()
    squares = whole.astype(np.float64) ** 2
    total = float(squares.sum())
    squares[window] = 0
    return Answer(
        patch,
        whole,
        1 - float(squares.sum()) / total if total else None,
        _likeness(samples.facts, patch, whole, seen),
        _likeness(samples.facts, patch, whole, other),
        shuffled,
    )


def _likeness(facts: Facts, patch: Patch, one: np.ndarray, other: np.ndarray) -> float:
    """The correlation inside the patch's window of two arrays like samples, NaN where one is constant there."""
    window = inside(facts, patch.window)
    return _correlation(one[window], other[window])


def _own_likeness(facts: Facts, answers: Sequence[Answer]) -> list[float]:
    """How alike the reconstructions of different patches are, of those whose windows lie wholly inside the sample."""
    whole = [
        answer.whole[inside(facts, answer.patch.window)]
        for answer in answers
        if all(
            (first >= 0 and last <= length) or last - first >= length
            for (first, last), length in zip(answer.patch.window, facts.shape[1:], strict=True)
        )
    ]
    pairs = [(one, other) for one, other in combinations(whole, 2) if one.shape == other.shape]
    return [found for one, other in pairs if not np.isnan(found := _correlation(one, other))]


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """NaN where one of the two is constant."""
    a, b = (values.astype(np.float64).ravel() - values.astype(np.float64).mean() for values in (one, other))
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / size) if size > 1e-20 else np.nan


def numbers(found: Reconstructions) -> Numbers:
    """Of all filters, then of each.

    Means are over filters, each the mean of its patches, which are alike, in the first layer the same; that with
    shuffled weights is over shufflings, each the mean of all filters.
    """
    rows = Numbers()
    filters = [one for one in found.filters if one.answers]
    answers = [answer for one in filters for answer in one.answers]
    by_shuffle = [
        mean_of_known([mean_of_known([answer.shuffled_likeness[turn] for answer in one.answers]) for one in filters])
        for turn in range(found.shuffles)
    ]
    for metric, values in (
        ("same_filter_other_patch", [mean_of_known(one.own) for one in filters]),
        ("same_patch_other_filter", [mean_of_known([a.other_likeness for a in one.answers]) for one in filters]),
        ("same_patch_shuffled_weights", by_shuffle),
        ("like_the_patch", [mean_of_known([a.patch_likeness for a in one.answers]) for one in filters]),
    ):
        rows.mean(metric, _known(values), between=(-1, 1))
    shares = [answer.inside for answer in answers if answer.inside is not None]
    if shares:
        rows.add("inside_the_window", min(shares), unit="fraction", n=len(shares))
    rows.add("patches", len(answers))
    for one in filters:
        with rows.about(f"layer={one.source.name};filter={one.channel}"):
            for metric, values in (
                ("like_the_patch", [answer.patch_likeness for answer in one.answers]),
                ("same_patch_shuffled_weights", [like for answer in one.answers for like in answer.shuffled_likeness]),
            ):
                if len(known := _known(values)):
                    rows.add(metric, significant(float(known.mean()), 3), n=len(known))
    return rows


def mean_of_known(values: Sequence[float] | np.ndarray) -> float:
    """The mean of those that are not NaN; NaN where there are none."""
    known = _known(values)
    return float(known.mean()) if len(known) else np.nan


def _known(values: Sequence[float] | np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    return values[~np.isnan(values)]
