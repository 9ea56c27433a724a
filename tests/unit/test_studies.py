"""Comparisons and findings of studies, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cnnatomy.config.study import Study
from cnnatomy.exhibit import Exhibit, Figure
from cnnatomy.statistics.differences import effect_size, t_interval
from cnnatomy.studies.comparing import Answers, Compared, compare, corrected
from cnnatomy.studies.errors import StudyError
from cnnatomy.studies.findings import findings, variants_table
from cnnatomy.studies.summaries import summary
from cnnatomy.studies.wording import amount
from tests.unit.dissecting import in_words
from tests.unit.small_data import hang

SEEDS = 5


def written(**changes: object) -> dict:
    return {
        "title": {"en": "Voices"},
        "claim": {"en": "a is better than b."},
        "settings": {"en": "Settings are the run's."},
        "base": "speech",
        "seeds": SEEDS,
        "factors": {"network": {"a": [], "b": []}, "voice": {"x": [], "y": [], "z": []}},
        "comparisons": [{"metric": "test_accuracy", "of": {"network": "a"}, "than": {"network": "b"}}],
    } | changes


def measured(study: Study, better: float = 0.05, noise: float = 0.01) -> pd.DataFrame:
    """Accuracies in which network a is better by so much, voices differ, and seeds scatter."""
    chance, rows = np.random.default_rng(0), []
    for variant, seed in study.trials():
        value = 0.7 + better * (variant.levels["network"] == "a") + 0.05 * "xyz".index(variant.levels["voice"])
        about = {"run": variant.run, **variant.levels, "seed": seed}
        for shift in (None, -2, 0, 2):
            accuracy = value + chance.normal(0, noise) - (0 if shift is None else 0.02 * abs(shift))
            subject = "" if shift is None else f"shift={shift}"
            rows.append(about | {"metric": "test_accuracy", "subject": subject, "value": accuracy, "unit": "fraction"})
        size = 1000.0 * (1 + (variant.levels["network"] == "a"))
        rows.append(about | {"metric": "parameters", "subject": "", "value": size, "unit": ""})
    return pd.DataFrame(rows)


def compared(study: Study, table: pd.DataFrame, answers: Answers | None = None) -> list[Compared]:
    return corrected([compare(vars(one), study.sides(one), table, answers or {}) for one in study.comparisons])


def test_the_interval_of_pairs_is_scipys_paired_t_test():
    study = Study.read("voices", written())
    table = measured(study)
    [found] = compared(study, table)
    plain = table[(table["metric"] == "test_accuracy") & (table["subject"] == "")]
    by_seed = plain.pivot_table(index="seed", columns="network", values="value", aggfunc="mean")
    test = stats.ttest_rel(by_seed["a"], by_seed["b"])
    low, high = test.confidence_interval(0.95)
    assert found.seen.value == pytest.approx((by_seed["a"] - by_seed["b"]).mean())
    assert (found.seen.low, found.seen.high) == (pytest.approx(low), pytest.approx(high))
    assert found.seen.n == SEEDS


def test_over_a_factor_its_levels_are_the_units():
    one = written()["comparisons"][0] | {"over": "voice", "subject": "shift=-2"}
    study = Study.read("voices", written(comparisons=[one]))
    table = measured(study)
    [found] = compared(study, table)
    some = table[table["subject"] == "shift=-2"].groupby(["voice", "network"])["value"].mean().unstack()
    low, high = stats.ttest_rel(some["a"], some["b"]).confidence_interval(0.95)
    assert list(found.seen.units["unit"]) == ["x", "y", "z"]
    assert (found.seen.low, found.seen.high) == (pytest.approx(low), pytest.approx(high))


def test_a_number_may_stand_on_the_other_side():
    one = {"metric": "test_accuracy", "of": {"network": "b"}, "than": 0.7, "where": {"voice": ["x"]}}
    study = Study.read("voices", written(comparisons=[one]))
    table = measured(study)
    [found] = compared(study, table)
    values = table[(table["run"] == "voices-b-x") & (table["metric"] == "test_accuracy") & (table["subject"] == "")]
    low, high = stats.ttest_1samp(values["value"] - 0.7, 0).confidence_interval(0.95)
    assert (found.seen.low, found.seen.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(
    ("better", "noise", "margin", "verdict"),
    [(0.05, 0.01, 0, 1), (-0.05, 0.01, 0, -1), (-0.012, 0.02, 0, 0), (0.05, 0.01, 0.1, -1), (-0.01, 0.005, -0.05, 1)],
)
def test_a_verdict_wants_the_whole_interval_on_one_side_of_the_margin(better, noise, margin, verdict):
    one = written()["comparisons"][0] | {"margin": margin}
    study = Study.read("voices", written(comparisons=[one]))
    [found] = compared(study, measured(study, better, noise))
    assert found.verdict == verdict


def test_intervals_of_folds_hold_the_truth_as_often_as_they_say():
    """Folds that share training data differ less than folds of new data would: the corrected interval allows for it."""
    chance, folds = np.random.default_rng(1), 10
    rho = 1 / folds  # the correlation of folds that Nadeau and Bengio assume: test over all samples
    hits = {0.0: 0, 1 / (folds - 1): 0}
    for _ in range(2000):
        values = np.sqrt(rho) * chance.normal() + np.sqrt(1 - rho) * chance.normal(size=folds)
        for overlap in hits:
            low, high = t_interval(values, overlap)
            hits[overlap] += low <= 0 <= high
    assert hits[0.0] / 2000 < 0.88
    assert 0.93 < hits[1 / (folds - 1)] / 2000 < 0.97


def test_the_effect_size_is_unbiased_for_few_pairs():
    chance = np.random.default_rng(2)
    found = [effect_size(chance.normal(0.8, 1.0, 5)) for _ in range(4000)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)
    assert effect_size(np.array([0.5, 0.5, 0.5])) is None
    with pytest.raises(ValueError, match="two values at least"):
        t_interval(np.array([1.0]))


def test_the_exhibit_holds_the_verdict_every_comparison_and_every_variant(tmp_path):
    figures = [
        {"kind": "curve", "metric": "test_accuracy", "along": "shift", "lines": "network", "panels": "voice"},
        {"kind": "scatter", "x": "parameters", "y": "test_accuracy", "points": "network"},
        {"kind": "bars", "metric": "test_accuracy", "bars": "network", "over": "voice"},
    ]
    study = Study.read("voices", written(figures=figures))
    table = measured(study)
    exhibit = in_words(Exhibit.of(findings(study.content, compared(study, table), table), "study", "s"))
    hang(exhibit, tmp_path / "voices")
    numbers = {(n.metric, n.subject): n for n in exhibit.numbers}
    assert numbers["verdict", ""].value == 1
    mean = table[(table["run"] == "voices-a-y") & (table["subject"] == "shift=2")]["value"].mean()
    assert numbers["test_accuracy", "network=a;voice=y;shift=2"].value == pytest.approx(mean)
    assert numbers["test_accuracy", "network=a;voice=y"].n == SEEDS
    assert ("difference", "of=a;than=b;metric=test_accuracy") in numbers
    drawn = {block.name: block for block in exhibit.blocks if isinstance(block, Figure)}
    assert set(drawn) == {"differences", "figure-0", "figure-1", "figure-2"}
    assert sorted(drawn["figure-0"].data["at"].unique()) == [-2, 0, 2]
    assert f"a, y, at 2, mean {100 * mean:.4g}" in drawn["figure-0"].alt["en"]  # in per cent, as its axis
    assert "at −2, mean " in drawn["figure-0"].alt["en"]
    words = next(b.text["en"] for b in exhibit.blocks if "Supported by these data" in str(getattr(b, "text", "")))
    assert "over 5 seeds" in words
    assert amount(2_755_000, "") == "2,755,000" and amount(-0.0123, "fraction", signed=True) == "−1.23"


def test_what_was_not_measured_is_named():
    one = written()["comparisons"][0] | {"metric": "recall"}
    study = Study.read("voices", written(comparisons=[one]))
    with pytest.raises(StudyError, match="no recall was measured; there are: test_accuracy"):
        compared(study, measured(study))
    study = Study.read("voices", written())
    table = measured(study)
    table = table[~((table["run"] == "voices-b-z") & (table["seed"] == 3))]
    with pytest.raises(StudyError, match="was not measured of voices-a-z or of what it is compared with"):
        compared(study, table)
    asked = Study.read(
        "voices", written(figures=[{"kind": "curve", "metric": "test_accuracy", "along": "noise", "lines": "network"}])
    )
    with pytest.raises(StudyError, match="no test_accuracy was measured along 'noise'"):
        findings(asked.content, compared(study, measured(study)), measured(study))


def test_shares_stay_shares():
    study = Study.read("voices", written(seeds=2))
    means = summary(measured(study, noise=0.3), ["network"], "seed")
    shares = means[means["unit"] == "fraction"]
    assert (shares["low"] >= 0).all() and (shares["high"] <= 1).all()


def test_one_seed_has_no_standard_deviation():
    rows = [("a", 1, 0.0), ("b", 2, 0.1)]
    means = pd.DataFrame(
        [(level, "test_accuracy", "", "fraction", 0.5, sd, 0.4, 0.6, n) for level, n, sd in rows],
        columns=["network", "metric", "subject", "unit", "mean", "sd", "low", "high", "n"],
    )
    table = variants_table(means, ["network"])
    assert table["seeds"].tolist() == [1, 2] and table["s.d."].isna().tolist() == [True, False]
