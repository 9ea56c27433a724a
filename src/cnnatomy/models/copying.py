"""A network copied, whatever it keeps beside its layers."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from torch import nn


def copied(network: nn.Module) -> nn.Module:
    """A copy with layers and weights of its own. What can't be copied, as a lock or an open file, both have."""
    try:
        return deepcopy(network)
    except Exception:  # of whatever the network keeps
        shared: dict[int, Any] = {}
        for module in network.modules():
            for name, value in vars(module).items():
                if name in ("_parameters", "_buffers", "_modules") or id(value) in shared:
                    continue
                try:
                    deepcopy(value)
                except Exception:
                    shared[id(value)] = value
        return deepcopy(network, shared)
