"""Test samples that come in groups, such as several recordings of a patient: what they say of other groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cnnatomy.exhibit import Number, Table
from cnnatomy.statistics.intervals import clustered, share

if TYPE_CHECKING:
    import pandas as pd

    from cnnatomy.data.prepared import Samples

OVER_GROUPS = "test_accuracy_over_groups"


def by_group(test: pd.DataFrame, samples: Samples) -> pd.DataFrame | None:
    """Samples and hits of each group, the worst first; None for data without groups.

    test: the predictions of the split, with the columns label and prediction.
    """
    if "group" not in samples.table:
        return None
    known = (test["label"] >= 0).to_numpy()
    right = (test["label"] == test["prediction"]).to_numpy()[known]
    each = samples.table["group"].astype(str)[known].to_frame("group").assign(samples=1, right=right.astype(int))
    found = each.groupby("group", sort=True).sum().reset_index()
    return found.assign(accuracy=found["right"] / found["samples"]).sort_values(
        "accuracy", kind="stable", ignore_index=True
    )


def of_groups(groups: pd.DataFrame | None) -> list[Number]:
    """The accuracy with an interval over groups where there are several, then that of each group."""
    if groups is None:
        return []
    hits, sizes = groups["right"].to_numpy(), groups["samples"].to_numpy()
    numbers = []
    if len(groups) > 1:
        low, high = clustered(hits, sizes)
        accuracy = float(hits.sum() / sizes.sum())
        numbers.append(Number(OVER_GROUPS, accuracy, low, high, unit="fraction", n=len(groups)))
    each = zip(groups["group"], hits, sizes, strict=True)
    return numbers + [share("accuracy", int(hit), int(n), subject=f"group={name}") for name, hit, n in each]


def table(groups: pd.DataFrame) -> Table:
    """Each group with its accuracy, and what all of them say together."""
    numbers = of_groups(groups)
    each = [number for number in numbers if number.subject]
    shown = groups.drop(columns="right").assign(accuracy=np.round(groups["accuracy"], 4))
    shown["accuracy 95 %"] = [f"{number.ci_low:.3f}–{number.ci_high:.3f}" for number in each]
    en, zh = "The worst first.", "最差的在前。"
    if numbers[0].metric == OVER_GROUPS:
        low, high = 100 * (numbers[0].ci_low or 0), 100 * (numbers[0].ci_high or 0)
        en += (
            f" Samples of one group are alike, so that {numbers[0].n} groups say less than as many unrelated samples "
            f"as they have: counted by group, the 95 % interval of the accuracy is {low:.1f} to {high:.1f} %."
        )
        zh += (
            f"同组样本彼此相似，{numbers[0].n} 组提供的信息少于同样多的独立样本："
            f"以组为单位，正确率的 95 % 区间为 {low:.1f}–{high:.1f} %。"
        )
    return Table("groups", shown, title={"en": "Each group", "zh": "各组"}, caption={"en": en, "zh": zh})
