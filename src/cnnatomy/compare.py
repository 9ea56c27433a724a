"""Compare reports: `python -m cnnatomy.compare before/results.csv after/results.csv` writes comparison.html."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the numbers of two or more reports, each with the first; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cnnatomy.compare", description="Which numbers of reports moved.")
    add_arguments(parser)
    return compare(parser.parse_args(arguments), parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add to a parser what `compare` reads."""
    parser.add_argument("results", nargs="+", type=Path, help="results.csv of two or more reports, the oldest first")
    parser.add_argument("--out", type=Path, default=Path("comparison.html"), help="the page (comparison.html)")


def compare(told: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Compare what is told; the exit status. `parser` says what is wrong with it."""
    if len(told.results) < 2:
        parser.error("give two results.csv at least, as before/results.csv after/results.csv")
    if told.out.resolve() in [file.resolve() for file in told.results]:
        parser.error(f"--out {told.out} is one of the files to compare; name another")
    from cnnatomy.report import comparison  # after --help, which needs no pandas
    from cnnatomy.report.language import english

    try:
        rows = comparison.compare([comparison.read(file) for file in told.results])
    except comparison.NoResults as error:
        print(f"NoResults: {error}", file=sys.stderr)
        return 1
    try:
        told.out.parent.mkdir(parents=True, exist_ok=True)
        told.out.write_text(comparison.page(rows, list(map(str, told.results))), encoding="utf-8")
    except OSError as error:
        print(f"cannot write {told.out}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{english(comparison.lead(rows))}\nThe page: {told.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
