"""What was recorded hangs marked, in its place, and goes into the tables as what it is; quick versions lead to it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from cnnatomy.exhibit import Exhibit, Number, Prose
from cnnatomy.report import build
from cnnatomy.report.language import english
from cnnatomy.report.recorded import recorded
from tests import gallery
from tests.unit.test_report import Reader

RECORD = {
    "date": "2026-11-27",
    "commit": "09fbcfb67cbe",
    "processor": "AMD EPYC",
    "cores": "2",
    "torch": "2.15.0",
    "processor_minutes": "14.8",
}


def study(name: str, verdict: int) -> Exhibit:
    numbers = [Number("verdict", verdict, n=5), Number("difference", 5.7, 2.2, 9.3, "points", 5)]
    return Exhibit("study", name, "", 0, f"Title of {name}", "Caption", numbers, [Prose("Said.")])


def run(name: str, accuracy: tuple[float, float, float]) -> Exhibit:
    numbers = [Number("test_accuracy", *accuracy, "fraction", 10_500)]
    return Exhibit("run", name, "evaluation", 0, "How good", "Caption", numbers, [Prose("Said.")])


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("recorded")
    made = gallery.write(place, [run("short", (0.96, 0.956, 0.964)), study("quick", 0)])
    recorded = gallery.write(place, [run("long", (0.976, 0.973, 0.979)), study("whole", 1)])
    context = {
        "runs": {
            "short": {"title": "Two epochs", "published": {"test_accuracy": 0.967, "by": {"en": "They", "zh": "他们"}}},
            "long": {"title": "Ten epochs", "published": {"test_accuracy": 0.967, "by": "They"}},
        },
        "recorded": {"long/evaluation": RECORD, "whole": RECORD},
        "whole": {"quick": "whole", "short": "long", "another": "whole"},
    }
    build(made, place / "report", context, recorded=recorded)
    return place / "report"


@pytest.fixture(scope="module")
def text(report) -> str:
    page = Reader((report / "index.html").read_text(encoding="utf-8"))
    return re.sub(r"\s+", " ", "".join(page.text)).replace("\u2060", "").replace("\u202f", " ")


def test_it_says_when_and_where_it_was_made_and_what_makes_it_anew(text):
    said = "Recorded, not made for this report: 27 November 2026, commit 09fbcfb67cbe, on AMD EPYC, 2 cores; 15 minutes"
    assert text.count(said) == 2 and text.count("cnnatomy report full") == 2
    assert "cnnatomy study whole" in text
    assert "cnnatomy dissect long evaluation" in text
    assert "python -m cnnatomy.steps.study study=quick" in text


def test_one_is_no_plural():
    said = recorded(RECORD | {"processor_minutes": "1.2", "cores": "1"})
    assert english(said).endswith("on AMD EPYC, 1 core; 1 minute of processor time.")


def test_it_says_so_in_every_language(report):
    assert "2026 年 11 月 27 日" in (report / "index.html").read_text(encoding="utf-8")


def test_the_first_screen_has_its_verdict_and_says_that_it_was_recorded(text):
    first = text[: text.index("Caption")]
    assert "Title of whole supported difference 5.7 points (2.2–9.3) recorded 27 November 2026" in first
    assert "Title of quick not decided" in first and "Ten epochs" in first
    assert "One convolutional network" in first  # that was trained here


def test_a_quick_version_leads_to_the_whole_one_and_back(report, text):
    assert "In full: Title of whole supported" in text and "The quick version: Title of quick not decided" in text
    assert re.search(r"In full: Ten epochs 97.60? % of 10,500 test", text) and "The quick version: Two epochs" in text
    page = Reader((report / "index.html").read_text(encoding="utf-8"))
    leads = [link["href"] for link in page.all("a")]
    assert leads.count("#study-whole") >= 3 and {"#long", "#short", "#study-quick"} <= set(leads) <= {
        *(f"#{name}" for name in page.ids)
    } | {link for link in leads if not link.startswith("#")}


def test_what_others_published_stands_beside_ours_and_is_compared_by_the_interval(tmp_path, text):
    assert "They: 96.7 %; here 0.7 points fewer." in text and "They: 96.7 %; here 0.9 points more." in text
    context = {"runs": {"even": {"published": {"test_accuracy": 0.967, "by": "They"}}}}
    build(gallery.write(tmp_path, [run("even", (0.966, 0.962, 0.97))]), tmp_path / "report", context)
    page = Reader((tmp_path / "report/index.html").read_text(encoding="utf-8"))
    assert "They: 96.7\u202f%, which lies in the interval here." in "".join(page.text)


def test_the_tables_have_its_rows_marked_and_the_archive_its_files(report):
    results = pd.read_csv(report / "results.csv", keep_default_na=False)
    kinds = results.groupby("name")["kind"].unique().map(list).to_dict()
    assert kinds == {"long": ["recorded"], "whole": ["recorded"], "short": ["run"], "quick": ["study"]}
    assert {"study-whole/exhibit.json", "long-evaluation/exhibit.json"} <= {
        *zipfile.ZipFile(report / "exhibits.zip").namelist()
    }
