"""Dreams and styles: what the samples are exactly, what was made of them as far as its picture keeps it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from families import Found, Report, leaves, recomputes
from finished import Row, Run
from of_made import PICTURE, shares, tried
from torch import Tensor
from torch.nn import functional as F

SIZE = 160  # px, above which samples are made smaller for a style (conf/dissect/style.yaml)
FLOOR = 60.0  # dB below its loudest point at which a spectrogram ends


class Range:
    """From black to white, or from the floor to 0 dB."""

    def __init__(self, run: Run) -> None:
        ends = (0.0, 1.0) if run.data.kind == "images" else (-FLOOR, 0.0)
        self.low, self.high = (run.data.normal(np.full((run.raw.shape[1], 1, 1), end)) for end in ends)

    def of(self, share: np.ndarray) -> Tensor:
        return self.low + torch.from_numpy(share).float() * (self.high - self.low)


def start(report: Report, row: Row, key: str) -> Tensor:
    run = report.run(row)
    at = run.ids.index(row.of[key])
    return run.x[at : at + 1]


def picture(report: Report, row: Row, item: str) -> np.ndarray | None:
    """The input in a picture as shares of the range;

    None where the picture is in few colours, or no sound reaches the range's end.
    """
    run = report.run(row)
    pixels = run.input_picture(row.method, item)
    if pixels is None or run.network().large or pixels.shape[:2] != run.raw.shape[2:]:
        return None
    return shares(pixels, run.data.kind == "sounds")


def found(report: Report, row: Row, item: str, values: Callable[[Tensor], np.ndarray]) -> Found | None:
    share = picture(report, row, item)
    return None if share is None else tried(values, Range(report.run(row)), share, exact_ends=False, step=1 / 255)  # type: ignore[arg-type]


def norm(run: Run, layer: str) -> Callable[[Tensor], np.ndarray]:
    return lambda x: run.network().run(x, last=layer)[layer].double().flatten(1).norm(dim=1).numpy()


def probability(run: Run) -> Callable[[Tensor], np.ndarray]:
    return lambda x: run.network().logits(x).double().softmax(1).max(1).values.numpy()


def moved(run: Run, before: Tensor) -> Callable[[Tensor], np.ndarray]:
    limits = Range(run)
    return lambda x: ((x - before) / (limits.high - limits.low)).double().square().flatten(1).mean(1).sqrt().numpy()


# --- dream ---


def dream(row: Row) -> str:
    return f"{row.layer} of {row.of['sample']}"


@recomputes("dream", "norm_before", "probability_before", digits=4)
def before(report: Report, row: Row) -> float:
    run = report.run(row)
    values = norm(run, row.layer) if row.metric == "norm_before" else probability(run)
    with torch.no_grad():
        return float(values(start(report, row, "sample"))[0])


@recomputes("dream", "norm_after", "probability_after", "moved", "raised", digits=4, share=5e-3, why=PICTURE)
def after(report: Report, row: Row) -> Found | None:
    run = report.run(row)
    if not row.layer:
        each = [one.value for one in report.beside(row, row.metric) if one.layer]
        return Found(float(np.mean(each) if row.metric == "moved" else np.exp(np.mean(np.log(each)))))
    values = {
        "norm_after": norm(run, row.layer),
        "raised": norm(run, row.layer),
        "probability_after": probability(run),
        "moved": moved(run, start(report, row, "sample")),
    }[row.metric]
    one = found(report, row, dream(row), values)
    if one is None or row.metric != "raised":
        return one
    with torch.no_grad():
        still = float(values(start(report, row, "sample"))[0])
    return Found(one.value / still, room=one.room / still)


@recomputes("dream", "class_changed")
def class_changed(report: Report, row: Row) -> Found | None:
    run = report.run(row)
    if not row.layer:
        return Found(float(np.mean([one.value for one in report.beside(row, "class_changed") if one.layer])))
    share = picture(report, row, dream(row))
    if share is None:
        return None
    read = run.network().logits(Range(run).of(share)[None]).argmax()
    return Found(float(read != run.network().logits(start(report, row, "sample")).argmax()))


@recomputes("dream", "layers")
def layers(report: Report, row: Row) -> float:
    return len({one.layer for one in report.beside(row, "norm_before")})


@recomputes("dream", "octaves")
def octaves(report: Report, row: Row) -> float:
    """Sizes from the sample's own down, each by the ratio smaller, as long as neither side is too small nor a filter
    too large.
    """
    run = report.run(row)
    if not row.layer:
        return max(one.value for one in report.beside(row, "octaves") if one.layer)
    sides = run.raw.shape[2:]
    ratio, smallest, most = (run.setting("dream", key) for key in ("ratio", "smallest", "octaves"))
    many = 1
    for octave in range(1, most):
        smaller = [round(side / ratio**octave) for side in sides]
        fields = run.network().geometry((run.raw.shape[1], *smaller))
        if min(smaller) < smallest or any(units < 1 for field in fields.values() for units in field.units):
            break
        many += 1
    return many


leaves("dream", ["raised_by_chance"], "random changes of a size and smoothness that only the dream has")


# --- style ---


def style_layers(run: Run) -> tuple[str, list[str]]:
    """The layer of the content in the middle of the depth, those of the style from the first to a little beyond it."""
    network = run.network()
    every = [network.driven(name) for name in network.convolutions]
    at = lambda share: every[int(share * (len(every) - 1) + 0.5)]  # noqa: E731
    return at(run.setting("style", "content_depth")), list(dict.fromkeys(map(at, run.setting("style", "style_depths"))))


def sized(x: Tensor) -> Tensor:
    side = max(x.shape[2:])
    if side <= SIZE:
        return x
    size = [round(one * SIZE / side) for one in x.shape[2:]]
    return F.interpolate(x, size=size, mode="bicubic", antialias=True, align_corners=False)


def losses(run: Run, content: Tensor, style: Tensor) -> Callable[[Tensor], tuple[np.ndarray, np.ndarray]]:
    """Squared distances as shares of the squares of what is wanted:

    of the maps (content), of the Gram matrices (style, mean of layers).
    """
    network = run.network()
    layer, layers = style_layers(run)

    def held(x: Tensor) -> tuple[Tensor, list[Tensor]]:
        with torch.no_grad():
            found = network.run(x)
        flat = [found[name].double().flatten(2) for name in layers]
        return found[layer].double().flatten(1), [one @ one.transpose(1, 2) / one.shape[2] for one in flat]

    limits = Range(run)
    clamp = lambda x: torch.minimum(torch.maximum(sized(x), limits.low), limits.high)  # noqa: E731
    wanted, grams = held(clamp(content))[0], held(clamp(style))[1]

    def of(x: Tensor) -> tuple[np.ndarray, np.ndarray]:
        maps, made = held(clamp(x))
        apart = [(a - b).square().sum((1, 2)) / b.square().sum() for a, b in zip(made, grams, strict=True)]
        return ((maps - wanted).square().sum(1) / wanted.square().sum()).numpy(), torch.stack(apart).mean(0).numpy()

    return of


@recomputes("style", "style_loss_of_content", "content_loss_of_style", digits=4, share=1e-4)
def of_originals(report: Report, row: Row) -> float:
    content, style = start(report, row, "content"), start(report, row, "style")
    of = losses(report.run(row), content, style)
    return float(of(content)[1][0] if row.metric.startswith("style") else of(style)[0][0])


@recomputes("style", "style_left", "content_lost", "moved", digits=4, share=2e-3)
def left(report: Report, row: Row) -> Found | float | None:
    """Shares of the originals' losses; without a subject the means over the middle weight, both ways round."""
    if not row.subject:
        each = [one for one in report.beside(row, row.metric) if one.subject]
        middle = sorted({float(one.of["weight"]) for one in each})[len({one.of["weight"] for one in each}) // 2]
        return float(np.mean([one.value for one in each if float(one.of["weight"]) == middle]))
    if row.metric == "moved":
        return None
    made, whole = {
        "style_left": ("style_loss", "style_loss_of_content"),
        "content_lost": ("content_loss", "content_loss_of_style"),
    }[row.metric]
    (above,) = report.beside(row, made, **row.of)
    (below,) = (
        one
        for one in report.beside(row, whole)
        if (one.of["content"], one.of["style"]) == (row.of["content"], row.of["style"])
    )
    return above.value / below.value


leaves(
    "style",
    ["content_loss", "style_loss", "probability", "read_as_content", "read_as_style"],
    "of a picture that is kept in few levels or colours, in which so small a loss drowns",
)
leaves(
    "spectrogram",
    [
        "shift",
        "pairs_moved_up",
        "shift_at_500_hz",
        "shift_within_a_group",
        "pitch",
        "formant_1",
        "formant_2",
        "formant_3",
    ],
    "of sounds that are no part of the results; tests/unit/test_dissect_spectrogram.py has voices of known pitch",
)
