"""Change one thing, and exactly the steps that read it are due again.

Nothing is computed here: in a copy of the checkout each rule's command only touches its outputs, and Snakemake records
the parameters of that moment; then a dry run says what a change would rerun.
"""

from __future__ import annotations

import re
import shutil

import pytest

from cnnatomy.config.plan import Plan
from tests.conftest import jobs_and_wildcards, make_checkout

PLAN = Plan("default")


def due(checkout, *overrides: str, report: str = "default") -> set[str]:
    """The jobs that a dry run would start, as `rule` or `rule:wildcards`."""
    listed = ",".join(f'"{o}"' for o in overrides)
    answer = checkout.snakemake("--dry-run", "--config", f"report={report}", f"overrides=[{listed}]")
    assert answer.returncode == 0, answer.stdout
    told = jobs_and_wildcards(answer.stdout)
    return {":".join([rule, *(value for value in values.values() if value != "0")]) for rule, values in told} - {"all"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkout in which the default report stands, as far as Snakemake knows."""
    checkout = make_checkout(tmp_path_factory.mktemp("made") / "checkout")
    for rules in (checkout.folder / "workflow/rules").glob("*.smk"):
        rules.write_text(re.sub(r'"python -m[^"]*"(\s*"[^"]*")?', '"touch {output}"', rules.read_text()))
    answer = checkout.snakemake()
    assert answer.returncode == 0, answer.stdout
    assert due(checkout) == set()
    return checkout


@pytest.fixture
def copy(made, tmp_path):
    """A copy of `made` whose code may be changed."""
    folder = tmp_path / "checkout"
    shutil.copytree(made.folder, folder, symlinks=True)
    return type(made)(folder, made.environment | {"PYTHONPATH": str(folder / "src")})


def after(run: str) -> set[str]:
    """What hangs on a run's data: its training and all that follows."""
    follow = {"samples": f"samples:{run}", "evaluation": f"evaluate:{run}"}
    trained = {f"train:{run}" + (f":{seed}" if seed else "") for seed in PLAN.seeds_of(run)}
    return trained | {"report"} | {follow.get(m, f"dissect:{run}:{m}") for m in PLAN.methods(run)}


def without_samples(run: str) -> set[str]:
    return after(run) - {f"samples:{run}"}


@pytest.mark.parametrize(
    ("override", "rules"),
    [
        ("runs.text.data.fetch.licence=other", {"fetch:rotten_tomatoes", "prepare:rotten_tomatoes"} | after("text")),
        ("runs.speech.data.mirror=/somewhere", set()),
        ("runs.text.data.prepare.at_least=3", {"prepare:rotten_tomatoes"} | after("text")),
        ("runs.speech.model.dropout=0.123", without_samples("speech")),
        ("runs.text.training.max_epochs=3", without_samples("text")),
        ("runs.text.training.accelerator=gpu", set()),
        (
            "dissect.kernels.columns=4",
            {f"dissect:{run}:kernels" for run in PLAN.runs} | {"report"},
        ),
        ("runs.mnist.dissect.feature_maps.sample=3", {"dissect:mnist:feature_maps", "report"}),
        ("runs.mnist.threads.evaluate=2", {"evaluate:mnist", "report"}),
        ("runs.mnist.title.en=Mine", {"report"}),
        ("report.title.en=Mine", {"report"}),
        ("report.methods=[kernels]", {"report"}),
        ("studies.direction_quick.seeds=3", {"trials:direction_quick", "study:direction_quick", "report"}),
        ("studies.direction_quick.title.en=Other", {"study:direction_quick", "report"}),
    ],
)
def test_a_changed_value_reruns_exactly_the_steps_that_read_it(made, override, rules):
    assert due(made, override) == rules


def test_the_order_of_keys_a_comment_a_docstring_the_workflow_and_the_composing_change_nothing(copy):
    file = copy.folder / "conf/dissect/kernels.yaml"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([line for line in reversed(lines) if not line.startswith((" ", "-"))]))
    file = copy.folder / "src/cnnatomy/dissect/kernels/measure.py"
    file.write_text(file.read_text() + "\n# a thought\n")
    copy.edit("src/cnnatomy/models/lecture.py", '"""', '"""Another opening. ')
    file = copy.folder / "src/cnnatomy/config/plan.py"
    file.write_text(file.read_text() + "\nANOTHER = 1\n")
    assert due(copy) == set()


def test_a_line_of_a_dissection_redraws_its_exhibits_and_retrains_nothing(copy):
    file = copy.folder / "src/cnnatomy/dissect/kernels/measure.py"
    file.write_text(file.read_text() + "\nANOTHER = 1\n")
    assert due(copy) == {f"dissect:{run}:kernels" for run in PLAN.runs} | {"report"}


def test_a_changed_sentence_makes_the_page_anew_and_nothing_else(copy):
    copy.edit("src/cnnatomy/locale/zh/kernels.yaml", "第一层卷积核", "首层卷积核")
    assert due(copy) == {"report"}


def test_a_changed_record_makes_the_page_anew_and_nothing_else(copy):
    copy.edit("docs/results/runs.csv", "AMD EPYC", "another")
    assert due(copy) == {"report"}


def test_what_is_made_is_no_longer_hung_as_recorded_and_nothing_is_made_for_what_is(made):
    assert not {job for job in due(made, report="default") if "direction" in job}
    assert due(made, "report.studies=[direction_quick,go]") >= {"trials:go", "study:go", "report"}
    assert due(made, "report.recorded=[]") == {"report"}


def test_a_line_of_a_model_retrains_its_runs_only(copy):
    file = copy.folder / "src/cnnatomy/models/lecture.py"
    file.write_text(file.read_text() + "\nANOTHER = 1\n")
    assert due(copy) == without_samples("mnist") | {"lesson:shapes"}  # which counts this network's layers


def test_a_line_of_the_report_or_of_its_template_redraws_only_the_report(copy):
    file = copy.folder / "src/cnnatomy/report/__init__.py"
    file.write_text(file.read_text() + "\nANOTHER = 1\n")
    assert due(copy) == {"report"}


def test_a_line_of_a_template_redraws_only_the_report(copy):
    template = next((copy.folder / "src/cnnatomy/report").rglob("*.html*"))
    template.write_text(template.read_text() + "\n")
    assert due(copy) == {"report"}


def test_another_seed_trains_only_itself(made):
    assert due(made, "report.seeds=2") == {"report"} | {
        f"{rule}:{run}:1"
        for rule in ("train", "evaluate")
        for run in PLAN.runs
        if rule == "evaluate" or 1 not in PLAN.seeds_of(run)
    }
