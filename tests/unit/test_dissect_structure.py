"""The network as drawn and listed is the live one: counts against torchinfo, torch's own counter and closed forms."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pandas as pd
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.structure.boxes import gathered
from cnnatomy.dissect.structure.confirming import confirm
from cnnatomy.dissect.structure.steps import calls, counted_by_torch
from cnnatomy.exhibit import Figure, Table
from cnnatomy.inspection.layers import named, trace
from cnnatomy.inspection.outputs import NoLogits
from cnnatomy.models import answering
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.lecture import Lecture
from cnnatomy.models.photograph import EfficientNetLite0
from cnnatomy.models.sentence import Sentence
from cnnatomy.models.signal import Signal
from tests.unit.dissecting import shown
from tests.unit.small_data import hang, small

CONFIG = {"boxes": 24}


def words():
    return Sentence(vocabulary=8, classes=2, dimensions=4, widths=(1, 2, 3), filters=5, dropout=0.0)


def numbers(exhibit):
    return {(number.metric, number.subject): number.value for number in exhibit.numbers}


@pytest.mark.parametrize(
    ("network", "x"),
    [
        (Lecture((1, 28, 28), 10, (25, 50), 100, 0.25), torch.rand(1, 1, 28, 28)),
        (Frequency((1, 40, 44), 10, (32, 64), (8, 5), 0.3), torch.rand(1, 1, 40, 44)),
        (words(), torch.ones(1, 9, dtype=torch.int64)),
        (EfficientNetLite0(10, 0.2), torch.rand(1, 3, 64, 64)),
    ],
)
def test_parameters_and_multiply_adds_are_torchinfos(network, x):
    torchinfo = pytest.importorskip("torchinfo", reason="torchinfo is not installed")
    summary = torchinfo.summary(network, input_data=x, verbose=0)
    layers = trace(network, x)
    steps, modules = calls(layers), {layer.name: layer.module for layer in layers}
    assert sum(step.parameters for step in steps) == summary.total_params
    assert sum(step.multiply_adds for step in steps) == counted_by_torch(network, x)
    theirs = {layer.module: layer for layer in summary.summary_list if layer.is_leaf_layer}
    for step in steps:
        if step.multiply_adds and modules[step.name] in theirs:
            module, layer = modules[step.name], theirs[modules[step.name]]
            # It also counts the additions of the bias, one for each output.
            bias = 0 if module.bias is None else torch.Size(step.shape).numel()
            assert step.multiply_adds == layer.macs - bias
            assert tuple(layer.output_size[1:]) == step.shape


def test_the_lectures_network_in_closed_form(tmp_path):
    network = Lecture((1, 12, 12), 3, (4, 6), 5, 0.0)
    found = numbers(shown("structure", network, small(tmp_path, "images").split("test"), CONFIG))
    assert found["parameters", ""] == (9 * 4 + 4) + (36 * 6 + 6) + (6 * 5 + 5) + (5 * 3 + 3)
    assert found["multiply_adds", "layer=conv1"] == 4 * 10 * 10 * 9
    assert found["multiply_adds", "layer=conv2"] == 6 * 3 * 3 * 4 * 9
    assert found["multiply_adds", ""] == 3600 + 1944 + 30 + 15
    assert found["layers_with_weights", ""] == 4
    # 3 px, then a pool of two, then 3 units of two px: 8 of 12 px a side.
    assert found["receptive_field", "layer=conv2;axis=row"] == 8
    assert found["receptive_stride", "layer=conv2;axis=row"] == 2
    assert found["input_seen_by_one_unit", ""] == pytest.approx((8 / 12) ** 2)
    assert found["fields_confirmed", ""] == 1


@pytest.mark.parametrize("kind", ["images", "sounds", "texts", "signals"])
def test_every_kind_is_drawn_whole_and_the_same_each_time(tmp_path, kind):
    networks = {
        "images": lambda: Lecture((1, 12, 12), 3, (4, 6), 5, 0.0),
        "sounds": lambda: Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0),
        "texts": words,
        "signals": lambda: Signal((2, 24), 3, (4, 5), (5, 3), 2),
    }
    torch.manual_seed(0)
    network, samples = networks[kind](), small(tmp_path, kind).split("test")
    exhibit = shown("structure", network, samples, CONFIG)
    assert numbers(exhibit)["fields_confirmed", ""] == 1
    figure, _, table = exhibit.blocks
    assert isinstance(figure, Figure) and isinstance(table, Table)
    svg = ElementTree.fromstring(figure.svg)
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    height = float(svg.get("height"))
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
            assert name in texts
            assert name in list(table.data["layer"])
    for element in svg.iter("{http://www.w3.org/2000/svg}rect"):
        x, y, width, tall = (float(element.get(key)) for key in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and x + width <= 720 and y + tall <= height
    hang(exhibit, tmp_path / "one")
    hang(shown("structure", network, samples, CONFIG), tmp_path / "two")
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_a_sound_says_what_is_seen_in_hertz_and_milliseconds(tmp_path):
    network = Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0)
    table = shown("structure", network, small(tmp_path, "sounds").split("test"), CONFIG).blocks[2].data
    (row,) = table[table["layer"] == "conv1"].to_dict("records")
    # 14 units of three bands: the one in the middle, number 7, sees bands 7 to 9 of 100 Hz each, the first at 100 Hz.
    assert row["its middle unit sees"] == "800–1,000 Hz, 0–180 ms"
    assert row["one unit sees"].startswith("3 bands × 10 frames")


def test_branches_stand_side_by_side_and_the_mask_is_not_drawn():
    network, x = words(), torch.ones(1, 9, dtype=torch.int64)
    boxes = gathered(calls(trace(network, x)), 24)
    names = [box.name for box in boxes]
    assert names == ["embedding", "conv1", "pool1", "conv2", "pool2", "conv3", "pool3", "flatten", "dense"]
    after = {box.name: {names[place] for place in box.after} for box in boxes}
    assert after["conv1"] == after["conv2"] == after["conv3"] == {"embedding"}
    assert after["flatten"] == {"pool1", "pool2", "pool3"}


@pytest.mark.parametrize(
    ("network", "x"),
    [
        (Lecture((1, 28, 28), 10, (25, 50), 100, 0.25), torch.rand(1, 1, 28, 28)),
        (Frequency((1, 40, 44), 10, (32, 64), (8, 5), 0.3), torch.rand(1, 1, 40, 44)),
        (words(), torch.ones(1, 9, dtype=torch.int64)),
        (EfficientNetLite0(10, 0.2), torch.rand(1, 3, 64, 64)),
    ],
)
def test_no_layer_stands_in_two_boxes(network, x):
    boxes = gathered(calls(trace(network, x)), 24)
    names = [step.name for box in boxes for step in box.steps]
    assert len(names) == len(set(names))
    assert sum(box.parameters for box in boxes) == sum(parameter.numel() for parameter in network.parameters())


def test_a_deep_network_is_drawn_by_its_blocks():
    network, x = EfficientNetLite0(10, 0.0), torch.rand(1, 3, 64, 64)
    steps = calls(trace(network, x))
    boxes = gathered(steps, 24)
    names = [box.name for box in boxes]
    assert names == ["stem.conv", *(f"blocks.{block}" for block in range(16)), "head.conv", "pool", "dense"]
    assert [len(box.after) for box in boxes] == [0, *[1] * 19]  # the ways around lie inside the blocks
    assert sum(box.parameters for box in boxes) == sum(parameter.numel() for parameter in network.parameters())
    meets = [step.name for step in steps if step.meets]
    assert meets == [f"blocks.{place}" for place, block in enumerate(network.blocks) if block.adds]


@pytest.mark.parametrize("pad", [nn.ZeroPad1d, nn.ReflectionPad1d, nn.ReplicationPad1d])
def test_padding_is_no_output_of_the_layer_before_it(pad):
    network = nn.Sequential(nn.Conv1d(2, 3, 3), pad(4), nn.Conv1d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 28, 3))
    boxes = gathered(calls(trace(network, torch.rand(1, 2, 24))), 24)
    assert [box.shape for box in boxes] == [(3, 22), (4, 28), (3,)]


def test_what_is_drawn_is_told_in_every_language(tmp_path):
    network = Lecture((1, 12, 12), 3, (4, 6), 5, 0.0)
    alt = shown("structure", network, small(tmp_path, "images").split("test"), CONFIG).blocks[0].alt
    assert "conv1: 4 filters of 3 × 3" in alt["en"] and alt["en"].endswith("output 3.")
    assert "conv1：4 个卷积核（3 × 3）" in alt["zh"] and alt["zh"].endswith("输出 3。")


def test_ways_around_are_lines():
    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.relu = nn.Conv2d(1, 3, 3), nn.ReLU()
            self.one, self.two = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
            self.last = nn.Conv2d(3, 2, 3)

        def forward(self, x):
            x = self.relu(self.first(x))
            return self.last(x + self.two(self.relu(self.one(x)))).mean((2, 3))

    boxes = gathered(calls(trace(Around(), torch.rand(1, 1, 12, 12))), 24)
    assert [box.name for box in boxes] == ["first", "one", "two", "last"]
    assert boxes[3].after == {0, 2}


def test_a_field_that_is_wrong_is_not_confirmed(tmp_path):
    from dataclasses import replace

    samples = small(tmp_path, "images").split("test")
    network, x = Lecture((1, 12, 12), 3, (4, 6), 5, 0.0), to_tensor(samples.facts, samples.inputs[:1])
    layer = named(trace(network, x), "conv2")
    assert confirm(network, x, layer, samples.facts)
    for size, start in ((7, 0), (9, 0), (8, 1)):
        wrong = replace(layer, field=replace(layer.field, size=(size, 8), start=(start, 0)))
        assert not confirm(network, x, wrong, samples.facts)


def test_work_in_functions_is_counted_and_named(tmp_path):
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.dense = nn.Conv2d(1, 2, 3), nn.Linear(2 * 100, 3)

        def forward(self, x):
            x = self.conv(x)
            x = nn.functional.conv2d(x, torch.ones(2, 2, 1, 1))
            return self.dense(x.flatten(1))

    exhibit = shown("structure", Functional(), small(tmp_path, "images").split("test"), CONFIG)
    assert numbers(exhibit)["multiply_adds", ""] == 2 * 100 * 9 + 2 * 100 * 2 + 600
    assert "400 of the multiply-adds are in functions" in exhibit.caption["en"]


def test_a_network_without_convolutions_is_drawn_and_one_without_classes_refused(tmp_path):
    samples = small(tmp_path, "images").split("test")
    exhibit = shown("structure", nn.Sequential(nn.Flatten(), nn.Linear(144, 3)), samples, CONFIG)
    assert numbers(exhibit)["parameters", ""] == 145 * 3
    assert re.search("dense units", exhibit.blocks[0].svg)
    with pytest.raises(NoLogits):
        shown("structure", nn.Conv2d(1, 2, 3), samples, CONFIG)
    assert isinstance(exhibit.blocks[2].data, pd.DataFrame)


@pytest.mark.parametrize(
    ("ending", "en", "zh"),
    [
        (nn.Softmax(1), "ends in a softmax", "以 softmax 结尾"),
        (nn.LogSoftmax(1), "ends in a log-softmax", "log-softmax"),
    ],
)
def test_how_the_output_is_read_is_told_in_both_languages(tmp_path, ending, en, zh):
    samples = small(tmp_path, "images").split("test")
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(300, 3), ending)
    answering.read(network, to_tensor(samples.facts, samples.inputs[:4]), 3)
    caption = shown("structure", network, samples, CONFIG).caption
    assert en in caption["en"] and zh in caption["zh"]


def test_the_code_beside_the_drawing_builds_the_network_and_says_what_goes_in_and_out(tmp_path):
    network, samples = Lecture((1, 12, 12), 3, (4, 6), 5, 0.0).eval(), small(tmp_path, "images").split("test")
    exhibit = shown("structure", network, samples, CONFIG)
    code = exhibit.blocks[1]
    names: dict = {}
    exec(code.code, names)  # what it says of its shapes is asserted in it
    names["network"].load_state_dict(network.state_dict())
    x = to_tensor(samples.facts, samples.inputs[:3])
    assert torch.equal(names["network"].eval()(x), network(x))
    assert numbers(exhibit)["code_difference", ""] == 0
    assert "144 numbers of a picture" in code.caption["en"] and "1 × 12 × 12" in code.caption["en"]
    assert "class number 2; written one-hot, 0 0 1" in code.caption["en"]
