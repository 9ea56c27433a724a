"""A user's own files: packed as raw data as they are, put into classes by their folders, split by their content."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cnnatomy.data import layout, naming, split_lists
from cnnatomy.data.archive import Notes, Raw
from cnnatomy.data.errors import DataError
from cnnatomy.data.layout import Filed, Part, Unclassed
from cnnatomy.data.layout import some as some
from cnnatomy.data.left_out import LeftOut, left_out, said
from cnnatomy.data.naming import Labels
from cnnatomy.data.walking import Found, is_bare, walk

EMPTY = hashlib.sha256().hexdigest()

log = logging.getLogger(__name__)


def packed(
    path: str,
    suffixes: Sequence[str],
    splits: Mapping[str, str] | bool | None = None,
    labels: Labels = None,
    *,
    bare: bool = True,
) -> Files:
    """The files of a folder of classes, by their names in it, each read when it is asked for.

    `<class>/…` or `<split>/<class>/…`, however nested: see `layout.understood`, which has `splits` as its `given`. With
    `labels` files' names or a table say the classes, see `naming.named`, and folders at most the splits. What is left
    out is counted, and named in the log. bare: where no file has a wanted suffix, those without any are taken.
    Raises DataError for a folder that is none or can't be read, an empty class, and folders that leave something open.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise DataError(
            f"{folder} is no folder. Name the one that holds a folder of each class; an archive has to be unpacked."
        )
    tables = naming.tables_of(labels, folder)
    found = walk(folder, suffixes, tables)
    others = found.left_out.get("suffix", [])
    without = [name for name in others if "/" in name and is_bare(name)]
    if bare and not found.files and 2 * len(without) > len(others):
        log.warning("%s: files without a suffix, which are taken: %d (%s)", folder, len(without), some(without))
        found = walk(folder, suffixes, tables, bare=True)
    if labels is not None:
        return _labelled(folder, found, suffixes, splits, labels)
    try:
        return _by_folders(folder, found, suffixes, splits)
    except Unclassed as error:
        message = f"{error}{naming.offers(list(found.files), found.left_out.get('suffix', []))}"
        raise DataError(message) from error


def _by_folders(folder: Path, found: Found, suffixes: Sequence[str], splits: Mapping[str, str] | bool | None) -> Files:
    if not any("/" in name for name in found.files):
        others = [name for name in found.left_out.get("suffix", []) if "/" in name]
        if not found.files and len(others) > 1:
            kinds = Counter(PurePosixPath(name).suffix or PurePosixPath(name).name for name in others)
            raise Unclassed(
                f"{folder} holds {len(others)} files of other kinds ({some([one for one, _ in kinds.most_common()])}), "
                f"such as {others[0]}, and none that is read here: {some(suffixes, 30)}. Save them as one of these."
            )
        there = some([*found.files, *(name for names in found.left_out.values() for name in names)])
        raise Unclassed(
            f"{folder} should hold a folder of each class, with {some(suffixes, 8)} in them, but there is "
            f"{f'only {there}' if there else 'nothing'}. Put the files of each class into a folder of its name."
        )
    lists = splits if split_lists.are_lists(splits) and isinstance(splits, Mapping) else None
    meaning = layout.understood(list(found.files), None if lists else splits)
    for name in layout.empty_classes(found.empty, meaning):
        there = f"only {some(found.empty[name])}" if found.empty[name] else "nothing"
        raise Unclassed(
            f"{folder / name} should hold files of a class ({some(suffixes, 8)}), but there is {there}. Fill it or "
            "take it away."
        )
    filed, loose = layout.filed(list(found.files), meaning)
    if len(loose) > len(filed) and not isinstance(splits, Mapping):
        raise Unclassed(
            f"{folder}: {len(loose)} files lie in no folder of a class ({some(loose)}), and {len(filed)} in one. Put "
            "the files of each class into a folder of its name."
        )
    without = {"unnamed" if isinstance(splits, Mapping) else "loose": loose}
    if lists:
        meaning = split_lists.parts(folder, filed, lists)
        filed, unlisted = layout.filed([file.name for file in filed], meaning)
        without["unnamed"] = [*loose, *unlisted]
    files = _files(folder, found, [file.name for file in filed], without, meaning)
    if splits is None and not any(part.split for part in meaning):
        files.say_of_lists(folder, found)
    return files


def _labelled(
    folder: Path, found: Found, suffixes: Sequence[str], splits: Mapping[str, str] | bool | None, labels: Labels
) -> Files:
    """The files of a folder where their names or a table say the classes."""
    if not found.files:
        raise DataError(f"{folder} holds no files of the kinds {some(suffixes, 8)}. Name the folder that holds them.")
    whose = {part.folder: part.split for part in layout.splits_alone(list(found.files), splits)}
    parts = {name: next((at for at in _above(name) if at in whose), None) for name in found.files}
    within = {name: whose[part] for name, part in parts.items() if part is not None}
    named = naming.named(list(within), labels, folder)
    meaning = [
        Part(name, named.splits.get(name, within[name]), label, named.groups.get(name, ""))
        for name, label in named.labels.items()
    ]
    try:
        _refuse_few(within, named.labels, splits, labels)
        layout.filed(list(named.labels), meaning)
    except DataError as error:
        learnt = ", ".join(f"{name}: train" for name, split in whose.items() if split == "train")
        settle = f" To leave other folders out, data.fetch.splits: {{{learnt}}}." if learnt else ""
        hint = "" if naming.tables_of(labels, folder) else naming.offers(list(within))
        message = f"{error}{settle}{hint}"
        raise DataError(message) from error
    if named.hint:
        log.warning("%s: %s", folder, named.hint)
    outside = [name for name in found.files if name not in within]
    without = named.left_out | {"unnamed" if isinstance(splits, Mapping) else "beside": outside}
    files = _files(folder, found, list(named.labels), without, meaning)
    files.hint = named.hint
    return files


def _refuse_few(
    files: Collection[str], named: Collection[str], splits: Mapping[str, str] | bool | None, labels: Labels
) -> None:
    """Refuse labels of no file, and of less than half of them unless the user says which folders to take."""
    nameless = [name for name in files if name not in named]
    if not named or (len(nameless) > len(named) and not isinstance(splits, Mapping)):
        these = f"{len(named)} of the {len(files)} files and not {len(nameless)}"
        raise DataError(
            f"data.fetch.labels, {labels!r}, fits {these if named else f'none of {len(files)} files'}, such as "
            f"{nameless[0]}. Give each file a class, or name the folder of those that have one as data.fetch.path."
        )


def _above(name: str) -> list[str]:
    """The folders that a file is in, as names of parts, the innermost first."""
    return ["" if str(folder) == "." else str(folder) for folder in PurePosixPath(name).parents]


def _files(
    folder: Path, found: Found, names: Sequence[str], without: Mapping[str, Sequence[str]], meaning: Sequence[Part]
) -> Files:
    every = left_out({**found.left_out, **without})
    if every:
        log.warning("%s: left out %s", folder, said(every))
    return Files({name: found.files[name] for name in names}, every, meaning)


class Files(Mapping[str, bytes]):
    """Files by name, read one at a time; what is left out beside them; what their folders or they mean, if anything.

    Raises DataError for a file that can't be read.
    """

    def __init__(
        self, places: Mapping[str, Path], left_out: Sequence[LeftOut] = (), meaning: Sequence[Part] = ()
    ) -> None:
        for name in places:
            try:
                name.encode()
            except UnicodeEncodeError as error:
                raise DataError(f"The name of {name!r} is no UTF-8. Give the file another name.") from error
        self._places = places
        self.hint = ""  # what else there is that may say something of them
        self.left_out = list(left_out)
        self.layout = [part.written() for part in meaning]

    def say_of_lists(self, folder: Path, found: Found) -> None:
        """Warn of lists of files that seem to be splits, and are not read as such; see `hint`."""
        if lists := split_lists.offered(folder, list(self._places), found.left_out.get("suffix", [])):
            self.hint = split_lists.said(lists)
            log.warning("%s: %s", folder, self.hint)

    @property
    def notes(self) -> Notes:
        """What the raw zip says of them."""
        return Notes(self.left_out, self.layout)

    def __getitem__(self, name: str) -> bytes:
        place = self._places[name]
        try:
            return place.read_bytes()
        except OSError as error:
            raise DataError(f"{place} can't be read ({error.strerror}). Mend it or take it away.") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def in_order(classes: Sequence[str]) -> list[str]:
    """Names of classes, each once: numbers by their size, other names by the alphabet."""
    names = set(classes)
    whole = all(name.isascii() and name.isdigit() for name in names)
    return sorted(names, key=lambda name: (int(name), name) if whole else (0, name))


def ordered(labels: Sequence[str], wanted: Sequence[object] | None) -> list[str]:
    """The classes in the order of `data.prepare.classes`, each once; see `in_order` where nothing is said.

    Raises DataError where others are said than there are.
    """
    there = in_order(labels)
    if wanted is None:
        return there
    said = [str(one) for one in wanted]
    if sorted(said) != sorted(there):
        raise DataError(
            f"data.prepare.classes is [{some(said, 20)}], and the classes are {some(there, 20)}: it wants each of them "
            "once, in the order of the network's outputs."
        )
    return said


def several_at_once(classes: Collection[str]) -> str:
    """What to say of classes that are others at once, "cat|dog" beside "cat" and "dog"; "" of none."""
    alone = set(classes)
    both = [
        one
        for one in sorted(alone)
        for parts in (re.split(r"\s*[|;,+&/]\s*", one), one.split())
        if len(parts) > 1 and alone.issuperset(parts)
    ]
    if not both:
        return ""
    return (
        f"{some([repr(one) for one in dict.fromkeys(both)])}: each is taken for a class of its own, beside those that "
        "it is made of. Of several classes at once none is learnt here: keep samples of one, or take each class "
        "against all others"
    )


def splits(
    hashes: Sequence[str], labels: Sequence[str], given: Sequence[str], *, validation: float, test: float
) -> list[str]:
    """The split of each sample: the given one, or else one that its content decides.

    hashes: of the contents; copies are never parted, and neither order nor names matter. labels: names of the classes,
    each of which gives the shares `validation` and `test` of its different samples, at least one. given: "" where
    nothing is given. Where test samples are given, only a validation split may be cut off the training samples, and
    only where none is given.

    Raises DataError for shares that are none, and for a class with too few samples, or with none to train on.
    """
    check_shares(validation, test)
    wanted = {"test": 0.0 if "test" in given else test, "validation": 0.0 if "validation" in given else validation}
    fixed = [split if split in ("test", "validation") else "" for split in given]
    first: dict[str, str] = {}
    for content, label, split in zip(hashes, labels, fixed, strict=True):
        if not split:
            first.setdefault(content, label)
    decided: dict[str, str] = {}
    for label in in_order(list(first.values())):
        contents = sorted(content for content, its in first.items() if its == label)
        start = 0
        for split, share in wanted.items():
            end = start + (max(1, round(share * len(contents))) if share else 0)
            decided |= dict.fromkeys(contents[start:end], split)
            start = end
        if start >= len(contents):
            parts = " and ".join(f"{share:g} for {split}" for split, share in wanted.items() if share)
            raise DataError(
                f"The class {label!r} has {len(contents)} different samples: with {parts} none is left to train on. "
                "Add samples, or change data.prepare.validation (0: none) and data.prepare.test."
            )
        decided |= dict.fromkeys(contents[start:], "train")
    seen = sum(bool(split) and content in decided for content, split in zip(hashes, fixed, strict=True))
    if seen:
        log.warning(
            "samples of the given validation and test splits that are also among the training samples: %d", seen
        )
    whose = [split or decided[content] for content, split in zip(hashes, fixed, strict=True)]
    check_learnt(labels, whose)
    say_untested(labels, whose)
    return whose


def in_groups(
    labels: Sequence[str], groups: Sequence[str], given: Sequence[str], *, validation: float, test: float
) -> list[str]:
    """The split of each sample, those of one group in one; given: see `splits`. Raises DataError."""
    if any(given):
        seen: dict[str, str] = {}
        for group, split in zip(groups, given, strict=True):
            if seen.setdefault(group, split) != split:
                raise DataError(f"The group {group!r} is in {split} and in {seen[group]} too. Give it one split.")
        whose = list(given)
        check_learnt(labels, whose)
    else:
        check_shares(validation, test)
        names = sorted(set(groups), key=content_hash)
        tested = max(1, round(test * len(names)))
        validated = max(1, round(validation * len(names))) if validation else 0
        if tested + validated >= len(names):
            raise DataError(
                f"There are {len(names)} groups: with {test:g} for test and {validation:g} for validation none is left "
                "to train on. Add groups, or change data.prepare.validation (0: none) and data.prepare.test."
            )
        of_group = dict.fromkeys(names[:tested], "test")
        of_group |= dict.fromkeys(names[tested : tested + validated], "validation")
        whose = [of_group.get(group, "train") for group in groups]
        learnt = {label for label, its in zip(labels, whose, strict=True) if its == "train"}
        if unlearnt := in_order(list(set(labels) - learnt)):
            raise DataError(
                f"No group of the class {some(unlearnt)} is left to train on. Add groups, or say the split of each "
                "in a column: data.prepare.split."
            )
    say_untested(labels, whose)
    return whose


def check_learnt(labels: Sequence[str], whose: Sequence[str]) -> None:
    """Refuse a class that is asked for and was never shown; where no sample is for training, none was."""
    learnt = {label for label, split in zip(labels, whose, strict=True) if split == "train"}
    if learnt and (unlearnt := in_order(list(set(labels) - learnt))):
        place = next(place for place, label in enumerate(labels) if label == unlearnt[0])
        raise DataError(
            f"No sample of {some([repr(label) for label in unlearnt])} is there to train on, but some are for "
            f"{whose[place]}: no network can answer what it has never seen. Put samples of it among those to train on, "
            "or take it out everywhere."
        )


def say_untested(labels: Sequence[str], whose: Sequence[str]) -> None:
    """Warn of classes that are learnt and never asked for in the test."""
    if untested := without_test(labels, whose):
        log.warning("%s", untested)


def without_test(labels: Sequence[str], whose: Sequence[str]) -> str:
    """What to say of classes that have no test sample, where others have some; "" where all have."""
    tested = {label for label, split in zip(labels, whose, strict=True) if split == "test"}
    untested = in_order(list(set(labels) - tested)) if tested else []
    if not untested:
        return ""
    return (
        f"the test has no sample of {some([repr(label) for label in untested])}: how well that is told is not "
        "measured. If it is no class, as what nobody has labelled, take its folder out"
    )


def check_shares(validation: float, test: float) -> None:
    """Refuse shares of which nothing is left to test or to train on."""
    numbers = all(type(share) in (int, float) for share in (validation, test))
    if not numbers or not (0 <= validation < 1 and 0 < test < 1 and validation + test < 1):
        raise DataError(
            f"data.prepare.validation is {validation} and data.prepare.test {test}: they are shares of the samples, "
            "such as 0.1 and 0.2, test above 0, and together below 1."
        )


class SortedOut(NamedTuple):
    """The files to use, each with its split; the names of the classes; what is left out, from the folder on."""

    files: list[Filed]
    classes: list[str]
    left_out: list[LeftOut]


def filed(raw: Raw) -> list[Filed]:
    """The files of a raw zip that `packed` filled, each with its class and its split, in the order of their contents.

    That is an order without order, so that the first ones are of all classes. Raises DataError, see `layout.filed`.
    """
    files, _ = layout.filed(raw.names, [Part(**part) for part in raw.manifest["layout"]])
    return sorted(files, key=lambda file: (raw.hashes[file.name], file.name))


def sorted_out(raw: Raw, validation: float, test: float, classes: Sequence[object] | None = None) -> SortedOut:
    """The files of a raw zip that `packed` filled, each with its split; classes: see `ordered`.

    Left out are contents that stand under several classes, and copies of given test and validation samples among the
    others.
    """
    files = filed(raw)
    hashes, labels = [raw.hashes[file.name] for file in files], [file.label for file in files]
    given = [file.split for file in files]
    if "train" in given and "test" not in given:
        log.warning(
            "%s: no folder is for the test, so that %g of each class is cut off the training samples",
            raw.path.stem,
            test,
        )
    places, names = once(hashes, labels, given, [file.name for file in files])
    without = left_out(names)
    if without:
        log.warning("%s: left out %s", raw.path.stem, said(without))
    if both := several_at_once(labels):
        log.warning("%s: %s", raw.path.stem, both)
    kept = [files[place] for place in places]
    of_kept, given = [file.label for file in kept], [file.split for file in kept]
    if any(file.group for file in kept):
        whose = in_groups(of_kept, [file.group for file in kept], given, validation=validation, test=test)
    else:
        whose = splits([raw.hashes[file.name] for file in kept], of_kept, given, validation=validation, test=test)
    again = [Filed(file.name, file.label, split) for file, split in zip(kept, whose, strict=True)]
    return SortedOut(again, ordered(labels, classes), [*raw.left_out, *without])


def once(
    hashes: Sequence[str], labels: Sequence[str], given: Sequence[str], names: Sequence[str]
) -> tuple[list[int], dict[str, list[str]]]:
    """The places of the samples to keep, and the names of the others by the reason why, see `repeated`."""
    reasons = repeated(hashes, labels, given)
    others = {
        why: [name for name, its in zip(names, reasons, strict=True) if its == why] for why in ("two_classes", "copy")
    }
    return [place for place, why in enumerate(reasons) if not why], others


def repeated(hashes: Sequence[str], labels: Sequence[str], given: Sequence[str]) -> list[str]:
    """Why a sample should be left out, or "": "two_classes" if its content is under another class too, "copy" if it is
    among the given test samples, or validation samples, and this one is of another split.

    Raises DataError where a class loses all of its training samples so.
    """
    classes: dict[str, set[str]] = {}
    where: dict[str, set[str]] = {}
    for content, label, split in zip(hashes, labels, given, strict=True):
        classes.setdefault(content, set()).add(label)
        where.setdefault(content, set()).add(split)

    def why(content: str, split: str) -> str:
        if content == EMPTY:
            return ""  # whoever reads it says that there is nothing in it
        if len(classes[content]) > 1:
            return "two_classes"
        held = next((held for held in ("test", "validation") if held in where[content]), split)
        return "copy" if held != split else ""

    reasons = [why(content, split) for content, split in zip(hashes, given, strict=True)]
    learnt = {label for label, split in zip(labels, given, strict=True) if split in ("train", "")}
    left = {
        label for label, split, its in zip(labels, given, reasons, strict=True) if split in ("train", "") and not its
    }
    if learnt - left:
        label = in_order(list(learnt - left))[0]
        raise DataError(
            f"No sample of {label!r} is left to learn from: each is also in another class, or among the samples for "
            "the test or validation. Give the class samples of its own."
        )
    return reasons


def content_hash(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
