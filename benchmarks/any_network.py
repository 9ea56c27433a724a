"""How long each dissection takes of networks that the project was not written for, imports included.

    python benchmarks/any_network.py                       # ResNet-18 and MobileNetV3-small, ten minutes
    python benchmarks/any_network.py --method attribution --network resnet18
    python benchmarks/any_network.py --smoke               # a small network and few images, seconds

Made-up colour images of 32 × 32 in ten classes and networks of torchvision with random weights, which need no download:
what a method computes doesn't depend on what the weights are, or hardly. Each exhibit is made in a process of its own,
as a job makes it, with the settings of conf/dissect and on one thread. Printed are processor seconds, which other work
on the machine changes little.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

NETWORKS = ("resnet18", "mobilenet_v3_small")
SMALL = "small"  # the network of --smoke
BOUND = 60  # seconds that each exhibit may take
SIDE = 32


def write_images(folder: Path, images: int) -> None:
    """Images of noise in ten classes, each with a bar of its own place and colour: a third of them for testing."""
    import numpy as np
    import pandas as pd

    from cnnatomy.data import prepared
    from cnnatomy.data.prepared import Axis, Facts, Normalise

    random = np.random.default_rng(0)
    table = pd.DataFrame({"split": np.where(np.arange(images) % 3 == 2, "test", "train")})
    table = table.sort_values("split", ascending=False, kind="stable", ignore_index=True)
    table["label"] = np.arange(images) % 10
    table["id"] = table["split"] + "/" + table.groupby("split").cumcount().astype(str)
    inputs = random.integers(0, 120, (images, 3, SIDE, SIDE)).astype(np.uint8)
    for label in range(10):
        inputs[table["label"] == label, label % 3, :, 3 * label : 3 * label + 3] += 120
    axes = [Axis(name, "px", list(range(SIDE))) for name in ("row", "column")]
    normalise = Normalise([0.3] * 3, [0.2] * 3)
    classes = [f"bar {label}" for label in range(10)]
    facts = Facts("any", "images", classes, (3, SIDE, SIDE), axes, normalise, "", "", "any", "")
    prepared.write(folder, facts, inputs, table)


def built(name: str, seed: int) -> Any:
    """A network with random weights."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    if name == SMALL:
        layers = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(196, 12), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(12, 10)).eval()
    from torchvision import models

    return getattr(models, name)(num_classes=10).eval()


def make(method: str, name: str, data: Path) -> str:
    """Make one exhibit as the step does, and write it; what became of it."""
    import torch
    from hydra.utils import get_object

    from cnnatomy.config.compose import compose
    from cnnatomy.config.steps import method_target
    from cnnatomy.data import prepared
    from cnnatomy.dissect.method import Method
    from cnnatomy.exhibit import Exhibit
    from cnnatomy.exhibit.applying import DoesNotApply
    from cnnatomy.training.memory import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(1)
    config = compose(["run=mnist"])
    images, settings = prepared.load(data), config["dissect"][method]
    dissection = Method.of(get_object(method_target(config, method)))
    needs = {
        "training": lambda: images.split("train"),
        "others": lambda: [built(name, seed) for seed in range(1, 1 + settings.get("others", 0))],
        "sound": lambda: lambda file: None,
        "prepare": dict,
        "seed": int,
    }
    try:
        made = dissection.made(built(name, 0), images.split("test"), settings, needs)
    except DoesNotApply as because:
        return str(because)
    with tempfile.TemporaryDirectory() as folder:
        Exhibit.of(made, "run", name, method).write(Path(folder) / method, {}, {"dissect": "0" * 64})
    return f"{len(made.numbers)} numbers"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=[*NETWORKS, SMALL])
    parser.add_argument("--method")
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)  # says to make one exhibit, here
    options = parser.parse_args()
    if options.data:
        print(make(options.method, options.network, options.data))
        return
    from cnnatomy.config import folders
    from cnnatomy.config.steps import OWN_STEP

    methods = sorted(set(folders.options("dissect")) - set(OWN_STEP))
    networks: tuple[str, ...] = (SMALL,) if options.smoke else NETWORKS
    if options.smoke:
        methods, options.images = ["kernels", "structure"], 30
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "any"
        write_images(data, options.images)
        for network in [options.network] if options.network else networks:
            for method in [options.method] if options.method else methods:
                before = _seconds()
                command = [sys.executable, __file__, "--network", network, "--method", method, "--data", str(data)]
                environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
                said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout
                took = _seconds() - before
                met = "met" if took <= BOUND else "not met"
                print(f"{network:20} {method:22} {took:6.1f} s  ≤ {BOUND} {met:8} {said.strip()}", flush=True)


def _seconds() -> float:
    """Processor seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
