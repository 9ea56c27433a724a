"""Another split of prepared data: by voices, by folds, with fewer samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.errors import DataError
from cnnatomy.data.prepared import Dataset, Normalise
from cnnatomy.data.splitting import resplit
from tests.unit.small_data import small


@pytest.fixture(scope="module")
def voices(tmp_path_factory):
    return small(tmp_path_factory.mktemp("voices"), "sounds")


def ids(dataset, split: str) -> set[str]:
    return set(dataset.split(split).table["id"])


@pytest.mark.parametrize("none", [0, 0.0])
def test_with_no_validation_samples_all_that_are_not_the_tests_are_trained_on(voices, none):
    again = resplit(voices, {"validation": none}, seed=0)
    assert set(again.facts.splits) == {"train", "test"} and ids(again, "test") == ids(voices, "test")
    assert ids(again, "train") == ids(voices, "train") | ids(voices, "validation")


def test_samples_go_where_their_column_says_and_keep_their_inputs_and_labels(voices):
    told = {"train": {"sex": ["male"]}, "test": {"sex": ["female"]}, "validation": {"voice": ["dan"]}}
    again = resplit(voices, told, seed=0)
    table = voices.table
    assert ids(again, "train") == set(table.loc[table["voice"] == "ben", "id"])
    assert ids(again, "validation") == set(table.loc[table["voice"] == "dan", "id"])
    assert ids(again, "test") == set(table.loc[table["sex"] == "female", "id"])
    whole = np.concatenate([voices.split(name).inputs for name in ("train", "validation", "test")])
    for split in ("train", "validation", "test"):
        samples = again.split(split)
        places = table.index[table["id"].isin(samples.table["id"])]
        np.testing.assert_array_equal(samples.inputs, whole[places])
        np.testing.assert_array_equal(samples.labels, table.loc[places, "label"])
        assert (samples.table["split"] == split).all()


def test_training_inputs_are_normalised_by_themselves(voices):
    again = resplit(voices, {"train": {"voice": ["anna"]}, "test": {"voice": ["ben"]}}, seed=0)
    x = to_tensor(again.facts, again.split("train").inputs).double()
    assert abs(float(x.mean())) < 1e-4 and abs(float(x.std()) - 1) < 1e-3


def test_images_are_normalised_channel_by_channel(tmp_path):
    pixels = small(tmp_path, "images", normalise=None)
    by_channel = Dataset(replace(pixels.facts, normalise=Normalise([0.0], [1.0])), pixels.folder)
    again = resplit(by_channel, {"train_size": 30}, seed=0)
    x = to_tensor(again.facts, again.split("train").inputs).double()
    assert isinstance(again.facts.normalise.mean, list)
    assert abs(float(x.mean())) < 1e-5 and abs(float(x.std()) - 1) < 1e-3


def test_each_sample_is_tested_in_exactly_one_fold_and_classes_are_in_proportion(voices):
    tested = []
    for fold in range(5):
        again = resplit(voices, {"folds": 5, "fold": fold, "validation": 0.1}, seed=fold)
        parts = [ids(again, name) for name in ("train", "validation", "test")]
        assert sum(map(len, parts)) == len(set().union(*parts)) == 120
        counts = np.bincount(again.split("test").labels)
        assert counts.max() - counts.min() <= 1
        assert len(parts[1]) == round(0.1 * 96)
        tested += list(parts[2])
    assert len(tested) == len(set(tested)) == 120


def test_fewer_training_samples_leave_the_other_splits_and_are_drawn_by_the_seed(voices):
    first, second = (resplit(voices, {"train_size": 15}, seed=seed) for seed in (0, 1))
    more = resplit(voices, {"train_size": 30}, seed=0)
    assert ids(first, "test") == ids(voices, "test") and ids(first, "validation") == ids(voices, "validation")
    assert ids(first, "train") < ids(more, "train") < ids(voices, "train")
    assert ids(first, "train") != ids(second, "train")
    assert np.bincount(first.split("train").labels).tolist() == [5, 5, 5]


def test_a_share_of_some_samples_is_for_testing(voices):
    again = resplit(voices, {"samples": {"split": ["train", "validation"]}, "size": 40, "test": 0.25}, seed=0)
    assert again.facts.splits == {"train": 30, "test": 10}
    assert not ids(again, "train") & ids(again, "test")
    assert (ids(again, "train") | ids(again, "test")) < ids(voices, "train") | ids(voices, "validation")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"test": {"speaker": ["anna"]}}, "no column 'speaker'; there are split, label"),
        ({"test": {"voice": ["eva"]}}, "split.test.voice: no sample has 'eva'; there are anna, ben"),
        ({"train_size": 1000}, "split.train_size: 1000 samples are wanted, and there are 60"),
        ({"folds": 5, "fold": 5}, "split.fold is 5: of 5 folds"),
        ({"train": {"sex": ["male"]}, "test": {"sex": ["male"]}}, "no sample for training"),
    ],
)
def test_a_split_that_is_not_there_is_refused(voices, told, said):
    with pytest.raises(DataError, match=said):
        resplit(voices, told, seed=0)
