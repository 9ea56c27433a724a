"""Changed samples beside the samples themselves, as pictures. What is said: `locale/<language>/changed.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.drawing.pictures import few_colours, to_pixels
from cnnatomy.drawing.showing import Sound, class_name, in_colours
from cnnatomy.exhibit import Item, Say, Text, say

if TYPE_CHECKING:
    from torch import Tensor

    from cnnatomy.dissect.changed.measuring import Read


@dataclass(frozen=True)
class Drawing:
    """How pictures of these samples are stored: in so many colours; the samples with their sounds."""

    samples: Samples
    colours: int
    sound: Sound | None

    def pixels(self, x: Tensor) -> np.ndarray:
        """An input, (channels, rows, columns)."""
        return few_colours(to_pixels(self.samples.facts, x), self.colours)

    def sample(self, place: int, x: Tensor, label: Text, group: Text) -> Item:
        """The sample at this place of the split."""
        table, sound = self.samples.table, None
        if self.sound is not None and self.samples.facts.kind == "sounds" and "file" in table:
            sound = self.sound(table["file"][place])
        return Item(str(table["id"][place]), self.pixels(x), label=label, sound=sound, group=group)

    def said(self) -> Say | None:
        """In how many colours the pictures are shown; nothing where they have none."""
        return say("changed.colours", n=self.colours) if in_colours(self.samples.facts) else None


def read_as(facts: Facts, label: Text, read: Read) -> Say:
    """A picture's label, with the class that it is read as."""
    return say("data.read.of", label=label, read=class_name(facts, read.label), share=read.share)
