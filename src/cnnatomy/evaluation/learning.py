"""What the record of a training says of it: that it ended too early, that samples were learnt by heart, or nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnatomy.exhibit import Number, Say, say

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


def verdict(numbers: Sequence[Number], training: Mapping[str, Any] | None) -> Say | None:
    """One sentence where training went wrong, with the key that may mend it; None where nothing says that it did.

    numbers: of `numbers_of` and `metrics`. training: the settings, which the advice starts from.
    """
    value = {number.metric: number.value for number in numbers if not number.subject}
    above = next((number for number in numbers if number.metric == "above_majority"), None)
    if "train_ahead" not in value:
        return None
    ahead, settings = 100 * value["train_ahead"], training or {}
    by_heart = value["train_ahead"] >= AHEAD and value["validation_loss_rise"] >= RISE
    if above is not None and above.ci_low is not None and above.ci_high is not None and above.ci_low <= 0:
        gained = {"low": 100 * above.ci_low, "high": 100 * above.ci_high, "ahead": ahead}
        if by_heart:
            return say("evaluation.learning.at_chance_though_learnt", **gained, advice=_against_heart(settings))
        return say("evaluation.learning.at_chance", **gained, advice=_slower(settings))
    if by_heart:
        last = settings.get("keep") == "last"
        advice = _change(settings, "keep", "best", "try_or_more") if last else _against_heart(settings)
        return say("evaluation.learning.by_heart", ahead=ahead, rise=value["validation_loss_rise"], advice=advice)
    if value["validation_loss_fall"] >= FALL and value["validation_gain"] >= GAIN:
        fall, gain = value["validation_loss_fall"], 100 * value["validation_gain"]
        return say("evaluation.learning.too_early", fall=fall, gain=gain, advice=_longer(settings))
    return None


def _slower(settings: Mapping[str, Any]) -> Say:
    rate = settings.get("learning_rate")
    return _change(settings, "learning_rate", None if rate is None else f"{rate / 3:.1g}")


def _longer(settings: Mapping[str, Any]) -> Say:
    key = "steps" if settings.get("max_epochs") == "auto" else "max_epochs"
    now = settings.get(key)
    return _change(settings, key, None if now is None else f"{2 * now}")


def _against_heart(settings: Mapping[str, Any]) -> Say:
    """What helps against learning by heart, first what helps most: samples, given or made by changing them."""
    decay = settings.get("weight_decay")
    change = _change(settings, "weight_decay", None if decay is None else f"{10 * decay or 0.01:.1g}")
    varied = "augment" in settings and not settings["augment"]
    return say(f"evaluation.advice.{'more_or_varied' if varied else 'more'}", change=change)


def _change(settings: Mapping[str, Any], key: str, wanted: str | None, how: str = "try") -> Say:
    """What to set a key of `training` to, as it is written on a command line."""
    if wanted is None:
        return say("evaluation.advice.set", key=key)
    return say(f"evaluation.advice.{how}", key=key, wanted=wanted, now=str(settings[key]))
