"""Deep Style (M12): one sample's content, another one's style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.drawing.pictures import blurred, box, few_colours, floor_of, resized, to_pixels
from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.drawing.showing import Sound, class_name, in_colours, plain
from cnnatomy.exhibit import Exhibit, Figure, Grid, Item, Number, Text
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.choosing import WrongSetting, chosen_samples
from cnnatomy.probing.convolving import frozen
from cnnatomy.probing.depths import at_depths, before_activation
from cnnatomy.probing.layers import activations, trace
from cnnatomy.probing.outputs import logits_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

TITLE: Text = {
    "en": "Deep Style: one sample's content, another one's style",
    "zh": "深度风格：一个样本的内容，另一个的风格",
}
SOURCES = ["Gatys, Ecker & Bethge 2016, Image style transfer using convolutional neural networks, CVPR"]


def style(
    network: nn.Module,
    samples: Samples,
    config: Mapping[str, Any],
    *,
    prepare: Mapping[str, Any],
    sound: Sound | None = None,
) -> Exhibit:
    """Match one sample's activations in a layer and another one's Gram matrices in several, by L-BFGS (M12).

    Both ways round, for several weights of the content, measured against the two samples themselves.

    config: see conf/dissect/style.yaml. sound: gives a clip's wav bytes by the name of its file. The exhibit's name
    and seed are left for the caller; nothing here is drawn at random. Raises DoesNotApply for texts, for signals and
    for a single sample, LayerNotFound for an unknown layer, WrongSetting for a sample that there isn't, and NoLogits
    for a network without class outputs.
    """
    facts = samples.facts
    if facts.kind == "signals":
        raise DoesNotApply(
            {
                "en": "the style of a picture can be seen in what is made of it; of a signal nobody could say "
                "whether it is hit",
                "zh": "画的风格可以用眼看出来；信号的风格像不像，没有人能判断",
            }
        )
    if facts.kind == "texts":
        raise DoesNotApply(
            {
                "en": "words can't be changed a little: there is no gradient to follow",
                "zh": "词不能微小地改变，没有梯度可循",
            }
        )
    if len(samples) < 2:
        raise DoesNotApply(
            {"en": "there is one test sample only, and it takes two", "zh": "测试样本只有一个，而这里需要两个"}
        )
    _check(config)
    (first,) = chosen_samples(samples, config["content"], None)[:1]
    x = to_tensor(facts, samples.inputs[first : first + 1])
    logits_of(network, x, len(facts.classes))
    matching = _matching(network, x, config)
    second = _other(samples, first, matching, config)
    limits = box(facts, floor_of(prepare))
    places = (first, second)
    pictures = [
        _smaller(to_tensor(facts, samples.inputs[place : place + 1]), config["size"]).clamp(*limits) for place in places
    ]
    blur = config["blur_of_sounds" if facts.kind == "sounds" else "blur"]
    made = []
    for one, other in ((0, 1), (1, 0)):
        for weight in config["weights"]:
            made.append(blend(matching, pictures[one], pictures[other], weight, limits, config["steps"], blur))
    read = [_read(network, picture, facts) for picture in pictures]
    results = [
        Result(blended, places[at // len(config["weights"])], _read(network, blended.picture, facts))
        for at, blended in enumerate(made)
    ]
    names = {place: str(samples.table["id"][place]) for place in places}
    return Exhibit(
        kind="run",
        name="",
        method="style",
        seed=0,
        title=TITLE,
        caption=_caption(matching, results, names, places, facts),
        numbers=[*_summary(results, places, read, config["weights"]), *_numbers(results, names, places)],
        blocks=[
            _grid(samples, places, pictures, results, read, config["colours"], sound),
            _losses(results, names, places),
            _trade(results, names, places),
        ],
        sources=SOURCES,
    )


def gram(held: Tensor) -> Tensor:
    """How the channels of a layer go together, wherever they do: (channels, channels), the mean over all places.

    held: (1, channels, …).
    """
    flat = held.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


@dataclass(frozen=True)
class Matching:
    """The two losses of a network: names of the layer of the content and of those of the style."""

    network: nn.Module
    content: str
    style: tuple[str, ...]

    def held(self, x: Tensor) -> dict[str, Tensor]:
        """What the layers hold for one input."""
        names = list(dict.fromkeys((self.content, *self.style)))
        return dict(zip(names, activations(self.network, x, names), strict=True))

    def grams(self, held: Mapping[str, Tensor]) -> list[Tensor]:
        """The Gram matrix of each layer of the style."""
        return [gram(held[name]) for name in self.style]

    def losses(self, x: Tensor, content: Tensor, grams: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Content loss and style loss of an input: squared distances as shares of the squares of what is wanted.

        The style loss is the mean over its layers.
        """
        held = self.held(x)
        apart = [_apart(found, wanted) for found, wanted in zip(self.grams(held), grams, strict=True)]
        return _apart(held[self.content], content), torch.stack(apart).mean()


@dataclass(frozen=True)
class Blend:
    """One sample's content in another one's style.

    history: (steps, 2), content and style loss of the best picture so far. style_of_content: style loss of the content
    picture itself, with which it begins; content_of_style: content loss of the style picture itself.
    moved: root mean square change from the content picture, as a share of the whole range.
    """

    weight: float
    picture: Tensor
    history: np.ndarray
    style_of_content: float
    content_of_style: float
    moved: float

    @property
    def style_left(self) -> float:
        """The share of the style loss that is left."""
        return float(self.history[-1, 1] / max(self.style_of_content, 1e-12))

    @property
    def content_lost(self) -> float:
        """The content loss, as a share of what the other sample's own would be."""
        return float(self.history[-1, 0] / max(self.content_of_style, 1e-12))


@dataclass(frozen=True)
class Result:
    """A blend, the place of the sample whose content it has, and the class and probability that it is read as."""

    blend: Blend
    content: int
    read: tuple[int, float]


def blend(
    matching: Matching,
    content: Tensor,
    style: Tensor,
    weight: float,
    limits: tuple[Tensor, Tensor],
    steps: int,
    blur: float,
) -> Blend:
    """The content of one input, (1, channels, rows, columns), in the style of another, within `limits`.

    Begins with the content and lowers `weight` × content loss + style loss by L-BFGS, of which `steps` evaluations
    are allowed; the best of them counts. What is added to the content is blurred by `blur` pixels.
    """
    low, high = limits
    with torch.no_grad():
        wanted = matching.held(content)[matching.content]
        grams = matching.grams(matching.held(style))
        content_of_style = float(matching.losses(style, wanted, grams)[0])
        style_of_content = float(matching.losses(content, wanted, grams)[1])
    added = torch.zeros_like(content).requires_grad_()
    history: list[tuple[float, float]] = []
    best, picture = float("inf"), content

    def evaluate() -> Tensor:
        nonlocal best, picture
        x = (content + blurred(added, blur)).clamp(low, high)
        of_content, of_style = matching.losses(x, wanted, grams)
        total = weight * of_content + of_style
        (added.grad,) = torch.autograd.grad(total, added)
        better = float(total.detach()) < best
        if better:
            best, picture = float(total.detach()), x.detach().clone()
        history.append((float(of_content.detach()), float(of_style.detach())) if better else history[-1])
        return total

    with frozen(matching.network):
        torch.optim.LBFGS(
            [added], max_iter=steps, max_eval=steps, history_size=20, tolerance_grad=0, tolerance_change=0,
            line_search_fn="strong_wolfe",
        ).step(evaluate)  # fmt: skip
    return Blend(
        weight=weight,
        picture=picture,
        history=np.array(history[:steps]),
        style_of_content=style_of_content,
        content_of_style=content_of_style,
        moved=float(((picture - content) / (high - low)).square().mean().sqrt()),
    )


def _check(config: Mapping[str, Any]) -> None:
    if not config["weights"] or min(config["weights"]) < 0:
        raise WrongSetting(f"weights: {config['weights']}; give at least one weight of the content, none below 0")
    lowest = {"steps": 1, "candidates": 1, "size": 8, "blur": 0, "blur_of_sounds": 0, "colours": 2}
    for key, least in lowest.items():
        if config[key] < least:
            raise WrongSetting(f"{key}: {config[key]} is too few; give {least} or more")
    if config["colours"] > 256:
        raise WrongSetting(f"colours: {config['colours']} is more than a palette holds; give 256 or fewer")
    for key in ("content_depth", "style_depths"):
        for depth in config[key] if key == "style_depths" else [config[key]]:
            if not 0 <= depth <= 1:
                raise WrongSetting(f"{key}: {depth} is no share of the network's depth; give 0 (first) to 1 (last)")
    if not config["style_layers"] and not config["style_depths"]:
        raise WrongSetting(
            "style_depths: name at least one share of the depth, such as 0.5, or a layer in style_layers"
        )
    for key in ("content", "style"):
        if config[key] is not None and not isinstance(config[key], int):
            raise WrongSetting(f"{key}: {config[key]!r} is no place in the split; give one whole number")


def _matching(network: nn.Module, x: Tensor, config: Mapping[str, Any]) -> Matching:
    # Before the activation, where values lie about zero: behind ReLU all Gram matrices are much like the square of
    # the channels' means, and two pictures' styles differ by a fifth where they otherwise differ by all.
    traced = trace(network, x)
    found = before_activation(traced)
    content = None if config["content_layer"] is None else [config["content_layer"]]
    (layer,) = at_depths(traced, found, content, [config["content_depth"]])
    styles = at_depths(traced, found, config["style_layers"], config["style_depths"])
    return Matching(network, layer.name, tuple(layer.name for layer in styles))


def _other(samples: Samples, first: int, matching: Matching, config: Mapping[str, Any]) -> int:
    """The place of the sample whose style is taken."""
    if config["style"] is not None:
        (second,) = chosen_samples(samples, config["style"], None)
        if second == first:
            raise WrongSetting(f"style: {second} is the sample of the content itself; give another")
        return second
    if samples.labels[first] < 0:
        return next(place for place in range(len(samples)) if place != first)
    others = np.flatnonzero(samples.labels != samples.labels[first])[: config["candidates"]]
    if len(others) == 0:
        return next(place for place in range(len(samples)) if place != first)
    facts = samples.facts

    def grams(place: int) -> list[Tensor]:
        with torch.no_grad():
            x = to_tensor(facts, samples.inputs[place : place + 1])
            return matching.grams(matching.held(_smaller(x, config["size"])))

    own = grams(first)
    far = [
        sum(float(_apart(g, o)) + float(_apart(o, g)) for g, o in zip(grams(int(p)), own, strict=True)) for p in others
    ]
    return int(others[int(np.argmax(far))])


def _apart(found: Tensor, wanted: Tensor) -> Tensor:
    return (found - wanted).square().sum() / wanted.square().sum().clamp_min(1e-12)


def _smaller(x: Tensor, size: int) -> Tensor:
    scale = min(1.0, size / max(x.shape[2:]))
    return resized(x, [max(1, round(side * scale)) for side in x.shape[2:]])


def _read(network: nn.Module, picture: Tensor, facts: Facts) -> tuple[int, float]:
    """The class that the network reads a picture as, at the size of its samples, and the probability."""
    sure, label = logits_of(network, resized(picture, facts.shape[1:]))[0].double().softmax(0).max(0)
    return int(label), float(sure)


def _summary(
    results: Sequence[Result], places: tuple[int, int], read: Sequence[tuple[int, float]], weights: Sequence[float]
) -> list[Number]:
    """What is said of the pictures of the middle weight, both ways round, and of what all of them are read as."""
    middle = sorted(weights)[len(weights) // 2]
    at = [result.blend for result in results if result.blend.weight == middle]
    as_content = [result.read[0] == read[places.index(result.content)][0] for result in results]
    as_style = [result.read[0] == read[1 - places.index(result.content)][0] for result in results]
    n = len(results)
    return [
        Number("style_left", significant(float(np.mean([b.style_left for b in at]))), unit="fraction", n=len(at)),
        Number("content_lost", significant(float(np.mean([b.content_lost for b in at]))), n=len(at)),
        Number("moved", significant(float(np.mean([b.moved for b in at]))), unit="fraction", n=len(at)),
        Number("read_as_content", sum(as_content) / n, unit="fraction", n=n),
        Number("read_as_style", sum(as_style) / n, unit="fraction", n=n),
    ]


def _numbers(results: Sequence[Result], names: Mapping[int, str], places: tuple[int, int]) -> list[Number]:
    numbers = []
    for result in results:
        made = result.blend
        pair = _pair(result, names, places)
        subject = f"{pair};weight={made.weight:g}"
        if made.weight == results[0].blend.weight:
            numbers += [
                Number("style_loss_of_content", significant(made.style_of_content), subject=pair),
                Number("content_loss_of_style", significant(made.content_of_style), subject=pair),
            ]
        numbers += [
            Number("content_loss", significant(float(made.history[-1, 0])), subject=subject),
            Number("style_loss", significant(float(made.history[-1, 1])), subject=subject),
            Number("style_left", significant(made.style_left), unit="fraction", subject=subject),
            Number("content_lost", significant(made.content_lost), subject=subject),
            Number("moved", significant(made.moved), unit="fraction", subject=subject),
            Number("probability", significant(result.read[1]), unit="fraction", subject=subject),
        ]
    return numbers


def _pair(result: Result, names: Mapping[int, str], places: tuple[int, int]) -> str:
    other = places[1 - places.index(result.content)]
    return f"content={names[result.content]};style={names[other]}"


def _said(facts: Facts, read: tuple[int, float]) -> str:
    return f"read as {class_name(facts, read[0])} ({100 * read[1]:.0f} %)"


def _grid(
    samples: Samples,
    places: tuple[int, int],
    pictures: Sequence[Tensor],
    results: Sequence[Result],
    read: Sequence[tuple[int, float]],
    colours: int,
    sound: Sound | None,
) -> Grid:
    facts, table = samples.facts, samples.table
    files = table["file"] if facts.kind == "sounds" and "file" in table else None
    items = [
        Item(
            id=str(table["id"][place]),
            pixels=few_colours(to_pixels(facts, picture[0]), colours),
            label=f"{table['id'][place]}, {_said(facts, said)}",
            sound=None if sound is None or files is None else sound(files[place]),
            group="The two samples",
        )
        for place, picture, said in zip(places, pictures, read, strict=True)
    ]
    for result in results:
        made = result.blend
        other = places[1 - places.index(result.content)]
        group = f"{table['id'][result.content]} in the style of {table['id'][other]}"
        items.append(
            Item(
                id=f"{group}, {made.weight:g}",
                pixels=few_colours(to_pixels(facts, made.picture[0]), colours),
                label=f"content weight {made.weight:g}, {_said(facts, result.read)}",
                values={
                    "style left": significant(made.style_left),
                    "content lost": significant(made.content_lost),
                    "moved": significant(made.moved),
                },
                group=group,
            )
        )
    many = f" Pictures are shown in {colours} colours each." if in_colours(facts) else ""
    in_chinese = f"每幅图用 {colours} 种颜色显示。" if in_colours(facts) else ""
    return Grid(
        "styles",
        items,
        title={"en": "The two samples, and each in the other's style", "zh": "两个样本，以及各自换上对方的风格"},
        caption={
            "en": (
                "From left to right the content counts for less. “Style left” is the share of the style loss that is "
                "left, “content lost” the content loss as a share of the other sample's: at 1 the layer sees as little "
                f"of the content as in the other sample.{many}"
            ),
            "zh": (
                "从左到右，内容所占的分量越来越小。“style left”是剩下的风格损失之比，“content lost”是内容损失与"
                f"另一样本的内容损失之比：为 1 时，该层看到的内容已和另一样本中一样少。{in_chinese}"
            ),
        },
    )


def _losses(results: Sequence[Result], names: Mapping[int, str], places: tuple[int, int]) -> Figure:
    import pandas as pd

    tables = []
    for result in results:
        made = result.blend
        tables.append(
            pd.DataFrame(
                {
                    "content of": names[result.content],
                    "weight": made.weight,
                    "evaluation": np.arange(len(made.history)),
                    "content loss": made.history[:, 0],
                    "style loss": made.history[:, 1],
                }
            )
        )
    floor = max(1e-4, min(float(result.blend.history[:, 1].min()) for result in results) / 2)

    def paint(drawing: Drawing) -> None:
        charts = drawing.subplots(1, 2, sharey=True)
        for place, axes in zip(places, charts, strict=True):
            mine = [result.blend for result in results if result.content == place]
            for at, made in enumerate(mine):
                colour = SERIES[at % len(SERIES)]
                axes.plot(made.history[:, 1], color=colour, label=f"{made.weight:g}")
                axes.plot(np.maximum(made.history[:, 0], floor), color=colour, linestyle=":")
            axes.axhline(mine[0].content_of_style, color=MUTED, linestyle="--", linewidth=1)
            axes.set(yscale="log", xlabel="evaluations", title=f"content: {names[place]}")
            axes.set_ylim(bottom=floor)
        charts[0].set_ylabel("loss")
        charts[0].legend(title="content weight")

    return Figure(
        "losses",
        draw(paint, 680, 280),
        alt={
            "en": (
                "Style loss falling and content loss rising over the evaluations, for each content weight; one chart "
                "for each way round."
            )
        },
        data=pd.concat(tables).round(6),
        title={"en": "Losses while it works", "zh": "优化过程中的损失"},
        caption={
            "en": (
                "Solid: style loss, which begins where the content picture's own is. Dotted: content loss, which "
                "begins at zero. Dashed: the content loss of the other sample itself. 1 is what a layer at zero would "
                "have; each curve is that of the best picture so far."
            ),
            "zh": (
                "实线：风格损失，从内容图自身的值开始；点线：内容损失，从零开始；虚线：另一样本自身的内容损失。"
                "1 相当于该层全为零；各曲线取到当时为止最好的图。"
            ),
        },
    )


def _trade(results: Sequence[Result], names: Mapping[int, str], places: tuple[int, int]) -> Figure:
    import pandas as pd

    table = pd.DataFrame(
        {
            "content of": [names[result.content] for result in results],
            "weight": [result.blend.weight for result in results],
            "content lost": [result.blend.content_lost for result in results],
            "style left": [result.blend.style_left for result in results],
        }
    )

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for at, place in enumerate(places):
            mine = sorted(
                (result.blend for result in results if result.content == place), key=lambda made: made.content_lost
            )
            lost = [0.0, *(made.content_lost for made in mine)]
            left = [1.0, *(made.style_left for made in mine)]
            axes.plot(lost, left, marker="o", color=SERIES[at], label=f"content: {names[place]}")
            for made in mine:
                axes.annotate(
                    f"{made.weight:g}", (made.content_lost, made.style_left), (4, 4), textcoords="offset points"
                )
        axes.set(xlabel="content lost", ylabel="style left", ylim=(0, None), xlim=(0, None))
        axes.legend()

    return Figure(
        "trade",
        draw(paint, 520, 280),
        alt={"en": "Style left against content lost, a point for each content weight, a line for each way round."},
        data=table.round(6),
        title={"en": "What the style costs in content", "zh": "风格以多少内容为代价"},
        caption={
            "en": (
                "Each line begins at the content sample itself, top left: nothing lost, all of the style to do. The "
                "number at a point is its content weight. A line that falls steeply before it goes to the right: most "
                "of the style can be had for little content."
            ),
            "zh": (
                "每条线从内容样本自身（左上）开始：内容未失，风格未改。点旁的数为内容权重。先陡降再右行："
                "用很少的内容就能换到大部分风格。"
            ),
        },
    )


def _caption(
    matching: Matching,
    results: Sequence[Result],
    names: Mapping[int, str],
    places: tuple[int, int],
    facts: Facts,
) -> Text:
    made = results[0].blend
    first, second = (names[place] for place in places)
    what, what_zh = {
        "images": ("strokes, colours and textures", "笔画、颜色与纹理"),
        "sounds": ("pieces of resonances and beginnings of sounds", "共振峰与起音的片段"),
    }[facts.kind]
    x, y = plain(made.style_of_content), plain(made.content_of_style)
    return {
        "en": (
            f"The content is what {matching.content} holds and where; the style is which channels of "
            f"{', '.join(matching.style)} go together, wherever they do ({what}). The picture begins as one sample and "
            f"is changed until it has the other's style. {first} itself has a style loss of {x} to {second}, and "
            f"{second} a content loss of {y} to {first}: read the losses below against these."
        ),
        "zh": (
            f"内容是 {matching.content} 的激活及其位置；风格是 {'、'.join(matching.style)} 中哪些通道一同出现，"
            f"而不问在哪里（{what_zh}）。图从一个样本开始，逐步改变，直到具有另一个的风格。"
            f"{first} 自身对 {second} 的风格损失为 {x}，{second} 对 {first} 的内容损失为 {y}：下面的损失应与此相比。"
        ),
    }
