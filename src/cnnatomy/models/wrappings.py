"""What people's files have around the weights of a network, taken off: dictionaries, prefixes, another last layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from cnnatomy.models.copying import copied
from cnnatomy.models.errors import some
from cnnatomy.models.pickled import Skipped, converted, said, walk

#: Keys under which checkpoints keep weights, the likeliest first; the means of an `ema` come last.
_KEYS = (
    "state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params", "module",
    "params_ema", "model_ema", "state_dict_ema", "ema_state_dict", "ema",
)  # fmt: skip
#: What torch's own wrappers put into the middle of names.
_WRAPPERS = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
#: What other libraries call the parts of a normalisation.
_NORMS = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
_COUNTS = "num_batches_tracked"  # of a batch normalisation; old files have none, and nothing depends on it here


class NoState(ValueError):
    """There are no weights by name in a file; the message completes "… can't be read as weights: "."""


class OtherNetwork(ValueError):
    """Weights are of another network; the message completes "… is of another network than …: "."""


@dataclass
class Fitting:
    """Tensors by the network's names, and what was done to them, a sentence each."""

    tensors: dict[str, Tensor]
    said: list[str] = field(default_factory=list)


def state_in(document: object, network: nn.Module) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors by name that a file holds, and where in it, in words. Of several those that fit the network best.

    Raises NoState.
    """
    if isinstance(document, Skipped):
        raise NoState(
            f"it holds more than tensors, a whole {document.name}; where that can be loaded, save its state_dict: "
            "torch.save(network.state_dict(), 'weights.pth')"
        )
    found = {at: state for at, mapping in walk(document) if (state := _state(mapping)) and not _of_optimiser(at)}
    if not found:
        pickled = [at for at in _KEYS if isinstance(document, Mapping) and isinstance(document.get(at), Skipped)]
        if pickled and isinstance(document, Mapping):
            raise NoState(
                f"its {pickled[0]!r} is a whole {document[pickled[0]].name}, not weights; where that can be loaded, "
                f"save its state_dict alone: torch.save(checkpoint[{pickled[0]!r}].state_dict(), 'weights.pth')"
            )
        instead = f"{said(document)}{converted(document)}"
        raise NoState(f"it is no state dict: it should hold names and tensors, and it holds {instead}")
    names = set(network.state_dict())

    def rank(at: str) -> tuple[int, int, int]:
        fit = -len(_unprefixed(found[at], names)[0].keys() & names)
        known = next((place for place, key in enumerate(_KEYS) if at.split(".")[-1] == key), len(_KEYS))
        return (fit, known, at.count("."))

    best = min(found, key=rank)
    others = [at for at in found if at and at != best and len(found[at]) >= len(found[best])]
    also = f" (there is also {some(others)})" if others else ""
    return found[best], [f"the weights are its {best!r}{also}"] if best else []


def fitted(state: Mapping[str, Tensor], network: nn.Module, *, new_head: bool) -> Fitting:
    """The tensors under the network's names, as many as it has, with what had to be done. Raises OtherNetwork."""
    wanted = network.state_dict()
    found, told = _unprefixed(state, set(wanted))
    found = _worked_out(found, wanted, told)
    if found.keys() != wanted.keys() and (renamed := _renamed(found, network)):
        return Fitting(renamed, told)
    # Who halves all numbers halves these counts, too, which may be infinite then.
    counts = {key for key, t in found.items() if key.endswith(_COUNTS) and (t.is_floating_point() or key not in wanted)}
    found = {key: tensor for key, tensor in found.items() if key not in counts}
    fitting = Fitting(found, told)
    wrong = {key for key in found.keys() & wanted.keys() if found[key].shape != wanted[key].shape}
    missing = [key for key in wanted if key not in found and not key.endswith(_COUNTS)]
    tied = {id_of(wanted[key]) for key in found.keys() & wanted.keys()}
    missing = [key for key in missing if id_of(wanted[key]) not in tied]
    heads = _heads(found, wanted, wrong, missing)
    theirs = {_module(key) for key in found.keys() - wanted.keys()}
    theirs = theirs if theirs == {_last(found)} else set()  # their last layer, under another name
    if new_head and heads:
        fitting.tensors = {key: tensor for key, tensor in found.items() if _module(key) not in heads | theirs}
        fitting.said.append(f"all but {some(sorted(heads))}, which begins with new weights")
        wrong, missing = set(), []
    proposal = (
        f". To keep all but the last layer ({some(sorted(heads))}): training.weights_head=new"
        if heads and (wrong or missing) and not new_head
        else ""
    )
    unexpected = sorted(fitting.tensors.keys() - wanted.keys())
    if wrong:
        sizes = [
            f"{key!r} is {list(found[key].shape)} and should be {list(wanted[key].shape)}" for key in sorted(wrong)[:8]
        ]
        turned = _turned(found, wanted, wrong)
        raise OtherNetwork("; ".join(sizes) + (turned or proposal) + _of_channels(found, wanted, wrong))
    if missing or unexpected:
        misfits = {"it lacks": missing, "the network has no": unexpected}
        told_so = "; ".join(f"{what} {some(keys)}" for what, keys in misfits.items() if keys)
        raise OtherNetwork(told_so + (proposal or _of_names(found, wanted)))
    _to_numbers(fitting, wanted)
    return fitting


def _worked_out(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], told: list[str]) -> dict[str, Tensor]:
    """The tensors with weights that the file has in parts, as pruning and norms of weights leave them, put together.

    Only where the network has the weight itself.
    """
    whole = dict(found)
    for key in wanted:
        if key in found or not key.rpartition(".")[2].startswith(("weight", "bias")):
            continue
        module, _, last = key.rpartition(".")
        new = f"{module}.parametrizations.{last}".lstrip(".")
        parts: dict[str, Tensor] = {}
        for names in (
            {"of": f"{key}_orig", "mask": f"{key}_mask"}, {"of": f"{key}_v", "length": f"{key}_g"},
            {"of": f"{new}.original1", "length": f"{new}.original0"},
            {"of": f"{key}_orig", "u": f"{key}_u", "v": f"{key}_v"},
            {"of": f"{new}.original", "u": f"{new}.0._u", "v": f"{new}.0._v"},
        ):  # fmt: skip
            if all(name in found for name in names.values()):
                parts = {what: found[name] for what, name in names.items()}
                whole = {name: tensor for name, tensor in whole.items() if name not in names.values()}
                break
        if parts:
            whole[key] = _of_parts(**parts)
            told.append(f"{key!r} worked out of what the file has for it")
    return whole


def _of_parts(
    of: Tensor,
    mask: Tensor | None = None,
    length: Tensor | None = None,
    u: Tensor | None = None,
    v: Tensor | None = None,
) -> Tensor:
    """A weight of which some are cut off, whose filters have a length, or whose largest singular value is 1."""
    if mask is not None:
        return of * mask
    if length is not None:
        axes = [axis for axis in range(of.dim()) if length.shape[axis] == 1]
        return of * (length / of.square().sum(dim=axes, keepdim=True).sqrt())
    assert u is not None and v is not None
    return of / torch.dot(u, of.flatten(1) @ v)


def _turned(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], wrong: Collection[str]) -> str:
    """What to say where all that is of another shape has its axes in another order, as in Keras's files."""
    ways = {2: (1, 0), 3: (2, 1, 0), 4: (3, 2, 0, 1)}
    for key in wrong:
        tensor, axes = found[key], ways.get(found[key].dim(), ())
        if wanted[key].dim() != len(axes) or tuple(tensor.shape[axis] for axis in axes) != tuple(wanted[key].shape):
            return ""
    first = min(wrong)
    axes = ways[found[first].dim()]
    return f". Their axes are in another order, as Keras has them: save {first!r} as tensor.permute{axes}.contiguous()"


def _of_names(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """What to say where a file has tensors of the very shapes, in the same order, under other names."""
    theirs, ours = (
        [(key, tensor) for key, tensor in state.items() if not key.endswith(_COUNTS)] for state in (found, wanted)
    )
    if [tensor.shape for _, tensor in theirs] != [tensor.shape for _, tensor in ours]:
        return ""
    strange, here = next((their, our) for (their, _), (our, _) in zip(theirs, ours, strict=True) if their != our)
    return (
        f". Their shapes are the same, in the same order: if it is the same network, call them as it does, {here!r} "
        f"for {strange!r} and so on, and save them with torch.save"
    )


def _of_channels(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], wrong: set[str]) -> str:
    """What to say where the first convolution of a file's network takes another number of channels."""
    first = next((key for key in wanted if wanted[key].dim() > 2), None)
    if first is None or first not in wrong or found[first].dim() != wanted[first].dim():
        return ""
    theirs, ours = (list(state[first].shape) for state in (found, wanted))
    if theirs[:1] + theirs[2:] != ours[:1] + ours[2:]:
        return ""
    how = {(3, 1): "data.prepare.colour=true", (1, 3): "data.prepare.colour=false"}
    more = how.get((theirs[1], ours[1]), "prepare the data so")
    return f". {first.rpartition('.')[0]!r} of the file takes {theirs[1]} channels, and here are {ours[1]}: {more}"


def _renamed(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The tensors by the network's names if it takes them by ways of its own, as those of an older version."""
    tried = copied(network)
    try:
        tried.load_state_dict(dict(state))
    except Exception:  # whatever its hooks raise for what they don't know; misfits are told better by what the file has
        return {}
    return tried.state_dict()


def id_of(tensor: Tensor) -> tuple[object, ...]:
    """What two names of one tensor have in common."""
    return tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride())


def _state(mapping: Mapping[str, object]) -> dict[str, Tensor]:
    """The tensors of a dictionary, if it is one of tensors by name."""
    found = {key: value for key, value in mapping.items() if isinstance(key, str) and isinstance(value, Tensor)}
    return found if 2 * len(found) > len(mapping) else {}


def _of_optimiser(at: str) -> bool:
    return any("optim" in part.lower() or "sched" in part.lower() for part in at.split("."))


def _unprefixed(state: Mapping[str, Tensor], wanted: set[str]) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors under names as the network's, as far as a prefix makes them so, and what was taken off."""
    found, told = dict(state), []
    inside = sorted({part for key in state for part in key.split(".") if part in _WRAPPERS} - _parts(wanted))
    if inside:
        found = {".".join(part for part in key.split(".") if part not in inside): found[key] for key in found}
        told.append(f"{some(inside)} taken out of the names")
    norms = {
        key: f"{stem}.{_NORMS[last]}" for key in found if (stem := _module(key)) and (last := _last_of(key)) in _NORMS
    }
    if norms and not norms.keys() & wanted:
        found = {norms.get(key, key): tensor for key, tensor in found.items()}
        told.append(f"{some(sorted({_last_of(key) for key in norms}))} read as torch calls them")
    direct = len(found.keys() & wanted)
    prefix, matched = _prefix(found, wanted)
    lacking, would_match = _prefix(wanted, found.keys())
    if would_match > max(direct, matched):  # a part of the network, as the one that others are made with
        told.append(f"{lacking!r} put before the names")
        return {f"{lacking}{key}": found[key] for key in found}, told
    if matched > direct:
        others = sorted(key for key in found if not key.startswith(prefix))
        found = {key.removeprefix(prefix): found[key] for key in found if key.startswith(prefix)}
        told.append(f"{prefix!r} taken off the names" + (f", without {some(others)}" if others else ""))
    return found, told


def _prefix(names: Iterable[str], others: Collection[str]) -> tuple[str, int]:
    """What is before most of the names that without it are among the others, and before how many; the shortest."""
    found: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")
        found.update(".".join(parts[:k]) + "." for k in range(1, len(parts)) if ".".join(parts[k:]) in others)
    return max(found.items(), key=lambda item: (item[1], -len(item[0])), default=("", 0))


def _parts(names: Iterable[str]) -> set[str]:
    return {part for name in names for part in name.split(".")}


def _module(key: str) -> str:
    return key.rpartition(".")[0]


def _last_of(key: str) -> str:
    return key.rpartition(".")[2]


def _heads(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], wrong: set[str], missing: list[str]) -> set[str]:
    """The layers that can begin anew: those whose size differs in the number of classes only, or the last one.

    None where anything else does not fit, but for names that only the file has.
    """
    pairs = {(found[key].shape[:1], wanted[key].shape[:1]) for key in wrong}
    alike = all(found[key].shape[1:] == wanted[key].shape[1:] and found[key].dim() for key in wrong)
    if wrong and not missing and len(pairs) == 1 and alike:
        return {_module(key) for key in wrong}
    last = {_last(wanted)}
    return last if {_module(key) for key in (*wrong, *missing)} <= last else set()


def _last(state: Mapping[str, Tensor]) -> str:
    """The name of the last layer with weights, as the network lists them; a norm, which has vectors only, is none."""
    matrices = (name for name in reversed(list(state)) if state[name].is_floating_point() and state[name].dim() > 1)
    return next(map(_module, matrices), "")


def _to_numbers(fitting: Fitting, wanted: Mapping[str, Tensor]) -> None:
    """Say which numbers become float32; refuse those that are no such."""
    for key, tensor in fitting.tensors.items():
        if tensor.is_floating_point() != wanted[key].is_floating_point() or tensor.is_complex():
            raise OtherNetwork(f"{key!r} is {_name(tensor)} and should be {_name(wanted[key])}, perhaps quantised")
    kinds = {_name(t) for t in fitting.tensors.values() if t.is_floating_point() and t.dtype != torch.float32}
    if kinds:
        fitting.said.append(f"its numbers are {', '.join(sorted(kinds))}, and are made float32")


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
