"""All words by one voice of each sex, one word by many voices, and who speaks in which split."""

from __future__ import annotations

from cnnatomy.data.prepared import Dataset, Samples
from cnnatomy.dissect.samples import choosing
from cnnatomy.dissect.samples.measure import Given, Speakers
from cnnatomy.dissect.samples.settings import Settings
from cnnatomy.dissect.samples.voices import APART
from cnnatomy.drawing.showing import Shown, Sound, show
from cnnatomy.exhibit import Block, Say, Table, Text, say
from cnnatomy.exhibit.worded import headed
from cnnatomy.inspection.choosing import evenly


def blocks(found: Given, data: Dataset, split: Samples, settings: Settings, sound: Sound | None) -> list[Block]:
    """Of clips whose table names voices and their sex; the first ones of others."""
    assert found.speakers is not None
    if "voice" not in data.table or "sex" not in data.table:
        chosen = choosing.first(split, settings.voices)
        return [show("clips", split, chosen, (say("samples.clips.title", n=len(chosen)), ""), sound)]
    chosen = _all_words(split)
    said_twice = _one_word(split, {one.index for one in chosen}, settings.voices, sound)
    low, high = split.facts.axes[0].values[0], split.facts.axes[0].values[-1]
    said = headed("samples.words", seconds=split.facts.axes[1].values[-1], low=low, high=high)
    words = show("words", split, chosen, said, sound)
    return [words, *said_twice, _who_speaks(data, found.speakers)]


def _all_words(split: Samples) -> list[Shown]:
    """By the first voice of each sex."""
    chosen = []
    for sex, clips in split.table.groupby("sex", sort=True):
        voice = clips["voice"].iloc[0]
        words = clips[clips["voice"] == voice].drop_duplicates("label").sort_values("label").index.tolist()
        chosen += [Shown(place, label=choosing.called(split, place), group=f"{sex}, {voice}") for place in words]
    return chosen


def _one_word(split: Samples, heard: set[int], most: int, sound: Sound | None) -> list[Block]:
    """One word, by as many voices as there are and are asked for; nothing where fewer than two have not been heard."""
    classes = split.facts.classes
    word = next((index for index, name in enumerate(classes) if name.lower() in ("6", "six")), 0)
    of_word = split.table[split.table["label"] == word]
    each = of_word[~of_word.index.isin(heard)].drop_duplicates("voice").sort_values(["sex", "voice"], kind="stable")
    if len(each) < 2:
        return []
    each = each.iloc[evenly(len(each), most)]
    chosen = [
        Shown(place, label=voice, group=sex)
        for place, voice, sex in zip(each.index.tolist(), each["voice"], each["sex"], strict=True)
    ]
    title = say("samples.voices.title", word=classes[word], n=len(each))
    return [show("voices", split, chosen, (title, say("samples.voices.caption")), sound)]


def _who_speaks(data: Dataset, speakers: Speakers) -> Table:
    """Voices and clips by sex and accent, and how new the test's voices are."""
    table = data.table
    by = [column for column in ("sex", "accent") if column in table]
    counts = table.groupby([*by, "split"], sort=False).size().unstack("split", fill_value=0)
    counts.insert(0, "voices", table.groupby(by, sort=False)["voice"].nunique())
    return Table(
        "voices-and-clips", counts.reset_index(), title=say("samples.speakers.title"), caption=_how_new(speakers)
    )


def _how_new(speakers: Speakers) -> Text:
    """What may be said of the test's voices as they were measured."""
    n, found = speakers.voices, speakers.newness
    if speakers.shared:
        return say("samples.speakers.shared", voices=n, shared=speakers.shared)
    if not found:
        return say("samples.speakers.apart", voices=n)
    near = [one.speaker for one in found if one.ratio < APART]
    said: Say
    if not near:
        said = say("samples.speakers.unheard", voices=n)
    elif len(near) == len(found):
        said = say("samples.speakers.all_near", voices=n)
    else:
        said = say("samples.speakers.some_near", voices=n, near=len(near), speakers=len(found), names=near)
    distance = say("samples.speakers.distance", speakers=len(found), least=found[0].ratio, most=found[-1].ratio)
    return [said, distance]
