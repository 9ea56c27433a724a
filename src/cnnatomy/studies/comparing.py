"""One comparison of a study: two sides in pairs, their difference over seeds, voices or folds, and what it decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnatomy.statistics.differences import effect_size, t_interval
from cnnatomy.studies.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd

#: For each unit the pairs of runs, of which the second may be a number: None.
Sides = Sequence[tuple[str, Sequence[tuple[str, str | None]]]]

SUPPORTED, UNDECIDED, CONTRADICTED = 1, 0, -1


@dataclass(frozen=True)
class Compared:
    """What came of a comparison.

    said: the comparison as the study's YAML has it. units: one row a seed, voice or fold with the columns unit, of,
    than and difference, each the mean over what else varies. value, low, high: the mean difference and its 95 %
    interval. effect: Hedges' g of the pairs, None where all differences are equal. unit: of the metric.
    """

    said: Mapping[str, Any]
    units: pd.DataFrame
    value: float
    low: float
    high: float
    effect: float | None
    unit: str

    @property
    def verdict(self) -> int:
        """1 where the whole interval lies above the margin, −1 where none of it does, else 0."""
        margin = self.said["margin"]
        if self.low > margin:
            return SUPPORTED
        return CONTRADICTED if self.high <= margin else UNDECIDED

    @property
    def n(self) -> int:
        return len(self.units)

    @property
    def subject(self) -> str:
        """What was compared, as the subject of a number: `of=frequency;than=time;split=male_female,female_male`."""
        said = self.said
        parts = {"of": _levels(said["of"]), "than": _levels(said["than"]), "metric": said["metric"]}
        parts |= {factor: ",".join(levels) for factor, levels in said["where"].items()}
        if said["subject"]:
            parts["at"] = said["subject"]
        return ";".join(f"{key}={value}" for key, value in parts.items())

    @property
    def name(self) -> str:
        """What was compared, for people: `frequency − time, male_female`."""
        return ", ".join(part for part in (self.what, self.where) if part)

    @property
    def what(self) -> str:
        """The two sides: `frequency − time`."""
        return f"{_levels(self.said['of'])} − {_levels(self.said['than'])}"

    @property
    def where(self) -> str:
        """On what: `male_female and female_male, shift=3`."""
        levels = [" and ".join(names) for names in self.said["where"].values()]
        return ", ".join(part for part in (*levels, self.said["subject"]) if part)

    @property
    def scale(self) -> int:
        """Differences of shares are shown in points, hundredths: a per cent of what would not be said."""
        return 100 if self.unit == "fraction" else 1


def compare(said: Mapping[str, Any], sides: Sides, measured: pd.DataFrame) -> Compared:
    """Compare as `said`, the pairs in `sides`, by what was measured: columns run, seed, metric, subject, value, unit.

    Raises StudyError where the metric was not measured of all of them.
    """
    import pandas as pd

    values = measured[(measured["metric"] == said["metric"]) & (measured["subject"] == said["subject"])]
    if values.empty:
        known = measured[["metric", "subject"]].drop_duplicates().itertuples(index=False, name=None)
        there = ", ".join(" at ".join(part for part in pair if part) for pair in known)
        wanted = " at ".join(part for part in (said["metric"], said["subject"]) if part)
        raise StudyError(f"comparisons: no {wanted} was measured; there are: {there}")
    pairs = pd.DataFrame([(unit, *pair) for unit, some in sides for pair in some], columns=["unit", "of", "than"])
    each = values[["run", "seed", "value"]]
    rows = pairs.merge(each.set_axis(["of", "seed", "first"], axis=1), how="left")
    if isinstance(said["than"], Mapping):
        rows = rows.merge(each.set_axis(["than", "seed", "second"], axis=1), how="left")
    else:
        rows["second"] = float(said["than"])
    if rows[["first", "second"]].isna().any(axis=None):
        lacking = rows.loc[rows[["first", "second"]].isna().any(axis=1), "of"].iloc[0]
        raise StudyError(f"comparisons: {said['metric']} was not measured of {lacking} or of what it is compared with")
    by = "seed" if said["over"] == "seed" else "unit"
    units = (
        rows.groupby(by, sort=False)[["first", "second"]].mean().reset_index().set_axis(["unit", "of", "than"], axis=1)
    )
    units["difference"] = units["of"] - units["than"]
    differences = units["difference"].to_numpy()
    low, high = t_interval(differences, said["overlap"])
    unit = str(values["unit"].iloc[0])
    return Compared(said, units, float(differences.mean()), low, high, effect_size(differences), unit)


def verdict(compared: Sequence[Compared]) -> int:
    """Of the comparisons that decide: supported if all are, contradicted if one is, else not decided."""
    return min(one.verdict for one in compared if one.said["decides"])


def _levels(side: Mapping[str, str] | float) -> str:
    return " ".join(side.values()) if isinstance(side, Mapping) else f"{side:g}"
