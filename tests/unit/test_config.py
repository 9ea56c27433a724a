"""What a user reads when the configuration is wrong, and what overrides mean."""

from __future__ import annotations

import string
from dataclasses import fields

import pytest
import yaml
from omegaconf import MISSING

from cnnatomy.config import overrides, schema, types
from cnnatomy.config.compose import compose
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.config.plan import Plan


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("training.max_epoch=3", "training.max_epoch: no such key. Did you mean 'training.max_epochs'?"),
        ("training.max_epochs=many", "training.max_epochs"),
        ("training.max_epochs=-1", "training.max_epochs: must not be negative, not -1"),
        ("training.optimiser=adm", "training.optimiser: 'adm' is none of them. Did you mean 'adam'?"),
        ("training.schedule=cosine", "training.schedule: 'cosine' is none of them. There are: constant, one_cycle."),
        ("training.loss=msse", "training.loss: 'msse' is none of them. Did you mean 'mse'?"),
        ("runs.mnist.training.loss=mse", "training.label_smoothing: is part of the cross-entropy"),
        ("training.max_epochs=1,2", "a comma asks for a sweep"),
        ("training.max_epochs", "write key=value"),
        ("trainin.max_epochs=3", "Did you mean 'training'?"),
        ("+training.waits=3", "training.waits: no such key"),
        ("dissect.kernel.columns=3", "Did you mean 'dissect.kernels'?"),
        ("dissect.kernels.column=3", "Did you mean 'dissect.kernels.columns'?"),
        ("dissect.kernels.columns=wide", "dissect.kernels.columns: wants a whole number"),
        ("dissect.kernels.columns=null", "dissect.kernels.columns: wants a whole number"),
        ("data=mnist", "name one, as in runs.mnist.data=mnist"),
        ("model=lecture", "name one, as in runs.mnist.model=lecture"),
        ("runs.mnist.data=mnits", "data=mnits: no such data. Did you mean 'mnist'?"),
        ("runs.mnist.model.widht=3", "model.widht: no such key"),
        ("runs.mnist.model._target_=cnnatomy.models.lecture.Lectur", "Did you mean 'Lecture'?"),
        ("runs.mnist.model._target_=nowhere.Net", "no module of the name 'nowhere.Net'"),
        ("runs.mnits.training.max_epochs=3", "no run 'mnits' is selected. Did you mean 'mnist'?"),
        ("runs.mnist=3", "name what of the run to change"),
        ("report.runs=[mnits]", "Did you mean 'mnist'?"),
        ("report.methods=[kernel]", "Did you mean 'kernels'?"),
        ("report.methods_of={mnits:[kernels]}", "report.methods_of: no run 'mnits'. Did you mean 'mnist'?"),
        ("report.methods_of={mnist:[kernel]}", "report.methods_of.mnist: no method 'kernel'. Did you mean 'kernels'?"),
        ("report.recorded=[directoin]", "nothing was recorded of 'directoin'. Did you mean 'direction'?"),
        ("report.recorded=[go,go]", "report.recorded: 'go' stands there twice; leave one"),
        ("report.whole={mnits:mnist}", "report.whole: no run 'mnits'. Did you mean 'mnist'?"),
        ("report.whole={direction_quick:go2}", "report.whole.direction_quick: no study 'go2'. Did you mean 'go'?"),
        ("runs.mnist.published={test_accuracy:97,by:{en:me}}", "published.test_accuracy: must be between 0 and 1"),
        (
            "runs.mnist.published={test_acuracy:0.97}",
            "published.test_acuracy: no such key. Did you mean 'test_acc",
        ),
        ("report.seeds=0", "report.seeds: must be greater than zero"),
        ("seed=3", "report.seeds=5"),
        ("hydra.run.dir=x", "not an override of a report"),
    ],
)
def test_a_wrong_override_names_the_key_and_the_nearest_right_one(override, says):
    with pytest.raises(ConfigurationError, match="(?s).*") as caught:
        Plan("default", (override,)).check()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_report_offers_the_nearest():
    with pytest.raises(ConfigurationError, match="Did you mean 'default'"):
        Plan("defualt").check()


def test_an_override_for_one_run_changes_that_run_only():
    plan = Plan("default", ("training.max_epochs=3", "runs.text.training.max_epochs=5"))
    assert {run: plan.config(run)["training"]["max_epochs"] for run in ("mnist", "speech", "text")} == {
        "mnist": 3,
        "speech": 3,
        "text": 5,
    }


def test_two_runs_that_want_different_versions_of_one_dataset_are_refused():
    plan = Plan(
        "default",
        ("report.runs=[mnist,fsdd]", "runs.fsdd.data=mnist", "runs.fsdd.data.prepare.validation=100"),
    )
    with pytest.raises(ConfigurationError, match=r"runs\.fsdd\.data\.name=mnist_fsdd"):
        plan.check()


def test_every_ascii_character_survives_the_way_to_a_step(tmp_path):
    text = string.printable.replace("'", "").replace("\\", "")
    override = f"report.title.en='{text}\\'\\\\\\\\'"
    plan = Plan("default", (override,))
    read = Plan.read(plan.write(tmp_path))
    assert read == plan
    assert set(compose(read.of_report())["report"]["title"]["en"]) == set(string.printable)


@pytest.mark.parametrize(
    "given",
    [
        ("run=speech", "training.max_epochs=3", "model.filters=[4,8]", "model=frequency"),
        ("run=mnist", "split={test:{voice:[a,b]},validation:0.1}", "++training.augment.degrees=3", "~title.zh"),
        ("run=text", "training.augment=null", "title.en='a, b = c'", "model.start=random"),
        ("run=mnist", "training.threads=${threads.fetch}", "+split.validation=0.1"),
        ("data=own_sounds", "data.name=mine"),
    ],
)
def test_a_configuration_is_hydras_own(given):
    from hydra import compose as hydras
    from omegaconf import OmegaConf

    from cnnatomy.config.compose import ROOT, _hydra, completed

    with _hydra():
        wanted = OmegaConf.to_container(hydras(ROOT, overrides=list(given)), resolve=True)
    assert compose(given) == completed(wanted)


def test_another_plan_takes_nothing_from_the_file_that_a_run_at_work_reads(tmp_path):
    first = Plan("default", ("training.max_epochs=3",))
    file = first.write(tmp_path)
    assert Plan("default").write(tmp_path) != file
    assert Plan.read(file) == first


def test_a_whole_number_may_stand_for_a_real_one_but_not_the_other_way():
    types.check({"a": 1}, {"a": 0.5}, "x")
    with pytest.raises(ConfigurationError, match="x.a: wants a whole number"):
        types.check({"a": 0.5}, {"a": 1}, "x")
    with pytest.raises(ConfigurationError, match="x.a: wants a whole number"):
        types.check({"a": True}, {"a": 1}, "x")


def test_overrides_that_belong_to_other_runs_are_left_out():
    given = ["a=1", "runs.x.b=2", "++runs.y.c=3", "~runs.x.d"]
    assert overrides.for_run(given, "x") == ["a=1", "b=2", "~d"]
    assert overrides.for_run(given, "y") == ["a=1", "++c=3"]


def test_a_users_folder_adds_a_run_a_model_and_its_data(tmp_path, monkeypatch):
    (tmp_path / "conf" / "run").mkdir(parents=True)
    (tmp_path / "conf" / "model").mkdir()
    (tmp_path / "nets.py").write_text("class Mine:\n    def __init__(self, classes, width): ...\n")
    (tmp_path / "conf" / "model" / "mine.yaml").write_text("_target_: nets.Mine\nwidth: 4\n")
    (tmp_path / "conf" / "run" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n  - mnist\n  - override /model: mine\n  - _self_\n"
    )
    monkeypatch.setenv("CNNATOMY_CONF", str(tmp_path / "conf"))
    monkeypatch.syspath_prepend(tmp_path)
    plan = Plan("default", ("report.runs=[mine]",))
    plan.check()
    assert plan.config("mine")["model"] == {"_target_": "nets.Mine", "width": 4}
    with pytest.raises(ConfigurationError, match=r"model.wide: no such key. Did you mean 'model.width'"):
        Plan("default", ("report.runs=[mine]", "model.wide=3")).check()


def test_what_a_users_report_and_training_leave_out_is_as_it_is_elsewhere(tmp_path, monkeypatch):
    needed = [field.name for field in fields(schema.Training) if field.default == MISSING]
    for name, content in (
        ("report/short.yaml", "title: {en: Short}\nruns: [brief]\nmethods: [evaluation]\n"),
        ("training/brief.yaml", yaml.safe_dump({key: compose([])["training"][key] for key in needed})),
        ("run/brief.yaml", "# @package _global_\ndefaults:\n  - mnist\n  - override /training: brief\n  - _self_\n"),
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    monkeypatch.setenv("CNNATOMY_CONF", str(tmp_path))
    plan = Plan("short")
    plan.check()
    assert plan.report["seeds"] == 1 and plan.report["lessons"] == [] and plan.exhibits()
    training = plan.config("brief")["training"]
    assert (training["accelerator"], training["devices"], training["precision"]) == ("cpu", 1, "full")
    changed = Plan("short", ("report.seeds=2", "training.precision=bf16"))
    changed.check()
    assert changed.report["seeds"] == 2 and changed.config("brief")["training"]["precision"] == "bf16"
    with pytest.raises(ConfigurationError, match=r"training.precision: 'bf61' is none of them"):
        Plan("short", ("training.precision=bf61",)).check()


def test_a_folder_of_the_users_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("CNNATOMY_CONF", "/no/such/folder")
    with pytest.raises(ConfigurationError, match="/no/such/folder"):
        Plan("default").check()


def test_a_run_may_have_methods_of_its_own():
    given = ("report.runs=[mnist,speech]", "report.methods=[kernels]", "report.methods_of={speech:[evaluation]}")
    plan = Plan("default", (*given, "report.lessons=[]", "report.studies=[]", "report.seeds=2"))
    plan.check()
    assert [exhibit.split("/", 2)[2] for exhibit in plan.exhibits()] == [
        "mnist/seed0/kernels/exhibit.json",
        "speech/seed0/evaluation/exhibit.json",
    ]
    assert plan.other_seeds() == ["results/exhibits/speech/seed1/evaluation/exhibit.json"]
    assert "results/benchmarks/dissect/mnist-seed0-kernels.tsv" in plan.benchmarks()
    assert not [job for job in plan.benchmarks() if "dissect/speech" in job or "evaluate/mnist" in job]
    Plan("default", (*given, "dissect.evaluation.misread=3")).check()


def test_what_a_report_makes_stands_in_place_of_what_was_recorded():
    plan = Plan("default", ("report.recorded=[direction,go]", "report.studies=[go]"))
    plan.check()
    assert plan.recorded() == ["docs/results/studies/direction/exhibit.json"]
    assert plan.records() == [*plan.recorded(), "docs/results/runs.csv"]
    assert Plan("accuracy").records() == []
