"""Texts, in a table or a file each: which column is which, how texts are cut, how long they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnnatomy.data import layout, own_texts, tables
from cnnatomy.data.tokenising import tokenise
from cnnatomy.scaffold import columns, copies
from cnnatomy.scaffold.columns import Column
from cnnatomy.scaffold.folders import classed, looked_at
from cnnatomy.scaffold.proposal import Proposal, Question, Told, ranged, said_of_classes, said_of_splits

METHODS = ["samples", "evaluation", "structure", "kernels", "ngrams", "top_patches", "filter_ablation", "attribution"]
LENGTHS = (8, 200)  # tokens that a network gets, at least and at most
MOST = 0.95  # of the texts are no longer than that


def propose(path: Path, told: Told) -> Proposal:
    """Settings for a table or a folder of texts. Raises DataError, and Question where columns leave something open."""
    proposal = Proposal("texts", path, "sentence", METHODS)
    if path.is_dir():
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


def _of_table(proposal: Proposal, found: list[Column], told: Told) -> list[str]:
    columns.refuse_no_head(found, proposal.path.name)
    split = columns.named(found, told, "split") or columns.split_of(found)
    rest = [column for column in found if column is not split]
    label = columns.named(found, told, "label") or columns.label_of(rest)
    if label is None:
        repeating = [repr(column.name) for column in found if column.repeats]
        raise Question(
            f"{proposal.path.name}: which column says the class? {', '.join(repeating) or 'None comes again and again'}"
            ". Say it: --column label=…"
        )
    others = [column for column in found if column not in (split, label) and not column.is_numbers]
    others = [column for column in others if not (column.is_dates or column.names_files)] or others
    text = columns.named(found, told, "text") or max(others, key=lambda column: column.length, default=None)
    if text is None:
        raise Question(f"{proposal.path.name}: which column is the text? There is none of words beside {label.name!r}.")
    rows = len(text.values)
    proposal.found.append(
        f"{'the first ' if rows == columns.ROWS else ''}{rows:,} rows; columns {', '.join(c.name for c in found)}"
    )
    proposal.found += said_of_classes(label.values)
    proposal.set("text", text.name, "as you say" if "text" in told.columns else "the longest texts stand there")
    beside = [repr(column.name) for column in others if column is not text and column.is_words and column.words > 2]
    if beside and "text" not in told.columns:
        proposal.found.append(
            f"{text.name!r} alone is read, and not {', '.join(beside)}: a text is one column. If they belong together, "
            "write them into one"
        )
    proposal.set("label", label.name, f"{len(label.counts)} values that come again and again")
    if split is not None:
        proposal.set("split", split.name, f"it says {', '.join(sorted(split.counts))}")
    else:
        proposal.found.append(said_of_splits([]))
    splits = [layout.SPLITS_BY_NAME[said.strip().lower()] for said in split.values] if split else [""] * rows
    _copies(proposal, text.values, label.values, splits)
    return text.values


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
    length = int(np.clip(round(most), *LENGTHS))
    proposal.set("length", length, f"in {what}: {MOST:.0%} of the texts are no longer" if length >= most else
                 f"in {what}: longer texts lose their end")  # fmt: skip
