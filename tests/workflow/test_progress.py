"""What is said and shown while the workflow runs, without the switch by which other tests read Snakemake's lines."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Checkout, copied

OURS = {"SNAKEMAKE_LOGGER_CNNATOMY_EVERYTHING": "false"}
REPORT = ("--config", "report=stripes")


@pytest.fixture(scope="module")
def checkout(made, tmp_path_factory) -> Checkout:
    return copied(made, tmp_path_factory.mktemp("progress") / "checkout")


def test_the_page_that_grew_leads_to_a_report_that_is_what_it_would_be_without(made, tmp_path):
    # The fixture's run made its report while a page grew.
    page = made.folder / "results/report"
    assert 'content="0; url=index.html"' in (page / "partial.html").read_text()
    answer = made.step("report", "report=stripes", f"out={tmp_path}")
    assert answer.returncode == 0, answer.stdout
    assert (tmp_path / "report/index.html").read_bytes() == (page / "index.html").read_bytes()
    assert not (tmp_path / "report/partial.html").exists()


def test_a_second_run_prints_two_lines_and_a_job_would_be_one_more(checkout):
    answer = checkout.snakemake(*REPORT, **OURS)
    said = answer.stdout.splitlines()
    assert answer.returncode == 0 and len(said) == 2, answer.stdout
    assert said[1] == "Nothing to do: what was asked for is there. The report: results/report/index.html"
    (checkout.folder / "results/report/index.html").unlink()
    said = checkout.snakemake(*REPORT, **OURS).stdout.splitlines()
    assert len(said) == 3 and re.fullmatch(r"\[1/1\] report  \d+\.\d s", said[1]), said  # .ci/run looks for this
    assert re.fullmatch(r"1 job in \d+\.\d s\. The report: results/report/index\.html", said[2])
    log = max((checkout.folder / ".snakemake/log").iterdir())
    assert "\nlocalrule report:\n    input: " in log.read_text()


def test_a_failing_run_ends_with_each_failed_step_its_message_and_its_log(checkout):
    answer = checkout.snakemake(*REPORT, 'overrides=["dissect.feature_maps.sample=5000"]', **OURS)
    said = answer.stdout.splitlines()
    assert answer.returncode != 0
    assert said[-3].endswith("done, 1 failed:"), answer.stdout
    assert said[-2].startswith("  dissect stripes feature_maps: ") and "give one of 0 to 199" in said[-2]
    assert said[-1].strip() == "results/logs/dissect/stripes-seed0-feature_maps.log"
    assert "FAILED: dissect stripes feature_maps" in answer.stdout and "rule dissect:" not in answer.stdout
    page = (checkout.folder / "results/report/partial.html").read_text()
    assert "This report is partial" in page and 'id="growing"' not in page
    assert 'http-equiv="refresh"' not in page and 'id="stripes-darkness"' in page


def test_a_dry_run_shows_the_jobs(checkout):
    said = checkout.snakemake(*REPORT, "--dry-run", "--forceall", **OURS).stdout
    assert "\nrule train:\n    input: " in said and "This was a dry-run" in said.splitlines()[-1]
