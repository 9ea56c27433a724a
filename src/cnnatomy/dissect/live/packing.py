"""Weights in few bits: rounded in place to see what that changes, and written as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.models.copying import copied

Kind = Literal["int8", "int9", "int10", "int11", "int12", "float16", "float32"]

#: The kinds in which weights can be kept, smallest first, and the bits of one.
KINDS: dict[Kind, int] = {"int8": 8, "int9": 9, "int10": 10, "int11": 11, "int12": 12, "float16": 16, "float32": 32}
STEPS = {kind: 2 ** (bits - 1) - 1 for kind, bits in KINDS.items() if kind.startswith("int")}  # on either side of zero
DIGITS = 13  # bits of a scale's mantissa: 2047 steps are exact, and the largest weight is 2047 of them
ALIGNED = 4  # bytes


@dataclass(frozen=True)
class Packed:
    """Bytes, and where in them each weight lies: {"shape", "type", "at"}, and `scales` of whole numbers."""

    content: bytes
    places: dict[str, dict[str, Any]]


def rounded(network: nn.Module, kind: Kind) -> nn.Module:
    """A copy of the network with its weights rounded to what `kind` can hold; vectors, as biases, stay as they are."""
    other = copied(network)
    with torch.no_grad():
        for weight in other.parameters():
            weight.copy_(short(weight, kind).to(weight.dtype))
    return other


def short(weight: Tensor, kind: Kind) -> Tensor:
    """The nearest weight that `kind` can hold, float32."""
    weight = weight.detach().float()
    if kind == "float32" or weight.dim() < 2 or not weight.numel():
        return weight
    if kind == "float16":
        most = torch.finfo(torch.float16).max
        return weight.clamp(-most, most).half().float()
    scales = _scales(weight, kind)
    return (_whole(weight, scales, kind).float() * scales).reshape(weight.shape)


def packed(weights: Mapping[str, Tensor], kind: Kind) -> Packed:
    """The weights of a rounded network, little endian. What it made of them and `kind` can't hold stays float32."""
    parts: list[bytes] = []
    places: dict[str, dict[str, Any]] = {}
    at = 0

    def put(values: np.ndarray) -> int:
        nonlocal at
        content = values.astype(values.dtype.newbyteorder("<")).tobytes()
        content += bytes(-len(content) % ALIGNED)
        parts.append(content)
        start, at = at, at + len(content)
        return start

    for name, weight in weights.items():
        weight = weight.detach().float().contiguous()
        held = kind if weight.dim() > 1 and weight.numel() and torch.equal(short(weight, kind), weight) else "float32"
        place: dict[str, Any] = {"shape": list(weight.shape), "type": held}
        if held in STEPS:
            scales = _scales(weight, held)
            place["at"] = put(_bytes(_whole(weight, scales, held).numpy().ravel(), held))
            place["scales"] = put(scales[:, 0].numpy())
        else:
            place["at"] = put(weight.numpy().astype(held))
        places[name] = place
    return Packed(b"".join(parts), places)


def _scales(weight: Tensor, kind: Kind) -> Tensor:
    """What one step of whole numbers stands for, (outputs, 1), as short a number as will do."""
    most = weight.flatten(1).abs().amax(1, keepdim=True).clamp_min(1e-30) / STEPS[kind]
    mantissa, exponent = torch.frexp(most)
    return torch.ldexp((mantissa * 2**DIGITS).ceil() / 2**DIGITS, exponent)


def _whole(weight: Tensor, scales: Tensor, kind: Kind) -> Tensor:
    return (weight.flatten(1) / scales).round().clamp(-STEPS[kind], STEPS[kind]).to(torch.int16)


def _bytes(whole: np.ndarray, kind: Kind) -> np.ndarray:
    """The upper eight bits of all, then each bit below them of all, the lowest first, of eight weights in a byte."""
    more = KINDS[kind] - 8
    below = [np.packbits(whole >> bit & 1, bitorder="little") for bit in range(more)]
    return np.concatenate([(whole >> more).astype(np.int8).view(np.uint8), *below])
