"""The data themselves (M2b): the one exhibit that needs no network, and no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnatomy.data.left_out import said
from cnnatomy.data.prepared import PADDING, UNKNOWN, Dataset, Facts, Samples
from cnnatomy.dissect.given import rules, signals, voices
from cnnatomy.drawing.plotting import SERIES, draw
from cnnatomy.drawing.showing import Shown, Sound, class_name, of_characters, picture, show, spaced
from cnnatomy.exhibit import Block, Exhibit, Figure, Grid, Item, Number, Table, Text
from cnnatomy.probing.choosing import evenly
from cnnatomy.statistics.intervals import share

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

NAMED_CLASSES = 40  # classes up to which they are counted one by one
NAMED_LEFT_OUT = 2  # examples of what is left out, of each reason


def samples(data: Dataset, config: Mapping[str, Any], sound: Sound | None = None) -> Exhibit:
    """Show what the network is given: some samples, how many there are of each class and split, and how hard they are.

    config: `first`, `columns`, `voices`, `sentences`, `signals`; see conf/dissect/samples.yaml. sound: gives a clip's
    wav bytes by the name of its file.

    How hard: the accuracy on the test split of several rules that need no network, and, where voices are named, how far
    those of the test are from those in training. The exhibit's name and seed are left for the caller.
    """
    facts = data.facts
    splits = {name: data.split(name) for name in facts.splits}
    first = next(iter(splits.values()))
    labelled = {name: split for name, split in splits.items() if (split.labels >= 0).any()}
    numbers = [Number("samples", len(split), subject=f"split={name}") for name, split in splits.items()]
    numbers += [Number("left_out", one.n, subject=f"why={one.why}") for one in facts.left_out]
    blocks: list[Block] = []
    reached: list[rules.Rule] = []
    if facts.kind == "images":
        blocks.append(_images(first, config))
        ends = zip(("black_level", "white_level"), facts.scale or (), strict=False)
        numbers += [Number(metric, level) for metric, level in ends]
    elif facts.kind == "sounds":
        found = voices.newness(splits)
        blocks += _sounds(splits, config, sound, found)
        numbers += [*_sexes(splits), *voices.numbers(found)]
    elif facts.kind == "signals":
        blocks += [signals.first_of_each(first, config["signals"]), signals.channels(facts)]
        numbers += signals.numbers(facts, splits)
    else:
        blocks += _sentences(first, config)
        numbers += _lengths(splits)
    if labelled and len(facts.classes) <= NAMED_CLASSES:
        for name, split in labelled.items():
            counts = np.bincount(split.labels[split.labels >= 0], minlength=len(facts.classes))
            numbers += [
                Number("samples", int(count), subject=f"split={name};class={title}")
                for title, count in zip(facts.classes, counts, strict=True)
            ]
        blocks.append(_counts(labelled, facts))
    if "train" in labelled and len(facts.classes) <= NAMED_CLASSES:
        if facts.kind == "texts":
            model = rules.word_scores(labelled["train"])
            blocks.append(_telling_words(model, facts))
        else:
            model = rules.means(labelled["train"])
            blocks.append(signals.means(model, facts) if facts.kind == "signals" else _mean_pictures(model, facts))
        if "test" in labelled:
            reached = rules.rules(labelled["train"], labelled["test"], model)
            numbers += [rule.accuracy for rule in reached]
            blocks.append(_rules(reached))
    return Exhibit(
        kind="run",
        name="",
        method="samples",
        seed=0,
        title={"en": "The data", "zh": "数据"},
        caption=_caption(splits, reached, facts),
        numbers=numbers,
        blocks=blocks,
        sources=[facts.citation] if facts.citation else [],
    )


def _caption(splits: Mapping[str, Samples], reached: list[rules.Rule], facts: Facts) -> Text:
    kinds = {
        "images": ("images", "图像"),
        "sounds": ("clips", "录音"),
        "texts": ("sentences", "句子"),
        "signals": ("signals", "信号"),
    }[facts.kind]
    parts = ", ".join(f"{len(split):,} {name}" for name, split in splits.items())
    licence = facts.licence.rstrip(".")
    known = licence.lower() not in ("", "unknown")  # a user's own data need none
    en = [f"{sum(map(len, splits.values())):,} {kinds[0]} ({parts}){f', licence: {licence}' if known else ''}."]
    zh = [f"共 {sum(map(len, splits.values())):,} 个{kinds[1]}（{parts}）{f'，许可：{licence}' if known else ''}。"]
    if facts.left_out:
        en.append(f"Left out: {said(facts.left_out, 'en', NAMED_LEFT_OUT)}.")
        zh.append(f"未采用：{said(facts.left_out, 'zh', NAMED_LEFT_OUT)}。")
    if facts.kind == "texts" and not spaced(facts):
        en.append(of_characters(facts)["en"].strip())
        zh.append(of_characters(facts)["zh"])
    if "fitting_frames" in facts.counts:
        sound, window = facts.counts["sound_ms"] / 1000, facts.counts["window_ms"] / 1000
        en.append(
            f"Half of the clips hold no more than {sound:.2g} s of sound, and the window is {window:.2g} s: with "
            f"data.prepare.spectrogram.frames={facts.counts['fitting_frames']} nine of ten would fit whole."
        )
        zh.append(
            f"半数录音的有声部分不超过 {sound:.2g} 秒，而窗口为 {window:.2g} 秒：取 "
            f"data.prepare.spectrogram.frames={facts.counts['fitting_frames']}，十分之九的录音能完整放入。"
        )
    if reached:
        best = reached[0].accuracy
        name = rules.NAMES[best.metric]
        low, high = 100 * (best.ci_low or 0), 100 * (best.ci_high or 0)
        en.append(
            f"The best of {len(reached)} rules without a network, {name['en']}, reads {100 * best.value:.1f} % of the "
            f"test split (95 % interval {low:.1f} to {high:.1f}): what a network reaches should be read against that."
        )
        zh.append(
            f"不用网络的 {len(reached)} 种规则中，最好的是{name['zh']}，测试集正确率 {100 * best.value:.1f} %"
            f"（95 % 区间 {low:.1f}–{high:.1f}）：网络的成绩应与此相比。"
        )
    return {"en": " ".join(en), "zh": "".join(zh)}


def _rules(reached: list[rules.Rule]) -> Table:
    import pandas as pd

    table = pd.DataFrame(
        [
            {
                "rule": rules.NAMES[rule.accuracy.metric]["en"],
                "accuracy": round(rule.accuracy.value, 4),
                "accuracy 95 %": f"{rule.accuracy.ci_low:.3f}–{rule.accuracy.ci_high:.3f}",
                "training samples": rule.training_samples,
            }
            for rule in reached
        ]
    )
    return Table(
        "rules",
        table,
        title={"en": "Without a network", "zh": "不用网络"},
        caption={
            "en": (
                "Rules of a few lines, on the test split. A task that one of them solves needs no network. Where all "
                "training samples would take a rule too long, it got some, evenly spread: the last column."
            ),
            "zh": (
                "几行代码就能写出的规则在测试集上的成绩。若其中一种已能解决，这个任务就不需要网络。训练样本太多、耗时过长时，"
                "规则只用均匀抽取的一部分，见最后一列。"
            ),
        },
    )


def _images(first: Samples, config: Mapping[str, Any]) -> Block:
    chosen = [Shown(place, label=_label(first, place)) for place in range(min(config["first"], len(first)))]
    size = " × ".join(map(str, first.facts.shape[1:]))
    scaled = {"en": "", "zh": ""}
    if first.facts.scale:
        low, high = (f"{value:g}".replace("-", "−") for value in first.facts.scale)
        scaled = {
            "en": f" Of the values in the files {low} is black and {high} white, in all images.",
            "zh": f"文件中的值：全部图像中 {low} 为黑，{high} 为白。",
        }
    return show(
        "first",
        first,
        chosen,
        columns=config["columns"] if len(chosen) > config["columns"] else None,
        title={"en": f"The first {len(chosen)}", "zh": f"前 {len(chosen)} 个"},
        caption={
            "en": f"From the split “{first.split}”, in its order, {size} pixels.{scaled['en']}",
            "zh": f"取自“{first.split}”，按原顺序，{size} 像素。{scaled['zh']}",
        },
    )


def _sounds(
    splits: Mapping[str, Samples], config: Mapping[str, Any], sound: Sound | None, found: list[voices.Newness]
) -> list[Block]:
    """All words by one voice of each sex, one word by many voices, and who speaks in which split."""
    first = next(iter(splits.values()))
    table = first.table
    if "voice" not in table or "sex" not in table:
        chosen = [Shown(place, label=_label(first, place)) for place in range(min(config["voices"], len(first)))]
        return [
            show(
                "clips",
                first,
                chosen,
                sound,
                title={"en": f"The first {len(chosen)} clips", "zh": f"前 {len(chosen)} 段录音"},
            )
        ]
    chosen = []
    for sex, clips in table.groupby("sex", sort=True):
        voice = clips["voice"].iloc[0]
        words = clips[clips["voice"] == voice].drop_duplicates("label").sort_values("label")
        chosen += [Shown(place, label=_label(first, place), group=f"{sex}, {voice}") for place in words.index.tolist()]
    low, high = first.facts.axes[0].values[0], first.facts.axes[0].values[-1]
    length = first.facts.axes[1].values[-1]
    blocks: list[Block] = [
        show(
            "words",
            first,
            chosen,
            sound,
            title={"en": "Every word, by one voice of each sex", "zh": "每个词，男女声各一"},
            caption={
                "en": (
                    f"Time runs to the right over {length:.2f} s, frequency upward from {low:.0f} to {high:.0f} Hz "
                    "in mel bands; each picture shows the 60 dB "
                    "below its loudest point. Bright bars are the resonances of the mouth: they tell the vowels "
                    "apart, and a smaller mouth "
                    "sounds them higher."
                ),
                "zh": (
                    f"横轴为时间（{length:.2f} 秒），纵轴为频率（{low:.0f}–{high:.0f} Hz，mel 频带，向上升高）；"
                    "每幅显示最响处以下 60 dB。亮条是口腔共振（共振峰）：它们区分元音，口腔越小位置越高。"
                ),
            },
        )  # fmt: skip
    ]
    heard = {one.index for one in chosen}
    blocks += _one_word(first, heard, config["voices"], sound)
    return [*blocks, _voices(splits, found)]


def _label(split: Samples, place: int) -> str:
    """What a sample is called: its class, or its id where it has none."""
    label = int(split.labels[place])
    return class_name(split.facts, label) if label >= 0 else str(split.table["id"][place])


def _one_word(split: Samples, heard: set[int], voices: int, sound: Sound | None) -> Iterator[Block]:
    """One word, by as many voices as there are and are asked for."""
    classes = split.facts.classes
    word = next((index for index, name in enumerate(classes) if name.lower() in ("6", "six")), 0)
    of_word = split.table[split.table["label"] == word]
    each = of_word[~of_word.index.isin(heard)].drop_duplicates("voice").sort_values(["sex", "voice"], kind="stable")
    if len(each) < 2:
        return
    each = each.iloc[evenly(len(each), voices)]
    yield show(
        "voices",
        split,
        [
            Shown(place, label=voice, group=sex)
            for place, voice, sex in zip(each.index.tolist(), each["voice"], each["sex"], strict=True)
        ],
        sound,
        title={"en": f"“{classes[word]}”, by {len(each)} voices", "zh": f"“{classes[word]}”，{len(each)} 种声音"},
        caption={
            "en": (
                "The same word by different voices: the pattern stays and sits higher or lower. A filter that moves "
                "along frequency can follow it."
            ),
            "zh": "同一个词、不同的声音：图案不变，只是位置高低不同。沿频率移动的卷积核可以跟上它。",
        },
    )


def _voices(splits: Mapping[str, Samples], found: list[voices.Newness]) -> Table:
    """Who speaks in which split, by sex and accent, and how new the test's voices are."""
    import pandas as pd

    table = pd.concat([split.table for split in splits.values()])
    by = [column for column in ("sex", "accent") if column in table]
    counts = table.groupby([*by, "split"], sort=False).size().unstack("split", fill_value=0)
    counts.insert(0, "voices", table.groupby(by, sort=False)["voice"].nunique())
    everyone = table["voice"].nunique()
    shared = int((table.groupby("voice")["split"].nunique() > 1).sum())
    if shared:
        en = f"{everyone} voices, {shared} of them in more than one split: a high score says little of other voices."
        zh = f"共 {everyone} 种声音，其中 {shared} 种同时出现在多个子集中：高分并不说明对其他声音也好。"
    else:
        en, zh = (
            f"{everyone} voices, none of them in two splits",
            f"共 {everyone} 种声音，没有任何一种同时出现在两个子集中",
        )
        said = _how_new(found)
        en, zh = en + said["en"], zh + said["zh"]
    return Table(
        "voices-and-clips",
        counts.reset_index(),
        title={"en": "Who speaks", "zh": "谁在说话"},
        caption={"en": en, "zh": zh},
    )


def _how_new(found: list[voices.Newness]) -> dict[str, str]:
    """What may be said of the test's voices as they were measured: the rest of a sentence, and the numbers."""
    if not found:
        return {"en": ".", "zh": "。"}
    near = [one for one in found if one.ratio < voices.APART]
    span = f"{found[0].ratio:.2f}–{found[-1].ratio:.2f}"
    en = (
        f" Of the {len(found)} test speakers the nearest training clip of the same word is {span} times as far as the "
        "nearest other take of their own (numbers voice_newness)."
    )
    zh = (
        f"{len(found)} 位测试说话人，与训练集中同一个词最近的录音的距离，"
        f"是与自己另一遍最近录音距离的 {span} 倍（见 voice_newness）。"
    )
    if not near:
        return {
            "en": ": the test asks for voices that were never heard." + en,
            "zh": "：测试用的都是没听过的声音。" + zh,
        }
    if len(near) == len(found):
        return {
            "en": ", but as near to training voices as another take of the same voice." + en,
            "zh": "，但与训练声音的距离，和同一声音的另一遍差不多。" + zh,
        }
    names = ", ".join(one.speaker for one in near)
    return {
        "en": (
            f", but {len(near)} of {len(found)} test speakers as near to training voices as another take of their "
            f"own: {names}."
        )
        + en,
        "zh": f"，但有 {len(near)} 位测试说话人（{names}）与训练声音的距离，和自己的另一遍差不多。" + zh,
    }


def _sexes(splits: Mapping[str, Samples]) -> Iterator[Number]:
    """Clips and voices of each sex in each split."""
    for name, split in splits.items():
        if "voice" in split.table and "sex" in split.table:
            for sex, clips in split.table.groupby("sex"):
                yield Number("samples", len(clips), subject=f"split={name};sex={sex}")
                yield Number("voices", int(clips["voice"].nunique()), subject=f"split={name};sex={sex}")


def _sentences(first: Samples, config: Mapping[str, Any]) -> Iterator[Block]:
    facts = first.facts
    each = -(-config["sentences"] // len(facts.classes))
    chosen = [
        Shown(int(place), label=class_name(facts, label), group=class_name(facts, label))
        for label in range(len(facts.classes))
        for place in np.flatnonzero(first.labels == label)[:each]
    ]
    yield show(
        "first", first, chosen,
        title={"en": f"The first {each} of each class", "zh": f"每类的前 {each} 句"},
        caption={
            "en": (
                f"From the split “{first.split}”, as the network reads them. [In brackets]: words that it doesn't "
                "know."
            ),
            "zh": f"取自“{first.split}”，即网络读到的样子。[方括号]：词表之外的词。",
        },
    )  # fmt: skip
    yield _length_chart(first)


def _length_chart(split: Samples) -> Figure:
    import pandas as pd

    facts = split.facts
    lengths = (np.asarray(split.inputs) != PADDING).sum(axis=1)
    counts = np.array(
        [
            np.bincount(lengths[split.labels == label], minlength=facts.shape[0] + 1)
            for label in range(len(facts.classes))
        ]
    )

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for place, (name, row) in enumerate(zip(facts.classes, counts, strict=True)):
            axes.plot(100 * row / max(1, row.sum()), color=SERIES[place % len(SERIES)], label=name)
        axes.set(xlabel="words in the sentence", ylabel="sentences of the class, %", ylim=(0, None))
        if len(facts.classes) <= len(SERIES):
            axes.legend()

    table = pd.DataFrame(counts.T, columns=facts.classes)
    table.insert(0, "words", np.arange(len(table)))
    return Figure(
        "lengths",
        draw(paint, 560, 240),
        alt={
            "en": (
                "Distribution of the words in a sentence, a line for each class; the median is "
                f"{np.median(lengths):.0f}."
            )
        },
        data=table,
        title={"en": "How long the sentences are", "zh": "句子长度"},
        caption={
            "en": (
                f"Words and marks of a sentence; half of the sentences have at most {np.median(lengths):.0f}. The "
                f"network gets {facts.shape[0]} places: "
                "shorter sentences are padded, longer ones lose their end. If the lines differ, length alone tells "
                "something."
            ),
            "zh": (
                f"每句的词与标点数，中位数为 {np.median(lengths):.0f}。网络有 {facts.shape[0]} 个位置：短句补齐，"
                "长句截断。若各线不同，光看长度就有信息。"
            ),
        },
    )


def _lengths(splits: Mapping[str, Samples]) -> Iterator[Number]:
    facts = next(iter(splits.values())).facts
    yield Number("vocabulary", len(facts.vocabulary or ()))
    for name, split in splits.items():
        tokens = np.asarray(split.inputs)
        words = int((tokens != PADDING).sum())
        yield Number(
            "words_median", float(np.median((tokens != PADDING).sum(axis=1))), n=len(split), subject=f"split={name}"
        )
        yield share("unknown_words", int((tokens == UNKNOWN).sum()), words, subject=f"split={name}")


def _counts(splits: Mapping[str, Samples], facts: Facts) -> Table:
    import pandas as pd

    counts = {
        name: np.bincount(split.labels[split.labels >= 0], minlength=len(facts.classes))
        for name, split in splits.items()
    }
    table = pd.DataFrame({"class": facts.classes} | counts)
    everything = np.sum(list(counts.values()), axis=0)
    rarest, commonest = int(np.argmin(everything)), int(np.argmax(everything))
    if everything[rarest] == everything[commonest]:
        range_ = {"en": f"All classes have {everything[rarest]:,}.", "zh": f"各类都是 {everything[rarest]:,} 个。"}
    else:
        range_ = {
            "en": (
                f"From {everything[rarest]:,} (“{facts.classes[rarest]}”) to {everything[commonest]:,} "
                f"(“{facts.classes[commonest]}”)."
            ),
            "zh": (
                f"从 {everything[rarest]:,}（“{facts.classes[rarest]}”）到 {everything[commonest]:,}（"
                f"“{facts.classes[commonest]}”）。"
            ),
        }
    return Table(
        "counts",
        table,
        title={"en": "Samples of each class", "zh": "每类样本数"},
        caption={
            "en": (
                f"{range_['en']} Networks learn from “train” only. “validation” is there for choosing by, and accuracy "
                "is measured on “test”."
            ),
            "zh": f"{range_['zh']}网络只从 train 学习；validation 供选择之用，正确率在 test 上测量。",
        },
    )


def _mean_pictures(means: np.ndarray, facts: Facts) -> Grid:
    of_images = facts.kind == "images"
    items = [
        Item(f"mean/{name}", picture(facts, np.rint(mean).astype(np.uint8) if of_images else mean), label=name)
        for name, mean in zip(facts.classes, means, strict=True)
    ]
    return Grid(
        "means",
        items,
        title={"en": "The mean of each class", "zh": "每类的平均"},
        caption={
            "en": (
                "Over the training split. Where a mean is sharp, all samples agree; where it is blurred, they differ "
                "in shape or place."
            ),
            "zh": "对训练集求平均。清晰处说明样本一致，模糊处说明形状或位置不同。",
        },
    )


def _telling_words(scores: np.ndarray, facts: Facts) -> Table:
    """The words that speak most for each class against the other classes."""
    import pandas as pd

    vocabulary = np.array(facts.vocabulary)
    columns = {}
    for name, lead in zip(facts.classes, rules.word_odds(scores), strict=True):
        best = np.argsort(-lead, kind="stable")[:15]
        columns[name] = [f"{vocabulary[token]} (×{np.exp(lead[token]):.0f})" for token in best]
    return Table(
        "telling-words",
        pd.DataFrame(columns),
        title={"en": "The words that tell most", "zh": "最有区分力的词"},
        caption={
            "en": (
                "How many times as common a word is in the training sentences of its class as in those of the "
                "others. Rare words stand out by chance too."
            ),
            "zh": "某词在该类训练句中的频率是其他类的多少倍。罕见词也会碰巧排在前面。",
        },
    )
