"""The same words by different voices: what the network gets of them, and how far the pattern moves (S1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from cnnatomy.data import recordings
from cnnatomy.data.batches import to_tensor
from cnnatomy.data.errors import DataError
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.data.sounds import Spectrogram, Unusable, resampled
from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.drawing.showing import Sound, amount, picture, span_of, upright
from cnnatomy.exhibit import Block, Exhibit, Figure, Grid, Item, Number, Table
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing import voices
from cnnatomy.probing.choosing import evenly
from cnnatomy.probing.layers import LayerNotFound, stages, trace
from cnnatomy.statistics.intervals import crossed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

TITLE = {"en": "One greeting, two voices", "zh": "同一句话，两种嗓音"}
SOURCES = [
    "Sakoe & Chiba 1978, Dynamic programming algorithm optimization for spoken word recognition, IEEE Transactions on "
    "Acoustics, Speech and Signal Processing 26",
    "Boersma 1993, Accurate short-term analysis of the fundamental frequency, Proceedings of the Institute of "
    "Phonetic Sciences 17",
    "Markel & Gray 1976, Linear prediction of speech, Springer",
]
POINTS = 300  # of a waveform drawn
WINDOWS = 4  # of the network's, of a clip's middle at most
REFERENCE = 500.0  # Hz, where a shift in bands is also given in Hz


@dataclass(frozen=True)
class Clip:
    """One voice's clip: wav bytes, the sound without the silence at its ends, its spectrogram and what was measured."""

    name: str
    group: str
    wav: bytes
    rate: int
    sound: np.ndarray
    mel: np.ndarray
    pitch: float | None
    formants: list[float] | None


@dataclass(frozen=True)
class Said:
    """What was compared: groups of clips, the words, whether they are the files that the settings name."""

    groups: dict[str, list[Clip]]
    words: str
    asked: bool

    @property
    def shown(self) -> list[Clip]:
        """The two that are seen large and heard: the first of the first two groups, or of the only one."""
        groups = list(self.groups.values())
        return [groups[0][0], groups[1][0]] if len(groups) > 1 else groups[0][:2]


def spectrogram(
    network: nn.Module,
    samples: Samples,
    config: Mapping[str, Any],
    *,
    sound: Sound,
    prepare: Mapping[str, Any],
) -> Exhibit:
    """Waveform, spectrogram, window and sound of two voices, and the shift between many, in bands (S1).

    config: `files`, `said`, `most`; see conf/dissect/spectrogram.yaml. `sound` gives a file's bytes by name, `prepare`
    how sounds became pictures. Raises DoesNotApply for other data and where nothing can be heard, DataError for a file
    that is not there though others are.
    """
    facts = samples.facts
    if facts.kind != "sounds":
        raise DoesNotApply({"en": "only sounds have a spectrogram", "zh": "只有声音才有频谱图"})
    if "spectrogram" not in prepare:
        raise DoesNotApply(
            {"en": "the data don't say how their spectrograms were made", "zh": "数据没有说明频谱图的制作方式"}
        )
    maker = Spectrogram.of(prepare["spectrogram"])
    said = _said(samples, config, maker, sound)
    curves, between, within = _compared(said)
    field = _first_field(network, samples)
    blocks: list[Block] = [
        _pictures(said, maker, field, facts),
        _heard(said, maker, facts),
        _shift_figure(said, maker, curves),
        _everyone(said, maker, facts),
        _table(said),
    ]
    return Exhibit(
        kind="run",
        name="",
        method="spectrogram",
        seed=0,
        title=TITLE,
        caption=_caption(said, between, within, maker),
        numbers=_numbers(said, maker, between, within),
        blocks=blocks,
        sources=SOURCES,
    )


def _said(samples: Samples, config: Mapping[str, Any], maker: Spectrogram, sound: Sound) -> Said:
    """The clips that the settings name; where the archive has none of them, clips of one word by several voices."""
    named = {group: {name: _bytes(sound, name) for name in files} for group, files in config["files"].items()}
    missing = [name for files in named.values() for name, wav in files.items() if wav is None]
    heard = {
        group: [_clip(group, name, wav, maker) for name, wav in files.items() if wav] for group, files in named.items()
    }
    heard = {group: clips for group, clips in heard.items() if clips}
    if heard:
        if missing:
            raise DataError(
                f"dissect.spectrogram.files names {', '.join(map(repr, missing[:5]))}, which the raw archive of "
                f"{samples.facts.name!r} doesn't have, though it has others; name files that are there"
            )
        if sum(map(len, heard.values())) < 2:
            raise DataError("dissect.spectrogram.files names one clip; name two at least, so that they can be compared")
        return Said(heard, str(config["said"]), asked=True)
    return _same_word(samples, config["most"], maker, sound)


def _same_word(samples: Samples, most: int, maker: Spectrogram, sound: Sound) -> Said:
    table = samples.table
    if "file" not in table:
        raise DoesNotApply({"en": "the data name no files of sound", "zh": "数据没有列出声音文件"})
    voice = next((column for column in ("voice", "speaker", "id") if column in table), None)
    assert voice is not None  # every table has ids
    word = next((int(label) for label in samples.labels if label >= 0), -1)
    rows = table[samples.labels == word].drop_duplicates(voice)
    grouped = "sex" in table and rows["sex"].nunique() > 1
    groups: dict[str, list[Clip]] = {}
    for sex in sorted(rows["sex"].unique()) if grouped else [None]:
        mine = rows if sex is None else rows[rows["sex"] == sex]
        # Evenly spread: the first ones may all be one accent.
        mine = mine.iloc[evenly(len(mine), most)]
        found = []
        for name, who in zip(mine["file"], mine[voice], strict=True):
            wav = _bytes(sound, str(name))
            if wav is not None:
                found.append(_clip(sex or "voices", str(who), wav, maker))
        if found:
            groups[sex or "voices"] = found
    if sum(map(len, groups.values())) < 2:
        raise DoesNotApply(
            {"en": "there are no two voices of which the same word can be heard", "zh": "没有两种嗓音说同一个词的声音"}
        )
    return Said(groups, samples.facts.classes[word] if word >= 0 else "the same", asked=False)


def _bytes(sound: Sound, name: str) -> bytes | None:
    try:
        return sound(name)
    except DataError:
        return None


def _clip(group: str, name: str, wav: bytes, maker: Spectrogram) -> Clip:
    """A clip as `prepare` hears it: at the sample rate of the spectrograms, without the silence at its ends.

    Of one many times longer than the window the middle: aligning minutes would take minutes.
    """
    recording = recordings.read(wav, name)
    rate = maker.sample_rate
    try:
        cut = maker.audible(resampled(recording.sound, recording.sample_rate, rate))
        beyond = max(0, len(cut) - WINDOWS * maker.samples) // 2
        cut = cut[beyond : len(cut) - beyond]
    except Unusable as reason:
        raise DataError(f"{name} can't be used, it is {reason}; name another file") from reason
    short = name.rpartition("/")[2].removesuffix(".wav").rpartition("+")[2]
    label = short if name.endswith(".wav") else name
    return Clip(label, group, wav, rate, cut, maker.log_mel(cut), voices.pitch(cut, rate), voices.formants(cut, rate))


Pairs = dict[tuple[str, str], np.ndarray]


def _compared(said: Said) -> tuple[dict[str, np.ndarray], Pairs, Pairs]:
    """Similarity by lag (pairs, lags), by "between" and "within"; shifts in bands between groups and within one.

    The shift between groups is (clips of the one, clips of the other); within a group it is one for each pair, the
    first clip named against the second.
    """
    groups = said.groups
    between: Pairs = {}
    within: Pairs = {}
    curves: dict[str, list[np.ndarray]] = {"between": [], "within": []}
    for one, other in combinations(groups, 2):
        found = [[voices.similarity(a.mel, b.mel) for b in groups[other]] for a in groups[one]]
        between[one, other] = np.array([[voices.peak(curve) for curve in row] for row in found])
        curves["between"] += [curve for row in found for curve in row]
    for group, clips in groups.items():
        found_within = [voices.similarity(a.mel, b.mel) for a, b in combinations(clips, 2)]
        if found_within:
            within[group, group] = np.array([voices.peak(curve) for curve in found_within])
            curves["within"] += found_within
    return {name: np.array(found) for name, found in curves.items() if found}, between, within


def _numbers(said: Said, maker: Spectrogram, between: Pairs, within: Pairs) -> list[Number]:
    numbers = []
    same = np.concatenate(list(within.values())) if within else np.zeros(0)
    for (one, other), shifts in between.items():
        mean, n = float(shifts.mean()), shifts.size
        ends = crossed(shifts) if n > 1 else (None, None)
        bands = [None if end is None else significant(end) for end in ends]
        subject = "" if len(between) == 1 else f"group={one};against={other}"

        hertz = [None if end is None else significant(_hertz(maker, end)) for end in ends]
        up = float((shifts > 0).mean())
        numbers += [
            Number("shift", significant(mean), bands[0], bands[1], "bands", n, subject),
            Number("pairs_moved_up", significant(up), unit="fraction", n=n, subject=subject),
            Number("shift_at_500_hz", significant(_hertz(maker, mean)), hertz[0], hertz[1], "Hz", n, subject),
        ]
    if len(same):
        size = np.abs(same)
        numbers.append(Number("shift_within_a_group", significant(float(size.mean())), unit="bands", n=len(same)))
    for group, clips in said.groups.items():
        pitches = [clip.pitch for clip in clips if clip.pitch is not None]
        if pitches:
            subject = f"group={group}"
            numbers.append(
                Number("pitch", significant(float(np.median(pitches))), unit="Hz", n=len(pitches), subject=subject)
            )
        known = [clip.formants for clip in clips if clip.formants is not None]
        if known:
            for place, hz in enumerate(np.median(known, axis=0), start=1):
                numbers.append(
                    Number(
                        f"formant_{place}", significant(float(hz)), unit="Hz", n=len(known), subject=f"group={group}"
                    )
                )
    for (one, other), shifts in between.items():
        for row, clip in enumerate(said.groups[one]):
            for column, against in enumerate(said.groups[other]):
                subject = f"group={one};against={other};voice={clip.name};other={against.name}"
                numbers.append(Number("shift", round(float(shifts[row, column]), 3), unit="bands", subject=subject))
    return numbers


def _hertz(maker: Spectrogram, bands: float) -> float:
    """How many Hz so many bands are above the reference."""
    centres = np.array(maker.axes()[0].values)
    place = float(np.interp(REFERENCE, centres, np.arange(len(centres))))
    low, high = (np.interp(at, np.arange(len(centres)), centres) for at in (place, place + bands))
    return float(high - low)


def _first_field(network: nn.Module, samples: Samples) -> tuple[int, int] | None:
    """Bands and frames that a filter of the first convolution sees; None where that can't be followed."""
    try:
        first = stages(trace(network, to_tensor(samples.facts, samples.inputs[:1])))[0][0]
    except LayerNotFound:
        return None
    if first.field is None or len(first.field.size) != 2:
        return None
    bands, frames = first.field.size
    return min(bands, samples.facts.shape[1]), min(frames, samples.facts.shape[2])


def _padded(clip: Clip, maker: Spectrogram) -> np.ndarray:
    """The sound with silence on both sides, so that the window and a little more fit in."""
    size = max(len(clip.sound), maker.samples) + maker.samples // 4
    before = (size - len(clip.sound)) // 2
    return np.pad(clip.sound, (before, size - len(clip.sound) - before))


def _pictures(said: Said, maker: Spectrogram, field: tuple[int, int] | None, facts: Facts) -> Figure:
    import pandas as pd

    shown = said.shown
    centres = np.array(maker.axes()[0].values)
    rows = []

    def paint(drawing: Drawing) -> None:
        panels = drawing.subplots(2, len(shown), sharex="col", height_ratios=(1, 2.2), squeeze=False)
        for column, clip in enumerate(shown):
            sound = _padded(clip, maker)
            _wave(panels[0, column], sound, maker, f"{clip.name}, {clip.group}")
            _loudness(panels[1, column], sound, maker, centres, field)
        panels[0, 0].set_ylabel("sound")
        panels[1, 0].set_ylabel("frequency, Hz")

    for clip in shown:
        for time, level in _envelope(_padded(clip, maker), maker):
            rows.append([clip.name, clip.group, round(time, 4), *(round(float(v), 4) for v in level)])
    seen = span_of(facts, field) if field else None
    whole = span_of(facts, (maker.bands, maker.frames))
    one = {
        "en": f", the small one what a filter of the first layer sees at a time, {seen['en']}: it moves along "
        "the axes on which there is room"
        if seen
        else "",
        "zh": f"；小框是第一层一个卷积核所见（{seen['zh']}），它沿有空余的轴移动" if seen else "",
    }
    return Figure(
        "voices",
        draw(paint, 720, 420),
        alt={"en": f"Waveforms and spectrograms of {' and '.join(clip.name for clip in shown)} saying {said.words}."},
        data=pd.DataFrame(rows, columns=["voice", "group", "time, s", "lowest", "highest"]),
        title={"en": f"{said.words}, by {' and '.join(clip.name for clip in shown)}", "zh": f"{said.words}"},
        caption={
            "en": (
                "Above the sound, below its loudness by frequency and time: pale is loud, black 60 dB less. The large "
                f"frame is the window that the network gets, {whole['en']}, with the sound in its middle{one['en']}. "
                "Frequencies are spaced as the ear hears them (mel)."
            ),
            "zh": (
                f"上：声音；下：各频率随时间的响度，浅黄最响，黑低 60 dB。大框是网络得到的窗口（{whole['zh']}）"
                f"{one['zh']}。频率按听觉（mel）排列。"
            ),
        },
    )


def _envelope(sound: np.ndarray, maker: Spectrogram) -> list[tuple[float, tuple[float, float]]]:
    parts = np.array_split(np.arange(len(sound)), POINTS)
    return [
        (float(part.mean()) / maker.sample_rate, (float(sound[part].min()), float(sound[part].max()))) for part in parts
    ]


def _wave(axes: Axes, sound: np.ndarray, maker: Spectrogram, title: str) -> None:
    found = _envelope(sound, maker)
    times = [time for time, _ in found]
    axes.fill_between(
        times, [low for _, (low, _) in found], [high for _, (_, high) in found], color=SERIES[0], linewidth=0
    )
    axes.set(title=title, yticks=[])


def _loudness(
    axes: Axes, sound: np.ndarray, maker: Spectrogram, centres: np.ndarray, field: tuple[int, int] | None
) -> None:
    from matplotlib.patches import Rectangle

    mel = maker.log_mel(sound)
    step, half = maker.step / maker.sample_rate, maker.window / 2 / maker.sample_rate
    frames = mel.shape[1]
    axes.grid(False)
    axes.imshow(
        amount(mel, high=0.0, low=-60.0),
        origin="lower",
        aspect="auto",
        interpolation="none",
        extent=(half - step / 2, half + (frames - 0.5) * step, -0.5, len(mel) - 0.5),
    )
    start = (len(sound) - maker.samples) / 2 / maker.sample_rate
    # Frames of silence at the ends would be cut by an exact frame: it stands a little inside of the bands.
    left = start + half - step / 2
    axes.add_patch(
        Rectangle((left, -0.3), maker.frames * step, len(mel) - 0.4, fill=False, edgecolor=SERIES[4], linewidth=2)
    )
    if field is not None:
        bands, wide = field
        axes.add_patch(Rectangle((left, 0.2), wide * step, bands - 0.2, fill=False, edgecolor=SERIES[1], linewidth=2))
    ticks = evenly(len(mel), 6)
    axes.set_yticks(ticks, [f"{centres[tick]:.0f}" for tick in ticks])
    axes.set(xlabel="time, s")


def _heard(said: Said, maker: Spectrogram, facts: Facts) -> Grid:
    """What the network gets of the two, with their sound."""
    items = []
    for clip in said.shown:
        try:
            seen = maker.picture(clip.sound)
        except Unusable as reason:
            raise DataError(f"the clip of {clip.name} can't be used: it is {reason}; name another") from reason
        values = {} if clip.pitch is None else {"pitch, Hz": significant(clip.pitch)}
        items.append(
            Item(
                f"window/{clip.group}/{clip.name}",
                picture(facts, seen),
                label=f"{clip.name}, {clip.group}",
                sound=clip.wav,
                values=values,
            )
        )
    return Grid(
        "windows",
        items,
        title={"en": "What the network gets of it, and the sound", "zh": "网络得到的输入，以及声音"},
        caption={
            "en": (
                "The window, cut and padded as every clip of the training is; frequency upward, time to the right. "
                "Click to hear it."
            ),
            "zh": "与训练时同样裁剪和补齐的窗口；向上为频率，向右为时间。点击可听。",
        },
    )


def _shift_figure(said: Said, maker: Spectrogram, curves: Mapping[str, np.ndarray]) -> Figure:
    import pandas as pd

    first, second = said.shown
    pairs = voices.alignment(first.mel, second.mel)
    one, other = first.mel[:, pairs[:, 0]].mean(axis=1), second.mel[:, pairs[:, 1]].mean(axis=1)
    shift = voices.peak(voices.similarity(first.mel, second.mel))
    centres = np.array(maker.axes()[0].values)
    bands = np.arange(len(centres))
    lags = np.arange(-voices.FURTHEST, voices.FURTHEST + 1)
    styles = {"between": (" and ".join(said.groups), SERIES[1]), "within": ("within a group", MUTED)}
    rows = []
    for name, found in curves.items():
        low, high = np.quantile(found, [0.025, 0.975], axis=0)
        for lag, values in zip(lags, np.stack([found.mean(axis=0), low, high], axis=1), strict=True):
            rows.append([styles[name][0], int(lag), *(round(float(v), 4) for v in values), len(found)])
    data = pd.DataFrame(rows, columns=["pairs", "lag, bands", "similarity", "lowest", "highest", "n"])

    def paint(drawing: Drawing) -> None:
        left, right = drawing.subplots(1, 2)
        left.plot(bands, one, color=SERIES[1], label=first.name)
        left.plot(bands, other, color=SERIES[0], label=second.name)
        left.plot(bands + shift, other, "--", color=SERIES[0], label=f"{second.name}, moved by {shift:.1f}")
        ticks = evenly(len(bands), 5)
        left.set_xticks(ticks, [f"{centres[tick]:.0f}" for tick in ticks])
        left.set(xlabel="frequency, Hz", ylabel="mean loudness, dB", xlim=(-0.5, len(bands) - 0.5))
        left.legend()
        for name, found in curves.items():
            label, colour = styles[name]
            low, high = np.quantile(found, [0.025, 0.975], axis=0)
            right.fill_between(lags, low, high, color=colour, alpha=0.2, linewidth=0)
            right.plot(lags, found.mean(axis=0), color=colour, label=label)
        right.axvline(0, color=MUTED, linewidth=1)
        right.set(xlabel="moved up by, bands", ylabel="similarity")
        right.legend(loc="lower center")

    return Figure(
        "shift",
        draw(paint, 720, 300),
        alt={"en": f"{second.name}'s spectrum fits {first.name}'s best when it is moved by {shift:.1f} bands."},
        data=data,
        title={"en": "How far the pattern moves", "zh": "图案移动了多远"},
        caption={
            "en": (
                f"Left: the mean spectra of the two, aligned in time, and {second.name}'s moved by {shift:.1f} bands. "
                "Right: how well one voice's aligned spectrogram fits another's moved up by so many bands "
                "(correlation), on average over all pairs, with the range of 95 % of them. The top is the shift."
            ),
            "zh": (
                f"左：两者时间对齐后的平均频谱，虚线为移动 {shift:.1f} 个频带后的。右："
                "一个嗓音的频谱图上移若干频带后与另一个的相关，为所有嗓音对的平均，色带含 95 %。峰顶即移动量。"
            ),
        },
    )


def _everyone(said: Said, maker: Spectrogram, facts: Facts) -> Grid:
    items = []
    for group, clips in said.groups.items():
        for clip in clips:
            values = {} if clip.pitch is None else {"pitch, Hz": significant(clip.pitch)}
            for place, hz in enumerate(clip.formants or (), start=1):
                values[f"formant {place}, Hz"] = significant(hz)
            pixels = amount(upright(facts, clip.mel), high=0.0, low=-60.0)
            items.append(Item(f"voice/{group}/{clip.name}", pixels, label=clip.name, values=values, group=group))
    return Grid(
        "everyone",
        items,
        title={"en": f"{said.words} by all voices compared", "zh": f"所有比较的嗓音说{said.words}"},
        caption={
            "en": (
                "The same bands from top to bottom: what is bright lies higher in higher voices. Pitch is how often "
                "the voice vibrates, formants are where throat and mouth resound; both are medians over the voiced "
                "parts."
            ),
            "zh": (
                "上下频带相同：嗓音越高，亮处越靠上。音高是声带振动的频率，共振峰是喉与口的共鸣处，"
                "均为浊音部分的中位数。"
            ),
        },
    )


def _table(said: Said) -> Table:
    import pandas as pd

    rows = []
    for group, clips in said.groups.items():
        others = [other for name, found in said.groups.items() if name != group for other in found]
        for clip in clips:
            against = others or [other for other in clips if other is not clip]
            shifts = [voices.peak(voices.similarity(clip.mel, other.mel)) for other in against]
            formants: list[float | None] = [*clip.formants] if clip.formants else [None] * voices.FORMANTS
            rows.append(
                {
                    "voice": clip.name,
                    "group": group,
                    "seconds": round(len(clip.sound) / clip.rate, 3),
                    "pitch, Hz": None if clip.pitch is None else round(clip.pitch, 1),
                    **{f"formant {at}, Hz": hz and round(hz) for at, hz in enumerate(formants, start=1)},
                    "above the others, bands": round(float(np.mean(shifts)), 2),
                }
            )
    return Table(
        "by-voice",
        pd.DataFrame(rows),
        title={"en": "Voice by voice", "zh": "逐个嗓音"},
        caption={
            "en": (
                "Above the others: the mean shift against the voices of the other group, or against all others where "
                "there is one."
            ),
            "zh": "最后一列：相对另一组嗓音（只有一组时相对其余嗓音）的平均移动量。",
        },
    )


def _caption(said: Said, between: Pairs, within: Pairs, maker: Spectrogram) -> dict[str, str]:
    n = sum(shifts.size for shifts in between.values())
    same = sum(len(shifts) for shifts in within.values())
    en, zh = [], []
    if not said.asked:
        en.append(
            f"The archive has none of the files named in the settings, so here is “{said.words}” by voices of the "
            "test. "
        )
        zh.append(f"声音库中没有设置里的文件，这里用测试嗓音说的“{said.words}”。")
    if between:
        en.append(
            f"A higher voice moves the whole pattern up the frequency axis. By how many bands is measured on {n} pairs "
            "of voices, one of each group: both spectrograms are aligned in time by their loudness, then one is moved "
            "along frequency until they fit best. The interval is over the voices of both groups (Student's t). "
        )
        zh.append(
            f"嗓音越高，图案在频率轴上越靠上。移动量在 {n} 对嗓音（每组各一）上测量：先按响度在时间上对齐，"
            "再沿频率移动到最吻合处。区间以两组的嗓音为单位（t 分布）。"
        )
    else:
        en.append("All voices are of one group, so that only the shift between single voices can be given. ")
        zh.append("所有嗓音属于同一组，只能给出单个嗓音之间的移动量。")
    if same:
        en.append(f"For comparison the size of the shift within a group ({same} pairs), up or down. ")
        zh.append(f"作为比较，给出同组嗓音之间移动的大小（{same} 对，不分上下）。")
    en.append(
        "A network whose filters move along frequency finds the pattern in either place. "
        f"One band is {_hertz(maker, 1):.0f} Hz wide at {REFERENCE:.0f} Hz and wider above 1,000 Hz."
    )
    zh.append(
        f"沿频率移动的卷积核在两处都能找到它。在 {REFERENCE:.0f} Hz 处一个频带宽 {_hertz(maker, 1):.0f} Hz，1000 Hz "
        "以上更宽。"
    )
    return {"en": "".join(en), "zh": "".join(zh)}
