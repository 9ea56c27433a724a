"""The README's table of studies says what the kept numbers say, and these say what their intervals do."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from cnnatomy.config.plan import Plan, recorded_there
from cnnatomy.config.study import Study
from cnnatomy.exhibit import Exhibit, Number, languages, load
from cnnatomy.report.tables import results_csv
from cnnatomy.statistics.differences import t_interval
from cnnatomy.studies.findings import findings
from tests.unit.dissecting import in_words
from tests.unit.test_studies_verdicts import compared_of, hits, told

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def results():
    spec = importlib.util.spec_from_file_location("results", PROJECT / "benchmarks/results.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_the_kept_numbers(results):
    readme = (PROJECT / "README.md").read_text()
    assert results.with_table(readme, results.table()) == readme, "run: python benchmarks/results.py"
    assert results.page() == (PROJECT / "docs/results/README.md").read_text(), "run: python benchmarks/results.py"
    for study in results.studies():
        numbers = pd.read_csv(PROJECT / f"docs/results/{study}.csv", keep_default_na=False)
        verdict = numbers.loc[numbers["metric"] == "verdict", "value"].astype(float).item()
        line = next(line for line in readme.splitlines() if line.startswith(f"| `{study}` |"))
        assert {1: "**supported**", 0: "not decided", -1: "**not supported**"}[int(verdict)] in line


def test_every_kept_verdict_follows_from_the_kept_intervals(results):
    """All above their margins support; one below contradicts, if its p times their number is at the level.

    What is shown with it is the first where all support, else what speaks most against it.
    """
    for name in results.studies():
        numbers = pd.read_csv(PROJECT / f"docs/results/{name}.csv", keep_default_na=False)
        study = Study.read(name, yaml.safe_load((PROJECT / f"conf/study/{name}.yaml").read_text()))
        differences = numbers[numbers["metric"] == "difference"].set_index("subject")
        lows, ps, subjects = [], [], []
        for one in (one for one in study.comparisons if one.decides):
            subject = results.subject_of(vars(one))
            rows = differences[[key == subject or key.startswith(f"{subject};over=") for key in differences.index]]
            assert subject in rows.index
            margin = one.margin * (100 if rows["unit"].iloc[0] == "points" else 1)
            value, low, high, n = (rows[key].astype(float) for key in ("value", "ci_low", "ci_high", "n"))
            lows.append(min(low - margin))
            subjects.append(subject)
            error = ((high - low) / 2 / stats.t.ppf(0.975, n - 1)).clip(lower=1e-12)
            ps.append(max(stats.t.cdf((value - margin) / error, n - 1)))
        expected = 1 if min(lows) > 0 else -1 if min(ps) * len(ps) <= 0.025 else 0
        assert int(numbers.loc[numbers["metric"] == "verdict", "value"].item()) == expected, name
        against = [place for place, low in enumerate(lows) if low <= 0] or [0]
        head = subjects[min(against, key=ps.__getitem__)]
        assert differences.loc[""].equals(differences.loc[head]), name


def test_what_is_kept_lets_a_reader_make_each_interval_again(results, tmp_path, monkeypatch):
    chance = np.random.default_rng(0)
    name = "article"  # a study that there is, in place of its own: the table needs its YAML
    written = yaml.safe_load((PROJECT / f"conf/study/{name}.yaml").read_text())
    [one, *_] = written["comparisons"]
    asked = Study.read(name, written | {"comparisons": [one], "figures": []})
    right = {
        (level, seed): {"": hits(chance, 0.97 + 0.01 * (level == "linear"), 200)}
        for level in ("linear", "sigmoid")
        for seed in range(5)
    }
    table, answers = told(right, "sample", study=name, factor="convolutions")
    exhibit = in_words(Exhibit.of(findings(asked.content, [compared_of(asked, table, answers)], table), "study", "s"))
    monkeypatch.chdir(tmp_path)
    for step in ("trials", "study"):
        Path("results/benchmarks", step).mkdir(parents=True)
        Path("results/benchmarks", step, f"{name}.tsv").write_text("s\tcpu_time\tmax_rss\n60\t120\t1\n")
    replace(exhibit, name=name).write(Path("results/studies") / name, {"study": {"seeds": 5}}, {})
    for constant, place in (("KEPT", "kept"), ("RUNS", "kept/runs.csv")):
        monkeypatch.setattr(results, constant, tmp_path / place)
    Path("kept").mkdir()
    assert results.without_exhibits() == []
    results.keep(name)
    numbers = pd.read_csv(f"kept/{name}.csv", keep_default_na=False)
    units = pd.read_csv(f"kept/studies/{name}/differences.csv", keep_default_na=False)
    for over, subject in (("seed", ""), ("sample", ";over=samples")):
        rows = units[units["over"] == over]
        low, high = t_interval(100 * np.repeat(rows["difference"], rows["n"]).to_numpy())
        kept = numbers[(numbers["metric"] == "difference") & numbers["subject"].str.endswith(f"test_accuracy{subject}")]
        assert kept[["ci_low", "ci_high"]].to_numpy(float).ravel() == pytest.approx([low, high], abs=1e-4)
    assert " over samples); and" not in results.table() and " over samples)" in results.table()
    assert "come with the next full run" not in results.page()
    assert f"[exhibit](studies/{name})" in results.page()
    (tmp_path / f"kept/studies/{name}/exhibit.json").unlink()
    assert f"Of `{name}` exhibits come with the next full run" in results.page()


def kept() -> list[Path]:
    return sorted(file.parent for file in (PROJECT / "docs/results").glob("*/**/exhibit.json"))


@pytest.mark.parametrize("folder", kept(), ids=lambda folder: str(folder.relative_to(PROJECT / "docs/results")))
def test_what_is_recorded_can_be_read_said_and_carried(folder, results):
    """By today's reader, in today's words in every language: a record that names a sentence that is gone is remade."""
    document, files = load(folder)
    told = languages.in_words(document)
    assert told["title"] and "{'say'" not in str(told)
    size = sum(map(len, files.values())) + (folder / "exhibit.json").stat().st_size
    assert size <= 300_000, f"{folder}: {size} bytes"
    assert {file.name for file in folder.iterdir()} == {*files, "exhibit.json"}
    if document["kind"] == "study":
        assert results_csv([document]) == (PROJECT / f"docs/results/{folder.name}.csv").read_text()
        name = folder.name
    else:
        name = f"{folder.parent.name}/{folder.name}"
    assert (results.runs()["study"] == name).sum() == 1


def test_all_that_is_recorded_is_no_more_than_fits():
    folder = PROJECT / "docs/results"
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 1_700_000


def test_the_default_report_hangs_every_record_that_there_is_room_for():
    left_out = {"article_changes", "speakers_official"}  # the page has 12 MB; REPORT=full makes them
    plan = Plan("default")
    assert set(plan.report["recorded"]) == set(recorded_there()) - left_out
    assert set(Plan("full").report["studies"]) >= {name for name in recorded_there() if "/" not in name}


def test_an_exhibit_of_a_run_is_kept_too(results, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exhibit = Exhibit("run", "mine", "evaluation", 0, "Title", "Caption", [Number("test_accuracy", 0.5)], [])
    exhibit.write(Path("results/exhibits/mine/seed0/evaluation"), {}, {})
    for step in ("train", "evaluate"):
        Path("results/benchmarks", step).mkdir(parents=True)
        Path("results/benchmarks", step, "mine-seed0.tsv").write_text("s\tcpu_time\tmax_rss\n60\t120\t1\n")
    for constant, place in (("KEPT", "kept"), ("RUNS", "kept/runs.csv")):
        monkeypatch.setattr(results, constant, tmp_path / place)
    results.keep("mine/evaluation")
    assert load(Path("kept/runs/mine/evaluation"))[0]["numbers"][0]["value"] == 0.5
    assert results.runs()[["study", "processor_minutes", "seeds"]].to_numpy().tolist() == [["mine/evaluation", 4.0, 1]]
    assert results.studies() == [] and "[exhibit](runs/mine/evaluation)" in results.page()
