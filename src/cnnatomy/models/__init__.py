"""Networks: plain modules of named layers, one file each, built from a configuration and the facts of the data."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from cnnatomy.models.errors import NetworkError, told

if TYPE_CHECKING:
    import torch
    from torch import nn


log = logging.getLogger(__name__)


class Facts(Protocol):
    """What a network may need to know of its data (prepared data know it)."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def classes(self) -> list[str]: ...
    @property
    def vocabulary(self) -> list[str] | None: ...


TRIED = 3  # samples of made-up data that a new network sees


def build(model: Mapping[str, Any], facts: Facts, seed: int = 0, output: str | None = None) -> nn.Module:
    """The network that `model` describes: its `_target_`, called with its other keys.

    What the target also asks for by name is given from the data: `shape` (of one sample), `classes` and `vocabulary`
    (numbers of them). The start weights depend on `seed` only; torch's random state is left as it was.

    Its numbers are made float32. A few samples of noise go through it once: so layers get their sizes that wait for
    data, and what it answers outside of training is from then on logits, (samples, classes), whatever its own output
    is (`answering`). output: the name of the answer, where several could be it.

        build({"_target_": "cnnatomy.models.lecture.Lecture"}, facts)

    Raises NetworkError where the target can't be found, or stops, or gives no network, and where it can't be told which
    of several outputs is the answer.
    """
    import torch
    from hydra.utils import get_object
    from torch import nn

    from cnnatomy.models import answering

    name, usual = model["_target_"], (torch.get_default_dtype(), torch.is_grad_enabled())
    try:
        target = get_object(name)
    except Exception as error:
        raise NetworkError(f"model._target_: {name} can't be imported: {told(error.__cause__ or error)}") from error
    known = {"shape": tuple(facts.shape), "classes": len(facts.classes), "vocabulary": len(facts.vocabulary or ())}
    asked = inspect.signature(target).parameters
    network = _made(model, {fact: value for fact, value in known.items() if fact in asked and fact not in model}, seed)
    _put_back(*usual)
    network = _unwrapped(network)
    _refuse_own_train(network)
    if scripted := [type(one).__name__ for one in network.modules() if isinstance(one, torch.jit.ScriptModule)]:
        raise NetworkError(
            f"model: {name} gives a network of TorchScript ({scripted[0]}), into which nothing can look; name the "
            "class that was scripted"
        )
    _uncompile(network)
    _to_single(network)
    for module in network.modules():
        if isinstance(module, nn.TransformerEncoder):
            # Its short cut leaves places of padding out and their answers zero, outside of training only.
            module.enable_nested_tensor = module.use_nested_tensor = False
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        words = facts.vocabulary
        shape = (TRIED, *facts.shape)
        x = torch.randn(shape) if words is None else torch.randint(min(1, len(words) - 1), len(words), shape)
        answering.read(network, x, len(facts.classes), output)
    return network


def _made(model: Mapping[str, Any], given: Mapping[str, Any], seed: int) -> nn.Module:
    """What the target makes, with start weights by the seed. Raises NetworkError."""
    import torch
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate
    from torch import nn

    name = model["_target_"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            network = instantiate(dict(model), **given, _convert_="all")
        except InstantiationException as error:
            why = told(error.__cause__ or error)
            if any(word in why for word in ("NVIDIA", "CUDA")):
                why += "; leave out .cuda() and device=, for a network is taken to its device as a whole"
            if "num_classes" in why and "expected value" in why:
                why += (
                    "; weights of so many classes come with their number: leave weights out of the model, name their "
                    "file in training.weights, and take training.weights_head=new"
                )
            raise NetworkError(f"model: {name} can't be built: {why}") from error
    if not isinstance(network, nn.Module):
        raise NetworkError(
            f"model: {name} gives a {type(network).__name__}, which is no torch.nn.Module; name what makes one"
        )
    return network


def _put_back(dtype: torch.dtype, gradients: bool) -> None:
    """Undo what a network's module sets for the whole process, which is others' too; said in the log."""
    import torch

    if (torch.get_default_dtype(), torch.is_grad_enabled()) != (dtype, gradients):
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(gradients)
        log.info("the network's module sets torch's default type or turns gradients off, which is put back")


def _refuse_own_train(network: nn.Module) -> None:
    """Refuse a network with a method `train` of its own that is not torch's, by which its mode is switched."""
    from torch import nn

    for path, module in network.named_modules():
        if type(module).train is nn.Module.train:
            continue
        first = next(iter(inspect.signature(module.train).parameters.values()), None)
        takes_mode = first is not None and (first.name == "mode" or isinstance(first.default, bool))
        if not takes_mode and (first is None or first.kind is not first.VAR_POSITIONAL):
            which = f"{type(module).__name__} ({path})" if path else type(module).__name__
            raise NetworkError(
                f"model: {which} has a method train of its own in place of torch's, which switches between training "
                "and use; call it otherwise, such as fit"
            )


def _unwrapped(network: nn.Module) -> nn.Module:
    """A network without torch's wrapping of it as a whole, for several devices or compiled; said in the log."""
    from torch import nn

    wrapping = {nn.DataParallel: "module", nn.parallel.DistributedDataParallel: "module"}
    name = next((its for kind, its in wrapping.items() if isinstance(network, kind)), "_orig_mod")
    inside = getattr(network, name, None)
    if not isinstance(inside, nn.Module):
        return network
    log.info("the network is wrapped in a %s, which is taken off", type(network).__name__)
    return _unwrapped(inside)


def _uncompile(network: nn.Module) -> None:
    """Let layers that are compiled run as they are written, so that they can be looked into; said in the log."""
    from torch import nn

    compiled = []
    for path, module in network.named_modules():
        if getattr(module, "_compiled_call_impl", None) is not None:
            module._compiled_call_impl = None
            compiled.append(path or "all")
        for name, child in list(module._modules.items()):
            inside = getattr(child, "_orig_mod", None)
            if isinstance(inside, nn.Module):
                module._modules[name] = inside
                compiled.append(f"{path}.{name}".lstrip("."))
    if compiled:
        log.info("layers of the network are compiled (%s), which is taken off", ", ".join(compiled[:8]))


def _to_single(network: nn.Module) -> None:
    """Make a network's numbers float32, the precision in which all is computed; said in the log where they weren't."""
    import torch

    tensors = [*network.parameters(), *network.buffers()]
    others = {str(tensor.dtype) for tensor in tensors if tensor.is_floating_point() and tensor.dtype != torch.float32}
    if others:
        network.float()
        log.info("the network's numbers are %s; they are made float32", ", ".join(sorted(others)))
