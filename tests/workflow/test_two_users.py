"""Two users share what they fetch and prepare through one cache, set up as docs/cluster.md says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import OWN, PROJECT, Checkout, jobs, with_own

GROUP = 60000
NUMBERS = {"ada": 60001, "bob": 60002}
# $1: a folder that only root may enter, where Python or this checkout lies. For this command alone it stands open.
OPEN = """
if [ "$1" ]; then
    upper=$(mktemp -d) && mount -t tmpfs none "$upper" && mkdir "$upper/on" "$upper/work" || exit
    mount -t overlay -o "lowerdir=$1,upperdir=$upper/on,workdir=$upper/work" none "$1" && chmod o+x "$1" || exit
fi
shift; umask "$1"; shift; exec "$@"
"""


@dataclass
class User:
    """Someone with a checkout of their own, who lets nobody else read what they write."""

    name: str
    checkout: Checkout

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        number = NUMBERS[self.name]
        become = ["setpriv", f"--reuid={number}", f"--regid={number}", f"--groups={GROUP}"]
        opened = ["unshare", "--mount", "sh", "-c", OPEN, "sh", _closed_to_others(), "077"]
        return self.checkout.run(*opened, *become, *command, LOGNAME=self.name, **environment)

    def make(self, cache: Path, *wanted: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cnnatomy.launch", "--cores", "2", "--", *wanted]
        return self.run(*command, SNAKEMAKE_OUTPUT_CACHE=str(cache))


def _closed_to_others() -> str:
    """The first folder on the way to Python or to this checkout that others may not enter; nothing if there is none."""
    for path in (Path(sys.base_prefix), Path(sys.prefix), PROJECT):
        for folder in reversed([path, *path.parents]):
            if not folder.stat().st_mode & 0o001:
                return str(folder)
    return ""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that all may enter, which those that pytest makes are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def users(place) -> dict[str, User]:
    if os.geteuid() != 0:
        pytest.skip("acting for two users needs root")
    found = {}
    shutil.copytree(OWN, place / "own")
    text = (OWN / "conf/data/stripes.yaml").read_text()
    (place / "own/conf/data/dots.yaml").write_text(re.sub("(name|raw): stripes", r"\1: dots", text))
    subprocess.run(["chmod", "-R", "a+rX", place / "own"], check=True)
    for name, number in NUMBERS.items():
        checkout = with_own(place / name)
        theirs = {key: value.replace(str(OWN), str(place / "own")) for key, value in checkout.environment.items()}
        user = User(name, Checkout(checkout.folder, theirs | {"HOME": str(checkout.folder)}))
        subprocess.run(["chown", "-R", f"{number}:{number}", checkout.folder], check=True)
        found[name] = user
        answer = user.run(sys.executable, "-c", "import snakemake, os; print(os.getuid())")
        if answer.stdout.split() != [str(number)]:
            pytest.skip(f"another user can't run this Python: {answer.stdout[-300:]}")
    return found


def made_or_taken(answer: subprocess.CompletedProcess[str]) -> tuple[set[str], set[str]]:
    """The files that Snakemake put into the cache, and those that it found there."""
    moved = set(re.findall(r"Moving output file (\S+) to cache", answer.stdout))
    return moved, set(re.findall(r"Symlinking output file (\S+) from cache", answer.stdout)) - moved


def files_of(name: str) -> set[str]:
    prepared = {f"results/data/{name}/{file}" for file in ("dataset.json", "inputs.npy", "samples.csv")}
    return {f"resources/{name}/{name}.zip"} | prepared


@pytest.fixture(scope="module")
def cache(place) -> Path:
    cache = place / "cache"
    # As docs/cluster.md has it: mkdir, chgrp, chmod 2770.
    cache.mkdir()
    os.chown(cache, 0, GROUP)
    cache.chmod(0o2770)
    return cache


def test_each_takes_what_the_other_made_whatever_their_umask(users, cache):
    stripes, dots = (f"results/data/{name}/dataset.json" for name in ("stripes", "dots"))
    for name, wanted, made, taken in (
        ("ada", [stripes], files_of("stripes"), set()),
        ("bob", [stripes, dots], files_of("dots"), files_of("stripes")),
        ("ada", [stripes, dots], set(), files_of("dots")),
    ):
        answer = users[name].make(cache, *wanted)
        assert answer.returncode == 0, answer.stdout
        assert made_or_taken(answer) == (made, taken), answer.stdout
    owners = {file.stat().st_uid for file in cache.iterdir()}
    assert owners == set(NUMBERS.values())
    # Bob can read what he was given, and all of it.
    assert users["bob"].run("sha256sum", *files_of("stripes")).returncode == 0


def test_a_cache_out_of_reach_is_said_before_anything_is_fetched(users, place):
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    for cache in (closed, place / "nowhere"):
        answer = users["bob"].make(cache, "resources/stripes/stripes.zip")
        assert answer.returncode != 0 and "fetch" not in jobs(answer.stdout)
        assert f"SNAKEMAKE_OUTPUT_CACHE={cache}: " in answer.stdout and "docs/cluster.md" in answer.stdout
        assert "Traceback" not in answer.stdout


def test_a_cache_that_can_only_be_read_gives_what_it_has_and_says_where_it_cannot_take(users, place, cache):
    assert users["ada"].make(cache, "results/data/stripes/dataset.json").returncode == 0
    shutil.copytree(cache, place / "read-only")
    cache = place / "read-only"
    cache.chmod(0o755)
    for folder in ("resources", "results"):
        shutil.rmtree(users["bob"].checkout.folder / folder, ignore_errors=True)
    answer = users["bob"].make(cache, "results/data/stripes/dataset.json")
    assert answer.returncode == 0 and made_or_taken(answer) == (set(), files_of("stripes")), answer.stdout
    for file in cache.iterdir():
        file.unlink()
    for folder in ("resources", "results"):
        shutil.rmtree(users["bob"].checkout.folder / folder)
    answer = users["bob"].make(cache, "resources/stripes/stripes.zip")
    assert answer.returncode != 0
    assert f"Cannot access cache location {cache}. Please ensure that it is present and writeable." in answer.stdout
