"""The patches of each filter side by side. What is said of them: `locale/<language>/top_patches.yaml`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.patching.showing import LARGEST, chosen, drawn_as, hung, in_room, sides, titled
from cnnatomy.dissect.top_patches.measure import Filter, TopPatches, numbers
from cnnatomy.dissect.top_patches.settings import Settings
from cnnatomy.drawing import axes, curves, overlays, saying
from cnnatomy.drawing.showing import Sound, class_name, in_colours, spaced, words
from cnnatomy.exhibit import Block, Grid, Item, Say, Sentence, Showing, Texts, Unit, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.patches import Drawn, Source, sheet, shrunk, weight_of

AROUND = 5  # words of a sentence shown on either side of a patch
SOURCES = ["@zeiler2014, figure 2", "@borowski2021"]


def show(found: TopPatches, samples: Samples, settings: Settings, *, sound: Sound | None = None) -> Showing:
    """A picture a filter, or its sentences with the patches marked; of sounds some of the last layer to hear.

    settings: `layers`, `kilobytes`, `heard`; see conf/dissect/top_patches.yaml.
    """
    facts, drawn = samples.facts, Drawn(samples)
    with_patches = [(source, [one for one in found.of(source) if one.patches]) for source in found.looked_at]
    blocks: list[Block] = []
    if facts.kind == "texts":
        for source, _, made in in_room(with_patches, lambda one: _sentences(one, samples), facts, settings.kilobytes):
            sentences = [sentence for of_filter in made for sentence in of_filter]
            title = titled(facts, source, len(made))
            blocks.append(Texts(f"patches-{source.name}", sentences, title, _reading(found, facts, source)))
    else:
        for source, those, items in in_room(
            with_patches, lambda one: _item(found, one, drawn), facts, settings.kilobytes
        ):
            said = titled(facts, source, len(items)), _reading(found, facts, source)
            along = sides(facts, source, items, _tiles(len(those[0].patches))) if items else None
            first, *others = hung(f"patches-{source.name}", items, said, along)
            blocks += [_placed(first, found.of(source), drawn), *others]
    if facts.kind == "sounds" and sound is not None and settings.heard:
        heard = _heard([one for one in with_patches[-1][1] if one.live], samples, drawn, sound, settings.heard)
        blocks = [*heard, *blocks]
    return Showing(numbers(found), blocks, _caption(found, facts, settings.layers is not None), SOURCES)


def _item(found: TopPatches, one: Filter, drawn: Drawn) -> tuple[Item, float]:
    """A filter's patches as one picture, and about how many bytes it takes."""
    most = LARGEST if drawn.samples.facts.kind != "signals" else max(curves.SMALL)
    pictures = [shrunk(drawn.patch(patch), most) for patch in one.patches]
    # Patches that the border cuts off differ in size only where the whole sample is smaller than the window.
    pixels = sheet(pictures, _tiles(len(pictures))[1])
    values = {"best": one.patches[0].value, "last": one.patches[-1].value}
    if found.enough:
        values["fires for"] = one.fires / found.samples
    if one.purity is not None:
        values["purity"] = one.purity
    if one.frequency is not None and one.moves is not None:
        values |= {"frequency, Hz": one.frequency, "moves, bands": one.moves}
    item = Item(
        id=f"{one.source.name}/{one.channel}",
        pixels=pixels,
        label=_named(one),
        state="" if not found.enough else "dead" if one.dead else "live",
        values={key: significant(value, 3) for key, value in values.items()},
        unit=Unit(one.source.name, one.channel),
    )
    return item, weight_of(pixels)


def _tiles(patches: int) -> tuple[int, int]:
    """How many patches of a filter lie above each other, and side by side."""
    columns = 3 if patches > 4 else patches
    return -(-patches // columns), columns


def _placed(grid: Grid, filters: Sequence[Filter], drawn: Drawn) -> Grid:
    """The same filters, and behind the switch where in the whole samples their patches lie.

    Of images in grey only: what has more colours would cost too much room, and of sounds values say it in Hz.
    """
    facts = drawn.samples.facts
    if facts.kind != "images" or in_colours(facts):
        return grid
    by_id = {f"{one.source.name}/{one.channel}": one for one in filters}
    items = []
    for item in grid.items:
        patches = by_id[item.id].patches
        wholes = [overlays.framed(facts, drawn.whole(patch.sample), patch.window) for patch in patches]
        items.append(replace(item, more=[sheet(wholes, _tiles(len(wholes))[1])]))
    # Whole samples are no windows: what stands along these would not fit them.
    return replace(grid, items=items, axes=None, variants=(say("top_patches.cut"), say("top_patches.place")))


def _named(one: Filter) -> str:
    """The filter's number, and the class that most of its patches are of."""
    if one.purity is None:
        return str(one.channel)
    return f"{one.channel}: {round(one.purity * one.live)}/{one.live} “{one.label}”"


def _sentences(one: Filter, samples: Samples) -> tuple[list[Sentence], float]:
    """A filter's patches in the words around them, and about how many bytes these take."""
    sentences = []
    for rank, patch in enumerate(one.patches):
        ((first, beyond),) = patch.window
        spelt = words(samples, patch.sample)
        weight = significant(max(patch.value, 0.0), 3)
        near = range(max(0, first - AROUND), min(len(spelt), beyond + AROUND))
        tokens = [(spelt[at], weight if first <= at < beyond else 0.0) for at in near]
        tokens = [*[("…", 0.0)] * (near.start > 0), *tokens, *[("…", 0.0)] * (near.stop < len(spelt))]
        sentences.append(
            Sentence(
                id=f"{one.source.name}/{one.channel}/{rank + 1}",
                tokens=tokens,
                label=class_name(samples.facts, int(samples.labels[patch.sample])),
                values={"activation": significant(patch.value, 3)},
                group=say("top_patches.group", layer=one.source.name, filter=_named(one)),
                spaces=spaced(samples.facts),
                unit=Unit(one.source.name, one.channel),
            )
        )
    return sentences, sum(260 + sum(len(word.encode()) + 32 for word, _ in one.tokens) for one in sentences)


def _heard(filters: Sequence[Filter], samples: Samples, drawn: Drawn, sound: Sound, most: int) -> list[Block]:
    """The best patch of some filters with the clip that it is from, whole, to hear."""
    if "file" not in samples.table or not filters:
        return []
    items: list[Item] = []
    places = np.unique(np.linspace(0, len(filters) - 1, most).round().astype(int))
    for one in (filters[place] for place in places.tolist()):
        patch = one.patches[0]
        wav = sound(samples.table["file"][patch.sample])
        if wav is not None:
            items.append(
                Item(
                    id=f"heard/{one.source.name}/{one.channel}",
                    pixels=drawn.patch(patch),
                    label=f"{one.channel}: “{class_name(samples.facts, int(samples.labels[patch.sample]))}”",
                    sound=wav,
                    values={"activation": significant(patch.value, 3)} | axes.span(samples.facts, patch.window[0]),
                    unit=Unit(one.source.name, one.channel),
                )
            )
    if not items:
        return []
    caption = say("top_patches.heard.caption", n=len(items), layer=filters[0].source.name)
    along = axes.along(samples.facts, *items[0].pixels.shape[:2])
    return [Grid("heard", items, 1, say("top_patches.heard.title"), caption, axes=along)]


def _reading(found: TopPatches, facts: Facts, source: Source) -> list[Say | None]:
    """How to read the patches of a convolution, and how many of its filters are dead."""
    mine = found.of(source)
    dead = sum(one.dead for one in mine)
    said: list[Say | None] = [say(f"top_patches.reading.{'words' if facts.kind == 'texts' else 'rows'}")]
    if facts.kind == "signals":
        said.append(saying.small_signals(facts))
    elif facts.kind != "texts":
        said += drawn_as(facts, source, [patch for one in mine for patch in one.patches])
    return [*said, say("top_patches.reading.dead", n=dead) if dead else None]


def _caption(found: TopPatches, facts: Facts, asked_for: bool) -> list[Say | None]:
    what = {"what": say(f"top_patches.what.{facts.kind}"), "count": found.patches}
    few = found.samples < found.patches
    return [
        say("top_patches.few", n=found.samples, **what) if few else say("top_patches.one_each", **what),
        say("top_patches.look"),
        chosen(found.looked_at, len(found.filters), found.total, asked_for),
        say("top_patches.purity") if found.enough and facts.classes else None,
        say("top_patches.moves") if facts.kind == "sounds" else None,
        say(f"top_patches.refed.{'same' if found.whole else 'another'}", error=f"{found.refed_error:.1g}")
        if found.refed
        else None,
    ]
