"""How much of another sample's style a sample can be given, and what that costs of its content.

Gatys, Ecker & Bethge 2016, Image style transfer using convolutional neural networks, CVPR.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.changed.inputs import Limits, blurred, box, resized
from cnnatomy.dissect.changed.measuring import Read, moved, pictures_only, read, some_layer
from cnnatomy.dissect.style.settings import Settings
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.choosing import WrongSetting, chosen_samples
from cnnatomy.inspection.convolving import frozen
from cnnatomy.inspection.depths import at_depths, before_activation
from cnnatomy.inspection.layers import activations, trace
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.statistics.numbers import Numbers

NOTHING = 1e-12  # no sum of squares is taken for smaller, so that a share of it can be told
HISTORY = 20  # earlier gradients that L-BFGS remembers


@dataclass(frozen=True)
class Original:
    """One of the two samples: its place in the split, what it is read as, and (1, channels, rows, columns)."""

    place: int
    id: str
    picture: Tensor
    read: Read


@dataclass(frozen=True)
class Blend:
    """One sample's content in another one's style.

    history: (steps, 2), content and style loss of the best picture so far. style_of_content: style loss of the content
    picture itself, with which it begins; content_of_style: content loss of the style picture itself.
    moved: root mean square change from the content picture, as a share of the whole range.
    """

    weight: float
    picture: Tensor
    history: np.ndarray
    style_of_content: float
    content_of_style: float
    moved: float

    @property
    def style_left(self) -> float:
        """The share of the style loss that is left."""
        return float(self.history[-1, 1] / max(self.style_of_content, NOTHING))

    @property
    def content_lost(self) -> float:
        """The content loss, as a share of what the other sample's own would be."""
        return float(self.history[-1, 0] / max(self.content_of_style, NOTHING))


@dataclass(frozen=True)
class Blended:
    """The content of one sample in the style of the other, for each weight of the content, and what each is read as."""

    content: Original
    style: Original
    blends: list[Blend]
    reads: list[Read]


@dataclass(frozen=True)
class Styles:
    """Two samples blended both ways round. content, style: the names of the layers that these are taken from."""

    content: str
    style: tuple[str, ...]
    originals: tuple[Original, Original]
    ways: list[Blended]


@dataclass(frozen=True)
class Matching:
    """The two losses of a network: names of the layer of the content and of those of the style."""

    network: nn.Module
    content: str
    style: tuple[str, ...]

    def held(self, x: Tensor) -> dict[str, Tensor]:
        """What the layers hold for one input."""
        names = list(dict.fromkeys((self.content, *self.style)))
        return dict(zip(names, activations(self.network, x, names), strict=True))

    def grams(self, held: Mapping[str, Tensor]) -> list[Tensor]:
        """The Gram matrix of each layer of the style."""
        return [gram(held[name]) for name in self.style]

    def losses(self, x: Tensor, content: Tensor, grams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Content loss and style loss of an input: squared distances as shares of the squares of what is wanted.

        The style loss is the mean over its layers.
        """
        held = self.held(x)
        apart = [_apart(found, wanted) for found, wanted in zip(self.grams(held), grams, strict=True)]
        return _apart(held[self.content], content), torch.stack(apart).mean()


@dataclass(frozen=True)
class Way:
    """How a picture is changed: within which limits, by how many evaluations, and smoothed by how many pixels."""

    limits: Limits
    steps: int
    blur: float


def measure(network: nn.Module, samples: Samples, settings: Settings, *, prepare: Mapping[str, Any]) -> Styles:
    """Match one sample's activations in a layer and another one's Gram matrices in several, by L-BFGS.

    Both ways round, for several weights of the content, measured against the two samples themselves. Nothing here is
    drawn at random.

    settings: see conf/dissect/style.yaml. Raises DoesNotApply for texts, for signals and for a single sample,
    LayerNotFound for an unknown layer, WrongSetting for a sample that there isn't, and NoLogits for a network without
    class outputs.
    """
    facts = samples.facts
    pictures_only(facts, say("style.no_signals"))
    if len(samples) < 2:
        raise DoesNotApply(say("style.no_other"))
    some_layer(settings.style_layers, settings.style_depths, ("style_layers", "style_depths"))
    (first,) = chosen_samples(samples, settings.content, None)[:1]
    x = to_tensor(facts, samples.inputs[first : first + 1])
    logits_of(network, x, len(facts.classes))
    matching = _matching(network, x, settings)
    limits = box(facts, prepare)
    originals = []
    for place in (first, _other(samples, first, matching, settings)):
        picture = _smaller(to_tensor(facts, samples.inputs[place : place + 1]), settings.size).clamp(*limits)
        originals.append(Original(place, str(samples.table["id"][place]), picture, _read(network, picture, facts)))
    way = Way(limits, settings.steps, settings.blur_of_sounds if facts.kind == "sounds" else settings.blur)
    one, other = originals
    ways = []
    for content, style in ((one, other), (other, one)):
        blends = [blend(matching, content.picture, style.picture, weight, way) for weight in settings.weights]
        ways.append(Blended(content, style, blends, [_read(network, made.picture, facts) for made in blends]))
    return Styles(matching.content, matching.style, (one, other), ways)


def gram(held: Tensor) -> Tensor:
    """How the channels of a layer go together, wherever they do: (channels, channels), the mean over all places.

    held: (1, channels, …).
    """
    flat = held.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


def blend(matching: Matching, content: Tensor, style: Tensor, weight: float, way: Way) -> Blend:
    """The content of one input, (1, channels, rows, columns), in the style of another, within the limits.

    Begins with the content and lowers `weight` × content loss + style loss by L-BFGS, of which so many evaluations
    are allowed; the best of them counts. What is added to the content is blurred.
    """
    with torch.no_grad():
        wanted = matching.held(content)[matching.content]
        grams = matching.grams(matching.held(style))
        content_of_style = float(matching.losses(style, wanted, grams)[0])
        style_of_content = float(matching.losses(content, wanted, grams)[1])
    added = torch.zeros_like(content).requires_grad_()
    history: list[tuple[float, float]] = []
    best, picture = float("inf"), content

    def evaluate() -> Tensor:
        nonlocal best, picture
        x = (content + blurred(added, way.blur)).clamp(*way.limits)
        of_content, of_style = matching.losses(x, wanted, grams)
        total = weight * of_content + of_style
        (added.grad,) = torch.autograd.grad(total, added)
        better = float(total.detach()) < best
        if better:
            best, picture = float(total.detach()), x.detach().clone()
        history.append((float(of_content.detach()), float(of_style.detach())) if better else history[-1])
        return total

    with frozen(matching.network):
        torch.optim.LBFGS(
            [added], max_iter=way.steps, max_eval=way.steps, history_size=HISTORY, tolerance_grad=0, tolerance_change=0,
            line_search_fn="strong_wolfe",
        ).step(evaluate)  # fmt: skip
    return Blend(
        weight=weight,
        picture=picture,
        history=np.array(history[: way.steps]),
        style_of_content=style_of_content,
        content_of_style=content_of_style,
        moved=moved(picture, content, way.limits),
    )


def _matching(network: nn.Module, x: Tensor, settings: Settings) -> Matching:
    # Before the activation, where values lie about zero: behind ReLU all Gram matrices are much like the square of
    # the channels' means, and two pictures' styles differ by a fifth where they otherwise differ by all.
    traced = trace(network, x)
    found = before_activation(traced)
    content = None if settings.content_layer is None else [settings.content_layer]
    (layer,) = at_depths(traced, found, content, [settings.content_depth])
    styles = at_depths(traced, found, settings.style_layers, settings.style_depths)
    return Matching(network, layer.name, tuple(layer.name for layer in styles))


def _other(samples: Samples, first: int, matching: Matching, settings: Settings) -> int:
    """The place of the sample whose style is taken."""
    if settings.style is not None:
        (second,) = chosen_samples(samples, settings.style, None)
        if second == first:
            raise WrongSetting(f"style: {second} is the sample of the content itself; give another")
        return second
    labels = samples.labels
    others = np.flatnonzero((labels[first] >= 0) & (labels != labels[first]))[: settings.candidates]
    if len(others) == 0:
        return next(place for place in range(len(samples)) if place != first)

    def grams(place: int) -> list[Tensor]:
        with torch.no_grad():
            x = to_tensor(samples.facts, samples.inputs[place : place + 1])
            return matching.grams(matching.held(_smaller(x, settings.size)))

    own = grams(first)
    far = [
        sum(float(_apart(g, o)) + float(_apart(o, g)) for g, o in zip(grams(int(p)), own, strict=True)) for p in others
    ]
    return int(others[int(np.argmax(far))])


def _apart(found: Tensor, wanted: Tensor) -> Tensor:
    return (found - wanted).square().sum() / wanted.square().sum().clamp_min(NOTHING)


def _smaller(x: Tensor, size: int) -> Tensor:
    scale = min(1.0, size / max(x.shape[2:]))
    return resized(x, [max(1, round(side * scale)) for side in x.shape[2:]])


def _read(network: nn.Module, picture: Tensor, facts: Facts) -> Read:
    """What the network reads a picture as, at the size of its samples."""
    return read(network, resized(picture, facts.shape[1:]))[0]


def numbers(found: Styles) -> Numbers:
    """Of the pictures of the middle weight, both ways round; of what all are read as; then of each."""
    rows = Numbers()
    weights = sorted(made.weight for made in found.ways[0].blends)
    middle = [made for way in found.ways for made in way.blends if made.weight == weights[len(weights) // 2]]
    for metric, unit in (("style_left", "fraction"), ("content_lost", ""), ("moved", "fraction")):
        mean = float(np.mean([getattr(made, metric) for made in middle]))
        rows.add(metric, significant(mean), unit=unit, n=len(middle))
    reads = [(way, read.label) for way in found.ways for read in way.reads]
    for metric, hits in (
        ("read_as_content", sum(label == way.content.read.label for way, label in reads)),
        ("read_as_style", sum(label == way.style.read.label for way, label in reads)),
    ):
        rows.add(metric, hits / len(reads), unit="fraction", n=len(reads))
    for way in found.ways:
        with rows.about(f"content={way.content.id};style={way.style.id}"):
            rows.add("style_loss_of_content", significant(way.blends[0].style_of_content))
            rows.add("content_loss_of_style", significant(way.blends[0].content_of_style))
            for made, as_read in zip(way.blends, way.reads, strict=True):
                with rows.about(f"weight={made.weight:g}"):
                    _of_one(rows, made, as_read)
    return rows


def _of_one(rows: Numbers, made: Blend, as_read: Read) -> None:
    rows.add("content_loss", significant(float(made.history[-1, 0])))
    rows.add("style_loss", significant(float(made.history[-1, 1])))
    rows.add("style_left", significant(made.style_left), unit="fraction")
    rows.add("content_lost", significant(made.content_lost))
    rows.add("moved", significant(made.moved), unit="fraction")
    rows.add("probability", significant(as_read.share), unit="fraction")
