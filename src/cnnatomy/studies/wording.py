"""A study's verdict in words, with the numbers that it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from cnnatomy.exhibit import Say, say
from cnnatomy.studies.comparing import CONTRADICTED, SUPPORTED, UNDECIDED, Compared, sample_to_decide

OUTCOMES = {SUPPORTED: "supported", CONTRADICTED: "not supported", UNDECIDED: "not decided"}
UNITS = ("seed", "fold", "speaker", "game", "sample")  # that have words; any other factor is named as it is


def sentence(decided: int, compared: Sequence[Compared]) -> list[Say | None]:
    """The verdict, each difference that it rests on, and what it leaves open."""
    deciding = [one for one in compared if one.said["decides"]]
    parts: list[Say | None] = [
        say(f"study.verdict.{_id(decided)}", differences=[_difference(one) for one in deciding]),
    ]
    if decided == CONTRADICTED:
        against = [one for one in deciding if one.verdict == CONTRADICTED]
        each = [say("study.verdict.one_against", name=one.name, p=one.adjusted) for one in against]
        parts.append(say("study.verdict.against", comparisons=each))
    if decided == UNDECIDED:
        parts.append(_needed(compared))
    if alone := [one for one in deciding if one.of_seeds_only]:
        metrics = list(dict.fromkeys(one.said["metric"].replace("_", " ") for one in alone))
        parts.append(say("study.verdict.of_seeds_only", metrics=metrics))
    changes = {one.change for one in deciding}
    beside = [one for one in compared if not one.said["decides"] and one.change in changes]
    if beside := [one for one in beside if one.verdict != SUPPORTED]:
        each = [say(f"study.difference.{_id(one.verdict)}", difference=_difference(one)) for one in beside]
        parts.append(say("study.verdict.beside", differences=each))
    return parts


def _id(outcome: int) -> str:
    return OUTCOMES[outcome].replace(" ", "_")


def _needed(compared: Sequence[Compared]) -> Say:
    """What would decide a study that hasn't been."""
    found = sample_to_decide(compared)
    enough = {over: n for over, n in found.items() if n is not None}
    if len(enough) < len(found):
        return say("study.verdict.never")
    units = [counted(n, over) for over, n in enough.items()]
    shared = any(one.said["overlap"] for one in compared if one.said["decides"])
    return say("study.verdict.needed_new" if shared else "study.verdict.needed", units=units)


def _difference(one: Compared) -> Say:
    """A comparison's difference with its intervals, its effect size and its margin."""
    intervals = [
        say(
            "study.difference.interval",
            low=amount(seen.low, one.unit, signed=True),
            high=amount(seen.high, one.unit, signed=True),
            units=counted(seen.n, seen.over),
        )
        for seen in one.estimates
    ]
    effect = None if one.effect is None else say("study.difference.effect", size=one.effect)
    margin = say("study.difference.margin", margin=amount(one.said["margin"], one.unit))
    return say(
        "study.difference.points" if one.unit == "fraction" else "study.difference.plain",
        name=one.name,
        metric=one.said["metric"].replace("_", " "),
        value=amount(one.seen.value, one.unit, signed=True),
        intervals=[*intervals, effect, margin],
    )


def counted(n: int, over: str) -> Say:
    """So many units of what was sampled: 5 seeds."""
    return say(f"study.units.{over}", n=n) if over in UNITS else say("study.units.other", n=n, over=over)


def amount(value: float, unit: str, signed: bool = False) -> str:
    """A number as it stands in a sentence: a share in points of a hundred, any other with its unit."""
    scaled, mark = (100 * value, "") if unit == "fraction" else (value, f" {unit}" if unit else "")
    text = f"{scaled:+,.0f}" if abs(scaled) >= 1000 else f"{scaled:+.2f}"
    return (text if signed else text.removeprefix("+")).replace("-", "−") + mark
