"""A network that runs in the page gives what torch gives: each operation, whole networks, and the page's own words."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnatomy import exhibit, models, report
from cnnatomy.data import prepared, tokenising
from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Axis, Dataset, Facts, Normalise, Samples
from cnnatomy.dissect import live
from cnnatomy.dissect.live.packing import rounded
from cnnatomy.dissect.saliency.cams import grad_cam, held
from cnnatomy.exhibit import Exhibit, Showing
from cnnatomy.exhibit.languages import in_words
from cnnatomy.inspection.layers import capture
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.models.lecture import Lecture
from cnnatomy.models.sentence import Sentence
from cnnatomy.models.signal import Signal
from cnnatomy.models.spectrogram import Spectrogram
from tests.browser import live_cases
from tests.browser.live_cases import CASES, Case
from tests.unit.dissecting import shipped
from tests.unit.small_data import small
from tests.unit.test_dissect_live import grown, holding, on_the_way

pytestmark = pytest.mark.browser

ENGINE = Path(report.__file__).parent / "templates" / "live_engine.js"
EACH = 500  # cases of an operation
#: Of those no network has behind its last convolutions: class activation maps do without.
WITHOUT_A_WAY_BACK = {"embedding", "layer_norm", "group_norm", "softmax", "log_softmax", "compare", "fill", "prelu"}

#: Every case of an operation, worked out at once: numbers come and go as one array.
RUN = """([op, cases, packed]) => {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0)), all = new Float32Array(bytes.buffer);
  let at = 0;
  const tensor = (shape) => {
    const n = shape.reduce((a, b) => a * b, 1);
    at += n;
    return { shape, data: all.slice(at - n, at) };
  };
  const made = cases.map(({ inputs, weights, given, shape }) => {
    const parts = inputs.map(tensor), own = weights.map(tensor);
    const out = { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(77) };
    CnnatomyLive.OPERATIONS[op](out, parts, given, own);
    return [...out.data];
  });
  return made.flat();
}"""


@pytest.fixture(scope="module")
def engine(chromium):
    """A page with the engine alone."""
    page = chromium.new_page()
    page.add_script_tag(content=ENGINE.read_text())
    yield page
    page.close()


def test_every_operation_of_the_engine_has_its_cases(engine):
    assert set(engine.evaluate("Object.keys(CnnatomyLive.OPERATIONS)")) == set(CASES)


@pytest.mark.parametrize("op", CASES)
def test_an_operation_gives_what_torch_gives(engine, op):
    random = np.random.default_rng(zlib.crc32(op.encode()))
    cases = [CASES[op](random) for _ in range(EACH)]
    found = np.array(engine.evaluate(RUN, [op, list(map(_described, cases)), _packed(cases)]), np.float32)
    start = 0
    for number, case in enumerate(cases):
        expected = case.expected.numpy().ravel()
        ours = found[start : start + len(expected)]
        start += len(expected)
        spread = max(1.0, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(
            ours, expected, rtol=1e-5, atol=1e-5 * spread, err_msg=f"{op} {number} {_described(case)}"
        )
    assert start == len(found)


#: The same cases backwards: what each input's numbers add, of what each output's do.
BACK = """([op, cases, packed]) => {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0)), all = new Float32Array(bytes.buffer);
  let at = 0;
  const tensor = (shape) => {
    const n = shape.reduce((a, b) => a * b, 1);
    at += n;
    return { shape, data: all.slice(at - n, at) };
  };
  return cases.map(({ inputs, weights, given, shape }) => {
    const parts = inputs.map(tensor), own = weights.map(tensor), gain = Float64Array.from(tensor(shape).data);
    const out = { shape, data: new Float32Array(gain.length) };
    if (op !== "reshape") CnnatomyLive.OPERATIONS[op](out, parts, given, own);
    return CnnatomyLive.BACK[op](gain, parts, given, own, out).flatMap((each) => [...each]);
  }).flat();
}"""


@pytest.mark.parametrize("op", sorted(set(CASES) - WITHOUT_A_WAY_BACK))
def test_the_way_back_through_an_operation_is_torchs(engine, op, monkeypatch):
    normal = live_cases.normal
    monkeypatch.setattr(live_cases, "normal", lambda *given, **named: normal(*given, **named).requires_grad_())
    random = np.random.default_rng(zlib.crc32(op.encode()))
    cases = [case for case in (CASES[op](random) for _ in range(100)) if case.expected.requires_grad]
    gains = [torch.from_numpy(random.normal(size=case.expected.shape).astype(np.float32)) for case in cases]
    true = [
        torch.cat([each.ravel() for each in torch.autograd.grad(case.expected, case.inputs, gain)]).numpy()
        for case, gain in zip(cases, gains, strict=True)
    ]
    parts = [each for case, gain in zip(cases, gains, strict=True) for each in (*case.inputs, *case.weights, gain)]
    packed = base64.b64encode(b"".join(each.detach().numpy().astype("<f4").tobytes() for each in parts)).decode()
    found = np.array(engine.evaluate(BACK, [op, list(map(_described, cases)), packed]))
    assert len(cases) > 50
    start = 0
    for number, (case, expected) in enumerate(zip(cases, true, strict=True)):
        ours, start = found[start : start + len(expected)], start + len(expected)
        spread = max(1.0, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(ours, expected, atol=1e-4 * spread, err_msg=f"{op} {number} {_described(case)}")
    assert start == len(found)


def _described(case: Case) -> dict[str, Any]:
    return {
        "inputs": [list(one.shape) for one in case.inputs],
        "weights": [list(one.shape) for one in case.weights],
        "given": case.given,
        "shape": list(case.expected.shape),
    }


def _packed(cases: list[Case]) -> str:
    parts = [one.numpy().astype("<f4").tobytes() for case in cases for one in (*case.inputs, *case.weights)]
    return base64.b64encode(b"".join(parts)).decode()


class Block(nn.Module):
    """A basic block of ResNet (He et al. 2016)."""

    def __init__(self, channels: int, wide: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, wide, 3, stride, 1, bias=False), nn.BatchNorm2d(wide)
        self.conv2, self.bn2 = nn.Conv2d(wide, wide, 3, 1, 1, bias=False), nn.BatchNorm2d(wide)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride > 1 or channels != wide:
            self.downsample = nn.Sequential(nn.Conv2d(channels, wide, 1, stride, bias=False), nn.BatchNorm2d(wide))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        x += shortcut
        return self.relu(x)


class ResNet(nn.Module):
    """ResNet-18's plan at an eighth of its width."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(shape[0], 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        sizes = [(8, 8, 1), (8, 16, 2), (16, 32, 2), (32, 64, 2)]
        self.layers = nn.Sequential(*(nn.Sequential(Block(a, b, s), Block(b, b, 1)) for a, b, s in sizes))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(self.maxpool(self.relu(self.bn1(self.conv1(x)))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Functions(nn.Module):
    """What people write with functions rather than layers."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(shape[0], 8, (3, 2), padding="same", padding_mode="zeros")
        self.gate, self.norm = nn.Conv2d(8, 8, 3, groups=4, padding=1), nn.GroupNorm(2, 8)
        self.slope, self.scale = nn.PReLU(4), nn.Parameter(torch.randn(4, 1, 1))
        self.flat, self.end = nn.LayerNorm(4), nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.norm(self.conv(x)), 0.2) * torch.sigmoid(self.gate(self.conv(x)))
        one, other = x.chunk(2, dim=1)
        x = self.slope(one) + 0.5 * F.elu(other[:, [3, 1, 0, 2]])
        x = torch.cat([F.max_pool2d(x, 3, 2, ceil_mode=True), F.avg_pool2d(F.pad(x, (1, 0, 1, 0)), 3, 2)], dim=-1)
        x = (1.5 - x.clamp(-2, 2)) / (1 + x.abs()) - self.scale.pow(2)
        x = F.gelu(x).permute(0, 2, 3, 1).reshape(len(x), -1, 4).transpose(1, 2)
        return self.end(self.flat(F.softmax(x, dim=-1)[..., ::2].amax(-1) + F.silu(x.mean(-1))))


def primed(network: nn.Module, samples: Samples) -> nn.Module:
    """Normalisations with statistics of real samples, so that nothing cancels out."""
    network.train()
    with torch.no_grad():
        for _ in range(3):
            network(to_tensor(samples.facts, samples.inputs[:12]))
    return network.eval()


def of_kind(kind: str, **given: Any) -> Callable[[Facts], nn.Module]:
    return lambda facts: models.build(given, facts, 0)


ODD = {
    name: ("images", of_kind("images", _target_=f"tests.unit.odd_networks.{name}"))
    for name in (
        *("Again", "Twice", "Views", "Named", "Hooked", "Normed", "Alex", "Residual", "Mobile", "Changing", "Lazy"),
        *("Keywords", "Mapped", "Parallel", "Half"),
    )
}
NETWORKS: dict[str, tuple[str, Callable[[Facts], nn.Module]]] = {
    "M1": ("images", lambda facts: Lecture(facts.shape, 3, (6, 8), 10, 0.25)),  # type: ignore[arg-type]
    "speech": ("sounds", lambda facts: Spectrogram(facts.shape, 3, [6, 8], [[5, 0], [3, 1]], [[2, 1], [1, 1]], 0.3)),
    "signal": ("signals", lambda facts: Signal(facts.shape, 3, [6, 8], [5, 3], 2)),  # type: ignore[arg-type]
    "text": ("texts", lambda facts: Sentence(8, 2, 6, [1, 2, 3], 5, 0.5)),
    "text, both pools": ("texts", lambda facts: Sentence(8, 2, 6, [2, 3], 5, 0.5, pooling=("max", "mean"))),
    "ResNet": ("large", lambda facts: ResNet(facts.shape, 3)),
    "functions": ("images", lambda facts: Functions(facts.shape, 3)),
    "Dilated": ("texts", of_kind("texts", _target_="tests.unit.odd_networks.Dilated")),
    **ODD,
}

#: Whose last maps have no step of their own in the page.
WITHOUT_A_MAP = {"Keywords"}

#: All samples through a network: logits, and what each shown step holds for the first sample, and its class activation.
WHOLE = """async ([block, weights, inputs]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const network = CnnatomyLive.read(block, bytes(weights)), samples = CnnatomyLive.samples(block, bytes(inputs));
  const checked = await CnnatomyLive.check(network, samples);
  const logits = samples.map((sample) => [...network.run(sample.values).logits]);
  const { maps } = network.run(samples[0].values);
  const held = network.shown.map((name) => [name, [maps[name].shape, [...maps[name].data]]]);
  const activation = (name) => {
    try { return [...network.activation(1, name)]; } catch (error) { return error.message; }
  };
  return { checked, logits, maps: Object.fromEntries(held), seen: block.activation.map(activation) };
}"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    place = tmp_path_factory.mktemp("data")
    return {kind: small(place, kind) for kind in ("images", "sounds", "texts", "signals")} | {"large": large(place)}


def large(folder: Path) -> Dataset:
    """Pictures of 32 × 32 pixels in colour."""
    random = np.random.default_rng(1)
    inputs = random.integers(0, 256, (60, 3, 32, 32)).astype(np.uint8)
    split = ["train"] * 30 + ["validation"] * 10 + ["test"] * 20
    table = pd.DataFrame({"split": split, "label": np.arange(60) % 3, "id": [f"{n}" for n in range(60)]})
    axes = [Axis("row", "px", list(range(32))), Axis("column", "px", list(range(32)))]
    channels = Normalise([0.4, 0.5, 0.6], [0.2, 0.3, 0.25])
    facts = Facts("large", "images", ["a", "b", "c"], (3, 32, 32), axes, channels, "", "", "", "")
    prepared.write(folder / "large", facts, inputs, table)
    return prepared.load(folder / "large")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_whole_network_gives_what_torch_gives_layer_by_layer(engine, data, name):
    kind, make = NETWORKS[name]
    samples = data[kind].split("test")
    torch.manual_seed(zlib.crc32(name.encode()))
    network = primed(make(samples.facts), samples)
    settings = live.Settings(**shipped("live"))
    found = live.measure(network, samples, settings)
    block, files = described(live.show(found, samples, settings))
    ran = engine.evaluate(
        WHOLE, [block, *(base64.b64encode(files[block[key]]).decode() for key in ("weights", "inputs"))]
    )
    assert ran["checked"]["same"] == ran["checked"]["n"] == len(found.places)
    other = rounded(network, found.tried[-1].kind).eval()
    x = to_tensor(samples.facts, samples.inputs[found.places])
    expected = logits_of(other, x).numpy()
    spread = float(expected.max() - expected.min())
    np.testing.assert_allclose(ran["logits"], expected, rtol=0, atol=1e-5 * spread if name != "Half" else 1e-2 * spread)
    maps = capture(other, x[:1], block["shown"]) if name != "Half" else {}
    for layer, map_ in maps.items():
        shape, numbers = ran["maps"][layer]
        assert shape == list(map_.shape[1:]), layer
        reach = max(1e-3, float(map_.abs().max()))
        np.testing.assert_allclose(
            np.reshape(numbers, shape), map_[0].numpy(), rtol=0, atol=2e-5 * reach, err_msg=layer
        )
    seen = block["activation"]
    assert bool(seen) != (name in WITHOUT_A_MAP)
    if name == "functions":  # a normalisation of layers stands behind its last maps
        assert ran["seen"] == ["The page does not know one of the network's operations."]
        return
    for layer, ours in zip(seen, ran["seen"], strict=True):
        true = grad_cam(*held(other, x[:1], torch.tensor([1]), [layer])[0])[0].ravel()
        reach = max(1e-3, float(true.max())) * (1e-4 if name != "Half" else 1e-2)
        np.testing.assert_allclose(ours, true.numpy(), rtol=0, atol=reach, err_msg=layer)


def described(showing: Showing) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The block as exhibit.json has it, in words, and its siblings; valid, too."""
    document, files = Exhibit.of(showing, "run", "one", "live").describe({}, {})
    document["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    exhibit.validate(document, files)
    return in_words(document)["blocks"][0], files


#: All samples through the network at each look, and then at the end again.
LOOKS = """([block, weights, inputs, changes]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const network = CnnatomyLive.read(block, bytes(weights), bytes(changes));
  const samples = CnnatomyLive.samples(block, bytes(inputs));
  const asked = (n) => { network.look(n); return samples.map((sample) => [...network.run(sample.values).logits]); };
  const order = [...block.looks.keys()];
  return [asked(order.length - 1), order.map(asked), order.toReversed().map(asked).toReversed()];
}"""


@pytest.mark.parametrize("name", ["M1", "speech", "signal", "text", "ResNet", "Residual", "Mobile", "Again"])
def test_at_a_look_it_answers_as_torch_did_then(engine, data, name):
    kind, make = NETWORKS[name]
    samples = data[kind].split("test")
    torch.manual_seed(zlib.crc32(name.encode()))
    way = grown(*(primed(make(samples.facts), samples) for _ in range(2)))
    settings = live.Settings(**shipped("live"))
    found = live.measure(way[-1].network, samples, settings, snapshots=[way])
    showing = live.show(found, samples, settings)
    block, files = described(showing)
    packed = [base64.b64encode(files[block[key]]).decode() for key in ("weights", "inputs", "changes")]
    end, onward, backward = engine.evaluate(LOOKS, [block, *packed])
    assert end == onward[-1] and onward == backward, "where one comes from changes nothing"
    np.testing.assert_allclose(end, [sample["logits"] for sample in block["samples"]], atol=1e-4)
    x = to_tensor(samples.facts, samples.inputs[found.places])
    for look, ours in zip(way[:-1], onward, strict=False):
        then = holding(look.network, on_the_way(showing.blocks[0], look.step))
        expected = logits_of(then, x).numpy()
        room = 2e-3 * float(expected.max() - expected.min())  # factors of normalisations are kept in 16 bits
        np.testing.assert_allclose(ours, expected, rtol=0, atol=room, err_msg=str(look.step))


WINDOWS = """([block, weights, inputs, asked]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const network = CnnatomyLive.read(block, bytes(weights));
  network.run(CnnatomyLive.samples(block, bytes(inputs))[0].values);
  return asked.map(([name, channel, place]) => {
    const found = network.window(name, channel, place);
    return { ...found, values: [...found.values], kernel: found.kernel && [...found.kernel] };
  });
}"""


class Strided(nn.Sequential):
    """Windows that begin in the padding, with holes, in groups."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__(
            OrderedDict(
                conv1=nn.Conv2d(shape[0], 6, 3, stride=2, padding=2, dilation=2),
                relu=nn.ReLU(),
                conv2=nn.Conv2d(6, 4, (2, 3), groups=2, padding=(0, 1)),
                pool=nn.MaxPool2d(2),
                flatten=nn.Flatten(),
                end=nn.LazyLinear(classes),
            )
        )


def test_a_window_is_what_a_number_of_a_map_is_made_of(engine, data):
    samples = data["images"].split("test")
    torch.manual_seed(3)
    network = primed(Strided(samples.facts.shape, 3), samples)
    settings = live.Settings(**shipped("live"))
    found = live.measure(network, samples, settings)
    block, files = described(live.show(found, samples, settings))
    packed = [base64.b64encode(files[block[key]]).decode() for key in ("weights", "inputs")]
    other = rounded(network, found.tried[-1].kind).eval()
    x = to_tensor(samples.facts, samples.inputs[found.places[:1]])
    held = capture(other, x, ["conv1", "relu", "conv2", "pool"])
    random, asked = np.random.default_rng(0), []
    for name in ("conv1", "conv2", "pool"):
        asked += [[name, *map(int, (random.integers(held[name].shape[1]),))] for _ in range(20)]
    asked = [[name, channel, [int(random.integers(s)) for s in held[name].shape[2:]]] for name, channel in asked]
    before = {"conv1": x, "conv2": held["relu"], "pool": held["conv2"]}
    for (name, channel, place), window in zip(asked, engine.evaluate(WINDOWS, [block, *packed, asked]), strict=True):
        module, out = other.get_submodule(name), held[name][0, channel, place[0], place[1]].item()
        assert window["out"] == pytest.approx(out, abs=1e-5)
        if name == "pool":
            seen = before[name][0, channel, 2 * place[0] : 2 * place[0] + 2, 2 * place[1] : 2 * place[1] + 2]
            np.testing.assert_allclose(window["values"], seen.ravel(), atol=1e-5)
            continue
        unfolded = F.unfold(before[name], module.kernel_size, module.dilation, module.padding, module.stride)
        at = place[0] * held[name].shape[3] + place[1]
        seen = unfolded[0, :, at].reshape(before[name].shape[1], -1)
        first, n = window["channels"]
        np.testing.assert_allclose(window["values"], seen[first : first + n].ravel(), atol=1e-5)
        np.testing.assert_allclose(window["kernel"], module.weight[channel].detach().ravel(), atol=1e-6)
        assert window["products_sum"] + window["bias"] == pytest.approx(out, abs=1e-5)


PIECES = (
    *(
        "don't",
        "it's",
        "can't stop",
        "N'T",
        "isn't",
        "n't",
        "’s",
        "I’ve",
        "good",
        "Zürich",
        "cafe\u0301",
        "你好",
        "我 love 3",
    ),
    *(
        "ภาษาไทย",
        "မြန်မာ",
        "한국어",
        "हिन्दी",
        "क्ष",
        "👍🏽",
        "👨‍👩‍👧",
        "🇩🇪",
        "1️⃣",
        "…",
        "!!",
        "(a)",
        "ＡＢＣ",
        "，",
        "x_y",
    ),
    *(
        "ΣΑΣ",
        "ß",
        "\u00ad",
        "a\u200cb",
        "½",
        "Ⅷ",
        "__",
        "--",
        "カタカナ",
        "ﾊﾝ",
        "ភាសា",
        "a\u0308",
        "'d",
        "\t",
        "\u3000",
        "3.14",
        "@",
    ),
)


@pytest.mark.parametrize("way", tokenising.WAYS)
def test_a_sentence_is_cut_as_the_data_were(engine, way):
    random = np.random.default_rng(0)
    texts = ["".join(piece + random.choice(["", " "]) for piece in random.choice(PIECES, 6)) for _ in range(500)]
    texts += ["A gripping, un-put-downable film. It's 2 hours; you won't notice!", "", "  "]
    found = engine.evaluate("([texts, way]) => texts.map((text) => CnnatomyLive.tokenise(text, way))", [texts, way])
    for text, ours in zip(texts, found, strict=True):
        assert ours == tokenising.tokenise(text, way), repr(text)


def test_a_typed_sentence_is_what_the_network_takes(engine, data):
    facts = data["texts"].facts
    block = {"input": {"vocabulary": facts.vocabulary, "way": "words", "shape": [9]}}
    found = engine.evaluate(
        """([block, text]) => {
          const made = CnnatomyLive.encode(block, text);
          return { ...made, values: [...made.values] };
        }""",
        [block, "A GOOD film, very zounds <unknown>."],
    )
    assert found["tokens"] == ["a", "good", "film", ",", "very", "zounds", "unknown", "."]
    assert found["known"] == [True, True, True, False, True, False, False, True]
    assert found["values"] == [2, 3, 5, 1, 6, 1, 1, 7, 0]


def test_what_was_changed_by_hand_is_told_in_a_sentence(engine, data):
    samples = data["images"].split("test")
    settings = live.Settings(**shipped("live"))
    network = primed(Lecture(samples.facts.shape, 3, (6, 8), 10, 0.25), samples)  # type: ignore[arg-type]
    block, files = described(live.show(live.measure(network, samples, settings), samples, settings))
    weights, inputs = files[block["weights"]], base64.b64encode(files[block["inputs"]]).decode()
    bias = block["tensors"]["conv1.bias"]["at"]
    infinite = weights[:bias] + np.float32(np.nan).tobytes() + weights[bias + 4 :]
    unknown = {**block, "program": [{**block["program"][0], "op": "constructor"}, *block["program"][1:]]}
    look = {"tensors": {"conv1.bias": {"type": "float16", "at": 0}}}
    told = """async (given) => { try { await (%s)(given); return ""; } catch (error) { return error.message; } }"""
    for changed, content, says in (
        (block, weights[:-8], "The network's file is not as it was written."),
        (block, infinite, "The network's weights are not finite."),
        (unknown, weights, "The page does not know one of the network's operations."),
        ({**block, "looks": [look, look]}, weights, "The network's file is not as it was written."),
        (
            {**block, "looks": [{"tensors": {"gone": {}}}, look]},
            weights,
            "The network's file is not as it was written.",
        ),
    ):
        given = [changed, base64.b64encode(content).decode(), inputs]
        assert engine.evaluate(told % WHOLE, given) == says
    assert engine.evaluate(told % WHOLE, [block, base64.b64encode(weights).decode(), inputs]) == ""


def test_another_networks_answers_are_not_taken_for_its_own(engine, data):
    """What the page says of itself must be able to fail."""
    samples = data["images"].split("test")
    settings = live.Settings(**shipped("live"))
    blocks = []
    for seed in range(2):
        torch.manual_seed(seed)
        network = primed(Lecture(samples.facts.shape, 3, (6, 8), 10, 0.25), samples)  # type: ignore[arg-type]
        blocks.append(described(live.show(live.measure(network, samples, settings), samples, settings)))
    (one, files), (_, others) = blocks
    given = [one, base64.b64encode(others[one["weights"]]).decode(), base64.b64encode(files[one["inputs"]]).decode()]
    assert engine.evaluate(WHOLE, given)["checked"]["same"] < len(one["samples"])
