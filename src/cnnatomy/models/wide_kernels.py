"""A small network whose first kernels are as large as AlexNet's, so that there is something to see in them."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


class WideKernels(nn.Sequential):
    """Logits (n, classes) of colour images (n, 3, height, width): two convolutions and one dense layer.

    kernel, stride: of the first convolution. On 32 × 32 pixels 11 and 2 give maps of 11 × 11, 5 × 5, 3 × 3, 2 × 2.
    dropout: the share of values that the dense layer does without in training.

    Raises ValueError for images of which the layers leave nothing.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        filters: tuple[int, int],
        kernel: int,
        stride: int,
        dropout: float,
    ) -> None:
        channels, height, width = shape
        if min(height, width) < kernel + 5 * stride:
            raise ValueError(
                f"images of {height} × {width} pixels are too small for kernels of {kernel} at stride {stride}"
            )
        first, second = filters
        super().__init__(
            OrderedDict(
                conv1=nn.Conv2d(channels, first, kernel, stride),
                relu1=nn.ReLU(),
                pool1=nn.MaxPool2d(2),
                conv2=nn.Conv2d(first, second, 3),
                relu2=nn.ReLU(),
                pool2=nn.AdaptiveMaxPool2d(2),
                flatten=nn.Flatten(),
                dropout=nn.Dropout(dropout),
                dense=nn.Linear(4 * second, classes),
            )
        )
