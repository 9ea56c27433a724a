"""A network for the page: its program, its weights in few bits, and what is said where it can't be had."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

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
from cnnatomy.models.snapshots import Snapshot
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


def on_the_way(block: Live, step: int) -> dict[str, np.ndarray]:
    """The weights after so many steps by the words of docs/exhibit.md: those at the end, changed back look by look."""
    found = {name: decoded(block.weights, place) for name, place in block.tensors.items()}
    for look in reversed(block.looks[:-1]):
        for name, place in look["tensors"].items():
            values = np.frombuffer(block.changes, place["type"], found[name].size, place["at"])
            values = values.reshape(found[name].shape).astype(np.float64)
            found[name] = (found[name] + place["by"] * values if "by" in place else values).astype(np.float32)
        if look["step"] == step:
            break
    return found


def holding(network: nn.Module, weights: dict[str, np.ndarray]) -> nn.Module:
    """A copy of the network with those of these weights that are its own."""
    other = deepcopy(network)
    with torch.no_grad():
        for name, parameter in other.named_parameters():
            if name in weights:
                parameter.copy_(torch.from_numpy(weights[name]))
    return other


def grown(first: nn.Module, last: nn.Module, steps: Sequence[int] = (0, 4, 8, 16)) -> list[Snapshot]:
    """One network on its way to be another of its kind."""
    way = []
    for place, step in enumerate(steps):
        one = deepcopy(last)
        for name, value in one.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.lerp(first.state_dict()[name], value, place / (len(steps) - 1)))
        way.append(Snapshot(step, step / 8, one.eval()))
    return way


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


def test_what_it_was_while_it_learned_is_read_back_and_counted_as_kept(images):
    way = grown(lecture(5), lecture(6))
    exhibit = shown("live", way[-1].network, images, {"looks_differ": 0.1}, snapshots=[way])
    (block,) = exhibit.blocks
    assert [(look["step"], look["epochs"]) for look in block.looks] == [(0, 0.0), (4, 0.5), (8, 1.0), (16, 2.0)]
    assert block.looks[-1]["tensors"] == {}
    x, labels = to_tensor(images.facts, images.inputs), torch.from_numpy(np.array(images.labels))
    said = {number.subject: number for number in exhibit.numbers if number.metric == "same_class"}
    for look, snapshot in zip(block.looks, way, strict=True):
        with torch.no_grad():
            true = snapshot.network(x).argmax(1)
        assert look["labelled"] == look["n"] == len(x) and look["right"] == int((true == labels).sum())
        if snapshot is way[-1]:
            continue
        weights = on_the_way(block, look["step"])
        for name, parameter in snapshot.network.named_parameters():
            room = look["tensors"][name].get("by", 0) / 2 * (1 + 1e-4) + 1e-3 * float(parameter.abs().max())
            assert np.abs(weights[name] - parameter.detach().numpy()).max() <= room, name
        with torch.no_grad():
            same = int((holding(snapshot.network, weights)(x).argmax(1) == true).sum())
        assert look["same"] == same >= 0.9 * len(x)
        assert said[f"step={look['step']}"].value == same / len(x)


def test_a_normalisation_is_that_of_the_look(tmp_path):
    """Of what it is made of only part are parameters."""
    sounds = small(tmp_path, "sounds").split("test")
    made = [
        nn.Sequential(nn.Conv2d(1, 4, (5, 10)), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(48, 3)) for _ in range(2)
    ]
    way = grown(*made)
    for look in way:
        look.network[1].running_var.mul_(look.step + 0.5)
    (block,) = shown("live", way[-1].network, sounds, {}, snapshots=[way]).blocks
    for look in way[:-1]:
        program = program_of(traced(look.network, to_tensor(sounds.facts, sounds.inputs[:2])))
        weights = on_the_way(block, look.step)
        for name in ("1.factor", "1.shift"):
            np.testing.assert_allclose(weights[name], program.weights[name].numpy(), rtol=1e-3, atol=1e-6)


def test_looks_take_no_more_room_than_is_given(images):
    way = grown(lecture(5), lecture(6), (0, 4, 8, 16, 32, 64))

    def kept(**given):
        exhibit = shown("live", way[-1].network, images, given, snapshots=[way])
        (block,) = exhibit.blocks
        rows = [number.value for number in exhibit.numbers if number.metric == "kilobytes_of_looks"]
        return [look["step"] for look in block.looks], rows, exhibit.caption["en"]

    every, (size,), _ = kept()
    assert every == [0, 4, 8, 16, 32, 64]
    steps, (smaller,), told = kept(looks_kilobytes=0.9 * size)
    assert steps == [0, 8, 32, 64] and smaller <= 0.9 * size and "at 4 looks" in told
    steps, rows, told = kept(looks_kilobytes=0.01)
    assert steps == [] and rows == [] and "What it was while it learned is left out" in told
    steps, rows, told = kept(looks_kilobytes=0)
    assert steps == [] and rows == [] and "learned" not in told


def test_without_weights_on_the_way_nothing_is_said_of_them(images):
    for snapshots in ([], [[]]):
        exhibit = shown("live", lecture(), images, {}, snapshots=snapshots)
        assert not exhibit.blocks[0].looks and "learned" not in exhibit.caption["en"]


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
