"""Mirror, https and package, each of them absent, broken, lying or slow: the next is asked, the message says why."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import sys
import tarfile
import threading
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cnnatomy.data import download as downloading
from cnnatomy.data import sources
from cnnatomy.data.errors import DataError, NoSource
from cnnatomy.data.sources import File, Wheel, collect, fingerprint
from cnnatomy.data.unpack import gunzipped, zip_members

CONTENT = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(30_000))  # 960 kB that don't shrink
PACKED = gzip.compress(CONTENT, mtime=0)
WANTED = {"digits": hashlib.sha256(CONTENT).hexdigest()}
PAGE = b"<!doctype html><title>Moved</title>"


class Server:
    """A web server on this machine. `answers` says, for each request in turn, what to do; the last one is repeated."""

    def __init__(self) -> None:
        self.answers: list[Callable[[BaseHTTPRequestHandler], None]] = [whole]
        self.ranges: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.ranges.append(self.headers["Range"])
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.close_connection = True
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No mirror from the environment, no proxy, and no waiting between tries."""
    monkeypatch.delenv("CNNATOMY_MIRROR", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(downloading.time, "sleep", lambda _: None)


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def whole(handler: BaseHTTPRequestHandler, body: bytes = PACKED) -> None:
    """A good server: the rest from where it was asked, or all of it."""
    asked = re.fullmatch(r"bytes=(\d+)-", handler.headers["Range"] or "")
    start = int(asked[1]) if asked else 0
    if start >= len(body):
        send(handler, 416, b"")
    elif asked:
        send(handler, 206, body[start:], Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
    else:
        send(handler, 200, body)


def ignores_range(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, PACKED)


def breaks_off(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, PACKED[: len(PACKED) // 2], length=len(PACKED))


def calls_it_encoded(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, PACKED, Content_Encoding="gzip")


def answers(status: int, body: bytes = b"sorry") -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: send(handler, status, body)


def file(*urls: str, name: str = "digits.gz") -> File:
    return File(
        name, ["digits"], lambda path: [("digits", gunzipped(path.read_bytes()))], [f"{url}/{name}" for url in urls]
    )


def get(tmp_path: Path, *urls: str, mirror: str | None = None, wheel: Wheel | None = None) -> bytes:
    return collect(WANTED, [file(*urls)], wheel, mirror=mirror, target=tmp_path / "raw" / "toy.zip")["digits"]


def left(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "raw").rglob("*") if path.is_file()]


def mirror_with(folder: Path, content: bytes, name: str = "digits.gz") -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return str(folder)


# A folder as mirror


def test_a_mirror_is_asked_first(tmp_path: Path, server: Server):
    assert get(tmp_path, server.url, mirror=mirror_with(tmp_path / "mirror", PACKED)) == CONTENT
    assert not server.ranges and not left(tmp_path)


def test_the_environment_names_a_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CNNATOMY_MIRROR", mirror_with(tmp_path / "mirror", PACKED))
    assert get(tmp_path) == CONTENT


def test_content_counts_and_not_how_it_was_packed(tmp_path: Path):
    assert get(tmp_path, mirror=mirror_with(tmp_path / "mirror", gzip.compress(CONTENT, 1))) == CONTENT


@pytest.mark.parametrize("content", [b"", PAGE, PACKED[:1000], gzip.compress(b"other", mtime=0), b"\x1f\x8b nothing"])
def test_what_differs_is_never_used(tmp_path: Path, server: Server, content: bytes):
    assert get(tmp_path, server.url, mirror=mirror_with(tmp_path / "mirror", content)) == CONTENT


def test_a_url_as_mirror(tmp_path: Path, server: Server):
    assert get(tmp_path, mirror=f"{server.url}/") == CONTENT
    assert not left(tmp_path)


# https


def test_an_interrupted_download_goes_on(tmp_path: Path, server: Server):
    server.answers = [breaks_off, whole]
    assert get(tmp_path, server.url) == CONTENT
    assert server.ranges == [None, f"bytes={len(PACKED) // 2}-"]
    assert not left(tmp_path)


def test_a_killed_run_s_download_goes_on(tmp_path: Path, server: Server):
    """The server breaks off at every try; what had arrived stays, and the next run asks for the rest only."""
    server.answers = [breaks_off, answers(503)]
    with pytest.raises(NoSource, match="HTTP 503"):
        get(tmp_path, server.url)
    assert [path.suffix for path in left(tmp_path)] == [".part"]
    server.answers = [whole]
    server.ranges.clear()
    assert get(tmp_path, server.url) == CONTENT
    assert server.ranges == [f"bytes={len(PACKED) // 2}-"]
    assert not left(tmp_path)


def test_a_server_that_cannot_go_on_starts_anew(tmp_path: Path, server: Server):
    server.answers = [breaks_off, ignores_range]
    assert get(tmp_path, server.url) == CONTENT
    assert len(server.ranges) == 2


def test_what_was_downloaded_outlives_a_stop_while_it_is_unpacked(tmp_path: Path, server: Server):
    def stopped(path: Path):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopping = File("digits.gz", ["digits"], stopped, [f"{server.url}/digits.gz"])
        collect(WANTED, [stopping], None, mirror=None, target=tmp_path / "raw" / "toy.zip")
    assert get(tmp_path, server.url) == CONTENT
    assert server.ranges == [None, f"bytes={len(PACKED)}-"], "the next run asks for nothing but what is missing"
    assert not list((tmp_path / "raw").iterdir())


@pytest.mark.parametrize("rest", [b"rubbish", PACKED[:100] + b"x" * 100, b"x" * (len(PACKED) + 7)])
def test_a_rest_that_does_not_fit_is_thrown_away(tmp_path: Path, server: Server, rest: bytes):
    """Something of another file lies there: the download is made once more from the start."""
    server.answers = [breaks_off, answers(503)]
    with pytest.raises(NoSource):
        get(tmp_path, server.url)
    left(tmp_path)[0].write_bytes(rest)
    server.answers = [whole]
    assert get(tmp_path, server.url) == CONTENT
    assert not left(tmp_path)


def test_a_whole_rest_is_used(tmp_path: Path, server: Server):
    """Killed between the last byte and the unpacking."""
    server.answers = [breaks_off, answers(503)]
    with pytest.raises(NoSource):
        get(tmp_path, server.url)
    left(tmp_path)[0].write_bytes(PACKED)
    server.answers = [whole]
    assert get(tmp_path, server.url) == CONTENT


def test_a_server_that_is_busy_is_asked_again(tmp_path: Path, server: Server):
    server.answers = [answers(503), answers(429), whole]
    assert get(tmp_path, server.url) == CONTENT
    assert len(server.ranges) == 3


def test_a_file_that_is_not_there_is_not_asked_for_again(tmp_path: Path, server: Server):
    server.answers = [answers(404)]
    with pytest.raises(NoSource, match="HTTP 404"):
        get(tmp_path, server.url)
    assert len(server.ranges) == 1


def test_bytes_are_taken_as_stored(tmp_path: Path, server: Server):
    """Some servers call a .gz file the gzip encoding of what is in it."""
    server.answers = [calls_it_encoded]
    assert get(tmp_path, server.url) == CONTENT


def test_a_page_instead_of_a_file_is_called_so(tmp_path: Path, server: Server):
    server.answers = [answers(200, PAGE)]
    with pytest.raises(NoSource, match=r'HTML page instead of a file \("Moved"\)'):
        get(tmp_path, server.url)
    assert not left(tmp_path)


def test_a_server_that_always_breaks_off(tmp_path: Path, server: Server):
    server.answers = [lambda handler: send(handler, 200, b"", length=100)]
    with pytest.raises(NoSource, match="broke off"):
        get(tmp_path, server.url)
    assert len(server.ranges) == downloading.TRIES


def test_a_silent_server_is_given_up(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(downloading, "READ_SECONDS", 0.2)
    monkeypatch.setattr(downloading, "TRIES_TO_REACH", 1)
    stop = threading.Event()
    server.answers = [lambda handler: stop.wait(5)]
    try:
        with pytest.raises(NoSource, match="sent nothing"):
            get(tmp_path, server.url)
    finally:
        stop.set()


def test_a_server_that_cannot_be_reached_is_tried_twice_and_not_for_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tried: list[str] = []
    transfer = downloading._transfer

    def counted(url: str, *rest: object) -> None:
        tried.append(url)
        transfer(url, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(downloading, "_transfer", counted)
    files = [File(name, [name], lambda path: [], [f"http://127.0.0.1:9/{name}"]) for name in ("a", "b", "c")]
    with pytest.raises(NoSource, match=r"127\.0\.0\.1:9: connection refused \(a, b, c\)"):
        collect(dict.fromkeys("abc", "0"), files, None, mirror=None, target=tmp_path / "toy.zip")
    assert tried == ["http://127.0.0.1:9/a"] * 2


def test_the_second_server_is_asked(tmp_path: Path, server: Server):
    assert get(tmp_path, "http://127.0.0.1:9", server.url) == CONTENT


def test_a_full_disk_stops_it(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(downloading, "_transfer", full)
    with pytest.raises(DataError, match="No space left"):
        get(tmp_path, server.url)


# A file whose own hash is pinned, and nothing of what is in it


def pinned(*urls: str, unpacked: list[Path] | None = None, content: bytes = PACKED) -> File:
    def unpack(path: Path) -> Iterator[tuple[str, bytes]]:
        (unpacked if unpacked is not None else []).append(path)
        yield "digits", gunzipped(path.read_bytes())

    sha256 = hashlib.sha256(content).hexdigest()
    return File("digits.gz", ["digits"], unpack, [f"{url}/digits.gz" for url in urls], pinned=sha256)


def get_pinned(tmp_path: Path, file: File, mirror: str | None = None) -> bytes:
    return collect({"digits": None}, [file], None, mirror=mirror, target=tmp_path / "raw" / "toy.zip")["digits"]


def test_nothing_is_unpacked_of_a_file_of_another_hash(tmp_path: Path):
    """Packed in another way, the same content is another file."""
    unpacked: list[Path] = []
    mirror = mirror_with(tmp_path / "mirror", gzip.compress(CONTENT, 1))
    with pytest.raises(NoSource, match="the SHA-256 of digits.gz isn't the pinned one"):
        get_pinned(tmp_path, pinned(unpacked=unpacked), mirror)
    assert not unpacked and not left(tmp_path)
    assert get_pinned(tmp_path, pinned(), mirror_with(tmp_path / "mirror", PACKED)) == CONTENT


def test_the_next_server_goes_on_where_the_last_one_broke_off(tmp_path: Path, server: Server):
    """Every server must have the same bytes, and two gigabytes are not fetched twice."""
    server.answers = [breaks_off, answers(404), whole]
    assert get_pinned(tmp_path, pinned(f"{server.url}/one", f"{server.url}/other")) == CONTENT
    assert server.ranges == [None, *[f"bytes={len(PACKED) // 2}-"] * 2]
    assert not left(tmp_path)


def test_a_slow_download_says_that_the_next_run_goes_on(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(downloading, "CHUNK", len(PACKED) // 2)
    monkeypatch.setattr(downloading, "TOTAL_SECONDS", 0)
    with pytest.raises(NoSource, match="not done after 0 s; 0 MB are kept, and the next run goes on from there"):
        get_pinned(tmp_path, pinned(server.url))
    monkeypatch.undo()
    monkeypatch.delenv("CNNATOMY_MIRROR", raising=False)
    assert get_pinned(tmp_path, pinned(server.url)) == CONTENT
    assert server.ranges == [None, f"bytes={len(PACKED) // 2}-"]


def test_contents_are_read_one_at_a_time_and_kept_on_the_disk(tmp_path: Path):
    """Of a hundred contents of a megabyte the process never holds more than a few."""
    packed = File("all", ["sounds/"], lambda path: ((f"sounds/{i}", bytes([i]) * (1 << 20)) for i in range(100)))
    mirror = mirror_with(tmp_path / "mirror", b"x", "all")
    tracemalloc.start()
    try:
        found = collect({"sounds/": None}, [packed], None, mirror=mirror, target=tmp_path / "raw" / "toy.zip")
        assert tracemalloc.get_traced_memory()[1] < 5 << 20
    finally:
        tracemalloc.stop()
    assert not left(tmp_path)
    assert all(found[f"sounds/{i}"] == bytes([i]) * (1 << 20) for i in (0, 57, 99))
    assert len(found) == 100


# The package index


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


NAME = "toy_digits-1.0-py3-none-any.whl"


def make_wheel(folder: Path, content: bytes = CONTENT) -> Wheel:
    with zipfile.ZipFile(folder / NAME, "w") as archive:
        archive.writestr("toy_digits/digits", content)
        archive.writestr("toy_digits/__init__.py", "raise SystemExit('imported')")
        archive.writestr("toy_digits-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy-digits\nVersion: 1.0\n")
        archive.writestr(
            "toy_digits-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("toy_digits-1.0.dist-info/RECORD", "")
    pinned = hashlib.sha256((folder / NAME).read_bytes()).hexdigest()

    def unpack(path: Path) -> Iterator[tuple[str, bytes]]:
        return zip_members(path, lambda name: "digits" if name == "toy_digits/digits" else None)

    return Wheel("toy-digits==1.0", {NAME: pinned}, ["digits"], unpack)


def test_a_wheel_is_the_last_resort(tmp_path: Path, index: Path):
    assert get(tmp_path, "http://127.0.0.1:9", mirror=str(tmp_path / "nowhere"), wheel=make_wheel(index)) == CONTENT
    assert "toy_digits" not in sys.modules


def test_a_wheel_in_the_mirror(tmp_path: Path):
    (tmp_path / "mirror").mkdir()
    assert get(tmp_path, mirror=str(tmp_path / "mirror"), wheel=make_wheel(tmp_path / "mirror")) == CONTENT


def test_a_wheel_on_a_server_that_is_a_mirror(tmp_path: Path, server: Server):
    (tmp_path / "made").mkdir()
    wheel = make_wheel(tmp_path / "made")
    content = (tmp_path / "made" / NAME).read_bytes()
    server.answers = [answers(404), lambda handler: whole(handler, content)]
    assert get(tmp_path, mirror=server.url, wheel=wheel) == CONTENT


def test_a_wheel_with_another_hash_is_refused(tmp_path: Path, index: Path):
    wheel = make_wheel(index)
    make_wheel(index, CONTENT + b"!")
    with pytest.raises(NoSource, match=f"package: the SHA-256 of {NAME} isn't the pinned one"):
        get(tmp_path, wheel=wheel)


def test_a_wheel_of_another_name_is_refused(tmp_path: Path, index: Path):
    wheel = make_wheel(index)
    (index / NAME).rename(index / NAME.replace("py3", "py2.py3"))
    with pytest.raises(NoSource, match=f"py2.py3.* came, but only {NAME} is known"):
        get(tmp_path, wheel=wheel)


def test_source_distributions_are_never_built(tmp_path: Path, index: Path):
    """Building one runs code of its own."""
    wheel = make_wheel(index)
    (index / NAME).unlink()
    witness = tmp_path / "witness"
    project = "[build-system]\nrequires = []\nbuild-backend = 'build'\nbackend-path = ['.']\n"
    with tarfile.open(index / "toy_digits-1.0.tar.gz", "w:gz") as archive:
        for name, text in {
            "pyproject.toml": project,
            "build.py": f"open({str(witness)!r}, 'w')",
            "PKG-INFO": "Metadata-Version: 2.1\nName: toy-digits\nVersion: 1.0\n",
        }.items():
            member = tarfile.TarInfo(f"toy_digits-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    with pytest.raises(NoSource, match="package: pip: ERROR: .*toy-digits"):
        get(tmp_path, wheel=wheel)
    assert not witness.exists()


def test_no_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Path):
    bare = tmp_path / "python"
    bare.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sources.sys, "executable", str(bare))
    with pytest.raises(NoSource, match="No module named pip"):
        get(tmp_path, wheel=make_wheel(index))


# Nothing helps


def test_one_message_says_it_all(tmp_path: Path, server: Server, index: Path):
    wheel = make_wheel(index)
    (index / NAME).unlink()
    server.answers = [answers(200, gzip.compress(b"another file"))]
    with pytest.raises(NoSource) as caught:
        get(tmp_path, "http://127.0.0.1:9/far", server.url, mirror=str(tmp_path), wheel=wheel)
    message = str(caught.value).splitlines()
    assert message[0] == "toy: no source has digits. Tried, in this order:"
    assert message[1] == f"  mirror {tmp_path}: no such file there (digits.gz, {NAME})"
    assert message[2] == "  https http://127.0.0.1:9/far: connection refused (digits.gz)"
    assert message[3] == f"  https {server.url}: the SHA-256 of digits isn't the pinned one (digits.gz)"
    assert message[4].startswith("  package: pip: ERROR: ") and message[4].endswith("(toy-digits==1.0)")
    for needed in (
        "CNNATOMY_MIRROR=<folder or URL>",
        "data.mirror=<folder or URL>",
        "digits.gz",
        NAME,
        "Nothing was written",
    ):
        assert needed in message[-1]
    assert not left(tmp_path)


def test_without_a_mirror_the_message_says_so(tmp_path: Path):
    with pytest.raises(NoSource, match="mirror: none is set"):
        get(tmp_path)


def test_half_of_it_from_here_and_half_from_there(tmp_path: Path, server: Server):
    """Each file has its own way; a mirror that has one of two is of use."""
    contents = {name: name.encode() * 100 for name in ("one", "two")}
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    files = [
        File(
            f"{name}.gz",
            [name],
            lambda path, name=name: [(name, gunzipped(path.read_bytes()))],
            [f"{server.url}/{name}.gz"],
        )
        for name in contents
    ]
    server.answers = [lambda handler: whole(handler, gzip.compress(contents["two"]))]
    mirror = mirror_with(tmp_path / "mirror", gzip.compress(contents["one"]), "one.gz")
    assert collect(wanted, files, None, mirror=mirror, target=tmp_path / "toy.zip") == contents
    assert len(server.ranges) == 1


def test_a_folder_is_verified_as_a_whole(tmp_path: Path):
    good = {"sounds/b.wav": b"b", "sounds/a.wav": b"a"}
    listing = "".join(f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in [("a.wav", b"a"), ("b.wav", b"b")])
    pinned = hashlib.sha256(listing.encode()).hexdigest()
    assert fingerprint(good, "sounds/") == pinned

    def collected(contents: dict[str, bytes]) -> dict[str, bytes]:
        packed = File("all", ["sounds/"], lambda path: contents.items())
        mirror = mirror_with(tmp_path / "mirror", b"x", "all")
        return dict(collect({"sounds/": pinned}, [packed], None, mirror=mirror, target=tmp_path / "toy.zip"))

    assert collected(good | {"elsewhere/c.wav": b"c"}) == good
    for bad in (good | {"sounds/c.wav": b"c"}, {"sounds/a.wav": b"a"}, good | {"sounds/a.wav": b"A"}, {}):
        with pytest.raises(NoSource):
            collected(bad)
