"""One file over https: time-outs, retries, and what an interrupted download left is resumed."""

from __future__ import annotations

import itertools
import logging
import time
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3

from cnnatomy.data.errors import DataError
from cnnatomy.data.files import CHUNK, explained

TRIES, TRIES_TO_REACH = 4, 2
CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 10, 30, 3600

log = logging.getLogger(__name__)


class Unreachable(Exception):
    """A source can't be reached, or doesn't have the file."""


def download(url: str, part: Path, silent: dict[str, str]) -> None:
    """Download `url` into `part`, going on from the bytes that are there.

    silent: servers that could not be reached, and why; they aren't asked again, and what this call finds is added.

    Raises Unreachable, and leaves in `part` what had arrived until then. Raises DataError when the disk is full.
    """
    host = urlsplit(url).netloc
    if host in silent:
        raise Unreachable(silent[host])
    deadline = time.monotonic() + TOTAL_SECONDS
    for tried in itertools.count(1):
        try:
            with explained(part):
                return _transfer(url, part, deadline)
        except DataError:
            part.unlink(missing_ok=True)  # the disk is full: give back what this took
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            reason = _reason(error)
            reached = isinstance(error, requests.HTTPError) or part.exists()
            final = isinstance(error, requests.HTTPError) and not _temporary(error.response.status_code)
            if final or tried == (TRIES if reached else TRIES_TO_REACH) or time.monotonic() > deadline:
                if not reached:
                    silent[host] = reason
                raise Unreachable(reason) from error
            log.info("%s: %s; trying again", url, reason)
            time.sleep(2.0 ** (tried - 2))


def _transfer(url: str, part: Path, deadline: float) -> None:
    """One try. Bytes are taken as they are stored, even if the server calls them a gzip encoding of something else."""
    part.parent.mkdir(parents=True, exist_ok=True)
    start = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity", "User-Agent": "cnnatomy"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with requests.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response:
        if response.status_code == 416:
            return  # nothing comes after what is there: it is whole, or it is of another file; its hash will tell
        response.raise_for_status()
        sent = response.headers.get("Content-Range", "")
        goes_on = response.status_code == 206 and sent.startswith(f"bytes {start}-")
        with part.open("ab" if goes_on else "wb") as file:
            for chunk in response.raw.stream(CHUNK, decode_content=False):
                file.write(chunk)
                if time.monotonic() > deadline:
                    kept = f"{file.tell() / 1e6:.0f} MB are kept, and the next run goes on from there"
                    raise requests.Timeout(f"not done after {TOTAL_SECONDS} s; {kept}")


def _temporary(status: int) -> bool:
    return status in (408, 425, 429) or status >= 500


def _reason(error: Exception) -> str:
    """Why, in a few words; requests wraps the cause in two or three layers of other errors."""
    if isinstance(error, requests.HTTPError):
        return f"HTTP {error.response.status_code} {error.response.reason}"
    layers: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(layers) < 8:
        layers.append(f"{type(cause).__name__} {cause}")
        inner = getattr(cause, "reason", None) or (cause.args[0] if cause.args else None)
        cause = inner if isinstance(inner, BaseException) else cause.__cause__ or cause.__context__
    text = " ".join(layers)
    for sign, words in _WORDS.items():
        if sign in text:
            return words
    return f"{type(error).__name__}: {error}"


_WORDS = {
    "NameResolutionError": "the name of the server can't be resolved",
    "ConnectionRefusedError": "connection refused",
    "ConnectTimeout": f"no connection after {CONNECT_SECONDS} s",
    "ReadTimeout": f"the server sent nothing for {READ_SECONDS} s",
    "IncompleteRead": "the server broke off in the middle of the file",
    "SSLError": "the server's certificate can't be trusted",
    "ConnectionResetError": "the connection broke off",
}
