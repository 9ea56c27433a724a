"""Pictures: pixel-true, zero shown as zero, frequency upward, sentences as words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnnatomy.drawing import saying, showing
from cnnatomy.drawing.showing import Shown, amount, colour, grey, picture, show, signed, words
from cnnatomy.exhibit import Grid, Texts
from tests.unit.dissecting import in_english
from tests.unit.small_data import WAV, small


def test_zero_is_shown_as_zero_whatever_the_scale():
    assert (signed(np.zeros((2, 3))) == showing.ZERO).all()
    assert (amount(np.zeros((2, 3))) == amount(np.array([[0.0, 1.0]]))[0, 0]).all()
    assert (grey(np.zeros((2, 3))) == 0).all()
    assert len(np.unique(colour(np.zeros((3, 2, 2))))) == 1
    assert (signed(np.array([[0.0, -7.0]]))[0, 0] == showing.ZERO).all()


def test_the_scale_of_signs_is_symmetric():
    pixels = signed(np.array([[-1.0, -0.5, 0.5, 1.0], [0.5, 0.2, 0.1, 0.0]])).astype(int)
    red_over_blue = pixels[..., 0] - pixels[..., 2]
    assert (red_over_blue[0, :2] < 0).all() and (red_over_blue[0, 2:] > 0).all()
    shifted = signed(np.array([[0.5, 1.0]]))  # only positive numbers: still no number near zero is drawn as negative
    assert (shifted[0].astype(int)[:, 0] >= shifted[0].astype(int)[:, 2]).all()


@pytest.mark.parametrize("paint", [signed, amount])
def test_more_is_darker_or_lighter_throughout(paint):
    values = np.linspace(0, 1, 50)[None]
    light = paint(values).astype(float)[0] @ [0.299, 0.587, 0.114]
    steps = np.diff(light)
    assert (steps <= 0.5).all() or (steps >= -0.5).all()


def test_a_given_scale_makes_pictures_comparable():
    faint, strong = np.array([[0.1]]), np.array([[1.0]])
    assert (amount(faint, high=1.0) != amount(strong, high=1.0)).any()
    assert (amount(faint) == amount(strong)).all()


def test_numbers_that_are_none_are_refused():
    with pytest.raises(ValueError, match="1 of 2 values are infinite"):
        signed(np.array([[1.0, np.nan]]))


def test_an_image_keeps_its_pixels(tmp_path):
    samples = small(tmp_path, "images").split("test")
    assert (picture(samples.facts, samples.inputs[0]) == samples.inputs[0][0]).all()
    photograph = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    assert (picture(replace(samples.facts, shape=(3, 4, 4)), photograph)[1, 2] == photograph[:, 1, 2]).all()


def test_frequency_runs_upward(tmp_path):
    facts = small(tmp_path, "sounds").facts
    clip = np.full((1, 16, 10), -80.0)
    clip[0, 15] = 0.0  # the highest band is the loudest
    pixels = picture(facts, clip)
    assert pixels[0].mean() > pixels[1:].mean()


def test_words_without_padding_and_unknown_ones_in_brackets(tmp_path):
    samples = small(tmp_path, "texts").split("test")
    for place in range(len(samples)):
        found = words(samples, place)
        assert len(found) == (samples.inputs[place] > 0).sum()
        unknown = [word for word, token in zip(found, samples.inputs[place], strict=False) if token == 1]
        assert set(unknown) <= {"[zounds]"}


def test_a_sample_is_shown_by_its_kind_and_heard_by_its_file(tmp_path):
    asked = []

    def sound(name):
        asked.append(name)
        return WAV

    clips = small(tmp_path, "sounds").split("test")
    grid = show("clips", clips, [Shown(2, label="six", state="wrong")], sound=sound)
    assert isinstance(grid, Grid)
    assert (grid.items[0].id, grid.items[0].sound) == ("test/2", WAV)
    assert asked == [clips.table["file"][2]]
    images = show("images", small(tmp_path, "images").split("test"), [Shown(0)], sound=sound)
    assert isinstance(images, Grid) and images.items[0].sound is None
    assert isinstance(show("texts", small(tmp_path, "texts").split("test"), [Shown(0)]), Texts)


def test_a_window_is_named_in_the_units_of_its_axes(tmp_path):
    assert in_english(saying.window(small(tmp_path, "images").facts, (3, 5))) == "3 × 5 px"
    assert in_english(saying.window(small(tmp_path, "sounds").facts, (8, 5))) == "8 bands × 5 frames (0.1 s)"
    assert in_english(saying.window(small(tmp_path, "texts").facts, (1,))) == "1 word"
