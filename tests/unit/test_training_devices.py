"""Training on several devices of one node, here two processes on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from cnnatomy.training.fit import train_network
from tests.unit.small_data import small
from tests.unit.test_training import LECTURE, TRAINING

# Dropout would draw other numbers on each device.
CONFIG = {"model": LECTURE | {"dropout": 0.0}, "training": TRAINING}

PROGRAM = f"""
import sys
from pathlib import Path
from cnnatomy.data import prepared
from cnnatomy.models import weights
from cnnatomy.training.fit import train_network

if __name__ == "__main__":
    data, state, target = map(Path, sys.argv[1:])
    config = {CONFIG}
    config["training"]["devices"] = 2
    network, history = train_network(config, prepared.load(data), seed=0, state=state)
    weights.save(network, target, {{}})
    print("written", len(history))
"""


@pytest.mark.slow
def test_two_devices_share_the_batches_and_learn_what_one_learns(tmp_path):
    images = small(tmp_path, "images")
    (tmp_path / "program.py").write_text(PROGRAM)
    two = tmp_path / "two.safetensors"
    done = subprocess.run(
        [sys.executable, tmp_path / "program.py", images.folder, tmp_path / "state", two],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("written 3") == 1, "only the first process goes on to write"
    assert done.stdout.count("epoch 3 of 3") == 1
    one, _ = train_network(CONFIG, images, seed=0, state=tmp_path / "one")
    for name, value in load_file(two).items():
        torch.testing.assert_close(value, one.state_dict()[name], rtol=1e-3, atol=1e-4)
