"""The network drawn, with the size, the receptive field and the cost of every layer (M14)."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.padding import _ConstantPadNd

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.drawing.plotting import MUTED, SERIES
from cnnatomy.drawing.showing import span_of
from cnnatomy.exhibit import Exhibit, Figure, Number, Table, Text
from cnnatomy.models.answering import Reading, reading_of
from cnnatomy.probing.calls import module_of
from cnnatomy.probing.fields import Field
from cnnatomy.probing.layers import CONVOLUTIONS, Layer, capture, evaluating, trace, whole
from cnnatomy.probing.outputs import logits_of
from cnnatomy.probing.work import products

if TYPE_CHECKING:
    import pandas as pd

TITLE = {"en": "The network, and what each layer sees", "zh": "网络结构与感受野"}
SOURCES = [
    "Araujo, Norris & Sim 2019, Computing receptive fields of convolutional neural networks, Distill",
    "He et al. 2016, Deep residual learning for image recognition, CVPR (multiply-adds as a measure of cost)",
]
QUIET = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.ELU, nn.Sigmoid, nn.Tanh, nn.Hardswish, nn.Hardsigmoid),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.Identity, nn.Flatten, nn.Softmax, nn.LogSoftmax),
    *(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.ZeroPad1d, nn.ZeroPad2d, nn.ConstantPad1d, nn.ConstantPad2d),
    *(nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReplicationPad1d, nn.ReplicationPad2d),
)  # what is named in the box of the layer before it, where there is only one


def structure(network: nn.Module, samples: Samples, config: Mapping[str, Any]) -> Exhibit:
    """Draw the network, and list of each layer its output, receptive field, parameters and multiply-adds (M14).

    All is read off the live network in one forward pass. Multiply-adds are the products of weights and inputs for one
    sample; adding a bias, normalisation and pooling are not counted.

    config: `boxes`, how many the drawing has at most. The exhibit's name and seed are left for the caller. Raises
    NoLogits for a network that doesn't take the samples.
    """
    facts = samples.facts
    x = to_tensor(facts, samples.inputs[:1])
    classes = logits_of(network, x).shape[1]
    steps = calls(trace(network, x))
    boxes = gathered(steps, config["boxes"])
    total = counted_by_torch(network, x)
    counted = sum(step.multiply_adds for step in steps)
    convolutions = [step.layer for step in steps if isinstance(step.layer.module, CONVOLUTIONS)]
    confirmed = [confirm(network, x, layer, facts) for layer in convolutions if layer.field is not None]
    fields = [layer.field for layer in convolutions if layer.field is not None]
    return Exhibit(
        kind="run",
        name="",
        method="structure",
        seed=0,
        title=TITLE,
        caption=_caption(facts, steps, boxes, total - counted, classes, reading_of(network)),
        numbers=[
            *_summary(network, facts, steps, fields, confirmed, total),
            *(number for step in steps for number in _numbers(step, facts)),
        ],
        blocks=[
            Figure(
                "network",
                drawing(boxes, facts),
                alt=_alt(boxes, facts),
                title={"en": "From the input to the classes", "zh": "从输入到类别"},
                caption=_reading(boxes, steps),
            ),
            Table(
                "layers",
                _table(steps, facts),
                title={"en": f"All {len(steps)} layers", "zh": f"全部 {len(steps)} 层"},
                caption={
                    "en": "In the order in which they are computed, for one sample. Parameters of a layer that is "
                    "called again are counted once.",
                    "zh": "按计算顺序，针对一个样本。被多次调用的层，参数只计一次。",
                },
            ),
        ],
        sources=SOURCES,
    )


@dataclass(frozen=True)
class Step:
    """One layer in the forward pass, or a place where paths meet by a function (`meets`).

    parameters: of the layer itself, 0 where it is called again. multiply_adds: for one sample.
    """

    layer: Layer
    parameters: int
    multiply_adds: int
    meets: bool = False

    @property
    def path(self) -> tuple[str, ...]:
        return (*self.layer.name.split("."), "+") if self.meets else tuple(self.layer.name.split("."))

    @property
    def after(self) -> frozenset[str]:
        return self.layer.meets if self.meets else self.layer.after


@dataclass
class Box:
    """What is drawn as one: steps that follow each other. after: places of the boxes before it; none is the input."""

    name: str
    steps: list[Step]
    after: set[int] = field(default_factory=set)

    @property
    def output(self) -> Layer:
        """The last layer; flattening and padding, which only get it ready for the next one, don't count."""
        passing = (nn.Flatten, _ConstantPadNd, nn.ReflectionPad2d, nn.ReplicationPad2d)
        telling = [step.layer for step in self.steps if not isinstance(step.layer.module, passing)]
        return (telling or [step.layer for step in self.steps])[-1]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.output.shape

    @property
    def parameters(self) -> int:
        return sum(step.parameters for step in self.steps)

    @property
    def multiply_adds(self) -> int:
        return sum(step.multiply_adds for step in self.steps)


def calls(layers: Sequence[Layer]) -> list[Step]:
    """The layers without parts of their own, in the order of the forward pass, and the places where paths meet."""
    inside = {module_of(layer.name) for layer in layers if whole(layer.module)}
    met: set[int] = set()
    steps = []
    for layer in layers:
        path = module_of(layer.name).split(".")
        if any(".".join(path[:end]) in inside for end in range(1, len(path))):
            continue  # a part of a layer, as the padding of a convolution
        if whole(layer.module):
            own = [parameter for parameter in layer.module.parameters() if id(parameter) not in met]
            met |= {id(parameter) for parameter in own}
            steps.append(Step(layer, sum(parameter.numel() for parameter in own), products(layer)))
        elif layer.meets:
            steps.append(Step(layer, 0, 0, meets=True))
    return steps


def counted_by_torch(network: nn.Module, x: Tensor) -> int:
    """All products of a forward pass on one sample that torch counts, functions included."""
    from torch.utils.flop_counter import FlopCounterMode

    with evaluating(network), torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(x)
    return counter.get_total_flops() // 2  # it counts a product and a sum as two


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
        quiet = isinstance(step.layer.module, QUIET) and not step.meets and len(before) == 1
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
        place_of[step.layer.name] = place
    return _without_masks(boxes)


def _without_masks(boxes: Sequence[Box]) -> list[Box]:
    """Without what comes from the input and learns nothing, such as a padding or the mask of a sentence's end: it goes
    to the box that it is for, where it comes right before it, or is left out."""
    passing = {
        place
        for place, box in enumerate(boxes)
        if not box.after and all(isinstance(step.layer.module, QUIET) for step in box.steps) and len(boxes) > 1
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


def confirm(network: nn.Module, x: Tensor, layer: Layer, facts: Facts) -> bool:
    """Whether the field of a layer holds: NaN anywhere outside of what its middle unit sees doesn't reach the unit, and
    NaN along each edge inside does (as far as the edge is no padding)."""
    unit = tuple(length // 2 for length in layer.shape[1:])
    window = layer.window(unit)
    lengths = facts.shape if facts.kind == "texts" else facts.shape[1:]
    inside = np.ones(lengths, dtype=bool)
    for axis, (first, last) in enumerate(window):
        outside = np.ones(lengths[axis], dtype=bool)
        outside[max(0, first) : max(0, last)] = False
        inside &= ~outside.reshape([-1 if place == axis else 1 for place in range(len(lengths))])
    probes, expected = [~inside], [False]
    for axis, (first, last) in enumerate(window):
        for edge in (first, last - 1):
            if 0 <= edge < lengths[axis]:
                along = [slice(None)] * len(lengths)
                along[axis] = slice(edge, edge + 1)
                probe = np.zeros(lengths, dtype=bool)
                probe[tuple(along)] = inside[tuple(along)]
                probes.append(probe)
                expected.append(True)
    spoilt = torch.from_numpy(np.stack(probes))
    batch = x.expand(len(probes), *x.shape[1:]).clone()
    if x.is_floating_point():
        maps = capture(network, batch.masked_fill(spoilt[:, None], torch.nan), [layer.name])[layer.name]
    else:
        with _spoiling_words(network, spoilt):
            maps = capture(network, batch, [layer.name])[layer.name]
    found = maps[:, 0].isnan().flatten(1)[:, int(np.ravel_multi_index(unit, layer.shape[1:]))].tolist()
    return found == expected


class _spoiling_words:
    """While this holds, the vectors of the words at these places (n, words) are NaN: tokens can't be."""

    def __init__(self, network: nn.Module, spoilt: Tensor) -> None:
        self.handles = [
            module.register_forward_hook(lambda _, inputs, output: output.masked_fill(spoilt[..., None], torch.nan))
            for module in network.modules()
            if isinstance(module, nn.Embedding)
        ]

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            handle.remove()


def kind_of(step: Step) -> str:
    """What a layer does, in a few words."""
    module = step.layer.module
    if step.meets:
        return "paths meet"
    if isinstance(module, CONVOLUTIONS):
        parts = [f"{module.out_channels} filters of {_times(module.kernel_size)}"]
        if any(step > 1 for step in module.stride):
            parts.append(f"step {_times(module.stride)}")
        if any(step > 1 for step in module.dilation):
            parts.append(f"dilation {_times(module.dilation)}")
        if module.groups > 1:
            parts.append("one a channel" if module.groups == module.in_channels else f"{module.groups} groups")
        return ", ".join(parts)
    if isinstance(module, nn.Linear):
        return f"{module.out_features} dense units"
    if isinstance(module, nn.Embedding):
        return f"{module.num_embeddings:,} words as {module.embedding_dim} numbers"
    what = "maximum" if "Max" in type(module).__name__ else "mean"
    if isinstance(module, nn.AdaptiveMaxPool1d | nn.AdaptiveMaxPool2d | nn.AdaptiveAvgPool1d | nn.AdaptiveAvgPool2d):
        return f"{what} over all" if math.prod(step.layer.shape[1:]) == 1 else f"{what} over equal parts"
    if isinstance(module, nn.MaxPool1d | nn.MaxPool2d | nn.AvgPool1d | nn.AvgPool2d):
        axes = len(step.layer.shape) - 1
        size = module.kernel_size if isinstance(module.kernel_size, tuple) else (module.kernel_size,) * axes
        return f"{what} over {_times(size)}"
    name = type(module).__name__
    said = {
        "Norm": "normalised",
        "Pad": "padded",
        "Flatten": "flattened",
        "Dropout": "dropout",
        "Identity": "unchanged",
    }
    return next((words for part, words in said.items() if part in name), name)


def _told(box: Box) -> bool:
    """Whether all layers of a box can be named: there is one besides normalisations, activations and the like."""
    return sum(not isinstance(step.layer.module, QUIET) for step in box.steps) <= 1


def _times(size: Sequence[int]) -> str:
    return " × ".join(map(str, size))


def _said(box: Box) -> str:
    """What the steps of a box do."""
    if _told(box):
        named = [step for step in box.steps if not isinstance(step.layer.module, nn.Identity)]
        return ", ".join(dict.fromkeys(kind_of(step) for step in named or box.steps))
    convolutions = [step.layer.module for step in box.steps if isinstance(step.layer.module, CONVOLUTIONS)]
    parts = []
    if convolutions:
        sizes = dict.fromkeys(_times(module.kernel_size) for module in convolutions)
        parts.append(f"{len(convolutions)} convolution{'s' * (len(convolutions) > 1)} of {', '.join(sizes)}")
    else:
        parts.append(f"{len(box.steps)} layers")
    if any(step.meets or len(step.after) > 1 for step in box.steps):
        parts.append("branching")
    return ", ".join(parts)


def _sees(layer: Layer, facts: Facts) -> str:
    """What a unit of a layer sees, in words; nothing where that can't be followed."""
    if layer.field is None:
        return ""
    lengths = facts.shape if facts.kind == "texts" else facts.shape[1:]
    span = span_of(facts, layer.field.size)["en"]
    if all(size >= length for size, length in zip(layer.field.size, lengths, strict=True)):
        return "all" if set(layer.field.units) == {1} else f"all ({span})"
    return span


def _numbers(step: Step, facts: Facts) -> list[Number]:
    layer, subject = step.layer, f"layer={step.layer.name}"
    if not step.parameters or isinstance(layer.module, QUIET):
        return []
    numbers = [Number("parameters", step.parameters, subject=subject)]
    if step.multiply_adds:
        numbers.append(Number("multiply_adds", step.multiply_adds, subject=subject))
    if layer.field is not None and isinstance(layer.module, CONVOLUTIONS):
        for axis, size, stride in zip(facts.axes, layer.field.size, layer.field.stride, strict=False):
            where = f"{subject};axis={axis.name}"
            numbers.append(Number("receptive_field", size, subject=where))
            if stride > 1:
                numbers.append(Number("receptive_stride", stride, subject=where))
    return numbers


def _summary(
    network: nn.Module,
    facts: Facts,
    steps: Sequence[Step],
    fields: Sequence[Field],
    confirmed: Sequence[bool],
    total: int,
) -> list[Number]:
    weighted = [step for step in steps if step.parameters and not isinstance(step.layer.module, QUIET)]
    numbers = [
        Number("parameters", sum(parameter.numel() for parameter in network.parameters())),
        Number("multiply_adds", total),
        Number("layers_with_weights", len(weighted)),
        Number("convolutions", sum(isinstance(step.layer.module, CONVOLUTIONS) for step in steps)),
    ]
    if fields:
        last = max(fields, key=lambda field: math.prod(field.size))
        lengths = facts.shape if facts.kind == "texts" else facts.shape[1:]
        seen = [min(size, length) / length for size, length in zip(last.size, lengths, strict=True)]
        numbers += [
            Number("input_seen_by_one_unit", math.prod(seen), unit="fraction"),
            Number("fields_confirmed", sum(confirmed) / len(confirmed), unit="fraction", n=len(confirmed)),
        ]
    return numbers


def _table(steps: Sequence[Step], facts: Facts) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for step in steps:
        layer = step.layer
        row = {
            "layer": layer.name,
            "what it does": kind_of(step),
            "output": _times(layer.shape),
            "one unit sees": _sees(layer, facts),
            "parameters": step.parameters,
            "multiply-adds": step.multiply_adds,
        }
        if facts.kind == "sounds":
            row["its middle unit sees"] = _heard(layer, facts)
        rows.append(row)
    return pd.DataFrame(rows)


def _heard(layer: Layer, facts: Facts) -> str:
    """What the middle unit of a map sees in Hz and milliseconds."""
    if layer.field is None or len(layer.field.size) != len(facts.axes):
        return ""
    window = layer.field.of_unit([units // 2 for units in layer.field.units])
    parts = []
    for axis, (first, last) in zip(facts.axes, window, strict=True):
        low, high = (axis.values[min(max(0, at), len(axis.values) - 1)] for at in (first, last - 1))
        scale, unit = (1000, "ms") if axis.unit == "s" else (1, axis.unit)
        parts.append(f"{scale * low:,.0f}–{scale * high:,.0f} {unit}")
    return ", ".join(parts)


WIDTH = 720
GAP = 18  # between rows of boxes, for the lines
LINE = 15
GLYPH = 42  # the side of the picture of a map that is as large as the input


def drawing(boxes: Sequence[Box], facts: Facts) -> str:
    """The boxes as an SVG text: a row for each step away from the input, side by side what doesn't wait for another."""
    nodes = [Box("input", []), *(replace(box, after={place + 1 for place in box.after} or {0}) for box in boxes)]
    ranks: list[int] = []
    for node in nodes:
        ranks.append(1 + max((ranks[place] for place in node.after), default=-1))
    rows = [[place for place in range(len(nodes)) if ranks[place] == rank] for rank in range(max(ranks) + 1)]
    passing = any(ranks[place] - ranks[before] > 1 for place, node in enumerate(nodes) for before in node.after)
    room = WIDTH - 2 - (90 if passing else 0)
    most = max(sum(box.parameters for box in boxes), 1), max(sum(box.multiply_adds for box in boxes), 1)
    at: dict[int, tuple[float, float, float, float]] = {}
    parts: list[str] = []
    top = 2.0
    for row in rows:
        width = min(460.0, (room - 12 * (len(row) - 1)) / len(row))
        texts = [_lines(nodes[place], facts, width - GLYPH - 22) for place in row]
        height = max(GLYPH + 12, max(LINE * len(lines) + 16 for lines in texts))
        left = 1 + (room - width * len(row) - 12 * (len(row) - 1)) / 2
        for place, lines in zip(row, texts, strict=True):
            at[place] = (left, top, width, height)
            parts.append(_box(nodes[place], lines, at[place], facts, most))
            left += width + 12
        top += height + GAP
    lines = [
        _line(at[before], at[place], ranks[place] - ranks[before], room)
        for place, node in enumerate(nodes)
        for before in sorted(node.after)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top - GAP + 2:.0f}" width="{WIDTH}" '
        f'height="{top - GAP + 2:.0f}" fill="currentColor" font-family="var(--chart-font, system-ui, sans-serif)" '
        f'font-size="12">{"".join(lines)}{"".join(parts)}</svg>'
    )


def _lines(node: Box, facts: Facts, width: float) -> list[str]:
    """The text of a box, the first line its name."""
    letters = max(12, int(width / 6.6))
    if not node.steps:
        return ["input", *textwrap.wrap(_times(facts.shape), letters)]
    about = [_times(node.shape)]
    if sees := _sees(node.output, facts):
        about.append(f"sees {sees}")
    if node.parameters:
        about.append(f"{node.parameters:,} parameters")
    packed = [about[0]]
    for part in about[1:]:
        if len(packed[-1]) + len(part) + 3 <= letters:
            packed[-1] += f" · {part}"
        else:
            packed.append(part)
    return [node.name, *textwrap.wrap(_said(node), letters), *packed]


def _box(
    node: Box, lines: Sequence[str], at: tuple[float, float, float, float], facts: Facts, most: tuple[int, int]
) -> str:
    left, top, width, height = at
    parts = [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="5" fill="none" '
        f'stroke="var(--chart-muted, {MUTED})"/>',
        _glyph(node.shape if node.steps else facts.shape, left + 8, top + height / 2, facts),
    ]
    first = top + height / 2 - LINE * len(lines) / 2 + 11
    for place, text in enumerate(lines):
        weight = ' font-weight="bold"' if place == 0 else ""
        parts.append(f'<text x="{left + GLYPH + 18:.1f}" y="{first + LINE * place:.1f}"{weight}>{escape(text)}</text>')
    for place, (value, whole_) in enumerate(zip((node.parameters, node.multiply_adds), most, strict=True)):
        if value:
            parts.append(
                f'<rect x="{left + 1:.1f}" y="{top + height - 6 + 3 * place:.1f}" height="2.4" '
                f'width="{max(1.0, (width - 2) * value / whole_):.1f}" '
                f'fill="var(--series-{place + 1}, {SERIES[place]})"/>'
            )
    return "".join(parts)


def _glyph(shape: Sequence[int], left: float, middle: float, facts: Facts) -> str:
    """The size of a map beside that of the input: rows down, columns across, channels one behind the other."""
    lengths = (1, *facts.shape) if facts.kind == "texts" else facts.shape
    across, down = max(lengths[-1], 1), max(lengths[-2] if len(lengths) > 2 else 1, 1)
    largest = max(across, down)
    sides = [shape[-1] if len(shape) > 1 else 1, shape[-2] if len(shape) > 2 else 1]
    if facts.kind == "texts" and len(shape) == 1:
        sides = [shape[0], 1] if list(shape) == list(facts.shape) else [1, 1]
    width, height = (min(GLYPH - 8.0, max(3.0, (GLYPH - 8) * side / largest)) for side in sides)
    behind = 0 if len(shape) == 1 or shape[0] == 1 else min(3, int(math.log2(shape[0]) / 2) + 1)
    x, y = left + (GLYPH - 8 - width) / 2, middle - height / 2
    return "".join(
        f'<rect x="{x + 2.5 * place:.1f}" y="{y - 2.5 * place:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="var(--series-5, {SERIES[4]})" fill-opacity="{0.25 if place else 0.6}" '
        f'stroke="var(--series-1, {SERIES[0]})" stroke-width="0.8"/>'
        for place in range(behind, -1, -1)
    )


def _line(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float], rows: int, room: float
) -> str:
    """From the foot of a box to the head of a later one; around those between, where there are any."""
    x, y = one[0] + one[2] / 2, one[1] + one[3]
    to_x, to_y = other[0] + other[2] / 2, other[1]
    if rows > 1:
        x, y = one[0] + one[2], one[1] + one[3] / 2
        to_x, to_y = other[0] + other[2], other[1] + other[3] / 2
        side = min(WIDTH - 4, room + 14 + 10 * rows)
        path = f"M{x:.1f} {y:.1f}C{side:.1f} {y:.1f} {side:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
    elif abs(x - to_x) < 1:
        path = f"M{x:.1f} {y:.1f}V{to_y:.1f}"
    else:
        half = (y + to_y) / 2
        path = f"M{x:.1f} {y:.1f}C{x:.1f} {half:.1f} {to_x:.1f} {half:.1f} {to_x:.1f} {to_y:.1f}"
    return f'<path d="{path}" fill="none" stroke="var(--chart-muted, {MUTED})" stroke-width="1.5"/>'


def _alt(boxes: Sequence[Box], facts: Facts) -> Text:
    chain = "; ".join(f"{box.name}: {_said(box)}, output {_times(box.shape)}" for box in boxes)
    return {"en": f"The network from its input of {_times(facts.shape)} to its output. {chain}."}


def _reading(boxes: Sequence[Box], steps: Sequence[Step]) -> Text:
    en = [
        "Downward is the way of the data. In each box: the size of its output beside that of the input (channels one "
        "behind the other), what a unit sees of the input, and at the foot its share of all parameters (upper bar) and "
        "of all multiply-adds (lower bar)."
    ]
    zh = ["数据自上而下。每个方框左侧是输出尺寸（与输入相比），底部上条为参数占比，下条为乘加次数占比。"]
    if not all(map(_told, boxes)):
        en.append(f"The {len(steps)} layers are drawn as {len(boxes)} boxes; the table lists them all.")
        zh.append(f"{len(steps)} 层画成 {len(boxes)} 个方框，全部列在表中。")
    return {"en": " ".join(en), "zh": "".join(zh)}


def _caption(
    facts: Facts, steps: Sequence[Step], boxes: Sequence[Box], unnamed: int, classes: int, reading: Reading
) -> Text:
    en = [
        "Read off the live network in one forward pass. What one unit sees of the input, its receptive field, grows "
        "with depth: a filter can't answer to anything larger. It is followed through every operator, and confirmed by "
        "experiment: for each convolution, NaN outside of the field of its middle unit must not reach the unit, and "
        "NaN along each of its edges must. Multiply-adds are products of weights and inputs for one sample."
    ]
    zh = [
        "在一次前向计算中从网络本身读出。感受野（一个单元所看到的输入范围）随深度增大。每个卷积层的感受野都经实验确认："
        "感受野之外的 NaN 不会到达单元，边缘内的 NaN 必定到达。乘加次数按一个样本计算。"
    ]
    if unnamed:
        en.append(f"{unnamed:,} of the multiply-adds are in functions that are no layers.")
        zh.append(f"其中 {unnamed:,} 次乘加在不属于任何层的函数中。")
    for said in reading.said:
        en.append(said["en"])
        zh.append(said["zh"])
    lost = sum(step.layer.field is None for step in steps if isinstance(step.layer.module, CONVOLUTIONS))
    if lost:
        en.append(f"Of {lost} convolutions the field can't be followed; nothing is said of it.")
        zh.append(f"有 {lost} 个卷积层的感受野无法追踪。")
    return {"en": " ".join(en), "zh": "".join(zh)}
