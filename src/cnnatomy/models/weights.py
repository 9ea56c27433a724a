"""A network's weights in a file: written as safetensors, read from these or from what torch saved.

Files of others are read as they are: their wrappings taken off (`wrappings`), which is said in the log.
"""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors import torch as safetensors
from torch import Tensor, nn

from cnnatomy.models import pickled, wrappings
from cnnatomy.models.errors import some

OURS = "cnnatomy"
_SHORT = 2000  # bytes of what a server says in place of a file
_INDEX = ".index.json"  # of a file in several parts
_ORIGIN = "a program with its weights; with torch.save, save the state_dict of the network that it was made from"
#: Files of other programs: where in the file which bytes tell them, and what they are.
_OTHERS = (
    (0, b"\x1f\x8b", "it is packed by gzip; unpack it first"),
    (0, b"\x89HDF", "it is an HDF5 file, as Keras writes; save the weights with torch or as safetensors"),
    (0, b"\x93NUMPY", f"it is one array of numpy's, without a name; collect all by their names, and {pickled.TENSORS}"),
    (0, b"GGUF", "it is a GGUF file, of a language model; save the weights with torch or as safetensors"),
    (4, b"TFL3", f"it is a TensorFlow Lite file, {_ORIGIN}"),
)

log = logging.getLogger(__name__)


class WeightsError(ValueError):
    """Weights that can't be read, don't fit the network, or are no numbers; the message says which."""


def save(network: nn.Module, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a network's weights and what is to be known of them. Equal weights and metadata make equal bytes.

    What has several names is written once, under the first. Raises WeightsError, and writes nothing, if a weight is
    infinite or undefined, or if the network keeps something else in its state than tensors.
    """
    refuse_unsaved(network)
    state = network.state_dict()
    doubles = {name for names in _ties(state) for name in names[1:]}
    # Copies, for views of one storage are not written otherwise.
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
    tensors = {name: tensor for name, tensor in tensors.items() if name not in doubles}
    _refuse_undefined(tensors, "the trained network")
    # One entry: safetensors writes several in an order that changes from process to process.
    Path(path).write_bytes(safetensors.save(tensors, {OURS: json.dumps(dict(metadata), sort_keys=True)}))


def refuse_unsaved(network: nn.Module) -> None:
    """Raise WeightsError for a network whose state could not be written: before it is trained."""
    others = [name for name, value in network.state_dict().items() if not isinstance(value, Tensor)]
    if quantised := [name for name in others if "_packed_params" in name] or [
        name for name, value in network.state_dict().items() if isinstance(value, Tensor) and value.is_quantized
    ]:
        raise WeightsError(
            f"the network {type(network).__name__} is quantised ({some(quantised)}), into numbers that can't be "
            "trained or looked into; name the network that it was made from, before torch.ao.quantization"
        )
    if others:
        raise WeightsError(
            f"the network {type(network).__name__} keeps more than tensors in its state: {some(others)}; "
            "leave out get_extra_state, or keep numbers as buffers"
        )


def load(network: nn.Module, source: Path | bytes, name: str | None = None, *, new_head: bool = False) -> None:
    """Give a network the weights in a file, or in a file's bytes (then `name` says whose they are, for messages).

    Reads safetensors, in several parts too, and what torch.save wrote, of which nothing is executed. Prefixes and
    dictionaries around the weights are taken off, and numbers become float32; both is said in the log. With `new_head`
    the last layer keeps the weights it has.

    Raises WeightsError, naming the keys that don't fit, if the file is damaged or of another network, or if a weight is
    infinite or undefined; the network is as it was then.
    """
    name = name or str(source)
    try:
        document = _read(source)
        state, taken = wrappings.state_in(document, network)
        fitting = wrappings.fitted(state, network, new_head=new_head)
    except (pickled.NotRead, wrappings.NoState) as error:
        raise WeightsError(f"{name} can't be read as weights: {error}") from error
    except wrappings.OtherNetwork as error:
        raise WeightsError(f"{name} is of another network than {type(network).__name__}: {error}") from error
    _refuse_undefined(fitting.tensors, name)
    network.load_state_dict(fitting.tensors, strict=False)
    for said in (*taken, *fitting.said):
        log.info("%s: %s", name, said)


def metadata(path: Path) -> dict[str, str]:
    """What `save` was told about the weights; empty for a file of others. Raises WeightsError for a damaged file."""
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads((file.metadata() or {}).get(OURS, "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} can't be read as weights ({error}); delete it and train again") from error


def _ties(state: Mapping[str, Tensor]) -> list[list[str]]:
    """The names of each tensor of a state, in its order."""
    found: dict[object, list[str]] = {}
    for name, tensor in state.items():
        place = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tuple(tensor.stride()))
        found.setdefault(place if tensor.numel() else name, []).append(name)
    return list(found.values())


def _read(source: Path | bytes) -> object:
    """What is in a file: tensors by name, or what is around them. Raises NotRead."""
    if isinstance(source, bytes):
        return _parsed(source)
    path = Path(source)
    if path.is_dir():
        ends = (f"*{_INDEX}", "*.safetensors", "*model*.bin", "*.pth", "*.pt", "*.ckpt", "*.bin")
        parts = [part for end in ends for part in sorted(path.glob(end))]
        raise pickled.NotRead(f"it is a folder; name the file in it{f', such as {parts[0]}' if parts else ''}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"the weights {path} can't be read: {error.strerror}") from error
    return _of_parts(path, content) if path.name.endswith(_INDEX) else _parsed(content)


def _of_parts(index: Path, content: bytes) -> dict[str, Tensor]:
    """The tensors of all the parts that an index names, which lie beside it."""
    try:
        names = sorted(set(json.loads(content)["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise pickled.NotRead("it should be an index of parts, with a weight_map") from error
    found: dict[str, Tensor] = {}
    for part in names:
        if not isinstance(part, str) or Path(part).name != part or not (index.parent / part).is_file():
            raise pickled.NotRead(f"its part {part!r} is not beside it; get all parts of it into one folder")
        tensors = _parsed((index.parent / part).read_bytes())
        if not isinstance(tensors, Mapping):
            raise pickled.NotRead(f"its part {part!r} holds {pickled.said(tensors)}")
        found.update(tensors)
    return found


def _parsed(content: bytes) -> object:
    start = content[:512].lstrip().lower()
    if not content:
        raise pickled.NotRead("the file is empty; get it again")
    if content[8:9] == b"{":  # before all else: the length that safetensors begin with may be any bytes
        return _safe(content)
    if start.startswith(b"version https://git-lfs"):
        raise pickled.NotRead(
            "it is git-lfs's pointer to the file, not the file; in the folder that it was cloned to: git lfs pull"
        )
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise pickled.NotRead("it is a web page, perhaps one that leads to the file; get the file itself")
    for at, told, words in _OTHERS:
        if content[at : at + len(told)] == told:
            raise pickled.NotRead(words)
    if re.match(rb"\x08[\x01-\x20][\x12:B]", content):  # a version, and who wrote it or the graph: no magic number
        raise pickled.NotRead(f"it is an ONNX file, {_ORIGIN}")
    if len(content) < _SHORT and content.isascii() and (said := content.decode()).strip().isprintable():
        raise pickled.NotRead(
            f"it is a text, which says {said.strip()[:60]!r}: perhaps why there is no file; get it again"
        )
    if content.startswith((pickled.ZIPPED, b"\x80")):
        return pickled.read(io.BytesIO(content))
    return _safe(content)


def _safe(content: bytes) -> dict[str, Tensor]:
    try:
        return safetensors.load(content)
    except Exception as error:  # of a damaged file: its own error, or what torch says of a size or a type
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise pickled.NotRead(
            f"it is neither safetensors nor a file that torch.save wrote, or damaged ({reason[:200]})"
        ) from error


def _refuse_undefined(tensors: Mapping[str, Tensor], name: str) -> None:
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            bad = int((~torch.isfinite(tensor)).sum())
            raise WeightsError(
                f"{name}: {bad} of {tensor.numel()} weights of {key!r} are infinite or undefined; use other weights, "
                "or train with a lower training.learning_rate"
            )
