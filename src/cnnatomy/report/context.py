"""What the report says beside the exhibits; whoever builds it passes it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from cnnatomy.exhibit import Text


class RunFacts(TypedDict, total=False):
    """A run's title, the name of its dataset, and what kind of data it is: "images", "sounds" or "texts"."""

    title: Text
    data: str
    kind: str


class DataFacts(TypedDict, total=False):
    """A dataset: its name, the number of samples of each split, its licence, how to cite it."""

    name: str
    splits: Mapping[str, int]
    licence: str
    citation: str


class Missing(TypedDict):
    """What a report lacks: the job that failed, or was never begun, the end of its log, and the exhibits behind it."""

    job: str
    log: str
    exhibits: Sequence[str]


class Context(TypedDict, total=False):
    """All keys may be absent; what is absent is not shown.

    `name` is the report's (`default`), `command` the exact command that made it, `configuration` the resolved YAML
    of each run. `versions`, `machine`, `git` and the costs read from `benchmarks` (Snakemake's tsv files,
    `<rule>/<job>.tsv`) may change while the inputs stay the same; they stand in the page's one marked block.
    `missing` is for a partial report.
    """

    title: Text
    name: str
    command: str
    overrides: Sequence[str]
    runs: Mapping[str, RunFacts]
    data: Sequence[DataFacts]
    configuration: Mapping[str, str]
    versions: Mapping[str, str]
    machine: Mapping[str, str]
    git: Mapping[str, str]
    benchmarks: Sequence[Path]
    missing: Sequence[Missing]
