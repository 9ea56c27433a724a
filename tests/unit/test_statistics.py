"""Every interval of the project holds the truth nineteen times in twenty, in simulated data of the sizes it meets.

In each test the truth is known, 2,000 data sets are drawn, and counted is how many of their intervals hold it.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from cnnatomy.evaluation.metrics import _means, _of_class, _scores
from cnnatomy.statistics.differences import from_intervals, t_interval
from cnnatomy.statistics.intervals import (
    average,
    clustered,
    crossed,
    crossed_share,
    difference_of_means,
    grouped_mean,
    mean_interval,
    of_groups,
    of_variance,
    ratio,
    wilson,
)
from cnnatomy.statistics.paired import by_chance, discoveries, lost, widening

DATA_SETS = 2000


def held(intervals, truth):
    """The share of intervals, (data sets, 2), that hold the truth."""
    low, high = np.array(intervals, dtype=float).T
    return ((low <= truth) & (truth <= high)).mean()


def nineteen_in_twenty(share):
    return 0.93 <= share <= 0.97


@pytest.mark.parametrize(
    ("n", "shares"),
    [(10_000, (0.99, 0.998)), (1500, (0.95, 0.99)), (797, (0.7, 0.8)), (40, (0.7, 0.99)), (20, (0.1, 0.9))],
)
def test_wilsons_interval_over_a_range_of_true_shares(n, shares):
    """Of a share of few samples coverage goes up and down with the true share; on average over shares it is right."""
    random = np.random.default_rng(n)
    truth = random.uniform(*shares, DATA_SETS)
    ends = np.array([wilson(hits, n) for hits in random.binomial(n, truth)])
    assert nineteen_in_twenty(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())


@pytest.mark.parametrize(
    ("groups", "size", "share", "alike"),
    [(3, 240, 0.9, 0.05), (3, 240, 0.95, 0.03), (6, 50, 0.9, 0.1), (18, 40, 0.95, 0.03), (18, 40, 0.6, 0.1)],
)
def test_shares_of_samples_that_come_in_groups(groups, size, share, alike):
    """alike: the correlation of the answers of a group. The plain interval is far too narrow."""
    random = np.random.default_rng(groups)
    scale = 1 / alike - 1
    hits = random.binomial(size, random.beta(share * scale, (1 - share) * scale, (DATA_SETS, groups)))
    n = np.full(groups, size)
    assert nineteen_in_twenty(held([clustered(row, n) for row in hits], share))
    assert held([wilson(row.sum(), n.sum()) for row in hits], share) < 0.93


LOPSIDED = [[400, *[40] * 9], [300, 100, 50, 20, 10], [360, 240, 120], [600, 60, 60], [300, 100]]


@pytest.mark.parametrize("sizes", LOPSIDED, ids=str)
@pytest.mark.parametrize(("share", "alike"), [(0.9, 0.1), (0.95, 0.03), (0.6, 0.1)])
def test_shares_of_samples_in_groups_of_different_sizes(sizes, share, alike):
    """Where one group has half of the samples or more, what groups vary is known from the few others."""
    random, n = np.random.default_rng(sizes[0]), np.array(sizes)
    scale = 1 / alike - 1
    hits = random.binomial(n, random.beta(share * scale, (1 - share) * scale, (DATA_SETS, len(n))))
    assert nineteen_in_twenty(held([clustered(row, n) for row in hits], share))


@pytest.mark.parametrize("sizes", LOPSIDED, ids=str)
@pytest.mark.parametrize("spread", [0.15, 0.5])
def test_means_of_values_in_groups_of_different_sizes(sizes, spread):
    random, groups = np.random.default_rng(sizes[0]), np.repeat(np.arange(len(sizes)), sizes)
    values = 1 + random.normal(0, spread, (DATA_SETS, len(sizes)))[:, groups]
    values += random.normal(0, 1, (DATA_SETS, len(groups)))
    assert nineteen_in_twenty(held([grouped_mean(row, groups) for row in values], 1))


def test_variance_over_groups_is_bell_and_mccaffreys():
    """Of a regression on a constant alone: each cluster's residuals times (I − H)^(−1/2), their Satterthwaite df."""
    random, sizes = np.random.default_rng(1), np.array([7, 3, 2, 5])
    groups, n = np.repeat(np.arange(4), sizes), 17
    values = random.normal(0, 1, n)
    hat = np.full((n, n), 1 / n)
    rows = []
    for cluster in range(4):
        its = groups == cluster
        root = np.linalg.inv(np.eye(its.sum()) - hat[np.ix_(its, its)])
        power, vectors = np.linalg.eigh(root)
        rows.append(vectors @ np.diag(np.sqrt(power)) @ vectors.T @ (np.eye(n) - hat)[its])
    forms = np.array([row.sum(axis=0) for row in rows])  # of each cluster, what its corrected sum is of the values
    spread = np.linalg.eigvalsh(forms @ forms.T)
    variance, free = of_groups(np.bincount(groups, values) - sizes * values.mean(), sizes)
    assert variance == pytest.approx(((forms @ values) ** 2).sum())
    assert free == pytest.approx(spread.sum() ** 2 / (spread**2).sum())
    assert of_groups(np.array([1.0, -2.0, 1.0]), np.full(3, 9)) == pytest.approx((6 * 3 / 2, 2))


@pytest.mark.parametrize("n", [(4, 4), (16, 40), (3, 30)])
def test_differences_of_two_means(n):
    random = np.random.default_rng(n[1])
    one, other = random.normal(3, 1, (DATA_SETS, n[0])), random.normal(1, 2, (DATA_SETS, n[1]))
    ends = [difference_of_means(a, b) for a, b in zip(one, other, strict=True)]
    assert nineteen_in_twenty(held(ends, 2))
    expected = stats.ttest_ind(one[0], other[0], equal_var=False).confidence_interval()
    assert ends[0] == pytest.approx(tuple(expected))


@pytest.mark.parametrize("spread", [(0.5, 0.0), (0.0, 1.0), (0.4, 0.6)])
def test_shares_of_every_row_with_every_column(spread):
    """Three networks asked about ten images; some networks agree more, or some images are plainer."""
    random = np.random.default_rng(7)
    tastes = random.normal(0, spread[0], (DATA_SETS, 3, 1)) + random.normal(0, spread[1], (DATA_SETS, 1, 10))
    truth = (1 / (1 + np.exp(-1 - random.normal(0, np.hypot(*spread), 100_000)))).mean()
    hits = random.random((DATA_SETS, 3, 10)) < 1 / (1 + np.exp(-1 - tastes))
    numbers = [crossed_share("agree", table) for table in hits]
    assert held([(number.ci_low, number.ci_high) for number in numbers], truth) >= 0.94
    assert crossed_share("agree", hits[0][:1]).n == 10


@pytest.mark.parametrize("networks", [2, 3])
def test_networks_that_all_agree_say_little_where_they_are_few(networks):
    """Each answers alike whatever it is asked, so that two or three are often of one mind by chance."""
    random = np.random.default_rng(networks)
    hits = np.broadcast_to(random.random((DATA_SETS, networks, 1)) < 0.5, (DATA_SETS, networks, 10))
    numbers = [crossed_share("agree", table) for table in hits]
    assert held([(number.ci_low, number.ci_high) for number in numbers], 0.5) >= 0.95


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_groups_that_do_not_differ_are_not_taken_for_surer_than_their_samples(share):
    hits, n = np.random.default_rng(0).binomial(240, share, (DATA_SETS, 3)), np.full(3, 240)
    ends = [clustered(row, n) for row in hits]
    plain = np.array([wilson(row.sum(), 720) for row in hits])
    assert held(ends, share) >= 0.95
    assert (np.diff(ends) >= np.diff(plain) - 1e-12).all()


@pytest.mark.parametrize("n", [2, 3, 5, 8, 24])
def test_means_of_few_values(n):
    values = np.random.default_rng(n).normal(3, 2, (DATA_SETS, n))
    assert nineteen_in_twenty(held([mean_interval(row) for row in values], 3))


def test_one_value_has_no_interval_and_none_leaves_what_can_be():
    assert average("share", np.array([0.5])).ci_low is None
    for equal in (1 + 1e-9, 1 - 1e-16, -1 - 1e-9):  # what equal things have in common, but for rounding
        number = average("likeness", np.full(3, equal), between=(-1, 1))
        assert -1 <= (number.ci_low or 0) <= number.value <= (number.ci_high or 0) <= 1
    number = average("share", np.array([0.9, 1.0, 0.7]), "fraction", between=(0, 1))
    assert number.ci_low > 0 and number.ci_high == 1.0 and number.n == 3


def test_means_of_lopsided_values():
    """Such as areas under a curve of 256 samples, or fifteen filters' likeness."""
    random = np.random.default_rng(0)
    assert nineteen_in_twenty(held([mean_interval(row) for row in random.exponential(1, (DATA_SETS, 256))], 1))
    assert nineteen_in_twenty(held([mean_interval(row) for row in random.beta(5, 2, (DATA_SETS, 16))], 5 / 7))


def test_means_of_values_that_come_in_groups():
    """Loss of 24 clips in each of 30 groups, and of groups of different sizes."""
    random = np.random.default_rng(5)
    for sizes in (np.full(30, 24), random.integers(5, 50, 20)):
        groups = np.repeat(np.arange(len(sizes)), sizes)
        values = 1 + random.normal(0, 0.5, (DATA_SETS, len(sizes)))[:, groups]
        values += random.normal(0, 1, (DATA_SETS, len(groups)))
        assert nineteen_in_twenty(held([grouped_mean(row, groups) for row in values], 1))
        assert held([mean_interval(row) for row in values], 1) < 0.8
        assert grouped_mean(values[0], None) == mean_interval(values[0])


@pytest.mark.parametrize("folds", [3, 5, 10])
def test_means_over_folds_that_share_their_training_samples(folds):
    """Folds whose values go together as Nadeau and Bengio suppose: as the test samples among all."""
    random = np.random.default_rng(folds)
    common = random.normal(0, np.sqrt(1 / folds), (DATA_SETS, 1))
    values = 1 + common + random.normal(0, np.sqrt(1 - 1 / folds), (DATA_SETS, folds))
    assert nineteen_in_twenty(held([t_interval(row, 1 / (folds - 1)) for row in values], 1))
    assert held([t_interval(row) for row in values], 1) < 0.91


@pytest.mark.parametrize(("rows", "columns"), [(5, 8), (4, 4), (2, 12), (8, 1)])
@pytest.mark.parametrize("spread", [(1.0, 1.0), (1.0, 0.3), (0.3, 1.0)])
def test_means_of_every_row_with_every_column(rows, columns, spread):
    """Five voices against eight, each with a way of its own: no surer than it is, for very few sides rather less so."""
    random = np.random.default_rng(rows * columns)
    values = 2 + random.normal(0, spread[0], (DATA_SETS, rows, 1)) + random.normal(0, 0.5, (DATA_SETS, rows, columns))
    if columns > 1:  # one column says nothing of others
        values += random.normal(0, spread[1], (DATA_SETS, 1, columns))
    print(held([crossed(table) for table in values], 2))
    assert 0.93 <= held([crossed(table) for table in values], 2) <= (0.97 if min(rows, columns) > 2 else 1)


@pytest.mark.parametrize(
    ("n", "shares"), [((10_000, 10_000), (0.994, 0.992)), ((720, 720), (0.95, 0.9)), ((60, 40), (0.7, 0.9))]
)
def test_differences_of_two_shares(n, shares):
    random = np.random.default_rng(n[0])
    hits = [random.binomial(size, share, DATA_SETS) for size, share in zip(n, shares, strict=True)]
    ends = [np.array([wilson(one, size) for one in some]).T for some, size in zip(hits, n, strict=True)]
    values = (hits[0] / n[0], hits[1] / n[1])
    found = from_intervals(values, (ends[0][0], ends[1][0]), (ends[0][1], ends[1][1]))
    assert nineteen_in_twenty(held(np.transpose(found), shares[1] - shares[0]))


def pairs(random, n, groups, worse, better, alike):
    """Answers before and after, (data sets, n): of each group (a beta of its own each) so many get worse or better."""
    size = n // groups
    scale = 1 / alike - 1 if alike else np.inf
    rates = [
        random.beta(rate * scale, (1 - rate) * scale, (DATA_SETS, groups))
        if alike
        else np.full((DATA_SETS, groups), rate)
        for rate in (worse, better)
    ]
    low, high = (np.repeat(rate, size, axis=1) for rate in rates)
    draw = random.random((DATA_SETS, groups * size))
    return draw < 0.5, (draw < 0.5 - low) | (draw > 1 - high)


@pytest.mark.parametrize(
    ("n", "worse", "better"), [(10_000, 0.01, 0.003), (1500, 0.006, 0.006), (300, 0.04, 0.01), (40, 0.2, 0.1)]
)
def test_accuracy_lost_on_the_same_samples(n, worse, better):
    before, after = pairs(np.random.default_rng(n), n, n, worse, better, 0)
    ends = [lost(one, other)[1:] for one, other in zip(before, after, strict=True)]
    assert nineteen_in_twenty(held(ends, worse - better))


def test_accuracy_lost_on_samples_that_come_in_groups():
    """30 groups of 24 clips whose answers change together: over clips the interval is too narrow."""
    before, after = pairs(np.random.default_rng(1), 720, 30, 0.08, 0.03, 0.1)
    groups = np.repeat(np.arange(30), 24)
    ends = [lost(one, other, groups)[1:] for one, other in zip(before, after, strict=True)]
    assert nineteen_in_twenty(held(ends, 0.05))
    assert held([lost(one, other)[1:] for one, other in zip(before, after, strict=True)], 0.05) < 0.85


def test_accuracy_lost_where_few_answers_of_few_groups_change():
    """One comparison doesn't show that a group's answers change together: others like it do."""
    before, after = pairs(np.random.default_rng(1), 720, 30, 0.005, 0.001, 0.1)
    groups = np.repeat(np.arange(30), 24)
    alone = [lost(one, other, groups)[1:] for one, other in zip(before, after, strict=True)]
    wider = widening(before, after, groups)
    together = [lost(one, other, groups, wider)[1:] for one, other in zip(before, after, strict=True)]
    assert held(alone, 0.004) < 0.9 and held(together, 0.004) >= 0.95


def test_without_groups_of_its_own_a_sample_is_a_group():
    before, after = pairs(np.random.default_rng(2), 60, 60, 0.2, 0.1, 0)
    alone = np.arange(60)
    for one, other in zip(before[:200], after[:200], strict=True):
        assert by_chance(one, other, alone) == pytest.approx(by_chance(one, other), abs=1e-12)
        assert lost(one, other, alone) == pytest.approx(lost(one, other), rel=0.05, abs=0.01)


def test_sign_flips_of_groups_are_those_of_brute_force():
    from itertools import product

    random = np.random.default_rng(3)
    for _ in range(20):
        groups = random.integers(0, 8, 60)
        before, after = random.random((2, 60)) < 0.6
        sums = np.bincount(groups, before.astype(int) - after, minlength=8)
        every = [
            abs(sum(sign * one for sign, one in zip(signs, sums, strict=True))) for signs in product((-1, 1), repeat=8)
        ]
        expected = np.mean([one >= abs(sums.sum()) for one in every])
        assert by_chance(before, after, groups) == pytest.approx(expected)


def test_filters_that_matter_to_nothing_are_hardly_ever_named():
    """96 filters of a network that learnt nothing; without one the clips of a speaker and word change together."""
    random, groups, named, by_clips = np.random.default_rng(4), np.repeat(np.arange(30), 24), 0, 0
    for _ in range(20):
        before = random.random(720) < 0.1
        chances = []
        for _ in range(96):
            turned = random.random(30) < 0.15  # groups whose answers change, to right or to wrong ones
            after = np.where(turned[groups], np.repeat(random.random(30) < 0.1, 24), before)
            chances.append((by_chance(before, after, groups), by_chance(before, after)))
        over_groups, over_clips = np.array(chances).T
        named += discoveries(over_groups, 0.05).any()
        by_clips += discoveries(over_clips, 0.05).any()
    assert named <= 1 < by_clips


@pytest.mark.parametrize(
    ("classes", "n", "accuracy"), [(10, 10_000, 0.994), (10, 720, 0.998), (10, 720, 0.9), (2, 797, 0.77)]
)
def test_means_over_classes(classes, n, accuracy):
    """Macro precision, recall and F1, also of a network that makes no mistake on many test sets."""
    random = np.random.default_rng(n)
    cells = confused(random, classes, accuracy)
    truth = _scores(1e6 * cells[None])[0]
    found = [_means(random.multinomial(n, cells.ravel()).reshape(classes, classes)) for _ in range(400)]
    for place in range(3):
        ends = [(numbers[place].ci_low, numbers[place].ci_high) for numbers in found]
        assert 0.92 <= held(ends, truth[place]) <= 0.985


@pytest.mark.parametrize(("classes", "n", "accuracy"), [(10, 10_000, 0.994), (10, 720, 0.9), (2, 797, 0.77)])
def test_precision_recall_and_f1_of_a_class(classes, n, accuracy):
    random = np.random.default_rng(n)
    covered = []
    for _ in range(20):  # class sizes and what is taken for what
        cells = confused(random, classes, accuracy)
        truth = {
            "precision": cells[0, 0] / cells[:, 0].sum(),
            "recall": cells[0, 0] / cells[0].sum(),
            "f1": 2 * cells[0, 0] / (cells[0].sum() + cells[:, 0].sum()),
        }
        for counts in random.multinomial(n, cells.ravel(), DATA_SETS // 20).reshape(-1, classes, classes):
            numbers = _of_class(counts, 0, "")
            covered.append([number.ci_low <= truth[number.metric] <= number.ci_high for number in numbers])
    assert all(nineteen_in_twenty(share) for share in np.mean(covered, axis=0))


def confused(random, classes, accuracy):
    """Shares of a confusion matrix with classes of different sizes, (classes, classes)."""
    cells = random.dirichlet(np.full(classes, 0.5), classes)
    np.fill_diagonal(cells, 0)
    cells *= (1 - accuracy) / cells.sum(axis=1, keepdims=True)
    np.fill_diagonal(cells, accuracy)
    return cells * random.dirichlet(np.full(classes, 20))[:, None]


@pytest.mark.parametrize("n", [30, 797])
def test_ratios_of_two_means(n):
    random = np.random.default_rng(n)
    below = random.gamma(2, 0.05, (DATA_SETS, n))
    above = 8 * below * random.random((DATA_SETS, n)) + random.gamma(2, 0.3, (DATA_SETS, n))
    truth = (8 * 0.1 * 0.5 + 0.6) / 0.1
    assert nineteen_in_twenty(held([ratio(one, other) for one, other in zip(above, below, strict=True)], truth))
    assert ratio(above[0], below[0] - 0.1) is None  # anything over about nothing


def test_an_interval_of_a_given_spread_is_that_of_so_plain_a_share():
    assert of_variance(0.8, 0.8 * 0.2 / 50, 1000) == pytest.approx(wilson(40, 50))
    assert of_variance(1.0, 0.0, 720) == wilson(720, 720)
