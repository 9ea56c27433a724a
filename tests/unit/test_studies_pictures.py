"""Measures of networks that read pictures: moved images, training against test, receptive fields."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.models.dense import Dense
from cnnatomy.models.lecture import Lecture
from cnnatomy.models.local import Local
from cnnatomy.studies.measures.fitting import gap
from cnnatomy.studies.measures.shifts import moved, shift
from cnnatomy.studies.measures.structure import receptive_field
from tests.unit.small_data import small


@pytest.mark.parametrize("pixels", [-30, -12, -3, 0, 1, 4, 12, 13])
@pytest.mark.parametrize("axis", [2, 3])
def test_a_moved_image_is_scipys(pixels, axis):
    images = np.random.default_rng(0).integers(1, 255, (3, 2, 12, 9)).astype(np.uint8)
    by = [0, 0, 0, 0]
    by[axis] = pixels
    np.testing.assert_array_equal(shift(images, pixels, axis), ndimage.shift(images, by, order=0, prefilter=False))


class Rows(nn.Module):
    """Reads which of the rows 2, 5 and 8 is the brightest."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((1, 3))[:, [2, 5, 8]]


def numbers_of(found):
    return {(number.metric, number.subject): number.value for number in found}


def test_a_network_that_knows_rows_by_their_place_is_wrong_when_they_move(tmp_path):
    """The class of a small image is the row that is bright, 2, 5 or 8: all images but the last class' move on by one
    class, a third of them, when moved down by 3; moved sideways they are read as before."""
    data = small(tmp_path, "images")
    found = numbers_of(moved(Rows(), data, seed=0, by=[0, 3], samples=1000))
    share = (data.split("test").labels == 2).mean()
    assert found["moved_accuracy", "shift=0"] == found["consistency", "shift=0"] == 1
    assert 0.5 <= found["moved_accuracy", "shift=3"] <= 0.5 + share / 2
    assert found["consistency", "shift=3"] == found["moved_accuracy", "shift=3"], "unmoved, all were right"
    for metric in ("moved_accuracy", "consistency"):
        assert found[metric, ""] == found[metric, "shift=3"], "no move is none of the moves"


def test_a_network_that_looks_at_no_place_is_consistent_however_wrong(tmp_path):
    class Wrong(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.eye(3)[0].expand(len(x), 3)

    data = small(tmp_path, "images")
    found = moved(Wrong(), data, seed=0, by=[-4, 2], samples=1000)
    share = (data.split("test").labels == 0).mean()
    assert {number.metric: number.value for number in found} == {"consistency": 1, "moved_accuracy": share}


def test_only_so_many_images_are_moved_and_the_seed_draws_them(tmp_path):
    data = small(tmp_path, "images")
    torch.manual_seed(0)
    network = Dense((1, 12, 12), 3, [5], 0.0)
    found = [numbers_of(moved(network, data, seed=seed, by=[1], samples=10)) for seed in (0, 0, 1, 2, 3)]
    assert found[0] == found[1] and any(other != found[0] for other in found[2:])
    assert all(number.n == 10 for number in moved(network, data, seed=0, by=[1], samples=10))


def test_the_gap_is_training_less_test_accuracy(tmp_path):
    data = small(tmp_path, "images")
    train = data.split("train")

    class ByHeart(nn.Module):
        """Knows the training images and takes all others for the first class."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            known = (x[:, None] == to_tensor(data.facts, train.inputs)).flatten(2).all(2)
            labels = torch.eye(3)[torch.from_numpy(train.labels)]
            return known.float() @ labels + 0.5 * torch.eye(3)[0]

    (number,) = gap(ByHeart(), data, seed=0)
    assert number.value == pytest.approx(1 - (data.split("test").labels == 0).mean())
    assert gap(Rows(), data, seed=0)[0].value == 0


@pytest.mark.parametrize(("pooling", "size"), [("max", 10), ("average", 10), ("blurred", 16), ("none", 5)])
def test_the_receptive_field_is_what_convolutions_and_pools_add_up_to(pooling, size):
    """3, 1 more by a pool of 2, 2 × 2 by the second convolution, 2 by its pool; a blur adds 2, then 2 × 2."""
    assert field_of(Lecture((1, 28, 28), 3, (2, 2), 4, 0.0, pooling)) == size


def test_a_dense_network_s_first_units_see_all_and_what_they_read_is_single_pixels():
    assert field_of(Dense((1, 28, 28), 3, [4], 0.0)) == 1
    assert field_of(Local((1, 28, 28), 3, (2, 2), 4, 0.0)) == 10
    with pytest.raises(ValueError, match="Sequential has no map"):
        field_of(nn.Sequential(nn.AvgPool2d(28), nn.Flatten()))


def field_of(network: nn.Module) -> float:
    facts = SimpleNamespace(kind="images", splits={"train": 1}, normalise=None)
    data = SimpleNamespace(facts=facts, split=lambda name: SimpleNamespace(inputs=np.zeros((1, 1, 28, 28), np.uint8)))
    (number,) = receptive_field(network, data, seed=0)
    return number.value
