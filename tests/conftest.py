"""Fixtures that several rooms share: a copy of the project to change, the mirror of real data."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

PROJECT = Path(__file__).resolve().parents[1]
OWN = PROJECT / "tests/workflow/own"


@dataclass
class Checkout:
    """A copy of the project in a folder of its own, run with the environment of these tests."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str, timeout: float = 300, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder; its output as text, errors and all."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "snakemake", "--cores", "2", *arguments, **environment)

    def step(self, name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", f"cnnatomy.steps.{name}", *arguments, **environment)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace the first `old` in a file; it must be there."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new, 1))


def make_checkout(folder: Path) -> Checkout:
    for name in ("Snakefile", "conf", "workflow", "profiles", "src", "docs/results", "Makefile", "pyproject.toml"):
        source = PROJECT / name
        if source.is_dir():
            # With what Python compiled of it, but for what it writes now: else each process of a test compiles it anew.
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("*.egg-info", "*.pyc.*"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    return checkout_at(folder)


def checkout_at(folder: Path) -> Checkout:
    """The checkout that lies in a folder."""
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("CNNATOMY_", "SNAKEMAKE_", "OVERRIDES", "REPORT"))
    }
    # Tests read Snakemake's own lines; those that look at ours take this away.
    environment |= {"SNAKEMAKE_LOGGER_CNNATOMY_EVERYTHING": "1"}
    return Checkout(folder, environment | {"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"})


def with_own(folder: Path) -> Checkout:
    """A checkout with the user's folder of stripes beside it."""
    return beside_own(make_checkout(folder))


def beside_own(checkout: Checkout) -> Checkout:
    path = f"{checkout.environment['PYTHONPATH']}{os.pathsep}{OWN}"
    return Checkout(checkout.folder, checkout.environment | {"CNNATOMY_CONF": str(OWN / "conf"), "PYTHONPATH": path})


def jobs(output: str) -> list[str]:
    """The rules that Snakemake says it runs."""
    return [rule for rule, _ in jobs_and_wildcards(output)]


def jobs_and_wildcards(output: str) -> list[tuple[str, dict[str, str]]]:
    """The rules that Snakemake says it runs, each with the values of its wildcards."""
    found = []
    for block in re.split(r"^(?=(?:local)?rule \w+:$)", output, flags=re.MULTILINE)[1:]:
        head, *rest = block.splitlines()
        values = next((line.partition(": ")[2] for line in rest if line.startswith("    wildcards: ")), "")
        found.append((head.split()[1].rstrip(":"), dict(pair.split("=", 1) for pair in values.split(", ") if pair)))
    return found


def copied(made: Checkout, folder: Path) -> Checkout:
    """A copy of a checkout, with all that was made in it."""
    shutil.copytree(made.folder, folder, symlinks=True)
    path = made.environment["PYTHONPATH"].replace(str(made.folder), str(folder))
    return Checkout(folder, made.environment | {"PYTHONPATH": path})


@pytest.fixture(scope="session")
def made(tmp_path_factory, worker_id) -> Checkout:
    """A checkout whose report of stripes is made, by plain Snakemake. To change it, take a copy."""
    # Tests in several processes: who comes first makes it, and each has a copy, because Snakemake locks a checkout.
    mine = tmp_path_factory.mktemp("made")
    place = tmp_path_factory.getbasetemp()
    original = (place if worker_id == "master" else place.parent) / "stripes"
    with FileLock(original.with_suffix(".lock")):
        if not original.exists():
            checkout = with_own(mine / "original")
            answer = checkout.snakemake("--config", "report=stripes")
            assert answer.returncode == 0, answer.stdout
            checkout.folder.rename(original)
    return copied(beside_own(checkout_at(original)), mine / "checkout")


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """What a test, or a command that it calls, sets in the environment is not there for the next."""
    before = dict(os.environ)
    yield
    for name in (os.environ.keys() | before.keys()) - {"PYTEST_CURRENT_TEST"}:
        if name not in before:
            del os.environ[name]
        elif os.environ.get(name) != before[name]:
            os.environ[name] = before[name]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A copy of the project that a test may change."""
    return make_checkout(tmp_path / "checkout")


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of real data that CNNATOMY_MIRROR names; without it the test is skipped."""
    named = os.environ.get("CNNATOMY_MIRROR")
    if not named or not Path(named).is_dir():
        pytest.skip("needs real data: CNNATOMY_MIRROR names no folder")
    return Path(named)


#: Rooms and files of tests that take longest, in this order, so that none of them is begun when the others are done.
#: Those on Slurm are first: they wait more than they work.
LONGEST_FIRST = (
    "tests/cluster/",
    "tests/workflow/test_end_to_end.py",
    "tests/workflow/test_studies.py",
    "tests/workflow/test_what_reruns.py",
    "tests/workflow/",
    "tests/unit/test_any_network.py",
    "tests/browser/",
    "tests/unit/test_data_sounds.py",
    "tests/unit/test_data_sets.py",
    "tests/unit/test_dissect_attribution.py",
)


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors: tests of the workflow, of Slurm and in a browser wait for long."""
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of tests in several processes (`make test`), the longest first; in one, the order is pytest's."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        last = len(LONGEST_FIRST)
        items.sort(key=lambda item: next((n for n, at in enumerate(LONGEST_FIRST) if item.nodeid.startswith(at)), last))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where CNNATOMY_MUST_RUN names rooms or files of tests (as `.ci/run` does), a skip in one is a failure."""
    must_run = tuple(os.environ.get("CNNATOMY_MUST_RUN", "").split())
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if must_run and reporter is not None:
        skipped = [report.nodeid for report in reporter.stats.get("skipped", []) if report.nodeid.startswith(must_run)]
        if skipped:
            reporter.write_line(f"must run, but were skipped: {', '.join(skipped)}", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def conf(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    """A folder of a user's own, with a report, a run and data that are right."""
    from tests.own_conf import FILES, forget, write  # here, for tests of Slurm and the browser need no Hydra

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CNNATOMY_CONF", str(tmp_path / "conf"))
    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
    write(tmp_path / "conf", FILES)
    forget()  # what another test composed of files of the same names
    yield tmp_path / "conf"
    forget()
