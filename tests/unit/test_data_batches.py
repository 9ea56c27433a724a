"""Batches: every sample once an epoch, in an order that depends on (seed, epoch) only, as networks want them."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from cnnatomy.data import prepared
from cnnatomy.data.batches import Batches, to_tensor
from cnnatomy.data.prepared import Facts, Normalise, Samples

N = 103
SHAPES = {"images": (2, 4, 5), "sounds": (1, 6, 7), "texts": (9,)}


@pytest.fixture(params=list(SHAPES))
def samples(request: pytest.FixtureRequest, tmp_path: Path) -> Samples:
    """103 samples of each kind; their labels are their places, so that a sample can be told by its label."""
    kind = request.param
    facts = Facts(
        name="toy",
        kind=kind,
        classes=[str(i) for i in range(N)],
        shape=SHAPES[kind],
        axes=[],
        normalise=None
        if kind == "texts"
        else Normalise([0.25, 0.5], [0.5, 2.0])
        if kind == "images"
        else Normalise(-3.0, 4.0),
        licence="",
        citation="",
        raw="",
        digest="",
    )
    inputs = np.random.default_rng(0).integers(0, 100, (N, *SHAPES[kind])).astype(prepared.DTYPES[kind])
    table = pd.DataFrame({"split": "train", "label": np.arange(N), "id": [str(i) for i in range(N)]})
    prepared.write(tmp_path / "toy", facts, inputs, table)
    return prepared.load(tmp_path / "toy").split("train")


def labels(batches: Batches, epoch: int) -> list[int]:
    return torch.cat([y for _, y in batches.epoch(epoch)]).tolist()


def noise(batch: torch.Tensor) -> torch.Tensor:
    return batch + torch.randint(0, 50, batch.shape).to(batch.dtype)


def test_each_epoch_has_every_sample_once(samples: Samples):
    batches = Batches(samples, 10, seed=3, shuffle=True)
    assert len(batches) == 11
    assert [len(y) for _, y in batches.epoch(0)] == [10] * 10 + [3]
    for epoch in range(3):
        assert sorted(labels(batches, epoch)) == list(range(N))
    assert labels(batches, 0) != labels(batches, 1) != list(range(N))


def test_without_shuffling_the_order_is_the_tables(samples: Samples):
    assert labels(Batches(samples, 10, seed=3, shuffle=False), 5) == list(range(N))


def test_inputs_stay_with_their_labels(samples: Samples):
    whole = to_tensor(samples.facts, samples.inputs)
    for x, y in Batches(samples, 10, seed=3, shuffle=True).epoch(1):
        assert torch.equal(x, whole[y])


def test_epoch_depends_on_seed_and_number_only(samples: Samples):
    """Whoever resumes at epoch 2 sees what an unbroken run saw, whatever was drawn or read before."""
    unbroken = Batches(samples, 10, seed=3, shuffle=True, augment=noise)
    for epoch in range(2):
        list(unbroken.epoch(epoch))
    expected = list(unbroken.epoch(2))
    torch.rand(17)
    resumed = Batches(samples, 10, seed=3, shuffle=True, augment=noise)
    list(islice(resumed.epoch(0), 4))
    for (x, y), (x2, y2) in zip(resumed.epoch(2), expected, strict=True):
        assert torch.equal(x, x2) and torch.equal(y, y2)
    other = next(Batches(samples, 10, seed=4, shuffle=True, augment=noise).epoch(2))
    assert not torch.equal(other[1], expected[0][1])


def test_augmentation_differs_from_batch_to_batch_and_epoch_to_epoch(samples: Samples):
    drawn = []

    def augment(batch: torch.Tensor) -> torch.Tensor:
        drawn.append(torch.rand(1).item())
        return batch

    batches = Batches(samples, 10, seed=0, shuffle=False, augment=augment)
    for epoch in range(2):
        list(batches.epoch(epoch))
    assert len(set(drawn)) == 22


def test_global_random_numbers_are_left_alone(samples: Samples):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    list(Batches(samples, 10, seed=3, shuffle=True, augment=noise).epoch(0))
    assert torch.equal(torch.rand(3), expected)


def test_stored_samples_are_never_changed(samples: Samples):
    before = np.array(samples.inputs)

    def ruin(batch: torch.Tensor) -> torch.Tensor:
        return batch.zero_()

    list(Batches(samples, 10, seed=0, shuffle=True, augment=ruin).epoch(0))
    to_tensor(samples.facts, samples.inputs).zero_()
    assert np.array_equal(samples.inputs, before)


def test_network_ready(samples: Samples):
    x = to_tensor(samples.facts, samples.inputs)
    raw = np.array(samples.inputs)
    if samples.facts.kind == "texts":
        assert x.dtype == torch.int64 and x.tolist() == raw.tolist()
    elif samples.facts.kind == "sounds":
        np.testing.assert_allclose(x.numpy(), (raw.astype(np.float32) + 3) / 4, rtol=1e-6)
    else:
        mean, std = np.array([0.25, 0.5])[:, None, None], np.array([0.5, 2.0])[:, None, None]
        np.testing.assert_allclose(x.numpy(), (raw / 255 - mean) / std, rtol=1e-5, atol=1e-6)
        assert x.dtype == torch.float32


def test_augmentation_sees_the_units_of_its_kind(samples: Samples):
    seen = []

    def look(batch: torch.Tensor) -> torch.Tensor:
        seen.append(batch)
        return batch

    list(Batches(samples, N, seed=0, shuffle=False, augment=look).epoch(0))
    assert seen[0].dtype == {"images": torch.uint8, "sounds": torch.float32, "texts": torch.int64}[samples.facts.kind]
    assert np.array_equal(seen[0].numpy(), samples.inputs)


@pytest.mark.parametrize("samples", ["images"], indirect=True)
def test_channels_last_changes_the_layout_only(samples: Samples):
    plain = next(Batches(samples, 10, seed=0, shuffle=True).epoch(0))[0]
    last = next(Batches(samples, 10, seed=0, shuffle=True, channels_last=True).epoch(0))[0]
    assert torch.equal(plain, last)
    assert last.is_contiguous(memory_format=torch.channels_last) and not plain.is_contiguous(
        memory_format=torch.channels_last
    )


def test_a_batch_needs_a_sample(samples: Samples):
    with pytest.raises(ValueError, match="batch_size"):
        Batches(samples, 0, seed=0, shuffle=True)


def test_one_sample_is_a_batch(samples: Samples):
    single = replace(samples, inputs=samples.inputs[:1], labels=samples.labels[:1])
    assert [len(y) for _, y in Batches(single, 10, seed=0, shuffle=True).epoch(0)] == [1]


@pytest.mark.parametrize("augment", [None, noise])
def test_kept_on_a_device_a_split_gives_the_same_batches(samples: Samples, augment):
    mapped, kept = (Batches(samples, 10, seed=3, shuffle=True, augment=augment) for _ in range(2))
    kept.keep_on(torch.device("cpu"))
    for mine, theirs in zip(kept.epoch(1), mapped.epoch(1), strict=True):
        assert all(torch.equal(*pair) and pair[0].dtype == pair[1].dtype for pair in zip(mine, theirs, strict=True))


def test_on_a_gpu_batches_are_made_there(samples: Samples):
    batches = Batches(samples, 10, seed=3, shuffle=True, channels_last=True)
    with FakeTensorMode(allow_non_fake_inputs=True):  # knows of what device each result would be, and needs none
        batches._kept = (
            torch.empty(samples.inputs.shape, dtype=torch.from_numpy(samples.inputs[:1]).dtype, device="cuda"),
            torch.empty(len(samples), dtype=torch.int64, device="cuda"),
        )
        for x, y in islice(batches.epoch(0), 2):
            assert (x.device.type, y.device.type) == ("cuda", "cuda")
            assert x.shape == (10, *samples.facts.shape)
