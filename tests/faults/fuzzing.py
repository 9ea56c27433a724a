"""Damaged files by the thousand: a reader may refuse them, and do nothing else.

A reader's test is `survives(reader, {"name": content, ...})`: each content is changed at random and read. `make test`
does it `CASES` times for each reader, `make faults` twenty thousand times. A case that fails is named with its number,
and `damaged(content, chance(name, number))` makes it again.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from cnnatomy.data.errors import DataError

CASES = int(os.environ.get("CNNATOMY_FUZZ", "500"))
SECONDS = 1.0  # of processor time for one file
MEMORY = 500  # MB more than before

#: Numbers that headers lie with.
LIES = (
    0,
    1,
    2,
    3,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    100_000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)


def chance(name: str, number: int) -> np.random.Generator:
    """What a case is drawn from."""
    return np.random.default_rng((zlib.crc32(name.encode()), number))


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """A content with one to four changes, most of them near its beginning, where headers are."""
    found = bytearray(content)
    for _ in range(random.integers(1, 5)):
        size = len(found)
        if not size:
            break
        place = int(min(random.integers(0, size), random.integers(0, size)))
        length = int(random.integers(1, min(64, size) + 1))
        what = random.integers(0, 9)
        if what == 0:
            found[place] ^= 1 << int(random.integers(0, 8))
        elif what == 1:
            found[place] = int(random.integers(0, 256))
        elif what == 2:
            del found[place:]
        elif what == 3:
            del found[place : place + length]
        elif what == 4:
            found[place:place] = found[place : place + length] * int(random.integers(1, 20))
        elif what == 5:
            found[place:place] = random.bytes(length)
        elif what == 6:
            other = int(random.integers(0, size))
            found[place : place + length] = found[other : other + length]
        else:
            lie, kind = int(random.choice(LIES)), str(random.choice(["<B", "<H", ">H", "<I", ">I"]))
            packed = struct.pack(kind, lie & (256 ** struct.calcsize(kind) - 1))
            found[place : place + len(packed)] = packed
    return bytes(found)


def survives(read: Callable[[bytes], object], contents: Mapping[str, bytes], cases: int = CASES) -> Counter[str]:
    """Read damaged contents; how many were read, and how many refused.

    Fails where anything but a DataError comes of it, where its message is empty or of several lines, where one takes
    more than `SECONDS` or `MEMORY`. Each content is read undamaged first.
    """
    outcomes: Counter[str] = Counter()
    for content in contents.values():
        read(content)
    names = list(contents)
    for number in range(cases):
        name = names[number % len(names)]
        content = damaged(contents[name], chance(name, number))
        before = _memory_from_here()
        began = time.process_time()
        try:
            read(content)
            outcomes["read"] += 1
        except DataError as error:
            assert str(error) and "\n" not in str(error), (name, number, str(error))
            outcomes["refused"] += 1
        except BaseException as error:
            raise AssertionError(f"case {number} of {name}: {type(error).__name__}: {error}") from error
        took = time.process_time() - began
        assert took < SECONDS, f"case {number} of {name} took {took:.1f} s"
        more = _most_memory() - before
        assert more < MEMORY, f"case {number} of {name} took {more} MB"
    return outcomes


def _memory_from_here() -> int:
    """MB in use; what is the most from now on is told by `_most_memory`."""
    Path("/proc/self/clear_refs").write_text("5")
    return _told("VmRSS")


def _most_memory() -> int:
    return _told("VmHWM")


def _told(what: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(what))
