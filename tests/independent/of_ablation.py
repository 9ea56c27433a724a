"""Networks without a filter: what is left is found from what the filter adds to the layer behind it, and taken away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from families import Found, Report, Z, leaves, of_groups, recomputes, share_of, spread
from finished import Row, Run, evenly
from forward import Network
from of_data import speakers
from scipy import stats
from torch import Tensor
from torch.nn import functional as F

POINT = 0.01
RATE = 0.05  # of the filters named good or harmful that may be so by chance


@dataclass(frozen=True)
class Removed:
    """Answers with all filters, and without each:

    right (n,), (filters, n) by layer; loss likewise. groups: see `groups_of`.
    """

    labels: np.ndarray
    right: np.ndarray
    loss: np.ndarray
    without: dict[str, np.ndarray]
    more: dict[str, np.ndarray]
    groups: np.ndarray | None
    places: np.ndarray


def groups_of(run: Run, places: np.ndarray) -> np.ndarray | None:
    """Clips in which one speaker says one word go together; other samples go by themselves."""
    if "voice" not in run.data.table:
        return None
    pairs = [f"{who} {label}" for who, label in zip(speakers(run)[places], run.labels[places], strict=True)]
    return np.unique(pairs, return_inverse=True)[1]


def logits_without(network: Network, x: Tensor) -> dict[str, Tensor]:
    """By layer the logits without each of its filters, (filters, n, classes)."""
    held = network.run(x)
    t = network.t
    if network.words:  # a filter's greatest value times its weights is all that it adds
        found, column = {}, 0
        for layer in network.convolutions:
            tops = held[layer.replace("conv", "pool")]
            mine = t["dense.weight"][:, column : column + tops.shape[1]]
            found[layer] = held["logits"] - tops.T[:, :, None] * mine.T[:, None]
            column += tops.shape[1]
        return found
    first, second = network.convolutions
    dense = "dense1" if "dense1.weight" in t else "dense"

    def onward(before: Tensor) -> Tensor:
        return before if dense == "dense" else F.linear(F.relu(before), t["dense2.weight"], t["dense2.bias"])

    def behind(pooled: Tensor) -> Tensor:
        return onward(F.linear(pooled.flatten(1), t[f"{dense}.weight"], t[f"{dense}.bias"]))

    pools = network.model.get("pools") or ([[2, 1]] * 2 if "heights" in network.model else [[2, 2]] * 2)
    early = []
    for k in range(held["pool1"].shape[1]):
        part = F.conv2d(held["pool1"][:, k : k + 1], t[f"{second}.weight"][:, k : k + 1])
        before = held[second] - part
        if network.driven(second) != second:
            before = network._norm(network.driven(second), before, 1e-5)
        early.append(behind(F.max_pool2d(F.relu(before), pools[1])))
    whole, late = held[dense], []
    columns = held["pool2"][0, 0].numel()
    for k in range(held["pool2"].shape[1]):
        part = held["pool2"][:, k].flatten(1) @ t[f"{dense}.weight"][:, k * columns : (k + 1) * columns].T
        late.append(onward(whole - part))
    return {first: torch.stack(early), second: torch.stack(late)}


def removed(report: Report, row: Row) -> Removed:
    run = report.run(row)

    def make() -> Removed:
        (said,) = (one for one in report.beside(row, "accuracy") if not one.subject)
        assert said.n is not None
        places = np.flatnonzero(run.labels >= 0)
        places = places[evenly(len(places), said.n)]
        labels = torch.from_numpy(run.labels[places])
        parts: dict[str, list[Tensor]] = {}
        with torch.no_grad():
            for some in np.array_split(places, max(1, len(places) // 250)):
                for layer, logits in logits_without(run.network(), run.x[some]).items():
                    parts.setdefault(layer, []).append(logits)
        without, more = {}, {}
        whole = run.logits[places].double()
        loss = F.cross_entropy(whole, labels, reduction="none").numpy()
        for layer, found in parts.items():
            logits = torch.cat(found, dim=1).double()
            without[layer] = (logits.argmax(2) == labels).numpy()
            each = -logits.log_softmax(2).gather(2, labels.expand(len(logits), -1)[..., None])[..., 0].numpy()
            more[layer] = each - loss
        right = (whole.argmax(1) == labels).numpy()
        return Removed(run.labels[places], right, loss, without, more, groups_of(run, places), places)

    return report.once(("removed", row.name), make)


def wider(before: np.ndarray, after: np.ndarray, groups: np.ndarray) -> float:
    """The standard error over groups, with Student's t, by that of independent samples with the normal's quantile;

    at least 1.
    """
    change = before.astype(float)[None] - np.atleast_2d(after)
    many = len(np.unique(groups))
    rest = change - change.mean(1, keepdims=True)
    alone = (rest**2).sum()
    sums = np.stack([rest[:, groups == one].sum(1) for one in range(many)])
    together, quantile = spread(sums.T, np.bincount(groups).astype(float))
    return 1.0 if alone == 0 else max(1.0, quantile / Z * float(np.sqrt(together / alone)))


def wider_of_all(report: Report, row: Row) -> float:
    of = removed(report, row)
    if of.groups is None:
        return 1.0
    return report.once(
        ("wider", row.name), lambda: wider(of.right, np.concatenate(list(of.without.values())), of.groups)
    )


def lost(report: Report, row: Row, layer: str, unit: int) -> Found:
    """Agresti & Min (2005): half a sample added to each of the four cells of a paired comparison."""
    of = removed(report, row)
    after = of.without[layer][unit]
    n = len(after)
    worse, better = int((of.right & ~after).sum()), int((~of.right & after).sum())
    b, c, total = worse + 0.5, better + 0.5, n + 2
    middle = (b - c) / total
    half = Z * float(np.sqrt(b + c - (b - c) ** 2 / total)) / total
    if of.groups is not None:
        half *= max(wider_of_all(report, row), wider(of.right, after, of.groups))
    return Found((worse - better) / n, max(-1.0, middle - half), min(1.0, middle + half))


@recomputes("filter_ablation", "accuracy_lost", size=6e-6)
def accuracy_lost(report: Report, row: Row) -> Found:
    assert row.unit is not None
    return lost(report, row, row.layer, row.unit)


@recomputes("filter_ablation", "accuracy")
def accuracy(report: Report, row: Row) -> Found:
    of = removed(report, row)
    if of.groups is None:
        return share_of(int(of.right.sum()), len(of.right))
    many = range(int(of.groups.max()) + 1)
    hits, n = (np.array([each[of.groups == one].sum() for one in many]) for each in (of.right, np.ones(len(of.right))))
    return Found(float(of.right.mean()), *of_groups(hits, n))


def chance(before: np.ndarray, after: np.ndarray, groups: np.ndarray | None) -> float:
    """McNemar's exact test; of groups that of all ways to turn the signs of their sums."""
    change = before.astype(int) - after
    if groups is None:
        worse, better = int((change > 0).sum()), int((change < 0).sum())
        return float(stats.binomtest(worse, worse + better).pvalue) if worse + better else 1.0
    sums = np.abs([change[groups == one].sum() for one in range(int(groups.max()) + 1)])
    way = np.ones(1)
    for size in sums[sums > 0]:
        step = np.zeros(2 * size + 1)
        step[0] = step[-1] = 0.5
        way = np.convolve(way, step)
    values = np.arange(len(way)) - len(way) // 2
    return min(1.0, float(way[np.abs(values) >= abs(int(change.sum()))].sum()))


def kinds(report: Report, row: Row) -> dict[str, list[str]]:
    """Good or harmful:

    beyond chance, with at most a twentieth by chance (Benjamini & Hochberg 1995). Idle: hardly anything changes.
    """

    def make() -> dict[str, list[str]]:
        of, run = removed(report, row), report.run(row)
        of_all = [(layer, unit) for layer, each in of.without.items() for unit in range(len(each))]
        p = np.array([chance(of.right, of.without[layer][unit], of.groups) for layer, unit in of_all])
        adjusted = stats.false_discovery_control(p, method="bh")
        limit = min(POINT, run.setting("filter_ablation", "idle") * float((~of.right).mean()))
        looked = run.x[of.places[evenly(len(of.places), 500)]]
        with torch.no_grad():
            held = run.network().run(looked)
        found: dict[str, list[str]] = {layer: [] for layer in of.without}
        for (layer, unit), q in zip(of_all, adjusted, strict=True):
            change = lost(report, row, layer, unit)
            moves = bool((np.abs(of.more[layer][unit]) > 1e-6).any())
            fires = bool((held[run.network().rectified(layer)][:, unit] > 0).any())
            assert change.low is not None and change.high is not None
            if not moves and not fires:
                kind = "dead"
            elif q <= RATE:
                kind = "good" if change.value > 0 else "harmful"
            else:
                kind = "idle" if max(-change.low, change.high) <= limit or not moves else "undecided"
            found[layer].append(kind)
        return found

    return report.once(("kinds", row.name), make)


@recomputes("filter_ablation", "good", "idle", "harmful", "undecided", "dead")
def of_kind(report: Report, row: Row) -> float:
    found = kinds(report, row)
    return sum(each.count(row.metric) for layer, each in found.items() if row.layer in ("", layer))


@recomputes("filter_ablation", "loss_rises", "loss_falls", size=1, why="a filter may lie on the edge")
def loss_moves(report: Report, row: Row) -> float:
    """Beyond doubt: the mean is twice as far from zero as its 95 % interval goes."""
    of, moved = removed(report, row), 0
    for each in of.more.values():
        for more in each:
            mean, n = float(more.mean()), len(more)
            if of.groups is None:
                half = float(stats.t.ppf(0.975, n - 1)) * float(stats.sem(more))
            else:
                many = int(of.groups.max()) + 1
                sums = np.array([(more[of.groups == one] - mean).sum() for one in range(many)])
                variance, quantile = spread(sums, np.bincount(of.groups).astype(float))
                half = quantile * float(np.sqrt(variance)) / n
            moved += abs(mean) > 2 * half and (mean > 0) == (row.metric == "loss_rises")
    return moved


@recomputes("filter_ablation", "effective_filters", digits=3, share=1e-3)
def effective_filters(report: Report, row: Row) -> float:
    """How many filters' worth of different maps: n² over the sum of the squared correlations of those that vary."""
    of, run = removed(report, row), report.run(row)

    def make() -> dict[str, float]:
        found = {}
        with torch.no_grad():
            held = run.network().run(run.x[of.places[evenly(len(of.places), 500)]])
        for layer in of.without:
            maps = held[run.network().rectified(layer)].flatten(2)
            some = maps[:, :, evenly(maps.shape[2], 64)].transpose(1, 2).flatten(0, 1).double().numpy()
            some = some[:, some.std(0) > 1e-6 * some.std(0).max()]
            found[layer] = some.shape[1] ** 2 / float((np.corrcoef(some.T) ** 2).sum())
        return found

    found = report.once(("effective", row.name), make)
    return found[row.layer] if row.layer else sum(found.values())


leaves(
    "filter_ablation",
    ["filters_enough", "filters_enough_at_random"],
    "filters go in an order that is found greedily, or drawn",
)
