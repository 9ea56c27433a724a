"""A user's own images, a folder of each class."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cnnatomy.data import archive, images, own
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.prepared import SPLITS

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")

log = logging.getLogger(__name__)


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
    """Write the raw zip with the images in the folder `path`, `<class>/…` or `<split>/<class>/…`. Raises DataError."""
    files = own.packed(path, SUFFIXES, splits)
    archive.write(
        target, files, digest=digest, licence=licence, citation=citation, left_out=files.left_out, layout=files.layout
    )


def prepare(raw: Path, folder: Path, *, digest: str, size: int, colour: bool, validation: float, test: float) -> None:
    """Images uint8 (n, 1 or 3, size, size): the middle square of each, scaled; in grey, or in `colour`.

    Split as folders say, or by content: see `own.splits`. Raises DataError, and DamagedData for images that can't be
    read, which are named together.
    """
    if type(size) is not int or size < 1:
        raise DataError(f"data.prepare.size is {size!r}; it is the side of the images in pixels, such as 64.")
    with archive.Raw(raw) as source:
        files, classes, left_out = own.sorted_out(source, validation, test)
        pixels = np.empty((len(files), 3 if colour else 1, size, size), np.uint8)
        sizes: set[tuple[int, int]] = set()
        unreadable: list[str] = []
        for place, file in enumerate(files):
            try:
                pixels[place], was = images.square(source.read(file.name), size, file.name, colour)
                sizes.add(was)
            except DamagedData as error:
                unreadable.append(str(error))
        if unreadable:
            raise DamagedData(f"{own.some(unreadable)} Take them out, or put good copies in their place.")
        if sizes != {(size, size)}:
            ends = sorted(sizes, key=lambda sides: sides[0] * sides[1])[:: max(1, len(sizes) - 1)]
            were = " to ".join(" × ".join(map(str, sides)) for sides in ends)
            log.warning("%s: images of %s are scaled to %d × %d, the middle square of each", raw.stem, were, size, size)
        labels = np.array([classes.index(file.label) for file in files])
        chosen = {split: np.array([file.split == split for file in files]) for split in SPLITS}
        images.write(
            folder,
            {split: (pixels[rows], labels[rows]) for split, rows in chosen.items() if rows.any()},
            classes,
            source,
            digest=digest,
            ids={split: [file.name for file in files if file.split == split] for split in SPLITS},
            left_out=left_out,
        )
