"""Real patches as pictures: as many as there is room for, and what is said of how they are drawn and chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from cnnatomy.data.prepared import Facts
from cnnatomy.drawing import axes, saying
from cnnatomy.drawing.showing import in_colours
from cnnatomy.exhibit import Axis, Grid, Item, Say, Text, say
from cnnatomy.inspection.patches import Patch, Source, fitting

LARGEST = 48  # pixels of the longer side of a patch, above which it is drawn at a fraction of its size

FIRST = 3  # filters that stand first and large

Filter = TypeVar("Filter")
Made = TypeVar("Made")


def in_room(
    found: Sequence[tuple[Source, Sequence[Filter]]],
    make: Callable[[Filter], tuple[Made, float]],
    facts: Facts,
    kilobytes: float,
) -> Iterator[tuple[Source, list[Filter], list[Made]]]:
    """As many filters of each convolution as fit, evenly spread, and what is made of each; thrice as many in colour.

    make: also says how many bytes it takes, about. What a convolution leaves is shared out among those after it.
    """
    left = 1000.0 * kilobytes * (3 if in_colours(facts) else 1)
    for place, (source, filters) in enumerate(found):
        made: dict[int, tuple[Made, float]] = {}

        def cost(at: int, made: dict[int, tuple[Made, float]] = made, filters: Sequence[Filter] = filters) -> float:
            if at not in made:
                made[at] = make(filters[at])
            return made[at][1]

        places = fitting(len(filters), cost, left / (len(found) - place))
        left -= sum(map(cost, places))
        yield source, [filters[at] for at in places], [made[at][0] for at in places]


def hung(
    name: str, items: Sequence[Item], said: tuple[Text, Text], sides: tuple[Axis, Axis] | None = None
) -> list[Grid]:
    """The first few filters large, the others behind them in a grid of their own. said: title and caption."""
    title, caption = said
    if len(items) <= 2 * FIRST:
        return [Grid(name, items, title=title, caption=caption, axes=sides)]
    others = say("patching.others", title=title, n=len(items) - FIRST)
    first = Grid(name, items[:FIRST], title=title, caption=caption, axes=sides)
    return [first, Grid(f"{name}-others", items[FIRST:], title=others, axes=sides)]


def sides(facts: Facts, source: Source, items: Sequence[Item], tiles: tuple[int, int]) -> tuple[Axis, Axis] | None:
    """The axes of sheets of a convolution's patches, so many above each other and side by side.

    None where sheets are not all of one size, and of signals, whose pictures have axes of their own.
    """
    field = source.layer.field
    sizes = {item.pixels.shape[:2] for item in items}
    if field is None or len(sizes) != 1 or len(field.size) != 2:
        return None
    rows, columns = (min(size, length) for size, length in zip(field.size, facts.shape[1:], strict=True))
    return axes.of_first(axes.along(facts, rows, columns), tiles, sizes.pop())


def titled(facts: Facts, source: Source, shown: int) -> Say:
    """How many of a convolution's filters are shown, and what each sees."""
    assert source.layer.field is not None
    known = {"layer": source.name, "n": source.layer.shape[0], "window": saying.seen(facts, source.layer.field.size)}
    return (
        say("patching.filters.all", **known)
        if shown == known["n"]
        else say("patching.filters.some", shown=shown, **known)
    )


def chosen(looked_at: Sequence[Source], filters: int, total: int, asked_for: bool) -> Say | None:
    """Which filters are looked at, where it is not all: of layers that the settings ask for, or spread over all."""
    if asked_for:
        return say("patching.asked_for", filters=filters, layers=[source.name for source in looked_at])
    return (
        say("patching.chosen", filters=filters, total=total, convolutions=len(looked_at)) if filters < total else None
    )


def drawn_as(facts: Facts, source: Source, patches: Iterable[Patch]) -> list[Say]:
    """How patches of images and sounds are drawn: whether at a fraction of their size, and padding."""
    cut_off = any(
        first < 0 or last > length
        for patch in patches
        for (first, last), length in zip(patch.window, facts.shape[1:], strict=True)
        if last - first < length
    )
    factor = fraction(facts, source)
    return [
        *([say("patching.smaller", factor=factor)] if factor > 1 else []),
        *([say("patching.padding")] if cut_off else []),
    ]


def fraction(facts: Facts, source: Source) -> int:
    """At one in how many pixels of each side the patches of a convolution are drawn."""
    assert source.layer.field is not None
    sides = zip(source.layer.field.size, facts.shape[1:], strict=True)
    return -(-max(min(size, length) for size, length in sides) // LARGEST)
