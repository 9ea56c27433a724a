"""What a computed input looks like is what a sample of the same values looks like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Normalise
from cnnatomy.drawing.pictures import to_pixels
from cnnatomy.drawing.showing import picture
from tests.unit.small_data import small


@pytest.mark.parametrize("kind", ["images", "sounds"])
def test_a_sample_comes_back_as_it_is_drawn(tmp_path, kind):
    samples = small(tmp_path, kind).split("test")
    x = to_tensor(samples.facts, samples.inputs[:3])
    for sample, tensor in zip(samples.inputs[:3], x, strict=True):
        drawn, shown = picture(samples.facts, sample).astype(int), to_pixels(samples.facts, tensor).astype(int)
        # A spectrogram's colours jump at 256 steps of 60 dB, and the way back is exact to a millionth.
        assert (drawn != shown).mean() < 0.01
        assert kind == "sounds" or (drawn == shown).all()


def test_colours_come_back_through_a_normalisation_of_each_channel(tmp_path):
    facts = small(tmp_path, "images").facts
    facts = replace(facts, shape=(3, 4, 4), normalise=Normalise([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    photograph = np.random.default_rng(0).integers(0, 256, (3, 4, 4)).astype(np.uint8)
    assert (to_pixels(facts, to_tensor(facts, photograph[None])[0]) == photograph.transpose(1, 2, 0)).all()


def test_values_beyond_white_are_white_and_undefined_ones_are_refused(tmp_path):
    facts = small(tmp_path, "sounds").facts
    with pytest.raises(ValueError, match="infinite or undefined"):
        to_pixels(facts, torch.full((1, 4, 4), torch.nan))
    facts = small(tmp_path, "images").facts
    assert (to_pixels(facts, torch.full((1, 4, 4), 1e9)) == 255).all()
