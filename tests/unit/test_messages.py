"""Every message that a user may read says what is wrong, where, and what to do; what it names is there.

The messages are read from the source: the texts in `raise SomeError(...)` of the project's own errors, with "…" where a
value comes in. What a text can show of itself is checked: that a value or a key says where, that some word says what to
do, and that keys, files and commands which stand in it exist.
"""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from functools import cache

import pytest
import yaml

from cnnatomy.config import schema
from tests.conftest import PROJECT

SOURCE = PROJECT / "src" / "cnnatomy"

#: Errors whose message a user reads as it is; the others are caught on the way, or are the project's own mistakes.
FOR_USERS = {
    *("ConfigurationError", "DataError", "DamagedData", "WeightsError", "WeightsNotThere", "WrongSetting"),
    *(
        "TrainingError",
        "StudyError",
        "NetworkError",
        "DamagedState",
        "DamagedExhibit",
        "NotWritable",
        "Shadowed",
        "Unclassed",
    ),
}
#: What says what to do: a verb as one tells somebody, what a key wants, or the right names.
REMEDY = re.compile(
    r"\b(add|allow|ask|begin|check|choose|copy|cut|delete|export|fetch|free|give|indent|install|leave|look|lower|make|mend|move|"
    r"name|narrow|prepare|put|quote|raise|read|remove|rename|run|save|say|set|take|train|try|unset|use|wait|write|"
    r"wants?|must|should|needs?|Did you mean|There (are|is)|only)\b",
    re.IGNORECASE,
)
#: Functions whose words are the remedy, with one of these words.
SAYS_WHAT_TO_DO = {"nearest": "Did you mean", "remedy": "delete", "no_such": "There are", "_why": "copy"}
KEY = re.compile(r"\b(?:data|training|split|report|dissect|lesson|threads)(?:\.[a-z_]+)+")
FILE = re.compile(r"\b(?:docs|conf|workflow|profiles)/[\w/.-]*\w")


def messages() -> list[tuple[str, str]]:
    """(where, text) of every message, "…" for a value; for a text that is a call, what its literals say."""
    found = []
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            made = node.exc if isinstance(node, ast.Raise) else node.value if isinstance(node, ast.Return) else None
            if not isinstance(made, ast.Call) or not made.args:
                continue
            name = made.func.id if isinstance(made.func, ast.Name) else getattr(made.func, "attr", "")
            place = f"{file.relative_to(SOURCE)}:{node.lineno}"
            if name in FOR_USERS:
                found.append((place, text_of(made.args[0])))
    return found


def text_of(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(map(text_of, values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return text_of(left) + text_of(right)
        case ast.FormattedValue(value=ast.IfExp(body=body, orelse=orelse)):
            return f"…{text_of(body)}{text_of(orelse)}"
        case ast.FormattedValue(value=ast.Call(func=func)):
            name = func.id if isinstance(func, ast.Name) else getattr(func, "attr", "")
            return f"… ({SAYS_WHAT_TO_DO[name]})" if name in SAYS_WHAT_TO_DO else "…"
        case ast.FormattedValue(value=ast.Attribute(attr="RULE")):
            return "… (must)"
    return "…"


@cache
def keys() -> set[str]:
    """Every path of keys in conf/ and in the schema, `data.prepare.size`."""
    found: set[str] = set()

    def add(path: str, value: object) -> None:
        found.add(path)
        for key, entry in value.items() if isinstance(value, dict) else ():
            add(f"{path}.{key}", entry)

    for file in (PROJECT / "conf").rglob("*.yaml"):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        group = file.parent.name
        for key, value in content.items() if group not in ("dissect", "lesson") else [(file.stem, content)]:
            add(key if group in ("run", "conf") else f"{group}.{key}", value)
    for group, wanted in schema.CLASSES.items():
        found |= {f"{group}.{one.name}" for one in fields(wanted)}
    return found


@pytest.mark.parametrize(("place", "text"), messages(), ids=lambda value: value if value.count(":") == 1 else "")
def test_a_message_says_where_and_what_to_do_and_names_what_is_there(place: str, text: str):
    if text == "…":  # made elsewhere
        return
    assert "…" in text or KEY.search(text) or re.match(r"[a-z_]+: ", text), f"{place}: says not where: {text}"
    assert REMEDY.search(text) or re.search(r"[:;.=] ?…$", text), f"{place}: says not what to do: {text}"
    assert not re.search(r"\s{2,}|\.\.$", text.replace("\n", " ")), f"{place}: {text}"
    for key in KEY.findall(text):
        assert key in keys(), f"{place}: there is no key {key}: {text}"
    for file in FILE.findall(text):
        assert (PROJECT / file).exists(), f"{place}: there is no {file}: {text}"


def test_there_are_messages():
    assert len([text for _, text in messages() if text != "…"]) > 250


def test_of_trainings_that_failed_the_first_says_why_in_the_last_line(monkeypatch, capsys):
    from contextlib import nullcontext
    from types import SimpleNamespace

    from cnnatomy.steps import trial

    def finish(job: SimpleNamespace) -> None:
        if job.run != "s-b":
            raise ValueError(f"{job.run} has\nno data")

    monkeypatch.setattr(
        trial, "trial_of", lambda job, run, seed: SimpleNamespace(run=run, seed=seed, config={"training": {}})
    )
    monkeypatch.setattr(trial, "_is_measured", lambda job: True)
    monkeypatch.setattr(trial, "_holding", lambda job, wait: nullcontext(True))
    monkeypatch.setattr(trial, "_finish", finish)
    monkeypatch.setattr(trial.gpus, "hold", lambda training: None)
    monkeypatch.setattr(trial.traceback, "print_exc", lambda: None)
    variants = [(SimpleNamespace(run=f"s-{name}"), 0) for name in "abc"]
    plan = SimpleNamespace(study=lambda subject: SimpleNamespace(trials=lambda: variants))
    with pytest.raises(trial.TrialFailed) as caught:
        trial.work_off(SimpleNamespace(plan=plan, subject="s"), [f"s-{name}/seed0" for name in "abc"])
    said = str(caught.value)
    assert "ValueError: s-a has no data" in said and "s-c" in said and "\n" not in said
