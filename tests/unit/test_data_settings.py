"""What is known to be wrong with the settings of data before anything is fetched, and what is not wrong."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

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
