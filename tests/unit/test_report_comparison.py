"""Reports side by side: which numbers moved, against closed forms; what is no results.csv is refused."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from cnnatomy import compare as command
from cnnatomy.report.comparison import NoResults, compare, page, read
from cnnatomy.report.tables import RESULTS
from cnnatomy.statistics.differences import from_intervals
from cnnatomy.statistics.intervals import wilson
from tests import gallery


def table(**columns) -> pd.DataFrame:
    rows = pd.DataFrame(columns)
    known = {"kind": "run", "name": "mnist", "seed": "0", "method": "evaluation", "subject": "", "unit": "fraction"}
    return rows.assign(**{key: value for key, value in known.items() if key not in rows})


def measured(metric: str, hits: int, n: int) -> pd.DataFrame:
    low, high = wilson(hits, n)
    return table(metric=[metric], value=[hits / n], ci_low=[low], ci_high=[high], n=[n])


@pytest.mark.parametrize(
    ("counts", "expected"),
    # Newcombe 1998, Statistics in Medicine 17, table II, method 10, examples (a), (d), (e).
    [((56, 70, 48, 80), (0.0524, 0.3339)), ((9, 10, 3, 10), (0.1705, 0.8090)), ((6, 7, 2, 7), (0.0582, 0.8062))],
)
def test_intervals_of_differences_are_those_of_newcombes_table(counts, expected):
    x1, n1, x2, n2 = counts
    first, second = wilson(x2, n2), wilson(x1, n1)
    low, high = from_intervals(
        (np.array([x2 / n2]), np.array([x1 / n1])),
        (np.array([first[0]]), np.array([second[0]])),
        (np.array([first[1]]), np.array([second[1]])),
    )
    assert (low[0], high[0]) == pytest.approx(expected, abs=6e-5)


def test_a_number_moved_if_the_interval_of_its_difference_leaves_out_nothing():
    names = [f"m{k}" for k in range(3)]
    before = pd.concat([measured(name, 900, 1000) for name in names])
    after = pd.concat([measured(name, hits, 1000) for name, hits in zip(names, (930, 910, 900), strict=True)])
    rows = compare([before, after]).set_index("metric")
    assert rows["state"].to_dict() == {"m0": "moved", "m1": "within_chance", "m2": "same"}
    assert rows.loc["m0", "low_1"] > 0 and rows.loc["m1", "low_1"] < 0 < rows.loc["m1", "high_1"]


def test_what_has_no_interval_or_is_in_one_file_only_is_said_to():
    before = table(metric=["a", "b", "c"], value=[1.0, 2.0, 3.0], ci_low=np.nan, ci_high=np.nan, n=np.nan)
    after = table(metric=["a", "b", "d"], value=[1.0, 2.5, 3.0], ci_low=np.nan, ci_high=np.nan, n=np.nan)
    rows = compare([before, after]).set_index("metric")
    assert rows["state"].to_dict() == {"a": "same", "b": "differs", "c": "missing", "d": "missing"}
    assert rows.loc["b", "difference_1"] == 0.5


def test_what_moved_most_comes_first_and_each_file_is_compared_with_the_first():
    first = pd.concat([measured("a", 900, 1000), measured("b", 900, 1000)])
    second = pd.concat([measured("a", 901, 1000), measured("b", 940, 1000)])
    third = pd.concat([measured("a", 990, 1000), measured("b", 900, 1000)])
    rows = compare([first, second, third])
    assert rows["metric"].tolist() == ["a", "b"]
    assert rows[["state_1", "state_2"]].to_numpy().tolist() == [["within_chance", "moved"], ["moved", "same"]]


def test_rounding_of_another_machine_is_no_change():
    before = table(metric=["a"], value=[1 / 3], ci_low=np.nan, ci_high=np.nan, n=np.nan)
    assert compare([before, before.assign(value=1 / 3 + 1e-12)])["state"].tolist() == ["same"]


def results(path, rows: pd.DataFrame):
    rows.reindex(columns=list(RESULTS)).to_csv(path, index=False)
    return path


def test_the_command_writes_a_page_and_says_what_moved(tmp_path, capsys):
    before = results(tmp_path / "before.csv", pd.concat([measured("a", 900, 1000), measured("b", 5, 10)]))
    after = results(tmp_path / "after.csv", pd.concat([measured("a", 950, 1000), measured("b", 5, 10)]))
    out = tmp_path / "new" / "comparison.html"
    assert command.main([str(before), str(after), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "Of 2 numbers 1 moved by more than chance explains" in said and str(out) in said
    text = out.read_text(encoding="utf-8")
    assert "5.0&#8239;<span" in text and ">points<" in text
    assert "90.0" in text and "95.0" in text and "Content-Security-Policy" in text


def test_hostile_names_show_as_text():
    hostile = measured(gallery.HOSTILE, 1, 10).assign(name=gallery.HOSTILE, subject=gallery.HOSTILE)
    text = page(compare([hostile, hostile.assign(value=0.9, ci_low=0.8, ci_high=0.95)]), [gallery.HOSTILE, "b"])
    assert "<script>document.title" not in text.replace("&lt;script&gt;", "") and "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "is not there"),
        (",".join(RESULTS) + "\nrun,a,0,m,,x,1,0.5,,,\n", "run a 0 m x has an interval with one end"),
        (",".join(RESULTS) + "\nrun,a,0,m,,x,1,2,0.5,,\n", "ends exchanged"),
        ("", "cannot be read"),
        ("a,b\n1,2\n", "no column 'kind'"),
        (",".join(RESULTS) + "\nrun,a,0,m,,x,many,,,,\n", "value is 'many', which is no number"),
        (",".join(RESULTS) + "\nrun,a,0,m,,x,1,,,,\nrun,a,0,m,,x,2,,,,\n", "two rows for run a 0 m x"),
    ],
)
def test_what_is_no_results_csv_is_refused(tmp_path, capsys, content, complaint):
    file = tmp_path / "results.csv"
    if content is not None:
        file.write_text(content)
    with pytest.raises(NoResults, match=complaint):
        read(file)
    assert command.main([str(file), str(file), "--out", str(tmp_path / "page.html")]) == 1
    assert complaint in capsys.readouterr().err and not (tmp_path / "page.html").exists()


def test_another_verdict_comes_first_and_is_named(tmp_path, capsys):
    before = table(metric=["verdict", "a"], value=[0.0, 1.0], ci_low=np.nan, ci_high=np.nan, n=np.nan, unit="")
    files = [results(tmp_path / "b.csv", before), results(tmp_path / "a.csv", before.assign(value=[-1.0, 9.0]))]
    assert compare([read(file) for file in files])["state"].tolist() == ["verdict", "differs"]
    out = tmp_path / "c.html"
    assert command.main([*map(str, files), "--out", str(out)]) == 0
    assert "other verdicts: 1." in capsys.readouterr().out
    rows = re.findall(r'<tr data-state="(\w+)">', out.read_text())
    assert rows == ["verdict", "differs"] and "not supported" in out.read_text()


def test_each_state_gets_its_share_of_the_page():
    many = [measured(f"m{k}", 100 + k, 1000) for k in range(400)]
    before = pd.concat([*many, measured("last", 500, 1000)])
    after = pd.concat(
        [*(one.assign(value=0.9, ci_low=0.89, ci_high=0.91) for one in many), measured("last", 505, 1000)]
    )
    text = page(compare([before, after]), ["a", "b"])
    assert text.count('data-state="moved"') == 300 and text.count('data-state="within_chance"') == 1
    assert "100 more that are not the same stand in the CSV" in text


def test_a_page_over_an_input_is_refused(tmp_path, capsys):
    file = results(tmp_path / "b.csv", measured("a", 1, 2))
    with pytest.raises(SystemExit):
        command.main([str(file), str(file), "--out", str(file)])
    assert "is one of the files to compare" in capsys.readouterr().err and file.read_text().startswith("kind,")


def test_one_file_alone_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["one.csv"])
    assert "two results.csv at least" in capsys.readouterr().err
