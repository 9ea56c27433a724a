"""A sound of a reader's own becomes in the page the picture that the data are made of.

That this is librosa's log-mel is a test of the data.
"""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest

from cnnatomy import report
from cnnatomy.data.prepared import Facts
from cnnatomy.data.sounds import Spectrogram
from cnnatomy.dissect.live.hearing import listening

pytestmark = pytest.mark.browser
TEMPLATES = Path(report.__file__).parent / "templates"
HOWS = [
    Spectrogram(22050, 40, 44, 704, 352, 60.0, 8000.0, 60.0),  # the speech of the default report
    Spectrogram(8000, 16, 10, 256, 128, 0.0, 4000.0, 60.0),
    Spectrogram(16000, 64, 20, 512, 160, 20.0, 7600.0, 80.0),
    Spectrogram(48000, 80, 12, 1536, 768, 40.0, 24000.0, 60.0),
]
HEARD = """([packed, how, bands, frames]) => {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  try { return [...liveTools.heard(new Float32Array(bytes.buffer), how, bands, frames)]; }
  catch (error) { return error.message; }
}"""


@pytest.fixture(scope="module")
def voice(chromium):
    """A page with what makes pictures of sounds, alone."""
    page = chromium.new_page()
    page.add_script_tag(content=f"const liveTools = {{}};\n{(TEMPLATES / 'live_voice.js').read_text()}")
    yield page
    page.close()


def facts(how: Spectrogram) -> Facts:
    return Facts(
        "", "sounds", [], (1, how.bands, how.frames), how.axes(), None, "", "", "", "", sample_rate=how.sample_rate
    )


def speech(how: Spectrogram, share: float) -> np.ndarray:
    """Something like a word of that share of the network's window, in a little noise, between silences."""
    random, n = np.random.default_rng(0), round(share * how.samples)
    time = np.arange(n) / how.sample_rate
    pitch = 110 + 40 * np.sin(8 * time)
    voiced = sum(np.sin(2 * np.pi * k * np.cumsum(pitch) / how.sample_rate) / k for k in range(1, 12))
    word = 0.1 * voiced * np.hanning(n) ** 0.2 + random.normal(0, 0.01, n)
    return np.concatenate([np.zeros(how.window), word, np.zeros(how.window // 2)]).astype(np.float32)


def in_the_page(voice, sound: np.ndarray, how: Spectrogram):
    found = listening(facts(how), -how.range_db)
    packed = base64.b64encode(sound.astype("<f4").tobytes()).decode()
    made = voice.evaluate(HEARD, [packed, found, how.bands, how.frames])
    return made if isinstance(made, str) else np.reshape(made, (how.bands, how.frames))


@pytest.mark.parametrize("how", HOWS)
def test_the_axes_say_how_the_pictures_were_made(how):
    found = listening(facts(how), -how.range_db)
    assert (found["rate"], found["window"], found["step"]) == (how.sample_rate, how.window, how.step)
    assert found["lowest"] == pytest.approx(how.lowest_hz, abs=0.3)
    assert found["highest"] == pytest.approx(how.highest_hz, rel=1e-3)


@pytest.mark.parametrize("share", [0.6, 1.0])
@pytest.mark.parametrize("how", HOWS)
def test_a_sound_becomes_the_picture_of_the_data_within_half_a_decibel(voice, how, share):
    sound = speech(how, share)
    picture = how.picture(sound)[0].astype(np.float32)
    assert picture.std() > 5
    np.testing.assert_allclose(in_the_page(voice, sound, how), picture, atol=0.5)


def test_of_a_long_recording_the_word_is_taken_wherever_it_stands(voice):
    how = HOWS[1]
    word = how.audible(speech(how, 0.7))
    quiet = np.random.default_rng(1).normal(0, 0.01, 9 * how.samples).astype(np.float32)
    alone = how.picture(word)[0].astype(np.float32)
    for start in (how.samples, 6 * how.samples):
        sound = quiet.copy()
        sound[start : start + len(word)] += word
        found = in_the_page(voice, sound, how)
        loud = alone > -25
        assert np.abs(found - alone)[loud].mean() < 3  # in the middle, as the word alone


@pytest.mark.parametrize(
    ("sound", "sentence"), [(np.zeros(3000), "Nothing can be heard in it."), (np.ones(9) / 2, "It is too short.")]
)
def test_what_is_no_word_is_told_in_a_sentence(voice, sound, sentence):
    assert in_the_page(voice, sound, HOWS[1]) == sentence


def test_without_a_sample_rate_or_with_other_bands_nothing_is_promised():
    how = HOWS[0]
    known = facts(how)
    known.axes[0].values[7] *= 1.2
    assert listening(known, -60.0) is None
    assert listening(facts(how), 0.0) is None
