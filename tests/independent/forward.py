"""The report's networks, run from the names and shapes of their tensors: a pass written anew, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

#: EfficientNet-Lite0 (Tan & Le 2019, table 1): of each stage how many blocks and the stride of its first.
STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))


@dataclass(frozen=True)
class Op:
    """One layer:

    its name, kind, and what of geometry it has, an axis each; before: pixels of padding on the near side.
    """

    name: str
    kind: str
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    before: tuple[int, ...] = ()


Relu = Callable[[Tensor], Tensor]


class Network:
    """A network; `run` gives what every layer holds for a batch."""

    def __init__(self, tensors: Mapping[str, Tensor], model: Mapping) -> None:
        self.t = {name: tensor.float() for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}
        self.model = model
        self.words = "embedding.weight" in self.t
        self.large = "stem.conv.weight" in self.t

    @property
    def convolutions(self) -> list[str]:
        """In the order of the forward pass."""
        names = [name.removesuffix(".weight") for name, tensor in self.t.items() if name.endswith(".weight")]
        found = [name for name in names if name.rpartition(".")[2].startswith("conv")]
        if not self.large:
            return sorted(found)
        order = {"expand": 0, "depthwise": 1, "project": 2}

        def key(name: str) -> tuple[int, int]:
            part = name.split(".")
            if part[0] != "blocks":
                return (-1, 0) if part[0] == "stem" else (99, 0)
            return int(part[1]), order[part[2]]

        return sorted(found, key=key)

    @property
    def first(self) -> list[str]:
        """The convolutions that read the input."""
        return self.convolutions if self.words else self.convolutions[:1]

    def driven(self, name: str) -> str:
        """What says how strongly a convolution's filters are driven: its normalisation, or itself."""
        norm = name.replace("conv", "norm")
        return norm if f"{norm}.running_mean" in self.t else name

    def rectified(self, name: str) -> str:
        """The activation behind a convolution; the projections of the photographs' network have none."""
        return self.driven(name) if ".project." in name else name.replace("conv", "relu")

    def run(
        self, x: Tensor, relu: Relu | None = None, without: Mapping[str, list[int]] | None = None, last: str = ""
    ) -> dict[str, Tensor]:
        """What each layer holds, by name; "input" is where gradients enter: the sample, or its word vectors.

        relu: another function in place of the rectifier. without: channels set to zero behind an activation. last:
        where to stop.
        """
        held: dict[str, Tensor] = {}
        gone = without or {}

        class Enough(Exception):
            pass

        def keep(name: str, value: Tensor) -> Tensor:
            if name in gone:
                mask = torch.ones(value.shape[1])
                mask[gone[name]] = 0
                value = value * mask.reshape(1, -1, *[1] * (value.dim() - 2))
            held[name] = value
            if name == last:
                raise Enough
            return value

        try:
            if self.words:
                self._sentence(x, keep, relu or F.relu)
            elif self.large:
                self._photograph(x, keep, relu or F.relu6)
            else:
                self._chain(x, keep, relu or F.relu)
        except Enough:
            pass
        return held

    def logits(self, x: Tensor, size: int = 500, **how) -> Tensor:
        size = 25 if self.large else size
        with torch.no_grad():
            return torch.cat([self.run(part, **how)["logits"] for part in x.split(size)])

    def gradient(
        self, x: Tensor, target: Tensor, at: list[str], relu: Relu | None = None
    ) -> list[tuple[Tensor, Tensor]]:
        """What layers hold and the gradient there of each sample's output of its class."""
        if not x.is_floating_point():
            entered = self.t["embedding.weight"][x].requires_grad_()
            held = self.run((x, entered), relu)  # type: ignore[arg-type]
        else:
            held = self.run(x.clone().requires_grad_(), relu)
        wanted = held["logits"].gather(1, target[:, None]).sum()
        return list(
            zip([held[name] for name in at], torch.autograd.grad(wanted, [held[name] for name in at]), strict=True)
        )

    def _layer(self, name: str, x: Tensor, **how) -> Tensor:
        weight, bias = self.t[f"{name}.weight"], self.t.get(f"{name}.bias")
        if weight.dim() == 2:
            return F.linear(x, weight, bias)
        return (F.conv1d if weight.dim() == 3 else F.conv2d)(x, weight, bias, **how)

    def _norm(self, name: str, x: Tensor, eps: float) -> Tensor:
        mean, var, gain, shift = (
            self.t[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        shape = (1, -1, 1, 1)
        scale = gain / torch.sqrt(var + eps)
        return (x - mean.reshape(shape)) * scale.reshape(shape) + shift.reshape(shape)

    def _chain(self, x: Tensor, keep: Callable, relu: Relu) -> None:
        """Convolution, normalisation, rectifier, maximum of 2; then dense layers with rectifiers between them."""
        x = keep("input", x)
        pools = self.model.get("pools") or ([[2, 1]] * 2 if "heights" in self.model else [[2, 2]] * 2)
        for place, name in enumerate(self.convolutions):
            x = keep(name, self._layer(name, x))
            if self.driven(name) != name:
                x = keep(self.driven(name), self._norm(self.driven(name), x, 1e-5))
            x = keep(f"relu{place + 1}", relu(x))
            x = keep(f"pool{place + 1}", F.max_pool2d(x, pools[place]))
        x = keep("flatten", x.flatten(1))
        dense = sorted(name.removesuffix(".weight") for name in self.t if name.startswith("dense") and "weight" in name)
        rectifiers = len(self.convolutions)
        for name in dense[:-1]:
            rectifiers += 1
            x = keep(f"relu{rectifiers}", relu(keep(name, self._layer(name, x))))
        keep(dense[-1], keep("logits", self._layer(dense[-1], x)))

    def _sentence(self, x: Tensor | tuple[Tensor, Tensor], keep: Callable, relu: Relu) -> None:
        """Word vectors, filters of several widths side by side, the greatest value of each that sees a word."""
        tokens, entered = x if isinstance(x, tuple) else (x, self.t["embedding.weight"][x])
        entered = keep("input", entered)
        widths = [self.t[f"{name}.weight"].shape[2] for name in self.convolutions]
        around = max(widths) - 1
        vectors = F.pad(entered.transpose(1, 2), (around, around))
        is_word = F.pad((tokens != 0).float(), (around, around))
        tops = []
        for name, width in zip(self.convolutions, widths, strict=True):
            maps = keep(name.replace("conv", "relu"), relu(keep(name, self._layer(name, vectors))))
            hears = is_word.unfold(1, width, 1).amax(2)
            tops.append(keep(name.replace("conv", "pool"), (maps * hears[:, None]).max(2).values))
        keep("dense", keep("logits", self._layer("dense", torch.cat(tops, dim=1))))

    def _photograph(self, x: Tensor, keep: Callable, relu: Relu) -> None:
        """Inverted bottlenecks; a strided layer pads as TensorFlow does, one pixel less on the near side."""

        def layer(name: str, x: Tensor, stride: int = 1, rectify: bool = True) -> Tensor:
            weight = self.t[f"{name}.conv.weight"]
            pad = weight.shape[2] // 2
            near = pad - 1 if stride == 2 else pad
            x = F.pad(x, (near, pad, near, pad))
            x = keep(f"{name}.conv", F.conv2d(x, weight, None, stride, groups=x.shape[1] // weight.shape[1]))
            x = keep(f"{name}.norm", self._norm(f"{name}.norm", x, 1e-3))
            return keep(f"{name}.relu", relu(x)) if rectify else x

        x = layer("stem", keep("input", x), 2)
        block = 0
        for repeats, stride in STAGES:
            for repeat in range(repeats):
                name, before, by = f"blocks.{block}", x, stride if repeat == 0 else 1
                if f"{name}.expand.conv.weight" in self.t:
                    x = layer(f"{name}.expand", x)
                x = layer(f"{name}.project", layer(f"{name}.depthwise", x, by), rectify=False)
                if by == 1 and before.shape == x.shape:
                    x = before + x
                keep(name, x)
                block += 1
        x = keep("pool", layer("head", x).mean((2, 3)))
        keep("dense", keep("logits", self._layer("dense", x)))

    def geometry(self, shape: tuple[int, ...]) -> dict[str, Geometry]:
        """Of each layer with places what a unit sees of an input of this shape (…, *places), in closed form."""
        return Geometry.of(self, shape)


@dataclass(frozen=True)
class Geometry:
    """Size, stride and first position of what the units of a layer see, and how many units there are; an axis each.

    Dumoulin & Visin (2016): a layer of kernel k and stride s makes r + (k − 1) j of a field r, and j s of its step j.
    """

    size: tuple[int, ...]
    step: tuple[int, ...]
    start: tuple[int, ...]
    units: tuple[int, ...]

    def then(
        self, kernel: tuple[int, ...], stride: tuple[int, ...], near: tuple[int, ...], far: tuple[int, ...]
    ) -> Geometry:
        return Geometry(
            tuple(r + (k - 1) * j for r, k, j in zip(self.size, kernel, self.step, strict=True)),
            tuple(j * s for j, s in zip(self.step, stride, strict=True)),
            tuple(a - p * j for a, p, j in zip(self.start, near, self.step, strict=True)),
            tuple(
                (n + p + q - k) // s + 1 for n, p, q, k, s in zip(self.units, near, far, kernel, stride, strict=True)
            ),
        )

    def window(self, unit: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
        """First and last-plus-one position that a unit sees, an axis each; it may reach into the padding."""
        return tuple(
            (a + u * j, a + u * j + r) for a, u, j, r in zip(self.start, unit, self.step, self.size, strict=True)
        )

    @property
    def count(self) -> int:
        return math.prod(self.units)

    @classmethod
    def of(cls, network: Network, shape: tuple[int, ...]) -> dict[str, Geometry]:
        places = tuple(shape) if network.words else tuple(shape[1:])
        one, none = (1,) * len(places), (0,) * len(places)
        at = cls(one, one, none, places)
        found: dict[str, Geometry] = {}

        def convolved(name: str, at: Geometry, stride: int = 1, near: int = 0, far: int = 0) -> Geometry:
            kernel = tuple(network.t[f"{name}.weight"].shape[2:])
            n = len(kernel)
            at = at.then(kernel, (stride,) * n, (near,) * n, (far,) * n)
            for layer in {name, network.driven(name), network.rectified(name)}:
                found[layer] = at
            return at

        if network.words:
            around = max(network.t[f"{name}.weight"].shape[2] for name in network.convolutions) - 1
            for name in network.convolutions:
                convolved(name, at, 1, around, around)
        elif network.large:
            block = 0
            at = convolved("stem.conv", at, 2, 0, 1)
            for repeats, stride in STAGES:
                for repeat in range(repeats):
                    name, by = f"blocks.{block}", stride if repeat == 0 else 1
                    if f"{name}.expand.conv.weight" in network.t:
                        at = convolved(f"{name}.expand.conv", at)
                    pad = network.t[f"{name}.depthwise.conv.weight"].shape[2] // 2
                    at = convolved(f"{name}.depthwise.conv", at, by, pad - 1 if by == 2 else pad, pad)
                    at = convolved(f"{name}.project.conv", at)
                    found[name] = at
                    block += 1
            convolved("head.conv", at)
        else:
            pools = network.model.get("pools") or ([[2, 1]] * 2 if "heights" in network.model else [[2, 2]] * 2)
            for name, pool in zip(network.convolutions, pools, strict=False):
                at = convolved(name, at)
                at = at.then(tuple(pool), tuple(pool), none, none)
                found[name.replace("conv", "pool")] = at
        return found
