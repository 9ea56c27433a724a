"""What the jobs of a report took, as the table by which a new checkout guesses how long a run still takes.

    python benchmarks/expected.py          # after make report, nothing else running

writes `src/cnnatomy/progress/expected.yaml` anew, from the last lines of `results/logs/*/*.log`.
"""

from __future__ import annotations

from pathlib import Path

from cnnatomy.progress import expected
from cnnatomy.steps import clock


def main() -> None:
    table = Path(expected.__file__).with_name("expected.yaml")
    lines = [line for line in table.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    for folder in sorted(Path("results/logs").iterdir()):
        lines.append(f"{folder.name}:")
        for log in sorted(folder.glob("*.log")):
            ran = clock.read(log, folder.name, log.stem)
            if ran:
                seconds = ran["cpu"]
                lines.append(f"  {log.stem}: {seconds:.{0 if seconds >= 10 else 1}f}")
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
