"""Images as uint8 arrays with their axes in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnatomy.data import prepared
from cnnatomy.data.errors import DataError
from cnnatomy.data.origin import Origin
from cnnatomy.data.prepared import Axis, Channel, Normalise

#: What networks trained on ImageNet are given: mean and standard deviation of its red, green and blue.
IMAGENET = Normalise([0.485, 0.456, 0.406], [0.229, 0.224, 0.225], fixed=True)


@dataclass(frozen=True)
class Values:
    """How the values of images are to be read. scale, channels, shown: see `Facts`.

    normalise: taken from the training split unless given, `IMAGENET` for networks that were trained on ImageNet.
    """

    normalise: Normalise | None = None
    scale: tuple[float, float] | None = None
    channels: Sequence[Channel] | None = None
    shown: Sequence[int] | None = None


def write(
    folder: Path,
    splits: Mapping[str, tuple[np.ndarray, np.ndarray]],
    classes: list[str],
    origin: Origin,
    *,
    ids: Mapping[str, list[str]] | None = None,
    values: Values | None = None,
) -> None:
    """Write a prepared dataset of images.

    splits: images uint8 (n, channels, height, width) and labels (n,) of each split, in the order train, validation,
        test.
    ids: of the samples of each split; `test/0`, `test/1`, ... unless given.
    """
    import pandas as pd

    inputs = np.concatenate([pixels for pixels, _ in splits.values()])
    height, width = inputs.shape[2:]
    rows = [
        pd.DataFrame(
            {
                "split": split,
                "label": labels.astype(np.int64),
                "id": ids[split] if ids else [f"{split}/{i}" for i in range(len(labels))],
            }
        )
        for split, (_, labels) in splits.items()
    ]
    values = values or Values()
    facts = origin.facts(
        folder,
        "images",
        classes,
        shape=inputs.shape[1:],
        axes=[Axis("row", "px", list(range(height))), Axis("column", "px", list(range(width)))],
        normalise=values.normalise or brightness(splits["train"][0]),
        scale=None if values.scale is None else list(values.scale),
        channels=None if values.channels is None else list(values.channels),
        shown=None if values.shown is None else list(values.shown),
    )
    prepared.write(folder, facts, inputs, pd.concat(rows, ignore_index=True))


def brightness(pixels: np.ndarray) -> Normalise:
    """Mean and standard deviation of each channel, in units of full white; exact, from the counts of the 256 values."""
    if not pixels.size:
        raise DataError("data.prepare.validation: no image is left to train on. Make the validation split smaller.")
    values = np.arange(256) / 255
    means, stds = [], []
    for channel in range(pixels.shape[1]):
        # np.bincount makes 8 bytes of every pixel, so that a thousand images at a time are counted.
        counts = sum(
            np.bincount(pixels[i : i + 1000, channel].ravel(), minlength=256) for i in range(0, len(pixels), 1000)
        )
        share = counts / pixels[:, channel].size
        mean = float(share @ values)
        means.append(mean)
        stds.append(max(float(np.sqrt(share @ (values - mean) ** 2)), 1 / 255))
    return Normalise(means, stds)
