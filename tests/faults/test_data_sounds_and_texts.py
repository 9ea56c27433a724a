"""Damaged recordings and tables by the thousand: read, or refused with a reason."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from cnnatomy.data import archive, own_sounds, own_texts, recordings, tables
from cnnatomy.data.errors import DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.sounds import Spectrogram, Unusable, resampled
from cnnatomy.data.tokenising import WAYS, tokenise
from tests.faults.fuzzing import CASES, survives

SETTINGS = {"sample_rate": 8000, "bands": 12, "frames": 12, "window": None, "step": None, "lowest_hz": 60}
MAKER = Spectrogram.of(SETTINGS | {"highest_hz": None, "range_db": 60})
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "wav of 8 bits": ("WAV", "PCM_U8"),
    "wav of floats": ("WAV", "DOUBLE"),
    "wav with more in its head": ("WAVEX", "PCM_24"),
    "packed wav": ("WAV", "IMA_ADPCM"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "ALAC_16"),
    "w64": ("W64", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "nist": ("NIST", "PCM_16"),
    "voc": ("VOC", "PCM_16"),
}


def recording(name: str, kind: str, channels: int = 2) -> bytes:
    time = np.arange(4000) / 8000
    tone = 0.5 * np.sin(2 * np.pi * 440 * time)
    file = io.BytesIO()
    soundfile.write(file, np.stack([tone] * channels, 1), 8000, format=name, subtype=kind)
    return file.getvalue()


def hear(content: bytes) -> None:
    """As fetch and prepare do."""
    wav, _ = recordings.playable(content, "a.wav")
    again = recordings.read(wav, "a.wav")
    assert np.isfinite(again.sound).all() and np.abs(again.sound).max(initial=0) <= 1
    try:
        MAKER.picture(resampled(again.sound, again.sample_rate, MAKER.sample_rate))
    except Unusable:
        return


def test_damaged_recordings_are_read_or_refused():
    outcomes = survives(hear, {name: recording(*how) for name, how in FORMATS.items()})
    assert outcomes["read"] and outcomes["refused"]


@pytest.mark.parametrize("size", [0, 1, 0x7FFFFFFF, 0x80000000, 0xEE6B2800, 0xFFFFFFFF])
@pytest.mark.parametrize("place", ["RIFF", "data", "fmt "])
def test_a_header_that_claims_gigabytes_costs_nothing(size: int, place: str):
    wav = recording("WAV", "PCM_16", 1)
    at = wav.index(place.encode()) + 4
    lying = wav[:at] + struct.pack("<I", size) + wav[at + 4 :]

    def read(content: bytes) -> None:
        try:
            hear(content)
        except DataError:
            return

    survives(read, {"lying": lying}, cases=20)


TABLE = "text,label\n" + "".join(
    f'"film {i}, ""{word}""",{label}\nnaïve 电影 {i} {word},{label}\n'
    for i in range(8)
    for word, label in (("good", "yes"), ("bad", "no"))
)
CONTENTS = {
    "csv": TABLE.encode(),
    "csv with returns": TABLE.replace("\n", "\r\n").encode("utf-8-sig"),
    "utf-16": TABLE.encode("utf-16"),
    "gb18030": TABLE.replace("ï", "i").encode("gb18030"),
    "cp1252": TABLE.replace("电影", "é").encode("cp1252"),
    "semicolons": ("sep=;\n" + TABLE.replace(",", ";")).encode(),
    "with a title": ("My films\n\n" + TABLE).encode(),
}


def prepared(folder: Path, content: bytes, name: str) -> None:
    """As fetch and prepare do."""
    (folder / name).write_bytes(content)
    raw = folder / "raw.zip"
    own_texts.fetch(Into(raw, None, "d"), path=str(folder / name), licence="", citation="")
    settings = {"text": "text", "label": "label", "split": None, "length": 6, "at_least": 1, "tokens": "auto"}
    shares = {"encoding": None, "validation": 0.1, "test": 0.2}
    own_texts.prepare(raw, folder / "data", digest="e", **settings, **shares)


def read(content: bytes, name: str) -> None:
    """The rows, their labels and tokens, without writing anything."""
    source: Any = SimpleNamespace(names=[name], read=lambda _: content)
    for one in own_texts._of_tables(source, "text", "label", None, None):
        for way in WAYS:
            assert all(tokenise(one.text, way))
        assert one.label


ROWS = [{"text": f"film {i} 很好", "label": i % 2, "more": [1, {"a": None}]} for i in range(30)]
LINES = {"jsonl": "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()}


@pytest.mark.parametrize(("name", "contents"), [("a.csv", CONTENTS), ("a.jsonl", LINES)])
def test_damaged_tables_are_read_or_refused(tmp_path, name, contents):
    outcomes = survives(lambda content: read(content, name), contents)
    assert outcomes["read"] and outcomes["refused"]
    survives(lambda content: prepared(tmp_path, content, name), contents, cases=CASES // 10)  # the whole steps


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 10_000,
        b"\xff" * 10_000,
        b'"' * 100_001,
        b"\r" * 100_000,
        b"," * 1_000_000,
        b"text,label" + b",x" * 1_000_000 + b"\na,b" + b",c" * 1_000_000,
        b"text,label\n" + b'"' + b"a " * 1_000_000 + b'",b\nc,d\n',
        b"[" * 100_000,
        b'{"text": ' + b"[" * 100_000,
        b'{"text": ' + b"9" * 100_000 + b', "label": 1e999999}',
        np.random.default_rng(0).bytes(300_000),
        ("text,label\n" + "\u0301" * 100_000 + ",a\n" + "ก" * 100_000 + ",b\n").encode(),
        ("text,label\n" + "👩\u200d" * 100_000 + ",a\n" + "क्" * 100_000 + ",b\n").encode(),
        b"text,label\nx,a\ny,b\n".decode().encode("utf-32"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.tsv"])
def test_what_is_no_table_is_refused_at_once(tmp_path, content, name):
    def read(content: bytes) -> None:
        try:
            prepared(tmp_path, content, name)
        except DataError:
            return

    survives(read, {"": content}, cases=2)


def test_encodings_are_guessed_without_a_fuss():
    def guessed(content: bytes) -> None:
        text, _ = tables.decoded(content, "a.csv")
        list(tables.rows(text, "a.csv", ["text"]))

    survives(guessed, CONTENTS)


def test_a_folder_of_damaged_sounds_is_read_or_refused_whole(tmp_path):
    """All of the step, with one damaged file among good ones."""

    def read(content: bytes) -> None:
        for place, sound in enumerate([content, *good]):
            (tmp_path / "birds" / "ab"[place % 2] / f"{place}.wav").write_bytes(sound)
        raw = tmp_path / "raw.zip"
        own_sounds.fetch(Into(raw, None, "d"), path=str(tmp_path / "birds"), licence="", citation="")
        with archive.Raw(raw) as source:
            assert len(source.names) == 1 + len(good)

    good = [recording("WAV", "PCM_16"), recording("WAV", "FLOAT"), recording("FLAC", "PCM_16")]
    for name in "ab":
        (tmp_path / "birds" / name).mkdir(parents=True)
    outcomes = survives(read, {"wav": recording("WAV", "PCM_24"), "ogg": recording("OGG", "VORBIS")}, cases=100)
    assert outcomes["read"] and outcomes["refused"]
