"""What kind of data lies at a place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from cnnatomy.data import own_signals, own_texts, picture_arrays, pictures, recordings
from cnnatomy.data.errors import DataError
from cnnatomy.data.walking import is_bare, walk
from cnnatomy.scaffold import columns, formats, images, signals, sounds, texts
from cnnatomy.scaffold.proposal import Proposal, Question, Told

KINDS: Mapping[str, Callable[[Path, Told], Proposal]] = {
    "images": images.propose,
    "sounds": sounds.propose,
    "texts": texts.propose,
    "signals": signals.propose,
}
PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
SHARE = 0.8  # of the files are of one kind: then it is that


def propose(path: Path, told: Told, kind: str | None = None) -> Proposal:
    """What is found at `path`, and the settings that suit it; kind: one of `KINDS`, or None to find out.

    Raises DataError for what can't be read, and Question for what only the owner knows.
    """
    proposal = KINDS[kind or kind_of(path, told.encoding)](path, told)
    if told.encoding is not None:
        proposal.set("encoding", told.encoding, "as you say")
    return proposal


def kind_of(path: Path, encoding: str | None = None) -> str:
    """Images, sounds, texts or signals, by names of files and, where these leave it open, by contents."""
    if not path.exists():
        raise DataError(f"{path} is not there. Name a folder with a folder of each class, or a table.")
    if path.is_file():
        return _of_file(path, encoding)
    every = {
        *pictures.SUFFIXES,
        *recordings.suffixes(),
        *own_texts.FILES,
        *own_signals.SUFFIXES,
        *own_signals.WHOLE,
        *own_texts.LINES,
    }
    looked = walk(path, tuple(every))
    found = looked.files
    _refuse_boxes(path, [*found, *looked.left_out.get("suffix", [])])
    if not found and (bare := list(filter(is_bare, looked.left_out.get("suffix", [])))):
        kind, says = formats.of_content(path / max(bare, key=lambda name: name.count("/")))
        if says:
            raise DataError(f"{path} holds files without a suffix, such as {bare[0]}: {says}")
        raise Question(f"{path} holds files without a suffix, such as {bare[0]}. Say what they are: --kind {kind}")
    _refuse_apart(list(found))
    _refuse_tracks(path, list(found), looked.left_out.get("suffix", []))
    counts = Counter(kind for name in found if (kind := _by_suffix(name)))
    if not counts:
        instead = _instead(looked.left_out.get("suffix", []))
        raise DataError(f"{path} holds no pictures, sounds, texts or signals that can be read.{instead}")
    kind, count = counts.most_common(1)[0]
    if kind == "texts" and all(map(_is_of_numbers, [found[name] for name in found if _by_suffix(name) == kind][:5])):
        return "signals"
    if kind in ("arrays", "tables"):
        return _of_folder(kind, [found[name] for name in found if _by_suffix(name) == kind], path)
    if count < SHARE * counts.total():
        named = ", ".join(f"{its} {kind}" for kind, its in counts.most_common())
        raise Question(f"{path} holds files of several kinds: {named}. Say which to use: --kind {kind}")
    return kind


def _instead(names: Sequence[str]) -> str:
    """What a folder holds that can't be read, and what to do about it."""
    packed = [name for name in names if name.lower().endswith(PACKED) and not formats.what(name)]
    if packed:
        return f" It holds archives, such as {packed[0]}: unpack them, each into a folder of its own name."
    return formats.instead(names)


def _is_of_numbers(file: Path) -> bool:
    """Whether a text begins with numbers only, as a recording does."""
    with file.open("rb") as opened:
        words = opened.read(2000).replace(b",", b" ").replace(b";", b" ").split()[:-1]
    return len(words) > 10 and all(columns.is_number(word.decode("latin-1")) for word in words)


def _by_suffix(name: str) -> str:
    low = name.lower()
    if low.endswith((".npy", ".npz")):
        return "arrays"
    if low.endswith(pictures.SUFFIXES):
        return "images"
    if low.endswith(recordings.suffixes()):
        return "sounds"
    return (
        "texts"
        if low.endswith(own_texts.FILES)
        else "tables"
        if low.endswith((*own_texts.CUT, *own_texts.LINES, ".ts"))
        else ""
    )


def _of_file(path: Path, encoding: str | None) -> str:
    name = path.name.lower()
    if says := formats.what(name):
        raise DataError(f"{path} is not read here: {says}.")
    if name.endswith(PACKED):
        raise DataError(f"{path} is packed: unpack it, and name the folder.")
    if name.endswith(".npz") and picture_arrays.holds(path):
        return "images"
    if name.endswith((".npz", ".ts")):
        return "signals"
    if name.endswith((*own_texts.CUT, *own_texts.JSON, ".txt")):
        found = columns.read(path, encoding)
        columns.refuse_names_of_files(found, path)
        numbers = sum(column.is_numbers or column.is_measured for column in found)
        words = [column for column in found if column.is_words]
        if any(column.words > 2 for column in words):
            return "texts"
        return "texts" if words and numbers <= len(found) / 2 else "signals" if numbers >= 2 else "texts"
    raise DataError(
        f"{path} is a single file of no kind that holds many samples. Name the folder with a folder of each class, or "
        "a table (.csv, .tsv, .jsonl, .json, .ts, .npz)."
    )


def _refuse_boxes(path: Path, names: Sequence[str]) -> None:
    """Raise Question for pictures with boxes or outlines of things in them, as VOC, YOLO and COCO lay them out."""
    folders = {part.casefold() for name in names for part in PurePosixPath(name).parts[:-1]}
    ends = {PurePosixPath(name).name.casefold() for name in names}
    coco = any(end.endswith(".json") and end.startswith(("instances_", "_annotations.coco")) for end in ends)
    if coco or {"jpegimages", "annotations"} <= folders or {"images", "labels"} <= folders:
        raise Question(
            f"{path} seems to hold pictures and what is where in them, as sets for detection do: each may show several "
            "things, and here each sample is of one class. Cut each box out, into a file in a folder of its class: "
            "image.crop((left, top, right, bottom)).save(…). If each picture has one class all the same: --kind "
            "images, with --labels and a table of them"
        )


def _refuse_tracks(path: Path, found: Sequence[str], others: Sequence[str]) -> None:
    """Raise Question for long recordings in one folder with files beside them that say what is to be heard when."""
    sounds = {name.rpartition(".")[0] for name in found if _by_suffix(name) == "sounds"}
    tracks = [name for name in [*found, *others] if name.rpartition(".")[0] in sounds and _is_track(path / name)]
    if not tracks or len({name.rpartition("/")[0] for name in sounds}) > 1:
        return
    raise Question(
        f"{path} holds recordings and, beside them, files such as {tracks[0]} that say what is to be heard when. A "
        "sample is a clip of one class here: cut them, such as soundfile.write(f'clips/{label}/{number}.wav', "
        "sound[int(start * rate) : int(end * rate)], rate) for each start, end and label, and name the folder clips"
    )


def _is_track(file: Path) -> bool:
    """Whether a file is a track of labels: of Praat, ELAN and the like by its name, of Audacity by its lines."""
    if file.suffix.lower() in (".textgrid", ".eaf", ".lab", ".phn", ".rttm"):
        return True
    if file.suffix.lower() not in (".txt", ".csv", ".tsv"):
        return False
    with file.open("rb") as opened:
        cells = opened.readline(500).decode("utf-8", "replace").split()
    return len(cells) > 2 and all(map(columns.is_number, cells[:2])) and not columns.is_number(cells[2])


def _refuse_apart(names: Sequence[str]) -> None:
    """Raise Question for files that hold all samples each, X_train.txt and y_train.txt: they are to be one archive."""
    by_name = {PurePosixPath(name).stem.lower(): name for name in names}
    whole = next((by_name[stem] for stem in ("x_train", "x", "train_x") if stem in by_name), "")
    labels = next((by_name[stem] for stem in ("y_train", "y", "train_y", "labels_train") if stem in by_name), "")
    if not whole or not labels:
        return
    load = "numpy.load" if whole.endswith(".npy") else "numpy.loadtxt"
    raise Question(
        f"{whole} and {labels} seem to hold all samples and all classes. Make one archive of them and name that: "
        f"numpy.savez('all.npz', X_train={load}('{whole}'), y_train={load}('{labels}'), X_test=…, y_test=…); or X and "
        "y without splits. Where each channel has a file of its own, numpy.stack([…], axis=1) makes X of them"
    )


def _of_folder(kind: str, files: list[Path], folder: Path) -> str:
    """Arrays may be pictures or signals, by the shape of the first one; tables right in the folder texts or signals.

    Tables in folders inside of it are a recording each.
    """
    if kind == "tables":
        right_in = [file for file in files if file.parent == folder and file.suffix.lower() != ".ts"]
        try:
            return _of_file(right_in[0], None) if len(right_in) == len(files) else "signals"
        except (DataError, Question):
            return "signals"  # whose reader says why
    import numpy as np

    first = next((file for file in files if file.suffix.lower() == ".npy"), None)
    if first is None:
        raise Question("Arrays may be pictures or signals. Say which: --kind images, or --kind signals")
    try:
        shape = np.load(first, mmap_mode="r", allow_pickle=False).shape
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{first} can't be read as an array of numbers: {error}. Save it anew: numpy.save.") from error
    if len(shape) == 1 or (len(shape) == 2 and min(shape) <= signals.WIDE):
        return "signals"
    return "images"
