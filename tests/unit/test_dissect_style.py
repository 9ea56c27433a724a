"""Deep Style: the losses are what they are said to be, and the style really passes over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.changed.inputs import box
from cnnatomy.dissect.style.measure import Matching, Way, blend, gram
from cnnatomy.exhibit import Figure, Grid
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.choosing import WrongSetting
from cnnatomy.inspection.layers import LayerNotFound
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.sentence import Sentence
from tests.unit.dissecting import shown
from tests.unit.small_data import WAV, hang, small

CONF = Path(__file__).resolve().parents[2] / "conf/dissect/style.yaml"
CONFIG = OmegaConf.to_container(OmegaConf.load(CONF)) | {"steps": 12, "candidates": 10}


def image_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True),
        nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(600, 3),
    ).eval()  # fmt: skip


def made(tmp_path, kind="images", network=None, config=CONFIG, **needs):
    samples = small(tmp_path, kind).split("test")
    return shown("style", network or image_network(), samples, config, prepare={}, **needs), samples


def by(exhibit, metric):
    return {number.subject: number.value for number in exhibit.numbers if number.metric == metric}


def test_a_gram_matrix_is_the_mean_product_of_channels_and_knows_no_place():
    held = torch.randn(1, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    wanted = [[float((held[0, i] * held[0, j]).mean()) for j in range(3)] for i in range(3)]
    assert torch.allclose(gram(held), torch.tensor(wanted), atol=1e-6)
    assert torch.allclose(gram(held), gram(held.roll((1, 2), (2, 3))), atol=1e-6)


def test_losses_of_a_picture_with_itself_are_zero_and_with_others_those_of_a_closed_form():
    network = image_network()
    matching = Matching(network, "3", ("1", "3"))
    one, other = torch.randn(2, 1, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first, second = network[:2](one), network[3](network[:3](one))
        wanted = [gram(first), gram(second)]
        assert [float(loss) for loss in matching.losses(one, second, wanted)] == [0, 0]
        content, of_style = matching.losses(other, second, wanted)
        found = network[3](network[:3](other))
        assert float(content) == pytest.approx(float(((found - second) ** 2).sum() / (second**2).sum()), rel=1e-5)
        parts = [
            float(((gram(g) - w) ** 2).sum() / (w**2).sum())
            for g, w in zip((network[:2](other), found), wanted, strict=True)
        ]
    assert float(of_style) == pytest.approx(np.mean(parts), rel=1e-5)


def test_less_content_more_style(tmp_path):
    exhibit, _ = made(tmp_path, config=CONFIG | {"steps": 40, "content": 0, "style": 4})
    left, lost = by(exhibit, "style_left"), by(exhibit, "content_lost")
    for pair in ("content=test/0;style=test/4", "content=test/4;style=test/0"):
        heavy, middle, light = (f"{pair};weight={weight}" for weight in ("1", "0.1", "0.01"))
        assert 1 > left[heavy] > left[middle] > left[light]
        assert 0 < lost[heavy] < lost[middle] < lost[light]
    assert left[""] < 0.5
    hang(exhibit, tmp_path / "exhibit")


def test_the_losses_fall_and_the_pictures_stay_within_the_box(tmp_path):
    samples = small(tmp_path, "images").split("test")
    low, high = box(samples.facts, {})
    one, other = to_tensor(samples.facts, samples.inputs[:2])[:, None]
    matching = Matching(image_network(), "3", ("1", "3"))
    found = blend(matching, one, other, 0.1, Way((low, high), 20, 0.5))
    total = 0.1 * found.history[:, 0] + found.history[:, 1]
    assert (np.diff(total) <= 0).all() and len(total) == 20
    assert found.history[0, 0] == pytest.approx(0, abs=1e-6)
    assert found.history[0, 1] == pytest.approx(found.style_of_content, rel=1e-5)
    assert (found.picture >= low).all() and (found.picture <= high).all()


def test_a_weight_without_end_leaves_the_content_and_a_style_of_its_own_changes_nothing(tmp_path):
    samples = small(tmp_path, "images").split("test")
    way = Way(box(samples.facts, {}), 20, 0.5)
    one, other = to_tensor(samples.facts, samples.inputs[:2])[:, None]
    matching = Matching(image_network(), "3", ("1", "3"))
    assert blend(matching, one, other, 1e6, way).moved < 0.01
    same = blend(matching, one, one, 1.0, way)
    assert same.moved == 0 and same.style_of_content == 0


def test_both_samples_and_both_ways_are_shown(tmp_path):
    exhibit, samples = made(tmp_path, config=CONFIG | {"content": 0, "style": 4})
    grid = exhibit.blocks[0]
    assert isinstance(grid, Grid) and len(grid.items) == 2 + 2 * 3
    assert [item.id for item in grid.items[:2]] == ["test/0", "test/4"]
    groups = list(dict.fromkeys(item.group["en"] for item in grid.items))
    assert groups == ["The two samples", "test/0 in the style of test/4", "test/4 in the style of test/0"]
    losses, trade = (block for block in exhibit.blocks if isinstance(block, Figure))
    assert len(losses.data) == 6 * 12 and len(trade.data) == 6


def test_the_other_sample_is_of_another_class_and_of_the_farthest_style(tmp_path):
    exhibit, samples = made(tmp_path)
    first, second = (int(item.id.partition("/")[2]) for item in exhibit.blocks[0].items[:2])
    assert samples.labels[first] != samples.labels[second]
    network = image_network()
    with torch.no_grad():
        x = to_tensor(samples.facts, samples.inputs)
        held = [[gram(network[:2](v[None])), gram(network[3](network[:3](v[None])))] for v in x]

    def apart(one, other):
        return sum(float(((g - w) ** 2).sum() / (w**2).sum()) for g, w in zip(held[one], held[other], strict=True))

    others = np.flatnonzero(samples.labels != samples.labels[first])[:10]
    far = [apart(place, first) + apart(first, place) for place in others]
    assert second == others[int(np.argmax(far))]


def test_without_labels_the_other_sample_is_the_next_one(tmp_path):
    samples = small(tmp_path, "images", unlabelled=True).split("test")
    exhibit = shown("style", image_network(), samples, CONFIG, prepare={})
    assert [item.id for item in exhibit.blocks[0].items[:2]] == ["test/0", "test/1"]


def test_large_samples_are_made_smaller(tmp_path):
    exhibit, _ = made(tmp_path, config=CONFIG | {"size": 8})
    assert all(item.pixels.shape == (8, 8) for item in exhibit.blocks[0].items)


def test_sounds_pass_their_style_on_and_play(tmp_path):
    network = Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0)
    exhibit, _ = made(tmp_path, "sounds", network, sound=lambda name: WAV)
    assert [item.sound for item in exhibit.blocks[0].items[:3]] == [WAV, WAV, None]
    hang(exhibit, tmp_path / "exhibit")


def test_sentences_have_no_style(tmp_path):
    network = Sentence(vocabulary=8, classes=2, dimensions=4, widths=(1, 3), filters=5, dropout=0.0)
    with pytest.raises(DoesNotApply, match="words can't be changed a little"):
        made(tmp_path, "texts", network)


def test_it_takes_two(tmp_path):
    from dataclasses import replace

    samples = small(tmp_path, "images").split("test")
    alone = replace(samples, inputs=samples.inputs[:1], labels=samples.labels[:1])
    with pytest.raises(DoesNotApply, match="it takes two"):
        shown("style", image_network(), alone, CONFIG, prepare={})


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"content_layer": "99"}, LayerNotFound, "no layer '99'"),
        ({"style_layers": ["conv9"]}, LayerNotFound, "no layer 'conv9'"),
        ({"content": 40}, WrongSetting, "give one of 0 to 39"),
        ({"content": 3, "style": 3}, WrongSetting, "give another"),
        ({"style_depths": []}, WrongSetting, "name at least one share of the depth"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        made(tmp_path, config=CONFIG | changes)


def test_the_same_gives_the_same_bytes(tmp_path):
    for name in ("one", "other"):
        hang(made(tmp_path)[0], tmp_path / name)
    files = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "other" / f).read_bytes() for f in files)
