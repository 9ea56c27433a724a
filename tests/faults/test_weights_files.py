"""Files of weights that are cut, mixed up or lie of their sizes: each is refused in words, at once, in little memory.

500 cases of each kind of file; as many as CNNATOMY_WEIGHTS_CASES says, where it is set.
"""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import time
import tracemalloc
import zipfile

import pytest
import torch
from safetensors import torch as safetensors
from torch import nn

from cnnatomy.models import weights
from cnnatomy.models.weights import WeightsError
from tests.faults.fuzzing import CASES, MEMORY, SECONDS

BYTES = MEMORY * 1e6


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))


def whole(kind: str) -> bytes:
    state = network().state_dict()
    if kind == "safetensors":
        return safetensors.save({name: value.contiguous() for name, value in state.items()})
    content = io.BytesIO()
    held = {"state_dict": state, "hyper_parameters": {"rate": 0.1}} if kind == "checkpoint" else state
    torch.save(held, content, _use_new_zipfile_serialization=kind != "legacy")
    return content.getvalue()


def spoilt(content: bytes, chance: random.Random) -> bytes:
    """A file with one to eight things wrong: bytes changed, cut out, doubled, put in, or its end missing."""
    found = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 8])):
        at = chance.randrange(len(found) + 1) if chance.random() < 0.5 else chance.randrange(min(512, len(found)) + 1)
        many = chance.choice([1, 1, 2, 8, 64])
        match chance.randrange(5):
            case 0:
                found[at : at + many] = chance.randbytes(len(found[at : at + many]))
            case 1:
                del found[at : at + many]
            case 2:
                found[at:at] = found[at : at + many]
            case 3:
                found[at:at] = chance.choice(
                    [b"\xff" * 8, b"\x00" * 8, b"\x8a\x08" + b"\x7f" * 8, b"999999999999", b"."]
                )
            case 4:
                del found[chance.randrange(len(found) + 1) :]
        if not found:
            break
    return bytes(found)


def repacked(content: bytes, chance: random.Random) -> bytes:
    """A zip of torch's that is whole, with a spoilt pickle in it: no checksum tells."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, spoilt(part, chance) if name.endswith("data.pkl") else part)
    return made.getvalue()


def refused_or_read(content: bytes) -> None:
    fresh = network()
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    began = time.process_time()
    tracemalloc.start()
    try:
        weights.load(fresh, content, "w")
    except WeightsError as error:
        assert "\n" not in str(error) and "0x" not in str(error)
        assert all(torch.equal(before[name], value) for name, value in fresh.state_dict().items())
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert time.process_time() - began < SECONDS
    assert most < BYTES


@pytest.mark.parametrize("kind", ["safetensors", "zip", "checkpoint", "legacy", "repacked"])
def test_a_spoilt_file_is_refused_or_read(kind):
    chance = random.Random(7)
    content = whole("checkpoint" if kind == "repacked" else kind)
    for _ in range(CASES):
        refused_or_read(repacked(content, chance) if kind == "repacked" else spoilt(content, chance))


def test_a_header_of_safetensors_that_lies_is_refused():
    for header in (
        {"0.weight": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}},
        {"0.weight": {"dtype": "F32", "shape": [1 << 62, 4], "data_offsets": [0, 0]}},
        {"0.weight": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
        {"0.weight": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}},
        {"0.weight": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}},
        {"0.weight": 3},
        [],
    ):
        text = json.dumps(header).encode()
        with pytest.raises(WeightsError):
            weights.load(network(), struct.pack("<Q", len(text)) + text + b"\0\0\0\0", "w")
    for length in (0, 1, 1 << 20, 1 << 40, (1 << 64) - 1):
        with pytest.raises(WeightsError):
            weights.load(network(), struct.pack("<Q", length) + b"{}", "w")


def test_a_pickle_that_lies_of_sizes_takes_no_memory():
    lies = {
        "a memo far out": b"\x80\x02}r\xff\xff\xff\x7f.",
        "a long text": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"x.",
        "many bytes": b"\x80\x05\x8e" + struct.pack("<Q", 1 << 40) + b"x.",
        "an array": b"\x80\x05\x96" + struct.pack("<Q", 1 << 33) + b"x.",
        "a long number": b"\x80\x02\x8b\xff\xff\xff\x7f.",
        "a frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b".",
        "a digit too many": b"I" + b"9" * 1_000_000 + b"\n.",
        "a list in a list": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    }
    for text in lies.values():
        refused_or_read(text)
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("w/data.pkl", text)
        refused_or_read(made.getvalue())


def test_a_zip_that_unpacks_to_more_than_it_is_is_refused():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w/data.pkl", pickle.dumps({}, 2) + b"\0" * 1_000_000)
    with pytest.raises(WeightsError, match="packed"):
        weights.load(network(), made.getvalue(), "w")
