"""Networks that had nothing to learn: of them no exhibit may say that a filter is good or harmful."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from cnnatomy.data import prepared
from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Dataset
from cnnatomy.exhibit import Table
from tests.unit.dissecting import shown
from tests.unit.small_data import small
from tests.unit.test_dissect_configuration import shipped

pytestmark = pytest.mark.slow
NETWORKS, FILTERS, TRAINED, TESTED, COPIES = 6, 8, 60, 400, 10


def nonsense(folder, kind: str, seed: int) -> Dataset:
    """Pictures of noise with labels drawn by lot; of sounds a speaker says each test word in ten clips much alike."""
    random = np.random.default_rng(seed)
    facts = small(folder / "small", kind).facts
    classes, n = len(facts.classes), TRAINED + TESTED
    noise = random.normal(0, 1, (n, *facts.shape))
    table = pd.DataFrame({"split": np.where(np.arange(n) < TRAINED, "train", "test"), "label": 0})
    table["label"] = random.integers(0, classes, n)
    if kind == "sounds":
        said = np.arange(TESTED) // COPIES
        noise[TRAINED:] = noise[TRAINED + said * COPIES] + 0.1 * noise[TRAINED:]
        table.loc[TRAINED:, "label"] = table["label"].to_numpy()[TRAINED + said * COPIES]
        table["voice"] = ["nobody"] * TRAINED + [f"v{clip // classes}" for clip in said]
    scaled = 128 + 40 * noise if kind == "images" else -40 + 10 * noise
    inputs = scaled.clip(0, 255).astype(np.uint8) if kind == "images" else scaled.astype(np.float16)
    table.insert(2, "id", [f"{split}/{k}" for k, split in enumerate(table["split"])])
    prepared.write(folder / "nonsense", replace(facts, name="nonsense"), inputs, table)
    return prepared.load(folder / "nonsense")


def learned_by_heart(data: Dataset, seed: int) -> nn.Module:
    train = data.split("train")
    x, y = to_tensor(train.facts, train.inputs[:]), torch.from_numpy(train.labels.astype(np.int64))
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(1, FILTERS, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.LazyLinear(len(train.facts.classes))
    )
    network(x[:1])
    walker = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(100):
        walker.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()
        walker.step()
    assert (network(x).argmax(1) == y).float().mean() > 0.9
    return network.eval()


@pytest.mark.parametrize("kind", ["images", "sounds"])
def test_no_filter_is_named_of_networks_that_learned_nothing(tmp_path, kind):
    named = 0
    for seed in range(NETWORKS):
        data = nonsense(tmp_path / str(seed), kind, seed)
        network = learned_by_heart(data, seed)
        exhibit = shown(
            "filter_ablation", network, data.split("test"), shipped("filter_ablation"), training=None, seed=0
        )
        (table,) = [block.data for block in exhibit.blocks if isinstance(block, Table)]
        named += int(table["kind"].isin(["good", "harmful"]).sum())
    assert named <= NETWORKS * FILTERS / 20
