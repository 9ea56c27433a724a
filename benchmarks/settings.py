"""Write docs/settings.md: every setting with what it takes, what it is as shipped, and what it means.

    python benchmarks/settings.py

What one takes is in the classes of settings (`config/schema.py`, the `settings.py` of a method or a lesson) and in the
signatures of networks and datasets; values and meanings are those of the YAML files and of the comments there.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from itertools import takewhile
from typing import Any, get_type_hints

import yaml
from omegaconf import MISSING as NEEDED

from cnnatomy.config import folders, reading, schema, settings, targets

PAGE = folders.PROJECT / "docs/settings.md"
LONGEST = 48  # characters of a value
LONG = 400  # … of a file's header, but of methods and lessons
CODES = re.compile(r" \((?:[A-Z]\d+b?(?:, )?)+\)|^[A-Z]\d+b?(?: and [A-Z]\d+)?[,:] ")  # of the lecture's pictures
HEAD = """# All settings

*Written by `python benchmarks/settings.py`, from the classes of settings and the YAML files in `conf/`.*

Each can be changed for once (`make report OVERRIDES="dissect.kernels.columns=6"`), for one run of it
(`runs.mnist.dissect.kernels.columns=6`), or for good in a run's YAML file ([own.md](own.md)).
A value that can't be is refused before the first job, and what reads a changed one is made anew.
"""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page, as Markdown."""
    parts = [HEAD]
    for title, group in (("Dissections", "dissect"), ("Lessons", "lesson")):
        parts.append(f"## {title}\n\nKeys begin with `{group}.<name>.`")
        parts += [_section(group, name, settings.kinds(group, name) or {}) for name in folders.options(group)]
    for title, group in (("Training", "training"), ("Other splits", "split"), ("Reports", "report")):
        parts.append(f"## {title}\n\n{inspect.getdoc(schema.CLASSES[group])} Keys begin with `{group}.`")
        parts.append(_of_class(schema.CLASSES[group]))
    for title, group in (("Networks", "model"), ("Data", "data")):
        parts.append(f"## {title}\n\nKeys begin with `{group}.`")
        parts += [_section(group, name, _taken(group, name)) for name in folders.options(group)]
    parts += [
        "## Measures of studies\n\nNamed under `measures`, as `cnnatomy.studies.measures.<measure>`.",
        _measures(),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _section(group: str, name: str, kinds: Mapping[str, Any]) -> str:
    """An option's header and its settings in a table. kinds: what its keys take, as types."""
    file = folders.find(group, name)
    content, text = reading.read(file, group), file.read_text(encoding="utf-8")
    rows = []
    for key, (value, said) in told(text, tuple(kinds)).items():
        if _hidden(group, name, key):
            continue
        takes = settings.spoken(kinds[key]) if key in kinds else ""
        rows.append((f"`{key}`", takes, f"`{value}`", said))
    differs = [one for one in content.get("defaults", []) if one != "_self_"]
    like = f"\n\nAs `{differs[0]}`, but:" if differs else ""
    table = _table(("setting", "takes", "as shipped", ""), rows) if rows else "Nothing to set."
    return f"### {name}\n\n{_header(text, whole=group in folders.COLLECTED)}{like}\n\n{table}"


def _hidden(group: str, name: str, key: str) -> bool:
    """Not shown is what a key's target is, and of data what they are called and where they come from."""
    first = key.partition(".")[0]
    shown = ("prepare", "fetch") if name.startswith("own_") else ("prepare",)
    return first == "defaults" or "_target_" in key or (group == "data" and first not in shown)


def _of_class(settings_: type[Any]) -> str:
    """The fields of a class of the schema, with what is said behind each in its source."""
    kinds = get_type_hints(settings_, include_extras=True)
    lines = inspect.getsource(settings_).splitlines()
    rows = []
    for one in fields(settings_):
        line = next(line for line in lines if line.startswith(f"    {one.name}: "))
        default = [] if one.default_factory is not MISSING else one.default
        left_out = "" if default == NEEDED else f"`{json.dumps(default)}`"
        rows.append((f"`{one.name}`", settings.spoken(kinds[one.name]), left_out, line.partition("  # ")[2]))
    return _table(("setting", "takes", "where it is left out", ""), rows)


def _taken(group: str, name: str) -> dict[str, Any]:
    """What the arguments of an option's targets take, as far as their signatures say it."""
    content = reading.read(folders.find(group, name), group)
    nodes = {"": content} if group == "model" else {f"{part}.": content.get(part, {}) for part in ("fetch", "prepare")}
    return {
        f"{path}{key}": kind
        for path, node in nodes.items()
        if "_target_" in node
        for key, kind in targets.kinds(str(node["_target_"])).items()
        if kind is not Any
    }


def _measures() -> str:
    """What a study's `measures` may name, with what each takes."""
    rows = []
    for file in sorted((folders.PROJECT / "src/cnnatomy/studies/measures").glob("*.py")):
        if file.stem == "always":  # which nobody need name
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or [one.arg for one in node.args.args] != ["network", "data"]:
                continue
            name = f"{file.stem}.{node.name}"
            takes = targets.kinds(f"cnnatomy.studies.measures.{name}").items()
            said = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
            own = [f"`{key}`: {settings.spoken(kind)}" for key, kind in takes if key not in ("network", "data", "seed")]
            rows.append((f"`{name}`", "; ".join(own), said))
    return _table(("measure", "takes", ""), rows)


def _header(text: str, whole: bool) -> str:
    """The comment that a file begins with; where it is long, its first sentences."""
    lines = [line for line in takewhile(lambda line: line.startswith("#"), text.splitlines()) if "# @" not in line]
    said = CODES.sub("", " ".join(line.removeprefix("#").strip() for line in lines))
    said = said[:1].upper() + said[1:]
    return said if whole or len(said) <= LONG else f"{said[:LONG].rpartition('. ')[0]}."


def told(text: str, closed: Sequence[str] = ()) -> dict[str, tuple[str, str]]:
    """What a file sets each key to, as it is written there, and what the comment behind it says.

    Keys below keys are named as in `prepare.size`; those of keys in `closed` are not taken apart.
    """
    lines, found = text.splitlines(), {}
    for path, key, value in _keys(yaml.compose(text, Loader=yaml.SafeLoader), "", closed):
        below = value.start_mark.line > key.end_mark.line
        mark = key.end_mark if below else value.end_mark
        said = [lines[mark.line][mark.column :].partition("# ")[2]]
        for line in lines[mark.line + 1 :]:
            if not line.lstrip().startswith("# ") or len(line) - len(line.lstrip()) <= key.start_mark.column + 2:
                break
            said.append(line.strip().removeprefix("# "))
        written = " ".join(text[value.start_mark.index : value.end_mark.index].split())
        if below:
            written = json.dumps(yaml.safe_load(yaml.serialize(value)))
        shown = written if len(written) <= LONGEST else f"{written[:LONGEST]}…"
        found[path] = (shown, " ".join(filter(None, said)).strip())
    return found


def _keys(node: yaml.Node | None, path: str, closed: Sequence[str]) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        name = f"{path}{key.value}"
        if isinstance(value, yaml.MappingNode) and name not in closed and name != "defaults":
            yield from _keys(value, f"{name}.", closed)
        else:
            yield name, key, value


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines)


if __name__ == "__main__":
    main()
