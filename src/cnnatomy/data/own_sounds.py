"""A user's own recordings, a folder of each class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cnnatomy.data import archive, own, sounds
from cnnatomy.data.sounds import Clip, Spectrogram

SUFFIXES = (".wav", ".flac", ".ogg")


def fetch(
    target: Path,
    *,
    mirror: str | None,
    digest: str,
    path: str,
    licence: str,
    citation: str,
    splits: Mapping[str, str] | bool | None = None,
) -> None:
    """Write the raw zip with the sounds in the folder `path`, `<class>/…` or `<split>/<class>/…`.

    They become wav files of one channel, which a page can play; flac and ogg get `.wav` behind their names.
    Raises DataError, and DamagedData for what is no sound.
    """
    files = own.packed(path, SUFFIXES, splits)
    archive.write(
        target,
        Playable(files),
        digest=digest,
        licence=licence,
        citation=citation,
        left_out=files.left_out,
        layout=files.layout,
    )


class Playable(Mapping[str, bytes]):
    """Recordings by name, each made playable when it is asked for."""

    def __init__(self, recordings: Mapping[str, bytes]) -> None:
        self._recordings = recordings
        self._names = {name if name.lower().endswith(".wav") else f"{name}.wav": name for name in recordings}

    def __getitem__(self, name: str) -> bytes:
        return sounds.playable(self._recordings[self._names[name]], self._names[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def prepare(
    raw: Path, folder: Path, *, digest: str, validation: float, test: float, spectrogram: Mapping[str, Any]
) -> None:
    """Log-mel pictures of a window of each clip, resampled where another sample rate is asked for.

    Split as folders say, or by content: see `own.splits`. Raises DataError, and DamagedData for what is no sound.
    """
    with archive.Raw(raw) as source:
        files, classes, left_out = own.sorted_out(source, validation, test)
        clips = [Clip(file.split, classes.index(file.label), file.name, file.name, {}) for file in files]
        how = Spectrogram(**spectrogram)
        sounds.write(folder, clips, classes, source, how, digest=digest, resample=True, left_out=left_out)
