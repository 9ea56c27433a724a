"""The data shown: what is in each split, heard and counted, and how far one gets without a network."""

from __future__ import annotations

import gzip
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cnnatomy.data import prepared
from cnnatomy.data.left_out import REASONS, LeftOut, said
from cnnatomy.data.prepared import Facts, Normalise
from cnnatomy.dissect.odds import word_scores
from cnnatomy.dissect.samples import rules
from cnnatomy.exhibit import Figure, Grid, Table, Texts
from cnnatomy.exhibit.languages import language
from tests.unit.dissecting import given
from tests.unit.small_data import SPLITS, WAV, hang, small

CONFIG = {"first": 30, "columns": 10, "voices": 3, "sentences": 8, "signals": 6}
SENTENCES = language("en").sentences


def blocks(exhibit):
    return {block.name: block for block in exhibit.blocks}


def noisy(folder: Path, kind: str) -> prepared.Dataset:
    """`small` data of which no rule reads all: half of the test's labels are drawn anew."""
    data = small(folder, kind)
    table = data.table.copy()
    again = np.flatnonzero(table["split"] == "test")[::2]
    table.loc[again, "label"] = np.random.default_rng(3).integers(0, len(data.facts.classes), len(again))
    inputs = np.array(data._inputs)
    if kind != "texts":  # and the rules differ in what they make of what is left
        inputs = (inputs + np.random.default_rng(4).normal(0, 60, inputs.shape)).clip(-250, 255).astype(inputs.dtype)
    prepared.write(folder / "noisy", data.facts, inputs, table)
    return prepared.load(folder / "noisy")


def value(exhibit, metric, subject=""):
    (number,) = (number for number in exhibit.numbers if (number.metric, number.subject) == (metric, subject))
    return number.value


@pytest.mark.parametrize("kind", ["images", "sounds", "texts", "signals"])
def test_every_sample_is_counted_once(tmp_path, kind):
    data = small(tmp_path, kind)
    exhibit = given(data, CONFIG, lambda file: WAV)
    for split, n in SPLITS.items():
        assert value(exhibit, "samples", f"split={split}") == n
        assert sum(value(exhibit, "samples", f"split={split};class={name}") for name in data.facts.classes) == n
    hang(exhibit, tmp_path / "exhibit")


@pytest.mark.parametrize(("licence", "said"), [("CC-BY-4.0", True), ("unknown", False)])
def test_a_licence_that_nobody_knows_is_not_the_first_thing_said(tmp_path, licence, said):
    caption = given(small(tmp_path, "images", licence=licence), CONFIG).caption
    assert (f"Licence: {licence}." in caption["en"]) == (f"许可：{licence}。" in caption["zh"]) == said
    assert ("unknown" in caption["en"]) is False


def test_what_is_left_out_is_counted_and_said_in_both_languages(tmp_path):
    notes = [f"{i}.txt" for i in range(5)]
    exhibit = given(small(tmp_path, "images", left_out=[LeftOut("suffix", 7, notes)]), CONFIG)
    assert value(exhibit, "left_out", "why=suffix") == 7
    assert "Left out: files of a kind that is not read: 7 (0.txt, 1.txt, …)." in exhibit.caption["en"]
    assert "未采用：不能读取的文件类型：7（0.txt、1.txt、…）。" in exhibit.caption["zh"]
    nothing = given(small(tmp_path / "whole", "images"), CONFIG)
    assert "Left out" not in nothing.caption["en"] and not any(one.metric == "left_out" for one in nothing.numbers)


def test_the_log_and_the_report_give_the_same_reasons(tmp_path):
    assert {key: words for key, words in SENTENCES.items() if key.startswith("left_out.why.")} == {
        f"left_out.why.{why}": words for why, words in REASONS.items()
    }
    left_out = [LeftOut("suffix", 2, ["a.txt", "b.txt"]), LeftOut("system", 1), LeftOut("loose", 1, ["c.png"])]
    exhibit = given(small(tmp_path, "images", left_out=left_out), CONFIG)
    assert f"Left out: {said(left_out)}." in exhibit.caption["en"]


@pytest.mark.parametrize("kind", ["texts", "signals"])
def test_of_samples_without_labels_no_classes_are_named(tmp_path, kind):
    first = blocks(given(small(tmp_path, kind, unlabelled=True), CONFIG))["first"]
    shown = first.sentences if kind == "texts" else first.items
    assert first.title["en"] == f"The first {len(shown)}" and [one.label for one in shown][0] == "test/0"


def test_the_values_that_are_black_and_white_are_said_where_files_have_more_than_256(tmp_path):
    exhibit = given(small(tmp_path, "images", scale=[-1500.0, 500.0]), CONFIG)
    assert (value(exhibit, "black_level"), value(exhibit, "white_level")) == (-1500, 500)
    assert "−1500 is black and 500 white, in all images" in blocks(exhibit)["first"].caption["en"]
    assert "−1500 为黑，500 为白" in blocks(exhibit)["first"].caption["zh"]
    assert "black" not in blocks(given(small(tmp_path / "plain", "images"), CONFIG))["first"].caption["en"]


def test_the_first_images_stand_in_the_order_of_the_data(tmp_path):
    data = small(tmp_path, "images")
    first = blocks(given(data, CONFIG))["first"]
    train = data.split("train")
    assert isinstance(first, Grid) and first.columns == 10
    assert [item.id for item in first.items] == train.table["id"][:30].tolist()
    assert [item.label for item in first.items] == [data.facts.classes[label] for label in train.labels[:30]]
    assert all((item.pixels == image[0]).all() for item, image in zip(first.items, train.inputs, strict=False))


def test_clips_are_heard_by_voice_and_sex(tmp_path):
    data = small(tmp_path, "sounds")
    exhibit = given(data, CONFIG, lambda file: WAV + file.encode())
    words = blocks(exhibit)["words"]
    assert isinstance(words, Grid)
    assert {item.group for item in words.items} == {"female, anna", "male, ben"}
    files = dict(zip(data.table["id"], data.table["file"], strict=True))
    assert all(item.sound == WAV + files[item.id].encode() for item in words.items)
    assert value(exhibit, "voices", "split=train;sex=female") == 2
    table = blocks(exhibit)["voices-and-clips"]
    assert isinstance(table, Table) and "4 of them in more than one split" in table.caption["en"]


def test_sentences_of_every_class_and_their_lengths(tmp_path):
    data = small(tmp_path, "texts")
    exhibit = given(data, CONFIG)
    first, lengths = blocks(exhibit)["first"], blocks(exhibit)["lengths"]
    assert isinstance(first, Texts) and isinstance(lengths, Figure)
    assert [sentence.group for sentence in first.sentences] == ["negative"] * 4 + ["positive"] * 4
    assert lengths.data[["negative", "positive"]].to_numpy().sum() == 60
    assert value(exhibit, "words_median", "split=train") == np.median((data.split("train").inputs > 0).sum(axis=1))
    assert blocks(exhibit)["telling-words"].data.iloc[0].tolist()[0].startswith("bad ")


@pytest.mark.parametrize("kind", ["images", "sounds"])
def test_the_nearest_mean_is_that_of_scikit_learn(tmp_path, kind):
    from sklearn.neighbors import NearestCentroid

    data = small(tmp_path, kind)
    train, test = data.split("train"), data.split("test")
    model = NearestCentroid().fit(train.inputs.reshape(len(train), -1).astype(float), train.labels)
    expected = model.score(test.inputs.reshape(len(test), -1).astype(float), test.labels)
    assert value(given(data, CONFIG), "nearest_mean_accuracy") == pytest.approx(expected)


def test_naive_bayes_is_that_of_scikit_learn(tmp_path):
    from sklearn.naive_bayes import MultinomialNB

    data = small(tmp_path, "texts")

    def counts(split):
        return np.array([np.bincount(row, minlength=8)[2:] for row in split.inputs])

    train, test = data.split("train"), data.split("test")
    model = MultinomialNB(fit_prior=False).fit(counts(train), train.labels)
    assert value(given(data, CONFIG), "naive_bayes_accuracy") == pytest.approx(model.score(counts(test), test.labels))


@pytest.mark.parametrize("kind", ["images", "sounds"])
def test_the_nearest_neighbour_is_that_of_scikit_learn(tmp_path, kind, monkeypatch):
    """However few samples are taken at a time."""
    from sklearn.neighbors import KNeighborsClassifier

    monkeypatch.setattr(rules, "CHUNK", 2000)
    monkeypatch.setattr(rules, "ROWS", 7)
    data = noisy(tmp_path, kind)
    train, test = data.split("train"), data.split("test")
    model = KNeighborsClassifier(1).fit(train.inputs.reshape(len(train), -1).astype(float), train.labels)
    expected = model.predict(test.inputs.reshape(len(test), -1).astype(float))
    guesses, asked = rules.nearest_neighbour(train, test)
    assert 0 < (expected == test.labels).mean() < 1
    assert guesses.tolist() == expected.tolist() and len(asked) == len(train)
    reached = (expected == test.labels).mean()
    assert value(given(data, CONFIG, lambda file: WAV), "nearest_neighbour_accuracy") == pytest.approx(reached)


def test_the_nearest_sentence_is_that_of_scikit_learn(tmp_path):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import cosine_similarity

    data = small(tmp_path, "texts")

    def sentences(split):
        return [" ".join(f"w{token}" for token in row if token > 1) for row in split.inputs]

    train, test = data.split("train"), data.split("test")
    weights = TfidfVectorizer().fit(sentences(train))
    nearest = cosine_similarity(weights.transform(sentences(test)), weights.transform(sentences(train)))
    near = nearest >= nearest.max(axis=1, keepdims=True) - 1e-6  # of several that are as near, any
    (rule,) = (name for name in rules.rules(train, test, word_scores(train)) if "neighbour" in name.accuracy.metric)
    right = train.labels == test.labels[:, None]
    assert (right | ~near).all(axis=1).mean() <= rule.accuracy.value <= (right & near).any(axis=1).mean()


@pytest.mark.parametrize("kind", ["images", "sounds"])
def test_logistic_regression_is_that_of_scikit_learn(tmp_path, kind):
    from sklearn.linear_model import LogisticRegression

    data = noisy(tmp_path, kind)
    train, test = (data.split(name) for name in ("train", "test"))
    x, asked = (split.inputs.reshape(len(split), -1).astype(float) for split in (train, test))
    model = LogisticRegression(max_iter=1000).fit((x - x.mean()) / x.std(), train.labels)
    expected = model.score((asked - x.mean()) / x.std(), test.labels)
    assert value(given(data, CONFIG, lambda file: WAV), "logistic_regression_accuracy") == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["images", "sounds", "texts", "signals"])
def test_the_best_rule_is_the_one_that_is_named(tmp_path, kind):
    exhibit = given(noisy(tmp_path, kind), CONFIG, lambda file: WAV)
    reached = {number.metric: number.value for number in exhibit.numbers if number.metric.endswith("_accuracy")}
    most = max(reached.values())
    best = [SENTENCES[f"samples.rules.named.{metric}"] for metric, accuracy in reached.items() if accuracy == most]
    assert len(reached) == 3
    sentences = [f"Without a network, the best of 3 simple rules, {rule}, gets {100 * most:.1f} % of" for rule in best]
    assert any(sentence in exhibit.caption["en"] for sentence in sentences)
    table = blocks(exhibit)["rules"].data
    assert table["accuracy"].tolist() == [round(one, 4) for one in sorted(reached.values(), reverse=True)]


def test_where_all_would_take_too_long_the_nearest_of_some_is_asked_and_said(tmp_path, monkeypatch):
    data = small(tmp_path, "images")
    monkeypatch.setattr(rules, "PRODUCTS", 30 * 40 * 144)  # of 40 test images, of 144 pixels
    table = blocks(given(data, CONFIG))["rules"].data.set_index("rule")["training samples"]
    assert table["the class of the nearest training sample"] == 30
    assert table["the class whose mean sample is nearest"] == 60


def spoken(folder: Path, apart: float, between: float, takes: int = 2) -> prepared.Dataset:
    """Two training and two test speakers of three words in one accent: flat pictures, `apart` dB a take, `between` dB
    from each speaker to the next."""
    rows, pictures = [], []
    for place, (split, voice) in enumerate([("train", "a"), ("train", "b"), ("test", "c"), ("test", "d")]):
        for label, take in product(range(3), range(takes)):
            rows.append({"split": split, "label": label, "voice": f"en+{voice}", "accent": "en", "sex": "male"})
            level = between * place + apart * take
            pictures.append(np.full((1, 4, 6), level) + 1000 * (np.arange(6) == label))
    table = pd.DataFrame(rows)
    names = [str(place) for place in table.index]
    table = table.assign(id=names, file=names)[["split", "label", "id", "voice", "accent", "sex", "file"]]
    axes = [prepared.Axis("frequency", "Hz", [1, 2, 3, 4]), prepared.Axis("time", "s", [0, 1, 2, 3, 4, 5])]
    facts = Facts("spoken", "sounds", ["x", "y", "z"], (1, 4, 6), axes, Normalise(0, 1), "", "", "", "")
    prepared.write(folder / "spoken", facts, np.array(pictures, np.float16), table)
    return prepared.load(folder / "spoken")


def who_speaks(exhibit) -> str:
    return blocks(exhibit)["voices-and-clips"].caption["en"]


def test_a_test_voice_is_as_new_as_it_is_far_from_training_in_takes_of_its_own(tmp_path):
    exhibit = given(spoken(tmp_path, apart=2, between=5), CONFIG, lambda file: WAV)
    # c lies 3 and 5 dB from b's second take, d 8 and 10: means of 4 and 9, over 2.
    assert value(exhibit, "voice_newness", "speaker=c") == pytest.approx(2)
    assert value(exhibit, "voice_newness", "speaker=d") == pytest.approx(4.5)
    assert value(exhibit, "distance_to_training_voice", "speaker=c") == pytest.approx(4)
    assert value(exhibit, "distance_to_own_take", "speaker=d") == pytest.approx(2)
    assert value(exhibit, "voice_newness_least") == pytest.approx(2)
    assert value(exhibit, "voice_newness_mean") == pytest.approx(3.25)
    assert "voices that were never heard" in who_speaks(exhibit) and "2.00–4.50 times" in who_speaks(exhibit)


def test_copies_of_training_voices_are_not_called_unheard(tmp_path):
    exhibit = given(spoken(tmp_path, apart=8, between=2), CONFIG, lambda file: WAV)
    assert value(exhibit, "voice_newness_least") < 1
    assert "never heard" not in who_speaks(exhibit)
    assert "none of them in two splits, but as near to training voices as another take" in who_speaks(exhibit)


def test_of_some_copies_and_some_new_voices_the_copies_are_named(tmp_path):
    exhibit = given(spoken(tmp_path, apart=5, between=5), CONFIG, lambda file: WAV)
    assert value(exhibit, "voice_newness_least") < 1 < value(exhibit, "voice_newness", "speaker=d")
    assert "1 of 2 test speakers are as near to training voices as another take of their own: c." in who_speaks(exhibit)
    assert "never heard" not in who_speaks(exhibit)


def test_of_voices_that_say_a_word_once_nothing_is_said(tmp_path):
    exhibit = given(spoken(tmp_path, apart=2, between=5, takes=1), CONFIG, lambda file: WAV)
    assert not [number for number in exhibit.numbers if "newness" in number.metric]
    assert who_speaks(exhibit) == "4 voices, none of them in two splits."


@pytest.mark.parametrize("keep", ["last", "best"])
def test_nothing_is_claimed_of_how_an_epoch_was_chosen(tmp_path, keep):
    """The exhibit knows the data only."""
    assert "epoch" not in blocks(given(small(tmp_path, "images"), CONFIG))["counts"].caption["en"]


def test_unlabelled_photographs_are_shown_and_nothing_is_said_of_classes(tmp_path):
    exhibit = given(small(tmp_path, "images", unlabelled=True), CONFIG)
    assert list(blocks(exhibit)) == ["first"]
    assert [number.metric for number in exhibit.numbers] == ["samples"]
    hang(exhibit, tmp_path / "exhibit")


def test_it_costs_no_torch():
    heavy = ("torch", "matplotlib", "pandas")
    program = f"import sys, cnnatomy.dissect.samples; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.slow
def test_on_mnist_rules_reach_what_is_known_of_them(mirror, tmp_path):
    """With all 60,000 training images the nearest mean 82.03 % (scikit-learn's NearestCentroid), the nearest neighbour
    96.91 % (LeCun's page: 3.09 % errors)."""

    def idx(name, skip):
        with gzip.open(mirror / name) as file:
            return np.frombuffer(file.read(), np.uint8, offset=skip)

    images = [idx(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28) for part in ("train", "t10k")]
    labels = [idx(f"{part}-labels-idx1-ubyte.gz", 8) for part in ("train", "t10k")]
    table = pd.DataFrame({"split": np.repeat(["train", "test"], [60000, 10000]), "label": np.concatenate(labels)})
    table = table.assign(id=table.index.astype(str))
    digits = [str(digit) for digit in range(10)]
    facts = Facts("mnist", "images", digits, (1, 28, 28), [], Normalise(0.13, 0.31), "", "", "", "")
    prepared.write(tmp_path / "mnist", facts, np.concatenate(images), table)
    exhibit = given(prepared.load(tmp_path / "mnist"), CONFIG)
    assert value(exhibit, "nearest_mean_accuracy") == pytest.approx(0.8203, abs=1e-4)
    assert value(exhibit, "nearest_neighbour_accuracy") == pytest.approx(0.9691, abs=2e-4)
    assert "".join(item.label for item in blocks(exhibit)["first"].items[:10]) == "5041921314"
