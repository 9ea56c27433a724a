"""Blocks by the key under which the locale has their sentences."""

from __future__ import annotations

from cnnatomy.exhibit import Figure, say
from cnnatomy.exhibit.worded import figure, headed


def test_a_block_is_headed_by_its_title_and_its_caption_which_values_fill():
    assert headed("ngrams.picks", n=4) == (say("ngrams.picks.title"), say("ngrams.picks.caption", n=4))


def test_a_figure_says_what_it_is_to_those_who_cannot_see_it_and_has_its_own_caption_unless_one_is_given():
    own = figure("cube", "output_size.cube", "<svg/>", sum="3")
    title, told = say("output_size.cube.title"), {"sum": "3"}
    alt, caption = (say(f"output_size.cube.{part}", **told) for part in ("alt", "caption"))
    assert own == Figure("cube", "<svg/>", alt, None, title, caption)
    assert figure("cube", "output_size.cube", "<svg/>", None, "", **told) == Figure("cube", "<svg/>", alt, title=title)
