"""Maps of what counts in a sample as pictures and marked words, and what is said of how far they can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.saliency.attributions import Baseline
from cnnatomy.dissect.saliency.path import Mean
from cnnatomy.dissect.saliency.trust import FEW, LIMIT, Verdict
from cnnatomy.drawing import curves
from cnnatomy.drawing.showing import amount, picture, signed, upright, words
from cnnatomy.exhibit import Item, Say, Text, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.answers import Answer

SIDE = 64  # cells along the longer side of a drawn map, at most
STRIP = 8  # how wide a map of one cell's width is drawn, in pixels
PRECISE = 1e-3  # an error at which a map may be read cell by cell
CUT = 99  # per cent of a map's cells that its scale of colours reaches


def titled(name: str) -> Say:
    """What a method, or a map that knows nothing of the network, is called."""
    return say(f"saliency.method.{name}")


def based(baseline: Baseline) -> Say:
    """What stands for nothing."""
    return say(f"saliency.baseline.{baseline.name}", level=baseline.level)


def precision(means: Sequence[Mean]) -> list[Say]:
    """How far integrated gradients can be off; nothing where there are none."""
    if not means:
        return []
    error = max(mean.error for mean in means)
    off = say(f"saliency.precision.{'fine' if error <= PRECISE else 'coarse'}", off=100 * error)
    return [say("saliency.precision.asked", points=float(np.mean([mean.points for mean in means]))), off]


def marked(label: Text, verdict: Verdict) -> Text:
    """A picture's label, with the verdict where the method fails."""
    return say("saliency.fails", label=label) if verdict.fails else label


def similarities(verdicts: Mapping[str, Verdict]) -> list[Say]:
    """Each method with how alike its maps stay where they change least."""
    return [
        say("saliency.test.each", method=titled(name), similarity=float(verdict.worst.mean()))
        for name, verdict in verdicts.items()
    ]


def tested(verdicts: Mapping[str, Verdict]) -> list[Say]:
    """The verdicts of the randomisation test, for a caption."""
    shuffles, _, n = next(iter(verdicts.values())).repeats.shape
    each = similarities(verdicts)
    found = [say("saliency.test.what", n=n, shuffles=shuffles, each=each, limit=LIMIT)]
    if min(n, shuffles) < FEW:
        found.append(say("saliency.test.few"))
    if failing := [titled(name) for name, verdict in verdicts.items() if verdict.fails]:
        found.append(say("saliency.test.failing", methods=failing, n=len(failing)))
    return found


def sample_item(samples: Samples, answer: Answer, group: Text = "") -> Item:
    """The sample itself, beside which its maps stand."""
    name = str(samples.table["id"][answer.place])
    pixels = picture(samples.facts, samples.inputs[answer.place])
    return Item(name, pixels, label=name, state=answer.state, group=group)


def coarser(values: np.ndarray, most: int = SIDE) -> tuple[np.ndarray, int]:
    """A map (rows, columns) in square blocks, each the sum of its places, of at most `most` along a side; and the
    side of a block."""
    side = -(-max(values.shape) // most)
    if side == 1:
        return values, 1
    rows, columns = (-(-length // side) for length in values.shape)
    whole = np.zeros((rows * side, columns * side))
    whole[: values.shape[0], : values.shape[1]] = values
    return whole.reshape(rows, side, columns, side).sum(axis=(1, 3)), side


def signed_picture(facts: Facts, values: np.ndarray) -> np.ndarray:
    """A map with signs as colours; its strongest hundredth shares the darkest, so that one cell does not pale all."""
    scale = float(np.percentile(np.abs(values), CUT)) or float(np.abs(values).max())
    return signed(upright(facts, values), scale)


def cells_picture(facts: Facts, cells: np.ndarray) -> np.ndarray:
    """A map of amounts, cell by cell: zero is black, the largest pale; one cell wide is drawn as a strip."""
    flat = cells if cells.ndim == 2 else cells[:, None] if facts.kind == "sounds" else cells[None]
    flat = upright(facts, flat)
    for axis, length in enumerate(flat.shape):
        if length == 1:
            flat = flat.repeat(STRIP, axis=axis)
    return amount(flat)


def on_signal(samples: Samples, answer: Answer, values: np.ndarray) -> np.ndarray:
    """A signal with a map of its moments, (steps,), as colours below and behind it: red above zero, blue below.

    The strongest hundredth of the moments shares the darkest colours.
    """
    scale = float(np.percentile(np.abs(values), CUT)) or float(np.abs(values).max())
    return curves.signal(samples.facts, np.asarray(samples.inputs[answer.place]), map_=signed(values[None], scale)[0])


def weighed(samples: Samples, answer: Answer, weights: np.ndarray) -> list[tuple[str, float]]:
    """The words of a sentence, each with its weight."""
    spelt = words(samples, answer.place)
    return [(word, significant(float(weight))) for word, weight in zip(spelt, weights, strict=False)]
