"""Feature maps: the right sample, the right layer, zero as zero, dead told from silent."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.feature_maps.measure import ranks
from cnnatomy.dissect.feature_maps.show import pixels_of, thinned
from cnnatomy.exhibit import Figure, Grid, Texts
from cnnatomy.inspection.choosing import WrongSetting, chosen_samples
from cnnatomy.inspection.layers import LayerNotFound
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.sentence import Sentence
from tests.unit.dissecting import shown
from tests.unit.small_data import WAV, hang, small

CONFIG = {"label": None, "sample": None, "layers": None, "columns": 8, "compared": 2000}


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(54, 3)
    )


def grids(exhibit):
    return {block.name: block for block in exhibit.blocks if isinstance(block, Grid)}


def test_the_first_six_of_the_test_split_is_the_default(tmp_path):
    for kind, six in (("images", "6"), ("sounds", "six")):
        samples = small(tmp_path, kind).split("test")
        (place,) = chosen_samples(samples, None, None)
        assert samples.facts.classes[samples.labels[place]] == six
        assert six not in [samples.facts.classes[label] for label in samples.labels[:place]]
    assert chosen_samples(small(tmp_path, "texts").split("test"), None, None) == [0]


def test_a_sample_or_a_class_can_be_asked_for(tmp_path):
    samples = small(tmp_path, "images").split("test")
    assert chosen_samples(samples, 3, None) == [3]
    assert chosen_samples(samples, [3, 5], "7") == [3, 5]
    assert samples.labels[chosen_samples(samples, None, "7")[0]] == 2


@pytest.mark.parametrize("sample", [40, -1, [0, 99], "three"])
def test_a_place_outside_of_the_split_is_refused(tmp_path, sample):
    with pytest.raises(
        WrongSetting, match="no place in the test split of 'images', which has 40 samples; give one of 0 to 39"
    ):
        chosen_samples(small(tmp_path, "images").split("test"), sample, None)


def test_a_misspelt_class_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(WrongSetting, match="no class 'sevn'. Did you mean 'seven'?"):
        chosen_samples(small(tmp_path, "sounds").split("test"), None, "sevn")


def test_all_channels_of_the_first_two_convolutions_after_their_activations(tmp_path):
    samples, net = small(tmp_path, "images").split("test"), network()
    exhibit = shown("feature_maps", net, samples, CONFIG)
    found = grids(exhibit)
    assert [len(found[name].items) for name in ("maps-0", "maps-3")] == [4, 6]
    assert found["maps-0"].items[1].pixels.shape == (10, 10, 3)
    (place,) = chosen_samples(samples, None, None)
    maps = net[:2](to_tensor(samples.facts, samples.inputs[place : place + 1]))[0].detach()
    for channel, item in enumerate(found["maps-0"].items):
        assert item.values["largest"] == pytest.approx(float(maps[channel].max()), rel=1e-3)
        assert item.values["zeros"] == pytest.approx(float((maps[channel] == 0).float().mean()), rel=1e-3)
    assert "3 × 3 px" in found["maps-0"].title["en"] and "8 × 8 px" in found["maps-3"].title["en"]
    hang(exhibit, tmp_path / "exhibit")


def test_the_numbers_of_the_whole_come_first_and_are_those_of_the_maps(tmp_path):
    samples, net = small(tmp_path, "images").split("test"), network()
    with torch.no_grad():
        net[0].bias[1], net[0].weight[1] = -1.0, 0.0
    exhibit = shown("feature_maps", net, samples, CONFIG)
    whole = [number for number in exhibit.numbers if not number.subject]
    assert exhibit.numbers[: len(whole)] == whole and len(whole) <= 6
    values = {number.metric: number.value for number in whole}
    x = to_tensor(samples.facts, samples.inputs)
    first, second = net[:2](x).detach(), net[:5](x).detach()
    peaks = torch.cat([first.flatten(2).amax(2), second.flatten(2).amax(2)], dim=1)
    (place,) = chosen_samples(samples, None, None)
    assert values["maps"] == 10
    assert values["dead"] == pytest.approx(float((peaks <= 0).all(0).float().mean()))
    assert values["silent"] == pytest.approx(float((peaks[place] <= 0).float().mean()))
    zeros = torch.cat([(maps[place].flatten(1) <= 0).float().mean(1) for maps in (first, second)])
    assert values["map_zeros"] == pytest.approx(float(zeros.mean()), rel=1e-3)
    assert values["sees"] == pytest.approx((8 / 12) ** 2, rel=1e-3)


def test_the_sample_of_a_sound_plays(tmp_path):
    net = Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0)
    heard = []
    exhibit = shown(
        "feature_maps",
        net,
        small(tmp_path, "sounds").split("test"),
        CONFIG,
        sound=lambda name: heard.append(name) or WAV,
    )
    assert grids(exhibit)["sample"].items[0].sound == WAV and len(heard) == 1


def test_a_map_that_never_fires_is_dead_and_drawn_as_zero(tmp_path):
    net = network()
    with torch.no_grad():
        net[0].bias[1], net[0].weight[1] = -1.0, 0.0
    exhibit = shown("feature_maps", net, small(tmp_path, "images").split("test"), CONFIG)
    item = grids(exhibit)["maps-0"].items[1]
    assert item.state == "dead"
    assert len(np.unique(item.pixels.reshape(-1, 3), axis=0)) == 1
    fires = {number.subject: number for number in exhibit.numbers if number.metric == "fires"}
    dead = next(number for subject, number in fires.items() if "layer=0;filter=1;" in subject)
    assert (dead.value, dead.ci_low, dead.n) == (0, 0, 40)
    assert dead.ci_high > 0.05  # forty samples can't say never


def test_a_map_at_zero_here_only_is_not_called_dead(tmp_path):
    samples, net = small(tmp_path, "images").split("test"), network()
    (place,) = chosen_samples(samples, None, None)
    x = to_tensor(samples.facts, samples.inputs)
    with torch.no_grad():
        peaks = net[0](x).flatten(2).amax(2)[:, 2]
        net[0].bias[2] -= peaks[place] + 1e-3
    other = (peaks > peaks[place] + 1e-3).float().mean().item()
    item = grids(shown("feature_maps", net, samples, CONFIG))["maps-0"].items[2]
    assert 0 < other < 1
    assert (item.state, item.label["en"], item.values["largest"]) == ("", "2, zero here", 0)
    assert item.values["fires for"] == pytest.approx(other, abs=1e-3)


def test_maps_with_signs_have_zero_near_white():
    maps = np.zeros((2, 3, 3))
    maps[0, 0, 0], maps[1, 0, 0] = 1.0, -1.0

    class Images:
        kind = "images"

    up, down = pixels_of(maps, Images())
    assert up[1, 1].tolist() == down[1, 1].tolist() == [247, 247, 247]
    assert up[0, 0, 0] > up[0, 0, 2] and down[0, 0, 0] < down[0, 0, 2]


def test_a_large_map_is_drawn_smaller_without_losing_a_peak():
    maps = np.zeros((1, 113, 70))
    maps[0, 112, 69], maps[0, 5, 5] = 3.0, -2.0
    small_map = thinned(maps[0])
    assert small_map.shape == (57, 35)
    assert (small_map[56, 34], small_map[2, 2]) == (3, -2)
    assert np.count_nonzero(small_map) == 2
    assert thinned(maps[0, :64]).shape == (32, 35) and thinned(maps[0, :64, :64]).shape == (64, 64)


def test_a_faint_map_is_not_stretched_into_a_pattern():
    maps = np.zeros((2, 3, 3))
    maps[0, 0, 0], maps[1, 0, 0] = 1.0, 1e-6

    class Images:
        kind = "images"

    strong, faint = pixels_of(maps, Images())
    assert strong[0, 0].sum() > 600
    assert (faint == faint[2, 2]).all()


def test_layers_can_be_named_and_a_misspelt_one_is_answered_with_the_nearest(tmp_path):
    samples = small(tmp_path, "images").split("test")
    exhibit = shown("feature_maps", network(), samples, CONFIG | {"layers": ["2"]})
    assert list(grids(exhibit)) == ["sample", "maps-2"]
    with pytest.raises(LayerNotFound, match="no layer 'conv'. Its layers are: 0, 1, 2"):
        shown("feature_maps", network(), samples, CONFIG | {"layers": ["conv"]})
    with pytest.raises(LayerNotFound, match="'6' has no maps"):
        shown("feature_maps", network(), samples, CONFIG | {"layers": ["6"]})


def test_several_samples_stand_in_groups(tmp_path):
    exhibit = shown("feature_maps", network(), small(tmp_path, "images").split("test"), CONFIG | {"sample": [0, 7]})
    groups = [item.group for item in grids(exhibit)["maps-0"].items]
    assert groups == ["test/0"] * 4 + ["test/7"] * 4
    hang(exhibit, tmp_path / "exhibit")


def test_a_frequency_network_says_that_its_maps_know_nothing_of_time(tmp_path):
    samples = small(tmp_path, "sounds").split("test")
    exhibit = shown("feature_maps", Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0), samples, CONFIG)
    strips = [block for block in exhibit.blocks if isinstance(block, Figure)]
    assert len(strips) == 2
    assert "not when" in strips[0].caption["en"]
    assert strips[0].data["frequency, Hz"].tolist() == [200.0 + 100 * unit for unit in range(14)]
    hang(exhibit, tmp_path / "exhibit")


def test_on_a_sentence_only_windows_with_words_count_and_words_are_marked(tmp_path):
    samples = small(tmp_path, "texts").split("test")
    torch.manual_seed(0)
    net = Sentence(vocabulary=8, classes=2, dimensions=4, widths=(1, 3), filters=5, dropout=0.0)
    with torch.no_grad():
        net.conv3.bias += 5  # fires on padding more than on any word; that must not show
        net.conv3.weight *= 0.1
    exhibit = shown("feature_maps", net, samples, CONFIG)
    length = int((samples.inputs[0] > 0).sum())
    found = grids(exhibit)
    assert found["maps-conv1"].items[0].pixels.shape[1] == length
    assert found["maps-conv3"].items[0].pixels.shape[1] == length + 2
    marked = next(block for block in exhibit.blocks if isinstance(block, Texts) and block.name == "marked-conv3")
    assert len(marked.sentences[0].tokens) == length
    assert max(weight for _, weight in marked.sentences[0].tokens) == pytest.approx(
        marked.sentences[0].values["largest"], rel=1e-3
    )
    hang(exhibit, tmp_path / "exhibit")


def test_with_two_samples_nothing_is_said_of_others(tmp_path):
    samples = small(tmp_path, "images").split("test")
    exhibit = shown("feature_maps", network(), samples, CONFIG | {"compared": 2})
    assert not [number for number in exhibit.numbers if number.metric in ("fires", "dead", "map_rank")]
    assert "too few samples" in grids(exhibit)["maps-0"].caption["en"]


def test_peaks_that_differ_in_their_last_bits_only_are_equal():
    """As those of sentences that share a filter's best word are, when one is read alone and the others in a batch."""
    peaks = np.array([[0.5], [0.5], [np.nextafter(np.float32(0.5), np.float32(1))], [0.7], [0.0]], dtype=np.float32)
    for peak in peaks[:3, 0]:
        assert ranks(np.array([peak]), peaks) == pytest.approx(1 / 5 + 3 / 5 / 2)
    assert ranks(np.zeros(1, np.float32), peaks) == pytest.approx(1 / 5 / 2)
