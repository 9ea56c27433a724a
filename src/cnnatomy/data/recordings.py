"""Recordings as people have them, of any width, rate and number of channels, as one; mended where they can be.

What can be read is what libsndfile reads. It says of a file in memory only that it can't; why is found out here.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np

from cnnatomy.data.errors import DamagedData
from cnnatomy.data.files import POINTER

if TYPE_CHECKING:
    import soundfile

#: Suffixes of the formats that libsndfile may know; an old one does not know all of them.
FORMATS = {
    "WAV": (".wav", ".wave"),
    "FLAC": (".flac",),
    "OGG": (".ogg", ".oga", ".opus"),
    "MP3": (".mp3",),
    "AIFF": (".aiff", ".aif", ".aifc"),
    "AU": (".au", ".snd"),
    "CAF": (".caf",),
    "W64": (".w64",),
    "RF64": (".rf64",),
    "NIST": (".sph", ".nist"),
    "VOC": (".voc",),
}
RATES = (100, 1_000_000)  # Hz that are believed
MOST = 60_000_000  # samples of one channel: 20 minutes at 48,000 a second
LONGEST = 3600  # seconds
BLOCK = 1 << 20  # samples that are decoded at a time, of all channels
UNKNOWN = 0x7FFF0000  # bytes; who writes a stream can't know its size, and writes one from here up
FEW, LITTLE = 8, 2000  # an mp3 of one frame (of so few bytes) is read so many times over: libsndfile refuses one alone
CANCELLED = 0.1  # of the power that the louder channel alone would leave in the mean of all
OFFSET = 0.1  # of the standard deviation
LOUD_SHARE, CLICK = 0.999, 20.0  # a click is so many times louder than all but a thousandth of the samples

#: What recordings are that libsndfile doesn't read, whatever their names say: how they begin, and where.
_OTHERS = (
    ("MPEG-4 (m4a, mp4)", b"ftyp", 4),
    ("Matroska (mkv, webm)", b"\x1aE\xdf\xa3", 0),
    ("Windows Media (wma)", b"0&\xb2u\x8ef\xcf\x11", 0),
    ("a film (avi)", b"AVI ", 8),
    ("AMR", b"#!AMR", 0),
    ("an archive (zip)", b"PK\x03\x04", 0),
)
#: What was done to recordings, in words that their number follows.
MENDED = {
    "header": "recordings whose header says that there is no sound, read by what follows it",
    "loud": "recordings beyond full scale, each scaled to its own peak",
    "cancelling": "recordings whose channels cancel each other, of which the louder one is taken",
    "offset": "recordings with an offset, which is taken away",
    "clicks": "recordings with clicks far louder than all else, which are turned down to it",
}


@dataclass(frozen=True, eq=False)
class Recording:
    """sound: float32 (samples,) between -1 and 1. sample_rate: Hz. mended: keys of `MENDED`.

    plain: whether the file is a wav of one channel and whole numbers, which a page can play.
    """

    sound: np.ndarray
    sample_rate: int
    mended: tuple[str, ...] = ()
    plain: bool = False


class Unreadable(DamagedData):
    """What is no recording, or not a whole one. `why`: a few words that many files may share."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} can't be read as a sound: it {why}. Take it out, or put a good copy in its place.")
        self.why = why


def suffixes() -> tuple[str, ...]:
    """The suffixes of what can be read here."""
    import soundfile

    known = soundfile.available_formats()
    return tuple(suffix for name, its in FORMATS.items() if name in known for suffix in its)


def read(content: bytes, name: str) -> Recording:
    """A recording as one channel, the mean of all; the louder one where they cancel each other.

    A clip of floats that goes beyond ±1 is scaled by its own peak. Raises Unreadable.
    """
    whole, mended = _openable(content, name)
    with _opened(whole, name) as file:
        rate, plain = file.samplerate, (file.format, file.channels) == ("WAV", 1) and file.subtype.startswith("PCM")
        if not RATES[0] <= rate <= RATES[1]:
            raise Unreadable(name, f"claims {rate} samples a second, which is outside of {RATES[0]} to {RATES[1]}")
        sound, powers = _mean(file, name)
        claims = file.format, file.frames
    if (
        np.isfinite(powers).all()
        and len(powers) > 1
        and float(np.square(sound, dtype=np.float64).sum()) < CANCELLED * powers.max() / len(powers) ** 2
    ):
        mended.append("cancelling")
        with _opened(whole, name) as file:
            sound = np.concatenate([block[:, int(powers.argmax())] for block in _blocks(file, name, LONGEST)])
    if whole.repeated:
        sound = sound[: len(sound) // FEW]
    if not np.isfinite(sound).all():
        raise Unreadable(name, "holds samples that are no numbers (NaN or infinite)")
    _refuse_cut(claims, len(sound), content, name)
    loudest = float(np.abs(sound).max(initial=0))
    if loudest > 1:
        sound = (sound / loudest).astype(np.float32)
        if loudest > 1.001:  # what rounding in a lossy format may give is no news
            mended.append("loud")
    return Recording(sound, rate, tuple(mended), plain)


def channels(content: bytes, name: str) -> tuple[np.ndarray, int]:
    """All channels of a recording as they are, float64 (channels, samples), and its sample rate in Hz.

    They may hold anything that was measured, of any rate and any length, beyond ±1 and with gaps. Raises Unreadable.
    """
    whole, _ = _openable(content, name)
    with _opened(whole, name) as file:
        claims, rate, width = (file.format, file.frames), file.samplerate, file.channels
        blocks = list(_blocks(file, name, dtype="float64"))
    values = np.concatenate(blocks) if blocks else np.zeros((0, width))
    _refuse_cut(claims, len(values), content, name)
    if not len(values):
        raise Unreadable(name, "holds no sample")
    return values.T, int(rate)


def mended(recording: Recording) -> Recording:
    """A recording without an offset, and with single clicks turned down to the rest.

    A click is at most a thousandth of the samples, and 26 dB above all others; a sound that rings is none.
    """
    sound, done = recording.sound, list(recording.mended)
    if len(sound):
        mean, spread = float(sound.mean(dtype=np.float64)), float(sound.std(dtype=np.float64))
        if abs(mean) > OFFSET * spread and abs(mean) > 1e-4:
            sound = (sound - np.float32(mean)).clip(-1, 1)
            done.append("offset")
        size = np.abs(sound)
        rest = float(np.quantile(size, LOUD_SHARE))
        if 0 < CLICK * rest < size.max():
            sound = sound.clip(-rest, rest)
            done.append("clicks")
    return replace(recording, sound=sound, mended=tuple(done))


def playable(content: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """A recording as what a page plays, a wav of one channel, itself where it is one already; and what was mended.

    Raises Unreadable.
    """
    import soundfile

    recording = mended(read(content, name))
    if recording.plain and not recording.mended:
        return content, ()
    file = io.BytesIO()
    soundfile.write(file, recording.sound, recording.sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue(), recording.mended


class _Seekable(io.BytesIO):
    """Bytes in which damaged headers may point before the beginning: what raises in a callback is printed."""

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return super().seek(0)


class _Openable(NamedTuple):
    """Bytes that libsndfile opens; an mp3 of one frame is there several times over (`FEW`)."""

    content: bytes
    repeated: bool


def _openable(content: bytes, name: str) -> tuple[_Openable, list[str]]:
    """A file as libsndfile reads it, and what was mended. Raises Unreadable for what can be told from its bytes."""
    if not content:
        raise Unreadable(name, "is empty (0 bytes)")
    if content.startswith(POINTER):
        raise Unreadable(name, "is a pointer of git-lfs in place of the sound (git lfs pull fetches it)")
    if content[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise Unreadable(name, "is a web page, as downloads that fail leave them")
    for other, start, at in _OTHERS:
        if content[at : at + len(start)] == start:
            raise Unreadable(name, f"is {other} and no sound that is read here (ffmpeg -i … x.wav makes a wav of it)")
    whole = _with_its_size(content, name)
    mended = [] if whole is content else ["header"]
    whole = _without_tags(whole)
    alone = whole[:1] == b"\xff" and len(whole) < LITTLE and whole.count(whole[:2]) == 1
    return _Openable(whole * FEW if alone else whole, alone), mended


@contextmanager
def _opened(whole: _Openable, name: str) -> Iterator[soundfile.SoundFile]:
    """The file to read from; whatever libsndfile says of it on the way is Unreadable."""
    import soundfile

    try:
        with soundfile.SoundFile(_Seekable(whole.content)) as file:
            yield file
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError, MemoryError, OverflowError) as error:
        _refuse(name, error)


def _mean(file: soundfile.SoundFile, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The mean of all channels, float32 (samples,), and each channel's sum of squares."""
    parts: list[np.ndarray] = []
    powers = np.zeros(file.channels)
    with np.errstate(all="ignore"):  # what is no number is refused later
        for block in _blocks(file, name, LONGEST):
            powers += np.square(block, dtype=np.float64).sum(axis=0)
            parts.append(block.mean(axis=1))
    return (np.concatenate(parts) if parts else np.zeros(0, np.float32)), powers


def _blocks(
    file: soundfile.SoundFile, name: str, seconds: float = math.inf, dtype: str = "float32"
) -> Iterator[np.ndarray]:
    """What a file holds, (samples, channels), in pieces, for a header may claim any length."""
    most, length = min(MOST, seconds * file.samplerate), 0
    while len(block := file.read(max(1, BLOCK // file.channels), dtype=dtype, always_2d=True)):
        length += len(block)
        if length > most:
            raise Unreadable(name, f"is longer than {most / file.samplerate / 60:.0f} minutes; cut it into clips")
        yield block


def _refuse_cut(claims: tuple[str, int], length: int, content: bytes, name: str) -> None:
    """Refuse a file that holds less than its header says, by its kind and its samples."""
    kind, claimed = claims
    if kind == "FLAC" and length < claimed < 1 << 40:
        raise Unreadable(name, "is cut off: it holds less than its header says")
    if not length and len(content) > 1000:
        raise Unreadable(name, f"holds no sound that can be found in its {len(content):,} bytes: it may be cut off")


def _refuse(name: str, error: Exception) -> NoReturn:
    said = str(getattr(error, "error_string", "") or "its header makes no sense").rstrip(".")
    raise Unreadable(name, f"is no sound that can be read ({said})") from error


def _without_tags(content: bytes) -> bytes:
    """A file without the ID3 tags in front of it: libsndfile trips over empty ones."""
    while content[:3] == b"ID3" and len(content) > 10:
        size = sum((byte & 127) << 7 * place for place, byte in enumerate(reversed(content[6:10])))
        content = content[10 + size :]
    return content


def _with_its_size(content: bytes, name: str) -> bytes:
    """A wav whose header says 0 bytes before real sound (its writer was stopped) with its size; all else as it is.

    Raises Unreadable for a wav that ends before its header says.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return content
    place = 12
    while place + 8 <= len(content):
        (size,) = struct.unpack_from("<I", content, place + 4)
        rest = len(content) - place - 8
        if content[place : place + 4] == b"data":
            if size == 0 and rest > 0 and not _chunks(content, place + 8):
                return b"".join([content[: place + 4], struct.pack("<I", rest), content[place + 8 :]])
            if rest + 64 < size < UNKNOWN:  # a few bytes are somebody's arithmetic
                raise Unreadable(name, "is cut off: it holds less than its header says")
            return content
        place += 8 + size + size % 2
    return content


def _chunks(content: bytes, place: int) -> bool:
    """Whether what follows is made of chunks with names and sizes, up to the end."""
    while place + 8 <= len(content):
        if not all(32 <= byte < 127 for byte in content[place : place + 4]):
            return False
        (size,) = struct.unpack_from("<I", content, place + 4)
        place += 8 + size + size % 2
    return place in (len(content), len(content) + 1)
