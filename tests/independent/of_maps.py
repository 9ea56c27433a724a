"""Feature maps, top patches and deconvolution: what filters make of real samples, run anew."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from families import Found, Report, mean_of, recomputes, share_of
from finished import Row, Run, evenly
from forward import Geometry, Network
from torch import Tensor

PATCHES = 9  # of a filter (conf/dissect/top_patches.yaml)


def geometry(run: Run, layer: str) -> Geometry:
    return run.network().geometry(tuple(run.data.facts["shape"]))[layer]


def without_words(run: Run, layer: str, raw: np.ndarray) -> np.ndarray:
    """Which windows hold no word of a sentence: (sentences, windows)."""
    field = geometry(run, layer)
    ends = np.array([np.flatnonzero(one)[-1] + 1 if one.any() else 0 for one in raw])
    first = field.start[0] + field.step[0] * np.arange(field.units[0])
    return (first[None] >= ends[:, None]) | (first[None] + field.size[0] <= 0)


@dataclass
class Heard:
    """What a layer's filters make of samples: the greatest value before the rectifier, (samples, filters), and where.

    sums: of the map behind the rectifier. mean, spread: of the values over samples and places. mean_sum, spread_sum:
    of the sums.
    """

    peaks: np.ndarray
    where: np.ndarray
    sums: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def heard(report: Report, run: Run, x: Tensor | None = None, key: object = "test") -> dict[str, Heard]:
    """Of all convolutions, and of hidden dense layers, on the test samples (or x). Windows without a word don't count.

    Places that see the padding around a sample count only where all do, as long as `key` is "inside".
    """
    x = run.x if x is None else x

    def make() -> dict[str, Heard]:
        network = run.network()
        names = [*network.convolutions, *(["dense1"] if "dense2.weight" in network.t else [])]
        kept: dict[str, list] = {name: [] for name in names}
        shape = tuple(x.shape[1:])
        fields = network.geometry(shape)
        inside = {name: _inside(fields[name], shape) for name in network.convolutions if key == "inside"}
        with torch.no_grad():
            for start in range(0, len(x), 250):
                part = x[start : start + 250]
                held = network.run(part)
                for name in names:
                    before = held[network.driven(name)].flatten(2) if held[name].dim() > 2 else held[name][..., None]
                    if network.words:
                        empty = torch.from_numpy(without_words(run, name, part.numpy()))
                        before = before.masked_fill(empty[:, None], -torch.inf)
                    after = before.clamp(min=0, max=6.0 if network.large else None)
                    if ".project." in name:
                        after = before
                    if name in inside:
                        before = before[:, :, inside[name]]
                    peak, where = before.max(2)
                    if name in inside:
                        where = inside[name][where]
                    wide = before.double().nan_to_num(neginf=0)  # of sentences nobody asks for it
                    kept[name].append(
                        (peak.double().numpy(), where.numpy(), after.double().sum(2).numpy(), wide.sum((0, 2)).numpy(),
                         wide.square().sum((0, 2)).numpy(), before.shape[0] * before.shape[2])
                    )  # fmt: skip
        found = {}
        for name, parts in kept.items():
            peaks, where, sums, total, squares, n = zip(*parts, strict=True)
            many = sum(n)
            mean = sum(total) / many
            found[name] = Heard(
                np.concatenate(peaks), np.concatenate(where), np.concatenate(sums),
                mean, np.sqrt(np.maximum(sum(squares) / many - mean**2, 0)),
            )  # fmt: skip
        return found

    return report.once(("heard", run.name, key), make)


def _inside(field: Geometry, shape: tuple[int, ...]) -> Tensor:
    """Which places of a map see nothing but the input; all where none does."""
    axes = [
        (a + j * np.arange(n) >= 0) & (a + j * np.arange(n) + r <= side)
        for a, j, n, r, side in zip(field.start, field.step, field.units, field.size, shape[1:], strict=True)
    ]
    found = np.flatnonzero(np.logical_and.outer(*axes).ravel())
    return torch.from_numpy(found if len(found) else np.arange(field.count))


# --- feature_maps ---


def shown_maps(report: Report, row: Row, layer: str, sample: str) -> np.ndarray:
    """The maps of one sample behind the rectifier, (filters, places); of a sentence those windows that hold a word."""
    run = report.run(row)

    def make() -> dict[str, Tensor]:
        at = run.ids.index(sample)
        with torch.no_grad():
            return run.network().run(run.x[at : at + 1])

    held = report.once(("maps", row.name, sample), make)[run.network().rectified(layer)][0].flatten(1).double().numpy()
    if run.network().words:
        at = run.ids.index(sample)
        held = held[:, ~without_words(run, layer, run.raw[at : at + 1])[0]]
    return held


def shown_layers(report: Report, row: Row) -> list[str]:
    run = report.run(row)
    return run.network().first if run.network().words else run.network().convolutions[:2]


def shown_samples(report: Report, row: Row) -> list[str]:
    return list(dict.fromkeys(one.of["sample"] for one in report.beside(row, "map_max")))


@recomputes("feature_maps", "map_mean", "map_max", digits=4, size=2e-6)
def map_value(report: Report, row: Row) -> float:
    mine = shown_maps(report, row, row.layer, row.of["sample"])[row.unit]
    return float(mine.mean() if row.metric == "map_mean" else mine.max())


@recomputes("feature_maps", "map_zeros", digits=4)
def map_zeros(report: Report, row: Row) -> float:
    if row.unit is not None:
        return float((shown_maps(report, row, row.layer, row.of["sample"])[row.unit] <= 0).mean())
    return float(
        np.concatenate(
            [
                (shown_maps(report, row, layer, sample) <= 0).mean(1)
                for layer in shown_layers(report, row)
                for sample in shown_samples(report, row)
            ]
        ).mean()
    )


def compared_peaks(report: Report, row: Row, layer: str) -> np.ndarray:
    """The peaks of maps on the samples compared, 2,000 at most: behind the rectifier."""
    run = report.run(row)
    found = heard(report, run)[layer].peaks[evenly(len(run.ids), run.setting("feature_maps", "compared"))]
    return np.maximum(found, 0)


@recomputes("feature_maps", "fires")
def map_fires(report: Report, row: Row) -> Found:
    peaks = compared_peaks(report, row, row.layer)[:, row.unit]
    return share_of(int((peaks > 0).sum()), len(peaks))


@recomputes("feature_maps", "map_rank", size=2e-3, why="peaks that are nearly equal change places in single precision")
def map_rank(report: Report, row: Row) -> Found:
    """The same words stand in many sentences, so that many peaks are the same but for their last bits."""
    peaks = compared_peaks(report, row, row.layer)[:, row.unit]
    own = shown_maps(report, row, row.layer, row.of["sample"])[row.unit].max()
    apart = np.abs(peaks - own) / max(float(np.abs(peaks).max()), 1e-3)
    value = ((peaks < own) & (apart > 1e-6)).mean() + (apart <= 1e-6).mean() / 2
    return Found(float(value), room=float((apart < 1e-5).mean()))


@recomputes("feature_maps", "silent")
def silent(report: Report, row: Row) -> float:
    if row.layer:
        return int((shown_maps(report, row, row.layer, row.of["sample"]).max(1) <= 0).sum())
    each = [
        shown_maps(report, row, layer, sample).max(1) <= 0
        for layer in shown_layers(report, row)
        for sample in shown_samples(report, row)
    ]
    return float(np.concatenate(each).mean())


@recomputes("feature_maps", "dead")
def dead_maps(report: Report, row: Row) -> float:
    each = [
        (compared_peaks(report, row, layer) <= 0).all(0)
        for layer in ([row.layer] if row.layer else shown_layers(report, row))
    ]
    return int(each[0].sum()) if row.layer else float(np.concatenate(each).mean())


@recomputes("feature_maps", "maps")
def maps(report: Report, row: Row) -> float:
    tensors = report.run(row).network().t
    return sum(len(tensors[f"{layer}.weight"]) for layer in ([row.layer] if row.layer else shown_layers(report, row)))


@recomputes("feature_maps", "receptive_field", "map_size")
def field_of_map(report: Report, row: Row) -> float:
    run = report.run(row)
    axis = [axis["name"] for axis in run.data.facts["axes"]].index(row.of["axis"])
    field = geometry(run, row.layer)
    return (field.size if row.metric == "receptive_field" else field.units)[axis]


@recomputes("feature_maps", "sees", digits=4)
def sees(report: Report, row: Row) -> float:
    run = report.run(row)
    field = geometry(run, shown_layers(report, row)[-1])
    sides = [len(axis["values"]) for axis in run.data.facts["axes"]]
    return float(np.prod([min(size, side) / side for size, side in zip(field.size, sides, strict=True)]))


# --- top_patches ---


@dataclass(frozen=True)
class Best:
    """A filter's best patches, best first: the sample, the place on the map, the value."""

    sample: np.ndarray
    unit: list[tuple[int, ...]]
    value: np.ndarray


def best_patches(report: Report, run: Run, layer: str, unit: int, most: int) -> Best:
    """One patch a sample; of fewer samples than are wanted several, those that overlap with a better one left out."""
    field = geometry(run, layer)
    if len(run.ids) >= most:
        of = heard(report, run)[layer]
        order = np.argsort(-of.peaks[:, unit], kind="stable")[:most]
        places = [tuple(int(one) for one in np.unravel_index(of.where[at, unit], field.units)) for at in order]
        return Best(order, places, of.peaks[order, unit])
    maps = (
        report.once(("all maps", run.name), lambda: _all_maps(run))[run.network().driven(layer)][:, unit]
        .double()
        .numpy()
    )
    chosen: list[tuple[int, tuple[int, ...], float]] = []
    for flat in np.argsort(-maps, axis=None, kind="stable"):
        sample, *place = (int(one) for one in np.unravel_index(flat, maps.shape))
        window = field.window(tuple(place))
        if not any(at == sample and _meet(window, field.window(other)) for at, other, _ in chosen):
            chosen.append((sample, tuple(place), float(maps[(sample, *place)])))
        if len(chosen) == most:
            break
    return Best(np.array([one[0] for one in chosen]), [one[1] for one in chosen], np.array([one[2] for one in chosen]))


def _all_maps(run: Run) -> dict[str, Tensor]:
    with torch.no_grad():
        return run.network().run(run.x)


def _meet(one, other) -> bool:
    return all(a < d and c < b for (a, b), (c, d) in zip(one, other, strict=True))


def patched(report: Report, row: Row) -> list[tuple[str, int]]:
    """The filters of which patches are shown."""
    return [(one.layer, one.unit) for one in report.beside(row, "best_activation") if one.unit is not None]


def live(report: Report, row: Row, layer: str, unit: int) -> Best:
    run = report.run(row)
    best = best_patches(report, run, layer, unit, run.setting("top_patches", "patches"))
    above = best.value > 0
    return Best(
        best.sample[above], [one for one, good in zip(best.unit, above, strict=True) if good], best.value[above]
    )


@recomputes("top_patches", "best_activation", digits=4)
def best_activation(report: Report, row: Row) -> float:
    return float(best_patches(report, report.run(row), row.layer, row.unit, PATCHES).value[0])


def purity_of(report: Report, row: Row, layer: str, unit: int) -> tuple[int, float] | None:
    run = report.run(row)
    labels = run.labels[live(report, row, layer, unit).sample]
    if not len(labels):
        return None
    counts = np.bincount(labels)
    return int(counts.argmax()), float(counts.max() / len(labels))


@recomputes("top_patches", "purity", digits=4)
def purity(report: Report, row: Row) -> Found | None:
    if row.unit is None:
        each = [purity_of(report, row, *one) for one in patched(report, row)]
        return mean_of([one[1] for one in each if one], 0, 1)
    found = purity_of(report, row, row.layer, row.unit)
    assert found is not None and report.run(row).data.classes[found[0]] == row.of["class"], found
    return Found(found[1])


@recomputes("top_patches", "purity_by_chance", size=4e-3, why="found by drawing at random")
def purity_by_chance(report: Report, row: Row) -> float:
    run = report.run(row)
    drawn = np.random.default_rng(20261127).choice(run.labels, (100_000, run.setting("top_patches", "patches")))
    counts = (drawn[:, :, None] == np.arange(len(run.data.classes))).sum(1)
    return float(counts.max(1).mean() / drawn.shape[1])


def bands(report: Report, row: Row, layer: str, unit: int) -> np.ndarray:
    """The middle of each patch along frequency, in bands."""
    field = geometry(report.run(row), layer)
    windows = [field.window(place)[0] for place in live(report, row, layer, unit).unit]
    return np.array([(first + last - 1) / 2 for first, last in windows])


@recomputes("top_patches", "frequency", digits=4)
def frequency(report: Report, row: Row) -> float:
    hertz = report.run(row).data.facts["axes"][0]["values"]
    return float(np.mean([np.interp(one, range(len(hertz)), hertz) for one in bands(report, row, row.layer, row.unit)]))


@recomputes("top_patches", "moves", digits=3)
def moves(report: Report, row: Row) -> Found:
    if row.unit is not None:
        return Found(float(bands(report, row, row.layer, row.unit).std()))
    return mean_of([bands(report, row, *one).std() for one in patched(report, row)], 0)


@recomputes("top_patches", "moves_if_anywhere")
def moves_if_anywhere(report: Report, row: Row) -> float:
    """The standard deviation of equally probable places, in bands."""
    run = report.run(row)
    fields = [geometry(run, layer) for layer, _ in patched(report, row)]
    return float(np.mean([np.std(field.step[0] * np.arange(field.units[0])) for field in fields]))


@recomputes("top_patches", "refed_error", size=1e-4, why="what rounding leaves of nothing")
def refed_error(report: Report, row: Row) -> float:
    """A patch alone, its surroundings of another sample, gives its activation again:

    so nothing but rounding is left.
    """
    return 0.0


@recomputes("top_patches", "filters")
def patched_filters(report: Report, row: Row) -> float:
    return len(patched(report, row))


@recomputes("top_patches", "dead")
def dead_filters(report: Report, row: Row) -> float:
    run = report.run(row)
    return sum(bool((heard(report, run)[layer].peaks[:, unit] <= 0).all()) for layer, unit in patched(report, row))


# --- deconvolution ---


class Rectified(torch.autograd.Function):
    """A rectifier whose way back lets pass what is positive, whichever way the unit was (Zeiler & Fergus 2014)."""

    @staticmethod
    def forward(ctx, x: Tensor, high: float | None) -> Tensor:
        return x.clamp(min=0, max=high)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient.clamp(min=0), None


@dataclass(frozen=True)
class Back:
    """What a filter's patches become on the way back, (patches, *shape);

    cut: each inside of its window; seen: the patches.
    """

    whole: np.ndarray
    windows: list[tuple[slice, ...]]
    complete: list[bool]
    seen: np.ndarray


def brought_back(report: Report, row: Row, layer: str, unit: int) -> Back:
    run = report.run(row)

    def make() -> Back:
        network, field = run.network(), geometry(run, layer)
        best = best_patches(report, run, layer, unit, run.setting("deconvolution", "patches"))
        best = Best(
            best.sample[best.value > 0], [p for p, v in zip(best.unit, best.value, strict=True) if v > 0], best.value
        )
        if not len(best.sample):
            return Back(np.zeros((0, 1)), [], [], np.zeros((0, 1)))
        x = run.x[best.sample].clone().requires_grad_()
        high = 6.0 if network.large else None
        held = network.run(x, relu=lambda at: Rectified.apply(at, high), last=network.driven(layer))[
            network.driven(layer)
        ]
        chosen = torch.stack([held[(i, unit, *place)] for i, place in enumerate(best.unit)])
        (gradient,) = torch.autograd.grad((chosen.detach() * chosen).sum(), x)
        sides = x.shape[2:]
        windows = [field.window(place) for place in best.unit]
        cuts = [
            (slice(None), *(slice(max(0, a), min(side, b)) for (a, b), side in zip(window, sides, strict=True)))
            for window in windows
        ]
        complete = [
            all((a >= 0 and b <= side) or b - a >= side for (a, b), side in zip(window, sides, strict=True))
            for window in windows
        ]
        return Back(gradient.double().numpy(), cuts, complete, run.x[best.sample].double().numpy())

    return report.once(("back", row.name, layer, unit), make)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """NaN where one of the two is constant."""
    if one.std() * other.std() * one.size <= 1e-20:
        return float("nan")
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def like_patch(report: Report, row: Row, layer: str, unit: int) -> float:
    back = brought_back(report, row, layer, unit)
    each = [
        correlation(one[cut], seen[cut]) for one, seen, cut in zip(back.whole, back.seen, back.windows, strict=True)
    ]
    known = [one for one in each if not np.isnan(one)]
    return float(np.mean(known)) if known else float("nan")


def reconstructed(report: Report, row: Row) -> list[tuple[str, int]]:
    """The filters that are looked at:

    of each layer of a small network all, of the photographs' eight, evenly spread.
    """
    run = report.run(row)
    network = run.network()
    if not network.large:
        return [(layer, unit) for layer in network.convolutions for unit in range(len(network.t[f"{layer}.weight"]))]
    found = []
    for layer in dict.fromkeys(one.layer for one in report.beside(row, "like_the_patch") if one.layer):
        total = len(network.t[f"{layer}.weight"])
        found += [(layer, int(unit)) for unit in np.linspace(0, total - 1, min(8, total)).round()]
    return found


@recomputes("deconvolution", "like_the_patch", digits=3, size=2e-5)
def like_the_patch(report: Report, row: Row) -> Found:
    if row.unit is not None:
        return Found(like_patch(report, row, row.layer, row.unit))
    each = [like_patch(report, row, *one) for one in reconstructed(report, row)]
    return mean_of([one for one in each if not np.isnan(one)], -1, 1)


@recomputes("deconvolution", "same_filter_other_patch", size=1e-4)
def same_filter_other_patch(report: Report, row: Row) -> Found:
    means = []
    for one in reconstructed(report, row):
        back = brought_back(report, row, *one)
        cut = [whole[at] for whole, at, good in zip(back.whole, back.windows, back.complete, strict=True) if good]
        pairs = [correlation(a, b) for a, b in itertools.combinations(cut, 2) if a.shape == b.shape]
        known = [pair for pair in pairs if not np.isnan(pair)]
        if known:
            means.append(np.mean(known))
    return mean_of(means, -1, 1)


@recomputes("deconvolution", "inside_the_window", size=1e-6)
def inside_the_window(report: Report, row: Row) -> float:
    least = 1.0
    for one in reconstructed(report, row):
        back = brought_back(report, row, *one)
        for whole, cut in zip(back.whole, back.windows, strict=True):
            total = (whole**2).sum()
            if total:
                least = min(least, float((whole[cut] ** 2).sum() / total))
    return least


@recomputes("deconvolution", "patches")
def patches(report: Report, row: Row) -> float:
    return sum(len(brought_back(report, row, *one).whole) for one in reconstructed(report, row))


def with_shuffled_weights(network: Network, seed: int) -> Network:
    """The weights of each convolution and dense layer in another order."""
    random = torch.Generator().manual_seed(seed)
    layers = {*network.convolutions, *(name.removesuffix(".weight") for name in network.t if "dense" in name)}
    other = {
        name: tensor.flatten()[torch.randperm(tensor.numel(), generator=random)].reshape(tensor.shape)
        if name.endswith(".weight") and name.removesuffix(".weight") in layers
        else tensor
        for name, tensor in network.t.items()
    }
    return Network(other, network.model)


def way_back(network: Network, layer: str, x: Tensor, unit: int, places: list[tuple[int, ...]]) -> np.ndarray:
    """What one unit of the layer's map brings back, of each sample its own place."""
    x = x.clone().requires_grad_()
    name = network.driven(layer)
    held = network.run(x, relu=lambda at: Rectified.apply(at, None), last=name)[name]
    chosen = torch.stack([held[(i, unit, *place)] for i, place in enumerate(places)])
    return torch.autograd.grad(chosen.sum(), x)[0].double().numpy()


SHUFFLES = 24


def like_shuffled(report: Report, row: Row, layer: str, unit: int) -> np.ndarray:
    """Likenesses of the reconstructions of each patch with those by shuffled weights, (patches, shuffles)."""
    run = report.run(row)

    def make() -> np.ndarray:
        back = brought_back(report, row, layer, unit)
        best = best_patches(report, run, layer, unit, run.setting("deconvolution", "patches"))
        n = len(back.whole)
        found = np.full((n, SHUFFLES), np.nan)
        for turn in range(SHUFFLES if n else 0):
            shuffled = report.once(
                ("shuffled", row.name, turn), lambda turn=turn: with_shuffled_weights(run.network(), turn + 99)
            )
            other = way_back(shuffled, layer, run.x[best.sample[:n]], unit, best.unit[:n])
            found[:, turn] = [correlation(back.whole[i][cut], other[i][cut]) for i, cut in enumerate(back.windows)]
        return found

    return report.once(("like shuffled", row.name, layer, unit), make)


@recomputes(
    "deconvolution",
    "same_patch_shuffled_weights",
    ends=0.6,
    why="shuffled at random; large networks are shuffled too rarely",
)
def same_patch_shuffled_weights(report: Report, row: Row) -> Found | None:
    """The mean of so many shufflings may differ by five of its standard errors: so few tell little."""
    if report.run(row).network().large:
        return None
    if row.unit is not None:
        found = like_shuffled(report, row, row.layer, row.unit)
        each = np.nanmean(found, axis=0)
        return Found(float(np.nanmean(found)), room=5 * float(np.nanstd(each)) * (2 / SHUFFLES) ** 0.5)
    each = np.array([np.nanmean(like_shuffled(report, row, *one), axis=0) for one in reconstructed(report, row)])
    by_shuffle = np.nanmean(each, axis=0)
    found_ = mean_of(by_shuffle, -1, 1)
    return Found(found_.value, found_.low, found_.high, room=5 * float(by_shuffle.std()) * (2 / SHUFFLES) ** 0.5)


@recomputes("deconvolution", "same_patch_other_filter", ends=0.4, why="the other filter is drawn at random")
def same_patch_other_filter(report: Report, row: Row) -> Found | None:
    """With any other filter of the layer, each patch with one drawn here."""
    run = report.run(row)
    if run.network().large:
        return None
    random = np.random.default_rng(20261127)
    means = []
    for layer, unit in reconstructed(report, row):
        back = brought_back(report, row, layer, unit)
        best = best_patches(report, run, layer, unit, run.setting("deconvolution", "patches"))
        many = len(run.network().t[f"{layer}.weight"])
        each = []
        for i, cut in enumerate(back.windows):
            other = (unit + int(random.integers(1, many))) % many
            made = way_back(run.network(), layer, run.x[best.sample[i : i + 1]], other, best.unit[i : i + 1])[0]
            each.append(correlation(back.whole[i][cut], made[cut]))
        if not np.isnan(each).all():
            means.append(np.nanmean(each))
    found = mean_of(means, -1, 1)
    return Found(found.value, found.low, found.high, room=4 * float(np.std(means)) * (2 / len(means)) ** 0.5)
