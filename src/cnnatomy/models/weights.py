"""A network's weights in a file: written as safetensors, read from these or from a state dict in a .pth file."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError, safe_open
from safetensors import torch as safetensors
from torch import Tensor, nn

OURS = "cnnatomy"


class WeightsError(ValueError):
    """Weights that can't be read, don't fit the network, or are no numbers; the message says which."""


def save(network: nn.Module, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a network's weights and what is to be known of them. Equal weights and metadata make equal bytes.

    Raises WeightsError, and writes nothing, if a weight is infinite or undefined.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    _refuse_undefined(tensors, "the trained network")
    # One entry: safetensors writes several in an order that changes from process to process.
    Path(path).write_bytes(safetensors.save(tensors, {OURS: json.dumps(dict(metadata), sort_keys=True)}))


def load(network: nn.Module, source: Path | bytes, name: str | None = None) -> None:
    """Give a network the weights in a file, or in a file's bytes (then `name` says whose they are, for messages).

    Reads safetensors and state dicts pickled by torch, of which anything but tensors is refused. Raises
    WeightsError, naming the keys that don't fit, if the file is damaged or of another network, or if a weight is
    infinite or undefined.
    """
    name = name or str(source)
    tensors = _read(source if isinstance(source, bytes) else _bytes(source), name)
    _refuse_undefined(tensors, name)
    try:
        fit = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:  # sizes
        wrong = [line.strip() for line in str(error).splitlines()[1:]]
        raise WeightsError(f"{name} is of another network than {type(network).__name__}: {'; '.join(wrong)}") from error
    if fit.missing_keys or fit.unexpected_keys:
        misfits = {"it lacks": fit.missing_keys, "the network has no": sorted(fit.unexpected_keys)}
        told = [f"{what} {_some(keys)}" for what, keys in misfits.items() if keys]
        raise WeightsError(f"{name} is of another network than {type(network).__name__}: {'; '.join(told)}")


def metadata(path: Path) -> dict[str, str]:
    """What `save` was told about the weights; empty for a file of others. Raises WeightsError for a damaged file."""
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads((file.metadata() or {}).get(OURS, "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} can't be read as weights ({error}); delete it and train again") from error


def _bytes(path: Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise WeightsError(f"the weights {path} can't be read: {error.strerror}") from error


def _read(content: bytes, name: str) -> dict[str, Tensor]:
    pickled = content[:2] in (b"PK", b"\x80\x02")  # torch's zip, and its format before 1.6
    try:
        if pickled:
            tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        else:
            tensors = safetensors.load(content)
    except UnpicklingError as error:
        raise WeightsError(
            f"{name} can't be read as weights: it holds more than tensors, perhaps a whole network. "
            f"Save its state alone: torch.save(network.state_dict(), file)"
        ) from error
    except (SafetensorError, RuntimeError, ValueError, EOFError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(f"{name} can't be read as weights: {reason}") from error
    if not isinstance(tensors, Mapping) or not all(isinstance(value, Tensor) for value in tensors.values()):
        there = f" (it holds {_some(sorted(map(str, tensors)))})" if isinstance(tensors, Mapping) else ""
        raise WeightsError(f"{name} is no state dict: it should hold names and tensors, and nothing else{there}")
    return dict(tensors)


def _refuse_undefined(tensors: Mapping[str, Tensor], name: str) -> None:
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            bad = int((~torch.isfinite(tensor)).sum())
            raise WeightsError(f"{name}: {bad} of {tensor.numel()} weights of {key!r} are infinite or undefined")


def _some(keys: list[str]) -> str:
    return ", ".join(map(repr, keys[:8])) + (f" and {len(keys) - 8} more" if len(keys) > 8 else "")
