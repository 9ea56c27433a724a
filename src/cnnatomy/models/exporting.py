"""A trained network as an ONNX file, which other programs run, held against torch before it is kept."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnatomy.models.errors import NetworkError, told

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
CLOSE = 1e-4  # of the range of torch's logits
TRACED = 2  # samples that the network is followed with; of one, torch would take the number for fixed
AT_ONCE = 100  # samples in a batch when both answer
_MISSING = re.compile(r"No ONNX function found for <OpOverload\(op='([^']+)'")


def export(network: nn.Module, samples: Tensor, about: Mapping[str, str], file: Path) -> float:
    """Write a network in evaluation mode as ONNX: `input` (samples, …) to `logits` (samples, classes), any number of
    samples at a time.

    samples: network-ready, on which it is then run by onnxruntime. about: what the file says of itself, kept in its
    metadata. Returns how far the two are apart at most, as a share of the range of torch's logits.

    Raises NetworkError where packages are lacking, where an operation has no form in ONNX, and for a difference above
    1e-4 of that range; the file is not there then.
    """
    if lacking := [name for name in PACKAGES if find_spec(name) is None]:
        raise NetworkError(f"a network as ONNX wants {', '.join(lacking)}: pip install 'cnnatomy[export]'")
    program = _written(network, samples)
    program.model.metadata_props.update(about)
    program.save(str(file), external_data=False)
    try:
        apart = _apart(network, samples, file)
        if not apart <= CLOSE:
            raise NetworkError(
                f"as ONNX the network answers otherwise than in torch: logits are up to {apart:.1e} of their range "
                f"apart, and {CLOSE:.0e} is the most; look for what depends on chance, or on the samples beside one"
            )
    except BaseException:
        file.unlink()
        raise
    return apart


def _written(network: nn.Module, samples: Tensor) -> Any:
    """The network as torch's exporter writes it, without the places of this machine's files that it notes down."""
    x = samples[torch.arange(TRACED) % len(samples)]
    said = logging.getLogger("torch.onnx")
    level = said.level
    said.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                network,
                (x,),
                dynamo=True,
                input_names=["input"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("samples")},),
                verbose=False,
            )
    except Exception as error:
        raise NetworkError(f"the network can't be written as ONNX: {_why(error)}") from error
    finally:
        said.setLevel(level)
    graph: Any = program.model.graph  # type: ignore[union-attr]  # None without dynamo only
    graph.metadata_props.clear()
    for part in (*graph.all_nodes(), *graph.inputs, *graph.outputs, *graph.initializers.values()):
        part.metadata_props.clear()
    return program


def _why(error: BaseException) -> str:
    """The operation that ONNX has nothing for, or what torch says first of all that it says."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if found := _MISSING.search(str(error) + str(cause)):
        return f"it has nothing for {found[1].removesuffix('.default')}"
    first = next(iter(str(cause).strip().splitlines()), "")
    return told(type(cause)(first)) if type(cause).__module__ == "builtins" else f"{type(cause).__name__}: {first}"


def _apart(network: nn.Module, samples: Tensor, file: Path) -> float:
    """The largest difference of logits over the range of torch's; the first sample goes alone."""
    import numpy as np
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    many = session.get_inputs()[0].shape[0]
    if isinstance(many, int):
        raise NetworkError(
            f"as ONNX the network answers batches of {many} only; make what depends on how many samples there are the "
            "same for any number"
        )
    batches = [samples[:1], *samples[1:].split(AT_ONCE)] if len(samples) > 1 else [samples]
    with torch.no_grad():
        ours = np.concatenate([network(x).numpy() for x in batches])
    theirs = np.concatenate([session.run(["logits"], {"input": x.numpy()})[0] for x in batches])
    if ours.shape != theirs.shape:
        return float("inf")
    return float(np.abs(ours - theirs).max() / max(float(np.ptp(ours)), np.finfo(np.float32).tiny))
