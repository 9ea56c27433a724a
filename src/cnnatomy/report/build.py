"""Building the report's files."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnatomy.exhibit import load
from cnnatomy.exhibit.checks import walk
from cnnatomy.exhibit.citing import cited
from cnnatomy.exhibit.languages import in_words
from cnnatomy.report import show
from cnnatomy.report.chapters import StoredExhibit
from cnnatomy.report.context import Context
from cnnatomy.report.page import forward, render
from cnnatomy.report.tables import costs_csv, costs_of, pictures_csv, results_csv
from cnnatomy.report.terms import Terms

#: Ids in the templates that no run may take.
OWN_ADDRESSES = frozenset(
    {"top", "main", "plan", "plan-body", "find", "missing", "growing", "made", "lessons", "studies", "hover"}
)


def build(
    folders: Sequence[Path], out: Path, context: Context, more: Sequence[Path] = (), recorded: Sequence[Path] = ()
) -> None:
    """Hang the exhibits in `folders`, in that order, and write what docs/report.md lists to `out`.

    `recorded` are exhibits that were made elsewhere and earlier, each with its record in `context["recorded"]`; they
    hang behind the others of their kind, and are marked.

    With `context["missing"]` or `context["growing"]` the report is a partial one: `partial.html`, and nothing else is
    written.
    `more` are exhibits of further seeds, of which only the numbers are shown, beside those of the first.
    The same exhibits and context give the same bytes, but for costs.csv and the page's block between
    `<!-- machine facts: begin -->` and `<!-- machine facts: end -->`. Each file is replaced as a whole,
    the page last; where there is an older partial page, one that leads to the whole takes its place.
    Raises `cnnatomy.exhibit.DamagedExhibit` for an exhibit that is not what was written, and ValueError for two
    exhibits of the same thing.
    """
    folders = [*folders, *recorded, *more]
    exhibits = [_exhibit(*load(folder), context) for folder in folders]
    records = context.get("recorded", {})
    for place in range(len(folders) - len(more) - len(recorded), len(folders) - len(more)):
        exhibits[place] = replace(exhibits[place], record=records[exhibits[place].recorded_as])
    first: dict[tuple[object, ...], Path] = {}
    for folder, exhibit in zip(folders, exhibits, strict=True):
        known = first.setdefault(exhibit.key, folder)
        if known is not folder:
            raise ValueError(f"{known} and {folder} are both the exhibit {exhibit.key}; name only one of them")
    _refuse_equal_addresses(exhibits)
    tabled = [exhibit.tabled for exhibit in exhibits]
    results = results_csv(tabled)
    costs = costs_of(context.get("benchmarks", ()))
    hung = len(exhibits) - len(more)
    page = render(exhibits[:hung], exhibits[hung:], results, costs, context)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    if "missing" in context or "growing" in context:
        _replace(out / "partial.html", page)
        return
    _replace(out / "results.csv", results)
    _replace(out / "pictures.csv", pictures_csv(tabled))
    _replace(out / "costs.csv", costs_csv(costs))
    _replace(out / "exhibits.zip", _archive(exhibits))
    _replace(out / "index.html", page)
    if (out / "partial.html").exists():
        _replace(out / "partial.html", forward())


def _exhibit(document: dict[str, Any], files: dict[str, bytes], context: Context) -> StoredExhibit:
    """An exhibit with its texts in words, among them the classes of its data."""
    run = context.get("runs", {}).get(document["name"], {}) if document["kind"] == "run" else {}
    data = document["name"] if document["kind"] == "study" else run.get("data", "")
    facts = [one for one in context.get("data", ()) if one.get("name") == data]
    named = {str(name) for one in facts for name in (*one.get("classes", ()), *one.get("channels", ()))}
    tokens = {token for _, block in walk(document) for one in block.get("sentences", ()) for token, _ in one["tokens"]}
    terms = Terms(data, frozenset(named | tokens))
    name = terms.filler if document["kind"] == "study" else terms.class_name
    return StoredExhibit(in_words(document, name), files, terms)


def _refuse_equal_addresses(exhibits: Sequence[StoredExhibit]) -> None:
    """Two exhibits must not have one address in the page, nor one that is the page's own."""
    chapters = {show.anchor(exhibit.key[1]) for exhibit in exhibits if exhibit.key[0] == "run"}
    if taken := chapters & OWN_ADDRESSES:
        raise ValueError(
            f"a run cannot be called {sorted(taken)[0]!r} here: it is an address of the page's own; rename it"
        )
    known = dict.fromkeys(OWN_ADDRESSES | chapters, "the page's own")
    for exhibit in exhibits:
        name = " ".join(str(part) for part in exhibit.key if part)
        if exhibit.anchor in known:
            raise ValueError(
                f"{name} would have the address #{exhibit.anchor}, which {known[exhibit.anchor]} has; rename one"
            )
        known[exhibit.anchor] = name


def _archive(exhibits: Sequence[StoredExhibit]) -> bytes:
    """A zip with a folder for each exhibit, named as its address in the page; the same exhibits give the same bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for exhibit in exhibits:
            sources = [", ".join(filter(None, cited(source))) for source in exhibit.document["sources"]]
            document = json.dumps({**exhibit.document, "sources": sources}, ensure_ascii=False, allow_nan=False)
            for name, content in {"exhibit.json": f"{document}\n".encode(), **exhibit.files}.items():
                entry = zipfile.ZipInfo(f"{exhibit.anchor}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
                entry.external_attr = 0o644 << 16
                # Pictures are compressed already.
                file.writestr(entry, content, None if name.endswith(".png") else zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def _replace(path: Path, content: str | bytes) -> None:
    """Put `content` in the place of the file; a reader sees the old one or the new one."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(name, 0o644)  # a temporary file is its owner's only; a report is for everyone
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
