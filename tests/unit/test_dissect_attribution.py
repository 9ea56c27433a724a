"""Attributions against captum, closed forms and 20,000 steps; every kind of data, and networks as users write them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.saliency import attributions
from cnnatomy.dissect.saliency.attributions import (
    TOLERANCE,
    baseline_of,
    gradients,
    integrated,
    methods,
    occlusion,
)
from cnnatomy.dissect.saliency.path import Mean, mean_gradient
from cnnatomy.dissect.saliency.showing import precision, titled
from cnnatomy.drawing.saying import in_charts
from cnnatomy.exhibit import Grid, Texts
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.outputs import NoLogits
from cnnatomy.inspection.rectifiers import FunctionalReLU
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.sentence import Sentence
from cnnatomy.models.signal import Signal
from tests.unit.dissecting import shown
from tests.unit.small_data import hang, small

CONFIG = {"right": 2, "wrong": 1, "sample": None, "methods": None, "compared": 12}


def of_images():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3)
    )


def of_texts():
    torch.manual_seed(0)
    return Sentence(vocabulary=8, classes=2, dimensions=4, widths=(1, 3), filters=5, dropout=0.0)


def of(kind):
    torch.manual_seed(0)
    others = {"images": of_images, "texts": of_texts, "signals": lambda: Signal((2, 24), 3, (4, 5), (5, 3), 2)}
    return others.get(kind, lambda: Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0))()


class Residual(nn.Module):
    """In place, reused, added, grouped, strided, functional, as users write."""

    def __init__(self, classes=3, functional=False):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(1, 8, 5, stride=2, padding=2)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.relu = nn.ReLU(inplace=True)
        self.dense = nn.Linear(8, classes)
        self.functional = functional

    def forward(self, x):
        y = self.relu(self.norm(self.first(x)))
        z = self.second(y)
        z += y
        z = torch.relu(z) if self.functional else self.relu(z)
        return self.dense(z.mean((2, 3)))


def batch(folder, kind, n=4):
    samples = small(folder, kind).split("test")
    return samples, to_tensor(samples.facts, samples.inputs[:n])


def test_gradients_and_occlusion_as_captum_does_them(tmp_path):
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    samples, x = batch(tmp_path, "images")
    network, target = of_images(), torch.tensor([0, 1, 2, 0])
    expected = captum.Saliency(network).attribute(x.clone().requires_grad_(), target=target, abs=False)[:, 0]
    assert torch.allclose(gradients(network, x, target), expected, atol=1e-7)
    baseline = baseline_of(samples)
    for overlap, step in ((False, 2), (True, 1)):
        found = occlusion(network, x, target, baseline, overlap)
        expected = captum.Occlusion(network).attribute(
            x, (1, 2, 2), strides=(1, step, step), baselines=baseline.x, target=target
        )[:, 0]
        assert torch.allclose(found, expected, atol=1e-6)


def in_equal_steps(network, x, target, baseline, steps):
    """Integrated gradients of one sample by the midpoints of equal steps, in double precision."""
    network = network.double()
    if x.is_floating_point():
        end, begin, run = x.double(), baseline.x.double(), network
    else:
        embedding = network.embedding
        with torch.no_grad():
            end, begin = embedding(x), embedding(baseline.x)

        def run(vectors):
            handle = embedding.register_forward_hook(lambda module, inputs, output: vectors)
            try:
                return network(x.expand(len(vectors), -1))
            finally:
                handle.remove()

    total = torch.zeros_like(end)
    for places in ((torch.arange(steps, dtype=torch.float64) + 0.5) / steps).split(500):
        at = (begin + places.reshape(-1, *[1] * (end.dim() - 1)) * (end - begin)).requires_grad_()
        total += torch.autograd.grad(run(at)[:, target].sum(), at)[0].sum(0)
    cells = total / steps * (end - begin)
    return cells.sum(1)[0] if x.is_floating_point() else cells.sum(2)[0]


@pytest.mark.parametrize("kind", ["images", "sounds", "texts", "signals"])
def test_every_cell_of_integrated_gradients_is_that_of_20_000_equal_steps(tmp_path, kind):
    samples, x = batch(tmp_path, kind)
    network, target, baseline = of(kind).eval(), torch.tensor([0, 1, 1, 0]), baseline_of(samples)
    maps, means = integrated(network, x, target, baseline)
    for i in range(2):
        expected = in_equal_steps(network, x[i : i + 1], int(target[i]), baseline, 20_000)
        largest = expected.abs().max()
        assert (maps[i] - expected).abs().max() < 1e-3 * largest
        assert means[i].error < 1e-3 and means[i].points < 2000
        assert abs(means[i].difference - float(expected.sum())) < 1e-3 * float(expected.abs().sum())


def test_integrated_gradients_are_what_captum_comes_to_with_many_steps(tmp_path):
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    samples, x = batch(tmp_path, "images", 2)
    network, target = of_images(), torch.tensor([0, 1])
    maps, _ = integrated(network, x, target, baseline_of(samples))
    method = captum.IntegratedGradients(network.double())
    expected = method.attribute(
        x.double(),
        baseline_of(samples).x.double(),
        target,
        n_steps=4000,
        internal_batch_size=500,
        method="riemann_middle",
    )[:, 0]
    assert (maps - expected).abs().max() < 1e-3 * expected.abs().max()


def hinges(generator, kinks=40, cells=12):
    """A line whose gradient is a staircase of random steps, and what its contributions are in truth."""
    at = torch.rand(kinks, generator=generator, dtype=torch.float64)
    steps = torch.randn(kinks, cells, generator=generator, dtype=torch.float64)

    def along(places):
        beyond = places[:, None] - at
        return (beyond.clamp(min=0) @ steps).sum(1), (beyond > 0).double() @ steps

    return along, ((1 - at)[:, None] * steps).sum(0)


def test_the_mean_gradient_of_200_random_staircases_is_right_in_every_cell():
    generator = torch.Generator().manual_seed(0)
    off, estimated = [], []
    for _ in range(200):
        along, exact = hinges(generator)
        mean = mean_gradient(along, TOLERANCE, 4096)
        off.append(float((mean.contributions - exact).abs().max() / exact.abs().max()))
        estimated.append(mean.error)
    assert max(off) < 1e-3 and max(estimated) <= TOLERANCE
    assert 0.5 < np.mean(off) / np.mean(estimated) < 1.5  # the estimate is what is met


@pytest.mark.parametrize("points", [3, 9, 33, 100])
def test_too_few_places_are_said_to_be_too_few(points):
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        along, exact = hinges(generator)
        mean = mean_gradient(along, TOLERANCE, points)
        off = float((mean.contributions - exact).abs().max() / exact.abs().max())
        assert mean.points <= points and mean.error > TOLERANCE and off < 5 * mean.error


def test_a_curved_output_and_one_that_stays_the_same():
    curved = mean_gradient(lambda places: (places.exp(), places.exp()[:, None]), 1e-4, 200)
    assert curved.gap == pytest.approx(0, abs=1e-3) and curved.error < 1e-4
    flat = mean_gradient(lambda places: (0 * places, torch.zeros(len(places), 3)), 1e-4, 200)
    assert flat.error == 0 and flat.points == 33 and not flat.contributions.any()


def test_the_caption_says_how_far_cells_can_be_off():
    exact, rough = (Mean(torch.ones(1), 1.0, 0.0, error, points) for error, points in ((4.9e-4, 800), (0.31, 25)))
    assert "no cell is off by more than about 0.049 % of the largest" in in_charts(precision([exact]))
    assert "off by up to about 31 % of the largest: read these maps as a whole" in in_charts(precision([exact, rough]))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["images", "sounds", "texts", "signals"])
def test_every_kind_hangs_with_the_same_bytes_for_the_same_seed(tmp_path, kind):
    samples, network = small(tmp_path, kind).split("test"), of(kind)
    state = torch.get_rng_state()
    first = hang(shown("attribution", network, samples, CONFIG, seed=3), tmp_path / "one")
    second = hang(shown("attribution", network, samples, CONFIG, seed=3), tmp_path / "two")
    assert first == second and torch.equal(state, torch.get_rng_state())
    assert set(first["caption"]) == {"en", "zh"}
    error = next(number for number in first["numbers"] if number["metric"] == "path_error")
    assert error["value"] < 1e-3


def test_words_are_marked_with_signs_and_padding_is_not_shown(tmp_path):
    samples = small(tmp_path, "texts").split("test")
    exhibit = shown("attribution", of_texts(), samples, CONFIG | {"sample": 3}, seed=0)
    (texts,) = [block for block in exhibit.blocks if isinstance(block, Texts)]
    length = int((samples.inputs[3] > 0).sum())
    assert [len(sentence.tokens) for sentence in texts.sentences] == [length] * 4
    assert min(weight for sentence in texts.sentences for _, weight in sentence.tokens) < 0


def test_a_sound_says_at_which_frequency_it_is_told(tmp_path):
    samples = small(tmp_path, "sounds").split("test")
    exhibit = shown("attribution", of("sounds"), samples, CONFIG, seed=0)
    peaks = [number for number in exhibit.numbers if number.metric == "peak"]
    assert peaks and all(number.unit == "Hz" and 100 <= number.value <= 1600 for number in peaks)


def test_guided_backpropagation_fails_the_randomisation_test_and_is_marked_in_every_picture(tmp_path):
    samples = small(tmp_path, "images").split("test")
    torch.manual_seed(1)
    # All weights positive: nothing that is negative comes back, so that the class makes no difference.
    network = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(384, 3)
    )
    exhibit = shown("attribution", network, samples, CONFIG, seed=0)
    grid = next(block for block in exhibit.blocks if isinstance(block, Grid))
    by_method = {
        number.subject: number.value for number in exhibit.numbers if number.metric == "similarity_when_shuffled"
    }
    for name in attributions.NAMES:
        title = in_charts(titled(name))
        fails = by_method[f"method={name}"] > 0.5
        labels = [item.label for item in grid.items if item.id.startswith(f"{name} of")]
        assert labels and all(label["en"].startswith("✗") == fails and title in label["en"] for label in labels)
    assert by_method["method=gradients"] < 0.5


@pytest.mark.slow
def test_users_networks(tmp_path):
    samples = small(tmp_path, "images").split("test")
    written = hang(shown("attribution", Residual(), samples, CONFIG, seed=0), tmp_path / "residual")
    assert len(next(block for block in written["blocks"] if block["type"] == "matrix")["rows"]) == 4
    functional = hang(shown("attribution", Residual(functional=True), samples, CONFIG, seed=0), tmp_path / "functional")
    assert "Guided backpropagation is left out: ReLU is applied by a function" in functional["caption"]["en"]
    asked = CONFIG | {"methods": ["guided_backpropagation"]}
    with pytest.raises(FunctionalReLU):
        shown("attribution", Residual(functional=True), samples, asked, seed=0)
    torch.manual_seed(0)
    smooth = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(300, 3))
    with pytest.raises(DoesNotApply, match="no ReLU"):
        shown("attribution", smooth, samples, asked, seed=0)


def test_bad_settings_are_refused_first(tmp_path):
    samples = small(tmp_path, "images").split("test")
    with pytest.raises(ValueError, match="no attribution 'gradient'. Did you mean 'gradients'?"):
        shown("attribution", of_images(), samples, CONFIG | {"methods": ["gradient"]}, seed=0)
    with pytest.raises(ValueError, match="give one of 0 to 39"):
        shown("attribution", of_images(), samples, CONFIG | {"sample": 40}, seed=0)
    with pytest.raises(NoLogits):
        shown("attribution", of_images()[:-2], samples, CONFIG, seed=0)

    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.Linear(9, 2)

        def forward(self, tokens):
            return self.dense(tokens.float())

    with pytest.raises(DoesNotApply, match="no nn.Embedding"):
        shown("attribution", Counts(), small(tmp_path, "texts").split("test"), CONFIG, seed=0)


def test_unlabelled_photographs_in_colour(tmp_path):
    import pandas as pd

    from cnnatomy.data import prepared
    from cnnatomy.data.prepared import Axis, Facts, Normalise

    axes = [Axis("row", "px", list(range(20))), Axis("column", "px", list(range(20)))]
    classes = [f"class {i}" for i in range(1000)]
    facts = Facts("photos", "images", classes, (3, 20, 20), axes, Normalise([0.5] * 3, [0.5] * 3), "", "", "", "")
    table = pd.DataFrame({"split": "test", "label": -1, "id": ["test/china", "test/flower"]})
    inputs = np.random.default_rng(0).integers(0, 255, (2, 3, 20, 20)).astype(np.uint8)
    prepared.write(tmp_path / "photos", facts, inputs, table)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU6(), nn.Flatten(), nn.Linear(324, 1000))
    exhibit = shown("attribution", network, prepared.load(tmp_path / "photos").split("test"), CONFIG, seed=0)
    written = hang(exhibit, tmp_path / "exhibit")
    assert not any("ci_low" in number for number in written["numbers"])  # two samples make no interval


def test_a_map_for_methods_is_made_for_copies_of_the_network_too(tmp_path):
    samples, x = batch(tmp_path, "images")
    one, other = of_images(), Residual()
    for maps in methods(one, samples, None).values():
        assert maps(other, x, torch.tensor([0, 1, 2, 0])).shape == (4, 12, 12)


def test_what_is_remembered_of_a_network_is_not_given_for_other_samples_classes_or_networks(tmp_path):
    samples, network = small(tmp_path, "images").split("test"), of_images()
    other = nn.Sequential(nn.Flatten(), nn.Linear(144, 3))
    x = to_tensor(samples.facts, samples.inputs[:4])
    maps = attributions.methods(network, samples, ["gradients"])["gradients"]
    for asked in ((network, x[:2], [0, 0]), (network, x[2:], [0, 0]), (network, x[2:], [0, 1]), (other, x[2:], [0, 1])):
        net, inputs, target = *asked[:2], torch.tensor(asked[2])
        expected = attributions.gradients(net, inputs, target)
        for _ in range(2):
            assert torch.equal(maps(net, inputs, target), expected)
