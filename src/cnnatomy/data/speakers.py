"""Who speaks in a clip: several voices may be one speaker's, and clips of one speaker are alike."""

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


def alike(table: pd.DataFrame, labels: np.ndarray) -> np.ndarray | None:
    """Groups of clips in which one speaker says one word, int (samples,) from 0; None for data that don't name voices.

    A network answers to several such clips much as to one, so that they are not independent samples.
    """
    who = speakers(table)
    if who is None:
        return None
    return who.to_frame("speaker").assign(label=labels).groupby(["speaker", "label"]).ngroup().to_numpy()
