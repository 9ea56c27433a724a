"""Chinese texts from the table to the page: cut into characters, their n-grams found, and written without spaces."""

from __future__ import annotations

import re

import pytest
import torch

from cnnatomy.data import own_texts, prepared
from cnnatomy.data.batches import to_tensor
from cnnatomy.data.fetching import Into
from cnnatomy.models.sentence import Sentence
from cnnatomy.report import build
from tests import gallery
from tests.unit.dissecting import given, shown
from tests.unit.test_dissect_ngrams import CONFIG

THINGS, DAYS = "汤面饭菜粥饼茶酒", ("今天", "昨天", "前天", "早上", "晚上")
GOOD, BAD = ("很香", "真好吃", "非常香"), ("太咸", "不好吃", "不香")


@pytest.fixture(scope="module")
def chinese(tmp_path_factory) -> prepared.Dataset:
    folder = tmp_path_factory.mktemp("chinese")
    rows = [
        f"{day}的{thing}{how}！,{label}"
        for day in DAYS
        for thing in THINGS
        for label, said in (("好评", GOOD), ("差评", BAD))
        for how in said
    ]
    (folder / "reviews.csv").write_text("\n".join(["text,label", *rows]), encoding="gb18030")
    raw = folder / "raw.zip"
    own_texts.fetch(Into(raw, None, "d"), path=str(folder / "reviews.csv"), licence="CC0", citation="")
    own_texts.prepare(
        raw,
        folder / "data",
        digest="e",
        text="text",
        label="label",
        split=None,
        length=10,
        at_least=2,
        tokens="auto",
        encoding=None,
        validation=0.1,
        test=0.2,
    )
    return prepared.load(folder / "data")


@pytest.fixture(scope="module")
def network(chinese) -> Sentence:
    """Trained until it knows: 不 turns a meal that tastes good."""
    torch.manual_seed(0)
    net = Sentence(len(chinese.facts.vocabulary), 2, 8, [1, 2, 3], 4, 0.0)
    train = chinese.split("train")
    x, y = to_tensor(chinese.facts, train.inputs), torch.from_numpy(train.labels)
    optimiser = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
    return net.eval()


def test_characters_tell_good_from_bad(chinese, network):
    test = chinese.split("test")
    with torch.no_grad():
        read = network(to_tensor(chinese.facts, test.inputs)).argmax(1).numpy()
    assert (read == test.labels).mean() > 0.9
    assert {"香", "咸", "不", "!"} <= set(chinese.facts.vocabulary)
    assert chinese.facts.axes[0].name == "character"


def test_the_page_shows_them_without_spaces(chinese, network, tmp_path):
    config = {"first": 4, "columns": 2, "voices": 2, "sentences": 6}
    found = shown("ngrams", network, chinese.split("test"), CONFIG, training=chinese.split("train"), seed=0)
    exhibits = [given(chinese, config), found]
    for exhibit in exhibits:
        exhibit.name = "chinese"
        assert "cut into characters" in exhibit.caption["en"] and "按字符切分" in exhibit.caption["zh"]
    build(gallery.write(tmp_path, exhibits), tmp_path / "report", gallery.context(tmp_path))
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]*>", "", page)
    read = [re.sub(r"<[^>]*>", "", line) for line in re.findall(r"<p class=tokens.*?</p>", page)]
    assert read and not any(re.search(r"[\u4e00-\u9fff] [\u4e00-\u9fff]", line) for line in read)
    assert any(re.fullmatch(r"..的.(很香|真好吃|非常香|太咸|不好吃|不香)!", line) for line in read)
    assert "不香" in text or "不好" in text
