"""The shape of a configuration: which keys there are, of which type, in which range.

Groups whose options are one module and one YAML file (dissections, lessons, studies, what fetches and prepares a
dataset, models) have no class here: the keys and types of their YAML are the schema (`types.py`), and a `_target_`'s
keys are checked against its signature (`targets.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from cnnatomy.config import names


def _positive(**values: float | None) -> None:
    for name, value in values.items():
        if value is not None and value <= 0:
            raise ValueError(f"{name}: must be greater than zero, not {value}")


def _not_negative(**values: float | None) -> None:
    for name, value in values.items():
        if value is not None and value < 0:
            raise ValueError(f"{name}: must not be negative, not {value}")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        from cnnatomy.config.errors import nearest

        raise ValueError(f"{name}: {value!r} is none of them. {nearest(value, allowed)}")


def _named(**values: str) -> None:
    for name, value in values.items():
        if not names.is_name(value):
            raise ValueError(f"{name}: {names.shown(value)} is no name; {names.RULE}")


@dataclass
class Data:
    """A dataset: where it comes from and what is made of it."""

    name: str = MISSING  # results/data/<name>/
    raw: str = MISSING  # resources/<raw>/<raw>.zip
    kind: str = MISSING
    mirror: str | None = None
    fetch: dict[str, Any] = MISSING
    prepare: dict[str, Any] = MISSING

    def __post_init__(self) -> None:
        _named(name=self.name, raw=self.raw)
        _one_of("kind", self.kind, ("images", "sounds", "texts", "signals"))


@dataclass
class Training:
    """How a network is trained."""

    max_epochs: Any = MISSING  # a whole number, or auto
    steps: int = 2000  # with auto, the fewest; nothing otherwise, as patience
    patience: int = 5
    batch_size: int = MISSING
    loss: str = MISSING
    optimiser: str = MISSING
    learning_rate: float = MISSING
    weight_decay: float = MISSING
    schedule: str = MISSING
    label_smoothing: float = MISSING
    gradient_clip: float | None = None
    early_stop: int | None = None
    keep: str = MISSING
    augment: dict[str, Any] | None = None
    weights: str | None = None
    weights_head: str = "kept"
    output: str | None = None
    channels_last: bool = False
    threads: int = MISSING
    precision: str = "full"
    accelerator: str = "cpu"
    devices: int = 1

    def __post_init__(self) -> None:
        if self.max_epochs != "auto":
            if type(self.max_epochs) is not int:
                raise ValueError(f"max_epochs: wants a whole number or auto, not {self.max_epochs!r}")
            _not_negative(max_epochs=self.max_epochs)
        elif self.early_stop is not None:
            raise ValueError("early_stop: counts epochs; with max_epochs=auto set patience, which counts rounds")
        _not_negative(weight_decay=self.weight_decay)
        _positive(steps=self.steps, patience=self.patience)
        _positive(
            batch_size=self.batch_size, learning_rate=self.learning_rate, threads=self.threads, devices=self.devices
        )
        _positive(gradient_clip=self.gradient_clip, early_stop=self.early_stop)
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing: must be at least 0 and below 1, not {self.label_smoothing}")
        _one_of("loss", self.loss, ("cross_entropy", "mse"))
        if self.loss == "mse" and self.label_smoothing:
            raise ValueError(
                f"label_smoothing: is part of the cross-entropy; with training.loss=mse it must be 0, not "
                f"{self.label_smoothing}"
            )
        _one_of("optimiser", self.optimiser, ("adam", "adamw", "rmsprop", "sgd"))
        _one_of("schedule", self.schedule, ("constant", "one_cycle"))
        _one_of("keep", self.keep, ("best", "last"))
        _one_of("weights_head", self.weights_head, ("kept", "new"))
        _one_of("accelerator", self.accelerator, ("cpu", "gpu"))
        _one_of("precision", self.precision, ("full", "bf16"))


@dataclass
class Split:
    """Another split of a prepared dataset, made when it is read; a key that is null asks for nothing."""

    samples: dict[str, list[Any]] | None = None
    size: int | None = None
    test: Any = None
    folds: int | None = None
    fold: int | None = None
    validation: Any = None
    train: dict[str, list[Any]] | None = None
    train_size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _positive(size=self.size, train_size=self.train_size)
        if (self.folds is None) != (self.fold is None):
            raise ValueError("folds: goes with fold, as in split={folds:10,fold:0}")
        if self.folds is not None and self.test is not None:
            raise ValueError("test: a fold is the test already; give folds and fold, or test")
        for name, value in (("test", self.test), ("validation", self.validation)):
            if isinstance(value, dict) or value is None or (name == "validation" and value == 0):
                continue
            if not isinstance(value, float) or not 0 < value < 1:
                raise ValueError(f"{name}: wants a share between 0 and 1 or {{column: [values]}}, not {value!r}")


@dataclass
class Published:
    """What others had with a run's network and recipe."""

    test_accuracy: float = MISSING
    by: dict[str, str] = MISSING

    def __post_init__(self) -> None:
        if not 0 < self.test_accuracy < 1:
            raise ValueError(f"test_accuracy: must be between 0 and 1, not {self.test_accuracy}")
        if "en" not in self.by:
            raise ValueError('by: wants a text in English, and may have a Chinese one: {en: "…", zh: "…"}')


@dataclass
class Report:
    """What a report shows."""

    title: dict[str, str] = MISSING
    runs: list[str] = field(default_factory=list)
    seeds: int = 1
    methods: list[str] = field(default_factory=list)
    methods_of: dict[str, list[str]] = field(default_factory=dict)  # of single runs, instead
    lessons: list[str] = field(default_factory=list)
    studies: list[str] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)  # <study>, or <run>/<method>
    whole: dict[str, str] = field(default_factory=dict)  # of a quick version the whole one

    def __post_init__(self) -> None:
        _positive(seeds=self.seeds)


CLASSES = {"data": Data, "training": Training, "split": Split, "published": Published, "report": Report}
