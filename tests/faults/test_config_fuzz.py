"""Odd YAML in a user's folder: whatever it says, the plan is made or refused with one sentence, and soon.

500 files are read and some of them composed; as many as CNNATOMY_FUZZ says where it is set (`make faults`). A case that
fails is named by its number, which makes it again.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from cnnatomy.config import reading
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.config.plan import Plan
from tests.faults.fuzzing import CASES
from tests.own_conf import FILES, forget, write

COMPOSED = CASES // 10  # composing takes fifty times as long as reading
PATIENCE = 1.0  # s of processor time for one case

VALUES = (
    *("null", "~", "true", "no", "''", "???", "0", "-1", "1e999", ".nan", "-.inf", "0x1f", "1_000", "12:30:45", "[]"),
    *("{}", "[[[]]]", "{a: {b: [1, {c: 2}]}}", "2024-01-01", "!!binary aGFsbG8=", "!!set {a, b}", "!!python/tuple [1]"),
    *("!!python/object/apply:os.system ['touch x']", "!!python/name:os.system", "${title}", "${.}", "${..}", "${a.b}"),
    *("${data}", "${data.name}", "${oc.env:HOME}", "${oc.decode:'1'}", "${", "$}", "'${x'", "|", ">-", "&a [*a]", "*a"),
    *(
        "<<: *a",
        "9" * 400,
        "x" * 3000,
        "'\\0'",
        '"\\ud800"',
        '"\\x00"',
        "'$(touch x)'",
        "'`touch x`'",
        "../../x",
        "/etc",
    ),
    *(
        "'</script><script>alert(1)</script>'",
        "'a: b'",
        "a: b",
        "- x",
        "? x",
        "@x",
        "%x",
        "!x",
        "'",
        '"',
        "}",
        "]",
        "叶",
    ),
)
PIECES = (
    *(
        "\t",
        "\r",
        "\0",
        "\x1b",
        "\u2028",
        "\ufeff",
        "---\n",
        "...\n",
        "%YAML 9.9\n",
        "# @package x\n",
        "# @package a b\n",
    ),
    *("&a ", "*a", "<<: ", ": ", "- ", "? ", "{", "}", "[", "]", "'", '"', "|\n", ">\n", "!!", "${", "}", "\n\n", "  "),
    *(
        "defaults: x\n",
        "defaults: [x: [y, z]]\n",
        "defaults: [{}]\n",
        "defaults: [1, null]\n",
        "? [a]\n: b\n",
        "1: 2\n",
    ),
    *(
        "hydra: {}\n",
        "_target_: os.system\n",
        "_self_: 1\n",
        "null: 1\n",
        "true: 1\n",
        "'': 1\n",
        "a.b: 1\n",
        "a@b: 1\n",
    ),
    *(
        "training: 3\n",
        "training: {augment: 3}\n",
        "training: {augment: {}}\n",
        "model: {}\n",
        "model: [1]\n",
        "split: 3\n",
    ),
    *(
        "split: {test: {a: b}}\n",
        "split: {folds: 3}\n",
        "dissect: {kernels: 3}\n",
        "dissect: {x: {}}\n",
        "lesson: null\n",
    ),
    *(
        "data: {fetch: {_target_: 3}}\n",
        "data: {prepare: null}\n",
        "threads: {train: x}\n",
        "threads: 3\n",
        "title: 3\n",
    ),
    *("study: {seeds: 3}\n", "study: x\n", "runs: mine\n", "runs: [[mine]]\n", "methods: {a: b}\n", "seeds: 1.5\n"),
)


def odd(chance: random.Random) -> tuple[str, str]:
    """The name of one of the files, and its text with a few things done to it."""
    name = chance.choice(list(FILES))
    text = FILES[name]
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        lines = text.splitlines(keepends=True) or [""]
        place, at = chance.randrange(len(lines)), chance.randrange(len(text) + 1)
        match chance.randrange(7):
            case 0:
                del lines[place]
                text = "".join(lines)
            case 1:
                text = "".join([*lines[:place], lines[place], *lines[place:]])
            case 2:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            case 3:
                text = "".join([*lines[:place], chance.choice(PIECES), *lines[place:]])
            case 4:
                head, colon, _ = lines[place].rpartition(": ")
                lines[place] = f"{head}{colon}{chance.choice(VALUES)}\n"
                text = "".join(lines)
            case 5:
                text = text[:at] + text[at + chance.randrange(1, 9) :]
            case 6:
                text = text.replace(
                    chance.choice(["mine", "Mine", "pictures", "samples", "/data"]), chance.choice(VALUES)
                )
    return name, text


@pytest.mark.parametrize("part", range(4))
def test_odd_files_are_taken_or_refused_in_one_sentence(conf: Path, part: int):
    composed = 0
    for number in range(part, CASES, 4):
        name, text = odd(random.Random(number))
        write(conf, FILES | {name: text})
        began = time.process_time()
        try:
            reading.read(conf / name, name.partition("/")[0])
            if composed < COMPOSED / 4:
                composed += 1
                forget()
                Plan("mine").check()
        except ConfigurationError as error:
            assert str(error) and "\n" not in str(error) and " object at 0x" not in str(error), (
                f"case {number}: {error}"
            )
        except Exception as error:
            raise AssertionError(f"case {number}: {name}: {type(error).__name__}: {error}\n{text!r}") from error
        assert time.process_time() - began < PATIENCE + (not composed), f"case {number} took too long"
        assert not (conf.parent / "x").exists()
