"""One comparison of a study: two sides in pairs, their difference over what was sampled, and what it decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cnnatomy.statistics.differences import LEVEL, SPREADLESS, effect_size, holm, p_below, sample_for, t_interval
from cnnatomy.studies.errors import StudyError
from cnnatomy.studies.measures.answers import SAMPLE, Answered

if TYPE_CHECKING:
    import pandas as pd

#: For each unit the pairs of runs, of which the second may be a number: None.
Sides = Sequence[tuple[str, Sequence[tuple[str, str | None]]]]

SUPPORTED, UNDECIDED, CONTRADICTED = 1, 0, -1


#: What each network answered to each test sample, by its run, seed, metric and subject.
Answers = Mapping[tuple[str, int, str, str], Answered]

SEED = "seed"


@dataclass(frozen=True)
class Estimate:
    """A mean difference, and how far it may lie from that over all units of its kind.

    over: what the units are, such as `seed`, `fold` or `speaker`. units: one row a unit with the columns unit, of, than
    and difference, each the mean over what else varies. value, low, high: the mean difference and its 95 % interval.
    p: one-sided, that the difference lies below the margin. overlap: see `t_interval`.
    """

    over: str
    units: pd.DataFrame
    value: float
    low: float
    high: float
    p: float
    overlap: float

    @property
    def n(self) -> int:
        return len(self.units)

    @property
    def counted(self) -> str:
        """Its units in words: `5 seeds`."""
        return f"{self.n:,} {self.over}s"


@dataclass(frozen=True)
class Compared:
    """What came of a comparison.

    said: the comparison as the study's YAML has it. seen: the difference over what it says, seeds by default. tested:
    the same difference over the samples or groups of samples that networks were tested on, where what varies besides is
    only the seed; None where that is not known, or where the units are the claim's own. adjusted: p that the difference
    lies below the margin over both, adjusted for all comparisons that decide. effect: Hedges' g of the pairs, None
    where all differences are equal. unit: of the metric.
    """

    said: Mapping[str, Any]
    seen: Estimate
    tested: Estimate | None
    adjusted: float
    effect: float | None
    unit: str

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        return (self.seen,) if self.tested is None else (self.seen, self.tested)

    @property
    def verdict(self) -> int:
        """1 where all of each interval lies above the margin, −1 where it lies below by the adjusted p, else 0."""
        if all(one.low > self.said["margin"] for one in self.estimates):
            return SUPPORTED
        return CONTRADICTED if self.adjusted <= LEVEL else UNDECIDED

    @property
    def p(self) -> float:
        """One-sided p that the difference lies below the margin, over all that it was estimated over."""
        return max(one.p for one in self.estimates)

    @property
    def of_seeds_only(self) -> bool:
        """Whether other test samples might have given another difference, which nobody knows."""
        return self.tested is None and self.said["over"] == SEED and self.seen.units["difference"].std() > SPREADLESS

    @property
    def change(self) -> tuple[Any, ...]:
        """What is compared, whatever else both sides share: `early − none` with one head is what it is with another."""
        of, than = self.said["of"], self.said["than"]
        if not isinstance(than, Mapping):
            return (self.said["metric"], self.name)
        return (self.said["metric"], *sorted((key, of[key], than[key]) for key in of if of[key] != than[key]))

    @property
    def subject(self) -> str:
        """What was compared, as the subject of a number: `of=frequency;than=time;split=male_female,female_male`."""
        return subject_of(self.said)

    @property
    def name(self) -> str:
        """What was compared, for people: `frequency − time, male_female`."""
        return ", ".join(part for part in (self.what, self.where) if part)

    @property
    def what(self) -> str:
        """The two sides: `frequency − time`."""
        return what_of(self.said)

    @property
    def where(self) -> str:
        """On what: `male_female and female_male, shift=3`."""
        levels = [" and ".join(names) for names in self.said["where"].values()]
        return ", ".join(part for part in (*levels, self.said["subject"]) if part)

    @property
    def scale(self) -> int:
        """Differences of shares are shown in points, hundredths: a per cent of what would not be said."""
        return 100 if self.unit == "fraction" else 1


def subject_of(said: Mapping[str, Any]) -> str:
    """A comparison as the subject of a number; see `Compared.subject`."""
    parts = {"of": _levels(said["of"]), "than": _levels(said["than"]), "metric": said["metric"]}
    parts |= {factor: ",".join(levels) for factor, levels in said["where"].items()}
    if said["subject"]:
        parts["at"] = said["subject"]
    return ";".join(f"{key}={value}" for key, value in parts.items())


def what_of(said: Mapping[str, Any]) -> str:
    """The two sides of a comparison; see `Compared.what`."""
    return f"{_levels(said['of'])} − {_levels(said['than'])}"


def compare(said: Mapping[str, Any], sides: Sides, measured: pd.DataFrame, answers: Answers) -> Compared:
    """Compare as `said`, the pairs in `sides`, by what was measured: columns run, seed, metric, subject, value, unit.

    Nothing is adjusted for other comparisons yet; see `corrected`. Raises StudyError where the metric was not measured
    of all of them.
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
        raise StudyError(
            f"comparisons: {said['metric']} was not measured of {lacking} or of what it is compared with; "
            "add what measures it under measures, or compare another metric"
        )
    by = "seed" if said["over"] == SEED else "unit"
    units = (
        rows.groupby(by, sort=False)[["first", "second"]].mean().reset_index().set_axis(["unit", "of", "than"], axis=1)
    )
    seen = _estimate(said, said["over"], units, said["overlap"])
    tested = _over_what_was_tested(said, rows, answers) if said["over"] == SEED else None
    p = max(one.p for one in (seen, tested) if one is not None)
    effect = effect_size(seen.units["difference"].to_numpy())
    return Compared(said, seen, tested, p, effect, str(values["unit"].iloc[0]))


def corrected(compared: Sequence[Compared]) -> list[Compared]:
    """The same with the p of those that decide adjusted for their number.

    One of them below its margin contradicts the claim, so that the more there are the sooner chance does; all must be
    above for it to be supported, which chance makes no likelier the more there are.
    """
    adjusted = iter(holm([one.p for one in compared if one.said["decides"]]))
    return [replace(one, adjusted=next(adjusted)) if one.said["decides"] else one for one in compared]


def _estimate(said: Mapping[str, Any], over: str, units: pd.DataFrame, overlap: float = 0.0) -> Estimate:
    """units: the columns unit, of and than."""
    units = units.assign(difference=units["of"] - units["than"])
    differences = units["difference"].to_numpy()
    low, high = t_interval(differences, overlap)
    p = p_below(differences, said["margin"], overlap)
    return Estimate(over, units, float(differences.mean()), low, high, p, overlap)


def _over_what_was_tested(said: Mapping[str, Any], rows: pd.DataFrame, answers: Answers) -> Estimate | None:
    """The difference over test samples, or their groups; each is the mean over seeds and all else that varies.

    rows: the columns of, than, seed, and second: the number on the second side where there is no run. None where the
    answers to single samples are not known, where sides or pairs were not asked the same, and of fewer than two groups.
    """
    import pandas as pd

    found, asked = [], set()
    for row in rows.to_dict("records"):
        of = answers.get((row["of"], row["seed"], said["metric"], said["subject"]))
        than = answers.get((row["than"], row["seed"], said["metric"], said["subject"]))
        if of is None or (row["than"] and (than is None or than.samples != of.samples)):
            return None
        asked.add((of.over, of.samples if of.over == SAMPLE else ""))
        second = dict.fromkeys(of.means(), row["second"]) if than is None else than.means()
        found.append(pd.DataFrame({"of": of.means(), "than": second}))
    if len(asked) > 1:
        return None
    units = pd.concat(found).groupby(level=0, sort=False).mean().rename_axis("unit").reset_index()
    return _estimate(said, asked.pop()[0], units) if len(units) > 1 else None


def verdict(compared: Sequence[Compared]) -> int:
    """Of the comparisons that decide, `corrected`: supported if all are, contradicted if one is, else not decided."""
    return min(one.verdict for one in compared if one.said["decides"])


def foremost(compared: Sequence[Compared]) -> Compared:
    """The comparison that the verdict hangs on: the first where all support it, else what speaks most against it."""
    deciding = [one for one in compared if one.said["decides"]]
    if verdict(compared) == SUPPORTED:
        return deciding[0]
    return min((one for one in deciding if one.verdict == verdict(compared)), key=lambda one: one.p)


def sample_to_decide(compared: Sequence[Compared]) -> dict[str, int | None]:
    """How many units of each kind would decide, in four of five studies, if all differences are what was seen.

    Where all that decide lie above their margins it is what would support them all, else what would contradict the one
    that wants the fewest. None where no number of units would; kinds of which there are enough are left out.
    """
    deciding = [one for one in compared if one.said["decides"]]
    against = [one for one in deciding if one.seen.value <= one.said["margin"]]
    if not against:
        most: dict[str, int | None] = {}
        for one in deciding:
            for over, n in _sample_of(one, 1, LEVEL).items():
                most[over] = None if n is None or most.get(over, 0) is None else max(n, most.get(over) or 0)
        return most
    return min(
        (_sample_of(one, -1, LEVEL / len(deciding)) for one in against),
        key=lambda wants: max((float("inf") if n is None else n for n in wants.values()), default=0),
    )


def _sample_of(one: Compared, side: int, level: float) -> dict[str, int | None]:
    """Of one comparison; side: 1 above the margin, −1 below it."""
    found: dict[str, int | None] = {}
    for estimate in one.estimates:
        if estimate.low > one.said["margin"] if side > 0 else estimate.p <= level:
            continue
        off = side * (estimate.value - one.said["margin"])
        deviation = float(estimate.units["difference"].std())
        n = sample_for(off, deviation, estimate.overlap * (estimate.n - 1), level) if off > 0 else None
        found[estimate.over] = n
    return found


def _levels(side: Mapping[str, str] | float) -> str:
    return " ".join(side.values()) if isinstance(side, Mapping) else f"{side:g}"
