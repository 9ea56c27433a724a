"""A finished report's folder, read without the project: rows, prepared arrays, exhibits and their pictures."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from forward import Network
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

AT_ONCE = 500  # samples in a batch


@dataclass(frozen=True)
class Row:
    """One row of results.csv; `of` is its subject taken apart: {"layer": "conv1", "filter": "3"}."""

    kind: str
    name: str
    seed: int
    method: str
    subject: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int | None

    @cached_property
    def of(self) -> dict[str, str]:
        # A variant of a study names levels, and a comparison lists several of them behind one key.
        return dict(part.split("=", 1) for part in self.subject.split(";") if "=" in part)

    @property
    def family(self) -> tuple[str, str]:
        return self.method or self.name if self.kind == "lesson" else self.method or self.kind, self.metric

    @property
    def layer(self) -> str:
        return self.of.get("layer", "")

    @property
    def unit(self) -> int | None:
        """The filter or dense unit that the row is about."""
        found = self.of.get("filter", self.of.get("unit"))
        return None if found is None else int(found)


def rows_of(file: Path) -> list[Row]:
    """The rows of what was made; what was recorded elsewhere has nothing here that it could be recomputed from."""

    def number(cell: str) -> float | None:
        return float(cell) if cell else None

    with file.open(newline="", encoding="utf-8") as table:
        return [
            Row(
                one["kind"], one["name"], int(one["seed"]), one["method"], one["subject"], one["metric"],
                float(one["value"]), number(one["ci_low"]), number(one["ci_high"]),
                int(float(one["n"])) if one["n"] else None,
            )
            for one in csv.DictReader(table)
            if one["kind"] != "recorded"
        ]  # fmt: skip


def evenly(length: int, most: int) -> np.ndarray:
    """Which samples a method says it took "evenly spread":

    the whole parts of equal steps from the first to the last.
    """
    return np.unique(np.linspace(0, length - 1, min(most, length)).astype(int))


class Data:
    """A prepared dataset: three files."""

    def __init__(self, folder: Path) -> None:
        self.facts = json.loads((folder / "dataset.json").read_text())
        self.table = pd.read_csv(folder / "samples.csv", keep_default_na=False)
        self.stored = np.load(folder / "inputs.npy", mmap_mode="r")
        self.kind = self.facts["kind"]
        self.classes = self.facts["classes"]

    def places(self, split: str) -> np.ndarray:
        return np.flatnonzero(self.table["split"] == split)

    def raw(self, split: str) -> np.ndarray:
        return np.asarray(self.stored[self.places(split)])

    def labels(self, split: str) -> np.ndarray:
        return self.table["label"].to_numpy()[self.places(split)]

    def ids(self, split: str) -> list[str]:
        return [str(one) for one in self.table["id"].to_numpy()[self.places(split)]]

    def rows(self, split: str) -> pd.DataFrame:
        return self.table.iloc[self.places(split)].reset_index(drop=True)

    def normal(self, values: np.ndarray | float) -> Tensor:
        """Values in the data's own units (bytes of images as 0 to 1, sounds in dB) as a network gets them."""
        x = torch.as_tensor(np.asarray(values, dtype=np.float32))
        norm = self.facts["normalise"]
        mean, std = (torch.tensor(norm[key], dtype=torch.float32).reshape(-1, 1, 1) for key in ("mean", "std"))
        return (x - mean) / std

    def ready(self, raw: np.ndarray) -> Tensor:
        """Stored samples as a network gets them."""
        if self.kind == "texts":
            return torch.from_numpy(raw.astype(np.int64))
        return self.normal(raw.astype(np.float32) / 255 if raw.dtype == np.uint8 else raw.astype(np.float32))


class Run:
    """A run: its data, its networks, its exhibits."""

    def __init__(self, results: Path, name: str, seed: int = 0) -> None:
        self.folder, self.name, self.seed = results, name, seed
        # A run's folder doesn't name its data; its predictions name their samples.
        predictions = pd.read_csv(results / f"runs/{name}/seed{seed}/predictions.csv", keep_default_na=False)
        asked = [str(one) for one in predictions.loc[predictions["split"] == "test", "id"]]
        every = (Data(folder.parent) for folder in sorted(results.glob("data/*/dataset.json")))
        self.data = next(data for data in every if data.ids("test") == asked)

    def network(self, seed: int | None = None) -> Network:
        return self._networks[self.seed if seed is None else seed]

    @cached_property
    def _networks(self) -> dict[int, Network]:
        found = {}
        for folder in (self.folder / "runs" / self.name).glob("seed*"):
            model = yaml.safe_load((folder / "config.yaml").read_text())["model"]
            found[int(folder.name.removeprefix("seed"))] = Network(load_file(folder / "model.safetensors"), model)
        return found

    @property
    def others(self) -> list[Network]:
        return [network for seed, network in sorted(self._networks.items()) if seed != self.seed]

    @cached_property
    def raw(self) -> np.ndarray:
        return self.data.raw("test")

    @cached_property
    def x(self) -> Tensor:
        return self.data.ready(self.raw)

    @cached_property
    def labels(self) -> np.ndarray:
        return self.data.labels("test")

    @cached_property
    def ids(self) -> list[str]:
        return self.data.ids("test")

    @cached_property
    def logits(self) -> Tensor:
        return self.network().logits(self.x)

    @cached_property
    def read(self) -> np.ndarray:
        return self.logits.argmax(1).numpy()

    @cached_property
    def valid(self) -> np.ndarray:
        """Which words of the test sentences are words."""
        return self.raw != 0

    def exhibit(self, method: str) -> dict:
        if method not in self._exhibits:
            file = self.exhibit_folder(method) / "exhibit.json"
            self._exhibits[method] = json.loads(file.read_text())
        return self._exhibits[method]

    def exhibit_folder(self, method: str) -> Path:
        return self.folder / f"exhibits/{self.name}/seed{self.seed}/{method}"

    def setting(self, method: str, key: str):
        return self.exhibit(method)["config"][method][key]

    @cached_property
    def _exhibits(self) -> dict[str, dict]:
        return {}

    @property
    def inputs_are_drawn(self) -> bool:
        """Whether pictures show all channels of an input, so that it can be had from them."""
        channels, shown = self.data.facts["shape"][0], self.data.facts.get("shown")
        return self.data.kind != "images" or (channels in (1, 3) and shown in (None, list(range(channels))))

    def input_picture(self, method: str, item: str, variant: int = 0) -> np.ndarray | None:
        """An item's pixels, from which the network's input can be had; None where it can't."""
        return self.picture(method, item, variant) if self.inputs_are_drawn else None

    def picture(self, method: str, item: str, variant: int = 0) -> np.ndarray | None:
        """An item's pixels as they are stored, or those of a variant of it; None where it isn't drawn."""
        for block in self.exhibit(method)["blocks"]:
            for one in block.get("items", ()):
                if one["id"] == item:
                    drawn = Image.open(self.exhibit_folder(method) / [one["file"], *one.get("more", ())][variant])
                    return np.asarray(drawn.convert("RGB") if drawn.mode == "P" else drawn)
        return None
