"""Top patches: the strongest there are, cut to what the unit sees, and enough by themselves for its activation."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.top_patches.measure import purity_by_chance
from cnnatomy.exhibit import Grid, Texts
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.layers import LayerNotFound, trace
from cnnatomy.inspection.patches import OUTSIDE, crop, refed, sheet, sources, strongest, weight_of
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.sentence import Sentence
from tests.unit.dissecting import shown
from tests.unit.small_data import WAV, hang, small

CONFIG = {"layers": None, "patches": 9, "kilobytes": 70, "heard": 3}


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(54, 3)
    ).eval()


def padded():
    """Strides, paddings, normalisation, an even kernel, a ReLU in place: none of ours has them."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 4, stride=2, padding=2),
        nn.BatchNorm2d(4),
        nn.ReLU6(inplace=True),
        nn.Conv2d(4, 5, (3, 5), padding="same", dilation=(2, 1)),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 3),
    ).eval()


def found_in(net, samples, count=9):
    looked_at, _ = sources(samples.facts, trace(net, to_tensor(samples.facts, samples.inputs[:1])))
    return looked_at, strongest(net, samples, looked_at, count)


def numbers(exhibit):
    return {(number.metric, number.subject): number.value for number in exhibit.numbers}


def test_the_patches_are_the_best_of_all_samples_one_each(tmp_path):
    samples, net = small(tmp_path, "images").split("test"), network()
    looked_at, found = found_in(net, samples)
    with torch.no_grad():
        maps = {
            "0": net[0](to_tensor(samples.facts, samples.inputs)),
            "3": net[:4](to_tensor(samples.facts, samples.inputs)),
        }
    for source in looked_at:
        peaks = maps[source.name].flatten(2).amax(2)
        for channel, row in zip(source.filters, found[source.name].patches, strict=True):
            best = peaks[:, channel].sort(descending=True).values[:9]
            assert [patch.value for patch in row] == pytest.approx(best.tolist(), rel=1e-6)
            assert len({patch.sample for patch in row}) == 9
            for patch in row:
                assert float(maps[source.name][(patch.sample, channel, *patch.unit)]) == pytest.approx(patch.value)
        fires = (peaks > 0).sum(0)
        assert found[source.name].fires.tolist() == fires.tolist()


def test_a_patch_alone_gives_the_activation(tmp_path):
    """Where nothing is padded, the layers make one unit of the patch cut out: the filter's answer in the image."""
    samples, net = small(tmp_path, "images").split("test"), network()
    for name, layers, side in (("0", net[:1], 3), ("3", net[:4], 8)):
        looked_at, found = found_in(net, samples)
        source = next(source for source in looked_at if source.name == name)
        x = to_tensor(samples.facts, samples.inputs)
        for channel, row in zip(source.filters, found[name].patches, strict=True):
            for patch in row:
                (top, bottom), (left, right) = patch.window
                alone = x[patch.sample, None, :, top:bottom, left:right]
                assert alone.shape[2:] == (side, side)
                with torch.no_grad():
                    answer = layers(alone)
                assert answer.shape == (1, len(source.filters), 1, 1)
                assert float(answer[0, channel]) == pytest.approx(patch.value, abs=1e-5)


@pytest.mark.parametrize("make", [network, padded])
def test_a_patch_put_back_gives_its_activation_whatever_is_around_it(tmp_path, make):
    samples, net = small(tmp_path, "images").split("test"), make()
    assert numbers(shown("top_patches", net, samples, CONFIG))["refed_error", ""] < 1e-5
    looked_at, found = found_in(net, samples)
    last = looked_at[-1]
    values = [patch.value for row in found[last.name].patches for patch in row]
    assert refed(net, samples, last, found[last.name].patches) == pytest.approx(values, abs=1e-5)
    # The same with a window that is too small by a row must fail, or the check would prove nothing.
    short = [
        [replace(patch, window=((patch.window[0][0] + 1, patch.window[0][1]), *patch.window[1:])) for patch in row]
        for row in found[last.name].patches
    ]
    assert np.abs(refed(net, samples, last, short) - values).max() > 1e-3


def test_a_patch_that_is_not_all_a_filter_sees_is_not_said_to_be(tmp_path):
    """A gate that looks at the whole map; a border that is mirrored is seen from further in, and all that is there."""

    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.dense = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 3)

        def forward(self, x):
            x = self.first(x)
            return self.dense(self.second(x * x.mean((2, 3), keepdim=True).tanh()).relu().mean((2, 3)))

    torch.manual_seed(0)
    exhibit = shown("top_patches", Gated().eval(), small(tmp_path, "images").split("test"), CONFIG)
    assert numbers(exhibit)["refed_error", ""] > 0.01
    mirrored = nn.Conv2d(1, 4, 5, padding=4, padding_mode="reflect")
    net = nn.Sequential(mirrored, nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16 * 16, 3)).eval()
    whole = shown("top_patches", net, small(tmp_path, "images").split("test"), CONFIG)
    assert numbers(whole)["refed_error", ""] == 0 and "gives the same activation" in whole.caption["en"]
    assert "gives another activation" in exhibit.caption["en"] and "the same activation" not in exhibit.caption["en"]
    plain = shown("top_patches", network(), small(tmp_path, "images").split("test"), CONFIG)
    assert "gives the same activation" in plain.caption["en"]


def test_refed_sentences_and_sounds_too(tmp_path):
    torch.manual_seed(0)
    sentence = Sentence(vocabulary=8, classes=2, dimensions=4, widths=(1, 2, 3), filters=5, dropout=0.0)
    frequency = Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0)
    for kind, net in (("texts", sentence), ("sounds", frequency)):
        exhibit = shown("top_patches", net, small(tmp_path, kind).split("test"), CONFIG)
        assert numbers(exhibit)["refed_error", ""] < 1e-5


def test_each_filter_is_one_picture_of_nine_patches(tmp_path):
    samples, net = small(tmp_path, "images").split("test"), network()
    exhibit = shown("top_patches", net, samples, CONFIG)
    first, second = (block for block in exhibit.blocks if isinstance(block, Grid))
    assert (len(first.items), len(second.items)) == (4, 6)
    assert first.items[0].pixels.shape == (3 * 3 + 2, 3 * 3 + 2)
    assert second.items[0].pixels.shape == (3 * 8 + 2, 3 * 8 + 2)
    # Behind the switch are whole samples, along which other numbers would stand.
    assert all((grid.axes is None) == bool(grid.variants) for grid in exhibit.blocks if isinstance(grid, Grid))
    _, found = found_in(net, samples)
    for place, patch in enumerate(found["3"].patches[2]):
        (top, bottom), (left, right) = patch.window
        row, column = divmod(place, 3)
        cell = second.items[2].pixels[9 * row : 9 * row + 8, 9 * column : 9 * column + 8]
        assert np.array_equal(cell, samples.inputs[patch.sample, 0, top:bottom, left:right])
    hang(exhibit, tmp_path / "exhibit")


def test_purity_is_the_share_of_the_most_frequent_class(tmp_path):
    samples, net = small(tmp_path, "images").split("test"), network()
    _, found = found_in(net, samples)
    of = {
        tuple(number.subject.split(";")[:2]): number
        for number in shown("top_patches", net, samples, CONFIG).numbers
        if number.metric == "purity" and number.subject
    }
    for channel, row in enumerate(found["3"].patches):
        labels = samples.labels[[patch.sample for patch in row if patch.value > 0]]
        if len(labels) == 0:  # a filter that nothing excites prefers no class
            assert ("layer=3", f"filter={channel}") not in of
            continue
        number = of["layer=3", f"filter={channel}"]
        assert number.value == pytest.approx(np.bincount(labels).max() / len(labels), rel=1e-3)
        assert number.n == len(labels)


def test_purity_by_chance_is_that_of_all_draws():
    labels = np.array([0, 0, 0, 1, 1, 2])
    shares = np.array([3, 2, 1]) / 6
    mean = sum(
        np.prod(shares[list(draw)]) * np.bincount(draw).max() / 4 for draw in product(range(3), repeat=4)
    )  # every draw of four with its probability
    assert purity_by_chance(labels, 4) == pytest.approx(mean)


def test_padding_has_a_colour_of_its_own(tmp_path):
    facts = small(tmp_path, "images").facts
    drawn = np.full((12, 12), 200, dtype=np.uint8)
    patch = crop(facts, drawn, ((-2, 3), (9, 14)))
    assert patch.shape == (5, 5, 3)
    assert (patch[:2] == OUTSIDE).all() and (patch[:, 3:] == OUTSIDE).all()
    assert (patch[2:, :3] == 200).all()
    assert crop(facts, drawn, ((2, 5), (0, 3))).shape == (3, 3)
    assert crop(facts, drawn, ((-9, 20), (0, 3))).shape == (12, 3)  # more than there is: all there is


def test_a_piece_of_a_spectrogram_is_cut_where_its_frequencies_hang(tmp_path):
    facts = small(tmp_path, "sounds").facts
    drawn = np.arange(16 * 10, dtype=np.uint8).reshape(16, 10)[::-1]  # row 0 is the highest band
    assert np.array_equal(crop(facts, drawn, ((2, 5), (0, 10))), drawn[11:14])


def test_a_sheet_has_lines_between():
    one, two = np.zeros((2, 3), dtype=np.uint8), np.full((2, 3), 255, dtype=np.uint8)
    assert sheet([one, two], 2).tolist() == [[0, 0, 0, 128, 255, 255, 255]] * 2


def test_words_are_marked_in_their_sentence_and_padding_never_wins(tmp_path):
    torch.manual_seed(0)
    net = Sentence(vocabulary=8, classes=2, dimensions=4, widths=(1, 2, 3), filters=5, dropout=0.0)
    with torch.no_grad():
        net.conv1.bias[:] = 1.0  # so that a window of padding alone would be strong
        net.conv1.weight[:] = -net.conv1.weight.abs()
        net.embedding.weight[1:] = net.embedding.weight[1:].abs()
    samples = small(tmp_path, "texts").split("test")
    exhibit = shown("top_patches", net, samples, CONFIG)
    blocks = [block for block in exhibit.blocks if isinstance(block, Texts)]
    assert [block.name for block in blocks] == ["patches-conv1", "patches-conv2", "patches-conv3"]
    for block, width in zip(blocks, (1, 2, 3), strict=True):
        for sentence in block.sentences:
            marked = [word for word, weight in sentence.tokens if weight > 0]
            assert len(marked) <= width
            if block.name == "patches-conv1":
                assert len(marked) == 1
    hang(exhibit, tmp_path / "exhibit")


def test_sounds_move_and_play(tmp_path):
    torch.manual_seed(0)
    samples = small(tmp_path, "sounds").split("test")
    net = Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0)
    asked = []

    def sound(name):
        asked.append(name)
        return WAV

    exhibit = shown("top_patches", net, samples, CONFIG, sound=sound)
    heard = exhibit.blocks[0]
    assert heard.name == "heard" and 1 <= len(heard.items) <= 3
    assert all(item.sound == WAV for item in heard.items) and len(asked) == len(heard.items)
    found = numbers(exhibit)
    assert found["moves_if_anywhere", ""] == pytest.approx(
        (4 * np.arange(14).std() + 5 * 2 * np.arange(6).std()) / 9, rel=0.15
    )
    _, patches = found_in(net, samples)
    live = [patch for patch in patches["conv1"].patches[0] if patch.value > 0]
    centres = [patch.window[0][0] + 1 for patch in live]
    assert found["frequency", "layer=conv1;filter=0"] == pytest.approx(100 * (np.mean(centres) + 1), rel=1e-3)
    assert found["moves", "layer=conv1;filter=0"] == pytest.approx(np.std(centres), rel=1e-2, abs=1e-9)


def test_few_samples_give_several_places_that_do_not_overlap(tmp_path):
    from dataclasses import replace as changed

    samples = small(tmp_path, "images").split("test")
    two = changed(samples, inputs=samples.inputs[:2], labels=np.array([-1, -1]))
    _, found = found_in(network(), two)
    for row in found["0"].patches:
        assert len(row) == 9
        assert [patch.value for patch in row] == sorted((patch.value for patch in row), reverse=True)
        covered = np.zeros((2, 12, 12), dtype=int)
        for patch in row:
            (top, bottom), (left, right) = patch.window
            covered[patch.sample, top:bottom, left:right] += 1
        assert covered.max() == 1
    exhibit = shown("top_patches", network(), two, CONFIG)
    assert not any(number.metric == "purity" for number in exhibit.numbers)
    hang(exhibit, tmp_path / "exhibit")


def test_of_a_network_with_thousands_of_filters_some_are_looked_at_and_the_caption_says_so(tmp_path):
    layers = []
    for place in range(9):
        layers += [nn.Conv2d(1 if place == 0 else 64, 64, 1), nn.ReLU(inplace=True)]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 3)).eval()
    exhibit = shown("top_patches", net, small(tmp_path, "images").split("test"), CONFIG)
    names = [block.name for block in exhibit.blocks if isinstance(block, Grid)]
    assert len(names) == 12 and len([name for name in names if name.endswith("-others")]) == 6
    assert "96 of 576 filters are looked at, evenly chosen from 6 convolutions" in exhibit.caption["en"]
    named = shown("top_patches", net, small(tmp_path, "images").split("test"), CONFIG | {"layers": ["4"]})
    assert len([number for number in named.numbers if number.metric == "best_activation"]) == 64
    assert "64 filters of 4 are looked at, as the settings ask" in named.caption["en"]


def test_a_filter_that_never_fires_is_dead(tmp_path):
    net = network()
    with torch.no_grad():
        net[0].weight[1], net[0].bias[1] = 0.0, -1.0
    exhibit = shown("top_patches", net, small(tmp_path, "images").split("test"), CONFIG)
    item = exhibit.blocks[0].items[1]
    assert item.state == "dead" and item.values["best"] == -1
    assert "Dead, never above zero on these samples: 1" in exhibit.blocks[0].caption["en"]


def test_no_more_room_is_taken_than_is_given(tmp_path):
    samples = small(tmp_path, "images").split("test")
    roomy, tight = (shown("top_patches", network(), samples, CONFIG | {"kilobytes": room}) for room in (70, 3))
    drawn = [item for block in tight.blocks for item in block.items]
    assert sum(weight_of(item.pixels) for item in drawn) <= 3000
    assert 2 <= len(drawn) < sum(len(block.items) for block in roomy.blocks)
    assert f"{len(tight.blocks[1].items)} of 6 filters" in tight.blocks[1].title["en"]
    assert len(tight.numbers) == len(roomy.numbers)  # what isn't drawn is still measured


def test_bad_input_is_refused(tmp_path):
    samples = small(tmp_path, "images").split("test")
    with pytest.raises(LayerNotFound, match="no layer 'conv'"):
        shown("top_patches", network(), samples, CONFIG | {"layers": ["conv"]})
    with pytest.raises(ValueError, match="'6' has no patches"):
        shown("top_patches", network(), samples, CONFIG | {"layers": ["6"]})
    with pytest.raises(LayerNotFound, match="no convolution"):
        shown("top_patches", nn.Sequential(nn.Flatten(), nn.Linear(144, 3)), samples, CONFIG)
    whole = nn.Sequential(nn.Conv2d(1, 4, 12), nn.ReLU(), nn.Flatten(), nn.Linear(4, 3))
    with pytest.raises(DoesNotApply, match="no convolution of the network looks at parts"):
        shown("top_patches", whole, samples, CONFIG)


def test_the_same_network_gives_the_same_bytes(tmp_path):
    samples = small(tmp_path, "images").split("test")
    for name in ("one", "two"):
        hang(shown("top_patches", padded(), samples, CONFIG), tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
