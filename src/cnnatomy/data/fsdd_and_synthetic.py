"""The recordings of FSDD and the synthetic voices of `spoken_digits` as one dataset, as FSDD's recordings sound."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnatomy.data import archive, fsdd, sounds, spoken_digits
from cnnatomy.data.fetching import Into
from cnnatomy.data.origin import Origin
from cnnatomy.data.sounds import DIGITS, Spectrogram


def fetch(
    into: Into,
    *,
    recorded: Mapping[str, Any],
    synthetic: Mapping[str, Any],
    licence: str,
    citation: str,
) -> None:
    """Write one raw zip with all files of both, each dataset fetched as its own configuration says.

    recorded, synthetic: the whole configuration of `fsdd` and of `spoken_digits`. Raises what their `fetch` raises.
    """
    from hydra.utils import instantiate

    contents: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory(prefix="cnnatomy-") as folder:
        for data in (recorded, synthetic):
            part = Path(folder) / f"{data['raw']}.zip"
            instantiate(data["fetch"], replace(into, path=part))
            with archive.Raw(part) as raw:
                contents |= {name: raw.read(name) for name in raw.names}
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
    """Log-mel pictures; the sounds of a higher sample rate are resampled, so that they have lost what is above.

    Recordings are split as `fsdd` splits them, and all synthetic voices are for training. The column `source` says
    which a clip is, `recorded` or `synthetic`.
    """
    with archive.Raw(raw) as source:
        clips = [
            *_from("recorded", fsdd.clips(source, test, validation)),
            *_from("synthetic", spoken_digits.clips(source, validation=(), test=())),
        ]
        picture = Spectrogram.of(spectrogram)
        sounds.write(folder, clips, DIGITS, Origin(source, digest), picture, resample=True)


def _from(source: str, clips: Sequence[sounds.Clip]) -> Iterator[sounds.Clip]:
    return (replace(clip, about=clip.about | {"source": source}) for clip in clips)
