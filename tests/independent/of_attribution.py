"""Attributions and class activation maps made anew, how alike they are, and how far they can be believed."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from families import Found, Report, crossed, leaves, mean_of, recomputes, share_of, spearman, spread
from finished import Row, Run, evenly
from forward import Network
from of_maps import geometry
from scipy import stats
from torch import Tensor

METHODS = ("gradients", "integrated_gradients", "occlusion", "guided_backpropagation")
CAMS = ("grad_cam", "grad_cam_plus", "layer_cam")
LIMIT = 0.5  # of the randomisation test
SHUFFLES, TESTED, LONG = 6, 4, 5
RANKS = 1e-3  # of correlations of ranks: places that are nearly equal change theirs in single precision
DRAWN = "drawn at random on both sides"
LINE = "a straight line of a thousand places and fewer"


# --- maps ---


class Guided(torch.autograd.Function):
    """A rectifier whose way back lets pass what is positive, where the unit is on (Springenberg et al. 2015)."""

    @staticmethod
    def forward(ctx, x: Tensor, high: float | None) -> Tensor:
        ctx.on = (x > 0) if high is None else (x > 0) & (x < high)
        return x.clamp(min=0, max=high)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient.clamp(min=0) * ctx.on, None


def nothing(run: Run) -> Tensor:
    """What stands for nothing, (1, *shape): black, the quietest value of the split, padding."""
    if run.data.kind == "texts":
        return torch.zeros(1, *run.raw.shape[1:], dtype=torch.long)
    lowest = 0.0 if run.data.kind == "images" else float(run.raw.min())
    return run.data.normal(np.full(run.raw.shape[1:], lowest))[None]


def gradient(network: Network, x: Tensor, target: Tensor, guided: bool = False) -> Tensor:
    high = 6.0 if network.large else None
    relu = (lambda at: Guided.apply(at, high)) if guided else None
    ((entered, slope),) = network.gradient(x, target, ["input"], relu)
    return (slope * entered).sum(-1).detach() if network.words else slope.sum(1)


def occlusion(network: Network, x: Tensor, target: Tensor, base: Tensor) -> Tensor:
    """By how much the output falls without a window, mean of all windows over a place; words one by one."""
    sides = x.shape[1:] if network.words else x.shape[2:]
    size = 1 if network.words else -(-max(sides) // 8)
    step = size if network.large else max(1, size // 2)
    before = network.logits(x).gather(1, target[:, None])[:, 0]
    fall, covers = torch.zeros(len(x), *sides), torch.zeros(sides)
    corners = [sorted({*range(0, max(1, side - size), step), max(0, side - size)}) for side in sides]
    for corner in itertools.product(*corners):
        where = (..., *(slice(at, at + size) for at in corner))
        covers[where] += 1
        covered = x.clone()
        covered[where] = base[where]
        some = (covered != x).flatten(1).any(1)
        if some.any():
            left = network.logits(covered[some]).gather(1, target[some, None])[:, 0]
            part = fall[some]
            part[where] += (before[some] - left).reshape(-1, *[1] * len(sides))
            fall[some] = part
    return fall / covers


def integrated(network: Network, x: Tensor, target: Tensor, base: Tensor, points: int) -> Tensor:
    """Sundararajan et al. (2017), by the middles of equal steps."""
    t = network.t.get("embedding.weight")
    end, begin = (x, base) if t is None else (t[x], t[base])
    total = []
    for one in range(len(x)):
        way = end[one : one + 1] - begin
        kept = torch.zeros_like(way[0], dtype=torch.float64)
        for places in ((torch.arange(points) + 0.5) / points).split(50):
            entered = (begin + places.reshape(-1, *[1] * (way.dim() - 1)) * way).requires_grad_()
            tokens = x[one : one + 1].expand(len(places), *x.shape[1:])
            held = network.run((tokens, entered) if t is not None else entered)  # type: ignore[arg-type]
            (slope,) = torch.autograd.grad(held["logits"][:, int(target[one])].sum(), entered)
            kept += slope.double().sum(0)
        total.append((kept / points * way[0]).sum(-1 if t is not None else 0))
    return torch.stack(total)


def cam_layers(run: Run) -> list[str]:
    """The last convolutions with several places, behind their rectifiers."""
    network = run.network()
    return [network.rectified(name) for name in (network.convolutions if network.words else network.convolutions[-1:])]


def cam_cells(network: Network, x: Tensor, target: Tensor, layers: list[str], method: str) -> list[Tensor]:
    """Selvaraju et al. (2017), Chattopadhay et al. (2018), Jiang et al. (2021): one map a layer, (n, *places)."""
    parts: list[list[Tensor]] = []
    for some, wanted in zip(x.split(100), target.split(100), strict=True):
        found = []
        for held, slope in network.gradient(some, wanted, layers):
            held, slope = held.detach().double().flatten(2), slope.double().flatten(2)
            if method == "grad_cam":
                made = (slope.mean(2, keepdim=True) * held).sum(1)
            elif method == "layer_cam":
                made = (slope.clamp(min=0) * held).sum(1)
            else:
                up = slope.clamp(min=0)
                alpha = torch.where(up > 0, 1 / (2 + up * held.sum(2, keepdim=True).clamp(min=0)), 0.0)
                made = ((alpha * up).sum(2, keepdim=True) * held).sum(1)
            found.append(made.clamp(min=0))
        parts.append(found)
    return [torch.cat([part[at] for part in parts]) for at in range(len(layers))]


def on_input(run: Run, layers: list[str], cells: list[Tensor]) -> Tensor:
    """A word gets what the windows over it have, shared among their words; another place what its nearest cell has."""
    if run.network().words:
        words = torch.zeros(len(cells[0]), run.raw.shape[1], dtype=torch.float64)
        for layer, found in zip(layers, cells, strict=True):
            field = geometry(run, layer)
            for unit in range(field.count):
                ((a, b),) = field.window((unit,))
                a, b = max(0, a), min(words.shape[1], b)
                if a < b:
                    words[:, a:b] += found[:, unit : unit + 1] / (b - a)
        return words
    (layer,), (found,) = layers, cells
    field = geometry(run, layer)
    near = [
        torch.from_numpy(np.clip(np.rint((np.arange(side) - a - (r - 1) / 2) / j), 0, n - 1).astype(int))
        for side, a, r, j, n in zip(run.raw.shape[2:], field.start, field.size, field.step, field.units, strict=True)
    ]
    return found.reshape(-1, *field.units)[:, near[0][:, None], near[1][None]]


def maps_of(run: Run, network: Network, x: Tensor, target: Tensor, method: str, points: int) -> np.ndarray:
    if method == "integrated_gradients":
        found = integrated(network, x, target, nothing(run), points)
    elif method == "occlusion":
        found = occlusion(network, x, target, nothing(run))
    elif method in CAMS:
        layers = cam_layers(run)
        found = on_input(run, layers, cam_cells(network, x, target, layers, method))
    else:
        parts = zip(x.split(100), target.split(100), strict=True)
        found = torch.cat([gradient(network, some, wanted, method.startswith("guided")) for some, wanted in parts])
    return found.double().numpy()


def made(report: Report, row: Row, places: np.ndarray, method: str, points: int) -> np.ndarray:
    """Maps of these test samples, for the class that is read."""
    run = report.run(row)
    key = "maps", row.name, tuple(places), method, points
    target = run.logits[places].argmax(1)
    return report.once(key, lambda: maps_of(run, run.network(), run.x[places], target, method, points))


def valid(run: Run, places: np.ndarray) -> np.ndarray:
    return run.valid[places] if run.network().words else np.ones((len(places), *run.raw.shape[2:]), dtype=bool)


# --- attribution ---


def shown(report: Report, row: Row) -> np.ndarray:
    """The map of the row's sample by its method."""
    run = report.run(row)
    return made(report, row, np.array([run.ids.index(row.of["sample"])]), row.of["method"], 1000)[0]


def too_long(report: Report, row: Row) -> bool:
    return report.run(row).network().large and row.of.get("method") == "integrated_gradients"


@recomputes("attribution", "confidence", size=2e-6)
def confidence(report: Report, row: Row) -> float:
    run = report.run(row)
    return float(run.logits[run.ids.index(row.of["sample"])].double().softmax(0).max())


def difference(report: Report, row: Row) -> float:
    run = report.run(row)
    at = run.ids.index(row.of["sample"])
    if run.network().words:  # where the line begins the sentence is as long, of words that are no words
        with torch.no_grad():
            tokens = run.x[at : at + 1]
            base = run.network().run((tokens, run.network().t["embedding.weight"][torch.zeros_like(tokens)]))["logits"][
                0
            ]  # type: ignore[arg-type]
    else:
        base = run.network().logits(nothing(run))[0]
    return float(run.logits[at].max() - base[run.logits[at].argmax()])


@recomputes("attribution", "output_difference", digits=6, size=2e-5)
def output_difference(report: Report, row: Row) -> float:
    return difference(report, row)


@recomputes("attribution", "sum", digits=4, share=2e-4, size=2e-5)
def summed(report: Report, row: Row) -> Found:
    """Integrated gradients sum to the difference of the outputs but for a gap, which is published beside them."""
    if row.of["method"] != "integrated_gradients":
        found = shown(report, row)
        return Found(float(found.sum()), room=2e-5 * float(np.abs(found).sum()))  # much of it cancels
    (gap,) = report.beside(row, "completeness_gap", sample=row.of["sample"])
    return Found(difference(report, row) + gap.value, room=abs(gap.value) * 0.06)


@recomputes("attribution", "positive_share", digits=4, share=2e-4, size=2e-5)
def positive_share(report: Report, row: Row) -> Found | None:
    if too_long(report, row):
        return None
    found = shown(report, row)
    exact = row.of["method"] != "integrated_gradients"
    return Found(float(found[found > 0].sum() / np.abs(found).sum()), room=0.0 if exact else 3e-3)


@recomputes("attribution", "peak", "middle_half_from", "middle_half_to", digits=4)
def extent(report: Report, row: Row) -> Found:
    """A quarter and three quarters of the weight over frequency; one that lies between two bands may be either."""
    hertz = np.array(report.run(row).data.facts["axes"][0]["values"])
    weight = np.abs(shown(report, row)).sum(1)
    if row.metric == "peak":
        best, second = np.argsort(-weight)[:2]
        near = weight[second] > 0.999 * weight[best]
        return Found(hertz[best], room=abs(hertz[best] - hertz[second]) if near else 0)
    so_far = np.cumsum(weight) / weight.sum()
    wanted = 0.25 if row.metric.endswith("from") else 0.75
    at = int(np.flatnonzero(so_far >= wanted)[0])
    near = [hertz[other] for other in {int(np.flatnonzero(so_far >= wanted + by)[0]) for by in (-1e-3, 1e-3)}]
    return Found(hertz[at], room=max(abs(hertz[at] - other) for other in near))


@recomputes("attribution", "completeness_gap", digits=2, share=0.03)
def worst_gap(report: Report, row: Row) -> float | None:
    """The worst share of a difference; that of one sample depends on where the line was asked."""
    if row.subject:
        return None
    return max(
        abs(gap.value) / abs(report.beside(row, "output_difference", sample=gap.of["sample"])[0].value)
        for gap in report.beside(row, "completeness_gap")
        if gap.subject
    )


@recomputes("attribution", "path_points", "path_error")
def over_samples(report: Report, row: Row) -> float | None:
    if row.subject:
        return None
    each = [one.value for one in report.beside(row, row.metric) if one.subject]
    return float(np.mean(each)) if row.metric == "path_points" else max(each)


leaves("faithfulness", ["path_error"], "an estimate that depends on where the line was asked")


def pairs_alike(report: Report, row: Row, one: str, other: str) -> np.ndarray:
    run = report.run(row)
    assert row.n is not None
    places = evenly(len(run.ids), row.n)
    good = valid(run, places)
    maps = [made(report, row, places, method, 80) for method in (one, other)]
    return np.array([spearman(a[v], b[v]) for a, b, v in zip(*maps, good, strict=True)])


@recomputes("attribution", "agreement", size=RANKS)
def agreement(report: Report, row: Row) -> Found | None:
    pairs = [(row.of["method"], row.of["with"])] if row.subject else list(itertools.combinations(METHODS, 2))
    line = any("integrated_gradients" in pair for pair in pairs)
    if line and report.run(row).network().large:
        return None
    values = np.mean([pairs_alike(report, row, *pair) for pair in pairs], axis=0)
    found = mean_of(values) if len(values) >= 10 else Found(float(values.mean()))
    return Found(found.value, found.low, found.high, room=0.01 if line else 0.0)


# --- the randomisation test ---


def tested(run: Run) -> np.ndarray:
    pool = np.arange(len(run.ids))
    if run.network().words:
        pool = np.flatnonzero(run.valid.sum(1) >= LONG)
    return pool[evenly(len(pool), TESTED)]


def from_the_last(network: Network) -> list[str]:
    """The layers with parameters, the last of the forward pass first."""
    dense = sorted({name.rpartition(".")[0] for name in network.t if name.startswith("dense")}, reverse=True)
    if network.words:
        return [*dense, *network.convolutions[::-1], "embedding"]
    behind = [
        [network.driven(name), name] if network.driven(name) != name else [name] for name in network.convolutions[::-1]
    ]
    return [*dense, *itertools.chain.from_iterable(behind)]


def shuffled(run: Run, depth: int, turn: int, x: Tensor) -> Network:
    """The last `depth` layers with their numbers in another order; normalisations among them measured anew."""
    network = run.network()
    names = from_the_last(network)[:depth]
    random = torch.Generator().manual_seed(1000 + turn)
    t = dict(network.t)
    for layer in names:
        for part in ("weight", "bias"):
            if (tensor := t.get(f"{layer}.{part}")) is not None:
                kept = tensor[:1] if layer == "embedding" else tensor[:0]
                rest = tensor[len(kept) :]
                rest = rest.flatten()[torch.randperm(rest.numel(), generator=random)].reshape(rest.shape)
                t[f"{layer}.{part}"] = torch.cat([kept, rest])
    other = Network(t, network.model)
    for name in network.convolutions:  # in forward order, each with those before it as they now are
        norm = network.driven(name)
        if norm != name and norm in names:
            with torch.no_grad():
                before = other.run(x, last=name)[name].transpose(0, 1).flatten(1)
            other.t[f"{norm}.running_mean"], other.t[f"{norm}.running_var"] = before.mean(1), before.var(1)
    return other


def similar(report: Report, row: Row, method: str, depth: int) -> np.ndarray:
    """Rank correlations of maps before and after, (shufflings, samples)."""
    run = report.run(row)

    def make() -> np.ndarray:
        places = tested(run)
        x, target = run.x[places], run.logits[places].argmax(1)
        before = made(report, row, places, method, 60)
        good = valid(run, places)
        found = []
        for turn in range(SHUFFLES):
            after = maps_of(run, shuffled(run, depth, turn, x), x, target, method, 60)
            found.append([spearman(a[v], b[v]) for a, b, v in zip(before, after, good, strict=True)])
        return np.array(found)

    return report.once(("similar", row.name, method, depth), make)


def room_of(found: np.ndarray) -> float:
    """By how much two means over so few shufflings may differ: five standard errors, which so few know badly."""
    return 5 * max(0.1, float(found.mean(1).std(ddof=1))) * (2 / len(found)) ** 0.5


@recomputes("attribution", "similarity_when_shuffled", ends=0.8, why=DRAWN)
@recomputes("class_activation", "similarity_when_shuffled", ends=0.8, why=DRAWN)
@recomputes("faithfulness", "similarity_when_shuffled", ends=0.8, why=DRAWN)
def similarity_when_shuffled(report: Report, row: Row) -> Found | None:
    """At the end, the last layer shuffled or all, at which maps change least."""
    run = report.run(row)
    if run.network().large:
        return None
    ends = [similar(report, row, row.of["method"], depth) for depth in (1, len(from_the_last(run.network())))]
    worst = max(ends, key=lambda found: float(found.mean()))
    low, high = crossed(worst)
    # Where both ends are alike, either may be the one.
    return Found(float(worst.mean()), max(-1.0, low), min(1.0, high), room=max(map(room_of, ends)))


@recomputes("faithfulness", "similarity", ends=1.0, why=DRAWN)
def similarity(report: Report, row: Row) -> Found | None:
    """The mean over shufflings and samples, and its interval over both."""
    if report.run(row).network().large:
        return None
    found = similar(report, row, row.of["method"], int(row.of["shuffled"]))
    low, high = crossed(found)
    return Found(float(found.mean()), max(-1.0, low), min(1.0, high), room=room_of(found))


@recomputes("attribution", "methods_that_fail")
@recomputes("class_activation", "methods_that_fail")
@recomputes("faithfulness", "methods_that_fail")
def methods_that_fail(report: Report, row: Row) -> float:
    return sum(one.value > LIMIT for one in report.beside(row, "similarity_when_shuffled"))


@recomputes("faithfulness", "fails")
def fails(report: Report, row: Row) -> float:
    (found,) = report.beside(row, "similarity_when_shuffled", method=row.of["method"])
    return found.value > LIMIT


# --- class activation ---


def cells(report: Report, row: Row, places: np.ndarray, target: Tensor, method: str) -> list[np.ndarray]:
    run = report.run(row)
    key = "cells", row.name, tuple(places), tuple(target.tolist()), method
    layers = cam_layers(run)
    make: Callable = lambda: [one.numpy() for one in cam_cells(run.network(), run.x[places], target, layers, method)]  # noqa: E731
    return report.once(key, make)


def quarter(values: np.ndarray) -> float:
    """The share of a map that lies in its strongest quarter of places."""
    many = max(1, round(len(values) / 4))
    return float(np.sort(values)[-many:].sum() / values.sum())


def one_map(report: Report, row: Row) -> np.ndarray:
    run = report.run(row)
    at = np.array([run.ids.index(row.of["sample"])])
    label = torch.tensor([run.data.classes.index(row.of["class"])])
    return cells(report, row, at, label, row.of["method"])[cam_layers(run).index(row.layer)][0]


@recomputes("class_activation", "map_max", digits=4, size=1e-6)
def map_max(report: Report, row: Row) -> float:
    return float(one_map(report, row).max())


def compared(report: Report, row: Row, method: str) -> list[np.ndarray]:
    """The maps on the samples compared, each as its places; of sentences on their words."""
    run = report.run(row)
    places = evenly(len(run.ids), run.setting("class_activation", "compared"))
    found = cells(report, row, places, run.logits[places].argmax(1), method)
    if not run.network().words:
        return list(np.concatenate(found, axis=1))
    words = on_input(run, cam_layers(run), [torch.from_numpy(one) for one in found]).numpy()
    return [one[good] for one, good in zip(words, run.valid[places], strict=True)]


@recomputes("class_activation", "in_strongest_quarter", size=1e-5)
def in_strongest_quarter(report: Report, row: Row) -> Found:
    if "sample" in row.of:
        return Found(quarter(one_map(report, row)))
    each = [quarter(one) for one in compared(report, row, row.of.get("method", "grad_cam")) if one.sum() > 0]
    return mean_of(each, 0, 1) if len(each) >= 10 else Found(float(np.mean(each)))


@recomputes("class_activation", "blank", "blank_grad_cam")
def blank(report: Report, row: Row) -> Found:
    each = compared(report, row, row.of.get("method", "grad_cam"))
    return share_of(sum(one.sum() == 0 for one in each), len(each))


@recomputes("class_activation", "cells")
def number_of_cells(report: Report, row: Row) -> float:
    run = report.run(row)
    return sum(geometry(run, layer).count for layer in cam_layers(run))


@recomputes("class_activation", "agreement", size=RANKS)
def cams_alike(report: Report, row: Row) -> Found:
    pairs = [(row.of["method"], row.of["with"])] if row.subject else list(itertools.combinations(CAMS, 2))
    each = [
        [spearman(a, b) for a, b in zip(compared(report, row, one), compared(report, row, other), strict=True)]
        for one, other in pairs
    ]
    values = np.mean(each, axis=0)
    return mean_of(values) if len(values) >= 10 else Found(float(values.mean()))


@recomputes("class_activation", "read_class_like_true_class", size=RANKS)
def read_like_true(report: Report, row: Row) -> float:
    run = report.run(row)
    at = np.array([run.ids.index(row.of["sample"])])
    labels = [run.read[at], run.labels[at]]
    read, true = (
        cells(report, row, at, torch.from_numpy(label.astype(np.int64)), "grad_cam")[0][0] for label in labels
    )
    return spearman(read, true)


# --- faithfulness ---


def control(run: Run, places: np.ndarray) -> np.ndarray:
    """A map of the data alone: light, loudness, or the rarity of a word in the training sentences."""
    if run.network().words:
        counts = np.bincount(run.data.raw("train").ravel(), minlength=int(run.raw.max()) + 1)
        counts[:2] = 0
        return -np.log(counts[run.raw[places]] + 1.0)
    return (run.x[places] - nothing(run)).sum(1).double().numpy()


def areas(report: Report, row: Row, method: str, test: str) -> np.ndarray:
    """The mean probability of the class over a curve, of each sample."""
    run = report.run(row)
    n = next(one.n for one in report.beside(row, f"{test}_area"))
    assert n is not None

    def make() -> np.ndarray:
        network, words = run.network(), run.network().words
        places = evenly(len(run.ids), n)
        steps = len((run.exhibit_folder("faithfulness") / f"{test}.csv").read_text().splitlines()) - 2
        good = valid(run, places)
        chance = np.random.default_rng(20261127).random(good.shape)
        if method in METHODS + CAMS:
            maps = made(report, row, places, method, 40)
            if method in ("gradients", "guided_backpropagation") and not words:
                maps = np.abs(maps)
        else:
            maps = chance if method == "random" else control(run, places)
        target = run.logits[places].argmax(1)
        base, most = nothing(run), 1.0 if run.data.kind == "images" else float(run.raw.max())
        loud = None if words else run.data.normal(np.full(run.raw.shape[1:], most))
        changed = []
        for at, place in enumerate(places):
            order = np.lexsort((chance[at].ravel(), -np.where(good[at], maps[at], -np.inf).ravel()))
            total = int(good[at].sum())
            for step in range(steps + 1):
                top = np.zeros(good[at].size, dtype=bool)
                top[order[: int(np.floor(step / steps * total + 0.5))]] = True
                top = top.reshape(good[at].shape)
                changed.append(_changed(run, run.x[place], top, test, base[0], loud))
        sure = network.logits(torch.stack(changed)).double().softmax(1).numpy()
        curve = sure[np.arange(len(sure)), np.repeat(target.numpy(), steps + 1)].reshape(n, steps + 1)
        return (curve[:, 1:] + curve[:, :-1]).mean(1) / 2

    return report.once(("area", row.name, method, test), make)


def _changed(run: Run, x: Tensor, top: np.ndarray, test: str, base: Tensor, loud: Tensor | None) -> Tensor:
    mask = torch.from_numpy(top)
    if loud is None:
        if test == "flipping":
            return torch.where(mask & (x != 0), 1, x)
        left = x[(x != 0) & (mask if test == "insertion" else ~mask)]
        return torch.cat([left, torch.zeros(len(x) - len(left), dtype=x.dtype)])
    if test == "flipping":
        return torch.where(mask, base + loud - x, x)
    return torch.where(mask if test == "deletion" else ~mask, base, x)


def name_of(method: str) -> str:
    return method if method in METHODS + CAMS + ("random",) else "data"


def test_of(row: Row) -> str:
    return row.metric.removeprefix("best_").partition("_")[0]


def drawn_room(report: Report, row: Row, method: str, values: np.ndarray) -> float:
    """What ties that are broken at random leave open, and a map that is random."""
    return (
        2e-2  # of a map of 11 × 11 cells most places are tied with others; found between two draws of 48 samples: 0.01
        if method in CAMS
        else 5e-3
        if method in ("integrated_gradients", "data")
        else 4 * float(stats.sem(values))
        if method == "random"
        else 2e-3
    )


def groups_of(report: Report, row: Row, n: int) -> np.ndarray:
    """Of n test samples evenly spread, which go together: clips of one speaker that are read as one word."""
    run = report.run(row)
    table, places = run.data.rows("test"), evenly(len(run.ids), n)
    if "voice" not in table:
        return np.arange(n)
    who = table["voice"].str.split("+").str[-1].to_numpy()[places]
    return pd.Series(list(zip(who, run.logits[places].argmax(1).tolist(), strict=True))).factorize()[0]


def over_groups(report: Report, row: Row, values: np.ndarray) -> Found:
    """The mean over samples, and Student's interval from the spread of the groups' sums."""
    groups = groups_of(report, row, len(values))
    many = groups.max() + 1
    apart = np.array([(values[groups == one] - values.mean()).sum() for one in range(many)])
    variance, quantile = spread(apart, np.bincount(groups).astype(float))
    half = quantile * float(np.sqrt(variance)) / len(values)
    return Found(float(values.mean()), float(values.mean()) - half, float(values.mean()) + half)


@recomputes(
    "faithfulness",
    "deletion_area",
    "insertion_area",
    "flipping_area",
    ends=0.15,
    why="places of equal rank go in a random order",
)
def area(report: Report, row: Row) -> Found | None:
    if report.run(row).network().large:
        return None
    method = name_of(row.of["method"])
    values = areas(report, row, method, test_of(row))
    found = over_groups(report, row, values)
    quiet = 1e-2 if test_of(row) == "flipping" else 0.0  # of a sound most places are silent, and tied
    return Found(found.value, found.low, found.high, room=quiet + drawn_room(report, row, method, values))


@recomputes(
    "faithfulness",
    "deletion_gain",
    "insertion_gain",
    "flipping_gain",
    ends=0.15,
    why="places of equal rank go in a random order",
)
def gain(report: Report, row: Row) -> Found | None:
    """Over the better of the two controls, of each sample."""
    if report.run(row).network().large:
        return None
    test, over = test_of(row), name_of(row.of.get("over", "random"))
    sign = 1 if test == "insertion" else -1
    if "over" in row.of:
        ahead = sign * (
            areas(report, row, over, test) - areas(report, row, "data" if over == "random" else "random", test)
        )
        if ahead.mean() < -4 * stats.sem(ahead):  # of two that are as good the random one may be drawn better or worse
            return None
    other = areas(report, row, over, test)
    found = over_groups(report, row, sign * (areas(report, row, row.of["method"], test) - other))
    return Found(
        found.value,
        found.low,
        found.high,
        room=drawn_room(report, row, row.of["method"], other) + drawn_room(report, row, over, other),
    )


def gains(report: Report, row: Row, test: str) -> list[Row]:
    return report.beside(row, f"{test}_gain")


def ahead(report: Report, row: Row) -> set[tuple[str, str]]:
    """The (method, test) better than both controls: one-sided t-tests of all together (Benjamini & Hochberg 1995).

    From the gains' intervals.
    """
    every = [one for test in ("deletion", "insertion", "flipping") for one in gains(report, row, test)]
    if any(one.low is None for one in every):
        return set()
    p = []
    for one in every:
        assert one.n is not None and one.low is not None and one.high is not None
        free = groups_of(report, row, one.n).max()  # one less than there are
        error = (one.high - one.low) / 2 / float(stats.t.ppf(0.975, free))
        p.append(float(stats.t.sf(one.value / error, free)) if error else float(one.value <= 0))
    good = stats.false_discovery_control(p, method="bh") <= 0.05
    return {(one.of["method"], test_of(one)) for one, found in zip(every, good, strict=True) if found}


@recomputes("faithfulness", "best_deletion_gain", "best_insertion_gain", "best_flipping_gain")
def best_gain(report: Report, row: Row) -> Found:
    """The largest of those that pass the randomisation test, or of all; one that is ahead before one that isn't."""
    failing = {one.of["method"] for one in report.beside(row, "fails") if one.value}
    every, test = gains(report, row, test_of(row)), test_of(row)
    passing = [one for one in every if one.of["method"] not in failing] or every
    found = ahead(report, row)
    best = max([one for one in passing if (one.of["method"], test) in found] or passing, key=lambda one: one.value)
    return Found(best.value, best.low, best.high)


@recomputes("faithfulness", "better_at_deletion", "better_at_insertion", "better_at_flipping")
def better_at(report: Report, row: Row) -> float:
    return sum(test == row.metric.removeprefix("better_at_") for _, test in ahead(report, row))
