"""The exhibit: one thing to see, with its numbers, its pictures and the configuration that made it.

Every dissection, lesson, study and evaluation returns an `Exhibit`; its `write` puts it into a folder, `read`
gets it back verified. The report hangs exhibits by their typed blocks and knows no method by name.
`docs/exhibit.md` shows each block; `exhibit.schema.json` beside this package is the contract of the file.
"""

from cnnatomy.exhibit.blocks import (
    Block,
    Calculator,
    Exhibit,
    Figure,
    Frame,
    Grid,
    Input,
    InvalidExhibit,
    Item,
    Matrix,
    Number,
    Output,
    Prose,
    Sentence,
    Steps,
    Table,
    Text,
    Texts,
)
from cnnatomy.exhibit.checks import validate
from cnnatomy.exhibit.store import DamagedExhibit, load, read

__all__ = [
    "Block",
    "Calculator",
    "DamagedExhibit",
    "Exhibit",
    "Figure",
    "Frame",
    "Grid",
    "Input",
    "InvalidExhibit",
    "Item",
    "Matrix",
    "Number",
    "Output",
    "Prose",
    "Sentence",
    "Steps",
    "Table",
    "Text",
    "Texts",
    "load",
    "read",
    "validate",
]
