"""How fast M1's network trains, side by side with what a user would pick instead.

    python benchmarks/training.py                             # three minutes, both cores idle
    python benchmarks/training.py --keras /tmp/tf/bin/python  # beside Keras 3 on TensorFlow

Needs results/data/mnist (`snakemake results/data/mnist/dataset.json`). Each contender is a process of its own that has
warmed up and waits; they take turns, so that a busy moment of the machine meets all of them. Printed and written to
benchmarks/training.csv are medians over the turns of ratios within a turn.

lightning    what a run does: cnnatomy.training.fit, on batches gathered from memory; the state left out
steps        the same on batches gathered beforehand
bare         the plainest torch loop on these, with the same optimiser, schedule and memory settings
torchvision  torchvision's dataset, ToTensor, Normalize and DataLoader (its defaults), the same loop and memory layout
keras        the same network and batch in Keras 3 on TensorFlow: model.fit on arrays
product      products of two 2,048 × 2,048 matrices with torch
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

BATCH = 128
BATCHES = 100  # a turn

#: Multiplications and additions of a training step for one image: what goes forward, and twice that going back, but for
#: the first convolution, whose input needs no gradient. First line: 26 × 26 places, 25 filters, 9 weights, two each.
CONV1, CONV2, DENSE = 26 * 26 * 25 * 9 * 2, 11 * 11 * 50 * 25 * 9 * 2, (1250 * 100 + 100 * 10) * 2
WORK = 2 * CONV1 + 3 * (CONV2 + DENSE)

TRAINING = {
    "max_epochs": 1,
    "loss": "cross_entropy",
    "optimiser": "adamw",
    "learning_rate": 1e-3,
    "weight_decay": 0.01,
    "schedule": "one_cycle",
    "label_smoothing": 0.05,
    "gradient_clip": None,
    "early_stop": None,
    "keep": "last",
    "channels_last": True,
    "accelerator": "cpu",
    "devices": 1,
}


def turn_lightning(data: Path, threads: int, gathered: bool = False) -> Callable[[], float]:
    """Seconds a step of `fit`."""
    import torch

    from cnnatomy.data import prepared
    from cnnatomy.data.batches import Batches
    from cnnatomy.training.fit import fit

    train = Batches(prepared.load(data).split("train"), BATCH, seed=0, shuffle=True, channels_last=True)
    network = lecture()
    ready = list(first(train.epoch(0)))

    class Clocked:
        """The first batches of an epoch, and when each was asked for."""

        samples = train.samples

        def __len__(self) -> int:
            return BATCHES

        def epoch(self, k: int) -> Iterator[Any]:
            self.asked = [time.perf_counter()]
            for batch in ready if gathered else first(train.epoch(k)):
                yield batch
                self.asked.append(time.perf_counter())

    config = TRAINING | {"threads": threads}

    def turn() -> float:
        clocked = Clocked()
        with tempfile.TemporaryDirectory() as state:
            fit(network, clocked, None, config, 0, Path(state))  # type: ignore[arg-type]
        assert torch.get_num_threads() == threads
        return step_of(clocked.asked)

    return turn


def turn_steps(data: Path, threads: int) -> Callable[[], float]:
    return turn_lightning(data, threads, gathered=True)


def turn_bare(data: Path, threads: int) -> Callable[[], float]:
    """Seconds a step of the plainest loop with the same optimiser, schedule and memory settings."""
    import torch

    from cnnatomy.data import prepared
    from cnnatomy.data.batches import Batches
    from cnnatomy.training.memory import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(threads)
    train = Batches(prepared.load(data).split("train"), BATCH, seed=0, shuffle=True, channels_last=True)
    ready = list(first(train.epoch(0)))
    return plain_loop(lambda: ready)


def turn_torchvision(data: Path, threads: int) -> Callable[[], float]:
    """Seconds a step of the loop of every tutorial."""
    import torch
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    torch.set_num_threads(threads)
    root = tempfile.mkdtemp()
    as_downloaded(data, Path(root))
    facts = json.loads((data / "dataset.json").read_text())
    normalise = transforms.Normalize(facts["normalise"]["mean"], facts["normalise"]["std"])
    dataset = datasets.MNIST(root, train=True, transform=transforms.Compose([transforms.ToTensor(), normalise]))
    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True)
    layout = torch.channels_last
    return plain_loop(lambda: ((x.to(memory_format=layout), y) for x, y in first(iter(loader))))


def turn_product(data: Path, threads: int) -> Callable[[], float]:
    """Seconds an image would take if training were one large matrix product, for a batch."""
    import torch

    torch.set_num_threads(threads)
    side = 2048
    a, b, c = torch.randn(side, side), torch.randn(side, side), torch.empty(side, side)

    def turn() -> float:
        asked = [time.perf_counter()]
        for _ in range(40):
            torch.mm(a, b, out=c)
            asked.append(time.perf_counter())
        return step_of(asked) / (2 * side**3) * WORK * BATCH

    return turn


def turn_keras(data: Path, threads: int) -> Callable[[], float]:
    """Seconds a step of model.fit. Runs in an environment without cnnatomy."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    n = BATCH * BATCHES
    x = np.load(data / "inputs.npy", mmap_mode="r")[:n].transpose(0, 2, 3, 1).astype(np.float32) / 255
    x = (x - x.mean()) / x.std()
    with (data / "samples.csv").open() as file:
        y = np.array([int(row["label"]) for row, _ in zip(csv.DictReader(file), range(n), strict=False)])
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(25, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(50, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(100, activation="relu"),
            layers.Dense(10),
        ]
    )
    assert model.count_params() == 137_660
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])

    def turn() -> float:
        start = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
        return (time.perf_counter() - start) / BATCHES

    return turn


def plain_loop(batches: Callable[[], Any]) -> Callable[[], float]:
    import torch
    from torch.nn.functional import cross_entropy

    network = lecture().to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3, fused=True)

    def turn() -> float:
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=BATCHES)
        asked = [time.perf_counter()]
        for x, y in batches():
            loss = cross_entropy(network(x), y, label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            asked.append(time.perf_counter())
        return step_of(asked)

    return turn


def lecture() -> Any:
    from cnnatomy.models.lecture import Lecture

    return Lecture((1, 28, 28), 10, filters=(25, 50), units=100, dropout=0.0)


def first(batches: Iterator[Any]) -> Iterator[Any]:
    return (batch for batch, _ in zip(batches, range(BATCHES), strict=False))


def step_of(asked: list[float]) -> float:
    return statistics.median(later - earlier for earlier, later in zip(asked, asked[1:], strict=False))


def as_downloaded(data: Path, root: Path) -> None:
    """The prepared training images as torchvision's own download would leave them."""
    import numpy as np

    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    with (data / "samples.csv").open() as file:
        labels = np.array([int(row["label"]) for row in csv.DictReader(file)], np.uint8)
    pixels = np.load(data / "inputs.npy", mmap_mode="r")
    for name, part in {"train": slice(60_000), "t10k": slice(60_000, 70_000)}.items():
        n = len(labels[part])
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(np.array([2049, n], ">i4").tobytes() + labels[part].tobytes())
        (raw / f"{name}-images-idx3-ubyte").write_bytes(
            np.array([2051, n, 28, 28], ">i4").tobytes() + pixels[part].tobytes()
        )


class Contender:
    """A process that warms up, then takes a turn whenever it is told to."""

    def __init__(self, name: str, python: str, options: argparse.Namespace) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": str(options.threads)}
        self.process = subprocess.Popen(
            [python, __file__, "--data", str(options.data), "--threads", str(options.threads), "--contender", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.steps: list[float] = []
        self.turn()
        self.steps.clear()

    def turn(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith("step "):
            if not line:
                raise SystemExit("a contender died; its message is above")
        self.steps.append(float(line.split()[1]))


def contend(name: str, data: Path, threads: int) -> None:
    """Be a contender: a turn for every line on standard input."""
    turn = globals()[f"turn_{name}"](data, threads)
    for _ in sys.stdin:
        print(f"step {turn():.9f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("results/data/mnist"))
    parser.add_argument("--keras", help="a Python that has keras and tensorflow")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--csv", type=Path, default=Path(__file__).with_suffix(".csv"))
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        contend(options.contender, options.data, options.threads)
        return
    pythons = dict.fromkeys(("lightning", "steps", "bare", "torchvision", "product"), sys.executable)
    if options.keras:
        pythons["keras"] = options.keras
    else:
        print("Keras is left out: name a Python that has it with --keras.")
    contenders = {name: Contender(name, python, options) for name, python in pythons.items()}
    for _ in range(options.turns):
        for contender in contenders.values():
            contender.turn()
    for contender in contenders.values():
        contender.process.stdin.close()  # type: ignore[union-attr]
        contender.process.wait()
    for name, contender in contenders.items():
        step = statistics.median(contender.steps)
        epoch, rate = step * 60_000 / BATCH, WORK * BATCH / step / 1e9
        print(f"{name:12} {1000 * step:7.2f} ms a step, {epoch:6.2f} s an epoch of 60,000, {rate:6.1f} GFLOP/s")
    rows = list(compared({name: contender.steps for name, contender in contenders.items()}))
    for row in rows:
        spread = f"({row['lowest']:.3f} to {row['highest']:.3f})"
        print(
            f"{row['measure']:44} {row['value']:6.3f} {spread}  {row['reach']:7} {'met' if row['met'] else 'not met'}"
        )
    with options.csv.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def compared(steps: dict[str, list[float]]) -> Iterator[dict[str, Any]]:
    """Ratios within each turn: their median and their range, and whether the median reaches what it should."""
    wanted = [
        ("Lightning's step over a bare loop's", "steps", "bare", "≤", 1.05),
        ("torchvision and DataLoader's step over ours", "torchvision", "lightning", "≥", 1.5),
        ("Keras's step over ours", "keras", "lightning", "≥", 1.0),
        ("M1's floating-point rate over a product's", "product", "steps", "≥", 0.75),
    ]
    for measure, above, below, sign, bound in wanted:
        if above in steps:
            ratios = [a / b for a, b in zip(steps[above], steps[below], strict=True)]
            value = statistics.median(ratios)
            yield {
                "measure": measure,
                "value": round(value, 4),
                "lowest": round(min(ratios), 4),
                "highest": round(max(ratios), 4),
                "turns": len(ratios),
                "reach": f"{sign} {bound}",
                "met": value <= bound if sign == "≤" else value >= bound,
            }


if __name__ == "__main__":
    main()
