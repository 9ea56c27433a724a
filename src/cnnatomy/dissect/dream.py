"""Deep Dream (M11): make what a layer sees in a picture more so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.drawing.pictures import blurred, box, few_colours, floor_of, resized, to_pixels
from cnnatomy.drawing.showing import Sound, class_name, in_colours
from cnnatomy.exhibit import Exhibit, Grid, Item, Number, Table, Text
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.choosing import WrongSetting, chosen_samples
from cnnatomy.probing.convolving import frozen
from cnnatomy.probing.depths import after_activation, at_depths
from cnnatomy.probing.layers import Layer, activations, trace
from cnnatomy.probing.outputs import logits_of
from cnnatomy.statistics.intervals import mean_interval

TITLE: Text = {"en": "Deep Dream: what the layers see, made more so", "zh": "深梦：把各层看到的东西放大"}
SOURCES = [
    "Mordvintsev, Olah & Tyka 2015, Inceptionism: going deeper into neural networks, Google Research blog",
]


def dream(
    network: nn.Module,
    samples: Samples,
    config: Mapping[str, Any],
    *,
    prepare: Mapping[str, Any],
    seed: int,
    sound: Sound | None = None,
) -> Exhibit:
    """Raise the norm of a layer's activations by gradient ascent from real samples, over octaves (M11).

    By default for layers at three depths, and measured against random changes of the same size.

    config: see conf/dissect/dream.yaml. sound: gives a clip's wav bytes by the name of its file. The exhibit's name
    and seed are left for the caller. Raises DoesNotApply for texts, for signals and where all the layers are silent,
    LayerNotFound for an unknown layer, WrongSetting for a sample or a class that there isn't, and NoLogits for a
    network without class outputs.
    """
    facts = samples.facts
    if facts.kind == "signals":
        raise DoesNotApply(
            {
                "en": "a dream makes of what is there something that eyes recognise, and an exaggerated curve "
                "shows none; what drives the filters is in “filter_maximisation”",
                "zh": "梦境把已有的东西夸大成眼睛能认出的图案，夸大的曲线却认不出什么；"
                "什么最能驱动卷积核见“filter_maximisation”",
            }
        )
    if facts.kind == "texts":
        raise DoesNotApply(
            {
                "en": "words can't be changed a little: there is no gradient to follow",
                "zh": "词不能微小地改变，没有梯度可循",
            }
        )
    _check(config)
    places = _places(samples, config)
    x = to_tensor(facts, samples.inputs[places])
    before = logits_of(network, x, len(facts.classes)).double().softmax(1)
    traced = trace(network, x[:1])
    layers = at_depths(traced, after_activation(traced), config["layers"], config["depths"])
    found = [activations(network, x, [layer.name])[0].flatten(1).norm(dim=1) for layer in layers]
    if not any(bool((norm > 0).any()) for norm in found):
        raise DoesNotApply(
            {
                "en": f"the layers {', '.join(layer.name for layer in layers)} are silent on the samples shown",
                "zh": "所选的层对这些样本毫无响应",
            }
        )
    limits = box(facts, floor_of(prepare))
    dreams = []
    for place, start, read in zip(places, x, before, strict=True):
        for layer in layers:
            sizes = octaves(network, layer.name, start[None], config)
            made = ascend(network, layer.name, start[None], limits, sizes, config, seed)
            dreams.append(_measured(network, layer, place, start[None], made, read, limits, sizes, config, seed))
    return Exhibit(
        kind="run",
        name="",
        method="dream",
        seed=0,
        title=TITLE,
        caption=_caption(facts, dreams),
        numbers=[*_summary(dreams, layers), *_numbers(dreams, samples)],
        blocks=[_grid(dreams, samples, before, config["colours"], sound), _table(dreams, samples)],
        sources=SOURCES,
    )


@dataclass(frozen=True)
class Dream:
    """One dream and what is said of it.

    before, after: norm of the layer's activations. by_chance: that norm after random changes of the same size.
    moved: root mean square change of a value, as a share of the whole range.
    read: class and probability, of the sample and of the dream. sizes: rows and columns of the octaves.
    """

    place: int
    layer: Layer
    picture: Tensor
    before: float
    after: float
    by_chance: np.ndarray
    moved: float
    read: tuple[tuple[int, float], tuple[int, float]]
    sizes: list[tuple[int, int]]

    @property
    def raised(self) -> float | None:
        """How many times stronger the layer responds; None where it was silent."""
        return self.after / self.before if self.before > 0 else None

    @property
    def raised_by_chance(self) -> np.ndarray:
        return self.by_chance / self.before


def octaves(network: nn.Module, layer: str, x: Tensor, config: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The sizes to dream at, smallest first: those that the layer can still be computed for, and the sample's own."""
    own = (x.shape[2], x.shape[3])
    sizes = [own]
    for octave in range(1, config["octaves"]):
        rows, columns = (round(side / config["ratio"] ** octave) for side in own)
        if min(rows, columns) < config["smallest"] or not _fits(network, layer, x, (rows, columns)):
            break
        sizes.insert(0, (rows, columns))
    return sizes


def ascend(
    network: nn.Module,
    layer: str,
    start: Tensor,
    limits: tuple[Tensor, Tensor],
    sizes: Sequence[tuple[int, int]],
    config: Mapping[str, Any],
    seed: int,
) -> Tensor:
    """The dream of one sample, (1, channels, rows, columns), within `limits`."""
    random = torch.Generator().manual_seed(seed)
    low, high = limits
    step = config["step"] * (high - low)
    detail = torch.zeros_like(start)
    with frozen(network):
        for size in sizes:
            base = resized(start, size).clamp(low, high)
            x = (base + resized(detail, size)).clamp(low, high)
            reach = [round(config["jitter"] * side) for side in size]
            for _ in range(config["iterations"]):
                shift = [int(torch.randint(-most, most + 1, (), generator=random)) for most in reach]
                moved = x.roll(shift, (2, 3)).requires_grad_()
                (held,) = activations(network, moved, [layer])
                (gradient,) = torch.autograd.grad(held.norm(), moved)
                uphill = _even(blurred(gradient, config["blur"]))
                x = (x + step * uphill.roll([-by for by in shift], (2, 3))).clamp(low, high)
            detail = x - base
    return x


def at_random(
    dreamt: Tensor,
    start: Tensor,
    limits: tuple[Tensor, Tensor],
    sizes: Sequence[tuple[int, int]],
    config: Mapping[str, Any],
    seed: int,
) -> Tensor:
    """The sample changed at random as far as the dream changed it, `draws` times: (draws, channels, rows, columns).

    Made as a dream is, blurred changes of every octave added up; but in random directions. Then stretched until the
    root mean square of what is left of them within `limits` is the dream's.
    """
    random = torch.Generator().manual_seed(seed)
    low, high = limits
    draws, own = config["draws"], sizes[-1]
    direction = torch.zeros(draws, *start.shape[1:])
    for size in sizes:
        noise = torch.randn(draws, start.shape[1], *size, generator=random)
        direction = resized(direction, size) + _even(blurred(noise, config["blur"]))
    direction = resized(direction, own) * (high - low)
    wanted = _distance(dreamt, start)
    stretch = wanted / _distance(direction, torch.zeros_like(direction)).clamp_min(1e-12)
    for _ in range(20):  # what is cut off at black and white has to be made up for elsewhere
        changed = (start + stretch[:, None, None, None] * direction).clamp(low, high)
        stretch = stretch * (wanted / _distance(changed, start).clamp_min(1e-12)).clamp(0.5, 2)
    return (start + stretch[:, None, None, None] * direction).clamp(low, high)


def _check(config: Mapping[str, Any]) -> None:
    for key, least in (("octaves", 1), ("iterations", 1), ("draws", 2), ("colours", 2), ("blur", 0), ("jitter", 0)):
        if config[key] < least:
            raise WrongSetting(f"{key}: {config[key]} is too few; give {least} or more")
    if config["ratio"] <= 1:
        raise WrongSetting(
            f"ratio: {config['ratio']} would not make the octaves smaller; give more than 1, such as 1.4"
        )
    if config["colours"] > 256:
        raise WrongSetting(f"colours: {config['colours']} is more than a palette holds; give 256 or fewer")
    if not config["layers"] and not config["depths"]:
        raise WrongSetting("depths: name at least one share of the depth, such as 0.5, or a layer in layers")
    for depth in config["depths"]:
        if not 0 <= depth <= 1:
            raise WrongSetting(f"depths: {depth} is no share of the network's depth; give 0 (first) to 1 (last)")


def _places(samples: Samples, config: Mapping[str, Any]) -> list[int]:
    if config["sample"] is None and config["label"] is None and (samples.labels < 0).all():
        return list(range(min(2, len(samples))))
    return chosen_samples(samples, config["sample"], config["label"])


def _fits(network: nn.Module, layer: str, x: Tensor, size: tuple[int, int]) -> bool:
    """Whether the layer can be computed for a picture of this size; a kernel may be larger than what is left."""
    try:
        with torch.no_grad():
            activations(network, resized(x, size), [layer])
    except Exception:  # of whatever kind: the network does not take this size
        return False
    return True


def _even(change: Tensor) -> Tensor:
    """A change whose mean absolute value is 1 in each sample; no change stays none."""
    return change / change.abs().mean((1, 2, 3), keepdim=True).clamp_min(torch.finfo(change.dtype).tiny)


def _distance(x: Tensor, start: Tensor) -> Tensor:
    return (x - start).square().mean((1, 2, 3)).sqrt()


def _measured(
    network: nn.Module,
    layer: Layer,
    place: int,
    start: Tensor,
    made: Tensor,
    read: Tensor,
    limits: tuple[Tensor, Tensor],
    sizes: list[tuple[int, int]],
    config: Mapping[str, Any],
    seed: int,
) -> Dream:
    random = at_random(made, start, limits, sizes, config, seed)
    with torch.no_grad():
        norms = [activations(network, x[None], [layer.name])[0].double().norm() for x in (start[0], made[0], *random)]
    (after,) = logits_of(network, made).double().softmax(1)
    return Dream(
        place=place,
        layer=layer,
        picture=made[0],
        before=float(norms[0]),
        after=float(norms[1]),
        by_chance=torch.stack(norms[2:]).numpy(),
        moved=float(((made - start) / (limits[1] - limits[0])).square().mean().sqrt()),
        read=((int(read.argmax()), float(read.max())), (int(after.argmax()), float(after.max()))),
        sizes=sizes,
    )


def _summary(dreams: Sequence[Dream], layers: Sequence[Layer]) -> list[Number]:
    """What is said of all dreams together, the means of ratios being geometric."""
    heard = [dream for dream in dreams if dream.raised is not None]
    n = len(dreams)
    raised = np.log([dream.after / dream.before for dream in heard])
    chance = np.log([dream.raised_by_chance.mean() for dream in heard])
    changed = sum(dream.read[0][0] != dream.read[1][0] for dream in dreams)
    return [
        Number("raised", significant(math.exp(raised.mean())), n=len(heard)),
        Number("raised_by_chance", significant(math.exp(chance.mean())), n=len(heard)),
        Number("moved", significant(float(np.mean([dream.moved for dream in dreams]))), unit="fraction", n=n),
        Number("class_changed", changed / n, unit="fraction", n=n),
        Number("layers", len(layers)),
        Number("octaves", max(len(dream.sizes) for dream in dreams)),
    ]


def _numbers(dreams: Sequence[Dream], samples: Samples) -> list[Number]:
    numbers = []
    for dream in dreams:
        subject = f"layer={dream.layer.name};sample={samples.table['id'][dream.place]}"
        numbers += [
            Number("norm_before", significant(dream.before), subject=subject),
            Number("norm_after", significant(dream.after), subject=subject),
        ]
        if dream.raised is not None:
            chance = dream.raised_by_chance
            low, high = mean_interval(chance)
            numbers += [
                Number("raised", significant(dream.raised), subject=subject),
                Number(
                    "raised_by_chance",
                    significant(float(chance.mean())),
                    significant(low),
                    significant(high),
                    n=len(chance),
                    subject=subject,
                ),
            ]
        (_, sure), (_, afterwards) = dream.read
        numbers += [
            Number("moved", significant(dream.moved), unit="fraction", subject=subject),
            Number("probability_before", significant(sure), unit="fraction", subject=subject),
            Number("probability_after", significant(afterwards), unit="fraction", subject=subject),
            Number("class_changed", int(dream.read[0][0] != dream.read[1][0]), subject=subject),
            Number("octaves", len(dream.sizes), subject=subject),
        ]
    return numbers


def _grid(dreams: Sequence[Dream], samples: Samples, before: Tensor, colours: int, sound: Sound | None) -> Grid:
    facts, ids = samples.facts, samples.table["id"]
    files = samples.table["file"] if facts.kind == "sounds" and "file" in samples.table else None
    places = list(dict.fromkeys(dream.place for dream in dreams))
    items = []
    for place, read in zip(places, before, strict=True):
        sure, most = read.max(0)
        start = to_tensor(facts, samples.inputs[place : place + 1])[0]
        items.append(
            Item(
                id=str(ids[place]),
                pixels=few_colours(to_pixels(facts, start), colours),
                label=f"the sample, {_said(facts, int(most), float(sure))}",
                sound=None if sound is None or files is None else sound(files[place]),
                group=str(ids[place]),
            )
        )
        for dream in (dream for dream in dreams if dream.place == place):
            values = {"moved": dream.moved}
            how = "silent"
            if dream.raised is not None:
                values |= {"raised": dream.raised, "raised by chance": float(dream.raised_by_chance.mean())}
                how = f"× {dream.raised:.2f}"
            items.append(
                Item(
                    id=f"{dream.layer.name} of {ids[place]}",
                    pixels=few_colours(to_pixels(facts, dream.picture), colours),
                    label=f"{dream.layer.name} {how}, {_said(facts, *dream.read[1])}",
                    values={key: significant(value) for key, value in values.items()},
                    group=str(ids[place]),
                )
            )
    return Grid(
        "dreams",
        items,
        columns=min(4, len(items) // len(places)),
        title={"en": "From the sample to deeper and deeper layers", "zh": "从样本到越来越深的层"},
        caption={
            "en": (
                "× says how many times stronger the layer responds than to the sample itself; behind it, what the "
                "network calls the picture."
                + (f" Pictures are shown in {colours} colours each." if in_colours(facts) else "")
            ),
            "zh": (
                "× 表示该层的响应是对原样本的多少倍；其后是网络对这幅图的判断。"
                + (f"每幅图用 {colours} 种颜色显示。" if in_colours(facts) else "")
            ),
        },
    )


def _said(facts: Facts, label: int, sure: float) -> str:
    return f"read as {class_name(facts, label)} ({100 * sure:.0f} %)"


def _table(dreams: Sequence[Dream], samples: Samples) -> Table:
    import pandas as pd

    facts = samples.facts
    rows = []
    for dream in dreams:
        (was, sure), (is_, afterwards) = dream.read
        rows.append(
            {
                "sample": samples.table["id"][dream.place],
                "layer": dream.layer.name,
                "raised": dream.raised,
                "by chance": dream.raised_by_chance.mean() if dream.before > 0 else None,
                "moved, %": 100 * dream.moved,
                "read before": class_name(facts, was),
                "sure before, %": 100 * sure,
                "read after": class_name(facts, is_),
                "sure after, %": 100 * afterwards,
                "sizes": ", ".join(f"{rows}×{columns}" for rows, columns in dream.sizes),
            }
        )
    return Table(
        "measured",
        pd.DataFrame(rows).round(4),
        title={"en": "Measured", "zh": "测量结果"},
        caption={
            "en": (
                "“By chance”: how many times stronger the layer responds to the sample after a random change as large "
                "as the dream's and as smooth. “Moved”: the root mean square change of a value, of the whole range."
            ),
            "zh": (
                "“by chance”：同样大小、同样平滑的随机改变使该层响应变为几倍；"
                "“moved”：像素值改变的均方根，占全部范围的百分比。"
            ),
        },
    )


def _caption(facts: Facts, dreams: Sequence[Dream]) -> Text:
    heard = [dream for dream in dreams if dream.raised is not None]
    best = max(heard, key=lambda dream: dream.raised or 0)
    more = sum(dream.raised > dream.raised_by_chance.max() for dream in heard if dream.raised is not None)
    otherwise = sum(dream.read[0][0] != dream.read[1][0] for dream in dreams)
    return {
        "en": (
            "Each picture begins as a sample of the test split and is changed, step by step, so that all of a layer "
            "responds more strongly: whatever it answers to faintly, it is shown more of. "
            f"{more} of {len(heard)} dreams raise the response more than any random change of the same size does; the "
            f"strongest makes {best.layer.name} respond {best.raised:.2f} times as strongly, where such a change makes "
            f"it {best.raised_by_chance.mean():.2f} times. A dream says what a layer has filters for, not what the "
            f"network takes the picture for: that stands beside each, and in {otherwise} of {len(dreams)} it is "
            "another class than before."
        ),
        "zh": (
            f"每幅图从一个测试样本开始，一步步改变，使某一层整体响应更强：它隐约回应什么，就给它更多什么。"
            f"{len(heard)} 幅中有 {more} 幅使响应升得比任何同样大小的随机改变都多；"
            f"最强的一幅使 {best.layer.name} 的响应变为 {best.raised:.2f} 倍，而同样大小的随机改变为 "
            f"{best.raised_by_chance.mean():.2f} 倍。梦只说明该层有什么样的卷积核，不说明网络把图认作什么；"
            f"后者标在每幅图旁，{len(dreams)} 幅中有 {otherwise} 幅被认作另一类。"
        ),
    }
