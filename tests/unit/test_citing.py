"""What exhibits cite: every entry is there, is used, says who wrote it when, and where it can be read."""

from __future__ import annotations

import re

import pytest

from cnnatomy.config.folders import PROJECT
from cnnatomy.exhibit.citing import REFERENCES, cited, references, unknown

CITING = re.compile(r"""["']@([a-z]+(?:19|20)\d\d)(?:, [^"']*)?["']""")


def used() -> set[str]:
    files = [*(PROJECT / "src").rglob("*.py"), *(PROJECT / "conf").rglob("*.yaml")]
    return {key for file in files for key in CITING.findall(file.read_text(encoding="utf-8"))}


def test_every_source_has_its_entry_and_every_entry_is_cited():
    assert used() == set(references())
    assert not any(unknown(f"@{key}") for key in references()) and unknown("@nobody1900")


def test_every_entry_can_be_found():
    """By a DOI, as the handbook writes them; an arXiv number; or an address."""
    forms = r"https://(doi\.org/10\.\d{4,9}/\S+|arxiv\.org/abs/\d{4}\.\d{4,5}|openlibrary\.org/isbn/\d{13}|[\w.-]+/\S+)"
    for key, entry in references().items():
        assert re.fullmatch(forms, entry.url), key
        assert re.match(r".+ (19|20)\d\d, \S.+, \S.+", entry.text), key
        assert key.endswith(re.findall(r" (\d{4}),", entry.text)[0]), key


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("@kim2014", "Kim 2014, Convolutional neural networks for sentence classification, EMNLP"),
        (
            "@zeiler2014, figure 2",
            "Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, ECCV, figure 2",
        ),
        ("@gatys2016", "Gatys, Ecker & Bethge 2016, Image style transfer using convolutional neural networks, CVPR"),
        ("@adebayo2018", "Adebayo et al. 2018, Sanity checks for saliency maps, NeurIPS"),
        ("A paper of one's own, 2026", "A paper of one's own, 2026"),
    ],
)
def test_a_source_in_words(source, text):
    assert cited(source).text == text


def test_entries_stand_in_the_order_of_the_alphabet():
    keys = re.findall(r"^@\w+\{([\w-]+),", REFERENCES.read_text(encoding="utf-8"), re.MULTILINE)
    assert keys == sorted(keys)
