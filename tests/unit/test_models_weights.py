"""Weights in files: they come back whole, and what is damaged, foreign or dangerous is refused by name."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import re
import subprocess
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save, save_file
from torch import nn

from cnnatomy.models import weights
from cnnatomy.models.weights import WeightsError
from tests.unit import odd_networks


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))


def equal(a: nn.Module, b: nn.Module) -> bool:
    theirs = b.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in a.state_dict().items())


def test_weights_come_back_bit_for_bit(tmp_path):
    trained = network().to(memory_format=torch.channels_last)
    trained(torch.randn(4, 1, 4, 4))  # moves the statistics of the norm
    weights.save(trained, tmp_path / "model.safetensors", {"digest": "abc", "run": "mnist"})
    fresh = network()
    assert not equal(fresh, trained)
    weights.load(fresh, tmp_path / "model.safetensors")
    assert equal(fresh, trained)
    assert weights.metadata(tmp_path / "model.safetensors") == {"digest": "abc", "run": "mnist"}
    assert set(load_file(tmp_path / "model.safetensors")) == set(trained.state_dict()), "other tools read it, too"


@pytest.mark.slow
def test_equal_weights_make_equal_files_in_every_process(tmp_path):
    program = (
        "import sys, torch; from pathlib import Path; from cnnatomy.models import weights;"
        "torch.manual_seed(0); network = torch.nn.Linear(3, 2);"
        "weights.save(network, Path(sys.argv[1]), {name: name for name in 'digest run seed epoch'.split()})"
    )
    files = [tmp_path / f"{i}.safetensors" for i in range(3)]
    for seed, file in enumerate(files):
        environment = os.environ | {"PYTHONHASHSEED": str(seed)}
        subprocess.run([sys.executable, "-c", program, str(file)], check=True, env=environment)
    assert len({file.read_bytes() for file in files}) == 1


def test_a_state_dict_of_torch_is_read(tmp_path):
    trained, fresh = network(), network()
    torch.save(trained.state_dict(), tmp_path / "weights.pth")
    weights.load(fresh, tmp_path / "weights.pth")
    assert equal(fresh, trained)
    weights.load(other := network(), (tmp_path / "weights.pth").read_bytes(), "weights.pth")
    assert equal(other, trained)


def test_keys_that_do_not_fit_are_named(tmp_path):
    class Other(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Linear(2, 3)

    weights.save(Other(), tmp_path / "other.safetensors", {})
    told = r"it lacks '0\.weight', .* the network has no 'hidden\.bias', 'hidden\.weight'"
    with pytest.raises(WeightsError, match=told):
        weights.load(network(), tmp_path / "other.safetensors")


def test_sizes_that_do_not_fit_are_named(tmp_path):
    weights.save(nn.Sequential(nn.Linear(4, 2)), tmp_path / "small.safetensors", {})
    with pytest.raises(WeightsError, match=r"0\.weight.*\[2, 4\].*\[2, 5\]"):
        weights.load(nn.Sequential(nn.Linear(5, 2)), tmp_path / "small.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path, value):
    broken = network()
    with torch.no_grad():
        broken[3].weight[1, 5] = value
    with pytest.raises(WeightsError, match=r"1 of 24 weights of '3\.weight'"):
        weights.save(broken, tmp_path / "broken.safetensors", {})
    assert not (tmp_path / "broken.safetensors").exists()
    torch.save(broken.state_dict(), tmp_path / "broken.pth")
    fresh = network()
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    with pytest.raises(WeightsError, match="broken.pth: 1 of 24 weights"):
        weights.load(fresh, tmp_path / "broken.pth")
    assert all(torch.equal(before[name], value) for name, value in fresh.state_dict().items())


class Dangerous:
    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def test_a_pickle_that_tries_more_than_tensors_is_refused(tmp_path):
    mark = tmp_path / "was here"
    torch.save({"0.weight": Dangerous(str(mark))}, tmp_path / "bad.pth")
    (tmp_path / "worse.pth").write_bytes(pickle.dumps(Dangerous(str(mark)), protocol=2))
    for name in ("bad.pth", "worse.pth"):
        with pytest.raises(WeightsError, match=name):
            weights.load(network(), tmp_path / name)
    assert not mark.exists()


def test_what_is_no_state_dict_is_refused(tmp_path):
    for holds, says in (({"epoch": 3, "note": "none"}, "holds a dictionary with 'epoch', 'note'"), ([1, 2], "a list")):
        torch.save(holds, tmp_path / "other.pth")
        with pytest.raises(WeightsError, match=f"no state dict.*{says}"):
            weights.load(network(), tmp_path / "other.pth")


class Settings(dict):
    """A class of someone's, in a checkpoint beside the weights."""

    def __init__(self, **values: object) -> None:
        super().__init__(values)
        self.when = Path("/tmp")


WRAPPED = {
    "as they are": lambda s: s,
    "data parallel": lambda s: {f"module.{k}": v for k, v in s.items()},
    "compiled": lambda s: {f"_orig_mod.{k}": v for k, v in s.items()},
    "both": lambda s: {f"module._orig_mod.{k}": v for k, v in s.items()},
    "compiled inside": lambda s: {re.sub(r"^(\d+)", r"\1._orig_mod", k): v for k, v in s.items()},
    "in a model": lambda s: {f"model.{k}": v for k, v in s.items()},
    "deep in": lambda s: {f"net.encoder.backbone.{k}": v for k, v in s.items()},
    "with a criterion": lambda s: {f"model.{k}": v for k, v in s.items()} | {"criterion.weight": torch.ones(2)},
    "Lightning": lambda s: {
        "epoch": 3,
        "pytorch-lightning_version": "2.6",
        "state_dict": {f"network.{k}": v for k, v in s.items()},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(3, 1, 3, 3)}}, "param_groups": [{"params": [0]}]}],
        "hyper_parameters": Settings(rate=0.1, path=Path("/tmp")),
        "callbacks": {Settings: 3},
    },
    "with means": lambda s: {"ema": {k: 0 * v for k, v in s.items()}, "model": s, "optimizer": {"state": {}}},
    "of a trainer": lambda s: {
        "model_state_dict": s,
        "optimizer_state_dict": {"state": {"x": torch.ones(1)}},
        "loss": 0.1,
    },
    "without counts": lambda s: {k: v for k, v in s.items() if "num_batches" not in k},
    "parameters": lambda s: {k: nn.Parameter(v) if v.is_floating_point() else v for k, v in s.items()},
    "a half": lambda s: {k: v.half() if v.is_floating_point() else v for k, v in s.items()},
    "a half of Google's": lambda s: {k: v.bfloat16() if v.is_floating_point() else v for k, v in s.items()},
    "halves of all": lambda s: {k: (v + 1e5 if "num_batches" in k else v).half() for k, v in s.items()},
    "double": lambda s: {k: v.double() if v.is_floating_point() else v for k, v in s.items()},
    "laid out otherwise": lambda s: {k: v.t().contiguous().t() if v.dim() == 2 else v for k, v in s.items()},
}


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before 1.6"])
@pytest.mark.parametrize("wrapped", WRAPPED)
def test_weights_of_others_are_read_as_they_are(tmp_path, caplog, wrapped, old):
    trained = network()
    trained(torch.randn(4, 1, 4, 4))
    torch.save(WRAPPED[wrapped](trained.state_dict()), tmp_path / "w.pth", _use_new_zipfile_serialization=not old)
    fresh = network()
    caplog.set_level("INFO", "cnnatomy")
    weights.load(fresh, tmp_path / "w.pth")
    exact = "hal" not in wrapped
    for name, value in trained.state_dict().items():
        if "num_batches" not in name:
            torch.testing.assert_close(
                fresh.state_dict()[name], value, rtol=0 if exact else 0.01, atol=0 if exact else 0.01
            )
    silent = wrapped in ("as they are", "without counts", "parameters", "laid out otherwise")
    assert bool(caplog.messages) != silent, "what is done to a file is said, and nothing else"
    said = {
        "both": "'module.' taken off",
        "a half": "float16",
        "with means": "there is also 'ema'",
        "double": "float64",
    }
    assert said.get(wrapped, "") in " ".join(caplog.messages)


def test_parts_of_safetensors_are_put_together(tmp_path):
    trained, fresh = network(), network()
    state = {f"model.{key}": value.contiguous() for key, value in trained.state_dict().items()}
    names = list(state)
    parts = {"a.safetensors": names[:4], "b.safetensors": names[4:]}
    for part, keys in parts.items():
        save_file({key: state[key] for key in keys}, tmp_path / part)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {key: part for part, keys in parts.items() for key in keys}}))
    weights.load(fresh, index)
    assert equal(fresh, trained)
    with pytest.raises(
        WeightsError, match="it is a folder; name the file in it, such as .*model.safetensors.index.json"
    ):
        weights.load(fresh, tmp_path)
    (tmp_path / "b.safetensors").unlink()
    with pytest.raises(WeightsError, match="its part 'b.safetensors' is not beside it"):
        weights.load(fresh, index)
    index.write_text(json.dumps({"weight_map": {"a": "../../secret"}}))
    with pytest.raises(WeightsError, match="is not beside it"):
        weights.load(fresh, index)


def test_what_is_no_file_of_weights_is_told_by_what_it_is(tmp_path):
    script = torch.jit.trace(network().eval(), torch.zeros(1, 1, 4, 4))
    script.save(tmp_path / "script.pt")
    torch.save(network(), tmp_path / "whole.pt")
    torch.save({"model": network(), "epoch": 3}, tmp_path / "within.pt")
    (tmp_path / "pointer.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    (tmp_path / "page.pth").write_text("\n<!DOCTYPE html><html></html>")
    (tmp_path / "empty.pth").write_bytes(b"")
    (tmp_path / "packed.pth").write_bytes(gzip.compress(b"x" * 99))
    (tmp_path / "arrays.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))
    state = network().state_dict()
    torch.save({name: tensor.numpy() for name, tensor in state.items()}, tmp_path / "numpy.pth")
    (tmp_path / "numpy.pkl").write_bytes(pickle.dumps({name: tensor.numpy() for name, tensor in state.items()}))
    torch.save({name: tensor.tolist() for name, tensor in state.items()}, tmp_path / "lists.pth")
    torch.save(list(state.values()), tmp_path / "unnamed.pth")
    np.savez(tmp_path / "arrays.npz", **{name: tensor.numpy() for name, tensor in state.items()})
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "net.onnx").write_bytes(b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:\xd9\x01\n" + bytes(500))
    (tmp_path / "net.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(400))
    (tmp_path / "net.gguf").write_bytes(b"GGUF" + bytes(100))
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as file:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            file.writestr(name, "{}")
    says = {
        "numpy.pth": r"its '0.weight' is an array of numpy's.*torch.as_tensor",
        "numpy.pkl": r"none that torch.save wrote.*torch.as_tensor",
        "lists.pth": r"its '0.weight' is a list.*torch.as_tensor",
        "unnamed.pth": r"it holds a list",
        "arrays.npz": r"arrays of numpy's.*torch.as_tensor",
        "array.npy": r"one array of numpy's, without a name",
        "net.onnx": "an ONNX file, a program with its weights; with torch.save, save the state_dict",
        "net.tflite": "a TensorFlow Lite file, a program with its weights",
        "net.gguf": "a GGUF file",
        "net.keras": "a file of Keras",
        "script.pt": "TorchScript archive.*state_dict",
        "whole.pt": "a whole torch.nn.modules.container.Sequential.*torch.save.network.state_dict",
        "within.pt": "its 'model' is a whole torch.nn.*checkpoint..model...state_dict",
        "pointer.pth": "git lfs pull",
        "page.pth": "a web page",
        "empty.pth": "the file is empty",
        "packed.pth": "gzip",
        "arrays.pkl": "none that torch.save wrote: it holds a dictionary with 'a'",
    }
    for name, words in says.items():
        with pytest.raises(WeightsError, match=words) as caught:
            weights.load(network(), tmp_path / name)
        assert name in str(caught.value) and "0x" not in str(caught.value)


def test_safetensors_of_any_length_of_header_are_read():
    """A file begins with that length, which may look like the beginning of another kind of file."""
    seen = set()
    for length in range(1, 300):
        state = {"a" * length: torch.ones(2)}
        content = save(state)
        seen.add(content[0])
        named = nn.Module()
        named.register_parameter("a" * length, nn.Parameter(torch.zeros(2)))
        weights.load(named, content, "w")
        assert torch.equal(named.state_dict()["a" * length], torch.ones(2))
    assert 0x80 in seen


def test_what_has_two_names_is_saved_once_and_comes_back_under_both(tmp_path):
    for make in (odd_networks.Twice, odd_networks.Views):
        trained, fresh = make((1, 12, 12), 3), make((1, 12, 12), 3)
        with torch.no_grad():
            for parameter in trained.parameters():
                parameter.copy_(torch.randn(parameter.shape))
        weights.save(trained, tmp_path / "w.safetensors", {})
        saved = load_file(tmp_path / "w.safetensors")
        assert sum(t.numel() for t in saved.values()) == sum(
            t.numel() for t in [*trained.parameters(), *(b for n, b in trained.named_buffers() if n != "kept")]
        )
        weights.load(fresh, tmp_path / "w.safetensors")
        assert equal(fresh, trained)


def test_another_number_of_classes_is_told_with_the_line_that_takes_the_rest(tmp_path, caplog):
    file = tmp_path / "w.pth"
    torch.save({f"module.{key}": value for key, value in network().state_dict().items()}, file)
    other = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 5))
    own = other[3].weight.clone()
    with pytest.raises(
        WeightsError, match=r"'3.weight' is \[2, 12\] and should be \[5, 12\].*training.weights_head=new"
    ):
        weights.load(other, file)
    caplog.set_level("INFO", "cnnatomy")
    weights.load(other, file, new_head=True)
    assert torch.equal(other[3].weight, own), "the last layer is its own"
    assert torch.equal(other[0].weight, torch.load(file)["module.0.weight"]), "all else is the file's"
    assert "all but '3'" in " ".join(caplog.messages)
    wider = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 5))
    with pytest.raises(WeightsError, match=r"'0.weight' is \[3, 1, 3, 3\]") as caught:
        weights.load(wider, file, new_head=True)
    assert "weights_head" not in str(caught.value), "more than the last layer differs"


def test_the_last_layer_may_have_another_name_in_the_file(tmp_path):
    named = nn.Sequential(OrderedDict(body=nn.Linear(4, 3), head=nn.Linear(3, 2)))
    theirs = nn.Sequential(OrderedDict(body=nn.Linear(4, 3), classifier=nn.Linear(3, 10)))
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    with pytest.raises(
        WeightsError, match="it lacks 'head.weight', 'head.bias'.*no 'classifier.bias'.*weights_head=new"
    ):
        weights.load(named, tmp_path / "w.pth")
    weights.load(named, tmp_path / "w.pth", new_head=True)
    assert torch.equal(named.body.weight, theirs.body.weight)


def test_a_file_may_be_of_a_part_of_the_network(tmp_path, caplog):
    """As when a published network is the first part of one's own, with a last layer of its own behind it."""

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = network()
            self.backbone[3] = nn.Identity()
            self.head = nn.Linear(12, 4)

    theirs, own = network(), Own()
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="it lacks 'head.weight'.*training.weights_head=new"):
        weights.load(own, tmp_path / "w.pth")
    caplog.set_level("INFO", "cnnatomy")
    weights.load(own, tmp_path / "w.pth", new_head=True)
    assert torch.equal(own.backbone[0].weight, theirs[0].weight)
    assert "'backbone.' put before the names" in caplog.text and "all but 'head'" in caplog.text


def test_numbers_that_are_none_of_the_network_s_are_refused(tmp_path):
    state = network().state_dict()
    state["3.weight"] = (100 * state["3.weight"]).to(torch.int8)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="'3.weight' is int8 and should be float32"):
        weights.load(network(), tmp_path / "w.pth")


def test_a_state_of_more_than_tensors_is_refused_before_training():
    class Extra(nn.Linear):
        def get_extra_state(self) -> dict:
            return {"a": 1}

    with pytest.raises(WeightsError, match="keeps more than tensors in its state: '_extra_state'"):
        weights.refuse_unsaved(Extra(2, 2))


@pytest.mark.parametrize("name", ["model.safetensors", "model.pth"])
def test_a_damaged_file_is_refused(tmp_path, name):
    file = tmp_path / name
    if file.suffix == ".pth":
        torch.save(network().state_dict(), file)
    else:
        weights.save(network(), file, {"digest": "abc"})
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(WeightsError, match=name):
        weights.load(network(), file)
    file.write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(WeightsError, match=name):
        weights.load(network(), file)
    with pytest.raises(WeightsError, match=name):
        weights.metadata(file)
    with pytest.raises(WeightsError, match="missing"):
        weights.load(network(), tmp_path / "missing")


def test_a_norm_is_no_last_layer_and_a_count_too_many_does_no_harm(tmp_path):
    network = nn.Sequential(OrderedDict(end=nn.Linear(4, 3), norm=nn.BatchNorm1d(3)))
    state = network.state_dict()
    torch.save({key: tensor for key, tensor in state.items() if "running" not in key}, tmp_path / "without.pth")
    with pytest.raises(WeightsError) as caught:
        weights.load(network, tmp_path / "without.pth")
    assert "it lacks 'norm.running_mean', 'norm.running_var'" in str(caught.value)
    assert "weights_head" not in str(caught.value), "which would begin the norm anew"
    torch.save({**state, "other.num_batches_tracked": torch.tensor(3)}, tmp_path / "more.pth")
    weights.load(network, tmp_path / "more.pth")


def test_a_quantised_network_is_told_as_such_before_training():
    network = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(4, 3)), {nn.Linear}, dtype=torch.qint8)
    with pytest.raises(WeightsError, match=r"is quantised \('0\._packed_params.*name the network that it was"):
        weights.refuse_unsaved(network)


@pytest.mark.parametrize(("theirs", "ours", "how"), [(3, 1, "colour=true"), (1, 3, "colour=false"), (4, 3, "the data")])
def test_a_first_layer_of_other_channels_is_told_with_the_setting(theirs, ours, how, tmp_path):
    def network(channels: int, classes: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(channels, 4, 3), nn.Flatten(), nn.Linear(16, classes))

    torch.save(network(theirs, 10).state_dict(), tmp_path / "a.pth")
    for classes in (10, 2):
        with pytest.raises(
            WeightsError, match=rf"'0' of the file takes {theirs} channels, and here are {ours}: .*{how}"
        ):
            weights.load(network(ours, classes), tmp_path / "a.pth")


def test_norms_as_other_libraries_call_them_are_read(tmp_path, caplog):
    caplog.set_level("INFO", "cnnatomy")
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
    names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    state = {
        f"1.{names[key[2:]]}" if key[:2] == "1." and key[2:] in names else key: 2 + tensor
        for key, tensor in network.state_dict().items()
    }
    torch.save(state, tmp_path / "a.pth")
    weights.load(network, tmp_path / "a.pth")
    assert torch.equal(network[1].weight, torch.full((4,), 3.0)) and "read as torch calls them" in caplog.text


def test_what_else_is_saved_or_downloaded_is_told_as_what_it_is(tmp_path):
    network = nn.Linear(4, 3)
    quantised = torch.ao.quantization.quantize_dynamic(nn.Sequential(network), {nn.Linear}, dtype=torch.qint8)
    told = {
        "optimiser.pth": (torch.optim.Adam(network.parameters()).state_dict(), "is the state of an optimiser; name"),
        "quantised.pth": (quantised.state_dict(), "its numbers are quantised"),
        "missing.pth": (b"Entry not found", "it is a text, which says 'Entry not found'"),
        "refused.pth": (b'{"error": "Unauthorized"}', "Unauthorized"),
    }
    for name, (content, says) in told.items():
        if isinstance(content, bytes):
            (tmp_path / name).write_bytes(content)
        else:
            torch.save(content, tmp_path / name)
        with pytest.raises(WeightsError, match=says):
            weights.load(network, tmp_path / name)


def _in_parts(kind: str) -> nn.Module:
    """A network whose convolution is pruned, or has a norm of its weight."""
    import torch.nn.utils.prune as prune

    parts = network().eval()
    ways = {
        "pruned": lambda: prune.l1_unstructured(parts[0], "weight", 0.5),
        "weight_norm": lambda: nn.utils.parametrizations.weight_norm(parts[0]),
        "old weight_norm": lambda: nn.utils.weight_norm(parts[0]),
        "weight_norm of another axis": lambda: nn.utils.parametrizations.weight_norm(parts[3], dim=1),
        "spectral_norm": lambda: nn.utils.parametrizations.spectral_norm(parts[0]),
        "old spectral_norm": lambda: nn.utils.spectral_norm(parts[0]).eval(),
    }
    ways[kind]()
    return parts.eval()


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "kind",
    ["pruned", "weight_norm", "old weight_norm", "weight_norm of another axis", "spectral_norm", "old spectral_norm"],
)
def test_weights_that_were_saved_in_parts_are_put_together(tmp_path, caplog, kind):
    theirs = _in_parts(kind)
    torch.save(theirs.state_dict(), tmp_path / "a.pth")
    caplog.set_level("INFO")
    mine = network().eval()
    weights.load(mine, tmp_path / "a.pth")
    x = torch.randn(5, 1, 4, 4)
    assert torch.allclose(mine(x), theirs(x), atol=1e-5)
    assert "worked out of what the file has for it" in caplog.text


def test_other_names_and_other_axes_are_told_as_such(tmp_path):
    state = network().state_dict()
    names = {key: key.replace("0.", "features.0.").replace("3.", "head.") for key in state}
    torch.save({names[key]: tensor for key, tensor in state.items()}, tmp_path / "a.pth")
    with pytest.raises(
        WeightsError, match="Their shapes are the same, in the same order.*'0.weight' for 'features.0.w"
    ):
        weights.load(network(), tmp_path / "a.pth")
    torch.save(state | {"0.weight": state["0.weight"].permute(2, 3, 1, 0).contiguous()}, tmp_path / "b.pth")
    with pytest.raises(WeightsError, match=r"as Keras has them: save '0.weight' as tensor.permute\(3, 2, 0, 1\)"):
        weights.load(network(), tmp_path / "b.pth")
    torch.save(state | {"3.weight": state["3.weight"].T.contiguous()}, tmp_path / "c.pth")
    with pytest.raises(WeightsError, match=r"permute\(1, 0\)") as caught:
        weights.load(network(), tmp_path / "c.pth")
    assert "weights_head" not in str(caught.value)
