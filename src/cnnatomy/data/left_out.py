"""What was given and is not among the samples: why, how much of it, and some names to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

EXAMPLES = 5  # names that are kept of each reason

#: What may be the reason, in the log's words, which a number follows: "files of a kind that is not read: 3". What the
#: report says lies in `locale/<language>/left_out.yaml`.
REASONS = {
    "suffix": "files of a kind that is not read",
    "system": "hidden files and what systems leave behind",
    "loop": "links back to a folder they are in",
    "no_file": "pipes, devices and the like",
    "loose": "files in no folder of a class",
    "unnamed": "files outside of the classes in what data.fetch.splits names",
    "beside": "files beside the folders of splits",
    "unfitting": "files whose name does not fit data.fetch.labels",
    "unlabelled": "files that the table of labels does not name",
    "not_there": "rows of the table of labels whose file is not there",
    "two_classes": "samples whose content is under several classes",
    "copy": "copies of samples that are given for the test or for validation",
    "silent": "clips in which nothing can be heard",
    "too_short": "clips shorter than one frame",
    "no_words": "texts without any word",
}


@dataclass(frozen=True)
class LeftOut:
    """Files, clips or rows that are left out for one reason.

    why: a key of `REASONS`. n: how many. examples: the names of the first few.
    """

    why: str
    n: int
    examples: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.why not in REASONS:
            raise ValueError(f"{self.why!r} is no reason to leave something out; there are {', '.join(REASONS)}")


def left_out(names: Mapping[str, Sequence[str]]) -> list[LeftOut]:
    """What is left out, from the names of each reason; nothing of a reason without names."""
    return [LeftOut(why, len(its), list(its[:EXAMPLES])) for why, its in names.items() if its]


def said(everything: Sequence[LeftOut]) -> str:
    """All of it in half a sentence for the log, with examples of each reason; nothing if nothing is left out."""
    parts = []
    for one in everything:
        named = [shortened(name) for name in one.examples]
        examples = ", ".join(named + ["…"] * (bool(named) and one.n > len(named)))
        parts.append(f"{REASONS[one.why]}: {one.n}" + (f" ({examples})" if named else ""))
    return "; ".join(parts)


def shortened(name: str, most: int = 60) -> str:
    """A name of at most `most` characters: of a longer one the beginning and the end."""
    if len(name) <= most:
        return name
    end = (most - 1) // 2
    return f"{name[: most - 1 - end]}…{name[len(name) - end :]}"
