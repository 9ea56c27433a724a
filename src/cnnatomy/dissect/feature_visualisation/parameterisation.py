"""Images that can only differ in their phases: the spectrum is that of the data (MACO).

What natural images share is mostly in the amplitudes of their Fourier transform, what sets one apart is in the
phases. With the amplitudes fixed to the data's mean, an optimiser can't put its effort into frequencies that data
don't have, and needs no penalty for that.

Fel et al. 2023, Unlocking feature visualization for deeper networks with magnitude constrained optimization, NeurIPS.
They take one spectrum of ImageNet; this is measured on the data at hand and on windows of the size that is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.feature_visualisation.regularisers import spread

WINDOWS = 2000  # of the data, from which the mean amplitude is taken


@dataclass(frozen=True)
class Spectrum:
    """What windows of the data have in common.

    mean: (channels, 1, 1), of a pixel. colours: (channels, channels), an orthogonal matrix whose rows are the principal
    directions of the channels, so that each has a spectrum of its own; 1 for one channel.
    amplitude: (channels, rows, columns), mean |FFT| of the deviation from the mean along each direction; that of the
    mean itself, [0, 0], is zero, so that the amount of ink is that of the data. signal: the windows have no rows; here
    they are pictures of one row.
    """

    mean: Tensor
    colours: Tensor
    amplitude: Tensor
    signal: bool = False

    @classmethod
    def fit(cls, windows: Tensor) -> Spectrum:
        """windows: (n, channels, rows, columns), or (n, channels, steps), of data as the network sees them."""
        signal = windows.dim() == 3
        windows = windows[:, :, None] if signal else windows
        channels = windows.shape[1]
        mean = windows.mean((0, 2, 3))
        deviation = windows - mean[:, None, None]
        colours = torch.eye(channels)
        if channels > 1:
            flat = deviation.transpose(0, 1).flatten(1).double()
            colours = torch.linalg.eigh(flat @ flat.T / flat.shape[1]).eigenvectors.T.flip(0).float()
            # A direction's sign is up to the library: the largest entry is positive.
            largest = colours.gather(1, colours.abs().argmax(1, keepdim=True))
            colours = colours * largest.sign()
        along = torch.einsum("dc,nchw->ndhw", colours, deviation)
        amplitude = torch.zeros(windows.shape[1:])
        for part in along.split(250):
            amplitude += torch.fft.fft2(part).abs().sum(0)
        amplitude /= len(windows)
        amplitude[:, 0, 0] = 0
        return cls(mean[:, None, None], colours, amplitude, signal)

    @property
    def half(self) -> int:
        """Columns of a transform that say all of a real image: the others are their conjugates."""
        return self.amplitude.shape[2] // 2 + 1

    def image(self, phases: Tensor) -> Tensor:
        """The images (n, channels, rows, columns) of these phases, of the same shape, in radians.

        Only the odd part of the phases counts (that at −f is minus that at f), so that images are real and have the
        amplitudes exactly.
        """
        if self.signal and phases.dim() == 3:
            return self.image(phases[:, :, None])[:, :, 0]
        odd = (phases - phases.flip(2, 3).roll((1, 1), (2, 3)))[..., : self.half]
        spectrum = torch.polar(self.amplitude[..., : self.half].expand_as(odd), odd)
        along = torch.fft.irfft2(spectrum, s=self.amplitude.shape[1:])
        return self.mean + torch.einsum("dc,ndhw->nchw", self.colours, along)

    def along(self, gradient: Tensor) -> Tensor:
        """A gradient (n, channels, rows, columns) with each frequency as strong as it is in the data."""
        if self.signal and gradient.dim() == 3:
            return self.along(gradient[:, :, None])[:, :, 0]
        amplitude = self.amplitude.clone()
        amplitude[:, 0, 0] = self.amplitude.flatten(1).amax(1)
        turned = torch.einsum("dc,nchw->ndhw", self.colours, gradient)
        spectrum = torch.fft.rfft2(turned) * (amplitude[..., : self.half] / amplitude.mean())
        filtered = torch.fft.irfft2(spectrum, s=amplitude.shape[1:])
        return torch.einsum("dc,ndhw->nchw", self.colours, filtered)


def windows(samples: Samples, sides: tuple[int, ...], generator: np.random.Generator) -> Tensor:
    """Windows of the data, `sides` large, one of each of some samples and anywhere in it, as the network sees them.

    Where there are few samples each gives several; windows as large as the samples are the samples.
    """
    places = spread(samples, WINDOWS)
    rooms = [side - size for side, size in zip(samples.facts.shape[1:], sides, strict=True)]
    if any(rooms):
        places = np.repeat(places, min(64, math.ceil(256 / len(places))))
    cut = []
    for place in places:
        firsts = [int(generator.integers(0, room + 1)) for room in rooms]
        where = tuple(slice(first, first + side) for first, side in zip(firsts, sides, strict=True))
        cut.append(samples.inputs[place][(slice(None), *where)])
    return to_tensor(samples.facts, np.stack(cut))
