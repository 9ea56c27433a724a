"""Lessons in closed form or walked again, and the study's means and intervals from what its networks were measured to
do.
"""

from __future__ import annotations

import itertools
import json

import numpy as np
from families import Found, Report, leaves, mean_of, recomputes
from finished import Data, Row
from scipy import optimize, signal, stats

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=float)


def settings(report: Report, row: Row) -> dict:
    exhibit = json.loads((report.results / f"lessons/{row.name}/exhibit.json").read_text())
    return exhibit["config"][row.name]


def photograph(report: Report, sample: int) -> np.ndarray:
    """In grey, by ITU-R BT.601."""
    data = Data(report.results / "data/photograph")
    return np.tensordot([0.299, 0.587, 0.114], data.raw("test")[sample].astype(float), 1)


# --- classic_filters ---


def kernels(report: Report, row: Row) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(settings(report, row)["seed"]).random((9, 9))
    return {
        "mean 3x3": np.full((3, 3), 1 / 9),
        "mean 9x9": np.full((9, 9), 1 / 81),
        "Sobel": SOBEL,
        "random 9x9": chance,
        "random 9x9 sum 1": chance / chance.sum(),
    }


def cropped(report: Report, row: Row, kernel: np.ndarray) -> np.ndarray:
    return signal.correlate2d(grey(report, row), kernel, mode="valid")


def grey(report: Report, row: Row) -> np.ndarray:
    """The photograph in whole numbers."""
    return np.round(photograph(report, settings(report, row)["sample"]))


def fine(picture: np.ndarray) -> float:
    """The energy of changes finer than eight pixels, the rim faded out by a Hann window."""
    faded = (picture - picture.mean()) * np.outer(np.hanning(picture.shape[0]), np.hanning(picture.shape[1]))
    power = np.abs(np.fft.rfft2(faded)) ** 2
    rows, columns = np.fft.fftfreq(picture.shape[0])[:, None], np.fft.rfftfreq(picture.shape[1])[None]
    twice = np.ones(power.shape)
    twice[:, 1 : (picture.shape[1] + 1) // 2] = 2  # what a real transform leaves out
    return float((twice * power)[rows**2 + columns**2 > 1 / 64].sum() / picture.size**2)


@recomputes("classic_filters", "weights_sum", "lowest", "highest", "fine_detail_kept", digits=4, size=1e-9)
def classic(report: Report, row: Row) -> float:
    kernel = kernels(report, row)[row.of["filter"]]
    if row.metric == "weights_sum":
        return float(kernel.sum())
    made = cropped(report, row, kernel)
    if row.metric != "fine_detail_kept":
        return float(made.min() if row.metric == "lowest" else made.max())
    rim = [n // 2 for n in kernel.shape]
    before = grey(report, row)[rim[0] : -rim[0], rim[1] : -rim[1]]
    return fine(made) / fine(before)


@recomputes("classic_filters", "outside_grey_range")
def outside(report: Report, row: Row) -> float:
    made = [cropped(report, row, kernel) for kernel in kernels(report, row).values()]
    return sum(bool(one.min() < -0.5 or one.max() > 255.5) for one in made)


# --- convolution ---


@recomputes("convolution", "map_size", "largest")
def walked(report: Report, row: Row) -> float:
    given, stride = settings(report, row), int(row.of["stride"])
    made = signal.correlate2d(given["image"], given["filters"][int(row.of["filter"]) - 1], mode="valid")[
        ::stride, ::stride
    ]
    return len(made) if row.metric == "map_size" else float(made.max())


@recomputes("convolution", "windows")
def windows(report: Report, row: Row) -> float:
    given = settings(report, row)
    along = 2 * given["box"] + 1
    over = sum(
        (-(-(len(given["image"]) - len(one) + 1) // stride)) ** 2 for one in given["filters"] for stride in (1, 2)
    )
    return along + over


@recomputes("connections", "difference_from_convolution", "difference_of_gradients")
@recomputes("connections", "changed_by_noise_around", "changed_by_moving")
@recomputes("convolution", "difference_from_torch")
@recomputes("output_size", "unlike_torch")
@recomputes("shapes", "difference_by_hand")
def none(report: Report, row: Row) -> float:
    return 0


# --- neuron ---


def network(report: Report, row: Row) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray, np.ndarray]:
    """Weights and biases of each layer, the input, the target, drawn as the lesson says."""
    given = settings(report, row)
    draw, sizes = np.random.default_rng(given["seed"]), given["layers"]
    x = draw.random(sizes[0]).round(1)
    layers = [
        (draw.uniform(-1, 1, (b, a)).round(1), draw.uniform(-1, 1, b).round(1))
        for a, b in zip(sizes, sizes[1:], strict=False)
    ]
    return layers, x, np.eye(sizes[-1])[given["target"]]


def wrong_by(layers: list, x: np.ndarray, target: np.ndarray, shifts: dict[tuple[int, int], float]) -> float:
    """Half the sum of squares, with some sums (layer, neuron) shifted."""
    for place, (weights, biases) in enumerate(layers):
        z = weights @ x + biases
        for (layer, neuron), by in shifts.items():
            if layer == place:
                z[neuron] += by
        x = 1 / (1 + np.exp(-z))
    return float(((x - target) ** 2).sum() / 2)


@recomputes("neuron", "parameters", "error_before_step")
def before_step(report: Report, row: Row) -> float:
    layers, x, target = network(report, row)
    if row.metric == "parameters":
        return sum(weights.size + biases.size for weights, biases in layers)
    return wrong_by(layers, x, target, {})


@recomputes("neuron", "mean_size_of_delta", share=1e-5)
def delta(report: Report, row: Row) -> float:
    """By finite differences."""
    layers, x, target = network(report, row)
    place = int(row.of["layer"]) - 1
    each = [
        wrong_by(layers, x, target, {(place, at): 1e-5}) - wrong_by(layers, x, target, {(place, at): -1e-5})
        for at in range(len(layers[place][1]))
    ]
    return float(np.abs(each).mean() / 2e-5)


@recomputes("neuron", "difference_from_autograd", size=1e-12)
def rounding(report: Report, row: Row) -> float:
    return 0.0


leaves("neuron", ["error_after_step"], "of a step along slopes that `mean_size_of_delta` is about")


# --- template ---


@recomputes("template", "windows", "largest", "windows_marked", "likeness_of_best")
def marked(report: Report, row: Row) -> float | None:
    """Of the lecture's image; the other picture is the project's own drawing."""
    if row.of["picture"] != "strokes":
        return None
    given = settings(report, row)
    made = signal.correlate2d(given["image"], given["filter"], mode="valid")
    if row.metric == "likeness_of_best":
        row_, column = np.unravel_index(made.argmax(), made.shape)
        under = np.array(given["image"])[row_ : row_ + 3, column : column + 3]
        return float(made.max() / np.linalg.norm(under) / np.linalg.norm(given["filter"]))
    return float(
        {"windows": made.size, "largest": made.max(), "windows_marked": (made == made.max()).sum()}[row.metric]
    )


leaves("template", ["likeness_of_other"], "of a window that the lesson chooses to show")


# --- reversal ---


@recomputes("reversal", "inputs_moved_in_training", "weights_moved_in_ascent")
def stands_still(report: Report, row: Row) -> float:
    return 0.0


leaves(
    "reversal",
    ["loss_before", "loss_after", "weights_moved_in_training", "value_before", "value_after", "best_real_value"],
    "of a small network that the lesson trains itself on its own drawings",
)


# --- board ---


@recomputes("board", "places_after_pooling", "parameters")
def pooled_and_weighed(report: Report, row: Row) -> float:
    given = settings(report, row)
    if row.metric == "places_after_pooling":
        return (-(-len(given["position"]) // 2)) ** 2
    filters = given["filters"]
    rest = (given["layers"] - 1) * (9 * filters**2 + filters)
    return 25 * given["planes"] * filters + filters + rest + filters + given["side"] ** 2


leaves(
    "board",
    ["moves_that_capture", "stones_captured_by_best", "alike_after_pooling", "of_these_another_answer"],
    "the rules of Go again; tests/unit/test_lessons_drawn.py has a library's",
)


# --- connections ---


@recomputes("connections", "weights", "weights_not_zero", "weights_that_differ")
def connected(report: Report, row: Row) -> float:
    given = settings(report, row)
    if row.metric != "weights":
        size = np.array(given["kernel"]).size
        outputs = np.prod([n - k + 1 for n, k in zip(np.shape(given["image"]), np.shape(given["kernel"]), strict=True)])
        return float(outputs * size if row.metric == "weights_not_zero" else size)
    units = given["inputs"] - given["window"] + 1
    each = {"all": units * given["inputs"], "local": units * given["window"]}
    return each.get(row.of["connected"], given["window"])


leaves(
    "connections",
    ["picture_seen_by_filter", "halved_like_own", "halved_like_other"],
    "of pictures that the project draws itself",
)


# --- output_size, shapes, why_convolution ---


@recomputes("output_size", "cases")
def cases(report: Report, row: Row) -> float:
    return float(np.prod([len(values) for values in settings(report, row).values()]))


@recomputes("shapes", "parameters", "flattened")
def shapes(report: Report, row: Row) -> float:
    """3 × 3 filters and 2 × 2 pools, twice; then two dense layers."""
    given = settings(report, row)
    channels, side, _ = given["shape"]
    first, second = given["filters"]
    flat = second * (((side - 2) // 2 - 2) // 2) ** 2
    each = {
        "conv1": 9 * channels * first + first,
        "conv2": 9 * first * second + second,
        "dense1": flat * given["units"] + given["units"],
        "dense2": given["units"] * given["classes"] + given["classes"],
    }
    if row.metric == "flattened":
        return flat
    return each[row.layer] if row.layer else sum(each.values())


@recomputes("why_convolution", "dense_weights", "convolution_weights", "local_weights", "times_as_many")
def why(report: Report, row: Row) -> float:
    given = settings(report, row)
    channels, side, _ = given["shape"]
    filters, kernel, units = given["filters"], given["kernel"], given["units"]
    left = side - kernel + 1
    dense, shared = channels * side**2 * units, kernel**2 * channels * filters
    on = {"maps": units * filters * left**2, "pooled maps": units * filters * (left // 2) ** 2}
    if "on" in row.of:
        return on[row.of["on"]]
    return {
        "dense_weights": dense,
        "convolution_weights": shared,
        "local_weights": shared * left**2,
        "times_as_many": dense / shared,
    }[row.metric]


# --- learn_sobel: what Adam leaves is rounding; that it finds Sobel's weights is what can be said beforehand ---


@recomputes("learn_sobel", "middle_to_corners", size=1e-3, why="what is found is Sobel's ratio but for rounding")
def ratio(report: Report, row: Row) -> float:
    return 2.0


@recomputes("learn_sobel", "final_mse", "mse_of_start", size=1e-8, why="nothing but rounding is left")
@recomputes("learn_sobel", "largest_weight_error", size=1e-3)
def nothing_left(report: Report, row: Row) -> float:
    return 0.0


@recomputes("learn_sobel", "iterations_to_one_per_cent", share=0.15, why="from other random starts")
def until_learned(report: Report, row: Row) -> Found:
    """The longest of some starts; the error is a quadratic form of nine weights, on which Adam is walked by hand."""
    given = settings(report, row)
    picture = photograph(report, given["sample"])
    picture = (picture - picture.mean()) / picture.std()
    under = np.lib.stride_tricks.sliding_window_view(picture, (3, 3)).reshape(-1, 9)
    form = under.T @ under / len(under)
    taken = []
    for seed in range(8):
        away = np.random.default_rng(seed).standard_normal(9) - SOBEL.ravel()
        mean, square, errors = np.zeros(9), np.zeros(9), [away @ form @ away]
        for step in range(1, given["iterations"] + 1):
            slope = 2 * form @ away
            mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
            rate = given["learning_rate"] * (1 + np.cos(np.pi * (step - 1) / given["iterations"])) / 2
            away = away - rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
            errors.append(away @ form @ away)
        taken.append(int(np.flatnonzero(np.array(errors) >= 0.01 * errors[0])[-1]) + 1)
    return Found(float(np.median(taken)), room=float(np.ptp(taken)))


# --- mse_surface ---


class Surface:
    """f(x) = tanh(a x + b) − tanh(v x + c) against the targets that another a and b made; its error and derivatives."""

    def __init__(self, given: dict) -> None:
        self.given = given
        self.x = np.linspace(-2, 2, given["samples"])
        self.y = self.f(np.array(given["truth"]))

    def f(self, w: np.ndarray) -> np.ndarray:
        v, c = self.given["other"]
        return np.tanh(w[0] * self.x + w[1]) - np.tanh(v * self.x + c)

    def error(self, w: np.ndarray) -> float:
        return float(((self.f(w) - self.y) ** 2).mean())

    def slope(self, w: np.ndarray) -> np.ndarray:
        bend = 2 * (self.f(w) - self.y) / np.cosh(w[0] * self.x + w[1]) ** 2
        return np.array([(bend * self.x).mean(), bend.mean()])

    def ravine(self) -> float:
        """How many times as much the error bends across as along, at its lowest: where it is 0, Gauss and Newton's."""
        a, b = self.given["truth"]
        slopes = np.stack([self.x, np.ones_like(self.x)]) / np.cosh(a * self.x + b) ** 2
        least, most = np.linalg.eigvalsh(slopes @ slopes.T)
        return float(most / least)

    def walk(self, name: str) -> np.ndarray | None:
        """The weights before each step and after the last."""
        given = self.given
        w = np.array(given["start"], dtype=float)
        path, speed = [w], np.zeros(2)
        if name == "conjugate gradients":
            optimize.minimize(
                self.error, w, jac=self.slope, method="CG", callback=path.append, options={"maxiter": given["steps"]}
            )
            return np.array(path)
        if name == "Newton" or name.startswith("batches"):
            return None
        mean, square = np.zeros(2), np.zeros(2)
        for step in range(1, given["steps"] + 1):
            slope = self.slope(w)
            if name == "Adam":
                mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
                w = w - 0.1 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
            else:
                speed = (given["momentum"] if "momentum" in name else 0) * speed + slope
                w = w - float(name.removeprefix("step ").partition(",")[0]) * speed
            path.append(w)
        return np.array(path)


@recomputes("mse_surface", "mse_at_start", digits=4)
def mse_at_start(report: Report, row: Row) -> float:
    surface = Surface(settings(report, row))
    return surface.error(np.array(surface.given["start"]))


@recomputes("mse_surface", "curvature_ratio", digits=4)
def curvature_ratio(report: Report, row: Row) -> float:
    return Surface(settings(report, row)).ravine()


@recomputes("mse_surface", "final_mse", "distance_to_minimum", "steps_to_one_per_cent", digits=4, share=1e-4, size=1e-9)
def walked_down(report: Report, row: Row) -> float | None:
    surface = Surface(settings(report, row))
    path = surface.walk(row.of["path"])
    if path is None:
        return None
    errors = np.array([surface.error(w) for w in path])
    if row.metric == "final_mse":
        return errors[-1]
    if row.metric == "distance_to_minimum":
        return float(np.hypot(*(path[-1] - np.array(surface.given["truth"]))))
    return int(np.flatnonzero(errors >= 0.01 * errors[0])[-1]) + 1


@recomputes("mse_surface", "xor_solved_by_one_unit")
def one_line(report: Report, row: Row) -> float:
    """No line parts the four cases (Minsky & Papert 1969)."""
    return 0.0


leaves("mse_surface", ["xor_solved_by_two_units"], "from random starts, which a share of fifty tells to a tenth")


# --- the study ---


def measured(report: Report) -> list[dict]:
    """Every number of every trained network of the study: levels, seed, metric, subject, value."""

    def make() -> list[dict]:
        found = []
        for file in sorted(report.results.glob("runs/*-*-*/seed*/measures.json")):
            study, network, voices = file.parts[-3].split("-")
            for one in json.loads(file.read_text())["numbers"]:
                seed = int(file.parts[-2].removeprefix("seed"))
                found.append({"study": study, "network": network, "voices": voices, "seed": seed} | one)
        return found

    return report.once("measured", make)


@recomputes("study", "test_accuracy", "train_accuracy", "parameters")
def of_variant(report: Report, row: Row) -> Found:
    mine = [
        one["value"]
        for one in measured(report)
        if one["study"] == row.name
        and one["metric"] == row.metric
        and one["network"] == row.of["network"]
        and one["voices"] == row.of["voices"]
        and one["subject"] == (f"shift={row.of['shift']}" if "shift" in row.of else "")
    ]
    return mean_of(mine, *((0, 1) if row.metric.endswith("accuracy") else ()))


@recomputes("study", "trainings")
def trainings(report: Report, row: Row) -> float:
    return len({(one["network"], one["voices"], one["seed"]) for one in measured(report) if one["study"] == row.name})


def differences(report: Report, row: Row, of: str, than: str) -> np.ndarray:
    """Of each seed the mean difference of two networks over both directions, in points."""
    each: dict[int, list[float]] = {}
    numbers = [
        one
        for one in measured(report)
        if one["study"] == row.name and one["metric"] == "test_accuracy" and not one["subject"]
    ]
    for a, b in itertools.product(numbers, numbers):
        if (a["network"], b["network"]) == (of, than) and (a["voices"], a["seed"]) == (b["voices"], b["seed"]):
            each.setdefault(a["seed"], []).append(100 * (a["value"] - b["value"]))
    return np.array([np.mean(values) for values in each.values()])


@recomputes("study", "difference")
def difference(report: Report, row: Row) -> Found | None:
    """Over seeds; what is over test samples or speakers needs their answers, which other tests are about."""
    if "over" in row.of:
        return None
    return mean_of(differences(report, row, row.of.get("of", "frequency"), row.of.get("than", "time")))


@recomputes("study", "p_below_margin", digits=4, share=1e-4, size=1e-9)
def p_below_margin(report: Report, row: Row) -> float | None:
    if any("over" in one.of for one in report.beside(row, "difference", of=row.of["of"], than=row.of["than"])):
        return None
    return float(
        stats.ttest_1samp(differences(report, row, row.of["of"], row.of["than"]), 0, alternative="less").pvalue
    )


leaves(
    "study",
    ["verdict", "p_below_margin_adjusted", "effect_size"],
    "decided over seeds and over what was tested together; tests/unit/test_studies_verdicts.py has the rules",
)
