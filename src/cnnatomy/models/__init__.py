"""Networks: plain modules of named layers, one file each, built from a configuration and the facts of the data."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from cnnatomy.models.errors import NetworkError, told

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

    Raises NetworkError where the target can't be found, or stops, or gives no network.
    """
    import torch
    from hydra.errors import InstantiationException
    from hydra.utils import get_object, instantiate
    from torch import nn

    name = model["_target_"]
    try:
        target = get_object(name)
    except Exception as error:
        raise NetworkError(f"model._target_: {name} can't be imported: {told(error.__cause__ or error)}") from error

    known = {"shape": tuple(facts.shape), "classes": len(facts.classes), "vocabulary": len(facts.vocabulary or ())}
    asked = inspect.signature(target).parameters
    given = {fact: value for fact, value in known.items() if fact in asked and fact not in model}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            network = instantiate(dict(model), **given, _convert_="all")
        except InstantiationException as error:
            raise NetworkError(f"model: {name} can't be built: {told(error.__cause__ or error)}") from error
    if not isinstance(network, nn.Module):
        raise NetworkError(f"model: {name} gives a {type(network).__name__}, which is no torch.nn.Module")
    return network
