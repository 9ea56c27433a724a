"""What a network is given: how many samples of each kind, whose they are, and what a few lines reach on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cnnatomy.data.prepared import PADDING, UNKNOWN, Dataset, Facts, Samples
from cnnatomy.dissect.odds import word_scores
from cnnatomy.dissect.samples import rules
from cnnatomy.dissect.samples.voices import Newness, newness
from cnnatomy.statistics.numbers import Numbers

NAMED_CLASSES = 40  # classes up to which they are counted one by one


@dataclass(frozen=True)
class Speakers:
    """Who speaks in a dataset of sounds.

    voices: how many; shared: how many of them in more than one split; None where no column names them.
    sexes: clips and voices of each sex in each split, by (split, sex). newness: of test speakers, the least new first.
    """

    voices: int | None
    shared: int | None
    sexes: Mapping[tuple[str, str], tuple[int, int]]
    newness: list[Newness]


@dataclass(frozen=True)
class Given:
    """A dataset, measured. By split is by its name.

    counts: samples of each class, (classes,), of every split that has labels; none where the classes are too many.
    speakers: of sounds. lengths, unknown: of texts by split, the words of each sentence, (samples,), and how many words
    the network doesn't know. groups: how many, by split, of signals that come in groups.
    model: the mean sample of each class in training, (classes, *shape), of texts the words' logarithmic shares,
    (classes, vocabulary); None without labels in training. reached: what rules without a network reach on the test
    split, the best first.
    """

    facts: Facts
    counts: Mapping[str, np.ndarray]
    speakers: Speakers | None
    lengths: Mapping[str, np.ndarray]
    unknown: Mapping[str, int]
    groups: Mapping[str, int]
    model: np.ndarray | None
    reached: list[rules.Rule]


def measure(data: Dataset) -> Given:
    """Count all samples, and try rules that need no network on those of the test that have labels."""
    facts = data.facts
    splits = {name: data.split(name) for name in facts.splits}
    texts = splits if facts.kind == "texts" else {}
    labelled = {
        name: split
        for name, split in splits.items()
        if (split.labels >= 0).any() and len(facts.classes) <= NAMED_CLASSES
    }
    train, test = labelled.get("train"), labelled.get("test")
    model = None if train is None else word_scores(train) if texts else rules.means(train)
    return Given(
        facts=facts,
        counts={
            name: np.bincount(split.labels[split.labels >= 0], minlength=len(facts.classes))
            for name, split in labelled.items()
        },
        speakers=_speakers(data, splits) if facts.kind == "sounds" else None,
        lengths={name: (np.asarray(split.inputs) != PADDING).sum(axis=1) for name, split in texts.items()},
        unknown={name: int((np.asarray(split.inputs) == UNKNOWN).sum()) for name, split in texts.items()},
        groups={
            name: int(split.table["group"].nunique())
            for name, split in splits.items()
            if facts.kind == "signals" and "group" in split.table
        },
        model=model,
        reached=[] if train is None or test is None or model is None else rules.rules(train, test, model),
    )


def _speakers(data: Dataset, splits: Mapping[str, Samples]) -> Speakers:
    sexes, named = {}, "voice" in data.table
    if named and "sex" in data.table:
        for split, samples in splits.items():
            for sex, clips in samples.table.groupby("sex"):
                sexes[split, str(sex)] = len(clips), int(clips["voice"].nunique())
    return Speakers(
        voices=int(data.table["voice"].nunique()) if named else None,
        shared=int((data.table.groupby("voice")["split"].nunique() > 1).sum()) if named else None,
        sexes=sexes,
        newness=newness(splits),
    )


def numbers(found: Given) -> Numbers:
    """Of each split, then what only data of this kind have, of each class, and of each rule."""
    rows, facts = Numbers(), found.facts
    for split, n in facts.splits.items():
        with rows.about(f"split={split}"):
            rows.add("samples", n)
    for one in facts.left_out:
        with rows.about(f"why={one.why}"):
            rows.add("left_out", one.n)
    of_kind = {"images": _of_images, "sounds": _of_sounds, "signals": _of_signals, "texts": _of_texts}
    of_kind[facts.kind](rows, found)
    for split, counts in found.counts.items():
        for name, n in zip(facts.classes, counts, strict=True):
            with rows.about(f"split={split};class={name}"):
                rows.add("samples", int(n))
    rows += [rule.accuracy for rule in found.reached]
    return rows


def _of_images(rows: Numbers, found: Given) -> None:
    """Which values are black and white, in all images or in each channel."""
    for metric, level in zip(("black_level", "white_level"), found.facts.scale or (), strict=False):
        rows.add(metric, level)
    if found.facts.channels is not None:
        rows.add("channels", found.facts.shape[0])
        for channel in found.facts.channels:
            with rows.about(f"channel={channel.name}"):
                rows.add("black_level", channel.low)
                rows.add("white_level", channel.high)


def _of_sounds(rows: Numbers, found: Given) -> None:
    """Clips and voices of each sex; the ratio of each test speaker and both of its distances."""
    assert found.speakers is not None
    for (split, sex), (clips, its) in found.speakers.sexes.items():
        with rows.about(f"split={split};sex={sex}"):
            rows.add("samples", clips)
            rows.add("voices", its)
    ratios = [one.ratio for one in found.speakers.newness]
    if ratios:
        rows.add("voice_newness_least", min(ratios), n=len(ratios))
        rows.add("voice_newness_mean", float(np.mean(ratios)), n=len(ratios))
    for one in found.speakers.newness:
        with rows.about(f"speaker={one.speaker}"):
            rows.add("voice_newness", one.ratio, n=one.clips)
            rows.add("distance_to_training_voice", one.other, unit="dB", n=one.clips)
            rows.add("distance_to_own_take", one.own, unit="dB", n=one.clips)


def _of_signals(rows: Numbers, found: Given) -> None:
    """Channels, steps, and how many recordings or values were changed; groups of each split where there are such."""
    rows.add("channels", found.facts.shape[0])
    rows.add("steps", found.facts.shape[1])
    for metric, count in found.facts.counts.items():
        if count:
            rows.add(metric, count)
    for split, n in found.groups.items():
        with rows.about(f"split={split}"):
            rows.add("groups", n)


def _of_texts(rows: Numbers, found: Given) -> None:
    rows.add("vocabulary", len(found.facts.vocabulary or ()))
    for split, lengths in found.lengths.items():
        with rows.about(f"split={split}"):
            rows.add("words_median", float(np.median(lengths)), n=len(lengths))
            rows.share("unknown_words", found.unknown[split], int(lengths.sum()))
