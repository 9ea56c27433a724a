"""Weights that a user puts in place: missed at once, a broken copy refused, a whole one loaded."""

from __future__ import annotations

import contextlib
import hashlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf

from cnnatomy.config.plan import Plan
from cnnatomy.data import prepared
from cnnatomy.data.prepared import Axis, Dataset, Facts, Normalise
from cnnatomy.models.published import WeightsNotThere, check_copy, look_for
from cnnatomy.training.fit import train_network
from tests.unit.dissecting import shown
from tests.unit.small_data import hang

CONF = Path(__file__).resolve().parents[2] / "conf/dissect"
SQUEEZENET = {"_target_": "torchvision.models.squeezenet1_1", "num_classes": 3}


def photographs(folder: Path) -> Dataset:
    """Two small unlabelled pictures in colour."""
    axes = [Axis(name, "px", list(range(32))) for name in ("row", "column")]
    normalise = Normalise([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    facts = Facts("photos", "images", ["a", "b", "c"], (3, 32, 32), axes, normalise, "", "", "", "")
    table = pd.DataFrame({"split": "test", "label": -1, "id": ["test/china", "test/flower"]})
    pixels = np.random.default_rng(0).integers(0, 255, (2, 3, 32, 32)).astype(np.uint8)
    prepared.write(folder / "photos", facts, pixels, table)
    return prepared.load(folder / "photos")


def test_a_missing_file_of_torchvision_is_told_with_its_address(tmp_path):
    path = tmp_path / "vgg16-397923af.pth"
    with pytest.raises(
        WeightsNotThere, match=r"there is no file .*curl .*download\.pytorch\.org/models/vgg16-397923af"
    ):
        look_for(str(path))
    with pytest.raises(WeightsNotThere, match="Put the file there"):
        look_for(str(tmp_path / "mine.safetensors"))
    for name in ("DEFAULT", "IMAGENET1K_V2", "ResNet18_Weights.DEFAULT"):
        with pytest.raises(WeightsNotThere, match="a name of torchvision's, and a file is wanted") as caught:
            look_for(name)
        command = str(caught.value).rpartition("python -c ")[2].strip('"')
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(command.replace("IMAGENET1K_V2", "IMAGENET1K_V1"), {})
        assert printed.getvalue().startswith("https://download.pytorch.org/models/resnet18-")
    path.touch()
    for there in (str(path), "resources/x/x.zip/y.pth", None):
        look_for(there)


def test_a_copy_is_checked_by_its_name(tmp_path):
    digest = hashlib.sha256(b"weights").hexdigest()[:8]
    for name in (f"net-{digest}.pth", "net-00000000.pth", "mine.pth"):
        (tmp_path / name).write_bytes(b"weights")
    check_copy(str(tmp_path / f"net-{digest}.pth"))
    check_copy(str(tmp_path / "mine.pth"))
    with pytest.raises(WeightsNotThere, match=f"broken copy: its SHA-256 begins with {digest}, not with 00000000"):
        check_copy(str(tmp_path / "net-00000000.pth"))


def test_vgg16_is_a_run_of_configuration_alone():
    config = Plan(report_name=None).config("vgg16")
    assert config["model"]["_target_"] == "torchvision.models.vgg16"
    assert config["data"]["prepare"]["mean"] == [0.485, 0.456, 0.406]
    assert config["data"]["prepare"]["std"] == [0.229, 0.224, 0.225]
    assert Path(config["training"]["weights"]).name == "vgg16-397923af.pth"
    assert config["training"]["max_epochs"] == 0


def test_training_starts_from_a_torchvision_network_and_its_published_file(tmp_path):
    from torchvision.models import squeezenet1_1

    theirs = squeezenet1_1(num_classes=3)
    torch.save(theirs.state_dict(), tmp_path / "whole")
    digest = hashlib.sha256((tmp_path / "whole").read_bytes()).hexdigest()[:8]
    file = (tmp_path / "whole").rename(tmp_path / f"squeezenet1_1-{digest}.pth")
    dataset = photographs(tmp_path)
    training = {"weights": str(file), "max_epochs": 0}
    network, _ = train_network({"model": SQUEEZENET, "training": training}, dataset, seed=0, state=tmp_path / "state")
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, theirs.state_dict()[key])
    # Its ReLUs work in place; what a layer holds must be what it was before them.
    for method in ("dream", "style"):
        settings = OmegaConf.to_container(OmegaConf.load(CONF / f"{method}.yaml"))
        smaller = settings | {key: 2 for key in ("iterations", "steps") if key in settings}
        exhibit = shown(method, network, dataset.split("test"), smaller, prepare={}, seed=0)
        assert hang(exhibit, tmp_path / method)["numbers"]
    training["weights"] = str(tmp_path / "squeezenet1_1-b8a52dc0.pth")
    with pytest.raises(WeightsNotThere, match="there is no file"):
        train_network({"model": SQUEEZENET, "training": training}, dataset, seed=0, state=tmp_path / "state")


def test_an_address_is_no_file_and_told_how_it_becomes_one():
    with pytest.raises(
        WeightsNotThere, match=r"is an address.*curl -L -o net.pth https://example.org/net.pth\?download=1"
    ):
        look_for("https://example.org/net.pth?download=1")
