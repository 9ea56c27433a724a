"""Class activation maps of right and wrong predictions, and how local, how alike and how believable such maps are.

Zhou et al. 2016, Learning deep features for discriminative localization, CVPR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Samples
from cnnatomy.dissect.class_activation.settings import Settings
from cnnatomy.dissect.saliency.cams import CAMS, cam_layers, held, methods, spread
from cnnatomy.dissect.saliency.maps import ENOUGH, concentration, counting, places_of, rank_correlations
from cnnatomy.dissect.saliency.trust import Verdict, randomised
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.answers import Answer, to_look_at
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.layers import Layer
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.statistics.numbers import Numbers


@dataclass(frozen=True)
class Map:
    """One method's map of a sample for a class; none of its values is below zero.

    cells: of each layer, (*cells). on_input: the same at the places of the sample, (*places), of a sentence (words,).
    whole: their sum over the layers.
    """

    of_class: str
    cells: list[np.ndarray]
    on_input: list[np.ndarray]
    whole: np.ndarray


@dataclass(frozen=True)
class Seen:
    """A sample that is looked at.

    maps: each method's for the class that is read, and of a wrong prediction Grad-CAM for the true class besides.
    alike: the rank correlation of the latter two, where there is one layer.
    """

    id: str
    answer: Answer
    maps: dict[str, list[Map]]
    alike: float | None


@dataclass(frozen=True)
class Compared:
    """Each method's maps for the class that is read, of `n` samples evenly spread over the split.

    blank: how many maps are zero everywhere. local: the share of their sum in the strongest quarter of places, of those
    that are not blank. agreement: the rank correlation of each pair of methods, (n,).
    """

    n: int
    blank: dict[str, int]
    local: dict[str, np.ndarray]
    agreement: dict[tuple[str, str], np.ndarray]


@dataclass(frozen=True)
class Activations:
    """What is found in these layers, of which there are several where convolutions stand side by side.

    words: whether the samples are texts, where the value of a window is shared out among its words.
    """

    layers: list[Layer]
    words: bool
    verdicts: dict[str, Verdict]
    compared: Compared
    seen: list[Seen]


def measure(network: nn.Module, samples: Samples, settings: Settings, *, seed: int) -> Activations:
    """Class activation maps of right and wrong predictions, and of samples evenly spread.

    settings: `right`, `wrong`, `sample`, `layers`, `compared`; see conf/dissect/class_activation.yaml. Raises
    LayerNotFound, NoLogits, ValueError for a place outside of the split, DoesNotApply where no layer has places.
    """
    facts, words = samples.facts, samples.facts.kind == "texts"
    x = to_tensor(facts, samples.inputs[:1])
    logits_of(network, x, len(facts.classes))
    layers = cam_layers(network, x, settings.layers)
    looked_at = to_look_at(network, samples, settings.right, settings.wrong, settings.sample)
    return Activations(
        layers=layers,
        words=words,
        verdicts=randomised(network, samples, methods(layers, places_of(facts), words), seed),
        compared=_compared(network, samples, evenly(len(samples), settings.compared), layers),
        seen=[_seen(network, samples, answer, layers) for answer in looked_at],
    )


def _cells(
    network: nn.Module, samples: Samples, places: np.ndarray, classes: Sequence[int], layers: list[Layer]
) -> dict[str, list[Tensor]]:
    """Each method's maps of samples for a class each, (n, *cells) for each layer."""
    x = to_tensor(samples.facts, samples.inputs[places])
    pairs = held(network, x, torch.tensor(classes), [layer.name for layer in layers])
    return {name: [formula(*pair) for pair in pairs] for name, formula in CAMS.items()}


def _on_input(samples: Samples, layers: list[Layer], cells: list[Tensor]) -> list[Tensor]:
    """The maps of each layer, (n, *cells), at the places of the samples, (n, *places)."""
    places, words = places_of(samples.facts), samples.facts.kind == "texts"
    return [spread(layer, found, places, words) for layer, found in zip(layers, cells, strict=True)]


def _compared(network: nn.Module, samples: Samples, places: np.ndarray, layers: list[Layer]) -> Compared:
    target = logits_of(network, to_tensor(samples.facts, samples.inputs[places])).argmax(1)
    cells = _cells(network, samples, places, target.tolist(), layers)
    if samples.facts.kind == "texts":  # on words, for windows on the padding behind a sentence say nothing
        valid = counting(samples, places)
        flat = {
            name: torch.stack(_on_input(samples, layers, maps)).sum(0) * torch.from_numpy(valid)
            for name, maps in cells.items()
        }
    else:
        flat = {name: torch.cat([found.flatten(1) for found in maps], dim=1) for name, maps in cells.items()}
        valid = np.ones(tuple(flat["grad_cam"].shape), dtype=bool)
    return Compared(
        n=len(places),
        blank={name: int((found.sum(1) == 0).sum()) for name, found in flat.items()},
        local={name: concentration(found.float().numpy(), valid) for name, found in flat.items()},
        agreement={
            (one, other): rank_correlations(flat[one], flat[other], valid) for one, other in combinations(CAMS, 2)
        },
    )


def _seen(network: nn.Module, samples: Samples, answer: Answer, layers: list[Layer]) -> Seen:
    classes = [answer.read] + ([answer.label] if answer.state == "wrong" else [])
    inputs = samples.inputs[answer.place]
    length = int((inputs != PADDING).sum()) if samples.facts.kind == "texts" else None
    maps: dict[str, list[Map]] = {}
    cells = _cells(network, samples, np.array([answer.place] * len(classes)), classes, layers)
    for method, of_layers in cells.items():
        on_input = _on_input(samples, layers, of_layers)
        whole = torch.stack(on_input).sum(0)
        maps[method] = [
            Map(
                of_class=samples.facts.classes[label],
                cells=[found[row].double().numpy() for found in of_layers],
                on_input=[found[row, :length].double().numpy() for found in on_input],
                whole=whole[row, :length].double().numpy(),
            )
            # Of the true class one method is enough to compare.
            for row, label in enumerate(classes if method == "grad_cam" else classes[:1])
        ]
    alike = None
    if len(classes) == 2 and len(layers) == 1:
        read, true = cells["grad_cam"][0][:1], cells["grad_cam"][0][1:]
        alike = float(rank_correlations(read, true, np.ones(tuple(read.shape), dtype=bool))[0])
    return Seen(str(samples.table["id"][answer.place]), answer, maps, alike)


def numbers(found: Activations) -> Numbers:
    """Of all methods, of each, of each pair of them; then of each map that is drawn cell by cell."""
    rows, compared = Numbers(), found.compared
    rows.add("methods_that_fail", sum(verdict.fails for verdict in found.verdicts.values()), n=len(found.verdicts))
    rows.share("blank_grad_cam", compared.blank["grad_cam"], compared.n)
    rows.mean("in_strongest_quarter", compared.local["grad_cam"], "fraction", enough=ENOUGH)
    rows.mean("agreement", np.mean(list(compared.agreement.values()), axis=0), enough=ENOUGH)
    rows.add("cells", sum(int(np.prod(layer.shape[1:])) for layer in found.layers))
    for method, verdict in found.verdicts.items():
        rows.append(verdict.number(method))
        with rows.about(f"method={method}"):
            rows.share("blank", compared.blank[method], compared.n)
            rows.mean("in_strongest_quarter", compared.local[method], "fraction", enough=ENOUGH)
    for (one, other), values in compared.agreement.items():
        with rows.about(f"method={one};with={other}"):
            rows.mean("agreement", values, enough=ENOUGH)
    for seen in found.seen if not found.words else []:
        _of_maps(rows, seen, found.layers)
    return rows


def _of_maps(rows: Numbers, seen: Seen, layers: Sequence[Layer]) -> None:
    for method, maps in seen.maps.items():
        for place, layer in enumerate(layers):
            for one in maps:
                cells = one.cells[place]
                with rows.about(f"layer={layer.name};method={method};sample={seen.id};class={one.of_class}"):
                    rows.add("map_max", significant(float(cells.max())))
                    for part in concentration(cells[None], np.ones((1, *cells.shape), dtype=bool)):
                        rows.add("in_strongest_quarter", float(part), unit="fraction")
    if seen.alike is not None:
        with rows.about(f"sample={seen.id}"):
            rows.add("read_class_like_true_class", seen.alike)
