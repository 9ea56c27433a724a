"""A network for the page: its program, its weights in few bits, and what is said where it can't be had."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect import live
from cnnatomy.dissect.live.packing import KINDS, packed, short
from cnnatomy.dissect.live.program import program_of
from cnnatomy.dissect.live.tracing import traced
from cnnatomy.exhibit import Live
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.layers import trace
from cnnatomy.models.lecture import Lecture
from cnnatomy.models.sentence import Sentence
from tests.unit import odd_networks
from tests.unit.dissecting import in_english, shipped, shown
from tests.unit.small_data import hang, small


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return small(tmp_path_factory.mktemp("images"), "images").split("test")


def lecture(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return Lecture((1, 12, 12), 3, (6, 8), 10, 0.25).eval()


def settings(**given):
    return live.Settings(**shipped("live") | given)


def decoded(content: bytes, place: dict) -> np.ndarray:
    """A weight by the words of docs/exhibit.md."""
    length = int(np.prod(place["shape"]))
    if "scales" not in place:
        return np.frombuffer(content, place["type"], length, place["at"]).reshape(place["shape"]).astype(np.float32)
    more = int(place["type"].removeprefix("int")) - 8
    upper = np.frombuffer(content, np.int8, length, place["at"])
    numbers = [int(high) << more for high in upper]
    for bit in range(more):
        plane = content[place["at"] + length + bit * -(-length // 8) :]
        numbers = [number + ((plane[at // 8] >> at % 8 & 1) << bit) for at, number in enumerate(numbers)]
    scales = np.frombuffer(content, np.float32, place["shape"][0], place["scales"])
    return (np.reshape(numbers, (place["shape"][0], -1)) * scales[:, None]).reshape(place["shape"]).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_read_back_as_they_were_rounded(kind):
    random = torch.Generator().manual_seed(0)
    sizes = {"a.weight": (5, 3, 3, 3), "b.weight": (7, 13), "a.bias": (5,), "odd": (1, 1), "none": (2, 0)}
    weights = {name: torch.randn(size, generator=random) * 10.0 ** (len(name) - 6) for name, size in sizes.items()}
    weights["b.weight"][3] = 0  # a row of which nothing is left
    rounded = {name: short(weight, kind) for name, weight in weights.items()}
    held = packed(rounded, kind)
    for name, weight in rounded.items():
        assert torch.equal(short(weight, kind), weight), "rounded twice is rounded once"
        np.testing.assert_array_equal(decoded(held.content, held.places[name]), weight.numpy())
        step = weights[name].abs().amax() / 2 ** (KINDS[kind] - 1) if kind.startswith("int") and weight.numel() else 0
        assert not weight.numel() or float((weight - weights[name]).abs().max()) <= max(
            float(step), 1e-3 * float(weights[name].abs().max())
        )


def test_the_fewest_bits_are_taken_that_keep_class_and_logits(images):
    network = lecture()
    found = live.measure(network, images, settings())
    assert [one.kind for one in found.tried] == ["int8"]
    strict = live.measure(network, images, settings(apart=found.tried[0].off / 3))
    assert [one.kind for one in strict.tried] == ["int8", "int9", "int10"]
    assert len(strict.packed.content) > len(found.packed.content)
    assert live.measure(network, images, settings(apart=0.0)).tried[-1].kind == "float32"


def test_what_rounding_changes_is_what_the_numbers_say(images):
    network = lecture(1)
    exhibit = shown("live", network, images, {})
    (block,) = exhibit.blocks
    assert isinstance(block, Live)
    other = lecture(1)
    with torch.no_grad():
        for name, parameter in other.named_parameters():
            parameter.copy_(torch.from_numpy(decoded(block.weights, block.tensors[name])))
        x = to_tensor(images.facts, images.inputs)
        true, ours = network(x), other(x)
    numbers = {number.metric: number for number in exhibit.numbers}
    assert numbers["same_class"].value == float((true.argmax(1) == ours.argmax(1)).float().mean())
    spread = float(true.max() - true.min())
    assert numbers["largest_logit_difference"].value == pytest.approx(
        float((true - ours).abs().max()) / spread, rel=1e-3
    )
    places = [list(images.table["id"]).index(sample.id) for sample in block.samples]
    np.testing.assert_allclose([sample.logits for sample in block.samples], ours[places].numpy(), atol=1e-5)
    np.testing.assert_array_equal(block.inputs, images.inputs[places])


def test_it_begins_with_as_many_samples_of_each_class(images):
    (block,) = shown("live", lecture(), images, {"samples": 7}).blocks
    assert [sample.label for sample in block.samples] == [0, 0, 1, 1, 2, 2]


def test_where_a_class_is_seen_is_asked_of_the_layers_of_class_activation(images, tmp_path):
    (block,) = shown("live", lecture(), images, {}).blocks
    assert block.activation == ["relu2"]
    words = small(tmp_path, "texts").split("test")
    (block,) = shown("live", Sentence(8, 2, 6, [1, 2], 5, 0.5).eval(), words, {}).blocks
    assert block.activation == ["relu1", "relu2"]
    dense = nn.Sequential(nn.Flatten(), nn.Linear(144, 3)).eval()  # no convolution has places
    (block,) = shown("live", dense, images, {}).blocks
    assert block.activation == []


def test_steps_are_called_as_the_layers_are(images):
    """So that the page can say what else hangs of a layer."""
    torch.manual_seed(0)
    network = odd_networks.Residual((1, 12, 12), 3).eval()
    x = to_tensor(images.facts, images.inputs[:2])
    program = program_of(traced(network, x))
    layers = {layer.name: layer.shape for layer in trace(network, x[:1])}
    steps = {step.name: step.shape for step in program.steps}
    assert program.shown == ["conv1", "bn1", "relu", "conv2", "bn2", "relu#2", "down", "relu#3", "fc"]
    assert all(steps[name] == layers[name] for name in program.shown)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (odd_networks.LSTMFirst, "can't do one of the network's operations: lstm (read, LSTM)"),
        (odd_networks.Deep3d, "can't do one of the network's operations: conv3d (conv, Conv3d)"),
        (odd_networks.Upsampling, "can't do one of the network's operations: conv_transpose2d (up, ConvTranspose2d)"),
    ],
)
def test_what_stands_in_the_way_is_named(images, make, says):
    with pytest.raises(DoesNotApply) as error:
        live.measure(make((1, 12, 12), 3).eval(), images, settings())
    assert says in in_english(error.value.because)


def test_a_network_that_asks_its_numbers_what_to_do_is_said_to(images):
    class Asking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.end = nn.Linear(144, 3)

        def forward(self, x):
            x = x.flatten(1)
            return self.end(x) if x.sum() > 0 else self.end(-x)

    with pytest.raises(DoesNotApply) as error:
        live.measure(Asking().eval(), images, settings())
    assert "depends on the numbers that it gets" in in_english(error.value.because)


def test_one_that_mixes_samples_is_refused(images):
    class Mixing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.end = nn.Linear(144, 3)

        def forward(self, x):
            return self.end(x.flatten(1) - x.flatten(1).mean(0, keepdim=True))

    with pytest.raises(DoesNotApply) as error:
        live.measure(Mixing().eval(), images, settings())
    assert "mean, over samples" in in_english(error.value.because)


def test_one_that_takes_too_much_room_is_left_out_with_the_command_that_has_it(images):
    with pytest.raises(DoesNotApply) as error:
        live.measure(lecture(), images, settings(most_megabytes=0.0001), run="digits")
    assert "cnnatomy report 'report.runs=[digits]' dissect.live.most_megabytes=1" in in_english(error.value.because)


@pytest.mark.parametrize("kind", ["sounds", "texts", "signals"])
def test_of_every_kind_the_page_knows_what_a_sample_is(kind, tmp_path):
    samples = small(tmp_path, kind).split("test")
    torch.manual_seed(0)
    network = {
        "sounds": lambda: nn.Sequential(nn.Conv2d(1, 4, (5, 10)), nn.ReLU(), nn.Flatten(), nn.Linear(48, 3)),
        "texts": lambda: Sentence(8, 2, 6, [1, 2], 5, 0.5),
        "signals": lambda: nn.Sequential(nn.Conv1d(2, 4, 5), nn.ReLU(), nn.Flatten(), nn.Linear(80, 3)),
    }[kind]().eval()
    exhibit = shown("live", network, samples, {})
    (block,) = hang(exhibit, tmp_path / "exhibit")["blocks"]
    given = block["input"]
    assert given["shape"] == list(samples.facts.shape)
    if kind == "texts":
        assert given["vocabulary"] == samples.facts.vocabulary and given["way"] == "words"
        return
    assert [axis["unit"] for axis in given["axes"]] == (["Hz", "s"] if kind == "sounds" else ["s"])
    mean, std = (np.float32(given[key]).reshape(-1, *[1] * (len(given["shape"]) - 1)) for key in ("mean", "std"))
    ours = (block_inputs(tmp_path, block) - mean) / std
    places = [list(samples.table["id"]).index(sample["id"]) for sample in block["samples"]]
    np.testing.assert_allclose(ours, to_tensor(samples.facts, samples.inputs[places]).numpy(), atol=1e-5)


def block_inputs(folder, block) -> np.ndarray:
    content = (folder / "exhibit" / block["inputs"]).read_bytes()
    return np.frombuffer(content, block["stored"]).reshape(-1, *block["input"]["shape"]).astype(np.float32)
