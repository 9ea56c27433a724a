"""Every reader of pictures, folders and archives, with files that are damaged at random or made to do harm."""

from __future__ import annotations

import io
import json
import logging
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, features

from cnnatomy.data import archive, layout, pictures, prepared
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.left_out import LeftOut
from tests.faults.fuzzing import CASES, MEMORY, _memory_from_here, _most_memory, chance, survives
from tests.unit.picture_files import deep_colours, png, saved, tiff
from tests.unit.small_data import small

NOISE = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
GREY = NOISE[:, :, 0]
EXIF = Image.Exif()
EXIF[0x0112], EXIF[0x010E] = 6, "a picture"
COLOUR = Image.fromarray(NOISE)


FIVE = np.random.default_rng(1).integers(0, 256, (24, 20, 5), np.uint8)


def _npy(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def _npz(save: Callable[..., None], *arrays: np.ndarray, **named: np.ndarray) -> bytes:
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


def _bands(values: np.ndarray, **how: Any) -> bytes:
    """A TIFF as tifffile writes it."""
    file = io.BytesIO()
    tifffile.imwrite(file, values, **how)
    return file.getvalue()


def _of_five_channels() -> dict[str, bytes]:
    planes = np.ascontiguousarray(np.moveaxis(FIVE, 2, 0))
    return {
        "npy": _npy(FIVE.astype(np.float32)),
        "npz": _npz(np.savez_compressed, planes),
        "tiff": tiff(FIVE),
        "deep": tiff(FIVE.astype(np.uint16) * 99),
        "planes": _bands(planes, photometric="minisblack", planarconfig="separate"),
        "packed": _bands(
            FIVE.astype(np.int16), photometric="minisblack", planarconfig="contig", compression="zlib", rowsperstrip=4
        ),
        "tiles": _bands(FIVE, photometric="minisblack", planarconfig="contig", tile=(16, 16), bigtiff=True),
        "pages": _bands(planes, photometric="minisblack", metadata=None),
        "deep pages": _bands(planes.astype(np.float32), photometric="minisblack", metadata=None),
    }


def _contents() -> dict[str, dict[str, bytes]]:
    """Contents of each format, of several modes."""

    def moving(kind: str, image: Image.Image = COLOUR, **how: object) -> bytes:
        return saved(image.copy(), kind, save_all=True, append_images=[Image.fromarray(255 - NOISE)], **how)

    palette = COLOUR.convert("P")
    everything: dict[str, dict[str, bytes]] = {
        "png": {
            "colour": saved(COLOUR, "PNG", exif=EXIF),
            "palette": saved(palette, "PNG", transparency=3),
            "clear": saved(np.dstack([NOISE, GREY]), "PNG"),
            "grey": saved(GREY.astype(np.uint16) * 99, "PNG"),
            "deep": deep_colours(NOISE.astype(np.uint16) * 257),
            "bits": saved(COLOUR.convert("1"), "PNG"),
            "moving": moving("PNG"),
        },
        "jpeg": {
            "colour": saved(COLOUR, "JPEG", exif=EXIF),
            "progressive": saved(COLOUR, "JPEG", progressive=True),
            "cmyk": saved(COLOUR.convert("CMYK"), "JPEG"),
            "two": moving("MPO"),
        },
        "gif": {"moving": moving("GIF", palette), "clear": saved(palette, "GIF", transparency=0)},
        "bmp": {
            "colour": saved(COLOUR, "BMP"),
            "palette": saved(palette, "BMP"),
            "bits": saved(COLOUR.convert("1"), "BMP"),
        },
        "tiff": {
            **{f"{values.dtype}": tiff(values) for values in (GREY, GREY.astype(np.int16), GREY.astype(np.float32))},
            "colour": tiff(NOISE),
            "packed": saved(COLOUR, "TIFF", compression="tiff_lzw"),
            "jpeg": saved(COLOUR, "TIFF", compression="jpeg"),
            "moving": moving("TIFF"),
        },
        "webp": {"colour": saved(COLOUR, "WEBP", exif=EXIF), "moving": moving("WEBP", lossless=True)},
        "jpeg2000": {"colour": saved(COLOUR, "JPEG2000"), "deep": saved(GREY.astype(np.uint16) * 99, "JPEG2000")},
        "ppm": {
            "colour": saved(COLOUR, "PPM"),
            "deep": saved(GREY.astype(np.uint16), "PPM"),
            "plain": b"P3 2 2 255 " + b"1 2 3 " * 4,
            "fractions": saved(GREY.astype(np.float32), "PPM"),
        },
    }
    everything["tiff"] |= {"deep": tiff(NOISE.astype(np.uint16) * 257), "fractions": tiff(NOISE.astype(np.float32))}
    everything["numpy"] = {
        **{f"{values.dtype}": _npy(values) for values in (NOISE, GREY.astype(np.int16), NOISE.astype(np.float64))},
        "first": _npy(np.asfortranarray(np.moveaxis(NOISE, 2, 0))),
        "packed": _npz(np.savez_compressed, image=NOISE),
        "zip": _npz(np.savez, GREY.astype(np.float16)),
    }
    if features.check("avif"):
        everything["avif"] = {"colour": saved(COLOUR, "AVIF", exif=EXIF), "moving": moving("AVIF")}
    return everything


def look(content: bytes) -> None:
    picture = pictures.read(content, "a")
    for fit in ("crop", "letterbox", "squash"):
        for colour in (False, True):
            found = pictures.pixels(picture, (8, 6), colour=colour, fit=fit)
            assert found.shape == (3 if colour else 1, 8, 6) and found.dtype == np.uint8


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", list(_contents()))
def test_a_damaged_picture_is_read_or_refused(kind):
    outcomes = survives(look, _contents()[kind])
    assert outcomes["refused"] > CASES / 50


@pytest.mark.filterwarnings("ignore")
def test_a_damaged_picture_of_five_channels_is_read_or_refused():
    def look(content: bytes) -> None:
        picture = pictures.read(content, "a", 5)
        assert pictures.pixels(picture, (8, 6), colour=None).shape == (5, 8, 6)

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    outcomes = survives(look, _of_five_channels())
    assert outcomes["refused"] > CASES / 50


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (b"{'descr': '|u1', 'fortran_order': False, 'shape': (100000, 100000), }", "it claims 10000 MB"),
        (
            b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000, 1000), }",
            "its header claims 8000000 bytes",
        ),
        (b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1, -8), }", "its header claims 8 bytes"),
        (b"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 8), }", "its header claims 0 bytes"),
        (b"{'descr': '|O', 'fortran_order': False, 'shape': (8,), }", "it holds object where a picture is of numbers"),
        (b"{'descr': '<U4', 'fortran_order': False, 'shape': (2, 2), }", "it holds <U4 where a picture is of numbers"),
        (b"{'descr': '|V2000000000', 'fortran_order': False, 'shape': (1,), }", "where a picture is of numbers"),
        (b"__import__('os').system('touch here')", "its header is damaged"),
    ],
)
def test_an_array_whose_header_lies_is_refused_unread(header, says):
    head = header.ljust(118) + b"\n"
    content = b"\x93NUMPY\x01\0" + len(head).to_bytes(2, "little") + head + bytes(64)
    before = _memory_from_here()
    with pytest.raises(DamagedData) as caught:
        pictures.read(content, "oak/lies.npy")
    assert says in str(caught.value) and _most_memory() - before < 50


def test_an_archive_of_arrays_that_swells_is_refused_unread():
    content = _npz(np.savez_compressed, np.zeros((15_000, 15_000), np.uint8))
    before = _memory_from_here()
    with pytest.raises(DamagedData, match="it holds more than 200 MB, reduce it"):
        pictures.read(content, "oak/swells.npz")
    assert _most_memory() - before < 50


def _chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


def _swollen(name: bytes) -> bytes:
    """A PNG with a note, or colours, of 300 MB that take a third of one."""
    packer = zlib.compressobj(9)
    swollen = b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    whole = saved(COLOUR, "PNG")
    return whole[:33] + _chunk(name, b"a\0\0" + swollen) + whole[33:]


BOMBS = {
    "claims": png(100_000, 100_000, 8, 2, b"\0"),
    "wide": b"P6 2000000000 1 255\n",
    "gif": b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(6) + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;",
    "bmp": saved(COLOUR, "BMP")[:18] + (60_000).to_bytes(4, "little") * 2 + saved(COLOUR, "BMP")[26:],
    "tiff": tiff(GREY).replace((20).to_bytes(4, "little"), (90_000).to_bytes(4, "little")),
}


@pytest.mark.parametrize("kind", [*BOMBS, "zTXt", "iCCP"])
def test_a_picture_that_swells_is_stopped(kind):
    content = BOMBS.get(kind) or _swollen(kind.encode())
    before, began = _memory_from_here(), time.process_time()
    try:
        pictures.read(content, "bomb")
        assert kind not in BOMBS
    except DamagedData:
        pass
    assert time.process_time() - began < 2 and _most_memory() - before < MEMORY


def _raw(folder: Path) -> bytes:
    target = folder / "raw.zip"
    contents = {f"oak/{i}.png": bytes(range(40)) for i in range(3)}
    notes = archive.Notes([LeftOut("suffix", 1, ["a"])], [asdict(layout.Part("oak"))])
    archive.write(target, contents, digest="d", licence="", citation="", notes=notes)
    return target.read_bytes()


def test_a_damaged_archive_is_read_whole_or_refused(tmp_path):
    place = tmp_path / "damaged.zip"

    def everything(content: bytes) -> None:
        place.write_bytes(content)
        with archive.Raw(place) as raw:
            assert all(raw.read(name) == bytes(range(40)) for name in raw.names)

    assert survives(everything, {"raw": _raw(tmp_path)})["refused"] > CASES / 2


def test_a_packed_member_that_swells_is_refused_unread(tmp_path):
    target = tmp_path / "raw.zip"
    manifest = {"files": {"big": "0"}, "dataset": "raw"}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr(archive.MANIFEST, json.dumps(manifest), zipfile.ZIP_STORED)
        with bomb.open("big", "w") as big:
            for _ in range(200):
                big.write(bytes(1 << 20))
    before = _memory_from_here()
    with archive.Raw(target) as raw, pytest.raises(DamagedData, match="packed"):
        raw.read("big")
    assert _most_memory() - before < 50


def test_damaged_facts_and_arrays_are_read_or_refused(tmp_path):
    small(tmp_path, "images", left_out=[LeftOut("suffix", 1, ["a"])], scale=[0.0, 4095.0])
    place = tmp_path / "images"
    for name in ("dataset.json", "inputs.npy", "samples.csv"):
        whole = (place / name).read_bytes()

        def load(content: bytes, name: str = name) -> None:
            (place / name).write_bytes(content)
            prepared.load(place)

        assert survives(load, {name: whole}, CASES // 2 if name == "dataset.json" else CASES // 4)["refused"]
        (place / name).write_bytes(whole)


WORDS = (
    *("train", "test", "val", "Training", "seg_train", "dev", "oak", "ash", "Oak", "1", "2", "data", "images", "eval"),
    *("train_x", "test_x", "cafe\u0301", "caf\xe9", "a b", "训练"),
)


def test_any_tree_of_folders_is_understood_or_asked_about():
    """A file is of one class or loose; folders of several splits are no classes, unless the user says so."""
    for number in range(CASES):
        random = chance("folders", number)
        names = set()
        depth = random.integers(1, 5)
        few = random.choice(WORDS, random.integers(1, 5))
        for i in range(random.integers(1, 30)):
            names.add("/".join([*random.choice(few, random.integers(0, depth + 1)), f"{i}.png"]))
        given: object = random.choice(np.array([None, False, {"train": "train"}, {"a": 3}], dtype=object))
        try:
            parts = layout.understood(sorted(names), given)  # type: ignore[arg-type]
            found, loose = layout.filed(sorted(names), parts)
        except DataError as error:
            assert str(error) and "\n" not in str(error)
            continue
        assert sorted([*(one.name for one in found), *loose]) == sorted(names)
        if given is None:
            meant = layout.splits_of({one.label for one in found})
            assert len(set(meant.values())) < 2 or len({one.split for one in found}) > 1, (number, sorted(names))
