"""Settings of dissections and lessons: what can't be is said as the plan is built, by its key, and its line."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest

from cnnatomy.config import folders, reading, settings
from cnnatomy.config.compose import compose
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.config.plan import Plan
from cnnatomy.settings import Amount, Count, Length, Share, Within
from tests.own_conf import FILES, write

SOURCE = Path(__file__).resolve().parents[2] / "src/cnnatomy"
EVERY = [(group, name) for group in folders.COLLECTED for name in folders.options(group)]


@pytest.mark.parametrize(("group", "name"), EVERY)
def test_each_has_a_class_whose_fields_are_the_keys_of_its_file(group, name):
    kinds = settings.kinds(group, name)
    assert kinds is not None and list(kinds) == list(reading.read(folders.find(group, name), group))


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("dissect.kernels.columns=wide", "wants a whole number like 8, not 'wide'"),
        ("dissect.kernels.columns=null", "wants a whole number like 8, not null"),
        ("dissect.kernels.columns=0", "must be greater than zero, not 0"),
        ("dissect.kernels.columns=true", "wants a whole number like 8, not true"),
        ("dissect.kernels.symmetric=1", "wants true or false like true, not 1"),
        ("dissect.kernels=3", "wants keys of its own (columns, symmetric), not 3"),
        ("~dissect.kernels.columns", "dissect.kernels.columns: is missing; write it"),
        ("+dissect.kernels.colums=3", "no such key. Did you mean 'columns'?"),
        (
            "dissect.attribution.sample=first",
            "wants a whole number ≥ 0, a list of whole numbers ≥ 0 or null, not 'first'",
        ),
        ("dissect.attribution.sample=[-1]", "a list of whole numbers ≥ 0 or null, not [-1]"),
        ("dissect.attribution.methods=gradients", "wants a list of texts or null, not 'gradients'"),
        ("dissect.class_activation.layers=[4]", "not [4]; put a name that is a number in quotes"),
        ("dissect.dream.octaves=0", "must be greater than zero, not 0"),
        ("dissect.dream.ratio=1.0", "wants a number > 1, not 1.0"),
        ("dissect.dream.depths=[1.5]", "wants a list of numbers from 0 to 1, not [1.5]"),
        ("dissect.dream.colours=1000", "wants a whole number from 2 to 256, not 1000"),
        ("dissect.dream.jitter=-1", "must not be negative, not -1"),
        ("dissect.style.content=[1,2]", "wants a whole number ≥ 0 or null, not [1, 2]"),
        ("dissect.style.weights=[]", "wants a list of 1 or more numbers ≥ 0, each once, not []"),
        ("dissect.style.weights=[1,0.1,1.0]", "wants a list of 1 or more numbers ≥ 0, each once, not [1, 0.1, 1.0]"),
        ("dissect.class_maximisation.classes=[a,a]", "a list of texts or whole numbers, each once, not ["),
        ("dissect.filter_maximisation.units=[3,3]", "wants a list of whole numbers ≥ 0, each once or null, not [3, 3]"),
        ("dissect.style.content_depth=2", "wants a number from 0 to 1, not 2"),
        ("dissect.style.content=-1", "must not be negative, not -1"),
        ("training.label_smoothing=1", "wants a number ≥ 0 and < 1, not 1.0"),
        ("training.max_epochs=many", "wants a whole number ≥ 0 or auto, not 'many'"),
        ("training.max_epochs=2.5", "wants a whole number ≥ 0 or auto, not 2.5"),
        ("training.devices=0", "must be greater than zero, not 0"),
        ("dissect.spectrogram.files.female=[3]", "dissect.spectrogram.files.female: wants a list of texts, not [3]"),
        ("dissect.filter_ablation.budget=1e9", "dissect.filter_ablation.budget: is called 'work' now; write that"),
        ("lesson.shapes.filters=[1]", "wants a list of 2 whole numbers ≥ 1, not [1]"),
    ],
)
def test_a_value_that_can_not_be_is_refused(override, says):
    with pytest.raises(ConfigurationError) as caught:
        compose(["run=mnist", override])
    assert says in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith(override.lstrip("+~").partition("=")[0])


@pytest.mark.parametrize(
    "override",
    [
        "dissect.attribution.sample=3", "dissect.attribution.sample=[3,4]", "dissect.feature_maps.label=6",
        "dissect.class_maximisation.classes=[3,seven]", "dissect.class_maximisation.work=5", "dissect.dream.blur=2",
        "dissect.style.weights=[1,0.5]", "dissect.attribution.methods=[gradients]", "dissect.spectrogram.files.male=[]",
    ],
)  # fmt: skip
def test_all_that_a_method_takes_may_be_asked_for(override):
    compose(["run=mnist", override])


@pytest.mark.parametrize(
    ("settings_of_it", "line", "says"),
    [
        ("{kernels: {columns: wide}}", 6, "dissect.kernels.columns: wants a whole number like 8, not 'wide'"),
        ("\n  kernels:\n    symmetric: true\n    columns: 0", 9, "must be greater than zero, not 0"),
        ("\n  filter_ablation:\n    budget: 1.0e+9", 8, "is called 'work' now; write that"),
        ("{style: {style_depths: [3]}}", 6, "wants a list of numbers from 0 to 1, not [3]"),
    ],
)
def test_a_file_that_sets_what_can_not_be_is_named_with_the_line(conf, settings_of_it, line, says):
    write(conf, {"run/mine.yaml": f"{FILES['run/mine.yaml']}dissect: {settings_of_it}\n"})
    with pytest.raises(ConfigurationError) as caught:
        Plan("mine").check()
    assert str(caught.value).startswith(f"conf/run/mine.yaml, line {line}: ") and says in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Count, "a whole number ≥ 1"),
        (Share | None, "a number from 0 to 1 or null"),
        (bool, "true or false"),
        (Annotated[float, Within(above=0, most=1)], "a number > 0 and ≤ 1"),
        (Annotated[list[Count], Length(3, 3)], "a list of 3 whole numbers ≥ 1"),
        (list[list[float]], "a list of lists of numbers"),
        (Amount | list[Amount] | None, "a whole number ≥ 0, a list of whole numbers ≥ 0 or null"),
        (dict[str, list[str]], "keys, each with a list of texts"),
    ],
)
def test_what_a_type_takes_is_said_in_words(kind, says):
    assert settings.spoken(kind) == says


@pytest.fixture
def told():
    spec = importlib.util.spec_from_file_location("settings_page", folders.PROJECT / "benchmarks/settings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_all_settings_is_that_of_the_classes_and_the_files(told):
    assert told.page() == told.PAGE.read_text(encoding="utf-8"), "run: python benchmarks/settings.py"


@pytest.mark.parametrize(("group", "name"), EVERY)
def test_each_says_in_its_file_what_it_means(told, group, name):
    said = told.told(folders.find(group, name).read_text(encoding="utf-8"), tuple(settings.kinds(group, name)))
    assert not {key for key, (_, meaning) in said.items() if not meaning}


def test_what_a_file_says_of_a_key_is_read_with_the_lines_that_go_on(told):
    text = (
        "a: [1, 2]   # the first\n            # and more\n# of b\nb:  # below\n  c: '# none'   # the last\nd: 4.5e+11\n"
    )
    assert told.told(text) == {
        "a": ("[1, 2]", "the first and more"), "b.c": ("'# none'", "the last"), "d": ("4.5e+11", ""),
    }  # fmt: skip
    assert told.told(text, ["b"])["b"] == ('{"c": "# none"}', "below")


def test_settings_are_checked_without_a_library():
    """Before threads are set."""
    program = (
        "import sys; from cnnatomy.config import settings; print(len(settings.kinds('dissect', 'kernels')),"
        "[one for one in ('torch', 'numpy', 'pandas', 'matplotlib') if one in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "2 []"


def test_no_method_and_no_lesson_reads_its_settings_by_the_names_of_keys():
    """A misspelt one would be found as it runs; a field of a class is found by mypy."""
    reads = {
        f"{file.relative_to(SOURCE)}:{node.lineno}"
        for room in ("dissect", "lessons", "evaluation")
        for file in (SOURCE / room).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "config"
    }
    assert not reads


def test_a_list_where_anything_may_stand_is_no_fault():
    """data.fetch.splits may be a mapping or false; a list is told by who reads it."""
    from typing import Any

    from cnnatomy.config.settings import fault

    assert fault(["train", "test"], Any) == ""
