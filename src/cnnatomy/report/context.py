"""What the report says beside the exhibits; whoever builds it passes it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from cnnatomy.exhibit import Words


class Published(TypedDict):
    """The test accuracy that others had with a run's network and recipe, and who."""

    test_accuracy: float
    by: Words


class RunFacts(TypedDict, total=False):
    """A run's title, the name of its dataset, what kind of data it is ("images", "sounds", "texts" or "signals"), what
    others had with its network, and whether it splits the data in a way of its own."""

    title: Words
    data: str
    kind: str
    published: Published
    resplit: bool


class DataFacts(TypedDict, total=False):
    """A dataset: its name, its classes and channels, samples of each split, licence, how to cite it, where its files
    come from, their SHA-256."""

    name: str
    classes: Sequence[str]
    channels: Sequence[str]
    splits: Mapping[str, int]
    licence: str
    citation: str
    sources: Sequence[str]
    hashes: Mapping[str, str]


class Record(TypedDict):
    """How a recorded exhibit came about: the day (as in "2026-11-27"), commit, processor and its cores, versions, the
    processor minutes of its trainings."""

    date: str
    commit: str
    processor: str
    cores: str
    torch: str
    processor_minutes: str


class Missing(TypedDict):
    """What a report lacks: the job that failed, or was never begun, why in one line, the end of its log, the command of
    the job alone, and the exhibits behind it (`exhibits/<run>/seed0/<method>`, `lessons/<lesson>`, `studies/<study>`).
    """

    job: str
    why: str
    log: str
    exhibits: Sequence[str]
    command: str


class Growth(TypedDict):
    """How far a run at work is, for a page that grows while it is.

    done, total: jobs. running: the jobs at work, with the seconds of each so far. failed: jobs, with what each
    said. left: about how many seconds the rest takes, or None. at: when this was so, as in "2026-11-25T22:55:07+01:00".
    reload: after how many seconds the page loads itself again. stale: after how many minutes without a newer page the
    run must have stopped.
    """

    done: int
    total: int
    running: Sequence[tuple[str, float]]
    failed: Sequence[tuple[str, str]]
    left: float | None
    at: str
    reload: int
    stale: int


class Graph(TypedDict):
    """What was made of what.

    nodes: kinds of jobs in the order of the workflow, each with its rule, what it is about, and how many there are.
    edges: pairs of places in nodes, what is read and who reads it.
    """

    nodes: Sequence[tuple[str, str, int]]
    edges: Sequence[tuple[int, int]]


class Time(TypedDict):
    """When a job ran (UTC, as in "2026-11-25T22:55:07.123Z"), its processor seconds and its peak memory in MB."""

    rule: str
    job: str
    start: str
    end: str
    cpu: float
    memory: float


class Context(TypedDict, total=False):
    """All keys may be absent; what is absent is not shown.

    `name` is the report's (`default`), `command` the exact command that made it, `configuration` the resolved YAML
    of each run, `given` the file in which its overrides stand, `citation` how to cite the project. `versions`,
    `machine`, `git`, `times`, `warnings` (the jobs that warned, each with its lines) and the costs read from
    `benchmarks` (tables of Snakemake's columns, `<rule>/<job>.tsv`) may change while the inputs stay the same; they
    stand in the page's one marked block. `recorded` has the record of each recorded exhibit, by the name of its study
    or as `<run>/<method>`; `whole` names for each quick version of a run or study the whole one. `missing` is for a
    partial report, `growing` for one of a run at work.
    """

    title: Words
    name: str
    command: str
    overrides: Sequence[str]
    given: str
    citation: str
    graph: Graph
    runs: Mapping[str, RunFacts]
    data: Sequence[DataFacts]
    configuration: Mapping[str, str]
    versions: Mapping[str, str]
    machine: Mapping[str, str]
    git: Mapping[str, str]
    benchmarks: Sequence[Path]
    times: Sequence[Time]
    warnings: Sequence[tuple[str, Sequence[str]]]
    recorded: Mapping[str, Record]
    whole: Mapping[str, str]
    missing: Sequence[Missing]
    growing: Growth
