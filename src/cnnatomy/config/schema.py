"""The shape of a configuration: which keys there are, of which type, in which range.

Groups whose options are one module and one YAML file (dissections, lessons, studies, what fetches and prepares a
dataset, models) have no class here: the keys and types of their YAML are the schema (`types.py`), and a `_target_`'s
keys are checked against its signature (`targets.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, get_type_hints

from omegaconf import MISSING

from cnnatomy.config import names, settings
from cnnatomy.settings import Amount, Count, NotNegative, OneOf, Positive, Within


def _check(values: Any) -> None:
    """Raises ValueError for the first value beyond the limits of its field; OmegaConf has seen to the types."""
    for name, kind in get_type_hints(type(values), include_extras=True).items():
        value = getattr(values, name)
        if value != MISSING and (said := settings.fault(value, kind)):
            raise ValueError(f"{name}: {said}")


def _named(**values: str) -> None:
    for name, value in values.items():
        if not names.is_name(value):
            raise ValueError(f"{name}: {names.shown(value)} is no name; {names.RULE}")


@dataclass
class Data:
    """A dataset: where it comes from and what is made of it."""

    name: str = MISSING  # results/data/<name>/
    raw: str = MISSING  # resources/<raw>/<raw>.zip
    kind: Annotated[str, OneOf(("images", "sounds", "texts", "signals"))] = MISSING
    mirror: str | None = None
    fetch: dict[str, Any] = MISSING
    prepare: dict[str, Any] = MISSING

    def __post_init__(self) -> None:
        _named(name=self.name, raw=self.raw)
        _check(self)


@dataclass
class Training:
    """How a network is trained."""

    max_epochs: Amount | Annotated[str, OneOf(("auto",))] = MISSING
    steps: Count = 2000  # with auto, the fewest; nothing otherwise, as patience
    patience: Count = 5
    batch_size: Count = MISSING
    loss: Annotated[str, OneOf(("cross_entropy", "mse"))] = MISSING
    optimiser: Annotated[str, OneOf(("adam", "adamw", "rmsprop", "sgd"))] = MISSING
    learning_rate: Positive = MISSING
    weight_decay: NotNegative = MISSING
    schedule: Annotated[str, OneOf(("constant", "one_cycle"))] = MISSING
    label_smoothing: Annotated[float, Within(least=0, below=1)] = MISSING
    gradient_clip: Positive | None = None
    early_stop: Count | None = None
    keep: Annotated[str, OneOf(("best", "last"))] = MISSING
    augment: dict[str, Any] | None = None
    weights: str | None = None
    weights_head: Annotated[str, OneOf(("kept", "new"))] = "kept"
    output: str | None = None
    channels_last: bool = False
    threads: Count = MISSING
    precision: Annotated[str, OneOf(("full", "bf16"))] = "full"
    accelerator: Annotated[str, OneOf(("cpu", "gpu"))] = "cpu"
    devices: Count = 1

    def __post_init__(self) -> None:
        _check(self)
        if self.max_epochs == "auto" and self.early_stop is not None:
            raise ValueError("early_stop: counts epochs; with max_epochs=auto set patience, which counts rounds")
        if self.loss == "mse" and self.label_smoothing:
            raise ValueError(
                f"label_smoothing: is part of the cross-entropy; with training.loss=mse it must be 0, not "
                f"{self.label_smoothing}"
            )


@dataclass
class Split:
    """Another split of a prepared dataset, made when it is read; a key that is null asks for nothing."""

    samples: dict[str, list[Any]] | None = None
    size: Count | None = None
    test: Any = None
    folds: int | None = None
    fold: int | None = None
    validation: Any = None
    train: dict[str, list[Any]] | None = None
    train_size: Count | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self)
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
class Report:
    """What a report shows."""

    title: dict[str, str] = MISSING
    runs: list[str] = field(default_factory=list)
    seeds: Count = 1
    methods: list[str] = field(default_factory=list)
    lessons: list[str] = field(default_factory=list)
    studies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        _check(self)


CLASSES = {"data": Data, "training": Training, "split": Split, "report": Report}
