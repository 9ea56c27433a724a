"""Properties of the networks: shapes, sizes, what their filters see, and what must not change their answer."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from cnnatomy import models
from cnnatomy.models import weights
from cnnatomy.models.article import Article
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.lecture import Lecture
from cnnatomy.models.local import Local, LocallyConnected
from cnnatomy.models.photograph import EfficientNetLite0
from cnnatomy.models.pools import pool
from cnnatomy.models.sentence import Sentence
from cnnatomy.models.wide_kernels import WideKernels

LECTURE = {"_target_": "cnnatomy.models.lecture.Lecture", "filters": [25, 50], "units": 100, "dropout": 0.25}
DIGITS = SimpleNamespace(shape=(1, 28, 28), classes=list("0123456789"), vocabulary=None)


def lecture() -> Lecture:
    return Lecture((1, 28, 28), 10, filters=(25, 50), units=100, dropout=0.25).eval()


def frequency() -> Frequency:
    return Frequency((1, 40, 44), 10, filters=(12, 16), heights=(8, 5), dropout=0.25).eval()


def sentence() -> Sentence:
    return Sentence(200, 2, dimensions=30, widths=(3, 4, 5), filters=10, dropout=0.5).eval()


def sample(network: nn.Module, n: int) -> torch.Tensor:
    torch.manual_seed(1)
    if isinstance(network, Sentence):
        return torch.randint(1, 200, (n, 20))
    return torch.randn(n, 1, 28, 28) if isinstance(network, Lecture | Local) else torch.randn(n, 1, 40, 44)


def maps(network: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """What every named layer gives."""
    held: dict[str, torch.Tensor] = {}
    for name, module in network.named_children():
        module.register_forward_hook(lambda _, __, y, name=name: held.__setitem__(name, y.detach().clone()))
    network(x)
    return held


def test_the_lecture_network_has_the_lecture_s_maps_and_parameters():
    network = lecture()
    given = {name: tuple(y.shape[1:]) for name, y in maps(network, torch.randn(2, 1, 28, 28)).items()}
    assert given["conv1"] == (25, 26, 26)
    assert given["pool1"] == (25, 13, 13)
    assert given["conv2"] == (50, 11, 11)
    assert given["pool2"] == (50, 5, 5)
    assert given["flatten"] == (1250,)
    convolutions = 25 * (1 * 9 + 1) + 50 * (25 * 9 + 1)
    dense = 100 * (1250 + 1) + 10 * (100 + 1)
    assert sum(p.numel() for p in network.parameters()) == convolutions + dense == 137_660


@pytest.mark.parametrize("size", [(10, 10), (11, 28), (32, 17)])
def test_the_lecture_network_fits_any_size_of_image(size):
    network = Lecture((3, *size), 4, filters=(5, 6), units=7, dropout=0.0)
    assert network(torch.randn(2, 3, *size)).shape == (2, 4)


def test_images_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="9 × 30 pixels"):
        Lecture((1, 9, 30), 4, filters=(5, 6), units=7, dropout=0.0)
    with pytest.raises(ValueError, match="10 bands"):
        Frequency((1, 10, 44), 4, filters=(5, 6), heights=(8, 5), dropout=0.0)


def test_filters_of_the_frequency_network_span_the_window_s_time():
    network = frequency()
    assert network.conv1.kernel_size == (8, 44)
    assert maps(network, torch.randn(1, 1, 40, 44))["conv1"].shape == (1, 12, 33, 1)
    assert network.conv2.kernel_size == (5, 1)
    weights = 12 * 8 * 44 + 16 * 12 * 5 + 10 * (16 * 6 + 1)
    norms = 2 * (12 + 16)
    assert sum(p.numel() for p in network.parameters()) == weights + norms


def test_a_pattern_that_sits_higher_moves_the_frequency_maps_and_does_not_change_them():
    network = frequency()
    low = torch.randn(1, 1, 40, 44)
    high = low.roll(2, dims=2)
    inside = maps(network, low)["conv1"][:, :, :-2], maps(network, high)["conv1"][:, :, 2:]
    torch.testing.assert_close(*inside)


def test_filters_of_the_sentence_network_are_as_wide_as_the_word_vector():
    network = sentence()
    for width in (3, 4, 5):
        assert network.get_submodule(f"conv{width}").weight.shape == (10, 30, width)
    count = 200 * 30 + sum(10 * (30 * width + 1) for width in (3, 4, 5)) + 2 * (30 + 1)
    assert sum(p.numel() for p in network.parameters()) == count


@pytest.mark.parametrize("length", [1, 2, 5, 60, 300])
def test_sentences_of_any_length_become_a_vector_of_fixed_length(length):
    network = sentence()
    tokens = torch.randint(1, 200, (3, length))
    assert maps(network, tokens)["flatten"].shape == (3, 30)
    assert network(tokens).shape == (3, 2)


@pytest.mark.parametrize("length", [1, 3, 17])
def test_padding_changes_nothing(length):
    network = sentence()
    for name in ("conv3", "conv4", "conv5"):  # where an empty window would say something
        nn.init.constant_(network.get_submodule(name).bias, 5.0)
    tokens = torch.randint(1, 200, (3, length))
    padded = nn.functional.pad(tokens, (0, 40))
    torch.testing.assert_close(network(padded), network(tokens))


def test_the_vector_of_padding_stays_zero_in_training():
    network = sentence().train()
    tokens = nn.functional.pad(torch.randint(1, 200, (3, 6)), (0, 4))
    network(tokens).sum().backward()
    assert not network.embedding.weight[0].any()
    assert not network.embedding.weight.grad[0].any()


def local() -> Local:
    return Local((1, 28, 28), 10, filters=(3, 4), units=5, dropout=0.25).eval()


@pytest.mark.parametrize("make", [lecture, frequency, sentence, local])
def test_a_sample_s_answer_does_not_depend_on_its_batch(make):
    network = make()
    x = sample(network, 7)
    together = network(x)
    assert together.shape[0] == 7
    for i in range(7):
        torch.testing.assert_close(network(x[i : i + 1])[0], together[i])


@pytest.mark.parametrize("make", [lecture, frequency, sentence, local, lambda: EfficientNetLite0(5, 0.2)])
def test_gradients_reach_every_parameter(make):
    network = make().train()
    x = torch.randn(2, 3, 64, 64) if isinstance(network, EfficientNetLite0) else sample(network, 8)
    network(x).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("make", [lecture, frequency, sentence, local, lambda: EfficientNetLite0(5, 0.2)])
def test_every_activation_is_a_module_of_its_own_so_that_methods_can_hook_it(make):
    network = make().eval()
    calls: dict[str, int] = {}
    rectifiers = {name: m for name, m in network.named_modules() if isinstance(m, nn.ReLU | nn.ReLU6)}
    for name, module in rectifiers.items():
        module.register_forward_hook(lambda *_, name=name: calls.__setitem__(name, calls.get(name, 0) + 1))
    network(torch.randn(1, 3, 64, 64) if isinstance(network, EfficientNetLite0) else sample(network, 1))
    assert rectifiers and calls == dict.fromkeys(rectifiers, 1)


def test_efficientnet_is_the_public_one_and_takes_its_weights():
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="the reference network is not installed")
    torch.manual_seed(0)
    theirs = package.EfficientNet.from_name("efficientnet-lite0", num_classes=7)
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):  # anything but the statistics of a fresh network
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.1, 0.1)
    file = io.BytesIO()
    torch.save(theirs.state_dict(), file)
    ours = EfficientNetLite0(7, dropout=0.2)
    weights.load(ours, file.getvalue(), "public.pth")
    x = torch.rand(2, 3, 224, 224) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))
    assert sum(p.numel() for p in EfficientNetLite0(1000, 0.2).parameters()) == 4_652_008


def test_building_gives_the_facts_that_are_asked_for():
    facts = SimpleNamespace(shape=(3, 32, 20), classes=["a", "b", "c"], vocabulary=None)
    assert models.build(LECTURE, facts)(torch.randn(1, 3, 32, 20)).shape == (1, 3)
    tell = {"dimensions": 8, "widths": [2, 3], "filters": 4, "dropout": 0.0}
    texts = SimpleNamespace(shape=(9,), classes=["for", "against"], vocabulary=["", "?", "good", "bad"])
    network = models.build({"_target_": "cnnatomy.models.sentence.Sentence", **tell}, texts)
    assert network.embedding.num_embeddings == 4
    assert network(torch.tensor([[2, 3, 1]])).shape == (1, 2)


def test_what_the_configuration_says_goes_before_the_facts():
    assert models.build(LECTURE | {"classes": 4}, DIGITS)(torch.randn(1, 1, 28, 28)).shape == (1, 4)


def test_start_weights_depend_on_the_seed_and_on_nothing_else():
    torch.manual_seed(5)
    first = models.build(LECTURE, DIGITS, seed=3)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1)), "building took numbers from the generator"
    again, other = models.build(LECTURE, DIGITS, seed=3), models.build(LECTURE, DIGITS, seed=4)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.conv1.weight, other.conv1.weight)


def article(**changes) -> Article:
    given = {"filters": (32, 32), "units": (1000, 1000), "convolutions": "linear", "dense": "sigmoid"}
    return Article((1, 28, 28), 10, **(given | {"pooling": "average"} | changes)).eval()


def test_the_article_s_network_has_its_maps_and_parameters():
    network = article()
    given = {name: tuple(y.shape[1:]) for name, y in maps(network, torch.randn(2, 1, 28, 28)).items()}
    assert given["conv1"] == given["conv2"] == (32, 28, 28)
    assert given["pool"] == (32, 14, 14) and given["flatten"] == (6272,)
    convolutions = 32 * (9 + 1) + 32 * (32 * 9 + 1)
    dense = 1000 * (6272 + 1) + 1000 * (1000 + 1) + 10 * (1000 + 1)
    assert sum(p.numel() for p in network.parameters()) == convolutions + dense == 7_293_578


def test_the_article_s_network_starts_as_keras_starts_it():
    network = article()
    for name, ins, outs in (("conv1", 9, 288), ("conv2", 288, 288), ("dense1", 6272, 1000), ("dense3", 1000, 10)):
        layer, bound = network.get_submodule(name), (6 / (ins + outs)) ** 0.5
        assert 0.99 * bound < layer.weight.abs().max() <= bound
        assert layer.weight.var().item() == pytest.approx(bound**2 / 3, rel=0.15)
        assert not layer.bias.any()


def test_the_article_s_network_takes_its_activations_and_its_pool_from_the_configuration():
    kinds = {name: type(module) for name, module in article(convolutions="relu", pooling="max").named_children()}
    assert kinds["activation1"] is kinds["activation2"] is nn.ReLU and kinds["pool"] is nn.MaxPool2d
    assert kinds["activation3"] is kinds["activation4"] is nn.Sigmoid
    with pytest.raises(ValueError, match="model.dense is 'tanh'; there are linear, sigmoid, relu"):
        article(dense="tanh")


@pytest.mark.parametrize("kind", ["max", "average", "blurred", "none"])
@pytest.mark.parametrize("size", [(10, 10), (28, 28), (13, 20)])
def test_the_lecture_network_takes_any_pool(kind, size):
    network = Lecture((1, *size), 4, filters=(5, 6), units=7, dropout=0.0, pooling=kind)
    assert network(torch.randn(2, 1, *size)).shape == (2, 4)
    assert list(network.state_dict()) == list(Lecture((1, *size), 4, (5, 6), 7, 0.0).state_dict())
    wide = network.dense1.in_features
    assert wide == 6 * (
        (size[0] - 4) * (size[1] - 4)
        if kind == "none"
        else maps(network, torch.ones(1, 1, *size))["pool2"].shape[2:].numel()
    )


def test_a_pool_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="pooling is 'mean'; there are max, average, blurred and none"):
        pool("mean")


@pytest.mark.parametrize("size", [(26, 26), (11, 11), (9, 14)])
def test_the_blurred_maximum_is_a_maximum_and_a_blur_by_1_2_1(size):
    x = torch.randn(2, 3, *size)
    blurred = pool("blurred")(x)
    row = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = (row[:, None] * row).expand(3, 1, 3, 3)
    padded = nn.functional.pad(nn.functional.max_pool2d(x, 2, stride=1), (1, 1, 1, 1), mode="replicate")
    torch.testing.assert_close(blurred, nn.functional.conv2d(padded, kernel, stride=2, groups=3))
    assert blurred.shape == pool("max")(x).shape


def test_a_blurred_maximum_changes_less_when_the_picture_moves():
    x = torch.randn(50, 1, 40, 40)
    still, moved = x[..., :, :-1], x[..., :, 1:]
    change = {
        kind: (pool(kind)(moved) - pool(kind)(still)).std() / pool(kind)(still).std() for kind in ("max", "blurred")
    }
    assert change["blurred"] < 0.8 * change["max"]


def test_a_locally_connected_layer_whose_places_agree_is_a_convolution():
    layer, convolution = LocallyConnected(3, 5, 3, (9, 12)), nn.Conv2d(3, 5, 3)
    with torch.no_grad():
        layer.weight.copy_(convolution.weight.flatten(1).T.expand_as(layer.weight))
        layer.bias.copy_(convolution.bias.expand_as(layer.bias))
    x = torch.randn(4, 3, 9, 12)
    torch.testing.assert_close(layer(x), convolution(x))


def test_weights_of_a_locally_connected_layer_act_at_their_place_only():
    layer, x = LocallyConnected(2, 3, 3, (8, 8)), torch.randn(1, 2, 8, 8)
    before = layer(x)
    with torch.no_grad():
        layer.weight[1 * 6 + 4] += 1
    changed = (layer(x) != before).any(1)[0].nonzero().tolist()
    assert changed == [[1, 4]]


def test_the_local_network_is_the_lecture_s_with_weights_at_each_place():
    network = Local((1, 28, 28), 10, filters=(25, 50), units=100, dropout=0.25)
    shapes = {name: tuple(y.shape) for name, y in maps(network, torch.randn(2, 1, 28, 28)).items()}
    expected = {
        name.replace("conv", "local"): tuple(y.shape) for name, y in maps(lecture(), torch.randn(2, 1, 28, 28)).items()
    }
    assert shapes == expected
    first, second = 26 * 26 * 25 * (9 + 1), 11 * 11 * 50 * (25 * 9 + 1)
    assert sum(p.numel() for p in network.parameters()) == first + second + 100 * 1251 + 10 * 101 == 1_662_410
    with pytest.raises(ValueError, match="9 × 30 pixels"):
        Local((1, 9, 30), 4, filters=(5, 6), units=7, dropout=0.0)


@pytest.mark.parametrize(("size", "fits"), [(32, True), (21, True), (20, False)])
def test_the_network_of_wide_kernels_fits_its_images_or_says_that_they_are_too_small(size, fits):
    def network() -> WideKernels:
        return WideKernels((3, size, size), 7, filters=(5, 6), kernel=11, stride=2, dropout=0.0)

    if fits:
        assert network()(torch.randn(2, 3, size, size)).shape == (2, 7)
    else:
        with pytest.raises(ValueError, match="20 × 20 pixels are too small for kernels of 11 at stride 2"):
            network()
