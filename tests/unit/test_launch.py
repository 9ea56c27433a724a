"""Before Snakemake: places that can't be written, disks without locks, modules that hide a library."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from cnnatomy import locks, places, shadows
from cnnatomy.data.files import new_file


def test_places_that_are_no_folders_are_told_apart(tmp_path):
    places.check(tmp_path)
    assert {place.name for place in tmp_path.iterdir()} == {".snakemake", "results"}
    (tmp_path / "results").rmdir()
    (tmp_path / "results").symlink_to("/nowhere/results")
    with pytest.raises(places.NotWritable, match="results/ .*a link to /nowhere/results, which is not there; make"):
        places.check(tmp_path)
    (tmp_path / "results").unlink()
    (tmp_path / "results").write_text("mine")
    with pytest.raises(places.NotWritable, match="results/ .*it is a file; move it away"):
        places.check(tmp_path)


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.ENOSPC, "free some space"), (errno.EROFS, "folder of your own"), (errno.EACCES, "folder of your own")],
)
def test_a_disk_that_takes_nothing_is_said_with_what_to_do(tmp_path, monkeypatch, number, says):
    def fails(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(places.tempfile, "TemporaryFile", fails)
    with pytest.raises(places.NotWritable, match=f"snakemake/ can't be written here: .*{says}"):
        places.check(tmp_path)


@pytest.mark.parametrize("home", ["/proc/none", "file", ""])
def test_where_home_cannot_be_written_caches_are_in_the_checkout(tmp_path, monkeypatch, home):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / home) if home == "file" else home)
    for variable, _ in places.CACHES:
        monkeypatch.delenv(variable, raising=False)
    places.keep_caches(tmp_path)
    assert home == "" or os.environ["XDG_CACHE_HOME"] == str(tmp_path / ".snakemake/cache")
    monkeypatch.setenv("XDG_CACHE_HOME", "theirs")
    places.keep_caches(tmp_path)
    assert os.environ["XDG_CACHE_HOME"] == "theirs"
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    places.keep_caches(tmp_path)
    assert os.environ["XDG_CACHE_HOME"] == str(tmp_path / ".snakemake/cache")


def test_a_home_that_can_be_written_is_left_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable, _ in places.CACHES:
        monkeypatch.delenv(variable, raising=False)
    places.keep_caches(tmp_path)
    assert "XDG_CACHE_HOME" not in os.environ and not list(tmp_path.iterdir())


@pytest.mark.parametrize("knows_locks", [True, False])
def test_one_process_at_a_time_has_a_lock_also_on_a_disk_without(tmp_path, monkeypatch, knows_locks):
    real = fcntl.flock
    file = tmp_path / "lock"

    def flock(handle, how: int) -> None:
        if Path(handle.name) == file and not knows_locks:
            raise OSError(errno.ENOLCK, "No locks available")
        real(handle, how)

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    held = locks.take(file, wait=False)
    assert held is not None and locks.take(file, wait=False) is None
    held.close()
    again = locks.take(file, wait=True)
    assert again is not None
    again.close()


def test_a_disk_that_cannot_sync_a_folder_takes_files_all_the_same(tmp_path, monkeypatch):
    real = os.fsync

    def fsync(handle: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with new_file(tmp_path / "file") as file:
        file.write(b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"


@pytest.mark.parametrize("name", ["torch.py", "yaml/__init__.py", "random.py"])
def test_a_module_that_hides_a_library_is_named(tmp_path, monkeypatch, name):
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}/nowhere")
    (tmp_path / "nets.py").touch()
    (tmp_path / "data/torch").mkdir(parents=True)
    shadows.refuse()
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(shadows.Shadowed, match=f"{name.partition('/')[0]} has the name of a library.* rename it"):
        shadows.refuse()


def test_a_library_that_was_installed_on_pythonpath_hides_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in ("yaml/__init__.py", "six.py", "PyYAML-6.0.dist-info/METADATA", "six-1.17.dist-info/METADATA"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "PyYAML-6.0.dist-info/RECORD").write_text("yaml/__init__.py,,\nPyYAML-6.0.dist-info/RECORD,,\n")
    (tmp_path / "six-1.17.dist-info/RECORD").write_text("six.py,,\nsix-1.17.dist-info/RECORD,,\n")
    shadows.refuse()
    (tmp_path / "numpy.py").touch()
    with pytest.raises(shadows.Shadowed, match="numpy.py has the name of a library"):
        shadows.refuse()
    (tmp_path / "numpy.py").rename(tmp_path / "enum.py")
    (tmp_path / "six-1.17.dist-info/RECORD").write_text("six.py,,\nenum.py,,\n")  # as enum34 did
    with pytest.raises(shadows.Shadowed, match="enum.py has the name of a library"):
        shadows.refuse()


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "free some space"), (errno.EROFS, "copy the checkout"), (errno.EACCES, "allow it")],
)
def test_a_step_that_cannot_write_says_the_file_and_what_to_do(number, remedy):
    from cnnatomy.steps.job import is_plain, said_of

    error = OSError(number, os.strerror(number), "results/x.json")
    assert is_plain(error) and said_of(error).startswith("results/x.json: ") and remedy in said_of(error)
