"""What changed samples may be asked for, how far they are from what they were, and what they are read as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from cnnatomy.data.prepared import Facts
from cnnatomy.dissect.changed.inputs import Limits
from cnnatomy.exhibit import Text, say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.choosing import WrongSetting
from cnnatomy.inspection.outputs import logits_of


@dataclass(frozen=True)
class Read:
    """The class that a network reads a picture as, and its probability."""

    label: int
    share: float


def read(network: nn.Module, x: Tensor, classes: int | None = None) -> list[Read]:
    """What each input, (n, channels, rows, columns), is read as. Raises NoLogits."""
    shares, labels = logits_of(network, x, classes).double().softmax(1).max(1)
    return [Read(int(label), float(share)) for label, share in zip(labels, shares, strict=True)]


def moved(x: Tensor, start: Tensor, limits: Limits) -> float:
    """Root mean square change of a value, as a share of the whole range."""
    low, high = limits
    return float(((x - start) / (high - low)).square().mean().sqrt())


def pictures_only(facts: Facts, no_signals: Text) -> None:
    """Raises DoesNotApply for texts, and for signals because of what the method says of them."""
    if facts.kind == "signals":
        raise DoesNotApply(no_signals)
    if facts.kind == "texts":
        raise DoesNotApply(say("changed.no_texts"))


def some_layer(layers: Sequence[str] | None, depths: Sequence[float], names: tuple[str, str]) -> None:
    """Raises WrongSetting where settings, called by these names, give neither a layer nor a share of the depth."""
    if not layers and not depths:
        raise WrongSetting(f"{names[1]}: name at least one share of the depth, such as 0.5, or a layer in {names[0]}")
