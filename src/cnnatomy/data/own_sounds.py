"""A user's own recordings, a folder of each class."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnatomy.data import archive, own, recordings, sounds
from cnnatomy.data.errors import DamagedData
from cnnatomy.data.fetching import Into
from cnnatomy.data.left_out import shortened
from cnnatomy.data.naming import Labels
from cnnatomy.data.origin import Origin
from cnnatomy.data.sounds import Clip, Spectrogram
from cnnatomy.data.spool import Kept, keep

NAMED = 20  # files that a message names of each kind

log = logging.getLogger(__name__)


def fetch(
    into: Into,
    *,
    path: str,
    licence: str,
    citation: str,
    splits: Mapping[str, str] | bool | None = None,
    labels: Labels = None,
) -> None:
    """Write the raw zip with the sounds in the folder `path`, `<class>/…` or `<split>/<class>/…`; see `own.packed`.

    They become wav files of one channel, which a page can play; those of other formats get `.wav` behind their names.
    Raises DataError, and DamagedData for what is no sound, which is named together.
    """
    files = own.packed(path, recordings.suffixes(), splits, labels)
    wavs = _wavs(list(files))
    layout = [part | {"folder": wavs.get(part["folder"], part["folder"])} for part in files.layout]
    playable = Kept(keep(_playable(files, wavs, path), into.path))
    into.write(playable, licence, citation, archive.Notes(files.left_out, layout))


def _wavs(names: Sequence[str]) -> dict[str, str]:
    """What each file is called as a wav."""
    taken, found = set(names), {}
    for name in names:
        new = name
        while not new.lower().endswith(".wav") or (new != name and new in taken):
            new += ".wav"
        taken.add(new)
        found[name] = new
    return found


def _playable(files: Mapping[str, bytes], wavs: Mapping[str, str], path: str) -> Iterator[tuple[str, bytes]]:
    """Each recording by its name in `wavs`, made playable; says what was mended, and raises DamagedData at the end."""
    broken: defaultdict[str, list[str]] = defaultdict(list)
    mended: defaultdict[str, list[str]] = defaultdict(list)
    for name in files:
        try:
            wav, done = recordings.playable(files[name], name)
        except recordings.Unreadable as error:
            broken[error.why].append(name)
            continue
        for what in done:
            mended[what].append(name)
        yield wavs[name], wav
    for what, its in mended.items():
        log.warning("%s: %s: %d (%s)", path, recordings.MENDED[what], len(its), _some(its))
    if broken:
        parts = [f"{_some(its)}: {'each ' if len(its) > 1 else ''}{why}" for why, its in broken.items()]
        raise DamagedData(
            f"{path}: files that can't be read as a sound: {sum(map(len, broken.values()))}. {'; '.join(parts)}. "
            "Take them out, or put good copies in their place."
        )


def _some(names: list[str]) -> str:
    return own.some([shortened(name) for name in names], NAMED)


def prepare(
    raw: Path,
    folder: Path,
    *,
    digest: str,
    validation: float,
    test: float,
    spectrogram: Mapping[str, Any],
    classes: Sequence[str] | None = None,
) -> None:
    """Log-mel pictures of a window of each clip, resampled where another sample rate is asked for.

    Split as folders say, or by content: see `own.splits`; classes: their order, see `own.ordered`. Raises DataError,
    and DamagedData for what is no sound.
    """
    with archive.Raw(raw) as source:
        files, ordered, left_out = own.sorted_out(source, validation, test, classes)
        clips = [Clip(file.split, ordered.index(file.label), file.name, file.name, {}) for file in files]
        how = Spectrogram.of(spectrogram)
        sounds.write(folder, clips, ordered, Origin(source, digest, left_out), how, resample=True)
