"""Convolutions and their gradients at the input, where matrix products are several times faster than torch.

Torch's own are made for layers of many channels and for training. Here one channel of the output is wanted for each
sample, or the gradient at a picture of one to four channels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnatomy.inspection.layers import evaluating

TAPS = 49  # places of a kernel that is small: they are gone through one by one
FEW = 4  # channels of an input


def laid_out(network: nn.Module, x: Tensor) -> Tensor:
    """A batch of images laid out with channels last, which convolutions and pooling on a CPU prefer: twice as fast.

    Not for one channel and a first kernel of many places, such as one over all the frames of a spectrogram: that takes
    four times as long then.
    """
    if x.dim() != 4:
        return x
    first = next((module for module in network.modules() if isinstance(module, nn.Conv2d)), None)
    if x.shape[1] == 1 and first is not None and math.prod(first.kernel_size) > TAPS:
        return x
    # A copy, because one channel is laid out either way, and then the layers behind it would take the slow one.
    return x.clone(memory_format=torch.channels_last)


def own_channel(module: nn.Conv2d, x: Tensor, which: Tensor) -> Tensor:
    """The channel `which[i]` of a convolution of image i, (n, rows, columns), for inputs (n, channels, rows, columns).

    The padding must be zeros, as many as numbers say.
    """
    assert not isinstance(module.padding, str)
    n, channels = len(x), x.shape[1]
    weight = module.weight[which]  # (n, channels, *kernel)
    if module.groups > 1:
        group = which // (module.out_channels // module.groups)
        x = x.unflatten(1, (module.groups, channels // module.groups))[torch.arange(n), group]
    if any(module.padding):
        above, aside = module.padding
        x = functional.pad(x, (aside, aside, above, above))
    (stride, step), (dilation, spread) = module.stride, module.dilation
    if weight.shape[3] == x.shape[3] and spread == 1:  # a kernel as wide as the input: its columns are like channels
        x, weight = (t.transpose(2, 3).flatten(1, 2)[..., None] for t in (x, weight))
    if weight[0, 0].numel() > TAPS:
        kernel = tuple(weight.shape[2:])
        seen = functional.unfold(x, kernel, (dilation, spread), 0, (stride, step))
        places = [(x.shape[2] - dilation * (kernel[0] - 1) - 1) // stride + 1, -1]
        made = torch.bmm(weight.flatten(1)[:, None], seen).reshape(n, *places)
    else:
        made = _OwnChannel.apply(x, weight, (stride, step), (dilation, spread))
    return made if module.bias is None else made + module.bias[which][:, None, None]


class _OwnChannel(torch.autograd.Function):
    """Every pixel times the weights of every place of the kernel, then each at its place: no copy of the windows."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: tuple[int, int], dilation: tuple[int, int]) -> Tensor:
        n, channels, rows, columns = x.shape
        pixels = x.permute(0, 2, 3, 1).reshape(n, rows * columns, channels)
        taps = torch.bmm(weight.flatten(2).transpose(1, 2), pixels.transpose(1, 2)).reshape(n, -1, rows, columns)
        made = torch.zeros(())
        for tap, (down, right) in enumerate(_places(x.shape, weight.shape, stride, dilation)):
            made = made.add_(taps[:, tap, down, right]) if tap else taps[:, tap, down, right].clone()
        ctx.save_for_backward(weight)
        ctx.shape, ctx.stride, ctx.dilation = x.shape, stride, dilation
        return made

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (weight,) = ctx.saved_tensors
        n, channels, rows, columns = ctx.shape
        taps = gradients[0].new_zeros(n, weight[0, 0].numel(), rows, columns)
        for tap, (down, right) in enumerate(_places(ctx.shape, weight.shape, ctx.stride, ctx.dilation)):
            taps[:, tap, down, right] = gradients[0]
        weight = weight.to(taps.dtype)
        pixels = torch.bmm(taps.flatten(2).transpose(1, 2), weight.flatten(2).transpose(1, 2))
        return pixels.reshape(n, rows, columns, channels).permute(0, 3, 1, 2), None, None, None


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """No gradient for the weights, a quick one for the input; the network as it is used, and back as it was."""
    asked = {parameter: parameter.requires_grad for parameter in network.parameters()}
    for parameter in asked:
        parameter.requires_grad_(False)
    try:
        with evaluating(network), _quick_backward(network):
            yield
    finally:
        for parameter, wanted in asked.items():
            parameter.requires_grad_(wanted)


@contextmanager
def _quick_backward(network: nn.Module) -> Iterator[None]:
    """While this holds, convolutions of few channels give the gradient with respect to their input by matrix products.

    Their weights get none.
    """
    changed = [module for module in network.modules() if _few(module)]
    for module in changed:
        module.forward = lambda x, module=module: _of_few(module, x)
    try:
        yield
    finally:
        for module in changed:
            del module.forward  # the class's own comes back


def _few(module: nn.Module) -> bool:
    return (
        type(module) is nn.Conv2d
        and module.in_channels <= FEW < module.out_channels
        and module.groups == 1
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
        and module.dilation == (1, 1)
        and "forward" not in module.__dict__
    )


def _of_few(module: nn.Conv2d, x: Tensor) -> Tensor:
    if x.dim() == 4 and x.requires_grad and torch.is_grad_enabled():
        if module.kernel_size[0] * module.kernel_size[1] <= TAPS:
            return _FewChannels.apply(x, module.weight, module.bias, module.stride, module.padding)
        if x.shape[1] == 1 and module.padding == (0, 0):
            for axis in (2, 3):
                # A kernel as long as the input on this axis, which is like channels then: of these torch makes more.
                if module.weight.shape[axis] == x.shape[axis]:
                    turned, weight = x.transpose(1, axis), module.weight.transpose(1, axis)
                    return functional.conv2d(turned, weight, module.bias, module.stride)
    return type(module).forward(module, x)


class _FewChannels(torch.autograd.Function):
    """A convolution that goes back through each place of the kernel by itself."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: tuple[int, int], padding: tuple[int, int]
    ) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.shape, ctx.stride, ctx.padding = x.shape, stride, padding
        return functional.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (weight,) = ctx.saved_tensors
        gradient = gradients[0]
        n, channels, rows, columns = ctx.shape
        above, aside = ctx.padding
        padded = (channels, n, rows + 2 * above, columns + 2 * aside)
        flat = gradient.permute(0, 2, 3, 1).flatten(0, 2)  # (places of all samples, filters)
        weight = weight.to(flat.dtype)  # under autocast, the gradient has 16 bits
        taps = (weight.flatten(1).T @ flat.T).reshape(channels, -1, n, *gradient.shape[2:])
        back = gradient.new_zeros(padded)
        for tap, (down, right) in enumerate(_places(padded, weight.shape, ctx.stride, (1, 1))):
            back[:, :, down, right] += taps[:, tap]
        inside = back[:, :, above : above + rows, aside : aside + columns].transpose(0, 1)
        return inside, None, None, None, None


def _places(
    shape: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, int], dilation: tuple[int, int]
) -> Iterator[tuple[slice, slice]]:
    """For each place of a kernel the rows and columns of an input on which it lies."""
    rows, columns = (
        [slice(k * spread, side - spread * (size - 1 - k), step) for k in range(size)]
        for side, size, step, spread in zip(shape[2:], kernel[2:], stride, dilation, strict=True)
    )
    yield from itertools.product(rows, columns)
