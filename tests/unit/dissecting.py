"""One method on one network, as the step would hang it, with little of everything that only takes time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from importlib import import_module
from typing import Any

import pandas as pd
import torch
from hydra.utils import get_object
from torch import nn

from cnnatomy import evaluation
from cnnatomy.config import folders, reading
from cnnatomy.config.compose import compose
from cnnatomy.config.steps import OWN_STEP, method_target
from cnnatomy.data import prepared
from cnnatomy.dissect import samples
from cnnatomy.dissect.method import Method
from cnnatomy.drawing.showing import Sound
from cnnatomy.exhibit import Exhibit, Say, Text, Words
from cnnatomy.exhibit.applying import DoesNotApply, does_not_apply
from cnnatomy.exhibit.languages import language
from cnnatomy.exhibit.languages import worded as words_of
from cnnatomy.exhibit.words import described
from cnnatomy.models.copying import copied
from cnnatomy.models.snapshots import Snapshot
from cnnatomy.report.language import english, parted
from cnnatomy.steps.measured import packed, unpacked

METHODS = sorted(set(folders.options("dissect")) - set(OWN_STEP))

MOST_WORDS, MOST_CHARACTERS = 40, 120  # of a caption that are seen before it is unfolded

#: Settings that only say how much is computed, and how little is enough here.
LITTLE = {
    "iterations": 2, "steps": 8, "octaves": 2, "draws": 2, "samples": 12, "compared": 12, "tested": 12, "ranked": 12,
    "curve": 12, "search": 12, "work": 5e9, "starts": 1, "others": 1, "right": 1, "wrong": 1,
}  # fmt: skip

#: The same for what is fixed in a module; a name that is gone makes this file slower and nothing else.
LITTLE_INSIDE = {
    "cnnatomy.dissect.saliency.attributions.WINDOWS": 3,
    "cnnatomy.dissect.saliency.trust.SHUFFLES": 1,
    "cnnatomy.dissect.saliency.trust.SAMPLES": 4,
}


def dissected(
    method: str, networks: list[nn.Module], data: prepared.Dataset, little: Mapping[str, float] = LITTLE
) -> Exhibit:
    """What the step would hang of a record that it kept: the method's exhibit, or the sentence that it does not apply.

    networks: the one, and others of its kind. little: settings of which no more is asked for.
    """
    config = compose(["run=mnist"])
    settings = config["dissect"][method]
    method_ = Method.of(get_object(method_target(config, method)))
    small = {k: type(v)(min(v, little[k])) if k in little and v is not None else v for k, v in settings.items()}
    needs = {
        "training": lambda: data.split("train"),
        "others": lambda: networks[1 : 1 + small.get("others", 0)],
        "snapshots": lambda: [on_the_way(network) for network in networks[: 1 + small.get("others", 0)]],
        "sound": lambda: lambda name: None,
        "prepare": dict,
        "seed": int,
    }
    try:
        given = method_.settings(**small)
        found = method_.measured(networks[0], data.split("test"), given, needs)
        made = method_.shown(unpacked(packed(found, data), data), data.split("test"), given, needs)
    except DoesNotApply as because:
        made = does_not_apply(because)
    return Exhibit.of(made, "run", "one", method)


def on_the_way(network: nn.Module) -> list[Snapshot]:
    """A network as if it had grown: its weights at half their size before."""
    half = copied(network)
    with torch.no_grad():
        for parameter in half.parameters():
            parameter.mul_(0.5)
    return [Snapshot(0, 0.0, half), Snapshot(4, 1.0, network)]


def shipped(method: str) -> dict[str, Any]:
    """The settings that a method's YAML file has."""
    return reading.read(folders.find("dissect", method), "dissect")


def settings(method: str, config: Mapping[str, Any]) -> Any:
    """A method's settings as it takes them, those that `config` lacks as its YAML file has them."""
    package = evaluation if method == "evaluation" else import_module(f"cnnatomy.dissect.{method}")
    return package.Settings(**shipped(method) | dict(config))


def shown(method: str, network: nn.Module, samples: prepared.Samples, config: Mapping[str, Any], **needs) -> Exhibit:
    """A method's exhibit with its texts in words, {"en": …, "zh": …}. needs: what it asks for by name."""
    found = import_module(f"cnnatomy.dissect.{method}")
    asked = {need: lambda value=value: value for need, value in needs.items()}
    full = shipped(method) | dict(config) if hasattr(found, "Settings") else config
    made = Method.of(found).made(network, samples, full, asked)
    return in_words(Exhibit.of(made, "run", "one", method))


def given(data: prepared.Dataset, config: Mapping[str, Any], sound: Sound | None = None) -> Exhibit:
    """The exhibit of the data themselves, with its texts in words."""
    made = samples.show(samples.measure(data), data, settings("samples", config), sound=sound)
    return in_words(Exhibit.of(made, "run", "one", "samples"))


def evaluated(
    predictions: pd.DataFrame,
    history: pd.DataFrame | None,
    samples: prepared.Samples,
    config: Mapping[str, Any],
    **needs: Any,
) -> Exhibit:
    """The exhibit `evaluation` with its texts in words. needs: `sound`, and `training`, its settings."""
    found = evaluation.measure(predictions, history, samples)
    made = evaluation.show(found, samples, settings("evaluation", config), **needs)
    return in_words(Exhibit.of(made, "run", "one", "evaluation"))


def in_words(exhibit: Exhibit) -> Exhibit:
    """The same with every sentence in words."""

    def worded(value: Any) -> Any:
        if isinstance(value, Say) or (isinstance(value, list) and any(isinstance(one, Say) for one in value)):
            return words_of(described(value))
        if isinstance(value, list | tuple) and value and is_dataclass(value[0]):
            return [worded(one) for one in value]
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{field.name: worded(getattr(value, field.name)) for field in fields(value)})
        return value

    told = worded(exhibit)
    for where, caption in _captions(told):
        _is_short(caption, where)
    return told


def _captions(exhibit: Exhibit) -> Iterator[tuple[str, Words]]:
    waiting: list[Any] = [exhibit]
    while waiting:
        part = waiting.pop()
        yield getattr(part, "name", "prose"), part.caption
        waiting += [
            *getattr(part, "blocks", ()),
            *(inner for one in getattr(part, "frames", ()) for inner in one.blocks),
        ]


def _is_short(caption: Words, where: str) -> None:
    """What is seen of a caption before it is unfolded is read at a glance, in every language."""
    seen, _ = parted(caption)
    assert len(english(seen).split()) <= MOST_WORDS, f"{where}: {english(seen)}"
    assert isinstance(seen, str) or len(seen["zh"]) <= MOST_CHARACTERS, f"{where}: {seen}"


def in_english(text: Text) -> str:
    """What an English reader is told."""
    return language("en").words(described(text))
