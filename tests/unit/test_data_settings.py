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


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("own_signals", "data.prepare.rate='32 Hz'", "data.prepare.rate: wants a number or null, not '32 Hz'"),
        ("own_signals", "data.prepare.channels=x", "data.prepare.channels: wants a list of texts or null, not 'x'"),
        ("own_signals", "data.prepare.channels=[0,1]", "put a name that is a number in quotes"),
        ("own_signals", "data.prepare.time=[a]", "data.prepare.time: wants a text or null"),
        ("own_signals", "data.prepare.group=3", "data.prepare.group: wants a text or null"),
        ("own_texts", "data.prepare.split=true", "data.prepare.split: wants a text or null"),
        ("own_texts", "data.prepare.text=[title,body]", "data.prepare.text: wants a text"),
        ("own_texts", "data.prepare.label=1", "data.prepare.label: wants a text"),
        ("own_images", "data.prepare.channel_names=red", "data.prepare.channel_names"),
        ("own_images", "data.prepare.channels='5'", "data.prepare.channels"),
        ("own_sounds", "data.prepare.spectrogram.window='32 ms'", "data.prepare.spectrogram.window"),
    ],
)
def test_what_a_template_leaves_open_is_of_some_kind_too(tmp_path, name, given, says):
    with pytest.raises(ConfigurationError) as caught:
        compose([f"data={name}", f"data.fetch.path={tmp_path}", given])
    assert says in str(caught.value)


def test_a_key_in_the_wrong_place_is_told_the_right_one(tmp_path):
    with pytest.raises(ConfigurationError, match=r"Did you mean 'data.prepare.spectrogram.sample_rate'\?"):
        compose(["data=own_sounds", f"data.fetch.path={tmp_path}", "+data.prepare.sample_rate=8000"])
    with pytest.raises(ConfigurationError) as caught:
        compose(["data=own_sounds", f"data.fetch.path={tmp_path}", "+data.prepare.loudness=8000"])
    assert "digest" not in str(caught.value)
