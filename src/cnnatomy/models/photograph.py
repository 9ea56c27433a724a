"""EfficientNet-Lite0, a network for photographs in colour, as its ImageNet weights need it."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

from torch import Tensor, nn

#: (filters, blocks, kernel, stride of the first block, expansion) of each stage: Tan & Le (2019), table 1, without
#: squeeze-and-excitation, which the Lite networks leave out.
STAGES = (
    (16, 1, 3, 1, 1),
    (24, 2, 3, 2, 6),
    (40, 2, 5, 2, 6),
    (80, 3, 3, 2, 6),
    (112, 3, 5, 1, 6),
    (192, 4, 5, 2, 6),
    (320, 1, 3, 1, 6),
)


class EfficientNetLite0(nn.Module):
    """Logits (n, classes) of photographs (n, 3, height, width), values −1 to 1; trained on 224 × 224 pixels.

    Its state dict also takes the names of the public weights (`_blocks.0._depthwise_conv.weight`, ...).

    Tan & Le (2019), EfficientNet: rethinking model scaling for convolutional neural networks, ICML.
    """

    def __init__(self, classes: int, dropout: float) -> None:
        super().__init__()
        self.stem = _layer(3, 32, 3, stride=2)
        blocks, channels = [], 32
        for filters, repeats, kernel, stride, expansion in STAGES:
            for repeat in range(repeats):
                blocks.append(Block(channels, filters, kernel, stride if repeat == 0 else 1, expansion))
                channels = filters
        self.blocks = nn.Sequential(*blocks)
        self.head = _layer(channels, 1280, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(1280, classes)
        self.register_load_state_dict_pre_hook(_public_names)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.head(self.blocks(self.stem(x)))
        return self.dense(self.dropout(self.flatten(self.pool(maps))))


class Block(nn.Module):
    """An inverted bottleneck: more channels, a filter a channel, fewer channels; added to its input if it fits."""

    def __init__(self, channels: int, filters: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        self.expand = _layer(channels, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = _layer(wide, wide, kernel, stride=stride, groups=wide)
        self.project = _layer(wide, filters, 1, activation=False)
        self.adds = stride == 1 and channels == filters

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.adds else y


def _layer(
    channels: int, filters: int, kernel: int, stride: int = 1, groups: int = 1, activation: bool = True
) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    padding = kernel // 2
    if stride == 2:  # TensorFlow pads one pixel less at the top and on the left
        layers["pad"] = nn.ZeroPad2d((padding - 1, padding, padding - 1, padding))
        padding = 0
    layers["conv"] = nn.Conv2d(channels, filters, kernel, stride, padding, groups=groups, bias=False)
    layers["norm"] = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)
    if activation:
        layers["relu"] = nn.ReLU6()
    return nn.Sequential(layers)


def _public_names(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Rename, before they are loaded, the weights of the public file."""
    for name in [name for name in state if name.startswith(f"{prefix}_")]:
        state[prefix + _own_name(name.removeprefix(prefix))] = state.pop(name)


def _own_name(name: str) -> str:
    parts = {"_conv_stem": "stem.conv", "_conv_head": "head.conv", "_fc": "dense"}
    if match := re.match(r"_blocks\.(\d+)\._(expand|depthwise|project)_conv\.", name):
        return f"blocks.{match[1]}.{match[2]}.conv.{name[match.end() :]}"
    if match := re.match(r"_blocks\.(\d+)\._bn(\d)\.", name):
        layer = ("expand", "depthwise", "project")[int(match[2])]
        return f"blocks.{match[1]}.{layer}.norm.{name[match.end() :]}"
    if match := re.match(r"_bn([01])\.", name):
        return f"{('stem', 'head')[int(match[1])]}.norm.{name[match.end() :]}"
    head, _, rest = name.partition(".")
    return f"{parts.get(head, head)}.{rest}"
