"""Filters removed, as if the network never had them: on any network; good, idle, harmful, double ones told apart."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.filter_ablation.measure import idle_limit, kinds_of
from cnnatomy.dissect.filter_ablation.pruning import apart
from cnnatomy.exhibit import Grid, Matrix, Table
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.ablation import ChannelAblation, ablation_point
from cnnatomy.inspection.layers import LayerNotFound, stages, trace
from cnnatomy.inspection.outputs import NoLogits
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.sentence import Sentence
from cnnatomy.statistics.paired import by_chance, discoveries, lost
from tests.unit.dissecting import shown
from tests.unit.small_data import VOCABULARY, hang, small

CONFIG = {
    "layers": None,
    "samples": 40,
    "ranked": 30,
    "step": 0.3,
    "search": 400,
    "curve": 40,
    "draws": 2,
    "idle": 0.25,
    "work": 1e10,
}


class Residual(nn.Module):
    """What is hard to follow: a module used twice, changes in place, functional activations, a sum of two paths."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.twice = nn.Conv2d(6, 6, 3, padding=1, groups=2)
        self.relu = nn.ReLU(inplace=True)
        self.last = nn.Conv2d(6, 4, 2, stride=2, dilation=2)
        self.dense = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.relu_(self.norm(self.first(x)))
        y = self.relu(self.twice(x))
        x = x + self.relu(self.twice(y))
        x += 0.5 * y
        return self.dense(torch.tanh(self.last(x)).mean((2, 3)))


def networks() -> dict[str, tuple[nn.Module, str]]:
    torch.manual_seed(0)
    plain = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.Flatten(), nn.Linear(54, 3)
    )
    return {
        "plain": (plain.eval(), "images"),
        "residual": (Residual().eval(), "images"),
        "frequency": (Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.5).eval(), "sounds"),
        "sentence": (Sentence(len(VOCABULARY), 2, 5, [1, 2], 4, 0.5).eval(), "texts"),
    }


@pytest.mark.parametrize("name", ["plain", "residual", "frequency", "sentence"])
def test_what_is_not_computed_again_changes_nothing(tmp_path, name):
    """The logits without a filter are those of the network with its map set to zero by a hook."""
    net, kind = networks()[name]
    samples = small(tmp_path, kind).split("test")
    x = to_tensor(samples.facts, samples.inputs[:7])
    layers = trace(net, x[:1])
    points = [ablation_point(layers, layer) for stage in stages(layers) for layer in stage]
    removal = ChannelAblation(net, layers, points, x[:1])
    other = {points[0].name: torch.arange(points[0].shape[0]) != 1}
    whole = net(x).detach()
    moved = 0.0
    for point in points:
        for masks in ({}, other):
            found = list(removal.without_each(x, point.name, range(point.shape[0]), masks))
            for channel, logits in enumerate(found):
                gone = {name: mask.clone() for name, mask in masks.items()}
                gone.setdefault(point.name, torch.ones(point.shape[0], dtype=torch.bool))[channel] = False
                expected = hooked(net, x, gone)
                torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-6)
                torch.testing.assert_close(removal.logits(x, gone), expected, rtol=1e-5, atol=1e-6)
                moved = max(moved, float((logits - whole).abs().max()))
    assert moved > 1e-3
    torch.testing.assert_close(net(x).detach(), whole, rtol=0, atol=0)
    assert not any("forward" in vars(module) or module._forward_hooks for module in net.modules())
    assert all(parameter.requires_grad for parameter in net.parameters())


def hooked(net, x, gone):
    """Independent of the module's code: one hook a point, on the call of that number."""
    handles, calls = [], {}

    def hook_of(called):
        name, _, number = called.partition("#")

        def hook(module, inputs, output):
            calls[called] = calls.get(called, 0) + 1
            if calls[called] == int(number or 1):
                output = output.clone()
                output[:, ~gone[called]] = 0
                return output
            return None

        return net.get_submodule(name).register_forward_hook(hook)

    handles = [hook_of(called) for called in gone]
    try:
        with torch.no_grad():
            return net(x)
    finally:
        for handle in handles:
            handle.remove()


def test_a_filter_is_removed_behind_its_activation_or_its_normalisation(tmp_path):
    for name, expected in {
        "plain": ["1", "3"],
        "residual": ["norm", "relu", "relu#2", "last"],
        "frequency": ["relu1", "relu2"],
        "sentence": ["relu1", "relu2"],
    }.items():
        net, kind = networks()[name]
        samples = small(tmp_path / name, kind).split("test")
        layers = trace(net, to_tensor(samples.facts, samples.inputs[:1]))
        assert [ablation_point(layers, layer).name for stage in stages(layers) for layer in stage] == expected


def rows(harmful: bool = False) -> nn.Module:
    """Reads the class of the small images from three filters, one a bright row; the rest is idle, double or harmful."""
    net = nn.Sequential(nn.Conv2d(1, 6, (1, 12)), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3))
    with torch.no_grad():
        for weight in net.parameters():
            weight.zero_()
        for row in range(3):
            net[0].weight[row] = 1.0
            net[3].weight[row, 12 * row + 2 + 3 * row] = 1.0  # class `row` is a bright row 2 + 3 · row
        net[0].weight[3] = 0.5  # like the others, but nothing listens
        net[0].weight[4] = -1.0
        net[0].bias[4] = -100.0  # dead
        net[0].weight[5] = 1.0
        if harmful:
            net[3].weight[0, 60:72] = 3.0  # whatever it sees, it says class 0
    return net.eval()


def test_needed_idle_dead_and_harmful_filters_are_told_apart(tmp_path):
    samples = small(tmp_path, "images").split("test")
    exhibit = shown("filter_ablation", rows(), samples, CONFIG, training=None, seed=0)
    hang(exhibit, tmp_path / "exhibit")
    (table,) = [block.data for block in exhibit.blocks if isinstance(block, Table)]
    kinds = dict(zip(table["filter"], table["kind"], strict=True))
    # Where nothing is seen the answer is class 0, so that its own filter isn't needed: but 40 samples can't say so.
    assert kinds == {"0/0": "undecided", "0/1": "good", "0/2": "good", "0/3": "idle", "0/4": "dead", "0/5": "idle"}
    numbers = {number.metric: number.value for number in exhibit.numbers if not number.subject}
    assert [numbers[kind] for kind in ("good", "idle", "harmful", "undecided", "dead")] == [2, 2, 0, 1, 1]
    assert "filters_enough" not in numbers
    assert "20 samples are too few to say" in kept_figure(exhibit).caption["en"]
    (matrix,) = [block for block in exhibit.blocks if isinstance(block, Matrix)]
    lost_by = dict(zip(matrix.rows, matrix.values.tolist(), strict=True))
    assert lost_by["0/1"] == [0, 100, 0] and lost_by["0/2"] == [0, 0, 100] and lost_by["0/3"] == [0, 0, 0]

    worse = shown("filter_ablation", rows(harmful=True), samples, CONFIG, training=None, seed=0)
    (table,) = [block.data for block in worse.blocks if isinstance(block, Table)]
    kinds = dict(zip(table["filter"], table["kind"], strict=True))
    assert kinds["0/5"] == "harmful"


def kept_figure(exhibit):
    return next(block for block in exhibit.blocks if getattr(block, "name", "") == "kept")


def over_and_over(samples, times: int, **columns):
    """The same samples many times, with other columns."""
    table = pd.concat([samples.table] * times, ignore_index=True).assign(**columns)
    return SimpleNamespace(
        facts=samples.facts,
        split=samples.split,
        inputs=np.concatenate([samples.inputs] * times),
        labels=np.concatenate([samples.labels] * times),
        table=table,
    )


def twins() -> nn.Module:
    """`rows`, with a twin of each filter that is needed: one of two can go, both can't."""
    net = nn.Sequential(nn.Conv2d(1, 12, (1, 12)), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    with torch.no_grad():
        for weight in net.parameters():
            weight.zero_()
        for channel in range(6):
            row = channel % 3
            net[0].weight[channel] = 1.0
            net[3].weight[row, 12 * channel + 2 + 3 * row] = 1.0
        net[3].bias[0] = 1.0
    return net.eval()


def test_of_twins_one_can_go_and_no_more(tmp_path):
    """Of two that do the same either can go: removed several at a time, after one look, both go together."""
    samples = over_and_over(small(tmp_path, "images").split("test"), 20)
    exhibit = shown("filter_ablation", twins(), samples, CONFIG | {"step": 0.6}, training=None, seed=0)
    numbers = {number.metric: number for number in exhibit.numbers if not number.subject}
    assert numbers["filters_enough"].value == 2  # class 0 is what is said where nothing is seen
    assert numbers["filters_enough_at_random"].value > 2
    assert "2 of 12 are enough" in kept_figure(exhibit).caption["en"]


def test_what_is_enough_is_said_by_samples_that_the_order_was_not_found_on(tmp_path):
    samples = over_and_over(small(tmp_path, "images").split("test"), 20)
    for few in (800, 20):
        labelled = np.arange(few)
        ranking, judged = apart(samples, None, labelled, ranked=200, searched=400)
        assert not set(ranking.places) & set(judged) and len(judged) >= min(400, few // 2)


def test_a_filter_is_idle_by_the_errors_there_are():
    """31 errors more than 50 are no idle filter, on however many samples; nor 45 more of 450, which is a point."""
    right = np.arange(10_000) >= 50
    assert idle_limit(right, 0.25) == pytest.approx(0.00125)
    assert idle_limit(np.arange(10_000) >= 5000, 0.25) == 0.01
    kinds = [
        kinds_of(np.array([value]), np.array([False]), np.ones((1, 1)), np.array([False]), idle_limit(right, 0.25))[0]
        for value in ((0.0031, 0.0020, 0.0042), (0.0002, -0.0004, 0.0008), (0.0008, -0.0003, 0.0019))
    ]
    assert kinds == ["undecided", "idle", "undecided"]


def test_clips_of_one_speaker_and_word_count_as_one(tmp_path):
    """The same network on the same samples: as clips of three speakers they say less than as pictures."""
    samples = small(tmp_path, "images").split("test")
    alone = over_and_over(samples, 10)
    speakers = np.array(["f1", "m1", "m2"])[np.arange(400) % 3]
    spoken = over_and_over(samples, 10, voice=speakers)
    found = [
        shown("filter_ablation", rows(), some, CONFIG | {"samples": 400}, training=None, seed=0)
        for some in (alone, spoken)
    ]
    wide = [
        [number.ci_high - number.ci_low for number in one.numbers if number.metric == "accuracy_lost"] for one in found
    ]
    assert all(over >= under - 1e-9 for under, over in zip(*wide, strict=True)) and max(wide[1]) > 2 * max(wide[0])
    assert "McNemar" in found[0].caption["en"] and "sign flips of 9 groups" in found[1].caption["en"]


def test_maps_that_are_the_same_count_as_one(tmp_path):
    samples = small(tmp_path, "images").split("test")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 3)).eval()
    with torch.no_grad():
        net[0].weight[1:3] = net[0].weight[0]
        net[0].bias[1:3] = net[0].bias[0]
    exhibit = shown("filter_ablation", net, samples, CONFIG, training=None, seed=0)
    (table,) = [block.data for block in exhibit.blocks if isinstance(block, Table)]
    twins = table[table["filter"].isin(["0/0", "0/1", "0/2"])]
    assert (twins["correlation"] == 1).all() and set(twins["most like"]) <= {"0/0", "0/1", "0/2"}
    maps = net[:2](to_tensor(samples.facts, samples.inputs)).detach().permute(1, 0, 2, 3).flatten(1).numpy()
    squares = np.linalg.eigvalsh(np.corrcoef(maps))
    effective = squares.sum() ** 2 / (squares**2).sum()
    number = next(number for number in exhibit.numbers if number.metric == "effective_filters")
    assert number.value == pytest.approx(effective, rel=0.02)  # of 100 places of a map 64 are compared
    (grid,) = [block for block in exhibit.blocks if isinstance(block, Grid)]
    assert grid.items[0].pixels.shape == (4, 4, 3)


def test_all_three_networks_and_the_training_split(tmp_path):
    for name, (net, kind) in networks().items():
        data = small(tmp_path / name, kind)
        training = data.split("train") if name == "frequency" else None
        exhibit = shown("filter_ablation", net, data.split("test"), CONFIG, training=training, seed=0)
        hang(exhibit, tmp_path / name / "exhibit")
        assert ("training samples" in exhibit.caption["en"]) == (name == "frequency")
        accuracy = next(number for number in exhibit.numbers if number.metric == "accuracy")
        with torch.no_grad():
            x = to_tensor(data.facts, data.split("test").inputs)
            right = (net(x).argmax(1).numpy() == data.split("test").labels).mean()
        assert accuracy.value == pytest.approx(right)


def test_a_large_network_is_thinned_out_and_it_is_said(tmp_path):
    net, kind = networks()["plain"]
    samples = small(tmp_path, kind).split("test")
    net[3] = nn.Conv2d(4, 60, 3)
    net[5] = nn.Linear(540, 3)
    exhibit = shown("filter_ablation", net, samples, CONFIG | {"work": 1e7}, training=None, seed=0)
    hang(exhibit, tmp_path / "exhibit")
    looked = [number for number in exhibit.numbers if number.metric == "accuracy_lost"]
    assert 10 <= len(looked) < 64
    assert f"of 64 filters {len(looked)}, evenly spread" in exhibit.caption["en"]
    assert "filters_enough" not in {number.metric for number in exhibit.numbers}


def test_the_interval_of_paired_answers():
    before = np.ones(100, dtype=bool)
    assert lost(before, before)[0] == 0
    low, high = lost(before, before)[1:]
    assert -0.03 < low < 0 < high < 0.03
    assert by_chance(before, before) == 1
    worse = np.r_[np.zeros(9, dtype=bool), np.ones(91, dtype=bool)]
    assert by_chance(np.ones(100, dtype=bool), worse) == pytest.approx(2 * 0.5**9)


def test_discoveries_are_those_of_benjamini_and_hochberg():
    """By their words: of the sorted chances the largest k with p(k) ≤ k/m · q, and all before it."""
    chances = np.random.default_rng(1).random(50) ** 4
    ordered = sorted(chances)
    last = max((k for k in range(1, 51) if ordered[k - 1] <= k / 50 * 0.05), default=0)
    assert last > 1 and (discoveries(chances, 0.05) == (chances <= ordered[last - 1])).all()
    assert not discoveries(np.array([0.2, 0.9]), 0.05).any() and discoveries(np.array([0.0]), 0.05).all()


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    net, kind = networks()["plain"]
    data = small(tmp_path, kind)
    for name in ("one", "two"):
        hang(
            shown("filter_ablation", net, data.split("test"), CONFIG, training=data.split("train"), seed=1),
            tmp_path / name,
        )
    one, two = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]


def test_without_labels_it_does_not_apply(tmp_path):
    samples = small(tmp_path, "images", unlabelled=True).split("test")
    with pytest.raises(DoesNotApply, match="without a label"):
        shown("filter_ablation", networks()["plain"][0], samples, CONFIG, training=None, seed=0)


def test_bad_input_is_refused(tmp_path):
    net, kind = networks()["plain"]
    samples = small(tmp_path, kind).split("test")
    with pytest.raises(LayerNotFound, match="no layer 'conv'"):
        shown("filter_ablation", net, samples, CONFIG | {"layers": ["conv"]}, training=None, seed=0)
    with pytest.raises(LayerNotFound, match="'5' has no maps"):
        shown("filter_ablation", net, samples, CONFIG | {"layers": ["5"]}, training=None, seed=0)
    with pytest.raises(LayerNotFound, match="no convolution"):
        shown("filter_ablation", nn.Sequential(nn.Flatten(), nn.Linear(144, 3)), samples, CONFIG, training=None, seed=0)
    with pytest.raises(NoLogits, match="not \\(samples, classes\\)"):
        shown("filter_ablation", net[:4], samples, CONFIG, training=None, seed=0)
