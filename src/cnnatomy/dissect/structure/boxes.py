"""The steps of a forward pass in boxes, so that a network of many layers can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cnnatomy.dissect.structure.steps import Step, times
from cnnatomy.exhibit import Text, say


@dataclass
class Box:
    """What is drawn as one: steps that follow each other. after: places of the boxes before it; none is the input."""

    name: str
    steps: list[Step]
    after: set[int] = field(default_factory=set)

    @property
    def output(self) -> Step:
        """The last step; flattening and padding, which only get it ready for the next one, don't count."""
        return ([step for step in self.steps if step.role != "passing"] or self.steps)[-1]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.output.shape

    @property
    def told(self) -> bool:
        """Whether all its layers can be named: there is one besides normalisations, activations and the like."""
        return sum(not step.quiet for step in self.steps) <= 1

    @property
    def does(self) -> Text:
        """What its steps do, in a few words."""
        parts: list[Text] = []
        if self.told:
            for step in [step for step in self.steps if step.role != "unchanged"] or self.steps:
                if step.does not in parts:
                    parts.append(step.does)
            return say("structure.several", parts=parts)
        kernels = [step.kernel for step in self.steps if step.role == "convolution"]
        if kernels:
            sizes = list(dict.fromkeys(map(times, kernels)))
            parts.append(say("structure.box.convolutions", n=len(kernels), sizes=sizes))
        else:
            parts.append(say("structure.box.layers", n=len(self.steps)))
        if any(step.meets or len(step.after) > 1 for step in self.steps):
            parts.append(say("structure.box.branching"))
        return say("structure.several", parts=parts)

    @property
    def parameters(self) -> int:
        return sum(step.parameters for step in self.steps)

    @property
    def multiply_adds(self) -> int:
        return sum(step.multiply_adds for step in self.steps)


def gathered(steps: Sequence[Step], most: int) -> list[Box]:
    """The steps in boxes, at most `most` where that can be: parts of the network as one, opened level by level."""
    opened: set[tuple[str, ...]] = set()
    boxes = _boxes(steps, opened)
    while True:
        # Parts of the network that have parts themselves and are one box as yet; those highest up are opened together.
        keys = {key for step in steps if len(key := _key(step, opened)) < len(step.path)}
        level = {key for key in keys if len(key) == min(map(len, keys))}
        more = _boxes(steps, opened | level)
        if not level or len(more) > most:
            return boxes
        opened |= level
        boxes = more


def _key(step: Step, opened: set[tuple[str, ...]]) -> tuple[str, ...]:
    """The part of the network that the step is drawn with: its path as far as it is opened, and one further."""
    end = 1
    while end < len(step.path) and step.path[:end] in opened:
        end += 1
    return step.path[:end]


def _boxes(steps: Sequence[Step], opened: set[tuple[str, ...]]) -> list[Box]:
    boxes: list[Box] = []
    keys: list[tuple[str, ...]] = []
    place_of: dict[str, int] = {}
    for step in steps:
        key = _key(step, opened)
        before = {place_of[name] for name in step.after if name in place_of}
        quiet = step.quiet and len(before) == 1
        if boxes and keys[-1] == key and len(key) < len(step.path):
            place = len(boxes) - 1  # another step of the same part
        elif quiet and len(step.after) == 1:
            place = before.pop()
        else:
            boxes.append(Box(_name(key), []))
            keys.append(key)
            place = len(boxes) - 1
        boxes[place].steps.append(step)
        boxes[place].after |= before - {place}
        place_of[step.name] = place
    return _without_masks(boxes)


def _without_masks(boxes: Sequence[Box]) -> list[Box]:
    """Without what comes from the input and learns nothing, such as a padding or the mask of a sentence's end: it goes
    to the box that it is for, where it comes right before it, or is left out."""
    passing = {
        place
        for place, box in enumerate(boxes)
        if not box.after and all(step.quiet for step in box.steps) and len(boxes) > 1
    }
    kept = [place for place in range(len(boxes)) if place not in passing]
    new = {old: place for place, old in enumerate(kept)}
    taken = {old: boxes[old - 1].steps for old in kept if old - 1 in passing and boxes[old].after == {old - 1}}
    return [
        Box(
            boxes[old].name,
            [*taken.get(old, ()), *boxes[old].steps],
            {new[one] for one in boxes[old].after - passing},
        )
        for old in kept
    ]


def _name(key: tuple[str, ...]) -> str:
    return ".".join(key[:-1] if key[-1] == "+" else key)
