"""Jobs forked from a warm process: to whoever started them they are what they would be by themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a warm process is started on Linux only")

#: What is asked for: a module that says all that it can see, and ends as it is told to.
JOB = """
import os, sys, time
print(sys.argv[1:], sys.argv[0], os.getcwd(), os.environ.get("GREETING"), sys.stdin.read(), flush=True)
print("said to stderr", file=sys.stderr)
print("warm" if "torch" in sys.modules else "cold", "pytorch_lightning" in sys.modules)
if "torch" in sys.modules:  # CUDA refuses a process forked from one that looked for GPUs
    print("no GPU for it" if sys.modules["torch"].cuda._is_in_bad_fork() else "may use a GPU")
if sys.argv[1] == "sleep":
    open("asleep", "w").write(str(os.getpid()))
    time.sleep(60)
if sys.argv[1] == "raise":
    raise ValueError("as told")
if sys.argv[1] == "kill":
    os.kill(os.getpid(), 9)
sys.exit({"fine": 0, "seven": 7}.get(sys.argv[1], sys.argv[1]))
"""
#: What a step does: hand over, or do the work itself.
STEP = """
import runpy, sys
from cnnatomy.warm import client
status = client.hand_over("job", "train" if "a training" in sys.argv else "dissect")
if status is not None:
    client.end_as(status)
runpy.run_module("job", run_name="__main__", alter_sys=True)
"""
#: What Snakemake does: start the warm process, and live until its work is done.
STARTER = """
import os, sys
from cnnatomy.warm import server
server.start()
print(os.environ["CNNATOMY_WARM"], flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "job.py").write_text(JOB)
    (folder / "step.py").write_text(STEP)
    return folder


@pytest.fixture(scope="module")
def starter(folder):
    """A process that has started a warm one, as Snakemake does; where that one is to be found."""
    source = Path(__file__).parents[2] / "src"
    environment = os.environ | {"PYTHONPATH": str(source), "GREETING": "hello"}
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process, environment | {"CNNATOMY_WARM": process.stdout.readline().strip()}
    process.kill()
    process.wait()


def begin(folder, environment, *arguments: str) -> subprocess.Popen:
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [sys.executable, "-m", "step", *arguments], cwd=folder, env=environment, text=True, **streams
    )


def ended(folder, environment, *arguments: str) -> tuple[int, str, str]:
    process = begin(folder, environment, *arguments)
    said, complained = process.communicate("read this", timeout=120)
    return process.returncode, said, complained


@pytest.mark.parametrize("word", ["fine", "seven", "a message", "kill"])
def test_a_forked_job_is_what_it_would_be_by_itself(folder, starter, word):
    environment = starter[1]
    alone = ended(
        folder, {k: v for k, v in environment.items() if k != "CNNATOMY_WARM"}, word, "an argument with 'quotes' ü"
    )
    forked = ended(folder, environment, word, "an argument with 'quotes' ü")
    if word != "kill":
        assert "cold" in alone[1] and "warm" in forked[1]
    assert (forked[0], forked[1].replace("warm", "cold").replace("may use a GPU\n", ""), forked[2]) == alone


def test_an_error_ends_a_forked_job_with_its_traceback(folder, starter):
    status, _, complained = ended(folder, starter[1], "raise")
    assert status == 1 and complained.rstrip().endswith("ValueError: as told") and "job.py" in complained


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_who_ends_the_job_ends_the_child(folder, starter, number):
    sleeping = folder / "asleep"
    sleeping.unlink(missing_ok=True)
    process = begin(folder, starter[1], "sleep")
    process.stdin.close()
    child = _until(lambda: sleeping.exists() and sleeping.read_text() and int(sleeping.read_text()))
    assert child != process.pid
    process.send_signal(number)
    assert process.wait(30) == -number
    _until(lambda: not Path(f"/proc/{child}").exists())


def test_a_job_of_another_environment_works_by_itself(folder, starter):
    status, said, _ = ended(folder, starter[1] | {"GREETING": "hello, you"}, "fine")
    assert status == 0 and "cold" in said and "hello, you" in said


def test_a_training_is_forked_from_a_process_that_has_lightning_too(folder, starter):
    assert "warm False" in ended(folder, starter[1], "fine")[1]
    for _ in range(2):  # the first makes that process
        status, said, _ = ended(folder, starter[1], "fine", "a training")
        assert status == 0 and "warm True" in said and "may use a GPU" in said


def test_a_job_in_the_threads_that_the_workflow_gives_it_is_forked(folder, starter):
    status, said, _ = ended(folder, starter[1] | {"OMP_NUM_THREADS": "2"}, "fine")
    assert status == 0 and "warm" in said


def test_warm_processes_have_one_thread_and_end_with_who_started_them(folder, starter):
    process, environment = starter
    ended(folder, environment, "fine")
    ended(folder, environment, "fine", "a training")
    place = environment["CNNATOMY_WARM"]
    told = f"cnnatomy.warm.server\0{place}"
    warm = [file.parent for file in Path("/proc").glob("[0-9]*/cmdline") if told in _read(file)]
    assert [len(list((one / "task").iterdir())) for one in warm] == [1, 1]
    process.kill()
    process.wait()
    _until(lambda: not any(one.exists() for one in warm) and not Path(place).exists())
    status, said, _ = ended(folder, environment, "fine")
    assert status == 0 and "cold" in said


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _until(condition, seconds: float = 60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")
