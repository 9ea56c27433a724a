"""Filters and neurons: all methods call one by the same name, so that what hangs of it can be found together."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.exhibit import Exhibit, Grid, InvalidExhibit, Item, Number, Sentence, Texts, Unit, validate
from cnnatomy.exhibit.languages import in_words
from cnnatomy.models.sentence import Sentence as SentenceNetwork
from cnnatomy.report import units
from cnnatomy.report.chapters import StoredExhibit
from tests.unit.dissecting import dissected
from tests.unit.small_data import VOCABULARY, small


def entries(exhibit: Exhibit) -> list[Item | Sentence]:
    found: list[Item | Sentence] = []
    for block in exhibit.blocks:
        found += block.items if isinstance(block, Grid) else block.sentences if isinstance(block, Texts) else []
    return found


def deep() -> nn.Module:
    torch.manual_seed(0)
    part = nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 4, 3), relu=nn.ReLU()))
    return nn.Sequential(OrderedDict(first=part, flat=nn.Flatten(), dense=nn.Linear(400, 3))).eval()


def test_every_method_names_a_filter_alike(tmp_path):
    data = small(tmp_path, "images")
    expected = {Unit("first.conv", index) for index in range(4)}
    for method in ("kernels", "feature_maps", "filter_maximisation", "top_patches", "deconvolution"):
        named = [entry for entry in entries(dissected(method, [deep()], data)) if entry.unit is not None]
        assert {entry.unit for entry in named} == expected, method
        assert all(entry.id.startswith(f"first.conv/{entry.unit.index}") for entry in named)
    lost = [number for number in dissected("filter_ablation", [deep()], data).numbers if number.of_unit is not None]
    assert {number.of_unit for number in lost} == expected
    for number in lost:
        assert number.subject == f"layer={number.of_unit.layer};filter={number.of_unit.index}"
        assert number.ci_low <= number.value <= number.ci_high


def test_sentences_name_their_filter(tmp_path):
    data = small(tmp_path, "texts")
    torch.manual_seed(0)
    network = SentenceNetwork(len(VOCABULARY), 2, 5, [1, 2], 4, 0.0).eval()
    for method in ("ngrams", "top_patches", "feature_maps"):
        named = [one for one in entries(dissected(method, [network], data)) if isinstance(one, Sentence) and one.unit]
        assert named, method
        assert all(one.id.startswith(f"{one.unit.layer}/{one.unit.index}") for one in named)


def stored(name: str, items: list[Item], numbers: tuple[Number, ...] = ()) -> StoredExhibit:
    exhibit = Exhibit("run", "own", name, 0, name, "", numbers, [Grid("grid", items)])
    document, files = exhibit.describe({}, {})
    return StoredExhibit(in_words(document), files)


def picture(name: str, unit: Unit | None) -> Item:
    return Item(name, np.zeros((2, 2), np.uint8), unit=unit)


def test_what_hangs_of_a_layer_is_found_across_exhibits():
    one = stored("one", [picture("a", Unit("x.y", 10)), picture("b", Unit("x.y", 9)), picture("c", None)])
    two = stored("two", [picture("d", Unit("x.y", 9)), picture("e", Unit("z/0", 1))])
    first, second = units.layers([one, two])
    assert (first.name, second.name) == ("x.y", "z/0")
    assert list(first.places) == ["own-one", "own-two"]
    assert first.units == [(9, "x.y/9", "own-one:b"), (10, "x.y/10", "own-one:a")]  # by number, each to its first
    assert second.units == [(1, "z/0/1", "own-two:e")]


def test_a_card_has_the_numbers_with_an_interval():
    unit = Unit("conv1", 3)
    with_interval = Number("accuracy_lost", 0.1, 0.05, 0.2, "fraction", 50, "layer=conv1;filter=3", unit)
    without = Number("norm", 2.5, subject="layer=conv1;filter=3", of_unit=unit)
    ((_, sign, of),) = units.numbers(stored("one", [], (with_interval, without)))
    assert sign == "%" and list(of) == ["conv1/3"] and of["conv1/3"][::2] == ["10.0", "50"]


@pytest.mark.parametrize("wrong", [{"layer": "", "index": 0}, {"layer": "a", "index": -1}, {"layer": "a"}])
def test_a_unit_that_is_none_is_refused(wrong):
    document, _ = Exhibit("run", "own", "one", 0, "", "", (), [Grid("g", [picture("a", Unit("a", 0))])]).describe(
        {}, {}
    )
    document["files"] = {"g-0000.png": "0" * 64}
    validate(document)
    document["blocks"][0]["items"][0]["unit"] = wrong
    with pytest.raises(InvalidExhibit, match="unit"):
        validate(document)
