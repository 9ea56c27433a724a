"""Which samples a method shows: those that the configuration names, or ones that can be found without it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from cnnatomy.data.prepared import Facts, Samples


class WrongSetting(ValueError):
    """A setting of a method asks for what there isn't; the message names the setting and what there is."""


def evenly(length: int, most: int) -> np.ndarray:
    """At most `most` places of 0 to length − 1, evenly spread, the first among them; all where there are not more."""
    return np.unique(np.linspace(0, length - 1, min(most, length)).astype(int))


def nearest(name: object, names: Sequence[str]) -> str:
    """What else a name may have been meant to be, as a sentence."""
    near = get_close_matches(str(name), names, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names[:20])}."


def class_of(facts: Facts, name: str | int, setting: str) -> int:
    """The class that a setting names. Raises WrongSetting."""
    if str(name) not in facts.classes:
        raise WrongSetting(f"{setting}: {facts.name!r} has no class {str(name)!r}. {nearest(name, facts.classes)}")
    return facts.classes.index(str(name))


def chosen_samples(samples: Samples, sample: int | Sequence[int] | None, label: str | int | None) -> list[int]:
    """Places in the split of the samples that the configuration asks for.

    `sample` goes before `label`; without both it is the first 6 (the lecture's), or the first sample where there is
    none. Raises WrongSetting for a place outside the split and for an unknown class.
    """
    if sample is not None:
        places = [sample] if not isinstance(sample, Sequence) or isinstance(sample, str) else list(sample)
        for place in places:
            if not isinstance(place, int) or not 0 <= place < len(samples):
                raise WrongSetting(
                    f"sample: {place!r} is no place in the {samples.split} split of {samples.facts.name!r}, which has "
                    f"{len(samples)} samples; give one of 0 to {len(samples) - 1}"
                )
        return places
    classes = samples.facts.classes
    if label is None:
        six = next((index for index, name in enumerate(classes) if name.lower() in ("6", "six")), None)
        return [int(place) for place in np.flatnonzero(samples.labels == six)[:1]] or [0]
    found = np.flatnonzero(samples.labels == class_of(samples.facts, label, "label"))
    if len(found) == 0:
        raise WrongSetting(
            f"label: the {samples.split} split of {samples.facts.name!r} has no sample of the class {str(label)!r}; "
            "choose another class"
        )
    return [int(found[0])]
