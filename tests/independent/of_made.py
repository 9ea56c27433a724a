"""Inputs that were made: read back from their pictures, as far as these resolve them, and shown to the networks again.

A picture of a made input has 25 levels of brightness (dreams and styles 256). What that leaves open is found by
trying: inputs that would
have given the same picture are drawn, and a value may be off by thrice what it differs by among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from families import Found, Report, mean_of, of_groups, recomputes, share_of
from finished import Row, Run, evenly
from forward import Network
from matplotlib import colormaps
from of_maps import heard
from torch import Tensor

LEVELS = 24
TRIES = 8
SAME = 1e-6
VARIANTS = ("plain", "l1_tv", "fourier")
PICTURE = "as exact as the picture"


# --- the range of inputs, and pictures of them ---


class Box:
    """The range of what an input can be, and what a place holds on which nothing is."""

    def __init__(self, run: Run) -> None:
        data, raw = run.data, run.raw[evenly(len(run.raw), 2000)]
        flat = np.moveaxis(raw, 1, 0).reshape(raw.shape[1], -1).astype(np.float64)
        if data.kind == "images":
            low, high, middle = np.zeros(len(flat)), np.ones(len(flat)), np.median(flat, axis=1) / 255
        else:
            low, high, middle = flat.min(1), flat.max(1), np.median(flat.astype(np.float32), axis=1)
        self.low, self.high, self.nothing = (data.normal(one.reshape(-1, 1, 1)) for one in (low, high, middle))

    def of(self, share: np.ndarray) -> Tensor:
        """An input from its shares of the range, (…, channels, rows, columns)."""
        return self.low + torch.from_numpy(share).float() * (self.high - self.low)


def box(report: Report, row: Row) -> Box:
    return report.once(("box", row.name), lambda: Box(report.run(row)))


@lru_cache
def amounts() -> np.ndarray:
    return np.rint(255 * colormaps["magma"](np.linspace(0, 1, 256))[:, :3])


def shares(pixels: np.ndarray, sounds: bool) -> np.ndarray:
    """A picture as shares of the range, (channels, rows, columns):

    grey, in colours, or by loudness with the frequencies upward.
    """
    if not sounds:
        return (pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)) / 255.0
    apart = ((pixels[..., None, :].astype(float) - amounts()) ** 2).sum(-1)
    return apart.argmin(-1)[None, ::-1] / 255.0


def like(share: np.ndarray, step: float, exact_ends: bool) -> np.ndarray:
    """Inputs that have this picture, (1 + TRIES, …): the picture's own levels first."""
    random = np.random.default_rng(20261127)
    shift = random.uniform(-step / 2, step / 2, (TRIES, *share.shape))
    if exact_ends:
        shift = np.where((share > 0) & (share < 1), shift, 0)
    return np.concatenate([share[None], np.clip(share + shift, 0, 1)])


def panels(report: Report, row: Row, item: str) -> dict[str, np.ndarray] | None:
    """The inputs that were made for a unit, and the best real one, as shares of the range."""
    run = report.run(row)
    found = {}
    for variant, name in enumerate((*VARIANTS, "real")):
        pixels = run.input_picture(row.method, item, variant)
        if pixels is None:
            return None
        found[name] = np.rint(shares(pixels, run.data.kind == "sounds") * LEVELS) / LEVELS
    return found


def tried(
    values: Callable[[Tensor], np.ndarray], box: Box, share: np.ndarray, exact_ends: bool, step: float = 1 / LEVELS
) -> Found:
    """A value of the input in a picture, and how far others with the same picture are from it."""
    with torch.no_grad():
        found = values(box.of(like(share, step, exact_ends))).astype(float)
    return Found(float(found[0]), room=3 * float(np.abs(found[1:] - found[0]).max()))


# --- filters and dense units ---


def scenes(report: Report, row: Row) -> Tensor:
    """Real inputs:

    the test samples, or of large pictures windows of 64 × 64 that were cut out at random, by a known seed.
    """
    run = report.run(row)
    side = 64
    if max(run.x.shape[2:]) <= side:
        return run.x

    def make() -> Tensor:
        random = np.random.default_rng(0)
        cut = []
        for place in np.repeat(np.arange(len(run.raw)), -(-64 // len(run.raw))):
            top, left = (int(random.integers(0, length - side + 1)) for length in run.raw.shape[2:])
            cut.append(run.raw[place, :, top : top + side, left : left + side])
        return run.data.ready(np.stack(cut))

    return report.once(("scenes", row.name), make)


def real(report: Report, row: Row):
    """What real inputs do to the filters of the row's layer."""
    run = report.run(row)
    return heard(report, run, scenes(report, row), "inside" if run.network().large else "test")[row.layer]


def values_of(report: Report, row: Row, objective: str) -> Callable[[Tensor], np.ndarray]:
    """The values of all units of the row's layer on inputs, (n, units): at one position before the rectifier, or the
    sums of their maps
    behind it."""
    network, layer = report.run(row).network(), row.layer
    whole = tuple(scenes(report, row).shape[1:])

    def values(x: Tensor) -> np.ndarray:
        if layer.startswith("dense"):
            return network.run(x)[layer].numpy()
        if objective == "map":
            name = network.rectified(layer)
            return network.run(x, last=name)[name].flatten(2).double().sum(2).numpy()
        field = network.geometry(whole)[layer]
        if x.shape[1:] == whole and x.shape[2:] != field.size:
            place = tuple(units // 2 for units in field.units)
        else:  # cut out: what lies before it isn't seen
            place = tuple(-(-max(0, -a) // j) for a, j in zip(field.start, field.step, strict=True))
            begin = [a + j * p for a, j, p in zip(field.start, field.step, place, strict=True)]
            x = torch.nn.functional.pad(x, (begin[1], 0, begin[0], 0))
        name = network.driven(layer)
        return network.run(x, last=name)[name][(slice(None), slice(None), *place)].numpy()

    return values


def value_of(report: Report, row: Row, objective: str) -> Callable[[Tensor], np.ndarray]:
    """The same of the row's unit alone."""
    values = values_of(report, row, objective)
    return lambda x: values(x)[:, row.unit]


@recomputes("filter_maximisation", "real_position", "real_map", digits=4)
@recomputes("dense_maximisation", "real_position", digits=4)
def best_real(report: Report, row: Row) -> float:
    found = real(report, row)
    return float((found.sums if row.metric == "real_map" else found.peaks)[:, row.unit].max())


@recomputes("filter_maximisation", "fires", digits=4)
@recomputes("dense_maximisation", "fires", digits=4)
def fires(report: Report, row: Row) -> Found:
    run = report.run(row)
    # Behind the rectifier anywhere: at places that see padding, too.
    sums = real(report, row).sums[:, row.unit]
    assert run.data.kind != "texts"
    return share_of(int((sums > 0).sum()), len(sums))


MADE = [f"{variant}_{objective}" for objective in ("position", "map") for variant in VARIANTS]


@recomputes("filter_maximisation", *MADE, digits=4, share=2e-3, why=PICTURE)
@recomputes("dense_maximisation", *MADE[:3], digits=4, share=2e-3, why=PICTURE)
def made_value(report: Report, row: Row) -> Found | None:
    variant, _, objective = row.metric.rpartition("_")
    strip = panels(report, row, f"{row.layer}/{row.unit} {objective}")
    # Of a large network's faint pictures the levels keep too little: what it answers to them is another thing.
    if strip is None or (report.run(row).network().large and variant != "plain"):
        return None
    return tried(value_of(report, row, objective), box(report, row), strip[variant], exact_ends=variant == "plain")


@recomputes("filter_maximisation", "optimum", digits=4)
def optimum(report: Report, row: Row) -> float:
    """Before the first rectifier a value is affine: its largest in the range is at one end of it everywhere."""
    return best_possible(report, row)


def best_possible(report: Report, row: Row) -> float:
    run, limits = report.run(row), box(report, row)
    network = run.network()
    field = network.geometry(tuple(scenes(report, row).shape[1:]))[row.layer]
    x = limits.low.expand(-1, *field.size)[None].clone().requires_grad_()
    held = network.run(x, last=network.driven(row.layer))[network.driven(row.layer)][0, row.unit].flatten()[0]
    (weights,) = torch.autograd.grad(held, x)
    return float(held.detach() + (weights.clamp(min=0) * (limits.high - limits.low)).sum())


@recomputes("filter_maximisation", "share_of_optimum", digits=6, share=1e-4, why=PICTURE)
def share_of_optimum(report: Report, row: Row) -> Found | None:
    strip = panels(report, row, f"{row.layer}/{row.unit} position")
    if strip is None:
        return None
    found, best = (
        tried(value_of(report, row, "position"), box(report, row), strip["plain"], exact_ends=True),
        best_possible(report, row),
    )
    return Found(min(1.0, found.value / best), room=found.room / best)


@recomputes("filter_maximisation", "least_share_of_optimum")
def least_share(report: Report, row: Row) -> float:
    return min(one.value for one in report.beside(row, "share_of_optimum"))


def ranked(report: Report, row: Row, share: np.ndarray, objective: str) -> np.ndarray:
    """On inputs with this picture, how many units of the layer are farther above their means on data, in standard
    deviations.
    """
    reals = real(report, row)
    x = box(report, row).of(like(share, 1 / LEVELS, True))
    with torch.no_grad():
        every = values_of(report, row, objective)(x)
    mean, spread = (reals.mean, reals.spread) if objective == "position" else (reals.sums.mean(0), reals.sums.std(0))
    unusual = np.divide(every - mean, spread, out=np.full(every.shape, -np.inf), where=spread > 0)
    return 1 + (unusual > unusual[:, row.unit][:, None]).sum(1)


@recomputes("filter_maximisation", "rank_position", "rank_map", why=PICTURE)
@recomputes("dense_maximisation", "rank_position", why=PICTURE)
def rank(report: Report, row: Row) -> Found | None:
    objective = row.metric.removeprefix("rank_")
    strip = panels(report, row, f"{row.layer}/{row.unit} {objective}")
    if strip is None or report.run(row).network().large:
        return None
    found = ranked(report, row, strip["plain"], objective)
    return Found(float(found[0]), room=float(np.abs(found[1:] - found[0]).max()))


@recomputes("filter_maximisation", "filters")
@recomputes("dense_maximisation", "units")
def all_units(report: Report, row: Row) -> float:
    return len(report.run(row).network().t[f"{row.layer}.weight"])


@recomputes("filter_maximisation", "looked_at")
def looked_at(report: Report, row: Row) -> float:
    return len(report.beside(row, "real_position", layer=row.layer))


@recomputes("filter_maximisation", "starts", "steps")
def effort(report: Report, row: Row) -> float | None:
    """As its settings have it; a large network gets what there is time for."""
    run = report.run(row)
    return None if run.network().large else run.setting("filter_maximisation", row.metric)


def kinds(report: Report, row: Row) -> list[str]:
    """Live: some sample makes the unit fire. Rescued: only an input made for it does. Dead: nothing."""
    found = []
    for one in report.beside(row, "fires"):
        if row.layer and one.layer != row.layer:
            continue
        made = [
            other.value
            for metric in MADE
            for other in report.beside(row, metric, **{key: value for key, value in one.of.items()})
        ]
        found.append("live" if fires(report, one).value > 0 else "rescued" if max(made) > 0 else "dead")
    return found


@recomputes("filter_maximisation", "live", "rescued", "dead")
@recomputes("dense_maximisation", "live", "rescued", "dead")
def of_kind(report: Report, row: Row) -> float:
    return kinds(report, row).count(row.metric)


def against_real(report: Report, row: Row, objective: str) -> list[tuple[float, float]]:
    """The plain input's value and the best real one's, of each live unit."""
    pairs = []
    for one in report.beside(row, f"real_{objective}"):
        if fires(report, next(iter(report.beside(row, "fires", **one.of)))).value > 0:
            (made,) = report.beside(row, f"plain_{objective}", **one.of)
            pairs.append((made.value, one.value))
    return pairs


@recomputes(
    "filter_maximisation",
    *(f"{how}_best_real_{objective}" for how in ("beats", "reaches") for objective in ("position", "map")),
    why="of values with four digits, of which two may be the same",
)
@recomputes("dense_maximisation", "beats_best_real", "reaches_best_real")
def beats(report: Report, row: Row) -> Found:
    pairs = against_real(report, row, "map" if row.metric.endswith("_map") else "position")
    equal = sum(made == best for made, best in pairs)
    more = sum(made > best for made, best in pairs)
    n = len(pairs)
    return Found((more if row.metric.startswith("beats") else more + equal) / n, room=equal / n)


@recomputes("filter_maximisation", "ranks_first")
@recomputes("dense_maximisation", "ranks_first")
def ranks_first(report: Report, row: Row) -> float:
    live = [one.of for one in report.beside(row, "fires") if fires(report, one).value > 0]
    return float(np.mean([report.beside(row, "rank_position", **of)[0].value == 1 for of in live]))


def kept(report: Report, row: Row, layer: str, shift: int) -> np.ndarray:
    """What is left of each unit's activation when the input made for it is shifted around the edge, mean of four
    directions.
    """
    run = report.run(row)

    def make() -> dict[int, np.ndarray]:
        found: dict[int, list[float]] = {by: [] for by in (1, 2, 3, 4)}
        dense = layer.startswith("dense")
        drawn = [
            item["id"]
            for block in run.exhibit("dense_maximisation")["blocks"]
            if block.get("name") in (f"units-{layer}", f"units-{layer}-others")
            for item in block["items"]
        ]
        for item in drawn:
            unit = int(item.split("/")[1].split()[0])
            strip = panels(report, row, item)
            assert strip is not None
            one = replace(row, subject=f"layer={layer};{'unit' if dense else 'filter'}={unit}")
            values = value_of(report, one, "position" if dense else "map")
            x = box(report, row).of(strip["plain"][None])
            with torch.no_grad():
                still = max(0.0, float(values(x)[0]))
                if still == 0:
                    continue
                for by in found:
                    moved = torch.cat([x.roll(step, axis) for axis in (2, 3) for step in (-by, by)])
                    found[by].append(float(np.maximum(values(moved), 0).mean()) / still)
        return {by: np.array(each) for by, each in found.items()}

    return report.once(("kept", row.name, layer), make)[shift]


@recomputes(
    "dense_maximisation", "kept", "kept_by_dense", "kept_by_filters", digits=4, share=5e-3, ends=0.03, why=PICTURE
)
def kept_when_shifted(report: Report, row: Row) -> Found | None:
    if not report.run(row).inputs_are_drawn:
        return None
    if row.metric == "kept":
        found = kept(report, row, row.layer, int(row.of["shift"]))
        return Found(float(found.mean()))
    layers = dict.fromkeys(one.layer for one in report.beside(row, "kept"))
    mine = [layer for layer in layers if layer.startswith("dense") == (row.metric == "kept_by_dense")]
    return mean_of(np.concatenate([kept(report, row, layer, 2) for layer in mine]), 0)


# --- classes ---


def ink(x: Tensor, limits: Box) -> np.ndarray:
    return ((x - limits.nothing).abs() / (limits.high - limits.low)).flatten(1).mean(1).double().numpy()


def variation(x: Tensor, limits: Box) -> np.ndarray:
    share = x / (limits.high - limits.low)
    steps = share.diff(dim=2).abs().flatten(1).sum(1) + share.diff(dim=3).abs().flatten(1).sum(1)
    return (steps / share[0].numel()).double().numpy()


def typical(report: Report, row: Row, label: int) -> dict[str, float]:
    """Of the real samples of a class the median ink and variation, and the largest logit."""
    run, limits = report.run(row), box(report, row)

    def make() -> dict[str, float]:
        mine = run.labels == label
        x = run.x[mine]
        return {
            "ink": float(np.median(ink(x, limits))),
            "variation": float(np.median(variation(x, limits))),
            "logit": float(run.logits[mine, label].max()),
        }

    return report.once(("typical", row.name, label), make)


def made_for_class(report: Report, row: Row, label: int, variant: str) -> np.ndarray | None:
    """The input made for a class, as shares of the range; None where the picture is smaller than it was."""
    run = report.run(row)
    pixels = run.input_picture("class_maximisation", f"{variant}/{run.data.classes[label]}")
    if pixels is None or pixels.shape[:2] != run.x.shape[2:]:
        return None
    return np.rint(shares(pixels, run.data.kind == "sounds") * LEVELS) / LEVELS


def of_class(report: Report, row: Row, label: int, variant: str, metric: str) -> Found | None:
    run, limits = report.run(row), box(report, row)
    share = made_for_class(report, row, label, variant)
    if share is None:
        return None
    usual = typical(report, row, label)

    def probability(network: Network, x: Tensor) -> np.ndarray:
        return network.run(x)["logits"].double().softmax(1)[:, label].numpy()

    values: dict[str, Callable[[Tensor], np.ndarray]] = {
        "logit": lambda x: run.network().run(x)["logits"][:, label].double().numpy(),
        "activation": lambda x: run.network().run(x)["logits"][:, label].double().numpy() / usual["logit"],
        "probability": lambda x: probability(run.network(), x),
        "others_probability": lambda x: np.mean([probability(network, x) for network in run.others], axis=0),
        "agree": lambda x: np.mean(
            [network.run(x)["logits"].argmax(1).numpy() == label for network in run.others], axis=0
        ),
        "ink": lambda x: ink(x, limits) / usual["ink"],
        "variation": lambda x: variation(x, limits) / usual["variation"],
    }
    found = tried(values[metric], limits, share, exact_ends=variant == "none")
    if metric == "agree":
        return Found(
            found.value, room=sum(not sure(network, limits, share, label) for network in run.others) / len(run.others)
        )
    if metric in ("ink", "variation"):  # what is added to all places adds up
        return Found(found.value, room=found.room + 0.5 / LEVELS / {"ink": 4, "variation": 2}[metric] / usual[metric])
    return found


def sure(network: Network, limits: Box, share: np.ndarray, label: int) -> bool:
    """Whether a picture leaves no doubt that a network reads its input as a class, or that it doesn't."""

    def ahead(x: Tensor) -> np.ndarray:
        logits = network.run(x)["logits"].numpy().copy()
        own = logits[:, label].copy()
        logits[:, label] = -np.inf
        return own - logits.max(1)

    margin = tried(ahead, limits, share, exact_ends=False)
    return abs(margin.value) > margin.room


def classes_of(report: Report, row: Row) -> list[int]:
    run = report.run(row)
    return [run.data.classes.index(one.of["class"]) for one in report.beside(row, "logit", variant="both")]


CLASSES = ("logit", "activation", "ink", "variation")


@recomputes("class_maximisation", *CLASSES, digits=4, share=2e-3, why=PICTURE)
def made_class(report: Report, row: Row) -> Found | None:
    return of_class(report, row, report.run(row).data.classes.index(row.of["class"]), row.of["variant"], row.metric)


def over_classes(report: Report, row: Row, variant: str, metric: str) -> list[Found] | None:
    found = [of_class(report, row, label, variant, metric) for label in classes_of(report, row)]
    return None if any(one is None for one in found) else found  # type: ignore[return-value]


@recomputes("class_maximisation", "probability", "others_probability", digits=4, share=2e-3, why=PICTURE)
def made_probability(report: Report, row: Row) -> Found | None:
    if "class" in row.of:
        return made_class(report, row)
    found = over_classes(report, row, row.of["variant"], row.metric)
    return (
        None
        if found is None
        else Found(float(np.mean([one.value for one in found])), room=float(np.mean([one.room for one in found])))
    )


@recomputes("class_maximisation", "least_activation", "most_ink", "most_variation", digits=4, share=2e-3, why=PICTURE)
def extreme(report: Report, row: Row) -> Found | None:
    found = over_classes(report, row, "both", row.metric.partition("_")[2])
    if found is None:
        return None
    best = (min if row.metric.startswith("least") else max)(found, key=lambda one: one.value)
    return Found(best.value, room=max(one.room for one in found))


@recomputes(
    "class_maximisation",
    "agree",
    "agree_without_priors",
    "agree_with_both",
    "agree_moved",
    digits=4,
    ends=0.05,
    why=PICTURE,
)
def agree(report: Report, row: Row) -> Found | None:
    """Each other network met each input: the interval reaches over that of networks and that of classes.

    Where all agree, or none, it is that of as many answers as there are networks, or classes if fewer.
    """
    if "class" in row.of:
        return made_class(report, row)
    variant = (
        row.of.get("variant")
        or {"agree_without_priors": "none", "agree_with_both": "both", "agree_moved": "moved"}[row.metric]
    )
    found = over_classes(report, row, variant, "agree")
    if found is None:
        return None
    run, limits = report.run(row), box(report, row)
    labels = classes_of(report, row)
    x = torch.stack([limits.of(made_for_class(report, row, label, variant)) for label in labels])
    with torch.no_grad():
        named = np.stack([network.run(x)["logits"].argmax(1).numpy() == labels for network in run.others])
    ends = [of_groups(named.sum(axis), np.full(named.shape[1 - axis], named.shape[axis])) for axis in (0, 1)]
    if any(one.room for one in found):  # a network of which the picture leaves open what it reads
        return None
    if named.all() or not named.any():
        fewest = min(side for side in named.shape if side > 1)
        return share_of(fewest * float(named.mean()), fewest)
    return Found(float(named.mean()), min(low for low, _ in ends), max(high for _, high in ends))
