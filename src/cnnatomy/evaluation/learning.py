"""What the record of a training says of it: that it ended too early, that samples were learnt by heart, or nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnatomy.exhibit import Number

if TYPE_CHECKING:
    import pandas as pd

AHEAD = 0.1  # of training accuracy over validation accuracy, from which on samples are learnt by heart
RISE = 0.05  # of the validation loss over its least
FALL = 0.1  # of the validation loss in the last quarter
GAIN = 0.01  # of the validation accuracy in the last quarter


def numbers_of(history: pd.DataFrame) -> list[Number]:
    """What the verdicts are made of; none without a validation split.

    train_ahead: training accuracy less validation accuracy, at the end. validation_loss_rise: how far the validation
    loss ends above its least, as a share of that. validation_loss_fall, validation_gain: how far the loss fell, as a
    share, and the accuracy rose in the last quarter of the training.
    """
    if history.empty or history["validation_loss"].isna().any():
        return []
    last = history.iloc[-1]
    before = history.iloc[max(0, min(math.ceil(0.75 * len(history)) - 1, len(history) - 2))]
    least, then = float(history["validation_loss"].min()), float(before["validation_loss"])
    found = {
        "train_ahead": last["train_accuracy"] - last["validation_accuracy"],
        "validation_loss_rise": last["validation_loss"] / least - 1 if least > 0 else 0.0,
        "validation_loss_fall": 1 - last["validation_loss"] / then if then > 0 else 0.0,
        "validation_gain": last["validation_accuracy"] - before["validation_accuracy"],
    }
    return [Number(name, float(value), unit="fraction") for name, value in found.items()]


def verdict(numbers: Sequence[Number], training: Mapping[str, Any] | None) -> dict[str, str] | None:
    """One sentence where training went wrong, with the key that may mend it; None where nothing says that it did.

    numbers: of `numbers_of` and `metrics`. training: the settings, which the advice starts from.
    """
    value = {number.metric: number.value for number in numbers if not number.subject}
    above = next((number for number in numbers if number.metric == "above_majority"), None)
    if "train_ahead" not in value:
        return None
    by_heart = value["train_ahead"] >= AHEAD and value["validation_loss_rise"] >= RISE
    settings = training or {}
    if above is not None and above.ci_low is not None and above.ci_low <= 0:
        cause = _at_chance_though_learnt if by_heart else _at_chance
        return cause(above, value, settings)
    if by_heart:
        return _by_heart(value, settings)
    if value["validation_loss_fall"] >= FALL and value["validation_gain"] >= GAIN:
        return _too_early(value, settings)
    return None


def _at_chance(above: Number, value: Mapping[str, float], settings: Mapping[str, Any]) -> dict[str, str]:
    en, zh = _change(settings, "learning_rate", lambda rate: f"{rate / 3:.1g}")
    low, high = _span(above)
    return {
        "en": f"It sits at chance: against always naming the commonest class it gains between {low} and {high} points, "
        f"and training samples it reads no more than {_points(value['train_ahead'])} points better than validation "
        f"samples; {en}, and look whether inputs and labels belong together.",
        "zh": f"结果与瞎猜无异：与总猜最常见类别相比，相差 {low} 到 {high} 个百分点，训练样本上也只比验证样本高 "
        f"{_points(value['train_ahead'])} 个百分点；{zh}，并检查输入与标签是否对应。",
    }


def _at_chance_though_learnt(above: Number, value: Mapping[str, float], settings: Mapping[str, Any]) -> dict[str, str]:
    en, zh = _against_heart(settings)
    low, high = _span(above)
    ahead = _points(value["train_ahead"])
    return {
        "en": f"It sits at chance, between {low} and {high} points above always naming the commonest class, though it "
        f"reads its training samples {ahead} points better: it learnt them by heart; {en}.",
        "zh": f"结果与瞎猜无异（与总猜最常见类别相差 {low} 到 {high} 个百分点），而训练样本上高出 {ahead} 个百分点："
        f"它只是死记；{zh}。",
    }


def _by_heart(value: Mapping[str, float], settings: Mapping[str, Any]) -> dict[str, str]:
    ahead, rise = _points(value["train_ahead"]), f"{100 * value['validation_loss_rise']:.0f} %"
    en, zh = _against_heart(settings)
    if settings.get("keep") == "last":
        en, zh = _change(settings, "keep", lambda _: "best")
        en, zh = f"{en}, or give it more samples", f"{zh}，或增加样本"
    return {
        "en": f"It learns its samples by heart: at the end it reads training samples {ahead} points better than "
        f"validation samples, whose loss is {rise} above its least; {en}.",
        "zh": f"它在死记训练样本（过拟合）：训练结束时训练正确率比验证正确率高 {ahead} 个百分点，验证损失比最低时高 "
        f"{rise}；{zh}。",
    }


def _against_heart(settings: Mapping[str, Any]) -> tuple[str, str]:
    """What helps against learning by heart, first what helps most: samples, given or made by changing them."""
    en, zh = _change(settings, "weight_decay", lambda decay: f"{10 * decay or 0.01:.1g}")
    varied = "augment" in settings and not settings["augment"]
    return (
        f"give it more samples{', or have training.augment vary those it has' if varied else ''}; "
        f"if there are none, take a smaller network, or {en}",
        f"请增加样本{'，或用 training.augment 变换已有样本' if varied else ''}；若无法增加，可用更小的网络，或者{zh}",
    )


def _too_early(value: Mapping[str, float], settings: Mapping[str, Any]) -> dict[str, str]:
    key = "steps" if settings.get("max_epochs") == "auto" else "max_epochs"
    en, zh = _change(settings, key, lambda now: f"{2 * now}")
    fall, gain = f"{100 * value['validation_loss_fall']:.0f} %", _points(value["validation_gain"])
    return {
        "en": f"Training ended too early: in its last quarter the validation loss still fell by {fall} and validation "
        f"accuracy rose by {gain} points; {en}.",
        "zh": f"训练结束得太早：在最后四分之一里，验证损失仍下降了 {fall}，验证正确率上升了 {gain} 个百分点；{zh}。",
    }


def _change(settings: Mapping[str, Any], key: str, better: Any) -> tuple[str, str]:
    now = settings.get(key)
    if now is None:
        return f"change training.{key}", f"请调整 training.{key}"
    wanted = better(now)
    return f"try training.{key}={wanted} in place of {now}", f"可试 training.{key}={wanted}（现为 {now}）"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _span(number: Number) -> tuple[str, str]:
    return _points(number.ci_low or 0), _points(number.ci_high or 0)
