"""The weights on the way: those that a shorter training would have ended with, through a kill, a file and back."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnatomy.models import snapshots
from cnnatomy.models.snapshots import Snapshots, is_due
from cnnatomy.training.fit import train_network
from tests.unit.small_data import small
from tests.unit.test_training import LECTURE, TRAINING


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return small(tmp_path_factory.mktemp("data"), "images")


def train(images, state, kept=None, **changes):
    training = TRAINING | {"schedule": "constant", "keep": "last", "augment": None} | changes
    network, _ = train_network({"model": LECTURE, "training": training}, images, seed=0, state=state, snapshots=kept)
    return network.state_dict()


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_they_come_at_powers_of_two():
    assert [step for step in range(5000) if is_due(step)] == [0, *(2**power for power in range(2, 13))]


def test_they_are_what_a_shorter_training_ends_with(images, tmp_path):
    size = -(-len(images.split("train")) // 4)  # four steps an epoch
    kept = Snapshots()
    whole = train(images, tmp_path / "whole", kept, max_epochs=5, batch_size=size)
    assert sorted(kept.states) == [0, 4, 8, 16] and (kept.last, kept.epoch) == (20, 4)
    assert same(kept.states[4], train(images, tmp_path / "one", max_epochs=1, batch_size=size))
    assert same(kept.states[16], train(images, tmp_path / "four", max_epochs=4, batch_size=size))
    assert same(whole, train(images, tmp_path / "without", max_epochs=5, batch_size=size)), "looking changes nothing"
    assert not same(kept.states[0], kept.states[4])


def test_a_training_that_goes_on_has_them_all(images, tmp_path):
    size = -(-len(images.split("train")) // 4)
    once, twice = Snapshots(), Snapshots()
    train(images, tmp_path / "once", once, max_epochs=5, batch_size=size)
    train(images, tmp_path / "twice", Snapshots(), max_epochs=3, batch_size=size)  # its state is found by the next
    train(images, tmp_path / "twice", twice, max_epochs=5, batch_size=size)
    assert sorted(once.states) == sorted(twice.states)
    assert all(same(once.states[step], twice.states[step]) for step in once.states)


def test_of_the_best_epoch_none_is_kept_from_behind_it(images, tmp_path):
    size = -(-len(images.split("train")) // 4)
    kept = Snapshots()
    # A rate at which the first epoch is the best.
    train(images, tmp_path, kept, max_epochs=5, batch_size=size, keep="best", learning_rate=1e-9)
    assert kept.last == 4 and sorted(kept.states) == [0]


def test_a_file_gives_back_what_was_kept(tmp_path):
    kept, network = Snapshots(epoch=7), nn.Linear(3, 2)
    for step in (0, 3, 4):
        kept.look(network, step)
    kept.end(12)
    snapshots.save(kept, tmp_path / "a", {"digest": "d"})
    snapshots.save(kept, tmp_path / "b", {"digest": "d"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    found, digest = snapshots.load(tmp_path / "a")
    assert digest == "d" and (found.last, found.epoch, sorted(found.states)) == (12, 7, [0, 4])
    assert all(same(found.states[step], kept.states[step]) for step in (0, 4))
    (tmp_path / "a").write_bytes(b"no")
    with pytest.raises(ValueError, match="delete it and train again"):
        snapshots.load(tmp_path / "a")


def test_of_a_large_network_none_are_kept():
    kept = Snapshots()
    kept.look(nn.Linear(2100, 2000), 0)
    assert kept.states == {}
