"""What is said while jobs run: a stream of Snakemake's events in, lines or a live view out; how long the rest takes."""

from __future__ import annotations

import io
import itertools
import json
import logging
import signal
import subprocess
import sys
import threading
import time
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake_interface_logger_plugins.common import LogEvent

from cnnatomy.config.plan import Plan
from cnnatomy.progress import expected, following, growing, words
from cnnatomy.progress.jobs import Job, Progress, message_of, name_of
from cnnatomy.progress.left import Task, left
from cnnatomy.progress.views import Live
from cnnatomy.steps import lineage
from snakemake_logger_plugin_cnnatomy import LogHandler, LogHandlerSettings


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Snakemake:
    """The events that Snakemake sends, and what our logger makes of them."""

    def __init__(self, clock: Clock, **told: object) -> None:
        self.clock = clock
        usual = {"quiet": None, "nocolor": True, "stdout": False, "show_failed_logs": True}
        usual |= dict.fromkeys(("debug_dag", "verbose", "dryrun", "printshellcmds"), False)
        everything = bool(told.pop("everything", False))
        self._settings = SimpleNamespace(**usual | told), LogHandlerSettings(everything)

    @cached_property
    def handler(self) -> LogHandler:  # made in the test itself, where standard error is what capsys reads
        return LogHandler(*self._settings)

    def say(self, message: str | None, event: LogEvent | None = None, level: int = logging.INFO, **more) -> None:
        record = logging.LogRecord("snakemake.logging", level, "", 0, message, (), None)
        record.__dict__.update(more | ({"event": event} if event else {}))
        self.handler.handle(record)

    def starts(self) -> None:
        self.say("Assuming unrestricted shared filesystem usage.")
        self.say("Workflow has started!", LogEvent.WORKFLOW_STARTED)
        self.say("Building DAG of jobs...")
        self.say("Select jobs to execute...")

    def begins(self, number: int, rule: str, log: str = "", **wildcards: str) -> None:
        facts = {"rule_msg": None, "local": True, "input": [], "benchmark": None, "reason": "", "resources": {}}
        facts |= {"priority": 0, "is_checkpoint": False, "rule_name": rule, "log": [log] if log else []}
        output = [] if rule == "all" else [f"{rule}.txt"]
        self.say(None, LogEvent.JOB_INFO, jobid=number, threads=1, output=output, wildcards=wildcards, **facts)

    def ends(self, number: int, seconds: float = 1.0) -> None:
        self.clock.now += seconds
        self.say(f"Finished jobid: {number}", LogEvent.JOB_FINISHED, job_id=number)

    def fails(
        self,
        number: int,
        rule: str,
        log: str = "",
        said: str | None = None,
        how: str = "returned non-zero exit status 1.",
        **aux: str,
    ) -> None:
        command = f"RuleException:\nCalledProcessError in file\nCommand 'set -e; run {rule}' {how}"
        self.say(command, LogEvent.ERROR, logging.ERROR)
        facts = {"rule_name": rule, "rule_msg": said, "log": [log] if log else [], "aux": aux}
        self.say(None, LogEvent.JOB_ERROR, logging.ERROR, jobid=number, shellcmd=f"run {rule}", **facts)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(following, "progress", Progress(clock))
    return clock


@pytest.fixture
def snakemake(clock) -> Snakemake:
    return Snakemake(clock)


def planned(*jobs: tuple[int, str]) -> None:
    following.progress.plan([Job(number, rule, rule) for number, rule in jobs], 2)


def test_without_a_terminal_each_job_is_one_line_when_it_ends(snakemake, capsys):
    planned(*((number, "dissect") for number in range(1, 11)), (11, "report"))
    snakemake.starts()
    snakemake.begins(1, "dissect", run="mnist", seed="0", method="kernels")
    snakemake.begins(2, "train", run="mnist", seed="1")
    snakemake.ends(1, 4.24)
    snakemake.ends(2, 61)
    snakemake.say("Complete log(s): x")
    assert capsys.readouterr().err.splitlines() == ["[ 1/11] dissect  4.2 s", "[ 2/11] dissect  1 min 05 s"]


def test_what_a_job_that_ended_well_warned_of_is_said_once_and_short_below_its_line(snakemake, clock, capsys, tmp_path):
    log = tmp_path / "prepare.log"
    many = "".join(f"WARNING: no. {number}\n" for number in range(9))
    log.write_text(f"WARNING: left out 3\nnothing\nWARNING: left out 3\nWARNING: {'long ' * 99}\n{many}")
    planned((1, "prepare"))
    snakemake.starts()
    snakemake.begins(1, "prepare", log=str(log), dataset="mine")
    following.progress._jobs[1] = Job(1, "prepare", "prepare mine", str(log))
    snakemake.ends(1)
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("[1/1] prepare mine") and said[1] == "    WARNING: left out 3"
    assert len(said[2]) < 260 and said[2].endswith("…") and len(said) == 7 and said[6].endswith(f"and 6 more in {log}")
    console = Console(file=(live := io.StringIO()), width=400)
    Live(console, following.progress).finished(Job(1, "prepare", "prepare mine", str(log)), 1.0)
    assert live.getvalue().splitlines()[0] == "prepare mine WARNING: left out 3"


def test_the_last_line_says_what_was_done_and_where_the_report_is(snakemake, capsys):
    snakemake.starts()
    for number, rule in enumerate(("fetch", "report", "all")):
        snakemake.begins(number, rule)
        snakemake.ends(number, 30)
    snakemake.handler.close()
    snakemake.handler.close()  # as Python does once more
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == ["[1/1] fetch  30.0 s", "[2/2] report  30.0 s"]
    assert said[2:] == ["2 jobs in 1 min 30 s. The report: results/report/index.html"]


def test_names_leave_out_the_first_seed():
    assert name_of("train", {"run": "mnist", "seed": "0"}) == "train mnist"
    assert name_of("train", {"run": "mnist", "seed": "3"}) == "train mnist seed 3"
    assert name_of("dissect", {"run": "mnist", "seed": "0", "method": "kernels"}) == "dissect mnist kernels"


def test_a_failure_comes_in_full_and_the_last_lines_name_every_failed_step(snakemake, capsys, tmp_path):
    logs = {name: str(tmp_path / f"{name}.log") for name in ("one", "two")}
    Path(logs["one"]).write_text("Traceback (most recent call last):\n  deep\nValueError: no such layer: conv9\n")
    Path(logs["two"]).write_text("".join(f"epoch {n} of 99\n" for n in range(99)))
    snakemake.starts()
    for number, name in enumerate(logs):
        snakemake.begins(number, "dissect", logs[name], method=name)
        snakemake.clock.now += 3
        snakemake.fails(number, "dissect", logs[name], {"two": "SLURM status is: 'TIMEOUT'"}.get(name), node="n1")
    snakemake.say("Exiting because a job execution failed. Look below for error messages", level=logging.ERROR)
    snakemake.handler.close()
    said = capsys.readouterr().err.splitlines()
    first = said[: said.index("FAILED: dissect two, after 3.0 s")]
    assert first[:3] == ["FAILED: dissect one, after 3.0 s", "    node: n1", "    command: run dissect"]
    assert first[3] == f"    log: {logs['one']}"
    assert first[4:] == [f"    | {line}" for line in Path(logs["one"]).read_text().splitlines()]
    assert "    SLURM status is: 'TIMEOUT'" in said
    assert "    | epoch 98 of 99" in said and "    | epoch 3 of 99" not in said
    assert said[-5:] == [
        "0 jobs done, 2 failed:",
        "  dissect one: ValueError: no such layer: conv9",
        f"    {logs['one']}",
        "  dissect two: SLURM status is: 'TIMEOUT'",
        f"    {logs['two']}",
    ]


def test_a_job_that_is_tried_again_and_ends_well_is_no_failure(snakemake, capsys):
    snakemake.starts()
    snakemake.begins(5, "lesson", lesson="shapes")
    snakemake.fails(5, "lesson")
    snakemake.say("Trying to restart job 5.")
    snakemake.begins(5, "lesson", lesson="shapes")
    snakemake.ends(5)
    snakemake.handler.close()
    said = capsys.readouterr().err.splitlines()
    assert "TRIED AGAIN: lesson shapes" in said and said[-1] == "1 job in 1.0 s"


def test_of_a_group_that_failed_its_own_log_is_shown(snakemake, capsys, tmp_path):
    log = tmp_path / "group.log"
    log.write_text("slurmstepd: error: Detected 1 oom_kill event\n")
    snakemake.starts()
    snakemake.begins(5, "lesson", lesson="shapes")
    group = {"groupid": "lessons", "aux_logs": [str(log)], "job_error_info": []}
    snakemake.say("Error in group lessons", LogEvent.GROUP_ERROR, logging.ERROR, **group)
    snakemake.fails(5, "lesson")
    snakemake.say("Trying to restart job 0a1b-lessons.")
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == ["FAILED: a job of the group lessons", f"    log: {log}"]
    assert said[2] == "    | slurmstepd: error: Detected 1 oom_kill event"
    assert said[3].startswith("FAILED: lesson shapes") and said[-1] == "TRIED AGAIN: the group"


@pytest.mark.parametrize(
    ("log", "said", "message"),
    [
        ("DataError: no images\n", "", "DataError: no images"),
        ("a: b\ncnnatomy.training.Diverged: at epoch 2\nbye\n", "", "cnnatomy.training.Diverged: at epoch 2"),
        ("reading\nepoch 3 of 9\n", "", "no error in its log, which ends with: epoch 3 of 9"),
        ("reading\n", "out of memory\nsays Slurm", "out of memory"),
        ("", "", "no log; was it killed?"),
        (None, "", "no log; was it killed?"),
        ("cnnatomy: 2026-01-01T00:00:00Z to 2026-01-01T00:00:01Z, 1.0 s of processor time, 3 MB\n", "No x", "No x"),
    ],
)
def test_the_message_of_a_failure(tmp_path, log, said, message):
    file = tmp_path / "a.log"
    if log is not None:
        file.write_text(log)
    assert message_of(str(file), said) == message


def test_warnings_and_other_errors_come_in_full_and_hints_do_not(snakemake, capsys):
    snakemake.say("Workflow defines that rule fetch is eligible for caching", level=logging.WARNING)
    snakemake.starts()
    snakemake.say("the clock\nis slow", level=logging.WARNING)
    snakemake.say("MissingOutputException:\nJob is completed, but", LogEvent.ERROR, logging.ERROR)
    killed = "RuleException:\nCalledProcessError\nx returned non-zero exit status 137."
    snakemake.say(killed, LogEvent.ERROR, logging.ERROR)
    snakemake.say("WorkflowError:\nAt least one job did not complete successfully.", LogEvent.ERROR, logging.ERROR)
    said = capsys.readouterr().err
    assert said.startswith("the clock\nis slow\nMissingOutputException:\nJob is completed, but\nRuleException")
    assert said.endswith("exit status 137.\n")


def test_an_interrupted_run_is_no_failure(snakemake, capsys, tmp_path):
    planned((1, "train"), (2, "report"))
    snakemake.starts()
    snakemake.begins(1, "train")
    for _ in range(3):
        snakemake.say("Terminating processes on user request, this might take some time.")
    snakemake.fails(1, "train")
    snakemake.handler.close()
    assert capsys.readouterr().err.splitlines()[1:] == ["Stopped; 0 of 2 jobs are done."]


BY_SIGTERM = ("died with <Signals.SIGTERM: 15>.", "returned non-zero exit status 143.")


@pytest.mark.parametrize("how", BY_SIGTERM)
def test_a_job_that_was_stopped_is_no_failure_and_nothing_is_to_be_mended(snakemake, capsys, tmp_path, how):
    log = tmp_path / "train.log"
    log.write_text("epoch 2 of 9\n")
    planned((1, "train"), (2, "report"))
    snakemake.starts()
    snakemake.begins(1, "train", str(log))
    snakemake.clock.now += 3
    snakemake.fails(1, "train", str(log), how=how)
    assert following.advice() == "Run the same command: it goes on from there."
    assert [failure.message for failure in following.progress.failures] == ["stopped by SIGTERM"]
    snakemake.handler.close()
    said = capsys.readouterr().err.splitlines()
    assert said == ["STOPPED: train, after 3.0 s", "Stopped; 0 of 2 jobs are done."]


def test_beside_a_stopped_job_a_failure_is_one(snakemake, capsys, tmp_path):
    log = tmp_path / "x.log"
    log.write_text("DataError: no images\n")
    snakemake.starts()
    snakemake.begins(1, "train")
    snakemake.begins(2, "dissect", str(log))
    snakemake.say("Will exit after finishing currently running jobs (scheduler).")
    snakemake.fails(1, "train", how=BY_SIGTERM[0])
    assert following.advice() == ""
    snakemake.fails(2, "dissect", str(log))
    assert following.advice() == "Mend the cause and run the same command: it goes on from there."
    snakemake.handler.close()
    said = capsys.readouterr().err.splitlines()
    assert not any(line.startswith("STOPPED") for line in said)
    assert said[-3:] == ["0 jobs done, 1 failed:", "  dissect: DataError: no images", f"    {log}"]


def test_a_run_that_ends_while_jobs_finish_says_that_it_was_stopped(snakemake, capsys):
    planned((1, "train"), (2, "report"))
    snakemake.starts()
    snakemake.begins(1, "train")
    snakemake.say("Will exit after finishing currently running jobs (scheduler).")
    snakemake.ends(1)
    snakemake.handler.close()
    assert capsys.readouterr().err.splitlines()[-1] == "Stopped; 1 of 2 jobs are done."


def test_a_run_with_nothing_to_do_is_one_line(snakemake, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words.PAGE.parent.mkdir(parents=True)
    words.PAGE.touch()
    snakemake.starts()
    snakemake.say("Nothing to be done (all requested files are present and up to date).")
    snakemake.handler.close()
    said = capsys.readouterr().err
    assert said == "Nothing to do: what was asked for is there. The report: results/report/index.html\n"


def test_what_runs_no_jobs_is_said_by_snakemake_itself(snakemake, capsys):
    snakemake.say("Assuming unrestricted shared filesystem usage.")
    snakemake.say("Building DAG of jobs...")
    snakemake.say("Report created: report.zip.")
    assert capsys.readouterr().err.splitlines()[1:] == ["Building DAG of jobs...", "Report created: report.zip."]


def test_a_list_of_rules_is_printed_at_the_end(snakemake, capsys):
    snakemake.say("fetch")
    snakemake.say("train")
    snakemake.handler.close()
    err = capsys.readouterr().err
    assert err == "fetch\ntrain\n"


@pytest.mark.parametrize("switch", ["dryrun", "everything", "verbose", "printshellcmds"])
def test_dry_runs_and_those_who_ask_get_snakemakes_own_lines(clock, capsys, switch):
    snakemake = Snakemake(clock, **{switch: True, "stdout": switch == "dryrun"})
    snakemake.starts()
    snakemake.begins(1, "train", run="mnist")
    said = capsys.readouterr()
    assert "\nlocalrule train:\n    output: train.txt\n" in (said.out if switch == "dryrun" else said.err)
    assert "[1/1]" not in said.err
    snakemake.handler.close()
    assert capsys.readouterr().err == ("" if switch == "dryrun" else "0 jobs in 0.0 s\n")
    assert following.progress.seen == (switch != "dryrun")


def test_quiet_is_quiet(clock, capsys):
    from snakemake.settings.enums import Quietness

    snakemake = Snakemake(clock, quiet={Quietness.ALL})
    snakemake.starts()
    snakemake.begins(1, "train")
    snakemake.ends(1)
    snakemake.handler.close()
    assert capsys.readouterr() == ("", "")


def shown(progress: Progress, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(Live(console, progress))
    return console.file.getvalue()


def test_the_live_view_shows_the_bar_the_running_jobs_and_the_time_left(clock):
    progress = following.progress
    progress.plan([Job(n, "dissect", f"dissect {n}", seconds=60) for n in range(12)], 2)
    for number in range(4):
        progress.begin(Job(number, "", ""))
        clock.now += 60
        progress.finish(number)
    progress.begin(Job(4, "", ""))
    clock.now += 30
    progress.begin(Job(5, "", ""))
    text = shown(progress)
    assert "4/12 jobs · about 4 min left" in text
    assert [line.split() for line in text.splitlines()[1:]] == [["dissect", "4", "0:30"], ["dissect", "5", "0:00"]]
    assert all(len(line) <= 40 for line in shown(progress, 40).splitlines())
    for number in range(6, 12):
        progress.begin(Job(number, "", ""))
    progress.begin(Job(12, "lesson", "a lesson"))
    assert "and 1 more" in shown(progress)


# How long the rest takes.


def alone(*seconds: float, **more: object) -> dict[int, Task]:
    return {number: Task(s, 1, frozenset()) for number, s in enumerate(seconds)}


@pytest.mark.parametrize(
    ("tasks", "slots", "seconds"),
    [
        ({}, 2, 0),
        (alone(3, 4), 1, 7),
        (alone(3, 4), 2, 4),
        (alone(4, 3, 3), 2, 6),
        ({0: Task(5, 1, frozenset()), 1: Task(2, 1, frozenset({0})), 2: Task(1, 1, frozenset({1}))}, 9, 8),
        ({0: Task(5, 2, frozenset()), 1: Task(5, 2, frozenset())}, 2, 10),
        ({0: Task(5, 1, frozenset({77}))}, 1, 5),  # 77 was done before
        ({0: Task(9, 1, frozenset()), 1: Task(2, 1, frozenset(), runs=True)}, 1, 11),
    ],
)
def test_jobs_are_put_onto_the_processors(tasks, slots, seconds):
    assert left(tasks, slots) == seconds


def test_what_waits_for_a_failed_job_takes_no_time():
    tasks = {1: Task(5, 1, frozenset({0})), 2: Task(7, 1, frozenset({1})), 3: Task(1, 1, frozenset())}
    assert left(tasks, 2, {0}) == 1


def test_the_rest_is_never_shorter_than_its_work_or_its_longest_chain():
    for case in itertools.product((1, 3, 8), repeat=4):
        tasks = {n: Task(s, 1, frozenset({n - 2} if n > 1 else ())) for n, s in enumerate(case)}
        chain = max(case[0] + case[2], case[1] + case[3])
        assert max(chain, sum(case) / 2) <= left(tasks, 2) <= sum(case)


def test_a_machine_half_as_fast_takes_twice_as_long(clock):
    progress = following.progress
    progress.plan([Job(n, "train", "", seconds=1000) for n in range(3)], 1)
    assert progress.left() == 3000
    progress.begin(Job(0, "", ""))
    clock.now += 2000
    progress.finish(0)
    assert progress.left() == pytest.approx(4000, rel=0.02)
    progress.begin(Job(1, "", ""))
    clock.now += 1000
    assert progress.left() == pytest.approx(3000, rel=0.04)
    clock.now += 5000  # far over its time
    assert progress.left() == pytest.approx(2000 + 600, rel=0.03)


def test_of_jobs_of_which_nothing_is_known_no_time_is_told(clock):
    following.progress.plan([Job(0, "train", "", seconds=5), Job(1, "odd", "")], 1)
    assert following.progress.left() is None and words.about(None) == ""


def test_a_job_is_expected_to_take_what_it_took_last_time(tmp_path):
    log = tmp_path / "train" / "mnist-seed0.log"
    log.parent.mkdir()
    log.write_text("cnnatomy: 2026-01-01T00:00:00.000Z to 2026-01-01T00:00:09.000Z, 77.5 s of processor time, 300 MB\n")
    assert expected.seconds("train", str(log)) == 77.5


def test_the_longest_job_is_due_first_and_none_before_what_others_wait_for(monkeypatch):
    monkeypatch.setattr(expected, "_table", lambda: {"dissect": {"a": 0.5, "b": 40.0, "c": 7200.0}})
    due = [expected.priority("dissect", f"results/logs/dissect/{job}.log") for job in "abc"]
    assert 0 < due[0] < due[1] < due[2] < 10  # fetch, prepare, trials and train have 10 and more
    assert expected.priority("odd", "odd.log") == 0


def test_a_job_is_expected_to_take_what_its_like_take(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a checkout has logs of its own jobs, which come first

    def of(job: str) -> float | None:
        return expected.seconds("train", f"results/logs/train/{job}.log")

    assert of("photograph-seed4") == of("photograph-seed0") != of("text-seed0")
    assert min(filter(None, map(of, ("text-seed0", "speech-seed0", "photograph-seed0")))) <= of("mine-seed0")
    assert expected.seconds("odd", "odd.log") is None


def test_something_is_known_of_every_job_of_the_default_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jobs = [*((visit.rule, str(visit.log_file)) for visit in lineage.jobs(Plan("default"))), ("report", "report.log")]
    known = expected._table()
    assert len(jobs) > 80
    assert [job for job in jobs if expected.seconds(*job) is None] == []
    # Of trainings, which differ most, as themselves; a median is for what came later.
    assert [log for rule, log in jobs if rule == "train" and Path(log).stem not in known[rule]] == []


# The page that grows.


@pytest.fixture
def pages(clock, monkeypatch, tmp_path):
    """Growing pages whose builds take some processor time and write down when they began."""
    monkeypatch.chdir(tmp_path)
    Path(".snakemake").mkdir()
    growing.FOLDER.mkdir(parents=True)
    program = (
        "import json, sys, time; print(time.time(), flush=True); end = time.process_time() + float(sys.argv[1])\n"
        "open('results/report/.partial.html.x', 'w').close()\n"
        "while time.process_time() < end: pass\n"
        "sys.exit(3)"
    )

    def begin(seconds: float, least: float) -> growing.Growing:
        def build(given: Path, *more: str) -> subprocess.Popen[bytes]:
            log = open("builds", "ab")  # noqa: SIM115
            return subprocess.Popen([sys.executable, "-c", program, str(seconds)], stdout=log)

        monkeypatch.setattr(growing, "build", build)
        monkeypatch.setattr(growing, "LEAST", least)
        monkeypatch.setattr(growing, "TICK", 0.1)
        page = growing.Growing(Path("given.yaml"), following.progress)
        page.begin()
        return page

    return begin


def builds() -> list[float]:
    return [float(line) for line in Path("builds").read_text().split()] if Path("builds").is_file() else []


def test_the_first_page_comes_at_once_and_the_next_after_its_share(pages, clock):
    planned((1, "train"), (2, "report"))
    page, began = pages(0.1, 0.0), time.time()
    while time.time() < began + 4:
        time.sleep(0.1)
        following.progress.begin(Job(int(10 * time.time()), "x", "x"))
        following.progress.finish(max(following.progress._began))  # always something new
    page.end()
    starts = builds()
    assert starts[0] - began < 3 and len(starts) >= 2
    assert all(later - earlier > growing.SHARE * 0.1 for earlier, later in itertools.pairwise(starts))
    facts = json.loads(growing.FACTS.read_text())
    assert facts["total"] == 2 + facts["done"] and facts["reload"] == growing.RELOAD and facts["left"] is None


def test_nothing_new_is_no_new_page(pages, clock):
    planned((1, "train"), (2, "report"))
    page = pages(0.0, 0.0)
    time.sleep(2)
    page.end()
    assert len(builds()) == 1


def test_the_end_ends_a_page_that_is_being_built_and_leaves_no_half(pages, clock):
    planned((1, "train"), (2, "report"))
    page, half = pages(60.0, 0.0), growing.FOLDER / ".partial.html.x"
    for _ in range(100):
        if half.exists():
            break
        time.sleep(0.1)
    began = time.time()
    page.end()
    assert time.time() - began < 5 and not half.exists()


@pytest.mark.parametrize(
    ("rules", "grows"), [(("train", "report"), True), (("report",), False), (("train", "dissect"), False)]
)
def test_a_page_grows_only_on_the_way_to_a_report(clock, monkeypatch, rules, grows):
    begun = []
    monkeypatch.setattr(following.Growing, "begin", lambda self: begun.append(self))
    monkeypatch.setattr(following.Growing, "end", lambda self: None)

    class Planned:
        log, wildcards_dict, threads = (), {}, 1

        def __init__(self, rule: str) -> None:
            self.rule = SimpleNamespace(name=rule, output=[rule] if rule != "all" else [])

    jobs = [Planned(rule) for rule in (*rules, "all")]
    dag = SimpleNamespace(needrun_jobs=lambda: jobs, jobid=jobs.index, dependencies=dict.fromkeys(jobs, {}))
    resources = SimpleNamespace(cores=2, nodes=None)
    workflow = SimpleNamespace(dag=dag, local_exec=True, resource_settings=resources)
    monkeypatch.setattr(following, "followed", False)
    following.begin(Path("given"), workflow)
    assert following.progress.total == 0  # without our logger nobody would tell what becomes of the jobs
    assert Snakemake(clock).handler
    following.begin(Path("given"), workflow)
    assert following.progress.total == len(rules) and len(begun) == grows
    following.end()


def test_the_logger_is_found_by_its_name_and_costs_next_to_nothing():
    program = (
        "import sys; import snakemake_interface_logger_plugins.registry as registry\n"
        "names = registry.LoggerPluginRegistry().get_registered_plugins()\n"
        "heavy = ('numpy', 'jinja2', 'hydra', 'cnnatomy.config')\n"
        "print('cnnatomy' in names, [name for name in heavy if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "True []\n"


def test_who_asks_it_to_end_is_heard_at_any_moment(snakemake):
    """Snakemake's own way, a lock that is taken in a handler, waits for ever for the thread that it interrupts."""
    scheduler: Any = object.__new__(JobScheduler)
    scheduler._lock, scheduler._open_jobs, scheduler._user_kill = threading.Lock(), threading.Semaphore(0), None
    snakemake.starts()
    before = signal.signal(signal.SIGTERM, scheduler.exit_gracefully)
    try:
        with scheduler._lock:
            signal.raise_signal(signal.SIGTERM)
        assert scheduler._open_jobs.acquire(timeout=20) and scheduler._user_kill == "graceful"
    finally:
        signal.signal(signal.SIGTERM, before)


INTERRUPTED = """
import asyncio, contextlib, signal
from snakemake_logger_plugin_cnnatomy import signals

async def task():
    signal.raise_signal(signal.SIGINT)
    with contextlib.suppress(asyncio.CancelledError):  # as a task that has something to put in order
        await asyncio.sleep(1)

signals.heed()
try:
    with asyncio.Runner() as runner:
        runner.run(task())
except KeyboardInterrupt:
    print("heard")
"""


def test_an_interrupt_is_heard_of_which_asyncio_would_make_a_cancelled_task():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True)
    assert done.stdout == "heard\n", done.stderr
