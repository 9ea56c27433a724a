"""A study's exhibit: the claim, the verdict, each comparison with its interval, every variant's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnatomy.exhibit import Block, Number, Prose, Showing, Table, Text, Words, say
from cnnatomy.exhibit.worded import headed
from cnnatomy.studies.comparing import Compared, Estimate, foremost, verdict
from cnnatomy.studies.figures import comparisons_figure, drawn
from cnnatomy.studies.summaries import summary
from cnnatomy.studies.wording import OUTCOMES, sentence

if TYPE_CHECKING:
    import pandas as pd

SOURCES = ["@student1908", "@holm1979", "@hedges1985"]
OVERLAP = "@nadeau2003"  # folds share what they are trained on


def findings(study: Mapping[str, Any], compared: Sequence[Compared], measured: pd.DataFrame) -> Showing:
    """The exhibit of a study.

    study: its YAML. compared: its comparisons, in its order, `corrected`. measured: one row a number, with the columns
    run, one for each factor (the level), seed, metric, subject, value, unit.
    """
    factors = list(study["factors"])
    means = summary(measured, factors, "seed")
    blocks: list[Block] = [
        Prose(study["claim"], title=say("study.claim")),
        Prose(_said(study["meaning"], compared), title=say("study.verdict.title")),
        comparisons_figure(compared),
        Table("comparisons", _comparisons(compared), *headed("study.comparisons")),
    ]
    for place, figure in enumerate(study["figures"]):
        blocks.append(drawn(f"figure-{place}", figure, measured, study["factors"]))
    blocks.append(Table("variants", variants_table(means, factors), *headed("study.variants")))
    return Showing(
        [*_of_comparisons(compared, measured), *numbers_of(means, factors)],
        blocks,
        caption=[say("study.caption"), study["settings"]],
        sources=[*study["sources"], *SOURCES, *([OVERLAP] if any(one.said["overlap"] for one in compared) else [])],
        title=study["title"],
    )


def _said(meaning: Mapping[str, Words], compared: Sequence[Compared]) -> Text:
    """What the outcome means, where the study's YAML says it, and what it rests on."""
    outcome = verdict(compared)
    return [meaning.get(OUTCOMES[outcome].replace(" ", "_")), *sentence(outcome, compared)]


def _of_comparisons(compared: Sequence[Compared], measured: pd.DataFrame) -> list[Number]:
    """The verdict and the difference that it hangs on, then every comparison."""
    head = foremost(compared)
    numbers = [
        Number("verdict", verdict(compared), n=head.seen.n),
        _difference(head, head.seen, ""),
        Number("trainings", len(measured[["run", "seed"]].drop_duplicates())),
    ]
    for one in compared:
        numbers.append(_difference(one, one.seen, one.subject))
        if one.tested is not None:
            numbers.append(_difference(one, one.tested, f"{one.subject};over={one.tested.over}s"))
        numbers.append(Number("p_below_margin", one.p, n=one.seen.n, subject=one.subject))
        if one.said["decides"]:
            numbers.append(Number("p_below_margin_adjusted", one.adjusted, n=one.seen.n, subject=one.subject))
        if one.effect is not None:
            numbers.append(Number("effect_size", one.effect, n=one.seen.n, subject=one.subject))
    return numbers


def _difference(one: Compared, seen: Estimate, subject: str) -> Number:
    unit = "points" if one.unit == "fraction" else one.unit
    value, low, high = (one.scale * number for number in (seen.value, seen.low, seen.high))
    return Number("difference", value, low, high, unit, seen.n, subject)


def _comparisons(compared: Sequence[Compared]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for one in compared:
        tested = one.tested
        rows.append(
            {
                "comparison": one.what,
                "where": one.where,
                "difference": round(one.scale * one.seen.value, 4),
                "from": round(one.scale * one.seen.low, 4),
                "to": round(one.scale * one.seen.high, 4),
                "unit": "points" if one.unit == "fraction" else one.unit,
                "over": one.seen.counted,
                "from, tested": "" if tested is None else round(one.scale * tested.low, 4),
                "to, tested": "" if tested is None else round(one.scale * tested.high, 4),
                "tested": "" if tested is None else tested.counted,
                "outcome": OUTCOMES[one.verdict],
                "decides": "yes" if one.said["decides"] else "",
                "margin": one.scale * one.said["margin"],
                "p": f"{one.p:.2g}",
                "adjusted": f"{one.adjusted:.2g}" if one.said["decides"] else "",
                "metric": one.said["metric"].replace("_", " "),
                "effect size": "" if one.effect is None else f"{one.effect:.2f}",
            }
        )
    return pd.DataFrame(rows)


def numbers_of(means: pd.DataFrame, factors: Sequence[str]) -> list[Number]:
    """One number a row of `means` (see `summary`), its subject the levels of the factors; no interval of one seed."""
    numbers = []
    for row in means.to_dict("records"):
        levels = ";".join([*(f"{factor}={row[factor]}" for factor in factors), *filter(None, [row["subject"]])])
        low, high = (row["low"], row["high"]) if row["n"] > 1 else (None, None)
        numbers.append(Number(row["metric"], row["mean"], low, high, row["unit"], row["n"], levels))
    return numbers


def variants_table(means: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """One row a variant: the measures without a subject, and the standard deviation of the test accuracy."""
    whole = means[means["subject"] == ""]
    table = whole.pivot(index=list(factors), columns="metric", values="mean").reset_index()
    spread = whole[whole["metric"] == "test_accuracy"][[*factors, "sd", "n"]]
    table = whole[list(factors)].drop_duplicates().merge(table).merge(spread)
    first = [*factors, "n", "test_accuracy", "sd"]
    table["sd"] = table["sd"].where(table["n"] > 1)  # one seed has none
    table = table[[*first, *(name for name in table if name not in first)]]
    names = {name: str(name).replace("_", " ") for name in table}
    return table.rename(columns={**names, "n": "seeds", "sd": "s.d."})
