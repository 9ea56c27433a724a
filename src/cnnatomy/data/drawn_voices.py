"""Voices for eSpeak NG that nobody designed: what a voice's file may say, drawn at random.

Most of the synthesiser's own are near-copies of each other, and a network that learns from few voices knows few.
"""

from __future__ import annotations

import numpy as np

FOLDER = "espeakng_loader/espeak-ng-data/voices/!v"
#: Of each sex: the pitch in Hz at its lowest, and the length of the vocal tract as what formants are multiplied with.
SEXES = {"female": ((130, 200), (1.0, 1.2)), "male": ((65, 120), (0.8, 1.05))}
FORMANTS = range(1, 9)  # 0 is the voice's fundamental, which `pitch` moves
TONE_HZ = (300, 800, 1600, 3000)  # where the voice's equaliser has its knots


def drawn(draw: np.random.Generator, sex: str) -> bytes:
    """A voice's file (espeak-ng/docs/voices.md).

    Each formant lies up to 12 % from where the tract's length would put it, is up to 40 % weaker or 60 % stronger, 30 %
    narrower or 50 % wider; roughness, voicing, consonants and an equaliser are drawn too.
    """
    (lowest, highest), tract = SEXES[sex]
    pitch, length = draw.uniform(lowest, highest), draw.uniform(*tract)
    lines = [
        "language variant",
        f"pitch {pitch:.0f} {pitch * draw.uniform(1.3, 1.6):.0f}",
        f"flutter {draw.integers(0, 10)}",
        f"roughness {draw.integers(0, 4)}",
        f"voicing {draw.integers(40, 160)}",
        f"consonants {draw.integers(60, 160)} {draw.integers(60, 160)}",
    ]
    for formant in FORMANTS:
        place = 100 * length * draw.uniform(0.88, 1.12)
        lines.append(f"formant {formant} {place:.0f} {draw.integers(60, 160)} {draw.integers(70, 150)}")
    knots = " ".join(f"{hz} {draw.integers(40, 255)}" for hz in TONE_HZ)
    return "\n".join([*lines, f"tone {knots}", ""]).encode()
