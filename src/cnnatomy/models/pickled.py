"""Files that torch pickled, read without executing anything of them: tensors, plain containers, names of the rest.

`torch.load` refuses a file that holds one thing besides tensors, such as the settings that Lightning keeps, and
believes the sizes that a damaged file tells. Here every class and function that a file names is skipped, but for those
that make a tensor, and a tensor is made only of bytes that are there.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import torch
from torch import Tensor

ZIPPED, LEGACY = b"PK\x03\x04", b"\x80\x02"  # how a file begins: torch's zip, and its format before 1.6
_MAGIC = 0x1950A86A20F9469CFC6C  # the first thing in a file of before
_MOST = 1 << 22  # bytes of the pickle of a zip; two million parameters would have one of that size
_DEEPEST = 8  # dimensions
_REPEATED = 1 << 24  # numbers of a tensor that repeats what its storage holds

#: How numpy's arrays, or lists, become what can be read.
TENSORS = "make them tensors: torch.save({name: torch.as_tensor(one) for name, one in weights.items()}, 'weights.pth')"

#: The storages of torch by name, and what numbers are in them.
_STORAGES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64, "ComplexDoubleStorage": torch.complex128, "UntypedStorage": torch.uint8,
}  # fmt: skip


class NotRead(ValueError):
    """What is no file of torch's, or a damaged one; the message completes "… can't be read as weights: "."""


@dataclass(eq=False)
class Skipped:
    """Something that a file names and that is not made: an object of the class, or what the function would give."""

    name: str

    def append(self, value: Any) -> None:
        pass

    def extend(self, values: Any) -> None:
        pass

    def add(self, value: Any) -> None:
        pass

    def update(self, *values: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: torch.dtype
    numbers: int


@dataclass(frozen=True)
class _Described:
    """A tensor as a pickle describes it."""

    storage: _Storage
    dtype: torch.dtype
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def of(self, content: bytearray) -> Tensor:
        """The tensor, a view of its storage's bytes. Raises NotRead where these are not enough."""
        if not prod(self.shape):
            return torch.zeros(self.shape, dtype=self.dtype)
        held = len(content) // self.dtype.itemsize
        last = self.offset + sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))
        # Of one number repeated, there may be more than are held, but not so many that they fill the memory.
        if last >= held or prod(self.shape) > max(held, _REPEATED):
            raise NotRead(f"a tensor of shape {self.shape} is more than the file holds of it; get the file again")
        flat = torch.frombuffer(content, dtype=self.dtype, count=held)
        return flat.as_strided(self.shape, self.stride, self.offset)


def read(file: BinaryIO) -> Any:
    """What a file of torch's holds: containers of Python's, numbers, texts, tensors; for all else `Skipped`.

    file: open for reading, at its beginning. Raises NotRead.
    """
    try:
        begins = file.read(4)
        file.seek(0)
        return _zipped(file) if begins == ZIPPED else _legacy(file)
    except NotRead:
        raise
    except (Exception, RecursionError) as error:  # of a damaged pickle or zip, of any kind
        raise NotRead(f"it is damaged or cut short ({type(error).__name__}); get it again") from error


def _zipped(file: BinaryIO) -> Any:
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise NotRead("it is cut short or damaged: the end of its zip is missing; get it again") from error
    file.seek(0, io.SEEK_END)
    size = file.tell()
    entries = {entry.filename: entry for entry in archive.infolist()}
    pickles = [name for name in entries if name.rpartition("/")[2] == "data.pkl"]
    if any(name.rpartition("/")[2] == "constants.pkl" for name in entries):
        raise NotRead(
            "it is a TorchScript archive, a program with its weights; save the weights alone: "
            "torch.save(torch.jit.load(file).state_dict(), 'weights.pth')"
        )
    if any(name.endswith(".weights.h5") for name in entries):
        raise NotRead("it is a file of Keras's; save the weights with torch or as safetensors")
    if entries and all(name.endswith(".npy") for name in entries):
        how = TENSORS.replace("weights.items", "numpy.load(file).items")
        raise NotRead(f"it holds arrays of numpy's, as savez writes them; {how}")
    if len(pickles) != 1:
        raise NotRead("it is a zip, but none that torch.save wrote; unpack it, and name the file of weights in it")
    folder = pickles[0].removesuffix("data.pkl")

    def member(name: str) -> bytes:
        entry = entries.get(f"{folder}{name}")
        if entry is None:
            raise NotRead(f"it is damaged: its part {name!r} is missing")
        # Torch packs nothing; what is packed may be more than memory holds.
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > size:
            raise NotRead(f"it is damaged: its part {name!r} is packed, or larger than the file")
        try:
            return archive.read(entry)
        except (zipfile.BadZipFile, EOFError) as error:
            raise NotRead(f"it is damaged: its part {name!r} is not what was written; get it again") from error

    if f"{folder}byteorder" in entries and member("byteorder") != b"little":
        raise NotRead("its numbers have their bytes in the other order; save it again on a usual machine")
    if entries[pickles[0]].file_size > _MOST:
        raise NotRead("it is damaged, or describes millions of tensors")
    document = _Unpickler(io.BytesIO(member("data.pkl"))).load()
    kept: dict[str, bytearray] = {}

    def content(storage: _Storage) -> bytearray:
        if storage.key not in kept:
            kept[storage.key] = bytearray(member(f"data/{storage.key}"))
        return kept[storage.key]

    return _made(document, content)


def _legacy(file: BinaryIO) -> Any:
    """torch's format before 1.6: four pickles, the keys of the storages, and the bytes of each behind its length."""
    first = _Unpickler(file).load()
    if first != _MAGIC:
        raise NotRead(f"it is a pickle, but none that torch.save wrote: it holds {said(first)}{converted(first)}")
    for _ in range(2):  # the version, and facts about the machine
        _Unpickler(file).load()
    unpickler = _Unpickler(file)
    document = unpickler.load()
    if not unpickler.storages:
        return document
    keys = _Unpickler(file).load()
    contents: dict[str, bytearray] = {}
    for key in keys:
        storage = unpickler.storages.get(str(key))
        if storage is None:
            raise NotRead("it is damaged: it has a part that nothing is made of")
        length = int.from_bytes(file.read(8), "little")
        if length != storage.numbers:
            raise NotRead("it is damaged: a part of it has another length than it should")
        contents[storage.key] = _exactly(file, length * storage.dtype.itemsize)
    return _made(document, lambda storage: contents[storage.key])


def _exactly(file: BinaryIO, length: int) -> bytearray:
    at = file.tell()
    if file.seek(0, io.SEEK_END) - at < length:
        raise NotRead("it is cut short; get it again")
    file.seek(at)
    return bytearray(file.read(length))


def _made(document: Any, content: Any) -> Any:
    """A document with its tensors made. A container that is in it several times is one thing still."""
    done: dict[int, Any] = {}

    def made(value: Any) -> Any:
        if id(value) in done:
            return done[id(value)]
        if isinstance(value, _Described):
            done[id(value)] = value.of(content(value.storage))
        elif isinstance(value, dict):
            done[id(value)] = whole = {}
            for key, entry in value.items():
                whole[key] = made(entry)
        elif isinstance(value, list | tuple):
            done[id(value)] = value  # for one that holds itself
            done[id(value)] = [made(entry) for entry in value]
        else:
            return value
        return done[id(value)]

    return made(document)


def said(value: Any) -> str:
    """What something out of a file is, in a few words."""
    if isinstance(value, Skipped):
        return f"a {value.name}"
    if isinstance(value, Mapping):
        keys = [repr(str(key)) for key in value]
        return f"a dictionary with {', '.join(keys[:8])}{', …' if len(keys) > 8 else ''}" if keys else "nothing"
    return f"a {type(value).__name__}"


def converted(value: Any) -> str:
    """Of a dictionary with arrays or lists for tensors, what the first is and how all become tensors; else ""."""
    if isinstance(value, Mapping) and {"state", "param_groups"} <= set(value):
        return ": it is the state of an optimiser; name the file that was saved of the network itself"
    for key, entry in value.items() if isinstance(value, Mapping) else ():
        if isinstance(entry, Skipped) and entry.name.startswith("numpy"):
            return f"; its {str(key)!r} is an array of numpy's; {TENSORS}"
        if isinstance(entry, list) and entry and not isinstance(entry[0], str):
            return f"; its {str(key)!r} is a list; {TENSORS}"
    return ""


class _Function:
    """A function or a class that a file names. Called, it gives a tensor's description, or what is skipped."""

    def __init__(self, module: str, name: str) -> None:
        self.name = f"{module}.{name}" if module != "builtins" else name
        makers: dict[str, Callable[..., Any]] = {
            "torch._utils._rebuild_tensor_v2": _tensor,
            "torch._utils._rebuild_tensor_v3": _tensor,
            "torch._utils._rebuild_tensor": _tensor,
            "torch._utils._rebuild_parameter": _first,
            "torch._utils._rebuild_parameter_with_state": _first,
            "torch._tensor._rebuild_from_type_v2": _typed,
        }
        self.makes = makers.get(self.name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return Skipped(self.name) if self.makes is None else self.makes(*arguments)


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *more: Any) -> _Described:
    if not isinstance(storage, _Storage) or not isinstance(shape, Sequence) or not isinstance(stride, Sequence):
        raise NotRead("it is damaged: a tensor is made of something else than a storage and a shape")
    numbers = (offset, *shape, *stride)
    fine = all(type(number) is int and 0 <= number < 1 << 48 for number in numbers)
    if len(shape) != len(stride) or len(shape) > _DEEPEST or not fine:
        raise NotRead("it is damaged: a tensor's shape is none")
    dtype = next((one for one in more if isinstance(one, torch.dtype)), storage.dtype)
    return _Described(storage, dtype, offset, tuple(shape), tuple(stride))


def _first(value: Any, *more: Any) -> Any:
    return value


def _typed(function: Any, kind: Any, arguments: Any, state: Any) -> Any:
    return function(*arguments) if isinstance(function, _Function) else Skipped("a tensor of another kind")


_PURE: Any = pickle._Unpickler  # that in C has a damaged file take all memory


class _Unpickler(_PURE):  # type: ignore[misc]
    """Reads a pickle and calls nothing that it names."""

    dispatch: dict[int, Any] = dict(_PURE.dispatch)

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="utf-8", errors="replace")
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name == "Size":
            return tuple
        if module in ("torch", "torch.storage") and name in _STORAGES:
            return _STORAGES[name]
        if module == "torch" and isinstance(found := getattr(torch, name, None), torch.dtype):
            return found
        return _Function(module, name)

    def persistent_load(self, pid: Any) -> Any:
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            return pid[1] if isinstance(pid, tuple) and len(pid) > 1 and pid[0] == "module" else Skipped("a part")
        _, dtype, key, _, numbers, *view = pid
        if isinstance(dtype, _Function) and dtype.name.startswith(("torch.Q", "torch.storage.Q")):
            raise NotRead(
                "its numbers are quantised, and can't be trained or looked into; save the weights of the network that "
                "it was made from"
            )
        if not isinstance(dtype, torch.dtype) or not isinstance(key, str | int) or type(numbers) is not int:
            raise NotRead("it is damaged: a storage is described by something else")
        if view and view[0] is not None:
            raise NotRead("it was written by a torch of before 0.4; save it again with a newer one")
        return self.storages.setdefault(str(key), _Storage(str(key), dtype, numbers))

    def new(self) -> None:
        arguments = self.stack.pop()
        kind = self.stack.pop()
        self.append(kind(*arguments) if kind in (OrderedDict, tuple) else Skipped(getattr(kind, "name", "an object")))

    def new_ex(self) -> None:
        self.stack.pop()
        self.new()

    def instance(self) -> None:  # an object of a class of before Python 3
        module = self.readline()[:-1].decode("ascii")
        name = self.readline()[:-1].decode("ascii")
        self.pop_mark()
        self.append(Skipped(f"{module}.{name}"))

    def of_class(self) -> None:
        arguments = self.pop_mark()
        self.append(Skipped(getattr(arguments[0] if arguments else None, "name", "an object")))

    def reduce(self) -> None:
        arguments = self.stack.pop()
        function = self.stack[-1]
        if function in (OrderedDict, tuple) or isinstance(function, _Function):
            self.stack[-1] = function(*arguments)
        else:
            raise NotRead("it is damaged: it calls what is no function")

    def build(self) -> None:
        self.stack.pop()  # what an object is set to: nothing of it is wanted

    def refuse(self) -> None:
        raise NotRead("it is damaged, or is a pickle of something else than weights")

    dispatch |= {
        pickle.NEWOBJ[0]: new,
        pickle.NEWOBJ_EX[0]: new_ex,
        pickle.INST[0]: instance,
        pickle.OBJ[0]: of_class,
        pickle.REDUCE[0]: reduce,
        pickle.BUILD[0]: build,
        # Torch writes none of these; the first takes as much memory as it says.
        pickle.BYTEARRAY8[0]: refuse,
        pickle.NEXT_BUFFER[0]: refuse,
        pickle.EXT1[0]: refuse,
        pickle.EXT2[0]: refuse,
        pickle.EXT4[0]: refuse,
    }


def walk(document: Any, depth: int = 3) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The dictionaries in a document, each under the keys that lead to it, the outermost first."""
    if isinstance(document, Mapping) and depth:
        yield "", document
        for key, value in document.items():
            if isinstance(key, str):
                for inside, found in walk(value, depth - 1):
                    yield f"{key}.{inside}" if inside else key, found
