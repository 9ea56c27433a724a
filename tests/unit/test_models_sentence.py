"""Networks for sentences: what each pooling sees, filters that move across the vector, and no filter at all."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from cnnatomy import models
from cnnatomy.models.embedded import Embedded
from cnnatomy.models.mean_of_words import MeanOfWords
from cnnatomy.models.sentence import Sentence
from cnnatomy.models.sentence_across import SentenceAcross

TEXTS = SimpleNamespace(shape=(12,), classes=["against", "for"], vocabulary=[str(i) for i in range(50)])
SETTINGS = {"dimensions": 8, "widths": [1, 3], "filters": 5, "dropout": 0.5}


def sentence(**changes: object) -> Sentence:
    return models.build({"_target_": "cnnatomy.models.sentence.Sentence", **SETTINGS, **changes}, TEXTS).eval()


def across(**changes: object) -> SentenceAcross:
    target = {"_target_": "cnnatomy.models.sentence_across.SentenceAcross", "height": 3, "step": 2, "rows": False}
    return models.build({**target, **SETTINGS, **changes}, TEXTS).eval()


def mean() -> MeanOfWords:
    target = {"_target_": "cnnatomy.models.mean_of_words.MeanOfWords", "dimensions": 8, "dropout": 0.5}
    return models.build(target, TEXTS).eval()


ANY_LENGTH = {
    "max": sentence,
    "mean": lambda: sentence(pooling=["mean"]),
    "both": lambda: sentence(pooling=["max", "mean"]),
    "across": across,
    "rows": lambda: across(rows=True),
    "none": mean,
}


def tokens(n: int, words: int) -> Tensor:
    return torch.randint(1, 50, (n, words), generator=torch.Generator().manual_seed(0))


def loud(network: Embedded) -> Embedded:
    """Biases that would make empty windows count."""
    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d):
            nn.init.constant_(module.bias, 3.0)
    return network


@pytest.mark.parametrize("make", ANY_LENGTH.values(), ids=ANY_LENGTH)
@pytest.mark.parametrize("words", [1, 2, 12, 70])
def test_padding_changes_nothing_whatever_the_length(make, words):
    network = loud(make())
    x = tokens(4, words)
    assert network(x).shape == (4, 2)
    torch.testing.assert_close(network(nn.functional.pad(x, (0, 30))), network(x))
    assert torch.isfinite(network(torch.zeros_like(x))).all()


@pytest.mark.parametrize("make", [*ANY_LENGTH.values(), lambda: sentence(pooling=[])])
def test_gradients_reach_every_parameter_and_padding_stays_zero(make):
    network = make().train()
    network(nn.functional.pad(tokens(8, 9), (0, 3))).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    assert not network.embedding.weight[0].any() and not network.embedding.weight.grad[0].any()


@pytest.mark.parametrize("words", [1, 5])
def test_poolings_are_over_the_windows_that_hold_a_word(words):
    network = loud(sentence(pooling=["max", "mean"]))
    x = tokens(1, words)
    expected = {"max": [], "mean": []}
    for width in (1, 3):
        convolution = network.get_submodule(f"conv{width}")
        vectors = nn.functional.pad(network.embedding(x)[0].T, (width - 1, width - 1))  # no window without a word
        windows = vectors.unfold(1, width, 1)
        values = (torch.einsum("dtw,fdw->ft", windows, convolution.weight) + convolution.bias[:, None]).relu()
        expected["max"].append(values.amax(1))
        expected["mean"].append(values.mean(1))
    # max and mean of width 1, then of width 3
    features = torch.cat([expected[kind][i] for i in (0, 1) for kind in ("max", "mean")])
    torch.testing.assert_close(network(x)[0], network.dense(features))


def test_without_pooling_a_word_s_place_counts():
    x = tokens(1, 12)
    moved = x.roll(1, dims=1)
    pooled, flat = sentence(widths=[1]), sentence(widths=[1], pooling=[])
    torch.testing.assert_close(pooled(x), pooled(moved))
    assert (flat(x) - flat(moved)).abs().max() > 1e-3
    assert flat.dense.in_features == 12 * 5


def test_without_pooling_the_dense_layer_has_weights_for_every_window():
    network = sentence(pooling=[])
    assert network.dense.in_features == 5 * (12 + 2 * 2 + 12 + 2)  # the wider filter pads for both
    assert network(tokens(3, 12)).shape == (3, 2)


def test_filters_across_see_part_of_the_vector_and_their_maps_have_a_second_axis():
    network = across()
    held = {}
    network.relu3.register_forward_hook(lambda _, __, y: held.update(maps=y))
    network(tokens(2, 12))
    assert held["maps"].shape == (2, 5, 3, 12 + 2)  # numbers 0-2, 2-4, 4-6 of 8
    image = nn.functional.pad(network.embedding(tokens(2, 12)).transpose(1, 2), (2, 2)).unsqueeze(1)
    kernels = network.conv3.weight.transpose(1, 2)  # of 3 numbers × 3 words, on one channel
    assert kernels.shape == (5, 1, 3, 3)
    expected = nn.functional.conv2d(image, kernels, network.conv3.bias, stride=(2, 1)).relu()
    torch.testing.assert_close(held["maps"], expected)
    assert across(rows=True).dense.in_features == 3 * network.dense.in_features == 3 * 10


def test_filters_as_high_as_the_vector_are_kim_s():
    kim, high = sentence(), across(height=8, step=1)
    with torch.no_grad():
        for name, parameter in kim.named_parameters():
            other = dict(high.named_parameters())[name]
            other.copy_(parameter.reshape(other.shape))
    torch.testing.assert_close(high(tokens(6, 12)), kim(tokens(6, 12)))


def test_the_mean_of_words_is_blind_to_their_order():
    network = mean()
    x = tokens(3, 12)
    torch.testing.assert_close(network(x.flip(1)), network(x))
    torch.testing.assert_close(network(x), network.dense(network.embedding(x).mean(1)))


def test_what_can_t_be_built_is_refused():
    with pytest.raises(ValueError, match="neither 'max' nor 'mean'"):
        Sentence(50, 2, **SETTINGS, pooling=["median"])
    with pytest.raises(ValueError, match="length of sentences"):
        Sentence(50, 2, **SETTINGS, pooling=[])
    with pytest.raises(ValueError, match="have 8 numbers"):
        SentenceAcross(50, 2, **SETTINGS, height=9, step=1, rows=False)
    with pytest.raises(ValueError, match="'company'"):
        MeanOfWords(50, 2, dimensions=8, dropout=0.0, start="google")
