"""What a study may say: how often it is wrong by chance, over seeds and over what networks were tested on."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cnnatomy.config.study import Study
from cnnatomy.statistics.differences import LEVEL, p_below, sample_for, t_interval
from cnnatomy.studies.comparing import Answers, Compared, Estimate, compare, corrected, foremost, verdict
from cnnatomy.studies.figures import units_table
from cnnatomy.studies.measures.answers import SAMPLE, Answered, answered
from cnnatomy.studies.wording import sentence
from tests.unit.dissecting import in_english
from tests.unit.small_data import small

SUPPORTED, UNDECIDED, CONTRADICTED = 1, 0, -1
SAID = {
    "metric": "test_accuracy",
    "of": {"network": "a"},
    "than": {"network": "b"},
    "subject": "",
    "where": {},
    "over": "seed",
    "overlap": 0.0,
    "margin": 0.0,
    "decides": True,
}


def estimate(differences, over: str = "seed", overlap: float = 0.0) -> Estimate:
    differences = np.asarray(differences, float)
    units = pd.DataFrame({"unit": range(len(differences)), "of": differences, "than": 0.0, "difference": differences})
    low, high = t_interval(differences, overlap)
    return Estimate(over, units, differences.mean(), low, high, p_below(differences, 0.0, overlap), overlap)


def made_of(differences, tested=None, over: str = "seed", overlap: float = 0.0, **said: object) -> Compared:
    seen = estimate(differences, over, overlap)
    other = None if tested is None else estimate(tested, "sample")
    p = max(one.p for one in (seen, other) if one is not None)
    return Compared(SAID | {"over": over, "overlap": overlap} | said, seen, other, p, None, "fraction")


def of_mean(mean: float, n: int = 5, spread: float = 0.01) -> np.ndarray:
    """Values of this mean and standard deviation, exactly."""
    values = np.linspace(-1, 1, n)
    return mean + spread * values / values.std(ddof=1)


# Contradictions, of which several are looked for.


def test_seven_claims_that_are_true_at_the_margin_are_seldom_said_to_be_wrong():
    chance, trials, k = np.random.default_rng(0), 800, 7
    wrong = uncorrected = 0
    for _ in range(trials):
        compared = corrected([made_of(chance.normal(0, 0.01, 5)) for _ in range(k)])
        wrong += verdict(compared) == CONTRADICTED
        uncorrected += any(one.seen.high <= 0 for one in compared)
    assert uncorrected / trials > 0.12, "what it was before"
    assert wrong / trials <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / trials)


def test_one_of_five_must_lie_so_far_below_that_chance_in_any_of_them_explains_it_not():
    above = [made_of(of_mean(0.02)) for _ in range(4)]
    p = stats.ttest_1samp(of_mean(-0.0149), 0, alternative="less").pvalue
    assert 0.005 < p < 0.025, "below by itself, not as one of five"
    assert verdict(corrected([made_of(of_mean(-0.0149))])) == CONTRADICTED
    compared = corrected([*above, made_of(of_mean(-0.0149))])
    assert verdict(compared) == UNDECIDED and compared[-1].adjusted == pytest.approx(5 * p)
    assert verdict(corrected([*above, made_of(of_mean(-0.03))])) == CONTRADICTED
    # What doesn't decide is no test of the claim, so that it neither corrects nor is corrected.
    beside = corrected([*above, made_of(of_mean(-0.0149), decides=False)])
    assert verdict(beside) == SUPPORTED and beside[-1].verdict == CONTRADICTED


def test_all_must_support_and_their_number_makes_it_no_harder():
    barely = of_mean(0.0125)
    assert 0 < t_interval(barely)[0] < 0.001
    assert verdict(corrected([made_of(barely) for _ in range(9)])) == SUPPORTED
    assert verdict(corrected([*[made_of(of_mean(0.5))] * 8, made_of(of_mean(0.012))])) == UNDECIDED


# What networks were tested on.


def study(**changes: object) -> Study:
    written = {
        "title": {"en": "Voices"},
        "claim": {"en": "a is better than b."},
        "settings": {"en": "None were chosen."},
        "base": "speech",
        "seeds": 5,
        "factors": {"network": {"a": [], "b": []}},
        "comparisons": [{"metric": "test_accuracy", "of": {"network": "a"}, "than": {"network": "b"}}],
    }
    return Study.read("voices", written | changes)


def told(
    right: dict[tuple[str, int], dict[str, str]], over: str, study: str = "voices", factor: str = "network"
) -> tuple[pd.DataFrame, Answers]:
    """What was measured of networks that gave these answers: by level of the factor and seed the hits of each unit."""
    rows, answers = [], {}
    for (level, seed), units in right.items():
        hits = "".join(units.values())
        number = Answered("test_accuracy", hits.count("1") / len(hits), unit="fraction", over=over, right=units)
        run = f"{study}-{level}"
        rows.append({"run": run, factor: level, "seed": seed, **vars(number)})
        answers[run, seed, "test_accuracy", ""] = number
    return pd.DataFrame(rows), answers


def compared_of(asked: Study, table: pd.DataFrame, answers: Answers) -> Compared:
    [one] = asked.comparisons
    [found] = corrected([compare(vars(one), asked.sides(one), table, answers)])
    return found


def hits(chance: np.random.Generator, p: float, n: int) -> str:
    return "".join("01"[int(hit)] for hit in chance.random(n) < p)


def test_networks_alike_that_six_speakers_suit_differently_are_seldom_told_apart():
    """Each network has its speakers whom it understands by chance; of all speakers they understand equally many."""
    chance, asked, trials = np.random.default_rng(0), study(), 150
    by_seeds, by_both = 0, 0
    for _ in range(trials):
        suited = {(network, speaker): chance.normal(0.8, 0.06) for network in "ab" for speaker in "uvwxyz"}
        right = {
            (network, seed): {speaker: hits(chance, suited[network, speaker], 50) for speaker in "uvwxyz"}
            for network in "ab"
            for seed in range(5)
        }
        found = compared_of(asked, *told(right, "speaker"))
        assert found.tested is not None and (found.tested.over, found.tested.n) == ("speaker", 6)
        by_seeds += found.seen.low > 0 or found.seen.high <= 0
        by_both += found.verdict != UNDECIDED
    assert by_seeds / trials > 0.25, "the same speakers with every seed"
    assert by_both / trials <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials)


def test_over_samples_it_is_scipys_t_test_of_the_mean_over_seeds():
    chance, asked = np.random.default_rng(1), study()
    right = {(network, seed): {"": hits(chance, 0.7, 200)} for network in "ab" for seed in range(5)}
    found = compared_of(asked, *told(right, SAMPLE))
    each = {key: np.array(list(units[""]), int) for key, units in right.items()}
    a, b = (np.mean([each[network, seed] for seed in range(5)], axis=0) for network in "ab")
    test = stats.ttest_rel(a, b)
    assert found.tested is not None and found.tested.n == 200
    assert (found.tested.low, found.tested.high) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert found.p == pytest.approx(max(found.seen.p, stats.ttest_rel(a, b, alternative="less").pvalue))


def test_a_number_is_compared_with_the_samples_one_by_one():
    than = {"metric": "test_accuracy", "of": {"network": "a"}, "than": 0.65}
    chance, asked = np.random.default_rng(2), study(comparisons=[than])
    right = {(network, seed): {"": hits(chance, 0.7, 90)} for network in "ab" for seed in range(5)}
    found = compared_of(asked, *told(right, SAMPLE))
    a = np.mean([[int(hit) for hit in right["a", seed][""]] for seed in range(5)], axis=0)
    expected = stats.ttest_1samp(a - 0.65, 0).confidence_interval(0.95)
    assert found.tested is not None
    assert (found.tested.low, found.tested.high) == pytest.approx(tuple(expected))


def test_both_intervals_must_lie_on_one_side():
    sure, unsure = of_mean(0.02), of_mean(0.02, 30, 0.1)
    assert made_of(sure).verdict == made_of(sure, of_mean(0.02, 30)).verdict == SUPPORTED
    assert made_of(sure, unsure).verdict == made_of(of_mean(0.02, 5, 0.1), of_mean(0.02, 30)).verdict == UNDECIDED
    assert made_of(-sure, -unsure).verdict == UNDECIDED
    assert made_of(-sure, -of_mean(0.02, 30)).verdict == CONTRADICTED


def test_without_the_same_samples_on_both_sides_the_verdict_is_over_seeds_and_says_so():
    chance, asked = np.random.default_rng(3), study()
    right = {(network, seed): {"": hits(chance, 0.7, 90)} for network in "ab" for seed in range(5)}
    table, answers = told(right, SAMPLE)
    said = {}
    for case in ("same", "other", "unknown"):
        known = dict(answers) if case != "unknown" else {}
        if case == "other":
            for seed in range(5):
                key = ("voices-b", seed, "test_accuracy", "")
                known[key] = Answered(**(vars(known[key]) | {"samples": "others"}))
        found = compared_of(asked, table, known)
        assert (found.tested is None) == (case != "same")
        said[case] = in_english(sentence(verdict([found]), [found]))
    assert "over 90 samples" in said["same"] and "over seeds only" not in said["same"]
    for case in ("other", "unknown"):
        assert "For test accuracy the verdict is over seeds only" in said[case]
    # Speakers are the claim's own units; parameters are no chance of the test samples.
    assert "seeds only" not in in_english(sentence(1, [made_of(of_mean(0.1), over="speaker")]))
    assert "seeds only" not in in_english(sentence(1, [made_of(np.full(5, 0.1))]))


def test_answers_are_kept_by_speaker_or_sample_and_survive_json(tmp_path):
    sounds, images = (small(tmp_path, kind).split("test") for kind in ("sounds", "images"))
    right = np.random.default_rng(4).random(40) < 0.6
    number = answered("test_accuracy", sounds, right)
    assert (number.value, number.n, number.over) == (right.mean(), 40, "speaker")
    by_hand = pd.Series(right).groupby(sounds.table["voice"]).mean()
    assert number.means() == by_hand.to_dict()
    assert Answered(**json.loads(json.dumps(asdict(number)))) == number
    within = np.arange(40) % 2 == 0
    some = answered("test_accuracy", images, right, within, "half=1")
    assert some.over == SAMPLE and list(some.means().values()) == right[within].tolist()
    assert some.samples != answered("test_accuracy", images, right).samples == number.samples
    # An accent makes no other speaker.
    sounds.table["voice"], sounds.table["accent"] = "en-us+" + sounds.table["voice"], "en-us"
    assert answered("test_accuracy", sounds, right).means() == by_hand.to_dict()


def test_every_interval_can_be_made_again_from_the_units_that_are_kept():
    chance, asked = np.random.default_rng(5), study()
    right = {(network, seed): {"": hits(chance, 0.7, 300)} for network in "ab" for seed in range(5)}
    found = compared_of(asked, *told(right, SAMPLE))
    kept = units_table([found])
    assert len(kept) < 5 + 40, "equal samples share a row"
    for one in found.estimates:
        rows = kept[kept["over"] == one.over]
        values = np.repeat(rows["difference"], rows["n"])
        assert len(values) == one.n
        assert t_interval(values.to_numpy()) == pytest.approx((one.low, one.high), abs=1e-6)
    seeds = kept[kept["over"] == "seed"]
    assert (seeds["of"] - seeds["than"]).to_numpy(float) == pytest.approx(seeds["difference"].to_numpy(float))


# What is said.


def said_of(*compared: Compared) -> str:
    several = corrected(compared)
    return in_english(sentence(verdict(several), several))


def test_an_undecided_study_says_how_many_would_decide_it():
    # As tables of power have it: a difference of one standard deviation wants ten pairs, of half of one 34.
    assert "about 10 seeds would decide it" in said_of(made_of(of_mean(0.01)))
    assert "about 10 seeds and 7,840 samples" in said_of(made_of(of_mean(0.01), of_mean(0.01, 100, 0.316)))
    # Of several it is the one that wants most; of several that fall the one that wants fewest.
    assert "about 34 seeds would" in said_of(made_of(of_mean(0.01)), made_of(of_mean(0.005)), made_of(of_mean(0.1)))
    fewest = sample_for(0.8, 1.0, level=LEVEL / 2)
    assert f"about {fewest} seeds would" in said_of(made_of(of_mean(-0.008)), made_of(of_mean(-0.002)))
    # Folds share training data, and other folds of the same samples would be no new ones.
    n = sample_for(1.0, 1.0, shared=1.0)
    said = said_of(made_of(of_mean(0.01), over="fold", overlap=0.25))
    assert f"about {n} folds, each new and as large as these, would decide it" in said
    assert "no larger sample would decide it" in said_of(made_of(of_mean(0.0)))
    assert "would decide it in four" not in said_of(made_of(of_mean(0.1)))


def test_the_same_change_elsewhere_is_named_where_it_is_not_supported():
    point = {"of": {"head": "point", "pooling": "none"}, "than": {"head": "point", "pooling": "late"}}
    dense = {"of": {"head": "dense", "pooling": "none"}, "than": {"head": "dense", "pooling": "late"}}
    early = {"of": {"head": "dense", "pooling": "none"}, "than": {"head": "dense", "pooling": "early"}}
    deciding = made_of(of_mean(0.1), **point)
    text = said_of(
        deciding, made_of(of_mean(0.001), decides=False, **dense), made_of(of_mean(0.001), decides=False, **early)
    )
    assert text.startswith("Supported by these data. point none − point late, test accuracy: +10.00 points")
    assert "The same change elsewhere, which doesn't decide: dense none − dense late" in text
    assert "not decided" in text and "dense early" not in text
    assert "elsewhere" not in said_of(deciding, made_of(of_mean(0.1), decides=False, **dense))


def test_what_contradicts_is_named_with_its_p():
    text = said_of(made_of(of_mean(0.1)), made_of(of_mean(-0.1), than={"network": "c"}))
    assert text.startswith("Not supported by these data.") and "What contradicts it: a − c (adjusted p " in text
    assert "What contradicts it: a − b" not in text


def test_what_is_shown_first_is_what_the_verdict_hangs_on():
    first, last = made_of(of_mean(0.1)), made_of(of_mean(0.2))
    barely, open_ = made_of(of_mean(0.01)), made_of(of_mean(-0.002))
    against = made_of(of_mean(-0.1))
    for several, shown in (
        ([first, last], first),
        ([first, barely, open_, last], open_),
        ([first, open_, against], against),
        ([last, made_of(of_mean(-0.1), decides=False)], last),
    ):
        assert foremost(corrected(several)).seen is shown.seen
