"""What each layer of a network gives, sees of the input, holds and costs, read off one forward pass.

Araujo, Norris & Sim 2019, Computing receptive fields of convolutional neural networks, Distill.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.structure.confirming import confirm
from cnnatomy.dissect.structure.settings import Settings
from cnnatomy.dissect.structure.steps import Step, calls, counted_by_torch
from cnnatomy.inspection.convolving import laid_out
from cnnatomy.inspection.fields import Field
from cnnatomy.inspection.layers import trace
from cnnatomy.inspection.listing import Listing, listing
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.models.answering import Reading, reading_of
from cnnatomy.statistics.numbers import Numbers


@dataclass(frozen=True)
class Structure:
    """A network as it computes one sample.

    axes, lengths: of a sample, without channels. parameters: of the network. multiply_adds: all that torch counts.
    confirmed: whether the field holds by experiment, of each convolution that has one. reading: how the output becomes
    logits. listing: the network as code.
    """

    steps: list[Step]
    axes: tuple[str, ...]
    lengths: tuple[int, ...]
    parameters: int
    multiply_adds: int
    confirmed: list[bool]
    reading: Reading
    listing: Listing

    @property
    def convolutions(self) -> list[Step]:
        """In the order of the forward pass."""
        return [step for step in self.steps if step.role == "convolution"]

    @property
    def fields(self) -> list[Field]:
        """Of those convolutions whose field can be followed."""
        return [step.field for step in self.convolutions if step.field is not None]

    @property
    def unnamed(self) -> int:
        """Multiply-adds in functions that are no layers."""
        return self.multiply_adds - sum(step.multiply_adds for step in self.steps)


def measure(network: nn.Module, samples: Samples, settings: Settings) -> Structure:
    """List of each layer its output, receptive field, parameters and multiply-adds.

    Multiply-adds are the products of weights and inputs for one sample; adding a bias, normalisation and pooling are
    not counted. Raises NoLogits for a network that doesn't take the samples.
    """
    facts = samples.facts
    x = to_tensor(facts, samples.inputs[:1])
    logits_of(network, x)
    layers = trace(network, x)
    steps = calls(layers)
    convolving = {step.name for step in steps if step.role == "convolution" and step.field is not None}
    followed = [layer for layer in layers if layer.name in convolving]
    return Structure(
        steps=steps,
        axes=tuple(axis.name for axis in facts.axes),
        lengths=tuple(facts.shape if facts.kind == "texts" else facts.shape[1:]),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        multiply_adds=counted_by_torch(network, x),
        confirmed=[confirm(network, x, layer, facts) for layer in followed],
        reading=reading_of(network),
        listing=listing(network, laid_out(network, x)),
    )


def numbers(found: Structure) -> Numbers:
    """Of the whole, then of each layer with weights."""
    rows = Numbers()
    rows.add("parameters", found.parameters)
    rows.add("multiply_adds", found.multiply_adds)
    rows.add("layers_with_weights", sum(step.weighted for step in found.steps))
    rows.add("convolutions", len(found.convolutions))
    if found.fields:
        last = max(found.fields, key=lambda field: math.prod(field.size))
        seen = [min(size, length) / length for size, length in zip(last.size, found.lengths, strict=True)]
        rows.add("input_seen_by_one_unit", math.prod(seen), unit="fraction")
        n = len(found.confirmed)
        rows.add("fields_confirmed", sum(found.confirmed) / n, unit="fraction", n=n)
    if found.listing.runs:
        rows.add("code_difference", found.listing.difference)
    for step in found.steps:
        if step.weighted:
            with rows.about(f"layer={step.name}"):
                _of_step(rows, step, found.axes)
    return rows


def _of_step(rows: Numbers, step: Step, axes: Sequence[str]) -> None:
    rows.add("parameters", step.parameters)
    if step.multiply_adds:
        rows.add("multiply_adds", step.multiply_adds)
    if step.field is not None and step.role == "convolution":
        for axis, size, stride in zip(axes, step.field.size, step.field.stride, strict=False):
            with rows.about(f"axis={axis}"):
                rows.add("receptive_field", size)
                if stride > 1:
                    rows.add("receptive_stride", stride)
