"""The real patches that excite each filter most (M9)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.drawing import curves
from cnnatomy.drawing.showing import Sound, class_name, in_colours, spaced, span_of, words
from cnnatomy.exhibit import Block, Exhibit, Grid, Item, Number, Sentence, Text, Texts
from cnnatomy.exhibit.blocks import State
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.layers import trace
from cnnatomy.probing.outputs import logits_of
from cnnatomy.probing.patches import Drawn, Patch, Source, fitting, refed, sheet, shrunk, sources, strongest, weight_of
from cnnatomy.probing.work import affordable, effort
from cnnatomy.statistics.intervals import average

TITLE = {"en": "The real patches that excite each filter", "zh": "最能激活每个卷积核的真实片段"}
LARGEST = 40  # pixels of the longer side of a patch, above which it is drawn at a fraction of its size
REFED = 5e10  # effort for feeding patches again with other surroundings
ENOUGH = 20  # samples below which nothing is said of dead filters
AROUND = 5  # words of a sentence shown on either side of a patch
SOURCES = [
    "Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, ECCV, figure 2",
    "Borowski et al. 2021, Exemplary natural images explain CNN activations better than state-of-the-art feature "
    "visualization, ICLR",
]


def top_patches(
    network: nn.Module, samples: Samples, config: Mapping[str, Any], *, sound: Sound | None = None
) -> Exhibit:
    """Show the real patches that excite each filter of each convolution most (M9; Zeiler & Fergus 2014, figure 2).

    A patch is what one unit sees of one sample, its receptive field; a sample gives its best one. A filter's activation
    is its output after normalisation, before the ReLU, which changes nothing above zero.

    config: see conf/dissect/top_patches.yaml. `sound` gives the sounds to hear. The exhibit's name and seed are left
    for the caller. Raises LayerNotFound for an unknown layer or a network without convolution, ValueError for a layer
    without patches, NoLogits for a network that doesn't take the samples, DoesNotApply where no field can be followed.
    """
    facts = samples.facts
    logits_of(network, to_tensor(facts, samples.inputs[:1]))
    traced = trace(network, to_tensor(facts, samples.inputs[:1]))
    looked_at, total = sources(facts, traced, config["layers"])
    found = strongest(network, samples, looked_at, config["patches"])
    filters = [
        _filter(source, channel, row, int(fired), samples)
        for source in looked_at
        for channel, row, fired in zip(
            source.filters, found[source.name].patches, found[source.name].fires, strict=True
        )
    ]
    each = len(filters) * effort(network, to_tensor(facts, samples.inputs[:1]))
    strong = affordable(REFED, each, 1, config["patches"])  # of each filter the strongest, all of a small network
    errors: list[float] = []
    for source in looked_at:
        tried = [row[:strong] for row in found[source.name].patches]
        values = _values(tried)
        errors += (np.abs(refed(network, samples, source, tried) - values) / np.maximum(1, np.abs(values))).tolist()
    error = max(errors, default=0.0)
    numbers = _summary(filters, samples, config["patches"], error, len(errors))
    blocks: list[Block] = []
    drawn = Drawn(samples)
    left = 1000 * config["kilobytes"] * (3 if in_colours(facts) else 1)
    for place, source in enumerate(looked_at):
        mine = [one for one in filters if one.source is source]
        block, used = _block(source, mine, samples, drawn, left / (len(looked_at) - place))
        left -= used
        blocks.append(block)
        numbers += [number for one in mine for number in _numbers(one, samples)]
    if facts.kind == "sounds" and sound is not None and config["heard"]:
        last = [one for one in filters if one.source is looked_at[-1] and one.patches and one.patches[0].value > 0]
        blocks += _heard(last, samples, drawn, sound, config["heard"])
    return Exhibit(
        kind="run",
        name="",
        method="top_patches",
        seed=0,
        title=TITLE,
        caption=_caption(facts, looked_at, len(filters), total, len(samples), config["patches"], error),
        numbers=numbers,
        blocks=blocks,
        sources=SOURCES,
    )


@dataclass(frozen=True)
class Filter:
    """One filter with its patches, best first.

    fires: how many samples raise it above zero. purity: share of its patches that are of their most frequent class,
    which is `label`; None where samples have no class. frequency, moves: mean centre of its patches in Hz, and their
    standard deviation along the axis in bands; None of what is no sound or sees all frequencies at once.
    """

    source: Source
    channel: int
    patches: list[Patch]
    fires: int
    label: int | None
    purity: float | None
    frequency: float | None
    moves: float | None

    @property
    def dead(self) -> bool:
        return self.fires == 0

    @property
    def live(self) -> list[Patch]:
        """The patches that raise it above zero."""
        return [patch for patch in self.patches if patch.value > 0]


def purity_by_chance(labels: np.ndarray, count: int) -> float:
    """The mean share of the most frequent class among `count` samples drawn at random, exactly.

    P(no class more than m times) is count! times the coefficient of z^count in the product over the classes of
    Σ_{k ≤ m} (p z)^k / k!.
    """
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    below = []
    for most in range(count):
        whole = np.ones(1)
        for share in shares:
            part = [share**k / math.factorial(k) for k in range(most + 1)]
            whole = np.convolve(whole, part)[: count + 1]
        below.append(math.factorial(count) * whole[count] if len(whole) > count else 0.0)
    return float(np.sum(1 - np.array(below)) / count)


def _values(rows: Sequence[Sequence[Patch]]) -> np.ndarray:
    return np.array([patch.value for row in rows for patch in row])


def _filter(source: Source, channel: int, patches: list[Patch], fired: int, samples: Samples) -> Filter:
    live = [patch for patch in patches if patch.value > 0]
    labels = samples.labels[[patch.sample for patch in live]]
    label, purity, frequency, moves = None, None, None, None
    if live and (labels >= 0).all():
        counts = np.bincount(labels, minlength=len(samples.facts.classes))
        label, purity = int(counts.argmax()), float(counts.max() / len(labels))
    field = source.layer.field
    if live and samples.facts.kind == "sounds" and field is not None and field.units[0] > 1:
        axis = samples.facts.axes[0]
        centres = np.array([(patch.window[0][0] + patch.window[0][1] - 1) / 2 for patch in live])
        frequency = float(np.interp(centres, np.arange(len(axis.values)), axis.values).mean())
        moves = float(centres.std())
    return Filter(source, channel, patches, fired, label, purity, frequency, moves)


def _summary(filters: Sequence[Filter], samples: Samples, count: int, error: float, tried: int) -> list[Number]:
    numbers = []
    pure = np.array([one.purity for one in filters if one.purity is not None])
    if len(pure):
        numbers += [
            average("purity", pure, "fraction", between=(0, 1)),
            Number("purity_by_chance", purity_by_chance(samples.labels, count), unit="fraction", n=count),
        ]
    moves = np.array([one.moves for one in filters if one.moves is not None])
    if len(moves):
        anywhere = [_anywhere(one.source) for one in filters if one.moves is not None]
        numbers += [
            average("moves", moves, "bands", between=(0, np.inf)),
            Number("moves_if_anywhere", float(np.mean(anywhere)), unit="bands", n=len(moves)),
        ]
    numbers.append(Number("refed_error", significant(error, 2), n=tried))
    numbers.append(Number("filters", len(filters)))
    if len(samples) >= ENOUGH:
        numbers.append(Number("dead", sum(one.dead for one in filters), n=len(samples)))
    return numbers[:6]  # so many are shown large


def _anywhere(source: Source) -> float:
    """Standard deviation in bands of units that lie anywhere on the frequency axis."""
    field = source.layer.field
    assert field is not None
    return field.stride[0] * math.sqrt((field.units[0] ** 2 - 1) / 12)


def _numbers(one: Filter, samples: Samples) -> list[Number]:
    subject = f"layer={one.source.name};filter={one.channel}"
    numbers = [Number("best_activation", significant(one.patches[0].value), subject=subject)]
    if one.purity is not None and one.label is not None:
        where = f"{subject};class={samples.facts.classes[one.label]}"
        numbers.append(Number("purity", significant(one.purity), unit="fraction", n=len(one.live), subject=where))
    if one.frequency is not None and one.moves is not None:
        numbers += [
            Number("frequency", significant(one.frequency), unit="Hz", n=len(one.live), subject=subject),
            Number("moves", significant(one.moves, 3), unit="bands", n=len(one.live), subject=subject),
        ]
    return numbers


def _block(
    source: Source, filters: Sequence[Filter], samples: Samples, drawn: Drawn, room: float
) -> tuple[Grid | Texts, float]:
    """The patches of as many filters as the room holds, evenly spread, and the bytes that they take, about."""
    facts = samples.facts
    with_patches = [one for one in filters if one.patches]
    made: dict[int, tuple[Any, float]] = {}

    def cost(place: int) -> float:
        if place not in made:
            make = _sentences if facts.kind == "texts" else _item
            made[place] = make(with_patches[place], samples, drawn)
        return made[place][1]

    places = fitting(len(with_patches), cost, room)
    used = sum(map(cost, places))
    seen = span_of(facts, source.layer.field.size)  # type: ignore[union-attr]
    size = f"{source.layer.shape[0]:,}"
    title = {
        "en": f"{source.name}: {_of(len(places), size)} filters, each sees {seen['en']}",
        "zh": f"{source.name}：{_of_zh(len(places), size)} 个卷积核，每个看到 {seen['zh']}",
    }
    caption = _reading(facts, source, filters)
    if facts.kind == "texts":
        sentences = [sentence for place in places for sentence in made[place][0]]
        return Texts(f"patches-{source.name}", sentences, title=title, caption=caption), used
    items = [made[place][0] for place in places]
    return Grid(f"patches-{source.name}", items, title=title, caption=caption), used


def _of(shown: int, size: str) -> str:
    return size if f"{shown:,}" == size else f"{shown:,} of {size}"


def _of_zh(shown: int, size: str) -> str:
    return size if f"{shown:,}" == size else f"{size} 个中的 {shown:,}"


def _says(one: Filter, facts: Facts) -> str:
    """The filter's number, and the class that most of its patches are of."""
    if one.label is None or one.purity is None:
        return str(one.channel)
    return f"{one.channel}: {round(one.purity * len(one.live))}/{len(one.live)} “{class_name(facts, one.label)}”"


def _facts(one: Filter, samples: Samples) -> dict[str, float]:
    values = {"best": one.patches[0].value, "last": one.patches[-1].value}
    if len(samples) >= ENOUGH:
        values["fires for"] = one.fires / len(samples)
    if one.purity is not None:
        values["purity"] = one.purity
    if one.frequency is not None and one.moves is not None:
        values |= {"frequency, Hz": one.frequency, "moves, bands": one.moves}
    return {key: significant(value, 3) for key, value in values.items()}


def _state(one: Filter, samples: Samples) -> State:
    return "" if len(samples) < ENOUGH else "dead" if one.dead else "live"


def _item(one: Filter, samples: Samples, drawn: Drawn) -> tuple[Item, float]:
    most = LARGEST if samples.facts.kind != "signals" else max(curves.SMALL)
    pictures = [shrunk(drawn.patch(patch), most) for patch in one.patches]
    # Patches that the border cuts off differ in size only where the whole sample is smaller than the window.
    columns = 3 if len(pictures) > 4 else len(pictures)
    pixels = sheet(pictures, columns)
    item = Item(
        id=f"{one.source.name}/{one.channel}",
        pixels=pixels,
        label=_says(one, samples.facts),
        state=_state(one, samples),
        values=_facts(one, samples),
    )
    return item, weight_of(pixels)


def _sentences(one: Filter, samples: Samples, drawn: Drawn) -> tuple[list[Sentence], float]:
    sentences = []
    for rank, patch in enumerate(one.patches):
        ((first, beyond),) = patch.window
        spelt = words(samples, patch.sample)
        weight = significant(max(patch.value, 0.0), 3)
        near = range(max(0, first - AROUND), min(len(spelt), beyond + AROUND))
        tokens = [(spelt[at], weight if first <= at < beyond else 0.0) for at in near]
        tokens = [*[("…", 0.0)] * (near.start > 0), *tokens, *[("…", 0.0)] * (near.stop < len(spelt))]
        sentences.append(
            Sentence(
                id=f"{one.source.name}/{one.channel}/{rank + 1}",
                tokens=tokens,
                label=class_name(samples.facts, int(samples.labels[patch.sample])),
                values={"activation": significant(patch.value, 3)},
                group=f"{one.source.name}, filter {_says(one, samples.facts)}",
                spaces=spaced(samples.facts),
            )
        )
    return sentences, sum(260 + sum(len(word.encode()) + 32 for word, _ in one.tokens) for one in sentences)


def _heard(filters: Sequence[Filter], samples: Samples, drawn: Drawn, sound: Sound, most: int) -> list[Block]:
    """The best patch of some filters with the clip that it is from, whole, to hear."""
    if "file" not in samples.table or not filters:
        return []
    items: list[Item] = []
    places = np.unique(np.linspace(0, len(filters) - 1, most).round().astype(int))
    for one in (filters[place] for place in places.tolist()):
        patch = one.patches[0]
        wav = sound(samples.table["file"][patch.sample])
        if wav is not None:
            items.append(
                Item(
                    id=f"heard/{one.source.name}/{one.channel}",
                    pixels=drawn.patch(patch),
                    label=f"{one.channel}: “{class_name(samples.facts, int(samples.labels[patch.sample]))}”",
                    sound=wav,
                    values={"activation": significant(patch.value, 3)},
                )
            )
    if not items:
        return []
    return [
        Grid(
            "heard",
            items,
            title={"en": "The best patches to hear", "zh": "可以听的最强片段"},
            caption={
                "en": f"The strongest patch of {len(items)} filters of {filters[0].source.name}, and the whole clip "
                "that it is cut from.",
                "zh": f"{filters[0].source.name} 中 {len(items)} 个卷积核的最强片段，以及它所在的整段录音。",
            },
        )
    ]


def _reading(facts: Facts, source: Source, filters: Sequence[Filter]) -> Text:
    en, zh = [], []
    if facts.kind == "texts":
        en.append("The marked words are what the filter saw; the darker, the stronger.")
        zh.append("标出的词是卷积核所看到的；颜色越深，激活越强。")
    elif facts.kind == "signals":
        said = curves.small_said(facts)
        en.append(f"The best patch is at the top left, then by rows. {said['en']}")
        zh.append(f"左上角为最强，按行依次减弱。{said['zh']}")
    else:
        en.append("The best patch is at the top left, then by rows.")
        zh.append("左上角为最强，按行依次减弱。")
        height, width = (source.layer.field.size if source.layer.field else (1, 1))[:2]
        lengths = facts.shape[1:]
        shown = max(min(height, lengths[0]), min(width, lengths[1]))
        if shown > LARGEST:
            factor = -(-shown // LARGEST)
            en.append(f"Drawn at 1/{factor} of their size.")
            zh.append(f"按 1/{factor} 缩小显示。")
        if any(
            first < 0 or last > length
            for one in filters
            for patch in one.patches
            for (first, last), length in zip(patch.window, lengths, strict=True)
            if last - first < length
        ):
            en.append("Lilac is padding outside of the sample.")
            zh.append("淡紫色为样本之外的填充。")
    dead = sum(one.dead for one in filters)
    if dead:
        en.append(f"Dead, never above zero on these samples: {dead}.")
        zh.append(f"在这些样本上从不大于零（已死）：{dead} 个。")
    return {"en": " ".join(en), "zh": "".join(zh)}


def _caption(
    facts: Facts, looked_at: Sequence[Source], filters: int, total: int, n: int, count: int, error: float
) -> Text:
    what = {"images": "parts of test images", "sounds": "pieces of test spectrograms", "texts": "runs of words"}
    what["signals"] = "parts of test signals"
    what_zh = {"images": "图像片段", "sounds": "声谱图片段", "texts": "词串", "signals": "信号片段"}[facts.kind]
    en = [
        f"The {count} {what[facts.kind]} that excite each filter most, cut to what the filter sees; "
        + ("one a sample." if n >= count else f"of only {n} samples, so that one gives several that don't overlap.")
    ]
    zh = [f"测试样本中最能激活每个卷积核的 {count} 个{what_zh}，按感受野裁剪。"]
    if filters < total:
        en.append(
            f"Looked at are {filters} of {total:,} filters, those of {len(looked_at)} convolutions spread over the "
            "depth, evenly chosen."
        )
        zh.append(f"共 {total:,} 个卷积核，这里按深度均匀选取 {filters} 个。")
    en.append(
        "Look for what the patches of a filter have in common: it is what the filter answers to, as far as the best "
        "tell; people predict activations better from such patches than from synthetic pictures."
    )
    zh.append("请看同一卷积核的片段有什么共同点：那就是它所响应的内容。")
    if n >= ENOUGH and facts.classes:
        en.append(
            "Purity is the share of a filter's patches that are of one class, by chance what as many random samples "
            "would have."
        )
        zh.append("purity 是片段中最多的一类所占的比例；by chance 是随机抽取同样多样本时的期望值。")
    if facts.kind == "sounds":
        en.append(
            "“Moves” is how far the patches of a filter lie apart in frequency (standard deviation, in bands), beside "
            "what it would be if they lay anywhere: a filter that moves finds the same pattern in high and low voices."
        )
        zh.append("moves 是同一卷积核的片段在频率轴上的标准差（频带数）；移动多说明它能在不同音高上找到同一图案。")
    en.append(
        f"With all else replaced by another sample, a patch in its place gives the same activation: the largest "
        f"difference is {error:.1g} (refed error, relative above 1)."
    )
    zh.append(f"把其余部分换成别的样本后，片段仍给出相同的激活：最大差 {error:.1g}。")
    return {"en": " ".join(en), "zh": "".join(zh)}
