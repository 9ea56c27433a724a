"""Walking down the error surface of a network of two weights (C5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.exhibit import Exhibit, Figure, Number, Prose, Table
from cnnatomy.exhibit.rounding import significant
from cnnatomy.lessons.arriving import arrived

SPAN = 5.0  # the surface is drawn for weights from −SPAN to SPAN
THERE = 0.01  # of the error at the start: a path that stays below this share has arrived

Error = Callable[[Tensor], Tensor]


def mse_surface(config: Mapping[str, Any]) -> Exhibit:
    """Paths of eight ways to descend from one start, where each stops against the true minimum, and XOR.

    The network is f(x) = tanh(a·x + ½) − tanh(b·x − ½); `truth` made the targets, so that the least error is 0.
    config: `seed`, `samples`, `truth`, `start`, `steps`, `step_sizes` (three), `momentum`, `batch`,
    `xor_starts`.
    """
    import pandas as pd

    chance = torch.Generator().manual_seed(config["seed"])
    x = torch.linspace(-2, 2, config["samples"], dtype=torch.float64)
    truth = torch.tensor(config["truth"], dtype=torch.float64)
    y = _network(truth, x)

    def error(weights: Tensor) -> Tensor:
        return ((_network(weights, x) - y) ** 2).mean()

    small, right, large = config["step_sizes"]
    paths = {
        f"step {small:g}": _descend(error, config, torch.optim.SGD, lr=small),
        f"step {right:g}": _descend(error, config, torch.optim.SGD, lr=right),
        f"step {large:g}": _descend(error, config, torch.optim.SGD, lr=large),
        f"step {small:g}, momentum": _descend(error, config, torch.optim.SGD, lr=small, momentum=config["momentum"]),
        "Adam": _descend(error, config, torch.optim.Adam, lr=0.1),
        f"batches of {config['batch']}": _in_batches(x, y, config, right, chance),
        "conjugate gradients": _by_scipy(error, config, "CG"),
        "Newton": _by_scipy(error, config, "trust-exact"),
    }
    a, b = config["truth"]
    minima = np.array([[a, b], [-b, -a]])  # tanh is odd: swapped, with their signs turned, the two units do the same
    start = float(error(torch.tensor(config["start"], dtype=torch.float64)))
    rows, numbers = [], []
    arrivals: dict[str, int | None] = {}
    for name, path in paths.items():
        errors = np.array([float(error(torch.from_numpy(place))) for place in path])
        away = float(np.linalg.norm(path[-1] - minima, axis=1).min())
        arrivals[name] = at = arrived(errors, THERE * start)
        rows.append((name, len(path) - 1, errors[-1], away, at))
        subject = f"path={name}"
        numbers += [
            Number("final_mse", significant(float(errors[-1])), subject=subject),
            Number("distance_to_minimum", significant(away), subject=subject),
        ]
        if at is not None:
            numbers.append(Number("steps_to_one_per_cent", at, subject=subject))
    table = pd.DataFrame(rows, columns=["path", "steps", "final MSE", "distance to a minimum", "below 1 % from"])
    table["below 1 % from"] = table["below 1 % from"].astype("Int64")
    finals = dict(zip(table["path"], table["final MSE"], strict=True))
    gone = {name: bool(np.abs(path).max() > SPAN) for name, path in paths.items()}
    told = _told(list(paths), arrivals, finals, gone, config["steps"])
    xor = [_xor(units, config["xor_starts"], chance) for units in (1, 2)]
    names = list(paths)
    return Exhibit(
        "lesson",
        "",
        "",
        0,
        title={"en": "Down the error surface", "zh": "沿误差曲面下降"},
        caption={
            "en": (
                "A network of one input, two hidden units and one output, two of whose weights are free, so that its "
                "error can be drawn as a map of contour lines. All paths begin at the same place. The crosses are the "
                "weights that made the targets and their twin (both units swapped), where the error is 0. From one "
                "line to the next it halves. A path has arrived where its error stays below "
                f"{100 * THERE:g} % of that at the start. {told['en']}"
            ),
            "zh": (
                "一个输入、两个隐藏单元、一个输出的网络，其中两个权重可变，因此误差可以画成地图。"
                "所有路径从同一点出发；十字是生成目标的权重，"
                "误差为 0；相邻等高线的误差差一倍。"
                f"误差稳定低于起点的 {100 * THERE:g} % 即为到达。{told['zh']}"
            ),
        },
        numbers=[
            Number("mse_at_start", significant(start)),
            Number("xor_solved_by_one_unit", xor[0], unit="fraction", n=config["xor_starts"]),
            Number("xor_solved_by_two_units", xor[1], unit="fraction", n=config["xor_starts"]),
            *numbers,
        ],
        blocks=[
            _surface(
                "step-sizes", error, {name: paths[name] for name in names[:3]}, config, "Three step sizes", "三种步长"
            ),
            _surface(
                "momentum",
                error,
                {name: paths[name] for name in (names[0], names[3])},
                config,
                "With momentum and without",
                "有动量与无动量",
            ),
            _surface(
                "ways",
                error,
                {name: paths[name] for name in (names[1], *names[3:5], *names[6:])},
                config,
                "Five ways to descend",
                "五种下降方法",
            ),
            _surface(
                "batches",
                error,
                {name: paths[name] for name in (names[1], names[5])},
                config,
                "All samples at once, and a few at a time",
                "全批量与小批量",
            ),
            Table("paths", table, title={"en": "Where each path ends", "zh": "各路径的终点"}),
            Prose(
                {
                    "en": (
                        "XOR: the four cases (0, 0), (0, 1), (1, 0), (1, 1), of which the middle two are true. "
                        f"From {config['xor_starts']} "
                        "random starts one unit (a line through the plane) gets all four right in "
                        f"{100 * xor[0]:.0f} % of them; no line parts "
                        f"them. Two hidden units and one behind them do in {100 * xor[1]:.0f} %; the others end in a "
                        "valley that is not the lowest."
                    ),
                    "zh": (
                        f"异或：四种情况中，中间两种为真。从 {config['xor_starts']} 个随机起点出发，一个单元（"
                        "平面上的一条直线）全部答对的占 "
                        f"{100 * xor[0]:.0f} %：没有直线能分开它们。两个隐藏单元加一个输出单元则有 "
                        f"{100 * xor[1]:.0f} %；其余停在较高的谷里。"
                    ),
                },
                title={"en": "What one unit cannot learn", "zh": "一个单元学不会的"},
            ),
        ],
        sources=[
            "Minsky & Papert 1969, Perceptrons",
            ("Nocedal & Wright 2006, Numerical optimization, chapters 4 and 5"),
        ],
    )


def _told(
    names: Sequence[str],
    arrivals: Mapping[str, int | None],
    finals: Mapping[str, float],
    gone: Mapping[str, bool],
    steps: int,
) -> dict[str, str]:
    """What became of the paths, in sentences; names, in the order of `paths`: three step sizes, momentum, Adam, …"""
    small, right, large, pushed, *_, newton = names
    en, zh = [], []
    for name in (small, right, large):
        at, out = arrivals[name], gone[name]
        en.append(
            f"With {name} it "
            + (f"takes {at} steps" if at is not None else f"does not get there in {steps} steps")
            + (" and leaps out of the drawing on its way" if out else "")
            + "."
        )
        zh.append(
            f"{name.replace('step', '步长')}："
            + (f"{at} 步到达" if at is not None else f"{steps} 步内到不了")
            + ("，途中跳出图外" if out else "")
            + "。"
        )
    with_, without = arrivals[pushed], arrivals[small]
    if with_ is None or without is None:
        en.append(f"Momentum {'gets the smallest steps there' if with_ is not None else 'does not get there'}.")
        zh.append(f"加动量后{'最小的步长也能到达' if with_ is not None else '到不了'}。")
    else:
        sooner = "sooner" if with_ < without else "no sooner"
        en.append(f"With momentum the smallest steps get there {sooner}: after {with_} instead of {without}.")
        zh.append(f"加动量后最小的步长{'更快' if with_ < without else '并不更快'}：{with_} 步，原来 {without} 步。")
    times = finals[pushed] / finals[small]
    if times > 1:
        en.append(f"All the same they end at {times:.2g} times the error.")
        zh.append(f"但最后误差是原来的 {times:.2g} 倍。")
    if (at := arrivals[newton]) is not None:
        en.append(f"Newton's method, which knows the curvature, needs {at}.")
        zh.append(f"牛顿法利用曲率，只需 {at} 步。")
    return {"en": " ".join(en), "zh": "".join(zh)}


def _network(weights: Tensor, x: Tensor) -> Tensor:
    """f(x) for weights (…, 2): (…, samples)."""
    return torch.tanh(weights[..., :1] * x + 0.5) - torch.tanh(weights[..., 1:] * x - 0.5)


def _descend(error: Error, config: Mapping[str, Any], optimiser: Any, **settings: float) -> np.ndarray:
    """The weights before each step and after the last, (steps + 1, 2)."""
    weights = nn.Parameter(torch.tensor(config["start"], dtype=torch.float64))
    walker = optimiser([weights], **settings)
    path = [weights.detach().numpy().copy()]
    for _ in range(config["steps"]):
        walker.zero_grad()
        error(weights).backward()
        walker.step()
        path.append(weights.detach().numpy().copy())
    return np.array(path)


def _in_batches(x: Tensor, y: Tensor, config: Mapping[str, Any], size: float, chance: torch.Generator) -> np.ndarray:
    def of_some(weights: Tensor) -> Tensor:
        some = torch.randperm(len(x), generator=chance)[: config["batch"]]
        return ((_network(weights, x[some]) - y[some]) ** 2).mean()

    return _descend(of_some, config, torch.optim.SGD, lr=size)


def _by_scipy(error: Error, config: Mapping[str, Any], method: str) -> np.ndarray:
    """The path of a scipy minimiser, with torch's gradient and curvature."""
    from scipy.optimize import minimize

    def value(place: np.ndarray) -> float:
        return float(error(torch.from_numpy(place)))

    def gradient(place: np.ndarray) -> np.ndarray:
        return torch.func.grad(error)(torch.from_numpy(place)).numpy()

    def curvature(place: np.ndarray) -> np.ndarray:
        return torch.func.hessian(error)(torch.from_numpy(place)).numpy()

    path = [np.array(config["start"], dtype=float)]
    minimize(
        value,
        path[0],
        jac=gradient,
        hess=curvature if method == "trust-exact" else None,
        method=method,
        callback=lambda place: path.append(np.array(place)),
        options={"maxiter": config["steps"]},
    )
    return np.array(path)


def _surface(
    name: str, error: Error, paths: Mapping[str, np.ndarray], config: Mapping[str, Any], en: str, zh: str
) -> Figure:
    import pandas as pd

    axis = np.linspace(-SPAN, SPAN, 61)
    places = torch.from_numpy(np.stack(np.meshgrid(axis, axis), axis=-1))
    heights = torch.func.vmap(torch.func.vmap(error))(places).numpy()

    def paint(figure):
        axes = figure.subplots()
        axes.contour(
            axis, axis, heights, levels=heights.max() / 2.0 ** np.arange(12, 0, -1), colors=MUTED, linewidths=0.7
        )
        for (label, path), colour in zip(paths.items(), SERIES, strict=False):
            axes.plot(*path.T, color=colour, label=label, marker=".", markersize=3, linewidth=1.2)
        a, b = config["truth"]
        axes.plot([a, -b], [b, -a], "x", linestyle="", color=MUTED, markersize=10, markeredgewidth=2)
        axes.set(xlabel="weight a", ylabel="weight b", xlim=(-SPAN, SPAN), ylim=(-SPAN, SPAN))
        axes.grid(False)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))

    ends = ", ".join(f"{label} at ({path[-1][0]:.2f}, {path[-1][1]:.2f})" for label, path in paths.items())
    data = pd.concat(
        [pd.DataFrame({"path": label, "step": range(len(p)), "a": p[:, 0], "b": p[:, 1]}) for label, p in paths.items()]
    )
    return Figure(
        name,
        draw(paint, width=640, height=400),
        alt={"en": f"Paths over the error surface end: {ends}.", "zh": f"误差曲面上路径的终点：{ends}。"},
        data=data,
        title={"en": en, "zh": zh},
    )


def _xor(hidden: int, starts: int, chance: torch.Generator) -> float:
    """The share of random starts from which a network learns XOR: one unit, or `hidden` units and one behind them."""
    x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    y = torch.tensor([0.0, 1, 1, 0])

    def random(*shape: int) -> nn.Parameter:
        return nn.Parameter(torch.randn(starts, *shape, generator=chance))

    first, bias = random(2, hidden), random(1, hidden)
    second, end = random(hidden, 1), random(1, 1)
    walker = torch.optim.Adam([first, bias, second, end], lr=0.05)

    def answers() -> Tensor:
        """Of every start's network, (starts, 4)."""
        units = x @ first + bias
        return (units if hidden == 1 else torch.tanh(units) @ second + end).squeeze(-1)

    for _ in range(2000):
        walker.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(answers(), y.expand(starts, 4), reduction="sum").backward()
        walker.step()
    return float(((answers() > 0) == (y > 0)).all(dim=1).double().mean())
