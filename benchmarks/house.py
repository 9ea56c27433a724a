"""What the lines of the house are: who measures, who shows, who speaks; long functions, many parameters.

    python benchmarks/house.py            # of this checkout
    python benchmarks/house.py <folder>   # of another one

By syntax tree, of src/cnnatomy. Non-blank lines of a `measure.py` fall into one kind each:

prose     a string of four words or more, or with Chinese, that is no docstring and not in a `raise`
show      a call of a block or of what draws
import, docstring
measure   all else

The share of a module that measures is that of `measure` and `docstring` in all lines but imports: what says what is
measured belongs to it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOMS = ("dissect", "lessons", "evaluation", "studies")
LONG, MANY = 60, 6
SHOWS = re.compile(
    r"(Figure|Grid|Item|Matrix|Texts|Sentence|Table|Prose|Steps|Frame|Calculator|Showing|Exhibit|draw|paint|show|picture)"
)
CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")


def kinds(file: Path) -> Counter[str]:
    """How many non-blank lines of each kind a module has."""
    text = file.read_text(encoding="utf-8")
    tree, lines = ast.parse(text), text.splitlines()
    kind = {number: "measure" for number, line in enumerate(lines, 1) if line.strip()}

    def mark(node: ast.AST, what: str, over: tuple[str, ...]) -> None:
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):  # type: ignore[attr-defined]
            if kind.get(number) in over:
                kind[number] = what

    raised = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Raise) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            mark(node, "import", ("measure",))
        elif isinstance(node, ast.Call) and SHOWS.fullmatch(_named(node.func)):
            mark(node, "show", ("measure",))
        elif isinstance(node, ast.Constant) and id(node) not in raised and _is_prose(node.value):
            mark(node, "prose", ("measure", "show"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            mark(body[0], "docstring", ("measure", "show", "prose"))  # type: ignore[index]
    return Counter(kind.values())


def _is_prose(value: object) -> bool:
    return isinstance(value, str) and bool(CHINESE.search(value) or len(re.findall(r"[a-z]{2,}", value)) >= 4)


def _named(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def functions(file: Path) -> Iterator[tuple[str, int, int]]:
    """(name, lines, parameters) of each function."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = sum(one.arg not in ("self", "cls") for one in given)
            yield node.name, (node.end_lineno or 0) - node.lineno + 1, count


def main() -> None:
    source = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]) / "src" / "cnnatomy"
    measures = sorted(source.rglob("measure.py"))
    total: Counter[str] = Counter()
    for file in measures:
        found = kinds(file)
        total += found
        print(f"{file.relative_to(source)!s:45} {share(found):4.0%}  {dict(found)}")
    print(f"measure modules: {len(measures)}, of their lines {share(total):.0%} measure")
    files = [file for file in source.rglob("*.py") if file.parent.name != "__pycache__"]
    every = [(file, *one) for file in files for one in functions(file)]
    long = sorted((one for one in every if one[2] > LONG), key=lambda one: -one[2])
    many = [one for one in every if one[3] > MANY]
    print(
        f"functions: {len(every)}, of more than {LONG} lines: {len(long)}, of more than {MANY} parameters: {len(many)}"
    )
    for file, name, lines, _ in long:
        print(f"    {lines} {file.relative_to(source)} {name}")
    rooms = sum(
        len(file.read_text(encoding="utf-8").splitlines()) for room in ROOMS for file in (source / room).rglob("*.py")
    )
    spoken = [file for file in files if CHINESE.search(file.read_text(encoding="utf-8"))]
    print(f"lines of Python in {', '.join(ROOMS)}: {rooms}; files of Python with Chinese: {len(spoken)}")


def share(found: Counter[str]) -> float:
    """The share of lines that measure, or say what is measured."""
    every = sum(found.values()) - found["import"]
    return (found["measure"] + found["docstring"]) / max(1, every)


if __name__ == "__main__":
    main()
