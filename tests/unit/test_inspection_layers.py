"""Finding layers, and what their units see, against what gradients say."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest
import torch
from torch import nn

from cnnatomy.inspection.layers import CONVOLUTIONS, LayerNotFound, activated, capture, driven, named, stages, trace
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.lecture import Lecture
from cnnatomy.models.local import Local
from cnnatomy.models.photograph import EfficientNetLite0
from cnnatomy.models.sentence import Sentence


def seen_by_gradient(network: nn.Module, x: torch.Tensor, name: str, unit: tuple[int, ...]) -> list[tuple[int, int]]:
    """First and last-plus-one input place along each axis that moves one unit of a layer: weights all positive, no
    maximum taken, so that no path can cancel or hide another."""
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.1)
    for module_name, module in list(network.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            parent = network.get_submodule(module_name.rpartition(".")[0])
            setattr(
                parent, module_name.rpartition(".")[2], nn.AvgPool2d(module.kernel_size, module.stride, module.padding)
            )
    x = x.double().requires_grad_()
    held = {}
    handle = network.double().eval().get_submodule(name).register_forward_hook(lambda *a: held.update(out=a[2]))
    network(x)
    handle.remove()
    held["out"][(0, 0, *unit)].backward()
    moved = x.grad[0].abs().sum(0) > 0
    edges = []
    for axis in range(moved.dim()):
        places = moved.any(dim=1 - axis).nonzero().ravel() if moved.dim() == 2 else moved.nonzero().ravel()
        edges.append((int(places[0]), int(places[-1]) + 1))
    return edges


def images() -> nn.Module:
    """Strides, paddings, dilation and a pool, on images of 41 × 37."""
    return nn.Sequential(
        nn.Conv2d(1, 2, 5, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(2, 2, (3, 5), padding="same", dilation=(2, 1)),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.Conv2d(2, 2, 3),
        nn.Flatten(),
        nn.LazyLinear(3),
    )


@pytest.mark.parametrize(
    ("make", "shape", "name", "unit"),
    [
        (images, (1, 41, 37), "0", (4, 5)),
        (images, (1, 41, 37), "2", (9, 8)),
        (images, (1, 41, 37), "4", (4, 4)),
        (images, (1, 41, 37), "5", (3, 2)),
        (lambda: Lecture((1, 28, 28), 10, (3, 4), 5, 0.0), (1, 28, 28), "conv2", (5, 6)),
        (lambda: Lecture((1, 28, 28), 10, (3, 4), 5, 0.0), (1, 28, 28), "pool2", (2, 3)),
        (lambda: Lecture((1, 28, 28), 10, (3, 4), 5, 0.0, "blurred"), (1, 28, 28), "pool2", (2, 3)),
        (lambda: Local((1, 28, 28), 10, (3, 4), 5, 0.0), (1, 28, 28), "local2", (4, 7)),
        (lambda: Frequency((1, 40, 44), 10, (3, 4), (8, 5), 0.0), (1, 40, 44), "pool2", (2, 0)),
        (lambda: EfficientNetLite0(10, 0.0), (3, 64, 64), "stem.conv", (10, 11)),
        (lambda: EfficientNetLite0(10, 0.0), (3, 64, 64), "blocks.1.depthwise.conv", (5, 6)),
    ],
)
def test_receptive_fields_are_those_that_gradients_find(make, shape, name, unit):
    torch.manual_seed(0)
    network, x = make(), torch.rand(1, *shape)
    network(x)
    layer = named(trace(network, x), name)
    expected = seen_by_gradient(network, x, name, unit)
    assert list(layer.field.of_unit(unit)) == expected


class Branching(nn.Module):
    """Paths of different fields that meet in sums and side by side, functions between, windows beyond the border."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 4, stride=2, padding=1)
        self.wide, self.narrow = nn.Conv2d(4, 4, 5, padding=2), nn.Conv2d(4, 4, 1)
        self.late = nn.Conv2d(4, 4, 3, padding=2, dilation=2)
        self.skip, self.main = nn.Conv2d(8, 4, 1, stride=2), nn.Conv2d(8, 4, 3, stride=2, padding=1)
        self.relu, self.pool = nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.grouped = nn.Conv2d(4, 4, (1, 3), padding=(0, 1), groups=4)
        self.reflected = nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")
        self.same, self.dense = nn.Conv2d(4, 4, 2, padding="same"), nn.Linear(4, 3)

    def forward(self, x):
        x = self.relu(self.first(x))
        x = self.wide(x) + self.narrow(x)
        x = torch.cat([torch.nn.functional.max_pool2d(x, 3, 1, 1), self.late(x)], dim=1)
        x = self.relu(self.main(x)) + self.skip(x)
        x = self.grouped(self.pool(x.clamp(min=0)))
        x = self.reflected(torch.nn.functional.pad(x, (1, 0, 2, 0)))
        gate = torch.sigmoid(x.mean((2, 3), keepdim=True)) if self.training else 1.0
        return self.dense(self.same(x * gate).mean((2, 3)))


class Residual(nn.Module):
    """Blocks of two convolutions with a way around them."""

    def __init__(self):
        super().__init__()
        self.stem, self.relu = nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(inplace=True)
        self.one, self.two = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.down, self.three = nn.Conv2d(3, 3, 1, stride=2), nn.Conv2d(3, 3, 3, stride=2, padding=1)
        self.last, self.flatten, self.dense = nn.Conv2d(3, 2, 3), nn.Flatten(1), nn.LazyLinear(3)

    def forward(self, x):
        x = self.relu(self.stem(x))
        x = self.relu(self.norm(self.two(self.relu(self.one(x)))) + x)
        x = self.relu(self.three(x) + self.down(x))
        return self.dense(self.flatten(self.last(x)))


class Sequences(nn.Module):
    """The frames of a spectrogram as channels of a convolution along frequency, and channels-last dense layers."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv1d(10, 4, 5, stride=2), nn.LayerNorm(4)
        self.mixed, self.second = nn.Linear(4, 6), nn.Conv1d(6, 3, 3, padding=1)

    def forward(self, x):
        x = self.first(x.squeeze(1).transpose(1, 2))
        return self.second(self.mixed(x.permute(0, 2, 1)).permute(0, 2, 1)).amax(2)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (images, (1, 41, 37)),
        (Branching, (1, 63, 58)),
        (Residual, (1, 33, 40)),
        (Sequences, (1, 40, 10)),
        (lambda: EfficientNetLite0(5, 0.0), (3, 64, 64)),
    ],
)
def test_nothing_outside_of_its_field_reaches_a_unit_and_every_edge_of_it_does(make, shape):
    """NaN put into the input spreads to all that sees it, whatever the weights: a field found without any formula."""
    torch.manual_seed(0)
    network, x = make(), torch.rand(1, *shape)
    network(x)
    network.eval()
    convolutions = [layer for layer in trace(network, x) if isinstance(layer.module, CONVOLUTIONS)]
    for layer in convolutions[:: 1 + len(convolutions) // 10]:
        unit = tuple(length // 2 for length in layer.shape[1:])
        for axis, (first, last) in enumerate(layer.window(unit)):
            length = shape[1 + axis]
            spoilt = x.repeat(length, *(1,) * len(shape)).transpose(1, 2 + axis)
            spoilt[range(length), range(length)] = torch.nan
            reached = capture(network, spoilt.transpose(1, 2 + axis), [layer.name])[layer.name][(..., 0, *unit)].isnan()
            seen = reached.nonzero().ravel().tolist()
            assert (seen[0], seen[-1]) == (max(0, first), min(length, last) - 1), layer.name


def mirrored_networks():
    """Padding by what is there: before, between and behind convolutions that move by one and by two."""
    yield "wide", nn.Sequential(nn.ReflectionPad1d(4), nn.Conv1d(1, 1, 3))
    yield "as wide as the kernel", nn.Sequential(nn.Conv1d(1, 1, 5, padding=4, padding_mode="reflect"))
    yield "the same size", nn.Sequential(nn.Conv1d(1, 1, 3, padding=1, padding_mode="reflect"))
    yield "one side", nn.Sequential(nn.ReflectionPad1d((5, 0)), nn.Conv1d(1, 1, 2, stride=2))
    yield "again", nn.Sequential(nn.ReflectionPad1d(3), nn.Conv1d(1, 1, 3), nn.ReflectionPad1d(5), nn.Conv1d(1, 1, 2))
    yield (
        "behind a pool",
        nn.Sequential(nn.Conv1d(1, 1, 3, padding=1), nn.AvgPool1d(2), nn.ReflectionPad1d(3), nn.Conv1d(1, 1, 2)),
    )
    yield "the last again", nn.Sequential(nn.Conv1d(1, 1, 3, stride=2), nn.ReplicationPad1d(4), nn.Conv1d(1, 1, 2))
    yield (
        "both",
        nn.Sequential(
            nn.ReplicationPad1d(2), nn.Conv1d(1, 1, 2), nn.ReflectionPad1d((4, 2)), nn.Conv1d(1, 1, 3, stride=2)
        ),
    )


@pytest.mark.parametrize(("what", "network"), mirrored_networks(), ids=[what for what, _ in mirrored_networks()])
def test_behind_padding_by_what_is_there_every_unit_sees_no_more_than_its_window(what, network):
    """Of each unit of the last layer the gradient with respect to the input, weights and all above zero."""
    for parameter in network.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0)
    x = torch.rand(1, 1, 17, requires_grad=True)
    last = [layer for layer in trace(network, x.detach()) if isinstance(layer.module, nn.Conv1d)][-1]
    out, nominal, moved = network(x)[0, 0], 0, 0
    for unit, value in enumerate(out):
        (slope,) = torch.autograd.grad(value, x, retain_graph=True)
        seen = slope[0, 0].nonzero().flatten().tolist()
        ((first, beyond),) = last.window((unit,))
        assert first <= seen[0] and seen[-1] < beyond and beyond - first == last.field.size[0], (unit, seen)
        plain = last.field.start[0] + last.field.stride[0] * unit
        holds = plain <= seen[0] and seen[-1] < plain + last.field.size[0]
        assert holds <= (first == plain), "a window that holds all that is seen stays where it is"
        nominal, moved = nominal + holds, moved + (first != plain)
    assert nominal + moved == len(out) and (moved > 0) == (what != "the same size")


def test_ways_around_layers_with_mirrored_padding_are_followed():
    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")
            self.two = nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")
            self.last = nn.Conv2d(1, 1, 3)

        def forward(self, x):
            x = self.one(x)
            return self.last(x + self.two(x))

    assert named(trace(Around(), torch.rand(1, 1, 9, 9)), "last").field.size == (7, 7)


def test_a_gate_over_the_whole_map_does_not_widen_the_field():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.gate, self.second = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3)

        def forward(self, x):
            x = self.first(x)
            return self.second(x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True))))

    traced = trace(Gated(), torch.rand(1, 1, 20, 20))
    assert named(traced, "second").field.size == (5, 5)
    assert named(traced, "gate").field.size == (20, 20)


def test_what_cannot_be_followed_has_no_field():
    class Up(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.up, self.second = nn.Conv2d(1, 4, 3), nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3)

        def forward(self, x):
            return self.second(self.up(self.first(x)))

    traced = trace(Up(), torch.rand(1, 1, 20, 20))
    assert named(traced, "first").field.size == (3, 3)
    assert named(traced, "second").field is None
    with pytest.raises(ValueError, match="'second' see can't be followed"):
        named(traced, "second").window((0, 0))


def test_layers_know_what_they_are_made_of():
    network = Residual()
    x = torch.rand(1, 1, 33, 40)
    network(x)
    layers = {layer.name: layer for layer in trace(network, x)}
    assert layers["stem"].after == frozenset()
    assert layers["relu#3"].after == {"norm", "relu"}
    assert layers["relu#4"].after == {"three", "down"}
    assert layers["three"].after == layers["down"].after == {"relu#3"}


def test_what_drives_an_activation_is_the_normalisation_before_it():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU6(inplace=True), nn.Conv2d(2, 2, 3))
    traced = trace(network, torch.rand(1, 1, 9, 9))
    assert driven(traced, named(traced, "0")).name == "1"
    assert driven(traced, named(traced, "3")).name == "3"


def test_a_capture_ends_with_the_last_layer_asked_for():
    class Fragile(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(1, 2, 3)

        def forward(self, x):
            self.first(x)
            raise AssertionError("went on")

    assert capture(Fragile(), torch.rand(1, 1, 5, 5), ["first"])["first"].shape == (1, 2, 3, 3)


def test_a_filter_on_a_sentence_sees_its_words_and_the_padding_before_them():
    network = Sentence(vocabulary=9, classes=2, dimensions=4, widths=(2, 3), filters=5, dropout=0.0)
    traced = trace(network, torch.ones(1, 7, dtype=torch.int64))
    wide = named(traced, "conv3")
    assert wide.shape == (5, 9)
    assert wide.field.of_unit([0]) == ((-2, 1),)
    assert wide.field.of_unit([4]) == ((2, 5),)


def test_convolutions_come_in_forward_order_and_those_side_by_side_together():
    network = Sentence(vocabulary=9, classes=2, dimensions=4, widths=(2, 3), filters=5, dropout=0.0)
    found = stages(trace(network, torch.ones(1, 7, dtype=torch.int64)))
    assert [[layer.name for layer in stage] for stage in found] == [["conv2", "conv3"]]

    class Backwards(nn.Module):
        """Made in another order than it is used."""

        def __init__(self):
            super().__init__()
            self.late, self.early = nn.Conv2d(2, 3, 3), nn.Conv2d(1, 2, 3)

        def forward(self, x):
            return self.late(torch.relu(self.early(x))).mean((2, 3))

    found = stages(trace(Backwards(), torch.zeros(1, 1, 9, 9)))
    assert [[layer.name for layer in stage] for stage in found] == [["early"], ["late"]]


def test_the_activation_behind_a_convolution_is_found_through_normalisation():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(inplace=True), nn.Conv2d(2, 2, 3), nn.Flatten()
    )
    traced = trace(network, torch.rand(1, 1, 9, 9))
    assert activated(traced, named(traced, "0")).name == "2"
    assert activated(traced, named(traced, "3")).name == "3"


BENDING = [
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.SiLU, nn.Mish),
    *(nn.RReLU, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, partial(nn.Threshold, 0.1, 0.0)),
]


@pytest.mark.parametrize(
    "make",
    [
        *(partial(make, inplace=inplace) for make in BENDING for inplace in (False, True)),
        *(
            nn.GELU,
            nn.PReLU,
            nn.Sigmoid,
            nn.Tanh,
            nn.Softplus,
            nn.Softsign,
            nn.LogSigmoid,
            nn.Hardshrink,
            nn.Tanhshrink,
        ),
    ],
    ids=str,
)
def test_the_field_behind_any_activation_is_known_with_any_torch(make):
    traced = trace(nn.Sequential(nn.Conv2d(1, 2, 3), make(), nn.Conv2d(2, 2, 3)), torch.rand(1, 1, 9, 9))
    assert named(traced, "2").field is not None and named(traced, "2").field.size == (5, 5)


def test_a_module_used_twice_is_two_layers():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.relu = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 3, 3), nn.ReLU()

        def forward(self, x):
            return self.relu(self.second(self.relu(self.first(x)))).mean((2, 3))

    network, x = Twice(), torch.rand(1, 1, 9, 9)
    traced = trace(network, x)
    assert [activated(traced, named(traced, name)).name for name in ("first", "second")] == ["relu", "relu#2"]
    held = capture(network, x, ["relu", "relu#2"])
    assert (held["relu"].shape, held["relu#2"].shape) == ((1, 2, 7, 7), (1, 3, 5, 5))


def test_what_is_captured_is_what_the_layer_gave_even_where_it_is_changed_in_place_later():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten())
    x = torch.randn(2, 1, 6, 6)
    held = capture(network, x, ["0", "1"])
    assert torch.equal(held["0"], network[0](x))
    assert torch.equal(held["1"], network[0](x).relu())
    assert (held["0"] < 0).any()


def test_looking_leaves_the_network_as_it_was():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Flatten())
    network[1].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    trace(network, torch.rand(1, 1, 6, 6))
    capture(network, torch.rand(3, 1, 6, 6), ["2"])
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert [module.training for module in network] == [True, False, True, True]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_an_unknown_layer_is_refused_with_the_nearest_name():
    network = Lecture((1, 28, 28), 10, (3, 4), 5, 0.0)
    traced = trace(network, torch.zeros(1, 1, 28, 28))
    with pytest.raises(LayerNotFound, match="no layer 'covn2'. Did you mean 'conv2'?"):
        named(traced, "covn2")
    with pytest.raises(LayerNotFound, match="the network has no convolution"):
        stages(trace(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), torch.zeros(1, 1, 2, 2)))


def test_a_network_is_followed_without_torchs_compiler_whose_import_takes_longer_than_most_methods():
    script = (
        "import sys, torch; from cnnatomy.inspection.layers import trace; "
        "from cnnatomy.inspection.rectifiers import refuse_functional; "
        "net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU()); x = torch.zeros(1, 1, 5, 5); "
        "from cnnatomy.models import answering; "
        "answering.read(net, x, 2); trace(net, x); refuse_functional(net, x); print('torch._dynamo' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
