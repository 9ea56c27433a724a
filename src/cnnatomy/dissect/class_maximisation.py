"""The input that a network takes most for a class (M8), without and with knowing what data look like."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.ascent.climb import Pixels, ascend
from cnnatomy.dissect.ascent.maximisation import best_of
from cnnatomy.dissect.ascent.parameterisation import Spectrum, windows
from cnnatomy.dissect.ascent.regularisers import Box, Jitter, Limits, box, ink, measured, spread, total_variation
from cnnatomy.dissect.ascent.showing import drawn
from cnnatomy.drawing.showing import class_name
from cnnatomy.exhibit import Block, Exhibit, Grid, Item, Number, Table, Text
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.blocks import State
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.choosing import evenly
from cnnatomy.probing.convolving import frozen, laid_out
from cnnatomy.probing.layers import batch_size
from cnnatomy.probing.work import affordable, effort
from cnnatomy.statistics.intervals import crossed_share
from cnnatomy.statistics.paired import no_more_than_zero

TITLE = {"en": "What it takes most for each class", "zh": "网络心目中的各个类别"}
#: (ink limited, total variation limited, moved while it is looked at) by name.
VARIANTS = {
    "none": (False, False, False),
    "l1": (True, False, False),
    "tv": (False, True, False),
    "both": (True, True, False),
    "moved": (True, True, True),
}
NAMES = {
    "none": "none",
    "l1": "few inked pixels (L1)",
    "tv": "ink hangs together (TV)",
    "both": "both",
    "moved": "both, and moved about",
}
INK = {
    "en": "Of a signal, ink is its distance from the median of the channel, and variation its steps in time.",
    "zh": "对信号而言，墨量是与该通道中位数的距离，变差是随时间的步长。",
}
PASSES = 3  # a step forward and back costs as much as three forward
SHORTER = 5  # by which a climb is shortened where the work doesn't allow all of it
FEWEST = 5  # classes that are seen however large the network is
SMALLER = (1, 2, 3, 4)  # by which whole number large images are made smaller, until the work allows
ENOUGH = 5  # classes before anything is said of what the priors do
BY_CHANCE = 0.05  # of the sentences that priors help or harm, the share that may be there by chance
SOURCES = [
    "Simonyan, Vedaldi & Zisserman 2014, Deep inside convolutional networks, ICLR workshop",
    "Yosinski et al. 2015, Understanding neural networks through deep visualization, ICML workshop on deep learning",
    "Nguyen, Yosinski & Clune 2015, Deep neural networks are easily fooled, CVPR",
]


def class_maximisation(
    network: nn.Module,
    samples: Samples,
    config: Mapping[str, Any],
    *,
    training: Samples | None,
    others: Sequence[nn.Module],
    seed: int,
) -> Exhibit:
    """Optimise an input for each class, and ask other networks what they take it for (M8; Simonyan et al. 2014).

    What is raised is the logit, the score before the softmax: a probability near 1 no longer shows a way up. With a
    prior, ink (L1) and total variation may be no more than those of a typical sample of the class, see `Limits`.

    config: `classes`, `steps`, `starts`, `work`, `others`; see conf/dissect/class_maximisation.yaml. training: where
    the spectrum of the noise is from; the samples where None. others: independently seeded networks of the same run.
    The exhibit's name and seed are left for the caller.
    Raises DoesNotApply for texts, ValueError for an unknown class or a network whose output is not (n, classes).
    """
    if samples.facts.kind == "texts":
        raise DoesNotApply(
            {
                "en": "words can't be changed by small steps; which words speak for a class is in “attribution”",
                "zh": "词不能一点点改变；哪些词支持某一类见“attribution”",
            }
        )
    classes = _classes(samples.facts, config["classes"])
    scenes, training, starts, steps, many = _affordable(network, samples, training or samples, len(classes), config)
    fewer = many < len(classes) and isinstance(config["classes"], int)
    if fewer:
        classes = _classes(samples.facts, many)
    facts, limits = scenes.facts, box(scenes)
    real = _reals(network, scenes, classes, limits)
    random = np.random.default_rng(seed)
    spectrum = Spectrum.fit(windows(training, facts.shape[1:], random))
    asked = torch.tensor(classes)
    made = {}
    for variant, (few, together, moved) in VARIANTS.items():
        generator = torch.Generator().manual_seed(seed)  # the same noise for all: only the priors differ
        found = _climb(
            network,
            asked,
            Limits(
                torch.from_numpy(real.ink if few else np.full(len(classes), np.inf)).float(),
                torch.from_numpy(real.variation if together else np.full(len(classes), np.inf)).float(),
            ),
            limits,
            spectrum,
            facts,
            steps,
            starts,
            generator,
            moved,
        )
        made[variant] = _opinions(network, others, found, classes, real, limits)
    return Exhibit(
        kind="run",
        name="",
        method="class_maximisation",
        seed=0,
        title=TITLE,
        caption=_caption(made, real, scenes, samples, len(others), fewer),
        numbers=_numbers(made, facts, classes, len(others)),
        blocks=_blocks(made, real, facts, classes, limits, len(others)),
        sources=SOURCES,
    )


@dataclass(frozen=True)
class Reals:
    """What real samples of the classes are like, (classes,) each.

    ink, variation: of a typical sample (median). best: the largest logit for the class, NaN without labels; input: the
    sample that has it, None without labels.
    """

    ink: np.ndarray
    variation: np.ndarray
    best: np.ndarray
    inputs: Tensor | None


@dataclass(frozen=True)
class Opinions:
    """The inputs made in one way, (classes, *shape), and what is thought of them, (classes,) each.

    logit, probability: the network's own. named: whether each of the other networks names the class, bool (others,
    classes). others: their mean probability; NaN if there are none. activation, ink, variation: in shares of the best
    real sample's and of a typical one's.
    """

    images: Tensor
    logit: np.ndarray
    probability: np.ndarray
    named: np.ndarray
    others: np.ndarray
    activation: np.ndarray
    ink: np.ndarray
    variation: np.ndarray

    @property
    def agree(self) -> np.ndarray:
        """The share of the other networks that name the class, (classes,); NaN if there are none."""
        return self.named.mean(axis=0) if len(self.named) else np.full(len(self.logit), np.nan)


def _classes(facts: Facts, wanted: int | Sequence[str | int]) -> list[int]:
    """Which classes: those named, or so many, evenly spread where there are more."""
    names = facts.classes
    if isinstance(wanted, int):
        return [int(label) for label in evenly(len(names), wanted)]
    found = []
    for name in wanted:
        if str(name) not in names:
            near = get_close_matches(str(name), names, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names[:20])}."
            raise ValueError(f"classes: {facts.name!r} has no class {str(name)!r}. {hint}")
        found.append(names.index(str(name)))
    return found


def _affordable(
    network: nn.Module, samples: Samples, training: Samples, classes: int, config: Mapping[str, Any]
) -> tuple[Samples, Samples, int, int, int]:
    """Samples, made smaller if need be, starts, steps, and how many classes keep within `work`.

    Raises ValueError for bad outputs.
    """
    x = to_tensor(samples.facts, samples.inputs[:1])
    with torch.no_grad(), frozen(network):
        output = network(x)
    if tuple(output.shape) != (1, len(samples.facts.classes)):
        raise ValueError(
            f"the network gives {tuple(output.shape)} for one sample, not (1, {len(samples.facts.classes)}), a score "
            f"for each class of {samples.facts.name!r}; give a network whose output is (n, classes)"
        )
    starts, steps = config["starts"], config["steps"]
    each = PASSES * len(VARIANTS)
    if each * classes * starts * steps * effort(network, x) > config["work"]:
        starts, steps = 1, max(1, steps // SHORTER)
    chosen = samples, training, starts, steps, classes
    for by in SMALLER if samples.facts.kind == "images" else ():
        smaller = _shrunk(samples, by)
        try:
            work = each * starts * steps * effort(network, to_tensor(smaller.facts, smaller.inputs[:1]))
        except Exception:  # of whatever kind: the network takes one size only
            break
        many = affordable(config["work"], work, min(FEWEST, classes), classes)
        chosen = smaller, _shrunk(training, by), starts, steps, many
        if many * work <= config["work"]:
            break
    return chosen


def _shrunk(samples: Samples, by: int) -> Samples:
    """Images a whole number smaller, each pixel the mean of those that it stands for."""
    if by == 1:
        return samples
    facts = samples.facts
    rows, columns = (length // by for length in facts.shape[1:])
    some = samples.inputs[spread(samples)][:, :, : rows * by, : columns * by]
    inputs = np.rint(some.reshape(len(some), -1, rows, by, columns, by).mean((3, 5))).astype(samples.inputs.dtype)
    shape = (facts.shape[0], rows, columns)
    return replace(samples, facts=replace(facts, shape=shape), inputs=inputs, labels=samples.labels[spread(samples)])


def _reals(network: nn.Module, samples: Samples, classes: Sequence[int], limits: Box) -> Reals:
    """Typical ink and total variation, and the best logit, of the samples of each class; of all where it has none."""
    inks, variations = measured(samples.facts, samples.inputs, limits)
    best = np.full(len(classes), np.nan)
    chosen = np.zeros(len(classes), int)
    mine = [np.flatnonzero(samples.labels == label) for label in classes]
    if all(len(places) for places in mine):
        with torch.no_grad(), frozen(network):
            step = batch_size(samples.facts.shape)
            for row, (label, places) in enumerate(zip(classes, mine, strict=True)):
                parts = [places[at : at + step] for at in range(0, len(places), step)]
                logits = [
                    network(laid_out(network, to_tensor(samples.facts, samples.inputs[part])))[:, label]
                    for part in parts
                ]
                of_class = torch.cat(logits).double().numpy()
                best[row], chosen[row] = of_class.max(), places[of_class.argmax()]
    everything = np.arange(len(samples))
    typical = [places if len(places) else everything for places in mine]
    return Reals(
        ink=np.array([np.median(inks[places]) for places in typical]),
        variation=np.array([np.median(variations[places]) for places in typical]),
        best=best,
        inputs=to_tensor(samples.facts, samples.inputs[chosen]) if np.isfinite(best).all() else None,
    )


def _climb(
    network: nn.Module,
    classes: Tensor,
    most: Limits,
    limits: Box,
    spectrum: Spectrum,
    facts: Facts,
    steps: int,
    starts: int,
    generator: torch.Generator,
    moved: bool,
) -> Tensor:
    """The best inputs of several starts, (classes, *shape)."""
    rows = torch.arange(len(classes)).repeat(starts)
    asked = classes[rows]

    def logit(x: Tensor, warmth: float) -> Tensor:
        return network(laid_out(network, x))[torch.arange(len(x)), asked]

    phases = 2 * math.pi * torch.rand((len(rows), *facts.shape), generator=generator)
    noise = limits.clamp(spectrum.image(phases))
    smooth = spectrum if bool(most.variation.isfinite().all()) else None
    picture = Pixels(noise, limits, Limits(most.ink[rows], most.variation[rows]), smooth)
    about = Jitter(facts, limits, generator) if moved else None
    return best_of(ascend(network, logit, picture, steps, about), starts).images


def _opinions(
    network: nn.Module, others: Sequence[nn.Module], images: Tensor, classes: Sequence[int], real: Reals, limits: Box
) -> Opinions:
    rows = np.arange(len(classes))

    def of(one: nn.Module) -> np.ndarray:
        with torch.no_grad(), frozen(one):
            return one(laid_out(one, images)).double().numpy()

    def likely(logits: np.ndarray) -> np.ndarray:
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return powers[rows, classes] / powers.sum(1)

    own = of(network)
    told = [of(one) for one in others]
    none = np.full(len(classes), np.nan)
    return Opinions(
        images=images,
        logit=own[rows, classes],
        probability=likely(own),
        named=np.array([logits.argmax(1) == classes for logits in told], dtype=bool).reshape(len(told), len(classes)),
        others=np.mean([likely(logits) for logits in told], axis=0) if told else none,
        activation=np.where(real.best > 0, own[rows, classes] / real.best, np.nan),
        ink=ink(images, limits).double().numpy() / np.maximum(real.ink, 1e-9),
        variation=total_variation(images, limits).double().numpy() / np.maximum(real.variation, 1e-9),
    )


def _numbers(made: Mapping[str, Opinions], facts: Facts, classes: Sequence[int], others: int) -> list[Number]:
    numbers: list[Number] = []
    both, none = made["both"], made["none"]
    if np.isfinite(both.activation).all():
        numbers.append(Number("least_activation", significant(float(both.activation.min())), n=len(classes)))
    numbers.append(Number("most_ink", significant(float(both.ink.max())), n=len(classes)))
    numbers.append(Number("most_variation", significant(float(both.variation.max())), n=len(classes)))
    if others:
        for metric, of in (("agree_without_priors", none), ("agree_with_both", both), ("agree_moved", made["moved"])):
            numbers.append(crossed_share(metric, of.named))
    for variant, of in made.items():
        subject = f"variant={variant}"
        numbers.append(
            Number("probability", significant(float(of.probability.mean())), unit="fraction", subject=subject)
        )
        if others:
            numbers.append(crossed_share("agree", of.named, subject))
            mean = significant(float(of.others.mean()))
            numbers.append(Number("others_probability", mean, unit="fraction", n=others, subject=subject))
        for row, label in enumerate(classes):
            each = f"class={class_name(facts, label)};{subject}"
            values = {"logit": of.logit, "activation": of.activation, "ink": of.ink, "variation": of.variation}
            numbers += [
                Number(metric, significant(float(value[row])), subject=each)
                for metric, value in values.items()
                if np.isfinite(value[row])
            ]
            shares = {"probability": of.probability, "agree": of.agree, "others_probability": of.others}
            numbers += [
                Number(metric, significant(float(value[row])), unit="fraction", subject=each)
                for metric, value in shares.items()
                if np.isfinite(value[row])
            ]
    return numbers


def _blocks(
    made: Mapping[str, Opinions], real: Reals, facts: Facts, classes: Sequence[int], limits: Box, others: int
) -> list[Block]:
    import pandas as pd

    items = []
    for variant, of in made.items():
        for row, label in enumerate(classes):
            values = {"own probability": of.probability[row], "logit": of.logit[row]}
            values |= {"of the best real logit": of.activation[row], "agree": of.agree[row]}
            values |= {"others’ probability": of.others[row]}
            values |= {"ink of a typical sample": of.ink[row], "variation of a typical sample": of.variation[row]}
            state: State = "" if not others else "right" if of.agree[row] > 0.5 else "wrong"
            items.append(
                Item(
                    id=f"{variant}/{class_name(facts, label)}",
                    pixels=drawn(of.images[row], facts, limits),
                    label=class_name(facts, label),
                    state=state,
                    values={key: significant(float(value)) for key, value in values.items() if np.isfinite(value)},
                    group=NAMES[variant],
                )
            )
    if real.inputs is not None:
        items += [
            Item(
                id=f"real/{class_name(facts, label)}",
                pixels=drawn(real.inputs[row], facts, limits),
                label=class_name(facts, label),
                values={"logit": significant(float(real.best[row]))},
                group="the real sample of the largest logit",
            )
            for row, label in enumerate(classes)
        ]
    table: dict[str, list[Any]] = {"prior": [NAMES[variant] for variant in made]}
    columns = {
        "own probability": lambda of: of.probability.mean(),
        "others that agree": lambda of: of.agree.mean(),
        "others’ probability": lambda of: of.others.mean(),
        "least logit / best real": lambda of: of.activation.min(),
        "most ink / typical": lambda of: of.ink.max(),
        "most variation / typical": lambda of: of.variation.max(),
    }
    for name, value in columns.items():
        found = [float(value(of)) for of in made.values()]
        if np.isfinite(found).all():
            table[name] = [significant(number) for number in found]
    read = f"Signs say whether more than half of {others} other networks agree. " if others else ""
    return [
        Grid(
            "classes",
            items,
            columns=min(10, len(classes)) if items[0].pixels.shape[1] <= 64 else None,
            title={"en": "Each class, with and without priors", "zh": "各类别，有无先验"},
            caption={
                "en": f"{read}All start from the same noise, and all that differs is what the input may be like.",
                "zh": "所有输入都从同样的噪声出发，不同的只是允许它们是什么样。",
            },
        ),
        Table(
            "priors",
            pd.DataFrame(table),
            title={"en": "What the priors change", "zh": "先验改变了什么"},
            caption={
                "en": "Means over the classes; of logit, ink and total variation the class that does worst.",
                "zh": "对各类别取平均；logit、墨量与总变差取最差的类别。",
            },
        ),
    ]


def priors(without: np.ndarray, both: np.ndarray) -> dict[str, str]:
    """What the priors do to the other networks' agreement, (classes,) each: said only where it is more than chance."""
    gain = both - without
    if len(gain) >= ENOUGH and no_more_than_zero(gain) < BY_CHANCE / 2:
        return {"en": "The priors help: more of them see the class.", "zh": "先验有帮助：更多网络看出该类。"}
    if len(gain) >= ENOUGH and no_more_than_zero(-gain) < BY_CHANCE / 2:
        return {"en": "The priors harm: fewer of them see the class.", "zh": "先验有害：更少网络看出该类。"}
    return {
        "en": f"Over {len(gain)} classes that is no more than chance makes: whether the priors help is not decided.",
        "zh": f"在 {len(gain)} 个类别上，这样的差别可能出于偶然：先验是否有帮助，尚无定论。",
    }


def _caption(
    made: Mapping[str, Opinions], real: Reals, scenes: Samples, samples: Samples, others: int, fewer: bool
) -> Text:
    sure = f"{100 * made['none'].probability.mean():.0f} %"
    en = [
        f"An input made for a class without priors is read as that class with a mean probability of {sure}, whatever "
        "it looks like. Two priors of the lecture are tried: few inked pixels (L1), and ink that hangs together (total "
        "variation). Instead of a guessed weight each has a limit: no more ink and no more variation than a typical "
        "sample of the class."
    ]
    zh = [
        f"没有先验时，为某类造出的输入不管看起来像什么，都以平均 {sure} 的概率被读作该类。"
        "这里试用讲义中的两个先验：墨少（L1）、墨相连（总变差）。"
        "不猜惩罚权重，而是设上限：墨量与总变差都不超过该类的典型样本。"
    ]
    if samples.facts.kind == "signals":
        en.append(INK["en"])
        zh.append(INK["zh"])
    if np.isfinite(made["both"].activation).all():
        least = made["both"].activation.min()
        en.append(f"Even so each class reaches at least {least:.2f} of the logit of its best real sample.")
        zh.append(f"即便如此，每个类别的 logit 至少达到最佳真实样本的 {least:.2f} 倍。")
    if others:
        verdict = priors(made["none"].agree, made["both"].agree)
        none, both, moved = (100 * made[variant].agree.mean() for variant in ("none", "both", "moved"))
        en.append(
            f"Of the {others} networks trained from other seeds {none:.0f} % agree without priors, {both:.0f} % with "
            f"both, and {moved:.0f} % if the input is also moved about while it is made. {verdict['en']}"
        )
        zh.append(
            f"另外 {others} 个由其他种子训练的网络中，无先验时 {none:.0f} % 同意，有两个先验时 {both:.0f} %，"
            f"再加上随机移动时 {moved:.0f} %。{verdict['zh']}"
        )
    else:
        en.append(
            "There is no other network of this kind to ask, so that nothing is said of whether another would agree."
        )
        zh.append("没有同类的其他网络可问，因此不知道别的网络是否同意。")
    if fewer:
        en.append(f"To save work {len(made['both'].images)} classes are looked at.")
        zh.append(f"为节省计算，只看 {len(made['both'].images)} 个类别。")
    if scenes is not samples:
        size = " × ".join(map(str, scenes.facts.shape[1:]))
        en.append(f"To save work the inputs are {size}, smaller than what the network was trained on.")
        zh.append(f"为节省计算，输入为 {size}，小于训练所用。")
    return {"en": " ".join(en), "zh": "".join(zh)}
