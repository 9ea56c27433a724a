"""What a user reads of a YAML file that can't mean what he wants, of names, and of overrides without effect."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cnnatomy.config import folders, names
from cnnatomy.config.compose import compose
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.config.plan import Plan
from cnnatomy.report.build import OWN_ADDRESSES
from tests.own_conf import FILES, forget, write


def refusal(*overrides: str, report: str = "mine") -> str:
    with pytest.raises(ConfigurationError) as caught:
        Plan(report, overrides).check()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_files_are_right_as_they_are_and_with_windows_line_ends(conf):
    Plan("mine").check()
    write(conf, {name: text.replace("\n", "\r\n") for name, text in FILES.items()})
    forget()
    Plan("mine").check()


RUN, DATA, REPORT = FILES["run/mine.yaml"], FILES["data/mine.yaml"], FILES["report/mine.yaml"]
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{one}: &{one} [{','.join([f'*{before}'] * 10)}]\n" for before, one in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("file", "text", "place", "says"),
    [
        ("run/mine.yaml", RUN.partition("\n")[2], "line 1", "must be # @package _global_"),
        ("run/mine.yaml", f"# mine\n{RUN}", "line 1", "must be # @package _global_"),
        ("run/mine.yaml", "title: {en: Mine}\n", "line 1", "must be # @package _global_"),
        ("run/mine.yaml", f"\ufeff{RUN}", "line 1", "save it as UTF-8 without it"),
        ("run/mine.yaml", f"{RUN}seed: 3\n", "line 6", "seed: no such key in a run"),
        ("run/mine.yaml", f"{RUN}trainig: {{max_epochs: 3}}\n", "line 6", "Did you mean 'training'?"),
        ("run/mine.yaml", f"{RUN}training: {{max_epoch: 3}}\n", "line 6", "Did you mean 'max_epochs'?"),
        ("run/mine.yaml", f"{RUN}training:\n  batch_size: 4\n  max_epochs: -3\n", "line 8", "must not be negative"),
        ("run/mine.yaml", f"{RUN}training:\n  augment: {{_target_: x.y}}\n", "line 7", "training.augment._target_"),
        ("run/mine.yaml", f"{RUN}data: mnist\n", "line 6", "as in `- override /data: …`"),
        ("run/mine.yaml", f"{RUN}dissect: {{kernels: {{column: 3}}}}\n", "line 6", "Did you mean 'columns'?"),
        ("run/mine.yaml", f"{RUN}threads: {{dissekt: 3}}\n", "line 6", "Did you mean 'dissect'?"),
        ("run/mine.yaml", f"{RUN}hydra: {{run: {{dir: x}}}}\n", "line 6", "hydra: no such key in a run"),
        ("run/mine.yaml", f"{RUN}data: {{prepare: {{siez: 3}}}}\n", "line 6", "Did you mean 'size'?"),
        ("run/mine.yaml", RUN.replace("/data: mine", "/data: ../../etc/mine"), "line 2", "leads out of the folder"),
        ("run/mine.yaml", RUN.replace("/data: mine", "/data: mien"), "", "Did you mean 'mine'?"),
        ("run/mine.yaml", RUN.replace("{en: Mine}", "${oc.env:HOME}"), "line 5", "may show what is secret"),
        ("data/mine.yaml", f"{DATA.strip()[:-1]}, licence: '${{oc.env:HOME}}'}}\n", "line 3", "oc.env"),
        ("data/mine.yaml", DATA.replace("mine", "photos/2024"), "line 2", "a name is letters, digits, - and _"),
        ("data/mine.yaml", DATA.replace("mine", "'`touch x`'"), "line 2", "a name is letters, digits, - and _"),
        ("data/mine.yaml", DATA.replace("mine", '"a\\nb"'), "line 2", "a name is letters, digits, - and _"),
        ("data/mine.yaml", DATA.replace("mine", "../../x"), "line 2", "a name is letters, digits, - and _"),
        ("data/mine.yaml", DATA.replace("mine", "x" * 200), "line 2", "at most 50 characters"),
        ("data/mine.yaml", f"name:\tmine\n{DATA}", "line 1", "YAML"),
        ("data/mine.yaml", f"{DATA}prepare:\n\tsize: 3\n", "line 5", "indent with spaces"),
        ("data/mine.yaml", f"{DATA}name: other\n", "line 4", "the key name twice"),
        ("data/mine.yaml", f"{DATA}title: \udce9\n", "line 4", "is no UTF-8"),
        ("data/mine.yaml", f"{DATA}{BOMB}", "", "by what it repeats"),
        ("data/mine.yaml", f"x: {'[' * 3000}{']' * 3000}\n", "", "inside each other"),
        ("data/mine.yaml", f"{DATA}b: &b [*b]\n", "", ""),
        ("report/mine.yaml", "", "", "is empty"),
        ("report/mine.yaml", "# nothing yet\n", "", "is empty"),
        ("report/mine.yaml", "- mine\n", "", "wants keys and values"),
        ("report/mine.yaml", "mine\n", "", "wants keys and values"),
        ("report/mine.yaml", RUN, "line 1", "only a run begins with # @package"),
        ("report/mine.yaml", DATA, "", "conf/report/mine.yaml: defaults: report=own_images: no such report"),
        ("report/mine.yaml", f"{REPORT}run: [mine]\n", "line 4", "Did you mean 'runs'?"),
        ("report/mine.yaml", REPORT.replace("[mine]", "[my mine]"), "line 2", "a name is letters, digits, - and _"),
        ("report/mine.yaml", REPORT.replace("[mine]", "[mine, mine]"), "line 2", "stands there twice"),
        ("report/mine.yaml", REPORT.replace("samples", "sample"), "line 3", "Did you mean 'samples'?"),
        ("report/mine.yaml", REPORT.replace("{en: Mine}", "{de: Meins}"), "line 1", "title"),
        ("report/mine.yaml", f"{REPORT}seeds: many\n", "line 4", "seeds"),
        ("report/mine.yaml", f"{REPORT}defaults: [{{}}]\n", "line 4", "'{}' is no entry of defaults"),
        ("run/mine.yaml", RUN.replace("override /data: mine", "override /data: null"), "", "data: nothing is chosen"),
        ("run/mine.yaml", RUN.replace("override /data: mine", "override /model: ~"), "", "model: nothing is chosen"),
        ("data/mine.yaml", DATA.replace("pictures", "x" * 3000), "", "is no place on this disk"),
        ("run/mine.yaml", RUN.replace("data: mine", 'data: "\\ud800"'), "line 2", "is no entry of defaults"),
        ("run/mine.yaml", RUN.replace("data: mine", 'data: "\\x00"'), "line 2", "is no entry of defaults"),
        ("data/mine.yaml", DATA.replace("pictures", '"pictu\\nres"'), "line 3", r"there is nothing at 'pictu\nres'"),
        ("run/mine.yaml", f"{RUN}split: 3\n", "line 6", "split: wants keys of its own"),
        ("run/mine.yaml", f"{RUN}split: ''\n", "line 6", "split: wants keys of its own"),
        ("data/mine.yaml", DATA.replace("pictures", "12:30:45"), "", "path: wants a text, not 45045"),
        ("run/mine.yaml", RUN.replace("override /data", "/data"), "line 2", "write `- override /data: mine`"),
        ("run/mine.yaml", RUN.replace("override /data", "data"), "line 2", "write `- override /data: mine`"),
        ("run/mine.yaml", RUN.replace("override /data", "override data"), "line 2", "write `- override /data: mine`"),
        ("run/mine.yaml", RUN.replace("/data: mine", "/run: mnist"), "line 2", "write `- mnist`"),
        ("data/mine.yaml", DATA.replace("[own_images, _self_]", "[_self_, own_images]"), "line 1", "put _self_ last"),
        ("data/mine.yaml", DATA.partition("\n")[2], "line 1", "defaults: [own_images, _self_]"),
        ("run/mine.yaml", f"{RUN}training.max_epochs: 3\n", "line 6", "write training: {max_epochs: …}"),
        ("data/mine.yaml", f"{DATA}prepare.size: 3\n", "line 4", "write prepare: {size: …}"),
        ("run/mine.yaml", f"{RUN}training:\n\u00a0 max_epochs: 3\n", "line 7", "U+00A0"),
        ("run/mine.yaml", f"{RUN}training：{{max_epochs: 3}}\n", "line 6", "："),
        ("report/mine.yaml", REPORT.replace("[mine]", "[mine，mnist]"), "line 2", "，"),
        ("data/mine.yaml", DATA.replace("{path: pictures}", '{path: "C:\\Users\\me"}'), "line 3", "single quotes"),
        ("data/mine.yaml", DATA.replace("{path: pictures}", '{path: "C:\\me"}'), "line 3", "single quotes"),
        ("data/mine.yaml", DATA.replace("pictures", "$HOME/x"), "line 3", "${oc.env:HOME}/x"),
        ("data/mine.yaml", DATA.replace("pictures", "https://a.b/c.zip"), "line 3", "unpack it"),
        ("data/mine.yaml", DATA.replace("pictures", "“pictures”"), "line 3", "plain quotes"),
        ("data/mine.yaml", DATA.replace("pictures", "pictuers"), "line 3", "did you mean 'pictures'?"),
        ("report/mine.yaml", REPORT.replace("[mine]", "[on]"), "line 2", "the value True; put the name in quotes"),
        ("report/mine.yaml", REPORT.replace("[mine]", "[mine, 007]"), "line 2", "the value 7; put the name in quotes"),
        ("data/mine.yaml", DATA.replace("name: mine", "name: 1e3"), "line 2", "the value 1000.0; put the name in"),
        (
            "data/mine.yaml",
            DATA.replace("name: mine", "name: 12:30"),
            "line 2",
            "the value 750; put the name in quotes",
        ),
        ("run/mine.yaml", RUN.replace("/data: mine", "/data: no"), "line 2", "the value False; put the name in quotes"),
        ("data/mine.yaml", f"{DATA}prepare: {{test: 20%}}\n", "", "data.prepare.test 20%: they are shares"),
        ("run/mine.yaml", RUN.replace("{en: Mine}", "''"), "line 5", "title"),
        ("run/mine.yaml", RUN.replace("{en: Mine}", "{en: ' '}"), "line 5", "title"),
    ],
)
def test_a_file_that_cannot_mean_what_it_says_is_named_with_the_line(conf, file, text, place, says):
    write(conf, {file: text})
    said = refusal()
    assert said.startswith(f"conf/{file}") or not place, said
    assert place in said.partition(": ")[0] and says in said, said


def test_a_name_that_is_a_number_as_it_is_written_is_taken(conf):
    write(conf, {"run/2024.yaml": RUN, "report/mine.yaml": REPORT.replace("[mine]", "[2024]")})
    forget()
    assert list(Plan("mine").runs) == ["2024"]


@pytest.mark.parametrize("name", ["my leaves", "a(b)", "$(touch x)", "`touch x`", ";touch x", "a'b", 'a"b', "_x", "-x"])
def test_a_run_or_a_report_whose_name_is_none_is_refused(conf, name):
    write(
        conf,
        {
            f"run/{name}.yaml": RUN,
            f"report/{name}.yaml": REPORT,
            "report/odd.yaml": f"title: {{en: x}}\nruns: ['{name}']\n",
        },
    )
    assert names.RULE in refusal(report=name)
    if "'" not in name:
        assert names.RULE in refusal(report="odd")


@pytest.mark.parametrize("name", ["树叶", "été", "2024", "a-b", "null", "листья_2"])
def test_names_of_any_script_are_taken(conf, name):
    write(
        conf,
        {
            f"data/{name}.yaml": DATA.replace("name: mine", f"name: '{name}'"),
            f"run/{name}.yaml": RUN.replace("data: mine", f"data: '{name}'"),
            f"report/{name}.yaml": REPORT.replace("[mine]", f"['{name}']"),
        },
    )
    made = Plan(name, (f"runs.{name}.training.max_epochs=2",))
    made.check()
    assert made.config(name)["data"]["name"] == name and made.config(name)["training"]["max_epochs"] == 2


@pytest.mark.parametrize(("group", "name"), [("model", "dense"), ("run", "mnist"), ("dissect", "kernels")])
def test_a_file_with_a_name_of_the_projects_is_refused_with_both(conf, group, name):
    write(conf, {f"{group}/{name}.yaml": "_target_: nets.Mine\n"})
    said = refusal()
    assert str(conf / f"{group}/{name}.yaml") in said and str(folders.CONF / f"{group}/{name}.yaml") in said
    assert f"{group}={name} could mean either. Rename yours" in said


@pytest.mark.parametrize("name", ["made", "mnist-samples"])
def test_a_run_with_an_address_of_the_page_is_refused_before_the_first_job(conf, name):
    write(conf, {f"run/{name}.yaml": RUN, "report/mine.yaml": REPORT.replace("[mine]", f"[mnist, {name}]")})
    assert "rename the run" in refusal()
    assert set(names.ADDRESSES) == OWN_ADDRESSES


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("runs.mnist.seed=1", "report.seeds=5"),
        ("runs.mnist.report.seeds=2", "it is none of a run's"),
        ("runs.mnist.studies.direction_quick.seeds=2", "it is none of a run's"),
        ("studies.pooling.seeds=2", "report.studies=[direction_quick,pooling]"),
        ("workers=3", "it is the workflow's own"),
        ("partial=true", "it is the workflow's own"),
        ("lesson.convolution.columns=3", "lesson.convolution.columns"),
        ("dissect.kernels.columns=0", "dissect.kernels.columns: must be greater than zero, not 0"),
    ],
)
def test_an_override_without_effect_says_what_has_it(override, says):
    assert says in refusal(override, report="default")


def test_what_a_report_leaves_out_can_not_be_changed_by_it(conf):
    assert "report.methods=[samples,kernels]" in refusal("dissect.kernels.columns=3")
    assert "report.lessons=[shapes]" in refusal("lesson.shapes.seed=3")
    assert "this report has no study" in refusal("study.seeds=3")
    Plan("mine", ("dissect.kernels.columns=3",)).check(whole=False)  # as for an exhibit that is asked for by its name


def test_a_value_given_twice_is_refused_and_what_is_said_of_one_run_counts():
    assert "is given twice" in refusal("training.max_epochs=3", "training.max_epochs=4", report="default")
    made = Plan("default", ("runs.mnist.training.max_epochs=3", "training.max_epochs=5"))
    made.check()
    assert made.config("mnist")["training"]["max_epochs"] == 3 and made.config("text")["training"]["max_epochs"] == 5


@pytest.mark.parametrize("changed", ["mnist", "article"])
def test_two_versions_of_data_name_the_key_that_was_changed_and_a_remedy_that_helps(changed):
    given = ("report.runs=[mnist,article]", f"runs.{changed}.data.prepare.validation=4000")
    said = refusal(*given, report="default")
    assert said.startswith(given[1])
    remedy = said.partition("Give its own a name: ")[2].split()
    Plan("default", (*given, *remedy)).check()


def test_of_two_data_of_one_name_the_users_own_are_named(conf):
    write(conf, {"data/mine.yaml": DATA.replace("name: mine", "name: mnist")})
    for runs in ("[mine,mnist]", "[mnist,mine]"):
        said = refusal(f"report.runs={runs}")
        assert "mine wants another version of the data 'mnist' than mnist" in said and "runs.mine.data.name" in said


def test_a_report_that_is_not_there_says_where_was_looked(conf, monkeypatch):
    said = refusal(report="theirs")
    assert "There are:" in said and "mine" in said and str(conf) in said
    (conf / "report/theirs.yml").write_text(REPORT)
    assert "rename theirs.yml to theirs.yaml" in refusal(report="theirs")
    for wrong in ("theirs.yaml.txt", "theirs.YAML", "Theirs.yaml", "theirs.json"):
        (conf / "report/theirs.yml").unlink(missing_ok=True)
        (conf / "report" / wrong).write_text(REPORT)
        assert f"rename {wrong} to theirs.yaml" in refusal(report="theirs") or "Did you mean 'Theirs'" in refusal(
            report="theirs"
        )
        (conf / "report" / wrong).unlink()
    monkeypatch.delenv("CNNATOMY_CONF")
    assert "CNNATOMY_CONF is not set" in refusal(report="theirs")
    for wrong, says in (("nowhere", "there is no such folder"), (str(conf / "run"), "holds no group"), (".", "conf?")):
        monkeypatch.setenv("CNNATOMY_CONF", wrong)
        assert says in refusal(report="theirs")
    monkeypatch.setenv("HOME", str(conf.parent))
    for right in ("~/conf", "conf", f"{conf}/../conf"):
        monkeypatch.setenv("CNNATOMY_CONF", right)
        Plan("mine").check()


CHINESE = {
    "data/动作.yaml": FILES["data/mine.yaml"].replace("name: mine", "name: 动作"),
    "run/动作.yaml": FILES["run/mine.yaml"].replace("/data: mine", "/data: 动作"),
    "dissect/看.yaml": "title: {en: Looking}\n甲: {乙: 1}\n",
}


def test_overrides_take_letters_of_any_script_in_keys_and_in_values(conf):
    write(conf, CHINESE)
    forget()
    of_report = ("report.runs=[动作, mine]", "report.methods=[看]", "dissect.看.甲.乙=2", "++title.zh=你好，世界")
    of_runs = ("runs.动作.training.max_epochs=7", "++runs.mine.split={test:{声音:[甲,'乙 1',3]},validation:0.1}")
    plan = Plan("mine", of_report + of_runs)
    assert plan.runs == ["动作", "mine"]
    ours, mine = map(plan.config, plan.runs)
    assert ours["data"]["name"] == "动作" and ours["training"]["max_epochs"] == 7 != mine["training"]["max_epochs"]
    assert ours["title"]["zh"] == "你好，世界" and ours["dissect"]["看"]["甲"] == {"乙": 2}
    assert mine["split"]["test"] == {"声音": ["甲", "乙 1", 3]}


def test_a_step_takes_them_too(conf):
    command = [sys.executable, "-m", "cnnatomy.steps.train", "run=mine", "training.keep=last", "++title.zh=x标题xx"]
    answer = subprocess.run([*command, "--cfg", "job"], capture_output=True, text=True, encoding="utf-8")
    assert "zh: x标题xx" in answer.stdout, answer.stderr


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("training.max_epochs = 3", "no blank beside the ="),
        ("--training.max_epochs=3", "leave out the --"),
        ("training.max_epochs=3;training.batch_size=4", "a blank between two"),
        ("training.max_epochs=3,training.batch_size=4", "a blank between two"),
        ("data.prepare.size=(8,9)", "a list is [8,9]"),
        ("training.max_epochs=choice(1,2)", "asks for a sweep"),
        ("+x=1", "x: no such key"),
        ("++x.y=1", "x: no such key"),
        ("+training.max_epochs=3", "without the +"),
        ("+training.max_epoch=3", "Did you mean 'max_epochs'?"),
        ("seeds=3", "Did you mean 'report.seeds'?"),
        ("max_epochs=3", "Did you mean 'training.max_epochs'?"),
        ("size=3", "Did you mean 'data.prepare.size'?"),
        ("prepare.size=3", "Did you mean 'data.prepare.size'?"),
        ("~title", "title"),
        ("~data", "data"),
        ("~data.name", "data.name"),
        ("~data.prepare", "data.prepare"),
        ("~data.fetch.path", "also needs path"),
        ("~report", "report"),
        ("~report.title", "report.title"),
        ("~dissect", "dissect"),
        ("~threads", "threads"),
        ("~model._target_", "model._target_"),
        ("~training", "training"),
        ("~allow", "allow"),
        ("~lesson", "lesson"),
        ("~published", "published"),
    ],
)
def test_overrides_in_other_forms_are_told_how_they_are_written(conf, override, says):
    assert says in refusal(override)


@pytest.mark.parametrize("override", ["training.early_stop=3;", "training.early_stop=三;", "training.early_stop=é,3"])
def test_an_override_that_cannot_be_read_is_said_as_it_was_written(override):
    with pytest.raises(ConfigurationError) as refused:
        compose([override])
    assert override in str(refused.value) and "'a" in str(refused.value)
    assert "++" not in str(refused.value) and "Exception" not in str(refused.value)


def test_a_step_says_on_the_terminal_what_it_leaves_out(conf):
    """Also where the configuration has imported the reader before Hydra silences all loggers that are there."""
    for name in ("a", "b"):
        for i in range(4):
            (conf.parent / f"pictures/{name}/{i}.png").write_bytes(b"x")
    (conf.parent / "pictures/a/film.mp4").write_bytes(b"x")
    answer = subprocess.run([sys.executable, "-m", "cnnatomy.steps.fetch", "data=mine"], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "left out files of a kind that is not read: 1 (a/film.mp4)" in answer.stderr
    assert "WARNING: " in answer.stderr


def test_an_option_with_a_name_too_long_for_a_disk_is_no_such_option():
    with pytest.raises(ConfigurationError, match="data=x"):
        compose(["run=mnist", f"data={'x' * 300}"])
