"""Kernels: the weights of the first layer, measured anew."""

from __future__ import annotations

import numpy as np
from families import Found, Report, mean_of, recomputes, share_of
from finished import Row

SETS = 300  # of random kernels
NOTHING = 1e-3  # of a layer's largest norm: a filter below it has no weight to speak of
CHANCE = "compared with kernels drawn at random"


def weights(report: Report, row: Row, layer: str = "") -> np.ndarray:
    return report.run(row).network().t[f"{layer or row.layer}.weight"].numpy().astype(np.float64)


def layers(report: Report, row: Row) -> list[str]:
    """The row's layer, or all that read the input."""
    return [row.layer] if row.layer else report.run(row).network().first


def at_work(kernels: np.ndarray) -> np.ndarray:
    norm = np.linalg.norm(kernels.reshape(len(kernels), -1), axis=1)
    return norm > NOTHING * norm.max()


def likeness(kernels: np.ndarray) -> np.ndarray:
    """Of each filter the largest size of its cosine with another."""
    flat = kernels.reshape(len(kernels), -1)
    cosine = np.corrcoef(np.concatenate([flat, -flat], axis=1))  # of vectors made to have mean 0, correlation is cosine
    return (np.abs(cosine) - np.eye(len(flat))).max(axis=1)


def smoothness(kernels: np.ndarray, words: bool) -> np.ndarray:
    """Twice the products of neighbouring weights over the sum of their squares."""
    above, below = np.zeros(len(kernels)), np.zeros(len(kernels))
    for axis in [2] if words else range(2, kernels.ndim):
        one, other = np.split(kernels, [1], axis)[1], np.split(kernels, [-1], axis)[0]
        rest = tuple(range(1, kernels.ndim))
        above += 2 * (one * other).sum(rest)
        below += (one**2 + other**2).sum(rest)
    return above / below


def ordered(report: Report, row: Row, layer: str) -> bool:
    """Whether a kernel has weights side by side: along words those of several words, along places several."""
    shape = weights(report, row, layer).shape
    return shape[2] > 1 if report.run(row).network().words else max(shape[2:]) > 1


@recomputes("kernels", "norm", "smallest_weight", "largest_weight", "share_of_squares", digits=4)
def of_filter(report: Report, row: Row) -> float:
    kernels = weights(report, row)
    mine = kernels[row.unit]
    return float(
        {
            "norm": np.sqrt((mine**2).sum()),
            "smallest_weight": mine.min(),
            "largest_weight": mine.max(),
            "share_of_squares": (mine**2).sum() / (kernels**2).sum(),
        }[row.metric]
    )


@recomputes("kernels", "likeness", digits=4)
def alike(report: Report, row: Row) -> Found:
    if row.unit is not None:
        kernels = weights(report, row)
        working = at_work(kernels)  # a filter without weight is like none, and none is like it
        return Found(float(likeness(kernels[working])[working[: row.unit].sum()]) if working[row.unit] else 0.0)
    each = [weights(report, row, layer) for layer in layers(report, row)]
    return mean_of(np.concatenate([likeness(one[at_work(one)]) for one in each]), 0, 1)


@recomputes("kernels", "smoothness", digits=4)
def smooth(report: Report, row: Row) -> Found:
    words = report.run(row).network().words
    if row.unit is not None:
        kernels = weights(report, row)
        return Found(float(smoothness(kernels, words)[row.unit]) if at_work(kernels)[row.unit] else 0.0)
    each = [weights(report, row, layer) for layer in layers(report, row) if ordered(report, row, layer)]
    return mean_of(np.concatenate([smoothness(one[at_work(one)], words) for one in each]), -1, 1)


@recomputes("kernels", "filters")
def filters(report: Report, row: Row) -> float:
    return sum(len(weights(report, row, layer)) for layer in layers(report, row))


@recomputes("kernels", "weights")
def all_weights(report: Report, row: Row) -> float:
    return sum(weights(report, row, layer).size for layer in layers(report, row))


@recomputes("kernels", "idle")
def idle(report: Report, row: Row) -> Found:
    each = np.concatenate([at_work(weights(report, row, layer)) for layer in layers(report, row)])
    return share_of(int((~each).sum()), len(each))


@recomputes("kernels", "idle_filters")
def idle_filters(report: Report, row: Row) -> float:
    return int((~at_work(weights(report, row))).sum())


def directions(kernels: np.ndarray) -> int:
    """How many principal directions hold 95 % of the squares."""
    flat = kernels.reshape(len(kernels), -1)
    values = np.sort(np.linalg.eigvalsh(flat @ flat.T))[::-1]
    return int((np.cumsum(values) < 0.95 * values.sum()).sum()) + 1


@recomputes("kernels", "components")
def components(report: Report, row: Row) -> float:
    return directions(weights(report, row))


def untrained(report: Report, row: Row, layer: str) -> dict[str, np.ndarray]:
    """Of random kernels of the layer's shape the mean likeness of a set, its directions, and the smoothness of each
    filter.
    """

    def make() -> dict[str, np.ndarray]:
        kernels = weights(report, row, layer)
        shape = kernels[at_work(kernels)].shape
        random = np.random.default_rng(20261127)
        words = report.run(row).network().words
        sets = [random.uniform(-1, 1, shape) for _ in range(max(20, min(SETS, 10_000_000 // kernels.size)))]
        return {
            "likeness": np.array([likeness(one).mean() for one in sets]),
            "components": np.array([directions(one) for one in sets[:20]]),
            "smoothness": np.array([smoothness(one, words) for one in sets])
            if ordered(report, row, layer)
            else np.zeros((1, 1)),
        }

    return report.once(("untrained", row.name, layer), make)


@recomputes("kernels", "components_untrained", size=0.5, why=CHANCE)
def components_untrained(report: Report, row: Row) -> float:
    return float(untrained(report, row, row.layer)["components"].mean())


@recomputes("kernels", "likeness_untrained", share=0.01, ends=0.25, why=CHANCE)
def likeness_untrained(report: Report, row: Row) -> Found:
    low, high = np.quantile(found := untrained(report, row, row.layer)["likeness"], (0.025, 0.975))
    return Found(float(found.mean()), float(low), float(high))


@recomputes("kernels", "smoothness_untrained", size=0.02, ends=0.25, why=CHANCE)
def smoothness_untrained(report: Report, row: Row) -> Found:
    low, high = np.quantile(untrained(report, row, row.layer)["smoothness"].mean(1), (0.025, 0.975))
    return Found(float(low + high) / 2, float(low), float(high))


@recomputes("kernels", "structured", size=0.1, ends=0.5, why=CHANCE)
def structured(report: Report, row: Row) -> Found:
    """The share of filters outside of the band that holds 95 % of random ones."""
    words, outside, n = report.run(row).network().words, 0, 0
    for layer in layers(report, row):
        if ordered(report, row, layer):
            kernels = weights(report, row, layer)
            found = smoothness(kernels[at_work(kernels)], words)
            low, high = np.quantile(untrained(report, row, layer)["smoothness"], (0.025, 0.975))
            outside, n = outside + int(((found < low) | (found > high)).sum()), n + len(found)
    return share_of(outside, n)
