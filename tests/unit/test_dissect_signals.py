"""What the dissections say of signals, against what is known otherwise, and that each says something."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnatomy.config import folders
from cnnatomy.config.compose import compose
from cnnatomy.config.steps import OWN_STEP
from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts
from cnnatomy.dissect.feature_visualisation.maximisation import Plan, Real, exact_optimum, maximise
from cnnatomy.dissect.feature_visualisation.regularisers import box, total_variation
from cnnatomy.dissect.feature_visualisation.units import Units, listen
from cnnatomy.dissect.saliency.attributions import baseline_of, occlusion
from cnnatomy.dissect.saliency.cams import cam_layers, grad_cam, held, spread
from cnnatomy.dissect.saliency.curves import Changing
from cnnatomy.drawing import curves, saying
from cnnatomy.evaluation import predict
from cnnatomy.exhibit.languages import worded
from cnnatomy.exhibit.words import described
from cnnatomy.inspection.frequencies import FREQUENCIES, gains
from cnnatomy.inspection.layers import trace
from cnnatomy.models.signal import Signal
from tests.unit.dissecting import LITTLE_INSIDE, dissected, evaluated, in_english, shown
from tests.unit.small_data import hang, small

METHODS = sorted(set(folders.options("dissect")) - set(OWN_STEP))
#: What says that it has nothing to show: of no sounds, no words, no pictures, and no hidden dense layer.
SAY_NO = {"spectrogram", "ngrams", "dream", "style", "dense_maximisation"}


def made(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Signal((2, 24), 3, (4, 5), (5, 3), 2).eval()


class Spatial(nn.Module):
    """As networks for EEG are: filters along time, then one over all electrodes (Lawhern et al. 2018, EEGNet)."""

    def __init__(self) -> None:
        super().__init__()
        self.temporal = nn.Conv2d(1, 4, (1, 5), padding=(0, 2), bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.spatial = nn.Conv2d(4, 8, (2, 1), groups=4)
        self.elu = nn.ELU()
        self.pool = nn.AvgPool2d((1, 3))
        self.dense = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.elu(self.spatial(self.norm(self.temporal(x.unsqueeze(1))))))
        return self.dense(x.flatten(1))


def spatial(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Spatial().eval()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small(tmp_path_factory.mktemp("signals"), "signals")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", [made, pytest.param(spatial, marks=pytest.mark.slow)])
def test_every_method_opens_a_network_on_signals_up(method, make, data, tmp_path, monkeypatch):
    for inside, little in LITTLE_INSIDE.items():
        monkeypatch.setattr(inside, little, raising=False)
    exhibit = dissected(method, [make(seed) for seed in range(3)], data)
    written = hang(exhibit, tmp_path / method)
    assert (written["numbers"][0]["metric"] == "applies") == (method in SAY_NO)
    assert set(written["caption"]) == {"en", "zh"}


def test_a_network_with_a_hidden_dense_layer_has_its_units_looked_at(data, tmp_path):
    settings = compose(["run=mnist"])["dissect"]["dense_maximisation"] | {"steps": 4, "starts": 1, "compared": 20}
    network = nn.Sequential(
        nn.Conv1d(2, 3, 5), nn.ReLU(), nn.Flatten(), nn.Linear(60, 4), nn.ReLU(), nn.Linear(4, 3)
    ).eval()
    exhibit = shown("dense_maximisation", network, data.split("test"), settings, training=data.split("train"), seed=0)
    assert {block["name"] for block in hang(exhibit, tmp_path / "x")["blocks"]} == {"shift", "units-3", "units-0"}


def test_the_numbers_of_the_first_kernels_are_the_weights(data):
    network = made()
    exhibit = shown("kernels", network, data.split("test"), compose(["run=mnist"])["dissect"]["kernels"])
    weights = network.conv1.weight.detach().double().numpy()
    found = {(n.metric, n.subject): n.value for n in exhibit.numbers}
    for index, kernel in enumerate(weights):
        subject = f"layer=conv1;filter={index}"
        assert found["norm", subject] == pytest.approx(math.sqrt((kernel**2).sum()), rel=1e-3)
        assert found["largest_weight", subject] == pytest.approx(kernel.max(), rel=1e-3)
        pairs = 2 * (kernel[:, 1:] * kernel[:, :-1]).sum() / (kernel[:, 1:] ** 2 + kernel[:, :-1] ** 2).sum()
        assert found["smoothness", subject] == pytest.approx(pairs, rel=1e-3)


def test_what_frequencies_a_filter_answers_to_is_what_scipy_says(data):
    from scipy.signal import freqz

    network = made()
    exhibit = shown("kernels", network, data.split("test"), compose(["run=mnist"])["dissect"]["kernels"])
    (figure,) = (block for block in exhibit.blocks if block.name == "frequencies-conv1")
    hertz = figure.data["frequency, Hz"].to_numpy()
    assert (hertz[0], hertz[-1]) == (0, 50), "half of a hundred steps a second"
    peaks = {n.subject: n.value for n in exhibit.numbers if n.metric == "peak_frequency"}
    for index, kernel in enumerate(network.conv1.weight.detach().double().numpy()):
        gain = np.sqrt(
            sum(np.abs(freqz(channel, worN=hertz, fs=100, include_nyquist=True)[1]) ** 2 for channel in kernel)
        )
        assert np.allclose(figure.data[f"filter {index}"], gain, atol=1e-5)
        assert peaks[f"layer=conv1;filter={index}"] == pytest.approx(hertz[gain.argmax()], rel=1e-3)


def test_weights_that_lie_apart_answer_as_with_zeros_between():
    weights = np.random.default_rng(0).normal(size=(3, 2, 80))
    between = np.zeros((3, 2, 159))
    between[:, :, ::2] = weights
    assert np.allclose(gains(weights, 2), gains(between)) and gains(weights).shape == (3, FREQUENCIES)
    assert np.allclose(gains(weights)[:, 0], np.sqrt((weights.sum(2) ** 2).sum(1)))


def test_with_a_mean_over_time_and_one_dense_layer_grad_cam_has_a_closed_form(data):
    """Zhou et al. 2016: the dense layer's weights on the last maps, here over the number of cells."""
    network, samples = made(), data.split("test")
    x, target = to_tensor(samples.facts, samples.inputs[:5]), torch.tensor([0, 1, 2, 0, 1])
    (layer,) = cam_layers(network, x[:1], None)
    assert layer.name == "relu2"
    ((maps, gradients),) = held(network, x, target, [layer.name])
    with torch.no_grad():
        last = network.relu2(network.conv2(network.pool1(network.relu1(network.conv1(x)))))
        closed = torch.einsum("nc,nct->nt", network.dense.weight[target], last).clamp(min=0) / last.shape[2]
    assert torch.allclose(grad_cam(maps, gradients), closed, atol=1e-6)
    on_time = spread(layer, closed, (24,), False)
    # A cell stands for two steps, from the middle of what it sees on: steps 0 and 1 are nearest to cell 0.
    assert torch.equal(on_time, closed.repeat_interleave(2, dim=1)) and on_time.shape == (5, 24)


def test_occlusion_is_what_covering_each_window_by_the_mean_takes(data):
    network, samples = made(), data.split("test")
    x = to_tensor(samples.facts, samples.inputs[:2])
    target = torch.tensor([0, 2])
    found = occlusion(network, x, target, baseline_of(samples))
    raw, mean = np.array(samples.inputs[:2]), np.array(samples.facts.normalise.mean, dtype=np.float32)
    total, covers = np.zeros((2, 24)), np.zeros(24)
    with torch.no_grad():
        before = network(x)[[0, 1], target].numpy()
        for first in range(
            0, 24
        ):  # windows of an eighth of 24 steps, each moved by half of its size, which is one step
            if first + 3 > 24:
                continue
            covered = raw.copy()
            covered[:, :, first : first + 3] = mean[:, None]
            after = network(to_tensor(samples.facts, covered))[[0, 1], target].numpy()
            total[:, first : first + 3] += (before - after)[:, None]
            covers[first : first + 3] += 1
    assert np.allclose(found.numpy(), total / covers, atol=1e-5)


def test_flipping_turns_a_signal_upside_down_about_its_mean(data):
    network, samples = made(), data.split("test")
    places, order = np.arange(3), np.tile(np.arange(24), (3, 1))
    target = torch.tensor([0, 1, 2])
    found = Changing(network, samples, places, target).curve(order, np.array([1.0]), "flipping")[:, 0]
    mean = np.array(samples.facts.normalise.mean)[:, None]
    turned = (2 * mean - np.array(samples.inputs[:3])).astype(np.float32)
    with torch.no_grad():
        expected = network(to_tensor(samples.facts, turned)).softmax(1)[range(3), target]
    assert np.allclose(found, expected.numpy(), atol=1e-6)


def test_the_best_window_is_that_of_all_windows(data):
    """Every window of every signal by brute force: dot products with the kernel."""
    network, samples = made(), data.split("test")
    exhibit = shown("top_patches", network, samples, compose(["run=mnist"])["dissect"]["top_patches"])
    found = {n.subject: n.value for n in exhibit.numbers if n.metric == "best_activation"}
    x = np.pad(to_tensor(samples.facts, samples.inputs).double().numpy(), ((0, 0), (0, 0), (2, 2)))
    weights, biases = (part.detach().double().numpy() for part in (network.conv1.weight, network.conv1.bias))
    for index, (kernel, bias) in enumerate(zip(weights, biases, strict=True)):
        answers = [(x[:, :, first : first + 5] * kernel).sum((1, 2)) + bias for first in range(24)]
        assert found[f"layer=conv1;filter={index}"] == pytest.approx(np.max(answers), rel=1e-3)


def test_climbing_reaches_the_known_optimum_of_a_first_filter(data):
    """Each step at the end of its channel's range that the weight's sign asks for, plus the bias."""
    network, samples = made(), data.split("test")
    x = to_tensor(samples.facts, samples.inputs[:1])
    traced = trace(network, x)
    units, limits, which = Units(network, traced, traced[0], x), box(samples), np.arange(4)
    (reals,) = listen([units], samples, 40)
    real = Real(samples, data.split("train"), limits)
    found = maximise(units, reals, real, Plan(which, starts=2, steps=60), summed=False, seed=(0,))
    weights, bias = network.conv1.weight.detach().double(), network.conv1.bias.detach().double()
    low, high = limits.low.double(), limits.high.double()
    best = (weights.clamp(min=0) * high + weights.clamp(max=0) * low).flatten(1).sum(1) + bias
    assert exact_optimum(units, found.window, limits, which) == pytest.approx(best.numpy(), rel=1e-5)
    assert found.values["plain"] == pytest.approx(best.numpy(), rel=1e-3)


def test_variation_is_the_mean_step_in_time(data):
    samples = data.split("test")
    x, limits = to_tensor(samples.facts, samples.inputs[:3]), box(samples)
    inputs = np.array(samples.inputs[:3], dtype=np.float64)
    reach = np.ptp(np.array(samples.inputs), axis=(0, 2))[:, None]
    expected = (np.abs(np.diff(inputs)) / reach).sum((1, 2)) / inputs[0].size
    assert np.allclose(total_variation(x, limits).numpy(), expected, rtol=1e-4)


def test_accuracy_is_said_over_groups_too(data, tmp_path):
    samples = data.split("test")
    exhibit = evaluated(predict(made(), samples), None, samples, {"misread": 4})
    found = {(n.metric, n.subject): n for n in exhibit.numbers}
    over, plain = found["test_accuracy_over_groups", ""], found["test_accuracy", ""]
    assert (over.value, over.n) == (plain.value, 4)
    hits = predict(made(), samples)
    right = (hits["label"] == hits["prediction"]).groupby(samples.table["group"]).mean()
    for group, share in right.items():
        assert found["accuracy", f"group={group}"].value == pytest.approx(share)
    hang(exhibit, tmp_path / "x")


def test_pictures_of_a_signal(data):
    facts: Facts = data.facts
    sample = np.array(data.split("test").inputs[0])
    whole = curves.signal(facts, sample)
    assert whole.shape == (*curves.SIZE[::-1], 3) and whole.dtype == np.uint8
    assert np.array_equal(whole, curves.signal(facts, sample.copy()))
    small_ = curves.signal(facts, sample, (-4, 8), size=curves.SMALL)
    lilac = (small_ == curves.OUTSIDE).all(2).mean()
    assert 0.2 < lilac < 0.4, "a third of the window is padding"
    many = replace(facts, shape=(9, 24), channels=[facts.channels[0]] * 9)
    assert len(curves.signal(many, np.tile(sample[:1], (9, 1)))) >= 9 * curves.LANE, "many channels stand in lanes"
    assert curves.moment(facts, -2) == pytest.approx(-0.02)


def test_of_many_channels_each_has_its_own_range(data):
    """One in thousands must not make lines of the others: each curve takes most of its lane."""
    channels = [replace(data.facts.channels[0], name=f"c{k}", low=-(10.0**k), high=10.0**k) for k in range(5)]
    facts = replace(data.facts, shape=(5, 24), channels=channels)
    sample = np.sin(np.arange(24))[None] * 10.0 ** np.arange(5)[:, None]
    picture = curves.signal(facts, sample).astype(int)
    coloured = np.ptp(picture, axis=2)[3:-12, 42:-6] > 60
    for lane in np.array_split(coloured, 5):
        assert lane.any(axis=1).mean() > 0.8
    assert "range of its own" not in in_english(saying.signal_axes(data.facts))
    for told in (saying.signal_axes(facts), saying.small_signals(facts)):
        said = worded(described(told))
        assert "has a range of its own" in said["en"] and "各有自己的范围" in said["zh"]


def test_the_size_of_a_window_is_said_in_steps_and_seconds(data):
    assert worded(described(saying.window(data.facts, (5,)))) == {"en": "5 steps (0.05 s)", "zh": "5 步（0.05 秒）"}
    without = replace(data.facts, axes=[replace(data.facts.axes[0], unit="steps")])
    assert in_english(saying.window(without, (1,))) == "1 step"


def test_no_unit_sees_more_than_there_is(data):
    def seen(facts, field):
        return in_english(saying.seen(facts, field))

    facts = data.facts  # 24 steps
    assert seen(facts, (5,)) == "5 steps (0.05 s)" and seen(facts, (24,)) == "24 steps (0.24 s)"
    assert seen(facts, (48,)) == "all 24 steps (0.24 s)"
    pixels = replace(facts, kind="images", shape=(1, 16, 12))
    assert seen(pixels, (20, 5)) == "16 × 5 px" and seen(pixels, (20, 13)) == "all 16 × 12 px"
    axes = [replace(facts.axes[0], name="word")]
    words = replace(facts, kind="texts", shape=(9,), vocabulary=["", "?", "a"], axes=axes)
    assert seen(words, (12,)) == "all 9 words"


def test_the_map_of_a_class_says_which_time_its_cell_sees(data, tmp_path):
    config = compose(["run=mnist"])["dissect"]["class_activation"] | {"compared": 20}
    exhibit = shown("class_activation", made(), data.split("test"), config, seed=0)
    written = hang(exhibit, tmp_path / "x")
    (grid,) = (block for block in written["blocks"] if block["name"] == "maps")
    with_map = [item["values"] for item in grid["items"] if "largest" in item.get("values", {})]
    assert any({"from s", "to s"} <= set(values) for values in with_map)


@pytest.mark.parametrize(("widths", "pool", "says"), [((4, 3), 2, "odd"), ((3, 3), 100, "too few")])
def test_a_network_that_cannot_be_is_refused(widths, pool, says):
    with pytest.raises(ValueError, match=says):
        Signal((2, 24), 3, (4, 5), widths, pool)


def test_augmentation_keeps_the_shape_and_moves_as_far_as_it_says():
    from cnnatomy.data.augment import Signals

    batch = torch.arange(20.0).expand(50, 2, 20).clone()
    torch.manual_seed(0)
    moved = Signals(shift=0.2)(batch) - batch
    assert moved.shape == batch.shape and moved.abs().max() == 4
    torch.manual_seed(0)
    scaled = Signals(scale=0.1)(batch)
    assert torch.allclose(scaled.mean(2), batch.mean(2), atol=1e-4)
    assert (scaled.std(2) / batch.std(2)).min() >= 0.9 and (scaled.std(2) / batch.std(2)).max() <= 1.1
