"""What this environment is made of: each package with its version, its licence and what it is here for, as a table.

`python benchmarks/sbom.py results/sbom.csv` writes it and says how many packages are under which licence.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pandas as pd
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LONGEST = 60  # characters; what is longer is the text of a licence and not its name


def wanted(root: str = "cnnatomy") -> dict[str, str]:
    """The packages that are installed with one, by what wants them first; extras only where one asks for them."""
    found = {canonicalize_name(root): ""}
    waiting: list[tuple[str, frozenset[str]]] = [(root, frozenset())]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop(0)
        try:
            requires = distribution(name).requires or []
        except ModuleNotFoundError:  # for another system
            continue
        for requirement in map(Requirement, requires):
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": extra}) for extra in (extras or {""})):
                continue
            found.setdefault(canonicalize_name(requirement.name), name)
            one = (requirement.name, frozenset(requirement.extras))
            if one not in seen:
                seen.add(one)
                waiting.append(one)
    return found


def licence(package: Distribution) -> str:
    """Its licence by name, as the package says it: an expression, a line, classifiers, or how the text of it begins."""
    about = package.metadata
    if about.get("License-Expression"):
        return str(about["License-Expression"])
    said = str(about.get("License") or "").strip()
    if said and said.upper() != "UNKNOWN" and "\n" not in said and len(said) <= LONGEST:
        return said
    named = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    if named:
        return " and ".join(named)
    for file in package.files or ():
        if ".dist-info" in str(file) and file.name.upper().startswith(("LICEN", "COPYING")):
            head = next((line.strip() for line in file.read_text().splitlines() if line.strip()), "")
            if "licen" in head.lower() and len(head) <= LONGEST:
                return head
    return "unknown"


def table() -> pd.DataFrame:
    """A row a package, those of the program before those of its tests and extras."""
    ours = wanted()
    every = {canonicalize_name(package.metadata["Name"]): package for package in distributions()}
    rows = [
        {
            "package": package.metadata["Name"],
            "version": package.version,
            "licence": licence(package),
            "for": "the program" if name in ours else "tests and extras",
            "wanted_by": ours.get(name, ""),
        }
        for name, package in sorted(every.items())
    ]
    return pd.DataFrame(rows).sort_values("for", ascending=False, kind="stable", ignore_index=True)


def main(file: Path) -> None:
    found = table()
    file.parent.mkdir(parents=True, exist_ok=True)
    found.to_csv(file, index=False)
    for what, part in found.groupby("for", sort=False):
        print(f"{len(part)} packages for {what}:")
        for name, count in Counter(part["licence"]).most_common():
            print(f"  {count:>3}  {name}")
    print(f"The table: {file}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
