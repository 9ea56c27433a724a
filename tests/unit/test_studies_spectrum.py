"""Accuracy under a moved spectrum, against moving band by band."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.models.spectrogram import Spectrogram
from cnnatomy.studies.measures.spectrum import moved, shifted
from tests.unit.small_data import small


def by_hand(inputs: np.ndarray, bands: int, floor: float) -> np.ndarray:
    result = inputs.copy()
    high = inputs.shape[2]
    for band in range(high):
        came_from = band - bands
        result[:, :, band] = inputs[:, :, came_from] if 0 <= came_from < high else floor
    return result


@pytest.mark.parametrize("bands", [-17, -16, -3, -1, 0, 1, 5, 16, 30])
def test_every_band_takes_its_neighbour_s_place_and_the_floor_comes_in(bands):
    inputs = np.random.default_rng(0).normal(-30, 5, (4, 1, 16, 10)).astype(np.float16)
    kept = inputs.copy()
    np.testing.assert_array_equal(moved(inputs, bands, -60), by_hand(inputs, bands, -60))
    np.testing.assert_array_equal(inputs, kept)


def test_accuracy_under_a_shift_is_that_of_samples_moved_by_hand(tmp_path):
    data = small(tmp_path, "sounds")
    torch.manual_seed(0)
    network = Spectrogram((1, 16, 10), 3, [6], [[3, 0]], [[2, 1]], dropout=0.0).eval()
    test = data.split("test")
    inputs = np.array(test.inputs)
    numbers = shifted(network, data, seed=0, by=[-4, 0, 2])
    assert [number.subject for number in numbers] == ["shift=-4", "shift=0", "shift=2"]
    for number, bands in zip(numbers, (-4, 0, 2), strict=True):
        with torch.no_grad():
            answers = network(to_tensor(data.facts, by_hand(inputs, bands, inputs.min()))).argmax(1).numpy()
        assert number.value == (answers == test.labels).mean()
        assert (number.metric, number.unit, number.n) == ("test_accuracy", "fraction", 40)


def test_a_network_that_knows_a_band_by_its_place_is_wrong_when_it_moves(tmp_path):
    """The class of a small sound is the place of its bright band: 3, 7 or 11."""
    data = small(tmp_path, "sounds")

    class Place(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean((1, 3))[:, [3, 7, 11]]

    right = {number.subject: number.value for number in shifted(Place(), data, seed=0, by=[0, 4, -4])}
    share = [(data.split("test").labels == label).mean() for label in range(3)]
    assert right["shift=0"] == 1
    assert (
        right["shift=4"] <= share[2] and right["shift=-4"] <= share[0]
    )  # the one whose band has left all others' places
