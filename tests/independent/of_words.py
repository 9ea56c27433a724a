"""What the filters of a text network look for:

its best words found by trying the whole vocabulary, words deleted anew.
"""

from __future__ import annotations

import numpy as np
import torch
from families import Found, Report, mean_of, recomputes, share_of
from finished import Row, Run
from of_maps import heard
from torch.nn import functional as F

FEWEST = 20  # training sentences above a threshold


def layers(report: Report, row: Row) -> list[str]:
    return report.run(row).network().convolutions


def training_peaks(report: Report, row: Row, layer: str) -> np.ndarray:
    """Each filter's greatest value in each training sentence, before the rectifier."""
    run = report.run(row)
    x = run.data.ready(run.data.raw("train")[: run.setting("ngrams", "sentences")])
    return heard(report, run, x, "train")[layer].peaks


def exact_best(report: Report, row: Row, layer: str) -> np.ndarray:
    """The largest value that any words of the vocabulary in a window give, with as much padding at its ends as there
    may be.

    A window's value is a sum over its places, so that each is best by itself; and some of them may lie outside of the
    sentence, but not all.
    """

    def make() -> np.ndarray:
        network = report.run(row).network()
        kernel, words = network.t[f"{layer}.weight"], network.t["embedding.weight"]
        width = kernel.shape[2]
        # Padding within a sentence's end is token 0, whose vector is that of what lies outside: zero.
        best = torch.stack([(words @ kernel[:, :, slot].T).amax(0) for slot in range(width)])
        outside = torch.stack([(words[:1] @ kernel[:, :, slot].T)[0] for slot in range(width)])
        found = torch.full((len(kernel),), -torch.inf)
        for before in range(width):
            for behind in range(width - before):
                inside = range(before, width - behind)
                value = sum(
                    (best[at] if at in inside else outside[at] for at in range(width)), network.t[f"{layer}.bias"]
                )
                found = torch.maximum(found, value)  # type: ignore[arg-type]
        return found.double().numpy()

    return report.once(("exact", row.name, layer), make)


def reached(report: Report, row: Row, layer: str) -> np.ndarray:
    """What part of that the best n-gram of the training sentences reaches;

    NaN for a filter that no words raise above zero.
    """
    best = exact_best(report, row, layer)
    real = np.maximum(training_peaks(report, row, layer).max(0), 0)
    return np.where(best > 0, real / np.where(best > 0, best, 1), np.nan)


@recomputes("ngrams", "best_real_of_exact", size=5.1e-4)
def best_real_of_exact(report: Report, row: Row) -> float:
    if row.unit is not None:
        return float(reached(report, row, row.layer)[row.unit])
    return float(np.nanmedian(np.concatenate([reached(report, row, layer) for layer in layers(report, row)])))


@recomputes("ngrams", "dead")
def dead(report: Report, row: Row) -> float:
    return sum(int((training_peaks(report, row, layer).max(0) <= 0).sum()) for layer in layers(report, row))


@recomputes("ngrams", "map_difference_by_hand", size=1e-5)
def by_hand(report: Report, row: Row) -> float:
    """Nothing but rounding."""
    return 0.0


def votes(run: Run, layer: str) -> np.ndarray:
    """The class that each filter's weights in the dense layer are greatest for."""
    network = run.network()
    at = network.convolutions.index(layer)
    first = sum(len(network.t[f"{name}.weight"]) for name in network.convolutions[:at])
    return network.t["dense.weight"][:, first : first + len(network.t[f"{layer}.weight"])].argmax(0).numpy()


def thresholds(report: Report, row: Row, layer: str) -> np.ndarray:
    """Jacovi et al.

    (2018): the lowest value of a filter above which, in training, enough sentences are of its class; NaN: none.
    """
    run = report.run(row)

    def make() -> np.ndarray:
        peaks = training_peaks(report, row, layer)
        labels = run.data.labels("train")[: len(peaks)]
        wanted, of_class = run.setting("ngrams", "purity"), votes(run, layer)
        found = np.full(peaks.shape[1], np.nan)
        for unit in range(peaks.shape[1]):
            mine = labels == of_class[unit]
            levels = np.unique(peaks[:, unit][peaks[:, unit] > 0])
            order = np.sort(peaks[:, unit])
            hits = np.sort(peaks[mine, unit])
            n = len(order) - np.searchsorted(order, levels)
            k = len(hits) - np.searchsorted(hits, levels)
            good = np.flatnonzero((k >= wanted * n) & (n >= FEWEST))
            if len(good):
                found[unit] = levels[good[0]]
        return found

    return report.once(("threshold", row.name, layer), make)


def pure(report: Report, row: Row, layer: str) -> tuple[np.ndarray, np.ndarray]:
    """Test sentences above each filter's threshold that are of its class, and all above it."""
    run = report.run(row)
    peaks, level, of_class = heard(report, run)[layer].peaks, thresholds(report, row, layer), votes(run, layer)
    above = peaks >= level
    return (above & (run.labels[:, None] == of_class)).sum(0), above.sum(0)


@recomputes("ngrams", "purity", size=1e-3)
def purity(report: Report, row: Row) -> Found:
    if row.unit is not None:
        hits, n = pure(report, row, row.layer)
        return share_of(int(hits[row.unit]), int(n[row.unit]))
    pairs = [pure(report, row, layer) for layer in layers(report, row)]
    return mean_of(np.concatenate([hits[n > 0] / n[n > 0] for hits, n in pairs]), 0, 1)


@recomputes("ngrams", "purity_by_chance", digits=4)
def purity_by_chance(report: Report, row: Row) -> float:
    run = report.run(row)
    shares = np.bincount(run.labels) / len(run.labels)
    return float(
        np.mean(np.concatenate([shares[votes(run, one)[pure(report, row, one)[1] > 0]] for one in layers(report, row)]))
    )


@recomputes("ngrams", "pure_filters")
def pure_filters(report: Report, row: Row) -> float:
    return sum(int((pure(report, row, layer)[1] > 0).sum()) for layer in layers(report, row))


@recomputes("ngrams", "accuracy")
def accuracy(report: Report, row: Row) -> Found:
    run = report.run(row)
    return share_of(int((run.read == run.labels).sum()), len(run.labels))


@recomputes("ngrams", "accuracy_above_thresholds")
def accuracy_above_thresholds(report: Report, row: Row) -> Found:
    """Each filter silent below its threshold, and those without one altogether."""
    run = report.run(row)
    network = run.network()
    tops = []
    for layer in network.convolutions:
        peaks, level = heard(report, run)[layer].peaks, thresholds(report, row, layer)
        tops.append(np.where(peaks >= level, np.maximum(peaks, 0), 0))
    x = torch.from_numpy(np.concatenate(tops, axis=1)).float()
    read = F.linear(x, network.t["dense.weight"], network.t["dense.bias"]).argmax(1).numpy()
    return share_of(int((read == run.labels).sum()), len(run.labels))


# --- deleting words ---


def sure(run: Run, tokens: np.ndarray) -> np.ndarray:
    return run.network().logits(torch.from_numpy(tokens.astype(np.int64))).double().softmax(1).numpy()


def tested(report: Report, row: Row) -> np.ndarray:
    run = report.run(row)
    return run.raw[: run.setting("ngrams", "tested")]


def without(tokens: np.ndarray, weights: np.ndarray, part: float) -> np.ndarray:
    """Sentences without their words of the greatest weights, at least one, those behind moved up.

    Of words that weigh the same to a millionth the first is taken.
    """
    left = np.zeros_like(tokens)
    weights = weights.round(6)
    for at, (sentence, weight) in enumerate(zip(tokens, weights, strict=True)):
        n = int(np.flatnonzero(sentence)[-1]) + 1 if sentence.any() else 0
        gone = np.argsort(-weight[:n], kind="stable")[: min(n, max(1, round(part * n)))]
        kept = np.delete(sentence[:n], gone)
        left[at, : len(kept)] = kept
    return left


def dropped(report: Report, row: Row, tokens: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much less probable the class that was read becomes, and whether another is read."""
    run = report.run(row)
    before = sure(run, tokens)
    after = sure(run, without(tokens, weights, run.setting("ngrams", "deleted")))
    read = before.argmax(1)
    at = np.arange(len(read))
    return before[at, read] - after[at, read], after.argmax(1) != read


def by_network(report: Report, row: Row) -> np.ndarray:
    """What each word adds to the log-odds of the class that is read:

    of the window that each filter picks, place by place.
    """
    run, tokens = report.run(row), tested(report, row)
    network, t = run.network(), run.network().t
    found = np.zeros((len(tokens), tokens.shape[1]))
    with torch.no_grad():
        held = network.run(torch.from_numpy(tokens.astype(np.int64)))
    logits = held["logits"]
    read = logits.argmax(1)
    first = 0
    around = max(t[f"{name}.weight"].shape[2] for name in network.convolutions) - 1
    for layer in network.convolutions:
        kernel = t[f"{layer}.weight"]
        many, width = len(kernel), kernel.shape[2]
        odds = t["dense.weight"][:, first : first + many]
        odds = (odds[read] - odds[1 - read]).numpy()  # of two classes the log-odds are the logits' difference
        first += many
        maps = held[layer.replace("conv", "relu")].numpy()
        for at, sentence in enumerate(tokens):
            n = int(np.flatnonzero(sentence)[-1]) + 1 if sentence.any() else 0
            windows = maps[at, :, : n + around]
            best = windows.argmax(1)
            fires = windows.max(1) > 0
            for unit in np.flatnonzero(fires):
                for slot in range(width):
                    place = int(best[unit]) + slot - around
                    if 0 <= place < n:
                        vector = t["embedding.weight"][int(sentence[place])]
                        found[at, place] += odds[at, unit] * float(vector @ kernel[unit, :, slot])
    return found


def by_counting(report: Report, row: Row) -> np.ndarray:
    """What naive Bayes says of each word for the class that the network reads."""
    run, tokens = report.run(row), tested(report, row)
    size = len(run.data.facts["vocabulary"])
    counts = np.stack(
        [
            np.bincount(run.data.raw("train")[run.data.labels("train") == one].ravel(), minlength=size)
            for one in range(2)
        ]
    ).astype(float)
    shares = (counts + 1) / (counts[:, 2:] + 1).sum(1, keepdims=True)
    odds = np.log(shares / shares[::-1])
    odds[:, :2] = 0
    return odds[sure(run, tokens).argmax(1)[:, None], tokens]


def one_by_one(report: Report, row: Row, tokens: np.ndarray) -> np.ndarray:
    """How much less probable the class is without each single word."""
    run = report.run(row)
    before = sure(run, tokens)
    found = np.zeros(tokens.shape)
    for at, sentence in enumerate(tokens):
        n = int(np.flatnonzero(sentence)[-1]) + 1
        each = np.stack([np.append(np.delete(sentence, place), 0) for place in range(n)])
        read = before[at].argmax()
        found[at, :n] = before[at, read] - sure(run, each)[:, read]
    return found


def drops(report: Report, row: Row, by: str) -> tuple[np.ndarray, np.ndarray]:
    def make() -> tuple[np.ndarray, np.ndarray]:
        tokens = tested(report, row)
        if by == "one_by_one":
            tokens = tokens[: max(2, 20_000 // int((tokens != 0).sum(1).mean()))]
            return dropped(report, row, tokens, one_by_one(report, row, tokens))
        if by == "random":
            random = np.random.default_rng(20261127)
            draws = [
                dropped(report, row, tokens, random.random(tokens.shape))
                for _ in range(report.run(row).setting("ngrams", "draws"))
            ]
            return np.stack([one for one, _ in draws]), np.stack([one for _, one in draws])
        return dropped(
            report, row, tokens, by_network(report, row) if by == "highlighted" else by_counting(report, row)
        )

    return report.once(("dropped", row.name, by), make)


@recomputes("ngrams", "drop_highlighted", "drop_counted", "drop_one_by_one", digits=4, share=1e-3)
def drop(report: Report, row: Row) -> Found:
    return mean_of(drops(report, row, row.metric.removeprefix("drop_"))[0])


@recomputes("ngrams", "drop_highlighted_over_counted", digits=4, share=1e-3)
def drop_over_counted(report: Report, row: Row) -> Found:
    return mean_of(drops(report, row, "highlighted")[0] - drops(report, row, "counted")[0])


@recomputes("ngrams", "flips_highlighted")
def flips(report: Report, row: Row) -> Found:
    found = drops(report, row, "highlighted")[1]
    return share_of(int(found.sum()), len(found))


def drawn(values: np.ndarray) -> Found:
    """The mean over draws and sentences; other draws may differ by five standard errors of draws."""
    found = mean_of(values.mean(0))
    return Found(found.value, found.low, found.high, room=5 * float(values.std(0).mean()) * (2 / values.size) ** 0.5)


@recomputes("ngrams", "drop_random", digits=4, ends=0.1, why="drawn at random")
def drop_random(report: Report, row: Row) -> Found:
    return drawn(drops(report, row, "random")[0])


@recomputes("ngrams", "flips_random", digits=4, ends=0.1, why="drawn at random")
def flips_random(report: Report, row: Row) -> Found:
    return drawn(drops(report, row, "random")[1].astype(float))


@recomputes("ngrams", "deletion_ratio", digits=4, share=0.05, ends=0.3, why="drawn at random")
def deletion_ratio(report: Report, row: Row) -> Found:
    """How many times as far highlighted words move the probability as random ones; Fieller's (1954) interval."""
    above, below = np.abs(drops(report, row, "highlighted")[0]), np.abs(drops(report, row, "random")[0]).mean(0)
    value = float(above.mean() / below.mean())
    error = float(np.std(above - value * below, ddof=1)) / len(above) ** 0.5 / float(below.mean())
    return Found(value, value - 1.96 * error, value + 1.96 * error)
