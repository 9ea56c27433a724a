"""Changes that keep a sample's class, made to a whole batch at a time in the units that `Batches` hands over.

All randomness is drawn from torch's global generator on the CPU, which `Batches` seeds for each batch: the changes are
the same wherever the batch lies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from cnnatomy.data.prepared import PADDING, UNKNOWN


class Images:
    """Turn, shift, scale and shear images about their middle, each one in its own way.

    degrees: turned by up to so much. translate: shifted by up to this share of width and height. scale: between
        these two.
    shear: by up to so many degrees.
    """

    def __init__(self, degrees: float, translate: float, scale: Sequence[float], shear: float = 0) -> None:
        self.degrees, self.translate, self.scale, self.shear = degrees, translate, tuple(scale), shear

    def __call__(self, batch: Tensor) -> Tensor:
        """uint8 (n, channels, height, width), likewise back; what comes in from outside is 0."""
        n, _, height, width = batch.shape
        smallest, largest = self.scale
        return moved(
            batch,
            degrees=self.degrees * _either(n),
            right=self.translate * width * _either(n),
            down=self.translate * height * _either(n),
            scale=smallest + (largest - smallest) * torch.rand(n, 1, 1, 1),
            shear=self.shear * _either(n),
        )


def moved(batch: Tensor, degrees: Tensor, right: Tensor, down: Tensor, scale: Tensor, shear: Tensor) -> Tensor:
    """Images turned and sheared by degrees, scaled, and shifted by pixels, all as `torchvision.transforms` means it.

    batch: uint8 (n, channels, height, width), likewise back. The others: (n, 1, 1, 1). Bilinear, and 0 outside.
    """
    height, width = batch.shape[2:]
    turned, sheared = degrees.deg2rad(), shear.deg2rad().tan()
    cos, sin = turned.cos(), turned.sin()
    # Where a pixel at (x, y) from the middle comes from: the inverse of scale · turn · shear, then of the shift.
    rows = torch.cat([cos - sin * sheared, cos * sheared + sin, -sin, cos], 1).flatten(1) / scale.flatten(1)
    x_of_x, x_of_y, y_of_x, y_of_y = rows.to(batch.device)[:, :, None].unbind(1)
    x = torch.arange(width, device=batch.device) - (width - 1) / 2 - right.flatten(1).to(batch.device)
    y = torch.arange(height, device=batch.device) - (height - 1) / 2 - down.flatten(1).to(batch.device)
    # As sums of rows and columns: products of matrices so small (`affine_grid`) take five times the sampling's time.
    grid = torch.empty(len(batch), height, width, 2, device=batch.device)
    torch.add((x_of_x * x)[:, None, :], (x_of_y * y)[:, :, None], out=grid[..., 0]).mul_(2 / width)
    torch.add((y_of_x * x)[:, None, :], (y_of_y * y)[:, :, None], out=grid[..., 1]).mul_(2 / height)
    return functional.grid_sample(batch.float(), grid, align_corners=False).round_().byte()


class Sounds:
    """Change spectrograms as other voices, rooms and microphones would, each one in its own way.

    bands, frames: moved up or down by up to so many bands, and to and fro by up to so many frames.
    stretch: longer or shorter, and wider or narrower in frequency, by up to this share.
    tilt_db: treble louder or softer than bass by up to so much.
    noise_db: hiss of a loudness drawn between the floor and this, in dB below the loudest point; none when None.
    masks: widths (bands, frames) of the strips, one each, that are set to the floor.
    """

    def __init__(
        self,
        bands: float = 0,
        frames: float = 0,
        stretch: float = 0,
        tilt_db: float = 0,
        noise_db: float | None = None,
        masks: Sequence[int] = (0, 0),
    ) -> None:
        self.bands, self.frames, self.stretch = bands, frames, stretch
        self.tilt_db, self.noise_db, self.masks = tilt_db, noise_db, masks

    def __call__(self, batch: Tensor) -> Tensor:
        """float32 (n, 1, bands, frames) in dB, 0 the loudest point and the batch's minimum the floor; likewise back."""
        floor = batch.min()
        batch = self._warped(batch - floor) + floor  # what comes in from outside is the floor
        slope = torch.linspace(-0.5, 0.5, batch.shape[2], device=batch.device)[:, None]
        batch = batch + self.tilt_db * _either(len(batch)).to(batch.device) * slope
        if self.noise_db is not None:
            level = floor + torch.rand(len(batch), 1, 1, 1).to(batch.device) * (self.noise_db - floor)
            # Power in one band of hiss is exponentially distributed.
            power = torch.empty(batch.shape).exponential_().to(batch.device)
            hiss = level + 10 * power.clamp_min(1e-6).log10()
            batch = torch.logaddexp(batch * _NEPER, hiss * _NEPER) / _NEPER
        batch = (batch - batch.amax((1, 2, 3), keepdim=True)).clamp_min(floor)
        for axis, widest in zip((2, 3), self.masks, strict=True):
            batch = torch.where(_strip(batch, axis, widest), floor, batch)
        return batch

    def _warped(self, batch: Tensor) -> Tensor:
        n, _, bands, frames = batch.shape
        place = torch.zeros(n, 2, 3)
        place[:, 0, 0] = 1 + self.stretch * _either(n).flatten()
        place[:, 1, 1] = 1 + self.stretch * _either(n).flatten()
        place[:, 0, 2] = 2 * self.frames / frames * _either(n).flatten()
        place[:, 1, 2] = 2 * self.bands / bands * _either(n).flatten()
        grid = functional.affine_grid(place.to(batch.device), list(batch.shape), align_corners=False)
        return functional.grid_sample(batch, grid, align_corners=False)


class Signals:
    """Change signals as another moment, another gain and a little more noise would, each one in its own way.

    shift: to and fro by up to this share of the length; what comes in is the first or the last value. scale: every
        channel about its mean higher or lower by up to this share. noise: standard deviation, of each channel's own.
    """

    def __init__(self, shift: float = 0, scale: float = 0, noise: float = 0) -> None:
        self.shift, self.scale, self.noise = shift, scale, noise

    def __call__(self, batch: Tensor) -> Tensor:
        """float32 (n, channels, steps), likewise back."""
        n, _, steps = batch.shape
        by = (self.shift * steps * _either(n)[:, 0]).round().long().to(batch.device)
        at = (torch.arange(steps, device=batch.device) - by).clamp(0, steps - 1)
        batch = batch.gather(2, at.expand(-1, batch.shape[1], -1))
        mean, spread = batch.mean(2, keepdim=True), batch.std(2, keepdim=True)
        gain = 1 + self.scale * _either(n)[:, 0].to(batch.device)
        hiss = torch.empty(batch.shape).normal_().to(batch.device)
        return mean + gain * (batch - mean) + self.noise * spread * hiss


class Words:
    """Take words for unknown ones, each with probability `drop`, so that no single word decides."""

    def __init__(self, drop: float) -> None:
        self.drop = drop

    def __call__(self, batch: Tensor) -> Tensor:
        """int64 tokens (n, length), likewise back; padding stays padding."""
        dropped = (torch.rand(batch.shape) < self.drop).to(batch.device) & (batch != PADDING)
        return batch.masked_fill(dropped, UNKNOWN)


_NEPER = math.log(10) / 10  # a dB of power, in natural units


def _either(n: int) -> Tensor:
    """n numbers between -1 and 1, one a sample."""
    return torch.rand(n, 1, 1, 1) * 2 - 1


def _strip(batch: Tensor, axis: int, widest: int) -> Tensor:
    """True in a strip of each sample, of a width between 0 and `widest` and anywhere along the axis."""
    shape = [1, 1, 1, 1]
    shape[axis] = size = batch.shape[axis]
    width = torch.rand(len(batch), 1, 1, 1) * widest
    start = torch.rand(len(batch), 1, 1, 1) * (size - width)
    at = torch.arange(size).reshape(shape)
    return ((at >= start.round()) & (at < (start + width).round())).to(batch.device)
