"""How much each place of a sample counts for the output of a class: four ways to say it, for any kind of sample.

Every method gives one number with a sign for each place: (n, rows, columns) for images and spectrograms, summed over
colours; (n, words) for texts; (n, steps) for signals, summed over channels. Gradients say what a little more light
there would do; of a word, whose vector has no brighter or darker, the gradient is multiplied by the vector: what the
word itself does, to first order. Integrated gradients and occlusion say what the place contributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Samples
from cnnatomy.dissect.saliency.path import Along, Mean, mean_gradient
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.choosing import nearest
from cnnatomy.inspection.convolving import frozen, laid_out
from cnnatomy.inspection.hooks import hooked
from cnnatomy.inspection.layers import batch_size, evaluating
from cnnatomy.inspection.rectifiers import guided, passing_back, rectifiers, refuse_functional
from cnnatomy.inspection.work import LARGE, affordable, effort

Maps = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""From a network, a batch (n, *shape) and each sample's class (n,), one number for each place."""

NAMES = ("gradients", "integrated_gradients", "occlusion", "guided_backpropagation")
TOLERANCE = 5e-4  # of the largest cell: the error of integrated gradients, as it is estimated
#: The same where only ranks are compared, with those of shuffled copies: it moves their mean by 0.002 at most.
RANKED = 5e-3
#: Effort for the integrated gradients of a sample, as far as they need it: of a small network, of one up to `LARGE`.
SMALL, PATH, SHORTER = 3e6, 4e9, 1e9
WAY = 8e9  # effort for those of all samples together, where there are few or the network is a large one
FEWEST, MOST = 9, 4096  # places on the line that are asked
WINDOWS = 8  # windows of occlusion along the longer side, when they lie edge to edge


@dataclass(frozen=True)
class Baseline:
    """What stands for nothing: "black", the "floor" of a spectrogram, "padding", the "mean" of each channel.

    x: (1, *shape), as a network sees it. level: of the floor, in dB.
    """

    x: Tensor
    name: str
    level: float = 0.0


def baseline_of(samples: Samples) -> Baseline:
    """Nothing, for this kind of samples: black, the quietest value of the split, padding, each channel's mean."""
    facts = samples.facts
    if facts.kind == "texts":
        return Baseline(torch.full((1, *facts.shape), PADDING), "padding")
    if facts.kind == "signals":
        mean = np.zeros(facts.shape[0]) if facts.normalise is None else facts.normalise.mean
        empty = np.broadcast_to(np.reshape(mean, (1, -1, 1)), (1, *facts.shape)).astype(samples.inputs.dtype)
        return Baseline(to_tensor(facts, empty), "mean")
    level = 0.0 if facts.kind == "images" else float(samples.inputs.min())
    empty = np.full((1, *facts.shape), level).astype(samples.inputs.dtype)
    return Baseline(to_tensor(facts, empty), "black" if facts.kind == "images" else "floor", level)


def methods(network: nn.Module, samples: Samples, names: tuple[str, ...] | list[str] | None) -> dict[str, Maps]:
    """The methods of these names, ready for this network and for copies of it; None: all that can be had.

    Of copies, which the randomisation test shuffles, maps are as near as their ranks need.

    What a method gave for this network is remembered until it is asked about other samples.
    Raises ValueError for an unknown name, and FunctionalReLU or DoesNotApply where guided backpropagation is asked
    for by name and can't be had.
    """
    for name in names or ():
        if name not in NAMES:
            raise ValueError(f"methods: there is no attribution {name!r}. {nearest(name, NAMES)}")
    x = to_tensor(samples.facts, samples.inputs[:1])
    baseline = baseline_of(samples)
    wanted = [name for name in NAMES if name in (names or NAMES)]
    if "guided_backpropagation" in wanted and (why := without_guided(network, x)):
        if names:
            raise why
        wanted.remove("guided_backpropagation")
    small = effort(network, x) < LARGE  # overlapping windows cost four times as much
    table: dict[str, Maps] = {
        "gradients": gradients,
        "integrated_gradients": lambda net, x, target: integrated(
            net, x, target, baseline, TOLERANCE if net is network else RANKED
        )[0],
        "occlusion": lambda net, x, target: occlusion(net, x, target, baseline, small),
        "guided_backpropagation": guided_backpropagation,
    }
    return {name: remembered(table[name], network) for name in wanted}


def attributed(
    table: Mapping[str, Maps], network: nn.Module, x: Tensor, target: Tensor, baseline: Baseline
) -> tuple[dict[str, Tensor], list[Mean]]:
    """Each method's maps, (n, *places), and how integrated gradients, if among them, were found, a sample each."""
    maps: dict[str, Tensor] = {}
    means: list[Mean] = []
    for name, method in table.items():
        if name == "integrated_gradients":
            maps[name], means = integrated(network, x, target, baseline)
        else:
            maps[name] = method(network, x, target)
    return maps, means


def remembered(maps: Maps, network: nn.Module) -> Maps:
    """The maps, which are not made again for this network when they are asked for with the samples of the last time."""
    kept: list[tuple[Tensor, Tensor, Tensor]] = []

    def asked(net: nn.Module, x: Tensor, target: Tensor) -> Tensor:
        if net is not network:
            return maps(net, x, target).detach()  # a network may take gradients of its own
        if not kept or not torch.equal(kept[0][0], x) or not torch.equal(kept[0][1], target):
            kept[:] = [(x, target, maps(net, x, target).detach())]
        return kept[0][2]

    return asked


def without_guided(network: nn.Module, x: Tensor) -> DoesNotApply | None:
    """Why guided backpropagation can't be had of this network, or None."""
    try:
        refuse_functional(network, x)
    except DoesNotApply as error:
        return error
    if not rectifiers(network):
        return DoesNotApply(say("saliency.no_relu"))
    return None


def gradients(network: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """How fast the output of the class changes with each place (Simonyan et al. 2014)."""
    return _at_places(network, x, _gradient(network, x, target))


def guided_backpropagation(network: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """The gradient with negative parts cut off at every ReLU on the way back (Springenberg et al. 2015)."""
    with passing_back(network, guided):
        return _at_places(network, x, _gradient(network, x, target))


def occlusion(network: nn.Module, x: Tensor, target: Tensor, baseline: Baseline, overlap: bool = True) -> Tensor:
    """By how much the output falls when a window is covered by the baseline (Zeiler & Fergus 2014).

    Each place gets the mean of all windows that cover it; `overlap` moves them by half their size. Of a text, each
    word is covered by itself.
    """
    places = x.shape[1:] if x.dim() == 2 else x.shape[2:]
    before = _outputs(network, x, target)
    total, covers = torch.zeros(len(x), *places), torch.zeros(places)
    for window in windows(tuple(places), single=x.dim() == 2, overlap=overlap):
        where: Any = (..., *window)
        covers[where] += 1
        # Most windows of a digit are black as they are: covering them changes nothing.
        changed = (x[where] != baseline.x[where]).flatten(1).any(1)
        if bool(changed.any()):
            covered = x[changed]
            covered[where] = baseline.x[where].to(x.dtype)
            fall = before[changed] - _outputs(network, covered, target[changed])
            part = total[changed]
            part[where] += fall.reshape(-1, *[1] * len(places))
            total[changed] = part
    return total / covers.clamp(min=1)


def windows(places: tuple[int, ...], single: bool, overlap: bool) -> Iterator[tuple[slice, ...]]:
    """The windows that occlusion covers, one after the other: squares of an eighth of the longer side, or one word."""
    size = 1 if single else max(1, -(-max(places) // WINDOWS))
    step = max(1, size // 2) if overlap else size
    firsts = [sorted({min(first, max(0, n - size)) for first in range(0, n - size + step, step)}) for n in places]
    for corner in np.ndindex(*(len(axis) for axis in firsts)):
        yield tuple(
            slice(axis[at], min(axis[at] + size, n)) for axis, at, n in zip(firsts, corner, places, strict=True)
        )


def integrated(
    network: nn.Module, x: Tensor, target: Tensor, baseline: Baseline, tolerance: float = TOLERANCE
) -> tuple[Tensor, list[Mean]]:
    """Integrated gradients (Sundararajan et al. 2017), (n, *places), and how each sample's were found, see `path`.

    Each cell is within `tolerance` of the largest, as far as that can be estimated, where the network is small; a large
    one is asked at as many places as can be afforded, and the estimate says what that is worth.
    """
    each = effort(network, x[:1])
    needed = PATH if each < SMALL else SHORTER if each < LARGE else 0.0
    points = affordable(max(needed, WAY / len(x)), each, FEWEST, MOST)
    size = min(32, batch_size(x.shape[1:]))
    with evaluating(network):
        found = [
            mean_gradient(_line(network, x[i : i + 1], int(target[i]), baseline), tolerance, points, size)
            for i in range(len(x))
        ]
    return torch.stack([mean.contributions for mean in found]), found


def entrance(network: nn.Module, tokens: Tensor) -> nn.Embedding:
    """The nn.Embedding that turns tokens, (n, words), into word vectors. Raises DoesNotApply if there is none."""
    seen: list[nn.Embedding] = []

    def hook(module: nn.Embedding, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if inputs and inputs[0].shape == tokens.shape and torch.equal(inputs[0], tokens):
            seen.append(module)

    handles = [m.register_forward_hook(hook) for m in network.modules() if isinstance(m, nn.Embedding)]
    with hooked(handles), evaluating(network), torch.no_grad():
        network(tokens)
    if not seen:
        raise DoesNotApply(say("saliency.no_embedding"))
    return seen[0]


def _gradient(network: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """The gradient of each sample's class with respect to the input, or to its word vectors, in batches."""
    parts = []
    embedding = None if x.is_floating_point() else entrance(network, x[:1])
    size = min(64, batch_size(x.shape[1:]))
    for first in range(0, len(x), size):
        part = x[first : first + size]
        entered = part if embedding is None else embedding(part)
        parts.append(_outputs_and_gradient(network, part, entered, target[first : first + size], embedding)[1])
    return torch.cat(parts)


def _outputs_and_gradient(
    network: nn.Module, x: Tensor, entered: Tensor, target: Tensor, embedding: nn.Embedding | None
) -> tuple[Tensor, Tensor]:
    """The output of each sample's class, (n,), and its gradient where the sample, or its word vectors, enter."""
    with frozen(network), torch.enable_grad():
        entered = entered.detach().clone().requires_grad_()
        outputs = _run(network, x, entered, embedding).gather(1, target[:, None])[:, 0]
        (gradient,) = torch.autograd.grad(outputs.sum(), entered)
    return outputs.detach(), gradient


def _run(network: nn.Module, x: Tensor, entered: Tensor, embedding: nn.Embedding | None) -> Tensor:
    if embedding is None:
        # Of its own, for a first layer that works in place may not change a leaf.
        return network(laid_out(network, entered.clone()))
    # Whatever the words are, the embedding gives these vectors.
    with hooked([embedding.register_forward_hook(lambda module, inputs, output: entered)]):
        return network(x)


def _line(network: nn.Module, x: Tensor, target: int, baseline: Baseline) -> Along:
    """The outputs of one class and the gradients on the straight line from the baseline to a sample, (1, *shape)."""
    embedding = None if x.is_floating_point() else entrance(network, x)
    with torch.no_grad():
        end = x if embedding is None else embedding(x)
        begin = (baseline.x if embedding is None else embedding(baseline.x)).to(end.dtype).expand_as(end)
    direction = end - begin

    def along(places: Tensor) -> tuple[Tensor, Tensor]:
        n = len(places)
        entered = begin + places.to(end.dtype).reshape(-1, *[1] * (direction.dim() - 1)) * direction
        repeated, wanted = x.expand(n, *x.shape[1:]), torch.full((n,), target)
        outputs, gradient = _outputs_and_gradient(network, repeated, entered, wanted, embedding)
        return outputs.double(), _summed(x, gradient.double() * direction)

    return along


def _outputs(network: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """The output of each sample's class, (n,), in batches."""
    size = batch_size(x.shape[1:])
    with evaluating(network), torch.no_grad():
        parts = [network(laid_out(network, x[first : first + size])) for first in range(0, len(x), size)]
    return torch.cat(parts).gather(1, target[:, None])[:, 0]


def _at_places(network: nn.Module, x: Tensor, gradient: Tensor) -> Tensor:
    if not x.is_floating_point():
        with torch.no_grad():
            gradient = gradient * entrance(network, x[:1])(x)
    return _summed(x, gradient)


def _summed(x: Tensor, contributions: Tensor) -> Tensor:
    return contributions.sum(dim=1 if x.is_floating_point() else -1)
