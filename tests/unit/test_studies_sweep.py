"""What a sweep shows: the point that validation chooses, the numbers of every point, a picture of the grid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cnnatomy.config.study import Study
from cnnatomy.exhibit import Exhibit
from cnnatomy.exhibit.store import store
from cnnatomy.studies.sweep import swept
from tests.unit.dissecting import in_words

WRITTEN = {
    "title": {"en": "Sweep", "zh": "扫描"},
    "base": "mnist",
    "seeds": 2,
    "grid": {"training.learning_rate": [0.001, 0.1], "model.filters": [[2, 4], [4, 8], [8, 16]]},
}
# Validation and test accuracy by point and seed; the point that is best on the test samples is not the chosen one.
VALIDATION = {("0_001", "2_4"): (0.7, 0.72), ("0_001", "4_8"): (0.9, 0.94), ("0_1", "8_16"): (0.8, 0.86)}
TEST = {("0_001", "4_8"): (0.88, 0.9), ("0_1", "8_16"): (0.95, 0.97)}


def measured(study: Study, metrics=("validation_accuracy", "test_accuracy")) -> pd.DataFrame:
    rows = []
    for variant, seed in study.trials():
        point = tuple(variant.levels.values())
        for metric, known in (("validation_accuracy", VALIDATION), ("test_accuracy", TEST)):
            if metric in metrics:
                value = known.get(point, (0.5, 0.5))[seed]
                rows.append({"run": variant.run, **variant.levels, "seed": seed, "metric": metric, "value": value})
    return pd.DataFrame(rows).assign(subject="", unit="fraction")


def test_the_best_point_is_chosen_by_validation_and_its_test_accuracy_reported(tmp_path):
    study = Study.read("sweep", WRITTEN)
    exhibit = in_words(Exhibit.of(swept(study.content, measured(study)), "study", "s"))
    numbers = {(number.metric, number.subject): number for number in exhibit.numbers}
    assert numbers["best_test_accuracy", ""].value == pytest.approx(0.89)
    assert numbers["points", ""].value == 6 and numbers["trainings", ""].value == 12
    where = "learning_rate=0_1;filters=8_16"
    assert numbers["test_accuracy", where].value == pytest.approx(0.96)
    assert exhibit.blocks[0].text["en"] == (
        "Best by validation accuracy: learning rate 0.001, filters [4, 8]; 89.00 % of the test samples."
    )
    document, files = exhibit.describe({}, {})
    store(tmp_path / "sweep", document | {"name": "sweep"}, files)  # it keeps the contract
    assert b'0.1,"[8, 16]",2,0.96' in files["points.csv"]
    assert b"filters [8, 16]" in files["grid.svg"] and len(files["grid.csv"].splitlines()) == 7


def test_without_validation_samples_it_says_that_the_test_chose():
    study = Study.read("sweep", WRITTEN)
    exhibit = in_words(Exhibit.of(swept(study.content, measured(study, ("test_accuracy",))), "study", "s"))
    assert "Best by test accuracy: learning rate 0.1, filters [8, 16]" in exhibit.blocks[0].text["en"]
    assert "accuracy on test samples" in exhibit.caption["en"]


@pytest.mark.parametrize(
    "grid", [{"training.loss": ["mse", "cross_entropy"]}, {"a.x": [1, 2], "a.y": [1, 2], "a.z": [1, 2]}]
)
def test_one_factor_and_three_are_drawn(grid):
    study = Study.read("sweep", {**WRITTEN, "grid": grid})
    random = np.random.default_rng(0)
    rows = [
        {"run": variant.run, **variant.levels, "seed": seed, "metric": metric, "value": random.random()}
        for variant, seed in study.trials()
        for metric in ("validation_accuracy", "test_accuracy")
    ]
    exhibit = in_words(
        Exhibit.of(swept(study.content, pd.DataFrame(rows).assign(subject="", unit="fraction")), "study", "s")
    )
    (figure,) = [block for block in exhibit.blocks if hasattr(block, "svg")]
    for word in ("mse", "cross_entropy") if "training.loss" in grid else ("x", "y 1", "z"):
        assert word in figure.svg or word in figure.alt["en"]
