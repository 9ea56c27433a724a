"""A network that runs in the page: its program, its weights, samples and what torch answers to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnatomy.exhibit.describing import Files, InvalidExhibit, add, finite, heading
from cnnatomy.exhibit.naming import file_name, short_id
from cnnatomy.exhibit.words import Text, described

INPUT = "input"  # what the first steps are made of
TYPES = ("uint8", "float16", "float32", "int32")  # of samples


@dataclass(frozen=True)
class LiveSample:
    """A sample to begin with: its class, by its place, or None; and what torch answers to it, a number a class."""

    id: str
    label: int | None
    logits: Sequence[float]


@dataclass
class Live:
    """A network that answers while a reader changes its input.

    input: what a sample is (`kind`, `shape`, `mean`, `std` …, see docs/exhibit.md). classes: their names. program:
    steps, each {"op", "name", "from", "shape", "with", "weights"}, of which the last gives the logits. shown: the steps
    worth drawing. weights: bytes, little endian. tensors: where in them each weight lies, {"shape", "type", "at",
    "scales"}. inputs: (n, *shape), as they are stored: uint8, float16, float32 or int32. samples: what they are.
    activation: the steps of which class activation maps are made. looks: the network while it learned, each {"step",
    "epochs", "right", "labelled", "same", "n", "tensors"}, the last at the end. changes: bytes of their tensors.
    """

    name: str
    input: Mapping[str, Any]
    classes: Sequence[Text]
    program: Sequence[Mapping[str, Any]]
    shown: Sequence[str]
    weights: bytes
    tensors: Mapping[str, Mapping[str, Any]]
    inputs: np.ndarray
    samples: Sequence[LiveSample]
    title: Text = ""
    caption: Text = ""
    activation: Sequence[str] = ()
    looks: Sequence[Mapping[str, Any]] = ()
    changes: bytes = b""

    def describe(self, files: Files) -> dict[str, Any]:
        name = file_name(self.name)
        kind = str(self.inputs.dtype)
        if kind not in TYPES or len(self.inputs) != len(self.samples):
            raise InvalidExhibit(
                f"live {self.name!r} has {len(self.inputs)} inputs of {kind} for {len(self.samples)} samples; give one "
                f"for each, of {', '.join(TYPES)}"
            )
        add(files, f"{name}-weights.bin", self.weights)
        add(files, f"{name}-samples.bin", self.inputs.astype(self.inputs.dtype.newbyteorder("<")).tobytes())
        learned = {}
        if self.looks:
            add(files, f"{name}-changes.bin", self.changes)
            learned = {"looks": [dict(look) for look in self.looks], "changes": f"{name}-changes.bin"}
        return {
            "type": "live",
            "name": name,
            "input": dict(self.input),
            "classes": [described(one) for one in self.classes],
            "program": [dict(step) for step in self.program],
            "shown": list(self.shown),
            "activation": list(self.activation),
            "weights": f"{name}-weights.bin",
            "tensors": {key: dict(place) for key, place in self.tensors.items()},
            "inputs": f"{name}-samples.bin",
            "stored": kind,
            "samples": [self._sample(one) for one in self.samples],
            **learned,
        } | heading(self.title, self.caption)

    def _sample(self, one: LiveSample) -> dict[str, Any]:
        logits = [finite(value, f"a logit of {one.id!r} in live {self.name!r}") for value in one.logits]
        label = {} if one.label is None else {"label": int(one.label)}
        return {"id": short_id(one.id), **label, "logits": logits}


def problems(path: str, block: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a block `live`, and where."""
    known = {INPUT}
    for index, step in enumerate(block["program"]):
        here = f"{path}.program[{index}]"
        for source in step["from"]:
            if source not in known:
                yield f"{here}.from", f"{source!r} is no step before this one; put steps in their order"
        for weight in step.get("weights", ()):
            if weight not in block["tensors"]:
                yield f"{here}.weights", f"{weight!r} is none of the tensors; add it to them"
        if step["name"] in known:
            yield f"{here}.name", f"{step['name']!r} is taken; give every step its own"
        known.add(step["name"])
    for key in ("shown", "activation"):
        for index, name in enumerate(block.get(key, ())):
            if name not in known:
                yield f"{path}.{key}[{index}]", f"{name!r} is no step; name one of the program's"
    for name, place in block["tensors"].items():
        if place["type"].startswith("int") != ("scales" in place):
            yield f"{path}.tensors.{name}", "whole numbers have scales, and nothing else has; give or remove them"
    yield from _looks(path, block)
    classes = len(block["classes"])
    if block["program"][-1]["shape"] != [classes]:
        yield f"{path}.program", f"its last step gives {block['program'][-1]['shape']}, not {classes} logits"
    for index, sample in enumerate(block["samples"]):
        if len(sample["logits"]) != classes or sample.get("label", 0) >= classes:
            yield f"{path}.samples[{index}]", f"not a logit for each of {classes} classes, or a label that is none"


def _looks(path: str, block: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the looks at it while it learned."""
    looks = block.get("looks", ())
    if bool(looks) != ("changes" in block):
        yield f"{path}.changes", "looks have their file of changes, and nothing else has; give or remove it"
    for index, look in enumerate(looks):
        here = f"{path}.looks[{index}]"
        if index and look["step"] <= looks[index - 1]["step"]:
            yield f"{here}.step", "it is not behind the look before; put looks in their order"
        changed = set() if index == len(looks) - 1 else set(block["tensors"])
        if set(look["tensors"]) != changed:
            yield (
                f"{here}.tensors",
                "a look has all of the network's tensors, and the last one none; add or remove some",
            )
        for name, place in look["tensors"].items():
            if place["type"].startswith("int") != ("by" in place):
                yield f"{here}.tensors.{name}", "whole numbers have a step, by, and nothing else has; give or remove it"
