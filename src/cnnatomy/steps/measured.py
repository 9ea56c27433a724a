"""What was measured, kept on disk where measuring took long: a changed picture of it measures nothing again.

A file is one line of JSON and a pickle. The line says with what it was measured: a digest of the code that measures, of
the network and of the data; those settings that were asked for meanwhile; and the hash of the pickle. Of the pickle
nothing is executed: it may name dataclasses of ours that are loaded, and what makes an array.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from torch import nn

from cnnatomy.config import modules
from cnnatomy.config.slices import canonical, digest_of_measuring, together
from cnnatomy.data.prepared import Dataset, Samples
from cnnatomy.steps.job import RESULTS, Job
from cnnatomy.steps.writing import replaced

#: Seconds from which on measuring is worth a file: a step that only draws takes about as long.
WORTH = 2.0

#: What a pickle may name besides our dataclasses: what makes an array, and a part of one.
_ARRAYS = ("_frombuffer", "_reconstruct", "dtype", "ndarray", "scalar")
_PLAIN = {("builtins", "slice"): slice}

Settings = TypeVar("Settings")
Record = TypeVar("Record")


class NotKept(ValueError):
    """A record that holds what no file can; the message says what."""


def measured(
    job: Job, name: str, settings: Settings, measure: Callable[[Settings], Record], data: Dataset | None = None
) -> Record:
    """The record of `measure(settings)`: taken from disk where all that it was measured with is as it was.

    name: of the method, evaluation or lesson. data: whose samples a record may point to.
    """
    file = f"measured/{job.step}/{job.subject}/seed{job.seed}/{name}.record"
    measuring = digest_of_measuring(job.step, job.subject, name, job.config, seed=job.seed, method=job.method)
    digest = together({"measuring": measuring} | {library.__name__: library.__version__ for library in (np, pd, torch)})
    config = job.slice[name]
    for folder in dict.fromkeys((job.output("."), RESULTS)):
        if (taken := _taken(folder / file, digest, config, data)) is not None:
            print(f"Nothing is measured: {folder / file} has it.", file=sys.stderr)
            known: Record = taken
            return known
    read: set[str] = set()
    began = time.perf_counter()
    found = measure(_watched(settings, read))
    if time.perf_counter() - began < WORTH:
        job.output(file).unlink(missing_ok=True)
        return found
    try:
        content = packed(found, data)
        again: Record = unpacked(content, data)
        head = {"digest": digest, "settings": {key: config.get(key) for key in sorted(read)}, "sha256": _hash(content)}
        with replaced(job.output(file)) as part:
            part.write_bytes(f"{canonical(head)}\n".encode() + content)
    except Exception as error:  # of a record of somebody's own method, of any kind, or of a full disk
        print(f"What was measured is not kept: {error}.", file=sys.stderr)
        return found
    return again  # how its arrays lie in memory, on which their sums depend, is then the same next time


def _taken(file: Path, digest: str, config: Mapping[str, Any], data: Dataset | None) -> Any:
    """The record in a file that was measured with these values, else None. Of a damaged one the log says so."""
    try:
        head, _, content = file.read_bytes().partition(b"\n")
        said = json.loads(head)
        settings = {key: config.get(key) for key in said["settings"]}
        if said["digest"] != digest or canonical(said["settings"]) != canonical(settings):
            return None
        if said["sha256"] != _hash(content):
            raise NotKept("it is damaged")
        return unpacked(content, data)
    except FileNotFoundError:
        return None
    except Exception as error:  # of a file cut short, or of another version of numpy's or Python's, of any kind
        print(f"{file} can't be read ({error}); measured anew.", file=sys.stderr)
        return None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _watched(settings: Settings, read: set[str]) -> Settings:
    """The same settings, which note in `read` what they are asked for."""
    if not is_dataclass(settings) or isinstance(settings, type):
        read.update(settings if isinstance(settings, Mapping) else ())
        return settings
    kind: Any = type(settings)
    names = {field.name for field in fields(settings)}

    def noted(self: Any, name: str) -> Any:
        if name in names:
            read.add(name)
        return object.__getattribute__(self, name)

    twin: Settings = object.__new__(type(kind.__name__, (kind,), {"__getattribute__": noted}))
    vars(twin).update(vars(settings))
    return twin


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, data: Dataset | None) -> None:
        super().__init__(file, protocol=5)
        self._data = data

    def persistent_id(self, value: Any) -> tuple[Any, ...] | None:
        """What stands for a value: for a module nothing, since what shows runs none, for samples where they are."""
        if isinstance(value, nn.Module):
            return ("module",)
        if isinstance(value, torch.Tensor):
            return ("tensor", value.detach().cpu().numpy())
        if isinstance(value, pd.DataFrame):
            if not value.index.equals(pd.RangeIndex(len(value))):
                raise NotKept("it holds a table whose rows have names")
            return ("table", [(name, str(column.dtype), column.to_numpy()) for name, column in value.items()])
        if isinstance(value, Samples):
            if self._data is None or value.facts is not self._data.facts:
                raise NotKept("it points to samples of other data")
            return ("samples", value.split)
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, data: Dataset | None) -> None:
        super().__init__(file)
        self._data = data

    def find_class(self, module: str, name: str) -> Any:
        found = getattr(sys.modules.get(module), name, None)
        if (module, name) in _PLAIN:
            return _PLAIN[module, name]
        if module.partition(".")[0] == "numpy" and name in _ARRAYS:
            return found
        if isinstance(found, type) and is_dataclass(found) and modules.is_ours(module):
            return found
        raise NotKept(f"it holds a {module}.{name}")

    def persistent_load(self, pid: tuple[Any, ...]) -> Any:
        kind, *held = pid
        if kind == "tensor":
            return torch.from_numpy(np.asarray(held[0]))
        if kind == "table":
            return pd.concat([pd.Series(values, dtype=dtype, name=name) for name, dtype, values in held[0]], axis=1)
        if kind == "samples" and self._data is not None:
            return self._data.split(held[0])
        return None


def packed(record: Any, data: Dataset | None) -> bytes:
    """A record as bytes. Raises what pickling raises of what can't be written, NotKept for samples of other data."""
    file = io.BytesIO()
    _Pickler(file, data).dump(record)
    return file.getvalue()


def unpacked(content: bytes, data: Dataset | None) -> Any:
    """The record of `packed`, without its modules. Raises NotKept where the bytes name what is no part of a record."""
    return _Unpickler(io.BytesIO(content), data).load()
