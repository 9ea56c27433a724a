"""Speech Commands (Warden 2018): one-second clips of 35 English words by thousands of speakers, 16,000 Hz."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnatomy.data import archive, sounds
from cnnatomy.data.errors import DamagedData
from cnnatomy.data.fetching import Into
from cnnatomy.data.files import remedy
from cnnatomy.data.origin import Origin
from cnnatomy.data.sounds import Clip, Spectrogram
from cnnatomy.data.sources import File
from cnnatomy.data.unpack import tar_members

CLIPS = "clips/"
LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}

#: A clip in the folder of its word. That of the background noise, which is no word, begins with an underscore.
MEMBER = re.compile(r"(?:\./)?([^/._][^/]*/[^/.][^/]*\.wav)")
NAME = re.compile(r"clips/([^/]+)/([^/]+)_nohash_(\d+)\.wav")


def fetch(
    into: Into,
    *,
    file: str,
    sha256: str,
    https: Sequence[str],
    licence: str,
    citation: str,
) -> None:
    """Write the raw zip with the clips and the two lists of the official split. Raises NoSource.

    sha256: of the packed `file` itself. It is unpacked in one pass, a clip at a time.
    """
    wanted = dict.fromkeys((CLIPS, *LISTS.values()))
    packed = File(file, list(wanted), lambda path: tar_members(path, _renamed), https, pinned=sha256)
    contents = into.collect(wanted, [packed])
    into.write(contents, licence, citation)


def prepare(raw: Path, folder: Path, *, digest: str, spectrogram: Mapping[str, Any]) -> None:
    """Log-mel pictures in the official split: the lists say what is for validation and for the test, the rest trains.

    No speaker is in two of them. Raises DamagedData where names or lists don't say what they should.
    """
    with archive.Raw(raw) as source:
        found, words = clips(source)
        sounds.write(folder, found, words, Origin(source, digest), Spectrogram.of(spectrogram))


def clips(source: archive.Raw) -> tuple[list[Clip], list[str]]:
    """The clips in a raw zip, each in its split, and the words, sorted. Raises DamagedData."""
    files = [name for name in source.names if name.startswith(CLIPS)]
    words = sorted({name.split("/")[1] for name in files})
    place = {word: label for label, word in enumerate(words)}
    splits = _splits(source)
    speakers: dict[str, dict[str, Any]] = {}  # one for all clips of a speaker: there are a hundred thousand clips
    found = []
    for name in files:
        parts = NAME.fullmatch(name)
        if parts is None:
            raise DamagedData(
                f"{source.path}: {name} isn't named like clips/yes/0a7c2a8d_nohash_0.wav. Take it out of the file."
            )
        word, speaker, number = parts.groups()
        about = speakers.setdefault(speaker, {"voice": speaker})
        found.append(Clip(splits.pop(name, "train"), place[word], f"{speaker}/{word}/{number}", name, about))
    if splits:
        name, split = next(iter(splits.items()))
        raise DamagedData(
            f"{source.path}: {LISTS[split]} names {len(splits)} clips that aren't there, first {name}. "
            f"{remedy(source.path)}"
        )
    return found, words


def _splits(source: archive.Raw) -> dict[str, str]:
    """The split of each clip that one of the lists names."""
    return {
        f"{CLIPS}{line}": split for split, name in LISTS.items() for line in source.read(name).decode().splitlines()
    }


def _renamed(member: str) -> str | None:
    """The name in the raw zip of a clip or a list; what else there is stays out."""
    if member.removeprefix("./") in LISTS.values():
        return member.removeprefix("./")
    parts = MEMBER.fullmatch(member)
    return f"{CLIPS}{parts[1]}" if parts else None
