"""Small prepared datasets of each kind, and sounds to hear, for tests that need some data and no particular ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from cnnatomy.data import prepared
from cnnatomy.data.prepared import Axis, Channel, Dataset, Facts, Normalise
from cnnatomy.exhibit import Exhibit, Showing, read
from cnnatomy.exhibit.languages import in_words

SPLITS = {"train": 60, "validation": 20, "test": 40}
CLASSES = {
    "images": ["5", "6", "7"],
    "sounds": ["five", "six", "seven"],
    "texts": ["negative", "positive"],
    "signals": ["early", "middle", "late"],
}
NORMALISE = {
    "images": Normalise(0.2, 0.3),
    "sounds": Normalise(-55.0, 12.0),
    "texts": None,
    "signals": Normalise([0.1, -0.2], [0.5, 0.4]),
}
CHANNELS = [Channel("lead 1", "mV", -0.4, 1.4), Channel("lead 2", "mV", -0.9, 0.4)]
VOCABULARY = ["<padding>", "<unknown>", "a", "good", "bad", "film", "very", "."]
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "


def small(folder: Path, kind: str, classes: list[str] | None = None, **changes: object) -> Dataset:
    """120 samples whose class can be seen: a bright row in images and sounds, a telling word, a wave in signals."""
    random = np.random.default_rng(0)
    n = sum(SPLITS.values())
    classes = classes or CLASSES[kind]
    labels = np.arange(n) % len(classes)
    split = np.repeat(list(SPLITS), list(SPLITS.values()))
    table = pd.DataFrame({"split": split, "label": labels})
    table["id"] = table["split"] + "/" + table.groupby("split").cumcount().astype(str)
    if kind == "images":
        inputs = random.integers(0, 80, (n, 1, 12, 12)).astype(np.uint8)
        inputs[np.arange(n), 0, 2 + 3 * (labels % 3)] = 255
        axes = [Axis("row", "px", list(range(12))), Axis("column", "px", list(range(12)))]
    elif kind == "sounds":
        inputs = random.normal(-60, 5, (n, 1, 16, 10)).astype(np.float16)
        inputs[np.arange(n), 0, 3 + 4 * (labels % 3)] = -10
        axes = [
            Axis("frequency", "Hz", [100.0 * (band + 1) for band in range(16)]),
            Axis("time", "s", [0.02 * frame for frame in range(10)]),
        ]
        table["voice"] = np.array(["anna", "ben", "cara", "dan"])[np.arange(n) // 3 % 4]
        table["sex"] = np.where(table["voice"].isin(["anna", "cara"]), "female", "male")
        table["file"] = [f"clips/{place}.wav" for place in range(n)]
    elif kind == "signals":
        inputs = random.normal(0, 0.1, (n, 2, 24)).astype(np.float32)
        steps = np.arange(24) - (4 + 7 * (labels % 3))[:, None]
        inputs += np.exp(-(steps**2) / 6)[:, None].astype(np.float32) * np.float32([[1], [-0.5]])
        axes = [Axis("time", "s", [0.01 * step for step in range(24)])]
        table["group"] = [f"patient {place // 3 % 4}" for place in range(n)]
    else:
        inputs = np.zeros((n, 9), dtype=np.int32)
        for place, label in enumerate(labels):
            length = 3 + place % 5
            inputs[place, :length] = random.choice([1, 2, 5, 6, 7], length)
            inputs[place, place % 3] = 3 if label else 4
        spelt = np.array([*VOCABULARY[:1], "zounds", *VOCABULARY[2:]])
        table["text"] = [" ".join(spelt[row[row > 0]]) for row in inputs]
        axes = [Axis("word", "", list(range(9)))]
    known = {
        "name": kind,
        "kind": kind,
        "classes": classes,
        "shape": inputs.shape[1:],
        "axes": axes,
        "normalise": NORMALISE[kind],
        "licence": "none",
        "citation": "Nobody 2000, Nothing",
        "raw": "small",
        "digest": "",
        "vocabulary": VOCABULARY if kind == "texts" else None,
        "channels": CHANNELS if kind == "signals" else None,
    }
    if changes.pop("unlabelled", False):
        table = table[table["split"] == "test"].assign(label=-1)
        inputs = inputs[-len(table) :]
    prepared.write(folder / kind, Facts(**(known | changes)), inputs, table)
    return prepared.load(folder / kind)


def hang(made: Exhibit | Showing, folder: Path, method: str = "method") -> dict:
    """Write an exhibit as its step would, and read it back verified, its texts in words."""
    Exhibit.of(made, "run", "small", method).write(folder, {}, {})
    return in_words(read(folder))
