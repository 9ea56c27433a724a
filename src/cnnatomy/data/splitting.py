"""Another split of a prepared dataset, made when it is read: by voices, by folds, with fewer training samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnatomy.data.errors import DataError
from cnnatomy.data.prepared import SPLITS, Dataset, Facts, Normalise

if TYPE_CHECKING:
    import pandas as pd


def resplit(dataset: Dataset, split: Mapping[str, Any], seed: int) -> Dataset:
    """The same samples in another split; its inputs are held in memory.

    split: the keys of `conf/base.yaml`'s `split`, missing ones as null there. Where it names no test samples, those are
    the prepared ones, and the validation samples too. Of several that claim a sample, test comes before validation and
    validation before train. Shares, folds and sizes hold for each class as well as can be, and a smaller size is part
    of a larger one. `seed` draws `train_size`, `split["seed"]` all else.

    The mean and standard deviation that inputs are normalised with are those of the new training samples, unless they
    are a trained network's; a vocabulary stays as prepared.

    Raises DataError where a column, a value or enough samples are not there.
    """
    rows = _rows(dataset, split, seed)
    order = np.concatenate([np.sort(rows[name]) for name in SPLITS if name in rows])
    sizes = {name: len(rows[name]) for name in SPLITS if name in rows}
    facts = replace(dataset.facts, splits=sizes)
    again = _Resplit(facts, dataset.folder, dataset, order)
    if facts.normalise is None or facts.normalise.fixed:
        return again
    return replace(again, facts=replace(facts, normalise=_normalise(facts, again.split("train").inputs)))


@dataclass(frozen=True, eq=False)
class _Resplit(Dataset):
    """Rows `order` of a dataset, sorted by their new split."""

    whole: Dataset
    order: np.ndarray

    @cached_property
    def table(self) -> pd.DataFrame:
        table = self.whole.table.iloc[self.order].reset_index(drop=True)
        return table.assign(split=np.repeat(list(self.facts.splits), list(self.facts.splits.values())))

    @cached_property
    def _inputs(self) -> np.ndarray:
        return self.whole._inputs[self.order]

    @cached_property
    def _labels(self) -> np.ndarray:
        return self.whole._labels[self.order]


def _rows(dataset: Dataset, split: Mapping[str, Any], seed: int) -> dict[str, np.ndarray]:
    """Places of the samples of each split that has some."""
    table, labels = dataset.table, dataset._labels
    random = split.get("seed") or 0
    prepared = table["split"].to_numpy()

    def named(what: str) -> np.ndarray:
        return _named(table, split[what], f"split.{what}")

    rest = named("samples") if split.get("samples") else np.ones(len(table), dtype=bool)
    if split.get("size") is not None:
        rest = _only(len(table), _first(rest, labels, split["size"], random, "split.size"))
    anew = split.get("test") is not None or split.get("folds") is not None
    if split.get("folds") is not None:
        folds, fold = split["folds"], split.get("fold")
        if fold is None or not 0 <= fold < folds <= rest.sum():
            raise DataError(
                f"split.fold is {fold}: of {folds} folds of {rest.sum()} samples, give one of 0 to {folds - 1}"
            )
        drawn = np.random.default_rng(random).permutation(np.flatnonzero(rest))
        test = _only(len(table), drawn[np.argsort(labels[drawn], kind="stable")][fold::folds])
    elif not anew:
        test = rest & (prepared == "test")
    elif isinstance(split["test"], Mapping):
        test = rest & named("test")
    else:
        test = _only(len(table), _first(rest, labels, round(split["test"] * rest.sum()), random, "split.test"))
    train = rest & ~test
    if not anew:
        train &= prepared != "test"
    validation = np.zeros(len(table), dtype=bool)
    if isinstance(split.get("validation"), Mapping):
        validation = train & named("validation")
        train &= ~validation
    elif split.get("validation") is None and not anew:
        validation = train & (prepared == "validation")
        train &= ~validation
    if split.get("train"):
        train &= named("train")
    if isinstance(split.get("validation"), float) and split["validation"] > 0:
        size = round(split["validation"] * train.sum())
        # Other samples than a fold of the same seed would be.
        validation = _only(len(table), _first(train, labels, size, random + 1, "split.validation"))
        train &= ~validation
    if split.get("train_size") is not None:
        train = _only(len(table), _first(train, labels, split["train_size"], seed, "split.train_size"))
    found = {"train": train, "validation": validation, "test": test}
    for name in ("train", "test"):
        if not found[name].any():
            raise DataError(
                f"split: of {dataset.facts.name!r} it leaves no sample for {name}ing; make the other splits smaller"
            )
    return {name: np.flatnonzero(places) for name, places in found.items() if places.any()}


def _named(table: pd.DataFrame, wanted: Mapping[str, Any], key: str) -> np.ndarray:
    """Which samples have one of the wanted values in each of the named columns."""
    places = np.ones(len(table), dtype=bool)
    for column, values in wanted.items():
        if column not in table:
            raise DataError(f"{key}: the samples have no column {column!r}; there are {', '.join(table.columns)}")
        texts = table[column].astype(str)
        for value in map(str, values):
            if value not in set(texts):
                there = sorted(set(texts))
                some = ", ".join(there[:20]) + (", …" if len(there) > 20 else "")
                raise DataError(f"{key}.{column}: no sample has {value!r}; there are {some}")
        places &= texts.isin([str(value) for value in values]).to_numpy()
    return places


def _first(among: np.ndarray, labels: np.ndarray, size: int, seed: int, key: str) -> np.ndarray:
    """The first places in an order drawn by `seed` in which each beginning has the classes in proportion."""
    if not 0 < size <= among.sum():
        raise DataError(f"{key}: {size} samples are wanted, and there are {among.sum()}")
    places = np.random.default_rng(seed).permutation(np.flatnonzero(among))
    _, kind, sizes = np.unique(labels[places], return_inverse=True, return_counts=True)
    by_class = np.argsort(kind, kind="stable")
    rank = np.empty(len(places))
    rank[by_class] = np.concatenate([(np.arange(size) + 0.5) / size for size in sizes])
    return places[np.argsort(rank, kind="stable")[:size]]


def _only(n: int, places: np.ndarray) -> np.ndarray:
    chosen = np.zeros(n, dtype=bool)
    chosen[places] = True
    return chosen


def _normalise(facts: Facts, inputs: np.ndarray) -> Normalise:
    """Mean and standard deviation of training inputs in the prepared ones' form: one number, or one a channel."""
    assert facts.normalise is not None
    scale = 255 if inputs.dtype == np.uint8 else 1
    by_channel = isinstance(facts.normalise.mean, list)
    values = inputs.swapaxes(0, 1).reshape(inputs.shape[1], -1) if by_channel else inputs.reshape(1, -1)
    means = [float(channel.mean(dtype=np.float64)) / scale for channel in values]
    # A channel that never changes is left as it is.
    stds = [float(channel.std(dtype=np.float64)) / scale or 1.0 for channel in values]
    return Normalise(means, stds) if by_channel else Normalise(means[0], stds[0])
