"""Class activation maps: where in the last maps of a network a class is read.

Own formulas on the activations and gradients of one call of a layer. torchcam 0.5 gives the same Grad-CAM and
Layer-CAM; but its Grad-CAM++ leaves out the division by its denominator, it takes activations that an in-place ReLU
has overwritten, and of a module that is called again only the last call can be had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.dissect.saliency.attributions import Maps
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.convolving import laid_out
from cnnatomy.inspection.hooks import in_graph
from cnnatomy.inspection.layers import Layer, activated, batch_size, evaluating, stages, trace, with_maps


def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Maps weighted by their mean gradient, added, and cut at zero (Selvaraju et al. 2017).

    activations, gradients: (n, channels, *places); gives (n, *places).
    """
    weights = gradients.flatten(2).mean(2)
    return _weighted(weights, activations)


def grad_cam_plus(activations: Tensor, gradients: Tensor) -> Tensor:
    """Like Grad-CAM, with weights that do not depend on how large the evidence is (Chattopadhay et al. 2018, eq. 19).

    α = g² / (2 g² + g³ Σ A) is written as 1 / (2 + g Σ A), where g > 0: nothing underflows, and no NaN comes of 0 / 0.
    """
    positive = gradients.clamp(min=0)
    total = activations.flatten(2).sum(2).clamp(min=0)
    alpha = (positive > 0) / (2 + positive * total.reshape(*total.shape, *[1] * (activations.dim() - 2)))
    return _weighted((alpha * positive).flatten(2).sum(2), activations)


def layer_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Each place of each map weighted by its own gradient, where that is positive (Jiang et al. 2021)."""
    return (gradients.clamp(min=0) * activations).sum(1).clamp(min=0)


CAMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "grad_cam": grad_cam,
    "grad_cam_plus": grad_cam_plus,
    "layer_cam": layer_cam,
}


def methods(layers: Sequence[Layer], places: tuple[int, ...], words: bool) -> dict[str, Maps]:
    """Each method as maps on the input, (n, *places): those of several layers side by side are added.

    words: whether the places are those of a sentence, see `spread`.
    """
    names = [layer.name for layer in layers]

    def on_input(formula: Callable[[Tensor, Tensor], Tensor]) -> Maps:
        def maps(network: nn.Module, x: Tensor, target: Tensor) -> Tensor:
            found = held(network, x, target, names)
            cells = [spread(layer, formula(*pair), places, words) for layer, pair in zip(layers, found, strict=True)]
            return torch.stack(cells).sum(0)

        return maps

    return {name: on_input(formula) for name, formula in CAMS.items()}


def _weighted(weights: Tensor, activations: Tensor) -> Tensor:
    return (weights.reshape(*weights.shape, *[1] * (activations.dim() - 2)) * activations).sum(1).clamp(min=0)


def cam_layers(network: nn.Module, x: Tensor, names: Sequence[str] | None) -> list[Layer]:
    """The layers whose maps are weighted: those named, or the last stage of convolutions with more than one place.

    Of a stage of one convolution it is what the network makes of its maps before they change their size: the output
    of the activation, or of the addition, that follows. Of several side by side, the activation of each.

    Raises LayerNotFound for an unknown name or a layer without maps, DoesNotApply where no convolution has places.
    """
    traced = trace(network, x)
    if names is not None:
        return with_maps(traced, names)
    for stage in reversed(stages(traced)):
        if prod(stage[0].shape[1:]) > 1:
            return [_finished(traced, stage[0])] if len(stage) == 1 else [activated(traced, layer) for layer in stage]
    raise DoesNotApply(say("saliency.no_cells"))


def _finished(traced: Sequence[Layer], layer: Layer) -> Layer:
    last = layer
    for following in traced[traced.index(layer) + 1 :]:
        if following.shape != layer.shape:
            break
        if next(following.module.children(), None) is None and not isinstance(following.module, nn.Dropout):
            last = following
    return last


def held(network: nn.Module, x: Tensor, target: Tensor, layers: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
    """Activations and gradients of each sample's class at these layers, (n, channels, *places) each, in batches."""
    size = min(64, batch_size(x.shape[1:]))
    parts = [_held(network, x[i : i + size], target[i : i + size], layers) for i in range(0, len(x), size)]
    return [
        (torch.cat([part[place][0] for part in parts]), torch.cat([part[place][1] for part in parts]))
        for place in range(len(layers))
    ]


def _held(network: nn.Module, x: Tensor, target: Tensor, layers: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
    with in_graph(network, layers) as found, evaluating(network), torch.enable_grad():
        outputs = network(laid_out(network, x))
        wanted = outputs.gather(1, target[:, None]).sum()
        gradients = torch.autograd.grad(wanted, [found[name] for name in layers], allow_unused=True)
    return [
        (found[name].detach(), torch.zeros_like(found[name]) if gradient is None else gradient.detach())
        for name, gradient in zip(layers, gradients, strict=True)
    ]


def spread(layer: Layer, cells: Tensor, places: tuple[int, ...], words: bool) -> Tensor:
    """Maps (n, *cells of a layer) on the input, (n, *places): each place gets its nearest cell's value, unsmoothed.

    Nearest counts from the middle of what a cell sees, so that maps of convolutions without padding lie right. Of
    `words` each gets the sum of the windows that hold it, each spread evenly over its words.
    """
    field = layer.field
    if field is not None and words:
        shared = torch.zeros(len(cells), *places, dtype=cells.dtype)
        for unit in range(cells.shape[1]):
            ((first, beyond),) = field.of_unit([unit])
            first, beyond = max(0, first), min(places[0], beyond)
            if first < beyond:
                shared[:, first:beyond] += cells[:, unit : unit + 1] / (beyond - first)
        return shared
    if (more := cells.dim() - 1 - len(places)) > 0:  # a layer that moves along the channels, too
        cells = cells.mean(dim=tuple(range(1, 1 + more)))
    cells = cells.reshape(len(cells), *_sizes(cells.shape[1:], layer, places))
    index = []
    for axis, (length, units) in enumerate(zip(places, cells.shape[1:], strict=True)):
        at = np.arange(length)
        if field is not None and field.units[axis] == units:
            nearest = np.rint((at - field.start[axis] - (field.size[axis] - 1) / 2) / field.stride[axis])
        else:
            nearest = at * units // length
        index.append(torch.from_numpy(np.clip(nearest, 0, units - 1).astype(np.int64)))
    if len(index) == 1:
        return cells[:, index[0]]
    return cells[:, index[0][:, None], index[1][None, :]]


def _sizes(shape: Sequence[int], layer: Layer, places: tuple[int, ...]) -> tuple[int, ...]:
    """The cells along each axis of the input; a layer that moves along one axis has one cell along the other."""
    if len(shape) == len(places):
        return tuple(shape)
    if layer.field is not None and prod(layer.field.units) == prod(shape):
        return layer.field.units
    return (*shape, *[1] * (len(places) - len(shape)))
