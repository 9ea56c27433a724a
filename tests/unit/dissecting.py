"""One method on one network, as the step would hang it, with little of everything that only takes time."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from hydra.utils import get_object
from torch import nn

from cnnatomy.config import folders
from cnnatomy.config.compose import compose
from cnnatomy.config.plan import OWN_STEP
from cnnatomy.config.slices import method_target
from cnnatomy.data import prepared
from cnnatomy.exhibit import Exhibit
from cnnatomy.exhibit.applying import DoesNotApply, does_not_apply

METHODS = sorted(set(folders.options("dissect")) - set(OWN_STEP))

#: Settings that only say how much is computed, and how little is enough here.
LITTLE = {
    "iterations": 2, "steps": 8, "octaves": 2, "draws": 2, "samples": 12, "compared": 12, "tested": 12, "ranked": 12,
    "curve": 12, "search": 12, "budget": 2e10, "work": 5e9, "starts": 1, "others": 1, "right": 1, "wrong": 1,
}  # fmt: skip

#: The same for what is fixed in a module; a name that is gone makes this file slower and nothing else.
LITTLE_INSIDE = {
    "cnnatomy.dissect.attributing.attributions.WINDOWS": 3,
    "cnnatomy.dissect.attributing.trust.SHUFFLES": 1,
    "cnnatomy.dissect.attributing.trust.SAMPLES": 4,
}


def dissected(
    method: str, networks: list[nn.Module], data: prepared.Dataset, little: Mapping[str, float] = LITTLE
) -> Exhibit:
    """What the step would hang: the method's exhibit, or the sentence that it does not apply.

    networks: the one, and others of its kind. little: settings of which no more is asked for.
    """
    config = compose(["run=mnist"])
    settings = config["dissect"][method]
    function = get_object(method_target(config, method))
    small = {k: type(v)(min(v, little[k])) if k in little and v is not None else v for k, v in settings.items()}
    needs = {
        "training": data.split("train"),
        "others": networks[1 : 1 + small.get("others", 0)],
        "sound": lambda name: None,
        "prepare": {},
        "seed": 0,
    }
    asked = inspect.signature(function).parameters
    given = {need: value for need, value in needs.items() if need in asked}
    try:
        return function(networks[0], data.split("test"), small, **given)
    except DoesNotApply as because:
        return does_not_apply(getattr(inspect.getmodule(function), "TITLE", method), because)
