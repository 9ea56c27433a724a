"""`cnnatomy report`, `dissect`, `study`, `compare`, `show`: what make, Snakemake and the steps do, in a word."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import webbrowser
from pathlib import Path
from typing import Any

from cnnatomy import compare as comparing
from cnnatomy.config import folders
from cnnatomy.config.errors import ConfigurationError

PAGE = Path("results/report/index.html")


def add_to(words: Any) -> None:
    """Add these words to a parser's."""
    made = words.add_parser(
        "report",
        help="train, dissect, and write the page: results/report/index.html",
        description="Make a report, with everything that it needs and that is not there or out of date. Interrupted, "
        "the same command goes on. Only what reads a value that differs is made anew: training.max_epochs=3 for all "
        "runs, runs.text.training.max_epochs=3 for one, dissect.kernels.columns=4 for one kind of picture.",
    )
    made.add_argument("name", nargs="?", default="default", help="a report, `default` unless named")
    made.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="values that differ from the configuration")
    made.add_argument("--profile", help="how Snakemake runs: default, slurm, a folder of your own profiles/")
    made.set_defaults(do=report)
    one = words.add_parser(
        "dissect",
        help="make one exhibit of a run, and what it needs",
        description="Make one exhibit: the data are fetched and the network is trained where they are not yet. It is "
        "written to results/exhibits/<run>/seed<k>/<method>/, and no page is made.",
    )
    one.add_argument("run", help="a network and its data")
    one.add_argument("method", help="a way to open it up")
    one.add_argument("--seed", type=int, default=0, help="which of the networks of that run (0)")
    one.set_defaults(do=dissect)
    out = words.add_parser(
        "export",
        help="write a run's network as an ONNX file",
        description="Write a network as ONNX, for other programs to run: results/networks/<run>/seed<k>/network.onnx. "
        "The data are fetched and the network is trained where they are not yet. The file is held against torch on "
        "1,000 test samples before it is kept.",
    )
    out.add_argument("run", help="a network and its data")
    out.add_argument("--seed", type=int, default=0, help="which of the networks of that run (0)")
    out.set_defaults(do=export)
    compared = words.add_parser(
        "study",
        help="train and compare what a study compares",
        description="Train a study's variants with several seeds each, and test its claim. Most take hours in full; "
        "what full runs gave hangs in the default report as recorded.",
    )
    compared.add_argument("name", help="a claim and the variants that could contradict it")
    compared.set_defaults(do=study)
    side = words.add_parser(
        "compare",
        help="which numbers of two reports differ",
        description="Put the numbers of reports side by side: what moved, and by more than its interval.",
    )
    comparing.add_arguments(side)
    side.set_defaults(do=lambda told: comparing.compare(told, side))
    seen = words.add_parser("show", help="open the page in a browser", description="Open results/report/index.html.")
    seen.set_defaults(do=show)


def report(told: argparse.Namespace) -> int:
    """Make a report, as `make report` does; the exit status."""
    if "=" in told.name:
        told.name, told.overrides = "default", [told.name, *told.overrides]
    settings = {"REPORT": told.name, "OVERRIDES": shlex.join(told.overrides), "PROFILE": told.profile or ""}
    status = _run([sys.executable, "-I", "-m", "cnnatomy.launch"], settings)
    if not status:
        print(f"The page: {folders.work() / PAGE}\n  cnnatomy show")
    return status


def dissect(told: argparse.Namespace) -> int:
    """Make one exhibit; the exit status."""
    for group, name in (("run", told.run), ("dissect", told.method)):
        if name not in folders.options(group):
            raise folders.no_such(group, name, "cnnatomy dissect")
    return _snakemake(f"results/exhibits/{told.run}/seed{told.seed}/{told.method}/exhibit.json")


def export(told: argparse.Namespace) -> int:
    """Write a network as an ONNX file; the exit status."""
    if told.run not in folders.options("run"):
        raise folders.no_such("run", told.run, "cnnatomy export")
    return _snakemake(f"results/networks/{told.run}/seed{told.seed}/network.onnx")


def study(told: argparse.Namespace) -> int:
    """Make a study's exhibit; the exit status."""
    if told.name not in folders.options("study"):
        raise folders.no_such("study", told.name, "cnnatomy study")
    return _snakemake(f"results/studies/{told.name}/exhibit.json")


def show(_: argparse.Namespace) -> int:
    """Open the page; the exit status."""
    page = folders.work() / PAGE
    if not page.is_file():
        raise ConfigurationError(f"{page} is not there yet. Make it: cnnatomy report")
    print(page)
    webbrowser.open(page.as_uri())
    return 0


def _snakemake(target: str) -> int:
    how = ["--snakefile", str(folders.snakefile()), "--workflow-profile", str(folders.profile("default"))]
    return _run([sys.executable, "-m", "snakemake", *how, "--cores", "all", "--rerun-incomplete", target], {})


def _run(command: list[str], settings: dict[str, str]) -> int:
    """Run something in the folder whose results/ it fills; the exit status."""
    return subprocess.run(command, cwd=folders.work(), env={**os.environ, **settings}, check=False).returncode
