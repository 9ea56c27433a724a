"""Where a class is read in the last maps: Grad-CAM and two more, at their own resolution (M13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Facts, Samples
from cnnatomy.dissect.attributing.cams import CAMS, TITLES, cam_layers, held, methods, spread
from cnnatomy.dissect.attributing.maps import cells_picture, concentration, on_signal, sample_item, weighed
from cnnatomy.dissect.attributing.trust import Verdict, marked, randomised, rank_correlations, said
from cnnatomy.drawing.showing import class_name, spaced, span_of
from cnnatomy.exhibit import Block, Exhibit, Grid, Item, Number, Sentence, Texts, Words
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.answers import Answer, to_look_at
from cnnatomy.probing.choosing import evenly
from cnnatomy.probing.layers import Layer
from cnnatomy.probing.outputs import logits_of
from cnnatomy.statistics.intervals import mean_interval, share

TITLE = {"en": "Class activation maps: where a class is read", "zh": "类激活图：从哪里读出一个类"}
SOURCES = [
    "Zhou et al. 2016, Learning deep features for discriminative localization, CVPR",
    "Selvaraju et al. 2017, Grad-CAM: visual explanations from deep networks via gradient-based localization, ICCV",
    "Chattopadhay et al. 2018, Grad-CAM++: improved visual explanations for deep convolutional networks, WACV",
    "Jiang et al. 2021, LayerCAM: exploring hierarchical class activation maps for localization, IEEE TIP",
    "Adebayo et al. 2018, Sanity checks for saliency maps, NeurIPS",
]


def class_activation(network: nn.Module, samples: Samples, config: Mapping[str, Any], *, seed: int) -> Exhibit:
    """Draw class activation maps of right and wrong predictions, and measure them (M13).

    Maps have the resolution of the layer that they are made of, and are neither smoothed nor stretched; a map that is
    zero everywhere is drawn as zero. On wrong predictions there is a map for the class read and one for the true one.

    config: `right`, `wrong`, `sample`, `layers`, `compared`; see conf/dissect/class_activation.yaml. Raises
    LayerNotFound, NoLogits, ValueError for a place outside of the split, DoesNotApply where no layer has places.
    """
    facts = samples.facts
    x = to_tensor(facts, samples.inputs[:1])
    logits_of(network, x, len(facts.classes))
    layers = cam_layers(network, x, config["layers"])
    looked_at = to_look_at(network, samples, config["right"], config["wrong"], config["sample"])
    verdicts = randomised(network, samples, methods(layers, _places(facts), facts.kind == "texts"), seed)

    compared = evenly(len(samples), config["compared"])
    numbers = _summary(network, samples, compared, layers, verdicts)
    blocks: list[Block] = []
    if facts.kind == "texts":
        blocks.append(_sentences(network, samples, looked_at, layers, verdicts))
    else:
        blocks.append(_pictures(network, samples, looked_at, layers, verdicts, numbers))
    return Exhibit(
        kind="run",
        name="",
        method="class_activation",
        seed=0,
        title=TITLE,
        caption=_caption(facts, layers, verdicts),
        numbers=numbers,
        blocks=blocks,
        sources=SOURCES,
    )


def _places(facts: Facts) -> tuple[int, ...]:
    return tuple(facts.shape) if facts.kind == "texts" else tuple(facts.shape[1:])


def _cells(
    network: nn.Module,
    samples: Samples,
    places: Sequence[int] | np.ndarray,
    classes: Sequence[int],
    layers: list[Layer],
) -> dict[str, list[torch.Tensor]]:
    """Each method's maps of samples for a class each, (n, *cells) for each layer."""
    x = to_tensor(samples.facts, samples.inputs[np.asarray(places)])
    pairs = held(network, x, torch.tensor(list(classes)), [layer.name for layer in layers])
    return {name: [formula(*pair) for pair in pairs] for name, formula in CAMS.items()}


def _summary(
    network: nn.Module, samples: Samples, places: np.ndarray, layers: list[Layer], verdicts: Mapping[str, Verdict]
) -> list[Number]:
    """What holds for the samples compared: which methods fail, how many maps are blank, how local, how alike."""
    facts = samples.facts
    x = to_tensor(facts, samples.inputs[places])
    target = logits_of(network, x).argmax(1)
    cells = _cells(network, samples, places, target.tolist(), layers)
    if facts.kind == "texts":  # on words, for windows on the padding behind a sentence say nothing
        valid = np.asarray(samples.inputs[places]) != PADDING
        flat = {}
        for name, maps in cells.items():
            on_words = [spread(layer, part, _places(facts), True) for layer, part in zip(layers, maps, strict=True)]
            flat[name] = torch.stack(on_words).sum(0) * torch.from_numpy(valid)
    else:
        flat = {name: torch.cat([found.flatten(1) for found in maps], dim=1) for name, maps in cells.items()}
        valid = np.ones(tuple(flat["grad_cam"].shape), dtype=bool)
    n = len(places)
    agreement = {pair: rank_correlations(flat[pair[0]], flat[pair[1]], valid) for pair in combinations(CAMS, 2)}
    numbers = [
        Number("methods_that_fail", sum(verdict.fails for verdict in verdicts.values()), n=len(verdicts)),
        share("blank_grad_cam", int((flat["grad_cam"].sum(1) == 0).sum()), n),
        _mean("in_strongest_quarter", concentration(flat["grad_cam"].numpy(), valid), "fraction"),
        _mean("agreement", np.mean(list(agreement.values()), axis=0)),
        Number("cells", sum(int(np.prod(layer.shape[1:])) for layer in layers)),
    ]
    for name, found in flat.items():
        subject = f"method={name}"
        numbers += [
            verdicts[name].number(name),
            share("blank", int((found.sum(1) == 0).sum()), n, subject),
            _mean("in_strongest_quarter", concentration(found.numpy(), valid), "fraction", subject),
        ]
    numbers += [
        _mean("agreement", values, subject=f"method={one};with={other}") for (one, other), values in agreement.items()
    ]
    return [number for number in numbers if np.isfinite(number.value)]


def _mean(metric: str, values: np.ndarray, unit: str = "", subject: str = "") -> Number:
    if len(values) == 0:
        return Number(metric, float("nan"), subject=subject)
    low, high = mean_interval(values) if len(values) >= 10 else (None, None)
    return Number(metric, float(values.mean()), low, high, unit, len(values), subject)


def _pictures(
    network: nn.Module,
    samples: Samples,
    looked_at: Sequence[Answer],
    layers: list[Layer],
    verdicts: Mapping[str, Verdict],
    numbers: list[Number],
) -> Grid:
    """Each sample with its maps; the numbers of each map are added to `numbers`."""
    facts = samples.facts
    items: list[Item] = []
    for answer in looked_at:
        name, group = str(samples.table["id"][answer.place]), answer.said(samples)
        items.append(sample_item(samples, answer, group))
        wanted = [answer.read] + ([answer.label] if answer.state == "wrong" else [])
        cells = _cells(network, samples, [answer.place] * len(wanted), wanted, layers)
        for method, maps in cells.items():
            for layer, found in zip(layers, maps, strict=True):
                for row, label in enumerate(wanted):
                    if row and method != "grad_cam":
                        continue  # of the true class one method is enough to compare
                    values = found[row].double().numpy()
                    of_class = class_name(facts, label)
                    many = f" {layer.name}" if len(layers) > 1 else ""
                    items.append(
                        Item(
                            id=f"{method} of {name} for {of_class}{many}",
                            pixels=_drawn(samples, answer, layer, found[row : row + 1]),
                            label=marked(f"{TITLES[method]}{many} for {of_class}", verdicts[method]),
                            values={"largest": significant(float(values.max()))} | _peak(facts, layer, values),
                            group=group,
                        )
                    )
                    subject = f"layer={layer.name};method={method};sample={name};class={of_class}"
                    numbers.append(Number("map_max", significant(float(values.max())), subject=subject))
                    if values.max() > 0:
                        part = float(concentration(values[None], np.ones((1, *values.shape), dtype=bool))[0])
                        numbers.append(Number("in_strongest_quarter", part, unit="fraction", subject=subject))
        if len(wanted) == 2 and len(layers) == 1:
            read, true = cells["grad_cam"][0][:1], cells["grad_cam"][0][1:]
            alike = rank_correlations(read, true, np.ones(tuple(read.shape), dtype=bool))[0]
            numbers.append(Number("read_class_like_true_class", float(alike), subject=f"sample={name}"))
    size = " + ".join(" × ".join(map(str, layer.shape[1:])) for layer in layers)
    names = ", ".join(layer.name for layer in layers)
    return Grid(
        "maps",
        items,
        columns=2 + len(CAMS) * len(layers) if len(layers) == 1 else None,
        title={"en": f"{names}: maps of {size}", "zh": f"{names}：{size} 的图"},
        caption={
            "en": (
                f"{_resolution(facts, layers)['en']} {_scale(facts)['en']} "
                "Nothing is smoothed: a blurred overlay would look finer than what is known."
            ),
            "zh": (
                f"{_resolution(facts, layers)['zh']}{_scale(facts)['zh']}不作平滑：模糊的叠加图会显得比实际更精细。"
            ),
        },
    )


def _scale(facts: Facts) -> dict[str, str]:
    """What the colours mean."""
    if facts.kind == "signals":
        return {
            "en": "The colour below a moment of the signal is that of the cell nearest to it: near white is zero, red "
            "the map's own largest value, which is given.",
            "zh": "信号下方的颜色是离该时刻最近的一格：近白为零，红为该图最大值。",
        }
    return {
        "en": "Black is zero, pale the map's own largest value, which is given.",
        "zh": "黑为零，浅黄为该图最大值。",
    }


def _drawn(samples: Samples, answer: Answer, layer: Layer, cells: torch.Tensor) -> np.ndarray:
    """The cells of a map, (1, *cells), as pixels: by themselves, or behind the signal that they are about."""
    facts = samples.facts
    if facts.kind == "signals":
        return on_signal(samples, answer, spread(layer, cells, _places(facts), False)[0].double().numpy())
    return cells_picture(facts, cells[0].double().numpy())


def _peak(facts: Facts, layer: Layer, values: np.ndarray) -> dict[str, float]:
    """Of a sound: which frequencies the strongest cell sees, in Hz; of a signal: what time it sees."""
    if facts.kind not in ("sounds", "signals") or layer.field is None or values.max() <= 0 or not facts.axes:
        return {}
    at = [int(place) for place in np.unravel_index(int(values.argmax()), values.shape)]
    at = at[-1:] if facts.kind == "signals" else at  # what a map has besides time is no part of the input
    first, beyond = layer.field.of_unit([*at, *[0] * (len(layer.field.size) - len(at))])[0]
    bands = facts.axes[0].values
    if facts.kind == "signals":
        unit, last = facts.axes[0].unit, len(bands) - 1
        ends = (max(0, min(first, last)), max(0, min(beyond - 1, last)))
        return {f"{end} {unit}": significant(bands[at], 3) for end, at in zip(("from", "to"), ends, strict=True)}
    return {
        "from Hz": significant(bands[max(0, min(first, len(bands) - 1))], 3),
        "to Hz": significant(bands[max(0, min(beyond, len(bands)) - 1)], 3),
    }


def _sentences(
    network: nn.Module,
    samples: Samples,
    looked_at: Sequence[Answer],
    layers: list[Layer],
    verdicts: Mapping[str, Verdict],
) -> Texts:
    """Each sentence with its words marked: each method over all layers, and Grad-CAM of each layer by itself."""
    sentences: list[Sentence] = []
    places = _places(samples.facts)
    for answer in looked_at:
        name, group = str(samples.table["id"][answer.place]), answer.said(samples)
        length = int((samples.inputs[answer.place] != PADDING).sum())
        wanted = [answer.read] + ([answer.label] if answer.state == "wrong" else [])
        cells = _cells(network, samples, [answer.place] * len(wanted), wanted, layers)
        for method, maps in cells.items():
            on_words = [spread(layer, found, places, True) for layer, found in zip(layers, maps, strict=True)]
            for row, label in enumerate(wanted):
                if row and method != "grad_cam":
                    continue
                whole = torch.stack(on_words).sum(0)[row, :length].double().numpy()
                title = f"{TITLES[method]} for {class_name(samples.facts, label)}"
                shown = [("", whole)]
                if method == "grad_cam" and row == 0 and len(layers) > 1:
                    shown += [
                        (f", {layer.name}", found[row, :length].double().numpy())
                        for layer, found in zip(layers, on_words, strict=True)
                    ]
                for of_layer, weights in shown:
                    sentences.append(
                        Sentence(
                            id=f"{title} of {name}{of_layer}",
                            tokens=weighed(samples, answer, weights),
                            label=marked(f"{title}{of_layer}", verdicts[method]),
                            state=answer.state,
                            values={"largest": significant(float(weights.max(initial=0)))},
                            group=group,
                            spaces=spaced(samples.facts),
                        )
                    )
    return Texts(
        "maps",
        sentences,
        title={"en": "The words that the maps lie on", "zh": "图所落在的词"},
        caption={
            "en": (
                f"{_resolution(samples.facts, layers)['en']} A window's value is shared out evenly among its words and "
                "added up over windows and layers. Marks are amounts: these maps have no words against a class."
            ),
            "zh": f"{_resolution(samples.facts, layers)['zh']}窗口的值均分给其中的词，再相加。这些图没有“反对”的词。",
        },
    )


def _resolution(facts: Facts, layers: Sequence[Layer]) -> dict[str, str]:
    """What one cell of the maps stands for, and what the maps can't say."""
    en, zh = [], []
    for layer in layers:
        size = " × ".join(map(str, layer.shape[1:]))
        field = layer.field
        if field is None:
            en.append(f"{layer.name} has {size} cells.")
            zh.append(f"{layer.name} 有 {size} 格。")
            continue
        stride, window = span_of(facts, field.stride), span_of(facts, field.size)
        if facts.kind == "images" and all(s >= n for s, n in zip(field.size, facts.shape[1:], strict=True)):
            window = {"en": "something of all the image", "zh": "整幅图"}
        whole = [axis for axis, units in zip(facts.axes, field.units, strict=False) if units == 1]
        if facts.kind == "texts":
            en.append(f"{layer.name} has {size} windows of {window['en']}.")
            zh.append(f"{layer.name} 有 {size} 个窗口，每个 {window['zh']}。")
            continue
        if whole:
            names = " and ".join(axis.name for axis in whole)
            en.append(f"{layer.name} has {size} cells: each sees {window['en']}, and says nothing about {names}.")
            zh.append(f"{layer.name} 有 {size} 格：每格看到 {window['zh']}，对时间一无所知。")
        else:
            en.append(f"{layer.name} has {size} cells: each stands for {stride['en']} and sees {window['en']}.")
            zh.append(f"{layer.name} 有 {size} 格：每格代表 {stride['zh']}，看到 {window['zh']}。")
    return {"en": " ".join(en), "zh": "".join(zh)}


def _caption(facts: Facts, layers: Sequence[Layer], verdicts: Mapping[str, Verdict]) -> Words:
    test = said(verdicts, TITLES)
    assert not isinstance(test, str)
    return {
        "en": (
            "A class activation map adds up the last convolution's maps, each as much as it matters for a class: by "
            "its mean gradient (Grad-CAM), by its positive gradients evened out (Grad-CAM++), or place by place "
            "(Layer-CAM). It claims where in the sample the class is read, and not from what; how far that holds is "
            "measured in “Which maps can be believed”. On a wrong prediction there is a map for the class read and one "
            f"for the true class: where they are alike, they can't say why one was read and not the other. {test['en']}"
        ),
        "zh": (
            "类激活图把最后一层卷积的特征图按其对某类的重要性相加：按平均梯度（Grad-CAM）、按均衡后的正梯度（Grad-CAM++），"
            "或逐格（Layer-CAM）。它声称从样本的哪里读出了该类，不说从什么读出；这一声称有多可靠，见“哪些图可信”。"
            f"读错时，所读类别与真实类别各有一张图：两者相似之处，说明不了为何读成这一类而非那一类。{test['zh']}"
        ),
    }
