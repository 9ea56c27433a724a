"""A user's own files: what becomes of them, and what he reads where something is wrong with them."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from cnnatomy.config.errors import ConfigurationError
from cnnatomy.config.listing import listing
from cnnatomy.data import archive, own, own_images, own_sounds, own_texts, prepared, recordings, sounds
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.left_out import LeftOut
from cnnatomy.data.prepared import Dataset

CONF = Path(__file__).resolve().parents[2] / "conf" / "data"
SHARES = {"validation": 0.1, "test": 0.2, "classes": None}
ROOM = {"sample_rate": 8000, "bands": 20, "frames": 20, "window": 256, "step": 128, "lowest_hz": 60}
SPECTROGRAM = ROOM | {"highest_hz": 4000, "range_db": 60}
TEXTS = {"text": "text", "label": "label", "split": None, "length": 6, "at_least": 1}
TEXTS |= {"tokens": "auto", "encoding": None}
MODULES = {
    "own_images": (
        own_images,
        {
            "size": 8,
            "fit": "crop",
            "colour": False,
            "channels": None,
            "channel_names": None,
            "shown": None,
            "range": None,
            "normalise": "data",
        },
    ),
    "own_sounds": (own_sounds, {"spectrogram": SPECTROGRAM}),
    "own_texts": (own_texts, TEXTS),
}


def png(grey: int, size: tuple[int, int] = (8, 8), mode: str = "L") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, (grey,) * len(mode) if len(mode) > 1 else grey).save(file, "PNG")
    return file.getvalue()


def wav(hertz: float, seconds: float = 0.3, rate: int = 8000, **how: str) -> bytes:
    file = io.BytesIO()
    sound = 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)
    soundfile.write(file, sound, rate, **({"format": "WAV"} | how))
    return file.getvalue()


def put(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def made(kind: str, path: Path, into: Path, fetch: Mapping[str, Any] | None = None, **changes: Any) -> Dataset:
    """Fetched and prepared, as the steps would."""
    module, settings = MODULES[kind]
    raw = into / "raw.zip"
    module.fetch(Into(raw, None, "d"), path=str(path), licence="unknown", citation="", **(fetch or {}))
    module.prepare(raw, into / "data", digest="e", **(SHARES | settings | changes))
    return prepared.load(into / "data")


def leaves(n: int = 10) -> dict[str, bytes]:
    return {f"{name}/{i}.png": png(first + i) for name, first in (("ash", 10), ("oak", 110)) for i in range(n)}


def test_images_by_class(tmp_path):
    data = made("own_images", put(tmp_path / "leaves", leaves()), tmp_path)
    facts = data.facts
    assert (facts.kind, facts.classes, facts.shape) == ("images", ["ash", "oak"], (1, 8, 8))
    assert facts.splits == {"train": 14, "validation": 2, "test": 4}
    for split in facts.splits:
        samples = data.split(split)
        assert np.bincount(samples.labels).tolist() == [len(samples) // 2] * 2, "a class has its share of each split"
        for pixels, label, name in zip(samples.inputs, samples.labels, samples.table["id"], strict=True):
            assert name.startswith(facts.classes[label])
            assert (pixels == [10, 110][label] + int(Path(name).stem)).all()


def test_the_first_samples_are_of_all_classes(tmp_path):
    data = made("own_images", put(tmp_path / "leaves", leaves(50)), tmp_path)
    assert 5 < data.split("train").labels[:20].sum() < 15


def test_copies_never_part_and_names_do_not_matter(tmp_path):
    files = leaves()
    files |= {f"{name.partition('/')[0]}/copy of {Path(name).name}": content for name, content in files.items()}
    table = made("own_images", put(tmp_path / "leaves", files), tmp_path / "one").table
    original = table["id"].str.replace("copy of ", "")
    splits = table.groupby(original)["split"]
    assert (splits.size() == 2).all() and (splits.nunique() == 1).all()
    others = {f"{name.partition('/')[0]}/x{i}.png": content for i, (name, content) in enumerate(leaves().items())}
    renamed = made("own_images", put(tmp_path / "renamed", others), tmp_path / "two").table
    assert renamed["split"].tolist() == table[~table["id"].str.contains("copy")]["split"].tolist()


def test_folders_of_splits_hold(tmp_path):
    files = {
        f"{split}/{name}/{i}.png": png(first + i)
        for split, at in (("train", 0), ("val", 4), ("test", 8))
        for name, first in (("ash", 10 + at), ("oak", 110 + at))
        for i in range(4)
    }
    data = made("own_images", put(tmp_path / "leaves", files), tmp_path)
    assert data.facts.splits == {"train": 8, "validation": 8, "test": 8}
    assert all(name.startswith(("train/", "val/", "test/")) for name in data.table["id"])


def test_without_a_folder_for_validation_some_training_images_are_taken(tmp_path, caplog):
    files = {f"{'test' if int(Path(n).stem) < 4 else 'train'}/{n}": c for n, c in leaves(14).items()}
    data = made("own_images", put(tmp_path / "leaves", files), tmp_path)
    assert data.facts.splits == {"train": 18, "validation": 2, "test": 8}
    assert made("own_images", tmp_path / "leaves", tmp_path / "all", validation=0).facts.splits["train"] == 20


def test_without_a_folder_for_the_test_some_training_images_are_taken_and_it_is_said(tmp_path, caplog):
    files = {f"{'valid' if int(Path(n).stem) < 4 else 'train'}/{n}": c for n, c in leaves(14).items()}
    with caplog.at_level(logging.WARNING):
        data = made("own_images", put(tmp_path / "leaves", files), tmp_path)
    assert data.facts.splits == {"train": 16, "validation": 8, "test": 4}
    assert "no folder is for the test, so that 0.2 of each class is cut off the training samples" in caplog.text


def test_a_training_image_that_is_in_the_test_too_is_left_out_and_counted(tmp_path, caplog):
    files = {f"train/{n}": c for n, c in leaves(10).items()} | {
        f"test/{n}": c for n, c in leaves(14).items() if int(Path(n).stem) > 7
    }
    with caplog.at_level(logging.WARNING):
        data = made("own_images", put(tmp_path / "leaves", files), tmp_path, validation=0)
    assert data.facts.splits == {"train": 16, "test": 12}
    (one,) = data.facts.left_out
    assert (one.why, one.n) == ("copy", 4) and all(name.startswith("train/") for name in one.examples)
    assert "left out copies of samples that are given for the test or for validation: 4 (train/" in caplog.text
    with pytest.raises(DataError, match="No sample of 'ash' is left to learn from"):
        made("own_images", put(tmp_path / "leaves", {f"test/{n}": c for n, c in leaves(10).items()}), tmp_path)


def test_a_picture_of_two_classes_is_in_neither(tmp_path, caplog):
    files = leaves() | {"oak/like.png": leaves()["ash/3.png"]}
    with caplog.at_level(logging.WARNING):
        data = made("own_images", put(tmp_path / "leaves", files), tmp_path)
    assert sum(data.facts.splits.values()) == 19 and not set(data.table["id"]) & {"ash/3.png", "oak/like.png"}
    assert data.facts.left_out == [LeftOut("two_classes", 2, ["ash/3.png", "oak/like.png"])]
    assert "left out samples whose content is under several classes: 2" in caplog.text


def test_a_class_may_be_called_train(tmp_path):
    files = {f"{name}/{i}.png": png(i + 10 * len(name)) for name in ("train", "bus") for i in range(5)}
    assert made("own_images", put(tmp_path / "traffic", files), tmp_path).facts.classes == ["bus", "train"]


def test_classes_that_are_numbers_stand_in_their_order():
    assert own.in_order(["10", "9", "9", "0"]) == ["0", "9", "10"]
    assert own.in_order(["10", "9", "x"]) == ["10", "9", "x"]


def test_images_of_all_sizes_and_modes_become_alike_and_it_is_said(tmp_path, caplog):
    files = leaves()
    files |= {"ash/wide.png": png(20, (40, 16)), "oak/colours.png": png(7, (9, 30), "RGB")}
    with caplog.at_level(logging.WARNING):
        data = made("own_images", put(tmp_path / "leaves", files), tmp_path, colour=True)
    assert data.facts.shape == (3, 8, 8)
    assert "images of 8 × 8 to 40 × 16 are scaled to 8 × 8, the middle of each" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO):
        made("own_images", tmp_path / "leaves", tmp_path / "larger", size=16)
        assert "the middle of each" in caplog.text  # of the wide one something is cut
        caplog.clear()
        made("own_images", put(tmp_path / "square", leaves()), tmp_path / "square_ones", size=16)
    (line,) = (record for record in caplog.records if "are scaled to" in record.message)
    assert line.message.endswith("images of 8 × 8 are scaled to 16 × 16") and line.levelno == logging.INFO


def cut(image: bytes) -> bytes:
    return image[: len(image) // 2]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "should hold a folder of each class, with .png, .jpg"),
        (
            {"a.png": png(1), "b.png": png(2)},
            "but there is only a.png, b.png. Put the files of each class into a folder",
        ),
        ({f"oak/{i}.png": png(i) for i in range(9)}, "one class only (oak)"),
        (leaves() | {"elm/.hidden": b""}, "elm should hold files of a class (.png, .jpg"),
        (leaves() | {"elm/notes.txt": b"x"}, "but there is only notes.txt. Fill it or take it away"),
        (leaves() | {"oak/half.png": cut(png(3, (300, 300)))}, "can't be read as a picture: 1. oak/half.png: "),
        (leaves() | {"oak/no.jpg": b"no picture"}, "can't be read as a picture: 1. oak/no.jpg: it is no picture of"),
        (leaves() | {"oak/none.png": b"", "oak/no.jpg": b"x"}, "; oak/none.png: it is empty: get it anew"),
        (leaves(2), "The class 'ash' has 2 different samples: with 0.2 for test and 0.1 for validation none is left"),
        (
            {f"{s}/{n}": c for s in ("train", "test", "extra") for n, c in leaves().items()},
            "Beside the folders of splits test, train there is extra. data.fetch.splits: {test: test, train:",
        ),
        (
            {f"train/{n}": c for n, c in leaves().items()} | {"test/1.png": png(1)},
            "test/1.png: it lies in no folder of a class. Put each into one, as in test/oak/1.png, or leave them",
        ),
        (
            {f"train/{n}": c for n, c in leaves().items()} | {"test/elm/1.png": png(1)},
            "The folder for training has no class elm",
        ),
    ],
)
def test_a_folder_of_images_that_will_not_do(tmp_path, files, says):
    (tmp_path / "leaves").mkdir()
    with pytest.raises(DataError) as caught:
        made("own_images", put(tmp_path / "leaves", files), tmp_path)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_all_unreadable_images_are_named_at_once(tmp_path):
    files = leaves() | {"oak/bad0.png": b"", "ash/bad1.png": b"", "oak/bad2.png": b"bad"}
    with pytest.raises(DamagedData) as caught:
        made("own_images", put(tmp_path / "leaves", files), tmp_path)
    assert all(f"bad{i}.png" in str(caught.value) for i in range(3))


def test_what_is_no_image_is_left_out_and_named(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        data = made(
            "own_images", put(tmp_path / "leaves", leaves() | {"oak/notes.txt": b"x", "read.me": b""}), tmp_path
        )
    assert sum(data.facts.splits.values()) == 20
    assert data.facts.left_out == [LeftOut("suffix", 2, ["oak/notes.txt", "read.me"])]
    assert "left out files of a kind that is not read: 2 (oak/notes.txt, read.me)" in caplog.text


def test_no_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere is no folder"):
        made("own_images", tmp_path / "nowhere", tmp_path)


@pytest.mark.parametrize("changes", [{"test": 0}, {"test": 1}, {"validation": 0.9}, {"validation": -0.1}])
def test_shares_that_leave_nothing_are_refused(tmp_path, changes):
    with pytest.raises(DataError, match="test above 0, and together below 1"):
        made("own_images", put(tmp_path / "leaves", leaves()), tmp_path, **changes)


def test_a_size_that_is_none_is_refused(tmp_path):
    with pytest.raises(DataError, match="data.prepare.size is '64px'"):
        made("own_images", put(tmp_path / "leaves", leaves()), tmp_path, size="64px")


def birds(n: int = 6) -> dict[str, bytes]:
    return {f"{name}/{i}.wav": wav(hz + 20 * i) for name, hz in (("crow", 400), ("wren", 2000)) for i in range(n)}


def test_sounds_by_class_of_any_rate_and_format(tmp_path):
    files = birds()
    files |= {
        "wren/high.wav": wav(2100, rate=44100),
        "wren/packed.flac": wav(2200, format="FLAC"),
        "crow/other.ogg": wav(500, format="OGG"),
        "crow/LOUD.WAV": wav(410),
    }
    data = made("own_sounds", put(tmp_path / "birds", files), tmp_path)
    facts = data.facts
    assert (facts.kind, facts.classes, facts.shape, facts.sample_rate) == (
        "sounds",
        ["crow", "wren"],
        (1, 20, 20),
        8000,
    )
    assert sum(facts.splits.values()) == 16 and facts.left_out == []
    bands = np.array(facts.axes[0].values)
    with archive.Raw(tmp_path / "raw.zip") as raw:
        for row, (name, file) in enumerate(zip(data.table["id"], data.table["file"], strict=True)):
            loudest = bands[data._inputs[row, 0].astype(float).mean(1).argmax()]
            assert (loudest > 1200) == name.startswith("wren")
            recording = raw.read(file)
            assert recording[:4] == b"RIFF" and soundfile.info(io.BytesIO(recording)).channels == 1
            assert file.endswith((".wav", ".WAV"))


def test_resampling_keeps_a_tone():
    sound = recordings.read(wav(1000, 0.5, 44100), "a").sound
    spectrum = np.abs(np.fft.rfft(sounds.resampled(sound, 44100, 8000)))
    assert spectrum.argmax() * 2 == pytest.approx(1000, abs=2)  # half a second: lines of 2 Hz


def test_a_mono_wav_is_kept_as_it_is_and_stereo_is_mixed():
    assert recordings.playable(wav(440), "a") == (wav(440), ())
    file = io.BytesIO()
    left = 0.4 * np.sin(np.arange(800))
    soundfile.write(file, np.stack([left, 0 * left], 1), 8000, format="WAV")
    mixed = recordings.read(recordings.playable(file.getvalue(), "b")[0], "b")
    np.testing.assert_allclose(mixed.sound, left / 2, atol=1e-3)
    assert mixed.sample_rate == 8000


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (birds() | {"crow/no.wav": b"no sound"}, "crow/no.wav: is no sound that can be read"),
        (birds() | {"crow/none.flac": b""}, "crow/none.flac: is empty (0 bytes)"),
        (
            birds() | {f"owl/{i}.wav": wav(300 + 9 * i, 0.01) for i in range(5)},
            "no clip of 'owl' is left to train on",
        ),
        ({n: wav(300 + len(n), 0.001 * i + 0.001) for i, n in enumerate(birds())}, "(too short: "),
    ],
)
def test_sounds_that_will_not_do(tmp_path, files, says):
    with pytest.raises(DataError) as caught:
        made("own_sounds", put(tmp_path / "birds", files), tmp_path)
    assert says in str(caught.value)


def test_a_clip_that_is_too_short_is_left_out_and_named_and_a_long_one_is_cut(tmp_path, caplog):
    files = birds(10) | {"crow/click.wav": wav(400, 0.005), "wren/long.wav": wav(2000, 2.0)}
    with caplog.at_level(logging.WARNING):
        data = made("own_sounds", put(tmp_path / "birds", files), tmp_path)
    assert data.facts.counts == {"cut": 1} and data.facts.left_out == [LeftOut("too_short", 1, ["crow/click.wav"])]
    assert "crow/click.wav (too short" in caplog.text and "longer than the window of 0.34 s" in caplog.text


ROWS = [f"film {i} was {'good' if i % 2 else 'bad'},{'for' if i % 2 else 'against'}" for i in range(40)]


def table(rows: list[str], header: str = "text,label") -> str:
    return "\n".join([header, *rows]) + "\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", table(ROWS)),
        ("a.tsv", table(ROWS).replace(",", "\t")),
        ("a.csv", table(ROWS).replace(",", ";")),
        ("a.csv", "\ufeff" + table(ROWS).replace("\n", "\r\n")),
        ("A.CSV", "".join(f'"{t}","{v}"\n' for t, v in (row.split(",") for row in table(ROWS).splitlines()))),
    ],
)
def test_a_table_of_texts(tmp_path, name, content):
    data = made("own_texts", put(tmp_path, {name: content}) / name, tmp_path)
    assert data.facts.classes == ["against", "for"] and data.facts.shape == (6,)
    assert data.facts.splits == {"train": 28, "validation": 4, "test": 8}
    for text, label in zip(data.table["text"], data.table["label"], strict=True):
        assert ("good" in text) == (data.facts.classes[label] == "for")


def test_copies_of_a_text_never_part(tmp_path):
    rows = [*ROWS, *(row.replace("film", "FILM  ") for row in ROWS)]
    data = made("own_texts", put(tmp_path, {"a.csv": table(rows)}) / "a.csv", tmp_path)
    splits = data.table.groupby(data.table["text"].str.lower())["split"]
    assert (splits.size() == 2).all() and (splits.nunique() == 1).all()


def test_a_column_says_the_split(tmp_path):
    rows = [f"{row},{'test' if i < 10 else 'Train'}" for i, row in enumerate(ROWS)]
    path = put(tmp_path, {"a.csv": table(rows, "text,label,part")}) / "a.csv"
    data = made("own_texts", path, tmp_path, split="part")
    assert data.facts.splits == {"train": 26, "validation": 4, "test": 10}
    assert sorted(data.split("test").table["text"]) == sorted(row.split(",")[0] for row in ROWS[:10])


def test_a_text_that_is_long_or_empty(tmp_path):
    rows = [*ROWS, '"' + "very long " * 20000 + '",for', ",for", '"---",against']
    data = made("own_texts", put(tmp_path, {"a.csv": table(rows)}) / "a.csv", tmp_path)
    assert data.facts.left_out == [LeftOut("no_words", 2, ["line 43", "line 44"])] and data.facts.counts["cut"] == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (table(ROWS, "review,stars"), "has no column 'text', 'label': its first lines, cut at commas, name 'review', "),
        (table(ROWS, "review;text;stars").replace(",", ";"), "no column 'label': its first lines, cut at semicolons"),
        (table([*ROWS[:3], "no label,"]), "a.csv, line 5: there is nothing in the column 'label'"),
        (table([*ROWS[:3], "no label"]), "a.csv, line 5: there is nothing in the column 'label'"),
        (table([*ROWS[:3], "a, b,for"]), "a.csv, line 5: there are more values than columns. Put quotes around"),
        (table([row for row in ROWS if "good" in row]), "there is one label only (for)"),
        (table([*ROWS, "what,neither"]), "The class 'neither' has 1 different samples"),
        (
            table([f"film {i},{i / 7}" for i in range(9)]),
            "the column 'label' has 9 different values in 9 rows (0.0, 0.14",
        ),
        (table([]), "a line of names and no row below it"),
        ("", "name nothing"),
        (
            table(["很好,for"] * 40).encode() + b"\xff,for\n",
            "is in UTF-8 but for 1 places, the first byte 451, in line 42",
        ),
    ],
)
def test_a_table_that_will_not_do(tmp_path, content, says):
    with pytest.raises(DataError) as caught:
        made("own_texts", put(tmp_path, {"a.csv": content}) / "a.csv", tmp_path)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_a_class_that_is_asked_for_and_never_shown_is_refused(tmp_path):
    rows = [f"{row},{'test' if i < 10 else 'train'}" for i, row in enumerate(ROWS)]
    path = put(tmp_path, {"a.csv": table([*rows, "other,neither,test"], "text,label,part")}) / "a.csv"
    with pytest.raises(DataError, match="No sample of 'neither' is there to train on, but some are for test"):
        made("own_texts", path, tmp_path, split="part")


def test_a_split_that_is_none_is_named_with_its_line(tmp_path):
    rows = [f"{row},{'test' if i < 10 else 'train'}" for i, row in enumerate(ROWS)]
    path = put(tmp_path, {"a.csv": table([*rows, "x,for,later"], "text,label,part")}) / "a.csv"
    with pytest.raises(DataError, match="line 42: the split is 'later'"):
        made("own_texts", path, tmp_path, split="part")
    path = put(tmp_path, {"b.csv": table(rows[10:], "text,label,part")}) / "b.csv"
    with pytest.raises(DataError, match="should say train in some rows and test in some others"):
        made("own_texts", path, tmp_path, split="part")


@pytest.mark.parametrize("name", ["nowhere.csv", "a.xlsx"])
def test_what_is_no_table_is_named(tmp_path, name):
    put(tmp_path, {"a.xlsx": b"PK"})
    with pytest.raises(DataError, match=f"{name} is no table: name a file whose name ends with .csv, .tsv, .jsonl"):
        made("own_texts", tmp_path / name, tmp_path)


def test_the_same_files_make_the_same_bytes(tmp_path):
    folder = put(tmp_path / "leaves", leaves())
    for into in ("one", "two"):
        made("own_images", folder, tmp_path / into)
    for file in ("raw.zip", "data/inputs.npy", "data/samples.csv", "data/dataset.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_listing_changes_with_the_files_and_with_nothing_else(tmp_path):
    folder = put(tmp_path / "leaves", leaves())
    first = listing(str(folder), "x")
    put(folder, {".DS_Store": b"x", "oak/.thumbnail": b"x"})
    assert listing(str(folder), "x") == first
    folder = folder.rename(tmp_path / "moved")
    assert listing(str(folder), "x") == first
    put(folder, {"oak/new.png": png(1)})
    assert listing(str(folder), "x") != first
    (folder / "oak/new.png").unlink()
    assert listing(str(folder), "x") == first
    os.utime(folder / "oak/1.png", ns=(0, 12345))
    assert listing(str(folder), "x") != first
    file = folder / "ash/1.png"
    assert listing(str(file), "x") != listing(str(folder / "ash/2.png"), "x")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (None, "data.fetch.path: name your folder or file"),
        ("/no/such", "data.fetch.path: there is nothing at /no/such"),
    ],
)
def test_data_that_are_not_there_stop_everything_at_once(path, says, tmp_path, monkeypatch):
    from cnnatomy.config.plan import Plan

    name = "nameless" if path is None else "nowhere"  # compositions are remembered by what was asked for
    run = f"# @package _global_\ndefaults: [mnist, {{override /data: {name}}}, _self_]\n"
    data = f"defaults: [own_images, _self_]\nname: m\nfetch: {{path: {path or 'null'}}}\n"
    put(tmp_path / "conf", {f"run/{name}.yaml": run, f"data/{name}.yaml": data})
    monkeypatch.setenv("CNNATOMY_CONF", str(tmp_path / "conf"))
    with pytest.raises(ConfigurationError) as caught:
        Plan("default", (f"report.runs=[{name}]",)).check()
    assert says in str(caught.value)


@pytest.mark.parametrize("name", list(MODULES))
def test_the_templates_say_what_the_functions_take(name):
    from cnnatomy.config.compose import compose

    config = compose([f"data={name}"])["data"]
    assert config["raw"] == config["name"] == name and config["kind"] == name.removeprefix("own_")
    assert config["fetch"]["licence"] == "unknown"
    assert set(config["prepare"]) - {"_target_"} == set(SHARES | MODULES[name][1])


def test_a_name_of_ones_own_is_the_name_of_the_raw_data_too(tmp_path, monkeypatch):
    from cnnatomy.config.compose import compose
    from cnnatomy.config.slices import slice_of

    put(tmp_path / "conf", {"data/x.yaml": f"defaults: [own_images, _self_]\nname: x\nfetch: {{path: {tmp_path}}}\n"})
    monkeypatch.setenv("CNNATOMY_CONF", str(tmp_path / "conf"))
    config = compose(["data=x"])
    assert config["data"]["raw"] == "x"
    assert str(tmp_path) not in str(slice_of("fetch", config))


@pytest.mark.parametrize("kind", ["images", "sounds", "texts"])
def test_files_without_any_suffix_are_taken_for_what_is_asked_for(tmp_path, caplog, kind):
    """As sets of news have them, a number each."""
    contents = {
        "images": lambda c, i: png(100 * c + i),
        "sounds": lambda c, i: wav(400 + 300 * c + i, format="FLAC" if i % 2 else "WAV"),
        "texts": lambda c, i: f"{'good' if c else 'bad'} number{i}",
    }[kind]
    place = put(tmp_path / "in", {f"{'ab'[c]}/{1000 + i}": contents(c, i) for c in (0, 1) for i in range(10)})
    facts = made(f"own_{kind}", place, tmp_path).facts
    assert sum(facts.splits.values()) == 20 and not facts.left_out
    assert "files without a suffix, which are taken: 20" in caplog.text


def test_beside_files_with_a_suffix_those_without_are_left_out(tmp_path):
    place = put(tmp_path / "in", {f"{c}/{i}{'.png' * (i > 2)}": png(10 * i) for c in "ab" for i in range(9)})
    assert len(own.packed(str(place), (".png",))) == 12


def test_a_class_without_a_test_sample_is_said(tmp_path, caplog):
    files = {f"train/{name}": content for name, content in leaves().items()}
    files |= {f"train/unsup/{i}.png": png(200 + i) for i in range(10)}
    files |= {f"test/{name}": png(10 * place + 3) for place, name in enumerate(leaves(4))}
    data = made("own_images", put(tmp_path / "leaves", files), tmp_path)
    assert data.facts.classes == ["ash", "oak", "unsup"]
    assert "the test has no sample of 'unsup'" in caplog.text


def test_nothing_is_said_of_classes_that_are_tested(tmp_path, caplog):
    made("own_images", put(tmp_path / "leaves", leaves()), tmp_path)
    assert "the test has no sample" not in caplog.text


@pytest.mark.parametrize("kind", ["own_images", "own_sounds", "own_texts"])
def test_the_classes_stand_in_the_order_that_a_network_has(tmp_path, kind):
    names = ("2", "10", "1")
    contents = {
        "own_images": lambda c, i: ("png", png(20 * c + i)),
        "own_sounds": lambda c, i: ("wav", wav(400 + 300 * c + 5 * i)),
        "own_texts": lambda c, i: ("txt", f"word{c} number{i}"),
    }[kind]
    files = {f"{name}/{i}.{contents(0, 0)[0]}": contents(c, i)[1] for c, name in enumerate(names) for i in range(10)}
    place = put(tmp_path / "given", files)
    assert made(kind, place, tmp_path).facts.classes == ["1", "2", "10"]
    data = made(kind, place, tmp_path, classes=["1", "10", 2])
    assert data.facts.classes == ["1", "10", "2"]
    train = data.split("train")
    whose = train.table["text" if kind == "own_texts" else "id"]
    for label, said in zip(train.labels, whose, strict=True):
        name = data.facts.classes[label]
        assert said.startswith(f"word{names.index(name)} " if kind == "own_texts" else f"{name}/")
    with pytest.raises(DataError, match=r"data.prepare.classes is \[1, 2\], and the classes are 1, 2, 10"):
        made(kind, place, tmp_path, classes=["1", "2"])
