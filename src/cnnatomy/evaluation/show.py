"""How good a network is, as charts and tables. What is said of it: `locale/<language>/evaluation.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cnnatomy.drawing.plotting import MUTED, SERIES, Drawing, draw
from cnnatomy.drawing.showing import Shown, Sound
from cnnatomy.drawing.showing import show as show_samples
from cnnatomy.evaluation.groups import OVER_GROUPS, OVER_SPEAKERS
from cnnatomy.evaluation.learning import verdict
from cnnatomy.evaluation.measure import Evaluation, Unlabelled, numbers
from cnnatomy.evaluation.settings import Settings
from cnnatomy.exhibit import Block, Figure, Matrix, Number, Prose, Say, Showing, Table, Text, say
from cnnatomy.exhibit.worded import figure, headed
from cnnatomy.statistics.numbers import Numbers

if TYPE_CHECKING:
    from cnnatomy.data.prepared import Samples

NAMED_CELLS = 40  # classes up to which a confusion matrix can be read
MARKED = 15  # epochs up to which each has a dot on its curve
SOURCES = ["@wilson1927", "@kish1965", "@korn1998", "@guo2017"]


def show(
    found: Evaluation | Unlabelled,
    samples: Samples,
    settings: Settings,
    *,
    sound: Sound | None = None,
    training: Mapping[str, Any] | None = None,
) -> Showing:
    """Accuracy, curves, confusion, scores of each class, calibration, and the misread samples.

    Without labels the best classes of each sample. samples: the test split. settings: `misread`, how many misread
    samples to show at most. training: its settings, which advice starts from.
    """
    if isinstance(found, Unlabelled):
        return _unlabelled(found, samples, sound)
    rows = numbers(found)
    shown = found.misread[: settings.misread]
    blocks: list[Block] = (
        [] if found.history is None else [_curves(found.history, bool((training or {}).get("augment")))]
    )
    if len(found.classes) <= NAMED_CELLS:
        blocks.append(_confusion(found, samples, shown))
    blocks += [_misread(found, samples, shown, sound), _classes(found, rows)]
    if found.voices is not None and found.speakers is not None:
        blocks.append(_voices(found.voices, found.speakers, rows))
    if found.groups is not None:
        blocks.append(_groups(found.groups, rows))
    blocks.append(_reliability(found, rows))
    trained_here = training is not None and not training.get("weights")
    advice = None if found.history is None else verdict(rows, training)
    return Showing(rows, blocks, [*_caption(found, rows, trained_here), advice], SOURCES)


def _caption(found: Evaluation, rows: Numbers, trained_here: bool) -> list[Say]:
    accuracy = rows.row("test_accuracy")
    unseen = "right" if trained_here else "right_of_given"  # what given weights have seen nobody here knows
    caption = [say(f"evaluation.caption.{unseen}", right=_percent(accuracy.value), n=accuracy.n)]
    if found.speakers is None:
        caption.append(say("evaluation.caption.between", **_between(accuracy)))
    elif len(found.speakers) == 1:
        caption.append(say("evaluation.caption.one_speaker", **_between(accuracy)))
    else:
        caption.append(say("evaluation.caption.speakers", n=len(found.speakers), **_between(accuracy)))
    if rows.says(OVER_SPEAKERS):
        caption.append(say("evaluation.caption.over_speakers", **_between(rows.row(OVER_SPEAKERS))))
    if rows.says(OVER_GROUPS):
        over = rows.row(OVER_GROUPS)
        caption.append(say("evaluation.caption.over_groups", n=over.n, **_between(over)))
    return [*caption, say("evaluation.caption.seeds", most=_percent(rows.value("majority_accuracy")))]


def _between(number: Number) -> dict[str, Say]:
    """The ends of its interval, as a sentence says them."""
    low, high = _ends(number)
    return {"low": _percent(low), "high": _percent(high)}


def _ends(number: Number) -> tuple[float, float]:
    assert number.ci_low is not None and number.ci_high is not None
    return number.ci_low, number.ci_high


def _percent(part: float) -> Say:
    """Two decimals where the errors are few, four where they would hide them all, else three digits."""
    if round(part, 4) == 1 > part:
        return say("evaluation.share.nearest", share=part)
    if 0.9 < part < 1:
        return say("evaluation.share.near_one", share=part)
    return say("evaluation.share.other", percent=100 * part)


def _curves(history: pd.DataFrame, augmented: bool) -> Figure:
    alone = bool(history["validation_loss"].isna().all())  # no samples were kept apart
    parts = [("train", SERIES[1]), *([] if alone else [("validation", SERIES[0])])]

    def paint(drawing: Drawing) -> None:
        loss, accuracy = drawing.subplots(1, 2)
        marker = "o" if len(history) <= MARKED else None
        for part, colour in parts:
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

    reading = "alone" if alone else "augmented" if augmented else "plain"
    title, caption = say("evaluation.curves.title"), say(f"evaluation.curves.{reading}")
    return Figure("curves", draw(paint, 720, 260), _of_curves(history), data=history, title=title, caption=caption)


def _of_curves(history: pd.DataFrame) -> Text:
    first, last = history["train_loss"].iloc[0], history["train_loss"].iloc[-1]
    course = {"n": len(history), "first": first, "last": last}
    if history["validation_accuracy"].isna().any():
        return say("evaluation.curves.unvalidated", **course)
    best = history.iloc[int(history["validation_accuracy"].to_numpy().argmax())]
    course |= {"best": _percent(best["validation_accuracy"]), "epoch": int(best["epoch"])}
    return say(f"evaluation.curves.{'falls' if last < first else 'goes'}", **course)


def _confusion(found: Evaluation, samples: Samples, shown: np.ndarray) -> Matrix:
    classes, counts = found.classes, found.counts
    items: dict[tuple[int, int], list[str]] = {}
    for place in shown:
        cell = int(found.labels[place]), int(found.answers[place])
        items.setdefault(cell, []).append(samples.table["id"][place])
    between = counts - np.diag(np.diagonal(counts))
    row, column = np.unravel_index(int(between.argmax()), between.shape)
    alone = (between == between.max()).sum() == 1
    most = {"truth": classes[row], "read": classes[column], "n": between[row, column]}
    return Matrix(
        "confusion",
        rows=classes,
        columns=classes,
        values=counts,
        items=items,
        row_title=say("evaluation.confusion.truth"),
        column_title=say("evaluation.confusion.read"),
        title=say("evaluation.confusion.title"),
        caption=[
            say("evaluation.confusion.caption"),
            say("evaluation.confusion.most", **most) if between.any() and alone else None,
        ],
    )


def _misread(found: Evaluation, samples: Samples, shown: np.ndarray, sound: Sound | None) -> Block:
    title, errors = say("evaluation.misread.title"), len(found.misread)
    if errors == 0:
        return Prose(say("evaluation.misread.none"), title=title)
    chosen = []
    for place in shown:
        label, answer = int(found.labels[place]), int(found.answers[place])
        given = found.probabilities[place]
        chosen.append(
            Shown(
                index=int(place),
                label=say("evaluation.misread.label", truth=found.classes[label], read=found.classes[answer]),
                state="wrong",
                values={"confidence": float(given[answer]), "for the truth": float(given[label])},
            )
        )
    every = len(shown) == errors
    caption = [
        say("evaluation.misread.all", n=errors)
        if every
        else say("evaluation.misread.some", n=errors, shown=len(shown)),
        say("evaluation.misread.unknown") if samples.facts.kind == "texts" else None,
    ]
    return show_samples("misread", samples, chosen, (title, caption), sound)


def _classes(found: Evaluation, rows: Numbers) -> Table:
    table = []
    by_subject = {(row.subject, row.metric): row for row in rows}
    for index, name in enumerate(found.classes):
        line: dict[str, Any] = {"class": name, "samples": int((found.labels == index).sum())}
        for metric in ("precision", "recall", "f1"):
            number = by_subject.get((f"class={name}", metric))
            line[metric] = None if number is None else round(number.value, 4)
            line[f"{metric} 95 %"] = "" if number is None else _interval(number)
        table.append(line)
    return Table("classes", pd.DataFrame(table), *headed("evaluation.classes"))


def _voices(voices: pd.DataFrame, speakers: pd.DataFrame, rows: Numbers) -> Table:
    right = [f"{row.speaker} {row.right}/{row.clips}" for row in speakers.itertuples()]
    caption = [say("evaluation.voices.order")]
    if rows.says(OVER_SPEAKERS):
        caption.append(say("evaluation.voices.over", n=len(right), **_between(rows.row(OVER_SPEAKERS))))
    if len(right) < len(voices):
        caption.append(say("evaluation.voices.speakers", n=len(right), right=right))
    return Table("voices", _rated(voices, "voice", rows), title=say("evaluation.voices.title"), caption=caption)


def _groups(groups: pd.DataFrame, rows: Numbers) -> Table:
    """Each group with its accuracy, and what all of them say together."""
    caption = [say("evaluation.groups.order")]
    if rows.says(OVER_GROUPS):
        low, high = _ends(rows.row(OVER_GROUPS))
        caption.append(say("evaluation.groups.over", n=len(groups), low=100 * low, high=100 * high))
    return Table("groups", _rated(groups, "group", rows), title=say("evaluation.groups.title"), caption=caption)


def _rated(table: pd.DataFrame, kind: str, rows: Numbers) -> pd.DataFrame:
    """The table with the accuracy of each group and its interval, as the rows of these subjects have them."""
    each = [row for row in rows if row.subject.startswith(f"{kind}=")]
    rated = table.drop(columns="right").assign(accuracy=table["accuracy"].round(4))
    return rated.assign(**{"accuracy 95 %": [_interval(number) for number in each]})


def _interval(number: Number) -> str:
    return f"{number.ci_low:.3f}–{number.ci_high:.3f}"


def _reliability(found: Evaluation, rows: Numbers) -> Figure:
    table, error = found.reliability, rows.value("calibration_error")
    low, high = _ends(rows.row("calibration_error_by_chance"))

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1, linestyle="--")
        below, above = table["accuracy"] - table["ci_low"], table["ci_high"] - table["accuracy"]
        axes.errorbar(
            100 * table["confidence"], 100 * table["accuracy"], yerr=np.maximum(0, 100 * np.array([below, above])),
            fmt="o", color=SERIES[0], elinewidth=1.2,
        )  # fmt: skip
        axes.set(xlabel="confidence, %", ylabel="accuracy, %", xlim=(0, 102), ylim=(0, 102))

    caption = say("evaluation.reliability.caption", error=100 * error, low=100 * low, high=100 * high)
    return figure("reliability", "evaluation.reliability", draw(paint, 360, 300), table, caption)


def _unlabelled(found: Unlabelled, samples: Samples, sound: Sound | None) -> Showing:
    """What the network says of samples of which nobody said what they are."""
    rows, chosen = [], []
    for place, (sample, best) in enumerate(zip(found.ids, found.best, strict=True)):
        likely = [(found.classes[index], float(found.probabilities[place, index])) for index in best]
        for rank, (name, share) in enumerate(likely, 1):
            rows.append({"sample": sample, "rank": rank, "class": name, "probability": share})
        name, share = likely[0]
        chosen.append(Shown(place, label=say("evaluation.unlabelled.label", name=name, share=_percent(share))))
    return Showing(
        numbers(found),
        [
            show_samples("samples", samples, chosen, (say("evaluation.unlabelled.samples"), ""), sound),
            Table("best", pd.DataFrame(rows), title=say("evaluation.unlabelled.best")),
        ],
        say("evaluation.unlabelled.caption", n=len(found.classes)),
        title=say("evaluation.title_unlabelled"),
    )
