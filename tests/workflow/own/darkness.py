"""A user's own dissection: how dark the samples are, by the network's first opinion of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from cnnatomy.data.prepared import Samples
from cnnatomy.exhibit import Number, Showing
from cnnatomy.exhibit.applying import DoesNotApply


def darkness(network: nn.Module, samples: Samples, config: Mapping[str, Any]) -> Showing:
    """The share of pixels below a threshold."""
    if samples.facts.kind != "images":
        raise DoesNotApply("there are no pixels")
    share = float((samples.inputs < config["below"]).mean())
    return Showing([Number("dark", share, unit="fraction")], [], "The share of dark pixels.", title={"en": "Darkness"})
