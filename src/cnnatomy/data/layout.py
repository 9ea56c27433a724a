"""What the folders of a user's data mean: which are splits, which are classes, which only wrap the others.

Names of splits are known by their words (`split_of`), and what stays open is asked for and never guessed: a folder
`train` that holds files may be a split whose classes are in the files' names, or the class of trains.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from cnnatomy.data.errors import DataError

#: What people call splits.
SPLIT_NAMES = {
    "train": ("train", "training", "trn", "tr", "learn", "learning", "trainset", "训练", "训练集"),
    "validation": (
        *("validation", "validate", "valid", "val", "vld", "dev", "devel", "development", "eval", "evaluation"),
        *("valset", "devset", "验证", "验证集"),
    ),
    "test": ("test", "tests", "testing", "tst", "testset", "测试", "测试集"),
}
SPLITS_BY_NAME = {name: split for split, names in SPLIT_NAMES.items() for name in names}
#: Words that say nothing of which split a folder is.
FILLERS = frozenset(
    {
        *("set", "data", "dataset", "split", "subset", "part", "partition", "folder", "dir", "files", "samples", "seg"),
        *("image", "images", "img", "imgs", "pictures", "pics", "photos", "sounds", "audio", "clips"),
    }
)
#: Parts of a set that are numbered, fold1 and fold2, and no classes.
PIECES = frozenset({"fold", "folds", "part", "batch", "chunk", "shard", "split", "subset", "section", "disc", "volume"})
#: Whom data are of, numbered: their classes perhaps, and more often not.
PEOPLE = frozenset({"actor", "speaker", "subject", "person", "patient", "participant", "user", "sub", "animal"})
#: Names for a split that is the test where another one is for validation.
EITHER = frozenset({"eval", "evaluation"})

log = logging.getLogger(__name__)


class Unclassed(DataError):
    """No folder says the classes. Something else may: see `naming.offers`."""


@dataclass(frozen=True)
class Part:
    """A folder of the data: its split ("" where contents decide) and its class ("" where each folder in it is one).

    Where classes are said of files, each file is a part of its own, and may have a group, as whom it is of.
    """

    folder: str
    split: str = ""
    label: str = ""
    group: str = ""

    def written(self) -> dict[str, str]:
        """As a raw zip's manifest has it."""
        found = {"folder": self.folder, "split": self.split, "label": self.label}
        return found | ({"group": self.group} if self.group else {})


@dataclass(frozen=True)
class Filed:
    """One file: its name in the raw zip, its class, its split where folders say it ("" otherwise), and its group."""

    name: str
    label: str
    split: str
    group: str = ""


def filed(names: Sequence[str], layout: Sequence[Part]) -> tuple[list[Filed], list[str]]:
    """Each file with its class and split, and the names of those that lie in no class.

    Raises DataError for fewer than two classes, for names of classes that only look alike, and for a class that is not
    among the training samples.
    """
    by_folder = {PurePosixPath(part.folder).parts: part for part in layout}
    found: list[Filed] = []
    loose: list[str] = []
    spelt: dict[str, set[str]] = {}
    for name in names:
        folders = PurePosixPath(name).parts
        depth = next((at for at in range(len(folders), -1, -1) if folders[:at] in by_folder), None)
        part = None if depth is None else by_folder[folders[:depth]]
        if part is None or depth is None or not (part.label or len(folders) > depth + 1):
            loose.append(name)
            continue
        written = part.label or folders[depth]
        label = unicodedata.normalize("NFC", written.strip())
        spelt.setdefault(label.casefold(), set()).add(written)
        found.append(Filed(name, label, part.split, part.group))
    for alike in spelt.values():
        if len(alike) > 1 and max(map(len, alike)) > 1:  # letters may be told apart by their case
            # What differs in the way that accents are written looks alike but for its code points.
            shown = repr if len({unicodedata.normalize("NFC", name) for name in alike}) == len(alike) else ascii
            raise DataError(
                f"The classes {' and '.join(map(shown, sorted(alike)))} differ in capitals, spaces or the way accents "
                "are written only. Put their files together, or give them names that differ."
            )
    _check_classes(found)
    return found, loose


def _check_classes(found: Sequence[Filed]) -> None:
    if any(file.split == "train" for file in found):
        unlearnt = {file.label for file in found} - {file.label for file in found if file.split == "train"}
        if unlearnt:
            raise DataError(
                f"The folder for training has no class {some(sorted(unlearnt))}, which other folders have. Give it "
                "some samples to learn from, or take the class away."
            )
    classes = sorted({file.label for file in found})
    if len(classes) < 2:
        raise Unclassed(
            f"There is one class only ({some(classes)}), so that there is nothing to tell apart. Put the files "
            "of each class into a folder of its name."
        )


@dataclass
class Folder:
    """A folder with something to use in it: its own files, and its folders that hold some."""

    files: list[str] = field(default_factory=list)
    folders: dict[str, Folder] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many files are in it, however deep."""
        return len(self.files) + sum(map(len, self.folders.values()))


def understood(names: Sequence[str], given: Mapping[str, str] | bool | None = None) -> list[Part]:
    """What the folders of some files mean, from the files' names.

    given: what the user says of folders, {folder: split}, all others being left out; or False, where none is a split.
    Folders that wrap all others are stepped through. Raises DataError, with what to do, where names leave it open.
    """
    tree = _tree(names)
    if isinstance(given, Mapping):
        said = _as_said(tree, given)
        return [Part(_inside_of_split(folder, here), split) for folder, here, split in said]
    _check_given(given)
    prefix, top = _unwrapped("", tree)
    if given is False or len(top.folders) < 2:
        return [Part(prefix)]
    splits = splits_of(top.folders)
    if len(splits) < len(top.folders) and (inner := _splits_of_classes(prefix, top)):
        return inner
    if not splits:
        _refuse_groups(top)
        _refuse_pieces(top)
        return [Part(prefix)]
    if not any(top.folders[name].folders for name in splits):
        return _classes_called_like_splits(prefix, top, splits)
    return _splits(prefix, top, splits)


def splits_alone(names: Sequence[str], given: Mapping[str, str] | bool | None = None) -> list[Part]:
    """What the folders of some files mean where none is a class: those that are splits, or one without any.

    given: as in `understood`. Raises DataError, with what to do, where names leave it open.
    """
    tree = _tree(names)
    if isinstance(given, Mapping):
        return [Part(folder, split) for folder, _, split in _as_said(tree, given)]
    _check_given(given)
    prefix, top = _unwrapped("", tree)
    splits = splits_of(top.folders) if given is None and len(top.folders) > 1 else {}
    if not splits:
        return [Part("")]
    settle = _settles(splits)
    _refuse_others(prefix, top, splits, settle)
    _refuse_twice_and_none(splits, settle)
    return [Part(_under(prefix, name), split) for name, split in splits.items()]


def _tree(names: Sequence[str]) -> Folder:
    tree = Folder()
    for name in names:
        here = tree
        for folder in PurePosixPath(name).parts[:-1]:
            here = here.folders.setdefault(folder, Folder())
        here.files.append(name)
    return tree


def _check_given(given: Mapping[str, str] | bool | None) -> None:
    if given not in (None, False):
        raise DataError(
            f"data.fetch.splits is {given!r}; say {{folder: split, …}}, false where no folder is a split, or null."
        )


def split_of(name: str) -> str:
    """The split that a name means by itself ("Testing", "seg_train", "val2017"), or ""."""
    words = _words(name)
    rest = [word for word in words if word not in FILLERS]
    return SPLITS_BY_NAME.get(rest[0], "") if len(rest) == 1 else ""


def splits_of(names: Iterable[str]) -> dict[str, str]:
    """Those of the names that mean splits: by themselves, or since they differ in it only (fruits_train, fruits_test).

    Of two folders for validation, one called eval is the test where there is no other.
    """
    names = list(names)
    found = {name: split for name in names if (split := split_of(name))}
    alike: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        words = _words(name)
        meant = [word for word in words if word in SPLITS_BY_NAME]
        if name not in found and len(meant) == 1:
            alike.setdefault(tuple(word for word in words if word != meant[0]), {})[name] = SPLITS_BY_NAME[meant[0]]
    for siblings in alike.values():
        if len(set(siblings.values())) > 1:
            found |= siblings
    for_validation = [name for name in found if found[name] == "validation"]
    if len(for_validation) == 2 and "test" not in found.values():
        found |= {name: "test" for name in for_validation if EITHER & set(_words(name))}
    return {name: found[name] for name in names if name in found}


def _words(name: str) -> list[str]:
    """The words of a name without case and numbers: "TrainImages2017" is train, images."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name))
    return [word for word in re.split(r"[\W\d_]+", apart.casefold()) if word]


def _unwrapped(prefix: str, here: Folder) -> tuple[str, Folder]:
    """The first folder inside of which there are several, or files: all around it only wraps."""
    while len(here.folders) == 1:
        ((name, inside),) = here.folders.items()
        if not inside.folders or 2 * len(inside.files) > len(inside):
            break
        prefix, here = _under(prefix, name), inside
    return prefix, here


def _inside_of_split(folder: str, here: Folder) -> str:
    """The folder with those of the classes in a split's: itself, or one that it wraps.

    A split's only folder may be a class with folders of its own; it wraps if it holds several, or has a split's name.
    """
    inner, last = _unwrapped(folder, here)
    names = PurePosixPath(inner).relative_to(folder).parts
    return inner if len(last.folders) > 1 or all(map(split_of, names)) else folder


def _under(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _as_said(tree: Folder, given: Mapping[str, str]) -> list[tuple[str, Folder, str]]:
    """Each folder that the user names, what is in it, and its split."""
    found = []
    for name, said in given.items():
        here, folders = tree, PurePosixPath(str(name)).parts
        for folder in folders:
            if folder not in here.folders:
                quotes = "" if isinstance(name, str) else " (in YAML, on, off, yes and no want quotes)"
                raise DataError(
                    f"data.fetch.splits names the folder {name!r}{quotes}, which is not there or holds nothing to use; "
                    f"there are {some(sorted(here.folders))}."
                )
            here = here.folders[folder]
        split = SPLITS_BY_NAME.get(str(said).casefold())
        if split is None:
            raise DataError(f"data.fetch.splits.{name} is {said!r}: say train, validation or test.")
        found.append(("/".join(folders), here, split))
    if "train" not in {split for _, _, split in found}:
        raise DataError("data.fetch.splits names no folder for train. Say which one is to be learnt from.")
    return found


def _splits_of_classes(prefix: str, top: Folder) -> list[Part]:
    """Parts where folders of splits lie inside of those of the classes, oak/train/…; none where they don't."""
    inside = {name: splits_of(here.folders) for name, here in top.folders.items()}
    split = {name for name, splits in inside.items() if len(set(splits.values())) > 1}
    if not split:
        return []
    for name, here in top.folders.items():
        open_ = [*here.files, *(one for one in here.folders if one not in inside[name])]
        if name not in split or open_:
            there = f"there is also {some(open_)}" if open_ else "there are none"
            raise DataError(
                f"Inside of {some(sorted(split))} are folders of splits ({some(sorted(inside[min(split)]))}), but in "
                f"{name} {there}. Give each class the same ones, or put data.fetch.splits: false, and all that "
                "is inside of a class is one."
            )
    for name, here in top.folders.items():
        for folder, one in here.folders.items():
            if one.folders:
                inner = min(one.folders)
                raise DataError(
                    f"Inside of {some(sorted(split))} are folders of splits, and folders in those: "
                    f"{name}/{folder}/{inner}. Is {name} a class, or {inner}? If {inner} is: name {name} as "
                    f"data.fetch.path. If {name} is: put the files of {name}/{folder} into it, without folders."
                )
    return [
        Part(_under(prefix, f"{name}/{folder}"), meant, name)
        for name, splits in inside.items()
        for folder, meant in splits.items()
    ]


def _refuse_groups(top: Folder) -> None:
    """Folders without known names that hold some of the same folders: they may be splits, folds, groups, or classes."""
    if any(here.files for here in top.folders.values()):
        return
    shared = set.intersection(*(set(here.folders) for here in top.folders.values()))
    if shared and any(len(here.folders) > 1 for here in top.folders.values()):
        names = sorted(top.folders)
        raise DataError(
            f"Each of the folders {some(names)} holds folders {some(sorted(shared))}. Which are the classes? If those "
            f"inside: say which are for what, data.fetch.splits: {{{names[0]}: train, {names[1]}: test}}. If "
            f"{names[0]} and {names[1]} are classes themselves: data.fetch.splits: false."
        )


def _refuse_pieces(top: Folder) -> None:
    """Refuse folders of files called fold1, fold2 and so on: what they part has its classes elsewhere."""
    if numbered(top.folders, PIECES):
        names = sorted(top.folders)
        raise Unclassed(
            f"The folders {some(names)} are called like parts of one set and hold files, no folders. Where are the "
            f"classes? Put the files of each into a folder of its name. If {names[0]} and {names[1]} are the classes "
            "themselves: data.fetch.splits: false."
        )


def numbered(names: Iterable[str], words: Collection[str]) -> bool:
    """Whether all names are one of some words, with a number."""
    found = [(_words(name), any(map(str.isdigit, name))) for name in names]
    return len(found) > 1 and all(len(its) == 1 and its[0] in words and digits for its, digits in found)


def _classes_called_like_splits(prefix: str, top: Folder, splits: Mapping[str, str]) -> list[Part]:
    """Folders called like splits that hold files only: one among others is a class, several leave it open."""
    others = [name for name in top.folders if name not in splits]
    if len(splits) == 1 and others:
        (name,) = splits
        log.warning("the folder %s holds no folders: it is taken for a class, like %s beside it", name, some(others))
        return [Part(prefix)]
    name = next(name for name in splits if top.folders[name].files)
    raise Unclassed(
        f"The folders {some(list(splits))} have the names of splits and hold files, no folders. Where are the classes? "
        f"Put the files of each into a folder of its name, as in {name}/{_example(top.folders[name].files)}. If "
        f"{some(list(splits))} are the classes themselves: data.fetch.splits: false."
    )


def _example(files: Sequence[str]) -> str:
    """Where one of the files should lie: in a folder of what its name begins with, where several names begin so."""
    names = [PurePosixPath(file).name for file in files]
    begin = [re.match(r"[^\W\d_]+", name) for name in names]
    classes = {found[0] for found in begin if found}
    told = begin[0][0] if begin[0] and 1 < len(classes) <= len(names) / 2 else "oak"
    return f"{told}/{names[0]}"


def _splits(prefix: str, top: Folder, splits: Mapping[str, str]) -> list[Part]:
    """The parts of folders of splits, each with a folder of each class in it."""
    classed = [name for name in splits if top.folders[name].files or not _flat(top.folders[name])]
    settle = _settles({name: splits[name] for name in classed if top.folders[name].folders})
    _refuse_others(prefix, top, splits, settle)
    flat = [name for name in splits if _flat(top.folders[name])]
    if flat:
        files = [file for name in flat for file in _flat(top.folders[name])]
        raise Unclassed(
            f"{some(files)}: {'it lies' if len(files) == 1 else f'{len(files)} files lie'} in no folder of a class. "
            f"Put each into one, as in {flat[0]}/{_example(files)}, or leave them out: {settle}"
        )
    _refuse_twice_and_none(splits, settle)
    return [Part(_inside_of_split(_under(prefix, name), top.folders[name]), split) for name, split in splits.items()]


def _settles(splits: Mapping[str, str]) -> str:
    """How the user says which folders are splits."""
    named = ", ".join(f"{name}: {split}" for name, split in splits.items())
    return f"data.fetch.splits: {{{named}}} leaves all else out; false, and no folder is a split."


def _refuse_others(prefix: str, top: Folder, splits: Mapping[str, str], settle: str) -> None:
    where = f"In {prefix}, beside" if prefix else "Beside"
    others = [name for name in top.folders if name not in splits]
    if others:
        raise DataError(f"{where} the folders of splits {some(list(splits))} there is {some(others)}. {settle}")


def _refuse_twice_and_none(splits: Mapping[str, str], settle: str) -> None:
    """Refuse two folders for one split, and none for the training."""
    for split in set(splits.values()):
        same = [name for name, meant in splits.items() if meant == split]
        if len(same) > 1:
            raise DataError(f"The folders {some(same)} all mean {split}. Put them together, or say: {settle}")
    if "train" not in splits.values():
        raise DataError(
            f"There is {some(list(splits))} and no folder called train. What is to be learnt from? {settle}"
        )


def _flat(split: Folder) -> list[str]:
    """The files of a split that lie in no folder of a class: beside those, or in one that has a split's name again."""
    again = [here for name, here in split.folders.items() if len(split.folders) == 1 and split_of(name)]
    return split.files or [file for here in again for file in _flat(here)]


def empty_classes(folders: Iterable[str], layout: Sequence[Part]) -> Iterator[str]:
    """Those of the folders without anything to use that stand where a class would."""
    around = {part.folder for part in layout if not part.label}
    for folder in folders:
        above = PurePosixPath(folder).parent.as_posix()
        if ("" if above == "." else above) in around:
            yield folder


def some(names: Sequence[str], most: int = 5) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def given_split(said: str, where: str) -> str:
    """The split that a cell means. Raises DataError, which says `where` the cell is."""
    try:
        return SPLITS_BY_NAME[said.strip().lower()]
    except KeyError as error:
        raise DataError(f"{where}: the split is {said!r}, not train, validation, val or test.") from error
