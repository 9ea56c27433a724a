"""Images whose channels are taken as they are: how many, of which files, on which scale, and what refuses them."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.pictures import read
from tests.unit.picture_files import saved, tiff
from tests.unit.test_data_pictures import both, made

FIVE = np.random.default_rng(0).integers(0, 4000, (10, 8, 6, 5)).astype(np.uint16) // [1, 2, 4, 100, 1000]
FIVE = FIVE.astype(np.uint16)
AS_THEY_ARE = {"size": [8, 6], "colour": True, "channels": 5}


def npy(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def written(values: np.ndarray, **how: Any) -> bytes:
    """What tifffile writes."""
    file = io.BytesIO()
    tifffile.imwrite(file, values, **how)
    return file.getvalue()


def planes(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(values, -1, 0))


WAYS = {
    "npy, channels last": lambda one: npy(one),
    "npy, channels first": lambda one: npy(planes(one)),
    "npy, by columns": lambda one: npy(np.asfortranarray(one)),
    "npy, big-endian": lambda one: npy(one.astype(">u2")),
    "npz": lambda one: npz(image=planes(one)),
    "tiff, pixel by pixel": lambda one: tiff(one),
    "tiff, packed": lambda one: written(one, photometric="minisblack", planarconfig="contig", compression="zlib"),
    "tiff, in planes": lambda one: written(planes(one), photometric="minisblack", planarconfig="separate"),
    "tiff, big": lambda one: written(planes(one), photometric="minisblack", planarconfig="separate", bigtiff=True),
    "tiff, a page each": lambda one: written(planes(one), photometric="minisblack", metadata=None),
    "tiff, of a microscope": lambda one: written(planes(one), imagej=True, metadata={"axes": "CYX"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_all_channels_are_read_in_their_order_from_whatever_holds_them(way):
    picture = read(WAYS[way](FIVE[0]), "a", 5)
    np.testing.assert_array_equal(picture.values, FIVE[0])
    assert (picture.size, picture.moving) == ((6, 8), False)


def test_each_channel_has_one_scale_in_all_images(tmp_path, caplog):
    """A channel of four steps beside one of four thousand keeps its four steps."""
    with caplog.at_level(logging.WARNING):
        data = made(tmp_path, both([npy(one) for one in FIVE], "npy"), **AS_THEY_ARE)
    places = [int(Path(name).stem) for name in data.table["id"]]
    training = FIVE[places[: data.facts.splits["train"]]].astype(float)
    low, high = training.min((0, 1, 2)), training.max((0, 1, 2))
    for row, place in enumerate(places):
        wanted = np.rint(255 * ((FIVE[place] - low) / (high - low)).clip(0, 1))
        np.testing.assert_array_equal(data._inputs[row], wanted.transpose(2, 0, 1))
    assert data.facts.shape == (5, 8, 6) and data.facts.scale is None
    assert [(one.name, one.low, one.high) for one in data.facts.channels or ()] == [
        (f"channel {i + 1}", low[i], high[i]) for i in range(5)
    ]
    assert f"channel 1 {low[0]:g} and {high[0]:g}, channel 2" in caplog.text
    batch = to_tensor(data.facts, data.split("train").inputs)
    np.testing.assert_allclose(batch.mean((0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(batch.std((0, 2, 3), correction=0), 1, atol=1e-5)


def test_channels_of_8_bits_stay_as_they_are_and_a_channel_without_anything_is_black(tmp_path):
    small = (FIVE // 16).astype(np.uint8)
    data = made(tmp_path, both([npy(one) for one in small], "npy"), **AS_THEY_ARE)
    for row, name in enumerate(data.table["id"]):
        np.testing.assert_array_equal(data._inputs[row], small[int(Path(name).stem)].transpose(2, 0, 1))
    assert {(one.low, one.high) for one in data.facts.channels or ()} == {(0, 255)}
    empty = FIVE * np.uint16([1, 0, 1, 1, 1])
    data = made(tmp_path / "empty", both([npy(one) for one in empty], "npy"), **AS_THEY_ARE)
    assert data._inputs[:, 1].max() == 0 and data._inputs[:, 0].max() == 255


@pytest.mark.parametrize("range", [[0, 1000], [[0, 1000]] * 2 + [[-50, 1000]] + [[0, 40], [0, 4]]])
def test_the_user_may_say_what_is_black_and_white_in_all_channels_or_in_each(tmp_path, range):
    data = made(tmp_path, both([npy(one) for one in FIVE], "npy"), range=range, **AS_THEY_ARE)
    low, high = np.array(range if isinstance(range[0], list) else [range] * 5, dtype=float).T
    for row, name in enumerate(data.table["id"]):
        wanted = np.rint(255 * ((FIVE[int(Path(name).stem)] - low) / (high - low)).clip(0, 1))
        np.testing.assert_array_equal(data._inputs[row], wanted.transpose(2, 0, 1))
    assert [one.high for one in data.facts.channels or ()] == high.tolist()


def test_names_and_what_pictures_show_are_kept(tmp_path):
    names = ["blue", "green", "red", "red edge", "near infrared"]
    how = AS_THEY_ARE | {"channel_names": names, "shown": [5, 3, 2]}
    data = made(tmp_path, both([npy(one) for one in FIVE], "npy"), **how)
    assert [one.name for one in data.facts.channels or ()] == names and data.facts.shown == [4, 2, 1]


@pytest.mark.parametrize(("mode", "channels"), [("RGBA", 4), ("LA", 2), ("CMYK", 4), ("RGB", 3), ("L", 1)])
def test_pictures_of_the_usual_formats_keep_all_their_channels_too(mode, channels):
    values = np.random.default_rng(0).integers(0, 256, (8, 6, channels)).astype(np.uint8)
    image = Image.fromarray(values[..., 0] if channels == 1 else values, mode)
    found = read(saved(image, "TIFF"), "a", channels)
    np.testing.assert_array_equal(found.values, values)
    assert found.depth == "8 bits"


def test_arrays_of_one_or_three_channels_need_no_word(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3)).astype(np.uint8)
    data = made(
        tmp_path, both([npy(one if i % 2 else planes(one)) for i, one in enumerate(values)], "npy"), colour=True
    )
    for row, name in enumerate(data.table["id"]):
        np.testing.assert_array_equal(data._inputs[row], values[int(Path(name).stem)].transpose(2, 0, 1))
    grey = [npy(one[..., :1] if i % 2 else one[..., 0]) for i, one in enumerate(values)]
    data = made(tmp_path / "grey", both(grey, "npy"))
    for row, name in enumerate(data.table["id"]):
        np.testing.assert_array_equal(data._inputs[row, 0], values[int(Path(name).stem)][..., 0])
    masks = made(tmp_path / "masks", both([npy(one[..., 0] > 99) for one in values], "npy"))
    assert set(np.unique(masks._inputs)) == {0, 255}


def test_files_of_other_channels_are_named_with_what_to_set(tmp_path):
    files = both([npy(one) for one in FIVE], "npy")
    with pytest.raises(DataError) as caught:
        made(tmp_path / "none", files)
    assert "other than grey or red, green and blue: 10 of 10. 10 of 5 (" in str(caught.value)
    assert str(caught.value).endswith("To take all channels as they are, set data.prepare.channels: 5.")
    with pytest.raises(DataError, match=r"other than the 4 of data.prepare.channels: 10 of 10.*channels: 5\.$"):
        made(tmp_path / "four", files, **(AS_THEY_ARE | {"channels": 4}))
    files |= {"oak/three.png": saved(np.zeros((8, 6, 3), np.uint8), "PNG"), "ash/two.npy": npy(FIVE[0, ..., :2])}
    with pytest.raises(DataError) as caught:
        made(tmp_path / "some", files, **AS_THEY_ARE)
    assert "2 of 12. 1 of 2 (ash/two.npy); 1 of 3 (oak/three.png)." in str(caught.value)
    assert "All images of a dataset need the same number" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (npy(np.zeros((5, 8, 5))), "of which the first or the last axis may be that of the channels"),
        (npy(np.zeros((2, 5, 8, 6))), "it is an array of shape (2, 5, 8, 6), save it as (height, width)"),
        (npy(np.zeros(40)), "it is an array of shape (40,), save it as (height, width)"),
        (npy(np.zeros((8, 6, 5), complex)), "it holds complex128 where a picture is of numbers"),
        (npy(np.array(["a"] * 9).reshape(3, 3)), "it holds <U1 where a picture is of numbers"),
        (npy(np.full((8, 6, 5), np.nan)), "240 of its values are infinite or no numbers (NaN)"),
        (npy(FIVE[0])[:-1], "it is cut off: its header claims 480 bytes and 479 are there"),
        (npz(X=FIVE[0], y=FIVE[1]), "it holds 2 arrays (X, y), save each picture in a file of its own"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_pictures_are_told_for_what_they_are(content, says):
    with pytest.raises(DamagedData) as caught:
        read(content, "oak/1.npy", 5)
    assert says in str(caught.value) and str(caught.value).startswith("oak/1.npy can't be read as a picture")


def test_objects_are_never_unpickled(tmp_path):
    file = io.BytesIO()
    np.save(file, np.array([[tmp_path, None]], dtype=object), allow_pickle=True)
    with pytest.raises(DamagedData, match="it holds object where a picture is of numbers"):
        read(file.getvalue(), "a")


def test_of_pages_that_are_no_channels_the_first_is_taken():
    """Three pages of colour are moving pictures, or a stack, and not nine channels."""
    frames = [Image.fromarray(np.full((8, 6, 3), 40 * i, np.uint8)) for i in (1, 2, 3)]
    content = saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    found = read(content, "a", 3)
    assert found.moving and (np.asarray(found.values) == 40).all()
    with pytest.raises(DamagedData, match="a has 5 channels, and data.prepare.channels is 4"):
        read(WAYS["tiff, a page each"](FIVE[0]), "a", 4)


def test_a_tiff_that_pillow_does_not_know_asks_for_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(DataError, match=r"a.tif is a TIFF .* -m pip install tifffile. Or save it as .npy"):
        read(tiff(FIVE[0]), "a.tif", 5)
    read(WAYS["tiff, a page each"](FIVE[0]), "a.tif", 5)
