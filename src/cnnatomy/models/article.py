"""M2, an article's network for digits: two convolutions that keep the size, one pool, two wide dense layers."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from cnnatomy.models.pools import pool

ACTIVATIONS = {"linear": nn.Identity, "sigmoid": nn.Sigmoid, "relu": nn.ReLU}


class Article(nn.Sequential):
    """Logits (n, classes) of images (n, channels, height, width).

    With 28 × 28 pixels and 32 filters of 3 × 3 in both convolutions the maps are 28 × 28 until the pool, then 14 × 14;
    6,272 values go into the first of the dense layers of `units` units each.

    convolutions, dense: the activations behind each convolution and behind each hidden dense layer, `linear`,
        `sigmoid` or `relu`. The article gives its last layer a sigmoid too; that is part of the loss here
        (`training.loss=mse`), so that the outputs are logits.
    pooling: a kind of `pools.pool`.

    Weights start as Keras starts them: uniform with Glorot & Bengio's (2010) bounds, biases at zero. Raises ValueError
    for an activation that isn't there.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        filters: tuple[int, int],
        units: tuple[int, int],
        convolutions: str,
        dense: str,
        pooling: str,
    ) -> None:
        channels, height, width = shape
        first, second = filters
        one, two = units
        left = height * width if pooling == "none" else (height // 2) * (width // 2)
        super().__init__(
            OrderedDict(
                conv1=nn.Conv2d(channels, first, 3, padding="same"),
                activation1=_activation("convolutions", convolutions),
                conv2=nn.Conv2d(first, second, 3, padding="same"),
                activation2=_activation("convolutions", convolutions),
                pool=pool(pooling),
                flatten=nn.Flatten(),
                dense1=nn.Linear(second * left, one),
                activation3=_activation("dense", dense),
                dense2=nn.Linear(one, two),
                activation4=_activation("dense", dense),
                dense3=nn.Linear(two, classes),
            )
        )
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)


def _activation(argument: str, name: str) -> nn.Module:
    if name not in ACTIVATIONS:
        raise ValueError(f"model.{argument} is {name!r}; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()
