"""What a network answers, read as one number for each class before any softmax, however the network gives it.

Networks of others answer with tuples, dictionaries or objects, with a second head while they are trained, or with a
softmax at their end. All that is behind them wants logits, (samples, classes); so they are read as such here, and it
is said in the log how.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cnnatomy.models.errors import NetworkError
from cnnatomy.watching import Watching

log = logging.getLogger(__name__)

SUMS = 1e-3  # a softmax's outputs add up to 1 within this; half precision has three digits
AUXILIARY = 0.3  # share of an auxiliary head's loss in the whole (Szegedy et al. 2015)
_NAMED = "logits"
#: torch's operators whose numbers have bounds, and those behind which they stay what they are.
_BOUND = ("sigmoid", "sigmoid_", "_softmax", "tanh", "tanh_", "relu", "relu_", "hardtanh", "hardtanh_")
_KEEPS = (
    "view", "_unsafe_view", "reshape", "squeeze", "unsqueeze", "select", "slice", "alias", "clone", "detach",
    "_to_copy", "clamp", "clamp_", "clamp_min", "clamp_max", "t", "transpose", "permute", "expand",
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """How a network's output becomes logits. As a forward hook of the network it does that outside of training.

    part: the name or the place of the answer in the output; None where the output is the answer. ending: what the
    network does to its logits at the end: "softmax", "log_softmax", "sigmoid" or nothing. one: whether it gives one
    number for two classes. low: whether it comes in 16 bits, as autocast makes it.
    """

    part: str | None = None
    ending: str = ""
    one: bool = False
    low: bool = False

    def __call__(self, network: nn.Module, inputs: Any, output: Any) -> Tensor | None:
        if network.training:  # the classifier reads all heads (`heads`)
            return None
        return self.logits(output)

    def logits(self, output: Any) -> Tensor:
        """The logits in an output. Raises NetworkError where it is not what it was in evaluation mode."""
        found = output
        if not isinstance(output, Tensor):
            parts = dict(_parts(output))
            name = self.part if self.part is not None else _first(parts)
            if name not in parts:
                raise NetworkError(
                    f"the network gives {described(output)}, of which nothing is {name!r}, as it was when it was "
                    "built; let it give the same parts always"
                )
            found = parts[name]
        return _ended(found, self)


def read(network: nn.Module, x: Tensor, classes: int, part: str | None = None) -> None:
    """Find out from a batch how the network's output is to be read, and let it give logits outside of training.

    part: the name of the answer in the output (`training.output`), wanted where several could be it. A network that
    does not take the batch, or whose output is none of its kind, is left as it is: what checks it on real samples says
    it better. One that changes its input in place gets copies from then on.

    Raises NetworkError where it can't be told which of several outputs is the answer, and for a `part` that there
    isn't.
    """
    before = x._version
    output, made_by = _watched(network, x)
    if x._version != before:  # what others hold, and may take gradients at, must stay
        network.register_forward_pre_hook(_copies)
    if output is None:
        return
    chosen = part
    found = output
    if not isinstance(output, Tensor):
        parts = {name: tensor for name, tensor in _parts(output)}
        chosen = _choice(output, parts, len(x), classes, part)
        if chosen is None:
            return
        found = parts[chosen]
        log.info("The network gives %s.", described(output))
    elif part is not None:
        raise NetworkError(f"training.output={part}: the network gives one tensor, without names; leave the key out")
    one = classes == 2 and tuple(found.shape) in ((len(x),), (len(x), 1)) and found.is_floating_point()
    low = found.dtype in (torch.bfloat16, torch.float16)
    reading = Reading(chosen, _ending_of(found, made_by.get(id(found), "")), one, low)
    if reading.part is not None:
        log.info("Of the network's outputs %r is its answer.", reading.part)
    if reading.ending:
        log.info("%s", _ENDINGS[reading.ending])
    if reading.one:
        log.info("The network gives one number for two classes: it is read as how far the second is ahead.")
    if reading != Reading():
        network.register_forward_hook(reading)


def bounded(network: nn.Module, x: Tensor) -> str:
    """The operator at the network's end if it bounds logits, "relu", "tanh" or "hardtanh"; "" for any other."""
    output, made_by = _watched(network, x)
    end = made_by.get(id(output), "")
    return end if end in ("relu", "tanh", "hardtanh") else ""


def reading_of(network: nn.Module) -> Reading:
    """How a network's output becomes logits."""
    return next((hook for hook in network._forward_hooks.values() if isinstance(hook, Reading)), Reading())


def heads(network: nn.Module, output: Any) -> tuple[Tensor, list[Tensor]]:
    """The logits in what a network gave in training mode, and those of its auxiliary heads, as GoogLeNet has them.

    Auxiliary are further tensors of the same shape: of a tuple all, of names those with `aux` in them.
    """
    reading = reading_of(network)
    if isinstance(output, Tensor):
        return _ended(output, reading), []
    logits = reading.logits(output)
    parts = dict(_parts(output))
    main = reading.part if reading.part is not None else _first(parts)
    named = isinstance(output, Mapping) or is_dataclass(output)
    further = [
        _ended(tensor, reading)
        for name, tensor in parts.items()
        if name != main and tensor.shape == parts[main].shape and ("aux" in name.lower() or not named)
    ]
    return logits, further


def _first(parts: Mapping[str, Tensor]) -> str:
    """The answer among what a network gives in training only: the logits by name, or what may be some, in front."""
    several = [name for name, tensor in parts.items() if tensor.dim() == 2 and tensor.is_floating_point()]
    return _NAMED if _NAMED in parts else next(iter([*several, *parts]), "")


_ENDINGS = {
    "softmax": "The network ends in a softmax (its outputs lie between 0 and 1 and add up to 1): they are read as "
    "probabilities, as if it stood without. It may be left out.",
    "log_softmax": "The network ends in a log-softmax: its outputs are read as logarithms of probabilities.",
    "sigmoid": "The network ends in a sigmoid (its outputs lie between 0 and 1): it is taken off, so that a softmax of "
    "what is before it gives the probabilities.",
}


def _copies(network: nn.Module, inputs: Any) -> Any:
    return tuple(one.clone() if isinstance(one, Tensor) else one for one in inputs)


def _choice(output: Any, parts: Mapping[str, Tensor], n: int, classes: int, part: str | None) -> str | None:
    """The name of the answer among the parts of an output."""
    if part is not None:
        if part not in parts:
            raise NetworkError(
                f"training.output={part}: the network gives {described(output)}. There are: {', '.join(parts)}"
            )
        return part
    fitting = [name for name, tensor in parts.items() if tuple(tensor.shape) == (n, classes)]
    fitting = [name for name in fitting if parts[name].is_floating_point()]
    if _NAMED in fitting:
        return _NAMED
    if len({id(parts[name]) for name in fitting}) > 1:
        raise NetworkError(
            f"the network gives {described(output)}, and {len(fitting)} of them have the shape (samples, classes): "
            f"{', '.join(fitting)}. Say which is the answer, before any softmax: training.output={fitting[0]}"
        )
    return fitting[0] if fitting else None


def _parts(output: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors in an output by name: keys, names of fields, or places; those inside of others joined with dots."""
    for name, value in _named(output):
        if isinstance(value, Tensor):
            yield name, value
        else:
            for inside, tensor in _parts(value):
                yield f"{name}.{inside}", tensor


def _named(output: Any) -> list[tuple[str, Any]]:
    if isinstance(output, Mapping):
        return [(str(key), value) for key, value in output.items()]
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return list(zip(output._fields, output, strict=True))
    if isinstance(output, Sequence) and not isinstance(output, str | bytes):
        return [(str(place), value) for place, value in enumerate(output)]
    if is_dataclass(output):
        return [(field.name, getattr(output, field.name)) for field in fields(output)]
    return [(str(name), value) for name, value in getattr(output, "__dict__", {}).items()]


def described(output: Any) -> str:
    """What a network gave, in words: of what kind, and the tensors in it by name and shape."""
    parts = [f"{name} {tuple(tensor.shape)}" for name, tensor in _parts(output)]
    kind = "dictionary" if isinstance(output, Mapping) else type(output).__name__
    return f"a {kind} of " + (f"{', '.join(parts[:8])}{', …' if len(parts) > 8 else ''}" if parts else "no tensors")


def _ended(found: Tensor, reading: Reading) -> Tensor:
    """Logits out of what a network's end made of them."""
    if reading.low:
        found = found.float()
    if reading.ending in ("softmax", "sigmoid"):
        least = torch.finfo(found.dtype)
        against = (1 - found).clamp_min(least.eps).log() if reading.ending == "sigmoid" else 0.0
        found = found.clamp_min(least.tiny).log() - against
    if reading.one:
        found = found.reshape(-1, 1)
        found = torch.cat([-found / 2, found / 2], dim=1)  # a softmax of these is the sigmoid of the one
    return found


def _ending_of(found: Tensor, made_by: str) -> str:
    """What the numbers and the last operator say of a network's end."""
    if not found.is_floating_point() or not bool(found.isfinite().all()):
        return ""
    if found.dim() == 2 and found.shape[1] > 1:
        numbers, ones = found.double(), torch.ones(len(found), dtype=torch.float64)
        if bool((numbers >= 0).all()) and torch.allclose(numbers.sum(1), ones, atol=SUMS):
            return "softmax"
        if bool((numbers <= 0).all()) and torch.allclose(numbers.exp().sum(1), ones, atol=SUMS):
            return "log_softmax"
    alone = made_by == "softmax" and (found.dim() == 1 or found.shape[1] == 1)  # the second of two, by itself
    return "sigmoid" if made_by == "sigmoid" or alone else ""


def _watched(network: nn.Module, x: Tensor) -> tuple[Any, dict[int, str]]:
    """The output for a batch, outside of training, and for tensors with bounds the operator that set them, by id.

    However they are laid out, cut or kept away from 0 and 1 behind it.
    """
    made: dict[int, str] = {}
    alive: list[Any] = []  # so that no other tensor gets their id

    class Watch(Watching):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            name = func.overloadpacket.__name__
            by = name.strip("_") if name in _BOUND else made.get(id(args[0]), "") if name in _KEEPS and args else ""
            if by and isinstance(out, Tensor):
                made[id(out)] = by
                alive.append(out)
            else:
                made.pop(id(out), None)  # changed in place
            return out

    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.no_grad(), Watch():
            output = network(x)
    except Exception:
        return None, {}
    finally:
        for module, mode in modes.items():
            module.training = mode
    alive.append(output)
    return output, made
