"""Recordings and synthetic voices in one dataset: all clips of both, the recordings' pictures unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cnnatomy.config.compose import compose
from cnnatomy.data import archive, fsdd, prepared, spoken_digits
from cnnatomy.data.fetching import Into
from cnnatomy.data.fsdd_and_synthetic import prepare
from cnnatomy.data.spoken_digits import Spoken

SPECTROGRAM = compose(["run=fsdd"])["data"]["prepare"]["spectrogram"]


def write(target: Path, contents: dict[str, bytes], digest: str = "d0") -> Path:
    archive.write(target, contents, digest=digest, licence="none", citation="nobody")
    return target


def tone(seconds: float, hz: float, sample_rate: int) -> np.ndarray:
    return 20_000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * sample_rate)) / sample_rate)


def recordings() -> dict[str, bytes]:
    return {
        f"recordings/{digit}_{who}_{index}.wav": spoken_digits.wav(tone(0.3, 300 + 100 * digit, 8000), 8000)
        for digit in range(10)
        for who in ("theo", "lucas")
        for index in (0, 7, 20)
    }


def voices() -> dict[str, bytes]:
    said = [
        Spoken(f"digits/en-us+f1/{digit}_0.wav", str(digit), digit, "female", "en-us", "f1", 150, 50)
        for digit in range(10)
    ]
    clips = {one.file: spoken_digits.wav(tone(0.3, 300 + 100 * one.label, 22050), 22050) for one in said}
    return clips | {spoken_digits.TABLE: spoken_digits._table(said)}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, prepared.Dataset]]:
    folder = tmp_path_factory.mktemp("both")
    raw = write(folder / "both.zip", recordings() | voices())
    prepare(raw, folder / "both", digest="d1", test=[0, 4], validation=[5, 9], spectrogram=SPECTROGRAM)
    yield folder, prepared.load(folder / "both")


def test_all_clips_are_there_and_synthetic_ones_are_for_training_only(both):
    table = both[1].table
    assert table.groupby(["source", "split"]).size().to_dict() == {
        ("recorded", "train"): 20,
        ("recorded", "validation"): 20,
        ("recorded", "test"): 20,
        ("synthetic", "train"): 10,
    }
    assert set(table["voice"]) == {"theo", "lucas", "en-us+f1"}


def test_recordings_look_as_they_do_alone(both):
    folder, joined = both
    raw = write(folder / "alone.zip", recordings())
    fsdd.prepare(raw, folder / "alone", digest="d2", test=[0, 4], validation=[5, 9], spectrogram=SPECTROGRAM)
    alone = prepared.load(folder / "alone")
    for split in prepared.SPLITS:
        here, there = joined.split(split), alone.split(split)
        recorded = (here.table["source"] == "recorded").to_numpy()
        np.testing.assert_array_equal(np.array(here.inputs)[recorded], there.inputs)
        pd.testing.assert_series_equal(here.table["id"][recorded].reset_index(drop=True), there.table["id"])


def test_a_synthetic_tone_lies_where_the_recorded_one_does(both):
    """22,050 samples a second were resampled, not taken for 8,000."""
    train = both[1].split("train")
    loudest = np.array(train.inputs, dtype=np.float32).mean((1, 3)).argmax(1)
    table = train.table.assign(band=loudest)
    assert (table.groupby("label")["band"].nunique() == 1).all()


def test_it_is_fetched_as_each_of_the_two_says_but_for_later_voices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = {}

    def give(name: str, contents: dict[str, bytes]):
        def fetch(into: Into, **settings: object) -> None:
            asked[name] = (into.mirror, settings)
            write(into.path, contents, into.digest)

        return fetch

    monkeypatch.setattr(fsdd, "fetch", give("fsdd", recordings()))
    monkeypatch.setattr(spoken_digits, "fetch", give("spoken_digits", voices()))
    from hydra.utils import instantiate

    config = compose(["run=fsdd", "data=fsdd_and_synthetic"])["data"]
    instantiate(config["fetch"], Into(tmp_path / "x.zip", "/mirror", "dev"))
    with archive.Raw(tmp_path / "x.zip") as raw:
        assert raw.names == sorted(recordings() | voices())
        assert raw.manifest["digest"] == "dev"
    for name in ("fsdd", "spoken_digits"):
        own = compose([f"data={name}"])["data"]["fetch"]
        fewer = {"further": [], "drawn": {"female": 0, "male": 0}} if name == "spoken_digits" else {}
        assert asked[name] == ("/mirror", {key: value for key, value in own.items() if key != "_target_"} | fewer)


def test_its_spectrogram_is_fsdd_s():
    assert compose(["run=fsdd", "data=fsdd_and_synthetic"])["data"]["prepare"]["spectrogram"] == SPECTROGRAM
