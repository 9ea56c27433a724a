"""Training that is asked for in steps: how long it goes on, what it keeps, and that a killed one ends the same."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.config.compose import compose
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.config.slices import slice_of
from cnnatomy.data.batches import Batches
from cnnatomy.training.checks import say_of_few
from cnnatomy.training.errors import TrainingError
from cnnatomy.training.fit import fit
from cnnatomy.training.stopping import Pace, Rounds, batch_size
from tests.unit.small_data import small
from tests.unit.test_training import TRAINING, accuracy, bits, train

AUTO = {"max_epochs": "auto", "steps": 60, "patience": 3, "keep": "best"}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return small(tmp_path_factory.mktemp("data"), "images")


def history(losses, accuracies=None):
    accuracies = accuracies or [0.5] * len(losses)
    return [
        {"validation_loss": loss, "validation_accuracy": right} for loss, right in zip(losses, accuracies, strict=True)
    ]


PACE = Pace(round_steps=10, steps=60, patience=3, epoch_steps=5, cools=True)


def test_the_rate_goes_down_once_validation_has_not_gained_for_so_many_rounds():
    falling = history([1 / k for k in range(1, 31)])
    assert PACE.down_from(falling) is None and not PACE.ended(falling)
    stuck = falling + history([1.0] * 3)
    assert PACE.down_from(stuck) == 33
    assert not PACE.ended(stuck + history([1.0] * 16)) and PACE.ended(stuck + history([1.0] * 17)), "a third of all"
    better = falling + history([1.0] * 2) + history([1.0], [0.6])
    assert PACE.down_from(better) is None, "a better accuracy is a gain, whatever the loss"


def test_a_loss_that_falls_by_next_to_nothing_gains_nothing():
    """Of easy samples, all read right, it falls for ever; one that falls slowly, but adds up, is waited for."""
    start = history([0.5, 0.2, 0.05, 0.01], [0.8, 0.9, 1.0, 1.0])
    easy = start + history([0.01 - 1e-7 * k for k in range(3)], [1.0] * 3)
    assert PACE.down_from(easy) == 7
    slowly = history([2 * 0.995**k for k in range(30)])
    assert PACE.down_from(slowly) is None
    stuck = history([2 * 0.999**k for k in range(30)])
    assert PACE.down_from(stuck) is not None


def test_however_soon_validation_is_at_its_best_there_are_the_fewest_steps():
    worse_and_worse = history([float(k) for k in range(100)])
    ends = next(n for n in range(100) if PACE.ended(worse_and_worse[:n]))
    assert ends * PACE.round_steps == PACE.steps


def test_however_long_validation_gains_it_ends():
    gaining = history([1000 * 1.05**-k for k in range(1, 1000)])
    ends = next(n for n in range(1000) if PACE.ended(gaining[:n]))
    assert ends == PACE.longest == 90, "ten times the fewest steps, and half as long down"
    long_epochs = Pace(round_steps=100, steps=1500, patience=5, epoch_steps=8000, cools=True)
    assert long_epochs.longest * 100 == 1.5 * 10 * 8000, "of many data ten passes"


def test_the_rate_rises_stays_and_falls_to_nothing():
    rows: list[dict[str, float]] = []
    rates = []
    while not PACE.ended(rows):
        rates += [PACE.rate(step, rows) for step in range(10 * len(rows), 10 * len(rows) + 10)]
        rows = history([max(0.1, 1 - 0.1 * k) for k in range(len(rows) + 1)])
    top = rates.index(1.0)
    assert top < 10 and all(np.diff(rates[: top + 1]) > 0)
    falling = int(np.argmax(np.diff(rates) < 0))
    assert set(rates[top : falling + 1]) == {1.0} and all(np.diff(rates[falling:]) < 0)
    assert 0 < rates[-1] < 0.05
    assert len(rates) - falling == pytest.approx(len(rates) / 3, abs=10)


@pytest.mark.parametrize(
    ("wanted", "samples", "given"), [(128, 14, 4), (128, 400, 40), (128, 100_000, 128), (50, 301, 31), (8, 33, 5)]
)
def test_few_samples_get_small_batches_and_none_comes_alone(wanted, samples, given):
    size = batch_size(wanted, samples)
    assert size == given and samples % size != 1


def test_rounds_are_pass_after_pass_wherever_one_begins(images):
    batches = Batches(images.split("train"), 7, 0, shuffle=True)
    straight = [y for k in range(4) for _, y in batches.epoch(k)]
    rounds = Rounds(batches, 5)
    cut = [y for k in range(len(straight) // 5) for _, y in rounds.epoch(k)]
    assert all(torch.equal(a, b) for a, b in zip(cut, straight, strict=False))
    assert all(len(list(rounds.epoch(k))) == 5 for k in range(4))


def test_it_learns_ends_by_itself_and_does_the_same_again(images, tmp_path, capsys):
    network, rows = train(images, tmp_path / "a", **AUTO)
    assert accuracy(network, images.split("test")) == 1
    steps = [float(line.split(" steps")[0]) for line in capsys.readouterr().out.splitlines() if " steps, " in line]
    assert len(steps) == len(rows) and 60 <= steps[-1] <= 15 * 60
    passes = len(Batches(images.split("train"), batch_size(8, len(images.split("train"))), 0, shuffle=False))
    assert rows["epoch"].iloc[-1] == pytest.approx(steps[-1] / passes)
    highest = rows["learning_rate"].max()
    assert highest == pytest.approx(0.01 * math.sqrt(6 / 8)), "batches of a tenth of sixty samples in place of eight"
    assert rows["learning_rate"].iloc[-1] < 0.1 * highest
    again, same = train(images, tmp_path / "b", **AUTO)
    assert same.equals(rows) and bits(again) == bits(network)


class Killed(Exception):
    pass


@pytest.mark.parametrize("when", [3, 9])
def test_killed_and_started_again_it_ends_with_the_same_bits(images, tmp_path, monkeypatch, when):
    whole, rows = train(images, tmp_path / "whole", **AUTO)
    assert len(rows) > when
    epoch = Rounds.epoch

    def stopping(self, k):
        if k == when:
            raise Killed
        return epoch(self, k)

    monkeypatch.setattr(Rounds, "epoch", stopping)
    with pytest.raises(Killed):
        train(images, tmp_path / "state", **AUTO)
    monkeypatch.undo()
    rest, again = train(images, tmp_path / "state", **AUTO)
    assert again.equals(rows) and bits(rest) == bits(whole)


def test_a_constant_rate_stays_and_ends_where_it_would_go_down(images, tmp_path):
    _, rows = train(images, tmp_path / "state", **AUTO | {"schedule": "constant"})
    assert rows["learning_rate"].nunique() == 1


class Linear(nn.Module):
    """One layer."""

    def __init__(self, shape) -> None:
        super().__init__()
        self.layer = nn.Linear(math.prod(shape), 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(1))


def test_without_validation_it_takes_the_steps_asked_for_and_keeps_the_last(images, tmp_path):
    batches = Batches(images.split("train"), 8, 0, shuffle=True)
    rows = fit(Linear(images.facts.shape), (batches, None), TRAINING | AUTO, 0, tmp_path)
    assert rows["validation_accuracy"].isna().all()
    assert math.isclose(rows["epoch"].iloc[-1] * len(batches), 60, abs_tol=3)
    with pytest.raises(TrainingError):
        fit(Linear(images.facts.shape), (batches, None), TRAINING | {"keep": "best"}, 0, tmp_path)


def test_the_templates_for_own_data_train_by_themselves_and_the_default_runs_as_ever():
    for template in ("images", "sounds", "texts"):
        assert compose(["run=mnist", f"training={template}"])["training"]["max_epochs"] == 3, "a run's own value holds"
    for run in ("mnist", "speech", "text", "article", "fsdd", "go"):
        training = slice_of("train", compose([f"run={run}"]))["training"]
        assert type(training["max_epochs"]) is int and not {"steps", "patience"} & set(training)
    asked = compose(["run=text", "training=texts"])
    assert slice_of("train", asked)["training"]["steps"] > 0


def test_patience_in_epochs_is_not_for_rounds():
    with pytest.raises(ConfigurationError, match="patience"):
        compose(["run=text", "training=texts", "training.early_stop=3"])


def test_classes_and_validation_splits_of_a_few_samples_are_warned_of(images, caplog):
    enough, validation = images.split("train"), images.split("validation")
    say_of_few(enough, None)
    assert not caplog.records, "twenty of each class, and nothing is chosen"
    few = enough.labels < 1
    few[:6] = True
    say_of_few(replace(enough, inputs=enough.inputs[few], labels=enough.labels[few]), validation)
    classes, chosen = (record.getMessage() for record in caplog.records)
    assert "'6' has 2, '7' has 2" in classes and "'5'" not in classes
    assert "20 validation samples decide when" in chosen and "data.prepare.validation" in chosen
    caplog.clear()
    two = replace(validation, inputs=validation.inputs[:2], labels=validation.labels[:2])
    say_of_few(enough, two)
    assert [record.levelname for record in caplog.records] == ["WARNING"] and "2 validation" in caplog.text
