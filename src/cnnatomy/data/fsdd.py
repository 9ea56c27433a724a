"""Free Spoken Digit Dataset (Jackson et al.): ten English digits, 50 times each by six men, 8,000 Hz."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnatomy.data import archive, sounds
from cnnatomy.data.errors import DamagedData
from cnnatomy.data.fetching import Into
from cnnatomy.data.origin import Origin
from cnnatomy.data.sounds import DIGITS, Clip, Spectrogram
from cnnatomy.data.sources import File
from cnnatomy.data.unpack import tar_members

RECORDINGS = "recordings/"
NAME = re.compile(r"recordings/(\d)_([a-z]+)_(\d+)\.wav")

#: Each speaker's accent, from the dataset's own metadata.py; all six are men.
ACCENTS = {
    "george": "Greek",
    "jackson": "American",
    "lucas": "German",
    "nicolas": "Belgian French",
    "theo": "American",
    "yweweler": "German",
}


def fetch(
    into: Into,
    *,
    files: Mapping[str, str],
    https: Sequence[str],
    licence: str,
    citation: str,
) -> None:
    """Write the raw zip with the recordings. Raises NoSource."""
    packed = File("fsdd-1.0.10.tar.gz", (RECORDINGS,), lambda path: tar_members(path, _recording), https)
    contents = into.collect(files, [packed])
    into.write(contents, licence, citation)


def prepare(
    raw: Path,
    folder: Path,
    *,
    digest: str,
    test: Sequence[int],
    validation: Sequence[int],
    spectrogram: Mapping[str, Any],
) -> None:
    """Log-mel pictures. A recording's index says its split: `test` and `validation` are [first, last] of them.

    The official test is [0, 4]. The speakers are the same in all three: it says how well a known voice is understood.
    """
    with archive.Raw(raw) as source:
        spoken = clips(source, test, validation)
        sounds.write(folder, spoken, DIGITS, Origin(source, digest), Spectrogram.of(spectrogram))


def clips(source: archive.Raw, test: Sequence[int], validation: Sequence[int]) -> list[Clip]:
    """The recordings in a raw zip, each in its split. Raises DamagedData for one whose name doesn't say what it is."""
    held_out = {"test": test, "validation": validation}
    found = []
    for name in source.names:
        if not name.startswith(RECORDINGS):
            continue
        parts = NAME.fullmatch(name)
        if parts is None:
            raise DamagedData(
                f"{source.path}: {name} isn't named like recordings/7_jackson_32.wav. Take it out of the file."
            )
        digit, speaker, index = int(parts[1]), parts[2], int(parts[3])
        split = next((name for name, (first, last) in held_out.items() if first <= index <= last), "train")
        about = {"voice": speaker, "sex": "male", "accent": ACCENTS.get(speaker, ""), "rate": "", "pitch": ""}
        found.append(Clip(split, digit, f"{speaker}/{digit}/{index}", name, about))
    return found


def _recording(member: str) -> str | None:
    """The recordings, in whatever folder the archive has them."""
    name = RECORDINGS + member.rpartition("/")[2]
    return name if NAME.fullmatch(name) and f"/{member}".endswith(f"/{name}") else None
