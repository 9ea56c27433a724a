"""Windows out of pieces of photographs: whose they are, how they differ, and pieces that are no class."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from cnnatomy.data import archive, pieces, prepared
from cnnatomy.data.errors import DataError

VALUES = {"pieces": 4, "side": 24, "window": 16, "windows": [6, 1, 2], "least": 0.1}


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Two photographs: noise beside flat sky, each in a colour of its own."""
    pixels, random = np.full((2, 120, 160, 3), 200, np.uint8), np.random.default_rng(3)
    for picture, colour in zip(pixels, (0, 2), strict=True):
        picture[:, :130] = random.integers(0, 2, (120, 130, 1)) * 120
        picture[:, :130, colour] += 100
    contents = {}
    for name, picture in zip(("one", "two"), pixels, strict=True):
        held = io.BytesIO()
        Image.fromarray(picture).save(held, "PNG")
        contents[f"{name}.png"] = held.getvalue()
    path = tmp_path_factory.mktemp("pieces") / "raw.zip"
    archive.write(path, contents, digest="d", licence="CC0", citation="nobody")
    return path


def test_every_piece_has_its_windows_in_each_split_and_none_is_there_twice(raw, tmp_path):
    pieces.prepare(raw, tmp_path / "pieces", digest="d1", **VALUES)
    dataset = prepared.load(tmp_path / "pieces")
    assert dataset.facts.shape == (3, 16, 16) and dataset.facts.splits == {"train": 24, "validation": 4, "test": 8}
    for split, count in (("train", 6), ("validation", 1), ("test", 2)):
        assert np.bincount(dataset.split(split).labels).tolist() == [count] * 4
    windows = np.concatenate([dataset.split(split).inputs for split in ("train", "validation", "test")])
    assert not any((one == other).all() for one, other in pairwise(windows))
    # The first piece is of the first photograph, reddish, the second of the second, bluish; tints change that little.
    red, _, blue = dataset.split("train").inputs.reshape(4, 6, 3, -1).mean((1, 3)).T
    assert (red[[0, 2]] > blue[[0, 2]] + 50).all() and (blue[[1, 3]] > red[[1, 3]] + 50).all()


def test_flat_sky_is_no_class(raw, tmp_path):
    pieces.prepare(raw, tmp_path / "pieces", digest="d1", **VALUES)
    spread = prepared.load(tmp_path / "pieces").split("train").inputs.reshape(4, 6, -1).std(2).max(1)  # of each piece
    assert spread.min() > 255 * 0.6 * 0.1 * 0.5  # less contrast, and what runs over white is cut off
    with pytest.raises(DataError, match=r"no 4 pieces of 24 px that vary by 0\.9"):
        pieces.prepare(raw, tmp_path / "none", digest="d1", **(VALUES | {"least": 0.9}))
