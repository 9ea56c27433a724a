"""What networks answer, in whatever form, is read as logits; how is said; and where it can't be told, it is asked."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnatomy import models
from cnnatomy.data.batches import to_tensor
from cnnatomy.models.answering import AUXILIARY, heads
from cnnatomy.models.errors import NetworkError
from cnnatomy.training.errors import TrainingError
from cnnatomy.training.fit import train_network
from tests.unit import odd_networks
from tests.unit.small_data import small
from tests.unit.test_training import TRAINING

HERE = "tests.unit.odd_networks"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return small(tmp_path_factory.mktemp("answering"), "images")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return small(tmp_path_factory.mktemp("two"), "images", classes=["left", "right"])


def built(name, facts, caplog=None, output=None, **keys):
    if caplog is not None:
        caplog.set_level("INFO", "cnnatomy")
    return models.build({"_target_": f"{HERE}.{name}", **keys}, facts, output=output).eval()


def inputs(data, n=5):
    return to_tensor(data.facts, data.split("test").inputs[:n])


def plain(network, x):
    """What the network's own last layer makes of a batch, before anything that it does to it."""
    held = []
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    handle = last.register_forward_hook(lambda module, given, made: held.append(made))
    network(x)
    handle.remove()
    return held[-1]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Mapped", "'answer' is its answer"),
        ("Pair", "a tuple of 0 (3, 3), 1 (3, 4, 10, 10)"),
        ("Attributed", "'logits' is its answer"),
        ("Dataclassed", "'logits' is its answer"),
    ],
)
def test_the_answer_among_other_outputs_is_found_and_said(images, caplog, name, says):
    network = built(name, images.facts, caplog)
    x = inputs(images)
    torch.testing.assert_close(network(x), plain(network, x))
    assert says in caplog.text
    assert torch.equal(copy.deepcopy(network)(x), network(x))


def test_which_of_several_is_the_answer_is_asked(images):
    with pytest.raises(NetworkError, match=r"one \(3, 3\), other \(3, 3\).*Say which.*: training.output=one"):
        built("Both", images.facts)
    network, x = built("Both", images.facts, output="other"), inputs(images)
    torch.testing.assert_close(network(x), plain(network, x))
    with pytest.raises(NetworkError, match="training.output=none: .*There are: one, other"):
        built("Both", images.facts, output="none")
    with pytest.raises(NetworkError, match="training.output=one: the network gives one tensor, without names"):
        built("Flat", images.facts, output="one")


@pytest.mark.parametrize(
    ("end", "says"),
    [("softmax", "add up to 1"), ("log_softmax", "logarithms of probabilities"), ("sigmoid", "it is taken off")],
)
def test_a_softmax_at_the_end_is_read_as_if_it_stood_without(images, caplog, end, says):
    network = built("Ending", images.facts, caplog, end=end)
    x = inputs(images)
    torch.testing.assert_close(network(x).softmax(1), plain(network, x).softmax(1))
    assert says in caplog.text and caplog.text.count("The network ends in") == 1
    if end == "sigmoid":
        torch.testing.assert_close(network(x), plain(network, x))


def test_a_network_of_logits_is_left_as_it_is(images, caplog):
    for name in ("Flat", "Again", "Residual", "Fixed"):
        assert not built(name, images.facts, caplog)._forward_hooks
    assert caplog.text == ""


@pytest.mark.parametrize("end", ["", "sigmoid"])
def test_one_number_for_two_classes_is_read_as_two(two, caplog, monkeypatch, end):
    class One(odd_networks.Flat):
        def forward(self, x):
            made = super().forward(x)[:, 0]
            return made.sigmoid() if end else made

    monkeypatch.setattr(odd_networks, "Flat", One)
    network, x = built("Flat", two.facts, caplog), inputs(two)
    chance = plain(network, x)[:, 0].sigmoid()
    torch.testing.assert_close(network(x).softmax(1), torch.stack([1 - chance, chance], 1))
    assert "one number for two classes" in caplog.text


def test_the_loss_of_a_softmax_is_that_of_its_probabilities(images, tmp_path):
    """Trained from the same weights, a network with a softmax at its end becomes what it becomes without."""
    x, found = inputs(images, 20), {}
    for end in ("softmax", "log_softmax"):
        model = {"_target_": f"{HERE}.Ending", "end": end}
        training = TRAINING | {"max_epochs": 3, "schedule": "constant", "keep": "last"}
        network, history = train_network({"model": model, "training": training}, images, seed=0, state=tmp_path / end)
        found[end] = (network(x).softmax(1), history["train_loss"].to_numpy())
    torch.testing.assert_close(found["softmax"][0], found["log_softmax"][0], rtol=1e-3, atol=1e-4)
    assert found["softmax"][1] == pytest.approx(found["log_softmax"][1], abs=1e-3)


def test_an_auxiliary_head_counts_as_it_does_in_googlenet(images):
    network = built("Aux", images.facts).train()
    x, y = inputs(images), torch.tensor([0, 1, 2, 0, 1])
    logits, further = heads(network, network(x))
    given = network(x)
    assert torch.equal(logits, given.logits) and torch.equal(further[0], given.aux) and len(further) == 1
    assert AUXILIARY == 0.3
    assert isinstance(network.eval()(x), torch.Tensor)
    assert F.cross_entropy(logits, y) > 0


def test_every_head_is_trained(images, tmp_path):
    config = {"model": {"_target_": f"{HERE}.Aux"}, "training": TRAINING | {"max_epochs": 1}}
    start = models.build(config["model"], images.facts, 0)
    network, _ = train_network(config, images, seed=0, state=tmp_path)
    for name, parameter in network.named_parameters():
        assert not torch.equal(parameter, start.get_parameter(name)), f"{name} was not trained"


@pytest.mark.parametrize(
    "name",
    ["Twice", "Views", "Named", "Hooked", "Normed", "OldNormed", "Lazy", "Half", "LSTMFirst", "Attending", "Pair"],
)
def test_any_of_them_is_trained_saved_and_comes_back(images, tmp_path, name):
    from cnnatomy.models import weights

    config = {"model": {"_target_": f"{HERE}.{name}"}, "training": TRAINING | {"max_epochs": 1, "keep": "best"}}
    network, _ = train_network(config, images, seed=0, state=tmp_path / "state")
    weights.save(network, tmp_path / "w.safetensors", {})
    again = models.build(config["model"], images.facts).eval()
    weights.load(again, tmp_path / "w.safetensors")
    x = inputs(images)
    with torch.no_grad():
        torch.testing.assert_close(again(x), network.eval()(x))
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in network.state_dict().items())


def test_a_head_that_stops_in_training_is_told(images, tmp_path, monkeypatch):
    class Small(odd_networks.Aux):
        def forward(self, x):
            return super().forward(F.avg_pool2d(x, 99) if self.training else x)

    monkeypatch.setattr(odd_networks, "Aux", Small)
    config = {"model": {"_target_": f"{HERE}.Aux"}, "training": TRAINING | {"max_epochs": 1}}
    with pytest.raises(TrainingError, match="Small stops in training with RuntimeError: .*outside of it"):
        train_network(config, images, seed=0, state=tmp_path)


def test_half_precision_is_made_single_and_said(images, caplog):
    network = built("Half", images.facts, caplog)
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert "float16; they are made float32" in caplog.text


def test_a_network_of_no_parameters_is_not_trained_but_told(images, tmp_path):
    config = {"model": {"_target_": f"{HERE}.Fixed"}, "training": TRAINING | {"max_epochs": 1}}
    with pytest.raises(TrainingError, match="no weights that could be trained.*training.max_epochs=0"):
        train_network(config, images, seed=0, state=tmp_path)
    config["training"]["max_epochs"] = 0
    network, _ = train_network(config, images, seed=0, state=tmp_path)
    assert network(inputs(images)).shape == (5, 3)


def test_torch_s_wrappings_of_a_whole_network_are_taken_off(images, caplog, monkeypatch):
    flat = odd_networks.Flat
    makes = {
        "compiled": torch.compile,
        "parallel": nn.DataParallel,
        "both": lambda it: torch.compile(nn.DataParallel(it)),
    }
    for name, wrap in makes.items():
        monkeypatch.setattr(
            odd_networks, name, lambda shape, classes, wrap=wrap: wrap(flat(shape, classes)), raising=False
        )
        assert type(built(name, images.facts, caplog)) is flat
        assert "which is taken off" in caplog.text
        caplog.clear()


def test_a_transformer_answers_alike_in_training_and_outside(tmp_path):
    facts = small(tmp_path, "texts").facts
    network = models.build({"_target_": f"{HERE}.Masked"}, facts)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    x = torch.tensor([[3, 4, 5, 0, 0, 0, 0, 0, 0]])
    with torch.no_grad():
        assert torch.allclose(network.eval()(x), network.train()(x), atol=1e-6)


@pytest.mark.parametrize("way", ["squeezed", "clamped", "of a softmax"])
def test_a_probability_is_known_however_it_is_cut(two, caplog, monkeypatch, way):
    """Read as a logit, it would always answer with the second class."""

    class One(odd_networks.Flat):
        def forward(self, x):
            made = super().forward(x)
            if way == "of a softmax":
                return made.softmax(1)[:, 1]
            chance = made[:, :1].sigmoid()
            return chance.clamp(1e-7, 1 - 1e-7) if way == "clamped" else chance.squeeze(1)

    monkeypatch.setattr(odd_networks, "Flat", One)
    network, x = built("Flat", two.facts, caplog), inputs(two)
    chance = plain(network, x).softmax(1)[:, 1] if way == "of a softmax" else plain(network, x)[:, 0].sigmoid()
    torch.testing.assert_close(network(x).softmax(1), torch.stack([1 - chance, chance], 1))
    assert "ends in a sigmoid" in caplog.text


def test_what_is_made_of_a_probability_is_none(two, monkeypatch):
    class One(odd_networks.Flat):
        def forward(self, x):
            return super().forward(x)[:, :1].sigmoid().mul_(8).sub_(4)

    monkeypatch.setattr(odd_networks, "Flat", One)
    network, x = built("Flat", two.facts), inputs(two)
    torch.testing.assert_close(network(x).softmax(1)[:, 1], network.forward(x)[:, 0].sigmoid())


def test_layers_that_are_compiled_are_looked_into(images, caplog, monkeypatch):
    class Part(odd_networks.Perceptron):
        def __init__(self, shape, classes):
            super().__init__(shape, classes)
            self[1] = torch.compile(self[1], backend="eager")
            self[3].compile(backend="eager")

    monkeypatch.setattr(odd_networks, "Perceptron", Part)
    network = built("Perceptron", images.facts, caplog)
    assert [type(one) for one in network] == [nn.Flatten, nn.Linear, nn.ReLU, nn.Linear]
    assert set(network.state_dict()) == {"1.weight", "1.bias", "3.weight", "3.bias"}
    assert "layers of the network are compiled" in caplog.text and network(inputs(images)).shape == (5, 3)
