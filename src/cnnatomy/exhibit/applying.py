"""Where a method makes no sense, the report says so and why."""

from __future__ import annotations

from cnnatomy.exhibit.blocks import Number, Showing
from cnnatomy.exhibit.languages import FIRST, language
from cnnatomy.exhibit.words import Text, described, say


class DoesNotApply(Exception):
    """A method has nothing to show of this network or these data. Raised before any long work.

    `because` completes "Does not apply, because …".
    """

    def __init__(self, because: Text) -> None:
        self.because = because
        super().__init__(f"does not apply, because {language(FIRST).words(described(because))}")


def does_not_apply(because: DoesNotApply) -> Showing:
    """What hangs in place of the method's pictures: one sentence, and the number `applies` at 0."""
    return Showing([Number("applies", 0)], [], say("exhibit.does_not_apply", because=because.because))
