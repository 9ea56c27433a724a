"""What changed samples may be asked for, how far they are from what they were, and what they are read as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from cnnatomy.data.prepared import Facts
from cnnatomy.dissect.changed.inputs import Limits
from cnnatomy.exhibit import Text, say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.choosing import WrongSetting
from cnnatomy.inspection.outputs import logits_of

PALETTE = 256  # colours that a picture's palette holds


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


def check(
    config: Mapping[str, Any], lowest: Mapping[str, float], layers: str, depths: str, also: Sequence[str] = ()
) -> None:
    """Raises WrongSetting for what is too few, for more colours than there can be and for depths outside of 0 to 1.

    lowest: settings and the least that each may be. layers, depths: settings that name layers, of which one must.
    also: settings that are a single depth.
    """
    for key, least in lowest.items():
        if config[key] < least:
            raise WrongSetting(f"{key}: {config[key]} is too few; give {least} or more")
    if config["colours"] > PALETTE:
        raise WrongSetting(f"colours: {config['colours']} is more than a palette holds; give {PALETTE} or fewer")
    if not config[layers] and not config[depths]:
        raise WrongSetting(f"{depths}: name at least one share of the depth, such as 0.5, or a layer in {layers}")
    for key, depth in [*((key, config[key]) for key in also), *((depths, depth) for depth in config[depths])]:
        if not 0 <= depth <= 1:
            raise WrongSetting(f"{key}: {depth} is no share of the network's depth; give 0 (first) to 1 (last)")
