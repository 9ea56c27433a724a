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


Optimiser = Annotated[str, OneOf(("adam", "adamw", "rmsprop", "sgd"))]
Smoothing = Annotated[float, Within(least=0, below=1)]
Kept = Annotated[str, OneOf(("best", "last"))]
Precision = Annotated[str, OneOf(("full", "bf16"))]


@dataclass
class Training:
    """How a network is trained."""

    max_epochs: Amount | Annotated[str, OneOf(("auto",))] = MISSING  # auto: until validation gains no more
    steps: Count = 2000  # with auto, the fewest; nothing otherwise, as patience
    patience: Count = 5  # with auto, so many times a twentieth of them without a gain, and the rate goes down
    batch_size: Count = MISSING  # samples a step; with auto, a tenth of the training samples at most
    loss: Annotated[str, OneOf(("cross_entropy", "mse"))] = MISSING  # mse is of sigmoid outputs
    optimiser: Optimiser = MISSING  # rmsprop as Keras has it, sgd with Nesterov momentum
    learning_rate: Positive = MISSING  # the highest of the schedule
    weight_decay: NotNegative = MISSING  # of the optimiser
    schedule: Annotated[str, OneOf(("constant", "one_cycle"))] = MISSING  # one_cycle goes up, and down to the end
    label_smoothing: Smoothing = MISSING  # share of the target that all classes get alike
    gradient_clip: Positive | None = None  # largest norm of the gradient
    early_stop: Count | None = None  # epochs without a better one after which to stop
    keep: Kept = MISSING  # the epoch best by validation accuracy, then loss, or the last
    augment: dict[str, Any] | None = None  # what changes training samples, with its settings
    weights: str | None = None  # a file to start from
    weights_head: Annotated[str, OneOf(("kept", "new"))] = "kept"  # whether the last layer is the file's
    snapshots: bool = False  # whether weights are kept on the way, after 0, 4, 8, 16 … steps
    output: str | None = None  # of a network with several: the answer's name
    channels_last: bool = False  # how maps lie in memory; faster for some networks
    threads: Count = MISSING  # they change the bits of a sum, and so are a setting
    precision: Precision = "full"  # bf16: products in 16 bits, weights and sums in 32; for GPUs
    accelerator: Annotated[str, OneOf(("cpu", "gpu"))] = "cpu"  # where; in no slice, as devices
    devices: Count = 1  # GPUs side by side

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

    samples: dict[str, list[Any]] | None = None  # {column: [values]} of samples.csv: those that take part at all
    size: Count | None = None  # … and how many of them
    test: Any = None  # a share, or {column: [values]}
    folds: int | None = None  # in place of test: as many parts, each the test of one fold
    fold: int | None = None  # which of them, from 0
    validation: Any = None  # likewise, or a share of the training samples; 0 for none
    train: dict[str, list[Any]] | None = None  # {column: [values]}
    train_size: Count | None = None  # how many training samples are left
    seed: int = 0  # of what is drawn

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

    title: dict[str, str] = MISSING  # in English, and perhaps in Chinese
    runs: list[str] = field(default_factory=list)  # in the order of the page
    seeds: Count = 1  # networks of each run that are trained and evaluated
    methods: list[str] = field(default_factory=list)  # … and of the first of them opened up by
    methods_of: dict[str, list[str]] = field(default_factory=dict)  # of single runs, instead
    lessons: list[str] = field(default_factory=list)
    studies: list[str] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)  # <study>, or <run>/<method>
    whole: dict[str, str] = field(default_factory=dict)  # of a quick version the whole one

    def __post_init__(self) -> None:
        _check(self)


CLASSES = {"data": Data, "training": Training, "split": Split, "published": Published, "report": Report}
