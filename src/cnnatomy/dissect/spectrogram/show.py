"""Voices seen, heard and compared. What is said of them: `locale/<language>/spectrogram.yaml`."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.data.sounds import Spectrogram
from cnnatomy.dissect.spectrogram.clips import Clip
from cnnatomy.dissect.spectrogram.measure import REFERENCE, Compared, numbers
from cnnatomy.dissect.spectrogram.settings import Settings
from cnnatomy.drawing import saying
from cnnatomy.drawing.plotting import MUTED, SERIES, Axes, Drawing, draw
from cnnatomy.drawing.showing import amount, picture, upright
from cnnatomy.exhibit import Block, Figure, Grid, Item, Say, Showing, Table, Text, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import figure, headed
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.voices import FORMANTS, FURTHEST

SOURCES = ["@sakoe1978", "@boersma1993", "@markel1976"]
POINTS = 300  # of a waveform drawn
VOICE = (320, 350)  # px, the drawing of one: as wide as a phone


def show(found: Compared, samples: Samples, settings: Settings) -> Showing:
    """Waveform, spectrogram, window and sound of two voices, and the shift between many, in bands."""
    facts = samples.facts
    blocks: list[Block] = [
        *_pictures(found, facts),
        _heard(found, facts),
        _shift(found),
        _everyone(found, facts),
        _table(found),
    ]
    return Showing(numbers(found), blocks, _caption(found), SOURCES)


def _caption(found: Compared) -> Text:
    n = sum(shifts.size for shifts in found.between.values())
    same = sum(len(shifts) for shifts in found.within.values())
    return [
        _moved(found),
        None if found.chosen.asked else say("spectrogram.caption.other_files", words=_words(found)),
        say("spectrogram.caption.between", n=n) if found.between else say("spectrogram.caption.one_group"),
        say("spectrogram.caption.within", n=same) if same else None,
        say("spectrogram.caption.networks"),
        say("spectrogram.caption.band", width=found.hertz(1), at=REFERENCE),
    ]


def _moved(found: Compared) -> Say | None:
    """Which of two groups lies higher, where one does beyond chance; nothing of one group, of several, or of a pair."""
    if len(found.between) != 1:
        return None
    rows = numbers(found)
    shift = rows.row("shift")
    if shift.ci_low is None:
        return None
    if shift.ci_low <= 0 <= (shift.ci_high or 0):
        return say("spectrogram.caption.not_moved")
    pitches = [row.value for row in rows if row.metric == "pitch"]
    with_pitch = len(pitches) == 2 and (pitches[0] - pitches[1]) * shift.value > 0
    return say(f"spectrogram.caption.{'with_pitch' if with_pitch else 'moved'}")


def _words(found: Compared) -> str | Say:
    return say("spectrogram.the_same") if found.chosen.words is None else found.chosen.words


def padded(clip: Clip, maker: Spectrogram) -> np.ndarray:
    """The sound with silence on both sides, so that the window and a little more fit in."""
    size = max(len(clip.sound), maker.samples) + maker.samples // 4
    before = (size - len(clip.sound)) // 2
    return np.pad(clip.sound, (before, size - len(clip.sound) - before))


def _pictures(found: Compared, facts: Facts) -> list[Figure]:
    """A drawing a voice, beside each other where there is room."""
    maker, two = found.maker, found.chosen.two
    whole = saying.window(facts, (maker.bands, maker.frames))
    frame = (
        say("spectrogram.voices.frame", whole=whole)
        if found.field is None
        else say("spectrogram.voices.frames", whole=whole, filter=saying.window(facts, found.field))
    )
    captions: list[Text] = [[say("spectrogram.voices.rows"), say("spectrogram.voices.mel")], frame]
    figures: list[Figure] = []
    for clip, caption in zip(two, captions, strict=True):
        times, low, high = _envelope(padded(clip, maker), maker)
        rows = {"time, s": times, "lowest": low, "highest": high}
        names = {"words": _words(found), "voice": clip.name}
        figures.append(
            Figure(
                "voices" if not figures else "voices-other",
                draw(partial(_sound, clip, maker, found.field), *VOICE),
                alt=say("spectrogram.voices.alt", **names),
                data=pd.DataFrame(rows).round(4),
                title=say("spectrogram.voices.title", **names),
                caption=caption,
                beside=bool(figures),
            )
        )
    return figures


def _sound(clip: Clip, maker: Spectrogram, field: tuple[int, int] | None, drawing: Drawing) -> None:
    """Above the sound, below its spectrogram."""
    sound = padded(clip, maker)
    times, low, high = _envelope(sound, maker)
    wave, loudness = drawing.subplots(2, 1, sharex="col", height_ratios=(1, 2.2))
    wave.fill_between(times, low, high, color=SERIES[0], linewidth=0)
    wave.set(title=f"{clip.name}, {clip.group}", yticks=[], ylabel="sound")
    _loudness(loudness, sound, maker, field)
    loudness.set_ylabel("frequency, Hz")


def _envelope(sound: np.ndarray, maker: Spectrogram) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, s, and the lowest and highest values around each."""
    parts = np.array_split(np.arange(len(sound)), POINTS)
    times, low, high = zip(*((part.mean(), sound[part].min(), sound[part].max()) for part in parts), strict=True)
    return np.array(times) / maker.sample_rate, np.array(low), np.array(high)


def _loudness(axes: Axes, sound: np.ndarray, maker: Spectrogram, field: tuple[int, int] | None) -> None:
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
    axes.set_yticks(*_frequencies(maker, 6))
    axes.set(xlabel="time, s")


def _frequencies(maker: Spectrogram, most: int) -> tuple[np.ndarray, list[str]]:
    """Bands to name at an axis, evenly spread, and their frequencies."""
    centres = maker.axes()[0].values
    ticks = evenly(len(centres), most)
    return ticks, [f"{centres[tick]:.0f}" for tick in ticks]


def _heard(found: Compared, facts: Facts) -> Grid:
    """What the network gets of the two, with their sound."""
    items = [
        Item(
            f"window/{clip.group}/{clip.name}",
            picture(facts, seen),
            label=f"{clip.name}, {clip.group}",
            sound=clip.wav,
            values={} if clip.pitch is None else {"pitch, Hz": significant(clip.pitch)},
        )
        for clip, seen in zip(found.chosen.two, found.windows, strict=True)
    ]
    return Grid("windows", items, None, *headed("spectrogram.windows"))


def _shift(found: Compared) -> Figure:
    (first, second), (one, other), shift = found.chosen.two, found.spectra, found.shift
    bands = np.arange(len(one))
    lags = np.arange(-FURTHEST, FURTHEST + 1)
    styles = {"between": (" and ".join(found.chosen.groups), SERIES[1]), "within": ("within a group", MUTED)}
    bundles = []  # label, colour, pairs; mean, lowest and highest similarity by lag
    for name, curves in found.similarity.items():
        ends = np.quantile(curves, [0.025, 0.975], axis=0)
        bundles.append((*styles[name], len(curves), curves.mean(axis=0), *ends))
    rows = [
        [label, int(lag), *(round(float(value), 4) for value in values), n]
        for label, _, n, *by_lag in bundles
        for lag, *values in zip(lags, *by_lag, strict=True)
    ]

    def paint(drawing: Drawing) -> None:
        left, right = drawing.subplots(1, 2)
        left.plot(bands, one, color=SERIES[1], label=first.name)
        left.plot(bands, other, color=SERIES[0], label=second.name)
        left.plot(bands + shift, other, "--", color=SERIES[0], label=f"{second.name}, moved by {shift:.1f}")
        left.set_xticks(*_frequencies(found.maker, 5))
        left.set(xlabel="frequency, Hz", ylabel="mean loudness, dB", xlim=(-0.5, len(bands) - 0.5))
        left.legend()
        for label, colour, _, mean, low, high in bundles:
            right.fill_between(lags, low, high, color=colour, alpha=0.2, linewidth=0)
            right.plot(lags, mean, color=colour, label=label)
        right.axvline(0, color=MUTED, linewidth=1)
        right.set(xlabel="moved up by, bands", ylabel="similarity")
        right.legend(loc="lower center")

    table = pd.DataFrame(rows, columns=["pairs", "lag, bands", "similarity", "lowest", "highest", "n"])
    moved = {"other": second.name, "shift": shift}
    caption = say("spectrogram.shift.caption", **moved)
    return figure("shift", "spectrogram.shift", draw(paint, 720, 300), table, caption, one=first.name, **moved)


def _everyone(found: Compared, facts: Facts) -> Grid:
    items = []
    for group, clips in found.chosen.groups.items():
        for clip in clips:
            values = {} if clip.pitch is None else {"pitch, Hz": significant(clip.pitch)}
            for place, hertz in enumerate(clip.formants or (), start=1):
                values[f"formant {place}, Hz"] = significant(hertz)
            pixels = amount(upright(facts, clip.mel), high=0.0, low=-60.0)
            items.append(Item(f"voice/{group}/{clip.name}", pixels, label=clip.name, values=values, group=group))
    title = say("spectrogram.everyone.title", words=_words(found))
    return Grid("everyone", items, title=title, caption=say("spectrogram.everyone.caption"))


def _table(found: Compared) -> Table:
    rows = []
    for clip, above in found.above.items():
        formants: list[float | None] = [*clip.formants] if clip.formants else [None] * FORMANTS
        rows.append(
            {
                "voice": clip.name,
                "group": clip.group,
                "seconds": round(len(clip.sound) / clip.rate, 3),
                "pitch, Hz": None if clip.pitch is None else round(clip.pitch, 1),
                **{f"formant {at}, Hz": hertz and round(hertz) for at, hertz in enumerate(formants, start=1)},
                "above the others, bands": round(above, 2),
            }
        )
    return Table("by-voice", pd.DataFrame(rows), *headed("spectrogram.by_voice"))
