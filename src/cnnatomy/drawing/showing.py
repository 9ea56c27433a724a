"""Arrays as pictures, pixel by pixel, and samples as what a reader can look at, hear or read.

A picture never says more than its numbers: a map that is zero everywhere is drawn as zero and not stretched into a
pattern, weights are drawn on a scale that is symmetric about zero, and nothing is enlarged or smoothed.

Signs are drawn from blue over near white to red (ColorBrewer's RdBu), amounts from black over purple to pale yellow
(matplotlib's magma, by Smith and van der Walt, CC0). Colour-blind readers can follow both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cnnatomy.data.prepared import PADDING, UNKNOWN, Facts, Samples
from cnnatomy.data.tokenising import tokenise
from cnnatomy.drawing import curves
from cnnatomy.exhibit import Grid, Item, Sentence, Text, Texts
from cnnatomy.exhibit.blocks import State

Sound = Callable[[str], bytes | None]
"""Gives the wav bytes of a file by its name in the raw archive, or None where there is nothing to hear."""

ZERO = (247, 247, 247)  # the colour of zero in `signed`

_SIGNED = ("2166ac", "4393c3", "92c5de", "d1e5f0", "f7f7f7", "fddbc7", "f4a582", "d6604d", "b2182b")
_AMOUNT = (
    "000004", "0b0924", "20114b", "3b0f70", "57157e", "721f81", "8c2981", "a8327d", "c43c75",
    "de4968", "f1605d", "fa7f5e", "fe9f6d", "febf84", "fddea0", "fcfdbf",
)  # fmt: skip


def _table(colours: Sequence[str], steps: int) -> np.ndarray:
    """A look-up table of `steps` colours, uint8 (steps, 3), between equally spaced ones."""
    anchors = np.array([[int(colour[i : i + 2], 16) for i in (0, 2, 4)] for colour in colours], dtype=float)
    places = np.linspace(0, len(colours) - 1, steps)
    columns = [np.interp(places, np.arange(len(colours)), anchors[:, channel]) for channel in range(3)]
    return np.rint(np.stack(columns, axis=1)).astype(np.uint8)


# As many as eyes tell apart side by side; of 256 the same pictures take a fifth more room.
EACH_SIDE, STEPS = 31, 64
_SIGNED_TABLE = _table(_SIGNED, 2 * EACH_SIDE + 1)  # odd, so that zero has a colour of its own, in the middle
_AMOUNT_TABLE = _table(_AMOUNT, STEPS)


def signed(values: np.ndarray, scale: float | None = None) -> np.ndarray:
    """Numbers of either sign as colours, uint8 (height, width, 3): −scale blue, 0 near white, +scale red.

    values: (height, width). `scale` is the largest absolute value where it is not given. All zero stays all `ZERO`.
    """
    values = _finite(values)
    scale = float(np.abs(values).max()) if scale is None else scale
    share = values / scale if scale > 0 else np.zeros_like(values)
    return _SIGNED_TABLE[np.rint(EACH_SIDE + EACH_SIDE * np.clip(share, -1, 1)).astype(int)]


def amount(values: np.ndarray, high: float | None = None, low: float = 0.0) -> np.ndarray:
    """Amounts as colours, uint8 (height, width, 3): `low` black, `high` pale yellow.

    values: (height, width). `high` is the largest value where it is not given. Nothing above `low` is all black.
    """
    return _AMOUNT_TABLE[_share(values, low, high, STEPS)]


def grey(values: np.ndarray, high: float | None = None, low: float = 0.0, shades: int = 256) -> np.ndarray:
    """Amounts as grey, uint8 (height, width): `low` black, `high` white, in so many shades."""
    return np.rint(_share(values, low, high, shades) * (255 / (shades - 1))).astype(np.uint8)


def colour(kernel: np.ndarray, scale: float | None = None) -> np.ndarray:
    """Weights on red, green and blue as the colour they look for, uint8 (height, width, 3): zero is middle grey.

    kernel: (3, height, width). `scale` is the largest absolute weight where it is not given.
    """
    kernel = _finite(kernel)
    scale = float(np.abs(kernel).max()) if scale is None else scale
    share = kernel / scale if scale > 0 else np.zeros_like(kernel)
    return np.rint(127.5 + 127.5 * np.clip(share, -1, 1)).astype(np.uint8).transpose(1, 2, 0)


def _share(values: np.ndarray, low: float, high: float | None, steps: int) -> np.ndarray:
    """Where the values lie between `low` and `high`, as whole numbers below `steps`."""
    values = _finite(values)
    high = float(values.max()) if high is None else high
    if high <= low:
        return np.zeros(values.shape, dtype=int)
    return np.rint((steps - 1) * np.clip((values - low) / (high - low), 0, 1)).astype(int)


def _finite(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise ValueError(f"{bad} of {values.size} values are infinite or undefined: such numbers can't be drawn")
    return values


def upright(facts: Facts, values: np.ndarray) -> np.ndarray:
    """An array over (…, rows, columns) as it should hang: the frequencies of a sound run upward, all else stays."""
    return values[..., ::-1, :] if facts.kind == "sounds" else values


def shown_channels(facts: Facts) -> list[int]:
    """The channels of an image that a picture of it shows: one in grey, or three as red, green and blue.

    Unless the data say which, the first three; of two the first as magenta and the second as green, which nobody
    confuses, white where both are.
    """
    if facts.shown is not None:
        return facts.shown
    return {1: [0], 2: [0, 1, 0]}.get(facts.shape[0], [0, 1, 2])


def in_colours(facts: Facts) -> bool:
    """Whether pictures of a sample are in the colours of three of its channels."""
    return facts.kind == "images" and len(shown_channels(facts)) == 3


def of_colours(facts: Facts) -> bool:
    """Whether a sample is an image of three channels of which a picture shows all, as red, green and blue."""
    return facts.kind == "images" and facts.shape[0] == 3 and sorted(shown_channels(facts)) == [0, 1, 2]


def picture(facts: Facts, sample: np.ndarray) -> np.ndarray:
    """One image, spectrogram or signal as pixels: uint8 (height, width) grey, or (height, width, 3).

    A spectrogram shows the 60 dB below its loudest point, frequency upward, time to the right. A signal is drawn as
    curves, on axes.
    """
    if facts.kind == "signals":
        return curves.signal(facts, sample)
    if facts.kind == "images":
        channels = shown_channels(facts)
        return sample[channels[0]] if len(channels) == 1 else sample[channels].transpose(1, 2, 0)
    loudness = sample[0].astype(np.float64)
    return amount(upright(facts, loudness), low=float(loudness.max()) - 60)


def words(samples: Samples, index: int) -> list[str]:
    """The words of a sentence as the network gets them, without the padding; unknown ones stand in [brackets]."""
    tokens = samples.inputs[index]
    length = int(np.flatnonzero(tokens != PADDING).max(initial=-1)) + 1
    if not samples.facts.vocabulary:
        raise ValueError(f"the dataset {samples.facts.name!r} has no vocabulary: its samples are {samples.facts.kind}")
    read = [samples.facts.vocabulary[token] for token in tokens[:length]]
    if "text" not in samples.table:
        return read
    written = tokenise(samples.table["text"][index], samples.facts.tokens or "words")
    return [f"[{word}]" if token == UNKNOWN else word for token, word in zip(tokens[:length], written, strict=False)]


def spaced(facts: Facts) -> bool:
    """Whether the tokens of texts are words, which stand apart, rather than characters."""
    return facts.axes[0].name != "character"


def class_name(facts: Facts, label: int) -> str:
    """The name of a class; "none" for what has no label."""
    return facts.classes[label] if label >= 0 else "none"


@dataclass(frozen=True)
class Shown:
    """One sample to show: its place in the split, and what to say of it."""

    index: int
    label: Text = ""
    state: State = ""
    values: Mapping[str, float] = field(default_factory=dict)
    group: str = ""


def show(
    name: str,
    samples: Samples,
    chosen: Sequence[Shown],
    said: tuple[Text, Text] = ("", ""),
    sound: Sound | None = None,
    columns: int | None = None,
) -> Grid | Texts:
    """The chosen samples as a grid of pictures (with their sound where there is one) or as sentences.

    said: title and caption.
    """
    ids = samples.table["id"]
    if samples.facts.kind == "texts":
        sentences = [
            Sentence(
                id=ids[one.index],
                tokens=[(word, 0.0) for word in words(samples, one.index)],
                label=one.label,
                state=one.state,
                values=one.values,
                group=one.group,
                spaces=spaced(samples.facts),
            )
            for one in chosen
        ]
        return Texts(name, sentences, *said)
    files = samples.table["file"] if samples.facts.kind == "sounds" and "file" in samples.table else None
    items = [
        Item(
            id=ids[one.index],
            pixels=picture(samples.facts, samples.inputs[one.index]),
            label=one.label,
            sound=None if sound is None or files is None else sound(files[one.index]),
            state=one.state,
            values=one.values,
            group=one.group,
        )
        for one in chosen
    ]
    return Grid(name, items, columns, *said)


def plain(value: float) -> str:
    """A number to two decimals as it stands in a sentence, with a true minus sign."""
    return f"{value:.2f}".replace("-", "−")
