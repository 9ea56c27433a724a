"""A folder of files and their classes: by folders, by the files' names, or by a table, as `fetch` will take them."""

from __future__ import annotations

from collections.abc import Sequence

from cnnatomy.data import layout, naming, own
from cnnatomy.data.errors import DataError
from cnnatomy.data.layout import Filed, Part, Unclassed
from cnnatomy.data.own import Files
from cnnatomy.data.picture_arrays import Pictures
from cnnatomy.data.walking import walk
from cnnatomy.scaffold.proposal import Proposal, Told, refuse_few, said_of_classes, said_of_left_out, said_of_splits

LOOKED_AT = 300  # files that are opened, evenly chosen


def classed(proposal: Proposal, suffixes: Sequence[str], told: Told) -> tuple[Files | Pictures, list[Filed]]:
    """The files of a folder with the class of each; what is found goes into the proposal, and what settles it.

    Where folders say no class and the files' names leave one possibility only, that is taken.
    Raises DataError, which says what would settle it.
    """
    bare = proposal.kind != "signals"
    path, splits, labels = proposal.path, told.splits, told.labels
    if proposal.kind == "images" and path.is_file():
        arrays = Pictures(path)
        return arrays, _said(proposal, arrays)
    try:
        files = own.packed(str(path), suffixes, splits, labels, bare=bare)
    except DataError as error:
        if not isinstance(error.__cause__, Unclassed):
            raise
        fitting = naming.patterns(list(walk(path, suffixes).files)) if labels is None else []
        if len(fitting) != 1:
            raise
        labels = fitting[0]
        files = own.packed(str(path), suffixes, splits, labels, bare=bare)
        proposal.proposed.append(f"labels: {labels!r}, as the files' names say the class and no folder does")
    if splits is not None:
        proposal.fetch["splits"] = splits
    if labels is not None:
        proposal.fetch["labels"] = labels
    found = _said(proposal, files)
    if labels is None and layout.numbered({file.label for file in found}, layout.PEOPLE):
        proposal.found.append(
            "the classes are called like people: if whom it is of is not what should be told, say where the class is, "
            'as in --labels "{class}_*"'
        )
    return files, found


def _said(proposal: Proposal, files: Files | Pictures) -> list[Filed]:
    """The files with the class of each; what there is to say of them goes into the proposal."""
    filed, _ = layout.filed(list(files), [Part(**part) for part in files.layout])
    proposal.found += said_of_classes([file.label for file in filed])
    proposal.found.append(said_of_splits(filed))
    if not any(file.split for file in filed):
        refuse_few([file.label for file in filed])
    if files.hint:
        proposal.found.append(files.hint)
    if untested := own.without_test([file.label for file in filed], [file.split for file in filed]):
        proposal.found.append(untested)
    proposal.found += said_of_left_out(files.left_out)
    return filed


def looked_at(files: Files | Pictures) -> list[str]:
    """Names of the files that are opened: all, or some that are evenly spread."""
    names = sorted(files)
    step = max(1, -(-len(names) // LOOKED_AT))
    return names[::step]
