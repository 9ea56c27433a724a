"""What lies in a folder: what systems leave there, links in circles, what may not be read."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from cnnatomy.config.listing import listing
from cnnatomy.data import own
from cnnatomy.data.errors import DataError
from cnnatomy.data.walking import walk

KINDS = (".png", ".jpg")


def folder(place: Path, *names: str) -> Path:
    for name in names:
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return place


def test_what_systems_leave_is_left_out_and_told_apart_from_other_kinds(tmp_path):
    left = [
        *("oak/Thumbs.db", "oak/desktop.ini", "oak/.DS_Store", "oak/._1.png", "oak/Icon\r", "oak/~$1.png"),
        *("@eaDir", "__MACOSX", "oak/.ipynb_checkpoints", "#recycle", "lost+found", "$RECYCLE.BIN", "oak/@eaDir"),
    ]
    inside = [name if "." in Path(name).name[1:] or "Icon" in name else f"{name}/oak/2.png" for name in left]
    inside[left.index("oak/.DS_Store")] = "oak/.DS_Store"
    inside[left.index("$RECYCLE.BIN")] = "$RECYCLE.BIN/2.png"
    inside[left.index("oak/.ipynb_checkpoints")] = "oak/.ipynb_checkpoints/1-checkpoint.png"
    found = walk(folder(tmp_path, "oak/1.PNG", "oak/2.JPG", "oak/read.me", "ash/3.png", *inside), KINDS)
    assert sorted(found.files) == ["ash/3.png", "oak/1.PNG", "oak/2.JPG"]
    assert sorted(found.left_out["system"]) == sorted(left) and found.left_out["suffix"] == ["oak/read.me"]


def test_a_folder_of_splits_is_not_disturbed_by_what_lies_beside_it(tmp_path):
    splits = [f"{split}/{name}/1.png" for split in ("train", "test") for name in ("oak", "ash")]
    files = own.packed(str(folder(tmp_path, *splits, "@eaDir/1.png", "labels/1.txt", "view.png")), KINDS)
    assert sorted(files) == sorted(splits)
    assert {one.why: one.n for one in files.left_out} == {"system": 1, "suffix": 1, "loose": 1}


def test_pictures_without_folders_are_not_left_out_beside_a_few_with(tmp_path):
    place = folder(tmp_path, *(f"{i}.png" for i in range(9)), "some/oak/1.png", "some/ash/1.png")
    with pytest.raises(DataError, match="9 files lie in no folder of a class .*, and 2 in one"):
        own.packed(str(place), KINDS)


@pytest.mark.parametrize("target", [".", "..", "../..", "../ash", "../../elsewhere"])
def test_links_end_and_are_said(tmp_path, target):
    """Two links to a folder above make 2 to the 40th ways through it, if they are followed."""
    place = folder(tmp_path / "leaves", "oak/1.png", "ash/2.png").parent / "leaves"
    folder(tmp_path / "elsewhere", "4.png")
    for name in ("one", "two"):
        (place / "oak" / name).symlink_to(target)
    found = walk(place, KINDS)
    outside = {"../ash": 2, "../../elsewhere": 2}.get(target, 0)
    assert len(found.files) == 2 + outside and len(found.left_out.get("loop", [])) == 2 - outside
    code = f"from cnnatomy.config.listing import listing; listing({str(place)!r}, 'x')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


def test_folders_that_link_to_each_other_end_too(tmp_path):
    place = folder(tmp_path / "leaves", "oak/1.png", "ash/2.png")
    folder(tmp_path / "elsewhere", "4.png")
    for name in ("one", "two"):
        (place / "oak" / name).symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere" / f"back {name}").symlink_to(place / "oak")
    assert sorted(walk(place, KINDS).files) == ["ash/2.png", "oak/1.png", "oak/one/4.png", "oak/two/4.png"]
    assert len(listing(str(place), "x")) == 64


def test_a_link_to_nothing_and_a_pipe_do_not_stop_the_reading(tmp_path):
    place = folder(tmp_path, "oak/1.png", "ash/2.png")
    os.mkfifo(place / "oak/pipe.png")
    assert walk(place, KINDS).left_out == {"no_file": ["oak/pipe.png"]}
    (place / "oak/gone.png").symlink_to("nowhere.png")
    with pytest.raises(DataError, match="gone.png .it points to nothing.: can't be read"):
        walk(place, KINDS)


@contextmanager
def another_user():
    """A folder that nobody in particular owns, and no rights beyond its own: root may read everything."""
    with tempfile.TemporaryDirectory() as place:
        if os.getuid():
            yield Path(place)
        else:
            os.chmod(place, 0o777)
            os.seteuid(65534)
            try:
                yield Path(place)
            finally:
                os.seteuid(0)


def test_folders_and_files_that_may_not_be_read_are_named_together():
    with another_user() as place:
        folder(place, "oak/1.png", "oak/2.png", "ash/secret/3.png", "elm/locked/4.png", "lost+found/5.png")
        closed = {"oak/2.png": 0, "ash/secret": 0, "elm/locked": 0o444, "lost+found": 0}  # 0o444: names, no contents
        for name, rights in closed.items():
            (place / name).chmod(rights)
        try:
            assert len(listing(str(place / "ash"), "x")) == 64
            with pytest.raises(DataError) as caught:
                walk(place, KINDS)
        finally:
            for name in closed:
                (place / name).chmod(0o700)
        named = ("oak/2.png", "ash/secret", "elm/locked/4.png")
        assert all(f"{name} (Permission denied)" in str(caught.value) for name in named)
        assert "lost+found" not in str(caught.value)
        assert len(walk(place, KINDS).files) == 4


def test_the_listing_does_without_what_it_can_not_look_into_until_it_can(tmp_path, monkeypatch):
    place, scandir = folder(tmp_path, "oak/1.png", "ash/secret/3.png"), os.scandir

    def look(where):
        if Path(where).name == "secret":
            raise PermissionError(13, "Permission denied", str(where))
        return scandir(where)

    whole = listing(str(place), "data.fetch.path")
    monkeypatch.setattr(os, "scandir", look)
    assert listing(str(place), "data.fetch.path") != whole
