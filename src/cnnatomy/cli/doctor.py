"""`cnnatomy doctor`: what this machine has and lacks for the workflow, and what to do about it."""

from __future__ import annotations

import argparse
import importlib.util
import locale
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

from cnnatomy import places, shadows
from cnnatomy.config import folders

MEMORY = 2.0  # GB; the most that a job of the default report takes, with two beside each other
DISK = 4.0  # GB; the environment, raw data and results of the default report
SIGNS = {True: "ok", False: "!!", None: "--"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Finding(NamedTuple):
    """One thing that was looked at. fine: None where it is only missed by some."""

    what: str
    fine: bool | None
    said: str


def add_to(words: Any) -> None:
    """Add the word `doctor` to a parser's."""
    seen = words.add_parser(
        "doctor",
        help="what this machine has and lacks: memory, disk, GPU, network, browser",
        description="Look at what a report needs: ok is there, -- only some need, !! must be mended first.",
    )
    seen.set_defaults(do=doctor)


def doctor(_: argparse.Namespace) -> int:
    """Print what was found; the exit status is 1 where something must be mended before a report can be made."""
    found = list(findings())
    for one in found:
        print(f"{SIGNS[one.fine]}  {one.what:<12} {one.said}")
    return int(any(one.fine is False for one in found))


def findings() -> Iterator[Finding]:
    """All that is looked at."""
    version = sys.version.split()[0]
    yield Finding("Python", sys.version_info >= (3, 11), f"{version} at {sys.executable}; 3.11 is the least")
    how = "installed" if folders.IS_INSTALLED else "a checkout"
    yield Finding("program", True, f"{metadata.version('cnnatomy')}, {how}: {folders.PROJECT} has conf/ and workflow/")
    yield _torch()
    yield _memory()
    free = shutil.disk_usage(folders.work()).free / 1e9
    yield Finding("disk", free > DISK, f"{free:.0f} GB free; the default report takes about {DISK:.0f} GB")
    try:
        places.check(folders.work())
        shadows.refuse()
        yield Finding("folder", True, f"{folders.work()} can be written: results/ and resources/ come to lie there")
    except (places.NotWritable, shadows.Shadowed) as error:
        yield Finding("folder", False, str(error))
    encoding = locale.getpreferredencoding(False)
    yield Finding("locale", "utf" in encoding.lower() or None, f"{encoding}; names of files in any script want UTF-8")
    yield _own()
    browser = next((name for name in BROWSERS if shutil.which(name)), None)
    yield Finding("browser", bool(browser) or None, f"{browser or 'no Chromium'}; only tests of the page need one")
    slurm = shutil.which("sbatch")
    yield Finding("Slurm", bool(slurm) or None, f"{slurm or 'not here'}; only the profile slurm needs it")
    yield from _network()


def _torch() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("torch", False, f"not installed: {sys.executable} -m pip install torch")
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    what = f"{gpus} GPU ({torch.cuda.get_device_name(0)})" if gpus else "no GPU: all works on processors"
    return Finding("torch", True, f"{torch.__version__}, {torch.get_num_threads()} threads, {what}")


def _memory() -> Finding:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError, AttributeError):
        return Finding("memory", None, "can't be told here")
    return Finding(
        "memory", total > MEMORY, f"{total:.0f} GB; the largest job of the default report takes {MEMORY:.0f} GB"
    )


def _own() -> Finding:
    named = os.environ.get("CNNATOMY_CONF")
    if not named:
        return Finding("own conf", None, "none yet: cnnatomy new PATH writes one")
    reports = sorted(file.stem for file in (Path(named).expanduser() / "report").glob("*.yaml"))
    return Finding("own conf", True, f"{named}; reports: {', '.join(reports) or 'none'}")


def _network() -> Iterator[Finding]:
    """Whether each host is reached from which data come; what is in resources/ already needs none."""
    hosts: dict[str, list[str]] = {}
    for file in sorted((folders.CONF / "data").glob("*.yaml")):
        for host in _hosts(yaml.safe_load(file.read_text(encoding="utf-8"))):
            hosts.setdefault(host, []).append(file.stem)
    with ThreadPoolExecutor(8) as pool:
        reached = dict(zip(hosts, pool.map(_reached, hosts), strict=True))
    for host, data in hosts.items():
        there = all((folders.work() / f"resources/{name}").is_dir() for name in data)
        says = "reached" if reached[host] else "not reached, but its data are there" if there else "not reached"
        yield Finding("network", reached[host] or None, f"{host}: {says} ({', '.join(data)})")


def _hosts(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(_hosts, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(_hosts, value)) if value else set()
    return {urlsplit(value).netloc} if isinstance(value, str) and value.startswith("https://") else set()


def _reached(host: str) -> bool:
    try:
        with socket.create_connection((host, 443), timeout=3):
            return True
    except OSError:
        return False
