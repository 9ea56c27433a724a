"""Whether a network and its data fit, asked of the first samples before anything takes long."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import cast

import torch
from torch import Tensor, nn

from cnnatomy.data.batches import Batches
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.models.answering import bounded, described, heads
from cnnatomy.models.copying import copied
from cnnatomy.models.errors import some, told
from cnnatomy.training.errors import TrainingError

FEW_OF_A_CLASS = 10  # training samples
FEW_TO_CHOOSE_BY = 30  # validation samples: one more right moves the accuracy by three points

log = logging.getLogger(__name__)

_AXES = {
    "images": "channels, height, width",
    "sounds": "channels, bands, frames",
    "texts": "words",
    "signals": "channels, steps",
}


def check_outputs(network: nn.Module, batches: Batches, seed: int) -> None:
    """Refuse a network that does not take the samples, or does not give one number for each of their classes.

    Two samples go through it. Layers that are made when they first see data are made here, from the seed.
    Raises TrainingError.
    """
    facts = batches.samples.facts
    shape: tuple[int, ...] = ()
    x, _ = next(batches.epoch(0))
    x = x[:2]
    logits = _answer(network, x, facts, batches.channels_last, seed)
    if not isinstance(logits, Tensor):
        raise TrainingError(
            f"for {len(x)} samples the network gives {described(logits)}; it should give one tensor of shape (samples, "
            f"classes), here ({len(x)}, {len(facts.classes)}), alone or among others"
        )
    if logits.dim() > 2 and logits.numel() == len(x) * len(facts.classes):
        raise TrainingError(
            f"for {len(x)} samples the network gives outputs of shape {tuple(logits.shape)}; it should give "
            f"(samples, classes), here ({len(x)}, {len(facts.classes)}): write .flatten(1) at its end"
        )
    if logits.dim() != 2 or len(logits) != len(x):
        which = "" if logits.is_floating_point() else ": leave out the argmax at its end"
        raise TrainingError(
            f"for {len(x)} samples the network gives outputs of shape {tuple(logits.shape)}; it should give "
            f"(samples, classes), here ({len(x)}, {len(facts.classes)}){which}"
        )
    if logits.shape[1] != len(facts.classes):
        names = ", ".join(facts.classes[:5]) + (", …" if len(facts.classes) > 5 else "")
        raise TrainingError(
            f"the network tells {logits.shape[1]} classes apart, but {facts.name} has {len(facts.classes)} ({names}): "
            f"set the argument of the network that says how many, as in model.num_classes={len(facts.classes)}"
        )
    with suppress(Exception):  # a network that wants several together is one that dissections may still take
        alone = _forward(network, x[:1], seed)
        if isinstance(alone, Tensor) and len(x) > 1 and tuple(alone.shape) != (1, len(facts.classes)):
            shape = tuple(alone.shape)
    if shape:
        raise TrainingError(
            f"for one sample alone the network gives an output of shape {shape} and not (1, {len(facts.classes)}): "
            "look in its forward for a squeeze() that takes the axis of samples away, and write flatten(1)"
        )
    if unmade := [name for name, one in network.named_parameters() if isinstance(one, nn.UninitializedParameter)]:
        raise TrainingError(
            f"the network {type(network).__name__} has layers that wait for their first samples and get none "
            f"({some(unmade)}): take them out, or call them in its forward"
        )
    if not torch.isfinite(logits).all():
        raise TrainingError(
            f"of the first samples of {facts.name} the network makes infinite or undefined numbers; look for a "
            "division or a logarithm of zero in its forward, or for such weights"
        )


def say_of_answers(network: nn.Module, batches: Batches, seed: int) -> None:
    """Warn of a network whose answer is not of its sample alone, and of weights that are neither trained nor saved."""
    name = type(network).__name__
    if hidden := _hidden(network):
        log.warning(
            "the network %s keeps layers with weights where torch does not look (%s), so that they are neither trained "
            "nor saved: put them into nn.ModuleList or nn.ModuleDict",
            name,
            ", ".join(hidden),
        )
    x, _ = next(batches.epoch(0))
    x = x[:4]
    before = {key: buffer.clone() for key, buffer in network.named_buffers()}
    if end := bounded(network, x):
        log.warning(
            "the network %s ends in a %s: a class can hardly be said to be more likely than others, and what is cut "
            "off is not trained. Leave it out: the loss wants numbers without bounds",
            *(name, end),
        )
    try:
        first, again = (cast(Tensor, _forward(network, x, one)) for one in (seed, seed + 1))
        alone = torch.cat([cast(Tensor, _forward(network, one[None], seed)) for one in x])
    except Exception:  # one sample alone may be too few, which is no fault
        return
    if changed := _put_back(network, before):
        log.warning(
            "the network %s changes its own state outside of training (%s), so that what it says of a sample depends "
            "on those before it: let it do so in training only, if self.training",
            *(name, some(changed)),
        )
        return
    if first.shape[1] > 1 and torch.allclose(first.norm(dim=1), torch.ones(len(x)), atol=1e-4) and (first < 0).any():
        log.warning(
            "the network %s gives answers of length 1, as F.normalize makes them: a softmax of such is never sure of a "
            "class, and hardly learns. Multiply them by a scale, such as 20",
            name,
        )
    if not torch.allclose(first, again, rtol=1e-3, atol=1e-4):
        log.warning(
            "the network %s answers by chance outside of training, what it says of a sample differs from time to time: "
            "let what draws at random do so in training only, as in F.dropout(x, 0.5, self.training)",
            name,
        )
    elif not torch.allclose(first, alone, rtol=1e-3, atol=1e-4):
        log.warning(
            "what the network %s answers of a sample depends on the others in its batch: look for a softmax, a mean or "
            "a norm over the first axis, such as dim=0, or a BatchNorm with track_running_stats=False",
            name,
        )


def _put_back(network: nn.Module, before: dict[str, Tensor]) -> list[str]:
    """Give a network the buffers that it had before; the names of those that were others."""
    changed = []
    for key, buffer in network.named_buffers():
        was = before.get(key)
        if was is not None and (was.shape != buffer.shape or not ((was == buffer) | (was != was)).all()):
            module, _, name = key.rpartition(".")
            setattr(network.get_submodule(module), name, was)
            changed.append(key)
    return changed


def _hidden(network: nn.Module) -> list[str]:
    """Names of attributes in which lists or dictionaries hold layers with weights that the network does not have."""
    known = {id(parameter) for parameter in network.parameters()}
    found = []
    for path, module in network.named_modules():
        for key, value in vars(module).items():
            if key.startswith("_") or not isinstance(value, (list, tuple, dict)):
                continue
            inside = value.values() if isinstance(value, dict) else value
            weights = [one for layer in inside if isinstance(layer, nn.Module) for one in layer.parameters()]
            if any(id(one) not in known for one in weights):
                found.append(f"{path}.{key}".lstrip("."))
    return found


def check_labels(samples: Samples) -> None:
    """Refuse labels that are none of the classes. Raises TrainingError."""
    lowest, highest = int(samples.labels.min()), int(samples.labels.max())
    classes = len(samples.facts.classes)
    if lowest < 0 or highest >= classes:
        raise TrainingError(
            f"labels of the {samples.split} split go from {lowest} to {highest}, but there are {classes} classes "
            f"(0 to {classes - 1})"
        )


def say_of_few(train: Samples, validation: Samples | None) -> None:
    """Warn of classes with hardly any training samples, and of a validation split too small to choose anything by.

    validation: None where nothing is chosen by it.
    """
    classes = train.facts.classes
    counts = torch.bincount(torch.as_tensor(train.labels), minlength=len(classes)).tolist()
    few = [f"{name!r} has {count}" for name, count in zip(classes, counts, strict=True) if count < FEW_OF_A_CLASS]
    if few:
        rest = f" and {len(few) - 5} more have as few" if len(few) > 5 else ""
        log.warning(
            "few training samples: %s%s; what is learnt of so few is mostly what they happen to be",
            ", ".join(few[:5]),
            rest,
        )
    if validation is not None and len(validation) < FEW_TO_CHOOSE_BY:
        log.warning(
            "%d validation sample%s decide%s when training ends and which weights are kept: more of them, as by "
            "data.prepare.validation=0.2, decide better",
            len(validation),
            "s" if len(validation) > 1 else "",
            "" if len(validation) > 1 else "s",
        )


def check_last_batch(network: nn.Module, batches: Batches, seed: int) -> None:
    """Refuse a last batch of one sample where the network normalises over a batch. Raises TrainingError."""
    size, n = batches.batch_size, len(batches.samples)
    if n % size != 1 % size:
        return
    x, _ = next(batches.epoch(0))
    try:
        trial = copied(network).train()  # a copy, for norms would count this batch in
        with torch.no_grad(), _drawing(seed):
            trial(x[:1])
    except Exception as error:
        if "Expected more than 1 value per channel" not in str(error):
            return  # training will say it better
        better = next(larger for larger in itertools.count(size + 1) if n % larger != 1)
        raise TrainingError(
            f"in batches of {size}, the last of the {n} training samples comes alone, and of one sample the network "
            f"can't take a mean over the batch: set training.batch_size={better}"
        ) from error


def _answer(network: nn.Module, x: Tensor, facts: Facts, channels_last: bool, seed: int) -> object:
    try:
        return _forward(network, x, seed)
    except Exception as error:
        if channels_last and _works_otherwise(network, x, seed):
            raise TrainingError(
                f"the network can't take images laid out with their channels last, it stops with {told(error)}: set "
                "training.channels_last=false"
            ) from error
        shape = f"{tuple(facts.shape)} ({_AXES[facts.kind]})"
        takes = _fixed_number(network, x, seed)
        remedy = (
            f"it takes {takes} samples at once and no other number; write len(x) where its code has that number, and "
            "begin with no state of the batch before"
            if takes
            else _remedy(error)
        )
        raise TrainingError(
            f"the network {type(network).__name__} can't take samples of shape {shape}, it stops with {told(error)}: "
            f"{remedy}"
        ) from error


def _remedy(error: Exception) -> str:
    """What to do about a network that stops, by what it says."""
    said = str(error)
    if isinstance(error, TypeError) and "forward()" in said and "argument" in said:
        return "it is given one tensor, a batch; let its forward need no other argument"
    if "NVIDIA" in said or "CUDA" in said or "cuda" in said:
        return "leave out .cuda() and .to('cuda'), since a network is taken to its device as a whole"
    if isinstance(error, IndexError) and "out of range in self" in said:
        return "an nn.Embedding has fewer rows than there are tokens or places; let its __init__ take `vocabulary`"
    if "Expected hidden" in said:
        return "it keeps the state of the batch before: begin each forward without one, or with one of len(x) samples"
    if "Long" in said:
        return "its samples are numbers of words, whole ones: let it begin with an nn.Embedding"
    if any(word in said for word in ("same dtype", "should be the same", "expected scalar type", "Double", "double")):
        return (
            "a network's weights and its samples are made float32: leave out .double(), .half() and dtype=, or call "
            ".float() before its layers"
        )
    return "make the network for this shape, or prepare the data in the shape that it takes (data.prepare)"


def _fixed_number(network: nn.Module, x: Tensor, seed: int) -> int:
    """The only number of samples that a network takes, as one with a batch's size in its code; 0 for none."""
    for number in (1, 4, 8, 16, 32, 64, 100, 128, 256):
        try:
            given = _forward(copied(network), x[:1].expand(number, *x.shape[1:]).contiguous(), seed)
        except Exception:
            continue
        if isinstance(given, Tensor) and len(given) == number:
            return number
    return 0


def check_tokens(network: nn.Module, facts: Facts, seed: int) -> None:
    """Refuse a network of texts that does not take all tokens that there are. Raises TrainingError."""
    if facts.vocabulary is None:
        return
    every = torch.arange(len(facts.vocabulary))
    wide = facts.shape[0]
    rows = torch.nn.functional.pad(every, (0, -len(every) % wide), value=int(every[-1])).reshape(-1, wide)
    try:
        _forward(network, rows[-2:], seed)
    except Exception as error:
        raise TrainingError(
            f"the network {type(network).__name__} can't take all {len(every)} tokens of {facts.name}, it stops with "
            f"{told(error)}: {_remedy(error)}"
        ) from error


def check_training(network: nn.Module, batches: Batches, seed: int) -> None:
    """Refuse a network whose weights can't be trained, or which in training gives no number for each class.

    A copy of it takes the first samples. Warns of weights that nothing teaches. Raises TrainingError.
    """
    complex_ = [name for name, parameter in network.named_parameters() if parameter.is_complex()]
    if complex_:
        raise TrainingError(
            f"the network {type(network).__name__} has complex weights ({some(complex_)}); keep their real and "
            "imaginary parts, as torch.view_as_real gives them, and make complex numbers of them in its forward"
        )
    facts = batches.samples.facts
    x, _ = next(batches.epoch(0))
    try:
        trial = copied(network).train()
        with _drawing(seed):
            output = trial(x)
    except Exception:  # training will say it better
        return
    logits, further = heads(trial, output)
    if tuple(logits.shape) != (len(x), len(facts.classes)):
        given = described(output) if not isinstance(output, Tensor) else f"outputs of shape {tuple(output.shape)}"
        raise TrainingError(
            f"in training the network {type(network).__name__} gives {given} for {len(x)} samples; let it give a "
            f"tensor of shape (samples, classes), here ({len(x)}, {len(facts.classes)}), first or under the name logits"
        )
    _say_of_untaught(trial, sum((one.sum() for one in further), logits.sum()))


def _say_of_untaught(network: nn.Module, answer: Tensor) -> None:
    """Warn of weights that are to be trained and no gradient reaches; raise TrainingError where it can't go back."""
    asked = {name: one for name, one in network.named_parameters() if one.requires_grad}
    for one in asked.values():
        one.grad = None
    try:
        if answer.requires_grad:
            answer.backward()
    except Exception as error:
        if "inplace" not in str(error) and "in-place" not in str(error):
            return  # training will say it better
        raise TrainingError(
            f"the network {type(network).__name__} can't be trained, for its forward changes in place what the "
            "gradient needs on its way back, as by x[:, 0] = 0, x += … or relu_(x) behind a ReLU: write x = x.clone() "
            "before that"
        ) from error
    untaught = [name for name, one in asked.items() if one.grad is None]
    if untaught:
        log.warning(
            "of the network %s no gradient reaches %d weights (%s), so that they stay as they begin: they are not "
            "used, or no_grad(), detach(), numpy() or a checkpoint with use_reentrant=True is behind them",
            *(type(network).__name__, len(untaught), some(untaught)),
        )


def _works_otherwise(network: nn.Module, x: Tensor, seed: int) -> bool:
    """Whether the network takes the same images in the usual layout."""
    try:
        _forward(copied(network).to(memory_format=torch.contiguous_format), x.contiguous(), seed)
    except Exception:
        return False
    return True


def _forward(network: nn.Module, x: Tensor, seed: int) -> object:
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.no_grad(), _drawing(seed):
            return network(x)
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def _drawing(seed: int) -> Iterator[None]:
    """What is drawn at random depends on the seed only, and no generator notices."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
