"""Finding layers, and what their units see, against what gradients say."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnatomy.dissect.layers import LayerNotFound, activated, capture, named, stages, trace
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.lecture import Lecture
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
    with pytest.raises(LayerNotFound, match="no convolution. Its layers are: 0, 1"):
        stages(trace(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), torch.zeros(1, 1, 2, 2)))
