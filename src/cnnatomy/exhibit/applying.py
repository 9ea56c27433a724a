"""Where a method makes no sense, the report says so and why."""

from __future__ import annotations

from cnnatomy.exhibit import Exhibit, Number, Text


class DoesNotApply(Exception):
    """A method has nothing to show of this network or these data. Raised before any long work.

    `because` completes "Does not apply, because …", in English or as {"en": …, "zh": …}.
    """

    def __init__(self, because: Text) -> None:
        self.because = {"en": because} if isinstance(because, str) else dict(because)
        super().__init__(f"does not apply, because {self.because['en']}")


def does_not_apply(title: Text, because: DoesNotApply) -> Exhibit:
    """What hangs in place of the method's pictures: one sentence, and the number `applies` at 0."""
    said = because.because
    caption = {"en": f"Does not apply, because {said['en']}."}
    if "zh" in said:
        caption["zh"] = f"不适用：{said['zh']}。"
    return Exhibit("run", "", "", 0, title=title, caption=caption, numbers=[Number("applies", 0)])
