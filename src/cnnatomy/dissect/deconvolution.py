"""What in its best patches a filter answered to: reconstruction by deconvolution (M10)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.drawing import curves
from cnnatomy.drawing.showing import (
    class_name,
    colour,
    in_colours,
    of_colours,
    shown_channels,
    signed,
    span_of,
    upright,
)
from cnnatomy.exhibit import Block, Exhibit, Grid, Item, Number, Text
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.convolving import frozen
from cnnatomy.probing.layers import activations, batch_size, trace
from cnnatomy.probing.outputs import logits_of
from cnnatomy.probing.patches import (
    Drawn,
    Patch,
    Source,
    crop,
    fitting,
    inside,
    sheet,
    shrunk,
    sources,
    strongest,
    weight_of,
)
from cnnatomy.probing.rectifiers import passing_back, refuse_functional
from cnnatomy.probing.work import LARGE, effort
from cnnatomy.statistics.intervals import average

TITLE = {"en": "What in its best patches a filter answered to", "zh": "反卷积重建"}
LARGEST = 40  # pixels of the longer side of a patch, above which it is drawn at a fraction of its size
SAMPLED = 8  # filters of a convolution of a network with many: each takes several backward passes
SHUFFLES, FEW_SHUFFLES = 24, 3  # networks with shuffled weights that are compared with; few of a large one
# Operators that bend, in torch's graph: the way back through them is not defined as it is through ReLU.
BENT = {
    *("Celu", "Elu", "Gelu", "Glu", "Hardshrink", "Hardsigmoid", "Hardswish", "LeakyRelu", "LogSigmoid", "Mish"),
    *("PreluKernel", "RreluWithNoise", "Sigmoid", "Silu", "Softmax", "Softplus", "Softshrink", "Tanh"),
}
SOURCES = [
    "Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, ECCV, section 2.1",
    "Nie, Zhang & Patel 2018, A theoretical explanation for perplexing behaviors of backpropagation-based "
    "visualizations, ICML",
]


def deconvolution(network: nn.Module, samples: Samples, config: Mapping[str, Any], *, seed: int) -> Exhibit:
    """Reconstruct each top patch from the activation of its filter alone (M10; Zeiler & Fergus 2014).

    All other activations of the layer are set to zero; what is left goes back through transposed filters, unpools at
    the places where the maxima were, and is rectified wherever the network rectifies. The activation scales it.

    config: see conf/dissect/deconvolution.yaml. `seed` shuffles the weights of the network that is compared with. The
    exhibit's name and seed are left for the caller. Raises FunctionalReLU for a network that applies ReLU by a
    function, DoesNotApply for texts and other activations, LayerNotFound for an unknown layer or no convolution.
    """
    facts = samples.facts
    if facts.kind == "texts":
        raise DoesNotApply(
            {
                "en": "a reconstruction of a sentence would be a row of word vectors that belong to no words; what "
                "words a filter answers to is found exactly in ngrams and top_patches",
                "zh": "句子的重建只是一串词向量，不对应任何词；卷积核响应的词见 ngrams 与 top_patches",
            }
        )
    x = to_tensor(facts, samples.inputs[:1])
    logits_of(network, x)
    refuse_functional(network, x)
    looked_at, total = sources(facts, trace(network, x), config["layers"], SAMPLED)
    _refuse_bent(network, x, looked_at)
    found = strongest(network, samples, looked_at, config["patches"])
    shuffles = SHUFFLES if effort(network, x) < LARGE else FEW_SHUFFLES
    shuffled = [with_shuffled_weights(network, seed * SHUFFLES + turn) for turn in range(shuffles)]
    random = np.random.default_rng(seed)

    filters: list[Filter] = []
    for source in looked_at:
        pairs = [
            (channel, patch)
            for channel, row in zip(source.filters, found[source.name].patches, strict=True)
            for patch in row
            if patch.value > 0
        ]
        channels = np.array([channel for channel, _ in pairs], dtype=int)
        patches = [patch for _, patch in pairs]
        back = reconstructions(network, samples, source, channels, patches)
        count = source.layer.shape[0]
        # Another filter of the layer, whichever, on the same patch; and the same filter with its weights shuffled.
        others = (channels + random.integers(1, max(2, count), len(channels))) % count
        other = reconstructions(network, samples, source, others, patches, scaled=False)
        untrained = np.zeros((shuffles, len(patches)))
        for turn, one in enumerate(shuffled):
            without = reconstructions(one, samples, source, channels, patches, scaled=False)
            untrained[turn] = [
                _likeness(facts, patch, *pair) for patch, *pair in zip(patches, back, without, strict=True)
            ]
        for channel in source.filters:
            mine = np.flatnonzero(channels == channel)
            answers = [_answer(samples, patches[at], back[at], other[at], untrained[:, at]) for at in mine]
            filters.append(Filter(source, channel, answers, _own_likeness(facts, answers)))
    blocks: list[Block] = []
    drawn = Drawn(samples)
    left = 1000.0 * config["kilobytes"] * (3 if in_colours(facts) else 1)
    for place, source in enumerate(looked_at):
        mine_ = [one for one in filters if one.source is source and one.answers]
        if mine_:
            grid, used = _grid(source, mine_, samples, drawn, left / (len(looked_at) - place))
            left -= used
            blocks.append(grid)
    return Exhibit(
        kind="run",
        name="",
        method="deconvolution",
        seed=0,
        title=TITLE,
        caption=_caption(facts, filters, total, looked_at),
        numbers=[*_summary(filters), *(number for one in filters for number in _numbers(one))],
        blocks=blocks,
        sources=SOURCES,
    )


def reconstructions(
    network: nn.Module,
    samples: Samples,
    source: Source,
    channels: Sequence[int] | np.ndarray,
    patches: Sequence[Patch],
    scaled: bool = True,
) -> np.ndarray:
    """One reconstruction for each filter and patch, float32 (patches, *shape of a sample).

    Scaled by the filter's activation there, so that one that is not above zero gives zero; or else as if it were 1.
    """
    back = np.zeros((len(patches), *samples.facts.shape), dtype=np.float32)
    size = min(32, batch_size(samples.facts.shape))
    for start in range(0, len(patches), size):
        part = patches[start : start + size]
        x = to_tensor(samples.facts, samples.inputs[[patch.sample for patch in part]]).requires_grad_()
        with frozen(network), passing_back(network, rectified), torch.enable_grad():
            (maps,) = activations(network, x, [source.output.name])
            places = np.array([patch.unit for patch in part]).T
            chosen = maps[(np.arange(len(part)), np.asarray(channels[start : start + size]), *places)]
            # The way back is linear: begun with the activation instead of 1, all of it is scaled by the activation.
            begun = chosen.detach().clamp(min=0) if scaled else torch.ones_like(chosen)
            (gradient,) = torch.autograd.grad(chosen, x, begun)
        back[start : start + size] = gradient.numpy()
    return back


def rectified(gradient: Tensor, on: Tensor) -> Tensor:
    """The way back through a ReLU as ZFNet has it: what is negative stops, whichever way the units were."""
    return gradient.clamp(min=0)


def with_shuffled_weights(network: nn.Module, seed: int) -> nn.Module:
    """A copy of the network, the weights of each convolution and dense layer in another order: their spread is kept."""
    shuffled = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in shuffled.modules():
            weight = getattr(module, "weight", None)
            if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear) and isinstance(weight, Tensor):
                order = torch.randperm(weight.numel(), generator=generator)
                weight.copy_(weight.flatten()[order].reshape(weight.shape))
    return shuffled


@dataclass(frozen=True)
class Answer:
    """A patch, its reconstruction, and what is measured of it.

    whole: the reconstruction, (*shape of a sample). inside: share of its squares inside of the patch's window; None of
    one that is zero. patch_likeness, other_likeness, shuffled_likeness: its correlation inside the window with the
    patch, with what another filter makes of the same patch, and with what the same filter makes of it in each network
    with shuffled weights, (shuffles,); NaN where one of the two is constant.
    """

    patch: Patch
    whole: np.ndarray
    inside: float | None
    patch_likeness: float
    other_likeness: float
    shuffled_likeness: np.ndarray


@dataclass(frozen=True)
class Filter:
    """One filter with what it made of its patches, best first; none where it never fires.

    own: correlations between the reconstructions of different patches.
    """

    source: Source
    channel: int
    answers: list[Answer]
    own: list[float]


def _answer(samples: Samples, patch: Patch, whole: np.ndarray, other: np.ndarray, shuffled: np.ndarray) -> Answer:
    window = inside(samples.facts, patch.window)
    seen = to_tensor(samples.facts, samples.inputs[patch.sample : patch.sample + 1])[0].numpy()
    squares = whole.astype(np.float64) ** 2
    total = float(squares.sum())
    squares[window] = 0
    return Answer(
        patch,
        whole,
        1 - float(squares.sum()) / total if total else None,
        _likeness(samples.facts, patch, whole, seen),
        _likeness(samples.facts, patch, whole, other),
        shuffled,
    )


def _likeness(facts: Facts, patch: Patch, one: np.ndarray, other: np.ndarray) -> float:
    """The correlation inside the patch's window of two arrays like samples, NaN where one is constant there."""
    window = inside(facts, patch.window)
    found = _correlation(one[window], other[window])
    return np.nan if found is None else found


def _own_likeness(facts: Facts, answers: Sequence[Answer]) -> list[float]:
    """How alike the reconstructions of different patches are, of those whose windows lie wholly inside the sample."""
    whole = [
        answer.whole[inside(facts, answer.patch.window)]
        for answer in answers
        if all(
            (first >= 0 and last <= length) or last - first >= length
            for (first, last), length in zip(answer.patch.window, facts.shape[1:], strict=True)
        )
    ]
    pairs = [(one, other) for at, one in enumerate(whole) for other in whole[at + 1 :] if one.shape == other.shape]
    return [found for one, other in pairs if (found := _correlation(one, other)) is not None]


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    a, b = (values.astype(np.float64).ravel() - values.astype(np.float64).mean() for values in (one, other))
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / size) if size > 1e-20 else None


def _refuse_bent(network: nn.Module, x: Tensor, looked_at: Sequence[Source]) -> None:
    """Raise DoesNotApply where an activation other than ReLU lies before the last layer."""
    with passing_back(network, rectified), torch.enable_grad():
        outputs = activations(network, x.clone().requires_grad_(), [source.output.name for source in looked_at])
    ahead, met = [output.grad_fn for output in outputs], set()
    while ahead:
        node = ahead.pop()
        if node is None or node in met:
            continue
        met.add(node)
        name = node.name().removesuffix("Backward0")
        if name in BENT:
            raise DoesNotApply(
                {
                    "en": f"the network's activation is {name.removesuffix('Kernel')}, and the way back is defined for "
                    "ReLU only",
                    "zh": f"网络的激活函数是 {name.removesuffix('Kernel')}，而反卷积只对 ReLU 有定义",
                }
            )
        ahead += [following for following, _ in node.next_functions]


def _summary(filters: Sequence[Filter]) -> list[Number]:
    """Means over filters, each the mean of its patches: those of one filter are alike, in the first layer the same."""
    answers = [answer for one in filters for answer in one.answers]
    numbers = []
    for metric, values in (
        ("same_filter_other_patch", [_mean(one.own) for one in filters]),
        ("same_patch_other_filter", [_mean([answer.other_likeness for answer in one.answers]) for one in filters]),
        ("same_patch_shuffled_weights", _by_shuffle(filters)),
        ("like_the_patch", [_mean([answer.patch_likeness for answer in one.answers]) for one in filters]),
    ):
        found = np.array([value for value in values if not np.isnan(value)])
        if len(found):
            numbers.append(average(metric, found, between=(-1, 1)))
    shares = [answer.inside for answer in answers if answer.inside is not None]
    if shares:
        numbers.append(Number("inside_the_window", min(shares), unit="fraction", n=len(shares)))
    numbers.append(Number("patches", len(answers)))
    return numbers


def _mean(values: Sequence[float] | np.ndarray) -> float:
    """The mean of those that are not NaN; NaN where there are none."""
    known = np.asarray(values)[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _by_shuffle(filters: Sequence[Filter]) -> list[float]:
    """The mean likeness of each shuffling of the weights, over all filters, which it has in common."""
    found = [np.array([answer.shuffled_likeness for answer in one.answers]) for one in filters if one.answers]
    shuffles = found[0].shape[1] if found else 0
    return [_mean([_mean(one[:, turn]) for one in found]) for turn in range(shuffles)]


def _numbers(one: Filter) -> list[Number]:
    subject = f"layer={one.source.name};filter={one.channel}"
    found = {
        "like_the_patch": [answer.patch_likeness for answer in one.answers],
        "same_patch_shuffled_weights": [value for answer in one.answers for value in answer.shuffled_likeness],
    }
    numbers = []
    for metric, values in found.items():
        known = [value for value in values if not np.isnan(value)]
        if known:
            numbers.append(Number(metric, significant(float(np.mean(known)), 3), n=len(known), subject=subject))
    return numbers


def _grid(source: Source, filters: Sequence[Filter], samples: Samples, drawn: Drawn, room: float) -> tuple[Grid, float]:
    """The patches and reconstructions of as many filters as the room holds, and the bytes that they take, about."""
    facts = samples.facts
    made: dict[int, Item] = {}

    def cost(place: int) -> float:
        if place not in made:
            made[place] = _item(filters[place], samples, drawn)
        return weight_of(made[place].pixels)

    places = fitting(len(filters), cost, room)
    shown, size = f"{len(places):,}", f"{source.layer.shape[0]:,}"
    of = (size, size) if shown == size else (f"{shown} of {size}", f"{size} 个中的 {shown}")
    assert source.layer.field is not None
    seen = span_of(facts, source.layer.field.size)
    grid = Grid(
        f"deconvolution-{source.name}",
        [made[place] for place in places],
        title={
            "en": f"{source.name}: {of[0]} filters, each sees {seen['en']}",
            "zh": f"{source.name}：{of[1]} 个卷积核，每个看到 {seen['zh']}",
        },
        caption=_reading(facts, source, [one for place in places for one in filters[place].answers]),
    )
    return grid, sum(map(cost, places))


def _item(one: Filter, samples: Samples, drawn: Drawn) -> Item:
    facts = samples.facts
    if facts.kind == "signals":
        patches = [drawn.patch(answer.patch) for answer in one.answers]
        back = [_curve(answer) for answer in one.answers]
    else:
        patches = [shrunk(drawn.patch(answer.patch), LARGEST) for answer in one.answers]
        back = [
            shrunk(crop(facts, _drawn(facts, answer.whole, one.source), answer.patch.window), LARGEST)
            for answer in one.answers
        ]
    values = {"activation": one.answers[0].patch.value}
    for key, value in (
        ("like the patch", one.answers[0].patch_likeness),
        ("with shuffled weights", _mean(one.answers[0].shuffled_likeness)),
        ("with another filter", one.answers[0].other_likeness),
    ):
        if not np.isnan(value):
            values[key] = value
    named = [class_name(facts, int(samples.labels[answer.patch.sample])) for answer in one.answers]
    return Item(
        id=f"{one.source.name}/{one.channel}",
        pixels=sheet([*patches, *back], len(patches)),
        label=f"{one.channel}" if "none" in named else f"{one.channel}: {', '.join(named)}",
        values={key: significant(value, 3) for key, value in values.items()},
    )


def _drawn(facts: Facts, whole: np.ndarray, source: Source) -> np.ndarray:
    """A reconstruction of a whole sample as pixels, on a scale of its own that is symmetric about zero."""
    if of_colours(facts):
        # Where it will be drawn smaller, the scale is that of the means that will be seen.
        factor = -(-_longest(facts, source) // LARGEST)
        blocks = nn.functional.avg_pool2d(torch.from_numpy(whole), factor) if factor > 1 else torch.from_numpy(whole)
        return colour(whole[shown_channels(facts)], float(blocks.abs().max()))
    # Of several channels that are no colours, the sum: where the filter answered, whatever the channel.
    return signed(upright(facts, whole.sum(axis=0)))


def _curve(answer: Answer) -> np.ndarray:
    """The reconstruction of a part of a signal as curves, on a scale of its own that is symmetric about zero."""
    ((first, beyond),) = answer.patch.window
    steps = answer.whole.shape[1]
    part = np.full((len(answer.whole), beyond - first), np.nan)
    here = slice(max(0, first), min(steps, beyond))
    part[:, here.start - first : here.stop - first] = answer.whole[:, here]
    scale = float(np.nanmax(np.abs(part)))
    return curves.plot(part, (-scale, scale), size=curves.SMALL)


def _longest(facts: Facts, source: Source) -> int:
    """The longer side of a patch in pixels."""
    assert source.layer.field is not None
    return max(min(size, length) for size, length in zip(source.layer.field.size, facts.shape[1:], strict=True))


def _reading(facts: Facts, source: Source, answers: Sequence[Answer]) -> Text:
    if facts.kind == "signals":
        said = curves.small_said(facts)
        return {
            "en": "Above the patches, best first; below what the filter answered to, on a scale of its own that is "
            "symmetric about zero (the pale line): above it a higher value raised the filter, below it a lower one. "
            f"{said['en']}",
            "zh": "上为原片段（最强在左），下为重建，各用以零（浅线）为中心的尺度："
            "线以上，值升高使卷积核升高，线以下则相反。"
            f"{said['zh']}",
        }
    if of_colours(facts):
        en = ["Above the patches, below what the filter answered to: grey is nothing, a colour what raised it."]
        zh = ["上为原片段，下为重建：灰色为零，颜色是使它升高的颜色。"]
    else:
        en = ["Above the patches, best first; below what the filter answered to: red raised it, blue lowered it."]
        zh = ["上为原片段（最强在左），下为重建：红色使它升高，蓝色使它降低，近白为零。"]
        if facts.kind == "images" and facts.shape[0] > 1:
            en.append("That is the sum over all channels.")
            zh.append("重建为各通道之和。")
    en.append("Each reconstruction has a scale of its own.")
    zh.append("每个重建各用自己的尺度。")
    lengths = facts.shape[1:]
    factor = -(-_longest(facts, source) // LARGEST)
    if factor > 1:
        en.append(f"Drawn at 1/{factor} of their size.")
        zh.append(f"按 1/{factor} 缩小显示。")
    if any(
        first < 0 or last > length
        for answer in answers
        for (first, last), length in zip(answer.patch.window, lengths, strict=True)
        if last - first < length
    ):
        en.append("Lilac is padding outside of the sample.")
        zh.append("淡紫色为样本之外的填充。")
    return {"en": " ".join(en), "zh": "".join(zh)}


def _caption(facts: Facts, filters: Sequence[Filter], total: int, looked_at: Sequence[Source]) -> Text:
    en = [
        "Each filter's strongest patches, and beside them the way back from that one activation to the input, all "
        "others set to zero: what in the patch the filter answered to, as far as this method can say."
    ]
    zh = ["每个卷积核最强的真实片段，以及只保留这一个激活、沿网络反向重建到输入的结果：片段中使它响应的部分。"]
    if len(filters) < total:
        en.append(
            f"Looked at are {len(filters)} of {total:,} filters, those of {len(looked_at)} convolutions spread over "
            "the depth, evenly chosen."
        )
        zh.append(f"共 {total:,} 个卷积核，这里按深度均匀选取 {len(filters)} 个。")
    shuffles = next((len(answer.shuffled_likeness) for one in filters for answer in one.answers), 0)
    en.append(
        "How far to trust it: the numbers say how alike (correlation, 1 is the same) two reconstructions are when the "
        "filter is the same and the patch another, when the patch is the same and the filter another, and when the "
        "patch and the filter are the same but all weights of the network are shuffled. The intervals are "
        f"over filters, the last one's over {shuffles} shufflings. A picture of the filter would have the first near 1 "
        "and the others near 0; what the last one has above 0 shows the input, whatever was learnt. In the first "
        "convolution the reconstruction is the filter itself."
    )
    own = [value for one in filters for value in one.own]
    if own and min(own) > 0.999:
        en.append(
            "This network has no maximum pooling, so that nothing of the patch is left on the way back: a filter gives "
            "the same picture for every patch."
        )
        zh.append("此网络没有最大池化，反向路径不含片段的任何信息：同一卷积核对每个片段给出相同的图。")
    zh.append(
        "可信程度：数字给出两个重建的相关系数（1 为相同）：同一卷积核、不同片段；同一片段、不同卷积核；"
        f"同一片段同一卷积核、但权重被打乱。区间以卷积核为单位，最后一个以 {shuffles} 次打乱为单位。"
        "真正反映卷积核的重建应使第一个接近 1，其余接近 0。"
        "第一层的重建就是卷积核本身。"
    )
    return {"en": " ".join(en), "zh": "".join(zh)}
