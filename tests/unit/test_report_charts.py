"""The report's own drawings: bars lie where and as long as their jobs ran, arrows go from left to right."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from cnnatomy.report import charts
from cnnatomy.report.context import Time

BEGIN = datetime(2026, 11, 25, 8, tzinfo=UTC)


def ran(rule: str, start: float, end: float) -> Time:
    def stamp(seconds: float) -> str:
        return (BEGIN + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return {"rule": rule, "job": "a<b", "start": stamp(start), "end": stamp(end), "cpu": 1.0, "memory": 10.0}


def bars(line: charts.TimeLine) -> list[tuple[float, float, float]]:
    """Left, top and width of each bar, in px."""
    found = re.findall(r'<rect class="k\d" x="([\d.]+)" y="(\d+)" width="([\d.]+)"', line.drawing)
    return [(float(left), float(top), float(width)) for left, top, width in found]


def test_bars_lie_where_and_as_long_as_jobs_ran():
    line = charts.time_line([ran("train", 0, 90), ran("dissect", 10, 40), ran("dissect", 40, 100)])
    assert bars(line) == [(0, 0, 810), (90, 18, 270), (360, 18, 540)]
    assert "at most 2 at once" in line.says["en"] and "a&lt;b: 90.0 s" in line.drawing
    assert [rule for rule, _ in line.rules] == ["train", "dissect"]


def test_a_night_without_jobs_takes_no_room():
    day = charts.time_line([ran("train", 0, 100), ran("dissect", 100, 200)])
    over_night = charts.time_line([ran("train", 0, 100), ran("dissect", 40_000, 40_100)])
    assert [width for *_, width in bars(over_night)] == pytest.approx([width for *_, width in bars(day)], abs=7)
    assert (
        over_night.drawing.count('class="cut"') == 1
        and ">08:00<" in over_night.drawing
        and ">19:06<" in over_night.drawing
    )
    assert max(left + width for left, _, width in bars(over_night)) == pytest.approx(charts.WIDTH)


def test_of_very_many_days_the_last_are_drawn_and_all_are_listed():
    line = charts.time_line([ran("train", 1000 * day, 1000 * day + 10) for day in range(200)])
    assert len(line.jobs) == 200 and len(bars(line)) == charts.MOST_CUTS + 1
    assert all(left >= 0 and left + width <= charts.WIDTH + 0.1 for left, _, width in bars(line))


def test_jobs_without_length_are_seen():
    assert bars(charts.time_line([ran("fetch", 0, 0)])) == [(0, 0, 1)]


def test_arrows_go_from_what_is_read_to_who_reads_it():
    nodes = [
        ("fetch", "a", 1),
        ("prepare", "a", 1),
        ("samples", "a", 1),
        ("train", "a", 3),
        ("dissect", "a", 9),
        ("report", "", 1),
    ]
    edges = [(0, 1), (1, 2), (1, 3), (2, 5), (3, 4), (4, 5)]
    drawing = charts.graph({"nodes": nodes, "edges": edges})
    boxes = re.findall(r'<rect class="box" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', drawing)
    left = [float(x) for x, _, _ in boxes]
    right = [float(x) + float(width) for x, _, width in boxes]
    middle = [float(y) + charts.BOX / 2 for _, y, _ in boxes]
    arrows = re.findall(r'd="M([\d.]+) ([\d.]+)C.* ([\d.]+) ([\d.]+)"', drawing.replace("/>", "/>\n"))
    assert len(arrows) == len(edges)
    for (source, target), ends in zip(edges, arrows, strict=True):
        assert right[source] < left[target]
        assert [float(end) for end in ends] == pytest.approx(
            [right[source], middle[source], left[target], middle[target]], abs=0.2
        )
    assert left[2] == left[4]  # samples wait for nobody, and stand where their reader is near
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", drawing)
    assert labels == ["fetch a", "prepare a", "samples a", "train a × 3", "dissect a × 9", "report"]
    assert len({(x, y) for x, y, _ in boxes}) == len(boxes)


def test_a_graph_of_one_is_drawn():
    assert charts.graph({"nodes": [("report", "", 1)], "edges": []}).count("<rect") == 1
