"""Modules on PYTHONPATH that would stand in for a library's or for Python's own, and break what imports those."""

from __future__ import annotations

import os
import sys
import sysconfig
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

#: Our own, and modules of Python's that nothing imports while jobs run.
_HARMLESS = {"cnnatomy", "snakemake_logger_plugin_cnnatomy", "test", "this", "antigravity", "idlelib", "turtledemo"}


class Shadowed(Exception):
    """A file on PYTHONPATH has the name of a library; the message says which and what to do."""


def refuse() -> None:
    """Raise Shadowed for the first module in a folder of PYTHONPATH that hides an installed or built-in one.

    A library that was installed there (`pip install --target`, a module of a cluster) hides nothing but Python's own.
    """
    folders = [Path(entry).absolute() for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if not folders:
        return
    own, libraries = set(sys.stdlib_module_names) - _HARMLESS, set(packages_distributions()) - _HARMLESS
    installed = {Path(sysconfig.get_path(key)) for key in ("purelib", "platlib")}
    for folder in folders:
        if folder in installed:
            continue
        theirs = {file.parts[0] for one in distributions(path=[str(folder)]) for file in one.files or []}
        for place in sorted(folder.glob("*")):
            name = place.name.removesuffix(".py")
            is_module = place.suffix == ".py" or (place / "__init__.py").is_file()
            if is_module and (name in own or name in libraries and place.name not in theirs):
                raise Shadowed(
                    f"PYTHONPATH: {place} has the name of a library, which could not be imported any more; "
                    f"rename it, as to my_{place.name}, or take {folder} out of PYTHONPATH"
                )
