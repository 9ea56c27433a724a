"""Files of kinds that are not read here: what they are, and how to get some out of them that are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from cnnatomy.data.tables import SAVE

_ARRAYS = (
    "Make one archive of signals or of pictures, with their classes: numpy.savez('all.npz', X=…, y=…), or X_train, "
    "y_train, X_test and y_test"
)
_FILM = "a film; ffmpeg -i … -r 1 %04d.png gives its pictures, and ffmpeg -i … x.wav its sound"
_SOUND = "a sound that is not read here: ffmpeg -i … x.wav makes a wav of it"
_RAW = "raw photographs: save them as TIFF or JPEG, by the camera's program or with rawpy"
_VOLUME = "a volume; of a slice, with nibabel: numpy.save('slice.npy', nibabel.load(file).get_fdata()[:, :, k])"
_PHYSIOLOGY = "with mne: mne.io.read_raw(file).to_data_frame().to_csv(…, index=False)"
_PICKLE = f"what Python wrote, and may be a program: load it where you trust it. {_ARRAYS}"
#: How names end, in small letters, and what such files are, or what makes readable ones of them.
FORMATS = {
    (".dcm", ".dicom", ".ima"): "DICOM; with pydicom: numpy.save('picture.npy', pydicom.dcmread(file).pixel_array)",
    (".nii", ".nii.gz", ".mgz", ".nrrd", ".mha"): _VOLUME,
    (".mat",): f"Matlab's; scipy.io.loadmat(file) reads it, or h5py. {_ARRAYS}",
    (".h5", ".hdf5", ".hdf"): f"HDF5; h5py.File(file) reads it. {_ARRAYS}",
    (".pkl", ".pickle", ".joblib"): _PICKLE,
    (".pt", ".pth"): f"what torch.save wrote. {_ARRAYS}",
    (".npy",): f"one array, without its classes. {_ARRAYS}",
    (".parquet", ".arrow", ".feather"): (
        "a table; with pandas: read_parquet(file).to_csv(…, index=False). Where a column holds pictures or sounds, "
        "write each to a file in a folder of its class: open(…, 'wb').write(row.image['bytes'])"
    ),
    (".xlsx", ".xls", ".ods", ".numbers"): SAVE.rstrip("."),
    (".arff",): "Weka's; with pandas and scipy: DataFrame(scipy.io.arff.loadarff(file)[0]).to_csv(…, index=False)",
    (".tfrecord", ".tfrecords"): "TensorFlow's; write what it holds to a file each, in a folder of its class",
    (".db", ".sqlite", ".sqlite3"): "a database; with pandas: read_sql(…).to_csv(…, index=False)",
    (".edf", ".bdf", ".gdf", ".vhdr", ".fif"): _PHYSIOLOGY,
    (".hea", ".dat"): "WFDB's, perhaps; with wfdb: numpy.save('record.npy', wfdb.rdsamp('record')[0].T)",
    (".mp4", ".avi", ".mov", ".mkv", ".webm"): _FILM,
    (".m4a", ".aac", ".wma", ".amr"): _SOUND,
    (".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf"): _RAW,
    (".svg",): "drawings, no pictures of pixels: save them as PNG",
    (".pdf", ".doc", ".docx", ".rtf"): "documents: save each as plain text, .txt",
    (".html", ".htm", ".xml", ".eml"): "texts with marks of their own: save each as plain text, .txt",
}
#: How files begin that have no suffix, where, and what kind they are of.
_BEGIN = (
    (128, b"DICM", ".dcm"),
    (0, b"\x80\x02", ".pkl"), (0, b"\x80\x03", ".pkl"), (0, b"\x80\x04", ".pkl"), (0, b"\x80\x05", ".pkl"),
    (0, b"\x89HDF", ".h5"), (0, b"PAR1", ".parquet"),
)  # fmt: skip
_IDX = (
    "MNIST's format, in which one file holds all pictures: numpy.frombuffer(open(file, 'rb').read()[16:], "
    "'uint8').reshape(-1, 28, 28), and of classes [8:]. Make one archive of them: numpy.savez('all.npz', X_train=…, "
    "y_train=…, X_test=…, y_test=…)"
)
#: Kinds by how files begin, where these say it.
_KINDS = ((0, b"\x89PNG", "images"), (0, b"\xff\xd8\xff", "images"), (0, b"RIFF", "sounds"), (0, b"fLaC", "sounds"))
#: What lies beside data to tell of them.
_ABOUT = (".md", ".json", ".yaml", ".yml", ".rst", ".log", ".py", ".ipynb", ".cff", ".bib", ".toml", ".sh")


def what(name: str) -> str:
    """What a file is, and how to get readable ones, by its name; "" where nothing is known of it."""
    low = name.lower()
    return next((says for ends, says in FORMATS.items() if low.endswith(ends)), "")


def instead(names: Sequence[str]) -> str:
    """What to do about files of which none is read, as sentences with a blank before them."""
    suffixes = Counter(suffix for name in names if (suffix := PurePosixPath(name).suffix.lower()))
    data = Counter({suffix: count for suffix, count in suffixes.items() if suffix not in _ABOUT}) or suffixes
    if not data:
        return ""
    suffix, count = data.most_common(1)[0]
    example = next(name for name in names if name.lower().endswith(suffix))
    if says := what(example):
        return f" Most are as {example} ({count}): {says}."
    return f" Most are {suffix} ({count}): save them as a kind that is, such as .png, .wav, .txt or .csv."


def of_content(file: Path) -> tuple[str, str]:
    """Of a file without a suffix, its kind by its first bytes ("texts" where nothing else is known), or what it is."""
    with file.open("rb") as opened:
        start = opened.read(200)
    if suffix := next((its for at, told, its in _BEGIN if start[at : at + len(told)] == told), ""):
        return "", what(suffix)
    if start[:3] in (b"\0\0\x08", b"\0\0\x0d"):
        return "", _IDX
    return next((kind for at, told, kind in _KINDS if start[at : at + len(told)] == told), "texts"), ""
