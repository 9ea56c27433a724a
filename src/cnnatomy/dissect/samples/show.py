"""The data as a reader can look at, hear and read them. What is said of them: `locale/<language>/samples.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from cnnatomy.data.left_out import LeftOut, shortened
from cnnatomy.data.prepared import Dataset, Facts
from cnnatomy.dissect.samples import images, sentences, signals, sounds
from cnnatomy.dissect.samples.measure import Given, numbers
from cnnatomy.dissect.samples.rules import Rule
from cnnatomy.dissect.samples.settings import Settings
from cnnatomy.drawing import saying
from cnnatomy.drawing.showing import Sound, picture
from cnnatomy.exhibit import Block, Grid, Item, Say, Showing, Table, Text, say
from cnnatomy.exhibit.languages import FIRST, language
from cnnatomy.exhibit.worded import headed

NAMED_LEFT_OUT = 2  # examples of what is left out, of each reason


def show(found: Given, data: Dataset, settings: Settings, *, sound: Sound | None = None) -> Showing:
    """Some samples, how many there are of each class and split, and how hard they are: what rules reach.

    settings: `first`, `columns`, `voices`, `sentences`, `signals`; see conf/dissect/samples.yaml. sound: gives a clip's
    wav bytes by the name of its file.
    """
    facts = found.facts
    first = data.split(next(iter(facts.splits)))
    blocks: list[Block]
    if facts.kind == "images":
        blocks = images.blocks(first, settings)
    elif facts.kind == "sounds":
        blocks = sounds.blocks(found, data, first, settings, sound)
    elif facts.kind == "signals":
        blocks = signals.blocks(first, settings)
    else:
        blocks = sentences.blocks(found, first, settings)
    if found.counts:
        blocks.append(_counts(found.counts, facts))
    if found.model is not None:
        means = {"texts": sentences.telling_words, "signals": signals.means}.get(facts.kind, _mean_pictures)
        blocks.append(means(found.model, facts))
    if found.reached:
        blocks.append(_rules(found.reached))
    return Showing(numbers(found), blocks, _caption(found), [facts.citation] if facts.citation else [])


def _caption(found: Given) -> Text:
    facts = found.facts
    seconds = {key: facts.counts.get(f"{key}_ms", 0) / 1000 for key in ("sound", "window")}
    frames = facts.counts.get("fitting_frames")
    licence = facts.licence.rstrip(".")
    unknown = licence.lower() in ("", "unknown")  # a user's own data need none
    return [
        say(
            f"samples.caption.sizes.{facts.kind}",
            n=sum(facts.splits.values()),
            splits=[say(f"samples.caption.splits.{split}", n=n) for split, n in facts.splits.items()],
        ),
        _best(found.reached) if found.reached else None,
        say("samples.caption.left_out", reasons=_reasons(facts.left_out)) if facts.left_out else None,
        saying.of_characters(facts) if facts.kind == "texts" else None,
        None if frames is None else say("samples.caption.fitting", **seconds, frames=frames),
        None if unknown else say("samples.caption.licence", licence=licence),
    ]


def _reasons(left_out: Sequence[LeftOut]) -> Say:
    """Why samples are left out and how many, with a few names of each reason."""
    reasons = []
    for one in left_out:
        names = [shortened(name) for name in one.examples[:NAMED_LEFT_OUT]]
        names += ["…"] if names and one.n > len(names) else []
        why = say(f"left_out.why.{one.why}")
        reasons.append(say("left_out.named" if names else "left_out.counted", why=why, n=one.n, names=names))
    return reduce(lambda said, one: say("left_out.and", said=said, one=one), reasons)


def _best(reached: Sequence[Rule]) -> Say:
    best = reached[0].accuracy
    return say(
        "samples.caption.best",
        n=len(reached),
        rule=say(f"samples.rules.named.{best.metric}"),
        share=best.value,
        low=100 * (best.ci_low or 0),
        high=100 * (best.ci_high or 0),
    )


def _rules(reached: Sequence[Rule]) -> Table:
    import pandas as pd

    rows = [
        {
            "rule": language(FIRST).sentences[f"samples.rules.named.{rule.accuracy.metric}"],
            "accuracy": round(rule.accuracy.value, 4),
            "accuracy 95 %": f"{rule.accuracy.ci_low:.3f}–{rule.accuracy.ci_high:.3f}",
            "training samples": rule.training_samples,
        }
        for rule in reached
    ]
    return Table("rules", pd.DataFrame(rows), *headed("samples.rules"))


def _counts(counts: Mapping[str, np.ndarray], facts: Facts) -> Table:
    import pandas as pd

    all_splits = np.sum(list(counts.values()), axis=0)
    rarest, commonest = int(np.argmin(all_splits)), int(np.argmax(all_splits))
    least, most = int(all_splits[rarest]), int(all_splits[commonest])
    ends = {"rarest": facts.classes[rarest], "commonest": facts.classes[commonest]}
    return Table(
        "counts",
        pd.DataFrame({"class": facts.classes} | dict(counts)),
        title=say("samples.counts.title"),
        caption=[
            say("samples.counts.even", n=least)
            if least == most
            else say("samples.counts.range", least=least, most=most, **ends),
            say("samples.counts.splits"),
        ],
    )


def _mean_pictures(means: np.ndarray, facts: Facts) -> Grid:
    of_images = facts.kind == "images"
    items = [
        Item(f"mean/{name}", picture(facts, np.rint(mean).astype(np.uint8) if of_images else mean), label=name)
        for name, mean in zip(facts.classes, means, strict=True)
    ]
    return Grid("means", items, title=say("samples.means.title"), caption=say("samples.means.pictures"))
