"""The path through the lecture: every stop leads to what is there, every number beside it is one that was measured.

`python -m tests.unit.test_report_path results` writes down anew what the exhibits of a finished report hold
(`path_exhibits.json`), which is what is tested here.
"""

from __future__ import annotations

import csv
import json
import re
import string
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from cnnatomy.config.plan import Plan
from cnnatomy.exhibit import (
    Calculator,
    Exhibit,
    Figure,
    Grid,
    Input,
    Item,
    Number,
    Output,
    Prose,
    Sentence,
    Texts,
)
from cnnatomy.exhibit.checks import walk
from cnnatomy.exhibit.languages import language, tags
from cnnatomy.exhibit.words import described
from cnnatomy.report import build
from cnnatomy.report.chapters import Chapter, StoredExhibit
from cnnatomy.report.language import catalogue
from cnnatomy.report.path import LEAST, PICTURES, ROOM, Stop, Way, coarse, stops, through
from tests.conftest import PROJECT

RECORDED = Path(__file__).with_name("path_exhibits.json")
WAYS = [pytest.param(name, way, id=way.at) for name, ways in stops().items() for way in ways]


def recorded() -> dict[str, dict[str, list[str]]]:
    """By address: the exhibit's numbers, as `metric` or `metric of subject`, and its blocks and items."""
    return json.loads(RECORDED.read_text(encoding="utf-8")) | in_full()


def in_full() -> dict[str, dict[str, list[str]]]:
    """What docs/results/ keeps of studies that were run in full."""
    found = {}
    for file in sorted((PROJECT / "docs" / "results").glob("*.csv")):
        if file.stem != "runs":
            rows = list(csv.DictReader(file.open(encoding="utf-8")))
            found[f"study-{file.stem}"] = {"numbers": [named(row["metric"], row["subject"]) for row in rows]}
    return found


def named(metric: str, subject: str) -> str:
    return f"{metric} of {subject}" if subject else metric


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def asked(way: Way, name: str, tag: str = "en") -> list[tuple[str, str]]:
    sentences, about = language(tag).sentences, way.questions or name
    return [
        (sentences[f"questions.{about}.{n}.ask"], sentences[f"questions.{about}.{n}.answer"])
        for n in range(1, 9)
        if f"questions.{about}.{n}.ask" in sentences
    ]


def planned(plan: Plan) -> set[str]:
    """The addresses of a plan's exhibits."""
    found = set()
    for path in plan.exhibits():
        kind, *parts = Path(path).parent.parts[1:]
        found.add(
            "-".join([kind.removesuffix("s").replace("studie", "study"), *parts] if kind != "exhibits" else parts[::2])
        )
    return found


@pytest.fixture(scope="module")
def there() -> set[str]:
    return planned(Plan("default")) | planned(Plan("full"))


def test_every_stop_leads_to_an_exhibit_of_the_default_report():
    default = planned(Plan("default")) | set(in_full())
    assert [name for name, ways in stops().items() if not any(way.at in default for way in ways)] == []


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_every_way_is_an_exhibit_that_some_report_makes(name, way, there):
    assert way.at in there


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_every_number_is_one_of_its_exhibit(name, way):
    known = recorded().get(way.at)
    if known is None:
        pytest.skip("not in the report that was written down")
    assert not way.number or named(way.number, way.subject) in known["numbers"]
    assert not way.picture or way.picture in known.get("blocks", [way.picture])
    items = [] if isinstance(way.items, int) else list(way.items)
    assert set(items) <= set(known.get("items", items))


@pytest.mark.parametrize("tag", tags())
@pytest.mark.parametrize(("name", "way"), WAYS)
def test_every_number_says_of_what_it_is_the_number(name, way, tag):
    said = language(tag).sentences
    assert {f"path.{name}.title", f"path.{name}.says"} <= said.keys()
    assert not way.number or f"path.{name}.{way.number}" in said


@pytest.mark.parametrize("tag", tags())
@pytest.mark.parametrize(("name", "way"), WAYS)
def test_three_questions_at_every_stop_whose_numbers_are_there(name, way, tag):
    questions = asked(way, name, tag)
    assert len(questions) == 3
    numbers = recorded().get(way.at, {}).get("numbers")
    if numbers is not None:
        assert {place for pair in questions for text in pair for place in places(text)} <= set(numbers)


def test_nothing_is_said_of_stops_that_are_none():
    known = set(stops())
    about = known | {way.questions for ways in stops().values() for way in ways}
    for id_ in language("en").sentences:
        subject, _, rest = id_.partition(".")
        if subject in ("path", "questions"):
            assert rest.partition(".")[0] in (known if subject == "path" else about), id_


@pytest.mark.parametrize(("tag", "quoted"), [("en", "“([A-Z][^”]* [^”]+)”"), ("zh", "“([^”0-9a-z]{4,})”")])
def test_what_answers_send_readers_to_is_called_that_on_the_page(tag, quoted):
    page = set(catalogue(tag)["page"].values()) if tag != "en" else set()
    titles = set(language(tag).sentences.values()) | page
    sent = {
        name
        for id_, text in language(tag).sentences.items()
        if id_.startswith("questions.") and id_.endswith(".answer")
        for name in re.findall(quoted, text)
    }
    assert sent and [name for name in sent if not any(title.startswith(name) for title in titles)] == []


def exhibit(address: str, blocks=(), numbers=(), seed: int = 0) -> StoredExhibit:
    """An exhibit as it hangs at that address."""
    first, _, rest = address.partition("-")
    kind, name, method = (first, rest, "") if first in ("lesson", "study") else ("run", first, rest)
    files: dict[str, bytes] = {}
    told = [block.describe(files) for block in blocks]
    document = {
        "kind": kind,
        "name": name,
        "method": method,
        "seed": seed,
        "title": address,
        "caption": "",
        "numbers": [one.describe() for one in numbers],
        "blocks": json.loads(json.dumps(told)),
    }
    return StoredExhibit(document, files)


def chapter(*exhibits: StoredExhibit) -> Chapter:
    return Chapter("h", "h", exhibits=list(exhibits))


FIRST = [ways[0].at for ways in stops().values()]


def test_what_does_not_hang_is_left_out_and_the_others_keep_the_lectures_order():
    wanted = [FIRST[1], FIRST[3], FIRST[5], FIRST[8], FIRST[9], FIRST[0]]
    path = through([chapter(*map(exhibit, wanted)), chapter(exhibit("mine-kernels"))])
    assert [stop.way.at for stop in path.stops] == sorted(wanted, key=FIRST.index)
    assert [(stop.place, stop.places) for stop in path.stops] == [(n, 6) for n in range(1, 7)]
    assert path.beside(path.stops[0], -1) is None and path.beside(path.stops[-1], 1) is None
    assert path.beside(path.stops[2], 1) is path.stops[3]


def test_a_stop_is_at_the_first_of_its_exhibits_that_hangs():
    name, (best, other) = next((name, ways) for name, ways in stops().items() if len(ways) == 2)
    others = [at for at in FIRST if at != best.at][:LEAST]
    for hung, expected in (([best.at, other.at], best.at), ([other.at], other.at)):
        path = through([chapter(*map(exhibit, [*others, *hung]))])
        assert [stop.way.at for stop in path.stops if stop.name == name] == [expected]


@pytest.mark.parametrize("hung", [[], FIRST[: LEAST - 1], ["mine-kernels", "mine-evaluation"]])
def test_where_little_of_the_lecture_hangs_there_is_no_path(hung):
    assert through([chapter(*map(exhibit, hung))]).stops == []


def test_a_method_that_does_not_apply_is_no_stop():
    silent = exhibit(FIRST[2], numbers=[Number("applies", 0)])
    path = through([chapter(silent, *map(exhibit, FIRST[3 : 3 + LEAST]))])
    assert FIRST[2] not in [stop.way.at for stop in path.stops]


def stop_at(way: Way, *blocks, numbers=()) -> Stop:
    return Stop("kernels", way, exhibit(way.at, blocks, numbers), 1, 1)


def test_the_number_is_the_exhibits_own_with_its_interval():
    numbers = [
        Number("structured", 0.2, subject="layer=conv1"),
        Number("structured", 0.5217, 0.41, 0.63, unit="fraction", n=25),
    ]
    way = Way("mnist-kernels", number="structured")
    shown = stop_at(way, numbers=numbers).number
    assert (shown["value"], shown["unit"], shown["n"]) == ("52.2", "%", "25")
    assert shown["interval"].replace("\u2060", "") == "41.0–63.0"
    of_layer = stop_at(Way("mnist-kernels", number="structured", subject="layer=conv1"), numbers=numbers).number
    assert of_layer["value"] == "0.2"
    assert stop_at(Way("mnist-kernels", number="smoothness"), numbers=numbers).number is None


def grid(name: str, *sizes: tuple[int, int]) -> Grid:
    return Grid(name, [Item(f"{name}/{n}", np.full(size, 10 * n, np.uint8)) for n, size in enumerate(sizes)])


def test_the_picture_is_of_the_block_that_is_named_and_else_the_first_there_is():
    blocks = [Prose("x"), grid("a", (4, 4)), grid("b", (5, 5), (6, 6), (7, 7))]
    sizes = {
        block: [picture.width // 6 for row in stop_at(Way("x-y", block, items=2), *blocks).rows for picture in row]
        for block in ("b", "gone")
    }
    assert len(sizes["b"]) == 2 and len(sizes["gone"]) == 1
    by_id = stop_at(Way("x-y", "b", items=["b/2"]), *blocks)
    assert [item.size for item in map(_opened, by_id.pictures)] == [(7, 7)]
    assert len(stop_at(Way("x-y", "b", items=["b/2", "b/9"]), *blocks).pictures) == 2  # one has gone: as many
    assert stop_at(Way("x-y"), Prose("x")).block is None


def _opened(png: bytes):
    import io

    from PIL import Image

    return Image.open(io.BytesIO(png))


@pytest.mark.parametrize(
    "sizes", [[(3, 3)] * 15, [(28, 28)] * 10, [(28, 115)] * 4, [(224, 224)] * 3, [(224, 224), (7, 7)], [(200, 9)]]
)
def test_pictures_fill_their_room_and_no_more(sizes):
    rows = stop_at(Way("x-y", "a", items=99), grid("a", *sizes)).rows
    assert sum(map(len, rows)) == len(sizes)
    width = max(sum(picture.width + 4 for picture in row) for row in rows)
    height = sum(max(picture.height for picture in row) + 4 for row in rows)
    assert width <= ROOM[0] + len(sizes) and height <= ROOM[1] + len(rows)
    assert width > 0.4 * ROOM[0] or height > 0.4 * ROOM[1]
    for picture in (picture for row in rows for picture in row):
        whole = picture.width % _opened(picture.png).width == 0
        assert whole or picture.smooth  # squares stay squares


def test_sentences_are_shown_where_there_is_nothing_to_see():
    texts = Texts("t", [Sentence(f"s{n}", [("good", 1.0), ("film", 0.0)]) for n in range(5)])
    stop = stop_at(Way("x-y", "t", items=2), texts)
    assert [entry["id"] for entry in stop.sentences] == ["s0", "s1"]
    assert stop.drawing is None and stop.pictures == []


def test_a_calculator_shows_what_its_first_values_give():
    inputs, output = [Input("n", "size", 7, 1, 9)], Output("m", "map", [["-", "n", 2], 3])
    stop = stop_at(Way("x-y", "c"), Calculator("c", inputs, [output]))
    assert stop.results == [("map", "5 × 3")]


def test_a_small_drawing_has_all_its_lines_within_two_px_and_no_ticks():
    line = "M " + " L ".join(f"{x / 7:.6f} {200 + 90 * np.sin(x / 50):.6f}" for x in range(3000))
    muted = "var(--chart-muted, #888)"
    ticks = f'<use href="#t" x="9" y="9" fill="{muted}"/><text>93</text><text>label</text>'
    marks = "".join(f'<use href="#m" x="{x}" y="5" fill="red"/>' for x in range(0, 100, 2))
    paths = f'<path d="{line}"/>{ticks}{marks}<path d="M 0.5 1.5 L 2.5 3.5"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 430 300">{paths}</svg>'
    small = coarse(svg.encode())
    assert len(small) < len(svg) / 3 and b"93" not in small and b"label" in small
    assert small.count(b'"#m"') == 17  # every third of 50, which lie 2 px apart
    long, short = (path.get("d") for path in ElementTree.fromstring(small).iter("{http://www.w3.org/2000/svg}path"))
    assert short == "M 0.5 1.5 L 2.5 3.5"
    points = np.array(re.findall(r"[ML] (-?\d+) (-?\d+)", long), float)
    truth = np.array(re.findall(r"([\d.]+) ([\d.]+)", line), float)
    distance = np.hypot(*(points[:, None] - truth[None]).transpose(2, 0, 1))
    assert distance.min(axis=1).max() < 2 and distance.min(axis=0).max() < 2


def test_a_question_whose_number_was_not_measured_is_left_out():
    way = Way("mnist-kernels")
    everything = stop_at(way, numbers=[Number("structured", 0.5), Number("likeness", 0.7)])
    assert len(everything.questions) == 3
    assert any("0.70" in answer["en"] and "0.70" in answer["zh"] for _, answer in everything.questions)
    assert len(stop_at(way, numbers=[Number("structured", 0.5)]).questions) == 2
    told = Stop("article", Way("x-y"), exhibit("x-y", numbers=[Number("errors", 46)]), 1, 1).questions
    assert len(told) == 3 and "46 mistakes" in told[2][0]["en"] and "46" in told[2][0]["zh"]  # in what is asked, too


def written(folder: Path, addresses: list[str]) -> list[Path]:
    """Exhibits at these addresses, with something to see in each."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><path d="M 0 0 L 40 20" stroke="#000"/></svg>'
    folders = []
    for place, address in enumerate(addresses):
        first, _, rest = address.partition("-")
        kind, name, method = (first, rest, "") if first in ("lesson", "study") else ("run", first, rest)
        blocks = [grid("pictures", (8, 8), (8, 8)) if place % 2 else Figure("drawing", svg, "a line")]
        exhibit = Exhibit(kind, name, method, 0, address, f"caption of {address}", [Number("structured", 0.5)], blocks)
        folders.append(folder / address)
        exhibit.write(folders[-1], {}, {})
    return folders


def test_a_page_without_the_lecture_says_nothing_of_a_path(tmp_path):
    build(written(tmp_path, ["mine-kernels", "mine-evaluation", FIRST[0]]), tmp_path / "page", {})
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert 'href="#path/' not in page and "class=path " not in page and "class=question" not in page


def test_the_path_leads_through_the_page_by_links(tmp_path):
    lessons = ["lesson-why_convolution", "lesson-convolution", "lesson-shapes"]
    wanted = ["study-direction", "mnist-evaluation", "mnist-kernels", "mnist-dream", *lessons]
    build(written(tmp_path, wanted), tmp_path / "page", {})
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    names = ["why", "convolution", "shapes", "article", "kernels", "dream", "direction"]
    on_screen = page[page.index("class=path ") : page.index("class=chapter ")]
    assert re.findall(r'<a href="#path/(\w+)">', on_screen) == names
    assert re.findall(r'id="path/(\w+)" data-place="(\d)"', page) != []
    for place, name in enumerate(names):
        sign = page[page.index(f'id="path/{name}" ') :]
        sign = sign[: sign.index("</div>")]
        ways = re.findall(r'href="#path/(\w+)" rel="(\w+)"', sign)
        expected = [(names[place - 1], "prev")] if place else []
        expected += [(names[place + 1], "next")] if place + 1 < len(names) else []
        assert ways == expected


def test_every_text_of_the_path_is_in_words():
    stop = stop_at(Way("mnist-kernels", number="structured"), numbers=[Number("structured", 0.5)])
    for text in (stop.title, stop.says, stop.number["of"]):
        assert isinstance(text, dict) and set(text) == set(tags()) and all(text.values())
    assert described(stop.title) == stop.title


def record(results: Path) -> None:
    """Write down what the exhibits on the path hold in a finished report."""
    wanted = {way.at for ways in stops().values() for way in ways}
    known = {}
    for file in sorted(results.rglob("exhibit.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        address = StoredExhibit(document, {}).anchor
        if address in wanted:
            blocks = [block for _, block in walk(document) if "name" in block]
            items = {
                id_
                for way in sum(stops().values(), [])
                if way.at == address and not isinstance(way.items, int)
                for id_ in way.items
            }
            known[address] = {
                "numbers": sorted(
                    {named(n["metric"], n.get("subject", "")) for n in document["numbers"]} & _used(address)
                ),
                "blocks": sorted(block["name"] for block in blocks if block["type"] in PICTURES)[:12],
                "items": sorted(items & {item["id"] for block in blocks for item in block.get("items", ())}),
            }
    RECORDED.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _used(address: str) -> set[str]:
    """The numbers of an exhibit that the path names, on the way or in questions."""
    found = set()
    for name, ways in stops().items():
        for way in ways:
            if way.at == address:
                found.add(named(way.number, way.subject))
                found |= {place for pair in asked(way, name) for text in pair for place in places(text)}
    return found


if __name__ == "__main__":
    record(Path(sys.argv[1]))
