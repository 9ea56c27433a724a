"""Texts, in a table or a file each: which column is which, how texts are cut, how long they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnnatomy.data import layout, own_texts, tables
from cnnatomy.data.errors import DataError
from cnnatomy.data.tokenising import tokenise
from cnnatomy.scaffold import columns, copies
from cnnatomy.scaffold.columns import Column
from cnnatomy.scaffold.folders import classed, looked_at
from cnnatomy.scaffold.proposal import Proposal, Question, Told, ranged, refuse_few, said_of_classes, said_of_splits

METHODS = ["samples", "evaluation", "structure", "kernels", "ngrams", "top_patches", "filter_ablation", "attribution"]
LENGTHS = (8, 200)  # tokens that a network gets, at least and at most
MOST = 0.95  # of the texts are no longer than that


def propose(path: Path, told: Told) -> Proposal:
    """Settings for a table or a folder of texts. Raises DataError, and Question where columns leave something open."""
    proposal = Proposal("texts", path, "sentence", METHODS)
    if path.is_dir() and told.labels is None and (tables_there := own_texts.of_splits(path)):
        texts = _of_tables(proposal, tables_there, told)
    elif path.is_dir():
        files, filed = classed(proposal, own_texts.FILES, told)
        every = {
            file.name: tables.decoded(files[file.name], file.name, told.encoding, "--encoding {}")[0] for file in filed
        }
        _copies(proposal, list(every.values()), [file.label for file in filed], [file.split for file in filed])
        texts = [every[name] for name in looked_at(files)]
    else:
        texts = _of_table(proposal, columns.read(path, told.encoding), told)
    _lengths(proposal, texts)
    return proposal


def _of_tables(proposal: Proposal, files: Sequence[Path], told: Told) -> list[str]:
    """The texts of the tables of a folder, one for each split; raises DataError where one has no column of classes."""
    proposal.found.append(f"the tables of one set: {', '.join(file.name for file in files)}")
    splits = layout.splits_of([file.stem for file in files])
    whose = {splits.get(file.stem, "train"): file for file in files}
    read = {split: columns.read(file, told.encoding) for split, file in whose.items()}
    label = _label(proposal.path.name, read["train"], told)
    for split, file in whose.items():
        if label.name not in (column.name for column in read[split]):
            raise DataError(
                f"{file.name} has no column {label.name!r}, so that nothing says the classes of its texts. Name the "
                f"one table with labels: {whose['train']}"
            )
    names = [one.name for one in read["train"] if all(one.name in (its.name for its in read[key]) for key in read)]
    by_name = {split: {column.name: column.values for column in its} for split, its in read.items()}
    joined = [Column(name, [value for its in by_name.values() for value in its[name]]) for name in names]
    given = [split for split, its in read.items() for _ in its[0].values]
    return _of_table(proposal, joined, told, given if len(files) > 1 else None)


def _label(name: str, found: list[Column], told: Told) -> Column:
    """The column of the classes. Raises Question where it can't be told."""
    columns.refuse_no_head(found, name)
    split = columns.named(found, told, "split") or columns.split_of(found)
    label = columns.named(found, told, "label") or columns.label_of([column for column in found if column is not split])
    if label is None:
        repeating = [repr(column.name) for column in found if column.repeats]
        raise Question(
            f"{name}: which column says the class? {', '.join(repeating) or 'None comes again and again'}. Say it: "
            f"--column label=…{_nested(name)}"
        )
    return label


def _of_table(proposal: Proposal, found: list[Column], told: Told, given: Sequence[str] | None = None) -> list[str]:
    """The texts of a table; given: the split of each row, where there is a table for each."""
    name = proposal.path.name
    label = _label(name, found, told)
    split = None if given else columns.named(found, told, "split") or columns.split_of(found)
    others = [column for column in found if column not in (split, label) and not column.is_numbers]
    others = [column for column in others if not (column.is_dates or column.names_files)] or others
    text = columns.named(found, told, "text") or max(others, key=lambda column: column.length, default=None)
    if text is None:
        raise Question(
            f"{name}: which column is the text? There is none of words beside {label.name!r}.{_nested(name)}"
        )
    rows = len(text.values)
    proposal.found.append(
        f"{'the first ' if rows == columns.ROWS else ''}{rows:,} rows; columns {', '.join(c.name for c in found)}"
    )
    proposal.found += said_of_classes(label.values)
    _chosen(proposal, found, told, text, label)
    if split is not None:
        proposal.set("split", split.name, f"it says {', '.join(sorted(split.counts))}")
        given = [layout.SPLITS_BY_NAME[said.strip().lower()] for said in split.values]
    elif given:
        proposal.found.append("splits by tables: " + ", ".join(f"{its} {n:,}" for its, n in Counter(given).items()))
    else:
        proposal.found.append(said_of_splits([]))
        refuse_few(label.values)
    _copies(proposal, text.values, label.values, given or [""] * rows)
    return text.values


def _chosen(proposal: Proposal, found: list[Column], told: Told, text: Column, label: Column) -> None:
    """Propose the columns of the texts and the classes, and say which other columns of words are not read."""
    proposal.set("text", text.name, "as you say" if "text" in told.columns else "the longest texts stand there")
    proposal.set("label", label.name, f"{len(label.counts)} values that come again and again")
    beside = [repr(its.name) for its in found if its not in (text, label) and its.is_words and its.words > 2]
    if beside and "text" not in told.columns:
        proposal.found.append(
            f"{text.name!r} alone is read, and not {', '.join(beside)}: a text is one column. If they belong together, "
            "write them into one"
        )


def _nested(name: str) -> str:
    """What to do where a table of JSON holds more than is seen."""
    if not name.lower().endswith(own_texts.JSON):
        return ""
    return (
        " Objects and lists inside of an object are not read: as columns of their own they are. With pandas: "
        "json_normalize(json.load(open(…))).to_csv(…, index=False)"
    )


def _copies(proposal: Proposal, texts: Sequence[str], labels: Sequence[str], splits: Sequence[str]) -> None:
    """Say what copies there are, by their words, as `prepare` does."""
    words = [" ".join(tokenise(text, "auto")) for text in texts]
    proposal.found += copies.said([copies.hash_of(one.encode()) for one in words], labels, splits)


def _lengths(proposal: Proposal, texts: Sequence[str]) -> None:
    step = max(1, len(texts) // 1000)
    lengths = [len(tokenise(text, "auto")) for text in texts[::step]]
    spaced = sum(len(text.split()) for text in texts[::step])
    what = "characters" if sum(lengths) > 3 * spaced else "words"
    half, most = np.quantile(lengths, [0.5, MOST])
    proposal.found.append(f"texts of {ranged(Counter(lengths))} {what}, half of them at most {half:.0f}")
    if marks := own_texts.of_html(texts):
        proposal.found.append(marks)
    length = int(np.clip(round(most), *LENGTHS))
    proposal.set("length", length, f"in {what}: {MOST:.0%} of the texts are no longer" if length >= most else
                 f"in {what}: longer texts lose their end")  # fmt: skip
