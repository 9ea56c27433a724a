"""What the data's exhibit says of images whose channels are taken as they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnnatomy.data.prepared import Facts
from cnnatomy.drawing.showing import shown_channels
from cnnatomy.exhibit import Number, Table
from cnnatomy.exhibit.rounding import significant

COLOURS = (("red", "红"), ("green", "绿"), ("blue", "蓝"))


def named(facts: Facts) -> dict[str, str]:
    """What colours the pictures of such images have, wherever they hang."""
    assert facts.channels is not None
    drawn = shown_channels(facts)
    if len(drawn) == 1:
        only = facts.channels[drawn[0]].name
        of = {"en": f" of its {facts.shape[0]} channels", "zh": f"（共 {facts.shape[0]} 个通道）"}
        alone = facts.shape[0] == 1
        return {
            "en": f"Pictures of an image show {only}{'' if alone else of['en']}, in grey.",
            "zh": f"图中以灰度显示 {only}{'' if alone else of['zh']}。",
        }
    en, zh = [], []
    for channel in dict.fromkeys(drawn):
        name = facts.channels[channel].name
        places = _places(drawn, channel)
        en.append(f"{name} as {' and '.join(COLOURS[place][0] for place in places)}")
        zh.append(f"{name} 为{'、'.join(COLOURS[place][1] for place in places)}")
    unseen = facts.shape[0] - len(set(drawn))
    others = f"; {unseen} more {'is' if unseen == 1 else 'are'} not seen in them" if unseen else ""
    return {
        "en": f"Pictures of an image, here and elsewhere, show {', '.join(en)}{others}.",
        "zh": f"此处及他处的图像显示：{'，'.join(zh)}{f'；另有 {unseen} 个通道未显示' if unseen else ''}。",
    }


def channels(facts: Facts) -> Table:
    """What of the files is black and white in each channel, and what it is normalised by."""
    import pandas as pd

    assert facts.normalise is not None and facts.channels is not None
    each = zip(facts.channels, np.atleast_1d(facts.normalise.mean), np.atleast_1d(facts.normalise.std), strict=True)
    drawn = shown_channels(facts)
    rows = [
        {
            "channel": channel.name,
            "drawn": ", ".join(COLOURS[place][0] if len(drawn) > 1 else "grey" for place in _places(drawn, number)),
            "black": significant(channel.low),
            "white": significant(channel.high),
            "mean": significant(float(mean)),
            "standard deviation": significant(float(std)),
        }
        for number, (channel, mean, std) in enumerate(each)
    ]
    said = named(facts)
    return Table(
        "channels",
        pd.DataFrame(rows),
        title={"en": "The channels", "zh": "通道"},
        caption={
            "en": f"{said['en']} Black and white are values of the files, the same in all images. Mean and standard "
            "deviation are those of the training split, between black (0) and white (1).",
            "zh": f"{said['zh']}black 与 white 是文件中的值，所有图像相同；均值与标准差取自训练集，以黑为 0、白为 1。",
        },
    )


def numbers(facts: Facts) -> Iterator[Number]:
    """How many channels there are, and which values are black and white in each."""
    yield Number("channels", facts.shape[0])
    for channel in facts.channels or ():
        yield Number("black_level", channel.low, subject=f"channel={channel.name}")
        yield Number("white_level", channel.high, subject=f"channel={channel.name}")


def _places(drawn: list[int], channel: int) -> list[int]:
    return [place for place, its in enumerate(drawn) if its == channel]
