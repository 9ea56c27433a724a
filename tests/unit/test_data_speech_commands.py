"""Speech Commands on a made-up file of the same layout: the official split, and what is wrong is named."""

from __future__ import annotations

import functools
import hashlib
import io
import tarfile
import threading
import wave
from collections.abc import Mapping
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from cnnatomy import models
from cnnatomy.data import archive, prepared, speech_commands
from cnnatomy.data.errors import DamagedData, NoSource
from cnnatomy.data.fetching import Into
from cnnatomy.data.prepared import Dataset

CONF = Path(__file__).resolve().parents[2] / "conf"
WORDS = ("left", "right", "stop")
SPEAKERS = {"0a7c2a8d": "train", "1b88bf70": "train", "2f0a3c1e": "validation", "00000001": "test"}


def spoken(word: str, speaker: str) -> bytes:
    """A second of hiss, unlike every other clip."""
    seed = hashlib.sha256(f"{word}{speaker}".encode()).digest()
    samples = np.random.default_rng(list(seed)).integers(-9000, 9000, 16_000)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def members() -> dict[str, bytes]:
    """What is in the file: clips of each word by each speaker, the lists, the noise, and what is to read."""
    clips = {f"{word}/{speaker}_nohash_0.wav": speaker for word in WORDS for speaker in SPEAKERS}
    listed = {
        name: "".join(f"{clip}\n" for clip, speaker in clips.items() if SPEAKERS[speaker] == split).encode()
        for split, name in (("validation", "validation_list.txt"), ("test", "testing_list.txt"))
    }
    found = {f"./{name}": spoken(name.split("/")[0], speaker) for name, speaker in reversed(clips.items())}
    found |= {f"./{name}": content for name, content in listed.items()}
    found |= {"./_background_noise_/hiss.wav": spoken("", ""), "./LICENSE": b"CC BY", "./README.md": b"# Speech"}
    return found | {"./.DS_Store": b"\0", "./left/._0a7c2a8d_nohash_0.wav": b"\0"}


def configured(step: str) -> dict[str, Any]:
    settings: Any = OmegaConf.to_container(OmegaConf.load(CONF / "data/speech_commands.yaml")[step])
    return {key: value for key, value in settings.items() if key != "_target_"}


def fetched(folder: Path, found: Mapping[str, bytes], **changes: Any) -> Path:
    """Pack the members as a mirror has them, and fetch them as configured, but for the hash."""
    settings = configured("fetch")
    file = folder / "mirror" / settings["file"]
    file.parent.mkdir(exist_ok=True)
    with tarfile.open(file, "w:gz") as packed:
        for name, content in found.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    raw = folder / "resources" / "speech_commands.zip"
    values = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "https": []} | changes
    into = Into(raw, values.pop("mirror", str(file.parent)), "dev")
    speech_commands.fetch(into, **settings | values)
    return raw


def ready(folder: Path, found: Mapping[str, bytes]) -> Dataset:
    speech_commands.prepare(fetched(folder, found), folder / "data", digest="d1", **configured("prepare"))
    return prepared.load(folder / "data")


def test_the_official_split(tmp_path: Path):
    dataset = ready(tmp_path, members())
    assert dataset.facts.classes == list(WORDS)
    assert dataset.facts.splits == {"train": 6, "validation": 3, "test": 3}
    assert dataset.facts.shape == (1, 40, 62) and dataset.facts.sample_rate == 16_000
    assert dataset.facts.counts == {"cut": 0} and dataset.facts.left_out == []
    for row in dataset.table.to_dict("records"):
        word, speaker = row["file"].removeprefix("clips/").removesuffix("_nohash_0.wav").split("/")
        assert WORDS[row["label"]] == word and row["split"] == SPEAKERS[speaker]
        assert row["id"] == f"{speaker}/{word}/0"


def test_background_noise_and_what_is_no_clip_stay_out(tmp_path: Path):
    with archive.Raw(fetched(tmp_path, members())) as raw:
        clips = [f"clips/{word}/{speaker}_nohash_0.wav" for word in WORDS for speaker in SPEAKERS]
        assert raw.names == sorted([*clips, "testing_list.txt", "validation_list.txt"])
        assert raw.read(clips[0]) == spoken(WORDS[0], "0a7c2a8d")
        assert "CC BY 4.0" in raw.manifest["licence"] and "Warden" in raw.manifest["citation"]


def test_https_gives_the_same_bytes_as_a_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CNNATOMY_MIRROR", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    raw = fetched(tmp_path, members())
    expected = raw.read_bytes()
    raw.unlink()
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "mirror"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/speech_commands_v0.02.tar.gz"
        fetched(tmp_path, members(), mirror=None, https=["http://127.0.0.1:9/gone.tar.gz", url])
        server.shutdown()
    assert raw.read_bytes() == expected
    assert [file.name for file in raw.parent.iterdir()] == [raw.name]


def test_another_file_is_refused(tmp_path: Path):
    with pytest.raises(NoSource, match=r"SHA-256 of speech_commands_v0\.02\.tar\.gz isn't the pinned one") as error:
        fetched(tmp_path, members(), sha256="0" * 64)
    assert "CNNATOMY_MIRROR=<folder or URL>" in str(error.value)
    assert not list((tmp_path / "resources").glob("*"))


@pytest.mark.parametrize("name", ["validation_list.txt", "testing_list.txt"])
def test_a_missing_list_is_named(tmp_path: Path, name: str):
    with pytest.raises(NoSource, match=f"{name} isn't in it"):
        fetched(tmp_path, {member: content for member, content in members().items() if name not in member})


def test_a_list_that_names_clips_that_are_not_there(tmp_path: Path):
    found = {name: content for name, content in members().items() if name != "./stop/00000001_nohash_0.wav"}
    with pytest.raises(DamagedData, match="testing_list.txt names 1 clips.*first clips/stop/00000001_nohash_0.wav"):
        ready(tmp_path, found)


def test_a_clip_of_another_name_is_named(tmp_path: Path):
    with pytest.raises(DamagedData, match=r"clips/left/hello\.wav isn't named like"):
        ready(tmp_path, members() | {"./left/hello.wav": spoken("left", "hello")})


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound at all" * 20])
def test_a_damaged_clip_is_named(tmp_path: Path, content: bytes):
    with pytest.raises(DamagedData, match=r"clips/stop/1b88bf70_nohash_0\.wav can't be read as a sound"):
        ready(tmp_path, members() | {"./stop/1b88bf70_nohash_0.wav": content})
    assert not (tmp_path / "data").exists()


def test_a_truncated_file_leaves_nothing(tmp_path: Path):
    """Its hash is the wanted one, but it ends in the middle."""
    fetched(tmp_path, members()).unlink()
    file = tmp_path / "mirror" / "speech_commands_v0.02.tar.gz"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    values = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "https": []}
    with pytest.raises(NoSource, match="damaged or truncated"):
        into = Into(tmp_path / "resources" / "speech_commands.zip", str(file.parent), "dev")
        speech_commands.fetch(into, **configured("fetch") | values)
    assert not list((tmp_path / "resources").iterdir())


def test_the_run_s_network_takes_its_pictures(tmp_path: Path):
    import torch

    facts = ready(tmp_path, members()).facts
    network = models.build(OmegaConf.to_container(OmegaConf.load(CONF / "model/deep.yaml")), facts, 0)
    assert network(torch.zeros(2, *facts.shape)).shape == (2, len(WORDS))
