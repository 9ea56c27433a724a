"""A study's YAML: what variants it makes, and that what cannot be compared is refused before any training."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from cnnatomy.config import folders
from cnnatomy.config.compose import compose
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.config.plan import Plan
from cnnatomy.config.slices import canonical, digest_of
from cnnatomy.config.study import Study
from cnnatomy.steps import lineage

WRITTEN = {
    "title": {"en": "Title"},
    "claim": {"en": "Frequency is better."},
    "settings": {"en": "Settings are the run's."},
    "base": "speech",
    "seeds": 3,
    "factors": {
        "network": {"frequency": [], "dense": ["model=dense"]},
        "split": {"one": ["split={test:{voice:[f1]}}"], "two": ["split={test:{voice:[m1]}}"]},
    },
    "comparisons": [{"metric": "test_accuracy", "of": {"network": "frequency"}, "than": {"network": "dense"}}],
}


def changed(path: str, value: object) -> dict:
    written = copy.deepcopy(WRITTEN)
    node = written
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        node = node[part]
    node[last] = value
    return written


def test_all_combinations_but_those_left_out_are_variants():
    written = changed("without", [{"network": "dense", "split": "two"}])
    written["comparisons"][0]["where"] = {"split": ["one"]}
    study = Study.read("voices", written)
    assert [variant.run for variant in study.variants] == [
        "voices-frequency-one",
        "voices-frequency-two",
        "voices-dense-one",
    ]
    assert study.variant("voices-dense-one").overrides == ("model=dense", "split={test:{voice:[f1]}}")
    assert len(list(study.trials())) == 9
    with pytest.raises(ConfigurationError, match="Did you mean 'voices-dense-one'"):
        study.variant("voices-dense-two")


def test_pairs_differ_in_nothing_but_what_is_compared():
    study = Study.read("voices", WRITTEN)
    over_seeds = study.sides(study.comparisons[0])
    pairs = [("voices-frequency-one", "voices-dense-one"), ("voices-frequency-two", "voices-dense-two")]
    assert over_seeds == [("", pairs)]
    study = Study.read("voices", changed("comparisons.0.over", "split"))
    assert study.sides(study.comparisons[0]) == [("one", pairs[:1]), ("two", pairs[1:])]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("base", "speach", "base: no run 'speach'. Did you mean 'speech'?"),
        ("seeds", 1, "comparisons.0.over: an interval over seed wants two at least, and there is 1"),
        ("seeds", 0, "seeds: must be at least 1"),
        ("claims", [], "claims: no such key. Did you mean 'claim'?"),
        ("factors.network", {}, "factors.network: has no levels"),
        ("factors.Network", {"a": []}, "factors.Network: names are made of lower-case letters"),
        ("settings", {}, "settings: there are none in English: say on what they were chosen"),
        ("without", [{"network": "time"}], "without.0.network: no level 'time'"),
        ("without", [{"network": "frequency"}, {"network": "dense"}], "without: leaves no variant"),
        ("without", [{"network": "dense", "split": "two"}], "voices-frequency-two can't be paired: voices-dense-two"),
        ("comparisons", [], "comparisons: there are none"),
        ("comparisons.0.decides", False, "comparisons: none decides"),
        ("comparisons.0.of", {"network": "frequencies"}, "no level 'frequencies'. Did you mean 'frequency'?"),
        ("comparisons.0.than", {"split": "one"}, "variants that differ in more can't be paired"),
        ("comparisons.0.than", {"network": "frequency"}, "is the same as `of`"),
        ("comparisons.0.than", "dense", "wants levels by factor, or a number, not 'dense'"),
        ("comparisons.0.where", {"splits": ["one"]}, "no factor 'splits'. Did you mean 'split'?"),
        ("comparisons.0.over", "network", "'network' is none of them"),
        ("comparisons.0.marginal", 0.1, "no such key. Did you mean 'margin'?"),
        ("measures", [{"_target_": "cnnatomy.studies.measures.spectrum.shift", "by": [1]}], "has no 'shift'"),
        (
            "measures",
            [{"_target_": "cnnatomy.studies.measures.spectrum.shifted", "by": 3}],
            "measures.0.by: wants a list of whole numbers, not 3",
        ),
        ("figures", [{"kind": "pie"}], "figures.0.kind: 'pie' is none of them"),
        ("figures", [{"kind": "bars", "metric": "x", "bars": "networks"}], "Did you mean 'network'?"),
        ("figures", [{"kind": "bars", "bars": "network"}], "figures.0: lacks metric"),
    ],
)
def test_what_cannot_be_compared_is_refused_and_named(path, value, said):
    with pytest.raises(ConfigurationError, match=r"study.voices") as refused:
        Study.read("voices", changed(path, value))
    assert said in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize("name", folders.options("study"))
def test_every_shipped_study_is_sound_and_each_variant_composes(name):
    plan = Plan(None)
    study = plan.study(name)
    assert len(plan.trials(name)) == study.seeds * len(study.variants)
    digests = {digest_of("train", plan.config(variant.run)) for variant in study.variants}
    assert len(digests) == len(study.variants), "two variants are the same"
    assert set(study.content["title"]) == {"en", "zh"}
    assert study.is_sweep or set(study.content["claim"]) == set(study.content["settings"]) == {"en", "zh"}


def test_a_users_override_reaches_all_variants_and_never_what_is_compared():
    plan = Plan(None, ("training.max_epochs=2", "model.dropout=0.1", "studies.direction_quick.seeds=4"))
    study = plan.study("direction_quick")
    assert study.seeds == 4
    for variant in study.variants:
        config = plan.config(variant.run)
        assert config["training"]["max_epochs"] == 2
        usual = Plan(None).config(variant.run)
        assert canonical([config["split"], config["model"]]) == canonical([usual["split"], usual["model"]])


def test_variants_that_share_a_process_share_its_threads(tmp_path, monkeypatch):
    (tmp_path / "study").mkdir()
    written = changed("factors.network.dense", ["model=dense", "training.threads=2"])
    (tmp_path / "study/voices.yaml").write_text(yaml.safe_dump(written))
    monkeypatch.setenv("CNNATOMY_CONF", str(tmp_path))
    with pytest.raises(ConfigurationError, match="trains on 2 threads and voices-frequency-one on 1"):
        Plan(None).trials("voices")


def test_networks_of_a_study_train_on_one_device_each(tmp_path, monkeypatch):
    (tmp_path / "study").mkdir()
    written = changed("overrides", ["training.threads=1", "training.devices=2"])
    (tmp_path / "study/doubled.yaml").write_text(yaml.safe_dump(written))
    monkeypatch.setenv("CNNATOMY_CONF", str(tmp_path))
    with pytest.raises(ConfigurationError, match="trains on 2 devices, but the networks of a study"):
        Plan(None).trials("doubled")
    # Of a report it is the runs that train on two.
    plan = Plan("default", ("training.devices=2",))
    assert plan.config("mnist")["training"]["devices"] == 2
    assert {plan.config(v.run)["training"]["devices"] for v in plan.study("direction_quick").variants} == {1}


def test_a_study_is_cut_into_as_many_jobs_as_asked_for_and_never_more_than_trainings():
    for override in ("study_jobs=3", "studies.direction_quick.study_jobs=3"):
        assert Plan("default", (override,)).shares("direction_quick") == ["1-of-3", "2-of-3", "3-of-3"]
    trainings = len(Plan("default").trials("direction_quick"))
    assert len(Plan("default", ("study_jobs=999",)).shares("direction_quick")) == trainings
    for wrong in ("four", "0", "true", "null", "2.5"):
        with pytest.raises(ConfigurationError, match="study_jobs=.*: wants a whole number, 1 or more"):
            Plan("default", (f"study_jobs={wrong}",)).check()


def test_every_job_of_a_report_has_its_costs_named():
    plan = Plan("default", ("study_jobs=2",))
    logs = {f"results/benchmarks/{job.rule}/{job.log}.tsv" for job in lineage.jobs(plan)}
    assert {name for name in logs if "/fetch/" not in name and "/prepare/" not in name} == set(plan.benchmarks())


def test_an_unknown_study_or_variant_is_named():
    with pytest.raises(
        ConfigurationError, match=r"studies\.direktion\.seeds=2: no study 'direktion'. Did you mean 'direction'"
    ):
        Plan("default", ("studies.direktion.seeds=2",)).check()
    with pytest.raises(ConfigurationError, match="report.studies: no study 'direktion'. Did you mean 'direction'?"):
        Plan("default", ("report.studies=[direktion]",)).check()
    with pytest.raises(ConfigurationError, match="no such variant of the study direction_quick"):
        Plan(None).config("direction_quick-frequncy")


# Sweeps.

SWEEP = {
    "title": {"en": "Title"},
    "base": "mnist",
    "seeds": 2,
    "grid": {"training.learning_rate": [0.001, 0.003], "model.filters": [[8, 16], [16, 32]], "model.dropout": [0.25]},
}


def test_a_grids_points_are_variants_and_their_values_reach_the_configuration():
    study = Study.read("sweep", SWEEP)
    assert study.is_sweep and len(study.variants) == 4 and len(list(study.trials())) == 8
    variant = study.variant("sweep-0_003-8_16-0_25")
    assert variant.overrides == ("training.learning_rate=0.003", "model.filters=[8,16]", "model.dropout=0.25")
    config = compose([f"run={SWEEP['base']}", *variant.overrides])
    assert config["training"]["learning_rate"] == 0.003 and config["model"]["filters"] == [8, 16]
    assert study.content["grid"]["filters"] == {"8_16": [8, 16], "16_32": [16, 32]}


def test_a_grid_goes_with_factors_and_with_a_claim():
    written = {**WRITTEN, "grid": {"training.learning_rate": [0.001, 0.01]}}
    study = Study.read("voices", written)
    assert not study.is_sweep and len(study.variants) == 8
    compared = {"metric": "test_accuracy", "of": {"learning_rate": "0_01"}, "than": {"learning_rate": "0_001"}}
    assert len(Study.read("voices", {**written, "comparisons": [compared]}).comparisons) == 1


@pytest.mark.parametrize(
    ("grid", "says"),
    [
        ({"training.learning_rate": [0.1, 0.1]}, "names a value twice"),
        ({"a.network": [1], "a_network": [2], "b.a_network": [3], "b_a_network": [4]}, "there is a factor"),
        ({"training.learning_rate": []}, "has no levels"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(grid, says):
    with pytest.raises(ConfigurationError, match=says):
        Study.read("voices", {**WRITTEN, "grid": grid})


def test_odd_values_of_a_grid_survive():
    grid = {"training.learning_rate": [-1, 1e-05, None, "a b", "$x'\"", True]}
    study = Study.read("sweep", {**SWEEP, "grid": grid})
    given = []
    for variant in study.variants:
        parser = OverridesParser.create()
        given.append(parser.parse_override(variant.overrides[0]).value())
    assert given == grid["training.learning_rate"]
    assert all(re.fullmatch(r"sweep-[a-z0-9_]+", variant.run) for variant in study.variants)


def test_neither_a_claim_nor_a_grid_is_refused():
    without = {key: value for key, value in WRITTEN.items() if key != "comparisons"}
    with pytest.raises(ConfigurationError, match="say what would contradict the claim"):
        Study.read("voices", without)
    with pytest.raises(ConfigurationError, match="say what the comparisons are about"):
        Study.read("voices", {key: value for key, value in WRITTEN.items() if key != "claim"})
    with pytest.raises(ConfigurationError, match="say what the variants differ in"):
        Study.read("voices", {key: value for key, value in WRITTEN.items() if key != "factors"})


@pytest.mark.parametrize("name", ["direction", "direction_quick"])
def test_studies_of_directions_keep_to_the_voices_that_their_kept_results_are_of(name):
    """Whoever else speaks in `spoken_digits` by now."""
    written = yaml.safe_load(
        (Path(__file__).parents[2] / "conf" / "study" / f"{name}.yaml").read_text(encoding="utf-8")
    )
    levels = written["factors"]["voices"]
    of_old = compose(["data=spoken_digits"])["data"]["fetch"]["variants"]
    for level, overrides in levels.items():
        split = compose(["run=speech", *overrides])["split"]
        assert split["samples"]["variant"] == [*of_old["female"], *of_old["male"]]
        assert (
            split["test"]
            == {
                "male_female": {"sex": ["female"]},
                "female_male": {"sex": ["male"]},
                "unheard": {"variant": ["f5", "m7", "m8"]},
            }[level]
        )
