"""How a network learned, from its weights on the way: what it read, how far filters and layers were from the end."""

from __future__ import annotations

import json

import numpy as np
import torch
from families import Found, Report, mean_of, recomputes, share_of
from finished import Row, Run, evenly
from forward import Network
from safetensors import safe_open
from torch import Tensor


def ways(report: Report, row: Row) -> list[dict[int, Network]]:
    """The networks of each seed by the steps taken, the row's own seed first; the last as training left it."""

    def make() -> list[dict[int, Network]]:
        run = report.run(row)
        seeds = [row.seed, *(seed for seed in range(run.setting("learning", "others") + 1) if seed != row.seed)]
        return [way_of(run, seed) for seed in seeds[: run.setting("learning", "others") + 1]]

    return report.once(("learning", row.name, row.seed), make)


def way_of(run: Run, seed: int) -> dict[int, Network]:
    with safe_open(run.folder / f"runs/{run.name}/seed{seed}/snapshots.safetensors", framework="pt") as file:
        known = json.loads(file.metadata()["cnnatomy"])
        states: dict[int, dict[str, Tensor]] = {}
        for key in file.keys():  # noqa: SIM118, no mapping
            step, name = key.split("/", 1)
            states.setdefault(int(step), {})[name] = file.get_tensor(key)
    model = run.network(seed).model
    found = {step: Network(states[step], model) for step in sorted(states)}
    return found | {known["last"]: run.network(seed)}


def tested(run: Run) -> np.ndarray:
    return evenly(len(run.raw), run.setting("learning", "samples"))


def confusion(report: Report, row: Row, step: int) -> np.ndarray:
    def make() -> np.ndarray:
        run, places = report.run(row), tested(report.run(row))
        said = ways(report, row)[0][step].logits(run.data.ready(run.raw[places])).argmax(1).numpy()
        counts = np.zeros([len(run.data.classes)] * 2)
        np.add.at(counts, (run.labels[places], said), 1)
        return counts

    return report.once(("confusion on the way", row.name, row.seed, step), make)


def f1(counts: np.ndarray) -> np.ndarray:
    """Of each class: the harmonic mean of precision and recall, nothing where both are."""
    right = counts.diagonal()
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = right / counts.sum(axis=0), right / counts.sum(axis=1)
        return np.nan_to_num(2 * precision * recall / (precision + recall))


@recomputes("learning", "applies")
def applies(report: Report, row: Row) -> float:
    """Of a network that took no step."""
    return 0.0


@recomputes("learning", "accuracy_on_the_way")
def accuracy_on_the_way(report: Report, row: Row) -> Found:
    counts = confusion(report, row, int(row.of["step"]))
    return share_of(counts.trace(), counts.sum())


@recomputes("learning", "f1", digits=4)
def last_f1(report: Report, row: Row) -> float:
    run, end = report.run(row), max(ways(report, row)[0])
    return float(f1(confusion(report, row, end))[run.data.classes.index(row.of["class"])])


@recomputes("learning", "learned_after_steps")
def learned_after_steps(report: Report, row: Row) -> float:
    run, steps = report.run(row), sorted(ways(report, row)[0])
    place, share = run.data.classes.index(row.of["class"]), run.setting("learning", "learned")
    known = [f1(confusion(report, row, step))[place] for step in steps]
    return next(step for at, step in enumerate(steps) if min(known[at:]) >= share * known[-1])


@recomputes("learning", "settled_filters")
def settled_filters(report: Report, row: Row) -> Found:
    way, share = ways(report, row)[0], report.run(row).setting("learning", "settled")
    later = [
        way[step].t[f"{row.layer}.weight"].flatten(1).double() for step in sorted(way) if step >= int(row.of["step"])
    ]
    far = torch.stack([(one - later[-1]).norm(dim=1) / later[-1].norm(dim=1) for one in later])
    return share_of(int((far.amax(0) <= share).sum()), far.shape[1])


def behind(network: Network, layer: str) -> str:
    """The activation behind a layer; the last dense layer has none."""
    if layer.startswith("conv"):
        return network.rectified(layer)
    dense = sorted(name.removesuffix(".weight") for name in network.t if name.startswith("dense") and "weight" in name)
    return layer if layer == dense[-1] else f"relu{len(network.convolutions) + 1 + dense.index(layer)}"


def outputs(network: Network, layer: str, x: Tensor) -> Tensor:
    with torch.no_grad():
        return network.run(x)[behind(network, layer)].flatten(1).double()


def centred(values: Tensor) -> Tensor:
    """The products of samples, centred without bias (Székely & Rizzo 2014), so that their mean product is HSIC's."""
    products = (values @ values.T).fill_diagonal_(0)
    n = len(products)
    rows = products.sum(1) / (n - 2)
    whole = products - rows[:, None] - rows[None] + products.sum() / ((n - 1) * (n - 2))
    return whole.fill_diagonal_(0)


@recomputes("learning", "likeness_to_the_end", share=1e-3)
def likeness_to_the_end(report: Report, row: Row) -> Found:
    run, step = report.run(row), int(row.of["step"])
    places = tested(run)
    x = run.data.ready(run.raw[places[evenly(len(places), run.setting("learning", "compared"))]])
    found = []
    for way in ways(report, row):
        one, other = (centred(outputs(way[at], row.layer, x)) for at in (step, max(way)))
        found.append(float((one * other).sum() / (one.norm() * other.norm())))
    return mean_of(found, -1, 1)
