"""The documentation as a site that any server takes: `python docs/site/build.py results results/site`, or `make site`.

The pages are the Markdown files that are read in the repository, as they stand there. What has another source is made
here: the exhibits' pictures and the sample report of `results`, where it has them, the lecture's path, the notebook,
the interface of docstrings. Sphinx puts it together and takes every warning for an error.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
#: The contents, by what one comes for: the words that lead to each page of the repository, or to one of MADE.
CONTENTS = {
    "Start": {
        "docs/installing": "Installing",
        "docs/own": "Your own data and network",
        "docs/zh/own": "自己的数据和网络",
        "docs/notebook": "In a notebook",
    },
    "Read": {
        "docs/sample": "A sample of the report",
        "docs/path": "The lecture's path",
        "docs/teaching": "In class",
        "docs/report": "The report",
        "docs/glossary": "Words",
    },
    "What it shows": {
        "docs/exhibits": "Every exhibit, with a picture",
        "docs/dissections": "How far to trust them",
        "docs/studies": "Studies",
        "docs/results/README": "How results were made",
        "docs/intervals": "Intervals",
    },
    "Look up": {
        "docs/settings": "Settings",
        "docs/api": "Interface",
        "docs/exhibit": "Exhibits as files",
        "docs/export": "Networks as ONNX",
        "docs/cluster": "On a cluster",
    },
    "The project": {
        "docs/architecture": "Architecture",
        "CONTRIBUTING": "Contributing",
        "CHANGELOG": "Changelog",
    },
}
MADE = ("docs/sample", "docs/path", "docs/exhibits", "docs/notebook", "docs/api")
#: What code of others may call: what notebooks use, then what a method, a lesson or a study of one's own is made with.
INTERFACE = {
    "In a notebook": ["cnnatomy.notebook.open_up", "cnnatomy.notebook.Opened", "cnnatomy.notebook.Shown"],
    "What a method makes": [
        *("cnnatomy.exhibit.Showing", "cnnatomy.exhibit.say", "cnnatomy.statistics.numbers.Numbers"),
        *(f"cnnatomy.exhibit.{block}" for block in ("Grid", "Item", "Figure", "Table", "Matrix", "Steps", "Frame")),
        *(f"cnnatomy.exhibit.{block}" for block in ("Texts", "Sentence", "Code", "Prose", "Axis", "Scale", "Unit")),
    ],
    "A network taken apart": [
        *(f"cnnatomy.inspection.layers.{name}" for name in ("trace", "stages", "activated", "capture")),
        "cnnatomy.inspection.predicting.in_batches",
    ],
    "What was made": ["cnnatomy.exhibit.read", "cnnatomy.exhibit.load", "cnnatomy.data.prepared.load"],
}
A_ROW = 8  # pictures of a grid on a sheet, at most
HIGH, GAP, WIDE = 112, 8, 1200  # px: a picture at least, between two, a row at most
DRAWN_ELSEWHERE = {"live": "live.png"}  # exhibits that are no picture
WITHOUT = "*There is no report in this copy of the site: it was built where none had been made.*\n"


def main(results: Path, site: Path) -> int:
    """Build it; the exit status."""
    if lacking := [name for name in ("sphinx", "myst_parser", "furo") if find_spec(name) is None]:
        print(f"make site lacks {', '.join(lacking)}: pip install -e '.[site]'", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as place:
        pages = Path(place)
        gather(results, pages)
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-d", f"{place}/.doctrees"]
        status = subprocess.run([*command, place, str(site)], check=False).returncode
    if status == 0:
        print(f"The site: {site}/index.html")
    return status


def gather(results: Path, pages: Path) -> None:
    """Lay out all pages, and what lies beside them, as Sphinx wants it."""
    for name in written():
        at = pages / ("index.md" if name == "README.md" else name)
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(_led((PROJECT / name).read_text(encoding="utf-8"), PROJECT / name), encoding="utf-8")
    with (pages / "index.md").open("a", encoding="utf-8") as index:
        index.writelines(
            "\n".join(["", "```{toctree}", ":hidden:", f":caption: {part}", "", *leading, "```", ""])
            for part, leading in (
                (part, [f"{words} <{page}>" for page, words in its.items()]) for part, its in CONTENTS.items()
            )
        )
    for file in [PROJECT / "CITATION.cff", *PROJECT.glob("docs/results/*.csv")]:
        shutil.copy(file, pages / file.relative_to(PROJECT))
    beside = pages / "beside"
    (beside / "docs").mkdir(parents=True)
    for file in PROJECT.glob("docs/*.png"):
        shutil.copy(file, pages / "docs")
        shutil.copy(file, beside / "docs")  # for those that a page names in HTML
    (pages / "_static").mkdir()
    shutil.copy(HERE / "look.css", pages / "_static")
    shutil.copy(HERE / "conf.py", pages)
    report = _report(results, beside / "report")
    made = (_sample(report), _path(report), _exhibits(results, pages / "docs", report), _notebook(), _interface())
    for name, text in zip(MADE, made, strict=True):
        (pages / f"{name}.md").write_text(text, encoding="utf-8")


def written() -> list[str]:
    """The pages of the repository, by their paths in it."""
    return ["README.md", *(f"{page}.md" for part in CONTENTS.values() for page in part if page not in MADE)]


def _led(text: str, page: Path) -> str:
    """A page whose links lead to what the site has: the notebook's page; of a folder only its name is left."""

    def led(found: re.Match[str]) -> str:
        words, target = found[1], found[2]
        if target.endswith(".ipynb"):
            return f"[{words}]({target.removesuffix('.ipynb')}.md)"
        return words if (page.parent / target).is_dir() else found[0]

    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)#:]+)\)", led, text)


def _report(results: Path, folder: Path) -> bool:
    """A finished report beside the pages; whether there is one."""
    if not (results / "report/index.html").is_file():
        return False
    folder.mkdir()
    for name in ("index.html", "results.csv", "pictures.csv", "costs.csv", "exhibits.zip"):
        shutil.copy(results / "report" / name, folder)
    return True


def _sample(report: bool) -> str:
    text = "# A sample of the report\n\n"
    if not report:
        return (
            f"{text}{WITHOUT}\n`make report`, then `make site`, puts it here. What it holds: [the report](report.md).\n"
        )
    return (
        f'{text}<p><a href="../report/index.html">The default report</a>, as <code>make report</code> made it: one '
        'file. Its first screen has a button that leads through <a href="../report/index.html#path/why">the lecture'
        "</a>.</p>\n\nWhat one can do with it: [the report](report.md). What was measured, as tables: "
        '<a href="../report/results.csv">results.csv</a>, <a href="../report/pictures.csv">pictures.csv</a>, '
        '<a href="../report/costs.csv">costs.csv</a>; the files of every exhibit: '
        '<a href="../report/exhibits.zip">exhibits.zip</a>.\n'
    )


def _path(report: bool) -> str:
    """The stops of the lecture's path in both languages, from where the report has them."""
    source = PROJECT / "src/cnnatomy"
    stops = _yaml(source / "report/path.yaml")
    said = {tag: _yaml(source / f"locale/{tag}/path.yaml") for tag in ("en", "zh")}
    lines = [
        "# The lecture's path\n",
        "The stops of the default report, and what is said at each. How to teach along it: [in class](teaching.md).\n",
    ]
    for number, stop in enumerate(stops, 1):
        en, zh = said["en"][stop], said["zh"][stop]
        leads = f' · <a href="../report/index.html#path/{stop}">in the report</a>' if report else ""
        lines.append(f"## {number}. {en['title']} · {zh['title']}\n\n{en['says']}\n\n{zh['says']}{leads}\n")
    return "\n".join(lines)


def _exhibits(results: Path, folder: Path, report: bool) -> str:
    """Every exhibit: what one sees, what says how far to trust it, and a picture of `results`."""
    lines = [
        "# Every exhibit, with a picture\n",
        "What each shows, and what says how far to trust it. How to read that: [in words](dissections.md).\n",
        "" if any(results.glob("exhibits/*/*/*/exhibit.json")) else WITHOUT,
    ]
    table = (PROJECT / "docs/dissections.md").read_text(encoding="utf-8")
    for method, seen, number in re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", table, re.MULTILINE):
        lines.append(f"## {method}\n\n{_sentence(seen)}\n\nHow far to trust it: {number}.\n")
        found = _hung(results, method)
        if method in DRAWN_ELSEWHERE:
            lines.append(f"![{_sentence(seen)}]({DRAWN_ELSEWHERE[method]})\n")
        elif found:
            run, picture = found[0], _picture(*found[1:], folder)
            lines.append(f"```{{image}} {picture}\n:alt: {_sentence(seen)}\n:class: exhibit-picture\n```\n")
            address = f'<a href="../report/index.html#{run}-{method}">{run}</a>' if report else f"`{run}`"
            lines.append(f"From the exhibit of {address}.\n")
    return "\n".join(lines)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _hung(results: Path, method: str) -> tuple[str, Path, Mapping[str, Any]] | None:
    """Whose exhibit of the method, its folder and what the path shows of it; off the path the first with a picture."""
    stops = [one for stop in _yaml(PROJECT / "src/cnnatomy/report/path.yaml").values() for one in stop]
    on_it = [(one["at"].partition("-")[0], one) for one in stops if one["at"].partition("-")[2] == method]
    others = [(folder.name, {}) for folder in sorted(results.glob("exhibits/*"))]
    for run, shown in [*on_it, *others]:
        for folder in (results / f"exhibits/{run}/seed0/{method}", PROJECT / f"docs/results/runs/{run}/{method}"):
            if (folder / "exhibit.json").is_file() and _pictures(folder):
                return run, folder, shown
    return None


def _pictures(exhibit: Path) -> list[dict[str, Any]]:
    return list(_drawn(json.loads((exhibit / "exhibit.json").read_text(encoding="utf-8"))["blocks"]))


def _drawn(blocks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The blocks that are pictures; of a walk those of its last step."""
    for block in blocks:
        if block["type"] == "steps":
            yield from _drawn(block["frames"][-1]["blocks"])
        elif block["type"] in ("grid", "figure"):
            yield block


def _picture(exhibit: Path, shown: Mapping[str, Any], folder: Path) -> str:
    """A drawing as it is, or pictures of a grid on a sheet, written into the folder; its name."""
    from PIL import Image

    blocks = _pictures(exhibit)
    block = next((block for block in blocks if block["name"] == shown.get("picture")), blocks[0])
    if block["type"] == "figure":
        return Path(shutil.copy(exhibit / block["file"], folder / f"{exhibit.name}.svg")).name
    items, wanted = block["items"], shown.get("items", A_ROW)
    items = [one for one in items if one["id"] in wanted] if isinstance(wanted, list) else items[:wanted]
    pictures = []
    for one in items[: 2 * A_ROW]:
        with Image.open(exhibit / one["file"]) as picture:
            pictures.append(picture.convert("RGB"))
    high = max(HIGH, *(picture.height for picture in pictures))
    pictures = [
        picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
        for picture in pictures
        for times in [max(1, round(high / picture.height))]
    ]
    columns = max(1, min(A_ROW, len(pictures), WIDE // (pictures[0].width + GAP)))
    rows = [pictures[at : at + columns] for at in range(0, len(pictures), columns)]
    wide = max(sum(one.width + GAP for one in row) for row in rows) - GAP
    sheet = Image.new("RGB", (wide, sum(max(one.height for one in row) + GAP for row in rows) - GAP), "white")
    top = 0
    for row in rows:
        left = 0
        for one in row:
            sheet.paste(one, (left, top))
            left += one.width + GAP
        top += max(one.height for one in row) + GAP
    sheet.save(folder / f"{exhibit.name}.png")
    return f"{exhibit.name}.png"


def _notebook() -> str:
    """The notebook's cells as a page."""
    cells = json.loads((PROJECT / "docs/notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    texts = ((cell["cell_type"], "".join(cell["source"])) for cell in cells)
    return "\n\n".join(f"```python\n{text}\n```" if kind == "code" else text for kind, text in texts) + "\n"


def _interface() -> str:
    """What others may call, from docstrings."""
    lines = ["# Interface\n", "What code of yours may call. The configuration's keys: [settings](settings.md).\n"]
    for part, names in INTERFACE.items():
        lines.append(f"## {part}\n")
        for name in names:
            kind = "autoclass" if name.rpartition(".")[2][0].isupper() else "autofunction"
            members = "\n   :members:" if kind == "autoclass" else ""
            lines.append(f"```{{eval-rst}}\n.. {kind}:: {name}{members}\n```\n")
    return "\n".join(lines)


def _yaml(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3])))
