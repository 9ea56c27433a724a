"""A filter drawn along a sentence: its map and what pooling leaves, against torch on the network's own weights."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING
from cnnatomy.dissect.ngrams.sliding import Slides, slide
from cnnatomy.dissect.ngrams.slots import readers
from cnnatomy.inspection.layers import trace
from cnnatomy.models.sentence import Sentence
from tests.unit.dissecting import shown
from tests.unit.small_data import hang, small
from tests.unit.test_dissect_ngrams import CONFIG, Deep, Pictures, kim


@pytest.fixture
def samples(tmp_path):
    test = small(tmp_path, "texts").split("test")
    inputs = np.array(test.inputs)
    inputs[0, 3:] = PADDING  # of three words; and one that fills all there is
    inputs[1][inputs[1] == PADDING] = 5
    return dataclasses.replace(test, inputs=inputs)


def along(network: nn.Module, samples, places=(0, 1)) -> Slides | None:
    layers = trace(network, to_tensor(samples.facts, samples.inputs[:1]))
    return slide(network, layers, readers(layers, samples.facts.shape[0]), samples, list(places))


def test_the_map_and_what_is_kept_of_it_are_torchs(samples):
    network = kim()
    found = along(network, samples)
    assert found is not None and (found.layer, found.width, found.row) == ("conv3", 3, 2)
    for one in found.each:
        tokens = torch.tensor(np.array(samples.inputs[one.place][: one.words]), dtype=torch.long)
        vectors = nn.functional.pad(network.embedding(tokens[None]).transpose(1, 2), (2, 2))
        maps = network.conv3(vectors).relu()[0, found.channel].detach().numpy()
        np.testing.assert_allclose(one.values, maps, atol=1e-6)
        assert one.starts.tolist() == list(range(-2, one.words)) and one.best == maps.argmax()
        np.testing.assert_allclose(one.vectors[one.first : one.first + one.words], network.embedding(tokens).detach())
    assert [one.words for one in found.each] == [3, samples.facts.shape[0]] and found.difference < 1e-6


def test_what_pooling_leaves_is_what_the_dense_layer_reads(samples):
    network, read = kim(), []
    network.dense.register_forward_pre_hook(lambda module, inputs: read.append(inputs[0].detach().numpy()))
    found = along(network, samples)
    network(to_tensor(samples.facts, samples.inputs[:2]))
    assert found is not None
    for one in found.each:
        np.testing.assert_allclose(np.concatenate(one.vector), read[-1][one.place], atol=1e-6)


@pytest.mark.parametrize("build", [Pictures, Deep, lambda: Sentence(8, 2, 5, [1, 2], 4, 0.0, pooling=["mean"])])
def test_nothing_is_drawn_where_no_maximum_over_time_is_kept(samples, build):
    torch.manual_seed(0)
    assert along(build().eval(), samples) is None


def test_nothing_is_drawn_of_sentences_of_one_length(samples):
    assert along(kim(), samples, [1]) is None


def test_the_exhibit_draws_a_short_and_a_long_sentence(samples, tmp_path):
    exhibit = shown("ngrams", kim(), samples, CONFIG | {"shown": 30}, training=None, seed=0)
    document = hang(exhibit, tmp_path / "hung")
    drawn = [block for block in document["blocks"] if block["type"] == "figure" and block["name"].startswith("slide")]
    assert [block["name"] for block in drawn] == ["slide-short", "slide-long"]
    assert "a vector of 12" in drawn[0]["caption"]["en"] and "12 numbers as before" in drawn[1]["caption"]["en"]
    assert next(n["value"] for n in document["numbers"] if n["metric"] == "map_difference_by_hand") < 1e-6
