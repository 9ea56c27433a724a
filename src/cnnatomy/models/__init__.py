"""Networks: plain modules of named layers, one file each, built from a configuration and the facts of the data."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import nn


class Facts(Protocol):
    """What a network may need to know of its data (prepared data know it)."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def classes(self) -> list[str]: ...
    @property
    def vocabulary(self) -> list[str] | None: ...


def build(model: Mapping[str, Any], facts: Facts, seed: int = 0) -> nn.Module:
    """The network that `model` describes: its `_target_`, called with its other keys.

    What the target also asks for by name is given from the data: `shape` (of one sample), `classes` and `vocabulary`
    (numbers of them). The start weights depend on `seed` only; torch's random state is left as it was.

    >>> build({"_target_": "cnnatomy.models.lecture.Lecture"}, facts)
    """
    import torch
    from hydra.utils import get_object, instantiate

    known = {"shape": tuple(facts.shape), "classes": len(facts.classes), "vocabulary": len(facts.vocabulary or ())}
    asked = inspect.signature(get_object(model["_target_"])).parameters
    given = {name: value for name, value in known.items() if name in asked and name not in model}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return instantiate(dict(model), **given, _convert_="all")
