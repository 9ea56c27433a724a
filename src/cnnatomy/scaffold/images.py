"""Pictures in a folder: sizes, colour, depth, channels, and a network's input that suits them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cnnatomy.data import pictures
from cnnatomy.data.errors import DataError
from cnnatomy.data.pictures import Depth, Scale
from cnnatomy.scaffold import copies
from cnnatomy.scaffold.folders import classed, looked_at
from cnnatomy.scaffold.proposal import Proposal, Told, ranged

METHODS = ["samples", "evaluation", "structure", "kernels", "feature_maps", "filter_maximisation", "top_patches",
           "filter_ablation", "class_activation", "attribution"]  # fmt: skip
LARGEST = 64  # px; a small network on a laptop: larger pictures are scaled to it
SMALLEST = 16  # px; what the network's convolutions and pools need
LONG = 1.25  # times as long as high, or more: no square


def propose(path: Path, told: Told) -> Proposal:
    """Settings for a folder of pictures. Raises DataError for what can't be settled, or read at all."""
    proposal = Proposal("images", path, "lecture", METHODS)
    files, filed = classed(proposal, pictures.SUFFIXES, told)
    proposal.found += copies.of_files(path, files, filed)
    names = looked_at(files)
    sizes: Counter[tuple[int, int]] = Counter()
    channels: Counter[int] = Counter()
    depths: defaultdict[Depth, list[str]] = defaultdict(list)
    ranges: defaultdict[Depth, list[Scale]] = defaultdict(list)
    broken: list[str] = []
    coloured = moving = 0
    for name in names:
        try:
            picture = pictures.read(files[name], name)
        except pictures.OtherChannels as error:
            channels[error.channels] += 1
            continue
        except DataError as error:
            broken.append(str(error))
            continue
        sizes[picture.size] += 1
        depths[picture.depth].append(name)
        ranges[picture.depth].append(picture.range())
        moving += picture.moving
        coloured += _has_colour(np.asarray(picture.values))
    of = f"{len(names):,} looked at" if len(names) < len(files) else "all"
    if broken:
        proposal.found.append(f"{len(broken)} can't be read, such as: {broken[0]}")
    if not sizes and not channels:
        raise DataError(f"{path}: none of its pictures can be read. {broken[0]}")
    if sizes:
        _sizes(proposal, sizes, of)
        _colour(proposal, coloured, sum(sizes.values()))
        _depths(proposal, depths, ranges)
    if moving:
        proposal.found.append(
            f"{moving} hold several pictures, frames or pages, of which the first is taken. Grey pages of a TIFF that "
            "are channels are taken by data.prepare.channels"
        )
    if channels and channels.total() >= sizes.total():
        (count, _), *_ = channels.most_common()
        proposal.set("channels", count, f"as {channels[count]} of {len(names)} have them; all are taken as they are")
    return proposal


def _sizes(proposal: Proposal, sizes: Counter[tuple[int, int]], of: str) -> None:
    wide, high = (np.repeat([size[at] for size in sizes], list(sizes.values())) for at in (0, 1))
    said = [ranged(Counter(edge.tolist()), " px") for edge in (wide, high)]
    proposal.found.append(f"width {said[0]}, height {said[1]} ({of})")
    ratio = float(np.median(wide / high))
    short = int(np.median(np.minimum(wide, high)))
    side = int(np.clip(short, SMALLEST, LARGEST))
    if 1 / LONG < ratio < LONG:
        why = "the side of most"
        if side != short:
            why = f"most are {short} px; " + (
                "a small network takes no less" if short < side else "a laptop reads that in minutes"
            )
        proposal.set("size", side, why)
        return
    longer = max(ratio, 1 / ratio)
    height, width = (side, round(side * longer)) if ratio > 1 else (round(side * longer), side)
    if max(height, width) > 2 * LARGEST:
        height, width = (round(edge * 2 * LARGEST / max(height, width)) for edge in (height, width))
    proposal.set("size", [max(SMALLEST, height), max(SMALLEST, width)], "height and width: most are no squares")
    proposal.set("fit", "letterbox", "all of each picture is kept; crop takes the middle, squash bends")


def _colour(proposal: Proposal, coloured: int, total: int) -> None:
    if coloured:
        why = "as they are" if coloured == total else f"as {coloured} of {total} are"
        proposal.set("colour", True, why)
    else:
        proposal.set("colour", False, "red, green and blue are the same everywhere, or the files are grey")


def _depths(proposal: Proposal, depths: Mapping[Depth, Sequence[str]], ranges: Mapping[Depth, Sequence[Scale]]) -> None:
    try:
        scales = pictures.apart(ranges, depths)
    except DataError as error:
        proposal.found.append(str(error))
        return
    deeper = {depth: len(its) for depth, its in depths.items() if depth != "8 bits"}
    if scales:
        proposal.found.append(pictures.said_apart(scales, depths))
    elif deeper:
        named = ", ".join(f"{depth} ({count})" for depth, count in deeper.items())
        proposal.found.append(
            f"values of {named}: the least of the training pictures becomes black, the greatest white. If one hot "
            "pixel spoils that, set range"
        )


def _has_colour(values: np.ndarray) -> bool:
    return bool(values.ndim == 3 and values.shape[2] >= 3 and (np.ptp(values[..., :3], axis=2) > 0).any())
