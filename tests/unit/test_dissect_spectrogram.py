"""Voices: a known shift, pitch and formants are found again; the window is where the network's window is."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from scipy.io import wavfile
from scipy.signal import lfilter

from cnnatomy.data.errors import DataError
from cnnatomy.data.sounds import Spectrogram
from cnnatomy.dissect.spectrogram import measure
from cnnatomy.dissect.spectrogram.clips import WINDOWS, clip
from cnnatomy.dissect.spectrogram.show import padded
from cnnatomy.exhibit import Figure, Grid
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection import voices
from cnnatomy.models.frequency import Frequency
from cnnatomy.statistics.intervals import crossed
from tests.unit.dissecting import settings, shown
from tests.unit.small_data import hang, small

RATE = 8000
PREPARE = {
    "spectrogram": {
        "sample_rate": RATE,
        "bands": 16,
        "frames": 10,
        "window": 256,
        "step": 128,
        "lowest_hz": 60,
        "highest_hz": 4000,
        "range_db": 60,
    }
}
CONFIG = {
    "files": {"female": ["greeting/f1.wav", "greeting/f2.wav"], "male": ["greeting/m1.wav", "greeting/m2.wav"]},
    "said": "你好",
    "most": 3,
}
SETTINGS = settings("spectrogram", CONFIG)


def vowel(pitch: float, formants: list[float], seconds: float = 0.4, rate: int = RATE) -> np.ndarray:
    """A buzz through a resonator for each formant: the textbook's source and filter."""
    sound = np.zeros(int(seconds * rate))
    sound[(np.arange(0, seconds, 1 / pitch) * rate).astype(int)] = 1.0
    sound = lfilter([1.0], [1.0, -0.95], sound)
    for hz in formants:
        radius, angle = np.exp(-np.pi * 80 / rate), 2 * np.pi * hz / rate
        sound = lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], sound)
    # Three syllables: loudness tells which moments belong together.
    loud = 0.2 + np.abs(np.sin(np.linspace(0, 3 * np.pi, len(sound))))
    return (0.5 * sound * loud / np.abs(sound * loud).max()).astype(np.float32)


def wav(sound: np.ndarray) -> bytes:
    file = io.BytesIO()
    wavfile.write(file, RATE, (32767 * sound).astype(np.int16))
    return file.getvalue()


def archive(name: str) -> bytes | None:
    """Four voices; female ones are higher by a fifth in all formants."""
    files = {"f1": (220, 1.2), "f2": (235, 1.25), "m1": (110, 1.0), "m2": (120, 1.02)}
    found = files.get(name.removeprefix("greeting/").removesuffix(".wav"))
    if found is None:
        raise DataError(f"{name} is not there")
    return wav(vowel(found[0], [found[1] * hz for hz in (600, 1200, 2600)]))


def net() -> Frequency:
    return Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0).eval()


@pytest.mark.parametrize("moved", [-3, 0, 2])
@pytest.mark.parametrize("stretched", [1.0, 1.3])
def test_a_pattern_that_was_moved_is_found_to_have_moved_so_far(moved, stretched):
    random = np.random.default_rng(0)
    smooth = np.cumsum(random.normal(size=(60, 30)), axis=0)
    smooth -= smooth.mean(axis=0)
    loud = 15 * np.sin(np.linspace(0, 9, 30))
    times = np.clip(np.round(np.arange(0, 30, 1 / stretched)).astype(int), 0, 29)
    one = (smooth + loud)[10 - moved : 50 - moved]
    other = (smooth + loud)[10:50][:, times]
    assert voices.peak(voices.similarity(one, other)) == pytest.approx(moved, abs=0.3)


def test_a_shift_is_found_between_bands():
    bands = np.arange(40.0)
    hill = [np.exp(-(((bands - centre) / 4) ** 2))[:, None] * np.linspace(1, 2, 8) for centre in (20.4, 20.0)]
    assert voices.peak(voices.similarity(*hill)) == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("hz", [75.0, 121.0, 240.0, 333.0])
def test_pitch_and_formants_of_a_made_voice(hz):
    sound = vowel(hz, [700, 1300, 2500], rate=16000)
    assert voices.pitch(sound, 16000) == pytest.approx(hz, rel=0.01)
    found = voices.formants(sound, 16000)
    assert found == pytest.approx([700, 1300, 2500], rel=0.12)


def test_noise_has_no_pitch():
    assert voices.pitch(np.random.default_rng(0).normal(size=8000), 16000) is None
    assert voices.pitch(np.zeros(10), 16000) is None


def test_the_interval_is_wider_than_if_all_pairs_were_independent():
    random = np.random.default_rng(0)
    shifts = random.normal(2, 1, (5, 1)) + random.normal(0, 1, (1, 8))
    low, high = crossed(shifts)
    assert low < shifts.mean() < high
    assert high - low > 2 * 1.96 * shifts.std(ddof=1) / np.sqrt(40)


def test_two_voices_are_seen_and_heard_with_the_window(tmp_path):
    samples = small(tmp_path, "sounds").split("test")
    exhibit = shown("spectrogram", net(), samples, CONFIG, sound=archive, prepare=PREPARE)
    hang(exhibit, tmp_path / "exhibit")
    numbers = {(number.metric, number.subject): number for number in exhibit.numbers}
    shift = numbers["shift", ""]
    assert exhibit.numbers[0] is shift
    assert shift.n == 4 and shift.ci_low < 0 < shift.value < shift.ci_high  # two voices against two say little
    assert numbers["shift_within_a_group", ""].value < shift.value
    assert numbers["pitch", "group=female"].value == pytest.approx(227.5, rel=0.02)
    grids = {block.name: block for block in exhibit.blocks if isinstance(block, Grid)}
    windows = grids["windows"].items
    assert [item.label for item in windows] == ["f1, female", "m1, male"]
    assert windows[0].sound == archive("greeting/f1.wav")
    assert windows[0].pixels.shape == (16, 10, 3)
    assert [item.group for item in grids["everyone"].items] == ["female", "female", "male", "male"]
    one, other = [block for block in exhibit.blocks if isinstance(block, Figure) and block.name.startswith("voices")]
    assert "16 bands × 10 frames" in other.caption["en"] and "3 bands × 10 frames" in other.caption["en"]
    assert "你好" in one.title["en"] and "m1" in other.title["en"]
    assert other.beside and not one.beside


def test_the_window_of_the_picture_is_the_window_of_the_network():
    """What the frame holds is what `Spectrogram.picture` cuts out."""
    maker = Spectrogram(**PREPARE["spectrogram"])
    for seconds in (0.1, 0.5):
        found = clip("female", "a.wav", wav(vowel(200, [600, 1200, 2600], seconds)), maker)
        whole = padded(found, maker)
        start = (len(whole) - maker.samples) // 2
        seen = maker.log_mel(whole[start : start + maker.samples])
        np.testing.assert_allclose(seen, maker.picture(found.sound)[0].astype(float), atol=0.2)


def test_an_archive_without_the_files_gives_one_word_by_several_voices(tmp_path):
    data = small(tmp_path, "sounds")
    pitches = {"anna": 220, "ben": 110, "cara": 240, "dan": 120}
    voice = dict(zip(data.table["file"], data.table["voice"], strict=True))

    def sound(name: str) -> bytes | None:
        if name not in voice:
            return None
        return wav(vowel(pitches[voice[name]], [hz * (1 + pitches[voice[name]] / 500) for hz in (600, 1200, 2600)]))

    exhibit = shown("spectrogram", net(), data.split("test"), CONFIG, sound=sound, prepare=PREPARE)
    hang(exhibit, tmp_path / "exhibit")
    assert "has none of the files" in exhibit.caption["en"]
    grid = next(block for block in exhibit.blocks if isinstance(block, Grid) and block.name == "everyone")
    assert {(item.label, item.group) for item in grid.items} == {
        ("anna", "female"),
        ("cara", "female"),
        ("ben", "male"),
        ("dan", "male"),
    }
    assert exhibit.numbers[0].metric == "shift" and exhibit.numbers[0].value > 0


def test_speakers_of_one_sex_are_compared_with_each_other(tmp_path):
    data = small(tmp_path, "sounds")
    samples = data.split("test")
    samples.table["sex"] = "male"
    made = {name: 100 + 7 * place for place, name in enumerate(data.table["file"])}

    def sound(name: str) -> bytes | None:
        return wav(vowel(made[name], [600, 1200, 2600])) if name in made else None

    exhibit = shown("spectrogram", net(), samples, CONFIG, sound=sound, prepare=PREPARE)
    hang(exhibit, tmp_path / "exhibit")
    assert "All voices are of one group" in exhibit.caption["en"]
    assert exhibit.numbers[0].metric == "shift_within_a_group" and exhibit.numbers[0].n == 3


def test_the_same_clips_give_the_same_bytes(tmp_path):
    samples = small(tmp_path, "sounds").split("test")
    for name in ("one", "two"):
        exhibit = shown("spectrogram", net(), samples, CONFIG, sound=archive, prepare=PREPARE)
        hang(exhibit, tmp_path / name)
    one, two = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]


def test_where_nothing_can_be_heard_it_says_so(tmp_path):
    samples = small(tmp_path, "sounds").split("test")
    with pytest.raises(DoesNotApply, match="no two voices"):
        measure(net(), samples, SETTINGS, sound=lambda name: None, prepare=PREPARE)
    with pytest.raises(DoesNotApply, match="how their spectrograms were made"):
        measure(net(), samples, SETTINGS, sound=archive, prepare={})
    with pytest.raises(DoesNotApply, match="only sounds"):
        measure(net(), small(tmp_path, "images").split("test"), SETTINGS, sound=archive, prepare=PREPARE)


def test_a_file_that_is_missing_among_others_is_an_error(tmp_path):
    samples = small(tmp_path, "sounds").split("test")
    files = {"female": ["greeting/f1.wav", "greeting/f9.wav"], "male": ["greeting/m1.wav"]}
    with pytest.raises(DataError, match="names 'greeting/f9.wav', which the raw archive of 'sounds' doesn't have"):
        measure(net(), samples, replace(SETTINGS, files=files), sound=archive, prepare=PREPARE)


@pytest.mark.parametrize("rate", [16_000, 32_000])
def test_recordings_of_another_rate_are_heard_as_they_were_prepared(tmp_path, rate):
    samples = small(tmp_path, "sounds").split("test")
    voiced = {"greeting/f1.wav": 220, "greeting/f2.wav": 240, "greeting/m1.wav": 110, "greeting/m2.wav": 120}

    def sound(name: str) -> bytes:
        high = voiced[name] / 500
        said = vowel(voiced[name], [hz * (1 + high) for hz in (600, 1200, 2600)], rate=rate)
        file = io.BytesIO()
        wavfile.write(file, rate, (32767 * said).astype(np.int16))
        return file.getvalue()

    exhibit = shown("spectrogram", net(), samples, CONFIG, sound=sound, prepare=PREPARE)
    hang(exhibit, tmp_path / "exhibit")
    numbers = {(number.metric, number.subject): number.value for number in exhibit.numbers}
    assert numbers["pitch", "group=female"] == pytest.approx(230, rel=0.03)
    assert numbers["shift", ""] > 0


def test_of_minutes_the_middle_is_compared():
    maker = Spectrogram(**PREPARE["spectrogram"])
    found = clip("female", "a.wav", wav(vowel(200, [600, 1200, 2600], 60.0)), maker)
    assert abs(len(found.sound) - WINDOWS * maker.samples) <= 1
