"""The exhibit: one thing to see, with its numbers, its pictures and the configuration that made it.

Every dissection, lesson, study and evaluation makes a `Showing`, and its step an `Exhibit` of it, which says whose it
is; `Exhibit.write` puts it into a folder, `read` gets it back verified. The report hangs exhibits by their typed blocks
and knows no method by name. `docs/exhibit.md` shows each block; `exhibit.schema.json` beside this package is the
contract of the file.
"""

from cnnatomy.exhibit.axes import Axis, Scale
from cnnatomy.exhibit.blocks import (
    Block,
    Calculator,
    Code,
    Exhibit,
    Figure,
    Frame,
    Grid,
    Input,
    Item,
    Matrix,
    Number,
    Output,
    Prose,
    Sentence,
    Showing,
    Steps,
    Table,
    Texts,
    Unit,
)
from cnnatomy.exhibit.checks import validate
from cnnatomy.exhibit.describing import InvalidExhibit
from cnnatomy.exhibit.live import Live, LiveSample
from cnnatomy.exhibit.store import DamagedExhibit, load, read
from cnnatomy.exhibit.touch import Convolver, Descent, Filtering, HiddenUnit, Kernel, Mask
from cnnatomy.exhibit.words import Say, Text, Words, say

__all__ = [
    "Axis",
    "Block",
    "Calculator",
    "Code",
    "Convolver",
    "DamagedExhibit",
    "Descent",
    "Exhibit",
    "Figure",
    "Filtering",
    "Frame",
    "Grid",
    "HiddenUnit",
    "Input",
    "InvalidExhibit",
    "Item",
    "Kernel",
    "Live",
    "LiveSample",
    "Mask",
    "Matrix",
    "Number",
    "Output",
    "Prose",
    "Say",
    "Scale",
    "Sentence",
    "Showing",
    "Steps",
    "Table",
    "Text",
    "Texts",
    "Unit",
    "Words",
    "load",
    "read",
    "say",
    "validate",
]
