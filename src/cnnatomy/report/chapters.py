"""The report's chapters: exhibits sorted by whose they are, and what each chapter says first of itself."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from cnnatomy.exhibit import Words
from cnnatomy.report import show
from cnnatomy.report.context import Context, Record, RunFacts
from cnnatomy.report.language import between, joined, metric, phrase
from cnnatomy.report.terms import Terms
from cnnatomy.statistics.differences import t_interval

KINDS = {"images": "Images", "sounds": "Sounds", "texts": "Sentences", "signals": "Signals"}
OF_TEST = {
    "images": "of {n} test images",
    "sounds": "of {n} test sounds",
    "texts": "of {n} test sentences",
    "signals": "of {n} test signals",
}
#: What reads samples without a network, by the number that says how well.
WITHOUT = {
    "majority_accuracy": "Always the commonest class: {value}\u202f%",
    "nearest_mean_accuracy": "Without a network, the nearest class mean: {value}\u202f%",
    "nearest_neighbour_accuracy": "Without a network, the nearest neighbour: {value}\u202f%",
    "naive_bayes_accuracy": "Without a network, counting words: {value}\u202f%",
    "logistic_regression_accuracy": "Without a network, logistic regression: {value}\u202f%",
}
# What a run shows first, and what makes it: every other method is a dissection.
STEPS = {"samples": "samples", "evaluation": "evaluate"}


@dataclass(frozen=True)
class StoredExhibit:
    """An exhibit as it hangs in the page: its exhibit.json, the bytes of its siblings, and where it is a recorded one
    how it came about."""

    document: dict[str, Any]
    files: dict[str, bytes]
    terms: Terms = field(default_factory=Terms)
    record: Record | None = None

    @property
    def key(self) -> tuple[str, str, int, str]:
        document = self.document
        return document["kind"], document["name"], document["seed"], document["method"]

    @property
    def anchor(self) -> str:
        """`mnist-kernels`, `lesson-convolution`, `study-direction`: stable, so that links survive."""
        kind, name, seed, method = self.key
        return show.anchor("" if kind == "run" else kind, name, f"seed{seed}" if seed else "", method)

    @property
    def recorded_as(self) -> str:
        """Its name among the recorded: of a study, or of a run and a method."""
        kind, name, _, method = self.key
        return f"{name}/{method}" if kind == "run" else name

    @property
    def tabled(self) -> dict[str, Any]:
        """Its exhibit.json for the report's tables, which say what was recorded."""
        return self.document if self.record is None else self.document | {"kind": "recorded"}

    @property
    def command(self) -> str:
        """What makes this exhibit alone."""
        kind, name, seed, method = self.key
        if self.record is not None:  # nothing of it is here
            return f"cnnatomy dissect {name} {method}" if kind == "run" else f"cnnatomy study {name}"
        if kind != "run":
            return f"python -m cnnatomy.steps.{kind} {kind}={name}"
        if method in STEPS:
            return f"python -m cnnatomy.steps.{STEPS[method]} run={name} seed={seed}"
        return f"python -m cnnatomy.steps.dissect run={name} seed={seed} method={method}"

    def number(self, metric: str) -> dict[str, Any] | None:
        """The number of that name for the whole, or None."""
        for number in self.document["numbers"]:
            if number["metric"] == metric and not number.get("subject"):
                return dict(number)
        return None

    @property
    def applies(self) -> bool:
        """Whether there is something to see: a method that makes no sense on a network says so in one sentence."""
        number = self.number("applies")
        return number is None or bool(number["value"])

    def first(self, key: str) -> dict[str, Any] | None:
        """The first entry under `key` ("items" or "sentences") of any block, or None."""
        for block in self.document["blocks"]:
            for entry in block.get(key, ()):
                return dict(entry)
        return None


@dataclass
class Chapter:
    """A section of the page: one run with its exhibits, all lessons, or all studies."""

    anchor: str
    title: Words
    kind: str = ""
    facts: RunFacts = field(default_factory=RunFacts)
    data: dict[str, Any] = field(default_factory=dict)
    exhibits: list[StoredExhibit] = field(default_factory=list)
    others: list[StoredExhibit] = field(default_factory=list)  # of further seeds, of which only the numbers are shown
    missing: list[tuple[str, str, str]] = field(default_factory=list)  # what failed: its name, why, what makes it

    @property
    def record(self) -> Record | None:
        """How its exhibits came about, where none was made for this report."""
        return self.exhibits[0].record if self.is_run else None

    @property
    def is_run(self) -> bool:
        return bool(self.exhibits) and self.exhibits[0].key[0] == "run"

    @property
    def shown(self) -> list[StoredExhibit]:
        """The exhibits with something to see."""
        return [one for one in self.exhibits if one.applies]

    @property
    def left_out(self) -> list[StoredExhibit]:
        """Those that only say why their method does not apply."""
        return [one for one in self.exhibits if not one.applies]

    @property
    def kind_line(self) -> Words:
        """What kind of data, which, and how many samples for what."""
        splits = [phrase("{n} {split}", n=f"{n:,}", split=metric(name)) for name, n in self._splits]
        return joined([self.kind_of_data, joined(splits, between("items"))])

    @property
    def _splits(self) -> list[tuple[str, int]]:
        """Those of the data, where the run has none of its own."""
        return [] if self.facts.get("resplit") else list(self.data.get("splits", {}).items())

    @property
    def kind_of_data(self) -> Words:
        kind = phrase(KINDS[self.kind]) if self.kind in KINDS else self.kind
        return joined([kind, self.facts.get("data", "")])

    @cached_property
    def headline(self) -> dict[str, Any] | None:
        """The run's test accuracy in parts, and how sure it is: of its one seed, or the mean over its seeds."""
        found = self._accuracies
        if not found:
            return None
        if len(found) == 1:
            parts = show.measured(found[0])
            says = phrase("of the test samples")
            if parts["n"]:
                says = phrase(OF_TEST.get(self.kind, "of {n} test samples"), n=parts["n"])
            if parts["interval"]:
                sure = phrase("95\u202f% interval {interval}", interval=parts["interval"])
                says = joined([says, sure], between("clauses"))
            return parts | {"says": says}
        values = [100 * number["value"] for number in found]
        says = phrase(
            "mean of {n} seeds, standard deviation {spread} points",
            n=len(values),
            spread=f"{statistics.stdev(values):.2f}",
        )
        return {"value": f"{statistics.mean(values):.2f}", "unit": "%", "says": says}

    @cached_property
    def published(self) -> Words:
        """What others had with this network, and whether that is more or less than here."""
        published = self.facts.get("published")
        if not published or not (found := self._accuracies):
            return ""
        theirs, ours = published["test_accuracy"], statistics.mean(one["value"] for one in found)
        if len(found) > 1:
            low, high = t_interval(np.array([one["value"] for one in found]))
        else:
            low, high = (found[0].get(end, ours) for end in ("ci_low", "ci_high"))
        sides = {"by": published["by"], "value": show.plain(100 * theirs)}
        if low <= theirs <= high:
            return phrase("{by}: {value}\u202f%, which lies in the interval here.", **sides)
        gain = show.plain(abs(100 * (ours - theirs)), 2)
        more = "{by}: {value}\u202f%; here {gain} points more."
        return phrase(more if ours > theirs else "{by}: {value}\u202f%; here {gain} points fewer.", **sides, gain=gain)

    @property
    def _accuracies(self) -> list[dict[str, Any]]:
        """The run's test accuracy, with each seed."""
        everyone = self.exhibits + self.others
        return [number for one in everyone if (number := one.number("test_accuracy")) is not None]

    @cached_property
    def baseline(self) -> Words:
        """What the headline is compared with: the best that a few lines without a network reach, and if it is more."""
        found = [
            (number, said)
            for metric, said in WITHOUT.items()
            for one in self.exhibits
            if (number := one.number(metric)) is not None
        ]
        if not found:
            return ""
        number, said = max(found, key=lambda one: one[0]["value"])
        reached = phrase(said, value=show.measured(number)["value"])
        accuracies = [one["value"] for one in self._accuracies]
        if not accuracies or number["value"] <= statistics.mean(accuracies):
            return reached
        return joined([reached, phrase("more than the network reaches")], between("clauses"))

    @cached_property
    def emblem(self) -> tuple[StoredExhibit, dict[str, Any]] | None:
        """The run's first picture or sentence, from its samples where it has them."""
        for exhibit in sorted(self.exhibits, key=lambda one: one.document["method"] != "samples"):
            if entry := exhibit.first("items") or exhibit.first("sentences"):
                return exhibit, entry
        return None

    @cached_property
    def seeds(self) -> tuple[list[int], list[tuple[Words, list[str], str]]] | None:
        """Every number of the whole by seed: the seeds, and per metric its name, its values, its mean ± s.d."""
        if not self.others:
            return None
        everyone = self.exhibits + self.others
        seeds = sorted({one.document["seed"] for one in everyone})
        values: dict[tuple[str, str, str], dict[int, dict[str, Any]]] = {}
        for one in everyone:
            for number in one.document["numbers"]:
                if not number.get("subject"):
                    key = one.document["method"], number["metric"], number.get("unit", "")
                    values.setdefault(key, {})[one.document["seed"]] = number
        rows = []
        for (method, name, unit), by_seed in values.items():
            if len(by_seed) < 2:
                continue
            scale, unit = (100, "%") if unit == "fraction" else (1, unit)
            numbers = [scale * number["value"] for number in by_seed.values()]
            mean, spread = statistics.mean(numbers), statistics.stdev(numbers)
            cells = [show.plain(scale * by_seed[seed]["value"]) if seed in by_seed else "" for seed in seeds]
            shown = metric(name)
            if method != "evaluation":
                shown = phrase("{metric} ({method})", metric=shown, method=metric(method))
            rows.append((shown, cells, f"{show.plain(mean)} ± {show.plain(spread, 2)}{show.NARROW}{unit}".strip()))
        return seeds, rows


def chapters_of(exhibits: Sequence[StoredExhibit], more: Sequence[StoredExhibit], context: Context) -> list[Chapter]:
    """The lessons, then runs in the order given, then the studies."""
    data = {facts.get("name", ""): dict(facts) for facts in context.get("data", ())}
    runs = [one for one in exhibits if one.key[0] == "run"]
    chapters: dict[str, Chapter] = {}
    for exhibit in runs:
        name = exhibit.key[1]
        if name not in chapters:
            facts = context.get("runs", {}).get(name, RunFacts())
            of_data = data.get(facts.get("data", ""), {})
            chapters[name] = Chapter(show.anchor(name), facts.get("title", name), facts.get("kind", ""), facts, of_data)
        chapters[name].exhibits.append(exhibit)
    for exhibit in more:
        if exhibit.key[1] in chapters:
            chapters[exhibit.key[1]].others.append(exhibit)
    lessons = Chapter("lessons", phrase("Lessons"), exhibits=[one for one in exhibits if one.key[0] == "lesson"])
    studies = Chapter("studies", phrase("Studies"), exhibits=[one for one in exhibits if one.key[0] == "study"])
    for lack in context.get("missing", ()):
        for place in lack["exhibits"]:
            kind, name, *rest = place.split("/")
            chapter = {"lessons": lessons, "studies": studies}.get(kind) or chapters.get(name)
            if chapter is not None:
                chapter.missing.append((rest[-1] if rest else name, lack["why"], lack["command"]))
    return [chapter for chapter in (lessons, *chapters.values(), studies) if chapter.exhibits]
