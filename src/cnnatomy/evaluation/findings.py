"""The exhibit `evaluation` (M3): how good a network is, for which classes, and what it gets wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnatomy.data.speakers import speakers as speakers_of
from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.drawing.showing import Shown, Sound, class_name, show
from cnnatomy.evaluation import groups as grouped
from cnnatomy.evaluation.learning import numbers_of, verdict
from cnnatomy.evaluation.metrics import confusion, metrics, reliability
from cnnatomy.evaluation.predictions import probabilities_of
from cnnatomy.exhibit import Block, Exhibit, Figure, Matrix, Number, Prose, Table
from cnnatomy.statistics.intervals import clustered, share

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Drawing

    from cnnatomy.data.prepared import Facts, Samples

OVER_SPEAKERS = "test_accuracy_over_speakers"
NAMED_CELLS = 40  # classes up to which a confusion matrix can be read
SOURCES = [
    "Wilson 1927, Probable inference, the law of succession, and statistical inference, JASA 22 (intervals)",
    "Kish 1965, Survey sampling, Wiley (design effect: samples that come in groups)",
    "Korn & Graubard 1998, Confidence intervals for proportions with small expected number of positive counts "
    "estimated from survey data, Survey Methodology 24 (few groups)",
    "Guo et al. 2017, On calibration of modern neural networks, ICML (calibration error)",
]


def evaluation(
    predictions: pd.DataFrame,
    history: pd.DataFrame | None,
    samples: Samples,
    config: Mapping[str, Any],
    sound: Sound | None = None,
    training: Mapping[str, Any] | None = None,
) -> Exhibit:
    """Show accuracy, curves, confusion, scores of each class, calibration, and the misread samples (M3).

    predictions: as `predict` gives them, of the test split and of any others, whose accuracy is then named too.
    history: one row an epoch (epoch, train_loss, train_accuracy, validation_loss, validation_accuracy); None where
        nothing was trained.
    training: its settings, which advice starts from. samples: the test split.
    config: `misread`, how many misread samples to show at most.

    Without labels there is nothing to be right about: the best five classes of each sample are shown instead.
    The exhibit's name and seed are left for the caller to fill in.
    """
    test = predictions[predictions["split"] == samples.split].reset_index(drop=True)
    if list(test["id"]) != list(samples.table["id"]):
        raise ValueError(
            f"the predictions are not those of the {samples.split} split of {samples.facts.name!r}; evaluate again"
        )
    if not (samples.labels >= 0).any():
        return _unlabelled(test, samples, sound)
    facts = samples.facts
    numbers = metrics(predictions, facts.classes)
    voices, speakers = _by_voice(test, samples), _by_speaker(test, samples)
    groups = grouped.by_group(test, samples)
    numbers += _of_speakers(speakers, voices) + grouped.of_groups(groups)
    numbers += [] if history is None else numbers_of(history)
    wrong = _worst_first(test, facts)
    shown = wrong[: config["misread"]]
    blocks: list[Block] = [] if history is None else [_curves(history)]
    if len(facts.classes) <= NAMED_CELLS:
        blocks.append(_confusion(test, facts, shown))
    blocks.append(_misread(test, samples, shown, len(wrong), sound))
    blocks.append(_table(numbers, test, facts))
    if voices is not None and speakers is not None:
        blocks.append(_voices(voices, speakers))
    if groups is not None:
        blocks.append(grouped.table(groups))
    blocks.append(_reliability(test, facts, numbers))
    accuracy = next(number for number in numbers if number.metric == "test_accuracy")
    return Exhibit(
        kind="run",
        name="",
        method="evaluation",
        seed=0,
        title={"en": "How good it is", "zh": "效果如何"},
        caption=_caption(accuracy, numbers, speakers, None if history is None else verdict(numbers, training)),
        numbers=numbers,
        blocks=blocks,
        sources=SOURCES,
    )


def _caption(
    accuracy: Number, numbers: Sequence[Number], speakers: pd.DataFrame | None, said: Mapping[str, str] | None
) -> dict[str, str]:
    right, n = _percent(accuracy.value), accuracy.n
    low, high = _percent(accuracy.ci_low or 0), _percent(accuracy.ci_high or 0)
    most = _percent(next(number.value for number in numbers if number.metric == "majority_accuracy"))
    en = f"The network is right on {right} of the {n:,} test samples, none of which it was trained on. "
    zh = f"网络从未见过的 {n:,} 个测试样本中，它判对了 {right}。"
    if speakers is None:
        en += f"So many samples leave the accuracy on all samples of this kind between {low} and {high} "
        zh += f"由这么多样本推断，同类样本上的正确率在 {low} 到 {high} 之间"
    else:
        who = f"{len(speakers)} speakers" if len(speakers) > 1 else "one speaker"
        en += f"They are clips of {who}: so many leave the accuracy on more clips of the same between {low} and {high} "
        zh += f"这些录音来自 {len(speakers)} 位说话人；同样的说话人的更多录音上，正确率在 {low} 到 {high} 之间"
    en += "(Wilson's 95 % interval). "
    zh += "（Wilson 95 % 区间）。"
    over = next((number for number in numbers if number.metric == OVER_SPEAKERS), None)
    if over is not None:
        low, high = _percent(over.ci_low or 0), _percent(over.ci_high or 0)
        en += f"On clips of other speakers it may lie anywhere between {low} and {high}, counted by speaker. "
        zh += f"换成其他说话人，以说话人为单位计算，则在 {low} 到 {high} 之间。"
    over = next((number for number in numbers if number.metric == grouped.OVER_GROUPS), None)
    if over is not None:
        low, high = _percent(over.ci_low or 0), _percent(over.ci_high or 0)
        en += f"They come in {over.n} groups; on other groups it may lie between {low} and {high}, counted by group. "
        zh += f"它们来自 {over.n} 组；换成其他组，以组为单位计算，则在 {low} 到 {high} 之间。"
    en += (
        "Training again from another seed moves it as well, which one run can't show. Always naming the commonest "
        f"class would give {most}."
    )
    zh += f"换一个随机种子重新训练也会有变化，这一点单次训练看不出来。若总是猜最常见的一类，只有 {most}。"
    if said is not None:
        en, zh = f"{en} {said['en']}", f"{zh}{said['zh']}"
    return {"en": en, "zh": zh}


def _by_voice(test: pd.DataFrame, samples: Samples) -> pd.DataFrame | None:
    """Clips and hits of each voice, the worst first; None for data that don't name voices."""
    table = samples.table
    if "voice" not in table:
        return None
    known = test["label"] >= 0
    by = table.loc[known, [column for column in ("voice", "sex", "accent") if column in table]]
    right = (test["label"] == test["prediction"])[known]
    voices = by.assign(clips=1, right=right.astype(int)).groupby(list(by.columns), sort=False).sum().reset_index()
    return voices.assign(accuracy=voices["right"] / voices["clips"]).sort_values(
        "accuracy", kind="stable", ignore_index=True
    )


def _by_speaker(test: pd.DataFrame, samples: Samples) -> pd.DataFrame | None:
    """Clips and hits of each speaker, who may have several voices; None for data that don't name voices."""
    who = speakers_of(samples.table)
    if who is None:
        return None
    known = (test["label"] >= 0).to_numpy()
    right = (test["label"] == test["prediction"]).to_numpy()[known]
    by = who[known].to_frame("speaker").assign(clips=1, right=right.astype(int))
    return by.groupby("speaker", sort=True).sum().reset_index()


def _of_speakers(speakers: pd.DataFrame | None, voices: pd.DataFrame | None) -> list[Number]:
    """The accuracy over speakers where there are several, then that of each speaker and of each voice."""
    if speakers is None or voices is None:
        return []
    numbers = []
    hits, clips = speakers["right"].to_numpy(), speakers["clips"].to_numpy()
    if len(speakers) > 1:
        low, high = clustered(hits, clips)
        numbers.append(
            Number(OVER_SPEAKERS, float(hits.sum() / clips.sum()), low, high, unit="fraction", n=len(speakers))
        )
    if len(speakers) < len(voices):
        each = zip(speakers["speaker"], hits, clips, strict=True)
        numbers += [share("accuracy", int(hit), int(n), subject=f"speaker={name}") for name, hit, n in each]
    each = zip(voices["voice"], voices["right"], voices["clips"], strict=True)
    return numbers + [share("accuracy", int(hit), int(n), subject=f"voice={name}") for name, hit, n in each]


def _voices(voices: pd.DataFrame, speakers: pd.DataFrame) -> Table:
    numbers = _of_speakers(speakers, voices)
    table = voices.drop(columns="right").assign(accuracy=voices["accuracy"].round(4))
    each = [number for number in numbers if number.subject.startswith("voice=")]
    table["accuracy 95 %"] = [f"{number.ci_low:.3f}–{number.ci_high:.3f}" for number in each]
    en, zh = "The worst first.", "最差的在前。"
    if len(speakers) < len(voices):
        who = ", ".join(f"{row.speaker} {row.right}/{row.clips}" for row in speakers.itertuples())
        en += f" These voices are {len(speakers)} speakers in several accents; clips read rightly: {who}."
        zh += f"这些声音是 {len(speakers)} 位说话人的不同口音；判对的录音：{who}。"
    if numbers[0].metric == OVER_SPEAKERS:
        low, high = _percent(numbers[0].ci_low or 0), _percent(numbers[0].ci_high or 0)
        en += (
            f" Clips of one speaker are alike, so that {numbers[0].n} speakers say less than as many unrelated clips "
            f"as they spoke: counted by speaker, the 95 % interval of the accuracy is {low} to {high} (by the design "
            "effect, with Student's t for so few)."
        )
        zh += (
            f"同一说话人的录音彼此相似，{numbers[0].n} 位说话人所提供的信息少于同样多的独立录音："
            f"以说话人为单位，正确率的 95 % 区间为 {low} 到 {high}（设计效应，t 分布）。"
        )
    return Table("voices", table, title={"en": "Each voice", "zh": "各个声音"}, caption={"en": en, "zh": zh})


def _percent(part: float) -> str:
    return f"{100 * part:.2f} %" if 0.9 < part < 1 else f"{100 * part:.3g} %"


def _worst_first(test: pd.DataFrame, facts: Facts) -> np.ndarray:
    """Places of the misread samples, those first whose true class was given the least probability."""
    labels = test["label"].to_numpy()
    wrong = np.flatnonzero((labels >= 0) & (labels != test["prediction"].to_numpy()))
    of_truth = probabilities_of(test, len(facts.classes))[wrong, labels[wrong]]
    return wrong[np.argsort(of_truth, kind="stable")]


def _curves(history: pd.DataFrame) -> Figure:
    def paint(drawing: Drawing) -> None:
        loss, accuracy = drawing.subplots(1, 2)
        marker = "o" if len(history) <= 15 else None
        for part, colour in (("train", SERIES[1]), ("validation", SERIES[0])):
            label = "training" if part == "train" else part
            loss.plot(history["epoch"], history[f"{part}_loss"], color=colour, marker=marker, label=label)
            accuracy.plot(history["epoch"], 100 * history[f"{part}_accuracy"], color=colour, marker=marker, label=label)
        loss.set(title="Loss", xlabel="epoch")
        accuracy.set(title="Accuracy, %", xlabel="epoch")
        for axes in (loss, accuracy):
            axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
            axes.set_xlim(history["epoch"].iloc[0] - 0.5, history["epoch"].iloc[-1] + 0.5)
        loss.set_ylim(bottom=0)
        accuracy.legend(loc="lower right")

    best = history.iloc[int(history["validation_accuracy"].to_numpy().argmax())]
    return Figure(
        "curves",
        draw(paint, 720, 260),
        alt={
            "en": (
                f"Two line charts over {len(history)} epochs. Training loss falls from "
                f"{history['train_loss'].iloc[0]:.3g} to "
                f"{history['train_loss'].iloc[-1]:.3g}; validation accuracy is best, "
                f"{_percent(best['validation_accuracy'])}, at epoch "
                f"{best['epoch']:.3g}."
            )
        },
        data=history,
        title={"en": "Learning", "zh": "学习过程"},
        caption={
            "en": (
                "Loss and accuracy over the epochs. Training figures are taken while the weights change and on "
                "augmented "
                "samples, so they may lie on the worse side of validation. When validation loss rises while training "
                "loss "
                "falls, the network learns its samples by heart."
            ),
            "zh": (
                "各轮的损失与正确率。训练曲线是在权重变化过程中、用增强过的样本测得的，所以可能比验证曲线差；"
                "若训练损失下降而验证损失上升，就是过拟合。"
            ),
        },
    )


def _confusion(test: pd.DataFrame, facts: Facts, shown: np.ndarray) -> Matrix:
    labels, predictions = test["label"].to_numpy(), test["prediction"].to_numpy()
    counts = confusion(labels, predictions, len(facts.classes))
    items: dict[tuple[int, int], list[str]] = {}
    for place in shown:
        items.setdefault((int(labels[place]), int(predictions[place])), []).append(test["id"][place])
    between = counts - np.diag(np.diagonal(counts))
    row, column = np.unravel_index(int(between.argmax()), between.shape)
    most = {"en": "", "zh": ""}
    if between.any():
        most = {
            "en": (
                f" Most often, {between[row, column]} times, “{facts.classes[row]}” is read as "
                f"“{facts.classes[column]}”."
            ),
            "zh": (
                f"最常见的错误：“{facts.classes[row]}”被读成“{facts.classes[column]}”，共 {between[row, column]} 次。"
            ),
        }
    return Matrix(
        "confusion",
        rows=facts.classes,
        columns=facts.classes,
        values=counts,
        items=items,
        row_title={"en": "true class", "zh": "真实类别"},
        column_title={"en": "read as", "zh": "判为"},
        title={"en": "What is taken for what", "zh": "混淆矩阵"},
        caption={
            "en": (
                "A row for each true class, a column for each answer; the diagonal is right. A cell leads to its "
                "misread samples."
            )
            + most["en"],
            "zh": "每行是真实类别，每列是网络的回答，对角线为正确。点格子可看到被误判的样本。" + most["zh"],
        },
    )


def _misread(test: pd.DataFrame, samples: Samples, shown: np.ndarray, errors: int, sound: Sound | None) -> Block:
    facts = samples.facts
    title = {"en": "Misread samples", "zh": "误判的样本"}
    if errors == 0:
        return Prose({"en": "No test sample was misread.", "zh": "没有误判的测试样本。"}, title=title)
    probabilities = probabilities_of(test, len(facts.classes))
    chosen = []
    for place in shown:
        label, prediction = int(test["label"][place]), int(test["prediction"][place])
        chosen.append(
            Shown(
                index=int(place),
                label=f"{facts.classes[label]} read as {facts.classes[prediction]}",
                state="wrong",
                values={
                    "confidence": float(probabilities[place, prediction]),
                    "for the truth": float(probabilities[place, label]),
                },
            )
        )
    how_many = f"All {errors}" if len(shown) == errors else f"{len(shown)} of {errors}"
    return show(
        "misread",
        samples,
        chosen,
        sound,
        title=title,
        caption={
            "en": (
                f"{how_many}, the worst first: those whose true class was given the least probability. Look for "
                "samples that "
                "you would misread too, and for labels that are wrong: neither is the network's fault."
                + (" [In brackets]: words that the network doesn't know." if facts.kind == "texts" else "")
            ),
            "zh": (
                f"共 {errors} 个，显示 {len(shown)} 个，最离谱的在前（给真实类别的概率最低）。看看哪些连人也会看错，"
                "哪些是标签本身有误。"
            ),
        },
    )


def _table(numbers: Sequence[Number], test: pd.DataFrame, facts: Facts) -> Table:
    import pandas as pd

    found = {(number.subject, number.metric): number for number in numbers}
    rows = []
    for index, name in enumerate(facts.classes):
        row: dict[str, Any] = {"class": name, "samples": int((test["label"] == index).sum())}
        for metric in ("precision", "recall", "f1"):
            number = found.get((f"class={name}", metric))
            row[metric] = None if number is None else round(number.value, 4)
            row[f"{metric} 95 %"] = "" if number is None else f"{number.ci_low:.3f}–{number.ci_high:.3f}"
        rows.append(row)
    return Table(
        "classes",
        pd.DataFrame(rows),
        title={"en": "Each class", "zh": "各类别"},
        caption={
            "en": (
                "Precision: of what was called this class, the share that is. Recall: of what is this class, the "
                "share that was "
                "called so. F1 is their harmonic mean. Classes whose intervals overlap widely have not been shown to "
                "differ."
            ),
            "zh": (
                "精确率：判为此类的样本中确属此类的比例。召回率：此类样本中被判对的比例。F1 是二者的调和平均。"
                "区间大幅重叠的类别之间，不能说有差别。"
            ),
        },
    )


def _reliability(test: pd.DataFrame, facts: Facts, numbers: Sequence[Number]) -> Figure:
    known = test[test["label"] >= 0]
    confidence = probabilities_of(known, len(facts.classes)).max(axis=1)
    table = reliability(confidence, (known["label"] == known["prediction"]).to_numpy())

    error = next(number.value for number in numbers if number.metric == "calibration_error")
    chance = next(number for number in numbers if number.metric == "calibration_error_by_chance")
    span = f"{100 * (chance.ci_low or 0):.2f}–{100 * (chance.ci_high or 0):.2f} %"

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1, linestyle="--")
        below, above = table["accuracy"] - table["ci_low"], table["ci_high"] - table["accuracy"]
        axes.errorbar(
            100 * table["confidence"], 100 * table["accuracy"], yerr=np.maximum(0, 100 * np.array([below, above])),
            fmt="o", color=SERIES[0], elinewidth=1.2,
        )  # fmt: skip
        axes.set(xlabel="confidence, %", ylabel="accuracy, %", xlim=(0, 102), ylim=(0, 102))

    return Figure(
        "reliability",
        draw(paint, 360, 300),
        alt={
            "en": (
                "Accuracy against confidence, a point for each fifteenth of confidence, with the line where both are "
                "equal."
            )
        },
        data=table,
        title={"en": "Does it know when it is wrong?", "zh": "它知道自己错了吗？"},
        caption={
            "en": (
                "Each point: the samples that were named with about this confidence, and the share of them that is "
                "right. Below "
                "the dashed line the network is too sure of itself. Bars are 95 % intervals; the few samples of low "
                "confidence "
                f"make long ones. On average the two lie {100 * error:.2f} points apart (expected calibration "
                "error); a perfectly "
                f"calibrated network would show {span} by chance alone."
            ),
            "zh": (
                "每个点是一组置信度相近的样本及其正确率。低于虚线说明网络过于自信。竖线为 95 % 区间。"
                f"两者平均相差 {100 * error:.2f} 个百分点（期望校准误差）；即使完全校准，随机波动也会有 {span}。"
            ),
        },
    )


def _unlabelled(test: pd.DataFrame, samples: Samples, sound: Sound | None) -> Exhibit:
    """What the network says of samples of which nobody said what they are."""
    import pandas as pd

    facts = samples.facts
    probabilities = probabilities_of(test, len(facts.classes))
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :5]
    numbers, rows, chosen = [], [], []
    for place, name in enumerate(test["id"]):
        for rank, index in enumerate(best[place], 1):
            value = float(probabilities[place, index])
            rows.append({"sample": name, "rank": rank, "class": facts.classes[index], "probability": value})
            subject = f"sample={name};rank={rank};class={facts.classes[index]}"
            numbers.append(Number("probability", value, unit="fraction", subject=subject))
        label = f"{class_name(facts, int(best[place, 0]))}, {_percent(float(probabilities[place, best[place, 0]]))}"
        chosen.append(Shown(place, label=label))
    return Exhibit(
        kind="run",
        name="",
        method="evaluation",
        seed=0,
        title={"en": "What it says of each sample", "zh": "它怎么说"},
        caption={
            "en": (
                f"The five most probable of {len(facts.classes):,} classes. Nobody has labelled these samples, so "
                "there is no accuracy: judge for "
                "yourself. The probabilities add up to 1 over the known classes, so that something must be named "
                "even where "
                "nothing fits; a low first place says that nothing does."
            ),
            "zh": (
                f"{len(facts.classes):,} 个类别中概率最高的五个。这些样本没有标签，因此没有正确率，请自行判断。"
                "概率之和恒为 1，所以即使没有合适的类别也必须说一个。"
            ),
        },
        numbers=numbers,
        blocks=[
            show("samples", samples, chosen, sound, title={"en": "The samples", "zh": "样本"}),
            Table("best", pd.DataFrame(rows), title={"en": "Best five", "zh": "前五名"}),
        ],
        sources=[],
    )
