"""Sentences as rows of tokens, with a vocabulary of their own and a split by a hash of the sentence."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnnatomy.data import prepared, tokenising
from cnnatomy.data.errors import DataError
from cnnatomy.data.left_out import left_out
from cnnatomy.data.origin import Origin
from cnnatomy.data.prepared import PADDING, SPLITS, UNKNOWN, Axis
from cnnatomy.data.tokenising import tokenise

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 10
TEST, VALIDATION = 9, 8  # the folds that are held out; the other eight are the training split

LOSING = 0.1  # share of the texts whose end is lost before it is said

log = logging.getLogger(__name__)


def fold(sentence: Sequence[str]) -> int:
    """Which tenth a sentence of these tokens belongs to, 0 to 9: from their SHA-256, so that two copies never part."""
    digest = hashlib.sha256(" ".join(sentence).encode()).digest()
    return int.from_bytes(digest[:8], "big") % FOLDS


def vocabulary(sentences: Iterable[Sequence[str]], at_least: int) -> list[str]:
    """The words that occur at least so often, the most frequent first; 0 is padding and 1 the unknown word."""
    counts = Counter(word for sentence in sentences for word in sentence)
    kept = [word for word, count in counts.items() if count >= at_least]
    return ["<padding>", "<unknown>", *sorted(kept, key=lambda word: (-counts[word], word))]


def tokens(sentences: Sequence[Sequence[str]], known: Sequence[str], length: int) -> np.ndarray:
    """int32 (n, length): the words' places in the vocabulary, cut or padded at the end."""
    place = {word: token for token, word in enumerate(known) if token > UNKNOWN}
    rows = np.full((len(sentences), length), PADDING, dtype=np.int32)
    for row, sentence in zip(rows, sentences, strict=True):
        cut = sentence[:length]
        row[: len(cut)] = [place.get(word, UNKNOWN) for word in cut]
    return rows


@dataclass(frozen=True)
class Sentences:
    """Texts, the place of each one's class, and its split, which is decided by its fold unless given."""

    texts: Sequence[str]
    labels: Sequence[int]
    splits: Sequence[str] | None = None


@dataclass(frozen=True)
class Form:
    """How sentences become rows of tokens.

    length: tokens of a sample; longer sentences lose their end. at_least: how often a word must occur to be known.
    vocabulary_of: where words are counted, the split "train", or "all" sentences (their labels have no part in it).
    way: how sentences are cut, see `tokenise`.
    """

    length: int
    at_least: int
    vocabulary_of: str = "train"
    way: str = "words"


def write(folder: Path, given: Sentences, classes: Sequence[str], origin: Origin, form: Form) -> None:
    """Write a prepared dataset of sentences.

    The table also has each sentence's text, its fold and how many words it has.
    A sentence without any word is left out; one without a known word stays, as unknown words only. Both are counted
    in the facts and named in the log, as is a vocabulary that can't teach much.
    """
    if form.vocabulary_of not in ("train", "all"):
        raise DataError(
            f"data.prepare.vocabulary_of is {form.vocabulary_of!r}; words are counted in 'train' or in 'all'."
        )
    length, way = form.length, form.way
    table, empty = _table(folder.name, given, way)
    learnt = table.loc[table["split"] == "train", "words"].tolist()
    known = vocabulary(table["words"] if form.vocabulary_of == "all" else learnt, form.at_least)
    inputs = tokens(table["words"].tolist(), known, length)
    if empty:
        log.warning("%s: sentences without any word left out: %d", folder.name, len(empty))
    counts = _counted(folder.name, table, inputs)
    say_rare(folder.name, learnt, form.at_least, way)
    facts = origin.facts(
        folder,
        "texts",
        classes,
        shape=(length,),
        axes=[Axis("character" if tokenising.by_character(learnt, way) else "word", "", list(range(length)))],
        normalise=None,
        vocabulary=known,
        tokens=way,
        left_out=left_out({"no_words": empty}),
        counts=counts,
    )
    table["words"] = table["words"].map(len)
    prepared.write(folder, facts, inputs, table[["split", "label", "id", "text", "fold", "words"]])


def _counted(name: str, table: pd.DataFrame, inputs: np.ndarray) -> dict[str, int]:
    """How many sentences have no known word, and how many lose their end. The log says so where it costs much."""
    lengths, most = table["words"].map(len), inputs.shape[1]
    strange = ~(inputs > UNKNOWN).any(axis=1)
    counts = {"no_known_word": int(strange.sum()), "cut": int((lengths > most).sum())}
    if counts["no_known_word"]:
        named = ", ".join(table["id"].to_numpy()[strange][:20])
        log.warning("%s: sentences without a known word: %d (%s)", name, counts["no_known_word"], named)
    if counts["cut"] > LOSING * len(table):
        enough = int(np.ceil(np.quantile(lengths, 0.9)))
        log.warning(
            "%s: texts longer than %d, which lose their end: %d of %d; with data.prepare.length=%d nine of "
            "ten fit whole",
            *(name, most, counts["cut"], len(table), enough),
        )
    return counts


def _table(name: str, given: Sentences, way: str) -> tuple[pd.DataFrame, list[str]]:
    """The sentences that have a word, in the order of their splits, with their tokens; and which rows have none."""
    import pandas as pd

    table = pd.DataFrame(
        {
            "label": np.asarray(given.labels, dtype=np.int64),
            "text": [" ".join(sentence.split()) for sentence in given.texts],
        }
    )
    if given.splits is not None:
        table["split"] = list(given.splits)
    table["words"] = [tokenise(text, way) for text in table["text"]]
    heard = np.array([bool(found) for found in table["words"]], dtype=bool)
    if not heard.any():
        raise DataError(f"Dataset {name!r}: it is empty, {len(table)} sentences were read and none has a word.")
    table = table[heard].copy()
    table["fold"] = [fold(found) for found in table["words"]]
    if given.splits is None:
        split_of = {TEST: "test", VALIDATION: "validation"}
        table["split"] = [split_of.get(tenth, "train") for tenth in table["fold"]]
    table = table.sort_values("split", key=lambda split: split.map(SPLITS.index), kind="stable", ignore_index=True)
    table["id"] = [f"{split}/{i}" for split, i in zip(table["split"], table.groupby("split").cumcount(), strict=True)]
    return table, [f"row {row + 1}" for row in np.flatnonzero(~heard)]


def say_rare(name: str, sentences: Sequence[Sequence[str]], at_least: int, way: str) -> None:
    """Warn where most of what stands in the training sentences is too rare there to learn anything of it."""
    counts = Counter(word for sentence in sentences for word in sentence)
    enough, every = max(2, at_least), sum(counts.values())
    rare = sum(count for count in counts.values() if count < enough)
    if 2 * rare <= every:
        return
    remedy = "" if way == "characters" else " If they are cut where no word ends, set data.prepare.tokens=characters."
    log.warning(
        "%s: of %d words in the training texts %d occur there fewer than %d times, and a network learns nothing of "
        "those. Bring more texts%s.%s",
        name,
        every,
        rare,
        enough,
        ", or set data.prepare.at_least=2" if at_least > 2 else "",
        remedy,
    )
