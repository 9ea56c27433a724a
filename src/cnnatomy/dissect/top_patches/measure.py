"""The patches that excite each filter most, of which class they are, and whether they alone give its activation.

Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, ECCV, figure 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.top_patches.settings import Settings
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.layers import trace
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.inspection.patches import Found, Patch, Source, refed, sources, strongest
from cnnatomy.inspection.work import affordable, effort
from cnnatomy.statistics.numbers import Numbers

REFED = 5e10  # effort for feeding patches again with other surroundings
ENOUGH = 20  # samples below which nothing is said of dead filters
SAME = 1e-3  # refed error up to which two activations are one but for rounding
LARGE = 6  # rows that are shown large


@dataclass(frozen=True)
class Filter:
    """One filter with its patches, best first.

    fires: how many samples raise it above zero. purity: share of its patches that are of their most frequent class,
    whose name is `label`; None where samples have no class. frequency, moves: mean centre of its patches in Hz, and
    their standard deviation along the axis in bands; None of what is no sound or sees all frequencies at once.
    """

    source: Source
    channel: int
    patches: list[Patch]
    fires: int
    label: str | None
    purity: float | None
    frequency: float | None
    moves: float | None

    @property
    def dead(self) -> bool:
        return self.fires == 0

    @property
    def live(self) -> int:
        """How many of its patches raise it above zero."""
        return sum(patch.value > 0 for patch in self.patches)


@dataclass(frozen=True)
class TopPatches:
    """What excites the filters of the convolutions that are looked at, of `total` filters in all.

    samples: of the split. patches: asked for of each filter. purity_by_chance: of as many random samples; None where
    samples have no class. refed: how many patches were fed again with all else replaced, and refed_error by how much
    their activation differed at most, relative above 1.
    """

    looked_at: list[Source]
    filters: list[Filter]
    total: int
    samples: int
    patches: int
    purity_by_chance: float | None
    refed: int
    refed_error: float

    @property
    def enough(self) -> bool:
        """Whether there are enough samples to call a filter dead that none of them raises."""
        return self.samples >= ENOUGH

    @property
    def whole(self) -> bool:
        """Whether patches hold all that their filters see, as far as feeding them again tells."""
        return self.refed_error < SAME

    def of(self, source: Source) -> list[Filter]:
        return [one for one in self.filters if one.source is source]


def measure(network: nn.Module, samples: Samples, settings: Settings) -> TopPatches:
    """The patches of each filter of each convolution. A patch is what one unit sees of one sample, its receptive field;
    a sample gives its best one. A filter's activation is its output after normalisation, before the ReLU, which changes
    nothing above zero.

    settings: `layers`, `patches`; see conf/dissect/top_patches.yaml. Raises LayerNotFound for an unknown layer or a
    network without convolution, ValueError for a layer without patches, NoLogits for a network that doesn't take the
    samples, DoesNotApply where no field can be followed.
    """
    facts, count = samples.facts, settings.patches
    x = to_tensor(facts, samples.inputs[:1])
    logits_of(network, x)
    looked_at, total = sources(facts, trace(network, x), settings.layers)
    found = strongest(network, samples, looked_at, count)
    filters = [
        _filter(source, channel, row, int(fires), samples)
        for source in looked_at
        for channel, row, fires in zip(
            source.filters, found[source.name].patches, found[source.name].fires, strict=True
        )
    ]
    strong = affordable(REFED, len(filters) * effort(network, x), 1, count)  # patches of each filter, the strongest
    errors = _refed_errors(network, samples, looked_at, found, strong)
    pure = any(one.purity is not None for one in filters)
    return TopPatches(
        looked_at=looked_at,
        filters=filters,
        total=total,
        samples=len(samples),
        patches=count,
        purity_by_chance=purity_by_chance(samples.labels, count) if pure else None,
        refed=len(errors),
        refed_error=max(errors, default=0.0),
    )


def _filter(source: Source, channel: int, patches: list[Patch], fires: int, samples: Samples) -> Filter:
    live = [patch for patch in patches if patch.value > 0]
    labels = samples.labels[[patch.sample for patch in live]]
    label, purity, frequency, moves = None, None, None, None
    if live and (labels >= 0).all():
        counts = np.bincount(labels, minlength=len(samples.facts.classes))
        label, purity = samples.facts.classes[int(counts.argmax())], float(counts.max() / len(labels))
    field = source.layer.field
    if live and samples.facts.kind == "sounds" and field is not None and field.units[0] > 1:
        axis = samples.facts.axes[0]
        centres = np.array([(patch.window[0][0] + patch.window[0][1] - 1) / 2 for patch in live])
        frequency = float(np.interp(centres, np.arange(len(axis.values)), axis.values).mean())
        moves = float(centres.std())
    return Filter(source, channel, patches, fires, label, purity, frequency, moves)


def purity_by_chance(labels: np.ndarray, count: int) -> float:
    """The mean share of the most frequent class among `count` samples drawn at random, exactly.

    P(no class more than m times) is count! times the coefficient of z^count in the product over the classes of
    Σ_{k ≤ m} (p z)^k / k!.
    """
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    below = []
    for most in range(count):
        whole = np.ones(1)
        for share in shares:
            part = [share**k / math.factorial(k) for k in range(most + 1)]
            whole = np.convolve(whole, part)[: count + 1]
        below.append(math.factorial(count) * whole[count] if len(whole) > count else 0.0)
    return float(np.sum(1 - np.array(below)) / count)


def _refed_errors(
    network: nn.Module, samples: Samples, looked_at: Sequence[Source], found: Mapping[str, Found], strong: int
) -> list[float]:
    """How far the `strong` best patches of each filter are from giving its activation whatever is around them."""
    errors: list[float] = []
    for source in looked_at:
        tried = [row[:strong] for row in found[source.name].patches]
        values = np.array([patch.value for row in tried for patch in row])
        errors += (np.abs(refed(network, samples, source, tried) - values) / np.maximum(1, np.abs(values))).tolist()
    return errors


def numbers(found: TopPatches) -> Numbers:
    """Of all filters, then of each."""
    rows = Numbers()
    rows.mean("purity", np.array([one.purity for one in found.filters if one.purity is not None]), "fraction", (0, 1))
    if found.purity_by_chance is not None:
        rows.add("purity_by_chance", found.purity_by_chance, unit="fraction", n=found.patches)
    moving = [one for one in found.filters if one.moves is not None]
    rows.mean("moves", np.array([one.moves for one in moving]), "bands", between=(0, np.inf))
    if moving:
        anywhere = float(np.mean([_anywhere(one.source) for one in moving]))
        rows.add("moves_if_anywhere", anywhere, unit="bands", n=len(moving))
    rows.add("refed_error", significant(found.refed_error, 2), n=found.refed)
    rows.add("filters", len(found.filters))
    if found.enough and len(rows) < LARGE:
        rows.add("dead", sum(one.dead for one in found.filters), n=found.samples)
    for one in found.filters:
        if one.patches:
            with rows.about(f"layer={one.source.name};filter={one.channel}"):
                _of_filter(rows, one)
    return rows


def _anywhere(source: Source) -> float:
    """Standard deviation in bands of units that lie anywhere on the frequency axis."""
    field = source.layer.field
    assert field is not None
    return field.stride[0] * math.sqrt((field.units[0] ** 2 - 1) / 12)


def _of_filter(rows: Numbers, one: Filter) -> None:
    rows.add("best_activation", significant(one.patches[0].value))
    if one.purity is not None:
        with rows.about(f"class={one.label}"):
            rows.add("purity", significant(one.purity), unit="fraction", n=one.live)
    if one.frequency is not None and one.moves is not None:
        rows.add("frequency", significant(one.frequency), unit="Hz", n=one.live)
        rows.add("moves", significant(one.moves, 3), unit="bands", n=one.live)
