"""Arrays as a network gets them, as prepared data: what the workflow's methods read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnatomy.data import prepared
from cnnatomy.data.errors import DataError
from cnnatomy.data.prepared import Axis, Channel, Dataset, Facts, Normalise

if TYPE_CHECKING:
    import pandas as pd

NAME = "arrays"
KINDS = {2: "texts", 3: "signals", 4: "images"}  # by the axes of X
LEVELS = 255  # steps of brightness in which images are kept


def dataset(
    folder: Path,
    train: tuple[Any, Any] | None,
    test: tuple[Any, Any],
    *,
    classes: Sequence[str] | None,
    vocabulary: Sequence[str] | None,
    rate: float | None,
) -> Dataset:
    """A prepared dataset in `folder` of inputs and labels, as torch or numpy has them.

    X: (n, channels, height, width) images, (n, channels, steps) signals, (n, words) tokens, of which `vocabulary` has
    the words, 0 being padding; in the numbers that the network gets. Images of floats are kept in 255 steps from their
    least to their greatest value. y: (n,) classes. rate: values a second, of signals.
    Raises DataError for what fits none of these.
    """
    given = {"train": train, "test": test}
    parts = {split: (_array(its[0]), _array(its[1])) for split, its in given.items() if its is not None}
    inputs = np.concatenate([x for x, _ in parts.values()])
    labels = np.concatenate([y for _, y in parts.values()]).astype(np.int64)
    if inputs.ndim not in KINDS:
        raise DataError(
            f"X has {inputs.ndim} axes, {inputs.shape}. Give images as (n, channels, height, width), signals as "
            "(n, channels, steps), texts as (n, words)."
        )
    kind = KINDS[inputs.ndim]
    if kind == "texts" and vocabulary is None:
        raise DataError("X has two axes, so that it is texts: give their words, vocabulary=[…], by their numbers.")
    inputs, normalise = _as_kept(kind, inputs)
    facts = Facts(
        name=NAME,
        kind=kind,
        classes=[str(name) for name in classes] if classes is not None else _numbered(labels),
        shape=tuple(inputs.shape[1:]),
        axes=_axes(kind, inputs.shape, rate),
        normalise=normalise,
        licence="",
        citation="",
        raw=NAME,
        digest="",
        vocabulary=list(vocabulary) if vocabulary is not None else None,
        channels=_channels(inputs) if kind == "signals" else None,
    )
    prepared.write(folder, facts, inputs, _table(parts, labels, inputs, vocabulary))
    return prepared.load(folder)


def _array(given: Any) -> np.ndarray:
    return np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)


def _numbered(labels: np.ndarray) -> list[str]:
    return [str(number) for number in range(int(labels.max(initial=0)) + 1)]


def _as_kept(kind: str, inputs: np.ndarray) -> tuple[np.ndarray, Normalise | None]:
    """The inputs in the form that the workflow keeps, and what gives the network back the numbers that it gets."""
    if kind == "texts":
        return inputs.astype(np.int32), None
    if kind == "signals":
        channels = inputs.shape[1]
        return inputs.astype(np.float32), Normalise([0.0] * channels, [1.0] * channels, fixed=True)
    if inputs.dtype == np.uint8:  # a network that gets bytes gets them as 0 to 255
        return inputs, Normalise(0.0, 1 / LEVELS, fixed=True)
    low = inputs.min(axis=(0, 2, 3), keepdims=True).astype(np.float64)
    span = np.maximum(inputs.max(axis=(0, 2, 3), keepdims=True) - low, 1e-12)
    kept = np.rint((inputs - low) / span * LEVELS).astype(np.uint8)
    mean, std = (-low / span).ravel().tolist(), (1 / span).ravel().tolist()
    return kept, Normalise(mean, std, fixed=True)


def _axes(kind: str, shape: tuple[int, ...], rate: float | None) -> list[Axis]:
    if kind == "texts":
        return [Axis("word", "", list(range(shape[1])))]
    if kind == "signals":
        unit, step = ("s", 1 / rate) if rate else ("steps", 1)
        return [Axis("time", unit, [step * at for at in range(shape[2])])]
    return [Axis("row", "px", list(range(shape[2]))), Axis("column", "px", list(range(shape[3])))]


def _channels(inputs: np.ndarray) -> list[Channel]:
    ends = zip(inputs.min(axis=(0, 2)).tolist(), inputs.max(axis=(0, 2)).tolist(), strict=True)
    return [Channel(f"channel {number}", "", low, high) for number, (low, high) in enumerate(ends, 1)]


def _table(
    parts: dict[str, tuple[np.ndarray, np.ndarray]], labels: np.ndarray, inputs: np.ndarray, words: Sequence[str] | None
) -> pd.DataFrame:
    import pandas as pd

    split = np.repeat(list(parts), [len(y) for _, y in parts.values()])
    table = pd.DataFrame({"split": split, "label": labels})
    table["id"] = table["split"] + "/" + table.groupby("split").cumcount().astype(str)
    if words is not None:
        table["text"] = [" ".join(words[token] for token in row if token) for row in inputs]
    return table
