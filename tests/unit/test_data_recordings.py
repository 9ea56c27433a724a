"""Recordings as people bring them: of every width, rate and format, with odd headers; broken ones together."""

from __future__ import annotations

import io
import logging
import struct

import numpy as np
import pytest
import soundfile

from cnnatomy.config.compose import compose
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.data import archive, framing, mel, own_sounds, prepared, recordings, sounds
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.sounds import Spectrogram

RATE = 8000
SETTINGS = {"sample_rate": RATE, "bands": 12, "frames": 12, "window": 256, "step": 128, "lowest_hz": 60}
SETTINGS |= {"highest_hz": None, "range_db": 60}
TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)


def file(sound: np.ndarray, rate: int = RATE, **how: str) -> bytes:
    written = io.BytesIO()
    soundfile.write(written, sound, rate, **({"format": "WAV"} | how))
    return written.getvalue()


def pitch(recording: recordings.Recording) -> float:
    spectrum = np.abs(np.fft.rfft(recording.sound))
    return float(spectrum.argmax()) * recording.sample_rate / len(recording.sound)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("WAV", kind) for kind in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW")]
    + [("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("AIFF", "FLOAT")]
    + [("AU", "PCM_16"), ("CAF", "ALAC_16"), ("W64", "PCM_16"), ("RF64", "PCM_16"), ("WAVEX", "PCM_24")],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_and_width_is_the_same_sound(name: str, kind: str, channels: int):
    read = recordings.read(file(np.stack([TONE] * channels, 1), format=name, subtype=kind), f"a.{name}")
    assert pitch(read) == pytest.approx(440, abs=2) and read.mended == ()
    assert np.abs(read.sound).max() == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_rate_makes_the_same_picture(rate: int, channels: int):
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate // 2) / rate)
    read = recordings.read(file(np.stack([tone] * channels, 1), rate), "a.wav")
    maker = Spectrogram.of(SETTINGS)
    sound = sounds.resampled(read.sound, read.sample_rate, RATE)
    loudest = maker.picture(sound)[0].astype(float).mean(axis=1).argmax()
    assert abs(maker.axes()[0].values[loudest] - 1000) < 200


def test_a_clip_beyond_full_scale_is_scaled_by_its_own_peak():
    read = recordings.read(file(TONE * 20_000, subtype="FLOAT"), "a.wav")
    assert read.mended == ("loud",) and np.abs(read.sound).max() == pytest.approx(1)
    np.testing.assert_allclose(read.sound, TONE * 2, atol=1e-4)


def test_channels_that_cancel_give_the_louder_one():
    read = recordings.read(file(np.stack([TONE, -TONE * 0.9], 1)), "a.wav")
    assert read.mended == ("cancelling",)
    np.testing.assert_allclose(read.sound, TONE, atol=1e-4)
    alone = recordings.read(file(np.stack([TONE] + [0 * TONE] * 7, 1)), "a.wav")
    assert alone.mended == (), "one loud channel of eight is a mean like any other"


def test_an_offset_and_single_clicks_are_taken_away_and_a_stroke_stays():
    offset = recordings.mended(recordings.Recording((TONE * 0.1 + 0.3).astype(np.float32), RATE))
    assert offset.mended == ("offset",)
    np.testing.assert_allclose(offset.sound, TONE * 0.1, atol=1e-5)
    noise = 0.01 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    clicked = noise.copy()
    clicked[[100, 4000]] = 0.99, -0.99
    mended = recordings.mended(recordings.Recording(clicked, RATE))
    assert mended.mended == ("clicks",) and np.abs(mended.sound).max() < 0.05
    stroke = noise * 0.1 + np.exp(-np.arange(RATE) / 80).astype(np.float32)
    assert "clicks" not in recordings.mended(recordings.Recording(stroke, RATE)).mended


def with_size(wav: bytes, size: int) -> bytes:
    place = wav.index(b"data") + 4
    return wav[:place] + struct.pack("<I", size) + wav[place + 4 :]


def test_a_header_without_a_size_is_read_by_what_follows():
    wav = file(TONE)
    stopped = recordings.read(with_size(wav, 0), "a.wav")
    assert stopped.mended == ("header",)
    np.testing.assert_allclose(stopped.sound, TONE, atol=1e-4)
    for claimed in (0xFFFFFFFF, 0xEE000000, 0x7FFFFFFF):  # streams: nobody knew how long they would be
        np.testing.assert_allclose(recordings.read(with_size(wav, claimed), "a.wav").sound, TONE, atol=1e-4)
    assert len(recordings.read(file(TONE[:0]), "a.wav").sound) == 0, "none is none"
    named = file(TONE[:0]) + b"LIST" + struct.pack("<I", 4) + b"abcd"
    assert len(recordings.read(named, "a.wav").sound) == 0, "what follows is no sound"


FLAC, OGG = file(TONE, format="FLAC"), file(TONE, format="OGG")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
BROKEN = {
    "empty.wav": (b"", "is empty (0 bytes)"),
    "pointer.flac": (POINTER, "git lfs pull"),
    "text.mp3": (b"this is no sound. " * 30, "is no sound that can be read"),
    "page.ogg": (b"\n<!DOCTYPE html><p>not found", "is a web page"),
    "half.wav": (file(TONE)[:5000], "is cut off"),
    "head.wav": (file(TONE)[:30], "is no sound that can be read"),
    "half.flac": (FLAC[: len(FLAC) // 2], "is no sound that can be read"),
    "half.ogg": (OGG[:3000], "it may be cut off"),
    "nan.wav": (file(np.full(1000, np.nan), subtype="FLOAT"), "no numbers"),
    "inf.wav": (file(np.r_[TONE, np.inf], subtype="DOUBLE"), "no numbers"),
    "phone.wav": (bytes(4) + b"ftypM4A " + bytes(500), "is MPEG-4 (m4a, mp4) and no sound that is read here (ffmpeg"),
    "film.mp3": (b"\x1aE\xdf\xa3" + bytes(500), "is Matroska"),
    "fast.wav": (file(TONE, 2_000_000), "claims 2000000 samples a second"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_says_how(name: str):
    content, says = BROKEN[name]
    with pytest.raises(DamagedData) as caught:
        recordings.read(content, name)
    said = str(caught.value)
    assert says in said and name in said and "BytesIO" not in said and "\n" not in said


def put(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def birds(n: int = 6, seconds: float = 0.4) -> dict[str, bytes]:
    time = np.arange(round(seconds * RATE)) / RATE
    return {
        f"{name}/{i}.wav": file(0.5 * np.sin(2 * np.pi * (hz + 20 * i) * time))
        for name, hz in (("crow", 400), ("wren", 2000))
        for i in range(n)
    }


def made(folder, into, **changes) -> prepared.Dataset:
    raw = into / "raw.zip"
    own_sounds.fetch(Into(raw, None, "d"), path=str(folder), licence="unknown", citation="")
    own_sounds.prepare(raw, into / "data", digest="e", validation=0.1, test=0.2, spectrogram=SETTINGS | changes)
    return prepared.load(into / "data")


def test_all_that_is_broken_is_named_at_once(tmp_path):
    broken = {f"crow/{name}": content for name, (content, _) in BROKEN.items()}
    folder = put(tmp_path / "birds", birds() | broken | {"crow/too.wav": b""})
    with pytest.raises(DamagedData) as caught:
        made(folder, tmp_path)
    said = str(caught.value)
    assert (
        f"files that can't be read as a sound: {len(broken) + 1}. " in said
        and "crow/empty.wav, crow/too.wav: each is empty (0 bytes)" in said
    )
    assert all(name in said for name in broken) and "BytesIO" not in said
    assert not (tmp_path / "raw.zip").exists()


def test_odd_recordings_are_mended_and_it_is_said(tmp_path, caplog):
    odd = {
        "crow/loud.wav": file(TONE * 9, subtype="FLOAT"),
        "crow/apart.wav": file(np.stack([TONE, -TONE], 1)),
        "wren/stopped.wav": with_size(file(0.7 * TONE), 0),
        "wren/shifted.wav": file(TONE * 0.5 + 0.3),
        "wren/packed.mp3": file(TONE, format="MP3"),
        "crow/dead.wav": file(0 * TONE),
        "crow/flat.wav": file(0 * TONE + 0.5),
        "crow/click.wav": file(TONE[:20]),
        "crow/other.m4a": b"x",
    }
    with caplog.at_level(logging.WARNING):
        data = made(put(tmp_path / "birds", birds() | odd), tmp_path)
    for what, name in (("loud", "loud"), ("cancelling", "apart"), ("header", "stopped")):
        assert any(recordings.MENDED[what] in said and name in said for said in caplog.messages)
    assert "recordings with an offset, which is taken away: 2 (crow/flat.wav, wren/shifted.wav)" in caplog.text
    assert sum(data.facts.splits.values()) == 17
    assert {one.why: sorted(one.examples) for one in data.facts.left_out} == {
        "suffix": ["crow/other.m4a"],
        "silent": ["crow/dead.wav", "crow/flat.wav"],
        "too_short": ["crow/click.wav"],
    }


def test_a_file_of_each_name_is_kept(tmp_path):
    files = birds() | {"crow/a.flac": file(TONE, format="FLAC"), "crow/a.flac.wav": file(TONE[::-1])}
    data = made(put(tmp_path / "birds", files), tmp_path)
    assert sum(data.facts.splits.values()) == 14
    with archive.Raw(tmp_path / "raw.zip") as raw:
        assert {"crow/a.flac.wav", "crow/a.flac.wav.wav"} <= set(raw.names)


@pytest.mark.parametrize("seconds", [0.05, 0.2])
def test_a_window_much_longer_than_the_clips_is_said_with_one_that_fits(tmp_path, caplog, seconds):
    with caplog.at_level(logging.WARNING):
        facts = made(put(tmp_path / "birds", birds(seconds=seconds)), tmp_path, frames=62).facts
    frames = facts.counts["fitting_frames"]
    assert f"data.prepare.spectrogram.frames={frames} nine of ten fit whole" in caplog.text
    fitting = 256 + (frames - 1) * 128
    assert fitting - 128 < seconds * RATE <= fitting
    assert "fitting_frames" not in made(tmp_path / "birds", tmp_path / "again", frames=frames).facts.counts


def test_a_window_much_shorter_than_the_clips_is_said_too(tmp_path):
    counts = made(put(tmp_path / "birds", birds(seconds=1.0)), tmp_path, frames=12).facts.counts
    assert counts["cut"] == 12 and counts["fitting_frames"] == 62 and counts["sound_ms"] == 1000
    assert "fitting_frames" not in made(tmp_path / "birds", tmp_path / "again", frames=40).facts.counts


@pytest.mark.parametrize("rate", [2000, 4000, 8000, 11025, 16000, 22050, 44100, 96000])
def test_the_rate_alone_is_enough(rate):
    config = compose(["data=own_sounds", f"data.prepare.spectrogram.sample_rate={rate}"])
    maker = Spectrogram.of(config["data"]["prepare"]["spectrogram"])
    assert maker.highest_hz == rate / 2
    assert maker.samples / rate == pytest.approx(1.008, rel=0.01)
    mel_picture = maker.picture(np.random.default_rng(0).standard_normal(rate).astype(np.float32))
    assert mel_picture.shape == (1, 40, 62) and np.isfinite(mel_picture).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"highest_hz": 8000}, "highest_hz is 8000, above half of the 8000 samples a second"),
        ({"highest_hz": 8000}, "Set it to 4000 or less"),
        ({"bands": 80, "window": 128}, "Set data.prepare.spectrogram.bands="),
        ({"lowest_hz": 5000}, "lowest_hz is 5000; it must be 0 or more and below highest_hz, 4000"),
        ({"sample_rate": 0}, "sample_rate is 0; it wants a whole number from 100 to 1,000,000"),
        ({"window": "wide"}, "window is 'wide'; it wants a whole number of 2 or more"),
        ({"frames": 0}, "frames is 0"),
        ({"range_db": -3}, "range_db is -3"),
    ],
)
def test_settings_that_do_not_fit_are_refused_before_anything_is_fetched(changes, says):
    with pytest.raises(DataError, match="data.prepare.spectrogram"):
        framing.settled(SETTINGS | changes)
    given = {"sample_rate": 8000} | changes
    if not isinstance(changes.get("window"), str):  # the YAML's types refuse that first
        with pytest.raises(ConfigurationError) as caught:
            compose(["data=own_sounds", *(f"data.prepare.spectrogram.{key}={value}" for key, value in given.items())])
        assert says in str(caught.value)


def test_what_it_proposes_works_and_one_more_does_not():
    for rate, window, bands in ((8000, 128, 80), (16000, 200, 90), (22050, 256, 100)):
        given = SETTINGS | {"sample_rate": rate, "window": window, "bands": bands}
        with pytest.raises(DataError) as caught:
            framing.settled(given)
        words = str(caught.value).split()
        fewer = int(next(word for word in words if ".bands=" in word).partition("=")[2])
        longer = int(next(word for word in words if ".window=" in word).partition("=")[2])
        for more, works in ((0, True), (1, False)):
            filters = mel.filters(rate, window, fewer + more, 60, rate / 2)
            assert filters.any(axis=1).all() == works
            filters = mel.filters(rate, longer - more, bands, 60, rate / 2)
            assert filters.any(axis=1).all() == works
