"""How fast M1's network trains, side by side with what a user would pick instead.

    python benchmarks/training.py                             # five minutes, both cores idle
    python benchmarks/training.py --keras /tmp/tf/bin/python  # beside Keras 3 on TensorFlow
    python benchmarks/training.py --smoke                     # does it run? Its figures say nothing

Needs results/data/mnist (`snakemake results/data/mnist/dataset.json`). Each contender is a process of its own that has
warmed up and waits; they take turns, so that a busy moment of the machine meets all of them. Where a process's memory
happens to lie makes its steps up to a tenth slower or faster as long as it lives: so there are rounds, with new
processes in each. Printed and written to benchmarks/training.csv are medians over the rounds of ratios within a round.

lightning    what a run does: cnnatomy.training.fit, on batches gathered from memory; the state left out
steps        the same on batches gathered beforehand
bare         the plainest torch loop on these, with the same optimiser, schedule and memory settings
torchvision  torchvision's dataset, ToTensor, Normalize and DataLoader (its defaults), the same loop and memory layout
keras        the same network and batch in Keras 3 on TensorFlow: model.fit on arrays
primitives   oneDNN's and torch's own kernels of a step on these shapes, one by one: the time that a step can't undercut
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
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

BATCH, BATCHES = 128, 100  # BATCHES a turn

#: Multiplications and additions of a training step for one image: what goes forward, and twice that going back, but for
#: the first convolution, whose input needs no gradient. First line: 26 × 26 places, 25 filters, 9 weights, two each.
CONV1, CONV2, DENSE = 26 * 26 * 25 * 9 * 2, 11 * 11 * 50 * 25 * 9 * 2, (1250 * 100 + 100 * 10) * 2
WORK = 2 * CONV1 + 3 * (CONV2 + DENSE)


def turn_lightning(data: Path, threads: int, batches: int, gathered: bool = False) -> Callable[[], float]:
    """Seconds a step of `fit`."""
    import torch

    from cnnatomy.config.compose import compose
    from cnnatomy.data import prepared
    from cnnatomy.data.batches import Batches
    from cnnatomy.training.fit import Parts, fit

    class Clocked(Batches):
        """The first batches of an epoch, and when each was asked for."""

        def __len__(self) -> int:
            return batches

        def epoch(self, k: int) -> Iterator[Any]:
            self.asked = [time.perf_counter()]
            for batch in ready if gathered else islice(super().epoch(k), batches):
                yield batch
                self.asked.append(time.perf_counter())

    samples = prepared.load(data).split("train")
    train = Clocked(samples, BATCH, seed=0, shuffle=True, channels_last=True)
    ready = list(islice(Batches.epoch(train, 0), batches))
    network = lecture()
    config = compose(["run=mnist", "training.max_epochs=1", f"training.threads={threads}"])["training"]

    def turn() -> float:
        with tempfile.TemporaryDirectory() as state:
            fit(network, Parts(train, None), config, 0, Path(state))
        assert torch.get_num_threads() == threads
        return step_of(train.asked)

    return turn


def turn_steps(data: Path, threads: int, batches: int) -> Callable[[], float]:
    return turn_lightning(data, threads, batches, gathered=True)


def turn_bare(data: Path, threads: int, batches: int) -> Callable[[], float]:
    """Seconds a step of the plainest loop with the same optimiser, schedule and memory settings."""
    import torch

    from cnnatomy.data import prepared
    from cnnatomy.data.batches import Batches
    from cnnatomy.training.memory import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(threads)
    train = Batches(prepared.load(data).split("train"), BATCH, seed=0, shuffle=True, channels_last=True)
    ready = list(islice(train.epoch(0), batches))
    return plain_loop(lambda: ready, batches)


def turn_torchvision(data: Path, threads: int, batches: int) -> Callable[[], float]:
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
    return plain_loop(lambda: ((x.to(memory_format=layout), y) for x, y in islice(loader, batches)), batches)


def turn_primitives(data: Path, threads: int, batches: int) -> Callable[[], float]:
    """Seconds of all kernels of a step, each timed by itself, its operands warm; prints them one by one."""
    import torch

    from cnnatomy.training.memory import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    kernels = kernels_of_a_step()

    def turn() -> float:
        seconds = {name: step_of(asked_of(kernel, batches)) for name, kernel in kernels.items()}
        for name, taken in seconds.items():
            print(f"kernel {name}: {taken:.9f}")
        return sum(seconds.values())

    return turn


def kernels_of_a_step() -> dict[str, Callable[[], object]]:
    """Every kernel that a step of M1 can't do without, on its shapes and in the layout that training uses."""
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    aten, last = torch.ops.aten, torch.channels_last
    kernels: dict[str, Callable[[], object]] = {}
    side, channels = 28, 1
    for layer, filters in enumerate((25, 50), 1):
        # `contiguous` would leave what has one channel as it is, and with it all that is computed of it.
        x, w = torch.randn(BATCH, channels, side, side), torch.randn(filters, channels, 3, 3)
        x, w = x.to(memory_format=last), w.to(memory_format=last)
        bias, side = torch.randn(filters), side - 2
        y = aten.convolution(x, w, bias, [1, 1], [0, 0], [1, 1], False, [0, 0], 1)
        small, places = aten.max_pool2d_with_indices(y, [2, 2], [2, 2])
        shape = (x, w, [filters], [1, 1], [0, 0], [1, 1], False, [0, 0], 1)
        kernels |= {
            f"conv{layer} forward": partial(aten.convolution, x, w, bias, *shape[3:]),
            f"conv{layer} backward, weights": partial(aten.convolution_backward, y, *shape, [False, True, True]),
            f"relu{layer} forward": partial(aten.relu, y),
            f"relu{layer} backward": partial(aten.threshold_backward, y, y, 0),
            f"pool{layer} forward": partial(aten.max_pool2d_with_indices, y, [2, 2], [2, 2]),
            f"pool{layer} backward": partial(
                aten.max_pool2d_with_indices_backward, small, y, [2, 2], [2, 2], [0, 0], [1, 1], False, places
            ),
        }
        if layer > 1:  # nobody asks for the gradient of the images
            kernels[f"conv{layer} backward, data"] = partial(aten.convolution_backward, y, *shape, [True, False, False])
        side, channels = side // 2, filters
    flat, units, labels = torch.randn(BATCH, 1250), torch.randn(BATCH, 100), torch.randint(0, 10, (BATCH,))
    logits = torch.randn(BATCH, 10)
    first, second = torch.randn(100, 1250), torch.randn(10, 100)
    network = lecture().to(memory_format=last)
    for parameter in network.parameters():
        parameter.grad = torch.randn_like(parameter)
    kernels |= {
        "dense1 forward": partial(nn.functional.linear, flat, first, torch.randn(100)),
        "dense1 backward, data": partial(torch.mm, units, first),
        "dense1 backward, weights": partial(torch.mm, units.t(), flat),
        "relu3 forward": partial(aten.relu, units),
        "relu3 backward": partial(aten.threshold_backward, units, units, 0),
        "dense2 forward": partial(nn.functional.linear, units, second, torch.randn(10)),
        "dense2 backward, data": partial(torch.mm, logits, second),
        "dense2 backward, weights": partial(torch.mm, logits.t(), units),
        "loss": partial(cross_entropy, logits, labels, label_smoothing=0.05),
        "optimiser": torch.optim.AdamW(network.parameters(), 1e-3, fused=True).step,
    }
    return kernels


def asked_of(kernel: Callable[[], object], times: int) -> list[float]:
    """When each of so many calls began."""
    asked = [time.perf_counter()]
    for _ in range(times):
        kernel()
        asked.append(time.perf_counter())
    return asked


def turn_product(data: Path, threads: int, batches: int) -> Callable[[], float]:
    """Seconds an image would take if training were one large matrix product, for a batch."""
    import torch

    torch.set_num_threads(threads)
    side = 2048
    a, b, c = torch.randn(side, side), torch.randn(side, side), torch.empty(side, side)

    def turn() -> float:
        asked = asked_of(partial(torch.mm, a, b, out=c), min(batches, 40))
        return step_of(asked) / (2 * side**3) * WORK * BATCH

    return turn


def turn_keras(data: Path, threads: int, batches: int) -> Callable[[], float]:
    """Seconds a step of model.fit. Runs in an environment without cnnatomy."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    n = BATCH * batches
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
        return (time.perf_counter() - start) / batches

    return turn


def plain_loop(ready: Callable[[], Any], batches: int) -> Callable[[], float]:
    import torch
    from torch.nn.functional import cross_entropy

    network = lecture().to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3, fused=True)

    def turn() -> float:
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=batches)
        asked = [time.perf_counter()]
        for x, y in ready():
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
        smoke = ["--smoke"] if options.smoke else []
        self.process = subprocess.Popen(
            [python, __file__, "--data", options.data, "--threads", str(options.threads), "--contender", name, *smoke],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.steps: list[float] = []
        self.kernels: dict[str, float] = {}
        self.turn()
        self.steps.clear()

    def turn(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith("step "):
            if not line:
                raise SystemExit("a contender died; its message is above")
            if line.startswith("kernel "):
                name, _, taken = line.removeprefix("kernel ").partition(": ")
                self.kernels[name] = float(taken)
        self.steps.append(float(line.split()[1]))

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def contend(name: str, options: argparse.Namespace) -> None:
    """Be a contender: a turn for every line on standard input."""
    turn = globals()[f"turn_{name}"](options.data, options.threads, 2 if options.smoke else BATCHES)
    for _ in sys.stdin:
        print(f"step {turn():.9f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("results/data/mnist"))
    parser.add_argument("--keras", help="a Python that has keras and tensorflow")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--turns", type=int, default=3, help="of each process in a round")
    parser.add_argument("--smoke", action="store_true", help="two batches and one turn: does it run?")
    parser.add_argument("--csv", type=Path, default=Path(__file__).with_suffix(".csv"))
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        contend(options.contender, options)
        return
    names = ("lightning", "steps", "bare", "torchvision", "primitives", "product")
    pythons = dict.fromkeys(names, sys.executable)
    if options.keras:
        pythons["keras"] = options.keras
    else:
        print("Keras is left out: name a Python that has it with --keras.")
    steps: dict[str, list[float]] = {name: [] for name in pythons}
    for _ in range(1 if options.smoke else options.rounds):
        contenders = {name: Contender(name, python, options) for name, python in pythons.items()}
        for _ in range(1 if options.smoke else options.turns):
            for contender in contenders.values():
                contender.turn()
        for name, contender in contenders.items():
            contender.close()
            steps[name].append(statistics.median(contender.steps))
    for name, of_rounds in steps.items():
        step = statistics.median(of_rounds)
        epoch, rate = step * 60_000 / BATCH, WORK * BATCH / step / 1e9
        print(f"{name:12} {1000 * step:7.2f} ms a step, {epoch:6.2f} s an epoch of 60,000, {rate:6.1f} GFLOP/s")
    for kernel, taken in sorted(contenders["primitives"].kernels.items(), key=lambda kernel: -kernel[1]):
        print(f"    {kernel:26} {1000 * taken:6.2f} ms")
    rows = list(compared(steps))
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
    """Ratios within each round: their median and their range, and whether the median reaches what it should."""
    wanted = [
        ("Lightning's step over a bare loop's", "steps", "bare", "≤", 1.03),
        ("torchvision and DataLoader's step over ours", "torchvision", "lightning", "≥", 1.5),
        ("Keras's step over ours", "keras", "lightning", "≥", 1.3),
        ("Its kernels' time over that of M1's step", "primitives", "steps", "≥", 0.9),
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
                "rounds": len(ratios),
                "reach": f"{sign} {bound}",
                "met": value <= bound if sign == "≤" else value >= bound,
            }


if __name__ == "__main__":
    main()
