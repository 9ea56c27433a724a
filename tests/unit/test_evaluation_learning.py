"""What evaluation says of how training went: each verdict of a history that shows it, and of a sound one none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cnnatomy.evaluation.learning import numbers_of, verdict
from cnnatomy.evaluation.metrics import metrics
from cnnatomy.exhibit.languages import worded
from cnnatomy.exhibit.words import described
from tests.unit.dissecting import evaluated
from tests.unit.small_data import small
from tests.unit.test_evaluation import CONFIG, made_up

SETTINGS = {"max_epochs": 12, "learning_rate": 0.003, "weight_decay": 0.01, "keep": "last"}
CLASSES = ["a", "b", "c"]


def history(train, validation, losses):
    count = len(losses)
    return pd.DataFrame(
        {
            "epoch": range(1, count + 1),
            "train_loss": np.linspace(1, 0.1, count),
            "train_accuracy": train,
            "validation_loss": losses,
            "validation_accuracy": validation,
            "learning_rate": 0.001,
        }
    )


def predicted(right: int, of: int = 300) -> pd.DataFrame:
    """The test split's predictions, three classes alike, of which so many are right."""
    labels = np.arange(of) % 3
    read = np.where(np.arange(of) < right, labels, (labels + 1) % 3)
    table = pd.DataFrame({"split": "test", "id": [f"test/{k}" for k in range(of)], "label": labels, "prediction": read})
    table["confidence"] = 0.8
    return table.assign(**{f"p_{name}": np.where(read == k, 0.8, 0.1) for k, name in enumerate(CLASSES)})


def said(rows, right=240, **settings):
    numbers = metrics(predicted(right), CLASSES) + numbers_of(rows)
    told = verdict(numbers, SETTINGS | settings)
    return None if told is None else worded(described(told))


STEADY = np.linspace(0.4, 0.8, 8)
SOUND = history(
    np.r_[STEADY, [0.8] * 4], np.r_[STEADY, [0.8] * 4], np.r_[np.linspace(1, 0.5, 8), [0.5, 0.5, 0.49, 0.49]]
)
UNFINISHED = history(np.linspace(0.4, 0.75, 12), np.linspace(0.4, 0.75, 12), np.linspace(1, 0.4, 12))
BY_HEART = history(
    np.linspace(0.4, 1, 12), np.r_[STEADY, [0.8] * 4], np.r_[np.linspace(1, 0.5, 6), np.linspace(0.5, 0.9, 6)]
)
CHANCE = history([0.34] * 12, [0.33] * 12, [1.1] * 12)


def test_of_a_sound_training_nothing_is_said():
    assert said(SOUND) is None


def test_a_loss_that_still_falls_says_that_training_ended_too_early():
    told = said(UNFINISHED)
    assert told is not None and "too early" in told["en"] and "太早" in told["zh"]
    assert "training.max_epochs=24 in place of 12" in told["en"] and "training.max_epochs=24" in told["zh"]
    assert "training.steps=3000 in place of 1500" in said(UNFINISHED, max_epochs="auto", steps=1500)["en"]


def test_training_far_ahead_and_a_loss_that_rises_say_that_it_learns_by_heart():
    told = said(BY_HEART)
    assert told is not None and "by heart" in told["en"] and "过拟合" in told["zh"]
    assert "20.0 points" in told["en"] and "80 % above its least" in told["en"]
    assert "training.keep=best in place of last" in told["en"], "the earlier weights would be better"
    advice = said(BY_HEART, keep="best", augment=None)["en"]
    ranked = ["more samples", "training.augment", "smaller network", "training.weight_decay=0.1 in place of 0.01"]
    assert sorted(ranked, key=advice.index) == ranked
    assert "augment" not in said(BY_HEART, keep="best", augment={"degrees": 8})["en"], "they are varied already"
    ahead_only = BY_HEART.assign(validation_loss=SOUND["validation_loss"])
    assert said(ahead_only) is None, "ahead, but validation loses nothing by it"


@pytest.mark.parametrize(("right", "sits"), [(100, True), (106, True), (60, True), (150, False)])
def test_no_more_right_than_the_commonest_class_says_that_it_sits_at_chance(right, sits):
    told = said(CHANCE, right)
    assert (
        told is not None and "Nothing shows that it does better than chance" in told["en"] and "瞎猜" in told["zh"]
    ) == sits
    if sits:
        assert "training.learning_rate=0.001 in place of 0.003" in told["en"]


def test_at_chance_though_training_samples_are_known_says_both():
    told = said(BY_HEART.assign(validation_accuracy=0.33), 100)
    assert (
        told is not None and "Nothing shows that it does better than chance" in told["en"] and "by heart" in told["en"]
    )


def test_the_difference_to_the_commonest_class_holds_what_it_should():
    random = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        labels = np.where(random.random(80) < 0.6, 0, 1)
        table = predicted(0, 80).assign(label=labels)
        table["prediction"] = np.where(random.random(80) < 0.75, labels, 1 - labels)
        (number,) = (one for one in metrics(table, CLASSES) if one.metric == "above_majority")
        held += number.ci_low <= 0.15 <= number.ci_high
    assert 0.92 < held / 400 < 0.99


def test_without_validation_nothing_is_said_and_a_short_history_is_no_error():
    blind = SOUND.assign(validation_loss=np.nan, validation_accuracy=np.nan)
    assert numbers_of(blind) == [] and said(blind) is None
    assert said(CHANCE.iloc[:1], 240) is None


def test_the_sentence_stands_in_the_caption(tmp_path):
    samples = small(tmp_path, "images").split("test")
    caption = evaluated(made_up(samples, 3, errors=0), UNFINISHED, samples, CONFIG, training=SETTINGS).caption
    assert "too early" in caption["en"] and "太早" in caption["zh"]
    assert "too early" not in evaluated(made_up(samples, 3, errors=0), SOUND, samples, CONFIG).caption["en"]
