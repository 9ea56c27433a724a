"""Tests and sample sizes for differences, against scipy, by brute force and by simulation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from cnnatomy.statistics.differences import LEVEL, POWER, holm, p_below, sample_for, t_interval


@pytest.mark.parametrize("bound", [0.0, 0.4, -1.0])
def test_the_p_below_a_bound_is_scipys_one_sided_t_test(bound):
    values = np.random.default_rng(0).normal(0.2, 1, 7)
    assert p_below(values, bound) == pytest.approx(stats.ttest_1samp(values, bound, alternative="less").pvalue)


@pytest.mark.parametrize("overlap", [0.0, 0.2])
def test_p_is_at_the_level_where_the_interval_ends_at_the_bound(overlap):
    values = np.random.default_rng(1).normal(size=6)
    _, high = t_interval(values, overlap)
    assert p_below(values, high, overlap) == pytest.approx(LEVEL)


def test_equal_values_leave_no_doubt():
    equal = np.full(5, 0.3) - 0.2
    assert (p_below(equal, 0.2), p_below(equal, 0.0)) == (0, 1)
    with pytest.raises(ValueError, match="two values at least"):
        p_below(np.array([1.0]), 0.0)


def test_holms_p_are_those_of_bonferroni_on_every_subset():
    """Closed testing: a hypothesis falls where each set of hypotheses that it is in falls."""
    random = np.random.default_rng(2)
    for k in (1, 2, 3, 5):
        p = np.round(random.uniform(0, 0.2, k), 2)  # with ties
        sets = [some for size in range(1, k + 1) for some in combinations(range(k), size)]
        closed = [max(min(1, len(some) * min(p[list(some)])) for some in sets if i in some) for i in range(k)]
        assert holm(p.tolist()) == pytest.approx(closed)


@pytest.mark.parametrize("difference", [1.2, -1.2])
@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_the_sample_that_is_said_decides_four_times_in_five_and_one_less_does_not(difference, shared):
    random, trials = np.random.default_rng(3), 40_000
    n = sample_for(difference, 1.0, shared)
    decided = []
    for size in (n, n - 1):
        # Values that share training data, as Nadeau and Bengio model them: correlated, s² blind to what all share.
        overlap = shared / (size - 1)
        values = random.normal(difference, 1, (trials, size)) + random.normal(0, overlap**0.5, (trials, 1))
        mean, error = values.mean(1), values.std(1, ddof=1) * (1 / size + overlap) ** 0.5
        decided.append((np.sign(difference) * mean / error > stats.t.ppf(1 - LEVEL, size - 1)).mean())
    assert decided[0] > POWER - 0.01 and decided[1] < POWER + 0.01
    assert decided[0] > decided[1]


def test_no_sample_decides_what_is_no_difference():
    assert sample_for(0.0, 1.0) is None and sample_for(1e-5, 1.0) is None
    assert sample_for(0.0, 0.0) is None and sample_for(-3.0, 0.0) == 2
    assert sample_for(1.0, 1.0, level=LEVEL / 5) > sample_for(1.0, 1.0)
