"""Signals: a table with a line for each moment or each recording, an archive, or a file for each recording."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from cnnatomy.data import own_signals, signal_cells
from cnnatomy.data.column_names import GROUPS, RECORDINGS
from cnnatomy.data.tables import Decoder
from cnnatomy.scaffold import columns, copies
from cnnatomy.scaffold.columns import Column
from cnnatomy.scaffold.folders import classed, looked_at
from cnnatomy.scaffold.proposal import Proposal, Question, Told, ranged, refuse_few, said_of_classes, said_of_splits

METHODS = ["samples", "evaluation", "structure", "kernels", "feature_maps", "filter_maximisation", "top_patches",
           "filter_ablation", "attribution"]  # fmt: skip
SIDE = 16  # pixels: of lines of as many numbers as larger squares have, pictures are thought
WIDE = 12  # columns of numbers: more are moments of one recording, not channels


def propose(path: Path, told: Told) -> Proposal:
    """Settings for signals. Raises DataError, and Question where a table's columns leave something open."""
    proposal = Proposal("signals", path, "signal", METHODS)
    if path.is_file():
        if path.name.lower().endswith((".csv", ".tsv", ".txt")):
            _of_table(proposal, columns.read(path, told.encoding), told)
        _measured(proposal, [(path.name, path.read_bytes())], told)
    elif told.labels is None and (files := own_signals.of_splits(path)):
        proposal.found.append(f"the files of one set: {', '.join(file.name for file in files)}")
        _measured(proposal, [(file.name, file.read_bytes()) for file in files], told)
    else:
        inside, filed = classed(proposal, own_signals.SUFFIXES, told)
        proposal.found += copies.of_files(path, inside, filed)
        wanted = set(looked_at(inside))
        chosen = [file for file in filed if file.name in wanted]
        how = _columns(proposal, told)
        _said(proposal, [own_signals.recording_of(inside[file.name], file.name, file, how) for file in chosen])
    return proposal


def _columns(proposal: Proposal, told: Told) -> own_signals.Columns:
    """The settings so far as the reader of signals wants them."""
    given = {key: proposal.prepare.get(key) for key in ("recording", "time", "group", "split")}
    decode = Decoder(told.encoding)
    return own_signals.Columns(proposal.prepare.get("label", "label"), **given, channels=None, decode=decode)


def _measured(proposal: Proposal, files: list[tuple[str, bytes]], told: Told) -> None:
    """All recordings of some files, as `prepare` will read them."""
    how = _columns(proposal, told)
    alone = len(files) == 1
    found = [one for name, content in files for one in own_signals.recordings_in(content, name, how, alone=alone)]
    if how.aside:
        proposal.found.append(own_signals.said_aside(how.aside))
    proposal.found += said_of_classes([one.label for one in found])
    splits = Counter(one.split for one in found if one.split)
    shares = ", ".join(f"{split} {count:,}" for split, count in splits.items())
    proposal.found.append(f"splits: {shares}" if splits else said_of_splits([]))
    if not splits and not proposal.prepare.get("group"):
        refuse_few([one.label for one in found])
    hashes = [copies.hash_of(np.ascontiguousarray(one.values).tobytes()) for one in found]
    proposal.found += copies.said(hashes, [one.label for one in found], [one.split for one in found])
    _said(proposal, found)


def _said(proposal: Proposal, found: Sequence[own_signals.Read]) -> None:
    channels = Counter(len(one.values) for one in found)
    steps = Counter(one.values.shape[1] for one in found)
    named = next((f": {', '.join(one.names[:12])}" for one in found if one.names), "")
    proposal.found.append(f"{ranged(channels)} channel{'s' * (max(channels) > 1)}{named}; {ranged(steps)} values each")
    missing = sum(bool(np.isnan(one.values).any()) for one in found)
    if missing:
        proposal.found.append(f"{missing} have missing values; a tenth of a channel at most is filled with lines")
    if len(steps) > 1:
        length = int(np.median(list(steps.elements())))
        proposal.proposed.append(f"length: null, the median of the training recordings (about {length} values)")


def _of_table(proposal: Proposal, found: list[Column], told: Told) -> None:
    numbers = [column for column in found if column.is_numbers]
    if len([column for column in numbers if not column.repeats or column.is_fractions]) > WIDE:
        _of_recordings(proposal, found, told)
        return
    columns.refuse_no_head(found, proposal.path.name)
    recording = columns.named(found, told, "recording") or columns.called(
        [column for column in found if _is_recording(column)], RECORDINGS
    )
    if recording is None:
        fitting = [column for column in found if _is_recording(column)]
        if len(fitting) != 1:
            raise Question(
                f"{proposal.path.name}: which column says the recording that a line is a moment of? "
                f"{', '.join(repr(column.name) for column in fitting) or 'None is in runs of equal values'}. "
                "Say it: --column recording=…. Where one long recording passes from class to class, number its pieces "
                "in a column of their own, as pandas does: t['piece'] = (t[label] != t[label].shift()).cumsum()"
            )
        recording = fitting[0]
    rest = [column for column in found if column is not recording]
    time = columns.named(found, told, "time") or columns.called(rest, own_signals.TIMES[1:])
    group = columns.named(found, told, "group") or columns.called(rest, GROUPS)
    split = columns.named(found, told, "split") or columns.split_of(rest)
    label = columns.named(found, told, "label") or columns.label_of(
        [column for column in rest if column not in (time, group, split)]
    )
    if label is None:
        raise Question(f"{proposal.path.name}: which column says the class? Say it: --column label=…")
    starts = _starts(recording)
    proposal.found.append(f"{len(found)} columns; a line for each moment of {len(starts):,} recordings")
    proposal.set("recording", recording.name, "runs of equal values: the moments of one recording")
    proposal.set("label", label.name, f"{len(label.counts)} values that come again and again")
    if time is not None:
        proposal.set("time", time.name, "by its name")
        steps = np.diff(_seconds(time.values[: starts[1] if len(starts) > 1 else None]))
        if len(steps) and 0 < np.median(steps) < 1:
            rate = round(float(1 / np.median(steps)), 3)
            dates = not all(map(columns.is_number, time.values))
            proposal.set("rate", rate, "values a second" + f", if {time.name!r} is in seconds" * (not dates))
    if group is not None:
        proposal.set("group", group.name, "by its name: one of them is never on both sides")
    if split is not None:
        proposal.set("split", split.name, f"it says {', '.join(sorted(split.counts))}")


def _of_recordings(proposal: Proposal, found: list[Column], told: Told) -> None:
    """A line for each recording: its class, then its values."""
    named = not all(columns.is_number(column.name) for column in found[1:])
    if named:
        proposal.found.append(f"{len(found[0].values):,} rows of {len(found) - 1:,} values: a line for each recording")
    if not named:
        rows = signal_cells.rows_of(proposal.path.read_bytes(), proposal.path.name, Decoder(told.encoding))
        proposal.found.append(f"{len(rows):,} rows of {len(rows[0][1]) - 1:,} values: a line for each recording")
        _refuse_pictures(rows, proposal.path.name)
        if "label" in told.columns:
            proposal.set("label", told.columns["label"], "as you say")
        elif classes := own_signals.classes_at_the_end(rows):
            proposal.set("label", f"column {len(rows[0][1])}", f"the last, of {len(classes)} values; the first varies")
        return
    label = columns.named(found, told, "label") or columns.label_of(found)
    if label is None:
        raise Question(f"{proposal.path.name}: which column says the class? Say it: --column label=…")
    proposal.set("label", label.name, f"{len(label.counts)} values that come again and again")
    stems = {re.sub(r"\d+", "", column.name) for column in found}
    if len(stems) > len(found) / 2:
        proposal.found.append(
            "the columns have names of their own and are no numbers of moments: a signal is one thing along time. Of "
            "different things in any order a convolution makes little"
        )
    others = [column for column in found if column is not label]
    group = columns.named(found, told, "group") or columns.called(others, GROUPS)
    if group is not None:
        proposal.set("group", group.name, "by its name: one of them is never on both sides")


def _refuse_pictures(rows: signal_cells.Cells, name: str) -> None:
    """Raise Question for lines of whole numbers up to 255, as many as a square picture has pixels."""
    count = len(rows[0][1]) - 1
    side = next((int(np.sqrt(count / colours)) for colours in (1, 3) if np.sqrt(count / colours) % 1 == 0), 0)
    cells = {cell for _, row in rows[:50] for cell in row}
    if side >= SIDE and all(cell.isdigit() and int(cell) < 256 for cell in cells):
        raise Question(
            f"{name}: each line holds {count} whole numbers from 0 to 255, as pictures of {side} × {side} pixels do. "
            f"Make an archive of them: {columns.PICTURES}. If they are signals: write a line of names above them"
        )


def _seconds(moments: Sequence[str]) -> list[float]:
    """When lines were, in seconds if they are dates; nothing where they are neither numbers nor dates."""
    try:
        return [float(moment) for moment in moments]
    except ValueError:
        try:
            return [datetime.fromisoformat(moment).timestamp() for moment in moments]
        except (ValueError, OverflowError, OSError):
            return []


def _starts(column: Column) -> list[int]:
    """The rows at which a run of equal values begins."""
    values = column.values
    return [at for at in range(len(values)) if at == 0 or values[at] != values[at - 1]]


def _is_recording(column: Column) -> bool:
    """Whether values stand in runs, each of which comes once, as a number of a recording does."""
    starts = _starts(column)
    return 1 < len(starts) == len(column.counts) and len(column.values) >= 4 * len(starts) and not column.is_fractions
