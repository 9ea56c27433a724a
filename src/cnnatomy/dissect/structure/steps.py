"""The layers of a forward pass one after the other: what each does, what it is made of, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn.modules.padding import _ConstantPadNd, _ReflectionPadNd, _ReplicationPadNd

from cnnatomy.exhibit import Say, Text, say
from cnnatomy.inspection.calls import module_of
from cnnatomy.inspection.fields import Field
from cnnatomy.inspection.layers import CONVOLUTIONS, Layer, evaluating, whole
from cnnatomy.inspection.work import products

PASSING = (nn.Flatten, _ConstantPadNd, _ReflectionPadNd, _ReplicationPadNd)
QUIET = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.ELU, nn.Sigmoid, nn.Tanh, nn.Hardswish, nn.Hardsigmoid),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.Softmax, nn.LogSoftmax),
    *(nn.Dropout, nn.Dropout1d, nn.Dropout2d),
)
NAMED = {
    "Norm": "normalised",
    "Pad": "padded",
    "Flatten": "flattened",
    "Dropout": "dropout",
    "Identity": "unchanged",
}  # by what is part of their names

Role = Literal["convolution", "meets", "quiet", "passing", "unchanged", "other"]


@dataclass(frozen=True)
class Step:
    """One layer in the forward pass, or a place where paths meet by a function.

    shape: of its output for one sample. field: what its units see; None where that can't be followed. after: the names
    of the steps that its input is made of. does: what it does, in a few words. kernel: of a convolution, else empty.
    role: quiet are normalisations, activations and the like; passing only gets the output ready for the next layer.
    parameters: of the layer itself, 0 where it is called again. multiply_adds: for one sample.
    """

    name: str
    shape: tuple[int, ...]
    field: Field | None
    after: frozenset[str]
    does: Text
    role: Role
    kernel: tuple[int, ...]
    parameters: int
    multiply_adds: int

    @property
    def meets(self) -> bool:
        """Whether it is a place where paths meet."""
        return self.role == "meets"

    @property
    def quiet(self) -> bool:
        """Whether it is named in the box of the layer before it, where there is only one."""
        return self.role in ("quiet", "passing", "unchanged")

    @property
    def weighted(self) -> bool:
        """Whether it has weights, and is no normalisation."""
        return bool(self.parameters) and not self.quiet

    @property
    def path(self) -> tuple[str, ...]:
        """The parts of the network that it lies in, from the outermost to itself."""
        return (*self.name.split("."), "+") if self.meets else tuple(self.name.split("."))


def calls(layers: Sequence[Layer]) -> list[Step]:
    """The layers without parts of their own, in the order of the forward pass, and the places where paths meet."""
    inside = {module_of(layer.name) for layer in layers if whole(layer.module)}
    met: set[int] = set()
    steps = []
    for layer in layers:
        path = module_of(layer.name).split(".")
        if any(".".join(path[:end]) in inside for end in range(1, len(path))):
            continue  # a part of a layer, as the padding of a convolution
        if whole(layer.module):
            own = [parameter for parameter in layer.module.parameters() if id(parameter) not in met]
            met |= {id(parameter) for parameter in own}
            steps.append(_step(layer, sum(parameter.numel() for parameter in own)))
        elif layer.meets:
            does = say("structure.does.meets")
            steps.append(Step(layer.name, layer.shape, layer.field, layer.meets, does, "meets", (), 0, 0))
    return steps


def _step(layer: Layer, parameters: int) -> Step:
    module = layer.module
    role: Role = (
        "convolution" if isinstance(module, CONVOLUTIONS) else "quiet" if isinstance(module, QUIET) else "other"
    )
    if isinstance(module, PASSING):
        role = "passing"
    elif isinstance(module, nn.Identity):
        role = "unchanged"
    kernel = tuple(module.kernel_size) if isinstance(module, CONVOLUTIONS) else ()
    does, cost = _does(layer), products(layer)
    return Step(layer.name, layer.shape, layer.field, layer.after, does, role, kernel, parameters, cost)


def times(size: Sequence[int]) -> str:
    """3 × 4 × 5."""
    return " × ".join(map(str, size))


def _does(layer: Layer) -> Text:
    """What a layer does, in a few words."""
    module = layer.module
    if isinstance(module, CONVOLUTIONS):
        return _convolves(module)
    if isinstance(module, nn.Linear):
        return say("structure.does.dense", n=module.out_features)
    if isinstance(module, nn.Embedding):
        return say("structure.does.embedding", words=module.num_embeddings, n=module.embedding_dim)
    what = "maximum" if "Max" in type(module).__name__ else "mean"
    if isinstance(module, nn.AdaptiveMaxPool1d | nn.AdaptiveMaxPool2d | nn.AdaptiveAvgPool1d | nn.AdaptiveAvgPool2d):
        return say(f"structure.does.{what}.{'all' if math.prod(layer.shape[1:]) == 1 else 'parts'}")
    if isinstance(module, nn.MaxPool1d | nn.MaxPool2d | nn.AvgPool1d | nn.AvgPool2d):
        axes = len(layer.shape) - 1
        size = module.kernel_size if isinstance(module.kernel_size, tuple) else (module.kernel_size,) * axes
        return say(f"structure.does.{what}.window", size=times(size))
    name = type(module).__name__
    return next((say(f"structure.does.{told}") for part, told in NAMED.items() if part in name), name)


def _convolves(module: nn.Conv1d | nn.Conv2d) -> Say:
    parts = [say("structure.does.filters", n=module.out_channels, size=times(module.kernel_size))]
    if any(step > 1 for step in module.stride):
        parts.append(say("structure.does.stride", size=times(module.stride)))
    if any(step > 1 for step in module.dilation):
        parts.append(say("structure.does.dilation", size=times(module.dilation)))
    if module.groups > 1:
        of_each = module.groups == module.in_channels
        parts.append(say("structure.does.depthwise") if of_each else say("structure.does.groups", n=module.groups))
    return say("structure.several", parts=parts)


def counted_by_torch(network: nn.Module, x: Tensor) -> int:
    """All products of a forward pass on one sample that torch counts, functions included."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from torch.utils.module_tracker import ModuleTracker

    class Nowhere(ModuleTracker):
        """Puts no hooks on gradients, which a network can't have that takes some itself."""

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *raised: object) -> None:
            pass

    counter = FlopCounterMode(display=False)
    counter.mod_tracker = Nowhere()
    with evaluating(network), torch.no_grad(), counter:
        network(x)
    return counter.get_total_flops() // 2  # it counts a product and a sum as two
