"""Every dissection of images, on images of two channels and of five: it makes a valid exhibit of what can be seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from cnnatomy.data import prepared
from cnnatomy.data.prepared import Axis, Channel, Dataset, Facts, Normalise
from cnnatomy.drawing.kernels import drawn
from cnnatomy.drawing.pictures import to_pixels
from cnnatomy.drawing.showing import colour, picture, shown_channels, signed
from tests.unit.dissecting import LITTLE_INSIDE, METHODS, dissected, given
from tests.unit.small_data import hang

NOT_OF_IMAGES = {"ngrams", "spectrogram"}
SIDE = 20
SHOWN: Mapping[int, list[int] | None] = {2: None, 5: [2, 1, 0]}


def facts_of(channels: int, **more: object) -> Facts:
    axes = [Axis("row", "px", list(range(SIDE))), Axis("column", "px", list(range(SIDE)))]
    scale = Normalise([0.3] * channels, [0.2] * channels)
    named = [Channel(f"band {i}", "", 0.0, 4000.0 - i) for i in range(channels)]
    return Facts(
        "many", "images", ["left", "right", "none"], (channels, SIDE, SIDE), axes, scale, "", "", "many", "",
        channels=named, **more,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(scope="module", params=[2, 5])
def data(request, tmp_path_factory) -> Dataset:
    """Noise with a bright side, in another channel for each class."""
    channels = request.param
    random = np.random.default_rng(0)
    n = {"train": 30, "test": 6}
    table = pd.DataFrame({"split": np.repeat(list(n), list(n.values()))})
    table["label"] = np.arange(len(table)) % 3
    table["id"] = table["split"] + "/" + table.groupby("split").cumcount().astype(str)
    inputs = random.integers(0, 120, (len(table), channels, SIDE, SIDE)).astype(np.uint8)
    inputs[table["label"] == 0, 0, :, : SIDE // 2] += 120
    inputs[table["label"] == 1, channels - 1, :, SIDE // 2 :] += 120
    folder = tmp_path_factory.mktemp("many") / "many"
    prepared.write(folder, facts_of(channels, shown=SHOWN[channels]), inputs, table)
    return prepared.load(folder)


def network_of(channels: int, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(channels, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.Flatten(),
            nn.Linear(8 * 49, 12), nn.ReLU(), nn.Linear(12, 3),
        ).eval()  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("method", [method for method in METHODS if method not in NOT_OF_IMAGES])
def test_it_opens_up(method, data, tmp_path, monkeypatch):
    for inside, little in LITTLE_INSIDE.items():
        monkeypatch.setattr(inside, little, raising=False)
    channels = data.facts.shape[0]
    written = hang(dissected(method, [network_of(channels, seed) for seed in range(2)], data), tmp_path / method)
    assert written["numbers"][0]["metric"] != "applies"


def test_the_exhibit_of_the_data_says_which_channels_there_are_and_which_pictures_show(data, tmp_path):
    channels = data.facts.shape[0]
    exhibit = given(data, {"first": 6, "columns": 6, "voices": 3, "sentences": 8})
    hang(exhibit, tmp_path / "samples")
    (table,) = (block for block in exhibit.blocks if block.name == "channels")
    said = table.caption["en"]  # type: ignore[index]
    assert table.data["channel"].tolist() == [f"band {i}" for i in range(channels)]  # type: ignore[union-attr]
    levels = {(one.metric, one.subject): one.value for one in exhibit.numbers if one.metric == "white_level"}
    assert levels == {("white_level", f"channel=band {i}"): 4000.0 - i for i in range(channels)}
    if channels == 2:
        assert "show band 0 as red and blue, band 1 as green." in said
    else:
        assert "show band 2 as red, band 1 as green, band 0 as blue; 2 more are not seen in them." in said


@pytest.mark.parametrize(
    ("channels", "given", "wanted"),
    [(1, None, [0]), (2, None, [0, 1, 0]), (3, None, [0, 1, 2]), (7, None, [0, 1, 2]), (7, [6, 0, 3], [6, 0, 3]),
     (7, [4], [4])],
)  # fmt: skip
def test_a_picture_shows_the_channels_that_the_data_say(channels, given, wanted):
    facts = facts_of(channels, shown=given)
    sample = np.random.default_rng(0).integers(0, 256, (channels, SIDE, SIDE)).astype(np.uint8)
    assert shown_channels(facts) == wanted
    seen = sample[wanted[0]] if len(wanted) == 1 else np.dstack([sample[place] for place in wanted])
    np.testing.assert_array_equal(picture(facts, sample), seen)
    normalised = (torch.from_numpy(sample) / 255 - 0.3) / 0.2
    np.testing.assert_array_equal(to_pixels(facts, normalised), seen)


def test_weights_on_many_channels_are_a_strip_each_and_on_three_the_colours_that_pictures_have():
    kernel = np.random.default_rng(0).normal(size=(5, 3, 4))
    found = drawn(kernel, facts_of(5))
    scale = float(np.abs(kernel).max())
    for place in range(5):
        np.testing.assert_array_equal(found[:, 5 * place : 5 * place + 4], signed(kernel[place], scale))
    assert (found[:, 4::5] == 128).all(), "a line between them that is no weight"
    np.testing.assert_array_equal(drawn(kernel[:3], facts_of(3, shown=[2, 1, 0])), colour(kernel[2::-1]))
    assert drawn(kernel[:3], facts_of(3, shown=[1])).shape == (3, 14, 3)
