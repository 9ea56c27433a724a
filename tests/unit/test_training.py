"""Training: it learns, it keeps what it should, and the same arguments give the same bits, killed or not."""

from __future__ import annotations

import errno
import multiprocessing
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from cnnatomy import models
from cnnatomy.data import archive, prepared
from cnnatomy.data.batches import Batches
from cnnatomy.models import weights
from cnnatomy.training.errors import Diverged, TrainingError
from cnnatomy.training.fit import fit, train_network
from tests.unit.small_data import small

LECTURE = {"_target_": "cnnatomy.models.lecture.Lecture", "filters": [4, 6], "units": 10, "dropout": 0.25}
TRAINING = {
    "max_epochs": 3,
    "batch_size": 8,
    "loss": "cross_entropy",
    "optimiser": "adamw",
    "learning_rate": 0.01,
    "weight_decay": 0.01,
    "schedule": "one_cycle",
    "label_smoothing": 0.05,
    "gradient_clip": None,
    "early_stop": None,
    "keep": "last",
    "augment": None,
    "weights": None,
    "channels_last": True,
    "threads": 1,
    "precision": "full",
    "accelerator": "cpu",
    "devices": 1,
}


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    return small(tmp_path_factory.mktemp("data"), "images")


def train(images, state: Path, seed: int = 0, **changes):
    return train_network({"model": LECTURE, "training": TRAINING | changes}, images, seed=seed, state=state)


def bits(network: nn.Module) -> bytes:
    return b"".join(value.contiguous().numpy().tobytes() for value in network.state_dict().values())


def accuracy(network: nn.Module, samples) -> float:
    x, y = next(Batches(samples, len(samples), 0, shuffle=False).epoch(0))
    with torch.no_grad():
        return float((network(x).argmax(1) == y).double().mean())


def test_it_learns_and_leaves_a_history(images, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    network, history = train(images, tmp_path / "state", max_epochs=12)
    assert not network.training
    assert accuracy(network, images.split("test")) == 1
    assert list(history["epoch"]) == list(range(1, 13))
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    assert history["validation_accuracy"].iloc[-1] == accuracy(network, images.split("validation"))
    assert history["learning_rate"].max() <= 0.01 and history["learning_rate"].iloc[-1] < 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["state"], "nothing else is left lying about"
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert len(lines) == 12 and lines[2].startswith("epoch 3 of 12: train loss ")


@pytest.mark.parametrize("kind", ["sounds", "texts"])
def test_the_other_kinds_are_learnt_with_the_same_call(tmp_path, kind):
    data = small(tmp_path, kind)
    model = {
        "sounds": {"_target_": "cnnatomy.models.frequency.Frequency", "filters": [8, 8], "heights": [3, 3]},
        "texts": {"_target_": "cnnatomy.models.sentence.Sentence", "dimensions": 8, "widths": [2, 3], "filters": 8},
    }[kind] | {"dropout": 0.1}
    training = TRAINING | {"max_epochs": 10, "learning_rate": 0.03}
    network, _ = train_network({"model": model, "training": training}, data, seed=0, state=tmp_path / "state")
    assert accuracy(network, data.split("test")) > 0.9


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(images, tmp_path):
    first, _ = train(images, tmp_path / "a")
    torch.manual_seed(99)  # what happened before in the process must not matter
    again, _ = train(images, tmp_path / "b")
    other, _ = train(images, tmp_path / "c", seed=1)
    assert bits(first) == bits(again) != bits(other)


class Fading(nn.Module):
    """Knows the answers, and takes them for the opposite after `good` steps of training."""

    def __init__(self, good: int) -> None:
        super().__init__()
        self.good, self.scale = good, nn.Parameter(torch.ones(()))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.steps += self.training
        rows = x[:, 0, 2::3].mean(2)[:, :3]
        return rows * self.scale * (1 if self.steps <= self.good else -1)


@pytest.mark.parametrize(("keep", "steps", "right"), [("best", 8, 1), ("last", 32, 0)])
def test_what_is_kept_is_the_best_or_the_last_epoch(images, tmp_path, keep, steps, right):
    network = Fading(good=16)
    batches = [Batches(images.split(split), 8, 0, shuffle=False) for split in ("train", "validation")]
    changes = {"keep": keep, "max_epochs": 4, "schedule": "constant", "learning_rate": 1e-9}
    history = fit(network, batches, TRAINING | changes, 0, tmp_path / "state")
    assert list(history["validation_accuracy"]) == [1, 1, 0, 0]
    assert history["learning_rate"].nunique() == 1
    assert int(network.steps) == steps, "of epochs as good as each other the first is kept"
    assert accuracy(network, images.split("validation")) == right


def test_it_stops_when_validation_has_not_improved_for_so_many_epochs(images, tmp_path):
    changes = {"max_epochs": 40, "early_stop": 3, "keep": "best", "schedule": "constant"}
    network, history = train(images, tmp_path / "state", **changes)
    ranks = list(zip(history["validation_accuracy"], -history["validation_loss"], strict=True))
    best = ranks.index(max(ranks)) + 1
    assert len(history) == best + 3 < 40
    again, same = train(images, tmp_path / "state", **changes)
    assert same.equals(history) and bits(again) == bits(network), "a training that has stopped stays stopped"


def test_without_a_validation_split_all_samples_train_and_the_last_epoch_is_kept(images, tmp_path):
    def fitted(**changes):
        network = models.build(LECTURE, images.facts)
        batches = Batches(images.split("train"), 8, 0, shuffle=True)
        return fit(network, (batches, None), TRAINING | changes, 0, tmp_path / "state")

    assert fitted()["validation_accuracy"].isna().all()
    with pytest.raises(TrainingError, match="keep=last"):
        fitted(keep="best")
    with pytest.raises(TrainingError, match="early_stop=null"):
        fitted(early_stop=2)


class Specks:
    """Augmentation that draws from torch's generator, and takes its time."""

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        time.sleep(0.01)
        return batch + (torch.rand(batch.shape) < 0.05).to(torch.uint8)


def train_slowly(folder: Path, state: Path, target: Path, log: Path) -> None:
    """A training that takes some seconds, in a process of its own that may be killed."""
    assert not torch.cuda._is_in_bad_fork(), "no module may look for GPUs as it is imported"
    with log.open("w") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
    specks = {"_target_": f"{Specks.__module__}.Specks"}
    network, history = train(prepared.load(folder), state, max_epochs=30, keep="best", augment=specks)
    weights.save(network, target, {"history": history.to_csv()})


@pytest.fixture(scope="module")
def start(images, tmp_path_factory):
    """Start a slow training in the background, by the name of its results; wait for its first line."""
    processes = multiprocessing.get_context("forkserver")  # so that Lightning is imported once
    processes.set_forkserver_preload([__name__, "cnnatomy.training.classifier"])

    def started(folder: Path, name: str) -> tuple[multiprocessing.process.BaseProcess, Path]:
        log = folder / f"{name}-{len(list(folder.glob('*.log')))}.log"
        arguments = (images.folder, folder / f"state-{name}", folder / name, log)
        process = processes.Process(target=train_slowly, args=arguments)
        process.start()
        while process.is_alive() and not (log.exists() and " of 30" in log.read_text()):
            time.sleep(0.01)
        return process, log

    return started


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_with_the_same_bits(start, tmp_path):
    whole, _ = start(tmp_path, "whole")
    whole.join()
    chance = random.Random(0)
    logs = []
    for attempt in range(8):
        process, log = start(tmp_path, "broken")
        logs.append(log.read_text())
        if attempt < 7:
            process.join(chance.uniform(0, 0.6))
            process.kill()
        process.join()
    assert process.exitcode == 0
    assert sum(log.startswith("going on after epoch") for log in logs) >= 3, logs
    assert (tmp_path / "broken").read_bytes() == (tmp_path / "whole").read_bytes()


def test_asked_to_end_it_fails_after_the_epoch_and_can_go_on(start, tmp_path):
    process, _ = start(tmp_path, "asked")
    process.terminate()
    process.join()
    assert process.exitcode == 1, "what would use the weights must not start"
    assert not (tmp_path / "asked").exists()
    process, log = start(tmp_path, "asked")
    process.join()
    assert process.exitcode == 0 and log.read_text().startswith("going on after epoch")


def test_a_damaged_state_makes_it_go_back_not_fail(images, tmp_path, caplog, capsys):
    state = tmp_path / "state"
    unbroken, _ = train(images, state)
    for damaged, going_on in ((["last.ckpt"], True), (["last.ckpt", "before.ckpt"], False)):
        for name in damaged:
            content = bytearray((state / name).read_bytes())
            content[len(content) // 2] ^= 1
            (state / name).write_bytes(content)
        caplog.clear()
        capsys.readouterr()
        again, _ = train(images, state)
        assert bits(again) == bits(unbroken)
        assert "last.ckpt is not the state that was written there" in caplog.text
        assert ("going on after epoch 2 of 3" in capsys.readouterr().out) == going_on


@pytest.mark.parametrize("content", [b"", b"short", b"\x80\x02cos\nsystem\n(S'true'\ntR."])
def test_any_content_of_a_state_file_is_survived(images, tmp_path, content):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "last.ckpt").write_bytes(content)
    _, history = train(images, tmp_path / "state", max_epochs=1)
    assert len(history) == 1


def test_a_state_that_was_half_written_is_swept_away(images, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "last.ckpt.part").write_bytes(b"half")
    train(images, tmp_path / "state")
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["before.ckpt", "last.ckpt"]


def test_a_full_disk_stops_it_with_the_state_before_kept(images, tmp_path, monkeypatch):
    unbroken, _ = train(images, tmp_path / "whole")
    real, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 3:  # file and folder of the first epoch, file of the second
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match="No space left on device.*goes on from the state before"):
        train(images, tmp_path / "state")
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["last.ckpt"]
    again, _ = train(images, tmp_path / "state")
    assert bits(again) == bits(unbroken)


class Bomb(nn.Module):
    """Gives nonsense from the training step `at` on."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.dense, self.steps, self.at = nn.Linear(144, 3), 0, at

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.steps += self.training
        return self.dense(x.flatten(1)) * (float("nan") if self.steps == self.at else 1)


def test_a_loss_that_is_no_number_stops_it_and_the_last_good_state_is_kept(images, tmp_path):
    batches = [Batches(images.split(split), 8, 0, shuffle=False) for split in ("train", "validation")]
    state = tmp_path / "state"
    with pytest.raises(Diverged, match=r"nan in epoch 2, batch 3 of 8\. The state after epoch 1 is kept"):
        fit(Bomb(at=8 + 3), batches, TRAINING, 0, state)
    good = (state / "last.ckpt").read_bytes()
    history = fit(Bomb(at=-1), batches, TRAINING | {"max_epochs": 1}, 0, state)
    assert len(history) == 1 and (state / "last.ckpt").read_bytes() == good


def test_weights_that_run_away_are_noticed_though_the_loss_was_still_a_number(images, tmp_path):
    with pytest.raises(Diverged, match="epoch 1"):
        train(images, tmp_path / "state", optimiser="sgd", learning_rate=1e38, schedule="constant", max_epochs=1)
    assert not (tmp_path / "state" / "last.ckpt").exists()


def test_labels_that_the_network_does_not_know_are_refused(images, tmp_path):
    with pytest.raises(TrainingError, match=r"tells 2 classes apart, but images has 3 \(5, 6, 7\)"):
        train_network({"model": LECTURE | {"classes": 2}, "training": TRAINING}, images, seed=0, state=tmp_path)
    images.split("train").labels.flags.writeable = True
    unlabelled = Batches(images.split("train"), 8, 0, shuffle=False)
    unlabelled.samples = type(unlabelled.samples)(
        images.facts, "train", unlabelled.samples.inputs, unlabelled.samples.labels * 0 - 1, images
    )
    with pytest.raises(TrainingError, match="go from -1 to -1"):
        fit(models.build(LECTURE, images.facts), (unlabelled, None), TRAINING, 0, tmp_path)


def test_training_on_fewer_devices_than_asked_for_is_refused(images, tmp_path, monkeypatch):
    import pytorch_lightning as pl

    monkeypatch.setattr(pl.Trainer, "world_size", property(lambda self: 1))
    with pytest.raises(TrainingError, match="devices is 2, but Lightning would train on 1"):
        train(images, tmp_path, devices=2)


def test_without_a_gpu_asking_for_one_is_refused(images, tmp_path):
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(TrainingError, match="can't train with training.accelerator=gpu, training.devices=1 here: "):
        train(images, tmp_path, accelerator="gpu")


@pytest.mark.parametrize("loss", [{"loss": "cross_entropy"}, {"loss": "mse", "label_smoothing": 0.0}])
def test_in_bf16_products_are_rounded_and_weights_are_not(images, tmp_path, loss):
    seen = set()

    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = models.build(LECTURE, images.facts)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            logits = self.inner(x)
            seen.add(logits.dtype)
            return logits

    networks = []
    for precision in ("full", "bf16"):
        network = Watched()
        batches = [Batches(images.split(split), 8, 0, shuffle=True) for split in ("train", "validation")]
        changes = {"precision": precision, "max_epochs": 20, **loss}
        history = fit(network, batches, TRAINING | changes, 0, tmp_path / precision)
        assert accuracy(network, images.split("test")) == 1
        assert history["train_loss"].notna().all()
        assert {value.dtype for value in network.state_dict().values()} == {torch.float32}
        assert seen == ({torch.float32} if precision == "full" else {torch.float32, torch.bfloat16})
        networks.append(network)
    assert bits(networks[0]) != bits(networks[1])


@pytest.mark.parametrize("precision", ["full", "bf16"])
def test_a_gpu_learns_what_a_processor_learns(images, tmp_path, precision):
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    network, history = train(images, tmp_path / "state", accelerator="gpu", precision=precision, max_epochs=12)
    assert {value.device.type for value in network.state_dict().values()} == {"cpu"}, "what opens it up works there"
    assert accuracy(network, images.split("test")) == 1
    again, _ = train(images, tmp_path / "state", accelerator="gpu", precision=precision, max_epochs=12)
    assert bits(again) == bits(network)


def test_gradients_are_clipped_where_asked(images, tmp_path):
    def moved(**changes) -> float:
        network = models.build(LECTURE, images.facts)
        start = torch.cat([p.detach().flatten() for p in network.parameters()])
        batches = Batches(images.split("train"), 60, 0, shuffle=False)
        plain = {"optimiser": "sgd", "weight_decay": 0.0, "schedule": "constant", "max_epochs": 1, "learning_rate": 1.0}
        fit(network, (batches, None), TRAINING | plain | changes, 0, tmp_path / str(changes))
        return float((torch.cat([p.detach().flatten() for p in network.parameters()]) - start).norm())

    # Nesterov's first step is 1.9 gradients long.
    assert moved(gradient_clip=1e-3) == pytest.approx(1.9e-3, rel=1e-3)
    assert moved() > 0.1


class Linear(nn.Module):
    """Logits straight from the pixels, all weights 0 at the start."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(144, 3)
        nn.init.zeros_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(x.flatten(1))


def one_step(images, state: Path, **changes) -> tuple[nn.Module, torch.Tensor, torch.Tensor, float]:
    """After one step on the whole training split: the network, that split, and the loss before the step."""
    network, batches = Linear(), Batches(images.split("train"), 60, 0, shuffle=False)
    plain = {"weight_decay": 0.0, "schedule": "constant", "max_epochs": 1, "label_smoothing": 0, "batch_size": 60}
    history = fit(network, (batches, None), TRAINING | plain | changes, 0, state)
    return network, *next(batches.epoch(0)), history["train_loss"].iloc[0]


def test_in_bf16_a_sure_answer_still_has_a_gradient():
    from cnnatomy.training.classifier import SquaredError

    logits = torch.tensor([[8.0, 9.0]], dtype=torch.bfloat16, requires_grad=True)
    loss = SquaredError()(logits, torch.tensor([0]))
    loss.backward()
    assert loss.dtype == torch.float32 and float(logits.grad[0, 0]) < 0


def test_the_squared_error_is_that_of_sigmoid_outputs(images, tmp_path):
    """Of weights all 0: every output is ½, so that each of n × 3 squares is ¼, and the gradient has a closed form."""
    network, x, y, loss = one_step(images, tmp_path, loss="mse", optimiser="sgd", learning_rate=1.0)
    assert loss == pytest.approx(0.25)
    wanted = nn.functional.one_hot(y, 3).float()
    # d/dlogit of (σ − t)² is 2 (σ − t) σ (1 − σ), here (½ − t) / 2.
    gradient = (0.5 - wanted) / 2 / wanted.numel()
    torch.testing.assert_close(network.dense.bias.data, -1.9 * gradient.sum(0))  # Nesterov's first step
    torch.testing.assert_close(network.dense.weight.data, -1.9 * gradient.T @ x.flatten(1))


def test_a_network_learns_with_squared_errors(images, tmp_path):
    changes = {"loss": "mse", "label_smoothing": 0, "optimiser": "rmsprop", "schedule": "constant", "max_epochs": 12}
    network, history = train(images, tmp_path, **changes)
    assert accuracy(network, images.split("test")) == 1
    assert history["validation_loss"].iloc[-1] < 0.05 < history["train_loss"].iloc[0] < 0.3


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("rmsprop", lambda parameters: torch.optim.RMSprop(parameters, 0.01, alpha=0.9, eps=1e-7)),
        ("adam", lambda parameters: torch.optim.Adam(parameters, 0.01)),
        ("adamw", lambda parameters: torch.optim.AdamW(parameters, 0.01, weight_decay=0.0)),
        ("sgd", lambda parameters: torch.optim.SGD(parameters, 0.01, momentum=0.9, nesterov=True)),
    ],
)
def test_optimisers_are_torch_s(images, tmp_path, name, reference):
    """The same weights as torch's plain loop, after many steps; and after a stop in between."""
    changes = {"optimiser": name, "schedule": "constant", "weight_decay": 0.0, "label_smoothing": 0, "batch_size": 7}
    expected, network = Linear(), Linear()
    batches = Batches(images.split("train"), 7, 3, shuffle=True)
    optimiser = reference(expected.parameters())
    for epoch in range(4):
        for x, y in batches.epoch(epoch):
            optimiser.zero_grad()
            nn.functional.cross_entropy(expected(x), y).backward()
            optimiser.step()
    for epochs in (2, 4):
        network = Linear()
        fit(network, (batches, None), TRAINING | changes | {"max_epochs": epochs}, 3, tmp_path)
    torch.testing.assert_close(network.dense.weight, expected.dense.weight, rtol=1e-4, atol=1e-6)


def test_a_first_step_of_rmsprop_is_as_long_for_every_gradient(images, tmp_path):
    """The mean square is a tenth of the first square: rate × gradient / √(gradient² / 10)."""
    network, *_ = one_step(images, tmp_path, optimiser="rmsprop", learning_rate=0.001)
    length = network.dense.weight.data.abs() / (0.001 * 10**0.5)
    assert length.max() <= 1.00001 and ((length > 0.99).double().mean() > 0.99), "but for gradients near 1e-7"


def test_a_cycle_leaves_rmsprop_without_momentum(images, tmp_path):
    network, expected = Linear(), Linear()
    batches = Batches(images.split("train"), 10, 0, shuffle=False)
    optimiser = torch.optim.RMSprop(expected.parameters(), 0.01, alpha=0.9, eps=1e-7)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=6, cycle_momentum=False)
    for x, y in batches.epoch(0):
        optimiser.zero_grad()
        nn.functional.cross_entropy(expected(x), y, label_smoothing=0.05).backward()
        optimiser.step()
        cycle.step()
    changes = {"optimiser": "rmsprop", "schedule": "one_cycle", "max_epochs": 1, "weight_decay": 0.0}
    fit(network, (batches, None), TRAINING | changes, 0, tmp_path)
    torch.testing.assert_close(network.dense.weight, expected.dense.weight, rtol=1e-4, atol=1e-6)


def test_a_slurm_job_trains_like_any_other(images, tmp_path, monkeypatch):
    here, _ = train(images, tmp_path / "here", max_epochs=1)
    job = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "1", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}
    for name, value in (job | {"SLURM_JOB_NAME": "python3", "SLURM_JOB_NODELIST": "node"}).items():
        monkeypatch.setenv(name, value)
    there, _ = train(images, tmp_path / "there", max_epochs=1)
    assert bits(here) == bits(there)


@pytest.mark.slow
def test_no_epoch_means_the_start_weights_and_no_wait_for_lightning(images, tmp_path):
    trained, _ = train(images, tmp_path / "state")
    torch.save(trained.state_dict(), tmp_path / "start.pth")
    content = {"start.pth": (tmp_path / "start.pth").read_bytes()}
    archive.write(tmp_path / "raw.zip", content, licence="none", citation="none", digest="none")
    for start in (tmp_path / "start.pth", tmp_path / "raw.zip" / "start.pth"):
        network, history = train(images, tmp_path / "none", max_epochs=0, weights=str(start))
        assert bits(network) == bits(trained) and len(history) == 0 and "validation_accuracy" in history
    assert not (tmp_path / "none").exists()
    program = (
        "import sys; from pathlib import Path; from cnnatomy.data import prepared;"
        "from tests.unit.test_training import LECTURE, TRAINING; from cnnatomy.training.fit import train_network;"
        "config = {'model': LECTURE, 'training': TRAINING | {'max_epochs': 0}};"
        "train_network(config, prepared.load(Path(sys.argv[1])), seed=0, state=Path('none'));"
        "assert 'pytorch_lightning' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, images.folder], check=True)


def test_training_goes_on_from_given_weights(images, tmp_path):
    start, _ = train(images, tmp_path / "a", max_epochs=12)
    torch.save(start.state_dict(), tmp_path / "start.pth")
    _, history = train(images, tmp_path / "b", max_epochs=1, learning_rate=1e-5, weights=str(tmp_path / "start.pth"))
    assert history["validation_accuracy"].iloc[0] == 1
