"""A user's own signals: every form in which they come is read alike, and what is wrong with one is said where it is."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from omegaconf import OmegaConf

from cnnatomy.data import heartbeats, own_signals, prepared, signals
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.prepared import Dataset

CONF = Path(__file__).resolve().parents[2] / "conf" / "data"
SETTINGS = {key: value for key, value in OmegaConf.load(CONF / "own_signals.yaml").prepare.items() if key[0] != "_"}
STEPS = 12


def put(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def made(path: Path, into: Path, **changes: Any) -> Dataset:
    """Fetched and prepared, as the steps would."""
    raw = into / "raw.zip"
    own_signals.fetch(Into(raw, None, "d"), path=str(path), licence="unknown", citation="")
    own_signals.prepare(raw, into / "data", digest="e", **(SETTINGS | changes))
    return prepared.load(into / "data")


def recordings(channels: int = 2, n: int = 20) -> list[tuple[str, np.ndarray]]:
    """Recordings of two classes, (channels, steps) each, no two alike."""
    draw = np.random.default_rng(0)
    return [("walk" if i % 2 else "sit", draw.normal(i % 2, 1, (channels, STEPS)).round(3)) for i in range(n)]


def everything(data: Dataset) -> dict[bytes, str]:
    """Every sample's values and its class."""
    found = {}
    for name in data.facts.splits:
        split = data.split(name)
        found |= {x.tobytes(): data.facts.classes[label] for x, label in zip(split.inputs, split.labels, strict=True)}
    return found


def truth(found: list[tuple[str, np.ndarray]]) -> dict[bytes, str]:
    return {values.astype(np.float32).tobytes(): label for label, values in found}


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def table(values: np.ndarray, head: str = "x,y", sign: str = ",") -> str:
    rows = [sign.join(map(str, row)) for row in values.T]
    return "\n".join([head, *rows] if head else rows) + "\n"


AS_FILES = {
    "csv": lambda values: table(values),
    "tsv": lambda values: "# of a wrist\n" + table(values, "x\ty", "\t"),
    "txt": lambda values: table(values, "", "  "),
    "npy": lambda values: saved(values),
    "npz": lambda values: heartbeats.stacked({"values": values.T}),
}


@pytest.mark.parametrize("suffix", AS_FILES)
def test_a_file_for_each_recording(tmp_path, suffix):
    found = recordings()
    files = {f"{label}/{i}.{suffix}": AS_FILES[suffix](values) for i, (label, values) in enumerate(found)}
    data = made(put(tmp_path / "moves", files), tmp_path, unit="g", rate=50)
    facts = data.facts
    assert (facts.kind, facts.classes, facts.shape) == ("signals", ["sit", "walk"], (2, STEPS))
    assert facts.splits == {"train": 14, "validation": 2, "test": 4}
    assert everything(data) == truth(found)
    assert (facts.axes[0].name, facts.axes[0].unit, facts.axes[0].values[-1]) == ("time", "s", (STEPS - 1) / 50)
    names = ["x", "y"] if suffix in ("csv", "tsv") else ["channel 1", "channel 2"]
    assert [channel.name for channel in facts.channels] == names
    assert {channel.unit for channel in facts.channels} == {"g"}


def test_a_sound_file_keeps_its_channels_and_its_rate(tmp_path):
    found = [(label, np.clip(values / 8, -1, 1)) for label, values in recordings()]
    files = {}
    for i, (label, values) in enumerate(found):
        file = io.BytesIO()
        soundfile.write(file, values.T, 250, format="WAV", subtype="DOUBLE")
        files[f"{label}/{i}.wav"] = file.getvalue()
    data = made(put(tmp_path / "moves", files), tmp_path)
    assert everything(data) == truth(found)
    assert data.facts.axes[0].values[1] == 1 / 250


def sound(values: np.ndarray, **how: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, values.T, 250, **({"format": "WAV", "subtype": "DOUBLE"} | how))
    return file.getvalue()


def test_a_sound_file_keeps_its_unit_its_gaps_and_channels_that_cancel_each_other(tmp_path):
    """As a recording to listen to it would be scaled, refused, or one channel."""
    draw = np.random.default_rng(0)
    values = [50 * draw.normal(size=(1, 30)) for _ in range(10)]
    both = [np.concatenate([one, -one]) for one in values]
    both[0][0, 3] = np.nan
    files = {f"{'ab'[i % 2]}/{i}.wav": sound(one) for i, one in enumerate(both)}
    data = made(put(tmp_path / "in", files), tmp_path)
    assert data.facts.counts["missing_values"] == 1 and data.facts.shape == (2, 30)
    both[0][0, 3] = both[0][0, 2:5:2].mean()
    assert {x for x in everything(data)} == {one.astype(np.float32).tobytes() for one in both}


def test_a_sound_file_whose_writer_was_stopped_is_read_by_what_follows(tmp_path):
    values = np.random.default_rng(0).normal(size=(10, 2, 30)).clip(-0.9, 0.9)
    files = {f"{'ab'[i % 2]}/{i}.wav": sound(one, subtype="PCM_16") for i, one in enumerate(values)}
    stopped = bytearray(files["a/0.wav"])
    stopped[40:44] = bytes(4)
    whole = everything(made(put(tmp_path / "in", files), tmp_path))
    assert everything(made(put(tmp_path / "in", {"a/0.wav": bytes(stopped)}), tmp_path)) == whole


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda content: b"", "is empty (0 bytes)"),
        (lambda content: b"version https://git-lfs.github.com/spec/v1\n", "pointer of git-lfs"),
        (lambda content: b"<!DOCTYPE html><html>", "web page"),
        (lambda content: content[: len(content) // 2], "is cut off"),
        (lambda content: b"no sound" * 99, "is no sound that can be read"),
    ],
)
def test_a_sound_file_that_is_none_says_why(tmp_path, spoil, says):
    files = {f"{'ab'[i % 2]}/{i}.wav": sound(np.full((2, 900), i / 20)) for i in range(10)}
    files["a/0.wav"] = spoil(files["a/0.wav"])
    with pytest.raises(DamagedData) as caught:
        made(put(tmp_path / "in", files), tmp_path)
    assert says in str(caught.value) and "a/0.wav" in str(caught.value)


@pytest.mark.parametrize("form", ["files", "long", "ts"])
@pytest.mark.parametrize(
    ("code", "given"),
    [("utf-8-sig", None), ("utf-16", None), ("cp1252", None), ("gb18030", None), ("cp1253", "cp1253")],
)
def test_tables_of_signals_may_be_in_any_encoding(tmp_path, caplog, form, code, given):
    label = {"gb18030": "慢慢地走路的人和狗", "cp1253": "περπάτημα"}.get(code, "gehört")
    if form == "files":
        files = {f"{'ab'[i % 2]}/{i}.csv": f"{label},y\n" + f"{i},1\n2,{i}\n" * 3 for i in range(10)}
    elif form == "long":
        rows = "".join(f"{i},{t},{i * t},{label if i % 2 else 'sit'}\n" for i in range(10) for t in range(6))
        files = {"all.csv": f"recording,x,y,label\n{rows}"}
    else:
        rows = "".join(f"{i},2,{i},4:{label if i % 2 else 'sit'}\n" for i in range(10))
        files = {f"all_{split}.ts": f"@data\n{rows}" for split in ("TRAIN", "TEST")}
        files["all_TEST.ts"] = files["all_TEST.ts"].replace(",2,", ",3,")
    place = put(tmp_path / "in", {name: text.encode(code) for name, text in files.items()})
    settings = {"recording": "recording"} if form == "long" else {}
    data = made(place / "all.csv" if form == "long" else place, tmp_path, encoding=given, **settings)
    assert label in ([one.name for one in data.facts.channels] if form == "files" else data.facts.classes)
    assert ("data.prepare.encoding" in caplog.text) == (code in ("cp1252", "gb18030"))


def test_an_encoding_that_can_not_be_guessed_is_asked_for(tmp_path):
    rows = "".join(
        f"{i},{10 * i + t},{'περπάτημα γρήγορο' if i % 2 else 'κάθισμα'}\n" for i in range(10) for t in range(6)
    )
    place = put(tmp_path, {"all.csv": f"recording,x,label\n{rows}".encode("cp1253")}) / "all.csv"
    with pytest.raises(DataError, match="all.csv is not in UTF-8, .* Name it, as in data.prepare.encoding=cp1256"):
        made(place, tmp_path, recording="recording")
    assert made(place, tmp_path, recording="recording", encoding="cp1253").facts.classes == [
        "κάθισμα",
        "περπάτημα γρήγορο",
    ]


def test_a_table_with_a_line_for_each_moment(tmp_path):
    found = recordings()
    rows = [
        f"{i},{step},{values[0, step]},{label},{values[1, step]}"
        for i, (label, values) in enumerate(found)
        for step in range(STEPS)
    ]
    np.random.default_rng(1).shuffle(rows)
    text = "\n".join(["id,when,x,what,y", *rows])
    file = put(tmp_path, {"moves.csv": text}) / "moves.csv"
    data = made(file, tmp_path, recording="id", time="when", label="what")
    assert everything(data) == truth(found)
    assert [channel.name for channel in data.facts.channels] == ["x", "y"]
    swapped = made(file, tmp_path, recording="id", time="when", label="what", channels=["y"])
    assert swapped.facts.shape == (1, STEPS) and swapped.facts.channels[0].name == "y"


@pytest.mark.parametrize(
    ("name", "head", "sign"), [("a.csv", True, ","), ("a.tsv", False, "\t"), ("a.txt", False, "  ")]
)
def test_a_table_with_a_line_for_each_recording(tmp_path, name, head, sign):
    found = recordings(channels=1)
    lines = [sign.join([label, *map(str, values[0])]) for label, values in found]
    if head:
        lines.insert(0, sign.join(["label", *(f"v{step}" for step in range(STEPS))]))
    data = made(put(tmp_path, {name: "\n".join(lines)}) / name, tmp_path)
    assert everything(data) == truth(found) and data.facts.shape == (1, STEPS)


def test_the_archives_form_with_its_own_split_and_whole_numbers_as_labels(tmp_path):
    """UCR: a table for train and one for test, without a head, labels as 1.0000000e+00; shorter ones end in NaN."""
    found = recordings(channels=1)
    lines = [
        "\t".join([f"{1 + (label == 'walk'):.7e}", *map(str, values[0]), "NaN"]) for label, values in found
    ]  # fmt: skip
    folder = put(
        tmp_path / "Moves",
        {"Moves_TRAIN.tsv": "\n".join(lines[:14]), "Moves_TEST.tsv": "\n".join(lines[14:]), "README.md": "read"},
    )
    data = made(folder, tmp_path, channels=["speed"])
    assert data.facts.channels[0].name == "speed"
    assert data.facts.classes == ["1", "2"] and data.facts.splits == {"train": 12, "validation": 2, "test": 6}
    assert set(everything(data)) == set(truth(found)) and data.facts.shape == (1, STEPS)


SETS = [
    ("leaf_TRAIN.ts", "acsf_TEST.ts"),
    ("X_TRAIN.ts", "X_TEST.ts", "X_eq_TRAIN.ts", "X_eq_TEST.ts"),
    ("X_TRAIN.csv", "X_TEST.csv", "Y_test.csv"),
    ("X_TRAIN.ts",),
]


@pytest.mark.parametrize("names", SETS)
def test_files_of_several_sets_are_not_mixed_and_none_is_dropped_in_silence(tmp_path, names):
    folder = put(tmp_path / "moves", dict.fromkeys(names, "1,2"))
    with pytest.raises(DataError, match="Put the pair to use into a folder of its own") as refused:
        made(folder, tmp_path)
    assert all(name in str(refused.value) for name in names)


def test_of_one_set_in_several_forms_one_is_read(tmp_path):
    found = recordings()
    body = [f"{','.join(map(str, v[0]))}:{','.join(map(str, v[1]))}:{label}" for label, v in found]
    files = {
        f"Moves_{split}.ts": "\n".join(["@data", *part]) for split, part in (("TRAIN", body[:14]), ("TEST", body[14:]))
    }
    other = {"Moves_TRAIN.arff": "", "Moves_TRAIN.txt": "no", "moves_TEST.txt": "no"}
    data = made(put(tmp_path / "moves", files | other), tmp_path)
    assert set(everything(data)) == set(truth(found))


@pytest.mark.parametrize("form", ["long", "npz"])
def test_two_files_may_count_their_recordings_alike(tmp_path, form):
    found, files, changes = recordings(), {}, {}
    for split, part in (("train", found[:14]), ("test", found[14:])):
        if form == "npz":
            labels, values = zip(*part, strict=True)
            files[f"{split}.npz"] = heartbeats.stacked({"X": np.stack(values), "y": np.array(labels)})
        else:
            rows = [f"{i},{x},{y},{label}" for i, (label, values) in enumerate(part) for x, y in values.T]
            files[f"{split}.csv"] = "\n".join(["id,x,y,label", *rows])
            changes = {"recording": "id"}
    data = made(put(tmp_path / "moves", files), tmp_path, **changes)
    assert everything(data) == truth(found) and data.facts.splits["test"] == 6


def test_ts_files_of_several_channels(tmp_path):
    found = recordings()
    body = "\n".join(f"{','.join(map(str, v[0]))}:{','.join(map(str, v[1]))}:{label}" for label, v in found)
    text = f"#from somewhere\n@problemName Moves\n@timeStamps false\n@classLabel true sit walk\n@data\n{body}\n"
    assert everything(made(put(tmp_path, {"moves.ts": text}) / "moves.ts", tmp_path)) == truth(found)


def test_one_archive_of_arrays_in_which_no_group_is_parted(tmp_path):
    found = recordings(n=40)
    labels, values = zip(*found, strict=True)
    groups = np.array([f"patient {i // 4}" for i in range(40)])
    content = heartbeats.stacked({"X": np.stack(values), "y": np.array(labels), "group": groups})
    data = made(put(tmp_path, {"moves.npz": content}) / "moves.npz", tmp_path, channels=["left", "right"])
    assert everything(data) == truth(found)
    assert [channel.name for channel in data.facts.channels] == ["left", "right"]
    whose = data.table.groupby("group")["split"].nunique()
    assert len(whose) == 10 and (whose == 1).all()
    assert data.facts.splits == {"train": 28, "validation": 4, "test": 8}


def test_lengths_gaps_and_copies(tmp_path):
    """Of a longer one the middle, of a shorter one the last value held, a gap a straight line; copies never part."""
    found = recordings(n=20)
    files = {f"{label}/{i}.csv": table(values) for i, (label, values) in enumerate(found)}
    long, short, gap = np.arange(2 * STEPS + 1.0), np.arange(5.0), np.arange(0.0, STEPS)
    files["sit/long.csv"] = table(np.stack([long, -long]))
    files["sit/short.csv"] = table(np.stack([short, -short]))
    cells = [str(value) for value in gap]
    cells[4] = ""
    files["walk/gap.csv"] = "x,y\n" + "\n".join(f"{cell},{value}" for cell, value in zip(cells, gap, strict=True))
    files |= {f"walk/copy{i}.csv": table(found[1][1]) for i in range(3)}
    data = made(put(tmp_path / "moves", files), tmp_path)
    assert data.facts.counts == {"cut": 1, "lengthened": 1, "missing_values": 1}
    table_, inputs = data.table.set_index("id"), dict(zip(data.table["id"], data._inputs, strict=True))
    assert inputs["sit/long.csv"][0].tolist() == long[6 : 6 + STEPS].tolist()
    assert inputs["sit/short.csv"][0].tolist() == [0, 1, 2, 3] + [4] * (STEPS - 4)
    assert inputs["walk/gap.csv"][0].tolist() == gap.tolist()
    assert table_.loc[["walk/1.csv", "walk/copy0.csv", "walk/copy1.csv", "walk/copy2.csv"], "split"].nunique() == 1


def test_windows_of_a_recording_stay_together(tmp_path):
    found = [(label, np.tile(values, 4)) for label, values in recordings()]
    files = {f"{label}/{i}.csv": table(values) for i, (label, values) in enumerate(found)}
    data = made(put(tmp_path / "moves", files), tmp_path, length=STEPS, step=STEPS)
    assert len(data.table) == 4 * len(found) and data.facts.shape == (2, STEPS)
    assert (data.table.assign(of=data.table["id"].str.partition("#")[0]).groupby("of")["split"].nunique() == 1).all()


def test_each_channel_is_normalised_by_the_training_samples(tmp_path):
    from cnnatomy.data.batches import to_tensor

    files = {f"{label}/{i}.csv": table(v * [[1], [100]]) for i, (label, v) in enumerate(recordings())}
    train = made(put(tmp_path / "moves", files), tmp_path).split("train")
    x = to_tensor(train.facts, train.inputs).numpy()
    assert np.allclose(x.mean((0, 2)), 0, atol=1e-5) and np.allclose(x.std((0, 2)), 1, atol=1e-5)
    assert train.facts.channels[1].high == pytest.approx(train.inputs[:, 1].max())


LONG = "id,x,label\n" + "\n".join(f"{i},{step},{'ab'[i % 2]}" for i in range(8) for step in range(3))
PAIRS = "x,y\n1,2\n3,4\n"
ENOUGH = {f"{name}/{i}.csv": f"x,y\n{i},{name == 'a':d}\n2,3\n" for name in "ab" for i in range(2, 9)}
ARRAYS = {f"{name}/1.npy": saved(np.ones((2, 9))) for name in "ab"}
#: What lies there (the first file is the path where it is the only one), settings, and what is said.
WRONG: dict[str, tuple[dict[str, bytes | str], dict[str, Any], str]] = {
    "a word among numbers": ({"a/1.csv": "x\n1\nthree\n", "b/1.csv": "x\n1\n"}, {}, "a/1.csv, line 3: 'three'"),
    "a decimal comma": ({"a/1.csv": "x\ty\n1,500\t2\n", "b/1.csv": "x\ty\n1\t2\n"}, {}, "'1,500' is no number. Write"),
    "a date": ({"a/1.csv": "when,x\n2024-01-02 10:00,1\n", "b/1.csv": "when,x\n,2\n"}, {}, "data.prepare.time"),
    "another kind": ({f"{name}/{i}.mat": "x" for name in "ab" for i in range(3)}, {}, "6 files of other kinds (.mat)"),
    "too many gaps": (ENOUGH | {"a/1.csv": "x,y\n1,1\n,2\n"}, {}, "a/1.csv: of channel 1 1 of 2 values are missing"),
    "another number of channels": ({"a/1.csv": PAIRS, "b/1.csv": "x\n1\n"}, {}, "b/1.csv has 1 channels, a/1.csv"),
    "no such column": ({"a/1.csv": PAIRS, "b/1.csv": PAIRS}, {"channels": ["z"]}, "no column 'z'. There are 'x', 'y'"),
    "a ragged line": ({"a/1.csv": PAIRS + "5\n", "b/1.csv": PAIRS}, {}, "a/1.csv, line 4: there are 1 values"),
    "names that don't fit": (ARRAYS, {"channels": ["x"]}, "channels names 1"),
    "a table without labels": ({"t.csv": "x,y\na,b\n"}, {}, "no column 'label': its first line names 'x', 'y'"),
    "two labels": ({"t.csv": LONG + "\n0,9,b"}, {"recording": "id"}, "line 26: the label of the recording '0' is 'b'"),
    "one class": ({"t.csv": "label,v1,v2\na,1,2\na,2,3\n"}, {}, "there is one label only"),
    "an empty label": ({"t.csv": "label,v1,v2\n,1,2\na,2,3\n"}, {}, "t.csv, line 2: there is no label"),
    "no y": ({"t.npz": heartbeats.stacked({"X": np.ones((2, 3))})}, {}, "should hold the arrays X and y"),
    "y too long": ({"t.npz": heartbeats.stacked({"X": np.ones((2, 3)), "y": np.ones(3)})}, {}, "X is float64 (2, 3)"),
    "no length": ({"t.csv": LONG}, {"recording": "id", "length": 0}, "data.prepare.length is 0"),
    "moments taken for recordings": ({"t.csv": LONG}, {}, "data.prepare.recording=id"),
    "a time in each line": (
        {"t.csv": "time,a,b,c,d,e,f,label\n" + "\n".join(f"{i},1,{i},3,4,5,6,{'xy'[i % 2]}" for i in range(9))},
        {},
        "there is 'time', as if a line were a moment",
    ),
    "labels at the end": (
        {"t.csv": "\n".join(f"0.{i},1,2,{i},4,{i % 2}" for i in range(20))},
        {},
        "data.prepare.label: column 6",
    ),
    "no data in ts": ({"t.ts": "@problemName x\n"}, {}, "no line @data"),
}


@pytest.mark.parametrize("above", ["", "Device: A, 3\nRate;50\n", "Recorded by\tme\n\n"])
@pytest.mark.parametrize("units", ["", "g;m/s\n"])
def test_what_devices_write_above_the_values_is_left_out_and_said(tmp_path, caplog, above, units):
    found = recordings()
    files = {}
    for i, (label, values) in enumerate(found):
        head, *rows = table(values, "x;y", ";").splitlines(keepends=True)
        files[f"{label}/{i}.csv"] = above + head + units + "".join(rows).replace(".", ",")
    data = made(put(tmp_path / "moves", files), tmp_path)
    assert everything(data) == truth(found) and [channel.name for channel in data.facts.channels] == ["x", "y"]
    said = [line for line in caplog.messages if "lines above the values" in line]
    assert bool(said) == bool(above or units)


@pytest.mark.parametrize("when", ["Time (ms)", "time_s", "Timestamp [s]", "Unnamed: 0", "date", "T"])
def test_a_column_that_says_when_is_no_channel(tmp_path, when):
    found = recordings()
    files = {
        f"{label}/{i}.csv": table(np.vstack([np.arange(STEPS), values]), f"{when},x,y")
        for i, (label, values) in enumerate(found)
    }
    assert everything(made(put(tmp_path / "moves", files), tmp_path)) == truth(found)


def test_values_called_t0_and_so_on_are_no_times(tmp_path):
    rows = [f"{i % 2},{','.join(map(str, values[0]))}" for i, (_, values) in enumerate(recordings(1))]
    text = "\n".join([",".join(["index,label", *(f"t{step}" for step in range(STEPS))]), *(f"7,{row}" for row in rows)])
    file = put(tmp_path, {"wide.csv": text}) / "wide.csv"
    assert made(file, tmp_path).facts.shape == (1, STEPS)


def test_a_channel_that_rises_as_time_does_is_said(tmp_path, caplog):
    files = {
        f"{label}/{i}.csv": table(np.vstack([np.arange(STEPS) * 0.02 + i, values]), "Moment,t wave,y")
        for i, (label, values) in enumerate(recordings())
    }
    assert made(put(tmp_path / "moves", files), tmp_path).facts.shape == (3, STEPS)
    assert "the channels 'Moment' rise evenly in every recording" in caplog.text


def test_lines_are_sorted_by_dates_too(tmp_path):
    found = recordings()
    rows = [
        f"{i},2024-02-{1 + step // 10:02d} 10:00:{step % 10:02d}.500,{values[0, step]},{label},{values[1, step]}"
        for i, (label, values) in enumerate(found)
        for step in range(STEPS)
    ]
    np.random.default_rng(1).shuffle(rows)
    file = put(tmp_path, {"moves.csv": "\n".join(["id,when,x,what,y", *rows])}) / "moves.csv"
    assert everything(made(file, tmp_path, recording="id", time="when", label="what")) == truth(found)


def test_an_archive_may_have_arrays_for_each_split_and_time_in_front_of_channels(tmp_path, caplog):
    found = recordings()
    values, labels = np.stack([values for _, values in found]), np.array([label for label, _ in found])
    arrays = {"x_train": values[:12], "y_train": labels[:12], "x_test": values[12:], "y_test": labels[12:]}
    data = made(put(tmp_path, {"t.npz": heartbeats.stacked(arrays)}) / "t.npz", tmp_path, validation=0)
    assert everything(data) == truth(found) and data.facts.splits == {"train": 12, "test": 8}
    arrays = {"X": values.swapaxes(1, 2), "y": labels}
    data = made(put(tmp_path, {"u.npz": heartbeats.stacked(arrays)}) / "u.npz", tmp_path)
    assert everything(data) == truth(found) and "the longer axis is taken for time" in caplog.text


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_where_it_is(tmp_path, what):
    files, changes, says = WRONG[what]
    place = put(tmp_path / "mine", files)
    path = place / next(iter(files)) if len(files) == 1 else place
    with pytest.raises((DataError, DamagedData)) as error:
        made(path, tmp_path, **changes)
    assert says in str(error.value)


def test_infinite_values_are_refused():
    with pytest.raises(DataError, match="there: value 3 of channel 2 is infinite"):
        signals.filled(np.array([[1, 2, 3], [1, 2, np.inf]]), "there")


# Heartbeats


def test_a_beat_is_the_models_waves_at_their_angles():
    """Integrated numerically, the model's equation of the ECG gives the beat, but for its scale and the baseline."""
    patient = heartbeats.Patient(0.8, np.zeros((2, 5)), np.ones(5), 0.0)
    angles, heights, widths = (np.array(part) for part in zip(*heartbeats.WAVES.values(), strict=True))
    patient.heights[:] = heights * widths**2
    time = np.linspace(-0.4, 0.4, 8001)
    ours = heartbeats.beat(patient, "normal", time)[0]
    phase = 2 * np.pi * time / 0.8
    apart = phase[:, None] - angles
    slope = -(heights * apart * np.exp(-(apart**2) / (2 * widths**2))).sum(1)  # dz/dθ, equation 1 without the return
    theirs = np.cumsum(slope) * (phase[1] - phase[0])
    theirs += ours.mean() - theirs.mean()
    assert np.abs(ours - theirs).max() < 0.005 * np.ptp(ours)


def test_the_same_seed_makes_the_same_beats():
    one, two = (heartbeats.stacked(heartbeats.made(3, 2, 2, 125, 40)) for _ in range(2))
    assert one == two
    arrays = heartbeats.made(3, 2, 2, 125, 40)
    assert arrays["X"].shape == (16, 2, 40) and set(arrays["y"]) == set(heartbeats.KINDS)
    assert len(set(arrays["group"])) == 2


@pytest.mark.parametrize("sign", ["\t", ";", "  "])
def test_decimal_commas_are_read_where_nothing_else_is_a_comma(tmp_path, sign):
    found = recordings()
    files = {f"{label}/{i}.txt": table(values, "", sign).replace(".", ",") for i, (label, values) in enumerate(found)}
    assert everything(made(put(tmp_path / "moves", files), tmp_path)) == truth(found)


def test_the_class_may_stand_in_the_last_column_of_a_table_without_names(tmp_path):
    """As in heartbeats that many take from the web: 187 values and the class."""
    found = recordings(channels=1)
    lines = [",".join([*map(str, values[0]), f"{1 + (label == 'walk'):.1f}"]) for label, values in found]
    place = put(tmp_path, {"a.csv": "\n".join(lines)}) / "a.csv"
    with pytest.raises(DataError, match=r"fractions; the last holds 1.0, 2.0. .*data.prepare.label: column 13\."):
        made(place, tmp_path)
    data = made(place, tmp_path, label="column 13")
    assert set(everything(data)) == set(truth(found)) and data.facts.classes == ["1", "2"]
    with pytest.raises(DataError, match="'column 14', and its lines have 13 columns"):
        made(place, tmp_path, label="column 14")


def test_what_tables_and_arrays_of_others_hold_is_told_with_what_helps(tmp_path):
    draw = np.random.default_rng(0)
    X, y = draw.normal(size=(20, 2, 30)), np.array(["a", "b"] * 10)
    moments = "".join(f"{r},01/31/2024 10:00:0{t},{t},{'ab'[r % 2]}\n" for r in range(9) for t in range(9))
    lists = "".join(f'{i % 2},"{draw.normal(size=900).tolist()}"\n' for i in range(9))
    objects, column = io.BytesIO(), io.BytesIO()
    np.savez(objects, X=X, y=y.astype(object))
    np.savez(column, X=X, y=y[:, None].astype("S"))
    put(tmp_path, {"dates.csv": f"id,when,x,label\n{moments}", "lists.csv": f"label,signal\n{lists}",
                   "objects.npz": objects.getvalue(), "column.npz": column.getvalue()})  # fmt: skip
    with pytest.raises(
        DataError, match=r"line 2: '01/31/2024 10:00:00', in the column 'when' .*Write seconds, or"
    ) as e:
        made(tmp_path / "dates.csv", tmp_path, recording="id", time="when")
    assert "If its column says when" not in str(e.value)
    with pytest.raises(DataError, match="It holds many numbers: give each a column of its own") as e:
        made(tmp_path / "lists.csv", tmp_path)
    assert len(str(e.value)) < 300
    with pytest.raises(DataError, match=r"y=y.astype\(str\)"):
        made(tmp_path / "objects.npz", tmp_path)
    assert made(tmp_path / "column.npz", tmp_path).facts.classes == ["a", "b"]


def test_arrays_whose_time_stands_in_front_are_said(tmp_path, caplog):
    found = recordings()
    files = {f"{label}/{i}.npy": saved(values.T if i % 2 else values) for i, (label, values) in enumerate(found)}
    assert everything(made(put(tmp_path / "moves", files), tmp_path)) == truth(found)
    assert "arrays whose first axis is longer, which is taken for time: 10 (" in caplog.text


def _moments(rows: list[str], head: str = "who,trial,time,x,what") -> str:
    return "\n".join([head, *rows]) + "\n"


def test_several_recordings_under_one_name_are_not_joined(tmp_path):
    rows = [f"{s},{t},{k},{s + k / 7},{'ab'[t % 2]}" for s in range(3) for t in range(9) for k in range(8)]
    put(tmp_path, {"a.csv": _moments(rows)})
    with pytest.raises(DataError, match="'0' from line 2: it stands in 3 places with the same times"):
        made(tmp_path / "a.csv", tmp_path, recording="trial", time="time", channels=["x"], label="what")


@pytest.mark.parametrize(
    ("value", "times", "said"), [(-9999, 3, True), (999, 2, True), (-9999, 1, False), (9, 3, False)]
)
def test_a_value_that_may_say_that_there_is_none_is_said(tmp_path, caplog, value, times, said):
    draw = np.random.default_rng(0)
    rows = [
        f"{s},{s},{k},{value if k == 3 and s < times else draw.normal():.3f},{'ab'[s % 2]}"
        for s in range(30)
        for k in range(8)
    ]
    put(tmp_path, {"a.csv": _moments(rows)})
    made(tmp_path / "a.csv", tmp_path, recording="trial", time="time", channels=["x"], label="what")
    assert (f"the value {value} stands {times} times" in caplog.text) == said


@pytest.mark.parametrize("names", [("X", "y"), ("data", "labels"), ("x", "target"), ("signals", "y")])
def test_an_archive_may_call_its_arrays_otherwise(tmp_path, names):
    found = recordings()
    arrays = np.stack([values for _, values in found]), np.array([label for label, _ in found])
    np.savez(tmp_path / "all.npz", **dict(zip(names, arrays, strict=True)))
    assert everything(made(tmp_path / "all.npz", tmp_path)) == truth(found)
