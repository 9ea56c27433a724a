"""Pictures of every format and depth: what their pixels become, and what is said of those that can't be read."""

from __future__ import annotations

import io
import logging
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, features

from cnnatomy.config.compose import compose
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.data import own_images, prepared
from cnnatomy.data.batches import to_tensor
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.pictures import Picture, pixels, read
from cnnatomy.data.prepared import Dataset
from cnnatomy.data.splitting import resplit
from cnnatomy.dissect.changed.inputs import box
from cnnatomy.drawing.pictures import to_pixels
from tests.unit.dissecting import given
from tests.unit.picture_files import deep_colours, png, saved, tiff
from tests.unit.small_data import hang

RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
SETTINGS: dict[str, Any] = {
    "size": 8, "fit": "crop", "colour": False, "channels": None, "channel_names": None, "shown": None, "range": None,
    "normalise": "data", "validation": 0, "test": 0.2,
}  # fmt: skip


def made(folder: Path, files: Mapping[str, bytes], **changes: Any) -> Dataset:
    """What becomes of a folder of images with these files."""
    for name, content in files.items():
        file = folder / "given" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    raw = folder / "raw.zip"
    given = str(folder / "given")
    own_images.fetch(Into(raw, None, "d"), path=given, licence="unknown", citation="")
    own_images.prepare(raw, folder / "data", digest="e", **(SETTINGS | changes))
    return prepared.load(folder / "data")


def both(pictures: list[bytes], end: str = "tif") -> dict[str, bytes]:
    """Pictures in turn of two classes."""
    return {f"{'ash' if i % 2 else 'oak'}/{i}.{end}": picture for i, picture in enumerate(pictures)}


def by_name(data: Dataset) -> dict[int, np.ndarray]:
    return {int(Path(name).stem): data._inputs[row, 0] for row, name in enumerate(data.table["id"])}


def grey(content: bytes, **how: Any) -> np.ndarray:
    return pixels(read(content, "a"), **({"size": (8, 8), "colour": False} | how))[0]


FORMATS = [("PNG", ".png"), ("BMP", ".dib"), ("TIFF", ".TIF"), ("PPM", ".pgm"), ("GIF", ".gif"), ("JPEG2000", ".jp2")]


@pytest.mark.parametrize(("kind", "end"), FORMATS)
def test_what_keeps_every_pixel_is_read_pixel_by_pixel(kind, end, tmp_path):
    how = {"irreversible": False} if kind == "JPEG2000" else {}
    np.testing.assert_array_equal(grey(saved(RAMP, kind, **how)), RAMP)
    files = {f"oak/1{end}": saved(RAMP, kind), f"ash/1{end}": saved(255 - RAMP, kind)}
    assert made(
        tmp_path, files | {f"oak/2{end}": saved(RAMP // 2, kind), f"ash/2{end}": saved(255 - RAMP // 2, kind)}
    ).facts.splits == {"train": 2, "test": 2}


@pytest.mark.parametrize("end", [".jfif", ".JPE", ".png", ".webp", ".heic"])
def test_what_a_file_is_counts_and_not_its_name(end, tmp_path):
    """Half of a class with another suffix of the same pictures is not lost."""
    files = both([saved(np.full((8, 8), 20 * i, np.uint8), "JPEG") for i in range(10)], "jpg")
    files = {name if i % 3 else Path(name).with_suffix(end).as_posix(): f for i, (name, f) in enumerate(files.items())}
    data = made(tmp_path, files)
    assert sum(data.facts.splits.values()) == 10 and not data.facts.left_out


@pytest.mark.parametrize("kind", ["AVIF", "WEBP", "JPEG"])
def test_what_keeps_pixels_nearly_is_read_nearly(kind):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    assert np.abs(grey(saved(RAMP, kind, quality=100)).astype(int) - RAMP).max() <= 6


def test_a_heic_picture_asks_for_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(DataError, match="a.heic is a HEIC picture. To read such: .*pip install pillow-heif. Or save"):
        read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a.heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", types.SimpleNamespace(register_heif_opener=lambda: None))
    with pytest.raises(DamagedData, match="a.heic can't be read as a picture"):
        read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a.heic")


def test_twelve_bits_in_sixteen_are_scaled_alike_and_it_is_said(tmp_path, caplog):
    deep = [(RAMP.astype(np.uint16) * (i + 1)) for i in range(10)]  # to 252 · 10
    with caplog.at_level(logging.WARNING):
        data = made(tmp_path, both([tiff(one) for one in deep]))
    low, high = data.facts.scale or (0, 0)
    training = [int(Path(name).stem) for name in data.split("train").table["id"]]
    assert (low, high) == (0, 252 * (max(training) + 1))
    for i, found in by_name(data).items():
        np.testing.assert_array_equal(found, np.rint(255 * (deep[i] / high).clip(0, 1)))
    assert f"the value 0 is black and {high:g} is white, in all images" in caplog.text


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [(np.int16, -1500, 500), (np.float32, -3.5, 2.0), (np.float32, 0.0, 1.02), (np.int32, -70000, 70000),
     (np.uint32, 0, 4e9), (np.int8, -128, 127), (np.float32, 280, 300)],
)  # fmt: skip
def test_values_of_any_range_have_one_scale(tmp_path, kind, low, high):
    steps = np.linspace(low, high, 640).reshape(10, 8, 8).astype(kind)
    data = made(tmp_path, both([tiff(one) for one in steps]))
    training = steps[[int(Path(name).stem) for name in data.split("train").table["id"]]]
    assert data.facts.scale == [float(training.min()), float(training.max())]
    shares = (steps.astype(float) - training.min()) / (float(training.max()) - float(training.min()))
    for i, found in by_name(data).items():
        assert np.abs(found - 255 * shares[i].clip(0, 1)).max() <= 0.5 + 1e-6


def test_the_user_may_say_what_is_black_and_white(tmp_path):
    deep = [tiff((RAMP.astype(np.int16) * 4) - 200 + i) for i in range(10)]
    data = made(tmp_path, both(deep), range=[0, 500])
    assert data.facts.scale == [0, 500]
    np.testing.assert_array_equal(by_name(data)[3], np.rint(255 * ((RAMP * 4.0 - 197) / 500).clip(0, 1)))
    small = made(tmp_path / "small", both([saved(RAMP // 2 + i, "PNG") for i in range(10)], "png"), range=[0, 127])
    np.testing.assert_array_equal(by_name(small)[0], np.rint(255 * ((RAMP // 2) / 127).clip(0, 1)))


def marked(i: int) -> np.ndarray:
    """A picture that no other is a copy of."""
    values = RAMP.copy()
    values[0, 0] = i
    return values


def numpy_file(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


@pytest.mark.parametrize(
    ("deep", "white"),
    [
        (lambda values: tiff(values.astype(np.uint16) * 16 + 15), 4095),
        (lambda values: tiff(values.astype(np.uint16) * 257), 65535),
        (lambda values: tiff((values / 255).astype(np.float32)), 1),
        (lambda values: numpy_file(values.astype(np.int64)), 255),
    ],
)
@pytest.mark.parametrize("tested", [False, True])
def test_pictures_of_several_depths_have_each_their_own_range(tmp_path, caplog, deep, white, tested):
    """The same picture with 8 bits and with more: the same to the network, also where only the test has more."""
    files = {}
    for i in range(16):
        is_deep = i % 4 < 2 if not tested else i >= 12
        name = f"{'train/' if i < 12 else 'test/'}{'ash' if i % 2 else 'oak'}/{i}.png"
        files[name] = deep(marked(i)) if is_deep else saved(marked(i), "PNG")
    data = made(tmp_path, files)
    for number, seen in by_name(data).items():
        assert np.abs(seen.astype(int) - marked(number)).max() <= 1
    assert f"from 0 to {white} (" in caplog.text and "8 bits from 0 to 255 (" in caplog.text
    assert data.facts.scale is None


@pytest.mark.parametrize("deep", [lambda v: tiff(v.astype(np.int16) - 100), lambda v: tiff((v * 2).astype(np.float32))])
def test_no_scale_is_made_up_for_values_that_have_none(tmp_path, deep):
    files = both([deep(marked(i)) for i in range(8)]) | {"oak/9.png": saved(RAMP, "PNG")}
    with pytest.raises(DataError) as caught:
        made(tmp_path, files)
    assert "which have no scale in common" in str(caught.value) and "1 of 8 bits (oak/9.png)" in str(caught.value)
    assert "with 8 bits, 0 for black and 255 for white" in str(caught.value)


@pytest.mark.parametrize(
    ("ends", "depth", "said"), [([0, 9], "whole numbers", "white"), ([0, 4095], "8 bits", "black")]
)
def test_a_range_that_makes_one_depth_black_or_white_is_said(tmp_path, caplog, ends, depth, said):
    deep = [tiff(marked(i).astype(np.uint16) * 16 + 16) if i % 4 < 2 else saved(marked(i), "PNG") for i in range(16)]
    made(tmp_path, both(deep), range=ends)
    assert f"all pictures of {depth} are {said}" in caplog.text


def test_colours_of_16_bits_are_read_wholly(tmp_path):
    """Values that differ in their lower 8 bits only, on one scale; beside colours of 8 bits, on the whole one."""
    deep = [np.dstack([RAMP.astype(np.uint16) + 1000 + i, 1100 - RAMP.astype(np.uint16), RAMP]) for i in range(8)]
    for kind, files in {"png": [deep_colours(one) for one in deep], "tif": [tiff(one) for one in deep]}.items():
        np.testing.assert_array_equal(read(files[0], "a").values, deep[0])
        data = made(tmp_path / kind, both(files, kind), colour=True)
        low, high = data.facts.scale or (1, 0)
        assert low == 0 and high > 1100
        for row, name in enumerate(data.table["id"]):
            wanted = np.rint(255 * (deep[int(Path(name).stem)] / high).clip(0, 1))
            np.testing.assert_array_equal(data._inputs[row], wanted.transpose(2, 0, 1))
    mixed = [deep_colours(one * 30) if i % 3 else saved(one.astype(np.uint8), "PNG") for i, one in enumerate(deep)]
    data = made(tmp_path / "mixed", both(mixed, "png"), colour=True)
    assert data.facts.scale is None
    for row, name in enumerate(data.table["id"]):
        place = int(Path(name).stem)
        wanted = np.rint(deep[place] * 30.0 / 257) if place % 3 else deep[place].astype(np.uint8)
        np.testing.assert_array_equal(data._inputs[row], wanted.transpose(2, 0, 1))


@pytest.mark.parametrize(
    "how",
    [{"byteorder": ">"}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True, "byteorder": ">"},
     {"planarconfig": "separate"}],
)  # fmt: skip
def test_tiffs_of_16_bits_a_colour_are_read_wholly_however_they_are_packed(how):
    deep = np.random.default_rng(0).integers(0, 65536, (8, 8, 3)).astype(np.uint16)
    file = io.BytesIO()
    given = np.moveaxis(deep, 2, 0) if how.get("planarconfig") else deep
    tifffile.imwrite(file, given, photometric="rgb", **how)
    np.testing.assert_array_equal(read(file.getvalue(), "a").values, deep)


def test_transparent_colours_of_16_bits_are_white():
    clear = np.where(RAMP > 100, 65535, 0)
    deep = np.dstack([RAMP.astype(np.uint16) * 3 + 7, RAMP, RAMP, clear]).astype(np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    shown = np.where(clear[..., None] > 0, deep[..., :3], 65535)
    np.testing.assert_array_equal(read(png(8, 8, 16, 6, rows), "a").values, shown)
    np.testing.assert_array_equal(read(png(8, 8, 16, 6, rows), "a", 4).values, deep)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep[..., [0, 3]])
    np.testing.assert_array_equal(read(png(8, 8, 16, 4, rows), "a").values, shown[..., 0])
    np.testing.assert_array_equal(read(png(8, 8, 16, 4, rows), "a", 2).values, deep[..., [0, 3]])


def test_of_16_bits_a_colour_that_no_library_at_hand_reads_the_upper_8_are_taken_and_it_is_said(tmp_path, caplog):
    def ppm(values: np.ndarray) -> bytes:
        return b"P6 8 8 65535\n" + np.dstack([values] * 3).astype(">u2").tobytes()

    with caplog.at_level(logging.WARNING):
        data = made(tmp_path, both([ppm(RAMP.astype(np.uint16) * 257 - 40 * i) for i in range(1, 9)], "ppm"))
    assert data.facts.scale is None and data._inputs.max() >= 251
    assert "of 16 bits a colour the upper 8 are read: " in caplog.text
    with pytest.raises(DataError, match="the upper 8 are read, and those stay below 16 of 256"):
        made(tmp_path / "dark", both([ppm(RAMP.astype(np.uint16) * 15 + i) for i in range(1, 9)], "ppm"))


def test_undefined_values_are_named_with_their_files(tmp_path):
    hole = RAMP.astype(np.float32)
    hole[3, 4] = np.nan
    files = both([tiff(RAMP.astype(np.float32) + i) for i in range(8)])
    files |= {"oak/hole.tif": tiff(hole), "ash/bright.tif": tiff(np.where(hole > 3, np.float32(np.inf), 1))}
    with pytest.raises(DamagedData) as caught:
        made(tmp_path, files)
    assert "can't be read as a picture: 2. oak/hole.tif: 1 of its values are infinite or no numbers" in str(
        caught.value
    )
    assert "; ash/bright.tif: 62 of its values are" in str(caught.value)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [2, 5])
def test_other_channels_want_a_word(kind, channels):
    values = (np.random.default_rng(0).random((6, 4, channels)) * 100).astype(kind)
    with pytest.raises(DamagedData) as caught:
        read(tiff(values), "oak/many.tif")
    assert f"oak/many.tif has {channels} channels, and pictures are of one (grey) or three" in str(caught.value)
    assert f"say how many: data.prepare.channels: {channels}" in str(caught.value)
    np.testing.assert_array_equal(read(tiff(values), "a", channels).values, values)


@pytest.mark.parametrize("values", [np.linspace(0, 1, 48).reshape(4, 4, 3), np.linspace(-1, 1, 16).reshape(4, 4)])
def test_grey_and_colours_of_any_numbers_are_read_as_such(values):
    for kind in (np.float32, np.float64):
        found = read(tiff(values.astype(kind)), "a")
        np.testing.assert_array_equal(found.values, values.astype(kind))
        assert found.depth == "fractions"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty: get it anew"),
        (bytes(5000), "it is empty (5000 bytes of nothing)"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 12\n",
            "it is a pointer of git-lfs and not the picture: run git lfs pull",
        ),
        (b"\n<!DOCTYPE html><html>Not found", "it is a web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "it is a drawing (SVG), no picture of pixels: save it"),
        (b"%PDF-1.4", "it is no picture of a known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "it is no picture of a known format"),
    ],
)
def test_what_is_no_picture_is_told_for_what_it_is(content, says):
    with pytest.raises(DamagedData) as caught:
        read(content, "oak/1.jpg")
    assert f"oak/1.jpg can't be read as a picture: {says}" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [png(100_000, 100_000, 8, 2), b"P5 100000 100000 255\n", b"P6 9000 9000 255\nx"])
def test_what_claims_to_be_huge_is_refused_by_its_header(content):
    with pytest.raises(DamagedData, match="pixels"):
        read(content, "bomb.png")


def test_the_largest_photographs_are_read_at_a_part_of_their_size(monkeypatch):
    ramp = np.linspace(0, 255, 640).astype(np.uint8)[None].repeat(480, axis=0)
    content = saved(ramp, "JPEG", quality=95)
    whole = grey(content, size=(6, 8))
    monkeypatch.setattr("cnnatomy.data.pictures.MOST_PIXELS", 640 * 480 - 1)
    picture = read(content, "a")
    assert picture.size == (640, 480) and np.asarray(picture.values).shape == (60, 80)
    assert np.abs(pixels(picture, (6, 8), colour=False)[0].astype(int) - whole).max() <= 2
    with pytest.raises(DamagedData, match="it has 640 × 480 pixels"):
        read(saved(ramp, "PNG"), "a")


def test_what_claims_to_be_large_in_a_few_bytes_is_refused_but_for_blank_pages():
    """A canvas of 20 million pixels takes a second to fill, whatever is on it."""
    small = bytearray(saved(Image.fromarray(RAMP), "WEBP", save_all=True, append_images=[Image.fromarray(255 - RAMP)]))
    small[24:30] = (7).to_bytes(3, "little") + (1_000_000).to_bytes(3, "little")
    with pytest.raises(DamagedData, match="it claims 8 × 1000001 pixels, and has"):
        read(bytes(small), "a")
    blank = saved(Image.new("1", (5000, 7000), 1), "TIFF", compression="group4")
    assert len(blank) < 5000 and (grey(blank) == 255).all()


def test_a_picture_that_lies_on_its_side_is_turned():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to the right
    picture = read(saved(RAMP[:4], "PNG", exif=exif), "a")
    assert picture.size == (4, 8)
    np.testing.assert_array_equal(np.asarray(picture.values), np.rot90(RAMP[:4], -1))


def test_notes_that_make_no_sense_do_not_hide_the_picture():
    content = saved(RAMP, "JPEG", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert np.abs(grey(content).astype(int) - RAMP).max() < 12


def test_colours_however_they_are_stored():
    rgb = np.dstack([RAMP, 255 - RAMP, RAMP // 2])
    for image in (Image.fromarray(rgb), Image.fromarray(rgb).convert("P", palette=Image.Palette.ADAPTIVE, colors=256)):
        np.testing.assert_array_equal(
            pixels(read(saved(image, "PNG"), "a"), (8, 8), colour=True), rgb.transpose(2, 0, 1)
        )
    cmyk = pixels(
        read(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100), "a"), (8, 8), colour=True
    )
    assert np.abs(cmyk.astype(int) - np.array([255, 0, 0])[:, None, None]).max() < 8
    bits = Image.fromarray((RAMP > 100).astype(np.uint8) * 255).convert("1")
    np.testing.assert_array_equal(grey(saved(bits, "PNG")), (RAMP > 100) * 255)


def test_what_is_transparent_is_white():
    clear = np.where(RAMP > 100, 255, 0).astype(np.uint8)
    shown = np.where(RAMP > 100, RAMP, 255)
    np.testing.assert_array_equal(grey(saved(np.dstack([RAMP, clear]), "PNG")), shown)
    np.testing.assert_array_equal(grey(saved(np.dstack([RAMP, RAMP, RAMP, clear]), "PNG")), shown)
    palette = Image.fromarray(RAMP).convert("P")
    index = palette.getpixel((0, 0))
    found = grey(saved(palette, "PNG", transparency=index))
    assert found[0, 0] == 255 and found[7, 7] == RAMP[7, 7]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_a_moving_picture_the_first_is_taken_and_it_is_said(kind, tmp_path, caplog):
    frames = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (40, 200)]
    how = {"lossless": True} if kind == "WEBP" else {}
    files = both([saved(np.full((8, 8), 20 + i, np.uint8), "PNG") for i in range(9)], "png")
    moving = saved(frames[0], kind, save_all=True, append_images=frames[1:], **how)
    with caplog.at_level(logging.WARNING):
        data = made(tmp_path, files | {"ash/99.gif": moving})
    assert (by_name(data)[99] == 40).all() and data.facts.counts["moving"] == 1
    assert "of moving images the first picture is taken: ash/99.gif" in caplog.text


def test_pictures_that_are_cut_off_are_named_together(tmp_path):
    random = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    files = both([saved(np.full((8, 8), 20 + i, np.uint8), "PNG") for i in range(9)], "png")
    files |= {
        f"oak/cut{i}.{kind}": saved(random, kind.upper())[:1500] for i, kind in enumerate(("jpeg", "png", "webp"))
    }
    with pytest.raises(DamagedData) as caught:
        made(tmp_path, files)
    assert all(f"cut{i}" in str(caught.value) for i in range(3))


def fitted(fit: str, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    """A picture of 8 × 16, its left half 50 and its right half 200."""
    wide = np.repeat(np.array([[50, 200]], np.uint8), 8, axis=1).repeat(8, axis=0)
    return pixels(read(saved(wide, "PNG"), "a"), size, colour=False, fit=fit)[0]  # type: ignore[arg-type]


def test_what_becomes_of_rectangles_is_chosen(tmp_path, caplog):
    crop = fitted("crop")
    assert (crop[:, :3] == 50).all() and (crop[:, 5:] == 200).all()
    squash = fitted("squash")
    assert squash.shape == (8, 8) and (squash[:, 0] == 50).all() and (squash[:, 7] == 200).all()
    letterbox = fitted("letterbox")
    assert (letterbox[:2] == 0).all() and (letterbox[6:] == 0).all() and (letterbox[2:6, 0] == 50).all()
    assert (fitted("squash", (8, 16))[:, :8] == 50).all()
    files = both([saved(np.full((8, 16), 20 + i, np.uint8), "PNG") for i in range(9)], "png")
    with caplog.at_level(logging.WARNING):
        assert made(tmp_path, files, fit="letterbox").facts.shape == (1, 8, 8)
    assert "images of 16 × 8 are scaled to 8 × 8, all of each, with black beside it" in caplog.text
    wide = made(tmp_path, files, size=[8, 16])
    assert wide.facts.shape == (1, 8, 16) and [len(axis.values) for axis in wide.facts.axes] == [8, 16]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"fit": "stretch"}, "data.prepare.fit is 'stretch'; it is one of crop, letterbox, squash"),
        ({"size": [8, 8, 8]}, "data.prepare.size is"),
        ({"size": [8, 0]}, "data.prepare.size is"),
        ({"size": True}, "data.prepare.size is True"),
        ({"range": [5]}, "data.prepare.range is"),
        ({"range": [5, 5]}, "data.prepare.range is"),
        ({"range": "0-255"}, "data.prepare.range is '0-255'"),
        ({"normalise": "imagenet"}, "with data.prepare.colour: true imagenet"),
        ({"normalise": "imagenet", "colour": True, "channels": 4}, "data.prepare.channels must be null or 3"),
        ({"channels": 0}, "data.prepare.channels is 0"),
        ({"channels": True}, "data.prepare.channels is True"),
        ({"channels": 4}, "data.prepare.colour is false and data.prepare.channels is 4"),
        ({"channels": 2, "colour": True, "channel_names": ["a"]}, "data.prepare.channel_names is ['a']"),
        ({"channels": 2, "colour": True, "channel_names": ["a", "a"]}, "a list of different names"),
        ({"channel_names": ["a"]}, "one for each of data.prepare.channels"),
        ({"channels": 2, "colour": True, "shown": [3]}, "data.prepare.shown is [3]"),
        ({"channels": 2, "colour": True, "shown": [1, 2]}, "data.prepare.shown is [1, 2]"),
        ({"shown": [1]}, "and wants data.prepare.channels"),
        ({"channels": 2, "colour": True, "range": [[0, 1]]}, "or with data.prepare.channels such a pair for each"),
        ({"range": [[0, 1], [0, 1]]}, "data.prepare.range is [[0, 1], [0, 1]]"),
        ({"colour": "yes"}, "data.prepare.colour is 'yes'"),
        ({"normalise": "none", "colour": True}, "data.prepare.normalise is 'none'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, changes, says):
    files = both([saved(np.full((8, 8), 20 + i, np.uint8), "PNG") for i in range(9)], "png")
    with pytest.raises(DataError) as caught:
        made(tmp_path, files, **changes)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("size=0", "data.prepare.size is 0"),
        ("fit=fill", "data.prepare.fit is 'fill'"),
        ("range=[9,1]", "data.prepare.range is [9, 1]"),
        ("test=1.5", "data.prepare.validation is 0.1 and data.prepare.test 1.5"),
    ],
)
def test_they_are_refused_before_anything_is_fetched(given, says):
    with pytest.raises(ConfigurationError) as caught:
        compose(["data=own_images", f"data.prepare.{given}"])
    assert says in str(caught.value)


def test_a_network_of_imagenet_gets_what_it_was_trained_on(tmp_path):
    """Torchvision says: divide by 255, take (0.485, 0.456, 0.406) off, divide by (0.229, 0.224, 0.225)."""
    files = both([saved(np.dstack([RAMP // (i + 1), RAMP, 255 - RAMP]), "PNG") for i in range(10)], "png")
    data = made(tmp_path, files, colour=True, normalise="imagenet")
    mean, std = (np.array(v)[:, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    again = resplit(data, {"folds": 2, "fold": 0, "test": None, "validation": None}, seed=0)
    for one in (data, again):
        train = one.split("train")
        batch = to_tensor(train.facts, train.inputs)
        np.testing.assert_allclose(batch, (np.asarray(train.inputs) / 255 - mean) / std, rtol=1e-5, atol=1e-5)
        shown = to_pixels(train.facts, batch[0])
        np.testing.assert_array_equal(shown, np.asarray(train.inputs[0]).transpose(1, 2, 0))
        low, high = box(train.facts, {})
        np.testing.assert_allclose(
            [low.flatten(), high.flatten()], [(v - mean.ravel()) / std.ravel() for v in (0, 1)], rtol=1e-5
        )


def test_masks_and_thumbnails_beside_their_pictures_are_said(tmp_path, caplog):
    one = saved(np.arange(64, dtype=np.uint8).reshape(8, 8), "PNG")
    names = [f"{label}/{label} ({i}).png" for label in ("benign", "malign") for i in range(8)]
    plain = {name: one + name.encode() for name in names}
    made(tmp_path, plain | {"benign/old mask.png": one + b"x"})
    assert "as if they belonged" not in caplog.text
    masks = {
        name.replace(").png", f"){end}.PNG"): one + b"m" + name.encode()
        for name in plain
        for end in ("_mask", "_mask_1")
    }
    made(tmp_path / "more", plain | masks)
    assert "taken for pictures of their own: 32 (benign/benign (0)_mask.PNG" in caplog.text


def test_the_longest_names_of_files_hang_in_the_exhibit_of_the_data(tmp_path):
    pictures = [saved(np.full((8, 8), 20 * i, np.uint8), "PNG") for i in range(10)]
    files = {f"{'ash' if i % 2 else 'oak'}/{i} {'seen on a walk ' * 15}.png": one for i, one in enumerate(pictures)}
    config = {"first": 30, "columns": 10, "voices": 3, "sentences": 8}
    hung = hang(given(made(tmp_path, files), config), tmp_path / "hung")
    (first,) = (block for block in hung["blocks"] if block["name"] == "first")
    assert len({item["id"] for item in first["items"]}) == 8


def test_a_picture_without_a_dataset_shows_its_own_range():
    found = pixels(Picture(np.array([[100, 300]]), "whole numbers", (2, 1), False), (1, 2), colour=False)
    assert found.tolist() == [[[0, 255]]]


@pytest.mark.parametrize("shape", [(1, 400), (900, 2), (1, 1)])
def test_of_the_thinnest_picture_a_line_is_left(shape):
    found = grey(saved(np.full(shape, 200, np.uint8), "PNG"), fit="letterbox")
    assert found.shape == (8, 8) and (found == 200).sum() >= 8


def test_pictures_of_one_colour_all_over_are_said(tmp_path, caplog):
    """White drawings on nothing are white on white."""
    draw = np.random.default_rng(0)
    icons = [np.full((8, 8, 4), 255, np.uint8) for _ in range(6)]
    for icon in icons:
        icon[..., 3] = 255 * draw.integers(0, 2, (8, 8))
    plain = [saved(draw.integers(0, 256, (8, 8)).astype(np.uint8), "PNG") for _ in range(6)]
    made(
        tmp_path,
        {f"{'ab'[i % 2]}/{i}.png": one for i, one in enumerate([saved(icon, "PNG") for icon in icons] + plain)},
    )
    assert "of one colour all over, in which nothing is to be seen: 6 (" in caplog.text
    assert "set data.prepare.channels: 4" in caplog.text


def test_values_that_8_bits_hardly_use_are_said_with_the_range_that_shows_them(tmp_path, caplog):
    files = both(
        [saved(np.random.default_rng(i).integers(0, 2, (8, 8)).astype(np.uint8), "PNG") for i in range(10)], "png"
    )
    made(tmp_path, files)
    assert "no value of the training pictures is above 1, of 255" in caplog.text
    caplog.clear()
    data = made(tmp_path, files, range=[0, 1])
    assert data._inputs.max() == 255 and "will look black" not in caplog.text


def test_more_than_memory_holds_is_refused_before_it_is_asked_for(tmp_path):
    files = both([saved(RAMP + i, "PNG") for i in range(10)], "png")
    with pytest.raises(DataError, match=r"10 images of 400000 × 400000 pixels take .* GB of memory.*data.prepare.size"):
        made(tmp_path, files, size=400_000)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"mean": [0.5], "std": [0]}, "a mean and a std of each channel, of which there is one"),
        ({"mean": [127.5], "std": [127.5]}, "where black is 0 and white is 1"),
        ({"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}, "of which there is one"),
        ({"mean": [0.5]}, "data.prepare.normalise is {'mean': [0.5]}"),
        ({"mean": 0.5, "std": 0.5}, "such as {mean: [0.5], std: [0.25]}"),
    ],
)
def test_a_mean_and_a_deviation_that_are_none_are_refused(tmp_path, said, says):
    with pytest.raises(DataError) as caught:
        made(tmp_path, both([saved(RAMP + np.uint8(i), "PNG") for i in range(9)], "png"), normalise=said)
    assert says in str(caught.value)


def test_pictures_are_normalised_as_a_networks_own_training_had_it(tmp_path):
    data = made(
        tmp_path,
        both([saved(RAMP + np.uint8(i), "PNG") for i in range(9)], "png"),
        normalise={"mean": [0.5], "std": [0.25]},
    )
    assert data.facts.normalise == prepared.Normalise([0.5], [0.25], fixed=True)
    x = to_tensor(data.facts, data.split("train").inputs)
    assert torch.allclose(x, (torch.from_numpy(data.split("train").inputs) / 255 - 0.5) / 0.25, atol=1e-5)


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (-9999, np.float32, True), (np.finfo(np.float32).min, np.float32, True), (-32768, np.int16, True),
        (-1000, np.int16, False), (9999, np.uint16, False), (65535, np.uint16, False),
    ],
)  # fmt: skip
def test_a_value_that_says_that_there_is_none_is_said(tmp_path, caplog, value, kind, said):
    files = []
    for i in range(9):
        values = (RAMP + i).astype(kind)
        values[0] = value
        files.append(saved(values, "TIFF") if kind != np.int16 else _array(values))
    made(tmp_path, both(files, "npy" if kind == np.int16 else "tif"))
    assert ("as programs write where there is none" in caplog.text) == said
    caplog.clear()
    (tmp_path / "again").mkdir()
    made(tmp_path / "again", both(files, "npy" if kind == np.int16 else "tif"), range=[0, 255])
    assert "as programs write" not in caplog.text


def _array(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()
