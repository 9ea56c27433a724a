"""Inputs that are changed stay within what samples can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Normalise
from cnnatomy.dissect.changed.inputs import box
from cnnatomy.drawing.pictures import in_own_units
from tests.unit.small_data import small


@pytest.mark.parametrize("normalise", [None, Normalise([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
def test_the_box_of_images_is_what_black_and_white_pictures_are_to_the_network(tmp_path, normalise):
    facts = replace(small(tmp_path, "images").facts, shape=(3, 4, 4), normalise=normalise)
    low, high = box(facts, {})
    assert torch.equal(to_tensor(facts, np.zeros((1, 3, 1, 1), np.uint8))[0], low)
    assert torch.equal(to_tensor(facts, np.full((1, 3, 1, 1), 255, np.uint8))[0], high)


def test_the_box_of_sounds_ends_at_the_floor_and_at_the_loudest_point(tmp_path):
    facts = small(tmp_path, "sounds").facts
    low, high = box(facts, {})
    assert (in_own_units(facts, low).item(), in_own_units(facts, high).item()) == pytest.approx((-60, 0), abs=1e-4)
    deeper, _ = box(facts, {"spectrogram": {"range_db": 80}})
    assert in_own_units(facts, deeper).item() == pytest.approx(-80, abs=1e-4)


def test_words_have_no_box(tmp_path):
    with pytest.raises(ValueError, match="holds texts"):
        box(small(tmp_path, "texts").facts, {})
