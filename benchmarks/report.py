"""What the report costs to build and to open, and the same of ten times its exhibits.

    python benchmarks/report.py [--turns 5]
    python benchmarks/report.py --smoke          # does it run? One turn; its figures say nothing

Takes the exhibits of results/report/exhibits.zip (make the report first). Building is measured in a process of its
own, in processor seconds and peak memory; opening in Chromium, started afresh each time: first content, and
interactive, when the page's scripts have run and the main thread is free. Written to benchmarks/report.csv.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

import pandas as pd

BUILD = """
import re, resource, sys, time
from pathlib import Path
from cnnatomy.report import build
begin = time.perf_counter()
build([Path(folder) for folder in sys.argv[2:]], Path(sys.argv[1]), {})
used = resource.getrusage(resource.RUSAGE_SELF)
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(used.ru_utime + used.ru_stime, time.perf_counter() - begin, int(peak) / 1024, "torch" in sys.modules)
"""
# A task that is asked for when the page has loaded is not begun before all of its scripts have ended.
READY = """() => new Promise((done) => {
  const ready = () => setTimeout(() => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
  document.readyState === "complete" ? ready() : addEventListener("load", ready);
})"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def multiplied(exhibits: Path, folder: Path, times: int) -> list[Path]:
    """The exhibits in a zip, so many times over under other names."""
    with zipfile.ZipFile(exhibits) as archive:
        archive.extractall(folder / "once")
    found = []
    for copy in range(times):
        for exhibit in sorted((folder / "once").iterdir()):
            place = folder / str(copy) / exhibit.name
            shutil.copytree(exhibit, place)
            document = json.loads((place / "exhibit.json").read_text(encoding="utf-8"))
            document["name"] += f"_{copy}" if copy else ""
            for picture in place.glob("*.png"):  # pictures of their own, or the page would store them once
                picture.write_bytes(_another(picture.read_bytes(), copy))
                document["files"][picture.name] = hashlib.sha256(picture.read_bytes()).hexdigest()
            (place / "exhibit.json").write_text(json.dumps(document), encoding="utf-8")
            found.append(place)
    return found


def _another(png: bytes, number: int) -> bytes:
    """The same picture in other bytes: with a comment before its end."""
    chunk = b"tEXt" + f"copy\0{number}".encode()
    return png[:-12] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[-12:]


def opened(page: Path) -> tuple[float, float]:
    """Seconds to the first content, and to where the page answers, in a browser that was just started."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium")
    if executable is None:
        sys.exit("Opening is measured in Chromium, and there is no `chromium` on the path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.goto(page.as_uri(), wait_until="commit", timeout=120_000)
        ready = tab.evaluate(READY)
        for _ in range(100):
            if paint := tab.evaluate(PAINT):
                break
            time.sleep(0.05)
        browser.close()
    return paint / 1000, ready / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--exhibits", type=Path, default=Path("results/report/exhibits.zip"))
    parser.add_argument("--smoke", action="store_true", help="one turn: does it run?")
    parser.add_argument("--csv", type=Path, default=Path(__file__).with_suffix(".csv"))
    options = parser.parse_args()
    if not options.exhibits.is_file():
        sys.exit(f"{options.exhibits} is not there: make report first.")
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for times in (1, 2) if options.smoke else (1, 10):
            folders = multiplied(options.exhibits, Path(place) / f"times{times}", times)
            out = Path(place) / f"report{times}"
            for _ in range(1 if options.smoke else options.turns):
                command = [sys.executable, "-c", BUILD, str(out), *map(str, folders)]
                answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
                cpu, clock, memory, torch = *map(float, answer[:3]), answer[3]
                assert torch == "False"
                paint, ready = opened(out / "index.html")
                size = (out / "index.html").stat().st_size / 1e6
                rows.append(
                    {"exhibits": len(folders), "MB": size, "build, processor s": cpu, "build, s": clock}
                    | {"build, memory MB": memory, "first content, s": paint, "interactive, s": ready}
                )
    table = pd.DataFrame(rows)
    table.to_csv(options.csv, index=False)
    print(table.groupby("exhibits").median().round(2).T.to_string())


if __name__ == "__main__":
    main()
