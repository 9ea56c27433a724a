"""How alike the maps of a layer's filters are, and how many filters' worth of different maps there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from cnnatomy.data.prepared import Samples
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.layers import capture
from cnnatomy.inspection.predicting import in_batches

PLACES = 64  # of a map that are compared, evenly spread; fewer where that would be more numbers than there is room for
ROOM = 2**26


@dataclass(frozen=True)
class Redundancy:
    """Of the filters of a layer.

    fires: (filters,), the share of samples that raise each above zero anywhere. correlation: of their maps, (filters,
    filters); zero for one that never varies.
    """

    fires: np.ndarray
    correlation: np.ndarray

    @property
    def live(self) -> np.ndarray:
        """The filters whose maps vary."""
        return np.flatnonzero(self.correlation.diagonal() > 0)

    @property
    def effective(self) -> float:
        """How many filters' worth of different maps there are: the participation ratio of the correlations.

        The square of the eigenvalues' sum over the sum of their squares: as many as there are filters if no two maps
        go together, 1 if all are the same.
        """
        live = self.live
        return len(live) ** 2 / float((self.correlation[np.ix_(live, live)] ** 2).sum()) if len(live) else 0.0

    def partner(self, channel: int) -> tuple[int, float]:
        """The other filter of the layer whose maps go most with those of this one, and their correlation."""
        others = np.abs(self.correlation[channel])
        others[channel] = -1
        best = int(others.argmax())
        return best, float(self.correlation[channel, best])

    def alike_together(self) -> np.ndarray:
        """An order of the filters in which similar ones are neighbours."""
        from scipy.cluster.hierarchy import leaves_list, linkage
        from scipy.spatial.distance import squareform

        if len(self.correlation) < 3:
            return np.arange(len(self.correlation))
        distance = 1 - np.abs((self.correlation + self.correlation.T) / 2)
        np.fill_diagonal(distance, 0)
        return leaves_list(linkage(squareform(np.maximum(distance, 0), checks=False), "average"))


def redundancies(network: nn.Module, layers: Sequence[str], samples: Samples, places: np.ndarray) -> list[Redundancy]:
    """Of each of these layers, by their names, on the samples at these places."""
    peaks: dict[str, list[np.ndarray]] = {name: [] for name in layers}
    rows: dict[str, list[np.ndarray]] = {name: [] for name in layers}
    for _, x in in_batches(samples, places):
        held = {name: maps.flatten(2) for name, maps in capture(network, x, layers).items()}
        most = ROOM // (len(places) * sum(maps.shape[1] for maps in held.values()))
        for name, maps in held.items():
            compared = evenly(maps.shape[2], max(1, min(PLACES, most)))
            peaks[name].append((maps.amax(2) > 0).numpy())
            rows[name].append(maps[:, :, compared].transpose(1, 2).flatten(0, 1).numpy())
    return [
        Redundancy(np.concatenate(peaks[name]).mean(axis=0), correlation(np.concatenate(rows[name]).astype(np.float64)))
        for name in layers
    ]


def correlation(values: np.ndarray) -> np.ndarray:
    """The correlation of the columns, zero for one that never varies."""
    values = values - values.mean(axis=0)
    together = values.T @ values
    size = np.sqrt(together.diagonal())
    # Rounding leaves traces in a map that never varies.
    size = np.where(size > 1e-6 * max(size.max(initial=0.0), 1e-30), size, 0)
    scale = np.outer(size, size)
    return np.clip(np.divide(together, scale, out=np.zeros_like(scale), where=scale > 0), -1, 1)
