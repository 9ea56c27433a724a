"""A user's own dataset, as small as one can be: 28 × 28 images of stripes, lying or standing, in noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnnatomy.data import archive, images
from cnnatomy.data.fetching import Into
from cnnatomy.data.origin import Origin


def fetch(into: Into, *, seed: int) -> None:
    """Draw 400 images and write them as raw data."""
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, 2, 400).astype(np.uint8)
    stripes = (np.arange(28)[None, :] // 2 + chance.integers(0, 4, (400, 1))) % 2
    pictures = np.where(labels[:, None, None] == 0, stripes[:, None, :], stripes[:, :, None]) * 150
    pictures = (pictures + chance.integers(0, 100, pictures.shape)).astype(np.uint8)
    contents = {"pictures": pictures.tobytes(), "labels": labels.tobytes()}
    into.write(contents, licence="none needed", citation="drawn by a test")


def prepare(raw: Path, folder: Path, *, digest: str, validation: int) -> None:
    """Split them: 200 for training and validation, 200 for the test."""
    with archive.Raw(raw) as source:
        pictures = np.frombuffer(source.read("pictures"), np.uint8).reshape(400, 1, 28, 28)
        labels = np.frombuffer(source.read("labels"), np.uint8)
        parts = {
            "train": slice(0, 200 - validation),
            "validation": slice(200 - validation, 200),
            "test": slice(200, 400),
        }
        splits = {name: (pictures[part], labels[part]) for name, part in parts.items()}
        images.write(folder, splits, ["standing", "lying"], Origin(source, digest))
