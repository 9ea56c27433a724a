"""The network that runs in the page: its weights, read from their bytes, in a network of ours."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from families import Found, Report, recomputes, share_of
from finished import Row, evenly
from forward import Network
from of_learning import way_of
from torch import Tensor

BITS = {**{f"int{bits}": bits for bits in range(8, 13)}, "float16": 16, "float32": 32}


def bytes_of(report: Report, row: Row) -> tuple[dict, bytes]:
    run = report.run(row)
    block = run.exhibit("live")["blocks"][0]
    return block, (run.exhibit_folder("live") / block["weights"]).read_bytes()


def weight(content: bytes, place: dict) -> Tensor:
    """One weight: whole numbers times their scales, or floats.

    Of whole numbers the upper eight bits of all come first, then the lowest bit of all, the next, and so on.
    """
    shape, at, bits = place["shape"], place["at"], BITS[place["type"]]
    length = int(np.prod(shape))
    if "scales" not in place:
        return torch.from_numpy(np.frombuffer(content, f"<f{bits // 8}", length, at).astype(np.float32)).reshape(shape)
    more = bits - 8
    values = np.frombuffer(content, "i1", length, at).astype(np.float64) * 2**more
    if more:
        below = np.frombuffer(content, "u1", more * -(-length // 8), at + length).reshape(more, -1)
        values += 2.0 ** np.arange(more) @ np.unpackbits(below, axis=1, bitorder="little")[:, :length]
    scales = np.frombuffer(content, "<f4", shape[0], place["scales"])
    return torch.from_numpy((values.reshape(shape[0], -1) * scales[:, None]).astype(np.float32)).reshape(shape)


def both(report: Report, row: Row) -> tuple[Tensor, Tensor]:
    """Logits of the network as trained and of the page's, of the test samples that were compared."""

    def make() -> tuple[Tensor, Tensor]:
        run, (block, content) = report.run(row), bytes_of(report, row)
        network = run.network()
        own = {name: weight(content, place) for name, place in block["tensors"].items() if name in network.t}
        places = evenly(len(run.raw), run.setting("live", "compared"))
        x = run.data.ready(run.raw[places])
        return network.logits(x), Network(network.t | own, network.model).logits(x)

    return report.once(("live", row.name, row.seed), make)


def changes_of(report: Report, row: Row, block: dict) -> bytes:
    return (report.run(row).exhibit_folder("live") / block["changes"]).read_bytes()


def on_the_way(report: Report, row: Row, step: int) -> dict[str, Tensor]:
    """The page's weights after so many steps: those at the end, changed back look by look."""
    block, content = bytes_of(report, row)
    changes = changes_of(report, row, block)
    found = {name: weight(content, place).numpy() for name, place in block["tensors"].items()}
    for look in block["looks"][-2::-1]:
        for name, place in look["tensors"].items():
            length, kind = (
                found[name].size,
                {"int8": "i1", "int16": "<i2", "float16": "<f2", "float32": "<f4"}[place["type"]],
            )
            values = np.frombuffer(changes, kind, length, place["at"]).reshape(found[name].shape).astype(np.float64)
            found[name] = (found[name] + place["by"] * values if "by" in place else values).astype(np.float32)
        if look["step"] == step:
            break
    return {name: torch.from_numpy(values) for name, values in found.items()}


def same_on_the_way(report: Report, row: Row) -> Found:
    run, step = report.run(row), int(row.of["step"])
    network = way_of(run, row.seed)[step]
    own = {name: one for name, one in on_the_way(report, row, step).items() if name in network.t}
    x = run.data.ready(run.raw[evenly(len(run.raw), run.setting("live", "compared"))])
    true, kept = network.logits(x), Network(network.t | own, network.model).logits(x)
    return share_of(int((true.argmax(1) == kept.argmax(1)).sum()), len(x))


@recomputes("live", "same_class")
def same_class(report: Report, row: Row) -> Found | None:
    if "step" in row.of:
        return same_on_the_way(report, row)
    if row.subject:  # of a rounding that was not taken, so that it is nowhere
        return None
    true, found = both(report, row)
    return share_of(int((true.argmax(1) == found.argmax(1)).sum()), len(true))


@recomputes("live", "largest_logit_difference", share=1e-2)
def largest_logit_difference(report: Report, row: Row) -> float | None:
    if row.subject:
        return None
    true, found = both(report, row)
    return float((true - found).abs().max() / (true.max() - true.min()))


@recomputes("live", "kilobytes")
def kilobytes(report: Report, row: Row) -> float:
    return len(bytes_of(report, row)[1]) / 1000


@recomputes("live", "kilobytes_of_looks", share=1e-3)
def kilobytes_of_looks(report: Report, row: Row) -> float:
    packer = zlib.compressobj(9, wbits=31, memLevel=6, strategy=zlib.Z_RLE)
    content = changes_of(report, row, bytes_of(report, row)[0])
    return len(packer.compress(content) + packer.flush()) / 1000


@recomputes("live", "bits")
def bits(report: Report, row: Row) -> float:
    """Of the matrices; the vectors have 32."""
    places = bytes_of(report, row)[0]["tensors"].values()
    return min(BITS[place["type"]] for place in places)
