"""Heartbeats of made-up patients in two leads: sums of the Gaussians of a published model of the ECG.

McSharry et al. (2003), A dynamical model for generating synthetic electrocardiogram signals, IEEE Transactions on
Biomedical Engineering 50(3). A point runs around a circle, once a beat, and each wave of the ECG is an event on it, at
an angle, with a height and a width. Where it runs evenly and the slow return to the baseline is left out, the equation
of the ECG can be integrated: each wave is a Gaussian in time. What makes a beat ill is drawn here by rules of thumb,
and proves nothing of patients.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cnnatomy.data.fetching import Into

#: The waves P, Q, R, S and T: angle (rad), height as the model has it, width (rad); the model's table 1.
WAVES = {
    "P": (-np.pi / 3, 1.2, 0.25),
    "Q": (-np.pi / 12, -5.0, 0.1),
    "R": (0.0, 30.0, 0.1),
    "S": (np.pi / 12, -7.5, 0.1),
    "T": (np.pi / 2, 0.75, 0.4),
}
KINDS = ("normal", "ventricular", "fibrillation", "raised ST")
LEADS = 2


@dataclass(frozen=True)
class Patient:
    """What stays the same in all beats of one patient.

    interval: from beat to beat, in s. heights: (leads, waves) in mV. widths: (waves,) of 1 as the model has them.
    noise: standard deviation, mV.
    """

    interval: float
    heights: np.ndarray
    widths: np.ndarray
    noise: float

    @classmethod
    def drawn(cls, draw: np.random.Generator) -> Patient:
        angles, heights, widths = (np.array(part) for part in zip(*WAVES.values(), strict=True))
        usual = heights * widths**2 / (heights * widths**2).max()  # integrated; the R wave is 1 mV high
        seen = np.stack([draw.uniform(0.75, 1.25, len(angles)), draw.uniform(0.3, 1.1, len(angles))])
        return cls(
            draw.uniform(0.65, 1.0), usual * seen, draw.uniform(0.85, 1.2, len(angles)), draw.uniform(0.03, 0.09)
        )


def fetch(
    into: Into,
    *,
    seed: int,
    patients: int,
    beats: int,
    rate: float,
    length: int,
    licence: str,
    citation: str,
) -> None:
    """Write the raw zip with `heartbeats.npz`: X (n, 2, length) in mV, y the middle beat's kind, group the patient.

    patients: each has `beats` beats of each kind. rate: in Hz.
    """
    contents = {"heartbeats.npz": stacked(made(seed, patients, beats, rate, length))}
    into.write(contents, licence, citation)


def made(seed: int, patients: int, beats: int, rate: float, length: int) -> dict[str, np.ndarray]:
    """The arrays X, y and group."""
    draw = np.random.default_rng(seed)
    signals, kinds, groups = [], [], []
    for number in range(patients):
        patient = Patient.drawn(draw)
        for kind in KINDS:
            for _ in range(beats):
                signals.append(window(patient, kind, rate, length, draw))
                kinds.append(kind)
                groups.append(f"patient {number}")
    return {"X": np.stack(signals), "y": np.array(kinds), "group": np.array(groups)}


def stacked(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The arrays as an .npz file; equal arrays make equal bytes."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def window(patient: Patient, kind: str, rate: float, length: int, draw: np.random.Generator) -> np.ndarray:
    """A beat of this kind about the middle of a window, with what is seen of those before and after; (leads, length).

    ventricular: early and wide, without a P wave, its T wave upside down. fibrillation: no P waves, ripples of 5 to
    9 Hz instead, and uneven intervals. raised ST: the line between the waves S and T stands above the baseline.
    """
    time = np.arange(length) / rate
    middle = time[length // 2] + draw.uniform(-0.1, 0.1)
    before, after = patient.interval * draw.normal(1, 0.03, 2)
    if kind == "ventricular":
        before, after = 0.75 * before, 1.25 * after
    if kind == "fibrillation":
        before, after = patient.interval * draw.uniform(0.7, 1.3, 2)
    others = "normal" if kind == "ventricular" else kind
    signal = beat(patient, kind, time - middle)
    signal += beat(patient, others, time - middle + before) + beat(patient, others, time - middle - after)
    if kind == "fibrillation":
        ripple = draw.uniform(5, 9) * time + draw.uniform(0, 1)
        signal += 0.08 * np.sin(2 * np.pi * ripple) * draw.uniform(0.6, 1.2, (LEADS, 1))
    breath = 2 * np.pi * (draw.uniform(0.15, 0.4) * time + draw.uniform(0, 1))
    signal += draw.uniform(0, 0.15) * np.sin(breath) + draw.normal(0, patient.noise, signal.shape)
    return signal.round(4).astype(np.float32)  # so that no processor's last bits are in the files


def beat(patient: Patient, kind: str, time: np.ndarray) -> np.ndarray:
    """One beat whose R wave is at time 0 s, (leads, times), in mV."""
    second = patient.interval / (2 * np.pi)  # of a radian
    heights, widths, delays = patient.heights.copy(), patient.widths.copy(), np.zeros(len(WAVES))
    if kind in ("ventricular", "fibrillation"):
        heights[:, 0] = 0
    if kind == "ventricular":
        heights[:, 4] *= -1
        widths[1:4] *= 2.2
        delays[4] = 0.06
    signal = np.zeros((LEADS, len(time)))
    for wave, (angle, _, width) in enumerate(WAVES.values()):
        shape = np.exp(-(((time - angle * second - delays[wave]) / (width * widths[wave] * second)) ** 2) / 2)
        signal += heights[:, wave, None] * shape
    if kind == "raised ST":
        signal += 0.15 * np.exp(-(((time - 0.12) / 0.06) ** 2) / 2)
    return signal
