"""A study's verdict in words, with the numbers that it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from cnnatomy.studies.comparing import CONTRADICTED, SUPPORTED, UNDECIDED, Compared, sample_to_decide

VERDICTS = {
    SUPPORTED: {"en": "Supported by these data", "zh": "这些数据支持该论断"},
    CONTRADICTED: {"en": "Not supported by these data", "zh": "这些数据不支持该论断"},
    UNDECIDED: {"en": "Not decided by these data", "zh": "这些数据不足以判定该论断"},
}
ZH = {SUPPORTED: "支持", CONTRADICTED: "不支持", UNDECIDED: "未判定"}
OUTCOMES = {SUPPORTED: "supported", CONTRADICTED: "not supported", UNDECIDED: "not decided"}
UNITS = {  # in Chinese, with the word that counts them; any other factor is named as it is
    "seed": "个种子",
    "fold": "折",
    "speaker": "位说话人",
    "game": "局棋",
    "sample": "个样本",
}


def sentence(decided: int, compared: Sequence[Compared]) -> dict[str, str]:
    """The verdict, each difference that it rests on, and what it leaves open."""
    deciding = [one for one in compared if one.said["decides"]]
    said = [_said(one) for one in deciding]
    parts = [
        {
            "en": f"{VERDICTS[decided]['en']}. {'; '.join(one['en'] for one in said)}.",
            "zh": f"{VERDICTS[decided]['zh']}。{'；'.join(one['zh'] for one in said)}。",
        }
    ]
    if decided == CONTRADICTED:
        parts.append(_against([one for one in deciding if one.verdict == CONTRADICTED]))
    if decided == UNDECIDED:
        parts.append(_needed(compared))
    if alone := [one for one in deciding if one.of_seeds_only]:
        parts.append(_of_seeds_only(alone))
    changes = {one.change for one in deciding}
    beside = [one for one in compared if not one.said["decides"] and one.change in changes]
    if beside := [one for one in beside if one.verdict != SUPPORTED]:
        parts.append(_beside(beside))
    return {"en": " ".join(part["en"] for part in parts), "zh": "".join(part["zh"] for part in parts)}


def _against(contradicting: Sequence[Compared]) -> dict[str, str]:
    named = {
        "en": "; ".join(f"{one.name} (adjusted p {one.adjusted:.2g})" for one in contradicting),
        "zh": "；".join(f"{one.name}（校正后 p {one.adjusted:.2g}）" for one in contradicting),
    }
    return {"en": f"What contradicts it: {named['en']}.", "zh": f"与之相悖的是：{named['zh']}。"}


def _needed(compared: Sequence[Compared]) -> dict[str, str]:
    """What would decide a study that hasn't been."""
    found = sample_to_decide(compared)
    enough = {over: n for over, n in found.items() if n is not None}
    if len(enough) < len(found):
        return {
            "en": "If the differences are what was seen, no larger sample would decide it.",
            "zh": "若差异与所见相同，再大的样本也无法判定。",
        }
    shared = any(one.said["overlap"] for one in compared if one.said["decides"])
    of = (", each new and as large as these,", "（每个都须是同样大小的新样本）") if shared else ("", "")
    en = " and ".join(f"{n:,} {over}s" for over, n in enough.items()) + of[0]
    zh = "、".join(_counted(n, over) for over, n in enough.items()) + of[1]
    return {
        "en": f"If the differences are what was seen, about {en} would be needed to decide it in four of five studies.",
        "zh": f"若差异与所见相同，约需 {zh}，才能在五次研究中有四次作出判定。",
    }


def _of_seeds_only(alone: Sequence[Compared]) -> dict[str, str]:
    metrics = list(dict.fromkeys(one.said["metric"].replace("_", " ") for one in alone))
    return {
        "en": f"Of {' and '.join(metrics)} the verdict is over seeds only: other test samples may say otherwise.",
        "zh": f"就 {'、'.join(metrics)} 而言，结论只涉及种子：换一批测试样本可能不同。",
    }


def _beside(others: Sequence[Compared]) -> dict[str, str]:
    named = [(_said(one), one.verdict) for one in others]
    en = "; ".join(f"{said['en']}, {OUTCOMES[outcome]}" for said, outcome in named)
    zh = "；".join(f"{said['zh']}，{ZH[outcome]}" for said, outcome in named)
    return {
        "en": f"The same change elsewhere, which doesn't decide: {en}.",
        "zh": f"同一改动在别处（不参与判定）：{zh}。",
    }


def _said(one: Compared) -> dict[str, str]:
    """A comparison's difference with its intervals, its effect size and its margin."""
    points = ("points", "个百分点") if one.unit == "fraction" else ("", "")
    value, margin = amount(one.seen.value, one.unit, signed=True), amount(one.said["margin"], one.unit)
    intervals = [[amount(number, one.unit, signed=True) for number in (seen.low, seen.high)] for seen in one.estimates]
    pairs = list(zip(intervals, one.estimates, strict=True))
    en = "; ".join(f"{low} to {high} over {seen.counted}" for (low, high), seen in pairs)
    zh = "；".join(f"{low} 至 {high}，{_counted(seen.n, seen.over)}" for (low, high), seen in pairs)
    effect = "" if one.effect is None else f"; effect size {one.effect:.1f}".replace("-", "−")
    return {
        "en": f"{one.name}, {one.said['metric'].replace('_', ' ')}: {value} {points[0]}".rstrip()
        + f" ({en}{effect}; margin {margin})",
        "zh": f"{one.name}，{one.said['metric']}：{value} {points[1]}".rstrip() + f"（{zh}；界限 {margin}）",
    }


def _counted(n: int, over: str) -> str:
    """So many units, in Chinese."""
    return f"{n:,} {UNITS.get(over, f'个 {over}')}"


def amount(value: float, unit: str, signed: bool = False) -> str:
    """A number as it stands in a sentence: a share in points of a hundred, any other with its unit."""
    scaled, mark = (100 * value, "") if unit == "fraction" else (value, f" {unit}" if unit else "")
    text = f"{scaled:+,.0f}" if abs(scaled) >= 1000 else f"{scaled:+.2f}"
    return (text if signed else text.removeprefix("+")).replace("-", "−") + mark
