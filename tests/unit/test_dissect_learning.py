"""How it learned: distances, likeness and when classes are learned, against brute force and made-up ways."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.learning import Settings
from cnnatomy.dissect.learning.class_images import TooMuch, class_images
from cnnatomy.dissect.learning.measure import Course, Learning, in_step, likeness, numbers, since
from cnnatomy.dissect.learning.show import _order, _soon
from cnnatomy.exhibit import Steps
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.languages import language
from cnnatomy.exhibit.words import described
from cnnatomy.models.snapshots import Snapshot
from tests.unit.dissecting import shipped, shown
from tests.unit.small_data import hang, small


def unbiased(k: np.ndarray, m: np.ndarray) -> float:
    """HSIC of Song et al. 2012 as it is defined: the mean over all quadruples of different samples."""
    quadruples = list(permutations(range(len(k)), 4))
    return sum(k[i, j] * m[i, j] + k[i, j] * m[q, r] - 2 * k[i, j] * m[i, q] for i, j, q, r in quadruples) / len(
        quadruples
    )


def test_likeness_is_its_definition():
    random = np.random.default_rng(0)
    a, b = random.normal(1, 1, (7, 5)), random.normal(size=(7, 3))
    b[:, 0] += a[:, 1]
    k, m = a @ a.T, b @ b.T
    wanted = unbiased(k, m) / np.sqrt(unbiased(k, k) * unbiased(m, m))
    assert likeness(torch.tensor(a), torch.tensor(b)) == pytest.approx(wanted, rel=1e-9)


def test_likeness_is_one_whatever_the_size_and_rotation_and_nothing_by_chance():
    random = np.random.default_rng(1)
    a = random.normal(size=(40, 12))
    turned = 3 * a @ np.linalg.qr(random.normal(size=(12, 12)))[0]
    assert likeness(torch.tensor(a), torch.tensor(turned)) == pytest.approx(1)
    # Many more units than samples, for which the plain form says 0.5 and more of unrelated layers.
    chance = [likeness(*torch.tensor(random.normal(size=(2, 24, 600)))) for _ in range(60)]
    assert abs(np.mean(chance)) < 4 * np.std(chance) / np.sqrt(60)
    assert likeness(torch.zeros(9, 4), torch.tensor(random.normal(size=(9, 4)))) == 0


def test_since_is_the_first_look_from_which_on_it_holds():
    random = np.random.default_rng(2)
    for _ in range(100):
        holds = random.random((6, 4)) < 0.7
        wanted = [next(row for row in range(6) if holds[row:5, column].all()) for column in range(4)]
        assert since(holds).tolist() == wanted  # at the end all is what it ends as


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))


def way(end: nn.Module, shares=(0.0, 0.5, 0.95), steps=(0, 4, 16)) -> list[Snapshot]:
    """A network that goes straight from other weights to its last ones."""
    start, found = deepcopy(end), []
    with torch.no_grad():
        torch.manual_seed(7)
        for parameter in start.parameters():
            parameter.copy_(torch.randn_like(parameter))
        for step, share in zip(steps, shares, strict=True):
            look = deepcopy(end)
            for one, first, last in zip(look.parameters(), start.parameters(), end.parameters(), strict=True):
                one.copy_(first + share * (last - first))
            found.append(Snapshot(step, step / 10, look))
    return [*found, Snapshot(40, 4.0, end)]


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return small(tmp_path_factory.mktemp("data"), "images").split("test")


@pytest.fixture(scope="module")
def made(samples):
    end = network()
    with torch.no_grad():
        end(torch.zeros(1, *samples.facts.shape))
    looks = way(end)
    return looks, shown("learning", end, samples, {"compared": 8}, snapshots=[looks, way(end, (0, 0.2, 0.9))], seed=0)


def settings(**given) -> Settings:
    return Settings(**shipped("learning") | given)


def row(exhibit, metric, subject):
    return next(one for one in exhibit.numbers if (one.metric, one.subject) == (metric, subject))


def test_filters_are_settled_when_they_are_near_their_last_weights(made):
    looks, exhibit = made
    for place in (0, 2):
        end = looks[-1].network[place].weight.detach().flatten(1).double()
        far = [
            (one.network[place].weight.detach().flatten(1).double() - end).norm(dim=1) / end.norm(dim=1)
            for one in looks
        ]
        for look in range(3):
            settled = torch.stack(far[look:]).amax(0) <= 0.1
            share = row(exhibit, "settled_filters", f"layer={place};step={looks[look].step}")
            assert (share.value, share.n) == (pytest.approx(float(settled.double().mean())), len(end))
    assert row(exhibit, "settled_filters", "layer=2;step=0").value == 0


def test_accuracy_on_the_way_is_that_of_the_network_as_it_was(made, samples):
    looks, exhibit = made
    x = torch.tensor(samples.inputs[:]).float()
    for look in looks:
        rate = row(exhibit, "accuracy_on_the_way", f"step={look.step}")
        with torch.no_grad():
            right = look.network(to_tensor(samples.facts, samples.inputs)).argmax(1).numpy() == samples.labels
        assert rate.value == pytest.approx(right.mean()) and rate.n == len(x)


def test_it_hangs_with_a_frame_for_every_look(made, tmp_path):
    looks, exhibit = made
    walk = next(block for block in exhibit.blocks if isinstance(block, Steps))
    assert len(walk.frames) == len(looks)
    hang(exhibit, tmp_path)


def test_where_nothing_was_kept_it_says_what_to_do(samples):
    with pytest.raises(DoesNotApply, match="training.snapshots=true"):
        shown("learning", network(), samples, {}, snapshots=[[], []], seed=0)


def test_of_too_few_samples_it_says_so(made, samples):
    """Its likeness divides by what three samples leave nothing of."""
    few = replace(samples, inputs=samples.inputs[:3], labels=samples.labels[:3])
    with pytest.raises(DoesNotApply, match="at least four test samples"):
        shown("learning", network(), few, {}, snapshots=[made[0]], seed=0)


def test_only_looks_that_all_networks_had_are_compared():
    one, other = (
        [Snapshot(step, 0.0, nn.Identity()) for step in (0, 4, 16, 20)],
        [Snapshot(step, 0.0, nn.Identity()) for step in (0, 4, 9)],
    )
    assert [[look.step for look in found] for found in in_step([one, other])] == [[0, 4, 20], [0, 4, 9]]


def course(name: str, *values: float) -> Course:
    return Course(name, None, np.array([values]))


def learning(right=(0, 9, 10), layers=(), steps=(0, 4, 16)) -> Learning:
    confusion = np.array([[[hits, 10 - hits], [0, 10]] for hits in right])
    nothing = np.zeros((len(steps), 1, 1, 1))
    return Learning(
        np.array(steps), np.array(steps) / 10, confusion, np.ones((1, len(steps))), list(layers), "a", nothing, "b",
        nothing, np.array([0]), 0, None, 0.1, 0.9,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "wanted"),
    [
        ([course("a", 0.1, 0.95, 1), course("b", 0.1, 0.2, 1)], "upward"),
        ([course("a", 0.1, 0.2, 1), course("b", 0.1, 0.95, 1)], "downward"),
        ([course("a", 0.1, 0.95, 1), course("b", 0.1, 0.95, 1)], "together"),
        ([course("a", 0.1, 0.95, 1), course("b", 0.1, 0.2, 1), course("c", 0.1, 0.95, 1)], "mixed"),
        ([course("a", 0.95, 0.2, 1), course("b", 0.1, 0.95, 1)], "downward"),  # what falls back is not settled
    ],
)
def test_the_order_of_layers_is_said_as_it_was(layers, wanted):
    assert _order(learning(layers=layers)).id == f"learning.order.{wanted}"


def test_of_one_layer_no_order_is_said():
    assert _order(learning(layers=[course("a", 0, 0, 1)])) is None


@pytest.mark.parametrize(
    ("right", "wanted"), [((0, 9, 10), "soon"), ((0, 0, 10), "late"), ((10, 10, 10), "soon"), ((10, 0, 10), "late")]
)
def test_how_soon_it_reads_is_said_as_it_was(right, wanted):
    assert _soon(learning(right)).id == f"learning.{wanted}"


def test_a_class_is_learned_when_it_stays_so():
    found = learning((9, 0, 10))
    assert list(found.steps[found.class_learned]) == [16, 16]
    assert list(replace(found, learned=0.0).class_learned) == [0, 0]


def test_a_network_that_says_one_class_of_everything_knows_it_not():
    always_second = learning((0, 9, 10))
    assert always_second.steps[always_second.class_learned[1]] == 4, (
        "all of its samples are right before the first step"
    )


def test_of_a_class_that_is_never_found_no_step_is_named():
    never_first = replace(learning(), confusion=np.array([[[0, 5], [0, 5]]] * 3))
    steps = {row.subject: row.value for row in numbers(never_first, ["a", "b"]) if row.metric == "learned_after_steps"}
    assert steps == {"class=b": 0}


def test_how_well_a_class_is_known_is_its_f1():
    from sklearn.metrics import confusion_matrix, f1_score

    random = np.random.default_rng(3)
    true, said = random.integers(0, 4, 60), random.integers(0, 4, 60)
    confusion = confusion_matrix(true, said, labels=range(5))  # of the fifth class there is no sample
    found = replace(learning(), confusion=np.stack([confusion] * 3)).by_class[0]
    assert found[:4] == pytest.approx(f1_score(true, said, average=None)) and np.isnan(found[4])


def test_classes_may_be_called_what_the_tables_call_their_columns(tmp_path, samples):
    called = replace(samples, facts=replace(samples.facts, classes=["step", "mean", "all"]))
    end = network()
    with torch.no_grad():
        end(torch.zeros(1, *samples.facts.shape))
    hang(shown("learning", end, called, {"compared": 8}, snapshots=[way(end)], seed=0), tmp_path)


def test_class_images_are_as_modest_as_samples_and_raise_their_class(samples):
    end = network()
    with torch.no_grad():
        end(torch.zeros(1, *samples.facts.shape))
    looks = way(end)
    tested = np.arange(len(samples))
    made = class_images(looks, samples, tested, settings(climb=40), 0)
    shares = to_tensor(samples.facts, samples.inputs).flatten(1)  # of grey images of one range: its pixels as they are
    side = made.images.flatten(2)
    span = float(made.box.range)
    background = float(made.box.background)
    for row, label in enumerate(made.classes):
        typical = np.median((shares[samples.labels == label] - background).abs().mean(1)) / span
        assert float(((side[:, row] - background).abs().mean(1) / span).max()) <= float(typical) * 1.001
    for look, images in zip(looks, made.images, strict=True):
        noise = class_images([look], samples, tested, settings(climb=1), 0).images[0]
        climbed, before = (look.network(one).diagonal() for one in (images, noise))
        assert bool((climbed >= before - 1e-5).all()) and bool((climbed > before).any())
    named = torch.stack([end(images).argmax(1) for images in made.images]).numpy() == made.classes
    assert (made.named == named).all() and made.named[-1].all()


def test_there_are_no_class_images_where_they_take_too_long_or_none_are_asked_for(samples, made):
    looks, exhibit = made
    assert isinstance(class_images(looks, samples, np.arange(len(samples)), settings(work=1), 0), TooMuch)
    assert class_images(looks, samples, np.arange(len(samples)), settings(classes=0), 0) is None
    frames = next(block for block in exhibit.blocks if isinstance(block, Steps)).frames
    items = [item for frame in frames for item in frame.blocks[0].items if item.id.startswith("classes/")]
    assert [item.values["named at the end"] for item in items][-1] == 3 and len(items) == len(looks)


def walked(samples, end: nn.Module, **given):
    """The walk through training and what is said below it, in English."""
    exhibit = shown("learning", end, samples, {"compared": 8} | given, snapshots=[way(end)], seed=0)
    walk = next(block for block in exhibit.blocks if isinstance(block, Steps))
    return walk, language("en").words(described(walk.caption))


def warmed(samples) -> nn.Module:
    end = network()
    with torch.no_grad():
        end(torch.zeros(1, *samples.facts.shape))
    return end


def test_class_images_that_are_left_out_are_said_with_what_they_would_take(samples):
    _, told = walked(samples, warmed(samples), work=1.0)
    assert "no class images" in told and "dissect.learning.work" in told
    _, told = walked(samples, warmed(samples), climb=1)
    assert "no class images" not in told


def test_of_one_class_nothing_is_said_in_the_plural(samples):
    walk, _ = walked(samples, warmed(samples), classes=1, climb=1)
    said = [language("en").words(described(item.label)) for frame in walk.frames for item in frame.blocks[0].items]
    assert not any("1 classes" in one for one in said)
    assert any(f"raises “{name}” most" in one for one in said for name in samples.facts.classes)
