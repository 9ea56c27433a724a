"""Class activation maps: Grad-CAM is CAM where it must be; native cells, zero as zero, no NaN; wrong beside right."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.saliency.cams import cam_layers, grad_cam, grad_cam_plus, held, layer_cam, spread
from cnnatomy.exhibit import Grid, Texts
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.layers import LayerNotFound
from cnnatomy.inspection.outputs import NoLogits
from tests.unit.dissecting import shown
from tests.unit.small_data import hang, small
from tests.unit.test_dissect_attribution import Residual, of

CONFIG = {"right": 2, "wrong": 2, "sample": None, "layers": None, "compared": 20}


def averaged():
    """Ends in a global average and a linear layer, as CAM (Zhou 2016) needs it."""
    torch.manual_seed(0)
    body = [nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 9, 3), nn.ReLU(inplace=True)]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(9, 3))


def maps_of(network, x, target):
    layers = cam_layers(network, x[:1], None)
    return layers, held(network, x, target, [layer.name for layer in layers])


def test_grad_cam_equals_cam_on_a_network_that_averages(tmp_path):
    samples = small(tmp_path, "images").split("test")
    x, network, target = to_tensor(samples.facts, samples.inputs[:6]), averaged(), torch.tensor([0, 1, 2, 0, 1, 2])
    (layer,), (pair,) = maps_of(network, x, target)
    assert layer.name == "3" and layer.shape == (9, 8, 8)
    with torch.no_grad():
        maps = network[:4](x)
        cam = torch.einsum("nk,nkij->nij", network[6].weight[target], maps).clamp(min=0)
    # The gradient of an average is the weight over the number of cells; the published map differs by that factor only.
    assert torch.allclose(grad_cam(*pair) * 64, cam, atol=1e-5, rtol=0)
    assert cam.max() > 0.01


def test_grad_cam_and_layer_cam_as_torchcam_makes_them(tmp_path):
    torchcam = pytest.importorskip("torchcam.methods", reason="torchcam is not installed")
    samples = small(tmp_path, "images").split("test")
    x, target = to_tensor(samples.facts, samples.inputs[:4]), [0, 1, 2, 0]
    network = nn.Sequential(*averaged()[:3], nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 3)).eval()
    _, (pair,) = maps_of(network, x, torch.tensor(target))
    for formula, name in ((grad_cam, "GradCAM"), (layer_cam, "LayerCAM")):
        with getattr(torchcam, name)(network, "3") as extractor:
            expected = extractor(target, network(x.clone().requires_grad_()), normalized=False)[0]
        assert torch.allclose(formula(*pair), expected, atol=1e-6)


def test_grad_cam_plus_as_its_equation_says_and_never_nan():
    random = torch.Generator().manual_seed(0)
    activations = torch.rand(2, 3, 4, 4, generator=random)
    gradients = torch.randn(2, 3, 4, 4, generator=random)
    total = activations.sum((2, 3), keepdim=True)
    alpha = gradients**2 / (2 * gradients**2 + total * gradients**3)
    weights = (alpha * gradients.clamp(min=0)).sum((2, 3), keepdim=True)
    expected = (weights * activations).sum(1).clamp(min=0)
    assert torch.allclose(grad_cam_plus(activations, gradients), expected, atol=1e-6)
    for size in (0.0, 1e-30):  # where its squares underflow
        assert torch.isfinite(grad_cam_plus(activations, size * gradients)).all()


def test_a_map_that_is_zero_is_drawn_as_zero_and_counted_as_blank(tmp_path):
    samples, network = small(tmp_path, "images").split("test"), averaged()
    with torch.no_grad():
        network[2].weight.zero_()
        network[2].bias.fill_(-1.0)
    exhibit = shown("class_activation", network, samples, CONFIG, seed=0)
    grid = next(block for block in exhibit.blocks if isinstance(block, Grid))
    items = [item for item in grid.items if " of " in item.id]
    (alone,) = items[0].more
    assert items and all((item.more[0] == alone[0, 0]).all() for item in items)
    assert alone[0, 0].sum() < 10
    assert all(np.ptp(item.pixels, axis=2).max() == 0 for item in items)  # laid over the picture it leaves no colour
    blank = next(number for number in exhibit.numbers if number.metric == "blank_grad_cam")
    assert blank.value == 1 and blank.n == 20
    hang(exhibit, tmp_path / "exhibit")


def test_maps_have_the_layers_own_cells_and_say_so(tmp_path):
    samples = small(tmp_path, "images").split("test")
    exhibit = shown("class_activation", averaged(), samples, CONFIG, seed=0)
    grid = next(block for block in exhibit.blocks if isinstance(block, Grid))
    assert all(item.more[0].shape == (8, 8, 3) for item in grid.items if " of " in item.id)
    assert "3: maps of 8 × 8" in grid.title["en"]
    assert "each stands for 1 × 1 px and sees 5 × 5 px" in grid.caption["en"]
    wrong = [item for item in grid.items if item.state == "wrong"]
    for item in wrong:  # one map for the class read, one for the true one
        assert sum(other.id.startswith(f"grad_cam of {item.id} for") for other in grid.items) == 2


def test_frequency_only_filters_say_nothing_about_time(tmp_path):
    samples = small(tmp_path, "sounds").split("test")
    exhibit = shown("class_activation", of("sounds"), samples, CONFIG, seed=0)
    grid = next(block for block in exhibit.blocks if isinstance(block, Grid))
    assert "says nothing about time" in grid.caption["en"] and "6 × 1" in grid.title["en"]
    assert all(item.more[0].shape == (6, 8, 3) for item in grid.items if " of " in item.id)
    assert all("from Hz" in item.values for item in grid.items if item.values.get("largest", 0) > 0)


def test_windows_of_a_sentence_are_spread_over_their_words(tmp_path):
    samples = small(tmp_path, "texts").split("test")
    network = of("texts")
    x = to_tensor(samples.facts, samples.inputs[:3])
    layers = cam_layers(network, x[:1], None)
    assert [layer.name for layer in layers] == ["relu1", "relu3"]
    cells = torch.zeros(1, layers[1].shape[1])
    cells[0, 2] = 3.0  # with two places of padding in front the first three words
    assert spread(layers[1], cells, (9,), True).tolist() == [[1, 1, 1, 0, 0, 0, 0, 0, 0]]
    exhibit = shown("class_activation", network, samples, CONFIG, seed=0)
    texts = next(block for block in exhibit.blocks if isinstance(block, Texts))
    assert any("relu3" in sentence.label["en"] for sentence in texts.sentences)
    hang(exhibit, tmp_path / "exhibit")


def test_cells_lie_where_they_look(tmp_path):
    samples = small(tmp_path, "images").split("test")
    network = nn.Sequential(nn.Conv2d(1, 2, 5, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))
    (layer,) = cam_layers(network, to_tensor(samples.facts, samples.inputs[:1]), None)
    cells = torch.zeros(1, 4, 4)
    cells[0, 1, 2] = 1.0  # sees rows 2 to 6 and columns 4 to 8
    on_input = spread(layer, cells, (12, 12), False)[0]
    rows, columns = np.nonzero(on_input.numpy())
    assert rows.mean() == pytest.approx(4, abs=0.5) and columns.mean() == pytest.approx(6, abs=0.5)


def test_reused_and_in_place_modules_and_residual_additions(tmp_path):
    samples = small(tmp_path, "images").split("test")
    network = Residual().eval()
    x = to_tensor(samples.facts, samples.inputs[:3])
    (layer,) = cam_layers(network, x[:1], None)
    assert layer.name == "relu#2"  # behind the addition, not in front of it
    target = torch.tensor([0, 1, 2])
    ((activations, gradients),) = held(network, x, target, ["relu#2"])
    weights = network.dense.weight[target].detach()
    assert torch.allclose(gradients, (weights / 36)[:, :, None, None].expand_as(gradients), atol=1e-7)
    assert (activations >= 0).all()
    hang(shown("class_activation", network, samples, CONFIG, seed=0), tmp_path / "exhibit")


def test_layers_can_be_named_and_bad_ones_are_refused(tmp_path):
    samples = small(tmp_path, "images").split("test")
    exhibit = shown("class_activation", averaged(), samples, CONFIG | {"layers": ["1"]}, seed=0)
    assert "1: maps of 10 × 10" in next(b for b in exhibit.blocks if isinstance(b, Grid)).title["en"]
    for name, message in (("conv", "no layer 'conv'"), ("6", "has no maps")):
        with pytest.raises(LayerNotFound, match=message):
            shown("class_activation", averaged(), samples, CONFIG | {"layers": [name]}, seed=0)
    with pytest.raises(LayerNotFound, match="no convolution"):
        shown("class_activation", nn.Sequential(nn.Flatten(), nn.Linear(144, 3)), samples, CONFIG, seed=0)
    with pytest.raises(DoesNotApply, match="more than one cell"):
        shown(
            "class_activation",
            nn.Sequential(nn.Conv2d(1, 4, 12), nn.Flatten(), nn.Linear(4, 3)),
            samples,
            CONFIG,
            seed=0,
        )
    with pytest.raises(NoLogits):
        shown("class_activation", averaged()[:4], samples, CONFIG, seed=0)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    samples, network = small(tmp_path, "images").split("test"), averaged()
    one = hang(shown("class_activation", network, samples, CONFIG, seed=1), tmp_path / "one")
    assert one == hang(shown("class_activation", network, samples, CONFIG, seed=1), tmp_path / "two")
