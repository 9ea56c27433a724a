"""Log-mel pictures against librosa's own, and what happens to sounds that are long, short, silent or damaged."""

from __future__ import annotations

import io
import logging
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from cnnatomy.data import archive, mel, prepared, recordings, sounds
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.left_out import LeftOut
from cnnatomy.data.origin import Origin
from cnnatomy.data.sounds import Clip, Spectrogram, Unusable

RATE = 8000
SPECTROGRAM = Spectrogram(RATE, bands=40, frames=44, window=256, step=128, lowest_hz=60, highest_hz=4000, range_db=60)


def tone(hz: float, seconds: float, volume: float = 0.5) -> np.ndarray:
    return (volume * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def speech(seconds: float = 0.7) -> np.ndarray:
    """A vowel that glides, in a little noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * k * (110 + 40 * time) * time) / k for k in range(1, 20))
    return (0.1 * voice + 0.001 * np.random.default_rng(0).standard_normal(len(time))).astype(np.float32)


def wav(sound: np.ndarray, rate: int = RATE, kind: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format=kind)
    return file.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(("window", "step"), [(256, 128), (512, 100), (704, 352)])
def test_equals_librosa(window: int, step: int):
    spectrogram = replace(SPECTROGRAM, window=window, step=step)
    power = librosa.feature.melspectrogram(
        y=speech(), sr=RATE, n_fft=window, hop_length=step, n_mels=40, fmin=60, fmax=4000, center=False
    )
    expected = librosa.power_to_db(power, ref=np.max, top_db=60)
    np.testing.assert_allclose(spectrogram.log_mel(speech()), expected, atol=2e-3)


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize(
    ("rate", "window", "bands", "lowest", "highest"),
    [(8000, 256, 40, 60, 4000), (16000, 401, 64, 0, 7600), (44100, 1024, 13, 1200, 20000), (8000, 128, 80, 0, 900)],
)
def test_mel_bands_are_librosas(rate: int, window: int, bands: int, lowest: float, highest: float):
    edges = librosa.mel_frequencies(bands + 2, fmin=lowest, fmax=highest)
    np.testing.assert_allclose(mel.edges(bands, lowest, highest), edges, rtol=1e-12, atol=1e-9)
    filters = librosa.filters.mel(sr=rate, n_fft=window, n_mels=bands, fmin=lowest, fmax=highest)
    np.testing.assert_allclose(mel.filters(rate, window, bands, lowest, highest), filters, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("hz", [200, 500, 1000, 2500])
def test_axes_say_where_a_tone_is(hz: float):
    """A tone in the middle of silence: the loudest band is the one whose axis says its frequency, and so in time."""
    sound = np.concatenate([np.zeros(2000), tone(hz, 0.1), np.zeros(4000)])
    picture = SPECTROGRAM.log_mel(sound)
    frequency, time = SPECTROGRAM.axes(picture.shape[1])
    assert (frequency.unit, time.unit) == ("Hz", "s") and len(time.values) == picture.shape[1]
    band, frame = np.unravel_index(picture.argmax(), picture.shape)
    assert abs(frequency.values[band] - hz) == min(abs(value - hz) for value in frequency.values)
    assert 0.25 - 0.016 <= time.values[frame] <= 0.35 + 0.016


@pytest.mark.parametrize("seconds", [0.1, 0.3333, 0.5])
def test_axes_say_when_a_click_was(seconds: float):
    sound = np.zeros(6000, np.float32)
    sound[round(seconds * RATE)] = 1
    picture = SPECTROGRAM.log_mel(sound)
    times = SPECTROGRAM.axes(picture.shape[1])[1].values
    assert abs(times[picture.max(0).argmax()] - seconds) == pytest.approx(min(abs(time - seconds) for time in times))


def test_loudness_is_taken_out():
    quiet = SPECTROGRAM.picture(speech() * 0.01).astype(float)
    np.testing.assert_allclose(quiet, SPECTROGRAM.picture(speech()).astype(float), atol=0.04)


@pytest.mark.parametrize("seconds", [0.033, 0.2, 0.7, 0.72, 3.0])
def test_every_length_fits_the_window(seconds: float):
    picture = SPECTROGRAM.picture(tone(440, seconds))
    assert picture.shape == (1, 40, 44) and picture.dtype == np.float16
    assert picture.max() == 0 and picture.min() >= -60


def test_short_sounds_are_centred_and_silence_around_them_is_ignored():
    alone = SPECTROGRAM.picture(tone(440, 0.2))
    between = SPECTROGRAM.picture(np.concatenate([np.zeros(3000), tone(440, 0.2), np.zeros(1000)]).astype(np.float32))
    np.testing.assert_allclose(between.astype(float), alone.astype(float), atol=0.5)
    heard = np.flatnonzero(alone[0].max(0) > -30)
    assert abs((heard[0] + heard[-1]) / 2 - 21.5) <= 1
    assert (alone[0][:, :10] == -60).all()


def test_of_a_long_sound_the_middle_is_kept():
    sound = np.concatenate([tone(500, 1.0), tone(2000, 0.6), tone(500, 1.0)])
    loudest = SPECTROGRAM.picture(sound)[0, :, 22].argmax()
    assert abs(SPECTROGRAM.axes()[0].values[loudest] - 2000) < 100


@pytest.mark.parametrize(
    ("sound", "why"),
    [
        (np.zeros(4000, np.float32), "silent"),
        (np.zeros(0, np.float32), "silent"),
        (tone(440, 0.02), "too short: 20 ms"),
    ],
)
def test_nothing_to_hear(sound: np.ndarray, why: str):
    with pytest.raises(Unusable, match=why):
        SPECTROGRAM.picture(sound)


def test_bands_that_would_be_empty_are_refused():
    with pytest.raises(DataError, match="80 mel bands.*too narrow.*128 samples"):
        replace(SPECTROGRAM, bands=80, window=128).picture(speech())


def dataset(folder: Path, recordings: dict[str, bytes]) -> archive.Raw:
    archive.write(folder / "toy.zip", recordings, digest="dev", licence="CC0", citation="nobody")
    return archive.Raw(folder / "toy.zip")


def clips(names: list[str]) -> list[Clip]:
    splits = ["train", "test", "train", "validation", "train", "train"]
    return [
        Clip(split, i // 2 % 2, name, name, {"voice": "me"})
        for i, (name, split) in enumerate(zip(names, splits, strict=False))
    ]


def test_writes_pictures_of_what_can_be_heard_and_says_what_it_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    clips_of = {f"{i}.wav": wav(tone(300 * (i + 1), 0.3)) for i in range(4)}
    clips_of |= {"silent.wav": wav(np.zeros(4000)), "click.wav": wav(tone(440, 0.01))}
    with caplog.at_level(logging.WARNING), dataset(tmp_path, clips_of) as raw:
        sounds.write(tmp_path / "toy", clips(list(clips_of)), ["low", "high"], Origin(raw, "x"), SPECTROGRAM)
    loaded = prepared.load(tmp_path / "toy")
    assert loaded.facts.counts["cut"] == 0
    assert loaded.facts.left_out == [LeftOut("silent", 1, ["silent.wav"]), LeftOut("too_short", 1, ["click.wav"])]
    assert "silent.wav (silent)" in caplog.text and "click.wav (too short: 10 ms)" in caplog.text
    assert loaded.facts.splits == {"train": 2, "validation": 1, "test": 1}
    assert loaded.split("train").table["file"].tolist() == ["0.wav", "2.wav"]
    assert loaded.split("test").table["file"].tolist() == ["1.wav"]
    train = loaded.split("train").inputs.astype(np.float64)
    assert loaded.facts.normalise is not None
    np.testing.assert_allclose([loaded.facts.normalise.mean, loaded.facts.normalise.std], [train.mean(), train.std()])
    for name, split, row in (("0.wav", "train", 0), ("2.wav", "train", 1), ("1.wav", "test", 0)):
        sound = recordings.read(clips_of[name], name).sound
        assert np.array_equal(loaded.split(split).inputs[row], SPECTROGRAM.picture(sound))


def test_nothing_but_silence_is_an_empty_dataset(tmp_path: Path):
    names = ["a.wav", "b.wav"]
    with (
        dataset(tmp_path, dict.fromkeys(names, wav(np.zeros(4000)))) as raw,
        pytest.raises(DataError, match="empty.*any of 2 clips"),
    ):
        sounds.write(tmp_path / "toy", clips(names), ["low", "high"], Origin(raw, "x"), SPECTROGRAM)


@pytest.mark.parametrize("damaged", [b"", b"RIFF", b"no sound at all" * 20, wav(tone(440, 0.3))[:30]])
def test_a_damaged_recording_is_named(tmp_path: Path, damaged: bytes):
    files = {"good.wav": wav(tone(440, 0.3)), "bad.wav": damaged}
    with dataset(tmp_path, files) as raw, pytest.raises(DamagedData, match=r"bad\.wav can't be read as a sound"):
        sounds.write(tmp_path / "toy", clips(list(files)), ["low", "high"], Origin(raw, "x"), SPECTROGRAM)


def test_a_recording_of_numbers_that_are_none_is_named():
    file = io.BytesIO()
    soundfile.write(file, np.full(1000, np.nan, np.float32), RATE, format="WAV", subtype="FLOAT")
    with pytest.raises(DamagedData, match=r"bad\.wav.*holds samples that are no numbers"):
        recordings.read(file.getvalue(), "bad.wav")


def test_another_sample_rate_is_named(tmp_path: Path):
    with (
        dataset(tmp_path, {"a.wav": wav(tone(440, 0.3), rate=44100)}) as raw,
        pytest.raises(DataError, match="a.wav has 44100.*not 8000"),
    ):
        sounds.write(tmp_path / "toy", clips(["a.wav"]), ["low", "high"], Origin(raw, "x"), SPECTROGRAM)


def test_stereo_and_flac_are_read():
    left = tone(440, 0.3)
    mixed = recordings.read(wav(np.stack([left, np.zeros_like(left)], 1), kind="FLAC"), "a.flac")
    assert mixed.sample_rate == RATE
    np.testing.assert_allclose(mixed.sound, left / 2, atol=1e-4)
