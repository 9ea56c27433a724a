"""The rows of an exhibit, each made once: a mean with its interval, a share, a band, one row an item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from cnnatomy.exhibit import Number, Unit
from cnnatomy.exhibit.rounding import significant
from cnnatomy.statistics.intervals import average, share


class Numbers(list[Number]):
    """Rows in their order. Within `about("layer=conv1")` they are of that subject."""

    def __init__(self) -> None:
        super().__init__()
        self._subject = ""
        self._unit: Unit | None = None

    @contextmanager
    def about(self, subject: str, unit: Unit | None = None) -> Iterator[None]:
        """All rows made inside are of this subject, within that outside: `layer=conv1`, then `filter=3`.

        unit: the filter or neuron on whose card they stand.
        """
        outside = self._subject, self._unit
        self._subject = ";".join(part for part in (self._subject, subject) if part)
        self._unit = unit or self._unit
        yield
        self._subject, self._unit = outside

    def add(
        self,
        metric: str,
        value: float,
        interval: tuple[float, float] | None = None,
        unit: str = "",
        n: int | None = None,
    ) -> None:
        """A row as it is; interval: its 95 % one."""
        low, high = interval or (None, None)
        self.append(Number(metric, value, low, high, unit=unit, n=n, subject=self._subject, of_unit=self._unit))

    def mean(
        self,
        metric: str,
        values: np.ndarray,
        unit: str = "",
        between: tuple[float, float] = (-np.inf, np.inf),
        enough: int = 2,
    ) -> None:
        """The mean of independent values with its interval (Student's t) if they are enough; no row of no value."""
        if len(values) >= enough:
            self.append(replace(average(metric, values, unit, self._subject, between), of_unit=self._unit))
        elif len(values):
            self.add(metric, float(values.mean()), unit=unit, n=len(values))

    def share(self, metric: str, hits: int, n: int) -> None:
        """A share with its interval (Wilson); no row of nothing."""
        if n:
            self.append(replace(share(metric, hits, n, self._subject), of_unit=self._unit))

    def band(self, metric: str, ends: tuple[float, float], n: int | None = None) -> None:
        """What 95 % of others have, by its middle."""
        self.add(metric, float(np.mean(ends)), ends, n=n)

    def each(self, what: str, columns: Mapping[str, np.ndarray]) -> None:
        """A row for every column of every item, in the items' order, to four significant digits."""
        for index in range(len(next(iter(columns.values())))):
            with self.about(f"{what}={index}"):
                for metric, values in columns.items():
                    self.add(metric, significant(float(values[index])))

    def row(self, metric: str, subject: str = "") -> Number:
        """A row, with its interval. Raises KeyError where there is no such row."""
        for number in self:
            if (number.metric, number.subject) == (metric, subject):
                return number
        raise KeyError(f"{metric} of {subject or 'the whole'}")

    def value(self, metric: str, subject: str = "") -> float:
        """What a row says, for a sentence that says it too. Raises KeyError where there is no such row."""
        return self.row(metric, subject).value

    def says(self, metric: str) -> bool:
        """Whether there is a row of this metric."""
        return any(number.metric == metric for number in self)
