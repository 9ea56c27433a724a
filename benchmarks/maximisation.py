"""How fast M1's filters, dense units and classes are opened up, side by side with lucent.

    python benchmarks/maximisation.py                                  # four minutes, both cores idle
    python benchmarks/maximisation.py --lucent /tmp/lucent/bin/python  # beside lucent (torch-lucent 0.1.8)
    python benchmarks/maximisation.py --smoke                          # does it run? Its figures say nothing

Needs results/data/mnist and results/runs/mnist/seed0 (`make report`). Ours and lucent climb the same thing on the same
network: the map of a filter behind its activation, from noise, in as many steps, without transforms, on one thread.
They are processes of their own that have warmed up and take turns, so that a busy moment of the machine meets all of
them. Printed and written to benchmarks/maximisation.csv are medians over the turns of ratios within a turn.

map       the mean of a filter's map; seconds a filter. Ours: all filters of both convolutions, a layer in one batch.
          lucent: one of each, on images of the network's own 28 × 28
place     the same for a filter's value at one place: ours changes the window that it sees, lucent the image
default   the map as lucent climbs it unless told otherwise, on images enlarged to 224 × 224; one turn only

Then the three exhibits as they hang in the report, once each, with imports: seconds, largest memory, and what they
reached.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = 512
METHODS = ("filter_maximisation", "dense_maximisation", "class_maximisation")


def turn_ours_map(data: Path, weights: Path, summed: bool = True) -> Callable[[], float]:
    """Seconds a filter, all of a layer in one batch."""
    import math

    import torch

    from cnnatomy.data import prepared
    from cnnatomy.data.batches import to_tensor
    from cnnatomy.dissect.feature_visualisation.maximisation import AT_ONCE, sum_of_map, value_at
    from cnnatomy.dissect.feature_visualisation.optimise import Pixels, ascend
    from cnnatomy.dissect.feature_visualisation.regularisers import box
    from cnnatomy.dissect.feature_visualisation.units import Units
    from cnnatomy.inspection.layers import stages, trace
    from cnnatomy.training.memory import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(1)
    samples = prepared.load(data).split("test")
    network = lecture(weights)
    x = to_tensor(samples.facts, samples.inputs[:1])
    traced = trace(network, x)
    units = [Units(network, traced, layer, x) for stage in stages(traced) for layer in stage]
    limits, generator = box(samples), torch.Generator().manual_seed(0)

    def turn() -> float:
        start = time.perf_counter()
        for one in units:
            window = one.window(samples.facts.shape, x)
            shape = samples.facts.shape if summed else window.shape
            for which in torch.arange(one.count).split(AT_ONCE // math.prod(shape)):
                value = sum_of_map(one, which, torch.ones(len(which))) if summed else value_at(one, which, window.place)
                noise = limits.low + limits.range * torch.rand((len(which), *shape), generator=generator)
                ascend(network, value, Pixels(noise, limits), STEPS)
        return (time.perf_counter() - start) / sum(one.count for one in units)

    return turn


def turn_ours_place(data: Path, weights: Path) -> Callable[[], float]:
    return turn_ours_map(data, weights, summed=False)


def turn_lucent_map(
    data: Path, weights: Path, summed: bool = True, side: int | None = 28, layers: tuple[int, ...] = (1, 2)
) -> Callable[[], float]:
    """Seconds a filter. Runs in an environment without cnnatomy."""
    import warnings

    import torch
    from lucent.optvis import objectives, param, render

    warnings.simplefilter("ignore")  # at 224 × 224 the dense layers can't be computed, which lucent says each time
    torch.set_num_threads(1)
    network = sequential(weights)

    def turn() -> float:
        start = time.perf_counter()
        for layer in layers:
            render.render_vis(
                network,
                objectives.channel(f"relu{layer}", 3) if summed else objectives.neuron(f"conv{layer}", 3),
                param_f=lambda: param.image(28, channels=1, decorrelate=False),
                transforms=[],
                preprocess=False,
                thresholds=(STEPS,),
                fixed_image_size=side,
                show_image=False,
                progress=False,
            )
        return (time.perf_counter() - start) / len(layers)

    return turn


def turn_lucent_place(data: Path, weights: Path) -> Callable[[], float]:
    return turn_lucent_map(data, weights, summed=False)


def turn_lucent_default(data: Path, weights: Path) -> Callable[[], float]:
    return turn_lucent_map(data, weights, side=None, layers=(2,))


def turn_exhibits(data: Path, weights: Path, *more: str) -> Callable[[], float]:
    """Seconds for all three, one after the other in a process of their own each; prints what they reached."""

    def turn() -> float:
        seconds = 0.0
        for method in METHODS:
            start = time.perf_counter()
            command = [
                sys.executable,
                __file__,
                "--data",
                str(data),
                "--weights",
                str(weights),
                "--exhibit",
                method,
                *more,
            ]
            answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            seconds += time.perf_counter() - start
            print(f"{method:22} {time.perf_counter() - start:6.1f} s, {answer.strip()}", file=sys.stderr)
        return seconds

    return turn


def exhibit(method: str, data: Path, weights: Path, changes: dict[str, Any]) -> None:
    """Make one exhibit as the workflow does, but for the other seeds, which cost little; say what it reached."""
    import resource
    from importlib import import_module

    import torch
    from omegaconf import OmegaConf

    from cnnatomy.data import prepared
    from cnnatomy.dissect.method import Method
    from cnnatomy.training.memory import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(1)
    conf = Path(__file__).resolve().parents[1] / "conf" / "dissect" / f"{method}.yaml"
    dataset = prepared.load(data)
    needs = {"training": lambda: dataset.split("train"), "seed": int, "others": tuple}
    settings = OmegaConf.to_container(OmegaConf.load(conf)) | changes
    found = Method.of(import_module(f"cnnatomy.dissect.{method}"))
    made = found.made(lecture(weights), dataset.split("test"), settings, needs)
    whole = {number.metric: number.value for number in made.numbers if not number.subject}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{memory:.2f} GB", json.dumps(whole))


def lecture(weights: Path) -> Any:
    from cnnatomy.models.lecture import Lecture
    from cnnatomy.models.weights import load

    network = Lecture((1, 28, 28), 10, filters=(25, 50), units=100, dropout=0.25)
    load(network, weights)
    return network.eval()


def sequential(state: Path) -> Any:
    """M1 again, for an environment that has torch and not cnnatomy."""
    from collections import OrderedDict

    import torch
    from torch import nn

    network = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 25, 3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(25, 50, 3),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            dense1=nn.Linear(1250, 100),
            relu3=nn.ReLU(),
            dense2=nn.Linear(100, 10),
        )
    )
    network.load_state_dict(torch.load(state.with_suffix(".pt"), weights_only=True))
    return network.eval()


class Contender:
    """A process that warms up, then takes a turn whenever it is told to."""

    def __init__(self, name: str, python: str, data: Path, weights: Path, warm: bool = True) -> None:
        self.process = subprocess.Popen(
            [python, __file__, "--data", str(data), "--weights", str(weights), "--contender", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        self.seconds: list[float] = []
        if warm:
            self.turn()
            self.seconds.clear()

    def turn(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith("seconds "):
            if not line:
                raise SystemExit("a contender died; its message is above")
        self.seconds.append(float(line.split()[1]))

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def contend(name: str, data: Path, weights: Path) -> None:
    """Be a contender: a turn for every line on standard input."""
    turn = globals()[f"turn_{name}"](data, weights)
    for _ in sys.stdin:
        print(f"seconds {turn():.9f}", flush=True)


def row(measure: str, values: list[float], sign: str, bound: float) -> dict[str, Any]:
    value = statistics.median(values)
    return {
        "measure": measure,
        "value": round(value, 4),
        "lowest": round(min(values), 4),
        "highest": round(max(values), 4),
        "turns": len(values),
        "reach": f"{sign} {bound}",
        "met": value <= bound if sign == "≤" else value >= bound,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("results/data/mnist"))
    parser.add_argument("--weights", type=Path, default=Path("results/runs/mnist/seed0/model.safetensors"))
    parser.add_argument("--lucent", help="a Python that has torch-lucent")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--smoke", action="store_true", help="two steps and one start: does it run?")
    parser.add_argument("--csv", type=Path, default=Path(__file__).with_suffix(".csv"))
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--exhibit", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        contend(options.contender, options.data, options.weights)
        return
    if options.exhibit:
        exhibit(options.exhibit, options.data, options.weights, {"steps": 2, "starts": 1} if options.smoke else {})
        return
    rows = []
    if options.lucent:
        rows += against_lucent(options)
    else:
        print("lucent is left out: name a Python that has it with --lucent.")
    whole = turn_exhibits(options.data, options.weights, *(["--smoke"] if options.smoke else []))()
    rows.append(row("seconds for all filters, dense units and classes of M1", [whole], "≤", 120))
    for found in rows:
        spread = f"({found['lowest']:.3f} to {found['highest']:.3f})"
        met = "met" if found["met"] else "not met"
        print(f"{found['measure']:56} {found['value']:8.3f} {spread}  {found['reach']:7} {met}")
    with options.csv.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def against_lucent(options: argparse.Namespace) -> list[dict[str, Any]]:
    import torch

    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "model.pt"
        torch.save(lecture(options.weights).state_dict(), state)
        pythons = {"ours_map": sys.executable, "lucent_map": options.lucent}
        pythons |= {"ours_place": sys.executable, "lucent_place": options.lucent}
        taking = {
            name: Contender(name, python, options.data, options.weights if python == sys.executable else state)
            for name, python in pythons.items()
        }
        for _ in range(options.turns):
            for contender in taking.values():
                contender.turn()
        taking["lucent_default"] = Contender("lucent_default", options.lucent, options.data, state, warm=False)
        taking["lucent_default"].turn()
        for contender in taking.values():
            contender.end()
    seconds = {name: contender.seconds for name, contender in taking.items()}
    for name, of in seconds.items():
        print(f"{name:16} {statistics.median(of):8.4f} s a filter, {STEPS} steps")
    ratios = {
        what: [b / a for a, b in zip(seconds[f"ours_{what}"], seconds[f"lucent_{what}"], strict=True)]
        for what in ("map", "place")
    }
    return [
        row("lucent's seconds a filter over ours, map, 28 × 28", ratios["map"], "≥", 10),
        row("lucent's seconds a filter over ours, one place, 28 × 28", ratios["place"], "≥", 10),
        row(
            "lucent's seconds a filter over ours, map, lucent's size",
            [seconds["lucent_default"][0] / statistics.median(seconds["ours_map"])],
            "≥",
            10,
        ),
    ]


if __name__ == "__main__":
    main()
