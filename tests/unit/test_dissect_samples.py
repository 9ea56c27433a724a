"""The data shown: what is in each split, heard and counted, and how far one gets without a network."""

from __future__ import annotations

import gzip
import subprocess
import sys

import numpy as np
import pytest

from cnnatomy.data import prepared
from cnnatomy.data.prepared import Facts, Normalise
from cnnatomy.dissect.samples import samples
from cnnatomy.exhibit import Figure, Grid, Table, Texts
from tests.unit.small_data import SPLITS, WAV, hang, small

CONFIG = {"first": 30, "columns": 10, "voices": 3, "sentences": 8}


def blocks(exhibit):
    return {block.name: block for block in exhibit.blocks}


def value(exhibit, metric, subject=""):
    (number,) = (number for number in exhibit.numbers if (number.metric, number.subject) == (metric, subject))
    return number.value


@pytest.mark.parametrize("kind", ["images", "sounds", "texts"])
def test_every_sample_is_counted_once(tmp_path, kind):
    data = small(tmp_path, kind)
    exhibit = samples(data, CONFIG, lambda file: WAV)
    for split, n in SPLITS.items():
        assert value(exhibit, "samples", f"split={split}") == n
        assert sum(value(exhibit, "samples", f"split={split};class={name}") for name in data.facts.classes) == n
    hang(exhibit, tmp_path / "exhibit")


def test_the_first_images_stand_in_the_order_of_the_data(tmp_path):
    data = small(tmp_path, "images")
    first = blocks(samples(data, CONFIG))["first"]
    train = data.split("train")
    assert isinstance(first, Grid) and first.columns == 10
    assert [item.id for item in first.items] == train.table["id"][:30].tolist()
    assert [item.label for item in first.items] == [data.facts.classes[label] for label in train.labels[:30]]
    assert all((item.pixels == image[0]).all() for item, image in zip(first.items, train.inputs, strict=False))


def test_clips_are_heard_by_voice_and_sex(tmp_path):
    data = small(tmp_path, "sounds")
    exhibit = samples(data, CONFIG, lambda file: WAV + file.encode())
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
    exhibit = samples(data, CONFIG)
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
    assert value(samples(data, CONFIG), "nearest_mean_accuracy") == pytest.approx(expected)


def test_naive_bayes_is_that_of_scikit_learn(tmp_path):
    from sklearn.naive_bayes import MultinomialNB

    data = small(tmp_path, "texts")

    def counts(split):
        return np.array([np.bincount(row, minlength=8)[2:] for row in split.inputs])

    train, test = data.split("train"), data.split("test")
    model = MultinomialNB(fit_prior=False).fit(counts(train), train.labels)
    assert value(samples(data, CONFIG), "naive_bayes_accuracy") == pytest.approx(model.score(counts(test), test.labels))


def test_unlabelled_photographs_are_shown_and_nothing_is_said_of_classes(tmp_path):
    exhibit = samples(small(tmp_path, "images", unlabelled=True), CONFIG)
    assert list(blocks(exhibit)) == ["first"]
    assert [number.metric for number in exhibit.numbers] == ["samples"]
    hang(exhibit, tmp_path / "exhibit")


def test_it_costs_no_torch():
    heavy = ("torch", "matplotlib", "pandas")
    program = f"import sys, cnnatomy.dissect.samples; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "[]"


def test_on_mnist_the_nearest_mean_reaches_what_is_known_of_it(mirror, tmp_path):
    """82.03 % with all 60,000 training images (scikit-learn's NearestCentroid)."""

    def idx(name, skip):
        with gzip.open(mirror / name) as file:
            return np.frombuffer(file.read(), np.uint8, offset=skip)

    import pandas as pd

    images = [idx(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28) for part in ("train", "t10k")]
    labels = [idx(f"{part}-labels-idx1-ubyte.gz", 8) for part in ("train", "t10k")]
    table = pd.DataFrame({"split": np.repeat(["train", "test"], [60000, 10000]), "label": np.concatenate(labels)})
    table = table.assign(id=table.index.astype(str))
    digits = [str(digit) for digit in range(10)]
    facts = Facts("mnist", "images", digits, (1, 28, 28), [], Normalise(0.13, 0.31), "", "", "", "")
    prepared.write(tmp_path / "mnist", facts, np.concatenate(images), table)
    exhibit = samples(prepared.load(tmp_path / "mnist"), CONFIG)
    assert value(exhibit, "nearest_mean_accuracy") == pytest.approx(0.8203, abs=1e-4)
    assert "".join(item.label for item in blocks(exhibit)["first"].items[:10]) == "5041921314"
