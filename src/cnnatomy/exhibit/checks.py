"""What makes an exhibit valid: the JSON Schema, and what a schema can't say."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cnnatomy.exhibit import citing, languages, live, svg, touching
from cnnatomy.exhibit.describing import Files, InvalidExhibit
from cnnatomy.exhibit.formulas import parts

SCHEMA = Path(__file__).parent.parent / "exhibit.schema.json"
SHOWN = 5  # problems in one message; the rest follows when these are mended

# What to do, by the keyword of the schema that failed.
ADVICE = {
    "additionalProperties": "remove it, or mend its spelling",
    "const": "this reader knows only that value",
    "dependentRequired": "give what belongs to it too",
    "enum": "use one of these",
    "pattern": "mend the name",
    "required": "add it",
    "type": "give that type",
}
ABSOLUTE = re.compile(r"^(/|~/|[A-Za-z]:[\\/]|\\\\|file:)")


def validate(document: Any, files: Files | None = None, where: str = "exhibit.json") -> None:
    """Raise `InvalidExhibit` unless `document` (the content of an exhibit.json) keeps the contract.

    `files` holds the siblings' bytes by name; with None they are not looked at. The message names the file
    `where`, the JSON path of each problem, and what to do.
    """
    problems = []
    for path, problem in _problems(document, files):
        problems.append(f"{where} at {path}: {problem}")
        if len(problems) > SHOWN:
            problems[-1] = "... and more"
            break
    if problems:
        raise InvalidExhibit("\n".join(problems))


def _problems(document: Any, files: Files | None) -> Iterator[tuple[str, str]]:
    plain = list(_plain_problems(document, "$"))
    yield from plain
    if plain:  # the schema speaks of JSON
        return
    shape = list(_schema_problems(document))
    yield from shape
    if shape:  # what follows takes the shape for granted
        return
    yield from _path_problems(document)
    yield from _name_problems(document)
    yield from _number_problems(document["numbers"])
    yield from _matrix_problems(document)
    yield from _grid_problems(document)
    yield from _sentence_problems(document)
    for path, block in walk(document):
        if block["type"] == "calculator":
            yield from _calculator_problems(path, block)
        elif block["type"] == "live":
            yield from live.problems(path, block)
        yield from touching.problems(path, block)
    for index, source in enumerate(document["sources"]):
        if citing.unknown(source):
            yield f"$.sources[{index}]", f"{source!r} is no entry of references.bib; add it there, or give it in words"
    yield from _file_problems(document, files)


@cache
def _fits() -> Any:
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(_schema())


@cache
def _schema() -> Any:
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def _schema_problems(document: Any) -> Iterator[tuple[str, str]]:
    # Of the 108 exhibits of a page the one in Rust sees in a hundredth of a second that they are in order, the other
    # in 1.6; but it is the other that names all that would have been allowed.
    if _fits().is_valid(document):
        return
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(_schema()).iter_errors(document):
        message = error.message
        if len(message) > 300:  # it quotes the whole value
            message = f"{message[:140]} ... {message[-140:]}"
        advice = ADVICE.get(str(error.validator), "see exhibit.schema.json")
        yield error.json_path, f"{message}; {advice}"


def _plain_problems(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """What Python's json takes and JSON or UTF-8 does not."""
    if isinstance(value, float) and not math.isfinite(value):
        yield path, f"{value} is no finite number; mend what computed it, or leave it out"
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            yield path, f"this can't be written as UTF-8 ({error.reason}); decode it with errors='replace'"
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _plain_problems(entry, f"{path}.{key}")
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _plain_problems(entry, f"{path}[{index}]")
    elif value is not None and not isinstance(value, bool | int | float):
        yield path, f"a {type(value).__name__} is no JSON; give text, numbers, lists and mappings only"


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _strings(entry, f"{path}.{key}")
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _strings(entry, f"{path}[{index}]")


def _path_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("config", "digests", "sources"):
        for path, value in _strings(document[key], f"$.{key}"):
            if ABSOLUTE.match(value):
                yield path, f"{value!r} is a path of this machine; give it relative to the project"


def walk(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every block with its JSON path, those inside of steps too."""
    for index, block in enumerate(document["blocks"]):
        path = f"$.blocks[{index}]"
        yield path, block
        for number, frame in enumerate(block.get("frames", ())):
            for position, inner in enumerate(frame["blocks"]):
                yield f"{path}.frames[{number}].blocks[{position}]", inner


def _ids(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, block in walk(document):
        for key in ("items", "sentences"):
            for index, item in enumerate(block.get(key, ())):
                yield f"{path}.{key}[{index}].id", item["id"]


def _name_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    named = ((f"{path}.name", block["name"]) for path, block in walk(document) if "name" in block)
    for what, found in (("block", named), ("item", _ids(document))):
        first: dict[str, str] = {}
        for path, name in found:
            if name in first:
                yield path, f"{name!r} is taken by {first[name]}; give every {what} of an exhibit its own"
            first.setdefault(name, path)


def _number_problems(numbers: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    first: dict[tuple[str, str], int] = {}
    for index, number in enumerate(numbers):
        path, name = f"$.numbers[{index}]", f"{number['metric']!r}"
        if "ci_low" in number and number["ci_low"] > number["ci_high"]:
            yield path, f"the interval of {name} ends below its start; swap ci_low and ci_high"
        key = (number["metric"], number.get("subject", ""))
        if key in first:
            yield (
                path,
                f"{name} of that subject stands at $.numbers[{first[key]}]; tell them apart by subject",
            )
        first.setdefault(key, index)


def _matrix_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    ids = {name for _, name in _ids(document)}
    for path, block in walk(document):
        if block["type"] != "matrix":
            continue
        height, width = len(block["rows"]), len(block["columns"])
        if [len(row) for row in block["values"]] != [width] * height:
            yield f"{path}.values", f"not {height} rows of {width} numbers; give one for each row and column"
        for index, cell in enumerate(block["cells"]):
            here = f"{path}.cells[{index}]"
            if cell["row"] >= height or cell["column"] >= width:
                yield here, f"points outside of the {height} by {width} matrix; rows and columns count from 0"
            for name in cell["items"]:
                if name not in ids:
                    yield (
                        here,
                        f"{name!r} is no item of this exhibit; give the id of a grid item or a sentence",
                    )


def _grid_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, block in walk(document):
        if block["type"] != "grid":
            continue
        names, scales = len(block.get("variants", [""])), [("", block.get("scale", {}))]
        for index, item in enumerate(block["items"]):
            here = f".items[{index}]"
            scales.append((here, item))
            if 1 + len(item.get("more", ())) != names:
                yield f"{path}{here}", f"it has {1 + len(item.get('more', ()))} pictures and the grid names {names}"
        if "switch" in block and ("variants" in block or not all(item.get("group") for item in block["items"])):
            yield f"{path}.switch", "it needs groups, and no variants; give every item a group"
        for here, scale in scales:
            if "ends" in scale and scale["ends"][0] > scale["ends"][1]:
                yield f"{path}{here}", "the scale ends below its start; swap its ends"


def _sentence_problems(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("title", "caption", "blocks"):
        for path, text in languages.texts(document[key]):
            for tag in languages.tags():
                try:
                    languages.language(tag).words(text)
                except (languages.NoSentence, ValueError) as error:
                    yield path.replace("$", f"$.{key}", 1), f"{error}; write it, or mend the id or the value's name"
                    break


def _calculator_problems(path: str, block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    least: dict[str, int] = {}  # what each name that a formula may use is at the least; 0 where that is not known
    taken: set[str] = set()
    for role, name in block.get("drawn", {}).items():
        if name not in {entry["name"] for entry in block["inputs"]}:
            yield f"{path}.drawn.{role}", f"{name!r} is no input; name one of them"
    for kind in ("inputs", "outputs"):
        for index, entry in enumerate(block[kind]):
            here = f"{path}.{kind}[{index}]"
            if entry["name"] in taken:
                yield f"{here}.name", f"{entry['name']!r} stands above; give each input and output its own name"
            taken.add(entry["name"])
            if kind == "inputs" and not entry["least"] <= entry["value"] <= entry["most"]:
                yield here, f"{entry['value']} is not from {entry['least']} to {entry['most']}; mend one of the three"
            for formula in (part for whole in entry.get("formulas", ()) for part in parts(whole)):
                for problem in _formula_problems(formula, least):
                    yield f"{here}.formulas", problem
            if kind == "inputs" or len(entry["formulas"]) == 1:
                least[entry["name"]] = entry.get("least", 0)


def _formula_problems(formula: Any, least: Mapping[str, int]) -> Iterator[str]:
    if isinstance(formula, str) and formula not in least:
        yield f"{formula!r} is no input, nor an output of one number above it; there are {', '.join(least)}"
    if isinstance(formula, list) and formula[0] == "//":
        for divisor in formula[2:]:
            if isinstance(divisor, list) or (least.get(divisor, 0) if isinstance(divisor, str) else divisor) < 1:
                yield f"{divisor!r} may be 0; divide by a number above 0, or by an input that is at least 1"


def _file_problems(document: dict[str, Any], files: Files | None) -> Iterator[tuple[str, str]]:
    named: dict[str, str] = {}
    for path, block in walk(document):
        for key in ("file", "data", "weights", "inputs", "changes"):
            if isinstance(block.get(key), str):
                named[block[key]] = f"{path}.{key}"
        named |= {mask["file"]: f"{path}.masks[{index}].file" for index, mask in enumerate(block.get("masks", ()))}
        for index, item in enumerate(block.get("items", ())):
            named |= {item[key]: f"{path}.items[{index}].{key}" for key in ("file", "sound") if key in item}
            named |= {one: f"{path}.items[{index}].more[{nth}]" for nth, one in enumerate(item.get("more", ()))}
    for name in named.keys() - document["files"].keys():
        yield named[name], f"{name} has no hash in $.files; write exhibits with Exhibit.write"
    for name in sorted(document["files"].keys() - named.keys()):
        yield f"$.files['{name}']", "no block names it; write exhibits with Exhibit.write"
    if files is None:
        return
    for name, digest in document["files"].items():
        path = f"$.files['{name}']"
        if name not in files:
            yield path, f"{name} is missing beside exhibit.json; make the exhibit again"
        elif hashlib.sha256(files[name]).hexdigest() != digest:
            yield path, f"{name} was changed after it was written; make the exhibit again"
        elif name.endswith(".svg"):
            for problem in svg.problems(files[name]):
                yield named.get(name, path), f"{name} {problem}"
