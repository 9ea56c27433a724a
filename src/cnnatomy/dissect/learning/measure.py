"""What a network was on its way: accuracy by class, and how far its filters and layers were from what they end as.

Kornblith, Norouzi, Lee & Hinton 2019, Similarity of neural network representations revisited; Raghu, Gilmer, Yosinski &
Sohl-Dickstein 2017, SVCCA, section 4, where layers near the input settle first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.learning.class_images import ClassImages, TooMuch, class_images
from cnnatomy.dissect.learning.settings import Settings
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.layers import CONVOLUTIONS, Layer, activated, capture, stages, trace
from cnnatomy.inspection.predicting import in_batches, logits
from cnnatomy.models.snapshots import Snapshot
from cnnatomy.statistics.numbers import Numbers

FEWEST = 4  # samples, of which likeness can be told (`_hsic`)


@dataclass(frozen=True)
class Course:
    """A layer's way to what it ends as; S looks, the last at the end.

    filters: of a convolution, how far each filter's weights are from the last ones, over their size, (S, filters); None
    of other layers. likeness: how like its maps are to the last ones (unbiased linear CKA), (networks, S).
    """

    layer: str
    filters: np.ndarray | None
    likeness: np.ndarray


@dataclass(frozen=True)
class Learning:
    """steps: taken before each look, (S,). epochs: passes over the training samples, (S,). confusion: of the first
    network, (S, classes, classes), true classes in rows. accuracy: of every network, (networks, S).
    kernels: weights of the first convolution, (S, filters, channels, *kernel). maps: of a sample at the last
    convolution, (S, maps, *shape). channels: which maps these are. sample: its place among the test samples.
    class_images: what raises each class most, or why there is none; None of texts. settled, learned: the settings.
    """

    steps: np.ndarray
    epochs: np.ndarray
    confusion: np.ndarray
    accuracy: np.ndarray
    layers: list[Course]
    first: str
    kernels: np.ndarray
    last: str
    maps: np.ndarray
    channels: np.ndarray
    sample: int
    class_images: ClassImages | TooMuch | None
    settled: float
    learned: float

    @property
    def tested(self) -> int:
        """Test samples of each look."""
        return int(self.confusion[0].sum())

    @property
    def by_class(self) -> np.ndarray:
        """F1 of each class, (S, classes); undefined for a class without any sample.

        Not the share of its samples that are right: a network that takes everything for a 0 knows no 0.
        """
        of_class, taken = self.confusion.sum(axis=2), self.confusion.sum(axis=1)
        right = 2 * self.confusion.diagonal(axis1=1, axis2=2)
        return np.divide(right, of_class + taken, out=np.full(right.shape, np.nan), where=of_class > 0)

    @property
    def class_learned(self) -> np.ndarray:
        """The look from which on each class is learned, (classes,)."""
        shares = np.nan_to_num(self.by_class)
        return since(shares >= self.learned * shares[-1])

    def filter_settled(self, course: Course) -> np.ndarray | None:
        """The look from which on each filter is what it ends as, (filters,)."""
        return None if course.filters is None else since(course.filters <= self.settled)


def measure(
    network: nn.Module, samples: Samples, settings: Settings, *, snapshots: Sequence[Sequence[Snapshot]], seed: int
) -> Learning:
    """How the network, and those of other seeds, came to what they are.

    snapshots: of each network, the first this one. Raises DoesNotApply where nothing was kept or hardly a sample has a
    label, NoConvolution for a network without one, NoLogits for a network of no classes.
    """
    labelled = np.flatnonzero(samples.labels >= 0)
    if not len(labelled):
        raise DoesNotApply(say("learning.no_label"))
    if not all(snapshots):
        raise DoesNotApply(say("learning.not_kept"))
    ways = in_step(snapshots)
    tested = labelled[evenly(len(labelled), settings.samples)]
    layers = trace(network, to_tensor(samples.facts, samples.inputs[tested[:1]]))
    convolutions = [layer for stage in stages(layers) for layer in stage]
    learnt = [
        layer for layer in layers if isinstance(layer.module, (*CONVOLUTIONS, nn.Linear)) and "#" not in layer.name
    ]
    compared = tested[evenly(len(tested), settings.compared)]
    if len(compared) < FEWEST:
        raise DoesNotApply(say("learning.too_few"))
    likeness = np.stack([_likeness(way, layers, learnt, samples, compared) for way in ways])
    confusion = [np.stack([_confusion(look.network, samples, tested) for look in way]) for way in ways]
    last = activated(layers, convolutions[-1]).name
    maps = _maps(ways[0], last, samples, int(tested[0]))
    channels = np.argsort(-maps[-1].reshape(len(maps[-1]), -1).max(axis=1), kind="stable")[: settings.maps]
    return Learning(
        steps=np.array([look.step for look in ways[0]]),
        epochs=np.array([look.epoch for look in ways[0]]),
        confusion=confusion[0],
        accuracy=np.stack([one.trace(axis1=1, axis2=2) / len(tested) for one in confusion]),
        layers=[_course(ways[0], layer, likeness[:, :, place]) for place, layer in enumerate(learnt)],
        first=convolutions[0].name,
        kernels=np.stack([_weights(look.network, convolutions[0]) for look in ways[0]]),
        last=last,
        maps=maps[:, channels],
        channels=channels,
        sample=int(tested[0]),
        class_images=class_images(ways[0], samples, tested, settings, seed),
        settled=settings.settled,
        learned=settings.learned,
    )


def in_step(snapshots: Sequence[Sequence[Snapshot]]) -> list[list[Snapshot]]:
    """The looks that all networks had after as many steps, and each one's last."""
    common = set.intersection(*({look.step for look in way[:-1]} for way in snapshots))
    return [[*(look for look in way[:-1] if look.step in common), way[-1]] for way in snapshots]


def since(holds: np.ndarray) -> np.ndarray:
    """The first row from which on it holds, (columns,); in the last row all is what it ends as."""
    held = np.vstack([holds[:-1], np.ones_like(holds[:1])])
    return np.logical_and.accumulate(held[::-1])[::-1].argmax(axis=0)


def likeness(one: Tensor, other: Tensor) -> float:
    """How like two layers' outputs for the same samples are, (samples, …) each: 1 the same but for a rotation and size.

    Linear CKA (Kornblith et al. 2019) of the unbiased estimate of HSIC (Song et al. 2012), which is about 0 for what is
    unrelated however many units there are. 0 where one says the same to every sample.
    """
    grams = [_gram(values) for values in (one, other)]
    together, first, second = _hsic(*grams), _hsic(grams[0], grams[0]), _hsic(grams[1], grams[1])
    return together / float(np.sqrt(first * second)) if first > 0 and second > 0 else 0.0


def _gram(values: Tensor) -> Tensor:
    """The products of the samples' outputs, float64 (samples, samples), without each one's own."""
    flat = values.flatten(1).double()
    flat = flat / flat.norm().clamp(min=torch.finfo(torch.float64).tiny)
    return (flat @ flat.T).fill_diagonal_(0)


def _hsic(one: Tensor, other: Tensor) -> float:
    n = len(one)
    sums = one.sum() * other.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one.sum(0) @ other.sum(0))
    return float(((one * other).sum() + sums) / (n * (n - 3)))


def _likeness(
    way: Sequence[Snapshot], layers: Sequence[Layer], learnt: Sequence[Layer], samples: Samples, places: np.ndarray
) -> np.ndarray:
    """Of each layer's outputs behind its activation to those at the end, (S, layers)."""
    names = [activated(layers, layer).name for layer in learnt]
    ends = _outputs(way[-1].network, names, samples, places)
    found = np.ones((len(way), len(learnt)))
    for row, look in enumerate(way[:-1]):
        held = _outputs(look.network, names, samples, places)
        found[row] = [likeness(held[name], ends[name]) for name in names]
    return found


def _outputs(network: nn.Module, names: Sequence[str], samples: Samples, places: np.ndarray) -> dict[str, Tensor]:
    held: dict[str, list[Tensor]] = {name: [] for name in names}
    for _, x in in_batches(samples, places):
        for name, values in capture(network, x, list(held)).items():
            held[name].append(values)
    return {name: torch.cat(parts) for name, parts in held.items()}


def _confusion(network: nn.Module, samples: Samples, places: np.ndarray) -> np.ndarray:
    said = logits(network, samples.facts, samples.inputs[places]).argmax(1).numpy()
    classes = len(samples.facts.classes)
    return np.bincount(samples.labels[places] * classes + said, minlength=classes**2).reshape(classes, classes)


def _course(way: Sequence[Snapshot], layer: Layer, likeness: np.ndarray) -> Course:
    if not isinstance(layer.module, CONVOLUTIONS):
        return Course(layer.name, None, likeness)
    weights = np.stack([_weights(look.network, layer) for look in way])
    flat = weights.reshape(*weights.shape[:2], -1)
    size = np.linalg.norm(flat[-1], axis=1)
    far = np.linalg.norm(flat - flat[-1], axis=2)
    return Course(layer.name, far / np.maximum(size, np.finfo(float).tiny), likeness)


def _weights(network: nn.Module, layer: Layer) -> np.ndarray:
    """Of a convolution, float64 (filters, channels, *kernel)."""
    return network.get_submodule(layer.name).weight.detach().double().cpu().numpy()  # type: ignore[operator]


def _maps(way: Sequence[Snapshot], layer: str, samples: Samples, place: int) -> np.ndarray:
    """Of one sample at every look, (S, filters, *shape)."""
    x = to_tensor(samples.facts, samples.inputs[place : place + 1])
    return np.stack([capture(look.network, x, [layer])[layer][0].double().numpy() for look in way])


def numbers(found: Learning, classes: Sequence[str]) -> Numbers:
    """Of every look, then of each layer, then of each class."""
    rows = Numbers()
    for look, step in enumerate(found.steps):
        with rows.about(f"step={step}"):
            rows.share("accuracy_on_the_way", int(found.confusion[look].trace()), found.tested)
    for course in found.layers:
        with rows.about(f"layer={course.layer}"):
            for look, step in enumerate(found.steps[:-1]):
                with rows.about(f"step={step}"):
                    rows.mean("likeness_to_the_end", course.likeness[:, look], between=(-1, 1))
            if (settled := found.filter_settled(course)) is not None:
                for look, step in enumerate(found.steps[:-1]):
                    with rows.about(f"step={step}"):
                        rows.share("settled_filters", int((settled <= look).sum()), len(settled))
    for place, name in enumerate(classes):
        if not np.isnan(found.by_class[-1, place]):
            with rows.about(f"class={name}"):
                if found.by_class[-1, place] > 0:  # a class that is never found is not learned at any step
                    rows.add("learned_after_steps", int(found.steps[found.class_learned[place]]))
                rows.add("f1", significant(float(found.by_class[-1, place])), unit="fraction")
    return rows
