"""Evaluation: the numbers are scikit-learn's, the intervals hold what they promise, the misread samples are those."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from cnnatomy.data.speakers import alike
from cnnatomy.data.speakers import speakers as speakers_of
from cnnatomy.evaluation import metrics, predict
from cnnatomy.evaluation.groups import of_speakers
from cnnatomy.evaluation.metrics import BINS, calibration_error
from cnnatomy.exhibit import Figure, Grid, Matrix, Table, Texts
from cnnatomy.statistics.intervals import clustered, wilson
from tests.unit.dissecting import evaluated
from tests.unit.small_data import WAV, hang, small

CONFIG = {"misread": 60}
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "train_loss": [1.0, 0.5, 0.3],
        "train_accuracy": [0.5, 0.8, 0.9],
        "validation_loss": [0.9, 0.6, 0.5],
        "validation_accuracy": [0.6, 0.8, 0.7],
        "learning_rate": [0.1, 0.1, 0.05],
    }
)


def made_up(samples, classes: int, errors: float = 0.3, seed: int = 0) -> pd.DataFrame:
    """Predictions like those of a network that is right on most samples."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1, (len(samples), classes))
    right = random.random(len(samples)) > errors
    logits[np.arange(len(samples)), np.where(samples.labels >= 0, samples.labels, 0)] += 3 * right
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = pd.DataFrame({"split": samples.split, "id": samples.table["id"], "label": samples.labels})
    table["prediction"], table["confidence"] = p.argmax(axis=1), p.max(axis=1)
    return pd.concat([table, pd.DataFrame(p, columns=[f"p_{name}" for name in samples.facts.classes])], axis=1)


def value(numbers, metric, subject=""):
    (number,) = (number for number in numbers if (number.metric, number.subject) == (metric, subject))
    return number


def blocks(exhibit):
    return {getattr(block, "name", "prose"): block for block in exhibit.blocks}


# --- predictions


def test_predictions_are_the_networks_softmax(tmp_path):
    from cnnatomy.data.batches import to_tensor

    samples = small(tmp_path, "images").split("test")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(300, 3))
    table = predict(network, samples)
    with torch.no_grad():
        p = network.eval()(to_tensor(samples.facts, samples.inputs)).softmax(1).numpy()
    assert list(table) == ["split", "id", "label", "prediction", "confidence", "p_5", "p_6", "p_7"]
    assert table["id"].tolist() == samples.table["id"].tolist()
    assert table[["p_5", "p_6", "p_7"]].to_numpy() == pytest.approx(p, abs=2e-6)
    assert table["prediction"].tolist() == p.argmax(1).tolist()
    assert table["confidence"].to_numpy() == pytest.approx(p.max(1), abs=2e-6)


def test_predicting_leaves_the_network_in_its_mode(tmp_path):
    samples = small(tmp_path, "images").split("test")
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, 3))
    assert predict(network, samples).equals(predict(network, samples))
    assert network.training


def test_classes_of_the_same_name_keep_their_own_probabilities(tmp_path):
    samples = small(tmp_path, "images", classes=["crane", "robin", "crane"]).split("test")
    network = nn.Sequential(nn.Flatten(), nn.Linear(144, 3))
    table = predict(network, samples)
    table.to_csv(tmp_path / "predictions.csv", index=False)
    read_back = pd.read_csv(tmp_path / "predictions.csv")
    assert value(metrics(read_back, samples.facts.classes[:1] + ["robin", "other"]), "test_accuracy").n == 40
    assert table.iloc[:, -3:].sum(axis=1).to_numpy() == pytest.approx(np.ones(40), abs=1e-5)


def test_outputs_that_do_not_fit_or_are_not_finite_are_refused(tmp_path):
    samples = small(tmp_path, "images").split("test")
    with pytest.raises(ValueError, match=r"outputs of shape \(40, 4\), but 'images' has 3 classes"):
        predict(nn.Sequential(nn.Flatten(), nn.Linear(144, 4)), samples)
    broken = nn.Sequential(nn.Flatten(), nn.Linear(144, 3))
    with torch.no_grad():
        broken[1].bias[1] = torch.nan
    with pytest.raises(ValueError, match="output for the sample 'test/0' is infinite or undefined"):
        predict(broken, samples)


# --- numbers


@pytest.mark.parametrize("classes", [2, 5])
def test_scores_are_those_of_scikit_learn(tmp_path, classes):
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    samples = small(tmp_path, "images", classes=[f"class {i}" for i in range(classes)]).split("test")
    table = made_up(samples, classes)
    numbers = metrics(table, samples.facts.classes)
    truth, read = table["label"], table["prediction"]
    assert value(numbers, "test_accuracy").value == pytest.approx(accuracy_score(truth, read))
    assert value(numbers, "errors").value == (truth != read).sum()
    scores = precision_recall_fscore_support(truth, read)
    for metric, each in zip(("precision", "recall", "f1"), scores, strict=False):
        for index, expected in enumerate(each):
            number = value(numbers, metric, f"class=class {index}")
            assert number.value == pytest.approx(expected)
            assert number.ci_low <= number.value <= number.ci_high
        macro = value(numbers, f"macro_{metric}")
        assert macro.value == pytest.approx(np.mean(each))
        assert macro.ci_low < macro.value < macro.ci_high


def test_what_is_undefined_is_left_out_and_the_mean_stays_scikit_learns(tmp_path):
    from sklearn.metrics import f1_score

    table = pd.DataFrame({"split": "test", "id": list("abcd"), "label": [0, 0, 1, 1], "prediction": [0, 0, 0, 0]})
    p = pd.DataFrame([[0.7, 0.2, 0.1]] * 4, columns=["p_a", "p_b", "p_c"])
    numbers = metrics(pd.concat([table.assign(confidence=0.7), p], axis=1), ["a", "b", "c"])
    subjects = {(number.metric, number.subject) for number in numbers}
    assert ("precision", "class=b") not in subjects and ("recall", "class=b") in subjects
    assert not {subject for _, subject in subjects if subject == "class=c"}
    assert value(numbers, "macro_f1").value == pytest.approx(
        f1_score(table["label"], table["prediction"], average="macro", zero_division=0)
    )


def test_validation_and_test_are_told_apart_and_the_least_is_named(tmp_path):
    data = small(tmp_path, "images")
    both = pd.concat([made_up(data.split("validation"), 3, seed=1), made_up(data.split("test"), 3)], ignore_index=True)
    numbers = metrics(both, data.facts.classes)
    assert (value(numbers, "validation_accuracy").n, value(numbers, "test_accuracy").n) == (20, 40)
    assert value(numbers, "majority_accuracy").value == 14 / 40
    assert value(numbers, "precision", "class=6").n <= 40


def test_numbers_can_be_written_as_json(tmp_path):
    data = small(tmp_path, "sounds")
    exhibit = evaluated(made_up(data.split("test"), 3), HISTORY, data.split("test"), CONFIG)
    json.dumps([asdict(number) for number in exhibit.numbers], allow_nan=False)


def test_wilsons_interval_is_that_of_the_literature():
    """Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29 by the score method."""
    for hits, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson(hits, n) == pytest.approx((low, high), abs=1e-4)
    assert wilson(20, 20) == pytest.approx((1 - 0.1611, 1), abs=1e-4)
    assert wilson(7, 7)[1] == 1.0


def test_an_interval_over_groups_is_wider_where_they_differ_and_no_narrower_where_they_do_not():
    n = np.full(10, 40)
    alike, different = np.full(10, 36), np.array([40, 40, 40, 40, 40, 40, 40, 40, 20, 20])
    assert clustered(alike, n) == pytest.approx(wilson(360, 400))
    low, high = clustered(different, n)
    assert high - low > 2 * (np.diff(wilson(360, 400))[0])
    assert clustered(n, n) == wilson(400, 400)


def test_calibration_error_of_known_cases():
    assert calibration_error(np.full(10, 0.9), np.arange(10) < 9) == pytest.approx(0, abs=1e-12)
    assert calibration_error(np.full(10, 1.0), np.arange(10) < 4) == pytest.approx(0.6)
    random = np.random.default_rng(0)
    confidence = random.uniform(0.2, 1, 5000)
    right = random.random(5000) < confidence**2
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    expected = sum(
        (which == index).mean() * abs(right[which == index].mean() - confidence[which == index].mean())
        for index in np.unique(which)
    )
    assert calibration_error(confidence, right) == pytest.approx(expected)


# --- the exhibit


@pytest.mark.parametrize("kind", ["images", "sounds", "texts", "signals"])
def test_misread_samples_are_shown_worst_first_and_cells_lead_to_them(tmp_path, kind):
    data = small(tmp_path, kind)
    samples, classes = data.split("test"), len(data.facts.classes)
    table = made_up(samples, classes)
    exhibit = evaluated(table, HISTORY, samples, CONFIG, sound=lambda file: WAV)
    shown = blocks(exhibit)["misread"]
    items = shown.sentences if isinstance(shown, Texts) else shown.items
    wrong = table[table["label"] != table["prediction"]]
    assert {item.id for item in items} == set(wrong["id"])
    of_truth = [item.values["for the truth"] for item in items]
    assert of_truth == sorted(of_truth)
    matrix = blocks(exhibit)["confusion"]
    assert isinstance(matrix, Matrix)
    assert matrix.values.sum() == len(samples)
    for (row, column), ids in matrix.items.items():
        assert row != column and len(ids) == matrix.values[row, column]
    if kind == "sounds":
        assert isinstance(shown, Grid) and all(item.sound == WAV for item in items)
    written = hang(exhibit, tmp_path / "exhibit")
    assert written["numbers"][0]["metric"] == "test_accuracy"


def test_only_as_many_as_asked_for_are_shown(tmp_path):
    samples = small(tmp_path, "images").split("test")
    exhibit = evaluated(made_up(samples, 3), HISTORY, samples, {"misread": 4})
    assert len(blocks(exhibit)["misread"].items) == 4
    assert sum(map(len, blocks(exhibit)["confusion"].items.values())) == 4


def test_without_errors_it_says_so(tmp_path):
    samples = small(tmp_path, "images").split("test")
    table = made_up(samples, 3)
    table["prediction"] = table["label"]
    exhibit = evaluated(table, HISTORY, samples, CONFIG)
    assert "No test sample was misread" in blocks(exhibit)["prose"].text["en"]
    hang(exhibit, tmp_path / "exhibit")


def test_curves_carry_their_numbers_and_need_a_history(tmp_path):
    samples = small(tmp_path, "images").split("test")
    curves = blocks(evaluated(made_up(samples, 3), HISTORY, samples, CONFIG))["curves"]
    assert isinstance(curves, Figure) and curves.data.equals(HISTORY)
    assert "best, 80 %, at epoch 2" in curves.alt["en"]
    assert "curves" not in blocks(evaluated(made_up(samples, 3), None, samples, CONFIG))


def test_curves_are_told_as_they_went(tmp_path):
    samples = small(tmp_path, "images").split("test")

    def told(history):
        alt = blocks(evaluated(made_up(samples, 3), history, samples, CONFIG))["curves"].alt
        assert set(alt) == {"en", "zh"}
        return alt["en"]

    assert "over 3 epochs. Training loss falls from 1 to 0.3;" in told(HISTORY)
    assert "Training loss goes from 0.3 to 1;" in told(HISTORY.assign(train_loss=[0.3, 0.5, 1.0]))
    blind = told(HISTORY.assign(validation_loss=np.nan, validation_accuracy=np.nan))
    assert "no validation split" in blind and "nan" not in blind


def test_voices_are_listed_the_worst_first(tmp_path):
    samples = small(tmp_path, "sounds").split("test")
    exhibit = evaluated(made_up(samples, 3), HISTORY, samples, CONFIG)
    voices = blocks(exhibit)["voices"]
    assert isinstance(voices, Table) and sorted(voices.data["voice"]) == ["anna", "ben", "cara", "dan"]
    assert voices.data["accuracy"].is_monotonic_increasing
    over = value(exhibit.numbers, "test_accuracy_over_speakers")
    assert over.n == 4 and over.value == value(exhibit.numbers, "test_accuracy").value
    assert "They are clips of 4 speakers" in exhibit.caption["en"]


def test_a_speaker_is_a_voice_without_its_accent():
    voices = ["en-us+f1", "en-gb+f1", "en-us+m2", "en-us+f1"]
    made = pd.DataFrame({"voice": voices, "accent": ["en-us", "en-gb", "en-us", "en-us"]})
    assert list(speakers_of(made)) == ["f1", "f1", "m2", "f1"]
    assert list(speakers_of(made[["voice"]])) == voices  # nothing says that it is one
    assert speakers_of(made[["accent"]]) is None and alike(made[["accent"]], np.zeros(4)) is None
    assert alike(made, np.array([3, 3, 3, 5])).tolist() == [0, 0, 2, 1]  # f1's 3, f1's 5, m2's 3


def test_voices_of_one_speaker_count_once(tmp_path):
    """Three speakers in six accents, the errors all one's: eighteen voices would be far too sure."""
    table = pd.DataFrame({"voice": [f"accent-{i // 3}+f{i % 3}" for i in range(18)], "accent": "", "clips": 40})
    voices = table.assign(right=[40, 40, 38] * 6)
    speakers = (
        table.assign(speaker=list(speakers_of(table)), right=voices["right"])
        .groupby("speaker")[["clips", "right"]]
        .sum()
        .reset_index()
    )
    numbers = of_speakers(speakers, voices)
    assert numbers[0].n == 3 and {number.subject for number in numbers[1:4]} == {
        "speaker=f0",
        "speaker=f1",
        "speaker=f2",
    }
    low, high = clustered(voices["right"].to_numpy(), voices["clips"].to_numpy())
    assert numbers[0].ci_high - numbers[0].ci_low > 2 * (high - low)
    assert numbers[0].ci_low < 0.95 and numbers[0].ci_high <= 1
    alone = of_speakers(speakers[:1], voices[::3])  # one speaker says nothing of others
    assert "test_accuracy_over_speakers" not in {number.metric for number in alone}
    images = small(tmp_path, "images").split("test")
    assert "speaker" not in evaluated(made_up(images, 3), HISTORY, images, CONFIG).caption["en"]


def test_unlabelled_samples_get_their_best_five_and_no_accuracy(tmp_path):
    samples = small(tmp_path, "images", unlabelled=True, classes=[f"class {i}" for i in range(7)]).split("test")
    table = made_up(samples, 7)
    exhibit = evaluated(table, None, samples, CONFIG)
    best = blocks(exhibit)["best"].data
    assert isinstance(best, pd.DataFrame) and len(best) == 40 * 5
    first = table.iloc[0, -7:].sort_values(ascending=False)[:5]
    assert best["class"][:5].tolist() == [name.removeprefix("p_") for name in first.index]
    assert {number.metric for number in exhibit.numbers} == {"probability"}
    hang(exhibit, tmp_path / "exhibit")


def test_predictions_of_other_samples_are_refused(tmp_path):
    data = small(tmp_path, "images")
    with pytest.raises(ValueError, match="not those of the test split of 'images'"):
        evaluated(made_up(data.split("validation"), 3), HISTORY, data.split("test"), CONFIG)


def test_the_same_predictions_give_the_same_bytes(tmp_path):
    samples = small(tmp_path, "images").split("test")
    for name in ("one", "other"):
        hang(evaluated(made_up(samples, 3), HISTORY, samples, CONFIG), tmp_path / name)
    assert (tmp_path / "one/exhibit.json").read_bytes() == (tmp_path / "other/exhibit.json").read_bytes()


def test_classes_in_another_order_than_the_networks_are_told():
    from cnnatomy.evaluation.measure import in_other_order

    classes = ["0", "1", "2", "10"]
    order = ["0", "1", "10", "2"]  # of the alphabet
    counts = np.zeros((4, 4), int)
    for row, name in enumerate(classes):
        counts[row] = 1
        counts[row, order.index(name)] = 20
    said = in_other_order(counts, classes)
    assert "data.prepare.classes: [0, 1, 10, 2]" in said and said.startswith("46% of the test samples")
    assert not in_other_order(np.eye(4) * 20 + 1, classes), "right as it is"
    assert not in_other_order(np.full((4, 4), 5), classes), "by chance"
    assert not in_other_order(np.array([[9, 1, 0, 0], [9, 1, 0, 0], [0, 0, 9, 1], [0, 0, 9, 1]]), classes), "half"
    assert not in_other_order(np.array([[0, 2], [2, 1]]), ["no", "yes"]), "of five, by chance"
    turned = in_other_order(np.array([[1, 19], [19, 1]]), ["no", "yes"])
    assert "[yes, no]" in turned
