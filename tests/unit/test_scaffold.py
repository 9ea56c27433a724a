"""From data to a configuration: what is found is there; what is proposed can be fetched and prepared as it is."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnatomy.cli import main as command
from cnnatomy.config.plan import Plan
from cnnatomy.data.fetching import Into
from tests.own_conf import forget

CHANCE = np.random.default_rng(0)


def table(file: Path, head: list[str], rows: list[list[object]]) -> Path:
    with open(file, "w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([head, *rows] if head else rows)
    return file


def pictures(folder: Path, names: list[str], size: tuple[int, int] = (20, 20), mode: str = "L") -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        depth = () if mode == "L" else (3,)
        Image.fromarray(CHANCE.integers(0, 256, (size[1], size[0], *depth), dtype=np.uint8)).save(file)
    return folder


def sounds(folder: Path) -> Path:
    import soundfile

    for i in range(24):
        file = folder / ("high", "low")[i % 2] / f"{i}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, 0.3 * CHANCE.normal(size=6000), 8000)
    return folder


def in_folders(folder: Path) -> Path:
    return pictures(folder, [f"{kind}/{i}.png" for kind in ("cat", "dog") for i in range(12)])


def in_splits(folder: Path) -> Path:
    names = [f"{split}/{kind}/{i}.png" for split in ("Training", "test") for kind in ("cat", "dog") for i in range(9)]
    return pictures(folder, names, (90, 60), "RGB")


def by_names(folder: Path) -> Path:
    return pictures(folder, [f"{kind}.{i}.jpg" for kind in ("cat", "dog") for i in range(15)])


def opinions(folder: Path) -> Path:
    things = [[f"the {w} film number {i} was {v}", ("good", "bad")[v == "dull"], i] for i in range(40)
              for w, v in [(("long", "short")[i % 2], ("fine", "dull")[i % 3 == 0])]]  # fmt: skip
    return table(folder / "opinions.csv", ["review", "verdict", "number"], things)


def moments(folder: Path) -> Path:
    rows = [[f"r{i}", t / 50, *CHANCE.normal(size=2).round(3), ("shake", "turn")[i % 2], f"p{i // 6}"]
            for i in range(36) for t in range(30)]  # fmt: skip
    return table(folder / "gestures.csv", ["recording", "time", "x", "y", "gesture", "person"], rows)


def wide(folder: Path) -> Path:
    rows = [[("a", "b")[i % 2], *CHANCE.normal(size=40).round(3)] for i in range(40)]
    return table(folder / "beats.csv", ["beat", *[f"t{i}" for i in range(40)]], rows)


def stacked(folder: Path) -> Path:
    np.savez(folder / "both.npz", X=CHANCE.normal(size=(40, 3, 50)), y=np.arange(40) % 4)
    return folder / "both.npz"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr("cnnatomy.cli.main.MINE", tmp_path / "mine")
    monkeypatch.delenv("CNNATOMY_CONF", raising=False)
    yield tmp_path / "mine"
    forget()


def prepared(name: str, folder: Path) -> dict:
    """What the workflow makes of the data by the configuration that was written."""
    from hydra.utils import instantiate

    data = Plan(name).config(name)["data"]
    instantiate(data["fetch"], Into(folder / "raw.zip", None, "d"))
    instantiate(data["prepare"], raw=folder / "raw.zip", folder=folder / "made", digest="d", _convert_="all")
    return json.loads((folder / "made/dataset.json").read_text())


@pytest.mark.parametrize(
    ("make", "kind", "classes", "samples", "said"),
    [
        (in_folders, "images", 2, 24, "width 20 px, height 20 px"),
        (in_splits, "images", 2, 36, "splits by folders: train 18, test 18"),
        (by_names, "images", 2, 30, "labels: '{class}.*'"),
        (sounds, "sounds", 2, 24, "8000 Hz, 1 channel"),
        (opinions, "texts", 2, 40, 'text: "review"'),
        (moments, "signals", 2, 36, 'recording: "recording"'),
        (wide, "signals", 2, 40, 'label: "beat"'),
        (stacked, "signals", 4, 40, "3 channels; 50 values each"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_proposed_can_be_fetched_and_prepared(make, kind, classes, samples, said, home, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    place = make(tmp_path / "data")
    assert command.main(["new", str(place), "--name", f"my_{make.__name__}"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{kind.capitalize()} at {place}") and said in told
    assert f"{samples} samples of {classes} classes" in told
    made = prepared(f"my_{make.__name__}", tmp_path)
    assert made["kind"] == kind and len(made["classes"]) == classes
    assert sum(made["splits"].values()) == samples


def test_pictures_that_are_no_squares_are_kept_whole_and_grey_ones_stay_grey(home, tmp_path, capsys):
    command.main(["new", str(in_splits(tmp_path / "wide")), "--name", "wide"])
    made = prepared("wide", tmp_path)
    assert made["shape"] == [3, 60, 90]
    command.main(["new", str(in_folders(tmp_path / "grey")), "--name", "grey"])
    (tmp_path / "second").mkdir()
    assert prepared("grey", tmp_path / "second")["shape"] == [1, 20, 20]


def test_what_only_the_owner_knows_is_asked(home, tmp_path, capsys):
    rows = [[f"text {i} of words", ("a", "b")[i % 2], ("c", "d")[i % 3 > 0]] for i in range(30)]
    place = table(tmp_path / "two.csv", ["text", "mood", "topic"], rows)
    assert command.main(["new", str(place)]) == 1
    asked = capsys.readouterr().err
    assert "which column says the class? 'mood', 'topic'" in asked and "--column label=" in asked
    assert not home.exists()
    assert command.main(["new", str(place), "--column", "label=topic"]) == 0
    assert Plan("two").config("two")["data"]["prepare"]["label"] == "topic"


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda folder: folder / "nowhere", "is not there"),
        (lambda folder: folder, "holds no pictures, sounds, texts or signals"),
        (lambda folder: pictures(folder, ["a.png", "b.png"]), "folder of each class"),
        (lambda folder: [pictures(folder, [f"a/{i}.png" for i in range(20)]), sounds(folder)][0], "--kind sounds"),
    ],
    ids=["nowhere", "empty", "loose", "several"],
)
def test_what_can_not_be_used_is_refused_and_nothing_is_written(make, error, home, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    assert command.main(["new", str(make(tmp_path / "data"))]) == 1
    said = capsys.readouterr().err
    assert error in said and "data.fetch" not in said
    assert not home.exists()


def test_an_encoding_that_can_not_be_told_is_asked_for_by_an_option_that_there_is(home, tmp_path, capsys):
    rows = [f"\u0641\u064a\u0644\u0645 \u0631\u0642\u0645 {i},{'ab'[i % 2]}" for i in range(40)]
    place = tmp_path / "films.csv"
    place.write_bytes("\r\n".join(["text,label", *rows]).encode("cp1256"))
    assert command.main(["new", str(place)]) == 1
    said = capsys.readouterr().err
    assert "--encoding cp1256" in said and "data.prepare" not in said
    assert command.main(["new", str(place), "--encoding", "cp1256"]) == 0
    made = prepared("films", tmp_path)
    assert "\u0641\u064a\u0644\u0645" in made["vocabulary"]


def test_what_there_is_not_is_named_before_anything_runs(capsys):
    assert command.main(["dissect", "mnist", "kernel"]) == 1
    assert "kernels" in capsys.readouterr().err


def test_what_was_written_is_not_written_over(home, tmp_path, capsys):
    place = str(in_folders(tmp_path / "pets"))
    assert command.main(["new", place]) == 0
    (home / "conf/run/pets.yaml").write_text("# mine\n")
    assert command.main(["new", place]) == 1
    assert (home / "conf/run/pets.yaml").read_text() == "# mine\n"
    assert command.main(["new", place, "--replace"]) == 0


def test_a_name_of_the_projects_is_not_taken(home, tmp_path):
    assert command.main(["new", str(in_folders(tmp_path / "mnist"))]) == 0
    assert (home / "conf/data/mnist_own.yaml").is_file()
    assert command.main(["new", str(tmp_path / "mnist"), "--name", "speech"]) == 1


def test_a_network_of_ones_own_is_built_with_its_weights(home, tmp_path):
    home.mkdir()
    (home / "nets_of_scaffold.py").write_text(
        "from torch import nn\n\n\nclass Mine(nn.Sequential):\n    def __init__(self, shape, classes):\n"
        "        super().__init__(nn.Conv2d(shape[0], 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(classes))\n"
    )
    place = in_folders(tmp_path / "pets")
    weights = tmp_path / "mine.pth"
    weights.write_bytes(b"")
    assert (
        command.main(
            ["new", str(place), "--model", "nets_of_scaffold.Mine", "--weights", str(weights), "--name", "own_net"]
        )
        == 0
    )
    config = Plan("own_net").config("own_net")
    assert config["model"]["_target_"] == "nets_of_scaffold.Mine"
    assert config["training"]["weights"] == str(weights) and config["training"]["max_epochs"] == 0


def with_copies(folder: Path) -> Path:
    """Two splits: two training pictures are in the test too, one is under both classes, one is there twice."""
    parts = [f"{split}/{kind}" for split in ("train", "test") for kind in ("cat", "dog")]
    pictures(folder, [f"{part}/{i}.png" for part in parts for i in range(9)])
    copies = {"train/cat/10": "test/cat/0", "train/dog/11": "test/dog/1"}
    for place, given in (copies | {"train/dog/12": "train/cat/3", "train/cat/13": "train/cat/4"}).items():
        shutil.copy(folder / f"{given}.png", folder / f"{place}.png")
    return folder


def test_copies_are_counted_before_anything_is_prepared_and_as_they_will_be(home, tmp_path, capsys):
    place = with_copies(tmp_path / "data")
    assert command.main(["new", str(place), "--name", "doubles"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2 outside of the test or the validation are copies of ones in it: left out" in said
    assert "2 stand under two classes with the same content: left out" in said
    assert "1 is there more than once: copies are never on both sides" in said
    without = {one["why"]: one["n"] for one in prepared("doubles", tmp_path)["left_out"]}
    assert without == {"copy": 2, "two_classes": 2}


@pytest.mark.parametrize("make", [in_folders, in_splits, sounds, moments, stacked])
def test_nothing_is_said_of_copies_where_there_are_none(make, home, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    assert command.main(["new", str(make(tmp_path / "data")), "--name", "single"]) == 0
    told = capsys.readouterr().out
    assert not any(said in told for said in ("copies of", "a copy of", "more than once", "same content"))


def test_texts_are_copies_by_their_words(home, tmp_path, capsys):
    rows = [[f"a {v} film, number {i}", v, ("train", "test")[i % 3 == 0]] for i in range(30) for v in ("fine", "dull")]
    rows += [["A  FINE film, number 3", "fine", "train"], ["a dull film, number 1", "fine", "train"]]
    assert (
        command.main(["new", str(table(tmp_path / "reviews_with_copies.csv", ["text", "label", "split"], rows))]) == 0
    )
    said = " ".join(capsys.readouterr().out.split())
    assert "2 stand under two classes with the same content: left out" in said, said
    assert "1 outside of the test or the validation is a copy of one in it: left out" in said
    without = {one["why"]: one["n"] for one in prepared("reviews_with_copies", tmp_path)["left_out"]}
    assert without == {"copy": 1, "two_classes": 2}


def dated(folder: Path) -> Path:
    rows = [[f"r{i}", f"2024-01-31 10:00:{t:02d}.5", *CHANCE.normal(size=2).round(3), ("shake", "turn")[i % 2]]
            for i in range(36) for t in range(30)]  # fmt: skip
    return table(folder / "dated.csv", ["recording", "time", "x", "y", "gesture"], rows)


def beats(folder: Path) -> Path:
    rows = [[*CHANCE.uniform(size=40).round(3), float(i % 3)] for i in range(60)]
    return table(folder / "last.csv", [], rows)


def parted(folder: Path) -> Path:
    rows = [
        [f"text number {i} of {'good' if i % 2 else 'bad'}", i % 2, ("train ", "Test")[i % 3 == 0]] for i in range(40)
    ]
    return table(folder / "parted.csv", ["text", "label", "split"], rows)


def numbered(folder: Path) -> Path:
    return in_folders(folder / "1e3")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (dated, "36 recordings"),
        (beats, 'label: "column 41", the last, of 3 values'),
        (parted, 'split: "split"'),
        (numbered, "cat (12)"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_tables_and_names_as_others_have_them_can_be_fetched_too(make, said, home, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    place = make(tmp_path / "data")
    assert command.main(["new", str(place)]) == 0, capsys.readouterr().err
    assert said in capsys.readouterr().out
    assert sum(prepared(place.stem, tmp_path)["splits"].values()) > 20


@pytest.mark.parametrize(
    ("shape", "names", "form"),
    [
        ((28, 28), ("x_train", "y_train", "x_test", "y_test"), lambda y: y),
        ((3, 8, 8), ("X", "y"), lambda y: np.array(["cat", "dog"])[y]),
        ((16, 20, 3), ("train_images", "train_labels", "test_images", "test_labels"), lambda y: y[:, None]),
        ((16, 20, 1), ("images", "labels"), lambda y: np.eye(2)[y]),
        ((16, 20, 3), ("data", "target"), lambda y: y.astype(float)),
    ],
    ids=["Keras", "channels first", "MedMNIST", "one of several columns", "fractions"],
)
def test_pictures_in_an_archive_are_pictures(home, tmp_path, capsys, shape, names, form):
    arrays = {}
    for name in names:
        y = np.arange(40) % 2
        pixels = CHANCE.integers(0, 256, (40, *shape)).astype(np.uint8)
        arrays[name] = form(y) if set(name.split("_")) & {"y", "labels", "target"} else pixels
    np.savez(tmp_path / "all.npz", **arrays)
    assert command.main(["new", str(tmp_path / "all.npz")]) == 0
    assert "Images at" in capsys.readouterr().out
    made = prepared("all", tmp_path)
    assert made["kind"] == "images" and len(made["classes"]) == 2
    assert made["shape"][0] == (3 if 3 in shape else 1) and sum(made["splits"].values()) == 20 * len(names)
    assert made["splits"]["test"] == (40 if len(names) == 4 else 8)
    labels = np.loadtxt(tmp_path / "made/samples.csv", delimiter=",", skiprows=1, dtype=str)
    assert len(labels) == 20 * len(names)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"X": np.zeros((4, 9, 9, 3)), "z": np.zeros(4)}, "It holds X (4, 9, 9, 3), z (4,)"),
        ({"X": np.zeros((4, 9, 9, 3)), "y": np.zeros(3)}, "all.npz: y is of shape (3,), for 4 pictures"),
        ({"X": np.zeros((4, 9, 9, 3)), "y": np.array([0, 1, 0.5, 1])}, "holds fractions, such as 0.5"),
    ],
)
def test_archives_of_pictures_without_classes_are_refused(home, tmp_path, capsys, arrays, says):
    np.savez(tmp_path / "all.npz", **arrays)
    assert command.main(["new", str(tmp_path / "all.npz")]) == 1
    assert says in capsys.readouterr().err


def test_an_array_of_objects_is_refused_in_one_sentence(home, tmp_path, capsys):
    for i in range(8):
        file = tmp_path / f"data/{'ab'[i % 2]}/{i}.npy"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, np.array([{"x": 1}], dtype=object), allow_pickle=True)
    assert command.main(["new", str(tmp_path / "data")]) == 1
    said = capsys.readouterr().err
    assert "can't be read as an array of numbers" in said and said.count("\n") == 1


def slow(folder: Path) -> Path:
    import soundfile

    for i in range(24):
        file = folder / "slow" / ("near", "far")[i % 2] / f"{i}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, 0.3 * CHANCE.normal(size=4000), (100, 1000)[folder.name == "1000"])
    return folder / "slow"


@pytest.mark.parametrize("rate", ["100", "1000"])
def test_of_few_values_a_second_it_proposes_what_can_be_made(home, tmp_path, capsys, rate):
    assert command.main(["new", str(slow(tmp_path / rate)), "--name", f"slow_{rate}"]) == 0, capsys.readouterr().err
    assert prepared(f"slow_{rate}", tmp_path)["shape"][1] >= 16


@pytest.mark.parametrize(
    ("head", "row", "asks"),
    [
        ("emotion,pixels", "{c},1 2 3 4 5 6 7 8 {i}", "each cell of 'pixels' holds many numbers"),
        ("label,pixel0,pixel1,pixel2", "{c},1,{i},3", "3 columns are called as pixels are"),
        ("", "some words {i} of it,{c}", "has no line of names of columns: its first is 'some words 0 of it', '0'"),
    ],
)
def test_tables_that_would_be_taken_for_something_else_are_asked_about(home, tmp_path, capsys, head, row, asks):
    lines = [head] * bool(head) + [row.format(i=i, c=i % 2) for i in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    assert command.main(["new", str(tmp_path / "a.csv")]) == 1
    assert asks in capsys.readouterr().err


def test_tables_are_told_by_what_most_of_their_rows_are(home, tmp_path, capsys):
    words = "".join(f"das war {i}, sehr {('gut', 'schlecht')[i % 2]};{'ab'[i % 2]};{i % 2}\n" for i in range(40))
    (tmp_path / "a.csv").write_text("Text;Class;Spam\n" + words)
    assert command.main(["new", str(tmp_path / "a.csv"), "--column", "label=Class"]) == 0
    assert 'text: "Text"' in capsys.readouterr().out
    for i in range(12):
        file = tmp_path / f"waves/{'ab'[i % 2]}/{i}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{value:.3f}\n" for value in CHANCE.normal(size=40)))
    assert command.main(["new", str(tmp_path / "waves")]) == 0
    assert capsys.readouterr().out.startswith("Signals")


def sung(folder: Path, hertz: dict[str, float], rate: int, seconds: float = 0.5) -> Path:
    """Recordings of a tone of its class, in each over a faint hiss and a hum that is louder than all else."""
    import soundfile

    time = np.arange(round(rate * seconds)) / rate
    for i in range(24):
        name = list(hertz)[i % len(hertz)]
        file = folder / "sung" / name / f"{i}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        tone = 0.2 * np.sin(2 * np.pi * hertz[name] * time) * (np.abs(time - seconds / 2) < seconds / 10)
        hum = 0.4 * np.sin(2 * np.pi * 50 * time)
        soundfile.write(file, tone + hum + CHANCE.normal(0, 1e-4, len(time)), rate)
    return folder / "sung"


@pytest.mark.parametrize(
    ("hertz", "rate", "wanted"),
    [
        ({"noctule": 22_000, "pipistrelle": 45_000, "horseshoe": 82_000}, 250_000, (170_000, 250_000)),
        ({"one": 20_000, "other": 60_000}, 500_000, (130_000, 500_000)),
        ({"robin": 4_000, "goldcrest": 7_000}, 44_100, (16_000, 16_000)),
        ({"robin": 4_000, "cricket": 15_000}, 48_000, (32_000, 48_000)),
    ],
)
def test_the_rate_that_is_proposed_keeps_what_is_in_the_recordings(home, tmp_path, capsys, hertz, rate, wanted):
    assert command.main(["new", str(sung(tmp_path, hertz, rate)), "--name", "sung"]) == 0, capsys.readouterr().err
    told = capsys.readouterr().out
    proposed = Plan("sung").config("sung")["data"]["prepare"]["spectrogram"]["sample_rate"]
    assert wanted[0] <= proposed <= wanted[1]
    assert f"sample_rate: {proposed} Hz" in told and "kHz" in told
    axes = prepared("sung", tmp_path)["axes"]
    assert axes[0]["values"][-1] > 0.95 * max(hertz.values())  # the centre of the last band


@pytest.mark.parametrize("seconds", [0.008, 0.03, 0.1])
def test_of_short_recordings_the_window_is_short(home, tmp_path, capsys, seconds):
    made = sung(tmp_path, {"low": 20_000, "high": 60_000}, 250_000, seconds)
    assert command.main(["new", str(made), "--name", "short"]) == 0, capsys.readouterr().err
    facts = prepared("short", tmp_path)
    assert not facts["left_out"] and sum(facts["splits"].values()) == 24
    assert facts["axes"][1]["values"][-1] < 2 * seconds


def test_recordings_of_too_few_values_a_second_for_sounds_are_told_to_be_signals(home, tmp_path, capsys):
    import soundfile

    for i in range(24):
        file = tmp_path / "data" / ("near", "far")[i % 2] / f"{i}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, 0.3 * CHANCE.normal(size=400), 50)
    assert command.main(["new", str(tmp_path / "data")]) == 1
    said = capsys.readouterr().err
    assert "50 values a second" in said and "--kind signals" in said
    assert command.main(["new", str(tmp_path / "data"), "--kind", "signals", "--name", "slow"]) == 0


def test_it_is_said_that_recordings_of_lower_rates_have_no_heights(home, tmp_path, capsys):
    sung(tmp_path, {"robin": 4_000, "cricket": 15_000}, 48_000)
    (tmp_path / "sung" / "telephone").mkdir()
    sung(tmp_path / "other", {"telephone": 1_000}, 8_000)
    for file in (tmp_path / "other/sung/telephone").iterdir():
        file.rename(tmp_path / "sung/telephone" / f"t{file.name}")
    assert command.main(["new", str(tmp_path / "sung"), "--name", "sung"]) == 0
    assert "nothing above 4 kHz" in capsys.readouterr().out


def test_pictures_of_several_depths_are_told_and_none_is_black(home, tmp_path, capsys):
    for i in range(24):
        file = tmp_path / "data" / ("cat", "dog")[i % 2] / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        values = CHANCE.random((20, 20)) * (4095 if i % 4 < 2 else 255)
        Image.fromarray(values.astype(np.uint16 if i % 4 < 2 else np.uint8)).save(file)
    assert command.main(["new", str(tmp_path / "data"), "--name", "depths"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "whole numbers from 0 to 4095 (12)" in told and "8 bits from 0 to 255 (12)" in told
    prepared("depths", tmp_path)
    means = np.load(tmp_path / "made/inputs.npy").mean(axis=(1, 2, 3))
    assert means.min() > 100 and means.max() < 155


@pytest.mark.parametrize(
    ("name", "says"),
    [("cats.zip", "It holds archives, such as"), ("a.tar.gz", "unpack them"), ("a/1.tga", "Most are .tga (1)")],
)
def test_a_folder_of_what_is_not_read_is_told_what_it_holds(home, tmp_path, capsys, name, says):
    file = tmp_path / "data" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"anything")
    assert command.main(["new", str(tmp_path / "data")]) == 1
    assert says in capsys.readouterr().err


def _when(i: int) -> str:
    return f"2024-01-{1 + i // 24:02} {i % 24:02}:00:00"


@pytest.mark.parametrize(
    ("head", "row", "says"),
    [
        (["file", "label"], lambda i: [f"{i:03}.png", "ab"[i % 2]], "names files, such as 000.png"),
        (["path", "label"], lambda i: [f"C:\\data\\{i}.WAV", "ab"[i % 2]], "--labels"),
        (["url", "label"], lambda i: [f"https://x.org/{i}", "ab"[i % 2]], "get the files first"),
        (["when", "x", "y", "label"], lambda i: [_when(i), i / 3, i / 7, "ab"[i % 2]], "number its pieces"),
        (["rec", "x", "label"], lambda i: [i // 10, f"{i / 7:.3f} mV", "ab"[i // 10 % 2]], "the unit as data"),
        (["text", "label"], lambda i: [f"see https://x.org/{i}.png or {i}", "ab"[i % 2]], ""),
        (["image", "caption", "label"], lambda i: [f"{i}.png", f"a dog number {i} runs", "ab"[i % 2]], ""),
    ],
    ids=["files", "Windows", "addresses", "dates", "units", "texts", "captions"],
)  # fmt: skip
def test_names_of_files_dates_and_measures_are_no_texts(home, tmp_path, capsys, head, row, says):
    place = table(tmp_path / "all.csv", head, [row(i) for i in range(60)])
    assert command.main(["new", str(place)]) == bool(says)
    assert says in capsys.readouterr().err
    if not says:
        assert Plan("all").config("all")["data"]["prepare"]["text"] in ("text", "caption")


def test_decimal_commas_between_semicolons_are_signals(home, tmp_path, capsys):
    rows = [f"{i // 20};{i % 20};{CHANCE.normal():.3f}".replace(".", ",") + f";{'ab'[i // 20 % 2]}" for i in range(800)]
    (tmp_path / "moves.csv").write_text("\n".join(["rec;t;x;label", *rows]))
    assert command.main(["new", str(tmp_path / "moves.csv")]) == 0
    assert prepared("moves", tmp_path)["shape"] == [1, 20]


def test_columns_of_words_that_are_not_read_are_said(home, tmp_path, capsys):
    rows = [[f"a dog {i} runs", f"an animal {i} moves on", ("yes", "no")[i % 2]] for i in range(40)]
    assert command.main(["new", str(table(tmp_path / "pairs.csv", ["premise", "hypothesis", "label"], rows))]) == 0
    assert "'hypothesis' alone is read, and not 'premise'" in capsys.readouterr().out


def test_folders_of_folds_and_of_people_are_asked_about(home, tmp_path, capsys):
    names = [f"fold{k}/{'ab'[i % 2]}_{10 * k + i}.png" for k in (1, 2, 3) for i in range(10)]
    assert command.main(["new", str(pictures(tmp_path / "folds", names))]) == 0, "their names say the classes"
    assert "2 classes: a (15), b (15)" in capsys.readouterr().out
    names = [f"fold{k}/{i}.png" for k in (1, 2, 3) for i in range(10)]
    assert command.main(["new", str(pictures(tmp_path / "plain", names))]) == 1
    assert "--splits false" in capsys.readouterr().err
    names = [f"Actor_{k:02}/03-{i % 2}-{k}{i}.png" for k in (1, 2, 3) for i in range(10)]
    assert command.main(["new", str(pictures(tmp_path / "actors", names))]) == 0
    assert "are called like people" in " ".join(capsys.readouterr().out.split())


def test_a_folder_with_a_table_of_texts_for_each_split(home, tmp_path, capsys):
    rows = [[f"the film number {i} was {v}", v] for i in range(60) for v in [("fine", "dull")[i % 3 == 0]]]
    (tmp_path / "films").mkdir()
    table(tmp_path / "films/train.csv", ["text", "label"], rows[:40])
    table(tmp_path / "films/test.csv", ["text", "label"], rows[40:])
    assert command.main(["new", str(tmp_path / "films")]) == 0
    assert "splits by tables: test 20, train 40" in capsys.readouterr().out
    assert prepared("films", tmp_path)["splits"]["test"] == 20
    table(tmp_path / "films/test.csv", ["text", "id"], rows[40:])
    assert command.main(["new", str(tmp_path / "films"), "--name", "other"]) == 1
    assert "test.csv has no column 'label'" in capsys.readouterr().err


@pytest.mark.parametrize("lines", [True, False])
def test_texts_as_annotators_export_them(home, tmp_path, capsys, lines):
    rows = [{"id": i, "text": f"the film number {i} was long", "label": [("good", "bad")[i % 2]]} for i in range(40)]
    place = tmp_path / ("said.jsonl" if lines else "said.json")
    place.write_text("\n".join(map(json.dumps, rows)) if lines else json.dumps(rows, indent=2))
    assert command.main(["new", str(place)]) == 0
    assert prepared("said", tmp_path)["classes"] == ["bad", "good"]
    rows = [{"data": {"text": f"film {i}"}, "kind": "ab"[i % 2]} for i in range(40)]
    place.write_text(json.dumps(rows))
    assert command.main(["new", str(place), "--name", "other"]) == 1
    assert "json_normalize" in capsys.readouterr().err


def test_labels_of_a_table_may_be_said_with_its_columns(home, tmp_path, capsys):
    names = [f"{i:03}.png" for i in range(40)]
    place = pictures(tmp_path / "birds", names)
    rows = [[name, "ab"[i % 2], ("train", "valid", "test")[i % 10 // 4]] for i, name in enumerate(names)]
    table(place / "birds.csv", ["file", "kind", "set"], rows)
    assert command.main(["new", str(place), "--labels", "birds.csv"]) == 1
    said = capsys.readouterr().err
    option = "{table: birds.csv, file: file, label: kind, split: set}"
    assert f'--labels "{option}"' in said and "split: false" in said
    assert command.main(["new", str(place), "--labels", option]) == 0
    assert prepared("birds", tmp_path)["splits"] == {"train": 16, "validation": 16, "test": 8}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a/1.nii.gz", b"\x1f\x8b", "nibabel"),
        ("a/1.dcm", b"x", "pydicom"),
        ("a/IM0001", bytes(128) + b"DICM", "pydicom"),
        ("data_batch_1", b"\x80\x04x", "load it where you trust it"),
        ("train-images-idx3-ubyte", b"\0\0\x08\x03" + bytes(99), "MNIST's format"),
        ("a/photo", b"\x89PNG", "--kind images"),
        ("a/1234", b"From: somebody", "--kind texts"),
        ("data/train.parquet", b"PAR1", "row.image['bytes']"),
        ("r/1.hea", b"r 1", "wfdb.rdsamp"),
        ("r/1.edf", b"0", "mne.io"),
        ("oak/1.svg", b"<svg/>", "save them as PNG"),
    ],
)
def test_formats_that_are_not_read_are_told_how_to_be_made_readable(home, tmp_path, capsys, name, content, says):
    for file, what in ((name, content), ("README.md", b"x"), ("info.json", b"{}")):
        (tmp_path / "data" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / file).write_bytes(what)
    assert command.main(["new", str(tmp_path / "data")]) == 1
    said = capsys.readouterr().err
    assert says in said and "unpack" not in said


@pytest.mark.parametrize(
    ("name", "says"),
    [("a.xlsx", "Save it as CSV"), ("a.mat", "loadmat"), ("X.npy", "without its classes"), ("a.mp4", "ffmpeg"),
     ("a.zip", "unpack it"), ("a.bin", "of no kind")],
)  # fmt: skip
def test_a_single_file_that_is_not_read_is_told_what_it_is(home, tmp_path, capsys, name, says):
    (tmp_path / name).write_bytes(b"PK")
    assert command.main(["new", str(tmp_path / name)]) == 1
    assert says in capsys.readouterr().err


def test_an_id_beside_the_values_of_a_recording_is_none_of_them(home, tmp_path, capsys):
    rows = [[i, 30 + i % 9, "ab"[i % 2], *CHANCE.normal(size=30).round(3)] for i in range(40)]
    place = table(tmp_path / "beats.csv", ["patient_id", "age", "class", *[f"v{i}" for i in range(30)]], rows)
    assert command.main(["new", str(place)]) == 0
    assert "left out, for their names are not like those of the values: 'patient_id', 'age'" in " ".join(
        capsys.readouterr().out.split()
    )
    assert prepared("beats", tmp_path)["shape"] == [1, 30]


def test_a_single_table_may_be_called_train(home, tmp_path, capsys):
    place = table(
        tmp_path / "beats_train.csv",
        ["beat", *[f"t{i}" for i in range(40)]],
        [["ab"[i % 2], *CHANCE.normal(size=40).round(3)] for i in range(40)],
    )
    assert command.main(["new", str(place)]) == 0
    assert "a fifth of each class is kept for the test" in capsys.readouterr().out
    assert set(prepared("beats_train", tmp_path)["splits"]) == {"train", "validation", "test"}


@pytest.mark.parametrize("head", [["label", *[f"{a}x{b}" for a in range(1, 21) for b in range(1, 21)]], []])
def test_tables_of_pictures_are_no_signals(home, tmp_path, capsys, head):
    rows = [[i % 10, *CHANCE.integers(0, 256, 400)] for i in range(40)]
    assert command.main(["new", str(table(tmp_path / "digits_train.csv", head, rows))]) == 1
    assert "Make an archive of them" in capsys.readouterr().err


@pytest.mark.parametrize("names", [("X_train.npy", "y_train.npy"), ("train/X_train.txt", "train/y_train.txt")])
def test_arrays_in_files_of_their_own_are_to_be_one_archive(home, tmp_path, capsys, names):
    for name in names:
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        save = np.save if name.endswith(".npy") else np.savetxt
        save(tmp_path / "data" / name, CHANCE.normal(size=(20, 30)))
    assert command.main(["new", str(tmp_path / "data")]) == 1
    assert "numpy.savez('all.npz'" in capsys.readouterr().err


def test_lines_that_end_with_a_semicolon_and_have_no_names_are_told(home, tmp_path, capsys):
    rows = [f"{u},{('walk', 'run')[u % 2]},{k},{CHANCE.normal():.2f};" for u in range(20) for k in range(40)]
    (tmp_path / "moves.txt").write_text("\n".join(rows))
    assert command.main(["new", str(tmp_path / "moves.txt")]) == 1
    assert "has no line of names of columns" in capsys.readouterr().err
    (tmp_path / "moves.txt").write_text("\n".join(["person,what,time,x", *rows]))
    assert (
        command.main(["new", str(tmp_path / "moves.txt"), "--column", "recording=person", "--column", "label=what"])
        == 0
    )
    assert prepared("moves", tmp_path)["shape"] == [1, 40]


@pytest.mark.parametrize(
    "names",
    [
        ["JPEGImages/1.png", "JPEGImages/2.png", "Annotations/1.xml", "SegmentationClass/1.png"],
        ["images/train/1.png", "images/val/2.png", "labels/train/1.txt", "labels/val/2.txt"],
        ["train2017/1.png", "val2017/2.png", "annotations/instances_train2017.json"],
        ["train/1.png", "valid/2.png", "train/_annotations.coco.json"],
    ],
    ids=["VOC", "YOLO", "COCO", "Roboflow"],
)
def test_sets_for_detection_are_told_as_such(home, tmp_path, capsys, names):
    pictures(tmp_path / "set", [name for name in names if name.endswith("png")])
    for name in names:
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).touch()
    assert command.main(["new", str(tmp_path / "set")]) == 1
    assert "Cut each box out" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["images", "texts"])
def test_a_class_of_which_none_would_be_left_is_refused_at_once(home, tmp_path, capsys, kind):
    if kind == "images":
        place = pictures(tmp_path / "pets", [*(f"cat/{i}.png" for i in range(12)), "dog/0.png", "dog/1.png"])
    else:
        rows = [[f"number {i} was long", "dog" if i > 37 else "cat"] for i in range(40)]
        place = table(tmp_path / "pets.csv", ["text", "label"], rows)
    assert command.main(["new", str(place)]) == 1
    assert "The class 'dog' has 2 samples" in capsys.readouterr().err
    if kind == "images":
        pictures(place, ["dog/3.png"])
        assert command.main(["new", str(place)]) == 0
        assert prepared("pets", tmp_path)["splits"]


def test_files_of_several_pages_are_said(home, tmp_path, capsys):
    place = in_folders(tmp_path / "stacks")
    for file in list(place.rglob("*.png")):
        page = Image.open(file)
        page.save(file.with_suffix(".tif"), save_all=True, append_images=[page, page])
        file.unlink()
    assert command.main(["new", str(place)]) == 0
    assert "24 hold several pictures, frames or pages" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content"), [("day.txt", "0.5\t1.0\tbird\n2.0\t3.1\tdog\n"), ("day.TextGrid", 'File type = "ooTextFile"')]
)
def test_recordings_with_tracks_of_labels_are_to_be_cut(home, tmp_path, capsys, name, content):
    sounds(tmp_path / "all")
    (tmp_path / "days").mkdir()
    shutil.copy(tmp_path / "all/low/1.wav", tmp_path / "days/day.wav")
    (tmp_path / "days" / name).write_text(content)
    assert command.main(["new", str(tmp_path / "days")]) == 1
    assert "cut them, such as soundfile.write" in capsys.readouterr().err
    for file in (tmp_path / "all").rglob("*.wav"):
        file.with_suffix(".txt").write_text("what was said, in words")
    assert command.main(["new", str(tmp_path / "all"), "--kind", "sounds"]) == 0, "words beside clips are no tracks"


def test_lines_of_fasttext_are_told_and_the_command_makes_a_table(home, tmp_path, capsys):
    import subprocess

    lines = [f"__label__{'ab'[i % 2]} the film number {i} was, well, long" for i in range(40)]
    (tmp_path / "films.txt").write_text("\n".join(lines) + "\n")
    assert command.main(["new", str(tmp_path / "films.txt")]) == 1
    asked = capsys.readouterr().err
    subprocess.run(asked.partition("such as ")[2].strip(), shell=True, check=True, cwd=tmp_path)
    assert command.main(["new", str(tmp_path / "texts.tsv")]) == 0
    assert prepared("texts", tmp_path)["classes"] == ["a", "b"]


def test_recordings_in_tables_and_a_table_of_their_classes_are_signals(home, tmp_path, capsys):
    for i in range(20):
        (tmp_path / "moves/files").mkdir(parents=True, exist_ok=True)
        rows = "".join(f"{k},{CHANCE.normal():.3f}\n" for k in range(30))
        (tmp_path / f"moves/files/rec_{i}.csv").write_text(f"time,x\n{rows}")
    table(tmp_path / "moves/labels.csv", ["file", "label"], [[f"rec_{i}.csv", "ab"[i % 2]] for i in range(20)])
    assert command.main(["new", str(tmp_path / "moves"), "--labels", "labels.csv"]) == 0
    assert prepared("moves", tmp_path)["shape"] == [1, 30]
    assert command.main(["new", str(tmp_path / "moves/labels.csv")]) == 1
    assert "names files, such as rec_0.csv" in capsys.readouterr().err
