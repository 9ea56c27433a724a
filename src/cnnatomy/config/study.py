"""A study: variants of a run, trained with several seeds and compared. What its YAML may say is checked here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import product
from typing import Any

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cnnatomy.config import folders, settings, targets
from cnnatomy.config.errors import ConfigurationError, nearest

NAME = re.compile(r"[a-z0-9_]+")
PLAIN = re.compile(r'"[A-Za-z_][A-Za-z0-9_.]*"')
SEED = "seed"
FIGURES = {
    "bars": ("metric", "bars"),
    "curve": ("metric", "along", "lines"),
    "scatter": ("x", "y", "points"),
}
OUTCOMES = ("supported", "not_supported", "not_decided")
OPTIONAL = ("panels", "over")  # of all figures


@dataclass
class Comparison:
    """What is compared: `of` − `than`, levels by factor, or a number instead of the second; see docs/studies.md."""

    metric: str = MISSING
    of: dict[str, str] = MISSING
    than: Any = MISSING
    subject: str = ""
    where: dict[str, list[str]] = field(default_factory=dict)
    over: str = SEED
    overlap: float = 0.0
    margin: float = 0.0
    decides: bool = True


@dataclass
class Written:
    """The keys of a study's YAML."""

    title: dict[str, str] = MISSING
    claim: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    meaning: dict[str, dict[str, str]] = field(default_factory=dict)
    base: str = MISSING
    overrides: list[str] = field(default_factory=list)
    seeds: int = MISSING
    factors: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    grid: dict[str, list[Any]] = field(default_factory=dict)
    without: list[dict[str, str]] = field(default_factory=list)
    measures: list[Any] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    figures: list[Any] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Variant:
    """One combination of levels: its run's name, `<study>-<level>-<level>`, and the overrides that make it."""

    run: str
    levels: Mapping[str, str]
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """A study by name and its whole content, checked. Raises ConfigurationError, naming the key, where one is wrong."""

    name: str
    content: Mapping[str, Any]

    @classmethod
    def read(cls, name: str, written: Mapping[str, Any]) -> Study:
        """A study from its YAML: what is not written there is as `Written` has it."""
        try:
            whole = OmegaConf.merge(OmegaConf.structured(Written), dict(written))
            content: Any = OmegaConf.to_container(whole, throw_on_missing=True)
        except OmegaConfBaseException as error:
            key, first = str(error.full_key or ""), str(error).splitlines()[0]
            if "not in" in first:
                known = Comparison if error.object_type is Comparison else Written
                first = f"no such key. {nearest(key.split('.')[-1], [f.name for f in fields(known)])}"
            raise ConfigurationError(f"study {name}: {key}: {first}") from error
        factors, axes = _with_grid(name, content["factors"], content["grid"])
        return cls(name, content | {"factors": factors, "grid": axes})

    def __post_init__(self) -> None:
        if self.base not in folders.options("run"):
            raise self._wrong("base", f"no run {self.base!r}. {nearest(self.base, folders.options('run'))}")
        if self.seeds < 1:
            raise self._wrong("seeds", f"must be at least 1, not {self.seeds}")
        for factor, levels in self.factors.items():
            for name in (factor, *levels):
                if not NAME.fullmatch(name):
                    raise self._wrong(f"factors.{name}", "names are made of lower-case letters, digits and underscores")
            if not levels:
                raise self._wrong(f"factors.{factor}", "has no levels")
        for place, combination in enumerate(self.content["without"]):
            self._levels(combination, f"without.{place}")
        if not self.factors:
            raise self._wrong("factors", "there are none, and no grid: say what the variants differ in")
        if not self.variants:
            raise self._wrong("without", "leaves no variant")
        for place, node in enumerate(self.measures):
            targets.check(node, f"study.{self.name}.measures.{place}", given_later=("network", "data", "seed"))
            for key, kind in targets.kinds(node["_target_"]).items():
                if key in node and (said := settings.fault(node[key], kind)):
                    raise self._wrong(f"measures.{place}.{key}", said)
        if not self.is_sweep and not self.content["claim"]:
            raise self._wrong("claim", "there is none: say what the comparisons are about")
        if not self.is_sweep and "en" not in self.content["settings"]:
            raise self._wrong("settings", 'there are none in English: say on what they were chosen, {en: "…", zh: "…"}')
        for outcome, said in self.content["meaning"].items():
            if outcome not in OUTCOMES:
                raise self._wrong(f"meaning.{outcome}", f"no such outcome. {nearest(outcome, OUTCOMES)}")
            if "en" not in said:
                raise self._wrong(f"meaning.{outcome}", 'is not said in English; write {en: "…", zh: "…"}')
        if not self.is_sweep and not self.comparisons:
            raise self._wrong("comparisons", "there are none: say what would contradict the claim")
        for place, comparison in enumerate(self.comparisons):
            self._check(comparison, f"comparisons.{place}")
        if not self.is_sweep and not any(comparison.decides for comparison in self.comparisons):
            raise self._wrong("comparisons", "none decides (decides: true)")
        for place, figure in enumerate(self.content["figures"]):
            self._check_figure(figure, f"figures.{place}")

    @property
    def base(self) -> str:
        """The run that every variant changes."""
        return self.content["base"]

    @property
    def overrides(self) -> list[str]:
        """The overrides of all variants."""
        return self.content["overrides"]

    @property
    def seeds(self) -> int:
        """Trainings of each variant; seeds count from 0."""
        return self.content["seeds"]

    @property
    def factors(self) -> Mapping[str, Mapping[str, list[str]]]:
        """The levels of each factor with the overrides that make them."""
        return self.content["factors"]

    @property
    def is_sweep(self) -> bool:
        """Whether it goes over a grid without a claim about it, so that there is nothing to decide."""
        return bool(self.content["grid"]) and not self.comparisons

    @property
    def measures(self) -> list[dict[str, Any]]:
        """What is measured of each trained network beside what always is."""
        return self.content["measures"]

    @cached_property
    def comparisons(self) -> list[Comparison]:
        return [Comparison(**comparison) for comparison in self.content["comparisons"]]

    @cached_property
    def variants(self) -> list[Variant]:
        """All combinations of levels but those that `without` leaves out."""
        left_out = self.content["without"]
        found = []
        for names in product(*self.factors.values()):
            levels = dict(zip(self.factors, names, strict=True))
            if any(all(levels[factor] == level for factor, level in one.items()) for one in left_out):
                continue
            changes = [override for factor, level in levels.items() for override in self.factors[factor][level]]
            found.append(Variant("-".join([self.name, *names]), levels, tuple(changes)))
        return found

    def trials(self) -> Iterator[tuple[Variant, int]]:
        """Every variant with every seed, all of one seed before the next, so that what stands can be paired."""
        return ((variant, seed) for seed in range(self.seeds) for variant in self.variants)

    def variant(self, run: str) -> Variant:
        """The variant of a run's name. Raises ConfigurationError."""
        found = next((variant for variant in self.variants if variant.run == run), None)
        if found is None:
            raise ConfigurationError(
                f"run={run}: no such variant of the study {self.name}. {nearest(run, [v.run for v in self.variants])}"
            )
        return found

    def sides(self, comparison: Comparison) -> list[tuple[str, list[tuple[str, str | None]]]]:
        """What a comparison pairs: for each unit of `over` the runs of each side, in pairs of equal other levels.

        A unit is a level of the factor `over`, or "" where seeds are the units. The second of a pair is None where a
        number stands on that side.
        """
        paired: dict[str, list[tuple[str, str | None]]] = {}
        of, than, runs = comparison.of, comparison.than, {variant.run for variant in self.variants}
        for variant in self.variants:
            if any(variant.levels[factor] != level for factor, level in of.items()):
                continue
            if any(variant.levels[factor] not in levels for factor, levels in comparison.where.items()):
                continue
            against = None
            if isinstance(than, Mapping):
                run = "-".join([self.name, *({**variant.levels, **than}[factor] for factor in self.factors)])
                if run not in runs:
                    raise self._wrong(
                        "comparisons", f"{variant.run} can't be paired: {run} is left out (without); narrow `where`"
                    )
                against = run
            unit = "" if comparison.over == SEED else variant.levels[comparison.over]
            paired.setdefault(unit, []).append((variant.run, against))
        return list(paired.items())

    def _check(self, comparison: Comparison, key: str) -> None:
        self._levels(comparison.of, f"{key}.of")
        if isinstance(comparison.than, Mapping):
            self._levels(comparison.than, f"{key}.than")
            if set(comparison.than) != set(comparison.of):
                raise self._wrong(
                    f"{key}.than",
                    f"names {_listed(comparison.than)} and `of` {_listed(comparison.of)}: variants that differ in more "
                    "can't be paired",
                )
            if comparison.than == comparison.of:
                raise self._wrong(f"{key}.than", "is the same as `of`")
        elif isinstance(comparison.than, bool) or not isinstance(comparison.than, (int, float)):
            raise self._wrong(f"{key}.than", f"wants levels by factor, or a number, not {comparison.than!r}")
        for factor, levels in comparison.where.items():
            for level in levels:
                self._levels({factor: level}, f"{key}.where")
        if comparison.over != SEED and (comparison.over not in self.factors or comparison.over in comparison.of):
            free = [SEED, *(factor for factor in self.factors if factor not in comparison.of)]
            raise self._wrong(f"{key}.over", f"{comparison.over!r} is none of them. {nearest(comparison.over, free)}")
        units = self.sides(comparison)
        if not units:
            raise self._wrong(key, "`of` and `where` leave no variant")
        n = self.seeds if comparison.over == SEED else len(units)
        if n < 2:
            raise self._wrong(
                f"{key}.over",
                f"an interval over {comparison.over} wants two at least, and there is {n} (seeds: 5, say)",
            )

    def _check_figure(self, figure: Any, key: str) -> None:
        kind = figure.get("kind") if isinstance(figure, Mapping) else None
        if kind not in FIGURES:
            raise self._wrong(f"{key}.kind", f"{kind!r} is none of them. {nearest(str(kind), FIGURES)}")
        takes = FIGURES[kind]
        for name, value in figure.items():
            if name not in ("kind", *takes, *OPTIONAL):
                raise self._wrong(f"{key}.{name}", f"no such key. {nearest(str(name), [*takes, *OPTIONAL])}")
            known = [*self.factors, *([SEED] if name == "over" else [])]
            if name in ("bars", "lines", "points", *OPTIONAL) and value not in known:
                raise self._wrong(f"{key}.{name}", f"no factor {value!r}. {nearest(str(value), known)}")
        lacking = [name for name in takes if name not in figure]
        if lacking:
            raise self._wrong(key, f"lacks {', '.join(lacking)}")

    def _levels(self, levels: Mapping[str, str], key: str) -> None:
        for factor, level in levels.items():
            if factor not in self.factors:
                raise self._wrong(key, f"no factor {factor!r}. {nearest(str(factor), self.factors)}")
            if level not in self.factors[factor]:
                raise self._wrong(f"{key}.{factor}", f"no level {level!r}. {nearest(str(level), self.factors[factor])}")

    def _wrong(self, key: str, why: str) -> ConfigurationError:
        return ConfigurationError(f"study {self.name}: {key}: {why}")


def _with_grid(
    study: str, factors: Mapping[str, Mapping[str, list[str]]], grid: Mapping[str, list[Any]]
) -> tuple[dict[str, Mapping[str, list[str]]], dict[str, dict[str, Any]]]:
    """The factors with those that a grid stands for, and of these the value of each level.

    `model.filters: [[8,16], [16,32]]` is the factor `filters` with the levels `8_16` and `16_32`.
    """
    whole, axes = dict(factors), {}
    for key, values in grid.items():
        last = key.rpartition(".")[2].lower()
        factor = last if last not in whole else key.replace(".", "_").lower()
        if not key.strip() or factor in whole:
            raise ConfigurationError(f"study {study}: grid.{key}: there is a factor {factor} already")
        levels = {_level(value): value for value in values}
        if len(levels) < len(values):
            raise ConfigurationError(f"study {study}: grid.{key}: names a value twice; leave one")
        written = {name: json.dumps(value, separators=(",", ":")) for name, value in levels.items()}
        # A text with an odd character is quoted, and any other stands as it is: model=dense.
        plain = {name: text[1:-1] if PLAIN.fullmatch(text) else text for name, text in written.items()}
        whole[factor] = {name: [f"{key}={text}"] for name, text in plain.items()}
        axes[factor] = levels
    return whole, axes


def _level(value: Any) -> str:
    """What a value of a grid is called in the names of runs: 0.001 `0_001`, [8, 16] `8_16`, -1 `minus_1`."""
    text = json.dumps(value).lower().replace("-", "minus_")
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_") or "empty"


def study_of(run: str) -> str | None:
    """The study that a run's name is a variant of, `direction` of `direction-frequency`; None where it is of none."""
    name, dash, _ = run.partition("-")
    return name if dash and name in folders.options("study") else None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
