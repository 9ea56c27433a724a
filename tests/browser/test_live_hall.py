"""A network that runs in the page, touched as a reader does: what is drawn, moved and typed gets torch's answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data import tokenising
from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Dataset
from cnnatomy.data.sounds import Spectrogram
from cnnatomy.dissect import live
from cnnatomy.dissect.live.packing import rounded
from cnnatomy.dissect.saliency.cams import cam_layers, grad_cam, held, spread
from cnnatomy.dissect.saliency.maps import places_of
from cnnatomy.exhibit import Exhibit
from cnnatomy.inspection.predicting import logits, probabilities
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.lecture import Lecture
from cnnatomy.models.sentence import Sentence
from cnnatomy.models.signal import Signal
from cnnatomy.report import build
from tests import gallery
from tests.browser.test_page import CONTRAST, axe_finds_nothing, until, whole
from tests.unit.dissecting import settings
from tests.unit.small_data import VOCABULARY, small
from tests.unit.test_dissect_live import grown, holding, on_the_way

pytestmark = pytest.mark.browser
NETWORKS = {
    "images": lambda: Lecture((1, 12, 12), 3, (4, 5), 6, 0.0),
    "sounds": lambda: Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0),
    "texts": lambda: Sentence(len(VOCABULARY), 2, 6, (1, 2), 3, 0.0),
    "signals": lambda: Signal((2, 24), 3, (3, 4), (3, 3), 2),
}
SPECTROGRAM = Spectrogram(8000, 16, 10, 256, 128, 100.0, 3800.0, 60.0)
LISTENING = {"sample_rate": 8000, "axes": SPECTROGRAM.axes()}


@dataclass
class Hung:
    """A page of live networks: its file; by the data's kind torch's network with the page's weights, and the data.

    looks: of each kind torch's network with the page's weights while it learned, the last at the end.
    """

    page: Path
    networks: dict[str, nn.Module]
    data: dict[str, Dataset]
    looks: dict[str, list[nn.Module]]

    def shares(self, kind: str, inputs: np.ndarray, look: int = -1) -> np.ndarray:
        """Torch's probabilities, (n, classes)."""
        return probabilities(self.looks[kind][look], self.data[kind].facts, inputs)

    def seen(self, kind: str, inputs: np.ndarray, label: int, look: int = -1) -> np.ndarray:
        """Torch's Grad-CAM of one sample for a class, at the places of the sample."""
        network, facts = self.looks[kind][look], self.data[kind].facts
        x = to_tensor(facts, inputs)
        layers = cam_layers(network, x, None)
        maps = [grad_cam(*pair) for pair in held(network, x, torch.tensor([label]), [one.name for one in layers])]
        parts = [spread(*pair, places_of(facts), kind == "texts") for pair in zip(layers, maps, strict=True)]
        return torch.stack(parts).sum(0)[0].numpy()


@pytest.fixture(scope="module")
def hung(tmp_path_factory) -> Hung:
    place = tmp_path_factory.mktemp("live")
    exhibits, networks, data, looks = [], {}, {}, {}
    for kind, build_network in NETWORKS.items():
        torch.manual_seed(3)
        network = build_network().eval()
        with torch.no_grad():
            for weight in network.parameters():
                weight.mul_(2)
        data[kind] = small(place, kind, **(LISTENING if kind == "sounds" else {}))
        test = data[kind].split("test")
        with torch.no_grad():  # so that no class wins everywhere
            end = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
            end.bias -= logits(network, test.facts, test.inputs[: len(test)]).mean(0)
        way = grown(build_network().eval(), network, (0, 4, 1024))
        made = live.measure(network, data[kind].split("test"), settings("live", {}), snapshots=[way])
        networks[kind] = rounded(network, made.tried[-1].kind)
        showing = live.show(made, data[kind].split("test"), settings("live", {}))
        kept = [holding(look.network, on_the_way(showing.blocks[0], look.step)) for look in way[:-1]]
        looks[kind] = [*kept, networks[kind]]
        exhibits.append(Exhibit.of(showing, "run", kind, "live"))
    build(gallery.write(place, exhibits), place / "report", {"title": "Live"})
    return Hung(place / "report" / "index.html", networks, data, looks)


def at_work(page, kind: str) -> str:
    """The selector of a live network, when it runs."""
    host = f"#{kind}-live .live"
    whole(page)
    page.evaluate("(host) => document.querySelector(host).scrollIntoView()", host)
    until(page, f"'running' in document.querySelector('{host}').dataset")
    settled(page, 100)
    return host


def settled(page, pause: int = 0) -> None:
    """Wait until what was changed is worked out: two frames, behind a pause in ms by the page's own clock.

    The page may be slow, and its timers wait for each other; a clock outside of it would not wait for them.
    """
    page.evaluate(
        """(pause) => new Promise((done) => setTimeout(
             () => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))), pause))""",
        pause,
    )


def shown_shares(page, host: str) -> np.ndarray:
    settled(page)
    found = page.locator(f"{host} .live-bars .value").all_inner_texts()
    return np.array([float(text.replace("%", "").strip()) / 100 for text in found])


def drawn(page, host: str, which: str = "canvas.live-draw") -> np.ndarray:
    """The grey of what is drawn, (1, 1, rows, columns), uint8."""
    values, width, height = page.evaluate(
        """(which) => {
          const canvas = document.querySelector(which);
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return [[...data].filter((_, n) => n % 4 === 0), canvas.width, canvas.height];
        }""",
        f"{host} {which}",
    )
    return np.array(values, np.uint8).reshape(1, 1, height, width)


def slide(page, host: str, name: str, value: float) -> None:
    """Set a slider as a hand does, to the place that it calls so."""
    page.locator(f"{host} input[type=range][aria-label='{name}']").evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', { bubbles: true })); }",
        value,
    )


@pytest.mark.parametrize("kind", NETWORKS)
def test_it_runs_as_torch_does_and_says_so(visit, hung, kind):
    page = visit(hung.page)
    host = at_work(page, kind)
    assert re.search(r"as in torch: (\d+) of \1 samples", page.inner_text(f"{host} .live-check"))
    test = hung.data[kind].split("test")
    wanted = hung.shares(kind, test.inputs[: len(test)])
    assert np.abs(wanted - shown_shares(page, host)).max(1).min() < 6e-4  # one of the samples


def test_what_is_drawn_with_the_mouse_gets_torchs_answer(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "images")
    page.click(f"{host} button:has-text('Clear')")
    assert not drawn(page, host).any()
    before = shown_shares(page, host)
    box = page.locator(f"{host} .live-draw").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(box["x"] + (0.2 + 0.07 * step) * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.up()
    picture = drawn(page, host)
    assert picture[0, 0, 3, 3:9].min() > 200 and picture[0, 0, 8:].max() == 0  # a stroke, where the mouse was
    assert set(np.unique(picture)) - {0, 255}  # with a soft rim
    after = shown_shares(page, host)
    assert np.abs(after - before).max() > 0.005
    np.testing.assert_allclose(after, hung.shares("images", picture)[0], atol=6e-4)
    page.click(f"{host} button:has-text('Erase')")
    page.mouse.click(box["x"] + 0.45 * box["width"], box["y"] + 0.3 * box["height"])
    assert drawn(page, host)[0, 0, 3, 5] < 60
    page.click(f"{host} button:has-text('Back to the sample')")
    tests = hung.data["images"].split("test").inputs
    assert (drawn(page, host) == tests).all((1, 2, 3)).any()


def test_a_finger_draws_and_the_page_stays_where_it_is(visit, hung):
    page = visit(hung.page, width=360, has_touch=True, is_mobile=True)
    host = at_work(page, "images")
    page.tap(f"{host} button:has-text('Clear')")
    x, y = _place(page, host, 0.5, 0.5)
    before = page.evaluate("scrollY")
    page.touchscreen.tap(x, y)
    picture = drawn(page, host)
    assert picture[0, 0, 5:7, 5:7].min() > 60 and page.evaluate("scrollY") == before
    np.testing.assert_allclose(shown_shares(page, host), hung.shares("images", picture)[0], atol=6e-4)


def test_a_picture_is_shifted_turned_and_made_noisy_the_same_way_each_time(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "images")
    start = drawn(page, host)
    page.click(f"{host} [aria-label='Shift right']")
    page.click(f"{host} [aria-label='Shift down']")
    np.testing.assert_array_equal(drawn(page, host)[..., 1:, 1:], start[..., :-1, :-1])
    np.testing.assert_allclose(shown_shares(page, host), hung.shares("images", drawn(page, host))[0], atol=6e-4)
    page.click(f"{host} button:has-text('Back to the sample')")
    slide(page, host, "Turn", 36)  # by 90°
    np.testing.assert_allclose(drawn(page, host)[0, 0], np.rot90(start[0, 0], -1), atol=1)
    slide(page, host, "Turn", 18)
    noisy = []
    for _ in range(2):
        slide(page, host, "Noise", 6)
        noisy.append(drawn(page, host))
        slide(page, host, "Noise", 0)
        np.testing.assert_array_equal(drawn(page, host), start)
    np.testing.assert_array_equal(*noisy)
    assert (noisy[0] != start).mean() > 0.5


def test_a_drawing_is_centred_by_mass_as_mnists_digits_are(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "images")
    page.click(f"{host} button:has-text('Clear')")
    page.mouse.move(*_place(page, host, 0.15, 0.2))
    page.mouse.down()
    page.mouse.move(*_place(page, host, 0.3, 0.6), steps=6)
    page.mouse.up()
    page.check(f"{host} .live-switch input")
    seen = drawn(page, host, ".live-seen canvas")[0, 0].astype(float)
    rows, columns = np.arange(12), np.arange(12)
    centre = seen.sum(1) @ rows / seen.sum(), seen.sum(0) @ columns / seen.sum()
    np.testing.assert_allclose(centre, 6, atol=0.35)  # as that of MNIST's is at 14 of 28
    lit = np.flatnonzero(seen.max(1) > 60)
    assert abs(len(lit) - 12 * 20 / 28) <= 2
    np.testing.assert_allclose(
        shown_shares(page, host), hung.shares("images", drawn(page, host, ".live-seen canvas"))[0], atol=6e-4
    )


def _place(page, host: str, x: float, y: float) -> tuple[float, float]:
    page.locator(f"{host} .live-draw").scroll_into_view_if_needed()
    box = page.locator(f"{host} .live-draw").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_it_is_drawn_by_keyboard_alone_and_said(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "images")
    page.focus(f"{host} .live-pick[tabindex='0']")
    at = page.locator(f"{host} .live-pick").all()
    chosen = [each.get_attribute("aria-pressed") for each in at].index("true")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert at[chosen + 1].get_attribute("aria-pressed") == "true"
    page.keyboard.press("Tab")  # one step for all samples
    assert page.evaluate("document.activeElement.className") == "live-draw"
    page.click(f"{host} button:has-text('Clear')")
    page.focus(f"{host} .live-draw")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(" ")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowUp")
    picture = drawn(page, host)[0, 0]
    assert picture[2:7, 5].min() > 150 and picture[:, 9:].max() == 0  # a line upward from row 7, column 6
    assert page.inner_text(f"{host} .live-pair [role=status]") == "Row 3, column 6"
    settled(page, 900)
    shares = hung.shares("images", drawn(page, host))[0]
    first = hung.data["images"].facts.classes[shares.argmax()]
    said = page.locator(f"{host} .live-near > [role=status]").inner_text()
    assert said.startswith(f"{first} {100 * shares.max():.1f}")


LOGITS = """async (look) => {
  const { network, samples } = await window.opened;
  network.look(look);
  return samples.map((sample) => [...network.run(sample.values).logits]);
}"""


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_slider_takes_the_network_back_to_what_it_was(visit, hung, kind):
    page = visit(hung.page)
    host = at_work(page, kind)
    page.evaluate("(host) => { window.opened = CnnatomyLive.open(document.querySelector(host)); }", host)
    block, inputs = block_of(hung, kind), samples_of(hung, kind)
    chosen = first_right(block)
    at_the_end = shown_shares(page, host)
    for look, step in ((0, "0"), (2, "1,024"), (1, "4")):
        slide(page, host, "Steps of training", look)
        wanted = hung.shares(kind, inputs, look)
        np.testing.assert_allclose(shown_shares(page, host), wanted[chosen], atol=6e-4)
        assert page.locator(f"{host} .scale:has-text('Steps of training') output").inner_text() == step
        told, facts = page.inner_text(f"{host} .live-learned"), block["looks"][look]
        assert f"{100 * facts['right'] / facts['labelled']:.1f}" in told
        assert (f"{facts['same']} of {facts['n']} samples" in told) == (look < 2)
        logits_there = page.evaluate(LOGITS, look)
        true = logits(hung.looks[kind][look], hung.data[kind].facts, inputs).numpy()
        np.testing.assert_allclose(logits_there, true, rtol=0, atol=2e-3 * float(np.ptp(true)))
    page.locator(f"{host} input[aria-label='Steps of training']").press("ArrowRight")  # by keyboard, to the end again
    np.testing.assert_allclose(shown_shares(page, host), at_the_end, atol=1e-9)
    assert "As it is now" in page.inner_text(f"{host} .live-learned")


def block_of(hung: Hung, kind: str) -> dict:
    return json.loads((hung.page.parent.parent / f"exhibits/{kind}/seed0/live/exhibit.json").read_text())["blocks"][0]


def samples_of(hung: Hung, kind: str) -> np.ndarray:
    """Those that the page begins with, as they are stored."""
    test = hung.data[kind].split("test")
    return test.inputs[[list(test.table["id"]).index(sample["id"]) for sample in block_of(hung, kind)["samples"]]]


def first_right(block: dict) -> int:
    """The sample that the page begins with."""
    right = [sample["logits"][sample["label"]] == max(sample["logits"]) for sample in block["samples"]]
    return right.index(True)


def test_what_was_drawn_stays_while_the_network_is_taken_back(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "images")
    page.locator(f"{host} .live-pick").first.click()
    page.click(f"{host} .live-game summary")
    page.click(f"{host} button:has-text('Clear')")
    box = page.locator(f"{host} .live-draw").bounding_box()
    for down in (0.3, 0.7):
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + down * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + down * box["height"], steps=5)
        page.mouse.up()
    picture = drawn(page, host)
    for look in (1, 0, 2):
        slide(page, host, "Steps of training", look)
        np.testing.assert_array_equal(drawn(page, host), picture)
        shares = hung.shares("images", picture, look)[0]
        np.testing.assert_allclose(shown_shares(page, host), shares, atol=6e-4)
        seen = hung.seen("images", picture, int(shares.argmax()), look)
        told = page.inner_text(f"{host} .live-where .live-said")
        most = re.search(r"at most (\S+),", told)
        assert ("nothing there speaks" in told) == (seen.max() <= 0)
        assert most is None or float(most[1]) == pytest.approx(float(seen.max()), rel=1e-2)
        sample = samples_of(hung, "images")[:1]
        reached = hung.shares("images", sample, look).argmax() != shares.argmax()
        assert ("Reached" in page.inner_text(f"{host} .live-game")) == reached  # as that network said of the sample
    page.click(f"{host} button:has-text('Back to the sample')")
    settled(page)
    assert "Reached" not in page.inner_text(f"{host} .live-game")


def test_what_words_add_is_of_the_network_of_then(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "texts")
    words = ["a", "very", "good", "film"]
    page.fill(f"{host} textarea", " ".join(words))
    slide(page, host, "Steps of training", 0)
    settled(page, 400)
    shares = hung.shares("texts", tokens(words), 0)[0]
    k = shares.argmax()
    adds = [100 * (shares[k] - hung.shares("texts", tokens(words[:n] + words[n + 1 :]), 0)[0, k]) for n in range(4)]
    found = [
        float(re.search(r"[+−]?[\d.]+$", text)[0].replace("−", "-"))
        for text in page.locator(f"{host} .live-word").all_inner_texts()
    ]
    np.testing.assert_allclose(found, adds, atol=0.07)


def test_each_value_of_a_map_is_worked_out_down_to_the_picture(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "images")
    network, given = hung.networks["images"], torch.tensor(drawn(page, host))
    facts = hung.data["images"].facts
    x = (given / 255 - facts.normalise.mean) / facts.normalise.std
    with torch.no_grad():
        pooled = network.pool1(network.relu1(network.conv1(x)))
        made = network.conv2(pooled)[0]
    maps = page.locator(f"{host} .live-layer:has-text('relu2') canvas")
    maps.focus()
    for key in ("PageDown", "PageDown", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    walk = f"{host} .live-walk"
    assert f"{made[2, 1, 1]:.2f}".replace("-", "−").rstrip("0") in page.inner_text(f"{walk} .live-sum")
    parts = [page.locator(f"{walk} .boards").nth(n).locator("table").all_inner_texts() for n in range(3)]
    channels = [int(re.search(r"map (\d+)", part[0])[1]) - 1 for part in parts]
    sums = (pooled[0, :, 1:4, 1:4] * network.conv2.weight[2]).sum((1, 2))
    assert channels == sums.abs().argsort(descending=True)[:3].tolist()
    numbers = [
        [float(text) for text in re.findall(r"-?\d+\.?\d*", t.replace("−", "-").split("\n", 1)[1])] for t in parts[0]
    ]
    c = channels[0]
    for found, true in zip(
        numbers,
        (pooled[0, c, 1:4, 1:4], network.conv2.weight[2, c], pooled[0, c, 1:4, 1:4] * network.conv2.weight[2, c]),
        strict=True,
    ):
        np.testing.assert_allclose(found, true.detach().numpy().ravel(), atol=0.051)
    assert page.is_visible(f"{host} .live-frame")
    page.locator(f"{walk} table button").first.press("Enter")  # a value of pool1: where it comes from
    assert "pool1" in page.inner_text(f"{walk} .group")
    page.locator(f"{walk} table button").first.press("Enter")
    assert "relu1" in page.inner_text(f"{walk} .group")
    assert page.locator(f"{walk} table button").count() == 0  # its window is of the picture
    page.click(f"{walk} button:has-text('Back')")
    page.keyboard.press("Escape")
    assert page.is_hidden(walk) and page.is_hidden(f"{host} .live-frame")


def test_a_sound_is_moved_along_frequency_and_time(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "sounds")
    page.locator(f"{host} .live-pick").nth(4).click()
    block = json.loads((hung.page.parent.parent / "exhibits/sounds/seed0/live/exhibit.json").read_text())["blocks"][0]
    test = hung.data["sounds"].split("test")
    sample = test.inputs[list(test.table["id"]).index(block["samples"][4]["id"])].astype(np.float32)
    np.testing.assert_allclose(shown_shares(page, host), hung.shares("sounds", sample[None])[0], atol=6e-4)
    slide(page, host, "Along frequency", 5 + 2)  # of −5 to 5
    slide(page, host, "Along time", 5 - 1)
    moved = np.full_like(sample, sample.min())
    moved[:, 2:, :-1] = sample[:, :-2, 1:]
    np.testing.assert_allclose(shown_shares(page, host), hung.shares("sounds", moved[None])[0], atol=6e-4)
    settled(page, 500)
    curve = page.locator(f"{host} .live-curve").first.evaluate(
        """(canvas) => { const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, 24);
          return [...Array(canvas.width).keys()].map((x) =>
            [...Array(24).keys()].reduce((sum, y) => sum + data[4 * (y * canvas.width + x) + 3] / 255, 0)); }"""
    )
    assert len(curve) == 11
    along = [np.full_like(sample, sample.min()) for _ in range(11)]
    for place, each in enumerate(along):
        up = place - 5
        each[:, max(0, up) : 16 + min(0, up), :-1] = sample[:, max(0, -up) : 16 - max(0, up), 1:]
    shares = hung.shares("sounds", np.stack(along))
    wanted = 24 * shares[:, shares[7].argmax()]
    opaque = np.where(np.arange(11) == 7, 1, 0.45)
    np.testing.assert_allclose(np.array(curve) / opaque, np.maximum(1, wanted), atol=0.3)
    page.click(f"{host} button:has-text('Back to the sample')")
    x, y = _place(page, host, 0.5, 0.5)
    height = page.locator(f"{host} .live-draw").bounding_box()["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 3 * height / 16, steps=4)
    page.mouse.up()
    moved = np.full_like(sample, sample.min())
    moved[:, 3:] = sample[:, :-3]
    np.testing.assert_allclose(shown_shares(page, host), hung.shares("sounds", moved[None])[0], atol=6e-4)
    page.click(f"{host} button:has-text('Back to the sample')")
    page.click(f"{host} button:has-text('Time')")
    slide(page, host, "Strip from", 20)
    slide(page, host, "How wide", 30)
    silent = sample.copy()
    silent[..., 2:5] = sample.min()
    np.testing.assert_allclose(shown_shares(page, host), hung.shares("sounds", silent[None])[0], atol=6e-4)
    slide(page, host, "Noise", 55)
    assert np.abs(shown_shares(page, host) - hung.shares("sounds", silent[None])[0]).max() > 1e-3


def tokens(words: list[str]) -> np.ndarray:
    places = {word: place for place, word in enumerate(VOCABULARY) if place > 1}
    row = np.zeros((1, 9), np.int32)
    row[0, : len(words[:9])] = [places.get(word, 1) for word in words[:9]]
    return row


def test_a_sentence_is_typed_and_words_are_left_out(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "texts")
    page.fill(f"{host} textarea", "A very GOOD zounds film.")
    words = tokenising.tokenise("A very GOOD zounds film.")
    shares = hung.shares("texts", tokens(words))[0]
    np.testing.assert_allclose(shown_shares(page, host), shares, atol=6e-4)
    settled(page, 300)
    assert page.locator(f"{host} .live-strange bdi").all_inner_texts() == ["zounds"]
    assert "1 of them unknown" in page.inner_text(f"{host} .live-sentence")
    k = shares.argmax()
    adds = [
        100 * (shares[k] - hung.shares("texts", tokens(words[:n] + words[n + 1 :]))[0, k]) for n in range(len(words))
    ]
    found = [
        float(re.search(r"[+−]?[\d.]+$", text)[0].replace("−", "-"))
        for text in page.locator(f"{host} .live-word").all_inner_texts()
    ]
    np.testing.assert_allclose(found, adds, atol=0.07)
    page.click(f"{host} .live-word:has-text('good')")
    assert page.input_value(f"{host} textarea") == "a very zounds film ."
    np.testing.assert_allclose(
        shown_shares(page, host), hung.shares("texts", tokens([w for w in words if w != "good"]))[0], atol=6e-4
    )
    page.click(f"{host} button:has-text('Clear')")
    np.testing.assert_allclose(shown_shares(page, host), hung.shares("texts", tokens([]))[0], atol=6e-4)
    page.keyboard.type("good/bad film")  # no key of the page's
    assert page.input_value(f"{host} textarea") == "good/bad film"
    read = tokens(["good", "bad", "film"])
    np.testing.assert_allclose(shown_shares(page, host), hung.shares("texts", read)[0], atol=6e-4)


def test_the_strongest_words_of_each_filter_are_torchs(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "texts")
    words = ["a", "very", "good", "film"]
    page.fill(f"{host} textarea", " ".join(words))
    settled(page, 200)
    network = hung.networks["texts"]
    with torch.no_grad():
        vectors = network.pad(network.embedding(torch.tensor(tokens(words)).long()).transpose(1, 2))
        maps = network.relu2(network.conv2(vectors))[0]
    layer = page.locator(f"{host} .live-layer:has(.live-grams)").nth(-1)
    layer.scroll_into_view_if_needed()
    best = [
        (round(float(row[:5].max()), 2), " ".join(words[max(0, at - 1) : at + 1]))
        for row in maps
        for at in [int(row[:5].argmax())]
        if row[:5].max() > 0
    ]
    found = layer.locator(".live-grams li").all_inner_texts()
    read = [(float(re.search(r": ([\d.]+)", text)[1]), text.split("\n")[-1].split(" ", 3)[-1]) for text in found]
    assert [value for value, _ in read] == sorted((value for value, _ in best), reverse=True)
    assert all(any(text.endswith(gram) for text in found) for _, gram in best)


def test_a_signal_is_shifted(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "signals")
    page.locator(f"{host} .live-pick").nth(3).click()
    block = json.loads((hung.page.parent.parent / "exhibits/signals/seed0/live/exhibit.json").read_text())["blocks"][0]
    test = hung.data["signals"].split("test")
    sample = test.inputs[list(test.table["id"]).index(block["samples"][3]["id"])]
    slide(page, host, "Along time", 12 + 4)
    moved = np.concatenate([np.repeat(sample[:, :1], 4, 1), sample[:, :-4]], 1)
    np.testing.assert_allclose(shown_shares(page, host), hung.shares("signals", moved[None])[0], atol=6e-4)


def test_nothing_runs_before_it_is_seen(visit, hung):
    page = visit(hung.page)
    page.evaluate("for (const one of document.querySelectorAll('.exhibit')) one.style.marginTop = '3000px'")
    whole(page)
    settled(page, 300)
    assert page.locator("[data-running]").count() == 0
    at_work(page, "texts")
    assert page.locator("[data-running]").count() == 1


@pytest.mark.parametrize(
    ("attribute", "sentence"), [("weights", "finite"), ("given", "run here"), ("inputs", "run here")]
)
def test_what_was_changed_by_hand_is_a_sentence_and_no_empty_canvas(visit, hung, tmp_path, attribute, sentence):
    import base64
    import gzip

    text = hung.page.read_text(encoding="utf-8")
    whole_ = re.search(
        rf'data-kind="picture".*?data-{attribute}="([^"]*)"', text.replace("&#34;", '"'), re.S
    ) or re.search(rf"data-kind=&#34;picture&#34;.*?data-{attribute}=&#34;([^&]*)&#34;", text, re.S)
    packed = whole_[1]
    content = bytearray(gzip.decompress(base64.b64decode(packed)))
    if attribute == "weights":
        content[-4:] = np.float32(np.nan).tobytes()
    else:
        content = content[: len(content) // 2]
    other = base64.b64encode(gzip.compress(bytes(content))).decode()
    (tmp_path / "index.html").write_text(text.replace(packed, other), encoding="utf-8")
    page = visit(tmp_path / "index.html")
    whole(page)
    page.evaluate("document.querySelector('#images-live .live').scrollIntoView()")
    until(page, "!!document.querySelector('#images-live .live-broken')")
    assert sentence in page.inner_text("#images-live .live-broken")
    assert page.is_visible("#images-live .live-still img") and page.locator("#images-live canvas").count() == 0


def test_without_scripts_a_sample_and_its_probabilities_can_be_read(visit, hung):
    page = visit(hung.page, java_script_enabled=False)
    for kind in NETWORKS:
        text = page.text_content(f"#{kind}-live .live-still")
        block = json.loads((hung.page.parent.parent / f"exhibits/{kind}/seed0/live/exhibit.json").read_text())[
            "blocks"
        ][0]
        shares = torch.softmax(torch.tensor(block["samples"][0]["logits"]), 0)
        name = hung.data[kind].facts.classes[shares.argmax()]
        assert f"{name}: {100 * shares.max():.1f}" in text
    assert page.is_visible("#images-live .live-still img") and page.is_visible("#sounds-live .live-still img")


@pytest.mark.parametrize(
    ("width", "theme", "locale"), [(360, "light", "en-GB"), (1280, "dark", "zh-CN"), (360, "dark", "zh-CN")]
)
def test_it_fits_can_be_read_and_axe_finds_nothing(visit, hung, width, theme, locale):
    page = visit(hung.page, width=width, color_scheme=theme, locale=locale)
    for kind in NETWORKS:
        host = at_work(page, kind)
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        page.locator(f"{host} .live-layer canvas").nth(1).click()
    page.evaluate("for (const one of document.querySelectorAll('.exhibit')) one.style.contentVisibility = 'visible'")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(CONTRAST) == []
    axe_finds_nothing(page)
    small_ones = page.evaluate(
        """[...document.querySelectorAll(".live :is(button, input, select)")]
          .filter((one) => one.getClientRects().length && !["checkbox", "file"].includes(one.type))
          .filter((one) => one.offsetWidth < 24 || one.type !== "range" && one.offsetHeight < 24)
          .map((one) => one.outerHTML)"""
    )
    assert small_ones == []


def redness(page, host: str) -> np.ndarray:
    """How red each place of the class activation map is, (rows, columns): a share of the most."""
    values, width, height = page.evaluate(
        """(which) => {
          const canvas = document.querySelector(which);
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const red = [...data.keys()].filter((n) => n % 4 === 0).map((n) => data[n] - data[n + 1]);
          return [red, canvas.width, canvas.height];
        }""",
        f"{host} .live-heat",
    )
    return np.array(values).reshape(height, width) / 255


def choose(page, host: str, where: str, label: int) -> None:
    page.select_option(f"{host} {where} select", str(label))


@pytest.mark.parametrize("kind", ["images", "sounds", "signals"])
def test_where_a_class_is_seen_is_torchs_grad_cam_and_follows(visit, hung, kind):
    page = visit(hung.page)
    host = at_work(page, kind)
    if kind == "images":
        page.mouse.click(*_place(page, host, 0.3, 0.7))
        given = drawn(page, host)
    else:
        page.locator(f"{host} .live-pick").nth(2).click()
        folder = hung.page.parent.parent / f"exhibits/{kind}/seed0/live/exhibit.json"
        name = json.loads(folder.read_text())["blocks"][0]["samples"][2]["id"]
        test = hung.data[kind].split("test")
        given = test.inputs[list(test.table["id"]).index(name)][None].astype(np.float32)
    first = int(hung.shares(kind, given)[0].argmax())
    settled(page)
    compared = 0
    for label in (-1, 0, 1, 2):
        choose(page, host, ".live-where", label)
        wanted = hung.seen(kind, given, first if label < 0 else label)
        most = float(wanted.max())
        said = page.inner_text(f"{host} .live-where > .live-said")
        if not most:
            assert "nothing there speaks for this class" in said
            continue
        found = redness(page, host)
        found = found[::-1] if kind == "sounds" else found
        np.testing.assert_allclose(found, np.broadcast_to(wanted, found.shape) / most, atol=0.012)
        assert float(re.search(r"at most ([\d.]+?)[,.]?(?:\s|$)", said)[1]) == pytest.approx(most, rel=1e-3)
        if kind == "images":
            row, column = map(int, re.search(r"row (\d+), column (\d+)", said).groups())
            assert wanted[row - 1, column - 1] == pytest.approx(most, rel=1e-4)
        compared += 1
    assert compared


def test_where_a_class_is_seen_in_a_sentence_is_torchs(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "texts")
    words = ["a", "very", "good", "film"]
    page.fill(f"{host} textarea", " ".join(words))
    settled(page, 100)
    for label in (0, 1):
        choose(page, host, ".live-where", label)
        wanted = hung.seen("texts", tokens(words), label)[: len(words)]
        texts = page.locator(f"{host} .live-heat-words .live-term").all_inner_texts()
        assert [text.split()[0] for text in texts] == words
        np.testing.assert_allclose([float(text.split()[-1]) for text in texts], wanted, atol=6e-4)


def game(page, host: str) -> dict[str, str]:
    counts, best, _ = page.locator(f"{host} .live-game .live-said").all_inner_texts()
    return {"counts": counts, "best": best, "reached": page.inner_text(f"{host} .live-game [role=status]")}


def test_the_smallest_change_is_counted_by_pixels_and_ink_and_the_best_is_kept(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "images")
    page.focus(f"{host} .live-game summary")
    page.keyboard.press("Enter")
    start, classes = drawn(page, host).astype(int), hung.data["images"].facts.classes
    first = int(hung.shares("images", drawn(page, host))[0].argmax())
    best, reached = None, 0
    for attempt in ((0.2, 0.8), (0.5, 0.1), (0.8, 0.8), (0.2, 0.2), "Clear"):
        if attempt == "Clear":
            page.click(f"{host} button:has-text('Clear')")
        else:
            page.mouse.click(*_place(page, host, *attempt))
        settled(page)
        now, told = drawn(page, host), game(page, host)
        change = np.abs(now.astype(int) - start)
        assert f"Pixels: {(change > 0).sum()}." in told["counts"]
        ink = float(re.search(r"that of ([\d.]+) white", told["counts"])[1])
        assert ink == pytest.approx(change.sum() / 255, abs=0.051)
        says = int(hung.shares("images", now)[0].argmax())
        assert told["reached"] == (f"Reached. It says: {classes[says]}" if says != first else "")
        if says != first:
            best, reached = min(best or ink, ink), reached + 1
        assert (f"that of {best:.1f} white" in told["best"]) if reached else not told["best"]
    assert reached
    page.click(f"{host} button:has-text('Back to the sample')")
    settled(page)
    told = game(page, host)
    assert "Strokes: 0. Pixels: 0." in told["counts"] and not told["reached"] and told["best"]
    choose(page, host, ".live-game", first)
    assert "Choose another class" in game(page, host)["reached"] and not game(page, host)["best"]
    page.locator(f"{host} .live-pick").nth(1).click()
    settled(page)
    assert not game(page, host)["best"]  # another sample, another game
    assert page.evaluate("Object.keys(localStorage).filter((key) => !/language|theme/.test(key))") == []


def test_words_that_are_pressed_away_until_the_class_flips_are_counted(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "texts")
    page.click(f"{host} .live-game summary")
    words = page.locator(f"{host} .live-word bdi").all_inner_texts()
    first = int(hung.shares("texts", tokens(words))[0].argmax())
    for pressed in range(1, len(words) + 1):
        page.locator(f"{host} .live-word").first.click()
        settled(page)
        told = game(page, host)
        assert f"put in or exchanged: {pressed}." in told["counts"]
        flipped = int(hung.shares("texts", tokens(words[pressed:]))[0].argmax()) != first
        assert told["reached"].startswith("Reached") == flipped
    page.fill(f"{host} textarea", " ".join([*words[:1], "zounds", *words[2:]]))
    settled(page)
    assert "put in or exchanged: 1." in game(page, host)["counts"]


def test_a_sound_that_was_moved_is_counted_in_decibels(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "sounds")
    page.click(f"{host} .live-game summary")
    page.locator(f"{host} .live-pick").nth(4).click()
    folder = hung.page.parent.parent / "exhibits/sounds/seed0/live/exhibit.json"
    name = json.loads(folder.read_text())["blocks"][0]["samples"][4]["id"]
    test = hung.data["sounds"].split("test")
    sample = test.inputs[list(test.table["id"]).index(name)].astype(np.float32)
    slide(page, host, "Along frequency", 5 + 2)
    settled(page)
    moved = np.full_like(sample, sample.min())
    moved[:, 2:] = sample[:, :-2]
    change, told = np.abs(moved - sample), game(page, host)
    assert f"Places: {(change > 0.05).sum()} of {change.size}, by {change.mean():.1f} dB" in told["counts"]
    flipped = hung.shares("sounds", moved[None])[0].argmax() != hung.shares("sounds", sample[None])[0].argmax()
    assert told["reached"].startswith("Reached") == flipped


def word(seconds: float, rate: int = 8000) -> np.ndarray:
    """A rising tone with a hum, between silences."""
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.4 * np.sin(2 * np.pi * (400 + 900 * time / seconds) * time) + 0.1 * np.sin(2 * np.pi * 220 * time)
    return np.concatenate([np.zeros(700), tone, np.zeros(500)]).astype(np.float32)


def test_a_sound_file_becomes_the_picture_that_the_data_are_made_of(visit, hung, tmp_path):
    import soundfile

    page = visit(hung.page)
    host = at_work(page, "sounds")
    folder = hung.page.parent.parent / "exhibits/sounds/seed0/live/exhibit.json"
    listening = json.loads(folder.read_text())["blocks"][0]["input"]["listening"]
    how = Spectrogram(8000, 16, 10, 256, 128, 100.0, 3800.0, listening["range"])
    soundfile.write(tmp_path / "word.wav", word(0.14), 8000)
    page.set_input_files(f"{host} input[type=file]", tmp_path / "word.wav")
    until(page, f"document.querySelector('{host} .live-tools [role=status]').innerText.includes('stays in this page')")
    sound, _ = soundfile.read(tmp_path / "word.wav", dtype="float32")
    picture = how.picture(sound).astype(np.float32)
    np.testing.assert_allclose(shown_shares(page, host), hung.shares("sounds", picture[None])[0], atol=2e-3)
    assert page.locator(f"{host} .live-pick[aria-pressed=true]").count() == 0  # it is none of the samples
    assert "sample is" not in page.inner_text(f"{host} .live-answer")
    for content, sentence in ((np.zeros(4000), "Nothing can be heard"), (None, "can't read this as a sound")):
        if content is None:
            (tmp_path / "bad.wav").write_bytes(b"no sound")
        else:
            soundfile.write(tmp_path / "bad.wav", content, 8000)
        page.set_input_files(f"{host} input[type=file]", tmp_path / "bad.wav")
        until(page, f'document.querySelector("{host} .live-tools [role=status]").innerText.includes("{sentence}")')


def test_without_leave_to_hear_the_microphone_a_sentence_says_so(visit, hung):
    page = visit(hung.page)
    host = at_work(page, "sounds")
    page.click(f"{host} button:has-text('Record your voice')")
    until(page, f"document.querySelector('{host} .live-tools [role=status]').innerText.includes('microphone')")


def test_a_voice_is_recorded_from_the_microphone(visit, hung):
    page = visit(hung.page, permissions=["microphone"])
    host = at_work(page, "sounds")
    before = drawn(page, host)
    page.click(f"{host} button:has-text('Record your voice')")
    settled(page, 1200)  # Chromium's own microphone beeps
    page.click(f"{host} button:has-text('Stop')")
    until(page, f"document.querySelector('{host} .live-tools [role=status]').innerText.includes('stays in this page')")
    assert (drawn(page, host) != before).mean() > 0.5
