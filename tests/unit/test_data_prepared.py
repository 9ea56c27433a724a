"""Prepared data: what was written is what is read, memory-mapped, or an error says why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cnnatomy.data import prepared
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.prepared import Axis, Facts, Normalise

FACTS = Facts(
    name="toy",
    kind="images",
    classes=["cat", "dog"],
    shape=(1, 2, 3),
    axes=[Axis("row", "px", [0, 1]), Axis("column", "px", [0, 1, 2])],
    normalise=Normalise([0.5], [0.25]),
    licence="CC0",
    citation="nobody",
    raw="toy",
    digest="abc",
)


def inputs(n: int = 6) -> np.ndarray:
    return np.arange(n * 6, dtype=np.uint8).reshape(n, 1, 2, 3)


def samples() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "split": ["train"] * 3 + ["validation"] + ["test"] * 2,
            "label": [0, 1, 1, 0, 1, 0],
            "id": ["train/0", "train/1", "train/2", "validation/0", "test/0", "test/1"],
            "text": ["NA", 'a "quoted", one', "null", "", "two\nlines", "你好"],
        }
    )


def test_what_was_written_is_read(tmp_path: Path):
    prepared.write(tmp_path / "toy", FACTS, inputs(), samples())
    dataset = prepared.load(tmp_path / "toy")
    assert sorted(file.name for file in (tmp_path / "toy").iterdir()) == ["dataset.json", "inputs.npy", "samples.csv"]
    assert os.listdir(tmp_path) == ["toy"]
    assert dataset.facts.splits == {"train": 3, "validation": 1, "test": 2}
    assert replace(dataset.facts, splits={}, files={}) == FACTS
    test = dataset.split("test")
    assert len(test) == 2
    assert test.inputs.tolist() == inputs()[4:].tolist()
    assert test.labels.tolist() == [1, 0] and test.labels.dtype == np.int64
    assert test.table["text"].tolist() == ["two\nlines", "你好"]
    assert dataset.split("train").table["text"].tolist() == ["NA", 'a "quoted", one', "null"]
    assert dataset.split("validation").table["text"].tolist() == [""]


def test_same_input_is_same_bytes(tmp_path: Path):
    for name in ("one", "other"):
        prepared.write(tmp_path / name, FACTS, inputs(), samples())
    for file in ("dataset.json", "inputs.npy", "samples.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_an_unknown_split_is_named(tmp_path: Path):
    prepared.write(tmp_path / "toy", FACTS, inputs(), samples())
    with pytest.raises(DataError, match="'tset'.*train, validation, test"):
        prepared.load(tmp_path / "toy").split("tset")


def test_inputs_stay_on_the_disk(tmp_path: Path):
    """Loading 64 MB and looking at a few samples takes no memory of the process's own."""
    n = 64 * 1024
    facts = replace(FACTS, shape=(1, 32, 32))
    table = pd.DataFrame({"split": "train", "label": np.arange(n) % 2, "id": [str(i) for i in range(n)]})
    prepared.write(tmp_path / "toy", facts, np.ones((n, 1, 32, 32), np.uint8), table)
    script = f"""
import re, numpy
from pathlib import Path
from cnnatomy.data import prepared

def own():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

before = own()
train = prepared.load("{tmp_path / "toy"}").split("train")
assert isinstance(train.inputs, numpy.memmap)
assert train.inputs[::100].sum() == 656 * 1024
print(own() - before)
"""
    if not Path("/proc/self/status").exists():
        pytest.skip("needs Linux: reads /proc/self/status")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 32  # MB; the labels' rows take some


def test_training_needs_no_pandas(tmp_path: Path):
    prepared.write(tmp_path / "toy", FACTS, inputs(), samples())
    script = f"""
import sys
from cnnatomy.data import prepared
train = prepared.load("{tmp_path / "toy"}").split("train")
assert train.inputs.shape == (3, 1, 2, 3) and train.labels.sum() == 2
assert not {{"pandas", "torch"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("name", ["inputs.npy", "samples.csv"])
def test_a_changed_or_missing_file_is_named(tmp_path: Path, name: str):
    prepared.write(tmp_path / "toy", FACTS, inputs(), samples())
    file = tmp_path / "toy" / name
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)
    with pytest.raises(DamagedData, match=f"{name}.*SHA-256.*Delete"):
        prepared.load(tmp_path / "toy")
    file.unlink()
    with pytest.raises(DamagedData, match=f"{name} is missing"):
        prepared.load(tmp_path / "toy")


def test_a_damaged_file_out_of_a_shared_cache_is_named_where_it_lies(tmp_path: Path):
    prepared.write(tmp_path / "toy", FACTS, inputs(), samples())
    file, place = tmp_path / "toy/inputs.npy", tmp_path / "cache/4711.npy"
    place.parent.mkdir()
    file.rename(place)
    file.symlink_to(place)
    prepared.load(tmp_path / "toy")
    place.write_bytes(b"")
    with pytest.raises(DamagedData, match=f"Delete {place}, which {file} points to, and run the workflow again"):
        prepared.load(tmp_path / "toy")


def test_damaged_facts_are_named(tmp_path: Path):
    with pytest.raises(DamagedData, match="no prepared dataset.*prepare step"):
        prepared.load(tmp_path / "toy")
    prepared.write(tmp_path / "toy", FACTS, inputs(), samples())
    file = tmp_path / "toy" / "dataset.json"
    facts = json.loads(file.read_text())
    for text in ("", "{}", "[1]", json.dumps(facts)[:-5], json.dumps(facts | {"more": 1})):
        file.write_text(text)
        with pytest.raises(DamagedData, match=r"dataset\.json"):
            prepared.load(tmp_path / "toy")


def table(**columns: object) -> pd.DataFrame:
    return samples().assign(**columns)


@pytest.mark.parametrize(
    ("facts", "pixels", "rows", "message"),
    [
        (FACTS, inputs(0), samples()[:0], "'toy'.*empty"),
        (FACTS, inputs(), table(label=[1, 1, 1, 0, 0, 0]), r"'toy'.*one class \(dog\)"),
        (FACTS, inputs(5), samples(), "5 inputs, but 6 rows"),
        (FACTS, inputs().astype(np.float32), samples(), "float32"),
        (FACTS, inputs().reshape(6, 1, 3, 2), samples(), r"\(1, 3, 2\)"),
        (FACTS, inputs(), table(label=[0, 1, 2, 0, 0, 0]), "labels go from 0 to 2, but there are 2 classes"),
        (FACTS, inputs(), table(id="same"), "'same' appears twice"),
        (FACTS, inputs(), table(split=["test"] * 3 + ["train"] * 3), "sorted by split"),
        (FACTS, inputs(), samples()[["label", "split", "id"]], "starts with"),
        (
            replace(FACTS, kind="sounds"),
            np.full((6, 1, 2, 3), np.nan, np.float16),
            samples(),
            "6 inputs hold infinite or undefined numbers, first 'train/0'",
        ),
    ],
)
def test_what_cannot_be_trained_on_is_refused(tmp_path, facts, pixels, rows, message):
    with pytest.raises(DataError, match=message):
        prepared.write(tmp_path / "toy", facts, pixels, rows)
    assert not list(tmp_path.iterdir())


def test_a_dataset_to_look_at_needs_no_labels(tmp_path: Path):
    rows = pd.DataFrame({"split": "test", "label": -1, "id": [str(i) for i in range(6)]})
    prepared.write(tmp_path / "toy", FACTS, inputs(), rows)
    assert prepared.load(tmp_path / "toy").split("test").labels.tolist() == [-1] * 6
