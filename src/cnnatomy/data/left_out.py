"""What was given and is not among the samples: why, how much of it, and some names to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

EXAMPLES = 5  # names that are kept of each reason

#: What may be the reason, in words that a number follows: "files of a kind that is not read: 3".
REASONS = {
    "suffix": {"en": "files of a kind that is not read", "zh": "不能读取的文件类型"},
    "system": {"en": "hidden files and what systems leave behind", "zh": "隐藏文件和系统留下的文件"},
    "loop": {"en": "links back to a folder they are in", "zh": "指回上级文件夹的链接"},
    "no_file": {"en": "pipes, devices and the like", "zh": "管道、设备等非普通文件"},
    "loose": {"en": "files in no folder of a class", "zh": "不在任何类别文件夹中的文件"},
    "unnamed": {
        "en": "files outside of the classes in what data.fetch.splits names",
        "zh": "不在 data.fetch.splits 所列文件夹的类别中的文件",
    },
    "two_classes": {"en": "samples whose content is under several classes", "zh": "同一内容出现在多个类别中的样本"},
    "copy": {
        "en": "copies of samples that are given for the test or for validation",
        "zh": "与指定的测试集或验证集样本相同的副本",
    },
    "silent": {"en": "clips in which nothing can be heard", "zh": "听不到声音的录音"},
    "too_short": {"en": "clips shorter than one frame", "zh": "短于一帧的录音"},
    "no_words": {"en": "texts without any word", "zh": "没有任何词的文本"},
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


def said(everything: Sequence[LeftOut], language: str = "en", most: int = EXAMPLES) -> str:
    """All of it in half a sentence, with up to `most` examples of each reason; nothing if nothing is left out."""
    colon, stop, comma, brackets = ("：", "；", "、", "（{}）") if language == "zh" else (": ", "; ", ", ", " ({})")
    parts = []
    for one in everything:
        named = [shortened(name) for name in one.examples[:most]]
        examples = comma.join(named + ["…"] * (bool(named) and one.n > len(named)))
        parts.append(f"{REASONS[one.why][language]}{colon}{one.n}" + (brackets.format(examples) if named else ""))
    return stop.join(parts)


def shortened(name: str, most: int = 60) -> str:
    """A name of at most `most` characters: of a longer one the beginning and the end."""
    if len(name) <= most:
        return name
    end = (most - 1) // 2
    return f"{name[: most - 1 - end]}…{name[len(name) - end :]}"
