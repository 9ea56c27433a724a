"""A user's own images, a folder of each class."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cnnatomy.data import archive, fitting, images, own, pictures
from cnnatomy.data.errors import DamagedData
from cnnatomy.data.fitting import FITS, Fit
from cnnatomy.data.left_out import shortened
from cnnatomy.data.pictures import Depth
from cnnatomy.data.prepared import SPLITS

NAMED = 20  # files that a message names of each kind

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
    files = own.packed(path, pictures.SUFFIXES, splits)
    archive.write(
        target,
        files,
        digest=digest,
        licence=licence,
        citation=citation,
        left_out=files.left_out,
        layout=files.layout,
    )


def prepare(
    raw: Path,
    folder: Path,
    *,
    digest: str,
    size: int | Sequence[int],
    colour: bool,
    fit: Fit,
    range: Sequence[float] | None,
    normalise: str,
    validation: float,
    test: float,
) -> None:
    """Images uint8 (n, 1 or 3, height, width), in grey or in `colour`; see `pictures.pixels` for `fit`.

    size: a side, or height and width. range: values that are black and white, of all images; of more than 8 bits the
    least and the greatest of the training images unless given. normalise: by the "data", or as networks trained on
    "imagenet" want it. Split as folders say, or by content: see `own.splits`.

    Raises DataError, and DamagedData for images that can't be read, which are named together.
    """
    settings = {"size": size, "colour": colour, "fit": fit, "range": range, "normalise": normalise}
    fitting.check(settings)
    shape, given = fitting.shape(size), fitting.ends(range)
    with archive.Raw(raw) as source:
        files, classes, left_out = own.sorted_out(source, validation, test)
        pixels = np.empty((len(files), 3 if colour else 1, *shape), np.uint8)
        sizes: set[tuple[int, int]] = set()
        depths: dict[Depth, list[str]] = defaultdict(list)
        ranges: list[tuple[float, float]] = []
        moving: list[str] = []
        unreadable: dict[str, list[str]] = defaultdict(list)
        later: list[int] = []  # those whose scale is known when all are read
        for place, file in enumerate(files):
            try:
                picture = pictures.read(source.read(file.name), file.name)
            except pictures.Unreadable as error:
                unreadable[error.why].append(file.name)
                continue
            sizes.add(picture.size)
            depths[picture.depth].append(file.name)
            moving += [file.name] * picture.moving
            if picture.depth != "8 bits" and file.split == "train":
                ranges.append(picture.range)
            if given is None and isinstance(picture.values, np.ndarray):
                later.append(place)
            else:
                pixels[place] = pictures.pixels(picture, shape, colour=colour, fit=fit, scale=given)
        _refuse(raw.stem, unreadable)
        scale = given or pictures.span(ranges, depths)
        for place in later:
            picture = pictures.read(source.read(files[place].name), files[place].name)
            pixels[place] = pictures.pixels(picture, shape, colour=colour, fit=fit, scale=scale)
        if scale is not None:
            log.warning("%s: the value %g is black and %g is white, in all images", raw.stem, *scale)
        if moving:
            log.warning("%s: of moving images the first picture is taken: %s", raw.stem, _some(moving))
        _say_sizes(raw.stem, sizes, shape, fit)
        labels = np.array([classes.index(file.label) for file in files])
        chosen = {split: np.array([file.split == split for file in files]) for split in SPLITS}
        images.write(
            folder,
            {split: (pixels[rows], labels[rows]) for split, rows in chosen.items() if rows.any()},
            classes,
            source,
            digest=digest,
            normalise=images.IMAGENET if normalise == "imagenet" else None,
            ids={split: [file.name for file in files if file.split == split] for split in SPLITS},
            left_out=left_out,
            scale=scale,
            counts={"moving": len(moving)},
        )


def _refuse(name: str, unreadable: Mapping[str, Sequence[str]]) -> None:
    """Raise DamagedData for files that can't be read, by the reason why, if there are any."""
    if unreadable:
        parts = [f"{_some(its)}: {'each: ' if len(its) > 1 else ''}{why}" for why, its in unreadable.items()]
        raise DamagedData(
            f"{name}: files that can't be read as a picture: {sum(map(len, unreadable.values()))}. "
            f"{'; '.join(parts)}. Take them out, or put good copies in their place."
        )


def _say_sizes(name: str, sizes: set[tuple[int, int]], shape: tuple[int, int], fit: Fit) -> None:
    height, width = shape
    if sizes != {(width, height)}:
        ends = sorted(sizes, key=lambda sides: sides[0] * sides[1])[:: max(1, len(sizes) - 1)]
        were = " to ".join(" × ".join(map(str, sides)) for sides in ends)
        if all(wide * height == high * width for wide, high in sizes):  # nothing is lost but detail
            log.info("%s: images of %s are scaled to %d × %d", name, were, width, height)
        else:
            log.warning("%s: images of %s are scaled to %d × %d, %s", name, were, width, height, FITS[fit])


def _some(names: Sequence[str]) -> str:
    return own.some([shortened(name) for name in names], NAMED)
