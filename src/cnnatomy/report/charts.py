"""Two drawings that the report makes by itself: when each job ran, and what was made of what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from cnnatomy.exhibit import Words
from cnnatomy.report import show
from cnnatomy.report.context import Graph, Time
from cnnatomy.report.language import phrase

SERIES = 9  # colours of the style sheet, `.k1` to `.k9`: one for each rule of the workflow
IDLE = 60.0  # seconds without any job that are cut out of a time line
CUT = 12.0  # px, what a cut takes of it
MOST_CUTS = 20  # a line of more pieces than that has room for the last ones only
WIDTH = 900.0  # px
LANE, BAR = 18.0, 14.0  # px, from one lane to the next and how much of it a bar fills
ROW, BOX = 27.0, 21.0  # px, the same of the boxes of a graph
CLOCK = 46.0  # px, room for a time of day
LETTER = 6.4  # px, about how wide a letter of a box is
GAP = 44.0  # px between columns, for the arrows


@dataclass
class TimeLine:
    """A drawing of jobs in lanes, its sentence, its rules with their colours, and its jobs as rows of a table."""

    drawing: Markup
    says: Words
    rules: list[tuple[str, str]]
    jobs: list[dict[str, Any]]


def time_line(times: Sequence[Time]) -> TimeLine:
    """Jobs as bars, as many lanes as ran at once; times at which nothing ran are cut out and marked."""
    ran = sorted(times, key=lambda time: (time["start"], time["end"]))
    spans = [(_seconds(time["start"]), _seconds(time["end"])) for time in ran]
    colours: dict[str, str] = {}
    for time in ran:
        colours.setdefault(time["rule"], f"k{len(colours) % SERIES + 1}")
    axis = _Axis(spans)
    lanes: list[float] = []
    bars = []
    for time, (start, end) in zip(ran, spans, strict=True):
        lane = next((number for number, free in enumerate(lanes) if free <= start), len(lanes))
        lanes[lane : lane + 1] = [end]
        if end >= axis.first:
            left = axis.place(max(start, axis.first))
            tip = f"{time['rule']} {time['job']}: {end - start:.1f} s"
            bars.append(_bar(colours[time["rule"]], left, LANE * lane, max(1.0, axis.place(end) - left), tip))
    height = LANE * len(lanes)
    drawing = Markup('<svg class="times" viewBox="0 0 {:.0f} {:.0f}" aria-hidden="true">{}</svg>').format(
        WIDTH, height + 16, Markup("").join([*bars, *axis.marks(height)])
    )
    jobs = [
        {**time, "seconds": end - start, "start": _readable(time["start"])}
        for time, (start, end) in zip(ran, spans, strict=True)
    ]
    says = phrase(
        "From {start} to {end} (UTC): {n} jobs, at most {most} at once. "
        "Where nothing ran for a minute, the line is cut.",
        start=jobs[0]["start"],
        end=_readable(max(time["end"] for time in ran)),
        n=len(jobs),
        most=len(lanes),
    )
    return TimeLine(drawing, says, list(colours.items()), jobs)


class _Axis:
    """Moments (seconds) as px: only the stretches at which something ran take room."""

    def __init__(self, spans: Sequence[tuple[float, float]]) -> None:
        stretches: list[list[float]] = []
        for start, end in sorted(spans):
            if stretches and start - stretches[-1][1] <= IDLE:
                stretches[-1][1] = max(stretches[-1][1], end)
            else:
                stretches.append([start, end])
        self.stretches = stretches[-MOST_CUTS - 1 :]
        self.first = self.stretches[0][0]
        busy = sum(end - start for start, end in self.stretches)
        self.scale = (WIDTH - CUT * (len(self.stretches) - 1)) / max(busy, 1e-3)

    def place(self, moment: float) -> float:
        left = 0.0
        for start, end in self.stretches:
            if moment <= end:
                return left + self.scale * (moment - start)
            left += self.scale * (end - start) + CUT
        return left - CUT

    def marks(self, height: float) -> list[Markup]:
        """A dashed line at each cut, and the time of day at which a stretch begins, where there is room for it."""
        marks = []
        free = 0.0
        for number, (start, _) in enumerate(self.stretches):
            left = self.place(start)
            if number:
                marks.append(Markup('<path class="cut" d="M{:.1f} 0V{:.0f}"/>').format(left - CUT / 2, height))
            if left >= free:
                clock = f"{datetime.fromtimestamp(start, UTC):%H:%M}"
                marks.append(Markup('<text x="{:.1f}" y="{:.0f}">{}</text>').format(left, height + 12, clock))
                free = left + CLOCK
        return marks


def graph(given: Graph) -> Markup:
    """Kinds of jobs in columns, each as far to the right as its readers let it; arrows to who reads it."""
    nodes, edges = given["nodes"], given["edges"]
    columns = _columns(len(nodes), edges)
    labels = [_label(*node) for node in nodes]
    widths = [LETTER * max(len(labels[node]) for node in inside) + 16 for inside in columns]
    lefts = [sum(widths[:number]) + GAP * number for number in range(len(columns))]
    height = ROW * max(map(len, columns))
    left: dict[int, float] = {}
    right: dict[int, float] = {}
    middle: dict[int, float] = {}
    for number, inside in enumerate(columns):
        for place, node in enumerate(inside):
            left[node], right[node] = lefts[number], lefts[number] + widths[number]
            middle[node] = (height - ROW * len(inside)) / 2 + ROW * (place + 0.5)
    bend = GAP / 2
    arrows = [
        Markup('<path class="arrow" d="M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}"/>').format(
            right[a], middle[a], right[a] + bend, middle[a], left[b] - bend, middle[b], left[b], middle[b]
        )
        for a, b in edges
    ]
    boxes = [
        Markup(
            '<rect class="box" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.0f}" rx="3"/>'
            '<text x="{:.1f}" y="{:.1f}">{}</text>'
        ).format(left[n], middle[n] - BOX / 2, right[n] - left[n], BOX, left[n] + 8, middle[n] + 4, labels[n])
        for n in range(len(nodes))
    ]
    return Markup(
        '<svg class="graph" translate="no" viewBox="-1 -1 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>'
    ).format(lefts[-1] + widths[-1] + 2, height + 2, "; ".join(labels), Markup("").join([*arrows, *boxes]))


def _columns(count: int, edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The nodes of each column, ordered so that few arrows cross: each near the middle of what it reads."""
    depth = [0] * count  # from the right
    for source, target in sorted(edges, reverse=True):  # what is read stands before who reads it
        depth[source] = max(depth[source], depth[target] + 1)
    columns = [[node for node in range(count) if depth[node] == level] for level in range(max(depth), -1, -1)]
    place = {node: number / len(inside) for inside in columns for number, node in enumerate(inside)}
    for inside in columns:
        sources = {node: [place[source] for source, target in edges if target == node] for node in inside}
        inside.sort(key=lambda node: sum(sources[node]) / len(sources[node]) if sources[node] else place[node])
        place |= {node: number / len(inside) for number, node in enumerate(inside)}
    return columns


def _label(rule: str, about: str, count: int) -> str:
    return " ".join(part for part in (rule, about, f"× {show.plain(count)}" if count > 1 else "") if part)


def _bar(colour: str, left: float, top: float, width: float, says: str) -> Markup:
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.0f}" width="{:.1f}" height="{:.0f}"><title>{}</title></rect>'
    ).format(colour, left, top, width, BAR, says)


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _readable(stamp: str) -> str:
    return stamp[:19].replace("T", " ")
