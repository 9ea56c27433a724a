"""What is known to be wrong with the settings of data before anything is fetched, and what is not wrong."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from cnnatomy.config.compose import compose
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.data import settings
from cnnatomy.data.errors import DataError
from tests.conftest import PROJECT

FILES = sorted((PROJECT / "conf/data").glob("*.yaml"))


def prepare_of(name: str) -> dict[str, Any]:
    return yaml.safe_load((PROJECT / f"conf/data/{name}.yaml").read_text(encoding="utf-8"))["prepare"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_settings_that_we_bring_are_fine(file):
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    # Others begin with another file, or take their values from one.
    if "_target_" in content.get("prepare", {}) and "${" not in str(content["prepare"]):
        settings.check(content["prepare"])


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("own_texts", "length", 0),
        ("own_texts", "length", None),
        ("own_texts", "at_least", 1.5),
        ("own_signals", "length", 1),
        ("own_signals", "step", 0),
        ("own_signals", "test", 0),
        ("own_images", "size", 0),
    ],
)
def test_a_value_that_makes_no_sense_is_named_with_its_key(name, key, value):
    with pytest.raises(DataError, match=rf"data\.prepare\.{key}"):
        settings.check(prepare_of(name) | {key: value})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("data.prepare.size=[8,16]", ""),
        ("data.prepare.range=null", ""),
        ("data.fetch.splits=false", ""),
        ("data.fetch.labels=labels.csv", ""),
        ("data.prepare.size=[8]", "data.prepare.size is [8]; it is the side"),
        ("data.prepare.size=8.5", "data.prepare.size is 8.5; it is the side"),
        ("data.prepare.colour=1", "data.prepare.colour: wants true or false"),
        ("data.prepare.sizes=8", "sizes"),
    ],
)
def test_what_a_file_of_ones_own_says_may_be_given_in_another_form(tmp_path, monkeypatch, given, says):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text(
        "defaults: [own_images, _self_]\nname: mine\n"
        'fetch: {path: x, labels: "{class}.*", splits: {a: train}}\nprepare: {size: 16, range: [0, 4095]}\n'
    )
    monkeypatch.setenv("CNNATOMY_CONF", str(tmp_path))
    if not says:
        compose(["data=mine", given])
        return
    with pytest.raises(ConfigurationError) as caught:
        compose(["data=mine", given])
    assert says in str(caught.value)
