"""A user's own images, a folder of each class."""

from __future__ import annotations

import logging
import math
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from cnnatomy.data import archive, fitting, images, own, picture_arrays, pictures
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.fitting import FITS, Fit
from cnnatomy.data.layout import Filed
from cnnatomy.data.left_out import shortened
from cnnatomy.data.naming import Labels
from cnnatomy.data.origin import Origin
from cnnatomy.data.pictures import Depth, Picture, Scale
from cnnatomy.data.prepared import SPLITS, Channel, Normalise

#: How masks, thumbnails and the like are named beside the picture that they are of.
_COMPANION = re.compile(
    r"(.+)[-_ .](?:masks?|masked|segmentation|seg|labels?|gt|ground_?truth|annotation|annotated|depth|thumb(?:nail)?s?|"
    r"small|preview|heatmap|overlay)(?:[-_ ]?\d+)?",
    re.IGNORECASE,
)
NO_VALUE = re.compile(r"-9999+|-32768")  # 999 and 65535 may be values
DARK = 32  # of 255: pictures whose brightest value is below look black
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
    """Write the raw zip with the images in the folder `path`, `<class>/…` or `<split>/<class>/…`; see `own.packed`.

    Or with those in one archive of arrays; see `picture_arrays`. Raises DataError.
    """
    place = Path(path).expanduser()
    if place.is_file() and place.name.lower().endswith(picture_arrays.ENDS):
        arrays = picture_arrays.Pictures(place)
        into.write(arrays, licence, citation, arrays.notes)
        return
    files = own.packed(path, pictures.SUFFIXES, splits, labels)
    if beside := companions(files):
        log.warning(
            "%s: files that are named as if they belonged to another one beside them, and are taken for pictures of "
            "their own: %d (%s). If they are masks or thumbnails, move them out of the folder",
            *(path, len(beside), own.some([shortened(name) for name in beside])),
        )
    into.write(files, licence, citation, files.notes)


def companions(names: Iterable[str]) -> list[str]:
    """Those of the files that are named as another one and a word for what is made of it: "a (1)_mask.png"."""
    known = {str(PurePosixPath(name).with_suffix("")).lower() for name in names}
    return [
        name
        for name in names
        if (found := _COMPANION.fullmatch(str(PurePosixPath(name).with_suffix("")))) and found[1].lower() in known
    ]


def prepare(
    raw: Path,
    folder: Path,
    *,
    digest: str,
    size: int | Sequence[int],
    colour: bool,
    channels: int | None,
    channel_names: Sequence[str] | None,
    shown: Sequence[int] | None,
    fit: Fit,
    range: Sequence[Any] | None,
    normalise: str | Mapping[str, Sequence[float]],
    validation: float,
    test: float,
    classes: Sequence[str] | None = None,
) -> None:
    """Images uint8 (n, channels, height, width), in grey or in `colour`; see `pictures.pixels` for `fit`.

    size: a side, or height and width. channels: take all channels as they are, of which each image has so many.
    channel_names: of each. shown: the channels that pictures show, from 1, see `fitting.shown`. range: values that are
    black and white, of all images; of more than 8 bits the least and the greatest of the training images unless given,
    and with `channels` of each channel. normalise: by the "data", as networks trained on "imagenet" want it, or by
    a mean and a std of each channel, where black is 0 and white 1. Split as folders say, or by content: see
    `own.splits`; classes: their order, see `own.ordered`.

    Raises DataError, and DamagedData for images that can't be read, which are named together.
    """
    settings = {"size": size, "colour": colour, "fit": fit, "range": range, "normalise": normalise}
    settings |= {"channels": channels, "channel_names": channel_names, "shown": shown}
    fitting.check(settings)
    form = _Form(fitting.shape(size), channels, colour, fit, fitting.ends(range, channels))
    with archive.Raw(raw) as source:
        files, ordered, left_out = own.sorted_out(source, validation, test, classes)
        seen = _Seen(channels)
        pixels, scale = _pixels(source, files, form, seen)
        each = None if channels is None else _channels(channels, channel_names, scale or [(0.0, 255.0)])
        _say(raw.stem, seen, scale, each)
        _say_sizes(raw.stem, seen.sizes, form.shape, fit)
        _say_sight(raw.stem, pixels, files, scale)
        _say_lost(raw.stem, pixels, files, seen.depths)
        labels = np.array([ordered.index(file.label) for file in files])
        chosen = {split: np.array([file.split == split for file in files]) for split in SPLITS}
        images.write(
            folder,
            {split: (pixels[rows], labels[rows]) for split, rows in chosen.items() if rows.any()},
            ordered,
            Origin(source, digest, left_out, {"moving": len(seen.moving)}),
            ids={split: [file.name for file in files if file.split == split] for split in SPLITS},
            values=images.Values(
                normalise=_normalise(normalise),
                scale=scale[0] if scale is not None and each is None else None,
                channels=each,
                shown=fitting.shown(shown, channels),
            ),
        )


def _normalise(said: str | Mapping[str, Sequence[float]]) -> Normalise | None:
    """What inputs are normalised by, where it is not the data's."""
    if isinstance(said, Mapping):
        return Normalise([float(one) for one in said["mean"]], [float(one) for one in said["std"]], fixed=True)
    return images.IMAGENET if said == "imagenet" else None


@dataclass(frozen=True)
class _Form:
    """What images are made to be: settings of `prepare`, shape of `size` and ends of `range`."""

    shape: tuple[int, int]
    channels: int | None
    colour: bool
    fit: Fit
    ends: Scale | None

    def pixels(self, picture: Picture, scale: Scale | None) -> np.ndarray:
        """uint8 (channels, height, width)."""
        colour = None if self.channels is not None else self.colour
        return pictures.pixels(picture, self.shape, colour=colour, fit=self.fit, scale=scale)


def _pixels(source: archive.Raw, files: Sequence[Filed], form: _Form, seen: _Seen) -> tuple[np.ndarray, Scale | None]:
    """All images, uint8 (n, channels, height, width), and the values that are black and white in them.

    Raises DamagedData or DataError for those that can't be taken, once all are read.
    """
    count = form.channels or (3 if form.colour else 1)
    _refuse_too_many(source.path.stem, (len(files), count, *form.shape))
    pixels = np.empty((len(files), count, *form.shape), np.uint8)
    later: list[int] = []  # those whose scale is known when all are read
    for place, file in enumerate(files):
        picture = seen.read(source, file)
        if picture is None:
            continue
        if form.ends is None and isinstance(picture.values, np.ndarray):
            later.append(place)
        else:
            pixels[place] = form.pixels(picture, form.ends)
    _refuse(source.path.stem, seen.unreadable)
    if form.ends is None:
        _say_no_values(source.path.stem, seen.extents)
    _refuse_channels(source.path.stem, seen.others, form.channels, len(files))
    apart = {} if form.ends else pictures.apart(seen.extents, seen.depths)
    scale = form.ends or (None if apart else pictures.span(seen.ranges, seen.depths))
    for place in later:
        picture = pictures.read(source.read(files[place].name), files[place].name, form.channels)
        pixels[place] = form.pixels(picture, apart.get(picture.depth, scale))
    if apart:
        log.warning("%s: %s", source.path.stem, pictures.said_apart(apart, seen.depths))
    return pixels, scale


def _refuse_too_many(name: str, shape: tuple[int, ...]) -> None:
    """Raise DataError for images that memory does not hold twice, as they are while they are written."""
    needed, there = 2 * math.prod(shape), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise DataError(
            f"{name}: {shape[0]} images of {shape[3]} × {shape[2]} pixels take {needed / 1e9:.1f} GB of memory while "
            f"they are made, and {there / 1e9:.1f} are there. Set data.prepare.size to a smaller one."
        )


@dataclass
class _Seen:
    """What is seen of images while they are read.

    channels: as `prepare` has it. sizes: (width, height). ranges: of the values of training images of more than 8 bits;
    extents: of all such, by their depth.
    unreadable: names by the reason why; others: by their number of channels, where it is not the one wanted.
    """

    channels: int | None
    sizes: set[tuple[int, int]] = field(default_factory=set)
    depths: dict[Depth, list[str]] = field(default_factory=lambda: defaultdict(list))
    ranges: list[Scale] = field(default_factory=list)
    extents: dict[Depth, list[Scale]] = field(default_factory=lambda: defaultdict(list))
    moving: list[str] = field(default_factory=list)
    unreadable: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    others: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    def read(self, source: archive.Raw, file: Filed) -> Picture | None:
        """An image, or None of one that can't be taken; what is worth saying of it is noted."""
        try:
            picture = pictures.read(source.read(file.name), file.name, self.channels)
        except pictures.OtherChannels as error:
            self.others[error.channels].append(file.name)
            return None
        except pictures.Unreadable as error:
            self.unreadable[error.why].append(file.name)
            return None
        self.sizes.add(picture.size)
        self.depths[picture.depth].append(file.name)
        self.moving += [file.name] * picture.moving
        if picture.depth != "8 bits":
            found = picture.range(each=self.channels is not None)
            self.extents[picture.depth].append(found)
            self.ranges += [found] * (file.split == "train")
        return picture


def _say(name: str, seen: _Seen, scale: Scale | None, each: Sequence[Channel] | None) -> None:
    """Warn of what became of values beyond 8 bits, and of images that move."""
    if scale is not None and len(scale) == 1:
        log.warning("%s: the value %g is black and %g is white, in all images", name, *scale[0])
    elif scale is not None and each is not None:
        said = ", ".join(f"{one.name} {one.low:g} and {one.high:g}" for one in each)
        log.warning("%s: of each channel these values are black and white, in all images: %s", name, said)
    cut = seen.depths.get("the upper 8 of 16 bits in colour", [])
    if cut:
        log.warning("%s: of 16 bits a colour the upper 8 are read: %s", name, _some(cut))
    if seen.moving:
        pages = any(one.lower().endswith((".tif", ".tiff")) for one in seen.moving)
        or_channels = ". Grey pages of a TIFF that are channels are taken by data.prepare.channels" * pages
        log.warning("%s: of moving images the first picture is taken: %s%s", name, _some(seen.moving), or_channels)


def _say_no_values(name: str, extents: Mapping[Depth, Sequence[Scale]]) -> None:
    """Warn of a least or a greatest value that programs write where there is none, and that squeezes all others."""
    ends = {end for scales in extents.values() for scale in scales for pair in scale for end in pair}
    if odd := sorted(end for end in ends if NO_VALUE.fullmatch(f"{end:.0f}") or abs(end) > 1e30):
        log.warning(
            "%s: pictures hold the value %g, as programs write where there is none, and all others are squeezed "
            "beside it: say which values are black and white, data.prepare.range: [0, 100], or put such places to 0",
            *(name, odd[0]),
        )


def _refuse(name: str, unreadable: Mapping[str, Sequence[str]]) -> None:
    """Raise DamagedData for files that can't be read, by the reason why, if there are any."""
    if unreadable:
        parts = [f"{_some(its)}: {'each: ' if len(its) > 1 else ''}{why}" for why, its in unreadable.items()]
        raise DamagedData(
            f"{name}: files that can't be read as a picture: {sum(map(len, unreadable.values()))}. "
            f"{'; '.join(parts)}. Take them out, or put good copies in their place."
        )


def _refuse_channels(name: str, others: Mapping[int, Sequence[str]], wanted: int | None, total: int) -> None:
    """Raise DataError for images of other channels than are wanted, by their number of channels, if there are any."""
    if not others:
        return
    parts = "; ".join(f"{len(its)} of {there} ({_some(its)})" for there, its in sorted(others.items()))
    expected = "grey or red, green and blue" if wanted is None else f"the {wanted} of data.prepare.channels"
    (only, *more), files = others, sum(map(len, others.values()))
    if files == total and not more:
        remedy = f"To take all channels as they are, set data.prepare.channels: {only}."
    else:
        remedy = "All images of a dataset need the same number, set by data.prepare.channels: take the others out."
    raise DataError(f"{name}: images whose channels are other than {expected}: {files} of {total}. {parts}. {remedy}")


def _channels(count: int, names: Sequence[str] | None, scale: Scale) -> list[Channel]:
    """The channels of images, numbered where they have no names, with the values that are black and white."""
    each = list(scale) * (count if len(scale) == 1 else 1)
    names = list(names) if names is not None else [f"channel {number}" for number, _ in enumerate(each, 1)]
    return [Channel(name, "", low, high) for name, (low, high) in zip(names, each, strict=True)]


def _say_sizes(name: str, sizes: set[tuple[int, int]], shape: tuple[int, int], fit: Fit) -> None:
    height, width = shape
    if sizes != {(width, height)}:
        ends = sorted(sizes, key=lambda sides: sides[0] * sides[1])[:: max(1, len(sizes) - 1)]
        were = " to ".join(" × ".join(map(str, sides)) for sides in ends)
        if all(wide * height == high * width for wide, high in sizes):  # nothing is lost but detail
            log.info("%s: images of %s are scaled to %d × %d", name, were, width, height)
        else:
            log.warning("%s: images of %s are scaled to %d × %d, %s", name, were, width, height, FITS[fit])


def _say_sight(name: str, pixels: np.ndarray, files: Sequence[Filed], scale: Scale | None) -> None:
    """Warn of pictures that are of one colour all over, and of whole datasets that are next to black."""
    learnt = [file.split == "train" for file in files]
    low, high = (found.reshape(*pixels.shape[:2]) for found in (pixels.min((2, 3)), pixels.max((2, 3))))
    plain = [file.name for file, its in zip(files, (low == high).all(axis=1), strict=True) if its]
    if plain:
        log.warning(
            "%s: pictures of one colour all over, in which nothing is to be seen: %d (%s). What is transparent is made "
            "white; for white drawings on nothing, set data.prepare.channels: 4, or save them before another ground",
            *(name, len(plain), _some(plain)),
        )
    brightest = int(high[learnt].max(initial=0))
    if scale is None and 0 < brightest < DARK:
        log.warning(
            "%s: no value of the training pictures is above %d, of 255 that 8 bits have: they will look black. If %d "
            "is meant to be white, set data.prepare.range: [0, %d]",
            *(name, brightest, brightest, brightest),
        )


def _say_lost(name: str, pixels: np.ndarray, files: Sequence[Filed], depths: Mapping[Depth, Sequence[str]]) -> None:
    """Warn of a `range` that makes all pictures of one depth black or white, where others have another."""
    place = {file.name: number for number, file in enumerate(files)}
    for depth, its in depths.items() if len(depths) > 1 else ():
        values = pixels[[place[one] for one in its]]
        if values.max() < DARK or values.min() > 255 - DARK:
            log.warning(
                "%s: on the scale of data.prepare.range all pictures of %s are %s: %d (%s). Leave range out, and each "
                "depth has a scale of its own",
                *(name, depth, "black" if values.max() < DARK else "white", len(its), _some(its)),
            )


def _some(names: Sequence[str]) -> str:
    return own.some([shortened(name) for name in names], NAMED)
