"""Properties of the networks: shapes, sizes, what their filters see, and what must not change their answer."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from cnnatomy import models
from cnnatomy.models import weights
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.lecture import Lecture
from cnnatomy.models.photograph import EfficientNetLite0
from cnnatomy.models.sentence import Sentence

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
    return torch.randn(n, 1, 28, 28) if isinstance(network, Lecture) else torch.randn(n, 1, 40, 44)


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


@pytest.mark.parametrize("make", [lecture, frequency, sentence])
def test_a_sample_s_answer_does_not_depend_on_its_batch(make):
    network = make()
    x = sample(network, 7)
    together = network(x)
    assert together.shape[0] == 7
    for i in range(7):
        torch.testing.assert_close(network(x[i : i + 1])[0], together[i])


@pytest.mark.parametrize("make", [lecture, frequency, sentence, lambda: EfficientNetLite0(5, 0.2)])
def test_gradients_reach_every_parameter(make):
    network = make().train()
    x = torch.randn(2, 3, 64, 64) if isinstance(network, EfficientNetLite0) else sample(network, 8)
    network(x).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("make", [lecture, frequency, sentence, lambda: EfficientNetLite0(5, 0.2)])
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
