"""Lists of files that say which are for the test and which for validation, as sets of sounds and pictures have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from cnnatomy.data.errors import DataError
from cnnatomy.data.layout import FILLERS, SPLITS_BY_NAME, Filed, Part, some

ENDS = (".txt", ".lst")
_ALSO = FILLERS | {"list", "lists", "names"}  # in what lists are called
LOOKED_AT = 50  # lines that tell whether a text is a list of files


def are_lists(given: object) -> bool:
    """Whether `data.fetch.splits` names lists of files, and no folders."""
    return isinstance(given, Mapping) and bool(given) and all(str(name).lower().endswith(ENDS) for name in given)


def offered(folder: Path, files: Sequence[str], beside: Sequence[str]) -> dict[str, str]:
    """Those of the files beside the data that seem to list a split's, and of which; none where none is of the test.

    files: those of the data, beside: others, by their names in the folder.
    """
    found: dict[str, str] = {}
    by_end = _by_end(files)
    for name in beside:
        words = [word for word in re.split(r"[\W\d_]+", PurePosixPath(name).stem.casefold()) if word not in _ALSO]
        split = SPLITS_BY_NAME.get(words[0], "") if len(words) == 1 else ""
        if not split or not name.lower().endswith(ENDS):
            continue
        lines = _lines(folder / name)[:LOOKED_AT]
        if lines and 2 * sum(_called(line, by_end) != "" for line in lines) > len(lines):
            found[name] = split
    return found if "test" in found.values() else {}


def said(lists: Mapping[str, str]) -> str:
    """That there are such lists, and what takes them."""
    named = ", ".join(f"{name}: {split}" for name, split in lists.items())
    listed = some(list(lists))
    return f"{listed} list files as splits do, and are not read. If they are splits: data.fetch.splits: {{{named}}}"


def parts(folder: Path, files: Sequence[Filed], given: Mapping[str, str]) -> list[Part]:
    """Each file with its class and the split of the list that names it; with none, train unless a list is of that.

    Raises DataError for a list that is not there, or names none of the files, and for a file in two of them.
    """
    by_end = _by_end([file.name for file in files])
    whose: dict[str, str] = {}
    for name, its in given.items():
        split = SPLITS_BY_NAME.get(str(its).casefold())
        if split is None:
            raise DataError(f"data.fetch.splits.{name} is {its!r}: say train, validation or test.")
        lines = _lines(folder / name)
        known = [file for line in lines if (file := _called(line, by_end))]
        if 2 * len(known) <= len(lines) or not known:
            raise DataError(
                f"{folder / name}, which data.fetch.splits names, should list files of {folder}, one a line; "
                f"{len(known)} of its {len(lines)} lines do{f', {lines[0]!r} not' if lines else ''}."
            )
        for file in known:
            if whose.setdefault(file, split) != split:
                raise DataError(
                    f"{folder / name}: {file} is listed for {split}, and for {whose[file]} too. Leave it out "
                    "of one list."
                )
    rest = "" if "train" in whose.values() else "train"
    return [
        Part(file.name, split, file.label) for file in files if (split := whose.get(file.name, rest))
    ]  # fmt: skip


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DataError(f"{file} can't be read ({error.strerror}). data.fetch.splits names it.") from error
    return [line.strip() for line in lines if line.strip()]


def _by_end(files: Sequence[str]) -> dict[str, str]:
    """Each file by the ends of its path, with the suffix and without; "" where several end so."""
    found: dict[str, str] = {}
    for name in files:
        steps = PurePosixPath(name).parts
        ends = {"/".join(steps[place:]) for place in range(len(steps))}
        for end in ends | {str(PurePosixPath(end).with_suffix("")) for end in ends}:
            found[end] = name if found.get(end, name) == name else ""
    return found


def _called(line: str, by_end: Mapping[str, str]) -> str:
    """The file that a line names: all of it, or what stands before a blank or a comma; "" for none."""
    whole = line.replace("\\", "/").removeprefix("./").lstrip("/")
    return next((its for cell in (whole, (whole.rsplit(None, 1) or [whole])[0], re.split(r"[\s,;]", whole)[0])
                 if (its := by_end.get(cell))), "")  # fmt: skip
