"""Pooling by hand and the chain of layers. What is said of them: `locale/<language>/shapes.yaml`."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cnnatomy.exhibit import Block, Figure, Showing, Table, say
from cnnatomy.lessons.number_tables import NumberTables
from cnnatomy.lessons.shapes.measure import Chain, Pooled, numbers


def show(found: Chain) -> Showing:
    """Two channels pooled by their largest values and by means; then every layer's shape and parameters."""
    rows = [(one.name, one.kind, " × ".join(map(str, one.shape)), one.by_hand, one.parameters) for one in found.layers]
    chain = pd.DataFrame(rows, columns=["layer", "kind", "shape", "parameters by hand", "parameters"])
    blocks: list[Block] = [_pooling(found.pooled), Table("chain", chain, say("shapes.chain"))]
    return Showing(numbers(found), blocks, say("shapes.caption"))


def _pooling(pooled: Sequence[Pooled]) -> Figure:
    sheet = NumberTables()
    for number, one in enumerate(pooled, 1):
        sheet.table(one.channel, f"channel {number}, 4 × 4").sign("→")
        sheet.table(one.largest, "max pooling").table(one.mean, "average pooling").below()
    return Figure(
        "pooling",
        sheet.svg(),
        alt=say("shapes.pooling.alt"),
        title=say("shapes.pooling.title"),
        caption=say("shapes.pooling.caption"),
    )
