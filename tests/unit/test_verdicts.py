"""Every sentence that is said under a condition: made-up records on both sides of it, and exactly what follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from types import SimpleNamespace as Made
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from cnnatomy.data.prepared import Axis
from cnnatomy.dissect.faithfulness.measure import Comparison
from cnnatomy.dissect.kernels.measure import Kernels
from cnnatomy.dissect.learning.class_images import TooMuch
from cnnatomy.dissect.live.looks import Look, Looks
from cnnatomy.dissect.ngrams.deleting import Deleted, numbers_of
from cnnatomy.dissect.ngrams.voting import Purity
from cnnatomy.dissect.saliency import showing as saliency
from cnnatomy.dissect.saliency.trust import Verdict
from cnnatomy.dissect.samples.measure import Speakers
from cnnatomy.dissect.samples.voices import Newness
from cnnatomy.evaluation import learning
from cnnatomy.evaluation.groups import OVER_GROUPS, OVER_SPEAKERS
from cnnatomy.exhibit import Number
from cnnatomy.exhibit.languages import language, tags
from cnnatomy.exhibit.words import described
from cnnatomy.inspection.fields import Field
from cnnatomy.lessons.mse_surface.measure import AXIS, Descents, Network, Path
from cnnatomy.lessons.mse_surface.xor import Plane
from cnnatomy.statistics.numbers import Numbers
from cnnatomy.studies import sweep, wording
from cnnatomy.studies.comparing import corrected, verdict
from tests.unit.choices import said, verdicts
from tests.unit.test_lessons import shipped
from tests.unit.test_studies_verdicts import made_of, of_mean

Row = tuple[str, Callable[[], Any], set[str]]
ROWS: list[Row] = []


def row(what: str, told: Callable[[], Any], *ids: str) -> None:
    """A made-up record, what is told of it, and all verdicts in that, `subject.` before the first colon for each."""
    subject = what.split(":")[0]
    ROWS.append((what, told, {one if one in SENTENCES else f"{subject}.{one}" for one in ids}))


SENTENCES = language(tags()[0]).sentences


def show_of(name: str) -> Any:
    """A module that shows: in a package the name `show` is the function's."""
    return import_module(f"cnnatomy.{name}.show")


IMAGES = Made(
    kind="images",
    shape=(1, 12, 12),
    classes=["a", "b", "c"],
    axes=[Axis("row", "px", list(range(12)))] * 2,
    channels=None,
    normalise=None,
    shown=None,
)
SOUNDS = Made(**(vars(IMAGES) | {"kind": "sounds"}))
TEXTS = Made(
    kind="texts", shape=(9,), classes=["a", "b"], axes=[Axis("word", "", list(range(9)))], vocabulary=["", "?", "x"]
)


class Split(list[None]):
    """So many images of a test."""

    facts, split = IMAGES, "test"

    def __init__(self, n: int) -> None:
        super().__init__([None] * n)


# Methods.

for what, shape, field, ids in [
    ("nothing is known of it", (4, 3, 3), None, ["cells.unknown"]),
    ("it sees a part", (4, 3, 3), Field((5, 5), (3, 3), (0, 0), (3, 3)), ["cells.each"]),
    ("it sees all", (4, 3, 3), Field((12, 13), (3, 3), (0, 0), (3, 3)), ["cells.each", "cells.everything"]),
    ("one row of cells", (4, 1, 3), Field((5, 5), (3, 3), (0, 0), (1, 3)), ["cells.blind"]),
]:
    layer = Made(name="conv", shape=shape, field=field)
    resolution = import_module("cnnatomy.dissect.class_activation.show")._resolution
    row(f"class_activation: {what}", lambda layer=layer, of=resolution: of(IMAGES, [layer]), *ids)


def priors(
    none: list[float],
    both: list[float],
    others: int = 4,
    least: float | None = 1.2,
    facts: Any = IMAGES,
    labelled: bool = True,
) -> Any:
    made = {
        name: Made(agree=np.array(agree), probability=np.ones(len(agree)))
        for name, agree in (("none", none), ("both", both), ("moved", both))
    }
    record = Made(
        made=made, facts=facts, others=others, classes=none, least_activation=least, fewer=False, smaller=False,
        real=Made(inputs=np.zeros(1) if labelled else None),
    )  # fmt: skip
    return show_of("dissect.class_maximisation")._caption(record, None)


low, high = [0.0, 0.25, 0.0, 0.25, 0.0, 0.25], [1.0, 1.0, 0.75, 1.0, 1.0, 0.75]
for what, record, ids in [
    ("priors help", lambda: priors(low, high), ["agree", "reached", "verdict.help"]),
    ("reversed", lambda: priors(high, low), ["agree", "reached", "verdict.harm"]),
    ("a tie", lambda: priors(high, high), ["agree", "reached", "verdict.same"]),
    ("some of each", lambda: priors([0, 1, 0, 1, 0], [1, 0, 1, 0, 0.25]), ["agree", "reached", "verdict.undecided"]),
    ("too few classes", lambda: priors([0, 0], [1, 1]), ["agree", "reached", "verdict.undecided"]),
    ("nobody asked", lambda: priors(low, high, others=0, least=None), ["no_others"]),
]:
    row(f"class_maximisation: {what}", record, *ids, "limits", "held.of_class")
row(
    "class_maximisation: sounds",
    lambda: priors(low, high, 0, None, SOUNDS),
    "no_others",
    "limits_of_sounds",
    "held.of_class",
)
row(
    "class_maximisation: no sample has a class",
    lambda: priors(low, high, 0, None, labelled=False),
    "no_others",
    "limits",
    "held.of_all",
)


def unpooled(own: list[float]) -> Any:
    measured = import_module("cnnatomy.dissect.deconvolution.measure")
    record = measured.Reconstructions([], [measured.Filter(None, 0, [], own)] if own else [], 1, 1)
    shown = show_of("dissect.deconvolution")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shown, "numbers", lambda found: [])
        patch.setattr(shown, "Drawn", lambda samples: None)
        return shown.show(record, Made(facts=IMAGES), Made(layers=None, kilobytes=1)).caption


row("deconvolution: one picture for all", lambda: unpooled([1.0, 1.0]), "unpooled")
row("deconvolution: one of them differs", lambda: unpooled([1.0, 0.9]))
row("deconvolution: nothing fires", lambda: unpooled([]))


def kept(units: list[float], filters: list[float]) -> Any:
    def look(shares: list[float]) -> Any:
        return Made(kept=np.tile(np.array(shares)[:, None], (1, 4)), name="conv2")

    record = Made(dense=[look(units)] if units else [], filters=[look(filters)] if filters else [])
    return show_of("dissect.dense_maximisation")._caption(record, IMAGES)


some, more = [0.5, 0.55, 0.6, 0.52], [0.85, 0.9, 0.8, 0.88]
row("dense_maximisation: units keep less", lambda: kept(some, more), "place.less")
row("dense_maximisation: reversed", lambda: kept(more, some), "place.more")
row("dense_maximisation: a tie", lambda: kept(some, some), "place.same")
row("dense_maximisation: hardly less", lambda: kept([0.2, 0.9], [0.3, 0.95]), "place.same")
row("dense_maximisation: one filter", lambda: kept(some, [0.9]))
row("dense_maximisation: no filters", lambda: kept(some, []))


def against_controls(areas: dict[str, float], failing: tuple[str, ...] = (), n: int = 12, spread: float = 0.01) -> Any:
    """Of a deletion curve: what each map reaches on average, low is good."""
    ripple = spread * np.resize([1.0, -1.0, 0.5, -0.5], n)
    each = {
        name: {"deletion": area + ripple * place, "insertion": np.full(n, 0.5), "flipping": np.full(n, 0.5)}
        for place, (name, area) in enumerate(areas.items())
    }
    of = {
        name: Verdict([1, 2], np.full((6, 2, 4), 0.9 if name in failing else 0.1))
        for name in areas
        if name not in ("random", "data")
    }
    return show_of("dissect.faithfulness").outcome(Comparison(each, of, "brightness"), "deletion")


OURS = {"gradients": 0.1, "occlusion": 0.2, "integrated_gradients": 0.15}
row(
    "faithfulness: one is ahead",
    lambda: against_controls({"random": 0.5, "data": 0.3, "gradients": 0.1}),
    "outcome.one",
)
row(
    "faithfulness: two are",
    lambda: against_controls({"random": 0.5, "data": 0.3, "gradients": 0.1, "occlusion": 0.2}),
    "outcome.two",
)
row("faithfulness: three are", lambda: against_controls({"random": 0.5, "data": 0.3, **OURS}), "outcome.several")
row(
    "faithfulness: ahead of one control only",
    lambda: against_controls({"random": 0.5, "data": 0.05, **OURS}),
    "outcome.none",
)
row("faithfulness: a tie", lambda: against_controls({"random": 0.5, "data": 0.3, "gradients": 0.3}), "outcome.none")
row(
    "faithfulness: by chance",
    lambda: against_controls({"random": 0.5, "data": 0.3, "gradients": 0.28}, spread=0.2),
    "outcome.none",
)
row(
    "faithfulness: what is ahead fails",
    lambda: against_controls({"random": 0.5, "data": 0.3, **OURS}, tuple(OURS)),
    "outcome.none",
)
row("faithfulness: too few", lambda: against_controls({"random": 0.5, "data": 0.3, **OURS}, n=2), "outcome.few")


def wavering() -> Any:
    """The best by its mean gain differs too much from sample to sample; the second best does not."""
    chance = np.resize([1.0, -1.0], 12)
    deletions = {
        "random": np.full(12, 0.9),
        "data": np.full(12, 0.5),
        "gradients": 0.3 + 0.9 * chance,
        "occlusion": 0.4 + 0.001 * chance,
    }
    each = {
        name: {"deletion": values, "insertion": np.full(12, 0.5), "flipping": np.full(12, 0.5)}
        for name, values in deletions.items()
    }
    of = {name: Verdict([1, 2], np.full((6, 2, 4), 0.1)) for name in ("gradients", "occlusion")}
    return show_of("dissect.faithfulness").outcome(Comparison(each, of, "brightness"), "deletion")


row("faithfulness: the best wavers, another is ahead", wavering, "outcome.one")


def measured_on(n: int, there: int, wanted: int = 60) -> Any:
    shown = show_of("dissect.faithfulness")
    areas = {
        name: {test: np.full(n, 0.5) for test in ("deletion", "insertion", "flipping")}
        for name in ("random", "data", "gradients")
    }
    found = Made(
        comparison=Comparison(areas, {"gradients": Verdict([1, 2], np.zeros((6, 2, 4)))}, "brightness"),
        left_out=None,
        means=[],
        shares=np.linspace(0, 1, 3),
        curves={name: {test: np.full((n, 3), 0.5) for test in areas["random"]} for name in areas},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shown, "numbers", lambda found: [])
        made = shown.show(found, Split(there), Made(samples=wanted))
    return [made.caption[:-1], [block.caption for block in made.blocks]]


row("faithfulness: as many as asked for", lambda: measured_on(60, 900), "outcome.none", "curves.band")
row("faithfulness: all there are", lambda: measured_on(12, 12), "outcome.none", "few.all", "curves.band")
row(
    "faithfulness: as many as there is time for",
    lambda: measured_on(12, 900),
    "outcome.none",
    "few.time",
    "curves.band",
)
row("faithfulness: two", lambda: measured_on(2, 2), "outcome.few", "few.all", "curves.no_band")

for what, means, ids in [
    ("not asked", [], []),
    ("fine", [Made(error=1e-4, points=100), Made(error=1e-3, points=300)], ["precision.asked", "precision.fine"]),
    (
        "one is coarse",
        [Made(error=1e-4, points=9), Made(error=1.1e-3, points=9)],
        ["precision.asked", "precision.coarse"],
    ),
]:
    row(f"saliency: {what}", lambda means=means: saliency.precision(means), *ids)
for what, at, shape, ids in [
    ("changes", 0.2, (6, 2, 4), []),
    ("at the limit", 0.5, (6, 2, 4), []),
    ("stays", 0.6, (6, 2, 4), ["test.failing", "fails"]),
    ("one shuffling", 0.2, (1, 2, 4), ["test.few"]),
    ("two samples, and it stays", 0.9, (6, 2, 2), ["test.few", "test.failing", "fails"]),
]:
    one = Verdict([1, 2], np.full(shape, at))
    row(f"saliency: {what}", lambda one=one: [saliency.tested({"gradients": one}), saliency.marked("map", one)], *ids)


@pytest.mark.parametrize(("failing", "told"), [(1, "Here gradient fails:"), (2, "Here gradient, occlusion fail:")])
def test_one_method_fails_and_two_fail(failing, told):
    stays = Verdict([1, 2], np.full((6, 2, 4), 0.9))
    last = saliency.tested(dict.fromkeys(["gradients", "occlusion"][:failing], stays))[-1]
    assert language("en").words(described(last)).startswith(told)


def maps_of(compared: int, fires: list[int], peak: list[float]) -> Any:
    enough = compared >= import_module("cnnatomy.dissect.feature_maps.measure").ENOUGH
    layer = Made(name="conv", shape=(2, 3, 3))
    one = Made(layer=layer, name="conv", compared=compared, dead=sum(not n for n in fires), enough=enough)
    return show_of("dissect.feature_maps")._reading(one, IMAGES, sum(not p for p in peak))


row("feature_maps: many samples", lambda: maps_of(500, [3, 0], [1.0, 0.0]), "maps.dead", "maps.beside")
row("feature_maps: one sample", lambda: maps_of(1, [1, 0], [1.0, 0.0]), "maps.too_few")


def climbed(plain: list[float], best: list[float], fires: list[int] | None = None) -> Any:
    measured = import_module("cnnatomy.dissect.feature_visualisation.maximised")
    values = {variant: np.array(plain) for variant in measured.VARIANTS}
    fires_ = np.array(fires or [1] * len(plain))
    nothing: Any = None
    one = measured.Maximised(
        nothing,
        False,
        np.arange(len(plain)),
        nothing,
        fires_,
        10,
        nothing,
        np.array(best),
        {},
        values,
        np.empty(0),
        fires_ > 0,
    )
    shown = import_module("cnnatomy.dissect.feature_visualisation.showing")
    return [shown.reading([one], IMAGES), shown.held([one])]


row("feature_visualisation: beaten", lambda: climbed([2, 3], [1, 2.9]), "beaten.more", "filter_maximisation.held")
row("feature_visualisation: a tie", lambda: climbed([2, 3], [1, 3]), "beaten.ties", "filter_maximisation.held")
row("feature_visualisation: not reached", lambda: climbed([1, 1], [2, 3]), "beaten.more", "filter_maximisation.held")
row("feature_visualisation: nothing is live", lambda: climbed([1, 1], [0, 0], [0, 0]), "beaten.none")


def optimum(known: list[float] | None, compared: int = 500) -> Any:
    measured = import_module("cnnatomy.dissect.filter_maximisation.measure")
    shown, n = show_of("dissect.filter_maximisation"), 2
    position = Made(
        values={"plain": np.ones(n)}, which=np.arange(n), summed=False, live=np.ones(n, bool), compared=compared
    )
    plan = Made(which=np.arange(n), starts=1, steps=1)
    look = measured.Look(Made(shape=(n,)), plan, position, position, None if known is None else np.array(known))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shown, "reading", lambda *given: [])
        patch.setattr(shown, "held", lambda every: None)
        found = Made(looks=[look], facts=IMAGES, windows=False, convolutions=1, compared=compared)
        return [shown._reading(found, look, position, n), shown._caption(found, Split(compared))]


row("filter_maximisation: the optimum is known", lambda: optimum([1.1, 2.0]), "affine")
row("filter_maximisation: nothing above zero", lambda: optimum([-1.0, 0.0]))
row("filter_maximisation: not known, few samples", lambda: optimum(None, 1), "unranked")


def ablated(errors: int, intervals: list[tuple[float, float, float]], limit: float) -> Any:
    measured = import_module("cnnatomy.dissect.filter_ablation.measure")
    right = np.arange(100) >= errors
    part = measured.Loss(
        Made(name="conv"),
        np.array(intervals),
        np.zeros((len(intervals), 3)),
        ["idle"] * len(intervals),
        np.empty(0),
        Made(),
    )
    found = measured.Ablation(right, None, [part], len(intervals), limit, None)
    return show_of("dissect.filter_ablation")._caption(found, IMAGES, Made(idle=0.1))


row("filter_ablation: enough errors", lambda: ablated(30, [(0, -0.001, 0.001), (0.1, 0.05, 0.2)], 0.003))
row("filter_ablation: at the limit", lambda: ablated(30, [(0, -0.003, 0.003)], 0.003))
row("filter_ablation: too few errors", lambda: ablated(2, [(0, -0.02, 0.02)], 0.002), "few_errors")


def pruned(enough: int | None, again: bool = True) -> Any:
    measured = import_module("cnnatomy.dissect.filter_ablation.pruning")
    found = measured.Pruning(
        enough,
        None,
        50,
        np.array([4, 2, 0]),
        np.array([0.9, 0.9, 0.1]),
        np.full((3, 2), 0.5),
        np.array([4, 2]),
        np.empty((0, 2)),
        50,
        4,
        measured.Ranking(Made(), np.arange(9), True),
        again,
    )
    return show_of("dissect.filter_ablation")._kept(found)


row("filter_ablation: half are enough", lambda: pruned(2), "kept.enough.again", "kept.alt.known")
row("filter_ablation: once", lambda: pruned(2, again=False), "kept.enough.once", "kept.alt.known")
row("filter_ablation: none is enough for a network at chance", lambda: pruned(0), "kept.enough.again", "kept.alt.known")
row("filter_ablation: all are needed", lambda: pruned(4), "kept.enough.all", "kept.alt.known")
row("filter_ablation: nobody can say", lambda: pruned(None), "kept.enough.unknown", "kept.alt.unknown")


def weights(smoothness: float, idle: int = 0, neighbours: bool = True, kind: str = "images") -> Any:
    n, side = 4, 3 if neighbours else 1
    dead = np.arange(n) < idle
    smooth = np.where(dead, 0.0, smoothness)
    one = Kernels(
        "conv1",
        np.ones((n, 1, side, side)),
        np.ones(n),
        dead,
        neighbours,
        smooth,
        np.zeros(n, bool),
        (-0.2, 0.2),
        np.full(n, 0.5),
        (0.4, 0.6),
        2,
        3.0,
        None,
    )
    shown = show_of("dissect.kernels").show(
        [one], Made(facts=Made(**vars(IMAGES) | {"kind": kind})), Made(columns=4, symmetric=True)
    )
    return [shown.caption, [block.caption for block in shown.blocks]]


row("kernels: neighbours agree", lambda: weights(0.5), "seek.here", "filters.smoothness", "filters.verdict.above")
row("kernels: as at random", lambda: weights(0.0), "seek.elsewhere", "filters.smoothness", "filters.verdict.within")
row(
    "kernels: at the band's end", lambda: weights(0.2), "seek.elsewhere", "filters.smoothness", "filters.verdict.within"
)
row("kernels: reversed", lambda: weights(-0.5), "seek.elsewhere", "filters.smoothness", "filters.verdict.below")
row("kernels: a place each", lambda: weights(0.0, neighbours=False), "caption_of_points")
row(
    "kernels: one idle",
    lambda: weights(0.5, idle=1),
    "seek.here",
    "filters.smoothness",
    "filters.verdict.above",
    "filters.idle",
)
row(
    "kernels: all idle",
    lambda: weights(0.0, idle=4),
    "seek.elsewhere",
    "filters.smoothness",
    "filters.verdict.within",
    "filters.idle",
)


def deleted(ours: float, theirs: float | None, n: int = 30, random: float = 0.02) -> Deleted:
    ripple = 0.05 * np.resize([1.0, -1.0], n)
    counted = None if theirs is None else theirs - ripple
    chance = np.stack([random + ripple / 5, random - ripple / 5]) * bool(random)
    return Deleted(ours + ripple, np.ones(n, bool), chance, chance > 1, counted, ours + ripple)


def words(exact: list[bool], weighed: bool, gone: Deleted) -> Any:
    rows = numbers_of(gone)
    found = Made(filters=[Made(exact=one or None, weighed=weighed) for one in exact], deleted=gone, trained=True)
    return show_of("dissect.ngrams")._caption(found, rows, TEXTS, Made(deleted=0.2, draws=2))


row(
    "ngrams: the network's words matter more",
    lambda: words([True, True], True, deleted(0.5, 0.1)),
    "detector.all_exact",
    "votes.weights",
    "ratio",
    "counting.more",
)
row(
    "ngrams: reversed",
    lambda: words([True, False], False, deleted(0.1, 0.5)),
    "detector.some_exact",
    "votes.correlation",
    "ratio",
    "counting.less",
)
row(
    "ngrams: a tie",
    lambda: words([False], True, deleted(0.3, 0.3)),
    "detector.none_exact",
    "votes.weights",
    "ratio",
    "counting.same",
)
row(
    "ngrams: nothing to count, and chance moves nothing",
    lambda: words([True], True, deleted(0.3, None, random=0.0, n=2)),
    "detector.all_exact",
    "votes.weights",
)
for weighed in (True, False):
    for pure in (Purity(0.5, 3, 4), Purity(None, 0, 0)):
        about = Made(purity=[pure], weighed=weighed, classes=np.array([1]))
        ids = f"heading.{'votes' if weighed else 'goes'}.{'pure' if pure.n else 'plain'}"
        row(f"ngrams: {ids}", lambda about=about: show_of("dissect.ngrams")._heading(about, 0, TEXTS), ids)


def drawn_patches(window: tuple[int, int]) -> Any:
    source = Made(layer=Made(field=Field((5, 5), (1, 1), (0, 0), (8, 8))))
    return import_module("cnnatomy.dissect.patching.showing").drawn_as(IMAGES, source, [Made(window=[window, (2, 7)])])


row("patching: inside", lambda: drawn_patches((0, 5)))
row("patching: at the border", lambda: drawn_patches((-1, 4)), "padding")
row("patching: beyond it", lambda: drawn_patches((8, 13)), "padding")


def who(shared: int | None, ratios: list[float]) -> Any:
    found = [Newness(f"s{place}", 1.0, ratio, 9) for place, ratio in enumerate(ratios)]
    return import_module("cnnatomy.dissect.samples.sounds")._how_new(Speakers(6, shared, {}, found))


row("samples: voices in two splits", lambda: who(2, []), "speakers.shared")
row("samples: nothing to measure by", lambda: who(0, []), "speakers.apart")
row("samples: all far", lambda: who(0, [1.2, 1.5]), "speakers.unheard", "speakers.distance")
row("samples: one near", lambda: who(0, [1.19, 1.5]), "speakers.some_near", "speakers.distance")
row("samples: all near", lambda: who(0, [0.9, 1.1]), "speakers.all_near", "speakers.distance")
for what, counts in (("even", [5, 5, 5]), ("range", [5, 5, 6])):
    row(
        f"samples: {what}",
        lambda counts=counts: show_of("dissect.samples")._counts({"test": np.array(counts)}, IMAGES),
        f"counts.{what}",
    )


def between(
    shifts: dict[tuple[str, str], Any],
    asked: bool = True,
    within: bool = False,
    pitch: dict[str, float] | None = None,
) -> Any:
    measured = import_module("cnnatomy.dissect.spectrogram.measure")
    groups: dict[str, list[Any]] = {}
    for (one, other), values in shifts.items():
        for name, n in ((one, np.shape(values)[0]), (other, np.shape(values)[1])):
            groups[name] = [Made(name=f"{name}{at}", pitch=(pitch or {}).get(name), formants=None) for at in range(n)]
    found = Made(
        between={pair: np.array(values, float) for pair, values in shifts.items()},
        within={"f": np.ones(3)} if within else {},
        chosen=Made(asked=asked, words="six", groups=groups),
        hertz=lambda bands: 30.0 * bands,
    )
    assert callable(measured.numbers)
    return show_of("dissect.spectrogram")._caption(found)


row(
    "spectrogram: it moves",
    lambda: between({("f", "m"): [[2, 1.8], [1.9, 2.1], [2, 2]]}),
    "caption.between",
    "caption.moved",
)
HIGHER = {"f": 220.0, "m": 120.0}
row(
    "spectrogram: with the pitch",
    lambda: between({("m", "f"): [[-2, -1.8], [-1.9, -2.1]]}, pitch=HIGHER),
    "caption.between",
    "caption.with_pitch",
)
row(
    "spectrogram: against the pitch",
    lambda: between({("f", "m"): [[-2, -1.8], [-1.9, -2.1]]}, pitch=HIGHER),
    "caption.between",
    "caption.moved",
)
row(
    "spectrogram: downwards",
    lambda: between({("m", "f"): [[-2, -1.8], [-1.9, -2.1]]}, within=True),
    "caption.between",
    "caption.moved",
    "caption.within",
)
row(
    "spectrogram: it may not",
    lambda: between({("f", "m"): [[2, -3], [0.5, 1]]}),
    "caption.between",
    "caption.not_moved",
)
row(
    "spectrogram: one pair", lambda: between({("f", "m"): [[2]]}, asked=False), "caption.between", "caption.other_files"
)
row("spectrogram: one group", lambda: between({}, within=True), "caption.one_group", "caption.within")
row(
    "spectrogram: three groups",
    lambda: between({("a", "b"): [[2, 2]], ("a", "c"): [[1, 1]], ("b", "c"): [[0], [0]]}),
    "caption.between",
)


def structured(confirmed: list[bool], lost: int = 0, unnamed: int = 0, **reading: Any) -> Any:
    shown = show_of("dissect.structure")
    convolutions = len(confirmed) + lost
    found = Made(
        steps=[],
        convolutions=[None] * convolutions,
        fields=[None] * len(confirmed),
        confirmed=confirmed,
        unnamed=unnamed,
        reading=Made(**{"part": None, "ending": None, "one": False} | reading),
        parameters=1,
        listing=Made(code="", runs=True, difference=0.0),
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, empty in (("numbers", []), ("gathered", []), ("drawing", "<svg/>"), ("_table", pd.DataFrame())):
            patch.setattr(shown, name, lambda *given, empty=empty: empty)
        return shown.show(found, Made(facts=IMAGES), Made(boxes=9)).caption


row("structure: all hold", lambda: structured([True, True]), "confirmed")
row("structure: one does not", lambda: structured([True, False], 1), "unconfirmed", "lost")
row("structure: none can be followed", lambda: structured([], 2, 5), "lost", "unnamed")
row(
    "structure: a part",
    lambda: structured([True], part="logits", ending="softmax"),
    "confirmed",
    "reading.part",
    "reading.softmax",
)
row("structure: logarithms", lambda: structured([True], ending="log_softmax"), "confirmed", "reading.log_softmax")
row(
    "structure: one number",
    lambda: structured([True], ending="sigmoid", one=True),
    "confirmed",
    "reading.sigmoid",
    "reading.one",
)


def patches(samples: int, refed: int = 9, error: float = 0.0, dead: int = 0) -> Any:
    measured = import_module("cnnatomy.dissect.top_patches.measure")
    source = Made(name="conv", layer=Made(field=Field((3, 3), (1, 1), (0, 0), (9, 9))))
    filters = [Made(source=source, dead=place < dead, patches=[]) for place in range(3)]
    found = measured.TopPatches([source], filters, 3, samples, 9, None, refed, error)
    shown = show_of("dissect.top_patches")
    return [shown._caption(found, IMAGES, False), shown._reading(found, IMAGES, source)]


row("top_patches: many samples", lambda: patches(500), "one_each", "purity", "refed.same")
row("top_patches: one sample", lambda: patches(1), "few", "refed.same")
row("top_patches: as many as patches, some dead", lambda: patches(9, dead=1), "one_each", "refed.same", "reading.dead")
row("top_patches: they see more", lambda: patches(500, error=0.4), "one_each", "purity", "refed.another")
row("top_patches: nothing was fed again", lambda: patches(500, refed=0), "one_each", "purity")


def learned_by(right: list[int]) -> Any:
    """When most is learned, of a network that so many of ten test samples were right with at each look."""
    confusion = np.zeros((len(right), 2, 2))
    confusion[:, 0, 0], confusion[:, 0, 1] = right, 10 - np.array(right)
    record = Made(confusion=confusion, tested=10, learned=0.9, steps=np.arange(len(right)) * 4)
    return show_of("dissect.learning")._soon(record)


row("learning: soon", lambda: learned_by([1, 9, 10]), "soon")
row("learning: and forgotten again", lambda: learned_by([1, 10, 5, 10]), "late")
row("learning: at the last look", lambda: learned_by([1, 5, 10]), "late")


def layers_by(*settled: int) -> Any:
    """The order of layers that are as they end from these looks on, of four."""
    layers = [
        Made(layer=f"conv{place}", likeness=np.where(np.arange(4) >= look, 1.0, 0.1)[None])
        for place, look in enumerate(settled, 1)
    ]
    return show_of("dissect.learning")._order(Made(layers=layers, steps=np.arange(4) * 4))


row("learning: upward", lambda: layers_by(1, 1, 3), "order.upward")
row("learning: downward", lambda: layers_by(3, 2, 1), "order.downward")
row("learning: at once", lambda: layers_by(2, 2, 2), "order.together")
row("learning: before the first step", lambda: layers_by(0, 0), "order.from_start")
row("learning: in no order", lambda: layers_by(1, 3, 2), "order.mixed")
row("learning: one layer", lambda: layers_by(1))
for what, when, ids in [
    ("all at once", [1, 1, 1], ["together"]),
    ("one after the other", [0, 1, 2], ["first.one", "last.one"]),
    ("two first", [0, 2, 0], ["first.several", "last.one"]),
    ("two last", [2, 1, 2], ["first.one", "last.several"]),
]:
    record = Made(
        by_class=np.ones((3, 3)), confusion=np.tile(np.eye(3), (3, 1, 1)), tested=3, class_learned=np.array(when),
        steps=np.array([0, 4, 8]), learned=0.9,
    )  # fmt: skip
    row(
        f"learning: {what}",
        lambda of=record: show_of("dissect.learning")._accuracy(of, IMAGES).caption,
        *(f"accuracy.{one}" for one in ids),
    )
NEVER_READ = Made(
    by_class=np.array([[0.0, 0.2, 0.1], [0.0, 1.0, 0.3], [0.0, 1.0, 1.0]]), confusion=np.tile(np.eye(3), (3, 1, 1)),
    tested=3, class_learned=np.array([0, 1, 2]), steps=np.array([0, 4, 8]), learned=0.9,
)  # fmt: skip
row(
    "learning: a class that is never named is not learned first",
    lambda: show_of("dissect.learning")._accuracy(NEVER_READ, IMAGES).caption,
    "accuracy.first.one",
    "accuracy.last.one",
    "accuracy.never",
)
row(
    "learning: one class is ever named",
    lambda: (
        show_of("dissect.learning")
        ._accuracy(Made(**vars(NEVER_READ) | {"by_class": np.array([[0, 0, 0], [0, 0, 0.5], [0, 0, 1.0]])}), IMAGES)
        .caption
    ),
    "accuracy.first.one",
    "accuracy.never",
)
row(
    "learning: no class is ever named rightly",
    lambda: (
        show_of("dissect.learning")._accuracy(Made(**vars(NEVER_READ) | {"by_class": np.zeros((3, 3))}), IMAGES).caption
    ),
    "accuracy.never",
)


def test_a_class_that_is_never_named_is_not_called_learned():
    caption = show_of("dissect.learning")._accuracy(NEVER_READ, IMAGES).caption
    first, last = (language("en").words(described(one)) for one in caption[:2])
    assert first == "“b” is learned first, after 4 steps." and last == "“c” is learned last, after 8."


row(
    "learning: class images too dear",
    lambda: show_of("dissect.learning")._made(TooMuch(3.2e11, 2e11)),
    "too_much",
)
row("learning: class images of texts", lambda: show_of("dissect.learning")._made(None))
for named, of in ((1, "named"), (0, "other")):
    row(
        f"learning: one class, {of}",
        lambda named=named: show_of("dissect.learning")._raised(Made(classes=np.array([1])), named, IMAGES),
        f"raised.{of}",
    )
for networks, of in ((1, "one"), (3, "several")):
    record = Made(
        accuracy=np.ones((networks, 2)),
        layers=[Made(layer="conv", likeness=np.ones((networks, 2)))],
        steps=np.arange(2),
    )
    row(
        f"learning: {of} of a kind",
        lambda of=record: show_of("dissect.learning")._layers(of).caption,
        f"layers.{of}",
    )


def packed(kind: str, learned: Any = None) -> Any:
    shown = show_of("dissect.live")
    found = Made(
        tried=[Made(kind=kind, same=9, n=10, off=0.001)], places=[], logits=np.empty((0, 2)), inputs=[], weights=9,
        program=Made(steps=[], shown=[]), packed=Made(content=b"", places=[]), activation=[],
        learned=learned,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name in ("numbers", "input_of", "Live"):
            patch.setattr(shown, name, lambda *given, **said: None)
        samples = Made(facts=IMAGES, labels=np.empty(0), table={"id": []})
        return shown.show(found, samples, Made(looks_kilobytes=240)).caption


for kind, sentence in (("int8", "int8"), ("int11", "more"), ("float16", "more"), ("float32", "float32")):
    row(f"live: {kind}", lambda kind=kind: packed(kind), f"weights.{sentence}")

look = Look(4, 0.1, 5, 10, 9, 10, {})
row("live: looks", lambda: packed("int8", Looks([look, look], b"", 9.0)), "weights.int8", "looks.kept")
row("live: looks too large", lambda: packed("int8", Looks([], b"", 300.0)), "weights.int8", "looks.too_large")

# Evaluation.


def scored(speakers: int | None = None, trained_here: bool = True, **rows: tuple[float, float, float]) -> Any:
    numbers = Numbers()
    for metric, (value, low, high) in {
        "test_accuracy": (0.8, 0.7, 0.9),
        "majority_accuracy": (0.4, 0.3, 0.5),
        **rows,
    }.items():
        numbers.append(Number(metric, value, low, high, unit="fraction", n=30))
    shown = show_of("evaluation")
    told = [shown._caption(Made(speakers=None if speakers is None else [None] * speakers), numbers, trained_here)]
    if speakers is not None:
        table = pd.DataFrame({"speaker": ["s"] * speakers, "right": 1, "clips": 2, "accuracy": 0.5})
        voices = pd.DataFrame({"voice": ["v", "w"], "right": 1, "clips": 2, "accuracy": 0.5})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shown, "_rated", lambda table, kind, rows: table)
            told.append(shown._voices(voices, table, numbers))
            if OVER_GROUPS in rows:
                told.append(shown._groups(voices, numbers))
    return told


OVER = (0.8, 0.4, 0.95)
row("evaluation: samples", lambda: scored(), "caption.right", "caption.between")
row(
    "evaluation: weights were given",
    lambda: scored(trained_here=False),
    "caption.right_of_given",
    "caption.between",
)
row(
    "evaluation: one speaker",
    lambda: scored(1),
    "caption.right",
    "caption.one_speaker",
    "voices.speakers",
)
row(
    "evaluation: two speakers",
    lambda: scored(2, **{OVER_SPEAKERS: OVER}),
    "caption.right",
    "caption.speakers",
    "caption.over_speakers",
    "voices.over",
)
row(
    "evaluation: groups",
    lambda: scored(2, **{OVER_GROUPS: OVER}),
    "caption.right",
    "caption.speakers",
    "caption.over_groups",
    "groups.over",
)


@pytest.mark.parametrize(("part", "told"), [(1.0, "100 %"), (0.99999, "99.9990 %"), (0.9954, "99.54 %"), (0.5, "50 %")])
def test_a_share_that_is_not_all_is_not_said_to_be_all(part, told):
    assert language("en").words(described(show_of("evaluation")._percent(part))) == told


def confused(*counts: list[int]) -> Any:
    record = Made(classes=["a", "b", "c"], counts=np.array(counts), labels=np.empty(0), answers=np.empty(0))
    return show_of("evaluation")._confusion(record, Made(table=pd.DataFrame({"id": []})), np.empty(0, int))


row("evaluation: one confusion is commonest", lambda: confused([5, 2, 0], [1, 5, 0], [0, 0, 5]), "confusion.most")
row("evaluation: two are", lambda: confused([5, 2, 0], [2, 5, 0], [0, 0, 5]))
row("evaluation: none", lambda: confused([5, 0, 0], [0, 5, 0], [0, 0, 5]))


def history(
    train: list[float], validation: list[float] | None = None, accuracy: list[float] | None = None
) -> pd.DataFrame:
    n = len(train)
    return pd.DataFrame(
        {
            "epoch": range(1, n + 1),
            "train_loss": train,
            "train_accuracy": np.linspace(0.5, 1, n),
            "validation_loss": validation or [np.nan] * n,
            "validation_accuracy": accuracy or ([0.8] * n if validation else [np.nan] * n),
        }
    )


def curves(record: pd.DataFrame, augmented: bool = False) -> Any:
    return show_of("evaluation")._curves(record, augmented)


row("evaluation: loss falls", lambda: curves(history([1, 0.5], [1, 0.6])), "curves.falls", "curves.plain")
row("evaluation: loss does not fall", lambda: curves(history([1, 1], [1, 0.6])), "curves.goes", "curves.plain")
row(
    "evaluation: samples are varied",
    lambda: curves(history([1, 0.5], [1, 0.6]), augmented=True),
    "curves.falls",
    "curves.augmented",
)
row("evaluation: nothing kept apart", lambda: curves(history([1, 0.5])), "curves.alone", "curves.unvalidated")


def misread(errors: int, shown: int) -> Any:
    found = Made(
        misread=np.arange(errors),
        labels=np.zeros(errors, int),
        answers=np.ones(errors, int),
        classes=["a", "b"],
        probabilities=np.full((errors, 2), 0.5),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(show_of("evaluation"), "show_samples", lambda name, samples, chosen, words, sound: list(words))
        return show_of("evaluation")._misread(found, Made(facts=IMAGES), np.arange(shown), None)


row("evaluation: no error", lambda: misread(0, 0), "misread.none")
row("evaluation: one error", lambda: misread(1, 1), "misread.all")
row("evaluation: more than are shown", lambda: misread(9, 4), "misread.some")


def learnt(above: float, **changed: Any) -> Any:
    record = history(**{"train": [1, 0.5, 0.4, 0.3], "validation": [1, 0.6, 0.55, 0.54]} | changed)
    margin = Number("above_majority", above + 0.05, above, above + 0.1, unit="fraction")
    return learning.verdict(
        [margin, *learning.numbers_of(record)], {"keep": "last", "max_epochs": 4, "learning_rate": 0.01}
    )


row("evaluation: sound", lambda: learnt(0.2, accuracy=[0.5, 0.9, 0.95, 0.95]))
row("evaluation: at chance", lambda: learnt(0.0, accuracy=[0.5, 0.9, 0.95, 0.95]), "learning.at_chance")
row(
    "evaluation: at chance by heart",
    lambda: learnt(-0.1, validation=[1, 0.6, 0.7, 0.9]),
    "learning.at_chance_though_learnt",
)
row("evaluation: by heart", lambda: learnt(0.2, validation=[1, 0.6, 0.7, 0.9]), "learning.by_heart")
row(
    "evaluation: too early",
    lambda: learnt(0.2, validation=[1, 0.8, 0.6, 0.4], accuracy=[0.5, 0.6, 0.9, 0.95]),
    "learning.too_early",
)
row("evaluation: one epoch", lambda: learnt(0.2, train=[1.0], validation=[1.0]))

# Lessons.


@cache
def lesson(name: str, **changed: Any) -> Any:
    package = import_module(f"cnnatomy.lessons.{name}")
    return package.measure(getattr(package, "Settings", dict)(**shipped(name) | changed))


def taught(name: str, found: Any) -> Any:
    return import_module(f"cnnatomy.lessons.{name}").show(found)


row("board: as shipped", lambda: taught("board", lesson("board")), "boards.best", "boards.two", "network.kept")


def board(**changed: Any) -> Any:
    return taught("board", replace(lesson("board"), **changed))


row(
    "board: no move is best, maps shrink",
    lambda: board(
        position=replace(lesson("board").position, captures={(1, 1): 2, (2, 2): 2}),
        twin=None,
        chain=[(48, 19, 19), (192, 17, 17)],
    ),
    "network.shrinks",
)
row("board: no twin", lambda: board(twin=None), "boards.best", "network.kept")

KEPT = ["local.there", "local.same", "anywhere.found", "smaller.kept", "matrix.same", "matrix.slopes_same"]
row("connections: as shipped", lambda: taught("connections", lesson("connections")), *KEPT)


def connected(**changed: Any) -> Any:
    found = lesson("connections")
    reasons = {key: value for key, value in changed.items() if key != "tied"}
    tied = replace(found.tied, **changed.get("tied", {}))
    return taught("connections", replace(found, tied=tied, reasons=replace(found.reasons, **reasons)))


row(
    "connections: nothing holds",
    lambda: connected(
        values=(5.0, 4.0, 3.0),
        places=((1, 1), (1, 1)),
        likeness=np.array([[0.4, 0.5, 0.1], [0.5, 0.4, 0.1], [0.1, 0.1, 0.4]]),
        tied={
            "dense": lesson("connections").tied.dense + 1e-3,
            "slopes": lesson("connections").tied.slopes * [[1], [2]],
        },
    ),
    "local.elsewhere",
    "local.changed",
    "anywhere.lost",
    "smaller.lost",
    "matrix.apart",
    "matrix.slopes_apart",
)
row(
    "connections: as like another as its own",
    lambda: connected(likeness=np.full((3, 3), 0.5)),
    *(one for one in KEPT if one != "smaller.kept"),
    "smaller.lost",
)

for what, image, ids in [
    ("in one of two", [[1, 0, 0], [0, 1, 0], [0, 0, 1]], ["image.there", "image.like"]),
    ("nowhere", [[1, 0, 0], [0, 0, 0], [0, 0, 1]], ["image.like"]),
    ("of both", [[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 1, 0]], ["image.there"]),
]:
    row(f"convolution: the pattern is {what}", lambda image=image: taught("convolution", lesson_of(image)), *ids)


def lesson_of(image: list[list[int]]) -> Any:
    package = import_module("cnnatomy.lessons.convolution")
    return package.measure(package.Settings(**shipped("convolution") | {"image": image}))


def sobel(end: float) -> Any:
    measured = import_module("cnnatomy.lessons.learn_sobel.measure")
    course = measured.Course(np.array([1.0, end]), [np.ones((3, 3)), np.ones((3, 3))])
    return taught("learn_sobel", measured.Learning(np.eye(4), [0], [np.eye(4)], [course]))


row("learn_sobel: rounding is left", lambda: sobel(1e-11), "left.rounding")
row("learn_sobel: nothing at all is", lambda: sobel(0.0), "left.rounding")
row("learn_sobel: some is left", lambda: sobel(1e-3), "left.some")
row("learn_sobel: it grew", lambda: sobel(2.0), "left.some")


def descents(
    small: list[float],
    pushed: list[float],
    large: list[float] | None = None,
    newton: float = 0.01,
    away: float = 0.0,
    ravine: float = 1.0,
    right: float = 0.01,
) -> Any:
    errors = {way: [9, 0.01, 0.01] for way in ("adam", "batches", "conjugate")}
    errors |= {
        "right": [9, right, right],
        "small": small,
        "momentum": pushed,
        "large": large or [9, 0.01, 0.01],
        "newton": [9, newton, newton],
    }
    places = {way: np.zeros((3, 2)) + (away if way == "large" else 0) for way in errors}
    paths = {way: Path(way, 1.0, places[way], np.array(each, float), 0.0) for way, each in errors.items()}
    network = Network(torch.zeros(3), torch.zeros(3), torch.zeros(2))
    heights, plane = np.hypot(*np.meshgrid(AXIS, AXIS)), Plane(0.0, 2, 3, np.ones((1, 3)), np.ones((81, 81), bool))
    return taught(
        "mse_surface",
        Descents(
            paths,
            network,
            heights,
            np.zeros(2),
            (1.0, ravine),
            np.ones(2),
            steps=2,
            planes={"one_unit": plane, "two_units": plane},
        ),
    )


row(
    "mse_surface: all arrive",
    lambda: descents([9, 5, 0.01], [9, 0.01, 0.01]),
    "step.arrives",
    "momentum.sooner",
    "newton",
)
row(
    "mse_surface: none arrives",
    lambda: descents([9, 5, 3], [9, 5, 3], [9, 8, 8], right=5),
    "step.never",
    "momentum.never",
    "newton",
)
row(
    "mse_surface: a tie",
    lambda: descents([9, 0.02, 0.01], [9, 0.02, 0.01]),
    "step.arrives",
    "momentum.no_sooner",
    "newton",
)
row(
    "mse_surface: later and worse",
    lambda: descents([9, 0.02, 0.01], [9, 5, 0.02]),
    "step.arrives",
    "momentum.no_sooner",
    "momentum.worse",
    "newton",
)
row(
    "mse_surface: later, and as good to two digits",
    lambda: descents([9, 0.02, 0.01], [9, 5, 0.0102]),
    "step.arrives",
    "momentum.no_sooner",
    "newton",
)
row(
    "mse_surface: only with momentum",
    lambda: descents([9, 5, 4], [9, 0.01, 0.01]),
    "step.arrives",
    "step.never",
    "momentum.alone",
    "newton",
)
row(
    "mse_surface: never",
    lambda: descents([9, 5, 3], [9, 5, 4], newton=5),
    "step.arrives",
    "step.never",
    "momentum.never",
    "momentum.worse",
)
row(
    "mse_surface: out of the drawing",
    lambda: descents([9, 5, 0.01], [9, 0.01, 0.01], away=99.0),
    "step.arrives",
    "step.arrives_outside",
    "momentum.sooner",
    "newton",
)
row(
    "mse_surface: and never back",
    lambda: descents([9, 5, 0.01], [9, 0.01, 0.01], [9, 8, 8], away=99.0, ravine=50.0),
    "step.arrives",
    "step.never_outside",
    "momentum.sooner",
    "newton",
    "ravine",
)


def backwards(**changed: Any) -> Any:
    return taught("neuron", replace(lesson("neuron"), **changed))


row("neuron: as shipped", lambda: taught("neuron", lesson("neuron")), "autograd.same", "step.less", "shrinks")
row(
    "neuron: too large a step",
    lambda: backwards(after=lesson("neuron").before + 1),
    "autograd.same",
    "step.more",
    "shrinks",
)
row("neuron: a tie", lambda: backwards(after=lesson("neuron").before), "autograd.same", "step.more", "shrinks")
row(
    "neuron: not autograd's, and δ grows",
    lambda: backwards(
        autograd=[(w + 1, b) for w, b in lesson("neuron").autograd],
        layers=[replace(one, deltas=one.deltas * 1000**-place) for place, one in enumerate(lesson("neuron").layers)],
    ),
    "autograd.apart",
    "step.less",
    "stays",
)

BEATS = ["filter.beats", "unit.beats", "class.beats"]


def turned(trained: dict[str, Any] | None = None, **climbs: Any) -> Any:
    found = lesson("reversal")
    changed = [replace(one, **climbs) for one in found.climbs]
    return taught("reversal", replace(found, trained=replace(found.trained, **trained or {}), climbs=changed))


row("reversal: as shipped", lambda: taught("reversal", lesson("reversal")), "two.falls", "two.kept", *BEATS)
row(
    "reversal: a drawing does as well",
    lambda: turned(values=(0.0, 1.0), real=1.0),
    "two.falls",
    "two.kept",
    *(one.replace("beats", "below") for one in BEATS),
)
row(
    "reversal: the loss rises, weights move",
    lambda: turned({"losses": (1.0, 1.0)}, moved=(1.0, 0.1)),
    "two.rises",
    "two.leaked",
    *BEATS,
)

row(
    "template: as shipped",
    lambda: taught("template", lesson("template")),
    "strokes.there",
    "strokes.lecture",
    "windows.not_most",
)


def laid(**changed: Any) -> Any:
    found = lesson("template")
    strokes = replace(found.strokes, **changed.get("strokes", {}))
    return taught("template", replace(found, strokes=strokes, curve=replace(found.curve, **changed.get("curve", {}))))


row("template: another place", lambda: laid(strokes={"best": [(0, 0)]}), "strokes.there", "windows.not_most")
row("template: not the pattern", lambda: laid(strokes={"best": [(1, 1)]}), "strokes.near", "windows.not_most")
row(
    "template: the largest is the most alike",
    lambda: laid(curve={"likeness": 1.0 * (lesson("template").curve.map == lesson("template").curve.map.max())}),
    "strokes.there",
    "strokes.lecture",
    "windows.most",
)

# Studies.


def judged(*compared: Any) -> Any:
    found = corrected(list(compared))
    return wording.sentence(verdict(found), found)


SURE, OPEN, AGAINST = of_mean(0.05), of_mean(0.005), of_mean(-0.05)
ALL = of_mean(0.05, 30)
row("study: all support it", lambda: judged(made_of(SURE, ALL), made_of(SURE, ALL)), "verdict.supported")
row("study: over seeds only", lambda: judged(made_of(SURE)), "verdict.supported", "verdict.of_seeds_only")
row("study: no spread, as of parameters", lambda: judged(made_of([0.1] * 5)), "verdict.supported")
row(
    "study: one is against it",
    lambda: judged(made_of(SURE, ALL), made_of(AGAINST, -ALL)),
    "verdict.not_supported",
    "verdict.against",
)
row("study: open", lambda: judged(made_of(OPEN, ALL)), "verdict.not_decided", "verdict.needed")
row(
    "study: open, over folds",
    lambda: judged(made_of(OPEN, over="fold", overlap=0.1)),
    "verdict.not_decided",
    "verdict.needed_new",
)
row(
    "study: no difference at all",
    lambda: judged(made_of(of_mean(0.0), of_mean(0.0, 30))),
    "verdict.not_decided",
    "verdict.never",
)
row(
    "study: samples say otherwise",
    lambda: judged(made_of(SURE, of_mean(0.001, 30))),
    "verdict.not_decided",
    "verdict.needed",
)
row(
    "study: beside it open",
    lambda: judged(made_of(SURE, ALL), made_of(OPEN, ALL, decides=False)),
    "verdict.supported",
    "verdict.beside",
    "difference.not_decided",
)
row(
    "study: beside it against",
    lambda: judged(made_of(SURE, ALL), made_of(AGAINST, -ALL, decides=False)),
    "verdict.supported",
    "verdict.beside",
    "difference.not_supported",
)
row("study: beside it, too", lambda: judged(made_of(SURE, ALL), made_of(SURE, ALL, decides=False)), "verdict.supported")


def grid(*metrics: str) -> Any:
    rows = [
        {
            "run": f"s-{level}",
            "width": level,
            "seed": seed,
            "metric": metric,
            "subject": "",
            "value": 0.8,
            "unit": "fraction",
        }
        for level in "ab"
        for seed in (0, 1)
        for metric in metrics
    ]
    study = {
        "factors": {"width": {"a": [], "b": []}},
        "grid": {"width": {"a": 1, "b": 2}},
        "figures": [],
        "sources": [],
        "title": "s",
    }
    return sweep.swept(study, pd.DataFrame(rows))


row("study: chosen by validation", lambda: grid("test_accuracy", "validation_accuracy"), "sweep.best.validation")
row("study: by the test", lambda: grid("test_accuracy"), "sweep.best.test")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("what", "told", "expected"), ROWS, ids=[what for what, _, _ in ROWS])
def test_what_follows_is_said_and_nothing_else(what, told, expected):
    assert set(said(told())) & verdicts_() == expected


def test_every_verdict_is_reached():
    assert sorted(verdicts_() - set().union(*(expected for _, _, expected in ROWS))) == []


def test_every_verdict_is_once_not_said_where_its_neighbours_are():
    """By some record of the same method: so that each is said under its condition only."""
    always = set()
    for id_ in verdicts_():
        of_method = [expected for what, _, expected in ROWS if what.split(":")[0] == id_.split(".")[0]]
        if of_method and all(id_ in expected for expected in of_method):
            always.add(id_)
    assert not always


def test_a_verdict_is_put_into_words():
    sentences = language("en").sentences
    assert all(re.search(r"\w", sentences[id_]) for id_ in verdicts_())


verdicts_ = cache(verdicts)
