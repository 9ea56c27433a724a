"""Every dissection, on networks that it was not written for: it makes a valid exhibit, or says why it does not apply.

The methods are those in `conf/dissect`, with the settings of their files, less of everything that only takes time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from hydra.utils import get_object
from torch import Tensor, nn
from torch.nn import functional as F

from cnnatomy.data import prepared
from cnnatomy.data.prepared import Axis, Facts, Normalise
from tests.unit.dissecting import LITTLE_INSIDE, METHODS, dissected
from tests.unit.small_data import hang

HEIGHT, WIDTH = 40, 52
CLASSES = ["left", "right", "none"]


class Odd(nn.Module):
    """Windows, steps, dilations and paddings that none of our networks has, and most of it by functions.

    One convolution is made and never called, one activation is called thrice and works in place.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.pad = nn.ZeroPad2d((1, 0, 2, 1))
        self.tall = nn.Conv2d(3, 8, (7, 2), stride=(3, 1), dilation=(1, 2), bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.grouped = nn.Conv2d(8, 12, (3, 5), padding="same", dilation=2, groups=4)
        self.pool = nn.AvgPool2d((2, 3), stride=(2, 2), padding=(1, 1), ceil_mode=True)
        self.mirrored = nn.Conv2d(12, 12, 3, padding=(1, 2), padding_mode="reflect")
        self.gelu = nn.GELU()
        self.unused = nn.Conv2d(12, 5, 9)
        self.one = nn.Conv2d(12, 12, 1)
        self.decide = nn.Linear(24, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.tall(self.pad(x)))
        x = self.pool(self.relu(self.grouped(x)))
        y = self.gelu(self.mirrored(x))
        x = F.max_pool2d(y, 2)[..., : x.shape[-1] // 2]
        x = x + torch.tanh(self.one(x))
        x = torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)
        return self.decide(F.dropout(x, 0.3, self.training))


def resnet(classes: int) -> nn.Module:
    return get_object("torchvision.models.resnet18")(num_classes=classes)


NETWORKS: dict[str, Callable[[int], nn.Module]] = {"resnet18": resnet, "odd": Odd}

#: Methods that have nothing to say of images, or of a network whose activations are not all ReLU.
NO_IMAGES = {"ngrams", "spectrogram"}
# One dense layer each, whose units are the classes; and the odd one has no ReLU.
SAY_NO = {  # for `live` the one has too many weights, and the other pads by mirroring
    "resnet18": NO_IMAGES | {"dense_maximisation", "live"},
    "odd": NO_IMAGES | {"dense_maximisation", "deconvolution", "live"},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Colour images of noise with a bright side, no squares."""
    random = np.random.default_rng(0)
    n = {"train": 30, "test": 6}
    table = pd.DataFrame({"split": np.repeat(list(n), list(n.values()))})
    table["label"] = np.arange(len(table)) % 3
    table["id"] = table["split"] + "/" + table.groupby("split").cumcount().astype(str)
    inputs = random.integers(0, 120, (len(table), 3, HEIGHT, WIDTH)).astype(np.uint8)
    inputs[table["label"] == 0, :, :, : WIDTH // 2] += 120
    inputs[table["label"] == 1, :, :, WIDTH // 2 :] += 120
    axes = [Axis("row", "px", list(range(HEIGHT))), Axis("column", "px", list(range(WIDTH)))]
    scale = Normalise([0.3] * 3, [0.2] * 3)
    facts = Facts("any", "images", CLASSES, (3, HEIGHT, WIDTH), axes, scale, "", "", "any", "")
    folder = tmp_path_factory.mktemp("any") / "any"
    prepared.write(folder, facts, inputs, table)
    return prepared.load(folder)


@pytest.fixture(scope="module")
def networks():
    """Each network three times, from other seeds; the first is the one to open up."""

    def made(make: Callable[[int], nn.Module]) -> list[nn.Module]:
        found = []
        for seed in range(2):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                found.append(make(len(CLASSES)).eval())
        return found

    return {name: made(make) for name, make in NETWORKS.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", METHODS)
def test_it_opens_up(name, method, data, networks, tmp_path, monkeypatch):
    for inside, little in LITTLE_INSIDE.items():
        monkeypatch.setattr(inside, little, raising=False)
    before = {key: value.clone() for key, value in networks[name][0].state_dict().items()}
    state = torch.random.get_rng_state()
    exhibit = dissected(method, networks[name], data)
    written = hang(exhibit, tmp_path / method)
    assert (written["numbers"][0]["metric"] == "applies") == (method in SAY_NO[name])
    assert sum(file.stat().st_size for file in (tmp_path / method).iterdir()) < 1_500_000
    assert torch.equal(torch.random.get_rng_state(), state), "it drew from the global generator"
    after = networks[name][0].state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items()), "it changed the network"
    assert not networks[name][0].training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in networks[name][0].modules())
