"""A full disk, a read-only disk, a failing writer: a clear message, what was there stays, nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnnatomy.data import archive, files
from cnnatomy.data.errors import DataError

WRITE_RAW = """
from pathlib import Path
from cnnatomy.data import archive
archive.write(Path("toy.zip"), {"big": bytes(SIZE)}, digest="dev", licence="", citation="")
"""
WRITE_PREPARED = """
from pathlib import Path
import numpy as np, pandas as pd
from cnnatomy.data import prepared
n = SIZE // 100
facts = prepared.Facts("toy", "images", ["a", "b"], (1, 10, 10), [], None, "", "", "toy", "x")
table = pd.DataFrame({"split": "train", "label": np.arange(n) % 2, "id": [str(i) for i in range(n)]})
prepared.write(Path("toy"), facts, np.zeros((n, 1, 10, 10), np.uint8), table)
"""
KEEP = """
from pathlib import Path
from cnnatomy.data.spool import keep
keep(((str(i), bytes(1000)) for i in range(SIZE // 1000)), Path("toy.zip"))
"""
WRITE_SOUNDS = """
import io
from pathlib import Path
import numpy as np, soundfile
from cnnatomy.data import archive, sounds
from cnnatomy.data.origin import Origin
file = io.BytesIO()
soundfile.write(file, np.sin(np.arange(4000)), 8000, format="WAV")
archive.write(Path("raw.zip"), {"a.wav": file.getvalue()}, digest="dev", licence="", citation="")
clips = [sounds.Clip("train", i % 2, str(i), "a.wav", {}) for i in range(SIZE // 3520)]
picture = sounds.Spectrogram(8000, 40, 44, 256, 128, 60, 4000, 60)
with archive.Raw(Path("raw.zip")) as raw:
    sounds.write(Path("toy"), clips, ["a", "b"], Origin(raw, "x"), picture)
"""


def on_small_disk(folder: Path, *scripts: str, options: str = "size=1m") -> subprocess.CompletedProcess[str]:
    """Run the scripts in turn on a disk of one megabyte, then list what is on it; skip where none can be mounted."""
    folder.mkdir()
    probe = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f"mount -t tmpfs none {folder}"]
    try:
        mounted = subprocess.run(probe, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("needs to mount a small disk (unshare --user --mount)")
    for number, script in enumerate(scripts):
        folder.with_name(f"{number}.py").write_text(script)
    runs = "".join(f"{sys.executable} {folder.with_name(f'{number}.py')}; " for number in range(len(scripts)))
    listing = "find . -type f | sort | xargs -r sha256sum"
    command = f"mount -t tmpfs -o {options} none {folder} && cd {folder} && {{ {runs} }}; {listing}"
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", command],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )


@pytest.mark.parametrize("script", [WRITE_RAW, WRITE_PREPARED], ids=["raw", "prepared"])
def test_a_full_disk(tmp_path: Path, script: str):
    done = on_small_disk(tmp_path / "disk", script.replace("SIZE", "2_000_000"))
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("cnnatomy.data.errors.DataError: No space left for toy") and "1 MB free" in last
    assert "Free some space" in last
    assert done.stdout == ""


def test_a_full_disk_while_contents_arrive(tmp_path: Path):
    """And while pictures do: the file that they wait in has no name, and nothing of it stays."""
    done = on_small_disk(
        tmp_path / "disk", KEEP.replace("SIZE", "2_000_000"), WRITE_SOUNDS.replace("SIZE", "2_000_000")
    )
    said = [line for line in done.stderr.splitlines() if line.startswith("cnnatomy.data.errors.DataError")]
    assert ["No space left for toy" in line for line in said] == [True, True], done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["./raw.zip"]


@pytest.mark.parametrize("script", [WRITE_RAW, WRITE_PREPARED], ids=["raw", "prepared"])
def test_a_full_disk_loses_nothing(tmp_path: Path, script: str):
    """What was written before, smaller, is still whole."""
    small, large = script.replace("SIZE", "200_000"), script.replace("SIZE", "2_000_000")
    before = on_small_disk(tmp_path / "one", small)
    after = on_small_disk(tmp_path / "other", small, large)
    assert "No space left" in after.stderr and "No space left" not in before.stderr
    assert after.stdout == before.stdout != ""


@pytest.mark.parametrize("script", [WRITE_RAW, WRITE_PREPARED], ids=["raw", "prepared"])
def test_a_read_only_disk(tmp_path: Path, script: str):
    done = on_small_disk(tmp_path / "disk", script.replace("SIZE", "1000"), options="ro")
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("cnnatomy.data.errors.DataError: toy") and "can't be written (read-only file system)" in last


def test_a_folder_that_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def forbidden(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.tempfile, "mkstemp", forbidden)
    with pytest.raises(DataError, match=r"toy\.zip can't be written \(permission denied\)"):
        archive.write(tmp_path / "toy.zip", {"x": b"x"}, digest="dev", licence="", citation="")


def test_an_error_while_writing_leaves_what_was_there(tmp_path: Path):
    target = tmp_path / "toy.zip"
    archive.write(target, {"x": b"old"}, digest="dev", licence="", citation="")
    with pytest.raises(TypeError):
        archive.write(target, {"x": b"new", "y": None}, digest="dev", licence="", citation="")  # type: ignore[dict-item]
    with archive.Raw(target) as raw:
        assert raw.read("x") == b"old"
    assert os.listdir(tmp_path) == ["toy.zip"]


def test_written_files_can_be_read_by_others(tmp_path: Path):
    archive.write(tmp_path / "toy.zip", {"x": b"x"}, digest="dev", licence="", citation="")
    assert (tmp_path / "toy.zip").stat().st_mode & 0o777 == 0o644
