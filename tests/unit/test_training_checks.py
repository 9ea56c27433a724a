"""A network that does not fit its data is refused before anything takes long, and the user reads why."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from cnnatomy import models
from cnnatomy.config.compose import compose
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.models.errors import NetworkError
from cnnatomy.training.errors import TrainingError
from cnnatomy.training.fit import train_network
from tests.unit.small_data import small
from tests.unit.test_training import TRAINING


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return small(tmp_path_factory.mktemp("data"), "images")  # 1 × 12 × 12, three classes, 60 to train on


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A user's module of networks."""
    name = f"nets_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(
        "import torch\n"
        "from torch import nn\n"
        "class Flat(nn.Module):\n"
        "    def __init__(self, classes, inputs=144, give=None):\n"
        "        super().__init__()\n"
        "        self.conv = nn.Conv2d(1, 4, 3, padding=1)\n"
        "        self.dense = nn.Linear(4 * inputs, classes)\n"
        "        self.give = give\n"
        "    def forward(self, x):\n"
        "        y = self.dense(self.conv(x).flatten(1))\n"
        "        all = {None: y, 'pair': (y[..., None], x), 'map': y[..., None], 'mean': y.mean(0), 'nan': y / 0 * 0}\n"
        "        all['squeezed'] = y.squeeze()\n"
        "        return all[self.give]\n"
        "class View(Flat):\n"
        "    def forward(self, x):\n"
        "        return self.dense(self.conv(x).view(len(x), -1))\n"
        "class Normed(nn.Sequential):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(144, 8), nn.BatchNorm1d(8), nn.Linear(8, classes))\n"
        "class Lazy(nn.Sequential):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__(nn.Flatten(), nn.LazyLinear(classes))\n"
        "class Broken(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.x = [][3]\n"
        "class Taught(Flat):\n"
        "    def train(self, batches):\n"
        "        pass\n"
        "class Switched(Flat):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__(classes)\n"
        "        torch.set_default_dtype(torch.float64)\n"
        "        torch.set_grad_enabled(False)\n"
        "    def train(self, mode=True):\n"
        "        return super().train(mode)\n"
        "def no_network():\n"
        "    return 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return name


def train(images, state, model, **training):
    config = {"model": model, "training": TRAINING | {"max_epochs": 0} | training}
    return train_network(config, images, seed=0, state=state)[0]


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (
            {"inputs": 100},
            r"can't take samples of shape (1, 12, 12) (channels, height, width), it stops with ",
        ),
        ({"inputs": 100}, ".py, line 10)"),
        (
            {"give": "pair"},
            "gives a tuple of 0 (2, 3, 1), 1 (2, 1, 12, 12); it should give one tensor of shape (samples, c",
        ),
        (
            {"give": "map"},
            "for 2 samples the network gives outputs of shape (2, 3, 1); it should give (samples",
        ),
        ({"give": "mean"}, "outputs of shape (3,)"),
        ({"give": "squeezed"}, "for one sample alone the network gives an output of shape (3,) and not (1, 3)"),
        ({"give": "nan"}, "infinite or undefined numbers"),
        ({"classes": 10}, "tells 10 classes apart, but images has 3 (5, 6, 7)"),
        ({"classes": 10}, "as in model.num_classes=3"),
    ],
)
@pytest.mark.parametrize("epochs", [0, 1])
def test_a_network_that_does_not_fit_is_refused(images, nets, tmp_path, keys, says, epochs):
    with pytest.raises(TrainingError) as caught:
        train(images, tmp_path / "state", {"_target_": f"{nets}.Flat", **keys}, max_epochs=epochs)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_a_library_s_network_is_told_what_it_takes(images, tmp_path):
    resnet = {"_target_": "torchvision.models.resnet18", "num_classes": 3}
    with pytest.raises(TrainingError, match=r"ResNet can't take samples of shape \(1, 12, 12\).*to have 3 channels"):
        train(images, tmp_path, resnet)


def test_a_network_that_wants_its_channels_first_is_told_the_setting(images, nets, tmp_path):
    model = {"_target_": f"{nets}.View"}
    with pytest.raises(TrainingError, match=r"channels last.*set training\.channels_last=false"):
        train(images, tmp_path / "a", model, max_epochs=1)
    train(images, tmp_path / "b", model, max_epochs=1, channels_last=False)


TRAINED = {
    "complex": (
        "self.c = nn.Parameter(torch.ones(4, dtype=torch.complex64))",
        "y = (y * self.c[:1]).real",
        "view_as_real",
    ),
    "two inputs": ("pass", "", "let its forward need no other argument"),
    "cuda": ("pass", "raise RuntimeError('Found no NVIDIA driver on your system.')", "leave out .cuda()"),
    "a loss first": ("pass", "y = {'loss': y.sum(), 'logits': y} if self.training else y", ""),
    "a loss alone": ("pass", "y = {'loss': y.sum()} if self.training else y", "in training the network"),
    "features first": ("pass", "y = (f, y) if self.training else y", "in training the network"),
    "a number first": ("pass", "y = (y.sum(), y) if self.training else y", ""),
}


@pytest.mark.parametrize("what", TRAINED)
def test_a_network_that_is_another_in_training_is_read_or_told(images, tmp_path, monkeypatch, what):
    init, forward, says = TRAINED[what]
    name = f"another_{what.replace(' ', '_')}"
    (tmp_path / f"{name}.py").write_text(
        "import torch\nfrom torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__()\n"
        "        self.conv, self.end = nn.Conv2d(1, 5, 3), nn.Linear(5, classes)\n"
        f"        {init}\n"
        f"    def forward(self, x{', mask' * (what == 'two inputs')}):\n"
        "        f = self.conv(x).relu().mean((2, 3))\n"
        "        y = self.end(f)\n"
        f"        {forward or 'pass'}\n"
        "        return y\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    config = {"model": {"_target_": f"{name}.Net"}, "training": TRAINING | {"max_epochs": 1}}
    if not says:
        train_network(config, images, seed=0, state=tmp_path / "state")
        return
    with pytest.raises(TrainingError) as caught:
        train_network(config, images, seed=0, state=tmp_path / "state")
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Hidden", "keeps layers with weights where torch does not look (layers)"),
        ("Across", "depends on the others in its batch"),
        ("Chance", "differs from time to time"),
        ("Positive", "ends in a relu"),
        ("Squeezed", "ends in a tanh"),
        ("Listed", ""),
        ("Dropping", ""),
    ],
)
def test_what_makes_a_network_another_than_it_seems_is_said(images, nets, tmp_path, monkeypatch, caplog, name, says):
    odd = f"odd_{nets}_{name}"
    (tmp_path / f"{odd}.py").write_text(
        f"import torch\nfrom torch import nn\nfrom torch.nn import functional as F\nfrom {nets} import Flat\n"
        "class Hidden(Flat):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__(classes)\n"
        "        self.layers = [nn.Conv2d(1, 1, 1), nn.ReLU()]\n"
        "    def forward(self, x):\n"
        "        return super().forward(self.layers[0](x))\n"
        "class Listed(Flat):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__(classes)\n"
        "        self.all, self.more = [self.conv, self.dense], {'a': nn.ReLU()}\n"
        "class Across(Flat):\n"
        "    def forward(self, x):\n"
        "        return F.softmax(super().forward(x), dim=0)\n"
        "class Positive(Flat):\n"
        "    def forward(self, x):\n"
        "        return F.relu(super().forward(x))\n"
        "class Squeezed(Flat):\n"
        "    def forward(self, x):\n"
        "        return super().forward(x).tanh()\n"
        "class Chance(Flat):\n"
        "    def forward(self, x):\n"
        "        return F.dropout(super().forward(x), 0.5)\n"
        "class Dropping(Flat):\n"
        "    def forward(self, x):\n"
        "        return F.dropout(super().forward(x), 0.5, self.training)\n"
    )
    train(images, tmp_path / "state", {"_target_": f"{odd}.{name}"}, max_epochs=1)
    said = [record.message for record in caplog.records if "few training samples" not in record.message]
    said = [one for one in said if "decide" not in one and record_is_warning(caplog, one)]
    assert (says in " ".join(said)) if says else not said


def record_is_warning(caplog, message: str) -> bool:
    return any(record.message == message and record.levelname == "WARNING" for record in caplog.records)


def test_a_network_of_volumes_is_trained_whatever_the_layout_of_images(images, tmp_path, monkeypatch):
    (tmp_path / "volumes.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__()\n"
        "        self.conv, self.end = nn.Conv3d(1, 4, 3, padding=1), nn.Linear(4, classes)\n"
        "    def forward(self, x):\n"
        "        return self.end(self.conv(x[:, None]).relu().mean((2, 3, 4)))\n"
        "def scripted(classes):\n"
        "    import torch\n"
        "    return torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(144, classes)))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    train(images, tmp_path / "state", {"_target_": "volumes.Net"}, max_epochs=1, channels_last=True)
    with pytest.raises(NetworkError, match="a network of TorchScript .*; name the class that was scripted"):
        train(images, tmp_path / "state", {"_target_": "volumes.scripted"})


def test_a_last_batch_of_one_sample_is_refused_where_the_network_takes_means_over_it(images, nets, tmp_path):
    model = {"_target_": f"{nets}.Normed"}
    with pytest.raises(
        TrainingError, match=r"last of the 60 training samples comes alone.*set training\.batch_size=60"
    ):
        train(images, tmp_path / "a", model, max_epochs=1, batch_size=59)
    network = train(images, tmp_path / "b", model, max_epochs=1, batch_size=60)
    assert int(network[2].num_batches_tracked) == 1, "the trial is not counted"


def test_layers_that_are_made_by_the_first_sample_depend_on_the_seed_only(images, nets, tmp_path):
    made = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        made.append(train(images, tmp_path, {"_target_": f"{nets}.Lazy"}))
    assert torch.equal(made[0][1].weight, made[1][1].weight)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("Broken", r"can't be built: IndexError: list index out of range \(nets_.*\.py, line 26\)"),
        ("no_network", r"gives a int, which is no torch\.nn\.Module"),
        ("Absent", "can't be imported"),
        ("Taught", "Taught has a method train of its own in place of torch's.*call it otherwise, such as fit"),
    ],
)
def test_a_network_that_cannot_be_built_says_why_and_where(nets, target, says):
    facts = type("Facts", (), {"shape": (1, 12, 12), "classes": "abc", "vocabulary": None})
    with pytest.raises(NetworkError, match=says) as caught:
        models.build({"_target_": f"{nets}.{target}"}, facts)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("target", ["torchvision.models.resnet18", "torch.nn.Linear", "torch.nn.modules.linear.Linear"])
def test_a_library_s_networks_are_accepted_without_importing_it(target):
    program = (
        "import sys; from cnnatomy.config.targets import check;"
        f"check({{'_target_': {target!r}, 'num_classes': 3}}, 'model'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_misspelt_network_of_a_library_is_named_before_the_first_job():
    with pytest.raises(ConfigurationError, match="torchvision.models has no 'resnet19'. Did you mean 'resnet1"):
        compose(["run=mnist", "model._target_=torchvision.models.resnet19"])


def test_weights_of_another_number_of_classes_are_named(images, nets, tmp_path):
    file = tmp_path / "other.pth"
    torch.save(models.build({"_target_": f"{nets}.Flat", "classes": 7}, images.facts).state_dict(), file)
    with pytest.raises(ValueError, match=r"dense\.weight.*\[7, 576\].*\[3, 576\]"):
        train(images, tmp_path, {"_target_": f"{nets}.Flat"}, weights=str(file))
    torch.save(nn.Linear(2, 2), file)
    with pytest.raises(ValueError, match=r"more than tensors.*torch\.save\(network\.state_dict\(\), "):
        train(images, tmp_path, {"_target_": f"{nets}.Flat"}, weights=str(file))


def test_weights_may_lie_at_home(images, nets, tmp_path, monkeypatch):
    start = models.build({"_target_": f"{nets}.Flat"}, images.facts, seed=5)
    torch.save(start.state_dict(), tmp_path / "start.pth")
    monkeypatch.setenv("HOME", str(tmp_path))
    network = train(images, tmp_path, {"_target_": f"{nets}.Flat"}, weights="~/start.pth")
    assert torch.equal(network.dense.weight, start.dense.weight)


@pytest.mark.parametrize(
    ("forward", "says"),
    [
        ("return self.dense(self.conv(x).reshape(32, 576))", "it takes 32 samples at once and no other number"),
        ("return self.dense(self.conv(x.double()).flatten(1))", "leave out .double()"),
    ],
)
def test_what_a_network_s_code_fixes_is_told(images, nets, tmp_path, monkeypatch, forward, says):
    fixed = f"fixed_{nets}_{abs(hash(forward))}"
    (tmp_path / f"{fixed}.py").write_text(
        f"import torch\nfrom {nets} import Flat\nclass Net(Flat):\n    def forward(self, x):\n        {forward}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TrainingError) as caught:
        train(images, tmp_path / "state", {"_target_": f"{fixed}.Net"})
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_an_embedding_of_too_few_words_is_told_before_training(tmp_path, monkeypatch):
    """Its first samples may have none of the words that it lacks."""
    texts = small(tmp_path, "texts")
    for rows in (len(texts.facts.vocabulary or ()) - 1, len(texts.facts.vocabulary or ())):
        name = f"few_words_{rows}"
        (tmp_path / f"{name}.py").write_text(
            "from torch import nn\n"
            "class Net(nn.Module):\n"
            "    def __init__(self, classes):\n"
            "        super().__init__()\n"
            f"        self.words, self.end = nn.Embedding({rows}, 4), nn.Linear(4, classes)\n"
            "    def forward(self, x):\n"
            "        return self.end(self.words(x).mean(1))\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        if rows == len(texts.facts.vocabulary or ()):
            train(texts, tmp_path / "b", {"_target_": f"{name}.Net"})
            continue
        with pytest.raises(TrainingError, match="an nn.Embedding has fewer rows than there are tokens"):
            train(texts, tmp_path / "a", {"_target_": f"{name}.Net"})


UNUSUAL = {
    "unused": ("self.more = nn.Conv2d(1, 4, 3)", "y", "no gradient reaches 2 weights ('more.weight', 'more.bias')"),
    "cut off": ("pass", "self.end(f.detach())", "no gradient reaches 2 weights ('conv.weight', 'conv.bias')"),
    "frozen": ("self.conv.requires_grad_(False)", "y", ""),
    "as it should be": ("pass", "y", ""),
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_weights_that_nothing_teaches_are_said(images, tmp_path, monkeypatch, caplog, what):
    init, given, says = UNUSUAL[what]
    name = f"unusual_{what.replace(' ', '_')}"
    (tmp_path / f"{name}.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__()\n"
        "        self.conv, self.end = nn.Conv2d(1, 5, 3), nn.Linear(5, classes)\n"
        f"        {init}\n"
        "    def forward(self, x):\n"
        "        f = self.conv(x).relu().mean((2, 3))\n"
        "        y = self.end(f)\n"
        f"        return {given}\n"
        "class Waiting(Net):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__(classes)\n"
        "        self.more = nn.LazyLinear(3)\n"
        "class Whole(Net):\n"
        "    def forward(self, x):\n"
        "        return super().forward(x)[..., None, None]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    train(images, tmp_path / "state", {"_target_": f"{name}.Net"}, max_epochs=1)
    assert says in caplog.text and bool(says) == ("no gradient reaches" in caplog.text)
    with pytest.raises(
        TrainingError, match=r"wait for their first samples and get none \('more.weight', 'more.bias'\)"
    ):
        train(images, tmp_path / "other", {"_target_": f"{name}.Waiting"})
    with pytest.raises(TrainingError, match=r"outputs of shape \(2, 3, 1, 1\).*write .flatten\(1\) at its end"):
        train(images, tmp_path / "third", {"_target_": f"{name}.Whole"})


def test_what_a_network_s_module_sets_for_the_whole_process_is_put_back(images, nets, tmp_path, caplog):
    caplog.set_level("INFO", "cnnatomy")
    network = train(images, tmp_path / "state", {"_target_": f"{nets}.Switched"}, max_epochs=1)
    assert torch.get_default_dtype() is torch.float32 and torch.is_grad_enabled()
    assert "which is put back" in caplog.text and "no gradient reaches" not in caplog.text
    assert network.dense.weight.dtype is torch.float32


ENDS = {
    "overwritten": (
        "f = f.relu(); f[:, 0] = 0; y = self.end(f * f.relu_())",
        "changes in place what the gradient needs",
    ),
    "argmax": ("y = self.end(f).argmax(1)", "leave out the argmax at its end"),
}


@pytest.mark.parametrize("what", ENDS)
def test_networks_that_can_not_be_learnt_with_say_what_to_leave_out(images, tmp_path, monkeypatch, what):
    (tmp_path / f"ends_{what}.py").write_text(_ending(ENDS[what][0]))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TrainingError, match=ENDS[what][1]):
        train(images, tmp_path / "state", {"_target_": f"ends_{what}.Net"}, max_epochs=1)


@pytest.mark.parametrize("scale", [1, 20])
def test_answers_of_length_one_are_said(images, tmp_path, monkeypatch, caplog, scale):
    (tmp_path / f"length_{scale}.py").write_text(_ending(f"y = {scale} * nn.functional.normalize(self.end(f), dim=1)"))
    monkeypatch.syspath_prepend(tmp_path)
    train(images, tmp_path / "state", {"_target_": f"length_{scale}.Net"}, max_epochs=1)
    assert ("gives answers of length 1" in caplog.text) == (scale == 1)


def _ending(how: str) -> str:
    return (
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__()\n"
        "        self.conv, self.end = nn.Conv2d(1, 5, 3), nn.Linear(5, classes)\n"
        "    def forward(self, x):\n"
        "        f = self.conv(x).relu().mean((2, 3))\n"
        f"        {how}\n"
        "        return y\n"
    )


def test_a_network_that_changes_its_state_outside_of_training_is_told(images, tmp_path, monkeypatch, caplog):
    how = "self.mean = self.mean * 0.5 + f.detach().mean(0); y = self.end(f - self.mean)"
    text = _ending(how).replace(
        "    def forward", "        self.register_buffer('mean', torch.zeros(5))\n    def forward"
    )
    (tmp_path / "remembering.py").write_text(f"import torch\n{text}")
    monkeypatch.syspath_prepend(tmp_path)
    train(images, tmp_path / "state", {"_target_": "remembering.Net"}, max_epochs=1)
    assert "changes its own state outside of training ('mean')" in caplog.text and "by chance" not in caplog.text
