"""What a network answers: checked before any long work."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnatomy.inspection.convolving import laid_out
from cnnatomy.inspection.layers import evaluating


class NoLogits(ValueError):
    """The network's output is not one number for each sample and class; the message says what it is instead."""


def logits_of(network: nn.Module, x: Tensor, classes: int | None = None) -> Tensor:
    """The network's outputs for a batch, (n, classes), without gradients.

    x: (n, *shape of a sample). `classes`, where given, is how many the data have.

    Raises NoLogits if the network takes no such sample, or if its output is no tensor, not of that shape, of fewer
    than two classes, or not finite (weights that are NaN).
    """
    try:
        with evaluating(network), torch.no_grad():
            found = network(laid_out(network, x))
    except Exception as error:  # of the network's own code, of any kind
        raise NoLogits(
            f"the network can't take samples of shape {tuple(x.shape[1:])}: {error}. Give it data of the shape that it "
            "was made for"
        ) from error
    if not isinstance(found, Tensor):
        raise NoLogits(
            f"the network's output is a {type(found).__name__}, not a tensor (samples, classes); wrap the network in a "
            "module that returns the classes' numbers alone"
        )
    if found.dim() != 2 or len(found) != len(x):
        raise NoLogits(
            f"the network's output for {len(x)} samples is of shape {tuple(found.shape)}, not (samples, classes); add "
            "what turns it into one number for each class, such as a pool and a Flatten"
        )
    if found.shape[1] < 2:
        raise NoLogits("the network has one output; give it two, one for each class, so that they can be compared")
    if classes is not None and found.shape[1] != classes:
        raise NoLogits(f"the network has {found.shape[1]} outputs, but the data have {classes} classes")
    if not bool(torch.isfinite(found).all()):
        bad = [name for name, weight in network.named_parameters() if not bool(torch.isfinite(weight).all())]
        why = f"its weights are not finite in {', '.join(bad[:5])}" if bad else "though all its weights are finite"
        raise NoLogits(f"the network's output is infinite or undefined: {why}. Train it again, or load other weights")
    return found.detach()  # a network may take gradients of its own
