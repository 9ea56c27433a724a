"""Curves and the randomisation test against brute force, Quantus, and networks of which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.faithfulness.measure import Comparison
from cnnatomy.dissect.faithfulness.show import outcome
from cnnatomy.dissect.saliency import trust
from cnnatomy.dissect.saliency.attributions import baseline_of, gradients
from cnnatomy.dissect.saliency.controls import of_the_data
from cnnatomy.dissect.saliency.curves import TESTS, Changing, area, ranks
from cnnatomy.dissect.saliency.maps import counting, rank_correlations
from cnnatomy.dissect.saliency.trust import LIMIT, Verdict, parametrised, randomised, remeasure, shuffle
from cnnatomy.drawing.saying import in_charts
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.outputs import NoLogits
from cnnatomy.statistics.intervals import mean_interval
from tests.unit.dissecting import shown
from tests.unit.small_data import hang, small
from tests.unit.test_dissect_attribution import Residual, of, of_images
from tests.unit.test_dissect_class_activation import averaged

CONFIG = {"samples": 20, "steps": 4}


def test_ranks_put_the_largest_first_and_break_ties_by_chance():
    maps = torch.tensor([[0.0, 3.0, 1.0, 1.0, 9.0]])
    chance = np.array([[0.1, 0.2, 0.9, 0.4, 0.5]])
    valid = np.array([[True, True, True, True, False]])
    assert ranks(maps, valid, chance).tolist() == [[3, 0, 2, 1, 4]]


def test_curves_of_a_network_that_looks_at_one_pixel(tmp_path):
    samples = small(tmp_path, "images").split("test")

    class OnePixel(nn.Module):
        def forward(self, x):
            return torch.stack([8 * x[:, 0, 5, 7], x[:, 0, 0, 0] * 0, x[:, 0, 0, 0] * 0], dim=1)

    places, target, shares = np.arange(6), torch.zeros(6, dtype=torch.long), np.linspace(0, 1, 5)
    right, wrong = torch.zeros(6, 12, 12), torch.ones(6, 12, 12)
    right[:, 5, 7], wrong[:, 5, 7] = 1, 0
    valid, chance = np.ones((6, 12, 12), dtype=bool), np.random.default_rng(0).random((6, 12, 12))
    found = {
        (name, test): Changing(OnePixel(), samples, places, target).curve(ranks(maps, valid, chance), shares, test)
        for name, maps in (("right", right), ("wrong", wrong))
        for test in ("deletion", "insertion", "flipping")
    }
    black = OnePixel()(to_tensor(samples.facts, np.zeros((1, 1, 12, 12), np.uint8))).softmax(1)[0, 0].item()
    before = OnePixel()(to_tensor(samples.facts, samples.inputs[:6])).softmax(1)[:, 0].numpy()
    assert found["right", "deletion"][:, 1:] == pytest.approx(black)
    assert np.allclose(found["wrong", "deletion"][:, :4], before[:, None])
    assert np.allclose(found["right", "insertion"][:, 1:], before[:, None])
    inverted = OnePixel()(to_tensor(samples.facts, 255 - samples.inputs[:6])).softmax(1)[:, 0].numpy()
    assert np.allclose(found["right", "flipping"][:, 1:], inverted[:, None], atol=1e-6)
    assert np.allclose(area(np.array([[1.0, 0.5, 0.0]]), np.linspace(0, 1, 3)), 0.5)


def test_deleted_words_are_cut_out_and_those_behind_move_up(tmp_path):
    samples = small(tmp_path, "texts").split("test")
    seen = []

    class Watched(nn.Module):
        def forward(self, tokens):
            seen.append(tokens.clone())
            return tokens[:, :2].float()

    row = samples.inputs[4]
    length = int((row > 0).sum())
    maps = torch.arange(9.0)[None]  # the last words matter most
    order = ranks(maps, (row > 0)[None], np.random.default_rng(0).random((1, 9)))
    for test in ("deletion", "insertion", "flipping"):
        Changing(Watched(), samples, np.array([4]), torch.tensor([0])).curve(order, np.array([0.5]), test)
    half = int(np.floor(length / 2 + 0.5))
    deleted, inserted, flipped = (tokens[0].tolist() for tokens in seen)
    assert deleted == [*row[: length - half], *[0] * (9 - length + half)]
    assert inserted == [*row[length - half : length], *[0] * (9 - half)]
    assert flipped == [*row[: length - half], *[1] * half, *[0] * (9 - length)]


def test_deletion_is_quantus_pixel_flipping(tmp_path):
    quantus = pytest.importorskip("quantus", reason="Quantus is not installed, or libGL is missing")
    samples, network = small(tmp_path, "images").split("test"), of_images().eval()
    x, target = to_tensor(samples.facts, samples.inputs[:5]), torch.tensor([0, 1, 2, 0, 1])
    maps = gradients(network, x, target)
    order = ranks(maps, np.ones((5, 12, 12), dtype=bool), np.zeros((5, 12, 12)))
    ours = Changing(network, samples, np.arange(5), target).curve(order, np.arange(0, 145, 8) / 144, "deletion")
    black = float(to_tensor(samples.facts, np.zeros((1, 1, 1, 1), np.uint8)))
    metric = quantus.PixelFlipping(
        features_in_step=8, perturb_baseline=black, abs=False, normalise=False, disable_warnings=True
    )
    theirs = metric(
        network,
        x.numpy(),
        target.numpy(),
        a_batch=maps[:, None].numpy(),
        softmax=True,
        channel_first=True,
        device="cpu",
    )
    assert np.allclose(ours[:, 1:], np.array(theirs), atol=1e-5)


def test_rank_correlation_is_spearmans():
    from scipy.stats import spearmanr

    random = np.random.default_rng(0)
    one, other = random.integers(0, 6, (3, 5, 5)).astype(float), random.normal(size=(3, 5, 5))
    found = rank_correlations(torch.from_numpy(one), torch.from_numpy(other), np.ones((3, 5, 5), dtype=bool))
    assert found == pytest.approx([spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(one, other, strict=True)])
    assert rank_correlations(torch.zeros(1, 4), torch.rand(1, 4), np.ones((1, 4), dtype=bool)) == [0]


def test_the_randomisation_test_is_quantus_mprt_with_shuffled_layers(tmp_path, monkeypatch):
    quantus = pytest.importorskip("quantus", reason="Quantus is not installed, or libGL is missing")
    from quantus.functions.similarity_func import correlation_spearman

    samples, network = small(tmp_path, "images").split("test"), of_images().eval()
    monkeypatch.setattr(trust, "SHUFFLES", 1)
    verdict = trust.randomised(network, samples, {"gradients": gradients}, seed=0, cuts=3)["gradients"]

    generator = torch.Generator().manual_seed(0)

    def reset_parameters(module):
        trust.shuffle(module, [""], generator)

    x = to_tensor(samples.facts, samples.inputs[trust.looked_at(samples)])
    with torch.no_grad():
        target = network(x).argmax(1)
    for kind in (nn.Conv2d, nn.Linear):
        monkeypatch.setattr(kind, "reset_parameters", reset_parameters)
    metric = quantus.MPRT(
        similarity_func=correlation_spearman, abs=False, normalise=False, skip_layers=False, disable_warnings=True
    )
    theirs = metric(
        network,
        x.numpy(),
        target.numpy(),
        channel_first=True,
        device="cpu",
        explain_func=lambda model, inputs, targets, **_: gradients(
            model, torch.as_tensor(inputs), torch.as_tensor(targets)
        )[:, None].numpy(),
    )
    scores = [values for name, values in theirs.items() if name != "original"]
    assert np.allclose(verdict.similarity, np.array(scores), atol=1e-6)


def test_shuffling_goes_from_the_top_and_keeps_the_numbers():
    network, before = Residual(), Residual()
    order = parametrised(network, torch.zeros(1, 1, 12, 12))
    assert order == ["dense", "second", "norm", "first"]
    shuffle(network, order[:2], torch.Generator().manual_seed(0))
    for name, weights in network.named_parameters():
        same = torch.equal(weights, before.get_parameter(name))
        assert same == (name.split(".")[0] in ("norm", "first"))
        assert torch.equal(weights.flatten().sort().values, before.get_parameter(name).flatten().sort().values)


def test_normalisation_is_measured_anew_where_it_was_shuffled():
    network = Residual().eval()
    x = torch.randn(8, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    remeasure(network, ["dense"], x)
    assert torch.equal(network.norm.running_mean, torch.zeros(8))
    remeasure(network, ["norm"], x)
    with torch.no_grad():
        expected = network.first(x).mean((0, 2, 3))
    assert torch.allclose(network.norm.running_mean, expected, atol=1e-6) and network.norm.momentum == 0.1
    assert not network.norm.training


def test_a_map_of_the_picture_fails_and_a_map_of_the_weights_passes(tmp_path):
    samples = small(tmp_path, "images").split("test")
    methods = {
        "picture": lambda network, x, target: x[:, 0],
        "weights": lambda network, x, target: gradients(network, x, target),
    }
    verdicts = randomised(of_images(), samples, methods, seed=0, cuts=3)
    assert verdicts["picture"].fails and np.allclose(verdicts["picture"].similarity, 1)
    assert not verdicts["weights"].fails and verdicts["weights"].similarity.shape == (3, 4)
    assert verdicts["weights"].shuffled == [1, 2, 3]
    ends = randomised(of_images(), samples, methods, seed=0)
    for name, verdict in ends.items():  # the verdict does not depend on how many depths are looked at
        assert np.allclose(verdict.worst, verdicts[name].worst)


def test_many_samples_do_not_make_up_for_few_shufflings():
    """What a shuffling did to a network it did for all samples: of six shufflings the interval holds the truth."""
    random, held, plain = np.random.default_rng(0), 0, 0
    for _ in range(500):
        repeats = (
            random.normal(0, 0.27, (6, 1, 1)) + random.normal(0, 0.15, (1, 1, 12)) + random.normal(0, 0.1, (6, 1, 12))
        )
        number = trust.Verdict([1], repeats).number("any")
        assert number.n == 6
        held += number.ci_low <= 0 <= number.ci_high
        low, high = mean_interval(repeats.mean(axis=(0, 1)))
        plain += low <= 0 <= high
    assert held / 500 > 0.92 and plain / 500 < 0.8
    assert trust.Verdict([1], np.zeros((1, 1, 12))).number("any").ci_low is None


@pytest.mark.slow
def test_all_exhibits_give_the_same_verdict(tmp_path):
    samples, network = small(tmp_path, "images").split("test"), averaged()
    common = {"right": 1, "wrong": 1, "sample": None, "compared": 10}
    made = [
        shown("faithfulness", network, samples, CONFIG, seed=2),
        shown("attribution", network, samples, common | {"methods": None}, seed=2),
        shown("class_activation", network, samples, common | {"layers": None}, seed=2),
    ]
    whole, *parts = (
        {n.subject: n.value for n in exhibit.numbers if n.metric == "similarity_when_shuffled"} for exhibit in made
    )
    assert whole == parts[0] | parts[1] and len(whole) == 7
    fails = {n.subject: n.value for n in made[0].numbers if n.metric == "fails"}
    assert fails == {subject: int(value > LIMIT) for subject, value in whole.items()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["images", "sounds", "texts", "signals"])
def test_every_kind_hangs(tmp_path, kind):
    samples, network = small(tmp_path, kind).split("test"), of(kind)
    one = hang(shown("faithfulness", network, samples, CONFIG, seed=0), tmp_path / "one")
    if kind == "texts":  # the same seed gives the same bytes
        assert one == hang(shown("faithfulness", network, samples, CONFIG, seed=0), tmp_path / "two")
    areas = {n["subject"]: n for n in one["numbers"] if n["metric"] == "deletion_area"}
    control = {
        "images": "brightness",
        "sounds": "loudness",
        "texts": "rarity_of_words",
        "signals": "distance_from_the_mean",
    }[kind]
    assert len(areas) == 9 and {"method=random", f"method={control}"} <= set(areas)
    assert all(n["n"] == 20 and n["ci_low"] <= n["value"] <= n["ci_high"] for n in areas.values())


def test_too_few_samples_and_no_logits_are_refused_first(tmp_path):
    samples = small(tmp_path, "images").split("test")
    with pytest.raises(NoLogits):
        shown("faithfulness", averaged()[:4], samples, CONFIG, seed=0)

    class One:
        facts, inputs = samples.facts, samples.inputs[:1]

        def __len__(self):
            return 1

    with pytest.raises(DoesNotApply, match="fewer than two test samples"):
        shown("faithfulness", averaged(), One(), CONFIG, seed=0)


@pytest.mark.parametrize("kind", ["images", "sounds", "texts", "signals"])
def test_curves_whose_ends_are_known_are_those_that_are_measured_throughout(kind, tmp_path):
    samples = small(tmp_path, kind).split("test")
    network, chosen = of(kind), np.arange(4)
    x = to_tensor(samples.facts, samples.inputs[chosen])
    target, shares = network(x).argmax(1), np.linspace(0, 1, 4)
    valid = counting(samples, chosen)
    random, changing = np.random.default_rng(0), Changing(network, samples, chosen, target)
    for _ in range(2):
        chance = random.random(valid.shape)
        order = ranks(torch.from_numpy(chance), valid, chance)
        for test in TESTS:
            anew = Changing(network, samples, chosen, target).curve(order, shares, test)
            assert changing.curve(order, shares, test) == pytest.approx(anew, rel=1e-6)


def test_the_control_is_where_there_is_most(tmp_path):
    images = small(tmp_path / "images", "images").split("test")
    found = of_the_data(images, None, np.arange(5))
    assert found.name == "brightness"
    for map_, image in zip(found.maps, images.inputs[:5], strict=True):
        assert (
            rank_correlations(map_[None], torch.from_numpy(image[0][None].astype(float)), np.ones((1, 12, 12), bool))
            > 0.999
        )
    sounds = small(tmp_path / "sounds", "sounds").split("test")
    quietest = np.unravel_index(np.asarray(sounds.inputs[0]).argmin(), sounds.inputs.shape[1:])[1:]
    assert of_the_data(sounds, None, np.arange(1)).maps[0].argmin() == np.ravel_multi_index(quietest, (16, 10))
    texts = small(tmp_path / "texts", "texts")
    training, test = texts.split("train"), texts.split("test")
    maps = of_the_data(test, training, np.arange(len(test))).maps.numpy()
    counts = {word: int((np.asarray(training.inputs) == word).sum()) for word in np.unique(test.inputs)}
    words = [(counts[word], map_) for word, map_ in zip(np.ravel(test.inputs), maps.ravel(), strict=True) if word > 1]
    assert len(set(words)) > 2 and all((a[0] < b[0]) == (a[1] > b[1]) for a in set(words) for b in set(words))


class OnePixel(nn.Module):
    """A network that asks for one pixel in the middle, however bright the others are; `nothing` is black."""

    def __init__(self, nothing):
        super().__init__()
        self.convolution = nn.Conv2d(1, 2, 3, padding=1)
        with torch.no_grad():
            self.convolution.weight.zero_()
            self.convolution.weight[0, 0, 1, 1] = 8
            self.convolution.bias.copy_(torch.tensor([-8 * nothing, 0.0]))

    def forward(self, x):
        maps = self.convolution(x)[:, :, 6, 6]
        return torch.cat([maps, maps[:, 1:] - 9], dim=1)


def measured(gains, n=20, fails=()):
    """What a test would find if these methods beat the data's map, which beats the random one, by these gains."""
    random = np.random.default_rng(0)
    base = 0.5 + 0.01 * random.standard_normal(n)
    areas = {"random": {test: base + (-0.2 if test == "insertion" else 0.2) for test in TESTS}}
    areas["data"] = {test: base for test in TESTS}
    for name, gain in gains.items():
        areas[name] = {test: base + (gain if test == "insertion" else -gain) for test in TESTS}
    verdicts = {name: Verdict([1], np.full((1, 1, n), 0.9 if name in fails else 0.0)) for name in gains}
    return Comparison(areas, verdicts, "brightness")


NOISE = 0.001 * np.random.default_rng(1).standard_normal(20)


@pytest.mark.parametrize(
    ("gains", "fails", "said"),
    [
        ({"gradients": 0.1 + NOISE, "occlusion": 0.0 * NOISE}, (), "gradient beats brightness by 0.10."),
        ({"gradients": 0.1 + NOISE, "occlusion": 0.2 + NOISE}, (), "occlusion beats brightness by 0.20, and one more"),
        # One gains a little surely, another more on average, by chance: it is the first that beats the control.
        ({"gradients": 0.1 + NOISE, "occlusion": 0.11 + 1000 * NOISE}, (), "gradient beats brightness by 0.10."),
        ({"gradients": 0.0 * NOISE, "occlusion": 0.0 * NOISE}, (), "no method that passes beats brightness"),
        ({"gradients": -0.1 + NOISE, "occlusion": NOISE - NOISE.mean()}, (), "no method that passes beats brightness"),
        (
            {"gradients": 0.1 + NOISE, "occlusion": -0.1 + NOISE},
            ("gradients",),
            "no method that passes beats brightness",
        ),
    ],
)
def test_what_is_said_follows_from_what_was_measured(gains, fails, said):
    found = measured(gains, fails=fails)
    for test in TESTS:
        assert said in in_charts(outcome(found, test))
        assert found.better(test) == "data"
        assert (outcome(found, test).id == "faithfulness.outcome.none") == said.startswith("no method")


def test_of_a_few_samples_nothing_is_said_and_nothing_beats_what_it_does_not():
    assert "too few samples to say" in in_charts(outcome(measured({"gradients": np.full(5, 0.3)}, n=5), "deletion"))
    random = np.random.default_rng(0)
    named = sum(len(measured({"gradients": 0.1 * random.standard_normal(20)}).ahead) > 0 for _ in range(200))
    assert named <= 20  # one in twenty by chance


@pytest.mark.slow
def test_a_network_that_asks_for_one_pixel_is_told_from_where_the_image_is_bright(tmp_path):
    samples = small(tmp_path, "images").split("test")
    network = OnePixel(float(baseline_of(samples).x.mean()))
    exhibit = shown("faithfulness", network, samples, CONFIG, seed=0)
    gains = {n.subject: n for n in exhibit.numbers if n.metric == "deletion_gain"}
    over = next(iter(gains)).partition(";")[2]
    assert gains[f"method=integrated_gradients;{over}"].ci_low > 0
    assert "Deletion: " in exhibit.caption["en"] and " beats " in exhibit.caption["en"]
