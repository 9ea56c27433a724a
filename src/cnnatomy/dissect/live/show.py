"""The network for the page, and how alike it is to torch's. What is said of it: `locale/<language>/live.yaml`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.live.hearing import listening
from cnnatomy.dissect.live.looks import Looks
from cnnatomy.dissect.live.measure import Portable, numbers
from cnnatomy.dissect.live.packing import KINDS as BITS
from cnnatomy.dissect.live.program import Step
from cnnatomy.dissect.live.settings import Settings
from cnnatomy.exhibit import Live, LiveSample, Say, Showing, say
from cnnatomy.exhibit.rounding import significant

KINDS = {"images": "picture", "sounds": "sound", "texts": "words", "signals": "signal"}
NAME = "network"


def show(found: Portable, samples: Samples, settings: Settings) -> Showing:
    """One block: the network, with samples of each class to begin with."""
    rows, facts = numbers(found), samples.facts
    ids = samples.table["id"]
    given = [
        LiveSample(ids[place], None if label < 0 else int(label), [significant(float(one), 7) for one in logits])
        for place, label, logits in zip(found.places, samples.labels[found.places], found.logits, strict=True)
    ]
    block = Live(
        NAME,
        input_of(facts, found.inputs),
        tuple(say("live.class", name=name) for name in facts.classes),
        [_step(step) for step in found.program.steps],
        found.program.shown,
        found.packed.content,
        found.packed.places,
        found.inputs,
        given,
        caption=say(f"live.how.{facts.kind}"),
        activation=found.activation,
        looks=[asdict(look) for look in found.learned.looks] if found.learned else (),
        changes=found.learned.content if found.learned else b"",
    )
    caption = [
        say(f"live.caption.{facts.kind}"),
        _kept(found),
        *_looks(found.learned, settings),
    ]
    return Showing(rows, [block], caption)


def _looks(learned: Looks | None, settings: Settings) -> list[Say]:
    """What is said of the looks at it while it learned."""
    if learned is None:
        return []
    if not learned.looks:
        return [say("live.looks.too_large", size=learned.kilobytes, most=float(settings.looks_kilobytes))]
    least, n = min(look.same for look in learned.looks), learned.looks[0].n
    return [say("live.looks.kept", looks=len(learned.looks), size=learned.kilobytes, least=least, n=n)]


def _kept(found: Portable) -> Say:
    """In how many bits its weights are kept, and what that changes."""
    taken, size = found.tried[-1], len(found.packed.content) / 1e3
    if taken.kind == "float32":
        return say("live.weights.float32", size=size, weights=found.weights)
    known = {"same": taken.same, "n": taken.n, "off": taken.off, "size": size, "weights": found.weights}
    return (
        say("live.weights.int8", **known)
        if taken.kind == "int8"
        else say("live.weights.more", bits=BITS[taken.kind], **known)
    )


def _step(step: Step) -> dict[str, Any]:
    described: dict[str, Any] = {"op": step.op, "name": step.name}
    described |= {"from": list(step.made_of), "shape": list(step.shape)}
    if step.given:
        described["with"] = step.given
    if step.weights:
        described["weights"] = list(step.weights)
    return described


def input_of(facts: Facts, inputs: np.ndarray) -> dict[str, Any]:
    """What a sample is: its kind and shape, how it becomes what the network takes, what stands along it.

    inputs: some, which say how far the brightness of their pictures reaches.
    """
    found: dict[str, Any] = {"kind": KINDS[facts.kind], "shape": [int(size) for size in facts.shape]}
    if facts.kind == "images":
        found["over"] = 255
    if facts.normalise is not None:
        for key, value in (("mean", facts.normalise.mean), ("std", facts.normalise.std)):
            found[key] = np.atleast_1d(value).tolist()
    if facts.kind == "texts":
        return found | {"way": facts.tokens or "words", "vocabulary": list(facts.vocabulary or ())}
    if facts.kind == "images":
        found |= {"low": [0], "high": [255]}
    elif facts.channels:
        found |= {"low": [one.low for one in facts.channels], "high": [one.high for one in facts.channels]}
    else:
        found |= {"low": [float(inputs.min())], "high": [float(inputs.max())]}
    if facts.channels:
        found["names"] = [one.name for one in facts.channels]
    axes = [
        {"name": one.name, "unit": one.unit, "values": [significant(v, 6) for v in one.values]} for one in facts.axes
    ]
    heard = listening(facts, found["low"][0]) if facts.kind == "sounds" else None
    return found | {"axes": axes} | ({"listening": heard} if heard else {})
