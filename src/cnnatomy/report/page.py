"""The page: exhibits sorted into halls, and the templates filled with them."""

from __future__ import annotations

import base64
import hashlib
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cnnatomy.report import drawing, show
from cnnatomy.report.context import Context, RunFacts
from cnnatomy.report.tables import Cost

TEMPLATES = Path(__file__).parent / "templates"
KINDS = {"images": "Images", "sounds": "Sounds", "texts": "Sentences"}
MOST_NUMBERS = 100  # of one exhibit in the page; every one is in results.csv
# What a run shows first, and what makes it: every other method is a dissection.
STEPS = {"samples": "samples", "evaluation": "evaluate"}


@dataclass(frozen=True)
class Exhibition:
    """An exhibit as it hangs in the page: its exhibit.json and the bytes of its siblings."""

    document: dict[str, Any]
    files: dict[str, bytes]

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
    def command(self) -> str:
        """What makes this exhibit alone."""
        kind, name, seed, method = self.key
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
class Hall:
    """A section of the page: one run with its exhibits, all lessons, or all studies."""

    anchor: str
    title: str
    kind: str = ""
    facts: RunFacts = field(default_factory=RunFacts)
    data: dict[str, Any] = field(default_factory=dict)
    exhibitions: list[Exhibition] = field(default_factory=list)
    others: list[Exhibition] = field(default_factory=list)  # of further seeds, of which only the numbers are shown

    @property
    def is_run(self) -> bool:
        return bool(self.exhibitions) and self.exhibitions[0].key[0] == "run"

    @property
    def hung(self) -> list[Exhibition]:
        """The exhibits with something to see."""
        return [one for one in self.exhibitions if one.applies]

    @property
    def left_out(self) -> list[Exhibition]:
        """Those that only say why their method does not apply."""
        return [one for one in self.exhibitions if not one.applies]

    @property
    def kind_line(self) -> str:
        """What kind of data, which, and how many samples for what."""
        splits = [f"{show.plain(n)} {show.words(split)}" for split, n in self.data.get("splits", {}).items()]
        return " · ".join(part for part in (self.kind_of_data, ", ".join(splits)) if part)

    @property
    def kind_of_data(self) -> str:
        return " · ".join(part for part in (KINDS.get(self.kind, self.kind), self.facts.get("data", "")) if part)

    @cached_property
    def headline(self) -> dict[str, str] | None:
        """The run's test accuracy in parts, and how sure it is: of its one seed, or the mean over its seeds."""
        everyone = self.exhibitions + self.others
        found = [number for one in everyone if (number := one.number("test_accuracy")) is not None]
        if not found:
            return None
        if len(found) == 1:
            parts = show.measured(found[0])
            says = "of the test samples"
            if parts["n"]:
                says = f"of {parts['n']} test {KINDS.get(self.kind, 'samples').lower()}"
            if parts["interval"]:
                says += f"; 95{show.NARROW}% interval {parts['interval']}"
            return parts | {"says": says}
        values = [100 * number["value"] for number in found]
        spread = f"mean of {len(values)} seeds, standard deviation {statistics.stdev(values):.2f} points"
        return {"value": f"{statistics.mean(values):.2f}", "unit": "%", "says": spread}

    @cached_property
    def baseline(self) -> str:
        """What the headline is compared with: always naming the commonest class."""
        found = [number for one in self.exhibitions if (number := one.number("majority_accuracy")) is not None]
        return f"Always the commonest class: {show.measured(found[0])['value']}{show.NARROW}%" if found else ""

    @cached_property
    def emblem(self) -> tuple[Exhibition, dict[str, Any]] | None:
        """The run's first picture or sentence, from its samples where it has them."""
        for exhibition in sorted(self.exhibitions, key=lambda one: one.document["method"] != "samples"):
            if entry := exhibition.first("items") or exhibition.first("sentences"):
                return exhibition, entry
        return None

    @cached_property
    def seeds(self) -> tuple[list[int], list[tuple[str, list[str], str]]] | None:
        """Every number of the whole by seed: the seeds, and per metric its name, its values, its mean ± s.d."""
        if not self.others:
            return None
        everyone = self.exhibitions + self.others
        seeds = sorted({one.document["seed"] for one in everyone})
        values: dict[tuple[str, str, str], dict[int, dict[str, Any]]] = {}
        for one in everyone:
            for number in one.document["numbers"]:
                if not number.get("subject"):
                    key = one.document["method"], number["metric"], number.get("unit", "")
                    values.setdefault(key, {})[one.document["seed"]] = number
        rows = []
        for (method, metric, unit), by_seed in values.items():
            if len(by_seed) < 2:
                continue
            scale, unit = (100, "%") if unit == "fraction" else (1, unit)
            numbers = [scale * number["value"] for number in by_seed.values()]
            mean, spread = statistics.mean(numbers), statistics.stdev(numbers)
            cells = [show.plain(scale * by_seed[seed]["value"]) if seed in by_seed else "" for seed in seeds]
            name = show.words(metric) + (f" ({show.words(method)})" if method != "evaluation" else "")
            rows.append((name, cells, f"{show.plain(mean)} ± {show.plain(spread, 2)}{show.NARROW}{unit}".strip()))
        return seeds, rows


def halls_of(exhibitions: Sequence[Exhibition], more: Sequence[Exhibition], context: Context) -> list[Hall]:
    """Runs in the order given, then the lessons, then the studies."""
    data = {facts.get("name", ""): dict(facts) for facts in context.get("data", ())}
    runs = [one for one in exhibitions if one.key[0] == "run"]
    halls: dict[str, Hall] = {}
    for exhibition in runs:
        name = exhibition.key[1]
        if name not in halls:
            facts = context.get("runs", {}).get(name, RunFacts())
            title = show.english(facts.get("title", name))
            halls[name] = Hall(
                show.anchor(name), title, facts.get("kind", ""), facts, data.get(facts.get("data", ""), {})
            )
        halls[name].exhibitions.append(exhibition)
    for exhibition in more:
        if exhibition.key[1] in halls:
            halls[exhibition.key[1]].others.append(exhibition)
    lessons = Hall("lessons", "Lessons", exhibitions=[one for one in exhibitions if one.key[0] == "lesson"])
    studies = Hall("studies", "Studies", exhibitions=[one for one in exhibitions if one.key[0] == "study"])
    return [*halls.values(), *(hall for hall in (lessons, studies) if hall.exhibitions)]


class Page:
    """What the templates ask for while they are filled: drawings, and the styles that these need."""

    def __init__(self) -> None:
        self.styles: dict[str, str] = {}

    def drawing(self, exhibition: Exhibition, block: dict[str, Any]) -> Markup:
        title = show.english(block.get("title", "")) or show.english(exhibition.document["title"])
        markup, styles = drawing.inline(
            exhibition.files[block["file"]],
            show.anchor(exhibition.anchor, block["name"]),
            title,
            show.english(block["alt"]),
        )
        self.styles |= styles
        return markup

    def grid(self, exhibition: Exhibition, block: dict[str, Any], picture: int) -> str:
        """The class that gives a grid the width of its items and the number of its columns."""
        sizes = [show.size(exhibition.files[item["file"]]) for item in block["items"]]
        width = max((width * show.zoom(width, height, picture) for width, height in sizes), default=0)
        columns = block.get("columns", 0)
        name = f"g{width}" + (f"-{columns}" if columns else "")
        self.styles[name] = f"--item: {width}px" + (f"; --columns: {columns}" if columns else "")
        return name

    def links(self, exhibition: Exhibition, block: dict[str, Any]) -> dict[tuple[int, int], list[str]]:
        """The anchors of the items that a matrix's cells stand for."""
        return {
            (cell["row"], cell["column"]): [show.anchor(f"{exhibition.anchor}:{name}") for name in cell["items"]]
            for cell in block["cells"]
        }

    def verdicts(self, halls: Sequence[Hall]) -> list[Exhibition]:
        """The studies that came to a verdict, which the first screen names."""
        return [one for hall in halls for one in hall.hung if one.number("verdict") is not None]

    def lead(self, halls: Sequence[Hall]) -> str:
        """What this is, in a sentence or two."""
        runs = sum(hall.is_run for hall in halls)
        names = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
        count = names[runs] if runs < len(names) else str(runs)
        if not runs:
            return "How convolutional networks work, in pictures with numbers beside them."
        networks = "small convolutional network" + ("s" if runs > 1 else "")
        opened = "each trained and then opened up" if runs > 1 else "trained and then opened up"
        return f"{count} {networks}, {opened}. Beside every picture stands how far to trust it."

    def seconds(self, total: float) -> str:
        """A time in the unit that suits it."""
        return f"{total:.0f}{show.NARROW}s" if total < 120 else f"{total / 60:.1f}{show.NARROW}min"

    def style(self) -> str:
        """The page's style sheet with what its drawings need."""
        rules = [f".{name} {{ {style} }}" for name, style in sorted(self.styles.items())]
        return "\n".join([_template("style.css"), *rules]) + "\n"


def render(
    exhibitions: Sequence[Exhibition],
    more: Sequence[Exhibition],
    results: str,
    costs: Sequence[Cost],
    context: Context,
) -> str:
    """The page as one HTML text; the arguments are those of `build`, read."""
    page = Page()
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {"show": show, "page": page, "KINDS": KINDS, "STATES": show.STATES, "MOST": MOST_NUMBERS}
    environment.filters |= {"english": show.english, "plain": show.plain, "words": show.words}
    halls = halls_of(exhibitions, more, context)
    body = environment.get_template("body.html").render(
        halls=halls, results=results, costs=_by_rule(costs), context=context
    )
    style, early, late = page.style(), _template("early.js"), _template("page.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(early)} {_hash(late)}; "
        "img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
    )
    return environment.get_template("page.html").render(
        title=show.english(context.get("title", "What the networks learned")),
        policy=policy,
        style=Markup(style),
        early=Markup(early),
        late=Markup(late),
        body=Markup(body),
    )


def _by_rule(costs: Sequence[Cost]) -> list[dict[str, Any]]:
    """The costs with a total for each rule, dearest first."""
    rules: dict[str, list[Cost]] = {}
    for cost in costs:
        rules.setdefault(cost.rule, []).append(cost)

    def total(jobs: list[Cost], what: str) -> float:
        return sum(getattr(job, what) or 0 for job in jobs)

    return [
        {
            "rule": rule,
            "jobs": jobs,
            "seconds": total(jobs, "seconds"),
            "cpu": total(jobs, "cpu"),
            "memory": max((job.memory or 0 for job in jobs), default=0),
        }
        for rule, jobs in sorted(rules.items(), key=lambda entry: (-total(entry[1], "cpu"), entry[0]))
    ]


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
