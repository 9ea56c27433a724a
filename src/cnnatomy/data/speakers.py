"""Who speaks in a clip: several voices may be one speaker's, and clips of one speaker are alike.

So are other samples that come in groups, such as the recordings of a patient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def speakers(table: pd.DataFrame) -> pd.Series | None:
    """The speaker of each row of a table of samples; None for data that don't name voices.

    A synthetic voice is an accent and a speaker, such as `en-us+f2`: in another accent f2 is still the same.
    """
    if "voice" not in table:
        return None
    voices = table["voice"].astype(str)
    return voices.str.rpartition("+")[2] if "accent" in table else voices


def origins(table: pd.DataFrame) -> pd.Series | None:
    """Where each sample is from, so that samples of one origin are alike: its speaker, or its group, such as a patient.

    None for data that don't say it.
    """
    return table["group"].astype(str) if "group" in table else speakers(table)


def alike(table: pd.DataFrame, labels: np.ndarray) -> np.ndarray | None:
    """Groups of samples of one origin and one class, int (samples,) from 0; None for data without origins.

    Of sounds these are the clips in which one speaker says one word. A network answers to several such samples much as
    to one, so that they are not independent.
    """
    who = origins(table)
    if who is None:
        return None
    return who.to_frame("speaker").assign(label=labels).groupby(["speaker", "label"]).ngroup().to_numpy()
