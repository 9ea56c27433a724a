"""Samples, evaluation and structure: counted, predicted and measured anew."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch
from families import Found, Report, Z, leaves, of_groups, recomputes, share_of, wilson
from finished import Data, Row, Run
from scipy.spatial.distance import cdist
from sklearn.metrics import precision_recall_fscore_support
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

DRAWS = 1000


def applies(report: Report, row: Row) -> float:
    """Texts have no picture that could change a little, photographs no words, and so on:

    zero is what such a row says.
    """
    return 0.0


for method in (
    "class_maximisation", "deconvolution", "dense_maximisation", "dream", "filter_ablation", "filter_maximisation",
    "live", "ngrams", "spectrogram", "style",
):  # fmt: skip
    recomputes(method, "applies")(applies)


# --- samples ---


@recomputes("samples", "samples")
def samples(report: Report, row: Row) -> float:
    run = report.run(row)
    rows = run.data.rows(row.of["split"])
    if "class" in row.of:
        rows = rows[rows["label"] == run.data.classes.index(row.of["class"])]
    if "sex" in row.of:
        rows = rows[rows["sex"] == row.of["sex"]]
    return len(rows)


leaves("samples", ["black_level", "white_level"], "the files' own values are in them only, and prepared data have 256")


@recomputes("samples", "channels")
def channels(report: Report, row: Row) -> float:
    return report.run(row).data.stored.shape[1]


leaves("samples", ["left_out"], "what lay beside the data and was not taken is nowhere but in these numbers")


@recomputes("samples", "voices")
def voices(report: Report, row: Row) -> float:
    rows = report.run(row).data.rows(row.of["split"])
    return rows.loc[rows["sex"] == row.of["sex"], "voice"].nunique()


@recomputes("samples", "vocabulary")
def vocabulary(report: Report, row: Row) -> float:
    return len(report.run(row).data.facts["vocabulary"])


@recomputes("samples", "words_median")
def words_median(report: Report, row: Row) -> float:
    tokens = report.run(row).data.raw(row.of["split"])
    return float(np.median([np.count_nonzero(one) for one in tokens]))


@recomputes("samples", "unknown_words")
def unknown_words(report: Report, row: Row) -> Found:
    tokens = report.run(row).data.raw(row.of["split"])
    return share_of(int((tokens == 1).sum()), int((tokens != 0).sum()))


def flat(data: Data, split: str, kind: type = np.float64) -> np.ndarray:
    """The samples of a split as rows."""
    return data.raw(split).reshape(len(data.labels(split)), -1).astype(kind)


def over_speakers_if_any(data: Data, found: np.ndarray) -> Found:
    """The share of the test samples that a rule reads right, its interval over speakers where the data name voices."""
    right, table = found == data.labels("test"), data.rows("test")
    if "voice" not in table:
        return share_of(int(right.sum()), len(right))
    by_speaker = table.assign(right=right).groupby(table["voice"].str.split("+").str[-1])["right"]
    return Found(float(right.mean()), *of_groups(by_speaker.sum().to_numpy(), by_speaker.size().to_numpy()))


@recomputes("samples", "nearest_mean_accuracy")
def nearest_mean(report: Report, row: Row) -> Found:
    data = report.run(row).data
    model = NearestCentroid().fit(flat(data, "train"), data.labels("train"))
    return over_speakers_if_any(data, model.predict(flat(data, "test")))


@recomputes("samples", "naive_bayes_accuracy")
def naive_bayes(report: Report, row: Row) -> Found:
    """Multinomial naive Bayes with one count added, classes as likely as each other;

    padding and unknown words say nothing.
    """
    data = report.run(row).data
    size = len(data.facts["vocabulary"])

    def counts(split: str) -> np.ndarray:
        return np.stack([np.bincount(one, minlength=size) for one in data.raw(split)])[:, 2:]

    right = MultinomialNB(alpha=1, fit_prior=False).fit(counts("train"), data.labels("train")).predict(counts("test"))
    right = right == data.labels("test")
    return share_of(int(right.sum()), len(right))


leaves("samples", ["logistic_regression_accuracy"], "what it reads hangs on where its solver stops")


@recomputes("samples", "nearest_neighbour_accuracy")
def nearest_neighbour(report: Report, row: Row) -> Found | None:
    """The class of the nearest training sample, all of them asked; over speakers where there are voices."""
    data = report.run(row).data
    if data.facts["kind"] == "texts":
        return None  # by tf-idf, of which there are many readings
    flat = {
        split: data.raw(split).reshape(len(data.labels(split)), -1).astype(np.float32) for split in ("train", "test")
    }
    found = KNeighborsClassifier(1, algorithm="brute").fit(flat["train"], data.labels("train")).predict(flat["test"])
    right = found == data.labels("test")
    table = data.rows("test")
    if "voice" not in table:
        return share_of(int(right.sum()), len(right))
    by_speaker = table.assign(right=right).groupby(table["voice"].str.split("+").str[-1])["right"]
    return Found(float(right.mean()), *of_groups(by_speaker.sum().to_numpy(), by_speaker.size().to_numpy()))


def distances(report: Report, row: Row) -> pd.DataFrame:
    """Of each test clip the distances, RMS in dB, to the speaker's nearest other clip of the word and to training's."""

    def make() -> pd.DataFrame:
        data, parts = report.run(row).data, []
        train, test = (
            data.raw(split).reshape(len(data.labels(split)), -1).astype(np.float64) for split in ("train", "test")
        )
        said, learned = data.labels("test"), data.labels("train")
        speaker = data.rows("test")["voice"].str.split("+").str[-1].to_numpy()
        for word in np.unique(said):
            for who in np.unique(speaker):
                clips = test[(said == word) & (speaker == who)]
                own = cdist(clips, clips) + np.diag(np.full(len(clips), np.inf))
                other = cdist(clips, train[learned == word])
                root = np.sqrt(clips.shape[1])
                parts.append(pd.DataFrame({"who": who, "own": own.min(1) / root, "other": other.min(1) / root}))
        return pd.concat(parts).groupby("who").mean()

    return report.once(("distances", row.name), make)


@recomputes("samples", "distance_to_own_take", "distance_to_training_voice", "voice_newness", share=1e-4)
def distance(report: Report, row: Row) -> float:
    own, other = distances(report, row).loc[row.of["speaker"], ["own", "other"]]
    return {"distance_to_own_take": own, "distance_to_training_voice": other}.get(row.metric, other / own)


@recomputes("samples", "voice_newness_least", "voice_newness_mean", share=1e-4)
def newness(report: Report, row: Row) -> float:
    found = distances(report, row)
    ratios = found["other"] / found["own"]
    return float(ratios.min() if row.metric.endswith("least") else ratios.mean())


# --- evaluation ---


def of_split(report: Report, row: Row, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and labels of a split."""
    run = report.run(row)

    def make() -> tuple[np.ndarray, np.ndarray]:
        logits = run.logits if split == "test" else run.network().logits(run.data.ready(run.data.raw(split)))
        return logits.double().softmax(1).numpy(), run.data.labels(split)

    return report.once(("probabilities", row.name, split), make)


@recomputes("evaluation", "test_accuracy", "validation_accuracy")
def accuracy_of_split(report: Report, row: Row) -> Found:
    sure, labels = of_split(report, row, row.metric.removesuffix("_accuracy"))
    return share_of(int((sure.argmax(1) == labels).sum()), len(labels))


@recomputes("evaluation", "majority_accuracy")
def majority(report: Report, row: Row) -> Found:
    labels = report.run(row).labels
    return share_of(int(np.bincount(labels).max()), len(labels))


@recomputes("evaluation", "above_majority")
def above_majority(report: Report, row: Row) -> Found:
    """Agresti & Min (2005), as in `of_ablation.lost`: what only the network reads, less what only the commonest is."""
    run = report.run(row)
    right = run.read == run.labels
    commonest = run.labels == np.bincount(run.labels).argmax()
    only, missed, n = int((right & ~commonest).sum()), int((~right & commonest).sum()), len(right)
    middle = (only - missed) / (n + 2)
    half = Z * math.sqrt(only + missed + 1 - (only - missed) ** 2 / (n + 2)) / (n + 2)
    return Found((only - missed) / n, max(-1.0, middle - half), min(1.0, middle + half))


@recomputes("evaluation", "train_ahead", "validation_loss_rise", "validation_loss_fall", "validation_gain")
def of_training(report: Report, row: Row) -> float:
    """From the history: its last row, against the one three quarters through it and against the least loss."""
    rows = pd.read_csv(report.results / f"runs/{row.name}/seed{row.seed}/history.csv").to_dict("records")
    end, then = rows[-1], rows[max(0, min(-(-3 * len(rows) // 4) - 1, len(rows) - 2))]
    if row.metric == "train_ahead":
        return end["train_accuracy"] - end["validation_accuracy"]
    if row.metric == "validation_gain":
        return end["validation_accuracy"] - then["validation_accuracy"]
    if row.metric == "validation_loss_rise":
        least = min(one["validation_loss"] for one in rows)
        return (end["validation_loss"] - least) / least
    return (then["validation_loss"] - end["validation_loss"]) / then["validation_loss"]


@recomputes("evaluation", "errors")
def errors(report: Report, row: Row) -> float:
    run = report.run(row)
    return int((run.read != run.labels).sum())


def scores(labels: np.ndarray, read: np.ndarray, classes: int) -> np.ndarray:
    return np.array(precision_recall_fscore_support(labels, read, labels=range(classes), zero_division=0)[:3])


@recomputes("evaluation", "precision", "recall", "f1")
def of_class(report: Report, row: Row) -> Found:
    """F1 = 2s / (1 + s) of the share s of hits in all that is or was called the class; so are its interval's ends."""
    run = report.run(row)
    label = run.data.classes.index(row.of["class"])
    is_, called = run.labels == label, run.read == label
    hits = int((is_ & called).sum())
    if row.metric != "f1":
        return share_of(hits, int((called if row.metric == "precision" else is_).sum()))
    value = scores(run.labels, run.read, len(run.data.classes))[2, label]
    low, high = wilson(hits, int((is_ | called).sum()))
    return Found(float(value), 2 * low / (1 + low), 2 * high / (1 + high))


@recomputes(
    "evaluation", "macro_precision", "macro_recall", "macro_f1", ends=0.1, why="resampled at random, a thousand times"
)
def of_all_classes(report: Report, row: Row) -> Found:
    """Wilson's interval of as many samples as would make a share vary as much as the mean does in resampled test
    splits.
    """
    run = report.run(row)
    which = ("macro_precision", "macro_recall", "macro_f1").index(row.metric)

    def make() -> tuple[np.ndarray, np.ndarray]:
        classes, n = len(run.data.classes), len(run.labels)
        random = np.random.default_rng(20261127)
        drawn = []
        for _ in range(DRAWS):
            cells = np.bincount(random.choice(run.labels * classes + run.read, n), minlength=classes**2).reshape(
                classes, classes
            )
            hits, actual, called = cells.diagonal(), cells.sum(1), cells.sum(0)
            there = actual + called > 0
            each = hits / np.maximum(called, 1), hits / np.maximum(actual, 1), 2 * hits / np.maximum(actual + called, 1)
            drawn.append([float(one[there].mean()) for one in each])
        return scores(run.labels, run.read, classes).mean(1), np.var(drawn, axis=0)

    values, variances = report.once(("macro", row.name), make)
    value, variance = float(values[which]), float(variances[which])
    worth = value * (1 - value) / variance if variance > 0 and 0 < value < 1 else len(run.labels)
    return Found(value, *wilson(value * worth, worth))


def calibration(sure: np.ndarray, right: np.ndarray) -> float:
    """Guo et al.

    (2017): fifteen equal parts of confidence, the mean distance of confidence and accuracy by their size.
    """
    parts = np.clip(np.floor(15 * sure), 0, 14)
    return float(sum(abs(right[parts == part].sum() - sure[parts == part].sum()) for part in range(15)) / len(sure))


@recomputes("evaluation", "calibration_error", size=2e-6)
def calibration_error(report: Report, row: Row) -> float:
    sure, labels = of_split(report, row, "test")
    return calibration(sure.max(1), sure.argmax(1) == labels)


@recomputes("evaluation", "calibration_error_by_chance", share=0.04, ends=0.06, why="drawn at random, a thousand times")
def calibration_by_chance(report: Report, row: Row) -> Found:
    sure = of_split(report, row, "test")[0].max(1)
    random = np.random.default_rng(20261127)
    drawn = [calibration(sure, random.random(len(sure)) < sure) for _ in range(400)]
    return Found(float(np.mean(drawn)), *(float(end) for end in np.quantile(drawn, (0.025, 0.975))))


def speakers(run: Run) -> np.ndarray:
    """A voice is an accent and a speaker: en-us+f2."""
    return np.array([str(voice).rpartition("+")[2] for voice in run.data.rows("test")["voice"]])


@recomputes("evaluation", "accuracy")
def accuracy_of_voice(report: Report, row: Row) -> Found:
    run = report.run(row)
    who = (
        speakers(run) == row.of["speaker"] if "speaker" in row.of else run.data.rows("test")["voice"] == row.of["voice"]
    )
    right = (run.read == run.labels)[np.asarray(who)]
    return share_of(int(right.sum()), len(right))


@recomputes("evaluation", "test_accuracy_over_speakers")
def over_speakers(report: Report, row: Row) -> Found:
    run = report.run(row)
    right, who = run.read == run.labels, speakers(run)
    hits = np.array([right[who == one].sum() for one in np.unique(who)])
    clips = np.array([(who == one).sum() for one in np.unique(who)])
    return Found(float(right.mean()), *of_groups(hits, clips))


@recomputes("evaluation", "probability", size=2e-6)
def probability(report: Report, row: Row) -> float:
    run = report.run(row)
    sure = run.logits[run.ids.index(row.of["sample"])].double().softmax(0).numpy()
    ranked = np.argsort(-sure)[int(row.of["rank"]) - 1]
    assert run.data.classes[ranked] == row.of["class"], run.data.classes[ranked]
    return float(sure[ranked])


# --- structure ---


def axis_of(run: Run, row: Row) -> int:
    return [axis["name"] for axis in run.data.facts["axes"]].index(row.of["axis"])


@recomputes("structure", "code_difference", size=1e-5)
def code_difference(report: Report, row: Row) -> float:
    """The code is of the same layers with the same weights."""
    return 0.0


@recomputes("structure", "receptive_field")
def receptive_field(report: Report, row: Row) -> float:
    run = report.run(row)
    return run.network().geometry(tuple(run.data.facts["shape"]))[row.layer].size[axis_of(run, row)]


@recomputes("structure", "receptive_stride")
def receptive_stride(report: Report, row: Row) -> float:
    run = report.run(row)
    return run.network().geometry(tuple(run.data.facts["shape"]))[row.layer].step[axis_of(run, row)]


def weighed(run: Run) -> list[str]:
    """The layers with weights that multiply, or that stand for words;

    normalisations are told with their convolutions.
    """
    tensors = run.network().t
    norms = {name.removesuffix(".running_mean") for name in tensors if name.endswith(".running_mean")}
    layers = {name.rpartition(".")[0] for name in tensors}
    return sorted(layers - norms)


@recomputes("structure", "parameters")
def parameters(report: Report, row: Row) -> float:
    tensors = report.run(row).network().t
    mine = (
        name for name in tensors if "running" not in name and (not row.layer or name.rpartition(".")[0] == row.layer)
    )
    return sum(tensors[name].numel() for name in mine)


@recomputes("structure", "multiply_adds")
def multiply_adds(report: Report, row: Row) -> float:
    """Of a convolution as many as weights at each place of its map, of a dense layer as many as weights."""
    run = report.run(row)
    network = run.network()
    geometry = network.geometry(tuple(run.data.facts["shape"]))

    def of(layer: str) -> int:
        weights = network.t[f"{layer}.weight"].numel()
        return weights * (geometry[layer].count if layer in geometry else 1)

    return of(row.layer) if row.layer else sum(of(layer) for layer in weighed(run) if layer != "embedding")


@recomputes("structure", "layers_with_weights")
def layers_with_weights(report: Report, row: Row) -> float:
    return len(weighed(report.run(row)))


@recomputes("structure", "convolutions")
def convolutions(report: Report, row: Row) -> float:
    return len(report.run(row).network().convolutions)


@recomputes("structure", "input_seen_by_one_unit")
def input_seen(report: Report, row: Row) -> float:
    run = report.run(row)
    network, shape = run.network(), tuple(run.data.facts["shape"])
    fields = [network.geometry(shape)[name] for name in network.convolutions]
    sides = shape if network.words else shape[1:]
    largest = max(fields, key=lambda field: math.prod(field.size))
    return math.prod(min(size, side) / side for size, side in zip(largest.size, sides, strict=True))


@recomputes("structure", "fields_confirmed")
def fields_confirmed(report: Report, row: Row) -> float:
    """A field in closed form is that of which each edge has a gradient, and nothing outside has one."""
    run = report.run(row)
    network = run.network()
    if network.large:
        return None  # type: ignore[return-value]
    geometry = network.geometry(tuple(run.data.facts["shape"]))
    good = 0
    for name in network.convolutions:
        field = geometry[name]
        unit = tuple(units // 2 for units in field.units)
        entered = torch.rand(1, *run.data.facts["shape"], *([64] if network.words else [])).requires_grad_()
        tokens = torch.ones(1, *run.data.facts["shape"], dtype=torch.long)
        # Without a rectifier and with random inputs every weight between the two passes a gradient.
        held = network.run((tokens, entered) if network.words else entered, relu=lambda x: x, last=name)  # type: ignore[arg-type]
        (gradient,) = torch.autograd.grad(held[name][(0, slice(None), *unit)].abs().sum(), entered)
        reached = gradient[0].abs().sum(-1 if network.words else 0) > 0
        window = [(max(0, a), min(side, b)) for (a, b), side in zip(field.window(unit), reached.shape, strict=True)]
        where = np.argwhere(reached.numpy())
        # A maximum passes the gradient to one of the places it is over; the edges are those of some of the filters.
        inside = all(((where[:, axis] >= a) & (where[:, axis] < b)).all() for axis, (a, b) in enumerate(window))
        edges = all(where[:, axis].min() == a and where[:, axis].max() == b - 1 for axis, (a, b) in enumerate(window))
        good += inside and edges
    return good / len(network.convolutions)
