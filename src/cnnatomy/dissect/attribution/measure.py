"""The output of the class that is read, attributed to the places of a sample by up to four methods.

Gradients, integrated gradients, occlusion, guided backpropagation; on texts at the word vectors: see `saliency/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.attribution.settings import Settings
from cnnatomy.dissect.saliency.attributions import (
    NAMES,
    Baseline,
    Maps,
    attributed,
    baseline_of,
    methods,
    without_guided,
)
from cnnatomy.dissect.saliency.maps import ENOUGH, counting, extent, rank_correlations
from cnnatomy.dissect.saliency.path import Mean
from cnnatomy.dissect.saliency.trust import Verdict, randomised
from cnnatomy.exhibit import Text
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.answers import Answer, to_look_at
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.inspection.work import affordable, effort
from cnnatomy.statistics.numbers import Numbers

COMPARED = 3e9  # multiply-adds of one forward pass on all samples compared


@dataclass(frozen=True)
class Attributions:
    """What counts in the samples that are looked at, and how alike and how believable the methods are.

    ids, answers: of each sample. maps: each method's, float64 (samples, *places). means: how integrated gradients were
    found, a sample each; none without that method. baseline: what these begin with, and occlusion covers with.
    frequencies: of sounds, in Hz. by_frequency: integrated gradients summed over time, (samples, frequencies).
    agreement: the rank correlation of each pair of methods, (compared,), on samples evenly spread over the split.
    left_out: why guided backpropagation can't be had, where all methods are asked for.
    """

    ids: list[str]
    answers: list[Answer]
    maps: dict[str, np.ndarray]
    means: list[Mean]
    baseline: Baseline
    frequencies: Sequence[float] | None
    by_frequency: np.ndarray | None
    agreement: dict[tuple[str, str], np.ndarray]
    compared: int
    verdicts: dict[str, Verdict]
    left_out: Text | None


def measure(network: nn.Module, samples: Samples, settings: Settings, *, seed: int) -> Attributions:
    """Attribute the output of the class that is read to the places of the sample.

    Guided backpropagation is left out where it can't be had, and refused where it is asked for by name.

    settings: `right`, `wrong`, `sample`, `methods`, `compared`; see conf/dissect/attribution.yaml. Raises NoLogits,
    FunctionalReLU, DoesNotApply (words without an nn.Embedding), ValueError for an unknown method or a place outside
    of the split.
    """
    facts = samples.facts
    logits_of(network, to_tensor(facts, samples.inputs[:1]), len(facts.classes))
    table = methods(network, samples, settings.methods)
    answers = to_look_at(network, samples, settings.right, settings.wrong, settings.sample)
    verdicts = randomised(network, samples, table, seed)
    baseline, places = baseline_of(samples), [answer.place for answer in answers]
    x = to_tensor(facts, samples.inputs[places])
    maps, means = attributed(table, network, x, torch.tensor([answer.read for answer in answers]), baseline)
    agreement, compared = _agreement(network, samples, table, settings.compared, places, maps)
    sound, summed = facts.kind == "sounds" and bool(facts.axes), maps.get("integrated_gradients")
    left_out = None if settings.methods or len(table) == len(NAMES) else without_guided(network, x[:1])
    return Attributions(
        ids=[str(samples.table["id"][place]) for place in places],
        answers=answers,
        maps={name: found.double().numpy() for name, found in maps.items()},
        means=means,
        baseline=baseline,
        frequencies=facts.axes[0].values if sound else None,
        by_frequency=summed.double().sum(2).numpy() if sound and summed is not None else None,
        agreement=agreement,
        compared=compared,
        verdicts=verdicts,
        left_out=None if left_out is None else left_out.because,
    )


def _agreement(
    network: nn.Module,
    samples: Samples,
    table: Mapping[str, Maps],
    compared: int,
    shown: Sequence[int],
    maps: Mapping[str, Tensor],
) -> tuple[dict[tuple[str, str], np.ndarray], int]:
    """Rank correlation of each pair of methods, (n,), on samples evenly spread over the split, and how many these are.

    `maps` are those of the samples `shown`, and are not made twice where these are all that there is to compare.
    """
    each = effort(network, to_tensor(samples.facts, samples.inputs[:1]))
    places = evenly(len(samples), affordable(COMPARED, each, min(4, compared), compared))
    found = maps
    if list(places) != list(shown):
        x = to_tensor(samples.facts, samples.inputs[places])
        target = logits_of(network, x).argmax(1)
        found = {name: method(network, x, target) for name, method in table.items()}
    valid = counting(samples, places)
    return {
        (one, other): rank_correlations(found[one], found[other], valid) for one, other in combinations(table, 2)
    }, len(places)


def numbers(found: Attributions) -> Numbers:
    """Of all methods, of each, of each pair of them; then of each sample, and of each map of it."""
    rows, means = Numbers(), found.means
    rows.add("methods_that_fail", sum(verdict.fails for verdict in found.verdicts.values()), n=len(found.verdicts))
    if means:
        gaps = [abs(mean.gap) / max(abs(mean.difference), 1e-12) for mean in means]
        rows.add("path_error", significant(max(mean.error for mean in means), 2), unit="fraction", n=len(means))
        rows.add("completeness_gap", significant(max(gaps), 2), unit="fraction", n=len(means))
        rows.add("path_points", float(np.mean([mean.points for mean in means])), n=len(means))
    if found.agreement:
        rows.mean("agreement", np.mean(list(found.agreement.values()), axis=0), enough=ENOUGH)
    rows += [verdict.number(name) for name, verdict in found.verdicts.items()]
    for (one, other), values in found.agreement.items():
        with rows.about(f"method={one};with={other}"):
            rows.mean("agreement", values, enough=ENOUGH)
    for place in range(len(found.ids)):
        _of_sample(rows, found, place)
    return rows


def _of_sample(rows: Numbers, found: Attributions, place: int) -> None:
    with rows.about(f"sample={found.ids[place]}"):
        rows.add("confidence", found.answers[place].confidence, unit="fraction")
        for mean in found.means[place : place + 1]:
            rows.add("output_difference", significant(mean.difference, 6))
            rows.add("completeness_gap", significant(mean.gap, 2))
            rows.add("path_error", significant(mean.error, 2), unit="fraction")
            rows.add("path_points", mean.points)
    for method, maps in found.maps.items():
        with rows.about(f"method={method};sample={found.ids[place]}"):
            _of_map(rows, maps[place], found.frequencies)


def _of_map(rows: Numbers, values: np.ndarray, frequencies: Sequence[float] | None) -> None:
    total = float(np.abs(values).sum())
    rows.add("sum", significant(float(values.sum())))
    if total > 0:
        rows.add("positive_share", significant(float(values.clip(min=0).sum()) / total), unit="fraction")
    if total > 0 and frequencies is not None:
        peak, low, high = extent(frequencies, np.abs(values).sum(axis=1))
        rows.add("peak", significant(peak), unit="Hz")
        rows.add("middle_half_from", significant(low), unit="Hz")
        rows.add("middle_half_to", significant(high), unit="Hz")
