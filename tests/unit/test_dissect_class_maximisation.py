"""Class maximisation: limits hold, other networks are asked, and what can't be measured is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from cnnatomy.data import prepared
from cnnatomy.data.prepared import Axis, Facts, Normalise
from cnnatomy.dissect.class_maximisation.measure import PRIORS, verdict
from cnnatomy.exhibit import Grid, Table
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.models.frequency import Frequency
from tests.unit.dissecting import shown
from tests.unit.small_data import hang, small
from tests.unit.test_dissect_configuration import shipped

CONFIG = shipped("class_maximisation") | {"steps": 48, "starts": 2}


def network(seed=0, classes=3):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, classes)).eval()


def opened(net, data, others=(), **changes):
    training = data.split("train") if "train" in data.facts.splits else None
    needs = {"training": training, "others": others, "seed": 0}
    return shown("class_maximisation", net, data.split("test"), CONFIG | changes, **needs)


def of(exhibit, metric):
    return {number.subject: number.value for number in exhibit.numbers if number.metric == metric}


def test_ink_and_variation_are_no_more_than_typical_and_the_logit_is_raised(tmp_path):
    exhibit = opened(network(), small(tmp_path, "images"))
    assert of(exhibit, "most_ink")[""] <= 1 and of(exhibit, "most_variation")[""] <= 1
    for label in "567":
        none, both = (of(exhibit, "logit")[f"class={label};variant={name}"] for name in ("none", "both"))
        assert none >= both
        assert of(exhibit, "ink")[f"class={label};variant=l1"] <= 1
        assert of(exhibit, "variation")[f"class={label};variant=tv"] <= 1
    written = hang(exhibit, tmp_path / "exhibit")
    assert len(written["blocks"][0]["items"]) == 3 * (len(PRIORS) + 1)


def test_the_numbers_are_those_of_the_pictures(tmp_path):
    """Ink as drawn, within the levels of grey that are drawn."""
    data = small(tmp_path, "images")
    exhibit = opened(network(), data)
    test = data.split("test")
    inputs = np.asarray(test.inputs)
    background = np.median(inputs)
    grid = next(block for block in exhibit.blocks if isinstance(block, Grid))
    for label, name in enumerate("567"):
        typical = np.median(np.abs(inputs[test.labels == label] - background).mean((1, 2, 3)))
        item = next(item for item in grid.items if item.id == f"none/{name}")
        drawn = np.abs(item.pixels.astype(float) - background).mean()
        assert drawn / typical == pytest.approx(of(exhibit, "ink")[f"class={name};variant=none"], rel=0.05)


def test_a_linear_network_without_priors_reaches_the_exact_optimum(tmp_path):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(144, 3)).eval()
    exhibit = opened(net, small(tmp_path, "images"))
    weights, low, high = net[1].weight.detach(), -0.2 / 0.3, 0.8 / 0.3
    best = (weights.clamp_min(0) * high + weights.clamp_max(0) * low).sum(1) + net[1].bias.detach()
    found = [of(exhibit, "logit")[f"class={name};variant=none"] for name in "567"]
    assert found == pytest.approx(best.tolist(), rel=1e-3)


def test_other_networks_are_asked(tmp_path):
    data = small(tmp_path, "images")
    twin = opened(network(), data, others=[network(), network(), network()])
    assert of(twin, "agree_with_both")[""] == np.mean(
        [of(twin, "agree")[f"class={name};variant=both"] for name in "567"]
    )
    assert of(twin, "agree_without_priors")[""] == 1
    mean = np.mean([of(twin, "probability")[f"class={name};variant=none"] for name in "567"])
    assert of(twin, "others_probability")["variant=none"] == pytest.approx(mean, rel=1e-3)
    contrary = network()
    with torch.no_grad():
        contrary[-1].weight.neg_()
        contrary[-1].bias.neg_()
    exhibit = opened(network(), data, others=[contrary])
    assert of(exhibit, "agree_without_priors")[""] == 0
    grid = next(block for block in exhibit.blocks if isinstance(block, Grid))
    assert {item.state for item in grid.items if item.id.startswith("none/")} == {"wrong"}


def test_without_other_networks_nothing_is_said_of_them(tmp_path):
    exhibit = opened(network(), small(tmp_path, "images"))
    assert not any("agree" in number.metric or "others" in number.metric for number in exhibit.numbers)
    assert "No other network of this kind" in exhibit.caption["en"]
    table = next(block for block in exhibit.blocks if isinstance(block, Table))
    assert not any("others" in column for column in table.data.columns)


@pytest.mark.parametrize(
    ("without", "both", "said"),
    [
        (np.full(10, 2 / 3) + np.tile([0.1, -0.1], 5), np.ones(10), "help"),
        (np.full(10, 28 / 30), np.full(10, 28 / 30), "same"),  # both ways the same
        (np.repeat([1.0, 0.9], 5), np.repeat([1.0, 0.95], 5)[::-1], "undecided"),
        (np.ones(10), np.tile([0.0, 1 / 3], 5), "harm"),
        (np.zeros(1), np.ones(1), "undecided"),  # of one class nothing can be said
    ],
)
def test_that_priors_help_is_said_only_where_they_do(without, both, said):
    assert verdict(without, both) == said


def test_of_chance_nothing_is_said_of_priors():
    random = np.random.default_rng(0)
    said = [verdict(*random.integers(0, 4, (2, 10)) / 3) for _ in range(400)]
    assert np.mean([one == "undecided" for one in said]) > 0.92


def test_spectrograms(tmp_path):
    torch.manual_seed(0)
    exhibit = opened(Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0).eval(), small(tmp_path, "sounds"))
    assert of(exhibit, "most_ink")[""] <= 1
    hang(exhibit, tmp_path / "exhibit")


def test_unlabelled_photographs_of_a_thousand_classes(tmp_path):
    axes = [Axis("row", "px", list(range(20))), Axis("column", "px", list(range(20)))]
    classes = [f"class {i}" for i in range(1000)]
    facts = Facts("photos", "images", classes, (3, 20, 20), axes, Normalise([0.5] * 3, [0.5] * 3), "", "", "", "")
    table = pd.DataFrame({"split": "test", "label": -1, "id": ["test/china", "test/flower"]})
    inputs = np.random.default_rng(0).integers(0, 255, (2, 3, 20, 20)).astype(np.uint8)
    prepared.write(tmp_path / "photos", facts, inputs, table)
    data = prepared.load(tmp_path / "photos")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1000)).eval()
    exhibit = opened(net, data, work=1.5e6)
    assert "least_activation" not in {number.metric for number in exhibit.numbers}
    grid = next(block for block in exhibit.blocks if isinstance(block, Grid))
    # So little work makes the images smaller and leaves half of the classes.
    assert len(grid.items) == 5 * len(PRIORS) and grid.items[0].pixels.shape[0] < 20
    assert "5 classes are looked at" in exhibit.caption["en"]
    assert "smaller than those of training" in exhibit.caption["en"]
    hang(exhibit, tmp_path / "exhibit")


def test_classes_by_name_and_a_misspelt_one(tmp_path):
    data = small(tmp_path, "sounds", classes=["five", "six", "seven"])
    net = Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0).eval()
    exhibit = opened(net, data, classes=["seven"], steps=2)
    assert {item.id.split("/")[1] for item in exhibit.blocks[0].items} == {"seven"}
    with pytest.raises(ValueError, match="no class 'sevn'. Did you mean 'seven'?"):
        opened(net, data, classes=["sevn"])


def test_a_network_whose_output_is_not_classes_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"gives \(1, 4\) for one sample, not \(1, 3\)"):
        opened(network(classes=4), small(tmp_path, "images"))


def test_texts_are_not_for_this(tmp_path):
    with pytest.raises(DoesNotApply, match="words can't be changed"):
        opened(network(), small(tmp_path, "texts"))


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    data = small(tmp_path, "images")
    for name in ("one", "two"):
        hang(opened(network(), data, steps=6), tmp_path / name)
    files = [
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir() if file.is_file()}
        for name in ("one", "two")
    ]
    assert files[0] == files[1]
