"""The raw zip: the same content is the same bytes, and nothing else than what was written is ever read."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from cnnatomy.data import archive
from cnnatomy.data.errors import DamagedData

CONTENTS = {"b/2.wav": b"two", "a.txt": "né".encode(), "b/10.wav": bytes(range(256)) * 50}
ABOUT = {"digest": "dev", "licence": "CC0", "citation": "nobody"}


def write(target: Path, contents: dict[str, bytes] = CONTENTS) -> Path:
    archive.write(target, contents, **ABOUT)
    return target


def test_same_content_is_same_bytes_whatever_the_order(tmp_path: Path):
    one = write(tmp_path / "one" / "raw.zip")
    other = write(tmp_path / "other" / "raw.zip", dict(reversed(CONTENTS.items())))
    assert one.read_bytes() == other.read_bytes()


def test_any_zip_tool_can_read_it(tmp_path: Path):
    with zipfile.ZipFile(write(tmp_path / "raw.zip")) as plain:
        assert plain.testzip() is None
        assert plain.namelist() == sorted([*CONTENTS, "manifest.json"])
        assert {info.compress_type for info in plain.infolist()} == {zipfile.ZIP_STORED}
        assert plain.read("a.txt") == CONTENTS["a.txt"]


def test_manifest_says_what_it_is(tmp_path: Path):
    with archive.Raw(write(tmp_path / "toy.zip")) as raw:
        assert raw.manifest["dataset"] == "toy"
        assert raw.manifest["licence"] == "CC0"
        assert raw.hashes["b/2.wav"] == hashlib.sha256(b"two").hexdigest()
        assert raw.names == sorted(CONTENTS)
        assert {name: raw.read(name) for name in raw.names} == CONTENTS


def test_nothing_else_is_left_beside_it(tmp_path: Path):
    write(tmp_path / "raw.zip")
    assert [file.name for file in tmp_path.iterdir()] == ["raw.zip"]


def test_a_flipped_bit_is_noticed(tmp_path: Path):
    target = write(tmp_path / "raw.zip")
    content = bytearray(target.read_bytes())
    content[content.index(b"two")] ^= 1
    target.write_bytes(content)
    with archive.Raw(target) as raw:
        assert raw.read("a.txt") == CONTENTS["a.txt"]
        with pytest.raises(DamagedData, match=f"raw.zip.*b/2.wav.*Delete {target} and run"):
            raw.read("b/2.wav")


def test_another_member_of_the_same_name_is_noticed(tmp_path: Path):
    """Someone repacks the zip with another sound in it: its own checksum is right, the manifest's is not."""
    target = write(tmp_path / "raw.zip")
    with zipfile.ZipFile(target) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(target, "w") as new:
        for name, content in (members | {"b/2.wav": b"TWO"}).items():
            new.writestr(name, content)
    with archive.Raw(target) as raw, pytest.raises(DamagedData, match="SHA-256"):
        raw.read("b/2.wav")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off"])
def test_a_damaged_zip_is_named(tmp_path: Path, content: bytes):
    target = tmp_path / "raw.zip"
    target.write_bytes(content)
    with pytest.raises(DamagedData, match="raw.zip is damaged"):
        archive.Raw(target)


def test_a_missing_zip_or_member_is_named(tmp_path: Path):
    with pytest.raises(DamagedData, match="missing.*fetch step"):
        archive.Raw(tmp_path / "raw.zip")
    with archive.Raw(write(tmp_path / "raw.zip")) as raw, pytest.raises(DamagedData, match="nowhere.wav"):
        raw.read("nowhere.wav")
