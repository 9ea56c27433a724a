"""A study's exhibit: the claim, the verdict, each comparison with its interval, every variant's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnatomy.exhibit import Block, Exhibit, Number, Prose, Table
from cnnatomy.studies.comparing import CONTRADICTED, SUPPORTED, UNDECIDED, Compared, verdict
from cnnatomy.studies.figures import comparisons_figure, drawn
from cnnatomy.studies.summaries import summary

if TYPE_CHECKING:
    import pandas as pd

VERDICTS = {
    SUPPORTED: {"en": "Supported by these data", "zh": "这些数据支持该论断"},
    CONTRADICTED: {"en": "Not supported by these data", "zh": "这些数据不支持该论断"},
    UNDECIDED: {"en": "Not decided by these data", "zh": "这些数据不足以判定该论断"},
}
SOURCES = [
    "Student 1908, The probable error of a mean, Biometrika 6 (intervals)",
    "Hedges & Olkin 1985, Statistical methods for meta-analysis, Academic Press (effect size)",
]
OVERLAP = (
    "Nadeau & Bengio 2003, Inference for the generalization error, Machine Learning 52 (folds share training data)"
)


def findings(study: Mapping[str, Any], compared: Sequence[Compared], measured: pd.DataFrame) -> Exhibit:
    """The exhibit of a study; its name is left for the caller to fill in.

    study: its YAML. compared: its comparisons, in its order. measured: one row a number, with the columns run, one for
    each factor (the level), seed, metric, subject, value, unit.
    """
    factors = list(study["factors"])
    means = summary(measured, factors, "seed")
    decided = verdict(compared)
    deciding = [one for one in compared if one.said["decides"]]
    head = deciding[0]
    numbers = [
        Number("verdict", decided, n=head.n),
        _difference(head, ""),
        Number("trainings", len(measured[["run", "seed"]].drop_duplicates())),
    ]
    for one in compared:
        numbers.append(_difference(one, one.subject))
        if one.effect is not None:
            numbers.append(Number("effect_size", one.effect, n=one.n, subject=one.subject))
    numbers += numbers_of(means, factors)
    blocks: list[Block] = [
        Prose(study["claim"], title={"en": "The claim", "zh": "论断"}),
        Prose(_sentence(decided, deciding), title={"en": "The verdict", "zh": "结论"}),
        comparisons_figure(compared),
        Table("comparisons", _comparisons(compared), title={"en": "All comparisons", "zh": "全部比较"}),
    ]
    for place, figure in enumerate(study["figures"]):
        blocks.append(drawn(f"figure-{place}", figure, measured, study["factors"]))
    blocks.append(
        Table(
            "variants",
            variants_table(means, factors),
            title={"en": "Every variant", "zh": "全部变体"},
            caption={
                "en": "Means over seeds; s.d. is the standard deviation of the test accuracy over them.",
                "zh": "各种子的均值；s.d. 为测试准确率在种子间的标准差。",
            },
        )
    )
    return Exhibit(
        "study",
        "",
        "",
        0,
        title=study["title"],
        caption={
            "en": (
                "A claim, networks that could contradict it, and the differences between them. Pairs share all but "
                "what is compared; the line is the 95 % interval of the mean difference (Student's t over the dots), "
                "the dots are single seeds, voices or folds. A comparison supports the claim if its whole interval "
                "lies above the margin, and contradicts it if none of it does. Settings were chosen on validation "
                "data before."
            ),
            "zh": (
                "一个论断、可能推翻它的若干网络，以及它们之间的差异。每一对只在所比较之处不同；横线为平均差异的 95 % "
                "区间（对各点作 Student t），点为单个种子、说话人或折。整个区间高于界限则支持论断，"
                "全部不高于界限则与之相悖。设置均在比较之前用验证数据选定。"
            ),
        },
        numbers=numbers,
        blocks=blocks,
        sources=[*study["sources"], *SOURCES, *([OVERLAP] if any(one.said["overlap"] for one in compared) else [])],
    )


def amount(value: float, unit: str, signed: bool = False) -> str:
    """A number as it stands in a sentence: a share in points of a hundred, any other with its unit."""
    scaled, mark = (100 * value, "") if unit == "fraction" else (value, f" {unit}" if unit else "")
    text = f"{scaled:+,.0f}" if abs(scaled) >= 1000 else f"{scaled:+.2f}"
    return (text if signed else text.removeprefix("+")).replace("-", "−") + mark


def _difference(one: Compared, subject: str) -> Number:
    unit = "points" if one.unit == "fraction" else one.unit
    value, low, high = (one.scale * number for number in (one.value, one.low, one.high))
    return Number("difference", value, low, high, unit, one.n, subject)


def _sentence(decided: int, deciding: Sequence[Compared]) -> dict[str, str]:
    en, zh = [], []
    for one in deciding:
        points = ("points", "个百分点") if one.unit == "fraction" else ("", "")
        over = one.said["over"]
        value, low, high = (amount(number, one.unit, signed=True) for number in (one.value, one.low, one.high))
        margin = amount(one.said["margin"], one.unit)
        effect = "" if one.effect is None else f", effect size {one.effect:.1f}".replace("-", "−")
        en.append(
            f"{one.name}, {one.said['metric'].replace('_', ' ')}: {value} {points[0]}".rstrip()
            + f" ({low} to {high} over {one.n} {over}s{effect}; margin {margin})"
        )
        zh.append(
            f"{one.name}，{one.said['metric']}：{value} {points[1]}".rstrip()
            + f"（{low} 至 {high}，{one.n} 个 {over}，界限 {margin}）"
        )
    return {
        "en": f"{VERDICTS[decided]['en']}. {'; '.join(en)}.",
        "zh": f"{VERDICTS[decided]['zh']}。{'；'.join(zh)}。",
    }


def _comparisons(compared: Sequence[Compared]) -> pd.DataFrame:
    import pandas as pd

    said = {SUPPORTED: "supported", CONTRADICTED: "not supported", UNDECIDED: "not decided"}
    return pd.DataFrame(
        {
            "comparison": one.what,
            "where": one.where,
            "difference": round(one.scale * one.value, 4),
            "from": round(one.scale * one.low, 4),
            "to": round(one.scale * one.high, 4),
            "unit": "points" if one.unit == "fraction" else one.unit,
            "outcome": said[one.verdict],
            "decides": "yes" if one.said["decides"] else "",
            "margin": one.scale * one.said["margin"],
            "metric": one.said["metric"].replace("_", " "),
            "effect size": "" if one.effect is None else f"{one.effect:.2f}",
            "over": f"{one.n} {one.said['over']}s",
        }
        for one in compared
    )


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
    table = table[[*first, *(name for name in table if name not in first)]]
    names = {name: str(name).replace("_", " ") for name in table}
    return table.rename(columns={**names, "n": "seeds", "sd": "s.d."})
