"""docs/intervals.md says of every interval what it is over."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from hydra.utils import get_object
from torch import nn

from benchmarks.language import without
from cnnatomy.config import folders
from cnnatomy.config.compose import compose
from cnnatomy.config.steps import OWN_STEP, method_target
from cnnatomy.dissect.method import Method
from cnnatomy.evaluation import predict
from cnnatomy.exhibit import Exhibit
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.checks import walk
from cnnatomy.report import build
from cnnatomy.report.language import catalogue, others
from tests.unit.dissecting import LITTLE, LITTLE_INSIDE, evaluated, given, on_the_way
from tests.unit.small_data import CHANNELS, CLASSES, WAV, hang, small
from tests.unit.test_dissect_configuration import network_for, shipped
from tests.unit.test_dissect_spectrogram import CONFIG as HEARD
from tests.unit.test_dissect_spectrogram import PREPARE, archive

ROOT = Path(__file__).resolve().parents[2]
#: What makes an interval of a few samples, and no more than that.
ENOUGH = {"samples": 40, "compared": 12, "search": 40, "curve": 40}


def listed() -> set[tuple[str, str]]:
    rows = [line.split("|")[1:3] for line in (ROOT / "docs/intervals.md").read_text().splitlines() if line[:3] == "| `"]
    named = [[re.findall(r"`(\w+)`", cell) for cell in row] for row in rows]
    return {(method, metric) for methods, metrics in named for method in methods for metric in metrics}


def network(kind: str, seed: int) -> nn.Module:
    if kind == "images":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return nn.Sequential(
                *(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten()),
                *(nn.Linear(54, 8), nn.ReLU(), nn.Linear(8, 3)),
            ).eval()
    return network_for(kind).eval()


@pytest.fixture(scope="module", params=["images", "sounds", "texts", "signals"])
def hung(request, tmp_path_factory):
    """Every method's exhibit.json of a small network, and its folder."""
    kind, tmp_path = request.param, tmp_path_factory.mktemp("hung")
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield _hung(kind, tmp_path, monkeypatch)


def _hung(kind, tmp_path, monkeypatch):
    for inside, little in LITTLE_INSIDE.items():
        monkeypatch.setattr(inside, {1: 3}.get(little, little), raising=False)
    data, config = small(tmp_path, kind), compose(["run=mnist"])
    test = data.split("test")
    made = {
        "samples": given(data, shipped("samples")),
        "evaluation": evaluated(predict(network(kind, 0), test), None, test, shipped("evaluation")),
    }
    for method in sorted(set(folders.options("dissect")) - set(OWN_STEP)):
        dissection = Method.of(get_object(method_target(config, method)))
        least = LITTLE | ENOUGH
        settings = {
            key: type(value)(min(value, least[key])) if key in least and value is not None else value
            for key, value in config["dissect"][method].items()
        }
        few = settings.get("others", 0)
        needs = {
            "training": lambda: data.split("train"),
            "others": lambda few=few: [network(kind, seed) for seed in range(1, 1 + few)],
            "snapshots": lambda few=few: [on_the_way(network(kind, seed)) for seed in range(1 + few)],
            "sound": lambda wanted=method: archive if wanted == "spectrogram" else lambda name: WAV,
            "prepare": lambda: PREPARE,
            "seed": int,
        }
        settings = HEARD if method == "spectrogram" else settings
        try:
            made[method] = dissection.made(network(kind, 0), test, settings, needs)
        except DoesNotApply:
            continue
    return {
        method: (
            hang(Exhibit.of(exhibit, "run", "small", method), tmp_path / "hung" / method),
            tmp_path / "hung" / method,
        )
        for method, exhibit in made.items()
    }


@pytest.mark.slow
def test_every_number_with_an_interval_is_listed(hung):
    found = {
        (method, number["metric"])
        for method, (document, _) in hung.items()
        for number in document["numbers"]
        if "ci_low" in number
    }
    assert len(found) > 15
    assert found <= listed(), "docs/intervals.md doesn't say what their intervals are over"


@pytest.mark.slow
@pytest.mark.parametrize("tag", others())
def test_every_number_column_and_value_has_a_name_in_every_language(hung, tag):
    told = set()
    for document, folder in hung.values():
        told |= {number["metric"] for number in document["numbers"]}
        for _, block in walk(document):
            if block["type"] == "table":
                told |= set(pd.read_csv(folder / block["data"], nrows=0).columns)
            for item in (*block.get("items", ()), *block.get("sentences", ())):
                told |= set(item.get("values", ()) if isinstance(item, dict) else ())
    kept = {"plain", "L1 + TV", "Fourier", *CLASSES["texts"]}  # what was made, and classes: names in every language
    missing = {name for name in told - catalogue(tag)["metrics"].keys() - kept if not name.isdigit()}
    assert not missing, ", ".join(sorted(missing))


@pytest.mark.slow
@pytest.mark.parametrize("tag", others())
def test_every_line_of_their_page_is_in_every_language(hung, tag, tmp_path):
    title = {"en": "Small", **dict.fromkeys(others(), "小")}
    people = ["anna", "ben", "cara", "dan", *(f"patient {n}" for n in range(9))]
    classes = [*(name for names in CLASSES.values() for name in names), *people]
    channels = [channel.name for channel in CHANNELS]
    context = {
        "title": title,
        "runs": {"small": {"title": title, "data": "mine"}},
        "data": [{"name": "mine", "classes": classes, "channels": channels, "splits": {}}],
    }
    folders_ = [shutil.copytree(folder, tmp_path / method) for method, (_, folder) in hung.items()]
    for folder in folders_:
        document = json.loads((folder / "exhibit.json").read_text(encoding="utf-8"))
        whose = {"kind": "run", "name": "small", "method": folder.name}
        (folder / "exhibit.json").write_text(json.dumps(document | whose), encoding="utf-8")
    build(folders_, tmp_path / "report", context)
    _, left = without((tmp_path / "report" / "index.html").read_text(encoding="utf-8"), tag)
    assert not left, left


def test_every_listed_number_is_measured_somewhere():
    source = "\n".join(path.read_text() for path in sorted((ROOT / "src/cnnatomy").rglob("*.py")))
    made = [r"best_\w+_gain", r"\w+_(area|gain)", r"(test|validation|train)_accuracy", r"\w+_untrained"]  # by a pattern
    for _, metric in listed():
        assert f'"{metric}"' in source or any(re.fullmatch(pattern, metric) for pattern in made), metric


def test_every_method_that_has_intervals_in_the_default_report_is_there():
    methods = {method for method, _ in listed()}
    assert methods <= set(folders.options("dissect")) | {"evaluation", "samples"}
